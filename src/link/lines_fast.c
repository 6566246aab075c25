// Who sends in bulk sends the same keys in the same order again and again, numbers with few digits, and a time. Such a line is
// taken in one pass here. Everything that is not exactly that is left to the careful path, which decides what it means: so
// nothing here refuses a line, and both agree (tests/link/test_lines.c compares them).
#include "link/lines_internal.h"

enum { DIGITS_MAX = 15, TIME_DIGITS_MAX = 19 };  // below 2^53: digits and power of ten are doubles, one division rounds once

static const double tens[DIGITS_MAX + 1] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };

// [-]digits[.digits], as base/number.h reads it. Returns what follows; NULL: not such a number.
static const char *take_number(const char *p, const char *end, double *out)
{
    bool        negative = p < end && *p == '-';
    const char *first    = p += negative;
    uint64_t    digits   = 0;
    while (p < end && (unsigned char)(*p - '0') < 10) digits = digits * 10 + (uint64_t)(*p++ - '0');
    size_t whole = (size_t)(p - first), fraction = 0;
    if (whole == 0 || whole > DIGITS_MAX || (*first == '0' && whole > 1)) return NULL;
    if (p < end && *p == '.') {
        const char *point = ++p;
        while (p < end && (unsigned char)(*p - '0') < 10) digits = digits * 10 + (uint64_t)(*p++ - '0');
        fraction = (size_t)(p - point);
        if (fraction == 0 || whole + fraction > DIGITS_MAX) return NULL;
    }
    double value = (double)digits / tens[fraction];
    *out         = negative ? -value : value;
    return p;
}

// Eight digits at once: pairs, then fours, then all (Lemire, "Quickly parsing eight digits", 2018). False: one is no digit.
static bool take_eight(const char *p, uint64_t *out)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    if (((x & UINT64_C(0xf0f0f0f0f0f0f0f0)) | (((x + UINT64_C(0x0606060606060606)) & UINT64_C(0xf0f0f0f0f0f0f0f0)) >> 4)) !=
        UINT64_C(0x3333333333333333))
        return false;
    x    = (x & UINT64_C(0x0f0f0f0f0f0f0f0f)) * 2561 >> 8;
    x    = (x & UINT64_C(0x00ff00ff00ff00ff)) * 6553601 >> 16;
    *out = (x & UINT64_C(0x0000ffff0000ffff)) * UINT64_C(42949672960001) >> 32;
    return true;
}

static const char *take_time(const char *p, const char *end, int64_t *out)
{
    const char *first = p;
    uint64_t    value = 0, eight;
    while (end - p >= 8 && take_eight(p, &eight) && p - first <= 8) {
        value = value * 100000000 + eight;
        p += 8;
    }
    while (p < end && (unsigned char)(*p - '0') < 10 && p - first < TIME_DIGITS_MAX) value = value * 10 + (uint64_t)(*p++ - '0');
    // 19 digits are below 2^64, and are looked at as the sum they are.
    if (p == first || (*first == '0' && p - first > 1) || value > INT64_MAX) return NULL;
    *out = (int64_t)value;
    return p;
}

bool gm_lines_take_fast(gm_line_batch *batch, gm_str *rest)
{
    gm_lines *lines = batch->lines;
    if (batch->before == GM_LINES_NOBODY) return false;
    uint32_t id = lines->keys[batch->before].after;
    if (id == GM_LINES_NOBODY || id >= batch->chain_capacity) return false;
    gm_line_key *k = &lines->keys[id];
    const char  *p = rest->ptr, *end = p + rest->len;
    // The key was found by the same rule in the same bytes, so the space behind it is the one that ends it.
    if (rest->len <= k->len || memcmp(p, k->text, k->len) != 0 || p[k->len] != ' ' || !gm_lines_key_holds(lines, k)) return false;
    p += k->len + 1;
    uint32_t n = 0;
    for (;; n++) {
        if (n >= k->field_count) return false;
        const gm_line_meaning *f     = &k->fields[n];
        gm_line_point         *point = &batch->points[batch->count + n];
        if (!f->plain || (size_t)(end - p) <= f->name.len || p[f->name.len] != '=' || memcmp(p, f->name.ptr, f->name.len) != 0) return false;
        p = take_number(p + f->name.len + 1, end, &point->d);
        if (p == NULL || p >= end) return false;
        point->column = (uint16_t)f->column;
        point->kind   = GM_KIND_DOUBLE;
        if (*p != ',') break;
        p++;
    }
    int64_t    time;
    gm_time_ns at;
    if (*p != ' ' || (p = take_time(p + 1, end, &time)) == NULL || (p < end && *p != '\n')) return false;
    if (__builtin_mul_overflow(time, batch->unit, &at) || at < GM_TIME_MIN || at > GM_TIME_MAX || at > batch->latest) return false;
    for (uint32_t i = 0; i <= n; i++) batch->points[batch->count + i].at = at;
    gm_lines_add(batch, id, n + 1);
    if (k->map != NULL) k->map->stats.messages++;
    batch->before = id;
    batch->line.number++;
    batch->result.lines++;
    *rest = p < end ? (gm_str){ p + 1, (size_t)(end - p - 1) } : (gm_str){ end, 0 };
    return true;
}
