#include "control/pump_rig.h"
#include "control/rules.h"

#include <stdio.h>
#include <stdlib.h>

#define EXPECT(state) assert_string_equal(pump_state(&r, r.last), state)

static void a_command_is_verified_by_its_measured_effect(void **state)
{
    (void)state;
    control_rig r;
    pump_begin(&r);
    assert_gm_ok(pump_ask(&r, "run", "5"), r.err);
    EXPECT("sent");
    assert_int_equal(pump_sent(&r, r.last), 1);
    assert_true(pump_answer(&r, "run", r.last, "{\"status\":200}"));
    EXPECT("acknowledged");
    assert_false(pump_answer(&r, "run", r.last, "{\"status\":200}"));  // sent again
    control_rig_report(&r, "p1", "rotation", 4);
    EXPECT("acknowledged");
    control_rig_report(&r, "p1", "rotation", 5);
    EXPECT("closed");
    assert_false(pump_answer(&r, "run", r.last, "{\"status\":500}"));  // late
    assert_false(pump_answer(&r, "run", "0123456789abcdef", "{}"));     // of nobody
    EXPECT("closed");
    control_rig_stop(&r);
}

static void what_is_not_permitted_is_refused_and_kept(void **state)
{
    (void)state;
    control_rig r;
    pump_begin(&r);
    assert_int_equal(pump_ask(&r, "run", "\"fast\""), GM_INVALID);
    assert_int_equal(pump_ask(&r, "run", NULL), GM_INVALID);
    assert_int_equal(pump_ask(&r, "run", "11"), GM_INVALID);
    assert_non_null(strstr(r.err.text, "between 0 and 10"));
    assert_int_equal(pump_ask(&r, "fly", NULL), GM_NOTFOUND);
    assert_int_equal(pump_ask(&r, "stop", "3"), GM_INVALID);
    assert_int_equal(pump_ask_as(&r, "serial", true, "\"x\"", "anna"), GM_INVALID);  // not writable
    control_rig_report(&r, "p1", "pressure", 0.5);
    assert_int_equal(pump_ask(&r, "run", "5"), GM_CONFLICT);
    assert_non_null(strstr(r.err.text, "it would run dry"));
    EXPECT("refused");
    control_rig_report(&r, "p1", "pressure", 3);
    control_rig_pass(&r, 25 * GM_SECOND);
    assert_int_equal(pump_ask(&r, "run", "5"), GM_CONFLICT);
    assert_non_null(strstr(r.err.text, "stale"));
    control_rig_twin(&r, "p2", PUMP);  // has no values at all
    json_t            *five = json_integer(5);
    gm_command_request q    = { .twin = GM_STR("p2"), .name = GM_STR("run"), .value = five, .who = GM_STR("anna") };
    assert_int_equal(gm_commands_request(gm_control_commands(r.control), &q, (gm_ask){ 0 }, r.last, &r.err), GM_CONFLICT);
    json_decref(five);
    control_rig_settle(&r);
    assert_non_null(strstr(r.err.text, "missing"));
    assert_int_equal(r.sent.len, 0);
    control_rig_stop(&r);
}

static void interlocks_are_asked_again_when_it_is_sent(void **state)
{
    (void)state;
    control_rig r;
    pump_begin(&r);
    json_t            *five = json_integer(5);
    gm_command_request q    = { .twin = GM_STR("p1"), .name = GM_STR("run"), .value = five, .who = GM_STR("anna") };
    // The pressure falls in the same batch, before the command is durable.
    const gm_type *type = gm_state_type(gm_engine_state(r.engine), gm_state_find(gm_engine_state(r.engine), GM_STR("p1")));
    gm_cell_write  dry  = { .column = (uint16_t)gm_type_column_index(type, GM_STR("pressure")), .at = gm_now(&r.clock), .value = { .kind = GM_KIND_DOUBLE, .d = 0 } };
    assert_gm_ok(gm_engine_write(r.engine, gm_state_find(gm_engine_state(r.engine), GM_STR("p1")), 0, &dry, 1, (gm_ask){ 0 }, &r.err), r.err);
    assert_gm_ok(gm_commands_request(gm_control_commands(r.control), &q, (gm_ask){ 0 }, r.last, &r.err), r.err);
    control_rig_settle(&r);
    EXPECT("failed");
    assert_int_equal(pump_sent(&r, "run"), 0);
    json_decref(five);
    control_rig_stop(&r);
}

