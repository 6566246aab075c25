// Who may what over MQTT. A client comes with a certificate, or with a token as its password; then it is a principal
// (access/principal.h), and its session is that principal's.
//
//   reader    subscribes
//   operator  also publishes
//   engineer  also creates twins (gemel/{twinId}/create)
//
// With a scope: publishes and receives only below gemel/{twinId}/ of its twins. Any filter may be subscribed to; what it
// may not see is left out when messages are delivered, since the fence moves with the plant.
#include "link/mqtt_internal.h"

#include "base/percent.h"
#include "link/topic.h"

#include <stdio.h>

enum { ARENA_MAX = 1 << 20 };

gm_status gm_mqtt_access_begin(gm_mqtt_server *server, gm_error *err)
{
    if (server->options.access == NULL) return GM_OK;
    server->access_arena = gm_arena_create(server->alloc, ARENA_MAX);
    return server->access_arena != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "link.mqtt", "starting the MQTT endpoint");
}

uint8_t gm_mqtt_admit(gm_mqtt_connection *c, const gm_mqtt_connect *connect, gm_principal **out_principal)
{
    gm_access    *access = c->server->options.access;
    gm_str        name   = gm_tls_peer(c->wire);
    gm_principal *p      = NULL;
    gm_error      err;
    *out_principal = NULL;
    if (!gm_access_required(access)) return GM_MQTT_SUCCESS;
    gm_status st = connect->has_password ? gm_access_enter(access, connect->password, &p, &err)
                                         : gm_access_enter_named(access, name, &p, &err);
    if (st == GM_NOMEM) return GM_MQTT_SERVER_UNAVAILABLE;
    // A user name need not be given, but must not be another one's.
    bool fits = st == GM_OK && (!connect->has_username || connect->username.len == 0 ||
                                gm_str_eq(connect->username, gm_principal_name(p)));
    if (!fits) {
        gm_principal_release(p);
        return GM_MQTT_BAD_CREDENTIALS;
    }
    if (connect->has_will && !gm_mqtt_may_publish(c->server, p, connect->will_topic)) {
        gm_principal_release(p);
        return GM_MQTT_NOT_AUTHORIZED;
    }
    *out_principal = p;
    return GM_MQTT_SUCCESS;
}

// Is the topic below gemel/{twinId}/ of a twin that he sees?
static bool is_of_his(gm_mqtt_server *server, gm_principal *p, gm_str topic)
{
    gm_str rest = topic, part, id;
    bool   seen = false;
    if (!gm_str_next(&rest, '/', &part) || !gm_str_is(part, "gemel") || !gm_str_next(&rest, '/', &part)) return false;
    gm_mark mark = gm_arena_mark(server->access_arena);
    if (rest.ptr != NULL && gm_percent_decode(server->access_arena, part, &id, NULL) == GM_OK) {
        gm_twin twin = gm_state_find(gm_engine_state(server->engine), id);
        seen         = gm_twin_ok(twin) && gm_fence_shows(gm_principal_fence(p), twin);
    }
    gm_arena_rewind(server->access_arena, mark);
    return seen;
}

bool gm_mqtt_may_publish(gm_mqtt_server *server, gm_principal *p, gm_str topic)
{
    bool creates = gm_topic_native(topic).kind == GM_NATIVE_CREATE;
    if (server->options.guarded != NULL && server->options.guarded(server->options.guarded_context, topic)) return false;
    if (p == NULL) return true;
    if (gm_principal_right(p) < (creates ? GM_RIGHT_ENGINEER : GM_RIGHT_OPERATE)) return false;
    return !gm_principal_scoped(p) || (!creates && is_of_his(server, p, topic));
}

bool gm_mqtt_may_read(gm_mqtt_session *session, gm_str topic)
{
    gm_principal *p = session->principal;
    return !gm_principal_scoped(p) || is_of_his(session->server, p, topic);
}

// A dead letter a second at most: whoever may not write must not fill the log with that.
void gm_mqtt_note_refusal(gm_mqtt_connection *c, gm_str topic, gm_str payload)
{
    gm_mqtt_server *server = c->server;
    char            reason[GM_USER_NAME_MAX + 64];
    gm_error        err;
    server->stats.not_authorized++;
    if (c->refused_at != 0 && server->now - c->refused_at < GM_SECOND) return;
    c->refused_at = server->now;
    int    n      = snprintf(reason, sizeof reason, "'" GM_STR_FMT "' may not publish this",
                             GM_STR_ARG(gm_principal_name(c->session->principal)));
    gm_str text   = { reason, n < 0 ? 0 : (size_t)n };
    (void)!gm_dead_letters_add(server->options.dead_letters, topic, payload, text, (gm_ask){ 0 }, &err);
}

void gm_mqtt_check_access(gm_mqtt_session *session)
{
    bool fine = session->principal != NULL ? gm_principal_valid(session->principal)
                                           : !gm_access_required(session->server->options.access);
    if (fine) return;
    session->expiry_s = 0;  // nothing more is kept for it
    gm_mqtt_will_drop(session);
    if (session->connection != NULL) gm_mqtt_condemn(session->connection, GM_MQTT_NOT_AUTHORIZED, "its access has ended");
    else gm_mqtt_session_end(session);
}
