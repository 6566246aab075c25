// api/events/endpoint.h: where event routes lead to, as gemel.conf declares it.
#ifndef GM_API_EVENTS_ENDPOINT_H
#define GM_API_EVENTS_ENDPOINT_H

#include "base/str.h"
#include "base/time.h"

typedef enum gm_endpoint_kind {
    GM_ENDPOINT_WEBHOOK,  // POST of each event to a URL
    GM_ENDPOINT_MQTT,     // published on a topic of gemel's own MQTT endpoint
    GM_ENDPOINT_SSE       // server-sent events at /v1/events/{endpoint}
} gm_endpoint_kind;

typedef struct gm_endpoint_options {  // texts are viewed as long as the API lives
    gm_str           name;
    gm_endpoint_kind kind;
    gm_str           url, authorization;        // webhook; authorization may be empty
    gm_str           topic;                     // mqtt; {endpoint}, {type} and {twin} are filled in
    gm_dur_ns        retry_first, retry_for, timeout;
    uint32_t         parallel;                  // webhook: requests at a time
    uint32_t         queue;                     // events that may wait (sse: that are kept for who comes back)
} gm_endpoint_options;

static inline const char *gm_endpoint_kind_name(gm_endpoint_kind kind)
{
    return kind == GM_ENDPOINT_WEBHOOK ? "webhook" : kind == GM_ENDPOINT_MQTT ? "mqtt" : "sse";
}

typedef struct gm_endpoint_stats {
    uint64_t accepted;       // events that routes sent here
    uint64_t delivered;
    uint64_t attempts_failed;
    uint64_t dead;           // became dead letters
    uint64_t waiting;
    uint64_t cursor;         // everything up to this change is delivered, or a dead letter
    char     last_error[400];
} gm_endpoint_stats;

#endif
