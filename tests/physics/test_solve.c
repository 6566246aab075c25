#include "models.h"
#include "physics/solve/solve.h"

#include <stdio.h>

enum { ROWS_MAX = 4000 };

typedef struct record {
    gm_slot  slot;
    uint32_t count, events;
    double   time[ROWS_MAX], value[ROWS_MAX];
    bool     event[ROWS_MAX];
    uint32_t stop_after;
} record;

static gm_status keep(void *context, const gm_solve_row *row, gm_error *err)
{
    record *r = context;
    if (r->stop_after > 0 && r->count == r->stop_after) return gm_fail(err, GM_CANCELLED, "test", "enough");
    assert_true(r->count < ROWS_MAX);
    r->time[r->count]  = row->time;
    r->value[r->count] = row->values[r->slot.v];
    r->event[r->count] = row->event;
    r->events += row->event;
    r->count++;
    return GM_OK;
}

static gm_status run(gm_program *program, const char *name, gm_solver solver, double stop, double tolerance, record *r,
                     gm_solve_report *report, gm_error *err)
{
    gm_solve_options options = gm_solve_options_defaults();
    options.solver           = solver;
    options.stop             = stop;
    options.tolerance        = tolerance;
    options.points           = 50;
    options.step             = stop / 5000;
    memset(r, 0, sizeof *r);
    r->slot = slot_named(program, name);
    return gm_solve(gm_alloc_system(), program, &options, NULL, 0, keep, r, report, err);
}

static const gm_solver all[] = { GM_SOLVER_RK4, GM_SOLVER_DOPRI, GM_SOLVER_IMPLICIT, GM_SOLVER_CVODE, GM_SOLVER_IDA };

static void every_solver_follows_the_closed_form(void **state)
{
    (void)state;
    gm_program *p = driven_spring();
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!gm_solver_available(all[i])) continue;
        static record   r;
        gm_solve_report report;
        gm_error        err = { 0 };
        assert_gm_ok(run(p, "x", all[i], 10, 1e-8, &r, &report, &err), err);
        assert_int_equal(r.count, 51);
        assert_true(report.time == 10 && report.solver == all[i]);
        for (uint32_t k = 0; k < r.count; k++) {
            assert_true(fabs(r.time[k] - 0.2 * k) < 1e-12);
            double want = driven_spring_at(r.time[k]);
            if (!(fabs(r.value[k] - want) < 3e-6)) fail_msg("%s at %g: %.12g, not %.12g", gm_solver_text(all[i]), r.time[k], r.value[k], want);
        }
    }
    gm_program_destroy(p);
}

static void stiff_models_reach_their_published_values(void **state)
{
    (void)state;
    static const gm_solver solvers[] = { GM_SOLVER_CVODE, GM_SOLVER_IDA, GM_SOLVER_IMPLICIT };
    for (size_t i = 0; i < 3; i++) {
        if (!gm_solver_available(solvers[i])) continue;
        static record   r;
        gm_solve_report report;
        gm_error        err = { 0 };
        gm_program     *p   = robertson();
        assert_gm_ok(run(p, "y1", solvers[i], 1e11, 1e-8, &r, &report, &err), err);
        if (!(fabs(r.value[r.count - 1] / 0.2083340149701255e-7 - 1) < 1e-3)) fail_msg("%s: y1 = %.9g", gm_solver_text(solvers[i]), r.value[r.count - 1]);
        gm_program_destroy(p);
        p = van_der_pol(1000);
        assert_gm_ok(run(p, "y", solvers[i], 2000, 1e-9, &r, &report, &err), err);
        if (!(fabs(r.value[r.count - 1] - 1.706167732170483) < 2e-5)) fail_msg("%s: y = %.9g", gm_solver_text(solvers[i]), r.value[r.count - 1]);
        gm_program_destroy(p);
    }
}

// The k-th bounce of the ball: fall + 2 fall (e + e^2 + ...).
static double bounce_time(uint32_t k)
{
    double fall = sqrt(2 / 9.81), time = fall, share = 1;
    while (k-- > 0) time += 2 * fall * (share *= 0.8);
    return time;
}

