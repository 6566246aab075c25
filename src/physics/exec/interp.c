// From code to interpreter operations: which row every value lives in, and which never needs one because it is used up
// while it is in the accumulator.
//
// A LOAD costs nothing: its users read the row itself. A value that is stored is computed in place when nobody reads
// the row's old content afterwards; otherwise it is copied there at the end. Other values take scratch rows, the most
// recently freed first, because that one is in the cache.
#include "physics/exec/interp.h"

#include <assert.h>

typedef struct translation {
    const gm_alloc   *alloc;
    const gm_code    *code;
    uint32_t          row_count;
    const uint8_t    *uniform;     // [rows]
    gm_interp_consts *consts;
    gm_interp_op     *ops;
    size_t            count, capacity;
    uint32_t         *place;       // [ins] where the value is
    uint32_t         *last_use;    // [ins] last instruction that reads it; ins_count = the end
    uint32_t         *into;        // [ins] row it is computed into directly, or NONE
    uint32_t         *free_temps;  // stack
    size_t            free_count;
    uint32_t          temp_first, temp_next;
    bool              refused;
} translation;

static const uint32_t NONE = GM_CODE_NONE;

static uint32_t place_of_row(const translation *t, uint32_t row)
{
    uint32_t place = row < t->row_count ? row * 64 | GM_INTERP_ROWS : (row - t->row_count) * 64 | GM_INTERP_SCRATCH;
    return t->uniform[row] ? place | GM_INTERP_UNIFORM : place;
}

static void put(translation *t, gm_interp_op op)
{
    if (!gm_alloc_reserve(t->alloc, &t->ops, &t->capacity, t->count + 1, sizeof *t->ops)) {
        t->refused = true;
        return;
    }
    t->ops[t->count++] = op;
}

static uint32_t place_of_const(translation *t, double value)
{
    gm_interp_consts *consts = t->consts;
    uint64_t          bits;
    memcpy(&bits, &value, sizeof bits);
    for (size_t i = 0; i < consts->count; i++) {
        if (consts->bits[i] == bits) return (uint32_t)i * 64 | GM_INTERP_CONSTS | GM_INTERP_UNIFORM;
    }
    if (!gm_alloc_reserve(t->alloc, &consts->bits, &consts->capacity, consts->count + 1, sizeof bits)) {
        t->refused = true;
        return 0;
    }
    consts->bits[consts->count] = bits;
    return (uint32_t)consts->count++ * 64 | GM_INTERP_CONSTS | GM_INTERP_UNIFORM;
}

