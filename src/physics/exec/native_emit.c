// Register allocation and emission, in one pass over straight-line code.
//
// Every value has all its uses listed beforehand, so the register to give up is the one whose value is needed last
// (Belady 1966; optimal for straight-line code up to the cost of stores). Rows and constants are never spilled: their
// memory is their spill slot. An operand that is not in a register is used from memory when the instruction has room
// for it, and loaded when it is needed again soon and a register is free.
//
// Frame, from rsp: two vectors for calls, then the spill slots. rbx = rows, r12 = scratch, both moving from vector to
// vector; r13 = iterations left, r14 = vectors left.
#include "physics/exec/native_parts.h"

#include <assert.h>

enum { REGISTERS_MAX = 32, SOON = 48, CALL_SLOTS = 2, STRIDE = GM_BLOCK_LANES * (int)sizeof(double) };

static const uint32_t NONE = UINT32_MAX;

typedef struct emission {
    const gm_mcode *m;
    gm_x64         *x;
    gm_lane_call *const *calls;
    uint32_t        row_count;
    uint32_t       *use_first;   // [count + 1] into uses
    uint32_t       *uses;        // positions, rising, value by value
    uint32_t       *cursor;      // [count] next use
    uint32_t       *spill;       // [count] slot, or NONE
    uint32_t       *free_slots;
    uint32_t        free_slot_count, slot_count;
    uint32_t        late_slots[3], late_count;  // free from the next instruction on: this one may still read them
    int8_t         *reg;         // [count] register, or -1
    uint32_t        in[REGISTERS_MAX];  // value in the register, or NONE
    unsigned        registers, width;   // width in bytes
} emission;

// ------------------------------------------------------------------------------------------ uses

static void list_uses(emission *e)
{
    const gm_mcode *m = e->m;
    memset(e->use_first, 0, (m->count + 2) * sizeof *e->use_first);
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < m->count; i++) {
            uint32_t operand[3] = { m->ops[i].a, m->ops[i].b, m->ops[i].c };
            for (unsigned k = 0; k < gm_mkind_operands(m->ops[i].kind); k++) {
                if (pass == 0) e->use_first[operand[k] + 1]++;
                else e->uses[e->cursor[operand[k]]++] = i;
            }
        }
        if (pass == 0) {
            for (uint32_t i = 0; i < m->count; i++) e->use_first[i + 1] += e->use_first[i];
        }
        memcpy(e->cursor, e->use_first, m->count * sizeof *e->cursor);
    }
}

static uint32_t next_use(const emission *e, uint32_t value)
{
    return e->cursor[value] < e->use_first[value + 1] ? e->uses[e->cursor[value]] : NONE;
}

// The use after the instruction at `at`.
static uint32_t use_after(const emission *e, uint32_t value, uint32_t at)
{
    for (uint32_t k = e->cursor[value]; k < e->use_first[value + 1]; k++) {
        if (e->uses[k] > at) return e->uses[k];
    }
    return NONE;
}

// ------------------------------------------------------------------------------------------ places

static bool is_leaf(const emission *e, uint32_t value)
{
    return e->m->ops[value].kind == GM_M_ROW || e->m->ops[value].kind == GM_M_CONST;
}

static gm_x64_operand row_operand(const emission *e, uint32_t row, unsigned which)
{
    int32_t vector = (int32_t)(which * e->width);
    if (row < e->row_count) return gm_x64_mem(GM_RBX, (int32_t)row * STRIDE + vector);
    return gm_x64_mem(GM_R12, (int32_t)(row - e->row_count) * STRIDE + vector);
}

static gm_x64_operand slot_operand(const emission *e, uint32_t slot)
{
    return gm_x64_mem(GM_RSP, (int32_t)((CALL_SLOTS + slot) * e->width));
}

static gm_x64_operand memory_of(const emission *e, uint32_t value)
{
    const gm_mop *op = &e->m->ops[value];
    if (op->kind == GM_M_ROW) return row_operand(e, op->a, op->imm);
    if (op->kind == GM_M_CONST) return (gm_x64_operand){ GM_X64_CONSTANT, 0, (int32_t)op->a };
    assert(e->spill[value] != NONE);
    return slot_operand(e, e->spill[value]);
}

