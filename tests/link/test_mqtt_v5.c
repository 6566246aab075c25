// What version 5 adds, by the normative statements of the standard ([MQTT-x.y.z-n] of MQTT Version 5.0).
#include "link/mqtt_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static gm_mqtt_connect v5(const char *id)
{
    return (gm_mqtt_connect) { .level                 = 5,
                               .clean                 = true,
                               .client_id             = gm_str_of(id),
                               .properties.block      = { "", 0 },
                               .will_properties.block = { "", 0 } };
}

static rig_client connect_v5(rig *r, const char *id)
{
    gm_mqtt_connect c = v5(id);
    return rig_connect_with(r, &c, false);
}

static void send_publish(rig_client *c, const gm_mqtt_outgoing *o)
{
    gm_buf out = gm_buf_init(gm_alloc_system());
    gm_mqtt_write_publish(&out, 5, o);
    rig_send_buf(c, &out);
    gm_buf_finish(&out);
}

// SUBSCRIBE with options; expects one code.
static void subscribe(rig_client *c, gm_mqtt_filter filter, uint32_t id, uint8_t code)
{
    gm_buf out = gm_buf_init(gm_alloc_system());
    gm_mqtt_write_subscribe(&out, 5, 3, id, &filter, 1);
    rig_send_buf(c, &out);
    gm_mqtt_write_codes(&out, GM_MQTT_SUBACK, 5, 3, &code, 1);
    rig_expect(c, out.ptr, out.len);
    gm_buf_finish(&out);
}

// The next packet is a DISCONNECT with that reason, and then the connection ends.
static void expect_disconnect(rig_client *c, uint8_t reason)
{
    gm_mqtt_frame  frame = rig_next(c);
    gm_mqtt_notice notice;
    if (frame.type != GM_MQTT_DISCONNECT) fail_msg("packet type %u instead of DISCONNECT", frame.type);
    assert_null(gm_mqtt_read_notice(frame.type, frame.body, 5, &notice).rule);
    if (notice.reason != reason) fail_msg("reason 0x%02x, expected 0x%02x", notice.reason, reason);
    rig_expect_closed(c);
}

static void connack_says_what_the_server_can__3_2_2_3(void **state)
{
    (void)state;
    rig            *r = rig_make();
    rig_client      c = rig_dial(r);
    gm_mqtt_connect connect = v5("");
    gm_buf          out     = gm_buf_init(gm_alloc_system());
    gm_mqtt_set_number(&connect.properties, GM_MQTT_SESSION_EXPIRY, UINT32_MAX);
    gm_mqtt_write_connect(&out, &connect);
    rig_send_buf(&c, &out);
    gm_mqtt_frame frame = rig_next(&c);
    assert_int_equal(frame.type, GM_MQTT_CONNACK);
    // The body is flags, reason, properties: read as a DISCONNECT would be, which may carry most of them.
    assert_int_equal(frame.body.ptr[0], 0);
    assert_int_equal(frame.body.ptr[1], 0);
    gm_str rest = gm_str_slice(frame.body, 2, frame.body.len);
    assert_true(gm_str_find_char(rest, GM_MQTT_ASSIGNED_CLIENT_ID) != SIZE_MAX);   // [MQTT-3.2.2-16]
    assert_true(gm_str_find(rest, GM_STR("gemel-")) != SIZE_MAX);
    assert_true(gm_str_find(rest, GM_STR("\x11\x00\x09\x3a\x80")) != SIZE_MAX);    // session expiry: 7 days
    assert_true(gm_str_find(rest, GM_STR("\x27\x00\x10\x00\x00")) != SIZE_MAX);    // maximum packet size: 1 MiB
    assert_true(gm_str_find(rest, GM_STR("\x22\x00\x40")) != SIZE_MAX);            // topic alias maximum: 64
    gm_buf_finish(&out);
    rig_hang_up(&c);
    rig_free(r);
}

// CONNECT with that keep-alive; does CONNACK name `told` instead (0: nothing)?
static void check_keep_alive(rig *r, uint8_t level, uint16_t asked, uint16_t told)
{
    rig_client      c       = rig_dial(r);
    gm_mqtt_connect connect = v5("k");
    gm_buf          out     = gm_buf_init(gm_alloc_system());
    const char      named[] = { GM_MQTT_SERVER_KEEP_ALIVE, (char)(told >> 8), (char)told };
    connect.level           = level;
    connect.keep_alive_s    = asked;
    gm_mqtt_write_connect(&out, &connect);
    rig_send_buf(&c, &out);
    gm_mqtt_frame frame = rig_next(&c);
    assert_int_equal(frame.type, GM_MQTT_CONNACK);
    assert_int_equal(frame.body.ptr[1], 0);
    gm_str rest = gm_str_slice(frame.body, 3, frame.body.len);
    bool   any  = gm_str_find_char(rest, GM_MQTT_SERVER_KEEP_ALIVE) != SIZE_MAX;
    if (any != (told > 0)) fail_msg("keep-alive %u is %sreplaced", asked, any ? "" : "not ");
    if (told > 0) assert_true(gm_str_find(rest, (gm_str){ named, sizeof named }) != SIZE_MAX);
    gm_buf_finish(&out);
    rig_hang_up(&c);
}

