// insight/anomaly/healthy.h: do the sensors of one asset still go together as they did while it was healthy? Principal
// components of windowed means, with Hotelling's T2 inside the usual plane and Q off it, and who contributes.
//
//   gm_healthy_fit(alloc, rows, n, sensors, &options, &healthy, &err);          // a stretch that is known to be good
//   gm_healthy_score score = gm_healthy_step(healthy, row, contributions);      // each row as it comes
//   if (score.total >= 1) ... contributions[s] says how much of it is sensor s ...
//
// T2 and Q: J. E. Jackson, G. S. Mudholkar, "Control procedures for residuals associated with principal component
// analysis",
// Technometrics 21(3), 1979; contributions: T. Kourti, J. F. MacGregor, 1996. A sensor that drifts by itself (a
// temperature
// that warms up) is looked at by its change over the window. Formulas: docs/theory/anomaly.md.
#ifndef GM_INSIGHT_ANOMALY_HEALTHY_H
#define GM_INSIGHT_ANOMALY_HEALTHY_H

#include "base/alloc.h"

typedef struct gm_healthy gm_healthy;

typedef struct gm_healthy_options {
    uint32_t window;   // rows that are averaged
    double   variance; // the share of variance that the kept components explain
    double   limit;    // how far beyond the healthy stretch's own extremes the limits lie
    double   drift;    // a sensor drifts when its windowed means hold this share of its variance
} gm_healthy_options;

gm_healthy_options gm_healthy_options_defaults(void);

enum { GM_HEALTHY_SENSORS_MAX = 64, GM_HEALTHY_WINDOW_MAX = 1024 };

// total: the larger of T2 and Q over their limits; 1 is the limit. 0 until the window is full.
typedef struct gm_healthy_score { double total, t2, q; } gm_healthy_score;

// rows [n][sensors]; NaN: no value (counts as usual). A sensor without values, or that never moves, takes part
// with the least
// spread that its size allows (a millionth), so that it is noticed when it moves after all.
// GM_INVALID: fewer than 4 windows of rows, no sensor with values; GM_LIMIT: too many sensors; GM_NOMEM, GM_DIVERGED.
GM_NODISCARD gm_status gm_healthy_fit(const gm_alloc *alloc, const double *rows, size_t n, uint32_t sensors,
                                      const gm_healthy_options *options, gm_healthy **out, gm_error *err);
void                   gm_healthy_destroy(gm_healthy *healthy);

// contributions [sensors], 0 .. 1, together 1 when total > 0; may be NULL. Starts with an empty window after fit.
gm_healthy_score gm_healthy_step(gm_healthy *healthy, const double *row, double *contributions);
void             gm_healthy_restart(gm_healthy *healthy);  // the next row does not follow the last one

#endif
