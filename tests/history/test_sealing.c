// Sealing in a pool: at every moment the history says what one says that seals by itself, whatever comes while blocks are under
// way: late samples, corrections, deletion, a checkpoint, the end of the pool, refused memory.
#include "base/frames.h"
#include "base/pool.h"
#include "history/history.h"
#include "history/sealing.h"

#include "support/fault_io.h"
#include "support/support.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

enum { SERIES = 5, COLUMN = 3 };
static const gm_time_ns epoch = INT64_C(1767225600) * GM_SECOND;
static const char       saved[] = "h.saved";

typedef struct rig {
    gm_fault_io     disk, other_disk;
    const gm_alloc *alloc;
    gm_pool        *pool;
    gm_history     *beside, *alone;  // with the pool; without
    gm_error        err;
} rig;

static void open_pool(rig *r, uint32_t threads)
{
    gm_pool_options o = { .threads = threads, .jobs_max = 64, .urgency = GM_POOL_PROMPT };
    assert_gm_ok(gm_pool_create(gm_alloc_system(), NULL, &o, &r->pool, &r->err), r->err);
    assert_gm_ok(gm_history_use_pool(r->beside, r->pool), r->err);
}

static void close_pool(rig *r)
{
    gm_pool_destroy(r->pool);
    r->pool = NULL;
    assert_gm_ok(gm_history_use_pool(r->beside, NULL), r->err);
}

static rig *start_with(const gm_alloc *alloc)
{
    rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->alloc = alloc;
    gm_fault_io_init(&r->disk, 1);
    gm_fault_io_init(&r->other_disk, 1);
    r->beside = gm_history_create(alloc);
    r->alone  = gm_history_create(gm_alloc_system());
    assert_true(r->beside != NULL && r->alone != NULL);
    assert_gm_ok(gm_history_use_files(r->beside, &r->disk.io, "h", &r->err), r->err);
    assert_gm_ok(gm_history_use_files(r->alone, &r->other_disk.io, "h", &r->err), r->err);
    return r;
}

static rig *start(void)
{
    rig *r = start_with(gm_alloc_system());
    open_pool(r, 2);
    return r;
}

static void finish(rig *r)
{
    if (r->pool != NULL) close_pool(r);
    gm_history_destroy(r->beside);
    gm_history_destroy(r->alone);
    assert_int_equal(r->disk.open_files, 0);
    gm_fault_io_finish(&r->disk);
    gm_fault_io_finish(&r->other_disk);
    free(r);
}

// Until nothing is under way.
static void settle(rig *r)
{
    for (;;) {
        gm_history_turn(r->beside);
        if (!gm_pool_turn(r->pool, 10 * GM_SECOND)) return;
    }
}

static void put(rig *r, uint32_t twin, gm_time_ns at, gm_value value)
{
    gm_status st;
    do st = gm_history_append(r->beside, twin, COLUMN, at, value, NULL, &r->err);
    while (st == GM_NOMEM);  // of a test that refuses some
    assert_gm_ok(st, r->err);
    assert_gm_ok(gm_history_append(r->alone, twin, COLUMN, at, value, NULL, &r->err), r->err);
}

static gm_value number(double d) { return (gm_value){ .kind = GM_KIND_DOUBLE, .d = d }; }

static void put_rows(rig *r, uint32_t twin, unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++) put(r, twin, epoch + (gm_time_ns)i * GM_SECOND, number((double)(i * 7 % 1000) / 100));
}

// ---- what they say --------------------------------------------------------------------------------------------------
static bool note(void *context, const gm_sample *s)
{
    gm_buf_printf(context, " %" PRId64 ":%d:%" PRIx64, s->at - epoch, (int)s->value.kind, s->value.kind == GM_KIND_NONE ? 0 : (uint64_t)s->value.i);
    return true;
}

static void tell(rig *r, gm_history *h, gm_buf *out)
{
    enum { BUCKETS = 7 };
    for (uint32_t twin = 0; twin < SERIES; twin++) {
        gm_bucket  buckets[BUCKETS];
        gm_time_ns first, last;
        uint64_t   count;
        gm_buf_printf(out, "\n%u (%" PRIu64 ")", twin, gm_history_count(h, twin, COLUMN));
        assert_gm_ok(gm_history_read(h, twin, COLUMN, GM_TIME_MIN, GM_TIME_MAX, note, out, &r->err), r->err);
        assert_gm_ok(gm_history_buckets(h, twin, COLUMN, epoch, epoch + 9000 * GM_SECOND, BUCKETS, buckets, &r->err), r->err);
        for (size_t i = 0; i < BUCKETS; i++) {
            if (buckets[i].count == 0) continue;
            gm_buf_printf(out, " %" PRIu64 "/%a/%a/%.9g/%a/%" PRId64, buckets[i].count, buckets[i].min, buckets[i].max, buckets[i].sum, buckets[i].last,
                          buckets[i].max_at - epoch);
        }
        assert_gm_ok(gm_history_extent(h, twin, COLUMN, epoch + 500 * GM_SECOND, epoch + 4000 * GM_SECOND, &count, &first, &last, &r->err), r->err);
        gm_buf_printf(out, " %" PRIu64 "/%" PRId64 "/%" PRId64, count, first, last);
    }
    gm_buf_printf(out, "\n%" PRIu64 " in %" PRIu64, gm_history_statistics(h).samples, gm_history_statistics(h).series);
    gm_buf_byte(out, 0);
    assert_false(out->failed);
}