static void the_servers_keep_alive_replaces_a_longer_one__MQTT_3_1_2_21_MQTT_3_2_2_21_22(void **state)
{
    (void)state;
    rig *r = rig_make();
    check_keep_alive(r, 5, 120, 60);
    check_keep_alive(r, 5, 60, 0);
    check_keep_alive(r, 5, 0, 0);
    gm_mqtt_connect connect = v5("quiet");
    connect.keep_alive_s    = 120;
    rig_client c            = rig_connect_with(r, &connect, false);
    rig_pass(r, 85 * GM_SECOND);
    rig_expect_nothing(&c);  // and it was heard by that
    rig_pass(r, 95 * GM_SECOND);
    expect_disconnect(&c, GM_MQTT_KEEP_ALIVE_TIMEOUT);
    rig_hang_up(&c);
    connect.level = 4;  // nobody can tell it, so it is what it asked for
    c             = rig_connect_with(r, &connect, false);
    rig_pass(r, 170 * GM_SECOND);
    rig_expect_nothing(&c);
    rig_hang_up(&c);
    rig_free(r);
}

static void a_malformed_connect_is_answered_with_its_reason__MQTT_3_1_4_1(void **state)
{
    (void)state;
    static const struct { const char *hex; uint8_t reason; } cases[] = {
        { "10 10 00 04 'MQTT' 05 03 00 00 00 00 03 'abc'", GM_MQTT_MALFORMED },
        { "10 13 00 04 'MQTT' 05 02 00 00 03 21 00 00 00 03 'abc'", GM_MQTT_PROTOCOL_ERROR },
        { "10 14 00 04 'MQTT' 05 02 00 00 04 15 00 01 'x' 00 03 'abc'", GM_MQTT_BAD_AUTHENTICATION_METHOD },
        { "10 10 00 04 'MQTT' 07 02 00 00 00 00 03 'abc'", GM_MQTT_UNSUPPORTED_VERSION },
    };
    rig *r = rig_make();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig_client c = rig_dial(r);
        rig_send_hex(&c, cases[i].hex);
        gm_mqtt_frame frame = rig_next(&c);
        assert_int_equal(frame.type, GM_MQTT_CONNACK);
        assert_int_equal((uint8_t)frame.body.ptr[1], cases[i].reason);
        rig_expect_closed(&c);
        rig_hang_up(&c);
    }
    rig_free(r);
}

static void faults_are_told_before_the_connection_closes__MQTT_4_13_1_1(void **state)
{
    (void)state;
    static const struct { const char *hex; uint8_t reason; } cases[] = {
        { "30 06 00 03 'a/+' 00", GM_MQTT_TOPIC_INVALID },
        { "30 05 00 02 c3 28 00", GM_MQTT_MALFORMED },
        { "36 06 00 01 'a' 00 01 00", GM_MQTT_MALFORMED },
        { "30 07 00 01 'a' 03 23 00 00", GM_MQTT_TOPIC_ALIAS_INVALID },
        { "30 07 00 01 'a' 03 23 00 41", GM_MQTT_TOPIC_ALIAS_INVALID },   // [MQTT-3.3.2-9]
        { "30 06 00 00 03 23 00 05", GM_MQTT_PROTOCOL_ERROR },            // never set
        { "30 06 00 01 'a' 02 0b 05", GM_MQTT_PROTOCOL_ERROR },           // [MQTT-3.3.4-6]
        { "82 07 00 01 00 00 01 'a' c0", GM_MQTT_MALFORMED },             // [MQTT-3.8.3-5]
        { "82 10 00 01 00 00 0a '$share/g/a' 04", GM_MQTT_PROTOCOL_ERROR },  // [MQTT-3.8.3-4]
        { "82 08 00 01 00 00 02 'a#' 00", GM_MQTT_FILTER_INVALID },
        { "f0 00", GM_MQTT_PROTOCOL_ERROR },
        { "e0 07 00 05 11 00 00 00 05", GM_MQTT_PROTOCOL_ERROR },         // [MQTT5-3.14.2.2.2]
    };
    rig *r = rig_make();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig_client c = connect_v5(r, "abc");
        rig_send_hex(&c, cases[i].hex);
        expect_disconnect(&c, cases[i].reason);
        rig_hang_up(&c);
    }
    rig_free(r);
}

