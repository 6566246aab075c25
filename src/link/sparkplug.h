// link/sparkplug.h: the payload of Sparkplug B (protobuf), as far as values of twins need it. Pure; every length checked.
//
//   gm_sparkplug_payload p;
//   if (gm_sparkplug_open(payload, &p) && ...)
//   while ((more = gm_sparkplug_next(&p, &metric)) == GM_SPARKPLUG_METRIC) ... metric.name, metric.value ...
//   if (more == GM_SPARKPLUG_BROKEN) ...
//
// Data sets, templates, properties and meta data are skipped; such a metric has no value.
// Source: Eclipse Sparkplug 3.0.0, section 6.4 (payload definition), and Protocol Buffers' encoding.
#ifndef GM_LINK_SPARKPLUG_H
#define GM_LINK_SPARKPLUG_H

#include "base/value.h"

typedef struct gm_sparkplug_payload {
    gm_str   rest;           // fields still to be read
    bool     has_timestamp;
    uint64_t timestamp_ms;
} gm_sparkplug_payload;

typedef struct gm_sparkplug_metric {
    gm_str   name;           // empty: only the alias says what it is
    bool     has_alias, has_timestamp, is_null, is_historical;
    uint64_t alias, timestamp_ms;
    uint32_t type;           // section 6.4.16; 0: not said
    bool     signed_pending; // value.i is unsigned as it came: gm_sparkplug_as gives it the sign of its type
    gm_value value;          // NONE: no value that is a scalar; texts are viewed
} gm_sparkplug_metric;

typedef enum gm_sparkplug_sight { GM_SPARKPLUG_END, GM_SPARKPLUG_METRIC, GM_SPARKPLUG_BROKEN } gm_sparkplug_sight;

// False: it is no such payload. Reads the time stamp, wherever it stands.
bool               gm_sparkplug_open(gm_str payload, gm_sparkplug_payload *out);
gm_sparkplug_sight gm_sparkplug_next(gm_sparkplug_payload *payload, gm_sparkplug_metric *out);

// The value as the type says (data messages leave the type out; the birth told it).
gm_value gm_sparkplug_as(const gm_sparkplug_metric *metric, uint32_t type);

#endif
