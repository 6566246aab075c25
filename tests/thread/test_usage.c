#include "support/support.h"
#include "thread/usage.h"

typedef struct point { int64_t s; double value; } point;

static gm_usage over(const point *points, size_t n, int64_t from, int64_t to)
{
    gm_usage u = gm_usage_begin(0.5, from * GM_SECOND);
    for (size_t i = 0; i < n; i++) gm_usage_add(&u, points[i].s * GM_SECOND, points[i].value);
    gm_usage_end(&u, to * GM_SECOND);
    return u;
}

static void running_time_starts_and_load_are_counted(void **state)
{
    (void)state;
    static const point points[] = { { -5, 1 }, { 10, 0 }, { 20, 2 }, { 30, 4 }, { 40, 0.5 }, { 60, NAN }, { 70, 3 }, { 80, 0 }, { 90, 1 } };
    gm_usage u = over(points, 9, 0, 100);
    assert_true(u.running_s == 10 + 20 + 10 + 10);                     // at the threshold is not above it
    assert_int_equal(u.starts, 2);                                       // at 20 and 90; what was unknown before 70 may have run all the time
    assert_true(u.peak == 4);
    assert_true(gm_usage_mean(&u) == (10 * 1 + 10 * 2 + 10 * 4 + 10 * 3 + 10 * 1) / 50.0);
    u = over(points, 0, 0, 100);
    assert_true(u.running_s == 0 && u.starts == 0 && isnan(gm_usage_mean(&u)) && isnan(u.peak));
    u = over(points, 1, 0, 100);
    assert_true(u.running_s == 100 && u.starts == 0);
}

// A period cut into pieces adds up to the whole, wherever it is cut.
static void pieces_add_up_to_the_whole(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int round = 0; round < 300; round++) {
        point  points[40];
        size_t n = 0;
        for (int64_t s = -3; n < 40; s += 1 + (int64_t)(gm_test_random(&random) % 7)) points[n++] = (point){ s, (double)(gm_test_random(&random) % 4) / 2 };
        int64_t  cut = (int64_t)(gm_test_random(&random) % 100);
        gm_usage whole = over(points, n, 0, 100), one = gm_usage_begin(0.5, 0), two = gm_usage_begin(0.5, cut * GM_SECOND);
        for (size_t i = 0; i < n; i++) {
            if (points[i].s <= cut) gm_usage_add(&one, points[i].s * GM_SECOND, points[i].value);
            if (points[i].s <= 100) gm_usage_add(&two, points[i].s * GM_SECOND, points[i].value);
        }
        gm_usage_end(&one, cut * GM_SECOND);
        gm_usage_end(&two, 100 * GM_SECOND);
        gm_usage rest = gm_usage_begin(0.5, 0);
        for (size_t i = 0; i < n && points[i].s <= 100; i++) gm_usage_add(&rest, points[i].s * GM_SECOND, points[i].value);
        gm_usage_end(&rest, 100 * GM_SECOND);
        assert_true(one.running_s + two.running_s == rest.running_s && one.starts + two.starts == rest.starts);
        assert_true(whole.running_s >= rest.running_s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running_time_starts_and_load_are_counted),
        cmocka_unit_test(pieces_add_up_to_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
