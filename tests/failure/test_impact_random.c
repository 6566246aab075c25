// Impact on random graphs against a reference that solves the whole graph again for every question: with the twin and without it, all times
// by going over all twins until nothing changes. Loops among twins, gates of fault trees over them, gates that negate, and twins
// that need gates are all in it.
#include "failure/impact.h"
#include "failure/tree_twins.h"
#include "support/small_plant.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GRAPHS = 120, TWINS_MAX = 48, EDGES_MAX = 400, NEEDS = 5 };

#define INTERFACE(name) "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:" name ";1\",\"@type\":\"Interface\",\"contents\":[" \
    "{\"@type\":\"Property\",\"name\":\"state\",\"schema\":\"string\"},{\"@type\":\"Property\",\"name\":\"size\",\"schema\":\"double\"}," \
    "{\"@type\":\"Relationship\",\"name\":\"feeds\"},{\"@type\":\"Relationship\",\"name\":\"uses\"}]}"
static const char interfaces[] = "[" INTERFACE("All") "," INTERFACE("Two") "," INTERFACE("Any") ",";

#define PROVEN(on) "{\"name\":\"off\",\"on\":\"dtmi:t:" on ";1\",\"rate\":1e-4,\"shownBy\":[{\"property\":\"state\",\"is\":\"off\",\"proves\":true}]}"
static const char declared[] = "{\"modes\":[" PROVEN("All") "," PROVEN("Two") "," PROVEN("Any") "],\"needs\":["
    "{\"name\":\"a\",\"on\":\"dtmi:t:All;1\",\"from\":\"<feeds\",\"delay\":\"1min\"},"
    "{\"name\":\"b\",\"on\":\"dtmi:t:Two;1\",\"from\":[\"<feeds\",\"uses\"],\"working\":2,\"delay\":\"5min\"},"
    "{\"name\":\"c\",\"on\":\"dtmi:t:Any;1\",\"from\":\"<feeds\",\"working\":\"any\"},"
    "{\"name\":\"d\",\"on\":\"dtmi:t:Any;1\",\"from\":\"uses\",\"of\":\"dtmi:t:All;1\",\"delay\":\"1min\",\"members\":\"SELECT * FROM DIGITALTWINS T WHERE T.size > 5\"},"
    "{\"name\":\"e\",\"on\":\"dtmi:t:All;1\",\"from\":\"uses\",\"effect\":\"degrades\",\"delay\":\"2min\"}],"
    "\"losses\":[{\"on\":\"dtmi:t:Two;1\",\"cost\":3,\"costPerHour\":1}]}";

typedef enum sort { ALL, TWO, ANY, GATE, EVENT, HOUSE } sort;
static const char *const sorts[] = { "dtmi:t:All;1", "dtmi:t:Two;1", "dtmi:t:Any;1", "dtmi:gemel:faulttree:Gate;1", "dtmi:gemel:faulttree:BasicEvent;1", "dtmi:gemel:faulttree:HouseEvent;1" };
typedef enum name { FEEDS, USES, INPUT } name;
static const char *const names[] = { "feeds", "uses", "input" };
typedef enum connective { AND, OR, XOR, SOME } connective;
static const char *const connectives[] = { "and", "or", "xor", "cardinality" };

typedef struct edge { int from, to; name is; bool negated; } edge;
typedef struct graph {
    uint64_t   random;
    int        n, lower, edges;   // twins below `lower` are under gates, perhaps; those above are not
    sort       sorts[TWINS_MAX];
    bool       off[TWINS_MAX];    // it stands
    double     size[TWINS_MAX];
    connective connectives[TWINS_MAX];
    int        least[TWINS_MAX], most[TWINS_MAX];
    edge       list[EDGES_MAX];
} graph;

static uint32_t draw(graph *g, uint32_t n) { return (uint32_t)(gm_test_random(&g->random) % n); }

// ---- the reference -----------------------------------------------------------------------------------------------------------------

