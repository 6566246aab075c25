// physics/exec/sparse.h: sparse linear systems of one pattern, lane by lane: KLU (Davis and Natarajan, ACM TOMS 37:3, 2010)
// with one symbolic analysis for all lanes. Inside physics.
#ifndef GM_PHYSICS_SPARSE_H
#define GM_PHYSICS_SPARSE_H

#include "base/alloc.h"

typedef struct gm_sparse gm_sparse;  // immutable: a pattern and the order in which it is factored

bool gm_sparse_available(void);  // false: built without KLU

//  rows, columns  [entries] a non-zero each, row by row, columns rising; borrowed
// Errors: GM_INVALID  singular whatever the values are
//         GM_LIMIT    built without KLU, or more entries than it can count
//         GM_NOMEM
GM_NODISCARD gm_status gm_sparse_create(const gm_alloc *alloc, uint32_t n, uint32_t entries, const uint32_t *rows,
                                        const uint32_t *columns, gm_sparse **out_sparse, gm_error *err);
void                   gm_sparse_destroy(gm_sparse *sparse);

// Factors of a lane's last matrix; the next matrix of the lane is factored with the same pivots while they are good enough.
// A lane's factors are its own, so what it computes does not depend on its neighbours.
typedef struct gm_sparse_factors { void *numeric; } gm_sparse_factors;  // zeroed at first
void gm_sparse_forget(const gm_sparse *sparse, gm_sparse_factors *factors);

//  values  [entries] in the pattern's order, `stride` doubles apart     work  [entries]
//  b       [n] in: right side; out: solution
// False: singular, values that are no numbers, or no memory.
// factor and back are its two halves, for many right sides with one matrix.
bool gm_sparse_factor(const gm_sparse *sparse, gm_sparse_factors *factors, const double *values, size_t stride, double *work);
bool gm_sparse_back(const gm_sparse *sparse, const gm_sparse_factors *factors, double *b);
bool gm_sparse_solve(const gm_sparse *sparse, gm_sparse_factors *factors, const double *values, size_t stride, double *work,
                     double *b);

#endif
