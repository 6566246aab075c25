// Sessions that outlive the server: what the standards call session state [MQTT-3.1.2.4, MQTT5-4.1] after the power failed.
#include "engine/checkpoint.h"
#include "link/mqtt_rig.h"
#include "support/temp_dir.h"

#include <stdio.h>

// The power fails now: what was not synced is gone or torn. The clients' connections go with it; NULL: there are no more.
static void crash(rig *r, rig_client *a, rig_client *b)
{
    r->disk.power_at_sync = r->disk.syncs + 1;
    rig_stop(r);
    if (a != NULL) rig_hang_up(a);
    if (b != NULL) rig_hang_up(b);
    gm_fault_io_power_on(&r->disk);
    rig_start(r);
}

static rig_client come_back(rig *r, const char *id, bool expect_present)
{
    gm_mqtt_connect connect = { .level = GM_MQTT_V311, .client_id = gm_str_of(id) };
    return rig_connect_with(r, &connect, expect_present);
}

static void messages_for_an_absent_client_survive_a_power_failure__MQTT_3_1_2_5(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = come_back(r, "keeper", false);
    rig_subscribe(&c, "a/+", 1);
    rig_hang_up(&c);
    rig_client p = rig_connect(r, "p", 4);
    for (uint16_t i = 1; i <= 5; i++) {
        char text[8];
        snprintf(text, sizeof text, "m%u", i);
        rig_publish(&p, "a/b", text, 1, i, false);
        rig_expect_ack(&p, GM_MQTT_PUBACK, i);
    }
    rig_hang_up(&p);
    crash(r, NULL, NULL);
    c = come_back(r, "keeper", true);
    for (int i = 1; i <= 5; i++) {
        char text[8];
        snprintf(text, sizeof text, "m%d", i);
        gm_mqtt_publish m = rig_expect_publish(&c, "a/b", text, 1, false);
        assert_false(m.dup);
        assert_int_equal(m.packet_id, i);
    }
    rig_expect_nothing(&c);
    rig_hang_up(&c);
    rig_free(r);
}

// What the client has acknowledged is noted at the end of the turn that read it. A durable session's SUBACK waits for its
// commit: the first says that the turn is under way, the second lies in a commit behind that turn's.
static void progress_is_durable(rig_client *c)
{
    rig_subscribe(c, "elsewhere/1", 1);
    rig_subscribe(c, "elsewhere/2", 1);
}

static void unacknowledged_messages_are_sent_again_with_their_identifiers__MQTT_4_4_0_1(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = come_back(r, "c", false), p = rig_connect(r, "p", 4);
    rig_subscribe(&c, "t", 2);
    for (uint16_t i = 1; i <= 3; i++) {
        rig_publish(&p, "t", i == 1 ? "one" : i == 2 ? "two" : "three", 1, i, false);
        rig_expect_ack(&p, GM_MQTT_PUBACK, i);
    }
    uint16_t ids[3];
    ids[0] = rig_expect_publish(&c, "t", "one", 1, false).packet_id;
    ids[1] = rig_expect_publish(&c, "t", "two", 1, false).packet_id;
    ids[2] = rig_expect_publish(&c, "t", "three", 1, false).packet_id;
    gm_buf ack = gm_buf_init(gm_alloc_system());
    gm_mqtt_write_ack(&ack, GM_MQTT_PUBACK, 4, ids[0], 0);
    rig_send_buf(&c, &ack);
    progress_is_durable(&c);
    rig_expect_nothing(&c);
    crash(r, &c, &p);
    c = come_back(r, "c", true);
    gm_mqtt_publish two = rig_expect_publish(&c, "t", "two", 1, false);
    assert_true(two.dup);
    assert_int_equal(two.packet_id, ids[1]);
    gm_mqtt_publish three = rig_expect_publish(&c, "t", "three", 1, false);
    assert_int_equal(three.packet_id, ids[2]);
    rig_expect_nothing(&c);
    gm_buf_finish(&ack);
    rig_hang_up(&c);
    rig_free(r);
}

