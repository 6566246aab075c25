// control/optimise/plans.h: the plans of a running plant: each of rules/*.plan is made again at its interval, from where the plant
// is (its estimate, where there is one), and done where a person has armed it.
//
//   gm_plans_create(&options, &plans, &err);
//   gm_plans_start(plans, pool);                       // after gm_control_start
//   gm_plans_set(plans, files, count, &file, &err);    // rules/*.plan; at any time again
//   for (i = 0; i < gm_plans_count(plans); i++) view = gm_plans_at(plans, i);
//   gm_pool_destroy(pool); gm_plans_stop(plans); ... gm_plans_destroy(plans);   // before the behaviors
//
// A solution is a decision in the journal. Without arming it is advice. With it, what differs from what holds goes out as
// desired values in the plan's name: through range, rate, mode and interlocks like everything else. Nothing is done when the
// newest value of the group is older than a plan's interval (a minute at least), or the model can not be followed.
//
// Engine thread; searches run in the pool.
#ifndef GM_CONTROL_PLANS_H
#define GM_CONTROL_PLANS_H

#include "base/pool.h"
#include "control/control.h"
#include "control/optimise/planner.h"
#include "insight/live/estimates.h"

typedef struct gm_plans gm_plans;

typedef struct gm_plans_options {
    const gm_alloc *alloc;
    const gm_clock *clock;
    gm_loop        *loop;
    gm_engine      *engine;
    gm_behaviors   *behaviors;   // NULL: nothing can be planned
    gm_estimates   *estimates;   // NULL: there are none
    gm_control     *control;
} gm_plans_options;

GM_NODISCARD gm_status gm_plans_create(const gm_plans_options *options, gm_plans **out, gm_error *err);
void                   gm_plans_start(gm_plans *plans, gm_pool *pool);
void                   gm_plans_stop(gm_plans *plans);      // when the pool has ended; NULL is allowed
void                   gm_plans_destroy(gm_plans *plans);   // NULL is allowed

// Puts files in force; plans that stand there as before go on. GM_INVALID: a file does not read; *out_file is its number and err
// has the place; what was in force stays.
GM_NODISCARD gm_status gm_plans_set(gm_plans *plans, const gm_control_file *files, size_t count, size_t *out_file, gm_error *err);

typedef struct gm_plans_view {  // viewed until the next turn
    const gm_plan_setup *setup;
    const char          *trouble;      // why there is no plan, or why it is not done; "": nothing
    bool                 running, solved;
    bool                 armed;        // all of its twins are, now
    gm_time_ns           at, next;     // when the last solution began, and the next will
    double               seconds;      // that it took
    gm_advice            advice;       // when solved
    bool                 estimated;    // it began at an estimate
    gm_str               result;       // when solved: "every":3600,"inputs":{NAME:{"unit","before","now","worth","plan":[...]}}, of settings
                                       // "scenarios":8,"ranking":[{"inputs":{NAME:x},"cost","held","gain","gainDeviation","better","broken"}]
} gm_plans_view;

uint32_t      gm_plans_count(const gm_plans *plans);
gm_plans_view gm_plans_at(const gm_plans *plans, uint32_t i);
uint32_t      gm_plans_find(const gm_plans *plans, gm_str name);  // UINT32_MAX: there is none

// Now instead of at its time. GM_CONFLICT: it is being made.
GM_NODISCARD gm_status gm_plans_make(gm_plans *plans, uint32_t i, gm_error *err);

#endif
