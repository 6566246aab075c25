// link/line_readers.h: readers of the line protocol (lines_read.h) at work beside the owner's thread.
//
//   if (gm_line_readers_ask(readers, text, GM_SECOND, on_read, request, &reading)) return;   // on_read(request) in a later turn
//   ...                                                                                      // false: all are busy, do it here
//   st = gm_lines_take_tables(batch, gm_line_reading_of(reading, &taken), taken, &rest, &err);
//   gm_line_readers_give_back(reading);
//
// There are a few, so the memory of what is being read, and was read and is not taken yet, is bounded: some MiB each. Owner's
// thread; the text must stay as it is until on_read.
#ifndef GM_LINK_LINE_READERS_H
#define GM_LINK_LINE_READERS_H

#include "base/pool.h"
#include "link/lines_read.h"

enum { GM_LINE_READERS_MAX = 8, GM_LINE_READ_MAX = 1 << 20 };  // at a time; bytes of a text

typedef struct gm_line_readers gm_line_readers;
typedef struct gm_line_reading gm_line_reading;

// One more reader than the pool has threads, at most GM_LINE_READERS_MAX; made when they are first needed.
GM_NODISCARD gm_line_readers *gm_line_readers_create(const gm_alloc *alloc, gm_pool *pool);  // NULL: memory refused
void                          gm_line_readers_destroy(gm_line_readers *readers);             // the pool is empty, or has ended

// call comes once, also when the pool ends. False: none is free, or memory is refused.
GM_NODISCARD bool gm_line_readers_ask(gm_line_readers *readers, gm_str text, gm_dur_ns unit, void (*call)(void *context),
                                      void *context, gm_line_reading **out_reading);

// After the call: *out_taken 0: nothing was read.
gm_line_reader *gm_line_reading_of(const gm_line_reading *reading, size_t *out_taken);
void            gm_line_readers_give_back(gm_line_reading *reading);  // NULL is allowed

#endif
