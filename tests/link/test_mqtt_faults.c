// Clients that flood, stall, half-close and pile up, and a clock that somebody sets. What each may cost the server is counted.
#include "link/mqtt_rig.h"

#include <arpa/inet.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

// ---- memory that is counted ---------------------------------------------------------------------------------------
typedef struct counted { gm_alloc alloc; size_t now, most; } counted;

static void *count_resize(void *context, void *old, size_t size)
{
    counted *c    = context;
    size_t   was  = old != NULL ? malloc_usable_size(old) : 0;
    void    *made = gm_alloc_system()->resize(gm_alloc_system()->context, old, size);
    if (made == NULL && size > 0) return NULL;
    c->now += (made != NULL ? malloc_usable_size(made) : 0) - was;
    if (c->now > c->most) c->most = c->now;
    return made;
}

// A rig whose server, and nothing else, takes its memory from c. One thread allocates there: the engine's. The other two as in
// rig and gm_mqtt_limits; 0 = default.
static rig *counted_rig(counted *c, size_t batch_limit, size_t queued_bytes)
{
    rig *r = rig_make();
    rig_stop(r);
    *c              = (counted){ .alloc = { count_resize, c } };
    r->server_alloc = &c->alloc;
    r->batch_limit  = batch_limit;
    if (queued_bytes > 0) r->options.limits.queued_bytes = queued_bytes;
    rig_start(r);
    return r;
}

static void finish_counted(rig *r, const counted *c)
{
    rig_stop(r);
    assert_int_equal(c->now, 0);
    rig_free(r);
}

// ---- many that do nothing -------------------------------------------------------------------------------------------
// False: the machine does not let a process have as many descriptors.
static bool allow_descriptors(rlim_t n)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
    if (limit.rlim_cur >= n) return true;
    limit.rlim_cur = n;
    if (limit.rlim_max < n) limit.rlim_max = n;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

// A process of its own with n clients: their descriptors are not the server's. It answers a byte with the same byte when it has
// done what that says: 'c' connects all, 'p' pings all. It ends when its end of the pair is closed.
static void be_idle(int control, uint16_t port, size_t n)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int               *fds = calloc(n, sizeof *fds);
    char               what;
    while (fds != NULL && read(control, &what, 1) == 1) {
        for (size_t i = 0; i < n; i++) {
            char packet[64] = "\x10_\x00\x04MQTT\x04\x02\x00\x00\x00_", answer[4];
            enum { HEAD = 14 };
            int  len = snprintf(packet + HEAD, sizeof packet - HEAD, "idle%zu", i);
            packet[1] = (char)(HEAD - 2 + len);
            packet[HEAD - 1] = (char)len;
            bool pings = what == 'p';
            if (!pings) fds[i] = socket(AF_INET, SOCK_STREAM, 0);
            if (!pings && connect(fds[i], (struct sockaddr *)&to, sizeof to) != 0) _exit(1);
            size_t out = pings ? 2 : (size_t)(HEAD + len), back = pings ? 2 : 4;
            if (send(fds[i], pings ? "\xc0\x00" : packet, out, MSG_NOSIGNAL) != (ssize_t)out) _exit(2);
            if (recv(fds[i], answer, back, MSG_WAITALL) != (ssize_t)back) _exit(3);
        }
        if (write(control, &what, 1) != 1) _exit(4);
    }
    _exit(0);
}

// Tells the idle ones what to do and turns the loop until they have.
static void tell_idle(rig *r, int control, char what)
{
    enum { PATIENCE = 120 };
    gm_dur_ns deadline = gm_monotonic(gm_clock_system()) + PATIENCE * GM_SECOND;
    char      back     = 0;
    gm_watch *watch;
    gm_error  err;
    assert_gm_ok(gm_loop_add(r->loop, control, GM_LOOP_READ, rig_ignore, NULL, &watch, &err), err);
    assert_int_equal(write(control, &what, 1), 1);
    ssize_t n;
    while ((n = recv(control, &back, 1, MSG_DONTWAIT)) < 0 && gm_monotonic(gm_clock_system()) < deadline) rig_turn(r);
    gm_loop_remove(watch);
    assert_int_equal(n, 1);
    assert_int_equal(back, what);
}

