// insight/forecast/boosted.h: boosted trees on lags and calendar as a forecaster, for forecast.c to hold against the
// simple ones. One ensemble for all steps ahead: the step is a feature, the target is the difference to the last value.
#ifndef GM_INSIGHT_FORECAST_BOOSTED_H
#define GM_INSIGHT_FORECAST_BOOSTED_H

#include "insight/forecast/forecast.h"

typedef struct gm_boosted_trial {
    const gm_forecast_series *series;  // y has no gaps here
    uint32_t season, horizon;          // season 0: none
    size_t   from, every, origins;     // forecasts made at from, from + every, ... are compared with what came
} gm_boosted_trial;

bool gm_boosted_possible(const gm_boosted_trial *trial);  // built with XGBoost, and enough values before `from`

// Trains on what was known at `from` and compares: errors [horizon][origins], *out_mae.
GM_NODISCARD gm_status gm_boosted_compare(const gm_alloc *alloc, const gm_boosted_trial *trial, double *errors, double *out_mae,
                                          gm_error *err);

// Trains on everything: out [horizon], what comes after the end.
GM_NODISCARD gm_status gm_boosted_ahead(const gm_alloc *alloc, const gm_boosted_trial *trial, double *out, gm_error *err);

#endif