static void save(emission *e, uint32_t value)
{
    if (is_leaf(e, value) || e->spill[value] != NONE) return;
    e->spill[value] = e->free_slot_count > 0 ? e->free_slots[--e->free_slot_count] : e->slot_count++;
    gm_x64_store(e->x, slot_operand(e, e->spill[value]), (uint8_t)e->reg[value]);
}

static void vacate(emission *e, unsigned reg)
{
    e->reg[e->in[reg]] = -1;
    e->in[reg]         = NONE;
}

static bool has_free_register(const emission *e)
{
    for (unsigned r = 0; r < e->registers; r++) {
        if (e->in[r] == NONE) return true;
    }
    return false;
}

// A register whose bit is not in `avoid`; its value, if it holds one, goes to memory.
static uint8_t take_register(emission *e, uint32_t avoid)
{
    unsigned best     = REGISTERS_MAX;
    uint64_t best_far = 0;
    for (unsigned r = 0; r < e->registers; r++) {
        if (avoid >> r & 1) continue;
        if (e->in[r] == NONE) return (uint8_t)r;
        // Of two that are needed equally late, the one that costs no store.
        uint32_t value = e->in[r];
        uint64_t far   = (uint64_t)next_use(e, value) * 2 + (is_leaf(e, value) || e->spill[value] != NONE);
        if (best == REGISTERS_MAX || far > best_far) {
            best     = r;
            best_far = far;
        }
    }
    assert(best < REGISTERS_MAX);
    save(e, e->in[best]);
    vacate(e, best);
    return (uint8_t)best;
}

static void settle(emission *e, uint32_t value, uint8_t reg)
{
    e->in[reg]    = value;
    e->reg[value] = (int8_t)reg;
}

static uint32_t bit_of(const emission *e, uint32_t value)
{
    return e->reg[value] >= 0 ? UINT32_C(1) << e->reg[value] : 0;
}

static uint8_t in_register(emission *e, uint32_t value, uint32_t avoid)
{
    if (e->reg[value] < 0) {
        uint8_t reg = take_register(e, avoid);
        gm_x64_load(e->x, reg, memory_of(e, value));
        settle(e, value, reg);
    }
    return (uint8_t)e->reg[value];
}

// The operand as the instruction can take it: a register, or memory when that is as good.
static gm_x64_operand operand_of(emission *e, uint32_t value, uint32_t at, uint32_t avoid)
{
    if (e->reg[value] < 0) {
        uint32_t later = use_after(e, value, at);
        if (later == NONE || later - at > SOON || !has_free_register(e)) return memory_of(e, value);
    }
    return gm_x64_reg(in_register(e, value, avoid));
}

// The instruction at `at` has read its operands: what nobody reads again gives up its register and slot.
static void consume(emission *e, uint32_t at)
{
    const gm_mop *op         = &e->m->ops[at];
    uint32_t      operand[3] = { op->a, op->b, op->c };
    for (unsigned k = 0; k < gm_mkind_operands(op->kind); k++) {
        uint32_t value = operand[k];
        while (next_use(e, value) <= at) {
            e->cursor[value]++;
            if (e->cursor[value] == e->use_first[value + 1]) break;
        }
        if (next_use(e, value) != NONE) continue;
        if (e->reg[value] >= 0) vacate(e, (unsigned)e->reg[value]);
        if (e->spill[value] != NONE) {
            e->late_slots[e->late_count++] = e->spill[value];
            e->spill[value]                = NONE;
        }
    }
}

static uint8_t take_result(emission *e, uint32_t at, uint32_t avoid)
{
    uint8_t reg = take_register(e, avoid);
    settle(e, at, reg);
    return reg;
}

// ------------------------------------------------------------------------------------------ instructions

static void emit_binary(emission *e, uint32_t at)
{
    const gm_mop *op = &e->m->ops[at];
    uint32_t      a = op->a, b = op->b;
    if (op->kind == GM_M_COMMUTE && e->reg[a] < 0 && e->reg[b] >= 0) {
        a = op->b;
        b = op->a;
    }
    uint8_t        first  = in_register(e, a, bit_of(e, b));
    gm_x64_operand second = operand_of(e, b, at, bit_of(e, a));
    consume(e, at);
    gm_x64_vector(e->x, op->op, take_result(e, at, 0), first, second, -1);
}