static void taking_over_is_told_to_the_old_connection__MQTT_3_1_4_3(void **state)
{
    (void)state;
    rig       *r   = rig_make();
    rig_client old = connect_v5(r, "abc"), c = connect_v5(r, "abc");
    expect_disconnect(&old, GM_MQTT_TAKEN_OVER);
    rig_expect_nothing(&c);
    rig_hang_up(&old);
    rig_hang_up(&c);
    rig_free(r);
}

static void a_session_lives_as_long_as_it_asked_for__MQTT_3_1_2_23(void **state)
{
    (void)state;
    rig            *r       = rig_make();
    gm_mqtt_connect connect = v5("keeper");
    connect.clean           = false;
    gm_mqtt_set_number(&connect.properties, GM_MQTT_SESSION_EXPIRY, 60);
    rig_client c = rig_connect_with(r, &connect, false);
    rig_hang_up(&c);
    rig_pass(r, 50 * GM_SECOND);
    c = rig_connect_with(r, &connect, true);
    rig_hang_up(&c);
    rig_pass(r, 70 * GM_SECOND);
    c = rig_connect_with(r, &connect, false);
    rig_send_hex(&c, "e0 07 00 05 11 00 00 00 00");  // DISCONNECT sets the expiry to 0 after all
    rig_expect_closed(&c);
    rig_hang_up(&c);
    c = rig_connect_with(r, &connect, false);
    rig_hang_up(&c);
    connect.clean = true;                            // clean start, and kept afterwards
    c             = rig_connect_with(r, &connect, false);
    rig_hang_up(&c);
    connect.clean = false;
    c             = rig_connect_with(r, &connect, true);
    rig_hang_up(&c);
    rig_free(r);
}

static void properties_travel_with_the_message__MQTT_3_3_2_4_15_16_17_18_20(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = connect_v5(r, "abc"), old = rig_connect(r, "old", 4), sender = connect_v5(r, "sender");
    rig_subscribe(&old, "t", 1);
    subscribe(&c, (gm_mqtt_filter){ .filter = GM_STR("t"), .qos = 1 }, 0, 1);
    static const uint8_t block[] = { 0x01, 1, 0x03, 0,   1, 'x', 0x08, 0,    1, 'r', 0x09, 0, 2, 0xff, 0x00,
                                     0x26, 0, 1,    'a', 0, 1,   '1',  0x26, 0, 1,   'a',  0, 1, '2' };
    gm_mqtt_outgoing     o       = { .topic      = GM_STR("t"),
                                     .payload    = GM_STR("m"),
                                     .qos        = 1,
                                     .packet_id  = 1,
                                     .properties = { (const char *)block, sizeof block } };
    send_publish(&sender, &o);
    rig_expect_ack(&sender, GM_MQTT_PUBACK, 1);
    gm_mqtt_publish p = rig_expect_publish(&c, "t", "m", 1, false);
    assert_int_equal(p.properties.block.len, sizeof block);
    assert_memory_equal(p.properties.block.ptr, block, sizeof block);
    rig_expect_publish(&old, "t", "m", 1, false);
    rig_hang_up(&c);
    rig_hang_up(&old);
    rig_hang_up(&sender);
    rig_free(r);
}

static void a_topic_alias_stands_for_its_topic__MQTT_3_3_2_12(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = connect_v5(r, "abc"), watcher = rig_connect(r, "watcher", 4);
    rig_subscribe(&watcher, "#", 0);
    rig_send_hex(&c, "30 0a 00 03 'a/b' 03 23 00 01 '1'");
    rig_send_hex(&c, "30 07 00 00 03 23 00 01 '2'");
    rig_send_hex(&c, "30 0a 00 03 'c/d' 03 23 00 01 '3'");
    rig_send_hex(&c, "30 07 00 00 03 23 00 01 '4'");
    rig_expect_publish(&watcher, "a/b", "1", 0, false);
    rig_expect_publish(&watcher, "a/b", "2", 0, false);
    rig_expect_publish(&watcher, "c/d", "3", 0, false);
    rig_expect_publish(&watcher, "c/d", "4", 0, false);
    rig_hang_up(&c);
    rig_hang_up(&watcher);
    rig_free(r);
}

