// What devices publish to twins: applied, durable, acknowledged, or a dead letter with its reason.
#include "link/mqtt_rig.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void whoever_holds_the_acknowledgement_reads_the_change(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_connect(r, "dev", 4);
    rig_publish(&c, "gemel/pump1/telemetry", "{\"flow\":21.5,\"count\":3}", 1, 7, false);
    rig_expect_ack(&c, GM_MQTT_PUBACK, 7);
    assert_true(rig_value(r, "pump1", "flow") == 21.5);
    assert_true(rig_value(r, "pump1", "count") == 3);
    rig_publish(&c, "gemel/pump1/motor/telemetry", "{\"speed\":1500}", 2, 8, false);
    rig_expect_ack(&c, GM_MQTT_PUBREC, 8);
    assert_true(rig_value(r, "pump1", "motor/speed") == 1500);
    rig_send_hex(&c, "62 02 00 08");
    rig_expect_ack(&c, GM_MQTT_PUBCOMP, 8);
    rig_publish(&c, "gemel/a%2Fb/properties", "{\"label\":\"x\",\"motor\":{\"speed\":1}}", 1, 9, false);
    rig_expect_ack(&c, GM_MQTT_PUBACK, 9);
    assert_true(rig_value(r, "a/b", "motor/speed") == 1);
    rig_publish(&c, "gemel/pump2/telemetry", "{\"flow\":5}", 0, 0, false);
    rig_publish(&c, "gemel/pump2/telemetry", "{\"flow\":6}", 1, 10, false);
    rig_expect_ack(&c, GM_MQTT_PUBACK, 10);
    assert_true(rig_value(r, "pump2", "flow") == 6);
    assert_int_equal(gm_dead_letters_total(r->letters), 0);
    rig_hang_up(&c);
    rig_free(r);
}

static void an_acknowledged_message_survives_the_end_of_the_process(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_connect(r, "dev", 4);
    rig_publish(&c, "gemel/pump1/telemetry", "{\"$time\":\"2026-01-01T00:00:00Z\",\"flow\":1.25}", 1, 1, false);
    rig_expect_ack(&c, GM_MQTT_PUBACK, 1);
    rig_hang_up(&c);
    rig_restart(r);
    assert_true(rig_value(r, "pump1", "flow") == 1.25);
    rig_free(r);
}

