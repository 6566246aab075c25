// On linear problems the unscented filter is Kalman's; its errors are as large as it says.
#include "insight/estimate/health.h"
#include "insight/estimate/modes.h"
#include "insight/estimate/particle.h"
#include "insight/estimate/ukf.h"
#include "base/rng.h"
#include "support/support.h"

#include <math.h>

enum { P2 = 5 };  // points of two states

// A body of constant speed, seen with an error: x' = x + v dt, v' = v, noise q on both, z = x + noise.
typedef struct body { double x[2], P[2][2]; } body;

static void kalman_predict(body *b, double dt, const double *q)
{
    double (*P)[2] = b->P;
    b->x[0] += dt * b->x[1];
    P[0][0] += 2 * dt * P[0][1] + dt * dt * P[1][1] + q[0];
    P[0][1] = P[1][0] = P[0][1] + dt * P[1][1];
    P[1][1] += q[1];
}

static double kalman_update(body *b, double z, double r)  // the log-likelihood
{
    double S = b->P[0][0] + r, d = z - b->x[0], K0 = b->P[0][0] / S, K1 = b->P[0][1] / S;
    b->x[0] += K0 * d;
    b->x[1] += K1 * d;
    b->P[1][1] -= K1 * b->P[0][1];
    b->P[0][1] = b->P[1][0] = (1 - K0) * b->P[0][1];
    b->P[0][0] *= 1 - K0;
    return -0.5 * (d * d / S + log(2 * 3.14159265358979323846 * S));
}

static void advance(double *points, double dt)
{
    for (int k = 0; k < P2; k++) points[k] += dt * points[P2 + k];
}

static void linear_problems_come_out_as_kalmans(void **state)
{
    (void)state;
    uint64_t     seed = gm_test_seed();
    const double q[] = { 0.01, 0.04 }, r = 0.5, dt = 0.7, first[] = { 1, 2 }, deviation[] = { 3, 1 };
    gm_ukf      *u;
    gm_error     err  = { 0 };
    body         b    = { { 1, 2 }, { { 9, 0 }, { 0, 1 } } };
    double       nees = 0, nis = 0, truth[2] = { first[0] + 3 * gm_rng_normal(seed, 0, 0, 0), first[1] + gm_rng_normal(seed, 0, 1, 0) };
    enum { STEPS = 400 };
    assert_gm_ok(gm_ukf_create(gm_alloc_system(), 2, 1, &u, &err), err);
    assert_int_equal(gm_ukf_point_count(u), P2);
    gm_ukf_set(u, first, deviation);
    for (uint32_t i = 1; i <= STEPS; i++) {
        double points[2 * P2], innovation, expected;
        truth[0] += dt * truth[1] + sqrt(q[0]) * gm_rng_normal(seed, 0, 2, i);
        truth[1] += sqrt(q[1]) * gm_rng_normal(seed, 0, 3, i);
        double z = truth[0] + sqrt(r) * gm_rng_normal(seed, 0, 4, i);
        gm_ukf_points(u, points);
        advance(points, dt);
        assert_gm_ok(gm_ukf_predict(u, points, q, &err), err);
        kalman_predict(&b, dt, q);
        gm_ukf_points(u, points);
        gm_ukf_report report;
        assert_gm_ok(gm_ukf_update(u, points, points, 1, &z, &r, &innovation, &expected, &report, &err), err);
        double l = kalman_update(&b, z, r);
        for (int a = 0; a < 2; a++) {
            assert_true(fabs(gm_ukf_mean(u)[a] - b.x[a]) < 1e-9 * (1 + fabs(b.x[a])));
            for (int c = 0; c < 2; c++) assert_true(fabs(gm_ukf_covariance(u, (uint32_t)a, (uint32_t)c) - b.P[a][c]) < 1e-10);
        }
        assert_true(fabs(report.log_likelihood - l) < 1e-9 * (1 + fabs(l)));
        double e0 = truth[0] - b.x[0], e1 = truth[1] - b.x[1], det = b.P[0][0] * b.P[1][1] - b.P[0][1] * b.P[0][1];
        nees += (e0 * e0 * b.P[1][1] - 2 * e0 * e1 * b.P[0][1] + e1 * e1 * b.P[0][0]) / det;
        nis += report.nis;
    }
    // NIS: independent, chi-square with one degree each. NEES is not independent from step to step; its bounds are wider.
    double low = gm_chi_square_quantile(STEPS, 1e-5), high = gm_chi_square_quantile(STEPS, 1 - 1e-5);
    if (nis < low || nis > high) fail_msg("NIS %g is outside %g..%g (seed %" PRIu64 ")", nis, low, high, seed);
    if (nees < STEPS * 2 * 0.6 || nees > STEPS * 2 * 1.6) fail_msg("NEES %g of %d (seed %" PRIu64 ")", nees, STEPS * 2, seed);
    gm_ukf_destroy(u);
}

