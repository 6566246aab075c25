// What clients publish: to twins, to whoever subscribed, and what is acknowledged when.
//
//   PUBLISH --gm_mqtt_on_publish--> pending, engine asked --on_answer--> pending.done --emit--> PUBACK or PUBREC
//
// Invariants: (1) a message for a twin, or a retained one, is acknowledged only after its record is durable and
// applied; any other once it lies in the queues of its subscribers; (2) acknowledgements leave in the order of the
// messages;
// (3) nothing is changed by a message that has to wait (GM_MQTT_LATER).
#include "link/mqtt_durable.h"

#include "link/topic.h"

#include <assert.h>

// An ask's token: which connection (or session), which of its tenants, and which of its messages.
static uint64_t token_of(uint32_t number, uint32_t generation, uint32_t low)
{
    return (uint64_t)generation << 40 | (uint64_t)(number & 0xfffff) << 20 | (low & 0xfffff);
}
static uint32_t token_number(uint64_t token) { return (uint32_t)(token >> 20) & 0xfffff; }
static uint32_t token_generation(uint64_t token) { return (uint32_t)(token >> 40); }

// ---- pending acknowledgements ---------------------------------------------------------------------------------------
static gm_mqtt_pending *pending_at(const gm_mqtt_connection *c, uint32_t ordinal)
{
    return &c->pending[ordinal & (c->pending_capacity - 1)];
}

// Room for one more; GM_LIMIT when a client has as many unacknowledged as there are packet identifiers.
static gm_status reserve_pending(gm_mqtt_connection *c)
{
    if (c->pending_count < c->pending_capacity) return GM_OK;
    if (c->pending_count >= GM_MQTT_PENDING_MAX) return GM_LIMIT;
    uint32_t         capacity = c->pending_capacity > 0 ? 2 * c->pending_capacity : 32;
    gm_mqtt_pending *grown    = gm_alloc_array(c->server->alloc, capacity, sizeof *grown);
    if (grown == NULL) return GM_NOMEM;
    for (uint32_t i = 0; i < c->pending_count; i++) {
        uint32_t ordinal                  = c->pending_first + i;
        grown[ordinal & (capacity - 1)] = *pending_at(c, ordinal);
    }
    gm_free(c->server->alloc, c->pending);
    c->pending          = grown;
    c->pending_capacity = capacity;
    return GM_OK;
}

static gm_mqtt_pending *push_pending(gm_mqtt_connection *c, uint8_t type, uint16_t packet_id)
{
    gm_mqtt_pending *p = pending_at(c, c->pending_first + c->pending_count++);
    *p                 = (gm_mqtt_pending){ .packet_id = packet_id, .type = type };
    c->pending_received += type == GM_MQTT_PUBREC;
    return p;
}

// Keeps (2).
static void emit(gm_mqtt_connection *c)
{
    bool any = false;
    while (c->pending_count > 0 && pending_at(c, c->pending_first)->done) {
        const gm_mqtt_pending *p = pending_at(c, c->pending_first);
        gm_mqtt_write_ack(&c->out, p->type, c->version, p->packet_id, p->reason);
        c->pending_received -= p->type == GM_MQTT_PUBREC;
        c->pending_first++;
        c->pending_count--;
        any = true;
    }
    if (any) gm_mqtt_flush_later(c);
}

// The log refused: nothing that was sent after this may be acknowledged either.
static void refused(gm_mqtt_connection *c, const gm_error *err)
{
    if (c->condemned) return;
    c->server->stats.refused_by_log++;
    gm_mqtt_condemn(c, GM_MQTT_UNSPECIFIED, "not stored: %s", err != NULL ? err->text : "the log refused");
}

// CONFLICT: the twin went away meanwhile; INVALID: it is kept as a dead letter. Both are answers too.
static bool not_stored(gm_status status)
{
    return status != GM_OK && status != GM_CONFLICT && status != GM_INVALID;
}

// QoS 1: the token leads to the connection and the ordinal of the message on it.
static void on_answer(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    gm_mqtt_server     *server = context;
    uint32_t            number = token_number(token);
    gm_mqtt_connection *c      = number < server->connection_used ? server->connections[number] : NULL;
    if (c == NULL || c->generation != token_generation(token) || c->condemned) return;
    if (not_stored(status)) {
        refused(c, err);
        return;
    }
    gm_mqtt_pending *p = pending_at(c, (uint32_t)token);  // the low bits are enough: the ring is shorter
    p->done            = true;
    // "Valid, but the receiver is not willing to accept it" [MQTT5-3.4.2.1]: version 3.1.1 has no word for it.
    if (status == GM_INVALID && c->version >= GM_MQTT_V5) p->reason = GM_MQTT_IMPLEMENTATION_ERROR;
    if (((uint32_t)token & 0xfffff) == (c->pending_first & 0xfffff)) emit(c);
}

