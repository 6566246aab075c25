// The waterworks with a rig that differs from its twin, as two processes: what the twin learns, where it shows it, and what
// can be asked of the record afterwards.
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double WEAR = 0.15, FRICTION = 0.024;  // of the rig; the twin begins with 0 and 0.02

static const char modes[] =
    "{\"estimates\":[{\"name\":\"modes\",\"root\":\"tower\",\"hold\":\"2m\",\"measured\":{\"tower.level\":{\"noise\":0.014},\"vessel.pressure\":{\"noise\":0.02},"
    "\"town.pressure\":{\"noise\":0.01},\"pump1.motor/power\":{\"noise\":0.063},\"pump2.motor/power\":{\"noise\":0.063}},"
    "\"states\":{\"tower.level\":{\"walk\":0.001},\"tower.tank.level\":{\"walk\":0.001},\"town.pressure\":{\"walk\":0.01}},"
    "\"follow\":[{\"signal\":\"pump1.motor/power\",\"above\":1,\"set\":{\"controller.startLevel\":[100,-100],\"controller.stopLevel\":[-100,-100]}},"
    "{\"signal\":\"pump2.motor/power\",\"above\":1,\"set\":{\"controller.assistLevel\":[100,-100]}}],"
    "\"modes\":{\"main leaks\":{\"fault\":\"main.leak\",\"every\":\"7d\"},\"level stuck\":{\"stuck\":\"tower.level\",\"every\":\"7d\"}}}]}";

typedef struct fixture { char dir[256], plant[300], data[320], begin[GM_TIME_TEXT], later[GM_TIME_TEXT]; gm_served *server; gm_child *rig; } fixture;

static int set_up(void **state)
{
    static fixture f;
    char           command[1000];
    f = (fixture){ 0 };
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.plant, sizeof f.plant, "%s/plant", f.dir);
    snprintf(f.data, sizeof f.data, "%s/data", f.plant);
    snprintf(command, sizeof command, "cp -r '%s/examples/pumphouse' '%s'", getenv("GM_SOURCE_ROOT"), f.plant);
    assert_int_equal(system(command), 0);
    // When its pumps run depends on the time of day: this town drinks as much at any hour, so that each run sees the same plant.
    snprintf(command, sizeof command, "sed -i 's/{0.45, 0.35, 0.6, 1.7, 1.3, 1.15, 0.95, 1.1, 1.75, 1.2, 0.45}/fill(1.5, 11)/' %s/behaviors/*.mo && grep -q 'fill(1.5, 11)' %s/behaviors/*.mo",
             f.plant, f.plant);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "%s/estimate/modes.json", f.plant);
    gm_test_write_file(command, gm_str_of(modes));
    f.server = gm_serve(f.plant, f.data, NULL, NULL);
    *state   = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f    = *state;
    int      code = 0;
    if (f->rig != NULL) gm_child_free(f->rig);
    if (f->server != NULL) code = gm_served_stop(f->server);
    gm_test_remove_dir(f->dir);
    return code;
}

// A thousand seconds of the plant in a second, a sample every ten of them, from now on.
static void start_rig(fixture *f, const char *mismatch, const char *count, const char *fault)
{
    char       path[300];
    gm_time_ns now = gm_now(gm_clock_system());
    snprintf(path, sizeof path, "%s/mismatch.json", f->dir);
    gm_test_write_file(path, gm_str_of(mismatch));
    gm_time_format(now, f->begin);
    gm_time_format(now + 50 * GM_MINUTE, f->later);
    f->rig = gm_child_start((const char *const[]){ "rig", f->plant, "--root", "tower", "--speed", "1000", "--interval", "10ms", "--begin", f->begin, "--noise",
                                                   "--count", count, "--mismatch", path, "--mqtt", f->server->mqtt, fault != NULL ? "--fault" : NULL, fault, NULL });
}

