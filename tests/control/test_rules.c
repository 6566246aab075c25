#include "control/control_rig.h"
#include "control/rules.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char models[] =
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Pump;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Telemetry\",\"name\":\"pressure\",\"schema\":\"double\"},{\"@type\":\"Telemetry\",\"name\":\"heat\",\"schema\":\"double\"},"
    "{\"@type\":\"Property\",\"name\":\"kind\",\"schema\":\"string\",\"writable\":true},"
    "{\"@type\":\"Property\",\"name\":\"speed\",\"schema\":\"double\",\"writable\":true},"
    "{\"@type\":\"Property\",\"name\":\"gear\",\"schema\":\"double\",\"writable\":true},"
    "{\"@type\":\"Command\",\"name\":\"setSpeed\",\"request\":{\"name\":\"speed\",\"schema\":\"double\"}},"
    "{\"@type\":\"Command\",\"name\":\"stop\"},"
    "{\"@type\":\"Relationship\",\"name\":\"feeds\",\"target\":\"dtmi:t:Pump;1\"}]}]";
#define PUMPS "on twins (SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:t:Pump;1')) "
#define PUMP  "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"}}"

static void begin(control_rig *r, const char *const *files)
{
    *r = (control_rig){ .files = NULL };
    control_rig_start(r);
    control_rig_models(r, models);
    control_rig_twin(r, "p1", PUMP);
    control_rig_twin(r, "p2", PUMP);
    control_rig_relate(r, "p1", "feeds", "p2");
    r->files = files;
    control_rig_rules(r);
}

static const char *state_of(control_rig *r, const char *key)
{
    gm_alarm a;
    return gm_alarms_find(gm_control_alarms(r->control), gm_str_of(key), &a) ? gm_alarm_state_name(a.state) : "none";
}

static uint64_t count_of(control_rig *r, const char *key)
{
    gm_alarm a;
    return gm_alarms_find(gm_control_alarms(r->control), gm_str_of(key), &a) ? a.count : 0;
}
#define EXPECT(key, state) assert_string_equal(state_of(&r, key), state)

static void a_rule_raises_once_and_clears_with_a_deadband(void **state)
{
    (void)state;
    static const char *const files[] = { "rules/a.rules", "# a comment, 'it''s\nrule low " PUMPS "when T.pressure < 2 deadband 0.5\n  then alarm high 'too low' response 'look'\n", NULL };
    control_rig r;
    begin(&r, files);
    EXPECT("low@p1", "none");
    control_rig_report(&r, "p1", "pressure", 3);
    EXPECT("low@p1", "none");
    control_rig_report(&r, "p1", "pressure", 1.9);
    EXPECT("low@p1", "unacknowledged");
    control_rig_report(&r, "p1", "pressure", 2.4);  // within the deadband
    EXPECT("low@p1", "unacknowledged");
    control_rig_report(&r, "p1", "pressure", 1.5);
    assert_int_equal(count_of(&r, "low@p1"), 1);
    control_rig_report(&r, "p1", "pressure", 2.5);
    EXPECT("low@p1", "returned");
    control_rig_report(&r, "p1", "pressure", 2.1);
    EXPECT("low@p1", "returned");
    EXPECT("low@p2", "none");
    control_rig_twin(&r, "p3", PUMP);  // one rule serves them all, also those to come
    control_rig_report(&r, "p3", "pressure", 1);
    EXPECT("low@p3", "unacknowledged");
    control_rig_stop(&r);
}

