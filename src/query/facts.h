// query/facts.h: what a query may ask of a twin that is not in the state: what its thread says, T.$thread.asBuilt.bore, and what it amounts
// to as a system, T.$rollup.power. Who keeps these gives readers along with the page; the query knows nothing else of them.
#ifndef GM_QUERY_FACTS_H
#define GM_QUERY_FACTS_H

#include "base/time.h"
#include "base/value.h"
#include "state/state.h"

typedef struct gm_query_facts {  // readers may be NULL: nothing is known
    // What holds of the twin at (valid, known). phase: "asBuilt" or "as-built". False: nothing. *out's text is viewed until the facts
    // change.
    bool (*read)(void *context, gm_str twin, gm_str phase, gm_str key, gm_time_ns valid, gm_time_ns known, gm_value *out);
    void      *context;
    gm_time_ns now;  // `valid` of queries that do not say VALID AT (or AS OF)
    // What the twin amounts to by the roll-up of that name, now (at GM_TIME_MAX) or as it was recorded at that time. part: empty, or a word of
    // docs/rollups.md. False: it is no system, or has no value. *out's text is viewed until the next call.
    bool (*rollup)(void *context, gm_twin twin, gm_str name, gm_str part, gm_time_ns at, gm_value *out);
    // The number of the series in which the past of that name is kept (gm_engine_own_read). False: nothing was recorded.
    bool (*rollup_series)(void *context, gm_str name, uint32_t *out_number);
    void      *rollups;  // their context
} gm_query_facts;

#endif
