// log/log.h: what happened, in one order, durably.
//
//   gm_log_open(io, alloc, clock, "data/log", &options, &log, &err);
//   gm_log_replay(log, fold, context, &err);                    // everything that was ever acknowledged
//
//   uint8_t *payload = gm_log_append(log, GM_RECORD_WRITE, size, &sequence);   // into the open batch
//   ...fill payload...
//   gm_log_flush(log);                                          // gives the batch to the commit thread, if it is idle
//   ... when gm_log_event_fd(log) becomes readable:
//   while (gm_log_take(log, &batch, &st, &err)) { apply every record of the batch; acknowledge; }
//
// One thread (the owner) calls everything here; the commit thread inside writes and syncs. A batch is the records
// appended between two flushes: written with one write, made durable by one fdatasync. While one batch is being
// synced the next one fills; its size adapts to the disk by itself.
//
//   OPEN --append--> FILLING --flush--> COMMITTING --fdatasync ok--> DURABLE --take--> applied, acknowledged
//                                          |
//                                          +-- the disk refuses --> READ_ONLY (for good; every later append fails)
//
// Format: docs/formats/log.md. A record has a header of 32 bytes, then the payload, padded to 8.
#ifndef GM_LOG_LOG_H
#define GM_LOG_LOG_H

#include "base/alloc.h"
#include "base/io.h"
#include "base/time.h"

typedef struct gm_log gm_log;

typedef struct gm_log_options {
    size_t segment_size;     // of a segment file; the first ones of a log are smaller; default 64 MiB
    size_t batch_limit;      // bytes that may wait in the open batch; default 32 MiB; append fails beyond
    bool   realtime_commit;  // ask for SCHED_FIFO for the commit thread, go on without when refused; default true
    bool   prepare_ahead;    // a thread of lowest urgency makes the next segment file ready; default true
    uint64_t   first_sequence;  // of a log that is new: its first record's; default 1. A restored checkpoint goes on here
    gm_time_ns ingest_floor;    // of a log that is new: ingest times are later than this; default: any
} gm_log_options;
gm_log_options gm_log_options_defaults(void);

enum { GM_RECORD_HEADER = 32, GM_RECORD_PAYLOAD_MAX = 16 << 20 };

typedef struct gm_record {
    uint64_t       sequence;  // 1, 2, 3 ... without gaps
    gm_time_ns     ingest;    // strictly rising from record to record, also over restarts and clock jumps
    uint8_t        kind;      // log/change.h gives them their meaning
    const uint8_t *payload;   // viewed
    size_t         size;
} gm_record;

// A sequence of records in memory; viewed until the batch is released.
typedef struct gm_log_batch { const uint8_t *bytes; size_t size; size_t count; uint64_t first_sequence; } gm_log_batch;

// Opens or creates the log in directory `path`, locks it, cuts a torn tail, and starts the commit thread. What it then
// holds is durable. io, alloc and clock must outlive the log; alloc and clock->monotonic are used from the commit
// thread too, clock->now from the owner alone.
// Errors: GM_CONFLICT  another log has the directory open
//         GM_CORRUPT   damage before good records (looked for in the last segment here, in the others while they are
//                      replayed), a missing segment, a foreign file; err names file and offset; nothing was changed
//         GM_IO, GM_NOMEM
// Cost: reads the last segment, at most one segment of memory for the time of the call.
GM_NODISCARD gm_status gm_log_open(const gm_io *io, const gm_alloc *alloc, const gm_clock *clock, const char *path,
                                   const gm_log_options *options, gm_log **out_log, gm_error *err);

// Waits for the batch in flight, stops the thread. What was not flushed is lost (it was never acknowledged).
void gm_log_close(gm_log *log);

// Calls fold for each record with sequence > after, in order. A fold that does not return GM_OK ends the replay with
// its status. Only before the first append. fold may be NULL: everything is read and checked.
// GM_NOTFOUND: records after `after` were released already. GM_CORRUPT: as for gm_log_open; what came before the
// damage was folded. Cost: one segment of memory.
typedef gm_status gm_log_fold(void *context, const gm_record *record, gm_error *err);
GM_NODISCARD gm_status gm_log_replay(gm_log *log, uint64_t after, gm_log_fold *fold, void *context, gm_error *err);

// Adds a record to the open batch and returns where its `size` bytes of payload go; valid until the next call.
// NULL: the log is read-only or the batch limit is reached (gm_log_status tells which), or memory is refused.
// Cost: no system call, no allocation once the batch buffers have grown.
GM_NODISCARD uint8_t *gm_log_append(gm_log *log, uint8_t kind, size_t size, uint64_t *out_sequence);

// The payload of the last append turned out shorter: gives back the rest. size <= the size that was asked for.
void gm_log_trim(gm_log *log, size_t size);

// Hands the open batch to the commit thread and stamps its ingest time. Does nothing when the batch is empty, or when
// the batch before it has not been taken yet (flush again after take). Every batch that is flushed comes back through
// gm_log_take once; when the log is read-only by then, with the refusal. Cost: one futex wake at the most.
void gm_log_flush(gm_log *log);

// The descriptor that becomes readable when a batch is done.
int gm_log_event_fd(const gm_log *log);

// Takes the batch that was made durable (*out_status GM_OK), or refused (the reason; err filled; none of it was
// acknowledged and the log is read-only now). False when there is none. The batch stays readable until
// gm_log_release, and at most one is out at a time (asking for a second one releases the first). Flushing the next one
// before working on this one keeps the disk busy.
bool gm_log_take(gm_log *log, gm_log_batch *out_batch, gm_status *out_status, gm_error *err);
void gm_log_release(gm_log *log);

// Walks a batch: *at starts at 0. False at the end.
bool gm_log_batch_next(const gm_log_batch *batch, size_t *at, gm_record *out_record);

gm_status gm_log_status(const gm_log *log, gm_error *err);  // GM_OK; GM_IO once read-only; GM_LIMIT while the batch is full
uint64_t  gm_log_durable(const gm_log *log);                // the last durable sequence that was taken, or found by open

// Batches that are committed from now on go into a new segment: a checkpoint begins, and what it covers shall go as a whole.
void gm_log_roll(gm_log *log);

// A checkpoint covers everything before `sequence`: whole segments below it are removed, soon, by the commit thread.
// Records at and after it stay. The newest segment always stays. Going back is ignored.
void gm_log_release_before(gm_log *log, uint64_t sequence);

typedef struct gm_log_stats {
    uint64_t  records, bytes, commits;    // since open
    uint64_t  segments;                   // files now
    uint64_t  prepared_late;              // roll-overs that had to wait for a new segment file
    gm_dur_ns commit_last, commit_total;  // from flush to durable, as the commit thread sees it
    bool      realtime;                   // the commit thread got SCHED_FIFO
} gm_log_stats;
gm_log_stats gm_log_statistics(const gm_log *log);

#endif
