// Impact of one twin in a graph of 100,000 twins and 300,000 relationships: a plant of layers (supplies, machines, lines, consumers) in which
// each twin needs three of the layer before, all of them or two of the three. Measured over many twins, and over the worst there is: one
// whose failure stops most of the plant.
//
//   bench-impact [TWINS [ROUNDS]]
#include "bench.h"
#include "engine/engine.h"
#include "failure/impact.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LAYERS = 10, EACH = 3, ROUNDS_MAX = 100000 };

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
static const char declared[] = "{\"modes\":[{\"name\":\"stop\",\"on\":\"dtmi:b:All;1\",\"rate\":1e-5},{\"name\":\"stop\",\"on\":\"dtmi:b:Two;1\",\"rate\":1e-5}],"
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
typedef struct figures { double median, most_99, longest; } figures;

static sample measure(bench *b, unsigned twin)
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

static int by_work(const void *a, const void *b)
{
    double x = ((const sample *)a)->work_s, y = ((const sample *)b)->work_s;
    return x < y ? -1 : x > y;
}

static int by_wall(const void *a, const void *b)
{
    double x = ((const sample *)a)->wall_s, y = ((const sample *)b)->wall_s;
    return x < y ? -1 : x > y;
}

static void run(bench *b, unsigned ones, unsigned rounds)
{
    sample *all = malloc(rounds * sizeof *all), worst;
    if (all == NULL) exit(1);
    make_plant(b, ones);
    size_t stops = 0, risks = 0;
    for (unsigned i = 0; i < rounds; i++) {
        all[i] = measure(b, 1 + (unsigned)(gm_bench_draw(&b->random) % (b->twins - 1)));
        stops += all[i].stops;
        risks += all[i].at_risk;
    }
    qsort(all, rounds, sizeof *all, by_wall);
    figures wall = { all[rounds / 2].wall_s * 1e3, all[rounds * 99 / 100].wall_s * 1e3, all[rounds - 1].wall_s * 1e3 };
    qsort(all, rounds, sizeof *all, by_work);
    figures work = { all[rounds / 2].work_s * 1e3, all[rounds * 99 / 100].work_s * 1e3, all[rounds - 1].work_s * 1e3 };
    worst = measure(b, 0);
    for (int i = 0; i < 4; i++) {
        sample s = measure(b, 0);
        if (s.work_s < worst.work_s) worst = s;
    }
    printf("%u twins, %zu relationships, 1 in %u needs all of its three. %u impacts (%.0f stop, %.0f at risk on average): median, 99 %%, longest %.2f, %.2f, %.2f ms, of which the "
           "thread worked %.2f, %.2f, %.2f ms. The twin that feeds most: %.1f ms, worked %.1f ms; %zu stop, %zu at risk\n", b->twins,
           gm_state_relationship_count(gm_engine_state(b->engine)), ones, rounds, (double)stops / rounds, (double)risks / rounds, wall.median, wall.most_99, wall.longest, work.median,
           work.most_99, work.longest, worst.wall_s * 1e3, worst.work_s * 1e3, worst.stops, worst.at_risk);
    free(all);
}

int main(int argc, char **argv)
{
    unsigned              twins  = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000, rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 500;
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
