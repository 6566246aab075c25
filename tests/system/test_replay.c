// Recorded flights through the whole program: published with QoS 1, kept once each, also when the server is killed meanwhile.
#include "cli/http_client.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

enum { ENGINES = 100, ROWS_MAX = 400, COLUMNS = 26 };

typedef struct engine { size_t rows; double last[COLUMNS], t24[ROWS_MAX]; } engine;

typedef struct table { char path[400]; size_t rows; engine engines[ENGINES + 1]; } table;

static const char *const names[COLUMNS] = {
    NULL,  "cycle", "setting1", "setting2", "setting3", "T2",        "T24",  "T30", "T50",
    "P2",  "P15",   "P30",      "Nf",       "Nc",       "epr",       "Ps30", "phi", "NRf",
    "NRc", "BPR",   "farB",     "htBleed",  "Nf_dmd",   "PCNfR_dmd", "W31",  "W32",
};

// NASA's test flights when they are at hand, else a table of the same shape and size.
static void make_table(table *t, const char *dir, uint64_t *random)
{
    snprintf(t->path, sizeof t->path, "%s/../shared/data/cmapss/test_FD001.txt.gz", gm_test_root());
    if (access(t->path, R_OK) == 0) return;
    print_message("NASA's flights are not here: a made-up table of the same shape\n");
    snprintf(t->path, sizeof t->path, "%s/flights.txt.gz", dir);
    gzFile file = gzopen(t->path, "wb");
    assert_non_null(file);
    for (int unit = 1; unit <= ENGINES; unit++) {
        int cycles = unit == ENGINES ? 196 : 130 + (int)(gm_test_random(random) % 3) - 1;
        for (int cycle = 1; cycle <= cycles; cycle++) {
            gzprintf(file, "%d %d", unit, cycle);
            for (int c = 2; c < COLUMNS; c++)
                gzprintf(file, " %.4f", (double)(gm_test_random(random) % 100000000) / 1e4 - 10);
            gzprintf(file, "  \n");
        }
    }
    gzclose(file);
}

static void read_table(table *t)
{
    char   line[1000];
    gzFile file = gzopen(t->path, "rb");
    assert_non_null(file);
    while (gzgets(file, line, sizeof line) != NULL) {
        double values[COLUMNS];
        char  *at = line;
        for (int c = 0; c < COLUMNS; c++) values[c] = strtod(at, &at);
        engine *e = &t->engines[(int)values[0]];
        assert_true(e->rows < ROWS_MAX);
        memcpy(e->last, values, sizeof values);
        e->t24[e->rows++] = values[6];
        t->rows++;
    }
    gzclose(file);
}

static json_t *get_json(gm_http *http, const char *path)
{
    gm_http_answer answer;
    gm_error       err;
    assert_gm_ok(gm_http_request(http, "GET", path, NULL, NULL, &answer, &err), err);
    if (answer.code != 200) fail_msg("%s: %ld", path, answer.code);
    json_t *body = json_incref(answer.body);
    gm_http_answer_finish(&answer);
    return body;
}

static void expect_last_row(gm_http *http, const table *t, int unit)
{
    char path[200];
    snprintf(path, sizeof path, "/digitaltwins/engine-%03d?api-version=2022-05-31", unit);
    json_t *twin = get_json(http, path);
    for (int c = 1; c < COLUMNS; c++) {
        double value = json_number_value(json_object_get(twin, names[c]));
        if (value != t->engines[unit].last[c])
            fail_msg("engine-%03d.%s is %.17g, the table says %.17g", unit, names[c], value, t->engines[unit].last[c]);
    }
    json_decref(twin);
}

static void expect_history(gm_http *http, const table *t, int unit)
{
    char path[200];
    snprintf(path, sizeof path, "/v1/history?twin=engine-%03d&property=T24", unit);
    json_t *history = get_json(http, path), *points = json_object_get(history, "points");
    if (json_array_size(points) != t->engines[unit].rows)
        fail_msg("engine-%03d.T24 has %zu samples, the table %zu", unit, json_array_size(points),
                 t->engines[unit].rows);
    for (size_t i = 0; i < t->engines[unit].rows; i++) {
        char time[GM_TIME_TEXT];
        gm_time_format(INT64_C(1767225600) * GM_SECOND + (gm_time_ns)i * GM_HOUR, time);
        json_t *point = json_array_get(points, i);
        assert_string_equal(json_string_value(json_array_get(point, 0)), time);
        assert_true(json_number_value(json_array_get(point, 1)) == t->engines[unit].t24[i]);
    }
    json_decref(history);
}

