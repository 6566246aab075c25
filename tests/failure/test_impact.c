#include "failure/impact.h"
#include "support/small_plant.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define INTERFACE(name, more) "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:" name ";1\",\"@type\":\"Interface\",\"contents\":[" \
    "{\"@type\":\"Property\",\"name\":\"state\",\"schema\":\"string\"},{\"@type\":\"Property\",\"name\":\"rank\",\"schema\":\"double\"}," \
    "{\"@type\":\"Relationship\",\"name\":\"feeds\"},{\"@type\":\"Relationship\",\"name\":\"holds\"}" more "]}"
static const char models[] = "[" INTERFACE("Source", "") "," INTERFACE("Pump", "") "," INTERFACE("Tank", "") "," INTERFACE("User", "") "]";

static const char declared[] = "{\"modes\":["
    "{\"name\":\"dry\",\"on\":\"dtmi:t:Source;1\",\"rate\":1e-4},"
    "{\"name\":\"seized\",\"on\":\"dtmi:t:Pump;1\",\"rate\":1e-3,\"delay\":\"30s\",\"cost\":50,\"repair\":\"10h\",\"shownBy\":[{\"property\":\"state\",\"is\":\"off\",\"proves\":true},{\"alarm\":\"hot\",\"proves\":true}]},"
    "{\"name\":\"noisy\",\"on\":\"dtmi:t:Pump;1\",\"rate\":1e-3,\"effect\":\"degrades\"}],"
    "\"needs\":["
    "{\"name\":\"supply\",\"on\":\"dtmi:t:Pump;1\",\"from\":\"<feeds\",\"delay\":\"1min\"},"
    "{\"name\":\"two pumps\",\"on\":\"dtmi:t:Tank;1\",\"from\":\"<feeds\",\"of\":\"dtmi:t:Pump;1\",\"working\":2,\"delay\":\"10min\"},"
    "{\"name\":\"all pumps\",\"on\":\"dtmi:t:Tank;1\",\"from\":\"<feeds\",\"of\":\"dtmi:t:Pump;1\",\"effect\":\"degrades\",\"text\":\"slow\"},"
    "{\"name\":\"water\",\"on\":\"dtmi:t:User;1\",\"from\":\"<feeds\",\"delay\":\"1h\"}],"
    "\"losses\":[{\"on\":\"dtmi:t:User;1\",\"severity\":\"high\",\"text\":\"dry\",\"cost\":7,\"costPerHour\":2}]}";

typedef struct fixture { gm_small_plant plant; gm_failures *failures; gm_error err; const char *alarm; } fixture;

static void open_plant(fixture *f, const char *text)
{
    gm_failure_file file = { GM_STR("a.modes"), gm_str_of(text) };
    size_t          which;
    *f = (fixture){ 0 };
    gm_small_plant_open(&f->plant, gm_alloc_system(), models);
    assert_gm_ok(gm_failures_create(gm_alloc_system(), &f->failures, &f->err), f->err);
    assert_gm_ok(gm_failures_set(f->failures, &file, 1, &which, &f->err), f->err);
}

static void close_plant(fixture *f)
{
    gm_failures_destroy(f->failures);
    gm_small_plant_close(&f->plant);
}

static void twin(fixture *f, const char *id, const char *interface)
{
    char text[120];
    snprintf(text, sizeof text, "{\"$metadata\":{\"$model\":\"dtmi:t:%s;1\"}}", interface);
    gm_small_plant_twin(&f->plant, id, text);
}

static void feeds(fixture *f, const char *from, const char *to) { gm_small_plant_relate(&f->plant, from, to, "feeds", to, "{}"); }

