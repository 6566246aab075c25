// The filter's arithmetic: points into lanes, lanes to a moment, measurements into points.
#include "insight/estimate/estimator_parts.h"

#include "base/rng.h"

#include <lapacke.h>
#include <math.h>

enum { STUBBORN = 10 };  // gated in a row, until it is the model that must be wrong

static const double STATE_WALK = 1e-3 / 7.75;   // of a state's scale per square root of a second: 0.1 % in a minute
static const double SHAKE      = 0.01;          // of a state's scale, where a mode changes
static const double INFLATION  = 1.005;         // of an ensemble, each update

static double *row_of(gm_estimator *e, double *rows, uint32_t i) { return rows + (size_t)i * e->lane_count; }

static double weight(const gm_estimator *e, uint32_t k)
{
    if (e->ukf == NULL) return 1.0 / e->lane_count;
    double n = e->n, kappa = n < 3 ? 3 - n : 0;  // as in ukf.c
    return k == 0 ? kappa / (n + kappa) : 0.5 / (n + kappa);
}

static void moments_of(const gm_estimator *e, const double *row, double *out_mean, double *out_variance)
{
    double mean = 0, variance = 0;
    for (uint32_t k = 0; k < e->lane_count; k++) mean += weight(e, k) * (row[k] - row[0]);
    mean += row[0];
    for (uint32_t k = 0; k < e->lane_count; k++) variance += weight(e, k) * (row[k] - mean) * (row[k] - mean);
    *out_mean     = mean;
    *out_variance = e->ukf != NULL ? variance : variance * e->lane_count / (e->lane_count - 1.0);
}

void gm_estimator_draw(gm_estimator *e)
{
    if (e->ukf != NULL) {
        gm_ukf_points(e->ukf, e->points);
        return;
    }
    for (uint32_t i = 0; i < e->n; i++) e->mean[i] = gm_ensemble_mean(row_of(e, e->points, i), e->lane_count);
}

static void put_part(gm_estimator *e, uint32_t i)
{
    const gm_estimate_part *p   = &e->parts[i];
    const double           *row = row_of(e, e->points, i);
    for (uint32_t c = 0; c < p->change_count; c++) {
        double from = e->image[p->changes[c].slot.v];
        for (uint32_t k = 0; k < e->lane_count; k++) {
            double *lane = &gm_lanes_row(e->lanes, k / GM_LANES_PER_BLOCK, p->changes[c].slot)[k % GM_LANES_PER_BLOCK];
            if (p->kind == GM_ESTIMATE_FAULT) *lane = from + row[k] * (p->changes[c].to - from);
            else *lane = p->log ? exp(row[k]) : row[k];
        }
    }
}

void gm_estimator_place(gm_estimator *e)
{
    for (uint32_t i = 0; i < e->n; i++) put_part(e, i);
    for (uint32_t b = 0; b < gm_lanes_blocks(e->lanes); b++) gm_lanes_touch(e->lanes, b, e->worker);
}

// Lanes that can not go on take everybody back to the last estimate; time goes on.
static void begin_anew(gm_estimator *e, double time)
{
    uint32_t slots = gm_program_slot_count(gm_estimate_model_program(e->model));
    e->restarts++;
    for (uint32_t i = 0; i < slots; i++) gm_lanes_fill(e->lanes, (gm_slot){ i }, e->image[i]);
    gm_lanes_fill(e->lanes, GM_TIME_SLOT, time);
    for (uint32_t b = 0; b < gm_lanes_blocks(e->lanes); b++) gm_lanes_start(e->lanes, b, e->worker, GM_START_FORKED);
    if (e->ukf != NULL) gm_ukf_set(e->ukf, gm_ukf_mean(e->ukf), e->first);
    gm_estimator_draw(e);
}

static bool all_alive(gm_estimator *e)
{
    for (uint32_t k = 0; k < e->lane_count; k++)
        if (gm_lanes_report(e->lanes, k).status != GM_LANE_ACTIVE) return false;
    return true;
}

static void take_states(gm_estimator *e)
{
    for (uint32_t i = 0; i < e->states; i++) {
        double *row = row_of(e, e->points, i);
        for (uint32_t k = 0; k < e->lane_count; k++) row[k] = gm_lanes_get(e->lanes, e->parts[i].changes[0].slot, k);
    }
}