static json_t *answer(gm_ran ran)
{
    if (ran.code != 0) fail_msg("exit %d: %s%s", ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err));
    json_t *json = json_loads(GM_TEXT(ran.out), 0, NULL);
    if (json == NULL) fail_msg("no JSON: %s", GM_TEXT(ran.out));
    gm_ran_finish(&ran);
    return json;
}

// The member of a list with that twin and name; borrowed.
static const json_t *find(const json_t *list, const char *twin, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *x = json_array_get(list, i);
        const char   *t = json_string_value(json_object_get(x, "twin")), *n = json_string_value(json_object_get(x, "name"));
        if (t != NULL && n != NULL && strcmp(t, twin) == 0 && strcmp(n, name) == 0) return x;
    }
    return NULL;
}

// The estimate of that name; borrowed from the answer.
static const json_t *entry_of(const json_t *all, const char *name)
{
    const json_t *items = json_object_get(all, "items");
    for (size_t i = 0; i < json_array_size(items); i++) {
        const char *n = json_string_value(json_object_get(json_array_get(items, i), "name"));
        if (n != NULL && strcmp(n, name) == 0) return json_array_get(items, i);
    }
    fail_msg("there is no estimate '%s'", name);
    return NULL;
}

static double number(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

static bool wait_a_little(fixture *f, gm_dur_ns end)
{
    int code;
    gm_child_read(f->rig, 50);
    if (gm_child_ended(f->rig, &code)) fail_msg("the rig ended: %s", GM_TEXT(f->rig->err_text));
    return gm_monotonic(gm_clock_system()) < end;
}

// The rig ends when its samples are acknowledged. Then both are known within 10 %; the answer that says so.
static json_t *learned(fixture *f)
{
    gm_dur_ns end = gm_monotonic(gm_clock_system()) + 180 * GM_SECOND;
    int       code;
    while (!gm_child_ended(f->rig, &code)) {
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("the rig goes on and on");
        gm_child_read(f->rig, 50);
    }
    if (code != 0) fail_msg("the rig ended with %d", code);
    end = gm_monotonic(gm_clock_system()) + 60 * GM_SECOND;
    for (;;) {
        json_t       *all  = answer(GM_RUN("estimate", "--http", f->server->http, "--json"));
        const json_t *x    = entry_of(all, "waterworks"), *list = json_object_get(x, "variables");
        const json_t *wear = find(list, "pump1", "wear"), *friction = find(list, "main", "pipe.f");
        bool          good = fabs(number(wear, "estimate") / WEAR - 1) < 0.1 && fabs(number(friction, "estimate") / FRICTION - 1) < 0.1 &&
                    number(wear, "deviation") < 0.05 * WEAR && number(friction, "deviation") < 0.05 * FRICTION && number(x, "taken") > 1500;
        if (good) return all;
        if (gm_monotonic(gm_clock_system()) > end)
            fail_msg("not learned: wear %g +- %g, friction %g +- %g; %g taken, %g refused, %g late, %g lost, %g restarts", number(wear, "estimate"), number(wear, "deviation"),
                     number(friction, "estimate"), number(friction, "deviation"), number(x, "taken"), number(x, "refused"), number(x, "late"), number(x, "lost"), number(x, "restarts"));
        json_decref(all);
        gm_child_read(f->server->child, 50);
    }
}

// The rig has ended; the filter is soon where the last measurements are, but for the one that it waits for late ones behind.
static void the_twin_shows_what_it_estimates(fixture *f)
{
    gm_dur_ns end = gm_monotonic(gm_clock_system()) + 90 * GM_SECOND;
    for (bool near = false; !near;) {
        json_t       *twin  = answer(GM_RUN("get", "tower", "--http", f->server->http, "--json"));
        const json_t *level = json_object_get(json_object_get(twin, "$metadata"), "level"), *estimate = json_object_get(level, "estimate");
        assert_true(json_is_string(json_object_get(level, "lastUpdateTime")) && json_is_string(json_object_get(level, "sourceTime")));
        assert_true(number(estimate, "deviation") > 0 && number(estimate, "deviation") < 0.1);
        assert_true(isfinite(number(estimate, "innovation")) && number(estimate, "expected") > 0);
        // What nobody estimates has none.
        assert_null(json_object_get(json_object_get(json_object_get(twin, "$metadata"), "area"), "estimate"));
        // Where the rig happened to be killed the last measurement may be one that the filter does not believe; how near the
        // two should be is for the tests of the filter.
        near = fabs(number(estimate, "value") - number(twin, "level")) < 1;
        if (!near && gm_monotonic(gm_clock_system()) > end) {
            char *text = json_dumps(twin, 0);
            fail_msg("no estimate near the level in 90 s: %s", text);
        }
        json_decref(twin);
    }
    gm_ran ran = GM_RUN("estimate", "--http", f->server->http);
    assert_int_equal(ran.code, 0);
    assert_non_null(strstr(GM_TEXT(ran.out), "INNOVATION"));
    gm_ran_finish(&ran);
}

static double at_the_beginning(const json_t *result, const char *output, const char *quantile)
{
    return json_number_value(json_array_get(json_object_get(json_object_get(json_object_get(json_object_get(result, "outputs"), output), "quantiles"), quantile), 0));
}

static void futures_begin_at_the_estimate(fixture *f)
{
    json_t *r = answer(GM_RUN("what-if", f->plant, "--http", f->server->http, "--root", "tower", "--from-estimate", "--horizon", "10min", "--step", "2s", "--lanes",
                              "512", "--points", "2", "--outputs", "tower.level,pump1.wear", "--json"));
    double low = at_the_beginning(r, "pump1.wear", "0.05"), high = at_the_beginning(r, "pump1.wear", "0.95");
    assert_true(low < high && low > 0.8 * WEAR && high < 1.2 * WEAR);  // the state says 0 to this day
    assert_true(at_the_beginning(r, "tower.level", "0.05") < at_the_beginning(r, "tower.level", "0.95"));
    assert_int_equal(json_integer_value(json_object_get(r, "diverged")), 0);
    json_decref(r);
    gm_ran ran = GM_RUN("what-if", f->plant, "--http", f->server->http, "--root", "tower", "--from-estimate", "--as-of", "2026-01-01T00:00:00Z", "--outputs", "tower.level");
    assert_int_equal(ran.code, 1);
    assert_non_null(strstr(GM_TEXT(ran.err), "asOf"));
    gm_ran_finish(&ran);
}

// The same of the running server, by its API: the last point agrees with the filter's own.
static void the_api_looks_back(fixture *f)
{
    json_t       *r     = answer(GM_RUN("estimate", "--http", f->server->http, "--name", "waterworks", "--smooth", "--every", "5m", "--json"));
    const json_t *parts = json_object_get(r, "parts"), *points = json_object_get(r, "points"), *wear = find(parts, "pump1", "pump1.wear");
    size_t        place = 0;
    while (place < json_array_size(parts) && json_array_get(parts, place) != wear) place++;
    assert_true(place < json_array_size(parts) && json_array_size(points) >= 2);
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *p = json_array_get(points, i);
        double value = json_number_value(json_array_get(json_array_get(p, 1), place)), deviation = json_number_value(json_array_get(json_array_get(p, 2), place));
        // Before the first pump has run, too, more is known than the 0.1 that the entry says: that is what looking back is for.
        bool last = i + 1 == json_array_size(points);
        if (!(deviation > 0 && deviation < 0.05) || (last && !(fabs(value / WEAR - 1) < 0.1))) fail_msg("point %zu: %g +- %g", i, value, deviation);
    }
    json_decref(r);
}

