// Sockets: bytes in, packets out of them, bytes out in one write per connection and turn.
#include "link/mqtt_durable.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OUT_KEPT = 256 << 10 };  // an empty send buffer larger than this is given back

static void on_ready(void *context, uint32_t events);
static void handle_kept(gm_mqtt_connection *c);
static bool send_waiting(gm_mqtt_connection *c);

// ---- making -------------------------------------------------------------------------------------------------------
static gm_mqtt_connection *take_slot(gm_mqtt_server *server)
{
    const gm_alloc *alloc = server->alloc;
    if (!gm_alloc_reserve(alloc, &server->connections, &server->connection_capacity, server->connection_used + 1,
                          sizeof *server->connections) ||
        !gm_alloc_reserve(alloc, &server->free_connections, &server->free_capacity, server->connection_used + 1,
                          sizeof *server->free_connections)) {
        return NULL;
    }
    gm_mqtt_connection *c = gm_alloc_zeroed(alloc, sizeof *c);
    if (c == NULL) return NULL;
    c->number =
        server->free_count > 0 ? server->free_connections[--server->free_count] : (uint32_t)server->connection_used++;
    server->connections[c->number] = c;
    server->stats.connections++;
    c->server     = server;
    c->generation = ++server->generation & 0xffffff;
    c->fd         = -1;
    c->in         = gm_buf_init(alloc);
    c->out        = gm_buf_init(alloc);
    c->heard      = gm_loop_monotonic(server->loop);
    c->born       = c->heard;
    c->packet_max = UINT32_MAX;
    return c;
}

static void release(gm_mqtt_connection *c)
{
    gm_mqtt_server *server = c->server;
    gm_loop_remove(c->watch);
    gm_wire_close(c->wire);
    if (c->fd >= 0 && !(c->last_words && gm_mqtt_linger(server, c->fd))) close(c->fd);
    for (size_t i = 0; i < c->out_alias_count; i++) gm_free(server->alloc, c->out_aliases[i]);
    gm_free(server->alloc, c->out_aliases);
    for (size_t i = 0; c->aliases != NULL && i < server->limits.topic_aliases; i++)
        gm_free(server->alloc, c->aliases[i]);
    gm_free(server->alloc, c->aliases);
    gm_free(server->alloc, c->pending);
    gm_buf_finish(&c->in);
    gm_buf_finish(&c->out);
    server->connections[c->number]                = NULL;
    server->free_connections[server->free_count++] = c->number;
    server->stats.connections--;
    gm_free(server->alloc, c);
}

void gm_mqtt_connection_accept(gm_mqtt_server *server, int fd, gm_wire *wire)
{
    gm_error err;
    int      one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    gm_mqtt_connection *c = server->stats.connections < server->limits.connections ? take_slot(server) : NULL;
    if (c == NULL || wire == NULL) {
        server->stats.connections_refused++;
        gm_wire_close(wire);
        if (c != NULL) release(c);
        close(fd);
        return;
    }
    c->fd     = fd;
    c->wire = wire;
    if (gm_loop_add(server->loop, fd, GM_LOOP_READ, on_ready, c, &c->watch, &err) != GM_OK) {
        server->stats.connections_refused++;
        release(c);
        return;
    }
    server->stats.connections_total++;
}

// ---- ending -------------------------------------------------------------------------------------------------------
static void condemn(gm_mqtt_connection *c, bool publish_will)
{
    gm_mqtt_server *server = c->server;
    if (c->condemned) return;
    c->condemned      = true;
    c->will_wanted    = publish_will;
    c->next_condemned = server->condemned;
    server->condemned = c;
    // Nothing more is read; what is to be sent goes out when it is buried.
    if (c->watch != NULL) gm_loop_change(c->watch, 0);
}

void gm_mqtt_leave(gm_mqtt_connection *c, bool publish_will)
{
    condemn(c, publish_will);
}

