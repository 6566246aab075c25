// Two vectors abreast. A processor looks a few hundred instructions ahead; a model with long chains (a division, an
// exponential) needs more than that to keep its units busy with one vector of lanes after the other.
#include "physics/exec/native_parts.h"

static bool is_leaf(const gm_mop *op) { return op->kind == GM_M_ROW || op->kind == GM_M_CONST; }

// The most values that are alive at a time, rows and constants in memory not counted.
static unsigned pressure(const gm_mcode *m, uint32_t *last_use)
{
    unsigned alive = 0, most = 0;
    memset(last_use, 0, m->count * sizeof *last_use);
    for (uint32_t i = 0; i < m->count; i++) {
        uint32_t operand[3] = { m->ops[i].a, m->ops[i].b, m->ops[i].c };
        for (unsigned k = 0; k < gm_mkind_operands(m->ops[i].kind); k++) last_use[operand[k]] = i;
    }
    for (uint32_t i = 0; i < m->count; i++) {
        uint32_t operand[3] = { m->ops[i].a, m->ops[i].b, m->ops[i].c };
        for (unsigned k = 0; k < gm_mkind_operands(m->ops[i].kind); k++) {
            if (is_leaf(&m->ops[operand[k]]) || last_use[operand[k]] != i) continue;
            last_use[operand[k]] = UINT32_MAX;  // once, though it may be two operands
            alive--;
        }
        if (!is_leaf(&m->ops[i]) && m->ops[i].kind != GM_M_STORE && last_use[i] > i) alive++;
        if (alive > most) most = alive;
    }
    return most;
}

static bool has_calls(const gm_mcode *m)
{
    for (size_t i = 0; i < m->count; i++) {
        if (m->ops[i].kind == GM_M_CALL) return true;
    }
    return false;
}

// The operation for vector `which` of the two; operands are at 2 * old + which, constants at 2 * old.
static gm_mop copy_for(const gm_mcode *m, const gm_mop *op, unsigned which)
{
    gm_mop    copy = *op;
    uint32_t *operand[3] = { &copy.a, &copy.b, &copy.c };
    for (unsigned k = 0; k < gm_mkind_operands(op->kind); k++) {
        bool shared = m->ops[*operand[k]].kind == GM_M_CONST;
        *operand[k] = 2 * *operand[k] + (shared ? 0 : which);
    }
    if (op->kind == GM_M_ROW || op->kind == GM_M_KEEP || op->kind == GM_M_STORE) copy.imm = (uint8_t)which;
    return copy;
}

void gm_native_widen(gm_mcode *m, unsigned registers)
{
    // LONG: longer code keeps the processor busy by itself, and its instruction cache full. SPILLS: some values in memory
    // cost less than waiting (a reactor with exp in 16 registers: 0.68 to 0.96 of code written by hand).
    enum { LONG = 4000, SPILLS = 12 };
    if (m->failed || m->count == 0 || m->count > LONG || has_calls(m)) return;
    uint32_t *last_use = gm_alloc_array(m->alloc, m->count, sizeof *last_use);
    gm_mop   *ops      = gm_alloc_array(m->alloc, 2 * m->count, sizeof *ops);
    if (last_use == NULL || ops == NULL) {
        m->failed = true;
    } else if (2 * pressure(m, last_use) <= registers + SPILLS) {
        for (size_t i = 0; i < m->count; i++) {
            ops[2 * i]     = copy_for(m, &m->ops[i], 0);
            ops[2 * i + 1] = copy_for(m, &m->ops[i], 1);
        }
        gm_free(m->alloc, m->ops);
        m->ops     = ops;
        m->count   = m->capacity = 2 * m->count;
        m->abreast = 2;
        ops        = NULL;
    }
    gm_free(m->alloc, last_use);
    gm_free(m->alloc, ops);
}
