// insight/learn/ridge.h: linear least squares with a penalty on the coefficients.
#ifndef GM_INSIGHT_LEARN_RIDGE_H
#define GM_INSIGHT_LEARN_RIDGE_H

#include "base/alloc.h"

enum { GM_RIDGE_MAX = 512 };

// Sums over rows of inputs x and target y, from which the solution follows; rows are added one at a time.
typedef struct gm_ridge gm_ridge;

gm_ridge *gm_ridge_create(const gm_alloc *alloc, size_t inputs);  // NULL without memory or with more than GM_RIDGE_MAX
void      gm_ridge_destroy(gm_ridge *ridge);

// x [inputs]; a row with a value that is not finite is left out. O(inputs^2).
void gm_ridge_add(gm_ridge *ridge, const double *x, double y, double weight);

// Minimises sum w (y - c0 - c.x)^2 + penalty * sum_w * sum c_i^2 var_i (the penalty is relative to each input's
// variance;
// an input that does not vary gets 0). out [inputs + 1]: c, then c0.
// GM_INVALID: no rows; GM_DIVERGED: not positive definite even with the penalty; GM_NOMEM.
GM_NODISCARD gm_status gm_ridge_solve(const gm_ridge *ridge, double penalty, double *out, gm_error *err);

#endif
