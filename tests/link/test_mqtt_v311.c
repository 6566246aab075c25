// The normative statements of MQTT 3.1.1 that concern a server, spoken over a socket. Each test names its statements.
#include "link/mqtt_rig.h"

#include <stdio.h>
#include <stdlib.h>

#define CONNECT_CLEAN(id) "10 0f 00 04 'MQTT' 04 02 00 00 00 03 '" id "'"

static gm_mqtt_connect persistent(const char *id)
{
    return (gm_mqtt_connect){ .level = 4, .clean = false, .client_id = gm_str_of(id) };
}

// Sends bytes on a new connection and expects the server to close without an answer.
static void expect_refusal(rig *r, const char *hex)
{
    rig_client c = rig_dial(r);
    rig_send_hex(&c, hex);
    rig_expect_closed(&c);
    rig_hang_up(&c);
}

static void the_first_packet_must_be_a_connect__MQTT_3_1_0_1(void **state)
{
    (void)state;
    rig *r = rig_make();
    expect_refusal(r, "c0 00");
    expect_refusal(r, "30 03 00 01 'a'");
    expect_refusal(r, "82 06 00 01 00 01 'a' 00");
    rig_free(r);
}

static void a_second_connect_closes__MQTT_3_1_0_2(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_connect(r, "abc", 4);
    rig_send_hex(&c, CONNECT_CLEAN("abc"));
    rig_expect_closed(&c);
    rig_hang_up(&c);
    rig_free(r);
}

static void a_malformed_connect_closes_without_connack__MQTT_3_1_2_1_3_13_14_15_22_MQTT_3_1_4_1(void **state)
{
    (void)state;
    rig *r = rig_make();
    expect_refusal(r, "10 0f 00 04 'MQTX' 04 02 00 00 00 03 'abc'");
    expect_refusal(r, "10 0f 00 04 'MQTT' 04 03 00 00 00 03 'abc'");
    expect_refusal(r, "10 0f 00 04 'MQTT' 04 0a 00 00 00 03 'abc'");
    expect_refusal(r, "10 0f 00 04 'MQTT' 04 22 00 00 00 03 'abc'");
    expect_refusal(r, "10 12 00 04 'MQTT' 04 42 00 00 00 03 'abc' 00 01 'p'");
    expect_refusal(r, "10 0f 00 04 'MQTT' 04 02 00 00 00 03 ff fe fd");
    rig_free(r);
}

static void an_unknown_protocol_level_is_answered_with_code_1__MQTT_3_1_2_2(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_dial(r);
    rig_send_hex(&c, "10 11 00 06 'MQIsdp' 03 02 00 00 00 03 'abc'");
    rig_expect_hex(&c, "20 02 00 01");
    rig_expect_closed(&c);
    rig_hang_up(&c);
    rig_free(r);
}

static void the_first_answer_is_connack_without_session__MQTT_3_2_0_1_MQTT_3_2_2_1(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_dial(r);
    rig_send_hex(&c, CONNECT_CLEAN("abc"));
    rig_expect_hex(&c, "20 02 00 00");
    rig_expect_nothing(&c);
    rig_hang_up(&c);
    rig_free(r);
}

static void a_client_without_identifier_is_given_one_only_when_clean__MQTT_3_1_3_6_7_8_9(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client a = rig_connect(r, "", 4), b = rig_connect(r, "", 4);  // two of them are not one and the same
    rig_expect_nothing(&a);
    rig_expect_nothing(&b);
    rig_client c = rig_dial(r);
    rig_send_hex(&c, "10 0c 00 04 'MQTT' 04 00 00 00 00 00");
    rig_expect_hex(&c, "20 02 00 02");
    rig_expect_closed(&c);
    rig_hang_up(&a);
    rig_hang_up(&b);
    rig_hang_up(&c);
    rig_free(r);
}

