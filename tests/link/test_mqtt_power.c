// The power fails at every sync of a conversation, one after the other, while a publisher and a subscriber with durable sessions talk
// through the server at QoS 1 and 2. Both keep to the standard's method A (MQTT 3.1.1, figures 4.2 and 4.3) and have not lost their
// own memory. What must hold whenever it happens: nothing that was acknowledged is missing [MQTT-4.3.2-2], QoS 2 arrives exactly once
// [MQTT-4.3.3-1, MQTT-4.3.3-2], and everything arrives in order the first time [MQTT-4.6.0-5].
#include "link/mqtt_rig.h"

#include <stdio.h>
#include <stdlib.h>

enum { MESSAGES = 24, WINDOW = 4, IDENTIFIERS = 128, TURNS_MAX = 200000 };

typedef enum progress { UNSENT, SENT, RELEASED, ACKNOWLEDGED } progress;

typedef struct talk {
    rig       *r;
    rig_client publisher, subscriber;
    gm_buf     out;
    progress   sent[MESSAGES + 1];       // by message, which is its packet identifier, too
    int        arrived[MESSAGES + 1];    // how often
    int        newest;                   // of those that have arrived
    bool       promised[IDENTIFIERS];    // the subscriber has said PUBREC and waits for PUBREL
    int        failures;
    bool       heard_all;                // PINGRESP: nothing more is on its way
} talk;

static uint8_t qos_of(int message) { return message % 2 == 0 ? 2 : 1; }

static void say(rig_client *c, talk *t, uint8_t type, uint16_t id)
{
    gm_mqtt_write_ack(&t->out, type, 4, id, 0);
    rig_send_buf(c, &t->out);
}

static void publish(talk *t, int message, bool again)
{
    char text[8];
    snprintf(text, sizeof text, "%d", message);
    gm_mqtt_outgoing m = { .topic = GM_STR("t"), .payload = gm_str_of(text), .qos = qos_of(message), .packet_id = (uint16_t)message, .dup = again };
    gm_mqtt_write_publish(&t->out, 4, &m);
    rig_send_buf(&t->publisher, &t->out);
    t->sent[message] = SENT;
}

static void publish_more(talk *t)
{
    int open = 0;
    for (int m = 1; m <= MESSAGES; m++) open += t->sent[m] == SENT || t->sent[m] == RELEASED;
    for (int m = 1; m <= MESSAGES && open < WINDOW; m++) {
        if (t->sent[m] != UNSENT) continue;
        publish(t, m, false);
        open++;
    }
}

// The next whole packet that has come; false: there is none.
static bool next_packet(rig_client *c, gm_mqtt_frame *out, uint8_t *kept, size_t room)
{
    gm_mqtt_fault fault;
    if (gm_mqtt_look(c->in.ptr, c->in.len, room, out, &fault) != GM_MQTT_WHOLE) return false;
    memcpy(kept, c->in.ptr, out->size);
    gm_buf_drop(&c->in, out->size);
    out->body.ptr = (const char *)kept + (out->size - out->body.len);
    return true;
}

static gm_mqtt_ack ack_of(gm_mqtt_frame frame)
{
    gm_mqtt_ack   ack;
    gm_mqtt_fault fault = gm_mqtt_read_ack(frame.type, frame.body, 4, &ack);
    if (fault.rule != NULL) fail_msg("the server sent a broken acknowledgement: %s", fault.rule);
    return ack;
}

static void publisher_hears(talk *t, gm_mqtt_frame frame)
{
    gm_mqtt_ack ack = ack_of(frame);
    assert_in_range(ack.packet_id, 1, MESSAGES);
    progress *p = &t->sent[ack.packet_id];
    if (frame.type == GM_MQTT_PUBREC) {
        *p = RELEASED;
        say(&t->publisher, t, GM_MQTT_PUBREL, ack.packet_id);
    } else {
        assert_true(frame.type == (qos_of(ack.packet_id) == 2 ? GM_MQTT_PUBCOMP : GM_MQTT_PUBACK));
        *p = ACKNOWLEDGED;
    }
}

static void arrives(talk *t, int message)
{
    if (t->arrived[message]++ > 0) return;
    if (message < t->newest) fail_msg("message %d comes first after message %d", message, t->newest);
    t->newest = message;
}

