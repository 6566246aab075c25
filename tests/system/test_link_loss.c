// Automatic control of a running server whose device falls silent: the watchdog disarms and drives to the safe value, which the device
// finds when it comes back; also when the server is killed in between, and while what was armed by a heartbeat loses it.
#include "cli/mqtt_client.h"
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const gm_dur_ns PATIENCE = 60 * GM_SECOND;

typedef struct fixture {
    char            dir[256], plant[300], data[320], desired[200];  // desired: what the device was told last
    gm_served      *server;
    gm_mqtt_client *device;  // NULL: it is away
    gm_error        err;
} fixture;

#define HEATERS "on twins (SELECT * FROM DIGITALTWINS H WHERE IS_OF_MODEL(H, 'dtmi:t:Heater;1')) "

static void put(const fixture *f, const char *name, const char *text)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", f->plant, name);
    gm_test_write_file(path, gm_str_of(text));
}

static int set_up(void **state)
{
    static fixture f;
    f = (fixture){ .device = NULL };
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.plant, sizeof f.plant, "%s/plant", f.dir);
    snprintf(f.data, sizeof f.data, "%s/data", f.plant);
    put(&f, "models/heater.json",
        "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Heater;1\",\"@type\":\"Interface\",\"contents\":["
        "{\"@type\":\"Telemetry\",\"name\":\"heat\",\"schema\":\"double\"},{\"@type\":\"Property\",\"name\":\"power\",\"schema\":\"double\",\"writable\":true}]}");
    put(&f, "twins/all.json", "[{\"$dtId\":\"h1\",\"$metadata\":{\"$model\":\"dtmi:t:Heater;1\"},\"power\":0}]");
    put(&f, "rules/a.rules",
        "rule cold " HEATERS "when H.heat < 20 then set power to 7\n"
        "watchdog lost " HEATERS "when no data of heat for 2 s then set power to 0\n");
    f.server = gm_serve(f.plant, f.data, NULL, NULL);
    *state   = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    gm_mqtt_client_close(f->device);
    int code = gm_served_stop(f->server);
    gm_test_remove_dir(f->dir);
    return code;
}

// ---- the device: it does what it is told, and says so --------------------------------------------------------------

static void say(fixture *f, const char *topic, const char *payload)
{
    assert_gm_ok(gm_mqtt_client_publish(f->device, topic, gm_str_of(payload), &f->err), f->err);
}

static void on_message(void *context, gm_str topic, gm_str payload)
{
    fixture *f = context;
    double   power;
    (void)topic;
    snprintf(f->desired, sizeof f->desired, GM_STR_FMT, GM_STR_ARG(payload));
    if (sscanf(f->desired, "{\"power\":%lf", &power) != 1) return;
    char text[60];
    snprintf(text, sizeof text, "{\"power\":%g}", power);
    say(f, "gemel/h1/properties", text);
}

static void come(fixture *f)
{
    gm_mqtt_client_options o = gm_mqtt_client_options_defaults();
    o.address = f->server->mqtt;
    f->desired[0] = '\0';
    assert_gm_ok(gm_mqtt_client_open(&o, &f->device, &f->err), f->err);
    gm_mqtt_client_listen(f->device, on_message, f);
    assert_gm_ok(gm_mqtt_client_subscribe(f->device, "gemel/h1/desired", &f->err), f->err);
}

static void go(fixture *f)
{
    gm_mqtt_client_close(f->device);
    f->device = NULL;
}

static double power(fixture *f)
{
    json_t *twin  = gm_served_ask(f->server, "GET", "/digitaltwins/h1?api-version=2023-10-31", NULL, 0);
    double  value = json_number_value(json_object_get(twin, "power"));
    json_decref(twin);
    return value;
}

// Until the device has that power, and has said so; what it says of its heat keeps the watchdog quiet, unless it is silent.
static void wait_for_power(fixture *f, double wanted, const char *heat)
{
    for (gm_dur_ns end = gm_monotonic(gm_clock_system()) + PATIENCE; power(f) != wanted;) {
        if (heat != NULL) say(f, "gemel/h1/telemetry", heat);
        assert_gm_ok(gm_mqtt_client_turn(f->device, 50 * GM_MILLISECOND, &f->err), f->err);
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("the power is %g, not %g; told last: %s", power(f), wanted, f->desired);
    }
}