static void a_client_identifier_in_use_is_taken_over__MQTT_3_1_4_2(void **state)
{
    (void)state;
    rig       *r   = rig_make();
    rig_client old = rig_connect(r, "abc", 4);
    rig_client c   = rig_connect(r, "abc", 4);
    rig_expect_closed(&old);
    rig_expect_nothing(&c);
    assert_int_equal(gm_mqtt_server_statistics(r->server).taken_over, 1);
    assert_int_equal(gm_mqtt_server_statistics(r->server).connections, 1);
    rig_hang_up(&old);
    rig_hang_up(&c);
    rig_free(r);
}

static void a_session_is_kept_for_its_client__MQTT_3_1_2_4_5_MQTT_3_2_2_2(void **state)
{
    (void)state;
    rig            *r       = rig_make();
    gm_mqtt_connect connect = persistent("keeper");
    rig_client      sender  = rig_connect(r, "sender", 4);
    rig_client      c       = rig_connect_with(r, &connect, false);
    rig_subscribe(&c, "news/#", 1);
    rig_subscribe(&c, "rare/#", 0);
    rig_send_hex(&c, "e0 00");
    rig_expect_closed(&c);
    rig_hang_up(&c);
    rig_publish(&sender, "news/one", "1", 1, 1, false);
    rig_publish(&sender, "news/two", "2", 1, 2, false);
    rig_publish(&sender, "rare/zero", "0", 1, 3, false);  // subscribed at QoS 0: not kept
    rig_expect_ack(&sender, GM_MQTT_PUBACK, 1);
    rig_expect_ack(&sender, GM_MQTT_PUBACK, 2);
    rig_expect_ack(&sender, GM_MQTT_PUBACK, 3);
    c = rig_connect_with(r, &connect, true);
    gm_mqtt_publish p = rig_expect_publish(&c, "news/one", "1", 1, false);
    assert_false(p.dup);
    rig_expect_publish(&c, "news/two", "2", 1, false);
    rig_expect_nothing(&c);
    rig_hang_up(&c);
    rig_hang_up(&sender);
    rig_free(r);
}

static void a_clean_session_starts_and_ends_empty__MQTT_3_1_2_6(void **state)
{
    (void)state;
    rig            *r       = rig_make();
    gm_mqtt_connect connect = persistent("keeper");
    rig_client      c       = rig_connect_with(r, &connect, false);
    rig_subscribe(&c, "news", 1);
    rig_hang_up(&c);
    connect.clean = true;
    c             = rig_connect_with(r, &connect, false);
    rig_publish(&c, "news", "x", 1, 1, false);
    rig_expect_ack(&c, GM_MQTT_PUBACK, 1);
    rig_expect_nothing(&c);  // the subscription is gone
    rig_hang_up(&c);
    connect.clean = false;
    c             = rig_connect_with(r, &connect, false);
    rig_hang_up(&c);
    rig_free(r);
}

