#include "insight/live/insight.h"

#include "base/rng.h"
#include "insight/learn/registry.h"
#include "insight/live/lookout.h"
#include "support/files.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <math.h>
#include <stdio.h>

static const char models[] =
    "{\"@id\":\"dtmi:t:Engine;1\",\"@type\":\"Interface\",\"@context\":\"dtmi:dtdl:context;3\",\"contents\":["
    "{\"@type\":\"Telemetry\",\"name\":\"speed\",\"schema\":\"double\"},{\"@type\":\"Telemetry\",\"name\":\"heat\",\"schema\":\"double\"},"
    "{\"@type\":\"Telemetry\",\"name\":\"load\",\"schema\":\"double\"},{\"@type\":\"Telemetry\",\"name\":\"rul\",\"schema\":\"double\"},"
    "{\"@type\":\"Telemetry\",\"name\":\"health\",\"schema\":\"double\"},"
    "{\"@type\":\"Telemetry\",\"name\":\"sure\",\"schema\":\"double\"},{\"@type\":\"Telemetry\",\"name\":\"version\",\"schema\":\"double\"},"
    "{\"@type\":\"Property\",\"name\":\"failed\",\"schema\":\"boolean\",\"writable\":true}]}";

static const char wanted[] =
    "{\"remainingLife\":[{\"name\":\"life\",\"interface\":\"dtmi:t:Engine;1\",\"model\":\"insight/life\",\"sensors\":[\"speed\",\"heat\"],"
    "\"into\":{\"rul\":\"rul\",\"health\":\"health\",\"sure\":\"sure\",\"version\":\"version\"},"
    "\"retrain\":{\"failed\":\"failed\",\"every\":\"30d\"}}],"
    "\"anomalies\":[{\"name\":\"bond\",\"interface\":\"dtmi:t:Engine;1\",\"how\":\"together\",\"properties\":[\"speed\",\"load\"],"
    "\"learn\":100,\"window\":5,\"threshold\":2}]}";

enum { SPEED, HEAT, LOAD, RUL, HEALTH, SURE, VERSION, FAILED };

typedef struct rig {
    char          dir[256], data[300];
    gm_loop      *loop;
    gm_engine    *engine;
    gm_insight   *insight;
    gm_pool      *pool;
    gm_time_ns    now;   // of the calendar; fake
    gm_clock      clock;
    gm_error      err;
} rig;

static gm_time_ns fake_now(void *context) { return ((rig *)context)->now; }
static gm_dur_ns  real_monotonic(void *context) { (void)context; return gm_monotonic(gm_clock_system()); }

static void start(rig *r)
{
    gm_engine_options o = { .alloc = gm_alloc_system(), .io = gm_io_system(), .clock = gm_clock_system(), .data_dir = r->data,
                            .log = gm_log_options_defaults() };
    gm_pool_options   p = { .threads = 1, .jobs_max = 8 };
    assert_gm_ok(gm_loop_create(o.alloc, o.clock, &r->loop, &r->err), r->err);
    o.loop = r->loop;
    assert_gm_ok(gm_engine_open(&o, &r->engine, &r->err), r->err);
    gm_insight_options i = { .alloc = o.alloc, .io = o.io, .engine = r->engine, .plant = gm_str_of(r->dir), .clock = &r->clock };
    r->clock = (gm_clock){ .context = r, .now = fake_now, .monotonic = real_monotonic };
    assert_gm_ok(gm_insight_create(&i, &r->insight, &r->err), r->err);
    assert_gm_ok(gm_engine_recover(r->engine, &r->err), r->err);
    assert_gm_ok(gm_pool_create(o.alloc, r->loop, &p, &r->pool, &r->err), r->err);
    assert_gm_ok(gm_insight_start(r->insight, r->pool, &r->err), r->err);
}

