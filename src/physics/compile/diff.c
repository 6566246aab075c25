// Rules: any table of derivatives, e.g. Abramowitz and Stegun, Handbook of Mathematical Functions, section 3.3 and 4.
#include "physics/compile/diff.h"

static gm_ex add(gm_exprs *ex, gm_ex a, gm_ex b) { return gm_ex_2(ex, GM_EX_ADD, a, b); }
static gm_ex sub(gm_exprs *ex, gm_ex a, gm_ex b) { return gm_ex_2(ex, GM_EX_SUB, a, b); }
static gm_ex mul(gm_exprs *ex, gm_ex a, gm_ex b) { return gm_ex_2(ex, GM_EX_MUL, a, b); }
static gm_ex over(gm_exprs *ex, gm_ex a, gm_ex b) { return gm_ex_is(ex, a, 0) ? a : gm_ex_2(ex, GM_EX_DIV, a, b); }
static gm_ex num(gm_exprs *ex, double value) { return gm_ex_const(ex, value); }
static gm_ex square(gm_exprs *ex, gm_ex a) { return mul(ex, a, a); }

// d(x^y)
static gm_ex diff_pow(gm_exprs *ex, gm_ex e, gm_ex x, gm_ex y, gm_ex dx, gm_ex dy)
{
    gm_ex result = num(ex, 0);
    if (!gm_ex_is(ex, dx, 0)) {
        gm_ex less = gm_ex_2(ex, GM_EX_POW, x, sub(ex, y, num(ex, 1)));
        result     = mul(ex, mul(ex, y, less), dx);
    }
    if (!gm_ex_is(ex, dy, 0)) result = add(ex, result, mul(ex, mul(ex, e, gm_ex_1(ex, GM_EX_LOG, x)), dy));
    return result;
}

// f'(x) of a function of one argument; e is f(x) itself.
static gm_ex slope(gm_exprs *ex, gm_ex_op op, gm_ex e, gm_ex x)
{
    gm_ex one = num(ex, 1);
    switch (op) {
    case GM_EX_ABS:
        return gm_ex_3(ex, GM_EX_SELECT, gm_ex_compare(ex, GM_EX_LT, x, num(ex, 0), true), num(ex, -1), one);
    case GM_EX_SQRT: return over(ex, num(ex, 0.5), e);
    case GM_EX_EXP: return e;
    case GM_EX_LOG: return over(ex, one, x);
    case GM_EX_LOG10: return over(ex, num(ex, 0.43429448190325182765), x);  // log10(e)
    case GM_EX_SIN: return gm_ex_1(ex, GM_EX_COS, x);
    case GM_EX_COS: return gm_ex_1(ex, GM_EX_NEG, gm_ex_1(ex, GM_EX_SIN, x));
    case GM_EX_TAN: return add(ex, one, square(ex, e));
    case GM_EX_ASIN: return over(ex, one, gm_ex_1(ex, GM_EX_SQRT, sub(ex, one, square(ex, x))));
    case GM_EX_ACOS: return over(ex, num(ex, -1), gm_ex_1(ex, GM_EX_SQRT, sub(ex, one, square(ex, x))));
    case GM_EX_ATAN: return over(ex, one, add(ex, one, square(ex, x)));
    case GM_EX_SINH: return gm_ex_1(ex, GM_EX_COSH, x);
    case GM_EX_COSH: return gm_ex_1(ex, GM_EX_SINH, x);
    case GM_EX_TANH: return sub(ex, one, square(ex, e));
    default: return num(ex, 0);
    }
}

static gm_ex diff_of_two(gm_exprs *ex, gm_ex e, gm_ex_op op, gm_ex a, gm_ex b, gm_ex da, gm_ex db)
{
    switch (op) {
    case GM_EX_ADD: return add(ex, da, db);
    case GM_EX_SUB: return sub(ex, da, db);
    case GM_EX_MUL: return add(ex, mul(ex, da, b), mul(ex, a, db));
    case GM_EX_DIV: return over(ex, sub(ex, da, mul(ex, e, db)), b);
    case GM_EX_POW: return diff_pow(ex, e, a, b, da, db);
    case GM_EX_MIN: return gm_ex_3(ex, GM_EX_SELECT, gm_ex_compare(ex, GM_EX_LT, a, b, true), da, db);
    case GM_EX_MAX: return gm_ex_3(ex, GM_EX_SELECT, gm_ex_compare(ex, GM_EX_LT, b, a, true), da, db);
    case GM_EX_ATAN2: return over(ex, sub(ex, mul(ex, b, da), mul(ex, a, db)), add(ex, square(ex, a), square(ex, b)));
    case GM_EX_REM: return sub(ex, da, mul(ex, gm_ex_quiet(ex, gm_ex_2(ex, GM_EX_QUOT, a, b)), db));
    case GM_EX_MOD:
        return sub(ex, da, mul(ex, gm_ex_quiet(ex, gm_ex_1(ex, GM_EX_FLOOR, gm_ex_2(ex, GM_EX_DIV, a, b))), db));
    default: return num(ex, 0);
    }
}

