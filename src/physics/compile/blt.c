// Order of computation: the strongly connected parts of "needs the value of" (Tarjan) are the blocks. One variable with
// an equation that can be solved is an assignment; everything else is a loop, torn in tear.c.
#include "physics/compile/system.h"

typedef struct tarjan {
    const system_ *s;
    uint32_t *index, *low, *stack, *stack_at, *members;
    uint8_t  *on;
    uint32_t  count, member_count;
} tarjan;

// Two discrete variables that need each other at the same instant have no order.
static void refuse_discrete_loop(compiler *C, const system_ *s, const uint32_t *rows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const equation *q = &C->eqs[s->equations.at[rows[i]]];
        uint32_t        v = s->unknowns.at[s->matched_column[rows[i]]];
        if (i == 0) {
            gm_complain(C, GM_SEVERITY_ERROR, q->at != 0 ? q->at : C->vars[v].at, q->length,
                     "%u variables of which some are discrete depend on one another at the same instant, `" GM_STR_FMT
                        "` among them; use pre() for one",
                        count, GM_STR_ARG(C->vars[v].name));
        } else if (i < 6) {
            gm_complain(C, GM_SEVERITY_NOTE, q->at != 0 ? q->at : C->vars[v].at, q->length,
                        "`" GM_STR_FMT "` is another",
                        GM_STR_ARG(C->vars[v].name));
        }
    }
}

bool is_continuous(const compiler *C, uint32_t v)
{
    return C->vars[v].kind == VAR_REAL || C->vars[v].kind == VAR_FREE || (C->vars[v].kind == VAR_PRE);
}

static void close_block(compiler *C, system_ *s, const uint32_t *rows, uint32_t count)
{
    block *b    = &s->blocks[s->block_count++];
    *b          = (block){ .first = s->step_count };
    bool discrete = false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t column = s->matched_column[rows[i]];
        s->block_of[column] = s->block_count - 1;
        discrete |= !is_continuous(C, s->unknowns.at[column]);
    }
    b->discrete = discrete;
    if (count == 1) {
        uint32_t e = s->equations.at[rows[0]], v = s->unknowns.at[s->matched_column[rows[0]]];
        step     one = { .variable = v, .equation = e, .solved = GM_EX_NONE };
        if (solve_for(C, eq_left(C, s, e), eq_right(C, s, e), v, &one.solved) != SOLVE_NOT) {
            s->steps[s->step_count++] = one;
            b->count                  = 1;
            return;
        }
    }
    // At the beginning relations are compared in place, so that a diode's Boolean and its current decide one another;
    // it is then computed inside the loop. While the model runs the relation is held, and a circle is a fault.
    if ((discrete && !s->initial) || !tear_block(C, s, b, rows, count)) {
        refuse_discrete_loop(C, s, rows, count);
        gm_give_up(C);
    }
}

// Row r depends on the rows that decide its other unknowns.
static void visit(compiler *C, system_ *s, tarjan *t, uint32_t root)
{
    uint32_t depth = 0;
    t->stack[0]    = root;
    t->stack_at[0] = s->start[root];
    t->index[root] = t->low[root] = ++t->count;
    t->members[t->member_count++] = root;
    t->on[root]    = 1;
    for (;;) {
        uint32_t r      = t->stack[depth];
        bool     deeper = false;
        while (!deeper && t->stack_at[depth] < s->start[r + 1]) {
            uint32_t next = s->matched_row[s->entries[t->stack_at[depth]++]];
            if (t->index[next] == 0) {
                depth++;
                t->stack[depth]    = next;
                t->stack_at[depth] = s->start[next];
                t->index[next] = t->low[next] = ++t->count;
                t->members[t->member_count++] = next;
                t->on[next] = 1;
                deeper      = true;
            } else if (t->on[next] && t->index[next] < t->low[r]) {
                t->low[r] = t->index[next];
            }
        }
        if (deeper) continue;
        if (t->low[r] == t->index[r]) {
            uint32_t first = t->member_count;
            do t->on[t->members[--first]] = 0;
            while (t->members[first] != r);
            close_block(C, s, t->members + first, t->member_count - first);
            t->member_count = first;
        }
        if (depth == 0) return;
        depth--;
        if (t->low[r] < t->low[t->stack[depth]]) t->low[t->stack[depth]] = t->low[r];
    }
}

void order_system(compiler *C, system_ *s)
{
    uint32_t n  = s->equations.count;
    tarjan   t  = { .s = s };
    t.index     = GM_WORK_NEW(&C->w, uint32_t, n + 1);
    t.low       = GM_WORK_NEW(&C->w, uint32_t, n + 1);
    t.stack     = GM_WORK_NEW(&C->w, uint32_t, n + 1);
    t.stack_at  = GM_WORK_NEW(&C->w, uint32_t, n + 1);
    t.members   = GM_WORK_NEW(&C->w, uint32_t, n + 1);
    t.on        = GM_WORK_NEW(&C->w, uint8_t, n + 1);
    s->blocks   = GM_WORK_NEW(&C->w, block, n + 1);
    s->steps    = GM_WORK_NEW(&C->w, step, n + 1);
    s->block_of = GM_WORK_NEW(&C->w, uint32_t, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        if (t.index[i] == 0) visit(C, s, &t, i);
    }
}
