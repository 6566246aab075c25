// Clients that flood, stall, send too much or leave: each limit has a test that hits it, and nobody else suffers.
#include "link/mqtt_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static gm_mqtt_limits adjusted;  // what the next rig takes; set by the test that makes it

static void take_adjusted(gm_mqtt_server_options *o)
{
    o->limits = adjusted;
}

static rig *rig_limited(void)
{
    return rig_make_with(take_adjusted);
}

static char *big_text(size_t n)
{
    char *text = malloc(n + 1);
    memset(text, 'x', n);
    text[n] = '\0';
    return text;
}

static void a_packet_beyond_the_limit_closes_before_it_is_received(void **state)
{
    (void)state;
    adjusted        = gm_mqtt_server_options_defaults().limits;
    adjusted.packet = 1000;
    rig       *r = rig_limited();
    rig_client c = rig_connect(r, "abc", 4);
    rig_send_hex(&c, "30 e9 07 00 01 't'");  // remaining length 1001, nothing of it sent yet
    rig_expect_closed(&c);
    rig_hang_up(&c);
    char *text = big_text(994);
    c          = rig_connect(r, "abc", 4);
    rig_subscribe(&c, "t", 0);
    rig_publish(&c, "t", text, 0, 0, false);  // just fits
    rig_expect_publish(&c, "t", text, 0, false);
    free(text);
    rig_hang_up(&c);
    rig_free(r);
}

static void large_packets_arrive_whole_in_pieces_of_any_size(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_connect(r, "abc", 4);
    rig_subscribe(&c, "t", 1);
    static const size_t sizes[] = { 1, 60000, 65535, 65536, 131072, 200000, 1000000 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char *text = big_text(sizes[i]);
        rig_publish(&c, "t", text, 0, 0, false);
        rig_publish(&c, "t", "small", 0, 0, false);
        rig_expect_publish(&c, "t", text, 0, false);
        rig_expect_publish(&c, "t", "small", 0, false);
        free(text);
    }
    rig_hang_up(&c);
    rig_free(r);
}

static void the_connection_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    adjusted             = gm_mqtt_server_options_defaults().limits;
    adjusted.connections = 2;
    rig       *r = rig_limited();
    rig_client a = rig_connect(r, "a", 4), b = rig_connect(r, "b", 4);
    rig_client c = rig_dial(r);
    rig_expect_closed(&c);
    rig_hang_up(&c);
    rig_hang_up(&a);
    c = rig_connect(r, "c", 4);
    rig_expect_nothing(&b);
    rig_expect_nothing(&c);
    assert_int_equal(gm_mqtt_server_statistics(r->server).connections_refused, 1);
    rig_hang_up(&b);
    rig_hang_up(&c);
    rig_free(r);
}

static void a_connection_without_connect_ends_after_its_time(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_dial(r);
    rig_send_hex(&c, "10 0f 00 04");  // half a CONNECT
    rig_pass(r, 0);
    rig_pass(r, 9 * GM_SECOND);
    assert_int_equal(gm_mqtt_server_statistics(r->server).connections, 1);
    rig_pass(r, 5 * GM_SECOND);
    rig_expect_closed(&c);
    rig_hang_up(&c);
    rig_free(r);
}

static void a_reader_that_stops_loses_qos_0_messages_and_nothing_else(void **state)
{
    (void)state;
    adjusted          = gm_mqtt_server_options_defaults().limits;
    adjusted.outgoing = 100000;
    rig       *r = rig_limited();
    rig_client slow = rig_connect(r, "slow", 4), fast = rig_connect(r, "fast", 4), sender = rig_connect(r, "sender", 4);
    char      *text = big_text(10000);
    rig_subscribe(&slow, "t", 0);
    rig_subscribe(&fast, "t", 0);
    for (int i = 0; i < 2000; i++) {  // 20 MB
        rig_publish(&sender, "t", text, 0, 0, false);
        rig_expect_publish(&fast, "t", text, 0, false);
    }
    gm_mqtt_statistics s = gm_mqtt_server_statistics(r->server);
    assert_true(s.dropped_slow > 100);
    assert_int_equal(s.connections, 3);
    size_t got = rig_drain_until(&slow, 10006 * (2000 - s.dropped_slow));
    assert_true(got == 10006 * (2000 - s.dropped_slow));  // whole packets only
    rig_publish(&sender, "t", "again", 0, 0, false);
    rig_expect_publish(&slow, "t", "again", 0, false);
    free(text);
    rig_hang_up(&slow);
    rig_hang_up(&fast);
    rig_hang_up(&sender);
    rig_free(r);
}

