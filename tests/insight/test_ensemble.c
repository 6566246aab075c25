// Ensemble updates against Kalman's equations on the ensemble's own covariance, written out here.
#include "insight/estimate/ensemble.h"
#include "base/rng.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

enum { N = 20, STATES = 3, SEEN = 2 };

static const double H[SEEN][STATES] = { { 1, 0, 0.5 }, { 0, 2, -1 } };

static void expectations(const double *E, double *HE)
{
    for (int i = 0; i < SEEN; i++) {
        for (int k = 0; k < N; k++) {
            HE[i * N + k] = 0;
            for (int j = 0; j < STATES; j++) HE[i * N + k] += H[i][j] * E[j * N + k];
        }
    }
}

static double covariance(const double *a, const double *b)
{
    double ma = gm_ensemble_mean(a, N), mb = gm_ensemble_mean(b, N), sum = 0;
    for (int k = 0; k < N; k++) sum += (a[k] - ma) * (b[k] - mb);
    return sum / (N - 1);
}

// Kalman's update of mean and covariance for two measurements, by hand.
static void kalman(const double *E, const double *HE, const double *y, const double *r, double *mean, double P[STATES][STATES])
{
    double S[2][2], C[STATES][2], d[2], det;
    for (int a = 0; a < 2; a++) {
        for (int b = 0; b < 2; b++) S[a][b] = covariance(HE + a * N, HE + b * N) + (a == b ? r[a] : 0);
        d[a] = y[a] - gm_ensemble_mean(HE + a * N, N);
    }
    det = S[0][0] * S[1][1] - S[0][1] * S[1][0];
    for (int i = 0; i < STATES; i++) {
        double K0, K1;
        for (int a = 0; a < 2; a++) C[i][a] = covariance(E + i * N, HE + a * N);
        K0 = (C[i][0] * S[1][1] - C[i][1] * S[1][0]) / det;
        K1 = (C[i][1] * S[0][0] - C[i][0] * S[0][1]) / det;
        mean[i] = gm_ensemble_mean(E + i * N, N) + K0 * d[0] + K1 * d[1];
        for (int j = 0; j < STATES; j++) P[i][j] = covariance(E + i * N, E + j * N) - K0 * covariance(E + j * N, HE) - K1 * covariance(E + j * N, HE + N);
    }
}

static void fill(double *E, uint64_t seed)
{
    for (int i = 0; i < STATES; i++) {
        for (int k = 0; k < N; k++) E[i * N + k] = 10 * i + (1 + i) * gm_rng_normal(seed, (uint32_t)k, (uint32_t)i, 0) + (i > 0 ? 0.5 * E[k] : 0);
    }
}

static void every_kind_moves_the_mean_as_kalman_does(void **state)
{
    (void)state;
    uint64_t          seed = gm_test_seed();
    const double      y[] = { 7, 3 }, r[] = { 0.5, 2 };
    gm_ensemble      *e;
    gm_error          err = { 0 };
    assert_gm_ok(gm_ensemble_create(gm_alloc_system(), N, SEEN, &e, &err), err);
    for (int kind = 0; kind < GM_ENSEMBLE_KIND_COUNT; kind++) {
        double E[STATES * N], HE[SEEN * N], X[N * N], mean[STATES], P[STATES][STATES];
        fill(E, seed);
        expectations(E, HE);
        kalman(E, HE, y, r, mean, P);
        gm_ensemble_seen   seen  = { SEEN, HE, y, r, NULL };
        gm_ensemble_noise  noise = { seed, 1 };
        gm_ensemble_report report;
        assert_gm_ok(gm_ensemble_solve(e, (gm_ensemble_kind)kind, &seen, &noise, X, &report, &err), err);
        // Innovation' S^-1 innovation, by hand.
        double S00 = covariance(HE, HE) + r[0], S11 = covariance(HE + N, HE + N) + r[1], S01 = covariance(HE, HE + N);
        double d0 = y[0] - gm_ensemble_mean(HE, N), d1 = y[1] - gm_ensemble_mean(HE + N, N);
        double nis = (d0 * d0 * S11 - 2 * d0 * d1 * S01 + d1 * d1 * S00) / (S00 * S11 - S01 * S01);
        assert_true(fabs(report.nis / nis - 1) < 1e-9);
        gm_ensemble_apply(e, X, E, STATES);
        for (int i = 0; i < STATES; i++) {
            double got = gm_ensemble_mean(E + i * N, N);
            if (fabs(got - mean[i]) > 1e-9) fail_msg("kind %d: mean %d is %.12g, Kalman %.12g", kind, i, got, mean[i]);
            for (int j = 0; kind == GM_ENSEMBLE_TRANSFORM && j < STATES; j++) {
                double c = covariance(E + i * N, E + j * N);
                if (fabs(c - P[i][j]) > 1e-9) fail_msg("covariance %d %d is %.12g, Kalman %.12g", i, j, c, P[i][j]);
            }
            // The deterministic kind keeps a little too much spread, never too little: Sakov and Oke, eq. 15.
            if (kind == GM_ENSEMBLE_DETERMINISTIC) assert_true(covariance(E + i * N, E + i * N) >= P[i][i] - 1e-12);
        }
    }
    gm_ensemble_destroy(e);
}

