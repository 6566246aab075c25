// Checkpoints: whatever was is there again, from a good one, from an older one, or from the log; and what a disk can do to them.
#include "engine/checkpoint.h"

#include "engine/workload.h"
#include "support/fault_io.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned rounds(unsigned quick, unsigned deep) { return getenv("GM_DEEP") != NULL ? deep : quick; }

static void assert_same(const gm_buf *a, const gm_buf *b, const char *when)
{
    if (a->len == b->len && memcmp(a->ptr, b->ptr, a->len) == 0) return;
    size_t at = 0;
    while (at < a->len && at < b->len && a->ptr[at] == b->ptr[at]) at++;
    size_t from = at > 120 ? at - 120 : 0;
    fail_msg("%s: differs at %zu:\n%.*s\n----\n%.*s", when, at, (int)(a->len - from < 300 ? a->len - from : 300), (const char *)a->ptr + from,
             (int)(b->len - from < 300 ? b->len - from : 300), (const char *)b->ptr + from);
}

// ---- on a real disk, written by a copy of the process ------------------------------------------------------------------

static void everything_is_there_again_after_a_checkpoint(void **state)
{
    (void)state;
    uint64_t     random = gm_test_seed();
    char         dir[256];
    gm_plant_rig rig    = { .io = gm_io_system(), .alloc = gm_alloc_system(), .dir = dir, .forks = true };
    gm_buf       before = gm_buf_init(gm_alloc_system()), after = gm_buf_init(gm_alloc_system());
    gm_test_make_dir(dir, sizeof dir);
    for (unsigned round = 0; round < rounds(8, 100); round++) {
        if (!gm_rig_start(&rig)) fail_msg("%s", rig.err.text);
        gm_str damage = gm_engine_checkpoint_report(rig.engine).damage;
        if (damage.len > 0) fail_msg(GM_STR_FMT, GM_STR_ARG(damage));
        gm_rig_dump(&rig, &after);
        if (round > 0) assert_same(&before, &after, "after a restart");
        assert_true(gm_rig_live(&rig, &random, 40));
        if (round % 4 != 3) assert_gm_ok(gm_rig_checkpoint(&rig, NULL), rig.err);
        if (round % 3 == 2) assert_true(gm_rig_live(&rig, &random, 25));  // a tail behind it
        gm_rig_dump(&rig, &before);
        gm_rig_stop(&rig);
    }
    gm_buf_finish(&before);
    gm_buf_finish(&after);
    gm_test_remove_dir(dir);
}

static void old_segments_and_checkpoints_go(void **state)
{
    (void)state;
    uint64_t     random = gm_test_seed();
    char         dir[256];
    gm_plant_rig rig = { .io = gm_io_system(), .alloc = gm_alloc_system(), .dir = dir, .forks = true };
    gm_test_make_dir(dir, sizeof dir);
    if (!gm_rig_start(&rig)) fail_msg("%s", rig.err.text);
    for (unsigned round = 0; round < 3; round++) {
        assert_true(gm_rig_live(&rig, &random, 400));
        assert_gm_ok(gm_rig_checkpoint(&rig, NULL), rig.err);
    }
    gm_rig_stop(&rig);  // the commit thread has removed what was released
    if (!gm_rig_start(&rig)) fail_msg("%s", rig.err.text);
    gm_error err;
    assert_int_equal(gm_log_replay(gm_engine_log(rig.engine), 0, NULL, NULL, &err), GM_NOTFOUND);
    gm_rig_check_counter(&rig, "a restart without the first segments");
    assert_int_equal(rig.step, 1200);
    gm_rig_stop(&rig);
    gm_test_remove_dir(dir);
}

