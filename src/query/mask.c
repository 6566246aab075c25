#include "query/mask.h"

#include "query/eval.h"
#include "query/value.h"

#include <float.h>
#include <math.h>

// The project is usually built with -O2, whose cost model leaves these loops scalar.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")
#endif

// ---- intervals --------------------------------------------------------------------------------------------------

static const gm_f64_range none_f64 = { 1, 0, false }, all_f64 = { -DBL_MAX, DBL_MAX, false };

gm_f64_range gm_f64_range_of(gm_compare op, gm_qvalue number)
{
    // above: the least double >= number; below: the greatest <= number. They differ for integers beyond 2^53.
    double above = number.kind == GM_Q_INT ? (double)number.i : number.d, below = above;
    int    order = gm_qvalue_order(number, (gm_qvalue){ GM_Q_DOUBLE, { .d = above } });
    if (order > 0) above = nextafter(below, INFINITY);
    if (order < 0) below = nextafter(above, -INFINITY);
    bool exact = order == 0;
    switch (op) {
    case GM_EQ: return exact ? (gm_f64_range){ above, above, false } : none_f64;
    case GM_NE: return exact ? (gm_f64_range){ above, above, true } : all_f64;
    case GM_LT: return (gm_f64_range){ -DBL_MAX, exact ? nextafter(below, -INFINITY) : below, false };
    case GM_LE: return (gm_f64_range){ -DBL_MAX, below, false };
    case GM_GT: return (gm_f64_range){ exact ? nextafter(above, INFINITY) : above, DBL_MAX, false };
    case GM_GE: return (gm_f64_range){ above, DBL_MAX, false };
    }
    return none_f64;
}

gm_i64_range gm_i64_range_of(gm_compare op, gm_qvalue number)
{
    const gm_i64_range none = { 1, 0, false }, all = { INT64_MIN, INT64_MAX, false };
    if (number.kind == GM_Q_DOUBLE) {
        double d = number.d;
        if (d >= 9223372036854775808.0) return op == GM_LT || op == GM_LE || op == GM_NE ? all : none;
        if (d < -9223372036854775808.0) return op == GM_GT || op == GM_GE || op == GM_NE ? all : none;
        if (d != floor(d)) {
            // Between two integers: "less" means up to the lower one, "greater" from the upper one on.
            if (op == GM_EQ) return none;
            if (op == GM_NE) return all;
            if (op == GM_LT || op == GM_LE) return (gm_i64_range){ INT64_MIN, (int64_t)floor(d), false };
            return (gm_i64_range){ (int64_t)floor(d) + 1, INT64_MAX, false };
        }
        number.i = (int64_t)d;
    }
    switch (op) {
    case GM_EQ: return (gm_i64_range){ number.i, number.i, false };
    case GM_NE: return (gm_i64_range){ number.i, number.i, true };
    case GM_LT: return number.i == INT64_MIN ? none : (gm_i64_range){ INT64_MIN, number.i - 1, false };
    case GM_LE: return (gm_i64_range){ INT64_MIN, number.i, false };
    case GM_GT: return number.i == INT64_MAX ? none : (gm_i64_range){ number.i + 1, INT64_MAX, false };
    case GM_GE: return (gm_i64_range){ number.i, INT64_MAX, false };
    }
    return none;
}

// ---- masks ------------------------------------------------------------------------------------------------------

void gm_mask_f64(size_t n, const double *restrict x, gm_f64_range range, uint8_t *restrict mask)
{
    const double lo = range.lo, hi = range.hi;
    if (range.outside) {
        for (size_t i = 0; i < n; i++) mask[i] &= (uint8_t)((x[i] < lo) | (x[i] > hi));
    } else {
        for (size_t i = 0; i < n; i++) mask[i] &= (uint8_t)((x[i] >= lo) & (x[i] <= hi));
    }
}

void gm_mask_at_most(size_t n, const double *restrict x, double hi, uint8_t *restrict mask)
{
    for (size_t i = 0; i < n; i++) mask[i] &= (uint8_t)!(x[i] > hi);
}

