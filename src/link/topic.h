// link/topic.h: MQTT topic names and filters (section 4.7 of the standard), and gemel's own topics among them.
#ifndef GM_LINK_TOPIC_H
#define GM_LINK_TOPIC_H

#include "base/str.h"

enum { GM_TOPIC_LEVELS_MAX = 200 };  // levels of a name or filter; more is refused (the standard leaves the bound open)

// The common case, cheaply: not empty, ASCII without NUL, '+' and '#', few enough bytes to have few enough levels.
bool gm_topic_is_plain(gm_str topic);

// Which rule a topic name (to publish to) breaks, or NULL: UTF-8, no U+0000, not empty, no wildcards, levels.
const char *gm_topic_name_rule(gm_str topic);

// The same for a filter: '+' alone in its level, '#' alone in the last one. With `shared`, "$share/group/filter" must
// be well-formed too. The text is known to be UTF-8.
const char *gm_topic_filter_rule(gm_str filter, bool shared);

bool gm_topic_is_shared(gm_str filter);                                     // begins with "$share/"
bool gm_topic_split_shared(gm_str filter, gm_str *out_group,
                           gm_str *out_filter); // false: not shared, outputs untouched

// Does a valid filter match a valid name? Names that begin with '$' are not matched by a leading wildcard
// [MQTT-4.7.2-1]. For one pair; many filters are matched by topic_tree.h.
bool gm_topic_matches(gm_str filter, gm_str topic);

// gemel/{twinId}/telemetry, gemel/{twinId}/{component}/properties, gemel/{twinId}/create: what a device sends to a
// twin.
typedef enum gm_native_kind {
    GM_NATIVE_NONE,
    GM_NATIVE_TELEMETRY,
    GM_NATIVE_PROPERTIES,
    GM_NATIVE_CREATE,
    GM_NATIVE_UNKNOWN
} gm_native_kind;
typedef struct gm_native_topic {
    gm_native_kind kind;
    gm_str         twin;       // still percent-encoded (base/percent.h)
    gm_str         component;  // empty: the twin itself
} gm_native_topic;

// NONE: the topic does not begin with "gemel/", or is one of those gemel itself publishes or answers on (changes,
// desired, commands, response): an ordinary broker's topic. UNKNOWN: below "gemel/", but no form that means anything.
gm_native_topic gm_topic_native(gm_str topic);

#endif
