// One hash table of all nodes makes equal expressions one; simplify() is the only place where nodes are rewritten.
#include "physics/compile/expr.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

static const struct { const char *text; int operands; } ops[GM_EX_OP_COUNT] = {
#define X(name, text, operands) { text, operands },
    GM_EX_LIST(X)
#undef X
};

int gm_ex_operands(gm_ex_op op)
{
    return ops[op].operands;
}

const char *gm_ex_op_text(gm_ex_op op)
{
    return ops[op].text;
}

void gm_exprs_init(gm_exprs *ex, gm_work *w)
{
    *ex = (gm_exprs){ .w = w };
}

// ---------------------------------------------------------------------------------------------------- the table

static uint32_t hash_of(const gm_ex_node *n)
{
    uint64_t words[3];
    memcpy(words, n, sizeof words);
    uint64_t h = words[0] * UINT64_C(0x9e3779b97f4a7c15);
    h          = (h ^ h >> 32 ^ words[1]) * UINT64_C(0xbf58476d1ce4e5b9);
    h          = (h ^ h >> 29 ^ words[2]) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(h ^ h >> 32);
}
_Static_assert(sizeof(gm_ex_node) == 24, "a node is hashed and compared as bytes");

static uint32_t slot_of(const gm_exprs *ex, const gm_ex_node *n)
{
    uint32_t mask = ex->slot_count - 1, i = hash_of(n) & mask;
    while (ex->slots[i] != GM_EX_NONE && memcmp(&ex->nodes[ex->slots[i]], n, sizeof *n) != 0) i = (i + 1) & mask;
    return i;
}

static gm_ex intern(gm_exprs *ex, const gm_ex_node *n)
{
    if ((uint64_t)ex->count * 2 >= ex->slot_count) {
        ex->slot_count = ex->slot_count > 0 ? ex->slot_count * 2 : 1024;
        ex->slots      = gm_work_zeroed(ex->w, ex->slot_count, sizeof *ex->slots);
        memset(ex->slots, 0xff, ex->slot_count * sizeof *ex->slots);
        for (gm_ex i = 0; i < ex->count; i++) ex->slots[slot_of(ex, &ex->nodes[i])] = i;
    }
    uint32_t at = slot_of(ex, n);
    if (ex->slots[at] != GM_EX_NONE) return ex->slots[at];
    if (ex->count >= GM_EX_NODES_MAX) {
        gm_work_stop(ex->w, GM_LIMIT, "physics.expr", "the equations have more than %d operations", GM_EX_NODES_MAX);
    }
    GM_WORK_RESERVE(ex->w, ex->nodes, ex->capacity, ex->count + 1);
    ex->nodes[ex->count] = *n;
    ex->slots[at]        = ex->count;
    return ex->count++;
}

// All bytes of a node are compared, so all of them are set.
static gm_ex_node blank(gm_ex_op op)
{
    gm_ex_node n;
    memset(&n, 0, sizeof n);
    n.op = (uint8_t)op;
    return n;
}

gm_ex gm_ex_const(gm_exprs *ex, double value)
{
    gm_ex_node n = blank(GM_EX_CONST);
    n.value      = value == 0 ? 0.0 : value;  // one zero, so that equal constants are one node
    return intern(ex, &n);
}

gm_ex gm_ex_text(gm_exprs *ex, gm_str text)
{
    for (uint32_t i = 0; i < ex->text_count; i++) {
        if (gm_str_eq(ex->texts[i], text)) return gm_ex_id(ex, GM_EX_TEXT, i);
    }
    GM_WORK_RESERVE(ex->w, ex->texts, ex->text_capacity, ex->text_count + 1);
    ex->texts[ex->text_count] = gm_work_str(ex->w, text);
    return gm_ex_id(ex, GM_EX_TEXT, ex->text_count++);
}

gm_ex gm_ex_id(gm_exprs *ex, gm_ex_op op, uint32_t id)
{
    gm_ex_node n = blank(op);
    n.id         = id;
    return intern(ex, &n);
}

