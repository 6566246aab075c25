// The server's life: listening, the turn's end, what happens by the clock.
#include "link/mqtt_durable.h"

#include "base/address.h"
#include "link/topic.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096, ACCEPTS_PER_TURN = 256 };
#define SWEEP (250 * GM_MILLISECOND)

gm_mqtt_server_options gm_mqtt_server_options_defaults(void)
{
    return (gm_mqtt_server_options) {
        .limits = { .connections      = 20000,
                    .packet           = 1 << 20,
                    .outgoing         = 1 << 20,
                    .queued_messages  = 10000,
                    .queued_bytes     = 16 << 20,
                    .receive_maximum  = 1024,
                    .topic_aliases    = 64,
                    .sessions         = 100000,
                    .subscriptions    = 10000,
                    .session_expiry_s = 7 * 24 * 3600,
                    .keep_alive_s     = 60,
                    .connect_timeout  = 10 * GM_SECOND,
                    .future           = 3650 * GM_DAY },
    };
}

// ---- accepting ----------------------------------------------------------------------------------------------------
static void on_listener(void *context, uint32_t events)
{
    gm_mqtt_listener *listener = context;
    gm_mqtt_server   *server   = listener->server;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            gm_mqtt_connection_accept(server, fd, listener->tls != NULL ? gm_tls_accept(listener->tls, fd)
                                                                        : gm_wire_of_socket(server->alloc, fd));
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            // Out of descriptors: the queue stays readable, and looking at it all the time would help nobody.
            server->stats.connections_refused++;
            server->accept_stopped = true;
            gm_loop_change(listener->watch, 0);
            snprintf(server->stats.last_error, sizeof server->stats.last_error, "accepting a connection: error %d",
                     errno);
        }
        return;
    }
}

// ---- back-pressure ------------------------------------------------------------------------------------------------
static void resume_paused(void *context)
{
    gm_mqtt_server     *server  = context;
    gm_mqtt_connection *waiting = server->paused;
    server->now                 = gm_loop_monotonic(server->loop);
    server->full                = false;
    server->paused              = NULL;
    server->paused_last         = NULL;
    // In the order in which they had to stop; those that have to stop again go to the end of the new list.
    while (waiting != NULL && !server->closing) {
        gm_mqtt_connection *c = waiting;
        waiting               = c->next_paused;
        if (!server->full) {
            gm_mqtt_connection_resume(c);
        } else {
            c->paused = false;
            gm_mqtt_pause(c);
        }
    }
}

void gm_mqtt_wait_for_room(gm_mqtt_server *server)
{
    gm_error err;
    if (server->full) return;
    // Without memory for the call the sweep tries again.
    server->full = gm_engine_later(server->engine, resume_paused, server, &err) == GM_OK;
}

// ---- by the clock -------------------------------------------------------------------------------------------------
static void end_old_sessions(gm_mqtt_server *server)
{
    for (size_t i = 0; i < server->session_used; i++) {
        gm_mqtt_session *s = server->sessions[i];
        if (s == NULL || s->connection != NULL || s->ends > server->now) continue;
        gm_mqtt_will_start(s, true);
        gm_mqtt_session_end(s);
    }
}

static void sweep(void *context)
{
    gm_mqtt_server *server = context;
    gm_error        err;
    server->sweep = NULL;
    server->now   = gm_loop_monotonic(server->loop);
    for (size_t i = 0; i < server->connection_used; i++) {
        if (server->connections[i] != NULL) gm_mqtt_check_time(server->connections[i], server->now);
    }
    for (size_t i = 0; server->options.access != NULL && i < server->session_used; i++) {
        if (server->sessions[i] != NULL) gm_mqtt_check_access(server->sessions[i]);
    }
    if (server->session_count > server->stats.connections) end_old_sessions(server);
    gm_mqtt_wills_publish(server);
    gm_retained_expire(server->options.retained, gm_loop_now(server->loop));
    gm_mqtt_linger_no_longer(server, server->now);
    if (server->paused != NULL && !server->full) gm_mqtt_wait_for_room(server);
    if (server->accept_stopped) {
        server->accept_stopped = false;
        for (size_t i = 0; i < GM_MQTT_LISTENERS; i++) {
            if (server->listeners[i].watch != NULL) gm_loop_change(server->listeners[i].watch, GM_LOOP_READ);
        }
    }
    // Without memory for a timer there is no next sweep until memory is back: a new connection starts it again.
    (void)!gm_loop_after(server->loop, SWEEP, sweep, server, &server->sweep, &err);
}

