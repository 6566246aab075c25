// Functions and algorithms are run once, here, on expressions instead of numbers. Loops are unrolled. Where a condition
// is not known yet, both sides run from the same beginning, and their results are merged:
//
//     if c then y := a; else y := b; end if;      y = if c then a else b
//
// `live` says whether the next statement still counts, after a return or break that may have happened; `path` is the
// condition under which this place is reached at all, for assertions.
#include "physics/modelica/flatten.h"



typedef struct flow {
    gm_ex live, path, returned, broken;
    bool  in_when;
} flow;

static void run(gm_flatten *F, scope *s, flow *f, const gm_ast_equation *items, uint32_t count);

static bool is_true(const gm_flatten *F, gm_ex e)
{
    return gm_ex_is(F->ex, e, 1);
}

static bool is_false(const gm_flatten *F, gm_ex e)
{
    return gm_ex_is(F->ex, e, 0);
}

static gm_ex both(gm_flatten *F, gm_ex a, gm_ex b) { return gm_ex_2(F->ex, GM_EX_AND, a, b); }
static gm_ex either(gm_flatten *F, gm_ex a, gm_ex b) { return gm_ex_2(F->ex, GM_EX_OR, a, b); }
static gm_ex no(gm_flatten *F, gm_ex a) { return gm_ex_1(F->ex, GM_EX_NOT, a); }

// ---------------------------------------------------------------------------------------------------- storing

value gm_copy_of(gm_flatten *F, const value *v)
{
    value out = *v;
    if (v->type == V_RECORD) {
        uint32_t n = v->ndims > 0 ? v->count : gm_class_layout(F, v->cls)->slot_count;
        out.fields = GM_WORK_NEW(&F->w, value, n > 0 ? n : 1);
        for (uint32_t i = 0; i < n; i++) out.fields[i] = gm_copy_of(F, &v->fields[i]);
    } else if (v->ndims > 0) {
        out      = gm_value_array(F, (value_type)v->type, v->ndims, v->dims);
        out.cls  = v->cls;
        if (v->count > 0) memcpy(out.many, v->many, v->count * sizeof *out.many);
    }
    return out;
}

// The position that scalar constant subscripts name; false when they are something else.
static bool plain_position(gm_flatten *F, const scope *s, const gm_ast_part *part, const value *in, uint32_t *out)
{
    uint32_t at = 0;
    if (part->subscript_count != in->ndims) return false;
    for (uint32_t i = 0; i < in->ndims; i++) {
        const gm_ast_expr *e = part->subscripts[i];
        if (e->kind == GM_AST_COLON) return false;
        const uint32_t *outer = F->end_dim;
        F->end_dim            = &in->dims[i];
        value v               = gm_eval(F, s, e);
        F->end_dim            = outer;
        double number;
        if (v.type != V_INTEGER || v.ndims > 0 || !gm_ex_is_const(F->ex, v.one, &number)) return false;
        if (!(number >= 1 && number <= in->dims[i])) return false;
        at = at * in->dims[i] + (uint32_t)number - 1;
    }
    *out = at;
    return true;
}

static bool store(gm_flatten *F, const scope *s, gm_ex live, value *to, const gm_ast_ref *ref, uint32_t k, value v,
                  const gm_ast_expr *at);

