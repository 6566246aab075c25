// History on disk: sealed blocks are read back from their files, before and after a restart; files that hold little of use are
// emptied and go; damage is told with its place and never served.
#include "base/frames.h"
#include "history/files.h"
#include "history/history.h"
#include "history/internal.h"

#include "support/fault_io.h"
#include "support/support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { TWINS = 6, SAMPLES = 3000, COLUMN = 4 };
static const gm_time_ns epoch = INT64_C(1767225600) * GM_SECOND;
static const char       folder[] = "h", saved[] = "h.saved";

typedef struct rig {
    gm_fault_io disk;
    gm_history *history;
    unsigned    samples;  // of each twin
    gm_error    err;
} rig;

// What sample i of a twin is: the even twins hold numbers, the odd ones text.
static gm_time_ns time_of(uint32_t twin, unsigned i) { return epoch + (gm_time_ns)i * GM_SECOND + (gm_time_ns)(twin + i % 7) * GM_MILLISECOND; }

static gm_value value_of(uint32_t twin, unsigned i, char text[32])
{
    if (twin % 2 == 0) return (gm_value){ .kind = GM_KIND_DOUBLE, .d = (double)((i * 2654435761u + twin) % 10000) / 100 };
    int len = snprintf(text, 32, "state %u of %u", (i * 40503u + twin) % 97, twin);
    return (gm_value){ .kind = GM_KIND_STRING, .s = { text, (size_t)len } };
}

static void open_history(rig *r)
{
    r->history = gm_history_create(gm_alloc_system());
    assert_non_null(r->history);
    assert_gm_ok(gm_history_use_files(r->history, &r->disk.io, folder, &r->err), r->err);
}

static void put(rig *r, uint32_t twin, unsigned i)
{
    char text[32];
    assert_gm_ok(gm_history_append(r->history, twin, COLUMN, time_of(twin, i), value_of(twin, i, text), NULL, &r->err), r->err);
}

// late 0: in order of time. Else every late-th sample comes after all others, for a block that is sealed already.
static void fill(rig *r, unsigned late)
{
    for (unsigned i = 0; i < r->samples; i++) {
        for (uint32_t twin = 0; twin < TWINS && (late == 0 || i % late != 0); twin++) put(r, twin, i);
    }
    for (unsigned i = 0; late > 0 && i < r->samples; i += late) {
        for (uint32_t twin = 0; twin < TWINS; twin++) put(r, twin, i);
    }
}

static void start(rig *r, uint64_t seed)
{
    memset(r, 0, sizeof *r);
    r->samples = SAMPLES;
    gm_fault_io_init(&r->disk, seed);
    open_history(r);
}

static void finish(rig *r)
{
    gm_history_destroy(r->history);
    assert_int_equal(r->disk.open_files, 0);
    gm_fault_io_finish(&r->disk);
}

// What a checkpoint does with the history, and a start.
static void save(rig *r)
{
    gm_frames_out *out;
    gm_status      st = r->disk.io.remove(&r->disk.io, saved, &r->err);
    if (st != GM_NOTFOUND) assert_gm_ok(st, r->err);
    assert_gm_ok(gm_history_flush(r->history, &r->err), r->err);
    assert_gm_ok(gm_history_sync(r->history, &r->err), r->err);
    assert_gm_ok(gm_frames_create(&r->disk.io, gm_alloc_system(), saved, &out, &r->err), r->err);
    gm_frames_section(out, GM_STR("history"));
    gm_history_save(r->history, out);
    assert_gm_ok(gm_frames_finish(out, NULL, &r->err), r->err);
}

static void load(rig *r)
{
    gm_frames_in *in;
    gm_str        name;
    open_history(r);
    assert_gm_ok(gm_frames_open(&r->disk.io, gm_alloc_system(), saved, &in, &r->err), r->err);
    assert_gm_ok(gm_frames_next(in, &name, &r->err), r->err);
    assert_gm_ok(gm_history_load(r->history, in, &r->err), r->err);
    gm_frames_close(in);
}

static void restart(rig *r)
{
    save(r);
    gm_history_destroy(r->history);
    load(r);
}

typedef struct reading { uint32_t twin; unsigned next; } reading;

static bool check_sample(void *context, const gm_sample *sample)
{
    reading *r = context;
    char     text[32];
    gm_value wanted = value_of(r->twin, r->next, text);
    bool     same   = sample->value.kind == wanted.kind &&
                (wanted.kind == GM_KIND_STRING ? gm_str_eq(sample->value.s, wanted.s) : sample->value.d == wanted.d);
    if (!same || sample->at != time_of(r->twin, r->next)) fail_msg("twin %u, sample %u is not what was put in", r->twin, r->next);
    r->next++;
    return true;
}

static gm_status read_twin(rig *r, uint32_t twin, unsigned from, unsigned *out_until)
{
    reading   now = { twin, from };
    gm_status st  = gm_history_read(r->history, twin, COLUMN, from > 0 ? time_of(twin, from) : 0, GM_TIME_MAX, check_sample, &now, &r->err);
    *out_until   = now.next;
    return st;
}

