// Ranges as buckets, from sums as far as these go: of a group of blocks, of a block, else of the samples.
#include "history/decimal.h"
#include "history/internal.h"
#include "history/levels.h"
#include "history/rollup.h"

__extension__ typedef __int128 wide;

enum { SNAP = 4 };  // a block may move an edge when it is so many times shorter than a bucket

typedef struct filling {
    gm_bucket *buckets;  // [n]
    size_t     n, at;    // at: the bucket of the last sample
    gm_time_ns from, to;
    gm_dur_ns  snap;     // blocks up to this length are not cut by an edge, the edge moves; -1: edges stay
} filling;

// What is added to a bucket: the sums of some samples that follow each other.
typedef struct sums {
    uint64_t   values;
    double     min, max, sum, last;
    gm_time_ns min_at, max_at, last_value_at, removed_at;
} sums;

static gm_time_ns end_of(const filling *f) { return f->at + 1 < f->n ? f->buckets[f->at + 1].from : f->to; }

// Moves to the bucket of a time in [from, to); times rise from call to call. An edge that has moved lies beside a block that
// was given already, so that for any later time the computed place is right or too low.
static gm_bucket *bucket_of(filling *f, gm_time_ns time)
{
    if (time >= end_of(f)) {
        // One step is the usual case. After a gap the place is computed; rounding may leave it one too low.
        f->at++;
        if (time >= end_of(f)) {
            size_t place = (size_t)(((wide)time - f->from) * (wide)f->n / ((wide)f->to - f->from));
            if (place > f->at) f->at = place;
            while (f->at + 1 < f->n && time >= f->buckets[f->at + 1].from) f->at++;
        }
    }
    return &f->buckets[f->at];
}

static void add_sums(gm_bucket *bucket, const sums *s)
{
    if (s->values == 0) {
        if (s->removed_at != 0) bucket->removed_at = s->removed_at;
        return;
    }
    if (bucket->count == 0 || s->min < bucket->min) {
        bucket->min    = s->min;
        bucket->min_at = s->min_at;
    }
    if (bucket->count == 0 || s->max > bucket->max) {
        bucket->max    = s->max;
        bucket->max_at = s->max_at;
    }
    bucket->sum += s->sum;
    bucket->count += s->values;
    bucket->last    = s->last;
    bucket->last_at = s->last_value_at;
}

// The samples i..end, from arrays whose kind is known.
static sums sums_of(const gm_samples *samples, size_t i, size_t end)
{
    sums s         = { 0 };
    bool is_double = samples->kind == GM_KIND_DOUBLE;
    for (; i < end; i++) {
        gm_time_ns at = gm_stamp_time(samples->stamp[i]);
        if (gm_stamp_removed(samples->stamp[i])) {
            s.removed_at = at;
            continue;
        }
        double x = is_double ? gm_double_of(samples->bits[i]) : (double)(int64_t)samples->bits[i];
        if (s.values == 0 || x < s.min) {
            s.min    = x;
            s.min_at = at;
        }
        if (s.values == 0 || x > s.max) {
            s.max    = x;
            s.max_at = at;
        }
        s.sum += x;
        s.values++;
        s.last          = x;
        s.last_value_at = at;
    }
    return s;
}

void gm_samples_extremes(const gm_samples *samples, gm_time_ns *out_min_at, gm_time_ns *out_max_at)
{
    sums s      = sums_of(samples, 0, samples->n);
    *out_min_at = s.min_at;
    *out_max_at = s.max_at;
}

static gm_status no_text(gm_error *err) { return gm_fail(err, GM_INVALID, "history", "text can not be put into buckets"); }

static gm_status add_samples(filling *f, const gm_samples *samples, gm_error *err)
{
    size_t i = gm_samples_from(samples, f->from), behind = gm_samples_from(samples, f->to);
    while (i < behind) {
        gm_bucket *bucket = bucket_of(f, gm_stamp_time(samples->stamp[i]));
        gm_time_ns next   = end_of(f);
        size_t     end    = i + 1;
        while (end < behind && gm_stamp_time(samples->stamp[end]) < next) end++;
        if (gm_kind_is_text(samples->kind)) {
            for (; i < end && gm_stamp_removed(samples->stamp[i]); i++) bucket->removed_at = gm_stamp_time(samples->stamp[i]);
            if (i < end) return no_text(err);
        } else {
            sums s = sums_of(samples, i, end);
            add_sums(bucket, &s);
        }
        i = end;
    }
    return GM_OK;
}