void gm_mqtt_condemn(gm_mqtt_connection *c, uint8_t reason, const char *fmt, ...)
{
    gm_mqtt_server *server = c->server;
    if (c->condemned) return;
    char    text[160];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    gm_str who =
        c->session != NULL ? (gm_str) { c->session->client_id, c->session->client_id_len } : GM_STR("(before CONNECT)");
    snprintf(server->stats.last_error, sizeof server->stats.last_error, "client " GM_STR_FMT ": %s",
             GM_STR_ARG(gm_str_slice(who, 0, 30)), text);
    if (c->version >= GM_MQTT_V5 && c->session != NULL) {
        gm_mqtt_properties p = { .block = { "", 0 } };
        bool fits = c->packet_max >= sizeof text + 16;  // [MQTT5-3.14.2-3]
        if (c->problem_information && fits) gm_mqtt_set_text(&p, GM_MQTT_REASON_STRING, gm_str_of(text));
        gm_mqtt_write_notice(&c->out, GM_MQTT_DISCONNECT, reason, &p);
    }
    c->last_words = true;
    condemn(c, true);
}

void gm_mqtt_condemn_fault(gm_mqtt_connection *c, gm_mqtt_fault fault)
{
    if (c->condemned) return;
    c->server->stats.protocol_errors++;
    gm_mqtt_condemn(c, fault.reason, "%s", fault.rule);
}

static void unlink_from(gm_mqtt_connection **at, const gm_mqtt_connection *c, size_t next_offset)
{
    while (*at != NULL && *at != c) at = (gm_mqtt_connection **)((char *)*at + next_offset);
    if (*at == c) *at = *(gm_mqtt_connection *const *)((const char *)c + next_offset);
}

void gm_mqtt_part(gm_mqtt_connection *c)
{
    gm_mqtt_session *session = c->session;
    if (session == NULL) return;  // there was none, or a new connection has taken it over
    assert(session->connection == c);
    c->session          = NULL;
    session->connection = NULL;
    bool ends           = session->expiry_s == 0;
    if (c->will_wanted) gm_mqtt_will_start(session, ends);
    else gm_mqtt_will_drop(session);
    if (ends) {
        gm_mqtt_session_end(session);
        return;
    }
    gm_mqtt_durable_note(session, GM_MQTT_ITEM_LEFT, session->expiry_s);
    uint32_t most = c->server->limits.session_expiry_s;
    session->ends = c->server->now + (gm_dur_ns)(session->expiry_s < most ? session->expiry_s : most) * GM_SECOND;
}

void gm_mqtt_bury(gm_mqtt_server *server)
{
    while (server->condemned != NULL) {
        gm_mqtt_connection *c = server->condemned;
        server->condemned     = c->next_condemned;
        if (c->flushing) unlink_from(&server->dirty, c, offsetof(gm_mqtt_connection, next_dirty));
        if (c->paused) {
            unlink_from(&server->paused, c, offsetof(gm_mqtt_connection, next_paused));
            server->paused_last = server->paused;
            while (server->paused_last != NULL && server->paused_last->next_paused != NULL)
                server->paused_last = server->paused_last->next_paused;
        }
        if (c->fd >= 0 && !c->hungup && !c->held) (void)send_waiting(c);  // the last words, if the socket takes them
        gm_mqtt_part(c);
        if (server->wills != NULL) {
            gm_mqtt_wills_publish(server);
            gm_mqtt_nudge(server);
        }
        release(c);
    }
}

// ---- writing ------------------------------------------------------------------------------------------------------
size_t gm_mqtt_waiting_bytes(const gm_mqtt_connection *c)
{
    return c->out.len - c->out_done;
}

void gm_mqtt_flush_later(gm_mqtt_connection *c)
{
    if (c->flushing || c->blocked || c->condemned || c->held) return;
    c->flushing       = true;
    c->next_dirty     = c->server->dirty;
    c->server->dirty  = c;
}

// False: the socket takes no more for now. A broken socket shows when it is read.
static bool send_waiting(gm_mqtt_connection *c)
{
    while (c->out_done < c->out.len) {
        ptrdiff_t n = gm_wire_write(c->wire, c->out.ptr + c->out_done, c->out.len - c->out_done);
        if (n == GM_WIRE_LATER) return false;
        if (n < 0) {
            gm_mqtt_leave(c, true);
            break;
        }
        c->server->stats.bytes_out += (uint64_t)n;
        c->out_done += (size_t)n;
    }
    gm_buf_clear(&c->out);
    c->out_done = 0;
    if (c->out.capacity > OUT_KEPT) gm_buf_finish(&c->out);
    return true;
}