static void a_released_message_is_not_sent_a_second_time__MQTT_4_3_3_1(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = come_back(r, "c", false), p = rig_connect(r, "p", 4);
    rig_subscribe(&c, "t", 2);
    rig_publish(&p, "t", "once", 2, 1, false);
    rig_expect_ack(&p, GM_MQTT_PUBREC, 1);
    uint16_t id  = rig_expect_publish(&c, "t", "once", 2, false).packet_id;
    gm_buf   ack = gm_buf_init(gm_alloc_system());
    gm_mqtt_write_ack(&ack, GM_MQTT_PUBREC, 4, id, 0);
    rig_send_buf(&c, &ack);
    rig_expect_ack(&c, GM_MQTT_PUBREL, id);
    crash(r, &c, &p);
    c = come_back(r, "c", true);
    rig_expect_ack(&c, GM_MQTT_PUBREL, id);  // not the PUBLISH
    gm_mqtt_write_ack(&ack, GM_MQTT_PUBCOMP, 4, id, 0);
    rig_send_buf(&c, &ack);
    rig_expect_nothing(&c);
    gm_buf_finish(&ack);
    rig_hang_up(&c);
    rig_free(r);
}

static void a_received_message_is_not_taken_a_second_time__MQTT_4_3_3_2(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client w = come_back(r, "watcher", false), p = come_back(r, "p", false);
    gm_buf     out = gm_buf_init(gm_alloc_system());
    rig_subscribe(&w, "t", 1);
    rig_publish(&p, "t", "first", 2, 7, false);
    rig_expect_ack(&p, GM_MQTT_PUBREC, 7);
    crash(r, &w, &p);
    w = come_back(r, "watcher", true);
    (void)rig_expect_publish(&w, "t", "first", 1, false);
    p = come_back(r, "p", true);
    gm_mqtt_outgoing again = { .topic = GM_STR("t"), .payload = GM_STR("first"), .qos = 2, .packet_id = 7, .dup = true };
    gm_mqtt_write_publish(&out, 4, &again);
    rig_send_buf(&p, &out);
    rig_expect_ack(&p, GM_MQTT_PUBREC, 7);
    rig_expect_nothing(&w);
    gm_mqtt_write_ack(&out, GM_MQTT_PUBREL, 4, 7, 0);
    rig_send_buf(&p, &out);
    rig_expect_ack(&p, GM_MQTT_PUBCOMP, 7);
    // After the PUBCOMP the identifier stands for something new, also when the power fails in between.
    crash(r, &w, &p);
    w = come_back(r, "watcher", true);
    (void)rig_expect_publish(&w, "t", "first", 1, false);  // never acknowledged
    p = come_back(r, "p", true);
    rig_publish(&p, "t", "second", 2, 7, false);
    rig_expect_ack(&p, GM_MQTT_PUBREC, 7);
    (void)rig_expect_publish(&w, "t", "second", 1, false);
    gm_buf_finish(&out);
    rig_hang_up(&w);
    rig_hang_up(&p);
    rig_free(r);
}

static void subscriptions_end_for_good_with_unsubscribe_and_clean_session__MQTT_3_1_2_6(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = come_back(r, "c", false), d = come_back(r, "d", false), p;
    gm_buf     out = gm_buf_init(gm_alloc_system());
    gm_str     filter = GM_STR("t");
    rig_subscribe(&c, "t", 1);
    rig_subscribe(&c, "u", 1);
    rig_subscribe(&d, "t", 1);
    gm_mqtt_write_unsubscribe(&out, 4, 5, &filter, 1);
    rig_send_buf(&c, &out);
    rig_expect_hex(&c, "b0 02 00 05");
    rig_hang_up(&d);
    d = rig_connect(r, "d", 4);  // clean
    rig_expect_nothing(&d);
    p = rig_connect(r, "p", 4);
    progress_is_durable(&c);
    rig_hang_up(&c);
    crash(r, &d, &p);
    p = rig_connect(r, "p", 4);
    rig_publish(&p, "t", "gone", 1, 1, false);
    rig_expect_ack(&p, GM_MQTT_PUBACK, 1);
    rig_publish(&p, "u", "kept", 1, 2, false);
    rig_expect_ack(&p, GM_MQTT_PUBACK, 2);
    c = come_back(r, "c", true);
    (void)rig_expect_publish(&c, "u", "kept", 1, false);
    rig_expect_nothing(&c);
    d = come_back(r, "d", false);
    rig_expect_nothing(&d);
    rig_hang_up(&c);
    rig_hang_up(&d);
    rig_hang_up(&p);
    gm_buf_finish(&out);
    rig_free(r);
}