gm_ex gm_ex_0(gm_exprs *ex, gm_ex_op op)
{
    gm_ex_node n = blank(op);
    return intern(ex, &n);
}

bool gm_ex_is_const(const gm_exprs *ex, gm_ex e, double *out_value)
{
    if (ex->nodes[e].op != GM_EX_CONST) return false;
    if (out_value != NULL) *out_value = ex->nodes[e].value;
    return true;
}

// ---------------------------------------------------------------------------------------------------- arithmetic

double gm_ex_apply(gm_ex_op op, double a, double b, double c)
{
    switch (op) {
    case GM_EX_NEG: return -a;
    case GM_EX_ADD: return a + b;
    case GM_EX_SUB: return a - b;
    case GM_EX_MUL: return a * b;
    case GM_EX_DIV: return a / b;
    case GM_EX_POW: return pow(a, b);
    case GM_EX_ABS: return fabs(a);
    case GM_EX_SIGN: return a > 0 ? 1 : a < 0 ? -1 : a;
    case GM_EX_MIN: return a < b ? a : b;
    case GM_EX_MAX: return a > b ? a : b;
    case GM_EX_SQRT: return sqrt(a);
    case GM_EX_FLOOR: return floor(a);
    case GM_EX_CEIL: return ceil(a);
    case GM_EX_QUOT: return trunc(a / b);
    case GM_EX_REM: return a - trunc(a / b) * b;
    case GM_EX_MOD: return a - floor(a / b) * b;
    case GM_EX_EXP: return exp(a);
    case GM_EX_LOG: return log(a);
    case GM_EX_LOG10: return log10(a);
    case GM_EX_SIN: return sin(a);
    case GM_EX_COS: return cos(a);
    case GM_EX_TAN: return tan(a);
    case GM_EX_ASIN: return asin(a);
    case GM_EX_ACOS: return acos(a);
    case GM_EX_ATAN: return atan(a);
    case GM_EX_ATAN2: return atan2(a, b);
    case GM_EX_SINH: return sinh(a);
    case GM_EX_COSH: return cosh(a);
    case GM_EX_TANH: return tanh(a);
    case GM_EX_LT: return a < b;
    case GM_EX_LE: return a <= b;
    case GM_EX_EQ: return a == b;
    case GM_EX_NE: return a != b;
    case GM_EX_AND: return a != 0 && b != 0;
    case GM_EX_OR: return a != 0 || b != 0;
    case GM_EX_NOT: return a == 0;
    case GM_EX_SELECT: return a != 0 ? b : c;
    default: return NAN;
    }
}

static bool foldable(gm_ex_op op)
{
    return op >= GM_EX_NEG && op <= GM_EX_SELECT;
}

// ---------------------------------------------------------------------------------------------------- identities

static gm_ex_op op_of(const gm_exprs *ex, gm_ex e)
{
    return (gm_ex_op)ex->nodes[e].op;
}

static gm_ex operand(const gm_exprs *ex, gm_ex e, int i)
{
    return ex->nodes[e].a[i];
}

static gm_ex negated(gm_exprs *ex, gm_ex a)
{
    return gm_ex_1(ex, GM_EX_NEG, a);
}

