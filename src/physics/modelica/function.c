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

static value copy_of(gm_flatten *F, const value *v)
{
    value out = *v;
    if (v->type == V_RECORD) {
        uint32_t n = v->ndims > 0 ? v->count : layout_of(F, v->cls)->slot_count;
        out.fields = GM_WORK_NEW(&F->w, value, n > 0 ? n : 1);
        for (uint32_t i = 0; i < n; i++) out.fields[i] = copy_of(F, &v->fields[i]);
    } else if (v->ndims > 0) {
        out      = value_array(F, (value_type)v->type, v->ndims, v->dims);
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
        value v               = eval(F, s, e);
        F->end_dim            = outer;
        double number;
        if (v.type != V_INTEGER || v.ndims > 0 || !gm_ex_is_const(F->ex, v.one, &number)) return false;
        if (!(number >= 1 && number <= in->dims[i])) return false;
        at = at * in->dims[i] + (uint32_t)number - 1;
    }
    *out = at;
    return true;
}

static bool store(gm_flatten *F, const scope *s, gm_ex live, value *to, const gm_ast_ref *ref, uint32_t k, value v, const gm_ast_expr *at);

// to[subscripts] := v, where the elements are numbers
static bool store_elements(gm_flatten *F, const scope *s, gm_ex live, value *to, const gm_ast_part *part, value v, const gm_ast_expr *at)
{
    uint32_t plain;
    if (!value_convert(F, &v, (value_type)to->type, to->cls)) {
        gm_str found = value_text(F, &v), wanted = value_text(F, to);
        flatten_error(F, at->at, at->length, GM_STR_FMT " can not be stored in an element of " GM_STR_FMT, GM_STR_ARG(found), GM_STR_ARG(wanted));
        return false;
    }
    if (v.ndims == 0 && plain_position(F, s, part, to, &plain)) {
        to->many[plain] = gm_ex_3(F->ex, GM_EX_SELECT, live, v.one, to->many[plain]);
        return true;
    }
    value all = value_array(F, V_INTEGER, to->ndims, to->dims);
    for (uint32_t i = 0; i < to->count; i++) all.many[i] = gm_ex_const(F->ex, i);
    value where = eval_subscripts(F, s, part, all);
    if (where.type == V_ERROR) return false;
    if (!value_same_shape(&where, &v)) {
        gm_str found = value_text(F, &v), wanted = value_text(F, &where);
        flatten_error(F, at->at, at->length, "the left side is " GM_STR_FMT ", the right side " GM_STR_FMT, GM_STR_ARG(wanted), GM_STR_ARG(found));
        return false;
    }
    for (uint32_t i = 0; i < where.count; i++) {
        gm_ex  position = value_at(&where, i);
        double number;
        if (gm_ex_is_const(F->ex, position, &number)) {
            gm_ex *slot_ = &to->many[(uint32_t)number];
            *slot_       = gm_ex_3(F->ex, GM_EX_SELECT, live, value_at(&v, i), *slot_);
            continue;
        }
        for (uint32_t j = 0; j < to->count; j++) {  // which element it is, is known only later
            gm_ex here  = gm_ex_compare(F->ex, GM_EX_EQ, position, gm_ex_const(F->ex, j), true);
            to->many[j] = gm_ex_3(F->ex, GM_EX_SELECT, both(F, live, here), value_at(&v, i), to->many[j]);
            flatten_step(F);
        }
    }
    return true;
}

static bool store_whole(gm_flatten *F, gm_ex live, value *to, value v, const gm_ast_expr *at)
{
    bool fits = value_convert(F, &v, (value_type)to->type, to->cls) && v.ndims == to->ndims;
    // A function's array takes the size of what is assigned when its own size was left open.
    bool open = fits && to->ndims > 0 && to->count == 0;
    if (fits && !open && to->ndims > 0) fits = value_same_shape(&v, to);
    if (!fits) {
        gm_str found = value_text(F, &v), wanted = value_text(F, to);
        flatten_error(F, at->at, at->length, "the left side is " GM_STR_FMT ", the right side " GM_STR_FMT, GM_STR_ARG(wanted), GM_STR_ARG(found));
        return false;
    }
    if (is_true(F, live) || open) {
        *to = copy_of(F, &v);
        return true;
    }
    value merged = value_select(F, live, v, *to, at);
    if (merged.type == V_ERROR) return false;
    *to = merged;
    return true;
}

