// Problems with known answers, as texts, by every method that can run them: published reference values of stiff
// problems, closed forms of hybrid ones, and beginnings with and without a solution.
#include "physics/exec/zeno.h"
#include "physics/solve/solve.h"
#include "modelica_support.h"

typedef struct ending { const gm_program *program; double *values, time; uint32_t events; } ending;

static gm_status keep(void *context, const gm_solve_row *row, gm_error *err)
{
    ending *e = context;
    (void)err;
    e->time = row->time;
    e->events += row->event;
    memcpy(e->values, row->values, gm_program_slot_count(e->program) * sizeof *e->values);
    return GM_OK;
}

static gm_status run(const gm_test_model *m, gm_solver solver, double stop, double tolerance, const gm_solve_setting *settings, uint32_t setting_count,
                     ending *e, gm_error *err)
{
    gm_solve_options o = gm_solve_options_defaults();
    gm_solve_report  report;
    o.solver    = solver;
    o.stop      = stop;
    o.tolerance = tolerance;
    o.points    = 20;
    *err        = (gm_error){ 0 };
    *e = (ending){ .program = m->program, .values = calloc(gm_program_slot_count(m->program), sizeof(double)) };
    return gm_solve(gm_alloc_system(), m->program, &o, settings, setting_count, keep, e, &report, err);
}

static double value_of(const ending *e, const char *name)
{
    gm_slot slot;
    bool    negated;
    if (!gm_program_find(e->program, gm_str_of(name), &slot, &negated)) fail_msg("there is no %s", name);
    return negated ? -e->values[slot.v] : e->values[slot.v];
}

static gm_test_model model_of(const char *text)
{
    gm_test_model m;
    gm_test_model_open(&m, gm_alloc_system(), text, NULL);
    if (m.status != GM_OK) fail_msg("%s", (const char *)m.text.ptr);
    return m;
}

static const gm_solver stiff[] = { GM_SOLVER_IMPLICIT, GM_SOLVER_CVODE, GM_SOLVER_IDA };
static const gm_solver adaptive[] = { GM_SOLVER_DOPRI, GM_SOLVER_IMPLICIT, GM_SOLVER_CVODE, GM_SOLVER_IDA };

// ---- stiff problems -----------------------------------------------------------------------------------------------------

typedef struct published { const char *name; double value; } published;