static const struct { sort on; int working; double delay_s; bool degrades; bool sized; int of; bool in_feeds, out_uses; } needs[NEEDS] = {
    { ALL, 0, 60, false, false, -1, true, false }, { TWO, 2, 300, false, false, -1, true, true }, { ANY, 1, 0, false, false, -1, true, false },
    { ANY, 0, 60, false, true, ALL, false, true }, { ALL, 0, 120, true, false, -1, false, true },
};

// Suppliers of a need, one for each relationship.
static int suppliers(const graph *g, int x, int need, int *out)
{
    int count = 0;
    if (g->sorts[x] != needs[need].on || (needs[need].sized && g->size[x] <= 5)) return 0;
    for (int i = 0; i < g->edges; i++) {
        const edge *e     = &g->list[i];
        int         other = needs[need].in_feeds && e->is == FEEDS && e->to == x ? e->from : needs[need].out_uses && e->is == USES && e->from == x ? e->to : -1;
        if (other >= 0 && (needs[need].of < 0 || g->sorts[other] == (sort)needs[need].of)) out[count++] = other;
    }
    return count;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static int limit_of(int need, int of) { return needs[need].working == 0 ? 1 : of >= needs[need].working ? of - needs[need].working + 1 : 0; }

// When a need is no longer met.
static double need_at(const graph *g, int x, int need, const double *at)
{
    int    who[EDGES_MAX], n = suppliers(g, x, need, who), limit = limit_of(need, n);
    double times[EDGES_MAX];
    if (n == 0) return HUGE_VAL;
    if (limit == 0) return 0;  // it never had enough
    for (int i = 0; i < n; i++) times[i] = at[who[i]];
    qsort(times, (size_t)n, sizeof times[0], by_size);
    return times[limit - 1] + needs[need].delay_s;
}

static bool gate_is(const graph *g, int x, const double *at, double t)
{
    int n = 0, yes = 0;
    for (int i = 0; i < g->edges; i++) {
        const edge *e = &g->list[i];
        if (e->is != INPUT || e->from != x) continue;
        n++;
        yes += (at[e->to] <= t) != e->negated;
    }
    switch (g->connectives[x]) {
    case AND: return n > 0 && yes == n;
    case OR: return yes > 0;
    case XOR: return yes % 2 == 1;
    default: return n > 0 && yes >= g->least[x] && yes <= g->most[x];
    }
}

static double gate_at(const graph *g, int x, const double *at)
{
    double first = gate_is(g, x, at, 0) ? 0 : HUGE_VAL;
    for (int i = 0; i < g->edges; i++)
        if (g->list[i].is == INPUT && g->list[i].from == x && isfinite(at[g->list[i].to]) && gate_is(g, x, at, at[g->list[i].to])) first = fmin(first, at[g->list[i].to]);
    return first;
}

// Times at which all stop. failed: stops at 0 (with), or never (without).
static void solve(const graph *g, int failed, bool with, double horizon_s, double *at)
{
    for (int i = 0; i < g->n; i++) at[i] = i == failed ? (with ? 0 : HUGE_VAL) : g->off[i] ? 0 : HUGE_VAL;
    for (int turn = 0; turn < 2; turn++) {  // below gates; above them
        for (bool again = true; again;) {
            again = false;
            for (int i = turn == 0 ? 0 : g->lower; i < (turn == 0 ? g->lower : g->n); i++)
                for (int k = 0; k < NEEDS && i != failed; k++) {
                    double t = needs[k].degrades ? HUGE_VAL : need_at(g, i, k, at);
                    if (t > horizon_s || t >= at[i]) continue;
                    at[i] = t;
                    again = true;
                }
        }
        for (int i = 0; turn == 0 && i < g->n; i++)  // each is over those before it
            if (g->sorts[i] == GATE && i != failed) at[i] = gate_at(g, i, at);
    }
}

static double degraded_at(const graph *g, int x, const double *at) { return g->sorts[x] == ALL ? need_at(g, x, 4, at) : HUGE_VAL; }

static bool turns(const graph *g, int x)
{
    int n = 0;
    for (int i = 0; i < g->edges; i++) {
        if (g->list[i].is != INPUT || g->list[i].from != x) continue;
        if (g->list[i].negated) return true;
        n++;
    }
    return g->connectives[x] == XOR || (g->connectives[x] == SOME && (g->most[x] < n || g->least[x] == 0));
}

// Of a need (or, with need NEEDS, of a gate): who it counts, and how many are one too many.
static int limits(const graph *g, int x, int need, int *who, int *count)
{
    *count = 0;
    if (need < NEEDS) {
        *count = suppliers(g, x, need, who);
        return needs[need].degrades ? 0 : limit_of(need, *count);
    }
    if (g->sorts[x] != GATE || turns(g, x)) return 0;
    for (int i = 0; i < g->edges; i++)
        if (g->list[i].is == INPUT && g->list[i].from == x) who[(*count)++] = g->list[i].to;
    return g->connectives[x] == AND ? *count : g->connectives[x] == OR ? 1 : g->least[x];
}

// What one more failure stops: of those that have lost something by this one and are one short, and on from them.
static size_t risks(const graph *g, int failed, const double *before, const double *with, bool *risk)
{
    size_t total = 0;
    memset(risk, 0, sizeof *risk * (size_t)g->n);
    for (bool first = true, again = true; again; first = false) {
        bool next[TWINS_MAX];
        again = false;
        memcpy(next, risk, sizeof *risk * (size_t)g->n);
        for (int x = 0; x < g->n; x++)
            for (int k = 0; k <= NEEDS && isinf(with[x]) && !risk[x] && x != failed; k++) {
                int who[EDGES_MAX], n, limit = limits(g, x, k, who, &n), lost = 0, ours = 0, more = 0;
                for (int i = 0; i < n; i++) {
                    lost += isfinite(with[who[i]]);
                    ours += isfinite(with[who[i]]) && isinf(before[who[i]]);
                    more += risk[who[i]];
                }
                if (limit == 0 || lost >= limit || n == 0) continue;
                if (first ? ours > 0 && lost + 1 == limit : more > 0 && lost + more >= limit) next[x] = again = true;
            }
        if (first) again = true;
        memcpy(risk, next, sizeof *risk * (size_t)g->n);
    }
    for (int x = 0; x < g->n; x++) total += risk[x];
    return total;
}

// ---- graphs --------------------------------------------------------------------------------------------------------------------------

static void add(graph *g, int from, int to, name is, bool negated)
{
    for (int i = 0; i < g->edges; i++)  // two of one name between two twins are right, but an input stands once
        if (is == INPUT && g->list[i].is == INPUT && g->list[i].from == from && g->list[i].to == to) return;
    if (g->edges < EDGES_MAX) g->list[g->edges++] = (edge){ from, to, is, negated };
}

static void make(graph *g, uint64_t seed)
{
    *g       = (graph){ .random = seed };
    g->n     = 4 + (int)draw(g, TWINS_MAX - 4);
    g->lower = g->n / 3 + 1;
    int upper = g->lower + (g->n - g->lower) * (int)draw(g, 3) / 2;  // from lower to upper: gates and events
    bool gates = draw(g, 3) > 0;
    for (int i = 0; i < g->n; i++) {
        bool above = i >= g->lower;
        g->sorts[i] = above && gates && i < upper ? (draw(g, 3) == 0 ? EVENT : draw(g, 8) == 0 ? HOUSE : GATE) : (sort)draw(g, 3);
        g->off[i]   = draw(g, 12) == 0 && g->sorts[i] != GATE;
        g->size[i]  = draw(g, 10);
        g->connectives[i] = (connective)draw(g, 4);
        g->least[i]       = 1 + (int)draw(g, 3);
        g->most[i]        = g->least[i] + (int)draw(g, 4);
    }
    bool  negates = draw(g, 2) == 0;
    int   tries   = g->n * (1 + (int)draw(g, 5));
    for (int k = 0; k < tries; k++) {
        int a = (int)draw(g, (uint32_t)g->n), b = (int)draw(g, (uint32_t)g->n);
        if (g->sorts[a] == GATE) {  // over plain twins below gates, and gates and events before it
            if (b < a) add(g, a, b, INPUT, negates && draw(g, 4) == 0);
        } else if (g->sorts[a] < GATE && g->sorts[b] < GATE && (a < g->lower) == (b < g->lower)) add(g, a, b, draw(g, 3) == 0 ? USES : FEEDS, false);
        else if (g->sorts[b] < GATE && b >= g->lower) add(g, a, b, FEEDS, false);  // a twin above needs a gate, or one below
    }
    if (!negates)
        for (int i = 0; i < g->n; i++)
            if (g->connectives[i] == XOR || g->connectives[i] == SOME) { g->connectives[i] = SOME; g->most[i] = 1000; }
}

// Gates name things by relationships `input`, which only a gate has; feeding is any twin's.
static void plant_it(const graph *g, gm_small_plant *plant)
{
    char   text[300], id[16], other[16], relationship[16];
    gm_str trees = gm_tree_twins_models();
    char  *models = malloc(sizeof interfaces + trees.len + 1);
    assert_non_null(models);
    memcpy(models, interfaces, sizeof interfaces - 1);
    memcpy(models + sizeof interfaces - 1, trees.ptr + 1, trees.len - 1);  // without its bracket
    models[sizeof interfaces - 1 + trees.len - 1] = '\0';
    gm_small_plant_open(plant, gm_alloc_system(), models);
    free(models);
    for (int i = 0; i < g->n; i++) {
        int used = snprintf(text, sizeof text, "{\"$metadata\":{\"$model\":\"%s\"}", sorts[g->sorts[i]]);
        if (g->sorts[i] < GATE) used += snprintf(text + used, sizeof text - (size_t)used, ",\"state\":\"%s\",\"size\":%g", g->off[i] ? "off" : "on", g->size[i]);
        if (g->sorts[i] == EVENT) used += snprintf(text + used, sizeof text - (size_t)used, ",\"probability\":%s", g->off[i] ? "1" : "0.1");
        if (g->sorts[i] == HOUSE) used += snprintf(text + used, sizeof text - (size_t)used, ",\"state\":%s", g->off[i] ? "true" : "false");
        if (g->sorts[i] == GATE) used += snprintf(text + used, sizeof text - (size_t)used, ",\"connective\":\"%s\"", connectives[g->connectives[i]]);
        if (g->sorts[i] == GATE && g->connectives[i] == SOME) used += snprintf(text + used, sizeof text - (size_t)used, ",\"least\":%d,\"most\":%d", g->least[i], g->most[i]);
        snprintf(text + used, sizeof text - (size_t)used, "}");
        snprintf(id, sizeof id, "t%d", i);
        gm_small_plant_twin(plant, id, text);
    }
    for (int i = 0; i < g->edges; i++) {
        snprintf(id, sizeof id, "t%d", g->list[i].from);
        snprintf(other, sizeof other, "t%d", g->list[i].to);
        snprintf(relationship, sizeof relationship, "r%d", i);
        gm_small_plant_relate(plant, id, relationship, names[g->list[i].is], other, g->list[i].negated ? "{\"negated\":true}" : "{}");
    }
}

static void compare(const graph *g, const gm_impact *impact, int failed, double horizon_s, uint64_t seed)
{
    double before[TWINS_MAX], with[TWINS_MAX], cost = 0, found[TWINS_MAX];
    bool   risk[TWINS_MAX], at_risk[TWINS_MAX] = { 0 };
    size_t stops = 0, standing = 0, degraded = 0;
    solve(g, failed, false, horizon_s, before);
    solve(g, failed, true, horizon_s, with);
    for (int i = 0; i < g->n; i++) found[i] = HUGE_VAL;
    for (size_t i = 0; i < impact->count; i++) {
        const gm_impact_item *item = &impact->items[i];
        if (item->certain && item->effect == GM_EFFECT_STOPS) found[item->twin.v] = item->delay_s;
        if (!item->certain) at_risk[item->twin.v] = true;
    }
    for (int i = 0; i < g->n; i++) {
        bool ours = isfinite(with[i]) && isinf(before[i]);
        standing += i != failed && isfinite(before[i]);
        degraded += i != failed && isinf(with[i]) && degraded_at(g, i, with) <= horizon_s && degraded_at(g, i, before) > horizon_s;
        if (ours && g->sorts[i] == TWO) cost += 3 + (horizon_s - with[i]) / 3600;
        if (ours != isfinite(found[i]) || (ours && found[i] != with[i])) fail_msg("seed %llu, t%d fails: t%d stops at %g, said to at %g", (unsigned long long)seed, failed, i, with[i], found[i]);
        stops += ours && i != failed;
    }
    if (stops != impact->stops || standing != impact->standing || degraded != impact->degraded)
        fail_msg("seed %llu, t%d fails: %zu stop, %zu stand, %zu degraded; said: %zu, %zu, %zu", (unsigned long long)seed, failed, stops, standing, degraded, impact->stops, impact->standing, impact->degraded);
    if (fabs(cost - impact->cost) > 1e-9 * (1 + cost)) fail_msg("seed %llu, t%d fails: cost %g, said %g", (unsigned long long)seed, failed, cost, impact->cost);
    if (horizon_s < 86400) return;  // of what is at risk only who, and that does not depend on time when there is enough of it
    size_t total = risks(g, failed, before, with, risk);
    for (int i = 0; i < g->n; i++)
        if (risk[i] != at_risk[i]) fail_msg("seed %llu, t%d fails: t%d %s at risk", (unsigned long long)seed, failed, i, risk[i] ? "is" : "is not");
    assert_int_equal(total, impact->at_risk);
}

static void impact_is_what_solving_the_whole_graph_again_says(void **state)
{
    (void)state;
    uint64_t first = gm_test_seed();
    size_t   stops = 0, risk = 0, questions = 0;
    for (uint64_t i = 0; i < GRAPHS; i++) {
        graph           g;
        gm_small_plant  plant;
        gm_failures    *failures = NULL;
        gm_failure_file file     = { GM_STR("a.modes"), gm_str_of(declared) };
        gm_error        err      = { 0 };
        size_t          which;
        make(&g, first + i);
        plant_it(&g, &plant);
        assert_gm_ok(gm_failures_create(gm_alloc_system(), &failures, &err), err);
        assert_gm_ok(gm_failures_set(failures, &file, 1, &which, &err), err);
        for (int x = 0; x < g.n; x++) {
            gm_failure_moment at = { .state = plant.state };
            gm_impact_options o  = gm_impact_options_defaults(gm_clock_system());
            gm_impact         impact;
            if (g.sorts[x] >= GATE && g.off[x]) continue;  // a house that is on does not come on
            o.horizon   = draw(&g, 2) == 0 ? GM_DAY : (gm_dur_ns)(1 + draw(&g, 20)) * GM_MINUTE;
            o.exact_max = 0;
            assert_gm_ok(gm_impact_find(failures, &at, (gm_twin){ (uint32_t)x }, &o, &impact, &err), err);
            compare(&g, &impact, x, (double)o.horizon / 1e9, first + i);
            stops += impact.stops;
            risk += impact.at_risk;
            questions++;
            gm_impact_finish(&impact);
        }
        gm_failures_destroy(failures);
        gm_small_plant_close(&plant);
    }
    print_message("%zu questions: %zu stops, %zu at risk\n", questions, stops, risk);
    assert_true(stops > questions / 4 && risk > questions / 20);  // the graphs are worth asking
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(impact_is_what_solving_the_whole_graph_again_says) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
