// log/prepare.h: the next segment file, made ready while the current one fills.
//
//   gm_prepare_order(prepare, size);                                  // returns at once
//   gm_prepare_take(prepare, size, &file, &file_size, &waited, &err); // the file, zeros from end to end, synced
//
// Why zeros: overwriting blocks that the file system knows as written changes no metadata, so fdatasync writes the
// data and nothing else. Measured on ext4, commits/s with batches of 200 B / 6.4 KB / 65 KB / 600 KB:
//   growing file 5.9-7.1 k / 5.0-6.1 k / 2.2-4.2 k / 0.6-0.8 k;   fallocate only 10-11 k / 6.6-7.3 k / 5.1-5.4 k / 0.8-1.6 k;
//   zero-filled  8.6-9.9 k / 8.8-9.4 k / 8.2-8.3 k / 3.5-3.8 k;   O_DSYNC or O_DIRECT on top: no gain.
//
// One thread (the one that writes the log) calls order and take.
#ifndef GM_LOG_PREPARE_H
#define GM_LOG_PREPARE_H

#include "base/alloc.h"
#include "base/io.h"

typedef struct gm_prepare gm_prepare;

// path: the name of the file until its owner renames it; copied.  ahead false: no thread, files are made in take.
GM_NODISCARD gm_status gm_prepare_create(const gm_io *io, const gm_alloc *alloc, const char *path, bool ahead,
                                         gm_prepare **out_prepare, gm_error *err);
void gm_prepare_destroy(gm_prepare *prepare);  // removes a file that nobody took

// Begins to make a file of size bytes; without effect while one is being made or ready.
void gm_prepare_order(gm_prepare *prepare, uint64_t size);

// Hands over a file of at least size bytes, which exists under the path; waits for the one in work or makes one.
//   *out_waited  the file was not ready
// Errors: those of gm_io; no file is then left behind, and a later call tries afresh.
GM_NODISCARD gm_status gm_prepare_take(gm_prepare *prepare, uint64_t size, gm_file **out_file, uint64_t *out_size,
                                       bool *out_waited, gm_error *err);

#endif
