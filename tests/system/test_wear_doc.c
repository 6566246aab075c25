// The filter of docs/insight.md as it stands there: only its pressure drop is told, and the hours that it has left are known.
#include "base/rng.h"
#include "cli/http_client.h"
#include "control/maintain/mip.h"
#include "support/doc.h"
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <math.h>
#include <stdio.h>

enum { SAMPLES = 145, EVERY_S = 600 };

static const int64_t begin_s = 1767225600;  // 2026-01-01
static const double  growth = 0.01, start = 0.05, threshold = 0.5;  // of the filter outside; the twin begins with 0.005 an hour

static void write_files(const char *plant)
{
    char   path[600];
    gm_str info, body;
    gm_doc doc;
    int    files = 0;
    gm_doc_open(&doc, "docs/insight.md");
    while (gm_doc_next_block(&doc, &info, &body)) {
        size_t at = gm_str_find_char(info, ' ');
        if (at == SIZE_MAX) continue;
        snprintf(path, sizeof path, "%s/" GM_STR_FMT, plant, GM_STR_ARG(gm_str_slice(info, at + 1, info.len)));
        gm_test_write_file(path, body);
        files++;
    }
    assert_int_equal(files, 5);
    gm_doc_close(&doc);
}

static void send(gm_http *http, int first, int end)
{
    gm_buf         body = gm_buf_init(gm_alloc_system());
    gm_http_answer answer;
    gm_error       err;
    for (int i = first; i < end; i++) {
        char   time[GM_TIME_TEXT];
        double hours = i * EVERY_S / 3600.0;
        gm_time_format((begin_s + i * EVERY_S) * GM_SECOND, time);
        gm_buf_printf(&body, "{\"$twin\":\"filter1\",\"pressureDrop\":%.3f,\"$time\":\"%s\"}\n",
                      200 * (1 + 4 * (start + growth * hours)) + 4 * gm_rng_normal(31, 0, 0, (uint64_t)i), time);
    }
    gm_buf_byte(&body, 0);
    assert_gm_ok(gm_http_request(http, "POST", "/v1/ingest", "application/x-ndjson", (const char *)body.ptr, &answer, &err), err);
    if (answer.code / 100 != 2) fail_msg("%ld", answer.code);
    gm_http_answer_finish(&answer);
    gm_buf_finish(&body);
}

// A prediction that begins so many hours after the first sample, or later.
static json_t *wait_for_prediction(gm_http *http, double from, double *out_hours)
{
    gm_dur_ns end = gm_monotonic(gm_clock_system()) + 60 * GM_SECOND;
    for (;;) {
        gm_http_answer answer;
        gm_error       err;
        gm_time_ns     at = 0;
        assert_gm_ok(gm_http_request(http, "GET", "/v1/rul?twin=filter1", NULL, NULL, &answer, &err), err);
        json_t     *item = json_incref(json_array_get(json_object_get(answer.body, "wear"), 0));
        const char *time = json_string_value(json_object_get(item, "at"));
        if (time != NULL) assert_gm_ok(gm_time_parse(gm_str_of(time), &at, &err), err);
        *out_hours = (double)(at - begin_s * GM_SECOND) / (double)GM_HOUR;
        if (*out_hours >= from) {
            gm_http_answer_finish(&answer);
            return item;
        }
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("no prediction: %s", json_dumps(answer.body, JSON_COMPACT));
        json_decref(item);
        gm_http_answer_finish(&answer);
    }
}

static void wait_for_estimate(gm_http *http)
{
    gm_dur_ns end = gm_monotonic(gm_clock_system()) + 30 * GM_SECOND;
    for (bool begun = false; !begun;) {
        gm_http_answer answer;
        gm_error       err;
        assert_gm_ok(gm_http_request(http, "GET", "/v1/estimates", NULL, NULL, &answer, &err), err);
        begun = json_array_size(json_object_get(json_array_get(json_object_get(answer.body, "items"), 0), "variables")) > 0;
        if (!begun && gm_monotonic(gm_clock_system()) > end) fail_msg("no estimate: %s", json_dumps(answer.body, JSON_COMPACT));
        gm_http_answer_finish(&answer);
    }
}