// to[subscripts] := v, where the elements are numbers
static bool store_elements(gm_flatten *F, const scope *s, gm_ex live, value *to, const gm_ast_part *part, value v,
                           const gm_ast_expr *at)
{
    uint32_t plain;
    if (!gm_value_convert(F, &v, (value_type)to->type, to->cls)) {
        gm_str found = gm_value_text(F, &v), wanted = gm_value_text(F, to);
        gm_flatten_error(F, at->at, at->length, GM_STR_FMT " can not be stored in an element of " GM_STR_FMT,
                      GM_STR_ARG(found), GM_STR_ARG(wanted));
        return false;
    }
    if (v.ndims == 0 && plain_position(F, s, part, to, &plain)) {
        to->many[plain] = gm_ex_3(F->ex, GM_EX_SELECT, live, v.one, to->many[plain]);
        return true;
    }
    value all = gm_value_array(F, V_INTEGER, to->ndims, to->dims);
    for (uint32_t i = 0; i < to->count; i++) all.many[i] = gm_ex_const(F->ex, i);
    value where = gm_eval_subscripts(F, s, part, all);
    if (where.type == V_ERROR) return false;
    if (!gm_value_same_shape(&where, &v)) {
        gm_str found = gm_value_text(F, &v), wanted = gm_value_text(F, &where);
        gm_flatten_error(F, at->at, at->length, "the left side is " GM_STR_FMT ", the right side " GM_STR_FMT,
                      GM_STR_ARG(wanted), GM_STR_ARG(found));
        return false;
    }
    for (uint32_t i = 0; i < where.count; i++) {
        gm_ex  position = gm_value_at(&where, i);
        double number;
        if (gm_ex_is_const(F->ex, position, &number)) {
            gm_ex *slot_ = &to->many[(uint32_t)number];
            *slot_       = gm_ex_3(F->ex, GM_EX_SELECT, live, gm_value_at(&v, i), *slot_);
            continue;
        }
        for (uint32_t j = 0; j < to->count; j++) {  // which element it is, is known only later
            gm_ex here  = gm_ex_compare(F->ex, GM_EX_EQ, position, gm_ex_const(F->ex, j), true);
            to->many[j] = gm_ex_3(F->ex, GM_EX_SELECT, both(F, live, here), gm_value_at(&v, i), to->many[j]);
            gm_flatten_step(F);
        }
    }
    return true;
}

static bool store_whole(gm_flatten *F, gm_ex live, value *to, value v, const gm_ast_expr *at)
{
    bool fits = gm_value_convert(F, &v, (value_type)to->type, to->cls) && v.ndims == to->ndims;
    // A function's array takes the size of what is assigned when its own size was left open.
    bool open = fits && to->ndims > 0 && to->count == 0;
    if (fits && !open && to->ndims > 0) fits = gm_value_same_shape(&v, to);
    if (!fits) {
        gm_str found = gm_value_text(F, &v), wanted = gm_value_text(F, to);
        gm_flatten_error(F, at->at, at->length, "the left side is " GM_STR_FMT ", the right side " GM_STR_FMT,
                      GM_STR_ARG(wanted), GM_STR_ARG(found));
        return false;
    }
    if (is_true(F, live) || open) {
        *to = gm_copy_of(F, &v);
        return true;
    }
    value merged = gm_value_select(F, live, v, *to, at);
    if (merged.type == V_ERROR) return false;
    *to = merged;
    return true;
}

static bool store(gm_flatten *F, const scope *s, gm_ex live, value *to, const gm_ast_ref *ref, uint32_t k, value v,
                  const gm_ast_expr *at)
{
    const gm_ast_part *part = &ref->parts[k];
    bool               last = k + 1 == ref->count;
    if (to->type == V_ERROR || v.type == V_ERROR) return false;
    if (part->subscript_count > to->ndims) {
        gm_flatten_error(F, part->at, part->length, "`" GM_STR_FMT "` has %u dimensions",
                      GM_STR_ARG(gm_name_of(F, part->name)), to->ndims);
        return false;
    }
    if (part->subscript_count > 0 && to->type == V_RECORD) {
        uint32_t at_element;
        if (!plain_position(F, s, part, to, &at_element)) {
            gm_flatten_error(F, part->at, part->length, "the subscript of a record must be a constant within its bounds");
            return false;
        }
        to = &to->elements[at_element];
    } else if (part->subscript_count > 0) {
        if (last) return store_elements(F, s, live, to, part, v, at);
    }
    if (last) return store_whole(F, live, to, v, at);
    if (to->type != V_RECORD || to->ndims > 0) {
        gm_flatten_error(F, ref->parts[k + 1].at, ref->parts[k + 1].length, "there is no `" GM_STR_FMT "` here",
                      GM_STR_ARG(gm_name_of(F, ref->parts[k + 1].name)));
        return false;
    }
    layout  *lay   = gm_class_layout(F, to->cls);
    uint32_t field = gm_map_find(&lay->names, ref->parts[k + 1].name);
    if (field == GM_MAP_NONE) {
        gm_value_field(F, *to, ref->parts[k + 1].name, &ref->parts[k + 1]);  // says what is wrong
        return false;
    }
    return store(F, s, live, &to->fields[field], ref, k + 1, v, at);
}

static gm_ex before_algorithm(gm_flatten *F, uint32_t id);

