// The verbs that ask a running server: what they print and with which exit code they end.
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct fixture {
    char       dir[256];
    gm_served *server;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    char           plant[300], data[300], path[600];
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(plant, sizeof plant, "%s/plant", f.dir);
    snprintf(data, sizeof data, "%s/data", f.dir);
    snprintf(path, sizeof path, "%s/models/pump.json", plant);
    gm_test_write_file(path,
                       GM_STR("{\"@context\":[\"dtmi:dtdl:context;3\",\"dtmi:dtdl:extension:quantitativeTypes;1\"],"
                              "\"@id\":\"dtmi:test:Pump;1\",\"@type\":\"Interface\",\"contents\":["
                              "{\"@type\":[\"Property\",\"Temperature\"],\"name\":\"t\",\"schema\":\"double\",\"unit\":"
                              "\"degreeCelsius\",\"writable\":true},"
                              "{\"@type\":\"Property\",\"name\":\"note\",\"schema\":\"string\",\"writable\":true},"
                              "{\"@type\":\"Relationship\",\"name\":\"feeds\"}]}"));
    snprintf(path, sizeof path, "%s/twins/all.ndjson", plant);
    gm_test_write_file(
        path, GM_STR("{\"Section\":\"Twins\"}\n"
                     "{\"$dtId\":\"pump 1/ä\",\"$metadata\":{\"$model\":\"dtmi:test:Pump;1\"},\"t\":21.5,\"note\":\"a, "
                     "\\\"b\\\"\"}\n"
                     "{\"$dtId\":\"pump2\",\"$metadata\":{\"$model\":\"dtmi:test:Pump;1\"}}\n"
                     "{\"Section\":\"Relationships\"}\n"
                     "{\"$dtId\":\"pump "
                     "1/ä\",\"$relationshipId\":\"r\",\"$targetId\":\"pump2\",\"$relationshipName\":\"feeds\"}\n"));
    f.server = gm_serve(plant, data, NULL, NULL);
    setenv("GEMEL_HTTP", f.server->http, 1);  // as a person would, instead of --http each time
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f    = *state;
    int      code = gm_served_stop(f->server);
    unsetenv("GEMEL_HTTP");
    gm_test_remove_dir(f->dir);
    return code;
}

static void expect(gm_ran ran, int code, const char *out, const char *err)
{
    if (ran.code != code || (out != NULL && strcmp(GM_TEXT(ran.out), out) != 0) ||
        (err != NULL && strstr(GM_TEXT(ran.err), err) == NULL)) {
        fail_msg("exit %d\n%s%s", ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err));
    }
    gm_ran_finish(&ran);
}

static void rows_come_as_a_table_as_csv_and_as_json(void **state)
{
    (void)state;
    const char *query = "SELECT $dtId, t, note FROM DIGITALTWINS ORDER BY $dtId";
    expect(GM_RUN("query", query), 0, "$dtId     t     note\npump 1/ä  21.5  a, \"b\"\npump2           \n", "2 rows");
    expect(GM_RUN("query", query, "--csv"), 0, "$dtId,t,note\r\npump 1/ä,21.5,\"a, \"\"b\"\"\"\r\npump2,,\r\n", NULL);
    expect(GM_RUN("query", query, "--json", "--limit", "1"), 0,
           "[{\"$dtId\":\"pump 1/ä\",\"t\":21.5,\"note\":\"a, \\\"b\\\"\"}]\n", NULL);
    expect(GM_RUN("query", "SELECT $dtId FROM DIGITALTWINS WHERE t > 99"), 0, "", "0 rows");
    expect(GM_RUN("query", "SELEC"), 1, "", "expected SELECT");
}

static void a_twin_is_shown_changed_and_refused(void **state)
{
    (void)state;
    expect(GM_RUN("get", "pump 1/ä", "t"), 0, "21.5\n", NULL);
    expect(GM_RUN("get", "pump 1/ä", "note", "--json"), 0, "\"a, \\\"b\\\"\"\n", NULL);
    gm_ran ran = GM_RUN("get", "pump 1/ä");
    assert_non_null(strstr(GM_TEXT(ran.out), "pump 1/ä (dtmi:test:Pump;1)\n"));
    assert_non_null(strstr(GM_TEXT(ran.out), "°C"));
    assert_non_null(strstr(GM_TEXT(ran.out), "-> feeds pump2\n"));
    gm_ran_finish(&ran);
    expect(GM_RUN("set", "pump2", "t=4.5", "note=plain text"), 0, "", NULL);
    expect(GM_RUN("get", "pump2", "note"), 0, "plain text\n", NULL);
    expect(GM_RUN("set", "pump2", "--remove", "note", "t=5"), 0, "", NULL);
    expect(GM_RUN("get", "pump2", "note"), 1, "", "has no value yet");
    expect(GM_RUN("set", "pump2", "t=warm"), 1, "", "'t' must be a number");
    expect(GM_RUN("set", "pump2", "colour=1"), 1, "", "colour");
    expect(GM_RUN("get", "pump2", "colour"), 1, "", "has no property 'colour'");
    expect(GM_RUN("get", "nobody"), 1, "", "nobody");
    expect(GM_RUN("set", "nobody", "t=1"), 1, "", "nobody");
}

