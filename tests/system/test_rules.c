// Rules of a server that runs: changed on disk, tried on its past, and what they bring about told to another system.
#include "cli/http_client.h"
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"
#include "support/webhook.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const gm_dur_ns PATIENCE = 60 * GM_SECOND;

typedef struct fixture {
    char          dir[256], plant[300], data[300];
    test_webhook *hook;
    gm_served    *server;
    gm_http      *http;
    gm_error      err;
} fixture;

static void put(fixture *f, const char *name, const char *text)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", f->plant, name);
    gm_test_write_file(path, gm_str_of(text));
}

#define PUMPS "on twins (SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:t:Pump;1')) "
#define ONE   "rule high " PUMPS "when T.pressure > 8 then alarm high 'too much' then event 'it is high' then work order 'look at it'\n"
#define TWO   ONE "rule hot " PUMPS "when T.heat > 50 then alarm low 'hot'\n"

static int set_up(void **state)
{
    static fixture f;
    char           settings[300];
    f      = (fixture){ .hook = test_webhook_start() };
    *state = &f;
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.plant, sizeof f.plant, "%s/plant", f.dir);
    snprintf(f.data, sizeof f.data, "%s/data", f.dir);
    put(&f, "models/pump.json",
        "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Pump;1\",\"@type\":\"Interface\",\"contents\":["
        "{\"@type\":\"Telemetry\",\"name\":\"pressure\",\"schema\":\"double\"},{\"@type\":\"Telemetry\",\"name\":\"heat\",\"schema\":\"double\"}]}");
    put(&f, "twins/all.json", "[{\"$dtId\":\"p1\",\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"}},{\"$dtId\":\"t1\",\"$metadata\":{\"$model\":\"dtmi:t:Tank;1\"}}]");
    put(&f, "rules/a.rules", ONE);
    put(&f, "models/tank.json",
        "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Tank;1\",\"@type\":\"Interface\",\"contents\":["
        "{\"@type\":\"Telemetry\",\"name\":\"level\",\"schema\":\"double\"}]}");
    put(&f, "behaviors/tank.mo", "model Tank\n  Real level(start=3, fixed=true);\nequation\n  der(level) = -0.001*level;\n  annotation(__gemel(interface=\"dtmi:t:Tank;1\"));\nend Tank;\n");
    snprintf(settings, sizeof settings, "[endpoint maintenance]\nkind = webhook\nurl = http://127.0.0.1:%u/events\nretry_first = 20ms\n", test_webhook_port(f.hook));
    put(&f, "gemel.conf", settings);
    f.server = gm_serve(f.plant, f.data, NULL, NULL);
    assert_gm_ok(gm_http_open(gm_alloc_system(), f.server->http, &f.http, &f.err), f.err);
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    gm_http_close(f->http);
    int code = gm_served_stop(f->server);
    test_webhook_stop(f->hook);
    gm_test_remove_dir(f->dir);
    return code;
}

// Asks; the answer must hold the text ("" and NULL: any). False: it does not.
static bool says(fixture *f, const char *method, const char *path, const char *body, const char *text, char *out, size_t size)
{
    gm_http_answer answer;
    assert_gm_ok(gm_http_request(f->http, method, path, "application/json", body, &answer, &f->err), f->err);
    gm_str found = gm_buf_view(&answer.text);
    bool   holds = text == NULL || gm_str_find(found, gm_str_of(text)) != SIZE_MAX;
    if (out != NULL) snprintf(out, size, GM_STR_FMT, GM_STR_ARG(found));
    gm_http_answer_finish(&answer);
    return holds;
}

static void wait_until(fixture *f, const char *path, const char *text)
{
    for (gm_dur_ns end = gm_monotonic(gm_clock_system()) + PATIENCE; !says(f, "GET", path, NULL, text, NULL, 0);) {
        gm_child_read(f->server->child, 10);
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("%s never said '%s'; the server said: %s", path, text, GM_TEXT(f->server->child->err_text));
    }
}

