#include "link/mqtt_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const char model[] =
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:test:Motor;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Telemetry\",\"name\":\"speed\",\"schema\":\"integer\"}]},"
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:test:Pump;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"},"
    "{\"@type\":\"Telemetry\",\"name\":\"count\",\"schema\":\"integer\"},"
    "{\"@type\":\"Property\",\"name\":\"label\",\"schema\":\"string\",\"writable\":true},"
    "{\"@type\":\"Component\",\"name\":\"motor\",\"schema\":\"dtmi:test:Motor;1\"}]}]";

static gm_time_ns rig_now(void *context)
{
    const rig *r = context;
    return gm_now(gm_clock_system()) + r->ahead + r->jumped;
}

static gm_dur_ns rig_monotonic(void *context)
{
    return gm_monotonic(gm_clock_system()) + ((rig *)context)->ahead;
}

void rig_start(rig *r)
{
    gm_error          err;
    gm_engine_options eo = { .alloc    = r->alloc != NULL ? r->alloc : gm_alloc_system(),
                             .io       = r->folder != NULL ? gm_io_system() : &r->disk.io,
                             .clock    = &r->clock,
                             .data_dir = r->folder != NULL ? r->folder : "data",
                             .log      = gm_log_options_defaults() };
    assert_gm_ok(gm_loop_create(eo.alloc, &r->clock, &r->loop, &err), err);
    eo.loop                = r->loop;
    eo.log.segment_size    = 1 << 20;
    eo.log.realtime_commit = false;
    if (r->batch_limit > 0) eo.log.batch_limit = r->batch_limit;
    assert_gm_ok(gm_engine_open(&eo, &r->engine, &err), err);
    assert_gm_ok(gm_dead_letters_create(eo.alloc, &r->clock, r->engine, &r->letters, &err), err);
    assert_gm_ok(gm_retained_create(eo.alloc, r->engine, &r->retained, &err), err);
    assert_gm_ok(gm_creator_create(eo.alloc, r->engine, &r->creator, &err), err);
    // Where memory is refused on purpose the server is made in one go.
    r->prepared = NULL;
    if (r->server_alloc == NULL) assert_gm_ok(gm_mqtt_server_prepare(eo.alloc, r->loop, r->engine, &r->prepared, &err), err);
    if (r->guarded) {
        gm_access_options ao = { .alloc = eo.alloc, .clock = &r->clock, .engine = r->engine, .relationships = GM_STR("contains") };
        assert_gm_ok(gm_access_create(&ao, &r->access, &err), err);
    }
    assert_gm_ok(gm_engine_recover(r->engine, &err), err);
    if (gm_state_twin_count(gm_engine_state(r->engine)) == 0) {
        gm_str none = { "", 0 };
        assert_gm_ok(
            gm_engine_submit(r->engine, GM_CHANGE_MODELS, 0, none, none, gm_str_of(model), (gm_ask) { 0 }, &err), err);
        assert_gm_ok(gm_engine_settle(r->engine, &err), err);
        const gm_type *pump = gm_model_find(gm_engine_model(r->engine), GM_STR("dtmi:test:Pump;1"));
        assert_non_null(pump);
        static const char *const ids[] = { "pump1", "pump2", "a/b" };
        for (size_t i = 0; i < 3; i++) {
            assert_gm_ok(gm_engine_twin_put(r->engine, (gm_twin) { GM_NONE }, gm_str_of(ids[i]), pump, NULL, 0,
                                            (gm_ask) { 0 }, NULL, &err),
                         err);
        }
        assert_gm_ok(gm_engine_settle(r->engine, &err), err);
    }
    gm_mqtt_server_options *o = &r->options;
    o->alloc        = r->server_alloc != NULL ? r->server_alloc : eo.alloc;
    o->loop         = r->loop;
    o->engine       = r->engine;
    o->dead_letters = r->letters;
    o->retained     = r->retained;
    o->creator      = r->creator;
    o->access       = r->access;
    o->clock        = &r->clock;
    o->address      = GM_STR("127.0.0.1:0");
    o->prepared     = r->prepared;
    gm_status st    = gm_mqtt_server_create(o, &r->server, &err);
    if (st != GM_NOMEM || r->server_alloc == NULL) assert_gm_ok(st, err);
}