static void a_delay_waits_and_survives_a_restart(void **state)
{
    (void)state;
    static const char *const files[] = { "rules/a.rules", "rule hot " PUMPS "when T.heat > 80 for 5 min clears after 1 min then alarm low 'hot'", NULL };
    control_rig r;
    begin(&r, files);
    control_rig_report(&r, "p1", "heat", 90);
    control_rig_pass(&r, 4 * GM_MINUTE);
    EXPECT("hot@p1", "none");
    control_rig_restart(&r);
    control_rig_pass(&r, 50 * GM_SECOND);
    EXPECT("hot@p1", "none");
    control_rig_pass(&r, 11 * GM_SECOND);
    EXPECT("hot@p1", "unacknowledged");
    control_rig_restart(&r);
    assert_int_equal(count_of(&r, "hot@p1"), 1);
    control_rig_report(&r, "p1", "heat", 20);
    control_rig_pass(&r, 30 * GM_SECOND);
    control_rig_report(&r, "p1", "heat", 90);
    control_rig_pass(&r, 2 * GM_MINUTE);
    EXPECT("hot@p1", "unacknowledged");
    control_rig_report(&r, "p1", "heat", 20);
    control_rig_checkpoint(&r);
    control_rig_restart(&r);
    control_rig_pass(&r, 61 * GM_SECOND);
    EXPECT("hot@p1", "returned");
    assert_int_equal(count_of(&r, "hot@p1"), 1);
    control_rig_stop(&r);
}

static void rises_falls_and_silence_are_told(void **state)
{
    (void)state;
    static const char *const files[] = { "rules/a.rules",
        "rule jump " PUMPS "when T.heat rises by 3 within 1 h then alarm low 'x'\n"
        "rule drop " PUMPS "when T.heat falls by 5 within 10 min and T.pressure > 1 then alarm low 'x'\n"
        "rule silent " PUMPS "when no data for 30 s then alarm low 'x'\n"
        "rule noheat " PUMPS "when no data of heat for 2 min then alarm low 'x'\n", NULL };
    control_rig r;
    begin(&r, files);
    control_rig_report(&r, "p1", "pressure", 2);
    control_rig_report(&r, "p1", "heat", 20);
    control_rig_pass(&r, 20 * GM_SECOND);
    EXPECT("silent@p1", "none");
    control_rig_report(&r, "p1", "heat", 22);
    control_rig_pass(&r, 20 * GM_SECOND);
    EXPECT("silent@p1", "none");
    EXPECT("silent@p2", "unacknowledged");  // never said a word
    control_rig_pass(&r, 20 * GM_SECOND);
    EXPECT("silent@p1", "unacknowledged");
    EXPECT("noheat@p1", "none");
    control_rig_report(&r, "p1", "pressure", 2);
    EXPECT("silent@p1", "returned");
    control_rig_pass(&r, 2 * GM_MINUTE);
    EXPECT("noheat@p1", "unacknowledged");
    EXPECT("jump@p1", "none");
    control_rig_checkpoint(&r);
    control_rig_restart(&r);  // the window comes back from history
    control_rig_report(&r, "p1", "heat", 23.1);
    EXPECT("jump@p1", "unacknowledged");
    EXPECT("drop@p1", "none");
    control_rig_report(&r, "p1", "heat", 18);
    EXPECT("drop@p1", "unacknowledged");
    control_rig_pass(&r, 2 * GM_HOUR);
    control_rig_report(&r, "p1", "heat", 19);
    EXPECT("jump@p1", "returned");
    EXPECT("drop@p1", "returned");
    control_rig_stop(&r);
}

