// Deletion for good: nobody can read it afterwards, it does not come back with a restart, and once the checkpoints have gone by no
// file holds it any more.
#include "engine/checkpoint.h"

#include "support/fault_io.h"
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>

#define MODEL                                                                                                       \
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@type\":\"Interface\",\"@id\":\"dtmi:t:A;1\",\"contents\":["           \
    "{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"},{\"@type\":\"Property\",\"name\":\"note\",\"schema\":\"string\"}," \
    "{\"@type\":\"Relationship\",\"name\":\"feeds\"}]}"
enum { SAMPLES = 3000 };
static const gm_time_ns epoch = INT64_C(1767225600) * GM_SECOND;
static const char       secret[] = "a most secret note";

typedef struct plant {
    gm_fault_io disk;
    gm_loop    *loop;
    gm_engine  *engine;
    gm_dur_ns   keep;
    gm_error    err;
} plant;

static void start(plant *p)
{
    gm_engine_options options = { .alloc = gm_alloc_system(), .io = &p->disk.io, .clock = gm_clock_system(), .data_dir = "d",
                                  .log = gm_log_options_defaults(), .checkpoint.in_process = true };
    options.log.realtime_commit = options.log.prepare_ahead = false;
    assert_gm_ok(gm_loop_create(gm_alloc_system(), gm_clock_system(), &p->loop, &p->err), p->err);
    options.loop = p->loop;
    options.retention.usual.keep = p->keep;
    assert_gm_ok(gm_engine_open(&options, &p->engine, &p->err), p->err);
    assert_gm_ok(gm_engine_recover(p->engine, &p->err), p->err);
}

static void stop(plant *p)
{
    gm_engine_close(p->engine);
    gm_loop_destroy(p->loop);
}

static void settle(plant *p) { assert_gm_ok(gm_engine_settle(p->engine, &p->err), p->err); }

static gm_twin put(plant *p, const char *id)
{
    gm_twin        twin;
    const gm_type *type = gm_model_find(gm_engine_model(p->engine), GM_STR("dtmi:t:A;1"));
    assert_gm_ok(gm_engine_twin_put(p->engine, (gm_twin){ GM_NONE }, gm_str_of(id), type, NULL, 0, (gm_ask){ 0 }, &twin, &p->err), p->err);
    settle(p);
    return twin;
}

static void write_cell(plant *p, gm_twin twin, uint16_t column, unsigned i, gm_value value)
{
    gm_cell_write cell = { column, epoch + (gm_time_ns)i * GM_SECOND, value };
    assert_gm_ok(gm_engine_write(p->engine, twin, 0, &cell, 1, (gm_ask){ 0 }, &p->err), p->err);
}

static void fill(plant *p, gm_twin twin)
{
    for (unsigned i = 0; i < SAMPLES; i++) {
        write_cell(p, twin, 0, i, (gm_value){ .kind = GM_KIND_DOUBLE, .d = (double)(i * 7919 % 1000) / 10 });
        if (i % 500 == 499) settle(p);
    }
    write_cell(p, twin, 1, 1, (gm_value){ .kind = GM_KIND_STRING, .s = gm_str_of(secret) });
    write_cell(p, twin, 1, 2, (gm_value){ .kind = GM_KIND_STRING, .s = GM_STR("nothing to see") });
    settle(p);
}

static void checkpoint(plant *p)
{
    assert_gm_ok(gm_engine_checkpoint(p->engine, NULL, (gm_ask){ 0 }, &p->err), p->err);
    assert_int_equal(gm_engine_checkpoint_report(p->engine).failed, 0);
}

static void delete(plant *p, const char *id, const char *path)
{
    assert_gm_ok(gm_engine_history_delete(p->engine, gm_str_of(id), gm_str_of(path), (gm_ask){ 0 }, &p->err), p->err);
    settle(p);
}

static uint64_t count(plant *p, gm_twin twin, uint32_t column)
{
    const gm_type *type = gm_model_find(gm_engine_model(p->engine), GM_STR("dtmi:t:A;1"));
    return gm_history_count(gm_engine_history(p->engine), twin.v, gm_engine_series(p->engine, type, column));
}

// ---- the disk ---------------------------------------------------------------------------------------------------------

typedef struct looking { plant *p; const char *folder, *needle; size_t found; } looking;

static gm_status look(void *context, gm_str name, gm_error *err)
{
    (void)err;
    looking *l = context;
    char     path[200];
    size_t   size, needle = strlen(l->needle);
    snprintf(path, sizeof path, "d/%s/" GM_STR_FMT, l->folder, GM_STR_ARG(name));
    const uint8_t *bytes = gm_fault_io_bytes(&l->p->disk, path, &size);
    if (bytes != NULL && size >= needle) l->found += memmem(bytes, size, l->needle, needle) != NULL;
    return GM_OK;
}

static size_t files_with(plant *p, const char *needle)
{
    static const char *const folders[] = { "log", "checkpoint", "history" };
    size_t found = 0;
    for (size_t i = 0; i < 3; i++) {
        looking l = { p, folders[i], needle, 0 };
        char    path[32];
        snprintf(path, sizeof path, "d/%s", folders[i]);
        assert_gm_ok(p->disk.io.list(&p->disk.io, path, look, &l, &p->err), p->err);
        found += l.found;
    }
    return found;
}

// Entries of history files that are about a twin: the number stands in each.
static size_t entries_of(plant *p, gm_twin twin)
{
    size_t found = 0;
    for (unsigned number = 1; number < 40; number++) {
        char   path[64];
        size_t size;
        snprintf(path, sizeof path, "d/history/%08u.hist", number);
        const uint8_t *bytes = gm_fault_io_bytes(&p->disk, path, &size);
        for (size_t at = 16; bytes != NULL && at + 16 <= size;) {
            uint32_t length, of;
            memcpy(&length, bytes + at + 4, 4);
            memcpy(&of, bytes + at + 8, 4);
            found += of == twin.v;
            at += 16 + (size_t)length;
        }
    }
    return found;
}

static void nothing(void *context) { (void)context; }

static void turns(plant *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        gm_timer *timer;
        assert_gm_ok(gm_loop_after(p->loop, 0, nothing, p, &timer, &p->err), p->err);
        assert_gm_ok(gm_loop_turn(p->loop, &p->err), p->err);
    }
}

