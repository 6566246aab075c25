// physics/modelica/assembly.h: the class of a group of connected twins, written as a Modelica text: a component for
// each twin, its properties as modifications, relationships as connects.
//
//   gm_assembly a = gm_assembly_begin(alloc, GM_STR("plant"));
//   gm_assembly_component(&a, GM_STR("tank-1"), GM_STR("Plant.Tank"));
//   gm_assembly_set(&a, GM_STR("A"), 2.5);                                      // of the component begun last
//   gm_assembly_connect(&a, GM_STR("tank-1"), GM_STR("out"), GM_STR("pipe-7"), GM_STR("in"));
//   gm_str text = gm_assembly_text(&a);                                         // give it to gm_modelica_add
//   gm_assembly_finish(&a);
//
// Any twin id can be a name; what is no identifier is quoted in the text, and plain in the variables' names: the level
// of tank-1 is "tank-1.level".
#ifndef GM_PHYSICS_MODELICA_ASSEMBLY_H
#define GM_PHYSICS_MODELICA_ASSEMBLY_H

#include "base/buf.h"

typedef struct gm_assembly {
    gm_buf declarations, equations, name;
    bool   open;    // a component's modifications are being written
    bool   first;
} gm_assembly;

gm_assembly gm_assembly_begin(const gm_alloc *alloc, gm_str class_name);
void        gm_assembly_finish(gm_assembly *a);
void        gm_assembly_component(gm_assembly *a, gm_str name, gm_str class_name);
void        gm_assembly_set(gm_assembly *a, gm_str parameter, double value);     // parameter: a path, "motor.R"
void        gm_assembly_set_bool(gm_assembly *a, gm_str parameter, bool value);
void        gm_assembly_start(gm_assembly *a, gm_str variable, double value);    // its start value, fixed
void        gm_assembly_connect(gm_assembly *a, gm_str from, gm_str from_port, gm_str to, gm_str to_port);

// to.variable = from.variable: a signal.
void gm_assembly_equate(gm_assembly *a, gm_str to, gm_str variable, gm_str from, gm_str from_variable);

// The whole text; viewed until the next call. A NULL ptr: memory was refused.
gm_str gm_assembly_text(gm_assembly *a);

// Appends a name, quoted where it is no identifier. Dots separate names when dotted is true.
void gm_modelica_write_name(gm_buf *out, gm_str name, bool dotted);

#endif
