#include "history/run.h"

#include "history/decimal.h"

#include <assert.h>

gm_run *gm_run_create(const gm_alloc *alloc, uint32_t capacity)
{
    gm_run *run = gm_alloc_bytes(alloc, sizeof *run + (size_t)capacity * 16);
    if (run != NULL) *run = (gm_run){ .capacity = capacity };
    return run;
}

gm_run *gm_run_grow(const gm_alloc *alloc, gm_run *run, uint32_t capacity)
{
    gm_run *larger = gm_run_create(alloc, capacity);
    if (larger == NULL) return NULL;
    *larger          = *run;
    larger->capacity = capacity;
    memcpy(gm_run_stamp(larger), gm_run_stamp(run), run->n * sizeof(uint64_t));
    memcpy(gm_run_bits(larger), gm_run_bits(run), run->n * sizeof(uint64_t));
    gm_free(alloc, run);  // its text moved over
    return larger;
}

void gm_run_destroy(const gm_alloc *alloc, gm_run *run)
{
    if (run == NULL) return;
    gm_free(alloc, run->text);
    gm_free(alloc, run);
}

size_t gm_run_bytes(const gm_run *run)
{
    return run == NULL ? 0 : sizeof *run + (size_t)run->capacity * 16 + run->text_capacity;
}

bool gm_run_fits(const gm_run *run, gm_kind kind)
{
    return kind == GM_KIND_NONE || run->kind == GM_KIND_NONE || run->kind == kind;
}

size_t gm_run_find(gm_run *run, gm_time_ns at)
{
    const uint64_t *stamp = gm_run_stamp(run);
    size_t          low = 0, high = run->n;
    if (high > 0 && gm_stamp_time(stamp[high - 1]) < at) return high;  // nearly always
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (gm_stamp_time(stamp[middle]) < at) low = middle + 1;
        else high = middle;
    }
    return low;
}

static gm_str text_at(const gm_run *run, uint64_t bits)
{
    return (gm_str){ (const char *)run->text + (bits >> 32), (uint32_t)bits };
}

// Where the text lies in the run's buffer: shared with the sample before `place` when that has the same, else new.
static bool keep_text(const gm_alloc *alloc, gm_run *run, size_t place, gm_str text, uint64_t *out_bits)
{
    if (place > 0 && !gm_stamp_removed(gm_run_stamp(run)[place - 1])) {
        uint64_t before = gm_run_bits(run)[place - 1];
        if (gm_str_eq(text_at(run, before), text)) {
            *out_bits = before;
            return true;
        }
    }
    size_t capacity = run->text_capacity;
    if (text.len > UINT32_MAX / 4 - run->text_len) return false;
    if (!gm_alloc_reserve(alloc, &run->text, &capacity, run->text_len + text.len + 1, 1)) return false;
    run->text_capacity = (uint32_t)capacity;
    if (text.len > 0) memcpy(run->text + run->text_len, text.ptr, text.len);
    *out_bits = (uint64_t)run->text_len << 32 | (uint32_t)text.len;
    run->text_len += (uint32_t)text.len;
    return true;
}

gm_status gm_run_put(const gm_alloc *alloc, gm_run *run, gm_time_ns at, const gm_value *value, bool *out_new)
{
    assert(gm_run_fits(run, value->kind));
    uint64_t *stamp   = gm_run_stamp(run), *bits = gm_run_bits(run);
    size_t    place   = gm_run_find(run, at);
    bool      removed = value->kind == GM_KIND_NONE;
    bool      there   = place < run->n && gm_stamp_time(stamp[place]) == at;
    uint64_t  word    = 0;
    if (!removed && !gm_kind_is_text(value->kind)) {
        word = value->kind == GM_KIND_DOUBLE ? gm_bits_of(value->d) : (uint64_t)value->i;
    }
    *out_new = true;
    if (there && gm_stamp_removed(stamp[place]) == removed) {
        bool same = removed || (gm_kind_is_text(value->kind) ? gm_str_eq(text_at(run, bits[place]), value->s) : bits[place] == word);
        if (same) {
            *out_new = false;
            return GM_OK;
        }
    }
    assert(there || run->n < run->capacity);
    if (!removed && gm_kind_is_text(value->kind) && !keep_text(alloc, run, place, value->s, &word)) return GM_NOMEM;
    if (!there) {
        memmove(stamp + place + 1, stamp + place, (run->n - place) * sizeof *stamp);
        memmove(bits + place + 1, bits + place, (run->n - place) * sizeof *bits);
        run->n++;
    }
    stamp[place] = gm_stamp(at, removed);
    bits[place]  = word;
    if (!removed) run->kind = value->kind;
    return GM_OK;
}

