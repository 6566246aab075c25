// Life cycle, the queue of measurements, and what is told. The arithmetic is in estimator_run.c.
#include "insight/estimate/estimator_parts.h"

#include "base/rng.h"

#include <assert.h>
#include <math.h>

static const char WHERE[] = "estimate.estimator";

// Measurements that lie closer together are one moment.
static const gm_dur_ns TOGETHER = 200 * GM_MILLISECOND;

static gm_status make_lanes(gm_estimator *e, const double *slots, gm_error *err)
{
    gm_plan_options o = gm_plan_options_defaults();
    o.method    = e->setup->stiff ? GM_METHOD_IMPLICIT : e->setup->step_s > 0 ? GM_METHOD_RK4 : GM_METHOD_DOPRI;
    o.tolerance = e->setup->tolerance;
    gm_status st = gm_plan_create(e->alloc, gm_estimate_model_program(e->model), &o, &e->plan, err);
    if (st == GM_OK) st = gm_lanes_create(e->alloc, e->plan, e->lane_count, &e->lanes, err);
    if (st == GM_OK) st = gm_worker_create(e->alloc, e->plan, &e->worker, err);
    if (st != GM_OK) return st;
    gm_worker_bound(e->worker, 1000000);
    uint32_t count = gm_program_slot_count(gm_estimate_model_program(e->model));
    memcpy(e->image, slots, count * sizeof *slots);
    for (uint32_t i = 0; i < count; i++) gm_lanes_fill(e->lanes, (gm_slot){ i }, slots[i]);
    for (uint32_t b = 0; b < gm_lanes_blocks(e->lanes); b++) gm_lanes_start(e->lanes, b, e->worker, GM_START_FORKED);
    return GM_OK;
}

static gm_status make_filter(gm_estimator *e, const double *slots, gm_error *err)
{
    for (uint32_t i = 0; i < e->n; i++) {
        const gm_estimate_part *p = &e->parts[i];
        e->base[i] = p->kind == GM_ESTIMATE_BIAS ? 0 : gm_estimate_part_x(p, slots);
        if (!isfinite(e->base[i]))
            return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' begins at no number (is the logarithm asked for of something not positive?)",
                           GM_STR_ARG(gm_str_slice(p->name, 0, 80)));
        double nominal = p->kind == GM_ESTIMATE_STATE ? gm_program_slot(gm_estimate_model_program(e->model), p->changes[0].slot)->nominal : 0;
        // A state that is 0 at first and has no nominal value is taken to be of order one.
        e->scale[i] = nominal > 0 && nominal != 1 ? nominal : e->base[i] != 0 ? fabs(e->base[i]) : 1;
        e->first[i] = isfinite(p->deviation) ? p->deviation : p->kind == GM_ESTIMATE_STATE ? 0.05 * e->scale[i] : p->log ? 0.3 : 0.2 * e->scale[i];
    }
    if (e->ukf != NULL) {
        gm_ukf_set(e->ukf, e->base, e->first);
        return GM_OK;
    }
    for (uint32_t i = 0; i < e->n; i++) {
        double *row = e->points + (size_t)i * e->lane_count;
        for (uint32_t k = 0; k < e->lane_count; k++) row[k] = e->base[i] + e->first[i] * gm_rng_normal(1, k, i, 0);
        double off = gm_ensemble_mean(row, e->lane_count) - e->base[i];
        for (uint32_t k = 0; k < e->lane_count; k++) row[k] -= off;
    }
    return GM_OK;
}

