#include "support/support.h"

static void instant_text_is_parsed(void **state)
{
    (void)state;
    static const struct { const char *text; gm_status st; gm_time_ns ns; } cases[] = {
        { "1970-01-01T00:00:00Z", GM_OK, 0 },
        { "2026-01-01T00:00:00Z", GM_OK, 1767225600 * GM_SECOND },
        { "2026-01-01T01:00:00+01:00", GM_OK, 1767225600 * GM_SECOND },
        { "2026-01-01t00:00:00.5z", GM_OK, 1767225600 * GM_SECOND + 500 * GM_MILLISECOND },
        { "2024-02-29 12:00:00.123456789123Z", GM_OK, 1709208000 * GM_SECOND + 123456789 },
        { "2200-12-31T23:59:59.999999999Z", GM_OK, GM_TIME_MAX },
        { "2201-01-01T00:00:00Z", GM_INVALID, 0 },
        { "1969-12-31T23:59:59Z", GM_INVALID, 0 },
        { "9999-12-31T23:59:59Z", GM_INVALID, 0 },  // must not wrap
        { "2023-02-29T00:00:00Z", GM_INVALID, 0 },
        { "2026-01-01T24:00:00Z", GM_INVALID, 0 },
        { "2026-01-01T00:00:00", GM_INVALID, 0 },   // no zone: which instant?
        { "2026-01-01T00:00:00.Z", GM_INVALID, 0 },
        { "2026-1-1T00:00:00Z", GM_INVALID, 0 },
        { "2026-01-01", GM_INVALID, 0 },
        { "", GM_INVALID, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_time_ns ns = 0;
        gm_status  st = gm_time_parse(gm_str_of(cases[i].text), &ns, NULL);
        if (st != cases[i].st || ns != cases[i].ns) {
            fail_msg("'%s': status %d, %" PRId64 " ns", cases[i].text, (int)st, ns);
        }
    }
}

static void every_instant_reads_back_as_written(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int i = 0; i < 20000; i++) {
        gm_time_ns time = (gm_time_ns)(gm_test_random(&random) % (uint64_t)GM_TIME_MAX);
        if (i % 3 == 1) time -= time % GM_MILLISECOND;
        if (i % 3 == 2) time -= time % GM_SECOND;
        char       text[GM_TIME_TEXT];
        size_t     len  = gm_time_format(time, text);
        gm_time_ns back = -1;
        if (gm_time_parse((gm_str){ text, len }, &back, NULL) != GM_OK || back != time) {
            fail_msg("%" PRId64 " -> '%s' -> %" PRId64, time, text, back);
        }
    }
}

static void duration_text_is_parsed(void **state)
{
    (void)state;
    static const struct { const char *text; gm_status st; gm_dur_ns ns; } cases[] = {
        { "250ms",              GM_OK,      250 * GM_MILLISECOND },
        { "0.1s",               GM_OK,      100 * GM_MILLISECOND },
        { "24h",                GM_OK,      24 * GM_HOUR },
        { "1.5d",               GM_OK,      36 * GM_HOUR },
        { "-1s",                GM_INVALID, 0 },  // a negative age has no meaning here
        { "9999999999999999h",  GM_INVALID, 0 },  // must not wrap
        { "5",                  GM_INVALID, 0 },  // a bare number has no unit
        { "s",                  GM_INVALID, 0 },
        { "1 s",                GM_INVALID, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_dur_ns ns = 0;
        gm_status st = gm_dur_parse(gm_str_of(cases[i].text), &ns, NULL);
        if (st != cases[i].st || ns != cases[i].ns) {
            fail_msg("'%s': status %d, %" PRId64 " ns", cases[i].text, (int)st, ns);
        }
    }
}

static void dtdl_dates_times_and_durations_are_told_from_nonsense(void **state)
{
    (void)state;
    static const char *const durations[]     = { "P1D", "PT1H", "P1Y2M3DT4H5M6.5S", "PT0.5S", "P2W" };
    static const char *const not_durations[] = { "", "P", "PT", "1D", "P1H", "PT1D", "P1D1Y", "P1.5DT1H", "P-1D" };
    for (size_t i = 0; i < 5; i++) assert_true(gm_dur_iso_valid(gm_str_of(durations[i])));
    for (size_t i = 0; i < 9; i++) {
        if (gm_dur_iso_valid(gm_str_of(not_durations[i]))) fail_msg("'%s' was taken", not_durations[i]);
    }
    assert_true(gm_date_valid(GM_STR("2024-02-29")));
    assert_false(gm_date_valid(GM_STR("2023-02-29")));
    assert_true(gm_time_of_day_valid(GM_STR("13:45:00.5")));
    assert_true(gm_time_of_day_valid(GM_STR("13:45:00+02:00")));
    assert_false(gm_time_of_day_valid(GM_STR("25:00:00")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instant_text_is_parsed),
        cmocka_unit_test(every_instant_reads_back_as_written),
        cmocka_unit_test(duration_text_is_parsed),
        cmocka_unit_test(dtdl_dates_times_and_durations_are_told_from_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
