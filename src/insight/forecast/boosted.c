// Rows are (origin, step ahead) pairs; a handful of steps of each origin are enough, since the step is a feature.
#include "insight/forecast/boosted.h"

#include "insight/learn/boost.h"

#include <math.h>

static const uint32_t LAGS[] = { 1, 2, 3, 5, 8, 13, 21 };
enum {
    LAG_COUNT = sizeof LAGS / sizeof LAGS[0], OLDEST = 21,
    STEP = 0, FIRST_LAG = 1, SHORT_MEAN = FIRST_LAG + LAG_COUNT, LONG_MEAN, SEASON_AGO, SEASONS_AGO, PHASE, HOUR, WEEKDAY, FEATURES,
    ROWS_MAX = 16000, STEPS_OF_AN_ORIGIN = 8, LEAST_ORIGINS = 60
};

static double mean_before(const double *y, size_t t, size_t count)
{
    size_t n   = count < t + 1 ? count : t + 1;
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += y[t - i];
    return sum / (double)n;
}

// What is known at t of the value h + 1 steps later.
static void describe(const gm_boosted_trial *b, size_t t, uint32_t h, float *x)
{
    const double *y = b->series->y;
    x[STEP] = (float)(h + 1);
    for (size_t k = 0; k < LAG_COUNT; k++) x[FIRST_LAG + k] = t >= LAGS[k] ? (float)(y[t - LAGS[k]] - y[t]) : NAN;
    x[SHORT_MEAN] = (float)(mean_before(y, t, 12) - y[t]);
    x[LONG_MEAN]  = (float)(mean_before(y, t, b->season > 0 ? b->season : 48) - y[t]);
    x[SEASON_AGO] = x[SEASONS_AGO] = x[PHASE] = x[HOUR] = x[WEEKDAY] = NAN;
    if (b->season > 0) {
        size_t target = t + 1 + h, back = (size_t)b->season * (h / b->season + 1);
        x[PHASE]      = (float)(target % b->season);
        if (target >= back) x[SEASON_AGO] = (float)(y[target - back] - y[t]);
        if (target >= back + b->season) x[SEASONS_AGO] = (float)(y[target - back - b->season] - y[t]);
    }
    if (b->series->step_s > 0) {
        // 1970-01-01 was a Thursday; days count from Monday.
        double days = (b->series->first_s + (double)(t + 1 + h) * b->series->step_s) / 86400 + 3;
        x[HOUR]     = (float)((days - floor(days)) * 24);
        x[WEEKDAY]  = (float)fmod(floor(days), 7);
    }
}

static size_t first_origin(const gm_boosted_trial *b) { return b->season > OLDEST ? b->season : OLDEST; }

bool gm_boosted_possible(const gm_boosted_trial *b)
{
    return gm_boost_available() && b->from > first_origin(b) + b->horizon + LEAST_ORIGINS;
}

// Trains on pairs whose truth lies at or before `until`.
static gm_status train(const gm_alloc *alloc, const gm_boosted_trial *b, size_t until, gm_trees **out, gm_error *err)
{
    const double *y       = b->series->y;
    size_t        first   = first_origin(b), origins = until - b->horizon - first + 1;
    size_t        steps   = b->horizon < STEPS_OF_AN_ORIGIN ? b->horizon : STEPS_OF_AN_ORIGIN;
    size_t        stride  = origins * steps / ROWS_MAX + 1, rows = 0;
    float        *x       = gm_alloc_array(alloc, (origins / stride + 1) * steps, FEATURES * sizeof *x);
    float        *target  = gm_alloc_array(alloc, (origins / stride + 1) * steps, sizeof *target);
    gm_boost_options o    = gm_boost_options_defaults();
    gm_status        st   = x != NULL && target != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "insight.forecast", "training on %zu values", until);
    for (size_t t = first; st == GM_OK && t + b->horizon <= until; t += stride) {
        for (size_t k = 0; k < steps; k++) {
            // Spread over the horizon, and shifted from origin to origin, so that every step ahead is seen.
            uint32_t h = (uint32_t)((k * b->horizon / steps + t) % b->horizon);
            describe(b, t, h, x + rows * FEATURES);
            target[rows++] = (float)(y[t + 1 + h <= until ? t + 1 + h : until] - y[t]);
        }
    }
    o.rounds = 120;
    o.depth  = 5;
    o.rate   = 0.1;
    if (st == GM_OK) st = gm_boost_train(alloc, &(gm_boost_data){ x, rows, FEATURES, target, NULL }, &o, out, err);
    gm_free(alloc, x);
    gm_free(alloc, target);
    return st;
}

static double say(const gm_boosted_trial *b, const gm_trees *trees, size_t t, uint32_t h)
{
    float x[FEATURES];
    describe(b, t, h, x);
    return b->series->y[t] + (double)gm_trees_predict(trees, x);
}

gm_status gm_boosted_compare(const gm_alloc *alloc, const gm_boosted_trial *b, double *errors, double *out_mae, gm_error *err)
{
    gm_trees *trees = NULL;
    gm_status st    = train(alloc, b, b->from, &trees, err);
    double    sum = 0, count = 0;
    for (size_t i = 0; st == GM_OK && i < b->origins; i++) {
        size_t t = b->from + i * b->every;
        for (uint32_t h = 0; h < b->horizon && t + 1 + h < b->series->n; h++) {
            double e = b->series->y[t + 1 + h] - say(b, trees, t, h);
            errors[h * b->origins + i] = e;
            sum += fabs(e);
            count++;
        }
    }
    gm_trees_destroy(trees);
    *out_mae = count > 0 ? sum / count : NAN;
    return st;
}

gm_status gm_boosted_ahead(const gm_alloc *alloc, const gm_boosted_trial *b, double *out, gm_error *err)
{
    gm_trees *trees = NULL;
    gm_status st    = train(alloc, b, b->series->n - 1, &trees, err);
    for (uint32_t h = 0; st == GM_OK && h < b->horizon; h++) out[h] = say(b, trees, b->series->n - 1, h);
    gm_trees_destroy(trees);
    return st;
}
