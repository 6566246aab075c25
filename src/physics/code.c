// Invariants: (1) operands stand before their user; (2) equal instructions are one instruction (except SOLVE, whose
// solutions it shares); (3) after a failure nothing is appended, so indices already given out stay valid.
#include "physics/code.h"

#include "physics/exec/scalar.h"

#include <assert.h>
#include <math.h>

static const struct { const char *text, *signature; } op_info[GM_OP_COUNT] = {
#define X(name, text, signature) [name] = { text, signature },
    GM_OP_LIST(X)
#undef X
};

const char *gm_op_text(gm_op op)
{
    assert(op < GM_OP_COUNT);
    return op_info[op].text;
}

const char *gm_op_signature(gm_op op)
{
    assert(op < GM_OP_COUNT);
    return op_info[op].signature;
}

unsigned gm_op_arity(gm_op op)
{
    const char *signature = gm_op_signature(op);
    return (unsigned)(strchr(signature, '>') - signature);
}

bool gm_op_gives_mask(gm_op op)
{
    const char *signature = gm_op_signature(op);
    return signature[strlen(signature) - 1] == 'm';
}

gm_code gm_code_init(const gm_alloc *alloc, size_t limit)
{
    return (gm_code){ .alloc = alloc, .limit = limit };
}

void gm_code_finish(gm_code *code)
{
    gm_free(code->alloc, code->ins);
    gm_free(code->alloc, code->shared);
    gm_free(code->alloc, code->arguments);
    gm_free(code->alloc, code->results);
    *code = gm_code_init(code->alloc, code->limit);
}

gm_region gm_code_region(const gm_code *code)
{
    return (gm_region){ code->ins,       (uint32_t)code->count,          code->results, (uint32_t)code->result_count,
                        code->arguments, (uint32_t)code->argument_count };
}

// -------------------------------------------------------------------------------------------- sharing

static uint64_t hash_of(const gm_ins *ins)
{
    uint64_t hash = ((uint64_t)ins->op << 32 | ins->a) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= ((uint64_t)ins->b << 32 | ins->c) + (hash >> 29);
    hash *= UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ hash >> 32;
}

static bool same(const gm_ins *x, const gm_ins *y)
{
    return x->op == y->op && x->a == y->a && x->b == y->b && x->c == y->c;
}

static bool grow_shared(gm_code *code)
{
    size_t slots = code->shared != NULL ? (code->shared_mask + 1) * 2 : 64;
    if (code->shared != NULL && code->count * 4 <= (code->shared_mask + 1) * 3) return true;
    uint32_t *fresh = gm_alloc_array(code->alloc, slots, sizeof *fresh);
    if (fresh == NULL) return false;
    memset(fresh, 0xff, slots * sizeof *fresh);
    gm_free(code->alloc, code->shared);
    code->shared      = fresh;
    code->shared_mask = slots - 1;
    for (size_t i = 0; i < code->count; i++) {
        size_t at = hash_of(&code->ins[i]) & code->shared_mask;
        while (fresh[at] != GM_CODE_NONE) at = (at + 1) & code->shared_mask;
        fresh[at] = (uint32_t)i;
    }
    return true;
}

static uint32_t append(gm_code *code, gm_ins ins)
{
    if (code->status != GM_OK) return 0;
    if (code->count >= code->limit) {
        code->status = GM_LIMIT;
        return 0;
    }
    if (!grow_shared(code)) {
        code->status = GM_NOMEM;
        return 0;
    }
    bool   share = ins.op != GM_OP_SOLVE;
    size_t at    = hash_of(&ins) & code->shared_mask;
    for (; code->shared[at] != GM_CODE_NONE; at = (at + 1) & code->shared_mask) {
        if (share && same(&code->ins[code->shared[at]], &ins)) return code->shared[at];
    }
    if (!gm_alloc_reserve(code->alloc, &code->ins, &code->capacity, code->count + 1, sizeof ins)) {
        code->status = GM_NOMEM;
        return 0;
    }
    code->shared[at]       = (uint32_t)code->count;
    code->ins[code->count] = ins;
    return (uint32_t)code->count++;
}

// -------------------------------------------------------------------------------------------- folding

bool gm_code_is_mask(const gm_code *code, uint32_t value)
{
    return value < code->count && gm_op_gives_mask(code->ins[value].op);
}

bool gm_code_is_const(const gm_code *code, uint32_t value, double *out_value)
{
    if (value >= code->count) return false;
    const gm_ins *ins = &code->ins[value];
    if (ins->op == GM_OP_CONST) *out_value = gm_ins_const(ins);
    else if (ins->op == GM_OP_BOOL) *out_value = ins->a;
    else return false;
    return true;
}

uint32_t gm_code_const(gm_code *code, double value)
{
    uint64_t bits;
    if (isnan(value)) value = NAN;  // one NaN, so that equal constants are shared
    memcpy(&bits, &value, sizeof bits);
    return append(code, (gm_ins){ GM_OP_CONST, (uint32_t)bits, (uint32_t)(bits >> 32), 0 });
}

static bool is_op(const gm_code *code, uint32_t value, gm_op op)
{
    return value < code->count && code->ins[value].op == (uint32_t)op;
}

