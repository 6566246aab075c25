// Sparse loops in lanes: KLU against dense elimination, against the equations themselves, and against IDA.
#include "lanes_support.h"
#include "models.h"
#include "physics/exec/backend.h"
#include "physics/exec/lanes.h"
#include "physics/exec/newton.h"
#include "physics/exec/sparse.h"
#include "physics/solve/solve.h"


enum { LANES = 64 };

static void need_klu(void)
{
    if (!gm_sparse_available()) skip();
}

// ------------------------------------------------------------------------------------------ one matrix

typedef struct matrix { uint32_t n, entries, rows[400], columns[400]; double values[400]; } matrix;

// A diagonal and a third of the other places; every tenth diagonal is missing, so pivots must move.
static void any_matrix(matrix *m, uint32_t n, uint64_t *random)
{
    *m = (matrix){ .n = n };
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < n; j++) {
            bool wanted = i == j ? i % 10 != 9 : j + 1 == i || gm_test_random(random) % 3 == 0;
            if (!wanted) continue;
            m->rows[m->entries]    = i;
            m->columns[m->entries] = j;
            m->entries++;
        }
    }
}

static void any_values(matrix *m, uint64_t *random)
{
    for (uint32_t e = 0; e < m->entries; e++) {
        double u     = (double)(gm_test_random(random) >> 11) * 0x1p-53 - 0.5;
        m->values[e] = u * pow(10, (double)(gm_test_random(random) % 7) - 3);
    }
}

// max |A x - b| in units of a row's sum |A| times the largest |x|.
static double left_over(const matrix *m, const double *x, const double *b)
{
    double worst = 0, largest = 0;
    for (uint32_t i = 0; i < m->n; i++) largest = fmax(largest, fabs(x[i]));
    for (uint32_t i = 0; i < m->n; i++) {
        double sum = -b[i], size = fabs(b[i]);
        for (uint32_t e = 0; e < m->entries; e++) {
            if (m->rows[e] != i) continue;
            sum += m->values[e] * x[m->columns[e]];
            size += fabs(m->values[e]) * largest;
        }
        if (fabs(sum) > worst * size) worst = fabs(sum) / size;
    }
    return worst;
}

// Values change from matrix to matrix over six decades, so pivots kept from the last one are often bad ones.
static void matrices_of_one_pattern_are_solved_to_the_last_digits(void **state)
{
    (void)state;
    need_klu();
    uint64_t random = 7;
    for (int pattern = 0; pattern < 30; pattern++) {
        matrix            m;
        gm_sparse        *sparse  = NULL;
        gm_sparse_factors factors = { 0 };
        gm_error          err     = { 0 };
        double            work[400], b[20], x[20];
        any_matrix(&m, 1 + (uint32_t)(gm_test_random(&random) % 20), &random);
        gm_status st = gm_sparse_create(gm_alloc_system(), m.n, m.entries, m.rows, m.columns, &sparse, &err);
        if (st == GM_INVALID) continue;  // by chance
        assert_gm_ok(st, err);
        for (int again = 0; again < 50; again++) {
            any_values(&m, &random);
            for (uint32_t i = 0; i < m.n; i++) x[i] = b[i] = (double)(gm_test_random(&random) % 1000) - 500;
            if (!gm_sparse_solve(sparse, &factors, m.values, 1, work, x)) continue;
            double left = left_over(&m, x, b);
            if (!(left < 1e-9)) fail_msg("pattern %d, matrix %d: %g left over", pattern, again, left);
        }
        gm_sparse_forget(sparse, &factors);
        gm_sparse_destroy(sparse);
    }
}

static void singular_matrices_are_refused(void **state)
{
    (void)state;
    need_klu();
    static const uint32_t rows[] = { 0, 0, 1, 1 }, columns[] = { 0, 1, 0, 1 }, left[] = { 0, 0 }, below[] = { 0, 1 };
    gm_sparse        *sparse  = NULL;
    gm_sparse_factors factors = { 0 };
    gm_error          err     = { 0 };
    double            work[4], b[2] = { 1, 2 };
    assert_int_equal(gm_sparse_create(gm_alloc_system(), 2, 2, below, left, &sparse, &err), GM_INVALID);
    assert_non_null(strstr(err.text, "singular"));
    assert_gm_ok(gm_sparse_create(gm_alloc_system(), 2, 4, rows, columns, &sparse, &err), err);
    assert_false(gm_sparse_solve(sparse, &factors, (double[]){ 1, 2, 2, 4 }, 1, work, b));
    assert_false(gm_sparse_solve(sparse, &factors, (double[]){ 1, NAN, 2, 4 }, 1, work, b));
    assert_true(gm_sparse_solve(sparse, &factors, (double[]){ 0, 2, 4, 0 }, 1, work, b));  // and nothing stays behind
    assert_true(b[0] == 0.5 && b[1] == 0.5);
    gm_sparse_forget(sparse, &factors);
    gm_sparse_destroy(sparse);
}

// ------------------------------------------------------------------------------------------ loops

