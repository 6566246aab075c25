// control/maintain/maintenance.h: what rules/*.maintenance ask for, in a running plant: a proposal is made when somebody asks, from
// what is known then.
//
//   gm_maintenance_create(&options, &m, &err);
//   gm_maintenance_start(m, pool);
//   gm_maintenance_set(m, files, count, &file, &err);      // rules/*.maintenance; at any time again
//   gm_maintenance_make(m, i, &how, &err);                 // gathers at once, searches in the pool
//   view = gm_maintenance_at(m, i);
//   gm_pool_destroy(pool); gm_maintenance_stop(m); ... gm_maintenance_destroy(m);
//
// One is made at a time, whoever asks: the solver is one. Nothing is done by a proposal; people order it (work_orders.h). What was
// proposed is kept until it is made again, not over a restart. Engine thread; the search runs in the pool, and in a process that is killed
// when the plant stops (mip.h).
#ifndef GM_CONTROL_MAINTAIN_MAINTENANCE_H
#define GM_CONTROL_MAINTAIN_MAINTENANCE_H

#include "base/pool.h"
#include "control/control.h"
#include "control/maintain/proposal.h"

typedef struct gm_maintenance gm_maintenance;

typedef struct gm_maintenance_options {
    const gm_alloc *alloc;
    const gm_clock *clock;
    gm_engine      *engine;
    gm_insight     *insight;  // NULL: there are no models
    const gm_wears *wears;    // NULL: nor physics
} gm_maintenance_options;

GM_NODISCARD gm_status gm_maintenance_create(const gm_maintenance_options *options, gm_maintenance **out, gm_error *err);
void                   gm_maintenance_start(gm_maintenance *m, gm_pool *pool);
void                   gm_maintenance_stop(gm_maintenance *m);     // when the pool has ended; NULL is allowed
void                   gm_maintenance_destroy(gm_maintenance *m);  // NULL is allowed

// Puts files in force; entries whose text is as before keep their proposals. GM_INVALID: a file does not read; *out_file is its
// number and err has the place; what was in force stays.
GM_NODISCARD gm_status gm_maintenance_set(gm_maintenance *m, const gm_control_file *files, size_t count, size_t *out_file, gm_error *err);

// How a proposal is made; what is 0 or negative is as the file has it.
typedef struct gm_maintenance_how {
    double     seconds, gap;  // gap < 0: as the file has it
    gm_time_ns now;           // 0: the clock's
    int64_t    lanes;         // < 0: as the file has it
    gm_failures             *failures;  // what is declared to fail, and what is known of it now; borrowed for the call. NULL: nothing is
    const gm_failure_moment *moment;
} gm_maintenance_how;

gm_maintenance_how gm_maintenance_how_defaults(void);

typedef struct gm_maintenance_view {  // viewed until the next turn
    const gm_maintain_request *request;
    const char                *trouble;   // why the last one could not be made; "": it could
    bool                       running, made;
    double                     share;     // running: of its time limit that is over
    gm_time_ns                 at;        // when the last one was asked for
    double                     seconds;   // that it took
    gm_str                     result;    // when made: members of a JSON object (proposal.h)
} gm_maintenance_view;

uint32_t            gm_maintenance_count(const gm_maintenance *m);
gm_maintenance_view gm_maintenance_at(const gm_maintenance *m, uint32_t i);
uint32_t            gm_maintenance_find(const gm_maintenance *m, gm_str name);  // UINT32_MAX: there is none

// Errors: GM_CONFLICT one is being made; as gm_maintain_gather. What goes wrong later is the view's trouble.
GM_NODISCARD gm_status gm_maintenance_make(gm_maintenance *m, uint32_t i, const gm_maintenance_how *how, gm_error *err);

#endif