static void idle_connections_in_thousands_cost_two_kilobytes_each(void **state)
{
    (void)state;
    enum { FEW = 2000, MANY = 10000, EACH_MAX = 2048, EXTRA = 200 };
    size_t n = getenv("GM_DEEP") != NULL ? MANY : FEW;
    if (!allow_descriptors(n + EXTRA)) {
        print_message("skipped: %zu descriptors are not permitted here (ulimit -n)\n", n + EXTRA);
        skip();
    }
    counted memory;
    rig    *r = counted_rig(&memory, 0, 0);
    int     control[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control), 0);
    pid_t child = fork();
    if (child == 0) {
        close(control[0]);
        be_idle(control[1], gm_mqtt_server_port(r->server), n);
    }
    assert_true(child > 0);
    close(control[1]);
    size_t before = memory.now;
    tell_idle(r, control[0], 'c');
    size_t each = (memory.now - before) / n;
    print_message("%zu connections, %zu bytes each\n", n, each);
    assert_int_equal(gm_mqtt_server_statistics(r->server).connections, n);
    assert_true(each <= EACH_MAX);

    // Somebody who works is served as before, time passes for all, and each of them is still heard.
    rig_client c = rig_connect(r, "dev", 4);
    for (uint16_t i = 1; i <= 50; i++) {
        rig_publish(&c, "gemel/pump1/telemetry", "{\"flow\":1}", 1, i, false);
        rig_expect_ack(&c, GM_MQTT_PUBACK, i);
    }
    rig_pass(r, GM_HOUR);
    tell_idle(r, control[0], 'p');
    close(control[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    rig_expect_nothing(&c);  // a turn or more, in which their ends are seen
    gm_dur_ns deadline = gm_monotonic(gm_clock_system()) + 60 * GM_SECOND;
    while (gm_mqtt_server_statistics(r->server).connections > 1 && gm_monotonic(gm_clock_system()) < deadline) rig_turn(r);
    assert_int_equal(gm_mqtt_server_statistics(r->server).connections, 1);
    rig_hang_up(&c);
    finish_counted(r, &memory);
}

// ---- those that stall, flood and do not read ------------------------------------------------------------------------
static void a_packet_costs_memory_as_its_bytes_come_not_as_they_are_promised(void **state)
{
    (void)state;
    enum { STALLED = 200, EACH_MAX = 8192 };
    counted    memory;
    rig       *r = counted_rig(&memory, 0, 0);
    rig_client stalled[STALLED], other = rig_connect(r, "other", 4);
    size_t     before = memory.now;
    for (int i = 0; i < STALLED; i++) {
        gm_mqtt_connect connect = { .level = 4, .clean = true, .keep_alive_s = 30 };
        stalled[i]              = rig_connect_with(r, &connect, false);
        rig_send_hex(&stalled[i], "32 f0 ff 3f 00 01 'a'");  // a megabyte, says its length
    }
    rig_expect_nothing(&other);
    assert_true((memory.now - before) / STALLED <= EACH_MAX);
    rig_pass(r, 50 * GM_SECOND);  // and silence is silence, also in the middle of a packet
    for (int i = 0; i < STALLED; i++) {
        rig_expect_closed(&stalled[i]);
        rig_hang_up(&stalled[i]);
    }
    rig_expect_nothing(&other);
    assert_int_equal(gm_mqtt_server_statistics(r->server).connections, 1);
    rig_hang_up(&other);
    finish_counted(r, &memory);
}

static void a_flood_waits_in_its_own_socket_and_every_message_is_acknowledged_once(void **state)
{
    (void)state;
    enum { MESSAGES = 20000, MEMORY_MAX = 8 << 20 };
    counted    memory;
    rig       *r = counted_rig(&memory, 64 << 10, 0);  // the log is full most of the time
    rig_client c = rig_connect(r, "flood", 4), other = rig_connect(r, "other", 4);
    gm_buf     out = gm_buf_init(gm_alloc_system());
    for (uint32_t i = 0; i < MESSAGES; i++) {
        char             text[64];
        int              n = snprintf(text, sizeof text, "{\"count\":%u}", i);
        gm_mqtt_outgoing o = { .topic = GM_STR("gemel/pump1/telemetry"), .payload = { text, (size_t)n }, .qos = 1,
                               .packet_id = (uint16_t)(1 + i % UINT16_MAX) };
        gm_mqtt_write_publish(&out, 4, &o);
    }
    size_t sent = 0;
    while (sent < out.len) {  // nothing is read meanwhile
        ssize_t n = send(c.fd, out.ptr + sent, out.len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) sent += (size_t)n;
        rig_pass(r, 0);
    }
    rig_expect_nothing(&other);
    for (uint32_t i = 0; i < MESSAGES; i++) rig_expect_ack(&c, GM_MQTT_PUBACK, (uint16_t)(1 + i % UINT16_MAX));
    rig_expect_nothing(&c);
    assert_true(rig_value(r, "pump1", "count") == MESSAGES - 1);
    print_message("at most %zu KiB\n", memory.most >> 10);
    assert_true(memory.most <= MEMORY_MAX);
    gm_buf_finish(&out);
    rig_hang_up(&c);
    rig_hang_up(&other);
    finish_counted(r, &memory);
}

static void a_subscriber_that_does_not_read_costs_what_its_limits_say(void **state)
{
    (void)state;
    enum { MESSAGES = 3000, SIZE = 10000, QUEUE = 4 << 20, OUT = 1 << 20, SLACK = 4 << 20 };
    for (uint8_t qos = 0; qos < 2; qos++) {
        counted    memory;
        rig       *r = counted_rig(&memory, 0, QUEUE);
        rig_client c = rig_connect(r, "slow", 4), p = rig_connect(r, "p", 4);
        char      *text = malloc(SIZE + 1);
        memset(text, 'x', SIZE);
        text[SIZE] = '\0';
        rig_subscribe(&c, "t", qos);
        for (uint16_t i = 1; i <= MESSAGES; i++) {  // 30 MB
            rig_publish(&p, "t", text, qos, i, false);
            if (qos == 1) rig_expect_ack(&p, GM_MQTT_PUBACK, i);
            else if (i % 50 == 0) rig_expect_nothing(&p);
        }
        gm_mqtt_statistics s = gm_mqtt_server_statistics(r->server);
        print_message("QoS %u: at most %zu KiB\n", qos, memory.most >> 10);
        assert_true(memory.most <= QUEUE + 2 * OUT + SLACK);
        assert_true(qos == 0 ? s.dropped_slow > 0 : s.disconnected_slow == 1);
        free(text);
        rig_hang_up(&c);
        rig_hang_up(&p);
        finish_counted(r, &memory);
    }
}

static void what_a_client_sent_before_it_closed_its_half_is_applied(void **state)
{
    (void)state;
    enum { MESSAGES = 200 };
    rig            *r       = rig_make();
    rig_client      watcher = rig_connect(r, "watcher", 4);
    gm_mqtt_connect connect = { .level = 4, .clean = true, .client_id = GM_STR("half"), .has_will = true, .will_topic = GM_STR("gone"),
                                .will_payload = GM_STR("x") };
    rig_subscribe(&watcher, "gone", 0);
    rig_client c   = rig_connect_with(r, &connect, false);
    gm_buf     out = gm_buf_init(gm_alloc_system());
    for (uint16_t i = 1; i <= MESSAGES; i++) {
        char             text[32];
        int              n = snprintf(text, sizeof text, "{\"count\":%u}", i);
        gm_mqtt_outgoing o = { .topic = GM_STR("gemel/pump1/telemetry"), .payload = { text, (size_t)n }, .qos = 1, .packet_id = i };
        gm_mqtt_write_publish(&out, 4, &o);
    }
    rig_send_buf(&c, &out);
    assert_int_equal(shutdown(c.fd, SHUT_WR), 0);
    (void)rig_expect_publish(&watcher, "gone", "x", 0, false);
    gm_error err;
    assert_gm_ok(gm_engine_settle(r->engine, &err), err);
    assert_true(rig_value(r, "pump1", "count") == MESSAGES);
    rig_expect_nothing(&watcher);
    assert_int_equal(gm_mqtt_server_statistics(r->server).connections, 1);
    gm_buf_finish(&out);
    rig_hang_up(&c);
    rig_hang_up(&watcher);
    rig_free(r);
}

// ---- a clock that jumps -----------------------------------------------------------------------------------------------
static void a_clock_that_is_set_changes_no_interval(void **state)
{
    (void)state;
    static const gm_dur_ns jumps[] = { 365 * GM_DAY, -GM_DAY, -700 * GM_DAY, 400 * GM_DAY };
    rig                   *r       = rig_make();
    gm_mqtt_connect        connect = { .level = 5, .clean = true, .client_id = GM_STR("alive"), .keep_alive_s = 20, .properties.block = { "", 0 } };
    gm_mqtt_connect        keeper  = { .level = 5, .client_id = GM_STR("keeper"), .properties.block = { "", 0 } };
    gm_mqtt_set_number(&keeper.properties, GM_MQTT_SESSION_EXPIRY, 600);
    rig_client c = rig_connect_with(r, &connect, false), k = rig_connect_with(r, &keeper, false);
    rig_subscribe(&k, "t", 1);
    rig_hang_up(&k);
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
        r->jumped += jumps[i];
        rig_pass(r, GM_SECOND);
        rig_expect_nothing(&c);
        rig_publish(&c, "t", "m", 1, 1, false);
        rig_expect_ack(&c, GM_MQTT_PUBACK, 1);
        rig_publish(&c, "gemel/pump1/telemetry", "{\"flow\":1}", 1, 2, false);  // measured "on arrival"
        rig_expect_ack(&c, GM_MQTT_PUBACK, 2);
        assert_int_equal(gm_dead_letters_count(r->letters), 0);
    }
    k = rig_connect_with(r, &keeper, true);  // the session is there, with what came
    for (uint16_t i = 1; i <= sizeof jumps / sizeof jumps[0]; i++) (void)rig_expect_publish(&k, "t", "m", 1, false);
    rig_hang_up(&k);
    rig_expect_nothing(&c);
    rig_pass(r, 35 * GM_SECOND);  // keep-alive
    assert_int_equal(rig_next(&c).type, GM_MQTT_DISCONNECT);
    rig_expect_closed(&c);
    rig_pass(r, 600 * GM_SECOND);
    k = rig_connect_with(r, &keeper, false);
    rig_hang_up(&k);
    rig_hang_up(&c);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_connections_in_thousands_cost_two_kilobytes_each),
        cmocka_unit_test(a_packet_costs_memory_as_its_bytes_come_not_as_they_are_promised),
        cmocka_unit_test(a_flood_waits_in_its_own_socket_and_every_message_is_acknowledged_once),
        cmocka_unit_test(a_subscriber_that_does_not_read_costs_what_its_limits_say),
        cmocka_unit_test(what_a_client_sent_before_it_closed_its_half_is_applied),
        cmocka_unit_test(a_clock_that_is_set_changes_no_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
