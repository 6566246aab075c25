// futures/select.h: order statistics.
#ifndef GM_FUTURES_SELECT_H
#define GM_FUTURES_SELECT_H

#include <stddef.h>
#include <stdint.h>

// Moves the numbers that are not NaN to the front, keeping their order; returns how many there are.
size_t gm_drop_nan(double *x, size_t n);

// Quantiles of x: linear between the order statistics at (n - 1) q (Hyndman and Fan 1996, type 7). NaN for n = 0.
// Reorders x. Cost: O(n) on average for each quantile, less when they come in rising order.
//   q  [count] each in 0..1      out  [count]; out[i * stride]
void gm_quantiles(double *x, size_t n, const double *q, uint32_t count, double *out, size_t stride);

#endif