static void expect_all(rig *r, uint32_t first_twin)
{
    for (uint32_t twin = first_twin; twin < TWINS; twin++) {
        unsigned until;
        assert_gm_ok(read_twin(r, twin, 0, &until), r->err);
        assert_int_equal(until, r->samples);
    }
}

enum { BUCKETS = 5 };

static void outline(rig *r, gm_bucket out[BUCKETS])
{
    memset(out, 0, BUCKETS * sizeof *out);
    assert_gm_ok(gm_history_outline(r->history, 0, COLUMN, time_of(0, 0), time_of(0, r->samples), BUCKETS, out, &r->err), r->err);
}

static void an_outline_is_the_same_after_a_restart_and_of_an_old_checkpoint(void **state)
{
    (void)state;
    rig       r;
    gm_bucket before[BUCKETS], after[BUCKETS];
    start(&r, gm_test_seed());
    fill(&r, 500);
    outline(&r, before);
    assert_true(before[1].count > 0 && before[1].min_at >= before[1].from && before[1].max_at >= before[1].from);
    restart(&r);
    outline(&r, after);
    assert_memory_equal(before, after, sizeof before);
    // An old checkpoint does not say when blocks were smallest and largest: it is found out once.
    gm_blocks *b = gm_series_blocks(gm_history_series(r.history, 0, COLUMN));
    for (size_t i = 0; i < b->count; i++) b->items[i].min_at = b->items[i].max_at = GM_EXTREME_UNKNOWN;
    restart(&r);
    b = gm_series_blocks(gm_history_series(r.history, 0, COLUMN));
    assert_true(b->items[0].min_at == GM_EXTREME_UNKNOWN);
    outline(&r, after);
    assert_memory_equal(before, after, sizeof before);
    assert_true(b->items[1].where == GM_THAWED || b->items[1].min_at != GM_EXTREME_UNKNOWN);
    outline(&r, after);
    assert_memory_equal(before, after, sizeof before);
    finish(&r);
}

static void sealed_blocks_are_read_from_files_before_and_after_a_restart(void **state)
{
    (void)state;
    rig r;
    start(&r, gm_test_seed());
    fill(&r, 500);
    gm_history_stats before = gm_history_statistics(r.history);
    assert_true(before.blocks >= TWINS * (SAMPLES / 1024) && before.files >= 1);
    expect_all(&r, 0);  // some wait to be written, some are
    for (int i = 0; i < 3; i++) {
        restart(&r);
        expect_all(&r, 0);
        gm_history_stats after = gm_history_statistics(r.history);
        assert_int_equal(after.samples, (uint64_t)TWINS * SAMPLES);
        assert_true(after.blocks == before.blocks && after.series == before.series);
    }
    uint64_t blocks;
    assert_gm_ok(gm_history_verify(r.history, NULL, NULL, &blocks, &r.err), r.err);
    assert_int_equal(blocks, before.blocks);
    finish(&r);
}

// ---- tidying --------------------------------------------------------------------------------------------------------

static void remove_unused(rig *r)
{
    gm_files *files = gm_history_files(r->history);
    uint32_t  used[64];
    size_t    n = gm_files_used(files, used);
    assert_true(gm_files_count(files) <= 64);
    gm_files_remove_unused(files, gm_files_current(files), used, n, used, n);
}

// Whether any file still has an entry of the twin, used or not.
static bool on_disk(rig *r, uint32_t twin)
{
    gm_files *files = gm_history_files(r->history);
    uint32_t  used[64];
    size_t    n     = gm_files_used(files, used);
    for (size_t i = 0; i < n; i++) {
        gm_entry entry;
        for (uint32_t offset = 0; gm_files_next(files, used[i], &offset, &entry, NULL) == GM_OK;) {
            if (entry.twin == twin) return true;
        }
    }
    return false;
}

static void what_was_forgotten_leaves_the_disk_when_files_are_tidied(void **state)
{
    (void)state;
    rig r;
    start(&r, gm_test_seed());
    fill(&r, 500);
    restart(&r);  // the files are of an earlier start now
    assert_true(on_disk(&r, 0));
    uint64_t bytes = gm_history_statistics(r.history).file_bytes;
    for (uint32_t twin = 0; twin < TWINS - 2; twin++) gm_history_forget(r.history, twin);
    gm_status st;
    int       turns = 0;
    while (gm_history_tidy(r.history, 3, &st, &r.err)) assert_true(++turns < 1000);
    assert_gm_ok(st, r.err);
    restart(&r);
    remove_unused(&r);
    expect_all(&r, TWINS - 2);
    for (uint32_t twin = 0; twin < TWINS - 2; twin++) assert_false(on_disk(&r, twin) || gm_history_has(r.history, twin, COLUMN));
    assert_true(gm_history_statistics(r.history).file_bytes < bytes / 2);
    finish(&r);
}

// ---- a disk that fails ------------------------------------------------------------------------------------------------

static void count_bad(void *context, const gm_error *why)
{
    rig *r = context;
    assert_int_equal(why->status, GM_CORRUPT);
    assert_non_null(strstr(why->text, "h/00000001.hist is damaged at offset "));
    r->err = *why;
    r->err.line++;
}

