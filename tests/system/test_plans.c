// A plan at work: the server makes it from what the rig's sensors say, advises while nothing is armed, and moves the plant when a
// person arms it. The rig is another process behind MQTT.
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>

typedef struct fixture {
    char       dir[256], plant[300], data[320];
    gm_served *server;
    gm_child  *rig;
} fixture;

// A tank that drains; its inlet costs money, its level must not fall below 1 m, and letting it run over costs too.
static const char MODEL[] = "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Tank;1\",\"@type\":\"Interface\",\"contents\":["
                            "{\"@type\":\"Telemetry\",\"name\":\"level\",\"schema\":\"double\"},"
                            "{\"@type\":\"Property\",\"name\":\"inlet\",\"schema\":\"double\",\"writable\":true}]}";
static const char CLASS[] = "model Tank\n  input Real inlet(start=0.2, min=0, max=1);\n  Real level(start=3, fixed=true);\nequation\n"
                            "  der(level) = 0.1*inlet - 0.02*level;\n  annotation(__gemel(interface=\"dtmi:t:Tank;1\"));\nend Tank;\n";
static const char PLAN[] = "{\"plans\":[{\"name\":\"thrift\",\"root\":\"tank1\",\"goals\":[\"integral(tank1.inlet)\"],\"limits\":[\"tank1.level in 1..4\"],"
                           "\"inputs\":[\"tank1.inlet=0..1\"],\"horizon\":\"200s\",\"every\":\"20s\",\"step\":\"1s\",\"again\":\"1s\",\"lanes\":64,\"rounds\":3},"
                           "{\"name\":\"lost\",\"root\":\"nowhere\",\"goals\":[\"integral(nowhere.x)\"],\"inputs\":[\"nowhere.y=0..1\"]}]}";

static const char EVEN[] = "{\"plans\":[{\"name\":\"even\",\"root\":\"tank1\",\"method\":\"settings\",\"goals\":[\"integral(tank1.inlet)\"],\"limits\":[\"tank1.level in 1..4\"],"
                           "\"inputs\":[\"tank1.inlet=0..1\"],\"unknown\":[\"tank1.level=uniform(2.6,3.4)\"],\"horizon\":\"200s\",\"step\":\"1s\",\"again\":\"1s\",\"lanes\":64}]}";

static void put_file(const fixture *f, const char *name, const char *text)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", f->plant, name);
    gm_test_write_file(path, gm_str_of(text));
}

static int set_up(void **state)
{
    static fixture f;
    f = (fixture){ 0 };
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.plant, sizeof f.plant, "%s/plant", f.dir);
    snprintf(f.data, sizeof f.data, "%s/data", f.plant);
    put_file(&f, "models/tank.json", MODEL);
    put_file(&f, "behaviors/tank.mo", CLASS);
    put_file(&f, "rules/thrift.plan", PLAN);
    put_file(&f, "twins/all.ndjson", "{\"Section\":\"Twins\"}\n{\"$dtId\":\"tank1\",\"$metadata\":{\"$model\":\"dtmi:t:Tank;1\"},\"inlet\":0.2}\n");
    f.server = gm_serve(f.plant, f.data, NULL, NULL);
    f.rig    = gm_child_start((const char *const[]){ "rig", f.plant, "--root", "tank1", "--speed", "10", "--interval", "100ms", "--mqtt", f.server->mqtt, NULL });
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

static double inlet(fixture *f)
{
    gm_ran ran   = GM_RUN("get", "tank1", "inlet", "--http", f->server->http);
    double value = ran.code == 0 ? strtod(GM_TEXT(ran.out), NULL) : NAN;
    gm_ran_finish(&ran);
    return value;
}

// The plan, once it has been made from the rig's data.
static json_t *asked(fixture *f, const char *target)
{
    json_t *all = gm_served_ask(f->server, "GET", "/v1/plans", NULL, 200), *items = json_object_get(all, "items"), *found = NULL;
    for (size_t i = 0; i < json_array_size(items); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(items, i), "name"));
        if (strcmp(name, strrchr(target, '/') + 1) == 0) found = gm_served_ask(f->server, "GET", target, NULL, 200);
    }
    json_decref(all);
    return found;
}

static json_t *made(fixture *f, const char *target)
{
    gm_dur_ns end  = gm_monotonic(gm_clock_system()) + 60 * GM_SECOND;
    json_t   *plan = NULL;
    while (gm_monotonic(gm_clock_system()) < end) {
        json_decref(plan);
        plan = asked(f, target);
        if (json_object_get(plan, "at") != NULL) return plan;
        gm_child_read(f->rig, 50);
    }
    fail_msg("no plan was made: %s", json_dumps(plan, 0));
    return NULL;
}

static json_t *made_plan(fixture *f) { return made(f, "/v1/plans/thrift"); }

// One value for all of the horizon, judged by beginnings that nobody knows exactly, with those that came next.
static void settings_come_with_their_alternatives(void **state)
{
    fixture *f    = *state;
    put_file(f, "rules/even.plan", EVEN);
    kill(f->server->child->pid, SIGHUP);
    json_t  *plan = made(f, "/v1/plans/even"), *ranking = json_object_get(plan, "ranking"), *input = json_object_get(json_object_get(plan, "inputs"), "tank1.inlet"), *item;
    size_t   i;
    double   before = 0;
    assert_int_equal(json_integer_value(json_object_get(plan, "scenarios")), 8);
    assert_int_equal(json_array_size(json_object_get(input, "plan")), 1);
    assert_true(json_array_size(ranking) >= 2);
    json_array_foreach(ranking, i, item) {
        double cost = json_number_value(json_object_get(item, "cost")), value = json_number_value(json_object_get(json_object_get(item, "inputs"), "tank1.inlet"));
        assert_true(cost >= before && value >= 0 && value <= 1);
        before = cost;
    }
    item = json_array_get(ranking, 0);
    assert_true(json_number_value(json_object_get(input, "now")) == json_number_value(json_object_get(json_object_get(item, "inputs"), "tank1.inlet")));
    assert_true(json_number_value(json_object_get(plan, "gain")) == json_number_value(json_object_get(item, "gain")));
    assert_true(json_number_value(json_object_get(plan, "gainDeviation")) >= 0);
    json_decref(plan);
    gm_ran ran = GM_RUN("plans", "even", "--http", f->server->http);
    assert_int_equal(ran.code, 0);
    assert_non_null(strstr(GM_TEXT(ran.out), "BETTER"));
    gm_ran_finish(&ran);
}