static void on_nudge(void *context)
{
    gm_mqtt_server *server = context;
    server->nudge          = NULL;
}

void gm_mqtt_nudge(gm_mqtt_server *server)
{
    gm_error err;
    if (server->nudge == NULL) (void)!gm_loop_after(server->loop, 0, on_nudge, server, &server->nudge, &err);
}

static void on_turn_end(void *context)
{
    gm_mqtt_server *server = context;
    if (server->closing) return;
    gm_mqtt_flush_all(server);
    gm_mqtt_bury(server);
    gm_mqtt_durable_flush(server);
}

// ---- life cycle -----------------------------------------------------------------------------------------------------
static gm_status listen_at(gm_mqtt_server *server, size_t which, gm_str address, gm_tls *tls, gm_error *err)
{
    gm_mqtt_listener *l = &server->listeners[which];
    if (address.len == 0) return GM_OK;
    l->tls       = tls;
    gm_status st = gm_listen(address, BACKLOG, &l->fd, &l->port, err);
    if (st != GM_OK) return st;
    return gm_loop_add(server->loop, l->fd, GM_LOOP_READ, on_listener, l, &l->watch, err);
}

static gm_status start(gm_mqtt_server *server, gm_error *err)
{
    const gm_mqtt_server_options *o  = &server->options;
    gm_ingest_options             io = { .alloc        = o->alloc,
                                         .engine       = o->engine,
                                         .dead_letters = o->dead_letters,
                                         .creator      = o->creator,
                                         .loop         = o->loop,
                                         .future       = o->limits.future };
    gm_status st    = GM_OK;
    server->ingest = o->ingest;
    if (server->ingest == NULL) st = gm_ingest_create(&io, &server->own_ingest, err);
    if (server->ingest == NULL) server->ingest = server->own_ingest;
    if (st != GM_OK) return st;
    server->scratch = gm_alloc_bytes(o->alloc, GM_MQTT_SCRATCH);
    if (server->scratch == NULL) {
        return gm_fail(err, GM_NOMEM, "link.mqtt", "starting the MQTT endpoint");
    }
    st = gm_mqtt_access_begin(server, err);
    if (st != GM_OK) return st;
    st = listen_at(server, GM_MQTT_PLAIN, o->address, NULL, err);
    if (st == GM_OK) st = listen_at(server, GM_MQTT_TLS, o->tls_address, o->tls, err);
    if (st != GM_OK) return st;
    st = gm_loop_after(o->loop, SWEEP, sweep, server, &server->sweep, err);
    if (st != GM_OK) return st;
    st = gm_mqtt_changes_begin(server, err);
    if (st != GM_OK) return st;
    return gm_loop_at_turn_end(o->loop, on_turn_end, server, err);
}

static gm_mqtt_server *make(const gm_alloc *alloc, gm_loop *loop, gm_engine *engine)
{
    gm_mqtt_server *server = gm_alloc_zeroed(alloc, sizeof *server);
    if (server == NULL) return NULL;
    server->alloc           = alloc;
    server->limits          = gm_mqtt_server_options_defaults().limits;
    server->loop            = loop;
    server->engine          = engine;
    server->now             = gm_loop_monotonic(loop);
    server->packet          = gm_buf_init(alloc);
    server->changes_topic   = gm_buf_init(alloc);
    server->changes_payload = gm_buf_init(alloc);
    server->progress        = gm_buf_init(alloc);
    server->record          = gm_buf_init(alloc);
    for (size_t i = 0; i < GM_MQTT_LISTENERS; i++) server->listeners[i] = (gm_mqtt_listener){ .server = server, .fd = -1 };
    if (gm_topic_tree_init(&server->tree, alloc) == GM_OK) return server;
    gm_mqtt_server_destroy(server);
    return NULL;
}

