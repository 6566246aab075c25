// Small plants of heat, circuits, turning and sliding masses (examples/*.mo), against closed forms or against their
// equations written by hand in C and integrated with steps so short that their error is far below what is compared.
#include "physics/solve/solve.h"
#include "modelica_support.h"

#define PI 3.14159265358979323846

// ---- the plants -------------------------------------------------------------------------------------------------------

typedef struct plant {
    gm_modelica *m;
    gm_diags     diags;
    gm_flat     *flat;
    gm_program  *program;
    double      *values;
} plant;

static gm_status keep(void *context, const gm_solve_row *row, gm_error *err)
{
    plant *p = context;
    (void)err;
    memcpy(p->values, row->values, gm_program_slot_count(p->program) * sizeof *p->values);
    return GM_OK;
}

static void plant_open(plant *p, const char *file, const char *class_name)
{
    const char *root = getenv("GM_SOURCE_ROOT");
    char        path[1024];
    gm_error    err = { 0 };
    *p              = (plant){ 0 };
    snprintf(path, sizeof path, "%s/tests/physics/examples/%s.mo", root != NULL ? root : ".", file);
    gm_diags_init(&p->diags, gm_alloc_system());
    p->m = gm_modelica_create(gm_alloc_system(), &err);
    assert_non_null(p->m);
    assert_gm_ok(gm_modelica_add_path(p->m, gm_io_system(), path, &p->diags, &err), err);
    assert_gm_ok(gm_modelica_flatten(p->m, gm_str_of(class_name), NULL, &p->diags, &p->flat, &err), err);
    assert_gm_ok(gm_compile(p->flat, gm_alloc_system(), NULL, &p->diags, &p->program, &err), err);
    assert_int_equal(p->diags.errors, 0);
    p->values = calloc(gm_program_slot_count(p->program), sizeof *p->values);
}

static void plant_close(plant *p)
{
    free(p->values);
    gm_program_destroy(p->program);
    gm_flat_destroy(p->flat);
    gm_modelica_destroy(p->m);
    gm_diags_finish(&p->diags);
}

typedef struct wanted { const char *name; double value; } wanted;

// The values at the end, by every adaptive solver.
static void expect(const char *file, const char *class_name, double stop, double tolerance, const wanted *list, size_t count)
{
    static const gm_solver solvers[] = { GM_SOLVER_AUTO, GM_SOLVER_DOPRI, GM_SOLVER_IMPLICIT, GM_SOLVER_IDA };
    plant p;
    plant_open(&p, file, class_name);
    for (size_t k = 0; k < sizeof solvers / sizeof solvers[0]; k++) {
        if (!gm_solver_available(solvers[k])) continue;
        gm_solve_options o = gm_solve_options_defaults();
        gm_solve_report  report;
        gm_error         err = { 0 };
        o.solver             = solvers[k];
        o.stop               = stop;
        o.tolerance          = 1e-9;
        o.steps_max          = 2000000;
        if (gm_solve(gm_alloc_system(), p.program, &o, NULL, 0, keep, &p, &report, &err) != GM_OK)
            fail_msg("%s by %s: %s", class_name, gm_solver_text(solvers[k]), err.text);
        for (size_t i = 0; i < count; i++) {
            gm_slot slot;
            bool    negated;
            if (!gm_program_find(p.program, gm_str_of(list[i].name), &slot, &negated)) fail_msg("there is no %s", list[i].name);
            double value = negated ? -p.values[slot.v] : p.values[slot.v];
            if (!(fabs(value - list[i].value) <= tolerance * fmax(1, fabs(list[i].value)))) {
                fail_msg("%s by %s: %s is %.12g, not %.12g", class_name, gm_solver_text(solvers[k]), list[i].name, value, list[i].value);
            }
        }
    }
    plant_close(&p);
}

#define EXPECT(file, class_name, stop, tolerance, ...)                                                                      \
    do {                                                                                                                     \
        const wanted list_[] = { __VA_ARGS__ };                                                                              \
        expect(file, class_name, stop, tolerance, list_, sizeof list_ / sizeof list_[0]);                                    \
    } while (0)

// ---- references -------------------------------------------------------------------------------------------------------

typedef void slopes(double t, const double *x, double *out);