static void conditions_look_across_relationships(void **state)
{
    (void)state;
    static const char *const files[] = { "rules/a.rules",
        "rule starved " PUMPS "when any(feeds.pressure) < 2 then alarm low 'x'\n"
        "rule both " PUMPS "when min(feeds.pressure) > 5 and count(feeds) >= 2 then alarm low 'x'\n"
        "rule above " PUMPS "when all(<feeds.heat) > 50 then alarm low 'x'\n", NULL };
    control_rig r;
    begin(&r, files);
    control_rig_report(&r, "p2", "pressure", 1);
    EXPECT("starved@p1", "unacknowledged");
    EXPECT("starved@p2", "none");
    control_rig_report(&r, "p2", "pressure", 6);
    EXPECT("starved@p1", "returned");
    EXPECT("both@p1", "none");
    control_rig_twin(&r, "p3", PUMP);
    control_rig_report(&r, "p3", "pressure", 7);
    control_rig_relate(&r, "p1", "feeds", "p3");
    EXPECT("both@p1", "unacknowledged");
    control_rig_report(&r, "p3", "pressure", 1);  // watched though it came later
    EXPECT("both@p1", "returned");
    EXPECT("starved@p1", "unacknowledged");
    control_rig_report(&r, "p1", "heat", 60);
    EXPECT("above@p2", "unacknowledged");
    EXPECT("above@p1", "none");  // nothing feeds it: unknown
    control_rig_stop(&r);
}

static void rules_are_changed_while_they_run(void **state)
{
    (void)state;
    static const char *const one[] = { "rules/a.rules", "rule low " PUMPS "when T.pressure < 2 then alarm high 'x'\nrule hot " PUMPS "when T.heat > 50 then alarm high 'x'", NULL };
    static const char *const two[] = { "rules/a.rules", "rule low " PUMPS "when T.pressure < 2 then alarm high 'x'\n", NULL };
    static const char *const three[] = { "rules/a.rules", "rule low " PUMPS "when T.pressure < 0.5 then alarm high 'x'\n", NULL };
    static const char *const wrong[] = { "rules/a.rules", "rule low " PUMPS "when T.pressure << 0.5 then alarm high 'x'\n", NULL };
    control_rig r;
    begin(&r, one);
    control_rig_report(&r, "p1", "pressure", 1);
    control_rig_report(&r, "p1", "heat", 60);
    r.files = two;
    control_rig_rules(&r);
    EXPECT("low@p1", "unacknowledged");
    assert_int_equal(count_of(&r, "low@p1"), 1);   // did not change: goes on
    EXPECT("hot@p1", "returned");                  // its rule is gone
    gm_control_file bad = { gm_str_of(wrong[0]), gm_str_of(wrong[1]) };
    size_t          file;
    assert_int_equal(gm_control_set_rules(r.control, &bad, 1, &file, &r.err), GM_INVALID);
    assert_int_equal(r.err.line, 1);
    EXPECT("low@p1", "unacknowledged");
    r.files = three;
    control_rig_rules(&r);
    control_rig_restart(&r);
    control_rig_report(&r, "p1", "pressure", 0.4);
    assert_int_equal(gm_rules_statistics(gm_control_rules(r.control)).instances, 2);
    control_rig_stop(&r);
}

static void a_rule_is_about_twins_that_its_query_selects_by_property(void **state)
{
    (void)state;
    static const char *const files[] = { "rules/a.rules",
        "rule low on twins (SELECT * FROM DIGITALTWINS WHERE IS_OF_MODEL('dtmi:t:Pump;1') AND kind = 'big') when pressure < 2 suppressed when speed = 0 then alarm low 'x'", NULL };
    control_rig r;
    begin(&r, files);
    control_rig_report(&r, "p1", "pressure", 1);
    EXPECT("low@p1", "none");
    control_rig_twin(&r, "p1", "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"},\"kind\":\"big\",\"pressure\":1,\"speed\":1}");
    EXPECT("low@p1", "unacknowledged");
    control_rig_report(&r, "p1", "speed", 0);
    EXPECT("low@p1", "suppressed");
    control_rig_report(&r, "p1", "speed", 1);
    EXPECT("low@p1", "unacknowledged");
    control_rig_twin(&r, "p1", "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"},\"kind\":\"small\",\"pressure\":1}");
    EXPECT("low@p1", "returned");
    control_rig_stop(&r);
}