// a op b where an identity gives a simpler node; GM_EX_NONE when none does.
static gm_ex simplify_arithmetic(gm_exprs *ex, gm_ex_op op, gm_ex a, gm_ex b)
{
    bool   neg_a = op_of(ex, a) == GM_EX_NEG, neg_b = op_of(ex, b) == GM_EX_NEG;
    double x;
    switch (op) {
    case GM_EX_ADD:
        if (gm_ex_is(ex, a, 0)) return b;
        if (gm_ex_is(ex, b, 0)) return a;
        if (neg_b) return gm_ex_2(ex, GM_EX_SUB, a, operand(ex, b, 0));
        if (neg_a) return gm_ex_2(ex, GM_EX_SUB, b, operand(ex, a, 0));
        break;
    case GM_EX_SUB:
        if (gm_ex_is(ex, b, 0)) return a;
        if (gm_ex_is(ex, a, 0)) return negated(ex, b);
        if (a == b) return gm_ex_const(ex, 0);
        if (neg_b) return gm_ex_2(ex, GM_EX_ADD, a, operand(ex, b, 0));
        if (gm_ex_is_const(ex, b, &x) && x < 0) return gm_ex_2(ex, GM_EX_ADD, a, gm_ex_const(ex, -x));
        break;
    case GM_EX_MUL:
        if (gm_ex_is(ex, a, 0) || gm_ex_is(ex, b, 0)) return gm_ex_const(ex, 0);
        if (gm_ex_is(ex, a, 1)) return b;
        if (gm_ex_is(ex, b, 1)) return a;
        if (gm_ex_is(ex, a, -1)) return negated(ex, b);
        if (gm_ex_is(ex, b, -1)) return negated(ex, a);
        if (neg_a && neg_b) return gm_ex_2(ex, GM_EX_MUL, operand(ex, a, 0), operand(ex, b, 0));
        if (neg_a) return negated(ex, gm_ex_2(ex, GM_EX_MUL, operand(ex, a, 0), b));
        if (neg_b) return negated(ex, gm_ex_2(ex, GM_EX_MUL, a, operand(ex, b, 0)));
        break;
    case GM_EX_DIV:
        if (gm_ex_is(ex, a, 0) && !gm_ex_is(ex, b, 0)) return a;
        if (gm_ex_is(ex, b, 1)) return a;
        if (gm_ex_is(ex, b, -1)) return negated(ex, a);
        if (neg_a && neg_b) return gm_ex_2(ex, GM_EX_DIV, operand(ex, a, 0), operand(ex, b, 0));
        if (neg_a) return negated(ex, gm_ex_2(ex, GM_EX_DIV, operand(ex, a, 0), b));
        if (neg_b) return negated(ex, gm_ex_2(ex, GM_EX_DIV, a, operand(ex, b, 0)));
        break;
    case GM_EX_POW:
        if (gm_ex_is(ex, b, 1)) return a;
        if (gm_ex_is(ex, b, 0)) return gm_ex_const(ex, 1);
        break;
    case GM_EX_MIN:
    case GM_EX_MAX:
        if (a == b) return a;
        break;
    default: break;
    }
    return GM_EX_NONE;
}

static gm_ex simplify_logic(gm_exprs *ex, gm_ex_op op, gm_ex a, gm_ex b)
{
    bool is_and = op == GM_EX_AND;
    gm_ex neutral = gm_ex_const(ex, is_and ? 1 : 0), absorbing = gm_ex_const(ex, is_and ? 0 : 1);
    if (a == neutral || a == b) return b;
    if (b == neutral) return a;
    if (a == absorbing || b == absorbing) return absorbing;
    if ((op_of(ex, a) == GM_EX_NOT && operand(ex, a, 0) == b) ||
        (op_of(ex, b) == GM_EX_NOT && operand(ex, b, 0) == a)) {
        return absorbing;
    }
    return GM_EX_NONE;
}

gm_ex gm_ex_1(gm_exprs *ex, gm_ex_op op, gm_ex a)
{
    assert(ops[op].operands == 1 && a < ex->count);
    double x;
    if (gm_ex_is_const(ex, a, &x)) {
        if (foldable(op)) return gm_ex_const(ex, gm_ex_apply(op, x, 0, 0));
        if (op == GM_EX_EDGE) return gm_ex_const(ex, 0);  // what never changes has no edge
    }
    if (op == GM_EX_NEG && op_of(ex, a) == GM_EX_NEG) return operand(ex, a, 0);
    if (op == GM_EX_NEG && op_of(ex, a) == GM_EX_SUB)
        return gm_ex_2(ex, GM_EX_SUB, operand(ex, a, 1), operand(ex, a, 0));
    if (op == GM_EX_NOT && op_of(ex, a) == GM_EX_NOT) return operand(ex, a, 0);
    gm_ex_node n = blank(op);
    n.a[0]       = a;
    return intern(ex, &n);
}

