// thread/listing.h: the facts of a twin as people look through them: the newest first, filtered, a page at a time.
//
//   gm_thread_listing l = { .twin = id, .valid = now, .known = INT64_MAX, .history = true, .limit = 100, .rows = room, .after = GM_LISTING_FIRST };
//   if (gm_thread_list_begin(thread, &l, &err) != GM_OK) ...
//   while (gm_thread_list_some(thread, &l, 5000)) ...                    // others have their turn between
//   gm_thread_list_end(thread, &l);
//   for (i = 0; i < l.count; i++) if (gm_thread_list_fact(thread, &l, i, &fact, &holds)) ...
//   next page: the same with .after = l.rows[l.count - 1], when l.more
//
// Newest: by when it began to hold, then by when it became known. A page looks at all facts of the twin (a heap keeps the best), so that
// counts are those of the whole; facts may be added and deleted between its steps. Owner: the engine thread.
#ifndef GM_THREAD_LISTING_H
#define GM_THREAD_LISTING_H

#include "thread/thread.h"

#define GM_LISTING_FIRST UINT32_MAX

typedef struct gm_thread_listing {
    // ---- what is asked
    gm_str     twin, key, find;        // key, find: empty for any; find: in lower case, a part of what the fact says
    uint32_t   phases;                 // bits 1 << gm_phase; 0: all
    gm_time_ns valid, known;
    bool       history;                // everything that was ever said by `known`; else what holds at `valid`
    uint32_t   after, limit;           // a fact's row, behind which the page begins; at most so many
    bool (*shows)(const void *context, const gm_fact *fact);  // NULL: he may see all
    const void *context;
    uint32_t   *rows;                  // [limit] the caller's
    // ---- what is found
    uint32_t count;
    bool     more;                     // there are others behind these
    uint64_t fits, said;               // on all pages: that were asked for; that were ever said by `known`
    // ---- how far it is
    uint32_t line, next;               // a line of the twin, and a fact of it
} gm_thread_listing;

// GM_INVALID: `after` is none of the twin's facts (any more).
GM_NODISCARD gm_status gm_thread_list_begin(const gm_thread *thread, gm_thread_listing *l, gm_error *err);
// Looks at `most` facts, or a few more. False: that was all.
bool gm_thread_list_some(const gm_thread *thread, gm_thread_listing *l, uint32_t most);
// Puts what was found in order.
void gm_thread_list_end(const gm_thread *thread, gm_thread_listing *l);
// The i-th; texts are viewed until the next change. False: it was deleted meanwhile.
bool gm_thread_list_fact(const gm_thread *thread, const gm_thread_listing *l, uint32_t i, gm_fact *out, bool *out_holds);

#endif
