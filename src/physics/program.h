// physics/program.h: what a behavior does, as straight-line code. The one intermediate form between the compilers
// (Modelica, the twin graph) and the executors (interpreter, code generator, SUNDIALS).
//
//   // der(x) = v;  der(v) = -k/m*x;                                 a spring, k and m varied from lane to lane
//   gm_builder *b = gm_builder_create(alloc, NULL);
//   gm_slot x = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_STATE,     .name = GM_STR("x"), .unit = GM_STR("m"), .start = 1 });
//   gm_slot v = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_STATE,     .name = GM_STR("v"), .unit = GM_STR("m/s") });
//   gm_slot k = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_PARAMETER, .name = GM_STR("k"), .unit = GM_STR("N/m"), .start = 4 });
//   gm_slot m = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_PARAMETER, .name = GM_STR("m"), .unit = GM_STR("kg"),  .start = 1 });
//   gm_build_section(b, GM_SECTION_DERIVATIVE);
//   gm_val pull = gm_emit2(b, GM_OP_MUL, gm_emit_load(b, k), gm_emit_load(b, x));
//   gm_val a    = gm_emit2(b, GM_OP_DIV, pull, gm_emit_load(b, m));
//   gm_build_derivative(b, x, gm_emit_load(b, v));
//   gm_build_derivative(b, v, gm_emit1(b, GM_OP_NEG, a));
//   gm_build_end(b);
//   gm_status st = gm_builder_finish(b, &program, &err);            // every mistake above is reported here, once
//
// A program is immutable once finished and may be shared by threads. It knows nothing of lanes, steps or machines:
// every value in it is a number (double) or a mask (true or false), and "x" means x of whichever lane runs it.
//
// SLOTS are what a lane remembers: one double per lane each. Slot 0 is time (s since the epoch of the run) and exists
// from the start. Booleans are stored as 0.0 and 1.0, integers and enumerations as whole doubles.
//
// SECTIONS are functions from slots to slots, without loops or branches. Inside a section every load sees the slot as
// it was when the section began; every store takes effect when it ends, all together. An `if` is a select, both
// sides of which are computed. The executors call the sections as follows:
//
//   BIND        whenever parameters were set, first of all: dependent parameters (store: PARAMETER)
//   INITIAL     at the start of a run that does not fork a live state: initial STATE, DISCRETE and guesses (ALGEBRAIC)
//               from parameters, inputs and the slots' start values. Stores nothing = start values hold.
//   DERIVATIVE  at every stage of an integrator: gm_build_derivative for every state
//   OUTPUT      when somebody looks (an output row, an observation, a reduction): stores ALGEBRAIC
//   INDICATOR   while stepping with events: gm_build_indicator (see EVENTS)
//   EVENT       at events: new DISCRETE, and STATE where reinit says so
//   CHECK       after every accepted step and event: gm_build_check (assert, terminate)
//
// Sections share nothing with one another but the slots: a value needed in two sections is computed in both.
//
// EVENTS. Loads in EVENT are Modelica's pre(): the value before the event; the value stored is the value after.
//   - A relation whose truth value must not change between events (`x > 0` in an equation) is an *indicator*
//     g = x - 0 in INDICATOR, with a DISCRETE Boolean slot r bound to it: gm_build_indicator(b, g, r). The executor
//     keeps r equal to (g > 0), changes it only at events, and finds the instants where it changes (a solver by root
//     finding; at the located root r takes the value of the far side, whatever the sign of the rounding error in g).
//     Every other section loads r instead of comparing. noEvent(x > 0) is simply a comparison in place.
//   - A time event (`sample`, `time >= t1`) is a DISCRETE slot that holds the next instant at which EVENT must run,
//     +infinity for none: gm_build_time_event(b, slot). Executors step exactly onto the earliest such instant, so
//     that in EVENT `time >= next` is exact; EVENT then moves the slot on (next + interval).
//   - `when c then`: c's last truth value is a DISCRETE slot of the compiler's making; fire = c and not pre(c);
//     store select(fire, new, old). `edge`, `change` likewise. `initial()` is a DISCRETE slot that INITIAL sets to 1
//     and EVENT sets to 0.
//   - At an event the executor sets every r from its g, runs EVENT, and repeats until no slot changes (at most
//     GM_EVENT_ROUNDS times, then the lane fails with GM_LANE_ZENO or a solver with GM_DIVERGED). So EVENT must be
//     idempotent when nothing has happened: an `edge` it has seen must not be seen again. After INITIAL this runs once too.
//   Executors that step lanes with a fixed step do the same at the end of each step instead of at the exact root.
//
// LOOPS. An algebraic loop (a nonlinear block) has a body of its own that computes residuals from arguments (values of
// the calling section) and unknowns; gm_emit_solve in a section gives the unknowns' solutions as values. Newton's
// method runs with a mask per lane. Every unknown has a slot for its guess: the executor starts there and leaves the
// solution there (also clipped to that slot's min and max while iterating, scaled by its nominal). The Jacobian is
// derived by the builder unless given. Tearing is the compiler's: assignments inside the loop go into the body, and
// are emitted once more after the solve where the section needs them.
#ifndef GM_PHYSICS_PROGRAM_H
#define GM_PHYSICS_PROGRAM_H

