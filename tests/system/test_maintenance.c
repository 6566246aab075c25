// Maintenance from files to work orders: the page's entries on a plant, over the command line and HTTP.
#include "support/doc.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include "control/maintain/mip.h"

#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PUMPS = 8, ENGINES = 5 };

typedef struct fixture {
    char       dir[256], plant[300], data[320];
    gm_served *server;
} fixture;

static const char PUMP[] = "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:example:Pump;1\",\"@type\":\"Interface\",\"contents\":["
                           "{\"@type\":\"Property\",\"name\":\"hours\",\"schema\":\"double\"},{\"@type\":\"Property\",\"name\":\"place\",\"schema\":\"string\"}]}";
static const char ENGINE[] = "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:example:Engine;1\",\"@type\":\"Interface\",\"contents\":["
                             "{\"@type\":\"Property\",\"name\":\"cycles\",\"schema\":\"integer\"},{\"@type\":\"Property\",\"name\":\"base\",\"schema\":\"string\"},"
                             "{\"@type\":\"Property\",\"name\":\"costOfFailure\",\"schema\":\"double\"},{\"@type\":\"Property\",\"name\":\"rul\",\"schema\":\"double\"},"
                             "{\"@type\":\"Property\",\"name\":\"rulLow\",\"schema\":\"double\"},{\"@type\":\"Property\",\"name\":\"rulHigh\",\"schema\":\"double\"}]}";

static void put_file(const fixture *f, const char *name, gm_str text)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", f->plant, name);
    gm_test_write_file(path, text);
}

// The entries of the page are the plant's own.
static void put_page(const fixture *f)
{
    gm_doc doc;
    gm_str info, body;
    int    n = 0;
    gm_doc_open(&doc, "docs/maintenance.md");
    while (gm_doc_next_block(&doc, &info, &body)) {
        char name[60];
        if (!gm_str_is(info, "json")) continue;
        snprintf(name, sizeof name, "rules/page%d.maintenance", n++);
        put_file(f, name, body);
    }
    assert_int_equal(n, 2);
    gm_doc_close(&doc);
}

static int set_up(void **state)
{
    static fixture f;
    gm_buf         twins = gm_buf_init(gm_alloc_system());
    f = (fixture){ 0 };
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.plant, sizeof f.plant, "%s/plant", f.dir);
    snprintf(f.data, sizeof f.data, "%s/data", f.plant);
    put_file(&f, "models/pump.json", gm_str_of(PUMP));
    put_file(&f, "models/engine.json", gm_str_of(ENGINE));
    gm_buf_text(&twins, "{\"Section\":\"Twins\"}\n");
    for (int i = 0; i < PUMPS; i++)
        gm_buf_printf(&twins, "{\"$dtId\":\"pump%d\",\"$metadata\":{\"$model\":\"dtmi:example:Pump;1\"},\"hours\":%d,\"place\":\"%s\"}\n", i, 1000 * i, i % 2 == 0 ? "a" : "b");
    // The first engine is nearly done, the last can not be said to wear yet.
    for (int i = 0; i < ENGINES; i++)
        gm_buf_printf(&twins, "{\"$dtId\":\"engine%d\",\"$metadata\":{\"$model\":\"dtmi:example:Engine;1\"},\"cycles\":150,\"base\":\"%s\",\"costOfFailure\":1500000,"
                      "\"rul\":%d,\"rulLow\":%d,\"rulHigh\":%d}\n", i, i < 3 ? "north" : "south", 20 + 26 * i, 10 + 23 * i, 30 + 29 * i);
    put_file(&f, "twins/all.ndjson", gm_buf_view(&twins));
    gm_buf_finish(&twins);
    put_page(&f);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f    = *state;
    int      code = f->server != NULL ? gm_served_stop(f->server) : 0;
    gm_test_remove_dir(f->dir);
    return code;
}

static void serve(fixture *f) { f->server = gm_serve(f->plant, f->data, NULL, NULL); }

