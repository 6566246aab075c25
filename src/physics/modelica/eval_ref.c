// Names become values: variables, constants of packages, elements and parts of them; constant expressions become
// numbers.
#include "physics/modelica/flatten.h"

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
    gm_inst_bind(F, F->var_inst[var]);
    v         = &F->flat->vars[var];
    bool good = v->binding != GM_EX_NONE && gm_fold(F, v->binding, any_parameter, out);
    F->fold_depth--;
    if (good && v->variability == GM_FLAT_PARAMETER) F->flat->vars[var].flags |= GM_FLAT_STRUCTURAL;
    return good;
}

bool gm_fold(gm_flatten *F, gm_ex e, bool any_parameter, double *out)
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

bool gm_fold_condition(gm_flatten *F, gm_ex e, bool any_parameter, bool *out)
{
    double number;
    if (!gm_fold(F, e, any_parameter, &number)) return false;
    *out = number != 0;
    return true;
}

bool gm_is_parametric(gm_flatten *F, gm_ex e)
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
static value index_by(gm_flatten *F, const value *v, const subscript *subs, uint32_t k, uint32_t count,
                      const gm_ast_part *at)
{
    if (k == count || v->type == V_ERROR) return *v;
    const subscript *sub  = &subs[k];
    uint32_t         size = v->dims[0];
    if (sub->dynamic) {
        value result = { 0 };
        for (uint32_t i = size; i-- > 0;) {
            value element = gm_value_element(F, v, i);
            value item    = index_by(F, &element, subs, k + 1, count, at);
            if (i == size - 1) { result = item; continue; }
            gm_ex here = gm_ex_compare(F->ex, GM_EX_EQ, sub->v.one, gm_ex_const(F->ex, i + 1.0), true);
            gm_ast_expr where = { .at = at->at, .length = at->length };
            result = gm_value_select(F, here, item, result, &where);
        }
        return result;
    }
    uint32_t n     = sub->all ? size : sub->v.count;
    value   *items = GM_WORK_NEW(&F->w, value, n > 0 ? n : 1);
    for (uint32_t i = 0; i < n; i++) {
        double position = i + 1.0;
        if (!sub->all) gm_ex_is_const(F->ex, gm_value_at(&sub->v, i), &position);
        if (!(position >= 1 && position <= size)) {
            return gm_fail_value(F, at->at, at->length, "element %.17g of `" GM_STR_FMT "` is asked for, it has %u",
                              position, GM_STR_ARG(gm_name_of(F, at->name)), size);
        }
        value element = gm_value_element(F, v, (uint32_t)position - 1);
        items[i]      = index_by(F, &element, subs, k + 1, count, at);
        if (items[i].type == V_ERROR) return items[i];
    }
    if (!sub->all && sub->v.ndims == 0) return items[0];
    if (n == 0) {
        uint32_t dims[GM_DIMS_MAX] = { 0 };
        return gm_value_array(F, (value_type)v->type, 1, dims);
    }
    gm_ast_expr where = { .at = at->at, .length = at->length };
    return gm_value_stack(F, items, n, &where);
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
    value v               = gm_eval(F, s, e);
    F->end_dim            = outer;
    if (v.type == V_ERROR) return false;
    if ((v.type != V_INTEGER && v.type != V_ENUM && v.type != V_BOOLEAN) || v.ndims > 1) {
        gm_str found = gm_value_text(F, &v);
        gm_flatten_error(F, e->at, e->length, "a subscript is an Integer, this is " GM_STR_FMT, GM_STR_ARG(found));
        return false;
    }
    out->v = v.ndims == 0 ? v : gm_value_array(F, V_INTEGER, 1, v.dims);
    for (uint32_t i = 0; i < v.count; i++) {
        gm_ex  at = gm_value_at(&v, i);
        double number;
        if (gm_ex_is_const(F->ex, at, &number) || (gm_is_parametric(F, at) && gm_fold(F, at, true, &number))) {
            at = gm_ex_const(F->ex, v.type == V_BOOLEAN ? number + 1 : number);
        } else if (v.ndims == 0) {
            out->dynamic = true;
        } else {
            gm_flatten_error(F, e->at, e->length, "a list of subscripts must be constant");
            return false;
        }
        if (v.ndims == 0) out->v.one = at;
        else out->v.many[i] = at;
    }
    return true;
}