static void stop(rig *r)
{
    gm_pool_destroy(r->pool);
    gm_insight_stop(r->insight);
    gm_engine_close(r->engine);
    gm_insight_destroy(r->insight);
    gm_loop_destroy(r->loop);
}

static void wake(void *context) { *(gm_timer **)context = NULL; }  // it is released when it has fired

// Turns until nothing is under way any more.
static void settle(rig *r)
{
    gm_dur_ns end = gm_monotonic(gm_clock_system()) + 30 * GM_SECOND;
    assert_gm_ok(gm_engine_settle(r->engine, &r->err), r->err);
    for (int i = 0;; i++) {
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("%" PRIu64 " predictions wait after 30 s", gm_insight_statistics(r->insight).waiting);
        gm_timer *timer = NULL;
        assert_gm_ok(gm_loop_after(r->loop, 5 * GM_MILLISECOND, wake, &timer, &timer, &r->err), r->err);
        assert_gm_ok(gm_loop_turn(r->loop, &r->err), r->err);
        gm_loop_cancel(timer);
        gm_insight_stats now = gm_insight_statistics(r->insight);
        if (now.waiting == 0 && !now.busy && i > 20) break;
    }
    assert_gm_ok(gm_engine_settle(r->engine, &r->err), r->err);
}

static void row_of(uint32_t unit, uint32_t i, uint32_t life, double *v)
{
    double wear = exp(4.0 * ((double)i / life - 1));
    v[SPEED]    = 500 + 10 * wear + gm_rng_normal(unit, 0, 0, i);
    v[HEAT]     = 3 - 2 * wear + 0.2 * gm_rng_normal(unit, 0, 1, i);
    v[LOAD]     = 2 * v[SPEED] + 0.1 * gm_rng_normal(unit, 0, 2, i);
}

static void send_row(rig *r, gm_twin twin, uint32_t i, const double *v)
{
    gm_cell_write cells[3];
    for (uint16_t c = 0; c < 3; c++)
        cells[c] = (gm_cell_write){ .column = c, .at = (i + 1) * GM_HOUR, .value = { .kind = GM_KIND_DOUBLE, .d = v[c] } };
    assert_gm_ok(gm_engine_write(r->engine, twin, 0, cells, 3, (gm_ask){ 0 }, &r->err), r->err);
}

static void train(rig *r)
{
    char                     dir[320];
    gm_fleet                 f = gm_fleet_init(gm_alloc_system(), 0, 2);
    gm_rul_options           o = gm_rul_options_defaults();
    gm_rul_model            *m = NULL;
    gm_registry              registry;
    const gm_registry_entry *e;
    gm_arena                *arena = gm_arena_create(gm_alloc_system(), 0);
    o.folds                        = 3;
    o.boost.rounds                 = 30;
    o.boost.rate                   = 0.2;
    snprintf(dir, sizeof dir, "%s/insight/life", r->dir);
    for (uint32_t u = 1; u <= 12; u++) {
        uint32_t life = 120 + 10 * u;
        assert_gm_ok(gm_fleet_begin(&f, u, 0, &r->err), r->err);
        for (uint32_t i = 0; i < life; i++) {
            double v[3];
            row_of(u, i, life, v);
            assert_gm_ok(gm_fleet_add(&f, v, &r->err), r->err);
        }
    }
    assert_gm_ok(gm_rul_train(gm_alloc_system(), &f, &o, 1, &m, &r->err), r->err);
    assert_gm_ok(gm_registry_load(gm_io_system(), dir, arena, &registry, &r->err), r->err);
    assert_gm_ok(gm_registry_challenge(gm_io_system(), dir, arena, &registry, m, &f, GM_STR("t"), GM_SECOND, 1, &e, &r->err), r->err);
    gm_rul_destroy(m);
    gm_fleet_finish(&f);
    gm_arena_destroy(arena);
}

