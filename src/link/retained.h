// link/retained.h: retained messages: the last one of each topic, kept for whoever subscribes later, also over
// restarts.
//
//   gm_retained_create(alloc, engine, &retained, &err);     // registers its fold: before gm_engine_recover
//   gm_retained_set(retained, &message, ask, &err);         // through the log; an empty payload clears the topic
//   gm_retained_match(retained, filter, each, context);
//
// A set is seen by later matches at once and is durable when the ask is answered: the order that one client sees must
// not depend on how long a commit takes.
#ifndef GM_LINK_RETAINED_H
#define GM_LINK_RETAINED_H

#include "engine/engine.h"

typedef struct gm_retained gm_retained;

typedef struct gm_retained_message {
    gm_str     topic, payload;
    gm_str     properties;   // version 5, as gm_mqtt_forwarded_properties made them
    uint8_t    qos;
    gm_time_ns expires;      // 0: never
} gm_retained_message;

GM_NODISCARD gm_status gm_retained_create(const gm_alloc *alloc, gm_engine *engine, gm_retained **out_retained,
                                          gm_error *err);
void                   gm_retained_destroy(gm_retained *retained);

// As gm_engine_submit. GM_LIMIT, GM_IO, GM_NOMEM: nothing was changed and the ask is not called.
GM_NODISCARD gm_status gm_retained_set(gm_retained *retained, const gm_retained_message *message, gm_ask ask,
                                       gm_error *err);

// Calls each for every message whose topic the filter matches. The callback must not set.
typedef void gm_retained_each(void *context, const gm_retained_message *message);
void   gm_retained_match(const gm_retained *retained, gm_str filter, gm_retained_each *each, void *context);

// Lets go of messages whose time is over: some thousands are looked at in a call, all of them in turn. What the log has of them
// goes with the next checkpoint.
void   gm_retained_expire(gm_retained *retained, gm_time_ns now);
size_t gm_retained_count(const gm_retained *retained);

#endif
