// insight/anomaly/eigen.h: eigenvalues and vectors of a small symmetric matrix (Jacobi's rotations).
#ifndef GM_INSIGHT_ANOMALY_EIGEN_H
#define GM_INSIGHT_ANOMALY_EIGEN_H

#include "base/status.h"

// a [n][n] symmetric; destroyed.  values [n] descending; vectors [n][n], vector k in row k. GM_DIVERGED: not finite.
GM_NODISCARD gm_status gm_eigen_symmetric(double *a, size_t n, double *values, double *vectors, gm_error *err);

#endif
