// insight/live/estimates.h: the estimates of a running plant: a vigil for each entry of PLANT/estimate/*.json, in step with its
// telemetry.
//
//   gm_estimates_create(&options, &estimates, &err);        // reads the files
//   gm_estimates_start(estimates, pool, &err);              // after gm_engine_recover: opens groups, follows the engine's changes
//   for (i = 0; i < gm_estimates_count(estimates); i++) v = gm_estimates_at(estimates, i);
//   gm_pool_destroy(pool); gm_estimates_stop(estimates); gm_engine_close(engine); gm_estimates_destroy(estimates);
//
// The engine thread only notes what was written; filters run in the worker pool, at most one job at a time with a part for each
// estimate that has something new. Time is the source time of the telemetry: a replay is followed as fast as it comes. Results
// are shown here and written to the properties that the entry names (and so to history, queries and streams); faults and a model
// that no longer fits are told as anomalies. An estimate begins anew when twins or relationships change, parameters where
// they were; after a restart, where the properties say.
#ifndef GM_INSIGHT_LIVE_ESTIMATES_H
#define GM_INSIGHT_LIVE_ESTIMATES_H

#include "base/pool.h"
#include "insight/estimate/seeding.h"
#include "insight/estimate/vigil.h"
#include "insight/live/events.h"

typedef struct gm_estimates gm_estimates;

typedef struct gm_estimates_options {
    const gm_alloc *alloc;
    const gm_io    *io;
    gm_engine      *engine;
    gm_behaviors   *behaviors;  // NULL: nothing can be estimated
    gm_anomalies   *anomalies;  // NULL: nothing is told
    gm_str          plant;      // its folder
} gm_estimates_options;

// GM_INVALID: a file of estimate/ is wrong; err names it.
GM_NODISCARD gm_status gm_estimates_create(const gm_estimates_options *options, gm_estimates **out, gm_error *err);
GM_NODISCARD gm_status gm_estimates_start(gm_estimates *e, gm_pool *pool, gm_error *err);
void                   gm_estimates_stop(gm_estimates *e);     // when the pool has ended; NULL is allowed
void                   gm_estimates_destroy(gm_estimates *e);  // NULL is allowed

// Everything outside units; viewed until the next turn.
// into: [GM_ESTIMATE_INTO] the properties that get it.
typedef struct gm_estimates_variable { gm_str name, unit; const gm_str *into; gm_estimate_kind kind; gm_twin twin; gm_estimator_value value; } gm_estimates_variable;
typedef struct gm_estimates_signal { gm_str name, unit; const gm_str *into; gm_twin twin; uint32_t column; gm_estimator_reading reading; } gm_estimates_signal;

typedef struct gm_estimates_view {
    gm_str                       name, root;
    const char                  *trouble;    // why there is no estimate; "": there is one
    gm_estimator_stats           stats;
    const gm_estimates_variable *variables;  // [variable_count]
    const gm_estimates_signal   *signals;    // [signal_count]
    uint32_t                     variable_count, signal_count;
    const gm_vigil_fault        *faults;     // [fault_count] as they stand
    const gm_twin               *fault_twins;
    uint32_t                     fault_count;
    const gm_case_view          *cases;      // [case_count] healthy, and the modes of the entry; none when it names none
    uint32_t                     case_count;
    bool                         alarm;
    gm_vigil_fault               told;       // alarm: which
    uint64_t                     lost;       // measurements that were not taken because too many waited
} gm_estimates_view;

typedef struct gm_estimates_spread {
    gm_str               name;     // of the entry
    gm_time_ns           at;
    gm_estimate_spread   spread;
    uint32_t             count;    // of its parts; 0: nothing was measured yet
} gm_estimates_spread;

uint32_t          gm_estimates_count(const gm_estimates *e);
gm_estimates_view gm_estimates_at(const gm_estimates *e, uint32_t i);

// The entry of that name in the plant's files. NULL: there is none.
const gm_estimate_setup *gm_estimates_setup(const gm_estimates *e, gm_str name);

// What is known of one column of a twin. False: nothing estimates it, or nothing was measured yet. O(columns of its group).
bool gm_estimates_reading(const gm_estimates *e, gm_twin twin, uint32_t column, gm_estimator_reading *out);

// The joint distribution of everything that is estimated with a twin, as of a moment: where futures may begin
// (insight/estimate/seeding.h). Of several entries the one with the most parts. NULL: there is none yet. Viewed until the next turn.
const gm_estimates_spread *gm_estimates_spread_of(const gm_estimates *e, gm_twin twin);

#endif
