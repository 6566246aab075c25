// futures/behaviors.h: the behaviors of a plant: which class says what the twins of an interface do, and how twins are
// connected.
//
//   gm_behaviors_create(alloc, library, library_count, plant_texts, text_count, &diags, &behaviors, &err);
//   gm_behaviors_check(behaviors, model, &diags);                   // everything that does not fit the interfaces
//   const gm_behavior_class *c = gm_behaviors_of(behaviors, gm_state_type(state, twin));    // NULL: it has none
//
// A class is bound by its annotation; variables bind to properties and telemetry of the same name (a component's
// column "motor/temperature" to the variable motor.temperature):
//
//   model Tank
//     parameter Real A(unit="m2") = 10;                             // property A: a parameter
//     input Real inflow(unit="m3/s");                               // property or telemetry inflow: an input
//     Real level(unit="m", start=1, fixed=true);                    // telemetry level: the state's live value
//     Gemel.Fluid.Port port;
//     parameter Real hole(unit="m2") = 0;
//     ...
//     annotation(__gemel(interface="dtmi:plant:Tank;1",             // serves derived interfaces too
//                        connect(feeds="port,a"),                   // connect(this.port, target.a)
//                        fault(leak="hole=1e-3"),                   // a named change of parameters or inputs, SI
//                        command(drain="hole=request")));           // the same at a DTDL command; its number, or one given
//   end Tank;
//
// connect: "port,other" is Modelica's connect(this.port, target.other); "y->u" hands this.y to the target's input u;
// "u<-y" hands the target's y to this twin's input u. Several are separated by semicolons.
//
// An interface without a class of its own takes the one of its nearest base. Annotations are not inherited by Modelica's
// own `extends`. docs/behaviors.md is the page for users. FMUs as behaviors are in fmu_note.h.
//
// One thread at a time (the engine's). Groups (group.h) and their programs live in here.
#ifndef GM_FUTURES_BEHAVIORS_H
#define GM_FUTURES_BEHAVIORS_H

#include "model/model.h"

typedef struct gm_diags     gm_diags;  // physics/modelica/diag.h; not included, so that everyone may include groups
typedef struct gm_behaviors gm_behaviors;

typedef struct gm_behavior_text { gm_str file, text; } gm_behavior_text;  // borrowed: texts are copied

// One end each of a connection between a twin and the target of a relationship.
typedef enum gm_behavior_link { GM_LINK_CONNECT, GM_LINK_GIVE, GM_LINK_TAKE } gm_behavior_link;
typedef struct gm_behavior_rule {
    gm_str           relationship, own, other;   // own: a port or variable of this class; other: of the target's
    gm_behavior_link link;                       // CONNECT own,other   GIVE own->other   TAKE own<-other
} gm_behavior_rule;

// A named change of parameters and inputs: a fault, or what a command does in a simulated plant.
typedef struct gm_fault_change { gm_str variable; double value; } gm_fault_change;  // SI; NaN: the command's request
typedef struct gm_behavior_fault {
    gm_str                 name;
    const gm_fault_change *changes;
    size_t                 change_count;
} gm_behavior_fault;

typedef struct gm_behavior_class {
    gm_str                   name, interface_id;
    const gm_behavior_rule  *rules;
    const gm_behavior_fault *faults, *commands;
    size_t                   rule_count, fault_count, command_count;
} gm_behavior_class;

// Reads the texts. What is wrong in them is in diags, and the classes without errors are there all the same.
//   library  the component library: package texts that classes may use   plant  the texts of behaviors/*.mo
// GM_NOMEM, GM_LIMIT only.
GM_NODISCARD gm_status gm_behaviors_create(const gm_alloc *alloc, const gm_behavior_text *library, size_t library_count,
                                           const gm_behavior_text *plant, size_t plant_count, gm_diags *diags,
                                           gm_behaviors **out_behaviors, gm_error *err);
void                   gm_behaviors_destroy(gm_behaviors *behaviors);  // no group may be open

size_t                   gm_behaviors_count(const gm_behaviors *behaviors);  // classes that are bound to an interface
const gm_behavior_class *gm_behaviors_at(const gm_behaviors *behaviors, size_t i);

// The class that serves the type, or NULL. O(classes * bases).
const gm_behavior_class *gm_behaviors_of(const gm_behaviors *behaviors, const gm_type *type);
const gm_behavior_fault *gm_behavior_fault_find(const gm_behavior_class *c, gm_str name);
const gm_behavior_fault *gm_behavior_command_find(const gm_behavior_class *c, gm_str name);

// Holds every class against the model: interfaces and relationships that do not exist, ports and variables that are not
// there, columns whose type or unit does not fit the variable of their name, classes that can not be unfolded.
// Findings are added to diags with file and line. GM_NOMEM only.
GM_NODISCARD gm_status gm_behaviors_check(gm_behaviors *behaviors, const gm_model *model, gm_diags *diags,
                                          gm_error *err);

#endif
