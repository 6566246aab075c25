// physics/exec/vecmath.h, a template: elementary functions over vectors, written once over vec_one.h, vec_avx2.h or vec_avx512.h.
// The operations and their order are the same for every width, so the results are the same bits on every machine.
//
// Errors are measured by tests/physics/test_vecmath.c against libm's long double functions; the bounds below are what
// it asserts. Method and coefficients: docs/theory/vector-functions.md (Remez exchange at 50 digits).
//   exp <= 1.1 ulp   log <= 1.5   sin, cos <= 1.5   tanh <= 2   pow <= 1.5      the others: libm, lane by lane
#ifndef GM_PHYSICS_VECMATH_H
#define GM_PHYSICS_VECMATH_H

#define V_INLINE static inline __attribute__((always_inline))

// Adding this to |n| < 2^51 leaves n, rounded to even, in the low bits of the sum.
#define V_ROUND  0x1.8p52
#define V_LN2    0x1.62e42fefa39efp-1
#define V_LN2_LO 0x1.abc9e3b39803fp-56
#define V_LOG2E  0x1.71547652b82fep+0
#define V_SIGN   INT64_MIN

// The odd lanes out: where mask is true, f(x) from libm.
V_INLINE vd v_patch1(vl mask, double (*f)(double), vd x, vd result)
{
    double  in[VEC], out[VEC];
    int64_t on[VEC];
    v_store(in, x);
    v_store(out, result);
    memcpy(on, &mask, sizeof on);
    for (int i = 0; i < VEC; i++) {
        if (on[i]) out[i] = f(in[i]);
    }
    return v_load(out);
}

V_INLINE vd v_patch2(vl mask, double (*f)(double, double), vd x, vd y, vd result)
{
    double  a[VEC], b[VEC], out[VEC];
    int64_t on[VEC];
    v_store(a, x);
    v_store(b, y);
    v_store(out, result);
    memcpy(on, &mask, sizeof on);
    for (int i = 0; i < VEC; i++) {
        if (on[i]) out[i] = f(a[i], b[i]);
    }
    return v_load(out);
}

V_INLINE vd v_or_sign(vd x, vd sign_of)  // x >= 0 with the sign of the other
{
    return v_from_bits(v_bits(x) | (v_bits(sign_of) & v_int(V_SIGN)));
}

V_INLINE vd v_abs(vd x) { return v_from_bits(v_bits(x) & v_int(INT64_MAX)); }

// e^r = 1 + r + r^2 q(r) for |r| <= ln(2)/2; q evaluated in pairs (Estrin), which shortens the chain of dependent steps.
V_INLINE vd v_exp_q(vd r, vd r2)
{
    vd r4 = r2 * r2;
    vd q0 = v_fma(v_set(0x1.5555555555502p-3), r, v_set(0x1.0000000000008p-1));
    vd q2 = v_fma(v_set(0x1.11111111265c3p-7), r, v_set(0x1.5555555550ebfp-5));
    vd q4 = v_fma(v_set(0x1.a01a012f5f0f9p-13), r, v_set(0x1.6c16c183078ebp-10));
    vd q6 = v_fma(v_set(0x1.71df1e143bd14p-19), r, v_set(0x1.a0199cb462d5ap-16));
    vd q8 = v_fma(v_set(0x1.ad861e0ad02bbp-26), r, v_set(0x1.28ab4636e0a1fp-22));
    q0    = v_fma(q2, r2, q0);
    q4    = v_fma(q6, r2, q4);
    q4    = v_fma(q8, r4, q4);
    return v_fma(q4, r4, q0);
}

V_INLINE vd v_exp(vd x)
{
    // Beyond these the result is 0 or infinite anyway. NaN passes: min and max give their second operand then.
    vd y  = v_max(v_set(-750), v_min(v_set(710), x));
    vd n  = v_fma(y, v_set(V_LOG2E), v_set(V_ROUND)) - v_set(V_ROUND);
    vd r  = v_fnma(n, v_set(V_LN2_LO), v_fnma(n, v_set(V_LN2), y));  // the first step is exact
    vd r2 = r * r;
    vd p  = v_fma(v_exp_q(r, r2), r2, r) + v_set(1);
    return v_scale(p, n);
}

// x = 2^k m with sqrt(1/2) <= m < sqrt(2), for finite x > 0.
V_INLINE vd v_split(vd x, vd *out_k)
{
    vl tiny = v_lt(x, v_set(0x1p-1022));
    vl bits = v_bits(v_select(tiny, x * v_set(0x1p54), x));
    vl k    = v_sub_int(v_shift_right(v_add_int(v_sub_int(bits, v_int(INT64_C(0x3fe6a09e667f3bcd))), v_int(INT64_C(1024) << 52)), 52),
                        v_int(1024));
    vl unadjusted = k;
    k      = v_sub_int(k, tiny & v_int(54));
    *out_k = v_from_bits(v_add_int(v_bits(v_set(V_ROUND)), k)) - v_set(V_ROUND);
    return v_from_bits(v_sub_int(bits, v_shift_left(unadjusted, 52)));
}