#include "base/buf.h"

typedef struct gm_program gm_program;  // immutable after gm_builder_finish
typedef struct gm_builder gm_builder;  // one thread

typedef struct gm_slot { uint32_t v; } gm_slot;             // index into the program's slots; { 0 } is time
typedef struct gm_val { uint32_t at, region; } gm_val;      // a value; lives in the section or body it was emitted in
typedef struct gm_loop { uint32_t v; } gm_loop;           // an algebraic loop
typedef struct gm_grid { uint32_t v; } gm_grid;           // a lookup table
typedef struct gm_delay { uint32_t v; } gm_delay;           // a delay line

#define GM_SLOT_NONE ((gm_slot){ UINT32_MAX })
#define GM_TIME_SLOT ((gm_slot){ 0 })

enum { GM_EVENT_ROUNDS = 100 };

// ---------------------------------------------------------------------------------------------------- slots

typedef enum gm_slot_kind {
    GM_SLOT_TIME,
    GM_SLOT_STATE,      // has a derivative
    GM_SLOT_PARAMETER,  // constant over a run; set from outside, or by BIND
    GM_SLOT_INPUT,      // set from outside between steps; held over a step
    GM_SLOT_DISCRETE,   // changes at events only
    GM_SLOT_ALGEBRAIC,  // a function of the others: stored by OUTPUT; also the guesses of algebraic loops
    GM_SLOT_KIND_COUNT
} gm_slot_kind;

typedef enum gm_slot_type { GM_SLOT_REAL, GM_SLOT_INTEGER, GM_SLOT_BOOLEAN, GM_SLOT_ENUMERATION } gm_slot_type;

enum {
    GM_SLOT_IS_OUTPUT = 1,  // declared `output` at the top level
    GM_SLOT_HIDDEN    = 2,  // made by the compiler; not listed in results
    GM_SLOT_BOUNDED   = 4,  // min and max are given
    GM_SLOT_FIXED     = 8,  // start is exact (Modelica's fixed = true)
    GM_SLOT_DEPENDENT = 16  // a parameter that BIND computes; not settable from outside
};

// Texts are copied. Names are unique among slots and aliases, except the empty name (hidden slots only).
typedef struct gm_slot_spec {
    gm_slot_kind kind;
    gm_slot_type type;
    uint32_t     flags;
    gm_str       name, unit, display_unit, description;
    double       start;       // initial value of the slot in a fresh lane; SI
    double       min, max;    // with GM_SLOT_BOUNDED
    double       nominal;     // typical magnitude; 0 = not given, counts as 1
} gm_slot_spec;

// Another name for a slot (an eliminated alias variable): value = negated ? -slot : slot.
typedef struct gm_slot_alias {
    gm_str  name, unit, display_unit, description;
    gm_slot slot;
    bool    negated;
} gm_slot_alias;

