// Smoothing against the closed form of Rauch, Tung and Striebel, and in the filter of a group.
#include "insight/estimate/smooth.h"

#include "base/rng.h"
#include "insight/decay_world.h"
#include "insight/estimate/ukf.h"

enum { STEPS = 120 };

// A damped oscillation x' = F x + w, position measured every second, w with variance q in the second state.
static const double F[2][2] = { { 0.98, 0.17 }, { -0.17, 0.95 } };
static const double Q[2] = { 0.001, 0.02 }, R = 0.09;

typedef struct moment { double m[2], P[2][2], mp[2], Pp[2][2]; } moment;  // after the measurement, and before it
typedef struct seen { size_t count; gm_time_ns at[STEPS + 1]; double mean[STEPS + 1][2], cov[STEPS + 1][4]; } seen;

static void take(void *context, gm_time_ns at, const double *mean, const double *cov)
{
    seen *s = context;
    assert_true(s->count <= STEPS && (s->count == 0 || at > s->at[s->count - 1]));
    s->at[s->count] = at;
    memcpy(s->mean[s->count], mean, 2 * sizeof *mean);
    memcpy(s->cov[s->count++], cov, 4 * sizeof *cov);
}

static double measurement(int k) { return sin(0.18 * k) + 0.3 * gm_rng_normal(11, 0, 0, (uint64_t)k); }

// The textbook: Kalman's filter forwards.
static void filter(moment *t)
{
    t[0] = (moment){ .m = { 0, 0 }, .P = { { 1, 0 }, { 0, 1 } } };
    for (int k = 1; k <= STEPS; k++) {
        const moment *a = &t[k - 1];
        moment       *b = &t[k];
        for (int i = 0; i < 2; i++) {
            b->mp[i] = F[i][0] * a->m[0] + F[i][1] * a->m[1];
            for (int j = 0; j < 2; j++) {
                b->Pp[i][j] = i == j ? Q[i] : 0;
                for (int r = 0; r < 2; r++)
                    for (int c = 0; c < 2; c++) b->Pp[i][j] += F[i][r] * a->P[r][c] * F[j][c];
            }
        }
        double s = b->Pp[0][0] + R, d = measurement(k) - b->mp[0];
        for (int i = 0; i < 2; i++) {
            b->m[i] = b->mp[i] + b->Pp[i][0] / s * d;
            for (int j = 0; j < 2; j++) b->P[i][j] = b->Pp[i][j] - b->Pp[i][0] * b->Pp[0][j] / s;
        }
    }
}

// And backwards from `last` to `k`: out [2] and [2][2].
static void smooth(const moment *t, int k, int last, double *out, double P[2][2])
{
    memcpy(out, t[last].m, sizeof t[last].m);
    memcpy(P, t[last].P, sizeof t[last].P);
    for (int i = last - 1; i >= k; i--) {
        double D[2][2], det, FP[2][2], next[2], Ps[2][2];
        const moment *a = &t[i], *b = &t[i + 1];
        det = b->Pp[0][0] * b->Pp[1][1] - b->Pp[0][1] * b->Pp[1][0];
        double inverse[2][2] = { { b->Pp[1][1] / det, -b->Pp[0][1] / det }, { -b->Pp[1][0] / det, b->Pp[0][0] / det } };
        for (int r = 0; r < 2; r++)
            for (int c = 0; c < 2; c++) FP[r][c] = a->P[r][0] * F[c][0] + a->P[r][1] * F[c][1];
        for (int r = 0; r < 2; r++)
            for (int c = 0; c < 2; c++) D[r][c] = FP[r][0] * inverse[0][c] + FP[r][1] * inverse[1][c];
        for (int r = 0; r < 2; r++) {
            next[r] = a->m[r] + D[r][0] * (out[0] - b->mp[0]) + D[r][1] * (out[1] - b->mp[1]);
            for (int c = 0; c < 2; c++) {
                Ps[r][c] = a->P[r][c];
                for (int u = 0; u < 2; u++)
                    for (int v = 0; v < 2; v++) Ps[r][c] += D[r][u] * (P[u][v] - b->Pp[u][v]) * D[c][v];
            }
        }
        memcpy(out, next, sizeof next);
        memcpy(P, Ps, sizeof Ps);
    }
}

