// Clearing up straight-line code once its results are known.
#include "physics/code.h"

// Uses of each value by live instructions and results; 0 = dead.
static void count_uses(const gm_code *code, uint32_t *uses)
{
    memset(uses, 0, code->count * sizeof *uses);
    for (size_t i = 0; i < code->result_count; i++) uses[code->results[i].value]++;
    for (size_t i = code->count; i-- > 0;) {
        if (uses[i] == 0) continue;
        const gm_ins *ins = &code->ins[i];
        unsigned arity = gm_op_arity(ins->op);
        if (arity > 0) uses[ins->a]++;
        if (arity > 1) uses[ins->b]++;
        if (arity > 2) uses[ins->c]++;
        if (ins->op == GM_OP_SOLVED) uses[ins->a]++;
        if (ins->op == GM_OP_SOLVE) {
            for (uint32_t k = 0; k < ins->c; k++) uses[code->arguments[ins->b + k]]++;
        }
    }
}

// a*b + c and its kin where the product has no other use.
static void contract_products(gm_code *code, uint32_t *uses)
{
    for (size_t i = 0; i < code->count; i++) {
        gm_ins *ins = &code->ins[i];
        if (uses[i] == 0 || (ins->op != GM_OP_ADD && ins->op != GM_OP_SUB)) continue;
        const gm_ins *x = &code->ins[ins->a], *y = &code->ins[ins->b];
        bool          x_product = x->op == GM_OP_MUL && uses[ins->a] == 1;
        bool          y_product = y->op == GM_OP_MUL && uses[ins->b] == 1;
        if (y_product) {
            uses[ins->b] = 0;
            *ins         = (gm_ins){ ins->op == GM_OP_ADD ? GM_OP_FMA : GM_OP_FNMA, y->a, y->b, ins->a };
        } else if (x_product) {
            uses[ins->a] = 0;
            *ins         = (gm_ins){ ins->op == GM_OP_ADD ? GM_OP_FMA : GM_OP_FMS, x->a, x->b, ins->b };
        }
    }
}

static void renumber(gm_code *code, const uint32_t *uses, uint32_t *at)
{
    size_t kept = 0;
    for (size_t i = 0; i < code->count; i++) {
        at[i] = (uint32_t)kept;
        if (uses[i] == 0) continue;
        gm_ins   ins   = code->ins[i];
        unsigned arity = gm_op_arity(ins.op);
        if (arity > 0 || ins.op == GM_OP_SOLVED) ins.a = at[ins.a];
        if (arity > 1) ins.b = at[ins.b];
        if (arity > 2) ins.c = at[ins.c];
        if (ins.op == GM_OP_SOLVE) {
            for (uint32_t k = 0; k < ins.c; k++) code->arguments[ins.b + k] = at[code->arguments[ins.b + k]];
        }
        code->ins[kept++] = ins;
    }
    for (size_t i = 0; i < code->result_count; i++) code->results[i].value = at[code->results[i].value];
    code->count = kept;
}

gm_status gm_code_compact(gm_code *code, bool contract)
{
    if (code->status != GM_OK) return code->status;
    uint32_t *uses = gm_alloc_array(code->alloc, code->count, 2 * sizeof *uses);
    if (uses == NULL) return code->status = GM_NOMEM;
    count_uses(code, uses);
    if (contract) contract_products(code, uses);
    renumber(code, uses, uses + code->count);
    gm_free(code->alloc, uses);

    // The table of shared instructions names the old places; it is rebuilt when something is emitted again.
    gm_free(code->alloc, code->shared);
    code->shared      = NULL;
    code->shared_mask = 0;
    return GM_OK;
}
