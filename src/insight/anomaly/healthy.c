// The usual plane of windowed means, and the distance in it and from it.
#include "insight/anomaly/healthy.h"

#include "insight/anomaly/eigen.h"

#include <math.h>
#include <string.h>

struct gm_healthy {
    const gm_alloc    *alloc;
    gm_healthy_options options;
    uint32_t           sensors, kept;
    double            *centre, *scale;   // [sensors] of what is looked at: the windowed mean, or its change
    double            *usual;            // [sensors] stands in for missing values
    bool              *drifts;           // [sensors]
    double            *vectors, *values; // [sensors][sensors], [sensors]
    double             t2_limit, q_limit;
    double            *ring; // [2 * window][sensors]
    uint64_t           seen;
    double            *x; // [sensors] scratch of a step
};

gm_healthy_options gm_healthy_options_defaults(void)
{
    return (gm_healthy_options) { .window = 10, .variance = 0.95, .limit = 1.7, .drift = 0.4 };
}

void gm_healthy_destroy(gm_healthy *h)
{
    if (h == NULL) return;
    gm_free(h->alloc, h->centre);
    gm_free(h->alloc, h->drifts);
    gm_free(h->alloc, h);
}

void gm_healthy_restart(gm_healthy *h)
{
    h->seen = 0;
}

// The memory of all arrays of doubles is one block.
static gm_healthy *create(const gm_alloc *alloc, uint32_t sensors, const gm_healthy_options *options)
{
    gm_healthy *h = gm_alloc_zeroed(alloc, sizeof *h);
    if (h == NULL) return NULL;
    size_t n = sensors, ring = 2 * (size_t)options->window * n;
    h->alloc   = alloc;
    h->options = *options;
    h->sensors = sensors;
    h->centre  = gm_alloc_zeroed(alloc, (5 * n + n * n + ring) * sizeof(double));
    h->drifts  = gm_alloc_zeroed(alloc, n * sizeof *h->drifts);
    if (h->centre == NULL || h->drifts == NULL) {
        gm_healthy_destroy(h);
        return NULL;
    }
    h->scale   = h->centre + n;
    h->usual   = h->scale + n;
    h->values  = h->usual + n;
    h->x       = h->values + n;
    h->vectors = h->x + n;
    h->ring    = h->vectors + n * n;
    return h;
}

// Takes a row into the ring; x becomes what is looked at, not yet scaled. False while the windows are not full.
static bool look(gm_healthy *h, const double *row)
{
    uint32_t w = h->options.window, ring = 2 * w;
    double  *into = h->ring + (h->seen % ring) * h->sensors;
    for (uint32_t s = 0; s < h->sensors; s++) into[s] = isfinite(row[s]) ? row[s] : h->usual[s];
    h->seen++;
    if (h->seen < ring) return false;
    for (uint32_t s = 0; s < h->sensors; s++) {
        double now = 0, before = 0;
        for (uint32_t i = 0; i < w; i++) {
            now += h->ring[((h->seen - 1 - i) % ring) * h->sensors + s];
            before += h->ring[((h->seen - 1 - w - i) % ring) * h->sensors + s];
        }
        h->x[s] = (h->drifts[s] ? now - before : now) / w;
    }
    return true;
}

static void measure(gm_healthy *h, double *out_t2, double *out_q)
{
    uint32_t n   = h->sensors;
    double   all = 0, inside = 0, t2 = 0;
    for (uint32_t s = 0; s < n; s++) {
        h->x[s] = (h->x[s] - h->centre[s]) * h->scale[s];
        all += h->x[s] * h->x[s];
    }
    for (uint32_t k = 0; k < h->kept; k++) {
        double t = 0;
        for (uint32_t s = 0; s < n; s++) t += h->vectors[k * n + s] * h->x[s];
        t2 += t * t / h->values[k];
        inside += t * t;
    }
    *out_t2 = t2;
    *out_q  = fmax(0, all - inside);
}

// What each sensor has to do with the statistic that is higher: its share of x V diag(1/l) V' x, or of the residual.
static void contribute(const gm_healthy *h, bool plane, double *out)
{
    uint32_t n   = h->sensors;
    double   sum = 0;
    for (uint32_t s = 0; s < n; s++) out[s] = plane ? 0 : h->x[s];
    for (uint32_t k = 0; k < h->kept; k++) {
        double t = 0;
        for (uint32_t s = 0; s < n; s++) t += h->vectors[k * n + s] * h->x[s];
        for (uint32_t s = 0; s < n; s++) {
            double part = t * h->vectors[k * n + s];
            if (plane)
                out[s] += part * h->x[s] / h->values[k];
            else
                out[s] -= part;
        }
    }
    for (uint32_t s = 0; s < n; s++) {
        out[s] = plane ? fmax(0, out[s]) : out[s] * out[s];
        sum += out[s];
    }
    for (uint32_t s = 0; s < n; s++) out[s] = sum > 0 ? out[s] / sum : 0;
}

gm_healthy_score gm_healthy_step(gm_healthy *h, const double *row, double *contributions)
{
    gm_healthy_score score = { 0 };
    if (contributions != NULL) memset(contributions, 0, h->sensors * sizeof *contributions);
    if (!look(h, row)) return score;
    measure(h, &score.t2, &score.q);
    double t2 = score.t2 / h->t2_limit, q = score.q / h->q_limit;
    score.total = fmax(t2, q);
    if (contributions != NULL && score.total > 0) contribute(h, t2 >= q, contributions);
    return score;
}

// ---- fitting
// ----------------------------------------------------------------------------------------------------------