static bool bit(const uint64_t *bits, uint16_t i) { return (bits[i / 64] >> (i % 64) & 1) != 0; }
static void set_bit(uint64_t *bits, uint16_t i) { bits[i / 64] |= UINT64_C(1) << (i % 64); }
static void clear_bit(uint64_t *bits, uint16_t i) { bits[i / 64] &= ~(UINT64_C(1) << (i % 64)); }

// QoS 2: the token leads to the session, since the answer may come when the client has connected anew and asked again.
static void on_answer_exactly_once(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    gm_mqtt_server  *server    = context;
    uint16_t         packet_id = (uint16_t)token;
    gm_mqtt_session *session   = gm_mqtt_session_at(server, token_number(token), token_generation(token));
    if (session == NULL || !bit(session->received, packet_id)) return;
    gm_mqtt_connection *c = session->connection;
    if (not_stored(status)) {
        clear_bit(session->received, packet_id);
        session->received_count--;
        if (c != NULL) refused(c, err);
        return;
    }
    set_bit(session->durable_received, packet_id);
    for (uint32_t i = 0; c != NULL && i < c->pending_count; i++) {
        gm_mqtt_pending *p = pending_at(c, c->pending_first + i);
        if (p->type != GM_MQTT_PUBREC || p->packet_id != packet_id || p->done) continue;
        p->done = true;  // all of them: the client may have sent it again before this
    }
    if (c != NULL) emit(c);
}

// ---- publishing -----------------------------------------------------------------------------------------------------
static gm_time_ns in_utc(const gm_mqtt_server *server, gm_dur_ns monotonic)
{
    return monotonic == 0 ? 0 : gm_loop_now(server->loop) + (monotonic - server->now);
}

void gm_mqtt_tell_listeners(gm_mqtt_server *server, gm_mqtt_hearing what, const gm_mqtt_view *view, uint8_t qos, bool retain)
{
    for (size_t i = 0; i < server->listening_count; i++) {
        if (server->listening[i].hearing < what) continue;
        server->listening[i].call(server->listening[i].context, view->topic, view->payload, qos, retain);
    }
}

gm_status gm_mqtt_server_inject(gm_mqtt_server *server, gm_str topic, gm_str payload, uint8_t qos, bool retain, gm_error *err)
{
    if (gm_topic_name_rule(topic) != NULL) return gm_fail(err, GM_INVALID, "link.mqtt", "%s", gm_topic_name_rule(topic));
    gm_mqtt_view   view   = { .topic = topic, .payload = payload, .properties = { "", 0 } };
    gm_mqtt_origin origin = { .qos = qos, .retain = retain };
    bool           pending;
    server->now  = gm_loop_monotonic(server->loop);
    gm_status st = gm_mqtt_publish_view(server, &view, &origin, NULL, &pending, err);
    if (st == GM_OK) gm_mqtt_nudge(server);
    return st;
}

gm_status gm_mqtt_server_listen(gm_mqtt_server *server, gm_mqtt_hearing hearing, gm_mqtt_published *call, void *context,
                                gm_error *err)
{
    if (server->listening_count == GM_MQTT_LISTENING_MAX)
        return gm_fail(err, GM_LIMIT, "link.mqtt", "more than %d listeners", GM_MQTT_LISTENING_MAX);
    server->listening[server->listening_count].hearing   = hearing;
    server->listening[server->listening_count].call      = call;
    server->listening[server->listening_count++].context = context;
    server->changes_wanted += hearing == GM_MQTT_HEAR_CHANGES_TOO;
    return GM_OK;
}

void gm_mqtt_server_unlisten(gm_mqtt_server *server, gm_mqtt_published *call, void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < server->listening_count; i++) {
        bool gone = server->listening[i].call == call && server->listening[i].context == context;
        if (!gone) server->listening[kept++] = server->listening[i];
        else server->changes_wanted -= server->listening[i].hearing == GM_MQTT_HEAR_CHANGES_TOO;
    }
    server->listening_count = kept;
}