static void delete_and_look(bool restarts)
{
    plant *p = calloc(1, sizeof *p);
    assert_non_null(p);
    gm_fault_io_init(&p->disk, gm_test_seed());
    start(p);
    assert_gm_ok(gm_engine_submit(p->engine, GM_CHANGE_MODELS, 0, (gm_str){ 0 }, (gm_str){ 0 }, GM_STR(MODEL), (gm_ask){ 0 }, &p->err), p->err);
    settle(p);
    gm_twin kept = put(p, "kept"), gone = put(p, "gone");
    fill(p, kept);
    fill(p, gone);
    for (unsigned i = 0; i < SAMPLES; i += 700) {  // late ones: entries that nobody refers to any more
        write_cell(p, gone, 0, i, (gm_value){ .kind = GM_KIND_DOUBLE, .d = -1 });
    }
    settle(p);
    checkpoint(p);
    assert_true(files_with(p, secret) >= 2 && entries_of(p, gone) >= 2);  // in the log, in the checkpoint; sealed
    assert_gm_ok(gm_engine_twin_delete(p->engine, gone, (gm_ask){ 0 }, &p->err), p->err);
    settle(p);
    delete(p, "gone", "");
    delete(p, "kept", "note");
    delete(p, "nobody", "");
    for (unsigned round = 0; round < 3; round++) {
        gm_twin past;
        assert_int_equal(count(p, gone, 0) + count(p, gone, 1) + count(p, kept, 1), 0);
        assert_int_equal(count(p, kept, 0), SAMPLES + round);
        assert_false(gm_state_past_twin(gm_engine_state(p->engine), GM_STR("gone"), 0, &past));
        if (restarts) {
            stop(p);
            start(p);
        }
        turns(p, 5);  // files are tidied between other things
        checkpoint(p);
        write_cell(p, kept, 0, SAMPLES + round, (gm_value){ .kind = GM_KIND_DOUBLE, .d = 1 });
        settle(p);
    }
    stop(p);
    assert_int_equal(files_with(p, secret), 0);
    assert_int_equal(entries_of(p, gone), 0);
    assert_true(entries_of(p, kept) >= SAMPLES / 1024);
    start(p);
    assert_int_equal(count(p, kept, 0), SAMPLES + 3);
    stop(p);
    assert_int_equal(p->disk.open_files, 0);
    gm_fault_io_finish(&p->disk);
    free(p);
}

static void at_once(void **state)
{
    (void)state;
    delete_and_look(false);
}

static void over_restarts(void **state)
{
    (void)state;
    delete_and_look(true);
}

static void what_is_older_than_history_is_kept_goes_in_whole_blocks(void **state)
{
    (void)state;
    plant *p = calloc(1, sizeof *p);
    assert_non_null(p);
    gm_fault_io_init(&p->disk, gm_test_seed());
    p->keep = gm_now(gm_clock_system()) - (epoch + 2500 * GM_SECOND);  // so that 2500 of the samples are too old
    start(p);
    assert_gm_ok(gm_engine_submit(p->engine, GM_CHANGE_MODELS, 0, (gm_str){ 0 }, (gm_str){ 0 }, GM_STR(MODEL), (gm_ask){ 0 }, &p->err), p->err);
    settle(p);
    gm_twin twin = put(p, "kept");
    fill(p, twin);
    assert_int_equal(count(p, twin, 0), SAMPLES);  // once a minute
    for (int again = 0; again < 2; again++) {
        stop(p);
        start(p);
        write_cell(p, twin, 0, SAMPLES - 1, (gm_value){ .kind = GM_KIND_DOUBLE, .d = 1 });
        settle(p);
        assert_int_equal(count(p, twin, 0), SAMPLES - 2048);  // two blocks of 1024 lie before
        if (again == 0) checkpoint(p);
    }
    stop(p);
    gm_fault_io_finish(&p->disk);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "what_is_deleted_for_good_leaves_the_disk", at_once, NULL, NULL, NULL },
        { "what_is_deleted_for_good_leaves_the_disk_over_restarts_too", over_restarts, NULL, NULL, NULL },
        cmocka_unit_test(what_is_older_than_history_is_kept_goes_in_whole_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
