// physics/compile/flat.h: a model without structure: scalar variables, equations between them, and what happens at
// events. The Modelica front end makes it, the compiler reads it.
//
//   model T: Tank t1(A=2) ... becomes   variables t1.h, t1.port.p, t1.A ...
//                                        equations t1.port.p = t1.rho*t1.g*t1.h, ...
//
// Everything is a scalar: arrays are elements x[1], x[2,3]; records are their fields; loops, functions and if-equations
// are unrolled into expressions. `when c then v = e` has become the equation v = if edge(c) then e else pre(v).
#ifndef GM_PHYSICS_COMPILE_FLAT_H
#define GM_PHYSICS_COMPILE_FLAT_H

#include "physics/compile/expr.h"
#include "physics/modelica/diag.h"

typedef enum gm_flat_type { GM_FLAT_REAL, GM_FLAT_INTEGER, GM_FLAT_BOOLEAN, GM_FLAT_ENUM, GM_FLAT_STRING } gm_flat_type;

typedef enum gm_flat_variability {
    GM_FLAT_CONTINUOUS,
    GM_FLAT_DISCRETE,    // declared so, or not Real, or assigned in a when
    GM_FLAT_PARAMETER,
    GM_FLAT_CONSTANT
} gm_flat_variability;

typedef enum gm_flat_select { GM_FLAT_SELECT_NEVER, GM_FLAT_SELECT_AVOID, GM_FLAT_SELECT_DEFAULT, GM_FLAT_SELECT_PREFER,
                              GM_FLAT_SELECT_ALWAYS } gm_flat_select;

enum {
    GM_FLAT_INPUT      = 1,   // of the whole model
    GM_FLAT_OUTPUT     = 2,
    GM_FLAT_FLOW       = 4,
    GM_FLAT_PROTECTED  = 8,
    GM_FLAT_STRUCTURAL = 16,  // a parameter whose value shaped the equations: can not be set afterwards
    GM_FLAT_FINAL      = 32,
    GM_FLAT_FIXED      = 64,  // fixed = true was given, or is implied (parameters)
    GM_FLAT_UNFIXED    = 128, // fixed = false was given
    GM_FLAT_CONNECTOR  = 256  // part of a connector
};

typedef struct gm_flat_var {
    gm_str              name;     // "tank1.port.p", "x[2]"
    gm_flat_type        type;
    gm_flat_variability variability;
    uint32_t            flags;
    gm_flat_select      select;
    gm_ex               binding;  // of a parameter or constant; GM_EX_NONE: none (variables' are equations)
    gm_ex               start, min, max, nominal;  // GM_EX_NONE when not given
    gm_str              unit, display_unit, quantity, description;
    const gm_str       *literals; // of an enumeration; literals[value - 1]
    uint32_t            literal_count;
    uint32_t            owner;    // the top-level component it belongs to: index into gm_flat.components, or none
    gm_place            at;       // where it is declared
} gm_flat_var;

typedef struct gm_flat_equation {
    gm_ex    left, right;
    gm_place at;
    uint32_t length, owner;
} gm_flat_equation;

typedef enum gm_flat_action_kind {
    GM_FLAT_REINIT,
    GM_FLAT_ASSERT,
    GM_FLAT_WARN,
    GM_FLAT_NOTE,  // a warning at events, after extract_events: its value is turned over each time
    GM_FLAT_TERMINATE
} gm_flat_action_kind;

// What is neither a variable nor an equation. guard: when it counts (GM_EX_NONE: always).
typedef struct gm_flat_action {
    gm_flat_action_kind kind;
    gm_ex               guard;
    uint32_t            var;      // REINIT
    gm_ex               value;    // REINIT: the new value; ASSERT, WARN: must be true
    gm_str              message;
    gm_place            at;
} gm_flat_action;

typedef struct gm_flat_table {
    gm_str        name;
    uint32_t      nx, ny;         // ny 0: one-dimensional
    const double *x, *y, *z;      // z[i * ny + j]
    uint8_t       smooth, beyond; // gm_grid_smooth, gm_grid_beyond of program.h
} gm_flat_table;

// A component at the top of the model: what a twin became when the graph was the diagram.
typedef struct gm_flat_component { gm_str name, class_name; gm_str interface_id; } gm_flat_component;

#define GM_FLAT_NO_OWNER UINT32_MAX

typedef struct gm_flat {
    gm_arena          *arena;      // owns everything below
    const gm_sources  *sources;    // viewed: of the library that it was made from; NULL when made by hand
    gm_str             name, description;
    gm_str             interface_id;  // annotation(__gemel(interface="...")) of the class; empty when none
    gm_place           at;         // of the class
    gm_exprs           ex;
    gm_flat_var       *vars;
    gm_flat_equation  *equations, *initials;
    gm_flat_action    *actions;
    gm_flat_table     *tables;
    gm_flat_component *components;
    uint32_t           var_count, var_capacity, equation_count, equation_capacity, initial_count, initial_capacity;
    uint32_t           action_count, action_capacity, table_count, table_capacity, component_count, component_capacity;
    uint32_t           sample_count;
} gm_flat;

void gm_flat_destroy(gm_flat *flat);

uint32_t gm_flat_find(const gm_flat *flat, gm_str name);                       // UINT32_MAX when absent; O(n)
void     gm_flat_print(const gm_flat *flat, gm_ex e, gm_buf *out);             // as Modelica text
void     gm_flat_dump(const gm_flat *flat, gm_buf *out);                       // the whole model as flat Modelica

#endif