static void what_was_not_acknowledged_is_sent_again_in_its_order__MQTT_4_4_0_1_MQTT_4_6_0_5(void **state)
{
    (void)state;
    rig            *r       = rig_make();
    gm_mqtt_connect connect = persistent("keeper");
    rig_client      sender  = rig_connect(r, "sender", 4);
    rig_client      c       = rig_connect_with(r, &connect, false);
    rig_subscribe(&c, "t", 2);
    for (uint16_t i = 1; i <= 4; i++) {
        char text[4];
        snprintf(text, sizeof text, "%u", i);
        rig_publish(&sender, "t", text, i == 3 ? 2 : 1, i, false);
        rig_expect_ack(&sender, i == 3 ? GM_MQTT_PUBREC : GM_MQTT_PUBACK, i);
    }
    uint16_t ids[4];
    for (int i = 0; i < 4; i++) ids[i] = rig_expect_publish(&c, "t", NULL, i == 2 ? 2 : 1, false).packet_id;
    gm_buf out = gm_buf_init(gm_alloc_system());
    gm_mqtt_write_ack(&out, GM_MQTT_PUBACK, 4, ids[1], 0);  // the second of four
    gm_mqtt_write_ack(&out, GM_MQTT_PUBREC, 4, ids[2], 0);
    rig_send_buf(&c, &out);
    rig_expect_ack(&c, GM_MQTT_PUBREL, ids[2]);
    rig_hang_up(&c);

    c = rig_connect_with(r, &connect, true);
    gm_mqtt_publish p = rig_expect_publish(&c, "t", "1", 1, false);
    assert_true(p.dup && p.packet_id == ids[0]);       // [MQTT-3.3.1-1]
    rig_expect_ack(&c, GM_MQTT_PUBREL, ids[2]);        // its PUBLISH is not sent again
    p = rig_expect_publish(&c, "t", "4", 1, false);
    assert_true(p.dup && p.packet_id == ids[3]);
    gm_mqtt_write_ack(&out, GM_MQTT_PUBACK, 4, ids[0], 0);
    gm_mqtt_write_ack(&out, GM_MQTT_PUBCOMP, 4, ids[2], 0);
    gm_mqtt_write_ack(&out, GM_MQTT_PUBACK, 4, ids[3], 0);
    rig_send_buf(&c, &out);
    rig_expect_nothing(&c);
    rig_hang_up(&c);
    c = rig_connect_with(r, &connect, true);
    rig_expect_nothing(&c);
    gm_buf_finish(&out);
    rig_hang_up(&c);
    rig_hang_up(&sender);
    rig_free(r);
}

static void a_will_is_published_when_the_connection_breaks__MQTT_3_1_2_8(void **state)
{
    (void)state;
    rig            *r       = rig_make();
    rig_client      watcher = rig_connect(r, "watcher", 4);
    gm_mqtt_connect connect = { .level        = 4,
                                .clean        = true,
                                .client_id    = GM_STR("mortal"),
                                .has_will     = true,
                                .will_qos     = 1,
                                .will_topic   = GM_STR("gone"),
                                .will_payload = GM_STR("mortal is gone") };
    rig_subscribe(&watcher, "gone", 1);
    rig_client c = rig_connect_with(r, &connect, false);
    rig_hang_up(&c);
    rig_expect_publish(&watcher, "gone", "mortal is gone", 1, false);
    c = rig_connect_with(r, &connect, false);
    rig_send_hex(&c, "30 03 00 01 '#'");  // a protocol error is such a break, too
    rig_expect_closed(&c);
    rig_expect_publish(&watcher, "gone", "mortal is gone", 1, false);
    rig_hang_up(&c);
    rig_hang_up(&watcher);
    rig_free(r);
}

static void a_will_is_dropped_after_disconnect__MQTT_3_1_2_10_MQTT_3_14_4_3(void **state)
{
    (void)state;
    rig            *r       = rig_make();
    rig_client      watcher = rig_connect(r, "watcher", 4);
    gm_mqtt_connect connect = { .level = 4, .clean = true, .client_id = GM_STR("mortal"), .has_will = true,
                                .will_topic = GM_STR("gone"), .will_payload = GM_STR("x") };
    rig_subscribe(&watcher, "gone", 1);
    rig_client c = rig_connect_with(r, &connect, false);
    rig_send_hex(&c, "e0 00");
    rig_expect_closed(&c);  // [MQTT-3.14.4-1] from the other side
    rig_hang_up(&c);
    rig_expect_nothing(&watcher);
    rig_hang_up(&watcher);
    rig_free(r);
}

static void a_retained_will_is_retained__MQTT_3_1_2_17(void **state)
{
    (void)state;
    rig            *r       = rig_make();
    gm_mqtt_connect connect = { .level        = 4,
                                .clean        = true,
                                .client_id    = GM_STR("mortal"),
                                .has_will     = true,
                                .will_retain  = true,
                                .will_topic   = GM_STR("gone"),
                                .will_payload = GM_STR("x") };
    rig_client c = rig_connect_with(r, &connect, false);
    rig_hang_up(&c);
    c = rig_connect(r, "later", 4);
    rig_subscribe(&c, "gone", 1);
    rig_expect_publish(&c, "gone", "x", 0, true);
    rig_hang_up(&c);
    rig_free(r);
}

