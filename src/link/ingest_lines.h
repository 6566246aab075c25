// link/ingest_lines.h: line protocol into twins, in bulk. Lines with the same measurement and tags are resolved once (which
// mapping, which twin, which columns) and remembered; the points of a twin are collected and written as one record, so
// that a point costs tens of bytes in the log, not hundreds.
//
//   gm_lines_create(ingest, alloc, &lines, &err);                          // once
//   batch = gm_lines_begin(lines, arena, GM_SECOND);                       // one request; the unit of its times
//   st = gm_lines_take(batch, &rest, 1 << 20, &err);                       // GM_LIMIT: come back with the same rest
//   st = gm_lines_finish(batch, ask, &err);                                // the ask is answered when all is durable
//                                                                          // the batch ends with its arena
//
// Without any mapping of the format "line" the twin is the one named by the tag `twin`, else by the measurement, and
// fields are the values of the same names. Engine thread.
#ifndef GM_LINK_INGEST_LINES_H
#define GM_LINK_INGEST_LINES_H

#include "base/arena.h"
#include "link/ingest.h"
#include "link/lines_read.h"

enum {
    GM_LINES_POINTS = 65536,     // collected before they are written
    GM_LINES_KEYS_MAX = 1 << 20  // measurements with tags that are remembered
};

typedef struct gm_lines      gm_lines;
typedef struct gm_line_batch gm_line_batch;

GM_NODISCARD gm_status gm_lines_create(const gm_alloc *alloc, gm_ingest *ingest, gm_lines **out_lines, gm_error *err);
void                   gm_lines_destroy(gm_lines *lines);  // NULL is allowed

// All of its memory lies in the arena: some MiB from the first gm_lines_take on. NULL: memory refused.
GM_NODISCARD gm_line_batch *gm_lines_begin(gm_lines *lines, gm_arena *arena, gm_dur_ns unit);

// Takes whole lines off the front of *rest until it is empty or `budget` bytes are done. The text must stay until the
// batch ends. GM_LIMIT: the log is full or twins are being created; call again after the next commit. GM_IO, GM_NOMEM.
// What is wrong with a line is kept in the batch's result (and the dead letters); the other lines are taken.
GM_NODISCARD gm_status gm_lines_take(gm_line_batch *batch, gm_str *rest, size_t budget, gm_error *err);

// The same with the front of the text as a reader has read it: `taken` bytes. GM_LIMIT: as above, and the reader is to be left as
// it is until then. GM_CONFLICT: nothing was taken; the lines are not as plain as they look, gm_lines_take knows.
GM_NODISCARD gm_status gm_lines_take_tables(gm_line_batch *batch, gm_line_reader *reader, size_t taken, gm_str *rest, gm_error *err);

// Writes what is still collected. The ask is answered when all of the batch is durable; *out_asked false: there is nothing to
// wait for, and nobody will answer.
GM_NODISCARD gm_status gm_lines_finish(gm_line_batch *batch, gm_ask ask, bool *out_asked, gm_error *err);

typedef struct gm_lines_result {
    uint64_t lines, points, rejected;  // lines seen; values taken; lines refused
    char     first[240];               // what was wrong with the first refused one: "line 7: ..."
    bool     malformed;                // one of them was no line protocol, rather than not fit for a twin
} gm_lines_result;
const gm_lines_result *gm_lines_result_of(const gm_line_batch *batch);

#endif