// One source, three pumps of which the tank needs two, two users.
static void three_pumps(fixture *f)
{
    open_plant(f, declared);
    twin(f, "source", "Source");
    for (const char *const *p = (const char *const[]){ "p1", "p2", "p3", NULL }; *p != NULL; p++) twin(f, *p, "Pump");
    twin(f, "tank", "Tank");
    twin(f, "u1", "User");
    twin(f, "u2", "User");
    for (const char *const *p = (const char *const[]){ "p1", "p2", "p3", NULL }; *p != NULL; p++) {
        feeds(f, "source", *p);
        feeds(f, *p, "tank");
    }
    feeds(f, "tank", "u1");
    feeds(f, "tank", "u2");
}

static bool alarm_of(void *context, gm_str rule, gm_str id)
{
    const fixture *f = context;
    return f->alarm != NULL && gm_str_is(rule, "hot") && gm_str_is(id, f->alarm);
}

static void alarms_of(void *context, void (*each)(void *to, gm_str rule, gm_str id), void *to)
{
    const fixture *f = context;
    if (f->alarm != NULL) each(to, GM_STR("hot"), gm_str_of(f->alarm));
}

static gm_impact find(fixture *f, const char *id, gm_dur_ns horizon, const char *mode)
{
    gm_failure_moment at = { .state = f->plant.state, .senses = { .alarm = alarm_of, .alarms = alarms_of, .context = f } };
    gm_impact_options o  = gm_impact_options_defaults(gm_clock_system());
    gm_impact         impact;
    o.horizon  = horizon;
    o.mode     = gm_str_of(mode);
    o.time_max = GM_MINUTE;  // of a test, which may have to wait
    assert_gm_ok(gm_impact_find(f->failures, &at, gm_state_find(f->plant.state, gm_str_of(id)), &o, &impact, &f->err), f->err);
    return impact;
}

static const gm_impact_item *item(const fixture *f, const gm_impact *i, const char *id)
{
    for (size_t k = 0; k < i->count; k++)
        if (gm_str_is(gm_state_id(f->plant.state, i->items[k].twin), id)) return &i->items[k];
    return NULL;
}

static void a_failure_is_followed_with_its_delays_and_costs(void **state)
{
    (void)state;
    fixture f;
    three_pumps(&f);
    gm_impact i = find(&f, "source", GM_DAY, NULL);
    assert_true(i.stops == 6 && i.at_risk == 0 && i.count == 7 && i.spare_count == 0);
    const gm_impact_item *u = item(&f, &i, "u1"), *tank = item(&f, &i, "tank");
    assert_true(u->certain && u->delay_s == 60 + 600 + 3600 && u->probability == 1 && gm_str_is(gm_state_id(f.plant.state, u->via), "tank"));
    assert_true(fabs(u->cost - (7 + 2 * (24 - 4260 / 3600.0))) < 1e-9 && u->loss->severity == GM_LOSS_SEVERITY_HIGH && fabs(i.cost - 2 * u->cost) < 1e-9);
    assert_true(tank->effect == GM_EFFECT_STOPS && gm_edge_ok(tank->edge));  // degraded first, and stopped in the end: stopped
    gm_impact_finish(&i);
    i = find(&f, "source", 4259 * GM_SECOND, NULL);  // the users would stop a second later
    assert_true(i.stops == 4 && item(&f, &i, "u1") == NULL);
    gm_impact_finish(&i);
    close_plant(&f);
}