static void devices_that_do_nothing_are_found_out(void **state)
{
    (void)state;
    control_rig r;
    pump_begin(&r);
    assert_gm_ok(pump_ask(&r, "run", "5"), r.err);
    control_rig_pass(&r, 7 * GM_SECOND);
    control_rig_pass(&r, 2 * GM_SECOND);
    EXPECT("rolled back");  // no answer at all
    assert_int_equal(pump_sent(&r, "/commands/stop/"), 1);
    control_rig_report(&r, "p1", "pressure", 3);
    assert_gm_ok(pump_ask(&r, "run", "6"), r.err);
    char id[GM_COMMAND_ID];
    memcpy(id, r.last, sizeof id);
    assert_true(pump_answer(&r, "run", id, "{\"status\":200}"));
    control_rig_pass(&r, 32 * GM_SECOND);
    control_rig_pass(&r, 2 * GM_SECOND);
    assert_string_equal(pump_state(&r, id), "rolled back");  // acknowledged, and did nothing
    assert_int_equal(pump_sent(&r, "/commands/stop/"), 2);
    control_rig_stop(&r);
}

static void two_people_are_needed_where_the_rules_say_so(void **state)
{
    (void)state;
    control_rig r;
    pump_begin(&r);
    gm_commands *c = gm_control_commands(r.control);
    assert_gm_ok(pump_ask(&r, "drain", NULL), r.err);
    EXPECT("waiting");
    assert_int_equal(r.sent.len, 0);
    assert_int_equal(gm_commands_approve(c, gm_str_of(r.last), GM_STR("anna"), (gm_ask){ 0 }, &r.err), GM_INVALID);
    control_rig_restart(&r);
    c = gm_control_commands(r.control);
    EXPECT("waiting");
    assert_gm_ok(gm_commands_approve(c, gm_str_of(r.last), GM_STR("bert"), (gm_ask){ 0 }, &r.err), r.err);
    control_rig_settle(&r);
    EXPECT("sent");
    assert_int_equal(gm_commands_approve(c, gm_str_of(r.last), GM_STR("carl"), (gm_ask){ 0 }, &r.err), GM_CONFLICT);
    assert_gm_ok(pump_ask(&r, "drain", NULL), r.err);
    r.ahead += 11 * GM_MINUTE;
    assert_int_equal(gm_commands_approve(c, gm_str_of(r.last), GM_STR("bert"), (gm_ask){ 0 }, &r.err), GM_CONFLICT);
    control_rig_pass(&r, 2 * GM_SECOND);
    EXPECT("failed");
    control_rig_stop(&r);
}

static void a_desired_value_stays_until_it_is_reported(void **state)
{
    (void)state;
    control_rig r;
    pump_begin(&r);
    assert_gm_ok(pump_ask_as(&r, "speed", true, "2", "anna"), r.err);
    char first[GM_COMMAND_ID];
    memcpy(first, r.last, sizeof first);
    assert_int_equal(pump_sent(&r, "gemel/p1/desired {\"speed\":2,"), 1);
    assert_gm_ok(pump_ask_as(&r, "speed", true, "3", "anna"), r.err);
    assert_string_equal(pump_state(&r, first), "failed");  // superseded
    control_rig_restart(&r);
    EXPECT("sent");
    control_rig_report(&r, "p1", "speed", 2);
    EXPECT("sent");
    control_rig_report(&r, "p1", "speed", 3);
    EXPECT("closed");
    assert_true(gm_str_ends(gm_buf_view(&r.sent), GM_STR("gemel/p1/desired \n")));  // nothing is left to do
    control_rig_stop(&r);
}