static void silence_of_one_and_a_half_keep_alives_ends_the_connection__MQTT_3_1_2_24(void **state)
{
    (void)state;
    rig            *r       = rig_make();
    gm_mqtt_connect connect = { .level = 4, .clean = true, .client_id = GM_STR("sleepy"), .keep_alive_s = 10 };
    rig_client      c       = rig_connect_with(r, &connect, false);
    rig_client      forever = rig_connect(r, "forever", 4);  // keep-alive 0
    rig_pass(r, 14 * GM_SECOND);
    rig_expect_nothing(&c);  // a ping counts
    rig_pass(r, 14 * GM_SECOND);
    rig_expect_nothing(&c);
    rig_pass(r, 16 * GM_SECOND);
    rig_expect_closed(&c);
    rig_pass(r, 100 * GM_HOUR);
    rig_expect_nothing(&forever);
    assert_int_equal(gm_mqtt_server_statistics(r->server).timeouts, 1);
    rig_hang_up(&c);
    rig_hang_up(&forever);
    rig_free(r);
}

static void pings_are_answered__MQTT_3_12_4_1(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_connect(r, "abc", 4);
    rig_send_hex(&c, "c0 00 c0 00 c0 00");
    rig_expect_hex(&c, "d0 00 d0 00 d0 00");
    rig_hang_up(&c);
    rig_free(r);
}

static void every_filter_gets_its_code_in_order__MQTT_3_8_4_1_to_6_MQTT_3_9_3_1(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_connect(r, "abc", 4);
    rig_send_hex(&c, "82 0e 12 34 00 01 'a' 02 00 01 'b' 00 00 01 'c' 01");
    rig_expect_hex(&c, "90 05 12 34 02 00 01");
    rig_send_hex(&c, "a2 0a 00 07 00 01 'b' 00 03 'no?'");
    rig_expect_hex(&c, "b0 02 00 07");  // [MQTT-3.10.4-4, -5]
    rig_publish(&c, "b", "gone", 0, 0, false);
    rig_publish(&c, "a", "here", 0, 0, false);
    rig_expect_publish(&c, "a", "here", 0, false);
    rig_hang_up(&c);
    rig_free(r);
}

static void a_subscription_is_replaced_by_one_with_the_same_filter__MQTT_3_8_4_3(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_connect(r, "abc", 4);
    rig_publish(&c, "t", "kept", 1, 1, true);
    rig_expect_ack(&c, GM_MQTT_PUBACK, 1);
    rig_subscribe(&c, "t", 0);
    rig_expect_publish(&c, "t", "kept", 0, true);
    rig_subscribe(&c, "t", 1);
    rig_expect_publish(&c, "t", "kept", 1, true);  // retained messages are sent again
    rig_send_hex(&c, "40 02 00 01");
    rig_publish(&c, "t", "new", 1, 2, false);
    uint8_t seen = 0;
    for (int i = 0; i < 2; i++) {  // one copy, and the acknowledgement
        gm_mqtt_frame f = rig_next(&c);
        seen |= (uint8_t)(f.type == GM_MQTT_PUBLISH ? 1 : f.type == GM_MQTT_PUBACK ? 2 : 4);
    }
    assert_int_equal(seen, 3);
    rig_expect_nothing(&c);
    rig_hang_up(&c);
    rig_free(r);
}

