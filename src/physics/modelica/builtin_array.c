// Functions that make and measure arrays (Modelica 3.6, 10.3).
#include "physics/modelica/builtin.h"

value gm_eval_size(gm_flatten *F, const scope *s, const gm_ast_expr **args, uint32_t count)
{
    value v = gm_eval(F, s, args[0]);
    if (v.type == V_ERROR) return v;
    if (count == 1) {
        uint32_t n   = v.ndims;
        value    out = gm_value_array(F, V_INTEGER, 1, &n);
        for (uint32_t i = 0; i < n; i++) out.many[i] = gm_ex_const(F->ex, v.dims[i]);
        return out;
    }
    int64_t dimension;
    if (!gm_eval_integer(F, s, args[1], "the dimension", &dimension)) return (value){ 0 };
    if (dimension < 1 || dimension > v.ndims) {
        return gm_fail_value(F, args[1]->at, args[1]->length, "this array has %u dimensions, dimension %lld is asked for",
                          v.ndims, (long long)dimension);
    }
    return gm_value_scalar(V_INTEGER, gm_ex_const(F->ex, v.dims[dimension - 1]));
}

static bool read_dims(gm_flatten *F, const scope *s, const gm_ast_expr **args, uint32_t count, uint32_t *out)
{
    for (uint32_t i = 0; i < count; i++) {
        int64_t size;
        if (!gm_eval_integer(F, s, args[i], "a size", &size)) return false;
        if (size < 0 || size > GM_ARRAY_MAX) {
            gm_flatten_error(F, args[i]->at, args[i]->length, "a size is between 0 and %d", GM_ARRAY_MAX);
            return false;
        }
        out[i] = (uint32_t)size;
    }
    return true;
}

value gm_eval_fill(gm_flatten *F, const scope *s, builtin kind, const gm_ast_expr **args, uint32_t count)
{
    uint32_t dims[GM_DIMS_MAX];
    if (kind != B_FILL) {
        if (!read_dims(F, s, args, count, dims)) return (value){ 0 };
        return gm_value_fill(F, V_INTEGER, count, dims, gm_ex_const(F->ex, kind == B_ONES));
    }
    value v = gm_eval(F, s, args[0]);
    if (v.type == V_ERROR || !read_dims(F, s, args + 1, count - 1, dims)) return (value){ 0 };
    if (v.ndims > 0 || v.type == V_RECORD) return gm_wrong_argument(F, "fill", args[0], &v, "a scalar");
    value out = gm_value_fill(F, (value_type)v.type, count - 1, dims, v.one);
    out.cls   = v.cls;
    return out;
}

value gm_eval_square(gm_flatten *F, const scope *s, builtin kind, const gm_ast_expr *arg)
{
    value    diagonal = { 0 };
    uint32_t dims[2];
    if (kind == B_IDENTITY) {
        if (!read_dims(F, s, &arg, 1, dims)) return diagonal;
    } else {
        diagonal = gm_eval(F, s, arg);
        if (!gm_is_numeric(&diagonal) || diagonal.ndims != 1)
            return gm_wrong_argument(F, "diagonal", arg, &diagonal, "a vector");
        dims[0] = diagonal.dims[0];
    }
    dims[1] = dims[0];
    value v = gm_value_fill(F, kind == B_IDENTITY ? V_INTEGER : (value_type)diagonal.type, 2, dims, gm_ex_const(F->ex, 0));
    for (uint32_t i = 0; i < dims[0]; i++)
        v.many[(size_t)i * dims[0] + i] = kind == B_IDENTITY ? gm_ex_const(F->ex, 1) : diagonal.many[i];
    return v;
}

