// Roll-ups that were kept current against the same added up from nothing, through any changes; loops, depth, restarts.
#include "rollup/rollup_rig.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTENTS "\"contents\":[{\"@type\":\"Telemetry\",\"name\":\"x\",\"schema\":\"double\"},{\"@type\":\"Property\",\"name\":\"w\",\"schema\":\"integer\",\"writable\":true}," \
    "{\"@type\":\"Property\",\"name\":\"mode\",\"schema\":\"string\",\"writable\":true},{\"@type\":\"Property\",\"name\":\"up\",\"schema\":\"boolean\",\"writable\":true}," \
    "{\"@type\":\"Relationship\",\"name\":\"contains\"},{\"@type\":\"Relationship\",\"name\":\"partOf\"}]"
static const char models[] = "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Part;1\",\"@type\":\"Interface\"," CONTENTS "},"
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Site;1\",\"@type\":\"Interface\",\"extends\":\"dtmi:t:Part;1\"},"
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Other;1\",\"@type\":\"Interface\",\"contents\":[{\"@type\":\"Relationship\",\"name\":\"contains\"}]}]";

#define DOWN ",\"relationship\":\"contains\""
static const char all[] = "{\"rollups\":["
    "{\"name\":\"sum\",\"function\":\"sum\",\"property\":\"x\"" DOWN "},"
    "{\"name\":\"min\",\"function\":\"min\",\"property\":\"x\"" DOWN ",\"systems\":\"dtmi:t:Site;1\"},"
    "{\"name\":\"max\",\"function\":\"max\",\"property\":\"x\",\"relationship\":\"partOf\",\"direction\":\"in\"},"
    "{\"name\":\"weighted\",\"function\":\"weighted\",\"property\":\"x\",\"weight\":\"w\"" DOWN "},"
    "{\"name\":\"heavy\",\"function\":\"mean\",\"property\":\"x\",\"members\":\"SELECT * FROM DIGITALTWINS T WHERE T.w > 3\"" DOWN "},"
    "{\"name\":\"worst\",\"function\":\"worst\",\"property\":\"mode\",\"states\":[\"good\",\"fair\",\"bad\"]" DOWN "},"
    "{\"name\":\"intensity\",\"function\":\"intensity\",\"property\":\"x\",\"per\":\"w\"" DOWN "},"
    "{\"name\":\"oee\",\"function\":\"oee\",\"planned\":\"w\",\"running\":\"x\",\"idealCycle\":\"w\",\"count\":\"x\",\"good\":\"w\"" DOWN "},"
    "{\"name\":\"modes\",\"function\":\"kOfN\",\"property\":\"mode\",\"states\":[\"good\",\"fair\"],\"k\":3" DOWN "},"
    "{\"name\":\"spare\",\"function\":\"kOfN\",\"property\":\"up\",\"k\":2" DOWN "},"
    "{\"name\":\"plant\",\"function\":\"sum\",\"property\":\"x\",\"members\":\"SELECT * FROM DIGITALTWINS T WHERE T.w > 3\"}]}";

// ---- from nothing: the definition, walked without memory of anything ------------------------------------------------------

static double value_of(const gm_state *state, const gm_rollup_definition *d, gm_twin twin, uint32_t term)
{
    gm_cell cell;
    gm_state_get(state, twin, gm_type_column_index(gm_state_type(state, twin), d->terms[term]), &cell);
    if (cell.value.kind == GM_KIND_NONE) return NAN;
    if (cell.value.kind == GM_KIND_DOUBLE) return cell.value.d;
    if (cell.value.kind != GM_KIND_STRING) return (double)cell.value.i;
    for (uint32_t i = 0; i < d->state_count; i++)
        if (gm_str_eq(d->states[i], cell.value.s)) return d->function == GM_ROLLUP_K_OF_N ? 1 : i;
    return d->function == GM_ROLLUP_K_OF_N ? 0 : NAN;
}