static void emit_compare(emission *e, uint32_t at)
{
    const gm_mop *op = &e->m->ops[at];
    uint32_t      a = op->a, b = op->b;
    int           how = op->imm;
    if (e->reg[a] < 0 && e->reg[b] >= 0) {  // less becomes greater
        a   = op->b;
        b   = op->a;
        how = how == 17 ? 30 : how == 18 ? 29 : how;
    }
    uint8_t        first  = in_register(e, a, bit_of(e, b));
    gm_x64_operand second = operand_of(e, b, at, bit_of(e, a));
    consume(e, at);
    if (e->x->wide) {
        enum { K1 = 1 };
        gm_x64_vector(e->x, GM_X64_CMP, K1, first, second, how);
        gm_x64_vector(e->x, GM_X64_MASK_TO_VECTOR, take_result(e, at, 0), 0, gm_x64_reg(K1), -1);
    } else gm_x64_vector(e->x, GM_X64_CMP, take_result(e, at, 0), first, second, how);
}

static void emit_unary(emission *e, uint32_t at)
{
    const gm_mop  *op = &e->m->ops[at];
    gm_x64_operand a  = operand_of(e, op->a, at, 0);
    consume(e, at);
    gm_x64_vector(e->x, op->op, take_result(e, at, 0), 0, a, op->op == GM_X64_ROUND ? op->imm : -1);
}

static void emit_shift(emission *e, uint32_t at)
{
    const gm_mop *op = &e->m->ops[at];
    uint8_t       a  = in_register(e, op->a, 0);
    consume(e, at);
    gm_x64_vector(e->x, GM_X64_SHIFT, (uint8_t)op->op, take_result(e, at, 0), gm_x64_reg(a), op->imm);
}

// Instructions with three operands, one of which is overwritten by the result (tied), one of which may be in memory.
typedef struct roles { unsigned tied, second, third; } roles;  // which of a, b, c; third may be memory

static roles assign_roles(emission *e, uint32_t at, gm_x64_operand *out_third, uint8_t *out_tied)
{
    const gm_mop *op       = &e->m->ops[at];
    uint32_t      value[3] = { op->a, op->b, op->c };
    roles         r        = { 2, 0, 1 };

    // At most one operand stays in memory; the last such one, so that a mask (operand 0) rather gets a register.
    int      in_memory = -1;
    uint32_t held      = bit_of(e, op->a) | bit_of(e, op->b) | bit_of(e, op->c);
    for (int k = 2; k >= 0; k--) {
        if (e->reg[value[k]] >= 0) continue;
        uint32_t later = use_after(e, value[k], at);
        bool     load  = later != NONE && later - at <= SOON && has_free_register(e);
        if (in_memory < 0 && !load) {
            in_memory = k;
        } else {
            in_register(e, value[k], held);
            held |= bit_of(e, value[k]);
        }
    }
    // Overwrite an operand that is not needed again.
    int tied = -1;
    for (int k = 0; k < 3; k++) {
        if (e->reg[value[k]] >= 0 && use_after(e, value[k], at) == NONE) tied = k;
    }
    if (tied >= 0) {
        *out_tied = (uint8_t)e->reg[value[tied]];
    } else {
        // All are: the result gets a register of its own, filled from memory if one operand lies there anyway.
        tied      = in_memory >= 0 ? in_memory : 2;
        *out_tied = take_register(e, held);
        gm_x64_load(e->x, *out_tied, e->reg[value[tied]] >= 0 ? gm_x64_reg((uint8_t)e->reg[value[tied]]) : memory_of(e, value[tied]));
        if (tied == in_memory) in_memory = -1;
    }
    r.tied = (unsigned)tied;
    for (unsigned k = 0, free = 0; k < 3; k++) {
        if (k == r.tied) continue;
        if (free++ == 0) r.second = k;
        else r.third = k;
    }
    if (in_memory == (int)r.second) {
        r.second = r.third;
        r.third  = (unsigned)in_memory;
    }
    uint32_t third = value[r.third];
    *out_third     = in_memory == (int)r.third ? memory_of(e, third) : gm_x64_reg((uint8_t)e->reg[third]);
    return r;
}

static void emit_fma(emission *e, uint32_t at)
{
    const gm_mop  *op       = &e->m->ops[at];
    uint32_t       value[3] = { op->a, op->b, op->c };
    gm_x64_operand third;
    uint8_t        tied;
    roles          r      = assign_roles(e, at, &third, &tied);
    uint8_t        second = (uint8_t)e->reg[value[r.second]];
    // 132: d = d * third + second; 213: d = second * d + third; 231: d = second * third + d
    uint32_t form = r.tied == 2 ? 0x20 : r.third == 2 ? 0x10 : 0;
    consume(e, at);
    gm_x64_vector(e->x, op->op + form, tied, second, third, -1);
    settle(e, at, tied);
}

