// The functions of the language (Modelica 3.6, 3.7 and 10.3), and the few of ours that a class only declares.
#include "physics/modelica/builtin.h"

#include <stdio.h>

#include <math.h>

static const struct { const char *name; builtin kind; gm_ex_op op; int least, most; const char *names;
} table[] = {
    { "der", B_DER, 0, 1, 1, "" },
    { "pre", B_PRE, 0, 1, 1, "" },
    { "edge", B_EDGE, 0, 1, 1, "" },
    { "change", B_CHANGE, 0, 1, 1, "" },
    { "initial", B_INITIAL, 0, 0, 0, "" },
    { "terminal", B_TERMINAL, 0, 0, 0, "" },
    { "sample", B_SAMPLE, 0, 2, 2, "start,interval" },
    { "noEvent", B_NOEVENT, 0, 1, 1, "" },
    { "smooth", B_SMOOTH, 0, 2, 2, "p,expr" },
    { "delay", B_DELAY, 0, 2, 3, "expr,delayTime,delayMax" },
    { "semiLinear", B_SEMILINEAR, 0, 3, 3, "x,positiveSlope,negativeSlope" },
    { "homotopy", B_HOMOTOPY, 0, 1, 2, "actual,simplified" },
    { "assert", B_ASSERT, 0, 2, 3, "condition,message,level" },
    { "terminate", B_TERMINATE, 0, 1, 1, "message" },
    { "reinit", B_REINIT, 0, 2, 2, "" },
    { "sin", B_MATH1, GM_EX_SIN, 1, 1, "" },
    { "cos", B_MATH1, GM_EX_COS, 1, 1, "" },
    { "tan", B_MATH1, GM_EX_TAN, 1, 1, "" },
    { "asin", B_MATH1, GM_EX_ASIN, 1, 1, "" },
    { "acos", B_MATH1, GM_EX_ACOS, 1, 1, "" },
    { "atan", B_MATH1, GM_EX_ATAN, 1, 1, "" },
    { "sinh", B_MATH1, GM_EX_SINH, 1, 1, "" },
    { "cosh", B_MATH1, GM_EX_COSH, 1, 1, "" },
    { "tanh", B_MATH1, GM_EX_TANH, 1, 1, "" },
    { "exp", B_MATH1, GM_EX_EXP, 1, 1, "" },
    { "log", B_MATH1, GM_EX_LOG, 1, 1, "" },
    { "log10", B_MATH1, GM_EX_LOG10, 1, 1, "" },
    { "sqrt", B_MATH1, GM_EX_SQRT, 1, 1, "" },
    { "floor", B_MATH1, GM_EX_FLOOR, 1, 1, "" },
    { "ceil", B_MATH1, GM_EX_CEIL, 1, 1, "" },
    { "atan2", B_MATH2, GM_EX_ATAN2, 2, 2, "" },
    { "div", B_MATH2, GM_EX_QUOT, 2, 2, "" },
    { "mod", B_MATH2, GM_EX_MOD, 2, 2, "" },
    { "rem", B_MATH2, GM_EX_REM, 2, 2, "" },
    { "abs", B_ABS, GM_EX_ABS, 1, 1, "" },
    { "sign", B_SIGN, GM_EX_SIGN, 1, 1, "" },
    { "integer", B_INTEGER, GM_EX_FLOOR, 1, 1, "" },
    { "min", B_MINMAX, GM_EX_MIN, 1, 2, "" },
    { "max", B_MINMAX, GM_EX_MAX, 1, 2, "" },
    { "size", B_SIZE, 0, 1, 2, "" },
    { "ndims", B_NDIMS, 0, 1, 1, "" },
    { "sum", B_SUM, GM_EX_ADD, 1, 1, "" },
    { "product", B_PRODUCT, GM_EX_MUL, 1, 1, "" },
    { "zeros", B_ZEROS, 0, 1, 7, "" },
    { "ones", B_ONES, 0, 1, 7, "" },
    { "fill", B_FILL, 0, 2, 8, "" },
    { "identity", B_IDENTITY, 0, 1, 1, "" },
    { "diagonal", B_DIAGONAL, 0, 1, 1, "" },
    { "linspace", B_LINSPACE, 0, 3, 3, "" },
    { "transpose", B_TRANSPOSE, 0, 1, 1, "" },
    { "cross", B_CROSS, 0, 2, 2, "" },
    { "scalar", B_SCALAR, 0, 1, 1, "" },
    { "vector", B_VECTOR, 0, 1, 1, "" },
    { "matrix", B_MATRIX, 0, 1, 1, "" },
    { "array", B_ARRAY, 0, 1, 1000, "" },
    { "cat", B_CAT, 0, 2, 1000, "" },
    { "String", B_STRING, 0, 1, 4, "" },
    { "Integer", B_TOINTEGER, 0, 1, 1, "" },
    { "cardinality", B_UNSUPPORTED, 0, 0, 9, "" },
    { "spatialDistribution", B_UNSUPPORTED, 0, 0, 9, "" },
    { "inStream", B_UNSUPPORTED, 0, 0, 9, "" },
    { "actualStream", B_UNSUPPORTED, 0, 0, 9, "" },
    { "symmetric", B_SYMMETRIC, 0, 1, 1, "" },
    { "skew", B_SKEW, 0, 1, 1, "" },
    { "outerProduct", B_OUTER, 0, 2, 2, "" },
    { "previous", B_UNSUPPORTED, 0, 0, 9, "" },
    { "hold", B_UNSUPPORTED, 0, 0, 9, "" },
    { "getInstanceName", B_UNSUPPORTED, 0, 0, 9, "" },
};
enum { TABLE_COUNT = sizeof table / sizeof table[0], ARGS_MAX = 8 };