void rig_stop(rig *r)
{
    if (r->prepared != NULL) gm_mqtt_server_stop(r->server);
    else gm_mqtt_server_destroy(r->server);
    gm_engine_close(r->engine);
    gm_mqtt_server_destroy(r->prepared);
    gm_access_destroy(r->access);
    r->access = NULL;
    gm_creator_destroy(r->creator);
    gm_retained_destroy(r->retained);
    gm_dead_letters_destroy(r->letters);
    gm_loop_destroy(r->loop);
    r->server = NULL;
    r->engine = NULL;
    r->loop   = NULL;
}

static rig *make(const gm_alloc *alloc, void (*adjust)(gm_mqtt_server_options *options))
{
    rig *r   = calloc(1, sizeof *r);
    r->alloc = alloc;
    r->clock = (gm_clock){ .now = rig_now, .monotonic = rig_monotonic, .context = r };
    gm_fault_io_init(&r->disk, 1);
    r->options = gm_mqtt_server_options_defaults();
    if (adjust != NULL) adjust(&r->options);
    rig_start(r);
    return r;
}

rig *rig_make_with(void (*adjust)(gm_mqtt_server_options *options)) { return make(NULL, adjust); }
rig *rig_make_of(const gm_alloc *alloc) { return make(alloc, NULL); }
rig *rig_make(void) { return make(NULL, NULL); }

void rig_restart(rig *r)
{
    rig_stop(r);
    gm_fault_io_restart(&r->disk);
    rig_start(r);
}

void rig_free(rig *r)
{
    if (r->engine != NULL) rig_stop(r);
    gm_fault_io_finish(&r->disk);
    free(r);
}

void rig_turn(rig *r)
{
    gm_error err;
    assert_gm_ok(gm_loop_turn(r->loop, &err), err);
}

static void tick(void *context)
{
    *(bool *)context = true;
}

// Turns until a timer that is due at once has fired: everything that is ready is seen, and nothing is waited for.
static void turn_without_waiting(rig *r)
{
    bool      fired = false;
    gm_timer *timer;
    gm_error  err;
    assert_gm_ok(gm_loop_after(r->loop, 0, tick, &fired, &timer, &err), err);
    while (!fired) rig_turn(r);
}

void rig_pass(rig *r, gm_dur_ns time)
{
    r->ahead += time;
    turn_without_waiting(r);
    turn_without_waiting(r);
}

// ---- clients ------------------------------------------------------------------------------------------------------
void rig_ignore(void *context, uint32_t events)
{
    (void)context;
    (void)events;
}

rig_client rig_dial(rig *r)
{
    rig_client         c  = { .r = r, .version = 4, .in = gm_buf_init(gm_alloc_system()) };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(gm_mqtt_server_port(r->server)) };
    int                one = 1;
    gm_error           err;
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    c.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(c.fd, (struct sockaddr *)&to, sizeof to), 0);
    setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(c.fd, F_SETFL, O_NONBLOCK);
    assert_gm_ok(gm_loop_add(r->loop, c.fd, GM_LOOP_READ, rig_ignore, NULL, &c.watch, &err), err);
    return c;
}

void rig_hang_up(rig_client *c)
{
    if (c->r->loop != NULL) gm_loop_remove(c->watch);  // else it went with it
    close(c->fd);
    gm_buf_finish(&c->in);
    if (c->r->loop != NULL) turn_without_waiting(c->r);
}

void rig_send(rig_client *c, const void *bytes, size_t n)
{
    const uint8_t *at = bytes;
    for (int tries = 0; n > 0 && tries < 100000; tries++) {
        ssize_t sent = send(c->fd, at, n, MSG_NOSIGNAL);
        if (sent > 0) {
            at += sent;
            n -= (size_t)sent;
        } else if (errno == EAGAIN) {
            turn_without_waiting(c->r);
        } else {
            return;  // closed by the server: what comes next will show it
        }
    }
}

void rig_send_buf(rig_client *c, gm_buf *packet)
{
    assert_false(packet->failed);
    rig_send(c, packet->ptr, packet->len);
    gm_buf_clear(packet);
}

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t n = 0;
    for (; *hex != '\0'; hex++) {
        if (*hex == ' ') continue;
        if (*hex == '\'') {  // 'text'
            for (hex++; *hex != '\''; hex++) out[n++] = (uint8_t)*hex;
            continue;
        }
        char pair[3] = { hex[0], hex[1], 0 };
        out[n++]     = (uint8_t)strtoul(pair, NULL, 16);
        hex++;
    }
    return n;
}

void rig_send_hex(rig_client *c, const char *hex)
{
    uint8_t bytes[4096];
    rig_send(c, bytes, unhex(hex, bytes));
}

