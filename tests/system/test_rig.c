// The waterworks as two processes: the twin in a server, the plant in a rig, and MQTT between them.
#include "cli/mqtt_client.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct fixture {
    char       dir[256], data[300];
    gm_served *server;
    gm_child  *rig;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    f = (fixture){ 0 };
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.data, sizeof f.data, "%s/data", f.dir);
    f.server = gm_serve("examples/pumphouse", f.data, NULL, NULL);
    *state   = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    if (f->rig != NULL) gm_child_free(f->rig);
    int code = gm_served_stop(f->server);
    gm_test_remove_dir(f->dir);
    return code;
}

static void start_rig(fixture *f, const char *speed)
{
    f->rig = gm_child_start((const char *const[]){ "rig", "examples/pumphouse", "--root", "tower", "--speed", speed, "--noise",
                                                   "--interval", "50ms", "--mqtt", f->server->mqtt, NULL });
}

static double number_of(fixture *f, const char *twin, const char *path)
{
    gm_ran ran   = GM_RUN("get", twin, path, "--http", f->server->http);
    double value = ran.code == 0 ? strtod(GM_TEXT(ran.out), NULL) : -1;
    gm_ran_finish(&ran);
    return value;
}

// Until the value is in [low, high], or a minute has passed.
static double value_within(fixture *f, const char *twin, const char *path, double low, double high)
{
    gm_dur_ns end   = gm_monotonic(gm_clock_system()) + 60 * GM_SECOND;
    double    value = number_of(f, twin, path);
    while ((value < low || value > high) && gm_monotonic(gm_clock_system()) < end) {
        int code;
        gm_child_read(f->rig, 20);
        if (gm_child_ended(f->rig, &code)) fail_msg("the rig ended: %s", (char *)f->rig->err_text.ptr);
        value = number_of(f, twin, path);
    }
    if (value < low || value > high) fail_msg("%s %s is %g, expected %g to %g", twin, path, value, low, high);
    return value;
}

static void the_twin_sees_the_plant_move(void **state)
{
    fixture *f = *state;
    assert_true(number_of(f, "tower", "level") == 3.4);  // what the files say
    start_rig(f, "6000");
    value_within(f, "tower", "level", 2.0, 3.1);          // the town drinks ...
    value_within(f, "pump1", "flow", 15, 25);             // ... until the controller starts the lead pump
    value_within(f, "pump1", "motor/temperature", 40, 70);
    value_within(f, "tower", "level", 4.0, 4.8);
    gm_ran ran = GM_RUN("dead-letters", "--http", f->server->http, "--json");
    assert_int_equal(ran.code, 0);
    assert_null(strstr(GM_TEXT(ran.out), "pump1"));
    gm_ran_finish(&ran);
}

// What a forecast said is held against what the rig, another process, then did: a healthy plant with the same models goes
// through the middle of the fan.
static void a_forecast_is_held_against_what_the_plant_did(void **state)
{
    fixture *f = *state;
    char     id[40];
    start_rig(f, "1");
    value_within(f, "tower", "level", 3.0, 3.5);
    value_within(f, "valve", "flow", 1, 60);  // its samples have come
    gm_ran ran = GM_RUN("what-if", "examples/pumphouse", "--root", "tower", "--horizon", "3s", "--step", "0.1s", "--points", "6",
                        "--lanes", "64", "--vary", "tower.level*=normal(1,0.01)", "--outputs", "tower.level", "--save", "--http",
                        f->server->http);
    if (ran.code != 0) fail_msg("%s", GM_TEXT(ran.err));
    const char *kept = strstr(GM_TEXT(ran.out), "gemel futures verify ");
    assert_non_null(kept);
    assert_int_equal(sscanf(kept, "gemel futures verify %39s", id), 1);
    gm_ran_finish(&ran);
    gm_dur_ns end = gm_monotonic(gm_clock_system()) + 60 * GM_SECOND;
    json_int_t compared = 0;
    json_t    *report   = NULL;
    while (compared < 6 && gm_monotonic(gm_clock_system()) < end) {
        json_decref(report);
        gm_child_read(f->rig, 50);
        ran    = GM_RUN("futures", "verify", id, "--http", f->server->http, "--json");
        report = ran.code == 0 ? json_loads(GM_TEXT(ran.out), 0, NULL) : NULL;
        gm_ran_finish(&ran);
        compared = json_integer_value(json_object_get(json_object_get(json_object_get(report, "outputs"), "tower.level"), "points"));
    }
    if (compared < 6) fail_msg("%d points compared: %s", (int)compared, json_dumps(report, 0));
    const json_t *level = json_object_get(json_object_get(report, "outputs"), "tower.level");
    assert_true(json_number_value(json_object_get(level, "rmse")) < 0.05);  // m; the fan is 0.034 m wide each way, noise 0.01 m
    json_decref(report);
}

typedef struct answer { char topic[200], payload[200]; } answer;

static void hear(void *context, gm_str topic, gm_str payload)
{
    answer *a = context;
    snprintf(a->topic, sizeof a->topic, GM_STR_FMT, GM_STR_ARG(topic));
    snprintf(a->payload, sizeof a->payload, GM_STR_FMT, GM_STR_ARG(payload));
}

