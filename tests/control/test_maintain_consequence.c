// What a failure costs when others stop with it, and who may not be out together: on a small plant whose answers are sums.
#include "control/maintain/consequence.h"

#include "support/small_plant.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>

#define INTERFACE(name) "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:" name ";1\",\"@type\":\"Interface\",\"contents\":[" \
    "{\"@type\":\"Property\",\"name\":\"state\",\"schema\":\"string\"},{\"@type\":\"Relationship\",\"name\":\"feeds\"}]}"
static const char models[] = "[" INTERFACE("Pump") "," INTERFACE("Tank") "," INTERFACE("Valve") "," INTERFACE("Town") "," INTERFACE("Fan") "]";

// The tank needs two of its pumps, the town its valve; the valve the tank. A town without water costs 7, and 2 an hour after the first.
static const char declared[] = "{\"modes\":[{\"name\":\"seized\",\"on\":\"dtmi:t:Pump;1\",\"rate\":1e-3,\"shownBy\":[{\"property\":\"state\",\"is\":\"off\",\"proves\":true}]}],"
    "\"needs\":[{\"name\":\"two pumps\",\"on\":\"dtmi:t:Tank;1\",\"from\":\"<feeds\",\"working\":2},"
    "{\"name\":\"supply\",\"on\":\"dtmi:t:Valve;1\",\"from\":\"<feeds\"},{\"name\":\"water\",\"on\":\"dtmi:t:Town;1\",\"from\":\"<feeds\",\"delay\":\"1h\"}],"
    "\"losses\":[{\"on\":\"dtmi:t:Town;1\",\"severity\":\"high\",\"text\":\"dry\",\"cost\":7,\"costPerHour\":2}]}";

typedef struct fixture {
    gm_small_plant      plant;
    gm_failures        *failures;
    gm_arena           *arena;
    gm_maintain_request requests[GM_MAINTAIN_MAX];
    gm_maintain_case    c;
    gm_error            err;
} fixture;

static void twin(fixture *f, const char *id, const char *interface, const char *more)
{
    char text[160];
    snprintf(text, sizeof text, "{\"$metadata\":{\"$model\":\"dtmi:t:%s;1\"}%s}", interface, more);
    gm_small_plant_twin(&f->plant, id, text);
}

// Pumps 1 to 3 feed the tank, the tank the valve, the valve the town; a fan that nobody needs.
static void open_plant(fixture *f, const char *modes)
{
    gm_failure_file file = { GM_STR("a.modes"), gm_str_of(modes) };
    size_t          which;
    *f = (fixture){ .arena = gm_arena_create(gm_alloc_system(), 0) };
    gm_small_plant_open(&f->plant, gm_alloc_system(), models);
    assert_gm_ok(gm_failures_create(gm_alloc_system(), &f->failures, &f->err), f->err);
    assert_gm_ok(gm_failures_set(f->failures, &file, 1, &which, &f->err), f->err);
    twin(f, "tank", "Tank", "");
    twin(f, "valve", "Valve", "");
    twin(f, "town", "Town", "");
    twin(f, "fan", "Fan", "");
    for (int i = 1; i <= 3; i++) {
        char id[8];
        snprintf(id, sizeof id, "p%d", i);
        twin(f, id, "Pump", "");
        gm_small_plant_relate(&f->plant, id, "t", "feeds", "tank", "{}");
    }
    gm_small_plant_relate(&f->plant, "tank", "v", "feeds", "valve", "{}");
    gm_small_plant_relate(&f->plant, "valve", "t", "feeds", "town", "{}");
}

static void close_plant(fixture *f)
{
    gm_failures_destroy(f->failures);
    gm_small_plant_close(&f->plant);
    gm_arena_destroy(f->arena);
}

#define KIND(interface, failure) "{\"of\":\"SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T,'dtmi:t:" interface ";1')\",\"work\":\"w\",\"lasts\":\"3h\",\"cost\":10,\"life\":{\"mean\":100},\"failure\":" failure "}"
#define PLAN(more, kinds) "{\"maintenance\":[{\"name\":\"n\",\"horizon\":\"10h\",\"window\":\"1h\"" more ",\"assets\":[" kinds "]}]}"
#define STATED "{\"cost\":100,\"lasts\":\"5h\"}"

static gm_status gather(fixture *f, const char *text)
{
    uint32_t          count  = 0;
    gm_failure_moment moment = { .state = f->plant.state, .now = GM_HOUR };
    gm_maintain_world world  = { .alloc = gm_alloc_system(), .state = f->plant.state, .failures = f->failures, .moment = &moment, .clock = gm_clock_system() };
    assert_gm_ok(gm_maintain_read(f->arena, gm_str_of(text), f->requests, &count, &f->err), f->err);
    return gm_maintain_gather(&world, &f->requests[0], f->arena, GM_HOUR, &f->c, &f->err);
}

static const gm_maintain_asset *asset(const fixture *f, const char *id)
{
    for (uint32_t i = 0; i < f->c.asset_count; i++)
        if (gm_str_is(f->c.assets[i].id, id)) return &f->c.assets[i];
    fail_msg("%s is not planned", id);
    return NULL;
}

