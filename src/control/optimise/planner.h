// control/optimise/planner.h: a plan of rules/*.plan bound to a group of twins, and made again as time passes: what is left of
// the last plan is where the next search begins.
//
//   gm_planner_create(alloc, &setup, group, &planner, &err);
//   gm_group_fork(group, &reader, time, base, &report, &err);           // where the plant is
//   gm_planner_solve(planner, base, NULL, 0, &advice, &err);
//   for (i = 0; i < gm_planner_move_count(planner); i++) ... gm_planner_move_at(planner, i).now ...
//
// How sure is the gain? Plan and "as it is" are run from up to GM_PLANNER_DRAWS other places where the plant may be as well
// (draws of an estimate), each pair from the same one: the mean and deviation of the differences. And what is each input worth?
// The plan is run again with one input left as it is, for each of the first GM_PLANNER_WITHOUT.
//
// A plan of settings (settings.h) has one value for the whole horizon; draws are its scenarios.
//
// One thread at a time; create and destroy on the group's thread.
#ifndef GM_CONTROL_PLANNER_H
#define GM_CONTROL_PLANNER_H

#include "control/optimise/plan_file.h"
#include "control/optimise/settings.h"
#include "futures/group.h"

typedef struct gm_planner gm_planner;

enum { GM_PLANNER_DRAWS = 16, GM_PLANNER_WITHOUT = 30 };

typedef struct gm_advice {
    double cost, held;                // of the plan, and of leaving everything as it is; the goals' sum
    double broken;                    // share of cost that limits make: 0, all are kept. Settings: of the scenarios in which some are not
    double gain, gain_deviation;      // held - cost over the draws; NaN deviation: there were none
    uint32_t draws;
} gm_advice;

// What to do about one input; everything in the unit that the twin shows.
typedef struct gm_planner_move {
    gm_str          name;             // as the plan's file has it: TWIN.PROPERTY
    gm_twin         twin;
    const gm_column *column;          // NULL: it is no property, so nobody can be told to set it
    double          before, now;      // what holds, and what should from now to the end of the first interval
    double          without;          // cost of the plan with this input left as it is
    const double   *plan;             // [knots] inside; outside = (x - set_offset) / set_factor
    gm_group_variable of;
} gm_planner_move;

// setup: viewed. group: viewed, must stay open as long. Errors: those of goal.h and mpc.h, with the plan's name in front.
GM_NODISCARD gm_status gm_planner_create(const gm_alloc *alloc, const gm_plan_setup *setup, const gm_group *group, gm_planner **out_planner,
                                         gm_error *err);
void                   gm_planner_destroy(gm_planner *planner);  // NULL is allowed

// base [slots]: a fork; its GM_TIME_SLOT says when. draws: [draw_count] further ones, the same inputs; may be NULL. The next call
// must not be earlier than this one. GM_DIVERGED: no plan could be followed to the end. GM_NOMEM.
GM_NODISCARD gm_status gm_planner_solve(gm_planner *planner, const double *base, const double *const *draws, uint32_t draw_count,
                                        gm_advice *out_advice, gm_error *err);

// Puts what the plan's file calls unknown into a beginning: draw number `draw` of GM_PLANNER_DRAWS. False: it calls nothing so.
bool gm_planner_unknown(const gm_planner *planner, uint32_t draw, double *slots);

// Of settings: the ranking that the last solve ended with, the advice first. items[i].values: inside, as gm_planner_move's plan.
const gm_settings *gm_planner_ranking(const gm_planner *planner);

const gm_plan_setup *gm_planner_setup(const gm_planner *planner);
uint32_t             gm_planner_move_count(const gm_planner *planner);
gm_twin              gm_planner_move_twin(const gm_planner *planner, uint32_t i);  // its twin; also during a solve
gm_planner_move      gm_planner_move_at(const gm_planner *planner, uint32_t i);  // viewed until the next solve

#endif
