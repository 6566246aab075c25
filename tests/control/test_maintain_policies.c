// Lives and policies against closed forms: exponential, Weibull, renewal.
#include "control/maintain/policies.h"

#include "support/support.h"

#include <math.h>

static void near(double got, double wanted, double relative)
{
    if (!(fabs(got - wanted) <= relative * fmax(1e-12, fabs(wanted)))) fail_msg("%.10g, wanted %.10g", got, wanted);
}

// The integral of the survivor function, by the trapezoid.
static double area(const gm_lifetime *l, double from, double to)
{
    enum { N = 200000 };
    double sum = 0, step = (to - from) / N;
    for (int i = 0; i <= N; i++) sum += gm_lifetime_survival(l, from + i * step) * (i == 0 || i == N ? 0.5 : 1);
    return sum * step;
}

static void lives_have_the_moments_of_their_law(void **state)
{
    (void)state;
    const double shapes[] = { 0.7, 1, 2, 4.4, 20 };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        gm_life     life = { 200, shapes[i] };
        gm_lifetime l    = gm_lifetime_of_age(&life, 0);
        near(gm_lifetime_excess(&l, 0), 200, 1e-9);
        near(gm_lifetime_survival(&l, 150), gm_life_survival(&life, 150), 1e-12);
        for (double u = 0.01; u < 1; u += 0.07) near(gm_lifetime_survival(&l, gm_lifetime_draw(&l, u)), u, 1e-9);
        // Of age 120: what is known is that it has come so far.
        gm_lifetime old = gm_lifetime_of_age(&life, 120);
        near(gm_lifetime_survival(&old, 60), gm_life_survival(&life, 180) / gm_life_survival(&life, 120), 1e-9);
        gm_lifetime_survive(&l, 120);
        near(gm_lifetime_survival(&l, 60), gm_lifetime_survival(&old, 60), 1e-9);
        if (shapes[i] >= 2) near(gm_lifetime_excess(&old, 30), area(&old, 30, 1000), 1e-4);
    }
    // Without wear age does not matter.
    gm_life     flat = { 50, 1 };
    gm_lifetime a    = gm_lifetime_of_age(&flat, 0), b = gm_lifetime_of_age(&flat, 1000);
    near(gm_lifetime_survival(&b, 37), gm_lifetime_survival(&a, 37), 1e-9);
    near(gm_lifetime_excess(&b, 37), gm_lifetime_excess(&a, 37), 1e-9);
    // Far out, where one less a distribution function has no digits left.
    gm_life     steep = { 100, 5 };
    gm_lifetime far   = gm_lifetime_of_age(&steep, 215), farther = gm_lifetime_of_age(&steep, 240);
    near(gm_lifetime_excess(&far, 0), area(&far, 0, 60), 1e-6);
    near(gm_lifetime_excess(&farther, 0), area(&farther, 0, 60), 1e-6);
}