void gm_builtins_register(gm_modelica *m, gm_work *w)
{
    for (uint32_t i = 0; i < TABLE_COUNT; i++)
        gm_map_put(w, &m->builtins, gm_names_add(w, &m->names, gm_str_of(table[i].name)), i);
}

// ---------------------------------------------------------------------------------------------------- arguments

// The arguments by position, whatever names they were given. False after an error.
static bool order_arguments(gm_flatten *F, const gm_ast_expr *call, uint32_t b, const gm_ast_expr **out)
{
    int count = (int)call->count;
    if (count < table[b].least || count > table[b].most) {
        if (table[b].least == table[b].most) {
            gm_flatten_error(F, call->at, call->length, "`%s` takes %d argument%s, here are %d", table[b].name,
                          table[b].least, table[b].least == 1 ? "" : "s", count);
        } else {
            gm_flatten_error(F, call->at, call->length, "`%s` takes %d to %d arguments, here are %d", table[b].name,
                          table[b].least, table[b].most, count);
        }
        return false;
    }
    for (uint32_t i = 0; i < call->count && i < ARGS_MAX; i++) {
        uint32_t position = i;
        if (call->names != NULL && call->names[i] != GM_SYM_NONE) {
            gm_str name = gm_name_of(F, call->names[i]), rest = gm_str_of(table[b].names), part;
            for (position = 0; gm_str_next(&rest, ',', &part) && !gm_str_eq(part, name); position++) continue;
            if (position >= (uint32_t)count || !gm_str_eq(part, name)) {
                gm_flatten_error(F, call->items[i]->at, call->items[i]->length, "`%s` has no argument `" GM_STR_FMT "`",
                              table[b].name, GM_STR_ARG(name));
                return false;
            }
        }
        out[position] = call->items[i];
    }
    return true;
}

value gm_wrong_argument(gm_flatten *F, const char *function, const gm_ast_expr *arg, const value *v,
                            const char *wanted)
{
    if (v->type == V_ERROR) return *v;
    gm_str found = gm_value_text(F, v);
    return gm_fail_value(F, arg->at, arg->length, "`%s` wants %s, this is " GM_STR_FMT, function, wanted,
                      GM_STR_ARG(found));
}

bool gm_is_numeric(const value *v)
{
    return v->type == V_REAL || v->type == V_INTEGER;
}

static value map1(gm_flatten *F, value_type type, gm_ex_op op, const value *a)
{
    value v = gm_value_fill(F, type, a->ndims, a->dims, 0);
    for (uint32_t i = 0; i < a->count; i++) {
        gm_ex e = gm_ex_1(F->ex, op, gm_value_at(a, i));
        if (v.ndims == 0) v.one = e;
        else v.many[i] = e;
    }
    return v;
}