static void the_lower_quality_of_service_wins__MQTT_3_8_4_6(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client sender = rig_connect(r, "sender", 4);
    for (uint8_t asked = 0; asked <= 2; asked++) {
        char       name[8];
        snprintf(name, sizeof name, "sub%u", asked);
        rig_client c = rig_connect(r, name, 4);
        rig_subscribe(&c, "t/+", asked);
        for (uint8_t sent = 0; sent <= 2; sent++) {
            rig_publish(&sender, "t/x", "m", sent, (uint16_t)(10 * asked + sent + 1), false);
            if (sent > 0)
                rig_expect_ack(&sender, sent == 1 ? GM_MQTT_PUBACK : GM_MQTT_PUBREC, (uint16_t)(10 * asked + sent + 1));
            gm_mqtt_publish p = rig_expect_publish(&c, "t/x", "m", sent < asked ? sent : asked, false);
            if (p.qos > 0)
                rig_send(&c,
                         (uint8_t[]) { (uint8_t)(p.qos == 1 ? 0x40 : 0x50), 2, (uint8_t)(p.packet_id >> 8),
                                       (uint8_t)p.packet_id },
                         4);
            if (p.qos == 2) {
                rig_expect_ack(&c, GM_MQTT_PUBREL, p.packet_id);
                rig_send(&c, (uint8_t[]){ 0x70, 2, (uint8_t)(p.packet_id >> 8), (uint8_t)p.packet_id }, 4);
            }
        }
        rig_expect_nothing(&c);
        rig_hang_up(&c);
    }
    rig_hang_up(&sender);
    rig_free(r);
}

static void overlapping_subscriptions_give_one_copy_at_the_highest_qos__MQTT_3_3_5_1(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_connect(r, "abc", 4), sender = rig_connect(r, "sender", 4);
    rig_subscribe(&c, "a/#", 0);
    rig_subscribe(&c, "a/+", 1);
    rig_subscribe(&c, "a/b", 0);
    rig_publish(&sender, "a/b", "m", 1, 1, false);
    rig_expect_publish(&c, "a/b", "m", 1, false);
    rig_expect_nothing(&c);
    rig_hang_up(&c);
    rig_hang_up(&sender);
    rig_free(r);
}

static void exactly_once_means_delivered_once__MQTT_4_3_3_2(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_connect(r, "abc", 4), watcher = rig_connect(r, "watcher", 4);
    rig_subscribe(&watcher, "t", 0);
    rig_publish(&c, "t", "m", 2, 5, false);
    rig_expect_ack(&c, GM_MQTT_PUBREC, 5);
    rig_send_hex(&c, "3c 06 00 01 't' 00 05 'm'");  // again, with DUP
    rig_expect_ack(&c, GM_MQTT_PUBREC, 5);
    rig_expect_publish(&watcher, "t", "m", 0, false);
    rig_expect_nothing(&watcher);
    rig_send_hex(&c, "62 02 00 05");
    rig_expect_ack(&c, GM_MQTT_PUBCOMP, 5);
    rig_send_hex(&c, "62 02 00 05");                // a PUBREL for nothing is answered all the same
    rig_expect_ack(&c, GM_MQTT_PUBCOMP, 5);
    rig_publish(&c, "t", "m", 2, 5, false);         // the identifier is free again: a new message
    rig_expect_ack(&c, GM_MQTT_PUBREC, 5);
    rig_expect_publish(&watcher, "t", "m", 0, false);
    rig_hang_up(&c);
    rig_hang_up(&watcher);
    rig_free(r);
}

static void exactly_once_holds_over_a_broken_connection__MQTT_4_3_3_2(void **state)
{
    (void)state;
    rig            *r       = rig_make();
    gm_mqtt_connect connect = persistent("abc");
    rig_client      watcher = rig_connect(r, "watcher", 4);
    rig_client      c       = rig_connect_with(r, &connect, false);
    rig_subscribe(&watcher, "#", 0);
    rig_publish(&c, "gemel/pump1/telemetry", "{\"flow\":1}", 2, 5, false);
    rig_hang_up(&c);  // before the PUBREC was read
    c = rig_connect_with(r, &connect, true);
    rig_send_hex(&c, "3c 23 00 15 'gemel/pump1/telemetry' 00 05 '{\"flow\":1}'");
    rig_expect_ack(&c, GM_MQTT_PUBREC, 5);
    assert_int_equal(gm_mqtt_server_statistics(r->server).native_applied, 1);
    rig_expect_publish(&watcher, "gemel/pump1/telemetry", "{\"flow\":1}", 0, false);
    rig_hang_up(&c);
    rig_hang_up(&watcher);
    rig_free(r);
}

