// insight/estimate/model.h: an estimate bound to a group: what is estimated, which columns tell, and where each lies in the
// program. Immutable, so that any number of filters and threads may share it.
//
//   gm_estimate_bind(alloc, &setup, group, false, &model, &err);
//   gm_estimate_model_parts(model, &count)[i]       // continuous states first, then parameters, offsets of sensors, faults
//   gm_estimate_model_destroy(model);               // before the group is closed
//
// Inside, a part is one number x: a state or parameter in the program's unit, its logarithm, a fault's severity (0 healthy,
// 1 as its class declares it), or a sensor's offset in the program's unit. Outside it is what people see.
#ifndef GM_INSIGHT_ESTIMATE_MODEL_H
#define GM_INSIGHT_ESTIMATE_MODEL_H

#include "futures/group.h"
#include "insight/estimate/setup.h"

typedef struct gm_estimate_model gm_estimate_model;

enum { GM_ESTIMATE_PARTS_MAX = 2000, GM_ESTIMATE_SIGNALS_MAX = 4000, GM_ESTIMATE_CHANGES_MAX = 8 };

typedef enum gm_estimate_kind { GM_ESTIMATE_STATE, GM_ESTIMATE_PARAMETER, GM_ESTIMATE_FAULT, GM_ESTIMATE_BIAS } gm_estimate_kind;
const char *gm_estimate_kind_text(gm_estimate_kind kind);  // "state"

typedef struct gm_estimate_part {
    gm_estimate_kind kind;
    gm_str           name, unit;
    uint32_t         member;           // of the group; UINT32_MAX: none
    bool             log;
    double           factor, offset;   // slot = outside * factor + offset
    double           deviation, walk;  // of x at first, and per square root of a second; NaN: by its scale
    double           min, max;         // outside: where starts of a calibration are drawn
    uint32_t         signal;           // BIAS: whose
    uint32_t         change_count;     // slots that x decides: slot = from + x (to - from) for faults, else x or exp x
    struct { gm_slot slot; double from, to; } changes[GM_ESTIMATE_CHANGES_MAX];
    double           start;            // x; NaN: what the fork says
    gm_str           into[GM_ESTIMATE_INTO];
} gm_estimate_part;

// A column of the group.
typedef struct gm_estimate_signal {
    gm_str   name, unit;
    gm_twin  twin;
    uint32_t member, column;
    gm_slot  slot, set;               // set: INPUT and PARAMETER: where a value goes
    double   factor, offset, set_factor, set_offset;
    bool     measured;                // the filter takes its values as measurements
    bool     given;                   // values are told to the program: inputs, parameters that are not estimated
    double   noise;                   // of the slot's unit; NaN: by its magnitude
    uint32_t follow;                  // index of what follows it, or UINT32_MAX
    gm_str   into[GM_ESTIMATE_INTO];
} gm_estimate_signal;

typedef struct gm_estimate_mode {     // what a signal decides
    uint32_t signal;
    double   above;                   // outside
    uint32_t count;
    gm_slot  slots[GM_ESTIMATE_SETS_MAX];
    double   on[GM_ESTIMATE_SETS_MAX], off[GM_ESTIMATE_SETS_MAX];
} gm_estimate_mode;

// with_faults: also the severities of the faults that the setup names, behind the other parts, in their order. Besides "pump1.wear" of a
// class one may be written down ("pump1.speed=0", in the units that people see), and "vessel.pressure#offset" is that sensor's.
// group, setup: viewed. Errors: GM_NOTFOUND, GM_INVALID: a name that is not there, or not of that kind; nothing to measure;
// a model without anything to estimate. GM_LIMIT, GM_NOMEM.
GM_NODISCARD gm_status gm_estimate_bind(const gm_alloc *alloc, const gm_estimate_setup *setup, const gm_group *group, bool with_faults,
                                        gm_estimate_model **out, gm_error *err);
void                   gm_estimate_model_destroy(gm_estimate_model *model);

const gm_estimate_setup  *gm_estimate_model_setup(const gm_estimate_model *m);
const gm_program         *gm_estimate_model_program(const gm_estimate_model *m);
const gm_estimate_part   *gm_estimate_model_parts(const gm_estimate_model *m, uint32_t *out_count);
const gm_estimate_signal *gm_estimate_model_signals(const gm_estimate_model *m, uint32_t *out_count);
const gm_estimate_mode   *gm_estimate_model_modes(const gm_estimate_model *m, uint32_t *out_count);

// UINT32_MAX: the column is none of the model's.
uint32_t gm_estimate_signal_find(const gm_estimate_model *m, gm_twin twin, uint32_t column);

// x of a part in a fork's slots, and the outside value of x with its deviation.
double gm_estimate_part_x(const gm_estimate_part *part, const double *slots);
double gm_estimate_part_outside(const gm_estimate_part *part, double x);
double gm_estimate_part_outside_deviation(const gm_estimate_part *part, double x, double deviation);

#endif
