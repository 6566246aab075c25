#include "control/control_rig.h"

#include <stdio.h>
#include <stdlib.h>

static const gm_alarm_definition leak = { .name = { "leak", 4 }, .twin = { "main", 4 }, .priority = GM_PRIORITY_HIGH,
                                          .text = { "The main leaks", 14 }, .consequence = { "The tower runs dry", 18 },
                                          .response = { "Shut the valve", 14 } };

static void raise_it(control_rig *r, const gm_alarm_definition *a)
{
    gm_alarms_raise(gm_control_alarms(r->control), a, GM_STR("\"rule\":\"leak\",\"firing\":1"));
    control_rig_settle(r);
}

static void lower(control_rig *r, const char *key, gm_alarm_action action)
{
    gm_alarms_lower(gm_control_alarms(r->control), gm_str_of(key), action, GM_STR("\"rule\":\"leak\""));
    control_rig_settle(r);
}

static gm_status act_for(control_rig *r, const char *key, gm_alarm_action action, const char *reason, gm_dur_ns span)
{
    gm_alarm_request q = { .who = GM_STR("anna"), .reason = gm_str_of(reason), .until = span != 0 ? gm_now(&r->clock) + span : GM_ABSENT };
    gm_status        st = gm_alarms_act(gm_control_alarms(r->control), gm_str_of(key), action, &q, (gm_ask){ 0 }, &r->err);
    control_rig_settle(r);
    return st;
}

static gm_status act(control_rig *r, const char *key, gm_alarm_action action) { return act_for(r, key, action, "because", 0); }

static gm_alarm_state state_of(control_rig *r, const char *key)
{
    gm_alarm a;
    assert_true(gm_alarms_find(gm_control_alarms(r->control), gm_str_of(key), &a));
    return a.state;
}

#define EXPECT(state) assert_string_equal(gm_alarm_state_name(state_of(&r, "leak@main")), state)

static void an_alarm_goes_through_its_states(void **state)
{
    (void)state;
    control_rig r = { 0 };
    control_rig_start(&r);
    raise_it(&r, &leak);
    EXPECT("unacknowledged");
    raise_it(&r, &leak);  // still the same
    gm_alarm a;
    assert_true(gm_alarms_find(gm_control_alarms(r.control), GM_STR("leak@main"), &a));
    assert_int_equal(a.count, 1);
    lower(&r, "leak@main", GM_ALARM_CLEAR);
    EXPECT("returned");
    raise_it(&r, &leak);
    EXPECT("unacknowledged");
    assert_int_equal(act(&r, "leak@main", GM_ALARM_ACKNOWLEDGE), GM_OK);
    EXPECT("acknowledged");
    assert_int_equal(act(&r, "leak@main", GM_ALARM_ACKNOWLEDGE), GM_CONFLICT);
    lower(&r, "leak@main", GM_ALARM_CLEAR);
    EXPECT("normal");
    raise_it(&r, &leak);
    lower(&r, "leak@main", GM_ALARM_CLEAR);
    assert_int_equal(act(&r, "leak@main", GM_ALARM_ACKNOWLEDGE), GM_OK);
    EXPECT("normal");
    assert_int_equal(act(&r, "leak@main", GM_ALARM_RESET), GM_CONFLICT);
    assert_int_equal(act(&r, "nothing@main", GM_ALARM_ACKNOWLEDGE), GM_NOTFOUND);
    assert_int_equal(act(&r, "leak@main", GM_ALARM_RAISE), GM_INVALID);  // only rules do
    control_rig_stop(&r);
}

static void a_latching_alarm_stays_until_it_is_reset(void **state)
{
    (void)state;
    control_rig         r     = { 0 };
    gm_alarm_definition latch = leak;
    latch.latching            = true;
    control_rig_start(&r);
    raise_it(&r, &latch);
    lower(&r, "leak@main", GM_ALARM_CLEAR);
    EXPECT("returned");
    assert_int_equal(act(&r, "leak@main", GM_ALARM_RESET), GM_CONFLICT);  // not acknowledged yet
    assert_int_equal(act(&r, "leak@main", GM_ALARM_ACKNOWLEDGE), GM_OK);
    EXPECT("latched");
    assert_int_equal(act(&r, "leak@main", GM_ALARM_RESET), GM_OK);
    EXPECT("normal");
    control_rig_stop(&r);
}