static void history_is_printed_in_every_form(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        char word[16];
        snprintf(word, sizeof word, "t=%d", i);
        expect(GM_RUN("set", "pump2", word), 0, "", NULL);
    }
    gm_ran ran = GM_RUN("history", "pump2", "t", "--csv");
    assert_true(strncmp(GM_TEXT(ran.out), "time,t (degreeCelsius)\r\n", 24) == 0);
    assert_non_null(strstr(GM_TEXT(ran.out), "Z,2\r\n"));
    gm_ran_finish(&ran);
    ran = GM_RUN("history", "pump2", "t", "--plot", "--last", "1h");
    assert_non_null(strstr(GM_TEXT(ran.out), "2 degreeCelsius |"));
    gm_ran_finish(&ran);
    ran = GM_RUN("history", "pump2", "t", "--json", "--to", "2020-01-01T00:00:00Z");
    assert_non_null(strstr(GM_TEXT(ran.out), "\"points\":[]"));
    gm_ran_finish(&ran);
    expect(GM_RUN("history", "pump2", "colour"), 1, "", "colour");
    expect(GM_RUN("history", "pump2", "t", "--last", "1h", "--from", "2020-01-01T00:00:00Z"), 2, "", "not both");
}

// What was exported can be imported by somebody who has the same twins, and is then exported as the same bytes.
static void history_goes_out_and_comes_in_again(void **state)
{
    fixture *f = *state;
    char     file[300], plant[300], data[300], address[64];
    for (int i = 0; i < 5; i++) {
        char t[16], note[32];
        snprintf(t, sizeof t, "t=%d.5", i);
        snprintf(note, sizeof note, "note=\"%d, a \\\"b\\\"\"", i);
        expect(GM_RUN("set", "pump2", t), 0, "", NULL);
        expect(GM_RUN("set", "pump 1/\xc3\xa4", note), 0, "", NULL);
    }
    snprintf(file, sizeof file, "%s/all.csv", f->dir);
    expect(GM_RUN("history", "export", file), 0, "", NULL);
    gm_ran first = GM_RUN("history", "export"), json = GM_RUN("history", "export", "--ndjson", "--twin", "pump2");
    assert_true(strncmp(GM_TEXT(first.out), "time,twin,property,value\r\n", 26) == 0);
    assert_non_null(strstr(GM_TEXT(first.out), "Z,pump2,t,4.5\r\n"));
    assert_true(strncmp(GM_TEXT(json.out), "{\"$twin\":\"pump2\",\"$time\":\"", 26) == 0);
    assert_null(strstr(GM_TEXT(json.out), "pump 1"));

    snprintf(plant, sizeof plant, "%s/plant", f->dir);
    snprintf(data, sizeof data, "%s/other", f->dir);
    gm_served *other = gm_serve(plant, data, NULL, NULL);
    snprintf(address, sizeof address, "%s", other->http);
    gm_ran in = GM_RUN("history", "import", file, "--http", address);
    if (in.code != 0) fail_msg("%s", GM_TEXT(in.err));
    gm_ran few = GM_RUN("history", "export", "--twin", "pump2", "--property", "t"), again = GM_RUN("history", "export", "--twin", "pump2", "--property", "t", "--http", address);
    assert_string_equal(GM_TEXT(again.out), GM_TEXT(few.out));
    gm_ran notes = GM_RUN("history", "export", "--property", "note", "--http", address);
    assert_non_null(strstr(GM_TEXT(notes.out), ",note,\"\"\"4, a \\\"\"b\\\"\"\"\"\"\r\n"));
    assert_int_equal(gm_served_stop(other), 0);

    snprintf(file, sizeof file, "%s/wrong.csv", f->dir);
    gm_test_write_file(file, GM_STR("time,twin,property,value\n2026-01-01T00:00:00Z,pump2,t,7\n2026-01-01T00:00:00Z,pump2,t,warm\n"));
    expect(GM_RUN("history", "import", file), 1, "", "2 samples, 1 refused");
    gm_test_write_file(file, GM_STR("when,what\n"));
    expect(GM_RUN("history", "import", file), 1, "", "the first line is");
    expect(GM_RUN("history", "export", "--twin", "nobody"), 1, "", "nobody");
    expect(GM_RUN("history", "export", "--csv", "--ndjson"), 2, "", "not both");
    gm_ran_finish(&first);
    gm_ran_finish(&json);
    gm_ran_finish(&in);
    gm_ran_finish(&few);
    gm_ran_finish(&again);
    gm_ran_finish(&notes);
}

