// The fleet of examples/turbofan as its user has it: train, serve, replay, predict, evaluate; what rules then open; and the
// commands of docs/insight.md, run as they stand.
#include "control/maintain/mip.h"
#include "base/rng.h"
#include "insight/learn/boost.h"
#include "cli/http_client.h"
#include "support/doc.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TRAIN = 10, TEST = 6, SENSORS = 21, LIFE_MOST = 260 };

typedef struct fixture { char dir[256], data[300], plant[300], model[340], test[340], truth[340]; } fixture;

static uint32_t life_of(uint32_t unit) { return 140 + unit * 37 % 100; }

// Every third sensor shows the wear, in one of two directions; the others only noise, two nothing at all.
static void add_row(gm_buf *out, uint32_t unit, uint32_t cycle, uint32_t life)
{
    double wear = exp(5.0 * ((double)cycle / life - 1));
    gm_buf_printf(out, "%u %u %.4f %.4f 100", unit, cycle, 0.001 * gm_rng_normal(unit, 3, 1, cycle), 0.0001 * gm_rng_normal(unit, 3, 2, cycle));
    for (uint32_t s = 0; s < SENSORS; s++) {
        double value = 100 + s;
        if (s > 1) value += 0.1 * gm_rng_normal(unit, 4, s, cycle);
        if (s % 3 == 2) value += (s % 2 == 0 ? 1 : -1) * wear;
        gm_buf_printf(out, " %.4f", value);
    }
    gm_buf_text(out, "\n");
}

static uint32_t left_of(uint32_t unit)
{
    static const uint32_t left[TEST] = { 8, 40, 90, 15, 60, 120 };
    return left[unit - 1];
}

static void write_records(const fixture *f)
{
    char   path[400];
    gm_buf train = gm_buf_init(gm_alloc_system()), test = gm_buf_init(gm_alloc_system()), truth = gm_buf_init(gm_alloc_system());
    for (uint32_t u = 1; u <= TRAIN; u++)
        for (uint32_t c = 1; c <= life_of(u); c++) add_row(&train, u, c, life_of(u));
    for (uint32_t u = 1; u <= TEST; u++) {
        uint32_t life = life_of(u + 50);
        for (uint32_t c = 1; c <= life - left_of(u); c++) add_row(&test, u, c, life);
        gm_buf_printf(&truth, "%u\n", left_of(u));
    }
    snprintf(path, sizeof path, "%s/train_FD001.txt", f->data);
    gm_test_write_file(path, gm_buf_view(&train));
    gm_test_write_file(f->test, gm_buf_view(&test));
    gm_test_write_file(f->truth, gm_buf_view(&truth));
    gm_buf_finish(&train);
    gm_buf_finish(&test);
    gm_buf_finish(&truth);
}

// A row a minute that swings, with a spike; as small as the benchmarks' layout allows.
static void write_benchmarks(const fixture *f)
{
    char   path[400];
    gm_buf csv = gm_buf_init(gm_alloc_system());
    gm_buf_text(&csv, "timestamp,value\n");
    for (int i = 0; i < 900; i++)
        gm_buf_printf(&csv, "2026-01-%02d %02d:%02d:00,%.3f\n", 1 + i / 1440, i / 60 % 24, i % 60,
                      10 + sin(i / 5.0) + 0.1 * gm_rng_normal(9, 0, 0, (uint64_t)i) + (i >= 700 && i < 720 ? 30 : 0));
    snprintf(path, sizeof path, "%s/nab/data/made/up.csv", f->dir);
    gm_test_write_file(path, gm_buf_view(&csv));
    gm_buf_finish(&csv);
    snprintf(path, sizeof path, "%s/nab/labels/combined_windows.json", f->dir);
    gm_test_write_file(path, GM_STR("{\"made/up.csv\":[[\"2026-01-01 11:20:00.000000\",\"2026-01-01 12:10:00.000000\"]]}"));
    snprintf(path, sizeof path, "%s/nab/profiles.json", f->dir);
    gm_test_write_file(path, GM_STR("{\"standard\":{\"CostMatrix\":{\"tpWeight\":1,\"fnWeight\":1,\"fpWeight\":0.11,\"tnWeight\":1}}}"));
    csv = gm_buf_init(gm_alloc_system());
    gm_buf_text(&csv, "datetime;a;b;c;anomaly;changepoint\n");
    for (int i = 0; i < 900; i++) {
        double x = sin(i / 7.0), n = gm_rng_normal(10, 0, 0, (uint64_t)i);
        bool   broken = i >= 600 && i < 700;
        gm_buf_printf(&csv, "2026-01-01 %02d:%02d:%02d;%.4f;%.4f;%.4f;%d;0\n", i / 3600, i / 60 % 60, i % 60, x + 0.05 * n,
                      2 * x + 0.05 * gm_rng_normal(10, 0, 1, (uint64_t)i) + (broken ? 2 : 0), 0.05 * gm_rng_normal(10, 0, 2, (uint64_t)i), broken);
    }
    snprintf(path, sizeof path, "%s/skab/run/1.csv", f->dir);
    gm_test_write_file(path, gm_buf_view(&csv));
    gm_buf_finish(&csv);
}