static void redundancy_that_is_left_is_named_with_its_risk(void **state)
{
    (void)state;
    fixture f;
    three_pumps(&f);
    gm_impact i = find(&f, "p2", 10 * GM_HOUR, NULL);
    assert_true(i.stops == 0 && i.degraded == 1 && i.at_risk == 3 && i.spare_count == 1);
    assert_true(i.spares[0].needed == 2 && i.spares[0].working == 2 && i.spares[0].of == 3 && i.spares[0].next_count == 2);
    // With p2 down the tank stops when either other pump fails, or the source.
    double q = -expm1(-1e-3 * 10), s = -expm1(-1e-4 * 10);
    assert_float_equal(item(&f, &i, "u1")->probability, 1 - (1 - q) * (1 - q) * (1 - s), 1e-12);
    assert_float_equal(item(&f, &i, "u1")->otherwise, 1 - (1 - s) * (pow(1 - q, 3) + 3 * q * (1 - q) * (1 - q)), 1e-12);
    const gm_impact_item *tank = NULL;
    for (size_t k = 0; k < i.count; k++)
        if (!i.items[k].certain && tank == NULL) tank = &i.items[k];
    assert_true(gm_str_is(gm_state_id(f.plant.state, tank->twin), "tank") && tank->delay_s == 600 && gm_twin_ok(tank->via) && gm_edge_ok(tank->edge));
    gm_impact_finish(&i);
    i = find(&f, "p2", 10 * GM_HOUR, "seized");
    assert_true(i.items[0].delay_s == 30 && i.cost == 50);
    gm_impact_finish(&i);
    i = find(&f, "p2", 10 * GM_HOUR, "noisy");
    assert_true(i.count == 1 && i.items[0].effect == GM_EFFECT_DEGRADES && i.spare_count == 0);
    gm_impact_finish(&i);
    gm_failure_moment at = { .state = f.plant.state };
    gm_impact_options o  = gm_impact_options_defaults(gm_clock_system());
    o.mode = GM_STR("cracked");
    assert_int_equal(gm_impact_find(f.failures, &at, gm_state_find(f.plant.state, GM_STR("p2")), &o, &i, &f.err), GM_NOTFOUND);
    assert_non_null(strstr(f.err.text, "'p2' has no failure mode 'cracked'"));
    close_plant(&f);
}

static void what_stands_already_counts(void **state)
{
    (void)state;
    fixture f;
    three_pumps(&f);
    gm_small_plant_twin(&f.plant, "p1", "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"},\"state\":\"off\"}");
    gm_impact i = find(&f, "p2", GM_DAY, NULL);
    assert_true(i.standing == 1 && i.stops == 3 && item(&f, &i, "u2")->certain);  // the last redundancy had gone
    gm_impact_finish(&i);
    gm_small_plant_twin(&f.plant, "p1", "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"},\"state\":\"on\"}");
    f.alarm = "p3";
    i       = find(&f, "p2", GM_DAY, NULL);
    assert_true(i.standing == 1 && i.stops == 3);
    gm_impact_finish(&i);
    i = find(&f, "p3", GM_DAY, NULL);  // it is the one that stands
    assert_true(i.stands && i.standing == 0 && i.stops == 0 && i.spare_count == 1);
    gm_impact_finish(&i);
    // What has stopped anyhow is nobody's doing.
    gm_small_plant_twin(&f.plant, "p1", "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"},\"state\":\"off\"}");
    i = find(&f, "p2", GM_DAY, NULL);
    assert_true(i.standing == 5 && i.stops == 0 && i.count == 1);  // p1, p3, the tank and its users
    gm_impact_finish(&i);
    close_plant(&f);
}

