// api/rollup_sight.h: what somebody may know of roll-ups, now and then: readers for queries and for histories.
//
//   gm_rollup_sight sight;
//   gm_rollup_sight_open(&sight, request);              // for one turn: nothing may change meanwhile
//   facts.rollup  = gm_rollup_sight_read;
//   facts.rollups = &sight;
//   gm_rollup_sight_close(&sight);
#ifndef GM_API_ROLLUP_SIGHT_H
#define GM_API_ROLLUP_SIGHT_H

#include "api/context.h"
#include "rollup/rollups.h"

typedef struct gm_rollup_sight {
    gm_request      *request;
    gm_rollup_scope *scopes[GM_ROLLUPS_MAX];  // opened when they are needed
} gm_rollup_sight;

void gm_rollup_sight_open(gm_rollup_sight *sight, gm_request *request);
void gm_rollup_sight_close(gm_rollup_sight *sight);

// May he be told what the twin (GM_NONE: the plant) amounts to by roll-up i?
bool gm_rollup_sight_shows(gm_rollup_sight *sight, size_t i, gm_twin twin);

// gm_query_facts.rollup; context: a gm_rollup_sight.
bool gm_rollup_sight_read(void *context, gm_twin twin, gm_str name, gm_str part, gm_time_ns at, gm_value *out);

#endif