gm_status gm_mqtt_publish_view(gm_mqtt_server *server, const gm_mqtt_view *view, const gm_mqtt_origin *origin,
                               size_t *out_matches, bool *out_pending, gm_error *err)
{
    gm_native_topic native = gm_topic_native(view->topic);
    gm_map         *map    = native.kind == GM_NATIVE_NONE ? gm_ingest_map_of(server->ingest, view->topic) : NULL;
    bool            twins  = native.kind != GM_NATIVE_NONE || map != NULL;
    gm_ask          none   = { 0 }, ask = origin->ask;
    gm_status       st     = GM_OK;
    *out_pending           = false;
    if (gm_log_status(gm_engine_log(server->engine), err) == GM_LIMIT) return GM_LIMIT;  // before anything is done
    gm_mqtt_match_topic(server, view->topic, origin->session);
    if (out_matches != NULL) *out_matches = server->matches.count;
    bool recorded = origin->recorded != NULL && *origin->recorded;
    bool record   = !recorded && gm_mqtt_durable_wanted(server, origin->qos);
    bool receipt  = origin->received_id != 0;  // the last record answers: it is durable when all before it are
    // Retaining first: when a later step has to wait, doing the first again changes nothing.
    if (origin->retain) {
        gm_retained_message m = { view->topic, view->payload, view->properties, origin->qos, in_utc(server, view->expires) };
        bool last = !record && !twins && !receipt;
        st        = gm_retained_set(server->options.retained, &m, last ? ask : none, err);
        if (st != GM_OK) return st;
        *out_pending |= last;
    }
    if (record) {
        bool written, last = !twins && !receipt;
        st = gm_mqtt_durable_message(server, view, origin->qos, origin->retain, last ? ask : none, &written, err);
        if (st != GM_OK) return st;
        *out_pending |= last && written;
        if (origin->recorded != NULL) *origin->recorded = true;
    }
    if (twins) {
        gm_ask mine = receipt ? none : ask;
        st = map != NULL ? gm_ingest_mapped(server->ingest, map, view->topic, view->payload, mine, err)
                         : gm_ingest_message(server->ingest, &native, view->topic, view->payload, mine, err);
        if (st != GM_OK) return st;
        *out_pending |= !receipt;
    }
    if (receipt) {
        st = gm_mqtt_durable_item(origin->session, GM_MQTT_ITEM_RECEIVED, origin->received_id, ask, err);
        if (st != GM_OK) return st;
        *out_pending = true;
    }
    if (origin->recorded != NULL) *origin->recorded = false;
    gm_mqtt_tell_listeners(server, GM_MQTT_HEAR_MESSAGES, view, origin->qos, origin->retain);
    if (server->matches.count > 0) gm_mqtt_deliver_matches(server, view, origin->qos, origin->retain);
    return GM_OK;
}

// Topic aliases (version 5): a number stands for a topic that was sent before on this connection.
static bool resolve_alias(gm_mqtt_connection *c, gm_mqtt_publish *p)
{
    const gm_alloc *alloc = c->server->alloc;
    uint32_t        alias = p->properties.number[GM_MQTT_TOPIC_ALIAS], most = c->server->limits.topic_aliases;
    if (alias > most) {
        gm_mqtt_condemn_fault(
            c, (gm_mqtt_fault) { "[MQTT5-3.3.2-9] a topic alias beyond the maximum", GM_MQTT_TOPIC_ALIAS_INVALID });
        return false;
    }
    if (c->aliases == NULL) c->aliases = gm_alloc_zeroed(alloc, most * sizeof *c->aliases);
    if (c->aliases == NULL) {
        gm_mqtt_leave(c, true);
        return false;
    }
    char **slot = &c->aliases[alias - 1];
    if (p->topic.len == 0) {
        if (*slot == NULL) {
            gm_mqtt_condemn_fault(
                c, (gm_mqtt_fault) { "[MQTT5-3.3.2-12] a topic alias that was never set", GM_MQTT_PROTOCOL_ERROR });
            return false;
        }
        p->topic = gm_str_of(*slot);  // topics contain no NUL
        return true;
    }
    char *copy = gm_alloc_bytes(alloc, p->topic.len + 1);
    if (copy == NULL) {
        gm_mqtt_leave(c, true);
        return false;
    }
    memcpy(copy, p->topic.ptr, p->topic.len);
    copy[p->topic.len] = '\0';
    gm_free(alloc, *slot);
    *slot = copy;
    return true;
}

