// physics/exec/vec_one.h: a vector of one lane, in plain C. The reference for vec_avx2.h and vec_avx512.h, which offer
// the same names; vecmath.h and interp_body.h are written once over any of the three.
//
// vd holds doubles, vl 64-bit integers; a mask is a vl of all ones or all zeros in each lane.
#ifndef GM_PHYSICS_VEC_H
#define GM_PHYSICS_VEC_H

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { VEC = 1 };
typedef double  vd;
typedef int64_t vl;

static inline vd v_set(double x) { return x; }
static inline vl v_int(int64_t x) { return x; }
static inline vd v_load(const double *from) { return *from; }
static inline void v_store(double *to, vd x) { *to = x; }
static inline vl v_bits(vd x) { vl bits; memcpy(&bits, &x, sizeof bits); return bits; }
static inline vd v_from_bits(vl bits) { vd x; memcpy(&x, &bits, sizeof x); return x; }
static inline vl v_shift_left(vl x, int by) { return (vl)((uint64_t)x << by); }
static inline vl v_shift_right(vl x, int by) { return (vl)((uint64_t)x >> by); }  // zeros come in
static inline vl v_add_int(vl x, vl y) { return (vl)((uint64_t)x + (uint64_t)y); }
static inline vl v_sub_int(vl x, vl y) { return (vl)((uint64_t)x - (uint64_t)y); }

static inline vd v_fma(vd a, vd b, vd c) { return __builtin_fma(a, b, c); }    // a*b + c
static inline vd v_fms(vd a, vd b, vd c) { return __builtin_fma(a, b, -c); }   // a*b - c
static inline vd v_fnma(vd a, vd b, vd c) { return __builtin_fma(-a, b, c); }  // c - a*b
static inline vd v_sqrt(vd x) { return __builtin_sqrt(x); }
static inline vd v_floor(vd x) { return __builtin_floor(x); }
static inline vd v_ceil(vd x) { return __builtin_ceil(x); }
static inline vd v_trunc(vd x) { return __builtin_trunc(x); }
static inline vd v_min(vd a, vd b) { return a < b ? a : b; }
static inline vd v_max(vd a, vd b) { return a > b ? a : b; }

static inline vl v_lt(vd a, vd b) { return -(vl)(a < b); }
static inline vl v_le(vd a, vd b) { return -(vl)(a <= b); }
static inline vl v_eq(vd a, vd b) { return -(vl)(a == b); }
static inline vl v_ne(vd a, vd b) { return -(vl)(a != b); }
static inline vd v_select(vl mask, vd a, vd b) { return mask != 0 ? a : b; }
static inline int v_any(vl mask) { return mask != 0; }

// p * 2^n for whole |n| <= 1100, rounded once. Two exact powers, because 2^-1080 is no normal number.
static inline vd v_scale(vd p, vd n)
{
    vl k    = n == n ? (vl)n : 0;  // NaN may not be converted; p is NaN then
    vl half = v_sub_int(v_shift_right(v_add_int(k, 2048), 1), 1024);
    vd low  = v_from_bits(v_shift_left(v_add_int(half, 1023), 52));
    return p * low * v_from_bits(v_shift_left(v_add_int(v_sub_int(k, half), 1023), 52));
}

#endif
