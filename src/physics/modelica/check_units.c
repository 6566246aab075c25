// Dimensions of expressions from the declared units. What is not known stays out of the question: a variable without a
// unit, a number in a sum (`T - 273.15`) agree with everything. A number that multiplies is a plain number.
#include "physics/modelica/modelica.h"

#include <stdio.h>

#include "base/units.h"

#include <stdlib.h>

typedef enum known { UNKNOWN, NUMBER, KNOWN } known;  // NUMBER: made of literal numbers only

typedef struct dim { uint8_t known; int8_t of[GM_DIM_COUNT]; } dim;

typedef struct checker {
    const gm_flat *flat;
    gm_work       *w;
    gm_diags      *diags;
    bool           strict;
    uint32_t       found;
    dim           *dims;      // by expression; valid where done
    uint8_t       *done;
    dim           *vars;
    gm_place       at;        // of the equation being checked
    uint32_t       length;
    bool           said;      // one finding an equation is enough
} checker;

static dim plain_number(void)
{
    return (dim){ .known = KNOWN };
}

static void report(checker *c, const dim *a, const dim *b, const char *where)
{
    char    left[GM_UNIT_TEXT], right[GM_UNIT_TEXT];
    gm_unit u = { .factor = 1 }, v = { .factor = 1 };
    if (c->said) return;
    memcpy(u.dim, a->of, sizeof u.dim);
    memcpy(v.dim, b->of, sizeof v.dim);
    gm_unit_dimension(&u, left);
    gm_unit_dimension(&v, right);
    c->said = true;
    c->found++;
    gm_diags_add(c->diags, c->flat->sources, c->strict ? GM_SEVERITY_ERROR : GM_SEVERITY_WARNING, c->at, c->length,
                 "units do not fit: %s [%s] and [%s]", where, left, right);
}

static bool agree(const dim *a, const dim *b)
{
    for (int i = 0; i < GM_DIM_COUNT; i++) {
        if (i != GM_DIM_RAD && a->of[i] != b->of[i]) return false;  // an angle is a plain number
    }
    return true;
}

// The dimension of things that must be alike.
static dim meet(checker *c, dim a, dim b, const char *where)
{
    if (a.known == KNOWN && b.known == KNOWN && !agree(&a, &b)) report(c, &a, &b, where);
    if (a.known == UNKNOWN || b.known == UNKNOWN)
        return a.known == KNOWN ? a : b.known == KNOWN ? b : (dim) { .known = UNKNOWN };
    return a.known == KNOWN ? a : b;
}

static dim product(dim a, dim b, int sign)
{
    if (a.known == UNKNOWN || b.known == UNKNOWN) return (dim){ .known = UNKNOWN };
    dim out = { .known = a.known == NUMBER && b.known == NUMBER ? NUMBER : KNOWN };
    for (int i = 0; i < GM_DIM_COUNT; i++) {
        int sum = a.of[i] + sign * b.of[i];
        if (sum < INT8_MIN || sum > INT8_MAX) return (dim){ .known = UNKNOWN };
        out.of[i] = (int8_t)sum;
    }
    return out;
}

static dim power(const checker *c, dim a, gm_ex exponent)
{
    double n;
    if (a.known != KNOWN) return a;
    bool   none = agree(&a, &(dim){ 0 });
    if (none) return plain_number();
    if (!gm_ex_is_const(&c->flat->ex, exponent, &n)) return (dim){ .known = UNKNOWN };
    dim out = { .known = KNOWN };
    for (int i = 0; i < GM_DIM_COUNT; i++) {
        double of = a.of[i] * n;
        if (of != (int)of || of < INT8_MIN || of > INT8_MAX) return (dim){ .known = UNKNOWN };
        out.of[i] = (int8_t)of;
    }
    return out;
}

static dim root(dim a)
{
    if (a.known != KNOWN) return a;
    for (int i = 0; i < GM_DIM_COUNT; i++) {
        if (a.of[i] % 2 != 0) return (dim){ .known = UNKNOWN };
        a.of[i] /= 2;
    }
    return a;
}

static dim per_second(dim a)
{
    dim second = { .known = KNOWN };
    second.of[GM_DIM_S] = 1;
    return product(a, second, -1);
}

// The argument of exp, sin ... is a plain number.
static dim plain(checker *c, dim a, const char *function)
{
    dim none = plain_number();
    if (a.known == KNOWN && !agree(&a, &none)) report(c, &a, &none, function);
    return none;
}

