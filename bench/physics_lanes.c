// bench/physics_lanes: lane-steps per second of every executor against vector C written by hand.
//
//   bench-physics-lanes [--rounds N] [--json FILE]
//
// One core, 4,096 lanes, 200 RK4 steps. Contestants take turns; the figure is the median over the rounds.
#include "physics/exec/lanes.h"
#include "physics_models.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS_MAX = 1000, CONTESTANTS = 7 };

// ------------------------------------------------------------------------------------------ contestants

typedef struct contestant {
    const char *name;
    gm_executor executor;  // AUTO = by hand
    bool        avx2;      // compared with what is written by hand for AVX2
    gm_plan    *plan;
    gm_lanes   *lanes;
    gm_worker  *worker;
    double     *x, *p;     // by hand
    double      compile_s, seconds[ROUNDS_MAX];
} contestant;

// This thread's own time, so that other programs on the machine count as little as possible.
static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool prepare(contestant *c, const model *m, const gm_program *program)
{
    if (c->executor == GM_EXECUTOR_AUTO) {
        c->x = aligned_alloc(64, sizeof(double) * LANES * m->states);
        c->p = aligned_alloc(64, sizeof(double) * LANES * m->parameters);
        for (uint32_t i = 0; i < m->parameters; i++) {
            for (uint32_t lane = 0; lane < LANES; lane++) c->p[(size_t)i * LANES + lane] = parameter_of(m, i, lane);
        }
        return true;
    }
    if (!gm_executor_available(c->executor)) return false;
    gm_error        err     = { 0 };
    gm_plan_options options = { c->executor, GM_METHOD_RK4, 1e-6 };
    double          begin   = now_s();
    gm_status       st      = gm_plan_create(gm_alloc_system(), program, &options, &c->plan, &err);
    c->compile_s            = now_s() - begin;
    if (st == GM_OK) st = gm_lanes_create(gm_alloc_system(), c->plan, LANES, &c->lanes, &err);
    if (st == GM_OK) st = gm_worker_create(gm_alloc_system(), c->plan, &c->worker, &err);
    if (st != GM_OK) {
        fprintf(stderr, "%s: %s\n", c->name, err.text);
        exit(1);
    }
    return true;
}

static void reset(contestant *c, const model *m)
{
    for (uint32_t i = 0; i < m->states; i++) {
        if (c->x != NULL) {
            for (uint32_t lane = 0; lane < LANES; lane++) c->x[(size_t)i * LANES + lane] = start_of(m, i);
        } else gm_lanes_fill(c->lanes, (gm_slot){ 1 + i }, start_of(m, i));
    }
    for (uint32_t i = 0; c->lanes != NULL && i < m->parameters; i++) {
        for (uint32_t lane = 0; lane < LANES; lane++) gm_lanes_set(c->lanes, (gm_slot){ 1 + m->states + i }, lane, parameter_of(m, i, lane));
    }
}

static double run_once(contestant *c, const model *m)
{
    reset(c, m);
    double begin = now_s();
    if (c->x != NULL) {
        (c->avx2 ? m->hand_avx2 : m->hand)(c->x, c->p, LANES, m->h, STEPS);
    } else {
        for (uint32_t block = 0; block < gm_lanes_blocks(c->lanes); block++) {
            gm_lanes_start(c->lanes, block, c->worker, GM_START_FORKED);
            gm_lanes_steps(c->lanes, block, c->worker, m->h, STEPS);
        }
    }
    return now_s() - begin;
}

static double state_of(const contestant *c, uint32_t i, uint32_t lane)
{
    return c->x != NULL ? c->x[(size_t)i * LANES + lane] : gm_lanes_get(c->lanes, (gm_slot){ 1 + i }, lane);
}

static void check_agreement(const contestant *hand, const contestant *c, const model *m)
{
    for (uint32_t i = 0; i < m->states; i++) {
        for (uint32_t lane = 0; lane < LANES; lane += 97) {
            double a = state_of(hand, i, lane), b = state_of(c, i, lane);
            if (fabs(a - b) <= 1e-6 * (1 + fabs(a))) continue;
            fprintf(stderr, "%s: %s has x%u = %.17g in lane %u, by hand %.17g\n", m->name, c->name, i, b, lane, a);
            exit(1);
        }
    }
}

static void release(contestant *c)
{
    gm_lanes_destroy(c->lanes);
    gm_worker_destroy(c->worker);
    gm_plan_destroy(c->plan);
    free(c->x);
    free(c->p);
}

static int by_value(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return a < b ? -1 : a > b;
}

static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, by_value);
    return values[n / 2];
}

static void run_model(const model *m, int rounds, FILE *json)
{
    contestant all[CONTESTANTS] = {
        { "by hand", GM_EXECUTOR_AUTO, false },
        { "code avx512", GM_EXECUTOR_CODE_AVX512, false },
        { "interpreter avx512", GM_EXECUTOR_INTERPRETER_AVX512, false },
        { "by hand, avx2", GM_EXECUTOR_AUTO, true },
        { "code avx2", GM_EXECUTOR_CODE_AVX2, true },
        { "interpreter avx2", GM_EXECUTOR_INTERPRETER_AVX2, true },
        { "interpreter plain", GM_EXECUTOR_PLAIN, true },
    };
    gm_program *program = program_of(m);
    bool        runs[CONTESTANTS] = { false };
    for (int c = 0; c < CONTESTANTS; c++) runs[c] = all[c].name != NULL && prepare(&all[c], m, program);
    for (int round = 0; round < rounds; round++) {
        for (int c = 0; c < CONTESTANTS; c++) {
            if (runs[c]) all[c].seconds[round] = run_once(&all[c], m);
        }
    }
    double hand[2] = { 0 };  // native, AVX2
    for (int c = 0; c < CONTESTANTS; c++) {
        if (!runs[c]) continue;
        check_agreement(&all[0], &all[c], m);
        double rate = (double)LANES * STEPS / median(all[c].seconds, rounds);
        double *by_hand = &hand[all[c].avx2];
        if (all[c].x != NULL) *by_hand = rate;
        printf("%-12s %-20s %9.1f M lane-steps/s  %5.2f of by hand", m->name, all[c].name, rate * 1e-6, rate / *by_hand);
        if (all[c].x == NULL) printf("   %6.0f us to compile, %5.1f KB", all[c].compile_s * 1e6, (double)gm_plan_working_set(all[c].plan) / 1024);
        printf("\n");
        if (json != NULL) {
            fprintf(json, "%s{\"model\":\"%s\",\"executor\":\"%s\",\"lane_steps_per_s\":%.6g,\"ratio\":%.4f,\"compile_s\":%.6g}",
                    m == models && c == 0 ? "" : ",\n ", m->name, all[c].name, rate, rate / *by_hand, all[c].compile_s);
        }
    }
    for (int c = 0; c < CONTESTANTS; c++) release(&all[c]);
    gm_program_destroy(program);
}

int main(int argc, char **argv)
{
    int   rounds = 15;
    FILE *json   = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--rounds") == 0) rounds = atoi(argv[i + 1]);
        if (strcmp(argv[i], "--json") == 0) json = fopen(argv[i + 1], "w");
    }
    if (rounds < 1) rounds = 1;
    if (rounds > ROUNDS_MAX) rounds = ROUNDS_MAX;
    if (json != NULL) fprintf(json, "[");
    for (size_t m = 0; m < sizeof models / sizeof models[0]; m++) run_model(&models[m], rounds, json);
    if (json != NULL) {
        fprintf(json, "]\n");
        fclose(json);
    }
    return 0;
}