// The message as a view; version 5 properties that travel on lie in server->packet. False: no memory.
static bool view_of(gm_mqtt_connection *c, const gm_mqtt_publish *p, gm_mqtt_view *out)
{
    *out = (gm_mqtt_view){ .topic = p->topic, .payload = p->payload, .properties = { "", 0 } };
    if (p->properties.present == 0) return true;
    gm_buf *block = &c->server->packet;
    gm_buf_clear(block);
    uint8_t *to = gm_buf_reserve(block, p->properties.block.len);
    if (to == NULL) return false;
    out->properties = (gm_str){ (const char *)to, gm_mqtt_forwarded_properties(p->properties.block, to) };
    if (gm_mqtt_has(&p->properties, GM_MQTT_MESSAGE_EXPIRY)) {
        out->expires =
            c->server->now + (gm_dur_ns)p->properties.number[GM_MQTT_MESSAGE_EXPIRY] * GM_SECOND + 1; // never 0
    }
    return true;
}

static bool too_many_unacknowledged(const gm_mqtt_connection *c)
{
    if (c->version < GM_MQTT_V5) return false;
    // A QoS 2 message counts until its PUBREL, a QoS 1 message until its PUBACK.
    return c->pending_count - c->pending_received + c->session->received_count >= c->server->limits.receive_maximum;
}

// A QoS 2 message that is known already: the client did not get the PUBREC. Not delivered again [MQTT-4.3.3-2].
static void repeat_pubrec(gm_mqtt_connection *c, uint16_t packet_id)
{
    push_pending(c, GM_MQTT_PUBREC, packet_id)->done = bit(c->session->durable_received, packet_id);
    emit(c);
}

static bool remember_received(gm_mqtt_session *s, uint16_t packet_id)
{
    if (!gm_mqtt_session_reserve_received(s)) return false;
    set_bit(s->received, packet_id);
    clear_bit(s->durable_received, packet_id);
    s->received_count++;
    return true;
}

static void forget_received(gm_mqtt_session *s, uint16_t packet_id)
{
    clear_bit(s->received, packet_id);
    s->received_count--;
}

// Checks of a version 5 message that its packet alone could not show.
static bool accept_properties(gm_mqtt_connection *c, gm_mqtt_publish *p)
{
    if (gm_mqtt_has(&p->properties, GM_MQTT_SUBSCRIPTION_ID)) {
        gm_mqtt_condemn_fault(c,
                              (gm_mqtt_fault) { "[MQTT5-3.3.4-6] a client sends a subscription identifier in a PUBLISH",
                                                GM_MQTT_PROTOCOL_ERROR });
        return false;
    }
    return !gm_mqtt_has(&p->properties, GM_MQTT_TOPIC_ALIAS) || resolve_alias(c, p);
}

// Version 3.1.1 has no word for it: the message is acknowledged, and told of where people look.
static gm_mqtt_verdict refuse_message(gm_mqtt_connection *c, const gm_mqtt_publish *p)
{
    gm_mqtt_note_refusal(c, p->topic, p->payload);
    if (p->qos == 0) return GM_MQTT_HANDLED;
    gm_status st = reserve_pending(c);
    if (st == GM_LIMIT) return GM_MQTT_LATER;
    if (st != GM_OK) {
        gm_mqtt_leave(c, true);
        return GM_MQTT_HANDLED;
    }
    gm_mqtt_pending *pending = push_pending(c, p->qos == 1 ? GM_MQTT_PUBACK : GM_MQTT_PUBREC, p->packet_id);
    pending->reason          = c->version >= GM_MQTT_V5 ? GM_MQTT_NOT_AUTHORIZED : GM_MQTT_SUCCESS;
    pending->done            = true;
    emit(c);
    return GM_MQTT_HANDLED;
}