static void rules_only_advise_until_somebody_arms(void **state)
{
    (void)state;
    control_rig r;
    pump_begin(&r);
    gm_arming *arming = gm_control_arming(r.control);
    control_rig_report(&r, "p1", "pressure", 9);
    gm_commands *c = gm_control_commands(r.control);
    assert_int_equal(gm_commands_count(c), 1);
    assert_int_equal(gm_commands_at(c, 0).state, GM_COMMAND_ADVISED);
    assert_int_equal(gm_work_orders_count(gm_control_work_orders(r.control)), 1);
    control_rig_report(&r, "p1", "pressure", 3);
    gm_armed a = { .twin = GM_STR("p1"), .who = GM_STR("anna"), .until = gm_now(&r.clock) + GM_HOUR };
    assert_int_equal(gm_arming_arm(arming, &a, (gm_ask){ 0 }, &r.err), GM_INVALID);  // no reason
    a.reason = GM_STR("test");
    assert_gm_ok(gm_arming_arm(arming, &a, (gm_ask){ 0 }, &r.err), r.err);
    control_rig_settle(&r);
    control_rig_restart(&r);
    arming = gm_control_arming(r.control);
    c      = gm_control_commands(r.control);
    control_rig_report(&r, "p1", "pressure", 9);
    assert_int_equal(pump_sent(&r, "/commands/stop/"), 1);
    assert_string_equal(gm_command_state_name(gm_commands_at(c, gm_commands_count(c) - 1).state), "sent");
    // The sensor falls silent: the watchdog disarms and drives to the safe value.
    assert_int_equal(gm_arming_count(arming), 1);
    control_rig_pass(&r, 61 * GM_SECOND);
    assert_int_equal(gm_arming_count(arming), 0);
    assert_int_equal(pump_sent(&r, "gemel/p1/desired {\"speed\":0"), 1);
    assert_gm_ok(gm_arming_stop(arming, GM_STR("bert"), GM_STR("smoke"), (gm_ask){ 0 }, &r.err), r.err);
    control_rig_settle(&r);
    assert_int_equal(gm_arming_arm(arming, &a, (gm_ask){ 0 }, &r.err), GM_CONFLICT);
    control_rig_stop(&r);
}

static void a_heartbeat_that_stops_disarms(void **state)
{
    (void)state;
    control_rig r;
    pump_begin(&r);
    gm_arming *arming = gm_control_arming(r.control);
    gm_armed   a      = { .twin = GM_STR("p1"), .who = GM_STR("anna"), .reason = GM_STR("test"), .until = gm_now(&r.clock) + GM_HOUR, .heartbeat = 5 * GM_SECOND };
    assert_gm_ok(gm_arming_arm(arming, &a, (gm_ask){ 0 }, &r.err), r.err);
    control_rig_settle(&r);
    for (int i = 0; i < 3; i++) {
        control_rig_pass(&r, 3 * GM_SECOND);
        assert_gm_ok(gm_arming_beat(arming, GM_STR("p1"), &r.err), r.err);
        assert_int_equal(gm_arming_count(arming), 1);
    }
    control_rig_pass(&r, 6 * GM_SECOND);
    control_rig_pass(&r, 2 * GM_SECOND);
    assert_int_equal(gm_arming_count(arming), 0);
    control_rig_stop(&r);
}

