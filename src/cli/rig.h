// cli/rig.h: the behaviors of a group of twins, run as if they were the physical plant: sensors with noise, faults at
// their time, parameters that the twin knows nothing of. It knows of no clock and no network.
//
//   gm_rig_create(alloc, group, &reader, &options, &rig, &err);
//   gm_rig_mismatch(rig, document, &err);                       // {"main.pipe.f": 0.03, "pump1.wear": {"factor": 1.2}}
//   gm_rig_fault_at(rig, GM_STR("pump1.wear"), 1, 600, &err);   // 600 s after the beginning
//   gm_rig_advance(rig, 60, &err);                              // a minute of the plant
//   gm_rig_sample(rig, publish, context, &err);                 // what the sensors say
//   gm_rig_desired(rig, GM_STR("pump1"), GM_STR(""), body, &reported, &err);
//
// All numbers outside are in the units of the columns; of variables that are no columns, in those of the class.
#ifndef GM_CLI_RIG_H
#define GM_CLI_RIG_H

#include "futures/group.h"

#include <jansson.h>

typedef struct gm_rig gm_rig;

typedef struct gm_rig_options {
    double   start;      // time of the program at the beginning, s (gm_group_time)
    double   tolerance;  // relative, of the integration
    uint64_t seed;       // of noise, dropouts and delays
    bool     noise;
} gm_rig_options;
gm_rig_options gm_rig_options_defaults(void);  // 0, 1e-6, 1, no noise

// With noise: numbers get a normal error of NOISE times the largest magnitude that they have had, DROPOUT of the messages
// are lost, and DELAYED of them come one to three samples late.
#define GM_RIG_NOISE   0.003
#define GM_RIG_DROPOUT 0.01
#define GM_RIG_DELAYED 0.02

// group: viewed, must outlive the rig. reader: the values it begins with, used here only.
// Errors: as gm_group_fork and gm_plan_create.
GM_NODISCARD gm_status gm_rig_create(const gm_alloc *alloc, gm_group *group, const gm_group_reader *reader,
                                     const gm_rig_options *options, gm_rig **out_rig, gm_error *err);
void                   gm_rig_destroy(gm_rig *rig);

// Before the first advance. A number replaces a parameter, input or start value; {"factor": x} multiplies it.
// GM_NOTFOUND, GM_INVALID: err names what can not be set; what stood before it has been.
GM_NODISCARD gm_status gm_rig_mismatch(gm_rig *rig, const json_t *document, gm_error *err);

// What breaks so long after the beginning: a fault of a twin's class ("pump1.wear"), or a sensor: "tower.level.frozen" says again
// what it said last, "vessel.pressure.offset" is off by `size` in its unit.
// size: of a class's fault how much of what it declares: 1 is all of it, 0.5 half of the way there.
// GM_NOTFOUND: there is no such fault; err says which there are. GM_INVALID: the size is no number, or 0.
GM_NODISCARD gm_status gm_rig_fault_at(gm_rig *rig, gm_str name, double size, double after_s, gm_error *err);

// GM_DIVERGED: the plant's equations could not go on; err says when and why.
GM_NODISCARD gm_status gm_rig_advance(gm_rig *rig, double seconds, gm_error *err);
double                 gm_rig_time(const gm_rig *rig);  // seconds since the beginning

// What a variable really is, without any sensor, by its name (TWIN.VARIABLE); false: there is none.
bool gm_rig_value(const gm_rig *rig, gm_str name, double *out);

// One message for each twin and component that has telemetry with a value in the model.
typedef struct gm_rig_message {
    gm_str   twin, component;  // component empty: the twin itself
    gm_str   values;           // "level":3.2,"flow":0.02   members of a JSON object, without braces
    uint32_t late;             // samples that it is under way
} gm_rig_message;
typedef gm_status gm_rig_publish(void *context, const gm_rig_message *message, gm_error *err);
GM_NODISCARD gm_status gm_rig_sample(gm_rig *rig, gm_rig_publish *publish, void *context, gm_error *err);

// Sets what the body asks for, as a device would; out gets what it now reports, as members of a JSON object (empty: nothing
// was understood). component may be empty.
GM_NODISCARD gm_status gm_rig_desired(gm_rig *rig, gm_str twin, gm_str component, const json_t *body, gm_buf *out,
                                      gm_error *err);

// Does what the twin's class says about the command. GM_NOTFOUND: it says nothing. request may be NULL.
GM_NODISCARD gm_status gm_rig_command(gm_rig *rig, gm_str twin, gm_str name, const json_t *request, gm_error *err);

#endif