static void a_failed_update_leaves_the_filter_alone(void **state)
{
    (void)state;
    gm_ukf *u;
    gm_error err = { 0 };
    double points[2 * P2], z = 1, r = 1, q[] = { 0, 0 };
    assert_gm_ok(gm_ukf_create(gm_alloc_system(), 2, 1, &u, &err), err);
    gm_ukf_set(u, (double[]){ 1, 2 }, (double[]){ 3, 4 });
    gm_ukf_points(u, points);
    points[3] = NAN;
    assert_int_equal(gm_ukf_predict(u, points, q, &err), GM_DIVERGED);
    assert_int_equal(gm_ukf_update(u, points, points, 1, &z, &r, NULL, NULL, NULL, &err), GM_DIVERGED);
    z = INFINITY;
    gm_ukf_points(u, points);
    assert_int_equal(gm_ukf_update(u, points, points, 1, &z, &r, NULL, NULL, NULL, &err), GM_DIVERGED);
    assert_true(gm_ukf_mean(u)[0] == 1 && gm_ukf_variance(u, 0) == 9 && gm_ukf_variance(u, 1) == 16);
    gm_ukf_destroy(u);
}

// y = x^2 of a normal x: mean m^2 + s^2 and variance 4 m^2 s^2 + 2 s^4; three points get both exactly with kappa = 3 - n.
static void three_points_carry_a_square(void **state)
{
    (void)state;
    gm_ukf  *u;
    gm_error err = { 0 };
    double   m = 3, s = 0.5, points[3], zero = 0;
    assert_gm_ok(gm_ukf_create(gm_alloc_system(), 1, 1, &u, &err), err);
    gm_ukf_set(u, &m, &s);
    gm_ukf_points(u, points);
    for (int k = 0; k < 3; k++) points[k] *= points[k];
    assert_gm_ok(gm_ukf_predict(u, points, &zero, &err), err);
    assert_true(fabs(gm_ukf_mean(u)[0] - (m * m + s * s)) < 1e-12);
    assert_true(fabs(gm_ukf_variance(u, 0) - (4 * m * m * s * s + 2 * s * s * s * s)) < 1e-12);
    gm_ukf_destroy(u);
}

// ---- particles ---------------------------------------------------------------------------------------------------------------

static void particles_find_the_posterior_of_a_normal(void **state)
{
    (void)state;
    enum { N = 20000 };
    static double x[N], w[N];
    const double  y = 1.5, r = 0.5;  // prior N(0, 1): posterior mean y / (1 + r), variance r / (1 + r); evidence N(0, 1 + r)
    gm_particles *p;
    gm_error      err = { 0 };
    assert_gm_ok(gm_particles_create(gm_alloc_system(), N, 1, &p, &err), err);
    for (uint32_t k = 0; k < N; k++) {
        x[k] = gm_normal_quantile((k + 0.5) / N);
        w[k] = -log(N);
    }
    double evidence = gm_particles_weigh(w, N, x, &y, &r, 1);
    assert_true(fabs(evidence + 0.5 * (y * y / (1 + r) + log(2 * 3.14159265358979323846 * (1 + r)))) < 1e-3);
    assert_true(fabs(gm_particles_mean(x, w, N) - y / (1 + r)) < 1e-3);
    assert_true(fabs(gm_particles_variance(x, w, N) - r / (1 + r)) < 1e-3);
    double effective = gm_particles_effective(w, N);
    assert_true(effective > 0.2 * N && effective < N);
    assert_gm_ok(gm_particles_resample(p, x, 1, w, &(gm_ensemble_noise){ 3, 1 }, 0.1, &err), err);
    assert_true(fabs(gm_particles_effective(w, N) - N) < 1e-3);
    assert_true(fabs(gm_particles_mean(x, w, N) - y / (1 + r)) < 0.01);
    assert_true(fabs(gm_particles_variance(x, w, N) / (r / (1 + r)) - 1) < 0.03);
    // What nobody explains changes nothing, and says so.
    for (uint32_t k = 0; k < N; k++) x[k] = NAN;
    assert_true(gm_particles_weigh(w, N, x, &y, &r, 1) == -INFINITY);
    assert_true(w[0] == -log(N));
    gm_particles_destroy(p);
}

// ---- modes -------------------------------------------------------------------------------------------------------------------

