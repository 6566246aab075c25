#include "physics/program.h"

#include "physics/code.h"
#include "physics/exec/scalar.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>

// The spring of program.h's first example.
static gm_status build_spring(const gm_alloc *alloc, gm_program **out, gm_error *err)
{
    gm_builder *b = gm_builder_create(alloc, NULL);
    if (b == NULL) return GM_NOMEM;
    gm_slot x = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_STATE, .name = GM_STR("x"), .unit = GM_STR("m"), .start = 1 });
    gm_slot v = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_STATE, .name = GM_STR("v"), .unit = GM_STR("m/s") });
    gm_slot k = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_PARAMETER, .name = GM_STR("k"), .unit = GM_STR("N/m"), .start = 4 });
    gm_slot m = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_PARAMETER, .name = GM_STR("m"), .unit = GM_STR("kg"), .start = 1 });
    gm_build_alias(b, &(gm_slot_alias){ .name = GM_STR("left"), .slot = x, .negated = true });
    gm_build_section(b, GM_SECTION_DERIVATIVE);
    // One emission per line: C does not say in which order arguments are computed, and the text below shows it.
    gm_val stiffness = gm_emit_load(b, k), at = gm_emit_load(b, x), speed = gm_emit_load(b, v), mass = gm_emit_load(b, m);
    gm_val force     = gm_emit2(b, GM_OP_MUL, gm_emit1(b, GM_OP_NEG, stiffness), at);
    gm_build_derivative(b, x, speed);
    gm_build_derivative(b, v, gm_emit2(b, GM_OP_DIV, force, mass));
    gm_build_end(b);
    gm_status st = gm_builder_finish(b, out, err);
    gm_builder_destroy(b);
    return st;
}

static void a_program_reads_as_it_was_written(void **state)
{
    (void)state;
    gm_error    err = { 0 };
    gm_program *p   = NULL;
    assert_gm_ok(build_spring(gm_alloc_system(), &p, &err), err);
    gm_buf out = gm_buf_init(gm_alloc_system());
    gm_program_dump(p, &out);
    gm_buf_byte(&out, 0);
    assert_string_equal((char *)out.ptr, "state x \"m\" start 1\n"
                                         "state v \"m/s\" start 0\n"
                                         "parameter k \"N/m\" start 4\n"
                                         "parameter m \"kg\" start 1\n"
                                         "alias left = -x\n"
                                         "section derivative\n"
                                         "  %0 = load k\n"
                                         "  %1 = load x\n"
                                         "  %2 = load v\n"
                                         "  %3 = load m\n"
                                         "  %4 = mul %0, %1\n"
                                         "  %5 = div %4, %3\n"
                                         "  %6 = neg %5\n"
                                         "  der(x) = %2\n"
                                         "  der(v) = %6\n");
    gm_slot slot;
    bool    negated;
    assert_true(gm_program_find(p, GM_STR("left"), &slot, &negated));
    assert_true(slot.v == 1 && negated);
    assert_true(gm_program_find(p, GM_STR("m"), &slot, &negated) && slot.v == 4 && !negated);
    assert_false(gm_program_find(p, GM_STR("nobody"), &slot, &negated));
    gm_buf_finish(&out);
    gm_program_destroy(p);
}

static void building_survives_every_allocation_failure(void **state)
{
    (void)state;
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc fault;
        gm_fault_alloc_init(&fault, k);
        gm_program *p  = NULL;
        gm_status   st = build_spring(&fault.alloc, &p, NULL);
        gm_program_destroy(p);
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.fired) {
            assert_int_equal(st, GM_OK);
            return;
        }
        assert_int_equal(st, GM_NOMEM);
    }
}

