// Equation sections: arrays and records element by element, loops unrolled, if-equations made into if-expressions,
// when-equations into discrete equations and actions.
#include "physics/modelica/flatten.h"

static void read_items(gm_flatten *F, const scope *s, const gm_ast_equation *items, uint32_t count);

void gm_add_equation(gm_flatten *F, gm_ex left, gm_ex right, gm_place at, uint32_t length, uint32_t owner)
{
    gm_flat          *flat = F->flat;
    gm_flat_equation  q    = { left, right, at, length, owner };
    if (F->sink != NULL) {  // inside an if-equation: kept until both sides are known
        GM_WORK_RESERVE(&F->w, F->sink->items, F->sink->capacity, F->sink->count + 1);
        F->sink->items[F->sink->count++] = q;
        return;
    }
    if (F->initial) {
        GM_WORK_RESERVE(&F->rw, flat->initials, flat->initial_capacity, flat->initial_count + 1);
        flat->initials[flat->initial_count++] = q;
    } else {
        GM_WORK_RESERVE(&F->rw, flat->equations, flat->equation_capacity, flat->equation_count + 1);
        flat->equations[flat->equation_count++] = q;
    }
}

void gm_add_to_model(gm_flatten *F, gm_ex left, gm_ex right, gm_place at, uint32_t length, uint32_t owner)
{
    sink *outer   = F->sink;
    bool  initial = F->initial;
    F->sink       = NULL;
    F->initial    = false;
    gm_add_equation(F, left, right, at, length, owner);
    F->sink    = outer;
    F->initial = initial;
}

void gm_add_action(gm_flatten *F, const gm_flat_action *action)
{
    gm_flat       *flat = F->flat;
    gm_flat_action a    = *action;
    if (F->guard != GM_EX_NONE) {
        // An assertion must hold only where its branch does; the others happen only there.
        if (a.kind == GM_FLAT_ASSERT || a.kind == GM_FLAT_WARN)
            a.value = gm_ex_2(F->ex, GM_EX_OR, gm_ex_1(F->ex, GM_EX_NOT, F->guard), a.value);
        else a.guard = a.guard == GM_EX_NONE ? F->guard : gm_ex_2(F->ex, GM_EX_AND, F->guard, a.guard);
    }
    if (a.guard != GM_EX_NONE && gm_ex_is(F->ex, a.guard, 1)) a.guard = GM_EX_NONE;
    if (a.guard != GM_EX_NONE && gm_ex_is(F->ex, a.guard, 0)) return;
    if ((a.kind == GM_FLAT_ASSERT || a.kind == GM_FLAT_WARN) && gm_ex_is(F->ex, a.value, 1)) return;
    for (uint32_t i = flat->action_count; i-- > 0 && i + 20 > flat->action_count;) {  // the same function called again
        const gm_flat_action *b = &flat->actions[i];
        if (b->kind == a.kind && b->guard == a.guard && b->var == a.var && b->value == a.value && b->at == a.at) return;
    }
    GM_WORK_RESERVE(&F->rw, flat->actions, flat->action_capacity, flat->action_count + 1);
    flat->actions[flat->action_count++] = a;
}

// ---------------------------------------------------------------------------------------------------- equality

void gm_equate(gm_flatten *F, value *a, value *b, const gm_ast_equation *at, uint32_t owner)
{
    if (a->type == V_ERROR || b->type == V_ERROR) return;
    if (a->type == V_INTEGER && b->type == V_REAL) gm_value_convert(F, a, V_REAL, NULL);
    if (b->type == V_INTEGER && a->type == V_REAL) gm_value_convert(F, b, V_REAL, NULL);
    bool same = a->type == b->type && gm_value_same_shape(a, b) && (a->type != V_ENUM || a->cls == b->cls);
    if (same && a->type == V_RECORD) {
        const layout *x = gm_class_layout(F, a->cls), *y = gm_class_layout(F, b->cls);
        same            = x->slot_count == y->slot_count;
    }
    if (!same || a->type == V_STRING) {
        gm_str left = gm_value_text(F, a), right = gm_value_text(F, b);
        gm_flatten_error(F, at->at, at->length, "the left side is " GM_STR_FMT ", the right side " GM_STR_FMT,
                      GM_STR_ARG(left), GM_STR_ARG(right));
        return;
    }
    if (a->type == V_RECORD) {
        uint32_t n = a->ndims > 0 ? a->count : gm_class_layout(F, a->cls)->slot_count;
        for (uint32_t i = 0; i < n; i++) gm_equate(F, &a->fields[i], &b->fields[i], at, owner);
        return;
    }
    for (uint32_t i = 0; i < a->count; i++) gm_add_equation(F, gm_value_at(a, i), gm_value_at(b, i), at->at, at->length, owner);
}

