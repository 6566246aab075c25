// A loop of n equations: a few unknowns are guessed (the tear variables), the others follow one after the other, and as
// many equations as were guessed are left over as residuals. Which to guess: whenever no equation has only one unknown
// left, the unknown that leaves the most equations with one (a greedy rule; finding the least number is NP-hard).
// Chains of assignments are kept short: an error in the guess grows with every link, so a loop of a thousand equations
// torn to two is correct and useless. More tear variables with a sparse Jacobian cost little.
#include "physics/compile/system.h"

enum { CHAIN_MAX = 12 };

typedef struct tearing {
    compiler *C;
    system_  *s;
    const uint32_t *rows;
    uint32_t  count;
    gm_map    local;          // column -> local unknown
    uint32_t *columns;        // of the local unknowns
    uint32_t *row_start, *row_entries, *column_start, *column_entries;  // local
    uint32_t *left;           // by row: unknowns not yet known
    uint32_t *depth;          // by local unknown: assignments between it and a guess
    uint8_t  *row_done, *known;
    gm_ids    ready;
} tearing;

static void build_local(tearing *t)
{
    compiler *C      = t->C;
    system_  *s      = t->s;
    gm_ids    entries = { 0 };
    t->columns        = GM_WORK_NEW(&C->w, uint32_t, t->count);
    t->row_start      = GM_WORK_NEW(&C->w, uint32_t, t->count + 1);
    t->left           = GM_WORK_NEW(&C->w, uint32_t, t->count);
    t->row_done       = GM_WORK_NEW(&C->w, uint8_t, t->count);
    t->known          = GM_WORK_NEW(&C->w, uint8_t, t->count);
    t->depth          = GM_WORK_NEW(&C->w, uint32_t, t->count);
    for (uint32_t i = 0; i < t->count; i++) {
        t->columns[i] = s->matched_column[t->rows[i]];
        gm_map_put(&C->w, &t->local, t->columns[i], i);
    }
    for (uint32_t i = 0; i < t->count; i++) {
        t->row_start[i] = entries.count;
        for (uint32_t k = s->start[t->rows[i]]; k < s->start[t->rows[i] + 1]; k++) {
            uint32_t j = gm_map_find(&t->local, s->entries[k]);
            if (j != GM_MAP_NONE) gm_ids_add(&C->w, &entries, j);
        }
        t->left[i] = entries.count - t->row_start[i];
    }
    t->row_start[t->count] = entries.count;
    t->row_entries         = entries.at;
    graph g = { .rows = t->count, .columns = t->count, .start = t->row_start, .entries = t->row_entries };
    graph b = gm_transpose(C, &g);
    t->column_start   = (uint32_t *)(uintptr_t)b.start;
    t->column_entries = (uint32_t *)(uintptr_t)b.entries;
}

static void set_known(tearing *t, uint32_t j)
{
    t->known[j] = 1;
    for (uint32_t k = t->column_start[j]; k < t->column_start[j + 1]; k++) {
        uint32_t r = t->column_entries[k];
        if (--t->left[r] == 1 && !t->row_done[r]) gm_ids_add(&t->C->w, &t->ready, r);
    }
}

// Assigns as long as an equation has one unknown left that it can be solved for.
static void assign_ready(tearing *t)
{
    compiler *C = t->C;
    system_  *s = t->s;
    for (uint32_t i = 0; i < t->ready.count; i++) {
        uint32_t r = t->ready.at[i], j = NONE, depth = 0;
        if (t->row_done[r] || t->left[r] != 1) continue;
        for (uint32_t k = t->row_start[r]; k < t->row_start[r + 1]; k++) {
            if (!t->known[t->row_entries[k]]) j = t->row_entries[k];
            else if (t->depth[t->row_entries[k]] > depth) depth = t->depth[t->row_entries[k]];
        }
        if (depth >= CHAIN_MAX) continue;
        uint32_t e   = s->equations.at[t->rows[r]], v = s->unknowns.at[t->columns[j]];
        step     one = { .variable = v, .equation = e, .solved = GM_EX_NONE };
        if (solve_for(C, eq_left(C, s, e), eq_right(C, s, e), v, &one.solved) != SOLVE_SAFE) continue;
        t->row_done[r]            = 1;
        t->depth[j]               = depth + 1;
        s->steps[s->step_count++] = one;
        set_known(t, j);
    }
    t->ready.count = 0;
}

static uint32_t pick(const tearing *t)
{
    uint32_t best = NONE;
    double   most = -1;
    for (uint32_t j = 0; j < t->count; j++) {
        if (t->known[j] || !is_continuous(t->C, t->s->unknowns.at[t->columns[j]])) continue;
        double score = 0;
        for (uint32_t k = t->column_start[j]; k < t->column_start[j + 1]; k++) {
            uint32_t r = t->column_entries[k];
            if (t->row_done[r]) continue;
            score += t->left[r] == 2 ? 1 : 0.01;
        }
        const variable *v = &t->C->vars[t->s->unknowns.at[t->columns[j]]];
        if (v->has_start) score += 0.3;  // somebody knows a good guess
        if (v->hidden) score -= 0.005;
        if (score <= most) continue;
        most = score;
        best = j;
    }
    return best;
}

// ---------------------------------------------------------------------------------------------------- linear?

