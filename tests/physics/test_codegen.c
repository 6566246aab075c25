#include "lanes_support.h"
#include "physics/exec/scalar.h"

enum { ROWS = 24, BLOCK = ROWS * 64 };

// A random program over ROWS rows: operations of every kind on values of the right type, results stored over rows that
// are read elsewhere (swaps among them).
static void random_code(uint64_t *random, gm_code *code, uint32_t length)
{
    uint32_t numbers[4000], masks[4000], n = 0, m = 0;
    for (uint32_t i = 0; i < ROWS; i++) numbers[n++] = gm_code_emit(code, GM_OP_LOAD, i, 0, 0);
    for (uint32_t i = 0; i < 6; i++) numbers[n++] = gm_code_const(code, gm_test_double(random));
    masks[m++] = gm_code_emit(code, GM_OP_LT, numbers[0], numbers[1], 0);
    bool cheap = gm_test_random(random) % 2;  // long programs of plain arithmetic strain the registers most
    for (uint32_t i = 0; i < length; i++) {
        gm_op op = (gm_op)(GM_OP_ADD + gm_test_random(random) % (GM_OP_COUNT - GM_OP_ADD));
        if (cheap && gm_test_random(random) % 8 != 0) op = (gm_op)(GM_OP_ADD + gm_test_random(random) % 7);
        uint32_t operand[3] = { 0 };
        for (unsigned k = 0; k < gm_op_arity(op); k++) {
            bool     mask = gm_op_signature(op)[k] == 'm';
            uint32_t have = mask ? m : n, near = gm_test_random(random) % 3 != 0 && have > 40 ? 40 : have;
            uint32_t pick = have - 1 - (uint32_t)(gm_test_random(random) % near);
            operand[k]    = (mask ? masks : numbers)[pick];
        }
        uint32_t value = gm_code_emit(code, op, operand[0], operand[1], operand[2]);
        if (gm_op_gives_mask(op)) masks[m++] = value;
        else numbers[n++] = value;
    }
    for (uint32_t row = 0; row < ROWS; row++) {
        uint64_t r = gm_test_random(random);
        if (r % 4 == 0) continue;
        uint32_t value = r % 4 == 1 ? (uint32_t)(r >> 8) % n : n - 1 - (uint32_t)(r >> 8) % (n < 60 ? n : 60);
        gm_code_result_add(code, GM_RESULT_STORE, row, numbers[value]);
    }
}

// One lane, one operation at a time; the reference.
static void evaluate(const gm_code *code, double *rows, int lane)
{
    double *v = calloc(code->count + 1, sizeof *v);
    for (uint32_t i = 0; i < code->count; i++) {
        const gm_ins *ins   = &code->ins[i];
        unsigned      arity = gm_op_arity(ins->op);
        if (ins->op == GM_OP_LOAD) v[i] = rows[ins->a * 64 + (uint32_t)lane];
        else if (ins->op == GM_OP_CONST) v[i] = gm_ins_const(ins);
        else if (ins->op == GM_OP_BOOL) v[i] = ins->a;
        else v[i] = gm_scalar_op(ins->op, v[ins->a], arity > 1 ? v[ins->b] : 0, arity > 2 ? v[ins->c] : 0);
    }
    for (size_t r = 0; r < code->result_count; r++) rows[code->results[r].target * 64 + (uint32_t)lane] = v[code->results[r].value];
    free(v);
}

static void executors_agree_bit_for_bit_on_random_programs(void **state)
{
    (void)state;
    uint64_t    random = gm_test_seed();
    gm_executor executors[GM_EXECUTOR_COUNT];
    uint32_t    n = gm_test_executors(executors);
    _Alignas(64) static double start[BLOCK], reference[BLOCK], rows[BLOCK];
    for (int round = 0; round < 300; round++) {
        uint64_t seed = random;
        gm_code  code = gm_code_init(gm_alloc_system(), 100000);
        random_code(&random, &code, 5 + (uint32_t)(gm_test_random(&random) % (round % 10 == 0 ? 3000 : 200)));
        assert_int_equal(gm_code_compact(&code, gm_test_random(&random) % 2), GM_OK);
        for (int i = 0; i < BLOCK; i++) start[i] = gm_test_double(&random);
        memcpy(reference, start, sizeof start);
        uint32_t times = 1 + round % 3;
        for (int lane = 0; lane < 64; lane++) {
            for (uint32_t t = 0; t < times; t++) evaluate(&code, reference, lane);
        }
        for (uint32_t e = 0; e < n; e++) {
            memcpy(rows, start, sizeof start);
            gm_test_run(NULL, &code, ROWS, executors[e], rows, times);
            for (int i = 0; i < BLOCK; i++) {
                if (gm_test_same(rows[i], reference[i])) continue;
                fail_msg("%s, round %d (seed %" PRIu64 "): row %d lane %d is %.17g, not %.17g; %zu operations", gm_executor_text(executors[e]),
                         round, seed, i / 64, i % 64, rows[i], reference[i], code.count);
            }
        }
        gm_code_finish(&code);
    }
}

static void rows_may_change_places(void **state)
{
    (void)state;
    gm_executor executors[GM_EXECUTOR_COUNT];
    uint32_t    n = gm_test_executors(executors);
    _Alignas(64) static double rows[3 * 64];
    for (uint32_t e = 0; e < n; e++) {
        gm_code code = gm_code_init(gm_alloc_system(), 100);
        for (uint32_t i = 0; i < 3; i++) gm_code_result_add(&code, GM_RESULT_STORE, (i + 1) % 3, gm_code_emit(&code, GM_OP_LOAD, i, 0, 0));
        assert_int_equal(gm_code_compact(&code, false), GM_OK);
        for (int i = 0; i < 3 * 64; i++) rows[i] = i;
        gm_test_run(NULL, &code, 3, executors[e], rows, 4);  // three turns are none
        for (int i = 0; i < 3 * 64; i++) assert_true(rows[(i + 64) % 192] == i);
        gm_code_finish(&code);
    }
}

static void no_page_is_writable_and_executable(void **state)
{
    (void)state;
    gm_executor executor = gm_executor_pick(GM_EXECUTOR_AUTO);
    gm_code     code     = gm_code_init(gm_alloc_system(), 100);
    gm_kernel  *kernel   = NULL;
    gm_code_result_add(&code, GM_RESULT_STORE, 0, gm_code_emit(&code, GM_OP_SQRT, gm_code_emit(&code, GM_OP_LOAD, 0, 0, 0), 0, 0));
    assert_int_equal(gm_code_compact(&code, false), GM_OK);
    assert_int_equal(gm_kernel_create(gm_alloc_system(), NULL, &code, 1, GM_CODE_NONE, executor, &kernel, NULL), GM_OK);
    FILE *maps = fopen("/proc/self/maps", "r");
    char  line[512];
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        const char *access = strchr(line, ' ');
        assert_non_null(access);
        if (access[2] == 'w' && access[3] == 'x') fail_msg("%s", line);
    }
    fclose(maps);
    gm_kernel_destroy(kernel);
    gm_code_finish(&code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(executors_agree_bit_for_bit_on_random_programs),
        cmocka_unit_test(rows_may_change_places),
        cmocka_unit_test(no_page_is_writable_and_executable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
