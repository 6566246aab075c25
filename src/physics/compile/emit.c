// The ordered systems as sections of a program. Within a section each value is computed once; a variable's value is
// there before it is asked for, because blocks come in order.
#include "physics/compile/system.h"

#include <assert.h>
#include <math.h>

typedef struct emitter {
    compiler *C;
    bool      initial;        // the beginning: relations are compared in place, pre(x) is x
    gm_map    memo;           // expression -> index into vals
    gm_map    var_memo;       // variable -> index into vals
    gm_map    arguments;      // loop bodies: expression -> argument
    gm_val   *vals;
    uint32_t  val_count, val_capacity;
} emitter;

static gm_val emit_ex(emitter *em, gm_ex e);

static uint32_t keep(emitter *em, gm_val v)
{
    GM_WORK_RESERVE(&em->C->w, em->vals, em->val_capacity, em->val_count + 1);
    em->vals[em->val_count] = v;
    return em->val_count++;
}

static gm_val number(emitter *em, gm_ex e)
{
    gm_builder *b = em->C->b;
    gm_val      v = emit_ex(em, e);
    return gm_val_is_mask(b, v) ? gm_emit1(b, GM_OP_NUMBER, v) : v;
}

static gm_val as_mask(emitter *em, gm_val v)
{
    gm_builder *b = em->C->b;
    return gm_val_is_mask(b, v) ? v : gm_emit1(b, GM_OP_MASK, v);
}

static void set_value(emitter *em, uint32_t v, gm_val value)
{
    gm_map_put(&em->C->w, &em->var_memo, v, keep(em, value));
}

static gm_val value_of(emitter *em, uint32_t v)
{
    compiler       *C     = em->C;
    const variable *x     = &C->vars[v];
    uint32_t        known = gm_map_find(&em->var_memo, v);
    if (known != GM_MAP_NONE) return em->vals[known];
    if (x->kind == VAR_CONSTANT || x->is_constant) return gm_emit_const(C->b, x->value);
    if (x->kind == VAR_RELATION && em->initial) {
        for (uint32_t i = 0; i < C->relation_count; i++) {
            const relation *r = &C->relations[i];
            if (r->variable != v) continue;
            gm_val low = number(em, r->low), high = number(em, r->high);
            set_value(em, v, gm_emit1(C->b, GM_OP_NUMBER, gm_emit2(C->b, GM_OP_LT, low, high)));
            return value_of(em, v);
        }
    }
    if (!x->has_slot) {
        gm_work_stop(&C->w, GM_INVALID, "physics.compile", "the value of `" GM_STR_FMT "` is needed before it is known",
                     GM_STR_ARG(x->name));
    }
    return gm_emit_load(C->b, x->slot);
}

static const gm_op plain_ops[GM_EX_OP_COUNT] = {
    [GM_EX_NEG] = GM_OP_NEG,     [GM_EX_ADD] = GM_OP_ADD,     [GM_EX_SUB] = GM_OP_SUB,   [GM_EX_MUL] = GM_OP_MUL,
    [GM_EX_DIV] = GM_OP_DIV,     [GM_EX_ABS] = GM_OP_ABS,     [GM_EX_SIGN] = GM_OP_SIGN, [GM_EX_MIN] = GM_OP_MIN,
    [GM_EX_MAX] = GM_OP_MAX,     [GM_EX_SQRT] = GM_OP_SQRT,   [GM_EX_FLOOR] = GM_OP_FLOOR, [GM_EX_CEIL] = GM_OP_CEIL,
    [GM_EX_QUOT] = GM_OP_QUOT,   [GM_EX_REM] = GM_OP_REM,     [GM_EX_MOD] = GM_OP_MOD,   [GM_EX_EXP] = GM_OP_EXP,
    [GM_EX_LOG] = GM_OP_LOG,     [GM_EX_LOG10] = GM_OP_LOG10, [GM_EX_SIN] = GM_OP_SIN,   [GM_EX_COS] = GM_OP_COS,
    [GM_EX_TAN] = GM_OP_TAN,     [GM_EX_ASIN] = GM_OP_ASIN,   [GM_EX_ACOS] = GM_OP_ACOS, [GM_EX_ATAN] = GM_OP_ATAN,
    [GM_EX_ATAN2] = GM_OP_ATAN2, [GM_EX_SINH] = GM_OP_SINH,   [GM_EX_COSH] = GM_OP_COSH, [GM_EX_TANH] = GM_OP_TANH,
    [GM_EX_LT] = GM_OP_LT,       [GM_EX_LE] = GM_OP_LE,       [GM_EX_EQ] = GM_OP_EQ,     [GM_EX_NE] = GM_OP_NE,
};

