// engine/checkpoint.h: what the log has added up to, in a file, so that a start reads that and only the log's tail.
// Format: docs/formats/checkpoint.md.
//
//   gm_engine_checkpoint(engine, NULL, (gm_ask){ on_done, context, 0 }, &err);           // the engine goes on meanwhile
//   gm_engine_checkpoint(engine, "/backup/monday", ...);                                  // and a copy of everything
//
//   engine thread: fork ------------------> serves on; sees the answer: old checkpoints, segments and files go
//                    \                      ^
//                     copy of the process: write, sync, rename
//
// Why a fork: the copy sees everything as it was between two batches, the kernel copies only pages that change meanwhile,
// and the engine's structures need no second version for it. The engine stands still for the fork itself: some
// 15 ms for 400 MB (bench-durable); in pages of 2 MB it took 11, and they leave memory behind when they break up, so they are small.
// The copy writes 256 KB at a time, synced, with a rest behind each: see checkpoint_write.c.
//
// Two checkpoints are kept, with the log from the older one on: when the newer one turns out to be damaged, the older one
// serves.
#ifndef GM_ENGINE_CHECKPOINT_H
#define GM_ENGINE_CHECKPOINT_H

#include "engine/engine.h"

// Begins a checkpoint of everything that is applied. copy_to (may be NULL): a directory that does not exist, which becomes
// a data directory with this checkpoint, the history it needs, and nothing of the log. done is called when it is durable, or
// with the reason why not; with in_process before this returns.
// GM_CONFLICT: one is being written; or somebody folds records without keeping (gm_engine_keep). GM_IO: history could not
// be written, or the process not be forked. The ask is not called then.
GM_NODISCARD gm_status gm_engine_checkpoint(gm_engine *engine, const char *copy_to, gm_ask done, gm_error *err);

typedef struct gm_checkpoint_report {
    uint64_t   sequence;      // of the newest one: it covers the log up to here; 0: there is none
    gm_time_ns at;            // when it was begun; 0: before this start
    uint64_t   bytes;
    gm_dur_ns  took, stalled; // from beginning to end; how long the engine stood still for it
    uint64_t   written, failed;
    bool       running;
    gm_str     failure;       // the last one's reason; empty: the last one succeeded
    gm_str     damage;        // what recovery found damaged, one line each; empty: nothing
} gm_checkpoint_report;
gm_checkpoint_report gm_engine_checkpoint_report(const gm_engine *engine);  // texts are viewed until the next one

// "00000000000000001234.ckpt"
enum { GM_CHECKPOINT_NAME = 32 };
void gm_checkpoint_name(uint64_t sequence, char out[GM_CHECKPOINT_NAME]);
bool gm_checkpoint_number(gm_str name, uint64_t *out_sequence);

#endif
