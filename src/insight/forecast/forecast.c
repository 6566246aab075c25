// Simple forecasters, held against each other.
#include "insight/forecast/forecast.h"

#include "insight/forecast/boosted.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double SHARE = 0.9; // of the truths that an interval holds

const char *gm_forecast_method_text(gm_forecast_method method)
{
    static const char *const texts[] = { "naive", "seasonal naive", "exponential smoothing", "boosted trees" };
    return texts[method];
}

void gm_forecast_finish(gm_forecast *f)
{
    if (f->alloc != NULL) gm_free(f->alloc, f->mid);
    *f = (gm_forecast) { 0 };
}

static double correlation(const double *y, size_t n, size_t lag, double mean, double slope, double all)
{
    double sum = 0;
    for (size_t i = lag; i < n; i++) {
        double a = y[i] - mean - slope * ((double)i - (double)(n - 1) / 2),
               b = y[i - lag] - mean - slope * ((double)(i - lag) - (double)(n - 1) / 2);
        sum += a * b;
    }
    return all > 0 ? sum / all * (double)n / (double)(n - lag) : 0;
}

uint32_t gm_forecast_season(const double *y, size_t n)
{
    double mean = 0, xy = 0, xx = 0, all = 0;
    for (size_t i = 0; i < n; i++) mean += y[i] / (double)n;
    for (size_t i = 0; i < n; i++) {
        double x = (double)i - (double)(n - 1) / 2;
        xy += x * (y[i] - mean);
        xx += x * x;
    }
    double slope = xx > 0 ? xy / xx : 0;
    for (size_t i = 0; i < n; i++) {
        double r = y[i] - mean - slope * ((double)i - (double)(n - 1) / 2);
        all += r * r;
    }
    size_t   most = n / 3 < 400 ? n / 3 : 400;
    double   best = 0.3, before = 1, here = correlation(y, n, 1, mean, slope, all);
    uint32_t season = 0;
    bool     fell   = false; // the slope down from lag 0 is no peak
    for (size_t lag = 2; lag < most; lag++) {
        double next = correlation(y, n, lag, mean, slope, all);
        fell        = fell || here < before;
        if (fell && here >= before && here > next && here > best + 0.02) {
            best   = here;
            season = (uint32_t)(lag - 1);
        }
        before = here;
        here   = next;
    }
    return season > 1 ? season : 0;
}

// ---- methods
// --------------------------------------------------------------------------------------------------------------

typedef struct method {
    gm_forecast_method kind;
    double             level, trend, seasonal;
    uint32_t           season;
} method;
typedef struct smooth {
    double level, slope, *seasonal;
} smooth; // seasonal [season]

static const double DAMP = 0.97;

static void smooth_begin(const method *m, const double *y, smooth *s)
{
    uint32_t p = m->season > 0 ? m->season : 1;
    s->level = s->slope = 0;
    for (uint32_t i = 0; i < p; i++) s->level += y[i] / p;
    for (uint32_t i = 0; i < m->season; i++) s->seasonal[i] = y[i] - s->level;
}

static void smooth_step(const method *m, smooth *s, size_t t, double y)
{
    double *season = m->season > 0 ? &s->seasonal[t % m->season] : NULL, old = season != NULL ? *season : 0;
    double  ahead = s->level + DAMP * s->slope, level = ahead + m->level * (y - old - ahead);
    s->slope = DAMP * s->slope + m->trend * (level - s->level - DAMP * s->slope);
    s->level = level;
    if (season != NULL) *season = old + m->seasonal * (y - level - old);
}

// The forecast of y[t + 1 + h], made after y[t].
static double ahead(const method *m, const smooth *s, const double *y, size_t t, uint32_t h, double damped)
{
    if (m->kind == GM_FORECAST_NAIVE) return y[t];
    if (m->kind == GM_FORECAST_SEASONAL_NAIVE) return y[t + 1 + h - m->season * (h / m->season + 1)];
    return s->level + damped * s->slope + (m->season > 0 ? s->seasonal[(t + 1 + h) % m->season] : 0);
}

