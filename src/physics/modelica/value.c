// Values: scalars, arrays and records of expressions.
#include "physics/modelica/flatten.h"

#include <stdio.h>

value gm_value_scalar(value_type type, gm_ex e)
{
    return (value){ .type = (uint8_t)type, .count = 1, .one = e };
}

static uint32_t product(gm_flatten *F, uint32_t ndims, const uint32_t *dims)
{
    uint64_t count = 1;
    for (uint32_t i = 0; i < ndims; i++) {
        count *= dims[i];
        if (count > GM_ARRAY_MAX) {
            gm_work_stop(&F->w, GM_LIMIT, "physics.modelica", "an array has more than %d elements", GM_ARRAY_MAX);
        }
    }
    return (uint32_t)count;
}

value gm_value_array(gm_flatten *F, value_type type, uint32_t ndims, const uint32_t *dims)
{
    value v = { .type = (uint8_t)type, .ndims = (uint8_t)ndims, .count = product(F, ndims, dims) };
    if (ndims == 0) return v;
    uint32_t *copy = GM_WORK_NEW(&F->w, uint32_t, ndims);
    memcpy(copy, dims, ndims * sizeof *copy);
    v.dims = copy;
    F->steps += v.count;
    if (type == V_RECORD) v.elements = GM_WORK_NEW(&F->w, value, v.count);
    else v.many = GM_WORK_NEW(&F->w, gm_ex, v.count);
    return v;
}

value gm_value_fill(gm_flatten *F, value_type type, uint32_t ndims, const uint32_t *dims, gm_ex e)
{
    if (ndims == 0) return gm_value_scalar(type, e);
    value v = gm_value_array(F, type, ndims, dims);
    for (uint32_t i = 0; i < v.count; i++) v.many[i] = e;
    return v;
}

value gm_value_element(gm_flatten *F, const value *v, uint32_t i)
{
    (void)F;
    uint32_t stride = v->dims[0] > 0 ? v->count / v->dims[0] : 0;
    if (v->ndims == 1) {
        if (v->type == V_RECORD) return v->elements[i];
        value one = gm_value_scalar((value_type)v->type, v->many[i]);
        one.cls   = v->cls;
        return one;
    }
    value part = *v;
    part.ndims--;
    part.dims++;
    part.count = stride;
    if (v->type == V_RECORD) part.elements += (size_t)i * stride;
    else part.many += (size_t)i * stride;
    return part;
}

bool gm_value_same_shape(const value *a, const value *b)
{
    return a->ndims == b->ndims && (a->ndims == 0 || memcmp(a->dims, b->dims, a->ndims * sizeof *a->dims) == 0);
}