static int set_up(void **state)
{
    static fixture f;
    char           command[1500];
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.data, sizeof f.data, "%s/cmapss", f.dir);
    snprintf(f.plant, sizeof f.plant, "%s/plant", f.dir);
    snprintf(f.model, sizeof f.model, "%s/insight/turbofan", f.plant);
    snprintf(f.test, sizeof f.test, "%s/test_FD001.txt", f.data);
    snprintf(f.truth, sizeof f.truth, "%s/RUL_FD001.txt", f.data);
    snprintf(command, sizeof command, "cp -r '%s/examples/turbofan' '%s' && rm -rf '%s/data' '%s'", gm_test_root(), f.plant, f.plant, f.model);
    assert_int_equal(system(command), 0);
    write_records(&f);
    write_benchmarks(&f);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    gm_test_remove_dir(((fixture *)*state)->dir);
    return 0;
}

static json_t *get_json(const gm_served *s, const char *path)
{
    gm_http       *http;
    gm_http_answer answer;
    gm_error       err;
    assert_gm_ok(gm_http_open(gm_alloc_system(), s->http, &http, &err), err);
    assert_gm_ok(gm_http_request(http, "GET", path, NULL, NULL, &answer, &err), err);
    if (answer.code != 200) fail_msg("%s: %ld", path, answer.code);
    json_t *body = json_incref(answer.body);
    gm_http_answer_finish(&answer);
    gm_http_close(http);
    return body;
}

static size_t rows_of(uint32_t unit) { return life_of(unit + 50) - left_of(unit); }

// Every engine has been looked at with its last row.
static bool is_complete(const json_t *items)
{
    size_t whole = 0;
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        uint32_t      unit = (uint32_t)strtoul(json_string_value(json_object_get(item, "twin")) + strlen("engine-"), NULL, 10);
        whole += (size_t)json_integer_value(json_object_get(item, "rows")) == rows_of(unit);
    }
    return whole == TEST;
}

static json_t *wait_for_predictions(const gm_served *s)
{
    gm_dur_ns end = gm_monotonic(gm_clock_system()) + 60 * GM_SECOND;
    for (;;) {
        json_t *answer = get_json(s, "/v1/rul");
        if (is_complete(json_object_get(answer, "items"))) return answer;
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("no predictions: %s", json_dumps(answer, JSON_COMPACT));
        json_decref(answer);
    }
}

static bool names(const json_t *items, const char *member, const char *twin, const char *text)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        const char   *of   = json_string_value(json_object_get(item, "twin")), *says = json_string_value(json_object_get(item, member));
        if (of != NULL && strcmp(of, twin) == 0 && says != NULL && strstr(says, text) != NULL) return true;
    }
    return false;
}

// Until rules that follow the predictions have opened what they should.
static void wait_for_order(const gm_served *s, const char *twin, const char *text)
{
    gm_dur_ns end = gm_monotonic(gm_clock_system()) + 30 * GM_SECOND;
    for (bool found = false; !found;) {
        json_t *answer = get_json(s, "/v1/workorders");
        found          = names(json_object_get(answer, "items"), "text", twin, text);
        if (!found && gm_monotonic(gm_clock_system()) > end) fail_msg("%s has no order '%s': %s", twin, text, json_dumps(answer, JSON_COMPACT));
        json_decref(answer);
    }
}

static void expect_ranking(const json_t *answer)
{
    const json_t *items = json_object_get(answer, "items");
    double        before = 0;
    for (size_t i = 0; i < TEST; i++) {
        const json_t *item = json_array_get(items, i), *interval = json_object_get(json_object_get(item, "intervals"), "90");
        double        rul  = json_number_value(json_object_get(item, "rul"));
        assert_true(rul >= before);
        before = rul;
        assert_true(json_number_value(json_array_get(interval, 0)) <= rul && rul <= json_number_value(json_array_get(interval, 1)));
        assert_int_equal(json_integer_value(json_object_get(item, "version")), 1);
        assert_true(json_array_size(json_object_get(item, "similar")) > 0);
    }
    assert_string_equal(json_string_value(json_object_get(json_array_get(items, 0), "twin")), "engine-001");  // 8 left
    const json_t *model = json_array_get(json_object_get(answer, "models"), 0);
    assert_string_equal(json_string_value(json_object_get(model, "model")), "turbofan");
    assert_int_equal(json_integer_value(json_object_get(model, "version")), 1);
}