value gm_eval_linspace(gm_flatten *F, const scope *s, const gm_ast_expr **args)
{
    gm_ex a = gm_eval_scalar(F, s, args[0], V_REAL, "the first value"),
          b = gm_eval_scalar(F, s, args[1], V_REAL, "the last value");
    int64_t n;
    if (a == GM_EX_NONE || b == GM_EX_NONE || !gm_eval_integer(F, s, args[2], "the count", &n)) return (value){ 0 };
    if (n < 2 || n > GM_ARRAY_MAX)
        return gm_fail_value(F, args[2]->at, args[2]->length, "`linspace` makes at least 2 values");
    uint32_t count = (uint32_t)n;
    value    v     = gm_value_array(F, V_REAL, 1, &count);
    for (uint32_t i = 0; i < count; i++) {
        gm_ex share = gm_ex_const(F->ex, i / (count - 1.0));
        v.many[i]   = i == count - 1 ? b
                                     : gm_ex_2(F->ex, GM_EX_ADD, a,
                                               gm_ex_2(F->ex, GM_EX_MUL, gm_ex_2(F->ex, GM_EX_SUB, b, a), share));
    }
    return v;
}

value gm_eval_transpose(gm_flatten *F, const scope *s, const gm_ast_expr *arg)
{
    value a = gm_eval(F, s, arg);
    if (a.type == V_RECORD || a.ndims != 2) return gm_wrong_argument(F, "transpose", arg, &a, "a matrix");
    value v = gm_value_array(F, (value_type)a.type, 2, (uint32_t[]){ a.dims[1], a.dims[0] });
    for (uint32_t i = 0; i < a.dims[0]; i++) {
        for (uint32_t j = 0; j < a.dims[1]; j++) v.many[(size_t)j * a.dims[0] + i] = a.many[(size_t)i * a.dims[1] + j];
    }
    return v;
}

value gm_eval_cross(gm_flatten *F, const scope *s, const gm_ast_expr **args)
{
    value a = gm_eval(F, s, args[0]), b = gm_eval(F, s, args[1]);
    if (!gm_is_numeric(&a) || a.ndims != 1 || a.count != 3)
        return gm_wrong_argument(F, "cross", args[0], &a, "a vector of 3");
    if (!gm_is_numeric(&b) || b.ndims != 1 || b.count != 3)
        return gm_wrong_argument(F, "cross", args[1], &b, "a vector of 3");
    value v = gm_value_array(F, V_REAL, 1, a.dims);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t j = (i + 1) % 3, k = (i + 2) % 3;
        v.many[i] = gm_ex_2(F->ex, GM_EX_SUB, gm_ex_2(F->ex, GM_EX_MUL, a.many[j], b.many[k]),
                            gm_ex_2(F->ex, GM_EX_MUL, a.many[k], b.many[j]));
    }
    return v;
}

// The upper triangle, mirrored.
value gm_eval_symmetric(gm_flatten *F, const scope *s, const gm_ast_expr *arg)
{
    value a = gm_eval(F, s, arg);
    if (!gm_is_numeric(&a) || a.ndims != 2 || a.dims[0] != a.dims[1])
        return gm_wrong_argument(F, "symmetric", arg, &a, "a square matrix");
    uint32_t n = a.dims[0];
    value    v = gm_value_array(F, (value_type)a.type, 2, a.dims);
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < n; j++) v.many[(size_t)i * n + j] = i > j ? a.many[(size_t)j * n + i] : a.many[(size_t)i * n + j];
    }
    return v;
}

// The matrix with which a cross product is a product: skew(a)*b = cross(a, b).
value gm_eval_skew(gm_flatten *F, const scope *s, const gm_ast_expr *arg)
{
    value a = gm_eval(F, s, arg);
    if (!gm_is_numeric(&a) || a.ndims != 1 || a.count != 3) return gm_wrong_argument(F, "skew", arg, &a, "a vector of 3");
    value v = gm_value_fill(F, (value_type)a.type, 2, (uint32_t[]){ 3, 3 }, gm_ex_const(F->ex, 0));
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t j = (i + 1) % 3, k = (i + 2) % 3;
        v.many[(size_t)k * 3 + j] = a.many[i];
        v.many[(size_t)j * 3 + k] = gm_ex_1(F->ex, GM_EX_NEG, a.many[i]);
    }
    return v;
}