// ---------------------------------------------------------------------------------------------------- operations
//
// n = number, m = mask. "signature" lists the operands, then '>' and the result. All arithmetic is IEEE 754 double,
// round to nearest, never reordered by an executor. Masks are not numbers: GM_OP_NUMBER and GM_OP_MASK convert.
// GT and GE are LT and LE with the operands exchanged (gm_emit2 accepts them).
#define GM_OP_LIST(X)                                                                                                \
    X(GM_OP_CONST,  "const",  ">n")    /* gm_emit_const */                                                           \
    X(GM_OP_BOOL,   "bool",   ">m")    /* gm_emit_bool */                                                            \
    X(GM_OP_LOAD,   "load",   ">n")    /* gm_emit_load */                                                            \
    X(GM_OP_ARG,    "arg",    ">n")    /* gm_emit_argument */                                                        \
    X(GM_OP_UNKNOWN,"unknown",">n")    /* gm_emit_unknown */                                                         \
    X(GM_OP_SOLVE,  "solve",  ">n")    /* gm_emit_solve; its value is the first unknown's solution */                \
    X(GM_OP_SOLVED, "solved", ">n")    /* further unknowns of a SOLVE */                                             \
    X(GM_OP_LOOKUP, "lookup", "nn>n")  /* gm_emit_lookup */                                                          \
    X(GM_OP_DELAY,  "delay",  "n>n")   /* gm_emit_delay */                                                           \
    X(GM_OP_ADD,    "add",    "nn>n")                                                                                \
    X(GM_OP_SUB,    "sub",    "nn>n")                                                                                \
    X(GM_OP_MUL,    "mul",    "nn>n")                                                                                \
    X(GM_OP_DIV,    "div",    "nn>n")                                                                                \
    X(GM_OP_FMA,    "fma",    "nnn>n") /* a*b + c, rounded once */                                                   \
    X(GM_OP_FMS,    "fms",    "nnn>n") /* a*b - c */                                                                 \
    X(GM_OP_FNMA,   "fnma",   "nnn>n") /* c - a*b */                                                                 \
    X(GM_OP_NEG,    "neg",    "n>n")                                                                                 \
    X(GM_OP_ABS,    "abs",    "n>n")                                                                                 \
    X(GM_OP_SIGN,   "sign",   "n>n")   /* a > 0 ? 1 : a < 0 ? -1 : a   (zero and NaN stay) */                        \
    X(GM_OP_MIN,    "min",    "nn>n")  /* a < b ? a : b   (b when either is NaN) */                                  \
    X(GM_OP_MAX,    "max",    "nn>n")  /* a > b ? a : b */                                                           \
    X(GM_OP_SQRT,   "sqrt",   "n>n")   /* correctly rounded */                                                       \
    X(GM_OP_FLOOR,  "floor",  "n>n")                                                                                 \
    X(GM_OP_CEIL,   "ceil",   "n>n")                                                                                 \
    X(GM_OP_TRUNC,  "trunc",  "n>n")                                                                                 \
    X(GM_OP_QUOT,   "quot",   "nn>n")  /* Modelica div(a, b): trunc(a / b) */                                        \
    X(GM_OP_REM,    "rem",    "nn>n")  /* Modelica rem(a, b): a - trunc(a / b) * b, rounded once */                    \
    X(GM_OP_MOD,    "mod",    "nn>n")  /* Modelica mod(a, b): a - floor(a / b) * b, rounded once */                    \
    X(GM_OP_EXP,    "exp",    "n>n")                                                                                 \
    X(GM_OP_LOG,    "log",    "n>n")                                                                                 \
    X(GM_OP_LOG10,  "log10",  "n>n")                                                                                 \
    X(GM_OP_SIN,    "sin",    "n>n")                                                                                 \
    X(GM_OP_COS,    "cos",    "n>n")                                                                                 \
    X(GM_OP_TAN,    "tan",    "n>n")                                                                                 \
    X(GM_OP_ASIN,   "asin",   "n>n")                                                                                 \
    X(GM_OP_ACOS,   "acos",   "n>n")                                                                                 \
    X(GM_OP_ATAN,   "atan",   "n>n")                                                                                 \
    X(GM_OP_ATAN2,  "atan2",  "nn>n")  /* atan2(y, x) */                                                             \
    X(GM_OP_SINH,   "sinh",   "n>n")                                                                                 \
    X(GM_OP_COSH,   "cosh",   "n>n")                                                                                 \
    X(GM_OP_TANH,   "tanh",   "n>n")                                                                                 \
    X(GM_OP_POW,    "pow",    "nn>n")  /* C's pow */                                                                 \
    X(GM_OP_LT,     "lt",     "nn>m")  /* false when either is NaN, as are LE and EQ */                              \
    X(GM_OP_LE,     "le",     "nn>m")                                                                                \
    X(GM_OP_EQ,     "eq",     "nn>m")                                                                                \
    X(GM_OP_NE,     "ne",     "nn>m")                                                                                \
    X(GM_OP_AND,    "and",    "mm>m")                                                                                \
    X(GM_OP_OR,     "or",     "mm>m")                                                                                \
    X(GM_OP_XOR,    "xor",    "mm>m")                                                                                \
    X(GM_OP_NOT,    "not",    "m>m")                                                                                 \
    X(GM_OP_SELECT, "select", "mnn>n") /* a ? b : c */                                                               \
    X(GM_OP_NUMBER, "number", "m>n")   /* true 1, false 0 */                                                         \
    X(GM_OP_MASK,   "mask",   "n>m")   /* a != 0 (NaN is true) */