static void wait_until_not(fixture *f, const char *path, const char *text)
{
    for (gm_dur_ns end = gm_monotonic(gm_clock_system()) + PATIENCE; says(f, "GET", path, NULL, text, NULL, 0);) {
        gm_child_read(f->server->child, 10);
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("%s says '%s' for ever; the server said: %s", path, text, GM_TEXT(f->server->child->err_text));
    }
}

static void wait_for_words(fixture *f, const char *words)
{
    gm_child *child = f->server->child;
    for (gm_dur_ns end = gm_monotonic(gm_clock_system()) + PATIENCE; gm_str_find(gm_buf_view(&child->err_text), gm_str_of(words)) == SIZE_MAX;) {
        gm_child_read(child, 10);
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("the server never said '%s'", words);
    }
}

static void report(fixture *f, const char *body)
{
    gm_http_answer answer;
    assert_gm_ok(gm_http_request(f->http, "POST", "/v1/ingest", "application/x-ndjson", body, &answer, &f->err), f->err);
    if (answer.code >= 300) fail_msg("%ld " GM_STR_FMT, answer.code, GM_STR_ARG(gm_buf_view(&answer.text)));
    gm_http_answer_finish(&answer);
}

static void rules_are_read_again_when_their_file_changes(void **state)
{
    fixture *f = *state;
    char     from[400], to[400];
    wait_until(f, "/v1/rules", "\"name\":\"high\"");
    put(f, "rules/a.rules", TWO);
    wait_until(f, "/v1/rules", "\"name\":\"hot\"");
    // A mistake: those from before stay, and it is said with its place.
    put(f, "rules/a.rules", "rule broken " PUMPS "\nwhen T.pressure >> 8 then alarm low 'x'\n");
    wait_for_words(f, "rules/a.rules:2:");
    wait_for_words(f, "the rules from before stay in force");
    assert_true(says(f, "GET", "/v1/rules", NULL, "\"name\":\"hot\"", NULL, 0));
    // As editors do it: under another name first.
    put(f, "rules/.new", ONE);
    snprintf(from, sizeof from, "%s/rules/.new", f->plant);
    snprintf(to, sizeof to, "%s/rules/a.rules", f->plant);
    assert_int_equal(rename(from, to), 0);
    wait_until_not(f, "/v1/rules", "\"name\":\"hot\"");
    assert_int_equal(unlink(to), 0);
    wait_until(f, "/v1/rules", "\"items\":[]");
    // The folder goes, and one comes, made elsewhere with what is in it, and another one file by file.
    snprintf(from, sizeof from, "%s/rules", f->plant);
    snprintf(to, sizeof to, "%s/new", f->plant);
    assert_int_equal(rmdir(from), 0);
    put(f, "new/a.rules", ONE);
    assert_int_equal(rename(to, from), 0);
    wait_until(f, "/v1/rules", "\"name\":\"high\"");
    assert_int_equal(rename(from, to), 0);
    wait_until(f, "/v1/rules", "\"items\":[]");
    put(f, "rules/a.rules", TWO);
    wait_until(f, "/v1/rules", "\"name\":\"hot\"");
    put(f, "rules/a.rules", ONE);
    wait_until_not(f, "/v1/rules", "\"name\":\"hot\"");
}

static void expect(gm_ran ran, int code, const char *out, const char *err)
{
    if (ran.code != code || strstr(GM_TEXT(ran.out), out) == NULL || strstr(GM_TEXT(ran.err), err) == NULL)
        fail_msg("expected %d '%s' '%s'\nanswered %d\n%s\n%s", code, out, err, ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err));
    gm_ran_finish(&ran);
}

