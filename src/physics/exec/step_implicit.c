// A Rosenbrock step for stiff models: linearly implicit, so every stage is one linear system and no iteration. The
// Jacobian is derived from the model's code, factored without pivoting in an order that keeps it sparse, and all of it
// is straight-line code like the model itself.
//
// Algebraic loops in the derivatives are not solved in every stage: their unknowns z become part of the system, with
// 0 = F(x, z) beside x' = f(x, z), for which the method keeps its order (index 1; Hairer and Wanner, section VI.4). What is
// left of F after a step is of the order of the tolerance, and is taken back by the next.
//
// No pivoting: the diagonal of I/(h gamma) - J dominates for small h, and a factorisation that loses its digits shows
// in the error estimate, which makes h smaller. The residuals of a loop are paired with its unknowns beforehand.
#include "physics/exec/rodas.h"
#include "physics/exec/step_parts.h"

#include <stdlib.h>

enum { STAGES = RODAS_STAGES, UNKNOWNS_MAX = 1000 };

typedef struct factors {
    gm_stepper *s;
    uint32_t    n;       // states, then the unknowns of loops
    uint32_t    states;
    uint32_t   *w;       // [n][n] values, GM_CODE_NONE = structural zero; L below, U above, in pivot order
    uint32_t   *order;   // [n] pivots
    uint32_t   *inverse; // [n] reciprocals of the pivots, by row
    uint32_t   *guess;   // [n] slot of each unknown's guess; of the states: their slots
    uint32_t   *row;     // [n] which residual stands in the row of an unknown, counted from the first of its loop
    uint8_t    *done;    // [n]
    uint32_t   *in_row, *in_column;  // [n] entries off the diagonal, in what is left of the matrix
    uint32_t   *columns; // [n] of a pivot's row
} factors;

static uint32_t *entry(const factors *f, uint32_t row, uint32_t column) { return &f->w[(size_t)row * f->n + column]; }

// The next pivot on the diagonal: the one that can cause the least fill-in (Markowitz 1957).
static uint32_t choose_pivot(const factors *f)
{
    uint32_t best = GM_CODE_NONE;
    uint64_t best_cost = 0;
    for (uint32_t k = 0; k < f->n; k++) {
        if (f->done[k]) continue;
        uint64_t cost = (uint64_t)f->in_row[k] * f->in_column[k];
        if (best == GM_CODE_NONE || cost < best_cost) {
            best      = k;
            best_cost = cost;
        }
    }
    return best;
}

static void count_entries(factors *f)
{
    for (uint32_t i = 0; i < f->n; i++) {
        for (uint32_t j = 0; j < f->n; j++) {
            if (i == j || *entry(f, i, j) == GM_CODE_NONE) continue;
            f->in_row[i]++;
            f->in_column[j]++;
        }
    }
}

// w[i][j] -= factor * w[p][j]
static void subtract(factors *f, uint32_t i, uint32_t j, uint32_t factor, uint32_t p)
{
    gm_stepper *s = f->s;
    uint32_t   *w = entry(f, i, j);
    if (*w != GM_CODE_NONE) {
        *w = gm_stepper_op(s, GM_OP_FNMA, factor, *entry(f, p, j), *w);
        return;
    }
    *w = gm_stepper_op(s, GM_OP_NEG, gm_stepper_op(s, GM_OP_MUL, factor, *entry(f, p, j), 0), 0, 0);
    if (i == j) return;
    f->in_row[i]++;
    f->in_column[j]++;
}

static void eliminate(factors *f, uint32_t p)
{
    gm_stepper *s = f->s;
    uint32_t    count = 0;
    f->inverse[p] = gm_stepper_op(s, GM_OP_DIV, gm_stepper_number(s, 1), *entry(f, p, p), 0);
    for (uint32_t j = 0; j < f->n; j++) {
        if (!f->done[j] && j != p && *entry(f, p, j) != GM_CODE_NONE) f->columns[count++] = j;
    }
    for (uint32_t i = 0; i < f->n; i++) {
        if (f->done[i] || i == p || *entry(f, i, p) == GM_CODE_NONE) continue;
        uint32_t factor = gm_stepper_op(s, GM_OP_MUL, *entry(f, i, p), f->inverse[p], 0);
        *entry(f, i, p) = factor;
        f->in_row[i]--;  // the pivot's column is through
        for (uint32_t k = 0; k < count; k++) subtract(f, i, f->columns[k], factor, p);
    }
    for (uint32_t k = 0; k < count; k++) f->in_column[f->columns[k]]--;
}