// Runs the method over the series. From `from` on its forecasts at every `every`-th origin are compared with what came:
// errors [horizon][origins] when not NULL; *out_mae. last [horizon]: what it says after the end, when not NULL.
static void run(const method *m, const double *y, size_t n, uint32_t horizon, size_t from, size_t every,
                double *seasonal, double *errors, size_t origins, double *out_mae, double *last)
{
    smooth s   = { .seasonal = seasonal };
    double sum = 0, count = 0;
    size_t origin = 0;
    smooth_begin(m, y, &s);
    for (size_t t = 0; t < n; t++) {
        bool compare = t >= from && t + horizon < n && (t - from) % every == 0, end = t + 1 == n && last != NULL;
        if (m->kind == GM_FORECAST_SMOOTHING) smooth_step(m, &s, t, y[t]);
        double damped = 0, power = 1;
        for (uint32_t h = 0; (compare || end) && h < horizon; h++) {
            power *= DAMP;
            damped += power;
            double value = ahead(m, &s, y, t, h, damped);
            if (end) last[h] = value;
            if (!compare) continue;
            sum += fabs(y[t + 1 + h] - value);
            count++;
            if (errors != NULL) errors[h * origins + origin] = y[t + 1 + h] - value;
        }
        origin += compare;
    }
    if (out_mae != NULL) *out_mae = count > 0 ? sum / count : NAN;
}

// ---- choosing
// ---------------------------------------------------------------------------------------------------------------

typedef struct trial {
    const double *y;
    size_t        n, from, every, origins;
    uint32_t      horizon;
    double       *seasonal;
} trial;

static double mae_of(const trial *t, const method *m)
{
    double mae;
    run(m, t->y, t->n, t->horizon, t->from, t->every, t->seasonal, NULL, 0, &mae, NULL);
    return mae;
}

static method best_smoothing(const trial *t, uint32_t season, double *out_mae)
{
    static const double levels[] = { 0.05, 0.1, 0.2, 0.4, 0.8 }, trends[] = { 0, 0.05, 0.2 },
                        seasonals[] = { 0.05, 0.2, 0.5 };
    method best                     = { 0 };
    *out_mae                        = INFINITY;
    for (size_t l = 0; l < 5; l++)
        for (size_t b = 0; b < 3; b++)
            for (size_t g = 0; g < (season > 0 ? 3 : 1); g++) {
                method m   = { GM_FORECAST_SMOOTHING, levels[l], trends[b], seasonals[g], season };
                double mae = mae_of(t, &m);
                if (mae < *out_mae) {
                    *out_mae = mae;
                    best     = m;
                }
            }
    return best;
}

// The naive ones are offered unless another is better by more than chance plays: a fiftieth.
static method choose(const trial *t, uint32_t season, double errors[GM_FORECAST_METHODS])
{
    method naive = { .kind = GM_FORECAST_NAIVE }, seasonal = { .kind = GM_FORECAST_SEASONAL_NAIVE, .season = season },
           smoothing, best                                 = naive;
    errors[GM_FORECAST_NAIVE]          = mae_of(t, &naive);
    errors[GM_FORECAST_SEASONAL_NAIVE] = season > 0 ? mae_of(t, &seasonal) : NAN;
    smoothing                          = best_smoothing(t, season, &errors[GM_FORECAST_SMOOTHING]);
    errors[GM_FORECAST_BOOSTED]        = NAN;  // offer_trees
    double least                       = errors[GM_FORECAST_NAIVE];
    if (season > 0 && errors[GM_FORECAST_SEASONAL_NAIVE] < least) {
        least = errors[GM_FORECAST_SEASONAL_NAIVE];
        best  = seasonal;
    }
    return errors[GM_FORECAST_SMOOTHING] < 0.98 * least ? smoothing : best;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t n, double q)
{
    double rank = q * (double)(n + 1) - 1;
    if (rank <= 0) return sorted[0];
    if (rank >= (double)(n - 1)) return sorted[n - 1];
    size_t low = (size_t)rank;
    return sorted[low] + (rank - (double)low) * (sorted[low + 1] - sorted[low]);
}

// Intervals from all errors; what their earlier half would have held of the later half is told.
static void spread(const trial *t, double *errors, gm_forecast *f)
{
    size_t half = t->origins / 2, inside = 0, asked = 0;
    for (uint32_t h = 0; h < t->horizon; h++) {
        double *e = errors + h * t->origins;
        if (half >= 10) {
            qsort(e, half, sizeof *e, by_value);
            double low = quantile(e, half, (1 - SHARE) / 2), high = quantile(e, half, (1 + SHARE) / 2);
            for (size_t i = half; i < t->origins; i++) inside += e[i] >= low && e[i] <= high;
            asked += t->origins - half;
        }
        qsort(e, t->origins, sizeof *e, by_value);
        f->low[h]  = f->mid[h] + quantile(e, t->origins, (1 - SHARE) / 2);
        f->high[h] = f->mid[h] + quantile(e, t->origins, (1 + SHARE) / 2);
    }
    f->coverage = asked > 0 ? (double)inside / (double)asked : NAN;
}

