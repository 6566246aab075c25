// The history against a plain sorted array that is told the same.
#include "history/history.h"

#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 20000 };
__extension__ typedef __int128 wide;

// ---- the model ------------------------------------------------------------------------------------------------------

typedef struct entry { gm_time_ns at; gm_kind kind; uint64_t number; } entry;  // text: the number as decimal text
typedef struct model { entry items[MOST]; size_t n; } model;

static size_t place_of(const model *m, gm_time_ns at)
{
    size_t low = 0, high = m->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (m->items[middle].at < at) low = middle + 1;
        else high = middle;
    }
    return low;
}

static bool model_put(model *m, entry e)
{
    size_t at = place_of(m, e.at);
    if (at < m->n && m->items[at].at == e.at) {
        bool is_new  = m->items[at].kind != e.kind || (e.kind != GM_KIND_NONE && m->items[at].number != e.number);
        m->items[at] = e;
        return is_new;
    }
    assert_true(m->n < MOST);
    memmove(m->items + at + 1, m->items + at, (m->n - at) * sizeof *m->items);
    m->items[at] = e;
    m->n++;
    return true;
}

typedef struct text { char bytes[64]; } text;

static gm_value value_of(const entry *e, text *space)
{
    gm_value value = { .kind = e->kind };
    switch (e->kind) {
    case GM_KIND_DOUBLE: memcpy(&value.d, &e->number, 8); break;
    case GM_KIND_STRING:
    case GM_KIND_JSON: {
        int len = snprintf(space->bytes, sizeof space->bytes, "\"%" PRIu64 "\"", e->number);
        value.s = (gm_str){ space->bytes, e->number == 0 ? 0 : (size_t)len };
        break;
    }
    default: value.i = (int64_t)e->number;
    }
    return value;
}

static bool same_value(const gm_value *a, const gm_value *b)
{
    if (a->kind != b->kind) return false;
    if (a->kind == GM_KIND_NONE) return true;
    if (a->kind == GM_KIND_STRING || a->kind == GM_KIND_JSON) return gm_str_eq(a->s, b->s);
    return a->i == b->i;  // for doubles too: their bits
}

typedef struct check { const model *m; size_t at; const char *wrong; size_t stop_after; } check;

static bool check_one(void *context, const gm_sample *sample)
{
    check *c = context;
    text   space;
    if (c->at >= c->m->n) {
        c->wrong = "too many samples";
        return false;
    }
    const entry *e      = &c->m->items[c->at++];
    gm_value     wanted = value_of(e, &space);
    if (sample->at != e->at) c->wrong = "another time";
    if (!same_value(&sample->value, &wanted)) c->wrong = "another value";
    return c->wrong == NULL && --c->stop_after > 0;
}

static void check_range(const gm_history *h, uint32_t twin, const model *m, gm_time_ns from, gm_time_ns to)
{
    gm_error err = { 0 };
    check    c   = { .m = m, .at = place_of(m, from), .stop_after = SIZE_MAX };
    size_t   end = place_of(m, to);
    assert_gm_ok(gm_history_read(h, twin, 3, from, to, check_one, &c, &err), err);
    if (c.wrong != NULL) fail_msg("%s at place %zu of %zu", c.wrong, c.at, m->n);
    if (from < to && c.at != end) fail_msg("%zu samples up to %zu, %zu wanted", c.at, end, m->n);
}

static void check_as_of(const gm_history *h, uint32_t twin, const model *m, gm_time_ns time)
{
    gm_error  err = { 0 };
    gm_sample sample;
    text      space;
    size_t    behind = place_of(m, time + 1);
    assert_gm_ok(gm_history_as_of(h, twin, 3, time, &sample, &err), err);
    if (behind == 0) {
        assert_int_equal(sample.value.kind, GM_KIND_NONE);
        return;
    }
    gm_value wanted = value_of(&m->items[behind - 1], &space);
    if (sample.at != m->items[behind - 1].at || !same_value(&sample.value, &wanted)) {
        fail_msg("as of %" PRId64 ": %" PRId64 ", wanted %" PRId64, time, sample.at, m->items[behind - 1].at);
    }
}

