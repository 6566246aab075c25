// physics/exec/newton.h: Newton's method on an algebraic loop, 64 lanes side by side, each converging by itself.
#ifndef GM_PHYSICS_NEWTON_H
#define GM_PHYSICS_NEWTON_H

#include "physics/exec/kernel.h"

typedef struct gm_newton gm_newton;  // immutable: a loop's body compiled for an executor

typedef enum gm_linear {
    GM_LINEAR_DENSE,  // eight lanes side by side; up to 256 unknowns
    GM_LINEAR_SPARSE  // KLU, lane by lane with one symbolic analysis (sparse.h)
} gm_linear;

gm_linear gm_linear_for(const gm_loop_info *loop);  // the faster one, of those that were built in

// Errors as gm_kernel_create; GM_LIMIT: more unknowns than the linear solver takes; GM_INVALID: a singular pattern.
GM_NODISCARD gm_status gm_newton_create(const gm_alloc *alloc, const gm_program *program, uint32_t loop, gm_linear linear,
                                        gm_executor executor, gm_newton **out_newton, gm_error *err);
void                   gm_newton_destroy(gm_newton *newton);
const gm_loop_info    *gm_newton_loop(const gm_newton *newton);

size_t gm_newton_scratch(const gm_newton *newton);  // doubles, aligned to 64 bytes
void   gm_newton_prepare(const gm_newton *newton, double *scratch);

double *gm_newton_argument(const gm_newton *newton, double *scratch, uint32_t index);  // [64], to be filled before a run
double *gm_newton_unknown(const gm_newton *newton, double *scratch, uint32_t index);   // [64], solutions after it

// Starts from the guess slots in the block's rows and leaves solutions there. Lanes without solution: NaN as solution,
// guess as it was, 1 in unsolved [64].
void gm_newton_run(const gm_newton *newton, double *rows, double *scratch, double *unsolved);

#endif