gm_status gm_mqtt_server_prepare(const gm_alloc *alloc, gm_loop *loop, gm_engine *engine, gm_mqtt_server **out_server,
                                 gm_error *err)
{
    *out_server = make(alloc, loop, engine);
    if (*out_server == NULL) return gm_fail(err, GM_NOMEM, "link.mqtt", "starting the MQTT endpoint");
    gm_mqtt_durable_register(*out_server);
    return GM_OK;
}

gm_status gm_mqtt_server_create(const gm_mqtt_server_options *options, gm_mqtt_server **out_server, gm_error *err)
{
    *out_server            = NULL;
    gm_mqtt_server *server = options->prepared != NULL ? options->prepared : make(options->alloc, options->loop, options->engine);
    if (server == NULL) return gm_fail(err, GM_NOMEM, "link.mqtt", "starting the MQTT endpoint");
    server->options  = *options;
    server->limits   = options->limits;
    server->now      = gm_loop_monotonic(options->loop);
    gm_status st     = start(server, err);
    if (st != GM_OK) {
        if (options->prepared == NULL) gm_mqtt_server_destroy(server);
        return st;
    }
    gm_mqtt_durable_begin(server);
    *out_server = server;
    return GM_OK;
}

static void say_goodbye(gm_mqtt_server *server)
{
    for (size_t i = 0; i < server->connection_used; i++) {
        gm_mqtt_connection *c = server->connections[i];
        if (c == NULL || c->condemned) continue;
        if (c->version >= GM_MQTT_V5 && c->session != NULL)
            gm_mqtt_write_notice(&c->out, GM_MQTT_DISCONNECT, GM_MQTT_SHUTTING_DOWN, NULL);
        gm_mqtt_leave(c, false);
    }
}

void gm_mqtt_server_stop(gm_mqtt_server *server)
{
    gm_error err;
    if (server == NULL || server->closing) return;
    for (size_t i = 0; i < GM_MQTT_LISTENERS; i++) {
        gm_loop_remove(server->listeners[i].watch);
        if (server->listeners[i].fd >= 0) close(server->listeners[i].fd);
    }
    // What is under way is made durable and acknowledged, then the connections end.
    gm_mqtt_durable_flush(server);
    server->closing = true;
    if (server->live) (void)!gm_engine_settle(server->engine, &err);
    gm_mqtt_flush_all(server);
    say_goodbye(server);
    gm_mqtt_bury(server);
    gm_mqtt_linger_no_longer(server, INT64_MAX);
    gm_mqtt_durable_flush(server);
    if (server->live) (void)!gm_engine_settle(server->engine, &err);
    gm_engine_never(server->engine, resume_paused, server);
    gm_loop_cancel(server->sweep);
    gm_loop_cancel(server->nudge);
    server->sweep = server->nudge = NULL;
    gm_mqtt_changes_end(server);
}

void gm_mqtt_server_destroy(gm_mqtt_server *server)
{
    if (server == NULL) return;
    gm_mqtt_server_stop(server);
    server->live = false;  // nothing more goes into the log
    for (size_t i = 0; i < server->session_used; i++) {
        if (server->sessions[i] != NULL) gm_mqtt_session_end(server->sessions[i]);
    }
    while (server->wills != NULL) {
        gm_mqtt_will *will = server->wills;
        server->wills      = will->next;
        gm_mqtt_message_release(server->alloc, will->message);
        gm_free(server->alloc, will);
    }
    gm_arena_destroy(server->access_arena);
    gm_topic_tree_finish(&server->tree);
    gm_index_finish(&server->session_index);
    gm_index_finish(&server->by_key);
    gm_buf_finish(&server->progress);
    gm_buf_finish(&server->record);
    gm_ingest_destroy(server->own_ingest);
    gm_buf_finish(&server->packet);
    gm_buf_finish(&server->changes_topic);
    gm_buf_finish(&server->changes_payload);
    gm_free(server->alloc, server->matches.items);
    gm_free(server->alloc, server->connections);
    gm_free(server->alloc, server->free_connections);
    gm_free(server->alloc, server->sessions);
    gm_free(server->alloc, server->free_sessions);
    gm_free(server->alloc, server->scratch);
    gm_free(server->alloc, server);
}

