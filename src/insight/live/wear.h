// insight/live/wear.h: remaining life by physics: what a filter knows of a group's wear runs on through futures until it comes to a
// threshold; when it does so is a distribution.
//
//   gm_wears_create(&options, &wears, &err);      // reads "wear" of PLANT/insight/*.json
//   gm_wears_start(wears, pool, &err);            // after gm_estimates_start
//   for (i = 0; i < gm_wears_count(wears); i++) v = gm_wears_at(wears, i);
//   gm_pool_destroy(pool); gm_wears_stop(wears); gm_engine_close(engine); gm_wears_destroy(wears);
//
// Lanes begin as the joint distribution of the estimate says (estimate/seeding.h) and follow the group's own equations, with what the
// entry varies on top. Each second the moment of the estimate is looked at; when it has moved by "every", a job of the pool begins.
// Results are shown here and written to the properties that the entry names, with the time of the estimate. Engine thread.
#ifndef GM_INSIGHT_LIVE_WEAR_H
#define GM_INSIGHT_LIVE_WEAR_H

#include "insight/learn/rul.h"
#include "insight/live/estimates.h"
#include "insight/live/lookout.h"

typedef struct gm_wears gm_wears;

typedef struct gm_wears_options {
    const gm_alloc     *alloc;
    const gm_io        *io;
    gm_loop            *loop;
    gm_engine          *engine;
    gm_behaviors       *behaviors;  // NULL: nothing can be predicted
    const gm_estimates *estimates;
    gm_str              plant;      // its folder
} gm_wears_options;

// GM_INVALID: a file of insight/ is wrong; err names it.
GM_NODISCARD gm_status gm_wears_create(const gm_wears_options *options, gm_wears **out, gm_error *err);
GM_NODISCARD gm_status gm_wears_start(gm_wears *w, gm_pool *pool, gm_error *err);
void                   gm_wears_stop(gm_wears *w);     // when the pool has ended; NULL is allowed
void                   gm_wears_destroy(gm_wears *w);  // NULL is allowed

// Times in hours; a time beyond the horizon is NaN.
typedef struct gm_wear_view {
    gm_str      name, until;
    gm_twin     twin;
    const char *trouble;         // why there is no prediction; "": there is one
    gm_time_ns  at;              // moment of the estimate that it begins with; 0: none yet
    double      horizon;
    double      probability;     // of coming to the threshold within the horizon
    double      rul;             // median
    double      low[GM_RUL_LEVELS], high[GM_RUL_LEVELS];
    double      sure;            // what nine truths in ten lie below
    uint32_t    lanes, failed;   // failed: could not be integrated to their end
} gm_wear_view;

uint32_t     gm_wears_count(const gm_wears *w);
gm_wear_view gm_wears_at(const gm_wears *w, uint32_t i);

// Reads what an entry asks for in the words of its group: does it mean something? Errors as gm_condition_read, gm_vary_read.
GM_NODISCARD gm_status gm_wear_check(const gm_alloc *alloc, const gm_lookout *asked, const gm_group *group, gm_error *err);

#endif