// The same with sigma points. cut: the filter begins anew there (0: nowhere).
static gm_status run(const gm_alloc *alloc, gm_smooth_options o, int cut, gm_error *err)
{
    gm_ukf      *ukf = NULL;
    gm_smoother *s   = NULL;
    double       before[10], points[10], zero[2] = { 0, 0 }, one[2] = { 1, 1 }, mean[2], factor[4];
    gm_status    st = gm_ukf_create(alloc, 2, 1, &ukf, err);
    if (st == GM_OK) st = gm_smoother_create(alloc, &o, &s, err);
    if (st == GM_OK) {
        gm_ukf_set(ukf, zero, one);
        gm_smoother_now(s, 0, gm_ukf_mean(ukf), gm_ukf_factor(ukf));
    }
    for (int k = 1; st == GM_OK && k <= STEPS; k++) {
        double y = measurement(k), r = R;
        memcpy(mean, gm_ukf_mean(ukf), sizeof mean);
        memcpy(factor, gm_ukf_factor(ukf), sizeof factor);
        gm_ukf_points(ukf, before);
        for (int p = 0; p < 5; p++)
            for (int i = 0; i < 2; i++) points[5 * i + p] = F[i][0] * before[p] + F[i][1] * before[5 + p];
        if (k == cut) {
            gm_smoother_break(s, (k - 1) * (gm_time_ns)S, mean, factor);
            gm_ukf_set(ukf, zero, one);
        } else {
            assert_int_equal(gm_ukf_predict(ukf, points, Q, err), GM_OK);
            gm_smooth_step step = { .from = (k - 1) * (gm_time_ns)S, .to = k * (gm_time_ns)S, .mean = mean, .factor = factor, .before = before, .after = points,
                                    .predicted_mean = gm_ukf_mean(ukf), .predicted_factor = gm_ukf_factor(ukf), .points = 5,
                                    .center = gm_ukf_weight(ukf, 0), .around = gm_ukf_weight(ukf, 1) };
            gm_smoother_step(s, &step);
        }
        gm_ukf_points(ukf, points);
        assert_int_equal(gm_ukf_update(ukf, points, points, 1, &y, &r, NULL, NULL, NULL, err), GM_OK);
        gm_smoother_now(s, k * (gm_time_ns)S, gm_ukf_mean(ukf), gm_ukf_factor(ukf));
    }
    if (st == GM_OK) st = gm_smoother_end(s, err);
    gm_smoother_destroy(s);
    gm_ukf_destroy(ukf);
    return st;
}

static void expect(const seen *s, size_t place, const moment *t, int k, int last)
{
    double m[2], P[2][2];
    smooth(t, k, last, m, P);
    assert_true(s->at[place] == k * (gm_time_ns)S);
    for (int i = 0; i < 2; i++) {
        if (fabs(s->mean[place][i] - m[i]) > 1e-9) fail_msg("moment %d by %d: state %d is %.12f, closed form %.12f", k, last, i, s->mean[place][i], m[i]);
        for (int j = 0; j < 2; j++)
            if (fabs(s->cov[place][2 * i + j] - P[i][j]) > 1e-9) fail_msg("moment %d by %d: covariance %.12f, closed form %.12f", k, last, s->cov[place][2 * i + j], P[i][j]);
    }
}

static void a_fixed_interval_agrees_with_the_closed_form(void **state)
{
    (void)state;
    static moment t[STEPS + 1];
    static seen   s;
    gm_error      err = { 0 };
    filter(t);
    s = (seen){ 0 };
    gm_smooth_options o = { .parts = 2, .every = S, .lag = GM_SMOOTH_ALL, .visit = take, .context = &s };
    assert_gm_ok(run(gm_alloc_system(), o, 0, &err), err);
    assert_int_equal(s.count, STEPS + 1);
    for (int k = 0; k <= STEPS; k++) expect(&s, (size_t)k, t, k, STEPS);
    assert_true(s.cov[60][0] < 0.8 * t[60].P[0][0]);  // looking back pays
    s = (seen){ 0 };
    o.every = 10 * (gm_dur_ns)S;
    assert_gm_ok(run(gm_alloc_system(), o, 0, &err), err);
    assert_int_equal(s.count, STEPS / 10 + 1);
    for (int k = 0; k <= STEPS; k += 10) expect(&s, (size_t)k / 10, t, k, STEPS);
}

static void a_fixed_lag_is_at_least_as_good_as_asked(void **state)
{
    (void)state;
    static moment t[STEPS + 1];
    static seen   s;
    gm_error      err = { 0 };
    filter(t);
    s = (seen){ 0 };
    gm_smooth_options o = { .parts = 2, .every = S, .lag = 15 * (gm_dur_ns)S, .visit = take, .context = &s };
    assert_gm_ok(run(gm_alloc_system(), o, 0, &err), err);
    assert_int_equal(s.count, STEPS + 1);
    // Two lags are waited for, then half of that is given out: 0..15 by 30, 16..31 by 46 and so on.
    for (int k = 0; k <= STEPS; k++) {
        int last = 30 + 16 * (k / 16);
        expect(&s, (size_t)k, t, k, last > STEPS ? STEPS : last);
    }
    // As much memory as two lags need is enough, less is told.
    o.memory_max = 34 * (2 * 2 + 2 * 4) * sizeof(double);
    s = (seen){ 0 };
    assert_gm_ok(run(gm_alloc_system(), o, 0, &err), err);
    o.memory_max /= 2;
    s = (seen){ 0 };
    assert_int_equal(run(gm_alloc_system(), o, 0, &err), GM_LIMIT);
    assert_non_null(strstr(err.text, "lag"));
}