static void a_rule_is_tried_on_the_past(void **state)
{
    fixture *f = *state;
    char     path[400];
    for (int i = 0; i < 6; i++) {
        char line[200];
        snprintf(line, sizeof line, "{\"$twin\":\"p1\",\"$time\":\"2026-01-01T00:0%d:00Z\",\"pressure\":%d}\n", i, i % 2 == 0 ? 3 : 9);
        report(f, line);
    }
    wait_until(f, "/v1/rules", "\"name\":\"high\"");
    expect(GM_RUN("rule", "test", "high", "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-01T01:00:00Z", "--http", f->server->http), 0, "2026-01-01T00:01:00Z",
           "5 turns between 2026-01-01T00:00:00Z and 2026-01-01T01:00:00Z");
    snprintf(path, sizeof path, "%s/new.rules", f->dir);
    gm_test_write_file(path, GM_STR("rule long " PUMPS "when T.pressure > 8 for 2 min then event 'x'\nrule short " PUMPS "when T.pressure > 8 for 30 s then event 'x'\n"));
    expect(GM_RUN("rule", "test", path, "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-01T00:05:00Z", "--http", f->server->http, "--no-plot"), 0,
           "2026-01-01T00:01:30Z  on    short  p1", "4 turns");
    expect(GM_RUN("rule", "test", path, "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-01T00:05:00Z", "--http", f->server->http, "--json"), 0, "\"leftOut\":0", "");
    expect(GM_RUN("rule", "test", "nothing", "--http", f->server->http), 1, "", "no rule 'nothing'");
}

// How many requests of the webhook hold both texts.
static size_t times_told(fixture *f, const char *a, const char *b)
{
    size_t n = 0;
    for (size_t i = 0; i < test_webhook_count(f->hook); i++) {
        const char *request = test_webhook_request(f->hook, i);
        n += test_webhook_was_accepted(f->hook, i) && strstr(request, a) != NULL && strstr(request, b) != NULL;
    }
    return n;
}

static void wait_told(fixture *f, const char *a, const char *b)
{
    for (gm_dur_ns end = gm_monotonic(gm_clock_system()) + PATIENCE; times_told(f, a, b) == 0;) {
        gm_child_read(f->server->child, 10);
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("the webhook never heard of %s %s", a, b);
    }
}

static void alarms_and_work_orders_reach_another_system_which_answers(void **state)
{
    fixture *f = *state;
    char     text[4000], path[100];
    test_webhook_misbehave(f->hook, 2);  // every second request fails: it comes again
    assert_true(says(f, "PUT", "/eventroutes/maintenance?api-version=2023-10-31", "{\"endpointName\":\"maintenance\",\"filter\":\"type = 'gemel.alarm' OR type = 'gemel.workorder' OR type = 'gemel.rule'\"}", NULL, NULL, 0));
    wait_until(f, "/v1/rules", "\"name\":\"high\"");
    report(f, "{\"$twin\":\"p1\",\"pressure\":9}\n");
    wait_told(f, "\"type\":\"gemel.alarm\"", "\"what\":\"raise\"");
    wait_told(f, "\"type\":\"gemel.workorder\"", "\"what\":\"open\"");
    wait_told(f, "\"subject\":\"high@p1\"", "\"text\":\"too much\"");
    wait_told(f, "\"type\":\"gemel.rule\"", "\"rule\":\"high\",\"decision\":{\"text\":\"it is high\",\"twin\":\"p1\"");
    assert_true(says(f, "POST", "/v1/alarms/high@p1/acknowledge", "{}", "\"acknowledged\"", NULL, 0));
    wait_told(f, "\"type\":\"gemel.alarm\"", "\"what\":\"acknowledge\"");
    assert_true(says(f, "GET", "/v1/workorders?twin=p1", NULL, "\"id\":", text, sizeof text));
    char id[20] = "";
    assert_int_equal(sscanf(strstr(text, "\"id\":"), "\"id\":\"%16[0-9a-f]\"", id), 1);
    snprintf(path, sizeof path, "/v1/workorders/%s", id);
    assert_true(says(f, "PATCH", path, "{\"state\":\"done\",\"feedback\":{\"found\":\"worn bearing\",\"replaced\":[\"bearing\"]}}", "worn bearing", NULL, 0));
    wait_told(f, id, "\"found\":\"worn bearing\"");
    // What was found stays with the twin, also after a kill.
    gm_http_close(f->http);
    gm_served_kill(f->server);
    f->server = gm_serve(f->plant, f->data, NULL, NULL);
    assert_gm_ok(gm_http_open(gm_alloc_system(), f->server->http, &f->http, &f->err), f->err);
    assert_true(says(f, "GET", "/v1/workorders?twin=p1&state=done", NULL, "worn bearing", NULL, 0));
}