static void read_equal(gm_flatten *F, const scope *s, const gm_ast_equation *q)
{
    uint32_t owner = s->in->owner;
    if (q->left->kind == GM_AST_TUPLE && q->right->kind == GM_AST_CALL) {
        uint32_t n    = q->left->count;
        value   *more = GM_WORK_NEW(&F->w, value, n), first = gm_eval_call(F, s, q->right, more, n - 1);
        for (uint32_t i = 0; i < n; i++) {
            if (q->left->items[i] == NULL) continue;
            value left = gm_eval(F, s, q->left->items[i]);
            gm_equate(F, &left, i == 0 ? &first : &more[i - 1], q, owner);
        }
        return;
    }
    value left = gm_eval(F, s, q->left), right = gm_eval(F, s, q->right);
    gm_equate(F, &left, &right, q, owner);
}

// ---------------------------------------------------------------------------------------------------- loops

static void read_for(gm_flatten *F, const scope *s, const gm_ast_equation *q, uint32_t iterator)
{
    if (iterator == q->iterator_count) {
        read_items(F, s, q->branches[0].items, q->branches[0].count);
        return;
    }
    value range;
    if (!gm_eval_range(F, s, &q->iterators[iterator], &range)) return;
    for (uint32_t i = 0; i < range.count; i++) {
        local here = {
            .name = q->iterators[iterator].name, .v = gm_value_element(F, &range, i), .is_input = true, .next = s->locals
        };
        scope inner = *s;
        inner.locals = &here;
        gm_flatten_step(F);
        read_for(F, &inner, q, iterator + 1);
    }
}

// ---------------------------------------------------------------------------------------------------- if

// Does the choice of a branch change more than values? Connections can not be made later.
static bool has_connect(const gm_ast_equation *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].kind == GM_AST_CONNECT) return true;
        for (uint32_t b = 0; b < items[i].branch_count; b++) {
            if (has_connect(items[i].branches[b].items, items[i].branches[b].count)) return true;
        }
    }
    return false;
}

static gm_ex residual(gm_flatten *F, const gm_flat_equation *q)
{
    return gm_ex_2(F->ex, GM_EX_SUB, q->left, q->right);
}

// The equation of `other` that has the same left side, a variable or derivative; NULL: none.
static gm_flat_equation *partner(gm_flatten *F, sink *other, gm_ex left)
{
    gm_ex_op op = gm_ex_op_of(F->ex, left);
    if (op != GM_EX_VAR && op != GM_EX_DER) return NULL;
    for (uint32_t i = 0; i < other->count; i++) {
        if (other->items[i].left == left) return &other->items[i];
    }
    return NULL;
}

// Do both branches say what the same variables are?
static bool are_paired(gm_flatten *F, sink *yes, sink *no)
{
    bool paired = yes->count == no->count;
    for (uint32_t i = 0; i < yes->count && paired; i++) paired = partner(F, no, yes->items[i].left) != NULL;
    for (uint32_t i = 0; i < no->count && paired; i++) paired = partner(F, yes, no->items[i].left) != NULL;
    return paired;
}

// if c then (yes) else (no): one equation for each pair.
static void merge(gm_flatten *F, gm_ex c, sink *yes, sink *no, bool paired, uint32_t owner)
{
    for (uint32_t i = 0; i < yes->count; i++) {
        const gm_flat_equation *a = &yes->items[i], *b = paired ? partner(F, no, a->left) : &no->items[i];
        if (paired) {
            gm_add_equation(F, a->left, gm_ex_3(F->ex, GM_EX_SELECT, c, a->right, b->right), a->at, a->length, owner);
        } else {
            gm_ex sum = gm_ex_3(F->ex, GM_EX_SELECT, c, residual(F, a), residual(F, b));
            gm_add_equation(F, gm_ex_const(F->ex, 0), sum, a->at, a->length, owner);
        }
    }
}

