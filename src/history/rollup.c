#include "history/rollup.h"

#include "history/decimal.h"
#include "history/internal.h"

typedef struct part {
    gm_time_ns at;
    bool       ours;  // appended by this attempt
    int64_t    count;
    gm_time_ns last_at;
    double     sum, min, max, last;
} part;

// The values of a block of numbers, stretch by stretch. out has room for as many as there are samples.
static size_t parts_of(const gm_samples *samples, gm_dur_ns length, part *out)
{
    size_t     n         = 0;
    bool       is_double = samples->kind == GM_KIND_DOUBLE;
    gm_time_ns until     = INT64_MIN;
    for (size_t i = 0; i < samples->n; i++) {
        if (gm_stamp_removed(samples->stamp[i])) continue;
        gm_time_ns at = gm_stamp_time(samples->stamp[i]);
        double     x  = is_double ? gm_double_of(samples->bits[i]) : (double)(int64_t)samples->bits[i];
        if (at >= until) {
            gm_dur_ns left = length - at % length;  // times are not negative
            until          = at <= INT64_MAX - left ? at + left : INT64_MAX;
            out[n++]       = (part){ .at = at, .min = x, .max = x };
        }
        part *p = &out[n - 1];
        p->count++;
        p->sum += x;
        p->min  = x < p->min ? x : p->min;
        p->max  = x > p->max ? x : p->max;
        p->last = x;
        p->last_at = at;
    }
    return n;
}

static gm_status look(gm_history *h, uint32_t twin, uint32_t column, gm_rollup which, gm_time_ns at, bool *out_there, double *out_x,
                      gm_error *err)
{
    gm_sample sample;
    gm_status st = gm_history_as_of(h, twin, gm_rollup_column(column, which), at, &sample, err);
    *out_there   = st == GM_OK && sample.value.kind != GM_KIND_NONE && sample.at == at;
    *out_x       = sample.value.kind == GM_KIND_DOUBLE ? sample.value.d : (double)sample.value.i;
    return st;
}

// Where an entry goes: at its first sample. When one stands there already it is this one, from an attempt that did not come
// to its end (*out_there), or one of samples that were corrected afterwards: then the next nanosecond.
static gm_status find_room(gm_history *h, uint32_t twin, uint32_t column, part *p, bool *out_there, gm_error *err)
{
    const double numbers[GM_ROLLUP_PARTS] = { (double)p->count, p->sum, p->min, p->max, p->last, (double)p->last_at };
    for (;; p->at++) {
        bool same = true;
        for (int i = 0; same && i < GM_ROLLUP_PARTS; i++) {
            double    x;
            gm_status st = look(h, twin, column, (gm_rollup)i, p->at, out_there, &x, err);
            if (st != GM_OK || (i == 0 && !*out_there)) return st;
            same = *out_there && gm_bits_of(x) == gm_bits_of(numbers[i]);
        }
        if (same) return GM_OK;
    }
}

// The count comes last: an entry without it is none yet, and is written over by the next attempt.
static gm_status append(gm_history *h, uint32_t twin, uint32_t column, part *p, gm_error *err)
{
    bool      there;
    gm_status st = find_room(h, twin, column, p, &there, err);
    if (st != GM_OK || there) return st;
    p->ours = true;
    const double numbers[GM_ROLLUP_PARTS] = { (double)p->count, p->sum, p->min, p->max, p->last, (double)p->last_at };
    for (int i = GM_ROLLUP_PARTS; st == GM_OK && i-- > 0;) {
        gm_value value = { .kind = GM_KIND_DOUBLE, .d = numbers[i] };
        if (i == GM_ROLLUP_COUNT) value = (gm_value){ .kind = GM_KIND_INT, .i = p->count };
        if (i == GM_ROLLUP_LAST_AT) value = (gm_value){ .kind = GM_KIND_INT, .i = p->last_at };
        st = gm_history_append(h, twin, gm_rollup_column(column, (gm_rollup)i), p->at, value, NULL, err);
    }
    return st;
}

// An attempt that fails leaves nothing that would count beside the block: removals take the places of its entries, and are
// written over by the next attempt. Usually this needs no memory, since the newest samples are open.
static void withdraw(gm_history *h, uint32_t twin, uint32_t column, const part *parts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; parts[i].ours && k < GM_ROLLUP_PARTS; k++) {
            bool   there;
            double x;
            gm_status st = look(h, twin, column, (gm_rollup)k, parts[i].at, &there, &x, NULL);
            if (st == GM_OK && there) {
                st = gm_history_append(h, twin, gm_rollup_column(column, (gm_rollup)k), parts[i].at, (gm_value){ 0 }, NULL, NULL);
            }
            (void)st;  // then it counts twice until the next attempt
        }
    }
}

gm_status gm_rollup_block(gm_history *h, uint32_t id, size_t block, gm_dur_ns length, gm_error *err)
{
    const gm_series *s    = gm_series_at(&h->table, id);
    const gm_sealed *item = &s->large.blocks->items[block];
    uint32_t         twin = s->twin, column = s->column;
    if (item->values == 0 || gm_kind_is_text((gm_kind)item->kind)) return GM_OK;
    // Samples are viewed in the working memory that appending uses too, so what they come to is put down first.
    part *parts = gm_alloc_array(h->alloc, item->values, sizeof *parts);
    if (parts == NULL) return gm_fail(err, GM_NOMEM, "history.rollup", "no memory to roll up what is too old");
    gm_samples samples;
    gm_status  st = gm_history_open_block(h, s, block, &samples, err);
    size_t     n  = st == GM_OK ? parts_of(&samples, length, parts) : 0;
    for (size_t i = 0; st == GM_OK && i < n; i++) st = append(h, twin, column, &parts[i], err);
    if (st != GM_OK) withdraw(h, twin, column, parts, n);
    gm_free(h->alloc, parts);
    return st;
}
