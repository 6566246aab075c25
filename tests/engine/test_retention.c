// How long history is kept: which rule counts, and that time passing lets go what it should, with a clock of our own.
#include "engine/retention.h"

#include "engine/checkpoint.h"
#include "engine/engine.h"
#include "support/fault_io.h"
#include "support/support.h"

#include <stdlib.h>

#define MODELS                                                                                                                     \
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@type\":\"Interface\",\"@id\":\"dtmi:t:A;1\",\"contents\":["                         \
    "{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"},{\"@type\":\"Telemetry\",\"name\":\"heat\",\"schema\":\"double\"}]}," \
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@type\":\"Interface\",\"@id\":\"dtmi:t:B;1\",\"extends\":\"dtmi:t:A;1\"},"            \
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@type\":\"Interface\",\"@id\":\"dtmi:t:C;1\",\"extends\":\"dtmi:t:B;1\"},"            \
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@type\":\"Interface\",\"@id\":\"dtmi:t:D;1\",\"contents\":["                          \
    "{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"}]}]"

enum { SAMPLES = 3000 };
static const gm_time_ns epoch = INT64_C(1767225600) * GM_SECOND;

typedef struct fake { gm_time_ns now; } fake;
static gm_time_ns fake_now(void *context) { return ((const fake *)context)->now; }

typedef struct plant {
    gm_fault_io disk;
    fake        time;
    gm_clock    clock;
    gm_loop    *loop;
    gm_engine  *engine;
    gm_retentions retention;
    gm_error    err;
} plant;

static void open_engine(plant *p)
{
    gm_engine_options options = { .alloc = gm_alloc_system(), .io = &p->disk.io, .clock = &p->clock, .data_dir = "d",
                                  .log = gm_log_options_defaults(), .checkpoint.in_process = true, .retention = p->retention };
    options.log.realtime_commit = options.log.prepare_ahead = false;
    assert_gm_ok(gm_loop_create(gm_alloc_system(), &p->clock, &p->loop, &p->err), p->err);
    options.loop = p->loop;
    assert_gm_ok(gm_engine_open(&options, &p->engine, &p->err), p->err);
    assert_gm_ok(gm_engine_recover(p->engine, &p->err), p->err);
}

static void close_engine(plant *p)
{
    gm_engine_close(p->engine);
    gm_loop_destroy(p->loop);
}

static void settle(plant *p) { assert_gm_ok(gm_engine_settle(p->engine, &p->err), p->err); }

static void start(plant *p, gm_retentions retention)
{
    *p       = (plant){ .time.now = epoch, .retention = retention };
    p->clock = (gm_clock){ .context = &p->time, .now = fake_now, .monotonic = fake_now };
    gm_fault_io_init(&p->disk, gm_test_seed());
    open_engine(p);
    assert_gm_ok(gm_engine_submit(p->engine, GM_CHANGE_MODELS, 0, (gm_str){ 0 }, (gm_str){ 0 }, GM_STR(MODELS), (gm_ask){ 0 }, &p->err), p->err);
    settle(p);
}

static gm_twin put(plant *p, const char *id, const char *model)
{
    gm_twin        twin;
    const gm_type *type = gm_model_find(gm_engine_model(p->engine), gm_str_of(model));
    assert_gm_ok(gm_engine_twin_put(p->engine, (gm_twin){ GM_NONE }, gm_str_of(id), type, NULL, 0, (gm_ask){ 0 }, &twin, &p->err), p->err);
    settle(p);
    return twin;
}

static void fill(plant *p, gm_twin twin, uint16_t column)
{
    for (unsigned i = 0; i < SAMPLES; i++) {
        gm_cell_write cell = { column, epoch + (gm_time_ns)i * GM_SECOND, { .kind = GM_KIND_DOUBLE, .d = i % 100 } };
        assert_gm_ok(gm_engine_write(p->engine, twin, 0, &cell, 1, (gm_ask){ 0 }, &p->err), p->err);
        if (i % 500 == 499) settle(p);
    }
    settle(p);
}

// Time goes on, and something happens, so that a turn looks for what is too old.
static void pass(plant *p, gm_twin anybody, gm_dur_ns until)
{
    p->time.now        = epoch + until;
    gm_cell_write cell = { 0, epoch - GM_HOUR - until / 2, { .kind = GM_KIND_DOUBLE, .d = 1 } };
    assert_gm_ok(gm_engine_write(p->engine, anybody, 0, &cell, 1, (gm_ask){ 0 }, &p->err), p->err);
    settle(p);
}

static uint64_t count(plant *p, gm_twin twin, uint32_t column)
{
    return gm_history_count(gm_engine_history(p->engine), twin.v, gm_engine_series(p->engine, gm_model_find(gm_engine_model(p->engine), GM_STR("dtmi:t:A;1")), column));
}

