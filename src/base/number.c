// Reading is exact in three steps, each taken when the one before can not promise a correctly rounded result:
//   1. at most 2^53 and a power of ten up to 10^22: both are doubles, so one division or multiplication rounds once
//      (Clinger: How to read floating point numbers accurately, PLDI 1990);
//   2. 19 digits and 10^-27..10^27: powers of five below 2^64, so a 128-bit product, or a quotient with its remainder,
//      holds every bit that rounding needs;
//   3. anything else: the C library's strtod in the "C" locale, on a canonical copy of at most 780 digits (a tie
//      between two doubles has at most 767 significant digits, so one further digit stands for all that follow).
#include "base/number.h"

#include "base/shortest.h"

#include <assert.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

__extension__ typedef unsigned __int128 wide;

enum { FIVES_MAX = 27, DIGITS_EXACT = 780 };

static const uint64_t fives[FIVES_MAX + 1] = {  // 5^k
    1, 5, 25, 125, 625, 3125, 15625, 78125, 390625, 1953125, 9765625, 48828125, 244140625, 1220703125,
    UINT64_C(6103515625), UINT64_C(30517578125), UINT64_C(152587890625), UINT64_C(762939453125),
    UINT64_C(3814697265625), UINT64_C(19073486328125), UINT64_C(95367431640625), UINT64_C(476837158203125),
    UINT64_C(2384185791015625), UINT64_C(11920928955078125), UINT64_C(59604644775390625),
    UINT64_C(298023223876953125), UINT64_C(1490116119384765625), UINT64_C(7450580596923828125),
};

static const double tens[] = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
};
enum { TENS_MAX = 22 };

// What the text says: +-digits * 10^exponent, digits being the first 19 significant ones.
typedef struct number_text {
    uint64_t digits;
    int64_t  exponent;
    bool     negative, integer;
    bool     cut;     // nonzero digits follow after the first 19
    size_t   len;
} number_text;

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

// The exponent part at `at`, when there is a whole one. Returns its length. Absurd exponents stop counting at 10^8,
// far beyond what digits could make up for (a text is shorter than that).
static size_t scan_exponent(gm_str text, size_t at, int64_t *out_exponent)
{
    size_t i = at;
    if (i >= text.len || (text.ptr[i] | 0x20) != 'e') return 0;
    i++;
    bool negative = i < text.len && text.ptr[i] == '-';
    if (i < text.len && (text.ptr[i] == '-' || text.ptr[i] == '+')) i++;
    if (i >= text.len || !is_digit(text.ptr[i])) return 0;
    int64_t value = 0;
    for (; i < text.len && is_digit(text.ptr[i]); i++) {
        if (value < 100000000) value = value * 10 + (text.ptr[i] - '0');
    }
    *out_exponent = negative ? -value : value;
    return i - at;
}

// More than 19 digits: walks them again, this time leaving out leading zeros and keeping the scale.
static void rescan_long(gm_str text, size_t end, number_text *n)
{
    int     count = 0;
    bool    point = false;
    int64_t scale = 0;
    n->digits     = 0;
    n->cut        = false;
    for (size_t i = n->negative; i < end; i++) {
        char c = text.ptr[i];
        if (c == '.') {
            point = true;
            continue;
        }
        if (count < 19) {
            n->digits = n->digits * 10 + (uint64_t)(c - '0');
            count += n->digits > 0;
            scale -= point;
        } else {
            n->cut |= c != '0';
            scale += !point;
        }
    }
    n->exponent = scale;
}

static bool scan(gm_str text, number_text *n)
{
    const char *s = text.ptr, *end = text.ptr + text.len;
    *n = (number_text){ .integer = true };
    if (s < end && *s == '-') {
        n->negative = true;
        s++;
    }
    if (s >= end || !is_digit(*s)) return false;
    const char *first  = s;
    uint64_t    digits = 0;
    if (*s == '0') s++;
    else while (s < end && is_digit(*s)) digits = digits * 10 + (uint64_t)(*s++ - '0');
    size_t count = (size_t)(s - first);
    if (end - s >= 2 && *s == '.' && is_digit(s[1])) {
        const char *point = s++;
        while (s < end && is_digit(*s)) digits = digits * 10 + (uint64_t)(*s++ - '0');
        n->exponent = -(int64_t)(s - point - 1);
        n->integer  = false;
        count += (size_t)(s - point - 1);
    }
    n->digits = digits;
    n->len    = (size_t)(s - text.ptr);
    if (count > 19) rescan_long(text, n->len, n);
    if (s < end && (*s | 0x20) == 'e') {
        int64_t exponent = 0;
        size_t  len      = scan_exponent(text, n->len, &exponent);
        if (len > 0) n->integer = false;
        n->exponent += exponent;
        n->len += len;
    }
    return true;
}

