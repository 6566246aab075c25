// Fault trees of the live graph: against enumeration of everything that can happen, against closed forms, and against impact.
#include "base/number.h"
#include "failure/fault_tree.h"
#include "failure/impact.h"
#include "failure/markov.h"
#include "reliability/analyse.h"
#include "support/small_plant.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERFACE(name) "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:" name ";1\",\"@type\":\"Interface\",\"contents\":[" \
    "{\"@type\":\"Property\",\"name\":\"age\",\"schema\":\"double\"},{\"@type\":\"Property\",\"name\":\"low\",\"schema\":\"double\"},{\"@type\":\"Property\",\"name\":\"median\",\"schema\":\"double\"}," \
    "{\"@type\":\"Property\",\"name\":\"out\",\"schema\":\"boolean\"},{\"@type\":\"Relationship\",\"name\":\"feeds\"},{\"@type\":\"Relationship\",\"name\":\"holds\"}]}"
static const char models[] = "[" INTERFACE("All") "," INTERFACE("Any") "," INTERFACE("Two") "," INTERFACE("Leaf") "," INTERFACE("Cold") "," INTERFACE("Warm") "]";

#define WEAR(name) "{\"name\":\"wear\",\"on\":\"dtmi:t:" name ";1\",\"weibull\":{\"shape\":2,\"scale\":300,\"age\":\"age\"},\"shownBy\":[{\"property\":\"out\",\"is\":true,\"proves\":true}]}"
#define NEED(name, more) "{\"name\":\"input\",\"on\":\"dtmi:t:" name ";1\",\"from\":\"<feeds\"" more "}"
static const char declared[] = "{\"modes\":[" WEAR("All") "," WEAR("Any") "," WEAR("Two") "," WEAR("Leaf") "],"
    "\"needs\":[" NEED("All", "") "," NEED("Any", ",\"working\":\"any\"") "," NEED("Two", ",\"working\":2") "]}";

typedef struct fixture { gm_small_plant plant; gm_failures *failures; gm_error err; } fixture;

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

static void twin(fixture *f, const char *id, const char *interface, const char *more)
{
    char text[200];
    snprintf(text, sizeof text, "{\"$metadata\":{\"$model\":\"dtmi:t:%s;1\"}%s}", interface, more);
    gm_small_plant_twin(&f->plant, id, text);
}

static void relate(fixture *f, const char *from, const char *name, const char *to) { gm_small_plant_relate(&f->plant, from, to, name, to, "{}"); }

typedef struct answer { double within, down; uint32_t hot_instead; char cuts[48]; } answer;

static gm_status ask(fixture *f, const char *root, double horizon_h, const char *given, answer *out)
{
    gm_failure_moment       at = { .state = f->plant.state };
    gm_failure_tree_options o  = { .horizon_h = horizon_h, .given = { GM_NONE }, .twins_max = 1000 };
    gm_reliability_options  ro = gm_reliability_options_defaults(gm_clock_system());
    gm_failure_tree         tree;
    gm_reliability         *r;
    if (given != NULL) o.given = gm_state_find(f->plant.state, gm_str_of(given));
    gm_status st = gm_failure_tree_build(f->failures, &at, gm_state_find(f->plant.state, gm_str_of(root)), &o, &tree, &f->err);
    if (st != GM_OK) return st;
    assert_gm_ok(gm_reliability_analyse(gm_alloc_system(), tree.tree, tree.top, &ro, &r, &f->err), f->err);
    gm_reliability_summary s = gm_reliability_summarise(r);
    assert_true(s.exact);
    out->within      = s.probability;
    out->hot_instead = tree.hot_instead;
    gm_reliability_cut_sets_total(r, out->cuts);
    assert_gm_ok(gm_reliability_again(r, tree.unavailability, &out->down, &f->err), f->err);
    gm_reliability_destroy(r);
    gm_failure_tree_finish(&tree);
    return GM_OK;
}

static answer get(fixture *f, const char *root, double horizon_h, const char *given)
{
    answer a;
    assert_gm_ok(ask(f, root, horizon_h, given, &a), f->err);
    return a;
}

// ---- any graph ---------------------------------------------------------------------------------------------------------------