// x^n for small whole n is a few products, x^0.5 a root.
static gm_val emit_power(emitter *em, gm_ex base, gm_ex exponent)
{
    gm_builder *b = em->C->b;
    gm_val      x = number(em, base);
    double      n;
    if (gm_ex_is_const(&em->C->ex, exponent, &n)) {
        if (n == 0.5) return gm_emit1(b, GM_OP_SQRT, x);
        if (n == floor(n) && fabs(n) <= 8 && n != 0) {
            gm_val   power = x, result = x;
            bool     first = true;
            for (uint32_t k = (uint32_t)fabs(n); k > 0; k >>= 1) {
                if (k & 1) {
                    result = first ? power : gm_emit2(b, GM_OP_MUL, result, power);
                    first  = false;
                }
                if (k > 1) power = gm_emit2(b, GM_OP_MUL, power, power);
            }
            return n > 0 ? result : gm_emit2(b, GM_OP_DIV, gm_emit_const(b, 1), result);
        }
    }
    return gm_emit2(b, GM_OP_POW, x, number(em, exponent));
}

static gm_val emit_select(emitter *em, const gm_ex_node *n)
{
    gm_builder *b = em->C->b;
    gm_val      c = as_mask(em, emit_ex(em, n->a[0])), x = emit_ex(em, n->a[1]), y = emit_ex(em, n->a[2]);
    if (gm_val_is_mask(b, x) && gm_val_is_mask(b, y)) {
        gm_val yes = gm_emit2(b, GM_OP_AND, c, x), no = gm_emit2(b, GM_OP_AND, gm_emit1(b, GM_OP_NOT, c), y);
        return gm_emit2(b, GM_OP_OR, yes, no);
    }
    return gm_emit3(b, GM_OP_SELECT, c, number(em, n->a[1]), number(em, n->a[2]));
}

static gm_val emit_node(emitter *em, gm_ex e)
{
    compiler  *C = em->C;
    gm_builder *b = C->b;
    gm_ex_node n = *gm_ex_at(&C->ex, e);
    switch (n.op) {
    case GM_EX_CONST: return gm_emit_const(b, n.value);
    case GM_EX_VAR: return value_of(em, n.id);
    case GM_EX_TIME: return gm_emit_load(b, GM_TIME_SLOT);
    case GM_EX_PRE:
        if (em->initial || !C->vars[n.id].has_slot) return value_of(em, n.id);
        return gm_emit_load(b, C->vars[n.id].slot);
    case GM_EX_POW: return emit_power(em, n.a[0], n.a[1]);
    case GM_EX_SELECT: return emit_select(em, &n);
    case GM_EX_NOT: return gm_emit1(b, GM_OP_NOT, as_mask(em, emit_ex(em, n.a[0])));
    case GM_EX_AND: case GM_EX_OR:
        return gm_emit2(b, n.op == GM_EX_AND ? GM_OP_AND : GM_OP_OR, as_mask(em, emit_ex(em, n.a[0])),
                        as_mask(em, emit_ex(em, n.a[1])));
    case GM_EX_DELAY: {
        double k = 0;
        gm_ex_is_const(&C->ex, n.a[0], &k);
        return gm_emit_delay(b, (gm_delay){ (uint32_t)k }, number(em, n.a[1]));
    }
    case GM_EX_LOOKUP:
        return gm_emit_lookup(b, (gm_grid) { n.extra >> 2 }, (gm_lookup)(n.extra & 3), number(em, n.a[0]),
                              number(em, n.a[1]));
    case GM_EX_EDGE: case GM_EX_INITIAL: case GM_EX_TERMINAL: case GM_EX_SAMPLE: case GM_EX_TEXT: case GM_EX_DER:
        return gm_emit_const(b, 0);  // none is left by now
    default: break;
    }
    if (gm_ex_operands((gm_ex_op)n.op) == 1) return gm_emit1(b, plain_ops[n.op], number(em, n.a[0]));
    return gm_emit2(b, plain_ops[n.op], number(em, n.a[0]), number(em, n.a[1]));
}

