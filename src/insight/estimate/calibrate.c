#include "insight/estimate/calibrate.h"

#include "futures/design.h"
#include "physics/exec/lanes.h"

#include <lapacke.h>
#include <math.h>

static const char WHERE[] = "estimate.calibrate";

enum { DIMENSIONS_MAX = 62 };  // parameters and states: with the unperturbed one they fill a block

static const double NUDGE = 1e-4;   // of a parameter's scale, for the gradient
static const double HUBER = 3;

typedef struct fitting {
    const gm_alloc           *alloc;
    const gm_estimate_model  *model;
    const gm_estimate_part   *parts;
    const gm_estimate_signal *signals;
    const gm_estimate_mode   *modes;
    const double             *slots;
    const gm_stretch         *stretch;
    gm_time_ns                at;
    uint32_t                  n, k, part[DIMENSIONS_MAX];   // dimensions; the first k are parameters; which part each is
    uint32_t                  signal_count, slot_count;
    double                    scale[DIMENSIONS_MAX], low[DIMENSIONS_MAX], high[DIMENSIONS_MAX], first[DIMENSIONS_MAX];
    double                   *noise;                        // [signal_count]
    gm_plan                  *plan;
    gm_lanes                 *lanes;
    gm_worker                *worker;
    uint32_t                  runs;
} fitting;

// One run: cost, and with it A = J'WJ and g = J'Wr in units of scale.
typedef struct slope { double cost, squares, A[DIMENSIONS_MAX * DIMENSIONS_MAX], g[DIMENSIONS_MAX]; uint64_t residuals; bool good; } slope;

gm_calibrate_options gm_calibrate_options_defaults(void) { return (gm_calibrate_options){ 4, 30, 1 }; }

// ---- one run ------------------------------------------------------------------------------------------------------

static void set_lane(fitting *f, uint32_t lane, const double *x)
{
    for (uint32_t d = 0; d < f->n; d++) {
        const gm_estimate_part *p = &f->parts[f->part[d]];
        gm_lanes_set(f->lanes, p->changes[0].slot, lane, p->log ? exp(x[d]) : x[d]);
    }
}

static void begin_lanes(fitting *f, const double *x)
{
    double moved[DIMENSIONS_MAX];
    for (uint32_t i = 0; i < f->slot_count; i++) gm_lanes_fill(f->lanes, (gm_slot){ i }, f->slots[i]);
    for (uint32_t lane = 0; lane <= f->n; lane++) {
        memcpy(moved, x, f->n * sizeof *x);
        // Away from a bound, so that the model is not asked for what it can not do.
        if (lane > 0) moved[lane - 1] += (moved[lane - 1] + NUDGE * f->scale[lane - 1] > f->high[lane - 1] ? -NUDGE : NUDGE) * f->scale[lane - 1];
        set_lane(f, lane, moved);
    }
    gm_lanes_start(f->lanes, 0, f->worker, GM_START_FORKED);
    f->runs++;
}

static void add_residual(fitting *f, const double *x, uint32_t signal, double value, slope *s)
{
    const gm_estimate_signal *g = &f->signals[signal];
    double                    r[DIMENSIONS_MAX + 1], y = value * g->factor + g->offset;
    for (uint32_t lane = 0; lane <= f->n; lane++) r[lane] = (gm_lanes_get(f->lanes, g->slot, lane) - y) / f->noise[signal];
    for (uint32_t d = 0; d < f->n; d++) r[d + 1] = (r[d + 1] - r[0]) / (x[d] + NUDGE * f->scale[d] > f->high[d] ? -NUDGE : NUDGE);
    double size = fabs(r[0]), weight = size <= HUBER ? 1 : HUBER / size;
    s->cost += size <= HUBER ? 0.5 * size * size : HUBER * (size - 0.5 * HUBER);
    s->squares += size * size;
    s->residuals++;
    for (uint32_t a = 0; a < f->n; a++) {
        s->g[a] += weight * r[a + 1] * r[0];
        for (uint32_t b = 0; b <= a; b++) s->A[a * DIMENSIONS_MAX + b] += weight * r[a + 1] * r[b + 1];
    }
}