// A square plate of side^2 nodes, conductors between neighbours with flow d + d^3 / 10 of a difference d; the rim is
// grounded through conductors; x flows into the middle, and x' = -v(middle).
static double flow_of(double d) { return d + 0.1 * d * d * d; }

static gm_val flow(gm_builder *b, gm_val from, gm_val to)
{
    gm_val d = gm_emit2(b, GM_OP_SUB, from, to), cube = gm_emit2(b, GM_OP_MUL, d, gm_emit2(b, GM_OP_MUL, d, d));
    return gm_emit2(b, GM_OP_ADD, d, gm_emit2(b, GM_OP_MUL, gm_emit_const(b, 0.1), cube));
}

static gm_program *plate(uint32_t side)
{
    gm_builder *b = gm_builder_create(gm_alloc_system(), NULL);
    uint32_t    n = side * side, middle = side / 2 * side + side / 2;
    gm_slot     x = declare(b, GM_SLOT_STATE, "x", 1), *v = calloc(n, sizeof *v);
    gm_val     *out = calloc(n, sizeof *out);
    assert_true(v != NULL && out != NULL);
    for (uint32_t i = 0; i < n; i++) {
        char name[16];
        snprintf(name, sizeof name, "v%u", i);
        v[i] = declare(b, GM_SLOT_ALGEBRAIC, name, 0);
    }
    gm_loop loop = gm_build_loop(b, &(gm_loop_spec){ .name = GM_STR("v0 ..."), .unknowns = n, .arguments = 1, .guess = v });
    for (uint32_t i = 0; i < n; i++) {
        gm_val   here = gm_emit_unknown(b, i), sum = i == middle ? gm_emit_argument(b, 0) : gm_emit_const(b, 0);
        uint32_t row = i / side, column = i % side;
        for (int k = 0; k < 4; k++) {
            bool   rim  = k == 0 ? row == 0 : k == 1 ? row + 1 == side : k == 2 ? column == 0 : column + 1 == side;
            gm_val next = rim ? gm_emit_const(b, 0) : gm_emit_unknown(b, k == 0 ? i - side : k == 1 ? i + side : k == 2 ? i - 1 : i + 1);
            sum         = gm_emit2(b, GM_OP_SUB, sum, flow(b, here, next));
        }
        gm_build_residual(b, i, sum);
    }
    gm_build_end(b);
    gm_build_section(b, GM_SECTION_DERIVATIVE);
    gm_val argument = gm_emit_load(b, x);
    gm_emit_solve(b, loop, &argument, out);
    gm_build_derivative(b, x, gm_emit1(b, GM_OP_NEG, out[middle]));
    gm_build_end(b);
    free(v);
    free(out);
    return finished(b);
}

typedef struct loop_solver { gm_newton *newton; double *scratch, *rows, unsolved[LANES]; } loop_solver;

static void loop_open(loop_solver *s, const gm_program *p, gm_linear linear, gm_executor executor)
{
    gm_error err = { 0 };
    assert_gm_ok(gm_newton_create(gm_alloc_system(), p, 0, linear, executor, &s->newton, &err), err);
    s->scratch = aligned_alloc(64, gm_newton_scratch(s->newton) * sizeof(double));
    s->rows    = aligned_alloc(64, gm_program_slot_count(p) * LANES * sizeof(double));
    assert_true(s->scratch != NULL && s->rows != NULL);
    gm_newton_prepare(s->newton, s->scratch);
}

static void loop_run(loop_solver *s, const gm_program *p)
{
    memset(s->unsolved, 0, sizeof s->unsolved);
    memset(s->rows, 0, gm_program_slot_count(p) * LANES * sizeof(double));
    for (int lane = 0; lane < LANES; lane++) gm_newton_argument(s->newton, s->scratch, 0)[lane] = 0.3 * lane - 4;
    gm_newton_run(s->newton, s->rows, s->scratch, s->unsolved);
}

static void loop_close(loop_solver *s)
{
    gm_newton_destroy(s->newton);
    free(s->scratch);
    free(s->rows);
}

static void sparse_and_dense_find_the_same_solutions(void **state)
{
    (void)state;
    need_klu();
    gm_executor executors[GM_EXECUTOR_COUNT];
    uint32_t    count = gm_test_executors(executors), side = 9, n = side * side;
    gm_program *p     = plate(side);
    assert_int_equal(gm_linear_for(gm_program_loop(p, 0)), GM_LINEAR_SPARSE);
    for (uint32_t e = 0; e < count; e++) {
        loop_solver dense, sparse;
        loop_open(&dense, p, GM_LINEAR_DENSE, executors[e]);
        loop_open(&sparse, p, GM_LINEAR_SPARSE, executors[e]);
        loop_run(&dense, p);
        loop_run(&sparse, p);
        for (uint32_t k = 0; k < n; k++) {
            const double *a = gm_newton_unknown(dense.newton, dense.scratch, k), *b = gm_newton_unknown(sparse.newton, sparse.scratch, k);
            for (int lane = 0; lane < LANES; lane++) {
                assert_true(dense.unsolved[lane] == 0 && sparse.unsolved[lane] == 0);
                if (!(fabs(a[lane] - b[lane]) < 1e-12 * (1 + fabs(a[lane])))) fail_msg("v%u of lane %d: %.17g and %.17g", k, lane, a[lane], b[lane]);
            }
        }
        loop_close(&dense);
        loop_close(&sparse);
    }
    gm_program_destroy(p);
}