// Operands first, by a stack of our own: emit_node finds them all in the memo.
static gm_val emit_ex(emitter *em, gm_ex e)
{
    compiler *C     = em->C;
    uint32_t  known = gm_map_find(&em->memo, e);
    if (known != GM_MAP_NONE) return em->vals[known];
    gm_ids stack = { 0 };
    gm_ids_add(&C->w, &stack, e);
    while (stack.count > 0) {
        gm_ex    at       = stack.at[stack.count - 1];
        uint32_t argument = gm_map_find(&em->arguments, at);
        if (gm_map_find(&em->memo, at) != GM_MAP_NONE) {
            stack.count--;
            continue;
        }
        bool waits = false;
        int  operands = gm_ex_operands(gm_ex_op_of(&C->ex, at));
        for (int k = 0; argument == GM_MAP_NONE && k < operands; k++) {
            gm_ex child = gm_ex_at(&C->ex, at)->a[k];
            if (gm_map_find(&em->memo, child) != GM_MAP_NONE) continue;
            gm_ids_add(&C->w, &stack, child);
            waits = true;
        }
        if (waits) continue;
        gm_val v = argument != GM_MAP_NONE ? gm_emit_argument(C->b, argument) : emit_node(em, at);
        gm_map_put(&C->w, &em->memo, at, keep(em, v));
        stack.count--;
    }
    return em->vals[gm_map_find(&em->memo, e)];
}

// ---------------------------------------------------------------------------------------------------- loops

static void spec_bounds(compiler *C, gm_slot_spec *spec, const gm_flat_var *f, const variable *v)
{
    double low = -INFINITY, high = INFINITY;
    (void)v;
    if (f->min != GM_EX_NONE && gm_evaluate(C, f->min, true, &low)) spec->flags |= GM_SLOT_BOUNDED;
    if (f->max != GM_EX_NONE && gm_evaluate(C, f->max, true, &high)) spec->flags |= GM_SLOT_BOUNDED;
    if (!(low <= high)) spec->flags &= ~(uint32_t)GM_SLOT_BOUNDED;
    spec->min = low;
    spec->max = high;
    if (f->nominal != GM_EX_NONE && !gm_evaluate(C, f->nominal, true, &spec->nominal)) spec->nominal = 0;
}

// Where the solver keeps its guess: the variable's own slot, or a hidden one.
static gm_slot guess_slot(compiler *C, uint32_t v, bool initial)
{
    variable *x = &C->vars[v];
    if (!initial && x->has_slot && x->kind == VAR_REAL && !x->state) return x->slot;
    gm_slot_spec spec = { .kind = GM_SLOT_ALGEBRAIC, .flags = GM_SLOT_HIDDEN, .start = x->value };
    if (x->flat != NONE) spec_bounds(C, &spec, &C->flat->vars[x->flat], x);
    gm_slot slot = gm_build_slot(C->b, &spec);
    if (!initial && !x->has_slot && x->kind == VAR_REAL) {
        x->slot     = slot;
        x->has_slot = true;
    }
    return slot;
}

// Marks what depends on the loop's unknowns, and lists the largest expressions that do not: they become arguments.
static void find_arguments(compiler *C, const system_ *s, block *b)
{
    gm_map depends = { 0 }, listed = { 0 };
    gm_ids order = { 0 };
    for (uint32_t i = 0; i < b->count; i++)
        gm_map_put(&C->w, &depends, gm_ex_var(&C->ex, s->steps[b->first + i].variable), 1);
    gm_ex_order_begin(&C->ex);
    for (uint32_t i = 0; i < b->count; i++) {
        const step *one = &s->steps[b->first + i];
        if (one->solved != GM_EX_NONE) {
            gm_ex_order(&C->ex, &C->w, one->solved, &order);
        } else {
            gm_ex_order(&C->ex, &C->w, eq_left(C, s, one->equation), &order);
            gm_ex_order(&C->ex, &C->w, eq_right(C, s, one->equation), &order);
        }
    }
    for (uint32_t i = 0; i < order.count; i++) {
        const gm_ex_node *n    = gm_ex_at(&C->ex, order.at[i]);
        bool              does = gm_map_find(&depends, order.at[i]) == 1;
        for (int k = 0; !does && k < gm_ex_operands((gm_ex_op)n->op); k++) does = gm_map_find(&depends, n->a[k]) == 1;
        gm_map_put(&C->w, &depends, order.at[i], does);
    }
    for (uint32_t i = 0; i < order.count; i++) {
        const gm_ex_node *n = gm_ex_at(&C->ex, order.at[i]);
        if (gm_map_find(&depends, order.at[i]) != 1) continue;
        for (int k = 0; k < gm_ex_operands((gm_ex_op)n->op); k++) {
            gm_ex a = n->a[k];
            if (gm_map_find(&depends, a) == 1 || gm_ex_is_const(&C->ex, a, NULL) ||
                gm_map_find(&listed, a) != GM_MAP_NONE)
                continue;
            gm_map_put(&C->w, &listed, a, b->arguments.count);
            gm_ids_add(&C->w, &b->arguments, a);
        }
    }
    for (uint32_t i = 0; i < b->count; i++) {  // what does not depend as a whole
        const step *one = &s->steps[b->first + i];
        gm_ex roots[2] = { one->solved, GM_EX_NONE };
        if (one->solved == GM_EX_NONE) {
            roots[0] = eq_left(C, s, one->equation);
            roots[1] = eq_right(C, s, one->equation);
        }
        for (int k = 0; k < 2; k++) {
            if (roots[k] == GM_EX_NONE || gm_map_find(&depends, roots[k]) == 1 ||
                gm_ex_is_const(&C->ex, roots[k], NULL))
                continue;
            if (gm_map_find(&listed, roots[k]) != GM_MAP_NONE) continue;
            gm_map_put(&C->w, &listed, roots[k], b->arguments.count);
            gm_ids_add(&C->w, &b->arguments, roots[k]);
        }
    }
}

