// futures/job.h: what the files behind futures.h share.
//
//   start --> blocks (march.c) on the threads --> bands (reduce.c) on the threads --> tallies, sensitivities --> done
//
// Invariants: (1) `values` of a block at a point are written once, by the thread that runs the block, before it raises
// block_points under the lock; whoever reads them before the job is reduced looks there first. (2) What one pool job of
// the two has written, the next and the owner may read freely (base/pool.h).
#ifndef GM_FUTURES_JOB_H
#define GM_FUTURES_JOB_H

#include "futures/march.h"

#include <pthread.h>

enum { GM_PARTIALS = 3 };  // one is being made, one is ready, one is the owner's

typedef struct gm_partial_store { uint32_t counted, points; double *quantiles; bool filled; } gm_partial_store;

// What an FMU said of a lane.
typedef struct gm_complaint { uint64_t place; char text[400]; } gm_complaint;

struct gm_futures {
    const gm_alloc  *alloc;
    gm_pool         *pool;
    gm_pool_id       id;
    gm_futures_calls calls;
    gm_arena        *arena;      // the scheme, and the result
    gm_scheme       *scheme;
    gm_dur_ns        started;
    bool             ended;
    gm_plan         *plan;       // made by the first thread that comes
    gm_march         **runs;       // [run_count] by the pool's thread number; NULL when they have ended
    uint32_t         run_count;
    double          *values;     // [scenario][output][point][lane]
    double          *passages;   // [scenario][condition][lane]
    double          *scores;     // [scenario][score][lane]; NaN: the lane failed
    gm_lane_report  *reports;    // [scenario][lane]
    gm_futures_result result;

    pthread_mutex_t  lock;       // guards what follows
    gm_status        plan_status;
    gm_error         plan_error;
    bool             planned;
    uint32_t        *block_points;  // [scenario * blocks] points that are there
    uint64_t         points_done;
    gm_dur_ns        partial_due;
    bool             partial_busy;
    gm_complaint     complaints[GM_FUTURES_TROUBLES];  // by place: scenario * lanes + lane
    uint32_t         complaint_count;
    gm_partial_store partials[GM_PARTIALS];
    int              ready, shown;  // indices; -1: none
};

static inline double *gm_job_values(const gm_futures *job, uint32_t scenario, uint32_t output, uint32_t point)
{
    const gm_scheme *s = job->scheme;
    return job->values + (((size_t)scenario * s->request.output_count + output) * s->point_count + point) * s->lanes;
}

static inline bool gm_lane_failed(const gm_lane_report *report)
{
    return report->status != GM_LANE_ACTIVE && report->status != GM_LANE_TERMINATED;
}

// reduce.c. Memory of the result, in the arena.
GM_NODISCARD gm_status gm_reduce_prepare(gm_futures *job, gm_error *err);
// One output of one view of one scenario: scratch [lanes of all members].
void gm_reduce_band(gm_futures *job, uint32_t scenario, uint32_t view, uint32_t output, double *scratch);
// All that needs the lanes' own numbers only. scratch: likewise.
void gm_reduce_rest(gm_futures *job, double *scratch);
// What failed, before anything else is reduced: those lanes' values become NaN.
void gm_reduce_failures(gm_futures *job);
// Equal bins from the smallest to the largest; x [n], reordered not.
void gm_histogram(const double *x, size_t n, uint32_t bins, double *edges, uint32_t *counts);

// sensitivity.c. y: [lanes] of one score or output; NaN where the lane failed. out: [dimensions].
void gm_sensitivity_of(const gm_design *design, const double *y, double *scratch, gm_sensitivity *out);

#endif