static json_t *run_json(const char *const *words, int wanted)
{
    gm_ran  ran = gm_run(words);
    json_t *all = json_loads(GM_TEXT(ran.out), 0, NULL);
    if (ran.code != wanted || all == NULL) fail_msg("exit %d: %s%s", ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err));
    gm_ran_finish(&ran);
    return all;
}

static const json_t *item_of(const json_t *answer, const char *twin)
{
    const json_t *items = json_object_get(answer, "items");
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        if (strcmp(json_string_value(json_object_get(item, "twin")), twin) == 0) return item;
    }
    fail_msg("%s is not among the items", twin);
    return NULL;
}

static bool has_window(const json_t *answer, const char *twin) { return json_object_get(item_of(answer, twin), "window") != NULL; }

static void expect_limits_kept(const json_t *answer)
{
    const json_t *crews = json_object_get(answer, "crews");
    assert_true(json_array_size(crews) > 0);
    for (size_t c = 0; c < json_array_size(crews); c++) {
        const json_t *busy = json_object_get(json_array_get(crews, c), "busy"), *size = json_object_get(json_array_get(crews, c), "size");
        for (size_t v = 0; v < json_array_size(busy); v++) assert_true(json_number_value(json_array_get(busy, v)) <= json_number_value(json_array_get(size, v)));
    }
}

static double mean(const json_t *policy, const char *name) { return json_number_value(json_array_get(json_object_get(policy, name), 0)); }

static void the_page_s_pumps_are_planned_ordered_once_and_compared(void **state)
{
    fixture *f = *state;
    gm_doc   doc;
    gm_str   command;
    int      run = 0;
    if (!gm_mip_available()) skip();
    serve(f);
    setenv("GEMEL_HTTP", f->server->http, 1);
    gm_doc_open(&doc, "docs/maintenance.md");
    while (gm_doc_next_command(&doc, &command)) {
        char **words = gm_doc_words(command, (const char *const[]){ NULL });
        // The plant has both of the page's entries: the page means the first.
        const char *all[20] = { 0 };
        int         n       = 0;
        for (; words[n + 1] != NULL; n++) all[n] = words[n + 1];
        all[n] = "--name", all[n + 1] = "pumps";
        gm_ran ran = gm_run(all);
        if (ran.code != 0 || ran.out.len == 0) fail_msg(GM_STR_FMT ": exit %d: %s%s", GM_STR_ARG(command), ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err));
        gm_ran_finish(&ran);
        gm_doc_free_words(words);
        run++;
    }
    assert_int_equal(run, 3);
    gm_doc_close(&doc);
    unsetenv("GEMEL_HTTP");

    json_t *answer = gm_served_ask(f->server, "GET", "/v1/maintenance/pumps", NULL, 200);
    assert_string_equal(json_string_value(json_object_get(answer, "status")), "optimal");
    assert_int_equal(json_array_size(json_object_get(answer, "items")), PUMPS);
    assert_true(has_window(answer, "pump7") && !has_window(answer, "pump0"));  // 7000 hours old, and new
    assert_string_equal(json_string_value(json_object_get(json_object_get(item_of(answer, "pump7"), "prediction"), "from")), "life");
    expect_limits_kept(answer);
    const json_t *policies = json_object_get(json_object_get(answer, "compare"), "policies");
    assert_int_equal(json_array_size(policies), 3);
    assert_true(mean(json_array_get(policies, 2), "more") > 0 && mean(json_array_get(policies, 2), "failures") > mean(json_array_get(policies, 0), "failures"));

    // Each has one order, with the prediction as its evidence; asked again, nothing is ordered twice.
    size_t  windows = 0;
    json_t *orders  = gm_served_ask(f->server, "GET", "/v1/workorders", NULL, 200);
    for (int i = 0; i < PUMPS; i++) {
        char id[20];
        snprintf(id, sizeof id, "pump%d", i);
        windows += has_window(answer, id);
    }
    assert_int_equal(json_array_size(json_object_get(orders, "items")), windows);
    const json_t *evidence = json_object_get(json_array_get(json_object_get(orders, "items"), 0), "evidence");
    assert_string_equal(json_string_value(json_object_get(evidence, "maintenance")), "pumps");
    assert_true(json_number_value(json_object_get(json_object_get(evidence, "prediction"), "hours50")) > 0 && json_object_get(evidence, "from") != NULL);
    json_decref(orders);
    json_t *again = gm_served_ask(f->server, "POST", "/v1/maintenance/pumps/orders", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(again, "opened")), 0);
    assert_int_equal(json_integer_value(json_object_get(again, "there")), windows);
    json_decref(again);
    json_decref(answer);

    // What is ordered stands beside the plan; one alone can be asked for, and only what has a window.
    answer = gm_served_ask(f->server, "GET", "/v1/maintenance/pumps", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(answer, "orders")), windows);
    again = gm_served_ask(f->server, "POST", "/v1/maintenance/pumps/orders", "{\"twins\":[\"pump7\"]}", 200);
    assert_int_equal(json_integer_value(json_object_get(again, "there")), 1);
    json_decref(again);
    json_t *no = gm_served_ask(f->server, "POST", "/v1/maintenance/pumps/orders", "{\"twins\":[\"pump0\"]}", 400);
    assert_non_null(strstr(json_string_value(json_object_get(json_object_get(no, "error"), "message")), "'pump0' has no window"));
    json_decref(no);
    json_decref(gm_served_ask(f->server, "POST", "/v1/maintenance/pumps/orders", "{\"twin\":\"pump7\"}", 400));
    json_decref(answer);
}