// Takes the trees where they beat what was chosen by more than a fiftieth: errors [horizon][origins] are theirs then.
static gm_status offer_trees(const gm_alloc *alloc, const gm_boosted_trial *b, double *errors, gm_forecast *f, gm_error *err)
{
    if (!gm_boosted_possible(b)) return GM_OK;
    size_t    bytes = (size_t)b->horizon * b->origins * sizeof *errors;
    double   *own   = gm_alloc_bytes(alloc, bytes), mae;
    gm_status st    = own != NULL ? gm_boosted_compare(alloc, b, own, &mae, err) : gm_fail(err, GM_NOMEM, "insight.forecast", "comparing");
    if (st == GM_OK) f->errors[GM_FORECAST_BOOSTED] = mae;
    if (st == GM_OK && mae < 0.98 * f->errors[f->method]) {
        st        = gm_boosted_ahead(alloc, b, f->mid, err);
        f->method = GM_FORECAST_BOOSTED;
        memcpy(errors, own, bytes);
    }
    gm_free(alloc, own);
    return st;
}

gm_status gm_forecast_make(const gm_alloc *alloc, const gm_forecast_series *series, uint32_t horizon, gm_forecast *out,
                           gm_error *err)
{
    const double *values = series->y;
    size_t        n      = series->n;
    uint32_t      season = series->season;
    *out = (gm_forecast) { .alloc = alloc, .horizon = horizon };
    if (n < GM_FORECAST_LEAST)
        return gm_fail(err, GM_INVALID, "insight.forecast", "%zu values; %d are the least", n, GM_FORECAST_LEAST);
    if (n > GM_FORECAST_MOST)
        return gm_fail(err, GM_LIMIT, "insight.forecast", "%zu values; %d at most", n, GM_FORECAST_MOST);
    if (horizon < 1 || horizon > n / 3 || horizon > GM_FORECAST_HORIZON_MAX)
        return gm_fail(err, GM_INVALID, "insight.forecast",
                       "a horizon of %u steps; from %zu values 1 to %zu are possible", horizon, n,
                       n / 3 < GM_FORECAST_HORIZON_MAX ? n / 3 : (size_t)GM_FORECAST_HORIZON_MAX);
    size_t from = n - n / 3 - 1, span = n - 1 - from - horizon + 1, every = span / 200 + 1,
           origins = (span + every - 1) / every;
    if (span == 0) origins = 1;
    double *memory  = gm_alloc_array(alloc, 3 * (size_t)horizon, sizeof *memory);
    double *scratch = gm_alloc_array(alloc, 2 * n + (size_t)horizon * origins, sizeof *scratch);
    if (memory == NULL || scratch == NULL) {
        gm_free(alloc, memory);
        gm_free(alloc, scratch);
        return gm_fail(err, GM_NOMEM, "insight.forecast", "%zu values", n);
    }
    double *y = scratch, held = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(values[i])) {
            held = values[i];
            break;
        }
    for (size_t i = 0; i < n; i++) y[i] = held = isfinite(values[i]) ? values[i] : held;
    if (season == 0) season = gm_forecast_season(y, n);
    if (season >= from) season = 0; // not one whole season before the first forecast
    trial t = {
        .y = y, .n = n, .from = from, .every = every, .origins = origins, .horizon = horizon, .seasonal = scratch + n
    };
    method m    = choose(&t, season, out->errors);
    out->method = m.kind;
    out->season = season;
    out->mid    = memory;
    out->low    = memory + horizon;
    out->high   = memory + 2 * (size_t)horizon;
    run(&m, y, n, horizon, from, every, t.seasonal, scratch + 2 * n, origins, NULL, out->mid);
    gm_forecast_series whole = *series;
    whole.y                  = y;
    gm_boosted_trial b       = { &whole, season, horizon, from, every, origins };
    gm_status        st      = series->simple ? GM_OK : offer_trees(alloc, &b, scratch + 2 * n, out, err);
    if (st == GM_OK) spread(&t, scratch + 2 * n, out);
    else gm_forecast_finish(out);
    gm_free(alloc, scratch);
    return st;
}
