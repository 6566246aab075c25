// A block in order: head (what a summary needs), times, values. docs/formats/history.md has the table.
#include "history/block.h"

#include "base/bytes.h"
#include "history/decimal.h"
#include "history/integers.h"

#include <assert.h>
#include <zstd.h>

_Static_assert((int)GM_BLOCK_MOST <= (int)GM_ENTROPY_MOST, "a block is one stream");

enum { VERSION = 1, TEXT_LEVEL = 3, SLOTS = 2 * GM_BLOCK_MOST };
enum {
    HAS_REMOVALS   = 1,
    HAS_NEG_ZEROS  = 2,
    HAS_EXCEPTIONS = 4,
    RAW_SUMMARY    = 8,   // five doubles, else whole numbers in the scale of the values
    IS_DECIMAL     = 16,  // DOUBLE: scaled whole numbers, else ordered bits
    IS_SINGLE      = 32,
    ALL_FLAGS      = 63,
};
static const int64_t summary_range = INT64_C(1) << 50;  // so that 4096 of them can be added up

struct gm_codec {
    const gm_alloc *alloc;
    gm_integers     integers;
    int64_t         numbers[GM_BLOCK_MOST];
    uint64_t        gaps[GM_BLOCK_MOST];
    uint64_t        stamp[GM_BLOCK_MOST], bits[GM_BLOCK_MOST];  // what decode hands out; values while encoding
    uint32_t        places[GM_BLOCK_MOST];                      // indices of removals or exceptions
    uint32_t        slots[SLOTS];                               // distinct texts by hash, + 1
    uint32_t        distinct[GM_BLOCK_MOST];                    // the first value with each text
    gm_buf          text, part, section;
    ZSTD_CCtx      *squeeze;
    ZSTD_DCtx      *unsqueeze;
};

gm_codec *gm_codec_create(const gm_alloc *alloc)
{
    gm_codec *codec = gm_alloc_bytes(alloc, sizeof *codec);
    if (codec == NULL) return NULL;
    codec->alloc     = alloc;
    codec->text      = gm_buf_init(alloc);
    codec->part      = gm_buf_init(alloc);
    codec->section   = gm_buf_init(alloc);
    codec->squeeze   = NULL;  // made when the first text comes
    codec->unsqueeze = NULL;
    return codec;
}

void gm_codec_destroy(gm_codec *codec)
{
    if (codec == NULL) return;
    gm_buf_finish(&codec->text);
    gm_buf_finish(&codec->part);
    gm_buf_finish(&codec->section);
    ZSTD_freeCCtx(codec->squeeze);
    ZSTD_freeDCtx(codec->unsqueeze);
    gm_free(codec->alloc, codec);
}

static gm_status corrupt(gm_error *err, const char *what)
{
    return gm_fail(err, GM_CORRUPT, "history.block", "a sealed block is damaged: %s", what);
}

// ---- parts ----------------------------------------------------------------------------------------------------------

// Moves a part to out, with its length before it.
static void put_part(gm_buf *part, gm_buf *out)
{
    gm_buf_varint(out, part->len);
    gm_buf_add(out, part->ptr, part->len);
    if (part->failed) out->failed = true;
    gm_buf_clear(part);
}

// Rising places among n, as the gaps between them.
static void put_places(gm_codec *codec, const uint32_t *places, size_t count, gm_buf *out)
{
    for (size_t i = 0; i < count; i++) codec->gaps[i] = i == 0 ? places[0] : places[i] - places[i - 1] - 1;
    gm_buf_varint(out, count);
    gm_entropy_encode(&codec->integers.entropy, codec->gaps, count, &codec->part);
    put_part(&codec->part, out);
}

static bool get_places(gm_codec *codec, gm_bytes *in, size_t n, uint32_t *places, size_t *out_count)
{
    uint64_t       count = gm_bytes_varint(in), size = gm_bytes_varint(in);
    const uint8_t *bytes = gm_bytes_take(in, size);
    if (bytes == NULL || count == 0 || count > n) return false;
    if (!gm_entropy_decode(&codec->integers.entropy, bytes, (size_t)size, codec->gaps, (size_t)count)) return false;
    uint64_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (codec->gaps[i] >= n || (at += codec->gaps[i]) >= n) return false;
        places[i] = (uint32_t)at++;
    }
    *out_count = (size_t)count;
    return true;
}

// ---- the head and its summary ---------------------------------------------------------------------------------------