static void a_copy_is_a_plant_of_its_own(void **state)
{
    (void)state;
    uint64_t     random = gm_test_seed();
    char         dir[256], to[300];
    gm_plant_rig rig    = { .io = gm_io_system(), .alloc = gm_alloc_system(), .dir = dir, .forks = true };
    gm_buf       before = gm_buf_init(gm_alloc_system()), after = gm_buf_init(gm_alloc_system());
    gm_test_make_dir(dir, sizeof dir);
    snprintf(to, sizeof to, "%s/copy", dir);
    if (!gm_rig_start(&rig)) fail_msg("%s", rig.err.text);
    assert_true(gm_rig_live(&rig, &random, 100));
    gm_rig_dump(&rig, &before);
    assert_gm_ok(gm_rig_checkpoint(&rig, to), rig.err);
    assert_true(gm_rig_live(&rig, &random, 20));  // is not in the copy
    gm_rig_stop(&rig);

    gm_plant_rig copy = { .io = gm_io_system(), .alloc = gm_alloc_system(), .dir = to, .forks = true, .step = 100 };
    if (!gm_rig_start(&copy)) fail_msg("%s", copy.err.text);
    gm_rig_dump(&copy, &after);
    assert_same(&before, &after, "in the copy");
    assert_true(gm_rig_live(&copy, &random, 30));  // and it lives on by itself
    gm_rig_stop(&copy);
    if (!gm_rig_start(&copy)) fail_msg("%s", copy.err.text);
    gm_rig_check_counter(&copy, "a restart of the copy");
    assert_int_equal(copy.step, 130);
    gm_rig_stop(&copy);
    gm_buf_finish(&before);
    gm_buf_finish(&after);
    gm_test_remove_dir(dir);
}

static gm_status never(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    (void)context, (void)record, (void)change, (void)err;
    return GM_OK;
}

static void a_fold_that_is_not_kept_forbids_checkpoints(void **state)
{
    (void)state;
    char      dir[256];
    gm_error  err;
    gm_engine *engine;
    gm_test_make_dir(dir, sizeof dir);
    gm_engine_options options = { .alloc = gm_alloc_system(), .io = gm_io_system(), .clock = gm_clock_system(), .data_dir = dir,
                                  .log = gm_log_options_defaults(), .checkpoint.in_process = true };
    assert_gm_ok(gm_engine_open(&options, &engine, &err), err);
    gm_engine_fold(engine, GM_CHANGE_RETAIN, never, &err);
    assert_gm_ok(gm_engine_recover(engine, &err), err);
    assert_gm_ok(gm_engine_submit(engine, GM_CHANGE_DEAD_LETTER, 0, GM_STR("a"), GM_STR("b"), GM_STR("c"), (gm_ask){ 0 }, &err), err);
    assert_gm_ok(gm_engine_settle(engine, &err), err);
    assert_int_equal(gm_engine_checkpoint(engine, NULL, (gm_ask){ 0 }, &err), GM_CONFLICT);
    gm_engine_close(engine);
    gm_test_remove_dir(dir);
}

// ---- on a disk that fails -------------------------------------------------------------------------------------------

static gm_plant_rig on(gm_fault_io *disk)
{
    return (gm_plant_rig){ .io = &disk->io, .alloc = gm_alloc_system(), .dir = "d" };
}

static bool life_with_checkpoints(gm_plant_rig *rig, uint64_t *random)
{
    bool ok = gm_rig_start(rig);
    for (unsigned i = 0; ok && i < 4; i++) {
        ok = gm_rig_live(rig, random, 15);
        if (ok) (void)gm_rig_checkpoint(rig, NULL);  // refused: the engine goes on
    }
    if (rig->engine != NULL) gm_rig_stop(rig);
    return ok;
}

static void acknowledged_steps_survive_a_loss_of_power_at_any_sync(void **state)
{
    (void)state;
    uint64_t seed = gm_test_seed();
    for (uint64_t k = 1;; k += rounds(3, 1)) {
        uint64_t    random = seed + k;
        gm_fault_io disk;
        gm_fault_io_init(&disk, seed ^ k);
        gm_plant_rig rig   = on(&disk);
        disk.power_at_sync = k;
        bool whole         = life_with_checkpoints(&rig, &random);
        bool dark          = disk.dark;
        gm_fault_io_power_on(&disk);
        char after[64];
        snprintf(after, sizeof after, "a loss of power at sync %" PRIu64, k);
        for (int again = 0; again < 2; again++) {  // the second time with what the first one wrote
            if (!gm_rig_start(&rig)) fail_msg("%s: %s", after, rig.err.text);
            gm_rig_check_counter(&rig, after);
            assert_true(gm_rig_live(&rig, &random, 3));
            assert_gm_ok(gm_rig_checkpoint(&rig, NULL), rig.err);
            gm_rig_stop(&rig);
        }
        assert_int_equal(disk.open_files, 0);
        gm_fault_io_finish(&disk);
        if (whole && !dark) {
            print_message("%" PRIu64 " syncs\n", k);
            break;
        }
    }
}

