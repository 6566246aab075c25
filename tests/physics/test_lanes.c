#include "lanes_support.h"
#include "models.h"
#include "physics/exec/lanes.h"

#include <sys/prctl.h>

typedef struct bench { gm_program *program; gm_plan *plan; gm_lanes *lanes; gm_worker *worker; } bench;

static void bench_open(bench *b, gm_program *program, gm_executor executor, gm_method method, double tolerance, uint32_t lanes)
{
    gm_error        err     = { 0 };
    gm_plan_options options = { executor, method, tolerance };
    b->program              = program;
    assert_gm_ok(gm_plan_create(gm_alloc_system(), program, &options, &b->plan, &err), err);
    assert_gm_ok(gm_lanes_create(gm_alloc_system(), b->plan, lanes, &b->lanes, &err), err);
    assert_gm_ok(gm_worker_create(gm_alloc_system(), b->plan, &b->worker, &err), err);
}

static void bench_close(bench *b)
{
    gm_lanes_destroy(b->lanes);
    gm_worker_destroy(b->worker);
    gm_plan_destroy(b->plan);
    gm_program_destroy(b->program);
}

static double error_with(gm_method method, uint32_t steps)
{
    bench b;
    bench_open(&b, driven_spring(), GM_EXECUTOR_AUTO, method, 1e-6, 1);
    gm_lanes_start(b.lanes, 0, b.worker, GM_START_FRESH);
    gm_lanes_steps(b.lanes, 0, b.worker, 2.0 / steps, steps);
    double error = fabs(gm_lanes_get(b.lanes, slot_named(b.program, "x"), 0) - driven_spring_at(2));
    assert_true(gm_lanes_get(b.lanes, GM_TIME_SLOT, 0) == 2);
    bench_close(&b);
    return error;
}

static void fixed_steps_show_the_order_they_claim(void **state)
{
    (void)state;
    static const struct { gm_method method; double order; uint32_t steps; } cases[] = { { GM_METHOD_EULER, 1, 2000 }, { GM_METHOD_RK4, 4, 40 } };
    for (size_t i = 0; i < 2; i++) {
        double order = log2(error_with(cases[i].method, cases[i].steps) / error_with(cases[i].method, 2 * cases[i].steps));
        printf("%s: order %.3f\n", gm_method_text(cases[i].method), order);
        if (fabs(order - cases[i].order) > 0.15) fail_msg("%s: order %.3f", gm_method_text(cases[i].method), order);
    }
}

static void a_lane_depends_on_no_other(void **state)
{
    (void)state;
    gm_executor executors[GM_EXECUTOR_COUNT];
    uint32_t    n = gm_test_executors(executors);
    double      alone[150], x;
    for (uint32_t e = 0; e < n; e++) {
        bench many;
        bench_open(&many, driven_spring(), executors[e], GM_METHOD_RK4, 0, 150);
        gm_slot w = slot_named(many.program, "w"), at = slot_named(many.program, "x"), energy = slot_named(many.program, "energy");
        for (uint32_t i = 0; i < 150; i++) gm_lanes_set(many.lanes, w, i, 1 + 0.01 * i);
        for (uint32_t block = 0; block < gm_lanes_blocks(many.lanes); block++) {
            gm_lanes_start(many.lanes, block, many.worker, GM_START_FRESH);
            gm_lanes_steps(many.lanes, block, many.worker, 0.01, 100);
            gm_lanes_observe(many.lanes, block, many.worker);
        }
        for (uint32_t i = 0; i < 150; i += 37) {
            bench one;
            bench_open(&one, driven_spring(), executors[e], GM_METHOD_RK4, 0, 1);
            gm_lanes_fill(one.lanes, w, 1 + 0.01 * i);
            gm_lanes_start(one.lanes, 0, one.worker, GM_START_FRESH);
            gm_lanes_steps(one.lanes, 0, one.worker, 0.01, 100);
            x = gm_lanes_get(one.lanes, at, 0);
            assert_true(x == gm_lanes_get(many.lanes, at, i));
            if (e == 0) alone[i] = x;
            assert_true(x == alone[i]);  // and on no executor
            double v = gm_lanes_get(many.lanes, slot_named(many.program, "v"), i);
            assert_true(gm_lanes_get(many.lanes, energy, i) == v * v * 0.5);
            bench_close(&one);
        }
        bench_close(&many);
    }
}