static void a_rotation_keeps_mean_and_covariance(void **state)
{
    (void)state;
    uint64_t     seed = gm_test_seed();
    double       E[STATES * N], before[STATES * N], X[N * N] = { 0 };
    gm_ensemble *e;
    gm_error     err = { 0 };
    assert_gm_ok(gm_ensemble_create(gm_alloc_system(), N, SEEN, &e, &err), err);
    for (int k = 0; k < N; k++) X[k * N + k] = 1;
    fill(E, seed);
    memcpy(before, E, sizeof E);
    assert_gm_ok(gm_ensemble_rotate(e, &(gm_ensemble_noise){ seed, 2 }, X, &err), err);
    gm_ensemble_apply(e, X, E, STATES);
    double moved = 0;
    for (int i = 0; i < STATES; i++) {
        assert_true(fabs(gm_ensemble_mean(E + i * N, N) - gm_ensemble_mean(before + i * N, N)) < 1e-10);
        for (int j = 0; j < STATES; j++) assert_true(fabs(covariance(E + i * N, E + j * N) - covariance(before + i * N, before + j * N)) < 1e-9);
        for (int k = 0; k < N; k++) moved += fabs(E[i * N + k] - before[i * N + k]);
    }
    assert_true(moved > 1);
    gm_ensemble_destroy(e);
}

static void a_measurement_of_no_weight_changes_nothing(void **state)
{
    (void)state;
    double       E[STATES * N], HE[SEEN * N], X[N * N], Y[N * N];
    const double y[] = { 7, 1e6 }, r[] = { 0.5, 2 }, w[] = { 1, 0 };
    gm_ensemble *e;
    gm_error     err = { 0 };
    assert_gm_ok(gm_ensemble_create(gm_alloc_system(), N, SEEN, &e, &err), err);
    fill(E, 5);
    expectations(E, HE);
    assert_gm_ok(gm_ensemble_solve(e, GM_ENSEMBLE_TRANSFORM, &(gm_ensemble_seen){ 2, HE, y, r, w }, NULL, X, NULL, &err), err);
    assert_gm_ok(gm_ensemble_solve(e, GM_ENSEMBLE_TRANSFORM, &(gm_ensemble_seen){ 1, HE, y, r, NULL }, NULL, Y, NULL, &err), err);
    assert_memory_equal(X, Y, sizeof X);
    HE[3] = NAN;
    assert_int_equal(gm_ensemble_solve(e, GM_ENSEMBLE_TRANSFORM, &(gm_ensemble_seen){ 1, HE, y, r, NULL }, NULL, Y, NULL, &err), GM_DIVERGED);
    gm_ensemble_destroy(e);
}

static void the_taper_is_smooth_and_ends(void **state)
{
    (void)state;
    assert_true(gm_ensemble_taper(0, 3) == 1);
    assert_true(fabs(gm_ensemble_taper(3, 3) - 5.0 / 24) < 1e-12);  // both branches at r = 1
    assert_true(fabs(gm_ensemble_taper(3 - 1e-9, 3) - gm_ensemble_taper(3 + 1e-9, 3)) < 1e-8);
    assert_true(gm_ensemble_taper(6, 3) == 0 && gm_ensemble_taper(-7, 3) == 0 && gm_ensemble_taper(5.9, 3) < 1e-4);
    for (double r = 0.1; r < 6; r += 0.1) assert_true(gm_ensemble_taper(r, 3) <= gm_ensemble_taper(r - 0.1, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_moves_the_mean_as_kalman_does),
        cmocka_unit_test(a_rotation_keeps_mean_and_covariance),
        cmocka_unit_test(a_measurement_of_no_weight_changes_nothing),
        cmocka_unit_test(the_taper_is_smooth_and_ends),
    };
    return cmocka_run_group_tests_name("insight.ensemble", tests, NULL, NULL);
}
