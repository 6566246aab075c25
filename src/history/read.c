// Reading: the blocks of a series, then its open run, in order of time.
#include "history/decimal.h"
#include "history/internal.h"

#include <assert.h>

// What a series holds outside of blocks: two samples in its record, or the open run.
static gm_samples newest_of(const gm_series *s)
{
    if (!s->is_large) {
        return (gm_samples){ .kind = (gm_kind)s->small_kind, .n = s->small_n, .stamp = s->small.stamp, .bits = s->small.bits };
    }
    if (s->large.open == NULL) return (gm_samples){ 0 };
    return gm_run_samples(s->large.open, 0, s->large.open->n);
}

static const gm_blocks *blocks_of(const gm_series *s)
{
    return s->is_large && s->large.blocks != NULL && s->large.blocks->count > 0 ? s->large.blocks : NULL;
}

static const gm_series *find(const gm_history *h, uint32_t twin, uint32_t column)
{
    uint32_t id = gm_series_find(&h->table, twin, column);
    return id != GM_INDEX_NONE ? gm_series_at(&h->table, id) : NULL;
}

// The first sample with a time >= at.
static size_t first_from(const gm_samples *samples, gm_time_ns at)
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
    const gm_series *s = find(h, twin, column);
    if (s == NULL) return 0;
    return s->is_large ? s->large.n : s->small_n;
}

bool gm_history_has(const gm_history *h, uint32_t twin, uint32_t column)
{
    return gm_history_count(h, twin, column) > 0;
}

// ---- range ----------------------------------------------------------------------------------------------------------

// False: the reader has enough.
static bool give(const gm_samples *samples, gm_time_ns from, gm_time_ns to, gm_history_each *each, void *context)
{
    for (size_t i = first_from(samples, from); i < samples->n && gm_stamp_time(samples->stamp[i]) < to; i++) {
        gm_sample sample = gm_samples_at(samples, i);
        if (!each(context, &sample)) return false;
    }
    return true;
}

gm_status gm_history_read(const gm_history *h, uint32_t twin, uint32_t column, gm_time_ns from, gm_time_ns to,
                          gm_history_each *each, void *context, gm_error *err)
{
    const gm_series *s = find(h, twin, column);
    if (s == NULL) return GM_OK;
    const gm_blocks *b = blocks_of(s);
    for (size_t i = b != NULL ? gm_blocks_find(b, from) : 0; b != NULL && i < b->count && b->items[i].first_at < to; i++) {
        if (b->items[i].last_at < from) continue;
        gm_samples samples;
        gm_status  st = gm_history_open_block(h, s, i, &samples, err);
        if (st != GM_OK) return st;
        if (!give(&samples, from, to, each, context)) return GM_OK;
    }
    gm_samples newest = newest_of(s);
    give(&newest, from, to, each, context);
    return GM_OK;
}

// ---- as of ------------------------------------------------------------------------------------------------------------

gm_status gm_history_as_of(const gm_history *h, uint32_t twin, uint32_t column, gm_time_ns time, gm_sample *out_sample,
                           gm_error *err)
{
    *out_sample        = (gm_sample){ 0 };
    const gm_series *s = find(h, twin, column);
    if (s == NULL) return GM_OK;
    gm_samples       samples = newest_of(s);
    const gm_blocks *b       = blocks_of(s);
    if ((samples.n == 0 || gm_stamp_time(samples.stamp[0]) > time) && b != NULL) {
        gm_status st = gm_history_open_block(h, s, gm_blocks_find(b, time), &samples, err);
        if (st != GM_OK) return st;
    }
    size_t behind = first_from(&samples, time);
    if (behind < samples.n && gm_stamp_time(samples.stamp[behind]) == time) behind++;
    if (behind > 0) *out_sample = gm_samples_at(&samples, behind - 1);
    return GM_OK;
}

// ---- buckets ----------------------------------------------------------------------------------------------------------

__extension__ typedef __int128 wide;

typedef struct filling {
    gm_bucket *buckets;  // [n]
    size_t     n, at;    // at: the bucket of the last sample
    gm_time_ns from, to;
} filling;

// Moves to the bucket of a time in [from, to); times rise from call to call.
static gm_bucket *bucket_of(filling *f, gm_time_ns time)
{
    if (f->at + 1 < f->n && time >= f->buckets[f->at + 1].from) {
        // One step is the usual case. After a gap the place is computed; rounding may leave it one too low.
        f->at++;
        if (f->at + 1 < f->n && time >= f->buckets[f->at + 1].from) {
            f->at = (size_t)(((wide)time - f->from) * (wide)f->n / ((wide)f->to - f->from));
            while (f->at + 1 < f->n && time >= f->buckets[f->at + 1].from) f->at++;
        }
    }
    return &f->buckets[f->at];
}

static void add_summary(gm_bucket *bucket, const gm_block_summary *sum)
{
    if (bucket->count == 0 || sum->min < bucket->min) bucket->min = sum->min;
    if (bucket->count == 0 || sum->max > bucket->max) bucket->max = sum->max;
    bucket->sum += sum->sum;
    bucket->count += sum->values;
    bucket->last    = sum->last;
    bucket->last_at = sum->last_value_at;
}