// The same reports, with and without restarts in between: the same alarms, each raised as often.
static void firings_are_the_same_however_often_it_restarts(void **state)
{
    (void)state;
    static const char *const files[] = { "rules/a.rules",
        "rule low " PUMPS "when T.pressure < 2 for 3 s then alarm low 'x' then event 'it is low'\nrule wild " PUMPS "when T.pressure rises by 4 within 10 s then alarm low 'x'", NULL };
    uint64_t seed = gm_test_seed(), counts[2][4];
    for (int round = 0; round < 2; round++) {
        uint64_t    random = seed;
        control_rig r;
        begin(&r, files);
        for (int i = 0; i < 120; i++) {
            double value = (double)(gm_test_random(&random) % 700) / 100;
            int    what  = (int)(gm_test_random(&random) % 8);
            control_rig_report(&r, what % 2 == 0 ? "p1" : "p2", "pressure", value);
            control_rig_pass(&r, (gm_dur_ns)(gm_test_random(&random) % 4000) * GM_MILLISECOND + 50 * GM_MILLISECOND);
            if (round == 1 && what == 3) control_rig_checkpoint(&r);
            if (round == 1 && (what == 2 || what == 3)) control_rig_restart(&r);
        }
        static const char *const keys[] = { "low@p1", "low@p2", "wild@p1", "wild@p2" };
        for (int k = 0; k < 4; k++) counts[round][k] = count_of(&r, keys[k]);
        assert_int_equal(gm_rules_statistics(gm_control_rules(r.control)).waiting, 0);
        uint64_t n, broken;
        gm_journal_head(gm_control_journal(r.control), &n, &broken);
        assert_int_equal(broken, 0);
        control_rig_stop(&r);
    }
    for (int k = 0; k < 4; k++) assert_int_equal(counts[0][k], counts[1][k]);
    assert_true(counts[0][0] > 0 && counts[0][2] > 0);
}

// ---- again and again -----------------------------------------------------------------------------------------------

static void arm(control_rig *r, const char *twin)
{
    gm_armed a = { .twin = gm_str_of(twin), .who = GM_STR("anna"), .reason = GM_STR("test"), .until = gm_now(&r->clock) + GM_HOUR };
    assert_gm_ok(gm_arming_arm(gm_control_arming(r->control), &a, (gm_ask){ 0 }, &r->err), r->err);
    control_rig_settle(r);
}

static uint64_t firings_of(control_rig *r) { return gm_rules_statistics(gm_control_rules(r->control)).firings; }

// The newest desired value of a twin's property; NAN: none.
static double wanted(control_rig *r, const char *twin, const char *name)
{
    const gm_commands *commands = gm_control_commands(r->control);
    for (size_t i = gm_commands_count(commands); i-- > 0;) {
        gm_command_view c = gm_commands_at(commands, i);
        if (c.set && gm_str_is(c.twin, twin) && gm_str_is(c.name, name)) return strtod(c.value.ptr, NULL);
    }
    return NAN;
}

static const char *const staircase[] = { "rules/a.rules",
    "rule hot " PUMPS "when T.heat > 60 again every 2 s then alarm low 'hot' then lower speed by 4 to 1\n"
    "rule cold " PUMPS "when T.heat < 50 again every 2 s then raise speed by 4 to 10\n", NULL };

// A device that does what it is told.
static void obey(control_rig *r)
{
    double value = wanted(r, "p1", "speed");
    control_rig_report(r, "p1", "speed", value);
}