gm_ex gm_ex_2(gm_exprs *ex, gm_ex_op op, gm_ex a, gm_ex b)
{
    assert(ops[op].operands == 2 && a < ex->count && b < ex->count);
    double x, y;
    if (foldable(op) && gm_ex_is_const(ex, a, &x) && gm_ex_is_const(ex, b, &y))
        return gm_ex_const(ex, gm_ex_apply(op, x, y, 0));
    gm_ex simpler =
        op == GM_EX_AND || op == GM_EX_OR ? simplify_logic(ex, op, a, b) : simplify_arithmetic(ex, op, a, b);
    if (simpler != GM_EX_NONE) return simpler;
    if ((op == GM_EX_ADD || op == GM_EX_MUL || op == GM_EX_AND || op == GM_EX_OR || op == GM_EX_EQ || op == GM_EX_NE) &&
        a > b) {
        gm_ex swap = a;  // a*b and b*a are one node
        a          = b;
        b          = swap;
    }
    gm_ex_node n = blank(op);
    n.a[0]       = a;
    n.a[1]       = b;
    return intern(ex, &n);
}

gm_ex gm_ex_compare(gm_exprs *ex, gm_ex_op op, gm_ex a, gm_ex b, bool quiet)
{
    double x, y;
    if (gm_ex_is_const(ex, a, &x) && gm_ex_is_const(ex, b, &y)) return gm_ex_const(ex, gm_ex_apply(op, x, y, 0));
    if (a == b) return gm_ex_const(ex, op == GM_EX_LE || op == GM_EX_EQ);
    if (op == GM_EX_EQ || op == GM_EX_NE) return gm_ex_2(ex, op, a, b);
    gm_ex_node n = blank(op);
    n.quiet      = quiet;
    n.a[0]       = a;
    n.a[1]       = b;
    return intern(ex, &n);
}

gm_ex gm_ex_3(gm_exprs *ex, gm_ex_op op, gm_ex a, gm_ex b, gm_ex c)
{
    assert(ops[op].operands == 3 && a < ex->count && b < ex->count && c < ex->count);
    if (op == GM_EX_SELECT) {
        double x;
        if (gm_ex_is_const(ex, a, &x)) return x != 0 ? b : c;
        if (b == c) return b;
        if (op_of(ex, a) == GM_EX_NOT) return gm_ex_3(ex, op, operand(ex, a, 0), c, b);
        // A branch that asks the same question again has one answer.
        if (op_of(ex, b) == GM_EX_SELECT && operand(ex, b, 0) == a) return gm_ex_3(ex, op, a, operand(ex, b, 1), c);
        if (op_of(ex, c) == GM_EX_SELECT && operand(ex, c, 0) == a) return gm_ex_3(ex, op, a, b, operand(ex, c, 2));
    }
    gm_ex_node n = blank(op);
    n.a[0]       = a;
    n.a[1]       = b;
    n.a[2]       = c;
    return intern(ex, &n);
}

gm_ex gm_ex_quiet(gm_exprs *ex, gm_ex e)
{
    gm_ex_node n = ex->nodes[e];
    if (n.op != GM_EX_LT && n.op != GM_EX_LE && !(n.op >= GM_EX_FLOOR && n.op <= GM_EX_MOD)) return e;
    n.quiet = true;
    return intern(ex, &n);
}

gm_ex gm_ex_lookup(gm_exprs *ex, uint32_t table, uint32_t derivative, gm_ex x, gm_ex y)
{
    gm_ex_node n = blank(GM_EX_LOOKUP);
    n.extra      = table << 2 | derivative;
    n.a[0]       = x;
    n.a[1]       = y;
    return intern(ex, &n);
}

gm_ex gm_ex_sample(gm_exprs *ex, uint32_t id, gm_ex start, gm_ex interval)
{
    gm_ex_node n = blank(GM_EX_SAMPLE);
    n.extra      = id;
    n.a[0]       = start;
    n.a[1]       = interval;
    return intern(ex, &n);
}

