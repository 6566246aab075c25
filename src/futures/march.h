// futures/march.h: one block of 64 lanes through the whole horizon. Knows nothing of threads and of what is kept.
//
//   gm_march_create(alloc, scheme, plan, &run, &err);               // scratch memory; one per thread
//   gm_march_block(run, scenario, first_lane, on_point, context);
//   run->first_passage[c * 64 + i], run->scores[k * 64 + i], run->reports[i] ...
#ifndef GM_FUTURES_MARCH_H
#define GM_FUTURES_MARCH_H

#include "futures/fmu_lanes.h"
#include "futures/scheme.h"
#include "physics/exec/lanes.h"

enum { GM_MARCH_LANES = GM_LANES_PER_BLOCK };

typedef struct gm_march gm_march;

// At every output point, in order. alive: lanes that have not failed. False: give up (the job was cancelled).
typedef bool gm_march_point(void *context, uint32_t point, gm_march *run);

struct gm_march {
    const gm_alloc  *alloc;
    const gm_scheme *scheme;
    const gm_plan   *plan;
    gm_worker       *worker;
    gm_lanes        *lanes;         // one block
    gm_fmu_runner   *fmu;           // runs lane 0 of it instead of the worker; NULL: the program runs itself
    uint32_t         scenario, first, count;  // count: lanes that count, at most scheme->block_lanes
    double          *first_passage; // [condition][64] s; +infinity: not yet
    double          *scores;        // [score][64] shown units
    gm_lane_report   reports[GM_MARCH_LANES];  // at the end of the block
    struct gm_march_parts *parts;
};

GM_NODISCARD gm_status gm_march_create(const gm_alloc *alloc, const gm_scheme *scheme, const gm_plan *plan, gm_march **out_run, gm_error *err);
void                   gm_march_destroy(gm_march *run);  // NULL is allowed

// The plan that fits a request.
GM_NODISCARD gm_status gm_march_plan(const gm_alloc *alloc, const gm_futures_request *request, gm_plan **out_plan, gm_error *err);

// Lanes first .. first + 63 of a scenario's (fewer at the end), counted through all members. False: on_point gave up.
bool gm_march_block(gm_march *run, uint32_t scenario, uint32_t first, gm_march_point *on_point, void *context);

// Algebraic variables become current.
void gm_march_observe(gm_march *run);

// The shown values of a variable now; NaN for lanes that have failed.
void gm_march_values(gm_march *run, const gm_watched *what, double out[GM_MARCH_LANES]);

// Forks and varies a block without running it (to be measured by itself).
void gm_march_fork(gm_march *run, uint32_t scenario, uint32_t first);

#endif