static void a_rule_asks_again_while_it_is_on(void **state)
{
    (void)state;
    control_rig r;
    begin(&r, staircase);
    control_rig_report(&r, "p1", "speed", 10);
    arm(&r, "p1");
    control_rig_report(&r, "p1", "heat", 70);
    assert_float_equal(wanted(&r, "p1", "speed"), 6, 0);
    obey(&r);
    control_rig_pass(&r, 1900 * GM_MILLISECOND);
    assert_float_equal(wanted(&r, "p1", "speed"), 6, 0);
    control_rig_pass(&r, 200 * GM_MILLISECOND);
    assert_float_equal(wanted(&r, "p1", "speed"), 2, 0);
    // The device is away: nothing piles up.
    control_rig_pass(&r, 10 * GM_SECOND);
    assert_float_equal(wanted(&r, "p1", "speed"), 2, 0);
    obey(&r);
    control_rig_pass(&r, 2 * GM_SECOND);
    assert_float_equal(wanted(&r, "p1", "speed"), 1, 0);  // no farther than that
    obey(&r);
    uint64_t fired = firings_of(&r);
    control_rig_pass(&r, 20 * GM_SECOND);
    assert_int_equal(firings_of(&r), fired);              // there is nothing left to ask for
    assert_int_equal(count_of(&r, "hot@p1"), 1);          // and an alarm is raised once
    control_rig_report(&r, "p1", "heat", 55);
    control_rig_pass(&r, 20 * GM_SECOND);
    assert_float_equal(wanted(&r, "p1", "speed"), 1, 0);
    control_rig_report(&r, "p1", "heat", 40);
    assert_float_equal(wanted(&r, "p1", "speed"), 5, 0);
    control_rig_stop(&r);
}

// Times that nobody lived through are not made up for, and what was asked for is asked for once.
static void asking_again_survives_restarts(void **state)
{
    (void)state;
    for (int checkpoint = 0; checkpoint < 2; checkpoint++) {
        control_rig r;
        begin(&r, staircase);
        control_rig_report(&r, "p1", "speed", 10);
        arm(&r, "p1");
        control_rig_report(&r, "p1", "heat", 70);
        obey(&r);
        size_t asked = gm_commands_count(gm_control_commands(r.control));
        if (checkpoint) control_rig_checkpoint(&r);
        control_rig_restart(&r);
        assert_int_equal(gm_commands_count(gm_control_commands(r.control)), asked);
        arm(&r, "p1");  // what was armed is not, after a restart without a heartbeat of somebody who looks
        r.ahead += GM_HOUR / 2;
        control_rig_pass(&r, 100 * GM_MILLISECOND);
        assert_in_range(gm_commands_count(gm_control_commands(r.control)), asked + 1, asked + 2);
        assert_float_equal(wanted(&r, "p1", "speed"), 2, 0);
        assert_int_equal(gm_rules_statistics(gm_control_rules(r.control)).waiting, 0);
        control_rig_stop(&r);
    }
}

// What an interlock refuses at first is done when it permits it.
static void what_was_refused_is_tried_again(void **state)
{
    (void)state;
    static const char *const files[] = { "rules/a.rules", "rule leak " PUMPS "when T.heat > 1 again every 10 s then set speed to 0",
                                         "rules/a.interlocks", "interlock full " PUMPS "of speed permits when T.pressure < 4", NULL };
    control_rig r;
    begin(&r, files);
    control_rig_report(&r, "p1", "speed", 10);
    control_rig_report(&r, "p1", "pressure", 5);
    arm(&r, "p1");
    control_rig_report(&r, "p1", "heat", 2);
    gm_commands *commands = gm_control_commands(r.control);
    assert_int_equal(gm_commands_at(commands, gm_commands_count(commands) - 1).state, GM_COMMAND_REFUSED);
    control_rig_report(&r, "p1", "pressure", 3);
    control_rig_pass(&r, 11 * GM_SECOND);
    assert_int_equal(gm_commands_at(commands, gm_commands_count(commands) - 1).state, GM_COMMAND_SENT);
    obey(&r);
    size_t asked = gm_commands_count(commands);
    control_rig_pass(&r, GM_MINUTE);
    assert_int_equal(gm_commands_count(commands), asked);
    control_rig_stop(&r);
}

// ---- what does not read -------------------------------------------------------------------------------------------

typedef struct told { char text[4000]; } told;
static void tell(void *context, const gm_statement *s, const char *text)
{
    told  *t = context;
    size_t n = strlen(t->text);
    snprintf(t->text + n, sizeof t->text - n, "%u: %.*s: %s\n", s->line, (int)s->name.len, s->name.ptr, text);
}