// A variable; while the model begins also a parameter that is left to the initial equations (fixed = false).
static bool can_be_assigned(gm_flatten *F, uint32_t var)
{
    if (F->flat->vars[var].variability < GM_FLAT_PARAMETER) return true;
    gm_inst_bind(F, F->var_inst[var]);
    return F->initial && F->flat->vars[var].variability == GM_FLAT_PARAMETER && (F->flat->vars[var].flags & GM_FLAT_UNFIXED);
}

// A variable of the model: what the algorithm has made of it so far is kept in the overlay.
static void store_component(gm_flatten *F, scope *s, flow *f, const gm_ast_expr *left, value v)
{
    scope plain = *s;
    plain.over  = NULL;
    value to    = gm_eval(F, &plain, left);
    if (to.type == V_ERROR || v.type == V_ERROR) return;
    if (to.type == V_RECORD || !gm_value_convert(F, &v, (value_type)to.type, to.cls) || !gm_value_same_shape(&to, &v)) {
        gm_str found = gm_value_text(F, &v), wanted = gm_value_text(F, &to);
        gm_flatten_error(F, left->at, left->length, "the left side is " GM_STR_FMT ", the right side " GM_STR_FMT,
                      GM_STR_ARG(wanted), GM_STR_ARG(found));
        return;
    }
    for (uint32_t i = 0; i < to.count; i++) {
        gm_ex x = gm_value_at(&to, i);
        if (gm_ex_op_of(F->ex, x) != GM_EX_VAR || !can_be_assigned(F, gm_ex_at(F->ex, x)->id)) {
            gm_flatten_error(F, left->at, left->length, "only variables can be assigned to");
            return;
        }
        uint32_t     id  = gm_ex_at(F->ex, x)->id;
        gm_flat_var *var = &F->flat->vars[id];
        if (f->in_when && var->variability == GM_FLAT_CONTINUOUS) var->variability = GM_FLAT_DISCRETE;
        gm_ex old = gm_map_find(&s->over->values, id);
        if (old == GM_MAP_NONE) {
            gm_ids_add(&F->w, &s->over->order, id);
            old = before_algorithm(F, id);
        }
        gm_map_put(&F->w, &s->over->values, id, gm_ex_3(F->ex, GM_EX_SELECT, f->live, gm_value_at(&v, i), old));
    }
}

static void assign_to(gm_flatten *F, scope *s, flow *f, const gm_ast_expr *left, value v)
{
    if (left->kind != GM_AST_REF) {
        gm_flatten_error(F, left->at, left->length, "a variable is expected at the left of `:=`");
        return;
    }
    for (local *l = s->locals; l != NULL; l = l->next) {
        if (l->name != left->ref->parts[0].name) continue;
        if (l->is_input) {
            gm_flatten_error(F, left->at, left->length, "`" GM_STR_FMT "` can not be assigned to",
                          GM_STR_ARG(gm_name_of(F, l->name)));
            return;
        }
        store(F, s, f->live, &l->v, left->ref, 0, v, left);
        return;
    }
    if (s->over != NULL) {
        store_component(F, s, f, left, v);
        return;
    }
    gm_flatten_error(F, left->at, left->length, "there is no `" GM_STR_FMT "` in this function",
                  GM_STR_ARG(gm_ref_text(F, left->ref)));
}

static void run_assignment(gm_flatten *F, scope *s, flow *f, const gm_ast_equation *q)
{
    if (q->left->kind != GM_AST_TUPLE) {
        assign_to(F, s, f, q->left, gm_eval(F, s, q->right));
        return;
    }
    if (q->right->kind != GM_AST_CALL) {
        gm_flatten_error(F, q->right->at, q->right->length, "a call of a function is expected");
        return;
    }
    uint32_t n    = q->left->count;
    value   *more = GM_WORK_NEW(&F->w, value, n);
    value    first = gm_eval_call(F, s, q->right, more, n - 1);
    for (uint32_t i = 0; i < n; i++) {
        if (q->left->items[i] != NULL) assign_to(F, s, f, q->left->items[i], i == 0 ? first : more[i - 1]);
    }
}

// ---------------------------------------------------------------------------------------------------- control flow

static void after_branch(gm_flatten *F, flow *f, gm_ex live)
{
    f->live = both(F, live, no(F, either(F, f->returned, f->broken)));
}

// The values of all variables at one moment.
typedef struct snapshot { value *locals; gm_map values; uint32_t assigned; gm_ex returned, broken; } snapshot;

