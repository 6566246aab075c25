// api/events/filter.h: the condition of an event route, read once and asked for every event.
//
//   gm_route_filter *filter;
//   gm_str text = GM_STR("type = 'Microsoft.DigitalTwins.Twin.Update' AND $new.temperature > 60");
//   gm_route_filter_parse(alloc, text, &filter, &err);
//   if (gm_route_filter_matches(filter, &subject)) ...
//   gm_route_filter_destroy(filter);
//
// The language is that of the Azure Digital Twins reference (true, false, comparisons, AND, OR, parentheses,
// STARTS_WITH, ENDS_WITH, CONTAINS, over the CloudEvents attributes and $body), and NOT, IS_DEFINED and three more
// things to speak of: $new (the values that this change sets), $old (what they were before) and $twin (the whole twin
// as it is now). A comparison with something that is not there is false; only `= null` and `!= null` ask whether it is.
// The language in full: docs/events.md.
#ifndef GM_API_EVENTS_FILTER_H
#define GM_API_EVENTS_FILTER_H

#include "base/alloc.h"
#include "base/str.h"

#include <jansson.h>

typedef enum gm_event_type {
    GM_EVENT_TWIN_CREATE, GM_EVENT_TWIN_UPDATE, GM_EVENT_TWIN_DELETE,
    GM_EVENT_RELATIONSHIP_CREATE, GM_EVENT_RELATIONSHIP_UPDATE, GM_EVENT_RELATIONSHIP_DELETE,
    GM_EVENT_TELEMETRY,
    GM_EVENT_ALARM, GM_EVENT_COMMAND, GM_EVENT_WORK_ORDER, GM_EVENT_RULE,  // gemel's own: decisions of control
    GM_EVENT_TYPE_COUNT
} gm_event_type;
const char *gm_event_type_name(gm_event_type type);  // "Microsoft.DigitalTwins.Twin.Create" ...; static

// What a filter may speak of: attributes of the event, then documents.
typedef enum gm_event_part {
    GM_EVENT_PART_TYPE, GM_EVENT_PART_SOURCE, GM_EVENT_PART_SUBJECT, GM_EVENT_PART_ID, GM_EVENT_PART_TIME,
    GM_EVENT_PART_SCHEMA, GM_EVENT_PART_CONTENT_TYPE, GM_EVENT_PART_VERSION,
    GM_EVENT_PART_BODY, GM_EVENT_PART_NEW, GM_EVENT_PART_OLD, GM_EVENT_PART_TWIN,
    GM_EVENT_PART_COUNT
} gm_event_part;

enum { GM_FILTER_TEXT_MAX = 16384, GM_FILTER_TERMS_MAX = 1000, GM_FILTER_DEPTH_MAX = 64 };

// An event as a filter sees it. Documents are made only when a filter asks for one.
typedef struct gm_event_subject {
    gm_str attributes[GM_EVENT_PART_BODY];                          // ptr NULL: the event has none
    const json_t *(*document)(void *context, gm_event_part part);   // borrowed; NULL: there is none
    void         *context;
} gm_event_subject;

typedef struct gm_route_filter gm_route_filter;

// GM_INVALID: err tells the column (1-based) and what was expected. GM_LIMIT: longer or deeper than the bounds above.
GM_NODISCARD gm_status gm_route_filter_parse(const gm_alloc *alloc, gm_str text, gm_route_filter **out_filter,
                                             gm_error *err);
void                   gm_route_filter_destroy(gm_route_filter *filter);

bool gm_route_filter_matches(const gm_route_filter *filter, const gm_event_subject *subject);

// Which types of events can match at all (bit 1 << type), whatever the rest of them says.
unsigned gm_route_filter_types(const gm_route_filter *filter);
// Which documents it speaks of (bit 1 << part).
unsigned gm_route_filter_parts(const gm_route_filter *filter);

#endif