static void predictions_decide_and_redundancy_parts_and_holidays_are_kept(void **state)
{
    fixture *f = *state;
    if (!gm_mip_available()) skip();
    // Without a server, from the folder: the page's entry for engines, in the time that it speaks of.
    json_t *answer = run_json((const char *const[]){ "maintain", f->plant, "--name", "shop visits", "--now", "2026-12-01T00:00:00Z", "--json", NULL }, 0);
    // Three kits for five engines: two go without.
    int windows = 0;
    for (int i = 0; i < ENGINES; i++) {
        char id[20];
        snprintf(id, sizeof id, "engine%d", i);
        windows += has_window(answer, id);
    }
    assert_int_equal(windows, 3);
    expect_limits_kept(answer);
    assert_string_equal(json_string_value(json_object_get(json_object_get(item_of(answer, "engine0"), "prediction"), "from")), "properties");
    // 10 cycles of 4 hours lie below with 5 %.
    assert_true(fabs(json_number_value(json_object_get(json_object_get(item_of(answer, "engine0"), "prediction"), "hours5")) - 40) < 1e-6);
    // There is one kit until the fifteenth.
    const json_t *items = json_object_get(answer, "items");
    int           before = 0, north[70] = { 0 };
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        if (json_object_get(item, "window") == NULL) continue;
        before += strcmp(json_string_value(json_object_get(item, "from")), "2026-12-15") < 0;
        int  number = json_string_value(json_object_get(item, "twin"))[strlen("engine")] - '0';
        for (int d = 0; number < 3 && d < 3; d++) assert_int_equal(north[json_integer_value(json_object_get(item, "window")) + d]++, 0);
    }
    assert_int_equal(before, 1);
    // Nobody works over the holidays: windows 23 to 25 of those that begin on the first.
    const json_t *busy = json_object_get(json_array_get(json_object_get(answer, "crews"), 1), "busy");
    for (size_t v = 23; v <= 25; v++) assert_true(json_number_value(json_array_get(busy, v)) == 0);
    json_decref(answer);
}

static double member(const json_t *object, const char *first, const char *second)
{
    const json_t *value = json_object_get(object, first);
    return json_number_value(second != NULL ? json_object_get(value, second) : value);
}

