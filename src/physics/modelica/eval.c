// Expressions become values. Nothing is computed but what is constant: a value holds expressions of variables.
#include "physics/modelica/flatten.h"



#include <math.h>

// ---------------------------------------------------------------------------------------------------- constants

static bool fold_variable(gm_flatten *F, uint32_t var, bool any_parameter, double *out)
{
    const gm_flat_var *v = &F->flat->vars[var];
    if (v->variability < GM_FLAT_PARAMETER) return false;
    if (v->variability == GM_FLAT_PARAMETER && !any_parameter && !(v->flags & GM_FLAT_STRUCTURAL)) return false;
    if (++F->fold_depth > F->limits.depth_max) {
        F->fold_depth--;
        return false;
    }
    inst_bind(F, F->var_inst[var]);
    v         = &F->flat->vars[var];
    bool good = v->binding != GM_EX_NONE && fold(F, v->binding, any_parameter, out);
    F->fold_depth--;
    if (good && v->variability == GM_FLAT_PARAMETER) F->flat->vars[var].flags |= GM_FLAT_STRUCTURAL;
    return good;
}

bool fold(gm_flatten *F, gm_ex e, bool any_parameter, double *out)
{
    if (gm_ex_is_const(F->ex, e, out)) return true;
    gm_mark  mark  = gm_arena_mark(F->w.arena);
    gm_ids   order = { 0 };
    gm_ex_order_begin(F->ex);
    gm_ex_order(F->ex, &F->w, e, &order);
    gm_map  memo   = { 0 };
    double *values = GM_WORK_NEW(&F->w, double, order.count);
    bool    good   = true;
    (void)mark;  // not rewound: binding variables on the way may have kept memory
    for (uint32_t i = 0; good && i < order.count; i++) {
        const gm_ex_node *n = gm_ex_at(F->ex, order.at[i]);
        if (n->op == GM_EX_CONST) {
            values[i] = n->value;
        } else if (n->op == GM_EX_VAR) {
            good = fold_variable(F, n->id, any_parameter, &values[i]);
        } else if (n->op >= GM_EX_NEG && n->op <= GM_EX_SELECT) {
            double a[3] = { 0 };
            for (int k = 0; k < gm_ex_operands((gm_ex_op)n->op); k++) a[k] = values[gm_map_find(&memo, n->a[k])];
            values[i] = gm_ex_apply((gm_ex_op)n->op, a[0], a[1], a[2]);
        } else {
            good = false;
        }
        gm_map_put(&F->w, &memo, order.at[i], i);
    }
    if (good) *out = values[order.count - 1];
    return good;
}

bool fold_condition(gm_flatten *F, gm_ex e, bool any_parameter, bool *out)
{
    double number;
    if (!fold(F, e, any_parameter, &number)) return false;
    *out = number != 0;
    return true;
}

bool is_parametric(gm_flatten *F, gm_ex e)
{
    gm_ids order = { 0 };
    gm_ex_order_begin(F->ex);
    gm_ex_order(F->ex, &F->w, e, &order);
    for (uint32_t i = 0; i < order.count; i++) {
        const gm_ex_node *n = gm_ex_at(F->ex, order.at[i]);
        switch (n->op) {
        case GM_EX_VAR:
            if (F->flat->vars[n->id].variability < GM_FLAT_PARAMETER) return false;
            break;
        case GM_EX_TIME: case GM_EX_DER: case GM_EX_PRE: case GM_EX_INITIAL: case GM_EX_TERMINAL: case GM_EX_SAMPLE:
        case GM_EX_DELAY: case GM_EX_EDGE: return false;
        default: break;
        }
    }
    return true;
}

// ---------------------------------------------------------------------------------------------------- subscripts

typedef struct subscript { bool all, dynamic; value v; } subscript;

// v indexed by subs[k...], the first dimension of v by subs[k].
static value index_by(gm_flatten *F, const value *v, const subscript *subs, uint32_t k, uint32_t count, const gm_ast_part *at)
{
    if (k == count || v->type == V_ERROR) return *v;
    const subscript *sub  = &subs[k];
    uint32_t         size = v->dims[0];
    if (sub->dynamic) {
        value result = { 0 };
        for (uint32_t i = size; i-- > 0;) {
            value element = value_element(F, v, i);
            value item    = index_by(F, &element, subs, k + 1, count, at);
            if (i == size - 1) { result = item; continue; }
            gm_ex here = gm_ex_compare(F->ex, GM_EX_EQ, sub->v.one, gm_ex_const(F->ex, i + 1.0), true);
            gm_ast_expr where = { .at = at->at, .length = at->length };
            result = value_select(F, here, item, result, &where);
        }
        return result;
    }
    uint32_t n     = sub->all ? size : sub->v.count;
    value   *items = GM_WORK_NEW(&F->w, value, n > 0 ? n : 1);
    for (uint32_t i = 0; i < n; i++) {
        double position = i + 1.0;
        if (!sub->all) gm_ex_is_const(F->ex, value_at(&sub->v, i), &position);
        if (!(position >= 1 && position <= size)) {
            return fail_value(F, at->at, at->length, "element %.17g of `" GM_STR_FMT "` is asked for, it has %u", position,
                              GM_STR_ARG(name_of(F, at->name)), size);
        }
        value element = value_element(F, v, (uint32_t)position - 1);
        items[i]      = index_by(F, &element, subs, k + 1, count, at);
        if (items[i].type == V_ERROR) return items[i];
    }
    if (!sub->all && sub->v.ndims == 0) return items[0];
    if (n == 0) {
        uint32_t dims[GM_DIMS_MAX] = { 0 };
        return value_array(F, (value_type)v->type, 1, dims);
    }
    gm_ast_expr where = { .at = at->at, .length = at->length };
    return value_stack(F, items, n, &where);
}