static double mask_bits(bool truth)
{
    uint64_t bits = truth ? UINT64_MAX : 0;
    double   value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t take_temp(translation *t)
{
    if (t->free_count > 0) return t->free_temps[--t->free_count];
    return (t->temp_next++) * 64 | GM_INTERP_SCRATCH;
}

static void release(translation *t, uint32_t value, uint32_t at)
{
    const gm_ins *ins = &t->code->ins[value];
    if (t->last_use[value] != at || ins->op == GM_OP_CONST || ins->op == GM_OP_BOOL || t->into[value] != NONE) return;
    uint32_t place = t->place[value];
    if ((place & GM_INTERP_MEMORY) != GM_INTERP_SCRATCH || place < t->temp_first * 64) return;
    t->last_use[value] = NONE;  // once, though it may be two operands
    t->free_temps[t->free_count++] = place;
}

// Reads and writes of rows: a value may be computed in place only after the row was read for the last time.
static void plan_stores(translation *t, uint32_t *last_read, uint32_t rows)
{
    const gm_code *code = t->code;
    memset(last_read, 0, rows * sizeof *last_read);
    for (uint32_t i = 0; i < code->count; i++) {
        const gm_ins *ins        = &code->ins[i];
        uint32_t      operand[3] = { ins->a, ins->b, ins->c };
        for (unsigned k = 0; k < gm_op_arity(ins->op); k++) {
            t->last_use[operand[k]] = i;
            const gm_ins *from      = &code->ins[operand[k]];
            if (from->op == GM_OP_LOAD) last_read[from->a] = i;
        }
    }
    // A LOAD that is itself a result may have to be set aside where it stands.
    for (size_t i = 0; i < code->result_count; i++) {
        uint32_t      at   = code->results[i].value;
        const gm_ins *from = &code->ins[at];
        if (from->op == GM_OP_LOAD && last_read[from->a] < at) last_read[from->a] = at;
    }
    for (size_t i = 0; i < code->result_count; i++) {
        const gm_code_result *result = &code->results[i];
        const gm_ins         *ins    = &code->ins[result->value];
        t->last_use[result->value]   = (uint32_t)code->count;
        bool computed = ins->op != GM_OP_LOAD && ins->op != GM_OP_CONST && ins->op != GM_OP_BOOL;
        if (computed && t->into[result->value] == NONE && result->value >= last_read[result->target]) {
            t->into[result->value] = result->target;
        }
    }
}

static void put_copy(translation *t, uint32_t to, uint32_t from)
{
    put(t, (gm_interp_op){ GM_INTERP_COPY, 0, GM_INTERP_TO_ROW, to, from, from, from });
}

static bool has_forms(uint32_t op)
{
    return op == GM_OP_ADD || op == GM_OP_SUB || op == GM_OP_MUL || op == GM_OP_DIV || op == GM_OP_FMA || op == GM_OP_FMS ||
           op == GM_OP_FNMA;
}

// Brings operand `value` to where the operation's forms take the accumulator; 0 when none of its operands is the value.
static uint32_t form_of(gm_ins *ins, uint32_t value)
{
    bool a = ins->a == value, b = ins->b == value, c = gm_op_arity(ins->op) == 3 && ins->c == value;
    if (!has_forms(ins->op) || (c && (a || b))) return 0;
    if (c) return 4;
    if (a && b) return ins->op == GM_OP_SUB || ins->op == GM_OP_DIV ? 0 : 3;
    if (b && (ins->op == GM_OP_SUB || ins->op == GM_OP_DIV)) return 2;
    if (b) {  // a factor or summand: they may change places
        ins->b = ins->a;
        ins->a = value;
    }
    return a || b;
}

// Can the value at `at` stay in the accumulator until all its users are done? Those before the last must then leave it
// alone, so they may not be many.
static bool lives_in_acc(const translation *t, uint32_t at)
{
    enum { NEAR = 6 };
    uint32_t last = t->last_use[at];
    if (!has_forms(t->code->ins[at].op) || t->into[at] != NONE || last >= t->code->count || last > at + NEAR) return false;
    for (uint32_t j = at + 1; j <= last; j++) {
        gm_ins   user     = t->code->ins[j];
        unsigned arity    = gm_op_arity(user.op);
        bool     uses     = (arity > 0 && user.a == at) || (arity > 1 && user.b == at) || (arity > 2 && user.c == at);
        if (uses && form_of(&user, at) == 0) return false;
    }
    return true;
}

static bool used_next(const translation *t, uint32_t at)
{
    if (at + 1 >= t->code->count) return false;
    gm_ins next = t->code->ins[at + 1];
    return form_of(&next, at) != 0;
}

static void translate_one(translation *t, uint32_t i, uint32_t *acc, uint32_t *held_until)
{
    gm_ins   ins   = t->code->ins[i];
    unsigned arity = gm_op_arity(ins.op);
    uint32_t from  = form_of(&ins, *acc);
    // A uniform factor or summand stands second.
    bool swaps = ins.op == GM_OP_ADD || ins.op == GM_OP_MUL || ins.op == GM_OP_FMA || ins.op == GM_OP_FMS || ins.op == GM_OP_FNMA;
    if (swaps && !(from & 1) && (t->place[ins.a] & GM_INTERP_UNIFORM)) {
        uint32_t first = ins.a;
        ins.a          = ins.b;
        ins.b          = first;
    }
    uint32_t a = t->place[ins.a], b = arity > 1 ? t->place[ins.b] : a, c = arity > 2 ? t->place[ins.c] : a;
    if (arity > 0) release(t, ins.a, i);
    if (arity > 1) release(t, ins.b, i);
    if (arity > 2) release(t, ins.c, i);

    uint32_t where = GM_INTERP_TO_ROW;
    if (i >= *held_until && has_forms(ins.op)) {
        if (lives_in_acc(t, i)) where = GM_INTERP_TO_ACC;
        else if (used_next(t, i)) where = GM_INTERP_TO_BOTH;
    }
    if (where != GM_INTERP_TO_ROW) {
        *acc        = i;
        *held_until = where == GM_INTERP_TO_ACC ? t->last_use[i] : i + 1;
    }
    if (where == GM_INTERP_TO_ACC) t->place[i] = 0;  // nobody looks
    else t->place[i] = t->into[i] != NONE ? place_of_row(t, t->into[i]) : take_temp(t);
    put(t, (gm_interp_op){ (uint8_t)ins.op, (uint8_t)from, (uint8_t)where, t->place[i], a, b, c });
    if (where == GM_INTERP_TO_ACC) t->into[i] = 0;   // no row to release
}

static void translate(translation *t, const uint8_t *stored)
{
    const gm_code *code = t->code;
    uint32_t       acc = NONE, held_until = 0;
    for (uint32_t i = 0; i < code->count; i++) {
        const gm_ins *ins = &code->ins[i];
        switch ((gm_op)ins->op) {
        case GM_OP_CONST: t->place[i] = place_of_const(t, gm_ins_const(ins)); continue;
        case GM_OP_BOOL: t->place[i] = place_of_const(t, mask_bits(ins->a != 0)); continue;
        case GM_OP_LOAD:
            t->place[i] = place_of_row(t, ins->a);
            // Its old content is wanted at the end, but it is overwritten by then: set it aside.
            if (t->last_use[i] == code->count && stored[ins->a]) {
                uint32_t aside = take_temp(t);
                put_copy(t, aside, t->place[i]);
                t->place[i] = aside;
            }
            continue;
        default: translate_one(t, i, &acc, &held_until); break;
        }
    }
    for (size_t i = 0; i < code->result_count; i++) {
        const gm_code_result *result = &code->results[i];
        uint32_t              to     = place_of_row(t, result->target);
        if (t->place[result->value] != to) put_copy(t, to, t->place[result->value]);
    }
    put(t, (gm_interp_op){ .op = GM_INTERP_END });
}

gm_status gm_interp_compile(const gm_alloc *alloc, const gm_code *code, uint32_t row_count, uint32_t temp_first,
                            const uint8_t *uniform, gm_interp_consts *consts, gm_interp_op **out_ops, uint32_t *out_count, uint32_t *out_temp_end)
{
    translation t = { .alloc = alloc, .code = code, .row_count = row_count, .uniform = uniform, .consts = consts,
                      .temp_first = temp_first, .temp_next = temp_first };
    size_t    n         = code->count + 1, rows = row_count + (size_t)temp_first;
    uint32_t *work      = gm_alloc_array(alloc, 4 * n + rows, sizeof *work);
    uint8_t  *stored    = gm_alloc_zeroed(alloc, rows);
    t.refused           = work == NULL || stored == NULL;
    if (!t.refused) {
        memset(work, 0xff, 3 * n * sizeof *work);
        t.last_use   = work;
        t.into       = work + n;
        t.place      = work + 2 * n;
        t.free_temps = work + 3 * n;
        for (size_t i = 0; i < code->result_count; i++) {
            assert(code->results[i].target < rows);
            stored[code->results[i].target] = 1;
        }
        plan_stores(&t, work + 4 * n, (uint32_t)rows);
        translate(&t, stored);
    }
    gm_free(alloc, work);
    gm_free(alloc, stored);
    if (t.refused) {
        gm_free(alloc, t.ops);
        return GM_NOMEM;
    }
    *out_ops      = t.ops;
    *out_count    = (uint32_t)t.count;
    *out_temp_end = t.temp_next;
    return GM_OK;
}