static void a_session_expires_while_the_server_is_away__MQTT5_3_1_2_11_2(void **state)
{
    (void)state;
    rig            *r       = rig_make();
    gm_mqtt_connect connect = { .level = GM_MQTT_V5, .clean = true, .client_id = GM_STR("short"), .properties.block = { "", 0 } };
    gm_mqtt_set_number(&connect.properties, GM_MQTT_SESSION_EXPIRY, 60);
    rig_client c = rig_connect_with(r, &connect, false);
    connect.client_id = GM_STR("long");
    gm_mqtt_set_number(&connect.properties, GM_MQTT_SESSION_EXPIRY, 600);
    rig_client d = rig_connect_with(r, &connect, false);
    rig_hang_up(&c);
    rig_hang_up(&d);
    rig_restart(r);
    r->ahead += 120 * GM_SECOND;
    rig_restart(r);
    connect.clean = false;
    d = rig_connect_with(r, &connect, true);
    connect.client_id = GM_STR("short");
    c = rig_connect_with(r, &connect, false);
    rig_hang_up(&c);
    rig_hang_up(&d);
    rig_free(r);
}

static void on_checkpoint(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    (void)token;
    if (status != GM_OK) fail_msg("%s", err->text);
    *(bool *)context = true;
}

// Everything that is kept of a session goes through a checkpoint, too; the log behind it is folded on top.
static void sessions_come_back_from_a_checkpoint(void **state)
{
    (void)state;
    char dir[256];
    gm_test_make_dir(dir, sizeof dir);
    rig *r = rig_make();
    rig_stop(r);
    r->folder = dir;
    rig_start(r);
    gm_mqtt_connect connect = { .level = GM_MQTT_V5, .client_id = GM_STR("c"), .properties.block = { "", 0 } };
    gm_mqtt_set_number(&connect.properties, GM_MQTT_SESSION_EXPIRY, 600);
    rig_client c = rig_connect_with(r, &connect, false), p = come_back(r, "p", false);
    gm_buf     out = gm_buf_init(gm_alloc_system());
    gm_mqtt_filter f = { .filter = GM_STR("$share/g/a/#"), .qos = 2, .retain_as_published = true };
    gm_mqtt_write_subscribe(&out, 5, 3, 77, &f, 1);
    rig_send_buf(&c, &out);
    rig_expect_hex(&c, "90 04 00 03 00 02");
    rig_publish(&p, "a/b", "one", 1, 1, false);
    rig_expect_ack(&p, GM_MQTT_PUBACK, 1);
    (void)rig_expect_publish(&c, "a/b", "one", 1, false);
    rig_publish(&p, "a/b", "two", 2, 2, false);
    rig_expect_ack(&p, GM_MQTT_PUBREC, 2);
    uint16_t two = rig_expect_publish(&c, "a/b", "two", 2, false).packet_id;
    bool     done = false;
    gm_error err;
    assert_gm_ok(gm_engine_checkpoint(r->engine, NULL, (gm_ask){ .call = on_checkpoint, .context = &done }, &err), err);
    while (!done) rig_turn(r);
    rig_publish(&p, "a/b", "three", 1, 3, false);
    rig_expect_ack(&p, GM_MQTT_PUBACK, 3);
    rig_stop(r);
    rig_hang_up(&c);
    rig_hang_up(&p);
    rig_start(r);
    p = come_back(r, "p", true);
    gm_mqtt_outgoing again = { .topic = GM_STR("a/b"), .payload = GM_STR("two"), .qos = 2, .packet_id = 2, .dup = true };
    gm_mqtt_write_publish(&out, 4, &again);
    rig_send_buf(&p, &out);
    rig_expect_ack(&p, GM_MQTT_PUBREC, 2);
    c = rig_connect_with(r, &connect, true);
    assert_true(rig_expect_publish(&c, "a/b", "one", 1, false).dup);
    gm_mqtt_publish second = rig_expect_publish(&c, "a/b", "two", 2, false);
    assert_int_equal(second.packet_id, two);
    assert_int_equal(second.properties.number[GM_MQTT_SUBSCRIPTION_ID], 77);
    (void)rig_expect_publish(&c, "a/b", "three", 1, false);
    rig_expect_nothing(&c);
    rig_publish(&p, "a/b", "four", 1, 4, false);
    rig_expect_ack(&p, GM_MQTT_PUBACK, 4);
    (void)rig_expect_publish(&c, "a/b", "four", 1, false);
    gm_buf_finish(&out);
    rig_hang_up(&c);
    rig_hang_up(&p);
    rig_free(r);
    gm_test_remove_dir(dir);
}

// The same at a moment when nothing is under way: what the server does while it ends here reaches no disk.
static void go_dark(rig *r, rig_client *a, rig_client *b)
{
    r->disk.dark = true;
    crash(r, a, b);
}