static void a_sign_may_show_on_twins_that_are_related(void **state)
{
    (void)state;
    static const char signs[] = "{\"modes\":["
        "{\"name\":\"lost\",\"on\":\"dtmi:t:Pump;1\",\"rate\":1e-3,\"shownBy\":[{\"alarm\":\"hot\",\"on\":\"feeds\",\"proves\":true},"
        "{\"property\":\"rank\",\"above\":80,\"on\":\"<holds\",\"proves\":true}]}],"
        "\"needs\":[{\"name\":\"water\",\"on\":\"dtmi:t:Tank;1\",\"from\":\"<feeds\",\"working\":1}]}";
    fixture f;
    open_plant(&f, signs);
    twin(&f, "p1", "Pump");
    twin(&f, "p2", "Pump");
    twin(&f, "tank", "Tank");
    twin(&f, "sensor", "User");
    feeds(&f, "p1", "tank");
    feeds(&f, "p2", "tank");
    gm_small_plant_relate(&f.plant, "sensor", "h", "holds", "p2", "{}");
    gm_impact i = find(&f, "p1", GM_DAY, NULL);
    assert_true(i.standing == 0 && i.stops == 0 && i.at_risk == 1);
    gm_impact_finish(&i);
    f.alarm = "p1";  // which is no sign on the pump itself
    i       = find(&f, "p2", GM_DAY, NULL);
    assert_true(i.standing == 0 && i.stops == 0);
    gm_impact_finish(&i);
    f.alarm = "tank";  // both feed it, so both have failed, and the tank with them
    i       = find(&f, "sensor", GM_DAY, NULL);
    assert_int_equal(i.standing, 3);
    gm_impact_finish(&i);
    f.alarm = NULL;
    gm_small_plant_twin(&f.plant, "sensor", "{\"$metadata\":{\"$model\":\"dtmi:t:User;1\"},\"rank\":81}");
    gm_failure_moment at = { .state = f.plant.state };
    assert_true(gm_failure_stands(f.failures, &at, gm_state_find(f.plant.state, GM_STR("p2")), 0));
    assert_false(gm_failure_stands(f.failures, &at, gm_state_find(f.plant.state, GM_STR("p1")), 0));
    i = find(&f, "p1", GM_DAY, NULL);
    assert_true(i.standing == 1 && i.stops == 1);
    gm_impact_finish(&i);
    gm_small_plant_unrelate(&f.plant, "sensor", "h");
    i = find(&f, "p1", GM_DAY, NULL);
    assert_true(i.standing == 0 && i.stops == 0);
    gm_impact_finish(&i);
    close_plant(&f);
}

static void loops_end_and_few_neighbours_are_too_few(void **state)
{
    (void)state;
    fixture f;
    open_plant(&f, declared);
    twin(&f, "a", "User");
    twin(&f, "b", "User");
    twin(&f, "c", "User");
    feeds(&f, "a", "b");
    feeds(&f, "b", "c");
    feeds(&f, "c", "a");
    gm_impact i = find(&f, "a", GM_DAY, NULL);
    assert_true(i.stops == 2 && i.count == 3);
    gm_impact_finish(&i);
    // A tank that needs two pumps and has one stands still from the beginning.
    twin(&f, "p", "Pump");
    twin(&f, "tank", "Tank");
    feeds(&f, "p", "tank");
    i = find(&f, "p", GM_DAY, NULL);
    assert_true(i.stops == 0 && i.spare_count == 0);
    gm_impact_finish(&i);
    close_plant(&f);
}

static void every_refused_allocation_is_told(void **state)
{
    (void)state;
    fixture f;
    three_pumps(&f);
    gm_failures_destroy(f.failures);
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc    fault;
        gm_failure_file   file  = { GM_STR("a.modes"), gm_str_of(declared) };
        gm_failure_moment at    = { .state = f.plant.state };
        gm_impact_options o     = gm_impact_options_defaults(gm_clock_system());
        gm_impact         i;
        size_t            which;
        gm_fault_alloc_init(&fault, k);
        o.exact_max  = 0;  // what a fault tree refuses is an answer without probabilities
        gm_status st = gm_failures_create(&fault.alloc, &f.failures, &f.err);
        if (st == GM_OK) {
            st = gm_failures_set(f.failures, &file, 1, &which, &f.err);
            if (st == GM_OK) st = gm_impact_find(f.failures, &at, gm_state_find(f.plant.state, GM_STR("p1")), &o, &i, &f.err);
            if (st == GM_OK) gm_impact_finish(&i);
            gm_failures_destroy(f.failures);
        }
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.fired) {
            assert_int_equal(st, GM_OK);
            break;
        }
        assert_int_equal(st, GM_NOMEM);
    }
    gm_small_plant_close(&f.plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_is_followed_with_its_delays_and_costs),
        cmocka_unit_test(redundancy_that_is_left_is_named_with_its_risk),
        cmocka_unit_test(what_stands_already_counts),
        cmocka_unit_test(a_sign_may_show_on_twins_that_are_related),
        cmocka_unit_test(loops_end_and_few_neighbours_are_too_few),
        cmocka_unit_test(every_refused_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