// ---------------------------------------------------------------------------------------------------- der, pre, events

static gm_ex seed_time(void *context, gm_ex leaf)
{
    gm_flatten       *F = context;
    const gm_ex_node *n = gm_ex_at(F->ex, leaf);
    if (n->op == GM_EX_TIME) return gm_ex_const(F->ex, 1);
    if (n->op == GM_EX_VAR && F->flat->vars[n->id].variability == GM_FLAT_CONTINUOUS)
        return gm_ex_id(F->ex, GM_EX_DER, n->id);
    if (n->op != GM_EX_DER) return gm_ex_const(F->ex, 0);
    // der(der(x)): the first derivative becomes a variable of its own.
    uint32_t    of  = n->id;
    gm_flat_var var = { .type   = GM_FLAT_REAL,
                        .owner  = F->flat->vars[of].owner,
                        .at     = F->flat->vars[of].at,
                        .select = GM_FLAT_SELECT_DEFAULT };
    var.binding = var.start = var.min = var.max = var.nominal = GM_EX_NONE;
    var.name = gm_work_printf(&F->w, "der(" GM_STR_FMT ")", GM_STR_ARG(F->flat->vars[of].name));
    uint32_t known = gm_flat_find(F->flat, var.name);
    if (known == UINT32_MAX) {
        known       = gm_add_variable(F, &var, F->var_inst[of]);
        gm_add_to_model(F, gm_ex_var(F->ex, known), leaf, var.at, 1, var.owner);
    }
    return gm_ex_id(F->ex, GM_EX_DER, known);
}

gm_ex gm_time_derivative(gm_flatten *F, gm_ex e, const gm_ast_expr *at)
{
    if (F->der.ex == NULL)
        F->der = (gm_differ) { .ex = F->ex, .scratch = &F->w, .seed = seed_time, .context = F, .refused = GM_EX_NONE };
    gm_ex d = gm_ex_diff(&F->der, e);
    if (F->der.refused != GM_EX_NONE) {
        gm_flatten_error(F, at->at, at->length, "`%s` has no derivative",
                      gm_ex_op_text(gm_ex_op_of(F->ex, F->der.refused)));
        F->der.refused = GM_EX_NONE;
    }
    return d;
}

static value eval_der(gm_flatten *F, const scope *s, const gm_ast_expr *arg)
{
    value v = gm_eval(F, s, arg);
    if (!gm_is_numeric(&v)) return gm_wrong_argument(F, "der", arg, &v, "a Real");
    value out = gm_value_fill(F, V_REAL, v.ndims, v.dims, 0);
    for (uint32_t i = 0; i < v.count; i++) {
        gm_ex e = gm_time_derivative(F, gm_value_at(&v, i), arg);
        if (v.ndims == 0) out.one = e;
        else out.many[i] = e;
    }
    return out;
}

// pre(x), edge(b), change(x) of a variable
static value eval_memory(gm_flatten *F, const scope *s, builtin kind, const char *name, const gm_ast_expr *arg)
{
    scope plain = *s;
    plain.over  = NULL;  // pre(x) is about the variable, not about what the algorithm has assigned to it
    value v     = gm_eval(F, &plain, arg);
    if (v.type == V_ERROR) return v;
    if (v.type == V_RECORD || v.type == V_STRING || (kind == B_EDGE && v.type != V_BOOLEAN)) {
        return gm_wrong_argument(F, name, arg, &v, kind == B_EDGE ? "a Boolean variable" : "a variable");
    }
    value now = kind == B_PRE ? v : gm_eval(F, s, arg);
    value out = gm_value_fill(F, kind == B_PRE ? (value_type)v.type : V_BOOLEAN, v.ndims, v.dims, 0);
    out.cls   = kind == B_PRE ? v.cls : NULL;
    for (uint32_t i = 0; i < v.count; i++) {
        gm_ex x = gm_value_at(&v, i), e = x;
        if (gm_ex_op_of(F->ex, x) == GM_EX_VAR) {
            gm_ex before = gm_is_parametric(F, x) ? x : gm_ex_id(F->ex, GM_EX_PRE, gm_ex_at(F->ex, x)->id);
            gm_ex after  = gm_value_at(&now, i);
            if (kind == B_PRE) e = before;
            else if (kind == B_CHANGE) e = gm_ex_compare(F->ex, GM_EX_NE, after, before, true);
            else e = gm_ex_2(F->ex, GM_EX_AND, after, gm_ex_1(F->ex, GM_EX_NOT, before));
        } else if (gm_is_parametric(F, x)) {
            e = kind == B_PRE ? x : gm_ex_const(F->ex, 0);
        } else {
            return gm_fail_value(F, arg->at, arg->length, "`%s` wants the name of a variable", name);
        }
        if (v.ndims == 0) out.one = e;
        else out.many[i] = e;
    }
    return out;
}