#define V_LN2_42    0x1.62e42fefa3800p-1   // 42 bits, so that k times it is exact
#define V_LN2_42_LO 0x1.ef35793c76730p-45

// log m = 2 atanh(s), s = f / (2 + f), f = m - 1; written so that f, the largest term, is added last (Tang 1990).
V_INLINE vd v_log(vd x)
{
    vd k, m = v_split(x, &k);
    vd f = m - v_set(1);
    vd s = f / (v_set(2) + f);
    vd z = s * s, z2 = z * z;
    vd p0 = v_fma(v_set(0x1.999999998af05p-2), z, v_set(0x1.555555555556bp-1));
    vd p2 = v_fma(v_set(0x1.c71c58625a4adp-3), z, v_set(0x1.249249394e22cp-2));
    vd p4 = v_fma(v_set(0x1.39be8c2312d1ap-3), z, v_set(0x1.74650c13eb08cp-3));
    p4    = v_fma(v_set(0x1.2df448f466dbap-3), z2, p4);
    p0    = v_fma(v_fma(p4, z2, p2), z2, p0);
    vd half = v_set(0.5) * f * f;
    vd tail = v_fma(k, v_set(V_LN2_42_LO), s * v_fma(p0, z, half));
    vd y    = k * v_set(V_LN2_42) - ((half - tail) - f);
    y = v_select(v_lt(v_set(0), x), y, v_set(NAN));             // negative, NaN
    y = v_select(v_eq(x, v_set(0)), v_set(-INFINITY), y);
    return v_select(v_eq(x, v_set(INFINITY)), x, y);
}

// sin and cos of r + n pi/2, |r| <= pi/4. Valid while n pi/2's first part is exact: |x| <= 2^20.
typedef struct v_turn { vd r; vl quadrant; } v_turn;

V_INLINE v_turn v_reduce(vd x)
{
    vd t = v_fma(x, v_set(0x1.45f306dc9c883p-1), v_set(V_ROUND));
    vd n = t - v_set(V_ROUND);
    vd r = v_fnma(n, v_set(0x1.921fb54442d18p+0), x);
    r    = v_fnma(n, v_set(0x1.1a62633145c07p-54), r);
    r    = v_fnma(n, v_set(-0x1.f1976b7ed8fbcp-110), r);
    return (v_turn){ r, v_bits(t) };
}

V_INLINE vd v_sin_core(vd r, vd z)
{
    vd z2 = z * z;
    vd p0 = v_fma(v_set(0x1.1111111110104p-7), z, v_set(-0x1.5555555555550p-3));
    vd p2 = v_fma(v_set(0x1.71de362744e83p-19), z, v_set(-0x1.a01a019cf8df2p-13));
    vd p4 = v_fma(v_set(0x1.5db371909fd5fp-33), z, v_set(-0x1.ae5ee1432599bp-26));
    vd p  = v_fma(v_fma(p4, z2, p2), z2, p0);
    return v_fma(r * z, p, r);
}

V_INLINE vd v_cos_core(vd z)
{
    vd z2 = z * z;
    vd p0 = v_fma(v_set(-0x1.6c16c16c1640fp-10), z, v_set(0x1.5555555555554p-5));
    vd p2 = v_fma(v_set(-0x1.27e4f940d7f5bp-22), z, v_set(0x1.a01a019e71895p-16));
    vd p4 = v_fma(v_set(-0x1.90139d47d6414p-37), z, v_set(0x1.1eeab6df7a441p-29));
    vd p  = v_fma(v_fma(p4, z2, p2), z2, p0);
    vd half = v_set(0.5) * z, w = v_set(1) - half;
    return w + v_fma(z2, p, (v_set(1) - w) - half);  // the last term is what w lost
}

V_INLINE vd v_wave(vd x, v_turn turn, int64_t ahead)  // ahead: quarter turns, 0 = sin, 1 = cos
{
    vl q    = v_add_int(turn.quadrant, v_int(ahead));
    vd z    = turn.r * turn.r;
    vl odd  = v_sub_int(v_int(0), q & v_int(1));
    vd s    = v_sin_core(turn.r, z);
    vd wave = v_select(odd, v_cos_core(z), s);
    (void)x;
    return v_from_bits(v_bits(wave) ^ v_shift_left(q & v_int(2), 62));
}

V_INLINE vl v_far(vd x)  // too far out for v_reduce, or NaN
{
    return ~v_le(v_abs(x), v_set(0x1p20));
}

V_INLINE vd v_sin(vd x)
{
    vd y   = v_wave(x, v_reduce(x), 0);
    y      = v_select(v_eq(x, v_set(0)), x, y);  // keeps -0
    vl far = v_far(x);
    return v_any(far) ? v_patch1(far, sin, x, y) : y;
}

V_INLINE vd v_cos(vd x)
{
    vd y   = v_wave(x, v_reduce(x), 1);
    vl far = v_far(x);
    return v_any(far) ? v_patch1(far, cos, x, y) : y;
}