static void a_filter_that_fouls_says_how_long_it_has(void **state)
{
    (void)state;
    char     plant[256], data[300];
    gm_http *http;
    gm_error err;
    double   hours;
    gm_test_make_dir(plant, sizeof plant);
    write_files(plant);
    char path[320];
    snprintf(path, sizeof path, "%s/rules/filters.maintenance", plant);
    gm_test_write_file(path, GM_STR("{\"maintenance\":[{\"name\":\"filters\",\"horizon\":\"3d\",\"window\":\"1h\",\"assets\":[{\"of\":\"SELECT * FROM DIGITALTWINS T WHERE T.$dtId = 'filter1'\","
                                    "\"work\":\"Change the filter\",\"cost\":50,\"life\":{\"mean\":60,\"shape\":6},\"failure\":{\"cost\":900}}]}]}"));
    gm_ran ran = GM_RUN("check", plant);
    if (ran.code != 0) fail_msg("%s%s", GM_TEXT(ran.out), GM_TEXT(ran.err));
    gm_ran_finish(&ran);
    snprintf(data, sizeof data, "%s/data", plant);
    gm_served *s = gm_serve(plant, data, NULL, NULL);
    assert_gm_ok(gm_http_open(gm_alloc_system(), s->http, &http, &err), err);
    send(http, 0, 1);  // an estimate begins with the first value; those that came with it in one piece are history
    wait_for_estimate(http);
    send(http, 1, SAMPLES);
    json_t *item  = wait_for_prediction(http, 22, &hours);
    double  truth = (threshold - start) / growth - hours, rul = json_number_value(json_object_get(item, "rul"));
    if (!(fabs(rul - truth) < 0.25 * truth)) fail_msg("%.1f hours are left, %.1f is said: %s", truth, rul, json_dumps(item, JSON_COMPACT));
    json_t *i50 = json_object_get(json_object_get(item, "intervals"), "50"), *i95 = json_object_get(json_object_get(item, "intervals"), "95");
    double  order[] = { json_number_value(json_array_get(i95, 0)), json_number_value(json_array_get(i50, 0)), rul,
                        json_number_value(json_array_get(i50, 1)), json_number_value(json_array_get(i95, 1)) };
    for (size_t i = 1; i < sizeof order / sizeof order[0]; i++) assert_true(order[i] > order[i - 1]);  // a distribution, not a number
    assert_true(truth > order[0] && truth < order[4]);
    assert_float_equal(json_number_value(json_object_get(item, "probability")), 1, 1e-9);
    assert_int_equal(json_integer_value(json_object_get(item, "failed")), 0);
    // So do people, and who plans work on it: windows by physics.
    ran = GM_RUN("predict", "--http", s->http);
    if (ran.code != 0 || strstr(GM_TEXT(ran.out), "filter1.fouling > 0.5") == NULL || strstr(GM_TEXT(ran.out), "100.0 %") == NULL) fail_msg("%s%s", GM_TEXT(ran.out), GM_TEXT(ran.err));
    gm_ran_finish(&ran);
    if (gm_mip_available()) {
        char now[GM_TIME_TEXT];
        (void)gm_time_format(begin_s * GM_SECOND + (gm_time_ns)(hours * (double)GM_HOUR), now);
        ran             = GM_RUN("maintain", "--http", s->http, "--now", now, "--json");
        json_t *plan    = json_loads(GM_TEXT(ran.out), 0, NULL), *work = json_array_get(json_object_get(plan, "items"), 0);
        double  half    = json_number_value(json_object_get(json_object_get(work, "prediction"), "hours50"));
        if (ran.code != 0 || !(fabs(half - rul) < 0.3 * rul)) fail_msg("%.1f hours were said: %s%s", rul, GM_TEXT(ran.out), GM_TEXT(ran.err));
        assert_string_equal(json_string_value(json_object_get(json_object_get(work, "prediction"), "from")), "wear");
        // It is changed before it is likely to be through.
        assert_true(json_object_get(work, "window") != NULL && json_number_value(json_object_get(work, "failsBefore")) < 0.5);
        json_decref(plan);
        gm_ran_finish(&ran);
    }
    // The twin has it too.
    gm_dur_ns end = gm_monotonic(gm_clock_system()) + 30 * GM_SECOND;
    for (bool there = false; !there;) {
        ran   = GM_RUN("query", "SELECT T.$dtId FROM DIGITALTWINS T WHERE T.hoursLeft < 40 AND T.hoursSure > T.hoursLeft", "--csv", "--http", s->http);
        there = strstr(GM_TEXT(ran.out), "filter1") != NULL;
        if (!there && gm_monotonic(gm_clock_system()) > end) fail_msg("%s%s", GM_TEXT(ran.out), GM_TEXT(ran.err));
        gm_ran_finish(&ran);
    }
    json_decref(item);
    gm_http_close(http);
    assert_int_equal(gm_served_stop(s), 0);
    gm_test_remove_dir(plant);
}