static void what_can_not_be_applied_is_acknowledged_and_becomes_a_dead_letter(void **state)
{
    (void)state;
    static const struct { const char *topic, *payload, *reason;
    } cases[] = {
        { "gemel/nobody/telemetry", "{\"flow\":1}", "there is no twin 'nobody'" },
        { "gemel/pump1/telemetry", "{\"pressure\":1}", "byte 1: 'pressure' is not part of model dtmi:test:Pump;1" },
        { "gemel/pump1/telemetry", "{\"flow\":\"1\"}", "byte 8: 'flow' must be a number (double), found a text" },
        { "gemel/pump1/telemetry", "{\"flow\":NaN}",
          "byte 8: 'flow' must be a number (double), found NaN, which is not JSON" },
        { "gemel/pump1/telemetry", "{\"flow\":-Infinity}",
          "byte 8: 'flow' must be a number (double), found an infinity" },
        { "gemel/pump1/telemetry", "{\"flow\":1,\"flow\":2}", "byte 10: 'flow' stands twice" },
        { "gemel/pump1/telemetry",
          "{\"flow\":", "byte 8: 'flow' must be a number (double), found the end of the message" },
        { "gemel/pump1/telemetry", "{\"flow\":[[[[[[[[[[[[[[[[[[[[",
          "byte 8: 'flow' must be a number (double), found an array" },
        { "gemel/pump1/telemetry", "21.5", "byte 0: expected an object" },
        { "gemel/pump1/telemetry", "", "byte 0: expected an object, '{', found the end of the message" },
        { "gemel/pump1/telemetry", "{\"count\":3000000000}", "byte 9: 'count' must be a whole number" },
        { "gemel/pump1/telemetry", "{\"$time\":\"9999-01-01T00:00:00Z\",\"flow\":1}", "byte 9: '$time': time" },
        { "gemel/pump1/telemetry", "{\"$time\":\"1960-01-01T00:00:00Z\",\"flow\":1}", "byte 9: '$time': time" },
        { "gemel/pump1/telemetry", "{\"$time\":\"2150-01-01T00:00:00Z\",\"flow\":1}",
          "byte 9: '$time' lies too far in the future" },
        { "gemel/pump1/telemetry", "{\"label\":\"\xff\"}", "byte 10: a text that is not valid UTF-8" },
        { "gemel/pump1/engine/telemetry", "{\"speed\":1}", "model dtmi:test:Pump;1 has no component 'engine'" },
        { "gemel/pump1/motor/telemetry", "{\"flow\":1}", "byte 1: 'motor/flow' is not part of model dtmi:test:Pump;1" },
        { "gemel/pump1/temperature", "1", "no such topic" },
        { "gemel/pump1", "1", "no such topic" },
        { "gemel//telemetry", "{\"flow\":1}", "no such topic" },
        { "gemel/pump1/a/b/telemetry", "{\"flow\":1}", "no such topic" },
        { "gemel/%zz/telemetry", "{\"flow\":1}", "" },
    };
    rig       *r = rig_make();
    rig_client c = rig_connect(r, "dev", 4);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig_publish(&c, cases[i].topic, cases[i].payload, 1, (uint16_t)(i + 1), false);
        rig_expect_ack(&c, GM_MQTT_PUBACK, (uint16_t)(i + 1));
        rig_expect_dead_letter(r, cases[i].topic, cases[i].reason);
    }
    assert_true(isnan(rig_value(r, "pump1", "flow")));
    assert_int_equal(gm_mqtt_server_statistics(r->server).native_rejected, sizeof cases / sizeof cases[0]);
    rig_hang_up(&c);
    rig_free(r);
}

// Version 5 has a reason code for it, so a device can know that it is set up wrongly.
static void a_version_5_client_is_told_of_its_dead_letters__MQTT5_3_4_2_1(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_connect(r, "dev", 5);
    rig_publish(&c, "gemel/nobody/telemetry", "{\"flow\":1}", 1, 1, false);
    rig_expect_hex(&c, "40 03 00 01 83");
    rig_publish(&c, "gemel/nobody/telemetry", "{\"flow\":1}", 1, 2, false);  // only counted, and told all the same
    rig_expect_hex(&c, "40 03 00 02 83");
    rig_publish(&c, "gemel/new/create", "{\"$metadata\":{\"$model\":\"dtmi:test:Nothing;1\"}}", 1, 3, false);
    rig_expect_hex(&c, "40 03 00 03 83");
    rig_publish(&c, "gemel/pump1/telemetry", "{\"flow\":1}", 1, 4, false);
    rig_expect_ack(&c, GM_MQTT_PUBACK, 4);
    rig_hang_up(&c);
    rig_free(r);
}

static void acknowledgements_leave_in_the_order_of_the_messages__MQTT_4_6_0_2(void **state)
{
    (void)state;
    rig       *r   = rig_make();
    rig_client c   = rig_connect(r, "dev", 4);
    gm_buf     out = gm_buf_init(gm_alloc_system());
    // Messages that wait for the disk, ones that do not, and dead letters that are only counted, all in one write.
    for (uint16_t i = 1; i <= 300; i++) {
        static const char *const topics[] = { "gemel/pump1/telemetry", "some/topic", "gemel/nobody/telemetry" };
        gm_mqtt_outgoing         o        = {
                           .topic = gm_str_of(topics[i % 3]), .payload = GM_STR("{\"flow\":1}"), .qos = 1, .packet_id = i
        };
        gm_mqtt_write_publish(&out, 4, &o);
    }
    rig_send_buf(&c, &out);
    for (uint16_t i = 1; i <= 300; i++) rig_expect_ack(&c, GM_MQTT_PUBACK, i);
    gm_buf_finish(&out);
    rig_hang_up(&c);
    rig_free(r);
}