static bool make_arrays(gm_estimator *e)
{
    const gm_alloc *a     = e->alloc;
    size_t          lanes = e->lane_count, m = e->signal_count + (size_t)1;
    e->points    = gm_alloc_zeroed(a, e->n * lanes * sizeof(double));
    e->predicted = gm_alloc_zeroed(a, m * lanes * sizeof(double));
    e->scratch   = gm_alloc_zeroed(a, (4 * m + e->n + (e->ensemble != NULL ? lanes * lanes : 0)) * sizeof(double));
    e->mean      = gm_alloc_zeroed(a, e->n * sizeof(double));
    e->scale     = gm_alloc_zeroed(a, e->n * sizeof(double));
    e->base      = gm_alloc_zeroed(a, e->n * sizeof(double));
    e->first     = gm_alloc_zeroed(a, e->n * sizeof(double));
    e->image     = gm_alloc_zeroed(a, gm_program_slot_count(gm_estimate_model_program(e->model)) * sizeof(double));
    e->tracks    = gm_alloc_zeroed(a, m * sizeof *e->tracks);
    e->mode_on   = gm_alloc_zeroed(a, e->mode_count + (size_t)1);
    return e->points != NULL && e->predicted != NULL && e->scratch != NULL && e->mean != NULL && e->scale != NULL && e->base != NULL &&
           e->first != NULL && e->image != NULL && e->tracks != NULL && e->mode_on != NULL;
}

// All but where it begins.
static gm_status make(const gm_alloc *alloc, const gm_estimate_model *model, double time, gm_time_ns at, gm_estimator **out, gm_error *err)
{
    gm_estimator *e = gm_alloc_zeroed(alloc, sizeof *e);
    *out            = e;
    if (e == NULL) return gm_fail(err, GM_NOMEM, WHERE, "making an estimator");
    e->alloc   = alloc;
    e->model   = model;
    e->setup   = gm_estimate_model_setup(model);
    e->parts   = gm_estimate_model_parts(model, &e->n);
    e->signals = gm_estimate_model_signals(model, &e->signal_count);
    e->modes   = gm_estimate_model_modes(model, &e->mode_count);
    e->epoch   = e->at = at;
    e->begin   = time;
    while (e->states < e->n && e->parts[e->states].kind == GM_ESTIMATE_STATE) e->states++;
    bool many     = e->setup->filter == GM_ESTIMATE_ENSEMBLE || (e->setup->filter == GM_ESTIMATE_AUTO && e->n > GM_ESTIMATE_SMALL);
    e->lane_count = many ? e->setup->members : 2 * e->n + 1;
    e->stuck      = UINT32_MAX;
    gm_health_init(&e->health);
    gm_status st = many ? gm_ensemble_create(alloc, e->lane_count, e->signal_count, &e->ensemble, err)
                        : gm_ukf_create(alloc, e->n, e->signal_count, &e->ukf, err);
    if (st == GM_OK && !make_arrays(e)) st = gm_fail(err, GM_NOMEM, WHERE, "making an estimator of %u states and parameters", e->n);
    for (uint32_t i = 0; st == GM_OK && i < e->mode_count; i++) e->mode_on[i] = -1;
    return st;
}

static gm_status hand_over(gm_estimator *e, gm_status st, gm_estimator **out)
{
    if (st == GM_OK) {
        gm_estimator_draw(e);
        gm_estimator_show(e);
        *out = e;
    } else gm_estimator_destroy(e);
    return st;
}

gm_status gm_estimator_create(const gm_alloc *alloc, const gm_estimate_model *model, const double *slots, gm_time_ns at, gm_estimator **out,
                              gm_error *err)
{
    gm_estimator *e = NULL;
    *out            = NULL;
    gm_status st    = make(alloc, model, slots[GM_TIME_SLOT.v], at, &e, err);
    if (st == GM_OK) st = make_filter(e, slots, err);
    if (st == GM_OK) st = make_lanes(e, slots, err);
    return hand_over(e, st, out);
}

// ---- going on with more parts -------------------------------------------------------------------------------------

static gm_status spread_further(gm_estimator *e, const gm_estimator *from, gm_error *err)
{
    uint32_t known = from->n;
    for (uint32_t i = 0; i < known; i++) {
        e->base[i]  = gm_estimator_means(from)[i];
        e->scale[i] = from->scale[i];
        e->first[i] = from->first[i];
    }
    if (e->ukf == NULL) {
        memcpy(e->points, from->points, (size_t)known * e->lane_count * sizeof *e->points);
        for (uint32_t i = known; i < e->n; i++) {
            double *row = e->points + (size_t)i * e->lane_count;
            for (uint32_t k = 0; k < e->lane_count; k++) row[k] = e->base[i] + e->first[i] * gm_rng_normal(4, k, i, from->draws);
        }
        return GM_OK;
    }
    double *factor = gm_alloc_zeroed(e->alloc, (size_t)e->n * e->n * sizeof *factor);
    if (factor == NULL) return gm_fail(err, GM_NOMEM, WHERE, "going on with %u states and parameters", e->n);
    for (uint32_t c = 0; c < known; c++) memcpy(factor + (size_t)c * e->n, gm_ukf_factor(from->ukf) + (size_t)c * known, known * sizeof *factor);
    for (uint32_t i = known; i < e->n; i++) factor[(size_t)i * e->n + i] = e->first[i];
    gm_ukf_set_factor(e->ukf, e->base, factor);
    gm_free(e->alloc, factor);
    return GM_OK;
}

