#include "lanes_support.h"

// Errors in units of the last place, against libm's long double functions (64 bits of mantissa).
static double ulps(double got, long double exact)
{
    if (isnan(got) && isnan((double)exact)) return 0;
    if (isinf(got) && got == (double)exact) return 0;
    int exponent;
    frexpl(exact, &exponent);
    if (exponent < -1021) exponent = -1021;  // denormals share one spacing
    return (double)(fabsl((long double)got - exact) / ldexpl(1, exponent - 53));
}

typedef struct range { double low, high; } range;
typedef struct function_case {
    gm_op       op;
    long double (*exact)(long double);
    double      bound;  // ulp
    range       ranges[5];
} function_case;

static const function_case functions[] = {
    { GM_OP_EXP, expl, 1.1, { { -745.2, 709.8 }, { -1, 1 }, { -0.35, 0.35 }, { 1e-300, 1e-10 }, { -760, -700 } } },
    { GM_OP_LOG, logl, 1.5, { { 1e-320, 1e-300 }, { 0.5, 2 }, { 0.99, 1.01 }, { 1, 1e308 }, { 1e-10, 1 } } },
    { GM_OP_SIN, sinl, 1.5, { { -3.2, 3.2 }, { -1e3, 1e3 }, { -1e6, 1e6 }, { -1e-3, 1e-3 }, { 1e6, 1e15 } } },
    { GM_OP_COS, cosl, 1.5, { { -3.2, 3.2 }, { -1e3, 1e3 }, { -1e6, 1e6 }, { 1.570, 1.571 }, { 1e6, 1e15 } } },
    { GM_OP_TANH, tanhl, 2, { { -1, 1 }, { -0.1, 0.1 }, { -25, 25 }, { 1e-300, 1e-5 }, { 0.3, 0.4 } } },
    { GM_OP_TAN, tanl, 1, { { -3, 3 }, { -100, 100 } } },
    { GM_OP_ATAN, atanl, 1, { { -3, 3 }, { -100, 100 } } },
    { GM_OP_SINH, sinhl, 2, { { -3, 3 }, { -100, 100 } } },
    { GM_OP_COSH, coshl, 2, { { -3, 3 }, { -100, 100 } } },
    { GM_OP_ASIN, asinl, 1, { { -1, 1 } } },
    { GM_OP_ACOS, acosl, 1, { { -1, 1 } } },
    { GM_OP_LOG10, log10l, 2, { { 1e-10, 1e10 } } },
};

static void run_operation(gm_op op, gm_executor executor, double *rows)
{
    gm_code  code = gm_code_init(gm_alloc_system(), 1000);
    uint32_t in[3];
    for (uint32_t i = 0; i < 3; i++) {
        in[i] = gm_code_emit(&code, GM_OP_LOAD, i, 0, 0);
        if (gm_op_signature(op)[i < gm_op_arity(op) ? i : 0] == 'm' && i < gm_op_arity(op)) in[i] = gm_code_emit(&code, GM_OP_MASK, in[i], 0, 0);
    }
    uint32_t value = gm_code_emit(&code, op, in[0], in[1], in[2]);
    if (gm_op_gives_mask(op)) value = gm_code_emit(&code, GM_OP_NUMBER, value, 0, 0);
    gm_code_result_add(&code, GM_RESULT_STORE, 3, value);
    assert_int_equal(gm_code_compact(&code, false), GM_OK);
    gm_test_run(NULL, &code, 4, executor, rows, 1);
    gm_code_finish(&code);
}

static double uniform(uint64_t *random, range r)
{
    return r.low + (r.high - r.low) * (double)(gm_test_random(random) >> 11) * 0x1p-53;
}

static void functions_keep_their_stated_error(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    _Alignas(64) static double rows[4 * 64];
    for (size_t f = 0; f < sizeof functions / sizeof functions[0]; f++) {
        const function_case *c     = &functions[f];
        double               worst = 0, at = 0;
        for (int round = 0; round < 400; round++) {
            range r = c->ranges[round % 5];
            if (r.low == r.high) r = c->ranges[0];
            for (int i = 0; i < 64; i++) rows[i] = uniform(&random, r);
            run_operation(c->op, gm_executor_pick(GM_EXECUTOR_INTERPRETER), rows);
            for (int i = 0; i < 64; i++) {
                double e = ulps(rows[3 * 64 + i], c->exact(rows[i]));
                if (e > worst) worst = e, at = rows[i];
            }
        }
        printf("%-6s %.3f ulp at %.17g\n", gm_op_text(c->op), worst, at);
        if (!(worst <= c->bound)) fail_msg("%s: %.3f ulp at %.17g", gm_op_text(c->op), worst, at);
    }
}

