// docs/thread.md is run as it stands: its commands ask a server, and answer what the page says.
#include "cli/http_client.h"
#include "support/doc.h"
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

// Files of the page lie in dir.
static gm_ran run_line(const char *dir, gm_str line)
{
    char   csv[300], manual[300], clearances[300];
    snprintf(csv, sizeof csv, "%s/pump.csv", dir);
    snprintf(manual, sizeof manual, "%s/manual.txt", dir);
    snprintf(clearances, sizeof clearances, "%s/clearances.csv", dir);
    char **words = gm_doc_words(line, (const char *const[]){ "pump.csv", csv, "manual.txt", manual, "clearances.csv", clearances, NULL });
    assert_string_equal(words[0], "gemel");
    gm_ran ran = gm_run((const char *const *)words + 1);
    gm_doc_free_words(words);
    return ran;
}

// Ten pumps that vibrate by 2 mm/s, and by 20 more for each millimetre of clearance, which the page's table has; something else is
// the matter with each, too, and every row scatters.
static void run_pumps(const gm_served *server)
{
    static const double clearance[10] = { 0.00, 0.03, -0.02, 0.06, 0.01, -0.04, 0.02, -0.01, 0.04, -0.03 };
    gm_buf              rows          = gm_buf_init(gm_alloc_system());
    for (int i = 0; i < 10; i++)
        for (int row = 0; row < 20; row++)
            gm_buf_printf(&rows, "{\"$twin\":\"pump%d\",\"vibration\":%.4f,\"$time\":\"2024-02-01T00:%02d:00Z\"}\n", 11 + i,
                          2 + 20 * clearance[i] + 0.25 * ((i * 3 + 1) % 7 - 3) / 3.0 + 0.2 * (row % 3 - 1), row);
    gm_buf_byte(&rows, 0);
    json_decref(gm_served_ask(server, "POST", "/v1/ingest", (const char *)rows.ptr, 0));
    gm_buf_finish(&rows);
}

static void what_the_page_says_happens(void **state)
{
    (void)state;
    char       dir[256], path[400], plant[300], data[300];
    gm_doc     doc;
    int        commands = 0, compared = 0;
    gm_ran     last = { 0 };
    gm_test_make_dir(dir, sizeof dir);
    gm_doc_open(&doc, "docs/thread.md");
    snprintf(plant, sizeof plant, "%s/plant", dir);
    snprintf(data, sizeof data, "%s/data", dir);
    snprintf(path, sizeof path, "%s/models/pump.json", plant);
    gm_test_write_file(path, GM_STR("{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:test:Pump;1\",\"@type\":\"Interface\","
                                    "\"contents\":[{\"@type\":\"Telemetry\",\"name\":\"vibration\",\"schema\":\"double\"}]}"));
    gm_buf twins = gm_buf_init(gm_alloc_system());
    for (int i = 11; i <= 20; i++) gm_buf_printf(&twins, "%s{\"$dtId\":\"pump%d\",\"$metadata\":{\"$model\":\"dtmi:test:Pump;1\"}}", i > 11 ? "," : "[", i);
    gm_buf_byte(&twins, ']');
    snprintf(path, sizeof path, "%s/twins/all.json", plant);
    gm_test_write_file(path, gm_buf_view(&twins));
    gm_buf_finish(&twins);
    snprintf(path, sizeof path, "%s/manual.txt", dir);
    gm_test_write_file(path, GM_STR("Turn it on.\n"));
    gm_served *server = gm_serve(plant, data, NULL, NULL);
    run_pumps(server);
    setenv("GEMEL_HTTP", server->http, 1);
    gm_str info, body, line;
    while (gm_doc_next_block(&doc, &info, &body)) {
        if (gm_str_starts(info, GM_STR("csv"))) {
            snprintf(path, sizeof path, "%s/%s", dir, gm_str_is(info, "csv clearances.csv") ? "clearances.csv" : "pump.csv");
            gm_test_write_file(path, body);
        }
        if (gm_str_is(info, "text")) {
            gm_doc_expect(body, gm_buf_view(&last.out));
            compared++;
        }
        while (gm_str_is(info, "sh") && gm_str_next(&body, '\n', &line)) {
            if (line.len == 0) continue;
            gm_ran_finish(&last);
            last = run_line(dir, line);
            bool no = strstr(GM_TEXT(last.err), "gemel:") != NULL;  // 1 is an answer; a message is none
            if (last.code > 1 || no) fail_msg(GM_STR_FMT ": %d %s%s", GM_STR_ARG(line), last.code, GM_TEXT(last.out), GM_TEXT(last.err));
            commands++;
        }
    }
    assert_true(commands >= 20 && compared >= 5);
    gm_ran_finish(&last);
    assert_int_equal(gm_served_stop(server), 0);
    unsetenv("GEMEL_HTTP");
    gm_doc_close(&doc);
    gm_test_remove_dir(dir);
}