enum { TWINS = 11 };
typedef struct graph { int kind[TWINS]; double p[TWINS]; unsigned inputs[TWINS]; } graph;  // inputs: a set of earlier twins
enum { ALL, ANY, TWO, LEAF };

static bool fails(const graph *g, unsigned own, unsigned *out)
{
    unsigned down = 0;
    for (int i = 0; i < TWINS; i++) {
        int lost = __builtin_popcount(g->inputs[i] & down), n = __builtin_popcount(g->inputs[i]);
        bool unmet = n > 0 && (g->kind[i] == ALL ? lost > 0 : g->kind[i] == ANY ? lost == n : g->kind[i] == TWO ? n - lost < 2 : false);
        if ((own >> i & 1) != 0 || unmet) down |= 1u << i;
    }
    *out = down;
    return (down >> (TWINS - 1) & 1) != 0;
}

static void make(fixture *f, graph *g, uint64_t *random)
{
    static const char *const kinds[] = { "All", "Any", "Two", "Leaf" };
    open_plant(f, declared);
    for (int i = 0; i < TWINS; i++) {
        char   id[8], more[60], from[8];
        double age   = (double)(gm_test_random(random) % 400);
        g->kind[i]   = i < 2 ? LEAF : (int)(gm_test_random(random) % 3);
        g->inputs[i] = i < 2 ? 0 : (unsigned)(gm_test_random(random) & gm_test_random(random)) & ((1u << i) - 1);
        g->p[i]      = 1 - exp(age / 300 * age / 300 - (age + 50) / 300 * (age + 50) / 300);
        snprintf(id, sizeof id, "t%d", i);
        snprintf(more, sizeof more, ",\"age\":%.17g", age);
        twin(f, id, kinds[g->kind[i]], more);
        for (int k = 0; k < i; k++) {
            if ((g->inputs[i] >> k & 1) == 0) continue;
            snprintf(from, sizeof from, "t%d", k);
            relate(f, from, "feeds", id);
        }
    }
}

static void any_graph_agrees_with_enumeration(void **state)
{
    (void)state;
    uint64_t  random = gm_test_seed();
    const int rounds = getenv("GM_DEEP") != NULL ? 2000 : 60;
    for (int round = 0; round < rounds; round++) {
        fixture  f;
        graph    g;
        char     root[8], given[8];
        double   p = 0, p_given = 0;
        unsigned failed = (unsigned)(gm_test_random(&random) % TWINS), down;
        make(&f, &g, &random);
        for (unsigned own = 0; own < 1u << TWINS; own++) {
            double weight = 1, others = 1;
            for (unsigned i = 0; i < TWINS; i++) {
                double w = (own >> i & 1) != 0 ? g.p[i] : 1 - g.p[i];
                weight *= w;
                if (i != failed) others *= w;
            }
            if (fails(&g, own, &down)) p += weight;
            if ((own >> failed & 1) != 0 && fails(&g, own, &down)) p_given += others;
        }
        snprintf(root, sizeof root, "t%d", TWINS - 1);
        snprintf(given, sizeof given, "t%u", failed);
        answer plain = get(&f, root, 50, NULL), with = get(&f, root, 50, given);
        if (fabs(plain.within - p) > 1e-12 || fabs(with.within - p_given) > 1e-12)
            fail_msg("seed %llu, round %d: %.15g and given %s %.15g; enumerated %.15g and %.15g", (unsigned long long)gm_test_seed(), round, plain.within, given, with.within, p, p_given);

        // Impact: what stops for sure is what fails when nothing else does; the rest of what is at risk has the tree's probabilities.
        gm_failure_moment at = { .state = f.plant.state };
        gm_impact_options o  = gm_impact_options_defaults(gm_clock_system());
        gm_impact         impact;
        unsigned          stops = 0, before;
        o.horizon   = 50 * GM_HOUR;
        o.time_max  = GM_MINUTE;
        o.exact_max = 100;
        assert_gm_ok(gm_impact_find(f.failures, &at, gm_state_find(f.plant.state, gm_str_of(given)), &o, &impact, &f.err), f.err);
        (void)fails(&g, 0, &before);
        (void)fails(&g, 1u << failed, &down);
        for (size_t i = 0; i < impact.count; i++) {
            const gm_impact_item *item = &impact.items[i];
            gm_str                id   = gm_state_id(f.plant.state, item->twin);
            int64_t               t    = 0;
            assert_true(gm_number_read_int(gm_str_slice(id, 1, id.len), &t) > 0);
            if (item->certain) stops |= 1u << (unsigned)t;
            else if (t == TWINS - 1 && (fabs(item->probability - p_given) > 1e-12 || fabs(item->otherwise - p) > 1e-12))
                fail_msg("seed %llu, round %d: impact %.15g, enumerated %.15g", (unsigned long long)gm_test_seed(), round, item->probability, p_given);
        }
        // A twin that never had enough neighbours has failed before, and what that brings down is not told again.
        if ((stops & ~(down & ~before)) != 0 && (before == 0 || (stops & ~down) != 0)) fail_msg("seed %llu, round %d: stops %x, enumerated %x", (unsigned long long)gm_test_seed(), round, stops, down);
        if (before == 0 && stops != down) fail_msg("seed %llu, round %d: stops %x, enumerated %x", (unsigned long long)gm_test_seed(), round, stops, down);
        gm_impact_finish(&impact);
        close_plant(&f);
    }
}