gm_mqtt_verdict gm_mqtt_on_publish(gm_mqtt_connection *c, uint8_t flags, gm_str body)
{
    gm_mqtt_server *server = c->server;
    gm_mqtt_publish p;
    gm_mqtt_fault   fault = gm_mqtt_read_publish(flags, body, c->version, &p);
    if (fault.rule != NULL) {
        gm_mqtt_condemn_fault(c, fault);
        return GM_MQTT_HANDLED;
    }
    if (p.properties.present != 0 && !accept_properties(c, &p)) return GM_MQTT_HANDLED;

    if (!gm_mqtt_may_publish(server, c->session->principal, p.topic)) return refuse_message(c, &p);
    if (gm_principal_take(c->session->principal) > 0) {
        gm_mqtt_condemn(c, GM_MQTT_MESSAGE_RATE_TOO_HIGH, "more messages per second than are granted");
        return GM_MQTT_HANDLED;
    }
    gm_mqtt_origin origin = { .session = c->session, .qos = p.qos, .retain = p.retain, .recorded = &c->recorded };
    if (p.qos == 2 && c->session->durable) origin.received_id = p.packet_id;
    gm_mqtt_view   view;
    if (!view_of(c, &p, &view)) {
        gm_mqtt_leave(c, true);
        return GM_MQTT_HANDLED;
    }
    if (p.qos > 0) {
        bool known = p.qos == 2 && c->session->received != NULL && bit(c->session->received, p.packet_id);
        if (!known && too_many_unacknowledged(c)) {
            gm_mqtt_condemn_fault(
                c, (gm_mqtt_fault) { "[MQTT5-3.3.4-7] more unacknowledged messages than the receive maximum",
                                     GM_MQTT_RECEIVE_MAXIMUM_EXCEEDED });
            return GM_MQTT_HANDLED;
        }
        gm_status st = reserve_pending(c);
        if (st == GM_LIMIT) return GM_MQTT_LATER;
        if (st != GM_OK || (p.qos == 2 && !known && !remember_received(c->session, p.packet_id))) {
            gm_mqtt_leave(c, true);
            return GM_MQTT_HANDLED;
        }
        if (known) {
            repeat_pubrec(c, p.packet_id);
            return GM_MQTT_HANDLED;
        }
        // The answer may come before the call returns, so its place is made first.
        uint32_t ordinal = c->pending_first + c->pending_count;
        push_pending(c, p.qos == 1 ? GM_MQTT_PUBACK : GM_MQTT_PUBREC, p.packet_id);
        origin.ask = p.qos == 1 ? (gm_ask) { on_answer, server, token_of(c->number, c->generation, ordinal) }
                                : (gm_ask) { on_answer_exactly_once, server,
                                             token_of(c->session->number, c->session->generation, p.packet_id) };
    }
    size_t    matches;
    bool      pending;
    gm_error  err;
    gm_status st = gm_mqtt_publish_view(server, &view, &origin, &matches, &pending, &err);
    if (st != GM_OK) {
        if (p.qos > 0) c->pending_count--;
        if (p.qos == 2) {
            c->pending_received--;
            forget_received(c->session, p.packet_id);
        }
        if (st == GM_LIMIT) return GM_MQTT_LATER;  // keeps (3)
        if (st == GM_NOMEM) gm_mqtt_leave(c, true);
        else refused(c, &err);
        return GM_MQTT_HANDLED;
    }
    server->stats.messages_in++;
    if (p.qos > 0 && !pending) {
        gm_mqtt_pending *last = pending_at(c, c->pending_first + c->pending_count - 1);
        last->reason = c->version >= GM_MQTT_V5 && matches == 0 ? GM_MQTT_NO_MATCHING_SUBSCRIBERS : GM_MQTT_SUCCESS;
        last->done            = true;
        if (p.qos == 2) set_bit(c->session->durable_received, p.packet_id);
        emit(c);
    }
    return GM_MQTT_HANDLED;
}

// Of a durable session: it is forgotten for good, so the client may use the identifier anew.
static void on_forgotten(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    gm_mqtt_server  *server  = context;
    gm_mqtt_session *session = gm_mqtt_session_at(server, token_number(token), token_generation(token));
    if (session == NULL || session->connection == NULL) return;
    if (status != GM_OK) {
        refused(session->connection, err);
        return;
    }
    gm_mqtt_write_ack(&session->connection->out, GM_MQTT_PUBCOMP, session->connection->version, (uint16_t)token, GM_MQTT_SUCCESS);
    gm_mqtt_flush_later(session->connection);
}

gm_mqtt_verdict gm_mqtt_on_pubrel(gm_mqtt_connection *c, const gm_mqtt_ack *ack)
{
    gm_mqtt_session *s     = c->session;
    bool             known = s->received != NULL && bit(s->received, ack->packet_id);
    if (known && s->durable) {
        gm_error  err;
        gm_ask    ask = { on_forgotten, c->server, token_of(s->number, s->generation, ack->packet_id) };
        gm_status st  = gm_mqtt_durable_item(s, GM_MQTT_ITEM_FORGOTTEN, ack->packet_id, ask, &err);
        if (st == GM_LIMIT) return GM_MQTT_LATER;
        if (st != GM_OK) refused(c, &err);
        else forget_received(s, ack->packet_id);
        return GM_MQTT_HANDLED;
    }
    if (known) forget_received(s, ack->packet_id);
    gm_mqtt_write_ack(&c->out, GM_MQTT_PUBCOMP, c->version, ack->packet_id,
                      known ? GM_MQTT_SUCCESS : GM_MQTT_PACKET_ID_NOT_FOUND);
    gm_mqtt_flush_later(c);
    return GM_MQTT_HANDLED;
}