static dim dim_of(checker *c, gm_ex e)
{
    const gm_ex_node *n = gm_ex_at(&c->flat->ex, e);
    dim               a = { 0 }, b = { 0 };
    switch (gm_ex_operands((gm_ex_op)n->op)) {
    case 3:
    case 2: b = c->dims[n->a[1]];  // fall through
    case 1: a = c->dims[n->a[0]]; break;
    default: break;
    }
    switch (n->op) {
    case GM_EX_CONST: return (dim){ .known = NUMBER };
    case GM_EX_VAR: case GM_EX_PRE: return c->vars[n->id];
    case GM_EX_DER: return per_second(c->vars[n->id]);
    case GM_EX_TIME: return (dim){ .known = UNKNOWN };  // `sin(time)` is what people write
    case GM_EX_NEG: case GM_EX_ABS: case GM_EX_FLOOR: case GM_EX_CEIL: return a;
    case GM_EX_ADD: return meet(c, a, b, "the terms of a sum are");
    case GM_EX_SUB: return meet(c, a, b, "the terms of a difference are");
    case GM_EX_MIN: case GM_EX_MAX: return meet(c, a, b, "the arguments are");
    case GM_EX_REM: case GM_EX_MOD: return meet(c, a, b, "the operands are");
    case GM_EX_LT:
    case GM_EX_LE:
    case GM_EX_EQ:
    case GM_EX_NE: meet(c, a, b, "the sides of a comparison are"); return plain_number();
    case GM_EX_SELECT: return meet(c, b, c->dims[n->a[2]], "the cases of an if are");
    case GM_EX_MUL: return product(a, b, 1);
    case GM_EX_DIV: case GM_EX_QUOT: return product(a, b, -1);
    case GM_EX_POW: return power(c, a, n->a[1]);
    case GM_EX_SQRT: return root(a);
    case GM_EX_ATAN2: meet(c, a, b, "the arguments are"); return plain_number();
    case GM_EX_EXP: case GM_EX_LOG: case GM_EX_LOG10: case GM_EX_SIN: case GM_EX_COS: case GM_EX_TAN: case GM_EX_ASIN:
    case GM_EX_ACOS: case GM_EX_ATAN: case GM_EX_SINH: case GM_EX_COSH: case GM_EX_TANH: {
        char text[40];
        snprintf(text, sizeof text, "the argument of %s is", gm_ex_op_text((gm_ex_op)n->op));
        return plain(c, a, text);
    }
    case GM_EX_DELAY: return a;
    case GM_EX_LOOKUP: case GM_EX_TEXT: return (dim){ .known = UNKNOWN };
    default: return plain_number();
    }
}

static dim check(checker *c, gm_ex e)
{
    gm_ids    order = { 0 };
    gm_exprs *ex    = (gm_exprs *)(uintptr_t)&c->flat->ex;  // only its scratch stamps change
    gm_ex_order_begin(ex);
    gm_ex_order(ex, c->w, e, &order);
    for (uint32_t i = 0; i < order.count; i++) {
        gm_ex at = order.at[i];
        if (c->done[at]) continue;
        c->dims[at] = dim_of(c, at);
        c->done[at] = 1;
    }
    return c->dims[e];
}

static void check_equation(checker *c, const gm_flat_equation *q)
{
    c->at     = q->at;
    c->length = q->length;
    c->said   = false;
    dim a = check(c, q->left), b = check(c, q->right);
    meet(c, a, b, "the sides of the equation are");
}

static void read_units(checker *c)
{
    for (uint32_t i = 0; i < c->flat->var_count; i++) {
        const gm_flat_var *v = &c->flat->vars[i];
        gm_unit            unit;
        gm_error           err = { 0 };
        if (v->type != GM_FLAT_REAL) {
            c->vars[i] = plain_number();
            continue;
        }
        if (v->unit.len == 0) continue;
        if (gm_unit_parse(v->unit, &unit, &err) == GM_OK) {
            c->vars[i].known = KNOWN;
            memcpy(c->vars[i].of, unit.dim, sizeof unit.dim);
        } else {
            c->found++;
            gm_diags_add(c->diags, c->flat->sources, c->strict ? GM_SEVERITY_ERROR : GM_SEVERITY_WARNING, v->at, 1,
                         "`" GM_STR_FMT "`: %s", GM_STR_ARG(v->name), err.text);
        }
    }
}

uint32_t gm_flat_check_units(const gm_flat *flat, gm_work *scratch, bool strict, gm_diags *diags)
{
    checker c = { .flat = flat, .w = scratch, .diags = diags, .strict = strict };
    c.dims    = GM_WORK_NEW(scratch, dim, flat->ex.count > 0 ? flat->ex.count : 1);
    c.done    = GM_WORK_NEW(scratch, uint8_t, flat->ex.count > 0 ? flat->ex.count : 1);
    c.vars    = GM_WORK_NEW(scratch, dim, flat->var_count > 0 ? flat->var_count : 1);
    read_units(&c);
    for (uint32_t i = 0; i < flat->equation_count; i++) check_equation(&c, &flat->equations[i]);
    for (uint32_t i = 0; i < flat->initial_count; i++) check_equation(&c, &flat->initials[i]);
    for (uint32_t i = 0; i < flat->var_count; i++) {
        const gm_flat_var *v = &flat->vars[i];
        if (v->binding == GM_EX_NONE || v->type != GM_FLAT_REAL) continue;
        check_equation(&c, &(gm_flat_equation) { .left   = gm_ex_var((gm_exprs *)(uintptr_t)&flat->ex, i),
                                                 .right  = v->binding,
                                                 .at     = v->at,
                                                 .length = 1 });
    }
    return c.found;
}