static void prepare(rig *r)
{
    char path[320];
    *r = (rig){ 0 };
    gm_test_make_dir(r->dir, sizeof r->dir);
    snprintf(r->data, sizeof r->data, "%s/data", r->dir);
    snprintf(path, sizeof path, "%s/insight/t.json", r->dir);
    gm_test_write_file(path, gm_str_of(wanted));
}

static gm_twin put_twin(rig *r, const char *id)
{
    gm_twin twin;
    assert_gm_ok(gm_engine_twin_put(r->engine, (gm_twin){ GM_NONE }, gm_str_of(id), gm_model_find(gm_engine_model(r->engine), GM_STR("dtmi:t:Engine;1")),
                                    NULL, 0, (gm_ask){ 0 }, &twin, &r->err), r->err);
    assert_gm_ok(gm_engine_settle(r->engine, &r->err), r->err);
    return twin;
}

static void predictions_become_the_twins_own_and_come_back_after_a_restart(void **state)
{
    (void)state;
    if (!gm_boost_available()) return;
    rig r;
    prepare(&r);
    train(&r);
    start(&r);
    assert_gm_ok(gm_engine_submit(r.engine, GM_CHANGE_MODELS, 0, (gm_str){ 0 }, (gm_str){ 0 }, gm_str_of(models), (gm_ask){ 0 }, &r.err), r.err);
    assert_gm_ok(gm_engine_settle(r.engine, &r.err), r.err);
    gm_twin young = put_twin(&r, "young"), old = put_twin(&r, "old");
    for (uint32_t i = 0; i < 140; i++) {
        double v[3];
        row_of(77, i, 400, v);
        send_row(&r, young, i, v);
        row_of(78, i, 150, v);
        send_row(&r, old, i, v);
        if (i % 50 == 0) settle(&r);
    }
    settle(&r);
    const gm_insight_life *lives;
    assert_int_equal(gm_insight_lives(r.insight, &lives), 2);
    assert_int_equal(lives[0].twin.v, old.v);  // ranked by risk
    assert_true(lives[0].predicted.rul < 30);
    assert_true(lives[1].predicted.rul > 80);
    assert_true(lives[0].predicted.low[GM_RUL_90] <= 10 && lives[0].predicted.high[GM_RUL_90] >= 10);  // the truth is 10
    assert_int_equal(lives[0].rows, 140);
    assert_int_equal(lives[0].at, 140 * GM_HOUR);
    assert_int_equal(lives[0].version, 1);
    assert_true(lives[0].similar_count > 0);
    gm_cell cell;
    gm_state_get(gm_engine_state(r.engine), old, RUL, &cell);
    assert_int_equal(cell.value.kind, GM_KIND_DOUBLE);
    assert_true(fabs(cell.value.d - lives[0].predicted.rul) <= 0.005);
    gm_state_get(gm_engine_state(r.engine), old, SURE, &cell);
    assert_true(cell.value.d >= lives[0].predicted.rul && cell.value.d <= lives[0].predicted.high[GM_RUL_90] + 0.005);
    gm_state_get(gm_engine_state(r.engine), old, VERSION, &cell);
    assert_float_equal(cell.value.d, 1, 0);
    assert_int_equal(cell.source, 140 * GM_HOUR);
    double before = lives[0].predicted.rul;

    stop(&r);
    start(&r);
    settle(&r);
    assert_int_equal(gm_insight_lives(r.insight, &lives), 2);
    assert_true(fabs(lives[0].predicted.rul - before) < 1e-9);
    // A deleted twin is no longer predicted.
    assert_gm_ok(gm_engine_twin_delete(r.engine, old, (gm_ask){ 0 }, &r.err), r.err);
    settle(&r);
    assert_int_equal(gm_insight_lives(r.insight, &lives), 1);
    stop(&r);
    gm_test_remove_dir(r.dir);
}

// ---- retraining -----------------------------------------------------------------------------------------------------

