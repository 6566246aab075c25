#include "lanes_support.h"
#include "physics/exec/lanes.h"

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

static gm_slot slot_named(const gm_program *p, const char *name)
{
    gm_slot slot = GM_SLOT_NONE;
    bool    negated;
    if (!gm_program_find(p, gm_str_of(name), &slot, &negated)) fail_msg("no %s", name);
    return slot;
}

static gm_slot declare(gm_builder *b, gm_slot_kind kind, const char *name, double start)
{
    return gm_build_slot(b, &(gm_slot_spec){ kind, .name = gm_str_of(name), .start = start });
}

static gm_program *finished(gm_builder *b)
{
    gm_program *p   = NULL;
    gm_error    err = { 0 };
    assert_gm_ok(gm_builder_finish(b, &p, &err), err);
    gm_builder_destroy(b);
    return p;
}

// x'' = -w^2 x + sin(t): x(0) = 1, x'(0) = 0. With w = 2: x = cos 2t + (2 sin t - sin 2t) / 6.
static gm_program *driven_spring(void)
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

static double driven_spring_at(double t) { return cos(2 * t) + (2 * sin(t) - sin(2 * t)) / 6; }

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

// A ball dropped from 1 m that keeps 0.8 of its speed; with terminate below an energy, and an assert.
static gm_program *bouncing_ball(void)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_steps_show_the_order_they_claim),
        cmocka_unit_test(a_lane_depends_on_no_other),
        cmocka_unit_test(events_act_and_lanes_leave_one_by_one),
        cmocka_unit_test(tables_are_looked_up_inside_a_step),
        cmocka_unit_test(a_run_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
