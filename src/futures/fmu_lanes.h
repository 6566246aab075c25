// futures/fmu_lanes.h: one thread's worker process of an FMU, which goes through lane after lane (see fmu_model.h).
//
//   gm_fmu_runner_create(alloc, model, looked, count, 0, &runner, &err);
//   gm_fmu_runner_start(runner, lanes, horizon_s);                      // lane 0's values go in
//   gm_fmu_runner_step(runner, lanes, 60);   gm_fmu_runner_pull(runner, lanes);
//   if (gm_fmu_runner_report(runner).status == GM_LANE_BROKEN) puts(gm_fmu_runner_trouble(runner));
#ifndef GM_FUTURES_FMU_LANES_H
#define GM_FUTURES_FMU_LANES_H

#include "futures/fmu_model.h"
#include "physics/exec/lanes.h"

typedef struct gm_fmu_runner gm_fmu_runner;

// looked: the slots that gm_fmu_runner_pull brings. Starts the process.
GM_NODISCARD gm_status gm_fmu_runner_create(const gm_alloc *alloc, const gm_fmu_model *model, const gm_slot *looked,
                                            uint32_t looked_count, double tolerance, gm_fmu_runner **out_runner, gm_error *err);
void                   gm_fmu_runner_destroy(gm_fmu_runner *runner);  // NULL is allowed

// All of the following concern lane 0 of the block; after a failure they do nothing until the next start.
void gm_fmu_runner_start(gm_fmu_runner *runner, gm_lanes *lanes, double horizon_s);  // from the lane's values, at its time
void gm_fmu_runner_step(gm_fmu_runner *runner, gm_lanes *lanes, double to_s);        // to_s: after the start
void gm_fmu_runner_push(gm_fmu_runner *runner, gm_lanes *lanes);                     // what has been changed since
void gm_fmu_runner_pull(gm_fmu_runner *runner, gm_lanes *lanes);

// How the lane is; its status is a gm_lane_status or GM_LANE_BROKEN (futures.h).
gm_lane_report gm_fmu_runner_report(const gm_fmu_runner *runner);
const char    *gm_fmu_runner_trouble(const gm_fmu_runner *runner);  // "" while all is well

#endif