static void what_can_never_be_is_found_before_it_runs(void **state)
{
    (void)state;
    static const struct { const char *file, *text, *expect; } cases[] = {
        { "a.rules", "rule a " PUMPS "when T.pressure < 2 then alarm low 'x'", "" },
        { "a.rules", "\nrule a " PUMPS "when T.presure < 2 then alarm low 'x'", "2: a: its condition names 'presure'" },
        { "a.rules", "rule a " PUMPS "when T.pressure > 5 and T.pressure < 3 then alarm low 'x'", "can never hold" },
        { "a.rules", "rule a " PUMPS "when T.pressure > 5 and T.pressure < 5 then alarm low 'x'", "can never hold" },
        { "a.rules", "rule a on twins (SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:t:Ship;1')) when T.pressure > 5 then alarm low 'x'", "can never apply" },
        { "a.rules", "rule a " PUMPS "when any(fills.pressure) > 5 then alarm low 'x'", "relationship 'fills'" },
        { "a.rules", "rule a " PUMPS "when any(feeds.colour) > 5 then alarm low 'x'", "'colour', which no twin has" },
        { "a.rules", "rule a " PUMPS "when T.heat > 5 then command fly", "no command 'fly'" },
        { "a.rules", "rule a " PUMPS "when T.heat > 5 then set pressure to 3", "no writable property 'pressure'" },
        { "a.rules", "rule a " PUMPS "when T.speed > 5 then set gear to 3\nrule b " PUMPS "when T.gear > 2 then set speed to 9", "set one another off" },
        { "a.rules", "rule a " PUMPS "when T.speed > 5 then set speed to 3", "" },
        { "a.rules", "rule a " PUMPS "when T.heat > 5 again every 1 s then lower speed by 1 to 0", "" },
        { "a.rules", "rule a " PUMPS "when T.heat > 5 then lower kind by 1 to 0", "'kind' is no number" },
        { "a.rules", "rule a " PUMPS "when T.heat > 5 then lower sped by 1 to 0", "no writable property 'sped'" },
        { "a.rules", "command setSpeed " PUMPS "expect T.speed = request within 3 s\nrule a " PUMPS "when T.speed > 5 then set gear to 3\nrule b " PUMPS "when T.gear > 2 then command setSpeed 9", "set one another off" },
        { "a.interlocks", "interlock i " PUMPS "of setSpeed permits when T.presure > 1", "names 'presure'" },
        { "a.interlocks", "interlock i " PUMPS "of fly permits when T.pressure > 1", "neither a command nor a writable property 'fly'" },
    };
    control_rig r;
    begin(&r, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_rulebook *book;
        told         t = { "" };
        assert_gm_ok(gm_rulebook_create(gm_alloc_system(), &book, &r.err), r.err);
        assert_gm_ok(gm_rulebook_add(book, gm_str_of(cases[i].file), gm_str_of(cases[i].text), &r.err), r.err);
        assert_gm_ok(gm_rulebook_check(book, gm_engine_model(r.engine), tell, &t, &r.err), r.err);
        bool fits = cases[i].expect[0] == '\0' ? t.text[0] == '\0' : strstr(t.text, cases[i].expect) != NULL;
        if (!fits) fail_msg("%s\nexpected '%s', was told '%s'", cases[i].text, cases[i].expect, t.text);
        gm_rulebook_destroy(book);
    }
    control_rig_stop(&r);
}