value gm_eval_outer(gm_flatten *F, const scope *s, const gm_ast_expr **args)
{
    value a = gm_eval(F, s, args[0]), b = gm_eval(F, s, args[1]);
    if (!gm_is_numeric(&a) || a.ndims != 1) return gm_wrong_argument(F, "outerProduct", args[0], &a, "a vector");
    if (!gm_is_numeric(&b) || b.ndims != 1) return gm_wrong_argument(F, "outerProduct", args[1], &b, "a vector");
    value_type type = a.type == V_REAL || b.type == V_REAL ? V_REAL : V_INTEGER;
    value      v    = gm_value_array(F, type, 2, (uint32_t[]){ a.count, b.count });
    for (uint32_t i = 0; i < a.count; i++) {
        for (uint32_t j = 0; j < b.count; j++) v.many[(size_t)i * b.count + j] = gm_ex_2(F->ex, GM_EX_MUL, a.many[i], b.many[j]);
    }
    return v;
}

value gm_eval_reshape(gm_flatten *F, const scope *s, builtin kind, const gm_ast_expr *arg)
{
    value a = gm_eval(F, s, arg);
    if (a.type == V_ERROR || a.type == V_RECORD) return gm_wrong_argument(F, "scalar", arg, &a, "an array of numbers");
    if (kind == B_SCALAR) {
        if (a.count != 1) return gm_wrong_argument(F, "scalar", arg, &a, "an array of one element");
        value v = gm_value_scalar((value_type)a.type, gm_value_at(&a, 0));
        v.cls   = a.cls;
        return v;
    }
    uint32_t dims[2] = { a.count, 1 };
    if (kind == B_MATRIX && a.ndims >= 2) memcpy(dims, a.dims, sizeof dims);
    value v = gm_value_array(F, (value_type)a.type, kind == B_VECTOR ? 1 : 2, dims);
    if (v.count != a.count) return gm_wrong_argument(F, "matrix", arg, &a, "at most two dimensions");
    for (uint32_t i = 0; i < a.count; i++) v.many[i] = gm_value_at(&a, i);
    return v;
}

// cat(k, A, B, ...): side by side along dimension k, by halves: before k, along k, after k.
value gm_eval_cat(gm_flatten *F, const scope *s, const gm_ast_expr *call)
{
    int64_t along;
    if (!gm_eval_integer(F, s, call->items[0], "the dimension", &along)) return (value){ 0 };
    uint32_t   n     = call->count - 1, k = (uint32_t)(along - 1), total = 0;
    value     *parts = GM_WORK_NEW(&F->w, value, n);
    value_type type  = V_INTEGER;
    for (uint32_t i = 0; i < n; i++) {
        parts[i] = gm_eval(F, s, call->items[i + 1]);
        const value *p = &parts[i];
        if (p->type == V_ERROR) return *p;
        bool fits = p->type != V_RECORD && along >= 1 && k < p->ndims && p->ndims == parts[0].ndims;
        for (uint32_t d = 0; fits && d < p->ndims; d++) fits = d == k || p->dims[d] == parts[0].dims[d];
        if (i > 0) fits &= p->type == parts[0].type || (gm_is_numeric(p) && gm_is_numeric(&parts[0]));
        if (!fits) return gm_wrong_argument(F, "cat", call->items[i + 1], p, "arrays that fit together");
        if (i == 0 || p->type == V_REAL) type = (value_type)p->type;
        total += p->dims[k];
    }
    uint32_t dims[GM_DIMS_MAX], before = 1, after = 1;
    memcpy(dims, parts[0].dims, parts[0].ndims * sizeof *dims);
    for (uint32_t d = 0; d < k; d++) before *= dims[d];
    for (uint32_t d = k + 1; d < parts[0].ndims; d++) after *= dims[d];
    dims[k]    = total;
    value  v   = gm_value_array(F, type, parts[0].ndims, dims);
    size_t out = 0;
    for (uint32_t b = 0; b < before; b++) {
        for (uint32_t i = 0; i < n; i++) {
            size_t run = (size_t)parts[i].dims[k] * after;
            for (size_t e = 0; e < run; e++) v.many[out++] = parts[i].many[b * run + e];
        }
    }
    return v;
}
