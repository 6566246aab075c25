// From a message to the send buffers of its subscribers. QoS 0 is written at once or dropped; QoS 1 and 2 go through
// the session's queue, from which as many are sent as the client's window and the send buffer allow.
#include "link/mqtt_durable.h"

enum {
    WINDOW_MAX           = 1024,      // unacknowledged messages towards one client, when it does not ask for fewer
    RETAINED_MESSAGES    = 1 << 20,   // what a new subscriber may be sent of retained messages at once
    RETAINED_BYTES       = 64 << 20,
    PACKET_IDS           = 65535,
};

static bool expired(const gm_mqtt_server *server, gm_dur_ns expires)
{
    return expires != 0 && expires <= server->now;
}

static gm_mqtt_outgoing outgoing_of(const gm_mqtt_server *server, const gm_mqtt_view *view)
{
    gm_mqtt_outgoing o = { .topic = view->topic, .payload = view->payload, .properties = view->properties };
    if (view->expires != 0) {
        // What it came with less the whole seconds it has waited [MQTT5-3.3.2-6]. A message that was kept has been converted
        // to UTC and back by two clocks that are read one after the other: a millisecond is not a second.
        o.has_expiry = true;
        o.expiry_s   = (uint32_t)((view->expires - server->now + GM_SECOND - GM_MILLISECOND) / GM_SECOND);
    }
    return o;
}

// Version 5 clients that allow it get a number instead of a topic they have seen: the first few topics have one.
static void use_alias(gm_mqtt_connection *c, gm_mqtt_outgoing *o)
{
    const gm_alloc *alloc = c->server->alloc;
    for (uint16_t i = 0; i < c->out_alias_count; i++) {
        if (!gm_str_is(o->topic, c->out_aliases[i])) continue;
        o->topic_alias = (uint16_t)(i + 1);
        o->topic       = (gm_str){ "", 0 };
        return;
    }
    if (c->out_alias_count == c->out_alias_max) return;
    if (c->out_aliases == NULL) c->out_aliases = gm_alloc_zeroed(alloc, c->out_alias_max * sizeof *c->out_aliases);
    char *copy = c->out_aliases != NULL ? gm_alloc_bytes(alloc, o->topic.len + 1) : NULL;
    if (copy == NULL) return;  // then without
    memcpy(copy, o->topic.ptr, o->topic.len);
    copy[o->topic.len]                    = '\0';
    c->out_aliases[c->out_alias_count++] = copy;
    o->topic_alias                        = c->out_alias_count;
}

// False: not written, being larger than the client accepts [MQTT5-3.1.2-24].
static bool write_publish(gm_mqtt_connection *c, gm_mqtt_outgoing *o)
{
    gm_mqtt_server *server = c->server;
    enum { ALIAS_SIZE = 3 };
    if (c->packet_max < UINT32_MAX &&
        gm_mqtt_publish_size(c->version, o) + (c->out_alias_max > 0 ? ALIAS_SIZE : 0) > c->packet_max) {
        server->stats.dropped_too_large++;
        return false;
    }
    if (c->out_alias_max > 0) use_alias(c, o);
    gm_mqtt_write_publish(&c->out, c->version, o);
    gm_mqtt_flush_later(c);
    server->stats.messages_out++;
    return true;
}

// ---- QoS 0 --------------------------------------------------------------------------------------------------------
static void send_now(gm_mqtt_session *session, const gm_mqtt_view *view, bool retain, const uint32_t *ids,
                     size_t id_count, size_t most)
{
    gm_mqtt_server     *server = session->server;
    gm_mqtt_connection *c      = session->connection;
    if (c == NULL || c->condemned) return;
    if (gm_mqtt_waiting_bytes(c) > most) {
        server->stats.dropped_slow++;
        return;
    }
    gm_mqtt_outgoing o      = outgoing_of(server, view);
    o.retain                = retain;
    o.subscription_ids      = ids;
    o.subscription_id_count = id_count;
    (void)write_publish(c, &o);
}

// ---- QoS 1 and 2 ----------------------------------------------------------------------------------------------------
static void send_entry(gm_mqtt_session *s, uint32_t i, bool again)
{
    gm_mqtt_queued *entry = gm_mqtt_session_entry(s, i);
    gm_mqtt_view    view  = gm_mqtt_message_view(entry->message);
    if (!again && expired(s->server, view.expires)) {
        s->server->stats.dropped_expired++;
        entry->state = GM_MQTT_DONE;
        gm_mqtt_durable_note(s, GM_MQTT_ITEM_DONE, s->serial + i);
        return;
    }
    gm_mqtt_outgoing o      = outgoing_of(s->server, &view);
    if (again && expired(s->server, view.expires)) o.expiry_s = 0;
    o.qos                   = entry->qos;
    o.dup                   = again;
    o.retain                = entry->retain;
    o.packet_id             = gm_mqtt_session_packet_id(s, i);
    o.subscription_ids      = entry->ids;
    o.subscription_id_count = entry->id_count;
    if (write_publish(s->connection, &o)) {
        s->outstanding++;
        if (!again) gm_mqtt_durable_note_sent(s);
        return;
    }
    entry->state = GM_MQTT_DONE;
    gm_mqtt_durable_note(s, GM_MQTT_ITEM_DONE, s->serial + i);
}

