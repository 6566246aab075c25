// physics/modelica/flatten.h: private to the files that turn classes into scalars.
//
//   lookup.c    names of classes -> classes; a class with all it inherits -> a layout (one per class, shared)
//   modify.c    modifications and redeclarations: which places speak of an instance
//   instance.c  layout + modifications -> instances and scalar variables; bind.c: attributes and bindings
//   eval.c      expressions -> values (arrays of gm_ex); eval_ref.c: names; builtin.c: der, sum, size ...; table.c
//   function.c  calls of functions and records; algorithm.c: statements, run on symbols
//   equation.c  sections -> equations, actions; connect.c: connection sets
//
// Instances are made when first asked for, so that an array's size may depend on any parameter; a name that is asked
// for while it is being made depends on itself, and is refused.
//
// Modifications are never merged. Each instance has the list of places that may modify it, the outermost first; a
// question ("what is start?") is answered by the first place that says something.
#ifndef GM_PHYSICS_MODELICA_FLATTEN_H
#define GM_PHYSICS_MODELICA_FLATTEN_H

#include "physics/compile/diff.h"
#include "physics/modelica/library.h"

enum { GM_DIMS_MAX = 8, GM_ARRAY_MAX = 4000000 };

typedef struct gm_inst inst;

// ---------------------------------------------------------------------------------------------------- values

typedef enum value_type { V_ERROR, V_REAL, V_INTEGER, V_BOOLEAN, V_STRING, V_ENUM, V_RECORD } value_type;

// A scalar, an array, or a record. Arrays are row by row.
typedef struct value {
    uint8_t             type, ndims;
    uint32_t            count;      // elements; 1 for a scalar
    const uint32_t     *dims;
    const gm_ast_class *cls;        // ENUM, RECORD
    union {
        gm_ex        *many;         // ndims > 0
        gm_ex         one;          // ndims == 0
        struct value *fields;       // RECORD, ndims == 0: in the order of its layout
        struct value *elements;     // RECORD, ndims > 0: scalar records
    };
} value;

static inline gm_ex gm_value_at(const value *v, uint32_t i) { return v->ndims == 0 ? v->one : v->many[i]; }

// ---------------------------------------------------------------------------------------------------- classes

// A modification that a class applies to something it inherits.
typedef struct ext_mod {
    const gm_ast_mod   *mod;
    const gm_ast_class *cls;        // where its names are looked up
    bool                outside;    // only in the class around, not among the components
    struct ext_mod     *next;
} ext_mod;

typedef struct layout layout;

// A component of a class, inherited ones included.
typedef struct slot {
    const gm_ast_component *decl;
    const gm_ast_class     *cls;    // that declares it
    ext_mod                *mods;   // of the classes that inherit it, the most derived first
    layout                 *type;   // looked up when first needed
    bool                    type_known, is_protected;
} slot;

typedef struct dim_list {
    gm_ast_expr *const *items;
    uint32_t            count;
    const gm_ast_class *cls;
    struct dim_list    *next;
} dim_list;

typedef struct section_ref { const gm_ast_section *section; const gm_ast_class *cls; } section_ref;

struct layout {
    const gm_ast_class *cls;
    slot               *slots;
    uint32_t            slot_count, slot_capacity;
    gm_map              names;      // gm_sym -> slot
    section_ref        *sections;
    uint32_t            section_count, section_capacity;
    bool                is_prim;    // Real, Integer, Boolean, String, an enumeration, or made of one
    value_type          prim;
    const gm_ast_class *enumeration;
    ext_mod            *prim_mods;
    ext_mod            *replaced;   // classes redeclared on the way: extends Base(redeclare model M = Other)
    dim_list           *dims;       // of `type Vector = Real[3]`, outermost first
    uint32_t            flags;      // GM_AST_INPUT ... of `connector C = input Real`
    bool                is_connector, is_record;
};

typedef struct class_info {
    layout *layout;
    inst   *package;                // for its constants
    uint8_t state;                  // of the layout: 0 new, 1 being made, 2 ready
    bool    looking;                // its bases are being searched
} class_info;

// ---------------------------------------------------------------------------------------------------- instances

typedef struct scope scope;

