// Groups of redundant units against closed forms (A. Birolini, Reliability Engineering, chapters 2 and 6).
#include "failure/markov.h"
#include "support/support.h"

#include <math.h>

static void near(double a, double b, double tolerance, const char *what)
{
    if (!(fabs(a - b) <= tolerance * fmax(fabs(b), 1e-300))) fail_msg("%s: %.17g, expected %.17g", what, a, b);
}

static gm_standby_group group(const gm_standby_unit *units, uint32_t count, uint32_t working, double waiting)
{
    return (gm_standby_group){ .units = units, .count = count, .working = working, .waiting = waiting, .fails_now = GM_STANDBY_NOBODY };
}

static double choose(unsigned n, unsigned k)
{
    double c = 1;
    for (unsigned i = 1; i <= k; i++) c = c * (n - k + i) / i;
    return c;
}

static void one_unit_fails_and_is_repaired(void **state)
{
    (void)state;
    for (double l = 1e-7; l < 1; l *= 10)
        for (double t = 1e-3; t < 1e6; t *= 10) {
            gm_standby_unit  u = { .rate = l };
            gm_standby_group g = group(&u, 1, 1, 1);
            near(gm_standby_unreliability(&g, t), -expm1(-l * t), 1e-12, "exponential");
            u.repair = 0.04;
            near(gm_standby_unavailability(&g, t), l / (l + u.repair) * -expm1(-(l + u.repair) * t), 1e-11, "repairable");
            u.down = true;
            near(gm_standby_unavailability(&g, t), (l + u.repair * exp(-(l + u.repair) * t)) / (l + u.repair), 1e-11, "repairable, down at first");
        }
}

static void k_out_of_n_is_binomial(void **state)
{
    (void)state;
    gm_standby_unit units[GM_STANDBY_UNITS_MAX];
    const double    l = 2e-4, mu = 0.05, t = 700;
    for (unsigned n = 1; n <= GM_STANDBY_UNITS_MAX; n++)
        for (unsigned k = 1; k <= n; k++) {
            gm_standby_group g = group(units, n, k, 1);
            double p = -expm1(-l * t), q = l / (l + mu), down = 0, steady = 0, mean = 0;
            for (unsigned i = 0; i < n; i++) units[i] = (gm_standby_unit){ .rate = l };
            for (unsigned i = n - k + 1; i <= n; i++) {
                down += choose(n, i) * pow(p, i) * pow(1 - p, n - i);
                steady += choose(n, i) * pow(q, i) * pow(1 - q, n - i);
            }
            for (unsigned i = k; i <= n; i++) mean += 1 / (i * l);
            near(gm_standby_unreliability(&g, t), down, 1e-10, "k of n");
            near(gm_standby_mean_time(&g), mean, 1e-12, "mean time of k of n");
            for (unsigned i = 0; i < n; i++) units[i].repair = mu;
            near(gm_standby_steady(&g), steady, 1e-12, "steady k of n");
            near(gm_standby_unavailability(&g, 1e5), steady, 1e-8, "k of n after long");
        }
}

static void cold_standby_is_erlang_and_switching_takes_its_share(void **state)
{
    (void)state;
    const double    l = 1e-3, t = 900, x = l * t;
    gm_standby_unit units[4];
    for (unsigned i = 0; i < 4; i++) units[i] = (gm_standby_unit){ .rate = l };
    double term = exp(-x), alive = 0;
    for (unsigned n = 1; n <= 4; n++) {
        gm_standby_group g = group(units, n, 1, 0);
        alive += term;
        term *= x / n;
        near(gm_standby_unreliability(&g, t), 1 - alive, 1e-11, "Erlang");
        near(gm_standby_mean_time(&g), n / l, 1e-12, "mean time of cold standby");
    }
    gm_standby_group g = group(units, 2, 1, 0);
    g.switching        = 0.02;
    near(gm_standby_unreliability(&g, t), 1 - exp(-x) * (1 + 0.98 * x), 1e-12, "switching");
    g.fails_now = 0;
    near(gm_standby_unreliability(&g, t), 1 - 0.98 * exp(-x), 1e-12, "the first fails now");
    g.fails_now    = GM_STANDBY_NOBODY;
    units[1].rate  = 3e-3;
    g.switching    = 0;
    near(gm_standby_unreliability(&g, t), 1 - (3e-3 * exp(-l * t) - l * exp(-3e-3 * t)) / (3e-3 - l), 1e-12, "hypoexponential");
}