static void read_branch(gm_flatten *F, const scope *s, const gm_ast_branch *b, gm_ex condition, sink *into)
{
    sink *outer = F->sink;
    gm_ex guard = F->guard;
    F->sink     = into;
    F->guard    = guard == GM_EX_NONE ? condition : gm_ex_2(F->ex, GM_EX_AND, guard, condition);
    read_items(F, s, b->items, b->count);
    F->sink  = outer;
    F->guard = guard;
}

static void read_if_from(gm_flatten *F, const scope *s, const gm_ast_equation *q, uint32_t from);

static void read_rest(gm_flatten *F, const scope *s, const gm_ast_equation *q, uint32_t from, gm_ex condition,
                      sink *into)
{
    sink *outer = F->sink;
    gm_ex guard = F->guard;
    F->sink     = into;
    F->guard    = guard == GM_EX_NONE ? condition : gm_ex_2(F->ex, GM_EX_AND, guard, condition);
    read_if_from(F, s, q, from);
    F->sink  = outer;
    F->guard = guard;
}

static void read_if_from(gm_flatten *F, const scope *s, const gm_ast_equation *q, uint32_t from)
{
    if (from == q->branch_count) return;
    const gm_ast_branch *b = &q->branches[from];
    if (b->condition == NULL) {
        read_items(F, s, b->items, b->count);
        return;
    }
    gm_ex c = gm_eval_scalar(F, s, b->condition, V_BOOLEAN, "a condition");
    bool  known, structural = has_connect(b->items, b->count);
    if (c == GM_EX_NONE) return;
    for (uint32_t i = from + 1; i < q->branch_count; i++)
        structural |= has_connect(q->branches[i].items, q->branches[i].count);
    if (gm_fold_condition(F, c, structural, &known)) {
        if (known) read_items(F, s, b->items, b->count);
        else read_if_from(F, s, q, from + 1);
        return;
    }
    if (structural) {
        gm_flatten_error(F, b->condition->at, b->condition->length,
                      "a connection can not depend on a condition that varies");
        return;
    }
    // A parameter decides which equations there are when the branches do not fit together.
    sink     yes = { 0 }, no = { 0 };
    uint32_t actions = F->flat->action_count;
    read_branch(F, s, b, c, &yes);
    read_rest(F, s, q, from + 1, gm_ex_1(F->ex, GM_EX_NOT, c), &no);
    bool paired = are_paired(F, &yes, &no);
    if (paired || (yes.count == no.count && !gm_is_parametric(F, c))) {
        merge(F, c, &yes, &no, paired, s->in->owner);
        return;
    }
    F->flat->action_count = actions;
    if (gm_is_parametric(F, c) && gm_fold_condition(F, c, true, &known)) {
        if (known) read_items(F, s, b->items, b->count);
        else read_if_from(F, s, q, from + 1);
        return;
    }
    gm_flatten_error(
        F, q->at, 2,
        "the cases of this `if` have %u and %u equations; with a condition that varies they must have as many",
        yes.count, no.count);
}

// ---------------------------------------------------------------------------------------------------- when

// Modelica.Utilities.Streams.print and its like: there is nobody to read it.
static bool is_print(const gm_flatten *F, const gm_ast_expr *call)
{
    return gm_str_is(gm_name_of(F, call->ref->parts[call->ref->count - 1].name), "print");
}

// What the branches of one when-equation assign: variable -> value so far.
typedef struct assignments { gm_map values; gm_ids order; } assignments;

static void read_when_items(gm_flatten *F, const scope *s, const gm_ast_equation *items, uint32_t count, gm_ex fire,
                            assignments *to);

static void assign(gm_flatten *F, const gm_ast_equation *q, gm_ex left, gm_ex right, gm_ex fire, assignments *to)
{
    if (gm_ex_op_of(F->ex, left) != GM_EX_VAR ||
        F->flat->vars[gm_ex_at(F->ex, left)->id].variability >= GM_FLAT_PARAMETER) {
        gm_flatten_error(F, q->left->at, q->left->length, "the left side of an equation in `when` is a variable");
        return;
    }
    uint32_t     id  = gm_ex_at(F->ex, left)->id;
    gm_flat_var *var = &F->flat->vars[id];
    if (var->variability == GM_FLAT_CONTINUOUS) var->variability = GM_FLAT_DISCRETE;
    gm_ex old = gm_map_find(&to->values, id);
    if (old == GM_MAP_NONE) {
        gm_ids_add(&F->w, &to->order, id);
        old = gm_ex_id(F->ex, GM_EX_PRE, id);
    }
    gm_map_put(&F->w, &to->values, id, gm_ex_3(F->ex, GM_EX_SELECT, fire, right, old));
}

