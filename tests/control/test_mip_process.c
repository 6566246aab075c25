// A solve in a process of its own: what comes back, and what happens when it does not. The library's place is taken by one that does as
// it is told.
#include "control/maintain/mip.h"

#include "control/control_rig.h"
#include "control/maintain/maintenance.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

typedef enum deed { ANSWER, REFUSE, CRASH, LEAVE, HANG } deed;
static deed told;

bool gm_mip_available(void) { return true; }

gm_status gm_mip_require(gm_error *err)
{
    (void)err;
    return GM_OK;
}

gm_status gm_mip_solve_here(const gm_mip *m, const gm_mip_limits *limits, double *values, gm_mip_report *out, gm_error *err)
{
    if (told == CRASH) abort();
    if (told == LEAVE) _exit(3);
    while (told == HANG) pause();
    if (told == REFUSE) return gm_fail(err, GM_DIVERGED, "test", "lost in %zu columns", m->column_count);
    for (size_t j = 0; j < m->column_count; j++) values[j] = (double)j / 3;
    *out = (gm_mip_report){ GM_MIP_OPTIMAL, limits->seconds, -1.5 };
    return GM_OK;
}

typedef struct wanting { int asked, until; } wanting;  // until: stops at so many questions; 0: never

static bool stop_at(void *context)
{
    wanting *w = context;
    return ++w->asked == w->until;
}

enum { COLUMNS = 30000 };  // more than a pipe holds

static gm_status solve(deed what, double seconds, wanting *w, double *values, gm_mip_report *out, gm_error *err)
{
    gm_mip      m    = gm_mip_init(gm_alloc_system());
    gm_mip_stop stop = { stop_at, w };
    for (int j = 0; j < COLUMNS; j++) (void)gm_mip_column(&m, 1, 0, 1, true);
    told         = what;
    gm_status st = gm_mip_solve(&m, &(gm_mip_limits){ seconds, 0, &stop }, values, out, err);
    gm_mip_finish(&m);
    return st;
}

static void an_answer_comes_back_as_it_was_found(void **state)
{
    (void)state;
    static double values[COLUMNS];
    wanting       w   = { 0 };
    gm_error      err = { 0 };
    gm_mip_report report;
    assert_gm_ok(solve(ANSWER, 17, &w, values, &report, &err), err);
    assert_true(report.end == GM_MIP_OPTIMAL && report.cost == 17 && report.bound == -1.5);
    for (int j = 0; j < COLUMNS; j++) assert_true(values[j] == (double)j / 3);
    assert_true(w.asked > 0);
    assert_int_equal(solve(REFUSE, 17, &w, values, &report, &err), GM_DIVERGED);
    assert_string_equal(err.text, "lost in 30000 columns");
}

static void a_library_that_crashes_is_a_failed_solve(void **state)
{
    (void)state;
    static double values[COLUMNS];
    wanting       w   = { 0 };
    gm_error      err = { 0 };
    gm_mip_report report;
    assert_int_equal(solve(CRASH, 17, &w, values, &report, &err), GM_DIVERGED);
    assert_non_null(strstr(err.text, "ended without an answer (signal"));
    assert_int_equal(solve(LEAVE, 17, &w, values, &report, &err), GM_DIVERGED);
    assert_non_null(strstr(err.text, "(code 3)"));
}

// It would never end by itself: that the calls below return is what is tested.
static void a_library_that_does_not_listen_is_ended(void **state)
{
    (void)state;
    static double values[COLUMNS];
    wanting       stopped = { .until = 5 }, patient = { 0 };
    gm_error      err     = { 0 };
    gm_mip_report report;
    assert_int_equal(solve(HANG, 600, &stopped, values, &report, &err), GM_CANCELLED);
    assert_int_equal(stopped.asked, 5);
    assert_gm_ok(solve(HANG, -9.95, &patient, values, &report, &err), err);  // a limit that has nearly used up the patience that comes on top
    assert_int_equal(report.end, GM_MIP_NOTHING);
}

// A plant that stops while maintenance is planned, within ten minutes if need be: stopping waits for nobody.
static void stopping_a_plant_ends_the_search(void **state)
{
    (void)state;
    static const char file[] = "{\"maintenance\":[{\"name\":\"pumps\",\"horizon\":\"10d\",\"window\":\"1d\",\"timeLimit\":\"10min\",\"assets\":[{\"of\":\"SELECT * FROM DIGITALTWINS\","
                               "\"work\":\"w\",\"cost\":1,\"life\":{\"mean\":100},\"failure\":{\"cost\":9}}]}]}";
    control_rig            r = { 0 };
    gm_maintenance        *m;
    gm_pool               *pool;
    size_t                 which;
    gm_pool_options        o   = { .threads = 1, .jobs_max = 2 };
    gm_maintenance_how     how = gm_maintenance_how_defaults();
    const gm_control_file  files[] = { { GM_STR("rules/pumps.maintenance"), gm_str_of(file) } };
    control_rig_start(&r);
    control_rig_models(&r, "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Pump;1\",\"@type\":\"Interface\"}]");
    control_rig_twin(&r, "pump1", "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"}}");
    gm_maintenance_options options = { .alloc = gm_alloc_system(), .clock = &r.clock, .engine = r.engine };
    assert_gm_ok(gm_maintenance_create(&options, &m, &r.err), r.err);
    assert_gm_ok(gm_maintenance_set(m, files, 1, &which, &r.err), r.err);
    assert_gm_ok(gm_pool_create(gm_alloc_system(), r.loop, &o, &pool, &r.err), r.err);
    gm_maintenance_start(m, pool);
    told = HANG;
    assert_gm_ok(gm_maintenance_make(m, 0, &how, &r.err), r.err);
    assert_true(gm_maintenance_at(m, 0).running);
    gm_pool_destroy(pool);
    assert_false(gm_maintenance_at(m, 0).running || gm_maintenance_at(m, 0).made);
    gm_maintenance_stop(m);
    gm_maintenance_destroy(m);
    control_rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_comes_back_as_it_was_found),
        cmocka_unit_test(a_library_that_crashes_is_a_failed_solve),
        cmocka_unit_test(a_library_that_does_not_listen_is_ended),
        cmocka_unit_test(stopping_a_plant_ends_the_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