static bool read_subscript(gm_flatten *F, const scope *s, const gm_ast_expr *e, const uint32_t *size, subscript *out)
{
    *out = (subscript){ 0 };
    if (e->kind == GM_AST_COLON) {
        out->all = true;
        return true;
    }
    const uint32_t *outer = F->end_dim;
    F->end_dim            = size;
    value v               = eval(F, s, e);
    F->end_dim            = outer;
    if (v.type == V_ERROR) return false;
    if ((v.type != V_INTEGER && v.type != V_ENUM && v.type != V_BOOLEAN) || v.ndims > 1) {
        gm_str found = value_text(F, &v);
        flatten_error(F, e->at, e->length, "a subscript is an Integer, this is " GM_STR_FMT, GM_STR_ARG(found));
        return false;
    }
    out->v = v.ndims == 0 ? v : value_array(F, V_INTEGER, 1, v.dims);
    for (uint32_t i = 0; i < v.count; i++) {
        gm_ex  at = value_at(&v, i);
        double number;
        if (gm_ex_is_const(F->ex, at, &number) || (is_parametric(F, at) && fold(F, at, true, &number))) {
            at = gm_ex_const(F->ex, v.type == V_BOOLEAN ? number + 1 : number);
        } else if (v.ndims == 0) {
            out->dynamic = true;
        } else {
            flatten_error(F, e->at, e->length, "a list of subscripts must be constant");
            return false;
        }
        if (v.ndims == 0) out->v.one = at;
        else out->v.many[i] = at;
    }
    return true;
}

value eval_subscripts(gm_flatten *F, const scope *s, const gm_ast_part *part, value v)
{
    if (part->subscript_count == 0 || v.type == V_ERROR) return v;
    if (part->subscript_count > v.ndims) {
        return fail_value(F, part->at, part->length, "`" GM_STR_FMT "` has %u dimensions, but %u subscripts",
                          GM_STR_ARG(name_of(F, part->name)), v.ndims, part->subscript_count);
    }
    subscript subs[GM_DIMS_MAX];
    for (uint32_t i = 0; i < part->subscript_count; i++) {
        if (!read_subscript(F, s, part->subscripts[i], &v.dims[i], &subs[i])) return (value){ 0 };
    }
    return index_by(F, &v, subs, 0, part->subscript_count, part);
}

value positions_of(gm_flatten *F, const scope *s, const gm_ast_part *part, const inst *array)
{
    value all = value_array(F, V_INTEGER, array->ndims, array->dims);
    for (uint32_t i = 0; i < array->count; i++) all.many[i] = gm_ex_const(F->ex, i);
    value v = eval_subscripts(F, s, part, all);
    for (uint32_t i = 0; v.type != V_ERROR && i < v.count; i++) {
        if (!gm_ex_is_const(F->ex, value_at(&v, i), NULL)) {
            return fail_value(F, part->at, part->length, "the subscript of a component must be constant");
        }
    }
    return v;
}

// ---------------------------------------------------------------------------------------------------- references

static value of_variables(gm_flatten *F, const scope *s, const inst *in)
{
    value v = value_fill(F, in->lay->prim, in->ndims, in->dims, 0);
    v.cls   = in->lay->enumeration;
    for (uint32_t i = 0; i < in->count; i++) {
        uint32_t var   = in->var + i;
        uint32_t known = s->over != NULL ? gm_map_find(&s->over->values, var) : (uint32_t)GM_MAP_NONE;
        gm_ex    e     = known != GM_MAP_NONE ? known : gm_ex_var(F->ex, var);
        if (in->lay->prim == V_STRING) {  // texts are constants: their value is needed now
            inst_bind(F, F->var_inst[var]);
            if (F->flat->vars[var].binding != GM_EX_NONE) e = F->flat->vars[var].binding;
        }
        if (v.ndims == 0) v.one = e;
        else v.many[i] = e;
    }
    return v;
}

value inst_value(gm_flatten *F, const scope *s, inst *in)
{
    if (in->lay->is_prim) return of_variables(F, s, in);
    if (in->ndims > 0) {
        value v = value_array(F, V_RECORD, in->ndims, in->dims);
        v.cls   = in->lay->cls;
        for (uint32_t i = 0; i < in->count; i++) v.elements[i] = inst_value(F, s, &in->elements[i]);
        return v;
    }
    value v  = { .type = V_RECORD, .count = 1, .cls = in->lay->cls };
    v.fields = GM_WORK_NEW(&F->w, value, in->lay->slot_count > 0 ? in->lay->slot_count : 1);
    for (uint32_t i = 0; i < in->lay->slot_count; i++) {
        inst_ready(F, &in->kids[i]);
        if (!in->kids[i].disabled) v.fields[i] = inst_value(F, s, &in->kids[i]);
    }
    return v;
}

