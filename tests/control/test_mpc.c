// Plans against the optimum where it is known (Riccati), and against systems that fall over.
#include "control/optimise/mpc.h"
#include "base/rng.h"
#include "physics/modelica_support.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static gm_slot slot_named(const gm_program *p, const char *name)
{
    gm_slot s;
    bool    negated;
    if (!gm_program_find(p, gm_str_of(name), &s, &negated)) fail_msg("no variable %s", name);
    assert_false(negated);
    return s;
}

// Compiles a text; the program is the caller's.
static gm_program *program_of(const char *text)
{
    gm_test_model t;
    gm_test_model_open(&t, gm_alloc_system(), text, NULL);
    if (t.status != GM_OK) fail_msg("%.*s", (int)t.text.len, (const char *)t.text.ptr);
    gm_program *p = t.program;
    t.program     = NULL;
    gm_test_model_close(&t);
    return p;
}

static double *base_of(const gm_program *p)
{
    uint32_t n = gm_program_slot_count(p);
    double  *b = calloc(n, sizeof *b);
    for (uint32_t i = 0; i < n; i++) b[i] = gm_program_slot(p, (gm_slot){ i })->start;
    return b;
}

// ---- a linear system with quadratic cost --------------------------------------------------------------------------------------

enum { KNOTS = 25 };

// x'' = u, exactly: x + v h + u h^2/2, v + u h. Cost h (x^2 + 0.1 v^2 + 0.05 u^2) at each of 25 looks, 5 x^2 + v^2 at the end.
// The optimum by the discrete Riccati recursion (Anderson and Moore, Optimal Control, 1990, section 2.4).
static double riccati(double x, double v, double h)
{
    double Q[2] = { h, 0.1 * h }, R = 0.05 * h, P[2][2] = { { 5, 0 }, { 0, 1 } };
    for (int k = 0; k < KNOTS; k++) {
        const double A[2][2] = { { 1, h }, { 0, 1 } }, B[2] = { h * h / 2, h };
        double PA[2][2], PB[2], K[2], next[2][2];
        for (int i = 0; i < 2; i++) {
            PB[i] = P[i][0] * B[0] + P[i][1] * B[1];
            for (int j = 0; j < 2; j++) PA[i][j] = P[i][0] * A[0][j] + P[i][1] * A[1][j];
        }
        double s = R + B[0] * PB[0] + B[1] * PB[1];
        for (int j = 0; j < 2; j++) K[j] = (B[0] * PA[0][j] + B[1] * PA[1][j]) / s;
        for (int i = 0; i < 2; i++) {
            for (int j = 0; j < 2; j++) {
                next[i][j] = A[0][i] * PA[0][j] + A[1][i] * PA[1][j] + (i == j ? Q[i] : 0) - K[i] * s * K[j];
            }
        }
        memcpy(P, next, sizeof P);
    }
    return x * x * P[0][0] + 2 * x * v * P[0][1] + v * v * P[1][1];
}

static const char *const integrator = "model M\n input Real u(start=0);\n Real x(start=1, fixed=true);\n Real v(start=0, fixed=true);\n"
                                      "equation\n der(x) = v;\n der(v) = u;\nend M;\n";