// Is there such a text in the log on disk?
static bool log_says(fixture *f, const char *text)
{
    char   pattern[400];
    glob_t found;
    bool   says_so = false;
    snprintf(pattern, sizeof pattern, "%s/log/*.log", f->data);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        gm_buf file = gm_test_read_file(found.gl_pathv[i]);
        says_so |= gm_str_find(gm_buf_view(&file), gm_str_of(text)) != SIZE_MAX;
        gm_buf_finish(&file);
    }
    globfree(&found);
    return says_so;
}

static void wait_for_log(fixture *f, const char *text)
{
    for (gm_dur_ns end = gm_monotonic(gm_clock_system()) + PATIENCE; !log_says(f, text);) {
        gm_child_read(f->server->child, 20);
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("no decision ever said '%s'; the server said: %s", text, GM_TEXT(f->server->child->err_text));
    }
}

static void a_rule_looks_ahead_and_its_decision_has_the_id(void **state)
{
    fixture *f = *state;
    char     list[4000], id[40], wanted[100];
    put(f, "rules/a.rules",
        "rule low on twins (SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:t:Tank;1')) when T.level < 2\n"
        "  then futures '{\"horizon\":\"10min\",\"step\":\"1s\",\"lanes\":64,\"vary\":[\"tank.level=1\"]}'\n"
        "  then futures '{\"horizon\":\"10min\",\"step\":\"1s\",\"lanes\":64,\"outputs\":[\"t1.level\"]}'\n"
        "  then futures '{\"horizon\":\"10min\"}' on 'p1'\n");
    wait_until(f, "/v1/rules", "\"name\":\"low\"");
    report(f, "{\"$twin\":\"t1\",\"level\":1.5}\n");
    wait_for_log(f, "\"firing\":1,\"action\":2");
    wait_until(f, "/v1/futures", "\"state\":\"done\"");
    // The second action's request is the one that can be; what can not be left its reason.
    assert_true(says(f, "GET", "/v1/futures", NULL, "\"root\":\"t1\"", list, sizeof list));
    assert_int_equal(sscanf(strstr(list, "\"id\":"), "\"id\":\"%38[0-9a-f]\"", id), 1);
    assert_null(strstr(strstr(list, "\"id\":") + 1, "\"id\":"));
    snprintf(wanted, sizeof wanted, "{\"futures\":\"%s\",\"twin\":\"t1\",\"cause\":{\"rule\":\"low\"", id);
    wait_for_log(f, wanted);
    assert_true(log_says(f, "has no behavior"));
    snprintf(wanted, sizeof wanted, "/v1/futures/%s", id);
    assert_true(says(f, "GET", wanted, NULL, "\"quantiles\"", NULL, 0));
    // Started again, the server knows that it has looked, and still has what it saw.
    gm_http_close(f->http);
    gm_served_kill(f->server);
    f->server = gm_serve(f->plant, f->data, NULL, NULL);
    assert_gm_ok(gm_http_open(gm_alloc_system(), f->server->http, &f->http, &f->err), f->err);
    assert_true(says(f, "GET", wanted, NULL, "\"quantiles\"", NULL, 0));
    assert_false(log_says(f, "\"firing\":2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rules_are_read_again_when_their_file_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rule_is_tried_on_the_past, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rule_looks_ahead_and_its_decision_has_the_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(alarms_and_work_orders_reach_another_system_which_answers, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
