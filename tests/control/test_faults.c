// What goes wrong while automatic control is armed, and while a command is under way: each must end in the declared safe
// state within its deadline. The clock is the test's.
#include "control/pump_rig.h"
#include "control/rules.h"

#include <stdio.h>
#include <stdlib.h>

static void arm(control_rig *r, gm_dur_ns heartbeat)
{
    gm_armed a = { .twin = GM_STR("p1"), .who = GM_STR("anna"), .reason = GM_STR("test"), .until = gm_now(&r->clock) + 10 * GM_HOUR, .heartbeat = heartbeat };
    assert_gm_ok(gm_arming_arm(gm_control_arming(r->control), &a, (gm_ask){ 0 }, &r->err), r->err);
    control_rig_settle(r);
    assert_int_equal(gm_arming_count(gm_control_arming(r->control)), 1);
}

#define SAFE "gemel/p1/desired {\"speed\":0"

// Time passes second by second until the safe value has gone out; how long that took.
static gm_dur_ns until_safe(control_rig *r, gm_dur_ns most)
{
    gm_dur_ns passed = 0;
    while (pump_sent(r, SAFE) == 0 && passed <= most) {
        control_rig_pass(r, GM_SECOND);
        passed += GM_SECOND;
    }
    if (pump_sent(r, SAFE) != 1) fail_msg("%zu safe values within %g s", pump_sent(r, SAFE), (double)most / 1e9);
    assert_int_equal(gm_arming_count(gm_control_arming(r->control)), 0);
    return passed;
}

static void a_lost_link_disarms_and_makes_safe_within_its_deadline(void **state)
{
    (void)state;
    control_rig r;
    pump_begin(&r);
    arm(&r, 0);
    gm_dur_ns passed = until_safe(&r, 70 * GM_SECOND);
    assert_in_range(passed, 58 * GM_SECOND, 62 * GM_SECOND);  // "no data of rotation for 1 min"
    control_rig_stop(&r);
}

static void a_heartbeat_that_stops_makes_safe_even_over_a_restart(void **state)
{
    (void)state;
    for (int restart = 0; restart < 2; restart++) {
        control_rig r;
        pump_begin(&r);
        arm(&r, 5 * GM_SECOND);
        if (restart == 1) control_rig_restart(&r);  // whoever beat it may be gone as the engine was
        assert_true(until_safe(&r, 10 * GM_SECOND) <= (restart == 1 ? 2 : 7) * GM_SECOND);
        control_rig_stop(&r);
    }
}

static void a_clock_that_jumps_disarms_and_makes_safe(void **state)
{
    (void)state;
    static const gm_dur_ns jumps[] = { GM_HOUR, -GM_HOUR, 3 * GM_SECOND, -3 * GM_SECOND };
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
        control_rig r;
        pump_begin(&r);
        arm(&r, 0);
        control_rig_pass(&r, 2 * GM_SECOND);
        assert_int_equal(pump_sent(&r, SAFE), 0);
        r.jumped += jumps[i];
        assert_true(until_safe(&r, 5 * GM_SECOND) <= 2 * GM_SECOND);
        control_rig_stop(&r);
    }
}

static void a_clock_that_is_corrected_a_little_disarms_nothing(void **state)
{
    (void)state;
    control_rig r;
    pump_begin(&r);
    arm(&r, 0);
    for (int i = 0; i < 20; i++) {
        r.jumped += i % 2 == 0 ? GM_SECOND : -GM_SECOND;
        control_rig_pass(&r, 2 * GM_SECOND);
    }
    assert_int_equal(gm_arming_count(gm_control_arming(r.control)), 1);
    control_rig_stop(&r);
}

static void deadlines_do_not_move_with_the_wall_clock(void **state)
{
    (void)state;
    control_rig r;
    pump_begin(&r);
    assert_gm_ok(pump_ask(&r, "run", "5"), r.err);
    assert_true(r.lifetime > 4 * GM_SECOND && r.lifetime <= 5 * GM_SECOND);  // nobody gets it later than its deadline
    r.jumped -= GM_HOUR;
    control_rig_pass(&r, 4 * GM_SECOND);
    assert_string_equal(pump_state(&r, r.last), "sent");
    control_rig_pass(&r, 2 * GM_SECOND);
    assert_string_equal(pump_state(&r, r.last), "rolled back");
    control_rig_stop(&r);
}

