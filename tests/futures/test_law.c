#include "futures/law.h"

#include "futures/select.h"
#include "futures/special.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>

static void near_to(double got, double want, double relative, const char *what)
{
    if (!(fabs(got - want) <= relative * (fabs(want) + 1e-300))) fail_msg("%s: %.17g, not %.17g", what, got, want);
}

static void distribution_functions_agree_with_closed_forms(void **state)
{
    (void)state;
    for (double x = 0.01; x < 60; x *= 1.3) {
        near_to(gm_gamma_cdf(1, x), -expm1(-x), 1e-12, "P(1, x) = 1 - e^-x");
        near_to(gm_gamma_cdf(0.5, x), erf(sqrt(x)), 1e-12, "P(1/2, x) = erf(sqrt x)");
        // The chance of at least 3 Poisson events.
        if (x > 1) near_to(gm_gamma_cdf(3, x), 1 - exp(-x) * (1 + x + x * x / 2), 1e-12, "P(3, x)");
    }
    for (double x = 0.01; x < 1; x += 0.01) {
        near_to(gm_beta_cdf(2, 3, x), x * x * (6 - 8 * x + 3 * x * x), 1e-12, "I_x(2, 3)");
        near_to(gm_beta_cdf(0.5, 0.5, x), 2 / M_PI * asin(sqrt(x)), 1e-12, "I_x(1/2, 1/2), the arcsine law");
        near_to(gm_beta_cdf(1, 7, x), -expm1(7 * log1p(-x)), 1e-12, "I_x(1, b)");
    }
    near_to(gm_normal_cdf(1.959963984540054), 0.975, 1e-14, "97.5 %");
    assert_true(isnan(gm_gamma_cdf(-1, 1)) && isnan(gm_beta_cdf(1, 0, 0.5)) && isnan(gm_gamma_quantile(1, 2)));
}

static void quantiles_are_inverses_for_shapes_far_apart(void **state)
{
    (void)state;
    static const double shapes[] = { 0.001, 0.05, 0.5, 1, 2.5, 30, 1000, 100000 };
    static const double shares[] = { 1e-9, 1e-3, 0.1, 0.5, 0.9, 0.999, 1 - 1e-9 };
    for (size_t i = 0; i < 8; i++) {
        for (size_t j = 0; j < 7; j++) {
            double x = gm_gamma_quantile(shapes[i], shares[j]);
            // Below about 1e-300 the value is lost to the exponent's range, and 0 is the nearest answer.
            if (x > 1e-290) near_to(gm_gamma_cdf(shapes[i], x), shares[j], 1e-9, "gamma");
            for (size_t k = 0; k < 8; k++) {
                double y = gm_beta_quantile(shapes[i], shapes[k], shares[j]);
                if (y > 1e-290 && y < 1 - 1e-10) near_to(gm_beta_cdf(shapes[i], shapes[k], y), shares[j], 1e-6, "beta");
            }
        }
    }
}

// Mean and variance by the midpoint rule over u against the textbook's.
static void laws_have_the_moments_of_their_textbooks(void **state)
{
    (void)state;
    static const double sample[] = { 1, 2, 4, 8 };
    const struct { gm_law law; double mean, variance; } cases[] = {
        { { GM_LAW_POINT, { 3 } }, 3, 0 },
        { { GM_LAW_UNIFORM, { 2, 5 } }, 3.5, 0.75 },
        { { GM_LAW_NORMAL, { 20, 2, -INFINITY, INFINITY } }, 20, 4 },
        { { GM_LAW_NORMAL, { 0, 1, 0, INFINITY } }, sqrt(2 / M_PI), 1 - 2 / M_PI },  // half normal
        { { GM_LAW_LOGNORMAL, { 0, 0.5 } }, exp(0.125), (exp(0.25) - 1) * exp(0.25) },
        { { GM_LAW_TRIANGULAR, { 0, 1, 4 } }, 5.0 / 3, (0 + 1 + 16 - 0 - 0 - 4) / 18.0 },
        { { GM_LAW_EXPONENTIAL, { 3 } }, 3, 9 },
        { { GM_LAW_WEIBULL, { 2, 10 } }, 10 * tgamma(1.5), 100 * (1 - tgamma(1.5) * tgamma(1.5)) },
        { { GM_LAW_GAMMA, { 2.5, 4 } }, 10, 40 },
        { { GM_LAW_BETA, { 2, 3, 10, 20 } }, 14, 100 * 6.0 / (25 * 6) },
        { { GM_LAW_CHOICE, { 0 }, sample, 4 }, 3.75, (1 + 4 + 16 + 64) / 4.0 - 3.75 * 3.75 },
    };
    enum { POINTS = 200000 };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_error err = { 0 };
        assert_gm_ok(gm_law_check(&cases[i].law, &err), err);
        double sum = 0, square = 0, last = -INFINITY;
        int    points = cases[i].law.kind == GM_LAW_GAMMA || cases[i].law.kind == GM_LAW_BETA ? POINTS / 20 : POINTS;
        for (int k = 0; k < points; k++) {
            double x = gm_law_at(&cases[i].law, (k + 0.5) / points);
            if (x < last) fail_msg("%s falls at %d", gm_law_text(cases[i].law.kind), k);
            last = x;
            sum += x / points;
            square += (x - cases[i].mean) * (x - cases[i].mean) / points;
        }
        near_to(sum, cases[i].mean, 2e-4, gm_law_text(cases[i].law.kind));
        if (fabs(square - cases[i].variance) > 6e-3 * cases[i].variance + 1e-12) fail_msg("%s: variance %g, not %g", gm_law_text(cases[i].law.kind), square, cases[i].variance);
    }
}