static void the_server_uses_aliases_where_they_are_allowed__MQTT_3_1_2_26(void **state)
{
    (void)state;
    rig            *r       = rig_make();
    gm_mqtt_connect connect = v5("abc");
    gm_mqtt_set_number(&connect.properties, GM_MQTT_TOPIC_ALIAS_MAXIMUM, 1);
    rig_client c = rig_connect_with(r, &connect, false), plain = connect_v5(r, "plain"),
               sender = connect_v5(r, "sender");
    subscribe(&c, (gm_mqtt_filter){ .filter = GM_STR("#"), .qos = 2 }, 0, 2);
    subscribe(&plain, (gm_mqtt_filter){ .filter = GM_STR("#") }, 0, 0);
    static const char *const topics[] = { "a/b", "a/b", "other", "a/b" };
    for (uint16_t i = 0; i < 4; i++) {
        rig_publish(&sender, topics[i], "m", (uint8_t)(i % 2), (uint16_t)(i + 1), false);
        rig_expect_publish(&plain, topics[i], "m", 0, false);
        gm_mqtt_publish p = rig_expect_publish(&c, i == 1 || i == 3 ? "" : topics[i], "m", (uint8_t)(i % 2), false);
        assert_int_equal(gm_mqtt_has(&p.properties, GM_MQTT_TOPIC_ALIAS), i != 2);
        if (i != 2) assert_int_equal(p.properties.number[GM_MQTT_TOPIC_ALIAS], 1);
    }
    rig_hang_up(&c);
    rig_hang_up(&plain);
    rig_hang_up(&sender);
    rig_free(r);
}

static void a_packet_that_is_too_large_is_told_so_although_its_bytes_are_unread__MQTT_3_2_2_15(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = connect_v5(r, "abc");
    rig_send_hex(&c, "30 80 80 80 01");
    static uint8_t rest[1 << 20];
    for (int i = 0; i < 3; i++) rig_send(&c, rest, sizeof rest);
    expect_disconnect(&c, GM_MQTT_PACKET_TOO_LARGE);
    rig_hang_up(&c);
    rig_free(r);
}

static void qos_2_messages_count_once_towards_the_receive_maximum(void **state)
{
    (void)state;
    rig       *r   = rig_make();
    rig_client c   = connect_v5(r, "abc");
    gm_buf     out = gm_buf_init(gm_alloc_system());
    for (uint32_t i = 1; i <= 1024; i++) {
        gm_mqtt_outgoing o = { .topic     = GM_STR("gemel/pump1/telemetry"),
                               .payload   = GM_STR("{\"flow\":1}"),
                               .qos       = 2,
                               .packet_id = (uint16_t)i };
        gm_mqtt_write_publish(&out, 5, &o);
    }
    rig_send_buf(&c, &out);
    for (uint32_t i = 1; i <= 1024; i++) rig_expect_ack(&c, GM_MQTT_PUBREC, (uint16_t)i);
    rig_publish(&c, "t", "m", 1, 1, false);
    expect_disconnect(&c, GM_MQTT_RECEIVE_MAXIMUM_EXCEEDED);
    gm_buf_finish(&out);
    rig_hang_up(&c);
    rig_free(r);
}

static void a_message_expires_and_its_rest_is_passed_on__MQTT_3_3_2_5_6(void **state)
{
    (void)state;
    rig            *r       = rig_make();
    gm_mqtt_connect connect = v5("keeper");
    connect.clean           = false;
    gm_mqtt_set_number(&connect.properties, GM_MQTT_SESSION_EXPIRY, 3600);
    rig_client c = rig_connect_with(r, &connect, false), sender = connect_v5(r, "sender");
    subscribe(&c, (gm_mqtt_filter){ .filter = GM_STR("t"), .qos = 1 }, 0, 1);
    rig_hang_up(&c);
    gm_mqtt_outgoing o = {
        .topic = GM_STR("t"), .payload = GM_STR("short"), .qos = 1, .packet_id = 1, .has_expiry = true, .expiry_s = 10
    };
    send_publish(&sender, &o);
    o.payload   = GM_STR("long");
    o.packet_id = 2;
    o.expiry_s  = 100;
    o.retain    = true;
    send_publish(&sender, &o);
    rig_expect_ack(&sender, GM_MQTT_PUBACK, 1);
    rig_expect_ack(&sender, GM_MQTT_PUBACK, 2);
    rig_pass(r, 30 * GM_SECOND);
    c = rig_connect_with(r, &connect, true);
    gm_mqtt_publish p = rig_expect_publish(&c, "t", "long", 1, false);
    assert_true(gm_mqtt_has(&p.properties, GM_MQTT_MESSAGE_EXPIRY));
    assert_true(p.properties.number[GM_MQTT_MESSAGE_EXPIRY] >= 68 && p.properties.number[GM_MQTT_MESSAGE_EXPIRY] <= 70);
    rig_expect_nothing(&c);
    subscribe(&sender, (gm_mqtt_filter){ .filter = GM_STR("t") }, 0, 0);
    p = rig_expect_publish(&sender, "t", "long", 0, true);
    assert_true(p.properties.number[GM_MQTT_MESSAGE_EXPIRY] >= 68 && p.properties.number[GM_MQTT_MESSAGE_EXPIRY] <= 70);
    rig_pass(r, 80 * GM_SECOND);  // now the retained one has expired as well
    subscribe(&sender, (gm_mqtt_filter){ .filter = GM_STR("t") }, 0, 0);
    rig_expect_nothing(&sender);
    rig_hang_up(&c);
    rig_hang_up(&sender);
    rig_free(r);
}

