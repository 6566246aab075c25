// The order of straight-line code. Consumers move up to right behind the last of their operands, so that a value is
// used while it is still in a register.
#include "physics/code.h"

typedef struct schedule {
    gm_code  *code;
    uint32_t *first, *users;  // [count + 1], users of value i: users[first[i] .. first[i + 1])
    uint32_t *missing;        // [count] operands not yet placed
    uint32_t *order, placed;  // [count]
    uint32_t *stack;          // [count]
} schedule;

static uint32_t operand_count(const gm_ins *ins)
{
    if (ins->op == GM_OP_SOLVE) return ins->c;
    return ins->op == GM_OP_SOLVED ? 1 : gm_op_arity(ins->op);
}

static uint32_t operand_at(const gm_code *code, const gm_ins *ins, uint32_t k)
{
    if (ins->op == GM_OP_SOLVE) return code->arguments[ins->b + k];
    return k == 0 ? ins->a : k == 1 ? ins->b : ins->c;
}

static void list_users(schedule *s)
{
    const gm_code *code = s->code;
    memset(s->first, 0, (code->count + 1) * sizeof *s->first);
    for (uint32_t i = 0; i < code->count; i++) {
        const gm_ins *ins = &code->ins[i];
        s->missing[i]     = operand_count(ins);
        for (uint32_t k = 0; k < s->missing[i]; k++) s->first[operand_at(code, ins, k)]++;
    }
    // Running sums make first[i] the end of i's users; filling from behind makes it the beginning.
    for (uint32_t i = 0; i < code->count; i++) s->first[i + 1] += s->first[i];
    for (uint32_t i = (uint32_t)code->count; i-- > 0;) {
        const gm_ins *ins = &code->ins[i];
        for (uint32_t k = operand_count(ins); k-- > 0;) s->users[--s->first[operand_at(code, ins, k)]] = i;
    }
}

static void place(schedule *s, uint32_t start)
{
    uint32_t depth = 0;
    s->stack[depth++] = start;
    while (depth > 0) {
        uint32_t i = s->stack[--depth];
        s->order[s->placed++] = i;
        s->missing[i]         = GM_CODE_NONE;  // placed
        uint32_t end = s->first[i + 1];
        // Pushed backwards, so that the first user comes next.
        for (uint32_t k = end; k-- > s->first[i];) {
            if (--s->missing[s->users[k]] == 0) s->stack[depth++] = s->users[k];
        }
    }
}

static void renumber(schedule *s, gm_ins *to)
{
    gm_code  *code = s->code;
    uint32_t *at   = s->missing;  // no longer needed: becomes the new place of each value
    for (uint32_t k = 0; k < code->count; k++) at[s->order[k]] = k;
    for (uint32_t k = 0; k < code->count; k++) {
        gm_ins   ins   = code->ins[s->order[k]];
        unsigned arity = gm_op_arity(ins.op);
        if (arity > 0 || ins.op == GM_OP_SOLVED) ins.a = at[ins.a];
        if (arity > 1) ins.b = at[ins.b];
        if (arity > 2) ins.c = at[ins.c];
        to[k] = ins;
    }
    for (size_t i = 0; i < code->argument_count; i++) code->arguments[i] = at[code->arguments[i]];
    for (size_t i = 0; i < code->result_count; i++) code->results[i].value = at[code->results[i].value];
}

gm_status gm_code_schedule(gm_code *code)
{
    if (code->status != GM_OK) return code->status;
    size_t n = code->count, uses = 0;
    for (size_t i = 0; i < n; i++) uses += operand_count(&code->ins[i]);
    uint32_t *work = gm_alloc_array(code->alloc, 4 * n + uses + 1, sizeof *work);
    gm_ins   *ins  = gm_alloc_array(code->alloc, n, sizeof *ins);
    if (work == NULL || ins == NULL) {
        gm_free(code->alloc, work);
        gm_free(code->alloc, ins);
        return code->status = GM_NOMEM;
    }
    schedule s = { code, work, work + n + 1, work + n + 1 + uses, work + 2 * n + 1 + uses, 0, work + 3 * n + 1 + uses };
    list_users(&s);
    for (uint32_t i = 0; i < n; i++) {
        if (operand_count(&code->ins[i]) > 0) continue;
        // Leaves first: they cost nothing, and being there they hold nobody up.
        s.order[s.placed++] = i;
        s.missing[i]        = GM_CODE_NONE;
    }
    for (uint32_t i = 0, leaves = s.placed; i < leaves; i++) {
        for (uint32_t k = s.first[s.order[i]]; k < s.first[s.order[i] + 1]; k++) s.missing[s.users[k]]--;
    }
    // Then everything in its old order, each followed by whom it was the last to hold up.
    for (uint32_t i = 0; i < n; i++) {
        if (s.missing[i] == 0) place(&s, i);
    }
    renumber(&s, ins);
    gm_free(code->alloc, code->ins);
    gm_free(code->alloc, work);
    code->ins      = ins;
    code->capacity = n;
    gm_free(code->alloc, code->shared);  // it names the old places
    code->shared      = NULL;
    code->shared_mask = 0;
    return GM_OK;
}