// The bucket in which a stretch of blocks lies as a whole; NULL: in none. For a short block the edge makes way.
static gm_bucket *bucket_of_whole(filling *f, gm_time_ns first_at, gm_time_ns last_at, gm_dur_ns snap)
{
    if (first_at < f->from || last_at >= f->to) return NULL;
    gm_bucket *bucket = bucket_of(f, first_at);
    gm_time_ns edge   = end_of(f);
    if (last_at < edge) return bucket;
    if (last_at - first_at > snap || bucket->from == first_at) return NULL;
    gm_bucket *next = bucket + 1;
    if (edge - first_at > last_at - edge) {
        next->from = last_at + 1;
        return bucket;
    }
    next->from = first_at;
    f->at++;
    return next;
}

// A whole block from its sums. *out_done false: it has to be decoded.
static gm_status add_whole(filling *f, const gm_sealed *b, bool *out_done, gm_error *err)
{
    *out_done = false;
    if (gm_sealed_plain(b) || (b->values > 0 && b->min_at == GM_EXTREME_UNKNOWN)) return GM_OK;
    gm_bucket *bucket = bucket_of_whole(f, b->first_at, b->last_at, f->snap);
    if (bucket == NULL) return GM_OK;
    *out_done = true;
    if (b->values > 0 && gm_kind_is_text((gm_kind)b->kind)) return no_text(err);
    add_sums(bucket, &(sums){ b->values, b->min, b->max, b->sum, b->last, b->min_at, b->max_at, b->last_value_at,
                              b->values == 0 ? b->last_at : 0 });
    return GM_OK;
}

static bool add_level(filling *f, const gm_level *l)
{
    gm_bucket *bucket = bucket_of_whole(f, l->first_at, l->last_at, -1);
    if (bucket == NULL) return false;
    add_sums(bucket, &(sums){ l->values, l->min, l->max, l->sum, l->last, l->min_at, l->max_at, l->last_value_at,
                              l->values == 0 ? l->last_at : 0 });
    return true;
}

static gm_status add_blocks(filling *f, gm_history *h, const gm_series *s, gm_blocks *b, gm_error *err)
{
    gm_levels_make(h->alloc, b, &h->stats.index_bytes);
    size_t i = gm_blocks_find(b, f->from);
    while (i < b->count && b->items[i].first_at < f->to) {
        const gm_level *level = gm_levels_at(b, i);
        if (level != NULL && add_level(f, level)) {
            i += GM_LEVEL_BLOCKS;
            continue;
        }
        gm_sealed *block = &b->items[i];
        bool       done  = block->last_at < f->from;
        gm_samples samples;
        gm_status  st = done ? GM_OK : add_whole(f, block, &done, err);
        if (st == GM_OK && !done) {
            st = gm_history_open_block(h, s, i, &samples, err);
            // An old checkpoint does not say when the extremes were; now we know.
            bool unknown = block->min_at == GM_EXTREME_UNKNOWN && !gm_sealed_plain(block) && !gm_kind_is_text(samples.kind);
            if (st == GM_OK && unknown) gm_samples_extremes(&samples, &block->min_at, &block->max_at);
            if (st == GM_OK && unknown) gm_levels_fall(b, i);
            if (st == GM_OK) st = add_samples(f, &samples, err);
        }
        if (st != GM_OK) return st;
        i++;
    }
    return GM_OK;
}

