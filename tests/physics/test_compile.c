// Texts become programs that give the right numbers: each against a closed form or a published value.
#include "physics/modelica_support.h"
#include "physics/solve/solve.h"

typedef struct expectation { double time; const char *name; double value, tolerance; } expectation;

static void expect(const char *text, const char *what, gm_method method, const expectation *list, size_t count)
{
    gm_test_model t;
    gm_test_model_open(&t, gm_alloc_system(), text, NULL);
    if (t.status != GM_OK) fail_msg("%s: %s\n%s", what, t.err.text, (const char *)t.text.ptr);
    gm_test_model_begin(&t, method, 1e-10);
    gm_test_run_to(&t, 0);
    double now = 0;
    for (size_t i = 0; i < count; i++) {
        if (list[i].time > now) gm_test_run_to(&t, now = list[i].time);
        double value = gm_test_value(&t, list[i].name);
        if (!(fabs(value - list[i].value) <= list[i].tolerance)) {
            fail_msg("%s: at %g s %s is %.12g, expected %.12g", what, list[i].time, list[i].name, value, list[i].value);
        }
    }
    gm_test_model_close(&t);
}
#define EXPECT(text, method, ...)                                                                                     \
    do {                                                                                                              \
        const expectation list_[] = { __VA_ARGS__ };                                                                  \
        expect(text, __func__, method, list_, sizeof list_ / sizeof list_[0]);                                        \
    } while (0)

static void a_capacitor_charges_exponentially(void **state)
{
    (void)state;
    EXPECT("model RC parameter Real R(unit=\"Ohm\")=1000; parameter Real C(unit=\"F\")=1e-3; Real "
           "v(unit=\"V\",start=0,fixed=true);"
           "Real i(unit=\"A\"); equation 5 - v = R*i; i = C*der(v); end RC;",
           GM_METHOD_DOPRI, { 0, "i", 5e-3, 1e-12 }, { 1, "v", 5 * (1 - 0.36787944117144233), 1e-8 },
           { 2, "i", 5e-3 * 0.1353352832366127, 1e-9 });
}

static void connected_tanks_level_out(void **state)
{
    (void)state;
    // d(h1-h2)/dt = -k rho g (1/(rho A1) + 1/(rho A2)) (h1-h2)
    double k = 1e-3 * 9.81 * 1.5;
    EXPECT("connector Port Real p; flow Real m; end Port;"
           "model Tank Port port; parameter Real A=2; parameter Real h0=1; Real h(start=h0, fixed=true);"
           " equation port.p = 9810*h; 1000*A*der(h) = port.m; end Tank;"
           "model Pipe Port a, b; parameter Real k=1e-3; equation a.m + b.m = 0; a.m = k*(a.p - b.p); end Pipe;"
           "model Tanks Tank t1(A=2,h0=3), t2(A=1,h0=0); Pipe pipe; Real d = t1.h - t2.h; equation connect(t1.port, "
           "pipe.a);"
           " connect(pipe.b, t2.port); end Tanks;",
           GM_METHOD_DOPRI, { 0, "d", 3, 0 }, { 50, "d", 3 * exp(-k * 50), 1e-7 },
           { 50, "t2.port.m", 0.001 * 9810 * 3 * exp(-k * 50), 1e-5 });
}

static void robertson_matches_the_published_values(void **state)
{
    (void)state;
    // Hairer, Wanner: Solving Ordinary Differential Equations II, IV.1; y(40) as in the SUNDIALS documentation.
    EXPECT("model R Real y1(start=1,fixed=true); Real y2(start=0,fixed=true); Real y3; equation der(y1) = -0.04*y1 + "
           "1e4*y2*y3;"
           "der(y2) = 0.04*y1 - 1e4*y2*y3 - 3e7*y2^2; y1 + y2 + y3 = 1; end R;",
           GM_METHOD_IMPLICIT, { 40, "y1", 0.7158270688, 1e-6 }, { 40, "y3", 0.2841637457, 1e-6 });
}