static void the_mode_that_holds_is_found(void **state)
{
    (void)state;
    // A tank's level: healthy it stays, leaking it falls by 0.5 a step; the leak begins at step 60. One step's noise can look
    // like the other mode for a moment, so what counts is which mode holds in nine steps of ten.
    uint64_t     seed = gm_test_seed();
    gm_modes    *modes;
    gm_ukf      *filters[2];
    gm_error     err = { 0 };
    const double change[] = { 0.98, 0.02, 0.02, 0.98 }, first[] = { 0.5, 0.5 }, rates[] = { 0, -0.5 }, q = 0.001, r = 0.04;
    double       mean = 10, deviation = 1, level = 10;
    uint32_t     healthy = 0, leaking = 0;
    assert_gm_ok(gm_modes_create(gm_alloc_system(), 2, 1, &modes, &err), err);
    gm_modes_set(modes, first, change);
    for (int i = 0; i < 2; i++) {
        assert_gm_ok(gm_ukf_create(gm_alloc_system(), 1, 1, &filters[i], &err), err);
        gm_ukf_set(filters[i], &mean, &deviation);
    }
    for (uint32_t step = 0; step < 100; step++) {
        double likelihoods[2], z;
        level += (step >= 60 ? -0.5 : 0) + sqrt(q) * gm_rng_normal(seed, 0, 0, step);
        z = level + sqrt(r) * gm_rng_normal(seed, 0, 1, step);
        assert_gm_ok(gm_modes_mix(modes, filters, &err), err);
        for (int i = 0; i < 2; i++) {
            double        points[3];
            gm_ukf_report report;
            gm_ukf_points(filters[i], points);
            for (int k = 0; k < 3; k++) points[k] += rates[i];
            assert_gm_ok(gm_ukf_predict(filters[i], points, &q, &err), err);
            gm_ukf_points(filters[i], points);
            assert_gm_ok(gm_ukf_update(filters[i], points, points, 1, &z, &r, NULL, NULL, &report, &err), err);
            likelihoods[i] = report.log_likelihood;
        }
        gm_modes_weigh(modes, likelihoods);
        healthy += step >= 30 && step < 60 && gm_modes_probability(modes)[0] > 0.5;
        leaking += step >= 70 && gm_modes_probability(modes)[1] > 0.5;
    }
    if (healthy < 27 || leaking < 27) fail_msg("of 30 steps each %u healthy, %u leaking (seed %" PRIu64 ")", healthy, leaking, seed);
    double combined, variance;
    gm_modes_combine(modes, filters, &combined, &variance);
    // Two modes half apart add at most a quarter of the square of what lies between them to the variance of one.
    assert_true(fabs(combined - level) < 6 * sqrt(variance) && variance < r + 0.25 * 0.5 * 0.5);
    for (int i = 0; i < 2; i++) gm_ukf_destroy(filters[i]);
    gm_modes_destroy(modes);
}

// ---- health ------------------------------------------------------------------------------------------------------------------

static void health_tells_what_is_wrong(void **state)
{
    (void)state;
    static const struct { double size, colour; gm_health_state want; } cases[] = {
        { 1, 0, GM_HEALTH_GOOD }, { 2, 0, GM_HEALTH_TOO_SURE }, { 0.4, 0, GM_HEALTH_TOO_SHY }, { 1, 0.6, GM_HEALTH_COLOURED },
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        gm_health h;
        double    shift = 0;
        gm_health_init(&h);
        for (uint32_t i = 0; i < 300; i++) {
            if (i == 10) assert_int_equal(gm_health_judge(&h).state, GM_HEALTH_UNKNOWN);
            shift = cases[c].colour * shift + sqrt(1 - cases[c].colour * cases[c].colour) * gm_rng_normal(11, 0, (uint32_t)c, i);
            gm_health_add(&h, shift * shift * cases[c].size * cases[c].size, 1, shift * cases[c].size);
        }
        gm_health_verdict v = gm_health_judge(&h);
        if (v.state != cases[c].want) fail_msg("case %zu: %s (NIS %g in %g..%g, correlation %g)", c, gm_health_text(v.state), v.nis_mean, v.nis_low, v.nis_high, v.correlation);
    }
    // Reference: tables of the chi-square distribution, 95 %.
    assert_true(fabs(gm_chi_square_quantile(10, 0.95) / 18.307 - 1) < 0.003);
    assert_true(fabs(gm_chi_square_quantile(100, 0.95) / 124.342 - 1) < 0.001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_problems_come_out_as_kalmans),
        cmocka_unit_test(a_failed_update_leaves_the_filter_alone),
        cmocka_unit_test(three_points_carry_a_square),
        cmocka_unit_test(particles_find_the_posterior_of_a_normal),
        cmocka_unit_test(the_mode_that_holds_is_found),
        cmocka_unit_test(health_tells_what_is_wrong),
    };
    return cmocka_run_group_tests_name("insight.filters", tests, NULL, NULL);
}