value value_field(gm_flatten *F, value v, gm_sym name, const gm_ast_part *at)
{
    if (v.type == V_ERROR) return v;
    if (v.type != V_RECORD) {
        gm_str found = value_text(F, &v);
        return fail_value(F, at->at, at->length, "there is no `" GM_STR_FMT "` in a " GM_STR_FMT, GM_STR_ARG(name_of(F, name)),
                          GM_STR_ARG(found));
    }
    if (v.ndims > 0) {
        value *items = GM_WORK_NEW(&F->w, value, v.count > 0 ? v.count : 1);
        for (uint32_t i = 0; i < v.dims[0]; i++) items[i] = value_field(F, value_element(F, &v, i), name, at);
        gm_ast_expr where = { .at = at->at, .length = at->length };
        return value_stack(F, items, v.dims[0], &where);
    }
    layout  *lay   = layout_of(F, v.cls);
    uint32_t index = gm_map_find(&lay->names, name);
    if (index == GM_MAP_NONE) {
        gm_str near = nearest_name(F, lay, name);
        return fail_value(F, at->at, at->length, "there is no `" GM_STR_FMT "` in `" GM_STR_FMT "`%s" GM_STR_FMT "%s",
                          GM_STR_ARG(name_of(F, name)), GM_STR_ARG(class_path(F, v.cls)), near.len > 0 ? "; is `" : "",
                          GM_STR_ARG(near), near.len > 0 ? "` meant?" : "");
    }
    return v.fields[index];
}

static value no_member(gm_flatten *F, const layout *lay, const gm_ast_part *part)
{
    gm_str near = nearest_name(F, lay, part->name);
    return fail_value(F, part->at, part->length, "there is no `" GM_STR_FMT "` in `" GM_STR_FMT "`%s" GM_STR_FMT "%s",
                      GM_STR_ARG(name_of(F, part->name)), GM_STR_ARG(class_path(F, lay->cls)), near.len > 0 ? "; is `" : "",
                      GM_STR_ARG(near), near.len > 0 ? "` meant?" : "");
}

static value class_value(gm_flatten *F, const scope *s, const gm_ast_class *cls, const gm_ast_ref *ref, uint32_t k);

// One element of an array of variables, by constant subscripts: without making the whole array. False: something else.
static bool one_variable(gm_flatten *F, const scope *s, const gm_ast_part *part, const inst *in, value *out)
{
    uint64_t position = 0;
    if (in->ndims == 0 || part->subscript_count != in->ndims || in->lay->prim == V_STRING) return false;
    for (uint32_t i = 0; i < in->ndims; i++) {
        const gm_ast_expr *e = part->subscripts[i];
        if (e->kind != GM_AST_BINARY && e->kind != GM_AST_INTEGER && e->kind != GM_AST_REF && e->kind != GM_AST_END) return false;
        const uint32_t *outer = F->end_dim;
        F->end_dim            = &in->dims[i];
        value v               = eval(F, s, e);
        F->end_dim            = outer;
        double number;
        if (v.type != V_INTEGER || v.ndims > 0 || !gm_ex_is_const(F->ex, v.one, &number)) return false;
        if (!(number >= 1 && number <= in->dims[i])) return false;
        position = position * in->dims[i] + (uint64_t)number - 1;
    }
    uint32_t var   = in->var + (uint32_t)position;
    uint32_t known = s->over != NULL ? gm_map_find(&s->over->values, var) : (uint32_t)GM_MAP_NONE;
    *out           = value_scalar(in->lay->prim, known != GM_MAP_NONE ? known : gm_ex_var(F->ex, var));
    out->cls       = in->lay->enumeration;
    return true;
}

// The value of ref, whose part k is the instance.
static value path_value(gm_flatten *F, const scope *s, inst *in, const gm_ast_ref *ref, uint32_t k)
{
    const gm_ast_part *part = &ref->parts[k];
    bool               last = k + 1 == ref->count;
    if (in->disabled || in->lay == NULL) {
        if (in->slot->decl->condition == NULL) return (value){ 0 };  // broken, and reported
        return fail_value(F, part->at, part->length, "`" GM_STR_FMT "` does not exist here, its condition is false", GM_STR_ARG(in->path));
    }
    if (in->lay->is_prim) {
        value v;
        if (last && one_variable(F, s, part, in, &v)) return v;
        v = of_variables(F, s, in);
        if (!last) return no_member(F, in->lay, &ref->parts[k + 1]);
        return eval_subscripts(F, s, part, v);
    }
    if (in->ndims > 0) {
        value at = positions_of(F, s, part, in);
        if (at.type == V_ERROR) return at;
        gm_ast_part  bare = { .name = part->name, .at = part->at, .length = part->length };
        gm_ast_part *rest = GM_WORK_NEW(&F->w, gm_ast_part, ref->count);
        memcpy(rest, ref->parts, ref->count * sizeof *rest);
        rest[k]         = bare;
        gm_ast_ref  one = { .parts = rest, .count = ref->count, .at = ref->at, .length = ref->length };
        gm_ast_expr where = { .at = ref->at, .length = ref->length };
        value      *items = GM_WORK_NEW(&F->w, value, at.count > 0 ? at.count : 1);
        for (uint32_t i = 0; i < at.count; i++) {
            double position = 0;
            gm_ex_is_const(F->ex, value_at(&at, i), &position);
            items[i] = path_value(F, s, &in->elements[(uint32_t)position], &one, k);
            if (items[i].type == V_ERROR) return items[i];
        }
        if (at.ndims == 0) return items[0];
        value flat = value_stack(F, items, at.count, &where);
        if (flat.type == V_ERROR || at.ndims == 1) return flat;
        // Several dimensions of components: their sizes come before those of the member.
        uint32_t dims[2 * GM_DIMS_MAX], n = at.ndims;
        memcpy(dims, at.dims, n * sizeof *dims);
        for (uint32_t i = 1; i < flat.ndims; i++) dims[n++] = flat.dims[i];
        if (n > GM_DIMS_MAX) return fail_value(F, ref->at, ref->length, "an array of more than %d dimensions", GM_DIMS_MAX);
        value shaped = value_array(F, (value_type)flat.type, n, dims);
        shaped.cls   = flat.cls;
        shaped.many  = flat.many;
        return shaped;
    }
    if (part->subscript_count > 0) {
        return fail_value(F, part->at, part->length, "`" GM_STR_FMT "` is not an array", GM_STR_ARG(name_of(F, part->name)));
    }
    if (last) {
        if (in->lay->is_record || in->lay->is_connector) return inst_value(F, s, in);
        return fail_value(F, part->at, part->length, "`" GM_STR_FMT "` is a component; one of its variables is expected",
                          GM_STR_ARG(in->path));
    }
    inst *kid = inst_kid(F, in, ref->parts[k + 1].name);
    if (kid != NULL) return path_value(F, s, kid, ref, k + 1);
    return no_member(F, in->lay, &ref->parts[k + 1]);
}

