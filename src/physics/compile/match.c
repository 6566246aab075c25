// Which equation decides which variable: a largest matching by augmenting paths (Duff's MC21, without recursion).
#include "physics/compile/system.h"

static uint32_t *filled(compiler *C, uint32_t count, uint32_t with)
{
    uint32_t *a = GM_WORK_NEW(&C->w, uint32_t, count > 0 ? count : 1);
    for (uint32_t i = 0; i < count; i++) a[i] = with;
    return a;
}

matcher matcher_new(compiler *C, const graph *g)
{
    matcher m = { .g = g };
    m.row_of_column = filled(C, g->columns, NONE);
    m.column_of_row = filled(C, g->rows, NONE);
    m.seen          = filled(C, g->columns, 0);
    m.cheap         = GM_WORK_NEW(&C->w, uint32_t, g->rows + 1);
    m.stack_row     = GM_WORK_NEW(&C->w, uint32_t, g->rows + 1);
    m.stack_at      = GM_WORK_NEW(&C->w, uint32_t, g->rows + 1);
    m.via           = GM_WORK_NEW(&C->w, uint32_t, g->rows + 1);
    for (uint32_t i = 0; i < g->rows; i++) m.cheap[i] = g->start[i];
    return m;
}

static void pair(matcher *m, uint32_t row, uint32_t column)
{
    m->row_of_column[column] = row;
    m->column_of_row[row]    = column;
}

// A free column of the row; each entry is looked at once over all calls.
static bool take_free(matcher *m, uint32_t row)
{
    const graph *g = m->g;
    while (m->cheap[row] < g->start[row + 1]) {
        uint32_t column = g->entries[m->cheap[row]++];
        if (m->row_of_column[column] != NONE) continue;
        pair(m, row, column);
        return true;
    }
    return false;
}

bool match_row(matcher *m, uint32_t row)
{
    const graph *g     = m->g;
    uint32_t     depth = 0;
    m->stamp++;
    m->stack_row[0] = row;
    m->stack_at[0]  = g->start[row];
    for (;;) {
        uint32_t at = m->stack_row[depth];
        if (take_free(m, at)) {
            // The path ends here: every row on it hands its column to the row before.
            for (; depth > 0; depth--) pair(m, m->stack_row[depth - 1], m->via[depth]);
            return true;
        }
        bool deeper = false;
        while (!deeper && m->stack_at[depth] < g->start[at + 1]) {
            uint32_t column = g->entries[m->stack_at[depth]++];
            if (m->seen[column] == m->stamp) continue;
            m->seen[column] = m->stamp;
            depth++;
            m->via[depth]       = column;
            m->stack_row[depth] = m->row_of_column[column];
            m->stack_at[depth]  = g->start[m->stack_row[depth]];
            deeper              = true;
        }
        if (deeper) continue;
        if (depth == 0) return false;
        depth--;
    }
}

uint32_t match_all(matcher *m)
{
    uint32_t size = 0;
    for (uint32_t i = 0; i < m->g->rows; i++) {
        if (m->column_of_row[i] != NONE || match_row(m, i)) size++;
    }
    return size;
}

graph gm_transpose(compiler *C, const graph *g)
{
    uint32_t  entries = g->start[g->rows];
    uint32_t *start   = GM_WORK_NEW(&C->w, uint32_t, g->columns + 2);
    uint32_t *to      = GM_WORK_NEW(&C->w, uint32_t, entries > 0 ? entries : 1);
    for (uint32_t i = 0; i < entries; i++) start[g->entries[i] + 2]++;
    for (uint32_t i = 2; i < g->columns + 2; i++) start[i] += start[i - 1];
    for (uint32_t r = 0; r < g->rows; r++) {
        for (uint32_t i = g->start[r]; i < g->start[r + 1]; i++) to[start[g->entries[i] + 1]++] = r;
    }
    return (graph){ .rows = g->columns, .columns = g->rows, .start = start, .entries = to };
}

void unknowns_in(compiler *C, gm_ex left, gm_ex right, const uint32_t *column_of, uint32_t *stamp, uint32_t now,
                 gm_ids *out)
{
    gm_ids *order = &C->order;
    order->count  = 0;
    gm_ex_order_begin(&C->ex);
    gm_ex_order(&C->ex, &C->w, left, order);
    gm_ex_order(&C->ex, &C->w, right, order);
    for (uint32_t i = 0; i < order->count; i++) {
        const gm_ex_node *n = gm_ex_at(&C->ex, order->at[i]);
        if (n->op != GM_EX_VAR || column_of[n->id] == NONE || stamp[column_of[n->id]] == now) continue;
        stamp[column_of[n->id]] = now;
        gm_ids_add(&C->w, out, column_of[n->id]);
    }
}
