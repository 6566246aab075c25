// physics/compile/expr.h: scalar expressions as a graph in which equal expressions are one node. Made while a model is
// flattened; every later stage asks it questions ("what does this depend on") or derives new nodes from it.
//
//   gm_ex sum = gm_ex_2(ex, GM_EX_ADD, gm_ex_var(ex, v), gm_ex_const(ex, 1));
//
// An operand's number is smaller than its user's, so a pass over the graph is a loop over numbers and never recurses.
// Constants are folded and the plain identities (x+0, x*1, --x, x-x ...) applied as nodes are made; 0*x counts as 0.
// Booleans are 0 and 1; enumerations count from 1.
#ifndef GM_PHYSICS_COMPILE_EXPR_H
#define GM_PHYSICS_COMPILE_EXPR_H

#include "base/buf.h"
#include "physics/work.h"

typedef uint32_t gm_ex;
#define GM_EX_NONE UINT32_MAX

// name, text, operands
#define GM_EX_LIST(X)                                                                                                \
    X(CONST, "const", 0)     /* value */                                                                             \
    X(TEXT, "text", 0)       /* id: of a string; only in messages */                                                 \
    X(VAR, "var", 0)         /* id */                                                                                \
    X(TIME, "time", 0)                                                                                               \
    X(DER, "der", 0)         /* id: of the variable whose derivative it is */                                        \
    X(PRE, "pre", 0)         /* id: of the variable */                                                               \
    X(INITIAL, "initial", 0)                                                                                         \
    X(TERMINAL, "terminal", 0)                                                                                       \
    X(NEG, "-", 1) X(ADD, "+", 2) X(SUB, "-", 2) X(MUL, "*", 2) X(DIV, "/", 2) X(POW, "^", 2)                         \
    X(ABS, "abs", 1) X(SIGN, "sign", 1) X(MIN, "min", 2) X(MAX, "max", 2) X(SQRT, "sqrt", 1)                          \
    X(FLOOR, "floor", 1) X(CEIL, "ceil", 1) X(QUOT, "div", 2) X(REM, "rem", 2) X(MOD, "mod", 2) /* may be quiet */    \
    X(EXP, "exp", 1) X(LOG, "log", 1) X(LOG10, "log10", 1) X(SIN, "sin", 1) X(COS, "cos", 1) X(TAN, "tan", 1)         \
    X(ASIN, "asin", 1) X(ACOS, "acos", 1) X(ATAN, "atan", 1) X(ATAN2, "atan2", 2)                                     \
    X(SINH, "sinh", 1) X(COSH, "cosh", 1) X(TANH, "tanh", 1)                                                          \
    X(LT, "<", 2) X(LE, "<=", 2) X(EQ, "==", 2) X(NE, "<>", 2)   /* quiet: without an event */                        \
    X(AND, "and", 2) X(OR, "or", 2) X(NOT, "not", 1)                                                                  \
    X(SELECT, "if", 3)                                                                                               \
    X(EDGE, "edge", 1)       /* true in the event in which the operand becomes true */                               \
    X(SAMPLE, "sample", 2)   /* start, interval; id in the node's extra */                                           \
    X(DELAY, "delay", 3)     /* what, lag, largest lag */                                                            \
    X(LOOKUP, "lookup", 2)   /* x, y; extra: table << 2 | derivative (0 value, 1 d/dx, 2 d/dy) */

typedef enum gm_ex_op {
#define X(name, text, operands) GM_EX_##name,
    GM_EX_LIST(X)
#undef X
    GM_EX_OP_COUNT
} gm_ex_op;

typedef struct gm_ex_node {
    uint8_t  op;
    bool     quiet;   // LT, LE, FLOOR, CEIL, QUOT, REM, MOD: no event is to be made of it
    uint16_t extra16; // unused, zero
    uint32_t extra;   // LOOKUP, SAMPLE
    union {
        gm_ex    a[3];
        uint32_t id;
        double   value;
    };
} gm_ex_node;

enum { GM_EX_NODES_MAX = 8000000 };

typedef struct gm_exprs {
    gm_work    *w;        // current owner; the arena behind it keeps the nodes
    gm_ex_node *nodes;
    uint32_t    count, capacity;
    uint32_t   *slots, slot_count;
    gm_str     *texts;    // of TEXT nodes
    uint32_t    text_count, text_capacity;
    uint32_t   *stamp;    // scratch of gm_ex_order
    uint32_t    stamp_capacity, stamp_now;
} gm_exprs;

void gm_exprs_init(gm_exprs *ex, gm_work *w);

static inline const gm_ex_node *gm_ex_at(const gm_exprs *ex, gm_ex e) { return &ex->nodes[e]; }
static inline gm_ex_op gm_ex_op_of(const gm_exprs *ex, gm_ex e) { return (gm_ex_op)ex->nodes[e].op; }
int         gm_ex_operands(gm_ex_op op);
const char *gm_ex_op_text(gm_ex_op op);

gm_ex gm_ex_const(gm_exprs *ex, double value);
gm_ex gm_ex_text(gm_exprs *ex, gm_str text);  // copied
gm_ex gm_ex_id(gm_exprs *ex, gm_ex_op op, uint32_t id);  // VAR, DER, PRE
gm_ex gm_ex_0(gm_exprs *ex, gm_ex_op op);
gm_ex gm_ex_1(gm_exprs *ex, gm_ex_op op, gm_ex a);
gm_ex gm_ex_2(gm_exprs *ex, gm_ex_op op, gm_ex a, gm_ex b);
gm_ex gm_ex_3(gm_exprs *ex, gm_ex_op op, gm_ex a, gm_ex b, gm_ex c);
gm_ex gm_ex_compare(gm_exprs *ex, gm_ex_op op, gm_ex a, gm_ex b, bool quiet);
gm_ex gm_ex_quiet(gm_exprs *ex, gm_ex e);  // the same without events; what makes none stays as it is
gm_ex gm_ex_lookup(gm_exprs *ex, uint32_t table, uint32_t derivative, gm_ex x, gm_ex y);
gm_ex gm_ex_sample(gm_exprs *ex, uint32_t id, gm_ex start, gm_ex interval);
static inline gm_ex gm_ex_var(gm_exprs *ex, uint32_t id) { return gm_ex_id(ex, GM_EX_VAR, id); }
// The same node with other operands.
gm_ex gm_ex_rebuild(gm_exprs *ex, gm_ex e, const gm_ex operands[3]);

bool gm_ex_is_const(const gm_exprs *ex, gm_ex e, double *out_value);  // out_value may be NULL
static inline bool gm_ex_is(const gm_exprs *ex, gm_ex e, double value)
{
    return ex->nodes[e].op == GM_EX_CONST && ex->nodes[e].value == value;
}

// Appends the nodes that roots depend on, themselves included, operands first, each once. Nodes that were appended
// since the last gm_ex_order_begin are left out. O(nodes appended).
void gm_ex_order_begin(gm_exprs *ex);
void gm_ex_order(gm_exprs *ex, gm_work *scratch, gm_ex root, gm_ids *out_nodes);

// A number for every operand: what C's double arithmetic makes of it. NaN-safe; TEXT and others give NaN.
double gm_ex_apply(gm_ex_op op, double a, double b, double c);

// Writes an expression as Modelica text; name(context, id, out) writes a variable.
typedef void gm_ex_name(const void *context, uint32_t id, gm_buf *out);
void gm_ex_print(const gm_exprs *ex, gm_ex e, gm_ex_name *name, const void *context, gm_buf *out);

#endif