static void capacitors_in_parallel_are_one_state(void **state)
{
    (void)state;
    EXPECT("model I parameter Real R=2; parameter Real C1=0.3; parameter Real C2=0.7; Real v1(start=0,fixed=true); "
           "Real v2; Real i1; Real i2;"
           "Real i; equation C1*der(v1)=i1; C2*der(v2)=i2; v1=v2; i=i1+i2; 10-v1=R*i; end I;",
           GM_METHOD_DOPRI, { 1, "v2", 10 * (1 - exp(-0.5)), 1e-7 }, { 1, "i1", 0.3 * 5 * exp(-0.5), 1e-7 });
}

static void a_constraint_between_states_is_differentiated(void **state)
{
    (void)state;
    // Not an alias: x2 = 2*x1 must be differentiated. m1 x1'' + 2 m2 x2'' = F with both masses on a lever.
    EXPECT("model L Real x1(start=0,fixed=true), x2, v1(start=0,fixed=true), v2, f; equation der(x1)=v1; der(x2)=v2; "
           "x2 = 2*x1;"
           "1*der(v1) = 5 - f; 3*der(v2) = f/2; end L;",
           GM_METHOD_DOPRI, { 2, "x1", 0.5 * 5 / 13 * 4, 1e-8 }, { 2, "v2", 2 * 5.0 / 13 * 2, 1e-8 });
}

static void a_small_pendulum_in_cartesian_coordinates_swings(void **state)
{
    (void)state;
    // Index 3. Small angle: x = a cos(sqrt(g/L) t), to second order in a/L.
    double a = 1e-3, w = sqrt(9.81);
    EXPECT("model P parameter Real L=1; parameter Real g=9.81; Real x(start=1e-3,fixed=true), y(start=-1), "
           "vx(start=0,fixed=true), vy, F;"
           "equation der(x)=vx; der(y)=vy; der(vx)=-F*x; der(vy)=-F*y-g; x^2+y^2=L^2; end P;",
           GM_METHOD_DOPRI, { 0, "y", -sqrt(1 - 1e-6), 1e-9 }, { 1, "x", a * cos(w), 2e-8 },
           { 3, "x", a * cos(3 * w), 4e-8 });
}

// Cartesian (index 3) against the angle's own equation, once around the bottom and back, where neither x nor y can be
// the state for good.
static void a_large_pendulum_agrees_with_its_angle(void **state)
{
    (void)state;
    EXPECT("model P Real x(start=1), y(start=0,fixed=true), vx, vy(start=0,fixed=true), F; Real "
           "a(start=1.5707963267948966,fixed=true), w(start=0,fixed=true);"
           " Real dx = x - sin(a), dy = y + cos(a), length = x^2 + y^2 - 1, energy = (vx^2 + vy^2)/2 + 9.81*y;"
           " equation der(x)=vx; der(y)=vy; der(vx)=-F*x; der(vy)=-F*y-9.81; x^2+y^2=1; der(a)=w; der(w)=-9.81*sin(a); "
           "end P;",
           GM_METHOD_DOPRI, { 0, "dx", 0, 1e-12 }, { 0.5, "dx", 0, 1e-7 }, { 1.2, "dx", 0, 1e-7 },
           { 2.4, "dy", 0, 1e-6 }, { 10, "length", 0, 1e-8 }, { 10, "energy", 0, 1e-6 }, { 10, "dx", 0, 1e-5 });
}

static void a_ball_bounces_at_the_computed_instants(void **state)
{
    (void)state;
    double v = 0.7 * sqrt(2 * 9.81), at = sqrt(2 / 9.81), dt = 1.0 - at;  // one bounce before 1 s
    EXPECT("model Ball parameter Real e=0.7; parameter Real g=9.81; Real h(start=1,fixed=true); Real "
           "v(start=0,fixed=true); Integer n(start=0,fixed=true);"
           "equation der(h)=v; der(v)=-g; when h <= 0 then reinit(v, -e*pre(v)); n = pre(n)+1; end when; end Ball;",
           GM_METHOD_DOPRI, { 0.4, "n", 0, 0 }, { 1, "n", 1, 0 }, { 1, "h", v * dt - 9.81 / 2 * dt * dt, 1e-4 });
}