static snapshot take(gm_flatten *F, const scope *s, const flow *f)
{
    snapshot shot = { .returned = f->returned, .broken = f->broken };
    uint32_t n    = 0;
    for (const local *l = s->locals; l != NULL; l = l->next) n++;
    shot.locals = GM_WORK_NEW(&F->w, value, n > 0 ? n : 1);
    n           = 0;
    for (const local *l = s->locals; l != NULL; l = l->next, n++)
        shot.locals[n] = l->is_input ? l->v : gm_copy_of(F, &l->v);
    if (s->over != NULL) {
        shot.assigned = s->over->order.count;
        for (uint32_t i = 0; i < shot.assigned; i++) {
            gm_map_put(&F->w, &shot.values, s->over->order.at[i], gm_map_find(&s->over->values, s->over->order.at[i]));
        }
    }
    return shot;
}

static void restore(scope *s, flow *f, const snapshot *shot)
{
    uint32_t n = 0;
    for (local *l = s->locals; l != NULL; l = l->next, n++) l->v = shot->locals[n];
    if (s->over != NULL) {
        s->over->values      = shot->values;
        s->over->order.count = shot->assigned;
    }
    f->returned = shot->returned;
    f->broken   = shot->broken;
}

// What a variable of the model is before the algorithm assigns to it.
static gm_ex before_algorithm(gm_flatten *F, uint32_t id)
{
    const gm_flat_var *var = &F->flat->vars[id];
    if (var->variability == GM_FLAT_DISCRETE) return gm_ex_id(F->ex, GM_EX_PRE, id);
    return var->start != GM_EX_NONE ? var->start : gm_ex_const(F->ex, 0);
}

static bool same_value(const value *a, const value *b)
{
    if (a->type == V_RECORD || !gm_value_same_shape(a, b)) return false;
    for (uint32_t i = 0; i < a->count; i++) {
        if (gm_value_at(a, i) != gm_value_at(b, i)) return false;
    }
    return true;
}

// Each variable becomes: if c, what it was in `yes`, else what it is now.
static void merge_into(gm_flatten *F, scope *s, flow *f, gm_ex c, const snapshot *yes, const gm_ids *yes_order,
                       const gm_ast_expr *at)
{
    uint32_t n = 0;
    for (local *l = s->locals; l != NULL; l = l->next, n++) {
        if (l->is_input || same_value(&yes->locals[n], &l->v)) continue;
        l->v = gm_value_select(F, c, yes->locals[n], l->v, at);
    }
    for (uint32_t i = 0; s->over != NULL && i < yes_order->count; i++) {
        uint32_t id = yes_order->at[i];
        if (gm_map_find(&s->over->values, id) == GM_MAP_NONE) {
            gm_ids_add(&F->w, &s->over->order, id);
            gm_map_put(&F->w, &s->over->values, id, before_algorithm(F, id));
        }
    }
    for (uint32_t i = 0; s->over != NULL && i < s->over->order.count; i++) {
        uint32_t id = s->over->order.at[i];
        gm_ex    a = gm_map_find(&yes->values, id), b = gm_map_find(&s->over->values, id);
        if (a == GM_MAP_NONE) a = before_algorithm(F, id);
        gm_map_put(&F->w, &s->over->values, id, gm_ex_3(F->ex, GM_EX_SELECT, c, a, b));
    }
    f->returned = gm_ex_3(F->ex, GM_EX_SELECT, c, yes->returned, f->returned);
    f->broken   = gm_ex_3(F->ex, GM_EX_SELECT, c, yes->broken, f->broken);
}

static void run_if(gm_flatten *F, scope *s, flow *f, const gm_ast_equation *q, uint32_t from)
{
    if (from == q->branch_count) return;
    const gm_ast_branch *b = &q->branches[from];
    if (b->condition == NULL) {
        run(F, s, f, b->items, b->count);
        return;
    }
    bool  known;
    gm_ex c = gm_eval_scalar(F, s, b->condition, V_BOOLEAN, "a condition");
    if (c == GM_EX_NONE) return;
    if (gm_fold_condition(F, c, false, &known)) {
        if (known) run(F, s, f, b->items, b->count);
        else run_if(F, s, f, q, from + 1);
        return;
    }
    gm_ex    live = f->live, path = f->path;
    snapshot before = take(F, s, f);
    f->path         = both(F, path, c);
    run(F, s, f, b->items, b->count);
    snapshot yes       = take(F, s, f);
    gm_ids   yes_order = { 0 };
    for (uint32_t i = 0; s->over != NULL && i < s->over->order.count; i++)
        gm_ids_add(&F->w, &yes_order, s->over->order.at[i]);
    restore(s, f, &before);
    f->live = live;
    f->path = both(F, path, no(F, c));
    run_if(F, s, f, q, from + 1);
    merge_into(F, s, f, c, &yes, &yes_order, b->condition);
    f->path = path;
    after_branch(F, f, live);
}

