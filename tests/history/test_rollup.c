// Rollups against the samples that they stand for.
#include "history/rollup.h"

#include "history/internal.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>

enum { SAMPLES = 30000, COLUMN = 3 };
static const gm_time_ns epoch = INT64_C(1767225600) * GM_SECOND;

typedef struct point { gm_time_ns at; double x; } point;

static bool expire_before(void *context, uint32_t twin, uint32_t column, gm_history_keep *out_keep)
{
    (void)twin;
    assert_int_equal(column, COLUMN);  // rollups are asked about under the column that they are of
    *out_keep = *(const gm_history_keep *)context;
    return true;
}

static void expire(gm_history *h, gm_history_keep keep)
{
    while (gm_history_expire(h, 3, expire_before, &keep)) {}
}

static void put(gm_history *h, gm_time_ns at, double x)
{
    gm_error err = { 0 };
    assert_gm_ok(gm_history_append(h, 1, COLUMN, at, (gm_value){ .kind = GM_KIND_DOUBLE, .d = x }, NULL, &err), err);
}

static int by_time(const void *a, const void *b)
{
    gm_time_ns x = ((const point *)a)->at, y = ((const point *)b)->at;
    return x < y ? -1 : x > y;
}

// Buckets that begin and end with a stretch must hold exactly what the samples did, those that came after their stretch was
// rolled up among them.
static void check(gm_history *h, const point *points, size_t n, gm_dur_ns stretch, gm_dur_ns bucket)
{
    gm_error   err     = { 0 };
    gm_time_ns from    = points[0].at / bucket * bucket, to = (points[n - 1].at / bucket + 1) * bucket;
    size_t     count   = (size_t)((to - from) / bucket), at = 0;
    gm_bucket *buckets = malloc(count * sizeof *buckets);
    assert_int_equal(bucket % stretch, 0);
    assert_gm_ok(gm_history_buckets(h, 1, COLUMN, from, to, count, buckets, &err), err);
    for (size_t i = 0; i < count; i++) {
        gm_bucket wanted = { 0 };
        double    size   = 0;
        for (; at < n && points[at].at < from + (gm_time_ns)(i + 1) * bucket; at++) {
            double x = points[at].x;
            if (wanted.count == 0 || x < wanted.min) wanted.min = x;
            if (wanted.count == 0 || x > wanted.max) wanted.max = x;
            wanted.sum += x;
            size += fabs(x);
            wanted.last = x;
            wanted.count++;
        }
        const gm_bucket *got  = &buckets[i];
        bool             same = got->count == wanted.count;
        if (same && wanted.count > 0) {
            same = got->min == wanted.min && got->max == wanted.max && got->last == wanted.last && fabs(got->sum - wanted.sum) <= 1e-9 * size;
        }
        if (!same) fail_msg("bucket %zu of %zu: %" PRIu64 " values, %" PRIu64 " wanted", i, count, got->count, wanted.count);
    }
    uint64_t   seen;
    gm_time_ns first, last;
    assert_gm_ok(gm_history_extent(h, 1, COLUMN, GM_TIME_MIN, GM_TIME_MAX, &seen, &first, &last, &err), err);
    assert_int_equal(seen, n);
    assert_int_equal(first, points[0].at);
    free(buckets);
}