static void warm_standby_lies_between(void **state)
{
    (void)state;
    const double     l = 1e-3, a = 0.25, t = 500;
    gm_standby_unit  units[2] = { { .rate = l }, { .rate = l } };
    gm_standby_group g        = group(units, 2, 1, a);
    // R = e^-lt + (l / al) (e^-lt - e^-(l+al)t)
    near(gm_standby_unreliability(&g, t), 1 - exp(-l * t) - (exp(-l * t) - exp(-(1 + a) * l * t)) / a, 1e-11, "warm");
}

static void repairable_pairs_have_their_known_mean_times(void **state)
{
    (void)state;
    const double     l = 1e-3, mu = 0.02;
    gm_standby_unit  units[2] = { { l, mu, false }, { l, mu, false } };
    gm_standby_group g        = group(units, 2, 1, 1);
    near(gm_standby_mean_time(&g), (3 * l + mu) / (2 * l * l), 1e-11, "hot pair");
    g.waiting = 0;
    near(gm_standby_mean_time(&g), (2 * l + mu) / (l * l), 1e-11, "cold pair");
    double r = l / mu;
    g.crews  = 1;
    near(gm_standby_steady(&g), r * r / (1 + r + r * r), 1e-12, "cold pair, one crew");
    g.waiting = 1;
    near(gm_standby_steady(&g), 2 * r * r / (1 + 2 * r + 2 * r * r), 1e-12, "hot pair, one crew");
    units[0] = units[1] = (gm_standby_unit){ 0 };
    assert_true(isinf(gm_standby_mean_time(&g)) && isnan(gm_standby_steady(&g)));
}

// By small steps of time: another way to the same numbers, for whatever is put together at random.
static void any_group_agrees_with_small_steps(void **state)
{
    (void)state;
    uint64_t seed = gm_test_seed();
    for (int round = 0; round < 20; round++) {
        gm_standby_unit  units[3];
        gm_standby_group g = group(units, 3, 1 + (uint32_t)(round % 2), (round % 3) / 2.0);
        double           p[8] = { 1 }, q[8], exact[8];
        for (int i = 0; i < 3; i++) {
            seed     = seed * 6364136223846793005u + 1442695040888963407u;
            units[i] = (gm_standby_unit){ 1e-3 * (double)(seed >> 60), i == round % 3 ? 0 : 2e-3 * (double)(seed >> 56 & 15), false };
        }
        const int steps = 40000;
        for (int k = 0; k < steps; k++) {
            for (int s = 0; s < 8; s++) q[s] = p[s];
            for (unsigned s = 0; s < 8; s++) {
                unsigned working = 0;
                for (unsigned i = 0; i < 3; i++) {
                    bool     down = (s >> i & 1) != 0;
                    double   rate = down ? units[i].repair : units[i].rate * (working++ < g.working ? 1 : g.waiting);
                    unsigned to   = s ^ 1u << i;
                    q[to] += p[s] * rate * (100.0 / steps);
                    q[s] -= p[s] * rate * (100.0 / steps);
                }
            }
            for (int s = 0; s < 8; s++) p[s] = q[s];
        }
        gm_standby_at(&g, 100, exact);
        for (int s = 0; s < 8; s++)
            if (fabs(exact[s] - p[s]) > 2e-5) fail_msg("seed %llu, round %d, set %d: %.9g, by steps %.9g", (unsigned long long)gm_test_seed(), round, s, exact[s], p[s]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_unit_fails_and_is_repaired),
        cmocka_unit_test(k_out_of_n_is_binomial),
        cmocka_unit_test(cold_standby_is_erlang_and_switching_takes_its_share),
        cmocka_unit_test(warm_standby_lies_between),
        cmocka_unit_test(repairable_pairs_have_their_known_mean_times),
        cmocka_unit_test(any_group_agrees_with_small_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