gm_run *gm_run_of(const gm_alloc *alloc, const gm_samples *samples, uint32_t capacity)
{
    assert(samples->n <= capacity);
    gm_run *run = gm_run_create(alloc, capacity);
    if (run == NULL) return NULL;
    run->kind = samples->kind;
    run->n    = (uint32_t)samples->n;
    memcpy(gm_run_stamp(run), samples->stamp, samples->n * sizeof(uint64_t));
    memcpy(gm_run_bits(run), samples->bits, samples->n * sizeof(uint64_t));
    if (!gm_kind_is_text(samples->kind)) return run;
    size_t end = 0;
    for (size_t i = 0; i < samples->n; i++) {
        size_t one = (size_t)(samples->bits[i] >> 32) + (uint32_t)samples->bits[i];
        if (!gm_stamp_removed(samples->stamp[i]) && one > end) end = one;
    }
    run->text = gm_alloc_bytes(alloc, end);
    if (run->text == NULL) {
        gm_run_destroy(alloc, run);
        return NULL;
    }
    if (end > 0) memcpy(run->text, samples->text, end);
    run->text_len = run->text_capacity = (uint32_t)end;
    return run;
}

gm_samples gm_run_samples(gm_run *run, size_t from, size_t to)
{
    return (gm_samples){ .kind = run->kind, .n = to - from, .stamp = gm_run_stamp(run) + from,
                         .bits = gm_run_bits(run) + from, .text = run->text };
}

void gm_run_drop(gm_run *run, size_t count)
{
    uint64_t *stamp = gm_run_stamp(run), *bits = gm_run_bits(run);
    run->n -= (uint32_t)count;
    memmove(stamp, stamp + count, run->n * sizeof *stamp);
    memmove(bits, bits + count, run->n * sizeof *bits);
    if (run->n == 0) run->kind = GM_KIND_NONE;
    if (run->text == NULL) return;

    // In order of time texts lie mostly in order of place too: what begins before the first one in use can go.
    uint64_t first = run->text_len;
    for (size_t i = 0; i < run->n; i++) {
        if (!gm_stamp_removed(stamp[i]) && bits[i] >> 32 < first) first = bits[i] >> 32;
    }
    if (first > 0) memmove(run->text, run->text + first, run->text_len - (size_t)first);
    run->text_len -= (uint32_t)first;
    for (size_t i = 0; i < run->n; i++) {
        if (!gm_stamp_removed(stamp[i])) bits[i] -= first << 32;
    }
}

gm_sample gm_samples_at(const gm_samples *samples, size_t i)
{
    gm_sample sample = { .at = gm_stamp_time(samples->stamp[i]) };
    uint64_t  bits   = samples->bits[i];
    if (gm_stamp_removed(samples->stamp[i])) return sample;
    sample.value.kind = samples->kind;
    switch (samples->kind) {
    case GM_KIND_DOUBLE: sample.value.d = gm_double_of(bits); break;
    case GM_KIND_STRING:
    case GM_KIND_JSON:  // texts that are all empty need no buffer
        if ((uint32_t)bits > 0) sample.value.s = (gm_str){ (const char *)samples->text + (bits >> 32), (uint32_t)bits };
        else sample.value.s = GM_STR("");
        break;
    default: sample.value.i = (int64_t)bits;
    }
    return sample;
}
