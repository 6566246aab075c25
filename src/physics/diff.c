// Derivatives of straight-line code, forward: each instruction between wrt and of gets its tangent, in order.
#include "physics/code.h"

#include <math.h>

// Structural zeros are GM_CODE_NONE and never become instructions.
typedef struct tangent { gm_code *code; uint32_t *of; } tangent;

static uint32_t mul(gm_code *code, uint32_t a, uint32_t b)
{
    return gm_code_emit(code, GM_OP_MUL, a, b, 0);
}

static uint32_t scaled(gm_code *code, uint32_t factor, uint32_t t)  // factor * t
{
    return t != GM_CODE_NONE ? mul(code, factor, t) : GM_CODE_NONE;
}

static uint32_t sum(gm_code *code, uint32_t s, uint32_t t)
{
    if (s == GM_CODE_NONE) return t;
    return t != GM_CODE_NONE ? gm_code_emit(code, GM_OP_ADD, s, t, 0) : s;
}

static uint32_t minus(gm_code *code, uint32_t t)
{
    return t != GM_CODE_NONE ? gm_code_emit(code, GM_OP_NEG, t, 0, 0) : t;
}

static uint32_t divided(gm_code *code, uint32_t t, uint32_t by)
{
    return t != GM_CODE_NONE ? gm_code_emit(code, GM_OP_DIV, t, by, 0) : t;
}

static uint32_t pick(gm_code *code, uint32_t mask, uint32_t s, uint32_t t)
{
    if (s == GM_CODE_NONE && t == GM_CODE_NONE) return s;
    if (s == GM_CODE_NONE) s = gm_code_const(code, 0);
    if (t == GM_CODE_NONE) t = gm_code_const(code, 0);
    return gm_code_emit(code, GM_OP_SELECT, mask, s, t);
}

// a*b' + a'*b
static uint32_t product(gm_code *code, uint32_t a, uint32_t da, uint32_t b, uint32_t db)
{
    return sum(code, scaled(code, b, da), scaled(code, a, db));
}

static uint32_t one_plus_square(gm_code *code, uint32_t x, double sign)  // 1 + sign * x^2
{
    gm_op op = sign > 0 ? GM_OP_ADD : GM_OP_SUB;
    return gm_code_emit(code, op, gm_code_const(code, 1), mul(code, x, x), 0);
}

// d of f(a) where f' is known in terms of a and r = f(a).
static uint32_t unary(gm_code *code, gm_op op, uint32_t a, uint32_t r, uint32_t da)
{
    switch (op) {
    case GM_OP_NEG: return minus(code, da);
    case GM_OP_ABS: {
        uint32_t below = gm_code_emit(code, GM_OP_LT, a, gm_code_const(code, 0), 0);
        return gm_code_emit(code, GM_OP_SELECT, below, minus(code, da), da);
    }
    case GM_OP_SQRT: return divided(code, mul(code, gm_code_const(code, 0.5), da), r);
    case GM_OP_EXP: return mul(code, r, da);
    case GM_OP_LOG: return divided(code, da, a);
    case GM_OP_LOG10: return divided(code, mul(code, gm_code_const(code, M_LOG10E), da), a);
    case GM_OP_SIN: return mul(code, gm_code_emit(code, GM_OP_COS, a, 0, 0), da);
    case GM_OP_COS: return minus(code, mul(code, gm_code_emit(code, GM_OP_SIN, a, 0, 0), da));
    case GM_OP_TAN: return mul(code, one_plus_square(code, r, 1), da);
    case GM_OP_ASIN: return divided(code, da, gm_code_emit(code, GM_OP_SQRT, one_plus_square(code, a, -1), 0, 0));
    case GM_OP_ACOS:
        return minus(code, divided(code, da, gm_code_emit(code, GM_OP_SQRT, one_plus_square(code, a, -1), 0, 0)));
    case GM_OP_ATAN: return divided(code, da, one_plus_square(code, a, 1));
    case GM_OP_SINH: return mul(code, gm_code_emit(code, GM_OP_COSH, a, 0, 0), da);
    case GM_OP_COSH: return mul(code, gm_code_emit(code, GM_OP_SINH, a, 0, 0), da);
    case GM_OP_TANH: return mul(code, one_plus_square(code, r, -1), da);
    default: return GM_CODE_NONE;  // sign, floor, ceil, trunc: flat almost everywhere
    }
}

