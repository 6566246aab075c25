// Impact of one twin in a graph of 100,000 twins and 300,000 relationships: a plant of layers (supplies, machines, lines, consumers) in which
// each twin needs three of the layer before, all of them or two of the three. Measured over every kind of twin there is: some of each layer,
// the hundred that most relationships touch, the one whose failure stops most of the plant, all while nothing else stands, and again while
// others have failed already (properties prove it). Of each kind the longest is told, by the clock and by what the thread worked, and what
// the first one after a change of the graph takes, which works the web of wants out anew.
//
//   bench-impact [TWINS [ROUNDS]]     ROUNDS: twins of each layer
#include "bench.h"
#include "engine/engine.h"
#include "failure/impact.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LAYERS = 10, EACH = 3, ROUNDS_MAX = 100000, HUBS = 100, TURNS = 3 };

typedef struct bench {
    char         dir[64];
    gm_loop     *loop;
    gm_engine   *engine;
    gm_failures *failures;
    uint64_t     random;
    unsigned     twins;
    gm_error     err;
} bench;

#define INTERFACE(name) "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:b:" name ";1\",\"@type\":\"Interface\",\"contents\":[" \
    "{\"@type\":\"Telemetry\",\"name\":\"x\",\"schema\":\"double\"},{\"@type\":\"Relationship\",\"name\":\"feeds\"}]}"
static const char models[] = "[" INTERFACE("All") "," INTERFACE("Two") "]";
#define PROVEN "\"rate\":1e-5,\"shownBy\":[{\"property\":\"x\",\"above\":100,\"proves\":true}]}"
static const char declared[] = "{\"modes\":[{\"name\":\"stop\",\"on\":\"dtmi:b:All;1\"," PROVEN ",{\"name\":\"stop\",\"on\":\"dtmi:b:Two;1\"," PROVEN "],"
    "\"needs\":[{\"name\":\"input\",\"on\":\"dtmi:b:All;1\",\"from\":\"<feeds\",\"delay\":\"1min\"},{\"name\":\"input\",\"on\":\"dtmi:b:Two;1\",\"from\":\"<feeds\",\"working\":2,\"delay\":\"5min\"}],"
    "\"losses\":[{\"on\":\"dtmi:b:All;1\",\"costPerHour\":1}]}";

// One in `ones` twins of a layer needs all three; the others two of three.
static void make_plant(bench *b, unsigned ones)
{
    unsigned width = b->twins / LAYERS;
    gm_bench_must(gm_engine_submit(b->engine, GM_CHANGE_MODELS, 0, (gm_str){ 0 }, (gm_str){ 0 }, gm_str_of(models), (gm_ask){ 0 }, &b->err), &b->err, "bench-impact");
    gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-impact");
    const gm_type *types[2] = { gm_model_find(gm_engine_model(b->engine), GM_STR("dtmi:b:All;1")), gm_model_find(gm_engine_model(b->engine), GM_STR("dtmi:b:Two;1")) };
    char           id[32];
    for (unsigned i = 0; i < b->twins; i++) {
        snprintf(id, sizeof id, "t%u", i);
        gm_bench_must(gm_engine_twin_put(b->engine, (gm_twin){ GM_NONE }, gm_str_of(id), types[i % ones != 0], NULL, 0, (gm_ask){ 0 }, NULL, &b->err), &b->err, "bench-impact");
        if (i % 10000 == 9999) gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-impact");
    }
    gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-impact");
    unsigned made = 0;
    for (unsigned i = 0; i < b->twins; i++) {
        unsigned layer = i / width;
        for (unsigned k = 0; k < EACH; k++) {
            // The first layer's twins feed one another's followers as well, so that there are three for each twin.
            unsigned from = layer == 0 ? b->twins : (layer - 1) * width + (unsigned)(gm_bench_draw(&b->random) % width);
            if (layer == 0) continue;
            snprintf(id, sizeof id, "r%u-%u", i, k);
            gm_bench_must(gm_engine_relationship_put(b->engine, (gm_twin){ from }, (gm_twin){ i }, gm_str_of(id), GM_STR("feeds"), GM_STR("{}"), (gm_ask){ 0 }, &b->err), &b->err, "bench-impact");
            if (++made % 10000 == 0) gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-impact");
        }
    }
    // What is left to 3 relationships for each twin leads from one twin to the second layer: whoever fails there fails alone.
    for (unsigned i = 0; made < b->twins * EACH; i++, made++) {
        snprintf(id, sizeof id, "s%u", i);
        gm_bench_must(gm_engine_relationship_put(b->engine, (gm_twin){ 0 }, (gm_twin){ width + i % (b->twins - width) }, gm_str_of(id), GM_STR("feeds"), GM_STR("{}"), (gm_ask){ 0 }, &b->err), &b->err, "bench-impact");
        if (made % 10000 == 0) gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-impact");
    }
    gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-impact");
}