static void run_page(const fixture *f, const gm_served *s)
{
    char              nab[320], skab[320], models[320];
    gm_str            command;
    gm_doc            doc;
    int               run = 0;
    const char *const pairs[] = { "models/turbofan", models, "RUL.txt", f->truth, "pump7", "engine-001", "flow", "T24", "building", "engine-004",
                                  "temperature", "T50", "cmapss", f->data, "skab", skab, "nab", nab, NULL };
    snprintf(nab, sizeof nab, "%s/nab", f->dir);
    snprintf(skab, sizeof skab, "%s/skab", f->dir);
    snprintf(models, sizeof models, "%s/models", f->dir);
    setenv("GEMEL_HTTP", s->http, 1);
    gm_doc_open(&doc, "docs/insight.md");
    while (gm_doc_next_command(&doc, &command)) {
        // Behind two blanks the page says what a command does.
        size_t end = gm_str_find(command, GM_STR("  "));
        if (end != SIZE_MAX) command = gm_str_slice(command, 0, end);
        char **words = gm_doc_words(command, pairs);
        // The verb's own name stays.
        if (strcmp(words[1], "evaluate") == 0 && strcmp(words[2], nab) == 0) strcpy(words[2], "nab");
        if (strcmp(words[1], "evaluate") == 0 && strcmp(words[2], skab) == 0) strcpy(words[2], "skab");
        gm_ran ran = gm_run((const char *const *)words + 1);
        if (ran.code != 0 || (ran.out.len == 0)) fail_msg(GM_STR_FMT ": exit %d: %s%s", GM_STR_ARG(command), ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err));
        gm_ran_finish(&ran);
        gm_doc_free_words(words);
        run++;
    }
    assert_true(run >= 9);
    gm_doc_close(&doc);
    unsetenv("GEMEL_HTTP");
}

// Shop visits by the model's predictions: those with 8 and 15 cycles left (of half a day) go before those with 90 and 120.
static void expect_visits(const gm_served *s)
{
    if (!gm_mip_available()) return;
    gm_ran  ran  = GM_RUN("maintain", "--http", s->http, "--orders", "--json", "--lanes", "200");
    json_t *plan = json_loads(GM_TEXT(ran.out), 0, NULL);
    if (ran.code != 0 || plan == NULL) fail_msg("%d: %s%s", ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err));
    const json_t *items = json_object_get(plan, "items");
    json_int_t    windows[TEST + 1];
    assert_int_equal(json_array_size(items), TEST);
    for (size_t i = 0; i < TEST; i++) {
        const json_t *item = json_array_get(items, i), *prediction = json_object_get(item, "prediction"), *window = json_object_get(item, "window");
        unsigned long unit = strtoul(json_string_value(json_object_get(item, "twin")) + strlen("engine-"), NULL, 10);
        assert_true(unit >= 1 && unit <= TEST);
        assert_string_equal(json_string_value(json_object_get(prediction, "from")), "model");
        windows[unit] = window != NULL ? json_integer_value(window) : 1000;
    }
    for (int urgent = 1; urgent <= 4; urgent += 3) {
        assert_true(windows[urgent] <= 14);
        assert_true(windows[urgent] < windows[3] && windows[urgent] < windows[6]);
    }
    json_decref(plan);
    gm_ran_finish(&ran);
    wait_for_order(s, "engine-001", "Shop visit");
}