static void the_plant_obeys(void **state)
{
    fixture               *f      = *state;
    answer                 heard  = { 0 };
    gm_error               err    = { 0 };
    gm_mqtt_client        *client = NULL;
    gm_mqtt_client_options o      = gm_mqtt_client_options_defaults();
    o.address                     = f->server->mqtt;
    o.name                        = "test";
    start_rig(f, "60");
    value_within(f, "valve", "flow", 1, 60);  // it lives: the first samples have come, whatever time of day it is
    assert_gm_ok(gm_mqtt_client_open(&o, &client, &err), err);
    gm_mqtt_client_listen(client, hear, &heard);
    assert_gm_ok(gm_mqtt_client_subscribe(client, "gemel/+/commands/+/+/response", &err), err);
    assert_gm_ok(gm_mqtt_client_publish(client, "gemel/pump2/desired", GM_STR("{\"speed\":0.25}"), &err), err);
    value_within(f, "pump2", "speed", 0.25, 0.25);   // reported by the device, so the twin has it
    static const struct { const char *topic, *payload, *says; } cases[] = {
        { "gemel/pump1/commands/setSpeed/7", "0.5", "{\"status\":200}" },
        { "gemel/pump1/commands/explode/8", "", "\"status\":404" },
    };
    for (size_t i = 0; i < 2; i++) {
        char topic[200];
        snprintf(topic, sizeof topic, "%s/response", cases[i].topic);
        assert_gm_ok(gm_mqtt_client_publish(client, cases[i].topic, gm_str_of(cases[i].payload), &err), err);
        gm_dur_ns end = gm_monotonic(gm_clock_system()) + 30 * GM_SECOND;
        while (strcmp(heard.topic, topic) != 0 && gm_monotonic(gm_clock_system()) < end)
            assert_gm_ok(gm_mqtt_client_turn(client, 100 * GM_MILLISECOND, &err), err);
        assert_string_equal(heard.topic, topic);
        if (strstr(heard.payload, cases[i].says) == NULL) fail_msg("%s: %s", topic, heard.payload);
    }
    // The same through the interlocks: the device is commanded, and what is out of range is not sent.
    gm_ran ran = GM_RUN("command", "valve", "setOpening", "0.5", "--http", f->server->http);
    if (ran.code != 0) fail_msg("%s%s", GM_TEXT(ran.out), GM_TEXT(ran.err));
    assert_string_equal(GM_TEXT(ran.out), "closed\n");
    gm_ran_finish(&ran);
    ran = GM_RUN("command", "valve", "setOpening", "2", "--http", f->server->http);
    assert_int_equal(ran.code, 1);
    gm_ran_finish(&ran);
    gm_mqtt_client_close(client);
}

static void a_rig_that_can_not_be_says_why(void **state)
{
    (void)state;
    static const struct { const char *words[8]; int code; const char *says; } cases[] = {
        { { "rig", "examples/pumphouse", "--root", "attic", "--print", NULL }, 1, "no twin 'attic'" },
        { { "rig", "examples/machine", "--print", NULL }, 1, "no twin of this plant has a behavior" },
        { { "rig", "examples/pumphouse", "--fault", "pump1.rust@1s", "--print", NULL }, 1, "pump1.wear" },
        { { "rig", "examples/pumphouse", "--fault", "pump1.wear", "--print", NULL }, 1, "NAME@TIME" },
        { { "rig", "examples/pumphouse", "--speed", "0", "--print", NULL }, 2, "--speed" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_ran ran = gm_run(cases[i].words);
        if (ran.code != cases[i].code || strstr(GM_TEXT(ran.err), cases[i].says) == NULL)
            fail_msg("case %zu: exit %d: %s", i, ran.code, GM_TEXT(ran.err));
        gm_ran_finish(&ran);
    }
}

static void expect_start(const char *operand, const char *option, int code, const char *says)
{
    gm_ran ran = option != NULL ? GM_RUN("simulate", operand, option, "--stop", "1", "--points", "1", "--variables", "controller.startLevel")
                                : GM_RUN("simulate", operand, "--stop", "1", "--points", "1", "--variables", "controller.startLevel");
    if (ran.code != code || strstr(GM_TEXT(code == 0 ? ran.out : ran.err), says) == NULL)
        fail_msg("exit %d: %s%s", ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err));
    gm_ran_finish(&ran);
}

static void a_simulation_begins_with_the_plants_data(void **state)
{
    (void)state;
    char dir[256], plant[300], root[320], data[320], command[1000];
    gm_test_make_dir(dir, sizeof dir);
    snprintf(plant, sizeof plant, "%s/plant", dir);
    snprintf(root, sizeof root, "%s:tower", plant);
    snprintf(data, sizeof data, "%s/data", plant);
    snprintf(command, sizeof command, "mkdir '%s' && cp -r '%s/examples/pumphouse/models' '%s/examples/pumphouse/twins' "
             "'%s/examples/pumphouse/behaviors' '%s'", plant, getenv("GM_SOURCE_ROOT"), getenv("GM_SOURCE_ROOT"),
             getenv("GM_SOURCE_ROOT"), plant);
    assert_int_equal(system(command), 0);
    expect_start(root, NULL, 0, "\n0,3\n");
    gm_served *server = gm_serve(plant, data, NULL, NULL);
    gm_ran     ran    = GM_RUN("set", "controller", "startLevel=3.25", "--http", server->http);
    assert_int_equal(ran.code, 0);
    gm_ran_finish(&ran);
    expect_start(root, NULL, 1, "a server runs on");
    expect_start(root, "--initial", 0, "\n0,3\n");
    assert_int_equal(gm_served_stop(server), 0);
    expect_start(root, NULL, 0, "\n0,3.25\n");
    expect_start(plant, "--initial", 0, "\n0,3\n");
    gm_test_remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_twin_sees_the_plant_move, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_forecast_is_held_against_what_the_plant_did, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_plant_obeys, set_up, tear_down),
        cmocka_unit_test(a_rig_that_can_not_be_says_why),
        cmocka_unit_test(a_simulation_begins_with_the_plants_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