// The value of ref, whose part k is a class: an enumeration's literal, or a package's constant.
static value class_value(gm_flatten *F, const scope *s, const gm_ast_class *cls, const gm_ast_ref *ref, uint32_t k)
{
    const gm_ast_part *part = &ref->parts[k];
    if (k + 1 == ref->count) {
        return fail_value(F, part->at, part->length, "`" GM_STR_FMT "` is a class; a value is expected", GM_STR_ARG(class_path(F, cls)));
    }
    const gm_ast_part *next = &ref->parts[k + 1];
    layout            *lay  = layout_of(F, cls);
    if (lay->enumeration != NULL) {
        for (uint32_t i = 0; i < lay->enumeration->literal_count; i++) {
            if (lay->enumeration->literals[i].name != next->name) continue;
            value v = value_scalar(V_ENUM, gm_ex_const(F->ex, i + 1.0));
            v.cls   = lay->enumeration;
            return v;
        }
        return fail_value(F, next->at, next->length, "`" GM_STR_FMT "` is not one of `" GM_STR_FMT "`",
                          GM_STR_ARG(name_of(F, next->name)), GM_STR_ARG(class_path(F, cls)));
    }
    member f = find_member(F, cls, next->name);
    if (f.cls != NULL) return class_value(F, s, f.cls, ref, k + 1);
    if (f.component == NULL) return no_member(F, lay, next);
    if (f.component->decl->variability != GM_AST_CONSTANT && !(f.component->decl->flags & GM_AST_FINAL)) {
        return fail_value(F, next->at, next->length, "only constants can be used from outside a class; `" GM_STR_FMT "` is none",
                          GM_STR_ARG(name_of(F, next->name)));
    }
    inst *kid = inst_kid(F, package_of(F, f.owner->cls), f.component->decl->name);
    return kid != NULL ? path_value(F, s, kid, ref, k + 1) : (value){ 0 };
}

value eval_ref(gm_flatten *F, const scope *s, const gm_ast_ref *ref)
{
    const gm_ast_part *first = &ref->parts[0];
    flatten_step(F);
    for (local *l = s->locals; !ref->global && l != NULL; l = l->next) {
        if (l->name != first->name) continue;
        value v = eval_subscripts(F, s, first, l->v);
        for (uint32_t i = 1; i < ref->count && v.type != V_ERROR; i++) {
            v = eval_subscripts(F, s, &ref->parts[i], value_field(F, v, ref->parts[i].name, &ref->parts[i]));
        }
        return v;
    }
    inst *kid = s->in != NULL && !ref->global ? inst_kid(F, s->in, first->name) : NULL;
    if (kid != NULL) return path_value(F, s, kid, ref, 0);
    if (first->name == F->m->words[GM_WORD_time] && ref->count == 1 && !s->in_function) {
        return value_scalar(V_REAL, gm_ex_0(F->ex, GM_EX_TIME));
    }
    // Outwards through the classes around: their constants and classes.
    for (const gm_ast_class *cls = ref->global ? NULL : s->cls; cls != NULL; cls = cls->parent) {
        member f = find_member(F, cls, first->name);
        if (f.cls != NULL) return class_value(F, s, f.cls, ref, 0);
        if (f.component != NULL) {
            if (f.component->decl->variability != GM_AST_CONSTANT) {
                return fail_value(F, first->at, first->length, "`" GM_STR_FMT "` belongs to the class around this one; only its constants can be used here",
                                  GM_STR_ARG(name_of(F, first->name)));
            }
            inst *constant = inst_kid(F, package_of(F, f.owner->cls), f.component->decl->name);
            return constant != NULL ? path_value(F, s, constant, ref, 0) : (value){ 0 };
        }
        if (cls->is_encapsulated) break;
    }
    uint32_t top = gm_map_find(&F->m->root.members, first->name);
    if (top != GM_MAP_NONE && F->m->root.elements[top].kind == GM_AST_CLASS) return class_value(F, s, F->m->root.elements[top].class_, ref, 0);
    gm_str near = s->in != NULL && s->in->lay != NULL ? nearest_name(F, s->in->lay, first->name) : (gm_str){ 0 };
    return fail_value(F, first->at, first->length, "there is no `" GM_STR_FMT "` here%s" GM_STR_FMT "%s", GM_STR_ARG(name_of(F, first->name)),
                      near.len > 0 ? "; is `" : "", GM_STR_ARG(near), near.len > 0 ? "` meant?" : "");
}