// 625 unknowns: more than dense matrices are used for. Every lane keeps the flows of every node in balance, and depends on
// no other lane.
static void a_loop_of_625_unknowns_is_solved_in_every_lane(void **state)
{
    (void)state;
    need_klu();
    enum { SIDE = 25 };
    gm_program *p = plate(SIDE);
    gm_error    err = { 0 };
    loop_solver     none = { 0 };
    assert_int_equal(gm_newton_create(gm_alloc_system(), p, 0, GM_LINEAR_DENSE, GM_EXECUTOR_PLAIN, &none.newton, &err), GM_LIMIT);
    assert_non_null(strstr(err.text, "KLU"));

    gm_plan         *plan    = NULL;
    gm_worker       *worker  = NULL;
    gm_lanes        *lanes[2] = { NULL };
    gm_plan_options  options = gm_plan_options_defaults();
    assert_gm_ok(gm_plan_create(gm_alloc_system(), p, &options, &plan, &err), err);
    assert_gm_ok(gm_worker_create(gm_alloc_system(), plan, &worker, &err), err);
    for (int k = 0; k < 2; k++) {  // all lanes; one of them alone
        assert_gm_ok(gm_lanes_create(gm_alloc_system(), plan, k == 0 ? 5 : 1, &lanes[k], &err), err);
        for (uint32_t lane = 0; k == 0 && lane < 5; lane++) gm_lanes_set(lanes[k], slot_named(p, "x"), lane, 3.0 * lane - 2);
        if (k == 1) gm_lanes_fill(lanes[k], slot_named(p, "x"), 4);
        gm_lanes_start(lanes[k], 0, worker, GM_START_FORKED);
        gm_lanes_steps(lanes[k], 0, worker, 0.1, 1);
    }
    for (uint32_t lane = 0; lane < 5; lane++) {
        assert_int_equal(gm_lanes_report(lanes[0], lane).status, GM_LANE_ACTIVE);
        double v[SIDE + 2][SIDE + 2] = { 0 };
        for (uint32_t i = 0; i < SIDE * SIDE; i++) v[i / SIDE + 1][i % SIDE + 1] = gm_lanes_get(lanes[0], (gm_slot){ 2 + i }, lane);
        for (int i = 1; i <= SIDE; i++) {
            for (int j = 1; j <= SIDE; j++) {
                if (i == SIDE / 2 + 1 && j == SIDE / 2 + 1) continue;  // what flows in is of the step's last stage
                double sum = flow_of(v[i][j] - v[i - 1][j]) + flow_of(v[i][j] - v[i + 1][j]) + flow_of(v[i][j] - v[i][j - 1]) + flow_of(v[i][j] - v[i][j + 1]);
                if (!(fabs(sum) < 1e-9)) fail_msg("lane %u, node %d %d: %g too much", lane, i, j, sum);
            }
        }
    }
    assert_true(gm_lanes_get(lanes[0], slot_named(p, "x"), 2) == gm_lanes_get(lanes[1], slot_named(p, "x"), 0));
    for (int k = 0; k < 2; k++) gm_lanes_destroy(lanes[k]);
    gm_worker_destroy(worker);
    gm_plan_destroy(plan);
    gm_program_destroy(p);
}

static gm_status keep_last(void *context, const gm_solve_row *row, gm_error *err)
{
    (void)err;
    *(double *)context = row->values[1];
    return GM_OK;
}

static double x_at_one(const gm_program *p, gm_solver which)
{
    gm_solve_options options = gm_solve_options_defaults();
    gm_solve_report  report;
    gm_error         err = { 0 };
    double           x   = NAN;
    options.solver    = which;
    options.tolerance = 1e-9;
    options.points    = 2;
    options.step      = 0.02;
    assert_gm_ok(gm_solve(gm_alloc_system(), p, &options, NULL, 0, keep_last, &x, &report, &err), err);
    return x;
}

static void lanes_and_ida_arrive_at_the_same_place(void **state)
{
    (void)state;
    need_klu();
    if (!gm_solver_available(GM_SOLVER_IDA)) skip();
    gm_program *p = plate(11);
    double      a = x_at_one(p, GM_SOLVER_RK4), b = x_at_one(p, GM_SOLVER_IDA), c = x_at_one(p, GM_SOLVER_IMPLICIT);
    if (!(fabs(a - b) < 1e-7 && fabs(c - b) < 1e-7)) fail_msg("rk4 %.12g, ida %.12g, implicit %.12g", a, b, c);
    gm_program_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matrices_of_one_pattern_are_solved_to_the_last_digits),
        cmocka_unit_test(singular_matrices_are_refused),
        cmocka_unit_test(sparse_and_dense_find_the_same_solutions),
        cmocka_unit_test(a_loop_of_625_unknowns_is_solved_in_every_lane),
        cmocka_unit_test(lanes_and_ida_arrive_at_the_same_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