static void take_plain(const gm_state *state, const gm_rollup_definition *d, gm_twin twin, gm_rollup_total *t)
{
    double v[GM_ROLLUP_TERMS];
    if (gm_type_column_index(gm_state_type(state, twin), d->terms[0]) == GM_NO_COLUMN) return;
    if (d->members.len > 0) {
        gm_cell w;
        gm_state_get(state, twin, gm_type_column_index(gm_state_type(state, twin), GM_STR("w")), &w);
        if (w.value.kind != GM_KIND_INT || w.value.i <= 3) return;
    }
    for (uint32_t i = 0; i < d->term_count; i++) v[i] = value_of(state, d, twin, i);
    gm_rollup_take(t, d, v);
}

static gm_rollup_total plain(const gm_state *state, const gm_rollup_definition *d, gm_twin twin, bool *holds)
{
    gm_rollup_total t;
    gm_rollup_clear(&t);
    *holds = false;
    for (gm_edge e = d->incoming ? gm_state_first_in(state, twin) : gm_state_first_out(state, twin); gm_edge_ok(e);
         e = d->incoming ? gm_state_next_in(state, e) : gm_state_next_out(state, e)) {
        gm_relationship r = gm_state_relationship(state, e);
        if (!gm_str_eq(r.name, d->relationship)) continue;
        gm_twin member = d->incoming ? r.source : r.target;
        bool    more;
        *holds = true;
        take_plain(state, d, member, &t);
        gm_rollup_total under = plain(state, d, member, &more);
        if (!more) continue;
        double works = d->function == GM_ROLLUP_K_OF_N ? gm_rollup_finish(d, &under).value : NAN;
        if (d->function != GM_ROLLUP_K_OF_N) gm_rollup_join(&t, &under);
        else if (!isnan(works)) gm_rollup_take(&t, d, &works);
    }
    return t;
}