// tanh x = e / (e + 2) with e = exp(2|x|) - 1, which keeps its digits near zero.
V_INLINE vd v_tanh(vd x)
{
    vd y  = v_min(v_set(44), v_set(2) * v_abs(x));  // tanh 22 rounds to 1
    vd t  = v_fma(y, v_set(V_LOG2E), v_set(V_ROUND));
    vd n  = t - v_set(V_ROUND);
    vd r  = v_fnma(n, v_set(V_LN2_LO), v_fnma(n, v_set(V_LN2), y));
    vd r2 = r * r, r4 = r2 * r2;
    vd q0 = v_fma(v_set(0x1.5555555555559p-3), r, v_set(0.5));
    vd q2 = v_fma(v_set(0x1.111111110f7d1p-7), r, v_set(0x1.555555555555ap-5));
    vd q4 = v_fma(v_set(0x1.a01a01af7cda6p-13), r, v_set(0x1.6c16c16c14611p-10));
    vd q6 = v_fma(v_set(0x1.71ddf9464b523p-19), r, v_set(0x1.a01a01b044c3dp-16));
    vd q8 = v_fma(v_set(0x1.af5d33601af0ep-26), r, v_set(0x1.27e4c672e300bp-22));
    q0    = v_fma(q2, r2, q0);
    q4    = v_fma(q6, r2, q4);
    q8    = v_fma(v_set(0x1.1f94445c8949ep-29), r2, q8);
    q0    = v_fma(v_fma(q8, r4, q4), r4, q0);
    vd p  = v_fma(q0, r2, r);                       // e^r - 1
    vd sc = v_from_bits(v_shift_left(v_add_int(v_bits(t), v_int(1023)), 52));
    vd e  = v_fma(sc, p, sc - v_set(1));
    // One correction for what the division and the sum before it lost; 1 / d is (1 - u) / 2 while u is not yet near 1.
    vd two = v_set(2), d = e + two, u = e / d;
    vd lost = v_min(two, e) - (d - v_max(two, e));
    vd rest = v_fnma(u, lost, v_fnma(u, d, e));
    u = v_select(v_lt(v_set(0x1p16), e), u, v_fma(rest, v_fnma(v_set(0.5), u, v_set(0.5)), u));
    return v_or_sign(v_abs(u), x);
}

// x^y = exp(y log x) with log x to about 67 bits: 2 atanh(s) = 2 s + 2/3 s^3 + s^5 T(s^2), the first two terms as
// sums of two doubles (Dekker 1971, with products split by FMA).
V_INLINE vd v_pow(vd x, vd y)
{
    vd k, m = v_split(x, &k);
    vd f = m - v_set(1), dh = v_set(1) + m, dl = m - (dh - v_set(1));
    vd sh = f / dh;
    vd sl = (v_fnma(sh, dh, f) - sh * dl) / dh;
    vd zh = sh * sh, zl = v_fma(v_set(2) * sh, sl, v_fms(sh, sh, zh));
    vd uh = sh * zh, ul = v_fms(sh, zh, uh) + v_fma(sh, zl, sl * zh);
    vd c  = v_set(0x1.5555555555555p-1);
    vd vh = uh * c, low_v = v_fms(uh, c, vh) + v_fma(uh, v_set(0x1.5555555555555p-55), ul * c);

    vd z2 = zh * zh;
    vd p0 = v_fma(v_set(0x1.249249249268ap-2), zh, v_set(0x1.9999999999999p-2));
    vd p2 = v_fma(v_set(0x1.745d17b07b077p-3), zh, v_set(0x1.c71c71c69c04fp-3));
    vd p4 = v_fma(v_set(0x1.111c0328ec841p-3), zh, v_set(0x1.3b13839e6f9c3p-3));
    vd p6 = v_fma(v_set(0x1.e57647d833d31p-4), zh, v_set(0x1.dee89adbe5e78p-4));
    vd tail = uh * zh * v_fma(v_fma(v_fma(p6, z2, p4), z2, p2), z2, p0);

    vd kh = k * v_set(V_LN2_42), two = sh + sh;
    vd h1 = kh + two, l1 = two - (h1 - kh);
    vd h2 = h1 + vh, l2 = vh - (h2 - h1);
    vd low = l1 + l2 + (v_fma(k, v_set(V_LN2_42_LO), sl + sl) + low_v + tail);
    vd Lh = h2 + low, Ll = low - (Lh - h2);

    vd ph = y * Lh, pl = v_fma(y, Ll, v_fms(y, Lh, ph));
    pl    = v_select(v_lt(v_abs(ph), v_set(800)), pl, v_set(0));
    ph    = v_max(v_set(-750), v_min(v_set(710), ph));
    vd n  = v_fma(ph, v_set(V_LOG2E), v_set(V_ROUND)) - v_set(V_ROUND);
    vd r  = v_fnma(n, v_set(V_LN2_LO), v_fnma(n, v_set(V_LN2), ph)) + pl;
    vd r2 = r * r;
    vd result = v_scale(v_fma(v_exp_q(r, r2), r2, r) + v_set(1), n);

    vl odd = ~(v_lt(v_set(0), x) & v_lt(x, v_set(INFINITY)) & v_lt(v_abs(y), v_set(INFINITY)));
    return v_any(odd) ? v_patch2(odd, pow, x, y, result) : result;
}

#endif