static void a_prediction_goes_through_its_quantiles(void **state)
{
    (void)state;
    const double p[] = { 0.05, 0.25, 0.5, 0.75, 0.95 }, t[] = { 10, 20, 30, 45, 80 };
    gm_life      life = { 200, 4 };
    gm_lifetime  l;
    assert_true(gm_lifetime_of_quantiles(&l, p, t, 5, INFINITY, &life, 100));
    for (int i = 0; i < 5; i++) {
        near(gm_lifetime_survival(&l, t[i]), 1 - p[i], 1e-12);
        near(gm_lifetime_quantile(&l, p[i]), t[i], 1e-9);
    }
    near(gm_lifetime_survival(&l, 5), 0.975, 1e-12);
    near(gm_lifetime_excess(&l, 0), area(&l, 0, 1500), 1e-4);
    near(gm_lifetime_excess(&l, 37), area(&l, 37, 1500), 1e-4);
    near(gm_lifetime_excess(&l, 100), area(&l, 100, 1500), 1e-3);
    near(gm_lifetime_excess(&l, -5), gm_lifetime_excess(&l, 0) + 5, 1e-12);
    for (double u = 0.004; u < 1; u += 0.0333) near(gm_lifetime_survival(&l, gm_lifetime_draw(&l, u)), u, 1e-9);
    // It went on for 25 since.
    gm_lifetime later = l;
    gm_lifetime_survive(&later, 25);
    for (double at = 0; at < 300; at += 7) near(gm_lifetime_survival(&later, at), gm_lifetime_survival(&l, 25 + at) / gm_lifetime_survival(&l, 25), 1e-9);
    gm_lifetime_survive(&later, 500);  // beyond all quantiles
    assert_true(gm_lifetime_survival(&later, 0) == 1 && gm_lifetime_survival(&later, 10) < 1);
    // What can not be said is left to the law of lives.
    const double cut[] = { 90, 110, 125, 125, 125 };
    assert_true(gm_lifetime_of_quantiles(&l, p, cut, 5, 125, &life, 100));
    near(gm_lifetime_survival(&l, 110), 0.75, 1e-12);
    near(gm_lifetime_survival(&l, 150), 0.75 * gm_life_survival(&life, 250) / gm_life_survival(&life, 210), 1e-9);
    assert_false(gm_lifetime_of_quantiles(&l, p, (const double[]){ 125, 125, 125, 125, NAN }, 5, 125, &life, 100));
    near(gm_lifetime_survival(&l, 50), gm_life_survival(&life, 150) / gm_life_survival(&life, 100), 1e-9);
    // Quantiles that are one time are a jump there.
    const double same[] = { 10, 20, 20, 20, 40 };
    assert_true(gm_lifetime_of_quantiles(&l, p, same, 5, INFINITY, &life, 0));
    near(gm_lifetime_survival(&l, 20), 0.25, 1e-12);
}

static void replacing_early_is_useless_without_wear(void **state)
{
    (void)state;
    gm_renewal flat = { .life = { 100, 1 }, .planned = 1, .failed = 10 };
    double     rate;
    assert_true(isinf(gm_renewal_best(&flat, &rate)));
    near(rate, 0.1, 1e-9);
    // Any interval costs more: (planned s + failed (1 - s)) / (mean (1 - s)).
    for (double age = 10; age < 500; age += 37) near(gm_renewal_rate(&flat, age), (exp(-age / 100) + 10 * (1 - exp(-age / 100))) / (100 * (1 - exp(-age / 100))), 1e-9);
    // By futures: the same, within the interval that they state (three times over, so that the test does not hang on luck).
    gm_life         life  = flat.life;
    gm_policy_asset asset = { .now = gm_lifetime_of_age(&life, 0), .renewal = flat, .interval = 80, .planned = 40 };
    gm_policy_outcome out[GM_POLICY_COUNT];
    gm_error          err = { 0 };
    assert_gm_ok(gm_policies_compare(&asset, 1, &(gm_policies_options){ 1000, 4000, 5, NULL }, out, &err), err);
    const gm_policy_outcome *wait = &out[GM_POLICY_FAILURE], *fixed = &out[GM_POLICY_INTERVAL];
    assert_true(fabs(wait->failures.mean - 10) < 3 * wait->failures.half);  // a Poisson process of 10
    near(wait->cost.mean, 10 * wait->failures.mean, 1e-9);
    assert_true(wait->jobs.mean == 0 && wait->availability.mean == 1);
    assert_true(fixed->cost.mean - 3 * fixed->cost.half > wait->cost.mean);
    assert_true(fabs(fixed->cost.mean / 1000 - gm_renewal_rate(&flat, 80)) < 0.02 * gm_renewal_rate(&flat, 80));  // less what ends before its interval
}

