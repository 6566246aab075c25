// Equations that only say that two variables are one (a = b, a + b = 0) or that one is a number are used up: the
// variable becomes another name. What remains is usually a third of what the components wrote.
#include "physics/compile/system.h"

gm_ex root_of(compiler *C, uint32_t v)
{
    bool     negated = false;
    uint32_t at      = v;
    while (C->vars[at].alias != NONE) {
        negated ^= C->vars[at].negated;
        at = C->vars[at].alias;
    }
    if (at != v) {  // the next time it is one step
        C->vars[v].alias   = at;
        C->vars[v].negated = negated;
    }
    gm_ex e;
    const variable *d = &C->vars[at];
    if (d->is_constant) {
        e = gm_ex_const(&C->ex, d->value);
    } else if (d->integral != NONE && (C->vars[d->integral].alias != NONE || C->vars[d->integral].is_constant)) {
        // The derivative of another name is the derivative of what it names.
        gm_ex      of = root_of(C, d->integral);
        gm_ex_node n  = *gm_ex_at(&C->ex, of);
        bool       minus = n.op == GM_EX_NEG;
        if (minus) n = *gm_ex_at(&C->ex, n.a[0]);
        if (n.op != GM_EX_VAR || C->vars[n.id].kind != VAR_REAL) return gm_ex_const(&C->ex, 0);
        e = gm_ex_var(&C->ex, derivative_of_var(C, n.id));
        if (minus) e = gm_ex_1(&C->ex, GM_EX_NEG, e);
    } else {
        e = gm_ex_var(&C->ex, at);
    }
    return negated ? gm_ex_1(&C->ex, GM_EX_NEG, e) : e;
}

static gm_ex resolve(void *context, gm_ex leaf)
{
    compiler  *C = context;
    gm_ex_node n = *gm_ex_at(&C->ex, leaf);
    if (n.op == GM_EX_VAR) return root_of(C, n.id);
    if (n.op != GM_EX_PRE) return leaf;
    gm_ex      of    = root_of(C, n.id);
    bool       minus = gm_ex_op_of(&C->ex, of) == GM_EX_NEG;
    gm_ex_node r     = *gm_ex_at(&C->ex, minus ? gm_ex_at(&C->ex, of)->a[0] : of);
    if (r.op != GM_EX_VAR) return of;
    gm_ex pre = C->vars[r.id].kind == VAR_DISCRETE || C->vars[r.id].kind == VAR_REAL ? gm_ex_id(&C->ex, GM_EX_PRE, r.id)
                                                                                     : gm_ex_var(&C->ex, r.id);
    return minus ? gm_ex_1(&C->ex, GM_EX_NEG, pre) : pre;
}

static bool removable(const variable *v)
{
    return (v->kind == VAR_REAL || v->kind == VAR_DISCRETE) && v->integral == NONE && v->alias == NONE &&
           !v->is_constant && v->flat != NONE;
}

static int rank_of(const compiler *C, const variable *v)
{
    // Which of two names stays: what is decided elsewhere, then what may become a state, then what is fixed.
    int rank = v->kind == VAR_PARAMETER || v->kind == VAR_FREE ? 100
               : v->kind == VAR_INPUT                          ? 90
               : v->kind == VAR_DISCRETE                       ? 60
                                                               : 0;
    if (v->derivative != NONE) rank += 40;
    if (v->fixed) rank += 10;
    rank += 2 * (int)v->select;
    if (v->has_start) rank += 1;
    if (v->flat != NONE && (C->flat->vars[v->flat].flags & GM_FLAT_PROTECTED)) rank -= 1;
    return rank;
}

static bool same_type(const compiler *C, const variable *a, const variable *b, bool negated)
{
    if (a->flat == NONE || b->flat == NONE) return false;
    gm_flat_type x = C->flat->vars[a->flat].type, y = C->flat->vars[b->flat].type;
    return x == y && (!negated || x == GM_FLAT_REAL || x == GM_FLAT_INTEGER);
}