static void subscription_identifiers_come_with_the_message__MQTT_3_3_4_3_4(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = connect_v5(r, "abc"), sender = connect_v5(r, "sender");
    subscribe(&c, (gm_mqtt_filter){ .filter = GM_STR("a/#"), .qos = 1 }, 300, 1);
    rig_publish(&sender, "a/b", "m", 1, 1, false);
    gm_mqtt_publish p = rig_expect_publish(&c, "a/b", "m", 1, false);
    assert_int_equal(p.properties.number[GM_MQTT_SUBSCRIPTION_ID], 300);
    subscribe(&c, (gm_mqtt_filter){ .filter = GM_STR("a/+"), .qos = 0 }, 7, 0);
    rig_publish(&sender, "a/b", "m", 1, 2, false);
    p = rig_expect_publish(&c, "a/b", "m", 1, false);
    assert_int_equal(p.properties.block.len, 3 + 2);  // both: 0b ac 02 and 0b 07
    assert_true(gm_str_find(p.properties.block, GM_STR("\x0b\xac\x02")) != SIZE_MAX);
    assert_true(gm_str_find(p.properties.block, GM_STR("\x0b\x07")) != SIZE_MAX);
    rig_hang_up(&c);
    rig_hang_up(&sender);
    rig_free(r);
}

static void more_identifiers_than_fit_one_copy_come_in_several(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = connect_v5(r, "abc"), sender = connect_v5(r, "sender");
    static const char *const filters[] = { "a/b/c", "a/b/+", "a/+/c", "+/b/c", "a/#", "#", "+/+/+" };
    for (uint32_t i = 0; i < 7; i++) subscribe(&c, (gm_mqtt_filter){ .filter = gm_str_of(filters[i]) }, i + 1, 0);
    rig_publish(&sender, "a/b/c", "m", 0, 0, false);
    uint32_t seen = 0;
    for (int copy = 0; copy < 2; copy++) {
        gm_mqtt_publish p = rig_expect_publish(&c, "a/b/c", "m", 0, false);
        for (size_t i = 1; i < p.properties.block.len; i += 2) seen |= 1u << p.properties.block.ptr[i];
    }
    assert_int_equal(seen, 0xfe);
    rig_expect_nothing(&c);
    rig_hang_up(&c);
    rig_hang_up(&sender);
    rig_free(r);
}

static void subscription_options_are_kept_to__MQTT_3_8_3_3_MQTT_3_3_1_9_to_13(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = connect_v5(r, "abc"), sender = connect_v5(r, "sender");
    rig_publish(&sender, "t", "kept", 1, 1, true);
    rig_expect_ack(&sender, GM_MQTT_PUBACK, 1);
    // retain handling
    subscribe(&c, (gm_mqtt_filter){ .filter = GM_STR("t"), .retain_handling = 2 }, 0, 0);
    subscribe(&c, (gm_mqtt_filter){ .filter = GM_STR("t"), .retain_handling = 1 }, 0, 0);  // not new
    rig_expect_nothing(&c);
    subscribe(&c, (gm_mqtt_filter){ .filter = GM_STR("t"), .retain_handling = 0 }, 0, 0);
    rig_expect_publish(&c, "t", "kept", 0, true);
    rig_send_hex(&c, "a2 06 00 04 00 00 01 't'");
    rig_expect_hex(&c, "b0 04 00 04 00 00");
    rig_send_hex(&c, "a2 06 00 04 00 00 01 't'");
    rig_expect_hex(&c, "b0 04 00 04 00 11");
    subscribe(&c, (gm_mqtt_filter){ .filter = GM_STR("t"), .retain_handling = 1 }, 0, 0);
    rig_expect_publish(&c, "t", "kept", 0, true);
    // retain as published
    rig_publish(&sender, "t", "new", 0, 0, true);
    rig_expect_publish(&c, "t", "new", 0, false);
    subscribe(&c, (gm_mqtt_filter){ .filter = GM_STR("t"), .retain_as_published = true, .retain_handling = 2 }, 0, 0);
    rig_publish(&sender, "t", "new", 0, 0, true);
    rig_expect_publish(&c, "t", "new", 0, true);
    // no local
    subscribe(&c, (gm_mqtt_filter){ .filter = GM_STR("own"), .no_local = true }, 0, 0);
    rig_publish(&c, "own", "mine", 0, 0, false);
    rig_publish(&sender, "own", "yours", 0, 0, false);
    rig_expect_publish(&c, "own", "yours", 0, false);
    rig_hang_up(&c);
    rig_hang_up(&sender);
    rig_free(r);
}

