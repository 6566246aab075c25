// From program operations to machine operations. exp is expanded in place, step by step as in vecmath.h, so that the
// bits agree; other functions are calls. Masks are vectors of all ones and zeros in both instruction sets.
//
// A row's content is used straight from memory, at the moment of use. Hence the care with stores: a value is stored
// as soon as nobody reads the row's old content any more.
#include "physics/exec/native_parts.h"

#include <math.h>

typedef struct selection {
    const gm_code *code;
    gm_x64        *x;
    gm_mcode      *m;
    uint32_t      *value;      // [ins] machine operation
    uint32_t      *last_read;  // [rows] last instruction that reads the row's old content
} selection;

unsigned gm_mkind_operands(gm_mkind kind)
{
    switch (kind) {
    case GM_M_ROW:
    case GM_M_CONST:
    case GM_M_KEEP: return 0;
    case GM_M_UNARY:
    case GM_M_SHIFT:
    case GM_M_STORE: return 1;
    case GM_M_BINARY:
    case GM_M_COMMUTE:
    case GM_M_COMPARE:
    case GM_M_CALL: return 2;
    default: return 3;
    }
}

static uint32_t put(selection *s, gm_mkind kind, uint32_t op, uint32_t a, uint32_t b, uint32_t c, uint8_t imm)
{
    gm_mcode *m = s->m;
    if (!gm_alloc_reserve(m->alloc, &m->ops, &m->capacity, m->count + 1, sizeof *m->ops)) {
        m->failed = true;
        return 0;
    }
    m->ops[m->count] = (gm_mop){ (uint8_t)kind, imm, op, a, b, c };
    return (uint32_t)m->count++;
}

static uint32_t bits(selection *s, uint64_t pattern)
{
    return put(s, GM_M_CONST, 0, gm_x64_constant(s->x, pattern), 0, 0, 0);
}

static uint32_t number(selection *s, double value)
{
    uint64_t pattern;
    memcpy(&pattern, &value, sizeof pattern);
    return bits(s, pattern);
}

static uint32_t binary(selection *s, uint32_t op, uint32_t a, uint32_t b) { return put(s, GM_M_BINARY, op, a, b, 0, 0); }
static uint32_t commute(selection *s, uint32_t op, uint32_t a, uint32_t b) { return put(s, GM_M_COMMUTE, op, a, b, 0, 0); }
static uint32_t fused(selection *s, uint32_t op, uint32_t a, uint32_t b, uint32_t c) { return put(s, GM_M_FMA, op, a, b, c, 0); }
static uint32_t rounded(selection *s, uint32_t a, uint8_t how) { return put(s, GM_M_UNARY, GM_X64_ROUND, a, 0, 0, how); }
static uint32_t shifted(selection *s, uint32_t a, uint32_t way, uint8_t by) { return put(s, GM_M_SHIFT, way, a, 0, 0, by); }

enum { CMP_EQ = 0, CMP_NE = 4, CMP_LT = 17, CMP_LE = 18, ROUND_DOWN = 9, ROUND_UP = 10, ROUND_CUT = 11, RIGHT = 2, LEFT = 6 };

static uint32_t compare(selection *s, uint8_t how, uint32_t a, uint32_t b)
{
    return put(s, GM_M_COMPARE, 0, a, b, 0, how);
}

// p * 2^n, as v_scale in vec_avx2.h.
static uint32_t scaled(selection *s, uint32_t p, uint32_t n)
{
    if (s->x->wide) return binary(s, GM_X64_SCALE, p, n);
    uint32_t shift = number(s, 0x1.8p52), bias = bits(s, 1023);
    uint32_t k    = binary(s, GM_X64_SUB_INT, commute(s, GM_X64_ADD, n, shift), shift);
    uint32_t half = shifted(s, commute(s, GM_X64_ADD_INT, k, bits(s, 2048)), RIGHT, 1);
    half          = binary(s, GM_X64_SUB_INT, half, bits(s, 1024));
    uint32_t low  = shifted(s, commute(s, GM_X64_ADD_INT, half, bias), LEFT, 52);
    uint32_t high = commute(s, GM_X64_ADD_INT, binary(s, GM_X64_SUB_INT, k, half), bias);
    return commute(s, GM_X64_MUL, commute(s, GM_X64_MUL, p, low), shifted(s, high, LEFT, 52));
}