// Classical Runge-Kutta from t over `steps` equal steps of length h.
static void integrate(slopes *f, int n, double *x, double t, double h, long steps)
{
    double k[4][6], y[6];
    assert_true(n <= 6);
    for (long s = 0; s < steps; s++, t += h) {
        f(t, x, k[0]);
        for (int stage = 1; stage < 4; stage++) {
            double part = stage == 3 ? h : h / 2;
            for (int i = 0; i < n; i++) y[i] = x[i] + part * k[stage - 1][i];
            f(t + part, y, k[stage]);
        }
        for (int i = 0; i < n; i++) x[i] += h / 6 * (k[0][i] + 2 * k[1][i] + 2 * k[2][i] + k[3][i]);
    }
}

// Dry friction with place x[0] and speed x[1]: where the speed changes its sign the mass stays if pull(t, x) is within the
// limit, until it is not.
typedef struct rubbing { slopes *f; double (*pull)(double t, const double *x); double limit; } rubbing;

static double direction_of(double v, double pull) { return v > 0 || (v == 0 && pull > 0) ? 1 : -1; }

// ---- heat -------------------------------------------------------------------------------------------------------------

static void two_bodies_meet_at_their_mean(void **state)
{
    (void)state;
    double mean = (15 * 373.15 + 5 * 273.15) / 20, rate = 10.0 / 15 + 10.0 / 5, gap = 100 * exp(-rate);
    EXPECT("Heat", "Heat.TwoMasses", 1, 1e-8, { "mass1.T", mean + gap * 5 / 20 }, { "mass2.T", mean - gap * 15 / 20 }, { "T_final", mean });
}

static void a_heater_switches_between_its_limits(void **state)
{
    (void)state;
    double t = 0, T = 293.15, stop = 60, tau = 10, low = 302.15, high = 304.15, cold = 283.15, hot = cold + 40;
    int    switches = 0;
    for (bool on = true;; on = !on, switches++) {
        double goal = on ? hot : cold, edge = on ? high : low, need = tau * log((goal - T) / (goal - edge));
        if (t + need > stop) {
            T = goal + (T - goal) * exp(-(stop - t) / tau);
            break;
        }
        t += need;
        T = edge;
    }
    assert_true(switches > 10);
    EXPECT("Heat", "Heat.Controlled", stop, 2e-7, { "mass.T", T }, { "switches", switches });
}

static double winding_loss;
static void motor_heat(double t, const double *x, double *out)
{
    (void)t;
    out[0] = (winding_loss - 10 * (x[0] - x[1])) / 2500;
    out[1] = (500 + 10 * (x[0] - x[1]) - 25 * (x[1] - 293.15)) / 25000;
}

static void a_motor_warms_in_pulses(void **state)
{
    (void)state;
    double x[2] = { 293.15, 293.15 };
    for (int cycle = 0; cycle < 11; cycle++) {
        winding_loss = 1000;
        integrate(motor_heat, 2, x, 0, 1, 360);
        winding_loss = 100;
        integrate(motor_heat, 2, x, 0, 1, 240);
    }
    winding_loss = 1000;
    integrate(motor_heat, 2, x, 0, 1, 300);
    EXPECT("Heat", "Heat.Motor", 6900, 1e-7, { "winding.T", x[0] }, { "core.T", x[1] });
}

// ---- circuits ---------------------------------------------------------------------------------------------------------

// Node equations: the capacitors between nodes couple the slopes of the three node voltages.
static void low_pass(double t, const double *x, double *out)
{
    (void)t;
    const double c1 = 1.05, c2 = 0.26, c3 = 1.7, c4 = 0.84, c5 = 0.73;
    double       a = c1 + c2, b = c2 + c3 + c4, c = c4 + c5;  // | a -c2 0 | -c2 b -c4 | 0 -c4 c |
    double       r1 = (1 - x[0]) - x[3], r2 = x[3] - x[4], r3 = x[4] - x[2];
    double       middle = (r2 + c2 * r1 / a + c4 * r3 / c) / (b - c2 * c2 / a - c4 * c4 / c);
    out[1] = middle;
    out[0] = (r1 + c2 * middle) / a;
    out[2] = (r3 + c4 * middle) / c;
    out[3] = (x[0] - x[1]) / 1.3;
    out[4] = (x[1] - x[2]) / 0.86;
}