static void take_input(fitting *f, const gm_stretch_sample *sample, bool modes_only)
{
    const gm_estimate_signal *s = &f->signals[sample->signal];
    if (!isfinite(sample->value)) return;
    if (!modes_only && s->given) gm_lanes_fill(f->lanes, s->set, sample->value * s->set_factor + s->set_offset);
    if (!modes_only || s->follow == UINT32_MAX) return;
    const gm_estimate_mode *mode = &f->modes[s->follow];
    for (uint32_t i = 0; i < mode->count; i++) gm_lanes_fill(f->lanes, mode->slots[i], sample->value > mode->above ? mode->on[i] : mode->off[i]);
}

static bool alive(fitting *f)
{
    for (uint32_t lane = 0; lane <= f->n; lane++)
        if (gm_lanes_report(f->lanes, lane).status != GM_LANE_ACTIVE) return false;
    return true;
}

static void run(fitting *f, const double *x, slope *s)
{
    const gm_stretch *h     = f->stretch;
    double            begin = f->slots[GM_TIME_SLOT.v];
    memset(s, 0, sizeof *s);
    begin_lanes(f, x);
    for (size_t i = 0; i < h->count;) {
        size_t end = i;
        while (end < h->count && h->samples[end].at == h->samples[i].at) end++;
        if (h->samples[i].at < f->at) {
            i = end;
            continue;
        }
        double time = begin + (double)(h->samples[i].at - f->at) / 1e9;
        for (size_t q = i; q < end; q++) take_input(f, &h->samples[q], true);
        gm_lanes_touch(f->lanes, 0, f->worker);
        if (h->samples[i].at > f->at) gm_lanes_until(f->lanes, 0, f->worker, time);
        if (!alive(f)) return;
        gm_lanes_observe(f->lanes, 0, f->worker);
        for (size_t q = i; q < end; q++)
            if (f->signals[h->samples[q].signal].measured && isfinite(h->samples[q].value)) add_residual(f, x, h->samples[q].signal, h->samples[q].value, s);
        for (size_t q = i; q < end; q++) take_input(f, &h->samples[q], false);
        i = end;
    }
    // What was known of where states begin.
    for (uint32_t d = f->k; d < f->n; d++) {
        double r = (x[d] - f->first[d]) / f->scale[d];
        s->cost += 0.5 * r * r;
        s->g[d] += r;
        s->A[d * DIMENSIONS_MAX + d] += 1;
    }
    s->good = isfinite(s->cost);
}

// ---- the descent --------------------------------------------------------------------------------------------------

static bool try_step(const fitting *f, const slope *s, double damping, const double *x, double *out)
{
    double A[DIMENSIONS_MAX * DIMENSIONS_MAX], step[DIMENSIONS_MAX];
    for (uint32_t a = 0; a < f->n; a++) {
        for (uint32_t b = 0; b <= a; b++) A[b * f->n + a] = s->A[a * DIMENSIONS_MAX + b];
        A[a * f->n + a] += damping * (s->A[a * DIMENSIONS_MAX + a] + 1e-9);
        step[a] = -s->g[a];
    }
    if (LAPACKE_dposv(LAPACK_COL_MAJOR, 'L', (lapack_int)f->n, 1, A, (lapack_int)f->n, step, (lapack_int)f->n) != 0) return false;
    for (uint32_t a = 0; a < f->n; a++) out[a] = fmin(f->high[a], fmax(f->low[a], x[a] + step[a] * f->scale[a]));
    return true;
}