// Reference values: F. Mazzia, C. Magherini, Test Set for Initial Value Problem Solvers, release 2.4 (HIRES II-1, VDPOL II-2,
// ROBER II-11), and E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, section IV.10 with its test set (E5).
static const struct { const char *title, *text; double stop, tolerance, relative; published values[9]; } problems[] = {
    { "HIRES",
      "model Hires Real y[8](start = {1, 0, 0, 0, 0, 0, 0, 0.0057}, each fixed = true, each nominal = 1e-3); equation"
      "  der(y[1]) = -1.71 * y[1] + 0.43 * y[2] + 8.32 * y[3] + 0.0007; der(y[2]) = 1.71 * y[1] - 8.75 * y[2];"
      "  der(y[3]) = -10.03 * y[3] + 0.43 * y[4] + 0.035 * y[5]; der(y[4]) = 8.32 * y[2] + 1.71 * y[3] - 1.12 * y[4];"
      "  der(y[5]) = -1.745 * y[5] + 0.43 * y[6] + 0.43 * y[7];"
      "  der(y[6]) = -280 * y[6] * y[8] + 0.69 * y[4] + 1.71 * y[5] - 0.43 * y[6] + 0.69 * y[7];"
      "  der(y[7]) = 280 * y[6] * y[8] - 1.81 * y[7]; der(y[8]) = -280 * y[6] * y[8] + 1.81 * y[7]; end Hires;",
      321.8122, 1e-8, 1e-4,
      { { "y[1]", 0.7371312573325668e-3 }, { "y[2]", 0.1442485726316185e-3 }, { "y[3]", 0.5888729740967575e-4 }, { "y[4]", 0.1175651343283149e-2 },
        { "y[5]", 0.2386356198831331e-2 }, { "y[6]", 0.6238968252742796e-2 }, { "y[7]", 0.2849998395185769e-2 }, { "y[8]", 0.2850001604814231e-2 } } },
    { "Van der Pol, mu = 1000",
      "model Vdpol parameter Real mu = 1000; Real x(start = 2, fixed = true); Real v(start = 0, fixed = true, nominal = 1e-3);"
      "  equation der(x) = v; der(v) = mu * (1 - x ^ 2) * v - x; end Vdpol;",
      2000, 1e-8, 1e-4, { { "x", 1.706167732170469 }, { "v", -0.8928097010248125e-3 } } },
    { "Robertson",
      "model Rober Real y1(start = 1, fixed = true); Real y2(start = 0, fixed = true, nominal = 1e-13); Real y3(start = 0, fixed = true);"
      "  equation der(y1) = -0.04 * y1 + 1e4 * y2 * y3; der(y2) = 0.04 * y1 - 1e4 * y2 * y3 - 3e7 * y2 ^ 2; der(y3) = 3e7 * y2 ^ 2; end Rober;",
      1e11, 1e-9, 1e-3, { { "y1", 0.2083340149701255e-7 }, { "y2", 0.8333360770334713e-13 }, { "y3", 0.9999999791665050 } } },
    { "E5",
      "model E5 parameter Real A = 7.89e-10, B = 1.1e7, C = 1.13e3, M = 1e6; Real y1(start = 1.76e-3, fixed = true, nominal = 1e-20);"
      "  Real y2(start = 0, fixed = true, nominal = 1e-22); Real y3(start = 0, fixed = true, nominal = 1e-22); Real y4(start = 0, fixed = true, nominal = 1e-22);"
      "  equation der(y1) = -A * y1 - B * y1 * y3; der(y2) = A * y1 - M * C * y2 * y3; der(y3) = der(y2) - der(y4); der(y4) = B * y1 * y3 - C * y4; end E5;",
      1e13, 1e-7, 3e-3, { { "y2", 0.8867655517642120e-22 }, { "y3", 0.8854814626268838e-22 } } },
};

static void stiff_problems_reach_their_published_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof problems / sizeof problems[0]; i++) {
        gm_test_model m = model_of(problems[i].text);
        for (size_t k = 0; k < sizeof stiff / sizeof stiff[0]; k++) {
            ending   e;
            gm_error err;
            if (!gm_solver_available(stiff[k])) continue;
            if (run(&m, stiff[k], problems[i].stop, problems[i].tolerance, NULL, 0, &e, &err) != GM_OK) {
                fail_msg("%s by %s: %s", problems[i].title, gm_solver_text(stiff[k]), err.text);
            }
            for (const published *p = problems[i].values; p->name != NULL; p++) {
                double have = value_of(&e, p->name);
                // E5 is a difference of rounding errors for a method that forms y2 - y3 anew in every step.
                double may = i == 3 && stiff[k] == GM_SOLVER_IMPLICIT ? 0.15 : problems[i].relative;
                if (!(fabs(have / p->value - 1) < may)) {
                    fail_msg("%s by %s: %s = %.12g, not %.12g", problems[i].title, gm_solver_text(stiff[k]), p->name, have, p->value);
                }
            }
            free(e.values);
        }
        gm_test_model_close(&m);
    }
}

// Two nonlinear loops and a linear one beside a stiff state: with y = x^2 (from the loop y + y^3 = x^2 + x^6), z = y / 2 and
// w' = -1000 (w - z) after a short while x = 1 / (1 + t) (from x' = -y) and w follows x^2 / 2 at a distance of its slope / 1000.
static void loops_in_the_derivatives_keep_the_order_of_the_implicit_method(void **state)
{
    (void)state;
    gm_test_model m = model_of("model Loops Real x(start = 1, fixed = true), w(start = 0.5, fixed = true), y(start = 1), a, b, c;"
                               "  equation der(x) = -y; y + y ^ 3 = x ^ 2 + x ^ 6; der(w) = -1000 * (w - a); a + b = y; a - b + c = 0; c = 0.5 * (a - b); end Loops;");
    double error[2];
    for (int i = 0; i < 2; i++) {
        ending   e;
        gm_error err;
        assert_gm_ok(run(&m, GM_SOLVER_IMPLICIT, 3, i == 0 ? 1e-4 : 1e-8, NULL, 0, &e, &err), err);
        error[i] = fabs(value_of(&e, "x") - 0.25);
        if (!(fabs(value_of(&e, "w") - (0.03125 + 0.03125 * 0.5 / 1000)) < 1e-4)) fail_msg("w = %.9g", value_of(&e, "w"));
        free(e.values);
    }
    if (!(error[0] < 1e-3 && error[1] < 1e-7 && error[1] <= error[0])) fail_msg("errors of x: %g, %g", error[0], error[1]);
    gm_test_model_close(&m);
}