static void fail_twin(rig *r, gm_twin twin)
{
    gm_cell_write cell = { .column = FAILED, .at = 900 * GM_HOUR, .value = { .kind = GM_KIND_BOOL, .i = 1 } };
    assert_gm_ok(gm_engine_write(r->engine, twin, 0, &cell, 1, (gm_ask){ 0 }, &r->err), r->err);
}

// A whole life of a kind that the first model was not made for: wear shows with the other sign.
static void live_and_die(rig *r, uint32_t unit)
{
    char     id[20];
    uint32_t life = 100 + 7 * (unit % 9);
    snprintf(id, sizeof id, "unit%u", unit);
    gm_twin twin = put_twin(r, id);
    for (uint32_t i = 0; i < life; i++) {
        double v[3];
        row_of(unit, i, life, v);
        v[SPEED] = 1000 - v[SPEED];
        v[HEAT]  = 6 - v[HEAT];
        send_row(r, twin, i, v);
        if (i % 60 == 59) assert_gm_ok(gm_engine_settle(r->engine, &r->err), r->err);
    }
    fail_twin(r, twin);
    assert_gm_ok(gm_engine_settle(r->engine, &r->err), r->err);
}

static gm_insight_model model_of(const rig *r)
{
    gm_insight_model m;
    assert_true(gm_insight_model_at(r->insight, 0, &m));
    assert_false(gm_insight_model_at(r->insight, 1, &m));
    assert_true(gm_insight_model_at(r->insight, 0, &m));
    return m;
}

// Turns until a verdict stands that contains the text.
static void expect_verdict(rig *r, const char *says)
{
    gm_dur_ns end = gm_monotonic(gm_clock_system()) + 120 * GM_SECOND;
    for (;;) {
        gm_insight_model m = model_of(r);
        if (!m.retraining && strstr(m.verdict, says) != NULL) break;
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("'%s' was expected, the verdict is '%s'", says, m.verdict);
        gm_timer *timer = NULL;
        assert_gm_ok(gm_loop_after(r->loop, 5 * GM_MILLISECOND, wake, &timer, &timer, &r->err), r->err);
        assert_gm_ok(gm_loop_turn(r->loop, &r->err), r->err);
        gm_loop_cancel(timer);
    }
    settle(r);
}

static void a_challenger_is_trained_when_its_time_has_come_and_used_when_it_wins(void **state)
{
    (void)state;
    if (!gm_boost_available()) return;
    rig r;
    prepare(&r);
    train(&r);  // version 1, as of one second after the epoch
    r.now = 10 * GM_HOUR;
    start(&r);
    assert_gm_ok(gm_engine_submit(r.engine, GM_CHANGE_MODELS, 0, (gm_str){ 0 }, (gm_str){ 0 }, gm_str_of(models), (gm_ask){ 0 }, &r.err), r.err);
    assert_gm_ok(gm_engine_settle(r.engine, &r.err), r.err);
    for (uint32_t u = 1; u <= 12; u++) live_and_die(&r, u);
    settle(&r);
    assert_string_equal(model_of(&r).verdict, "");  // not yet
    assert_int_equal(model_of(&r).version, 1);

    r.now += 31 * 24 * GM_HOUR;
    gm_insight_retrain_look(r.insight);
    expect_verdict(&r, "version 2: in use");
    assert_int_equal(model_of(&r).version, 2);
    // All are predicted anew, by the new one.
    const gm_insight_life *lives;
    size_t                 n = gm_insight_lives(r.insight, &lives);
    assert_int_equal(n, 12);
    for (size_t i = 0; i < n; i++) assert_int_equal(lives[i].version, 2);

    // The next time nobody new has failed.
    r.now += 31 * 24 * GM_HOUR;
    gm_insight_retrain_look(r.insight);
    expect_verdict(&r, "nothing to learn");
    assert_int_equal(model_of(&r).version, 2);
    stop(&r);
    start(&r);
    settle(&r);
    assert_int_equal(model_of(&r).version, 2);
    stop(&r);
    gm_test_remove_dir(r.dir);
}

