// engine/checkpoint_parts.h: what checkpoint.c (when, and what becomes of the old), checkpoint_write.c and
// checkpoint_load.c share. Inside engine only.
#ifndef GM_ENGINE_CHECKPOINT_PARTS_H
#define GM_ENGINE_CHECKPOINT_PARTS_H

#include "engine/checkpoint.h"
#include "engine/internal.h"

// One numbers list: history files that a checkpoint refers to.
typedef struct gm_file_list { uint32_t *numbers; size_t count; } gm_file_list;

typedef struct gm_checkpointer {
    const gm_alloc *alloc;
    char           *path;                // data_dir/checkpoint
    uint64_t        newest;              // sequence; 0: none
    gm_file_list    of_newest;           // what it refers to
    uint64_t        log_bytes_at;        // log bytes of this process when the last one was begun
    gm_dur_ns       begun;               // monotonic

    // The one under way: pid is -1 when there is none.
    int64_t         pid;
    int             fd;                  // its answer
    gm_watch       *watch;
    gm_ask          ask;
    uint64_t        sequence;
    uint32_t        file_before;         // history files below this one may go when nobody refers to them
    gm_file_list    refers;

    gm_error        broken;              // history was not synced: no checkpoint may be taken any more
    gm_checkpoint_report report;
    char            failure[256];
    gm_buf          damage;
} gm_checkpointer;

// What the writing process says at its end.
typedef struct gm_checkpoint_answer {
    gm_status status;
    bool      history_unsynced;
    uint64_t  bytes;
    gm_error  err;
} gm_checkpoint_answer;

// Writes data_dir/checkpoint/<sequence>.ckpt, unless there is one already, and then the copy. In the forked process.
void gm_checkpoint_write(const gm_engine *engine, const char *copy_to, gm_checkpoint_answer *out);

// Sequence and ingest time of the newest checkpoint whose head can be read: a log that is new goes on behind it.
void gm_checkpoint_peek(const gm_io *io, const gm_alloc *alloc, const char *path, uint64_t *out_sequence,
                        gm_time_ns *out_ingest);

// The newest good checkpoint into model, state, history and keepers. *out_sequence 0: there is none, everything is empty.
// What is damaged is noted in the report.
GM_NODISCARD gm_status gm_checkpoint_load(gm_engine *engine, uint64_t *out_sequence, gm_error *err);

// All checkpoint sequences in the directory, the newest first; *out is freed by the caller.
GM_NODISCARD gm_status gm_checkpoint_list(const gm_io *io, const gm_alloc *alloc, const char *path, uint64_t **out,
                                          size_t *out_count, gm_error *err);

GM_NODISCARD gm_status gm_checkpointer_open(gm_engine *engine, const char *data_dir, gm_error *err);
void                   gm_checkpointer_close(gm_engine *engine);
void                   gm_checkpoint_turn(gm_engine *engine);  // after batches: is it time for one?

// Model, state, history and paths, all empty; what was there is released.
GM_NODISCARD gm_status gm_engine_make_parts(gm_engine *engine, gm_error *err);

// The models' part of the past, which numbers types and paths again: every MODELS, DECOMMISSION and DELETE.
GM_NODISCARD gm_status gm_journal_add(gm_engine *engine, const gm_record *record, const gm_change *change);

#endif