static value eval_sample(gm_flatten *F, const scope *s, const gm_ast_expr **args)
{
    gm_ex start = gm_eval_scalar(F, s, args[0], V_REAL, "the start of `sample`");
    gm_ex every = gm_eval_scalar(F, s, args[1], V_REAL, "the interval of `sample`");
    if (start == GM_EX_NONE || every == GM_EX_NONE) return (value){ 0 };
    double seconds;
    if (!gm_is_parametric(F, start) || !gm_is_parametric(F, every)) {
        return gm_fail_value(F, args[0]->at, args[0]->length, "start and interval of `sample` can not vary");
    }
    if (gm_ex_is_const(F->ex, every, &seconds) && !(seconds > 0)) {
        return gm_fail_value(F, args[1]->at, args[1]->length, "the interval of `sample` must be above 0");
    }
    // Equal samples are one clock: their node is the same.
    return gm_value_scalar(V_BOOLEAN, gm_ex_sample(F->ex, 0, start, every));
}

static value eval_delay(gm_flatten *F, const scope *s, const gm_ast_expr **args, uint32_t count)
{
    gm_ex what = gm_eval_scalar(F, s, args[0], V_REAL, "what is delayed");
    gm_ex lag  = gm_eval_scalar(F, s, args[1], V_REAL, "the time of `delay`");
    gm_ex most = count > 2 ? gm_eval_scalar(F, s, args[2], V_REAL, "the largest time of `delay`") : lag;
    if (what == GM_EX_NONE || lag == GM_EX_NONE || most == GM_EX_NONE) return (value){ 0 };
    if (!gm_is_parametric(F, most)) {
        return gm_fail_value(F, args[1]->at, args[1]->length,
                          "a time that varies needs a largest time that does not: delay(x, time, largest)");
    }
    return gm_value_scalar(V_REAL, gm_ex_3(F->ex, GM_EX_DELAY, what, lag, most));
}

static value eval_semilinear(gm_flatten *F, const scope *s, const gm_ast_expr **args)
{
    gm_ex a[3];
    for (int i = 0; i < 3; i++) {
        a[i] = gm_eval_scalar(F, s, args[i], V_REAL, "an argument of `semiLinear`");
        if (a[i] == GM_EX_NONE) return (value){ 0 };
    }
    // if x >= 0 then x*up else x*down
    gm_ex negative = gm_ex_compare(F->ex, GM_EX_LT, a[0], gm_ex_const(F->ex, 0), s->quiet);
    gm_ex slope    = gm_ex_3(F->ex, GM_EX_SELECT, negative, a[2], a[1]);
    return gm_value_scalar(V_REAL, gm_ex_2(F->ex, GM_EX_MUL, a[0], slope));
}

// ---------------------------------------------------------------------------------------------------- numbers

static value eval_math2(gm_flatten *F, const scope *s, uint32_t b, const gm_ast_expr **args)
{
    value x = gm_eval(F, s, args[0]), y = gm_eval(F, s, args[1]);
    if (!gm_is_numeric(&x) || x.ndims > 0) return gm_wrong_argument(F, table[b].name, args[0], &x, "a number");
    if (!gm_is_numeric(&y) || y.ndims > 0) return gm_wrong_argument(F, table[b].name, args[1], &y, "a number");
    bool integers = x.type == V_INTEGER && y.type == V_INTEGER && table[b].op != GM_EX_ATAN2;
    return gm_value_scalar(integers ? V_INTEGER : V_REAL, gm_ex_2(F->ex, table[b].op, x.one, y.one));
}

