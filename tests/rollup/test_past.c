// What roll-ups amounted to: recorded when they have changed, read again after any restart; and rules that wait for them.
#include "control/control_rig.h"
#include "control/dry_run.h"
#include "control/rules.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CONTENTS "\"contents\":[{\"@type\":\"Telemetry\",\"name\":\"x\",\"schema\":\"double\"},{\"@type\":\"Property\",\"name\":\"mode\",\"schema\":\"string\"}," \
    "{\"@type\":\"Property\",\"name\":\"up\",\"schema\":\"boolean\"},{\"@type\":\"Relationship\",\"name\":\"contains\"}]"
static const char models[] = "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Part;1\",\"@type\":\"Interface\"," CONTENTS "},"
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Site;1\",\"@type\":\"Interface\",\"extends\":\"dtmi:t:Part;1\"}]";
#define DOWN ",\"relationship\":\"contains\"}"
static const char declared[] = "{\"rollups\":["
    "{\"name\":\"sum\",\"function\":\"sum\",\"property\":\"x\"" DOWN ","
    "{\"name\":\"worst state\",\"function\":\"worst\",\"property\":\"mode\",\"states\":[\"good\",\"bad\"],\"record\":\"10s\"" DOWN ","
    "{\"name\":\"two\",\"function\":\"kOfN\",\"property\":\"up\",\"k\":2" DOWN ","
    "{\"name\":\"quiet\",\"function\":\"max\",\"property\":\"x\",\"record\":\"never\"" DOWN ","
    "{\"name\":\"plant\",\"function\":\"sum\",\"property\":\"x\"}]}";

#define PART(more) "{\"$metadata\":{\"$model\":\"dtmi:t:Part;1\"}" more "}"
#define SITE "{\"$metadata\":{\"$model\":\"dtmi:t:Site;1\"}}"

static void begin(control_rig *r, const char *const *files)
{
    *r = (control_rig){ .declared = declared };
    control_rig_start(r);
    control_rig_models(r, models);
    control_rig_twin(r, "site", SITE);
    control_rig_twin(r, "line", SITE);
    control_rig_twin(r, "a", PART(",\"mode\":\"good\",\"up\":true"));
    control_rig_twin(r, "b", PART(",\"mode\":\"good\",\"up\":true"));
    control_rig_relate(r, "site", "contains", "line");
    control_rig_relate(r, "line", "contains", "a");
    control_rig_relate(r, "line", "contains", "b");
    r->files = files;
    control_rig_rules(r);
}

static gm_twin twin_of(const control_rig *r, const char *id) { return id != NULL ? gm_state_find(gm_engine_state(r->engine), gm_str_of(id)) : (gm_twin){ GM_NONE }; }

static bool then(const control_rig *r, const char *id, const char *name, gm_value *out) { return gm_rollups_then(r->rollups, twin_of(r, id), gm_str_of(name), gm_now(&r->clock), out); }

static double number_then(const control_rig *r, const char *id, const char *name)
{
    gm_value v;
    return then(r, id, name, &v) && v.kind == GM_KIND_DOUBLE ? v.d : NAN;
}

typedef struct listed { size_t count, gone; double last; } listed;

static bool list_one(void *context, const gm_sample *sample)
{
    listed *l = context;
    l->count++;
    l->gone += sample->value.kind == GM_KIND_NONE;
    l->last = sample->value.kind == GM_KIND_DOUBLE ? sample->value.d : NAN;
    return true;
}

static listed all_of(control_rig *r, const char *id, const char *name)
{
    listed   l = { 0 };
    uint32_t series;
    if (gm_rollups_series(r->rollups, gm_str_of(name), &series))
        assert_gm_ok(gm_engine_own_read(r->engine, twin_of(r, id), series, GM_TIME_MIN, GM_TIME_MAX, list_one, &l, &r->err), r->err);
    return l;
}