static uint32_t negated(gm_code *code, uint32_t a)
{
    return gm_code_emit(code, GM_OP_NEG, a, 0, 0);
}

// The reciprocal of a power of two is exact, so dividing by it may be multiplying by its inverse.
static bool power_of_two(double value)
{
    int    exponent;
    double fraction = frexp(value, &exponent);
    return fabs(fraction) == 0.5 && exponent > -1000 && exponent < 1000;
}

// x to a small whole power, by multiplication. False when the exponent is none.
static bool small_power(gm_code *code, uint32_t x, double exponent, uint32_t *out)
{
    if (exponent == 1) *out = x;
    else if (exponent == 2) *out = gm_code_emit(code, GM_OP_MUL, x, x, 0);
    else if (exponent == 3) *out = gm_code_emit(code, GM_OP_MUL, gm_code_emit(code, GM_OP_MUL, x, x, 0), x, 0);
    else if (exponent == 4) {
        uint32_t square = gm_code_emit(code, GM_OP_MUL, x, x, 0);
        *out            = gm_code_emit(code, GM_OP_MUL, square, square, 0);
    } else if (exponent == -1) *out = gm_code_emit(code, GM_OP_DIV, gm_code_const(code, 1), x, 0);
    else if (exponent == 0) *out = gm_code_const(code, 1);
    else return false;
    return true;
}

// A value that an existing or simpler instruction already gives, or false. Exact, except that the sign of a zero may
// differ (x + 0, 0 - x).
static bool simpler_sum(gm_code *code, gm_op op, uint32_t a, uint32_t b, uint32_t *out)
{
    double va = NAN, vb = NAN;
    gm_code_is_const(code, a, &va);
    gm_code_is_const(code, b, &vb);
    bool sum = op == GM_OP_ADD;
    if (vb == 0) *out = a;
    else if (va == 0) *out = sum ? b : negated(code, b);
    else if (is_op(code, b, GM_OP_NEG)) *out = gm_code_emit(code, sum ? GM_OP_SUB : GM_OP_ADD, a, code->ins[b].a, 0);
    else if (sum && is_op(code, a, GM_OP_NEG)) *out = gm_code_emit(code, GM_OP_SUB, b, code->ins[a].a, 0);
    else return false;
    return true;
}

static bool simpler_product(gm_code *code, gm_op op, uint32_t a, uint32_t b, uint32_t *out)
{
    double va = NAN, vb = NAN;
    gm_code_is_const(code, a, &va);
    gm_code_is_const(code, b, &vb);
    if (vb == 1) *out = a;
    else if (vb == -1) *out = negated(code, a);
    else if (op == GM_OP_MUL && va == 1) *out = b;
    else if (op == GM_OP_MUL && va == -1) *out = negated(code, b);
    else if (is_op(code, a, GM_OP_NEG) && is_op(code, b, GM_OP_NEG)) {
        *out = gm_code_emit(code, op, code->ins[a].a, code->ins[b].a, 0);
    } else if (is_op(code, a, GM_OP_NEG) && vb != vb) *out = negated(code, gm_code_emit(code, op, code->ins[a].a, b, 0));
    else if (is_op(code, b, GM_OP_NEG) && va != va) *out = negated(code, gm_code_emit(code, op, a, code->ins[b].a, 0));
    else if (op == GM_OP_DIV && power_of_two(vb)) *out = gm_code_emit(code, GM_OP_MUL, a, gm_code_const(code, 1 / vb), 0);
    else return false;
    return true;
}

static bool simpler_mask(gm_code *code, gm_op op, uint32_t a, uint32_t b, uint32_t *out)
{
    double va = NAN, vb = NAN;
    if (gm_code_is_const(code, a, &va)) {
        uint32_t swap = a;
        a             = b;
        b             = swap;
        vb            = va;
    } else if (!gm_code_is_const(code, b, &vb) && a != b) return false;
    if (a == b) *out = op == GM_OP_XOR ? gm_code_emit(code, GM_OP_BOOL, 0, 0, 0) : a;
    else if (op == GM_OP_AND) *out = vb != 0 ? a : b;
    else if (op == GM_OP_OR) *out = vb != 0 ? b : a;
    else *out = vb != 0 ? gm_code_emit(code, GM_OP_NOT, a, 0, 0) : a;
    return true;
}