static void assign_value(gm_flatten *F, const gm_ast_equation *q, value *a, value *b, gm_ex fire, assignments *to)
{
    if (a->type == V_ERROR || b->type == V_ERROR) return;
    bool same = gm_value_convert(F, b, (value_type)a->type, a->cls) && gm_value_same_shape(a, b);
    if (!same) {
        gm_str left = gm_value_text(F, a), right = gm_value_text(F, b);
        gm_flatten_error(F, q->at, q->length, "the left side is " GM_STR_FMT ", the right side " GM_STR_FMT,
                      GM_STR_ARG(left), GM_STR_ARG(right));
        return;
    }
    if (a->type == V_RECORD) {
        uint32_t n = a->ndims > 0 ? a->count : gm_class_layout(F, a->cls)->slot_count;
        for (uint32_t i = 0; i < n; i++) assign_value(F, q, &a->fields[i], &b->fields[i], fire, to);
        return;
    }
    for (uint32_t i = 0; i < a->count; i++) assign(F, q, gm_value_at(a, i), gm_value_at(b, i), fire, to);
}

static void read_when_equal(gm_flatten *F, const scope *s, const gm_ast_equation *q, gm_ex fire, assignments *to)
{
    if (q->left->kind == GM_AST_TUPLE && q->right->kind == GM_AST_CALL) {
        uint32_t n    = q->left->count;
        value   *more = GM_WORK_NEW(&F->w, value, n), first = gm_eval_call(F, s, q->right, more, n - 1);
        for (uint32_t i = 0; i < n; i++) {
            if (q->left->items[i] == NULL) continue;
            value left = gm_eval(F, s, q->left->items[i]);
            assign_value(F, q, &left, i == 0 ? &first : &more[i - 1], fire, to);
        }
        return;
    }
    value left = gm_eval(F, s, q->left), right = gm_eval(F, s, q->right);
    assign_value(F, q, &left, &right, fire, to);
}

static void read_when_for(gm_flatten *F, const scope *s, const gm_ast_equation *q, uint32_t iterator, gm_ex fire,
                          assignments *to)
{
    if (iterator == q->iterator_count) {
        read_when_items(F, s, q->branches[0].items, q->branches[0].count, fire, to);
        return;
    }
    value range;
    if (!gm_eval_range(F, s, &q->iterators[iterator], &range)) return;
    for (uint32_t i = 0; i < range.count; i++) {
        local here = {
            .name = q->iterators[iterator].name, .v = gm_value_element(F, &range, i), .is_input = true, .next = s->locals
        };
        scope inner = *s;
        inner.locals = &here;
        gm_flatten_step(F);
        read_when_for(F, &inner, q, iterator + 1, fire, to);
    }
}

static void read_when_if(gm_flatten *F, const scope *s, const gm_ast_equation *q, gm_ex fire, assignments *to)
{
    gm_ex none = gm_ex_const(F->ex, 1);
    for (uint32_t i = 0; i < q->branch_count; i++) {
        gm_ex c = gm_ex_const(F->ex, 1);
        if (q->branches[i].condition != NULL) c = gm_eval_scalar(F, s, q->branches[i].condition, V_BOOLEAN, "a condition");
        if (c == GM_EX_NONE) return;
        gm_ex here = gm_ex_2(F->ex, GM_EX_AND, fire, gm_ex_2(F->ex, GM_EX_AND, none, c));
        if (!gm_ex_is(F->ex, here, 0)) read_when_items(F, s, q->branches[i].items, q->branches[i].count, here, to);
        none = gm_ex_2(F->ex, GM_EX_AND, none, gm_ex_1(F->ex, GM_EX_NOT, c));
    }
}

