// physics/exec/vec_avx512.h: vectors of eight lanes (AVX-512 F, DQ). The names are explained in vec_one.h.
#ifndef GM_PHYSICS_VEC_H
#define GM_PHYSICS_VEC_H

#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { VEC = 8 };
typedef __m512d vd;
typedef __m512i vl;

static inline vd v_set(double x) { return _mm512_set1_pd(x); }
static inline vl v_int(int64_t x) { return _mm512_set1_epi64(x); }
static inline vd v_load(const double *from) { return _mm512_loadu_pd(from); }
static inline void v_store(double *to, vd x) { _mm512_storeu_pd(to, x); }
static inline vl v_bits(vd x) { return _mm512_castpd_si512(x); }
static inline vd v_from_bits(vl bits) { return _mm512_castsi512_pd(bits); }
static inline vl v_shift_left(vl x, int by) { return _mm512_slli_epi64(x, (unsigned)by); }
static inline vl v_shift_right(vl x, int by) { return _mm512_srli_epi64(x, (unsigned)by); }
static inline vl v_add_int(vl x, vl y) { return _mm512_add_epi64(x, y); }
static inline vl v_sub_int(vl x, vl y) { return _mm512_sub_epi64(x, y); }

static inline vd v_fma(vd a, vd b, vd c) { return _mm512_fmadd_pd(a, b, c); }
static inline vd v_fms(vd a, vd b, vd c) { return _mm512_fmsub_pd(a, b, c); }
static inline vd v_fnma(vd a, vd b, vd c) { return _mm512_fnmadd_pd(a, b, c); }
static inline vd v_sqrt(vd x) { return _mm512_sqrt_pd(x); }
static inline vd v_floor(vd x) { return _mm512_roundscale_pd(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
static inline vd v_ceil(vd x) { return _mm512_roundscale_pd(x, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
static inline vd v_trunc(vd x) { return _mm512_roundscale_pd(x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
static inline vd v_min(vd a, vd b) { return _mm512_min_pd(a, b); }
static inline vd v_max(vd a, vd b) { return _mm512_max_pd(a, b); }

static inline vl v_lt(vd a, vd b) { return _mm512_movm_epi64(_mm512_cmp_pd_mask(a, b, _CMP_LT_OQ)); }
static inline vl v_le(vd a, vd b) { return _mm512_movm_epi64(_mm512_cmp_pd_mask(a, b, _CMP_LE_OQ)); }
static inline vl v_eq(vd a, vd b) { return _mm512_movm_epi64(_mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ)); }
static inline vl v_ne(vd a, vd b) { return _mm512_movm_epi64(_mm512_cmp_pd_mask(a, b, _CMP_NEQ_UQ)); }
static inline vd v_select(vl mask, vd a, vd b)
{
    return _mm512_castsi512_pd(_mm512_ternarylogic_epi64(mask, v_bits(a), v_bits(b), 0xca));  // bit by bit: mask ? a : b
}
static inline int v_any(vl mask) { return _mm512_movepi64_mask(mask) != 0; }

static inline vd v_scale(vd p, vd n) { return _mm512_scalef_pd(p, n); }

#endif