// From x downhill; *s is the slope at its end.
static bool descend(fitting *f, double *x, slope *s, slope *trial, uint32_t rounds_max, uint32_t *rounds)
{
    double damping = 1e-3, next[DIMENSIONS_MAX];
    for (uint32_t round = 0; round < rounds_max; round++, ++*rounds) {
        if (!try_step(f, s, damping, x, next)) {
            damping *= 10;
            continue;
        }
        run(f, next, trial);
        if (!trial->good || trial->cost > s->cost) {
            if (damping > 1e8) return true;   // no way leads further down
            damping *= 8;
            continue;
        }
        bool settled = s->cost - trial->cost < 1e-7 * (s->cost + 1e-12);
        memcpy(x, next, f->n * sizeof *x);
        *s = *trial;
        damping = fmax(1e-9, damping / 5);
        if (settled) return true;
    }
    return false;
}

// ---- what it tells ------------------------------------------------------------------------------------------------

// The parameters' part of A when where states begin is whatever fits best: A_pp - A_ps A_ss^-1 A_sp.
static bool eliminate(const fitting *f, const slope *s, double *S)
{
    uint32_t k = f->k, m = f->n - k;
    double   B[DIMENSIONS_MAX * DIMENSIONS_MAX], C[DIMENSIONS_MAX * GM_CALIBRATE_MAX], D[DIMENSIONS_MAX * GM_CALIBRATE_MAX];
    for (uint32_t a = 0; a < m; a++) {
        for (uint32_t b = 0; b <= a; b++) B[b * m + a] = s->A[(k + a) * DIMENSIONS_MAX + k + b];
        for (uint32_t p = 0; p < k; p++) C[p * m + a] = D[p * m + a] = s->A[(k + a) * DIMENSIONS_MAX + p];
    }
    if (m > 0 && LAPACKE_dposv(LAPACK_COL_MAJOR, 'L', (lapack_int)m, (lapack_int)k, B, (lapack_int)m, C, (lapack_int)m) != 0) return false;
    for (uint32_t p = 0; p < k; p++) {
        for (uint32_t q = 0; q <= p; q++) {
            double sum = s->A[p * DIMENSIONS_MAX + q];
            for (uint32_t a = 0; a < m; a++) sum -= D[p * m + a] * C[q * m + a];
            S[p * k + q] = S[q * k + p] = sum;
        }
    }
    return true;
}

static void conclude(const fitting *f, const slope *s, const double *x, gm_calibration *out)
{
    double   S[GM_CALIBRATE_MAX * GM_CALIBRATE_MAX], w[GM_CALIBRATE_MAX];
    uint32_t k = f->k;
    // Residuals larger than the noise that was assumed mean wider intervals.
    double excess = fmax(1, s->squares / fmax(1, (double)s->residuals - k));
    bool   good   = eliminate(f, s, S) && LAPACKE_dsyev(LAPACK_COL_MAJOR, 'V', 'U', (lapack_int)k, S, (lapack_int)k, w) == 0;
    for (uint32_t d = 0; d < k; d++) {  // dsyev's values rise
        uint32_t from    = k - 1 - d;
        out->singular[d] = good ? sqrt(fmax(0, w[from])) : 0;
        for (uint32_t i = 0; i < k; i++) out->directions[d][i] = good ? S[from * k + i] : 0;
        if (!(out->singular[d] > 2 * sqrt(excess))) out->unlearned++;
    }
    for (uint32_t i = 0; i < k; i++) {
        const gm_estimate_part *p        = &f->parts[f->part[i]];
        double                  variance = 0;
        for (uint32_t d = 0; d < k; d++) {
            // A direction that nothing depends on says nothing about the parameters that are not in it.
            if (fabs(out->directions[d][i]) < 1e-6 && d >= k - out->unlearned) continue;
            variance += pow(out->directions[d][i] / out->singular[d], 2) * excess;
        }
        double half = 1.96 * sqrt(variance) * f->scale[i];
        gm_calibrated *c = &out->parameters[i];
        c->name    = p->name;
        c->unit    = p->unit;
        c->before  = gm_estimate_part_outside(p, f->first[i]);
        c->after   = gm_estimate_part_outside(p, x[i]);
        c->low     = isfinite(half) ? gm_estimate_part_outside(p, x[i] - half) : -INFINITY;
        c->high    = isfinite(half) ? gm_estimate_part_outside(p, x[i] + half) : INFINITY;
        c->bounded = x[i] <= f->low[i] || x[i] >= f->high[i];
        if (c->low > c->high) {
            double swap = c->low;
            c->low  = c->high;
            c->high = swap;
        }
    }
}

