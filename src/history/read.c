// Reading: the blocks of a series, then its open run, in order of time.
#include "history/decimal.h"
#include "history/internal.h"
#include "history/rollup.h"

#include <assert.h>

gm_samples gm_series_newest(const gm_series *s)
{
    if (!s->is_large) {
        return (gm_samples){ .kind = (gm_kind)s->small_kind, .n = s->small_n, .stamp = s->small.stamp, .bits = s->small.bits };
    }
    if (s->large.open == NULL) return (gm_samples){ 0 };
    return gm_run_samples(s->large.open, 0, s->large.open->n);
}

gm_blocks *gm_series_blocks(const gm_series *s)
{
    return s->is_large && s->large.blocks != NULL && s->large.blocks->count > 0 ? s->large.blocks : NULL;
}

const gm_series *gm_history_series(const gm_history *h, uint32_t twin, uint32_t column)
{
    uint32_t id = gm_series_find(&h->table, twin, column);
    return id != GM_INDEX_NONE ? gm_series_at(&h->table, id) : NULL;
}

size_t gm_samples_from(const gm_samples *samples, gm_time_ns at)
{
    size_t low = 0, high = samples->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (gm_stamp_time(samples->stamp[middle]) < at) low = middle + 1;
        else high = middle;
    }
    return low;
}

uint64_t gm_history_count(const gm_history *h, uint32_t twin, uint32_t column)
{
    const gm_series *s = gm_history_series(h, twin, column);
    if (s == NULL) return 0;
    return s->is_large ? s->large.n : s->small_n;
}

bool gm_history_has(const gm_history *h, uint32_t twin, uint32_t column)
{
    return gm_history_count(h, twin, column) > 0 || gm_history_count(h, twin, gm_rollup_column(column, GM_ROLLUP_COUNT)) > 0;
}

// ---- range ----------------------------------------------------------------------------------------------------------

// False: the reader has enough.
static bool give(const gm_samples *samples, gm_time_ns from, gm_time_ns to, gm_history_each *each, void *context)
{
    for (size_t i = gm_samples_from(samples, from); i < samples->n && gm_stamp_time(samples->stamp[i]) < to; i++) {
        gm_sample sample = gm_samples_at(samples, i);
        if (!each(context, &sample)) return false;
    }
    return true;
}

gm_status gm_history_read(const gm_history *h, uint32_t twin, uint32_t column, gm_time_ns from, gm_time_ns to,
                          gm_history_each *each, void *context, gm_error *err)
{
    const gm_series *s = gm_history_series(h, twin, column);
    if (s == NULL) return GM_OK;
    const gm_blocks *b = gm_series_blocks(s);
    for (size_t i = b != NULL ? gm_blocks_find(b, from) : 0; b != NULL && i < b->count && b->items[i].first_at < to; i++) {
        if (b->items[i].last_at < from) continue;
        gm_samples samples;
        gm_status  st = gm_history_open_block(h, s, i, &samples, err);
        if (st != GM_OK) return st;
        if (!give(&samples, from, to, each, context)) return GM_OK;
    }
    gm_samples newest = gm_series_newest(s);
    give(&newest, from, to, each, context);
    return GM_OK;
}

// ---- as of ------------------------------------------------------------------------------------------------------------

gm_status gm_history_as_of(const gm_history *h, uint32_t twin, uint32_t column, gm_time_ns time, gm_sample *out_sample,
                           gm_error *err)
{
    *out_sample        = (gm_sample){ 0 };
    const gm_series *s = gm_history_series(h, twin, column);
    if (s == NULL) return GM_OK;
    gm_samples       samples = gm_series_newest(s);
    const gm_blocks *b       = gm_series_blocks(s);
    if ((samples.n == 0 || gm_stamp_time(samples.stamp[0]) > time) && b != NULL) {
        gm_status st = gm_history_open_block(h, s, gm_blocks_find(b, time), &samples, err);
        if (st != GM_OK) return st;
    }
    size_t behind = gm_samples_from(&samples, time);
    if (behind < samples.n && gm_stamp_time(samples.stamp[behind]) == time) behind++;
    if (behind > 0) *out_sample = gm_samples_at(&samples, behind - 1);
    return GM_OK;
}

gm_history_stats gm_history_statistics(const gm_history *h)
{
    gm_history_stats       stats = h->stats;
    const gm_series_table *t     = &h->table;
    stats.series                 = t->live;
    stats.file_bytes             = h->files != NULL ? gm_files_bytes(h->files) : 0;
    stats.files                  = h->files != NULL ? gm_files_count(h->files) : 0;
    stats.index_bytes += t->chunk_count * GM_SERIES_CHUNK * sizeof(gm_series) + t->chunk_capacity * sizeof *t->chunks;
    stats.index_bytes += gm_index_bytes(&t->by_key) + gm_index_bytes(&t->by_twin);
    return stats;
}