static void watching_prints_a_line_for_each_change(void **state)
{
    (void)state;
    gm_child *watch = gm_child_start((const char *const[]){ "watch", "pump2", "--count", "1", NULL });
    // The watcher is set up at some moment after its start: changes go on until it has seen one.
    int code = -1;
    for (int i = 0; i < 600 && !gm_child_ended(watch, &code); i++) {
        char word[16];
        snprintf(word, sizeof word, "t=%d", 1000 + i);
        expect(GM_RUN("set", "pump2", word), 0, "", NULL);
        gm_child_read(watch, 0);
    }
    if (code == -1) code = gm_child_wait(watch);
    assert_int_equal(code, 0);
    gm_str out = gm_buf_view(&watch->out_text);
    if (gm_str_find(out, GM_STR(" pump2 t 1")) == SIZE_MAX || !gm_str_ends(out, GM_STR("\n")))
        fail_msg("'" GM_STR_FMT "'", GM_STR_ARG(out));
    gm_child_free(watch);
    expect(GM_RUN("watch", "--query", "SELEC"), 1, "", "");
}

static void expect_page(gm_str page)
{
    static const char *const words[] = { "up  ", "2 twins, 1 relationships", "ingest  ", " values/s", "commit  ", "p99 ", "connections  ",
                                         " changes to the disk", "dead letters  0\n", "alarms        0\n", "memory  ", "history  " };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (gm_str_find(page, gm_str_of(words[i])) == SIZE_MAX) fail_msg("no '%s' in\n" GM_STR_FMT, words[i], GM_STR_ARG(page));
    }
}

static void top_shows_how_the_server_does_once_or_again_and_again(void **state)
{
    (void)state;
    gm_ran ran = GM_RUN("top", "--once");
    assert_int_equal(ran.code, 0);
    expect_page(gm_buf_view(&ran.out));
    gm_ran_finish(&ran);
    expect(GM_RUN("top", "--every", "1ms"), 2, "", "100ms");

    // Pages follow each other until somebody ends it.
    gm_child *top = gm_child_start((const char *const[]){ "top", "--every", "100ms", NULL });
    size_t    second = SIZE_MAX;
    int       code   = -1;
    for (int i = 0; i < 600 && second == SIZE_MAX && !gm_child_ended(top, &code); i++) {
        gm_child_read(top, 100);
        gm_str out   = gm_buf_view(&top->out_text);
        size_t first = gm_str_find(out, GM_STR("history  "));
        if (first != SIZE_MAX) second = gm_str_find(gm_str_slice(out, first + 1, out.len), GM_STR("history  "));
    }
    assert_true(second != SIZE_MAX);
    assert_int_equal(kill(top->pid, SIGTERM), 0);
    assert_int_equal(gm_child_wait(top), 0);
    expect_page(gm_buf_view(&top->out_text));
    gm_child_free(top);
}

static void without_a_server_the_verbs_say_so_and_end_with_3(void **state)
{
    (void)state;
    expect(GM_RUN("top", "--once", "--http", "127.0.0.1:1"), 3, "", "no server answers at 127.0.0.1:1");
    expect(GM_RUN("get", "pump2", "--http", "127.0.0.1:1"), 3, "", "no server answers at 127.0.0.1:1");
    setenv("GEMEL_HTTP", "nonsense", 1);
    expect(GM_RUN("get", "pump2"), 2, "", "GEMEL_HTTP: 'nonsense' is not ADDR:PORT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_come_as_a_table_as_csv_and_as_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_twin_is_shown_changed_and_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(history_is_printed_in_every_form, set_up, tear_down),
        cmocka_unit_test_setup_teardown(history_goes_out_and_comes_in_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(watching_prints_a_line_for_each_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(top_shows_how_the_server_does_once_or_again_and_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_server_the_verbs_say_so_and_end_with_3, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