static void build_loop(compiler *C, const system_ *s, block *b)
{
    uint32_t assigned = b->count - b->tears;
    gm_slot *guess    = GM_WORK_NEW(&C->w, gm_slot, b->tears);
    gm_str   name     = { 0 };
    for (uint32_t i = 0; i < b->tears; i++) {
        uint32_t v = s->steps[b->first + assigned + i].variable;
        guess[i]   = guess_slot(C, v, s->initial);
        if (i < 4)
            name = gm_work_printf(&C->w, GM_STR_FMT "%s" GM_STR_FMT, GM_STR_ARG(name), i > 0 ? ", " : "",
                                  GM_STR_ARG(C->vars[v].name));
    }
    if (b->tears > 4) name = gm_work_printf(&C->w, GM_STR_FMT ", ...", GM_STR_ARG(name));
    find_arguments(C, s, b);
    gm_loop_spec spec = {
        .name = name, .unknowns = b->tears, .arguments = b->arguments.count, .guess = guess, .linear = b->linear
    };
    b->loop           = gm_build_loop(C->b, &spec);
    b->loop_built     = true;
    emitter body      = { .C = C, .initial = s->initial };
    for (uint32_t i = 0; i < b->arguments.count; i++) gm_map_put(&C->w, &body.arguments, b->arguments.at[i], i);
    for (uint32_t i = 0; i < b->tears; i++)
        set_value(&body, s->steps[b->first + assigned + i].variable, gm_emit_unknown(C->b, i));
    for (uint32_t i = 0; i < assigned; i++)
        set_value(&body, s->steps[b->first + i].variable, number(&body, s->steps[b->first + i].solved));
    for (uint32_t i = 0; i < b->tears; i++) {
        uint32_t e = s->steps[b->first + assigned + i].equation;
        gm_val   left = number(&body, eq_left(C, s, e)), right = number(&body, eq_right(C, s, e));
        gm_build_residual(C->b, i, gm_emit2(C->b, GM_OP_SUB, left, right));
    }
    gm_build_end(C->b);
}

static void emit_loop(emitter *em, const system_ *s, block *b)
{
    compiler *C        = em->C;
    uint32_t  assigned = b->count - b->tears;
    if (!b->loop_built) build_loop(C, s, b);
    gm_val *arguments = GM_WORK_NEW(&C->w, gm_val, b->arguments.count > 0 ? b->arguments.count : 1);
    gm_val *solutions = GM_WORK_NEW(&C->w, gm_val, b->tears);
    for (uint32_t i = 0; i < b->arguments.count; i++) arguments[i] = number(em, b->arguments.at[i]);
    gm_emit_solve(C->b, b->loop, arguments, solutions);
    for (uint32_t i = 0; i < b->tears; i++) set_value(em, s->steps[b->first + assigned + i].variable, solutions[i]);
    for (uint32_t i = 0; i < assigned; i++)
        set_value(em, s->steps[b->first + i].variable, number(em, s->steps[b->first + i].solved));
}

// ---------------------------------------------------------------------------------------------------- what is needed

typedef struct needs { uint8_t *block; const system_ *s; bool discrete_too; } needs;