static void shared_subscriptions_give_each_message_to_one__MQTT_4_8_2(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client members[3], sender = connect_v5(r, "sender"), own = connect_v5(r, "own");
    for (int i = 0; i < 3; i++) {
        char name[8];
        snprintf(name, sizeof name, "m%d", i);
        members[i] = connect_v5(r, name);
        subscribe(&members[i], (gm_mqtt_filter){ .filter = GM_STR("$share/group/t/#"), .qos = 0 }, 0, 0);
    }
    subscribe(&own, (gm_mqtt_filter){ .filter = GM_STR("$share/other/t/#"), .qos = 0 }, 0, 0);
    for (int i = 0; i < 9; i++) rig_publish(&sender, "t/x", "m", 0, 0, false);
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < 3; i++) rig_expect_publish(&members[i], "t/x", "m", 0, false);
    }
    for (int i = 0; i < 9; i++) rig_expect_publish(&own, "t/x", "m", 0, false);
    for (int i = 0; i < 3; i++) rig_expect_nothing(&members[i]);
    rig_hang_up(&members[0]);
    for (int i = 0; i < 4; i++) rig_publish(&sender, "t/x", "m", 0, 0, false);
    for (int k = 0; k < 2; k++) {
        for (int i = 1; i < 3; i++) rig_expect_publish(&members[i], "t/x", "m", 0, false);
    }
    rig_send_hex(&members[1], "a2 15 00 04 00 00 10 '$share/group/t/#'");
    rig_expect_hex(&members[1], "b0 04 00 04 00 00");
    rig_publish(&sender, "t/x", "m", 0, 0, false);
    rig_expect_publish(&members[2], "t/x", "m", 0, false);
    rig_expect_nothing(&members[1]);
    for (int i = 1; i < 3; i++) rig_hang_up(&members[i]);
    rig_hang_up(&sender);
    rig_hang_up(&own);
    rig_free(r);
}

static void no_more_than_the_receive_maximum_is_in_flight__MQTT_3_3_4_9(void **state)
{
    (void)state;
    rig            *r       = rig_make();
    gm_mqtt_connect connect = v5("narrow");
    gm_mqtt_set_number(&connect.properties, GM_MQTT_RECEIVE_MAXIMUM, 2);
    rig_client c = rig_connect_with(r, &connect, false), sender = connect_v5(r, "sender");
    subscribe(&c, (gm_mqtt_filter){ .filter = GM_STR("t"), .qos = 1 }, 0, 1);
    for (uint16_t i = 1; i <= 5; i++) rig_publish(&sender, "t", "m", 1, i, false);
    uint16_t a = rig_expect_publish(&c, "t", "m", 1, false).packet_id;
    uint16_t b = rig_expect_publish(&c, "t", "m", 1, false).packet_id;
    rig_expect_nothing(&c);
    rig_send(&c, (uint8_t[]){ 0x40, 2, (uint8_t)(b >> 8), (uint8_t)b }, 4);
    rig_expect_publish(&c, "t", "m", 1, false);
    rig_expect_nothing(&c);
    rig_send(&c, (uint8_t[]){ 0x40, 2, (uint8_t)(a >> 8), (uint8_t)a }, 4);
    rig_expect_publish(&c, "t", "m", 1, false);
    rig_expect_nothing(&c);
    rig_hang_up(&c);
    rig_hang_up(&sender);
    rig_free(r);
}

static void few_at_a_time(gm_mqtt_server_options *o)
{
    o->limits.receive_maximum = 3;
}

