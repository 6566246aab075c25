// Centred, standardised normal equations. With S = Z'Z + penalty n I, S = L L':
//
//   b = S^-1 Z'y,   e = y - Z b,   h_i = 1/n + z_i' S^-1 z_i,   b without asset i = b - S^-1 z_i e_i / (1 - h_i)
//
// so that leaving out every asset in turn costs no more than fitting once. docs/theory/explain.md, equations 1 to 5.
#include "insight/learn/explain.h"

#include "futures/special.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char   WHERE[]  = "insight.explain";
static const double FOLLOWS  = 1e-9;  // what is left of an input's variance beside the others, when it follows from them
static const double ALONE    = 1e-9;  // 1 - h of an asset without which there is no fit
static const double CONSTANT = 1e-12; // a spread, relative to the size of the numbers, that is rounding

typedef struct fit {
    const gm_explain_question *q;
    const gm_explain_options  *o;
    gm_explain                *e;
    size_t                     n, p;   // assets, inputs in use
    size_t                     column[GM_EXPLAIN_INPUTS_MAX];  // [p] which input each is
    double                    *z;      // [n][p] standardised
    double                    *g;      // [p][p] Z'Z
    double                    *l;      // [p][p] Cholesky factor of S
    double                    *inverse;// [p][p] S^-1
    double                     b[GM_EXPLAIN_INPUTS_MAX];
    double                     sigma2, freedom;
} fit;

static double offset_of(const fit *f, size_t i) { return f->q->y[i] - f->e->mean; }

// ---- what is asked --------------------------------------------------------------------------------------------------

static double mean_of(const double *x, size_t n, size_t stride)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i * stride];
    return sum / (double)n;
}

// The standard deviation; 0 when what differs is rounding.
static double spread_of(const double *x, size_t n, size_t stride, double mean)
{
    double sum = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (x[i * stride] - mean) * (x[i * stride] - mean);
        size = fmax(size, fabs(x[i * stride]));
    }
    double spread = n > 1 ? sqrt(sum / (double)(n - 1)) : 0;
    return spread > CONSTANT * size ? spread : 0;
}

static gm_status look(fit *f, gm_error *err)
{
    const gm_explain_question *q = f->q;
    gm_explain                *e = f->e;
    e->mean   = mean_of(q->y, f->n, 1);
    e->spread = spread_of(q->y, f->n, 1, e->mean);
    if (e->spread == 0) return gm_fail(err, GM_INVALID, WHERE, "all %zu assets have the same value: there is nothing to explain", f->n);
    for (size_t k = 0; k < q->inputs; k++) {
        gm_explain_input *in = &e->inputs[k];
        in->mean             = mean_of(q->x + k, f->n, q->inputs);
        in->spread           = spread_of(q->x + k, f->n, q->inputs, in->mean);
        if (in->spread > 0) f->column[f->p++] = k;
    }
    e->used = f->p;
    if (f->p == 0) return gm_fail(err, GM_INVALID, WHERE, "no deviation differs from one asset to the other: there is nothing to explain with");
    size_t least = f->o->penalty > 0 ? 4 : f->p + 4;  // two degrees of freedom beyond the one that is left out
    if (f->n < least)
        return gm_fail(err, GM_INVALID, WHERE, "%zu assets are too few for %zu deviations: at least %zu are needed; ask about fewer deviations", f->n, f->p, least);
    return GM_OK;
}

static void standardise(fit *f)
{
    for (size_t i = 0; i < f->n; i++)
        for (size_t k = 0; k < f->p; k++) {
            const gm_explain_input *in = &f->e->inputs[f->column[k]];
            f->z[i * f->p + k]         = (f->q->x[i * f->q->inputs + f->column[k]] - in->mean) / in->spread;
        }
    memset(f->g, 0, f->p * f->p * sizeof *f->g);
    for (size_t i = 0; i < f->n; i++)
        for (size_t k = 0; k < f->p; k++)
            for (size_t m = 0; m <= k; m++) f->g[k * f->p + m] += f->z[i * f->p + k] * f->z[i * f->p + m];
    for (size_t k = 0; k < f->p; k++)
        for (size_t m = k + 1; m < f->p; m++) f->g[k * f->p + m] = f->g[m * f->p + k];
}

// ---- solving --------------------------------------------------------------------------------------------------------

static gm_str input_name(const fit *f, size_t k) { return gm_str_slice(f->q->input_names[f->column[k]], 0, 50); }