// ---------------------------------------------------------------------------------------------------- operators

static bool is_number(const value *v)
{
    return v->type == V_REAL || v->type == V_INTEGER;
}

static const char *op_text(uint32_t op)
{
    return gm_token_text(op);
}

static value wrong_operands(gm_flatten *F, const gm_ast_expr *at, uint32_t op, const value *a, const value *b)
{
    gm_str left = value_text(F, a), right = value_text(F, b);
    return fail_value(F, at->at, at->length, "%s between " GM_STR_FMT " and " GM_STR_FMT " has no meaning", op_text(op), GM_STR_ARG(left),
                      GM_STR_ARG(right));
}

// Element by element; a scalar goes with every element.
static value each(gm_flatten *F, value_type type, gm_ex_op op, const value *a, const value *b)
{
    const value *shape = a->ndims > 0 ? a : b;
    value        v     = value_fill(F, type, shape->ndims, shape->dims, 0);
    for (uint32_t i = 0; i < v.count; i++) {
        gm_ex e = gm_ex_2(F->ex, op, value_at(a, a->ndims > 0 ? i : 0), value_at(b, b->ndims > 0 ? i : 0));
        if (v.ndims == 0) v.one = e;
        else v.many[i] = e;
    }
    return v;
}

// Vector and matrix products (Modelica 3.6, 10.6.5): v*v, M*v, v*M, M*M.
static value matrix_product(gm_flatten *F, const gm_ast_expr *at, value_type type, const value *a, const value *b)
{
    uint32_t rows = a->ndims == 2 ? a->dims[0] : 1, inner = a->dims[a->ndims - 1];
    uint32_t columns = b->ndims == 2 ? b->dims[1] : 1;
    if (a->ndims > 2 || b->ndims > 2 || inner != b->dims[0]) return wrong_operands(F, at, GM_TOKEN_TIMES, a, b);
    uint32_t dims[2], ndims = 0;
    if (a->ndims == 2) dims[ndims++] = rows;
    if (b->ndims == 2) dims[ndims++] = columns;
    value v = value_fill(F, type, ndims, dims, 0);
    for (uint32_t r = 0; r < rows; r++) {
        for (uint32_t c = 0; c < columns; c++) {
            gm_ex sum = gm_ex_const(F->ex, 0);
            for (uint32_t k = 0; k < inner; k++) {
                gm_ex term = gm_ex_2(F->ex, GM_EX_MUL, a->many[(size_t)r * inner + k], b->many[(size_t)k * columns + c]);
                sum        = gm_ex_2(F->ex, GM_EX_ADD, sum, term);
                flatten_step(F);
            }
            if (ndims == 0) v.one = sum;
            else v.many[(size_t)r * columns + c] = sum;
        }
    }
    return v;
}

static value arithmetic(gm_flatten *F, const gm_ast_expr *at, uint32_t op, const value *a, const value *b)
{
    static const struct { uint32_t token; gm_ex_op op; bool elementwise, real; } table[] = {
        { GM_TOKEN_PLUS, GM_EX_ADD, false, false },   { GM_TOKEN_MINUS, GM_EX_SUB, false, false },
        { GM_TOKEN_TIMES, GM_EX_MUL, false, false },  { GM_TOKEN_DIVIDE, GM_EX_DIV, false, true },
        { GM_TOKEN_POWER, GM_EX_POW, false, true },   { GM_TOKEN_DOT_PLUS, GM_EX_ADD, true, false },
        { GM_TOKEN_DOT_MINUS, GM_EX_SUB, true, false }, { GM_TOKEN_DOT_TIMES, GM_EX_MUL, true, false },
        { GM_TOKEN_DOT_DIVIDE, GM_EX_DIV, true, true }, { GM_TOKEN_DOT_POWER, GM_EX_POW, true, true },
    };
    size_t k = 0;
    while (table[k].token != op) k++;
    if (!is_number(a) || !is_number(b)) return wrong_operands(F, at, op, a, b);
    value_type type = table[k].real || a->type == V_REAL || b->type == V_REAL ? V_REAL : V_INTEGER;
    bool       both = a->ndims > 0 && b->ndims > 0;
    if (both && op == GM_TOKEN_TIMES) return matrix_product(F, at, type, a, b);
    bool fits = both ? value_same_shape(a, b) : true;
    if (!table[k].elementwise) {
        // + and - want equal shapes; * a scalar on one side; / a scalar on the right; ^ scalars.
        if (op == GM_TOKEN_PLUS || op == GM_TOKEN_MINUS) fits = value_same_shape(a, b);
        else if (op == GM_TOKEN_DIVIDE) fits = b->ndims == 0;
        else if (op == GM_TOKEN_POWER) fits = a->ndims == 0 && b->ndims == 0;
    }
    if (!fits) return wrong_operands(F, at, op, a, b);
    return each(F, type, table[k].op, a, b);
}

