// Buckets of a series of many blocks against a plain sorted array: while late samples come, blocks are sealed and the oldest
// expire.
#include "history/history.h"

#include "support/support.h"

#include <math.h>
#include <stdlib.h>

enum { MOST = 180000, FIRST = 150000 };
__extension__ typedef __int128 wide;

typedef struct point { gm_time_ns at; double x; bool removed; } point;
typedef struct plain { point points[MOST]; size_t n; } plain;

static size_t place_of(const plain *p, gm_time_ns at)
{
    size_t low = 0, high = p->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (p->points[middle].at < at) low = middle + 1;
        else high = middle;
    }
    return low;
}

static void put(gm_history *h, plain *p, point e)
{
    gm_error err   = { 0 };
    gm_value value = { .kind = e.removed ? GM_KIND_NONE : GM_KIND_DOUBLE, .d = e.x };
    size_t   at    = place_of(p, e.at);
    assert_gm_ok(gm_history_append(h, 1, 1, e.at, value, NULL, &err), err);
    if (at == p->n || p->points[at].at != e.at) {
        assert_true(p->n < MOST);
        memmove(p->points + at + 1, p->points + at, (p->n - at) * sizeof *p->points);
        p->n++;
    }
    p->points[at] = e;
}

static gm_bucket brute_force(const plain *p, gm_time_ns from, gm_time_ns to, double *out_size)
{
    gm_bucket b = { .from = from };
    *out_size   = 0;
    for (size_t i = place_of(p, from); i < p->n && p->points[i].at < to; i++) {
        const point *e = &p->points[i];
        if (e->removed) {
            b.removed_at = e->at;
            continue;
        }
        if (b.count == 0 || e->x < b.min) {
            b.min    = e->x;
            b.min_at = e->at;
        }
        if (b.count == 0 || e->x > b.max) {
            b.max    = e->x;
            b.max_at = e->at;
        }
        b.count++;
        b.sum += e->x;
        *out_size += fabs(e->x);
        b.last    = e->x;
        b.last_at = e->at;
    }
    return b;
}

static void check(gm_history *h, const plain *p, gm_time_ns from, gm_time_ns to, size_t n, bool outline)
{
    gm_error   err     = { 0 };
    gm_bucket *buckets = malloc(n * sizeof *buckets);
    if (outline) assert_gm_ok(gm_history_outline(h, 1, 1, from, to, n, buckets, &err), err);
    else assert_gm_ok(gm_history_buckets(h, 1, 1, from, to, n, buckets, &err), err);
    gm_dur_ns  slack = outline ? (gm_dur_ns)((to - from) / (gm_time_ns)n / 8 + 1) : 0;
    for (size_t i = 0; i < n; i++) {
        const gm_bucket *got     = &buckets[i];
        gm_time_ns       nominal = (gm_time_ns)(from + ((wide)to - from) * (wide)i / (wide)n), end = i + 1 < n ? got[1].from : to;
        double           size;
        gm_bucket        wanted = brute_force(p, got->from, end, &size);
        if (llabs(got->from - nominal) > slack) fail_msg("edge %zu of %zu is %" PRId64 " ns off", i, n, got->from - nominal);
        bool same = got->count == wanted.count && end >= got->from;
        if (same && wanted.count > 0) {
            same = got->min == wanted.min && got->max == wanted.max && got->last == wanted.last && got->last_at == wanted.last_at &&
                   got->min_at == wanted.min_at && got->max_at == wanted.max_at && fabs(got->sum - wanted.sum) <= 1e-9 * size;
        } else if (same) {
            same = got->removed_at == wanted.removed_at;
        }
        if (!same) fail_msg("bucket %zu of %zu (outline %d): %" PRIu64 " values, %" PRIu64 " wanted", i, n, outline, got->count, wanted.count);
    }
    free(buckets);
}

static void check_extent(gm_history *h, const plain *p, gm_time_ns from, gm_time_ns to)
{
    gm_error   err = { 0 };
    uint64_t   count;
    gm_time_ns first, last;
    size_t     i = place_of(p, from), end = place_of(p, to);
    assert_gm_ok(gm_history_extent(h, 1, 1, from, to, &count, &first, &last, &err), err);
    assert_int_equal(count, end - i);
    assert_int_equal(first, end > i ? p->points[i].at : 0);
    assert_int_equal(last, end > i ? p->points[end - 1].at : 0);
}