// ---- what has a formula ------------------------------------------------------------------------------------------------------------

#define RATE(name, rate, repair) "{\"name\":\"stop\",\"on\":\"dtmi:t:" name ";1\",\"rate\":" rate ",\"repair\":\"" repair "\"}"
static const char standby[] = "{\"modes\":[" RATE("Leaf", "1e-3", "10h") "],\"needs\":["
    NEED("Cold", ",\"working\":1,\"standby\":\"cold\",\"switching\":0.02") "," NEED("Warm", ",\"working\":2,\"standby\":\"warm\",\"waiting\":0.25") "]}";

static void standby_groups_come_out_as_their_chains(void **state)
{
    (void)state;
    fixture f;
    open_plant(&f, standby);
    twin(&f, "cold", "Cold", "");
    twin(&f, "warm", "Warm", "");
    for (int i = 0; i < 7; i++) {
        char id[8];
        snprintf(id, sizeof id, "l%d", i);
        twin(&f, id, "Leaf", "");
        relate(&f, id, "feeds", i < 3 ? "cold" : "warm");
    }
    gm_standby_unit  units[4] = { { 1e-3, 0.1, false }, { 1e-3, 0.1, false }, { 1e-3, 0.1, false }, { 1e-3, 0.1, false } }, lasting[4] = { { 1e-3, 0, false }, { 1e-3, 0, false }, { 1e-3, 0, false }, { 1e-3, 0, false } };
    gm_standby_group cold     = { .units = lasting, .count = 3, .working = 1, .switching = 0.02, .fails_now = GM_STANDBY_NOBODY };
    gm_standby_group warm     = { .units = lasting, .count = 4, .working = 2, .waiting = 0.25, .fails_now = GM_STANDBY_NOBODY };
    answer a = get(&f, "cold", 500, NULL), b = get(&f, "warm", 500, NULL);
    // P(all three down) for cold standby with a switch: each of two calls works with 0.98.
    double x = 0.5, s = 0.98, alive = exp(-x) * (1 + s * x * (1 + 0.02) + s * s * x * x / 2);
    assert_float_equal(a.within, 1 - alive, 1e-12);
    assert_float_equal(a.within, gm_standby_unavailability(&cold, 500), 1e-13);
    assert_float_equal(b.within, gm_standby_unavailability(&warm, 500), 1e-13);
    cold.units = warm.units = units;
    assert_float_equal(a.down, gm_standby_unavailability(&cold, 500), 1e-13);
    assert_float_equal(b.down, gm_standby_unavailability(&warm, 500), 1e-13);
    // The first one fails now, for good: the others run from here on.
    units[0].repair = 0;
    cold.fails_now  = 0;
    answer c = get(&f, "cold", 500, "l0");
    assert_float_equal(c.down, gm_standby_unavailability(&cold, 500), 1e-13);
    cold.units = lasting;
    assert_float_equal(c.within, gm_standby_unavailability(&cold, 500), 1e-13);
    assert_int_equal(a.hot_instead + b.hot_instead + c.hot_instead, 0);
    close_plant(&f);
}