static gm_ex diff_lookup(gm_differ *d, gm_ex e, const gm_ex_node *n, gm_ex dx, gm_ex dy)
{
    gm_exprs *ex = d->ex;
    if ((n->extra & 3) != 0) {
        d->refused = e;  // the slope of a table is piecewise constant or unknown
        return num(ex, 0);
    }
    gm_ex result = num(ex, 0);
    if (!gm_ex_is(ex, dx, 0)) result = mul(ex, gm_ex_lookup(ex, n->extra >> 2, 1, n->a[0], n->a[1]), dx);
    if (!gm_ex_is(ex, dy, 0))
        result = add(ex, result, mul(ex, gm_ex_lookup(ex, n->extra >> 2, 2, n->a[0], n->a[1]), dy));
    return result;
}

static gm_ex derivative_of(gm_differ *d, gm_ex e)
{
    gm_exprs  *ex = d->ex;
    gm_ex_node n  = *gm_ex_at(ex, e);  // a copy: the table of nodes moves as it grows
    int        operands = gm_ex_operands((gm_ex_op)n.op);
    gm_ex      da[3] = { 0 };
    bool       depends = false;
    for (int i = 0; i < operands; i++) {
        da[i] = gm_map_find(&d->memo, n.a[i]);
        depends |= !gm_ex_is(ex, da[i], 0);
    }
    switch (n.op) {
    case GM_EX_CONST: case GM_EX_TEXT: case GM_EX_INITIAL: case GM_EX_TERMINAL: return num(ex, 0);
    case GM_EX_VAR: case GM_EX_DER: case GM_EX_PRE: case GM_EX_TIME: return d->seed(d->context, e);
    default: break;
    }
    if (!depends) return num(ex, 0);
    switch (n.op) {
    case GM_EX_NEG: return gm_ex_1(ex, GM_EX_NEG, da[0]);
    case GM_EX_SELECT: return gm_ex_3(ex, GM_EX_SELECT, n.a[0], da[1], da[2]);
    case GM_EX_LOOKUP: return diff_lookup(d, e, &n, da[0], da[1]);
    case GM_EX_DELAY: d->refused = e; return num(ex, 0);
    default: break;
    }
    if (operands == 1) return mul(ex, slope(ex, (gm_ex_op)n.op, e, n.a[0]), da[0]);
    return diff_of_two(ex, e, (gm_ex_op)n.op, n.a[0], n.a[1], da[0], da[1]);
}

gm_ex gm_ex_diff(gm_differ *d, gm_ex e)
{
    uint32_t known = gm_map_find(&d->memo, e);
    if (known != GM_MAP_NONE) return known;
    gm_ids order = { 0 };
    gm_ex_order_begin(d->ex);
    gm_ex_order(d->ex, d->scratch, e, &order);
    for (uint32_t i = 0; i < order.count; i++) {
        if (gm_map_find(&d->memo, order.at[i]) != GM_MAP_NONE) continue;
        gm_map_put(d->scratch, &d->memo, order.at[i], derivative_of(d, order.at[i]));
    }
    return gm_map_find(&d->memo, e);
}

gm_ex gm_ex_substitute(gm_exprs *ex, gm_work *scratch, gm_ex e, gm_ex_replace *replace, void *context, gm_map *memo)
{
    uint32_t known = gm_map_find(memo, e);
    if (known != GM_MAP_NONE) return known;
    gm_ids order = { 0 };
    gm_ex_order_begin(ex);
    gm_ex_order(ex, scratch, e, &order);
    for (uint32_t i = 0; i < order.count; i++) {
        gm_ex at = order.at[i];
        if (gm_map_find(memo, at) != GM_MAP_NONE) continue;
        int   operands = gm_ex_operands(gm_ex_op_of(ex, at));
        gm_ex fresh    = at;
        if (operands == 0) {
            fresh = replace(context, at);
        } else {
            gm_ex to[3] = { 0 };
            bool  same  = true;
            for (int k = 0; k < operands; k++) {
                gm_ex from = gm_ex_at(ex, at)->a[k];
                to[k]      = gm_map_find(memo, from);
                same &= to[k] == from;
            }
            if (!same) fresh = gm_ex_rebuild(ex, at, to);
        }
        gm_map_put(scratch, memo, at, fresh);
    }
    return gm_map_find(memo, e);
}