static uint32_t power(gm_code *code, uint32_t a, uint32_t b, uint32_t r, uint32_t da, uint32_t db)
{
    uint32_t by_base = GM_CODE_NONE;
    if (da != GM_CODE_NONE) {
        uint32_t less = gm_code_emit(code, GM_OP_SUB, b, gm_code_const(code, 1), 0);
        by_base       = mul(code, mul(code, b, gm_code_emit(code, GM_OP_POW, a, less, 0)), da);
    }
    if (db == GM_CODE_NONE) return by_base;
    return sum(code, by_base, mul(code, mul(code, r, gm_code_emit(code, GM_OP_LOG, a, 0, 0)), db));
}

static uint32_t binary(gm_code *code, gm_op op, uint32_t a, uint32_t b, uint32_t r, uint32_t da, uint32_t db)
{
    switch (op) {
    case GM_OP_ADD: return sum(code, da, db);
    case GM_OP_SUB: return sum(code, da, minus(code, db));
    case GM_OP_MUL: return product(code, a, da, b, db);
    case GM_OP_DIV: return divided(code, sum(code, da, minus(code, scaled(code, r, db))), b);
    case GM_OP_MIN: return pick(code, gm_code_emit(code, GM_OP_LT, a, b, 0), da, db);
    case GM_OP_MAX: return pick(code, gm_code_emit(code, GM_OP_LT, b, a, 0), da, db);
    case GM_OP_REM:
    case GM_OP_MOD: {
        gm_op    whole = op == GM_OP_REM ? GM_OP_TRUNC : GM_OP_FLOOR;
        uint32_t turns = gm_code_emit(code, whole, gm_code_emit(code, GM_OP_DIV, a, b, 0), 0, 0);
        return sum(code, da, minus(code, scaled(code, turns, db)));
    }
    case GM_OP_ATAN2: {  // atan2(a, b)' = (b a' - a b') / (a^2 + b^2)
        uint32_t radius2 = gm_code_emit(code, GM_OP_ADD, mul(code, a, a), mul(code, b, b), 0);
        return divided(code, sum(code, scaled(code, b, da), minus(code, scaled(code, a, db))), radius2);
    }
    case GM_OP_POW: return power(code, a, b, r, da, db);
    default: return GM_CODE_NONE;  // quot
    }
}

static uint32_t lookup(gm_code *code, const gm_ins *ins, uint32_t da, uint32_t db)
{
    if ((ins->c & 3) != GM_LOOKUP_VALUE) return GM_CODE_NONE;  // the slope of a piecewise linear table is flat
    uint32_t grid = ins->c & ~3u;
    if (da != GM_CODE_NONE) da = mul(code, gm_code_emit(code, GM_OP_LOOKUP, ins->a, ins->b, grid | GM_LOOKUP_DX), da);
    if (db != GM_CODE_NONE && ins->a != ins->b) {
        db = mul(code, gm_code_emit(code, GM_OP_LOOKUP, ins->a, ins->b, grid | GM_LOOKUP_DY), db);
    } else db = GM_CODE_NONE;  // a 1-D lookup carries its x twice
    return sum(code, da, db);
}