// x' = -x(t - 1) with the past 1: by the method of steps x = 1 - t, then 1 - t + (t - 1)^2 / 2, then less (t - 2)^3 / 6. An
// algebraic variable and a jump are delayed beside it.
static void delays_remember_what_was(void **state)
{
    (void)state;
    gm_test_model m = model_of("model Delays Real x(start = 1, fixed = true); Real y = delay(sin(3 * time), 0.3); Boolean b = time > 0.5;"
                               "  Real late = delay(if b then 2 else 1, 0.25); Real own = delay(time, 0.2 + 0.1 * sin(time), 0.3); equation der(x) = -delay(x, 1); end Delays;");
    static const gm_solver every[] = { GM_SOLVER_RK4, GM_SOLVER_DOPRI, GM_SOLVER_IMPLICIT, GM_SOLVER_CVODE, GM_SOLVER_IDA };
    static const double    ends[]  = { 0.7, 0.8, 1.5, 3 };
    for (size_t s = 0; s < sizeof every / sizeof every[0]; s++) {
        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
            ending           e   = { .program = m.program, .values = calloc(gm_program_slot_count(m.program), sizeof(double)) };
            gm_solve_options o   = gm_solve_options_defaults();
            gm_error         err = { 0 };
            gm_solve_report  report;
            double           t = ends[i], want = 1 - t;
            o.solver = every[s];
            o.stop   = t;
            if (!gm_solver_available(every[s])) {
                free(e.values);
                continue;
            }
            assert_gm_ok(gm_solve(gm_alloc_system(), m.program, &o, NULL, 0, keep, &e, &report, &err), err);
            if (t > 1) want += (t - 1) * (t - 1) / 2;
            if (t > 2) want -= (t - 2) * (t - 2) * (t - 2) / 6;
            const char *name = gm_solver_text(every[s]);
            if (!(fabs(value_of(&e, "x") - want) < 2e-4)) fail_msg("%s: x(%g) = %.9g, not %.9g", name, t, value_of(&e, "x"), want);
            if (!(fabs(value_of(&e, "y") - sin(3 * (t - 0.3))) < 1e-3)) fail_msg("%s: y(%g) = %.9g", name, t, value_of(&e, "y"));
            if (!(fabs(value_of(&e, "own") - (t - 0.2 - 0.1 * sin(t))) < 1e-9)) fail_msg("%s: own(%g) = %.9g", name, t, value_of(&e, "own"));
            if (value_of(&e, "late") != (t > 0.75 ? 2 : 1)) fail_msg("%s: late(%g) = %.9g", name, t, value_of(&e, "late"));
            free(e.values);
        }
    }
    gm_test_model_close(&m);
}

// 0.1 k as a sum of steps and as a multiple of an interval round differently; the samples fall on the same steps all the same.
static void fixed_steps_meet_the_instants_of_samples(void **state)
{
    (void)state;
    gm_test_model m = model_of("model Sampled Real x(start = 0, fixed = true); Integer k(start = 0, fixed = true); Real sum(start = 0, fixed = true);"
                               "  equation der(x) = 1; when sample(0, 0.1) then k = pre(k) + 1; sum = pre(sum) + x; end when; end Sampled;");
    static const gm_solver fixed[] = { GM_SOLVER_EULER, GM_SOLVER_RK4 };
    for (size_t s = 0; s < 2; s++) {
        ending           e   = { .program = m.program, .values = calloc(gm_program_slot_count(m.program), sizeof(double)) };
        gm_solve_options o   = gm_solve_options_defaults();
        gm_error         err = { 0 };
        gm_solve_report  report;
        o.solver   = fixed[s];
        o.stop     = 10;
        o.interval = o.step = 0.01;
        assert_gm_ok(gm_solve(gm_alloc_system(), m.program, &o, NULL, 0, keep, &e, &report, &err), err);
        if (value_of(&e, "k") != 101 || fabs(value_of(&e, "sum") - 505) > 1e-9) fail_msg("%g samples, sum %.17g", value_of(&e, "k"), value_of(&e, "sum"));
        free(e.values);
    }
    gm_test_model_close(&m);
}