static value comparison(gm_flatten *F, const gm_ast_expr *at, uint32_t op, const value *a, const value *b, bool quiet)
{
    bool same = a->type == b->type && (a->type == V_BOOLEAN || (a->type == V_ENUM && a->cls == b->cls) || a->type == V_STRING);
    if (a->ndims > 0 || b->ndims > 0 || (!same && !(is_number(a) && is_number(b)))) return wrong_operands(F, at, op, a, b);
    if (a->type == V_STRING) {
        gm_str left, right;
        if (!value_constant_text(F, a, &left) || !value_constant_text(F, b, &right)) return wrong_operands(F, at, op, a, b);
        int  order  = gm_str_cmp(left, right);
        bool answer = op == GM_TOKEN_EQUAL ? order == 0 : op == GM_TOKEN_UNEQUAL ? order != 0 : op == GM_TOKEN_LESS ? order < 0
                    : op == GM_TOKEN_LESS_EQUAL ? order <= 0 : op == GM_TOKEN_GREATER ? order > 0 : order >= 0;
        return value_scalar(V_BOOLEAN, gm_ex_const(F->ex, answer));
    }
    gm_ex x = a->one, y = b->one;
    if (op == GM_TOKEN_GREATER || op == GM_TOKEN_GREATER_EQUAL) {  // a > b is b < a
        gm_ex swap = x;
        x          = y;
        y          = swap;
    }
    gm_ex_op kind = op == GM_TOKEN_EQUAL ? GM_EX_EQ : op == GM_TOKEN_UNEQUAL ? GM_EX_NE
                  : op == GM_TOKEN_LESS || op == GM_TOKEN_GREATER ? GM_EX_LT : GM_EX_LE;
    bool discrete = a->type != V_REAL && b->type != V_REAL;  // changes at events only: there is no crossing to find
    return value_scalar(V_BOOLEAN, gm_ex_compare(F->ex, kind, x, y, quiet || discrete));
}

value eval_binary(gm_flatten *F, const gm_ast_expr *at, uint32_t op, value a, value b, bool quiet)
{
    if (a.type == V_ERROR || b.type == V_ERROR) return (value){ 0 };
    flatten_step(F);
    switch (op) {
    case GM_KEY_AND:
    case GM_KEY_OR:
        if (a.type != V_BOOLEAN || b.type != V_BOOLEAN || !value_same_shape(&a, &b)) return wrong_operands(F, at, op, &a, &b);
        return each(F, V_BOOLEAN, op == GM_KEY_AND ? GM_EX_AND : GM_EX_OR, &a, &b);
    case GM_TOKEN_LESS: case GM_TOKEN_LESS_EQUAL: case GM_TOKEN_GREATER: case GM_TOKEN_GREATER_EQUAL:
    case GM_TOKEN_EQUAL: case GM_TOKEN_UNEQUAL: return comparison(F, at, op, &a, &b, quiet);
    case GM_TOKEN_PLUS:
        if (a.type == V_STRING && b.type == V_STRING && a.ndims == 0 && b.ndims == 0) {
            gm_str left, right;
            if (!value_constant_text(F, &a, &left) || !value_constant_text(F, &b, &right)) break;
            return value_scalar(V_STRING, gm_ex_text(F->ex, gm_work_printf(&F->w, GM_STR_FMT GM_STR_FMT, GM_STR_ARG(left), GM_STR_ARG(right))));
        }
        break;
    default: break;
    }
    return arithmetic(F, at, op, &a, &b);
}

static value eval_unary(gm_flatten *F, const scope *s, const gm_ast_expr *e)
{
    value v = eval(F, s, e->items[0]);
    if (v.type == V_ERROR) return v;
    bool is_not = e->op == GM_KEY_NOT;
    if (is_not ? v.type != V_BOOLEAN : !is_number(&v)) {
        gm_str found = value_text(F, &v);
        return fail_value(F, e->at, e->length, "%s of " GM_STR_FMT " has no meaning", op_text(e->op), GM_STR_ARG(found));
    }
    if (e->op == GM_TOKEN_PLUS || e->op == GM_TOKEN_DOT_PLUS) return v;
    value out = value_fill(F, (value_type)v.type, v.ndims, v.dims, 0);
    for (uint32_t i = 0; i < v.count; i++) {
        gm_ex x = gm_ex_1(F->ex, is_not ? GM_EX_NOT : GM_EX_NEG, value_at(&v, i));
        if (v.ndims == 0) out.one = x;
        else out.many[i] = x;
    }
    return out;
}

// a + b + c + ... is a tree that leans to the left, as deep as it is long: walked without recursion.
static value eval_chain(gm_flatten *F, const scope *s, const gm_ast_expr *e)
{
    uint32_t length = 0;
    for (const gm_ast_expr *at = e; at->kind == GM_AST_BINARY; at = at->items[0]) length++;
    const gm_ast_expr **spine = GM_WORK_NEW(&F->w, const gm_ast_expr *, length);
    const gm_ast_expr  *left  = e;
    for (uint32_t i = length; i-- > 0; left = left->items[0]) spine[i] = left;
    value v = eval(F, s, left);
    for (uint32_t i = 0; i < length; i++) v = eval_binary(F, spine[i], spine[i]->op, v, eval(F, s, spine[i]->items[1]), s->quiet);
    return v;
}

static value eval_if(gm_flatten *F, const scope *s, const gm_ast_expr *e, uint32_t from)
{
    if (from + 1 >= e->count) return eval(F, s, e->items[from]);
    gm_ex condition = eval_scalar(F, s, e->items[from], V_BOOLEAN, "a condition");
    bool  known;
    if (condition == GM_EX_NONE) return (value){ 0 };
    // A case that can not occur is not looked at: that is how recursive functions end and optional elements are guarded.
    if (fold_condition(F, condition, false, &known)) return known ? eval(F, s, e->items[from + 1]) : eval_if(F, s, e, from + 2);
    value a = eval(F, s, e->items[from + 1]);
    return value_select(F, condition, a, eval_if(F, s, e, from + 2), e);
}