// The pumphouse's own entry: fitters enough for both pumps, and both are due, but the vessel needs one; the valve takes the town along.
static void expect_upkeep(const json_t *answer)
{
    const json_t *pump1 = item_of(answer, "pump1"), *pump2 = item_of(answer, "pump2"), *valve = item_of(answer, "valve");
    const json_t *group = json_array_get(json_object_get(answer, "redundancy"), 0);
    assert_string_equal(json_string_value(json_object_get(answer, "status")), "optimal");
    assert_string_equal(json_string_value(json_object_get(group, "name")), "one pump of vessel");
    assert_true(json_array_size(json_object_get(group, "twins")) == 2 && member(group, "out", NULL) == 1);
    for (size_t v = 0; v < 30; v++) assert_true(json_integer_value(json_array_get(json_object_get(group, "planned"), v)) <= 1);
    assert_true(has_window(answer, "pump1") && has_window(answer, "pump2"));
    assert_true(fabs(member(pump1, "window", NULL) - member(pump2, "window", NULL)) >= 2);  // windows of a day, and each lasts two
    assert_true(member(pump1, "failure", "cost") == 3500 && json_object_get(json_object_get(pump1, "failure"), "impact") == NULL);
    // The town is dry after a minute: 900 for each of the other hours that the repair takes, and the report of it.
    double impact = 900 * (6 - 1 / 60.0) + 2500;
    assert_true(fabs(member(valve, "failure", "impact") - impact) < 0.01 && fabs(member(valve, "failure", "cost") - impact - 400) < 0.01);
    assert_true(member(valve, "failure", "stops") == 2);
}

static void what_stops_counts_and_who_stands_in_stays(void **state)
{
    fixture   *f = *state;
    char       plant[300], data[300], command[1200];
    json_t    *answer;
    gm_served *server;
    if (!gm_mip_available()) skip();
    snprintf(plant, sizeof plant, "%s/pumphouse", f->dir);
    snprintf(data, sizeof data, "%s/pumphouse-data", f->dir);
    snprintf(command, sizeof command, "cp -r '%s/examples/pumphouse' '%s' && rm -rf '%s/data'", gm_test_root(), plant, plant);
    assert_int_equal(system(command), 0);
    answer = run_json((const char *const[]){ "maintain", plant, "--initial", "--lanes", "50", "--json", NULL }, 0);
    expect_upkeep(answer);
    json_decref(answer);
    // The same of a running plant.
    server = gm_serve(plant, data, NULL, NULL);
    answer = run_json((const char *const[]){ "maintain", "--http", server->http, "--lanes", "50", "--json", NULL }, 0);
    expect_upkeep(answer);
    json_decref(answer);
    assert_int_equal(gm_served_stop(server), 0);
}