static bool same(double a, double b) { return (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-9 * (1 + fabs(b)); }

static void compare(rollup_rig *r, size_t i, gm_twin twin)
{
    const gm_state             *state = gm_engine_state(r->engine);
    const gm_rollup_definition *d     = gm_rollups_definition(r->rollups, i);
    gm_rollup_result            kept;
    gm_rollup_total             t;
    bool                        holds = true, site = true;
    if (d->relationship.len > 0) t = plain(state, d, twin, &holds);
    else {
        gm_rollup_clear(&t);
        for (uint32_t n = 0; n < gm_state_next_twin(state); n++)
            if (gm_state_exists(state, (gm_twin){ n })) take_plain(state, d, (gm_twin){ n }, &t);
        twin = (gm_twin){ GM_NONE };
    }
    if (d->systems.len > 0) site = gm_str_eq(gm_state_type(state, twin)->id, d->systems);
    gm_status st = gm_rollups_read(r->rollups, i, twin, &kept, &r->err);
    // A system whose members have all gone may still be known, as one that amounts to nothing.
    if (st == GM_NOTFOUND && (!holds || !site)) return;
    if (st != GM_OK) fail_msg("%s: %s", d->name.ptr, r->err.text);
    assert_true(site);
    gm_rollup_result fresh = gm_rollup_finish(d, &t);
    if (!same(kept.value, fresh.value) || kept.count != fresh.count || kept.missing != fresh.missing || kept.working != fresh.working || !gm_str_eq(kept.state, fresh.state))
        fail_msg(GM_STR_FMT " of twin %u: %g over %d, from nothing %g over %d", GM_STR_ARG(d->name), twin.v, kept.value, (int)kept.count, fresh.value, (int)fresh.count);
}

enum { TWINS = 60 };

static void change(rollup_rig *r, gm_twin *twins, uint64_t *seed)
{
    size_t         a = gm_test_random(seed) % TWINS, b = gm_test_random(seed) % TWINS;
    const gm_state *state = gm_engine_state(r->engine);
    const char     *name = gm_test_random(seed) % 4 > 0 ? "contains" : "partOf";
    char            id[16];
    snprintf(id, sizeof id, "t%zu", a);
    if (!gm_twin_ok(twins[a])) {
        static const char *const kinds[] = { "dtmi:t:Part;1", "dtmi:t:Site;1", "dtmi:t:Other;1" };
        twins[a] = rollup_rig_twin(r, id, kinds[gm_test_random(seed) % 3]);
        return;
    }
    bool other = gm_str_is(gm_state_type(state, twins[a])->id, "dtmi:t:Other;1");
    switch (gm_test_random(seed) % 9) {
    case 0:
    case 1: {  // from lower to higher places, so that there is no loop; partOf the other way
        size_t low = a < b ? a : b, high = a < b ? b : a;
        bool   part = strcmp(name, "partOf") == 0;
        gm_twin source = twins[part ? high : low], target = twins[part ? low : high];
        if (low != high && gm_twin_ok(source) && gm_twin_ok(target) && !(part && gm_str_is(gm_state_type(state, source)->id, "dtmi:t:Other;1")))
            rollup_rig_relate(r, source, name, target);
        return;
    }
    case 2: {
        gm_edge e = gm_state_first_out(state, twins[a]);
        if (!gm_edge_ok(e)) return;
        gm_relationship had = gm_state_relationship(state, e);
        rollup_rig_part(r, had.source, gm_str_is(had.name, "partOf") ? "partOf" : "contains", had.target);
        return;
    }
    case 3:
        if (gm_test_random(seed) % 8 > 0 || gm_edge_ok(gm_state_first_out(state, twins[a])) || gm_edge_ok(gm_state_first_in(state, twins[a]))) return;
        rollup_rig_delete(r, twins[a]);
        twins[a] = (gm_twin){ GM_NONE };
        return;
    case 8:  // its relationships stay, its values go to another table
        if (!other && gm_test_random(seed) % 4 == 0) rollup_rig_replace(r, twins[a], gm_str_is(gm_state_type(state, twins[a])->id, "dtmi:t:Site;1") ? "dtmi:t:Part;1" : "dtmi:t:Site;1");
        return;
    case 4: if (!other) rollup_rig_write(r, twins[a], "w", (gm_value){ .kind = GM_KIND_INT, .i = (int64_t)(gm_test_random(seed) % 8) }); return;
    case 5: {
        static const char *const modes[] = { "good", "fair", "bad", "on holiday" };
        if (!other) rollup_rig_write(r, twins[a], "mode", (gm_value){ .kind = GM_KIND_STRING, .s = gm_str_of(modes[gm_test_random(seed) % 4]) });
        return;
    }
    case 6: if (!other) rollup_rig_write(r, twins[a], "up", (gm_value){ .kind = GM_KIND_BOOL, .i = (int64_t)(gm_test_random(seed) % 2) }); return;
    default:
        if (!other) rollup_rig_write(r, twins[a], "x", gm_test_random(seed) % 6 == 0 ? (gm_value){ .kind = GM_KIND_NONE } : (gm_value){ .kind = GM_KIND_DOUBLE, .d = (double)(gm_test_random(seed) % 100000) / 7 });
    }
}

static void kept_current_is_the_same_as_from_nothing(void **state)
{
    (void)state;
    uint64_t   seed = gm_test_seed();
    int        steps = getenv("GM_DEEP") != NULL ? 6000 : 700;
    gm_twin    twins[TWINS];
    rollup_rig r = { 0 };
    rollup_rig_start(&r, models);
    rollup_rig_set(&r, all);
    for (int i = 0; i < TWINS; i++) twins[i] = (gm_twin){ GM_NONE };
    for (int i = 0; i < steps; i++) {
        change(&r, twins, &seed);
        // Some are read now and then, so that marks lie at different heights; all of them every so often.
        bool every = i % 50 == 49;
        for (size_t k = 0; k < gm_rollups_count(r.rollups); k++)
            for (size_t t = 0; t < TWINS; t++)
                if (gm_twin_ok(twins[t]) && (every || gm_test_random(&seed) % 200 == 0)) compare(&r, k, twins[t]);
        if (i % 250 == 249) {
            rollup_rig_restart(&r);
            rollup_rig_set(&r, all);
        }
    }
    rollup_rig_stop(&r);
}

// Rows of members longer than one total covers, and a second level of totals.
static void large_systems_follow_single_changes(void **state)
{
    (void)state;
    enum { MANY = 700 };
    rollup_rig       r = { 0 };
    gm_rollup_result out;
    size_t           i;
    uint64_t         seed = gm_test_seed();
    rollup_rig_start(&r, models);
    rollup_rig_set(&r, all);
    gm_twin top = rollup_rig_twin(&r, "top", "dtmi:t:Site;1"), parts[MANY];
    for (size_t k = 0; k < MANY; k++) {
        char id[16];
        snprintf(id, sizeof id, "p%zu", k);
        parts[k] = rollup_rig_twin(&r, id, "dtmi:t:Part;1");
        rollup_rig_relate(&r, top, "contains", parts[k]);
    }
    for (int k = 0; k < 200; k++) {
        gm_value v = { .kind = GM_KIND_DOUBLE, .d = (double)(gm_test_random(&seed) % 1000) };
        rollup_rig_write(&r, parts[gm_test_random(&seed) % MANY], "x", v);
        if (k % 7 == 0) for (size_t n = 0; n < gm_rollups_count(r.rollups); n++) compare(&r, n, top);
    }
    assert_true(gm_rollups_find(r.rollups, GM_STR("sum"), &i) && !gm_rollups_find(r.rollups, GM_STR("none"), &(size_t){ 0 }));
    assert_gm_ok(gm_rollups_read(r.rollups, i, top, &out, &r.err), r.err);
    assert_int_equal(out.count + out.missing, MANY);
    rollup_rig_stop(&r);
}

static void loops_are_named_and_heal(void **state)
{
    (void)state;
    rollup_rig       r = { 0 };
    gm_rollup_result out;
    rollup_rig_start(&r, models);
    rollup_rig_set(&r, all);
    gm_twin a = rollup_rig_twin(&r, "A", "dtmi:t:Site;1"), b = rollup_rig_twin(&r, "B", "dtmi:t:Site;1"), c = rollup_rig_twin(&r, "C", "dtmi:t:Site;1");
    rollup_rig_number(&r, "C", "x", 5);
    rollup_rig_relate(&r, a, "contains", b);
    rollup_rig_relate(&r, b, "contains", c);
    assert_gm_ok(gm_rollups_read(r.rollups, 0, a, &out, &r.err), r.err);
    assert_true(out.value == 5);
    rollup_rig_relate(&r, c, "contains", b);
    assert_int_equal(gm_rollups_read(r.rollups, 0, a, &out, &r.err), GM_INVALID);
    assert_non_null(strstr(r.err.text, "B -> C -> B"));
    rollup_rig_number(&r, "C", "x", 6);
    assert_int_equal(gm_rollups_read(r.rollups, 0, c, &out, &r.err), GM_INVALID);
    rollup_rig_part(&r, c, "contains", b);
    assert_gm_ok(gm_rollups_read(r.rollups, 0, a, &out, &r.err), r.err);
    assert_true(out.value == 6);
    rollup_rig_stop(&r);
}

static void what_is_too_deep_is_refused_and_the_rest_is_read(void **state)
{
    (void)state;
    enum { LEVELS = 90 };
    rollup_rig       r = { 0 };
    gm_rollup_result out;
    gm_twin          chain[LEVELS];
    rollup_rig_start(&r, models);
    rollup_rig_set(&r, all);
    for (size_t i = 0; i < LEVELS; i++) {
        char id[16];
        snprintf(id, sizeof id, "c%zu", i);
        chain[i] = rollup_rig_twin(&r, id, "dtmi:t:Part;1");
        if (i > 0) rollup_rig_relate(&r, chain[i - 1], "contains", chain[i]);
    }
    for (int round = 1; round < 4; round++) {
        rollup_rig_number(&r, "c89", "x", round);
        assert_int_equal(gm_rollups_read(r.rollups, 0, chain[0], &out, &r.err), GM_LIMIT);
        assert_gm_ok(gm_rollups_read(r.rollups, 0, chain[60], &out, &r.err), r.err);
        assert_true(out.value == round);
    }
    rollup_rig_stop(&r);
}

static void declarations_that_can_not_hold_leave_the_old_ones(void **state)
{
    (void)state;
    rollup_rig     r = { 0 };
    size_t         which;
    gm_twin        none;
    gm_rollup_file files[] = {
        { GM_STR("a"), GM_STR("{\"rollups\":[{\"name\":\"a\",\"function\":\"sum\",\"property\":\"x\"}]}") },
        { GM_STR("b"), GM_STR("{\"rollups\":[{\"name\":\"b\",\"function\":\"sum\",\"property\":\"x\",\"members\":\"SELECT TOP(3) FROM DIGITALTWINS\"}]}") },
    };
    rollup_rig_start(&r, models);
    rollup_rig_set(&r, all);
    size_t before = gm_rollups_count(r.rollups);
    assert_int_equal(gm_rollups_set(r.rollups, files, 2, &which, &r.err), GM_INVALID);
    assert_int_equal(which, 1);
    assert_int_equal(gm_rollups_count(r.rollups), before);
    assert_gm_ok(gm_rollups_set(r.rollups, files, 1, &which, &r.err), r.err);
    assert_int_equal(gm_rollups_count(r.rollups), 1);
    assert_gm_ok(gm_rollups_next(r.rollups, 0, 0, &none, &r.err), r.err);
    assert_false(gm_twin_ok(none));
    rollup_rig_stop(&r);
}

static void systems_are_listed_in_order(void **state)
{
    (void)state;
    rollup_rig r = { 0 };
    gm_twin    at;
    rollup_rig_start(&r, models);
    rollup_rig_set(&r, all);
    gm_twin a = rollup_rig_twin(&r, "A", "dtmi:t:Part;1"), b = rollup_rig_twin(&r, "B", "dtmi:t:Site;1"), c = rollup_rig_twin(&r, "C", "dtmi:t:Part;1");
    rollup_rig_relate(&r, a, "contains", c);
    rollup_rig_relate(&r, b, "contains", c);
    assert_gm_ok(gm_rollups_next(r.rollups, 0, 0, &at, &r.err), r.err);
    assert_int_equal(at.v, a.v);
    assert_gm_ok(gm_rollups_next(r.rollups, 0, at.v + 1, &at, &r.err), r.err);
    assert_int_equal(at.v, b.v);
    assert_gm_ok(gm_rollups_next(r.rollups, 0, at.v + 1, &at, &r.err), r.err);
    assert_false(gm_twin_ok(at));
    assert_gm_ok(gm_rollups_next(r.rollups, 1, 0, &at, &r.err), r.err);  // sites alone
    assert_int_equal(at.v, b.v);
    gm_rollup_result out;
    assert_int_equal(gm_rollups_read(r.rollups, 1, a, &out, &r.err), GM_NOTFOUND);
    assert_int_equal(gm_rollups_read(r.rollups, 0, c, &out, &r.err), GM_NOTFOUND);
    rollup_rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_current_is_the_same_as_from_nothing),
        cmocka_unit_test(large_systems_follow_single_changes),
        cmocka_unit_test(loops_are_named_and_heal),
        cmocka_unit_test(what_is_too_deep_is_refused_and_the_rest_is_read),
        cmocka_unit_test(declarations_that_can_not_hold_leave_the_old_ones),
        cmocka_unit_test(systems_are_listed_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