// The double nearest to (top * 2^shift), where bits below top are all zero unless `more`. top has its highest bit set
// in position 62 or 63, and the result is a normal number.
static double round_to_double(uint64_t top, bool more, int shift)
{
    int      drop = 64 - 53 - __builtin_clzll(top);
    uint64_t half = UINT64_C(1) << (drop - 1);
    uint64_t rest = top & ((half << 1) - 1);
    uint64_t kept = top >> drop;
    if (rest > half || (rest == half && (more || (kept & 1)))) kept++;
    return ldexp((double)kept, shift + drop);  // kept <= 2^53: exact
}

// digits * 10^exponent for |exponent| <= FIVES_MAX and digits > 0.
static double scale_exactly(uint64_t digits, int exponent)
{
    int      up   = __builtin_clzll(digits);
    uint64_t norm = digits << up;
    if (exponent >= 0) {
        wide     product = (wide)norm * fives[exponent];
        uint64_t high    = (uint64_t)(product >> 64), low = (uint64_t)product;
        if (high == 0) return round_to_double(low, false, exponent - up);
        int gap = __builtin_clzll(high);
        if (gap > 0) {
            high = high << gap | low >> (64 - gap);
            low <<= gap;
        }
        return round_to_double(high, low != 0, 64 - gap + exponent - up);
    }
    uint64_t five     = fives[-exponent];
    int      five_up  = __builtin_clzll(five);
    uint64_t divisor  = five << five_up;
    wide     dividend = (wide)norm << 63;  // quotient in (2^62, 2^64)
    uint64_t quotient = (uint64_t)(dividend / divisor);
    bool     rest     = dividend % divisor != 0;
    return round_to_double(quotient, rest, exponent - up + five_up - 63);
}

// Step 3: the C library, on at most DIGITS_EXACT digits and one that stands for the rest.
static double read_slowly(gm_str text, size_t end, int64_t extra_exponent)
{
    char    copy[DIGITS_EXACT + 64];
    size_t  len   = 0;
    int64_t scale = extra_exponent;
    bool    point = false, cut = false;
    for (size_t i = 0; i < end; i++) {
        char c = text.ptr[i];
        if (c == '.') {
            point = true;
        } else if (len == 0 && c == '0') {
            scale -= point;
        } else if (len < DIGITS_EXACT) {
            copy[len++] = c;
            scale -= point;
        } else {
            cut |= c != '0';
            scale += !point;
        }
    }
    if (len == 0) return 0.0;
    if (cut) {
        copy[len++] = '1';
        scale--;
    }
    snprintf(copy + len, sizeof copy - len, "e%lld", (long long)scale);
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);  // glibc: a constant object, nothing is allocated
    double   value    = strtod_l(copy, NULL, c_locale);
    freelocale(c_locale);
    return value;
}

static double value_of(gm_str text, const number_text *n)
{
    if (n->digits == 0) return 0.0;
    if (n->digits <= UINT64_C(1) << 53 && !n->cut) {
        if (n->exponent <= 0 && n->exponent >= -TENS_MAX) return (double)n->digits / tens[-n->exponent];
        if (n->exponent > 0 && n->exponent <= TENS_MAX) return (double)n->digits * tens[n->exponent];
    }
    if (n->exponent >= -FIVES_MAX && n->exponent <= FIVES_MAX) {
        double value = scale_exactly(n->digits, (int)n->exponent);
        // With digits cut off the truth lies between this and the next: mostly both round to the same double.
        if (!n->cut || scale_exactly(n->digits + 1, (int)n->exponent) == value) return value;
    }
    size_t  mantissa = n->negative;
    int64_t exponent = 0;
    while (mantissa < n->len && (text.ptr[mantissa] | 0x20) != 'e') mantissa++;
    scan_exponent(text, mantissa, &exponent);
    return read_slowly((gm_str){ text.ptr + n->negative, mantissa - n->negative }, mantissa - n->negative, exponent);
}