static void subscriber_hears(talk *t, gm_mqtt_frame frame)
{
    if (frame.type == GM_MQTT_PUBLISH) {
        gm_mqtt_publish p;
        gm_mqtt_fault   fault = gm_mqtt_read_publish(frame.flags, frame.body, 4, &p);
        if (fault.rule != NULL) fail_msg("the server sent a broken PUBLISH: %s", fault.rule);
        char text[16];
        snprintf(text, sizeof text, GM_STR_FMT, GM_STR_ARG(p.payload));
        int message = atoi(text);
        assert_in_range(message, 1, MESSAGES);
        assert_in_range(p.packet_id, 1, IDENTIFIERS - 1);
        assert_int_equal(p.qos, qos_of(message));
        if (p.qos == 1 || !t->promised[p.packet_id]) arrives(t, message);
        if (p.qos == 2) t->promised[p.packet_id] = true;
        say(&t->subscriber, t, p.qos == 2 ? GM_MQTT_PUBREC : GM_MQTT_PUBACK, p.packet_id);
        return;
    }
    if (frame.type == GM_MQTT_PINGRESP) {
        t->heard_all = true;
        return;
    }
    assert_int_equal(frame.type, GM_MQTT_PUBREL);  // may come again when the PUBCOMP was lost
    gm_mqtt_ack ack = ack_of(frame);
    assert_in_range(ack.packet_id, 1, IDENTIFIERS - 1);
    t->promised[ack.packet_id] = false;
    say(&t->subscriber, t, GM_MQTT_PUBCOMP, ack.packet_id);
}

static void hear(talk *t, rig_client *c, void (*hears)(talk *t, gm_mqtt_frame frame))
{
    uint8_t       kept[256];
    gm_mqtt_frame frame;
    while (!c->closed && next_packet(c, &frame, kept, sizeof kept)) hears(t, frame);
}

static bool is_over(const talk *t)
{
    bool over = true;
    for (int m = 1; m <= MESSAGES; m++) over &= t->sent[m] == ACKNOWLEDGED && t->arrived[m] > 0;
    for (int i = 0; i < IDENTIFIERS; i++) over &= !t->promised[i];
    return over;
}

static rig_client come(rig *r, const char *id, bool expect_present)
{
    gm_mqtt_connect connect = { .level = GM_MQTT_V311, .client_id = gm_str_of(id) };
    return rig_connect_with(r, &connect, expect_present);
}

static void power_comes_back(talk *t)
{
    rig_stop(t->r);
    rig_hang_up(&t->publisher);
    rig_hang_up(&t->subscriber);
    gm_fault_io_power_on(&t->r->disk);
    rig_start(t->r);
    t->failures++;
    t->subscriber = come(t->r, "subscriber", true);
    t->publisher  = come(t->r, "publisher", true);
    for (int m = 1; m <= MESSAGES; m++) {  // [MQTT-4.4.0-1]: in the order in which they were first sent
        if (t->sent[m] == SENT) publish(t, m, true);
        if (t->sent[m] == RELEASED) say(&t->publisher, t, GM_MQTT_PUBREL, (uint16_t)m);
    }
}

static void hold_the_conversation(talk *t)
{
    for (int turn = 0; !is_over(t); turn++) {
        if (turn == TURNS_MAX) fail_msg("the conversation does not end");
        publish_more(t);
        (void)rig_pump(&t->subscriber);
        (void)rig_pump(&t->publisher);
        hear(t, &t->publisher, publisher_hears);
        hear(t, &t->subscriber, subscriber_hears);
        if (gm_log_status(gm_engine_log(t->r->engine), NULL) != GM_OK) power_comes_back(t);
    }
}

// False: the power never failed, the conversation was over before.
static bool power_fails_at(uint64_t sync)
{
    talk t = { .r = rig_make(), .out = gm_buf_init(gm_alloc_system()) };
    t.subscriber = come(t.r, "subscriber", false);
    rig_subscribe(&t.subscriber, "t", 2);
    t.publisher = come(t.r, "publisher", false);
    t.r->disk.power_at_sync = t.r->disk.syncs + sync;
    hold_the_conversation(&t);
    rig_send_hex(&t.subscriber, "c0 00");
    while (!t.heard_all && rig_pump(&t.subscriber)) hear(&t, &t.subscriber, subscriber_hears);
    assert_true(t.heard_all);
    for (int m = 1; m <= MESSAGES; m++) {
        if (qos_of(m) == 2 && t.arrived[m] != 1) fail_msg("power at sync %d: message %d of QoS 2 came %d times", (int)sync, m, t.arrived[m]);
    }
    rig_hang_up(&t.subscriber);
    rig_hang_up(&t.publisher);
    rig_free(t.r);
    gm_buf_finish(&t.out);
    return t.failures > 0;
}

static void nothing_is_lost_and_nothing_comes_twice_wherever_the_power_fails__MQTT_4_3_2_2_MQTT_4_3_3_1(void **state)
{
    (void)state;
    uint64_t sync = 1;
    while (power_fails_at(sync)) sync++;
    print_message("the power failed at each of %d syncs\n", (int)sync - 1);
    assert_true(sync > MESSAGES / WINDOW);  // each window waits for a sync at least
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_is_lost_and_nothing_comes_twice_wherever_the_power_fails__MQTT_4_3_2_2_MQTT_4_3_3_1) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