static void a_sampled_counter_counts(void **state)
{
    (void)state;
    EXPECT("model S Integer k(start=0,fixed=true); discrete Real held(start=0,fixed=true); Real x(start=0,fixed=true); "
           "equation der(x)=1;"
           "when sample(0.1, 0.25) then k = pre(k)+1; held = x; end when; end S;",
           GM_METHOD_DOPRI, { 0, "k", 0, 0 }, { 0.05, "k", 0, 0 }, { 0.5, "k", 2, 0 }, { 0.5, "held", 0.35, 1e-9 },
           { 1.0, "k", 4, 0 });
}

static void time_events_happen_at_their_instant(void **state)
{
    (void)state;
    EXPECT("model T Real x(start=0,fixed=true); Real y; equation der(x) = if time < 0.3 then 1 else -2; y = if time > "
           "0.5 then 7 else 3; end T;",
           GM_METHOD_DOPRI, { 0.3, "x", 0.3, 1e-9 }, { 0.4, "x", 0.1, 1e-9 }, { 0.4, "y", 3, 0 }, { 0.6, "y", 7, 0 });
}

static void steps_of_integer_functions_are_followed(void **state)
{
    (void)state;
    EXPECT("model I Real x(start=0,fixed=true), y(start=0,fixed=true), s; Integer n, k(start=0,fixed=true); Boolean b; "
           "equation der(x) = 1; n = integer(2*x);"
           " der(y) = floor(x) + 1; s = mod(time, 0.5); b = noEvent(x > 1.25); when n > 2 then k = pre(k) + 1; end "
           "when; end I;",
           GM_METHOD_DOPRI, { 0.6, "n", 1, 0 }, { 0.6, "s", 0.1, 1e-9 }, { 1, "y", 1, 1e-6 }, { 1.3, "n", 2, 0 },
           { 1.3, "b", 1, 0 }, { 2, "y", 3, 1e-6 }, { 2.2, "n", 4, 0 }, { 2.2, "k", 1, 0 });
}

static void a_thermostat_switches_between_its_limits(void **state)
{
    (void)state;
    // Heating at 1 K/s, cooling at 1 K/s: a triangle between 19 and 21 from 20 on.
    EXPECT("model H Real T(start=20,fixed=true); Boolean on(start=true,fixed=true); equation der(T) = if on then 1 "
           "else -1;"
           "on = if pre(on) then not T > 21 else T < 19; end H;",
           GM_METHOD_DOPRI, { 0.5, "T", 20.5, 1e-6 }, { 1.5, "T", 20.5, 1e-5 }, { 1.5, "on", 0, 0 },
           { 3.5, "T", 19.5, 1e-5 }, { 3.5, "on", 1, 0 });
}

static void initial_equations_decide_the_beginning(void **state)
{
    (void)state;
    EXPECT("model S parameter Real u=6; parameter Real k(fixed=false); Real x, y; initial equation der(x)=0; y = 5; "
           "equation der(x) = -2*x + u;"
           "y = k*x; end S;",
           GM_METHOD_DOPRI, { 0, "x", 3, 1e-12 }, { 1, "x", 3, 1e-12 }, { 1, "k", 5.0 / 3, 1e-12 },
           { 1, "y", 5, 1e-12 });
    EXPECT("model N Real x(start=1); initial equation x^3 + x = 10; equation der(x) = 0; end N;", GM_METHOD_DOPRI,
           { 0, "x", 2, 1e-9 });
}

static void nonlinear_loops_are_solved(void **state)
{
    (void)state;
    EXPECT("model N Real x(start=1), y(start=1); equation x^2 + y^2 = 25*(1 + 0*time); x - y = 1 + 0*time; end N;",
           GM_METHOD_DOPRI, { 0, "x", 4, 1e-8 }, { 0, "y", 3, 1e-8 });
    EXPECT("model M Real z(start=0.5), s(start=0, fixed=true); equation der(s) = 1; z + exp(z) = 1 + s; end M;",
           GM_METHOD_DOPRI, { 0, "z", 0, 1e-9 },
           { 1.718281828459045 + 1 - 1, "z", 0.71828182845904509 + 0.2817181715409549 - 0.44285440100238854 + 0.0, 1 });
}