// Receives what is there. False when the server has closed.
static bool receive(rig_client *c)
{
    uint8_t *to = gm_buf_reserve(&c->in, 65536);
    ssize_t  n  = recv(c->fd, to, 65536, MSG_DONTWAIT);
    if (n > 0) c->in.len += (size_t)n;
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        gm_loop_remove(c->watch);
        c->watch  = NULL;
        c->closed = true;
    }
    return !c->closed;
}

bool rig_pump(rig_client *c)
{
    size_t had = c->in.len;
    if (!receive(c)) return false;
    if (c->in.len == had) rig_turn(c->r);
    return true;
}

// Until n bytes are there, the server closes, or ten seconds have passed.
static bool wait_for(rig_client *c, size_t n)
{
    gm_dur_ns deadline = gm_monotonic(gm_clock_system()) + 10 * GM_SECOND;
    while (c->in.len < n && gm_monotonic(gm_clock_system()) < deadline) {
        if (!receive(c)) break;
        if (c->in.len < n) rig_turn(c->r);
    }
    return c->in.len >= n;
}

static void show(const char *what, const uint8_t *bytes, size_t n)
{
    printf("%s (%zu):", what, n);
    for (size_t i = 0; i < n && i < 64; i++) printf(" %02x", bytes[i]);
    printf("\n");
}

void rig_expect(rig_client *c, const void *bytes, size_t n)
{
    bool there = wait_for(c, n);
    if (there && memcmp(c->in.ptr, bytes, n) == 0) {
        gm_buf_drop(&c->in, n);
        return;
    }
    show("expected", bytes, n);
    show("received", c->in.ptr, c->in.len);
    fail_msg("the server said something else%s; its last error: %s", c->closed ? " and closed" : "",
             gm_mqtt_server_statistics(c->r->server).last_error);
}

void rig_expect_hex(rig_client *c, const char *hex)
{
    uint8_t bytes[4096];
    rig_expect(c, bytes, unhex(hex, bytes));
}

void rig_expect_ack(rig_client *c, uint8_t type, uint16_t packet_id)
{
    uint8_t bytes[4] = { (uint8_t)(type << 4 | (type == GM_MQTT_PUBREL ? 2 : 0)), 2, (uint8_t)(packet_id >> 8),
                         (uint8_t)packet_id };
    rig_expect(c, bytes, sizeof bytes);
}

gm_mqtt_frame rig_next(rig_client *c)
{
    static uint8_t kept[1 << 21];
    gm_mqtt_frame  frame = { 0 };
    gm_mqtt_fault  fault;
    for (;;) {
        gm_mqtt_sight sight = gm_mqtt_look(c->in.ptr, c->in.len, sizeof kept, &frame, &fault);
        if (sight == GM_MQTT_BROKEN) fail_msg("the server sent a broken packet: %s", fault.rule);
        if (sight == GM_MQTT_WHOLE) break;
        if (!wait_for(c, c->in.len + 1))
            fail_msg("no packet came%s; last error: %s", c->closed ? ", the server closed" : "",
                     gm_mqtt_server_statistics(c->r->server).last_error);
    }
    memcpy(kept, c->in.ptr, frame.size);
    gm_buf_drop(&c->in, frame.size);
    frame.body.ptr = (const char *)kept + (frame.size - frame.body.len);
    return frame;
}

gm_mqtt_publish rig_expect_publish(rig_client *c, const char *topic, const char *payload, uint8_t qos, bool retain)
{
    gm_mqtt_frame   frame = rig_next(c);
    gm_mqtt_publish p;
    if (frame.type != GM_MQTT_PUBLISH) fail_msg("packet type %u instead of a PUBLISH on %s", frame.type, topic);
    gm_mqtt_fault fault = gm_mqtt_read_publish(frame.flags, frame.body, c->version, &p);
    if (fault.rule != NULL) fail_msg("the server sent a broken PUBLISH: %s", fault.rule);
    if (!gm_str_is(p.topic, topic) || (payload != NULL && !gm_str_is(p.payload, payload)) || p.qos != qos ||
        p.retain != retain) {
        fail_msg("received '" GM_STR_FMT "' '" GM_STR_FMT "' QoS %u retain %d, expected '%s' '%s' QoS %u retain %d",
                 GM_STR_ARG(p.topic), GM_STR_ARG(p.payload), p.qos, p.retain, topic, payload, qos, retain);
    }
    return p;
}