static bool has_text(const model *m, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (m->items[i].kind == GM_KIND_STRING || m->items[i].kind == GM_KIND_JSON) return true;
    }
    return false;
}

static void check_buckets(gm_history *h, uint32_t twin, const model *m, gm_time_ns from, gm_time_ns to, size_t n)
{
    gm_error   err     = { 0 };
    gm_bucket *buckets = malloc(n * sizeof *buckets);
    gm_status  st      = gm_history_buckets(h, twin, 3, from, to, n, buckets, &err);
    if (has_text(m, place_of(m, from), place_of(m, to))) {
        assert_int_equal(st, GM_INVALID);
        free(buckets);
        return;
    }
    assert_gm_ok(st, err);
    size_t at = place_of(m, from);
    for (size_t b = 0; b < n; b++) {
        gm_time_ns begin = from + (gm_time_ns)((wide)(to - from) * (wide)b / (wide)n);
        gm_time_ns end   = b + 1 < n ? from + (gm_time_ns)((wide)(to - from) * (wide)(b + 1) / (wide)n) : to;
        gm_bucket  plain = { .from = begin };
        double     size  = 0;
        for (; at < m->n && m->items[at].at < end; at++) {
            const entry *e = &m->items[at];
            if (e->kind == GM_KIND_NONE) continue;
            double x;
            if (e->kind == GM_KIND_DOUBLE) memcpy(&x, &e->number, 8);
            else x = (double)(int64_t)e->number;
            if (plain.count == 0 || x < plain.min) plain.min = x;
            if (plain.count == 0 || x > plain.max) plain.max = x;
            plain.count++;
            plain.sum += x;
            size += fabs(x);
            plain.last    = x;
            plain.last_at = e->at;
        }
        const gm_bucket *got = &buckets[b];
        bool same = got->from == begin && got->count == plain.count;
        if (same && plain.count > 0) {
            same = got->min == plain.min && got->max == plain.max && got->last == plain.last && got->last_at == plain.last_at &&
                   fabs(got->sum - plain.sum) <= 1e-9 * size;
        }
        if (!same) fail_msg("bucket %zu of %zu: %" PRIu64 " values, %" PRIu64 " wanted", b, n, got->count, plain.count);
    }
    free(buckets);
}

// ---- scenarios --------------------------------------------------------------------------------------------------------

typedef struct scenario {
    const char *name;
    size_t      appends;
    gm_kind     kinds[3];       // values are of one of these
    unsigned    late_percent;   // far behind
    unsigned    swap_percent;   // a little behind
    unsigned    again_percent;  // a time that was there: the same or a correction
    int         direction;      // -1: every sample before the ones before it
} scenario;

static const scenario scenarios[] = {
    { "in order",             6000,  { GM_KIND_DOUBLE, GM_KIND_DOUBLE, GM_KIND_DOUBLE }, 0, 0, 0, 1 },
    { "late and corrected",   6000,  { GM_KIND_DOUBLE, GM_KIND_DOUBLE, GM_KIND_NONE }, 5, 20, 10, 1 },
    { "mostly late",          5000,  { GM_KIND_INT, GM_KIND_INT, GM_KIND_INT }, 60, 0, 20, 1 },
    { "backwards",            9000,  { GM_KIND_INT, GM_KIND_INT, GM_KIND_NONE }, 0, 0, 2, -1 },
    { "switch",               4000,  { GM_KIND_BOOL, GM_KIND_BOOL, GM_KIND_NONE }, 3, 10, 10, 1 },
    { "text",                 4000,  { GM_KIND_STRING, GM_KIND_STRING, GM_KIND_NONE }, 3, 10, 10, 1 },
    { "documents",            3000,  { GM_KIND_JSON, GM_KIND_JSON, GM_KIND_JSON }, 3, 10, 10, 1 },
    { "kinds that change",    1200,  { GM_KIND_DOUBLE, GM_KIND_STRING, GM_KIND_INT }, 10, 10, 10, 1 },
    { "two kinds, rarely",    3000,  { GM_KIND_DOUBLE, GM_KIND_DOUBLE, GM_KIND_INT }, 10, 0, 0, 1 },
    { "a handful",            7,     { GM_KIND_DOUBLE, GM_KIND_INT, GM_KIND_NONE }, 30, 10, 30, 1 },
    { "two",                  2,     { GM_KIND_DOUBLE, GM_KIND_STRING, GM_KIND_NONE }, 30, 0, 30, 1 },
};

