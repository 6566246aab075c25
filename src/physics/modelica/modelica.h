// physics/modelica/modelica.h: Modelica texts in, flat models out.
//
//   gm_modelica *m = gm_modelica_create(alloc, &err);
//   gm_modelica_add(m, GM_STR("tank.mo"), text, &diags, &err);          // any number of texts; diags: every error
//   gm_modelica_flatten(m, gm_modelica_last_class(m), &diags, &flat, &err);
//   gm_compile(flat, ...)                                               // physics/compile/compile.h
//
// What is understood: Modelica 3.6 without stream connectors, inner/outer, replaceable classes, clocks, operator
// overloading and external functions (README.md has the list); and flat Base Modelica files. Known from the start,
// without a text: Modelica.Constants, Modelica.Units.SI (and Modelica.SIunits), Modelica.Math, and our
// Gemel.interp1/interp2.
//
// A program's texts are one set; after an error in one of them the others stay usable. One thread at a time.
#ifndef GM_PHYSICS_MODELICA_MODELICA_H
#define GM_PHYSICS_MODELICA_MODELICA_H

#include "base/io.h"
#include "physics/compile/flat.h"

typedef struct gm_modelica gm_modelica;

// NULL: memory was refused.
GM_NODISCARD gm_modelica *gm_modelica_create(const gm_alloc *alloc, gm_error *err);
void                      gm_modelica_destroy(gm_modelica *m);

// Adds the classes of a text (copied). Errors: GM_INVALID  it has errors: diags has them all, err the first; classes
// without errors are added all the same.   GM_LIMIT  the texts are too large together.
GM_NODISCARD gm_status gm_modelica_add(gm_modelica *m, gm_str file, gm_str text, gm_diags *diags, gm_error *err);

// A file, or a folder: package.mo first, then *.mo by name, then folders that hold a package.mo.
GM_NODISCARD gm_status gm_modelica_add_path(gm_modelica *m, const gm_io *io, const char *path, gm_diags *diags,
                                            gm_error *err);

// Forgets a class at the top, so that its name can be used again (an assembly that is made anew). Flat models made from
// it stay as they are. LIMIT: its memory is released with the set only.
void gm_modelica_remove(gm_modelica *m, gm_str class_name);

// The class that a file is about: the last one of the last text that is a model, block or class (inside a package: its
// last one). Empty when there is none. Viewed.
gm_str gm_modelica_last_class(const gm_modelica *m);

// Calls each for every class of the added texts that can be simulated, with its full name ("Plant.Tank") and the
// interface it names in annotation(__gemel(interface=...)), or empty.
void gm_modelica_each_class(gm_modelica *m, void (*each)(void *context, gm_str name, gm_str interface_id),
                            void        *context);

// The text of the class's annotation(...) as written, or empty. Viewed.
gm_str gm_modelica_annotation(gm_modelica *m, gm_str class_name);

// __gemel(connect="...") of a class: name is a relationship, the result "port,other" as written; empty when not given.
//   annotation(__gemel(interface="dtmi:x;1", connect(feeds="out,in")))
gm_str gm_modelica_connect_rule(gm_modelica *m, gm_str class_name, gm_str relationship);

// Calls each for the texts of a group inside __gemel: ("feeds", "out,in") for the group "connect" of the class above.
void gm_modelica_each_note(gm_modelica *m, gm_str class_name, gm_str group,
                           void (*each)(void *context, gm_str name, gm_str text), void *context);

// Adds a finding at the name of a class, for those who bind classes to other things.
void gm_modelica_complain(gm_modelica *m, gm_str class_name, gm_diags *diags, gm_severity severity, const char *fmt, ...)
    GM_PRINTF(5, 6);

typedef struct gm_modelica_limits {
    uint32_t vars_max;        // 0 = 200 000
    uint32_t depth_max;       // components inside components, functions inside functions; 0 = 100
    uint64_t steps_max;       // expressions looked at in one flattening; 0 = 10 000 000
    size_t   bytes_max;       // memory on the way, and again for the result; 0 = 512 MB
} gm_modelica_limits;

// Makes the class into scalars. *out_flat is owned by the caller (gm_flat_destroy) and views texts of m for messages.
// Units are checked: a mismatch is a warning, or an error when strict_units.
// Errors: GM_NOTFOUND no such class; GM_INVALID diags has every error; GM_LIMIT.
typedef struct gm_flatten_options {
    gm_modelica_limits limits;
    bool               strict_units;
    bool               open_inputs;  // inputs of the components at the top are marked as the model's own
} gm_flatten_options;
GM_NODISCARD gm_status gm_modelica_flatten(gm_modelica *m, gm_str class_name, const gm_flatten_options *options,
                                           gm_diags *diags, gm_flat **out_flat, gm_error *err);

// Warns (or fails) for every equation whose sides have different dimensions. Returns how many there are.
uint32_t gm_flat_check_units(const gm_flat *flat, gm_work *scratch, bool strict, gm_diags *diags);

#endif