static void a_reader_that_stops_is_disconnected_when_its_queue_is_full(void **state)
{
    (void)state;
    adjusted              = gm_mqtt_server_options_defaults().limits;
    adjusted.outgoing     = 100000;
    adjusted.queued_bytes = 500000;
    rig       *r = rig_limited();
    gm_mqtt_connect connect = { .level = 4, .clean = false, .client_id = GM_STR("slow") };
    rig_client slow = rig_connect_with(r, &connect, false), sender = rig_connect(r, "sender", 4);
    char      *text  = big_text(10000);
    rig_subscribe(&slow, "t", 1);
    for (uint16_t i = 1; i <= 2000; i++) {
        rig_publish(&sender, "t", text, 1, i, false);
        rig_expect_ack(&sender, GM_MQTT_PUBACK, i);
    }
    gm_mqtt_statistics s = gm_mqtt_server_statistics(r->server);
    assert_int_equal(s.disconnected_slow, 1);
    assert_true(s.dropped_queue > 0);
    rig_hang_up(&slow);
    slow = rig_connect_with(r, &connect, true);  // what was kept is still there
    rig_expect_publish(&slow, "t", text, 1, false);
    free(text);
    rig_hang_up(&slow);
    rig_hang_up(&sender);
    rig_free(r);
}

static void an_absent_clients_queue_is_bounded(void **state)
{
    (void)state;
    adjusted                 = gm_mqtt_server_options_defaults().limits;
    adjusted.queued_messages = 10;
    rig       *r = rig_limited();
    gm_mqtt_connect connect = { .level = 4, .clean = false, .client_id = GM_STR("away") };
    rig_client c = rig_connect_with(r, &connect, false), sender = rig_connect(r, "sender", 4);
    rig_subscribe(&c, "t", 1);
    rig_hang_up(&c);
    for (uint16_t i = 1; i <= 15; i++) {
        rig_publish(&sender, "t", "m", 1, i, false);
        rig_expect_ack(&sender, GM_MQTT_PUBACK, i);
    }
    assert_int_equal(gm_mqtt_server_statistics(r->server).dropped_queue, 5);
    c = rig_connect_with(r, &connect, true);
    for (int i = 0; i < 10; i++) rig_expect_publish(&c, "t", "m", 1, false);
    rig_expect_nothing(&c);
    rig_hang_up(&c);
    rig_hang_up(&sender);
    rig_free(r);
}

static void a_client_that_only_asks_and_never_reads_is_no_longer_listened_to(void **state)
{
    (void)state;
    adjusted          = gm_mqtt_server_options_defaults().limits;
    adjusted.outgoing = 10000;
    rig       *r = rig_limited();
    rig_client c = rig_connect(r, "abc", 4), other = rig_connect(r, "other", 4);
    static uint8_t pings[1 << 16];
    for (size_t i = 0; i < sizeof pings; i += 2) {
        pings[i]     = 0xc0;
        pings[i + 1] = 0;
    }
    size_t sent = 0;
    for (int stuck = 0; stuck < 50 && sent < (64u << 20);) {
        ssize_t n = send(c.fd, pings, sizeof pings, MSG_DONTWAIT | MSG_NOSIGNAL);
        stuck     = n > 0 ? 0 : stuck + 1;
        sent += n > 0 ? (size_t)n & ~(size_t)1 : 0;
        rig_pass(r, 0);
        if (n > 0 && n % 2) fail_msg("half a ping");
    }
    assert_true(sent < (64u << 20));  // the socket filled up: the server had stopped reading
    rig_expect_nothing(&other);
    size_t back = rig_drain_until(&c, sent);  // reading makes it go on, to the last answer
    assert_int_equal(back, sent);
    rig_hang_up(&c);
    rig_hang_up(&other);
    rig_free(r);
}