static gm_time_ns pick_time(const scenario *s, const model *m, gm_time_ns *newest, uint64_t *random)
{
    uint64_t luck = gm_test_random(random) % 100;
    if (m->n > 0 && luck < s->late_percent) return m->items[0].at + (gm_time_ns)(gm_test_random(random) % (uint64_t)(*newest - m->items[0].at + 1));
    luck = gm_test_random(random) % 100;
    if (m->n > 0 && luck < s->again_percent) return m->items[gm_test_random(random) % m->n].at;
    luck = gm_test_random(random) % 100;
    if (m->n > 10 && luck < s->swap_percent) return m->items[m->n - 1 - gm_test_random(random) % 10].at - 500 * GM_MICROSECOND;
    *newest += s->direction * (GM_SECOND + (gm_time_ns)(gm_test_random(random) % 7 - 3) * GM_MILLISECOND);
    return *newest;
}

static entry pick_value(const scenario *s, gm_time_ns at, const model *m, uint64_t *random)
{
    uint64_t luck = gm_test_random(random);
    entry    e    = { .at = at, .kind = s->kinds[luck % 40 == 0 ? 2 : luck % 2] };
    luck >>= 8;
    size_t place = place_of(m, at);
    if (luck % 3 == 0 && place < m->n && m->items[place].at == at) return m->items[place];  // the same again
    double d = (double)(luck % 100000) / 100 - 300;
    if (luck % 500 == 0) d = -0.0;
    switch (e.kind) {
    case GM_KIND_DOUBLE: memcpy(&e.number, &d, 8); break;
    case GM_KIND_BOOL: e.number = luck % 2; break;
    case GM_KIND_INT: e.number = luck % 1000 == 0 ? luck << 40 : luck % 1000; break;
    case GM_KIND_NONE: break;
    default: e.number = luck % 50;
    }
    return e;
}

