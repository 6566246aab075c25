// Wills: what a client wants said when it does not come back [MQTT-3.1.2-8]. A will belongs to its session until the
// connection breaks; then it waits for its delay (version 5) in server->wills, where the session may still take it
// back. The will of a durable session is part of what is kept of it [MQTT5-4.1], and stays attached until it was published,
// so that a server that is killed publishes it after its next start.
#include "link/mqtt_durable.h"

#include "link/topic.h"

enum { KEPT_NONE = 0, KEPT = 1, KEPT_QOS_SHIFT = 1, KEPT_RETAIN = 8, KEPT_EXPIRY = 16 };

gm_status gm_mqtt_will_set(gm_mqtt_session *session, const gm_mqtt_connect *connect)
{
    const gm_alloc           *alloc = session->server->alloc;
    const gm_mqtt_properties *p     = &connect->will_properties;
    gm_buf                   *block = &session->server->packet;
    gm_mqtt_will_drop(session);
    if (!connect->has_will) return GM_OK;

    gm_buf_clear(block);
    uint8_t *to = gm_buf_reserve(block, p->block.len + 1);
    if (to == NULL) return GM_NOMEM;
    gm_mqtt_view view = { .topic = connect->will_topic, .payload = connect->will_payload,
                          .properties = { (const char *)to, gm_mqtt_forwarded_properties(p->block, to) } };
    gm_mqtt_will *will = gm_alloc_zeroed(alloc, sizeof *will);
    gm_mqtt_message *message = gm_mqtt_message_make(alloc, &view);
    if (will == NULL || message == NULL) {
        gm_free(alloc, will);
        gm_mqtt_message_release(alloc, message);
        return GM_NOMEM;
    }
    *will =
        (gm_mqtt_will) { .session    = session,
                         .message    = message,
                         .qos        = connect->will_qos,
                         .retain     = connect->will_retain,
                         .delay_s    = gm_mqtt_has(p, GM_MQTT_WILL_DELAY) ? p->number[GM_MQTT_WILL_DELAY] : 0,
                         .has_expiry = gm_mqtt_has(p, GM_MQTT_MESSAGE_EXPIRY),
                         .expiry_s   = gm_mqtt_has(p, GM_MQTT_MESSAGE_EXPIRY) ? p->number[GM_MQTT_MESSAGE_EXPIRY] : 0 };
    session->will = will;
    return GM_OK;
}

static void release(gm_mqtt_server *server, gm_mqtt_will *will)
{
    gm_mqtt_message_release(server->alloc, will->message);
    gm_free(server->alloc, will);
}

void gm_mqtt_will_drop(gm_mqtt_session *session)
{
    gm_mqtt_will *will = session->will;
    if (will == NULL) return;
    session->will          = NULL;
    gm_mqtt_server *server = session->server;
    if (will->due_known) {
        gm_mqtt_will **at = &server->wills;
        while (*at != will) at = &(*at)->next;
        *at = will->next;
    }
    release(server, will);
    gm_mqtt_durable_note(session, GM_MQTT_ITEM_WILL_GONE, 0);
}

void gm_mqtt_will_start(gm_mqtt_session *session, bool session_ends)
{
    gm_mqtt_will   *will   = session->will;
    gm_mqtt_server *server = session->server;
    if (will == NULL) return;
    will->due = server->now + (session_ends ? 0 : (gm_dur_ns)will->delay_s * GM_SECOND);
    if (session_ends || (will->delay_s == 0 && !session->durable)) {
        will->session = NULL;
        session->will = NULL;
    }
    if (!will->due_known) {
        will->next      = server->wills;
        server->wills   = will;
        will->due_known = true;
    }
}

void gm_mqtt_wills_publish(gm_mqtt_server *server)
{
    gm_mqtt_will **at = &server->wills;
    while (*at != NULL) {
        gm_mqtt_will *will = *at;
        if (will->due > server->now) {
            at = &will->next;
            continue;
        }
        gm_mqtt_view view = gm_mqtt_message_view(will->message);
        if (will->has_expiry) view.expires = server->now + (gm_dur_ns)will->expiry_s * GM_SECOND + 1;
        gm_mqtt_origin origin = { .qos = will->qos, .retain = will->retain };
        bool           pending;
        gm_error       err;
        if (gm_mqtt_publish_view(server, &view, &origin, NULL, &pending, &err) == GM_LIMIT)
            return; // the engine is full: later
        *at = will->next;
        if (will->session != NULL) {
            will->session->will = NULL;
            gm_mqtt_durable_note(will->session, GM_MQTT_ITEM_WILL_GONE, 0);
        }
        release(server, will);
    }
}

// ---- records ------------------------------------------------------------------------------------------------------
void gm_mqtt_will_write(const gm_mqtt_will *will, gm_buf *out)
{
    if (will == NULL) {
        gm_buf_byte(out, KEPT_NONE);
        return;
    }
    gm_mqtt_view view = gm_mqtt_message_view(will->message);
    gm_buf_byte(out, (uint8_t)(KEPT | will->qos << KEPT_QOS_SHIFT | (will->retain ? KEPT_RETAIN : 0) |
                               (will->has_expiry ? KEPT_EXPIRY : 0)));
    gm_buf_varint(out, will->delay_s);
    gm_buf_varint(out, will->expiry_s);
    gm_buf_text_of(out, view.topic);
    gm_buf_text_of(out, view.properties);
    gm_buf_text_of(out, view.payload);
}

gm_status gm_mqtt_will_read(gm_mqtt_session *session, gm_bytes *in)
{
    const gm_alloc *alloc = session->server->alloc;
    uint8_t         flags = gm_bytes_byte(in);
    gm_mqtt_will_drop(session);
    if (in->bad) return GM_CORRUPT;
    if (flags == KEPT_NONE) return GM_OK;
    uint64_t     delay = gm_bytes_varint(in), expiry = gm_bytes_varint(in);
    gm_mqtt_view view  = { .topic = gm_bytes_text(in) };
    view.properties    = gm_bytes_text(in);
    view.payload       = gm_bytes_text(in);
    uint8_t qos        = flags >> KEPT_QOS_SHIFT & 3;
    if (in->bad || qos > 2 || delay > UINT32_MAX || expiry > UINT32_MAX || gm_topic_name_rule(view.topic) != NULL) return GM_CORRUPT;

    gm_mqtt_will    *will    = gm_alloc_zeroed(alloc, sizeof *will);
    gm_mqtt_message *message = gm_mqtt_message_make(alloc, &view);
    if (will == NULL || message == NULL) {
        gm_free(alloc, will);
        gm_mqtt_message_release(alloc, message);
        return GM_NOMEM;
    }
    *will         = (gm_mqtt_will){ .session = session, .message = message, .qos = qos, .delay_s = (uint32_t)delay,
                                    .retain = (flags & KEPT_RETAIN) != 0, .has_expiry = (flags & KEPT_EXPIRY) != 0,
                                    .expiry_s = (uint32_t)expiry };
    session->will = will;
    return GM_OK;
}