static double process_variance(const gm_estimator *e, uint32_t i, double seconds)
{
    const gm_estimate_part *p    = &e->parts[i];
    double                  walk = p->walk;
    if (!isfinite(walk)) walk = p->kind == GM_ESTIMATE_STATE ? STATE_WALK * e->scale[i] : p->kind == GM_ESTIMATE_BIAS ? 0 : e->first[i] * 0.02 / 60;
    double variance = walk * walk * seconds;
    // Whoever says how a state wanders says it for the change of a mode as well.
    if (e->shaken && p->kind == GM_ESTIMATE_STATE && !isfinite(p->walk)) variance += SHAKE * e->scale[i] * SHAKE * e->scale[i];
    return variance;
}

// The lanes were switched at the moment before; the plant at some time since, any as likely as another: its states lie somewhere
// on the way that those of the lanes have gone.
static double variance_of_switch(gm_estimator *e, uint32_t i)
{
    if (i >= e->states) return 0;
    double gone = row_of(e, e->points, i)[0] - e->image[e->parts[i].changes[0].slot.v];
    return gone * gone / 3;
}

static bool spread(gm_estimator *e, double seconds)
{
    double *process = e->scratch + 4 * ((size_t)e->signal_count + 1);
    for (uint32_t i = 0; i < e->n; i++) process[i] = process_variance(e, i, seconds) + (e->shaken ? variance_of_switch(e, i) : 0);
    e->shaken = false;
    if (e->ukf != NULL) return gm_ukf_predict(e->ukf, e->points, process, NULL) == GM_OK;
    e->draws++;
    for (uint32_t i = 0; i < e->n; i++) {
        double *row = row_of(e, e->points, i), noise = sqrt(process[i]);
        for (uint32_t k = 0; k < e->lane_count; k++) row[k] += noise * gm_rng_normal(2, k, i, e->draws);
    }
    return true;
}

// ---- for those who look back ----------------------------------------------------------------------------------------

static void remember_before(gm_estimator *e)
{
    if (e->smoother == NULL || e->ukf == NULL) return;
    size_t points = (size_t)e->n * e->lane_count;
    memcpy(e->before, e->points, points * sizeof *e->before);
    memcpy(e->before + points, gm_ukf_mean(e->ukf), e->n * sizeof *e->before);
    memcpy(e->before + points + e->n, gm_ukf_factor(e->ukf), (size_t)e->n * e->n * sizeof *e->before);
}

static void tell_step(gm_estimator *e, gm_time_ns from)
{
    if (e->smoother == NULL || e->ukf == NULL) return;
    const double  *mean = e->before + (size_t)e->n * e->lane_count;
    gm_smooth_step step = { .from = from, .to = e->at, .mean = mean, .factor = mean + e->n, .before = e->before, .after = e->points,
                            .predicted_mean = gm_ukf_mean(e->ukf), .predicted_factor = gm_ukf_factor(e->ukf), .points = e->lane_count,
                            .center = gm_ukf_weight(e->ukf, 0), .around = gm_ukf_weight(e->ukf, 1) };
    gm_smoother_step(e->smoother, &step);
}

static void tell_break(gm_estimator *e, gm_time_ns from)
{
    const double *mean = e->before + (size_t)e->n * e->lane_count;
    if (e->smoother != NULL) gm_smoother_break(e->smoother, from, mean, e->ukf != NULL ? mean + e->n : NULL);
}

static void tell_now(gm_estimator *e)
{
    if (e->smoother == NULL) return;
    if (e->ukf != NULL) gm_smoother_now(e->smoother, e->at, gm_ukf_mean(e->ukf), gm_ukf_factor(e->ukf));
    else gm_smoother_members(e->smoother, e->at, e->points, e->lane_count);
}

static bool run_lanes(gm_estimator *e, double seconds, double end)
{
    for (uint32_t b = 0; b < gm_lanes_blocks(e->lanes); b++) {
        if (e->setup->step_s > 0 && !e->setup->stiff) {
            uint32_t steps = (uint32_t)fmin(1e8, fmax(1, ceil(seconds / e->setup->step_s - 1e-9)));
            gm_lanes_steps(e->lanes, b, e->worker, seconds / steps, steps);
        } else gm_lanes_until(e->lanes, b, e->worker, end);
    }
    return all_alive(e);
}

bool gm_estimator_go(gm_estimator *e, gm_time_ns at)
{
    double     seconds = (double)(at - e->at) / 1e9, end = e->begin + (double)(at - e->epoch) / 1e9;
    gm_time_ns from    = e->at;
    e->at = at;
    if (!(seconds > 0)) return true;
    remember_before(e);
    gm_estimator_place(e);
    bool good = run_lanes(e, seconds, end);
    if (good) {
        take_states(e);
        good = spread(e, seconds);
    }
    if (!good) {
        tell_break(e, from);
        begin_anew(e, end);
        return false;
    }
    tell_step(e, from);
    gm_estimator_draw(e);
    return true;
}

