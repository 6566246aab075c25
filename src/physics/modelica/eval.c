// Expressions become values. Nothing is computed but what is constant: a value holds expressions of variables.
#include "physics/modelica/flatten.h"

#include <math.h>

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
    gm_str left = gm_value_text(F, a), right = gm_value_text(F, b);
    return gm_fail_value(F, at->at, at->length, "%s between " GM_STR_FMT " and " GM_STR_FMT " has no meaning", op_text(op),
                      GM_STR_ARG(left), GM_STR_ARG(right));
}

// Element by element; a scalar goes with every element.
static value each(gm_flatten *F, value_type type, gm_ex_op op, const value *a, const value *b)
{
    const value *shape = a->ndims > 0 ? a : b;
    value        v     = gm_value_fill(F, type, shape->ndims, shape->dims, 0);
    for (uint32_t i = 0; i < v.count; i++) {
        gm_ex e = gm_ex_2(F->ex, op, gm_value_at(a, a->ndims > 0 ? i : 0), gm_value_at(b, b->ndims > 0 ? i : 0));
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
    value v = gm_value_fill(F, type, ndims, dims, 0);
    for (uint32_t r = 0; r < rows; r++) {
        for (uint32_t c = 0; c < columns; c++) {
            gm_ex sum = gm_ex_const(F->ex, 0);
            for (uint32_t k = 0; k < inner; k++) {
                gm_ex term =
                    gm_ex_2(F->ex, GM_EX_MUL, a->many[(size_t)r * inner + k], b->many[(size_t)k * columns + c]);
                sum        = gm_ex_2(F->ex, GM_EX_ADD, sum, term);
                gm_flatten_step(F);
            }
            if (ndims == 0) v.one = sum;
            else v.many[(size_t)r * columns + c] = sum;
        }
    }
    return v;
}

// M^k of a square matrix and a constant whole number k >= 0, by squaring.
static value matrix_power(gm_flatten *F, const gm_ast_expr *at, const value *a, const value *b)
{
    double k;
    if (b->type != V_INTEGER || !gm_fold(F, b->one, true, &k) || !(k >= 0 && k <= 1000))
        return wrong_operands(F, at, GM_TOKEN_POWER, a, b);
    uint32_t n = a->dims[0];
    value    v = gm_value_fill(F, V_REAL, 2, a->dims, gm_ex_const(F->ex, 0)), square = *a;
    for (uint32_t i = 0; i < n; i++) v.many[(size_t)i * n + i] = gm_ex_const(F->ex, 1);
    for (uint32_t rest = (uint32_t)k; rest > 0; rest /= 2) {
        if (rest % 2 == 1) v = matrix_product(F, at, V_REAL, &v, &square);
        if (rest > 1) square = matrix_product(F, at, V_REAL, &square, &square);
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
    if (op == GM_TOKEN_POWER && a->ndims == 2 && a->dims[0] == a->dims[1] && b->ndims == 0) return matrix_power(F, at, a, b);
    bool fits = both ? gm_value_same_shape(a, b) : true;
    if (!table[k].elementwise) {
        // + and - want equal shapes; * a scalar on one side; / a scalar on the right; ^ scalars.
        if (op == GM_TOKEN_PLUS || op == GM_TOKEN_MINUS) fits = gm_value_same_shape(a, b);
        else if (op == GM_TOKEN_DIVIDE) fits = b->ndims == 0;
        else if (op == GM_TOKEN_POWER) fits = a->ndims == 0 && b->ndims == 0;
    }
    if (!fits) return wrong_operands(F, at, op, a, b);
    return each(F, type, table[k].op, a, b);
}

static value comparison(gm_flatten *F, const gm_ast_expr *at, uint32_t op, const value *a, const value *b, bool quiet)
{
    bool same =
        a->type == b->type && (a->type == V_BOOLEAN || (a->type == V_ENUM && a->cls == b->cls) || a->type == V_STRING);
    if (a->ndims > 0 || b->ndims > 0 || (!same && !(is_number(a) && is_number(b))))
        return wrong_operands(F, at, op, a, b);
    if (a->type == V_STRING) {
        gm_str left, right;
        if (!gm_value_constant_text(F, a, &left) || !gm_value_constant_text(F, b, &right))
            return wrong_operands(F, at, op, a, b);
        int  order  = gm_str_cmp(left, right);
        bool answer = op == GM_TOKEN_EQUAL        ? order == 0
                      : op == GM_TOKEN_UNEQUAL    ? order != 0
                      : op == GM_TOKEN_LESS       ? order < 0
                      : op == GM_TOKEN_LESS_EQUAL ? order <= 0
                      : op == GM_TOKEN_GREATER    ? order > 0
                                                  : order >= 0;
        return gm_value_scalar(V_BOOLEAN, gm_ex_const(F->ex, answer));
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
    return gm_value_scalar(V_BOOLEAN, gm_ex_compare(F->ex, kind, x, y, quiet || discrete));
}

value gm_eval_binary(gm_flatten *F, const gm_ast_expr *at, uint32_t op, value a, value b, bool quiet)
{
    if (a.type == V_ERROR || b.type == V_ERROR) return (value){ 0 };
    gm_flatten_step(F);
    switch (op) {
    case GM_KEY_AND:
    case GM_KEY_OR:
        if (a.type != V_BOOLEAN || b.type != V_BOOLEAN || !gm_value_same_shape(&a, &b))
            return wrong_operands(F, at, op, &a, &b);
        return each(F, V_BOOLEAN, op == GM_KEY_AND ? GM_EX_AND : GM_EX_OR, &a, &b);
    case GM_TOKEN_LESS: case GM_TOKEN_LESS_EQUAL: case GM_TOKEN_GREATER: case GM_TOKEN_GREATER_EQUAL:
    case GM_TOKEN_EQUAL: case GM_TOKEN_UNEQUAL: return comparison(F, at, op, &a, &b, quiet);
    case GM_TOKEN_PLUS:
        if (a.type == V_STRING && b.type == V_STRING && a.ndims == 0 && b.ndims == 0) {
            gm_str left, right;
            if (!gm_value_constant_text(F, &a, &left) || !gm_value_constant_text(F, &b, &right)) break;
            return gm_value_scalar(V_STRING, gm_ex_text(F->ex, gm_work_printf(&F->w, GM_STR_FMT GM_STR_FMT,
                                                                           GM_STR_ARG(left), GM_STR_ARG(right))));
        }
        break;
    default: break;
    }
    return arithmetic(F, at, op, &a, &b);
}

static value eval_unary(gm_flatten *F, const scope *s, const gm_ast_expr *e)
{
    value v = gm_eval(F, s, e->items[0]);
    if (v.type == V_ERROR) return v;
    bool is_not = e->op == GM_KEY_NOT;
    if (is_not ? v.type != V_BOOLEAN : !is_number(&v)) {
        gm_str found = gm_value_text(F, &v);
        return gm_fail_value(F, e->at, e->length, "%s of " GM_STR_FMT " has no meaning", op_text(e->op),
                          GM_STR_ARG(found));
    }
    if (e->op == GM_TOKEN_PLUS || e->op == GM_TOKEN_DOT_PLUS) return v;
    value out = gm_value_fill(F, (value_type)v.type, v.ndims, v.dims, 0);
    for (uint32_t i = 0; i < v.count; i++) {
        gm_ex x = gm_ex_1(F->ex, is_not ? GM_EX_NOT : GM_EX_NEG, gm_value_at(&v, i));
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
    value v = gm_eval(F, s, left);
    for (uint32_t i = 0; i < length; i++)
        v = gm_eval_binary(F, spine[i], spine[i]->op, v, gm_eval(F, s, spine[i]->items[1]), s->quiet);
    return v;
}

static value eval_if(gm_flatten *F, const scope *s, const gm_ast_expr *e, uint32_t from)
{
    if (from + 1 >= e->count) return gm_eval(F, s, e->items[from]);
    gm_ex condition = gm_eval_scalar(F, s, e->items[from], V_BOOLEAN, "a condition");
    bool  known;
    if (condition == GM_EX_NONE) return (value){ 0 };
    // A case that can not occur is not looked at: that is how recursive functions end and optional elements are
    // guarded.
    if (gm_fold_condition(F, condition, false, &known))
        return known ? gm_eval(F, s, e->items[from + 1]) : eval_if(F, s, e, from + 2);
    value a = gm_eval(F, s, e->items[from + 1]);
    return gm_value_select(F, condition, a, eval_if(F, s, e, from + 2), e);
}

// ---------------------------------------------------------------------------------------------------- arrays

bool gm_eval_range(gm_flatten *F, const scope *s, const gm_ast_iterator *it, value *out)
{
    if (it->range == NULL) {
        gm_flatten_error(F, it->at, 1, "the range of `" GM_STR_FMT "` must be given: for " GM_STR_FMT " in 1:n",
                      GM_STR_ARG(gm_name_of(F, it->name)), GM_STR_ARG(gm_name_of(F, it->name)));
        return false;
    }
    // `for c in Colour`, `for b in Boolean`
    if (it->range->kind == GM_AST_REF && (s->in == NULL || gm_inst_kid(F, s->in, it->range->ref->parts[0].name) == NULL)) {
        const gm_ast_class *cls = gm_resolve_class(F, s->cls, it->range->ref, false);
        layout             *lay = cls != NULL ? gm_class_layout(F, cls) : NULL;
        if (lay != NULL && lay->is_prim && (lay->enumeration != NULL || lay->prim == V_BOOLEAN)) {
            uint32_t n = lay->enumeration != NULL ? lay->enumeration->literal_count : 2;
            *out       = gm_value_array(F, lay->prim, 1, &n);
            out->cls   = lay->enumeration;
            for (uint32_t i = 0; i < n; i++) out->many[i] = gm_ex_const(F->ex, lay->enumeration != NULL ? i + 1 : i);
            return true;
        }
    }
    *out = gm_eval(F, s, it->range);
    if (out->type == V_ERROR) return false;
    if (out->ndims != 1) {
        gm_flatten_error(F, it->range->at, it->range->length, "a range or a vector is expected");
        return false;
    }
    return true;
}

static value eval_range_expr(gm_flatten *F, const scope *s, const gm_ast_expr *e)
{
    double at[3] = { 1, 1, 1 };
    bool   real  = false;
    for (uint32_t i = 0; i < e->count; i++) {
        value v = gm_eval(F, s, e->items[i]);
        if (v.type == V_ERROR) return v;
        if (v.ndims > 0 || (!is_number(&v) && v.type != V_ENUM) || !gm_fold(F, v.one, true, &at[i])) {
            return gm_fail_value(F, e->items[i]->at, e->items[i]->length,
                              "the bounds of a range must be numbers that are known before the simulation");
        }
        real |= v.type == V_REAL;
    }
    double first = at[0], step = e->count == 3 ? at[1] : 1, last = e->count == 3 ? at[2] : at[1];
    if (step == 0) return gm_fail_value(F, e->at, e->length, "the step of a range can not be 0");
    double span = floor((last - first) / step + (real ? 1e-10 : 0)) + 1;
    if (!(span > 0)) span = 0;
    if (span > GM_ARRAY_MAX) return gm_fail_value(F, e->at, e->length, "a range of more than %d elements", GM_ARRAY_MAX);
    uint32_t n = (uint32_t)span;
    value    v = gm_value_array(F, real ? V_REAL : V_INTEGER, 1, &n);
    for (uint32_t i = 0; i < n; i++) v.many[i] = gm_ex_const(F->ex, first + i * step);
    return v;
}

// {e for i in r, j in q}: the last loop variable is the outermost dimension.
static value comprehension(gm_flatten *F, const scope *s, const gm_ast_expr *e, uint32_t iterators)
{
    if (iterators == 0) return gm_eval(F, s, e->items[0]);
    const gm_ast_iterator *it = &e->iterators[iterators - 1];
    value                  range;
    if (!gm_eval_range(F, s, it, &range)) return (value){ 0 };
    value *items = GM_WORK_NEW(&F->w, value, range.count > 0 ? range.count : 1);
    for (uint32_t i = 0; i < range.count; i++) {
        gm_flatten_step(F);
        local here  = { .name = it->name, .v = gm_value_element(F, &range, i), .next = s->locals };
        scope inner = *s;
        inner.locals = &here;
        items[i]     = comprehension(F, &inner, e, iterators - 1);
        if (items[i].type == V_ERROR) return items[i];
    }
    return gm_value_stack(F, items, range.count, e);
}

static value eval_array(gm_flatten *F, const scope *s, const gm_ast_expr *e)
{
    if (e->iterator_count > 0) return comprehension(F, s, e, e->iterator_count);
    value *items = GM_WORK_NEW(&F->w, value, e->count > 0 ? e->count : 1);
    for (uint32_t i = 0; i < e->count; i++) items[i] = gm_eval(F, s, e->items[i]);
    return gm_value_stack(F, items, e->count, e);
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
            value v = rows[r][c] = gm_eval(F, s, row->items[c]);
            uint32_t h, w;
            if (v.type == V_ERROR) return v;
            matrix_shape(&v, &h, &w);
            if (v.ndims > 2 || v.type == V_RECORD || (c > 0 && h != row_height)) {
                return gm_fail_value(F, row->items[c]->at, row->items[c]->length,
                                  "the parts of a matrix row must have equal heights");
            }
            row_height = h;
            row_width += w;
            if (r == 0 && c == 0) type = (value_type)v.type;
            else if (v.type != type && !(is_number(&v) && (type == V_REAL || type == V_INTEGER))) {
                return gm_fail_value(F, row->items[c]->at, row->items[c]->length,
                                  "the parts of a matrix must be of one type");
            } else if (v.type == V_REAL) type = V_REAL;
        }
        if (r > 0 && row_width != width)
            return gm_fail_value(F, row->at, row->length, "this row has %u columns, the one above %u", row_width, width);
        width = row_width;
        height += row_height;
    }
    value    m  = gm_value_array(F, type, 2, (uint32_t[]){ height, width });
    uint32_t at = 0;
    for (uint32_t r = 0; r < e->count; r++) {
        uint32_t column = 0, h = 0, w;
        for (uint32_t c = 0; c < e->items[r]->count; c++) {
            const value *v = &rows[r][c];
            matrix_shape(v, &h, &w);
            for (uint32_t i = 0; i < h; i++) {
                for (uint32_t j = 0; j < w; j++) m.many[(size_t)(at + i) * width + column + j] = gm_value_at(v, i * w + j);
            }
            column += w;
        }
        at += h;
    }
    return m;
}

// ---------------------------------------------------------------------------------------------------- all

value gm_eval(gm_flatten *F, const scope *s, const gm_ast_expr *e)
{
    if (++F->eval_depth > 4 * F->limits.depth_max) {
        gm_work_stop(&F->w, GM_LIMIT, "physics.modelica", "expressions and functions are nested too deep");
    }
    value v = { 0 };
    switch ((gm_ast_kind)e->kind) {
    case GM_AST_REAL: v = gm_value_scalar(V_REAL, gm_ex_const(F->ex, e->number)); break;
    case GM_AST_INTEGER: v = gm_value_scalar(V_INTEGER, gm_ex_const(F->ex, e->number)); break;
    case GM_AST_BOOLEAN: v = gm_value_scalar(V_BOOLEAN, gm_ex_const(F->ex, e->number)); break;
    case GM_AST_STRING: v = gm_value_scalar(V_STRING, gm_ex_text(F->ex, e->text)); break;
    case GM_AST_REF: v = gm_eval_ref(F, s, e->ref); break;
    case GM_AST_CALL: v = gm_eval_call(F, s, e, NULL, 0); break;
    case GM_AST_UNARY: v = eval_unary(F, s, e); break;
    case GM_AST_BINARY: v = eval_chain(F, s, e); break;
    case GM_AST_IF: v = eval_if(F, s, e, 0); break;
    case GM_AST_ARRAY: v = eval_array(F, s, e); break;
    case GM_AST_MATRIX: v = eval_matrix(F, s, e); break;
    case GM_AST_RANGE: v = eval_range_expr(F, s, e); break;
    case GM_AST_END:
        if (F->end_dim == NULL) v = gm_fail_value(F, e->at, e->length, "`end` has a meaning inside subscripts only");
        else v = gm_value_scalar(V_INTEGER, gm_ex_const(F->ex, *F->end_dim));
        break;
    case GM_AST_COLON: v = gm_fail_value(F, e->at, e->length, "`:` has a meaning inside subscripts only"); break;
    case GM_AST_TUPLE:
        v = gm_fail_value(F, e->at, e->length, "a list in parentheses can only stand at the left of a call");
        break;
    case GM_AST_BROKEN: break;
    }
    F->eval_depth--;
    return v;
}

gm_ex gm_eval_scalar(gm_flatten *F, const scope *s, const gm_ast_expr *e, value_type type, const char *what)
{
    value v = gm_eval(F, s, e);
    if (v.type == V_ERROR) return GM_EX_NONE;
    if (v.ndims > 0 || !gm_value_convert(F, &v, type, NULL)) {
        static const char *const names[] = { "?",        "a Real",         "an Integer", "a Boolean",
                                             "a String", "an enumeration", "a record" };
        gm_str                   found   = gm_value_text(F, &v);
        gm_flatten_error(F, e->at, e->length, "%s is %s, this is " GM_STR_FMT, what, names[type], GM_STR_ARG(found));
        return GM_EX_NONE;
    }
    return v.one;
}

bool gm_eval_number(gm_flatten *F, const scope *s, const gm_ast_expr *e, value_type type, const char *what, double *out)
{
    gm_ex x = gm_eval_scalar(F, s, e, type, what);
    if (x == GM_EX_NONE) return false;
    if (gm_fold(F, x, true, out)) return true;
    gm_flatten_error(F, e->at, e->length, "%s must be known before the simulation begins", what);
    return false;
}

bool gm_eval_integer(gm_flatten *F, const scope *s, const gm_ast_expr *e, const char *what, int64_t *out)
{
    double number;
    if (!gm_eval_number(F, s, e, V_INTEGER, what, &number)) return false;
    if (!(number >= -9e15 && number <= 9e15)) {
        gm_flatten_error(F, e->at, e->length, "%s is out of range", what);
        return false;
    }
    *out = (int64_t)number;
    return true;
}