typedef struct head {
    gm_kind    kind;
    unsigned   flags;
    size_t     n, removals;
    gm_time_ns first_at, last_at, last_value_at;
    gm_decimal decimal;
    int64_t    min, max, first, last, sum;               // when not RAW_SUMMARY
    double     raw_min, raw_max, raw_first, raw_last, raw_sum;
} head;

static bool is_number(gm_kind kind)
{
    return kind == GM_KIND_BOOL || kind == GM_KIND_INT || kind == GM_KIND_DOUBLE;
}

static void put_head(const head *h, gm_buf *out)
{
    gm_buf_byte(out, (uint8_t)(VERSION << 4 | h->kind));
    gm_buf_byte(out, (uint8_t)h->flags);
    gm_buf_varint(out, h->n);
    gm_buf_varint(out, (uint64_t)h->first_at);
    gm_buf_varint(out, (uint64_t)(h->last_at - h->first_at));
    if (h->flags & HAS_REMOVALS) {
        gm_buf_varint(out, h->removals);
        if (h->removals < h->n) gm_buf_varint(out, (uint64_t)(h->last_at - h->last_value_at));
    }
    if (!is_number(h->kind) || h->removals == h->n) return;
    if (h->flags & IS_DECIMAL) gm_buf_byte(out, (uint8_t)h->decimal.scale);
    if (h->flags & RAW_SUMMARY) {
        uint8_t raw[40];
        gm_put_f64(raw, h->raw_min);
        gm_put_f64(raw + 8, h->raw_max);
        gm_put_f64(raw + 16, h->raw_first);
        gm_put_f64(raw + 24, h->raw_last);
        gm_put_f64(raw + 32, h->raw_sum);
        gm_buf_add(out, raw, sizeof raw);
    } else {
        gm_buf_svarint(out, h->min);
        gm_buf_varint(out, (uint64_t)(h->max - h->min));
        gm_buf_varint(out, (uint64_t)(h->first - h->min));
        gm_buf_varint(out, (uint64_t)(h->last - h->min));
        gm_buf_svarint(out, h->sum);
    }
}

static bool get_head(gm_bytes *in, head *h)
{
    *h             = (head){ 0 };
    uint8_t  begin = gm_bytes_byte(in);
    uint64_t n, first, span, behind = 0;
    h->kind  = (gm_kind)(begin & 15);
    h->flags = gm_bytes_byte(in);
    n        = gm_bytes_varint(in);
    first    = gm_bytes_varint(in);
    span     = gm_bytes_varint(in);
    if (begin >> 4 != VERSION || h->kind >= GM_KIND_COUNT || (h->flags & ~(unsigned)ALL_FLAGS) != 0) return false;
    if (n == 0 || n > GM_BLOCK_MOST || first > GM_TIME_MAX || span > GM_TIME_MAX - first) return false;
    h->n        = (size_t)n;
    h->first_at = (gm_time_ns)first;
    h->last_at  = (gm_time_ns)(first + span);
    if (h->flags & HAS_REMOVALS) {
        uint64_t removals = gm_bytes_varint(in);
        if (removals == 0 || removals > n) return false;
        h->removals = (size_t)removals;
        if (removals < n) behind = gm_bytes_varint(in);
        if (behind > span) return false;
    }
    h->last_value_at = h->last_at - (gm_time_ns)behind;
    if (h->kind == GM_KIND_NONE && h->removals != h->n) return false;
    if (!is_number(h->kind) || h->removals == h->n) return !in->bad;

    if (h->flags & IS_DECIMAL) {
        h->decimal = (gm_decimal){ .scale = gm_bytes_byte(in), .single = h->flags & IS_SINGLE };
        if (h->kind != GM_KIND_DOUBLE || h->decimal.scale >= GM_DECIMAL_SCALES) return false;
    } else if (h->kind == GM_KIND_DOUBLE && (h->flags & RAW_SUMMARY) == 0) {
        return false;
    }
    if (h->flags & RAW_SUMMARY) {
        const uint8_t *raw = gm_bytes_take(in, 40);
        if (raw == NULL) return false;
        h->raw_min   = gm_get_f64(raw);
        h->raw_max   = gm_get_f64(raw + 8);
        h->raw_first = gm_get_f64(raw + 16);
        h->raw_last  = gm_get_f64(raw + 24);
        h->raw_sum   = gm_get_f64(raw + 32);
        return true;
    }
    h->min            = gm_bytes_svarint(in);
    uint64_t to_max   = gm_bytes_varint(in);
    uint64_t to_first = gm_bytes_varint(in);
    uint64_t to_last  = gm_bytes_varint(in);
    h->sum            = gm_bytes_svarint(in);
    if (h->min < -summary_range || h->min > summary_range || to_max > (uint64_t)summary_range * 2) return false;
    if (to_first > to_max || to_last > to_max) return false;
    h->max   = h->min + (int64_t)to_max;
    h->first = h->min + (int64_t)to_first;
    h->last  = h->min + (int64_t)to_last;
    return !in->bad;
}