static void the_history_is_the_sorted_array(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    model   *m      = malloc(sizeof *m);
    for (size_t k = 0; k < sizeof scenarios / sizeof scenarios[0]; k++) {
        const scenario *s      = &scenarios[k];
        gm_history     *h      = gm_history_create(gm_alloc_system());
        gm_error        err    = { 0 };
        gm_time_ns      newest = INT64_C(1767225600) * GM_SECOND;
        text            space;
        m->n = 0;
        for (size_t i = 0; i < s->appends; i++) {
            gm_time_ns at     = pick_time(s, m, &newest, &random);
            entry      e      = pick_value(s, at, m, &random);
            bool       is_new = !model_put(m, e), wanted = !is_new;
            assert_gm_ok(gm_history_append(h, 9, 3, at, value_of(&e, &space), &is_new, &err), err);
            if (is_new != wanted) fail_msg("%s, append %zu: new %d", s->name, i, is_new);
            assert_int_equal(gm_history_count(h, 9, 3), m->n);
            if (i % 512 == 7) check_as_of(h, 9, m, at);
            if (s->appends > 5000 && i == s->appends / 2) assert_gm_ok(gm_history_seal(h, 10, &err), err);
        }
        gm_time_ns begin = m->items[0].at, end = m->items[m->n - 1].at;
        check_range(h, 9, m, INT64_MIN, INT64_MAX);
        check_range(h, 9, m, end, begin);
        for (int i = 0; i < 60; i++) {
            gm_time_ns a = begin - 5 + (gm_time_ns)(gm_test_random(&random) % (uint64_t)(end - begin + 10));
            gm_time_ns b = begin - 5 + (gm_time_ns)(gm_test_random(&random) % (uint64_t)(end - begin + 10));
            check_range(h, 9, m, a < b ? a : b, a < b ? b : a);
            check_as_of(h, 9, m, a);
            if (a != b) check_buckets(h, 9, m, a < b ? a : b, a < b ? b : a, 1 + gm_test_random(&random) % 300);
        }
        check_as_of(h, 9, m, begin - 1);
        check_as_of(h, 9, m, end);
        check_buckets(h, 9, m, begin, end + 1, 1);
        check_buckets(h, 9, m, begin, end + 1, 7);
        check_buckets(h, 9, m, begin - GM_DAY, end + GM_DAY, 2000);
        check_buckets(h, 9, m, begin, begin + 20, 33);  // more buckets than nanoseconds
        // An early end of reading is honoured.
        check c = { .m = m, .stop_after = 1 };
        assert_gm_ok(gm_history_read(h, 9, 3, INT64_MIN, INT64_MAX, check_one, &c, &err), err);
        assert_int_equal(c.at, 1);
        gm_history_destroy(h);
    }
    free(m);
}

static void many_series_with_late_samples_do_not_disturb_each_other(void **state)
{
    (void)state;
    enum { SERIES = 200 };  // more than may be thawed at a time
    uint64_t    random = gm_test_seed();
    model      *m      = calloc(SERIES, sizeof *m);
    gm_history *h      = gm_history_create(gm_alloc_system());
    gm_error    err    = { 0 };
    for (int i = 0; i < 1500; i++) {
        for (uint32_t t = 0; t < SERIES; t++) {
            bool  late = i > 1300 && gm_test_random(&random) % 4 == 0;
            entry e    = { .at = late ? (gm_time_ns)(gm_test_random(&random) % 1300) * GM_SECOND + 1 : (gm_time_ns)i * GM_SECOND,
                           .kind = GM_KIND_INT, .number = gm_test_random(&random) % 100 };
            text  space;
            bool  is_new;
            bool  wanted = model_put(&m[t], e);
            assert_gm_ok(gm_history_append(h, t, 3, e.at, value_of(&e, &space), &is_new, &err), err);
            assert_int_equal(is_new, wanted);
        }
    }
    gm_history_stats stats = gm_history_statistics(h);
    uint64_t         total = 0;
    for (uint32_t t = 0; t < SERIES; t++) total += m[t].n;
    assert_int_equal(stats.samples, total);
    assert_int_equal(stats.series, SERIES);
    assert_gm_ok(gm_history_seal(h, 1, &err), err);
    for (uint32_t t = 0; t < SERIES; t++) check_range(h, t, &m[t], 0, GM_TIME_MAX);
    stats = gm_history_statistics(h);
    assert_int_equal(stats.open_bytes, 0);

    // Forgetting a twin forgets all of it and nothing else; its number may be used again.
    gm_value one = { .kind = GM_KIND_INT, .i = 1 };
    assert_gm_ok(gm_history_append(h, 5, 8, GM_SECOND, one, NULL, &err), err);
    for (uint32_t t = 0; t < SERIES; t += 2) gm_history_forget(h, t);
    gm_history_forget(h, 5);
    gm_history_forget(h, 5);
    for (uint32_t t = 0; t < SERIES; t++) {
        bool gone = t % 2 == 0 || t == 5;
        assert_int_equal(gm_history_count(h, t, 3), gone ? 0 : m[t].n);
        assert_int_equal(gm_history_has(h, t, 3), !gone);
    }
    assert_false(gm_history_has(h, 5, 8));
    assert_gm_ok(gm_history_append(h, 5, 8, GM_SECOND, one, NULL, &err), err);
    assert_int_equal(gm_history_count(h, 5, 8), 1);
    assert_int_equal(gm_history_count(h, 5, 3), 0);
    for (uint32_t t = 0; t < SERIES; t++) gm_history_forget(h, t);
    stats = gm_history_statistics(h);
    assert_int_equal(stats.samples, 0);
    assert_int_equal(stats.series, 0);
    assert_int_equal(stats.sealed_bytes + stats.open_bytes + stats.blocks, 0);
    gm_history_destroy(h);
    free(m);
}