static gm_ex reduce(gm_flatten *F, gm_ex_op op, const value *v, gm_ex none)
{
    gm_ex e = v->count > 0 ? gm_value_at(v, 0) : none;
    for (uint32_t i = 1; i < v->count; i++) {
        e = gm_ex_2(F->ex, op, e, gm_value_at(v, i));
        gm_flatten_step(F);
    }
    return e;
}

// min(a, b), min(array); max likewise
static value eval_minmax(gm_flatten *F, const scope *s, uint32_t b, const gm_ast_expr **args, uint32_t count)
{
    value x = gm_eval(F, s, args[0]);
    if (count == 2) {
        value y = gm_eval(F, s, args[1]);
        bool  enums = x.type == V_ENUM && y.type == V_ENUM, booleans = x.type == V_BOOLEAN && y.type == V_BOOLEAN;
        if ((!gm_is_numeric(&x) && !enums && !booleans) || x.ndims > 0)
            return gm_wrong_argument(F, table[b].name, args[0], &x, "a number");
        if ((!gm_is_numeric(&y) && !enums && !booleans) || y.ndims > 0)
            return gm_wrong_argument(F, table[b].name, args[1], &y, "a number");
        value v =
            gm_value_scalar(x.type == y.type ? (value_type)x.type : V_REAL, gm_ex_2(F->ex, table[b].op, x.one, y.one));
        v.cls   = x.cls;
        return v;
    }
    if (!gm_is_numeric(&x) || x.count == 0)
        return gm_wrong_argument(F, table[b].name, args[0], &x, "an array of numbers that is not empty");
    return gm_value_scalar((value_type)x.type, reduce(F, table[b].op, &x, 0));
}

// ---------------------------------------------------------------------------------------------------- texts

static value eval_string(gm_flatten *F, const scope *s, const gm_ast_expr *arg)
{
    value v = gm_eval(F, s, arg);
    if (v.type == V_ERROR || v.type == V_STRING) return v;
    if (v.ndims > 0 || v.type == V_RECORD) return gm_wrong_argument(F, "String", arg, &v, "a scalar");
    double number;
    if (gm_ex_is_const(F->ex, v.one, &number)) {
        if (v.type == V_BOOLEAN)
            return gm_value_scalar(V_STRING, gm_ex_text(F->ex, number != 0 ? GM_STR("true") : GM_STR("false")));
        if (v.type == V_ENUM && v.cls != NULL && number >= 1 && number <= v.cls->literal_count) {
            return gm_value_scalar(V_STRING, gm_ex_text(F->ex, gm_name_of(F, v.cls->literals[(uint32_t)number - 1].name)));
        }
        return gm_value_scalar(V_STRING, gm_ex_text(F->ex, gm_work_printf(&F->w, "%.15g", number)));
    }
    // Messages are fixed texts: a value that is not known yet is shown by its name.
    gm_buf shown = gm_buf_init(F->m->alloc);
    gm_flat_print(F->flat, v.one, &shown);
    gm_str name = gm_arena_str(F->w.arena, gm_buf_view(&shown));
    bool   bad  = shown.failed || name.ptr == NULL;
    gm_buf_finish(&shown);
    if (bad) gm_work_stop(&F->w, GM_NOMEM, "physics.modelica", "writing a message");
    return gm_value_scalar(V_STRING, gm_ex_text(F->ex, gm_work_printf(&F->w, "{" GM_STR_FMT "}", GM_STR_ARG(name))));
}

