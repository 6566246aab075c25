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

// The digits at p, at most eight of them, of which as many bytes can be read: how many, and their number. Bytes are compared, shifted
// and added up together: pairs, then fours, then all (after Lemire, "Quickly parsing eight digits", 2018). How long a number is can
// not be foreseen, so a loop over it would stumble at its end.
static inline unsigned gm_line_digits(const char *p, uint64_t *out)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    x ^= UINT64_C(0x3030303030303030);  // a digit is now below ten
    uint64_t others = (x + UINT64_C(0x7676767676767676)) | x;  // the top bit of the first byte that is none, and of what is behind
    others &= UINT64_C(0x8080808080808080);
    unsigned n = others != 0 ? (unsigned)__builtin_ctzll(others) / 8 : 8;
    if (n == 0) return 0;
    x <<= 64 - 8 * n;  // zeros before them
    x    = (x * 10 + (x >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
    x    = (x * 100 + (x >> 16)) & UINT64_C(0x0000ffff0000ffff);
    *out = (x * 10000 + (x >> 32)) & UINT32_MAX;
    return n;
}

// The same of any number of digits up to `most`, wherever the text ends. More of them: as many as were taken.
static inline unsigned gm_line_all_digits(const char *p, const char *end, unsigned most, uint64_t *out)
{
    static const uint64_t tens[9] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000 };
    uint64_t value = 0, part = 0;
    unsigned taken = 0, n = 8;
    for (; n == 8 && taken + 8 <= most && end - p >= 8; taken += n, p += n) {
        n     = gm_line_digits(p, &part);
        value = n > 0 ? value * tens[n] + part : value;
    }
    for (; n == 8 && taken < most && p < end && (unsigned char)(*p - '0') < 10; taken++) value = value * 10 + (uint64_t)(*p++ - '0');
    *out = value;
    return taken;
}

// [-]digits[.digits], as base/number.h reads it. Returns what follows; NULL: not such a number.
static inline const char *gm_line_number(const char *p, const char *end, double *out)
{
    static const double tens[GM_LINE_DIGITS_MAX + 1] = { 1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                         1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
    static const uint64_t whole_tens[GM_LINE_DIGITS_MAX + 1] = {
        1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000,
        100000000000000, 1000000000000000,
    };
    bool        negative = p < end && *p == '-';
    const char *first    = p += negative;
    uint64_t    digits   = 0, behind = 0;
    unsigned    whole    = gm_line_all_digits(p, end, GM_LINE_DIGITS_MAX + 1, &digits), fraction = 0;
    if (whole == 0 || whole > GM_LINE_DIGITS_MAX || (*first == '0' && whole > 1)) return NULL;
    p += whole;
    if (p < end && *p == '.') {
        fraction = gm_line_all_digits(++p, end, GM_LINE_DIGITS_MAX + 1, &behind);
        if (fraction == 0 || whole + fraction > GM_LINE_DIGITS_MAX) return NULL;
        p += fraction;
        digits = digits * whole_tens[fraction] + behind;
    }
    double value = (double)digits / tens[fraction];
    *out         = negative ? -value : value;
    return p;
}

// Digits below 2^63. Returns what follows; NULL: not such a time.
static inline const char *gm_line_time(const char *p, const char *end, int64_t *out)
{
    uint64_t value = 0;
    unsigned n     = gm_line_all_digits(p, end, GM_LINE_TIME_DIGITS_MAX, &value);
    // 19 digits are below 2^64, and are looked at as the sum they are.
    if (n == 0 || (*p == '0' && n > 1) || value > INT64_MAX) return NULL;
    *out = (int64_t)value;
    return p + n;
}

#endif