static void anomaly(control_rig *r, const char *twin, const char *detector, const char *text)
{
    assert_gm_ok(gm_engine_submit(r->engine, GM_CHANGE_ANOMALY, 0, gm_str_of(twin), gm_str_of(detector), gm_str_of(text), (gm_ask){ 0 }, &r->err), r->err);
    control_rig_settle(r);
}

static void an_estimate_that_no_longer_fits_disarms_what_relies_on_it(void **state)
{
    (void)state;
    static const struct { const char *twin, *detector, *text; bool trips; } cases[] = {
        { "p1", "works: the model no longer fits", "{\"score\":9}", true },
        { "p9", "works: the model no longer fits", "{\"score\":9,\"twins\":[\"p9\",\"p1\"]}", true },
        { "p9", "works: the model no longer fits", "{\"score\":9,\"twins\":[\"p9\"]}", false },
        { "p1", "works: p1.leak", "{\"score\":9}", false },  // a fault that it found: it understands its plant well
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        control_rig r;
        pump_begin(&r);
        arm(&r, 0);
        anomaly(&r, cases[i].twin, cases[i].detector, cases[i].text);
        assert_int_equal(gm_arming_count(gm_control_arming(r.control)), cases[i].trips ? 0 : 1);
        assert_int_equal(pump_sent(&r, SAFE), cases[i].trips ? 1 : 0);
        control_rig_stop(&r);
    }
}

static void an_emergency_stop_makes_everything_safe(void **state)
{
    (void)state;
    control_rig r;
    pump_begin(&r);
    arm(&r, 0);
    assert_gm_ok(gm_arming_stop(gm_control_arming(r.control), GM_STR("bert"), GM_STR("smoke"), (gm_ask){ 0 }, &r.err), r.err);
    control_rig_settle(&r);
    assert_int_equal(pump_sent(&r, SAFE), 1);
    control_rig_report(&r, "p1", "pressure", 9);  // the rule wants to command, and may not
    assert_int_equal(pump_sent(&r, "/commands/"), 0);
    control_rig_stop(&r);
}

// ---- devices ------------------------------------------------------------------------------------------------------

// What a rule commanded while it was armed did not come about: nobody obeys any more, so automatic control ends there.
static void a_device_that_does_not_obey_ends_automatic_control(void **state)
{
    (void)state;
    for (int acknowledges = 0; acknowledges < 2; acknowledges++) {
        control_rig r;
        pump_begin(&r);
        static const char *const files[] = { "rules/a.rules",
            "command run " PUMPS "deadline 5 s expect T.rotation >= request within 30 s rollback stop\n"
            "rule slow " PUMPS "when T.pressure > 8 then command run 5\n"
            "watchdog dead " PUMPS "when no data of rotation for 1 h then set speed to 0\n", NULL };
        r.files = files;
        control_rig_rules(&r);
        arm(&r, 0);
        control_rig_report(&r, "p1", "pressure", 9);
        gm_commands    *c = gm_control_commands(r.control);
        gm_command_view v = gm_commands_at(c, gm_commands_count(c) - 1);
        char            id[GM_COMMAND_ID];
        snprintf(id, sizeof id, GM_STR_FMT, GM_STR_ARG(v.id));
        assert_string_equal(pump_state(&r, id), "sent");
        if (acknowledges == 1) assert_true(pump_answer(&r, "run", id, "{\"status\":200}"));
        assert_true(until_safe(&r, 40 * GM_SECOND) <= (acknowledges == 1 ? 33 : 8) * GM_SECOND);
        assert_string_equal(pump_state(&r, id), "rolled back");
        assert_int_equal(pump_sent(&r, "/commands/stop/"), 1);
        control_rig_stop(&r);
    }
}

static size_t desired_zero(control_rig *r) { return pump_sent(r, SAFE); }