gm_ex gm_ex_rebuild(gm_exprs *ex, gm_ex e, const gm_ex operands[3])
{
    gm_ex_node n = ex->nodes[e];
    switch (n.op) {
    case GM_EX_LT: case GM_EX_LE: return gm_ex_compare(ex, (gm_ex_op)n.op, operands[0], operands[1], n.quiet);
    case GM_EX_EQ: case GM_EX_NE: return gm_ex_compare(ex, (gm_ex_op)n.op, operands[0], operands[1], false);
    case GM_EX_LOOKUP: return gm_ex_lookup(ex, n.extra >> 2, n.extra & 3, operands[0], operands[1]);
    case GM_EX_SAMPLE: return gm_ex_sample(ex, n.extra, operands[0], operands[1]);
    default: break;
    }
    gm_ex fresh;
    switch (ops[n.op].operands) {
    case 1: fresh = gm_ex_1(ex, (gm_ex_op)n.op, operands[0]); return n.quiet ? gm_ex_quiet(ex, fresh) : fresh;
    case 2:
        fresh = gm_ex_2(ex, (gm_ex_op)n.op, operands[0], operands[1]);
        return n.quiet ? gm_ex_quiet(ex, fresh) : fresh;
    case 3: return gm_ex_3(ex, (gm_ex_op)n.op, operands[0], operands[1], operands[2]);
    default: return e;
    }
}

// ---------------------------------------------------------------------------------------------------- walking

void gm_ex_order_begin(gm_exprs *ex)
{
    if (++ex->stamp_now != 0) return;
    memset(ex->stamp, 0, ex->stamp_capacity * sizeof *ex->stamp);  // the counter came round
    ex->stamp_now = 1;
}

void gm_ex_order(gm_exprs *ex, gm_work *scratch, gm_ex root, gm_ids *out_nodes)
{
    if (ex->stamp_capacity < ex->count) {
        uint32_t  old   = ex->stamp_capacity;
        uint32_t *grown = gm_work_grown(ex->w, ex->stamp, &ex->stamp_capacity, ex->count, sizeof *grown);
        memset(grown + old, 0, (ex->stamp_capacity - old) * sizeof *grown);
        ex->stamp = grown;
    }
    if (ex->stamp[root] == ex->stamp_now) return;
    // Each stack entry is a node and how many of its operands were looked at.
    struct { gm_ex e; uint32_t next; } fixed[64], *stack = fixed;
    size_t   capacity = sizeof fixed / sizeof fixed[0];
    uint32_t depth    = 0;
    stack[depth++]    = (__typeof__(*stack)){ root, 0 };
    ex->stamp[root]   = ex->stamp_now;
    while (depth > 0) {
        gm_ex             e = stack[depth - 1].e;
        const gm_ex_node *n = &ex->nodes[e];
        if (stack[depth - 1].next >= (uint32_t)ops[n->op].operands) {
            gm_ids_add(scratch, out_nodes, e);
            depth--;
            continue;
        }
        gm_ex child = n->a[stack[depth - 1].next++];
        if (ex->stamp[child] == ex->stamp_now) continue;
        ex->stamp[child] = ex->stamp_now;
        if (depth == capacity) {
            void *grown = gm_work_zeroed(scratch, capacity * 2, sizeof *stack);
            memcpy(grown, stack, depth * sizeof *stack);
            stack = grown;
            capacity *= 2;
        }
        stack[depth++] = (__typeof__(*stack)){ child, 0 };
    }
}

// ---------------------------------------------------------------------------------------------------- as text

typedef struct printer {
    const gm_exprs *ex;
    gm_ex_name     *name;
    const void     *context;
    gm_buf         *out;
    size_t          start;
    int             depth;
} printer;

