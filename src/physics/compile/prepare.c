// From the flat model: variables by kind, parameters in order and with their default values, equations without DER.
#include "physics/compile/system.h"

#include <math.h>

// ---------------------------------------------------------------------------------------------------- values

typedef struct valuation {
    uint8_t *state;
} valuation; // by flat variable: 0 new, 1 being computed, 2 known, 3 unknown

static bool value_of_binding(compiler *C, uint8_t *state, uint32_t v, int depth);

static bool evaluate_with(compiler *C, gm_ex e, bool guess, uint8_t *state, int depth, double *out)
{
    if (gm_ex_is_const(&C->ex, e, out)) return true;
    gm_ids order = { 0 };
    gm_ex_order_begin(&C->ex);
    gm_ex_order(&C->ex, &C->w, e, &order);
    gm_map  memo   = { 0 };
    double *values = GM_WORK_NEW(&C->w, double, order.count);
    for (uint32_t i = 0; i < order.count; i++) {
        const gm_ex_node *n    = gm_ex_at(&C->ex, order.at[i]);
        double            a[3] = { 0 };
        for (int k = 0; k < gm_ex_operands((gm_ex_op)n->op); k++) a[k] = values[gm_map_find(&memo, n->a[k])];
        values[i] = 0;
        if (n->op == GM_EX_CONST) {
            values[i] = n->value;
        } else if (n->op == GM_EX_VAR) {
            const variable *v = &C->vars[n->id];
            bool known = v->kind == VAR_CONSTANT || v->kind == VAR_PARAMETER;
            if (known && state != NULL && v->flat != NONE) known = value_of_binding(C, state, n->id, depth + 1);
            if (!known && !guess) return false;
            values[i] = C->vars[n->id].value;
        } else if (n->op >= GM_EX_NEG && n->op <= GM_EX_SELECT) {
            values[i] = gm_ex_apply((gm_ex_op)n->op, a[0], a[1], a[2]);
        } else if (n->op == GM_EX_LOOKUP && guess) {
            values[i] = (n->extra & 3) ? 1 : 0;
        } else if (n->op == GM_EX_DELAY && guess) {
            values[i] = a[0];
        } else if (!guess) {
            return false;
        }
        gm_map_put(&C->w, &memo, order.at[i], i);
    }
    *out = values[order.count - 1];
    return true;
}

bool gm_evaluate(compiler *C, gm_ex e, bool guess, double *out)
{
    return evaluate_with(C, e, guess, NULL, 0, out);
}

// Computes the value of a constant or parameter, those it depends on first; appends it to C->parameters.
static bool value_of_binding(compiler *C, uint8_t *state, uint32_t v, int depth)
{
    const gm_flat_var *f = &C->flat->vars[v];
    if (state[v] >= 2) return state[v] == 2;
    if (state[v] == 1 || depth > 500) {
        gm_complain(C, GM_SEVERITY_ERROR, f->at, 1, "the value of `" GM_STR_FMT "` depends on itself",
                    GM_STR_ARG(f->name));
        state[v] = 3;
        return false;
    }
    state[v]   = 1;
    bool   good  = f->binding != GM_EX_NONE;
    double value = 0;
    if (good) good = evaluate_with(C, f->binding, false, state, depth, &value);
    if (good && !isfinite(value)) {
        gm_complain(C, GM_SEVERITY_ERROR, f->at, 1,
                    "the value of `" GM_STR_FMT "` is not a number", GM_STR_ARG(f->name));
        good = false;
    }
    if (state[v] == 3) return false;
    state[v]         = good ? 2 : 3;
    C->vars[v].value = value;
    if (C->vars[v].kind == VAR_PARAMETER) gm_ids_add(&C->w, &C->parameters, v);
    return good;
}

bool is_invariant(compiler *C, gm_ex e, bool discrete_too)
{
    gm_ids order = { 0 };
    gm_ex_order_begin(&C->ex);
    gm_ex_order(&C->ex, &C->w, e, &order);
    for (uint32_t i = 0; i < order.count; i++) {
        const gm_ex_node *n = gm_ex_at(&C->ex, order.at[i]);
        switch (n->op) {
        case GM_EX_VAR: {
            var_kind k = C->vars[n->id].kind;
            if (k == VAR_REAL || k == VAR_INPUT || (!discrete_too && (k == VAR_DISCRETE || k == VAR_RELATION)))
                return false;
            break;
        }
        case GM_EX_PRE: case GM_EX_EDGE:
            if (!discrete_too) return false;
            break;
        case GM_EX_TIME: case GM_EX_DER: case GM_EX_SAMPLE: case GM_EX_DELAY: return false;
        default: break;
        }
    }
    return true;
}

// ---------------------------------------------------------------------------------------------------- variables

static var_kind kind_of(const gm_flat_var *f)
{
    if (f->type == GM_FLAT_STRING) return VAR_SKIPPED;
    switch (f->variability) {
    case GM_FLAT_CONSTANT: return VAR_CONSTANT;
    case GM_FLAT_PARAMETER: return (f->flags & GM_FLAT_UNFIXED) && f->binding == GM_EX_NONE ? VAR_FREE : VAR_PARAMETER;
    default: break;
    }
    if (f->flags & GM_FLAT_INPUT) return VAR_INPUT;
    return f->variability == GM_FLAT_DISCRETE ? VAR_DISCRETE : VAR_REAL;
}

static void read_variables(compiler *C)
{
    for (uint32_t i = 0; i < C->flat->var_count; i++) {
        const gm_flat_var *f = &C->flat->vars[i];
        variable           v = { .kind       = kind_of(f),
                                 .name       = f->name,
                                 .flat       = i,
                                 .derivative = NONE,
                                 .integral   = NONE,
                                 .alias      = NONE,
                                 .start      = f->start,
                                 .has_start  = f->start != GM_EX_NONE,
                                 .select     = f->select,
                                 .at         = f->at,
                                 .fixed      = (f->flags & GM_FLAT_FIXED) != 0 };
        add_var(C, &v);
    }
}