static void an_empirical_law_passes_through_its_sample(void **state)
{
    (void)state;
    static const double sample[] = { 1, 2, 4, 8 };
    gm_law law = { .kind = GM_LAW_EMPIRICAL, .values = sample, .count = 4 };
    for (int i = 0; i < 4; i++) near_to(gm_law_at(&law, (i + 0.5) / 4), sample[i], 1e-15, "order statistic");
    near_to(gm_law_at(&law, 0.5), 3, 1e-15, "between");
    near_to(gm_law_at(&law, 1e-9), 1, 1e-15, "below");
    near_to(gm_law_at(&law, 1 - 1e-9), 8, 1e-15, "above");
}

static void impossible_laws_are_refused_with_the_reason(void **state)
{
    (void)state;
    static const double falling[] = { 2, 1 };
    const struct { gm_law law; const char *says; } cases[] = {
        { { GM_LAW_UNIFORM, { 5, 2 } }, "first bound" },
        { { GM_LAW_UNIFORM, { 0, INFINITY } }, "bound" },
        { { GM_LAW_NORMAL, { 0, -1, -INFINITY, INFINITY } }, "negative" },
        { { GM_LAW_NORMAL, { 0, 1, 2, 1 } }, "lower cut" },
        { { GM_LAW_NORMAL, { NAN, 1, -INFINITY, INFINITY } }, "normal" },
        { { GM_LAW_TRIANGULAR, { 0, 5, 4 } }, "mode" },
        { { GM_LAW_EXPONENTIAL, { 0 } }, "above 0" },
        { { GM_LAW_WEIBULL, { 0, 1 } }, "shape" },
        { { GM_LAW_GAMMA, { 2, -1 } }, "scale" },
        { { GM_LAW_BETA, { 2, 2, 1, 1 } }, "lower bound" },
        { { GM_LAW_EMPIRICAL, { 0 }, falling, 2 }, "sorted" },
        { { GM_LAW_CHOICE, { 0 }, falling, 0 }, "at least one" },
        { { GM_LAW_POINT, { INFINITY } }, "finite" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_error err = { 0 };
        assert_int_equal(gm_law_check(&cases[i].law, &err), GM_INVALID);
        if (strstr(err.text, cases[i].says) == NULL) fail_msg("case %zu says: %s", i, err.text);
    }
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void selected_quantiles_equal_those_of_a_sort(void **state)
{
    (void)state;
    uint64_t seed = gm_test_seed();
    for (int round = 0; round < 600; round++) {
        static double x[4000], sorted[4000];
        double q[5], out[5];
        size_t n = 1 + gm_test_random(&seed) % (round % 3 ? 200 : 4000), ties = 1 + gm_test_random(&seed) % 50;
        for (size_t i = 0; i < n; i++) x[i] = sorted[i] = (double)(gm_test_random(&seed) % (round % 2 ? ties : 1u << 30));
        if (round % 7 == 0) x[0] = sorted[0] = 1e300;  // nearly all numbers fall into one bucket
        if (round % 11 == 0) x[n - 1] = sorted[n - 1] = INFINITY;
        qsort(sorted, n, sizeof *sorted, rising);
        for (int i = 0; i < 5; i++) q[i] = (double)(gm_test_random(&seed) % 1001) / 1000;
        q[0] = 0;
        q[4] = round % 3 ? 1 : q[4];
        gm_quantiles(x, n, q, 5, out, 1);
        for (int i = 0; i < 5; i++) {
            double at = q[i] * (double)(n - 1), low = sorted[(size_t)at], high = sorted[(size_t)at + ((size_t)at + 1 < n)];
            double share = at - floor(at);
            if (isinf(high) && (share > 0 || isinf(low))) continue;
            near_to(out[i], share > 0 ? low + share * (high - low) : low, 1e-12, "quantile");
        }
    }
    double none[1] = { NAN }, q = 0.5, out = 0;
    assert_int_equal(gm_drop_nan(none, 1), 0);
    gm_quantiles(none, 0, &q, 1, &out, 1);
    assert_true(isnan(out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distribution_functions_agree_with_closed_forms),
        cmocka_unit_test(quantiles_are_inverses_for_shapes_far_apart),
        cmocka_unit_test(laws_have_the_moments_of_their_textbooks),
        cmocka_unit_test(an_empirical_law_passes_through_its_sample),
        cmocka_unit_test(impossible_laws_are_refused_with_the_reason),
        cmocka_unit_test(selected_quantiles_equal_those_of_a_sort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
