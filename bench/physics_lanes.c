// bench/physics_lanes: lane-steps per second of every executor against vector C written by hand.
//
//   bench-physics-lanes [--rounds N] [--json FILE]
//
// One core, 4,096 lanes, 200 RK4 steps. Contestants take turns; the figure is the median over the rounds.
#include "physics/exec/lanes.h"
#include "physics_hand.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LANES = 4096, STEPS = 200, STATES_MAX = 20, PARAMETERS_MAX = 43, ROUNDS_MAX = 1000, CONTESTANTS = 7 };

typedef struct model {
    const char *name;
    uint32_t    states, parameters;
    double      h, start[STATES_MAX], low[PARAMETERS_MAX], high[PARAMETERS_MAX];
    hand_model *hand, *hand_avx2;
    void (*slopes)(gm_builder *b, const gm_val *x, const gm_val *p, gm_val *k);
} model;

static gm_val add(gm_builder *b, gm_val x, gm_val y) { return gm_emit2(b, GM_OP_ADD, x, y); }
static gm_val sub(gm_builder *b, gm_val x, gm_val y) { return gm_emit2(b, GM_OP_SUB, x, y); }
static gm_val mul(gm_builder *b, gm_val x, gm_val y) { return gm_emit2(b, GM_OP_MUL, x, y); }

static void lorenz(gm_builder *b, const gm_val *x, const gm_val *p, gm_val *k)
{
    k[0] = mul(b, p[0], sub(b, x[1], x[0]));
    k[1] = sub(b, mul(b, x[0], sub(b, p[1], x[2])), x[1]);
    k[2] = sub(b, mul(b, x[0], x[1]), mul(b, p[2], x[2]));
}

static void vanderpol(gm_builder *b, const gm_val *x, const gm_val *p, gm_val *k)
{
    gm_val bend = sub(b, gm_emit_const(b, 1), mul(b, x[0], x[0]));
    k[0] = x[1];
    k[1] = sub(b, mul(b, mul(b, p[0], bend), x[1]), x[0]);
}

static void network(gm_builder *b, const gm_val *x, const gm_val *p, gm_val *k)
{
    enum { N = HAND_NODES };
    gm_val in = mul(b, p[0], sub(b, p[2 * N + 1], x[0]));
    for (int i = 0; i < N; i++) {
        gm_val out = mul(b, p[i + 1], sub(b, x[i], i + 1 < N ? x[i + 1] : p[2 * N + 2]));
        k[i]       = mul(b, sub(b, in, out), gm_emit2(b, GM_OP_DIV, gm_emit_const(b, 1), p[N + 1 + i]));
        in         = out;
    }
}

static void reactor(gm_builder *b, const gm_val *x, const gm_val *p, gm_val *k)
{
    gm_val power = gm_emit1(b, GM_OP_NEG, gm_emit2(b, GM_OP_DIV, p[5], x[1]));
    gm_val rate  = mul(b, mul(b, p[4], gm_emit1(b, GM_OP_EXP, power)), x[0]);
    gm_val cool  = mul(b, p[7], sub(b, p[3], x[1]));
    k[0] = sub(b, mul(b, p[0], sub(b, p[1], x[0])), rate);
    k[1] = add(b, add(b, mul(b, p[0], sub(b, p[2], x[1])), mul(b, p[6], rate)), cool);
}

static const model models[] = {
    { "Lorenz", 3, 3, 0.01, { 1, 1, 1 }, { 9, 25, 2.5 }, { 11, 30, 2.8 }, hand_lorenz_native, hand_lorenz_avx2, lorenz },
    { "Van der Pol", 2, 1, 0.02, { 2, 0 }, { 0.5 }, { 5 }, hand_vanderpol_native, hand_vanderpol_avx2, vanderpol },
    { "network 20", 20, 43, 1, { 0 }, { 0 }, { 0 }, hand_network_native, hand_network_avx2, network },
    { "reactor", 2, 8, 0.01, { 0.5, 350 }, { 1, 0.9, 345, 295, 7.2e10, 8700, 205, 2 }, { 1.1, 1.1, 355, 305, 7.3e10, 8800, 212, 2.1 },
      hand_reactor_native, hand_reactor_avx2, reactor },
};

static double parameter_of(const model *m, uint32_t i, uint32_t lane)
{
    double share = (double)lane / LANES;
    if (m->hand != hand_network_native) return m->low[i] + (m->high[i] - m->low[i]) * share;
    if (i <= HAND_NODES) return 2 + share + 0.1 * i;                // W/K
    if (i <= 2 * HAND_NODES) return 50 + 10 * share + i;            // J/K
    return i == 2 * HAND_NODES + 1 ? 290 + 10 * share : 350;        // K
}

static double start_of(const model *m, uint32_t i) { return m->hand == hand_network_native ? 300 + i : m->start[i]; }

static gm_program *program_of(const model *m)
{
    gm_error    err = { 0 };
    gm_program *p   = NULL;
    gm_builder *b   = gm_builder_create(gm_alloc_system(), NULL);
    gm_slot     states[STATES_MAX];
    gm_val      x[STATES_MAX], k[STATES_MAX], q[PARAMETERS_MAX];
    gm_build_section(b, GM_SECTION_DERIVATIVE);
    for (uint32_t i = 0; i < m->states; i++) {
        states[i] = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_STATE, .start = start_of(m, i) });
        x[i]      = gm_emit_load(b, states[i]);
    }
    for (uint32_t i = 0; i < m->parameters; i++) q[i] = gm_emit_load(b, gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_PARAMETER }));
    m->slopes(b, x, q, k);
    for (uint32_t i = 0; i < m->states; i++) gm_build_derivative(b, states[i], k[i]);
    gm_build_end(b);
    if (gm_builder_finish(b, &p, &err) != GM_OK) {
        fprintf(stderr, "%s: %s\n", m->name, err.text);
        exit(1);
    }
    gm_builder_destroy(b);
    return p;
}

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