typedef enum gm_op {
#define X(name, text, signature) name,
    GM_OP_LIST(X)
#undef X
    GM_OP_COUNT,
    GM_OP_GT,  // accepted by gm_emit2 only; becomes LT with the operands exchanged
    GM_OP_GE
} gm_op;

const char *gm_op_text(gm_op op);
const char *gm_op_signature(gm_op op);

// ---------------------------------------------------------------------------------------------------- sections

typedef enum gm_section {
    GM_SECTION_BIND,
    GM_SECTION_INITIAL,
    GM_SECTION_DERIVATIVE,
    GM_SECTION_OUTPUT,
    GM_SECTION_INDICATOR,
    GM_SECTION_EVENT,
    GM_SECTION_CHECK,
    GM_SECTION_COUNT
} gm_section;

const char *gm_section_text(gm_section section);

typedef enum gm_check_kind {
    GM_CHECK_ASSERT,    // the mask must be true, or the lane fails with the message
    GM_CHECK_WARN,      // the mask should be true; counted each time that it no longer is, the lane goes on
    GM_CHECK_NOTE,      // counted each time the mask changes: a warning at events, which toggle it. False at first
    GM_CHECK_TERMINATE  // when the mask is true the lane ends, successfully
} gm_check_kind;

// ---------------------------------------------------------------------------------------------------- building

// Bounds on what a hostile model can make of us; 0 = the default in brackets.
typedef struct gm_program_limits {
    uint32_t slots_max;         // [100 000]
    uint32_t instructions_max;  // [4 000 000] over all sections
    uint32_t grid_values_max;  // [4 000 000] over all tables
    bool     exact;             // true: never contract a*b+c into one rounding. Default false: contract where the
                                // product has no other use, as C compilers do
} gm_program_limits;

// A builder remembers its first failure (memory, limit, broken rule); what is emitted afterwards has no effect and
// gives values that are safe to pass on. gm_builder_finish reports it.
GM_NODISCARD gm_builder *gm_builder_create(const gm_alloc *alloc, const gm_program_limits *limits);  // NULL: memory
void                     gm_builder_destroy(gm_builder *b);
gm_status                gm_builder_status(const gm_builder *b);  // GM_OK so far, or the first failure

// Declares. Any time, also while a section is open.
gm_slot gm_build_slot(gm_builder *b, const gm_slot_spec *spec);
void    gm_build_alias(gm_builder *b, const gm_slot_alias *alias);
void    gm_build_text(gm_builder *b, gm_str name, gm_str description);  // of the program itself

// Opens a section, each at most once; gm_build_end closes it. Constants are folded, equal operations are shared,
// and what no result needs is dropped at the end, so emit freely.
void gm_build_section(gm_builder *b, gm_section section);
void gm_build_end(gm_builder *b);

// Values. Operand types are checked against the signature. C does not say in which order the arguments of a call are
// computed: write one emission per statement where the numbering of values matters (a golden dump, the same bits from
// every C compiler: which of two products a sum is contracted with follows from the numbering).
gm_val gm_emit_const(gm_builder *b, double value);
gm_val gm_emit_bool(gm_builder *b, bool value);  // a constant mask
gm_val gm_emit_load(gm_builder *b, gm_slot slot);
gm_val gm_emit1(gm_builder *b, gm_op op, gm_val x);
gm_val gm_emit2(gm_builder *b, gm_op op, gm_val x, gm_val y);
gm_val gm_emit3(gm_builder *b, gm_op op, gm_val x, gm_val y, gm_val z);

// Is the value a constant already (after folding), and which? A mask gives 0 or 1.
bool gm_val_is_const(const gm_builder *b, gm_val x, double *out_value);
bool gm_val_is_mask(const gm_builder *b, gm_val x);

// d of / d wrt, by the chain rule over the operations between them; a constant 0 when there is no dependence (so the
// sparsity of a Jacobian can be read off with gm_val_is_const). wrt is a value made by LOAD, ARG or UNKNOWN. Floor,
// sign and comparisons count as constant; abs, min, max and select follow their branch. `of` may not depend on wrt
// through SOLVE or DELAY (GM_INVALID). Cost: O(operations between them).
gm_val gm_emit_diff(gm_builder *b, gm_val of, gm_val wrt);