// ---- hybrid problems ----------------------------------------------------------------------------------------------------

// A mass on a spring with dry friction of a = mu g m / k: every half swing is shorter by 2 a, until the spring no longer
// pulls it loose. From 1 with a = 0.15: -0.7, 0.4, -0.1, and there it sticks after three half periods.
static void dry_friction_sticks_where_the_closed_form_says(void **state)
{
    (void)state;
    gm_test_model m = model_of("model StickSlip parameter Real a = 0.15; Real x(start = 1, fixed = true); Real v(start = 0, fixed = true);"
                               "  Integer way(start = -1, fixed = true); equation der(x) = v; der(v) = if way == 0 then 0 else -x - a * way;"
                               "  when pre(way) * v < 0 then way = if x > a then -1 elseif x < -a then 1 else 0; reinit(v, 0); end when; end StickSlip;");
    for (size_t k = 0; k < sizeof adaptive / sizeof adaptive[0]; k++) {
        static const struct { double at, x; } known[] = { { 0.5 * M_PI, 0.15 }, { 1.5 * M_PI, -0.15 }, { 2.5 * M_PI, 0.15 }, { 20, -0.1 } };
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            ending   e;
            gm_error err;
            if (!gm_solver_available(adaptive[k])) continue;
            assert_gm_ok(run(&m, adaptive[k], known[i].at, 1e-8, NULL, 0, &e, &err), err);
            if (!(fabs(value_of(&e, "x") - known[i].x) < 1e-5)) fail_msg("%s: x(%g) = %.9g", gm_solver_text(adaptive[k]), known[i].at, value_of(&e, "x"));
            if (i == 3) assert_true(value_of(&e, "way") == 0 && value_of(&e, "v") == 0);
            free(e.values);
        }
    }
    gm_test_model_close(&m);
}

// Heats towards 60, cools towards 10, time constant 50: between 19 and 21 by logarithms.
static void a_thermostat_switches_at_its_instants(void **state)
{
    (void)state;
    gm_test_model m = model_of("model Thermostat Real T(start = 19, fixed = true); Boolean on(start = true, fixed = true); Integer n(start = 0, fixed = true);"
                               "  Real last(start = 0, fixed = true); equation der(T) = ((if on then 60 else 10) - T) / 50;"
                               "  on = T < 19 or (pre(on) and T < 21); when change(on) then n = pre(n) + 1; last = time; end when; end Thermostat;");
    double heat = 50 * log(41.0 / 39), cool = 50 * log(11.0 / 9);
    for (size_t k = 0; k < sizeof adaptive / sizeof adaptive[0]; k++) {
        ending   e;
        gm_error err;
        if (!gm_solver_available(adaptive[k])) continue;
        assert_gm_ok(run(&m, adaptive[k], 2 * (heat + cool) + heat + 1, 1e-8, NULL, 0, &e, &err), err);
        if (value_of(&e, "n") != 5) fail_msg("%s switches %g times", gm_solver_text(adaptive[k]), value_of(&e, "n"));
        double due = 2 * (heat + cool) + heat;
        if (!(fabs(value_of(&e, "last") - due) < 1e-4)) fail_msg("%s: %.9g, not %.9g", gm_solver_text(adaptive[k]), value_of(&e, "last"), due);
        free(e.values);
    }
    gm_test_model_close(&m);
}