static void what_can_not_be_is_said_in_a_sentence(void **state)
{
    fixture *f = *state;
    if (!gm_mip_available()) skip();
    put_file(f, "rules/rush.maintenance",
             GM_STR("{\"maintenance\":[{\"name\":\"rush\",\"horizon\":\"10d\",\"window\":\"1d\",\"crews\":{\"fitters\":1},\"assets\":[{"
                    "\"of\":\"SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:example:Pump;1')\",\"work\":\"Check\",\"cost\":1,\"life\":{\"mean\":9000},"
                    "\"failure\":{\"cost\":5},\"needs\":{\"fitters\":1},\"latest\":\"2d\"}]}]}"));
    gm_ran ran = GM_RUN("maintain", f->plant, "--name", "rush");
    if (ran.code != 1 || strstr(GM_TEXT(ran.err), "crew 'fitters' has 1 in the window from") == NULL) fail_msg("%d: %s", ran.code, GM_TEXT(ran.err));
    gm_ran_finish(&ran);
    serve(f);
    json_t *all = gm_served_ask(f->server, "GET", "/v1/maintenance", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(all, "items")), 3);
    json_decref(all);
    // No plan yet, no such plan, no such words.
    json_decref(gm_served_ask(f->server, "POST", "/v1/maintenance/rush/orders", NULL, 409));
    json_decref(gm_served_ask(f->server, "GET", "/v1/maintenance/nothing", NULL, 404));
    json_decref(gm_served_ask(f->server, "POST", "/v1/maintenance/rush/make", "{\"timeLimit\":\"for ever\"}", 400));
    json_decref(gm_served_ask(f->server, "POST", "/v1/maintenance/rush/make", "{\"gap\":2}", 400));
    json_decref(gm_served_ask(f->server, "POST", "/v1/maintenance/rush/make", "{\"now\":\"soon\"}", 400));
    json_decref(gm_served_ask(f->server, "POST", "/v1/maintenance/rush/make", "{\"lanes\":-1}", 400));
    json_decref(gm_served_ask(f->server, "POST", "/v1/maintenance/rush/make", "{\"more\":1}", 400));
    json_t *answer = run_json((const char *const[]){ "maintain", "--name", "rush", "--http", f->server->http, "--json", NULL }, 1);
    assert_string_equal(json_string_value(json_object_get(answer, "status")), "infeasible");
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(answer, "lacks"), 0), "name")), "fitters");
    json_decref(answer);
    ran = GM_RUN("maintain", "--http", f->server->http);
    if (ran.code != 1 || strstr(GM_TEXT(ran.err), "'shop visits'") == NULL) fail_msg("%d: %s", ran.code, GM_TEXT(ran.err));
    gm_ran_finish(&ran);
    // An engine without what its failure costs is named.
    json_decref(gm_served_ask(f->server, "PATCH", "/digitaltwins/engine2?api-version=2022-05-31", "[{\"op\":\"remove\",\"path\":\"/costOfFailure\"}]", 0));
    ran = GM_RUN("maintain", "--name", "shop visits", "--http", f->server->http);
    if (ran.code != 1 || strstr(GM_TEXT(ran.err), "'engine2' has no number of 0 or more in 'costOfFailure'") == NULL) fail_msg("%d: %s", ran.code, GM_TEXT(ran.err));
    gm_ran_finish(&ran);
}

static void files_are_checked_and_read_again(void **state)
{
    fixture *f = *state;
    put_file(f, "rules/bad.maintenance", GM_STR("{\"maintenance\":[{\"name\":\"bad\",\"horizon\":\"1d\",\"window\":\"1d\",\"assets\":[{\"of\":\"SELECT FROM\",\"work\":\"w\",\"cost\":1,"
                                                "\"life\":{\"mean\":1},\"failure\":{\"cost\":1}}]}]}"));
    gm_ran ran = GM_RUN("check", f->plant);
    if (ran.code != 1 || strstr(GM_TEXT(ran.out), "maintenance 'bad': \"of\"") == NULL) fail_msg("%d: %s%s", ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err));
    gm_ran_finish(&ran);
    put_file(f, "rules/bad.maintenance", GM_STR("{\"maintenance\":[]}"));
    serve(f);
    put_file(f, "rules/bad.maintenance", GM_STR("{\"maintenance\":[{\"name\":\"new\",\"horizon\":\"1d\",\"window\":\"1d\",\"assets\":[{\"of\":\"SELECT * FROM DIGITALTWINS\",\"work\":\"w\",\"cost\":1,"
                                                "\"life\":{\"mean\":1},\"failure\":{\"cost\":1}}]}]}"));
    kill(f->server->child->pid, SIGHUP);
    gm_dur_ns end   = gm_monotonic(gm_clock_system()) + 60 * GM_SECOND;
    size_t    count = 0;
    while (count != 3 && gm_monotonic(gm_clock_system()) < end) {
        json_t *all = gm_served_ask(f->server, "GET", "/v1/maintenance", NULL, 200);
        count       = json_array_size(json_object_get(all, "items"));
        json_decref(all);
        gm_child_read(f->server->child, 20);
    }
    assert_int_equal(count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_page_s_pumps_are_planned_ordered_once_and_compared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(predictions_decide_and_redundancy_parts_and_holidays_are_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_stops_counts_and_who_stands_in_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_can_not_be_is_said_in_a_sentence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_are_checked_and_read_again, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