static void check_all(gm_history *h, const plain *p, uint64_t *random)
{
    static const size_t counts[] = { 1, 3, 20, 60, 500, 2000 };
    gm_time_ns begin = p->points[0].at, end = p->points[p->n - 1].at + 1;
    check(h, p, begin, end, 2, true);
    check(h, p, begin - GM_DAY, end + GM_DAY, 37, true);
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        gm_time_ns a = begin + (gm_time_ns)(gm_test_random(random) % (uint64_t)(end - begin));
        gm_time_ns b = begin + (gm_time_ns)(gm_test_random(random) % (uint64_t)(end - begin));
        if (a == b) continue;
        check(h, p, a < b ? a : b, a < b ? b : a, counts[c], true);
        check(h, p, a < b ? a : b, a < b ? b : a, counts[c], false);
        check_extent(h, p, a < b ? a : b, a < b ? b : a);
    }
}

static bool before_that(void *context, uint32_t twin, uint32_t column, gm_history_keep *out_keep)
{
    (void)twin, (void)column;
    *out_keep = (gm_history_keep){ .before = *(const gm_time_ns *)context, .rollups_before = GM_TIME_MIN };
    return true;
}

static point some_point(gm_time_ns at, uint64_t *random)
{
    uint64_t luck = gm_test_random(random);
    return (point){ .at = at, .x = (double)(luck >> 8) / 1e12 - 30, .removed = luck % 50 == 0 };
}

static void buckets_and_outlines_are_the_samples_whatever_comes(void **state)
{
    (void)state;
    uint64_t    random = gm_test_seed();
    plain      *p      = malloc(sizeof *p);
    gm_history *h      = gm_history_create(gm_alloc_system());
    gm_error    err    = { 0 };
    gm_time_ns  now    = INT64_C(1767225600) * GM_SECOND;
    p->n               = 0;
    for (size_t i = 0; i < FIRST; i++) {
        point e = some_point(now, &random);
        // Stretches that hold nothing but removals, and a gap of days.
        e.removed |= i > 40000 && i < 45000;
        put(h, p, e);
        now += (i == 60000 ? 30 * GM_DAY : GM_SECOND) + (gm_time_ns)(gm_test_random(&random) % 1000) * GM_MILLISECOND;
    }
    check_all(h, p, &random);
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 300; i++) {
            size_t     k    = gm_test_random(&random) % p->n;
            gm_time_ns late = p->points[k].at + (gm_time_ns)(gm_test_random(&random) % 2) * GM_MICROSECOND;
            put(h, p, some_point(late, &random));
            if (i == 150) check(h, p, p->points[0].at, now, 9, true);  // one block is open for them
        }
        for (int i = 0; i < 3000; i++) put(h, p, some_point(now += GM_SECOND, &random));
        if (round % 2 == 1) assert_gm_ok(gm_history_seal(h, 1, &err), err);
        if (round == 3) {
            gm_time_ns before = p->points[20000].at;
            assert_false(gm_history_expire(h, SIZE_MAX, before_that, &before));
            uint64_t left = gm_history_count(h, 1, 1), gone = p->n - left;
            assert_true(gone > 18000 && gone <= 20000);
            memmove(p->points, p->points + gone, left * sizeof *p->points);
            p->n = left;
        }
        check_all(h, p, &random);
    }
    gm_history_destroy(h);
    free(p);
}

static void text_has_no_outline(void **state)
{
    (void)state;
    gm_history *h   = gm_history_create(gm_alloc_system());
    gm_error    err = { 0 };
    gm_bucket   buckets[4];
    for (int i = 0; i < 200000; i++) {
        gm_value value = { .kind = GM_KIND_STRING, .s = i % 2 ? GM_STR("on") : GM_STR("off") };
        assert_gm_ok(gm_history_append(h, 1, 1, (i + 1) * GM_SECOND, value, NULL, &err), err);
    }
    assert_int_equal(gm_history_outline(h, 1, 1, 0, 300000 * GM_SECOND, 4, buckets, NULL), GM_INVALID);
    assert_int_equal(gm_history_outline(h, 1, 1, 0, 0, 4, buckets, NULL), GM_INVALID);
    assert_int_equal(gm_history_outline(h, 1, 1, 0, 9, 0, buckets, NULL), GM_INVALID);
    assert_gm_ok(gm_history_outline(h, 1, 2, 0, 9, 4, buckets, &err), err);
    assert_int_equal(buckets[0].count + buckets[3].count, 0);
    gm_history_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_and_outlines_are_the_samples_whatever_comes),
        cmocka_unit_test(text_has_no_outline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
