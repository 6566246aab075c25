// api/structure.h: twins and relationships that came and went, written once as events for every stream.
//
// A ring of the newest ones; each stream remembers how far it has read. A stream that is far behind (a fleet is being
// created) is told in one event that much has changed, instead of each.
#ifndef GM_API_STRUCTURE_H
#define GM_API_STRUCTURE_H

#include "base/buf.h"
#include "engine/engine.h"
#include "state/fence.h"

enum { GM_STRUCTURE_RING = 256, GM_STRUCTURE_SUMMARY = 64 };

typedef struct gm_structure {
    gm_buf     ring[GM_STRUCTURE_RING];  // event number n lies at n % GM_STRUCTURE_RING
    gm_twin    twins[GM_STRUCTURE_RING][2];  // that it names; the same twice when it names one
    uint64_t   count;                    // events so far
    uint64_t   sequence;                 // of the newest
    gm_time_ns time;
    uint32_t   twin_limit;               // twins with a number below existed before
} gm_structure;

void gm_structure_init(gm_structure *structure, const gm_alloc *alloc);
void gm_structure_finish(gm_structure *structure);

// Takes note of a change that was applied; true when it is one of structure.
bool gm_structure_note(gm_structure *structure, const gm_state *state, const gm_record *record,
                       const gm_change *change);

// Appends the events from *cursor on and moves it to the end; with a fence those whose twins it shows, one by one: how
// much has changed elsewhere is not told.
void gm_structure_read(const gm_structure *structure, const gm_fence *fence, uint64_t *cursor, gm_buf *out);

// "event: NAME\nid: SEQUENCE\ndata: {"sequence":...,"time":..." without the closing brace and the empty line.
void gm_event_open(gm_buf *out, const char *name, uint64_t sequence, gm_time_ns time);
void gm_event_close(gm_buf *out);

#endif
