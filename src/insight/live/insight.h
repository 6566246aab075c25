// insight/live/insight.h: detectors and models at work on the twins of a running plant.
//
//   gm_insight_create(&options, &insight, &err);       // reads PLANT/insight/*.json; registers folds: before
//   gm_engine_recover
//   gm_insight_start(insight, pool, &err);             // after it: loads models, looks at every twin once
//   ...                                                // follows the engine's changes by itself
//   n = gm_insight_lives(insight, &lives);             // predictions, the most endangered twin first
//   gm_pool_destroy(pool); gm_insight_stop(insight); gm_engine_close(engine); gm_insight_destroy(insight);
//
// Anomaly detectors step with each applied change, on the engine thread: bounded work per change, and at most
// GM_INSIGHT_SLOTS_MAX
// (twin, detector) pairs; those beyond are counted, not watched. A twin's detector learns from its history when it
// is met
// first, so a restart forgets nothing. Remaining life is predicted in the worker pool, a few twins at a time,
// newest state
// only; results are written to the twin's properties (and so to history, streams and queries) and kept with their
// reasons.
#ifndef GM_INSIGHT_LIVE_INSIGHT_H
#define GM_INSIGHT_LIVE_INSIGHT_H

#include "base/pool.h"
#include "insight/learn/rul.h"
#include "insight/learn/similar.h"
#include "insight/live/events.h"

enum { GM_INSIGHT_SLOTS_MAX = 20000, GM_INSIGHT_ROWS_MAX = 4000 };

typedef struct gm_insight gm_insight;

typedef struct gm_insight_options {
    const gm_alloc *alloc;
    const gm_io    *io;
    gm_engine      *engine;
    gm_str          plant;   // its folder
    const gm_clock *clock;   // says when retraining is due; NULL: the system's
    gm_loop        *loop;    // looks at the clock by itself, every ten minutes; NULL: only when twins fail, and at the start
} gm_insight_options;

// GM_INVALID: a file of insight/ is wrong; err names it.
GM_NODISCARD gm_status gm_insight_create(const gm_insight_options *options, gm_insight **out, gm_error *err);
// pool: NULL: predictions are not made. It ends before gm_insight_stop.
GM_NODISCARD gm_status gm_insight_start(gm_insight *insight, gm_pool *pool, gm_error *err);
void                   gm_insight_stop(gm_insight *insight);     // before the engine is closed; NULL is allowed
void                   gm_insight_destroy(gm_insight *insight);  // after it (what was in flight is still folded); NULL is allowed

// Reads the models anew (after training) and predicts for all twins again. What can not be read leaves the model
// in use.
void gm_insight_reload(gm_insight *insight);

// Retraining ("retrain" in insight/*.json): when the time has come, or when the model in use errs more than it may on twins that
// failed since, a challenger is trained in the pool from the lives in history that ended with a failure, and enters the registry;
// it is used only when it wins there (learn/registry.h).
typedef struct gm_insight_model {
    gm_str      detector;
    uint32_t    version;     // in use; 0: none
    const char *verdict;     // of the last challenger, or why there was none; "": not tried since the start
    bool        retraining;  // under way
} gm_insight_model;

// The entries of remainingLife, in order. False: there is no i-th.
bool gm_insight_model_at(const gm_insight *insight, size_t i, gm_insight_model *out);

// Looks at the clock now.
void gm_insight_retrain_look(gm_insight *insight);

// A prediction as it stands.
typedef struct gm_insight_life {
    gm_twin           twin;
    gm_str            detector;      // name of the entry in insight/*.json
    gm_time_ns        at;            // source time of the last row it looked at
    gm_rul_prediction predicted;
    gm_similar        similar[GM_SIMILAR_MAX];
    size_t            similar_count;
    double            similar_rul;
    uint32_t          version;       // of the model
    size_t            rows;
} gm_insight_life;

// Those with the least remaining life first; sorted in place on each call.  *out viewed until the next turn
size_t gm_insight_lives(gm_insight *insight, const gm_insight_life **out);

// How a twin began: the health index (gm_rul_health) of each of its first `most` rows, under the model of that entry of remainingLife.
// out [most]; *out_from: when the first row was, if there is any.
// Errors: GM_NOTFOUND no such entry, or its model is not there yet; GM_INVALID the twin is of another interface; as of history.
GM_NODISCARD gm_status gm_insight_first_health(gm_insight *insight, gm_str name, gm_twin twin, size_t most, double *out, size_t *out_count,
                                               gm_time_ns *out_from, gm_error *err);

gm_anomalies *gm_insight_anomalies(const gm_insight *insight);

// busy: some are being made, which wait no longer. trouble: why there are no predictions; "" when none.
typedef struct gm_insight_stats { uint64_t predictions, waiting, slots, unwatched; bool busy; const char *trouble; } gm_insight_stats;
gm_insight_stats gm_insight_statistics(const gm_insight *insight);

#endif
