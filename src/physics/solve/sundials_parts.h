// physics/solve/sundials_parts.h: between the run (sundials.c) and the two integrators (sundials_cvode.c, sundials_ida.c).
#ifndef GM_PHYSICS_SUNDIALS_PARTS_H
#define GM_PHYSICS_SUNDIALS_PARTS_H

#include "physics/solve/machine.h"
#include "physics/solve/solve_parts.h"

#include <nvector/nvector_serial.h>
#include <sundials/sundials_context.h>
#include <sundials/sundials_linearsolver.h>
#include <sundials/sundials_matrix.h>

typedef enum gm_landing {
    GM_LANDED,         // one step further
    GM_LANDED_AT_STOP, // exactly at the stop time that was set
    GM_LANDED_AT_ROOT  // at a root; crossed says of which indicators
} gm_landing;

// What both integrators work on.
typedef struct gm_sundials {
    gm_run         *run;
    gm_machine     *machine;
    SUNContext      context;
    N_Vector        y, slopes, tolerance;  // [n], n >= 1: a program without states has one that stands still
    SUNMatrix       matrix;
    SUNLinearSolver linear;
    double         *entries, *base;        // of the Jacobian, in the pattern's order; slopes at its point
    void           *memory;                // the integrator's
    int            *crossed;               // [indicators]
    uint32_t        n, states;
    char            complaint[160];        // the library's last words
} gm_sundials;

typedef struct gm_integrator {
    gm_status (*start)(gm_sundials *s, double time, gm_error *err);      // from y
    gm_status (*restart)(gm_sundials *s, double time, gm_error *err);    // from y, after an event
    gm_status (*step)(gm_sundials *s, double stop, double *out_time, gm_landing *out_landing, gm_error *err);
    bool (*between)(gm_sundials *s, double time, N_Vector out);          // states within the last step
    uint64_t (*steps)(const gm_sundials *s);                             // since start or restart
    void (*destroy)(gm_sundials *s);
} gm_integrator;

// Errors of single steps add up: each may be a tenth of what the run may err.
static inline double gm_sundials_step_tolerance(const gm_run *run) { return 0.1 * run->options.tolerance; }

extern const gm_integrator gm_sundials_cvode, gm_sundials_ida;

double gm_sundials_longest_step(const gm_sundials *s);  // s, that lets no event slip through; infinity: any
bool gm_sundials_slopes(gm_sundials *s, double time, N_Vector y, N_Vector slopes);  // false: not solved, not a number
// matrix = scale * identity + weight * Jacobian at (time, y). slopes may be NULL: they are computed then.
bool gm_sundials_matrix(gm_sundials *s, double time, N_Vector y, N_Vector slopes, double scale, double weight, SUNMatrix matrix);
void gm_sundials_listen(int code, const char *module, const char *function, char *message, void *data);

#endif