// Requests are not read while their answers pile up.
static bool may_read(const gm_mqtt_connection *c)
{
    return !c->paused && !c->condemned && !c->held && gm_mqtt_waiting_bytes(c) <= c->server->limits.outgoing;
}

static void watch_again(gm_mqtt_connection *c)
{
    if (c->watch == NULL || c->condemned) return;
    bool write = c->blocked || gm_wire_wants_write(c->wire);
    gm_loop_change(c->watch, (may_read(c) ? (uint32_t)GM_LOOP_READ : 0u) | (write ? (uint32_t)GM_LOOP_WRITE : 0u));
}

static void flush(gm_mqtt_connection *c)
{
    if (c->out.failed) {  // memory was refused in the middle of a packet
        gm_buf_finish(&c->out);
        c->out_done = 0;
        gm_mqtt_leave(c, true);
        return;
    }
    c->blocked = !send_waiting(c);
    if (c->blocked && c->out_done >= (64 << 10)) {  // what is sent does not keep its room
        gm_buf_drop(&c->out, c->out_done);
        c->out_done = 0;
    }
    if (!c->blocked && c->session != NULL) gm_mqtt_deliver_more(c->session);
    if (!c->blocked && c->in.len > 0 && may_read(c) && !c->server->full) {
        handle_kept(c);  // what had to wait while its answers piled up
        gm_mqtt_nudge(c->server);
    }
    watch_again(c);
}

void gm_mqtt_flush_all(gm_mqtt_server *server)
{
    // Sending makes room, room lets more be delivered, and that is sent in the next turn of this loop; bounded by what
    // the sockets take.
    while (server->dirty != NULL) {
        gm_mqtt_connection *c = server->dirty;
        server->dirty         = c->next_dirty;
        c->flushing           = false;
        if (!c->condemned) flush(c);
    }
}

// ---- reading ------------------------------------------------------------------------------------------------------
void gm_mqtt_pause(gm_mqtt_connection *c)
{
    gm_mqtt_server *server = c->server;
    if (c->paused || c->condemned) return;
    c->paused      = true;
    c->next_paused = NULL;
    if (server->paused == NULL) server->paused = c;
    else server->paused_last->next_paused = c;
    server->paused_last = c;
    server->stats.paused++;
    gm_mqtt_wait_for_room(server);
    watch_again(c);
}

// Handles the whole packets among the bytes; returns how many bytes they were.
static size_t handle_packets(gm_mqtt_connection *c, const uint8_t *bytes, size_t n)
{
    size_t at = 0;
    while (at < n && !c->condemned && !c->paused && !c->held) {
        gm_mqtt_frame  frame;
        gm_mqtt_fault  fault;
        gm_mqtt_sight  sight = gm_mqtt_look(bytes + at, n - at, c->server->limits.packet, &frame, &fault);
        if (sight == GM_MQTT_MORE) break;
        if (sight == GM_MQTT_BROKEN) {
            gm_mqtt_condemn_fault(c, fault);
            break;
        }
        if (gm_mqtt_handle(c, &frame) == GM_MQTT_LATER) {
            gm_mqtt_pause(c);
            break;
        }
        c->server->stats.packets_in++;
        at += frame.size;
        // One packet may have asked for more than may wait: the others wait until it is sent.
        if (gm_mqtt_waiting_bytes(c) > c->server->limits.outgoing) break;
    }
    return at;
}

// What is left of the bytes becomes c->in.
static void keep_rest(gm_mqtt_connection *c, const uint8_t *rest, size_t n)
{
    if (n == 0 && c->in.capacity > 4096) gm_buf_finish(&c->in);
    gm_buf_clear(&c->in);
    gm_buf_add(&c->in, rest, n);
    if (c->in.failed) gm_mqtt_leave(c, true);
}

// Packets that were left in c->in while reading had stopped.
static void handle_kept(gm_mqtt_connection *c)
{
    if (c->in.len == 0) return;
    size_t done = handle_packets(c, c->in.ptr, c->in.len);
    if (!c->condemned) gm_buf_drop(&c->in, done);
}

// Reads once. False: there was nothing, or the connection is over.
static bool receive_into(gm_mqtt_connection *c, uint8_t *to, size_t *out_n)
{
    ptrdiff_t n = gm_wire_read(c->wire, to, GM_MQTT_READ);
    if (n > 0) {
        *out_n   = (size_t)n;
        c->heard = gm_loop_monotonic(c->server->loop);
        c->server->stats.bytes_in += (uint64_t)n;
        return true;
    }
    // Otherwise the peer has closed, or the connection broke.
    if (n != GM_WIRE_LATER || c->hungup) gm_mqtt_leave(c, true);
    return false;
}