static int binding(gm_ex_op op)
{
    switch (op) {
    case GM_EX_SELECT: return 0;
    case GM_EX_OR: return 1;
    case GM_EX_AND: return 2;
    case GM_EX_NOT: return 3;
    case GM_EX_LT: case GM_EX_LE: case GM_EX_EQ: case GM_EX_NE: return 4;
    case GM_EX_ADD: case GM_EX_SUB: case GM_EX_NEG: return 5;
    case GM_EX_MUL: case GM_EX_DIV: return 6;
    case GM_EX_POW: return 7;
    default: return 8;
    }
}

static void print(printer *p, gm_ex e, int least);

static void print_number(gm_buf *out, double value)
{
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {  // the fewest digits that read back as the same number
        snprintf(text, sizeof text, "%.*g", digits, value);
        double back = 0;
        if (sscanf(text, "%lf", &back) == 1 && back == value) break;
    }
    gm_buf_text(out, text);
}

static void print_call(printer *p, const gm_ex_node *n)
{
    gm_buf_printf(p->out, "%s(", ops[n->op].text);
    for (int i = 0; i < ops[n->op].operands; i++) {
        if (i > 0) gm_buf_text(p->out, ", ");
        print(p, n->a[i], 0);
    }
    if (n->op == GM_EX_LOOKUP)
        gm_buf_printf(p->out, ", table %u%s", n->extra >> 2, (n->extra & 3) ? ", derivative" : "");
    gm_buf_byte(p->out, ')');
}

static void print_operator(printer *p, const gm_ex_node *n)
{
    int level = binding((gm_ex_op)n->op);
    switch (n->op) {
    case GM_EX_NEG:
        gm_buf_byte(p->out, '-');
        print(p, n->a[0], 6);
        break;
    case GM_EX_NOT:
        gm_buf_text(p->out, "not ");
        print(p, n->a[0], 4);
        break;
    case GM_EX_SELECT:
        gm_buf_text(p->out, "if ");
        print(p, n->a[0], 0);
        gm_buf_text(p->out, " then ");
        print(p, n->a[1], 0);
        gm_buf_text(p->out, " else ");
        print(p, n->a[2], 0);
        break;
    default: {
        bool tight = level >= 6;
        print(p, n->a[0], n->op == GM_EX_POW || level == 4 ? level + 1 : level);
        gm_buf_printf(p->out, tight ? "%s" : " %s ", ops[n->op].text);
        print(p, n->a[1], level + 1);
    }
    }
}

static void print(printer *p, gm_ex e, int least)
{
    const gm_ex_node *n = &p->ex->nodes[e];
    if (p->depth > 60 || p->out->len - p->start > 4000) {  // for people: what is larger is not read
        gm_buf_text(p->out, "...");
        return;
    }
    p->depth++;
    int  level = binding((gm_ex_op)n->op);
    bool paren = level < least || (n->op == GM_EX_CONST && n->value < 0 && least > 5);
    if (paren) gm_buf_byte(p->out, '(');
    switch (n->op) {
    case GM_EX_CONST: print_number(p->out, n->value); break;
    case GM_EX_TEXT: gm_buf_json_str(p->out, p->ex->texts[n->id]); break;
    case GM_EX_VAR: p->name(p->context, n->id, p->out); break;
    case GM_EX_DER:
    case GM_EX_PRE:
        gm_buf_text(p->out, n->op == GM_EX_DER ? "der(" : "pre(");
        p->name(p->context, n->id, p->out);
        gm_buf_byte(p->out, ')');
        break;
    case GM_EX_TIME: gm_buf_text(p->out, "time"); break;
    case GM_EX_INITIAL: gm_buf_text(p->out, "initial()"); break;
    case GM_EX_TERMINAL: gm_buf_text(p->out, "terminal()"); break;
    default:
        if (level < 8) print_operator(p, n);
        else print_call(p, n);
    }
    if (paren) gm_buf_byte(p->out, ')');
    p->depth--;
}

void gm_ex_print(const gm_exprs *ex, gm_ex e, gm_ex_name *name, const void *context, gm_buf *out)
{
    printer p = { ex, name, context, out, out->len, 0 };
    print(&p, e, 0);
}