static void what_is_not_armed_is_advice(void **state)
{
    fixture *f    = *state;
    json_t  *plan = made_plan(f), *input = json_object_get(json_object_get(plan, "inputs"), "tank1.inlet");
    assert_true(json_is_false(json_object_get(plan, "armed")));
    assert_true(json_number_value(json_object_get(plan, "cost")) <= json_number_value(json_object_get(plan, "held")));
    assert_int_equal(json_array_size(json_object_get(input, "plan")), 10);
    assert_true(json_number_value(json_object_get(input, "before")) == 0.2);
    json_decref(plan);
    assert_true(inlet(f) == 0.2);  // nobody touched it
    json_t *desired = gm_served_ask(f->server, "GET", "/v1/desired", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(desired, "items")), 0);
    json_decref(desired);
    json_decref(gm_served_ask(f->server, "GET", "/v1/plans/nothing", NULL, 404));
    gm_ran ran = GM_RUN("plans", "--http", f->server->http);
    assert_int_equal(ran.code, 0);
    assert_non_null(strstr(GM_TEXT(ran.out), "thrift"));
    assert_non_null(strstr(GM_TEXT(ran.out), "advice"));
    gm_ran_finish(&ran);
    ran = GM_RUN("plans", "thrift", "--http", f->server->http);
    assert_int_equal(ran.code, 0);
    assert_non_null(strstr(GM_TEXT(ran.out), "tank1.inlet"));
    assert_non_null(strstr(GM_TEXT(ran.out), "+00:03"));  // the last interval begins after three minutes
    gm_ran_finish(&ran);
}

static void a_plan_of_a_twin_that_is_not_there_says_so(void **state)
{
    fixture *f = *state;
    json_decref(made_plan(f));
    json_t *lost = gm_served_ask(f->server, "GET", "/v1/plans/lost", NULL, 200);
    if (strstr(json_string_value(json_object_get(lost, "trouble")), "there is no twin 'nowhere'") == NULL) fail_msg("%s", json_dumps(lost, 0));
    json_decref(lost);
}

static void armed_it_moves_the_plant_in_its_own_name(void **state)
{
    fixture *f = *state;
    json_decref(made_plan(f));
    json_decref(gm_served_ask(f->server, "POST", "/v1/control/arm", "{\"twin\":\"tank1\",\"reason\":\"test\",\"for\":\"1h\"}", 200));
    gm_dur_ns end = gm_monotonic(gm_clock_system()) + 60 * GM_SECOND;
    // From 3 m the inlet may stay nearly shut for a while: that is cheaper than 0.2.
    while (!(inlet(f) < 0.19) && gm_monotonic(gm_clock_system()) < end) gm_child_read(f->rig, 50);
    assert_true(inlet(f) < 0.19);  // reported by the rig
    json_t *desired = gm_served_ask(f->server, "GET", "/v1/desired", NULL, 200), *first = json_array_get(json_object_get(desired, "items"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "who")), "plan thrift");
    json_decref(desired);
    json_t *plan = made_plan(f);
    assert_true(json_is_true(json_object_get(plan, "armed")));
    json_decref(plan);
}

static void a_changed_file_is_in_force_after_a_reload(void **state)
{
    fixture *f = *state;
    json_decref(made_plan(f));
    put_file(f, "rules/thrift.plan", "{\"plans\":[{\"name\":\"other\",\"root\":\"tank1\",\"goals\":[\"integral(tank1.inlet)\"],\"inputs\":[\"tank1.inlet=0..1\"]}]}");
    kill(f->server->child->pid, SIGHUP);
    gm_dur_ns end   = gm_monotonic(gm_clock_system()) + 60 * GM_SECOND;
    bool      other = false;
    while (!other && gm_monotonic(gm_clock_system()) < end) {
        json_t *all = gm_served_ask(f->server, "GET", "/v1/plans", NULL, 200), *items = json_object_get(all, "items");
        other       = json_array_size(items) == 1 && strcmp(json_string_value(json_object_get(json_array_get(items, 0), "name")), "other") == 0;
        json_decref(all);
        gm_child_read(f->rig, 20);
    }
    assert_true(other);
    // A broken one changes nothing.
    put_file(f, "rules/thrift.plan", "{\"plans\":[{}]}");
    kill(f->server->child->pid, SIGHUP);
    bool told = false;
    while (!told && gm_monotonic(gm_clock_system()) < end) {
        gm_child_read(f->server->child, 20);
        told = gm_str_find(gm_buf_view(&f->server->child->err_text), GM_STR("rules/thrift.plan")) != SIZE_MAX;
    }
    assert_true(told);
    json_decref(gm_served_ask(f->server, "GET", "/v1/plans/other", NULL, 200));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_not_armed_is_advice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(settings_come_with_their_alternatives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_plan_of_a_twin_that_is_not_there_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(armed_it_moves_the_plant_in_its_own_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_changed_file_is_in_force_after_a_reload, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