// A place that may modify an instance. index: which elements of arrays it has gone through.
typedef struct mod_source {
    const gm_ast_mod   *mod;
    inst               *home;       // where its expressions are looked up; NULL: only in cls
    const gm_ast_class *cls;
    const uint32_t     *index;
    uint32_t            index_count;
    struct mod_source  *next;
} mod_source;

enum { INST_NEW, INST_BUSY, INST_READY };

struct gm_inst {
    inst               *parent;
    slot               *slot;       // NULL: the root, or a package
    layout             *lay;
    mod_source         *mods;
    gm_str              path;       // "tank1.port"; empty for the root
    uint8_t             state, bind_state, ndims;
    bool                is_element, disabled, is_package;
    gm_ast_variability  variability;
    uint32_t            flags;      // GM_AST_*
    uint32_t            dims[GM_DIMS_MAX];
    uint32_t            count;      // of elements; 1 for a scalar
    uint32_t            index;      // is_element: which one
    uint32_t            var;        // prim: the first of `count` variables
    uint32_t            owner;      // gm_flat_component
    inst               *kids;       // composite scalar: one per slot
    inst               *elements;   // composite array
    inst               *outer_of;   // declared `outer`: the instance that is meant
    value              *binding;    // composite: the record it is bound to, when known
    bool                binding_known;
    uint32_t            depth, serial;
};

// ---------------------------------------------------------------------------------------------------- scopes

// A name that stands for a value while something is evaluated: loop variables, a function's own variables.
typedef struct local {
    gm_sym         name;
    value          v;
    const slot    *decl;            // of a function
    bool           is_input, is_set;
    struct local  *next;
} local;

// What an algorithm has assigned so far.
typedef struct overlay {
    gm_map  values;                 // variable -> gm_ex
    gm_ids  order;                  // variables, as first assigned
} overlay;

struct scope {
    inst               *in;
    const gm_ast_class *cls;
    local              *locals;
    overlay            *over;       // in an algorithm of a model
    bool                quiet;      // no events: inside noEvent, functions
    bool                in_function;
};

// ---------------------------------------------------------------------------------------------------- flattening

typedef struct sink { gm_flat_equation *items; uint32_t count, capacity; } sink;

typedef struct gm_flatten {
    gm_modelica       *m;
    gm_work            w;           // memory of the way there
    gm_work            rw;          // memory of the result
    gm_work_exit       leave;
    gm_flat           *flat;
    gm_exprs          *ex;
    gm_diags          *diags;
    gm_modelica_limits limits;
    bool               open_inputs;
    uint64_t           steps;
    uint32_t           depth, eval_depth, fold_depth, call_depth;
    class_info        *infos;       // by gm_ast_class.number
    inst               root;
    inst             **var_inst;    // by variable
    uint32_t           var_inst_capacity;
    const uint32_t    *end_dim;     // what `end` means now, or NULL
    gm_ex              guard;       // of the equations being read; GM_EX_NONE: always
    sink              *sink;        // where equations go instead of the flat model; NULL: nowhere else
    struct connections *connections;
    gm_map             indexed;     // arrays of modifications already evaluated
    value            **indexed_values;
    uint32_t           indexed_count, indexed_capacity;
    gm_differ          der;         // time derivatives of expressions
    uint32_t           serial;      // given to instances so far
    bool               initial;     // equations go to the initial ones
} gm_flatten;

// Errors. They are collected; what could not be understood becomes a V_ERROR value, which is silent from then on.
void  gm_flatten_error(gm_flatten *F, gm_place at, uint32_t length, const char *fmt, ...) GM_PRINTF(4, 5);
void  gm_flatten_warning(gm_flatten *F, gm_place at, uint32_t length, const char *fmt, ...) GM_PRINTF(4, 5);
value gm_fail_value(gm_flatten *F, gm_place at, uint32_t length, const char *fmt, ...) GM_PRINTF(4, 5);
void  gm_flatten_step(gm_flatten *F);  // counts work; stops the flattening at the limit
gm_str gm_name_of(const gm_flatten *F, gm_sym name);
gm_str gm_ref_text(gm_flatten *F, const gm_ast_ref *ref);
gm_str gm_class_path(gm_flatten *F, const gm_ast_class *cls);