// A packet larger than the scratch buffer is collected in c->in.
static void receive_large(gm_mqtt_connection *c)
{
    uint8_t *to = gm_buf_reserve(&c->in, GM_MQTT_READ);
    if (to == NULL) {
        gm_mqtt_leave(c, true);
        return;
    }
    size_t n;
    if (!receive_into(c, to, &n)) return;
    c->in.len += n;
    handle_kept(c);
    if (!c->condemned && c->in.len == 0) keep_rest(c, NULL, 0);
}

static void receive(gm_mqtt_connection *c)
{
    if (c->in.len > GM_MQTT_SCRATCH - GM_MQTT_READ) {
        receive_large(c);
        return;
    }
    uint8_t *scratch = c->server->scratch;
    size_t   kept = c->in.len, n;
    if (!receive_into(c, scratch + kept, &n)) return;
    if (kept > 0) memcpy(scratch, c->in.ptr, kept);
    size_t have = kept + n, done = handle_packets(c, scratch, have);
    if (!c->condemned) keep_rest(c, scratch + done, have - done);
}

static void on_ready(void *context, uint32_t events)
{
    gm_mqtt_connection *c      = context;
    gm_mqtt_server     *server = c->server;
    server->now                = gm_loop_monotonic(server->loop);
    if (c->condemned) {
        gm_loop_remove(c->watch);  // it keeps reporting that the peer is gone; once is enough
        c->watch = NULL;
        return;
    }
    if (events & GM_LOOP_WRITE) {
        c->blocked = false;
        if (gm_wire_wants_write(c->wire) && may_read(c) && !server->full) receive(c);  // a handshake goes on
        if (!c->condemned && !c->held) flush(c);
        if (may_read(c)) handle_kept(c);
        watch_again(c);
    }
    if ((events & GM_LOOP_READ) && may_read(c) && server->full) gm_mqtt_pause(c);
    if ((events & GM_LOOP_READ) && may_read(c)) {
        receive(c);
        watch_again(c);
        return;
    }
    if ((events & GM_LOOP_HANGUP) && !c->condemned) {
        if (c->paused || c->held) {  // what it has sent before it left is still to be read
            gm_loop_remove(c->watch);
            c->watch  = NULL;
            c->hungup = true;
        } else {
            gm_mqtt_leave(c, true);
        }
    }
}

void gm_mqtt_connection_resume(gm_mqtt_connection *c)
{
    c->paused = false;
    c->heard  = gm_loop_monotonic(c->server->loop);  // it was not the client who was silent
    if (c->condemned) return;
    if (may_read(c)) handle_kept(c);
    // Without a watch nobody will call again: read to the end, or until it has to wait once more.
    while (c->hungup && may_read(c)) receive(c);
    if (c->hungup && !c->paused && !c->held) gm_mqtt_leave(c, true);
    watch_again(c);
}

void gm_mqtt_connection_hold(gm_mqtt_connection *c)
{
    c->held = true;
    watch_again(c);
}

void gm_mqtt_connection_let_go(gm_mqtt_connection *c)
{
    c->held = false;
    gm_mqtt_flush_later(c);
    if (!c->server->closing) gm_mqtt_connection_resume(c);
}

void gm_mqtt_check_time(gm_mqtt_connection *c, gm_dur_ns now)
{
    if (c->condemned || c->paused || c->held) return;
    if (c->session == NULL) {
        // From the start: neither a handshake nor a CONNECT that trickles in holds a place for ever.
        if (now - c->born < c->server->limits.connect_timeout) return;
        c->server->stats.timeouts++;
        gm_mqtt_condemn(c, GM_MQTT_UNSPECIFIED, "no CONNECT in time");
    } else if (c->keep_alive > 0 && now - c->heard > c->keep_alive + c->keep_alive / 2) {
        c->server->stats.timeouts++;
        gm_mqtt_condemn(c, GM_MQTT_KEEP_ALIVE_TIMEOUT,
                        "[MQTT-3.1.2-24] nothing was heard for one and a half times the keep-alive");
    }
}