static void what_was_before_a_new_beginning_learns_nothing_from_it(void **state)
{
    (void)state;
    static moment t[STEPS + 1];
    static seen   s;
    gm_error      err = { 0 };
    filter(t);
    s = (seen){ 0 };
    gm_smooth_options o = { .parts = 2, .every = S, .lag = GM_SMOOTH_ALL, .visit = take, .context = &s };
    assert_gm_ok(run(gm_alloc_system(), o, 61, &err), err);
    for (int k = 0; k <= 60; k++) expect(&s, (size_t)k, t, k, 60);
}

static void it_survives_every_refusal_of_memory(void **state)
{
    (void)state;
    static seen s;
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc    fault;
        gm_error          err = { 0 };
        gm_smooth_options o = { .parts = 2, .every = S, .lag = 15 * (gm_dur_ns)S, .visit = take, .context = &s };
        s = (seen){ 0 };
        gm_fault_alloc_init(&fault, k);
        gm_status st = run(&fault.alloc, o, 0, &err);
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.fired) {
            assert_int_equal(st, GM_OK);
            break;
        }
        assert_int_equal(st, GM_NOMEM);
    }
}

// ---- the filter of a group ------------------------------------------------------------------------------------------

enum { SECONDS = 200 };
typedef struct track { size_t count; double mean[SECONDS + 1], deviation[SECONDS + 1]; } track;

static void follow(void *context, gm_time_ns at, const double *mean, const double *cov)
{
    track *t = context;
    (void)at;
    assert_true(t->count <= SECONDS);
    t->mean[t->count]        = mean[0];
    t->deviation[t->count++] = sqrt(cov[0]);
}

static void smooth_decay(const char *members, track *out)
{
    world        w;
    gm_smoother *s = NULL;
    double       truth = 5;
    *out = (track){ 0 };
    open_decay(&w, members);
    gm_estimator     *e = (gm_estimator *)(uintptr_t)gm_vigil_estimator(w.vigil);
    gm_smooth_options o = { .parts = 1, .every = S, .lag = GM_SMOOTH_ALL, .visit = follow, .context = out };
    assert_gm_ok(gm_smoother_create(gm_alloc_system(), &o, &s, &w.err), w.err);
    assert_gm_ok(gm_estimator_smooth(e, s, &w.err), w.err);
    for (uint32_t i = 1; i <= SECONDS; i++) {
        truth = truth * exp(-0.1) + 0.1 * gm_rng_normal(2, 0, 0, i);
        feed(&w, w.x, i, truth + 0.3 * gm_rng_normal(2, 0, 1, i));
        advance(&w, i);
    }
    assert_gm_ok(gm_smoother_end(s, &w.err), w.err);
    close_world(&w);
    gm_smoother_destroy(s);
}

// dx = -0.1 x dt + 0.1 dw: the scalar recursions, forwards and backwards.
static void a_group_agrees_with_the_closed_form_and_an_ensemble_comes_near(void **state)
{
    (void)state;
    static track unscented, ensemble;
    double m[SECONDS + 1] = { 5 }, P[SECONDS + 1] = { 4 }, mp[SECONDS + 1], Pp[SECONDS + 1], f = exp(-0.1), truth = 5;
    for (uint32_t i = 1; i <= SECONDS; i++) {
        truth = truth * f + 0.1 * gm_rng_normal(2, 0, 0, i);
        mp[i] = f * m[i - 1];
        Pp[i] = f * f * P[i - 1] + 0.01;
        double gain = Pp[i] / (Pp[i] + 0.09);
        m[i] = mp[i] + gain * (truth + 0.3 * gm_rng_normal(2, 0, 1, i) - mp[i]);
        P[i] = (1 - gain) * Pp[i];
    }
    for (int i = SECONDS - 1; i >= 0; i--) {
        double D = P[i] * f / Pp[i + 1];
        m[i] += D * (m[i + 1] - mp[i + 1]);
        P[i] += D * D * (P[i + 1] - Pp[i + 1]);
    }
    smooth_decay(LINEAR, &unscented);
    smooth_decay(LINEAR ",\"filter\":\"ensemble\",\"members\":60", &ensemble);
    assert_int_equal(unscented.count, SECONDS + 1);
    double apart = 0;
    for (int i = 0; i <= SECONDS; i++) {
        if (fabs(unscented.mean[i] - m[i]) > 1e-6 || fabs(unscented.deviation[i] - sqrt(P[i])) > 1e-6)
            fail_msg("second %d: %.9f +- %.9f, closed form %.9f +- %.9f", i, unscented.mean[i], unscented.deviation[i], m[i], sqrt(P[i]));
        // An ensemble is first told of after its first update.
        if (i > 20) apart += (ensemble.mean[i - 1] - m[i]) * (ensemble.mean[i - 1] - m[i]) / P[i] / (SECONDS - 20);
    }
    if (!(apart < 0.25)) fail_msg("the ensemble is %.3f deviations off", sqrt(apart));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fixed_interval_agrees_with_the_closed_form),
        cmocka_unit_test(a_fixed_lag_is_at_least_as_good_as_asked),
        cmocka_unit_test(what_was_before_a_new_beginning_learns_nothing_from_it),
        cmocka_unit_test(it_survives_every_refusal_of_memory),
        cmocka_unit_test(a_group_agrees_with_the_closed_form_and_an_ensemble_comes_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