// lookup.c
typedef struct found { const gm_ast_class *cls; slot *component; layout *owner; } member;
member              gm_find_member(gm_flatten *F, const gm_ast_class *cls, gm_sym name);  // in the class and its bases
const gm_ast_class *gm_find_class(gm_flatten *F, const gm_ast_class *from, gm_sym name);  // outwards; NULL: none
const gm_ast_class *gm_resolve_class(gm_flatten *F, const gm_ast_class *from, const gm_ast_ref *ref, bool report);
layout             *gm_class_layout(gm_flatten *F, const gm_ast_class *cls);                 // never NULL; empty after errors
slot               *gm_layout_find(const layout *lay, gm_sym name);
gm_str              gm_layout_nearest(gm_flatten *F, const layout *lay, gm_sym wrong);       // for "did you mean"; or empty

// modify.c
mod_source *gm_scope_source(gm_flatten *F, const gm_ast_mod *mod, inst *home, const gm_ast_class *cls, mod_source *next);
mod_source *gm_sources_of(gm_flatten *F, inst *in, const slot *s);                         // of a component of `in`
mod_source *gm_sources_of_element(gm_flatten *F, const inst *array, uint32_t i);
void        gm_check_names(gm_flatten *F, const inst *in);                                // reports names that are none
value       gm_source_value(gm_flatten *F, const mod_source *m, const gm_ast_expr *e, uint32_t ndims);
const mod_source   *gm_binding_source(const inst *in);                                    // NULL: not bound
const gm_ast_class *gm_modified_class(gm_flatten *F, inst *in, gm_sym name);             // by modifications alone
// The class that a redeclaration has put in the place of `name`, which stands in the class `from` of `in`; NULL: none.
const gm_ast_class *gm_redeclared_class(gm_flatten *F, inst *in, const gm_ast_class *from, gm_sym name);
// resolve_class, with what is redeclared for the instance (or NULL) in the place of the first name.
const gm_ast_class *gm_resolve_class_in(gm_flatten *F, inst *in, const gm_ast_class *from, const gm_ast_ref *ref, bool report);

// instance.c
inst *gm_inst_kid(gm_flatten *F, inst *in, gm_sym name);       // ready; NULL: no such component
void  gm_inst_ready(gm_flatten *F, inst *in);
inst *gm_package_of(gm_flatten *F, const gm_ast_class *cls);
void  gm_instantiate_all(gm_flatten *F, inst *in);
uint32_t gm_add_variable(gm_flatten *F, const gm_flat_var *var, inst *in);

// bind.c
void  gm_inst_bind(gm_flatten *F, inst *in);                   // attributes, bindings, binding equations of a prim

// eval.c
value gm_eval(gm_flatten *F, const scope *s, const gm_ast_expr *e);
gm_ex gm_eval_scalar(gm_flatten *F, const scope *s, const gm_ast_expr *e, value_type type,
                  const char *what); // GM_EX_NONE after errors
bool  gm_eval_number(gm_flatten *F, const scope *s, const gm_ast_expr *e, value_type type, const char *what, double *out);
bool  gm_eval_integer(gm_flatten *F, const scope *s, const gm_ast_expr *e, const char *what, int64_t *out);
value gm_inst_value(gm_flatten *F, const scope *s, inst *in);
value gm_eval_binary(gm_flatten *F, const gm_ast_expr *at, uint32_t op, value a, value b, bool quiet);
value gm_eval_ref(gm_flatten *F, const scope *s, const gm_ast_ref *ref);
// The function or record that a call names; NULL when it is none.
const gm_ast_class *gm_called_class(gm_flatten *F, const scope *s, const gm_ast_ref *ref);
value gm_eval_subscripts(gm_flatten *F, const scope *s, const gm_ast_part *part, value v);
value gm_value_field(gm_flatten *F, value v, gm_sym name, const gm_ast_part *at);
bool  gm_fold(gm_flatten *F, gm_ex e, bool any_parameter, double *out);  // any_parameter: marks the used as structural
bool  gm_is_parametric(gm_flatten *F, gm_ex e);               // depends on parameters and constants only
value gm_positions_of(gm_flatten *F, const scope *s, const gm_ast_part *part,
                   const inst *array); // which elements are meant
