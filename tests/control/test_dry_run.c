// A dry run says of a past what happened in it: the turns of rules that were in force are those that it finds.
#include "control/dry_run.h"

#include "control/control_rig.h"

#include <stdio.h>

static const char models[] =
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Pump;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Telemetry\",\"name\":\"pressure\",\"schema\":\"double\"},{\"@type\":\"Telemetry\",\"name\":\"heat\",\"schema\":\"double\"},"
    "{\"@type\":\"Property\",\"name\":\"kind\",\"schema\":\"string\",\"writable\":true},{\"@type\":\"Property\",\"name\":\"load\",\"schema\":\"double\",\"writable\":true},"
    "{\"@type\":\"Relationship\",\"name\":\"feeds\"}]}]";
#define PUMPS "on twins (SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:t:Pump;1')) "
#define PUMP  "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"}}"

// Steps are minutes, and every time of the rules ends half a minute away from them: how long the test itself takes matters nothing.
static const char text[] =
    "rule low " PUMPS "when T.pressure < 2 deadband 1 for 210 s clears after 90 s then alarm low 'x'\n"
    "rule wild " PUMPS "when T.pressure rises by 4 within 630 s suppressed when T.heat > 5 then alarm low 'x'\n"
    "rule silent " PUMPS "when no data of heat for 330 s then event 'x'\n"
    "rule starved " PUMPS "when any(feeds.pressure) < 1 then event 'x'\n"
    "rule strained on twins (SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:t:Pump;1') AND T.load > 3) when T.pressure > 4 then event 'x'\n";

enum { RULES = 5, TWINS = 3 };
static const char *const rule_names[RULES] = { "low", "wild", "silent", "starved", "strained" }, *const twin_names[TWINS] = { "p1", "p2", "p3" };

typedef struct turns { uint64_t n[RULES][TWINS], on; gm_time_ns last; bool ordered; } turns;

static void count(turns *t, gm_str rule, gm_str twin, uint64_t n)
{
    for (int r = 0; r < RULES; r++) {
        for (int w = 0; w < TWINS; w++) {
            if (gm_str_is(rule, rule_names[r]) && gm_str_is(twin, twin_names[w])) t->n[r][w] += n;
        }
    }
}

static void on_turn(void *context, const gm_statement *rule, gm_str twin, gm_turn turn, gm_time_ns at)
{
    turns *t = context;
    count(t, rule->name, twin, 1);
    t->on += turn == GM_TURN_ON;
    t->ordered = t->ordered && at >= t->last;
    t->last    = at;
}

static void on_status(void *context, const gm_rule_status *status) { count(context, status->rule, status->twin, status->firings); }

static turns dry(control_rig *r, const char *rules, gm_time_ns from, gm_time_ns to, size_t step)
{
    turns        found = { .ordered = true };
    gm_rulebook *book;
    gm_dry_run  *run;
    assert_gm_ok(gm_rulebook_create(gm_alloc_system(), &book, &r->err), r->err);
    assert_gm_ok(gm_rulebook_add(book, GM_STR("a.rules"), gm_str_of(rules), &r->err), r->err);
    gm_dry_run_options o = { .alloc = gm_alloc_system(), .engine = r->engine, .book = book, .from = from, .to = to, .fired = on_turn, .context = &found };
    assert_gm_ok(gm_dry_run_create(&o, &run, &r->err), r->err);
    for (bool done = false; !done;) assert_gm_ok(gm_dry_run_step(run, step, &done, &r->err), r->err);
    gm_dry_run_destroy(run);
    assert_true(found.ordered);
    return found;
}

static void begin(control_rig *r)
{
    *r = (control_rig){ .files = NULL };
    control_rig_start(r);
    control_rig_models(r, models);
    for (int w = 0; w < TWINS; w++) control_rig_twin(r, twin_names[w], PUMP);
    control_rig_relate(r, "p1", "feeds", "p2");
    control_rig_relate(r, "p1", "feeds", "p3");
}

