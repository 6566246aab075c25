// CONNECT and DISCONNECT: how a connection gets its session and how it gives it back.
#include "link/mqtt_durable.h"

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

static void write_connack(gm_mqtt_connection *c, const gm_mqtt_connect *connect, bool present, gm_str assigned)
{
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
    gm_mqtt_write_connack(&c->out, c->version, present, GM_MQTT_SUCCESS, &p);
    gm_mqtt_flush_later(c);
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

gm_mqtt_verdict gm_mqtt_on_connect(gm_mqtt_connection *c, gm_str body)
{
    gm_mqtt_server *server = c->server;
    gm_mqtt_connect connect;
    gm_mqtt_fault   fault = gm_mqtt_read_connect(body, &connect);
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
    char             name[64];
    gm_str           assigned = connect.client_id.len == 0 ? assign_id(server, name, sizeof name) : (gm_str){ name, 0 };
    gm_mqtt_session *session;
    bool             present;
    gm_status st = find_session(c, &connect, assigned.len > 0 ? assigned : connect.client_id, &session, &present);
    if (st == GM_OK && gm_mqtt_will_set(session, &connect) != GM_OK) st = GM_NOMEM;
    if (st != GM_OK) {
        gm_principal_release(principal);
        if (session != NULL && !present) gm_mqtt_session_end(session);
        return refuse(c, connect.level, st == GM_LIMIT ? GM_MQTT_QUOTA_EXCEEDED : GM_MQTT_SERVER_UNAVAILABLE,
                      "no room for another session");
    }
    c->version          = connect.level;
    c->session          = session;
    session->connection = c;
    gm_principal_release(session->principal);
    session->principal  = principal;
    // What a device then measures is not recorded one by one: it is who has come that tells.
    gm_access_audit(server->options.access, principal, GM_STR("MQTT CONNECT"), (gm_str){ session->client_id, session->client_id_len });
    session->expiry_s   = expiry_of(&connect);
    session->version    = connect.level;
    gm_mqtt_durable_open(session);
    take_properties(c, &connect);
    write_connack(c, &connect, present, assigned);
    if (server->wills != NULL) gm_mqtt_wills_publish(server);
    gm_mqtt_deliver_again(session);
    return GM_MQTT_HANDLED;
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
