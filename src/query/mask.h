// query/mask.h: the inner loops: whole stretches of a column against a condition.
//
// A mask is one byte a row, 1 = still a candidate. Every function clears the rows that do not meet its condition, so
// conditions joined by AND are calls in a row. Loops have no branches and no aliasing, so that the compiler turns them
// into vector code; a block of masks and values stays in the first-level cache.
#ifndef GM_QUERY_MASK_H
#define GM_QUERY_MASK_H

#include "query/ast.h"

enum { GM_MASK_BLOCK = 2048 };  // rows at a time: 16 KB of doubles

// A comparison with a number as an interval: lo <= x <= hi, or (outside) everything else that has a value. Exact: an
// integer literal against doubles, or a fraction against integers, gives the interval that mathematics asks for.
typedef struct gm_f64_range { double lo, hi; bool outside; } gm_f64_range;
typedef struct gm_i64_range { int64_t lo, hi; bool outside; } gm_i64_range;
gm_f64_range gm_f64_range_of(gm_compare op, gm_qvalue number);
gm_i64_range gm_i64_range_of(gm_compare op, gm_qvalue number);

void gm_mask_f64(size_t n, const double *restrict x, gm_f64_range range, uint8_t *restrict mask);  // NaN: never
void gm_mask_at_most(size_t n, const double *restrict x, double hi, uint8_t *restrict mask);  // NaN: stays
// source[i] GM_ABSENT: never.
void gm_mask_i64(size_t n, const int64_t *restrict x, const int64_t *restrict source, gm_i64_range range,
                 uint8_t *restrict mask);
void gm_mask_present(size_t n, const int64_t *restrict source, bool present, uint8_t *restrict mask);
void gm_mask_twins(size_t n, const uint32_t *restrict twins, uint8_t *restrict mask);  // clears holes
void gm_mask_compare(size_t n, gm_compare op, const double *restrict a, const double *restrict b,
                     uint8_t *restrict mask);

// out = a | b, rest = rest & ~b.
void   gm_mask_or(size_t n, const uint8_t *restrict add, uint8_t *restrict out, uint8_t *restrict rest);
size_t gm_mask_count(size_t n, const uint8_t *mask);

// out[i] = a[i] op b[i]; NaN where the result is not finite.
void gm_f64_arith(size_t n, gm_arith op, const double *restrict a, const double *restrict b, double *restrict out);
void gm_f64_of_i64(size_t n, const int64_t *restrict x, const int64_t *restrict source,
                   double *restrict out); // absent: NaN

#endif
