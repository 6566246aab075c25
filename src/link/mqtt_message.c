#include "link/mqtt_internal.h"

gm_mqtt_message *gm_mqtt_message_make(const gm_alloc *alloc, const gm_mqtt_view *view)
{
    gm_mqtt_message *m = gm_alloc_bytes(alloc, sizeof *m + view->topic.len + view->properties.len + view->payload.len);
    if (m == NULL) return NULL;
    *m       = (gm_mqtt_message) { .references     = 1,
                                   .topic_len      = (uint32_t)view->topic.len,
                                   .properties_len = (uint32_t)view->properties.len,
                                   .payload_len    = view->payload.len,
                                   .expires        = view->expires };
    char *to = m->bytes;
    memcpy(to, view->topic.ptr, view->topic.len);
    to += view->topic.len;
    if (view->properties.len > 0) memcpy(to, view->properties.ptr, view->properties.len);
    to += view->properties.len;
    if (view->payload.len > 0) memcpy(to, view->payload.ptr, view->payload.len);
    return m;
}

gm_mqtt_view gm_mqtt_message_view(const gm_mqtt_message *m)
{
    const char *at = m->bytes;
    return (gm_mqtt_view){ .topic      = { at, m->topic_len },
                           .properties = { at + m->topic_len, m->properties_len },
                           .payload    = { at + m->topic_len + m->properties_len, m->payload_len },
                           .expires    = m->expires };
}

void gm_mqtt_message_release(const gm_alloc *alloc, gm_mqtt_message *message)
{
    if (message != NULL && --message->references == 0) gm_free(alloc, message);
}
