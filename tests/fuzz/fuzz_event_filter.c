// Filters of event routes: hostile text is parsed, and what is a filter is asked about an event of every type. What a filter
// says of the types that it can match must hold.
#include "api/events/filter.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const json_t *document_of(void *context, gm_event_part part)
{
    (void)part;
    return context;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static json_t *document;
    if (document == NULL) document = json_loads("{\"a\":1,\"b\":{\"c\":\"text\"},\"d\":true,\"e\":null,\"f\":[1]}", 0, NULL);
    gm_route_filter *filter;
    gm_error         err;
    if (gm_route_filter_parse(gm_alloc_system(), (gm_str){ (const char *)data, size }, &filter, &err) != GM_OK) return 0;
    for (gm_event_type type = 0; type < GM_EVENT_TYPE_COUNT; type++) {
        gm_event_subject subject = { .attributes = { [GM_EVENT_PART_TYPE]    = gm_str_of(gm_event_type_name(type)),
                                                     [GM_EVENT_PART_SUBJECT] = GM_STR("a") },
                                     .document = document_of, .context = document };
        bool matches = gm_route_filter_matches(filter, &subject);
        if (matches && !(gm_route_filter_types(filter) & 1u << type)) abort();
    }
    gm_route_filter_destroy(filter);
    return 0;
}