// vpternlogq works bit by bit on (tied, second, third); its immediate is the truth table of a ? b : c.
static int truth_table(roles r)
{
    int table = 0;
    for (unsigned i = 0; i < 8; i++) {
        unsigned in[3];
        in[r.tied]   = i >> 2 & 1;
        in[r.second] = i >> 1 & 1;
        in[r.third]  = i & 1;
        table |= (int)(in[0] ? in[1] : in[2]) << i;
    }
    return table;
}

static void emit_select(emission *e, uint32_t at)
{
    const gm_mop *op       = &e->m->ops[at];
    uint32_t      value[3] = { op->a, op->b, op->c };
    if (e->x->wide) {
        gm_x64_operand third;
        uint8_t        tied;
        roles          r      = assign_roles(e, at, &third, &tied);
        uint8_t        second = (uint8_t)e->reg[value[r.second]];
        consume(e, at);
        gm_x64_vector(e->x, GM_X64_TERNARY, tied, second, third, truth_table(r));
        settle(e, at, tied);
        return;
    }
    uint8_t        mask  = in_register(e, op->a, bit_of(e, op->b) | bit_of(e, op->c));
    uint8_t        other = in_register(e, op->c, bit_of(e, op->a) | bit_of(e, op->b));
    gm_x64_operand then  = operand_of(e, op->b, at, bit_of(e, op->a) | bit_of(e, op->c));
    consume(e, at);
    gm_x64_vector(e->x, GM_X64_BLEND, take_result(e, at, 0), other, then, mask << 4);
}

// f(to, a, b) in memory. A call overwrites every vector register.
static void emit_call(emission *e, uint32_t at)
{
    const gm_mop *op = &e->m->ops[at];
    gm_x64_store(e->x, gm_x64_mem(GM_RSP, 0), in_register(e, op->a, 0));
    gm_x64_store(e->x, gm_x64_mem(GM_RSP, (int32_t)e->width), in_register(e, op->b, 0));
    consume(e, at);
    for (unsigned r = 0; r < e->registers; r++) {
        if (e->in[r] == NONE) continue;
        save(e, e->in[r]);
        vacate(e, r);
    }
    GM_X64_BYTES(e->x, "\x48\x89\xe7\x48\x89\xe6\x48\x8d\x54\x24");  // mov rdi, rsp; mov rsi, rsp; lea rdx, [rsp + width]
    gm_buf_byte(&e->x->code, (uint8_t)e->width);
    gm_x64_call(e->x, e->calls[op->op]);
    gm_x64_load(e->x, take_result(e, at, 0), gm_x64_mem(GM_RSP, 0));
}

static void emit_one(emission *e, uint32_t at)
{
    const gm_mop *op = &e->m->ops[at];
    bool          used = e->use_first[at + 1] > e->use_first[at];
    while (e->late_count > 0) e->free_slots[e->free_slot_count++] = e->late_slots[--e->late_count];
    switch ((gm_mkind)op->kind) {
    case GM_M_ROW:
    case GM_M_CONST: return;
    case GM_M_STORE:
        gm_x64_store(e->x, row_operand(e, op->b, op->imm), in_register(e, op->a, 0));
        consume(e, at);
        return;
    case GM_M_KEEP:
        if (used) gm_x64_load(e->x, take_result(e, at, 0), row_operand(e, op->a, op->imm));
        return;
    case GM_M_BINARY:
    case GM_M_COMMUTE: emit_binary(e, at); break;
    case GM_M_UNARY: emit_unary(e, at); break;
    case GM_M_SHIFT: emit_shift(e, at); break;
    case GM_M_FMA: emit_fma(e, at); break;
    case GM_M_COMPARE: emit_compare(e, at); break;
    case GM_M_SELECT: emit_select(e, at); break;
    case GM_M_CALL: emit_call(e, at); break;
    }
    if (!used && e->reg[at] >= 0) vacate(e, (unsigned)e->reg[at]);
}

// ------------------------------------------------------------------------------------------ function

