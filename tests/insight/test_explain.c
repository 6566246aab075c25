// Least squares against published numbers, against refits without an asset, and against what was put in.
#include "insight/learn/explain.h"

#include "base/rng.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>

enum { INPUTS = 4, ASSETS = 60 };

static gm_str asset_names[GM_EXPLAIN_ASSETS_MAX], input_names[GM_EXPLAIN_INPUTS_MAX];

static int name_all(void **state)
{
    static char texts[GM_EXPLAIN_ASSETS_MAX][16], inputs[GM_EXPLAIN_INPUTS_MAX][16];
    (void)state;
    for (int i = 0; i < GM_EXPLAIN_ASSETS_MAX; i++) {
        snprintf(texts[i], sizeof texts[i], "engine-%d", i);
        asset_names[i] = gm_str_of(texts[i]);
    }
    for (int i = 0; i < GM_EXPLAIN_INPUTS_MAX; i++) {
        snprintf(inputs[i], sizeof inputs[i], "gap %d", i);
        input_names[i] = gm_str_of(inputs[i]);
    }
    return 0;
}

static gm_explain_question ask(const double *x, const double *y, size_t assets, size_t inputs)
{
    return (gm_explain_question){ .x = x, .y = y, .assets = assets, .inputs = inputs, .asset_names = asset_names, .input_names = input_names };
}

static gm_explain fit(const gm_explain_question *q, double penalty)
{
    gm_explain_options o   = gm_explain_options_defaults();
    gm_error           err = { 0 };
    gm_explain         e;
    o.penalty = penalty;
    assert_gm_ok(gm_explain_fit(gm_alloc_system(), q, &o, &e, &err), err);
    return e;
}

static void near(double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance)) fail_msg("%.9g, not %.9g", got, expected);
}

// F. Anscombe, "Graphs in Statistical Analysis", The American Statistician 27(1), 1973: set 1. The slope is 0.5001 with a standard error
// of 0.1179, r2 is 0.6665, F on 1 and 9 degrees of freedom 17.99 (p = 0.00217); t at 95 % and 9 degrees is 2.262157.
static void a_line_is_fitted_as_published(void **state)
{
    (void)state;
    static const double x[] = { 10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5 }, y[] = { 8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68 };
    gm_explain_question q = ask(x, y, 11, 1);
    gm_explain_options  o = { 0, 0.95 };
    gm_error            err = { 0 };
    gm_explain          e;
    assert_gm_ok(gm_explain_fit(gm_alloc_system(), &q, &o, &e, &err), err);
    near(e.inputs[0].effect, 0.5000909, 1e-7);
    near((e.inputs[0].high - e.inputs[0].effect) / 2.262157163, 0.1179055, 1e-7);
    near(e.r2, 0.6665425, 1e-7);
    near(e.chance, 0.002169629, 1e-8);
    near(e.inputs[0].share, e.r2, 1e-12);
    near(e.mean, 7.500909, 1e-6);
    assert_true(isnan(e.noise));
    gm_explain_finish(&e);
}

// ---- two ways -------------------------------------------------------------------------------------------------------

// y = c . x + c0 without asset `out`, by Gaussian elimination of the normal equations; penalty [inputs] in the inputs' own units.
static void refit(const gm_explain_question *q, size_t out, const double *penalty, double c[INPUTS + 1])
{
    enum { N = INPUTS + 1 };
    double a[N][N + 1] = { 0 };
    for (size_t i = 0; i < q->assets; i++) {
        double row[N + 1];
        if (i == out) continue;
        for (size_t k = 0; k < INPUTS; k++) row[k] = q->x[i * INPUTS + k];
        row[INPUTS]     = 1;
        row[INPUTS + 1] = q->y[i];
        for (size_t k = 0; k < N; k++)
            for (size_t m = 0; m <= N; m++) a[k][m] += row[k] * row[m];
    }
    for (size_t k = 0; k < INPUTS; k++) a[k][k] += penalty[k];
    for (size_t k = 0; k < N; k++)
        for (size_t m = 0; m < N; m++) {
            if (m == k) continue;
            double by = a[m][k] / a[k][k];
            for (size_t j = k; j <= N; j++) a[m][j] -= by * a[k][j];
        }
    for (size_t k = 0; k < N; k++) c[k] = a[k][N] / a[k][k];
}

static void draw(uint64_t seed, size_t assets, const double *truth, double noise, double *x, double *y)
{
    for (size_t i = 0; i < assets; i++) {
        y[i] = 3 + noise * gm_rng_normal(seed, 1, 99, i);
        for (size_t k = 0; k < INPUTS; k++) {
            x[i * INPUTS + k] = 0.01 * (double)(k + 1) * (gm_rng_normal(seed, 1, k, i) + (k > 0 ? 0.5 * gm_rng_normal(seed, 1, k - 1, i) : 0));
            y[i] += truth[k] * x[i * INPUTS + k];
        }
    }
}