static void a_new_subscriber_gets_all_of_a_large_shelf(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_connect(r, "abc", 4);
    char      *text = big_text(3000);
    for (uint16_t i = 1; i <= 1500; i++) {  // 4.5 MB, more than the send buffer's limit
        char topic[32];
        snprintf(topic, sizeof topic, "shelf/%u", i);
        rig_publish(&c, topic, text, 1, i, true);
        rig_expect_ack(&c, GM_MQTT_PUBACK, i);
    }
    for (uint8_t qos = 0; qos < 2; qos++) {
        rig_client s = rig_connect(r, "sub", 4);
        rig_subscribe(&s, "shelf/+", qos);
        for (int i = 0; i < 1500; i++) {
            gm_mqtt_frame f = rig_next(&s);
            assert_int_equal(f.type, GM_MQTT_PUBLISH);
            if (qos == 1)
                rig_send(&s,
                         (uint8_t[]) { 0x40, 2, (uint8_t)f.body.ptr[2 + f.body.ptr[1]],
                                       (uint8_t)f.body.ptr[3 + f.body.ptr[1]] },
                         4);
        }
        rig_expect_nothing(&s);
        rig_hang_up(&s);
    }
    free(text);
    rig_hang_up(&c);
    rig_free(r);
}

static void what_a_device_sent_before_it_left_is_applied(void **state)
{
    (void)state;
    rig   *r   = rig_make();
    gm_buf out = gm_buf_init(gm_alloc_system());
    rig_client c = rig_connect(r, "dev", 4);
    for (int i = 0; i < 3000; i++) {
        gm_mqtt_outgoing o = { .topic   = GM_STR("gemel/pump1/telemetry"),
                               .payload = GM_STR("{\"flow\":1,\"count\":2}"),
                               .qos     = 0 };
        gm_mqtt_write_publish(&out, 4, &o);
    }
    rig_send_buf(&c, &out);
    shutdown(c.fd, SHUT_WR);
    rig_expect_closed(&c);
    assert_int_equal(gm_mqtt_server_statistics(r->server).native_applied, 3000);
    gm_buf_finish(&out);
    rig_hang_up(&c);
    rig_free(r);
}

static void a_full_batch_stops_reading_and_loses_nothing(void **state)
{
    (void)state;
    enum { MESSAGES = 30000 };
    rig *r = rig_make_with(NULL);
    rig_stop(r);
    r->batch_limit = 64 << 10;  // a batch of a few hundred messages
    rig_start(r);
    rig_client c = rig_connect(r, "dev", 4), quitter = rig_connect(r, "quitter", 4), other = rig_connect(r, "other", 4);
    gm_buf     out = gm_buf_init(gm_alloc_system());
    for (int i = 0; i < MESSAGES; i++) {
        gm_mqtt_outgoing o = { .topic     = GM_STR("gemel/pump1/telemetry"),
                               .payload   = GM_STR("{\"flow\":1,\"count\":2}"),
                               .qos       = 1,
                               .packet_id = (uint16_t)(i + 1) };
        gm_mqtt_write_publish(&out, 4, &o);
    }
    // One leaves with everything in the socket's buffer, while reading has stopped.
    size_t part = out.len / 10 - out.len / 10 % (out.len / MESSAGES);
    rig_send(&quitter, out.ptr, part);
    shutdown(quitter.fd, SHUT_WR);
    rig_send_buf(&c, &out);
    for (int i = 0; i < MESSAGES; i++) rig_expect_ack(&c, GM_MQTT_PUBACK, (uint16_t)(i + 1));
    rig_drain(&quitter);
    assert_true(quitter.closed);
    gm_mqtt_statistics s = gm_mqtt_server_statistics(r->server);
    assert_true(s.paused > 0);
    assert_int_equal(s.native_applied, MESSAGES + MESSAGES / 10);
    rig_expect_nothing(&other);
    gm_buf_finish(&out);
    rig_hang_up(&c);
    rig_hang_up(&quitter);
    rig_hang_up(&other);
    rig_free(r);
}