static void factor(factors *f)
{
    count_entries(f);
    for (uint32_t k = 0; k < f->n; k++) {
        f->order[k] = choose_pivot(f);
        eliminate(f, f->order[k]);
        f->done[f->order[k]] = 1;
    }
}

// b becomes the solution of W u = b.
static void solve(const factors *f, uint32_t *b)
{
    gm_stepper *s = f->s;
    for (uint32_t k = 0; k < f->n; k++) {
        uint32_t p = f->order[k];
        for (uint32_t m = k + 1; m < f->n; m++) {
            uint32_t i = f->order[m];
            if (*entry(f, i, p) != GM_CODE_NONE) b[i] = gm_stepper_op(s, GM_OP_FNMA, *entry(f, i, p), b[p], b[i]);
        }
    }
    for (uint32_t k = f->n; k-- > 0;) {
        uint32_t p = f->order[k];
        for (uint32_t m = k + 1; m < f->n; m++) {
            uint32_t j = f->order[m];
            if (*entry(f, p, j) != GM_CODE_NONE) b[p] = gm_stepper_op(s, GM_OP_FNMA, *entry(f, p, j), b[j], b[p]);
        }
        b[p] = gm_stepper_op(s, GM_OP_MUL, b[p], f->inverse[p], 0);
    }
}

// ---- loops ------------------------------------------------------------------------------------------------------------

// Finds a residual for unknown k of the loop, moving others where that helps (augmenting paths).
static bool pair_up(const gm_loop_info *loop, uint32_t k, uint32_t *row_of, uint8_t *seen)
{
    for (uint32_t e = 0; e < loop->entries; e++) {
        uint32_t r = loop->rows[e], holder = 0;
        if (loop->columns[e] != k || seen[r]) continue;
        seen[r] = 1;
        while (holder < loop->unknowns && row_of[holder] != r) holder++;
        if (holder < loop->unknowns && !pair_up(loop, holder, row_of, seen)) continue;
        row_of[k] = r;
        return true;
    }
    return false;
}

static bool is_taken(const gm_loop_info *loop, const uint32_t *row_of, uint32_t row)
{
    for (uint32_t k = 0; k < loop->unknowns; k++) {
        if (row_of[k] == row) return true;
    }
    return false;
}

// There will be no pivoting, so first the pairs that can not vanish: those with a derivative that is a number, then the
// diagonal, because whoever writes balances writes that of a node in the node's row.
static void pair_safely(const gm_loop_info *loop, uint32_t *row_of)
{
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t e = 0; e < loop->entries; e++) {
            uint32_t      r = loop->rows[e], k = loop->columns[e];
            const gm_ins *derivative = &loop->body.ins[loop->body.results[loop->unknowns + e].value];
            bool          safe = pass == 0 ? derivative->op == GM_OP_CONST && gm_ins_const(derivative) != 0 : r == k;
            if (safe && row_of[k] == GM_CODE_NONE && !is_taken(loop, row_of, r)) row_of[k] = r;
        }
    }
}

// The unknowns of all loops in the derivatives: their guesses, and residuals paired with them. False: no memory, or a loop
// that is singular by structure.
static bool list_unknowns(factors *f)
{
    gm_region region = gm_program_section(f->s->program, GM_SECTION_DERIVATIVE);
    uint32_t  at     = f->states;
    for (uint32_t i = 0; i < f->states; i++) f->guess[i] = f->s->states[i].v;
    for (uint32_t i = 0; i < region.ins_count; i++) {
        if (region.ins[i].op != GM_OP_SOLVE) continue;
        const gm_loop_info *loop = gm_program_loop(f->s->program, region.ins[i].a);
        for (uint32_t k = 0; k < loop->unknowns; k++) {
            f->guess[at + k] = loop->guess[k].v;
            f->row[at + k]   = GM_CODE_NONE;
        }
        pair_safely(loop, f->row + at);
        for (uint32_t k = 0; k < loop->unknowns; k++) {
            if (f->row[at + k] != GM_CODE_NONE) continue;
            uint8_t *seen   = gm_alloc_zeroed(f->s->code->alloc, loop->unknowns);
            bool     paired = seen != NULL && pair_up(loop, k, f->row + at, seen);
            gm_free(f->s->code->alloc, seen);
            if (!paired) return false;
        }
        at += loop->unknowns;
    }
    return true;
}