static void grow_to(fixture *f, int from, int to, const char *group)
{
    for (int i = from; i < to; i++) {
        char id[8];
        snprintf(id, sizeof id, "l%d", i);
        twin(f, id, "Leaf", "");
        relate(f, id, "feeds", group);
    }
}

static void groups_may_have_six_units(void **state)
{
    (void)state;
    static const char text[] = "{\"modes\":[" RATE("Leaf", "1e-3", "10h") "],\"needs\":["
        NEED("Cold", ",\"working\":1,\"standby\":\"cold\"") "," NEED("Warm", ",\"working\":2,\"standby\":\"warm\",\"waiting\":0.25") "]}";
    fixture f;
    open_plant(&f, text);
    twin(&f, "cold", "Cold", "");
    grow_to(&f, 0, GM_STANDBY_MAX, "cold");
    answer a = get(&f, "cold", 2000, NULL);
    // One after the other: the sum of six lives of the same rate (Erlang). With x = 2, 1 - e^-2 (1 + 2 + 4/2 + 8/6 + 16/24 + 32/120).
    double x = 2, term = exp(-x), sum = 0;
    for (int i = 0; i < GM_STANDBY_MAX; i++) { sum += term; term *= x / (i + 1); }
    assert_float_equal(a.within, 1 - sum, 1e-12);
    gm_standby_unit units[GM_STANDBY_MAX];
    for (int i = 0; i < GM_STANDBY_MAX; i++) units[i] = (gm_standby_unit){ 1e-3, 0.1, false };
    gm_standby_group chain = { .units = units, .count = GM_STANDBY_MAX, .working = 1, .fails_now = GM_STANDBY_NOBODY };
    assert_float_equal(a.down, gm_standby_unavailability(&chain, 2000), 1e-13);
    assert_int_equal(a.hot_instead, 0);
    close_plant(&f);
    // Two work, four wait and fail at a quarter of the rate: pure death through 2 + 4/4, 2 + 3/4 ... 2, then too few. By Laplace
    // transform the sum of exponentials of different rates; the last two stages have none in common.
    open_plant(&f, text);
    twin(&f, "warm", "Warm", "");
    grow_to(&f, 0, GM_STANDBY_MAX, "warm");
    double rates[GM_STANDBY_MAX - 1], survive = 0;
    for (int i = 0; i < GM_STANDBY_MAX - 1; i++) rates[i] = 1e-3 * (2 + 0.25 * (GM_STANDBY_MAX - 2 - i));
    for (int i = 0; i < GM_STANDBY_MAX - 1; i++) {
        double share = exp(-rates[i] * 500);
        for (int k = 0; k < GM_STANDBY_MAX - 1; k++) share *= k != i ? rates[k] / (rates[k] - rates[i]) : 1;
        survive += share;
    }
    assert_float_equal(get(&f, "warm", 500, NULL).within, 1 - survive, 1e-10);
    // A group that is too large counts as working all the time, and that is told.
    grow_to(&f, GM_STANDBY_MAX, GM_STANDBY_MAX + 1, "warm");
    double p = -expm1(-0.5), n = GM_STANDBY_MAX + 1, hot = pow(p, n) + n * pow(p, n - 1) * (1 - p);
    answer d = get(&f, "warm", 500, NULL);
    assert_float_equal(d.within, hot, 1e-13);
    assert_int_equal(d.hot_instead, 1);
    close_plant(&f);
}