// ---------------------------------------------------------------------------------------------------- arrays

bool eval_range(gm_flatten *F, const scope *s, const gm_ast_iterator *it, value *out)
{
    if (it->range == NULL) {
        flatten_error(F, it->at, 1, "the range of `" GM_STR_FMT "` must be given: for " GM_STR_FMT " in 1:n", GM_STR_ARG(name_of(F, it->name)),
                      GM_STR_ARG(name_of(F, it->name)));
        return false;
    }
    // `for c in Colour`, `for b in Boolean`
    if (it->range->kind == GM_AST_REF && (s->in == NULL || inst_kid(F, s->in, it->range->ref->parts[0].name) == NULL)) {
        const gm_ast_class *cls = resolve_class(F, s->cls, it->range->ref, false);
        layout             *lay = cls != NULL ? layout_of(F, cls) : NULL;
        if (lay != NULL && lay->is_prim && (lay->enumeration != NULL || lay->prim == V_BOOLEAN)) {
            uint32_t n = lay->enumeration != NULL ? lay->enumeration->literal_count : 2;
            *out       = value_array(F, lay->prim, 1, &n);
            out->cls   = lay->enumeration;
            for (uint32_t i = 0; i < n; i++) out->many[i] = gm_ex_const(F->ex, lay->enumeration != NULL ? i + 1 : i);
            return true;
        }
    }
    *out = eval(F, s, it->range);
    if (out->type == V_ERROR) return false;
    if (out->ndims != 1) {
        flatten_error(F, it->range->at, it->range->length, "a range or a vector is expected");
        return false;
    }
    return true;
}

static value eval_range_expr(gm_flatten *F, const scope *s, const gm_ast_expr *e)
{
    double at[3] = { 1, 1, 1 };
    bool   real  = false;
    for (uint32_t i = 0; i < e->count; i++) {
        value v = eval(F, s, e->items[i]);
        if (v.type == V_ERROR) return v;
        if (v.ndims > 0 || (!is_number(&v) && v.type != V_ENUM) || !fold(F, v.one, true, &at[i])) {
            return fail_value(F, e->items[i]->at, e->items[i]->length, "the bounds of a range must be numbers that are known before the simulation");
        }
        real |= v.type == V_REAL;
    }
    double first = at[0], step = e->count == 3 ? at[1] : 1, last = e->count == 3 ? at[2] : at[1];
    if (step == 0) return fail_value(F, e->at, e->length, "the step of a range can not be 0");
    double span = floor((last - first) / step + (real ? 1e-10 : 0)) + 1;
    if (!(span > 0)) span = 0;
    if (span > GM_ARRAY_MAX) return fail_value(F, e->at, e->length, "a range of more than %d elements", GM_ARRAY_MAX);
    uint32_t n = (uint32_t)span;
    value    v = value_array(F, real ? V_REAL : V_INTEGER, 1, &n);
    for (uint32_t i = 0; i < n; i++) v.many[i] = gm_ex_const(F->ex, first + i * step);
    return v;
}

// {e for i in r, j in q}: the last loop variable is the outermost dimension.
static value comprehension(gm_flatten *F, const scope *s, const gm_ast_expr *e, uint32_t iterators)
{
    if (iterators == 0) return eval(F, s, e->items[0]);
    const gm_ast_iterator *it = &e->iterators[iterators - 1];
    value                  range;
    if (!eval_range(F, s, it, &range)) return (value){ 0 };
    value *items = GM_WORK_NEW(&F->w, value, range.count > 0 ? range.count : 1);
    for (uint32_t i = 0; i < range.count; i++) {
        flatten_step(F);
        local here  = { .name = it->name, .v = value_element(F, &range, i), .next = s->locals };
        scope inner = *s;
        inner.locals = &here;
        items[i]     = comprehension(F, &inner, e, iterators - 1);
        if (items[i].type == V_ERROR) return items[i];
    }
    return value_stack(F, items, range.count, e);
}

static value eval_array(gm_flatten *F, const scope *s, const gm_ast_expr *e)
{
    if (e->iterator_count > 0) return comprehension(F, s, e, e->iterator_count);
    value *items = GM_WORK_NEW(&F->w, value, e->count > 0 ? e->count : 1);
    for (uint32_t i = 0; i < e->count; i++) items[i] = eval(F, s, e->items[i]);
    return value_stack(F, items, e->count, e);
}

// What stands in a matrix counts as a matrix: a scalar is 1 x 1, a vector a column.
static void matrix_shape(const value *v, uint32_t *out_rows, uint32_t *out_columns)
{
    *out_rows    = v->ndims > 0 ? v->dims[0] : 1;
    *out_columns = v->ndims > 1 ? v->dims[1] : 1;
}