static void idle_connections_cost_no_buffers_and_disturb_nobody(void **state)
{
    (void)state;
    enum { IDLE = 400 };
    rig        *r = rig_make();
    rig_client *idle = calloc(IDLE, sizeof *idle);
    for (int i = 0; i < IDLE; i++) {
        char name[16];
        snprintf(name, sizeof name, "idle%d", i);
        idle[i] = rig_connect(r, name, (uint8_t)(4 + i % 2));
    }
    rig_client c = rig_connect(r, "dev", 4);
    for (uint16_t i = 1; i < 200; i++) {
        rig_publish(&c, "gemel/pump1/telemetry", "{\"flow\":1}", 1, i, false);
        rig_expect_ack(&c, GM_MQTT_PUBACK, i);
    }
    rig_pass(r, GM_HOUR);
    assert_int_equal(gm_mqtt_server_statistics(r->server).connections, IDLE + 1);
    for (int i = 0; i < IDLE; i++) rig_hang_up(&idle[i]);
    assert_int_equal(gm_mqtt_server_statistics(r->server).connections, 1);
    free(idle);
    rig_hang_up(&c);
    rig_free(r);
}

static void retained_messages_go_when_their_time_is_over(void **state)
{
    (void)state;
    enum { MESSAGES = 6000 };  // more than one sweep looks at
    rig       *r   = rig_make();
    rig_client c   = rig_connect(r, "abc", 5);
    gm_buf     out = gm_buf_init(gm_alloc_system());
    for (int i = 0; i < MESSAGES; i++) {
        char             topic[32];
        int              n = snprintf(topic, sizeof topic, "shelf/%d", i);
        gm_mqtt_outgoing o = { .topic = { topic, (size_t)n }, .payload = GM_STR("m"), .retain = true, .has_expiry = i % 2 == 0, .expiry_s = 60 };
        gm_mqtt_write_publish(&out, 5, &o);
    }
    rig_send_buf(&c, &out);
    rig_expect_nothing(&c);
    assert_int_equal(gm_mqtt_server_statistics(r->server).retained, MESSAGES);
    rig_pass(r, 50 * GM_SECOND);
    rig_pass(r, GM_SECOND);
    assert_int_equal(gm_mqtt_server_statistics(r->server).retained, MESSAGES);
    for (int i = 0; i < 4; i++) rig_pass(r, 10 * GM_SECOND);
    assert_int_equal(gm_mqtt_server_statistics(r->server).retained, MESSAGES / 2);
    rig_publish(&c, "shelf/0", "new", 0, 0, true);  // its place can be taken again
    rig_subscribe(&c, "shelf/0", 0);
    (void)rig_expect_publish(&c, "shelf/0", "new", 0, true);
    gm_buf_finish(&out);
    rig_hang_up(&c);
    rig_free(r);
}