static void values_that_have_changed_are_recorded_once(void **state)
{
    (void)state;
    control_rig r;
    gm_value    v;
    begin(&r, NULL);
    control_rig_report(&r, "a", "x", 2);
    control_rig_report(&r, "b", "x", 3);
    control_rig_pass(&r, 5 * GM_MINUTE);
    assert_true(number_then(&r, "site", "sum") == 5 && number_then(&r, "line", "sum") == 5 && number_then(&r, NULL, "plant") == 5);
    assert_true(number_then(&r, "a", "plant") == 5);  // of the plant, whoever asks
    assert_true(then(&r, "line", "worst state", &v) && v.kind == GM_KIND_STRING && gm_str_is(v.s, "good"));
    assert_true(then(&r, "line", "two", &v) && v.kind == GM_KIND_BOOL && v.i == 1);
    assert_false(then(&r, "line", "quiet", &v) || then(&r, "a", "sum", &v) || then(&r, "line", "nothing", &v));
    size_t before = all_of(&r, "site", "sum").count;
    for (int i = 0; i < 10; i++) control_rig_pass(&r, GM_HOUR);  // nothing changes
    assert_int_equal(all_of(&r, "site", "sum").count, before);
    control_rig_pass(&r, GM_DAY);  // retention shall find it
    assert_int_equal(all_of(&r, "site", "sum").count, before + 1);
    control_rig_report(&r, "a", "x", 4);
    control_rig_pass(&r, 5 * GM_MINUTE);
    assert_true(all_of(&r, "site", "sum").count == before + 2 && number_then(&r, "site", "sum") == 7);
    gm_time_ns noon = gm_now(&r.clock);
    control_rig_report(&r, "a", "x", 10);
    control_rig_pass(&r, 5 * GM_MINUTE);
    assert_true(gm_rollups_then(r.rollups, twin_of(&r, "site"), GM_STR("sum"), noon, &v) && v.d == 7);
    // What has no value any more had one until then.
    assert_gm_ok(gm_engine_relationship_delete(r.engine, twin_of(&r, "site"), GM_STR("line"), (gm_ask){ 0 }, &r.err), r.err);
    control_rig_settle(&r);
    control_rig_stop(&r);
}

static void what_was_recorded_is_there_after_restarts_and_checkpoints(void **state)
{
    (void)state;
    control_rig r;
    begin(&r, NULL);
    control_rig_report(&r, "a", "x", 2);
    control_rig_pass(&r, 5 * GM_MINUTE);
    control_rig_restart(&r);
    assert_true(number_then(&r, "site", "sum") == 2 && all_of(&r, "site", "sum").count == 1);
    control_rig_report(&r, "a", "x", 3);
    control_rig_pass(&r, 5 * GM_MINUTE);
    control_rig_checkpoint(&r);
    control_rig_report(&r, "b", "x", 4);
    control_rig_pass(&r, 5 * GM_MINUTE);
    control_rig_restart(&r);
    assert_true(number_then(&r, "site", "sum") == 7 && all_of(&r, "site", "sum").count == 3 && number_then(&r, NULL, "plant") == 7);
    // Declared anew under another name: what was is kept under the old one, and the numbers do not meet.
    r.declared = "{\"rollups\":[{\"name\":\"total\",\"function\":\"sum\",\"property\":\"x\"" DOWN "]}";
    control_rig_restart(&r);
    control_rig_pass(&r, 5 * GM_MINUTE);
    assert_true(number_then(&r, "site", "total") == 7 && all_of(&r, "site", "total").count == 1 && all_of(&r, "site", "sum").count == 3);
    control_rig_stop(&r);
}

// ---- rules -----------------------------------------------------------------------------------------------------------------

static uint64_t raised(control_rig *r, const char *key, const char **out_state)
{
    gm_alarm a;
    bool     there = gm_alarms_find(gm_control_alarms(r->control), gm_str_of(key), &a);
    *out_state     = there ? gm_alarm_state_name(a.state) : "none";
    return there ? a.count : 0;
}
#define EXPECT(key, times, state) do { const char *is; assert_int_equal(raised(&r, key, &is), times); assert_string_equal(is, state); } while (0)

#define SITES "on twins (SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:t:Site;1')) "
static const char *const files[] = { "rules/a.rules",
    "rule much " SITES "when T.$rollup.sum > 10 deadband 1 then alarm high 'too much'\n"
    "rule bad " SITES "when T.$rollup.[[worst state]] = 'bad' and T.$rollup.plant > 0 then alarm low 'bad'\n", NULL };