static void leaving_out_costs_one_fit_and_says_what_refits_say(void **state)
{
    (void)state;
    static const double truth[INPUTS] = { 100, -40, 0, 15 };
    double              x[ASSETS * INPUTS], y[ASSETS];
    draw(7, ASSETS, truth, 0.8, x, y);
    gm_explain_question q = ask(x, y, ASSETS, INPUTS);
    for (int round = 0; round < 2; round++) {
        double     penalty = round == 0 ? 0 : 0.2, own[INPUTS], all = 0, rest = 0, sums = 0;
        gm_explain e       = fit(&q, penalty);
        for (size_t k = 0; k < INPUTS; k++) own[k] = penalty * (ASSETS - 1) * e.inputs[k].spread * e.inputs[k].spread;
        for (size_t i = 0; i < ASSETS; i++) {
            double c[INPUTS + 1], mean = (e.mean * ASSETS - y[i]) / (ASSETS - 1), predicted;
            refit(&q, i, own, c);
            predicted = c[INPUTS];
            for (size_t k = 0; k < INPUTS; k++) {
                double others = (e.inputs[k].mean * ASSETS - x[i * INPUTS + k]) / (ASSETS - 1);
                predicted += c[k] * x[i * INPUTS + k];
                near(gm_explain_part(&e, i, k), c[k] * (x[i * INPUTS + k] - others), 1e-9);
            }
            near(e.assets[i].offset, y[i] - mean, 1e-9);
            near(e.assets[i].explained, predicted - mean, 1e-9);
            all += (y[i] - mean) * (y[i] - mean);
            rest += (y[i] - predicted) * (y[i] - predicted);
        }
        near(e.r2_left_out, 1 - rest / all, 1e-9);
        assert_true(e.r2_left_out < e.r2);
        for (size_t k = 0; k < INPUTS; k++) sums += e.inputs[k].share;
        if (round == 0) near(sums, e.r2, 1e-9);
        else assert_true(isnan(e.chance));
        gm_explain_finish(&e);
    }
}

// ---- what was put in ------------------------------------------------------------------------------------------------

// 90 % intervals hold the coefficients that the data were made with 90 times in 100; shuffled, nothing is explained.
static void coefficients_that_are_known_lie_in_their_intervals(void **state)
{
    (void)state;
    enum { ROUNDS = 400 };
    static const double truth[INPUTS] = { 100, -40, 0, 15 };
    static double       x[ASSETS * INPUTS], y[ASSETS], z[ASSETS];
    size_t              inside = 0, likely = 0, good = 0;
    double              left_out = 0, r2 = 0;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        draw(seed, ASSETS, truth, 0.8, x, y);
        gm_explain_question q = ask(x, y, ASSETS, INPUTS);
        gm_explain          e = fit(&q, 0);
        for (size_t k = 0; k < INPUTS; k++) inside += e.inputs[k].low <= truth[k] && truth[k] <= e.inputs[k].high;
        good += e.r2_left_out > 0.25 && e.chance < 1e-4;
        gm_explain_finish(&e);
        // The records of another fleet: the same numbers, but of other assets.
        for (size_t i = 0; i < ASSETS; i++) z[i] = y[(i + 17) % ASSETS];
        q.y = z;
        e   = fit(&q, 0);
        likely += e.chance < 0.1;
        left_out += e.r2_left_out / ROUNDS;
        r2 += e.r2 / ROUNDS;
        gm_explain_finish(&e);
    }
    near((double)inside / (ROUNDS * INPUTS), 0.9, 0.03);
    near((double)likely / ROUNDS, 0.1, 0.05);
    near(r2, (double)INPUTS / (ASSETS - 1), 0.02);  // what chance alone takes up
    assert_true(left_out < -0.02);
    assert_int_equal(good, ROUNDS);
}

