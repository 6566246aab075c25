// history/history.h: what was. Every committed sample of every column, compressed, in order of source time.
//
//   gm_history_append(history, twin, column, at, value, &is_new, &err);
//   gm_history_read(history, twin, column, from, to, each, context, &err);
//   gm_history_buckets(history, twin, column, from, to, 2000, buckets, &err);
//
// A series is the samples of one column of one twin. The column is any number that names it for good: the engine uses
// the number of its path (gm_engine_series), so that a series goes on when the twin changes its model, even if its
// values are of another kind from then on. Two samples of a series never have the same source time: a second one with
// the same time and value is the same sample sent again and changes nothing; with another value it is a correction and
// replaces the first. Samples may come in any order of source time.
//
// Recent samples of a series lie in an open run; 1024 of them are sealed together: compressed, immutable (in a pool, when there
// is one; until that is done they are read as they are). A sample that is late for its sealed block opens it again for a while. The engine thread appends and reads; reading uses
// working memory of the history too, so there is one reader at a time. Format of sealed blocks: docs/formats/history.md.
//
// Memory: about 64 bytes for a series of one or two numbers; 16 bytes a sample in the open run; 104 bytes for each sealed
// block, which lies in a file (or, without files, in memory: about one byte a sample).
#ifndef GM_HISTORY_HISTORY_H
#define GM_HISTORY_HISTORY_H

#include "base/alloc.h"
#include "base/io.h"
#include "base/time.h"
#include "base/value.h"

typedef struct gm_history gm_history;

typedef struct gm_sample { gm_time_ns at; gm_value value; } gm_sample;  // value.kind NONE: the property was removed

typedef struct gm_bucket {
    gm_time_ns from;              // start of the bucket; it ends where the next one starts
    uint64_t   count;             // values in it (removals do not count); 0 = a gap, the rest is then meaningless
    double     min, max, sum, last;
    gm_time_ns last_at;
    gm_time_ns min_at, max_at;    // the first time of the smallest and of the largest
    gm_time_ns removed_at;        // without values: the last removal in it; 0: none
} gm_bucket;

GM_NODISCARD gm_history *gm_history_create(const gm_alloc *alloc);
void                     gm_history_destroy(gm_history *history);

// From here on sealed blocks go to files in the directory (made when it is not there); before the first append. When a
// file refuses one it stays in memory. What lies in the directory from before is known after gm_history_load.
GM_NODISCARD gm_status gm_history_use_files(gm_history *history, const gm_io *io, const char *path, gm_error *err);

// From here on full blocks of numbers are sealed in the pool, and gm_history_turn is called at the end of each turn of the loop.
// NULL: here again; the pool must have ended. The history's memory is then asked for on its threads too. GM_NOMEM: they are sealed
// here as before.
struct gm_pool;
GM_NODISCARD gm_status gm_history_use_pool(gm_history *history, struct gm_pool *pool);
void                   gm_history_turn(gm_history *history);

// Appends one sample; text is copied.
// *out_new (may be NULL): false when the sample was already there with that value.
// GM_INVALID: at is outside GM_TIME_MIN..GM_TIME_MAX. GM_NOMEM: not appended; every sample that was there still is.
// Cost: about 50 ns in order, sealing included (bench-history); O(block) for a sample that is late for its block.
// A series exists from its first sample on.
GM_NODISCARD gm_status gm_history_append(gm_history *history, uint32_t twin, uint32_t column, gm_time_ns at,
                                         gm_value value, bool *out_new, gm_error *err);

// The same with many samples of one number (kind INT or DOUBLE), as a record of rows holds them: times [n] i64 and values [n]
// i64 or f64, little-endian, not aligned. begin (may be NULL) is what a series begins with that does not exist yet; not when it is
// as old as the first of them. Refused: some of the first ones were appended.
// Cost: a few ns each where they rise and lie next to each other in the open run.
GM_NODISCARD gm_status gm_history_append_rows(gm_history *history, uint32_t twin, uint32_t column, const gm_sample *begin, gm_kind kind,
                                              const uint8_t *times, const uint8_t *values, size_t n, gm_error *err);

// For whoever appends to many series in turn: asks memory for what an append to the series will touch, first where its newest samples
// lie (which gives it a number; UINT32_MAX: there is none), and some time later for them. Promises nothing.
uint32_t gm_history_expect(const gm_history *history, uint32_t twin, uint32_t column);
void     gm_history_expect_append(const gm_history *history, uint32_t series);

// Seals the open runs of all series that hold at least `at_least` samples, and gives their memory back: for a fleet
// that has fallen silent. A sealed block of few samples compresses less (bench-history). GM_NOMEM: some are sealed.
GM_NODISCARD gm_status gm_history_seal(gm_history *history, size_t at_least, gm_error *err);

bool     gm_history_has(const gm_history *history, uint32_t twin, uint32_t column);  // samples, or what was rolled up of them
uint64_t gm_history_count(const gm_history *history, uint32_t twin, uint32_t column);  // samples in the series

// Calls each for the samples with from <= at < to in rising order, until it returns false. Text is viewed for the call.
// each must not use the history: its working memory is in use. GM_NOMEM, GM_CORRUPT: what came before was given.
typedef bool gm_history_each(void *context, const gm_sample *sample);
GM_NODISCARD gm_status gm_history_read(const gm_history *history, uint32_t twin, uint32_t column, gm_time_ns from,
                                       gm_time_ns to, gm_history_each *each, void *context, gm_error *err);

