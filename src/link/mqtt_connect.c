// CONNECT and DISCONNECT: how a connection gets its session and how it gives it back.
#include "link/mqtt_durable.h"

#include "link/mqtt_wire.h"

#include <stdio.h>
#include <unistd.h>

enum { OUT_ALIASES_MAX = 16 };  // towards a client; they are searched one by one

// Refuses and closes. A 3.1.1 client gets the return code that comes nearest.
static gm_mqtt_verdict refuse(gm_mqtt_connection *c, uint8_t version, uint8_t reason, const char *why)
{
    static const struct { uint8_t reason, code; } old[] = {
        { GM_MQTT_UNSUPPORTED_VERSION, 1 }, { GM_MQTT_CLIENT_ID_INVALID, 2 }, { GM_MQTT_SERVER_UNAVAILABLE, 3 },
        { GM_MQTT_SERVER_BUSY, 3 },         { GM_MQTT_BAD_CREDENTIALS, 4 },   { GM_MQTT_NOT_AUTHORIZED, 5 },
    };
    uint8_t code = reason;
    if (version < GM_MQTT_V5) {
        code = 3;
        for (size_t i = 0; i < sizeof old / sizeof old[0]; i++) {
            if (old[i].reason == reason) code = old[i].code;
        }
    }
    gm_mqtt_write_connack(&c->out, version, false, code, NULL);
    c->server->stats.connections_refused++;
    gm_mqtt_condemn(c, reason, "%s", why);
    return GM_MQTT_HANDLED;
}

// The client connects again, or another one with the same identifier: the old connection ends [MQTT-3.1.4-2].
static void take_over(gm_mqtt_session *session, bool clean)
{
    gm_mqtt_connection *old = session->connection;
    if (old == NULL) return;
    session->server->stats.taken_over++;
    gm_mqtt_condemn(old, GM_MQTT_TAKEN_OVER, "another connection uses the same client identifier");
    old->session        = NULL;
    session->connection = NULL;
    // A will with a delay is for clients that do not come back; this one is here [MQTT5-3.1.2-8].
    if (session->will != NULL && (session->will->delay_s == 0 || clean)) gm_mqtt_will_start(session, true);
}

static uint32_t expiry_of(const gm_mqtt_connect *connect)
{
    if (connect->level < GM_MQTT_V5) return connect->clean ? 0 : UINT32_MAX;
    return gm_mqtt_has(&connect->properties, GM_MQTT_SESSION_EXPIRY)
               ? connect->properties.number[GM_MQTT_SESSION_EXPIRY]
               : 0;
}

// An identifier for a client that has none. Nobody can know it beforehand.
static gm_str assign_id(gm_mqtt_server *server, char *out, size_t size)
{
    uint64_t number = ++server->anonymous;
    gm_time_ns now  = gm_loop_now(server->loop);
    int        len  = snprintf(out, size, "gemel-%llx-%llx", (unsigned long long)now, (unsigned long long)number);
    return (gm_str){ out, (size_t)len };
}

// Version 5 clients are told when the server wants to hear from them sooner than they meant to [MQTT5-3.2.2-22]; to those of
// 3.1.1 there is no way to say it.
static uint16_t keep_alive_of(const gm_mqtt_connection *c, const gm_mqtt_connect *connect)
{
    uint16_t most = c->server->limits.keep_alive_s;
    bool     told = connect->level >= GM_MQTT_V5 && most > 0 && connect->keep_alive_s > most;
    return told ? most : connect->keep_alive_s;
}

static void take_properties(gm_mqtt_connection *c, const gm_mqtt_connect *connect)
{
    const gm_mqtt_properties *p = &connect->properties;
    c->receive_maximum =
        gm_mqtt_has(p, GM_MQTT_RECEIVE_MAXIMUM) ? (uint16_t)p->number[GM_MQTT_RECEIVE_MAXIMUM] : UINT16_MAX;
    c->packet_max = gm_mqtt_has(p, GM_MQTT_MAXIMUM_PACKET_SIZE) ? p->number[GM_MQTT_MAXIMUM_PACKET_SIZE] : UINT32_MAX;
    c->problem_information = !gm_mqtt_has(p, GM_MQTT_REQUEST_PROBLEM) || p->number[GM_MQTT_REQUEST_PROBLEM] == 1;
    c->keep_alive          = (gm_dur_ns)keep_alive_of(c, connect) * GM_SECOND;
    c->out_alias_max =
        gm_mqtt_has(p, GM_MQTT_TOPIC_ALIAS_MAXIMUM) ? (uint16_t)p->number[GM_MQTT_TOPIC_ALIAS_MAXIMUM] : 0;
    if (c->out_alias_max > OUT_ALIASES_MAX) c->out_alias_max = OUT_ALIASES_MAX;
}