static void drift_is_noticed_at_the_failures_and_a_model_that_holds_is_left_alone(void **state)
{
    (void)state;
    if (!gm_boost_available()) return;
    rig    r;
    char   path[320], text[4000];
    gm_str file = gm_str_of(wanted);
    prepare(&r);
    size_t at = gm_str_find(file, GM_STR("\"every\":\"30d\""));
    assert_int_not_equal(at, SIZE_MAX);
    snprintf(text, sizeof text, "%.*s\"drift\":3%s", (int)at, wanted, wanted + at + strlen("\"every\":\"30d\""));
    snprintf(path, sizeof path, "%s/insight/t.json", r.dir);
    gm_test_write_file(path, gm_str_of(text));
    train(&r);
    start(&r);
    assert_gm_ok(gm_engine_submit(r.engine, GM_CHANGE_MODELS, 0, (gm_str){ 0 }, (gm_str){ 0 }, gm_str_of(models), (gm_ask){ 0 }, &r.err), r.err);
    assert_gm_ok(gm_engine_settle(r.engine, &r.err), r.err);
    // One of the kind that the model knows.
    gm_twin twin = put_twin(&r, "same");
    for (uint32_t i = 0; i < 150; i++) {
        double v[3];
        row_of(300, i, 150, v);
        send_row(&r, twin, i, v);
    }
    fail_twin(&r, twin);
    settle(&r);
    expect_verdict(&r, "not needed: error");
    assert_int_equal(model_of(&r).version, 1);
    for (uint32_t u = 1; u <= 12; u++) live_and_die(&r, u);
    settle(&r);
    for (int i = 0; i < 3 && model_of(&r).version == 1; i++) expect_verdict(&r, "");
    assert_true(model_of(&r).version > 1);
    stop(&r);
    gm_test_remove_dir(r.dir);
}

static void an_anomaly_is_told_once_named_and_ended(void **state)
{
    (void)state;
    rig r;
    prepare(&r);
    start(&r);
    // No model was trained: the plant serves nevertheless and says what is missing.
    assert_non_null(strstr(gm_insight_statistics(r.insight).trouble, "gemel train"));
    assert_gm_ok(gm_engine_submit(r.engine, GM_CHANGE_MODELS, 0, (gm_str){ 0 }, (gm_str){ 0 }, gm_str_of(models), (gm_ask){ 0 }, &r.err), r.err);
    assert_gm_ok(gm_engine_settle(r.engine, &r.err), r.err);
    gm_twin twin = put_twin(&r, "pump");
    for (uint32_t i = 0; i < 400; i++) {
        double v[3] = { 500 + gm_rng_normal(5, 0, 0, i), 1, 0 };
        v[LOAD]     = 2 * v[SPEED] + 0.1 * gm_rng_normal(5, 0, 2, i);
        if (i >= 200 && i < 260) v[LOAD] += 3;  // the bond breaks: within what load does anyway
        send_row(&r, twin, i, v);
        if (i == 230) {
            settle(&r);
            assert_int_equal(gm_anomalies_count(gm_insight_anomalies(r.insight)), 1);
            gm_anomaly a = gm_anomalies_at(gm_insight_anomalies(r.insight), 0);
            assert_true(a.open);
            assert_true(gm_str_is(a.twin, "pump") && gm_str_is(a.detector, "bond"));
            assert_int_not_equal(gm_str_find(a.text, GM_STR("\"end\":null")), SIZE_MAX);
            assert_int_not_equal(gm_str_find(a.text, GM_STR("\"property\":\"load\"")), SIZE_MAX);
        }
        if (i == 130) {  // learned; a restart forgets nothing
            settle(&r);
            stop(&r);
            start(&r);
        }
    }
    settle(&r);
    const gm_anomalies *all = gm_insight_anomalies(r.insight);
    assert_int_equal(gm_anomalies_total(all), 1);
    gm_anomaly a = gm_anomalies_at(all, 0);
    assert_false(a.open);
    assert_int_equal(gm_str_find(a.text, GM_STR("\"end\":null")), SIZE_MAX);
    stop(&r);
    start(&r);  // folded from the log
    assert_int_equal(gm_anomalies_total(gm_insight_anomalies(r.insight)), 1);
    assert_false(gm_anomalies_at(gm_insight_anomalies(r.insight), 0).open);
    stop(&r);
    gm_test_remove_dir(r.dir);
}