static void an_event_has_its_two_rows_at_its_instant(void **state)
{
    (void)state;
    static const gm_solver solvers[] = { GM_SOLVER_DOPRI, GM_SOLVER_CVODE, GM_SOLVER_IDA };
    gm_program *p = bouncing_ball();
    for (size_t i = 0; i < 3; i++) {
        if (!gm_solver_available(solvers[i])) continue;
        static record   r;
        gm_solve_report report;
        gm_error        err = { 0 };
        assert_gm_ok(run(p, "v", solvers[i], 3, 1e-9, &r, &report, &err), err);
        assert_true(report.terminated);  // after the third bounce
        assert_true(fabs(report.time - bounce_time(2)) < 1e-6);
        uint32_t bounce = 0;
        for (uint32_t k = 0; k + 1 < r.count; k++) {
            assert_true(r.time[k] <= r.time[k + 1]);
            if (!r.event[k] || !r.event[k + 1] || r.value[k] > 0) continue;
            if (!(fabs(r.time[k] - bounce_time(bounce)) < 1e-6)) fail_msg("%s: bounce %u at %.9g", gm_solver_text(solvers[i]), bounce, r.time[k]);
            assert_true(r.time[k] == r.time[k + 1] && fabs(r.value[k + 1] + 0.8 * r.value[k]) < 1e-12);
            bounce++;
        }
        assert_int_equal(bounce, 3);
    }
    gm_program_destroy(p);
}

// n counts the instants 0.25, 0.5, 0.75 ... at which `sample(0.25, 0.25)` fires; x' = n.
static gm_program *sampled(void)
{
    gm_builder *b = gm_builder_create(gm_alloc_system(), NULL);
    gm_slot     x = declare(b, GM_SLOT_STATE, "x", 0), n = declare(b, GM_SLOT_DISCRETE, "n", 0), next = declare(b, GM_SLOT_DISCRETE, "next", 0.25);
    gm_build_time_event(b, next);
    gm_build_section(b, GM_SECTION_DERIVATIVE);
    gm_build_derivative(b, x, gm_emit_load(b, n));
    gm_build_end(b);
    gm_build_section(b, GM_SECTION_EVENT);
    gm_val at = gm_emit_load(b, next), count = gm_emit_load(b, n), fire = gm_emit2(b, GM_OP_GE, gm_emit_load(b, GM_TIME_SLOT), at);
    gm_build_store(b, n, gm_emit3(b, GM_OP_SELECT, fire, gm_emit2(b, GM_OP_ADD, count, gm_emit_const(b, 1)), count));
    gm_build_store(b, next, gm_emit3(b, GM_OP_SELECT, fire, gm_emit2(b, GM_OP_ADD, at, gm_emit_const(b, 0.25)), at));
    gm_build_end(b);
    return finished(b);
}

static void instants_are_met_exactly(void **state)
{
    (void)state;
    gm_program *p = sampled();
    for (size_t i = 1; i < sizeof all / sizeof all[0]; i++) {
        if (!gm_solver_available(all[i])) continue;
        static record   r;
        gm_solve_report report;
        gm_error        err = { 0 };
        assert_gm_ok(run(p, "n", all[i], 1.1, 1e-8, &r, &report, &err), err);
        assert_int_equal(r.events, 8);
        assert_true(r.value[r.count - 1] == 4);
        for (uint32_t k = 0; k < r.count; k++) {
            if (r.event[k]) assert_true(fmod(r.time[k], 0.25) == 0);
        }
        assert_gm_ok(run(p, "x", all[i], 1.1, 1e-8, &r, &report, &err), err);
        if (!(fabs(r.value[r.count - 1] - 0.25 * (0 + 1 + 2 + 3) - 0.1 * 4) < 1e-6)) fail_msg("%s: x = %.9g", gm_solver_text(all[i]), r.value[r.count - 1]);
    }
    gm_program_destroy(p);
}

static void loops_are_solved_on_the_way(void **state)
{
    (void)state;
    gm_program *p = knotted(false);
    double      reference = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!gm_solver_available(all[i])) continue;
        static record   r;
        gm_solve_report report;
        gm_error        err = { 0 };
        assert_gm_ok(run(p, "z", all[i], 2, 1e-8, &r, &report, &err), err);
        if (i == 0) reference = r.value[r.count - 1];
        if (!(fabs(r.value[r.count - 1] - reference) < 1e-6)) fail_msg("%s: z = %.9g, not %.9g", gm_solver_text(all[i]), r.value[r.count - 1], reference);
    }
    gm_program_destroy(p);
}

// A chain of n warm nodes: wide enough for the sparse solver, compared with the explicit method.
static gm_program *chain(uint32_t n)
{
    gm_builder *b = gm_builder_create(gm_alloc_system(), NULL);
    gm_slot    *T = calloc(n, sizeof *T);
    for (uint32_t i = 0; i < n; i++) {
        char name[16];
        snprintf(name, sizeof name, "T%u", i);
        T[i] = declare(b, GM_SLOT_STATE, name, i == 0 ? 100 : 0);
    }
    gm_build_section(b, GM_SECTION_DERIVATIVE);
    for (uint32_t i = 0; i < n; i++) {
        gm_val here = gm_emit_load(b, T[i]), left = gm_emit_load(b, T[i > 0 ? i - 1 : 0]), right = gm_emit_load(b, T[i + 1 < n ? i + 1 : i]);
        gm_val flow = gm_emit2(b, GM_OP_ADD, gm_emit2(b, GM_OP_SUB, left, here), gm_emit2(b, GM_OP_SUB, right, here));
        gm_build_derivative(b, T[i], gm_emit2(b, GM_OP_MUL, flow, gm_emit_const(b, 4)));
    }
    gm_build_end(b);
    free(T);
    return finished(b);
}