static void replacing_at_an_age_costs_what_renewal_theory_says(void **state)
{
    (void)state;
    gm_renewal r = { .life = { 100, 3 }, .planned = 1, .failed = 10, .planned_down = 2, .failed_down = 8 };
    double     rate, best = gm_renewal_best(&r, &rate);
    // The integral by hand.
    gm_lifetime l = gm_lifetime_of_age(&r.life, 0);
    double      s = gm_life_survival(&r.life, best);
    near(rate, (s + 10 * (1 - s)) / (area(&l, 0, best) + 2 * s + 8 * (1 - s)), 1e-6);
    for (double age = 5; age < 300; age += 3) assert_true(gm_renewal_rate(&r, age) >= rate * (1 - 1e-9));
    near(gm_renewal_rate(&r, INFINITY), 10.0 / 108, 1e-9);
    // A long run of futures comes to the same rate, and to the same share of time that it is up.
    gm_policy_asset   asset = { .now = l, .renewal = r, .interval = best, .planned = INFINITY };
    gm_policy_outcome out[GM_POLICY_COUNT];
    gm_error          err = { 0 };
    double            hours = 200000;
    assert_gm_ok(gm_policies_compare(&asset, 1, &(gm_policies_options){ hours, 60, 9, NULL }, out, &err), err);
    double up = area(&l, 0, best) / (area(&l, 0, best) + 2 * s + 8 * (1 - s));
    assert_true(fabs(out[GM_POLICY_INTERVAL].cost.mean / hours - rate) < 3 * out[GM_POLICY_INTERVAL].cost.half / hours);
    assert_true(fabs(out[GM_POLICY_INTERVAL].availability.mean - up) < 3 * out[GM_POLICY_INTERVAL].availability.half);
    assert_true(fabs(out[GM_POLICY_FAILURE].cost.mean / hours - 10.0 / 108) < 3 * out[GM_POLICY_FAILURE].cost.half / hours);
    // Common draws make differences sharper than the costs themselves.
    assert_true(out[GM_POLICY_FAILURE].worse.mean > 0 || out[GM_POLICY_PLAN].cost.mean > 0);
    assert_true(out[GM_POLICY_PLAN].worse.mean == 0 && out[GM_POLICY_PLAN].worse.half == 0);
    // The same seed, the same answer.
    gm_policy_outcome again[GM_POLICY_COUNT];
    assert_gm_ok(gm_policies_compare(&asset, 1, &(gm_policies_options){ hours, 60, 9, NULL }, again, &err), err);
    assert_true(again[GM_POLICY_INTERVAL].cost.mean == out[GM_POLICY_INTERVAL].cost.mean);
}

static void a_plan_that_knows_avoids_the_failure(void **state)
{
    (void)state;
    const double p[] = { 0.05, 0.5, 0.95 }, t[] = { 40, 50, 60 };
    gm_life      life  = { 200, 3 };
    gm_policy_asset asset = { .renewal = { .life = life, .planned = 1, .failed = 10 }, .age = 10, .interval = 150, .planned = 30 };
    assert_true(gm_lifetime_of_quantiles(&asset.now, p, t, 3, INFINITY, &life, 10));
    gm_policy_outcome out[GM_POLICY_COUNT];
    gm_error          err = { 0 };
    assert_gm_ok(gm_policies_compare(&asset, 1, &(gm_policies_options){ 100, 20000, 3, NULL }, out, &err), err);
    // Before 30 three quarters of the first 5 % fail; a plan's cost is 1 + 9 P(fail), and hardly another job follows within 100.
    double fails = 1 - gm_lifetime_survival(&asset.now, 30);
    near(fails, 0.0375, 1e-9);
    assert_true(out[GM_POLICY_INTERVAL].failures.mean > 0.95 && out[GM_POLICY_PLAN].failures.mean < 0.12);
    assert_true(out[GM_POLICY_FAILURE].worse.mean - 3 * out[GM_POLICY_FAILURE].worse.half > 0);
    // A life of nothing is refused, not lived for ever.
    asset.renewal.life.mean = 1e-9;
    assert_int_equal(gm_policies_compare(&asset, 1, &(gm_policies_options){ 1000, 2, 3, NULL }, out, &err), GM_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lives_have_the_moments_of_their_law),
        cmocka_unit_test(a_prediction_goes_through_its_quantiles),
        cmocka_unit_test(replacing_early_is_useless_without_wear),
        cmocka_unit_test(replacing_at_an_age_costs_what_renewal_theory_says),
        cmocka_unit_test(a_plan_that_knows_avoids_the_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
