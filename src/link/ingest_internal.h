// link/ingest_internal.h: inside of link/ingest.h: what native messages, mapped ones and lines share.
#ifndef GM_LINK_INGEST_INTERNAL_H
#define GM_LINK_INGEST_INTERNAL_H

#include "link/ingest.h"
#include "link/telemetry.h"

enum { GM_INGEST_REFUSED = 256 };

// A twin that could not be created lately, so that its messages do not try again each time.
typedef struct gm_ingest_refusal { uint64_t hash; gm_dur_ns until; char why[200]; } gm_ingest_refusal;

struct gm_ingest {
    gm_ingest_options     options;
    const gm_alloc       *alloc;
    gm_engine            *engine;
    gm_telemetry_reader   reader;
    gm_telemetry_names  **names;       // by type number; NULL: not met yet
    size_t                name_capacity;
    gm_time_ns           *arrival;     // by twin number: the last source time that was given to a message without one
    size_t                arrival_capacity;
    gm_arena             *scratch;     // percent-decoded twin ids
    struct creation      *creations;   // of gemel/{twinId}/create
    gm_arena             *mapped;      // of the message that a mapping is reading
    struct gm_map_birth  *births;      // twins that mappings are creating
    gm_ingest_refusal     refused[GM_INGEST_REFUSED];
    struct { uint64_t hash; size_t done; } partial;  // a mapped message that had to wait in its middle
    gm_ingest_stats       stats;
};

// Keeps the message as a dead letter; the ask learns GM_INVALID once that is durable.
GM_NODISCARD gm_status gm_ingest_bury(gm_ingest *ingest, gm_str topic, gm_str payload, gm_ask ask, const char *reason,
                                      gm_error *err);

// The source time of a message of that twin that brings none.
GM_NODISCARD gm_status gm_ingest_arrival(gm_ingest *ingest, gm_twin twin, gm_time_ns *out_time);

// Asks for a twin to be made from a mapping's template. GM_LIMIT: it is under way, come back. GM_INVALID: it was refused
// lately; err says why.
GM_NODISCARD gm_status gm_ingest_birth(gm_ingest *ingest, gm_str twin_id, gm_str body, gm_error *err);
void                   gm_ingest_forget_mapped(gm_ingest *ingest);  // before its end

#endif
