// How many twins one core keeps estimated: the waterworks of examples/pumphouse, ten states and five signals, measured once a
// second.
//
//   bench-filters [--plant examples/pumphouse] [--rounds N]
#include "base/rng.h"
#include "cli/plant_group.h"
#include "insight/estimate/estimator.h"

#include <stdlib.h>

enum { SECONDS = 1000, ROUNDS_MAX = 99 };

static const char setup_text[] =
    "{\"estimates\":[{\"name\":\"bench\",\"root\":\"tower\",\"lag\":\"0s\",\"measured\":{\"tower.level\":{\"noise\":0.014},"
    "\"vessel.pressure\":{\"noise\":0.02},\"town.pressure\":{\"noise\":0.01},\"pump1.motor/power\":{\"noise\":0.063},"
    "\"pump2.motor/power\":{\"noise\":0.063}}}]}";

static void must(gm_status st, const gm_error *err)
{
    if (st == GM_OK) return;
    fprintf(stderr, "bench-filters: %s\n", err->text);
    exit(1);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Every second each signal is measured: what the filter expects of it, and noise. Returns seconds of work for each update.
static double run(const gm_cli *cli, const gm_estimate_model *model, const double *base, uint64_t seed)
{
    const gm_time_ns          start = INT64_C(1767571200) * GM_SECOND;
    gm_error                  err = { 0 };
    gm_estimator             *e;
    uint32_t                  count;
    const gm_estimate_signal *signals = gm_estimate_model_signals(model, &count);
    must(gm_estimator_create(cli->alloc, model, base, start, &e, &err), &err);
    gm_time_ns begin = gm_monotonic(cli->clock);
    for (uint32_t s = 1; s <= SECONDS; s++) {
        gm_time_ns now = start + (gm_time_ns)s * GM_SECOND;
        for (uint32_t k = 0; k < count; k++) {
            if (!signals[k].measured) continue;
            double noise = signals[k].noise / signals[k].factor * gm_rng_normal(seed, k, 0, s);
            must(gm_estimator_feed(e, k, now, gm_estimator_signal(e, k).estimate.mean + noise, &err), &err);
        }
        must(gm_estimator_advance(e, now, &err), &err);
    }
    double took = (double)(gm_monotonic(cli->clock) - begin) / 1e9 / SECONDS;
    gm_estimator_stats stats = gm_estimator_statistics(e);
    if (stats.moments != SECONDS || stats.restarts > 0) {
        fprintf(stderr, "bench-filters: %llu updates of %d, %llu restarts\n", (unsigned long long)stats.moments, SECONDS, (unsigned long long)stats.restarts);
        exit(1);
    }
    gm_estimator_destroy(e);
    return took;
}

int main(int argc, char **argv)
{
    const char *folder = "examples/pumphouse";
    int         rounds = 5;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--plant") == 0) folder = argv[i + 1];
        if (strcmp(argv[i], "--rounds") == 0) rounds = atoi(argv[i + 1]);
    }
    if (rounds < 1 || rounds > ROUNDS_MAX) rounds = 5;
    gm_cli             cli = { .alloc = gm_alloc_system(), .io = gm_io_system(), .clock = gm_clock_system(),
                               .arena = gm_arena_create(gm_alloc_system(), 0), .out = stdout, .err = stderr };
    gm_plant_group     plant;
    gm_fork_report     report;
    gm_estimate_model *model;
    gm_error           err   = { 0 };
    uint32_t           count = 0, parts;
    double             took[ROUNDS_MAX];
    gm_estimate_setup *setups = GM_ARENA_NEW(cli.arena, gm_estimate_setup, GM_ESTIMATE_SETUPS_MAX);
    if (gm_plant_group_open(&cli, folder, "tower", true, &plant) != GM_EXIT_OK) return 1;
    gm_group_reader reader = gm_group_live_reader(plant.state);
    double         *base   = calloc(gm_program_slot_count(gm_group_program(plant.group)), sizeof *base);
    must(gm_estimate_setups_parse(cli.arena, gm_str_of(setup_text), setups, &count, &err), &err);
    must(gm_group_fork(plant.group, &reader, 0, base, &report, &err), &err);
    must(gm_estimate_bind(cli.alloc, &setups[0], plant.group, false, &model, &err), &err);
    gm_estimate_model_parts(model, &parts);
    for (int i = 0; i < rounds; i++) took[i] = run(&cli, model, base, (uint64_t)i + 1);
    qsort(took, (size_t)rounds, sizeof *took, by_value);
    printf("waterworks   %u states, an update %.1f us: %.0f such twins at 1 Hz on one core (the filter alone)\n", parts, took[rounds / 2] * 1e6, 1 / took[rounds / 2]);
    free(base);
    gm_estimate_model_destroy(model);
    gm_plant_group_close(&plant);
    gm_arena_destroy(cli.arena);
    return 0;
}
