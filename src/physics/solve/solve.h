// physics/solve/solve.h: one lane of a program from start to stop, accurately, row by row. What `gemel simulate` runs,
// and the oracle of the lanes.
//
//   gm_solve_options options = gm_solve_options_defaults();
//   options.stop = 24 * 3600;
//   gm_solve_setting settings[] = { { slot_of_k, 4.0 } };
//   st = gm_solve(alloc, program, &options, settings, 1, write_row, file, &report, &err);
//
// Rows come at start, at every point of the output grid, at stop, and twice at every event: just before, just after.
// Interpolated rows have the accuracy of the method. The result means the same whatever solver and executor ran it.
#ifndef GM_PHYSICS_SOLVE_H
#define GM_PHYSICS_SOLVE_H

#include "physics/exec/executor.h"
#include "physics/program.h"

typedef enum gm_solver {
    GM_SOLVER_AUTO,      // CVODE when built with it, else IMPLICIT, else DOPRI
    GM_SOLVER_EULER,     // fixed step; events at the end of the step in which they fall
    GM_SOLVER_RK4,       // fixed step, likewise
    GM_SOLVER_DOPRI,     // Dormand-Prince 5(4)
    GM_SOLVER_IMPLICIT,  // Rosenbrock 4(3), for stiff models
    GM_SOLVER_CVODE,     // SUNDIALS: backward differentiation of variable order, root finding, dense or sparse (KLU)
    GM_SOLVER_IDA,       // SUNDIALS: the same for residuals y' - f(t, y)
    GM_SOLVER_COUNT
} gm_solver;

const char *gm_solver_text(gm_solver solver);              // "rk4"
bool        gm_solver_parse(gm_str text, gm_solver *out);  // false: no such name
bool        gm_solver_available(gm_solver solver);         // CVODE and IDA are optional at build time

typedef struct gm_solve_options {
    gm_solver   solver;
    gm_executor executor;
    double      start, stop;  // s, start < stop
    double      tolerance;    // relative; absolute it is tolerance * nominal. Not used by fixed steps
    uint32_t    points;       // intervals of the output grid ...
    double      interval;     // ... or, when > 0, their length in s
    double      step;         // s; of EULER and RK4. 0 = a tenth of the output interval
    uint64_t    steps_max;    // bounds: steps and events of the whole run
    uint64_t    events_max;
} gm_solve_options;

gm_solve_options gm_solve_options_defaults(void);  // AUTO, AUTO, 0 .. 1 s, 1e-6, 500 points, 1e8 steps, 1e6 events

// A parameter, input or start value set from outside, SI.
typedef struct gm_solve_setting { gm_slot slot; double value; } gm_solve_setting;

typedef struct gm_solve_row {
    double        time;    // s
    const double *values;  // [slots of the program], viewed during the call
    bool          event;   // one of the two rows of an event
} gm_solve_row;

// Return GM_OK to go on; anything else ends the run with that status.
typedef gm_status gm_solve_each(void *context, const gm_solve_row *row, gm_error *err);

typedef struct gm_solve_report {
    gm_solver   solver;      // the one that ran
    gm_executor executor;
    uint64_t    steps;       // taken; of DOPRI and IMPLICIT: tried
    uint64_t    evaluations, jacobians;  // of the SUNDIALS solvers
    uint64_t    events, warnings;
    double      time;        // where the run ended
    bool        terminated;  // terminate() was reached before stop
    uint32_t    check;       // terminated, or assert failed: index into gm_program_checks
} gm_solve_report;

// Errors: GM_INVALID    options or settings that can't be (the text says which), a failed assert, a method that can not
//                       run this program
//         GM_DIVERGED   no step small enough, a loop without solution, events without end (Zeno); text has time and names
//         GM_LIMIT      steps_max or events_max
//         GM_NOMEM, GM_IO, and what `each` returned. Rows handed out before stay valid as far as they went.
// *out_report is filled in every case as far as the run came.
GM_NODISCARD gm_status gm_solve(const gm_alloc *alloc, const gm_program *program, const gm_solve_options *options,
                                const gm_solve_setting *settings, uint32_t setting_count, gm_solve_each *each, void *context,
                                gm_solve_report *out_report, gm_error *err);

#endif