void gm_mqtt_server_adopt(gm_mqtt_server *server, int fd, gm_wire *wire)
{
    gm_mqtt_connection_accept(server, fd, wire);
}

uint16_t gm_mqtt_server_port(const gm_mqtt_server *server)
{
    return server->listeners[GM_MQTT_PLAIN].port;
}

uint16_t gm_mqtt_server_tls_port(const gm_mqtt_server *server)
{
    return server->listeners[GM_MQTT_TLS].port;
}

static gm_status publish(gm_mqtt_server *server, const gm_mqtt_view *view, uint8_t qos, bool retain, gm_error *err)
{
    gm_mqtt_match_topic(server, view->topic, NULL);
    bool      written;
    gm_status st = gm_mqtt_durable_wanted(server, qos)
                       ? gm_mqtt_durable_message(server, view, qos, retain, (gm_ask){ 0 }, &written, err)
                       : GM_OK;
    if (st == GM_OK) gm_mqtt_tell_listeners(server, GM_MQTT_HEAR_MESSAGES, view, qos, retain);
    if (st == GM_OK) gm_mqtt_deliver_matches(server, view, qos, retain);
    return st;
}

gm_status gm_mqtt_server_publish(gm_mqtt_server *server, gm_str topic, gm_str payload, uint8_t qos, bool retain,
                                 gm_error *err)
{
    if (gm_topic_name_rule(topic) != NULL)
        return gm_fail(err, GM_INVALID, "link.mqtt", "%s", gm_topic_name_rule(topic));
    gm_mqtt_view view = { .topic = topic, .payload = payload, .properties = { "", 0 } };
    if (retain) {
        gm_retained_message m  = { .topic = topic, .payload = payload, .properties = { "", 0 }, .qos = qos };
        gm_status           st = gm_retained_set(server->options.retained, &m, (gm_ask){ 0 }, err);
        if (st != GM_OK) return st;
    }
    return publish(server, &view, qos, retain, err);
}

gm_status gm_mqtt_server_publish_for(gm_mqtt_server *server, gm_str topic, gm_str payload, uint8_t qos,
                                     gm_dur_ns lifetime, gm_error *err)
{
    if (gm_topic_name_rule(topic) != NULL)
        return gm_fail(err, GM_INVALID, "link.mqtt", "%s", gm_topic_name_rule(topic));
    gm_mqtt_view view = { .topic = topic, .payload = payload, .properties = { "", 0 } };
    if (lifetime > 0) view.expires = server->now + lifetime;
    return publish(server, &view, qos, false, err);
}

gm_mqtt_statistics gm_mqtt_server_statistics(const gm_mqtt_server *server)
{
    gm_mqtt_statistics stats  = server->stats;
    gm_ingest_stats    ingest = gm_ingest_statistics(server->ingest);
    stats.sessions            = server->session_count;
    for (size_t i = 0; i < server->session_used; i++) {
        if (server->sessions[i] == NULL) continue;
        stats.durable_sessions += server->sessions[i]->durable;
        stats.queued += server->sessions[i]->count + server->sessions[i]->promised;
    }
    stats.subscriptions       = server->subscription_count;
    stats.retained            = gm_retained_count(server->options.retained);
    stats.native_applied      = ingest.applied;
    stats.native_rejected     = ingest.rejected;
    return stats;
}