static needs needs_new(compiler *C, const system_ *s, bool discrete_too)
{
    return (needs){ .block = GM_WORK_NEW(&C->w, uint8_t, s->block_count + 1), .s = s, .discrete_too = discrete_too };
}

static void need_variable(const compiler *C, needs *n, uint32_t v)
{
    (void)C;
    uint32_t column = n->s->column_of[v];
    if (column == NONE) return;
    uint32_t b = n->s->block_of[column];
    if (n->s->blocks[b].discrete && !n->discrete_too) return;
    n->block[b] = 1;
}

static void need_ex(compiler *C, needs *n, gm_ex e)
{
    if (e == GM_EX_NONE) return;
    gm_ids *order = &C->order;
    order->count  = 0;
    gm_ex_order_begin(&C->ex);
    gm_ex_order(&C->ex, &C->w, e, order);
    for (uint32_t i = 0; i < order->count; i++) {
        gm_ex_node node = *gm_ex_at(&C->ex, order->at[i]);
        if (node.op == GM_EX_VAR || (node.op == GM_EX_PRE && n->s->initial)) need_variable(C, n, node.id);
    }
}

// The relations an expression names are compared in place at the beginning: what they compare is needed too.
static void need_relations(compiler *C, needs *n)
{
    for (uint32_t i = 0; i < C->relation_count; i++) {
        need_ex(C, n, C->relations[i].low);
        need_ex(C, n, C->relations[i].high);
    }
}

// A state that begins with a known start value begins with what its slot holds: that value, unless another was set from
// outside before the run.
static bool begins_as_set(const emitter *em, const step *one)
{
    const compiler *C = em->C;
    const variable *v = &C->vars[one->variable];
    equation_origin origin = C->eqs[one->equation].origin;
    double          start;
    return em->initial && v->state && v->has_slot && (origin == FROM_FIXED || origin == FROM_DEFAULT) &&
           gm_ex_is_const(&C->ex, one->solved, &start) && start == v->value;
}

static void emit_needed(emitter *em, system_ *s, needs *n)
{
    compiler *C = em->C;
    for (uint32_t i = s->block_count; i-- > 0;) {
        if (!n->block[i]) continue;
        for (uint32_t k = 0; k < s->blocks[i].count; k++) {
            const step *one = &s->steps[s->blocks[i].first + k];
            if (one->solved != GM_EX_NONE) {
                need_ex(C, n, one->solved);
            } else {
                need_ex(C, n, eq_left(C, s, one->equation));
                need_ex(C, n, eq_right(C, s, one->equation));
            }
        }
    }
    for (uint32_t i = 0; i < s->block_count; i++) {
        if (!n->block[i]) continue;
        block *b = &s->blocks[i];
        if (b->tears > 0) emit_loop(em, s, b);
        for (uint32_t k = 0; b->tears == 0 && k < b->count; k++) {
            const step *one = &s->steps[b->first + k];
            set_value(em, one->variable, begins_as_set(em, one) ? gm_emit_load(C->b, C->vars[one->variable].slot) : number(em, one->solved));
        }
    }
}

// ---------------------------------------------------------------------------------------------------- slots

static gm_slot_kind slot_kind(const variable *v)
{
    switch (v->kind) {
    case VAR_PARAMETER: return GM_SLOT_PARAMETER;
    case VAR_INPUT: return GM_SLOT_INPUT;
    case VAR_FREE: case VAR_DISCRETE: case VAR_RELATION: return GM_SLOT_DISCRETE;
    default: return v->state ? GM_SLOT_STATE : GM_SLOT_ALGEBRAIC;
    }
}

static bool is_dependent(const compiler *C, const variable *v)
{
    const gm_flat_var *f = &C->flat->vars[v->flat];
    return v->kind == VAR_PARAMETER &&
           ((f->flags & (GM_FLAT_STRUCTURAL | GM_FLAT_FINAL)) || !gm_ex_is_const(&C->ex, f->binding, NULL));
}

static void declare_flat(compiler *C, uint32_t id)
{
    static const gm_slot_type types[] = { GM_SLOT_REAL, GM_SLOT_INTEGER, GM_SLOT_BOOLEAN, GM_SLOT_ENUMERATION,
                                          GM_SLOT_REAL };
    variable          *v = &C->vars[id];
    const gm_flat_var *f = &C->flat->vars[v->flat];
    gm_slot_spec              spec    = { .kind         = slot_kind(v),
                                          .type         = types[f->type],
                                          .name         = f->name,
                                          .unit         = f->unit,
                                          .display_unit = f->display_unit,
                                          .description  = f->description,
                                          .start        = v->value };
    if (f->flags & GM_FLAT_OUTPUT) spec.flags |= GM_SLOT_IS_OUTPUT;
    if (v->fixed) spec.flags |= GM_SLOT_FIXED;
    if (is_dependent(C, v)) spec.flags |= GM_SLOT_DEPENDENT;
    spec_bounds(C, &spec, f, v);
    v->slot     = gm_build_slot(C->b, &spec);
    v->has_slot = true;
}