gm_status gm_estimator_go_on(const gm_estimator *from, const gm_estimate_model *model, gm_estimator **out, gm_error *err)
{
    gm_estimator *e    = NULL;
    double        time = from->begin + (double)(from->at - from->epoch) / 1e9;
    *out               = NULL;
    gm_status st       = make(from->alloc, model, time, from->at, &e, err);
    assert(st != GM_OK || (e->n >= from->n && e->signal_count == from->signal_count && e->mode_count == from->mode_count));
    if (st == GM_OK) st = make_filter(e, from->image, err);
    if (st == GM_OK) st = spread_further(e, from, err);
    if (st == GM_OK) st = make_lanes(e, from->image, err);
    if (st == GM_OK) {
        // A fault goes from where its variable is believed to be now.
        for (uint32_t i = 0; i < from->n; i++)
            if (e->parts[i].kind == GM_ESTIMATE_PARAMETER) e->image[e->parts[i].changes[0].slot.v] = e->parts[i].log ? exp(e->base[i]) : e->base[i];
        gm_lanes_fill(e->lanes, GM_TIME_SLOT, time);
        for (uint32_t b = 0; b < gm_lanes_blocks(e->lanes); b++) gm_lanes_start(e->lanes, b, e->worker, GM_START_FORKED);
        memcpy(e->tracks, from->tracks, e->signal_count * sizeof *e->tracks);
        memcpy(e->mode_on, from->mode_on, e->mode_count);
        if (!gm_alloc_reserve(e->alloc, &e->waiting, &e->waiting_room, from->waiting_count + 1, sizeof *e->waiting))
            st = gm_fail(err, GM_NOMEM, WHERE, "going on");
        else if (from->waiting_count > 0) memcpy(e->waiting, from->waiting, from->waiting_count * sizeof *e->waiting);
        e->waiting_count = from->waiting_count;
    }
    return hand_over(e, st, out);
}

void gm_estimator_destroy(gm_estimator *e)
{
    if (e == NULL) return;
    gm_worker_destroy(e->worker);
    gm_lanes_destroy(e->lanes);
    gm_plan_destroy(e->plan);
    gm_ukf_destroy(e->ukf);
    gm_ensemble_destroy(e->ensemble);
    void *const all[] = { e->points, e->predicted, e->scratch, e->mean, e->scale, e->base, e->first, e->image, e->tracks, e->mode_on, e->waiting, e->before };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) gm_free(e->alloc, all[i]);
    gm_free(e->alloc, e);
}

gm_status gm_estimator_smooth(gm_estimator *e, gm_smoother *smoother, gm_error *err)
{
    if (e->before == NULL) e->before = gm_alloc_array(e->alloc, (size_t)e->n * (e->lane_count + e->n + (size_t)1), sizeof *e->before);
    if (e->before == NULL) return gm_fail(err, GM_NOMEM, WHERE, "smoothing %u states and parameters", e->n);
    e->smoother = smoother;
    return GM_OK;
}

// ---- measurements -------------------------------------------------------------------------------------------------