// An entry that an earlier connection has sent and that was not acknowledged [MQTT-4.4.0-1].
static void send_again(gm_mqtt_session *s, uint32_t i)
{
    gm_mqtt_queued *entry = gm_mqtt_session_entry(s, i);
    if (entry->state == GM_MQTT_SENT) {
        send_entry(s, i, true);
    } else if (entry->state == GM_MQTT_RELEASED) {
        gm_mqtt_write_ack(&s->connection->out, GM_MQTT_PUBREL, s->connection->version, gm_mqtt_session_packet_id(s, i),
                          GM_MQTT_SUCCESS);
        gm_mqtt_flush_later(s->connection);
        s->outstanding++;
    }
}

void gm_mqtt_deliver_more(gm_mqtt_session *s)
{
    gm_mqtt_connection *c = s->connection;
    if (c == NULL || c->condemned) return;
    uint32_t window = c->receive_maximum < WINDOW_MAX ? c->receive_maximum : WINDOW_MAX;
    while (s->outstanding < window && gm_mqtt_waiting_bytes(c) <= s->server->limits.outgoing) {
        if (s->resend < s->in_flight) {
            send_again(s, s->resend++);
        } else if (s->in_flight < s->count && s->in_flight < PACKET_IDS) {
            gm_mqtt_session_entry(s, s->in_flight)->state = GM_MQTT_SENT;
            send_entry(s, s->in_flight++, false);
            s->resend = s->in_flight;
        } else {
            break;
        }
    }
    gm_mqtt_session_pop_done(s);
}

void gm_mqtt_deliver_again(gm_mqtt_session *s)
{
    s->resend      = 0;
    s->outstanding = 0;
    gm_mqtt_deliver_more(s);
}

static void queue_entry(gm_mqtt_session *session, gm_mqtt_queued *entry, size_t messages_max, size_t bytes_max)
{
    gm_status       st     = gm_mqtt_session_push(session, entry, messages_max, bytes_max);
    if (st == GM_OK) {
        entry->message->references++;
        gm_mqtt_deliver_more(session);
        return;
    }
    gm_mqtt_queue_is_full(session);
}

void gm_mqtt_queue_is_full(gm_mqtt_session *session)
{
    gm_mqtt_server *server = session->server;
    server->stats.dropped_queue++;
    if (session->connection != NULL && !session->connection->condemned) {
        server->stats.disconnected_slow++;
        gm_mqtt_condemn(session->connection, GM_MQTT_QUOTA_EXCEEDED,
                        "it does not read what it subscribed to: %u messages wait", session->count);
    }
}

void gm_mqtt_deliver_matches(gm_mqtt_server *server, const gm_mqtt_view *view, uint8_t qos, bool retain)
{
    gm_mqtt_message *message = NULL;  // made for the first who has to keep it
    if (expired(server, view->expires)) {
        server->stats.dropped_expired++;
        return;
    }
    for (size_t i = 0; i < server->matches.count; i++) {
        gm_mqtt_match *m          = &server->matches.items[i];
        uint8_t        their_qos  = m->qos < qos ? m->qos : qos;
        bool           their_flag = retain && m->retain_as_published;
        if (their_qos == 0) {
            send_now(m->session, view, their_flag, m->ids, m->id_count, server->limits.outgoing);
            continue;
        }
        if (m->session->durable) continue;  // through the log
        if (message == NULL) message = gm_mqtt_message_make(server->alloc, view);
        if (message == NULL) {
            server->stats.dropped_queue++;
            continue;
        }
        gm_mqtt_queued entry = { .message = message, .qos = their_qos, .retain = their_flag, .id_count = m->id_count };
        memcpy(entry.ids, m->ids, sizeof entry.ids);
        queue_entry(m->session, &entry, server->limits.queued_messages, server->limits.queued_bytes);
    }
    gm_mqtt_message_release(server->alloc, message);
}

void gm_mqtt_deliver_retained(gm_mqtt_session *session, const gm_mqtt_view *view, uint8_t qos, uint32_t subscription_id)
{
    gm_mqtt_server *server = session->server;
    if (expired(server, view->expires) || !gm_mqtt_may_read(session, view->topic)) return;
    if (qos == 0) {
        send_now(session, view, true, &subscription_id, subscription_id != 0, RETAINED_BYTES);
        return;
    }
    if (session->durable) {
        gm_mqtt_durable_retained(session, view, qos, subscription_id);
        return;
    }
    gm_mqtt_queued entry = { .message = gm_mqtt_message_make(server->alloc, view), .qos = qos, .retain = true,
                             .id_count = subscription_id != 0, .ids = { subscription_id } };
    if (entry.message == NULL) {
        server->stats.dropped_queue++;
        return;
    }
    queue_entry(session, &entry, RETAINED_MESSAGES, RETAINED_BYTES);
    gm_mqtt_message_release(server->alloc, entry.message);
}

