// bench/physics_models.h: the models that the benches of physics and futures run: Lorenz, Van der Pol, a network of 20
// heat capacities, a stirred reactor. As programs; by hand they are in physics_hand.h.
#ifndef GM_BENCH_PHYSICS_MODELS_H
#define GM_BENCH_PHYSICS_MODELS_H

#include "physics/program.h"
#include "physics_hand.h"

#include <stdio.h>
#include <stdlib.h>

enum { LANES = 4096, STEPS = 200, STATES_MAX = 20, PARAMETERS_MAX = 43 };

typedef struct model {
    const char *name;
    uint32_t    states, parameters;
    double      h, start[STATES_MAX], low[PARAMETERS_MAX], high[PARAMETERS_MAX];
    hand_model *hand, *hand_avx2;
    void (*slopes)(gm_builder *b, const gm_val *x, const gm_val *p, gm_val *k);
} model;

static inline gm_val add(gm_builder *b, gm_val x, gm_val y) { return gm_emit2(b, GM_OP_ADD, x, y); }
static inline gm_val sub(gm_builder *b, gm_val x, gm_val y) { return gm_emit2(b, GM_OP_SUB, x, y); }
static inline gm_val mul(gm_builder *b, gm_val x, gm_val y) { return gm_emit2(b, GM_OP_MUL, x, y); }

static inline void lorenz(gm_builder *b, const gm_val *x, const gm_val *p, gm_val *k)
{
    k[0] = mul(b, p[0], sub(b, x[1], x[0]));
    k[1] = sub(b, mul(b, x[0], sub(b, p[1], x[2])), x[1]);
    k[2] = sub(b, mul(b, x[0], x[1]), mul(b, p[2], x[2]));
}

static inline void vanderpol(gm_builder *b, const gm_val *x, const gm_val *p, gm_val *k)
{
    gm_val bend = sub(b, gm_emit_const(b, 1), mul(b, x[0], x[0]));
    k[0] = x[1];
    k[1] = sub(b, mul(b, mul(b, p[0], bend), x[1]), x[0]);
}

static inline void network(gm_builder *b, const gm_val *x, const gm_val *p, gm_val *k)
{
    enum { N = HAND_NODES };
    gm_val in = mul(b, p[0], sub(b, p[2 * N + 1], x[0]));
    for (int i = 0; i < N; i++) {
        gm_val out = mul(b, p[i + 1], sub(b, x[i], i + 1 < N ? x[i + 1] : p[2 * N + 2]));
        k[i]       = mul(b, sub(b, in, out), gm_emit2(b, GM_OP_DIV, gm_emit_const(b, 1), p[N + 1 + i]));
        in         = out;
    }
}

static inline void reactor(gm_builder *b, const gm_val *x, const gm_val *p, gm_val *k)
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

static inline double parameter_of(const model *m, uint32_t i, uint32_t lane)
{
    double share = (double)lane / LANES;
    if (m->hand != hand_network_native) return m->low[i] + (m->high[i] - m->low[i]) * share;
    if (i <= HAND_NODES) return 2 + share + 0.1 * i;                // W/K
    if (i <= 2 * HAND_NODES) return 50 + 10 * share + i;            // J/K
    return i == 2 * HAND_NODES + 1 ? 290 + 10 * share : 350;        // K
}

static inline double start_of(const model *m, uint32_t i) { return m->hand == hand_network_native ? 300 + i : m->start[i]; }

static inline gm_program *program_of(const model *m)
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

#endif