// The ball comes to rest after t0 (1 + e) / (1 - e), t0 = sqrt(2 h / g), through infinitely many bounces.
static void a_ball_that_never_rests_by_itself_is_refused_before_it_falls_through(void **state)
{
    (void)state;
    gm_test_model m = model_of("model Zeno parameter Real e = 0.8; Real h(start = 1, fixed = true), v(start = 0, fixed = true);"
                               "  equation der(h) = v; der(v) = -9.81; when h < 0 then reinit(v, -e * pre(v)); end when; end Zeno;");
    static const double shares[] = { 0.2, 0.5, 0.8, 0.95 };
    for (size_t k = 0; k < sizeof adaptive / sizeof adaptive[0]; k++) {
        for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
            ending           e;
            gm_error         err;
            bool             negated;
            gm_solve_setting share = { gm_test_slot(&m, "e", &negated), shares[i] };
            if (!gm_solver_available(adaptive[k])) continue;
            gm_status st   = run(&m, adaptive[k], 100, 1e-6, &share, 1, &e, &err);
            double    rest = sqrt(2 / 9.81) * (1 + shares[i]) / (1 - shares[i]);
            if (st != GM_DIVERGED || strstr(err.text, "without end") == NULL) fail_msg("%s, e = %g: %d '%s'", gm_solver_text(adaptive[k]), shares[i], st, err.text);
            if (!(fabs(e.time - rest) < 0.01 * rest) || value_of(&e, "h") < -1e-6) fail_msg("%s, e = %g: ends at %g, not %g", gm_solver_text(adaptive[k]), shares[i], e.time, rest);
            free(e.values);
        }
    }
    gm_test_model_close(&m);
}

static void fast_switches_and_single_bursts_are_no_zeno(void **state)
{
    (void)state;
    gm_zeno regular = { 0 }, slowing = { 0 }, random = { 0 };
    for (int i = 0; i < 5000; i++) assert_false(gm_zeno_event(&regular, 1 + i * 1e-7 + (i % 2) * 2e-8));
    for (int i = 0; i < 5000; i++) assert_false(gm_zeno_event(&slowing, 1e-9 * i * (double)i + 1e-6 * i));
    uint64_t seed = 7;
    double   at   = 0;
    for (int i = 0; i < 5000; i++) assert_false(gm_zeno_event(&random, at += 1e-6 * (0.1 + (double)(gm_test_random(&seed) % 1000) / 1000)));
}

// ---- beginnings ---------------------------------------------------------------------------------------------------------