// Each breaks one rule of program.h; the message must name the culprit.
typedef void mistake(gm_builder *b, gm_slot state, gm_slot parameter);
static void forgets_the_derivative(gm_builder *b, gm_slot state, gm_slot parameter) { (void)b, (void)state, (void)parameter; }
static void stores_a_parameter_in_event(gm_builder *b, gm_slot state, gm_slot parameter)
{
    (void)state;
    gm_build_section(b, GM_SECTION_EVENT);
    gm_build_store(b, parameter, gm_emit_const(b, 1));
    gm_build_end(b);
}
static void adds_a_mask(gm_builder *b, gm_slot state, gm_slot parameter)
{
    (void)parameter;
    gm_build_section(b, GM_SECTION_DERIVATIVE);
    gm_val x = gm_emit_load(b, state);
    gm_build_derivative(b, state, gm_emit2(b, GM_OP_ADD, x, gm_emit2(b, GM_OP_LT, x, gm_emit_const(b, 0))));
    gm_build_end(b);
}
static void derives_twice(gm_builder *b, gm_slot state, gm_slot parameter)
{
    (void)parameter;
    gm_build_section(b, GM_SECTION_DERIVATIVE);
    gm_build_derivative(b, state, gm_emit_const(b, 1));
    gm_build_derivative(b, state, gm_emit_const(b, 2));
    gm_build_end(b);
}
static void mixes_sections(gm_builder *b, gm_slot state, gm_slot parameter)
{
    (void)parameter;
    gm_build_section(b, GM_SECTION_DERIVATIVE);
    gm_val x = gm_emit_load(b, state);
    gm_build_derivative(b, state, x);
    gm_build_end(b);
    gm_build_section(b, GM_SECTION_INITIAL);
    gm_build_store(b, state, x);
    gm_build_end(b);
}
static void loads_in_a_loop(gm_builder *b, gm_slot state, gm_slot parameter)
{
    (void)parameter;
    gm_slot guess = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_ALGEBRAIC, .name = GM_STR("z") });
    gm_build_loop(b, &(gm_loop_spec){ .name = GM_STR("knot"), .unknowns = 1, .guess = &guess });
    gm_build_residual(b, 0, gm_emit_load(b, state));
    gm_build_end(b);
}
static void forgets_a_residual(gm_builder *b, gm_slot state, gm_slot parameter)
{
    (void)state, (void)parameter;
    gm_slot guess = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_ALGEBRAIC, .name = GM_STR("z") });
    gm_build_loop(b, &(gm_loop_spec){ .name = GM_STR("knot"), .unknowns = 1, .guess = &guess });
    gm_build_end(b);
}
static void names_two_alike(gm_builder *b, gm_slot state, gm_slot parameter)
{
    (void)state, (void)parameter;
    gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_INPUT, .name = GM_STR("speed") });
}
static void falls_in_a_table(gm_builder *b, gm_slot state, gm_slot parameter)
{
    (void)state, (void)parameter;
    gm_build_grid(b, &(gm_grid_spec){ .name = GM_STR("curve"), .nx = 3, .x = (double[]){ 0, 2, 1 }, .z = (double[]){ 0, 0, 0 } });
}

static void a_mistake_is_named(void **state)
{
    (void)state;
    static const struct { mistake *make; const char *text; } cases[] = {
        { forgets_the_derivative, "speed has no derivative" },
        { stores_a_parameter_in_event, "gain can not be stored" },
        { adds_a_mask, "add wants a number" },
        { derives_twice, "speed is given twice in section derivative" },
        { mixes_sections, "value of another section" },
        { loads_in_a_loop, "loads speed" },
        { forgets_a_residual, "knot lacks residual 0" },
        { names_two_alike, "two variables are named speed" },
        { falls_in_a_table, "curve: x[3] = 1" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_builder *b = gm_builder_create(gm_alloc_system(), NULL);
        gm_slot     x = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_STATE, .name = GM_STR("speed") });
        gm_slot     k = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_PARAMETER, .name = GM_STR("gain") });
        cases[i].make(b, x, k);
        gm_program *p   = NULL;
        gm_error    err = { 0 };
        gm_status   st  = gm_builder_finish(b, &p, &err);
        if (st != GM_INVALID || strstr(err.text, cases[i].text) == NULL) fail_msg("case %zu: %d '%s'", i, (int)st, err.text);
        gm_builder_destroy(b);
    }
}

static void a_hostile_size_is_refused(void **state)
{
    (void)state;
    gm_builder *b = gm_builder_create(gm_alloc_system(), &(gm_program_limits){ .instructions_max = 100 });
    gm_slot     x = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_STATE, .name = GM_STR("x") });
    gm_build_section(b, GM_SECTION_DERIVATIVE);
    gm_val sum = gm_emit_load(b, x);
    for (int i = 0; i < 1000; i++) sum = gm_emit2(b, GM_OP_ADD, gm_emit1(b, GM_OP_SIN, sum), sum);
    gm_build_derivative(b, x, sum);
    gm_build_end(b);
    gm_program *p = NULL;
    assert_int_equal(gm_builder_finish(b, &p, NULL), GM_LIMIT);
    gm_builder_destroy(b);
}

// -------------------------------------------------------------------------------------------- code

// What an instruction list computes for given loads, one operation at a time.
static double evaluate(const gm_code *code, const double *loads, uint32_t value)
{
    double *v = calloc(code->count, sizeof *v);
    for (uint32_t i = 0; i <= value; i++) {
        const gm_ins *ins   = &code->ins[i];
        unsigned      arity = gm_op_arity(ins->op);
        if (ins->op == GM_OP_LOAD) v[i] = loads[ins->a];
        else if (ins->op == GM_OP_CONST) v[i] = gm_ins_const(ins);
        else if (ins->op == GM_OP_BOOL) v[i] = ins->a;
        else v[i] = gm_scalar_op(ins->op, v[ins->a], arity > 1 ? v[ins->b] : 0, arity > 2 ? v[ins->c] : 0);
    }
    double result = v[value];
    free(v);
    return result;
}