static void assert_same(rig *r)
{
    gm_buf one = gm_buf_init(gm_alloc_system()), other = gm_buf_init(gm_alloc_system());
    tell(r, r->beside, &one);
    tell(r, r->alone, &other);
    assert_string_equal((const char *)one.ptr, (const char *)other.ptr);
    gm_buf_finish(&one);
    gm_buf_finish(&other);
}

static size_t under_way(const gm_history *h)
{
    size_t n = 0;
    for (uint32_t id = 0; id < h->table.used; id++) {
        const gm_series *s = gm_series_at(&h->table, id);
        if (!s->in_use || !s->is_large || s->large.blocks == NULL) continue;
        for (size_t i = 0; i < s->large.blocks->count; i++) n += s->large.blocks->items[i].where == GM_SEALING;
    }
    return n;
}

// ---- tests ----------------------------------------------------------------------------------------------------------
static void in_order_of_time_the_same_bytes_come_of_it(void **state)
{
    (void)state;
    rig *r = start();
    for (uint32_t twin = 0; twin < SERIES; twin++) put_rows(r, twin, 0, 5000);
    assert_true(under_way(r->beside) > 0);
    assert_same(r);
    settle(r);
    assert_int_equal(under_way(r->beside), 0);
    assert_same(r);
    gm_history_stats a = gm_history_statistics(r->beside), b = gm_history_statistics(r->alone);
    assert_int_equal(a.sealed_bytes, b.sealed_bytes);
    assert_int_equal(a.open_bytes, b.open_bytes);
    assert_int_equal(a.blocks, b.blocks);
    finish(r);
}

static void step(rig *r, uint64_t *random, unsigned *at)
{
    uint64_t x    = gm_test_random(random);
    uint32_t twin = (uint32_t)(x % SERIES);
    unsigned late = (unsigned)(x >> 8) % (at[twin] + 1);
    switch (x >> 40 & 31) {
    case 0: put(r, twin, epoch + (gm_time_ns)late * GM_SECOND, number((double)(x % 97))); break;                // a correction
    case 1: put(r, twin, epoch + (gm_time_ns)late * GM_SECOND + 500 * GM_MILLISECOND, number(1)); break;        // late
    case 2: put(r, twin, epoch + (gm_time_ns)late * GM_SECOND, (gm_value){ .kind = GM_KIND_NONE }); break;      // a removal
    case 3:
        if (x >> 50 & 7) break;
        gm_history_forget(r->beside, twin);
        gm_history_forget(r->alone, twin);
        at[twin] = 0;
        break;
    case 4: (void)gm_pool_turn(r->pool, 0); break;
    case 5: gm_history_turn(r->beside); break;
    case 6:
        if (x >> 50 & 3) break;
        put(r, twin, epoch + (gm_time_ns)late * GM_SECOND, (gm_value){ .kind = GM_KIND_INT, .i = 7 });          // of another kind
        break;
    default: {
        unsigned n = 1 + (unsigned)(x >> 16) % 200;
        put_rows(r, twin, at[twin], n);
        at[twin] += n;
    }
    }
}

static void whatever_comes_meanwhile_it_is_what_sealing_here_makes(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int round = 0; round < 3; round++) {
        rig     *r = start();
        unsigned at[SERIES] = { 0 };
        for (int i = 0; i < 500; i++) {
            step(r, &random, at);
            if (i % 50 == 49) assert_same(r);
        }
        settle(r);
        assert_int_equal(under_way(r->beside), 0);
        assert_same(r);
        finish(r);
    }
}

// The pool's one thread is busy elsewhere, so what is handed over stays under way.
static gm_status stand_still(void *context, uint32_t part, uint32_t thread, gm_pool_job *job, gm_error *err)
{
    (void)part, (void)thread, (void)job, (void)err;
    while (sem_wait(context) != 0) {}
    return GM_OK;
}

static void nothing(void *context, gm_status status, const gm_error *err) { (void)context, (void)status, (void)err; }

static void hold_up(rig *r, sem_t *go)
{
    gm_pool_task task = { .parts = 1, .run = stand_still, .done = nothing, .context = go };
    gm_pool_id   id;
    assert_int_equal(sem_init(go, 0, 0), 0);
    open_pool(r, 1);
    assert_gm_ok(gm_pool_submit(r->pool, &task, &id, &r->err), r->err);
}