// The body of the loop of a SOLVE, whose first unknown is number `first`: its residuals go to k, in their rows.
static void inline_loop(factors *f, const gm_region *from, const gm_ins *solve, uint32_t first, const uint32_t *x, uint32_t *k)
{
    gm_stepper         *s    = f->s;
    const gm_loop_info *loop = gm_program_loop(s->program, solve->a);
    const gm_region    *body = &loop->body;
    uint32_t           *map  = gm_alloc_array(s->code->alloc, body->ins_count + 1u, sizeof *map);
    if (map == NULL) {
        s->code->status = GM_NOMEM;
        return;
    }
    for (uint32_t i = 0; i < body->ins_count && s->code->status == GM_OK; i++) {
        const gm_ins *ins   = &body->ins[i];
        unsigned      arity = gm_op_arity(ins->op);
        if (ins->op == GM_OP_ARG) map[i] = s->map[from->arguments[solve->b + ins->a]];
        else if (ins->op == GM_OP_UNKNOWN) map[i] = x[first + ins->a];
        else map[i] = gm_stepper_op(s, ins->op, arity > 0 ? map[ins->a] : ins->a, arity > 1 ? map[ins->b] : ins->b, arity > 2 ? map[ins->c] : ins->c);
    }
    for (uint32_t u = 0; u < loop->unknowns && s->code->status == GM_OK; u++) {
        for (uint32_t i = 0; i < body->result_count; i++) {
            const gm_code_result *r = &body->results[i];
            if (r->kind == GM_RESULT_RESIDUAL && r->target == f->row[first + u]) k[first + u] = map[r->value];
        }
    }
    gm_free(s->code->alloc, map);
}

// k: slopes of the states, residuals of the loops, at (time, x).
static void right_side(factors *f, uint32_t time, const uint32_t *x, uint32_t *k)
{
    gm_stepper *s      = f->s;
    gm_region   region = gm_program_section(s->program, GM_SECTION_DERIVATIVE);
    uint32_t    first  = f->states;
    if (f->n == f->states) {
        gm_stepper_slopes(s, time, x, k);
        return;
    }
    gm_stepper_forget(s);
    s->slots[GM_TIME_SLOT.v] = time;
    for (uint32_t i = 0; i < f->states; i++) s->slots[s->states[i].v] = x[i];
    uint32_t *first_of = gm_alloc_array(s->code->alloc, region.ins_count + 1u, sizeof *first_of);
    if (first_of == NULL) s->code->status = GM_NOMEM;
    for (uint32_t i = 0; i < region.ins_count && s->code->status == GM_OK; i++) {
        const gm_ins *ins   = &region.ins[i];
        unsigned      arity = gm_op_arity(ins->op);
        if (ins->op == GM_OP_LOAD && s->slots[ins->a] != GM_CODE_NONE) {
            s->map[i] = s->slots[ins->a];
        } else if (ins->op == GM_OP_SOLVE) {
            first_of[i] = first;
            s->map[i]   = x[first];
            inline_loop(f, &region, ins, first, x, k);
            first += gm_program_loop(s->program, ins->a)->unknowns;
        } else if (ins->op == GM_OP_DELAY) {
            s->map[i] = gm_code_delay(s->code, time, s->map[ins->a], ins->b);
        } else if (ins->op == GM_OP_SOLVED) {
            s->map[i] = x[first_of[ins->a] + ins->b];
        } else {
            s->map[i] = gm_stepper_op(s, ins->op, arity > 0 ? s->map[ins->a] : ins->a, arity > 1 ? s->map[ins->b] : ins->b, arity > 2 ? s->map[ins->c] : ins->c);
        }
    }
    gm_free(s->code->alloc, first_of);
    for (uint32_t i = 0; i < f->states; i++) s->slots[s->states[i].v] = i;
    for (uint32_t i = 0; i < region.result_count && s->code->status == GM_OK; i++) {
        k[s->slots[region.results[i].target]] = s->map[region.results[i].value];
    }
}