static unsigned ask(const gm_served *s, const char *method, const char *path, const char *body, gm_buf *out)
{
    gm_http       *http;
    gm_http_answer answer;
    gm_error       err;
    assert_gm_ok(gm_http_open(gm_alloc_system(), s->http, &http, &err), err);
    assert_gm_ok(gm_http_request(http, method, path, body != NULL ? "application/json" : NULL, body, &answer, &err), err);
    unsigned code = (unsigned)answer.code;
    gm_buf_clear(out);
    gm_buf_str(out, gm_buf_view(&answer.text));
    gm_buf_byte(out, 0);
    gm_http_answer_finish(&answer);
    gm_http_close(http);
    return code;
}

// What was done to a twin is a fact of it, whether the server was there to see it or learns of it at its next start.
static void a_work_order_that_is_done_becomes_a_fact(void **state)
{
    (void)state;
    char       dir[256], plant[300], data[300], path[400], id[64];
    gm_buf     out = gm_buf_init(gm_alloc_system());
    gm_test_make_dir(dir, sizeof dir);
    snprintf(plant, sizeof plant, "%s/plant", dir);
    snprintf(data, sizeof data, "%s/data", dir);
    snprintf(path, sizeof path, "%s/models/pump.json", plant);
    gm_test_write_file(path, GM_STR("{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:test:Pump;1\",\"@type\":\"Interface\"}"));
    snprintf(path, sizeof path, "%s/twins/all.json", plant);
    gm_test_write_file(path, GM_STR("[{\"$dtId\":\"pump7\",\"$metadata\":{\"$model\":\"dtmi:test:Pump;1\"}}]"));
    gm_served *server = gm_serve(plant, data, NULL, NULL);
    assert_int_equal(ask(server, "POST", "/v1/workorders", "{\"twin\":\"pump7\",\"text\":\"change the seal\"}", &out), 201);
    const char *at = strstr(GM_TEXT(out), "\"id\":\"");
    assert_non_null(at);
    snprintf(id, sizeof id, "%.16s", at + 6);
    snprintf(path, sizeof path, "/v1/workorders/%s", id);
    assert_int_equal(ask(server, "PATCH", path, "{\"state\":\"started\"}", &out), 200);
    assert_int_equal(ask(server, "GET", "/v1/thread/pump7", NULL, &out), 200);
    assert_non_null(strstr(GM_TEXT(out), "\"items\":[]"));  // nothing was done yet
    assert_int_equal(ask(server, "PATCH", path, "{\"state\":\"done\",\"feedback\":{\"found\":\"worn\"}}", &out), 200);
    time_t until = time(NULL) + 30;  // the fact is a record of its own, behind the step's
    do assert_int_equal(ask(server, "GET", "/v1/thread/pump7?phase=maintained", NULL, &out), 200);
    while (strstr(GM_TEXT(out), "worn") == NULL && time(NULL) < until);
    assert_non_null(strstr(GM_TEXT(out), "\"text\":\"change the seal\""));
    assert_non_null(strstr(GM_TEXT(out), "\"feedback\":{\"found\":\"worn\"}"));
    assert_int_equal(gm_served_stop(server), 0);
    server = gm_serve(plant, data, NULL, NULL);
    assert_int_equal(ask(server, "GET", "/v1/thread/pump7?history=true", NULL, &out), 200);
    at = strstr(GM_TEXT(out), "worn");
    assert_non_null(at);
    assert_null(strstr(at + 1, "worn"));  // told once
    assert_int_equal(gm_served_stop(server), 0);
    gm_buf_finish(&out);
    gm_test_remove_dir(dir);
}