// The process dies behind the decision that an automatic command failed, or behind the one that disarms: what follows from them
// follows after the start, once, also from a checkpoint; what was armed afterwards stays armed.
static void disarming_survives_a_crash_right_behind_its_reason(void **state)
{
    (void)state;
    static const char *const ends[] = { "timed out", "disarm", "timed out, made good", "made safe" };
    for (size_t i = 0; i < 2 * sizeof ends / sizeof ends[0]; i++) {
        control_rig r;
        pump_begin(&r);
        arm(&r, 0);
        const char *end = ends[i / 2], *id = "00000000000000aa";
        gm_journal *journal = gm_control_journal(r.control);
        gm_control_stop(r.control);  // dead: nobody goes on
        if (strncmp(end, "timed out", 9) == 0) {
            static const char *const steps[] = { "requested", "validated", "permitted", "sent", "timed out", "rolled back" };
            for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++)
                gm_journal_post(journal, GM_CHANGE_COMMAND, gm_str_of(id), gm_str_of(steps[k]),
                                k == 0 ? GM_STR("{\"twin\":\"p1\",\"name\":\"run\",\"value\":5,\"who\":\"rule slow\",\"automatic\":true}")
                                       : GM_STR("{\"by\":\"gemel\",\"reason\":\"the device did not answer in time\"}"));
        } else gm_journal_post(journal, GM_CHANGE_ARMING, GM_STR("p1"), GM_STR("disarm"), GM_STR("{\"who\":\"gemel\",\"reason\":\"test\",\"safe\":true}"));
        if (strcmp(end, "made safe") == 0) gm_journal_post(journal, GM_CHANGE_ARMING, GM_STR("p1"), GM_STR("made safe"), GM_STR("{\"who\":\"gemel\"}"));
        if (strcmp(end, "timed out, made good") == 0) {  // a person has looked, and armed it again
            char again[200], until[GM_TIME_TEXT];
            gm_time_format(gm_now(&r.clock) + GM_HOUR, until);
            snprintf(again, sizeof again, "{\"who\":\"anna\",\"reason\":\"again\",\"until\":\"%s\"}", until);
            gm_journal_post(journal, GM_CHANGE_ARMING, GM_STR("p1"), GM_STR("arm"), gm_str_of(again));
        }
        assert_gm_ok(gm_engine_settle(r.engine, &r.err), r.err);
        if (i % 2 == 1) control_rig_checkpoint(&r);
        control_rig_restart(&r);
        control_rig_pass(&r, GM_SECOND);
        bool armed = strcmp(end, "timed out, made good") == 0, done = strcmp(end, "made safe") == 0;
        if (gm_arming_count(gm_control_arming(r.control)) != (armed ? 1u : 0u)) fail_msg("died behind '%s': armed: %zu", end, gm_arming_count(gm_control_arming(r.control)));
        if (desired_zero(&r) != (armed || done ? 0u : 1u)) fail_msg("died behind '%s': %zu safe values", end, desired_zero(&r));
        control_rig_report(&r, "p1", "speed", 0);
        control_rig_restart(&r);  // and nothing happens any more
        control_rig_pass(&r, GM_SECOND);
        size_t more = desired_zero(&r);
        if (more != (armed || done ? 0u : 1u)) fail_msg("died behind '%s': %zu safe values in the end", end, more);
        control_rig_stop(&r);
    }
}

static void late_and_repeated_answers_change_nothing(void **state)
{
    (void)state;
    control_rig r;
    pump_begin(&r);
    assert_gm_ok(pump_ask(&r, "run", "5"), r.err);
    char first[GM_COMMAND_ID];
    memcpy(first, r.last, sizeof first);
    control_rig_pass(&r, 7 * GM_SECOND);
    assert_string_equal(pump_state(&r, first), "rolled back");
    assert_false(pump_answer(&r, "run", first, "{\"status\":200}"));
    assert_string_equal(pump_state(&r, first), "rolled back");
    // An answer that was recorded and is played again does not answer the next command.
    control_rig_report(&r, "p1", "pressure", 3);
    assert_gm_ok(pump_ask(&r, "run", "5"), r.err);
    assert_false(pump_answer(&r, "run", first, "{\"status\":200}"));
    assert_string_equal(pump_state(&r, r.last), "sent");
    assert_true(pump_answer(&r, "run", r.last, "{\"status\":200}"));
    assert_false(pump_answer(&r, "run", r.last, "{\"status\":200}"));
    assert_false(pump_answer(&r, "run", r.last, "{\"status\":500,\"error\":\"too late to refuse\"}"));
    assert_string_equal(pump_state(&r, r.last), "acknowledged");
    assert_int_equal(gm_commands_stray(gm_control_commands(r.control)), 4);
    control_rig_stop(&r);
}