// ---- the step ---------------------------------------------------------------------------------------------------------

// W = M / (h gamma) - J, where M is 1 for states and 0 for unknowns of loops, and *ft = the right side's derivative by time
// (values may be GM_CODE_NONE).
static gm_status form_matrix(factors *f, uint32_t time, const uint32_t *x, const uint32_t *k, uint32_t diagonal, uint32_t *ft)
{
    gm_stepper *s      = f->s;
    uint32_t    n      = f->n;
    uint32_t   *column = gm_alloc_array(s->code->alloc, n + 1u, sizeof *column);
    gm_status   st     = column != NULL ? GM_OK : GM_NOMEM;
    for (uint32_t j = 0; j < n && st == GM_OK; j++) {
        st = gm_code_diff(s->code, x[j], n, k, column);
        for (uint32_t i = 0; i < n && st == GM_OK; i++) {
            uint32_t *w      = entry(f, i, j);
            bool      moving = i == j && i < f->states;
            if (column[i] == GM_CODE_NONE) *w = moving ? diagonal : GM_CODE_NONE;
            else if (moving) *w = gm_stepper_op(s, GM_OP_SUB, diagonal, column[i], 0);
            else *w = gm_stepper_op(s, GM_OP_NEG, column[i], 0, 0);
        }
    }
    // A pair that the derivative shows to be none: nothing to divide by.
    for (uint32_t i = f->states; i < n && st == GM_OK; i++) {
        if (*entry(f, i, i) == GM_CODE_NONE) st = GM_INVALID;
    }
    if (st == GM_OK) st = gm_code_diff(s->code, time, n, k, ft);
    // How the past changes with time is not known; without this the order is lower, and step control sees to the rest.
    uint32_t delays;
    gm_program_delays(s->program, &delays);
    if (st == GM_INVALID && delays > 0) {
        memset(ft, 0xff, n * sizeof *ft);
        st = GM_OK;
    }
    gm_free(s->code->alloc, column);
    return st;
}

// base + sum of weight[j] * u[j][i]
static uint32_t combined(gm_stepper *s, uint32_t base, const double *weight, uint32_t *const *u, int stages, uint32_t i)
{
    for (int j = 0; j < stages; j++) {
        if (weight[j] == 1) base = gm_stepper_op(s, GM_OP_ADD, base, u[j][i], 0);
        else if (weight[j] != 0) base = gm_stepper_op(s, GM_OP_FMA, u[j][i], gm_stepper_number(s, weight[j]), base);
    }
    return base;
}

// Solutions of the loops, where the step was accepted: guesses of the next one.
static void keep_unknowns(factors *f, uint32_t accepted, const uint32_t *x)
{
    gm_stepper *s      = f->s;
    uint32_t    active = f->n > f->states ? gm_stepper_op(s, GM_OP_MASK, gm_stepper_row(s, s->layout->active), 0, 0) : 0;
    for (uint32_t i = f->states; i < f->n; i++) {
        uint32_t keep = gm_stepper_op(s, GM_OP_AND, accepted, active, 0);
        gm_stepper_store(s, f->guess[i], gm_stepper_op(s, GM_OP_SELECT, keep, x[i], gm_stepper_row(s, f->guess[i])));
    }
}

