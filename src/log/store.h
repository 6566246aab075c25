// log/store.h: the segment files of a log in their directory: finding the end, reading, writing, rolling over,
// letting old ones go. Knows nothing of threads: one at a time uses it (the owner until the commit thread runs).
//
//   data/log/lock                        held as long as the log is open
//   data/log/00000000000000000001.log    the sequence of its first record, so byte order is the order of time
//   data/log/next.tmp                    a segment in preparation
#ifndef GM_LOG_STORE_H
#define GM_LOG_STORE_H

#include "log/log.h"

typedef struct gm_store gm_store;

// As gm_log_open.  now: for the salt of new segments.
GM_NODISCARD gm_status gm_store_open(const gm_io *io, const gm_alloc *alloc, const char *path,
                                     const gm_log_options *options, gm_time_ns now, gm_store **out_store, gm_error *err);
void gm_store_close(gm_store *store);

uint64_t   gm_store_next_sequence(const gm_store *store);  // of the first record to write
gm_time_ns gm_store_last_ingest(const gm_store *store);    // that the next one must exceed
size_t     gm_store_segments(const gm_store *store);
uint64_t   gm_store_prepared_late(const gm_store *store);

GM_NODISCARD gm_status gm_store_replay(gm_store *store, uint64_t after, gm_log_fold *fold, void *context, gm_error *err);

// Gives a batch its ingest times (ingest, ingest + 1, ...) and checksums, writes it with one write, into a new segment
// if it does not fit the current one, and syncs. After an error nothing may be written any more.
//   records  [size] as gm_record_begin left them, sequences going on from gm_store_next_sequence
GM_NODISCARD gm_status gm_store_commit(gm_store *store, uint8_t *records, size_t size, gm_time_ns ingest, gm_error *err);

// What is committed from now on goes into a new segment, so that the present one can be let go as a whole.
void gm_store_roll(gm_store *store);

// Removes segments whose records are all before sequence. What the disk does not let go stays.
void gm_store_release_before(gm_store *store, uint64_t sequence);

#endif