static void a_client_beyond_the_servers_receive_maximum_is_told__MQTT_3_3_4_7(void **state)
{
    (void)state;
    rig       *r = rig_make_with(few_at_a_time);
    rig_client c = connect_v5(r, "abc");
    for (uint16_t i = 1; i <= 3; i++) {
        rig_publish(&c, "t", "m", 2, i, false);
        gm_mqtt_frame f = rig_next(&c);
        assert_int_equal(f.type, GM_MQTT_PUBREC);
    }
    rig_publish(&c, "t", "m", 2, 4, false);
    expect_disconnect(&c, GM_MQTT_RECEIVE_MAXIMUM_EXCEEDED);
    rig_hang_up(&c);
    rig_free(r);
}

static void a_message_too_large_for_its_receiver_is_not_sent__MQTT_3_1_2_24_25(void **state)
{
    (void)state;
    rig            *r       = rig_make();
    gm_mqtt_connect connect = v5("small");
    gm_mqtt_set_number(&connect.properties, GM_MQTT_MAXIMUM_PACKET_SIZE, 40);
    rig_client c = rig_connect_with(r, &connect, false), sender = connect_v5(r, "sender");
    subscribe(&c, (gm_mqtt_filter){ .filter = GM_STR("t"), .qos = 1 }, 0, 1);
    rig_publish(&sender, "t", "a payload that makes the packet larger than forty bytes", 1, 1, false);
    rig_publish(&sender, "t", "a payload that makes the packet larger than forty bytes", 0, 0, false);
    rig_publish(&sender, "t", "fits", 1, 2, false);
    rig_expect_publish(&c, "t", "fits", 1, false);
    rig_expect_nothing(&c);
    assert_int_equal(gm_mqtt_server_statistics(r->server).dropped_too_large, 2);
    rig_hang_up(&c);
    rig_hang_up(&sender);
    rig_free(r);
}

static void a_publish_that_nobody_subscribed_to_is_told_so(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = connect_v5(r, "abc");
    rig_publish(&c, "t", "m", 1, 1, false);
    rig_expect_hex(&c, "40 03 00 01 10");
    rig_publish(&c, "t", "m", 2, 2, false);
    rig_expect_hex(&c, "50 03 00 02 10");
    rig_send_hex(&c, "62 02 00 02");
    rig_expect_hex(&c, "70 02 00 02");
    rig_send_hex(&c, "62 02 00 09");
    rig_expect_hex(&c, "70 03 00 09 92");
    rig_hang_up(&c);
    rig_free(r);
}

static void a_will_waits_for_its_delay__MQTT_3_1_3_9(void **state)
{
    (void)state;
    rig            *r       = rig_make();
    rig_client      watcher = connect_v5(r, "watcher");
    gm_mqtt_connect connect = v5("mortal");
    subscribe(&watcher, (gm_mqtt_filter){ .filter = GM_STR("gone") }, 0, 0);
    connect.clean        = false;
    connect.has_will     = true;
    connect.will_topic   = GM_STR("gone");
    connect.will_payload = GM_STR("x");
    gm_mqtt_set_number(&connect.properties, GM_MQTT_SESSION_EXPIRY, 100);
    gm_mqtt_set_number(&connect.will_properties, GM_MQTT_WILL_DELAY, 20);
    rig_client c = rig_connect_with(r, &connect, false);
    rig_hang_up(&c);
    rig_pass(r, 10 * GM_SECOND);
    rig_expect_nothing(&watcher);
    c = rig_connect_with(r, &connect, true);  // back in time: not sent
    rig_pass(r, 30 * GM_SECOND);
    rig_expect_nothing(&watcher);
    rig_hang_up(&c);
    rig_pass(r, 25 * GM_SECOND);
    rig_expect_publish(&watcher, "gone", "x", 0, false);
    rig_expect_nothing(&watcher);
    // The end of the session is the latest moment.
    gm_mqtt_set_number(&connect.properties, GM_MQTT_SESSION_EXPIRY, 5);
    c = rig_connect_with(r, &connect, true);
    rig_hang_up(&c);
    rig_pass(r, 7 * GM_SECOND);
    rig_expect_publish(&watcher, "gone", "x", 0, false);
    // DISCONNECT with 0x04 asks for the will.
    connect.properties.present = 0;
    connect.will_properties.present = 0;
    c = rig_connect_with(r, &connect, false);
    rig_send_hex(&c, "e0 01 04");
    rig_expect_closed(&c);
    rig_expect_publish(&watcher, "gone", "x", 0, false);
    rig_hang_up(&c);
    rig_hang_up(&watcher);
    rig_free(r);
}