// Random traffic of random clients over valid and broken packets: nothing may crash, leak or get stuck.
static void random_traffic_leaves_the_server_in_order(void **state)
{
    (void)state;
    enum { CLIENTS = 6 };
    uint64_t   random = gm_test_seed();
    rig       *r      = rig_make();
    rig_client clients[CLIENTS];
    bool       alive[CLIENTS] = { false };
    gm_buf     out = gm_buf_init(gm_alloc_system());
    for (int step = 0; step < 4000; step++) {
        size_t i    = gm_test_random(&random) % CLIENTS;
        char   name[8], topic[32];
        uint64_t dice = gm_test_random(&random);
        if (!alive[i]) {
            clients[i] = rig_dial(r);
            alive[i]   = true;
            snprintf(name, sizeof name, "c%u", (unsigned)(dice >> 8 & 3));
            gm_mqtt_connect connect = { .level                 = dice & 1 ? 5 : 4,
                                        .clean                 = dice & 2,
                                        .client_id             = gm_str_of(name),
                                        .has_will              = dice & 4,
                                        .will_topic            = GM_STR("w/x"),
                                        .will_payload          = GM_STR("w"),
                                        .will_qos              = (uint8_t)(dice >> 4 & 1),
                                        .properties.block      = { "", 0 },
                                        .will_properties.block = { "", 0 } };
            if (connect.level == 5 && (dice & 8)) gm_mqtt_set_number(&connect.properties, GM_MQTT_SESSION_EXPIRY, 30);
            clients[i].version = connect.level;
            gm_mqtt_write_connect(&out, &connect);
        }
        uint8_t version = clients[i].version;
        snprintf(topic, sizeof topic, "%s",
                 ((const char *[]) { "w/x", "w/y", "gemel/pump1/telemetry", "gemel/none/telemetry" })[dice >> 12 & 3]);
        switch (dice >> 16 & 7) {
        case 0:
        case 1: {
            gm_mqtt_filter f = { .filter = gm_str_of(
                                     ((const char *[]) { "#", "w/+", "+/+/changes", "$share/g/w/x" })[dice >> 20 & 3]),
                                 .qos = (uint8_t)((dice >> 22 & 3) % 3) };
            gm_mqtt_write_subscribe(&out, version, 1 + (dice >> 32 & 0xff), 0, &f, 1);
            break;
        }
        case 2: gm_mqtt_write_ack(&out, (uint8_t)(4 + (dice >> 24 & 3)), version, 1 + (dice >> 32 & 0xf), 0); break;
        case 3: gm_buf_add(&out, &dice, dice >> 61); break;  // nonsense
        default: {
            gm_mqtt_outgoing o = { .topic     = gm_str_of(topic),
                                   .payload   = GM_STR("{\"flow\":1}"),
                                   .qos       = (uint8_t)((dice >> 26 & 3) % 3),
                                   .packet_id = 1 + (dice >> 32 & 0xf),
                                   .retain    = (dice >> 30 & 3) == 0 };
            gm_mqtt_write_publish(&out, version, &o);
        }
        }
        rig_send_buf(&clients[i], &out);
        if ((dice >> 50 & 7) == 0) rig_pass(r, (gm_dur_ns)(dice >> 53 & 7) * GM_SECOND);
        if ((dice >> 40 & 15) == 0) rig_drain(&clients[i]);
        if ((dice >> 44 & 15) == 0 || clients[i].closed) {
            rig_hang_up(&clients[i]);
            alive[i] = false;
        }
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        if (alive[i]) rig_hang_up(&clients[i]);
    }
    rig_client c = rig_connect(r, "sane", 4);
    rig_publish(&c, "gemel/pump1/telemetry", "{\"flow\":1}", 1, 1, false);
    rig_expect_ack(&c, GM_MQTT_PUBACK, 1);
    rig_hang_up(&c);
    rig_pass(r, 10 * GM_DAY);
    assert_int_equal(gm_mqtt_server_statistics(r->server).sessions, 0);
    assert_int_equal(gm_mqtt_server_statistics(r->server).subscriptions, 0);
    gm_buf_finish(&out);
    rig_free(r);
}