static void events_act_and_lanes_leave_one_by_one(void **state)
{
    (void)state;
    gm_executor executors[GM_EXECUTOR_COUNT];
    uint32_t    n = gm_test_executors(executors);
    for (uint32_t k = 0; k < n; k++) {
        bench b;
        bench_open(&b, bouncing_ball(), executors[k], GM_METHOD_RK4, 0, 64);
        gm_slot e = slot_named(b.program, "e"), limit = slot_named(b.program, "limit"), bounces = slot_named(b.program, "bounces");
        for (uint32_t i = 0; i < 64; i++) {
            gm_lanes_set(b.lanes, e, i, i == 5 ? NAN : 0.8);
            gm_lanes_set(b.lanes, limit, i, 1 + i % 4);
        }
        gm_lanes_start(b.lanes, 0, b.worker, GM_START_FRESH);
        gm_lanes_steps(b.lanes, 0, b.worker, 1e-3, 1500);
        // Falls for sqrt(2/g) = 0.4515 s; flights of 2 * 0.8 * 0.4515 = 0.7224 s and 0.5779 s follow.
        static const double leaves[] = { 0.4515, 1.1739, INFINITY, INFINITY };
        for (uint32_t i = 0; i < 64; i++) {
            if (i == 5) continue;
            gm_lane_report r = gm_lanes_report(b.lanes, i);
            if (leaves[i % 4] < 1.5) {
                assert_int_equal(r.status, GM_LANE_TERMINATED);
                assert_int_equal(r.check, 0);
                assert_true(fabs(r.time - leaves[i % 4]) < 0.003);
                assert_true(gm_lanes_get(b.lanes, bounces, i) == 1 + i % 4);
            } else {
                assert_int_equal(r.status, GM_LANE_ACTIVE);
                assert_true(gm_lanes_get(b.lanes, bounces, i) == 2);
                assert_true(r.time == 1.5);
            }
        }
        // Lane 5's speed became no number at its first bounce, and harmed nobody.
        assert_true(gm_lanes_report(b.lanes, 5).status == GM_LANE_DIVERGED || gm_lanes_report(b.lanes, 5).status == GM_LANE_ZENO);
        bench_close(&b);
    }
}

// A pump curve with a jump and a map, both looked up at every stage: helpers between stretches of code.
static gm_program *table_driven(void)
{
    gm_builder *b = gm_builder_create(gm_alloc_system(), NULL);
    gm_slot     x = declare(b, GM_SLOT_STATE, "x", 0), y = declare(b, GM_SLOT_STATE, "y", 0), gain = declare(b, GM_SLOT_PARAMETER, "gain", 2);
    gm_grid     line  = gm_build_grid(b, &(gm_grid_spec){ .name = GM_STR("line"), .nx = 3, .x = (double[]){ 0, 1, 2 }, .z = (double[]){ 1, 3, 1 } });
    gm_grid     plane = gm_build_grid(b, &(gm_grid_spec){ .name = GM_STR("plane"), .nx = 2, .ny = 2, .x = (double[]){ 0, 10 },
                                                          .y = (double[]){ 0, 10 }, .z = (double[]){ 0, 10, 10, 20 } });
    gm_build_section(b, GM_SECTION_DERIVATIVE);
    gm_val at = gm_emit_load(b, GM_TIME_SLOT), none = at;
    gm_val f  = gm_emit_lookup(b, line, GM_LOOKUP_VALUE, at, none);  // 1 + 2t
    gm_val g  = gm_emit_lookup(b, plane, GM_LOOKUP_VALUE, f, at);    // 1 + 3t: a lookup of a lookup
    gm_build_derivative(b, x, gm_emit2(b, GM_OP_MUL, f, gm_emit_load(b, gain)));
    gm_build_derivative(b, y, g);
    gm_build_end(b);
    return finished(b);
}

