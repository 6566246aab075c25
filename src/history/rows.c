// Many samples of one number at a time, as a record of rows has them.
#include "base/le.h"
#include "history/internal.h"

#include <assert.h>

// How many of the rows, from the first on, rise and lie between two times.
static size_t rising_between(const uint8_t *times, size_t n, gm_time_ns after, gm_time_ns before)
{
    size_t i = 0;
    for (; i < n; i++) {
        gm_time_ns at = gm_get_i64(times + i * 8);
        if (at <= after || at >= before) break;
        after = at;
    }
    return i;
}

// As many as belong next to each other in the open run, and fit into it: nearly always behind its newest sample; requests that
// overtook one another bring rows that lie before some.
static size_t put_rows(gm_history *h, gm_series *s, gm_kind kind, const uint8_t *times, const uint8_t *values, size_t n)
{
    gm_run *run = s->is_large ? s->large.open : NULL;
    if (run == NULL || run->n == 0 || run->kind != kind) return 0;
    size_t    room  = run->capacity - run->n, place = gm_run_find(run, gm_get_i64(times));
    uint64_t *stamp = gm_run_stamp(run) + place, *bits = gm_run_bits(run) + place;
    if (place == 0 || room == 0) return 0;  // before all of it: perhaps among what is sealed
    size_t behind = run->n - place;
    // Later than a sample, so not before GM_TIME_MIN. A time that is there already is none of these.
    size_t count = rising_between(times, n < room ? n : room, gm_stamp_time(stamp[-1]), behind > 0 ? gm_stamp_time(*stamp) : GM_TIME_MAX + 1);
    if (behind > 0) {
        memmove(stamp + count, stamp, behind * sizeof *stamp);
        memmove(bits + count, bits, behind * sizeof *bits);
    }
    for (size_t i = 0; i < count; i++) stamp[i] = gm_stamp(gm_get_i64(times + i * 8), false);
    memcpy(bits, values, count * sizeof *bits);
    run->n += (uint32_t)count;
    s->large.n += count;
    h->stats.samples += count;
    return count;
}

gm_status gm_history_append_rows(gm_history *h, uint32_t twin, uint32_t column, const gm_sample *begin, gm_kind kind,
                                 const uint8_t *times, const uint8_t *values, size_t n, gm_error *err)
{
    assert(kind == GM_KIND_INT || kind == GM_KIND_DOUBLE);
    uint32_t         id = gm_series_find(&h->table, twin, column);
    const gm_series *s  = id != GM_INDEX_NONE ? gm_series_at(&h->table, id) : NULL;
    bool             empty = s == NULL || (s->is_large ? s->large.n : s->small_n) == 0;
    if (empty && begin != NULL && begin->at != gm_get_i64(times) && !gm_history_has(h, twin, column)) {
        gm_status st = gm_history_append(h, twin, column, begin->at, begin->value, NULL, err);
        if (st != GM_OK) return st;
    }
    for (size_t i = 0; i < n; i++) {
        if (id != GM_INDEX_NONE) i += put_rows(h, gm_series_at(&h->table, id), kind, times + i * 8, values + i * 8, n - i);
        if (i == n) break;
        // What begins a series or a run, fills one, is late or is there already.
        gm_value value = { .kind = kind };
        if (kind == GM_KIND_DOUBLE) value.d = gm_get_f64(values + i * 8);
        else value.i = gm_get_i64(values + i * 8);
        gm_status st = gm_history_append(h, twin, column, gm_get_i64(times + i * 8), value, NULL, err);
        if (st != GM_OK) return st;
        if (id == GM_INDEX_NONE) id = gm_series_find(&h->table, twin, column);
    }
    return GM_OK;
}

uint32_t gm_history_expect(const gm_history *h, uint32_t twin, uint32_t column)
{
    uint32_t id = gm_series_find(&h->table, twin, column);
    if (id == GM_INDEX_NONE) return id;
    const gm_series *s = gm_series_at(&h->table, id);
    if (s->is_large && s->large.open != NULL) __builtin_prefetch(s->large.open, 1);
    return id;
}

void gm_history_expect_append(const gm_history *h, uint32_t series)
{
    const gm_series *s = gm_series_at(&h->table, series);
    if (!s->is_large || s->large.open == NULL || s->large.open->n == 0) return;
    gm_run   *run   = s->large.open;
    uint64_t *stamp = gm_run_stamp(run) + run->n - 1, *bits = gm_run_bits(run) + run->n;
    __builtin_prefetch(stamp, 1);  // the rows of a record are a line or two
    __builtin_prefetch(stamp + 8, 1);
    __builtin_prefetch(bits, 1);
    __builtin_prefetch(bits + 8, 1);
}