static void beginnings_with_a_solution_find_it(void **state)
{
    (void)state;
    static const struct { const char *text, *name; double value, tolerance; } cases[] = {
        // steady state of a nonlinear equation: x exp(x) = 2
        { "model A Real x(start = 1); initial equation der(x) = 0; equation der(x) = 2 - x * exp(x); end A;", "x", 0.8526055020137255, 1e-9 },
        // two unknown states from two nonlinear conditions: the circle of radius 5 and x y = 12, near (4, 3)
        { "model B Real x(start = 4.2), y(start = 2.7); initial equation x ^ 2 + y ^ 2 = 25; x * y = 12; equation der(x) = 0; der(y) = 0; end B;", "x", 4, 1e-8 },
        // a parameter found from what it must bring about
        { "model C parameter Real k(fixed = false, start = 1); Real x(start = 2, fixed = true); initial equation der(x) = -3; equation der(x) = -k * x; end C;", "k", 1.5, 1e-12 },
        // index 3: the length decides y, the velocities follow
        { "model D Real x(start = 0.6, fixed = true), y(start = -1), vx(start = 0, fixed = true), vy, F; equation der(x) = vx; der(y) = vy;"
          "  der(vx) = F * x; der(vy) = F * y - 9.81; x ^ 2 + y ^ 2 = 1; end D;", "y", -0.8, 1e-9 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_test_model m = model_of(cases[i].text);
        for (size_t k = 0; k < sizeof adaptive / sizeof adaptive[0]; k++) {
            gm_solve_options o = gm_solve_options_defaults();
            gm_solve_report  report;
            gm_error         err = { 0 };
            ending           e   = { .program = m.program, .values = calloc(gm_program_slot_count(m.program), sizeof(double)) };
            o.solver = adaptive[k];
            o.stop   = 1e-9;
            o.points = 1;
            if (!gm_solver_available(adaptive[k])) {
                free(e.values);
                continue;
            }
            gm_status st = gm_solve(gm_alloc_system(), m.program, &o, NULL, 0, keep, &e, &report, &err);
            if (st != GM_OK) fail_msg("case %zu by %s: %s", i, gm_solver_text(adaptive[k]), err.text);
            if (!(fabs(value_of(&e, cases[i].name) - cases[i].value) < cases[i].tolerance + 1e-7)) {
                fail_msg("case %zu by %s: %s = %.12g", i, gm_solver_text(adaptive[k]), cases[i].name, value_of(&e, cases[i].name));
            }
            free(e.values);
        }
        gm_test_model_close(&m);
    }
}

static void beginnings_without_a_solution_are_refused_with_their_reason(void **state)
{
    (void)state;
    static const struct { const char *text, *says; } cases[] = {
        { "model A Real x(start = 1); initial equation x ^ 2 + exp(x) = -1; equation der(x) = 1; end A;", "no solution" },
        { "model B Real x(start = 1), y(start = 1); initial equation sin(x) + y ^ 2 = 5; y ^ 2 + cos(x) = -3; equation der(x) = 1; der(y) = 1; end B;", "no solution" },
        { "model C parameter Real p = 0; Real x; initial equation p * x = 1; equation der(x) = 1; end C;", "no solution" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_test_model m = model_of(cases[i].text);
        for (size_t k = 0; k < sizeof adaptive / sizeof adaptive[0]; k++) {
            ending   e;
            gm_error err;
            if (!gm_solver_available(adaptive[k])) continue;
            gm_status st = run(&m, adaptive[k], 1, 1e-6, NULL, 0, &e, &err);
            if (st != GM_DIVERGED || strstr(err.text, cases[i].says) == NULL) fail_msg("case %zu by %s: %d '%s'", i, gm_solver_text(adaptive[k]), st, err.text);
            free(e.values);
        }
        gm_test_model_close(&m);
    }
    // Too many conditions, and ones that contradict each other, are errors of the text.
    gm_test_model m;
    gm_test_model_open(&m, gm_alloc_system(), "model D Real x(start = 1, fixed = true); initial equation x = 2; equation der(x) = 1; end D;", NULL);
    assert_int_equal(m.status, GM_INVALID);
    assert_non_null(strstr((const char *)m.text.ptr, "`x`"));
    gm_test_model_close(&m);
}

static void a_start_value_set_from_outside_holds_unless_the_equations_decide(void **state)
{
    (void)state;
    gm_test_model m = model_of("model A Real x(start = 1, fixed = true), y(start = 2); initial equation y = 3 * x; equation der(x) = 0; der(y) = 0; end A;");
    for (size_t k = 0; k < sizeof adaptive / sizeof adaptive[0]; k++) {
        ending           e;
        gm_error         err;
        bool             negated;
        gm_solve_setting set[] = { { gm_test_slot(&m, "x", &negated), 5 }, { gm_test_slot(&m, "y", &negated), 7 } };
        if (!gm_solver_available(adaptive[k])) continue;
        assert_gm_ok(run(&m, adaptive[k], 1, 1e-6, set, 2, &e, &err), err);
        assert_true(value_of(&e, "x") == 5 && value_of(&e, "y") == 15);
        free(e.values);
    }
    gm_test_model_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stiff_problems_reach_their_published_values),
        cmocka_unit_test(loops_in_the_derivatives_keep_the_order_of_the_implicit_method),
        cmocka_unit_test(delays_remember_what_was),
        cmocka_unit_test(fixed_steps_meet_the_instants_of_samples),
        cmocka_unit_test(dry_friction_sticks_where_the_closed_form_says),
        cmocka_unit_test(a_thermostat_switches_at_its_instants),
        cmocka_unit_test(a_ball_that_never_rests_by_itself_is_refused_before_it_falls_through),
        cmocka_unit_test(fast_switches_and_single_bursts_are_no_zeno),
        cmocka_unit_test(beginnings_with_a_solution_find_it),
        cmocka_unit_test(beginnings_without_a_solution_are_refused_with_their_reason),
        cmocka_unit_test(a_start_value_set_from_outside_holds_unless_the_equations_decide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
