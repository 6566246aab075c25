#include "rollup/total.h"
#include "support/support.h"

#include <math.h>

static gm_rollup_total total_of(const gm_rollup_definition *d, double (*values)[GM_ROLLUP_TERMS], size_t n)
{
    gm_rollup_total t;
    gm_rollup_clear(&t);
    for (size_t i = 0; i < n; i++) gm_rollup_take(&t, d, values[i]);
    return t;
}

static void each_function_gives_what_its_name_says(void **state)
{
    (void)state;
    static double v[][GM_ROLLUP_TERMS] = { { 4, 1 }, { NAN, 5 }, { 10, 2 }, { 1, 1 } };
    static const struct { gm_rollup_function f; uint32_t terms; double value; } cases[] = {
        { GM_ROLLUP_SUM, 1, 15 }, { GM_ROLLUP_MIN, 1, 1 }, { GM_ROLLUP_MAX, 1, 10 }, { GM_ROLLUP_MEAN, 1, 5 },
        { GM_ROLLUP_WEIGHTED, 2, (4 * 1 + 10 * 2 + 1 * 1) / 4.0 },
        { GM_ROLLUP_INTENSITY, 2, 15 / 4.0 },  // energy over output: ratio of sums, not mean of ratios
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_rollup_definition d = { .function = cases[i].f, .term_count = cases[i].terms };
        gm_rollup_total      t = total_of(&d, v, 4);
        gm_rollup_result     r = gm_rollup_finish(&d, &t);
        if (r.value != cases[i].value || r.count != 3 || r.missing != 1) fail_msg("%s: %g", gm_rollup_function_name(cases[i].f), r.value);
    }
}

static void states_and_redundancy(void **state)
{
    (void)state;
    static double  v[][GM_ROLLUP_TERMS] = { { 1 }, { 0 }, { NAN } };
    gm_rollup_definition worst = { .function = GM_ROLLUP_WORST, .term_count = 1, .states = { GM_STR("good"), GM_STR("bad") }, .state_count = 2 };
    gm_rollup_definition two   = { .function = GM_ROLLUP_K_OF_N, .term_count = 1, .k = 2 }, one = two;
    gm_rollup_total      t     = total_of(&worst, v, 3);
    one.k = 1;
    assert_true(gm_str_is(gm_rollup_finish(&worst, &t).state, "bad"));
    t = total_of(&two, v, 3);
    assert_true(gm_rollup_finish(&two, &t).value == 0);  // what is not known does not work
    assert_true(gm_rollup_finish(&one, &t).value == 1 && gm_rollup_finish(&one, &t).working == 1);
    t = total_of(&two, v, 0);
    assert_true(isnan(gm_rollup_finish(&two, &t).value) && isnan(gm_rollup_finish(&worst, &t).value));
    assert_int_equal(gm_rollup_finish(&worst, &t).state.len, 0);
}

// 480 planned minutes, 420 running, ideal cycle 1 min, 380 parts, 361 good: 0.875 x 0.90476 x 0.95.
static void oee_of_one_machine_and_of_two(void **state)
{
    (void)state;
    static double  v[][GM_ROLLUP_TERMS] = { { 480, 420, 1, 380, 361 }, { 480, 240, 2, 100, 50 } };
    gm_rollup_definition d = { .function = GM_ROLLUP_OEE, .term_count = 5 };
    gm_rollup_total      t = total_of(&d, v, 1);
    gm_rollup_result     r = gm_rollup_finish(&d, &t);
    assert_true(fabs(r.availability - 0.875) < 1e-12 && fabs(r.performance - 380 / 420.0) < 1e-12 && fabs(r.quality - 0.95) < 1e-12);
    assert_true(fabs(r.value - 361 / 480.0) < 1e-12);
    t = total_of(&d, v, 2);
    r = gm_rollup_finish(&d, &t);
    assert_true(fabs(r.availability - 660 / 960.0) < 1e-12 && fabs(r.performance - 580 / 660.0) < 1e-12 && fabs(r.quality - 411 / 480.0) < 1e-12);
}

static void joining_in_any_grouping_is_the_same(void **state)
{
    (void)state;
    uint64_t seed = gm_test_seed();
    for (int round = 0; round < 200; round++) {
        double               v[40][GM_ROLLUP_TERMS];
        gm_rollup_definition d = { .function = (gm_rollup_function)(gm_test_random(&seed) % GM_ROLLUP_FUNCTIONS) };
        d.term_count = gm_rollup_term_count(d.function);
        for (int i = 0; i < 40; i++)
            for (int k = 0; k < GM_ROLLUP_TERMS; k++) v[i][k] = gm_test_random(&seed) % 9 == 0 ? NAN : (double)(gm_test_random(&seed) % 1000);
        size_t          cut = gm_test_random(&seed) % 41;
        gm_rollup_total a = total_of(&d, v, cut), b = total_of(&d, v + cut, 40 - cut), all = total_of(&d, v, 40);
        gm_rollup_join(&a, &b);  // whole numbers: exact
        assert_memory_equal(&a, &all, sizeof a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_function_gives_what_its_name_says),
        cmocka_unit_test(states_and_redundancy),
        cmocka_unit_test(oee_of_one_machine_and_of_two),
        cmocka_unit_test(joining_in_any_grouping_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