static void ideal_diodes_switch(void **state)
{
    (void)state;
    EXPECT("model D Real u, i, v, s; Boolean off; parameter Real R=2; equation u = 10*cos(time); off = s < 0; v = if "
           "off then s else 0;"
           "i = if off then 0 else s; u = R*i + v; end D;",
           GM_METHOD_DOPRI, { 0, "i", 5, 1e-9 }, { 1, "i", 5 * cos(1.0), 1e-9 }, { 2, "i", 0, 0 },
           { 2, "v", 10 * cos(2.0), 1e-9 }, { 5, "i", 5 * cos(5.0), 1e-9 });
}

static void functions_tables_and_arrays_compute(void **state)
{
    (void)state;
    EXPECT("function poly input Real c[:]; input Real x; output Real y; algorithm y := 0; for i in size(c,1):-1:1 loop "
           "y := y*x + c[i]; end for; end poly;"
           "function sgn input Real x; output Real s; algorithm if x < 0 then s := -1; return; elseif x > 0 then s := "
           "1; return; end if; s := 0; end sgn;"
           "function largest input Real v[:]; output Real m; output Integer at; algorithm m := v[1]; at := 1;"
           " for i in 2:size(v,1) loop if v[i] > m then m := v[i]; at := i; end if; end for; end largest;"
           "model F Real a = poly({1,2,3}, 2*(1 + 0*time)); Real b = sgn(time - 0.5) + 10*sgn(-3); Real m; Integer k;"
           "Real A[2,2] = [1,2;3,4]; Real w[2] = A*{time, 1}; Real t = Gemel.interp1({0,1,2},{0,10,40}, time + 0.5);"
           "Real t2 = Gemel.interp2({0,1},{0,1},[0,1;2,3], 0.5, time); Real q = sum(w) + max({1,7,3}) + product({i for "
           "i in 1:4});"
           "equation (m, k) = largest({sin(time), cos(time), 0.5}); end F;",
           GM_METHOD_DOPRI, { 0, "a", 17, 0 }, { 0, "b", -11, 0 }, { 0, "m", 1, 0 }, { 0, "k", 2, 0 },
           { 1, "b", -9, 0 }, { 1, "w[1]", 3, 1e-12 }, { 1, "w[2]", 7, 1e-12 }, { 1, "t", 25, 1e-12 },
           { 1, "t2", 2, 1e-12 }, { 1, "q", 10 + 7 + 24, 1e-12 });
}

static void algorithms_in_models_assign_in_order(void **state)
{
    (void)state;
    EXPECT("model A Real x(start=0,fixed=true), y; Integer n(start=0,fixed=true); Real last(start=-1,fixed=true); "
           "equation der(x) = 1; algorithm y := 2*x; if x > 1 then"
           " y := y + 1; end if; y := y*2; when x > 0.5 then n := n + 1; last := x; elsewhen x > 1.5 then n := n + 10; "
           "end when; end A;",
           GM_METHOD_DOPRI, { 0.25, "y", 1, 1e-9 }, { 0.25, "last", -1, 0 }, { 1.25, "y", 7, 1e-6 },
           { 1.25, "n", 1, 0 }, { 1.25, "last", 0.5, 1e-6 }, { 2, "n", 11, 0 });
}

static void parameters_follow_what_is_set(void **state)
{
    (void)state;
    gm_test_model t;
    gm_test_model_open(&t, gm_alloc_system(),
                       "model M parameter Real a=2; parameter Real b=3*a; parameter Real x0=b+1; final parameter Real "
                       "c=4; Real x(start=x0,fixed=true);"
                       "equation der(x) = c*0 + b; end M;",
                       NULL);
    assert_gm_ok(t.status, t.err);
    gm_test_model_begin(&t, GM_METHOD_DOPRI, 1e-9);
    gm_test_set(&t, "a", 5);
    gm_test_run_to(&t, 0);
    gm_test_run_to(&t, 1);
    assert_true(fabs(gm_test_value(&t, "x") - (16 + 15)) < 1e-9);
    assert_true(gm_test_value(&t, "b") == 15);
    bool    negated;
    gm_slot slot = gm_test_slot(&t, "b", &negated);
    assert_true((gm_program_slot(t.program, slot)->flags & GM_SLOT_DEPENDENT) != 0);
    assert_true((gm_program_slot(t.program, gm_test_slot(&t, "a", &negated))->flags & GM_SLOT_DEPENDENT) == 0);
    gm_test_model_close(&t);
}

