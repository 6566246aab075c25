// One equation for one unknown in closed form: by undoing operations where it occurs once, as a linear equation
// otherwise.
#include "physics/compile/system.h"

typedef struct target { compiler *C; uint32_t v; } target;

static gm_ex seed_one(void *context, gm_ex leaf)
{
    target           *t = context;
    const gm_ex_node *n = gm_ex_at(&t->C->ex, leaf);
    return gm_ex_const(&t->C->ex, n->op == GM_EX_VAR && n->id == t->v);
}

static gm_ex as_zero(void *context, gm_ex leaf)
{
    target           *t = context;
    const gm_ex_node *n = gm_ex_at(&t->C->ex, leaf);
    return n->op == GM_EX_VAR && n->id == t->v ? gm_ex_const(&t->C->ex, 0) : leaf;
}

// Which of the nodes below e depend on v; *out_uses: how often v itself is an operand.
static void mark_dependent(compiler *C, gm_ex e, uint32_t v, gm_map *depends)
{
    gm_ids *order = &C->order;
    order->count  = 0;
    gm_ex_order_begin(&C->ex);
    gm_ex_order(&C->ex, &C->w, e, order);
    for (uint32_t i = 0; i < order->count; i++) {
        const gm_ex_node *n    = gm_ex_at(&C->ex, order->at[i]);
        bool              does = n->op == GM_EX_VAR && n->id == v;
        for (int k = 0; !does && k < gm_ex_operands((gm_ex_op)n->op); k++) does = gm_map_find(depends, n->a[k]) == 1;
        gm_map_put(&C->w, depends, order->at[i], does);
    }
}

static bool depends_on(const gm_map *depends, gm_ex e)
{
    return gm_map_find(depends, e) == 1;
}

static bool never_zero(compiler *C, gm_ex e)
{
    double value;
    if (gm_ex_is_const(&C->ex, e, &value)) return value != 0;
    // A parameter counts as not zero while its default is not: whoever sets it to 0 is told by the solver.
    return is_invariant(C, e, false) && (!gm_evaluate(C, e, true, &value) || value != 0);
}

// Peels the side that holds v, operation by operation. SOLVE_NOT when v occurs twice or under something else.
static solvable isolate(compiler *C, gm_ex side, gm_ex other, uint32_t v, const gm_map *depends, gm_ex *out)
{
    gm_exprs *ex   = &C->ex;
    solvable  safe = SOLVE_SAFE;
    for (int i = 0; i < 1000; i++) {
        gm_ex_node n = *gm_ex_at(ex, side);
        if (n.op == GM_EX_VAR && n.id == v) {
            *out = other;
            return safe;
        }
        bool in_a = gm_ex_operands((gm_ex_op)n.op) > 0 && depends_on(depends, n.a[0]);
        bool in_b = gm_ex_operands((gm_ex_op)n.op) > 1 && depends_on(depends, n.a[1]);
        if (in_a && in_b) return SOLVE_NOT;
        gm_ex with = in_a ? n.a[0] : n.a[1], rest = in_a ? n.a[1] : n.a[0];
        switch (n.op) {
        case GM_EX_NEG: other = gm_ex_1(ex, GM_EX_NEG, other); with = n.a[0]; break;
        case GM_EX_ADD: other = gm_ex_2(ex, GM_EX_SUB, other, rest); break;
        case GM_EX_SUB: other = in_a ? gm_ex_2(ex, GM_EX_ADD, other, rest) : gm_ex_2(ex, GM_EX_SUB, rest, other); break;
        case GM_EX_MUL:
            if (!never_zero(C, rest)) safe = SOLVE_RISKY;
            if (gm_ex_is(ex, rest, 0)) return SOLVE_NOT;
            other = gm_ex_2(ex, GM_EX_DIV, other, rest);
            break;
        case GM_EX_DIV:
            if (in_b) return SOLVE_NOT;
            other = gm_ex_2(ex, GM_EX_MUL, other, rest);
            break;
        default: return SOLVE_NOT;
        }
        side = with;
    }
    return SOLVE_NOT;
}

// f(v) = 0 with f = a*v + b
static solvable solve_linear(compiler *C, gm_ex left, gm_ex right, uint32_t v, gm_ex *out)
{
    target    t    = { C, v };
    gm_differ d    = { .ex = &C->ex, .scratch = &C->w, .seed = seed_one, .context = &t, .refused = GM_EX_NONE };
    gm_ex     f    = gm_ex_2(&C->ex, GM_EX_SUB, left, right);
    gm_ex     a    = gm_ex_diff(&d, f);
    gm_map    memo = { 0 }, depends = { 0 };
    if (d.refused != GM_EX_NONE || gm_ex_is(&C->ex, a, 0)) return SOLVE_NOT;
    mark_dependent(C, a, v, &depends);
    if (depends_on(&depends, a)) return SOLVE_NOT;
    // The derivative does not see what min, floor or a condition do with v: then f is not a line.
    gm_ids  *order = &C->order;
    gm_map   deep  = { 0 };
    mark_dependent(C, f, v, &deep);
    for (uint32_t i = 0; i < order->count; i++) {
        gm_ex_node n = *gm_ex_at(&C->ex, order->at[i]);
        bool       bent = n.op == GM_EX_MIN || n.op == GM_EX_MAX || n.op == GM_EX_ABS || n.op == GM_EX_FLOOR ||
                    n.op == GM_EX_CEIL || n.op == GM_EX_SIGN || n.op == GM_EX_QUOT || n.op == GM_EX_REM ||
                    n.op == GM_EX_MOD || (n.op >= GM_EX_LT && n.op <= GM_EX_NOT) || n.op == GM_EX_LOOKUP;
        if (bent && depends_on(&deep, order->at[i])) return SOLVE_NOT;
    }
    gm_ex b = gm_ex_substitute(&C->ex, &C->w, f, as_zero, &t, &memo);
    *out    = gm_ex_2(&C->ex, GM_EX_DIV, gm_ex_1(&C->ex, GM_EX_NEG, b), a);
    return never_zero(C, a) ? SOLVE_SAFE : SOLVE_RISKY;
}

solvable solve_for(compiler *C, gm_ex left, gm_ex right, uint32_t v, gm_ex *out)
{
    gm_map depends = { 0 };
    mark_dependent(C, left, v, &depends);
    bool in_left = depends_on(&depends, left);
    gm_map other = { 0 };
    mark_dependent(C, right, v, &other);
    bool in_right = depends_on(&other, right);
    if (!in_left && !in_right) return SOLVE_NOT;
    if (in_left != in_right) {
        solvable s = in_left ? isolate(C, left, right, v, &depends, out) : isolate(C, right, left, v, &other, out);
        if (s != SOLVE_NOT) return s;
    }
    return solve_linear(C, left, right, v, out);
}