static void read_when_items(gm_flatten *F, const scope *s, const gm_ast_equation *items, uint32_t count, gm_ex fire,
                            assignments *to)
{
    // Inside a when nothing crosses: its expressions are looked at in events only.
    scope inner = *s;
    inner.quiet = true;
    for (uint32_t i = 0; i < count; i++) {
        const gm_ast_equation *q = &items[i];
        gm_flatten_step(F);
        switch ((gm_ast_equation_kind)q->kind) {
        case GM_AST_EQUAL: read_when_equal(F, &inner, q, fire, to); break;
        case GM_AST_IF_BLOCK: read_when_if(F, &inner, q, fire, to); break;
        case GM_AST_FOR_BLOCK: read_when_for(F, &inner, q, 0, fire, to); break;
        case GM_AST_WHEN_BLOCK: gm_flatten_error(F, q->at, 4, "`when` can not stand inside `when`"); break;
        case GM_AST_CONNECT: gm_flatten_error(F, q->at, 7, "`connect` can not stand inside `when`"); break;
        case GM_AST_DO: {
            special kind = gm_special_call(F, s, q->left);
            if (kind == SPECIAL_NONE) {
                if (is_print(F, q->left)) break;
                gm_flatten_error(F, q->at, q->length, "an equation, or `reinit`, `assert` or `terminate` is expected");
                break;
            }
            bool           good;
            gm_flat_action action = gm_read_special(F, &inner, kind, q->left, &good);
            action.guard          = fire;
            if (good) gm_add_action(F, &action);
            break;
        }
        default: break;
        }
    }
}

static void read_when(gm_flatten *F, const scope *s, const gm_ast_equation *q)
{
    assignments to      = { 0 };
    gm_ex       earlier = gm_ex_const(F->ex, 0);
    if (F->initial) {
        gm_flatten_error(F, q->at, 4, "`when` has no place among the initial equations");
        return;
    }
    for (uint32_t i = 0; i < q->branch_count; i++) {
        gm_ex fire = gm_fire_of(F, s, q->branches[i].condition);
        if (fire == GM_EX_NONE) continue;
        gm_ex first = gm_ex_2(F->ex, GM_EX_AND, fire, gm_ex_1(F->ex, GM_EX_NOT, earlier));
        read_when_items(F, s, q->branches[i].items, q->branches[i].count, first, &to);
        earlier = gm_ex_2(F->ex, GM_EX_OR, earlier, fire);
    }
    for (uint32_t i = 0; i < to.order.count; i++) {
        uint32_t id = to.order.at[i];
        gm_add_equation(F, gm_ex_var(F->ex, id), gm_map_find(&to.values, id), q->at, 4, s->in->owner);
    }
}

// ---------------------------------------------------------------------------------------------------- sections

static void read_do(gm_flatten *F, const scope *s, const gm_ast_equation *q)
{
    special kind = gm_special_call(F, s, q->left);
    bool    good = false;
    if (kind == SPECIAL_REINIT) {
        gm_flatten_error(F, q->at, q->length, "`reinit` belongs into a `when`");
        return;
    }
    if (kind == SPECIAL_NONE) {
        if (!is_print(F, q->left)) {
            gm_flatten_error(F, q->at, q->length, "an equation is expected; the result of this call is not used");
        }
        return;
    }
    gm_flat_action action = gm_read_special(F, s, kind, q->left, &good);
    if (good && !F->initial) gm_add_action(F, &action);
}

static void read_items(gm_flatten *F, const scope *s, const gm_ast_equation *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const gm_ast_equation *q = &items[i];
        gm_flatten_step(F);
        switch ((gm_ast_equation_kind)q->kind) {
        case GM_AST_EQUAL: read_equal(F, s, q); break;
        case GM_AST_IF_BLOCK: read_if_from(F, s, q, 0); break;
        case GM_AST_FOR_BLOCK: read_for(F, s, q, 0); break;
        case GM_AST_WHEN_BLOCK: read_when(F, s, q); break;
        case GM_AST_CONNECT: gm_connect_equation(F, s, q); break;
        case GM_AST_DO: read_do(F, s, q); break;
        default: break;
        }
    }
}

void gm_equations_of(gm_flatten *F, inst *in)
{
    if (in->disabled || in->lay == NULL) return;
    for (uint32_t i = 0; in->elements != NULL && i < in->count; i++) gm_equations_of(F, &in->elements[i]);
    gm_inst_bind(F, in);
    if (in->kids == NULL) return;
    for (uint32_t i = 0; i < in->lay->slot_count; i++) gm_equations_of(F, &in->kids[i]);
    for (uint32_t i = 0; i < in->lay->section_count; i++) {
        const section_ref *section = &in->lay->sections[i];
        scope              s       = { .in = in, .cls = section->cls };
        F->initial                 = section->section->initial;
        if (section->section->algorithm) gm_run_algorithm(F, &s, section->section);
        else read_items(F, &s, section->section->items, section->section->count);
        F->initial = false;
    }
}