static gm_status fill_series(gm_history *h, uint32_t twin, uint32_t column, filling *f, gm_error *err)
{
    for (size_t i = 0; i < f->n; i++) {
        f->buckets[i] = (gm_bucket){ .from = (gm_time_ns)(f->from + ((wide)f->to - f->from) * (wide)i / (wide)f->n) };
    }
    const gm_series *s = gm_history_series(h, twin, column);
    if (s == NULL) return GM_OK;
    gm_blocks *b = gm_series_blocks(s);
    if (b != NULL) {
        gm_status st = add_blocks(f, h, s, b, err);
        if (st != GM_OK) return st;
    }
    gm_samples newest = gm_series_newest(s);
    return add_samples(f, &newest, err);
}

// Into a bucket of samples goes what a series of rollups has in the same bucket; the count last, since until then it tells
// whether there are samples.
static void add_rollup(gm_bucket *b, gm_rollup which, const gm_bucket *r)
{
    if (r->count == 0) return;
    if (b->count == 0) b->from = r->from;
    if (which == GM_ROLLUP_COUNT) b->count += (uint64_t)r->sum;
    if (which == GM_ROLLUP_SUM) b->sum += r->sum;
    if (which == GM_ROLLUP_MIN && (b->count == 0 || r->min < b->min)) {
        b->min    = r->min;
        b->min_at = r->min_at;
    }
    if (which == GM_ROLLUP_MAX && (b->count == 0 || r->max > b->max)) {
        b->max    = r->max;
        b->max_at = r->max_at;
    }
}

// Which entry of a bucket's rollups has the last value: usually the newest one, but one of late samples stands behind others
// whose last is later.
typedef struct gm_last_entry { gm_time_ns at, newest, when; } gm_last_entry;  // its time; the newest one's; of the value (to 256 ns)

static gm_status add_last(gm_history *h, uint32_t twin, uint32_t column, gm_bucket *b, const gm_bucket *r, const gm_last_entry *entry,
                          gm_error *err)
{
    if (r->count == 0) return GM_OK;
    bool       told = entry->newest >= r->last_at;  // else the newest entry is of an older program
    gm_time_ns when = told ? entry->when : r->last_at;
    if (b->count > 0 && when <= b->last_at) return GM_OK;
    b->last    = r->last;
    b->last_at = when;
    if (!told || entry->at == r->last_at) return GM_OK;
    gm_sample sample;
    gm_status st = gm_history_as_of(h, twin, gm_rollup_column(column, GM_ROLLUP_LAST), entry->at, &sample, err);
    if (st == GM_OK && sample.value.kind == GM_KIND_DOUBLE) b->last = sample.value.d;
    return st;
}

// All stand at the same times in blocks of the same lengths, so that edges move alike.
static gm_status add_rollups(gm_history *h, uint32_t twin, uint32_t column, const filling *f, gm_error *err)
{
    if (gm_history_series(h, twin, gm_rollup_column(column, GM_ROLLUP_COUNT)) == NULL) return GM_OK;
    gm_bucket     *rolled = gm_alloc_array(h->alloc, f->n, sizeof *rolled);
    gm_last_entry *lasts  = gm_alloc_array(h->alloc, f->n, sizeof *lasts);
    gm_status      st     = rolled != NULL && lasts != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "history", "%zu buckets", f->n);
    for (int which = GM_ROLLUP_PARTS; st == GM_OK && which-- > 0;) {
        filling g = { .buckets = rolled, .n = f->n, .from = f->from, .to = f->to, .snap = f->snap };
        st        = fill_series(h, twin, gm_rollup_column(column, (gm_rollup)which), &g, err);
        for (size_t i = 0; st == GM_OK && i < f->n; i++) {
            const gm_bucket *r = &rolled[i];
            if (which == GM_ROLLUP_LAST_AT) {
                lasts[i] = r->count > 0 ? (gm_last_entry){ r->max_at, r->last_at, (gm_time_ns)r->max } : (gm_last_entry){ 0 };
            } else if (which == GM_ROLLUP_LAST) {
                st = add_last(h, twin, column, &f->buckets[i], r, &lasts[i], err);
            } else {
                add_rollup(&f->buckets[i], (gm_rollup)which, r);
            }
        }
    }
    gm_free(h->alloc, rolled);
    gm_free(h->alloc, lasts);
    return st;
}