void rig_expect_nothing(rig_client *c)
{
    rig_send_hex(c, "c0 00");
    rig_expect_hex(c, "d0 00");
}

void rig_expect_closed(rig_client *c)
{
    wait_for(c, SIZE_MAX);
    if (!c->closed || c->in.len > 0) {
        show("received", c->in.ptr, c->in.len);
        fail_msg("the server did not close%s", c->closed ? " without a word" : "");
    }
}

size_t rig_drain(rig_client *c)
{
    size_t all = 0;
    for (int quiet = 0; quiet < 20 && !c->closed; quiet++) {
        turn_without_waiting(c->r);
        receive(c);
        if (c->in.len > 0) quiet = 0;
        all += c->in.len;
        gm_buf_clear(&c->in);
    }
    return all;
}

size_t rig_drain_until(rig_client *c, size_t n)
{
    size_t all = 0;
    while (all < n && wait_for(c, 1)) {
        all += c->in.len;
        gm_buf_clear(&c->in);
    }
    return all;
}

rig_client rig_connect_with(rig *r, const gm_mqtt_connect *connect, bool expect_present)
{
    rig_client c = rig_dial(r);
    c.version    = connect->level;
    gm_buf out   = gm_buf_init(gm_alloc_system());
    gm_mqtt_write_connect(&out, connect);
    rig_send_buf(&c, &out);
    gm_buf_finish(&out);
    gm_mqtt_frame frame = rig_next(&c);
    assert_int_equal(frame.type, GM_MQTT_CONNACK);
    assert_int_equal(frame.body.ptr[1], 0);
    assert_int_equal(frame.body.ptr[0], expect_present);
    return c;
}

rig_client rig_connect(rig *r, const char *client_id, uint8_t version)
{
    gm_mqtt_connect connect = {
        .level = version, .clean = true, .client_id = gm_str_of(client_id), .properties.block = { "", 0 }
    };
    return rig_connect_with(r, &connect, false);
}

void rig_publish(rig_client *c, const char *topic, const char *payload, uint8_t qos, uint16_t packet_id, bool retain)
{
    gm_buf           out = gm_buf_init(gm_alloc_system());
    gm_mqtt_outgoing o   = {
          .topic = gm_str_of(topic), .payload = gm_str_of(payload), .qos = qos, .packet_id = packet_id, .retain = retain
    };
    gm_mqtt_write_publish(&out, c->version, &o);
    rig_send_buf(c, &out);
    gm_buf_finish(&out);
}

void rig_subscribe(rig_client *c, const char *filter, uint8_t qos)
{
    gm_buf         out = gm_buf_init(gm_alloc_system());
    gm_mqtt_filter f   = { .filter = gm_str_of(filter), .qos = qos };
    gm_mqtt_write_subscribe(&out, c->version, 9, 0, &f, 1);
    rig_send_buf(c, &out);
    uint8_t codes[1] = { qos };
    gm_mqtt_write_codes(&out, GM_MQTT_SUBACK, c->version, 9, codes, 1);
    rig_expect(c, out.ptr, out.len);
    gm_buf_finish(&out);
}

// ---- what became of it --------------------------------------------------------------------------------------------
void rig_expect_dead_letter(rig *r, const char *topic, const char *reason)
{
    if (gm_dead_letters_count(r->letters) == 0) fail_msg("there is no dead letter");
    gm_dead_letter letter = gm_dead_letters_at(r->letters, 0);
    if (!gm_str_is(letter.topic, topic) || !gm_str_starts(letter.reason, gm_str_of(reason))) {
        fail_msg("the newest dead letter is '" GM_STR_FMT "' on '" GM_STR_FMT "', expected '%s' on '%s'",
                 GM_STR_ARG(letter.reason), GM_STR_ARG(letter.topic), reason, topic);
    }
}

double rig_value(rig *r, const char *twin, const char *path)
{
    const gm_state *state = gm_engine_state(r->engine);
    gm_twin         t     = gm_state_find(state, gm_str_of(twin));
    assert_true(gm_twin_ok(t));
    uint32_t column = gm_type_column_index(gm_state_type(state, t), gm_str_of(path));
    assert_int_not_equal(column, GM_NO_COLUMN);
    gm_cell cell;
    gm_state_get(state, t, column, &cell);
    if (cell.value.kind == GM_KIND_DOUBLE) return cell.value.d;
    return cell.value.kind == GM_KIND_INT || cell.value.kind == GM_KIND_BOOL ? (double)cell.value.i : NAN;
}