static void tables_are_looked_up_inside_a_step(void **state)
{
    (void)state;
    gm_executor executors[GM_EXECUTOR_COUNT];
    uint32_t    n = gm_test_executors(executors);
    for (uint32_t k = 0; k < n; k++) {
        bench b;
        bench_open(&b, table_driven(), executors[k], GM_METHOD_RK4, 0, 64);
        gm_lanes_start(b.lanes, 0, b.worker, GM_START_FRESH);
        gm_lanes_steps(b.lanes, 0, b.worker, 0.1, 10);
        assert_true(fabs(gm_lanes_get(b.lanes, slot_named(b.program, "x"), 7) - 4) < 1e-12);    // 2 (t + t^2)
        assert_true(fabs(gm_lanes_get(b.lanes, slot_named(b.program, "y"), 7) - 2.5) < 1e-12);  // t + 3/2 t^2
        bench_close(&b);
    }
}

static void a_run_survives_every_allocation_failure(void **state)
{
    (void)state;
    gm_program *program = bouncing_ball();
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc fault;
        gm_fault_alloc_init(&fault, k);
        gm_plan_options options = gm_plan_options_defaults();
        gm_plan        *plan    = NULL;
        gm_lanes       *lanes   = NULL;
        gm_worker      *worker  = NULL;
        gm_status       st      = gm_plan_create(&fault.alloc, program, &options, &plan, NULL);
        if (st == GM_OK) st = gm_lanes_create(&fault.alloc, plan, 100, &lanes, NULL);
        if (st == GM_OK) st = gm_worker_create(&fault.alloc, plan, &worker, NULL);
        gm_worker_destroy(worker);
        gm_lanes_destroy(lanes);
        gm_plan_destroy(plan);
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.fired) {
            assert_int_equal(st, GM_OK);
            break;
        }
        assert_int_equal(st, GM_NOMEM);
    }
    gm_program_destroy(program);
}


// ------------------------------------------------------------------------------------------ adaptive

static double value_at(gm_program *program, gm_method method, double tolerance, double end, const char *name, gm_lane_report *out_report)
{
    bench b;
    bench_open(&b, program, GM_EXECUTOR_AUTO, method, tolerance, 1);
    gm_lanes_start(b.lanes, 0, b.worker, GM_START_FRESH);
    gm_lanes_until(b.lanes, 0, b.worker, end);
    double value = gm_lanes_get(b.lanes, slot_named(b.program, name), 0);
    gm_lane_report report = gm_lanes_report(b.lanes, 0);
    if (out_report != NULL) *out_report = report;
    else if (report.status != GM_LANE_ACTIVE || report.time != end) fail_msg("%s: status %d at %g", name, (int)report.status, report.time);
    bench_close(&b);
    return value;
}

static void adaptive_steps_keep_the_tolerance(void **state)
{
    (void)state;
    static const gm_method methods[] = { GM_METHOD_DOPRI, GM_METHOD_IMPLICIT };
    for (int m = 0; m < 2; m++) {
        for (double tolerance = 1e-3; tolerance > 1e-10; tolerance *= 0.1) {
            double error = fabs(value_at(driven_spring(), methods[m], tolerance, 2, "x", NULL) - driven_spring_at(2));
            if (!(error < 10 * tolerance)) fail_msg("%s: error %g at tolerance %g", gm_method_text(methods[m]), error, tolerance);
        }
    }
}

// Steps of one length: each call ends where a step of the wanted length would; a loose tolerance refuses nothing.
static double error_of_steps(gm_method method, uint32_t steps)
{
    bench b;
    bench_open(&b, driven_spring(), GM_EXECUTOR_AUTO, method, 0.9, 1);
    gm_lanes_start(b.lanes, 0, b.worker, GM_START_FRESH);
    for (uint32_t i = 1; i <= steps; i++) {
        gm_lanes_fill(b.lanes, (gm_slot){ gm_program_slot_count(b.program) }, 1);  // the row of the wanted step
        gm_lanes_until(b.lanes, 0, b.worker, 2.0 * i / steps);
    }
    double error = fabs(gm_lanes_get(b.lanes, slot_named(b.program, "x"), 0) - driven_spring_at(2));
    bench_close(&b);
    return error;
}

static void adaptive_methods_have_their_order(void **state)
{
    (void)state;
    static const struct { gm_method method; double order; } cases[] = { { GM_METHOD_DOPRI, 5 }, { GM_METHOD_IMPLICIT, 4 } };
    for (size_t i = 0; i < 2; i++) {
        double order = log2(error_of_steps(cases[i].method, 20) / error_of_steps(cases[i].method, 40));
        printf("%s: order %.3f\n", gm_method_text(cases[i].method), order);
        if (fabs(order - cases[i].order) > 0.35) fail_msg("%s: order %.3f", gm_method_text(cases[i].method), order);
    }
}

