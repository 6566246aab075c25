// Checkpoints while the log's threads work: segments are begun, made ready and released by two threads, history files are tidied
// and released, and the process is forked in between; the thread sanitizer looks on. Afterwards everything is there.
#include "engine/as_of.h"
#include "engine/checkpoint.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <stdio.h>

static const char model[] = "{\"@context\":\"dtmi:dtdl:context;3\",\"@type\":\"Interface\",\"@id\":\"dtmi:t:A;1\",\"contents\":["
                            "{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"}]}";
static const gm_time_ns epoch = INT64_C(1700000000) * GM_SECOND;
enum { TWINS = 4, CHECKPOINTS = 6, A_CHECKPOINT = 3000, WINDOW = 200 };

typedef struct plant {
    char       dir[256];
    gm_loop   *loop;
    gm_engine *engine;
    uint32_t   waiting, written;
    bool       done;
    gm_error   err;
} plant;

static void start(plant *p)
{
    assert_gm_ok(gm_loop_create(gm_alloc_system(), gm_clock_system(), &p->loop, &p->err), p->err);
    gm_engine_options o = { .alloc = gm_alloc_system(), .io = gm_io_system(), .clock = gm_clock_system(), .loop = p->loop, .data_dir = p->dir,
                            .log = gm_log_options_defaults() };
    o.log.segment_size = 64 << 10;
    assert_gm_ok(gm_engine_open(&o, &p->engine, &p->err), p->err);
    assert_gm_ok(gm_engine_recover(p->engine, &p->err), p->err);
}

static void stop(plant *p)
{
    gm_engine_close(p->engine);
    gm_loop_destroy(p->loop);
}

static void on_done(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    (void)token;
    (void)err;
    assert_int_equal(status, GM_OK);
    ((plant *)context)->waiting--;
}

static void on_checkpoint(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    (void)token;
    if (status != GM_OK) fail_msg("%s", err->text);
    ((plant *)context)->done = true;
}

static double value_of(uint32_t sample) { return (double)(sample % 1000) / 4; }

static void write_one(plant *p)
{
    uint32_t      n    = p->written++;
    gm_cell_write cell = { 0, epoch + (gm_time_ns)(n / TWINS) * GM_SECOND, { .kind = GM_KIND_DOUBLE, .d = value_of(n) } };
    assert_gm_ok(gm_engine_write(p->engine, (gm_twin){ n % TWINS }, 0, &cell, 1, (gm_ask){ on_done, p, 0 }, &p->err), p->err);
    p->waiting++;
}

static void turn(plant *p)
{
    gm_log_flush(gm_engine_log(p->engine));
    assert_gm_ok(gm_loop_turn(p->loop, &p->err), p->err);
}

// Writes so many at least, and until the checkpoint under way is done; reads of the past in between.
static void run(plant *p, uint32_t wanted)
{
    uint32_t until = p->written + wanted;
    while (p->written < until || !p->done) {
        while (p->waiting < WINDOW && p->written < until) write_one(p);
        turn(p);
        gm_twin_then then;
        gm_sample    sample;
        bool         there = gm_state_twin_at(gm_engine_state(p->engine), GM_STR("t1"), epoch + GM_MINUTE, &then);
        if (there) assert_gm_ok(gm_as_of_value(p->engine, &then, 0, epoch + GM_MINUTE, &sample, &p->err), p->err);
    }
    while (p->waiting > 0) turn(p);
}

static bool check_one(void *context, const gm_sample *sample)
{
    uint32_t *next = context;
    assert_true(sample->at == epoch + (gm_time_ns)(*next / TWINS) * GM_SECOND);
    assert_true(sample->value.d == value_of(*next));
    *next += TWINS;
    return true;
}

static void checkpoints_lose_nothing_while_all_threads_work(void **state)
{
    (void)state;
    plant p = { 0 };
    gm_test_make_dir(p.dir, sizeof p.dir);
    start(&p);
    assert_gm_ok(gm_engine_submit(p.engine, GM_CHANGE_MODELS, 0, (gm_str){ 0 }, (gm_str){ 0 }, gm_str_of(model), (gm_ask){ 0 }, &p.err), p.err);
    assert_gm_ok(gm_engine_settle(p.engine, &p.err), p.err);
    const gm_type *type = gm_model_find(gm_engine_model(p.engine), GM_STR("dtmi:t:A;1"));
    for (int i = 0; i < TWINS; i++) {
        char id[8];
        int  len = snprintf(id, sizeof id, "t%d", i);
        assert_gm_ok(gm_engine_twin_put(p.engine, (gm_twin){ GM_NONE }, (gm_str){ id, (size_t)len }, type, NULL, 0, (gm_ask){ 0 }, NULL, &p.err), p.err);
        assert_gm_ok(gm_engine_settle(p.engine, &p.err), p.err);
    }
    for (int round = 0; round < CHECKPOINTS; round++) {
        p.done = false;
        assert_gm_ok(gm_engine_checkpoint(p.engine, NULL, (gm_ask){ on_checkpoint, &p, 0 }, &p.err), p.err);
        run(&p, A_CHECKPOINT);
        if (round != CHECKPOINTS / 2) continue;
        // What was of one twin goes for good, and its files with it: written again afterwards.
        assert_gm_ok(gm_engine_history_delete(p.engine, GM_STR("t0"), GM_STR(""), (gm_ask){ on_done, &p, 0 }, &p.err), p.err);
        p.waiting++;
        while (p.waiting > 0) turn(&p);
    }
    assert_int_equal(gm_engine_checkpoint_report(p.engine).written, CHECKPOINTS);
    // One that is under way when the server stops.
    assert_gm_ok(gm_engine_checkpoint(p.engine, NULL, (gm_ask){ 0 }, &p.err), p.err);
    stop(&p);
    start(&p);
    assert_int_equal(gm_engine_checkpoint_report(p.engine).damage.len, 0);
    uint32_t series = gm_engine_series(p.engine, type = gm_model_find(gm_engine_model(p.engine), GM_STR("dtmi:t:A;1")), 0);
    for (uint32_t t = 1; t < TWINS; t++) {
        uint32_t next = t;
        assert_gm_ok(gm_history_read(gm_engine_history(p.engine), t, series, GM_TIME_MIN, GM_TIME_MAX, check_one, &next, &p.err), p.err);
        assert_int_equal(next, p.written / TWINS * TWINS + t);
    }
    stop(&p);
    gm_test_remove_dir(p.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(checkpoints_lose_nothing_while_all_threads_work) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