// ---- the whole ----------------------------------------------------------------------------------------------------

static double inside(const gm_estimate_part *p, double outside)
{
    double slot = outside * p->factor + p->offset;
    return p->log ? slot > 0 ? log(slot) : -INFINITY : slot;
}

static void add_dimension(fitting *f, uint32_t part)
{
    const gm_estimate_part *p = &f->parts[part];
    uint32_t                d = f->n++;
    f->part[d]  = part;
    f->first[d] = gm_estimate_part_x(p, f->slots);
    double a = inside(p, p->min), b = inside(p, p->max), range = b - a;
    f->low[d]  = p->kind == GM_ESTIMATE_STATE ? -INFINITY : fmin(a, b);
    f->high[d] = p->kind == GM_ESTIMATE_STATE ? INFINITY : fmax(a, b);
    f->scale[d] = isfinite(p->deviation)             ? p->deviation
                  : p->kind == GM_ESTIMATE_STATE     ? fmax(0.02 * fabs(f->first[d]), 1e-3)
                  : p->log                           ? 0.5
                  : isfinite(range) && range != 0    ? 0.25 * fabs(range)
                  : f->first[d] != 0                 ? 0.3 * fabs(f->first[d])
                                                     : 1;
    if (f->first[d] < f->low[d]) f->first[d] = f->low[d];
    if (f->first[d] > f->high[d]) f->first[d] = f->high[d];
}

static gm_status prepare(fitting *f, gm_error *err)
{
    uint32_t parts, modes;
    f->parts      = gm_estimate_model_parts(f->model, &parts);
    f->signals    = gm_estimate_model_signals(f->model, &f->signal_count);
    f->modes      = gm_estimate_model_modes(f->model, &modes);
    f->slot_count = gm_program_slot_count(gm_estimate_model_program(f->model));
    for (uint32_t i = 0; i < parts; i++) f->k += f->parts[i].kind == GM_ESTIMATE_PARAMETER;
    if (f->k == 0 || f->k > GM_CALIBRATE_MAX) return gm_fail(err, GM_INVALID, WHERE, "one to %d parameters are fitted together, not %u", GM_CALIBRATE_MAX, f->k);
    for (uint32_t i = 0; i < parts; i++)
        if (f->parts[i].kind == GM_ESTIMATE_PARAMETER) add_dimension(f, i);
    // Where the states of a large group begin is taken as the fork says.
    for (uint32_t i = 0; i < parts && parts <= DIMENSIONS_MAX; i++)
        if (f->parts[i].kind == GM_ESTIMATE_STATE) add_dimension(f, i);
    for (uint32_t d = 0; d < f->n; d++)
        if (!isfinite(f->first[d])) return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' begins at no number", GM_STR_ARG(gm_str_slice(f->parts[f->part[d]].name, 0, 80)));
    f->noise = gm_alloc_zeroed(f->alloc, (f->signal_count + (size_t)1) * sizeof *f->noise);
    if (f->noise == NULL) return gm_fail(err, GM_NOMEM, WHERE, "beginning");
    for (size_t i = 0; i < f->stretch->count; i++) {
        const gm_stretch_sample  *q = &f->stretch->samples[i];
        const gm_estimate_signal *s = &f->signals[q->signal];
        double                    y = fabs(q->value * s->factor + s->offset);
        if (isfinite(s->noise)) f->noise[q->signal] = s->noise;
        else if (isfinite(y)) f->noise[q->signal] = fmax(f->noise[q->signal], fmax(0.005 * y, 1e-9));
    }
    gm_plan_options o = gm_plan_options_defaults();
    o.method    = gm_estimate_model_setup(f->model)->stiff ? GM_METHOD_IMPLICIT : GM_METHOD_DOPRI;
    o.tolerance = 1e-8;  // differences of lanes are the gradient
    gm_status st = gm_plan_create(f->alloc, gm_estimate_model_program(f->model), &o, &f->plan, err);
    if (st == GM_OK) st = gm_lanes_create(f->alloc, f->plan, f->n + 1, &f->lanes, err);
    if (st == GM_OK) st = gm_worker_create(f->alloc, f->plan, &f->worker, err);
    if (st == GM_OK) gm_worker_bound(f->worker, 100000000);
    return st;
}