// What was said about the start of `gone` now holds for `kept`.
static void merge_starts(compiler *C, uint32_t gone, uint32_t kept, bool negated, const equation *q)
{
    variable *g = &C->vars[gone], *k = &C->vars[kept];
    if (k->kind != VAR_REAL && k->kind != VAR_DISCRETE) return;
    if (g->select != GM_FLAT_SELECT_DEFAULT && k->select == GM_FLAT_SELECT_DEFAULT) k->select = g->select;
    if (g->start == GM_EX_NONE) {
        if (g->fixed && !k->fixed && k->start != GM_EX_NONE) g->fixed = false;
        if (!g->fixed) return;
    }
    gm_ex start = g->start == GM_EX_NONE ? gm_ex_const(&C->ex, 0)
                  : negated              ? gm_ex_1(&C->ex, GM_EX_NEG, g->start)
                                         : g->start;
    if (g->fixed && k->fixed) {
        // Both are fixed: fine when they say the same, otherwise one equation too many for the beginning.
        if (start != (k->start == GM_EX_NONE ? gm_ex_const(&C->ex, 0) : k->start)) {
            add_eq(C, gm_ex_var(&C->ex, kept), start, q->at, q->length, FROM_INITIAL);
        }
        return;
    }
    if (k->fixed || (!g->fixed && k->has_start)) return;
    k->start     = start;
    k->has_start = true;
    k->fixed     = g->fixed;
    k->value     = negated ? -g->value : g->value;
}

static bool join(compiler *C, uint32_t a, uint32_t b, bool negated, const equation *q)
{
    variable *x = &C->vars[a], *y = &C->vars[b];
    if (!same_type(C, x, y, negated)) return false;
    uint32_t gone = b, kept = a;
    if (rank_of(C, y) > rank_of(C, x) || !removable(y)) {
        gone = a;
        kept = b;
    }
    if (!removable(&C->vars[gone])) return false;
    if (C->vars[gone].kind == VAR_DISCRETE && C->vars[kept].kind == VAR_REAL) return false;
    equation copy = *q;
    C->vars[gone].alias   = kept;
    C->vars[gone].negated = negated;
    C->alias_count++;
    merge_starts(C, gone, kept, negated, &copy);
    return true;
}

static bool set_constant(compiler *C, uint32_t v, double value)
{
    variable *x = &C->vars[v];
    if (!removable(x)) return false;
    if (x->kind == VAR_REAL && x->fixed) return false;  // a fixed start may contradict it; let the equations say so
    x->is_constant = true;
    x->value       = value;
    C->constant_count++;
    return true;
}

// VAR or -VAR?
static bool signed_var(const compiler *C, gm_ex e, uint32_t *out_var, bool *out_minus)
{
    const gm_ex_node *n = gm_ex_at(&C->ex, e);
    *out_minus          = n->op == GM_EX_NEG;
    if (*out_minus) n = gm_ex_at(&C->ex, n->a[0]);
    if (n->op != GM_EX_VAR) return false;
    *out_var = n->id;
    return true;
}

// Is the equation used up?
static bool try_equation(compiler *C, const equation *q)
{
    gm_ex    left = q->left, right = q->right;
    uint32_t a, b;
    bool     minus_a, minus_b;
    double   number;
    // a + b = 0, a - b = 0 read as a = -b, a = b
    if (gm_ex_is(&C->ex, left, 0)) {
        left  = q->right;
        right = q->left;
    }
    if (gm_ex_is(&C->ex, right, 0)) {
        gm_ex_node n = *gm_ex_at(&C->ex, left);
        if (n.op == GM_EX_ADD || n.op == GM_EX_SUB) {
            left  = n.a[0];
            right = n.op == GM_EX_SUB ? n.a[1] : gm_ex_1(&C->ex, GM_EX_NEG, n.a[1]);
        }
    }
    if (signed_var(C, left, &a, &minus_a) && signed_var(C, right, &b, &minus_b)) {
        return a == b ? minus_a != minus_b && set_constant(C, a, 0) : join(C, a, b, minus_a != minus_b, q);
    }
    if (signed_var(C, left, &a, &minus_a) && gm_ex_is_const(&C->ex, right, &number))
        return set_constant(C, a, minus_a ? -number : number);
    if (signed_var(C, right, &b, &minus_b) && gm_ex_is_const(&C->ex, left, &number))
        return set_constant(C, b, minus_b ? -number : number);
    return false;
}