static void mistakes_are_told_with_their_place(void **state)
{
    (void)state;
    static const struct { const char *file, *text; uint32_t line; const char *expect; } cases[] = {
        { "a.rules", "rule", 1, "expected a name" },
        { "a.rules", "rule a", 1, "on twins" },
        { "a.rules", "\n\nrool a", 3, "rule, watchdog" },
        { "a.rules", "rule a on twins (SELECT", 1, "')'" },
        { "a.rules", "rule a on twins (SELECT * FRUM DIGITALTWINS) when x > 1 then alarm low 'x'", 1, "FROM" },
        { "a.rules", "rule a on twins (SELECT A FROM DIGITALTWINS A JOIN B RELATED A.feeds) when x > 1 then alarm low 'x'", 1, "twin by twin" },
        { "a.rules", "rule a " PUMPS "\nwhen", 2, "a condition" },
        { "a.rules", "rule a " PUMPS "\nwhen (T.heat > 1 then alarm low 'x'", 2, "" },
        { "a.rules", "rule a " PUMPS "\nwhen T.heat > 1", 2, "then" },
        { "a.rules", "rule a " PUMPS "\nwhen T.heat > 1 then alarm urgent 'x'", 2, "low, medium, high or critical" },
        { "a.rules", "rule a " PUMPS "\nwhen T.heat > 1 for 5 parsec then alarm low 'x'", 2, "unit of time" },
        { "a.rules", "rule a " PUMPS "\nwhen T.heat > 1 again every 5 ms then set speed to 1", 2, "at least 100 ms" },
        { "a.rules", "rule a " PUMPS "\nwhen T.heat > 1 again then set speed to 1", 2, "'every' and a time" },
        { "a.rules", "rule a " PUMPS "\nwhen T.heat > 1 then raise speed by -1 to 3", 2, "greater than zero" },
        { "a.rules", "rule a " PUMPS "\nwhen T.heat > 1 then raise speed by 1", 2, "how far at most" },
        { "a.rules", "rule a " PUMPS "\nwhen T.heat rises by -1 within 1 h then alarm low 'x'", 2, "above 0" },
        { "a.rules", "rule a " PUMPS "when T.heat > 1 then alarm low 'x'\nrule a " PUMPS "when T.heat > 1 then alarm low 'x'", 2, "another 'a'" },
        { "a.rules", "interlock i " PUMPS "of all permits when T.heat > 1", 1, "apart from rules" },
        { "a.interlocks", "rule a " PUMPS "when T.heat > 1 then alarm low 'x'", 1, "interlocks alone" },
        { "a.rules", "command stop " PUMPS "range 5 to 3", 1, "before it begins" },
        { "a.rules", "command stop " PUMPS "requires T.heat < 5\n requires T.heat > 1", 2, "join them with 'and'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_rulebook *book;
        gm_error     err = { 0 };
        assert_gm_ok(gm_rulebook_create(gm_alloc_system(), &book, &err), err);
        gm_status st = gm_rulebook_add(book, gm_str_of(cases[i].file), gm_str_of(cases[i].text), &err);
        if (st != GM_INVALID || err.line != cases[i].line || strstr(err.text, cases[i].expect) == NULL)
            fail_msg("%s\nexpected line %u '%s', was told %d line %u '%s'", cases[i].text, cases[i].line, cases[i].expect, st, err.line, err.text);
        gm_rulebook_destroy(book);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_raises_once_and_clears_with_a_deadband),
        cmocka_unit_test(a_delay_waits_and_survives_a_restart),
        cmocka_unit_test(rises_falls_and_silence_are_told),
        cmocka_unit_test(conditions_look_across_relationships),
        cmocka_unit_test(rules_are_changed_while_they_run),
        cmocka_unit_test(a_rule_is_about_twins_that_its_query_selects_by_property),
        cmocka_unit_test(firings_are_the_same_however_often_it_restarts),
        cmocka_unit_test(a_rule_asks_again_while_it_is_on),
        cmocka_unit_test(asking_again_survives_restarts),
        cmocka_unit_test(what_was_refused_is_tried_again),
        cmocka_unit_test(what_can_never_be_is_found_before_it_runs),
        cmocka_unit_test(mistakes_are_told_with_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