static void draw_start(const fitting *f, const gm_calibrate_options *o, uint32_t start, double *x)
{
    gm_design design = { .kind = GM_DESIGN_LATIN, .seed = o->seed, .lanes = o->starts, .dimensions = f->k };
    memcpy(x, f->first, f->n * sizeof *x);
    for (uint32_t i = 0; start > 0 && i < f->k; i++) {
        double low  = fmax(f->low[i], f->first[i] - 2 * f->scale[i]), high = fmin(f->high[i], f->first[i] + 2 * f->scale[i]);
        x[i] = low + (high - low) * gm_design_at(&design, start, i);
    }
}

static gm_status fit(fitting *f, const gm_calibrate_options *o, slope *best, slope *s, slope *trial, gm_calibration *out, gm_error *err)
{
    double x[DIMENSIONS_MAX], best_x[DIMENSIONS_MAX];
    best->good = false;
    for (uint32_t start = 0; start < o->starts; start++) {
        draw_start(f, o, start, x);
        run(f, x, s);
        if (!s->good && start == 0) return gm_fail(err, GM_DIVERGED, WHERE, "the model does not get through the stretch with its present parameters");
        if (start == 0) {
            out->rms_before = sqrt(s->squares / fmax(1, (double)s->residuals));
            if (s->residuals < f->k + 1)
                return gm_fail(err, GM_INVALID, WHERE, "%llu measurements are too few for %u parameters", (unsigned long long)s->residuals, f->k);
        }
        if (!s->good) {
            out->failed_starts++;
            continue;
        }
        bool converged = descend(f, x, s, trial, o->rounds_max, &out->rounds);
        if (best->good && s->cost >= best->cost) continue;
        *best = *s;
        memcpy(best_x, x, sizeof x);
        out->best_start = start;
        out->converged  = converged;
    }
    out->count     = f->k;
    out->residuals = best->residuals;
    out->rms_after = sqrt(best->squares / fmax(1, (double)best->residuals));
    out->runs      = f->runs;
    conclude(f, best, best_x, out);
    return GM_OK;
}

gm_status gm_calibrate(const gm_alloc *alloc, const gm_estimate_model *model, const double *slots, gm_time_ns at, const gm_stretch *stretch,
                       const gm_calibrate_options *options, gm_calibration *out, gm_error *err)
{
    fitting   f  = { .alloc = alloc, .model = model, .slots = slots, .at = at, .stretch = stretch };
    slope    *s  = gm_alloc_array(alloc, 3, sizeof *s);
    *out         = (gm_calibration){ 0 };
    gm_status st = s != NULL ? prepare(&f, err) : gm_fail(err, GM_NOMEM, WHERE, "beginning");
    if (st == GM_OK) st = fit(&f, options, &s[0], &s[1], &s[2], out, err);
    gm_worker_destroy(f.worker);
    gm_lanes_destroy(f.lanes);
    gm_plan_destroy(f.plan);
    gm_free(alloc, f.noise);
    gm_free(alloc, s);
    return st;
}
