// The load generator of examples/machine: what the example's rules make of a machine whose load follows what the generator reports.
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <stdio.h>

typedef struct fixture { char dir[256], data[300]; gm_served *server; gm_child *load; double others, share; } fixture;

static const gm_dur_ns PATIENCE = 90 * GM_SECOND;

static int set_up(void **state)
{
    static fixture f;
    f = (fixture){ 0 };
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.data, sizeof f.data, "%s/data", f.dir);
    f.server = gm_serve("examples/machine", f.data, NULL, NULL);
    f.load   = gm_child_start((const char *const[]){ "load", "--twin", "this", "--cores", "1", "--interval", "100ms", "--mqtt", f.server->mqtt, NULL });
    *state   = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    gm_child_free(f->load);
    int code = gm_served_stop(f->server);
    gm_test_remove_dir(f->dir);
    return code;
}

// The machine's load is what others do, and what the generator says that it does.
static void measure(fixture *f)
{
    char body[60];
    json_t *twin = gm_served_ask(f->server, "GET", "/digitaltwins/this-load?api-version=2023-10-31", NULL, 200);
    f->share     = json_number_value(json_object_get(twin, "share"));
    json_decref(twin);
    snprintf(body, sizeof body, "{\"$twin\":\"this\",\"cpuLoad\":%g}", f->others + f->share);
    json_decref(gm_served_ask(f->server, "POST", "/v1/ingest", body, 0));
    gm_child_read(f->load, 100);
}

static bool until(fixture *f, double low, double high)
{
    for (gm_dur_ns end = gm_monotonic(gm_clock_system()) + PATIENCE; gm_monotonic(gm_clock_system()) < end;) {
        measure(f);
        if (f->share >= low && f->share <= high) return true;
    }
    return false;
}

static void wait_for_twins(fixture *f)
{
    for (gm_dur_ns end = gm_monotonic(gm_clock_system()) + PATIENCE;;) {
        gm_ran ran   = GM_RUN("get", "this-load", "--http", f->server->http);
        bool   there = ran.code == 0 && strstr(GM_TEXT(ran.out), "hold") != NULL;
        gm_ran_finish(&ran);
        if (there) return;
        gm_child_read(f->load, 50);
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("the generator never came: %s", GM_TEXT(f->load->err_text));
    }
}

static void rules_hold_the_machines_load(void **state)
{
    fixture *f = *state;
    f->others  = 42;
    wait_for_twins(f);
    // Nobody asks for it, so nothing moves; nor does it before somebody arms.
    measure(f);
    assert_float_equal(f->share, 0, 0);
    json_decref(gm_served_ask(f->server, "POST", "/v1/control/arm", "{\"twin\":\"this\",\"reason\":\"test\",\"for\":\"1h\"}", 200));
    json_decref(gm_served_ask(f->server, "POST", "/v1/desired", "{\"twin\":\"this-load\",\"property\":\"hold\",\"value\":true}", 0));
    assert_true(until(f, 10, 15));       // 42 + 10 is above 50: it stops there
    for (int i = 0; i < 25; i++) measure(f);
    assert_float_equal(f->share, 10, 0);
    f->others = 57;                      // somebody else has work to do
    assert_true(until(f, 0, 0));         // 57 + 5 is too much still
    f->others = 44;
    assert_true(until(f, 10, 10));       // 44 + 5 is not enough
    json_decref(gm_served_ask(f->server, "POST", "/v1/desired", "{\"twin\":\"this-load\",\"property\":\"hold\",\"value\":false}", 0));
}

// It works what it says, or less on a machine that has no time left.
static void the_generator_works_as_it_is_told(void **state)
{
    fixture *f = *state;
    wait_for_twins(f);
    json_decref(gm_served_ask(f->server, "POST", "/v1/desired", "{\"twin\":\"this-load\",\"property\":\"share\",\"value\":40}", 0));
    double busy = 0;
    for (gm_dur_ns end = gm_monotonic(gm_clock_system()) + PATIENCE; busy < 1 && gm_monotonic(gm_clock_system()) < end;) {
        json_t *twin = gm_served_ask(f->server, "GET", "/digitaltwins/this-load?api-version=2023-10-31", NULL, 200);
        busy         = json_number_value(json_object_get(twin, "busy"));
        json_decref(twin);
        gm_child_read(f->load, 50);
    }
    assert_true(busy >= 1 && busy <= 80);
    gm_child_kill(f->load);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rules_hold_the_machines_load, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_generator_works_as_it_is_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