static void mistakes_are_told_with_file_and_line(void **state)
{
    (void)state;
    static const struct { const char *text, *says; } cases[] = {
        { "{\"wear\":[\n{\"name\":\"f\",\"twin\":\"filter1\",\"until\":\"filter1.fouling > much\"}]}", "insight/filter.json:2" },
        { "{\"wear\":[{\"name\":\"f\",\"twin\":\"filter1\",\"until\":\"filter1.dirt > 1\"}]}", "dirt" },
        { "{\"wear\":[{\"name\":\"f\",\"twin\":\"filter2\",\"until\":\"filter1.fouling > 1\"}]}", "'filter2' is no twin" },
        { "{\"wear\":[{\"name\":\"f\",\"twin\":\"filter1\",\"until\":\"filter1.fouling > 1\",\"vary\":[\"filter1.grow=1\"]}]}", "grow" },
        { "{\"wear\":[{\"name\":\"f\",\"twin\":\"filter1\",\"until\":\"filter1.fouling > 1\",\"into\":{\"rul\":\"left\"}}]}", "'left' is no property" },
        { "{\"wear\":[{\"name\":\"f\",\"twin\":\"filter1\",\"until\":\"filter1.fouling > 1\",\"into\":{\"rull\":\"left\"}}]}", "\"into\" has rul" },
        { "{\"wear\":[{\"name\":\"f\",\"twin\":\"filter1\",\"until\":\"filter1.fouling > 1\",\"horizon\":\"far\"}]}", "90d" },
        { "{\"wear\":[{\"name\":\"f\",\"until\":\"filter1.fouling > 1\"}]}", "\"twin\"" },
        { "{\"wear\":[{\"name\":\"f\",\"twin\":\"filter1\"}]}", "\"until\"" },
    };
    char plant[256], path[400];
    gm_test_make_dir(plant, sizeof plant);
    write_files(plant);
    snprintf(path, sizeof path, "%s/insight/filter.json", plant);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_test_write_file(path, gm_str_of(cases[i].text));
        gm_ran ran = GM_RUN("check", plant);
        if (ran.code == 0 || (strstr(GM_TEXT(ran.out), cases[i].says) == NULL && strstr(GM_TEXT(ran.err), cases[i].says) == NULL))
            fail_msg("%s: exit %d: %s%s", cases[i].text, ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err));
        gm_ran_finish(&ran);
    }
    gm_test_remove_dir(plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filter_that_fouls_says_how_long_it_has),
        cmocka_unit_test(mistakes_are_told_with_file_and_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