// The values i..end, all in one bucket, from arrays whose kind is known.
static void add_run(gm_bucket *bucket, const gm_samples *samples, size_t i, size_t end)
{
    gm_block_summary sum       = { 0 };
    bool             is_double = samples->kind == GM_KIND_DOUBLE;
    for (; i < end; i++) {
        if (gm_stamp_removed(samples->stamp[i])) continue;
        double x = is_double ? gm_double_of(samples->bits[i]) : (double)(int64_t)samples->bits[i];
        if (sum.values == 0) sum.min = sum.max = x;
        sum.min = x < sum.min ? x : sum.min;
        sum.max = x > sum.max ? x : sum.max;
        sum.sum += x;
        sum.values++;
        sum.last          = x;
        sum.last_value_at = gm_stamp_time(samples->stamp[i]);
    }
    if (sum.values > 0) add_summary(bucket, &sum);
}

static gm_status add_samples(filling *f, const gm_samples *samples, gm_error *err)
{
    size_t i = first_from(samples, f->from), behind = first_from(samples, f->to);
    while (i < behind) {
        gm_bucket *bucket = bucket_of(f, gm_stamp_time(samples->stamp[i]));
        gm_time_ns next   = f->at + 1 < f->n ? f->buckets[f->at + 1].from : f->to;
        size_t     end    = i + 1;
        while (end < behind && gm_stamp_time(samples->stamp[end]) < next) end++;
        if (gm_kind_is_text(samples->kind)) {
            for (; i < end && gm_stamp_removed(samples->stamp[i]); i++) {}
            if (i < end) return gm_fail(err, GM_INVALID, "history", "text can not be put into buckets");
        } else {
            add_run(bucket, samples, i, end);
        }
        i = end;
    }
    return GM_OK;
}

// A whole block from its sums when it lies in one bucket. *out_done false: it has to be decoded.
static gm_status add_whole(filling *f, const gm_sealed *block, bool *out_done, gm_error *err)
{
    *out_done = false;
    if (block->where == GM_THAWED || block->first_at < f->from || block->last_at >= f->to) return GM_OK;
    gm_bucket *bucket = bucket_of(f, block->first_at);
    if (f->at + 1 < f->n && block->last_at >= f->buckets[f->at + 1].from) return GM_OK;
    *out_done = true;
    if (block->values == 0) return GM_OK;
    if (gm_kind_is_text((gm_kind)block->kind)) return gm_fail(err, GM_INVALID, "history", "text can not be put into buckets");
    gm_block_summary sum = { .values = block->values, .min = block->min, .max = block->max, .sum = block->sum,
                             .last = block->last, .last_value_at = block->last_value_at };
    add_summary(bucket, &sum);
    return GM_OK;
}

gm_status gm_history_buckets(const gm_history *h, uint32_t twin, uint32_t column, gm_time_ns from, gm_time_ns to,
                             size_t n, gm_bucket *out_buckets, gm_error *err)
{
    if (n == 0 || to <= from) return gm_fail(err, GM_INVALID, "history", "a range of no length has no buckets");
    for (size_t i = 0; i < n; i++) {
        out_buckets[i] = (gm_bucket){ .from = (gm_time_ns)(from + ((wide)to - from) * (wide)i / (wide)n) };
    }
    const gm_series *s = find(h, twin, column);
    if (s == NULL) return GM_OK;
    filling          f = { .buckets = out_buckets, .n = n, .from = from, .to = to };
    const gm_blocks *b = blocks_of(s);
    for (size_t i = b != NULL ? gm_blocks_find(b, from) : 0; b != NULL && i < b->count && b->items[i].first_at < to; i++) {
        if (b->items[i].last_at < from) continue;
        bool       done;
        gm_samples samples;
        gm_status  st = add_whole(&f, &b->items[i], &done, err);
        if (st == GM_OK && !done) st = gm_history_open_block(h, s, i, &samples, err);
        if (st == GM_OK && !done) st = add_samples(&f, &samples, err);
        if (st != GM_OK) return st;
    }
    gm_samples newest = newest_of(s);
    return add_samples(&f, &newest, err);
}

gm_history_stats gm_history_statistics(const gm_history *h)
{
    gm_history_stats       stats = h->stats;
    const gm_series_table *t     = &h->table;
    stats.series                 = t->live;
    stats.file_bytes             = h->files != NULL ? gm_files_bytes(h->files) : 0;
    stats.files                  = h->files != NULL ? gm_files_count(h->files) : 0;
    stats.index_bytes += t->chunk_count * GM_SERIES_CHUNK * sizeof(gm_series) + t->chunk_capacity * sizeof *t->chunks;
    if (t->by_key.slots != NULL) stats.index_bytes += (t->by_key.mask + 1) * sizeof(gm_index_slot);
    if (t->by_twin.slots != NULL) stats.index_bytes += (t->by_twin.mask + 1) * sizeof(gm_index_slot);
    return stats;
}