value gm_external_builtin(gm_flatten *F, const gm_ast_class *cls, const value *args, uint32_t count, const gm_ast_expr *at)
{
    gm_str   name = gm_name_of(F, cls->name);
    uint32_t line, column;
    const gm_source *source = gm_source_at(&F->m->sources, cls->at, &line, &column);
    bool             ours   = source != NULL && source < F->m->sources.items + F->m->own_sources;
    if (ours) {
        for (uint32_t i = 0; i < count; i++) {
            if (args[i].type == V_ERROR) return (value){ 0 };
        }
        if (gm_str_is(name, "interp1") && count == 5) return gm_interpolate(F, false, args, at);
        if (gm_str_is(name, "interp2") && count == 6) return gm_interpolate(F, true, args, at);
        uint32_t b = gm_map_find(&F->m->builtins, cls->name);
        if (b != GM_MAP_NONE && table[b].kind == B_MATH1 && count == 1) return map1(F, V_REAL, table[b].op, &args[0]);
        if (b != GM_MAP_NONE && table[b].kind == B_MATH2 && count == 2) {
            return gm_value_scalar(V_REAL, gm_ex_2(F->ex, table[b].op, args[0].one, args[1].one));
        }
    }
    return gm_fail_value(F, at->at, at->length, "`" GM_STR_FMT "` is an external function; these are not supported",
                      GM_STR_ARG(gm_class_path(F, cls)));
}

// ---------------------------------------------------------------------------------------------------- equations of
// their own

// The value without events, where none are wanted.
static value hushed(gm_flatten *F, const scope *s, value v)
{
    if (!s->quiet || v.type == V_RECORD || v.type == V_ERROR) return v;
    if (v.ndims == 0) v.one = gm_ex_quiet(F->ex, v.one);
    for (uint32_t i = 0; v.ndims > 0 && i < v.count; i++) v.many[i] = gm_ex_quiet(F->ex, v.many[i]);
    return v;
}

// The index of a language function in the table, when the name is not hidden by a class of the model.
static uint32_t builtin_of(gm_flatten *F, const scope *s, const gm_ast_ref *ref)
{
    if (ref->count != 1 || ref->global) return GM_MAP_NONE;
    uint32_t b = gm_map_find(&F->m->builtins, ref->parts[0].name);
    if (b == GM_MAP_NONE || table[b].kind == B_STRING || table[b].kind == B_TOINTEGER) return b;
    return s->cls != NULL && gm_find_class(F, s->cls, ref->parts[0].name) != NULL ? (uint32_t)GM_MAP_NONE : b;
}

special gm_special_call(gm_flatten *F, const scope *s, const gm_ast_expr *call)
{
    uint32_t b = call->kind == GM_AST_CALL ? builtin_of(F, s, call->ref) : (uint32_t)GM_MAP_NONE;
    if (b == GM_MAP_NONE) return SPECIAL_NONE;
    return table[b].kind == B_ASSERT ? SPECIAL_ASSERT : table[b].kind == B_TERMINATE ? SPECIAL_TERMINATE
         : table[b].kind == B_REINIT ? SPECIAL_REINIT : SPECIAL_NONE;
}

static gm_str message_of(gm_flatten *F, const scope *s, const gm_ast_expr *e, bool *out_good)
{
    value  v    = gm_eval(F, s, e);
    gm_str text = { 0 };
    if (v.type == V_ERROR) *out_good = false;
    else if (!gm_value_constant_text(F, &v, &text)) {
        gm_wrong_argument(F, "the message", e, &v, "a String");
        *out_good = false;
    }
    return gm_work_str(&F->rw, text);
}