value gm_eval_subscripts(gm_flatten *F, const scope *s, const gm_ast_part *part, value v)
{
    if (part->subscript_count == 0 || v.type == V_ERROR) return v;
    if (part->subscript_count > v.ndims) {
        return gm_fail_value(F, part->at, part->length, "`" GM_STR_FMT "` has %u dimensions, but %u subscripts",
                          GM_STR_ARG(gm_name_of(F, part->name)), v.ndims, part->subscript_count);
    }
    subscript subs[GM_DIMS_MAX];
    for (uint32_t i = 0; i < part->subscript_count; i++) {
        if (!read_subscript(F, s, part->subscripts[i], &v.dims[i], &subs[i])) return (value){ 0 };
    }
    return index_by(F, &v, subs, 0, part->subscript_count, part);
}

value gm_positions_of(gm_flatten *F, const scope *s, const gm_ast_part *part, const inst *array)
{
    value all = gm_value_array(F, V_INTEGER, array->ndims, array->dims);
    for (uint32_t i = 0; i < array->count; i++) all.many[i] = gm_ex_const(F->ex, i);
    value v = gm_eval_subscripts(F, s, part, all);
    for (uint32_t i = 0; v.type != V_ERROR && i < v.count; i++) {
        if (!gm_ex_is_const(F->ex, gm_value_at(&v, i), NULL)) {
            return gm_fail_value(F, part->at, part->length, "the subscript of a component must be constant");
        }
    }
    return v;
}

// ---------------------------------------------------------------------------------------------------- references

static value of_variables(gm_flatten *F, const scope *s, const inst *in)
{
    value v = gm_value_fill(F, in->lay->prim, in->ndims, in->dims, 0);
    v.cls   = in->lay->enumeration;
    for (uint32_t i = 0; i < in->count; i++) {
        uint32_t var   = in->var + i;
        uint32_t known = s->over != NULL ? gm_map_find(&s->over->values, var) : (uint32_t)GM_MAP_NONE;
        gm_ex    e     = known != GM_MAP_NONE ? known : gm_ex_var(F->ex, var);
        if (in->lay->prim == V_STRING) {  // texts are constants: their value is needed now
            gm_inst_bind(F, F->var_inst[var]);
            if (F->flat->vars[var].binding != GM_EX_NONE) e = F->flat->vars[var].binding;
        }
        if (v.ndims == 0) v.one = e;
        else v.many[i] = e;
    }
    return v;
}

value gm_inst_value(gm_flatten *F, const scope *s, inst *in)
{
    if (in->lay->is_prim) return of_variables(F, s, in);
    if (in->ndims > 0) {
        value v = gm_value_array(F, V_RECORD, in->ndims, in->dims);
        v.cls   = in->lay->cls;
        for (uint32_t i = 0; i < in->count; i++) v.elements[i] = gm_inst_value(F, s, &in->elements[i]);
        return v;
    }
    value v  = { .type = V_RECORD, .count = 1, .cls = in->lay->cls };
    v.fields = GM_WORK_NEW(&F->w, value, in->lay->slot_count > 0 ? in->lay->slot_count : 1);
    for (uint32_t i = 0; i < in->lay->slot_count; i++) {
        gm_inst_ready(F, &in->kids[i]);
        if (!in->kids[i].disabled) v.fields[i] = gm_inst_value(F, s, &in->kids[i]);
    }
    return v;
}

value gm_value_field(gm_flatten *F, value v, gm_sym name, const gm_ast_part *at)
{
    if (v.type == V_ERROR) return v;
    if (v.type != V_RECORD) {
        gm_str found = gm_value_text(F, &v);
        return gm_fail_value(F, at->at, at->length, "there is no `" GM_STR_FMT "` in a " GM_STR_FMT,
                          GM_STR_ARG(gm_name_of(F, name)), GM_STR_ARG(found));
    }
    if (v.ndims > 0) {
        value *items = GM_WORK_NEW(&F->w, value, v.count > 0 ? v.count : 1);
        for (uint32_t i = 0; i < v.dims[0]; i++) items[i] = gm_value_field(F, gm_value_element(F, &v, i), name, at);
        gm_ast_expr where = { .at = at->at, .length = at->length };
        return gm_value_stack(F, items, v.dims[0], &where);
    }
    layout  *lay   = gm_class_layout(F, v.cls);
    uint32_t index = gm_map_find(&lay->names, name);
    if (index == GM_MAP_NONE) {
        gm_str near = gm_layout_nearest(F, lay, name);
        return gm_fail_value(F, at->at, at->length, "there is no `" GM_STR_FMT "` in `" GM_STR_FMT "`%s" GM_STR_FMT "%s",
                          GM_STR_ARG(gm_name_of(F, name)), GM_STR_ARG(gm_class_path(F, v.cls)), near.len > 0 ? "; is `" : "",
                          GM_STR_ARG(near), near.len > 0 ? "` meant?" : "");
    }
    return v.fields[index];
}

