#include "base/rng.h"
#include "insight/forecast/forecast.h"
#include "insight/learn/boost.h"
#include "support/support.h"

#include <math.h>

enum { N = 600, AHEAD = 24 };

static gm_forecast make(const double *y, size_t n)
{
    gm_forecast f;
    gm_error    err = { 0 };
    assert_gm_ok(gm_forecast_make(gm_alloc_system(), &(gm_forecast_series){ .y = y, .n = n, .simple = true }, AHEAD, &f, &err), err);
    return f;
}

static void a_random_walk_is_forecast_naively(void **state)
{
    (void)state;
    double y[N] = { 0 };
    for (uint32_t i = 1; i < N; i++) y[i] = y[i - 1] + gm_rng_normal(2, 0, 0, i);
    gm_forecast f = make(y, N);
    assert_int_equal(f.method, GM_FORECAST_NAIVE);  // nothing beats it, so nothing else is offered
    assert_float_equal(f.mid[0], y[N - 1], 1e-12);
    assert_true(f.high[AHEAD - 1] - f.low[AHEAD - 1] > 2 * (f.high[0] - f.low[0]));  // the farther the less is known
    gm_forecast_finish(&f);
}

static void a_season_is_found_and_followed(void **state)
{
    (void)state;
    double y[N + AHEAD];
    for (uint32_t i = 0; i < N + AHEAD; i++) y[i] = 100 + 0.05 * i + 10 * sin(i * 2 * 3.14159265358979 / 24) + gm_rng_normal(3, 0, 0, i);
    gm_forecast f      = make(y, N);
    size_t      inside = 0;
    assert_int_equal(f.season, 24);
    assert_int_equal(f.method, GM_FORECAST_SMOOTHING);
    assert_true(f.errors[GM_FORECAST_SMOOTHING] < f.errors[GM_FORECAST_SEASONAL_NAIVE]);
    assert_true(f.errors[GM_FORECAST_SEASONAL_NAIVE] < f.errors[GM_FORECAST_NAIVE]);
    for (int h = 0; h < AHEAD; h++) {
        assert_true(fabs(f.mid[h] - y[N + h]) < 5);
        inside += y[N + h] >= f.low[h] && y[N + h] <= f.high[h];
    }
    assert_true(inside >= AHEAD * 3 / 4);
    assert_true(f.coverage > 0.75 && f.coverage <= 1);
    gm_forecast_finish(&f);
}

static void a_pure_repetition_is_repeated(void **state)
{
    (void)state;
    double y[N];
    for (uint32_t i = 0; i < N; i++) y[i] = gm_rng_normal(4, 0, 0, i % 7);
    gm_forecast f = make(y, N);
    assert_int_equal(f.season, 7);
    assert_int_equal(f.method, GM_FORECAST_SEASONAL_NAIVE);
    for (int h = 0; h < AHEAD; h++) assert_float_equal(f.mid[h], y[(N + h) % 7], 1e-12);
    gm_forecast_finish(&f);
}

static void gaps_and_constants_are_lived_with(void **state)
{
    (void)state;
    double      y[N];
    gm_forecast f;
    gm_error    err = { 0 };
    for (uint32_t i = 0; i < N; i++) y[i] = i % 3 == 0 ? NAN : 5;
    f = make(y, N);
    assert_float_equal(f.mid[3], 5, 1e-12);
    gm_forecast_finish(&f);
    for (uint32_t i = 0; i < N; i++) y[i] = NAN;
    f = make(y, N);
    gm_forecast_finish(&f);
    assert_int_equal(gm_forecast_make(gm_alloc_system(), &(gm_forecast_series){ .y = y, .n = 10 }, 1, &f, &err), GM_INVALID);
    assert_int_equal(gm_forecast_make(gm_alloc_system(), &(gm_forecast_series){ .y = y, .n = N }, N, &f, &err), GM_INVALID);
    // The shortest series with every horizon that it allows, and seasons longer than it.
    for (uint32_t n = GM_FORECAST_LEAST; n < 40; n++)
        for (uint32_t h = 1; h <= n / 3; h++)
            for (uint32_t season = 0; season < 60; season += 5) {
                for (uint32_t i = 0; i < n; i++) y[i] = gm_rng_normal(9, 0, 0, i);
                assert_gm_ok(gm_forecast_make(gm_alloc_system(), &(gm_forecast_series){ .y = y, .n = n, .season = season, .simple = true }, h, &f, &err), err);
                for (uint32_t k = 0; k < h; k++) assert_true(isfinite(f.mid[k]) && f.low[k] <= f.high[k]);
                gm_forecast_finish(&f);
            }
}

// Hourly use of an office: high from 8 to 18 on weekdays, low else, with a little noise. What a season of a day can't say
// (weekends) and a season of a week needs months for, the calendar says at once.
static void trees_know_the_calendar_where_smoothing_does_not(void **state)
{
    (void)state;
    enum { HOURS = 1400 };
    static double y[HOURS + AHEAD];
    for (uint32_t i = 0; i < HOURS + AHEAD; i++) {
        uint32_t day = i / 24 % 7, hour = i % 24;  // hour 0 is a Monday's
        y[i] = 10 + (day < 5 && hour >= 8 && hour < 18 ? 50 : 0) + gm_rng_normal(5, 0, 0, i);
    }
    gm_forecast        f;
    gm_error           err = { 0 };
    gm_forecast_series s   = { .y = y, .n = HOURS, .first_s = 4 * 86400, .step_s = 3600, .season = 24 };  // 1970-01-05 was a Monday
    assert_gm_ok(gm_forecast_make(gm_alloc_system(), &s, AHEAD, &f, &err), err);
    if (!gm_boost_available()) {
        assert_true(isnan(f.errors[GM_FORECAST_BOOSTED]));
    } else {
        assert_int_equal(f.method, GM_FORECAST_BOOSTED);
        assert_true(f.errors[GM_FORECAST_BOOSTED] < 0.5 * f.errors[GM_FORECAST_SEASONAL_NAIVE]);
        assert_true(f.errors[GM_FORECAST_BOOSTED] < 0.5 * f.errors[GM_FORECAST_SMOOTHING]);
        size_t inside = 0;
        for (int h = 0; h < AHEAD; h++) {
            assert_true(fabs(f.mid[h] - y[HOURS + h]) < 8);
            inside += y[HOURS + h] >= f.low[h] && y[HOURS + h] <= f.high[h];
        }
        assert_true(inside >= AHEAD * 3 / 4);
        assert_true(f.coverage > 0.8);
    }
    gm_forecast_finish(&f);
    // The same numbers again, and nothing of the kind from noise alone.
    for (uint32_t i = 1; i < HOURS; i++) y[i] = y[i - 1] + gm_rng_normal(6, 0, 0, i);
    assert_gm_ok(gm_forecast_make(gm_alloc_system(), &s, AHEAD, &f, &err), err);
    assert_true(f.method != GM_FORECAST_BOOSTED);
    gm_forecast_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_know_the_calendar_where_smoothing_does_not),
        cmocka_unit_test(a_random_walk_is_forecast_naively),
        cmocka_unit_test(a_season_is_found_and_followed),
        cmocka_unit_test(a_pure_repetition_is_repeated),
        cmocka_unit_test(gaps_and_constants_are_lived_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