static void retained_messages_are_for_new_subscribers__MQTT_3_3_1_5_to_11(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_connect(r, "abc", 4), there = rig_connect(r, "there", 4);
    rig_subscribe(&there, "shelf/#", 1);
    rig_publish(&c, "shelf/a", "first", 1, 1, true);
    rig_publish(&c, "shelf/a", "second", 1, 2, true);
    rig_publish(&c, "shelf/b", "zero", 0, 0, true);
    rig_expect_ack(&c, GM_MQTT_PUBACK, 1);
    rig_expect_ack(&c, GM_MQTT_PUBACK, 2);
    rig_expect_publish(&there, "shelf/a", "first", 1, false);  // an established subscription: no flag [MQTT-3.3.1-9]
    rig_expect_publish(&there, "shelf/a", "second", 1, false);
    rig_expect_publish(&there, "shelf/b", "zero", 0, false);
    rig_subscribe(&c, "shelf/a", 1);
    rig_expect_publish(&c, "shelf/a", "second", 1, true);      // [MQTT-3.3.1-6, -8]
    rig_subscribe(&c, "+/b", 1);
    rig_expect_publish(&c, "shelf/b", "zero", 0, true);
    rig_publish(&c, "shelf/a", "", 1, 3, true);                // removes it [MQTT-3.3.1-10, -11]
    rig_expect_publish(&c, "shelf/a", "", 1, false);
    rig_expect_ack(&c, GM_MQTT_PUBACK, 3);
    rig_client later = rig_connect(r, "later", 4);
    rig_subscribe(&later, "shelf/#", 1);
    rig_expect_publish(&later, "shelf/b", "zero", 0, true);
    rig_expect_nothing(&later);
    rig_hang_up(&c);
    rig_hang_up(&there);
    rig_hang_up(&later);
    rig_free(r);
}

static void retained_messages_survive_the_end_of_the_process(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_connect(r, "abc", 4);
    rig_publish(&c, "shelf/a", "kept", 1, 1, true);
    rig_publish(&c, "shelf/b", "lost", 1, 2, true);
    rig_publish(&c, "shelf/b", "", 1, 3, true);
    for (uint16_t i = 1; i <= 3; i++) rig_expect_ack(&c, GM_MQTT_PUBACK, i);
    rig_hang_up(&c);
    rig_restart(r);
    assert_int_equal(gm_mqtt_server_statistics(r->server).retained, 1);
    c = rig_connect(r, "abc", 4);
    rig_subscribe(&c, "#", 1);
    rig_expect_publish(&c, "shelf/a", "kept", 1, true);
    rig_expect_nothing(&c);
    rig_hang_up(&c);
    rig_free(r);
}

static void system_topics_need_to_be_asked_for__MQTT_4_7_2_1(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_connect(r, "abc", 4);
    rig_publish(&c, "$own/x", "kept", 0, 0, true);
    rig_subscribe(&c, "#", 0);
    rig_subscribe(&c, "+/x", 0);
    rig_publish(&c, "$own/x", "m", 0, 0, false);
    rig_expect_nothing(&c);
    rig_subscribe(&c, "$own/#", 0);
    rig_expect_publish(&c, "$own/x", "kept", 0, true);
    rig_hang_up(&c);
    rig_free(r);
}

static void what_only_servers_send_closes__MQTT_4_8_0_1(void **state)
{
    (void)state;
    static const char *const packets[] = { "20 02 00 00", "90 03 00 01 00", "b0 02 00 01", "d0 00", "f0 00", "00 00" };
    rig *r = rig_make();
    for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
        rig_client c = rig_connect(r, "abc", 4);
        rig_send_hex(&c, packets[i]);
        rig_expect_closed(&c);
        rig_hang_up(&c);
    }
    rig_free(r);
}