// Input k is a sum of those before it: which ones, from the rows of the factor so far.
static gm_status tell_follows(const fit *f, size_t k, gm_error *err)
{
    double c[GM_EXPLAIN_INPUTS_MAX];
    char   names[120] = "";
    size_t n = 0;
    for (size_t m = k; m-- > 0;) {  // L' c = row k
        c[m] = f->l[k * f->p + m];
        for (size_t i = m + 1; i < k; i++) c[m] -= f->l[i * f->p + m] * c[i];
        c[m] /= f->l[m * f->p + m];
    }
    for (size_t m = 0; m < k && n < 2; m++) {
        if (fabs(c[m]) < 1e-4) continue;
        size_t at = strlen(names);
        snprintf(names + at, sizeof names - at, "%s'" GM_STR_FMT "'", n++ > 0 ? ", " : "", GM_STR_ARG(input_name(f, m)));
    }
    return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' follows from other deviations (%s): leave one out, or give a penalty", GM_STR_ARG(input_name(f, k)), names);
}

static gm_status factor(fit *f, gm_error *err)
{
    size_t p = f->p;
    double extra = f->o->penalty * (double)(f->n - 1);
    for (size_t i = 0; i < p; i++) {
        for (size_t k = 0; k <= i; k++) {
            double sum = f->g[i * p + k] + (i == k ? extra : 0);
            for (size_t m = 0; m < k; m++) sum -= f->l[i * p + m] * f->l[k * p + m];
            if (i != k) f->l[i * p + k] = sum / f->l[k * p + k];
            else if (sum > FOLLOWS * (f->g[i * p + i] + extra)) f->l[i * p + i] = sqrt(sum);
            else return tell_follows(f, i, err);
        }
    }
    return GM_OK;
}

static void solve(const fit *f, double *b)  // in place
{
    size_t p = f->p;
    for (size_t i = 0; i < p; i++) {
        for (size_t k = 0; k < i; k++) b[i] -= f->l[i * p + k] * b[k];
        b[i] /= f->l[i * p + i];
    }
    for (size_t i = p; i-- > 0;) {
        for (size_t k = i + 1; k < p; k++) b[i] -= f->l[k * p + i] * b[k];
        b[i] /= f->l[i * p + i];
    }
}

static void invert(fit *f)
{
    size_t p = f->p;
    double column[GM_EXPLAIN_INPUTS_MAX];
    for (size_t k = 0; k < p; k++) {
        memset(column, 0, p * sizeof *column);
        column[k] = 1;
        solve(f, column);
        for (size_t i = 0; i < p; i++) f->inverse[i * p + k] = column[i];
    }
}

static double residual(const fit *f, size_t i)
{
    double r = offset_of(f, i);
    for (size_t k = 0; k < f->p; k++) r -= f->z[i * f->p + k] * f->b[k];
    return r;
}

// S^-1 z_i; returns 1 - h_i.
static double remove_one(const fit *f, size_t i, double *pull)
{
    double h = 1.0 / (double)f->n;
    for (size_t k = 0; k < f->p; k++) {
        pull[k] = 0;
        for (size_t m = 0; m < f->p; m++) pull[k] += f->inverse[k * f->p + m] * f->z[i * f->p + m];
        h += pull[k] * f->z[i * f->p + k];
    }
    return 1 - h;
}

// ---- what came out --------------------------------------------------------------------------------------------------

// Variance of the k-th standardised coefficient: sigma^2 (S^-1 Z'Z S^-1)_kk.
static double variance_of(const fit *f, size_t k)
{
    double sum = 0;
    for (size_t i = 0; i < f->p; i++)
        for (size_t m = 0; m < f->p; m++) sum += f->inverse[k * f->p + i] * f->g[i * f->p + m] * f->inverse[m * f->p + k];
    return f->sigma2 * fmax(0, sum);
}

// Half of the interval that holds a Student's t of so many degrees of freedom with probability `level`.
static double student(double level, double freedom)
{
    double x = gm_beta_quantile(0.5, freedom / 2, level);
    return sqrt(freedom * x / (1 - x));
}

static void judge(fit *f)
{
    gm_explain *e   = f->e;
    double      all = 0, rest = 0, free = (double)f->n - 1;
    for (size_t i = 0; i < f->n; i++) {
        double y = offset_of(f, i), r = residual(f, i);
        all += y * y;
        rest += r * r;
    }
    for (size_t k = 0; k < f->p; k++)
        for (size_t m = 0; m < f->p; m++) free -= f->inverse[k * f->p + m] * f->g[m * f->p + k];
    f->freedom = free;
    f->sigma2  = rest / free;
    e->r2      = 1 - rest / all;
    // (explained / p) / (rest / free) is distributed as Fisher's F where nothing explains anything; its tail is this integral.
    e->chance = f->o->penalty > 0 ? NAN : gm_beta_cdf(free / 2, (double)f->p / 2, fmin(1, rest / all));
    e->noise = NAN;
    double noise = f->q->noise != NULL ? mean_of(f->q->noise, f->n, 1) / (e->spread * e->spread) : NAN;
    if (!isnan(noise)) e->noise = fmin(1, noise);
    for (size_t k = 0; k < f->p; k++) {
        gm_explain_input *in   = &e->inputs[f->column[k]];
        double            with = 0, half = student(f->o->level, free) * sqrt(variance_of(f, k)) / in->spread;
        for (size_t i = 0; i < f->n; i++) with += f->z[i * f->p + k] * offset_of(f, i);
        in->effect = f->b[k] / in->spread;
        in->low    = in->effect - half;
        in->high   = in->effect + half;
        in->share  = f->b[k] * with / all;
    }
}