static void times_outside_the_admitted_years_are_refused(void **state)
{
    (void)state;
    gm_history *h   = gm_history_create(gm_alloc_system());
    gm_value    one = { .kind = GM_KIND_DOUBLE, .d = 1 };
    assert_int_equal(gm_history_append(h, 1, 1, -1, one, NULL, NULL), GM_INVALID);
    assert_int_equal(gm_history_append(h, 1, 1, GM_TIME_MAX + 1, one, NULL, NULL), GM_INVALID);
    assert_false(gm_history_has(h, 1, 1));
    assert_int_equal(gm_history_append(h, 1, 1, 0, one, NULL, NULL), GM_OK);
    assert_int_equal(gm_history_append(h, 1, 1, GM_TIME_MAX, one, NULL, NULL), GM_OK);
    gm_bucket bucket;
    assert_int_equal(gm_history_buckets(h, 1, 1, 5, 5, 1, &bucket, NULL), GM_INVALID);
    assert_int_equal(gm_history_buckets(h, 1, 1, 5, 6, 0, &bucket, NULL), GM_INVALID);
    assert_int_equal(gm_history_buckets(h, 7, 7, 0, 9, 1, &bucket, NULL), GM_OK);
    assert_int_equal(bucket.count, 0);
    gm_history_destroy(h);
}

static void a_refused_allocation_loses_no_sample(void **state)
{
    (void)state;
    model *m = malloc(sizeof *m);
    for (uint64_t k = 0;; k += 1 + k / 12) {
        gm_fault_alloc fault;
        gm_fault_alloc_init(&fault, k);
        uint64_t    random = 3;
        gm_history *h      = gm_history_create(&fault.alloc);
        gm_time_ns  newest = INT64_C(1767225600) * GM_SECOND;
        bool        fired  = h == NULL;
        m->n               = 0;
        for (int i = 0; h != NULL && i < 3000; i++) {
            const scenario *s  = &scenarios[i < 1800 ? 1 : 7];
            gm_time_ns      at = pick_time(s, m, &newest, &random);
            entry           e  = pick_value(s, at, m, &random);
            text            space;
            gm_status       st = gm_history_append(h, 9, 3, at, value_of(&e, &space), NULL, NULL);
            if (st == GM_OK) model_put(m, e);
            else assert_int_equal(st, GM_NOMEM);
            if (fault.fired) {
                fired         = true;
                fault.fail_at = UINT64_MAX;  // memory is there again: go on
                fault.fired   = false;
            }
        }
        if (h != NULL) {
            assert_int_equal(gm_history_count(h, 9, 3), m->n);
            check_range(h, 9, m, 0, GM_TIME_MAX);
        }
        gm_history_destroy(h);
        assert_int_equal(fault.live_blocks, 0);
        if (!fired) break;
    }
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_history_is_the_sorted_array),
        cmocka_unit_test(many_series_with_late_samples_do_not_disturb_each_other),
        cmocka_unit_test(times_outside_the_admitted_years_are_refused),
        cmocka_unit_test(a_refused_allocation_loses_no_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