static void a_broken_packet_closes_only_its_connection__MQTT_4_8_0_1(void **state)
{
    (void)state;
    static const char *const packets[] = {
        "30 05 00 03 'a/+'",            // [MQTT-3.3.2-2]
        "36 05 00 01 'a' 00 01",        // [MQTT-3.3.1-4]
        "32 05 00 01 'a' 00 00",        // [MQTT-2.3.1-1]
        "30 04 00 02 c3 28",            // [MQTT-1.5.3-1]
        "82 02 00 01",                  // [MQTT-3.8.3-3]
        "82 06 00 01 00 01 'a' 03",     // [MQTT-3.8.3-4]
        "82 07 00 01 00 02 'a#' 00",    // [MQTT-4.7.1-2]
        "80 06 00 01 00 01 'a' 00",     // [MQTT-3.8.1-1]
        "a2 02 00 01",                  // [MQTT-3.10.3-2]
        "e1 00",                        // [MQTT-3.14.1-1]
        "30 ff ff ff ff 01",
    };
    rig       *r       = rig_make();
    rig_client healthy = rig_connect(r, "healthy", 4);
    for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
        rig_client c = rig_connect(r, "abc", 4);
        rig_send_hex(&c, packets[i]);
        rig_expect_closed(&c);
        rig_hang_up(&c);
    }
    assert_int_equal(gm_mqtt_server_statistics(r->server).protocol_errors, sizeof packets / sizeof packets[0]);
    rig_expect_nothing(&healthy);
    rig_hang_up(&healthy);
    rig_free(r);
}

static void packets_may_come_byte_by_byte_or_all_at_once(void **state)
{
    (void)state;
    static const char talk[] = CONNECT_CLEAN("abc") "82 06 00 01 00 01 't' 00"
                                                    "30 04 00 01 't' 'm'"
                                                    "32 06 00 01 't' 00 02 'm'"
                                                    "c0 00 e0 00";
    static const char said[] = "20 02 00 00"
                               "90 03 00 01 00"
                               "30 04 00 01 't' 'm'"
                               "30 04 00 01 't' 'm'"
                               "40 02 00 02"
                               "d0 00";
    rig *r = rig_make();
    rig_client whole = rig_dial(r);
    rig_send_hex(&whole, talk);
    rig_expect_hex(&whole, said);
    rig_expect_closed(&whole);
    rig_hang_up(&whole);

    rig_client slow = rig_dial(r);
    gm_buf     copy = gm_buf_init(gm_alloc_system());
    for (const char *hex = talk; *hex != '\0'; hex++) {
        char one[4] = { hex[0], hex[1], 0, 0 };
        if (*hex == ' ') continue;
        if (*hex == '\'') {
            for (hex++; *hex != '\''; hex++) gm_buf_byte(&copy, (uint8_t)*hex);
            continue;
        }
        gm_buf_byte(&copy, (uint8_t)strtoul(one, NULL, 16));
        hex++;
    }
    for (size_t i = 0; i < copy.len; i++) {
        rig_send(&slow, copy.ptr + i, 1);
        rig_pass(r, 0);
    }
    rig_expect_hex(&slow, said);
    rig_expect_closed(&slow);
    gm_buf_finish(&copy);
    rig_hang_up(&slow);
    rig_free(r);
}

static void many_subscribers_share_one_message(void **state)
{
    (void)state;
    enum { MANY = 60 };
    rig       *r = rig_make();
    rig_client sender = rig_connect(r, "sender", 4), subs[MANY];
    for (int i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "sub%d", i);
        subs[i] = rig_connect(r, name, 4);
        rig_subscribe(&subs[i], "t/#", (uint8_t)(i % 3));
    }
    rig_publish(&sender, "t/a", "m", 2, 1, false);
    rig_expect_ack(&sender, GM_MQTT_PUBREC, 1);
    for (int i = 0; i < MANY; i++) {
        rig_expect_publish(&subs[i], "t/a", "m", (uint8_t)(i % 3), false);
        rig_hang_up(&subs[i]);
    }
    assert_int_equal(gm_mqtt_server_statistics(r->server).subscriptions, 0);
    assert_int_equal(gm_mqtt_server_statistics(r->server).sessions, 1);
    rig_hang_up(&sender);
    rig_free(r);
}