static gm_str shape_text(gm_flatten *F, const value *v)
{
    char   text[200];
    size_t len = 0;
    for (uint32_t i = 0; i < v->ndims; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%u", i == 0 ? "[" : ", ", v->dims[i]);
    }
    if (v->ndims > 0) len += (size_t)snprintf(text + len, sizeof text - len, "]");
    return gm_work_str(&F->w, (gm_str){ text, len });
}

gm_str gm_value_text(gm_flatten *F, const value *v)
{
    static const char *const names[] = { "?", "Real", "Integer", "Boolean", "String", "enumeration", "record" };
    gm_str                   shape   = shape_text(F, v);
    if (v->cls != NULL && (v->type == V_ENUM || v->type == V_RECORD)) {
        return gm_work_printf(&F->w, GM_STR_FMT GM_STR_FMT, GM_STR_ARG(gm_class_path(F, v->cls)), GM_STR_ARG(shape));
    }
    return gm_work_printf(&F->w, "%s" GM_STR_FMT, names[v->type], GM_STR_ARG(shape));
}

bool gm_value_convert(gm_flatten *F, value *v, value_type type, const gm_ast_class *cls)
{
    (void)F;
    if (v->type == V_ERROR) return true;
    if (v->type == V_INTEGER && type == V_REAL) v->type = V_REAL;
    if (v->count == 0 && v->ndims > 0) v->type = (uint8_t)type;  // an empty array is one of anything
    if (v->type != type) return false;
    return type != V_ENUM || cls == NULL || v->cls == NULL || v->cls == cls;
}

bool gm_value_constant_text(gm_flatten *F, const value *v, gm_str *out)
{
    if (v->type != V_STRING || v->ndims != 0 || gm_ex_op_of(F->ex, v->one) != GM_EX_TEXT) return false;
    *out = F->ex->texts[gm_ex_at(F->ex, v->one)->id];
    return true;
}

// The type that holds both; V_ERROR when there is none.
static value_type common_type(const value *a, const value *b)
{
    if (a->type == b->type) return (value_type)a->type;
    bool numbers = (a->type == V_REAL || a->type == V_INTEGER) && (b->type == V_REAL || b->type == V_INTEGER);
    return numbers ? V_REAL : V_ERROR;
}

value gm_value_stack(gm_flatten *F, const value *items, uint32_t count, const gm_ast_expr *at)
{
    if (count == 0) {
        uint32_t none = 0;
        return gm_value_array(F, V_REAL, 1, &none);
    }
    value_type type = (value_type)items[0].type;
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].type == V_ERROR) return (value){ 0 };
        value_type both = i == 0 ? type : common_type(&items[0], &items[i]);
        if (both == V_ERROR || !gm_value_same_shape(&items[0], &items[i])) {
            gm_str first = gm_value_text(F, &items[0]), other = gm_value_text(F, &items[i]);
            return gm_fail_value(F, at->at, at->length, "the elements of an array must be alike: the first is " GM_STR_FMT
                              ", element %u is " GM_STR_FMT, GM_STR_ARG(first), i + 1, GM_STR_ARG(other));
        }
        if (both == V_REAL) type = V_REAL;
    }
    uint32_t dims[GM_DIMS_MAX];
    if (items[0].ndims + 1u > GM_DIMS_MAX)
        return gm_fail_value(F, at->at, at->length, "an array of more than %d dimensions", GM_DIMS_MAX);
    dims[0] = count;
    if (items[0].ndims > 0) memcpy(dims + 1, items[0].dims, items[0].ndims * sizeof *dims);
    value v = gm_value_array(F, type, items[0].ndims + 1u, dims);
    v.cls   = items[0].cls;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < items[i].count; k++) {
            size_t to = (size_t)i * items[0].count + k;
            if (type != V_RECORD) v.many[to] = gm_value_at(&items[i], k);
            else v.elements[to] = items[i].ndims == 0 ? items[i] : items[i].elements[k];
        }
    }
    return v;
}

value gm_value_select(gm_flatten *F, gm_ex condition, value a, value b, const gm_ast_expr *at)
{
    if (a.type == V_ERROR || b.type == V_ERROR) return (value){ 0 };
    value_type type = common_type(&a, &b);
    if (type == V_ERROR || !gm_value_same_shape(&a, &b)) {
        gm_str one = gm_value_text(F, &a), other = gm_value_text(F, &b);
        return gm_fail_value(F, at->at, at->length,
                          "both cases must be alike: one is " GM_STR_FMT ", the other " GM_STR_FMT, GM_STR_ARG(one),
                          GM_STR_ARG(other));
    }
    if (type == V_RECORD) {
        value    v = a;
        uint32_t n = a.ndims > 0 ? a.count : gm_class_layout(F, a.cls)->slot_count;
        v.fields   = GM_WORK_NEW(&F->w, value, n);
        for (uint32_t i = 0; i < n; i++) v.fields[i] = gm_value_select(F, condition, a.fields[i], b.fields[i], at);
        return v;
    }
    value v = gm_value_fill(F, type, a.ndims, a.dims, 0);
    v.cls   = a.cls;
    if (a.ndims == 0) {
        v.one = gm_ex_3(F->ex, GM_EX_SELECT, condition, a.one, b.one);
        return v;
    }
    for (uint32_t i = 0; i < a.count; i++) v.many[i] = gm_ex_3(F->ex, GM_EX_SELECT, condition, a.many[i], b.many[i]);
    return v;
}

// What a variable of a function holds before anything is assigned to it.
value gm_default_value(gm_flatten *F, layout *lay)
{
    if (lay->is_prim) {
        value v = gm_value_scalar(lay->prim, lay->prim == V_STRING ? gm_ex_text(F->ex, GM_STR(""))
                                                                : gm_ex_const(F->ex, lay->prim == V_ENUM));
        v.cls   = lay->enumeration;
        return v;
    }
    value v  = { .type = V_RECORD, .count = 1, .cls = lay->cls };
    v.fields = GM_WORK_NEW(&F->w, value, lay->slot_count);
    for (uint32_t i = 0; i < lay->slot_count; i++) {
        slot *s = &lay->slots[i];
        if (!s->type_known) {
            const gm_ast_class *cls = gm_resolve_class(F, s->cls, s->decl->type, true);
            s->type                 = cls != NULL ? gm_class_layout(F, cls) : NULL;
            s->type_known           = true;
        }
        if (s->type != NULL && s->decl->dimension_count == 0) v.fields[i] = gm_default_value(F, s->type);
    }
    return v;
}