static gm_mqtt_connect mortal(uint32_t delay_s)
{
    gm_mqtt_connect c = { .level = GM_MQTT_V5, .client_id = GM_STR("mortal"), .properties.block = { "", 0 },
                          .has_will = true, .will_qos = 1, .will_topic = GM_STR("gone"), .will_payload = GM_STR("x"),
                          .will_properties.block = { "", 0 } };
    gm_mqtt_set_number(&c.properties, GM_MQTT_SESSION_EXPIRY, 600);
    if (delay_s > 0) gm_mqtt_set_number(&c.will_properties, GM_MQTT_WILL_DELAY, delay_s);
    return c;
}

// The will is a part of the session's state. It goes out after the restart, once, unless its client is back in time.
static void a_will_survives_the_server__MQTT_3_1_2_8_MQTT5_4_1(void **state)
{
    (void)state;
    rig            *r       = rig_make();
    rig_client      watcher = come_back(r, "watcher", false);
    gm_mqtt_connect connect = mortal(0);
    rig_subscribe(&watcher, "gone", 1);
    rig_client c = rig_connect_with(r, &connect, false);
    rig_subscribe(&watcher, "gone", 1);  // answered when all before it is durable
    go_dark(r, &c, &watcher);
    watcher = come_back(r, "watcher", true);
    gm_mqtt_publish m = rig_expect_publish(&watcher, "gone", "x", 1, false);
    assert_int_equal(m.packet_id, 1);
    rig_send_hex(&watcher, "40 02 00 01");
    rig_expect_nothing(&watcher);
    rig_stop(r);
    rig_hang_up(&watcher);
    rig_start(r);
    watcher = come_back(r, "watcher", true);
    rig_expect_nothing(&watcher);

    // With a delay: back in time, then not back in time.
    connect = mortal(30);
    c       = rig_connect_with(r, &connect, true);
    rig_subscribe(&watcher, "gone", 1);  // answered when all before it is durable
    go_dark(r, &c, &watcher);
    watcher = come_back(r, "watcher", true);
    rig_pass(r, 20 * GM_SECOND);
    rig_expect_nothing(&watcher);
    c = rig_connect_with(r, &connect, true);
    rig_subscribe(&watcher, "gone", 1);  // answered when all before it is durable
    rig_pass(r, 40 * GM_SECOND);
    rig_expect_nothing(&watcher);
    go_dark(r, &c, &watcher);
    watcher = come_back(r, "watcher", true);
    rig_pass(r, 40 * GM_SECOND);
    (void)rig_expect_publish(&watcher, "gone", "x", 1, false);
    rig_hang_up(&watcher);
    rig_free(r);
}

static void a_will_that_is_not_wanted_any_more_does_not_come_back__MQTT_3_1_2_10(void **state)
{
    (void)state;
    rig            *r       = rig_make();
    rig_client      watcher = come_back(r, "watcher", false);
    gm_mqtt_connect connect = mortal(0);
    rig_subscribe(&watcher, "gone", 1);
    rig_client c = rig_connect_with(r, &connect, false);
    rig_send_hex(&c, "e0 00");
    rig_expect_closed(&c);
    rig_hang_up(&c);
    rig_subscribe(&watcher, "gone", 1);  // answered when all before it is durable
    go_dark(r, &watcher, NULL);
    watcher = come_back(r, "watcher", true);
    rig_pass(r, 2 * GM_SECOND);
    rig_expect_nothing(&watcher);
    // The server that ends in order does not blame its clients.
    c = rig_connect_with(r, &connect, true);
    rig_stop(r);
    rig_hang_up(&c);
    rig_hang_up(&watcher);
    rig_start(r);
    watcher = come_back(r, "watcher", true);
    rig_pass(r, 2 * GM_SECOND);
    rig_expect_nothing(&watcher);
    rig_hang_up(&watcher);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_for_an_absent_client_survive_a_power_failure__MQTT_3_1_2_5),
        cmocka_unit_test(unacknowledged_messages_are_sent_again_with_their_identifiers__MQTT_4_4_0_1),
        cmocka_unit_test(a_released_message_is_not_sent_a_second_time__MQTT_4_3_3_1),
        cmocka_unit_test(a_received_message_is_not_taken_a_second_time__MQTT_4_3_3_2),
        cmocka_unit_test(subscriptions_end_for_good_with_unsubscribe_and_clean_session__MQTT_3_1_2_6),
        cmocka_unit_test(sessions_come_back_from_a_checkpoint),
        cmocka_unit_test(a_will_survives_the_server__MQTT_3_1_2_8_MQTT5_4_1),
        cmocka_unit_test(a_will_that_is_not_wanted_any_more_does_not_come_back__MQTT_3_1_2_10),
        cmocka_unit_test(a_session_expires_while_the_server_is_away__MQTT5_3_1_2_11_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