static void common_causes_are_shared(void **state)
{
    (void)state;
    static const char text[] = "{\"modes\":[" RATE("Leaf", "1e-3", "10h") "],\"needs\":[" NEED("Any", ",\"working\":\"any\"") "],"
        "\"common\":[{\"name\":\"flood\",\"on\":\"dtmi:t:Leaf;1\",\"mode\":\"stop\",\"within\":\"<holds\",\"beta\":0.1}]}";
    fixture f;
    open_plant(&f, text);
    twin(&f, "top", "Any", "");
    twin(&f, "cellar", "All", "");
    twin(&f, "attic", "All", "");
    for (int i = 0; i < 3; i++) {
        char id[8];
        snprintf(id, sizeof id, "l%d", i);
        twin(&f, id, "Leaf", "");
        relate(&f, id, "feeds", "top");
        relate(&f, i < 2 ? "cellar" : "attic", "holds", id);
    }
    double p = -expm1(-1e-3 * 100), alone = 0.9 * p, shared = 0.1 * p, one = 1 - (1 - alone) * (1 - shared);
    assert_float_equal(get(&f, "top", 100, NULL).within, (shared + (1 - shared) * alone * alone) * one, 1e-14);
    assert_string_equal(get(&f, "top", 100, NULL).cuts, "4");
    close_plant(&f);
}

static void what_is_known_now_counts(void **state)
{
    (void)state;
    fixture f;
    open_plant(&f, declared);
    twin(&f, "old", "Leaf", ",\"age\":600");
    twin(&f, "new", "Leaf", "");
    twin(&f, "top", "Any", "");
    relate(&f, "old", "feeds", "top");
    relate(&f, "new", "feeds", "top");
    double own = 1 - exp(-1.0 / 36), old = 1 - exp(4 - 650.0 * 650 / 90000);  // of 50 hours, as new and after 600
    assert_float_equal(get(&f, "top", 50, NULL).within, 1 - (1 - own) * (1 - own * old), 1e-13);
    twin(&f, "old", "Leaf", ",\"age\":600,\"out\":true");  // it stands
    assert_float_equal(get(&f, "top", 50, NULL).within, 1 - (1 - own) * (1 - own), 1e-13);
    close_plant(&f);

    static const char life[] = "{\"modes\":[{\"name\":\"end\",\"on\":\"dtmi:t:Leaf;1\",\"life\":{\"low\":\"low\",\"median\":\"median\",\"unitHours\":2}}]}";
    open_plant(&f, life);
    twin(&f, "x", "Leaf", ",\"low\":50,\"median\":100");
    assert_float_equal(get(&f, "x", 200, NULL).within, 0.5, 1e-12);
    assert_float_equal(get(&f, "x", 100, NULL).within, 0.05, 1e-12);
    twin(&f, "x", "Leaf", "");  // no prediction yet
    assert_float_equal(get(&f, "x", 200, NULL).within, 0, 0);
    close_plant(&f);
}

static void what_can_not_be_a_tree_is_refused_by_name(void **state)
{
    (void)state;
    fixture f;
    answer  a;
    open_plant(&f, declared);
    for (const char *const *id = (const char *const[]){ "a", "b", "c", NULL }; *id != NULL; id++) twin(&f, *id, "All", "");
    relate(&f, "a", "feeds", "b");
    relate(&f, "b", "feeds", "c");
    relate(&f, "c", "feeds", "a");
    assert_int_equal(ask(&f, "a", 1, NULL, &a), GM_INVALID);
    if (strstr(f.err.text, "a") == NULL || strstr(f.err.text, "b") == NULL || strstr(f.err.text, "c") == NULL) fail_msg("%s", f.err.text);
    // Two are needed and one is there: it stands still from the beginning.
    twin(&f, "two", "Two", "");
    twin(&f, "leaf", "Leaf", "");
    relate(&f, "leaf", "feeds", "two");
    assert_float_equal(get(&f, "two", 1, NULL).within, 1, 0);
    gm_failure_tree_options o  = { .horizon_h = 1, .given = { GM_NONE }, .twins_max = 1 };
    gm_failure_moment       at = { .state = f.plant.state };
    gm_failure_tree         tree;
    assert_int_equal(gm_failure_tree_build(f.failures, &at, gm_state_find(f.plant.state, GM_STR("two")), &o, &tree, &f.err), GM_LIMIT);
    close_plant(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_graph_agrees_with_enumeration),
        cmocka_unit_test(standby_groups_come_out_as_their_chains),
        cmocka_unit_test(groups_may_have_six_units),
        cmocka_unit_test(common_causes_are_shared),
        cmocka_unit_test(what_is_known_now_counts),
        cmocka_unit_test(what_can_not_be_a_tree_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