static void history_is_looked_back_upon(fixture *f)
{
    gm_ran      ran = GM_RUN("estimate", f->plant, "--name", "waterworks", "--smooth", "--every", "2m");
    const char *row = GM_TEXT(ran.out);
    if (ran.code != 0) fail_msg("%s", GM_TEXT(ran.err));
    size_t column = 0, rows = 0;
    gm_str rest = gm_str_of(row), line, cell;
    assert_true(gm_str_next(&rest, '\n', &line));
    for (size_t i = 0; gm_str_next(&line, ',', &cell); i++)
        if (gm_str_is(cell, "pump1.wear")) column = i;
    assert_true(column > 0);
    double wear = NAN, deviation = NAN;
    for (; gm_str_next(&rest, '\n', &line) && line.len > 0; rows++) {
        for (size_t i = 0; gm_str_next(&line, ',', &cell); i++) {
            if (i == column) wear = strtod(cell.ptr, NULL);
            if (i == column + 1) deviation = strtod(cell.ptr, NULL);
        }
        if (!(deviation > 0 && deviation < 0.05)) fail_msg("row %zu: wear %g +- %g", rows, wear, deviation);
    }
    if (!(fabs(wear / WEAR - 1) < 0.1)) fail_msg("the last of %zu rows: wear %g +- %g", rows, wear, deviation);
    assert_true(rows >= 3);
    gm_ran_finish(&ran);
    ran = GM_RUN("estimate", f->plant, "--name", "waterworks", "--smooth", "--lag", "30m", "--every", "10m", "--plot", "tower.level,pump1.wear");
    assert_int_equal(ran.code, 0);
    assert_true(strlen(GM_TEXT(ran.out)) > 500);
    gm_ran_finish(&ran);
    ran = GM_RUN("estimate", f->plant, "--name", "waterworks", "--smooth", "--plot", "tower.mood");
    assert_int_equal(ran.code, 1);
    gm_ran_finish(&ran);
    ran = GM_RUN("estimate", f->plant, "--name", "waterworks", "--from", "2026-01-01T00:00:00Z", "--csv");
    assert_int_equal(ran.code, 0);
    assert_non_null(strstr(GM_TEXT(ran.out), "main.pipe.f"));
    gm_ran_finish(&ran);
}