// Without asset i the others have another mean: offsets and distances from it are n / (n - 1) of those from the mean of all.
static gm_status leave_out(fit *f, gm_error *err)
{
    gm_explain *e = f->e;
    double      all = 0, rest = 0, others = (double)f->n / (double)(f->n - 1), pull[GM_EXPLAIN_INPUTS_MAX];
    for (size_t i = 0; i < f->n; i++) {
        double            left = remove_one(f, i, pull), r = residual(f, i);
        gm_explain_asset *a    = &e->assets[i];
        if (!(left > ALONE))
            return gm_fail(err, GM_INVALID, WHERE, "without '" GM_STR_FMT "' the others do not tell what some deviation does: leave it, or the deviation, out, or give a penalty",
                           GM_STR_ARG(gm_str_slice(f->q->asset_names[i], 0, 60)));
        a->offset = offset_of(f, i) * others;
        for (size_t k = 0; k < f->p; k++) {
            double            z  = f->z[i * f->p + k] * others;
            size_t            at = i * e->input_count + f->column[k];
            gm_explain_input *in = &e->inputs[f->column[k]];
            e->parts[at]         = (f->b[k] - pull[k] * r / left) * z;
            e->halves[at]        = fabs(z) * in->spread * (in->high - in->effect);
            a->explained += e->parts[at];
        }
        all += a->offset * a->offset;
        rest += (a->offset - a->explained) * (a->offset - a->explained);
    }
    e->r2_left_out = 1 - rest / all;
    return GM_OK;
}

static gm_status work(fit *f, gm_error *err)
{
    gm_status st = look(f, err);
    if (st != GM_OK) return st;
    standardise(f);
    st = factor(f, err);
    if (st != GM_OK) return st;
    for (size_t k = 0; k < f->p; k++) {
        f->b[k] = 0;
        for (size_t i = 0; i < f->n; i++) f->b[k] += f->z[i * f->p + k] * offset_of(f, i);
    }
    solve(f, f->b);
    invert(f);
    judge(f);
    return leave_out(f, err);
}

gm_status gm_explain_fit(const gm_alloc *alloc, const gm_explain_question *q, const gm_explain_options *options, gm_explain *out, gm_error *err)
{
    assert(options->level > 0 && options->level < 1 && options->penalty >= 0);
    *out = (gm_explain){ 0 };
    if (q->inputs > GM_EXPLAIN_INPUTS_MAX || q->assets > GM_EXPLAIN_ASSETS_MAX)
        return gm_fail(err, GM_LIMIT, WHERE, "%zu deviations of %zu assets: at most %d of %d are possible", q->inputs, q->assets, GM_EXPLAIN_INPUTS_MAX, GM_EXPLAIN_ASSETS_MAX);
    if (q->assets < 2) return gm_fail(err, GM_INVALID, WHERE, "%zu assets are no fleet: nothing differs", q->assets);
    size_t     n = q->assets, p = q->inputs;
    gm_explain e = { .alloc = alloc, .asset_count = n, .input_count = p };
    fit        f = { .q = q, .o = options, .e = &e, .n = n };
    e.inputs  = gm_alloc_zeroed(alloc, (p + 1) * sizeof *e.inputs);
    e.assets  = gm_alloc_zeroed(alloc, n * sizeof *e.assets);
    e.parts   = gm_alloc_zeroed(alloc, (n * p + 1) * sizeof *e.parts);
    e.halves  = gm_alloc_zeroed(alloc, (n * p + 1) * sizeof *e.halves);
    f.z       = gm_alloc_zeroed(alloc, (n * p + 1) * sizeof *f.z);
    f.g       = gm_alloc_zeroed(alloc, (3 * p * p + 1) * sizeof *f.g);
    bool good = e.inputs != NULL && e.assets != NULL && e.parts != NULL && e.halves != NULL && f.z != NULL && f.g != NULL;
    f.l       = good ? f.g + p * p : NULL;
    f.inverse = good ? f.l + p * p : NULL;
    gm_status st = good ? work(&f, err) : gm_fail(err, GM_NOMEM, WHERE, "%zu assets", n);
    gm_free(alloc, f.z);
    gm_free(alloc, f.g);
    if (st != GM_OK) gm_explain_finish(&e);
    else *out = e;
    return st;
}

void gm_explain_finish(gm_explain *e)
{
    if (e->alloc == NULL) return;
    gm_free(e->alloc, e->inputs);
    gm_free(e->alloc, e->assets);
    gm_free(e->alloc, e->parts);
    gm_free(e->alloc, e->halves);
    *e = (gm_explain){ 0 };
}