// The degree of e in the loop's unknowns: 0, 1, or 2 for anything else. of_var: known degrees of the loop's variables.
static uint32_t degree(compiler *C, gm_ex e, const gm_map *of_var, gm_map *memo)
{
    gm_ids *order = &C->order;
    order->count  = 0;
    gm_ex_order_begin(&C->ex);
    gm_ex_order(&C->ex, &C->w, e, order);
    for (uint32_t i = 0; i < order->count; i++) {
        const gm_ex_node *n = gm_ex_at(&C->ex, order->at[i]);
        uint32_t          d[3] = { 0 }, out = 0;
        for (int k = 0; k < gm_ex_operands((gm_ex_op)n->op); k++) d[k] = gm_map_find(memo, n->a[k]);
        switch (n->op) {
        case GM_EX_VAR:
            out = gm_map_find(of_var, n->id);
            if (out == GM_MAP_NONE) out = 0;
            break;
        case GM_EX_NEG: out = d[0]; break;
        case GM_EX_ADD: case GM_EX_SUB: out = d[0] > d[1] ? d[0] : d[1]; break;
        case GM_EX_MUL: out = d[0] + d[1]; break;
        case GM_EX_DIV: out = d[1] > 0 ? 2 : d[0]; break;
        case GM_EX_SELECT: out = d[0] > 0 ? 2 : d[1] > d[2] ? d[1] : d[2]; break;
        default: out = d[0] + d[1] + d[2] > 0 ? 2 : 0;
        }
        gm_map_put(&C->w, memo, order->at[i], out > 2 ? 2 : out);
    }
    return gm_map_find(memo, e);
}

static bool is_linear(compiler *C, const system_ *s, const block *b)
{
    gm_map of_var = { 0 }, memo = { 0 };
    uint32_t assigned = b->count - b->tears;
    for (uint32_t i = assigned; i < b->count; i++) gm_map_put(&C->w, &of_var, s->steps[b->first + i].variable, 1);
    for (uint32_t i = 0; i < assigned; i++) {
        const step *one = &s->steps[b->first + i];
        uint32_t    d   = degree(C, one->solved, &of_var, &memo);
        if (d > 1) return false;
        gm_map_put(&C->w, &of_var, one->variable, d);
    }
    for (uint32_t i = assigned; i < b->count; i++) {
        uint32_t e = s->steps[b->first + i].equation;
        if (degree(C, eq_left(C, s, e), &of_var, &memo) > 1 || degree(C, eq_right(C, s, e), &of_var, &memo) > 1)
            return false;
    }
    return true;
}

typedef struct inlined { compiler *C; gm_map solved; } inlined;

static gm_ex inline_solved(void *context, gm_ex leaf)
{
    inlined          *in = context;
    const gm_ex_node *n  = gm_ex_at(&in->C->ex, leaf);
    uint32_t          to = n->op == GM_EX_VAR ? gm_map_find(&in->solved, n->id) : GM_MAP_NONE;
    return to != GM_MAP_NONE ? to : leaf;
}

// A linear loop with one tear variable is one equation a*x + b = 0 once everything else is put in: no solver is needed.
static void solve_single(compiler *C, system_ *s, block *b)
{
    enum { INLINE_MAX = 40 };  // beyond, putting in makes the expression longer than the loop is slow
    step    *steps = &s->steps[b->first], tear = steps[b->count - 1];
    inlined  in    = { .C = C };
    if (b->count > INLINE_MAX) return;
    for (uint32_t i = 0; i + 1 < b->count; i++) {
        gm_map memo = { 0 };
        gm_ex  e    = gm_ex_substitute(&C->ex, &C->w, steps[i].solved, inline_solved, &in, &memo);
        gm_map_put(&C->w, &in.solved, steps[i].variable, e);
    }
    gm_map memo = { 0 };
    gm_ex  left  = gm_ex_substitute(&C->ex, &C->w, eq_left(C, s, tear.equation), inline_solved, &in, &memo);
    gm_ex  right = gm_ex_substitute(&C->ex, &C->w, eq_right(C, s, tear.equation), inline_solved, &in, &memo);
    if (solve_for(C, left, right, tear.variable, &tear.solved) == SOLVE_NOT) return;
    memmove(steps + 1, steps, (b->count - 1) * sizeof *steps);
    steps[0] = tear;
    b->tears = 0;
}

bool tear_block(compiler *C, system_ *s, block *b, const uint32_t *rows, uint32_t count)
{
    tearing t = { .C = C, .s = s, .rows = rows, .count = count };
    build_local(&t);
    gm_ids tears = { 0 };
    for (uint32_t i = 0; i < count; i++) {
        if (t.left[i] == 1) gm_ids_add(&C->w, &t.ready, i);
    }
    for (;;) {
        assign_ready(&t);
        uint32_t j = pick(&t);
        if (j == NONE) break;
        gm_ids_add(&C->w, &tears, j);
        set_known(&t, j);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!t.known[i]) return false;  // discrete variables only: there is nothing to guess
    }
    // The equations that are left are the residuals, as many as tear variables.
    uint32_t k = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (t.row_done[i]) continue;
        s->steps[s->step_count++] = (step) { .variable = s->unknowns.at[t.columns[tears.at[k++]]],
                                             .equation = s->equations.at[t.rows[i]],
                                             .solved   = GM_EX_NONE };
    }
    b->count  = count;
    b->tears  = tears.count;
    b->linear = is_linear(C, s, b);
    if (b->linear && b->tears == 1) solve_single(C, s, b);
    return true;
}