typedef struct spread {
    double n, mean, m2, size;
} spread;

static void spread_add(spread *s, double v)
{
    s->n++;
    double d = v - s->mean;
    s->mean += d / s->n;
    s->m2 += d * (v - s->mean);
    s->size = fmax(s->size, fabs(v));
}

static double variance(const spread *s)
{
    return s->n > 1 ? s->m2 / s->n : 0;
}

// Usual values, and which sensors drift: white noise leaves 1 / window of its variance in windowed means, a drift all
// of it.
static bool fit_sensors(gm_healthy *h, const double *rows, size_t n)
{
    bool any = false;
    for (uint32_t s = 0; s < h->sensors; s++) {
        spread all = { 0 }, means = { 0 };
        double sum = 0, count = 0;
        for (size_t i = 0; i < n; i++) {
            double v = rows[i * h->sensors + s];
            if (isfinite(v)) {
                spread_add(&all, v);
                sum += v;
                count++;
            }
            if ((i + 1) % h->options.window != 0) continue;
            if (count > 0) spread_add(&means, sum / count);
            sum = count = 0;
        }
        h->usual[s]  = all.mean;
        h->drifts[s] = variance(&all) > 0 && variance(&means) > h->options.drift * variance(&all);
        any          = any || all.n > 0;
    }
    return any;
}

static void fit_scales(gm_healthy *h, const double *rows, size_t n, spread *looked)
{
    memset(looked, 0, h->sensors * sizeof *looked);
    gm_healthy_restart(h);
    for (size_t i = 0; i < n; i++) {
        if (!look(h, rows + i * h->sensors)) continue;
        for (uint32_t s = 0; s < h->sensors; s++) spread_add(&looked[s], h->x[s]);
    }
    for (uint32_t s = 0; s < h->sensors; s++) {
        double least = 1e-6 * fmax(fabs(h->usual[s]), 1e-9);
        h->centre[s] = looked[s].mean;
        h->scale[s]  = 1 / fmax(sqrt(variance(&looked[s])), least);
    }
}

static gm_status fit_plane(gm_healthy *h, const double *rows, size_t n, double *matrix, gm_error *err)
{
    uint32_t d     = h->sensors;
    size_t   count = 0;
    memset(matrix, 0, (size_t)d * d * sizeof *matrix);
    gm_healthy_restart(h);
    for (size_t i = 0; i < n; i++) {
        if (!look(h, rows + i * d)) continue;
        for (uint32_t s = 0; s < d; s++) h->x[s] = (h->x[s] - h->centre[s]) * h->scale[s];
        for (uint32_t s = 0; s < d; s++)
            for (uint32_t k = 0; k < d; k++) matrix[s * d + k] += h->x[s] * h->x[k];
        count++;
    }
    for (size_t i = 0; i < (size_t)d * d; i++) matrix[i] /= (double)count;
    gm_status st = gm_eigen_symmetric(matrix, d, h->values, h->vectors, err);
    if (st != GM_OK) return st;
    double total = 0, sum = 0;
    for (uint32_t k = 0; k < d; k++) total += fmax(0, h->values[k]);
    for (h->kept = 0; h->kept < d && sum < h->options.variance * total; h->kept++) sum += h->values[h->kept];
    return GM_OK;
}

static void fit_limits(gm_healthy *h, const double *rows, size_t n)
{
    double t2_most = 0, q_most = 0;
    gm_healthy_restart(h);
    for (size_t i = 0; i < n; i++) {
        double t2, q;
        if (!look(h, rows + i * h->sensors)) continue;
        measure(h, &t2, &q);
        t2_most = fmax(t2_most, t2);
        q_most  = fmax(q_most, q);
    }
    h->t2_limit = fmax(h->options.limit * t2_most, 1e-9);
    h->q_limit  = fmax(h->options.limit * q_most, 1e-9);
}

gm_status gm_healthy_fit(const gm_alloc *alloc, const double *rows, size_t n, uint32_t sensors,
                         const gm_healthy_options *options, gm_healthy **out, gm_error *err)
{
    *out = NULL;
    if (sensors == 0 || sensors > GM_HEALTHY_SENSORS_MAX)
        return gm_fail(err, GM_LIMIT, "insight.healthy", "%u sensors, 1 to %d are possible", sensors,
                       GM_HEALTHY_SENSORS_MAX);
    if (options->window < 1 || options->window > GM_HEALTHY_WINDOW_MAX || n < 4 * (size_t)options->window)
        return gm_fail(err, GM_INVALID, "insight.healthy", "%zu rows to learn from; 4 windows of %u are the least", n,
                       options->window);
    gm_healthy *h     = create(alloc, sensors, options);
    double   *scratch = gm_alloc_zeroed(alloc, (size_t)sensors * sensors * sizeof *scratch + sensors * sizeof(spread));
    gm_status st =
        h != NULL && scratch != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "insight.healthy", "%u sensors", sensors);
    if (st == GM_OK && !fit_sensors(h, rows, n))
        st = gm_fail(err, GM_INVALID, "insight.healthy", "no sensor has a value");
    if (st == GM_OK) {
        fit_scales(h, rows, n, (spread *)(scratch + (size_t)sensors * sensors));
        st = fit_plane(h, rows, n, scratch, err);
    }
    if (st == GM_OK) {
        fit_limits(h, rows, n);
        gm_healthy_restart(h);
        *out = h;
        h    = NULL;
    }
    gm_free(alloc, scratch);
    gm_healthy_destroy(h);
    return st;
}