static void a_shelved_alarm_comes_back_by_itself(void **state)
{
    (void)state;
    control_rig r = { 0 };
    control_rig_start(&r);
    raise_it(&r, &leak);
    assert_int_equal(act_for(&r, "leak@main", GM_ALARM_SHELVE, "", GM_HOUR), GM_INVALID);   // no reason
    assert_int_equal(act_for(&r, "leak@main", GM_ALARM_SHELVE, "why", 0), GM_INVALID);      // no end
    assert_int_equal(act_for(&r, "leak@main", GM_ALARM_SHELVE, "why", -GM_HOUR), GM_INVALID);
    assert_int_equal(act_for(&r, "leak@main", GM_ALARM_SHELVE, "why", 8 * GM_DAY), GM_INVALID);
    assert_int_equal(act_for(&r, "leak@main", GM_ALARM_SHELVE, "sensor is replaced", GM_HOUR), GM_OK);
    EXPECT("shelved");
    control_rig_restart(&r);
    EXPECT("shelved");
    control_rig_pass(&r, GM_HOUR + GM_SECOND);
    control_rig_pass(&r, 2 * GM_SECOND);
    EXPECT("unacknowledged");
    assert_int_equal(act(&r, "leak@main", GM_ALARM_REMOVE_FROM_SERVICE), GM_OK);
    EXPECT("out of service");
    lower(&r, "leak@main", GM_ALARM_SUPPRESS);
    assert_int_equal(act(&r, "leak@main", GM_ALARM_RETURN_TO_SERVICE), GM_OK);
    EXPECT("suppressed");
    lower(&r, "leak@main", GM_ALARM_UNSUPPRESS);
    EXPECT("unacknowledged");
    control_rig_stop(&r);
}

static char *list_of(control_rig *r)
{
    gm_buf out = gm_buf_init(gm_alloc_system());
    for (size_t i = 0; i < gm_alarms_count(gm_control_alarms(r->control)); i++) {
        gm_alarm a = gm_alarms_at(gm_control_alarms(r->control), i);
        gm_alarm_write(&a, &out);
    }
    gm_buf_byte(&out, 0);
    return (char *)out.ptr;
}

static void alarms_survive_a_restart_with_and_without_a_checkpoint(void **state)
{
    (void)state;
    control_rig r = { 0 };
    control_rig_start(&r);
    for (int i = 0; i < 20; i++) {
        char                name[16];
        gm_alarm_definition a = leak;
        snprintf(name, sizeof name, "a%d", i);
        a.name     = gm_str_of(name);
        a.latching = i % 3 == 0;
        raise_it(&r, &a);
        char key[32];
        snprintf(key, sizeof key, "%s@main", name);
        if (i % 2 == 0) act(&r, key, GM_ALARM_ACKNOWLEDGE);
        if (i % 5 == 0) lower(&r, key, GM_ALARM_CLEAR);
        if (i % 7 == 0) act_for(&r, key, GM_ALARM_SHELVE, "why", GM_HOUR);
    }
    char            *before  = list_of(&r);
    gm_alarm_metrics metrics = gm_alarms_measure(gm_control_alarms(r.control), gm_now(&r.clock));
    for (int round = 0; round < 2; round++) {
        if (round == 1) control_rig_checkpoint(&r);
        control_rig_restart(&r);
        char *after = list_of(&r);
        assert_string_equal(after, before);
        free(after);
        gm_alarm_metrics again = gm_alarms_measure(gm_control_alarms(r.control), gm_now(&r.clock));
        assert_int_equal(again.raised_total, metrics.raised_total);
        assert_int_equal(again.raised_hour, metrics.raised_hour);
        assert_true(again.flood);
        uint64_t count, broken;
        gm_journal_head(gm_control_journal(r.control), &count, &broken);
        assert_int_equal(broken, 0);
        assert_true(count > 20);
    }
    free(before);
    control_rig_stop(&r);
}

