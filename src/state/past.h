// state/past.h: twins and relationships that are no more, or are something else by now, each with the time in which it
// was. Inside state/ only; readers use the ..._at functions of state.h.
//
// What is still there needs no entry: it has its beginning in its own row. So this costs what has ended, and an answer
// for one twin costs the number of times that it changed.
// LIMIT: entries stay until the twin's data are deleted for good.
#ifndef GM_STATE_PAST_H
#define GM_STATE_PAST_H

#include "base/index.h"
#include "state/graph.h"

typedef struct gm_past_twin {
    gm_text   *id;
    uint32_t   number, type;
    uint32_t   older;  // the one of the same id that ended before it; GM_NONE ends
    gm_time_ns since, until;
} gm_past_twin;

typedef struct gm_past_edge {
    gm_text   *id, *properties;  // properties NULL = {}
    uint32_t   twin[2], name;
    uint32_t   older[2];  // of the same twin, by direction
    uint64_t   version;
    gm_time_ns since, until;
} gm_past_edge;

typedef struct gm_past {
    const gm_alloc *alloc;
    gm_text_pool   *texts;
    gm_past_twin   *twins;
    size_t          twin_count, twin_capacity;
    gm_past_edge   *edges;
    size_t          edge_count, edge_capacity;
    gm_index        by_id;    // twin id -> its newest entry
    gm_index        of[2];    // twin number -> its newest edge entry, by direction
} gm_past;

void gm_past_init(gm_past *past, const gm_alloc *alloc, gm_text_pool *texts);  // past must not move afterwards
void gm_past_finish(gm_past *past);

// A relationship that ends.
typedef struct gm_past_ended {
    uint32_t   twin[2], name;
    uint64_t   version;
    gm_time_ns since, until;
    gm_str     id, properties;  // properties empty = {}
} gm_past_ended;

// Something ends now. Texts are copied. GM_NOMEM: nothing was kept.
GM_NODISCARD gm_status gm_past_keep_twin(gm_past *past, gm_str id, uint32_t number, uint32_t type, gm_time_ns since,
                                         gm_time_ns until);
GM_NODISCARD gm_status gm_past_keep_edge(gm_past *past, const gm_past_ended *edge);

uint32_t gm_past_find_twin(const gm_past *past, gm_str id);                         // then .older; GM_NONE: none
uint32_t gm_past_find_edges(const gm_past *past, int direction, uint32_t number);  // then .older[direction]

// Forgets a twin's number and the relationships from and to it.
GM_NODISCARD gm_status gm_past_forget(gm_past *past, uint32_t number);

#endif