// False: it would be larger than the client accepts, so it must not be sent [MQTT5-3.1.2-24].
static bool write_connack(gm_mqtt_connection *c, const gm_mqtt_connect *connect, bool present, gm_str assigned)
{
    enum { FIXED = 8 };  // header, flags, reason, the length of the properties

    const gm_mqtt_limits *limits = &c->server->limits;
    gm_mqtt_properties    p      = { .block = { "", 0 } };
    if (expiry_of(connect) > limits->session_expiry_s)
        gm_mqtt_set_number(&p, GM_MQTT_SESSION_EXPIRY, limits->session_expiry_s);
    if (limits->receive_maximum < UINT16_MAX) gm_mqtt_set_number(&p, GM_MQTT_RECEIVE_MAXIMUM, limits->receive_maximum);
    gm_mqtt_set_number(&p, GM_MQTT_MAXIMUM_PACKET_SIZE, (uint32_t)limits->packet);
    if (limits->topic_aliases > 0) gm_mqtt_set_number(&p, GM_MQTT_TOPIC_ALIAS_MAXIMUM, limits->topic_aliases);
    uint16_t keep_alive = keep_alive_of(c, connect);
    if (keep_alive != connect->keep_alive_s) gm_mqtt_set_number(&p, GM_MQTT_SERVER_KEEP_ALIVE, keep_alive);
    if (assigned.len > 0) gm_mqtt_set_text(&p, GM_MQTT_ASSIGNED_CLIENT_ID, assigned);
    if (c->version >= GM_MQTT_V5 && gm_mqtt_properties_size(&p) + FIXED > c->packet_max) return false;
    gm_mqtt_write_connack(&c->out, c->version, present, GM_MQTT_SUCCESS, &p);
    gm_mqtt_flush_later(c);
    return true;
}

// The session of that client: the one that is kept, or a new one. *out_present: it was kept.
static gm_status find_session(gm_mqtt_connection *c, const gm_mqtt_connect *connect, gm_str client_id,
                              gm_mqtt_session **out_session, bool *out_present)
{
    gm_mqtt_session *session = gm_mqtt_session_find(c->server, client_id);
    if (session != NULL && session->connection != NULL && session->connection->condemned) {
        gm_mqtt_part(session->connection);  // it has said good-bye in this very turn
        session = gm_mqtt_session_find(c->server, client_id);
    }
    if (session != NULL) {
        take_over(session, connect->clean);
        if (connect->clean) {
            gm_mqtt_will_start(session, true);  // the session ends: a will that still waits for its delay is due
            gm_mqtt_session_end(session);
            session = NULL;
        } else if (session->will != NULL) {
            if (session->will->due_known && session->will->due <= c->server->now) gm_mqtt_will_start(session, true);
            else gm_mqtt_will_drop(session);    // back in time
        }
    }
    *out_present = session != NULL;
    *out_session = session;
    return session != NULL ? GM_OK : gm_mqtt_session_open(c->server, client_id, out_session);
}

// CONNACK promises a session, or that there is none any more: it leaves when that is durable.
static void on_durable(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    gm_mqtt_server     *server = context;
    uint32_t            number = (uint32_t)token & 0xffffff;
    gm_mqtt_connection *c      = number < server->connection_used ? server->connections[number] : NULL;
    if (c == NULL || c->generation != (uint32_t)(token >> 24) || c->condemned || c->session == NULL) return;
    if (status == GM_OK) {
        gm_mqtt_connection_let_go(c);
        return;
    }
    gm_mqtt_part(c);  // it never began, so there is no will either
    gm_buf_clear(&c->out);
    c->held = false;
    server->stats.refused_by_log++;
    refuse(c, c->version, GM_MQTT_SERVER_UNAVAILABLE, err != NULL ? err->text : "the log refused");
}

// Sees to it that what CONNACK says is durable, and holds it back until then where need be.
static gm_status make_durable(gm_mqtt_connection *c, gm_error *err)
{
    gm_mqtt_server *server = c->server;
    gm_ask          ask    = { on_durable, server, (uint64_t)c->generation << 24 | c->number };
    bool            ended  = server->ended_noted || server->ends_under_way > 0, asked;
    gm_status       st     = gm_mqtt_durable_open(c->session, ask, &asked, err);
    if (st == GM_OK && !asked && ended) {
        asked = true;
        st    = gm_mqtt_durable_settle(server, ask, err);
    }
    if (st == GM_OK && asked) gm_mqtt_connection_hold(c);
    return st;
}