gm_status gm_estimator_feed(gm_estimator *e, uint32_t signal, gm_time_ns at, double value, gm_error *err)
{
    assert(signal < e->signal_count);
    const gm_estimate_signal *s = &e->signals[signal];
    if (!s->measured && !s->given && s->follow == UINT32_MAX) return GM_OK;
    if (!isfinite(value)) {
        e->unusable++;
        return GM_OK;
    }
    if (at < e->at) {
        e->late++;
        return GM_OK;
    }
    size_t place = e->waiting_count;
    while (place > 0 && e->waiting[place - 1].at > at) place--;
    for (size_t i = place; i > 0 && e->waiting[i - 1].at == at; i--) {
        if (e->waiting[i - 1].signal != signal) continue;
        e->waiting[i - 1].value = s->given ? value * s->set_factor + s->set_offset : value * s->factor + s->offset;
        return GM_OK;
    }
    if (e->waiting_count >= GM_ESTIMATE_WAITING_MAX) return gm_fail(err, GM_LIMIT, WHERE, "more than %d measurements wait", GM_ESTIMATE_WAITING_MAX);
    if (!gm_alloc_reserve(e->alloc, &e->waiting, &e->waiting_room, e->waiting_count + 1, sizeof *e->waiting))
        return gm_fail(err, GM_NOMEM, WHERE, "keeping a measurement");
    memmove(e->waiting + place + 1, e->waiting + place, (e->waiting_count - place) * sizeof *e->waiting);
    double slot = s->given ? value * s->set_factor + s->set_offset : value * s->factor + s->offset;
    e->waiting[place] = (gm_estimate_sample){ at, signal, slot };
    e->waiting_count++;
    return GM_OK;
}

// Modes that the moment's measurements speak of.
static void follow(gm_estimator *e, const gm_estimate_sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const gm_estimate_signal *s = &e->signals[samples[i].signal];
        if (s->follow == UINT32_MAX) continue;
        const gm_estimate_mode *mode = &e->modes[s->follow];
        double                  seen = s->given ? (samples[i].value - s->set_offset) / s->set_factor : (samples[i].value - s->offset) / s->factor;
        bool                    on   = seen > mode->above;
        if (e->mode_on[s->follow] == on) continue;
        e->shaken |= e->mode_on[s->follow] >= 0;
        e->mode_on[s->follow] = (int8_t)on;
        for (uint32_t k = 0; k < mode->count; k++) {
            double value = on ? mode->on[k] : mode->off[k];
            gm_lanes_fill(e->lanes, mode->slots[k], value);
            e->image[mode->slots[k].v] = value;
        }
    }
}

void gm_estimator_shake(gm_estimator *e)
{
    e->shaken  = true;
    e->between = false;
}

static bool is_held(const gm_estimator *e, gm_slot slot)
{
    for (uint32_t i = 0; i < e->held_count; i++)
        if (e->held[i].v == slot.v) return true;
    return false;
}

void gm_estimator_hold(gm_estimator *e, gm_slot slot, double value)
{
    assert(e->held_count < GM_ESTIMATOR_HELD_MAX);
    e->held[e->held_count++] = slot;
    e->image[slot.v]         = value;
    gm_lanes_fill(e->lanes, slot, value);
}

void gm_estimator_stick(gm_estimator *e, uint32_t signal, double noise)
{
    e->stuck       = signal;
    e->stuck_noise = noise;
}

// Inputs hold from their moment on.
static void give(gm_estimator *e, const gm_estimate_sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const gm_estimate_signal *s = &e->signals[samples[i].signal];
        if (!s->given || is_held(e, s->set)) continue;
        gm_lanes_fill(e->lanes, s->set, samples[i].value);
        e->image[s->set.v] = samples[i].value;
    }
}

// How many of those that wait are of the next moment; 0: it is not due.
static size_t next_moment(const gm_estimator *e, size_t first, gm_time_ns until)
{
    size_t last = first;
    if (first >= e->waiting_count || e->waiting[first].at > until) return 0;
    while (last + 1 < e->waiting_count && e->waiting[last + 1].at <= until && e->waiting[last + 1].at - e->waiting[first].at <= TOGETHER) last++;
    return last + 1 - first;
}

static void take_moment(gm_estimator *e, const gm_estimate_sample *samples, size_t count)
{
    follow(e, samples, count);
    // When the plant changed since the last moment nobody knows: a motor that still runs up looks like one that is worn. What was
    // measured in between is of neither mode; the next moment's is believed again, even when the plant changes at every sample.
    e->between = e->shaken && !e->between;
    if (gm_estimator_go(e, samples[count - 1].at)) gm_estimator_see(e, samples, e->between ? 0 : count);
    give(e, samples, count);
    e->moments++;
}