// Stores at the end of the section. The allowed kinds of slots are listed with the sections above. Masks are stored
// as 0 and 1. Each slot at most once per section.
void gm_build_store(gm_builder *b, gm_slot slot, gm_val value);
void gm_build_derivative(gm_builder *b, gm_slot state, gm_val value);            // DERIVATIVE; every state once
void gm_build_indicator(gm_builder *b, gm_val g, gm_slot relation);              // INDICATOR; relation: DISCRETE BOOLEAN
void gm_build_check(gm_builder *b, gm_check_kind kind, gm_val mask, gm_str message);  // CHECK; message copied
void gm_build_time_event(gm_builder *b, gm_slot next);                           // DISCRETE REAL; any time

// An algebraic loop. Opens its body (also while a section is open; that one is continued after gm_build_end):
//   gm_loop loop = gm_build_loop(b, &spec);
//     gm_val z = gm_emit_unknown(b, 0), p = gm_emit_argument(b, 0);
//     gm_build_residual(b, 0, ...);                                   // every residual once; body may use no LOAD,
//   gm_build_end(b);                                                  // no SOLVE, no DELAY: pass what it needs
//   gm_emit_solve(b, loop, args, out_solutions);                      // in a section, as often as needed
typedef struct gm_loop_spec {
    gm_str         name;       // for messages, e.g. "pump.flow, pipe.dp"; copied
    uint32_t       unknowns;   // n >= 1; as many residuals
    uint32_t       arguments;
    const gm_slot *guess;      // [unknowns] ALGEBRAIC slots, each used by one unknown of one loop; copied
    bool           linear;     // residuals are affine in the unknowns: solved in one go
} gm_loop_spec;

gm_loop gm_build_loop(gm_builder *b, const gm_loop_spec *spec);
gm_val   gm_emit_argument(gm_builder *b, uint32_t index);
gm_val   gm_emit_unknown(gm_builder *b, uint32_t index);
void     gm_build_residual(gm_builder *b, uint32_t row, gm_val value);
// Optional: all structurally non-zero entries d residual[row] / d unknown[column]. When none is given the builder derives them.
void     gm_build_jacobian(gm_builder *b, uint32_t row, uint32_t column, gm_val value);
void     gm_emit_solve(gm_builder *b, gm_loop loop, const gm_val *arguments, gm_val *out_solutions);

// A lookup table: f(x) or f(x, y) on a grid of strictly rising abscissae (x equal to its neighbour is allowed once, a
// jump, for GM_GRID_LINEAR in 1-D). Values copied; z[i * ny + j] belongs to (x[i], y[j]); ny = 0 for 1-D.
typedef enum gm_grid_smooth { GM_GRID_LINEAR, GM_GRID_HOLD, GM_GRID_AKIMA } gm_grid_smooth;  // AKIMA: 1-D only
typedef enum gm_grid_beyond { GM_GRID_BEYOND_HOLD, GM_GRID_BEYOND_LINEAR, GM_GRID_BEYOND_PERIODIC } gm_grid_beyond;

typedef struct gm_grid_spec {
    gm_str          name;
    uint32_t        nx, ny;
    const double   *x, *y, *z;
    gm_grid_smooth smooth;
    gm_grid_beyond beyond;    // outside the grid, both axes; PERIODIC: 1-D only
} gm_grid_spec;

typedef enum gm_lookup { GM_LOOKUP_VALUE, GM_LOOKUP_DX, GM_LOOKUP_DY } gm_lookup;

gm_grid gm_build_grid(gm_builder *b, const gm_grid_spec *spec);
gm_val   gm_emit_lookup(gm_builder *b, gm_grid table, gm_lookup what, gm_val x, gm_val y);  // y: any value when 1-D

// delay(source, lag): the source slot's value `lag` seconds ago (linear between accepted steps; its first value before
// the run began). source: STATE, INPUT, DISCRETE or ALGEBRAIC (as of the last OUTPUT). 0 <= lag <= lag_max.
gm_delay gm_build_delay(gm_builder *b, gm_slot source, double lag_max);
gm_val   gm_emit_delay(gm_builder *b, gm_delay delay, gm_val lag);