static void what_is_under_way_is_bounded_and_the_rest_is_sealed_here(void **state)
{
    (void)state;
    enum { TWINS = GM_SEALING_MOST + 40 };
    rig  *r = start_with(gm_alloc_system());
    sem_t go;
    hold_up(r, &go);
    for (uint32_t twin = 0; twin < TWINS; twin++) put_rows(r, twin, 0, GM_RUN_MOST + 1);
    assert_int_equal(under_way(r->beside), GM_SEALING_MOST);
    assert_int_equal(gm_history_statistics(r->beside).blocks, TWINS);
    assert_true(gm_history_statistics(r->beside).sealed_bytes > 0);
    assert_same(r);
    assert_int_equal(sem_post(&go), 0);
    settle(r);
    assert_int_equal(under_way(r->beside), 0);
    assert_same(r);
    finish(r);
    sem_destroy(&go);
}

// A checkpoint is taken while blocks are under way; who starts from it knows everything.
static void a_checkpoint_holds_what_is_under_way(void **state)
{
    (void)state;
    rig           *r = start_with(gm_alloc_system());
    gm_frames_out *out;
    gm_frames_in  *in;
    gm_str         name;
    sem_t          go;
    hold_up(r, &go);
    for (uint32_t twin = 0; twin < SERIES; twin++) put_rows(r, twin, 0, 3000 + 100 * twin);
    assert_int_equal(under_way(r->beside), gm_history_statistics(r->beside).blocks);
    assert_gm_ok(gm_history_flush(r->beside, &r->err), r->err);
    assert_gm_ok(gm_history_sync(r->beside, &r->err), r->err);
    assert_gm_ok(gm_frames_create(&r->disk.io, gm_alloc_system(), saved, &out, &r->err), r->err);
    gm_frames_section(out, GM_STR("history"));
    gm_history_save(r->beside, out);
    assert_gm_ok(gm_frames_finish(out, NULL, &r->err), r->err);
    assert_int_equal(sem_post(&go), 0);
    close_pool(r);
    gm_history_destroy(r->beside);
    r->beside = gm_history_create(gm_alloc_system());
    assert_non_null(r->beside);
    assert_gm_ok(gm_history_use_files(r->beside, &r->disk.io, "h", &r->err), r->err);
    assert_gm_ok(gm_frames_open(&r->disk.io, gm_alloc_system(), saved, &in, &r->err), r->err);
    assert_gm_ok(gm_frames_next(in, &name, &r->err), r->err);
    assert_gm_ok(gm_history_load(r->beside, in, &r->err), r->err);
    gm_frames_close(in);
    assert_same(r);
    assert_int_equal(under_way(r->beside), 0);
    finish(r);
    sem_destroy(&go);
}

static void a_pool_that_ends_leaves_nothing_behind(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int round = 0; round < 10; round++) {
        rig *r = start();
        for (uint32_t twin = 0; twin < SERIES; twin++) put_rows(r, twin, 0, 1200 + (unsigned)(gm_test_random(&random) % 4000));
        if (round % 2 == 0) gm_history_turn(r->beside);
        close_pool(r);
        assert_same(r);
        for (uint32_t twin = 0; twin < SERIES; twin++) put_rows(r, twin, 6000, 3000);
        put(r, 0, epoch + GM_MILLISECOND, number(5));  // late, for a block that nobody seals any more
        gm_history_forget(r->beside, 1);
        gm_history_forget(r->alone, 1);
        assert_same(r);
        if (round % 3 == 0) {  // and another pool
            open_pool(r, 1);
            put_rows(r, 2, 9000, 3000);
            settle(r);
            assert_same(r);
        }
        finish(r);
    }
}

static void any_one_refused_allocation_is_survived(void **state)
{
    (void)state;
    bool over = false;
    for (uint64_t k = 0; !over; k += k < 60 ? 1 : 7) {
        gm_fault_once fault;
        gm_fault_once_init(&fault);
        rig *r = start_with(&fault.alloc);
        open_pool(r, 2);
        gm_fault_once_arm(&fault, k);
        for (uint32_t twin = 0; twin < SERIES; twin++) put_rows(r, twin, 0, 2400);
        settle(r);
        over = !gm_fault_once_disarm(&fault);
        gm_history_turn(r->beside);
        settle(r);
        assert_int_equal(under_way(r->beside), 0);
        assert_same(r);
        finish(r);
        assert_int_equal(fault.live_blocks, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order_of_time_the_same_bytes_come_of_it),
        cmocka_unit_test(whatever_comes_meanwhile_it_is_what_sealing_here_makes),
        cmocka_unit_test(what_is_under_way_is_bounded_and_the_rest_is_sealed_here),
        cmocka_unit_test(a_checkpoint_holds_what_is_under_way),
        cmocka_unit_test(a_pool_that_ends_leaves_nothing_behind),
        cmocka_unit_test(any_one_refused_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
