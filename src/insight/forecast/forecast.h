// insight/forecast/forecast.h: where a signal without physics goes: naive, seasonal naive, exponential smoothing,
// boosted trees on lags and calendar; the one that was best on the series' own last third is offered, and the naive ones
// win ties.
//
//   gm_forecast_series s = { .y = y, .n = n, .first_s = t0, .step_s = 3600 };
//   gm_forecast f;
//   gm_forecast_make(alloc, &s, 24, &f, &err);
//   f.mid[h], f.low[h], f.high[h]                            // h steps after the last value, from 0
//   gm_forecast_finish(&f);
//
// Additive Holt-Winters with damped trend: R. Hyndman, A. Koehler, J. Ord, R. Snyder, "Forecasting with
// Exponential Smoothing", 2008,
// section 2.5. Intervals hold 90 % of the errors that the method made as far ahead (split-conformal).
#ifndef GM_INSIGHT_FORECAST_FORECAST_H
#define GM_INSIGHT_FORECAST_FORECAST_H

#include "base/alloc.h"

typedef enum gm_forecast_method { GM_FORECAST_NAIVE, GM_FORECAST_SEASONAL_NAIVE, GM_FORECAST_SMOOTHING, GM_FORECAST_BOOSTED, GM_FORECAST_METHODS } gm_forecast_method;
// "naive", "seasonal naive", "exponential smoothing", "boosted trees"
const char *gm_forecast_method_text(gm_forecast_method method);

enum { GM_FORECAST_LEAST = 24, GM_FORECAST_MOST = 4000, GM_FORECAST_HORIZON_MAX = 500 };

// What was: n values, evenly spaced. A value that is not finite is bridged by the one before.
typedef struct gm_forecast_series {
    const double *y;               // [n]
    size_t        n;
    double        first_s, step_s;  // s since 1970 of the first value, and between two; step_s 0: the calendar is not used
    uint32_t      season;          // steps after which it repeats; 0: found in the series
    bool          simple;          // without boosted trees: some milliseconds instead of some tenths of a second
} gm_forecast_series;

typedef struct gm_forecast {
    const gm_alloc    *alloc;
    gm_forecast_method method;
    uint32_t           season, horizon;            // season: steps; 0: none
    double             errors[GM_FORECAST_METHODS];  // mean absolute error of each on the last third; NaN: not possible
    double             coverage;                   // share of the later half of the held-back errors inside what the earlier half gave
    double            *mid, *low, *high;           // [horizon]
} gm_forecast;

// GM_INVALID: fewer than GM_FORECAST_LEAST values, or horizon not in 1 .. a third of them; GM_LIMIT: too many;
// GM_NOMEM. Cost: some 5 ms for 2000 values, and up to half a second for the trees.
GM_NODISCARD gm_status gm_forecast_make(const gm_alloc *alloc, const gm_forecast_series *series, uint32_t horizon,
                                        gm_forecast *out, gm_error *err);
void gm_forecast_finish(gm_forecast *forecast);

// The steps after which the series repeats: the highest peak of its autocorrelation, when above 0.3; else 0.
uint32_t gm_forecast_season(const double *y, size_t n);

#endif