static void a_flipped_bit_is_told_with_file_and_offset_and_never_served(void **state)
{
    (void)state;
    rig      r;
    uint64_t random = gm_test_seed(), told = 0, tried = 0;
    start(&r, random);
    fill(&r, 0);
    save(&r);
    size_t size;
    assert_non_null(gm_fault_io_bytes(&r.disk, "h/00000001.hist", &size));
    gm_history_destroy(r.history);
    for (size_t at = gm_test_random(&random) % 64; at < size; at += 1 + gm_test_random(&random) % (size / 60)) {
        unsigned bit = (unsigned)(gm_test_random(&random) % 8);
        gm_fault_io_flip(&r.disk, "h/00000001.hist", at, bit);
        load(&r);
        unsigned reads = 0, until;
        for (uint32_t twin = 0; twin < TWINS; twin++) {
            gm_status st = read_twin(&r, twin, 0, &until);  // what is given is right: check_sample looks
            if (st == GM_OK) continue;
            assert_int_equal(st, GM_CORRUPT);
            unsigned long offset = 0;
            const char   *place  = strstr(r.err.text, "h/00000001.hist is damaged at offset ");
            if (place == NULL || sscanf(place + 37, "%lu", &offset) != 1 || offset > at) fail_msg("byte %zu: %s", at, r.err.text);
            assert_true(until < SAMPLES);
            reads++;
        }
        assert_true(reads <= 1);
        uint64_t blocks;
        gm_error err = { 0 };
        r.err        = (gm_error){ 0 };
        assert_gm_ok(gm_history_verify(r.history, count_bad, &r, &blocks, &err), err);
        if (at >= GM_HISTORY_FILE_HEADER) assert_int_equal(r.err.line, reads);  // verifying says what reading meets
        else assert_int_equal(r.err.line, 1);
        told += reads;
        tried++;
        gm_history_destroy(r.history);
        gm_fault_io_flip(&r.disk, "h/00000001.hist", at, bit);
    }
    if (told * 10 < tried * 9) fail_msg("%" PRIu64 " of %" PRIu64 " flipped bits were noticed", told, tried);
    load(&r);
    expect_all(&r, 0);
    finish(&r);
}

static void a_full_disk_keeps_blocks_in_memory_and_loses_nothing(void **state)
{
    (void)state;
    for (uint64_t k = 1; k < 40; k++) {
        rig r;
        start(&r, k);
        r.samples            = 40000;  // more than waits in memory
        r.disk.fail_at       = r.disk.calls + k;
        r.disk.fail_errno    = ENOSPC;
        r.disk.fail_for_good = true;
        fill(&r, 0);
        gm_status st    = gm_history_flush(r.history, &r.err);
        bool      fired = r.disk.fired;
        if (st != GM_OK) assert_true(st == GM_IO && fired);
        r.disk.fail_at       = 0;
        r.disk.fail_for_good = false;  // somebody made room: everything goes on, and the next checkpoint has it all
        expect_all(&r, 0);
        restart(&r);
        expect_all(&r, 0);
        finish(&r);
        if (!fired) break;
    }
}

// ---- too old ------------------------------------------------------------------------------------------------------------

static bool keep_from(void *context, uint32_t twin, uint32_t column, gm_history_keep *out_keep)
{
    (void)column;
    *out_keep = (gm_history_keep){ .before = *(gm_time_ns *)context, .rollups_before = GM_TIME_MIN };
    return twin != 3;
}

static void what_is_too_old_goes_in_whole_blocks(void **state)
{
    (void)state;
    rig r;
    start(&r, gm_test_seed());
    fill(&r, 0);
    gm_time_ns before = time_of(0, 2500);
    while (gm_history_expire(r.history, 2, keep_from, &before)) {}  // a few series at a time
    for (int again = 0; again < 2; again++) {
        for (uint32_t twin = 0; twin < TWINS; twin++) {
            unsigned until, first = twin == 3 ? 0 : 2048;  // two blocks of 1024 lie wholly before
            assert_int_equal(gm_history_count(r.history, twin, COLUMN), SAMPLES - first);
            assert_gm_ok(read_twin(&r, twin, first, &until), r.err);
            assert_int_equal(until, SAMPLES);
        }
        restart(&r);
    }
    assert_int_equal(gm_history_statistics(r.history).samples, SAMPLES + (TWINS - 1) * (SAMPLES - 2048));
    finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_outline_is_the_same_after_a_restart_and_of_an_old_checkpoint),
        cmocka_unit_test(sealed_blocks_are_read_from_files_before_and_after_a_restart),
        cmocka_unit_test(what_was_forgotten_leaves_the_disk_when_files_are_tidied),
        cmocka_unit_test(a_flipped_bit_is_told_with_file_and_offset_and_never_served),
        cmocka_unit_test(a_full_disk_keeps_blocks_in_memory_and_loses_nothing),
        cmocka_unit_test(what_is_too_old_goes_in_whole_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