static gm_status fill(gm_history *h, uint32_t twin, uint32_t column, filling *f, gm_error *err)
{
    if (f->n == 0 || f->to <= f->from) return gm_fail(err, GM_INVALID, "history", "a range of no length has no buckets");
    gm_status st = fill_series(h, twin, column, f, err);
    return st == GM_OK ? add_rollups(h, twin, column, f, err) : st;
}

gm_status gm_history_buckets(gm_history *h, uint32_t twin, uint32_t column, gm_time_ns from, gm_time_ns to,
                             size_t n, gm_bucket *out_buckets, gm_error *err)
{
    filling f = { .buckets = out_buckets, .n = n, .from = from, .to = to, .snap = -1 };
    return fill(h, twin, column, &f, err);
}

gm_status gm_history_outline(gm_history *h, uint32_t twin, uint32_t column, gm_time_ns from, gm_time_ns to,
                             size_t n, gm_bucket *out_buckets, gm_error *err)
{
    filling f = { .buckets = out_buckets, .n = n, .from = from, .to = to };
    if (n > 0) f.snap = (gm_dur_ns)(((wide)to - from) / (wide)n / SNAP);
    return fill(h, twin, column, &f, err);
}

// ---- how much there is ----------------------------------------------------------------------------------------------

typedef struct extent { uint64_t count; gm_time_ns first, last; } extent;

static void extend(extent *e, uint64_t n, gm_time_ns first, gm_time_ns last)
{
    if (n == 0) return;
    if (e->count == 0) e->first = first;
    e->count += n;
    e->last = last;
}

static void extend_samples(extent *e, const gm_samples *samples, gm_time_ns from, gm_time_ns to)
{
    size_t i = gm_samples_from(samples, from), end = gm_samples_from(samples, to);
    if (i < end) extend(e, end - i, gm_stamp_time(samples->stamp[i]), gm_stamp_time(samples->stamp[end - 1]));
}

static gm_status extend_series(const gm_history *h, const gm_series *s, gm_time_ns from, gm_time_ns to, extent *e, gm_error *err)
{
    const gm_blocks *b = gm_series_blocks(s);
    for (size_t i = b != NULL ? gm_blocks_find(b, from) : 0; b != NULL && i < b->count && b->items[i].first_at < to; i++) {
        const gm_sealed *block = &b->items[i];
        if (block->last_at < from) continue;
        if (block->first_at >= from && block->last_at < to) {
            extend(e, block->n, block->first_at, block->last_at);
            continue;
        }
        gm_samples samples;
        gm_status  st = gm_history_open_block(h, s, i, &samples, err);
        if (st != GM_OK) return st;
        extend_samples(e, &samples, from, to);
    }
    gm_samples newest = gm_series_newest(s);
    extend_samples(e, &newest, from, to);
    return GM_OK;
}

gm_status gm_history_extent(gm_history *h, uint32_t twin, uint32_t column, gm_time_ns from, gm_time_ns to,
                            uint64_t *out_count, gm_time_ns *out_first, gm_time_ns *out_last, gm_error *err)
{
    extent           e = { 0 }, rolled = { 0 };
    const gm_series *s = gm_history_series(h, twin, column);
    const gm_series *r = gm_history_series(h, twin, gm_rollup_column(column, GM_ROLLUP_COUNT));
    gm_status        st = s != NULL ? extend_series(h, s, from, to, &e, err) : GM_OK;
    if (st == GM_OK && r != NULL) st = extend_series(h, r, from, to, &rolled, err);
    if (st == GM_OK && rolled.count > 0) {
        // Entries are counted by what they stand for.
        gm_bucket all;
        filling   f   = { .buckets = &all, .n = 1, .from = rolled.first, .to = rolled.last + 1, .snap = -1 };
        st            = fill_series(h, twin, gm_rollup_column(column, GM_ROLLUP_COUNT), &f, err);
        if (e.count == 0 || rolled.first < e.first) e.first = rolled.first;
        if (e.count == 0 || rolled.last > e.last) e.last = rolled.last;
        e.count += (uint64_t)all.sum;
    }
    *out_count = e.count;
    *out_first = e.first;
    *out_last  = e.last;
    return st;
}