static value no_member(gm_flatten *F, const layout *lay, const gm_ast_part *part)
{
    gm_str near = gm_layout_nearest(F, lay, part->name);
    return gm_fail_value(F, part->at, part->length, "there is no `" GM_STR_FMT "` in `" GM_STR_FMT "`%s" GM_STR_FMT "%s",
                      GM_STR_ARG(gm_name_of(F, part->name)), GM_STR_ARG(gm_class_path(F, lay->cls)),
                      near.len > 0 ? "; is `" : "", GM_STR_ARG(near), near.len > 0 ? "` meant?" : "");
}

static value class_value(gm_flatten *F, const scope *s, const gm_ast_class *cls, const gm_ast_ref *ref, uint32_t k);

// One element of an array of variables, by constant subscripts: without making the whole array. False: something else.
static bool one_variable(gm_flatten *F, const scope *s, const gm_ast_part *part, const inst *in, value *out)
{
    uint64_t position = 0;
    if (in->ndims == 0 || part->subscript_count != in->ndims || in->lay->prim == V_STRING) return false;
    for (uint32_t i = 0; i < in->ndims; i++) {
        const gm_ast_expr *e = part->subscripts[i];
        if (e->kind != GM_AST_BINARY && e->kind != GM_AST_INTEGER && e->kind != GM_AST_REF && e->kind != GM_AST_END)
            return false;
        const uint32_t *outer = F->end_dim;
        F->end_dim            = &in->dims[i];
        value v               = gm_eval(F, s, e);
        F->end_dim            = outer;
        double number;
        if (v.type != V_INTEGER || v.ndims > 0 || !gm_ex_is_const(F->ex, v.one, &number)) return false;
        if (!(number >= 1 && number <= in->dims[i])) return false;
        position = position * in->dims[i] + (uint64_t)number - 1;
    }
    uint32_t var   = in->var + (uint32_t)position;
    uint32_t known = s->over != NULL ? gm_map_find(&s->over->values, var) : (uint32_t)GM_MAP_NONE;
    *out           = gm_value_scalar(in->lay->prim, known != GM_MAP_NONE ? known : gm_ex_var(F->ex, var));
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
        return gm_fail_value(F, part->at, part->length, "`" GM_STR_FMT "` does not exist here, its condition is false",
                          GM_STR_ARG(in->path));
    }
    if (in->lay->is_prim) {
        value v;
        if (last && one_variable(F, s, part, in, &v)) return v;
        v = of_variables(F, s, in);
        if (!last) return no_member(F, in->lay, &ref->parts[k + 1]);
        return gm_eval_subscripts(F, s, part, v);
    }
    if (in->ndims > 0) {
        value at = gm_positions_of(F, s, part, in);
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
            gm_ex_is_const(F->ex, gm_value_at(&at, i), &position);
            items[i] = path_value(F, s, &in->elements[(uint32_t)position], &one, k);
            if (items[i].type == V_ERROR) return items[i];
        }
        if (at.ndims == 0) return items[0];
        value flat = gm_value_stack(F, items, at.count, &where);
        if (flat.type == V_ERROR || at.ndims == 1) return flat;
        // Several dimensions of components: their sizes come before those of the member.
        uint32_t dims[2 * GM_DIMS_MAX], n = at.ndims;
        memcpy(dims, at.dims, n * sizeof *dims);
        for (uint32_t i = 1; i < flat.ndims; i++) dims[n++] = flat.dims[i];
        if (n > GM_DIMS_MAX)
            return gm_fail_value(F, ref->at, ref->length, "an array of more than %d dimensions", GM_DIMS_MAX);
        value shaped = gm_value_array(F, (value_type)flat.type, n, dims);
        shaped.cls   = flat.cls;
        shaped.many  = flat.many;
        return shaped;
    }
    if (part->subscript_count > 0) {
        return gm_fail_value(F, part->at, part->length, "`" GM_STR_FMT "` is not an array",
                          GM_STR_ARG(gm_name_of(F, part->name)));
    }
    if (last) {
        if (in->lay->is_record || in->lay->is_connector) return gm_inst_value(F, s, in);
        return gm_fail_value(F, part->at, part->length,
                          "`" GM_STR_FMT "` is a component; one of its variables is expected", GM_STR_ARG(in->path));
    }
    inst *kid = gm_inst_kid(F, in, ref->parts[k + 1].name);
    if (kid != NULL) return path_value(F, s, kid, ref, k + 1);
    return no_member(F, in->lay, &ref->parts[k + 1]);
}