// ---- acknowledgements of clients --------------------------------------------------------------------------------
static void settle(gm_mqtt_session *s, gm_mqtt_queued *entry, uint16_t packet_id)
{
    uint32_t i   = (uint32_t)((packet_id - 1u + PACKET_IDS - (uint32_t)(s->serial % PACKET_IDS)) % PACKET_IDS);
    entry->state = GM_MQTT_DONE;
    gm_mqtt_durable_note(s, GM_MQTT_ITEM_DONE, s->serial + i);
    if (i < s->resend && s->outstanding > 0) s->outstanding--;  // else an earlier connection had sent it
}

// Of a durable session: the PUBREL leaves when it is certain that the message will not be sent again.
static void on_released(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    gm_mqtt_server  *server  = context;
    gm_mqtt_session *session = gm_mqtt_session_at(server, (uint32_t)(token >> 20) & 0xfffff, (uint32_t)(token >> 40));
    gm_mqtt_connection *c    = session != NULL ? session->connection : NULL;
    if (c == NULL || c->condemned) return;
    const gm_mqtt_queued *entry = gm_mqtt_session_by_id(session, (uint16_t)token);
    if (entry == NULL || entry->state != GM_MQTT_RELEASED) return;
    if (status != GM_OK) {
        gm_mqtt_condemn(c, GM_MQTT_UNSPECIFIED, "not stored: %s", err != NULL ? err->text : "the log refused");
        return;
    }
    gm_mqtt_write_ack(&c->out, GM_MQTT_PUBREL, c->version, (uint16_t)token, GM_MQTT_SUCCESS);
    gm_mqtt_flush_later(c);
}

static gm_mqtt_verdict release_durably(gm_mqtt_connection *c, gm_mqtt_queued *entry, uint16_t packet_id)
{
    gm_mqtt_session *s = c->session;
    gm_error         err;
    uint32_t         i   = (uint32_t)((packet_id - 1u + PACKET_IDS - (uint32_t)(s->serial % PACKET_IDS)) % PACKET_IDS);
    gm_ask           ask = { on_released, s->server,
                             (uint64_t)s->generation << 40 | (uint64_t)(s->number & 0xfffff) << 20 | packet_id };
    gm_status        st  = gm_mqtt_durable_item(s, GM_MQTT_ITEM_RELEASED, s->serial + i, ask, &err);
    if (st == GM_LIMIT) return GM_MQTT_LATER;
    if (st == GM_OK) entry->state = GM_MQTT_RELEASED;
    else gm_mqtt_condemn(c, GM_MQTT_UNSPECIFIED, "not stored: %s", err.text);
    return GM_MQTT_HANDLED;
}

static gm_mqtt_verdict on_pubrec(gm_mqtt_connection *c, gm_mqtt_queued *entry, const gm_mqtt_ack *ack)
{
    bool known = entry != NULL && entry->qos == 2 && (entry->state == GM_MQTT_SENT || entry->state == GM_MQTT_RELEASED);
    if (ack->reason >= 0x80) {  // the client refuses it: that is the end of it [MQTT5-4.3.3]
        if (known) settle(c->session, entry, ack->packet_id);
        return GM_MQTT_HANDLED;
    }
    if (known && c->session->durable) return release_durably(c, entry, ack->packet_id);
    if (known) entry->state = GM_MQTT_RELEASED;
    gm_mqtt_write_ack(&c->out, GM_MQTT_PUBREL, c->version, ack->packet_id,
                      known ? GM_MQTT_SUCCESS : GM_MQTT_PACKET_ID_NOT_FOUND);
    gm_mqtt_flush_later(c);
    return GM_MQTT_HANDLED;
}

gm_mqtt_verdict gm_mqtt_on_ack(gm_mqtt_connection *c, uint8_t type, const gm_mqtt_ack *ack)
{
    gm_mqtt_session *s     = c->session;
    gm_mqtt_queued  *entry = gm_mqtt_session_by_id(s, ack->packet_id);
    gm_mqtt_verdict verdict = GM_MQTT_HANDLED;
    if (type == GM_MQTT_PUBREC) verdict = on_pubrec(c, entry, ack);
    else if (entry != NULL && type == GM_MQTT_PUBACK && entry->qos == 1 && entry->state == GM_MQTT_SENT)
        settle(s, entry, ack->packet_id);
    else if (entry != NULL && type == GM_MQTT_PUBCOMP && entry->qos == 2 && entry->state == GM_MQTT_RELEASED)
        settle(s, entry, ack->packet_id);
    gm_mqtt_session_pop_done(s);
    gm_mqtt_deliver_more(s);
    return verdict;
}
