// tests/physics/models.h: models with known answers, written straight as programs.
#ifndef GM_TESTS_PHYSICS_MODELS_H
#define GM_TESTS_PHYSICS_MODELS_H

#include "physics/program.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>

static inline gm_slot slot_named(const gm_program *p, const char *name)
{
    gm_slot slot = GM_SLOT_NONE;
    bool    negated;
    if (!gm_program_find(p, gm_str_of(name), &slot, &negated)) fail_msg("no %s", name);
    return slot;
}

static inline gm_slot declare(gm_builder *b, gm_slot_kind kind, const char *name, double start)
{
    return gm_build_slot(b, &(gm_slot_spec){ kind, .name = gm_str_of(name), .start = start });
}

static inline gm_program *finished(gm_builder *b)
{
    gm_program *p   = NULL;
    gm_error    err = { 0 };
    assert_gm_ok(gm_builder_finish(b, &p, &err), err);
    gm_builder_destroy(b);
    return p;
}

// x'' = -w^2 x + sin(t): x(0) = 1, x'(0) = 0. With w = 2: x = cos 2t + (2 sin t - sin 2t) / 6.
static inline gm_program *driven_spring(void)
{
    gm_builder *b = gm_builder_create(gm_alloc_system(), NULL);
    gm_slot     x = declare(b, GM_SLOT_STATE, "x", 1), v = declare(b, GM_SLOT_STATE, "v", 0), w = declare(b, GM_SLOT_PARAMETER, "w", 2);
    gm_slot     energy = declare(b, GM_SLOT_ALGEBRAIC, "energy", 0);
    gm_build_section(b, GM_SECTION_DERIVATIVE);
    gm_val ww = gm_emit_load(b, w);
    ww        = gm_emit2(b, GM_OP_MUL, ww, ww);
    gm_val pull = gm_emit2(b, GM_OP_MUL, ww, gm_emit_load(b, x));
    gm_build_derivative(b, x, gm_emit_load(b, v));
    gm_build_derivative(b, v, gm_emit2(b, GM_OP_SUB, gm_emit1(b, GM_OP_SIN, gm_emit_load(b, GM_TIME_SLOT)), pull));
    gm_build_end(b);
    gm_build_section(b, GM_SECTION_OUTPUT);
    gm_val speed = gm_emit_load(b, v);
    gm_build_store(b, energy, gm_emit2(b, GM_OP_MUL, gm_emit2(b, GM_OP_MUL, speed, speed), gm_emit_const(b, 0.5)));
    gm_build_end(b);
    return finished(b);
}

static inline double driven_spring_at(double t) { return cos(2 * t) + (2 * sin(t) - sin(2 * t)) / 6; }

// A ball dropped from 1 m that keeps 0.8 of its speed; with terminate below an energy, and an assert.
static inline gm_program *bouncing_ball(void)
{
    gm_builder *b = gm_builder_create(gm_alloc_system(), NULL);
    gm_slot     h = declare(b, GM_SLOT_STATE, "h", 1), v = declare(b, GM_SLOT_STATE, "v", 0), e = declare(b, GM_SLOT_PARAMETER, "e", 0.8);
    gm_slot     above = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_DISCRETE, GM_SLOT_BOOLEAN, .name = GM_STR("above"), .start = 1 });
    gm_slot     was   = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_DISCRETE, GM_SLOT_BOOLEAN, GM_SLOT_HIDDEN, .start = 0 });
    gm_slot     count = declare(b, GM_SLOT_DISCRETE, "bounces", 0);
    gm_slot     limit = declare(b, GM_SLOT_PARAMETER, "limit", 3);
    gm_build_section(b, GM_SECTION_DERIVATIVE);
    gm_build_derivative(b, h, gm_emit_load(b, v));
    gm_build_derivative(b, v, gm_emit_const(b, -9.81));
    gm_build_end(b);
    gm_build_section(b, GM_SECTION_INDICATOR);
    gm_build_indicator(b, gm_emit_load(b, h), above);
    gm_build_end(b);
    gm_build_section(b, GM_SECTION_EVENT);  // when h <= 0 then reinit(v, -e * pre(v))
    gm_val below = gm_emit1(b, GM_OP_NOT, gm_emit1(b, GM_OP_MASK, gm_emit_load(b, above)));
    gm_val fire  = gm_emit2(b, GM_OP_AND, below, gm_emit1(b, GM_OP_NOT, gm_emit1(b, GM_OP_MASK, gm_emit_load(b, was))));
    gm_val speed = gm_emit_load(b, v), n = gm_emit_load(b, count);
    gm_val back  = gm_emit1(b, GM_OP_NEG, gm_emit2(b, GM_OP_MUL, gm_emit_load(b, e), speed));
    gm_build_store(b, v, gm_emit3(b, GM_OP_SELECT, fire, back, speed));
    gm_build_store(b, count, gm_emit3(b, GM_OP_SELECT, fire, gm_emit2(b, GM_OP_ADD, n, gm_emit_const(b, 1)), n));
    gm_build_store(b, was, below);
    gm_build_end(b);
    gm_build_section(b, GM_SECTION_CHECK);
    gm_val bounces = gm_emit_load(b, count);
    gm_build_check(b, GM_CHECK_TERMINATE, gm_emit2(b, GM_OP_GE, bounces, gm_emit_load(b, limit)), GM_STR("bounced enough"));
    gm_build_check(b, GM_CHECK_ASSERT, gm_emit2(b, GM_OP_GT, gm_emit_load(b, h), gm_emit_const(b, -1)), GM_STR("fell through the floor"));
    gm_build_end(b);
    return finished(b);
}

