// insight/learn/features.h: what the last rows of one channel say, row by row.
//
//   gm_features_of(z, n, stride_in, out, stride_out);        // out[row * stride_out + GM_FEATURES per row]
//
// Works from the first row on: a window that reaches before the start is cut there. NaN rows are left out; a
// window without
// any value gives NaN.
#ifndef GM_INSIGHT_LEARN_FEATURES_H
#define GM_INSIGHT_LEARN_FEATURES_H

#include <stddef.h>

// The mean of the last 5, 15 and 30 rows; slope over 30 and 60; deviation from the straight line over 30;
// exponential mean
// (20 rows); the mean of 15 less that of the first 10; mean since the start.
#define GM_FEATURE_LIST(X) \
    X(MEAN5) X(MEAN15) X(MEAN30) X(SLOPE30) X(SLOPE60) X(ROUGH30) X(SMOOTH) X(DRIFT) X(MEAN_ALL)
typedef enum gm_feature {
#define X(name) GM_FEATURE_##name,
    GM_FEATURE_LIST(X)
#undef X
    GM_FEATURES
} gm_feature;

// z [n] with stride_in doubles from one row to the next; out [n][GM_FEATURES] with stride_out floats from row to row.
// O(n * 100); no allocation; never fails.
void gm_features_of(const double *z, size_t n, size_t stride_in, float *out, size_t stride_out);

// The same for the last of n rows only.  out [GM_FEATURES]; O(n + 100)
void gm_features_last(const double *z, size_t n, size_t stride_in, float *out);

#endif
