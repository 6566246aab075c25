// history/decimal.h: doubles as whole numbers, so that what a sensor sent as "21.37" is stored as 2137 and its scale.
//
// A value is decimal at scale k when it is the double nearest to m / 10^k for a whole m below 2^53; m / 10^k rounded
// by the division gives the same bits back (IEEE 754: division is correctly rounded, 10^k is exact up to k = 22).
// Gateways often widen single precision ("21.370000839233398"): such a value is decimal when m / 10^k, rounded to
// single precision, gives it back. -0.0 counts as 0 here: whoever stores the numbers keeps a list of them.
#ifndef GM_HISTORY_DECIMAL_H
#define GM_HISTORY_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { GM_DECIMAL_SCALES = 16 };  // 0..15

typedef struct gm_decimal { unsigned scale; bool single; } gm_decimal;

static inline double gm_double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint64_t gm_bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

#define GM_NEGATIVE_ZERO (UINT64_C(1) << 63)  // the bits of -0.0

// value (not -0.0) as m / 10^scale; false when it is not.
bool   gm_decimal_exact(double value, gm_decimal d, int64_t *out_m);
double gm_decimal_value(int64_t m, gm_decimal d);

// The scale that costs least for these values (as bits of doubles), counting 80 bits for each exception; false when
// more than one in eight would be an exception at every scale.
bool gm_decimal_fit(const uint64_t *bits, size_t n, gm_decimal *out);

// The same for the common case: all of them are decimal at the scale that a few suggest, and none is -0.0. out_m [n] are
// the whole numbers. False: look at it with gm_decimal_fit.
bool gm_decimal_all(const uint64_t *bits, size_t n, gm_decimal *out, int64_t *out_m);

// For values that are not decimal: whole numbers in the order of the doubles, neighbours 1 apart (both zeros are 0).
// Differences of these are shorter than the XOR of the bits, which a carry turns into a long row of ones; and
// trailing zeros of all of them (single precision: 29) are a common divisor.
static inline int64_t gm_ordered_of(uint64_t bits)
{
    return (int64_t)bits >= 0 ? (int64_t)bits : -(int64_t)(bits & INT64_MAX);
}
static inline uint64_t gm_bits_of_ordered(int64_t ordered)
{
    return ordered >= 0 ? (uint64_t)ordered : -(uint64_t)ordered | GM_NEGATIVE_ZERO;
}

#endif