static void derivatives_agree_with_differences(void **state)
{
    (void)state;
    // Each at a point where it is smooth; compared with a central difference.
    static const gm_op ops[] = { GM_OP_ADD,  GM_OP_SUB,  GM_OP_MUL,  GM_OP_DIV,  GM_OP_FMA,   GM_OP_FMS,  GM_OP_FNMA, GM_OP_NEG,
                                 GM_OP_ABS,  GM_OP_MIN,  GM_OP_MAX,  GM_OP_SQRT, GM_OP_FLOOR, GM_OP_REM,  GM_OP_MOD,  GM_OP_EXP,
                                 GM_OP_LOG,  GM_OP_LOG10, GM_OP_SIN, GM_OP_COS,  GM_OP_TAN,   GM_OP_ASIN, GM_OP_ACOS, GM_OP_ATAN,
                                 GM_OP_ATAN2, GM_OP_SINH, GM_OP_COSH, GM_OP_TANH, GM_OP_POW,  GM_OP_SIGN, GM_OP_TRUNC, GM_OP_QUOT };
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        gm_code  code = gm_code_init(gm_alloc_system(), 10000);
        uint32_t x    = gm_code_emit(&code, GM_OP_LOAD, 0, 0, 0), y = gm_code_emit(&code, GM_OP_LOAD, 1, 0, 0);
        uint32_t half = gm_code_emit(&code, GM_OP_MUL, x, gm_code_const(&code, 0.4), 0);
        // The operand depends on x in two ways, and the result is used once more.
        uint32_t f = gm_code_emit(&code, ops[i], half, gm_code_emit(&code, GM_OP_ADD, y, half, 0), y);
        f          = gm_code_emit(&code, GM_OP_MUL, f, x, 0);
        uint32_t d;
        assert_int_equal(gm_code_diff(&code, x, 1, &f, &d), GM_OK);
        double at[2] = { 0.7, 0.9 }, h = 1e-5, low[2] = { at[0] - h, at[1] }, high[2] = { at[0] + h, at[1] };
        double expected = (evaluate(&code, high, f) - evaluate(&code, low, f)) / (2 * h);
        double got      = evaluate(&code, at, d);
        if (!(fabs(got - expected) <= 1e-8 * (1 + fabs(expected)))) fail_msg("%s: %g, not %g", gm_op_text(ops[i]), got, expected);
        gm_code_finish(&code);
    }
}

static void no_dependence_is_a_structural_zero(void **state)
{
    (void)state;
    gm_code  code = gm_code_init(gm_alloc_system(), 1000);
    uint32_t x = gm_code_emit(&code, GM_OP_LOAD, 0, 0, 0), y = gm_code_emit(&code, GM_OP_LOAD, 1, 0, 0);
    uint32_t of[2] = { gm_code_emit(&code, GM_OP_SIN, y, 0, 0), gm_code_emit(&code, GM_OP_FLOOR, x, 0, 0) }, d[2];
    assert_int_equal(gm_code_diff(&code, x, 2, of, d), GM_OK);
    assert_int_equal(d[0], GM_CODE_NONE);
    assert_int_equal(d[1], GM_CODE_NONE);
    gm_code_finish(&code);
}

static void equal_work_is_shared_and_constants_fold(void **state)
{
    (void)state;
    gm_code  code = gm_code_init(gm_alloc_system(), 1000);
    uint32_t x = gm_code_emit(&code, GM_OP_LOAD, 0, 0, 0), y = gm_code_emit(&code, GM_OP_LOAD, 1, 0, 0);
    assert_int_equal(gm_code_emit(&code, GM_OP_ADD, x, y, 0), gm_code_emit(&code, GM_OP_ADD, y, x, 0));
    double   v;
    uint32_t c = gm_code_emit(&code, GM_OP_SQRT, gm_code_const(&code, 2), 0, 0);
    assert_true(gm_code_is_const(&code, c, &v) && v == sqrt(2));
    assert_int_equal(gm_code_emit(&code, GM_OP_MUL, x, gm_code_const(&code, 1), 0), x);
    assert_int_equal(gm_code_emit(&code, GM_OP_POW, x, gm_code_const(&code, 1), 0), x);
    // 0 * x is not 0 when x is infinite, so it must stay.
    uint32_t zero = gm_code_emit(&code, GM_OP_MUL, x, gm_code_const(&code, 0), 0);
    assert_false(gm_code_is_const(&code, zero, &v));
    gm_code_finish(&code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_reads_as_it_was_written),
        cmocka_unit_test(building_survives_every_allocation_failure),
        cmocka_unit_test(a_mistake_is_named),
        cmocka_unit_test(a_hostile_size_is_refused),
        cmocka_unit_test(derivatives_agree_with_differences),
        cmocka_unit_test(no_dependence_is_a_structural_zero),
        cmocka_unit_test(equal_work_is_shared_and_constants_fold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