static void a_device_that_refuses_says_why(void **state)
{
    (void)state;
    control_rig r;
    pump_begin(&r);
    assert_gm_ok(pump_ask(&r, "run", "5"), r.err);
    assert_true(pump_answer(&r, "run", r.last, "{\"status\":423,\"error\":\"the cover is open\"}"));
    gm_command_view v;
    assert_true(gm_commands_find(gm_control_commands(r.control), gm_str_of(r.last), &v));
    assert_string_equal(gm_command_state_name(v.state), "rolled back");
    assert_true(gm_str_is(v.reason, "the cover is open"));
    control_rig_stop(&r);
}

// ---- death --------------------------------------------------------------------------------------------------------

typedef struct life { const char *name, *steps[9], *end; size_t sent_from; } life;

static void write_life(control_rig *r, const life *l, size_t n)
{
    char first[200];
    bool set = strcmp(l->name, "speed") == 0;
    snprintf(first, sizeof first, "{\"twin\":\"p1\",\"name\":\"%s\",%s\"who\":\"anna\"}", l->name, strcmp(l->name, "drain") == 0 ? "" : "\"value\":5,");
    gm_control_stop(r->control);  // dead: nobody goes on
    for (size_t i = 0; i < n; i++) {
        bool        lost = strcmp(l->steps[i], "failed") == 0 || strcmp(l->steps[i], "timed out") == 0;
        const char *text = i == 0 ? first : lost ? "{\"by\":\"gemel\",\"reason\":\"lost\",\"rollback\":true}" : "{\"by\":\"bert\"}";
        gm_journal_post(gm_control_journal(r->control), set ? GM_CHANGE_DESIRED : GM_CHANGE_COMMAND, GM_STR("00000000000000aa"), gm_str_of(l->steps[i]), gm_str_of(text));
    }
    assert_gm_ok(gm_engine_settle(r->engine, &r->err), r->err);
}

// The process dies behind each decision of each kind of life. It comes back with the command in one state; what was not sent is
// sent once, what was sent and not answered once more with the same id, what was answered never; what was owed is done; and in the
// end it is over.
static void each_command_survives_death_behind_each_of_its_decisions(void **state)
{
    (void)state;
    static const life lives[] = {
        { "run", { "requested", "validated", "permitted", "sent", "acknowledged", "verified", "closed" }, "closed", 3 },
        { "run", { "requested", "validated", "permitted", "sent", "timed out", "rolled back" }, "rolled back", 3 },
        { "run", { "requested", "validated", "permitted", "sent", "acknowledged", "failed", "rolled back" }, "rolled back", 3 },
        { "drain", { "requested", "validated", "permitted", "waiting", "approved", "sent", "acknowledged", "verified", "closed" }, "closed", 5 },
        { "speed", { "requested", "validated", "permitted", "sent", "verified", "closed" }, "closed", 3 },
    };
    for (size_t k = 0; k < sizeof lives / sizeof lives[0]; k++) {
        const life *l = &lives[k];
        for (size_t n = 1; n <= 9 && l->steps[n - 1] != NULL; n++) {
            control_rig r;
            pump_begin(&r);
            write_life(&r, l, n);
            if ((k + n) % 2 == 0) control_rig_checkpoint(&r);
            control_rig_restart(&r);
            const char *last = l->steps[n - 1], *id = "00000000000000aa";
            bool        waits = strcmp(last, "waiting") == 0 || (k == 3 && n < 4);
            if (waits) {
                assert_string_equal(pump_state(&r, id), "waiting");
                assert_gm_ok(gm_commands_approve(gm_control_commands(r.control), gm_str_of(id), GM_STR("bert"), (gm_ask){ 0 }, &r.err), r.err);
                control_rig_settle(&r);
            }
            bool   under_way = n <= l->sent_from + 1;  // not sent, or sent and nothing more is known
            size_t sent      = pump_sent(&r, k == 4 ? "gemel/p1/desired {\"speed\":5" : id);
            if (sent != (under_way ? 1u : 0u)) fail_msg("%s died behind '%s': sent %zu times", l->name, last, sent);
            if (k == 1 || k == 2) {
                if (strcmp(last, "acknowledged") == 0 || under_way) control_rig_pass(&r, 40 * GM_SECOND);
                control_rig_pass(&r, 2 * GM_SECOND);
                // Its rollback went out once, whether it was owed from before or came of it now.
                bool done = strcmp(last, "rolled back") == 0;
                if (pump_sent(&r, "/commands/stop/") != (done ? 0u : 1u)) fail_msg("%s died behind '%s': %zu rollbacks", l->name, last, pump_sent(&r, "/commands/stop/"));
            } else if (k == 4) {
                control_rig_report(&r, "p1", "speed", 5);
            } else {
                if (under_way) assert_true(pump_answer(&r, l->name, id, "{\"status\":200}"));
                control_rig_report(&r, "p1", "rotation", 5);
            }
            if (strcmp(pump_state(&r, id), l->end) != 0) fail_msg("%s died behind '%s': %s", l->name, last, pump_state(&r, id));
            control_rig_restart(&r);  // and nothing happens any more
            size_t more = pump_sent(&r, k == 4 ? "gemel/p1/desired {\"speed\":5" : id);
            assert_int_equal(more, sent);
            assert_string_equal(pump_state(&r, id), l->end);
            control_rig_stop(&r);
        }
    }
}