static void wrong_files_are_told_by_name(void **state)
{
    (void)state;
#define LIFE "{\"remainingLife\":[{\"name\":\"a\",\"interface\":\"i\",\"sensors\":[\"p\"],\"model\":\"m\","
    static const struct { const char *text, *says; } cases[] = {
        { "[]", "object" },
        { "{\"x\":[]}", "there is no \"x\"" },
        { "{\"anomalies\":[{\"name\":\"a\",\"interface\":\"i\",\"how\":\"sideways\",\"properties\":[\"p\"]}]}", "together" },
        { "{\"anomalies\":[{\"name\":\"a\",\"interface\":\"i\",\"how\":\"each\",\"properties\":[]}]}", "no property" },
        { "{\"anomalies\":[{\"name\":\"a\",\"interface\":\"i\",\"how\":\"each\",\"properties\":[\"p\"],\"learn\":3}]}", "learn" },
        { "{\"anomalies\":[{\"name\":\"a\",\"interface\":\"i\",\"how\":\"each\",\"properties\":[\"p\"],\"lern\":300}]}", "lern" },
        { "{\"remainingLife\":[{\"name\":\"a\",\"interface\":\"i\",\"sensors\":[\"p\"],\"model\":\"../x\"}]}", "inside" },
        { "{\"remainingLife\":[{\"name\":\"a\",\"interface\":\"i\",\"sensors\":[\"p\"]}]}", "model" },
        { "{\"remainingLife\":[{\"name\":\"a\",\"sensors\":[\"p\"]}]}", "interface" },
        { LIFE "\"into\":{\"rull\":\"x\"}}]}", "rull" },
        { LIFE "\"retrain\":7}]}", "is an object" },
        { LIFE "\"retrain\":{\"every\":\"30d\"}}]}", "needs \"failed\"" },
        { LIFE "\"retrain\":{\"failed\":\"f\"}}]}", "says when" },
        { LIFE "\"retrain\":{\"failed\":\"f\",\"every\":\"soon\"}}]}", "30d" },
        { LIFE "\"retrain\":{\"failed\":\"f\",\"every\":\"1s\"}}]}", "minute" },
        { LIFE "\"retrain\":{\"failed\":\"f\",\"drift\":0.5}}]}", "drift" },
        { LIFE "\"retrain\":{\"failed\":\"f\",\"often\":true}}]}", "often" },
    };
#undef LIFE
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_arena   *arena = gm_arena_create(gm_alloc_system(), 0);
        static gm_lookout all[GM_LOOKOUTS_MAX];
        uint32_t    n   = 0;
        gm_error    err = { 0 };
        assert_int_equal(gm_lookouts_parse(arena, gm_str_of(cases[i].text), all, &n, &err), GM_INVALID);
        if (strstr(err.text, cases[i].says) == NULL) fail_msg("%s: %s", cases[i].text, err.text);
        gm_arena_destroy(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predictions_become_the_twins_own_and_come_back_after_a_restart),
        cmocka_unit_test(a_challenger_is_trained_when_its_time_has_come_and_used_when_it_wins),
        cmocka_unit_test(drift_is_noticed_at_the_failures_and_a_model_that_holds_is_left_alone),
        cmocka_unit_test(an_anomaly_is_told_once_named_and_ended),
        cmocka_unit_test(wrong_files_are_told_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