static void powers_keep_their_stated_error(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    _Alignas(64) static double rows[4 * 64];
    static const struct { range x, y; } cases[] = {
        { { 0.1, 10 }, { -20, 20 } }, { { 0.99, 1.01 }, { -30000, 30000 } }, { { 1e-300, 1e300 }, { -1, 1 } },
        { { 1e-310, 1e-305 }, { -1, 1 } }, { { 0, 2 }, { 0, 3 } }, { { 1, 1000 }, { 90, 102 } }, { { 1e-3, 1 }, { 100, 107 } },
    };
    double worst = 0, at[2] = { 0 };
    for (int round = 0; round < 2000; round++) {
        for (int i = 0; i < 64; i++) {
            rows[i]      = uniform(&random, cases[round % 7].x);
            rows[64 + i] = uniform(&random, cases[round % 7].y);
        }
        run_operation(GM_OP_POW, gm_executor_pick(GM_EXECUTOR_INTERPRETER), rows);
        for (int i = 0; i < 64; i++) {
            double e = ulps(rows[3 * 64 + i], powl(rows[i], rows[64 + i]));
            if (isinf(rows[3 * 64 + i]) && powl(rows[i], rows[64 + i]) > 1.797693134862315e308L) e = 0;
            if (e > worst) worst = e, at[0] = rows[i], at[1] = rows[64 + i];
        }
    }
    printf("pow    %.3f ulp at %.17g, %.17g\n", worst, at[0], at[1]);
    if (!(worst <= 1.5)) fail_msg("pow: %.3f ulp at %.17g, %.17g", worst, at[0], at[1]);
}

// At the odd points C says what must come out.
static void odd_points_are_those_of_libm(void **state)
{
    (void)state;
    static const double points[] = { 0.0, -0.0, INFINITY, -INFINITY, NAN, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 5e-324, -5e-324, 1e300, -1e300 };
    enum { N = sizeof points / sizeof points[0] };
    static const struct { gm_op op; double (*f)(double); } ones[] = {
        { GM_OP_EXP, exp }, { GM_OP_LOG, log }, { GM_OP_SIN, sin }, { GM_OP_COS, cos }, { GM_OP_TANH, tanh },
    };
    _Alignas(64) static double rows[4 * 64];
    for (size_t f = 0; f < sizeof ones / sizeof ones[0]; f++) {
        for (int i = 0; i < 64; i++) rows[i] = points[i % N];
        run_operation(ones[f].op, gm_executor_pick(GM_EXECUTOR_INTERPRETER), rows);
        for (int i = 0; i < N; i++) {
            double want = ones[f].f(points[i]), got = rows[3 * 64 + i];
            if (!gm_test_same(want, got) && !(fabs(want - got) <= 3e-16 * fabs(want))) {
                fail_msg("%s(%g) = %.17g, not %.17g", gm_op_text(ones[f].op), points[i], got, want);
            }
        }
    }
    for (int i = 0; i < N; i++) {
        for (int lane = 0; lane < 64; lane++) {
            rows[lane]      = points[i];
            rows[64 + lane] = points[lane % N];
        }
        run_operation(GM_OP_POW, gm_executor_pick(GM_EXECUTOR_INTERPRETER), rows);
        for (int k = 0; k < N; k++) {
            double want = pow(points[i], points[k]), got = rows[3 * 64 + k];
            if (!gm_test_same(want, got) && !(fabs(want - got) <= 4e-16 * fabs(want))) {
                fail_msg("pow(%g, %g) = %.17g, not %.17g", points[i], points[k], got, want);
            }
        }
    }
}

static void every_width_gives_the_same_bits(void **state)
{
    (void)state;
    uint64_t    random = gm_test_seed();
    gm_executor executors[GM_EXECUTOR_COUNT];
    uint32_t    n = gm_test_executors(executors);
    _Alignas(64) static double reference[4 * 64], rows[4 * 64];
    for (int op = GM_OP_ADD; op < GM_OP_COUNT; op++) {
        for (int round = 0; round < 20; round++) {
            for (int i = 0; i < 3 * 64; i++) reference[i] = gm_test_double(&random);
            memcpy(rows, reference, sizeof rows);
            run_operation(op, executors[0], reference);
            for (uint32_t e = 1; e < n; e++) {
                run_operation(op, executors[e], rows);
                for (int i = 0; i < 64; i++) {
                    if (gm_test_same(rows[3 * 64 + i], reference[3 * 64 + i])) continue;
                    fail_msg("%s, %s: (%.17g, %.17g, %.17g) gives %.17g, not %.17g", gm_executor_text(executors[e]), gm_op_text(op),
                             rows[i], rows[64 + i], rows[128 + i], rows[3 * 64 + i], reference[3 * 64 + i]);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_keep_their_stated_error),
        cmocka_unit_test(powers_keep_their_stated_error),
        cmocka_unit_test(odd_points_are_those_of_libm),
        cmocka_unit_test(every_width_gives_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