static void sparse_and_explicit_agree(void **state)
{
    (void)state;
    if (!gm_solver_available(GM_SOLVER_CVODE)) skip();
    gm_program     *p = chain(200);
    static record   a, b;
    gm_solve_report report;
    gm_error        err = { 0 };
    assert_gm_ok(run(p, "T7", GM_SOLVER_DOPRI, 5, 1e-9, &a, &report, &err), err);
    assert_gm_ok(run(p, "T7", GM_SOLVER_CVODE, 5, 1e-9, &b, &report, &err), err);
    assert_int_equal(a.count, b.count);
    for (uint32_t k = 0; k < a.count; k++) {
        if (!(fabs(a.value[k] - b.value[k]) < 1e-5)) fail_msg("at %g: %.9g and %.9g", a.time[k], a.value[k], b.value[k]);
    }
    gm_program_destroy(p);
}

static void a_listener_can_end_the_run(void **state)
{
    (void)state;
    gm_program *p = driven_spring();
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!gm_solver_available(all[i])) continue;
        static record    r;
        gm_solve_report  report;
        gm_solve_options options = gm_solve_options_defaults();
        options.solver = all[i];
        memset(&r, 0, sizeof r);
        r.slot       = slot_named(p, "x");
        r.stop_after = 7;
        assert_int_equal(gm_solve(gm_alloc_system(), p, &options, NULL, 0, keep, &r, &report, NULL), GM_CANCELLED);
        assert_int_equal(r.count, 7);
    }
    gm_program_destroy(p);
}

static void what_can_not_be_is_refused(void **state)
{
    (void)state;
    gm_program      *p = driven_spring();
    gm_solve_setting w = { slot_named(p, "w"), NAN }, time = { GM_TIME_SLOT, 1 };
    static const struct { double start, stop, tolerance; uint32_t points; } cases[] = {
        { 0, 0, 1e-6, 10 }, { 1, 0, 1e-6, 10 }, { 0, NAN, 1e-6, 10 }, { 0, INFINITY, 1e-6, 10 }, { 0, 1, 0, 10 }, { 0, 1, 2, 10 }, { 0, 1, 1e-6, 0 },
    };
    static record   r;
    gm_solve_report report;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_solve_options options = gm_solve_options_defaults();
        options.start = cases[i].start, options.stop = cases[i].stop, options.tolerance = cases[i].tolerance, options.points = cases[i].points;
        assert_int_equal(gm_solve(gm_alloc_system(), p, &options, NULL, 0, keep, &r, &report, NULL), GM_INVALID);
    }
    gm_solve_options options = gm_solve_options_defaults();
    assert_int_equal(gm_solve(gm_alloc_system(), p, &options, &w, 1, keep, &r, &report, NULL), GM_INVALID);
    assert_int_equal(gm_solve(gm_alloc_system(), p, &options, &time, 1, keep, &r, &report, NULL), GM_INVALID);
    gm_program_destroy(p);
}

static void a_run_survives_every_allocation_failure(void **state)
{
    (void)state;
    gm_program *p = bouncing_ball();
    for (size_t i = 0; i < 4; i++) {
        for (uint64_t k = 0;; k++) {
            gm_fault_alloc fault;
            static record  r;
            gm_fault_alloc_init(&fault, k);
            gm_solve_report  report;
            gm_solve_options options = gm_solve_options_defaults();
            options.solver = all[i + 1];
            options.points = 5;
            memset(&r, 0, sizeof r);
            gm_status st = gm_solver_available(options.solver) ? gm_solve(&fault.alloc, p, &options, NULL, 0, keep, &r, &report, NULL) : GM_OK;
            assert_int_equal(fault.live_blocks, 0);
            if (!fault.fired) {
                assert_int_equal(st, GM_OK);
                break;
            }
            assert_int_equal(st, GM_NOMEM);
        }
    }
    gm_program_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_solver_follows_the_closed_form),
        cmocka_unit_test(stiff_models_reach_their_published_values),
        cmocka_unit_test(an_event_has_its_two_rows_at_its_instant),
        cmocka_unit_test(instants_are_met_exactly),
        cmocka_unit_test(loops_are_solved_on_the_way),
        cmocka_unit_test(sparse_and_explicit_agree),
        cmocka_unit_test(a_listener_can_end_the_run),
        cmocka_unit_test(what_can_not_be_is_refused),
        cmocka_unit_test(a_run_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