// Everything about the client is known and fine: it gets its session.
static gm_mqtt_verdict begin(gm_mqtt_connection *c, const gm_mqtt_connect *connect, gm_principal *principal)
{
    gm_mqtt_server  *server = c->server;
    char             name[64];
    gm_str           assigned = connect->client_id.len == 0 ? assign_id(server, name, sizeof name) : (gm_str){ name, 0 };
    gm_mqtt_session *session;
    bool             present;
    gm_error         err;
    gm_status st = find_session(c, connect, assigned.len > 0 ? assigned : connect->client_id, &session, &present);
    if (st == GM_OK && gm_mqtt_will_set(session, connect) != GM_OK) st = GM_NOMEM;
    if (st != GM_OK) {
        gm_principal_release(principal);
        if (session != NULL && !present) gm_mqtt_session_end(session);
        return refuse(c, connect->level, st == GM_LIMIT ? GM_MQTT_QUOTA_EXCEEDED : GM_MQTT_SERVER_UNAVAILABLE,
                      "no room for another session");
    }
    c->version          = connect->level;
    c->session          = session;
    session->connection = c;
    gm_principal_release(session->principal);
    session->principal  = principal;
    // What a device then measures is not recorded one by one: it is who has come that tells.
    gm_access_audit(server->options.access, principal, GM_STR("MQTT CONNECT"), (gm_str){ session->client_id, session->client_id_len });
    session->expiry_s   = expiry_of(connect);
    session->version    = connect->level;
    take_properties(c, connect);
    if (make_durable(c, &err) != GM_OK) {
        gm_mqtt_part(c);
        return refuse(c, connect->level, GM_MQTT_SERVER_UNAVAILABLE, err.text);
    }
    if (!write_connack(c, connect, present, assigned)) {
        c->held = true;  // not even a DISCONNECT may go out before CONNACK [MQTT5-3.14.0-1]
        gm_mqtt_condemn(c, GM_MQTT_PACKET_TOO_LARGE, "a CONNACK is larger than the packets that the client accepts");
        return GM_MQTT_HANDLED;
    }
    if (server->wills != NULL) gm_mqtt_wills_publish(server);
    gm_mqtt_deliver_again(session);
    return GM_MQTT_HANDLED;
}

gm_mqtt_verdict gm_mqtt_on_connect(gm_mqtt_connection *c, const gm_mqtt_frame *frame)
{
    gm_mqtt_server *server = c->server;
    gm_mqtt_connect connect;
    gm_mqtt_fault   fault = gm_mqtt_read_connect(frame->body, &connect);
    if (fault.rule == NULL && frame->padded && connect.level >= GM_MQTT_V5) fault = gm_mqtt_length_fault;
    if (fault.rule != NULL) {
        server->stats.protocol_errors++;
        // Only a client whose version is known to have a CONNACK is answered [MQTT-3.1.2-2, MQTT5-4.13.1].
        if (fault.reason == GM_MQTT_UNSUPPORTED_VERSION) {
            return refuse(c, connect.level > GM_MQTT_V5 ? GM_MQTT_V5 : GM_MQTT_V311, fault.reason, fault.rule);
        }
        if (connect.level == GM_MQTT_V5) return refuse(c, GM_MQTT_V5, fault.reason, fault.rule);
        gm_mqtt_condemn(c, fault.reason, "%s", fault.rule);
        return GM_MQTT_HANDLED;
    }
    if (gm_mqtt_has(&connect.properties, GM_MQTT_AUTHENTICATION_METHOD)) {
        return refuse(c, connect.level, GM_MQTT_BAD_AUTHENTICATION_METHOD,
                      "an authentication method that is not known here");
    }
    if (connect.client_id.len == 0 && connect.level < GM_MQTT_V5 && !connect.clean) {
        return refuse(c, connect.level, GM_MQTT_CLIENT_ID_INVALID,
                      "[MQTT-3.1.3-8] no client identifier, but a session to be kept");
    }
    gm_principal *principal;
    uint8_t       admitted = gm_mqtt_admit(c, &connect, &principal);
    if (admitted != GM_MQTT_SUCCESS) {
        server->stats.not_authorized++;
        return refuse(c, connect.level, admitted, "it has no access");
    }
    const gm_mqtt_session *kept = gm_mqtt_session_find(server, connect.client_id);
    if (kept != NULL && !gm_str_eq(gm_principal_name(kept->principal), gm_principal_name(principal))) {
        gm_principal_release(principal);  // what waits there is not for him
        return refuse(c, connect.level, GM_MQTT_CLIENT_ID_INVALID, "the client identifier is somebody else's");
    }
    return begin(c, &connect, principal);
}

void gm_mqtt_on_disconnect(gm_mqtt_connection *c, gm_str body)
{
    gm_mqtt_notice notice;
    gm_mqtt_fault  fault = gm_mqtt_read_notice(GM_MQTT_DISCONNECT, body, c->version, &notice);
    if (fault.rule != NULL) {
        gm_mqtt_condemn_fault(c, fault);
        return;
    }
    if (gm_mqtt_has(&notice.properties, GM_MQTT_SESSION_EXPIRY)) {
        uint32_t expiry = notice.properties.number[GM_MQTT_SESSION_EXPIRY];
        if (c->session->expiry_s == 0 && expiry != 0) {
            gm_mqtt_condemn_fault(
                c, (gm_mqtt_fault) { "[MQTT5-3.14.2.2.2] a session that was to end now is to be kept after all",
                                     GM_MQTT_PROTOCOL_ERROR });
            return;
        }
        c->session->expiry_s = expiry;
    }
    gm_mqtt_leave(c, notice.reason != GM_MQTT_SUCCESS);
}