static void expect_everything(const char *address, const table *t)
{
    gm_http *http;
    gm_error err;
    assert_gm_ok(gm_http_open(gm_alloc_system(), address, &http, &err), err);
    for (int unit = 1; unit <= ENGINES; unit++) {
        expect_last_row(http, t, unit);
        expect_history(http, t, unit);
    }
    gm_http_close(http);
    static const struct { const char *query; int count; } counts[] = {
        { "SELECT COUNT() FROM DIGITALTWINS WHERE IS_OF_MODEL('dtmi:gemel:turbofan:Engine;1')", ENGINES },
        { "SELECT COUNT() FROM DIGITALTWINS WHERE IS_DEFINED(T24)", ENGINES },
        { "SELECT COUNT() FROM DIGITALTWINS WHERE IS_OF_MODEL('dtmi:gemel:turbofan:Module;1')", 6 * ENGINES },
        { "SELECT COUNT() FROM RELATIONSHIPS", 7 * ENGINES },
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "[{\"COUNT\":%d}]\n", counts[i].count);
        gm_ran ran = GM_RUN("query", counts[i].query, "--json", "--http", address);
        if (ran.code != 0 || strcmp(GM_TEXT(ran.out), wanted) != 0)
            fail_msg("%s: %s%s", counts[i].query, GM_TEXT(ran.out), GM_TEXT(ran.err));
        gm_ran_finish(&ran);
    }
}

typedef struct fixture { char dir[256], data[300]; table *table; } fixture;

static int set_up(void **state)
{
    static fixture f;
    uint64_t       random = gm_test_seed();
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.data, sizeof f.data, "%s/data", f.dir);
    f.table = calloc(1, sizeof *f.table);
    make_table(f.table, f.dir, &random);
    read_table(f.table);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    gm_test_remove_dir(f->dir);
    free(f->table);
    return 0;
}

static void a_replayed_table_is_what_the_twins_say(void **state)
{
    const fixture *f = *state;
    gm_served     *s = gm_serve("examples/turbofan", f->data, NULL, NULL);
    for (int round = 0; round < 2; round++) {  // the second time changes nothing
        gm_ran ran = GM_RUN("replay", "examples/turbofan", "--data", f->table->path, "--mqtt", s->mqtt, "--rate", "max",
                            "--json");
        char   wanted[200];
        snprintf(wanted, sizeof wanted, "{\"twins\":%d,\"created\":%d,\"sent\":%zu,\"acknowledged\":%zu,\"refused\":0,",
                 ENGINES, 7 * ENGINES + 1, f->table->rows, f->table->rows);
        if (ran.code != 0 || strncmp(GM_TEXT(ran.out), wanted, strlen(wanted)) != 0)
            fail_msg("exit %d: %s%s", ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err));
        gm_ran_finish(&ran);
        expect_everything(s->http, f->table);
    }
    assert_int_equal(gm_served_stop(s), 0);
    s = gm_serve("examples/turbofan", f->data, NULL, NULL);
    expect_everything(s->http, f->table);
    assert_int_equal(gm_served_stop(s), 0);
}

// Waits until the server's log shows that rows arrive.
static void wait_for_rows(const gm_served *s)
{
    gm_dur_ns end = gm_monotonic(gm_clock_system()) + 30 * GM_SECOND;
    for (int code = 1; code != 0;) {
        gm_ran ran = GM_RUN("get", "engine-003", "T24", "--http", s->http);
        code       = ran.code;
        gm_ran_finish(&ran);
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("no rows arrive");
    }
}

