// physics/exec/vec_avx2.h: vectors of four lanes (AVX2 and FMA). The names are explained in vec_one.h.
#ifndef GM_PHYSICS_VEC_H
#define GM_PHYSICS_VEC_H

#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { VEC = 4 };
typedef __m256d vd;
typedef __m256i vl;

static inline vd v_set(double x) { return _mm256_set1_pd(x); }
static inline vl v_int(int64_t x) { return _mm256_set1_epi64x(x); }
static inline vd v_load(const double *from) { return _mm256_loadu_pd(from); }
static inline void v_store(double *to, vd x) { _mm256_storeu_pd(to, x); }
static inline vl v_bits(vd x) { return _mm256_castpd_si256(x); }
static inline vd v_from_bits(vl bits) { return _mm256_castsi256_pd(bits); }
static inline vl v_shift_left(vl x, int by) { return _mm256_slli_epi64(x, by); }
static inline vl v_shift_right(vl x, int by) { return _mm256_srli_epi64(x, by); }
static inline vl v_add_int(vl x, vl y) { return _mm256_add_epi64(x, y); }
static inline vl v_sub_int(vl x, vl y) { return _mm256_sub_epi64(x, y); }

static inline vd v_fma(vd a, vd b, vd c) { return _mm256_fmadd_pd(a, b, c); }
static inline vd v_fms(vd a, vd b, vd c) { return _mm256_fmsub_pd(a, b, c); }
static inline vd v_fnma(vd a, vd b, vd c) { return _mm256_fnmadd_pd(a, b, c); }
static inline vd v_sqrt(vd x) { return _mm256_sqrt_pd(x); }
static inline vd v_floor(vd x) { return _mm256_floor_pd(x); }
static inline vd v_ceil(vd x) { return _mm256_ceil_pd(x); }
static inline vd v_trunc(vd x) { return _mm256_round_pd(x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
static inline vd v_min(vd a, vd b) { return _mm256_min_pd(a, b); }
static inline vd v_max(vd a, vd b) { return _mm256_max_pd(a, b); }

static inline vl v_lt(vd a, vd b) { return v_bits(_mm256_cmp_pd(a, b, _CMP_LT_OQ)); }
static inline vl v_le(vd a, vd b) { return v_bits(_mm256_cmp_pd(a, b, _CMP_LE_OQ)); }
static inline vl v_eq(vd a, vd b) { return v_bits(_mm256_cmp_pd(a, b, _CMP_EQ_OQ)); }
static inline vl v_ne(vd a, vd b) { return v_bits(_mm256_cmp_pd(a, b, _CMP_NEQ_UQ)); }
static inline vd v_select(vl mask, vd a, vd b) { return _mm256_blendv_pd(b, a, v_from_bits(mask)); }
static inline int v_any(vl mask) { return _mm256_movemask_pd(v_from_bits(mask)) != 0; }

static inline vd v_scale(vd p, vd n)
{
    vd shifted = n + v_set(0x1.8p52);  // the whole number stands in the low bits
    vl k       = v_sub_int(v_bits(shifted), v_bits(v_set(0x1.8p52)));
    vl half    = v_sub_int(v_shift_right(v_add_int(k, v_int(2048)), 1), v_int(1024));
    vd low     = v_from_bits(v_shift_left(v_add_int(half, v_int(1023)), 52));
    return p * low * v_from_bits(v_shift_left(v_add_int(v_sub_int(k, half), v_int(1023)), 52));
}

#endif