static void messages_of_one_twin_without_a_time_are_all_kept(void **state)
{
    (void)state;
    rig       *r   = rig_make();
    rig_client c   = rig_connect(r, "dev", 4);
    gm_buf     out = gm_buf_init(gm_alloc_system());
    for (uint16_t i = 1; i <= 500; i++) {
        gm_mqtt_outgoing o = {
            .topic = GM_STR("gemel/pump1/telemetry"), .payload = GM_STR("{\"flow\":1}"), .qos = 1, .packet_id = i
        };
        gm_mqtt_write_publish(&out, 4, &o);
    }
    rig_send_buf(&c, &out);
    for (uint16_t i = 1; i <= 500; i++) rig_expect_ack(&c, GM_MQTT_PUBACK, i);
    gm_twin twin = gm_state_find(gm_engine_state(r->engine), GM_STR("pump1"));
    assert_int_equal(
        gm_engine_count_history(r->engine, twin,
                                gm_type_column_index(gm_state_type(gm_engine_state(r->engine), twin), GM_STR("flow"))),
        500);
    gm_buf_finish(&out);
    rig_hang_up(&c);
    rig_free(r);
}

static void when_the_log_refuses_nothing_is_acknowledged_and_the_connection_ends(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_connect(r, "dev", 4);
    rig_publish(&c, "gemel/pump1/telemetry", "{\"flow\":1}", 1, 1, false);
    rig_expect_ack(&c, GM_MQTT_PUBACK, 1);
    r->disk.power_at_sync = r->disk.syncs + 1;
    rig_publish(&c, "gemel/pump1/telemetry", "{\"flow\":2}", 1, 2, false);
    rig_expect_closed(&c);
    gm_mqtt_statistics s = gm_mqtt_server_statistics(r->server);
    assert_int_equal(s.refused_by_log, 1);
    assert_true(strstr(s.last_error, "not stored") != NULL);
    rig_hang_up(&c);
    c = rig_connect(r, "dev", 4);  // connecting works, publishing into twins does not
    rig_publish(&c, "gemel/pump1/telemetry", "{\"flow\":3}", 1, 3, false);
    rig_expect_closed(&c);
    rig_hang_up(&c);
    rig_free(r);
}

static void a_device_introduces_itself_and_goes_on_at_once(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_connect(r, "dev", 4);
    rig_publish(&c, "gemel/new1/create",
                "{\"$metadata\":{\"$model\":\"dtmi:test:Pump;1\"},\"motor\":{\"$metadata\":{}}}", 1, 1, false);
    rig_publish(&c, "gemel/new1/telemetry", "{\"flow\":4}", 1, 2, false);
    rig_expect_ack(&c, GM_MQTT_PUBACK, 1);
    rig_expect_ack(&c, GM_MQTT_PUBACK, 2);
    assert_true(rig_value(r, "new1", "flow") == 4);
    rig_publish(&c, "gemel/new2/create", "{\"$metadata\":{\"$model\":\"dtmi:test:Nothing;1\"}}", 1, 3, false);
    rig_expect_ack(&c, GM_MQTT_PUBACK, 3);
    rig_expect_dead_letter(r, "gemel/new2/create", "there is no model 'dtmi:test:Nothing;1'");
    rig_publish(&c, "gemel/new3/create", "nonsense", 1, 4, false);
    rig_expect_ack(&c, GM_MQTT_PUBACK, 4);
    rig_hang_up(&c);
    rig_free(r);
}