static void what_was_under_way_too_long_is_not_sent_again(void **state)
{
    (void)state;
    static const life l = { "run", { "requested", "validated", "permitted", "sent" }, NULL, 3 };
    control_rig r;
    pump_begin(&r);
    write_life(&r, &l, 4);
    r.ahead += GM_MINUTE;  // the engine was away for so long
    control_rig_restart(&r);
    assert_int_equal(pump_sent(&r, "00000000000000aa"), 0);
    assert_string_equal(pump_state(&r, "00000000000000aa"), "rolled back");
    assert_int_equal(pump_sent(&r, "/commands/stop/"), 1);  // it may have left before the crash
    control_rig_stop(&r);
}

// ---- many ---------------------------------------------------------------------------------------------------------

static void old_commands_are_forgotten_and_those_under_way_kept(void **state)
{
    (void)state;
    enum { MANY = GM_COMMANDS_KEPT * 3 / 2 };
    control_rig r;
    pump_begin(&r);
    assert_gm_ok(pump_ask(&r, "drain", NULL), r.err);  // waits
    char waiting[GM_COMMAND_ID];
    memcpy(waiting, r.last, sizeof waiting);
    for (int i = 0; i < MANY; i++) {
        char id[GM_COMMAND_ID];
        snprintf(id, sizeof id, "%016x", i);
        gm_journal_post(gm_control_journal(r.control), GM_CHANGE_COMMAND, gm_str_of(id), GM_STR("refused"), GM_STR("{\"twin\":\"p1\",\"name\":\"run\",\"who\":\"anna\",\"reason\":\"no\"}"));
    }
    control_rig_settle(&r);
    assert_in_range(gm_commands_count(gm_control_commands(r.control)), GM_COMMANDS_KEPT, GM_COMMANDS_KEPT * 5 / 4 + 2);
    assert_string_equal(pump_state(&r, waiting), "waiting");
    assert_string_equal(pump_state(&r, "0000000000000000"), "none");
    char newest[GM_COMMAND_ID];
    snprintf(newest, sizeof newest, "%016x", MANY - 1);
    assert_string_equal(pump_state(&r, newest), "refused");
    control_rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_link_disarms_and_makes_safe_within_its_deadline),
        cmocka_unit_test(a_heartbeat_that_stops_makes_safe_even_over_a_restart),
        cmocka_unit_test(a_clock_that_jumps_disarms_and_makes_safe),
        cmocka_unit_test(a_clock_that_is_corrected_a_little_disarms_nothing),
        cmocka_unit_test(deadlines_do_not_move_with_the_wall_clock),
        cmocka_unit_test(an_estimate_that_no_longer_fits_disarms_what_relies_on_it),
        cmocka_unit_test(an_emergency_stop_makes_everything_safe),
        cmocka_unit_test(a_device_that_does_not_obey_ends_automatic_control),
        cmocka_unit_test(disarming_survives_a_crash_right_behind_its_reason),
        cmocka_unit_test(late_and_repeated_answers_change_nothing),
        cmocka_unit_test(a_device_that_refuses_says_why),
        cmocka_unit_test(each_command_survives_death_behind_each_of_its_decisions),
        cmocka_unit_test(what_was_under_way_too_long_is_not_sent_again),
        cmocka_unit_test(old_commands_are_forgotten_and_those_under_way_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