// The value of ref, whose part k is a class: an enumeration's literal, or a package's constant.
static value class_value(gm_flatten *F, const scope *s, const gm_ast_class *cls, const gm_ast_ref *ref, uint32_t k)
{
    const gm_ast_part *part = &ref->parts[k];
    if (k + 1 == ref->count) {
        return gm_fail_value(F, part->at, part->length, "`" GM_STR_FMT "` is a class; a value is expected",
                          GM_STR_ARG(gm_class_path(F, cls)));
    }
    const gm_ast_part *next = &ref->parts[k + 1];
    layout            *lay  = gm_class_layout(F, cls);
    if (lay->enumeration != NULL) {
        for (uint32_t i = 0; i < lay->enumeration->literal_count; i++) {
            if (lay->enumeration->literals[i].name != next->name) continue;
            value v = gm_value_scalar(V_ENUM, gm_ex_const(F->ex, i + 1.0));
            v.cls   = lay->enumeration;
            return v;
        }
        return gm_fail_value(F, next->at, next->length, "`" GM_STR_FMT "` is not one of `" GM_STR_FMT "`",
                          GM_STR_ARG(gm_name_of(F, next->name)), GM_STR_ARG(gm_class_path(F, cls)));
    }
    member f = gm_find_member(F, cls, next->name);
    if (f.cls != NULL) return class_value(F, s, f.cls, ref, k + 1);
    if (f.component == NULL) return no_member(F, lay, next);
    if (f.component->decl->variability != GM_AST_CONSTANT && !(f.component->decl->flags & GM_AST_FINAL)) {
        return gm_fail_value(F, next->at, next->length,
                          "only constants can be used from outside a class; `" GM_STR_FMT "` is none",
                          GM_STR_ARG(gm_name_of(F, next->name)));
    }
    inst *kid = gm_inst_kid(F, gm_package_of(F, f.owner->cls), f.component->decl->name);
    return kid != NULL ? path_value(F, s, kid, ref, k + 1) : (value){ 0 };
}

value gm_eval_ref(gm_flatten *F, const scope *s, const gm_ast_ref *ref)
{
    const gm_ast_part *first = &ref->parts[0];
    gm_flatten_step(F);
    for (local *l = s->locals; !ref->global && l != NULL; l = l->next) {
        if (l->name != first->name) continue;
        value v = gm_eval_subscripts(F, s, first, l->v);
        for (uint32_t i = 1; i < ref->count && v.type != V_ERROR; i++) {
            v = gm_eval_subscripts(F, s, &ref->parts[i], gm_value_field(F, v, ref->parts[i].name, &ref->parts[i]));
        }
        return v;
    }
    inst *kid = s->in != NULL && !ref->global ? gm_inst_kid(F, s->in, first->name) : NULL;
    if (kid != NULL) return path_value(F, s, kid, ref, 0);
    if (first->name == F->m->words[GM_WORD_time] && ref->count == 1 && !s->in_function) {
        return gm_value_scalar(V_REAL, gm_ex_0(F->ex, GM_EX_TIME));
    }
    // Outwards through the classes around: their constants and classes.
    for (const gm_ast_class *cls = ref->global ? NULL : s->cls; cls != NULL; cls = cls->parent) {
        const gm_ast_class *other = cls == s->cls ? gm_redeclared_class(F, s->in, cls, first->name) : NULL;
        if (other != NULL) return class_value(F, s, other, ref, 0);
        member f = gm_find_member(F, cls, first->name);
        if (f.cls != NULL) return class_value(F, s, f.cls, ref, 0);
        if (f.component != NULL) {
            if (f.component->decl->variability != GM_AST_CONSTANT) {
                return gm_fail_value(F, first->at, first->length,
                                  "`" GM_STR_FMT
                                  "` belongs to the class around this one; only its constants can be used here",
                                  GM_STR_ARG(gm_name_of(F, first->name)));
            }
            inst *constant = gm_inst_kid(F, gm_package_of(F, f.owner->cls), f.component->decl->name);
            return constant != NULL ? path_value(F, s, constant, ref, 0) : (value){ 0 };
        }
        if (cls->is_encapsulated) break;
    }
    uint32_t top = gm_map_find(&F->m->root.members, first->name);
    if (top != GM_MAP_NONE && F->m->root.elements[top].kind == GM_AST_CLASS)
        return class_value(F, s, F->m->root.elements[top].class_, ref, 0);
    gm_str near = s->in != NULL && s->in->lay != NULL ? gm_layout_nearest(F, s->in->lay, first->name) : (gm_str){ 0 };
    return gm_fail_value(F, first->at, first->length, "there is no `" GM_STR_FMT "` here%s" GM_STR_FMT "%s",
                      GM_STR_ARG(gm_name_of(F, first->name)), near.len > 0 ? "; is `" : "", GM_STR_ARG(near),
                      near.len > 0 ? "` meant?" : "");
}
