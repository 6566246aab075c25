// physics/exec/backend.h: what an executor must be able to do; one table per executor.
#ifndef GM_PHYSICS_BACKEND_H
#define GM_PHYSICS_BACKEND_H

#include "physics/exec/interp.h"

// Machine code for one stretch of code, or NULL functions for the interpreter.
typedef struct gm_native gm_native;
typedef void gm_native_run(double *rows, double *scratch, uint64_t times);

// Solves n equations in n unknowns for 8 lanes at once, with partial pivoting in each lane by itself.
//   a  [n][n][8]  in: the matrices, row by row; overwritten      b  [n][8]  in: right sides; out: solutions
// A singular matrix gives infinities or NaN in its own lane.
typedef void gm_dense_solve(uint32_t n, double *a, double *b);

void gm_dense_solve_one(uint32_t n, double *a, double *b);
void gm_dense_solve_avx2(uint32_t n, double *a, double *b);
void gm_dense_solve_avx512(uint32_t n, double *a, double *b);

typedef struct gm_backend {
    const gm_interp *interp;
    gm_dense_solve  *solve;
    // All stretches of a kernel go into one piece of executable memory: out_run[i] is the entry of codes[i]. fused: the
    // second and all that follow are one function, out_run[1]; the others are NULL.
    gm_status (*compile)(const gm_alloc *alloc, const gm_code *const *codes, uint32_t count, bool fused, uint32_t row_count,
                         gm_native **out_native, gm_native_run **out_run, gm_error *err);
    void (*release)(gm_native *native);
} gm_backend;

// For an executor that gm_executor_pick gave.
const gm_backend *gm_backend_of(gm_executor executor);

#endif