static void quadratic_costs_come_within_two_percent_of_the_optimum(void **state)
{
    (void)state;
    gm_program *p = program_of(integrator);
    double     *base = base_of(p), h = 0.2;
    gm_slot     x = slot_named(p, "x"), v = slot_named(p, "v"), u = slot_named(p, "u");
    static const struct { double x, v; } begins[] = { { 1, 0 }, { -2, 1 }, { 0.5, -1.5 } };
    size_t count = getenv("GM_DEEP") != NULL ? sizeof begins / sizeof begins[0] : 1;
    for (int method = GM_MPC_CEM; method <= GM_MPC_MPPI; method++) {
        for (size_t b = 0; b < count; b++) {
            gm_mpc_options o = gm_mpc_options_defaults();
            o.method = (gm_mpc_method)method;
            o.knots  = KNOTS;
            o.knot_s = o.look_s = h;
            o.step_s = h / 2;
            o.rounds = 40;
            o.colour = 0.5;
            gm_mpc_input input  = { .slot = u, .low = -20, .high = 20, .rate_max = INFINITY, .spread = 2 };
            gm_mpc_term  terms[] = { { .kind = GM_MPC_SQUARE, .slot = x, .weight = 1 }, { .kind = GM_MPC_SQUARE, .slot = v, .weight = 0.1 },
                                     { .kind = GM_MPC_SQUARE, .slot = u, .weight = 0.05 }, { .kind = GM_MPC_FINAL, .slot = x, .weight = 5 },
                                     { .kind = GM_MPC_FINAL, .slot = v, .weight = 1 } };
            gm_mpc       *c;
            gm_mpc_report r;
            gm_error      err = { 0 };
            base[x.v] = begins[b].x;
            base[v.v] = begins[b].v;
            assert_gm_ok(gm_mpc_create(gm_alloc_system(), p, &o, &input, 1, terms, 5, &c, &err), err);
            for (int again = 0; again < 4; again++) assert_gm_ok(gm_mpc_solve(c, base, &r, &err), err);
            double best = riccati(begins[b].x, begins[b].v, h);
            if (!(r.cost >= best * (1 - 1e-9))) fail_msg("cost %.9g is below the optimum %.9g", r.cost, best);
            if (!(r.cost <= best * 1.02)) fail_msg("method %d: cost %g, optimum %g (%.2f %%)", method, r.cost, best, 100 * (r.cost / best - 1));
            assert_true(r.held > r.cost);
            // The plan followed alone costs what was said.
            double path[KNOTS + 1], cost;
            assert_gm_ok(gm_mpc_follow(c, base, gm_mpc_plan(c), &x, 1, path, &cost, &err), err);
            assert_true(fabs(cost / r.cost - 1) < 1e-12 && path[0] == begins[b].x);
            gm_mpc_destroy(c);
        }
    }
    free(base);
    gm_program_destroy(p);
}

// ---- limits on inputs --------------------------------------------------------------------------------------------------------

static void plans_keep_bounds_rates_and_whole_numbers(void **state)
{
    (void)state;
    gm_program *p    = program_of(integrator);
    double     *base = base_of(p);
    gm_slot     x = slot_named(p, "x"), u = slot_named(p, "u");
    for (int whole = 0; whole < 2; whole++) {
        gm_mpc_options o = gm_mpc_options_defaults();
        o.knot_s = o.look_s = 0.5;
        o.step_s = 0.1;
        gm_mpc_input input = { .slot = u, .low = -3, .high = 2, .rate_max = whole ? INFINITY : 1, .whole = whole };
        gm_mpc_term  terms[] = { { .kind = GM_MPC_SQUARE, .slot = x, .weight = 1, .target = 5 }, { .kind = GM_MPC_MOVES, .weight = 0.01 } };
        gm_mpc      *c;
        gm_error     err = { 0 };
        assert_gm_ok(gm_mpc_create(gm_alloc_system(), p, &o, &input, 1, terms, 2, &c, &err), err);
        assert_gm_ok(gm_mpc_solve(c, base, NULL, &err), err);
        double before = 0;
        for (uint32_t k = 0; k < o.knots; k++) {
            double v = gm_mpc_plan(c)[k];
            assert_true(v >= -3 && v <= 2);
            if (whole) assert_true(v == floor(v));
            else assert_true(fabs(v - before) <= 0.5 + 1e-12);
            before = v;
        }
        double second = gm_mpc_plan(c)[1], last = gm_mpc_plan(c)[o.knots - 1];
        gm_mpc_shift(c, 1);
        assert_true(gm_mpc_plan(c)[0] == second && gm_mpc_plan(c)[o.knots - 1] == last);
        gm_mpc_destroy(c);
    }
    free(base);
    gm_program_destroy(p);
}