static void acknowledged_steps_survive_any_refused_call(void **state)
{
    (void)state;
    uint64_t seed = gm_test_seed();
    static const int reasons[] = { EIO, ENOSPC };
    bool     reached = true;
    for (uint64_t k = 1; reached; k += rounds(7, 1)) {
        for (int r = 0; r < 4; r++) {
            uint64_t    random = seed + k;
            gm_fault_io disk;
            gm_fault_io_init(&disk, seed ^ k);
            gm_plant_rig rig   = on(&disk);
            disk.fail_at       = k;
            disk.fail_errno    = reasons[r % 2];
            disk.fail_for_good = r >= 2;
            life_with_checkpoints(&rig, &random);
            reached = disk.fired;
            gm_fault_io_restart(&disk);
            char after[80];
            snprintf(after, sizeof after, "call %" PRIu64 " was refused with %s%s", k, strerror(reasons[r % 2]), r >= 2 ? " for good" : "");
            if (!gm_rig_start(&rig)) fail_msg("%s: %s", after, rig.err.text);
            gm_rig_check_counter(&rig, after);
            gm_rig_stop(&rig);
            assert_int_equal(disk.open_files, 0);
            gm_fault_io_finish(&disk);
        }
    }
}

// Two checkpoints, a tail behind them. A flipped bit in the newer one is told and costs nothing.
static void a_damaged_checkpoint_is_told_and_the_older_one_serves(void **state)
{
    (void)state;
    uint64_t    random = gm_test_seed();
    gm_fault_io disk;
    gm_fault_io_init(&disk, random);
    gm_plant_rig rig    = on(&disk);
    gm_buf       before = gm_buf_init(gm_alloc_system()), after = gm_buf_init(gm_alloc_system());
    assert_true(gm_rig_start(&rig));
    for (int i = 0; i < 3; i++) {
        assert_true(gm_rig_live(&rig, &random, 30));
        assert_gm_ok(gm_rig_checkpoint(&rig, NULL), rig.err);
    }
    uint64_t newest = gm_engine_checkpoint_report(rig.engine).sequence;
    assert_true(gm_rig_live(&rig, &random, 5));
    gm_rig_dump(&rig, &before);
    gm_rig_stop(&rig);
    char   path[80], name[GM_CHECKPOINT_NAME];
    size_t size;
    gm_checkpoint_name(newest, name);
    snprintf(path, sizeof path, "d/checkpoint/%s", name);
    assert_non_null(gm_fault_io_bytes(&disk, path, &size));
    for (size_t at = 0; at < size; at += 1 + gm_test_random(&random) % (size / rounds(25, 400) + 1)) {
        unsigned bit = (unsigned)(gm_test_random(&random) % 8);
        gm_fault_io_flip(&disk, path, at, bit);
        if (!gm_rig_start(&rig)) fail_msg("bit %u of byte %zu: %s", bit, at, rig.err.text);
        gm_str damage = gm_engine_checkpoint_report(rig.engine).damage;
        if (damage.len == 0) fail_msg("bit %u of byte %zu of %s was not noticed", bit, at, path);
        assert_true(memmem(damage.ptr, damage.len, name, 20) != NULL && memmem(damage.ptr, damage.len, "offset", 6) != NULL);
        gm_rig_dump(&rig, &after);
        assert_same(&before, &after, "from the older checkpoint");
        gm_rig_stop(&rig);
        gm_fault_io_flip(&disk, path, at, bit);
    }
    gm_buf_finish(&before);
    gm_buf_finish(&after);
    gm_fault_io_finish(&disk);
}

static void refused_memory_is_an_error_at_every_allocation_of_recovery(void **state)
{
    (void)state;
    uint64_t    random = gm_test_seed();
    gm_fault_io disk;
    gm_fault_io_init(&disk, random);
    gm_plant_rig rig = on(&disk);
    assert_true(gm_rig_start(&rig));
    assert_true(gm_rig_live(&rig, &random, 60));
    assert_gm_ok(gm_rig_checkpoint(&rig, NULL), rig.err);
    gm_rig_stop(&rig);
    for (uint64_t k = 0;; k += rounds(5, 1)) {
        gm_fault_alloc fault;
        gm_fault_alloc_init(&fault, k);
        gm_plant_rig poor = on(&disk);
        poor.alloc        = &fault.alloc;
        bool started      = gm_rig_start(&poor);
        if (started) gm_rig_stop(&poor);
        if (fault.live_blocks != 0) fail_msg("%" PRId64 " blocks are left after refusal %" PRIu64, fault.live_blocks, k);
        if (!fault.fired) {
            assert_true(started);
            break;
        }
        if (!started && poor.err.status != GM_NOMEM) fail_msg("refusal %" PRIu64 ": %d %s", k, (int)poor.err.status, poor.err.text);
    }
    gm_fault_io_finish(&disk);
}