bool  gm_fold_condition(gm_flatten *F, gm_ex e, bool any_parameter, bool *out);

// value.c
value  gm_value_scalar(value_type type, gm_ex e);
value  gm_value_array(gm_flatten *F, value_type type, uint32_t ndims, const uint32_t *dims);  // elements are to be set
value  gm_value_element(gm_flatten *F, const value *v, uint32_t i);   // of the first dimension
value  gm_value_stack(gm_flatten *F, const value *items, uint32_t count, const gm_ast_expr *at);
bool   gm_value_same_shape(const value *a, const value *b);
gm_str gm_value_text(gm_flatten *F, const value *v);                  // "Real[3]" ...
bool   gm_value_convert(gm_flatten *F, value *v, value_type type, const gm_ast_class *cls);  // Integer -> Real
bool   gm_value_constant_text(gm_flatten *F, const value *v, gm_str *out);
value  gm_value_select(gm_flatten *F, gm_ex condition, value a, value b, const gm_ast_expr *at);
value  gm_value_fill(gm_flatten *F, value_type type, uint32_t ndims, const uint32_t *dims, gm_ex e);
value  gm_default_value(gm_flatten *F, layout *lay);

// builtin.c
// A call's results: the first is returned, up to `more` further ones stored. Missing ones are V_ERROR.
value gm_eval_call(gm_flatten *F, const scope *s, const gm_ast_expr *call, value *out_more, uint32_t more);
typedef enum special { SPECIAL_NONE, SPECIAL_ASSERT, SPECIAL_TERMINATE, SPECIAL_REINIT } special;
special gm_special_call(gm_flatten *F, const scope *s, const gm_ast_expr *call);  // what stands as an equation of its own
gm_flat_action gm_read_special(gm_flatten *F, const scope *s, special kind, const gm_ast_expr *call, bool *out_good);
value          gm_external_builtin(gm_flatten *F, const gm_ast_class *cls, const value *args, uint32_t count,
                                const gm_ast_expr *at);
gm_ex gm_time_derivative(gm_flatten *F, gm_ex e, const gm_ast_expr *at);

// table.c
value gm_interpolate(gm_flatten *F, bool two, const value *args, const gm_ast_expr *at);  // interp1, interp2

// algorithm.c
void  gm_run_algorithm(gm_flatten *F, scope *s, const gm_ast_section *section);           // of a model: adds its equations
bool  gm_run_body(gm_flatten *F, const layout *lay, local *locals);                       // of a function: sets its locals
gm_ex gm_fire_of(gm_flatten *F, const scope *s,
              const gm_ast_expr *condition); // when does a `when` happen; GM_EX_NONE: error
value gm_copy_of(gm_flatten *F, const value *v);                                          // sharing nothing

// function.c
void     gm_call_function(gm_flatten *F, const scope *s, const gm_ast_class *cls, const gm_ast_expr *call, value *out,
                       uint32_t want);
value    gm_record_of(gm_flatten *F, const scope *s, const gm_ast_class *cls, const gm_ast_expr *call);

// equation.c
void gm_equations_of(gm_flatten *F, inst *in);
void gm_add_equation(gm_flatten *F, gm_ex left, gm_ex right, gm_place at, uint32_t length, uint32_t owner);
// The same, wherever it is found: what a declaration says holds always, not only in the branch that first asks for it.
void gm_add_to_model(gm_flatten *F, gm_ex left, gm_ex right, gm_place at, uint32_t length, uint32_t owner);
void gm_add_action(gm_flatten *F, const gm_flat_action *action);
void gm_equate(gm_flatten *F, value *a, value *b, const gm_ast_equation *at, uint32_t owner);
bool gm_eval_range(gm_flatten *F, const scope *s, const gm_ast_iterator *it, value *out);

// connect.c
void gm_connect_begin(gm_flatten *F);
void gm_connect_equation(gm_flatten *F, const scope *s, const gm_ast_equation *equation);
void gm_connect_end(gm_flatten *F);

#endif