static void a_session_of_3_1_1_ends_after_the_servers_limit(void **state)
{
    (void)state;
    rig            *r       = rig_make();
    gm_mqtt_connect connect = persistent("keeper");
    rig_client      c       = rig_connect_with(r, &connect, false);
    rig_hang_up(&c);
    rig_pass(r, 6 * GM_DAY);
    assert_int_equal(gm_mqtt_server_statistics(r->server).sessions, 1);
    rig_pass(r, 2 * GM_DAY);
    assert_int_equal(gm_mqtt_server_statistics(r->server).sessions, 0);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_packet_must_be_a_connect__MQTT_3_1_0_1),
        cmocka_unit_test(a_second_connect_closes__MQTT_3_1_0_2),
        cmocka_unit_test(a_malformed_connect_closes_without_connack__MQTT_3_1_2_1_3_13_14_15_22_MQTT_3_1_4_1),
        cmocka_unit_test(an_unknown_protocol_level_is_answered_with_code_1__MQTT_3_1_2_2),
        cmocka_unit_test(the_first_answer_is_connack_without_session__MQTT_3_2_0_1_MQTT_3_2_2_1),
        cmocka_unit_test(a_client_without_identifier_is_given_one_only_when_clean__MQTT_3_1_3_6_7_8_9),
        cmocka_unit_test(a_client_identifier_in_use_is_taken_over__MQTT_3_1_4_2),
        cmocka_unit_test(a_session_is_kept_for_its_client__MQTT_3_1_2_4_5_MQTT_3_2_2_2),
        cmocka_unit_test(a_clean_session_starts_and_ends_empty__MQTT_3_1_2_6),
        cmocka_unit_test(what_was_not_acknowledged_is_sent_again_in_its_order__MQTT_4_4_0_1_MQTT_4_6_0_5),
        cmocka_unit_test(a_will_is_published_when_the_connection_breaks__MQTT_3_1_2_8),
        cmocka_unit_test(a_will_is_dropped_after_disconnect__MQTT_3_1_2_10_MQTT_3_14_4_3),
        cmocka_unit_test(a_retained_will_is_retained__MQTT_3_1_2_17),
        cmocka_unit_test(silence_of_one_and_a_half_keep_alives_ends_the_connection__MQTT_3_1_2_24),
        cmocka_unit_test(pings_are_answered__MQTT_3_12_4_1),
        cmocka_unit_test(every_filter_gets_its_code_in_order__MQTT_3_8_4_1_to_6_MQTT_3_9_3_1),
        cmocka_unit_test(a_subscription_is_replaced_by_one_with_the_same_filter__MQTT_3_8_4_3),
        cmocka_unit_test(the_lower_quality_of_service_wins__MQTT_3_8_4_6),
        cmocka_unit_test(overlapping_subscriptions_give_one_copy_at_the_highest_qos__MQTT_3_3_5_1),
        cmocka_unit_test(exactly_once_means_delivered_once__MQTT_4_3_3_2),
        cmocka_unit_test(exactly_once_holds_over_a_broken_connection__MQTT_4_3_3_2),
        cmocka_unit_test(retained_messages_are_for_new_subscribers__MQTT_3_3_1_5_to_11),
        cmocka_unit_test(retained_messages_survive_the_end_of_the_process),
        cmocka_unit_test(system_topics_need_to_be_asked_for__MQTT_4_7_2_1),
        cmocka_unit_test(what_only_servers_send_closes__MQTT_4_8_0_1),
        cmocka_unit_test(a_broken_packet_closes_only_its_connection__MQTT_4_8_0_1),
        cmocka_unit_test(packets_may_come_byte_by_byte_or_all_at_once),
        cmocka_unit_test(many_subscribers_share_one_message),
        cmocka_unit_test(a_session_of_3_1_1_ends_after_the_servers_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