static double wear_of_the_twin(fixture *f)
{
    gm_ran ran   = GM_RUN("get", "pump1", "wear", "--http", f->server->http);
    double value = ran.code == 0 ? strtod(GM_TEXT(ran.out), NULL) : NAN;
    gm_ran_finish(&ran);
    return value;
}

// Proposed with its evidence, and applied when accepted; from the first fifty minutes, in which the pump starts.
static void a_calibration_is_proposed_and_applied(fixture *f)
{
    for (int accepted = 0; accepted < 2; accepted++) {
        json_t *r = answer(accepted ? GM_RUN("calibrate", f->plant, "--name", "waterworks", "--from", f->begin, "--to", f->later, "--starts", "2", "--json",
                                             "--params", "pump1.wear", "--apply")
                                    : GM_RUN("calibrate", f->plant, "--name", "waterworks", "--from", f->begin, "--to", f->later, "--starts", "2", "--json",
                                             "--params", "pump1.wear,main.pipe.f"));
        const json_t *p = json_array_get(json_object_get(r, "parameters"), 0);
        if (!accepted) {
            assert_true(fabs(number(p, "after") / WEAR - 1) < 0.1 && number(p, "low") < number(p, "after") && number(p, "after") < number(p, "high"));
            if (!(number(r, "rmsAfter") < 6 && number(r, "rmsBefore") > 3 * number(r, "rmsAfter")))
                fail_msg("residuals %g before, %g after", number(r, "rmsBefore"), number(r, "rmsAfter"));
            assert_true(json_is_true(json_object_get(r, "converged")) && json_array_size(json_object_get(r, "unlearned")) == 0);
        }
        double after = number(p, "after");
        json_decref(r);
        f->server   = gm_serve(f->plant, f->data, NULL, NULL);
        double wear = wear_of_the_twin(f);
        if (!(fabs(wear - (accepted ? after : 0)) < 1e-6)) fail_msg("the twin's wear is %g, calibrated to %g", wear, after);
        gm_ran told = GM_RUN("thread", "show", "pump1", "--phase", "as-operated", "--json", "--http", f->server->http);  // and the thread knows of it
        assert_int_equal(strstr(GM_TEXT(told.out), "calibration") != NULL, accepted);
        gm_ran_finish(&told);
        int code  = gm_served_stop(f->server);
        f->server = NULL;
        assert_int_equal(code, 0);
    }
    // What is no property can not be kept: nothing is written.
    gm_ran ran = GM_RUN("calibrate", f->plant, "--name", "waterworks", "--from", f->begin, "--to", f->later, "--params", "main.pipe.f", "--apply");
    assert_int_equal(ran.code, 1);
    assert_non_null(strstr(GM_TEXT(ran.err), "no property"));
    gm_ran_finish(&ran);
}