static void request_and_response_work_between_clients__4_10(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client asker = connect_v5(r, "asker"), answerer = connect_v5(r, "answerer");
    subscribe(&asker, (gm_mqtt_filter){ .filter = GM_STR("answers/asker") }, 0, 0);
    subscribe(&answerer, (gm_mqtt_filter){ .filter = GM_STR("questions") }, 0, 0);
    static const uint8_t block[] = { 0x08, 0,   13,  'a', 'n', 's', 'w',  'e', 'r', 's',
                                     '/',  'a', 's', 'k', 'e', 'r', 0x09, 0,   1,   '7' };
    gm_mqtt_outgoing     o       = { .topic      = GM_STR("questions"),
                                     .payload    = GM_STR("how much?"),
                                     .properties = { (const char *)block, sizeof block } };
    send_publish(&asker, &o);
    gm_mqtt_publish p = rig_expect_publish(&answerer, "questions", "how much?", 0, false);
    char topic[64];
    snprintf(topic, sizeof topic, GM_STR_FMT, GM_STR_ARG(p.properties.text[GM_MQTT_RESPONSE_TOPIC]));
    uint8_t back[4] = { 0x09, 0, 1, (uint8_t)p.properties.text[GM_MQTT_CORRELATION_DATA].ptr[0] };
    o               = (gm_mqtt_outgoing) { .topic      = gm_str_of(topic),
                                           .payload    = GM_STR("42"),
                                           .properties = { (const char *)back, 4 } };
    send_publish(&answerer, &o);
    p = rig_expect_publish(&asker, "answers/asker", "42", 0, false);
    assert_true(gm_str_is(p.properties.text[GM_MQTT_CORRELATION_DATA], "7"));
    rig_hang_up(&asker);
    rig_hang_up(&answerer);
    rig_free(r);
}

static void the_end_of_the_server_is_announced(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = connect_v5(r, "abc");
    gm_loop_remove(c.watch);
    rig_stop(r);
    uint8_t bytes[8];
    gm_buf_clear(&c.in);
    assert_int_equal(recv(c.fd, bytes, sizeof bytes, 0), 4);
    assert_memory_equal(bytes, "\xe0\x02\x8b\x00", 4);
    rig_hang_up(&c);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connack_says_what_the_server_can__3_2_2_3),
        cmocka_unit_test(the_servers_keep_alive_replaces_a_longer_one__MQTT_3_1_2_21_MQTT_3_2_2_21_22),
        cmocka_unit_test(a_malformed_connect_is_answered_with_its_reason__MQTT_3_1_4_1),
        cmocka_unit_test(faults_are_told_before_the_connection_closes__MQTT_4_13_1_1),
        cmocka_unit_test(taking_over_is_told_to_the_old_connection__MQTT_3_1_4_3),
        cmocka_unit_test(a_session_lives_as_long_as_it_asked_for__MQTT_3_1_2_23),
        cmocka_unit_test(properties_travel_with_the_message__MQTT_3_3_2_4_15_16_17_18_20),
        cmocka_unit_test(a_topic_alias_stands_for_its_topic__MQTT_3_3_2_12),
        cmocka_unit_test(the_server_uses_aliases_where_they_are_allowed__MQTT_3_1_2_26),
        cmocka_unit_test(a_packet_that_is_too_large_is_told_so_although_its_bytes_are_unread__MQTT_3_2_2_15),
        cmocka_unit_test(qos_2_messages_count_once_towards_the_receive_maximum),
        cmocka_unit_test(a_message_expires_and_its_rest_is_passed_on__MQTT_3_3_2_5_6),
        cmocka_unit_test(subscription_identifiers_come_with_the_message__MQTT_3_3_4_3_4),
        cmocka_unit_test(more_identifiers_than_fit_one_copy_come_in_several),
        cmocka_unit_test(subscription_options_are_kept_to__MQTT_3_8_3_3_MQTT_3_3_1_9_to_13),
        cmocka_unit_test(shared_subscriptions_give_each_message_to_one__MQTT_4_8_2),
        cmocka_unit_test(no_more_than_the_receive_maximum_is_in_flight__MQTT_3_3_4_9),
        cmocka_unit_test(a_client_beyond_the_servers_receive_maximum_is_told__MQTT_3_3_4_7),
        cmocka_unit_test(a_message_too_large_for_its_receiver_is_not_sent__MQTT_3_1_2_24_25),
        cmocka_unit_test(a_publish_that_nobody_subscribed_to_is_told_so),
        cmocka_unit_test(a_will_waits_for_its_delay__MQTT_3_1_3_9),
        cmocka_unit_test(request_and_response_work_between_clients__4_10),
        cmocka_unit_test(the_end_of_the_server_is_announced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