static void a_replay_outlives_the_server_being_killed(void **state)
{
    const fixture *f = *state;
    gm_served     *s = gm_serve("examples/turbofan", f->data, NULL, NULL);
    char           http[64], mqtt[64];
    snprintf(http, sizeof http, "%s", s->http);
    snprintf(mqtt, sizeof mqtt, "%s", s->mqtt);
    gm_child *replay = gm_child_start((const char *const[]) { "replay", "examples/turbofan", "--data", f->table->path,
                                                              "--mqtt", mqtt, "--rate", "12000", NULL });
    wait_for_rows(s);
    for (int kills = 0; kills < 2; kills++) {
        gm_served_kill(s);
        s = gm_serve("examples/turbofan", f->data, http, mqtt);
    }
    if (gm_child_wait(replay) != 0) fail_msg("%s", GM_TEXT(replay->err_text));
    gm_child_free(replay);
    expect_everything(s->http, f->table);
    assert_int_equal(gm_served_stop(s), 0);
}

static void a_wrong_table_ends_with_its_line(void **state)
{
    const fixture *f = *state;
    char           path[400];
    snprintf(path, sizeof path, "%s/wrong.txt", f->dir);
    gm_test_write_file(path,
                       GM_STR("1 1 0 0 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21\n1 2 0 0 0 oops\n"));
    gm_served *s   = gm_serve("examples/turbofan", f->data, NULL, NULL);
    gm_ran     ran = GM_RUN("replay", "examples/turbofan", "--data", path, "--mqtt", s->mqtt);
    if (ran.code != 1 || strstr(GM_TEXT(ran.err), "wrong.txt:2: column T2: 'oops' is no number") == NULL)
        fail_msg("exit %d: %s", ran.code, GM_TEXT(ran.err));
    gm_ran_finish(&ran);
    ran = GM_RUN("replay", "examples/turbofan", "--data", "no/such/file", "--mqtt", s->mqtt);
    assert_int_equal(ran.code, 4);
    gm_ran_finish(&ran);
    assert_int_equal(gm_served_stop(s), 0);
}

static void a_replay_into_the_wrong_plant_is_not_silent(void **state)
{
    const fixture *f   = *state;
    gm_served     *s   = gm_serve("examples/machine", f->data, NULL, NULL);
    gm_ran         ran = GM_RUN("replay", "examples/turbofan", "--data", f->table->path, "--mqtt", s->mqtt);
    if (ran.code != 1 || strstr(GM_TEXT(ran.err), "could not be applied") == NULL)
        fail_msg("exit %d: %s", ran.code, GM_TEXT(ran.err));
    gm_ran_finish(&ran);
    ran = GM_RUN("dead-letters", "--http", s->http);
    assert_non_null(strstr(GM_TEXT(ran.out), "there is no twin 'engine-100'"));
    gm_ran_finish(&ran);
    assert_int_equal(gm_served_stop(s), 0);
}

static void the_agent_makes_this_machine_a_twin(void **state)
{
    const fixture *f   = *state;
    gm_served     *s   = gm_serve("examples/machine", f->data, NULL, NULL);
    gm_ran         ran = GM_RUN("agent", "--twin", "this", "--count", "2", "--interval", "20ms", "--mqtt", s->mqtt);
    if (ran.code != 0) fail_msg("exit %d: %s", ran.code, GM_TEXT(ran.err));
    gm_ran_finish(&ran);
    ran = GM_RUN("query", "SELECT C.$dtId FROM DIGITALTWINS M JOIN C RELATED M.contains WHERE M.$dtId = 'this'",
                 "--json", "--http", s->http);
    assert_non_null(strstr(GM_TEXT(ran.out), "this-memory"));
    assert_non_null(strstr(GM_TEXT(ran.out), "this-core-0"));
    gm_ran_finish(&ran);
    ran = GM_RUN("history", "this-memory", "used", "--json", "--http", s->http);
    json_t *history = json_loads(GM_TEXT(ran.out), 0, NULL);
    assert_int_equal(json_array_size(json_object_get(history, "points")), 2);
    assert_string_equal(json_string_value(json_object_get(history, "unit")), "mebibyte");
    json_decref(history);
    gm_ran_finish(&ran);
    ran = GM_RUN("dead-letters", "--json", "--http", s->http);
    assert_non_null(strstr(GM_TEXT(ran.out), "\"total\":0"));
    gm_ran_finish(&ran);
    assert_int_equal(gm_served_stop(s), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_replayed_table_is_what_the_twins_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_replay_outlives_the_server_being_killed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_table_ends_with_its_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_replay_into_the_wrong_plant_is_not_silent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_agent_makes_this_machine_a_twin, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