static void a_worn_pump_is_found_and_kept(void **state)
{
    fixture *f = *state;
    // Before anything was measured there is nothing to begin at.
    gm_ran ran = GM_RUN("what-if", f->plant, "--http", f->server->http, "--root", "tower", "--from-estimate", "--outputs", "tower.level");
    assert_int_equal(ran.code, 1);
    assert_non_null(strstr(GM_TEXT(ran.err), "no estimate"));
    gm_ran_finish(&ran);
    start_rig(f, "{\"pump1.wear\":0.15,\"main.pipe.f\":{\"factor\":1.2}}", "400", NULL);
    json_decref(learned(f));
    gm_child_free(f->rig);
    f->rig = NULL;
    the_twin_shows_what_it_estimates(f);
    futures_begin_at_the_estimate(f);
    the_api_looks_back(f);
    int code  = gm_served_stop(f->server);
    f->server = NULL;
    assert_int_equal(code, 0);
    history_is_looked_back_upon(f);
    a_calibration_is_proposed_and_applied(f);
}

// The tower is half as wide as its twin believes, and that is nothing it may learn.
static void a_model_that_no_longer_fits_is_told(void **state)
{
    fixture *f = *state;
    start_rig(f, "{\"tower.area\":{\"factor\":0.5}}", "100000", NULL);
    gm_dur_ns end = gm_monotonic(gm_clock_system()) + 90 * GM_SECOND;
    for (bool told = false; !told;) {
        gm_ran ran = GM_RUN("anomalies", "tower", "--http", f->server->http, "--json");
        told       = ran.code == 0 && strstr(GM_TEXT(ran.out), "waterworks: the model no longer fits") != NULL;
        if (!told && !wait_a_little(f, end)) fail_msg("not told in 90 s: %s", GM_TEXT(ran.out));
        gm_ran_finish(&ran);
    }
    json_t *all = answer(GM_RUN("estimate", "--http", f->server->http, "--json"));
    assert_true(number(entry_of(all, "waterworks"), "nis") > 1);
    json_decref(all);
}

static void a_leak_is_a_mode_of_the_plant(void **state)
{
    fixture *f = *state;
    start_rig(f, "{}", "100000", "main.leak@40m");
    gm_dur_ns end = gm_monotonic(gm_clock_system()) + 90 * GM_SECOND;
    for (bool told = false; !told;) {
        json_t       *all  = answer(GM_RUN("estimate", "--http", f->server->http, "--json"));
        const json_t *list = json_object_get(entry_of(all, "modes"), "modes"), *leaks = json_array_get(list, 1), *stuck = json_array_get(list, 2);
        assert_string_equal(json_string_value(json_object_get(leaks, "name")), "main leaks");
        told = json_is_true(json_object_get(leaks, "told"));
        assert_false(json_is_true(json_object_get(stuck, "told")));
        if (told) assert_true(json_is_string(json_object_get(leaks, "since")));
        if (!told && !wait_a_little(f, end)) {
            char *text = json_dumps(all, 0);
            fail_msg("not told in 90 s: %s", text);
        }
        json_decref(all);
    }
    gm_ran ran = GM_RUN("anomalies", "tower", "--http", f->server->http);
    assert_non_null(strstr(GM_TEXT(ran.out), "mode main leaks"));
    gm_ran_finish(&ran);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_worn_pump_is_found_and_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_model_that_no_longer_fits_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_leak_is_a_mode_of_the_plant, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
