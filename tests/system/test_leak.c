// The waterworks closes its loop: the rig's main leaks, no sensor shows it, the estimator finds it, and the example's own rules raise
// the alarm, shut the valve where automatic control is armed and open the work order, whose feedback the pipe remembers.
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture { char dir[256], plant[300], data[320]; gm_served *server; gm_child *rig; } fixture;

static const gm_dur_ns PATIENCE = 100 * GM_SECOND;

// The example looks for faults after three hours of getting to know its plant; that would take a long test.
static void look_soon(const fixture *f)
{
    char    path[400];
    snprintf(path, sizeof path, "%s/estimate/waterworks.json", f->plant);
    json_t *document = json_load_file(path, 0, NULL), *entry = json_array_get(json_object_get(document, "estimates"), 0);
    assert_int_equal(json_object_set_new(entry, "window", json_string("1h")), 0);
    assert_int_equal(json_dump_file(document, path, 0), 0);
    json_decref(document);
}

static int set_up(void **state)
{
    static fixture f;
    char           command[1000];
    f = (fixture){ 0 };
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.plant, sizeof f.plant, "%s/plant", f.dir);
    snprintf(f.data, sizeof f.data, "%s/data", f.plant);
    snprintf(command, sizeof command, "cp -r '%s/examples/pumphouse' '%s' && rm '%s/rules/nightFilling.plan'", getenv("GM_SOURCE_ROOT"), f.plant, f.plant);
    assert_int_equal(system(command), 0);
    look_soon(&f);
    f.server = gm_serve(f.plant, f.data, NULL, NULL);
    *state   = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    gm_child_free(f->rig);
    int code = gm_served_stop(f->server);
    gm_test_remove_dir(f->dir);
    return code;
}

static const char *text(const json_t *object, const char *key)
{
    const char *found = json_string_value(json_object_get(object, key));
    return found != NULL ? found : "";
}

// The first of what the target lists that says so; the caller owns it. NULL: there is none yet.
static json_t *listed(fixture *f, const char *target, const char *key, const char *value)
{
    json_t *all = gm_served_ask(f->server, "GET", target, NULL, 200), *items = json_object_get(all, "items"), *found = NULL;
    for (size_t i = 0; found == NULL && i < json_array_size(items); i++) {
        if (strcmp(text(json_array_get(items, i), key), value) == 0) found = json_incref(json_array_get(items, i));
    }
    json_decref(all);
    return found;
}

static json_t *wait_for(fixture *f, const char *target, const char *key, const char *value)
{
    int code;
    for (gm_dur_ns end = gm_monotonic(gm_clock_system()) + PATIENCE;;) {
        json_t *found = listed(f, target, key, value);
        if (found != NULL) return found;
        gm_child_read(f->rig, 50);
        if (gm_child_ended(f->rig, &code)) fail_msg("the rig ended: %s", GM_TEXT(f->rig->err_text));
        if (gm_monotonic(gm_clock_system()) > end) {
            gm_ran ran = GM_RUN("anomalies", "--http", f->server->http);
            fail_msg("%s never had one with %s '%s'; anomalies: %s", target, key, value, GM_TEXT(ran.out));
        }
    }
}

static void a_leak_that_nobody_measures_shuts_the_valve_and_calls_somebody(void **state)
{
    fixture *f = *state;
    char     path[100], wanted[60];
    json_decref(gm_served_ask(f->server, "POST", "/v1/control/arm", "{\"twin\":\"waterworks\",\"reason\":\"test\",\"for\":\"1h\"}", 200));
    f->rig = gm_child_start((const char *const[]){ "rig", f->plant, "--root", "tower", "--speed", "1000", "--interval", "10ms", "--own-clock", "--noise", "--fault",
                                                   "main.leak@80m", "--mqtt", f->server->mqtt, NULL });
    json_t *alarm = wait_for(f, "/v1/alarms", "id", "leak@main");
    assert_string_equal(text(alarm, "priority"), "high");
    json_decref(alarm);
    // The valve: asked for by the rule, past the interlock, and done by the rig, which says so.
    json_t *desired = wait_for(f, "/v1/desired", "state", "closed");
    assert_string_equal(text(desired, "who"), "rule leak");
    assert_string_equal(text(desired, "twin"), "valve");
    json_decref(desired);
    json_t *valve = gm_served_ask(f->server, "GET", "/digitaltwins/valve?api-version=2023-10-31", NULL, 200);
    assert_true(json_number_value(json_object_get(valve, "opening")) == 0);
    json_decref(valve);
    json_t *order = wait_for(f, "/v1/workorders?twin=main", "state", "open");
    assert_string_equal(text(json_object_get(order, "evidence"), "rule"), "leak");
    // Somebody has been there; the pipe remembers.
    snprintf(path, sizeof path, "/v1/workorders/%s", text(order, "id"));
    snprintf(wanted, sizeof wanted, "work order %s", text(order, "id"));
    json_decref(gm_served_ask(f->server, "PATCH", path, "{\"state\":\"done\",\"feedback\":{\"found\":\"a burst socket\",\"replaced\":[\"socket 12\"]}}", 200));
    json_decref(order);
    json_t *fact = wait_for(f, "/v1/thread/main?phase=maintained", "key", wanted);
    assert_string_equal(text(json_object_get(json_object_get(fact, "value"), "feedback"), "found"), "a burst socket");
    json_decref(fact);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_leak_that_nobody_measures_shuts_the_valve_and_calls_somebody, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
