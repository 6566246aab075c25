// physics/modelica/ast.h: a Modelica text as a tree, as written (nothing is looked up yet). Made by parse.h; lives in
// the library's arena and never changes. Lists are arrays with a count; pointers that can be NULL say so.
#ifndef GM_PHYSICS_MODELICA_AST_H
#define GM_PHYSICS_MODELICA_AST_H

#include "physics/modelica/lex.h"

typedef struct gm_ast_expr  gm_ast_expr;
typedef struct gm_ast_class gm_ast_class;
typedef struct gm_ast_mod   gm_ast_mod;

// ---------------------------------------------------------------------------------------------------- expressions

// One name of a reference with its subscripts: `x[i, :]`.
typedef struct gm_ast_part {
    gm_sym              name;
    gm_place            at;
    uint32_t            length;
    gm_ast_expr *const *subscripts;
    uint32_t            subscript_count;
} gm_ast_part;

// a.b[i].c
typedef struct gm_ast_ref {
    const gm_ast_part *parts;
    uint32_t           count;
    bool               global;  // begins with a dot: looked up from the top
    gm_place           at;
    uint32_t           length;
} gm_ast_ref;

typedef struct gm_ast_iterator {
    gm_sym       name;
    gm_ast_expr *range;  // NULL: from the subscripts it is used in
    gm_place     at;
} gm_ast_iterator;

typedef enum gm_ast_kind {
    GM_AST_REAL,     // number
    GM_AST_INTEGER,  // number
    GM_AST_STRING,   // text
    GM_AST_BOOLEAN,  // number 0 or 1
    GM_AST_REF,      // ref
    GM_AST_CALL,     // ref (der, initial, ... included), items, names
    GM_AST_UNARY,    // op, items[0]
    GM_AST_BINARY,   // op, items[0..1]
    GM_AST_IF,       // items: condition, value, condition, value, ..., value
    GM_AST_ARRAY,    // {items}; with iterators: {items[0] for ...}
    GM_AST_MATRIX,   // [items ; items]: rows as GM_AST_ARRAY
    GM_AST_RANGE,    // items: first, last or first, step, last
    GM_AST_COLON,    // `:` as a subscript or dimension
    GM_AST_END,      // `end` inside a subscript
    GM_AST_TUPLE,    // (items), at the left of a call with several results; NULL items are left out
    GM_AST_BROKEN    // stands where a syntax error was
} gm_ast_kind;

struct gm_ast_expr {
    uint8_t                kind, op;  // op: gm_token_kind of the operator
    uint16_t               iterator_count;
    uint32_t               count;     // of items
    gm_place               at;
    uint32_t               length;
    gm_ast_expr          **items;
    const gm_ast_iterator *iterators;
    union {
        double            number;
        gm_str            text;
        const gm_ast_ref *ref;
    };
    const gm_sym *names;              // CALL: NULL, or for each item its name or GM_SYM_NONE
};

// ---------------------------------------------------------------------------------------------------- modifications

// One argument of a modification: `final start(...) = expr`.
struct gm_ast_mod {
    gm_sym             name;
    gm_place           at;
    uint32_t           length;
    bool               each, final, redeclare, is_class;  // is_class: redeclare model name = new_type
    gm_ast_expr       *value;     // NULL
    const gm_ast_mod  *items;     // inside the parentheses
    uint32_t           count;
    const gm_ast_ref  *new_type;  // redeclare: the class put in its place, or NULL
};

// ---------------------------------------------------------------------------------------------------- equations

typedef enum gm_ast_equation_kind {
    GM_AST_EQUAL,      // left = right; left := right in algorithms
    GM_AST_IF_BLOCK,   // branches
    GM_AST_WHEN_BLOCK, // branches
    GM_AST_FOR_BLOCK,  // iterators, branches[0]
    GM_AST_WHILE_BLOCK,// branches[0]
    GM_AST_CONNECT,    // connect(left, right)
    GM_AST_DO,         // a call without a result: left
    GM_AST_BREAK,
    GM_AST_RETURN
} gm_ast_equation_kind;

typedef struct gm_ast_equation gm_ast_equation;

typedef struct gm_ast_branch {
    gm_ast_expr            *condition;  // NULL: else, or the body of a for
    const gm_ast_equation  *items;
    uint32_t                count;
    gm_place                at;
} gm_ast_branch;