// ---- measurements -------------------------------------------------------------------------------------------------

static const gm_estimate_part *offset_of(const gm_estimator *e, uint32_t signal, uint32_t *out_part)
{
    for (*out_part = e->states; *out_part < e->n; ++*out_part)
        if (e->parts[*out_part].kind == GM_ESTIMATE_BIAS && e->parts[*out_part].signal == signal) return &e->parts[*out_part];
    return NULL;
}

static void predict_signal(gm_estimator *e, uint32_t signal, double *out)
{
    uint32_t part;
    // A sensor that stands still says again what it said last, wherever the plant is.
    if (signal == e->stuck && e->tracks[signal].seen) {
        for (uint32_t k = 0; k < e->lane_count; k++) out[k] = e->tracks[signal].measured;
        return;
    }
    bool     biased = offset_of(e, signal, &part) != NULL;
    for (uint32_t k = 0; k < e->lane_count; k++)
        out[k] = gm_lanes_get(e->lanes, e->signals[signal].slot, k) + (biased ? row_of(e, e->points, part)[k] : 0);
}

static double noise_variance(gm_estimator *e, uint32_t signal, double value)
{
    gm_signal_track *t = &e->tracks[signal];
    double           noise = e->signals[signal].noise;
    t->largest = fmax(t->largest, fabs(value));
    if (!isfinite(noise)) noise = fmax(0.005 * t->largest, 1e-9);
    return signal == e->stuck && t->seen ? e->stuck_noise * e->stuck_noise * noise * noise : noise * noise;
}

// Is the measurement to be believed?
static bool passes(gm_estimator *e, const gm_estimate_sample *s, const double *predicted, double variance)
{
    gm_signal_track *t = &e->tracks[s->signal];
    double           mean, spread_by;
    moments_of(e, predicted, &mean, &spread_by);
    t->seen       = true;
    t->at         = s->at;
    t->measured   = s->value;
    t->innovation = s->value - mean;
    t->expected   = sqrt(spread_by + variance);
    if (fabs(t->innovation) > e->setup->gate * t->expected && t->refused < STUBBORN) {
        t->refused++;
        t->gated++;
        e->gated++;
        // It counts against the model as much as the last one that would have passed: no more, no less.
        e->log_likelihood -= 0.5 * e->setup->gate * e->setup->gate + log(t->expected * 2.5066282746310002);
        return false;
    }
    t->refused = 0;
    t->taken++;
    e->taken++;
    return true;
}

static void draw_together(gm_estimator *e, uint32_t m, const double *value, const double *variance)
{
    double *innovation = e->scratch + 2 * ((size_t)e->signal_count + 1), *deviation = innovation + e->signal_count + 1;
    double  shift = 0;
    if (e->ukf != NULL) {
        gm_ukf_report r;
        if (gm_ukf_update(e->ukf, e->points, e->predicted, m, value, variance, innovation, deviation, &r, NULL) != GM_OK) return;
        for (uint32_t i = 0; i < m; i++) shift += innovation[i] / deviation[i];
        gm_health_add(&e->health, r.nis, m, shift / sqrt(m));
        e->log_likelihood += r.log_likelihood;
        return;
    }
    double            *X     = deviation + e->signal_count + 1 + e->n;
    gm_ensemble_noise  noise = { 3, e->draws };
    gm_ensemble_seen   seen  = { m, e->predicted, value, variance, NULL };
    gm_ensemble_report r;
    for (uint32_t i = 0; i < m; i++) shift += (value[i] - gm_ensemble_mean(row_of(e, e->predicted, i), e->lane_count)) / sqrt(variance[i]);
    if (gm_ensemble_solve(e->ensemble, GM_ENSEMBLE_TRANSFORM, &seen, &noise, X, &r, NULL) != GM_OK) return;
    if (gm_ensemble_rotate(e->ensemble, &noise, X, NULL) != GM_OK) return;
    if (e->smoother != NULL) gm_smoother_update(e->smoother, e->ensemble, X, e->lane_count);
    gm_ensemble_apply(e->ensemble, X, e->points, e->n);
    gm_ensemble_inflate(e->points, e->n, e->lane_count, INFLATION);
    gm_health_add(&e->health, r.nis, m, shift / sqrt(m));
}