static void stiff_models_reach_their_published_values(void **state)
{
    (void)state;
    double y1 = value_at(robertson(), GM_METHOD_IMPLICIT, 1e-7, 1e11, "y1", NULL);
    if (!(fabs(y1 / 0.2083340149701255e-7 - 1) < 1e-3)) fail_msg("Robertson: y1 = %.12g", y1);
    double y = value_at(van_der_pol(1000), GM_METHOD_IMPLICIT, 1e-8, 2000, "y", NULL);
    if (!(fabs(y - 1.706167732170483) < 1e-5)) fail_msg("Van der Pol: y = %.12g", y);
}

static void an_event_is_found_where_it_is(void **state)
{
    (void)state;
    static const gm_method methods[] = { GM_METHOD_DOPRI, GM_METHOD_IMPLICIT };
    gm_executor executors[GM_EXECUTOR_COUNT];
    uint32_t    n = gm_test_executors(executors);
    for (uint32_t k = 0; k < 2 * n; k++) {
        bench b;
        bench_open(&b, bouncing_ball(), executors[k / 2], methods[k % 2], 1e-8, 64);
        gm_slot limit = slot_named(b.program, "limit"), e = slot_named(b.program, "e");
        gm_lanes_fill(b.lanes, limit, 100);
        for (uint32_t i = 0; i < 64; i++) gm_lanes_set(b.lanes, e, i, 0.5 + 0.005 * i);
        gm_lanes_start(b.lanes, 0, b.worker, GM_START_FRESH);
        gm_lanes_until(b.lanes, 0, b.worker, 1);
        for (uint32_t i = 0; i < 64; i++) {
            double restitution = 0.5 + 0.005 * i, fall = sqrt(2 / 9.81), speed = restitution * 9.81 * fall;
            double since = 1 - fall;
            while (since > 2 * speed / 9.81) {
                since -= 2 * speed / 9.81;
                speed *= restitution;
            }
            double want = speed * since - 9.81 / 2 * since * since, got = gm_lanes_get(b.lanes, slot_named(b.program, "h"), i);
            if (!(fabs(want - got) < 1e-6)) fail_msg("lane %u: %.9g, not %.9g", i, got, want);
        }
        bench_close(&b);
    }
}

static void events_without_end_are_refused(void **state)
{
    (void)state;
    // The ball comes to rest after 0.4515 (1 + 2 (e + e^2 + ...)) = 4.06 s; then bounces pile up.
    bench b;
    bench_open(&b, bouncing_ball(), GM_EXECUTOR_AUTO, GM_METHOD_DOPRI, 1e-8, 1);
    gm_lanes_fill(b.lanes, slot_named(b.program, "limit"), 1e9);
    gm_lanes_start(b.lanes, 0, b.worker, GM_START_FRESH);
    gm_lanes_until(b.lanes, 0, b.worker, 100);
    gm_lane_report report = gm_lanes_report(b.lanes, 0);
    assert_true(report.status == GM_LANE_ZENO || report.status == GM_LANE_ASSERTED);
    assert_true(report.time < 6);
    bench_close(&b);
}