// Validates, drops what is not needed, contracts, and hands over. The builder is spent (destroy it).
// Errors: the builder's first failure; GM_INVALID with names: a state without derivative, an unclosed section,
//         a guess used twice, a residual missing ...
// Cost: O(instructions).
GM_NODISCARD gm_status gm_builder_finish(gm_builder *b, gm_program **out_program, gm_error *err);
void                   gm_program_destroy(gm_program *program);

// ---------------------------------------------------------------------------------------------------- reading

// One operation; its value's number is its index in the region. Operands are indices of earlier instructions, except:
//   CONST  a, b: the number's bits (gm_ins_const)   BOOL   a: 0 or 1
//   LOAD   a: slot                                  ARG, UNKNOWN  a: index
//   SOLVE  a: loop, b: first of its arguments in gm_region.arguments     SOLVED a: the SOLVE, b: which unknown
//   LOOKUP a, b: x and y, c: table << 2 | gm_lookup                       DELAY  a: lag, b: delay
typedef struct gm_ins { uint32_t op, a, b, c; } gm_ins;

static inline double gm_ins_const(const gm_ins *ins)
{
    uint64_t bits = (uint64_t)ins->b << 32 | ins->a;
    double   value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

typedef enum gm_code_result_kind {
    GM_RESULT_STORE,       // target: slot
    GM_RESULT_DERIVATIVE,  // target: slot of the state
    GM_RESULT_INDICATOR,   // target: slot of the relation
    GM_RESULT_CHECK,       // target: index into gm_program_checks
    GM_RESULT_RESIDUAL,    // target: row
    GM_RESULT_JACOBIAN     // target: index into gm_loop_info.rows/columns
} gm_code_result_kind;

typedef struct gm_code_result { gm_code_result_kind kind; uint32_t target, value; } gm_code_result;

// Code of a section or of a loop's body. Viewed: lives as long as the program.
typedef struct gm_region {
    const gm_ins    *ins;
    uint32_t         ins_count;
    const gm_code_result *results;
    uint32_t         result_count;
    const uint32_t  *arguments;  // operands of the SOLVEs
    uint32_t         argument_count;
} gm_region;

typedef struct gm_loop_info {
    gm_str          name;
    uint32_t        unknowns, arguments, entries;
    const gm_slot  *guess;           // [unknowns]
    const uint32_t *rows, *columns;  // [entries] the Jacobian's pattern, row by row, columns rising
    bool            linear;
    gm_region       body;            // results: residuals by row, then Jacobian entries in the pattern's order
} gm_loop_info;

typedef struct gm_check_info { gm_check_kind kind; gm_str message; } gm_check_info;
typedef struct gm_delay_info { gm_slot source; double lag_max; } gm_delay_info;

gm_str               gm_program_name(const gm_program *p);
gm_str               gm_program_description(const gm_program *p);
uint32_t             gm_program_slot_count(const gm_program *p);
const gm_slot_spec  *gm_program_slot(const gm_program *p, gm_slot slot);
// The slots of one kind, in the order they were declared. Viewed.
const gm_slot       *gm_program_slots_of(const gm_program *p, gm_slot_kind kind, uint32_t *out_count);
const gm_slot_alias      *gm_program_aliases(const gm_program *p, uint32_t *out_count);
gm_region            gm_program_section(const gm_program *p, gm_section section);  // empty when it was never opened
uint32_t             gm_program_loop_count(const gm_program *p);
const gm_loop_info *gm_program_loop(const gm_program *p, uint32_t index);
const gm_check_info *gm_program_checks(const gm_program *p, uint32_t *out_count);
const gm_delay_info *gm_program_delays(const gm_program *p, uint32_t *out_count);
const gm_grid_spec *gm_program_grids(const gm_program *p, uint32_t *out_count);
// DISCRETE slots that hold the instants of time events.
const gm_slot       *gm_program_time_events(const gm_program *p, uint32_t *out_count);
// The relation slots, in the order of the INDICATOR section's results.
const gm_slot       *gm_program_relations(const gm_program *p, uint32_t *out_count);
bool                 gm_program_has_events(const gm_program *p);  // relations, time events or an EVENT section

// The slot or alias of that name. False when there is none. O(1).
bool gm_program_find(const gm_program *p, gm_str name, gm_slot *out_slot, bool *out_negated);

// A text a person can read and a test can compare:
//   state x "m" start 1
//   section derivative
//     %0 = load k
//     %2 = mul %0, %1
//     der(v) = %2
void gm_program_dump(const gm_program *p, gm_buf *out);

#endif
