// Who may what over MQTT: without a token nothing, with a scope its twins only.
#include "link/mqtt_rig.h"

#include <stdio.h>

typedef struct user { char name[32], token[GM_TOKEN_TEXT + 1]; } user;

static rig *guarded_rig(void)
{
    rig *r = rig_make();
    rig_stop(r);
    r->guarded = true;
    rig_start(r);
    return r;
}

static user add_user(rig *r, const char *name, gm_right right, const char *twin, uint32_t rate)
{
    user     u = { 0 };
    gm_user  g = { .name = gm_str_of(name), .right = right, .rate = rate };
    gm_error err;
    if (twin != NULL) g.scopes[g.scope_count++] = gm_str_of(twin);
    snprintf(u.name, sizeof u.name, "%s", name);
    assert_gm_ok(gm_access_add_user(r->access, &g, u.token, (gm_ask){ 0 }, &err), err);
    assert_gm_ok(gm_engine_settle(r->engine, &err), err);
    return u;
}

static gm_mqtt_connect connect_as(const user *u, const char *client_id, uint8_t version)
{
    return (gm_mqtt_connect){ .level = version, .clean = true, .client_id = gm_str_of(client_id), .has_username = true,
                              .username = gm_str_of(u->name), .has_password = true, .password = gm_str_of(u->token),
                              .properties.block = { "", 0 }, .will_properties.block = { "", 0 } };
}

static rig_client enter(rig *r, const user *u, const char *client_id, uint8_t version)
{
    gm_mqtt_connect c = connect_as(u, client_id, version);
    return rig_connect_with(r, &c, false);
}

// CONNECT is answered with that code, and the connection ends.
static void expect_refusal(rig *r, const gm_mqtt_connect *connect, uint8_t code)
{
    rig_client c   = rig_dial(r);
    gm_buf     out = gm_buf_init(gm_alloc_system());
    gm_mqtt_write_connect(&out, connect);
    rig_send_buf(&c, &out);
    gm_mqtt_frame frame = rig_next(&c);
    assert_int_equal(frame.type, GM_MQTT_CONNACK);
    assert_int_equal((uint8_t)frame.body.ptr[1], code);
    rig_expect_closed(&c);
    rig_hang_up(&c);
    gm_buf_finish(&out);
}

static void only_who_shows_his_own_token_is_let_in(void **state)
{
    (void)state;
    rig            *r    = guarded_rig();
    rig_client      open = rig_connect(r, "before", 5);  // nobody there yet: open
    user            anna = add_user(r, "anna", GM_RIGHT_ADMIN, NULL, 0), ron = add_user(r, "ron", GM_RIGHT_READ, NULL, 0);
    gm_mqtt_connect c    = connect_as(&anna, "x", 5);
    rig_pass(r, GM_SECOND);
    gm_mqtt_frame bye = rig_next(&open);  // from now on access is asked for
    assert_int_equal(bye.type, GM_MQTT_DISCONNECT);
    assert_int_equal((uint8_t)bye.body.ptr[0], GM_MQTT_NOT_AUTHORIZED);
    rig_hang_up(&open);

    c.has_password = c.has_username = false;
    expect_refusal(r, &c, GM_MQTT_BAD_CREDENTIALS);
    c = connect_as(&anna, "x", 4);
    c.password = GM_STR("gemel_wrong");
    expect_refusal(r, &c, 4);
    c          = connect_as(&anna, "x", 5);
    c.username = gm_str_of(ron.name);  // another one's name
    expect_refusal(r, &c, GM_MQTT_BAD_CREDENTIALS);
    c              = connect_as(&ron, "x", 5);
    c.has_will     = true;
    c.will_topic   = GM_STR("gemel/pump1/telemetry");
    c.will_payload = GM_STR("{}");
    expect_refusal(r, &c, GM_MQTT_NOT_AUTHORIZED);  // a reader's last will would write

    rig_client a = enter(r, &anna, "a", 5);
    c            = connect_as(&ron, "a", 5);
    expect_refusal(r, &c, GM_MQTT_CLIENT_ID_INVALID);  // her session is not his
    rig_expect_nothing(&a);
    rig_hang_up(&a);
    rig_free(r);
}

static void a_device_writes_its_own_twins_only(void **state)
{
    (void)state;
    rig       *r   = guarded_rig();
    user       dev = add_user(r, "pump1", GM_RIGHT_OPERATE, "pump1", 0), ron = add_user(r, "ron", GM_RIGHT_READ, NULL, 0);
    gm_error   err = { 0 };
    rig_client d   = enter(r, &dev, "d", 5), old = enter(r, &dev, "old", 4), reader = enter(r, &ron, "ron", 5);
    rig_publish(&d, "gemel/pump1/telemetry", "{\"flow\":1.5}", 1, 1, false);
    rig_expect_ack(&d, GM_MQTT_PUBACK, 1);
    assert_true(rig_value(r, "pump1", "flow") == 1.5);
    static const char *const foreign[] = { "gemel/pump2/telemetry", "gemel/pump2/properties", "gemel/a%2Fb/telemetry", "gemel/new/create",
                                           "gemel/pump1/create", "a/b", "gemel", "gemel/", "gemel/pump1", "gemel//telemetry", "gemel/%zz/telemetry" };
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        rig_publish(&d, foreign[i], "{\"flow\":9}", 1, 2, false);
        rig_expect_hex(&d, "40 03 00 02 87");
        rig_publish(&d, foreign[i], "{\"flow\":9}", 2, 3, true);
        rig_expect_hex(&d, "50 03 00 03 87");
        rig_publish(&d, foreign[i], "{\"flow\":9}", 0, 0, true);
    }
    rig_expect_nothing(&d);
    assert_gm_ok(gm_engine_settle(r->engine, &err), err);
    rig_expect_dead_letter(r, "gemel/pump2/telemetry", "'pump1' may not publish this");
    rig_publish(&old, "gemel/pump2/telemetry", "{\"flow\":9}", 1, 2, false);
    rig_expect_ack(&old, GM_MQTT_PUBACK, 2);  // version 3.1.1 has no word for it
    rig_publish(&reader, "gemel/pump1/telemetry", "{\"flow\":9}", 1, 1, false);
    rig_expect_hex(&reader, "40 03 00 01 87");
    assert_true(rig_value(r, "pump1", "flow") == 1.5);
    assert_true(rig_value(r, "pump2", "flow") != rig_value(r, "pump2", "flow"));  // NaN: never written
    assert_int_equal(gm_retained_count(r->retained), 0);
    rig_hang_up(&d);
    rig_hang_up(&old);
    rig_hang_up(&reader);
    rig_free(r);
}