struct gm_ast_equation {
    uint8_t                kind;
    uint16_t               iterator_count;
    uint32_t               branch_count;
    gm_place               at;
    uint32_t               length;
    gm_ast_expr           *left, *right;
    const gm_ast_branch   *branches;
    const gm_ast_iterator *iterators;
};

typedef struct gm_ast_section {
    bool                   initial, algorithm;
    const gm_ast_equation *items;
    uint32_t               count;
    gm_place               at;
} gm_ast_section;

// ---------------------------------------------------------------------------------------------------- classes

typedef enum gm_ast_variability {
    GM_AST_CONTINUOUS,
    GM_AST_DISCRETE,
    GM_AST_PARAMETER,
    GM_AST_CONSTANT
} gm_ast_variability;

enum {  // of a component, or of a short class definition
    GM_AST_FLOW = 1, GM_AST_STREAM = 2, GM_AST_INPUT = 4, GM_AST_OUTPUT = 8, GM_AST_FINAL = 16, GM_AST_INNER = 32,
    GM_AST_OUTER = 64, GM_AST_REPLACEABLE = 128, GM_AST_PROTECTED = 256, GM_AST_REDECLARE = 512
};

typedef struct gm_ast_component {
    gm_sym              name;
    gm_place            at;
    uint32_t            length, flags;
    gm_ast_variability  variability;
    const gm_ast_ref   *type;
    gm_ast_expr *const *dimensions;     // those of the name, then those of the type
    uint32_t            dimension_count;
    gm_ast_mod          mod;            // items and value of the declaration
    gm_ast_expr        *condition;      // NULL
    gm_str              comment;
    const gm_ast_mod   *annotation;     // NULL
} gm_ast_component;

typedef struct gm_ast_import {
    gm_sym            name;    // what it is called here; GM_SYM_NONE: everything in `from`
    const gm_ast_ref *from;
} gm_ast_import;

typedef struct gm_ast_extends {
    const gm_ast_ref *base;
    gm_ast_mod        mod;
    bool              is_protected;
} gm_ast_extends;

typedef enum gm_ast_element_kind {
    GM_AST_COMPONENT, GM_AST_CLASS, GM_AST_EXTENDS, GM_AST_IMPORT
} gm_ast_element_kind;

typedef struct gm_ast_element {
    gm_ast_element_kind kind;
    union {
        gm_ast_component *component;
        gm_ast_class     *class_;
        gm_ast_extends   *extends;
        gm_ast_import    *import;
    };
} gm_ast_element;

typedef enum gm_ast_class_kind {
    GM_AST_CLASS_CLASS, GM_AST_CLASS_MODEL, GM_AST_CLASS_BLOCK, GM_AST_CLASS_CONNECTOR, GM_AST_CLASS_RECORD,
    GM_AST_CLASS_TYPE, GM_AST_CLASS_FUNCTION, GM_AST_CLASS_PACKAGE, GM_AST_CLASS_OPERATOR
} gm_ast_class_kind;

typedef struct gm_ast_literal { gm_sym name; gm_str comment; gm_place at; } gm_ast_literal;

struct gm_ast_class {
    gm_sym                name;
    gm_ast_class_kind     kind;
    gm_place              at;              // of the name
    uint32_t              length, number;  // number: of the class within its library
    bool                  is_partial, is_encapsulated, is_replaceable, is_expandable, is_external;
    gm_ast_class         *parent;          // the class around it; NULL: top level
    gm_ast_element       *elements;
    uint32_t              element_count;
    const gm_ast_section *sections;
    uint32_t              section_count;
    gm_map                members;         // gm_sym -> index of the COMPONENT or CLASS element
    // class X = base[dimensions](mod);  base NULL otherwise
    const gm_ast_ref     *base;
    gm_ast_expr *const   *base_dimensions;
    uint32_t              base_dimension_count, base_flags;
    gm_ast_mod            base_mod;
    // type X = enumeration(literals);  is_enumeration also for enumeration(:)
    bool                  is_enumeration;
    const gm_ast_literal *literals;
    uint32_t              literal_count;
    gm_str                comment;
    const gm_ast_mod     *annotation;      // NULL
    gm_str                annotation_text; // as written, parenthesis and all
};

// The argument of that name, or NULL.
const gm_ast_mod *gm_ast_mod_find(const gm_ast_mod *mod, gm_sym name);

#endif