// Robertson's reaction (1966). Reference at t = 1e11: Hairer and Wanner, Solving ODEs II, test set ROBER.
static inline gm_program *robertson(void)
{
    gm_builder *b = gm_builder_create(gm_alloc_system(), NULL);
    static const double nominal[3] = { 1e-6, 1e-10, 1 };  // what is small at the end still counts
    static const char *const names[3] = { "y1", "y2", "y3" };
    gm_slot y[3];
    gm_val  v[3];
    gm_build_section(b, GM_SECTION_DERIVATIVE);
    for (int i = 0; i < 3; i++) {
        y[i] = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_STATE, .name = gm_str_of(names[i]), .start = i == 0, .nominal = nominal[i] });
        v[i] = gm_emit_load(b, y[i]);
    }
    gm_val a = gm_emit2(b, GM_OP_MUL, gm_emit_const(b, 0.04), v[0]);
    gm_val c = gm_emit2(b, GM_OP_MUL, gm_emit_const(b, 1e4), gm_emit2(b, GM_OP_MUL, v[1], v[2]));
    gm_val d = gm_emit2(b, GM_OP_MUL, gm_emit_const(b, 3e7), gm_emit2(b, GM_OP_MUL, v[1], v[1]));
    gm_build_derivative(b, y[0], gm_emit2(b, GM_OP_SUB, c, a));
    gm_build_derivative(b, y[1], gm_emit2(b, GM_OP_SUB, gm_emit2(b, GM_OP_SUB, a, c), d));
    gm_build_derivative(b, y[2], d);
    gm_build_end(b);
    return finished(b);
}

// y'' = mu (1 - y^2) y' - y with mu = 1000: reference at t = 2000 from the test set IVPsolve (vdpol, rescaled): 1.706167732170483.
static inline gm_program *van_der_pol(double mu)
{
    gm_builder *b = gm_builder_create(gm_alloc_system(), NULL);
    gm_slot     y = declare(b, GM_SLOT_STATE, "y", 2), v = declare(b, GM_SLOT_STATE, "v", 0);
    gm_build_section(b, GM_SECTION_DERIVATIVE);
    gm_val at = gm_emit_load(b, y), speed = gm_emit_load(b, v);
    gm_val bend = gm_emit2(b, GM_OP_SUB, gm_emit_const(b, 1), gm_emit2(b, GM_OP_MUL, at, at));
    gm_val push = gm_emit2(b, GM_OP_MUL, gm_emit2(b, GM_OP_MUL, gm_emit_const(b, mu), bend), speed);
    gm_build_derivative(b, y, speed);
    gm_build_derivative(b, v, gm_emit2(b, GM_OP_SUB, push, at));
    gm_build_end(b);
    return finished(b);
}

// z + z^3 = x + y, y + 2 z = 1 + x: a loop of two unknowns; x' = -z.
static inline gm_program *knotted(bool linear)
{
    gm_builder *b = gm_builder_create(gm_alloc_system(), NULL);
    gm_slot     x = declare(b, GM_SLOT_STATE, "x", 1);
    gm_slot     guess[2] = { declare(b, GM_SLOT_ALGEBRAIC, "z", 0), declare(b, GM_SLOT_ALGEBRAIC, "y", 0) };
    gm_loop     loop = gm_build_loop(b, &(gm_loop_spec){ .name = GM_STR("z, y"), .unknowns = 2, .arguments = 1, .guess = guess, .linear = linear });
    gm_val      z = gm_emit_unknown(b, 0), y = gm_emit_unknown(b, 1), at = gm_emit_argument(b, 0), one = gm_emit_const(b, 1);
    gm_val      cube = linear ? z : gm_emit2(b, GM_OP_MUL, z, gm_emit2(b, GM_OP_MUL, z, z));
    gm_val      sum  = gm_emit2(b, GM_OP_ADD, z, cube);
    gm_build_residual(b, 0, gm_emit2(b, GM_OP_SUB, gm_emit2(b, GM_OP_SUB, sum, at), y));
    gm_val twice = gm_emit2(b, GM_OP_MUL, gm_emit_const(b, 2), z);
    gm_build_residual(b, 1, gm_emit2(b, GM_OP_SUB, gm_emit2(b, GM_OP_ADD, y, twice), gm_emit2(b, GM_OP_ADD, one, at)));
    gm_build_end(b);
    for (int s = 0; s < 2; s++) {
        gm_build_section(b, s == 0 ? GM_SECTION_DERIVATIVE : GM_SECTION_OUTPUT);
        gm_val arg = gm_emit_load(b, x), out[2];
        gm_emit_solve(b, loop, &arg, out);
        if (s == 0) gm_build_derivative(b, x, gm_emit1(b, GM_OP_NEG, out[0]));
        for (int i = 0; s == 1 && i < 2; i++) gm_build_store(b, guess[i], out[i]);
        gm_build_end(b);
    }
    return finished(b);
}

#endif