// Over, in force, to come, corrected in the middle: what is exported says from when to when, and what is imported from it is the same again.
static void a_bill_that_is_exported_comes_back_as_it_was(void **state)
{
    (void)state;
    char       dir[256], plant[300], data[300], csv[300];
    gm_str     texts[2];
    gm_ran     out[2];
    gm_test_make_dir(dir, sizeof dir);
    snprintf(plant, sizeof plant, "%s/plant/twins/.keep", dir);
    gm_test_write_file(plant, GM_STR(""));
    snprintf(plant, sizeof plant, "%s/plant", dir);
    snprintf(csv, sizeof csv, "%s/bill.csv", dir);
    gm_test_write_file(csv, GM_STR("assembly,position,variant,part,quantity,unit,alternate,serials,from,to\n"
                                   "pump,10,,motor M1,1,,,,2001-01-01T00:00:00Z,2020-01-01T00:00:00Z\n"
                                   "pump,10,,motor M2,1,,,,2020-01-01T00:00:00Z,2150-01-01T00:00:00Z\n"
                                   "pump,10,,\"motor M3, sealed\",1,,,,2150-01-01T00:00:00Z,\n"
                                   "pump,20,a2,bolt A2,8,pcs,yes,,2140-01-01T00:00:00Z,\n"
                                   "motor M2,1,early,bearing 6204,2,,,1-99,2001-01-01T00:00:00Z,\n"
                                   "\"motor M3, sealed\",1,,bearing 6206,2.5,,,\"100-199,300-\",2145-06-01T12:00:00Z,2180-01-01T00:00:00Z\n"));
    for (int i = 0; i < 2; i++) {
        snprintf(data, sizeof data, "%s/data%d", dir, i);
        gm_served *server = gm_serve(plant, data, NULL, NULL);
        setenv("GEMEL_HTTP", server->http, 1);
        GM_EXPECT(0, i == 0 ? "6 rows" : "8 rows", "bom", "import", csv);
        // For ten years more bolts: one row becomes three.
        if (i == 0) json_decref(gm_served_ask(server, "POST", "/v1/thread", "{\"twin\":\"pump\",\"phase\":\"as-designed\",\"key\":\"bom/20~a2\",\"part\":\"bolt A2\",\"quantity\":12,"
                                              "\"unit\":\"pcs\",\"more\":{\"alternate\":true},\"from\":\"2160-01-01T00:00:00Z\",\"to\":\"2170-01-01T00:00:00Z\"}", 0));
        out[i]   = GM_RUN("bom", "export", "pump");
        texts[i] = gm_buf_view(&out[i].out);
        if (out[i].code != 0) fail_msg("export: %s", GM_TEXT(out[i].err));
        gm_test_write_file(csv, texts[i]);
        GM_EXPECT(0, "motor M2", "bom", "export", "pump", "--valid", "2030-01-01T00:00:00Z");
        gm_ran now = GM_RUN("bom", "export", "pump", "--valid", "2030-01-01T00:00:00Z");
        assert_null(strstr(GM_TEXT(now.out), "sealed"));
        gm_ran_finish(&now);
        json_decref(gm_served_ask(server, "GET", "/v1/bom/pump/where-used?ever=true", NULL, 400));
        assert_int_equal(gm_served_stop(server), 0);
    }
    unsetenv("GEMEL_HTTP");
    static const char *const lines[] = { "pump,10,,motor M1,1,,,,2001-01-01T00:00:00Z,2020-01-01T00:00:00Z", "pump,10,,\"motor M3, sealed\",1,,,,2150-01-01T00:00:00Z,",
        "pump,20,a2,bolt A2,8,pcs,yes,,2140-01-01T00:00:00Z,2160-01-01T00:00:00Z", "pump,20,a2,bolt A2,12,pcs,yes,,2160-01-01T00:00:00Z,2170-01-01T00:00:00Z",
        "pump,20,a2,bolt A2,8,pcs,yes,,2170-01-01T00:00:00Z,", "\"motor M3, sealed\",1,,bearing 6206,2.5,,,\"100-199,300-\",2145-06-01T12:00:00Z,2180-01-01T00:00:00Z" };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (strstr(GM_TEXT(out[0].out), lines[i]) == NULL) fail_msg("%s is missing in\n%s", lines[i], GM_TEXT(out[0].out));
    if (!gm_str_eq(texts[0], texts[1])) fail_msg("what came back is not what went:\n%s\n%s", GM_TEXT(out[0].out), GM_TEXT(out[1].out));
    for (int i = 0; i < 2; i++) gm_ran_finish(&out[i]);
    gm_test_remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_the_page_says_happens), cmocka_unit_test(a_bill_that_is_exported_comes_back_as_it_was), cmocka_unit_test(a_work_order_that_is_done_becomes_a_fact) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