// The centre, for beginning anew and for the scale of things.
static void remember(gm_estimator *e)
{
    uint32_t      slots = gm_program_slot_count(gm_estimate_model_program(e->model));
    const double *mean  = gm_estimator_means(e);
    for (uint32_t i = 0; i < slots; i++) {
        gm_slot_kind kind = gm_program_slot(gm_estimate_model_program(e->model), (gm_slot){ i })->kind;
        if (kind == GM_SLOT_DISCRETE || kind == GM_SLOT_ALGEBRAIC) e->image[i] = gm_lanes_get(e->lanes, (gm_slot){ i }, 0);
    }
    for (uint32_t i = 0; i < e->states; i++) {
        e->image[e->parts[i].changes[0].slot.v] = mean[i];
        if (fabs(mean[i]) > e->scale[i]) e->scale[i] = fabs(mean[i]);
    }
}

void gm_estimator_see(gm_estimator *e, const gm_estimate_sample *samples, size_t count)
{
    double  *value = e->scratch, *variance = value + e->signal_count + 1;
    uint32_t m     = 0;
    gm_estimator_place(e);
    for (uint32_t b = 0; b < gm_lanes_blocks(e->lanes); b++) gm_lanes_observe(e->lanes, b, e->worker);
    for (size_t i = 0; i < count && m < e->signal_count; i++) {
        if (!e->signals[samples[i].signal].measured) continue;
        double *predicted = row_of(e, e->predicted, m);
        predict_signal(e, samples[i].signal, predicted);
        variance[m] = noise_variance(e, samples[i].signal, samples[i].value);
        value[m]    = samples[i].value;
        if (passes(e, &samples[i], predicted, variance[m])) m++;
    }
    if (m > 0) draw_together(e, m, value, variance);
    gm_estimator_draw(e);
    remember(e);
    tell_now(e);
}

void gm_estimator_show(gm_estimator *e)
{
    gm_estimator_place(e);
    for (uint32_t b = 0; b < gm_lanes_blocks(e->lanes); b++) gm_lanes_observe(e->lanes, b, e->worker);
    for (uint32_t i = 0; i < e->signal_count; i++) {
        gm_signal_track *t        = &e->tracks[i];
        double          *row      = row_of(e, e->predicted, e->signal_count), variance;
        for (uint32_t k = 0; k < e->lane_count; k++) row[k] = gm_lanes_get(e->lanes, e->signals[i].slot, k);
        moments_of(e, row, &t->estimate, &variance);
        t->deviation = sqrt(variance);
    }
}

// ---- faults -------------------------------------------------------------------------------------------------------
//
// The filter's distribution of the severities t is normal with mean u and covariance C. That fault i alone is there and the
// others are not restricts t to a e_i; the best such a is (C^-1 u)_i / (C^-1)_ii, and against t = 0 it lowers the exponent by
// (C^-1 u)_i^2 / (2 (C^-1)_ii): twice that is chi-square with one degree of freedom when nothing is wrong (the likelihood
// ratio; Willsky, Automatica 12 (1976) 601).

static bool solve_faults(const gm_estimator *e, uint32_t first, uint32_t k, double *C, double *w)
{
    for (uint32_t a = 0; a < k; a++) {
        w[a] = gm_estimator_means(e)[first + a];
        for (uint32_t b = 0; b < k; b++) C[(size_t)a * k + b] = gm_estimator_covariance(e, first + a, first + b);
    }
    if (LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', (lapack_int)k, C, (lapack_int)k) != 0) return false;
    if (LAPACKE_dpotrs(LAPACK_COL_MAJOR, 'L', (lapack_int)k, 1, C, (lapack_int)k, w, (lapack_int)k) != 0) return false;
    return LAPACKE_dpotri(LAPACK_COL_MAJOR, 'L', (lapack_int)k, C, (lapack_int)k) == 0;
}

static uint32_t faults_of(const gm_estimator *e, uint32_t *out_first)
{
    uint32_t count = 0;
    *out_first = UINT32_MAX;
    for (uint32_t i = e->states; i < e->n; i++) {
        if (e->parts[i].kind != GM_ESTIMATE_FAULT) continue;
        if (count++ == 0) *out_first = i;
    }
    return count;
}

gm_estimator_fault gm_estimator_fault_of(const gm_estimator *e, uint32_t part)
{
    double             C[GM_ESTIMATE_ASKS_MAX * GM_ESTIMATE_ASKS_MAX], w[GM_ESTIMATE_ASKS_MAX];
    uint32_t           first, k = faults_of(e, &first);
    gm_estimator_fault f = { NAN, NAN };
    if (k == 0 || part < first || part >= first + k || !solve_faults(e, first, k, C, w)) return f;
    uint32_t i     = part - first;
    double   sharp = C[(size_t)i * k + i];
    f.severity     = w[i] / sharp;
    f.significance = w[i] / sqrt(sharp);
    return f;
}