static void declare_alias(compiler *C, uint32_t id)
{
    root_of(C, id);  // makes the way one step
    const variable    *v = &C->vars[id];
    const gm_flat_var *f = &C->flat->vars[v->flat];
    gm_build_alias(C->b, &(gm_slot_alias) { .name         = f->name,
                                            .unit         = f->unit,
                                            .display_unit = f->display_unit,
                                            .description  = f->description,
                                            .slot         = C->vars[v->alias].slot,
                                            .negated      = v->negated });
}

static void declare_slots(compiler *C)
{
    for (uint32_t i = 0; i < C->var_count; i++) {
        variable *v = &C->vars[i];
        if (v->kind == VAR_SKIPPED || v->kind == VAR_CONSTANT || v->kind == VAR_PRE || v->alias != NONE) continue;
        if (v->flat != NONE) {
            declare_flat(C, i);
        } else if (v->kind == VAR_DISCRETE || v->kind == VAR_RELATION ||
                   (v->kind == VAR_REAL && v->integral != NONE && v->state)) {
            gm_slot_spec spec = { .kind  = slot_kind(v),
                                  .type  = v->kind == VAR_RELATION ? GM_SLOT_BOOLEAN : GM_SLOT_REAL,
                                  .flags = GM_SLOT_HIDDEN };
            v->slot           = gm_build_slot(C->b, &spec);
            v->has_slot       = true;
        }
    }
    for (uint32_t i = 0; i < C->delay_sources.count; i++) {
        variable *v = &C->vars[C->delay_sources.at[i]];
        if (v->has_slot) continue;
        v->slot     = gm_build_slot(C->b, &(gm_slot_spec){ .kind = GM_SLOT_ALGEBRAIC, .flags = GM_SLOT_HIDDEN });
        v->has_slot = true;
    }
    for (uint32_t i = 0; i < C->flat->var_count; i++) {
        if (C->vars[i].alias != NONE) declare_alias(C, i);
    }
    for (uint32_t i = 0; i < C->time_events.count; i++) gm_build_time_event(C->b, C->vars[C->time_events.at[i]].slot);
}

static void declare_tables(compiler *C)
{
    for (uint32_t i = 0; i < C->flat->table_count; i++) {
        const gm_flat_table *t = &C->flat->tables[i];
        gm_build_grid(C->b, &(gm_grid_spec) { .name   = t->name,
                                              .nx     = t->nx,
                                              .ny     = t->ny,
                                              .x      = t->x,
                                              .y      = t->y,
                                              .z      = t->z,
                                              .smooth = (gm_grid_smooth)t->smooth,
                                              .beyond = (gm_grid_beyond)t->beyond });
    }
    for (uint32_t i = 0; i < C->delays.count; i++) {
        double most = 0;
        gm_evaluate(C, gm_ex_at(&C->ex, C->delays.at[i])->a[2], true, &most);
        gm_build_delay(C->b, C->vars[C->delay_sources.at[i]].slot, most);
    }
}

// ---------------------------------------------------------------------------------------------------- sections

static void emit_bind(compiler *C)
{
    emitter em = { .C = C };
    gm_build_section(C->b, GM_SECTION_BIND);
    for (uint32_t i = 0; i < C->parameters.count; i++) {
        uint32_t v = C->parameters.at[i];
        if (!is_dependent(C, &C->vars[v])) continue;
        gm_val value = number(&em, C->flat->vars[v].binding);
        set_value(&em, v, value);
        gm_build_store(C->b, C->vars[v].slot, value);
    }
    gm_build_end(C->b);
}

static bool stored_initially(const compiler *C, const variable *v)
{
    if (!v->has_slot || v->is_constant || v->alias != NONE) return false;
    return v->state || v->kind == VAR_DISCRETE || v->kind == VAR_FREE ||
           (v->kind == VAR_RELATION && C->relation_count > 0);
}