static void units_and_errors_of_measurement_are_kept_apart(void **state)
{
    (void)state;
    static const double truth[INPUTS] = { 100, -40, 0, 15 };
    double              x[ASSETS * INPUTS], y[ASSETS], noise[ASSETS];
    draw(3, ASSETS, truth, 0.8, x, y);
    for (size_t i = 0; i < ASSETS; i++) noise[i] = 0.25;
    gm_explain_question q = ask(x, y, ASSETS, INPUTS);
    q.noise               = noise;
    gm_explain a          = fit(&q, 0);
    for (size_t i = 0; i < ASSETS; i++) x[i * INPUTS + 1] = 1000 * x[i * INPUTS + 1] + 5;  // micrometres, from another datum
    gm_explain b = fit(&q, 0);
    near(a.noise, 0.25 / (a.spread * a.spread), 1e-12);
    near(b.inputs[1].effect, a.inputs[1].effect / 1000, 1e-9);
    near(b.r2_left_out, a.r2_left_out, 1e-9);
    near(gm_explain_part(&b, 5, 1), gm_explain_part(&a, 5, 1), 1e-9);
    near(gm_explain_half(&b, 5, 1), gm_explain_half(&a, 5, 1), 1e-9);
    // Zero is no deviation that differs: it is of no effect, and the others are as they were.
    for (size_t i = 0; i < ASSETS; i++) x[i * INPUTS + 2] = 0.3;
    gm_explain c = fit(&q, 0);
    assert_int_equal(c.used, INPUTS - 1);
    assert_true(c.inputs[2].spread == 0 && c.inputs[2].effect == 0 && gm_explain_part(&c, 5, 2) == 0);
    gm_explain_finish(&a);
    gm_explain_finish(&b);
    gm_explain_finish(&c);
}

static void what_can_not_be_told_is_said_in_words(void **state)
{
    (void)state;
    enum { MANY = GM_EXPLAIN_INPUTS_MAX + 1 };
    static const double truth[INPUTS] = { 100, -40, 0, 15 };
    static double       x[ASSETS * MANY], y[ASSETS];
    static const struct { const char *what, *says; gm_status st; bool penalty_helps; } cases[] = {
        { "same y", "nothing to explain", GM_INVALID, false },   { "same x", "nothing to explain with", GM_INVALID, false },
        { "few", "at least 8 are needed", GM_INVALID, true },    { "collinear", "'gap 3' follows from other deviations ('gap 0', 'gap 1')", GM_INVALID, true },
        { "alone", "without 'engine-9'", GM_INVALID, true },     { "one", "no fleet", GM_INVALID, false },
        { "many inputs", "at most 64 of 2000", GM_LIMIT, false },
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        draw(5, ASSETS, truth, 0.8, x, y);
        gm_explain_question q = ask(x, y, ASSETS, INPUTS);
        for (size_t i = 0; i < ASSETS; i++) {
            double *row = x + i * INPUTS;
            if (c == 0) y[i] = 0.1 + 0.2;
            for (size_t k = 0; k < INPUTS && c == 1; k++) row[k] = 0.1;
            if (c == 3) row[3] = row[0] - 2 * row[1] + 4;
            if (c == 4) row[2] = i == 9 ? 0.7 : 0.1;
        }
        if (c == 2) q.assets = 7;
        if (c == 5) q.assets = 1;
        if (c == 6) q.inputs = MANY;
        gm_explain_options o   = gm_explain_options_defaults();
        gm_error           err = { 0 };
        gm_explain         e;
        gm_status          st = gm_explain_fit(gm_alloc_system(), &q, &o, &e, &err);
        if (st != cases[c].st || strstr(err.text, cases[c].says) == NULL) fail_msg("%s: %d %s", cases[c].what, (int)st, err.text);
        gm_explain_finish(&e);
        o.penalty = 0.01;
        st        = gm_explain_fit(gm_alloc_system(), &q, &o, &e, &err);
        if ((st == GM_OK) != cases[c].penalty_helps) fail_msg("%s, with a penalty: %s", cases[c].what, err.text);
        gm_explain_finish(&e);
    }
}

static void every_allocation_failure_is_survived(void **state)
{
    (void)state;
    static const double truth[INPUTS] = { 100, -40, 0, 15 };
    double              x[ASSETS * INPUTS], y[ASSETS];
    draw(5, ASSETS, truth, 0.8, x, y);
    gm_explain_question q = ask(x, y, ASSETS, INPUTS);
    gm_explain_options  o = gm_explain_options_defaults();
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc fault;
        gm_explain     e;
        gm_fault_alloc_init(&fault, k);
        gm_status      st = gm_explain_fit(&fault.alloc, &q, &o, &e, NULL);
        gm_explain_finish(&e);
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.fired) {
            assert_int_equal(st, GM_OK);
            return;
        }
        assert_int_equal(st, GM_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_fitted_as_published),
        cmocka_unit_test(leaving_out_costs_one_fit_and_says_what_refits_say),
        cmocka_unit_test(coefficients_that_are_known_lie_in_their_intervals),
        cmocka_unit_test(units_and_errors_of_measurement_are_kept_apart),
        cmocka_unit_test(what_can_not_be_told_is_said_in_words),
        cmocka_unit_test(every_allocation_failure_is_survived),
    };
    return cmocka_run_group_tests(tests, name_all, NULL);
}