gm_flat_action gm_read_special(gm_flatten *F, const scope *s, special kind, const gm_ast_expr *call, bool *out_good)
{
    gm_flat_action     action         = { .guard = GM_EX_NONE, .value = GM_EX_NONE, .at = call->at };
    const gm_ast_expr *args[ARGS_MAX] = { 0 };
    *out_good = order_arguments(F, call, builtin_of(F, s, call->ref), args);
    if (!*out_good) return action;
    if (kind == SPECIAL_TERMINATE) {
        action.kind    = GM_FLAT_TERMINATE;
        action.message = message_of(F, s, args[0], out_good);
    } else if (kind == SPECIAL_ASSERT) {
        action.kind    = GM_FLAT_ASSERT;
        scope quiet    = *s;
        quiet.quiet    = true;  // looked at after each step: no event is needed to see it
        action.value   = gm_eval_scalar(F, &quiet, args[0], V_BOOLEAN, "the condition of `assert`");
        action.message = message_of(F, s, args[1], out_good);
        double level   = 1;
        if (call->count > 2) {
            gm_ex e = gm_eval_scalar(F, s, args[2], V_ENUM, "the level of `assert`");
            if (e == GM_EX_NONE || !gm_fold(F, e, true, &level)) *out_good = false;
        }
        if (level == 2) action.kind = GM_FLAT_WARN;  // AssertionLevel.warning
        if (action.value == GM_EX_NONE) *out_good = false;
    } else {
        action.kind = GM_FLAT_REINIT;
        scope plain = *s;
        plain.over  = NULL;
        value to    = gm_eval(F, &plain, args[0]);
        action.value = gm_eval_scalar(F, s, args[1], V_REAL, "the new value of `reinit`");
        if (to.type == V_ERROR || action.value == GM_EX_NONE) {
            *out_good = false;
        } else if (to.type != V_REAL || to.ndims > 0 || gm_ex_op_of(F->ex, to.one) != GM_EX_VAR) {
            gm_wrong_argument(F, "reinit", args[0], &to, "the name of a Real variable");
            *out_good = false;
        } else {
            action.var = gm_ex_at(F->ex, to.one)->id;
        }
    }
    return action;
}

// ---------------------------------------------------------------------------------------------------- calls

static value one_argument(gm_flatten *F, const scope *s, uint32_t b, const gm_ast_expr *arg)
{
    value v = gm_eval(F, s, arg);
    if (!gm_is_numeric(&v)) return gm_wrong_argument(F, table[b].name, arg, &v, "a number");
    switch (table[b].kind) {
    case B_MATH1: return map1(F, V_REAL, table[b].op, &v);
    case B_ABS: return map1(F, (value_type)v.type, GM_EX_ABS, &v);
    case B_SIGN: return map1(F, V_INTEGER, GM_EX_SIGN, &v);
    default: return map1(F, V_INTEGER, GM_EX_FLOOR, &v);
    }
}

static value quietly(gm_flatten *F, const scope *s, const gm_ast_expr *arg)
{
    scope quiet = *s;
    quiet.quiet = true;
    return gm_eval(F, &quiet, arg);
}