static void run_for(gm_flatten *F, scope *s, flow *f, const gm_ast_equation *q, uint32_t iterator)
{
    if (iterator == q->iterator_count) {
        run(F, s, f, q->branches[0].items, q->branches[0].count);
        return;
    }
    value range;
    if (!gm_eval_range(F, s, &q->iterators[iterator], &range)) return;
    gm_ex live = f->live, outer = f->broken;
    f->broken = gm_ex_const(F->ex, 0);
    for (uint32_t i = 0; i < range.count; i++) {
        local here = {
            .name = q->iterators[iterator].name, .v = gm_value_element(F, &range, i), .is_input = true, .next = s->locals
        };
        scope inner = *s;
        inner.locals = &here;
        gm_flatten_step(F);
        after_branch(F, f, live);
        if (is_false(F, f->live)) break;
        run_for(F, &inner, f, q, iterator + 1);
    }
    f->broken = outer;
    after_branch(F, f, live);
}

static void run_while(gm_flatten *F, scope *s, flow *f, const gm_ast_equation *q)
{
    gm_ex live = f->live, outer = f->broken;
    f->broken = gm_ex_const(F->ex, 0);
    for (;;) {
        after_branch(F, f, live);
        gm_ex c = gm_eval_scalar(F, s, q->branches[0].condition, V_BOOLEAN, "the condition of a loop");
        bool  known;
        if (c == GM_EX_NONE || is_false(F, f->live)) break;
        if (!gm_fold_condition(F, both(F, f->live, c), false, &known)) {
            gm_flatten_error(
                F, q->branches[0].condition->at, q->branches[0].condition->length,
                "how often this loop runs is not known before the simulation; use `for` with a fixed range and `if`");
            break;
        }
        if (!known) break;
        for (int i = 0; i < 10; i++) gm_flatten_step(F);
        run(F, s, f, q->branches[0].items, q->branches[0].count);
    }
    f->broken = outer;
    after_branch(F, f, live);
}

// The edge of a condition, or of any of a list of them.
gm_ex gm_fire_of(gm_flatten *F, const scope *s, const gm_ast_expr *condition)
{
    value v = gm_eval(F, s, condition);
    if (v.type == V_ERROR) return GM_EX_NONE;
    if (v.type != V_BOOLEAN || v.ndims > 1) {
        gm_str found = gm_value_text(F, &v);
        gm_flatten_error(F, condition->at, condition->length,
                      "the condition of `when` is a Boolean or a list of them, this is " GM_STR_FMT, GM_STR_ARG(found));
        return GM_EX_NONE;
    }
    gm_ex fire = gm_ex_const(F->ex, 0);
    for (uint32_t i = 0; i < v.count; i++) fire = either(F, fire, gm_ex_1(F->ex, GM_EX_EDGE, gm_value_at(&v, i)));
    return fire;
}

static void run_when(gm_flatten *F, scope *s, flow *f, const gm_ast_equation *q)
{
    if (s->in_function || f->in_when) {
        gm_flatten_error(F, q->at, 4,
                      s->in_function ? "`when` has no place in a function" : "`when` can not stand inside `when`");
        return;
    }
    gm_ex live = f->live, earlier = gm_ex_const(F->ex, 0);
    f->in_when = true;
    for (uint32_t i = 0; i < q->branch_count; i++) {
        gm_ex fire = gm_fire_of(F, s, q->branches[i].condition);
        if (fire == GM_EX_NONE) continue;
        f->live = both(F, live, both(F, fire, no(F, earlier)));
        run(F, s, f, q->branches[i].items, q->branches[i].count);
        earlier = either(F, earlier, fire);
    }
    f->in_when = false;
    f->live    = live;
}