static double worked(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

typedef struct sample { double wall_s, work_s; size_t stops, at_risk; } sample;
typedef struct kind { double wall_s, work_s; size_t stops, at_risk; unsigned count; } kind;  // the longest of its twins

static sample measure_once(bench *b, unsigned twin)
{
    gm_failure_moment at = { .state = gm_engine_state(b->engine) };
    gm_impact_options o  = gm_impact_options_defaults(gm_clock_system());
    gm_impact         impact;
    double            before = worked();
    gm_time_ns        start  = gm_monotonic(gm_clock_system());
    gm_bench_must(gm_impact_find(b->failures, &at, (gm_twin){ twin }, &o, &impact, &b->err), &b->err, "bench-impact");
    sample s = { (double)(gm_monotonic(gm_clock_system()) - start) / 1e9, worked() - before, impact.stops, impact.at_risk };
    gm_impact_finish(&impact);
    return s;
}

// The best of some turns: what other programs take of the processor is not the twin's.
static void measure(bench *b, unsigned twin, kind *k, double *out_wall)
{
    sample best = measure_once(b, twin);
    for (int i = 1; i < TURNS; i++) {
        sample s = measure_once(b, twin);
        if (s.work_s < best.work_s) best.work_s = s.work_s;
        if (s.wall_s < best.wall_s) best.wall_s = s.wall_s;
    }
    *out_wall = best.wall_s;
    k->count++;
    if (best.wall_s > k->wall_s) k->wall_s = best.wall_s;
    if (best.work_s <= k->work_s) return;
    k->work_s  = best.work_s;
    k->stops   = best.stops;
    k->at_risk = best.at_risk;
}

static void tell(const char *name, const kind *k)
{
    printf("  %-28s %6u twins: longest %6.1f ms, worked %6.1f ms (%zu stop, %zu at risk)\n", name, k->count, k->wall_s * 1e3, k->work_s * 1e3, k->stops, k->at_risk);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

typedef struct degree { unsigned twin, count; } degree;

static int by_degree(const void *a, const void *b)
{
    const degree *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count) : (x->twin > y->twin) - (x->twin < y->twin);
}

static degree *sort_by_degree(const bench *b)
{
    const gm_state *state = gm_engine_state(b->engine);
    degree         *all   = calloc(b->twins, sizeof *all);
    if (all == NULL) exit(1);
    for (unsigned i = 0; i < b->twins; i++) all[i].twin = i;
    for (uint32_t i = 0; i < gm_state_edge_limit(state); i++) {
        gm_edge e;
        if (!gm_state_edge_at(state, i, &e)) continue;
        all[gm_state_edge_source(state, e).v].count++;
        all[gm_state_edge_target(state, e).v].count++;
    }
    qsort(all, b->twins, sizeof *all, by_degree);
    return all;
}

// All kinds once. Returns the longest.
static kind run_all(bench *b, const degree *degrees, unsigned rounds)
{
    unsigned width = b->twins / LAYERS;
    size_t   n     = 0;
    double  *walls = malloc(((size_t)rounds * LAYERS + HUBS + 1) * sizeof *walls);
    kind     all   = { 0 };
    if (walls == NULL) exit(1);
    for (unsigned layer = 0; layer <= LAYERS + 1; layer++) {
        kind     k = { 0 };
        char     name[40];
        unsigned count = layer < LAYERS ? rounds : layer == LAYERS ? HUBS : 1;
        snprintf(name, sizeof name, layer < LAYERS ? "layer %u" : layer == LAYERS ? "most relationships" : "feeds most", layer);
        for (unsigned i = 0; i < count; i++, n++)
            measure(b, layer > LAYERS ? 0 : layer == LAYERS ? degrees[i].twin : layer * width + (unsigned)(gm_bench_draw(&b->random) % width), &k, &walls[n]);
        tell(name, &k);
        all.count += k.count;
        if (k.wall_s > all.wall_s) all.wall_s = k.wall_s;
        if (k.work_s > all.work_s) { all.work_s = k.work_s; all.stops = k.stops; all.at_risk = k.at_risk; }
    }
    qsort(walls, n, sizeof *walls, by_size);
    printf("  median of all %.2f ms\n", walls[n / 2] * 1e3);
    tell("all of them", &all);
    free(walls);
    return all;
}

// The first after a change of the graph.
static void measure_change(bench *b)
{
    double wall = 0, work = 0;
    for (int i = 0; i < 5; i++) {
        char id[32];
        snprintf(id, sizeof id, "more%d", i);
        gm_bench_must(gm_engine_relationship_put(b->engine, (gm_twin){ 1 }, (gm_twin){ b->twins - 1 }, gm_str_of(id), GM_STR("feeds"), GM_STR("{}"), (gm_ask){ 0 }, &b->err), &b->err, "bench-impact");
        gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-impact");
        sample s = measure_once(b, 0);
        if (i == 0 || s.wall_s < wall) wall = s.wall_s;
        if (i == 0 || s.work_s < work) work = s.work_s;
    }
    printf("  the one that feeds most, first after a change of the graph: %.1f ms, worked %.1f ms\n", wall * 1e3, work * 1e3);
}

// Every twin has a value; one in `failed` of the layers behind the second has one that proves a failure. 0: none.
static void set_values(bench *b, unsigned failed)
{
    for (unsigned i = 0; i < b->twins; i++) {
        bool          bad  = failed > 0 && i >= 2 * (b->twins / LAYERS) && i % failed == 0;
        gm_cell_write cell = { .column = 0, .at = gm_now(gm_clock_system()), .value = { .kind = GM_KIND_DOUBLE, .d = bad ? 200 : 1 } };
        gm_bench_must(gm_engine_write(b->engine, (gm_twin){ i }, 0, &cell, 1, (gm_ask){ 0 }, &b->err), &b->err, "bench-impact");
        if (i % 10000 == 9999) gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-impact");
    }
    gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-impact");
}

static void run(bench *b, unsigned ones, unsigned rounds)
{
    make_plant(b, ones);
    degree *degrees = sort_by_degree(b);
    printf("%u twins, %zu relationships, 1 in %u needs all of its three; nothing stands:\n", b->twins, gm_state_relationship_count(gm_engine_state(b->engine)), ones);
    set_values(b, 0);
    kind worst = run_all(b, degrees, rounds);
    measure_change(b);
    printf("the same with one twin in 500 failed:\n");
    set_values(b, 500);
    kind again = run_all(b, degrees, rounds);
    printf("worst of all: %.1f ms, worked %.1f ms\n", (worst.wall_s > again.wall_s ? worst : again).wall_s * 1e3, (worst.work_s > again.work_s ? worst : again).work_s * 1e3);
    free(degrees);
}

int main(int argc, char **argv)
{
    unsigned              twins  = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000, rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 50;
    static const unsigned ones[] = { 5, 1 };
    if (rounds == 0 || rounds > ROUNDS_MAX || twins < 1000) return 2;
    for (size_t i = 0; i < sizeof ones / sizeof ones[0]; i++) {
        bench             b = { .dir = "/tmp/bench-impact-XXXXXX", .random = 88172645463325252u, .twins = twins };
        gm_engine_options o = { .alloc = gm_alloc_system(), .io = gm_io_system(), .clock = gm_clock_system(), .data_dir = b.dir, .log = gm_log_options_defaults() };
        gm_failure_file   file = { GM_STR("a.modes"), gm_str_of(declared) };
        size_t            which;
        char              command[100];
        if (mkdtemp(b.dir) == NULL) return 1;
        gm_bench_must(gm_loop_create(o.alloc, o.clock, &b.loop, &b.err), &b.err, "bench-impact");
        o.loop = b.loop;
        gm_bench_must(gm_engine_open(&o, &b.engine, &b.err), &b.err, "bench-impact");
        gm_bench_must(gm_failures_create(o.alloc, &b.failures, &b.err), &b.err, "bench-impact");
        gm_bench_must(gm_engine_recover(b.engine, &b.err), &b.err, "bench-impact");
        gm_bench_must(gm_failures_set(b.failures, &file, 1, &which, &b.err), &b.err, "bench-impact");
        run(&b, ones[i], rounds);
        gm_engine_close(b.engine);
        gm_failures_destroy(b.failures);
        gm_loop_destroy(b.loop);
        snprintf(command, sizeof command, "rm -rf %s", b.dir);
        if (system(command) != 0) return 1;
    }
    return 0;
}