static value eval_builtin(gm_flatten *F, const scope *s, uint32_t b, const gm_ast_expr *call)
{
    const gm_ast_expr *args[ARGS_MAX] = { 0 };
    builtin            kind           = table[b].kind;
    if (!order_arguments(F, call, b, args)) return (value){ 0 };
    value v;
    switch (kind) {
    case B_DER: return eval_der(F, s, args[0]);
    case B_PRE: case B_EDGE: case B_CHANGE: return eval_memory(F, s, kind, table[b].name, args[0]);
    case B_INITIAL: return gm_value_scalar(V_BOOLEAN, gm_ex_0(F->ex, GM_EX_INITIAL));
    case B_TERMINAL: return gm_value_scalar(V_BOOLEAN, gm_ex_0(F->ex, GM_EX_TERMINAL));
    case B_SAMPLE: return eval_sample(F, s, args);
    case B_NOEVENT: return quietly(F, s, args[0]);
    case B_SMOOTH: return quietly(F, s, args[1]);
    case B_DELAY: return eval_delay(F, s, args, call->count);
    case B_SEMILINEAR: return eval_semilinear(F, s, args);
    case B_HOMOTOPY: return gm_eval(F, s, args[0]);
    case B_ASSERT: case B_TERMINATE: case B_REINIT:
        return gm_fail_value(F, call->at, call->length, "`%s` is an equation of its own, not a value", table[b].name);
    case B_MATH1: case B_ABS: case B_SIGN: case B_INTEGER: return hushed(F, s, one_argument(F, s, b, args[0]));
    case B_MATH2: return hushed(F, s, eval_math2(F, s, b, args));
    case B_SIZE: return gm_eval_size(F, s, args, call->count);
    case B_NDIMS:
        v = gm_eval(F, s, args[0]);
        return v.type == V_ERROR ? v : gm_value_scalar(V_INTEGER, gm_ex_const(F->ex, v.ndims));
    case B_MINMAX: case B_SUM: case B_PRODUCT:
        if (call->iterator_count > 0) {
            gm_ast_expr all = *call;
            all.kind        = GM_AST_ARRAY;
            v               = gm_eval(F, s, &all);
        } else if (kind == B_MINMAX) {
            return eval_minmax(F, s, b, args, call->count);
        } else {
            v = gm_eval(F, s, args[0]);
        }
        if (!gm_is_numeric(&v)) return gm_wrong_argument(F, table[b].name, args[0], &v, "an array of numbers");
        if (kind == B_MINMAX && v.count == 0)
            return gm_wrong_argument(F, table[b].name, args[0], &v, "at least one element");
        return gm_value_scalar((value_type)v.type, reduce(F, table[b].op, &v, gm_ex_const(F->ex, kind == B_PRODUCT)));
    case B_ZEROS: case B_ONES: case B_FILL: return gm_eval_fill(F, s, kind, args, call->count);
    case B_IDENTITY: case B_DIAGONAL: return gm_eval_square(F, s, kind, args[0]);
    case B_LINSPACE: return gm_eval_linspace(F, s, args);
    case B_TRANSPOSE: return gm_eval_transpose(F, s, args[0]);
    case B_CROSS: return gm_eval_cross(F, s, args);
    case B_SYMMETRIC: return gm_eval_symmetric(F, s, args[0]);
    case B_SKEW: return gm_eval_skew(F, s, args[0]);
    case B_OUTER: return gm_eval_outer(F, s, args);
    case B_SCALAR: case B_VECTOR: case B_MATRIX: return gm_eval_reshape(F, s, kind, args[0]);
    case B_ARRAY: {
        gm_ast_expr all = *call;
        all.kind        = GM_AST_ARRAY;
        return gm_eval(F, s, &all);
    }
    case B_CAT: return gm_eval_cat(F, s, call);
    case B_STRING: return eval_string(F, s, args[0]);
    case B_TOINTEGER:
        v = gm_eval(F, s, args[0]);
        if ((v.type != V_ENUM && v.type != V_INTEGER) || v.ndims > 0)
            return gm_wrong_argument(F, "Integer", args[0], &v, "an enumeration");
        return gm_value_scalar(V_INTEGER, v.one);
    case B_UNSUPPORTED: break;
    }
    return gm_fail_value(F, call->at, call->length, "`%s` is not supported", table[b].name);
}

value gm_eval_call(gm_flatten *F, const scope *s, const gm_ast_expr *call, value *out_more, uint32_t more)
{
    uint32_t b = builtin_of(F, s, call->ref);
    for (uint32_t i = 0; i < more; i++) out_more[i] = (value){ 0 };
    if (b != GM_MAP_NONE) return eval_builtin(F, s, b, call);

    const gm_ast_class *cls = gm_called_class(F, s, call->ref);
    if (cls == NULL) {
        return gm_fail_value(F, call->ref->at, call->ref->length, "there is no function `" GM_STR_FMT "`",
                          GM_STR_ARG(gm_ref_text(F, call->ref)));
    }
    layout *lay = gm_class_layout(F, cls);
    if (cls->kind != GM_AST_CLASS_FUNCTION && lay->is_record) return gm_record_of(F, s, cls, call);
    if (lay->enumeration != NULL && call->count == 1) {
        value v = gm_eval(F, s, call->items[0]);
        if (v.type != V_INTEGER || v.ndims > 0)
            return gm_wrong_argument(F, "an enumeration", call->items[0], &v, "an Integer");
        v.type = V_ENUM;
        v.cls  = lay->enumeration;
        return v;
    }
    if (cls->kind != GM_AST_CLASS_FUNCTION && cls->kind != GM_AST_CLASS_OPERATOR) {
        return gm_fail_value(F, call->ref->at, call->ref->length, "`" GM_STR_FMT "` is not a function",
                          GM_STR_ARG(gm_class_path(F, cls)));
    }
    value *results = GM_WORK_NEW(&F->w, value, more + 1);
    gm_call_function(F, s, cls, call, results, more + 1);
    for (uint32_t i = 0; i < more; i++) out_more[i] = results[i + 1];
    return results[0];
}
