// physics/compile/system.h: private to the compiler's files: the variables and equations on their way to a program.
//
// Variables are numbered as in the flat model; those the compiler makes (derivatives, memories of events) follow.
// Expressions of equations have no DER left: the derivative of x is a variable, x.derivative.
#ifndef GM_PHYSICS_COMPILE_SYSTEM_H
#define GM_PHYSICS_COMPILE_SYSTEM_H

#include "physics/compile/compile.h"
#include "physics/compile/diff.h"

#define NONE UINT32_MAX

typedef enum var_kind {
    VAR_SKIPPED,   // strings; constants that nobody needs
    VAR_CONSTANT,  // a number: variable.value
    VAR_PARAMETER, // a slot that is set from outside or by BIND
    VAR_FREE,      // parameter with fixed = false: decided at the beginning
    VAR_INPUT,
    VAR_DISCRETE,  // changes at events
    VAR_RELATION,  // discrete as well, but its value is the executor's: it follows an indicator
    VAR_REAL,      // continuous: states, derivatives and all others
    VAR_PRE        // only at the beginning: what pre(x) is then
} var_kind;

typedef struct variable {
    var_kind kind;
    gm_str   name;                   // "h", "der(h)"; hidden ones have one too, for messages
    uint32_t flat;                   // NONE: made here
    uint32_t derivative, integral;   // variables; NONE
    uint32_t alias;                  // of which it is another name; NONE
    bool     negated, is_constant;   // is_constant: found to be `value`, and replaced by it
    bool     state, dummy, hidden, fixed, has_start;
    double   value;                  // CONSTANT; PARAMETER: its default; others: the start, as a number
    gm_ex    start;                  // GM_EX_NONE
    gm_flat_select select;
    gm_slot  slot;
    bool     has_slot;
    gm_place at;
} variable;

typedef struct equation {
    gm_ex    left, right;            // while the model runs
    gm_ex    init_left, init_right;  // at its beginning
    gm_place at;
    uint32_t length;
    uint32_t derivative, of;         // equations: what it was differentiated into, from
    bool     gone;                   // used up by an alias, or true anyhow
    bool     only_initial;           // while the model runs, another one stands for it
    uint8_t  origin;                 // equation_origin
    uint32_t variable;               // FIXED, DEFAULT: whose start it is
} equation;

typedef enum equation_origin { FROM_MODEL, FROM_COMPILER, FROM_INITIAL, FROM_FIXED, FROM_DEFAULT } equation_origin;

// x > y that makes events: r follows the sign of `above - below`, or is decided by time alone.
typedef struct relation { uint32_t variable; gm_ex low, high; bool by_time; uint32_t next; } relation;

typedef struct block {
    uint32_t first, count;           // into system.steps
    uint32_t tears;                  // 0: everything is assigned in turn; else the last `tears` steps are residuals
    bool     linear, discrete;
    gm_loop  loop;
    bool     loop_built;
    gm_ids   arguments;              // expressions that the loop is given
} block;

// variable := solved, or, for the tear variables of a block, residual equation `equation` with unknown `variable`.
typedef struct step { uint32_t variable, equation; gm_ex solved; } step;

// A square set of equations in order of computation.
typedef struct system_ {
    bool      initial;               // reads init_left, init_right
    gm_ids    equations, unknowns;
    uint32_t *row_of;                // by variable: index into equations; NONE
    uint32_t *column_of;             // by variable: index into unknowns; NONE
    uint32_t *matched_row;           // by unknown
    uint32_t *matched_column;        // by equation
    uint32_t *start, *entries;       // the unknowns of each equation, as indices into unknowns
    block    *blocks;
    step     *steps;
    uint32_t  block_count, step_count;
    uint32_t *block_of;              // by unknown
} system_;

typedef struct compiler {
    const gm_flat      *flat;
    const gm_alloc     *alloc;
    gm_work             w;
    gm_work_exit        leave;
    gm_exprs            ex;
    gm_diags           *diags;
    gm_compile_options  options;
    variable           *vars;
    uint32_t            var_count, var_capacity;
    equation           *eqs;
    uint32_t            eq_count, eq_capacity;
    relation           *relations;
    uint32_t            relation_count, relation_capacity;
    gm_flat_action     *actions;     // with expressions as they are while the model runs
    uint32_t            action_count;
    gm_ids              time_events; // variables that hold the next instant
    gm_ids              delays;      // DELAY expressions (the first operand is their number here) and what they delay
    gm_ids              delay_sources;
    gm_ids              parameters;  // in order of computation
    gm_differ           time;        // time derivatives
    system_             run, init;
    gm_builder         *b;
    gm_ids              order;       // scratch
    uint32_t            free_initials;  // start values that were chosen
    uint32_t            alias_count, constant_count, reduced, stabilised;
} compiler;