static bool simpler(gm_code *code, gm_op op, uint32_t a, uint32_t b, uint32_t c, uint32_t *out)
{
    double v;
    switch (op) {
    case GM_OP_ADD:
    case GM_OP_SUB: return simpler_sum(code, op, a, b, out);
    case GM_OP_MUL:
    case GM_OP_DIV: return simpler_product(code, op, a, b, out);
    case GM_OP_AND:
    case GM_OP_OR:
    case GM_OP_XOR: return simpler_mask(code, op, a, b, out);
    case GM_OP_NEG:
    case GM_OP_NOT:
        if (!is_op(code, a, op)) return false;
        *out = code->ins[a].a;
        return true;
    case GM_OP_MASK:
        if (!is_op(code, a, GM_OP_NUMBER)) return false;
        *out = code->ins[a].a;
        return true;
    case GM_OP_NE:
        if (!gm_code_is_const(code, b, &v) || v != 0) return false;
        *out = gm_code_emit(code, GM_OP_MASK, a, 0, 0);
        return true;
    case GM_OP_POW: return gm_code_is_const(code, b, &v) && small_power(code, a, v, out);
    case GM_OP_SELECT:
        if (gm_code_is_const(code, a, &v)) *out = v != 0 ? b : c;
        else if (b == c) *out = b;
        else if (is_op(code, a, GM_OP_NOT)) *out = gm_code_emit(code, GM_OP_SELECT, code->ins[a].a, c, b);
        else return false;
        return true;
    default: return false;
    }
}

static bool commutes(gm_op op)
{
    return op == GM_OP_ADD || op == GM_OP_MUL || op == GM_OP_EQ || op == GM_OP_NE || op == GM_OP_AND || op == GM_OP_OR ||
           op == GM_OP_XOR;
}

uint32_t gm_code_emit(gm_code *code, gm_op op, uint32_t a, uint32_t b, uint32_t c)
{
    if (code->status != GM_OK) return 0;
    unsigned arity = gm_op_arity(op);
    bool     pure  = arity > 0 && op != GM_OP_LOOKUP && op != GM_OP_DELAY;
    if (!pure) return append(code, (gm_ins){ op, a, b, c });

    // All operands known: compute now, with the same functions the executors use.
    double   value[3] = { 0 };
    uint32_t operand[3] = { a, b, c };
    unsigned known      = 0;
    while (known < arity && gm_code_is_const(code, operand[known], &value[known])) known++;
    if (known == arity) {
        double result = gm_scalar_op(op, value[0], value[1], value[2]);
        return gm_op_gives_mask(op) ? append(code, (gm_ins){ GM_OP_BOOL, result != 0, 0, 0 }) : gm_code_const(code, result);
    }

    if (commutes(op) && b < a) {
        a = operand[1];
        b = operand[0];
    }
    uint32_t better;
    if (simpler(code, op, a, b, c, &better)) return code->status == GM_OK ? better : 0;
    return append(code, (gm_ins){ op, a, arity > 1 ? b : 0, arity > 2 ? c : 0 });
}

uint32_t gm_code_solve(gm_code *code, uint32_t loop, const uint32_t *arguments, uint32_t count)
{
    if (code->status != GM_OK) return 0;
    size_t at = code->argument_count;
    if (!gm_alloc_reserve(code->alloc, &code->arguments, &code->argument_capacity, at + count, sizeof *arguments)) {
        code->status = GM_NOMEM;
        return 0;
    }
    if (count > 0) memcpy(code->arguments + at, arguments, count * sizeof *arguments);
    code->argument_count += count;
    return append(code, (gm_ins){ GM_OP_SOLVE, loop, (uint32_t)at, count });
}

void gm_code_result_add(gm_code *code, gm_code_result_kind kind, uint32_t target, uint32_t value)
{
    if (code->status != GM_OK) return;
    if (!gm_alloc_reserve(code->alloc, &code->results, &code->result_capacity, code->result_count + 1,
                          sizeof *code->results)) {
        code->status = GM_NOMEM;
        return;
    }
    code->results[code->result_count++] = (gm_code_result){ kind, target, value };
}

uint32_t gm_code_delay(gm_code *code, uint32_t time, uint32_t lag, uint32_t delay)
{
    if (time == GM_CODE_NONE) time = gm_code_emit(code, GM_OP_LOAD, GM_TIME_SLOT.v, 0, 0);
    return gm_code_emit(code, GM_OP_DELAY, gm_code_emit(code, GM_OP_SUB, time, lag, 0), delay, 0);
}

void gm_code_inline(gm_code *code, const gm_region *from, const uint32_t *slot_value, uint32_t *map)
{
    for (uint32_t i = 0; i < from->ins_count && code->status == GM_OK; i++) {
        const gm_ins *ins   = &from->ins[i];
        unsigned      arity = gm_op_arity(ins->op);
        if (ins->op == GM_OP_LOAD && slot_value[ins->a] != GM_CODE_NONE) {
            map[i] = slot_value[ins->a];
        } else if (ins->op == GM_OP_DELAY) {
            map[i] = gm_code_delay(code, slot_value[GM_TIME_SLOT.v], map[ins->a], ins->b);
        } else if (ins->op == GM_OP_SOLVE) {
            uint32_t first = (uint32_t)code->argument_count;
            map[i]         = gm_code_solve(code, ins->a, from->arguments + ins->b, ins->c);
            for (uint32_t k = 0; k < ins->c && code->status == GM_OK; k++) {
                code->arguments[first + k] = map[code->arguments[first + k]];
            }
        } else {
            bool value_a = arity > 0 || ins->op == GM_OP_SOLVED;
            map[i] = gm_code_emit(code, ins->op, value_a ? map[ins->a] : ins->a, arity > 1 ? map[ins->b] : ins->b,
                                  arity > 2 ? map[ins->c] : ins->c);
        }
    }
}