static void loops_are_solved_in_every_lane(void **state)
{
    (void)state;
    gm_executor executors[GM_EXECUTOR_COUNT];
    uint32_t    n = gm_test_executors(executors);
    double      reference[64];
    for (uint32_t k = 0; k < 2 * n; k++) {
        bool  linear = k % 2;
        bench b;
        bench_open(&b, knotted(linear), executors[k / 2], GM_METHOD_RK4, 1e-6, 64);
        gm_slot x = slot_named(b.program, "x"), z = slot_named(b.program, "z"), y = slot_named(b.program, "y");
        for (uint32_t i = 0; i < 64; i++) gm_lanes_set(b.lanes, x, i, linear ? 0.1 * i : pow(10, 0.1 * i - 3));
        gm_lanes_start(b.lanes, 0, b.worker, GM_START_FORKED);
        gm_lanes_steps(b.lanes, 0, b.worker, 0.01, 20);
        gm_lanes_observe(b.lanes, 0, b.worker);
        for (uint32_t i = 0; i < 64; i++) {
            double X = gm_lanes_get(b.lanes, x, i), Z = gm_lanes_get(b.lanes, z, i), Y = gm_lanes_get(b.lanes, y, i);
            double cube = linear ? Z : Z * Z * Z;
            assert_int_equal(gm_lanes_report(b.lanes, i).status, GM_LANE_ACTIVE);
            if (!(fabs(Z + cube - X - Y) < 1e-9 * (1 + fabs(X)) && fabs(Y + 2 * Z - 1 - X) < 1e-9 * (1 + fabs(X)))) {
                fail_msg("%s, lane %u: x %g z %g y %g", gm_executor_text(executors[k / 2]), i, X, Z, Y);
            }
            if (k == 0) reference[i] = X;
            if (!linear) assert_true(reference[i] == X);
        }
        bench_close(&b);
    }
}

// z^2 = -1 - x has no solution: the lane leaves and says why.
static void a_loop_without_solution_is_reported(void **state)
{
    (void)state;
    gm_builder *b = gm_builder_create(gm_alloc_system(), NULL);
    gm_slot     x = declare(b, GM_SLOT_STATE, "x", 1), guess = declare(b, GM_SLOT_ALGEBRAIC, "z", 1);
    gm_loop     loop = gm_build_loop(b, &(gm_loop_spec){ .name = GM_STR("z"), .unknowns = 1, .arguments = 1, .guess = &guess });
    gm_val      z = gm_emit_unknown(b, 0), arg = gm_emit_argument(b, 0), out;
    gm_build_residual(b, 0, gm_emit2(b, GM_OP_ADD, gm_emit2(b, GM_OP_MUL, z, z), arg));
    gm_build_end(b);
    gm_build_section(b, GM_SECTION_DERIVATIVE);
    arg = gm_emit_load(b, x);
    gm_emit_solve(b, loop, &arg, &out);
    gm_build_derivative(b, x, out);
    gm_build_end(b);
    bench run;
    bench_open(&run, finished(b), GM_EXECUTOR_AUTO, GM_METHOD_RK4, 0, 2);
    gm_lanes_set(run.lanes, x, 0, -4);  // z = 2 at first
    gm_lanes_start(run.lanes, 0, run.worker, GM_START_FORKED);
    gm_lanes_steps(run.lanes, 0, run.worker, 0.01, 1);
    assert_int_equal(gm_lanes_report(run.lanes, 0).status, GM_LANE_ACTIVE);
    assert_int_equal(gm_lanes_report(run.lanes, 1).status, GM_LANE_UNSOLVED);
    bench_close(&run);
}

// Last, because there is no way back: the process gives up the right to make memory executable.
static void without_executable_memory_the_interpreter_steps_in(void **state)
{
    (void)state;
    enum { SET_MDWE = 65, REFUSE_EXEC_GAIN = 1 };  // Linux 6.3
    if (prctl(SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0) != 0) skip();
    bench b;
    bench_open(&b, driven_spring(), GM_EXECUTOR_AUTO, GM_METHOD_RK4, 1e-6, 1);
    gm_executor picked = gm_plan_options_of(b.plan).executor;
    assert_true(picked != GM_EXECUTOR_CODE_AVX2 && picked != GM_EXECUTOR_CODE_AVX512);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_steps_show_the_order_they_claim),
        cmocka_unit_test(a_lane_depends_on_no_other),
        cmocka_unit_test(events_act_and_lanes_leave_one_by_one),
        cmocka_unit_test(tables_are_looked_up_inside_a_step),
        cmocka_unit_test(adaptive_steps_keep_the_tolerance),
        cmocka_unit_test(adaptive_methods_have_their_order),
        cmocka_unit_test(stiff_models_reach_their_published_values),
        cmocka_unit_test(an_event_is_found_where_it_is),
        cmocka_unit_test(events_without_end_are_refused),
        cmocka_unit_test(loops_are_solved_in_every_lane),
        cmocka_unit_test(a_loop_without_solution_is_reported),
        cmocka_unit_test(a_run_survives_every_allocation_failure),
        cmocka_unit_test(without_executable_memory_the_interpreter_steps_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
