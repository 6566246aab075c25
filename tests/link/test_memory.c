// Any one allocation of the whole endpoint, from its log to its sessions, is refused in turn. Then the client may lose its
// connection or be told so, but what was acknowledged is there, nothing is there by halves, whoever comes next is served, and
// nothing leaks.
#include "link/mqtt_rig.h"

#include <math.h>
#include <string.h>

// The next packet of that type; others are passed over. False: the server closed. Silence is no answer.
static bool hear(rig_client *c, uint8_t type, gm_mqtt_frame *out, const char *after)
{
    gm_dur_ns deadline = gm_monotonic(gm_clock_system()) + 20 * GM_SECOND;
    while (gm_monotonic(gm_clock_system()) < deadline) {
        gm_mqtt_fault fault;
        gm_mqtt_sight sight = gm_mqtt_look(c->in.ptr, c->in.len, 1 << 20, out, &fault);
        if (sight == GM_MQTT_WHOLE) {
            static uint8_t kept[4096];
            assert_true(out->size <= sizeof kept);
            memcpy(kept, c->in.ptr, out->size);
            gm_buf_drop(&c->in, out->size);
            out->body.ptr = (const char *)kept + (out->size - out->body.len);
            if (out->type == type) return true;
            if (out->type == GM_MQTT_DISCONNECT) return false;
            continue;
        }
        if (c->closed) return false;
        rig_pump(c);
    }
    fail_msg("%s: the server says nothing", after);
    return false;
}

// Refused with a reason (v5) is not acknowledged.
static bool acked(const gm_mqtt_frame *f) { return f->body.len < 3 || (uint8_t)f->body.ptr[2] < 0x80; }

typedef struct outcome { bool telemetry, retained, twice; } outcome;

// What the client itself needs of the loop is not what is tried here.
static outcome talk(rig *r, gm_fault_once *fault, uint64_t k, bool *out_fired, const char *after)
{
    outcome       o = { false, false, false };
    gm_mqtt_frame f;
    rig_client    c = rig_dial(r);
    c.version       = 5;
    gm_fault_once_arm(fault, k);
    rig_send_hex(&c, "10 15 00 04 'MQTT' 05 00 00 00 05 11 00 00 00 64 00 03 'dev'");
    bool on = hear(&c, GM_MQTT_CONNACK, &f, after) && (uint8_t)f.body.ptr[1] == 0;
    if (on) rig_send_hex(&c, "82 09 00 01 00 00 03 'x/#' 01");
    on = on && hear(&c, GM_MQTT_SUBACK, &f, after);
    if (on) rig_publish(&c, "gemel/pump1/telemetry", "{\"flow\":1.5,\"count\":3}", 1, 2, false);
    on          = on && hear(&c, GM_MQTT_PUBACK, &f, after);
    o.telemetry = on && acked(&f);
    if (on) rig_publish(&c, "x/y", "hello", 1, 3, true);
    on         = on && hear(&c, GM_MQTT_PUBACK, &f, after);
    o.retained = on && acked(&f);
    if (on) rig_publish(&c, "x/z", "two", 2, 4, false);
    on = on && hear(&c, GM_MQTT_PUBREC, &f, after) && acked(&f);
    if (on) rig_send_hex(&c, "62 02 00 04");
    o.twice = on && hear(&c, GM_MQTT_PUBCOMP, &f, after);
    if (on) rig_send_hex(&c, "e0 00");
    *out_fired = gm_fault_once_disarm(fault);
    rig_hang_up(&c);
    return o;
}

static void check_twin(rig *r, const outcome *o, const char *after)
{
    double flow = rig_value(r, "pump1", "flow"), count = rig_value(r, "pump1", "count");
    if (isnan(flow) != isnan(count)) fail_msg("%s: half a message is there", after);
    if (o->telemetry && (flow != 1.5 || count != 3)) fail_msg("%s: acknowledged, and not there", after);
}

static void check(rig *r, const outcome *o, const char *after)
{
    check_twin(r, o, after);
    rig_client c = rig_connect(r, "next", 4);
    rig_subscribe(&c, "x/y", 0);
    if (o->retained) (void)rig_expect_publish(&c, "x/y", "hello", 0, true);
    rig_publish(&c, "gemel/pump2/telemetry", "{\"flow\":2.5}", 1, 9, false);
    gm_mqtt_frame f;
    if (!hear(&c, GM_MQTT_PUBACK, &f, after)) fail_msg("%s: the next one is not served", after);
    assert_true(rig_value(r, "pump2", "flow") == 2.5);
    rig_hang_up(&c);
}

static void every_allocation_of_the_whole_endpoint_may_be_refused_once(void **state)
{
    (void)state;
    for (uint64_t k = 0;; k++) {
        gm_fault_once fault;
        char          after[64];
        gm_fault_once_init(&fault);
        snprintf(after, sizeof after, "refusal of allocation %" PRIu64, k);
        rig *r = rig_make_of(&fault.alloc);
        bool    fired;
        outcome o = talk(r, &fault, k, &fired, after);
        if (!fired && !(o.telemetry && o.retained && o.twice)) fail_msg("%s: without a refusal all is acknowledged", after);
        check(r, &o, after);
        rig_restart(r);
        check(r, &o, after);
        rig_free(r);
        if (fault.live_blocks != 0) fail_msg("%s: %" PRId64 " blocks are left", after, (int64_t)fault.live_blocks);
        if (!fired) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_of_the_whole_endpoint_may_be_refused_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
