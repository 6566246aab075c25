// query/facts.h: what a query may ask of a twin's thread: T.$thread.asBuilt.bore. Who keeps facts gives a reader along with the
// page; the query knows nothing else of them.
#ifndef GM_QUERY_FACTS_H
#define GM_QUERY_FACTS_H

#include "base/time.h"
#include "base/value.h"

typedef struct gm_query_facts {
    // What holds of the twin at (valid, known). phase: "asBuilt" or "as-built". False: nothing. *out's text is viewed until the facts
    // change.
    bool (*read)(void *context, gm_str twin, gm_str phase, gm_str key, gm_time_ns valid, gm_time_ns known, gm_value *out);
    void      *context;
    gm_time_ns now;  // `valid` of queries that do not say VALID AT (or AS OF)
} gm_query_facts;

#endif
