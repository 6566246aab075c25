// From code to interpreter operations: which row every value lives in.
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
    return row < t->row_count ? row * 64 | GM_INTERP_ROWS : (row - t->row_count) * 64 | GM_INTERP_SCRATCH;
}

static void put(translation *t, uint32_t op, uint32_t to, uint32_t a, uint32_t b, uint32_t c)
{
    if (!gm_alloc_reserve(t->alloc, &t->ops, &t->capacity, t->count + 1, sizeof *t->ops)) {
        t->refused = true;
        return;
    }
    t->ops[t->count++] = (gm_interp_op){ op, to, a, b, c };
}

static uint32_t place_of_const(translation *t, double value)
{
    gm_interp_consts *consts = t->consts;
    uint64_t          bits;
    memcpy(&bits, &value, sizeof bits);
    for (size_t i = 0; i < consts->count; i++) {
        if (consts->bits[i] == bits) return (uint32_t)i * 64 | GM_INTERP_CONSTS;
    }
    if (!gm_alloc_reserve(t->alloc, &consts->bits, &consts->capacity, consts->count + 1, sizeof bits)) {
        t->refused = true;
        return 0;
    }
    consts->bits[consts->count] = bits;
    return (uint32_t)consts->count++ * 64 | GM_INTERP_CONSTS;
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

static void translate(translation *t, const uint8_t *stored)
{
    const gm_code *code = t->code;
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
                put(t, GM_INTERP_COPY, aside, t->place[i], 0, 0);
                t->place[i] = aside;
            }
            continue;
        default: break;
        }
        unsigned arity = gm_op_arity(ins->op);
        uint32_t a = t->place[ins->a], b = arity > 1 ? t->place[ins->b] : a, c = arity > 2 ? t->place[ins->c] : a;
        if (arity > 0) release(t, ins->a, i);
        if (arity > 1) release(t, ins->b, i);
        if (arity > 2) release(t, ins->c, i);
        t->place[i] = t->into[i] != NONE ? place_of_row(t, t->into[i]) : take_temp(t);
        put(t, ins->op, t->place[i], a, b, c);
    }
    for (size_t i = 0; i < code->result_count; i++) {
        const gm_code_result *result = &code->results[i];
        uint32_t              to     = place_of_row(t, result->target);
        if (t->place[result->value] != to) put(t, GM_INTERP_COPY, to, t->place[result->value], 0, 0);
    }
    put(t, GM_INTERP_END, 0, 0, 0, 0);
}

gm_status gm_interp_compile(const gm_alloc *alloc, const gm_code *code, uint32_t row_count, uint32_t temp_first,
                            gm_interp_consts *consts, gm_interp_op **out_ops, uint32_t *out_temp_end)
{
    translation t = { .alloc = alloc, .code = code, .row_count = row_count, .consts = consts,
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
    *out_temp_end = t.temp_next;
    return GM_OK;
}