// An input with a value of its own (`input Real u = 3`) is an ordinary variable, unless the value is a number: then it
// is what the input is until somebody sets it.
static void read_input_values(compiler *C)
{
    for (uint32_t i = 0; i < C->eq_count; i++) {
        equation         *q = &C->eqs[i];
        const gm_ex_node *n = gm_ex_at(&C->ex, q->left);
        if (n->op != GM_EX_VAR || C->vars[n->id].kind != VAR_INPUT) continue;
        variable *v = &C->vars[n->id];
        double    value;
        if (gm_ex_is_const(&C->ex, q->right, &value)) {
            v->start = q->right;
            q->gone  = true;
        } else {
            v->kind = C->flat->vars[v->flat].variability == GM_FLAT_DISCRETE ? VAR_DISCRETE : VAR_REAL;
        }
    }
}

static void read_starts(compiler *C)
{
    for (uint32_t i = 0; i < C->var_count; i++) {
        variable *v = &C->vars[i];
        if (v->kind == VAR_CONSTANT || v->kind == VAR_PARAMETER || v->kind == VAR_SKIPPED) continue;
        v->value = C->flat->vars[i].type == GM_FLAT_ENUM ? 1 : 0;
        if (v->start == GM_EX_NONE) continue;
        double value;
        if (gm_evaluate(C, v->start, true, &value) && isfinite(value)) C->vars[i].value = value;
    }
}

// ---------------------------------------------------------------------------------------------------- equations

static gm_ex without_der(void *context, gm_ex leaf)
{
    compiler  *C = context;
    gm_ex_node n = *gm_ex_at(&C->ex, leaf);
    if (n.op != GM_EX_VAR && n.op != GM_EX_DER && n.op != GM_EX_PRE) return leaf;
    variable *v = &C->vars[n.id];
    if (v->kind == VAR_CONSTANT) return n.op == GM_EX_DER ? gm_ex_const(&C->ex, 0) : gm_ex_const(&C->ex, v->value);
    if (n.op == GM_EX_PRE && v->kind != VAR_DISCRETE && v->kind != VAR_REAL) return gm_ex_var(&C->ex, n.id);
    if (n.op != GM_EX_DER) return leaf;
    switch (v->kind) {
    case VAR_REAL: return gm_ex_var(&C->ex, derivative_of_var(C, n.id));
    case VAR_INPUT:
        gm_complain(C, GM_SEVERITY_WARNING, v->at, 1,
                    "the derivative of the input `" GM_STR_FMT "` is asked for; it counts as 0", GM_STR_ARG(v->name));
        return gm_ex_const(&C->ex, 0);
    default: return gm_ex_const(&C->ex, 0);
    }
}

static void read_equations(compiler *C)
{
    gm_map         memo = { 0 };
    const gm_flat *f    = C->flat;
    for (uint32_t i = 0; i < f->equation_count; i++) {
        const gm_flat_equation *q = &f->equations[i];
        add_eq(C, q->left, q->right, q->at, q->length, FROM_MODEL);
    }
    read_input_values(C);
    for (uint32_t i = 0; i < f->initial_count; i++) {
        const gm_flat_equation *q = &f->initials[i];
        add_eq(C, q->left, q->right, q->at, q->length, FROM_INITIAL);
    }
    for (uint32_t i = 0; i < C->eq_count; i++) {
        gm_ex left  = gm_ex_substitute(&C->ex, &C->w, C->eqs[i].left, without_der, C, &memo);
        gm_ex right = gm_ex_substitute(&C->ex, &C->w, C->eqs[i].right, without_der, C, &memo);
        C->eqs[i].left  = left;
        C->eqs[i].right = right;
    }
    C->actions = GM_WORK_NEW(&C->w, gm_flat_action, f->action_count > 0 ? f->action_count : 1);
    for (uint32_t i = 0; i < f->action_count; i++) {
        gm_flat_action a = f->actions[i];
        if (a.guard != GM_EX_NONE) a.guard = gm_ex_substitute(&C->ex, &C->w, a.guard, without_der, C, &memo);
        if (a.value != GM_EX_NONE) a.value = gm_ex_substitute(&C->ex, &C->w, a.value, without_der, C, &memo);
        C->actions[C->action_count++] = a;
    }
    for (uint32_t i = 0; i < f->var_count; i++) {
        if (C->vars[i].start == GM_EX_NONE) continue;
        gm_ex start = gm_ex_substitute(&C->ex, &C->w, C->vars[i].start, without_der, C, &memo);
        C->vars[i].start = start;
    }
}

void gm_prepare(compiler *C)
{
    read_variables(C);
    uint8_t *state  = GM_WORK_NEW(&C->w, uint8_t, C->var_count > 0 ? C->var_count : 1);
    uint32_t errors = C->diags->errors;
    for (uint32_t i = 0; i < C->flat->var_count; i++) {
        if (C->vars[i].kind == VAR_CONSTANT || C->vars[i].kind == VAR_PARAMETER) {
            if (!value_of_binding(C, state, i, 0) && C->diags->errors == errors) {
                gm_complain(C, GM_SEVERITY_ERROR, C->vars[i].at, 1,
                            "the value of `" GM_STR_FMT "` can not be computed before the simulation",
                            GM_STR_ARG(C->vars[i].name));
            }
        }
    }
    if (C->diags->errors > errors) gm_give_up(C);
    read_equations(C);
    read_starts(C);
}