void gm_mask_i64(size_t n, const int64_t *restrict x, const int64_t *restrict source, gm_i64_range range,
                 uint8_t *restrict mask)
{
    const int64_t lo = range.lo, hi = range.hi;
    if (range.outside) {
        for (size_t i = 0; i < n; i++) mask[i] &= (uint8_t)(((x[i] < lo) | (x[i] > hi)) & (source[i] != GM_ABSENT));
    } else {
        for (size_t i = 0; i < n; i++) mask[i] &= (uint8_t)((x[i] >= lo) & (x[i] <= hi) & (source[i] != GM_ABSENT));
    }
}

void gm_mask_present(size_t n, const int64_t *restrict source, bool present, uint8_t *restrict mask)
{
    const uint8_t wanted = present;
    for (size_t i = 0; i < n; i++) mask[i] &= (uint8_t)((source[i] != GM_ABSENT) == wanted);
}

void gm_mask_twins(size_t n, const uint32_t *restrict twins, uint8_t *restrict mask)
{
    for (size_t i = 0; i < n; i++) mask[i] &= (uint8_t)(twins[i] != GM_NONE);
}

void gm_mask_compare(size_t n, gm_compare op, const double *restrict a, const double *restrict b,
                     uint8_t *restrict mask)
{
    switch (op) {
    case GM_EQ:
        for (size_t i = 0; i < n; i++) mask[i] &= (uint8_t)(a[i] == b[i]);
        break;
    case GM_NE:
        for (size_t i = 0; i < n; i++) mask[i] &= (uint8_t)((a[i] < b[i]) | (a[i] > b[i]));
        break;
    case GM_LT:
        for (size_t i = 0; i < n; i++) mask[i] &= (uint8_t)(a[i] < b[i]);
        break;
    case GM_LE:
        for (size_t i = 0; i < n; i++) mask[i] &= (uint8_t)(a[i] <= b[i]);
        break;
    case GM_GT:
        for (size_t i = 0; i < n; i++) mask[i] &= (uint8_t)(a[i] > b[i]);
        break;
    case GM_GE:
        for (size_t i = 0; i < n; i++) mask[i] &= (uint8_t)(a[i] >= b[i]);
        break;
    }
}

void gm_mask_or(size_t n, const uint8_t *restrict add, uint8_t *restrict out, uint8_t *restrict rest)
{
    for (size_t i = 0; i < n; i++) {
        out[i] |= add[i];
        rest[i] &= (uint8_t)(add[i] ^ 1);
    }
}

size_t gm_mask_count(size_t n, const uint8_t *mask)
{
    size_t count = 0, i = 0;
    // Eight rows a word; a byte holds sums up to 255, so words are added 255 at a time.
    while (n - i >= 8) {
        uint64_t sums  = 0;
        size_t   words = (n - i) / 8 < 255 ? (n - i) / 8 : 255;
        for (size_t w = 0; w < words; w++, i += 8) {
            uint64_t word;
            memcpy(&word, mask + i, 8);
            sums += word;
        }
        for (int b = 0; b < 64; b += 8) count += sums >> b & 0xff;
    }
    for (; i < n; i++) count += mask[i];
    return count;
}

// ---- arithmetic -------------------------------------------------------------------------------------------------

void gm_f64_arith(size_t n, gm_arith op, const double *restrict a, const double *restrict b, double *restrict out)
{
    switch (op) {
    case GM_ADD:
        for (size_t i = 0; i < n; i++) out[i] = a[i] + b[i];
        break;
    case GM_SUB:
        for (size_t i = 0; i < n; i++) out[i] = a[i] - b[i];
        break;
    case GM_MUL:
        for (size_t i = 0; i < n; i++) out[i] = a[i] * b[i];
        break;
    case GM_DIV:
        for (size_t i = 0; i < n; i++) out[i] = a[i] / b[i];
        break;
    case GM_MOD:
        for (size_t i = 0; i < n; i++) out[i] = gm_eval_arith(GM_MOD, a[i], b[i]);
        break;
    }
    for (size_t i = 0; i < n; i++) out[i] = fabs(out[i]) <= DBL_MAX ? out[i] : NAN;
}

void gm_f64_of_i64(size_t n, const int64_t *restrict x, const int64_t *restrict source, double *restrict out)
{
    for (size_t i = 0; i < n; i++) out[i] = source[i] != GM_ABSENT ? (double)x[i] : NAN;
}