gm_status gm_block_read_summary(const uint8_t *bytes, size_t size, gm_block_summary *out, gm_error *err)
{
    gm_bytes in = { .at = bytes, .end = bytes + size };
    head     h;
    if (!get_head(&in, &h)) return corrupt(err, "head");
    *out = (gm_block_summary){ .kind = h.kind, .n = h.n, .values = h.n - h.removals, .first_at = h.first_at,
                               .last_at = h.last_at, .last_value_at = h.last_value_at };
    if (h.flags & RAW_SUMMARY) {
        out->min   = h.raw_min;
        out->max   = h.raw_max;
        out->first = h.raw_first;
        out->last  = h.raw_last;
        out->sum   = h.raw_sum;
        return GM_OK;
    }
    gm_decimal d = h.decimal;  // scale 0 for whole numbers: a division by one
    out->min     = gm_decimal_value(h.min, d);
    out->max     = gm_decimal_value(h.max, d);
    out->first   = gm_decimal_value(h.first, d);
    out->last    = gm_decimal_value(h.last, d);
    out->sum     = gm_decimal_value(h.sum, d);
    return GM_OK;
}

// ---- numbers ----------------------------------------------------------------------------------------------------------

// Whole numbers for the values (codec->bits [count]) into codec->numbers; fills flags, decimal and summary of h, and
// the places of what whole numbers can not say. Returns how many exceptions there are.
typedef struct oddities { uint32_t *zeros, *exceptions; size_t zero_count, exception_count; } oddities;

static void whole_numbers(gm_codec *codec, size_t count, head *h, oddities *odd)
{
    const uint64_t *bits = codec->bits;
    int64_t        *m    = codec->numbers;
    if (h->kind != GM_KIND_DOUBLE) {
        for (size_t i = 0; i < count; i++) m[i] = (int64_t)bits[i];
        return;
    }
    if (gm_decimal_all(bits, count, &h->decimal, m)) {
        h->flags |= IS_DECIMAL;
        return;
    }
    if (!gm_decimal_fit(bits, count, &h->decimal)) {
        h->flags |= RAW_SUMMARY;
        for (size_t i = 0; i < count; i++) {
            m[i] = gm_ordered_of(bits[i]);
            if (bits[i] == GM_NEGATIVE_ZERO) odd->zeros[odd->zero_count++] = (uint32_t)i;
        }
        return;
    }
    h->flags |= IS_DECIMAL | (h->decimal.single ? IS_SINGLE | RAW_SUMMARY : 0);
    int64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        if (bits[i] == GM_NEGATIVE_ZERO) {
            odd->zeros[odd->zero_count++] = (uint32_t)i;
            before                        = 0;
        } else if (!gm_decimal_exact(gm_double_of(bits[i]), h->decimal, &m[i])) {
            odd->exceptions[odd->exception_count++] = (uint32_t)i;  // the number before stands in
        } else {
            before = m[i];
        }
        m[i] = before;
    }
    if (odd->exception_count > 0) h->flags |= RAW_SUMMARY;
}

static void summarise(gm_codec *codec, size_t count, head *h)
{
    const int64_t *m = codec->numbers;
    h->min = h->max = h->first = m[0];
    h->last                    = m[count - 1];
    for (size_t i = 0; i < count; i++) {
        if (m[i] < h->min) h->min = m[i];
        if (m[i] > h->max) h->max = m[i];
    }
    if (h->min < -summary_range || h->max > summary_range) h->flags |= RAW_SUMMARY;
    if ((h->flags & RAW_SUMMARY) == 0) {
        for (size_t i = 0; i < count; i++) h->sum += m[i];
        return;
    }
    bool   is_double = h->kind == GM_KIND_DOUBLE;
    double low = 0, high = 0;
    for (size_t i = 0; i < count; i++) {
        double value = is_double ? gm_double_of(codec->bits[i]) : (double)(int64_t)codec->bits[i];
        if (i == 0) low = high = h->raw_first = value;
        if (value < low) low = value;
        if (value > high) high = value;
        h->raw_sum += value;
        h->raw_last = value;
    }
    h->raw_min = low;
    h->raw_max = high;
}