static void emit_initial(compiler *C)
{
    emitter em = { .C = C, .initial = true };
    needs   n  = needs_new(C, &C->init, true);
    bool    any = false;
    gm_build_section(C->b, GM_SECTION_INITIAL);
    for (uint32_t i = 0; i < C->var_count; i++) {
        if (!stored_initially(C, &C->vars[i])) continue;
        need_variable(C, &n, i);
        any = true;
    }
    need_relations(C, &n);
    for (uint32_t i = 0; i < C->run.block_count; i++) {  // first guesses of the loops
        const block *b = &C->run.blocks[i];
        for (uint32_t k = b->count - b->tears; k < b->count; k++)
            need_variable(C, &n, C->run.steps[b->first + k].variable);
    }
    emit_needed(&em, &C->init, &n);
    for (uint32_t i = 0; any && i < C->var_count; i++) {
        if (!stored_initially(C, &C->vars[i])) continue;
        gm_val value = value_of(&em, i), kept = gm_emit_load(C->b, C->vars[i].slot);
        if (value.at != kept.at || value.region != kept.region) gm_build_store(C->b, C->vars[i].slot, value);
    }
    for (uint32_t i = 0; i < C->run.block_count; i++) {
        const block *b = &C->run.blocks[i];
        for (uint32_t k = b->count - b->tears; k < b->count; k++) {
            uint32_t v = C->run.steps[b->first + k].variable;
            gm_val   value = value_of(&em, v);
            gm_slot  slot  = guess_slot(C, v, false);
            gm_build_store(C->b, slot, value);
        }
    }
    gm_build_end(C->b);
}

static void emit_derivatives(compiler *C)
{
    emitter em = { .C = C };
    needs   n  = needs_new(C, &C->run, false);
    gm_build_section(C->b, GM_SECTION_DERIVATIVE);
    for (uint32_t i = 0; i < C->var_count; i++) {
        if (C->vars[i].state) need_ex(C, &n, gm_ex_var(&C->ex, C->vars[i].derivative));
    }
    emit_needed(&em, &C->run, &n);
    for (uint32_t i = 0; i < C->var_count; i++) {
        if (C->vars[i].state) gm_build_derivative(C->b, C->vars[i].slot, value_of(&em, C->vars[i].derivative));
    }
    gm_build_end(C->b);
}

static bool is_output(const compiler *C, uint32_t i)
{
    const variable *v = &C->vars[i];
    (void)C;
    return v->kind == VAR_REAL && v->has_slot && v->alias == NONE && !v->state &&
           (v->flat != NONE || v->integral == NONE);
}

static void emit_output(compiler *C)
{
    emitter em = { .C = C };
    needs   n  = needs_new(C, &C->run, false);
    gm_build_section(C->b, GM_SECTION_OUTPUT);
    for (uint32_t i = 0; i < C->var_count; i++) {
        if (is_output(C, i)) need_variable(C, &n, i);
    }
    emit_needed(&em, &C->run, &n);
    for (uint32_t i = 0; i < C->var_count; i++) {
        if (is_output(C, i)) gm_build_store(C->b, C->vars[i].slot, value_of(&em, i));
    }
    gm_build_end(C->b);
}

static void emit_indicators(compiler *C)
{
    emitter em  = { .C = C };
    needs   n   = needs_new(C, &C->run, false);
    bool    any = false;
    for (uint32_t i = 0; i < C->relation_count; i++) any |= !C->relations[i].by_time;
    if (!any) return;
    gm_build_section(C->b, GM_SECTION_INDICATOR);
    need_relations(C, &n);
    emit_needed(&em, &C->run, &n);
    for (uint32_t i = 0; i < C->relation_count; i++) {
        const relation *r = &C->relations[i];
        if (r->by_time) continue;
        gm_val low = number(&em, r->low), high = number(&em, r->high), g;
        if (gm_ex_is(&C->ex, r->low, 0)) g = high;
        else if (gm_ex_is(&C->ex, r->high, 0)) g = gm_emit1(C->b, GM_OP_NEG, low);
        else g = gm_emit2(C->b, GM_OP_SUB, high, low);
        gm_build_indicator(C->b, g, C->vars[r->variable].slot);
    }
    gm_build_end(C->b);
}