static bool store(gm_flatten *F, const scope *s, gm_ex live, value *to, const gm_ast_ref *ref, uint32_t k, value v, const gm_ast_expr *at)
{
    const gm_ast_part *part = &ref->parts[k];
    bool               last = k + 1 == ref->count;
    if (to->type == V_ERROR || v.type == V_ERROR) return false;
    if (part->subscript_count > to->ndims) {
        flatten_error(F, part->at, part->length, "`" GM_STR_FMT "` has %u dimensions", GM_STR_ARG(name_of(F, part->name)), to->ndims);
        return false;
    }
    if (part->subscript_count > 0 && to->type == V_RECORD) {
        uint32_t at_element;
        if (!plain_position(F, s, part, to, &at_element)) {
            flatten_error(F, part->at, part->length, "the subscript of a record must be a constant within its bounds");
            return false;
        }
        to = &to->elements[at_element];
    } else if (part->subscript_count > 0) {
        if (last) return store_elements(F, s, live, to, part, v, at);
    }
    if (last) return store_whole(F, live, to, v, at);
    if (to->type != V_RECORD || to->ndims > 0) {
        flatten_error(F, ref->parts[k + 1].at, ref->parts[k + 1].length, "there is no `" GM_STR_FMT "` here",
                      GM_STR_ARG(name_of(F, ref->parts[k + 1].name)));
        return false;
    }
    layout  *lay   = layout_of(F, to->cls);
    uint32_t field = gm_map_find(&lay->names, ref->parts[k + 1].name);
    if (field == GM_MAP_NONE) {
        value_field(F, *to, ref->parts[k + 1].name, &ref->parts[k + 1]);  // says what is wrong
        return false;
    }
    return store(F, s, live, &to->fields[field], ref, k + 1, v, at);
}

static gm_ex before_algorithm(gm_flatten *F, uint32_t id);