static void put_frame_size(gm_x64 *x, size_t at, uint32_t size)
{
    for (int i = 0; i < 4 && !x->code.failed; i++) x->code.ptr[at + (size_t)i] = (uint8_t)(size >> 8 * i);
}

// One pass of the code over the block.
static void emit_loop(emission *e)
{
    gm_x64  *x      = e->x;
    uint32_t worked = e->width * e->m->abreast;
    GM_X64_BYTES(x, "\x41\xbe");  // mov r14d, rounds
    gm_x64_word(x, (uint32_t)STRIDE / worked);
    size_t again = x->code.len;

    for (uint32_t i = 0; i < e->m->count; i++) emit_one(e, i);

    GM_X64_BYTES(x, "\x48\x81\xc3");  // add rbx, worked
    gm_x64_word(x, worked);
    GM_X64_BYTES(x, "\x49\x81\xc4");  // add r12, worked
    gm_x64_word(x, worked);
    GM_X64_BYTES(x, "\x41\xff\xce\x0f\x85");  // dec r14d; jnz again
    gm_x64_word(x, (uint32_t)(again - (x->code.len + 4)));
    GM_X64_BYTES(x, "\x48\x81\xeb");  // sub rbx, STRIDE
    gm_x64_word(x, STRIDE);
    GM_X64_BYTES(x, "\x49\x81\xec");  // sub r12, STRIDE
    gm_x64_word(x, STRIDE);
}

// Returns the number of spill slots.
static uint32_t emit_code(const gm_mcode *m, uint32_t row_count, gm_lane_call *const *calls, gm_x64 *x)
{
    size_t    n = m->count, use_max = 3 * n + 2;
    emission  e    = { .m = m, .x = x, .calls = calls, .row_count = row_count };
    uint32_t *work = gm_alloc_array(m->alloc, (n + 2) + use_max + 3 * n, sizeof *work);
    int8_t   *reg  = gm_alloc_bytes(m->alloc, n + 1);
    if (work == NULL || reg == NULL) {
        x->failed = true;
    } else {
        e.use_first  = work;
        e.uses       = work + n + 2;
        e.cursor     = e.uses + use_max;
        e.spill      = e.cursor + n;
        e.free_slots = e.spill + n;
        e.reg        = reg;
        e.registers  = x->wide ? 32 : 16;
        e.width      = x->wide ? 64 : 32;
        memset(e.spill, 0xff, n * sizeof *e.spill);
        memset(e.reg, -1, n);
        memset(e.in, 0xff, sizeof e.in);
        list_uses(&e);
        emit_loop(&e);
    }
    gm_free(m->alloc, work);
    gm_free(m->alloc, reg);
    return e.slot_count;
}

void gm_native_emit(const gm_mcode *codes, uint32_t count, uint32_t row_count, gm_lane_call *const *calls, gm_x64 *x)
{
    // push rbp; mov rbp, rsp; push rbx, r12, r13, r14
    GM_X64_BYTES(x, "\x55\x48\x89\xe5\x53\x41\x54\x41\x55\x41\x56");
    GM_X64_BYTES(x, "\x48\x83\xe4\xc0\x48\x81\xec");  // and rsp, -64; sub rsp, frame
    size_t frame_at = x->code.len;
    gm_x64_word(x, 0);
    GM_X64_BYTES(x, "\x48\x89\xfb\x49\x89\xf4\x49\x89\xd5");  // mov rbx, rdi; mov r12, rsi; mov r13, rdx
    size_t   again = x->code.len;
    uint32_t slots = 0;
    for (uint32_t i = 0; i < count && !x->failed; i++) {
        uint32_t used = emit_code(&codes[i], row_count, calls, x);
        if (used > slots) slots = used;
    }
    GM_X64_BYTES(x, "\x49\xff\xcd\x0f\x85");  // dec r13; jnz again
    gm_x64_word(x, (uint32_t)(again - (x->code.len + 4)));
    // lea rsp, [rbp - 32]; pop r14, r13, r12, rbx, rbp; vzeroupper; ret
    GM_X64_BYTES(x, "\x48\x8d\x65\xe0\x41\x5e\x41\x5d\x41\x5c\x5b\x5d\xc5\xf8\x77\xc3");
    uint32_t width = x->wide ? 64 : 32;
    put_frame_size(x, frame_at, ((CALL_SLOTS + slots) * width + 63) & ~UINT32_C(63));
}