static void run_call(gm_flatten *F, scope *s, flow *f, const gm_ast_equation *q)
{
    special kind = gm_special_call(F, s, q->left);
    if (kind == SPECIAL_NONE) {
        gm_eval(F, s, q->left);
        return;
    }
    bool           good;
    gm_flat_action action = gm_read_special(F, s, kind, q->left, &good);
    if (!good) return;
    if (kind == SPECIAL_REINIT && !f->in_when) {
        gm_flatten_error(F, q->at, q->length, "`reinit` belongs into a `when`");
        return;
    }
    gm_ex reached = both(F, f->path, f->live);
    if (f->in_when || kind != SPECIAL_ASSERT) action.guard = reached;
    else action.value = either(F, no(F, reached), action.value);
    gm_add_action(F, &action);
}

static void run(gm_flatten *F, scope *s, flow *f, const gm_ast_equation *items, uint32_t count)
{
    for (uint32_t i = 0; i < count && !is_false(F, f->live); i++) {
        const gm_ast_equation *q = &items[i];
        gm_flatten_step(F);
        switch ((gm_ast_equation_kind)q->kind) {
        case GM_AST_EQUAL: run_assignment(F, s, f, q); break;
        case GM_AST_IF_BLOCK: run_if(F, s, f, q, 0); break;
        case GM_AST_FOR_BLOCK: run_for(F, s, f, q, 0); break;
        case GM_AST_WHILE_BLOCK: run_while(F, s, f, q); break;
        case GM_AST_WHEN_BLOCK: run_when(F, s, f, q); break;
        case GM_AST_DO: run_call(F, s, f, q); break;
        case GM_AST_CONNECT: break;  // the parser refuses it here
        case GM_AST_BREAK:
            f->broken = either(F, f->broken, f->live);
            f->live   = gm_ex_const(F->ex, 0);
            break;
        case GM_AST_RETURN:
            f->returned = either(F, f->returned, f->live);
            f->live     = gm_ex_const(F->ex, 0);
            break;
        }
    }
}

static flow fresh_flow(gm_flatten *F)
{
    return (flow) { .live     = gm_ex_const(F->ex, 1),
                    .path     = gm_ex_const(F->ex, 1),
                    .returned = gm_ex_const(F->ex, 0),
                    .broken   = gm_ex_const(F->ex, 0) };
}

typedef struct reader { gm_flatten *F; const overlay *over; } reader;

// What an algorithm assigns and reads before it has assigned it, is what it was before.
static gm_ex read_before(void *context, gm_ex leaf)
{
    reader           *r = context;
    const gm_ex_node *n = gm_ex_at(r->F->ex, leaf);
    if (n->op != GM_EX_VAR || gm_map_find(&r->over->values, n->id) == GM_MAP_NONE) return leaf;
    return before_algorithm(r->F, n->id);
}

void gm_run_algorithm(gm_flatten *F, scope *s, const gm_ast_section *section)
{
    overlay  over    = { 0 };
    flow     f       = fresh_flow(F);
    uint32_t actions = F->flat->action_count;
    reader   r       = { F, &over };
    gm_map   memo    = { 0 };
    s->over          = &over;
    run(F, s, &f, section->items, section->count);
    s->over = NULL;
    for (uint32_t i = 0; i < over.order.count; i++) {
        uint32_t var   = over.order.at[i];
        gm_ex    final_ = gm_ex_substitute(F->ex, &F->w, gm_map_find(&over.values, var), read_before, &r, &memo);
        gm_add_equation(F, gm_ex_var(F->ex, var), final_, section->at, 9, s->in->owner);
    }
    for (uint32_t i = actions; i < F->flat->action_count; i++) {
        gm_flat_action *a = &F->flat->actions[i];
        if (a->guard != GM_EX_NONE) a->guard = gm_ex_substitute(F->ex, &F->w, a->guard, read_before, &r, &memo);
        if (a->value != GM_EX_NONE) a->value = gm_ex_substitute(F->ex, &F->w, a->value, read_before, &r, &memo);
    }
}

bool gm_run_body(gm_flatten *F, const layout *lay, local *locals)
{
    flow f = fresh_flow(F);
    for (uint32_t i = 0; i < lay->section_count; i++) {
        const section_ref *section = &lay->sections[i];
        scope              s       = { .cls = section->cls, .locals = locals, .quiet = true, .in_function = true };
        if (!section->section->algorithm) {
            gm_flatten_error(F, section->section->at, 8, "a function has algorithms, no equations");
            return false;
        }
        run(F, &s, &f, section->section->items, section->section->count);
    }
    return true;
}