// compile.c
void gm_complain(compiler *C, gm_severity severity, gm_place at, uint32_t length, const char *fmt, ...) GM_PRINTF(5, 6);
uint32_t add_var(compiler *C, const variable *v);
uint32_t add_eq(compiler *C, gm_ex left, gm_ex right, gm_place at, uint32_t length, equation_origin origin);
uint32_t derivative_of_var(compiler *C, uint32_t v);           // made when it is not there yet
_Noreturn void gm_give_up(compiler *C);                        // diags says why

// prepare.c
void gm_prepare(compiler *C);                                  // variables, parameters, equations without DER
bool  gm_evaluate(compiler *C, gm_ex e, bool guess,
                  double *out); // with the defaults of parameters; guess: starts for the rest
bool is_invariant(compiler *C, gm_ex e, bool discrete_too);    // made of parameters and constants only
gm_ex root_of(compiler *C, uint32_t v);                        // what a variable stands for after alias elimination

// alias.c, events.c
void eliminate_aliases(compiler *C);
void extract_events(compiler *C);
gm_ex at_beginning(compiler *C, gm_ex e, gm_map *memo);        // as it reads in the initial system

// match.c: rows x columns; entries of row i are entries[start[i]] .. entries[start[i + 1] - 1]
typedef struct graph { uint32_t rows, columns; const uint32_t *start, *entries; } graph;
typedef struct matcher {
    const graph *g;
    uint32_t    *row_of_column, *column_of_row;  // NONE: free
    uint32_t    *seen, *cheap, *stack_row, *stack_at, *via, stamp;
} matcher;
matcher  matcher_new(compiler *C, const graph *g);
bool     match_row(matcher *m, uint32_t row);                  // one more row by an augmenting path; O(entries)
uint32_t match_all(matcher *m);                                // size of a largest matching; rows in order
graph    gm_transpose(compiler *C, const graph *g);
// The unknowns of an equation: column_of[variable], NONE for what is none. Appended, each once.
void unknowns_in(compiler *C, gm_ex left, gm_ex right, const uint32_t *column_of, uint32_t *stamp, uint32_t now,
                 gm_ids *out);

// structure.c: says which equations and variables do not fit
void report_structure(compiler *C, const system_ *s, const graph *g, const matcher *m);
void print_equation(compiler *C, const equation *q, gm_buf *out);
void print_ex(compiler *C, gm_ex e, gm_buf *out);
gm_str take_text(compiler *C, gm_buf *text, size_t most);  // into the compiler's memory; the buffer is finished

// index.c
void      reduce_index(compiler *C);
bool      is_live(const compiler *C, const variable *v); // neither a name nor a number, nor the derivative of one
uint32_t *no_columns(compiler *C);                                      // column_of, NONE everywhere
void      match_meant(compiler *C, const system_ *s, matcher *m);       // pairs `x = ...` with x
void      match_system(compiler *C, system_ *s);                        // complete, or reported

// blt.c, tear.c, solve.c
void build_incidence(compiler *C, system_ *s, graph *out);
void order_system(compiler *C, system_ *s);                    // blocks and steps from the matching
bool is_continuous(const compiler *C, uint32_t v);
bool tear_block(compiler *C, system_ *s, block *b, const uint32_t *rows,
                uint32_t count);                                        // false: discrete variables in a circle
typedef enum solvable { SOLVE_NOT, SOLVE_RISKY, SOLVE_SAFE } solvable;  // RISKY: divides by something that may become 0
solvable solve_for(compiler *C, gm_ex left, gm_ex right, uint32_t v, gm_ex *out);

// init.c, emit.c, explain.c
void build_initial_system(compiler *C);
void emit_program(compiler *C);
void gm_explain(compiler *C, gm_buf *out);

static inline gm_ex eq_left(const compiler *C, const system_ *s, uint32_t e)
{
    return s->initial ? C->eqs[e].init_left : C->eqs[e].left;
}
static inline gm_ex eq_right(const compiler *C, const system_ *s, uint32_t e)
{
    return s->initial ? C->eqs[e].init_right : C->eqs[e].right;
}

#endif