static size_t armed(fixture *f)
{
    json_t *all = gm_served_ask(f->server, "GET", "/v1/control", NULL, 0);
    size_t  n   = json_array_size(json_object_get(all, "armed"));
    json_decref(all);
    return n;
}

static void wait_until_disarmed(fixture *f)
{
    for (gm_dur_ns end = gm_monotonic(gm_clock_system()) + PATIENCE; armed(f) > 0;) {
        gm_child_read(f->server->child, 50);
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("it stays armed");
    }
}

// A machine that stands still for two seconds is a lost link, too: then it is armed anew, and turns cold again.
static void heat_by_itself(fixture *f, const char *arm)
{
    come(f);
    for (gm_dur_ns end = gm_monotonic(gm_clock_system()) + PATIENCE; power(f) != 7;) {
        if (armed(f) == 0) json_decref(gm_served_ask(f->server, "POST", "/v1/control/arm", arm, 0));
        say(f, "gemel/h1/telemetry", "{\"heat\":30}");
        say(f, "gemel/h1/telemetry", "{\"heat\":15}");
        for (int i = 0; i < 10 && power(f) != 7; i++) assert_gm_ok(gm_mqtt_client_turn(f->device, 20 * GM_MILLISECOND, &f->err), f->err);
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("it never heats; told last: %s", f->desired);
    }
}

static void a_device_that_falls_silent_finds_the_safe_value_when_it_is_back(void **state)
{
    fixture *f = *state;
    heat_by_itself(f, "{\"twin\":\"h1\",\"reason\":\"test\",\"for\":\"1h\"}");
    go(f);
    wait_until_disarmed(f);
    come(f);
    wait_for_power(f, 0, NULL);
    // It speaks again, and is cold: but nobody has armed it again.
    say(f, "gemel/h1/telemetry", "{\"heat\":30}");
    say(f, "gemel/h1/telemetry", "{\"heat\":15}");
    for (gm_dur_ns end = gm_monotonic(gm_clock_system()) + PATIENCE;;) {
        json_t *all     = gm_served_ask(f->server, "GET", "/v1/desired", NULL, 0), *newest = json_array_get(json_object_get(all, "items"), 0);
        bool    advised = strcmp(json_string_value(json_object_get(newest, "state")), "advised") == 0;
        json_decref(all);
        if (advised) break;
        assert_gm_ok(gm_mqtt_client_turn(f->device, 20 * GM_MILLISECOND, &f->err), f->err);
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("the rule never advised");
    }
    assert_true(power(f) == 0);
}

static void a_silent_device_is_made_safe_also_over_a_kill_of_the_server(void **state)
{
    fixture *f = *state;
    heat_by_itself(f, "{\"twin\":\"h1\",\"reason\":\"test\",\"for\":\"1h\"}");
    go(f);
    gm_served_kill(f->server);
    f->server = gm_serve(f->plant, f->data, NULL, NULL);
    wait_until_disarmed(f);
    come(f);
    wait_for_power(f, 0, NULL);
}

// The device is well; whoever was to watch over it is not.
static void a_heartbeat_that_stops_makes_safe(void **state)
{
    fixture *f = *state;
    heat_by_itself(f, "{\"twin\":\"h1\",\"reason\":\"test\",\"for\":\"1h\",\"heartbeat\":\"30s\"}");
    json_decref(gm_served_ask(f->server, "POST", "/v1/control/arm", "{\"twin\":\"h1\",\"reason\":\"test\",\"for\":\"1h\",\"heartbeat\":\"1s\"}", 0));
    wait_for_power(f, 0, "{\"heat\":15}");
    assert_int_equal(armed(f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_device_that_falls_silent_finds_the_safe_value_when_it_is_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_silent_device_is_made_safe_also_over_a_kill_of_the_server, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_heartbeat_that_stops_makes_safe, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