size_t gm_number_read(gm_str text, double *out_value)
{
    number_text n;
    if (!scan(text, &n)) return 0;
    double value = value_of(text, &n);
    *out_value   = n.negative ? -value : value;
    return n.len;
}

size_t gm_number_read_int(gm_str text, int64_t *out_value)
{
    number_text n;
    if (!scan(text, &n) || !n.integer || n.cut || n.exponent != 0) return 0;
    uint64_t limit = (uint64_t)INT64_MAX + n.negative;
    if (n.digits > limit) return 0;
    *out_value = n.negative ? (int64_t)(0 - n.digits) : (int64_t)n.digits;
    return n.len;
}

// ---- writing ------------------------------------------------------------------------------------------------------

// Decimal digits of a value, most significant first, without their trailing zeros: 0.d1d2d3... * 10^point.
typedef struct decimal { char digits[24]; int count, point; } decimal;

// number > 0. Two digits a division; the many zeros that a short decimal ends in go at once.
static void digits_of(uint64_t number, int exponent, decimal *d)
{
    char   text[24];
    size_t at = sizeof text;
    if (number % 100000000 == 0) {
        number /= 100000000;
        exponent += 8;
    }
    for (; number >= 100; number /= 100) {
        unsigned pair = (unsigned)(number % 100);
        text[--at]    = (char)('0' + pair % 10);
        text[--at]    = (char)('0' + pair / 10);
    }
    if (number >= 10) text[--at] = (char)('0' + number % 10);
    text[--at] = (char)('0' + (number >= 10 ? number / 10 : number));
    d->count   = (int)(sizeof text - at);
    d->point   = d->count + exponent;
    memcpy(d->digits, text + at, (size_t)d->count);
    while (d->count > 1 && d->digits[d->count - 1] == '0') d->count--;
}

// Plain digits between 1e-5 and 1e17, else with an exponent of at least two digits. Returns the length.
static size_t lay_out(const decimal *d, char *out)
{
    size_t len = 0;
    if (d->point > 17 || d->point < -3) {
        out[len++] = d->digits[0];
        if (d->count > 1) {
            out[len++] = '.';
            memcpy(out + len, d->digits + 1, (size_t)d->count - 1);
            len += (size_t)d->count - 1;
        }
        int exponent = d->point - 1;
        out[len++]   = 'e';
        out[len++]   = exponent < 0 ? '-' : '+';
        if (exponent < 0) exponent = -exponent;
        if (exponent >= 100) out[len++] = (char)('0' + exponent / 100);
        out[len++] = (char)('0' + exponent / 10 % 10);
        out[len++] = (char)('0' + exponent % 10);
        return len;
    }
    int at = 0;
    if (d->point <= 0) out[len++] = '0';
    for (; at < d->point; at++) out[len++] = at < d->count ? d->digits[at] : '0';
    if (at < d->count || d->point < 0) {
        out[len++] = '.';
        for (int zero = d->point; zero < 0; zero++) out[len++] = '0';
        while (at < d->count) out[len++] = d->digits[at++];
    }
    return len;
}

size_t gm_number_write(double value, char out[GM_NUMBER_TEXT])
{
    size_t len = 0;
    if (!isfinite(value)) {
        memcpy(out, "null", 5);
        return 4;
    }
    if (signbit(value)) {
        out[len++] = '-';
        value      = -value;
    }
    decimal d;
    if (value == 0.0) {
        d = (decimal){ .digits = "0", .count = 1, .point = 1 };
    } else if (value < 0x1p53 && value == (double)(uint64_t)value) {
        digits_of((uint64_t)value, 0, &d);
    } else {
        gm_decimal shortest = gm_shortest_decimal(value);
        digits_of(shortest.digits, shortest.exponent, &d);
    }
    len += lay_out(&d, out + len);
    assert(len < GM_NUMBER_TEXT);
    out[len] = '\0';
    return len;
}