static void the_fleet_is_predicted_ranked_alarmed_and_sent_to_inspection(void **state)
{
    const fixture *f = *state;
    char           data[400];
    if (!gm_boost_available()) {
        print_message("skipped: built without XGBoost\n");
        skip();
    }
    gm_ran ran = GM_RUN("train", "turbofan", "--data", f->data, "--set", "FD001", "--out", f->model, "--threads", "1", "--json");
    if (ran.code != 0) fail_msg("%s", GM_TEXT(ran.err));
    json_t *trained = json_loads(GM_TEXT(ran.out), 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(trained, "failed")), TRAIN);
    json_decref(trained);
    gm_ran_finish(&ran);
    ran = GM_RUN("evaluate", "turbofan", "--data", f->data, "--set", "FD001", "--model", f->model, "--json");
    if (ran.code != 0) fail_msg("%s", GM_TEXT(ran.err));
    json_t *measured = json_loads(GM_TEXT(ran.out), 0, NULL);
    static const char *const keys[] = { "set", "engines", "rmse_clipped", "score_clipped", "rmse", "score", "coverage50", "coverage80", "coverage90", "coverage95",
                                        "width50", "width80", "width90", "width95", "mae", "bias", "crps", "horizon", "alpha_lambda", "train_seconds" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (json_object_get(measured, keys[i]) == NULL) fail_msg("there is no \"%s\"", keys[i]);
    assert_int_equal(json_integer_value(json_object_get(measured, "engines")), TEST);
    assert_true(json_number_value(json_object_get(measured, "rmse_clipped")) < 25);  // the mean of all truths errs by 41
    json_decref(measured);
    gm_ran_finish(&ran);

    snprintf(data, sizeof data, "%s/data", f->dir);
    gm_served *s = gm_serve(f->plant, data, NULL, NULL);
    ran          = GM_RUN("replay", f->plant, "--data", f->test, "--mqtt", s->mqtt, "--rate", "max");
    if (ran.code != 0) fail_msg("%s", GM_TEXT(ran.err));
    gm_ran_finish(&ran);
    json_t *answer = wait_for_predictions(s);
    expect_ranking(answer);
    json_decref(answer);
    wait_for_order(s, "engine-001", "Remove the engine");
    wait_for_order(s, "engine-001", "Borescope");
    answer = get_json(s, "/v1/workorders");
    assert_false(names(json_object_get(answer, "items"), "text", "engine-006", "Remove"));  // 120 cycles are left
    json_decref(answer);

    ran = GM_RUN("predict", "--truth", f->truth, "--http", s->http);
    if (ran.code != 0 || strstr(GM_TEXT(ran.out), "TRUTH") == NULL || strstr(GM_TEXT(ran.out), "engine-001") == NULL) fail_msg("%s", GM_TEXT(ran.out));
    gm_ran_finish(&ran);
    ran = GM_RUN("alarms", "--http", s->http);
    if (strstr(GM_TEXT(ran.out), "endOfLife@engine-001") == NULL && strstr(GM_TEXT(ran.out), "Fewer than 20 cycles") == NULL) fail_msg("%s", GM_TEXT(ran.out));
    gm_ran_finish(&ran);
    run_page(f, s);
    expect_visits(s);
    assert_int_equal(gm_served_stop(s), 0);
}

static void models_and_records_that_can_not_be_used_are_refused_in_words(void **state)
{
    const fixture *f = *state;
    char           path[400], dir[320];
    if (!gm_boost_available()) skip();
    snprintf(dir, sizeof dir, "%s/models", f->dir);
    gm_ran ran = GM_RUN("evaluate", "turbofan", "--data", f->data, "--set", "FD001", "--model", dir);
    if (ran.code == 0 || strstr(GM_TEXT(ran.err), "gemel train") == NULL) fail_msg("%d %s", ran.code, GM_TEXT(ran.err));
    gm_ran_finish(&ran);
    gm_buf few = gm_buf_init(gm_alloc_system());
    for (uint32_t u = 1; u <= 3; u++)
        for (uint32_t c = 1; c <= 90; c++) add_row(&few, u, c, 90);
    snprintf(path, sizeof path, "%s/train_FEW.txt", f->data);
    gm_test_write_file(path, gm_buf_view(&few));
    gm_buf_finish(&few);
    ran = GM_RUN("train", "turbofan", "--data", f->data, "--set", "FEW", "--out", dir);
    if (ran.code != 0) fail_msg("%s", GM_TEXT(ran.err));
    gm_ran_finish(&ran);
    // A file of a version that is not there yet.
    snprintf(path, sizeof path, "%s/rul-1.model", dir);
    gm_buf bytes = gm_test_read_file(path);
    ((uint8_t *)bytes.ptr)[8] = 9;
    gm_test_write_file(path, gm_buf_view(&bytes));
    gm_buf_finish(&bytes);
    ran = GM_RUN("evaluate", "turbofan", "--data", f->data, "--set", "FD001", "--model", dir);
    if (ran.code == 0 || strstr(GM_TEXT(ran.err), "version 9") == NULL) fail_msg("%d %s", ran.code, GM_TEXT(ran.err));
    gm_ran_finish(&ran);
    // One engine is no fleet.
    gm_buf one = gm_buf_init(gm_alloc_system());
    for (uint32_t c = 1; c <= 150; c++) add_row(&one, 1, c, 150);
    snprintf(path, sizeof path, "%s/train_ONE.txt", f->data);
    gm_test_write_file(path, gm_buf_view(&one));
    gm_buf_finish(&one);
    ran = GM_RUN("train", "turbofan", "--data", f->data, "--set", "ONE", "--out", dir);
    if (ran.code == 0 || strstr(GM_TEXT(ran.err), "1 of 1 assets failed") == NULL) fail_msg("%d %s", ran.code, GM_TEXT(ran.err));
    gm_ran_finish(&ran);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_fleet_is_predicted_ranked_alarmed_and_sent_to_inspection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(models_and_records_that_can_not_be_used_are_refused_in_words, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
