// physics/modelica/library.h: what a gm_modelica is made of. Private to src/physics/modelica.
#ifndef GM_PHYSICS_MODELICA_LIBRARY_H
#define GM_PHYSICS_MODELICA_LIBRARY_H

#include "physics/modelica/modelica.h"
#include "physics/modelica/parse.h"

// Names that the front end itself asks for; the numbers are indices into gm_modelica.syms.
#define GM_WORD_LIST(X)                                                                                              \
    X(time) X(start) X(fixed) X(unit) X(min) X(max) X(nominal) X(displayUnit) X(quantity) X(stateSelect)              \
    X(unbounded) X(Real) X(Integer) X(Boolean) X(String) X(Clock) X(StateSelect) X(AssertionLevel) X(ExternalObject)  \
    X(warning) X(error) X(__gemel) X(interface) X(connect) X(Complex) X(level) X(absolutePath)

typedef enum gm_word {
#define X(name) GM_WORD_##name,
    GM_WORD_LIST(X)
#undef X
    GM_WORD_COUNT
} gm_word;

struct gm_modelica {
    const gm_alloc *alloc;
    gm_arena       *arena;
    gm_names        names;
    gm_sources      sources;
    gm_place        next_place;
    gm_ast_class    root;            // holds the classes at the top
    gm_ast_class    prims[4];        // Real, Integer, Boolean, String
    uint32_t        class_count;     // numbers given so far
    uint32_t        own_sources;     // how many sources are built in
    gm_sym          words[GM_WORD_COUNT];
    gm_map          builtins;        // gm_sym -> builtin function
    gm_str          last_class;
};

// A class by its full name, or NULL.
const gm_ast_class *gm_modelica_class(const gm_modelica *m, gm_str name);

// annotation(__gemel(interface="...")), or empty.
gm_str gm_modelica_interface(const gm_modelica *m, const gm_ast_class *class_);

// builtin.c: fills m->builtins.
void gm_builtins_register(gm_modelica *m, gm_work *w);

extern const char gm_modelica_builtin_text[];  // builtin_text.c

#endif