static void rodas(factors *f, double tolerance, uint32_t *work, gm_status *st)
{
    gm_stepper *s = f->s;
    uint32_t    n = f->n, *x0 = work, *x = work + n, *k = work + 2 * n, *ft = work + 3 * n, *u[STAGES];
    gm_pace     p = gm_pace_begin(s);
    for (int i = 0; i < STAGES; i++) u[i] = work + (4 + (uint32_t)i) * n;
    for (uint32_t i = 0; i < n; i++) x0[i] = gm_stepper_row(s, f->guess[i]);
    uint32_t diagonal = gm_stepper_op(s, GM_OP_DIV, gm_stepper_number(s, 1 / rodas_gamma), p.h, 0);
    uint32_t rate     = gm_stepper_op(s, GM_OP_DIV, gm_stepper_number(s, 1), p.h, 0);
    right_side(f, p.time, x0, k);
    if (s->code->status != GM_OK) *st = s->code->status;
    else *st = form_matrix(f, p.time, x0, k, diagonal, ft);
    if (*st != GM_OK) return;
    factor(f);

    for (int stage = 0; stage < STAGES; stage++) {
        for (uint32_t i = 0; i < n; i++) x[i] = combined(s, x0[i], rodas_a[stage], u, stage, i);
        if (stage > 0) {
            uint32_t at = rodas_c[stage] == 1 ? p.until : gm_stepper_op(s, GM_OP_FMA, p.h, gm_stepper_number(s, rodas_c[stage]), p.time);
            right_side(f, at, x, k);
        }
        for (uint32_t i = 0; i < n; i++) {
            uint32_t right = k[i];
            if (stage > 0 && i < f->states) {
                uint32_t past = combined(s, gm_stepper_number(s, 0), rodas_b[stage], u, stage, i);
                right         = gm_stepper_op(s, GM_OP_FMA, past, rate, right);
            }
            if (ft[i] != GM_CODE_NONE && rodas_d[stage] != 0) {
                right = gm_stepper_op(s, GM_OP_FMA, gm_stepper_op(s, GM_OP_MUL, p.h, gm_stepper_number(s, rodas_d[stage]), 0), ft[i], right);
            }
            u[stage][i] = right;
        }
        solve(f, u[stage]);
    }
    for (uint32_t i = 0; i < n; i++) x[i] = gm_stepper_op(s, GM_OP_ADD, x[i], u[STAGES - 1][i], 0);
    uint32_t norm     = gm_error_norm(s, tolerance, x0, x, u[STAGES - 1]);
    uint32_t accepted = gm_pace_end(s, &p, tolerance, 0.25, norm, x);
    gm_stepper_accept(s, accepted, p.until, x);
    keep_unknowns(f, accepted, x);
}

gm_status gm_step_implicit(gm_stepper *s, double tolerance)
{
    gm_region region = gm_program_section(s->program, GM_SECTION_DERIVATIVE);
    uint32_t  n      = s->state_count;
    for (uint32_t i = 0; i < region.ins_count; i++) {
        if (region.ins[i].op == GM_OP_SOLVE) n += gm_program_loop(s->program, region.ins[i].a)->unknowns;
        if (n > UNKNOWNS_MAX) return GM_LIMIT;
    }
    if (n > UNKNOWNS_MAX) return GM_LIMIT;
    enum { LISTS = 7, WORK = 4 + STAGES };
    const gm_alloc *alloc = s->code->alloc;
    uint32_t       *lists = gm_alloc_zeroed(alloc, ((LISTS + WORK) * (size_t)n + 1) * sizeof *lists);
    factors         f     = { .s = s, .n = n, .states = s->state_count, .w = gm_alloc_array(alloc, (size_t)n * n + 1, sizeof *f.w), .done = gm_alloc_zeroed(alloc, n + 1u) };
    gm_status       st    = GM_NOMEM;
    if (f.w != NULL && lists != NULL && f.done != NULL) {
        f.order   = lists;
        f.inverse = lists + n;
        f.guess   = lists + 2 * (size_t)n;
        f.row     = lists + 3 * (size_t)n;
        f.in_row    = lists + 4 * (size_t)n;
        f.in_column = lists + 5 * (size_t)n;
        f.columns   = lists + 6 * (size_t)n;
        memset(f.w, 0xff, (size_t)n * n * sizeof *f.w);
        st = GM_INVALID;
        if (list_unknowns(&f)) rodas(&f, tolerance, lists + LISTS * (size_t)n, &st);
    }
    gm_free(alloc, f.w);
    gm_free(alloc, lists);
    gm_free(alloc, f.done);
    return st;
}