static void what_is_too_old_goes_on_to_count_by_the_hour(void **state)
{
    (void)state;
    uint64_t    random = gm_test_seed();
    gm_history *h      = gm_history_create(gm_alloc_system());
    gm_error    err    = { 0 };
    point      *points = calloc(SAMPLES + 100, sizeof *points);
    size_t      n      = 0;
    for (int i = 0; i < SAMPLES; i++) {
        points[n] = (point){ epoch + i * 20 * GM_SECOND + (gm_time_ns)(gm_test_random(&random) % 1000) * GM_MILLISECOND,
                             (double)(gm_test_random(&random) % 10000) / 100 };
        put(h, points[n].at, points[n].x);
        n++;
    }
    check(h, points, n, GM_HOUR, GM_HOUR);
    gm_history_keep keep = { .before = points[10000].at, .rollup = GM_HOUR, .rollups_before = GM_TIME_MIN };
    expire(h, keep);
    uint64_t left = gm_history_count(h, 1, COLUMN);
    assert_true(left > SAMPLES - 10001 && left < SAMPLES - 8000);
    check(h, points, n, GM_HOUR, GM_HOUR);
    check(h, points, n, GM_HOUR, 24 * GM_HOUR);
    // Late samples for what is rolled up already are kept, rolled up in their turn, and count once.
    for (int i = 0; i < 50; i++) {
        points[n] = (point){ points[gm_test_random(&random) % 8000].at + 1 + i, 50 };
        put(h, points[n].at, points[n].x);
        n++;
    }
    qsort(points, n, sizeof *points, by_time);
    check(h, points, n, GM_HOUR, GM_HOUR);
    assert_gm_ok(gm_history_seal(h, 1, &err), err);
    keep.before = points[20000].at;
    expire(h, keep);
    assert_true(gm_history_count(h, 1, COLUMN) < left);
    check(h, points, n, GM_HOUR, GM_HOUR);
    // Everything may go, and the rollups after it; then there is nothing.
    keep.before = GM_TIME_MAX;
    assert_gm_ok(gm_history_seal(h, 1, &err), err);
    expire(h, keep);
    assert_int_equal(gm_history_count(h, 1, COLUMN), 0);
    assert_true(gm_history_has(h, 1, COLUMN));
    check(h, points, n, GM_HOUR, 12 * GM_HOUR);
    keep.rollups_before = GM_TIME_MAX;
    assert_gm_ok(gm_history_seal(h, 1, &err), err);
    expire(h, keep);
    assert_false(gm_history_has(h, 1, COLUMN));
    gm_history_destroy(h);
    free(points);
}

static void without_a_rollup_nothing_stays_and_text_is_never_rolled_up(void **state)
{
    (void)state;
    gm_history *h   = gm_history_create(gm_alloc_system());
    gm_error    err = { 0 };
    for (int i = 0; i < 3000; i++) {
        put(h, epoch + i * GM_SECOND, i);
        gm_value text = { .kind = GM_KIND_STRING, .s = i % 2 ? GM_STR("on") : GM_STR("off") };
        assert_gm_ok(gm_history_append(h, 2, COLUMN, epoch + i * GM_SECOND, text, NULL, &err), err);
    }
    assert_gm_ok(gm_history_seal(h, 1, &err), err);
    gm_history_keep keep = { .before = epoch + 2500 * GM_SECOND, .rollups_before = GM_TIME_MIN };
    expire(h, keep);
    assert_int_equal(gm_history_count(h, 1, COLUMN), 3000 - 2048);
    keep.rollup = GM_HOUR;
    keep.before = GM_TIME_MAX;
    expire(h, keep);
    assert_int_equal(gm_history_count(h, 2, COLUMN), 0);
    assert_false(gm_history_has(h, 2, COLUMN));
    assert_true(gm_history_has(h, 1, COLUMN));  // of the last 952
    gm_history_forget_series(h, 1, COLUMN);
    assert_false(gm_history_has(h, 1, COLUMN));
    gm_history_stats stats = gm_history_statistics(h);
    assert_int_equal(stats.samples, 0);
    gm_history_destroy(h);
}

// The same samples are there before and after, whichever allocation is refused on the way, and none counts twice.
static void a_refused_allocation_rolls_nothing_up_twice(void **state)
{
    (void)state;
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc fault;
        gm_fault_alloc_init(&fault, UINT64_MAX);
        gm_history *h = gm_history_create(&fault.alloc);
        gm_error    err = { 0 };
        point      *points = calloc(3000, sizeof *points);
        for (int i = 0; i < 3000; i++) {
            points[i] = (point){ epoch + i * GM_SECOND, i % 77 };
            put(h, points[i].at, points[i].x);
        }
        assert_gm_ok(gm_history_seal(h, 1, &err), err);
        gm_history_keep keep = { .before = GM_TIME_MAX, .rollup = 10 * GM_MINUTE, .rollups_before = GM_TIME_MIN };
        fault.fail_at = fault.calls + k;
        expire(h, keep);
        bool fired    = fault.fired;
        fault.fail_at = UINT64_MAX;
        check(h, points, 3000, 10 * GM_MINUTE, 10 * GM_HOUR);
        expire(h, keep);
        assert_int_equal(gm_history_count(h, 1, COLUMN), 0);
        check(h, points, 3000, 10 * GM_MINUTE, 10 * GM_MINUTE);
        gm_history_destroy(h);
        assert_int_equal(fault.live_blocks, 0);
        free(points);
        if (!fired) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_too_old_goes_on_to_count_by_the_hour),
        cmocka_unit_test(without_a_rollup_nothing_stays_and_text_is_never_rolled_up),
        cmocka_unit_test(a_refused_allocation_rolls_nothing_up_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