static void put_numbers(gm_codec *codec, size_t count, const head *h, const oddities *odd, gm_buf *out)
{
    if (h->flags & HAS_NEG_ZEROS) put_places(codec, odd->zeros, odd->zero_count, out);
    if (h->flags & HAS_EXCEPTIONS) {
        put_places(codec, odd->exceptions, odd->exception_count, out);
        for (size_t i = 0; i < odd->exception_count; i++) {
            uint8_t raw[8];
            gm_put_u64(raw, codec->bits[odd->exceptions[i]]);
            gm_buf_add(out, raw, sizeof raw);
        }
    }
    if (h->flags & RAW_SUMMARY) gm_buf_svarint(out, codec->numbers[0]);
    gm_integers_encode(&codec->integers, codec->numbers, count, codec->numbers[0], GM_INTEGERS_VALUES, out);
}

static bool get_numbers(gm_codec *codec, gm_bytes *in, size_t count, const head *h)
{
    uint64_t *bits        = codec->bits;
    size_t    zeros       = 0, exceptions = 0;
    uint32_t *zero_at     = codec->places, *exception_at = codec->distinct;
    const uint8_t *exact  = NULL;
    if (h->flags & HAS_NEG_ZEROS && !get_places(codec, in, count, zero_at, &zeros)) return false;
    if (h->flags & HAS_EXCEPTIONS) {
        if (!get_places(codec, in, count, exception_at, &exceptions)) return false;
        exact = gm_bytes_take(in, exceptions * 8);
        if (exact == NULL) return false;
    }
    int64_t base = h->flags & RAW_SUMMARY ? gm_bytes_svarint(in) : h->first;
    int64_t *m   = codec->numbers;
    if (in->bad || !gm_integers_decode(&codec->integers, in->at, gm_bytes_left(in), base, m, count)) return false;
    if (h->flags & IS_DECIMAL) {
        for (size_t i = 0; i < count; i++) bits[i] = gm_bits_of(gm_decimal_value(m[i], h->decimal));
    } else if (h->kind == GM_KIND_DOUBLE) {
        for (size_t i = 0; i < count; i++) bits[i] = gm_bits_of_ordered(m[i]);
    } else {
        for (size_t i = 0; i < count; i++) bits[i] = (uint64_t)m[i];
    }
    for (size_t i = 0; i < zeros; i++) bits[zero_at[i]] = GM_NEGATIVE_ZERO;
    for (size_t i = 0; i < exceptions; i++) bits[exception_at[i]] = gm_get_u64(exact + 8 * i);
    if (h->kind == GM_KIND_BOOL) {
        for (size_t i = 0; i < count; i++) {
            if (bits[i] > 1) return false;
        }
    }
    return true;
}

// ---- text -------------------------------------------------------------------------------------------------------------

static gm_str text_of(const uint8_t *text, uint64_t bits)
{
    return (gm_str){ (const char *)text + (bits >> 32), (uint32_t)bits };
}

// Each different text once, in the order of its first coming, and for each value which of them it is.
static size_t find_distinct(gm_codec *codec, const uint8_t *text, size_t count)
{
    size_t distinct = 0;
    memset(codec->slots, 0, sizeof codec->slots);
    for (size_t i = 0; i < count; i++) {
        gm_str one = text_of(text, codec->bits[i]);
        size_t at  = gm_str_hash(one) % SLOTS;
        while (codec->slots[at] != 0) {
            uint32_t known = codec->slots[at] - 1;
            if (gm_str_eq(text_of(text, codec->bits[codec->distinct[known]]), one)) break;
            at = (at + 1) % SLOTS;
        }
        if (codec->slots[at] == 0) {
            codec->distinct[distinct] = (uint32_t)i;
            codec->slots[at]          = (uint32_t)++distinct;
        }
        codec->numbers[i] = codec->slots[at] - 1;
    }
    return distinct;
}