// reinit(x, e): when several speak of one state, the later one wins.
static void emit_reinits(emitter *em)
{
    compiler *C  = em->C;
    gm_map    to = { 0 };
    gm_ids    states = { 0 };
    for (uint32_t i = 0; i < C->action_count; i++) {
        const gm_flat_action *a = &C->actions[i];
        if (a->kind != GM_FLAT_REINIT) continue;
        gm_ex             root  = root_of(C, a->var);
        bool              minus = gm_ex_op_of(&C->ex, root) == GM_EX_NEG;
        const gm_ex_node *n     = gm_ex_at(&C->ex, minus ? gm_ex_at(&C->ex, root)->a[0] : root);
        uint32_t          v     = n->op == GM_EX_VAR ? n->id : NONE;
        if (v == NONE || !C->vars[v].state) {
            gm_complain(C, GM_SEVERITY_ERROR, a->at, 6, "`" GM_STR_FMT "` can not be reinitialised, it is not a state",
                        GM_STR_ARG(C->vars[a->var].name));
            gm_give_up(C);
        }
        gm_val value = number(em, a->value);
        if (minus) value = gm_emit1(C->b, GM_OP_NEG, value);
        uint32_t before = gm_map_find(&to, v);
        gm_val   old    = before != GM_MAP_NONE ? em->vals[before] : gm_emit_load(C->b, C->vars[v].slot);
        if (before == GM_MAP_NONE) gm_ids_add(&C->w, &states, v);
        gm_val guard = a->guard == GM_EX_NONE ? gm_emit_bool(C->b, true) : as_mask(em, emit_ex(em, a->guard));
        gm_map_put(&C->w, &to, v, keep(em, gm_emit3(C->b, GM_OP_SELECT, guard, value, old)));
    }
    for (uint32_t i = 0; i < states.count; i++)
        gm_build_store(C->b, C->vars[states.at[i]].slot, em->vals[gm_map_find(&to, states.at[i])]);
}

static void emit_event(compiler *C)
{
    emitter em  = { .C = C };
    needs   n   = needs_new(C, &C->run, true);
    bool    any = false;
    for (uint32_t i = 0; i < C->run.unknowns.count; i++) {
        uint32_t v = C->run.unknowns.at[i];
        if (C->vars[v].kind != VAR_DISCRETE) continue;
        need_variable(C, &n, v);
        any = true;
    }
    for (uint32_t i = 0; i < C->action_count; i++) {
        if (C->actions[i].kind != GM_FLAT_REINIT) continue;
        need_ex(C, &n, C->actions[i].guard);
        need_ex(C, &n, C->actions[i].value);
        any = true;
    }
    if (!any) return;
    gm_build_section(C->b, GM_SECTION_EVENT);
    emit_needed(&em, &C->run, &n);
    for (uint32_t i = 0; i < C->run.unknowns.count; i++) {
        uint32_t v = C->run.unknowns.at[i];
        if (C->vars[v].kind == VAR_DISCRETE) gm_build_store(C->b, C->vars[v].slot, value_of(&em, v));
    }
    emit_reinits(&em);
    gm_build_end(C->b);
}

static void emit_checks(compiler *C)
{
    emitter em  = { .C = C };
    needs   n   = needs_new(C, &C->run, false);
    bool    any = false;
    for (uint32_t i = 0; i < C->action_count; i++) {
        if (C->actions[i].kind == GM_FLAT_REINIT) continue;
        need_ex(C, &n, C->actions[i].guard);
        need_ex(C, &n, C->actions[i].value);
        any = true;
    }
    if (!any) return;
    gm_build_section(C->b, GM_SECTION_CHECK);
    emit_needed(&em, &C->run, &n);
    for (uint32_t i = 0; i < C->action_count; i++) {
        const gm_flat_action *a = &C->actions[i];
        if (a->kind == GM_FLAT_REINIT) continue;
        gm_check_kind kind = a->kind == GM_FLAT_ASSERT ? GM_CHECK_ASSERT
                             : a->kind == GM_FLAT_WARN ? GM_CHECK_WARN
                             : a->kind == GM_FLAT_NOTE ? GM_CHECK_NOTE
                                                       : GM_CHECK_TERMINATE;
        gm_ex         e    = kind == GM_CHECK_TERMINATE ? a->guard : a->value;
        gm_build_check(C->b, kind, e == GM_EX_NONE ? gm_emit_bool(C->b, true) : as_mask(&em, emit_ex(&em, e)),
                       a->message);
    }
    gm_build_end(C->b);
}

void emit_program(compiler *C)
{
    gm_build_text(C->b, C->flat->name, C->flat->description);
    declare_slots(C);
    declare_tables(C);
    emit_bind(C);
    emit_initial(C);
    emit_derivatives(C);
    emit_output(C);
    emit_indicators(C);
    emit_event(C);
    emit_checks(C);
}
