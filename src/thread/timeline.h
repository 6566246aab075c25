// thread/timeline.h: which of many statements about stretches of time holds at a moment, as of any number of statements made.
//
//   gm_timeline *line;
//   gm_timeline_create(alloc, &line, &err);
//   gm_timeline_assign(line, 100, 200, 7, &err);          // version 1: 7 holds in [100, 200)
//   gm_timeline_assign(line, 150, INT64_MAX, 8, &err);    // version 2: corrected from 150 on
//   gm_timeline_at(line, 1, 160)  == 7                    // as it was known then
//   gm_timeline_at(line, 2, 160)  == 8
//
// A statement never overwrites: it makes a new version, and every older version stays readable. Both axes cost a logarithm.
// One thread writes, nobody reads meanwhile.
//
// A multiversion B-tree (Becker, Gschwind, Ohler, Seeger, Widmayer: An asymptotically optimal multiversion B-tree, VLDB
// Journal 5, 1996) over the moments at which what holds changes, cut down to the one thing asked of it: the newest boundary at
// or before a moment.
#ifndef GM_THREAD_TIMELINE_H
#define GM_THREAD_TIMELINE_H

#include "base/alloc.h"
#include "base/time.h"

typedef struct gm_timeline gm_timeline;

#define GM_TIMELINE_NONE UINT32_MAX  // nothing was said about that moment

GM_NODISCARD gm_status gm_timeline_create(const gm_alloc *alloc, gm_timeline **out, gm_error *err);
void                   gm_timeline_destroy(gm_timeline *line);  // NULL is allowed

// From this version on `value` holds in [from, to); from < to, to INT64_MAX: for ever. Versions count 1, 2, 3 ...
// GM_NOMEM: nothing has changed. Cost: amortised logarithm; 20 to 100 bytes.
GM_NODISCARD gm_status gm_timeline_assign(gm_timeline *line, gm_time_ns from, gm_time_ns to, uint32_t value, gm_error *err);

uint32_t gm_timeline_versions(const gm_timeline *line);

// What holds at `time` as of a version (0: nothing does). Cost: logarithm of the versions.
uint32_t gm_timeline_at(const gm_timeline *line, uint32_t version, gm_time_ns time);

// The same with the stretch [*out_from, *out_to) around `time` in which nothing changes.
uint32_t gm_timeline_piece(const gm_timeline *line, uint32_t version, gm_time_ns time, gm_time_ns *out_from, gm_time_ns *out_to);

size_t gm_timeline_bytes(const gm_timeline *line);  // of memory

#endif