static void a_flood_begins_with_ten_in_ten_minutes_and_ends_below_five(void **state)
{
    (void)state;
    control_rig r = { 0 };
    control_rig_start(&r);
    gm_alarms *alarms = gm_control_alarms(r.control);
    for (int i = 0; i < 9; i++) {
        raise_it(&r, &leak);
        lower(&r, "leak@main", GM_ALARM_CLEAR);
    }
    gm_alarm_metrics m = gm_alarms_measure(alarms, gm_now(&r.clock));
    assert_false(m.flood);
    assert_int_equal(m.raised_10min, 9);
    assert_int_equal(m.chattering, 1);
    raise_it(&r, &leak);
    assert_true(gm_alarms_measure(alarms, gm_now(&r.clock)).flood);
    control_rig_pass(&r, 12 * GM_MINUTE);
    m = gm_alarms_measure(alarms, gm_now(&r.clock));
    assert_false(m.flood);
    assert_int_equal(m.raised_10min, 0);
    assert_int_equal(m.raised_hour, 10);
    assert_int_equal(m.peak_10min, 10);
    assert_in_range(m.flood_time, 9 * GM_MINUTE, 12 * GM_MINUTE);
    control_rig_pass(&r, 26 * GM_HOUR);
    m = gm_alarms_measure(alarms, gm_now(&r.clock));
    assert_int_equal(m.raised_day, 0);
    assert_int_equal(m.standing, 1);
    assert_int_equal(m.flood_time, 0);
    control_rig_stop(&r);
}

static gm_status check_record(void *context, const gm_record *record, gm_error *err)
{
    gm_change change;
    gm_status st = gm_change_decode(record->kind, record->payload, record->size, &change, err);
    if (st == GM_OK) gm_audit_check_add(context, record, &change);
    return st;
}

static void an_altered_decision_is_found(void **state)
{
    (void)state;
    control_rig r = { 0 };
    control_rig_start(&r);
    raise_it(&r, &leak);
    act(&r, "leak@main", GM_ALARM_ACKNOWLEDGE);
    lower(&r, "leak@main", GM_ALARM_CLEAR);
    gm_audit_check check = { 0 };
    assert_gm_ok(gm_log_replay(gm_engine_log(r.engine), 0, check_record, &check, &r.err), r.err);
    assert_int_equal(check.broken, 0);
    assert_int_equal(check.count, 3);
    // Any byte of any decision, altered: what it says then fits neither its own hash nor the next one's.
    uint8_t    payload[512];
    char       prefix_and_text[256];
    memset(prefix_and_text, 'x', sizeof prefix_and_text);
    size_t size = gm_change_size_texts(GM_STR("leak@main"), GM_STR("raise"), (gm_str){ prefix_and_text, 80 });
    gm_change_encode_texts(payload, GM_NONE, GM_NONE, 0, GM_STR("leak@main"), GM_STR("raise"), (gm_str){ prefix_and_text, 80 });
    gm_record      forged = { .sequence = 99, .kind = GM_CHANGE_ALARM, .payload = payload, .size = (uint32_t)size };
    gm_audit_check one    = check;
    check_record(&one, &forged, &r.err);
    assert_int_equal(one.broken, 99);
    control_rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alarm_goes_through_its_states),
        cmocka_unit_test(a_latching_alarm_stays_until_it_is_reset),
        cmocka_unit_test(a_shelved_alarm_comes_back_by_itself),
        cmocka_unit_test(alarms_survive_a_restart_with_and_without_a_checkpoint),
        cmocka_unit_test(a_flood_begins_with_ten_in_ten_minutes_and_ends_below_five),
        cmocka_unit_test(an_altered_decision_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
