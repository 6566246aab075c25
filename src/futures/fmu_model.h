// futures/fmu_model.h: an FMU as the model of futures. Its variables are slots of a program that has no equations; a lane's
// values go into the FMU and come back, and the FMU computes what lies between.
//
//   gm_fmu_model_open(&host, "plant/behaviors/boiler.fmu", &note, type, &model, &err);
//   gm_fmu_model_fork(model, &reader, twin, gm_group_time(now), slots, &err);
//   gm_futures_request r = gm_futures_defaults(gm_fmu_model_program(model), slots);
//   r.fmu = model;                                  // the rest is as for every other request; lanes run one by one
//   ...
//   gm_fmu_model_close(model);                      // after the job
//
// Every thread of a job has a worker process of its own (futures/fmu_lanes.h, physics/fmi/session.h), which goes through lane after lane: the
// instance is reset between two, and instantiated anew where it can not be reset or has failed. A lane whose FMU crashes,
// hangs or reports an error ends there, with what the FMU said; the job goes on.
//
// Communication points are the request's steps (with a tolerance: its output points and ticks); inputs and tunable
// parameters may change at them, other parameters and start values only at the beginning.
//
// LIMIT: co-simulation only, one twin by itself, numbers only (no strings, binaries, arrays, clocks).
#ifndef GM_FUTURES_FMU_MODEL_H
#define GM_FUTURES_FMU_MODEL_H

#include "futures/fmu_note.h"
#include "futures/futures.h"

typedef struct gm_fmu_model gm_fmu_model;  // immutable; shared by threads

// Errors: those of gm_fmu_open and gm_fmu_note_bind; GM_INVALID  the FMU does not offer co-simulation.
GM_NODISCARD gm_status gm_fmu_model_open(const gm_fmu_host *host, const char *path, const gm_fmu_note *note,
                                         const gm_type *type, gm_fmu_model **out_model, gm_error *err);
void                   gm_fmu_model_close(gm_fmu_model *model);  // NULL is allowed
const gm_program      *gm_fmu_model_program(const gm_fmu_model *model);

// What a column, or a variable of the FMU, is called behind the twin's id. set is GM_SLOT_NONE when it is computed.
typedef struct gm_fmu_name {
    gm_slot               slot, set;
    double                factor, offset;  // slot = outside * factor + offset
    const gm_fmu_binding *binding;         // NULL: no column has that name
} gm_fmu_name;
bool gm_fmu_model_find(const gm_fmu_model *model, gm_str variable, gm_fmu_name *out);
const gm_fmu_bound *gm_fmu_model_bound(const gm_fmu_model *model);

// The twin's values as slots; NaN where the FMU's own value holds.
void gm_fmu_model_fork(const gm_fmu_model *model, const gm_group_reader *reader, gm_twin twin, double time, double *out_slots);

// GM_INVALID: something is to change in mid-run that is fixed from the beginning, or to be added to no value.
GM_NODISCARD gm_status gm_fmu_model_check(const gm_fmu_model *model, const gm_futures_request *r, gm_error *err);

#endif
