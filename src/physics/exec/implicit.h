// physics/exec/implicit.h: the phases of an implicit step with loops or many states, and the linear systems between them.
// Inside physics/exec; see step_implicit.c for the method.
#ifndef GM_PHYSICS_IMPLICIT_H
#define GM_PHYSICS_IMPLICIT_H

#include "physics/exec/kernel.h"
#include "physics/exec/step.h"

typedef struct gm_implicit gm_implicit;  // immutable

// NULL in *out when the program's step needs no phases. Otherwise layout grows by the rows that the phases use, so this
// comes before all other kernels.
// Errors: GM_INVALID  the equations can not be differentiated
//         GM_LIMIT    too many states and unknowns of loops
//         GM_NOMEM, and those of gm_kernel_create
GM_NODISCARD gm_status gm_implicit_create(const gm_alloc *alloc, const gm_program *program, gm_layout *layout, double tolerance,
                                          gm_executor executor, gm_implicit **out, gm_error *err);
void                   gm_implicit_destroy(gm_implicit *implicit);

// The linear systems of a step: n unknowns, entries row by row, viewed. Each step factors one and solves it six times.
void gm_implicit_pattern(const gm_implicit *implicit, uint32_t *out_n, uint32_t *out_entries, const uint32_t **out_rows,
                         const uint32_t **out_columns);

// What ends the step: error, acceptance, events.
gm_status gm_implicit_end_code(const gm_implicit *implicit, gm_code *code);

size_t gm_implicit_scratch(const gm_implicit *implicit);  // doubles, aligned to 64 bytes
void   gm_implicit_prepare(const gm_implicit *implicit, double *scratch);

// One try of a step, but for its end, in all lanes of the block that have a way to go. Where the matrix is singular the
// solution is NaN, and the end of the step refuses it.
void gm_implicit_run(const gm_implicit *implicit, double *rows, double *scratch);

#endif