// The log as it is when the process dies right behind each decision of a command's life: a copy of the command's decisions up
// to there, given to a fresh engine. It goes on to its end, in one state, sent with one id.
static void a_command_survives_death_at_each_step(void **state)
{
    (void)state;
    static const char *const steps[] = { "requested", "validated", "permitted", "sent", "acknowledged", "verified" };
    for (size_t n = 1; n <= sizeof steps / sizeof steps[0]; n++) {
        for (int checkpoint = 0; checkpoint < 2; checkpoint++) {
            control_rig r;
            pump_begin(&r);
            for (size_t i = 0; i < n; i++) {
                gm_str text = i == 0 ? GM_STR("{\"twin\":\"p1\",\"name\":\"run\",\"value\":5,\"who\":\"anna\"}") : GM_STR("{\"by\":\"gemel\"}");
                gm_control_stop(r.control);  // dead: nobody goes on
                gm_journal_post(gm_control_journal(r.control), GM_CHANGE_COMMAND, GM_STR("00000000000000aa"), gm_str_of(steps[i]), text);
            }
            assert_gm_ok(gm_engine_settle(r.engine, &r.err), r.err);
            if (checkpoint == 1) control_rig_checkpoint(&r);
            control_rig_restart(&r);
            gm_command_view v;
            assert_true(gm_commands_find(gm_control_commands(r.control), GM_STR("00000000000000aa"), &v));
            if (n <= 4) assert_string_equal(gm_command_state_name(v.state), "sent");
            assert_int_equal(pump_sent(&r, "/run/00000000000000aa 5"), n <= 4 ? 1 : 0);
            if (n <= 4) assert_true(pump_answer(&r, "run", "00000000000000aa", "{\"status\":200}"));
            control_rig_report(&r, "p1", "rotation", 5);
            assert_true(gm_commands_find(gm_control_commands(r.control), GM_STR("00000000000000aa"), &v));
            assert_string_equal(gm_command_state_name(v.state), "closed");
            assert_int_equal(gm_commands_count(gm_control_commands(r.control)), 1);
            control_rig_stop(&r);
        }
    }
}

static void a_work_order_goes_its_way(void **state)
{
    (void)state;
    control_rig r;
    pump_begin(&r);
    gm_work_orders *o = gm_control_work_orders(r.control);
    char            id[GM_WORK_ORDER_ID];
    json_t         *found = json_loads("{\"found\":\"worn bearing\",\"replaced\":[\"bearing\"]}", 0, NULL);
    assert_int_equal(gm_work_orders_ask(o, GM_STR("nobody"), GM_STR("x"), NULL, GM_STR("anna"), (gm_ask){ 0 }, id, &r.err), GM_NOTFOUND);
    assert_int_equal(gm_work_orders_ask(o, GM_STR("p1"), GM_STR(""), NULL, GM_STR("anna"), (gm_ask){ 0 }, id, &r.err), GM_INVALID);
    assert_gm_ok(gm_work_orders_ask(o, GM_STR("p1"), GM_STR("change the bearing"), NULL, GM_STR("anna"), (gm_ask){ 0 }, id, &r.err), r.err);
    control_rig_settle(&r);
    assert_int_equal(pump_sent(&r, "gemel/workorders/"), 1);
    assert_gm_ok(gm_work_orders_step(o, gm_str_of(id), GM_ORDER_DONE, found, GM_STR("bert"), (gm_ask){ 0 }, &r.err), r.err);
    control_rig_settle(&r);
    assert_int_equal(gm_work_orders_step(o, gm_str_of(id), GM_ORDER_STARTED, NULL, GM_STR("bert"), (gm_ask){ 0 }, &r.err), GM_CONFLICT);
    control_rig_checkpoint(&r);
    control_rig_restart(&r);
    gm_work_order w;
    assert_true(gm_work_orders_find(gm_control_work_orders(r.control), gm_str_of(id), &w));
    assert_int_equal(w.state, GM_ORDER_DONE);
    assert_true(gm_str_find(w.feedback, GM_STR("worn bearing")) != SIZE_MAX);
    json_decref(found);
    control_rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_verified_by_its_measured_effect),
        cmocka_unit_test(what_is_not_permitted_is_refused_and_kept),
        cmocka_unit_test(interlocks_are_asked_again_when_it_is_sent),
        cmocka_unit_test(devices_that_do_nothing_are_found_out),
        cmocka_unit_test(two_people_are_needed_where_the_rules_say_so),
        cmocka_unit_test(a_desired_value_stays_until_it_is_reported),
        cmocka_unit_test(rules_only_advise_until_somebody_arms),
        cmocka_unit_test(a_heartbeat_that_stops_disarms),
        cmocka_unit_test(a_command_survives_death_at_each_step),
        cmocka_unit_test(a_work_order_goes_its_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