// v_exp of vecmath.h.
static uint32_t expanded_exp(selection *s, uint32_t x)
{
    static const double q[10] = { 0x1.0000000000008p-1,  0x1.5555555555502p-3,  0x1.5555555550ebfp-5,  0x1.11111111265c3p-7,
                                  0x1.6c16c183078ebp-10, 0x1.a01a012f5f0f9p-13, 0x1.a0199cb462d5ap-16, 0x1.71df1e143bd14p-19,
                                  0x1.28ab4636e0a1fp-22, 0x1.ad861e0ad02bbp-26 };
    uint32_t shift = number(s, 0x1.8p52), pair[5];
    uint32_t y = binary(s, GM_X64_MAX, number(s, -750), binary(s, GM_X64_MIN, number(s, 710), x));
    uint32_t n = binary(s, GM_X64_SUB, fused(s, GM_X64_FMADD, y, number(s, 0x1.71547652b82fep+0), shift), shift);
    uint32_t r = fused(s, GM_X64_FNMADD, n, number(s, 0x1.62e42fefa39efp-1), y);
    r          = fused(s, GM_X64_FNMADD, n, number(s, 0x1.abc9e3b39803fp-56), r);
    uint32_t r2 = commute(s, GM_X64_MUL, r, r), r4 = commute(s, GM_X64_MUL, r2, r2);
    for (int i = 0; i < 5; i++) pair[i] = fused(s, GM_X64_FMADD, number(s, q[2 * i + 1]), r, number(s, q[2 * i]));
    uint32_t low  = fused(s, GM_X64_FMADD, pair[1], r2, pair[0]);
    uint32_t high = fused(s, GM_X64_FMADD, pair[4], r4, fused(s, GM_X64_FMADD, pair[3], r2, pair[2]));
    uint32_t poly = fused(s, GM_X64_FMADD, high, r4, low);
    uint32_t p    = commute(s, GM_X64_ADD, fused(s, GM_X64_FMADD, poly, r2, r), number(s, 1));
    return scaled(s, p, n);
}

static uint32_t sign_of(selection *s, uint32_t a)
{
    uint32_t zero  = number(s, 0);
    uint32_t below = put(s, GM_M_SELECT, 0, compare(s, CMP_LT, a, zero), number(s, -1), a, 0);
    return put(s, GM_M_SELECT, 0, compare(s, CMP_LT, zero, a), number(s, 1), below, 0);
}

static uint32_t remainder_of(selection *s, uint32_t a, uint32_t b, uint8_t how)
{
    return fused(s, GM_X64_FNMADD, rounded(s, binary(s, GM_X64_DIV, a, b), how), b, a);
}

static uint32_t translate(selection *s, const gm_ins *ins)
{
    unsigned arity = gm_op_arity(ins->op);
    uint32_t a = arity > 0 ? s->value[ins->a] : 0, b = arity > 1 ? s->value[ins->b] : a, c = arity > 2 ? s->value[ins->c] : 0;
    switch ((gm_op)ins->op) {
    case GM_OP_ADD: return commute(s, GM_X64_ADD, a, b);
    case GM_OP_SUB: return binary(s, GM_X64_SUB, a, b);
    case GM_OP_MUL: return commute(s, GM_X64_MUL, a, b);
    case GM_OP_DIV: return binary(s, GM_X64_DIV, a, b);
    case GM_OP_FMA: return fused(s, GM_X64_FMADD, a, b, c);
    case GM_OP_FMS: return fused(s, GM_X64_FMSUB, a, b, c);
    case GM_OP_FNMA: return fused(s, GM_X64_FNMADD, a, b, c);
    case GM_OP_NEG: return commute(s, GM_X64_XOR, a, bits(s, UINT64_C(1) << 63));
    case GM_OP_ABS: return commute(s, GM_X64_AND, a, bits(s, INT64_MAX));
    case GM_OP_SIGN: return sign_of(s, a);
    case GM_OP_MIN: return binary(s, GM_X64_MIN, a, b);
    case GM_OP_MAX: return binary(s, GM_X64_MAX, a, b);
    case GM_OP_SQRT: return put(s, GM_M_UNARY, GM_X64_SQRT, a, 0, 0, 0);
    case GM_OP_FLOOR: return rounded(s, a, ROUND_DOWN);
    case GM_OP_CEIL: return rounded(s, a, ROUND_UP);
    case GM_OP_TRUNC: return rounded(s, a, ROUND_CUT);
    case GM_OP_QUOT: return rounded(s, binary(s, GM_X64_DIV, a, b), ROUND_CUT);
    case GM_OP_REM: return remainder_of(s, a, b, ROUND_CUT);
    case GM_OP_MOD: return remainder_of(s, a, b, ROUND_DOWN);
    case GM_OP_EXP: return expanded_exp(s, a);
    case GM_OP_LT: return compare(s, CMP_LT, a, b);
    case GM_OP_LE: return compare(s, CMP_LE, a, b);
    case GM_OP_EQ: return compare(s, CMP_EQ, a, b);
    case GM_OP_NE: return compare(s, CMP_NE, a, b);
    case GM_OP_AND: return commute(s, GM_X64_AND, a, b);
    case GM_OP_OR: return commute(s, GM_X64_OR, a, b);
    case GM_OP_XOR: return commute(s, GM_X64_XOR, a, b);
    case GM_OP_NOT: return commute(s, GM_X64_XOR, a, bits(s, UINT64_MAX));
    case GM_OP_SELECT: return put(s, GM_M_SELECT, 0, a, b, c, 0);
    case GM_OP_NUMBER: return commute(s, GM_X64_AND, a, number(s, 1));
    case GM_OP_MASK: return compare(s, CMP_NE, a, number(s, 0));
    default: return put(s, GM_M_CALL, ins->op, a, b, 0, 0);
    }
}