static void the_same_request_gives_the_same_plan(void **state)
{
    (void)state;
    gm_program *p    = program_of(integrator);
    double     *base = base_of(p), first[24];
    gm_slot     x = slot_named(p, "x"), u = slot_named(p, "u");
    for (int again = 0; again < 2; again++) {
        gm_mpc_options o = gm_mpc_options_defaults();
        o.lanes = 100;  // not a multiple of a block
        gm_mpc_input input = { .slot = u, .low = -3, .high = 2, .rate_max = INFINITY };
        gm_mpc_term  term  = { .kind = GM_MPC_SQUARE, .slot = x, .weight = 1 };
        gm_mpc      *c;
        gm_error     err = { 0 };
        assert_gm_ok(gm_mpc_create(gm_alloc_system(), p, &o, &input, 1, &term, 1, &c, &err), err);
        assert_gm_ok(gm_mpc_solve(c, base, NULL, &err), err);
        if (again == 0) memcpy(first, gm_mpc_plan(c), sizeof first);
        else assert_memory_equal(first, gm_mpc_plan(c), sizeof first);
        gm_mpc_destroy(c);
    }
    free(base);
    gm_program_destroy(p);
}

// ---- things that fall over ---------------------------------------------------------------------------------------------------

typedef struct task {
    const char  *text, *input;
    double       bound, spread;
    uint32_t     knots, lanes, rounds, steps;
    double       knot_s;
    const char  *cost, *angle;
    double       upright;  // rad: how far from upright still counts; held for the last two seconds
} task;

// The input torque is less than half of what would hold the pendulum out sideways: it has to be swung.
static const task pendulum = {
    "model M\n input Real u(start=0);\n Real angle(start=3.14159, fixed=true);\n Real rate(start=0, fixed=true);\n Real cost;\n"
    "equation\n der(angle) = rate;\n der(rate) = 9.81*sin(angle) - 0.05*rate + u;\n cost = 1 - cos(angle) + 0.02*rate^2 + 0.001*u^2;\nend M;\n",
    "u", 4, 3, 40, 256, 3, 160, 0.05, "cost", "angle", 0.3
};

// Barto, Sutton and Anderson's cart (IEEE Trans. SMC 13 (1983) 834), swung up from hanging: cart 1 kg, pole 0.1 kg, half length 0.5 m.
static const task cart = {
    "model M\n input Real u(start=0);\n Real x(start=0, fixed=true);\n Real v(start=0, fixed=true);\n Real angle(start=3.14159, fixed=true);\n"
    " Real rate(start=0, fixed=true);\n Real push, cost;\n"
    "equation\n push = (u + 0.05*rate^2*sin(angle))/1.1;\n der(x) = v;\n der(angle) = rate;\n"
    " der(rate) = (9.81*sin(angle) - cos(angle)*push)/(0.5*(4/3 - 0.1*cos(angle)^2/1.1));\n"
    " der(v) = push - 0.05*der(rate)*cos(angle)/1.1;\n"
    " cost = 2*(1 - cos(angle)) + 0.05*rate^2 + 0.05*x^2 + 0.02*v^2 + 0.001*u^2;\nend M;\n",
    "u", 15, 5, 40, 384, 4, 240, 0.05, "cost", "angle", 0.3
};

// Closed loop: plan, hold the first value for a knot, look where that led, plan again. True when it stands in the end.
static bool stands(const task *t, uint64_t seed)
{
    gm_program *p    = program_of(t->text);
    double     *base = base_of(p), *points, cost;
    uint32_t    n    = gm_program_slot_count(p), state_count;
    const gm_slot *states = gm_program_slots_of(p, GM_SLOT_STATE, &state_count);
    gm_mpc_options o = gm_mpc_options_defaults();
    o.knots  = t->knots;
    o.lanes  = t->lanes;
    o.rounds = t->rounds;
    o.knot_s = o.look_s = t->knot_s;
    o.step_s = t->knot_s / 2;
    o.seed   = seed;
    gm_mpc_input input = { .slot = slot_named(p, t->input), .low = -t->bound, .high = t->bound, .rate_max = INFINITY, .spread = t->spread };
    gm_mpc_term  term  = { .kind = GM_MPC_INTEGRAL, .slot = slot_named(p, t->cost), .weight = 1 };
    gm_mpc      *c;
    gm_error     err = { 0 };
    assert_gm_ok(gm_mpc_create(gm_alloc_system(), p, &o, &input, 1, &term, 1, &c, &err), err);
    points = malloc((size_t)n * (t->knots + 1) * sizeof *points);
    for (uint32_t i = 0; i < state_count; i++) base[states[i].v] += 0.05 * gm_rng_normal(seed, 1, i, 0);
    uint32_t held = 0;
    for (uint32_t step = 0; step < t->steps; step++) {
        assert_gm_ok(gm_mpc_solve(c, base, NULL, &err), err);
        assert_gm_ok(gm_mpc_follow(c, base, gm_mpc_plan(c), states, state_count, points, &cost, &err), err);
        base[input.slot.v] = gm_mpc_plan(c)[0];
        // The world is pushed a little aside from what the model says.
        for (uint32_t i = 0; i < state_count; i++) {
            base[states[i].v] = points[(size_t)i * (t->knots + 1) + 1] + 0.002 * gm_rng_normal(seed, 2, i, step);
        }
        gm_mpc_shift(c, 1);
        double angle = remainder(base[slot_named(p, t->angle).v], 2 * 3.14159265358979323846);
        held         = fabs(angle) < t->upright ? held + 1 : 0;
    }
    bool good = held * t->knot_s >= 2;
    if (!good) print_message("seed %" PRIu64 ": upright for the last %.2f s\n", seed, held * t->knot_s);
    free(points);
    free(base);
    gm_mpc_destroy(c);
    gm_program_destroy(p);
    return good;
}