static value eval_matrix(gm_flatten *F, const scope *s, const gm_ast_expr *e)
{
    // First the sizes, then the elements.
    value    **rows = GM_WORK_NEW(&F->w, value *, e->count);
    uint32_t   height = 0, width = 0;
    value_type type = V_INTEGER;
    for (uint32_t r = 0; r < e->count; r++) {
        const gm_ast_expr *row = e->items[r];
        uint32_t           row_height = 0, row_width = 0;
        rows[r] = GM_WORK_NEW(&F->w, value, row->count);
        for (uint32_t c = 0; c < row->count; c++) {
            value v = rows[r][c] = eval(F, s, row->items[c]);
            uint32_t h, w;
            if (v.type == V_ERROR) return v;
            matrix_shape(&v, &h, &w);
            if (v.ndims > 2 || v.type == V_RECORD || (c > 0 && h != row_height)) {
                return fail_value(F, row->items[c]->at, row->items[c]->length, "the parts of a matrix row must have equal heights");
            }
            row_height = h;
            row_width += w;
            if (r == 0 && c == 0) type = (value_type)v.type;
            else if (v.type != type && !(is_number(&v) && (type == V_REAL || type == V_INTEGER))) {
                return fail_value(F, row->items[c]->at, row->items[c]->length, "the parts of a matrix must be of one type");
            } else if (v.type == V_REAL) type = V_REAL;
        }
        if (r > 0 && row_width != width) return fail_value(F, row->at, row->length, "this row has %u columns, the one above %u", row_width, width);
        width = row_width;
        height += row_height;
    }
    value    m  = value_array(F, type, 2, (uint32_t[]){ height, width });
    uint32_t at = 0;
    for (uint32_t r = 0; r < e->count; r++) {
        uint32_t column = 0, h = 0, w;
        for (uint32_t c = 0; c < e->items[r]->count; c++) {
            const value *v = &rows[r][c];
            matrix_shape(v, &h, &w);
            for (uint32_t i = 0; i < h; i++) {
                for (uint32_t j = 0; j < w; j++) m.many[(size_t)(at + i) * width + column + j] = value_at(v, i * w + j);
            }
            column += w;
        }
        at += h;
    }
    return m;
}

// ---------------------------------------------------------------------------------------------------- all

value eval(gm_flatten *F, const scope *s, const gm_ast_expr *e)
{
    if (++F->eval_depth > 4 * F->limits.depth_max) {
        gm_work_stop(&F->w, GM_LIMIT, "physics.modelica", "expressions and functions are nested too deep");
    }
    value v = { 0 };
    switch ((gm_ast_kind)e->kind) {
    case GM_AST_REAL: v = value_scalar(V_REAL, gm_ex_const(F->ex, e->number)); break;
    case GM_AST_INTEGER: v = value_scalar(V_INTEGER, gm_ex_const(F->ex, e->number)); break;
    case GM_AST_BOOLEAN: v = value_scalar(V_BOOLEAN, gm_ex_const(F->ex, e->number)); break;
    case GM_AST_STRING: v = value_scalar(V_STRING, gm_ex_text(F->ex, e->text)); break;
    case GM_AST_REF: v = eval_ref(F, s, e->ref); break;
    case GM_AST_CALL: v = eval_call(F, s, e, NULL, 0); break;
    case GM_AST_UNARY: v = eval_unary(F, s, e); break;
    case GM_AST_BINARY: v = eval_chain(F, s, e); break;
    case GM_AST_IF: v = eval_if(F, s, e, 0); break;
    case GM_AST_ARRAY: v = eval_array(F, s, e); break;
    case GM_AST_MATRIX: v = eval_matrix(F, s, e); break;
    case GM_AST_RANGE: v = eval_range_expr(F, s, e); break;
    case GM_AST_END:
        if (F->end_dim == NULL) v = fail_value(F, e->at, e->length, "`end` has a meaning inside subscripts only");
        else v = value_scalar(V_INTEGER, gm_ex_const(F->ex, *F->end_dim));
        break;
    case GM_AST_COLON: v = fail_value(F, e->at, e->length, "`:` has a meaning inside subscripts only"); break;
    case GM_AST_TUPLE: v = fail_value(F, e->at, e->length, "a list in parentheses can only stand at the left of a call"); break;
    case GM_AST_BROKEN: break;
    }
    F->eval_depth--;
    return v;
}

gm_ex eval_scalar(gm_flatten *F, const scope *s, const gm_ast_expr *e, value_type type, const char *what)
{
    value v = eval(F, s, e);
    if (v.type == V_ERROR) return GM_EX_NONE;
    if (v.ndims > 0 || !value_convert(F, &v, type, NULL)) {
        static const char *const names[] = { "?", "a Real", "an Integer", "a Boolean", "a String", "an enumeration", "a record" };
        gm_str                   found   = value_text(F, &v);
        flatten_error(F, e->at, e->length, "%s is %s, this is " GM_STR_FMT, what, names[type], GM_STR_ARG(found));
        return GM_EX_NONE;
    }
    return v.one;
}

bool eval_number(gm_flatten *F, const scope *s, const gm_ast_expr *e, value_type type, const char *what, double *out)
{
    gm_ex x = eval_scalar(F, s, e, type, what);
    if (x == GM_EX_NONE) return false;
    if (fold(F, x, true, out)) return true;
    flatten_error(F, e->at, e->length, "%s must be known before the simulation begins", what);
    return false;
}

bool eval_integer(gm_flatten *F, const scope *s, const gm_ast_expr *e, const char *what, int64_t *out)
{
    double number;
    if (!eval_number(F, s, e, V_INTEGER, what, &number)) return false;
    if (!(number >= -9e15 && number <= 9e15)) {
        flatten_error(F, e->at, e->length, "%s is out of range", what);
        return false;
    }
    *out = (int64_t)number;
    return true;
}