// A conversation that touches everything that allocates. Whoever is refused memory may close; nobody may crash.
static void talk(rig *r)
{
    gm_mqtt_connect connect = { .level                 = 5,
                                .clean                 = false,
                                .client_id             = GM_STR("will"),
                                .has_will              = true,
                                .will_topic            = GM_STR("w"),
                                .will_payload          = GM_STR("gone"),
                                .properties.block      = { "", 0 },
                                .will_properties.block = { "", 0 } };
    gm_buf     out  = gm_buf_init(gm_alloc_system());
    rig_client a    = rig_dial(r), b = rig_dial(r);
    gm_mqtt_write_connect(&out, &connect);
    rig_send_buf(&a, &out);
    rig_send_hex(&b, "10 0d 00 04 'MQTT' 04 02 00 00 00 01 'b'");
    rig_drain(&b);
    rig_send_hex(&b, "82 0e 00 01 00 03 'w/#' 01 00 03 'w/+' 02");
    rig_send_hex(&b, "82 06 00 02 00 01 'w' 02");
    rig_send_hex(&a, "82 12 00 03 02 0b 05 00 0a '$share/g/#' 02");
    rig_drain(&b);
    rig_send_hex(&a, "34 13 00 03 'w/x' 00 05 0a 23 00 01 26 00 01 'k' 00 01 'v' 'm'");
    rig_send_hex(&a, "33 09 00 03 'w/y' 00 06 00 'm'");
    rig_send_hex(&b, "32 2d 00 15 'gemel/pump1/telemetry' 00 07 '{\"flow\":1,\"count\":2}'");
    rig_send_hex(&b, "32 0f 00 0b 'gemel/pump1' 00 08");
    rig_drain(&a);
    rig_drain(&b);
    rig_hang_up(&a);
    rig_pass(r, GM_SECOND);
    rig_drain(&b);
    rig_hang_up(&b);
    gm_buf_finish(&out);
}

static void the_endpoint_survives_every_allocation_failure(void **state)
{
    (void)state;
    rig *r = rig_make();
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc fault;
        gm_fault_alloc_init(&fault, k);
        rig_stop(r);
        r->server_alloc = &fault.alloc;
        rig_start(r);
        if (r->server != NULL) talk(r);
        if (!fault.fired) {
            gm_mqtt_statistics s = gm_mqtt_server_statistics(r->server);
            if (s.protocol_errors != 0 || s.messages_in != 4 || s.native_applied != 1 || s.native_rejected != 1 ||
                s.retained != 1) {
                fail_msg("%" PRIu64 " messages, %" PRIu64 " applied, %" PRIu64 " rejected, %" PRIu64
                         " retained, last error: %s",
                         s.messages_in, s.native_applied, s.native_rejected, s.retained, s.last_error);
            }
        }
        rig_stop(r);
        assert_int_equal(fault.live_blocks, 0);
        r->server_alloc = NULL;
        rig_start(r);
        if (!fault.fired) break;
    }
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_beyond_the_limit_closes_before_it_is_received),
        cmocka_unit_test(large_packets_arrive_whole_in_pieces_of_any_size),
        cmocka_unit_test(the_connection_beyond_the_limit_is_refused),
        cmocka_unit_test(a_connection_without_connect_ends_after_its_time),
        cmocka_unit_test(a_reader_that_stops_loses_qos_0_messages_and_nothing_else),
        cmocka_unit_test(a_reader_that_stops_is_disconnected_when_its_queue_is_full),
        cmocka_unit_test(an_absent_clients_queue_is_bounded),
        cmocka_unit_test(a_client_that_only_asks_and_never_reads_is_no_longer_listened_to),
        cmocka_unit_test(a_new_subscriber_gets_all_of_a_large_shelf),
        cmocka_unit_test(what_a_device_sent_before_it_left_is_applied),
        cmocka_unit_test(a_full_batch_stops_reading_and_loses_nothing),
        cmocka_unit_test(idle_connections_cost_no_buffers_and_disturb_nobody),
        cmocka_unit_test(retained_messages_go_when_their_time_is_over),
        cmocka_unit_test(random_traffic_leaves_the_server_in_order),
        cmocka_unit_test(the_endpoint_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