static void a_ladder_with_loops_of_capacitors_passes_what_is_slow(void **state)
{
    (void)state;
    double x[5] = { 0 };
    integrate(low_pass, 5, x, 1, 1e-3, 9000);
    EXPECT("Electrical", "Circuits.LowPass", 10, 1e-7, { "c1.v", x[0] }, { "c3.v", x[1] }, { "c5.v", x[2] }, { "l1.i", x[3] }, { "l2.i", x[4] });
}

static void chua(double t, const double *x, double *out)
{
    (void)t;
    double v = x[0], g = v < -1 ? -0.409091 * (v + 1) + 0.757576 : v > 1 ? -0.409091 * (v - 1) - 0.757576 : -0.757576 * v;
    out[0] = ((x[1] - v) * 0.565 - g) / 10;
    out[1] = ((v - x[1]) * 0.565 - x[2]) / 100;
    out[2] = (x[1] - 0.0125 * x[2]) / 18;
}

static void a_negative_resistance_keeps_an_oscillation_going(void **state)
{
    (void)state;
    double x[3] = { 4, 0, 0 };
    integrate(chua, 3, x, 0, 0.005, 60000);
    EXPECT("Electrical", "Circuits.Chua", 300, 1e-6, { "c1.v", x[0] }, { "c2.v", x[1] }, { "l.i", x[2] });
}

// One side of the bridge: the voltage of a node that takes the current i, between two diodes to p and to 0.
static double half_bridge(double i, double p)
{
    const double on = 1e3, off = 1e-5;
    double up = (i + on * p) / (on + off), down = (i + off * p) / (on + off);
    return up > p ? up : down < 0 ? down : (i + off * p) / (2 * off);
}

static double bridge_current(double u, double p)
{
    double low = -30, high = 30;
    for (int k = 0; k < 45; k++) {
        double i = (low + high) / 2;
        if (u - 0.5 * i - half_bridge(i, p) + half_bridge(-i, p) > 0) low = i;
        else high = i;
    }
    return (low + high) / 2;
}

static void rectifier(double t, const double *x, double *out)
{
    double i = bridge_current(10 * sin(2 * PI * 50 * t), x[0]), a = half_bridge(i, x[0]), b = half_bridge(-i, x[0]), into = 0;
    for (int side = 0; side < 2; side++) {
        double v = (side == 0 ? a : b) - x[0];
        into += v > 0 ? 1e3 * v : 1e-5 * v;
    }
    out[0] = (into - x[0] / 50) / 2e-3;
}

static void four_diodes_charge_a_capacitor(void **state)
{
    (void)state;
    double x[1] = { 0 };
    integrate(rectifier, 1, x, 0, 1e-6, 48000);
    EXPECT("Electrical", "Circuits.Rectifier", 0.048, 2e-6, { "c.v", x[0] });
}

static double bisect(double (*f)(double x, double y), double y, double low, double high)
{
    for (int k = 0; k < 200; k++) {
        double middle = (low + high) / 2;
        if ((f(low, y) < 0) == (f(middle, y) < 0)) low = middle;
        else high = middle;
    }
    return low;
}

static double knee(double current, double nothing) { return 1.5 * current * (PI / 2 - atan(current)) - 0.5 + nothing; }
static double knee_current;
static double flux_left(double i, double psi) { return 0.5 * i + 1.5 * knee_current * atan(i / knee_current) - psi; }

static void an_inductor_saturates(void **state)
{
    (void)state;
    knee_current = bisect(knee, 0, 1e-6, 10);
    double psi   = (1 - cos(2 * PI * 1.5 * 0.9)) / (2 * PI * 1.5);
    EXPECT("Electrical", "Circuits.Saturation", 0.9, 1e-6, { "l.Psi", psi }, { "l.i", bisect(flux_left, psi, 0, 10) });
}

// ---- turning ----------------------------------------------------------------------------------------------------------

static void drive_train(double t, const double *x, double *out)
{
    double spring = 1e4 * (x[0] - x[2]);
    out[0] = x[1];
    out[1] = (10 * 10 * sin(2 * PI * 5 * t) - spring) / (2 + 0.1 * 100);
    out[2] = x[3];
    out[3] = (spring - 10 * x[3]) / 2;
}