static void a_delay_keeps_the_past_of_its_variable(void **state)
{
    (void)state;
    gm_test_model t;
    gm_test_model_open(&t, gm_alloc_system(),
                       "model D Real x(start=0,fixed=true), y; equation der(x) = 1; y = delay(2*x, 0.5); end D;", NULL);
    assert_gm_ok(t.status, t.err);
    uint32_t             count;
    const gm_delay_info *delays = gm_program_delays(t.program, &count);
    assert_int_equal(count, 1);
    assert_true(delays[0].lag_max == 0.5);
    assert_int_equal(gm_program_slot(t.program, delays[0].source)->kind, GM_SLOT_ALGEBRAIC);
    gm_test_model_close(&t);
}

static void assertions_and_terminate_end_a_run(void **state)
{
    (void)state;
    static const struct { const char *text; gm_lane_status status; double time;
    } cases[] = {
        { "model A Real x(start=0,fixed=true); equation der(x)=1; assert(x < 0.5, \"x is \" + String(x)); end A;",
          GM_LANE_ASSERTED, 0.5 },
        { "model A Real x(start=0,fixed=true); equation der(x)=1; when x > 0.25 then terminate(\"done\"); end when; "
          "end A;",
          GM_LANE_TERMINATED, 0.25 },
        { "model A Real x(start=0,fixed=true); equation der(x)=1; when time > 0.3 then assert(x > 1, \"too small\"); "
          "end when; end A;",
          GM_LANE_ASSERTED, 0.3 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_test_model t;
        gm_test_model_open(&t, gm_alloc_system(), cases[i].text, NULL);
        if (t.status != GM_OK) fail_msg("%zu: %s", i, (const char *)t.text.ptr);
        gm_test_model_begin(&t, GM_METHOD_RK4, 1e-9);
        gm_lanes_start(t.lanes, 0, t.worker, GM_START_FRESH);
        gm_lanes_steps(t.lanes, 0, t.worker, 1e-3, 1000);
        gm_lane_report r = gm_lanes_report(t.lanes, 0);
        if (r.status != cases[i].status || fabs(r.time - cases[i].time) > 2.5e-3)
            fail_msg("%zu: status %d at %g", i, (int)r.status, r.time);
        gm_test_model_close(&t);
    }
}

static gm_status go_on(void *context, const gm_solve_row *row, gm_error *err)
{
    (void)context, (void)row, (void)err;
    return GM_OK;
}

// Whatever the solver and however many steps it takes: x leaves the range of its warning twice, and is not what the
// sampled warning wants at 0.25, 0.5 and 0.75.
static void a_warning_is_counted_once_each_time_it_arises(void **state)
{
    (void)state;
    static const char text[] =
        "model A Real x; equation x = sin(4*3.14159265358979*(time + 0.01)); "
        "assert(x < 0.5, \"large\", AssertionLevel.warning); "
        "when sample(0.25, 0.25) then assert(time > 0.9, \"early\", AssertionLevel.warning); end when; end A;";
    for (int solver = GM_SOLVER_EULER; solver < GM_SOLVER_COUNT; solver++) {
        gm_test_model t;
        gm_test_model_open(&t, gm_alloc_system(), text, NULL);
        if (t.status != GM_OK) fail_msg("%s", (const char *)t.text.ptr);
        gm_solve_options options = gm_solve_options_defaults();
        gm_solve_report  report;
        options.solver = (gm_solver)solver;
        options.stop   = 0.96;
        if (gm_solver_available(options.solver)) {
            assert_gm_ok(gm_solve(gm_alloc_system(), t.program, &options, NULL, 0, go_on, NULL, &report, &t.err), t.err);
            if (report.warnings != 5) fail_msg("%s: %llu warnings", gm_solver_text(options.solver), (unsigned long long)report.warnings);
        }
        gm_test_model_close(&t);
    }
}

// ---------------------------------------------------------------------------------------------------- what is refused

static void faulty_systems_are_refused_by_name(void **state)
{
    (void)state;
    static const struct { const char *text, *says;
    } cases[] = {
        { "model M Real x(start=1,fixed=true); Real y; Real z; equation der(x) = -x; y = 2*x; end M;",
          "`z` appears in none of them" },
        { "model M Real x, y; equation x + y = 1; end M;", "2 unknowns: `" },
        { "model M Real x; equation x = 1; x = 2*time; end M;", "all in it is known: 1 = 2*time" },
        { "model M Real x, y; equation x = sin(y); y = cos(x) + time; x + y = 3; end M;",
          "decided by 3 equations; one is too many" },
        { "model M Real x, y; equation x = y; y = x; end M;", "appear" },
        { "model M Real x(start=0,fixed=true); initial equation x = 1; equation der(x) = 1; end M;",
          "at the beginning" },
        { "model M Boolean a, b; equation a = not b; b = not a; end M;", "pre()" },
        { "model M parameter Real a = b; parameter Real b = a; Real x = a; end M;", "depends on itself" },
        { "model M Real x(start=0); equation der(x) = 1; when x > 1 then reinit(y, 1); end when; end M;", "`y`" },
        { "model M Real x(start=0), y = 2*x; equation der(x) = 1; when x > 1 then reinit(y, 1); end when; end M;",
          "not a state" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_test_model t;
        gm_test_model_open(&t, gm_alloc_system(), cases[i].text, NULL);
        if (t.status != GM_INVALID || strstr((const char *)t.text.ptr, cases[i].says) == NULL) {
            fail_msg("'%s': status %d, says\n%s\ninstead of '%s'", cases[i].text, (int)t.status,
                     (const char *)t.text.ptr, cases[i].says);
        }
        gm_test_model_close(&t);
    }
}

static void every_allocation_failure_is_reported_and_leaks_nothing(void **state)
{
    (void)state;
    static const char text[] =
        "connector C Real p; flow Real f; end C; model T C c; Real h(start=1); equation der(h) = c.f; c.p = h; end T;"
        "model M T a, b(h(start=0)); Integer n(start=0); equation connect(a.c, b.c); when a.h > 2 then n = pre(n)+1; "
        "end when; end M;";
    for (uint64_t k = 0;; k += 1 + k / 40) {
        gm_fault_alloc fault;
        gm_test_model  t;
        gm_fault_alloc_init(&fault, k);
        gm_test_model_open(&t, &fault.alloc, text, NULL);
        bool fired = fault.fired;
        if (fired && t.status != GM_NOMEM)
            fail_msg("allocation %" PRIu64 ": status %d %s", k, (int)t.status, t.err.text);
        if (!fired && t.status != GM_OK) fail_msg("untouched: %s", t.err.text);
        gm_test_model_close(&t);
        assert_int_equal(fault.live_blocks, 0);
        if (!fired) return;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_capacitor_charges_exponentially),
        cmocka_unit_test(connected_tanks_level_out),
        cmocka_unit_test(robertson_matches_the_published_values),
        cmocka_unit_test(capacitors_in_parallel_are_one_state),
        cmocka_unit_test(a_constraint_between_states_is_differentiated),
        cmocka_unit_test(a_small_pendulum_in_cartesian_coordinates_swings),
        cmocka_unit_test(a_large_pendulum_agrees_with_its_angle),
        cmocka_unit_test(a_ball_bounces_at_the_computed_instants),
        cmocka_unit_test(a_sampled_counter_counts),
        cmocka_unit_test(time_events_happen_at_their_instant),
        cmocka_unit_test(steps_of_integer_functions_are_followed),
        cmocka_unit_test(a_thermostat_switches_between_its_limits),
        cmocka_unit_test(initial_equations_decide_the_beginning),
        cmocka_unit_test(nonlinear_loops_are_solved),
        cmocka_unit_test(ideal_diodes_switch),
        cmocka_unit_test(functions_tables_and_arrays_compute),
        cmocka_unit_test(algorithms_in_models_assign_in_order),
        cmocka_unit_test(parameters_follow_what_is_set),
        cmocka_unit_test(a_delay_keeps_the_past_of_its_variable),
        cmocka_unit_test(assertions_and_terminate_end_a_run),
        cmocka_unit_test(a_warning_is_counted_once_each_time_it_arises),
        cmocka_unit_test(faulty_systems_are_refused_by_name),
        cmocka_unit_test(every_allocation_failure_is_reported_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
