// The benchmarks of data assimilation, in the set-up that DAPPER (Raanes et al., J. Open Source Software 9 (2024) 5150)
// publishes figures for: Lorenz-96 (Sakov and Oke 2008) and Lorenz-63 (Sakov, Oliver and Bertino 2012).
#include "insight/estimate/ensemble.h"
#include "insight/estimate/particle.h"
#include "base/rng.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { L96 = 40, L63 = 3, MEMBERS_MAX = 800 };

typedef struct setup {
    uint32_t n;
    void (*slope)(const double *x, uint32_t N, double *dx);  // rows of N members
    double   dt, variance;
    uint32_t steps;                                          // between measurements
} setup;

// dx_i/dt = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + F, F = 8.
static void lorenz_96(const double *x, uint32_t N, double *dx)
{
    for (uint32_t i = 0; i < L96; i++) {
        const double *a = x + (size_t)((i + 1) % L96) * N, *b = x + (size_t)((i + L96 - 2) % L96) * N;
        const double *c = x + (size_t)((i + L96 - 1) % L96) * N, *d = x + (size_t)i * N;
        for (uint32_t k = 0; k < N; k++) dx[(size_t)i * N + k] = (a[k] - b[k]) * c[k] - d[k] + 8;
    }
}

static void lorenz_63(const double *x, uint32_t N, double *dx)
{
    for (uint32_t k = 0; k < N; k++) {
        double X = x[k], Y = x[N + k], Z = x[2 * N + k];
        dx[k] = 10 * (Y - X);
        dx[N + k] = X * (28 - Z) - Y;
        dx[2 * N + k] = X * Y - 8.0 / 3 * Z;
    }
}

static const setup s96 = { L96, lorenz_96, 0.05, 1, 1 }, s63 = { L63, lorenz_63, 0.01, 2, 25 };

static void rk4(const setup *s, double *x, uint32_t N)
{
    static double k[4][L96 * MEMBERS_MAX], y[L96 * MEMBERS_MAX];
    size_t        size = (size_t)s->n * N;
    static const double at[] = { 0, 0.5, 0.5, 1 };
    for (int stage = 0; stage < 4; stage++) {
        for (size_t i = 0; i < size; i++) y[i] = x[i] + (stage > 0 ? at[stage] * s->dt * k[stage - 1][i] : 0);
        s->slope(y, N, k[stage]);
    }
    for (size_t i = 0; i < size; i++) x[i] += s->dt / 6 * (k[0][i] + 2 * k[1][i] + 2 * k[2][i] + k[3][i]);
}

typedef struct method {
    const char     *name;
    gm_ensemble_kind kind;
    uint32_t        N;
    double          inflation, radius;  // radius 0: not localised
    bool            rotate, particles;
    double          spread;
} method;

static void localised(gm_ensemble *e, const setup *s, const method *m, double *E, const double *y, const double *variance)
{
    static double HE[L96 * MEMBERS_MAX], X[64 * 64];
    double        weight[L96];
    gm_error      err = { 0 };
    memcpy(HE, E, (size_t)s->n * m->N * sizeof *E);
    for (uint32_t i = 0; i < s->n; i++) {
        for (uint32_t j = 0; j < s->n; j++) {
            uint32_t d = i > j ? i - j : j - i;
            weight[j]  = gm_ensemble_taper(d < s->n - d ? d : s->n - d, m->radius);
            if (weight[j] < 1e-3) weight[j] = 0;
        }
        assert_gm_ok(gm_ensemble_solve(e, m->kind, &(gm_ensemble_seen){ s->n, HE, y, variance, weight }, NULL, X, NULL, &err), err);
        gm_ensemble_apply(e, X, E + (size_t)i * m->N, 1);
    }
}