// The newest sample with at <= time; value.kind NONE when there is none, or it is a removal (at tells: 0 = none).
// Text is viewed until the next call for this history. The as-of read. Cost: decodes one block, about 20 us, or less.
GM_NODISCARD gm_status gm_history_as_of(const gm_history *history, uint32_t twin, uint32_t column, gm_time_ns time,
                                        gm_sample *out_sample, gm_error *err);

// n buckets of equal length over [from, to): bucket i starts at from + (to - from) * i / n, rounded down. A series that
// does not exist gives gaps. GM_INVALID: no length, or there is text in the range.
// One pass; sealed blocks inside a bucket are answered from sums, at most n + 1 are decoded. Sums of many blocks together are
// made on the way and kept, so this is no const.
GM_NODISCARD gm_status gm_history_buckets(gm_history *history, uint32_t twin, uint32_t column, gm_time_ns from,
                                          gm_time_ns to, size_t n, gm_bucket *out_buckets, gm_error *err);

// The same for a plot of a long stretch, which reads next to no samples: where a sealed block is short against a bucket (a
// quarter, or less) and lies across the edge of two, the edge moves to the end of the block that is nearer, by an eighth
// of a bucket at most. Each bucket says where it begins (`from`); what it says is exact for from..next bucket's from.
// Cost: a year of 1 Hz as 2,000 buckets takes about a millisecond (bench-durable). Where blocks are longer, as above.
GM_NODISCARD gm_status gm_history_outline(gm_history *history, uint32_t twin, uint32_t column, gm_time_ns from,
                                          gm_time_ns to, size_t n, gm_bucket *out_buckets, gm_error *err);

// How many samples lie in [from, to), removals and what was rolled up among them, and the first and last time of them (both
// 0 when there is none). Decodes a few blocks at most.
GM_NODISCARD gm_status gm_history_extent(gm_history *history, uint32_t twin, uint32_t column, gm_time_ns from,
                                         gm_time_ns to, uint64_t *out_count, gm_time_ns *out_first, gm_time_ns *out_last,
                                         gm_error *err);

// Forgets all series of a twin, or one, with what was rolled up of it. What lies in files is gone from the disk when they are tidied and removed.
void gm_history_forget(gm_history *history, uint32_t twin);
void gm_history_forget_series(gm_history *history, uint32_t twin, uint32_t column);

// Afterwards: files with anything forgotten in them are emptied by gm_history_tidy, however little that is (deletion for
// good). GM_IO: the file that is being written to is not among them; a later call may succeed.
GM_NODISCARD gm_status gm_history_purge(gm_history *history, gm_error *err);

// How long a series is kept, in whole sealed blocks: a block goes when its newest sample is older than `before`. With a
// rollup length, what goes leaves its smallest, largest, sum, count and last for each stretch of so long (numbers only);
// buckets, outlines and the extent go on to count that, where the stretch begins. The rollups go in their turn.
typedef struct gm_history_keep {
    gm_time_ns before, rollups_before;  // GM_TIME_MIN: nothing is too old
    gm_dur_ns  rollup;                  // 0: nothing stays
} gm_history_keep;

// Looks at the next `series` series, and asks `wanted` about each that has sealed blocks. Returns false when it came to the
// last one; the next call begins anew. A block that can not be read, or not be rolled up for want of memory, stays.
typedef bool gm_history_wanted(void *context, uint32_t twin, uint32_t column, gm_history_keep *out_keep);
bool gm_history_expire(gm_history *history, size_t series, gm_history_wanted *wanted, void *context);

// ---- files --------------------------------------------------------------------------------------------------------
// Copies what is still used out of the file that wastes most (more than half of it), at most `entries` blocks per call.
// False: there is nothing to do, or (*out_st GM_CORRUPT, GM_IO) the file is left as it is.
bool gm_history_tidy(gm_history *history, size_t entries, gm_status *out_st, gm_error *err);

// Before a checkpoint is taken: what waits is written. GM_IO: there can be no checkpoint now.
GM_NODISCARD gm_status gm_history_flush(gm_history *history, gm_error *err);

// In the checkpoint: syncs the files it is going to refer to; then everything, into the open section.
struct gm_frames_out;
struct gm_frames_in;
GM_NODISCARD gm_status gm_history_sync(const gm_history *history, gm_error *err);
void                   gm_history_save(const gm_history *history, struct gm_frames_out *out);

// Into an empty history. GM_CORRUPT, GM_NOMEM, GM_IO: it is good for gm_history_destroy only.
GM_NODISCARD gm_status gm_history_load(gm_history *history, struct gm_frames_in *in, gm_error *err);

// Reads every sealed block. Calls bad for each that is damaged and goes on. GM_IO, GM_NOMEM: not read to the end.
typedef void gm_history_bad(void *context, const gm_error *why);
GM_NODISCARD gm_status gm_history_verify(const gm_history *history, gm_history_bad *bad, void *context, uint64_t *out_blocks,
                                         gm_error *err);

struct gm_files *gm_history_files(const gm_history *history);  // NULL: there are none

typedef struct gm_history_stats {
    uint64_t series, samples, blocks;
    uint64_t sealed_bytes;  // of sealed blocks, in files or in memory
    uint64_t file_bytes, files;  // on disk, with what is no longer used
    uint64_t open_bytes;    // of open runs
    uint64_t index_bytes;   // of what finds series and blocks; small series live here
} gm_history_stats;
gm_history_stats gm_history_statistics(const gm_history *history);

#endif