// A variable of the model: what the algorithm has made of it so far is kept in the overlay.
static void store_component(gm_flatten *F, scope *s, flow *f, const gm_ast_expr *left, value v)
{
    scope plain = *s;
    plain.over  = NULL;
    value to    = eval(F, &plain, left);
    if (to.type == V_ERROR || v.type == V_ERROR) return;
    if (to.type == V_RECORD || !value_convert(F, &v, (value_type)to.type, to.cls) || !value_same_shape(&to, &v)) {
        gm_str found = value_text(F, &v), wanted = value_text(F, &to);
        flatten_error(F, left->at, left->length, "the left side is " GM_STR_FMT ", the right side " GM_STR_FMT, GM_STR_ARG(wanted), GM_STR_ARG(found));
        return;
    }
    for (uint32_t i = 0; i < to.count; i++) {
        gm_ex x = value_at(&to, i);
        if (gm_ex_op_of(F->ex, x) != GM_EX_VAR || F->flat->vars[gm_ex_at(F->ex, x)->id].variability >= GM_FLAT_PARAMETER) {
            flatten_error(F, left->at, left->length, "only variables can be assigned to");
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
        gm_map_put(&F->w, &s->over->values, id, gm_ex_3(F->ex, GM_EX_SELECT, f->live, value_at(&v, i), old));
    }
}

static void assign_to(gm_flatten *F, scope *s, flow *f, const gm_ast_expr *left, value v)
{
    if (left->kind != GM_AST_REF) {
        flatten_error(F, left->at, left->length, "a variable is expected at the left of `:=`");
        return;
    }
    for (local *l = s->locals; l != NULL; l = l->next) {
        if (l->name != left->ref->parts[0].name) continue;
        if (l->is_input) {
            flatten_error(F, left->at, left->length, "`" GM_STR_FMT "` can not be assigned to", GM_STR_ARG(name_of(F, l->name)));
            return;
        }
        store(F, s, f->live, &l->v, left->ref, 0, v, left);
        return;
    }
    if (s->over != NULL) {
        store_component(F, s, f, left, v);
        return;
    }
    flatten_error(F, left->at, left->length, "there is no `" GM_STR_FMT "` in this function", GM_STR_ARG(ref_text(F, left->ref)));
}

static void run_assignment(gm_flatten *F, scope *s, flow *f, const gm_ast_equation *q)
{
    if (q->left->kind != GM_AST_TUPLE) {
        assign_to(F, s, f, q->left, eval(F, s, q->right));
        return;
    }
    if (q->right->kind != GM_AST_CALL) {
        flatten_error(F, q->right->at, q->right->length, "a call of a function is expected");
        return;
    }
    uint32_t n    = q->left->count;
    value   *more = GM_WORK_NEW(&F->w, value, n);
    value    first = eval_call(F, s, q->right, more, n - 1);
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
    for (const local *l = s->locals; l != NULL; l = l->next, n++) shot.locals[n] = l->is_input ? l->v : copy_of(F, &l->v);
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
    if (a->type == V_RECORD || !value_same_shape(a, b)) return false;
    for (uint32_t i = 0; i < a->count; i++) {
        if (value_at(a, i) != value_at(b, i)) return false;
    }
    return true;
}

// Each variable becomes: if c, what it was in `yes`, else what it is now.
static void merge_into(gm_flatten *F, scope *s, flow *f, gm_ex c, const snapshot *yes, const gm_ids *yes_order, const gm_ast_expr *at)
{
    uint32_t n = 0;
    for (local *l = s->locals; l != NULL; l = l->next, n++) {
        if (l->is_input || same_value(&yes->locals[n], &l->v)) continue;
        l->v = value_select(F, c, yes->locals[n], l->v, at);
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
    gm_ex c = eval_scalar(F, s, b->condition, V_BOOLEAN, "a condition");
    if (c == GM_EX_NONE) return;
    if (fold_condition(F, c, false, &known)) {
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
    for (uint32_t i = 0; s->over != NULL && i < s->over->order.count; i++) gm_ids_add(&F->w, &yes_order, s->over->order.at[i]);
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
    if (!eval_range(F, s, &q->iterators[iterator], &range)) return;
    gm_ex live = f->live, outer = f->broken;
    f->broken = gm_ex_const(F->ex, 0);
    for (uint32_t i = 0; i < range.count; i++) {
        local here  = { .name = q->iterators[iterator].name, .v = value_element(F, &range, i), .is_input = true, .next = s->locals };
        scope inner = *s;
        inner.locals = &here;
        flatten_step(F);
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
        gm_ex c = eval_scalar(F, s, q->branches[0].condition, V_BOOLEAN, "the condition of a loop");
        bool  known;
        if (c == GM_EX_NONE || is_false(F, f->live)) break;
        if (!fold_condition(F, both(F, f->live, c), false, &known)) {
            flatten_error(F, q->branches[0].condition->at, q->branches[0].condition->length,
                          "how often this loop runs is not known before the simulation; use `for` with a fixed range and `if`");
            break;
        }
        if (!known) break;
        for (int i = 0; i < 10; i++) flatten_step(F);
        run(F, s, f, q->branches[0].items, q->branches[0].count);
    }
    f->broken = outer;
    after_branch(F, f, live);
}

// The edge of a condition, or of any of a list of them.
gm_ex fire_of(gm_flatten *F, const scope *s, const gm_ast_expr *condition)
{
    value v = eval(F, s, condition);
    if (v.type == V_ERROR) return GM_EX_NONE;
    if (v.type != V_BOOLEAN || v.ndims > 1) {
        gm_str found = value_text(F, &v);
        flatten_error(F, condition->at, condition->length, "the condition of `when` is a Boolean or a list of them, this is " GM_STR_FMT, GM_STR_ARG(found));
        return GM_EX_NONE;
    }
    gm_ex fire = gm_ex_const(F->ex, 0);
    for (uint32_t i = 0; i < v.count; i++) fire = either(F, fire, gm_ex_1(F->ex, GM_EX_EDGE, value_at(&v, i)));
    return fire;
}

static void run_when(gm_flatten *F, scope *s, flow *f, const gm_ast_equation *q)
{
    if (s->in_function || f->in_when) {
        flatten_error(F, q->at, 4, s->in_function ? "`when` has no place in a function" : "`when` can not stand inside `when`");
        return;
    }
    gm_ex live = f->live, earlier = gm_ex_const(F->ex, 0);
    f->in_when = true;
    for (uint32_t i = 0; i < q->branch_count; i++) {
        gm_ex fire = fire_of(F, s, q->branches[i].condition);
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
    special kind = special_call(F, s, q->left);
    if (kind == SPECIAL_NONE) {
        eval(F, s, q->left);
        return;
    }
    bool           good;
    gm_flat_action action = read_special(F, s, kind, q->left, &good);
    if (!good) return;
    if (kind == SPECIAL_REINIT && !f->in_when) {
        flatten_error(F, q->at, q->length, "`reinit` belongs into a `when`");
        return;
    }
    gm_ex reached = both(F, f->path, f->live);
    if (f->in_when || kind != SPECIAL_ASSERT) action.guard = reached;
    else action.value = either(F, no(F, reached), action.value);
    add_action(F, &action);
}

static void run(gm_flatten *F, scope *s, flow *f, const gm_ast_equation *items, uint32_t count)
{
    for (uint32_t i = 0; i < count && !is_false(F, f->live); i++) {
        const gm_ast_equation *q = &items[i];
        flatten_step(F);
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
    return (flow){ .live = gm_ex_const(F->ex, 1), .path = gm_ex_const(F->ex, 1), .returned = gm_ex_const(F->ex, 0), .broken = gm_ex_const(F->ex, 0) };
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

void run_algorithm(gm_flatten *F, scope *s, const gm_ast_section *section)
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
        add_equation(F, gm_ex_var(F->ex, var), final_, section->at, 9, s->in->owner);
    }
    for (uint32_t i = actions; i < F->flat->action_count; i++) {
        gm_flat_action *a = &F->flat->actions[i];
        if (a->guard != GM_EX_NONE) a->guard = gm_ex_substitute(F->ex, &F->w, a->guard, read_before, &r, &memo);
        if (a->value != GM_EX_NONE) a->value = gm_ex_substitute(F->ex, &F->w, a->value, read_before, &r, &memo);
    }
}

// ---------------------------------------------------------------------------------------------------- calls

static layout *slot_type(gm_flatten *F, slot *s)
{
    if (!s->type_known) {
        const gm_ast_class *cls = resolve_class(F, s->cls, s->decl->type, true);
        s->type                 = cls != NULL ? layout_of(F, cls) : NULL;
        s->type_known           = true;
    }
    return s->type;
}

static uint32_t declared_dims(const slot *s, const layout *type)
{
    uint32_t n = s->decl->dimension_count;
    for (const dim_list *d = type != NULL ? type->dims : NULL; d != NULL; d = d->next) n += d->count;
    return n;
}

// What a variable of a function is before anything is assigned to it, in its declared size.
static value empty_local(gm_flatten *F, const scope *s, const slot *decl, layout *type)
{
    uint32_t dims[GM_DIMS_MAX], n = 0;
    for (uint32_t i = 0; i < decl->decl->dimension_count && n < GM_DIMS_MAX; i++) {
        const gm_ast_expr *e    = decl->decl->dimensions[i];
        int64_t            size = 0;
        if (e->kind != GM_AST_COLON && !eval_integer(F, s, e, "an array's size", &size)) return (value){ 0 };
        if (size < 0 || size > GM_ARRAY_MAX) return fail_value(F, e->at, e->length, "an array's size is between 0 and %d", GM_ARRAY_MAX);
        dims[n++] = (uint32_t)size;
    }
    for (const dim_list *d = type->dims; d != NULL; d = d->next) {
        scope there = { .cls = d->cls };
        for (uint32_t i = 0; i < d->count && n < GM_DIMS_MAX; i++) {
            int64_t size = 0;
            if (!eval_integer(F, &there, d->items[i], "an array's size", &size) || size < 0) return (value){ 0 };
            dims[n++] = (uint32_t)size;
        }
    }
    if (n == 0) return default_value(F, type);
    value v = value_array(F, type->is_prim ? type->prim : V_RECORD, n, dims);
    v.cls   = type->is_prim ? type->enumeration : type->cls;
    value one = default_value(F, type);
    for (uint32_t i = 0; i < v.count; i++) {
        if (v.type == V_RECORD) v.elements[i] = copy_of(F, &one);
        else v.many[i] = one.one;
    }
    return v;
}

// Runs the function on its inputs, one value per input in order; V_ERROR of count 1 (`missing`) takes the default.
static void execute(gm_flatten *F, const gm_ast_class *cls, layout *lay, const value *inputs, const bool *given,
                    const gm_ast_expr *call, value *out, uint32_t want)
{
    local   *locals = NULL;
    local   *own    = GM_WORK_NEW(&F->w, local, lay->slot_count > 0 ? lay->slot_count : 1);
    value   *ready  = GM_WORK_NEW(&F->w, value, lay->slot_count > 0 ? lay->slot_count : 1);
    uint32_t input  = 0;
    for (uint32_t i = 0; i < lay->slot_count; i++) {
        slot   *sl   = &lay->slots[i];
        layout *type = slot_type(F, sl);
        bool    is_input = (sl->decl->flags & GM_AST_INPUT) != 0;
        scope   s    = { .cls = sl->cls, .locals = locals, .quiet = true, .in_function = true };
        value   v    = { 0 };
        if (type == NULL) return;
        if (is_input && given[input]) v = inputs[input];
        else if (sl->decl->mod.value != NULL) v = eval(F, &s, sl->decl->mod.value);
        else if (!is_input) v = empty_local(F, &s, sl, type);
        else fail_value(F, call->at, call->length, "`" GM_STR_FMT "` needs a value for `" GM_STR_FMT "`", GM_STR_ARG(class_path(F, cls)),
                        GM_STR_ARG(name_of(F, sl->decl->name)));
        if (v.type != V_ERROR && !value_convert(F, &v, type->is_prim ? type->prim : V_RECORD, type->enumeration)) {
            gm_str found = value_text(F, &v);
            v = fail_value(F, call->at, call->length, "`" GM_STR_FMT "` of `" GM_STR_FMT "` can not be " GM_STR_FMT,
                           GM_STR_ARG(name_of(F, sl->decl->name)), GM_STR_ARG(class_path(F, cls)), GM_STR_ARG(found));
        }
        if (v.type == V_ERROR) return;
        if (is_input) ready[input++] = v;
        own[i] = (local){ .name = sl->decl->name, .v = is_input ? v : copy_of(F, &v), .is_input = is_input, .next = locals };
        locals = &own[i];
    }
    if (cls->is_external || lay->section_count == 0) {
        out[0] = external_builtin(F, cls, ready, input, call);
        return;
    }
    flow f = fresh_flow(F);
    for (uint32_t i = 0; i < lay->section_count; i++) {
        const section_ref *section = &lay->sections[i];
        scope              s       = { .cls = section->cls, .locals = locals, .quiet = true, .in_function = true };
        if (!section->section->algorithm) {
            flatten_error(F, section->section->at, 8, "a function has algorithms, no equations");
            return;
        }
        run(F, &s, &f, section->section->items, section->section->count);
    }
    for (uint32_t i = 0, n = 0; i < lay->slot_count && n < want; i++) {
        if (lay->slots[i].decl->flags & GM_AST_OUTPUT) out[n++] = own[i].v;
    }
}

// The inputs of a call by position and name. False after an error.
static bool collect_inputs(gm_flatten *F, const scope *s, const gm_ast_class *cls, const layout *lay, const gm_ast_expr *call,
                           bool all_are_inputs, value *inputs, bool *given)
{
    for (uint32_t a = 0; a < call->count; a++) {
        uint32_t input = 0, found = GM_MAP_NONE;
        bool     named = call->names != NULL && call->names[a] != GM_SYM_NONE;
        for (uint32_t i = 0; i < lay->slot_count && found == GM_MAP_NONE; i++) {
            if (!all_are_inputs && !(lay->slots[i].decl->flags & GM_AST_INPUT)) continue;
            if (named ? lay->slots[i].decl->name == call->names[a] : input == a) found = input;
            input++;
        }
        const gm_ast_expr *arg = call->items[a];
        if (found == GM_MAP_NONE) {
            if (named) flatten_error(F, arg->at, arg->length, "`" GM_STR_FMT "` has no argument `" GM_STR_FMT "`", GM_STR_ARG(class_path(F, cls)),
                                     GM_STR_ARG(name_of(F, call->names[a])));
            else flatten_error(F, arg->at, arg->length, "`" GM_STR_FMT "` takes %u arguments, here are %u", GM_STR_ARG(class_path(F, cls)), input, call->count);
            return false;
        }
        if (given[found]) {
            flatten_error(F, arg->at, arg->length, "this argument is given twice");
            return false;
        }
        inputs[found] = eval(F, s, arg);
        given[found]  = true;
        if (inputs[found].type == V_ERROR) return false;
    }
    return true;
}

// f(vector), where f is about one number: the function of each element (Modelica 3.6, 12.4.6).
static void call_each(gm_flatten *F, const gm_ast_class *cls, layout *lay, value *inputs, const bool *given, const bool *spread,
                      const value *shape, uint32_t ndims, uint32_t input_count, const gm_ast_expr *call, value *out)
{
    uint32_t dims[GM_DIMS_MAX], count = 1;
    memcpy(dims, shape->dims, ndims * sizeof *dims);
    for (uint32_t d = 0; d < ndims; d++) count *= dims[d];
    value *results = GM_WORK_NEW(&F->w, value, count > 0 ? count : 1);
    value *one     = GM_WORK_NEW(&F->w, value, input_count);
    for (uint32_t e = 0; e < count; e++) {
        for (uint32_t i = 0; i < input_count; i++) {
            one[i] = inputs[i];
            if (!spread[i]) continue;
            uint32_t rest = e, stride = count;
            for (uint32_t d = 0; d < ndims; d++) {
                stride /= dims[d];
                one[i] = value_element(F, &one[i], rest / stride);
                rest %= stride;
            }
        }
        execute(F, cls, lay, one, given, call, &results[e], 1);
        if (results[e].type == V_ERROR) return;
    }
    value flat = value_stack(F, results, count, call);
    if (flat.type == V_ERROR) return;
    uint32_t n = ndims;
    for (uint32_t d = 1; d < flat.ndims && n < GM_DIMS_MAX; d++) dims[n++] = flat.dims[d];
    *out      = value_array(F, (value_type)flat.type, n, dims);
    out->cls  = flat.cls;
    out->many = flat.many;
}

void call_function(gm_flatten *F, const scope *s, const gm_ast_class *cls, const gm_ast_expr *call, value *out, uint32_t want)
{
    layout *lay    = layout_of(F, cls);
    value  *inputs = GM_WORK_NEW(&F->w, value, lay->slot_count > 0 ? lay->slot_count : 1);
    bool   *given  = GM_WORK_NEW(&F->w, bool, lay->slot_count > 0 ? lay->slot_count : 1);
    bool   *spread = GM_WORK_NEW(&F->w, bool, lay->slot_count > 0 ? lay->slot_count : 1);
    if (++F->call_depth > F->limits.depth_max / 2) {
        gm_work_stop(&F->w, GM_LIMIT, "physics.modelica", "`" GM_STR_FMT "`: functions call one another more than %u levels deep",
                     GM_STR_ARG(class_path(F, cls)), F->limits.depth_max / 2);
    }
    for (uint32_t i = 0; i < want; i++) out[i] = (value){ 0 };
    if (cls->is_partial) {
        flatten_error(F, call->ref->at, call->ref->length, "`" GM_STR_FMT "` is partial, it can not be called", GM_STR_ARG(class_path(F, cls)));
    } else if (collect_inputs(F, s, cls, lay, call, false, inputs, given)) {
        // Are all given values of the declared rank? Those with more dimensions must agree in the ones they have more.
        const value *shape = NULL;
        uint32_t     extra = 0, input = 0;
        bool         fits  = true;
        for (uint32_t i = 0; i < lay->slot_count; i++) {
            if (!(lay->slots[i].decl->flags & GM_AST_INPUT)) continue;
            uint32_t rank = declared_dims(&lay->slots[i], slot_type(F, &lay->slots[i]));
            if (given[input] && inputs[input].ndims > rank) {
                uint32_t more = inputs[input].ndims - rank;
                if (shape == NULL) {
                    shape = &inputs[input];
                    extra = more;
                }
                fits &= more == extra && memcmp(shape->dims, inputs[input].dims, extra * sizeof *shape->dims) == 0;
                spread[input] = true;
            } else if (given[input] && inputs[input].ndims < rank) {
                fits = false;
            }
            if (!fits) {
                gm_str found = value_text(F, &inputs[input]);
                flatten_error(F, call->at, call->length, "`" GM_STR_FMT "` of `" GM_STR_FMT "` can not be " GM_STR_FMT,
                              GM_STR_ARG(name_of(F, lay->slots[i].decl->name)), GM_STR_ARG(class_path(F, cls)), GM_STR_ARG(found));
                break;
            }
            input++;
        }
        if (fits && shape == NULL) execute(F, cls, lay, inputs, given, call, out, want);
        else if (fits) call_each(F, cls, lay, inputs, given, spread, shape, extra, input, call, out);
    }
    F->call_depth--;
}

value record_of(gm_flatten *F, const scope *s, const gm_ast_class *cls, const gm_ast_expr *call)
{
    layout *lay    = layout_of(F, cls);
    value  *inputs = GM_WORK_NEW(&F->w, value, lay->slot_count > 0 ? lay->slot_count : 1);
    bool   *given  = GM_WORK_NEW(&F->w, bool, lay->slot_count > 0 ? lay->slot_count : 1);
    local  *own    = GM_WORK_NEW(&F->w, local, lay->slot_count > 0 ? lay->slot_count : 1);
    local  *locals = NULL;
    value   record = { .type = V_RECORD, .count = 1, .cls = lay->cls, .fields = inputs };
    if (!collect_inputs(F, s, cls, lay, call, true, inputs, given)) return (value){ 0 };
    for (uint32_t i = 0; i < lay->slot_count; i++) {
        slot   *sl   = &lay->slots[i];
        layout *type = slot_type(F, sl);
        if (type == NULL) return (value){ 0 };
        if (!given[i]) {
            scope inner = { .cls = sl->cls, .locals = locals };
            const gm_ast_mod *last = sl->mods != NULL && sl->mods->mod->value != NULL ? sl->mods->mod : &sl->decl->mod;
            if (last->value == NULL) {
                return fail_value(F, call->at, call->length, "`" GM_STR_FMT "` needs a value for `" GM_STR_FMT "`", GM_STR_ARG(class_path(F, cls)),
                                  GM_STR_ARG(name_of(F, sl->decl->name)));
            }
            inputs[i] = eval(F, &inner, last->value);
        }
        if (inputs[i].type == V_ERROR) return (value){ 0 };
        if (!value_convert(F, &inputs[i], type->is_prim ? type->prim : V_RECORD, type->enumeration)) {
            gm_str found = value_text(F, &inputs[i]);
            return fail_value(F, call->at, call->length, "`" GM_STR_FMT "` of `" GM_STR_FMT "` can not be " GM_STR_FMT,
                              GM_STR_ARG(name_of(F, sl->decl->name)), GM_STR_ARG(class_path(F, cls)), GM_STR_ARG(found));
        }
        own[i] = (local){ .name = sl->decl->name, .v = inputs[i], .next = locals };
        locals = &own[i];
    }
    return record;
}

const gm_ast_class *called_class(gm_flatten *F, const scope *s, const gm_ast_ref *ref)
{
    return resolve_class(F, s->cls, ref, false);
}
