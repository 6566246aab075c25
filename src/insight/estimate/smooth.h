// insight/estimate/smooth.h: where it was, by what was measured before and afterwards.
//
//   gm_smooth_options o = { .parts = n, .every = 60 * GM_SECOND, .lag = GM_SMOOTH_ALL, .visit = take, .context = me };
//   gm_smoother_create(alloc, &o, &smoother, &err);
//   gm_estimator_smooth(estimator, smoother);            // from now on it is told of every step and update
//   ... feed, advance ...
//   gm_smoother_end(smoother, &err);                     // visits what is left
//   gm_smoother_destroy(smoother);                       // after the estimator
//
// Fixed interval (lag GM_SMOOTH_ALL): every moment is judged by all that comes after it, when the end is told. Fixed lag: by
// what comes within the lag, as soon as that has come; memory is bounded by two lags.
//
// Behind an unscented filter this is the smoother of Rauch, Tung and Striebel with the covariances of the sigma points
// (Särkkä, IEEE Trans. Automatic Control 53 (2008) 845); for a linear system it is theirs exactly. Behind an ensemble filter
// the transformations of later updates are applied to the members as they were (Evensen and van Leeuwen, Mon. Wea. Rev. 128
// (2000) 1852). Where a filter had to begin anew, what was before it learns nothing from what came after.
#ifndef GM_INSIGHT_ESTIMATE_SMOOTH_H
#define GM_INSIGHT_ESTIMATE_SMOOTH_H

#include "base/time.h"
#include "insight/estimate/ensemble.h"

#define GM_SMOOTH_ALL INT64_MAX

typedef struct gm_smoother gm_smoother;  // one thread

typedef struct gm_smooth_options {
    uint32_t  parts;      // n
    gm_dur_ns every;      // moments that are visited: the first at or after each multiple of it from the first moment on
    gm_dur_ns lag;        // GM_SMOOTH_ALL, or how long is waited for more
    size_t    memory_max; // bytes for what is kept; 0: 1 GiB
    // In rising order of time. mean [n], covariance [n][n], inside; viewed.
    void (*visit)(void *context, gm_time_ns at, const double *mean, const double *covariance);
    void *context;
} gm_smooth_options;

GM_NODISCARD gm_status gm_smoother_create(const gm_alloc *alloc, const gm_smooth_options *options, gm_smoother **out, gm_error *err);
void                   gm_smoother_destroy(gm_smoother *s);  // NULL is allowed

// GM_LIMIT: more than memory_max would have to be kept: a shorter stretch, a lag, or fewer moments. GM_NOMEM. What was refused
// earlier is told here.
GM_NODISCARD gm_status gm_smoother_end(gm_smoother *s, gm_error *err);

// ---- told by a filter -----------------------------------------------------------------------------------------------

// One step of an unscented filter from `from` to `to`: mean, factor [n][n] (column-major, lower) before it, points before and
// after [n][P] with weights center and around, and the prediction. O(n^3 + P n^2)
typedef struct gm_smooth_step {
    gm_time_ns    from, to;
    const double *mean, *factor, *before, *after, *predicted_mean, *predicted_factor;
    uint32_t      points;
    double        center, around;
} gm_smooth_step;
void gm_smoother_step(gm_smoother *s, const gm_smooth_step *step);
void gm_smoother_now(gm_smoother *s, gm_time_ns at, const double *mean, const double *factor);  // after an update

// Members [n][N] at a moment, and a later update of them: E = E X.
void gm_smoother_members(gm_smoother *s, gm_time_ns at, const double *members, uint32_t count);
void gm_smoother_update(gm_smoother *s, gm_ensemble *solver, const double *X, uint32_t count);

// The filter begins anew after `at`, where it was at mean and factor (an ensemble: factor NULL).
void gm_smoother_break(gm_smoother *s, gm_time_ns at, const double *mean, const double *factor);

#endif