static void a_motor_shakes_a_load_through_a_gear(void **state)
{
    (void)state;
    double x[4] = { 0 };
    integrate(drive_train, 4, x, 0, 1e-5, 100000);
    EXPECT("Mechanics", "Mechanics.Rotational.First", 1, 2e-6, { "inertia2.phi", x[0] }, { "inertia2.w", x[1] },
           { "inertia1.phi", 10 * x[0] }, { "inertia3.phi", x[2] }, { "inertia3.w", x[3] });
}

static double friction_sign;
static void braked(double t, const double *x, double *out)
{
    (void)t;
    out[0] = x[1];
    out[1] = (-20 * x[0] - 3 * friction_sign - 0.2 * x[1]) / 2;
}

static double braked_pull(double t, const double *x)
{
    (void)t;
    return -20 * x[0];
}

static void shaken(double t, const double *x, double *out)
{
    out[0] = x[1];
    out[1] = 10 * (0.5 * sin(2 * t) - x[0]) - 2 * friction_sign;
}

static double shaken_pull(double t, const double *x) { return 10 * (0.5 * sin(2 * t) - x[0]); }

// Where the speed passes zero within the step is found by halving; a mass that sticks waits in steps of the same length,
// and the instant of breaking loose is found the same way.
static void rub(const rubbing *r, double *x, double stop, double h)
{
    double t = 0;
    while (t < stop - 1e-12) {
        double step = fmin(h, stop - t), from[2] = { x[0], x[1] };
        if (x[1] == 0 && fabs(r->pull(t, x)) <= r->limit) {
            if (fabs(r->pull(t + step, x)) <= r->limit) {
                t += step;
                continue;
            }
            double low = 0, high = step;
            for (int k = 0; k < 50; k++) {
                double middle = (low + high) / 2;
                if (fabs(r->pull(t + middle, x)) <= r->limit) low = middle;
                else high = middle;
            }
            t += high;
            friction_sign = direction_of(0, r->pull(t, x));
            integrate(r->f, 2, x, t, 1e-9, 1);  // off zero, towards the pull
            t += 1e-9;
            continue;
        }
        friction_sign = direction_of(x[1], r->pull(t, x));
        integrate(r->f, 2, x, t, step, 1);
        if (x[1] * friction_sign >= 0) {
            t += step;
            continue;
        }
        double low = 0, high = step;
        for (int k = 0; k < 50; k++) {
            double middle = (low + high) / 2, y[2] = { from[0], from[1] };
            integrate(r->f, 2, y, t, middle, 1);
            if (y[1] * friction_sign >= 0) low = middle;
            else high = middle;
        }
        memcpy(x, from, sizeof from);
        integrate(r->f, 2, x, t, low, 1);
        x[1] = 0;
        t += low;
    }
}

static void a_flywheel_on_a_spring_is_stopped_by_its_bearing(void **state)
{
    (void)state;
    const rubbing r = { braked, braked_pull, 3 };
    double        x[2] = { 0, 8 };
    rub(&r, x, 3.5, 1e-4);
    EXPECT("Mechanics", "Mechanics.Rotational.Braked", 3.5, 1e-6, { "wheel.phi", x[0] }, { "wheel.w", x[1] });
    double rest[2] = { 0, 8 };
    rub(&r, rest, 20, 1e-4);
    EXPECT("Mechanics", "Mechanics.Rotational.Braked", 20, 1e-6, { "wheel.phi", rest[0] }, { "wheel.w", 0 }, { "bearing.mode", 0 });
}

static void a_clutch_slips_holds_and_slips_again(void **state)
{
    (void)state;
    // Open until 1 s; slips with 6 N.m until both turn with 4 rad/s at 3 s; holds with 1.5 N.m; from 4 s on it would need 9.
    EXPECT("Mechanics", "Mechanics.Rotational.Coupled", 0.5, 1e-7, { "motor.w", 11 }, { "driven.w", 0 });
    EXPECT("Mechanics", "Mechanics.Rotational.Coupled", 2, 1e-7, { "motor.w", 8 }, { "driven.w", 2 });
    EXPECT("Mechanics", "Mechanics.Rotational.Coupled", 3.5, 1e-7, { "motor.w", 4.25 }, { "driven.w", 4.25 }, { "clutch.f", -1.5 });
    EXPECT("Mechanics", "Mechanics.Rotational.Coupled", 6, 1e-7, { "motor.w", 16.5 }, { "driven.w", 8.5 }, { "motor.phi", 52.25 }, { "driven.phi", 21.25 });
}