static uint32_t tangent_of(tangent *t, uint32_t at)
{
    gm_code *code  = t->code;
    gm_ins   ins   = code->ins[at];  // by value: emitting may move the array
    unsigned arity = gm_op_arity(ins.op);
    uint32_t da    = arity > 0 ? t->of[ins.a] : GM_CODE_NONE;
    uint32_t db    = arity > 1 ? t->of[ins.b] : GM_CODE_NONE;
    uint32_t dc    = arity > 2 ? t->of[ins.c] : GM_CODE_NONE;
    if (da == GM_CODE_NONE && db == GM_CODE_NONE && dc == GM_CODE_NONE) return GM_CODE_NONE;
    if (gm_op_gives_mask(ins.op) || ins.op == GM_OP_NUMBER) return GM_CODE_NONE;

    switch ((gm_op)ins.op) {
    case GM_OP_FMA: return sum(code, product(code, ins.a, da, ins.b, db), dc);
    case GM_OP_FMS: return sum(code, product(code, ins.a, da, ins.b, db), minus(code, dc));
    case GM_OP_FNMA: return sum(code, dc, minus(code, product(code, ins.a, da, ins.b, db)));
    case GM_OP_SELECT: return pick(code, ins.a, db, dc);
    case GM_OP_LOOKUP: return lookup(code, &ins, da, db);
    default: return arity == 1 ? unary(code, ins.op, ins.a, at, da) : binary(code, ins.op, ins.a, ins.b, at, da, db);
    }
}

// Marks what the n values in `of` are computed from.
static uint32_t mark_needed(const gm_code *code, uint32_t n, const uint32_t *of, uint8_t *needed)
{
    uint32_t end = 0;
    for (uint32_t i = 0; i < n; i++) {
        needed[of[i]] = 1;
        if (of[i] >= end) end = of[i] + 1;
    }
    for (uint32_t i = end; i-- > 0;) {
        if (!needed[i]) continue;
        const gm_ins *ins   = &code->ins[i];
        unsigned      arity = gm_op_arity(ins->op);
        if (arity > 0 || ins->op == GM_OP_SOLVED) needed[ins->a] = 1;
        if (arity > 1) needed[ins->b] = 1;
        if (arity > 2) needed[ins->c] = 1;
        if (ins->op == GM_OP_SOLVE) {
            for (uint32_t k = 0; k < ins->c; k++) needed[code->arguments[ins->b + k]] = 1;
        }
    }
    return end;
}

// Would a tangent have to pass through an operation that has none?
static bool blocked(const gm_code *code, const tangent *t, uint32_t at)
{
    const gm_ins *ins = &code->ins[at];
    if (ins->op == GM_OP_DELAY) return t->of[ins->a] != GM_CODE_NONE;
    if (ins->op != GM_OP_SOLVE) return false;
    for (uint32_t k = 0; k < ins->c; k++) {
        if (t->of[code->arguments[ins->b + k]] != GM_CODE_NONE) return true;
    }
    return false;
}

gm_status gm_code_diff(gm_code *code, uint32_t wrt, uint32_t n, const uint32_t *of, uint32_t *out)
{
    if (code->status != GM_OK) return code->status;
    gm_status st     = GM_OK;
    size_t    count  = code->count;
    tangent   t      = { code, gm_alloc_array(code->alloc, count, sizeof *t.of) };
    uint8_t  *needed = gm_alloc_zeroed(code->alloc, count);
    if (t.of == NULL || needed == NULL) {
        st = code->status = GM_NOMEM;
        goto done;
    }
    memset(t.of, 0xff, count * sizeof *t.of);

    uint32_t end = mark_needed(code, n, of, needed);
    for (uint32_t i = wrt; i < end; i++) {
        if (i == wrt) {
            t.of[i] = gm_code_const(code, 1);
        } else if (needed[i]) {
            if (blocked(code, &t, i)) {
                st = GM_INVALID;
                goto done;
            }
            t.of[i] = tangent_of(&t, i);
        }
    }
    for (uint32_t i = 0; i < n; i++) out[i] = t.of[of[i]];
    st = code->status;
done:
    gm_free(code->alloc, needed);
    gm_free(code->alloc, t.of);
    return st;
}
