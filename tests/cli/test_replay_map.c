#include "cli/replay_map.h"

#include "support/support.h"

#include <stdlib.h>

typedef struct fixture { gm_arena *arena; json_t *json; gm_replay_map *map; gm_error err; gm_status st; } fixture;

static fixture open_map(const char *text)
{
    fixture f = { .arena = gm_arena_create(gm_alloc_system(), 0) };
    f.json    = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(f.json);
    f.st = gm_replay_map_read(f.json, f.arena, &f.map, &f.err);
    return f;
}

static void close_map(fixture *f)
{
    json_decref(f->json);
    gm_arena_destroy(f->arena);
}

#define COMMON "\"columns\":[\"unit\",\"cycle\",\"t\",\"note\"],\"twin\":\"engine-{unit:03d}\""
#define TIME "\"time\":{\"column\":\"cycle\",\"every\":\"1h\",\"first\":1}"

static void a_mapping_is_read_or_refused_with_the_key(void **state)
{
    (void)state;
    static const struct { const char *text; gm_status st; const char *says;
    } cases[] = {
        { "{" COMMON "," TIME ",\"send\":[\"t\"]}", GM_OK, "" },
        { "[]", GM_INVALID, "a mapping is a JSON object" },
        { "{}", GM_INVALID, "\"twin\" must say" },
        { "{\"colour\":1}", GM_INVALID, "no key \"colour\"" },
        { "{" COMMON "," TIME ",\"send\":[\"t\"],\"separator\":\"dots\"}", GM_INVALID, "\"separator\" is" },
        { "{" COMMON "," TIME ",\"send\":[\"t\"],\"topic\":\"x\"}", GM_INVALID, "\"topic\" is" },
        { "{" COMMON "," TIME ",\"send\":[]}", GM_INVALID, "\"send\" must list" },
        { "{" COMMON "," TIME ",\"send\":[\"missing\"]}", GM_INVALID, "no column 'missing'" },
        { "{" COMMON "," TIME ",\"send\":[{\"column\":\"t\",\"type\":\"colour\"}]}", GM_INVALID, "\"type\" is" },
        { "{" COMMON ",\"time\":5,\"send\":[\"t\"]}", GM_INVALID, "\"time\" must be an object" },
        { "{" COMMON ",\"time\":{\"column\":\"cycle\",\"every\":\"5\"},\"send\":[\"t\"]}", GM_INVALID,
          "not a length of time" },
        { "{\"twin\":\"a\"," TIME ",\"send\":[\"t\"]}", GM_INVALID, "no header, so \"columns\"" },
        { "{" COMMON "," TIME ",\"send\":[\"t\"],\"create\":[{\"twin\":\"a\",\"body\":{}}]}", GM_INVALID,
          "needs \"$metadata\"" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture f = open_map(cases[i].text);
        if (f.st != cases[i].st || strstr(f.err.text, cases[i].says) == NULL) {
            fail_msg("%s: status %d, '%s'", cases[i].text, (int)f.st, f.err.text);
        }
        close_map(&f);
    }
}

static void lines_are_split_at_the_separator(void **state)
{
    (void)state;
    static const struct { const char *separator, *line; size_t n; const char *fields[5]; } cases[] = {
        { "space", "1 2  3.5 \t4  \r\n", 4, { "1", "2", "3.5", "4" } },
        { "space", "\n", 0, { NULL } },
        { "comma", "a,b,,d\r\n", 4, { "a", "b", "", "d" } },
        { "comma", "\"x, y\",2,\n", 3, { "x, y", "2", "" } },
        { "semicolon", "2020-02-08 13:30:47;0.2;1", 3, { "2020-02-08 13:30:47", "0.2", "1" } },
        { "tab", "a b\tc", 2, { "a b", "c" } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        snprintf(text, sizeof text, "{" COMMON "," TIME ",\"send\":[\"t\"],\"separator\":\"%s\"}", cases[i].separator);
        fixture        f = open_map(text);
        static gm_replay_row row;
        assert_gm_ok(f.st, f.err);
        assert_gm_ok(gm_replay_split(f.map, gm_str_of(cases[i].line), &row, &f.err), f.err);
        if (row.count != cases[i].n) fail_msg("'%s': %zu fields", cases[i].line, row.count);
        for (size_t c = 0; c < row.count; c++) {
            if (!gm_str_is(row.fields[c], cases[i].fields[c]))
                fail_msg("'%s': field %zu is '" GM_STR_FMT "'", cases[i].line, c, GM_STR_ARG(row.fields[c]));
        }
        close_map(&f);
    }
}

// What one row of the table becomes, or why not.
static void row_text(fixture *f, const char *line, gm_time_ns start, char out[1024])
{
    static gm_replay_row row;
    gm_buf     id = gm_buf_init(gm_alloc_system()), body = gm_buf_init(gm_alloc_system());
    gm_time_ns at = 0;
    gm_error   err = { 0 };
    gm_status  st  = gm_replay_split(f->map, gm_str_of(line), &row, &err);
    if (st == GM_OK) st = gm_replay_twin(f->map, &row, &id, &err);
    if (st == GM_OK) st = gm_replay_time(f->map, &row, start, &at, &err);
    if (st == GM_OK) st = gm_replay_payload(f->map, &row, at, &body, &err);
    if (st == GM_OK)
        snprintf(out, 1024, GM_STR_FMT " " GM_STR_FMT, GM_STR_ARG(gm_buf_view(&id)), GM_STR_ARG(gm_buf_view(&body)));
    else snprintf(out, 1024, "%s", err.text);
    gm_buf_finish(&id);
    gm_buf_finish(&body);
}

static void a_row_becomes_a_message(void **state)
{
    (void)state;
    fixture f = open_map("{" COMMON "," TIME
                         ",\"separator\":\"space\",\"send\":[{\"column\":\"cycle\",\"type\":\"integer\"},\"t\","
                         "{\"column\":\"note\",\"property\":\"flag\",\"type\":\"boolean\"}]}");
    assert_gm_ok(f.st, f.err);
    static const struct { const char *line, *wanted;
    } cases[] = {
        { "7 1 553.90 1", "engine-007 {\"cycle\":1,\"t\":553.90,\"flag\":true,\"$time\":\"1970-01-01T00:00:00Z\"}" },
        { "7 3 -.5 0.0", "engine-007 {\"cycle\":3,\"t\":-0.5,\"flag\":false,\"$time\":\"1970-01-01T02:00:00Z\"}" },
        { "100 1.0 1e3 1", "engine-100 {\"cycle\":1,\"t\":1e3,\"flag\":true,\"$time\":\"1970-01-01T00:00:00Z\"}" },
        { "1 1.5 NaN 1", NULL },
        { "1 1 NaN 1",
          "engine-001 {\"cycle\":1,\"flag\":true,\"$time\":\"1970-01-01T00:00:00Z\"}" }, // no value: left out
        { "1 1 inf 1", "column t: 'inf' is no number" },
        { "1 1 abc 1", "column t: 'abc' is no number" },
        { "1 1 2", "the row has 3 columns; 'note' would be number 4" },
        { "x 1 2 1", "'x' is not the whole number that the twin's id needs" },
        { "1 x 2 1", "'x' in the time column is not a number" },
        { "1 -5 2 1", "'-5' leads outside the years 1970 to 2200" },
        { "1 1 2 maybe", "column note: 'maybe' is no boolean" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1024];
        row_text(&f, cases[i].line, 0, text);
        if (cases[i].wanted == NULL) continue;
        if (strcmp(text, cases[i].wanted) != 0)
            fail_msg("'%s' became\n%s, not\n%s", cases[i].line, text, cases[i].wanted);
    }
    close_map(&f);
}

static void whole_steps_are_exact_far_from_the_start(void **state)
{
    (void)state;
    fixture f = open_map(
        "{\"columns\":[\"k\",\"v\"],\"twin\":\"a\",\"time\":{\"column\":\"k\",\"every\":\"1ms\"},\"send\":[\"v\"]}");
    assert_gm_ok(f.st, f.err);
    char text[1024];
    row_text(&f, "987654321001,1", INT64_C(1767225600) * GM_SECOND, text);
    assert_string_equal(text, "a {\"v\":1,\"$time\":\"2057-04-19T04:25:21.001Z\"}");
    close_map(&f);
}

static void a_table_with_a_header_and_times_is_understood(void **state)
{
    (void)state;
    fixture f =
        open_map("{\"separator\":\"semicolon\",\"header\":true,\"twin\":\"rig-{file}\",\"time\":{\"column\":"
                 "\"datetime\",\"zone\":\"+03:00\"},"
                 "\"send\":[{\"column\":\"Volume Flow "
                 "RateRMS\",\"property\":\"flow\"},{\"column\":\"anomaly\",\"type\":\"boolean\",\"optional\":true}]}");
    assert_gm_ok(f.st, f.err);
    static gm_replay_row header;
    gm_replay_set_file(f.map, GM_STR("valve 1"));
    assert_gm_ok(gm_replay_split(f.map, GM_STR("datetime;Pressure;Volume Flow RateRMS;anomaly"), &header, &f.err),
                 f.err);
    assert_gm_ok(gm_replay_bind(f.map, &header, &f.err), f.err);
    char text[1024];
    row_text(&f, "2020-03-09 14:34:41;0.38;32.0268;0.0", 0, text);
    assert_string_equal(text, "rig-valve 1 {\"flow\":32.0268,\"anomaly\":false,\"$time\":\"2020-03-09T11:34:41Z\"}");

    // What is optional may be missing, the rest may not.
    assert_gm_ok(gm_replay_split(f.map, GM_STR("datetime;Volume Flow RateRMS"), &header, &f.err), f.err);
    assert_gm_ok(gm_replay_bind(f.map, &header, &f.err), f.err);
    row_text(&f, "2020-03-09 14:34:41;32", 0, text);
    assert_string_equal(text, "rig-valve 1 {\"flow\":32,\"$time\":\"2020-03-09T11:34:41Z\"}");
    assert_gm_ok(gm_replay_split(f.map, GM_STR("datetime;Pressure"), &header, &f.err), f.err);
    assert_int_equal(gm_replay_bind(f.map, &header, &f.err), GM_INVALID);
    assert_non_null(strstr(f.err.text, "no column 'Volume Flow RateRMS'"));
    close_map(&f);
}

static void templates_are_filled_from_the_row(void **state)
{
    (void)state;
    fixture f = open_map(
        "{" COMMON "," TIME ",\"separator\":\"space\",\"send\":[\"t\"],\"create\":["
        "{\"twin\":\"{twin}-fan\",\"body\":{\"$metadata\":{\"$model\":\"dtmi:t:Fan;1\"},\"unit\":\"{unit:number}\","
        "\"say\":\"unit {unit} of \\\"{note}\\\"\",\"deep\":[{\"a\":\"{twin}\"},1,null,true]}}]}");
    assert_gm_ok(f.st, f.err);
    assert_int_equal(gm_replay_create_count(f.map), 1);
    static gm_replay_row row;
    gm_buf id = gm_buf_init(gm_alloc_system()), body = gm_buf_init(gm_alloc_system());
    assert_gm_ok(gm_replay_split(f.map, GM_STR("7 1 2 x\"y"), &row, &f.err), f.err);
    assert_gm_ok(gm_replay_create(f.map, &row, 0, &id, &body, &f.err), f.err);
    assert_true(gm_str_is(gm_buf_view(&id), "engine-007-fan"));
    assert_true(gm_str_is(gm_buf_view(&body),
                          "{\"$metadata\":{\"$model\":\"dtmi:t:Fan;1\"},\"unit\":7,"
                          "\"say\":\"unit 7 of \\\"x\\\"y\\\"\",\"deep\":[{\"a\":\"engine-007\"},1,null,true]}"));
    gm_buf_finish(&id);
    gm_buf_finish(&body);
    close_map(&f);
}

static void any_line_is_read_or_refused_without_harm(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    fixture  f      = open_map("{" COMMON "," TIME
                               ",\"separator\":\"comma\",\"send\":[\"t\",{\"column\":\"note\",\"type\":\"string\"}]}");
    assert_gm_ok(f.st, f.err);
    for (int i = 0; i < 5000; i++) {
        static const char letters[] = "0123456789.-+eE,,,,\" \tNaNinf\\{}\n";
        char   line[80], text[1024];
        size_t n = gm_test_random(&random) % (sizeof line - 1);
        for (size_t c = 0; c < n; c++) line[c] = letters[gm_test_random(&random) % (sizeof letters - 1)];
        line[n] = '\0';
        row_text(&f, line, 0, text);
    }
    close_map(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mapping_is_read_or_refused_with_the_key),
        cmocka_unit_test(lines_are_split_at_the_separator),
        cmocka_unit_test(a_row_becomes_a_message),
        cmocka_unit_test(whole_steps_are_exact_far_from_the_start),
        cmocka_unit_test(a_table_with_a_header_and_times_is_understood),
        cmocka_unit_test(templates_are_filled_from_the_row),
        cmocka_unit_test(any_line_is_read_or_refused_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