static void put_text(gm_codec *codec, const uint8_t *text, size_t count, gm_buf *out)
{
    size_t distinct = find_distinct(codec, text, count);
    gm_integers_encode(&codec->integers, codec->numbers, count, 0, GM_INTEGERS_VALUES, &codec->part);
    put_part(&codec->part, out);
    gm_buf_clear(&codec->text);
    for (size_t i = 0; i < distinct; i++) {
        gm_str one        = text_of(text, codec->bits[codec->distinct[i]]);
        codec->numbers[i] = (int64_t)one.len;
        gm_buf_str(&codec->text, one);
    }
    gm_buf_varint(out, distinct);
    gm_integers_encode(&codec->integers, codec->numbers, distinct, 0, GM_INTEGERS_VALUES, &codec->part);
    put_part(&codec->part, out);

    // Squeezed where that pays; short texts often do not.
    size_t size = codec->text.len, bound = ZSTD_compressBound(size);
    if (codec->squeeze == NULL) codec->squeeze = ZSTD_createCCtx();
    uint8_t *to   = gm_buf_reserve(&codec->part, bound);
    size_t   less = size;
    if (size > 32 && to != NULL && codec->squeeze != NULL) {
        less = ZSTD_compressCCtx(codec->squeeze, to, bound, codec->text.ptr, size, TEXT_LEVEL);
        if (ZSTD_isError(less)) less = size;
    }
    gm_buf_varint(out, size);
    gm_buf_byte(out, less < size);
    gm_buf_add(out, less < size ? codec->part.ptr : codec->text.ptr, less < size ? less : size);
    if (codec->text.failed || codec->part.failed) out->failed = true;
    gm_buf_clear(&codec->part);
}

static gm_status get_text(gm_codec *codec, gm_bytes *in, size_t count, gm_error *err)
{
    uint64_t       size     = gm_bytes_varint(in);
    const uint8_t *which    = gm_bytes_take(in, size);
    uint64_t       distinct = gm_bytes_varint(in), lengths_size = gm_bytes_varint(in);
    const uint8_t *lengths  = gm_bytes_take(in, lengths_size);
    uint64_t       total    = gm_bytes_varint(in);
    uint8_t        squeezed = gm_bytes_byte(in);
    int64_t       *m        = codec->numbers;
    if (in->bad || distinct == 0 || distinct > count || total > GM_BLOCK_TEXT_MOST || squeezed > 1) {
        return corrupt(err, "text");
    }
    if (!gm_integers_decode(&codec->integers, lengths, (size_t)lengths_size, 0, m, (size_t)distinct)) {
        return corrupt(err, "lengths of text");
    }
    uint64_t at = 0;
    for (size_t i = 0; i < distinct; i++) {
        if ((uint64_t)m[i] > total - at) return corrupt(err, "lengths of text");
        codec->gaps[i] = at << 32 | (uint64_t)m[i];
        at += (uint64_t)m[i];
    }
    if (at != total) return corrupt(err, "lengths of text");
    if (!gm_integers_decode(&codec->integers, which, (size_t)size, 0, m, count)) return corrupt(err, "choice of text");
    for (size_t i = 0; i < count; i++) {
        if ((uint64_t)m[i] >= distinct) return corrupt(err, "choice of text");
        codec->bits[i] = codec->gaps[m[i]];
    }

    gm_buf_clear(&codec->text);
    uint8_t *to = gm_buf_reserve(&codec->text, (size_t)total);
    if (codec->unsqueeze == NULL && squeezed) codec->unsqueeze = ZSTD_createDCtx();
    if (to == NULL || (squeezed && codec->unsqueeze == NULL)) {
        return gm_fail(err, GM_NOMEM, "history.block", "%zu bytes of text", (size_t)total);
    }
    if (!squeezed) {
        if (gm_bytes_left(in) != total) return corrupt(err, "text");
        memcpy(to, in->at, (size_t)total);
    } else if (ZSTD_decompressDCtx(codec->unsqueeze, to, (size_t)total, in->at, gm_bytes_left(in)) != total) {
        return corrupt(err, "squeezed text");
    }
    codec->text.len = (size_t)total;
    return GM_OK;
}

// ---- both directions ----------------------------------------------------------------------------------------------------