// ---- sliding ----------------------------------------------------------------------------------------------------------

static void pushing_one_end_is_pulling_the_other(void **state)
{
    (void)state;
    EXPECT("Mechanics", "Mechanics.Translational.SignConvention", 1, 1e-8, { "mass1.s", 0.5 }, { "mass2.s", 0.5 }, { "mass3.s", 0 }, { "mass1.v", 1 });
}

static void damped(double t, const double *x, double *out)
{
    out[0] = x[1];
    out[1] = sin(100 * t) - 1e4 * x[0] - 10 * x[1];
}

static void resonance_grows_and_is_damped(void **state)
{
    (void)state;
    double x[2] = { -0.5, 0 }, t = 1;
    integrate(damped, 2, x, 0, 1e-5, 100000);
    double s = -0.5 * cos(100 * t) + sin(100 * t) / 20000 - t / 200 * cos(100 * t);
    EXPECT("Mechanics", "Mechanics.Translational.Oscillator", t, 5e-6, { "mass1.s", s }, { "mass2.s", x[0] });
}

static void a_given_motion_needs_its_force(void **state)
{
    (void)state;
    EXPECT("Mechanics", "Mechanics.Translational.Accelerate", 1, 1e-8, { "mass1.s", 0.5 + 1.0 / 6 }, { "mass2.v", 1.5 }, { "source.flange.f", -10 });
}

static void bumper(double t, const double *x, double *out)
{
    (void)t;
    out[0] = x[1];
    out[1] = x[0] > 0 ? -fmax(0, 400 * x[0] + 4 * x[1]) : 0;
}

static void a_mass_leaves_a_bumper_slower(void **state)
{
    (void)state;
    double x[2] = { 0, 2 };  // touches after 0.5 s
    integrate(bumper, 2, x, 0.5, 1e-6, 1000000);
    assert_true(x[1] < -1 && x[1] > -2);
    EXPECT("Mechanics", "Mechanics.Translational.Bumper", 1.5, 2e-6, { "mass.s", x[0] }, { "mass.v", x[1] });
}

static void a_mass_sticks_and_slips(void **state)
{
    (void)state;
    const rubbing r = { shaken, shaken_pull, 2 };
    static const double stops[] = { 0.1, 2, 9.7 };
    for (size_t k = 0; k < sizeof stops / sizeof stops[0]; k++) {
        double x[2] = { 0, 0 };
        rub(&r, x, stops[k], 1e-4);
        EXPECT("Mechanics", "Mechanics.Translational.StickSlip", stops[k], 2e-6, { "mass.s", x[0] }, { "mass.v", x[1] });
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_bodies_meet_at_their_mean),
        cmocka_unit_test(a_heater_switches_between_its_limits),
        cmocka_unit_test(a_motor_warms_in_pulses),
        cmocka_unit_test(a_ladder_with_loops_of_capacitors_passes_what_is_slow),
        cmocka_unit_test(a_negative_resistance_keeps_an_oscillation_going),
        cmocka_unit_test(four_diodes_charge_a_capacitor),
        cmocka_unit_test(an_inductor_saturates),
        cmocka_unit_test(a_motor_shakes_a_load_through_a_gear),
        cmocka_unit_test(a_flywheel_on_a_spring_is_stopped_by_its_bearing),
        cmocka_unit_test(a_clutch_slips_holds_and_slips_again),
        cmocka_unit_test(pushing_one_end_is_pulling_the_other),
        cmocka_unit_test(resonance_grows_and_is_damped),
        cmocka_unit_test(a_given_motion_needs_its_force),
        cmocka_unit_test(a_mass_leaves_a_bumper_slower),
        cmocka_unit_test(a_mass_sticks_and_slips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
