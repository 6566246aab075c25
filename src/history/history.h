// history/history.h: what was. Every committed sample of every column, compressed, in order of source time.
//
//   gm_history_append(history, twin, column, at, value, &err);
//   gm_history_read(history, twin, column, from, to, each, context, &err);
//   gm_history_buckets(history, twin, column, from, to, 2000, buckets, &n, &err);
//
// A series is the samples of one column of one twin. The column is any number that names it for good: the engine uses
// the number of its path (gm_engine_series), so that a series goes on when the twin changes its model. Two samples of a series never have the same source time: a second
// one with the same time and value is the same sample sent again and changes nothing; with another value it is a
// correction and replaces the first. Samples may come in any order of source time.
//
// Recent samples of a series lie in an open block; a full block is sealed: compressed, immutable. The engine thread
// appends and reads. Format of sealed blocks: docs/formats/history.md.
#ifndef GM_HISTORY_HISTORY_H
#define GM_HISTORY_HISTORY_H

#include "base/alloc.h"
#include "base/time.h"
#include "base/value.h"

typedef struct gm_history gm_history;

typedef struct gm_sample { gm_time_ns at; gm_value value; } gm_sample;  // value.kind NONE: the property was removed

typedef struct gm_bucket {
    gm_time_ns from;              // start of the bucket; it ends where the next one starts
    uint64_t   count;             // samples in it; 0 = a gap, the rest is then meaningless
    double     min, max, sum, last;
    gm_time_ns last_at;
} gm_bucket;

GM_NODISCARD gm_history *gm_history_create(const gm_alloc *alloc);
void                     gm_history_destroy(gm_history *history);

// Appends one sample. The first append of a series fixes its kind; text is copied.
// *out_new (may be NULL): false when the sample was already there with that value.
// GM_NOMEM: not appended.  Cost: O(1) in order, O(block) out of order. A series exists from its first sample on.
GM_NODISCARD gm_status gm_history_append(gm_history *history, uint32_t twin, uint32_t column, gm_time_ns at,
                                         gm_value value, bool *out_new, gm_error *err);

bool     gm_history_has(const gm_history *history, uint32_t twin, uint32_t column);
uint64_t gm_history_count(const gm_history *history, uint32_t twin, uint32_t column);  // samples in the series

// Calls each for the samples with from <= at < to in rising order, until it returns false. Text is viewed for the call.
typedef bool gm_history_each(void *context, const gm_sample *sample);
GM_NODISCARD gm_status gm_history_read(const gm_history *history, uint32_t twin, uint32_t column, gm_time_ns from,
                                       gm_time_ns to, gm_history_each *each, void *context, gm_error *err);

// The newest sample with at <= time; value.kind NONE when there is none. The as-of read.
GM_NODISCARD gm_status gm_history_as_of(const gm_history *history, uint32_t twin, uint32_t column, gm_time_ns time,
                                        gm_sample *out_sample, gm_error *err);

// n buckets of equal length over [from, to), numeric and boolean series only (GM_INVALID otherwise).
// One pass; whole sealed blocks inside a bucket are answered from their summary.
GM_NODISCARD gm_status gm_history_buckets(const gm_history *history, uint32_t twin, uint32_t column, gm_time_ns from,
                                          gm_time_ns to, size_t n, gm_bucket *out_buckets, gm_error *err);

// Forgets all series of a twin (deletion for good).
void gm_history_forget(gm_history *history, uint32_t twin);

typedef struct gm_history_stats { uint64_t series, samples, sealed_bytes, open_bytes; } gm_history_stats;
gm_history_stats gm_history_statistics(const gm_history *history);

#endif
