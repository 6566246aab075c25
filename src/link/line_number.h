// link/line_number.h: the numbers and times that nearly every line of the line protocol has, in place and in few steps. Inside
// link; what is not exactly that is left to base/number.h, with which these agree to the last digit.
#ifndef GM_LINK_LINE_NUMBER_H
#define GM_LINK_LINE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Below 2^53: digits and power of ten are doubles, and one division rounds once.
enum { GM_LINE_DIGITS_MAX = 15, GM_LINE_TIME_DIGITS_MAX = 19 };

// [-]digits[.digits], as base/number.h reads it. Returns what follows; NULL: not such a number.
static inline const char *gm_line_number(const char *p, const char *end, double *out)
{
    static const double tens[GM_LINE_DIGITS_MAX + 1] = { 1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                         1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
    bool        negative = p < end && *p == '-';
    const char *first    = p += negative;
    uint64_t    digits   = 0;
    while (p < end && (unsigned char)(*p - '0') < 10) digits = digits * 10 + (uint64_t)(*p++ - '0');
    size_t whole = (size_t)(p - first), fraction = 0;
    if (whole == 0 || whole > GM_LINE_DIGITS_MAX || (*first == '0' && whole > 1)) return NULL;
    if (p < end && *p == '.') {
        const char *point = ++p;
        while (p < end && (unsigned char)(*p - '0') < 10) digits = digits * 10 + (uint64_t)(*p++ - '0');
        fraction = (size_t)(p - point);
        if (fraction == 0 || whole + fraction > GM_LINE_DIGITS_MAX) return NULL;
    }
    double value = (double)digits / tens[fraction];
    *out         = negative ? -value : value;
    return p;
}

// Eight digits at once: pairs, then fours, then all (Lemire, "Quickly parsing eight digits", 2018). False: one is no digit.
static inline bool gm_line_eight(const char *p, uint64_t *out)
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

// Digits below 2^63. Returns what follows; NULL: not such a time.
static inline const char *gm_line_time(const char *p, const char *end, int64_t *out)
{
    const char *first = p;
    uint64_t    value = 0, eight;
    while (end - p >= 8 && gm_line_eight(p, &eight) && p - first <= 8) {
        value = value * 100000000 + eight;
        p += 8;
    }
    while (p < end && (unsigned char)(*p - '0') < 10 && p - first < GM_LINE_TIME_DIGITS_MAX) value = value * 10 + (uint64_t)(*p++ - '0');
    // 19 digits are below 2^64, and are looked at as the sum they are.
    if (p == first || (*first == '0' && p - first > 1) || value > INT64_MAX) return NULL;
    *out = (int64_t)value;
    return p;
}

#endif
