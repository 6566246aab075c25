// physics/exec/vecops.h, a template: what every operation of a program means, written once for all widths. Included after one of
// the vec_*.h headers. Masks travel as vd with all bits set or clear.
#ifndef GM_PHYSICS_VECOPS_H
#define GM_PHYSICS_VECOPS_H

#include "physics/exec/vecmath.h"
#include "physics/program.h"

V_INLINE vd v_libm1(double (*f)(double), vd x)
{
    return v_patch1(v_int(-1), f, x, x);
}

// With a constant op this folds to the one case. LOAD, CONST and whatever needs more than its operands is not here.
V_INLINE vd v_op(gm_op op, vd x, vd y, vd z)
{
    vd zero = v_set(0);
    switch (op) {
    case GM_OP_ADD: return x + y;
    case GM_OP_SUB: return x - y;
    case GM_OP_MUL: return x * y;
    case GM_OP_DIV: return x / y;
    case GM_OP_FMA: return v_fma(x, y, z);
    case GM_OP_FMS: return v_fms(x, y, z);
    case GM_OP_FNMA: return v_fnma(x, y, z);
    case GM_OP_NEG: return v_from_bits(v_bits(x) ^ v_int(V_SIGN));
    case GM_OP_ABS: return v_abs(x);
    case GM_OP_SIGN: return v_select(v_lt(zero, x), v_set(1), v_select(v_lt(x, zero), v_set(-1), x));
    case GM_OP_MIN: return v_min(x, y);
    case GM_OP_MAX: return v_max(x, y);
    case GM_OP_SQRT: return v_sqrt(x);
    case GM_OP_FLOOR: return v_floor(x);
    case GM_OP_CEIL: return v_ceil(x);
    case GM_OP_TRUNC: return v_trunc(x);
    case GM_OP_QUOT: return v_trunc(x / y);
    case GM_OP_REM: return v_fnma(v_trunc(x / y), y, x);
    case GM_OP_MOD: return v_fnma(v_floor(x / y), y, x);
    case GM_OP_EXP: return v_exp(x);
    case GM_OP_LOG: return v_log(x);
    case GM_OP_LOG10: return v_libm1(log10, x);
    case GM_OP_SIN: return v_sin(x);
    case GM_OP_COS: return v_cos(x);
    case GM_OP_TAN: return v_libm1(tan, x);
    case GM_OP_ASIN: return v_libm1(asin, x);
    case GM_OP_ACOS: return v_libm1(acos, x);
    case GM_OP_ATAN: return v_libm1(atan, x);
    case GM_OP_ATAN2: return v_patch2(v_int(-1), atan2, x, y, x);
    case GM_OP_SINH: return v_libm1(sinh, x);
    case GM_OP_COSH: return v_libm1(cosh, x);
    case GM_OP_TANH: return v_tanh(x);
    case GM_OP_POW: return v_pow(x, y);
    case GM_OP_LT: return v_from_bits(v_lt(x, y));
    case GM_OP_LE: return v_from_bits(v_le(x, y));
    case GM_OP_EQ: return v_from_bits(v_eq(x, y));
    case GM_OP_NE: return v_from_bits(v_ne(x, y));
    case GM_OP_AND: return v_from_bits(v_bits(x) & v_bits(y));
    case GM_OP_OR: return v_from_bits(v_bits(x) | v_bits(y));
    case GM_OP_XOR: return v_from_bits(v_bits(x) ^ v_bits(y));
    case GM_OP_NOT: return v_from_bits(~v_bits(x));
    case GM_OP_SELECT: return v_select(v_bits(x), y, z);
    case GM_OP_NUMBER: return v_from_bits(v_bits(x) & v_bits(v_set(1)));
    case GM_OP_MASK: return v_from_bits(v_ne(x, zero));
    default: return zero;
    }
}

#endif