// The engine may end for want of memory; what it had acknowledged is there when there is memory again.
static void acknowledged_steps_survive_refused_memory_at_every_allocation_of_a_life(void **state)
{
    (void)state;
    uint64_t seed = gm_test_seed();
    for (uint64_t k = 0;; k += rounds(7, 1)) {
        uint64_t       random = seed + k;
        gm_fault_io    disk;
        gm_fault_alloc fault;
        gm_fault_io_init(&disk, seed ^ k);
        gm_fault_alloc_init(&fault, k);
        gm_plant_rig rig = on(&disk);
        rig.alloc        = &fault.alloc;
        bool whole       = life_with_checkpoints(&rig, &random);
        if (fault.live_blocks != 0) fail_msg("%" PRId64 " blocks are left after refusal %" PRIu64, fault.live_blocks, k);
        if (!whole) assert_true(fault.fired);
        bool fired = fault.fired;
        rig.alloc  = gm_alloc_system();
        gm_fault_io_restart(&disk);
        char after[48];
        snprintf(after, sizeof after, "refusal %" PRIu64 " of memory", k);
        if (!gm_rig_start(&rig)) fail_msg("%s: %s", after, rig.err.text);
        gm_rig_check_counter(&rig, after);
        gm_rig_stop(&rig);
        assert_int_equal(disk.open_files, 0);
        gm_fault_io_finish(&disk);
        if (!fired) break;
    }
}

static void write_leftover(gm_fault_io *disk, const char *path)
{
    gm_file *file;
    gm_error err = { 0 };
    assert_gm_ok(disk->io.open(&disk->io, path, GM_OPEN_CREATE, &file, &err), err);
    assert_gm_ok(disk->io.write(file, 0, "half of something", 17, &err), err);
    disk->io.close(file);
}

static void what_an_interrupted_checkpoint_left_behind_is_no_obstacle(void **state)
{
    (void)state;
    uint64_t    random = gm_test_seed();
    gm_fault_io disk;
    gm_fault_io_init(&disk, random);
    gm_plant_rig rig = on(&disk);
    size_t       size;
    assert_true(gm_rig_start(&rig));
    assert_true(gm_rig_live(&rig, &random, 20));
    assert_gm_ok(gm_rig_checkpoint(&rig, NULL), rig.err);
    gm_rig_stop(&rig);
    write_leftover(&disk, "d/checkpoint/next.tmp");
    write_leftover(&disk, "d/log/next.tmp");
    write_leftover(&disk, "d/history/00000999.hist");  // a file that no checkpoint refers to
    for (int again = 0; again < 2; again++) {
        if (!gm_rig_start(&rig)) fail_msg("%s", rig.err.text);
        assert_int_equal(gm_engine_checkpoint_report(rig.engine).damage.len, 0);
        gm_rig_check_counter(&rig, "a restart among leftovers");
        assert_true(gm_rig_live(&rig, &random, 20));
        assert_gm_ok(gm_rig_checkpoint(&rig, NULL), rig.err);
        assert_null(gm_fault_io_bytes(&disk, "d/checkpoint/next.tmp", &size));
        gm_rig_stop(&rig);
    }
    assert_null(gm_fault_io_bytes(&disk, "d/history/00000999.hist", &size));
    gm_fault_io_finish(&disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_there_again_after_a_checkpoint),
        cmocka_unit_test(old_segments_and_checkpoints_go),
        cmocka_unit_test(a_copy_is_a_plant_of_its_own),
        cmocka_unit_test(a_fold_that_is_not_kept_forbids_checkpoints),
        cmocka_unit_test(acknowledged_steps_survive_a_loss_of_power_at_any_sync),
        cmocka_unit_test(acknowledged_steps_survive_any_refused_call),
        cmocka_unit_test(a_damaged_checkpoint_is_told_and_the_older_one_serves),
        cmocka_unit_test(refused_memory_is_an_error_at_every_allocation_of_recovery),
        cmocka_unit_test(acknowledged_steps_survive_refused_memory_at_every_allocation_of_a_life),
        cmocka_unit_test(what_an_interrupted_checkpoint_left_behind_is_no_obstacle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