static void find_last_reads(selection *s, uint32_t rows)
{
    const gm_code *code = s->code;
    memset(s->last_read, 0, rows * sizeof *s->last_read);
    for (uint32_t i = 0; i < code->count; i++) {
        const gm_ins *ins        = &code->ins[i];
        uint32_t      operand[3] = { ins->a, ins->b, ins->c };
        for (unsigned k = 0; k < gm_op_arity(ins->op); k++) {
            const gm_ins *from = &code->ins[operand[k]];
            if (from->op == GM_OP_LOAD) s->last_read[from->a] = i;
        }
    }
    // A LOAD that is itself a result is read where it stands (GM_M_KEEP).
    for (size_t i = 0; i < code->result_count; i++) {
        uint32_t      at   = code->results[i].value;
        const gm_ins *from = &code->ins[at];
        if (from->op == GM_OP_LOAD && s->last_read[from->a] < at) s->last_read[from->a] = at;
    }
}

static bool is_leaf(uint32_t op) { return op == GM_OP_LOAD || op == GM_OP_CONST || op == GM_OP_BOOL; }

// Results by the value they store, so that each can be stored right after it is computed.
typedef struct result_list { uint32_t *first, *next; } result_list;

static void list_results(const gm_code *code, result_list *list)
{
    memset(list->first, 0xff, code->count * sizeof *list->first);
    for (uint32_t i = 0; i < code->result_count; i++) {
        list->next[i]                          = list->first[code->results[i].value];
        list->first[code->results[i].value] = i;
    }
}

static void select_all(selection *s, const result_list *list, uint8_t *stored, uint8_t *done)
{
    const gm_code *code = s->code;
    for (uint32_t i = 0; i < code->result_count; i++) stored[code->results[i].target] = 1;
    for (uint32_t i = 0; i < code->count; i++) {
        const gm_ins *ins = &code->ins[i];
        if (ins->op == GM_OP_LOAD) {
            bool wanted_late = list->first[i] != GM_CODE_NONE && stored[ins->a];
            s->value[i]      = put(s, wanted_late ? GM_M_KEEP : GM_M_ROW, 0, ins->a, 0, 0, 0);
        } else if (ins->op == GM_OP_CONST) s->value[i] = number(s, gm_ins_const(ins));
        else if (ins->op == GM_OP_BOOL) s->value[i] = bits(s, ins->a ? UINT64_MAX : 0);
        else s->value[i] = translate(s, ins);

        for (uint32_t r = list->first[i]; r != GM_CODE_NONE && !is_leaf(ins->op); r = list->next[r]) {
            uint32_t row = code->results[r].target;
            if (s->last_read[row] > i) continue;
            put(s, GM_M_STORE, 0, s->value[i], row, 0, 0);
            done[r] = 1;
        }
    }
    for (uint32_t r = 0; r < code->result_count; r++) {
        if (!done[r]) put(s, GM_M_STORE, 0, s->value[code->results[r].value], code->results[r].target, 0, 0);
    }
}

void gm_native_select(const gm_alloc *alloc, const gm_code *code, uint32_t row_count, gm_x64 *x, gm_mcode *out)
{
    *out = (gm_mcode){ .alloc = alloc, .abreast = 1 };
    uint32_t rows = row_count;
    for (size_t i = 0; i < code->result_count; i++) {
        if (code->results[i].target >= rows) rows = code->results[i].target + 1;
    }
    for (size_t i = 0; i < code->count; i++) {
        if (code->ins[i].op == GM_OP_LOAD && code->ins[i].a >= rows) rows = code->ins[i].a + 1;
    }
    size_t    n     = code->count, results = code->result_count;
    uint32_t *work  = gm_alloc_array(alloc, 2 * n + results + rows + 1, sizeof *work);
    uint8_t  *flags = gm_alloc_zeroed(alloc, rows + results);
    if (work == NULL || flags == NULL) {
        out->failed = true;
    } else {
        selection   s    = { code, x, out, work, work + n };
        result_list list = { work + n + rows, work + 2 * n + rows };
        find_last_reads(&s, rows);
        list_results(code, &list);
        select_all(&s, &list, flags, flags + rows);
    }
    gm_free(alloc, work);
    gm_free(alloc, flags);
}
