// insight/estimate/past.h: a filter over a stretch of recorded history.
//
//   gm_past_open(alloc, engine, group, &setup, from, to, &past, &err);   // engine thread: reads and forks
//   gm_past_smooth(&past, &options, &err);                               // any thread: options.visit for each moment
//   gm_past_close(&past);                                                // before the group
#ifndef GM_INSIGHT_ESTIMATE_PAST_H
#define GM_INSIGHT_ESTIMATE_PAST_H

#include "insight/estimate/estimator.h"
#include "insight/estimate/stretch.h"

typedef struct gm_past {
    const gm_alloc    *alloc;
    gm_estimate_setup  setup;    // as asked for; nothing is late in what was recorded
    gm_group          *group;    // viewed
    gm_estimate_model *model;    // without faults
    gm_stretch         stretch;
    double            *slots;    // the state at the first measurement
    gm_time_ns         begin;    // its time
} gm_past;

// setup: its lists are viewed. Errors: as gm_estimate_bind, gm_stretch_gather, gm_group_fork.
// *out must not move while it is open (its model looks at its setup); it is to be closed in every case.
GM_NODISCARD gm_status gm_past_open(const gm_alloc *alloc, const gm_engine *engine, gm_group *group, const gm_estimate_setup *setup,
                                    gm_time_ns from, gm_time_ns to, gm_past *out, gm_error *err);
void                   gm_past_close(gm_past *past);  // a zeroed one is allowed

// Filters forwards and smooths. options.parts is filled in. Errors: as gm_estimator_create and gm_smoother_end; what stop says
// (NULL: nothing) ends it with GM_CANCELLED.
GM_NODISCARD gm_status gm_past_smooth(const gm_past *past, gm_smooth_options options, bool (*stop)(void *context), gm_error *err);

#endif