// The root mean square error of the analysed mean over time, after a warm-up.
static double rmse_of(const setup *s, const method *m, uint32_t cycles, uint64_t seed)
{
    static double E[L96 * MEMBERS_MAX], X[MEMBERS_MAX * MEMBERS_MAX], w[MEMBERS_MAX], HE[L96 * MEMBERS_MAX];
    double        truth[L96], y[L96], variance[L96], sum = 0;
    gm_ensemble  *e = NULL;
    gm_particles *p = NULL;
    gm_error      err = { 0 };
    uint32_t      N = m->N, warm = 400, counted = 0;
    assert_gm_ok(gm_ensemble_create(gm_alloc_system(), m->particles ? 2 : N, s->n, &e, &err), err);
    assert_gm_ok(gm_particles_create(gm_alloc_system(), N, s->n, &p, &err), err);
    for (uint32_t i = 0; i < s->n; i++) {
        variance[i] = s->variance;
        truth[i] = (s->n == L63 ? (double[]){ 1.509, -1.531, 25.46 }[i] : (i == 0)) + 0.03 * gm_rng_normal(seed, 0, i, 0);
    }
    for (int i = 0; i < 400; i++) rk4(s, truth, 1);
    for (uint32_t i = 0; i < s->n; i++) {
        // Truth and members are draws of one distribution, of variance 0.001.
        double off = gm_rng_normal(seed, 0, 100 + i, 0);
        for (uint32_t k = 0; k < N; k++) E[(size_t)i * N + k] = truth[i] + 0.0316 * (off + gm_rng_normal(seed, k + 1, i, 0));
    }
    for (uint32_t k = 0; k < N; k++) w[k] = -log(N);
    for (uint32_t c = 1; c <= cycles; c++) {
        for (uint32_t i = 0; i < s->steps; i++) {
            rk4(s, truth, 1);
            rk4(s, E, N);
        }
        for (uint32_t i = 0; i < s->n; i++) y[i] = truth[i] + sqrt(s->variance) * gm_rng_normal(seed, 0, 200 + i, c);
        gm_ensemble_noise noise = { seed + 1, c };
        if (m->particles) {
            gm_particles_weigh(w, N, E, y, variance, s->n);
        } else if (m->radius > 0) {
            localised(e, s, m, E, y, variance);
            gm_ensemble_inflate(E, s->n, N, m->inflation);
        } else {
            memcpy(HE, E, (size_t)s->n * N * sizeof *E);
            assert_gm_ok(gm_ensemble_solve(e, m->kind, &(gm_ensemble_seen){ s->n, HE, y, variance, NULL }, &noise, X, NULL, &err), err);
            if (m->rotate) assert_gm_ok(gm_ensemble_rotate(e, &noise, X, &err), err);
            gm_ensemble_apply(e, X, E, s->n);
            gm_ensemble_inflate(E, s->n, N, m->inflation);
        }
        double square = 0;
        for (uint32_t i = 0; i < s->n; i++) {
            double d = (m->particles ? gm_particles_mean(E + (size_t)i * N, w, N) : gm_ensemble_mean(E + (size_t)i * N, N)) - truth[i];
            square += d * d;
        }
        if (m->particles && gm_particles_effective(w, N) < 0.3 * N) assert_gm_ok(gm_particles_resample(p, E, s->n, w, &noise, m->spread, &err), err);
        if (c > warm) { sum += sqrt(square / s->n); counted++; }
    }
    gm_ensemble_destroy(e);
    gm_particles_destroy(p);
    return sum / counted;
}

static void errors_are_as_small_as_published(void **state)
{
    (void)state;
    // limit: what is asked for; published: DAPPER's figure for the same kind of filter, members and set-up.
    static const struct { const setup *s; method m; double limit, published; uint32_t cycles; } cases[] = {
        { &s96, { "Lorenz-96 ETKF N=40", GM_ENSEMBLE_TRANSFORM, 40, 1.02, 0, true, false, 0 }, 0.19, 0.18, 1300 },
        { &s96, { "Lorenz-96 ETKF N=24", GM_ENSEMBLE_TRANSFORM, 24, 1.02, 0, true, false, 0 }, 0.19, 0.18, 1800 },
        { &s96, { "Lorenz-96 DEnKF N=40", GM_ENSEMBLE_DETERMINISTIC, 40, 1.02, 0, true, false, 0 }, 0.19, 0.18, 1300 },
        { &s96, { "Lorenz-96 perturbed N=40", GM_ENSEMBLE_PERTURBED, 40, 1.06, 0, false, false, 0 }, 0.24, 0.22, 1300 },
        { &s96, { "Lorenz-96 LETKF N=7", GM_ENSEMBLE_TRANSFORM, 7, 1.04, 7.3, false, false, 0 }, 0.25, 0.22, 1300 },
        { &s63, { "Lorenz-63 ETKF N=10", GM_ENSEMBLE_TRANSFORM, 10, 1.02, 0, true, false, 0 }, 0.70, 0.63, 1800 },
        { &s63, { "Lorenz-63 perturbed N=100", GM_ENSEMBLE_PERTURBED, 100, 1.01, 0, false, false, 0 }, 0.70, 0.62, 1400 },
        { &s63, { "Lorenz-63 particles N=800", GM_ENSEMBLE_TRANSFORM, 800, 1, 0, false, true, 0.9 }, 0.35, 0.28, 800 },
    };
    // The error varies with the seed by a few percent (over ten seeds the first is 0.175 to 0.189), and about one run in ten of
    // the smallest ensemble loses its truth in the first moments. So the seed is fixed unless GM_SEED names another.
    bool     deep = getenv("GM_DEEP") != NULL;
    uint64_t seed = getenv("GM_SEED") != NULL ? gm_test_seed() : 4;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double rmse = rmse_of(cases[i].s, &cases[i].m, deep ? 10000 : cases[i].cycles, seed);
        print_message("%-26s rmse %.3f, asked %.2f, published %.2f\n", cases[i].m.name, rmse, cases[i].limit, cases[i].published);
        if (!(rmse <= cases[i].limit)) fail_msg("%s: %.3f (seed %" PRIu64 ")", cases[i].m.name, rmse, seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(errors_are_as_small_as_published) };
    return cmocka_run_group_tests_name("insight.lorenz", tests, NULL, NULL);
}