void gm_block_encode(gm_codec *codec, const gm_samples *s, gm_buf *out)
{
    assert(s->n > 0 && s->n <= GM_BLOCK_MOST);
    head     h = { .kind = s->kind, .n = s->n, .first_at = gm_stamp_time(s->stamp[0]),
                   .last_at = gm_stamp_time(s->stamp[s->n - 1]) };
    oddities odd   = { .zeros = codec->places, .exceptions = codec->distinct };
    size_t   count = 0;  // values
    gm_buf_clear(&codec->part);
    gm_buf_clear(&codec->section);

    for (size_t i = 0; i < s->n; i++) {
        if (gm_stamp_removed(s->stamp[i])) continue;
        codec->bits[count++] = s->bits[i];
        h.last_value_at      = gm_stamp_time(s->stamp[i]);
    }
    h.removals = s->n - count;
    if (h.removals > 0) h.flags |= HAS_REMOVALS;
    if (count > 0 && is_number(s->kind)) {
        whole_numbers(codec, count, &h, &odd);
        if (odd.zero_count > 0) h.flags |= HAS_NEG_ZEROS;
        if (odd.exception_count > 0) h.flags |= HAS_EXCEPTIONS;
        summarise(codec, count, &h);
    }
    put_head(&h, out);
    if (count > 0 && is_number(s->kind)) {
        put_numbers(codec, count, &h, &odd, &codec->section);
        put_part(&codec->section, out);
    }
    if (count > 0 && gm_kind_is_text(s->kind)) {
        put_text(codec, s->text, count, &codec->section);
        put_part(&codec->section, out);
    }
    if (h.flags & HAS_REMOVALS) {
        size_t k = 0;
        for (size_t i = 0; i < s->n; i++) {
            if (gm_stamp_removed(s->stamp[i])) codec->places[k++] = (uint32_t)i;
        }
        put_places(codec, codec->places, k, out);
    }
    // The first and the last time are in the head; what lies between them comes last.
    if (s->n > 2) {
        for (size_t i = 0; i < s->n; i++) codec->numbers[i] = gm_stamp_time(s->stamp[i]);
        gm_integers_encode(&codec->integers, codec->numbers, s->n, h.first_at, GM_INTEGERS_TIMES, out);
    }
}

static gm_status get_times(gm_codec *codec, gm_bytes *in, const head *h, gm_error *err)
{
    size_t removals = 0;
    if (h->flags & HAS_REMOVALS && !get_places(codec, in, h->n, codec->places, &removals)) return corrupt(err, "removals");
    if (removals != h->removals) return corrupt(err, "removals");
    int64_t *at = codec->numbers;
    if (h->n <= 2) {
        at[0]        = h->first_at;
        at[h->n - 1] = h->last_at;
    } else if (!gm_integers_decode(&codec->integers, in->at, gm_bytes_left(in), h->first_at, at, h->n)) {
        return corrupt(err, "times");
    }
    if (at[0] != h->first_at || at[h->n - 1] != h->last_at) return corrupt(err, "times");
    for (size_t i = 0; i < h->n; i++) {
        if (i > 0 && at[i] <= at[i - 1]) return corrupt(err, "times do not rise");
        codec->stamp[i] = gm_stamp(at[i], false);
    }
    // Values were read next to each other; removals go in between.
    size_t from = h->n - removals;
    for (size_t i = h->n, r = removals; r > 0;) {
        i--;
        if (codec->places[r - 1] == i) {
            codec->stamp[i] |= 1;
            codec->bits[i] = 0;
            r--;
        } else {
            codec->bits[i] = codec->bits[--from];
        }
    }
    return GM_OK;
}

gm_status gm_block_decode(gm_codec *codec, const uint8_t *bytes, size_t size, gm_samples *out, gm_error *err)
{
    gm_bytes in = { .at = bytes, .end = bytes + size };
    head     h;
    if (!get_head(&in, &h)) return corrupt(err, "head");
    size_t count = h.n - h.removals;
    if (count > 0) {
        uint64_t       values_size = gm_bytes_varint(&in);
        const uint8_t *values      = gm_bytes_take(&in, values_size);
        if (values == NULL) return corrupt(err, "values");
        gm_bytes part = { .at = values, .end = values + values_size };
        if (is_number(h.kind)) {
            if (!get_numbers(codec, &part, count, &h)) return corrupt(err, "values");
        } else {
            gm_status st = get_text(codec, &part, count, err);
            if (st != GM_OK) return st;
        }
    }
    gm_status st = get_times(codec, &in, &h, err);
    if (st != GM_OK) return st;
    *out = (gm_samples){ .kind = h.kind, .n = h.n, .stamp = codec->stamp, .bits = codec->bits, .text = codec->text.ptr };
    return GM_OK;
}