static void a_rule_fires_once_when_a_system_gets_there(void **state)
{
    (void)state;
    control_rig r;
    begin(&r, files);
    assert_true(gm_control_asks_rollup(r.control, GM_STR("sum")) && gm_control_asks_rollup(r.control, GM_STR("plant")));
    assert_false(gm_control_asks_rollup(r.control, GM_STR("two")));
    control_rig_report(&r, "a", "x", 6);
    control_rig_pass(&r, GM_MINUTE);
    EXPECT("much@site", 0, "none");
    control_rig_report(&r, "b", "x", 5);
    control_rig_pass(&r, GM_MINUTE);
    EXPECT("much@site", 1, "unacknowledged");
    EXPECT("much@line", 1, "unacknowledged");
    control_rig_report(&r, "a", "x", 4.5);  // 9.5: within the deadband
    control_rig_pass(&r, GM_MINUTE);
    EXPECT("much@site", 1, "unacknowledged");
    control_rig_restart(&r);
    control_rig_pass(&r, GM_MINUTE);
    EXPECT("much@site", 1, "unacknowledged");
    control_rig_report(&r, "a", "x", 1);
    control_rig_pass(&r, GM_MINUTE);
    EXPECT("much@site", 1, "returned");
    control_rig_report(&r, "a", "x", 8);
    control_rig_restart(&r);  // perhaps before it was recorded
    control_rig_pass(&r, GM_MINUTE);
    EXPECT("much@site", 2, "unacknowledged");
    control_rig_checkpoint(&r);
    control_rig_restart(&r);
    control_rig_pass(&r, GM_MINUTE);
    EXPECT("much@site", 2, "unacknowledged");
    control_rig_twin(&r, "b", PART(",\"mode\":\"bad\",\"up\":true"));
    control_rig_pass(&r, GM_MINUTE);
    EXPECT("bad@site", 1, "unacknowledged");
    control_rig_stop(&r);
}

// The same values, with and without restarts in between: the same alarms, each raised as often.
static void firings_are_the_same_however_often_it_restarts(void **state)
{
    (void)state;
    uint64_t counts[2];
    for (int round = 0; round < 2; round++) {
        uint64_t    random = gm_test_seed();
        control_rig r;
        const char *is;
        begin(&r, files);
        for (int i = 0; i < 60; i++) {
            uint64_t what = gm_test_random(&random);
            control_rig_report(&r, what % 2 == 0 ? "a" : "b", "x", (double)(what >> 8) / 6e15);  // 0 to 12
            bool between = (what >> 3) % 3 == 0;
            if (round == 1 && between) control_rig_restart(&r);
            control_rig_pass(&r, GM_MINUTE);
            if (round == 1 && (what >> 5) % 7 == 0) control_rig_checkpoint(&r);
            if (round == 1 && (what >> 6) % 5 == 0) control_rig_restart(&r);
        }
        counts[round] = raised(&r, "much@site", &is);
        control_rig_stop(&r);
    }
    if (counts[0] != counts[1] || counts[0] < 5) fail_msg("seed %llu: raised %llu times, with restarts %llu times", (unsigned long long)gm_test_seed(), (unsigned long long)counts[0], (unsigned long long)counts[1]);
}

typedef struct turns { size_t on, off; } turns;

static void note_turn(void *context, const gm_statement *rule, gm_str twin, gm_turn turn, gm_time_ns at)
{
    turns *t = context;
    (void)rule, (void)at;
    if (!gm_str_is(twin, "site")) return;
    t->on += turn == GM_TURN_ON;
    t->off += turn == GM_TURN_OFF;
}

static void a_rule_is_tried_on_what_was_recorded(void **state)
{
    (void)state;
    control_rig  r;
    gm_rulebook *book = NULL;
    gm_dry_run  *run  = NULL;
    turns        t    = { 0 };
    bool         done = false;
    static const char *const none[] = { "rules/a.rules", "rule other " SITES "when T.$rollup.sum > 1000 then event 'x'\n", NULL };
    begin(&r, none);
    gm_time_ns from = gm_now(&r.clock);
    for (int i = 0; i < 8; i++) {
        control_rig_report(&r, "a", "x", i % 4 == 3 ? 20 : 1);  // twice above
        control_rig_pass(&r, GM_MINUTE);
    }
    control_rig_report(&r, "a", "x", 1);
    control_rig_pass(&r, GM_MINUTE);
    assert_gm_ok(gm_rulebook_create(gm_alloc_system(), &book, &r.err), r.err);
    assert_gm_ok(gm_rulebook_add(book, GM_STR("a.rules"), gm_str_of(files[1]), &r.err), r.err);
    gm_dry_run_options o = { .alloc = gm_alloc_system(), .engine = r.engine, .book = book, .from = from, .to = gm_now(&r.clock), .facts = &r.facts, .fired = note_turn, .context = &t };
    assert_gm_ok(gm_dry_run_create(&o, &run, &r.err), r.err);
    while (!done) assert_gm_ok(gm_dry_run_step(run, 1000, &done, &r.err), r.err);
    gm_dry_run_destroy(run);
    assert_true(t.on == 2 && t.off == 2);
    control_rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_that_have_changed_are_recorded_once),
        cmocka_unit_test(what_was_recorded_is_there_after_restarts_and_checkpoints),
        cmocka_unit_test(a_rule_fires_once_when_a_system_gets_there),
        cmocka_unit_test(firings_are_the_same_however_often_it_restarts),
        cmocka_unit_test(a_rule_is_tried_on_what_was_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