static void expect(const fixture *f, const char *id, double planned, double failed, double impact, uint32_t stops)
{
    const gm_maintain_asset *a = asset(f, id);
    if (fabs(a->planned_cost - planned) > 1e-9 || fabs(a->failure_cost - failed) > 1e-9 || fabs(a->impact - impact) > 1e-9 || a->stops != stops)
        fail_msg("%s: %g, %g, %g, %u", id, a->planned_cost, a->failure_cost, a->impact, a->stops);
}

static void what_stops_with_an_asset_is_part_of_its_cost(void **state)
{
    (void)state;
    fixture f;
    open_plant(&f, declared);
    // Without its valve the town is dry after an hour: 7 + 2 x 4 of five hours, 7 + 2 x 2 of three.
    assert_gm_ok(gather(&f, PLAN("", KIND("Valve", STATED) "," KIND("Pump", STATED) "," KIND("Fan", STATED))), f.err);
    expect(&f, "valve", 10 + 11, 100 + 15, 15, 1);
    expect(&f, "p1", 10, 100, 0, 0);
    expect(&f, "fan", 10, 100, 0, 0);
    // In an outage everything stands anyhow: planned work stops nothing more.
    assert_gm_ok(gather(&f, PLAN(",\"outages\":[{\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2026-02-01T00:00:00Z\"}]", KIND("Valve", STATED))), f.err);
    expect(&f, "valve", 10, 100 + 15, 15, 1);
    // What stops may be all that it costs.
    assert_gm_ok(gather(&f, PLAN("", KIND("Valve", "{\"lasts\":\"5h\"}"))), f.err);
    expect(&f, "valve", 10 + 11, 15, 15, 1);
    // With "modes": false what is stated holds, as without declarations.
    assert_gm_ok(gather(&f, PLAN(",\"modes\":false", KIND("Valve", STATED) "," KIND("Pump", STATED))), f.err);
    expect(&f, "valve", 10, 100, 0, 0);
    assert_int_equal(f.c.group_count, 0);
    close_plant(&f);
    open_plant(&f, "{\"modes\":[]}");
    assert_gm_ok(gather(&f, PLAN("", KIND("Valve", STATED))), f.err);
    expect(&f, "valve", 10, 100, 0, 0);
    close_plant(&f);
}

static void those_who_stand_in_are_not_out_together(void **state)
{
    (void)state;
    fixture f;
    open_plant(&f, declared);
    assert_gm_ok(gather(&f, PLAN(",\"redundancy\":[{\"name\":\"own\",\"of\":\"SELECT * FROM DIGITALTWINS\",\"out\":2}]", KIND("Valve", STATED) "," KIND("Pump", STATED))), f.err);
    assert_int_equal(f.c.group_count, 2);  // the one that was asked for, and the tank's
    const gm_window_group *g = &f.c.groups[1];
    assert_true(gm_str_is(g->name, "two pumps of tank"));
    assert_true(g->count == 3 && g->out == 1);
    for (uint32_t i = 0; i < g->count; i++) assert_true(gm_str_starts(f.c.assets[g->jobs[i]].id, GM_STR("p")));
    // And so they are planned: three hours each, one after the other, in the cheapest windows that there are.
    gm_buf       out = gm_buf_init(gm_alloc_system());
    f.requests[0].lanes = 0;
    gm_status st = gm_mip_available() ? gm_maintain_propose(gm_alloc_system(), &f.c, NULL, &out, &f.err) : GM_OK;
    assert_gm_ok(st, f.err);
    if (gm_mip_available()) assert_true(gm_str_find(gm_buf_view(&out), GM_STR("{\"name\":\"two pumps of tank\",\"out\":1,")) != SIZE_MAX);
    gm_buf_finish(&out);
    // With one pump down already, the other two hold the town: nobody stands in for them, and each failure is the town's.
    twin(&f, "p3", "Pump", ",\"state\":\"off\"");
    assert_gm_ok(gather(&f, PLAN("", KIND("Pump", STATED))), f.err);
    expect(&f, "p1", 10 + 11, 100 + 15, 15, 3);
    assert_int_equal(f.c.group_count, 0);
    close_plant(&f);
}

static void a_failure_without_a_cost_is_named(void **state)
{
    (void)state;
    fixture  f;
    uint32_t count = 0;
    open_plant(&f, declared);
    assert_int_equal(gather(&f, PLAN("", KIND("Fan", "{\"lasts\":\"5h\"}"))), GM_INVALID);
    assert_non_null(strstr(f.err.text, "nothing says what the failure of 'fan' costs"));
    assert_int_equal(gm_maintain_read(f.arena, GM_STR(PLAN(",\"modes\":false", KIND("Fan", "{\"lasts\":\"5h\"}"))), f.requests, &count, &f.err), GM_INVALID);
    assert_non_null(strstr(f.err.text, "\"modes\" is false"));
    assert_int_equal(gm_maintain_read(f.arena, GM_STR(PLAN(",\"modes\":1", KIND("Fan", STATED))), f.requests, &count, &f.err), GM_INVALID);
    assert_non_null(strstr(f.err.text, "true or false"));
    close_plant(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stops_with_an_asset_is_part_of_its_cost),
        cmocka_unit_test(those_who_stand_in_are_not_out_together),
        cmocka_unit_test(a_failure_without_a_cost_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