static void the_closest_rule_counts(void **state)
{
    (void)state;
    enum { NOBODY = 1, ANY_FLOW, A, B, B_FLOW };
    static const gm_retention_rule rules[] = {
        { .path = { "flow", 4 }, .how.keep = ANY_FLOW },
        { .interface = { "dtmi:t:A;1", 10 }, .how.keep = A },
        { .interface = { "dtmi:t:B;1", 10 }, .how.keep = B },
        { .interface = { "dtmi:t:B;1", 10 }, .path = { "flow", 4 }, .how.keep = B_FLOW },
    };
    static const struct { const char *type, *path; gm_dur_ns keep; } cases[] = {
        { "dtmi:t:A;1", "flow", ANY_FLOW },  // a property before an interface
        { "dtmi:t:A;1", "heat", A },
        { "dtmi:t:B;1", "flow", B_FLOW },
        { "dtmi:t:B;1", "heat", B },
        { "dtmi:t:C;1", "flow", B_FLOW },    // inherited
        { "dtmi:t:C;1", "heat", B },         // the nearer of two bases
        { "dtmi:t:D;1", "flow", ANY_FLOW },
        { NULL, "flow", ANY_FLOW },
        { NULL, "heat", NOBODY },
    };
    plant p;
    start(&p, (gm_retentions){ 0 });
    for (int turned = 0; turned < 2; turned++) {
        gm_retention_rule order[4];
        for (int i = 0; i < 4; i++) order[i] = rules[turned ? 3 - i : i];  // their order does not matter
        gm_retentions all = { .usual.keep = NOBODY, .rules = order, .rule_count = 4 };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            const gm_type *type = cases[i].type != NULL ? gm_model_find(gm_engine_model(p.engine), gm_str_of(cases[i].type)) : NULL;
            assert_int_equal(gm_retention_find(&all, type, gm_str_of(cases[i].path))->keep, cases[i].keep);
        }
    }
    close_engine(&p);
    gm_fault_io_finish(&p.disk);
}

static void each_property_goes_in_its_own_time(void **state)
{
    (void)state;
    static const gm_retention_rule rules[] = {
        { .interface = { "dtmi:t:A;1", 10 }, .path = { "flow", 4 }, .how = { .keep = GM_HOUR } },
        { .interface = { "dtmi:t:B;1", 10 }, .how = { .keep = 2 * GM_DAY, .rollup = 10 * GM_MINUTE, .keep_rollups = 20 * GM_DAY } },
    };
    plant p;
    start(&p, (gm_retentions){ .usual.keep = 10 * GM_DAY, .rules = rules, .rule_count = 2 });
    gm_twin a = put(&p, "a", "dtmi:t:A;1"), b = put(&p, "b", "dtmi:t:B;1"), gone = put(&p, "gone", "dtmi:t:B;1"), d = put(&p, "d", "dtmi:t:D;1");
    fill(&p, a, 0);
    fill(&p, a, 1);
    fill(&p, b, 1);
    fill(&p, gone, 1);
    assert_gm_ok(gm_engine_submit(p.engine, GM_CHANGE_TWIN_DELETE, gone.v, GM_STR("gone"), (gm_str){ 0 }, (gm_str){ 0 }, (gm_ask){ 0 }, &p.err), p.err);
    settle(&p);
    uint64_t all_gone = count(&p, gone, 1);  // with a removal at its end
    static const struct { gm_dur_ns until; bool a_flow, a_heat, b_heat; } steps[] = {
        { 59 * GM_MINUTE, true, true, true },
        { 2 * GM_HOUR, false, true, true },
        { 3 * GM_DAY, false, true, false },
        { 11 * GM_DAY, false, false, false },
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        pass(&p, d, steps[i].until);
        assert_int_equal(count(&p, a, 0) < SAMPLES, !steps[i].a_flow);
        assert_int_equal(count(&p, a, 1) < SAMPLES, !steps[i].a_heat);
        assert_int_equal(count(&p, b, 1) < SAMPLES, !steps[i].b_heat);
        assert_int_equal(count(&p, gone, 1) < all_gone, !steps[i].b_heat);  // it goes on to be kept as what it was
        close_engine(&p);
        open_engine(&p);
    }
    // What went of b stays by stretches; of a nothing does.
    pass(&p, d, 12 * GM_DAY);
    gm_bucket bucket;
    assert_gm_ok(gm_engine_read_outline(p.engine, b, 1, epoch, epoch + SAMPLES * GM_SECOND, 1, &bucket, &p.err), p.err);
    assert_int_equal(bucket.count, SAMPLES);
    assert_true(bucket.min == 0 && bucket.max == 99);
    assert_gm_ok(gm_engine_read_outline(p.engine, a, 1, epoch, epoch + SAMPLES * GM_SECOND, 1, &bucket, &p.err), p.err);
    assert_int_equal(bucket.count, count(&p, a, 1));
    close_engine(&p);
    gm_fault_io_finish(&p.disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_closest_rule_counts),
        cmocka_unit_test(each_property_goes_in_its_own_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
