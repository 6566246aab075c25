// engine/internal.h: the engine's parts, for the files of this folder.
#ifndef GM_ENGINE_INTERNAL_H
#define GM_ENGINE_INTERNAL_H

#include "engine/engine.h"
#include "engine/paths.h"
#include "engine/pending.h"

enum { GM_OBSERVERS_MAX = 16 };

typedef struct gm_waiting { uint64_t sequence; gm_ask ask; } gm_waiting;

typedef struct gm_postponed { gm_loop_call *call; void *context; } gm_postponed;

struct gm_engine {
    const gm_alloc *alloc;
    const gm_clock *clock;
    const gm_io    *io;
    char           *history_path;
    gm_checkpoint_options     checkpoint;
    bool                      partial;
    struct gm_checkpointer   *checkpoints;
    gm_buf          journal;     // changes of models, for checkpoints
    gm_time_ns      last_ingest; // of the last record applied
    bool            tidy;        // history files may have something to tidy
    gm_retentions   retention;   // how long history is kept
    struct gm_past_states *past; // for pages of answers (past_states.h)
    struct gm_expiry *expiry;    // NULL: for ever (forget.c)
    bool            purge;       // and what was deleted for good has still to be marked there
    gm_loop        *loop;
    gm_log         *log;
    gm_watch       *watch;
    gm_model       *model;
    gm_state       *state;
    gm_history     *history;
    gm_paths        paths;       // numbers for history's series
    uint64_t        submitted, settled;  // last sequence appended; last one applied or refused
    uint32_t        next_twin;   // number of the next twin to be created, submitted ones counted
    bool            recovered;
    gm_error        broken;      // status GM_OK until applying fails: then state and log would part
    gm_log_batch    batch;       // that is being applied
    size_t          batch_at;    // its next record
    bool            patient;     // memory that is refused is waited for, for want of anything better
    bool            stalled;     // memory was refused in its middle: it goes on when retry_fd rings
    int             retry_fd;    // made at the start, so that it needs no memory then; -1: no loop
    gm_watch       *retry_watch;
    uint64_t        done_of;     // the record that done is about
    unsigned        done;        // steps of it that must not be done again, when it is tried again

    gm_waiting        *asks;        // queue, a power of two
    size_t          ask_first, ask_count, ask_capacity;
    gm_postponed      *later;
    size_t          later_count, later_capacity;
    gm_pending      pending;

    size_t          observer_count;
    gm_follower     followers[GM_FOLLOWERS_MAX];
    size_t          follower_count;
    struct { gm_observer *call; void *context; } observers[GM_OBSERVERS_MAX];
    struct { gm_engine_fold_fn *call; void *context; } folds[GM_CHANGE_KIND_COUNT];
    gm_keeper       keepers[GM_KEEPERS_MAX];
    size_t          keeper_count;
    gm_engine_stats stats;
};

// The fold, live and at recovery (apply.c). GM_CONFLICT: the change has no effect. GM_NOMEM: it may be tried again: history,
// state and folds take the same once more without harm until they have taken it; what comes behind them is done once.
GM_NODISCARD gm_status gm_engine_apply(gm_engine *engine, const gm_record *record, gm_change *out_change, gm_error *err);

// Lets go what is older than history is kept (forget.c): a slice of all series a call, beginning anew once a minute.
// GM_NOMEM: gm_engine_expire does nothing then.
GM_NODISCARD gm_status gm_engine_begin_expiry(gm_engine *engine);
void                   gm_engine_expire(gm_engine *engine);
void                   gm_engine_end_expiry(gm_engine *engine);

// Applies a HISTORY_DELETE (forget.c). GM_NOMEM.
GM_NODISCARD gm_status gm_engine_forget(gm_engine *engine, const gm_change *change, gm_error *err);

// ---- ahead.c ------------------------------------------------------------------------------------------------------
typedef struct gm_ahead { size_t at; uint32_t series[2]; } gm_ahead;  // of the next record, and of the one behind it
void gm_ahead_begin(gm_ahead *ahead, size_t at);
void gm_ahead_step(gm_ahead *ahead, const gm_engine *engine);  // before each record

#endif