static bool one_pass(compiler *C)
{
    gm_map memo    = { 0 };
    bool   changed = false;
    // Variables that became names during the pass are replaced in the next one: the memo must not mix the two.
    for (uint32_t i = 0; i < C->eq_count; i++) {
        if (C->eqs[i].gone) continue;
        gm_ex left  = gm_ex_substitute(&C->ex, &C->w, C->eqs[i].left, resolve, C, &memo);
        gm_ex right = gm_ex_substitute(&C->ex, &C->w, C->eqs[i].right, resolve, C, &memo);
        C->eqs[i].left  = left;
        C->eqs[i].right = right;
    }
    for (uint32_t i = 0; i < C->eq_count; i++) {
        if (C->eqs[i].gone || C->eqs[i].origin == FROM_INITIAL) continue;
        equation q = C->eqs[i];
        uint32_t var;
        bool     minus;
        // Names found in this very pass may already stand in this equation: resolve the two sides if they are plain.
        if (signed_var(C, q.left, &var, &minus)) {
            gm_ex e = root_of(C, var);
            q.left  = minus ? gm_ex_1(&C->ex, GM_EX_NEG, e) : e;
        }
        if (signed_var(C, q.right, &var, &minus)) {
            gm_ex e = root_of(C, var);
            q.right = minus ? gm_ex_1(&C->ex, GM_EX_NEG, e) : e;
        }
        gm_ex_node n = *gm_ex_at(&C->ex, q.left);
        if ((n.op == GM_EX_ADD || n.op == GM_EX_SUB) && gm_ex_is(&C->ex, q.right, 0)) {
            gm_ex sides[2] = { n.a[0], n.a[1] };
            for (int k = 0; k < 2; k++) {
                if (!signed_var(C, sides[k], &var, &minus)) continue;
                gm_ex e  = root_of(C, var);
                sides[k] = minus ? gm_ex_1(&C->ex, GM_EX_NEG, e) : e;
            }
            q.left = gm_ex_2(&C->ex, (gm_ex_op)n.op, sides[0], sides[1]);
        }
        if (q.left == q.right) continue;
        if (try_equation(C, &q)) {
            C->eqs[i].gone = true;
            changed        = true;
        }
    }
    return changed;
}

static void resolve_all(compiler *C)
{
    gm_map memo = { 0 };
    for (uint32_t i = 0; i < C->eq_count; i++) {
        if (C->eqs[i].gone) continue;
        gm_ex left  = gm_ex_substitute(&C->ex, &C->w, C->eqs[i].left, resolve, C, &memo);
        gm_ex right = gm_ex_substitute(&C->ex, &C->w, C->eqs[i].right, resolve, C, &memo);
        C->eqs[i].left  = left;
        C->eqs[i].right = right;
    }
    for (uint32_t i = 0; i < C->action_count; i++) {
        gm_flat_action *a = &C->actions[i];
        if (a->guard != GM_EX_NONE) a->guard = gm_ex_substitute(&C->ex, &C->w, a->guard, resolve, C, &memo);
        if (a->value != GM_EX_NONE) a->value = gm_ex_substitute(&C->ex, &C->w, a->value, resolve, C, &memo);
    }
    for (uint32_t i = 0; i < C->var_count; i++) {
        if (C->vars[i].start == GM_EX_NONE) continue;
        gm_ex start = gm_ex_substitute(&C->ex, &C->w, C->vars[i].start, resolve, C, &memo);
        C->vars[i].start = start;
    }
}

// der(x) = v with a variable v of its own: v is the derivative of x, and the equation is used up. So a mass on a spring
// is x, v and v', and a constraint on x becomes one on v when it is differentiated.
static bool link_derivative(compiler *C, const equation *q)
{
    for (int side = 0; side < 2; side++) {
        gm_ex_node d = *gm_ex_at(&C->ex, side == 0 ? q->left : q->right),
                   n = *gm_ex_at(&C->ex, side == 0 ? q->right : q->left);
        if (d.op != GM_EX_VAR || n.op != GM_EX_VAR) continue;
        variable *dx = &C->vars[d.id], *v = &C->vars[n.id];
        if (!dx->hidden || dx->integral == NONE || v->kind != VAR_REAL || v->integral != NONE || v->hidden) continue;
        uint32_t x = dx->integral, at = n.id;
        while (at != NONE && at != x) at = C->vars[at].derivative;
        if (at == x) continue;  // x' = v, v' = x: a circle has no lowest order
        C->vars[x].derivative   = n.id;
        C->vars[n.id].integral  = x;
        C->vars[d.id].integral  = NONE;
        C->vars[d.id].alias     = n.id;
        return true;
    }
    return false;
}

void eliminate_aliases(compiler *C)
{
    for (int pass = 0; pass < 30 && one_pass(C); pass++) continue;
    resolve_all(C);
    bool any = false;
    for (uint32_t i = 0; i < C->eq_count; i++) {
        if (C->eqs[i].gone || C->eqs[i].origin == FROM_INITIAL || !link_derivative(C, &C->eqs[i])) continue;
        C->eqs[i].gone = true;
        any            = true;
    }
    if (any) resolve_all(C);
}
