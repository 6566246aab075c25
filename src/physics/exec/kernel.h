// physics/exec/kernel.h: straight-line code made ready to run on a block of 64 lanes. Inside physics; lanes.h is the
// door for everyone else.
//
// Rows are the memory of a block: row r is 64 doubles at rows + 64 r, lane by lane. In a kernel's code LOAD and STORE
// name rows (a program's slots come first, rows of the integration method follow). Rows >= row_count are scratch:
// they belong to the kernel, hold nothing between runs and are shared by all blocks that one thread runs.
//
//   code --lower--> steps: [prologue] [code, helper, code, helper, ... code]       once | `times` times
//
// What depends only on rows that the kernel does not store is computed once per run, in the prologue. Loops, table
// lookups and delays are helpers: plain C over the block, between stretches of code that an executor compiled.
#ifndef GM_PHYSICS_KERNEL_H
#define GM_PHYSICS_KERNEL_H

#include "physics/code.h"
#include "physics/exec/executor.h"

enum { GM_BLOCK_LANES = 64 };

typedef struct gm_kernel gm_kernel;  // immutable

// program: viewed (loops and tables; NULL when the code has neither); must outlive the kernel.
//  code: compacted; results are STOREs to rows
// uniform_row: a row that holds the same value in all lanes whenever the kernel runs (the step of fixed-step methods), or
//              GM_CODE_NONE; the code may not store it
// executor: as gm_executor_pick gave it.
// Errors: GM_NOMEM, GM_LIMIT; GM_IO when executable memory is refused.
GM_NODISCARD gm_status gm_kernel_create(const gm_alloc *alloc, const gm_program *program, const gm_code *code,
                                        uint32_t row_count, uint32_t uniform_row, gm_executor executor,
                                        gm_kernel **out_kernel, gm_error *err);
void                   gm_kernel_destroy(gm_kernel *kernel);

// Doubles of scratch it needs, aligned to 64 bytes; prepare writes the constants into it, once.
size_t gm_kernel_scratch(const gm_kernel *kernel);
void   gm_kernel_prepare(const gm_kernel *kernel, double *scratch);

// One row of scratch, or NULL: not 0 for every lane in which a loop was not solved since the caller last cleared it.
// The solution of such a lane is NaN.
double *gm_kernel_unsolved(const gm_kernel *kernel, double *scratch);

// Runs the code `times` times over the block; each run stores before the next loads.
void gm_kernel_run(const gm_kernel *kernel, double *rows, double *scratch, uint32_t times);

// Bytes of rows and scratch that one iteration touches; what should stay below the first-level cache.
size_t gm_kernel_working_set(const gm_kernel *kernel);

#endif