static void changes_are_published_to_those_who_asked(void **state)
{
    (void)state;
    rig       *r       = rig_make();
    rig_client device  = rig_connect(r, "dev", 4);
    rig_client watcher = rig_connect(r, "watcher", 4);
    rig_subscribe(&watcher, "gemel/+/changes", 1);
    rig_publish(&device, "gemel/a%2Fb/telemetry",
                "{\"$time\":\"2026-01-01T00:00:00.25Z\",\"flow\":2.5,\"motor\":{\"speed\":3}}", 1, 1, false);
    rig_expect_ack(&device, GM_MQTT_PUBACK, 1);
    gm_mqtt_publish p = rig_expect_publish(&watcher, "gemel/a%2Fb/changes", NULL, 1, false);
    assert_true(gm_str_starts(p.payload, GM_STR("{\"sequence\":")));
    assert_true(
        gm_str_find(
            p.payload,
            GM_STR("\"sourceTime\":\"2026-01-01T00:00:00.250Z\",\"values\":{\"flow\":2.5,\"motor/speed\":3}}")) !=
        SIZE_MAX);
    rig_hang_up(&device);
    rig_hang_up(&watcher);
    rig_free(r);
}

static void a_flood_is_taken_in_without_loss_at_whatever_pace_the_disk_allows(void **state)
{
    (void)state;
    enum { CLIENTS = 5, MESSAGES = 20000 };
    rig       *r = rig_make();
    rig_client clients[CLIENTS];
    uint32_t   sent[CLIENTS] = { 0 }, acked[CLIENTS] = { 0 };
    gm_buf     out = gm_buf_init(gm_alloc_system());
    for (int i = 0; i < CLIENTS; i++) {
        char name[16];
        snprintf(name, sizeof name, "dev%d", i);
        clients[i] = rig_connect(r, name, 4);
    }
    for (bool busy = true; busy;) {
        busy = false;
        for (int i = 0; i < CLIENTS; i++) {
            for (int n = 0; n < 500 && sent[i] < MESSAGES && sent[i] - acked[i] < 5000; n++) {
                gm_mqtt_outgoing o = { .topic     = GM_STR("gemel/pump1/telemetry"),
                                       .payload   = GM_STR("{\"flow\":1,\"count\":2}"),
                                       .qos       = 1,
                                       .packet_id = (uint16_t)(sent[i] % 60000 + 1) };
                gm_mqtt_write_publish(&out, 4, &o);
                sent[i]++;
            }
            rig_send_buf(&clients[i], &out);
            while (acked[i] < sent[i]) {
                if (clients[i].in.len < 4) {
                    if (sent[i] - acked[i] < 5000 && sent[i] < MESSAGES) break;
                }
                rig_expect_ack(&clients[i], GM_MQTT_PUBACK, (uint16_t)(acked[i] % 60000 + 1));
                acked[i]++;
            }
            busy |= acked[i] < MESSAGES;
        }
    }
    assert_int_equal(gm_mqtt_server_statistics(r->server).native_applied, CLIENTS * MESSAGES);
    gm_buf_finish(&out);
    for (int i = 0; i < CLIENTS; i++) rig_hang_up(&clients[i]);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_holds_the_acknowledgement_reads_the_change),
        cmocka_unit_test(an_acknowledged_message_survives_the_end_of_the_process),
        cmocka_unit_test(what_can_not_be_applied_is_acknowledged_and_becomes_a_dead_letter),
        cmocka_unit_test(a_version_5_client_is_told_of_its_dead_letters__MQTT5_3_4_2_1),
        cmocka_unit_test(acknowledgements_leave_in_the_order_of_the_messages__MQTT_4_6_0_2),
        cmocka_unit_test(messages_of_one_twin_without_a_time_are_all_kept),
        cmocka_unit_test(when_the_log_refuses_nothing_is_acknowledged_and_the_connection_ends),
        cmocka_unit_test(a_device_introduces_itself_and_goes_on_at_once),
        cmocka_unit_test(changes_are_published_to_those_who_asked),
        cmocka_unit_test(a_flood_is_taken_in_without_loss_at_whatever_pace_the_disk_allows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