static void let_go(gm_estimator *e, size_t count)
{
    memmove(e->waiting, e->waiting + count, (e->waiting_count - count) * sizeof *e->waiting);
    e->waiting_count -= count;
}

static gm_time_ns due_until(const gm_estimator *e, gm_time_ns now) { return now - (gm_time_ns)(e->setup->lag_s * 1e9); }

bool gm_estimator_due(const gm_estimator *e, gm_time_ns now) { return next_moment(e, 0, due_until(e, now)) > 0; }

bool gm_estimator_step(gm_estimator *e, gm_time_ns now)
{
    size_t count = next_moment(e, 0, due_until(e, now));
    if (count == 0) return false;
    take_moment(e, e->waiting, count);
    let_go(e, count);
    return true;
}

gm_status gm_estimator_advance(gm_estimator *e, gm_time_ns now, gm_error *err)
{
    gm_time_ns until = due_until(e, now);
    size_t     first = 0, count;
    (void)err;
    for (; (count = next_moment(e, first, until)) > 0; first += count) take_moment(e, e->waiting + first, count);
    if (first == 0) return GM_OK;
    let_go(e, first);
    gm_estimator_show(e);
    return GM_OK;
}

// ---- what is known ------------------------------------------------------------------------------------------------

uint32_t      gm_estimator_count(const gm_estimator *e) { return e->n; }
const double *gm_estimator_means(const gm_estimator *e) { return e->ukf != NULL ? gm_ukf_mean(e->ukf) : e->mean; }

const double *gm_estimator_factor(const gm_estimator *e) { return e->ukf != NULL ? gm_ukf_factor(e->ukf) : NULL; }

const double *gm_estimator_members(const gm_estimator *e, uint32_t *out_count)
{
    *out_count = e->ukf != NULL ? 0 : e->lane_count;
    return e->ukf != NULL ? NULL : e->points;
}

double gm_estimator_covariance(const gm_estimator *e, uint32_t a, uint32_t b)
{
    if (e->ukf != NULL) return gm_ukf_covariance(e->ukf, a, b);
    const double *ra = e->points + (size_t)a * e->lane_count, *rb = e->points + (size_t)b * e->lane_count;
    double        ma = gm_ensemble_mean(ra, e->lane_count), mb = gm_ensemble_mean(rb, e->lane_count), sum = 0;
    for (uint32_t k = 0; k < e->lane_count; k++) sum += (ra[k] - ma) * (rb[k] - mb);
    return sum / (e->lane_count - 1);
}

gm_estimator_value gm_estimator_part(const gm_estimator *e, uint32_t part)
{
    assert(part < e->n);
    double x = gm_estimator_means(e)[part], deviation = sqrt(gm_estimator_covariance(e, part, part));
    return (gm_estimator_value){ gm_estimate_part_outside(&e->parts[part], x), gm_estimate_part_outside_deviation(&e->parts[part], x, deviation) };
}

gm_estimator_reading gm_estimator_signal(const gm_estimator *e, uint32_t signal)
{
    assert(signal < e->signal_count);
    const gm_estimate_signal *s = &e->signals[signal];
    const gm_signal_track    *t = &e->tracks[signal];
    double                    f = s->factor;
    return (gm_estimator_reading){ .estimate = { (t->estimate - s->offset) / f, t->deviation / fabs(f) }, .seen = t->seen, .at = t->at,
                                   .measured = (t->measured - s->offset) / f, .innovation = t->innovation / f, .expected = t->expected / fabs(f),
                                   .taken = t->taken, .gated = t->gated };
}

gm_estimator_stats gm_estimator_statistics(const gm_estimator *e)
{
    return (gm_estimator_stats){ .at = e->at, .moments = e->moments, .taken = e->taken, .gated = e->gated, .late = e->late,
                                 .unusable = e->unusable, .restarts = e->restarts, .waiting = e->waiting_count,
                                 .health = gm_health_judge(&e->health), .log_likelihood = e->log_likelihood, .ensemble = e->ensemble != NULL };
}