static void wildcards_show_a_device_its_own_twins_only(void **state)
{
    (void)state;
    rig       *r    = guarded_rig();
    user       dev  = add_user(r, "pump1", GM_RIGHT_OPERATE, "pump1", 0), anna = add_user(r, "anna", GM_RIGHT_ADMIN, NULL, 0);
    rig_client a    = enter(r, &anna, "a", 5), d = enter(r, &dev, "d", 5), s = enter(r, &dev, "s", 5);
    rig_publish(&a, "gemel/pump2/desired", "secret", 1, 1, true);
    rig_expect_ack(&a, GM_MQTT_PUBACK, 1);
    rig_publish(&a, "gemel/pump1/desired", "mine", 1, 2, true);
    rig_expect_ack(&a, GM_MQTT_PUBACK, 2);
    rig_subscribe(&d, "#", 1);
    rig_expect_publish(&d, "gemel/pump1/desired", "mine", 1, true);  // of the retained ones
    rig_subscribe(&s, "$share/g/gemel/#", 0);
    rig_publish(&a, "gemel/pump2/telemetry", "{\"flow\":7}", 1, 3, false);
    rig_expect_ack(&a, GM_MQTT_PUBACK, 3);  // it changes, and nobody of these may see that
    rig_publish(&a, "elsewhere", "secret", 0, 0, false);
    rig_publish(&a, "gemel/pump1/commands/stop/1", "{}", 0, 0, false);
    rig_expect_publish(&d, "gemel/pump1/commands/stop/1", "{}", 0, false);
    rig_expect_publish(&s, "gemel/pump1/commands/stop/1", "{}", 0, false);
    rig_expect_nothing(&d);
    rig_expect_nothing(&s);
    rig_hang_up(&a);
    rig_hang_up(&d);
    rig_hang_up(&s);
    rig_free(r);
}

static void revoking_ends_connection_and_session(void **state)
{
    (void)state;
    rig            *r   = guarded_rig();
    user            dev = add_user(r, "pump1", GM_RIGHT_OPERATE, NULL, 0);
    gm_mqtt_connect c   = connect_as(&dev, "d", 4);
    gm_error        err;
    c.clean      = false;
    rig_client d = rig_connect_with(r, &c, false);
    rig_subscribe(&d, "a", 1);
    assert_gm_ok(gm_access_revoke(r->access, GM_STR("pump1"), (gm_ask){ 0 }, &err), err);
    assert_gm_ok(gm_engine_settle(r->engine, &err), err);
    rig_pass(r, GM_SECOND);
    rig_expect_closed(&d);
    rig_hang_up(&d);
    assert_int_equal(gm_mqtt_server_statistics(r->server).sessions, 0);
    expect_refusal(r, &c, 4);
    rig_free(r);
}

static void more_messages_than_granted_end_the_connection(void **state)
{
    (void)state;
    rig       *r   = guarded_rig();
    user       dev = add_user(r, "pump1", GM_RIGHT_OPERATE, NULL, 3);
    rig_client d   = enter(r, &dev, "d", 5);
    for (int i = 0; i < 4; i++) rig_publish(&d, "a", "x", 0, 0, false);
    gm_mqtt_frame bye = rig_next(&d);
    assert_int_equal(bye.type, GM_MQTT_DISCONNECT);
    assert_int_equal((uint8_t)bye.body.ptr[0], GM_MQTT_MESSAGE_RATE_TOO_HIGH);
    rig_hang_up(&d);
    rig_free(r);
}

// A CONNECT, or a handshake, that trickles in byte by byte holds its place for ten seconds and no longer.
static void who_trickles_is_closed_in_time(void **state)
{
    (void)state;
    rig       *r = rig_make();
    rig_client c = rig_dial(r);
    rig_send_hex(&c, "10");
    for (int i = 0; i < 6; i++) {
        rig_pass(r, 2 * GM_SECOND);
        rig_send_hex(&c, "80");  // the length goes on; the fifth is too much in any case
        if (i == 2) break;
    }
    rig_pass(r, 2 * GM_SECOND);
    rig_pass(r, 3 * GM_SECOND);
    rig_expect_closed(&c);
    rig_hang_up(&c);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_who_shows_his_own_token_is_let_in),
        cmocka_unit_test(a_device_writes_its_own_twins_only),
        cmocka_unit_test(wildcards_show_a_device_its_own_twins_only),
        cmocka_unit_test(revoking_ends_connection_and_session),
        cmocka_unit_test(more_messages_than_granted_end_the_connection),
        cmocka_unit_test(who_trickles_is_closed_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