static void a_dry_run_finds_what_happened(void **state)
{
    (void)state;
    static const char *const files[] = { "rules/a.rules", text, NULL };
    uint64_t                 random  = gm_test_seed();
    control_rig              r;
    begin(&r);
    gm_time_ns from = gm_now(&r.clock);
    r.files         = files;
    control_rig_rules(&r);
    for (int i = 0; i < 250; i++) {
        const char *twin = twin_names[gm_test_random(&random) % TWINS];
        uint64_t    what = gm_test_random(&random) % 8;
        double      value = (double)(gm_test_random(&random) % 700) / 100;
        control_rig_report(&r, twin, what < 5 ? "pressure" : what < 7 ? "heat" : "load", value);
        control_rig_pass(&r, (gm_dur_ns)(1 + gm_test_random(&random) % 3) * GM_MINUTE);
    }
    turns live = { .on = 0 };
    gm_rules_each(gm_control_rules(r.control), GM_STR(""), on_status, &live);
    gm_time_ns to = gm_now(&r.clock);
    turns found = dry(&r, text, from, to, 7), at_once = dry(&r, text, from, to, 1000000);
    assert_memory_equal(found.n, at_once.n, sizeof found.n);
    uint64_t all = 0;
    for (int k = 0; k < RULES; k++) {
        for (int w = 0; w < TWINS; w++) {
            all += live.n[k][w];
            // An instance that ended with its twin's membership began to count anew: live it is the last one that counts.
            bool same = strcmp(rule_names[k], "strained") == 0 ? found.n[k][w] >= live.n[k][w] : found.n[k][w] == live.n[k][w];
            if (!same) fail_msg("%s on %s: %llu turns live, %llu dry", rule_names[k], twin_names[w], (unsigned long long)live.n[k][w], (unsigned long long)found.n[k][w]);
        }
    }
    assert_true(all > 50);
    control_rig_stop(&r);
}

static void a_dry_run_leaves_nothing_behind(void **state)
{
    (void)state;
    control_rig r;
    begin(&r);
    gm_time_ns from = gm_now(&r.clock);
    for (int i = 0; i < 10; i++) {
        control_rig_pass(&r, GM_MINUTE);
        control_rig_report(&r, "p1", "pressure", i % 2 == 0 ? 9 : 1);
    }
    uint64_t before = gm_log_durable(gm_engine_log(r.engine));
    gm_time_ns to   = gm_now(&r.clock) + 1;
    turns found     = dry(&r, "rule high " PUMPS "when T.pressure > 8 then alarm low 'x' then command fly\n", from, to, 1);
    assert_int_equal(found.n[0][0], 0);
    assert_int_equal(found.on, 5);
    // Half the time: half the turns. A rule that holds at the beginning begins there.
    assert_int_equal(dry(&r, "rule high " PUMPS "when T.pressure > 8 then event 'x'\n", from, from + 5 * GM_MINUTE + 30 * GM_SECOND, 3).on, 3);
    assert_int_equal(dry(&r, "rule high " PUMPS "when T.pressure > 8 then event 'x'\n", from + GM_MINUTE + 30 * GM_SECOND, to, 3).on, 5);
    control_rig_settle(&r);
    assert_int_equal(gm_log_durable(gm_engine_log(r.engine)), before);
    assert_int_equal(gm_alarms_count(gm_control_alarms(r.control)), 0);
    assert_int_equal(r.sent.len, 0);
    gm_rulebook       *book;
    gm_dry_run        *run;
    assert_gm_ok(gm_rulebook_create(gm_alloc_system(), &book, &r.err), r.err);
    gm_dry_run_options o = { .alloc = gm_alloc_system(), .engine = r.engine, .book = book, .from = to, .to = to };
    assert_int_equal(gm_dry_run_create(&o, &run, &r.err), GM_INVALID);
    control_rig_stop(&r);
}

// More samples than a chunk holds, many of them within one span.
static void a_long_past_is_played_in_chunks(void **state)
{
    (void)state;
    enum { SAMPLES = GM_DRY_CHUNK + GM_DRY_CHUNK / 4, EVERY = 1000, CELLS = 500 };
    control_rig r;
    begin(&r);
    const gm_state *s      = gm_engine_state(r.engine);
    gm_twin         twin   = gm_state_find(s, GM_STR("p1"));
    uint16_t        column = (uint16_t)gm_type_column_index(gm_state_type(s, twin), GM_STR("pressure"));
    gm_time_ns      from   = gm_now(&r.clock) + GM_SECOND;
    static gm_cell_write cells[CELLS];
    for (int i = 0; i < SAMPLES; i += CELLS) {
        for (int k = 0; k < CELLS; k++)
            cells[k] = (gm_cell_write){ .column = column, .at = from + (i + k) * GM_MICROSECOND, .value = { .kind = GM_KIND_DOUBLE, .d = (i + k) % EVERY == 0 ? 9 : 1 } };
        assert_gm_ok(gm_engine_write(r.engine, twin, GM_WRITE_SERIES, cells, CELLS, (gm_ask){ 0 }, &r.err), r.err);
        if (i % 50000 == 0) assert_gm_ok(gm_engine_settle(r.engine, &r.err), r.err);
    }
    control_rig_settle(&r);
    turns found = dry(&r, "rule high " PUMPS "when T.pressure > 8 then event 'x'\n", from, from + GM_HOUR, 5000);
    assert_int_equal(found.on, SAMPLES / EVERY);
    control_rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dry_run_finds_what_happened),
        cmocka_unit_test(a_dry_run_leaves_nothing_behind),
        cmocka_unit_test(a_long_past_is_played_in_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