static void pendulum_and_cart_are_swung_up(void **state)
{
    (void)state;
    const task *const tasks[] = { &pendulum, &cart };
    uint64_t          seeds   = getenv("GM_DEEP") != NULL ? 20 : 1;
    for (size_t i = 0; i < 2; i++) {
        uint64_t good = 0;
        for (uint64_t seed = 1; seed <= seeds; seed++) good += stands(tasks[i], seed);
        print_message("%s: %" PRIu64 " of %" PRIu64 "\n", i == 0 ? "pendulum" : "cart", good, seeds);
        assert_int_equal(good, seeds);
    }
}

// ---- what can not be ---------------------------------------------------------------------------------------------------------

static void impossible_requests_are_refused(void **state)
{
    (void)state;
    gm_program *p = program_of(integrator);
    gm_mpc_options o = gm_mpc_options_defaults();
    gm_mpc_input good = { .slot = slot_named(p, "u"), .low = 0, .high = 1, .rate_max = 1 }, bad = good;
    gm_mpc_term  term = { .kind = GM_MPC_INTEGRAL, .slot = slot_named(p, "x"), .weight = 1 }, wrong = term;
    gm_mpc      *c;
    gm_error     err = { 0 };
    assert_int_equal(gm_mpc_create(gm_alloc_system(), p, &o, &good, 0, &term, 1, &c, &err), GM_INVALID);
    assert_int_equal(gm_mpc_create(gm_alloc_system(), p, &o, &good, 1, &term, 0, &c, &err), GM_INVALID);
    bad.slot = slot_named(p, "x");
    assert_int_equal(gm_mpc_create(gm_alloc_system(), p, &o, &bad, 1, &term, 1, &c, &err), GM_INVALID);
    assert_string_equal(err.text, "'x' is neither an input nor a free parameter");
    bad      = good;
    bad.high = -1;
    assert_int_equal(gm_mpc_create(gm_alloc_system(), p, &o, &bad, 1, &term, 1, &c, &err), GM_INVALID);
    wrong.weight = NAN;
    assert_int_equal(gm_mpc_create(gm_alloc_system(), p, &o, &good, 1, &wrong, 1, &c, &err), GM_INVALID);
    o.knots = 0;
    assert_int_equal(gm_mpc_create(gm_alloc_system(), p, &o, &good, 1, &term, 1, &c, &err), GM_INVALID);
    assert_null(c);
    gm_program_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quadratic_costs_come_within_two_percent_of_the_optimum),
        cmocka_unit_test(plans_keep_bounds_rates_and_whole_numbers),
        cmocka_unit_test(the_same_request_gives_the_same_plan),
        cmocka_unit_test(pendulum_and_cart_are_swung_up),
        cmocka_unit_test(impossible_requests_are_refused),
    };
    return cmocka_run_group_tests_name("control.mpc", tests, NULL, NULL);
}
