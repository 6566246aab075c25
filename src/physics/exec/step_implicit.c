// A Rosenbrock step for stiff models: linearly implicit, so every stage is one linear system and no iteration. The
// Jacobian is derived from the model's code, factored without pivoting in an order that keeps it sparse, and all of it
// is straight-line code like the model itself.
//
// Algebraic loops in the derivatives are not solved in every stage: their unknowns z become part of the system, with
// 0 = F(x, z) beside x' = f(x, z), for which the method keeps its order (index 1; Hairer and Wanner, section VI.4). What is
// left of F after a step is of the order of the tolerance, and is taken back by the next.
//
// Two ways to the linear systems. Few states without loops are factored by straight-line code without pivoting: the
// diagonal of I/(h gamma) - J dominates for small h, and a factorisation that loses its digits shows in the error
// estimate, which makes h smaller. Loops, whose diagonal may vanish (a body that sticks), and large systems, whose code
// would grow with the fill-in, are cut into phases between which implicit.c solves with pivots:
//
//   FORM (matrix, first slopes) --> factor --> stage 0 --> solve --> stage 1 --> ... --> solve --> END (error, accept)
#include "physics/exec/rodas.h"
#include "physics/exec/step_parts.h"

#include <stdlib.h>

enum { STAGES = RODAS_STAGES, UNKNOWNS_MAX = 4000, INLINE_MAX = 48 };

typedef struct factors {
    gm_stepper *s;
    uint32_t    n;       // states, then the unknowns of loops
    uint32_t    states;
    uint32_t   *w;       // [n][n] values, GM_CODE_NONE = structural zero; L below, U above, in pivot order
    uint32_t   *order;   // [n] pivots
    uint32_t   *inverse; // [n] reciprocals of the pivots, by row
    uint32_t   *guess;   // [n] slot of each unknown's guess; of the states: their slots
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

static void list_unknowns(factors *f)
{
    gm_region region = gm_program_section(f->s->program, GM_SECTION_DERIVATIVE);
    uint32_t  at     = f->states;
    for (uint32_t i = 0; i < f->states; i++) f->guess[i] = f->s->states[i].v;
    for (uint32_t i = 0; i < region.ins_count; i++) {
        if (region.ins[i].op != GM_OP_SOLVE) continue;
        const gm_loop_info *loop = gm_program_loop(f->s->program, region.ins[i].a);
        for (uint32_t k = 0; k < loop->unknowns; k++) f->guess[at++] = loop->guess[k].v;
    }
}

// The body of the loop of a SOLVE, whose first unknown is number `first`: its residuals go to k.
static void inline_loop(gm_stepper *s, const gm_region *from, const gm_ins *solve, uint32_t first, const uint32_t *x, uint32_t *k)
{
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
    for (uint32_t i = 0; i < body->result_count && s->code->status == GM_OK; i++) {
        const gm_code_result *r = &body->results[i];
        if (r->kind == GM_RESULT_RESIDUAL) k[first + r->target] = map[r->value];
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
            inline_loop(s, &region, ins, first, x, k);
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

// What a stage solves for: its slopes, what the stages before it leave, the change with time. x: where it stands.
static void stage_right(factors *f, const gm_pace *p, int stage, const uint32_t *x0, uint32_t *const *u, const uint32_t *first,
                        const uint32_t *ft, uint32_t *x, uint32_t *out)
{
    gm_stepper *s    = f->s;
    uint32_t    rate = gm_stepper_op(s, GM_OP_DIV, gm_stepper_number(s, 1), p->h, 0);
    for (uint32_t i = 0; i < f->n; i++) x[i] = combined(s, x0[i], rodas_a[stage], u, stage, i);
    if (stage > 0) {
        uint32_t at = rodas_c[stage] == 1 ? p->until : gm_stepper_op(s, GM_OP_FMA, p->h, gm_stepper_number(s, rodas_c[stage]), p->time);
        right_side(f, at, x, out);
    } else {
        memcpy(out, first, f->n * sizeof *out);
    }
    for (uint32_t i = 0; i < f->n && s->code->status == GM_OK; i++) {
        if (stage > 0 && i < f->states) {
            uint32_t past = combined(s, gm_stepper_number(s, 0), rodas_b[stage], u, stage, i);
            out[i]        = gm_stepper_op(s, GM_OP_FMA, past, rate, out[i]);
        }
        if (ft[i] != GM_CODE_NONE && rodas_d[stage] != 0) {
            out[i] = gm_stepper_op(s, GM_OP_FMA, gm_stepper_op(s, GM_OP_MUL, p->h, gm_stepper_number(s, rodas_d[stage]), 0), ft[i], out[i]);
        }
    }
}

// x: where the last stage stands; the last u is the error, and added to it.
static void end_step(factors *f, const gm_pace *p, double tolerance, const uint32_t *x0, uint32_t *x, const uint32_t *last)
{
    gm_stepper *s = f->s;
    for (uint32_t i = 0; i < f->n; i++) x[i] = gm_stepper_op(s, GM_OP_ADD, x[i], last[i], 0);
    uint32_t norm     = gm_error_norm(s, tolerance, x0, x, last);
    uint32_t accepted = gm_pace_end(s, p, tolerance, 0.25, norm, x);
    gm_stepper_accept(s, accepted, p->until, x);
    keep_unknowns(f, accepted, x);
}

static gm_status begin_step(factors *f, const gm_pace *p, const uint32_t *x0, uint32_t *k, uint32_t *ft)
{
    gm_stepper *s        = f->s;
    uint32_t    diagonal = gm_stepper_op(s, GM_OP_DIV, gm_stepper_number(s, 1 / rodas_gamma), p->h, 0);
    right_side(f, p->time, x0, k);
    return s->code->status != GM_OK ? s->code->status : form_matrix(f, p->time, x0, k, diagonal, ft);
}

// Work of a step or of a phase: lists of n values each.
typedef struct lists { uint32_t *x0, *x, *k, *ft, *u[STAGES]; } lists;

static lists lists_in(uint32_t *work, uint32_t n)
{
    lists l = { work, work + n, work + 2 * (size_t)n, work + 3 * (size_t)n, { 0 } };
    for (int i = 0; i < STAGES; i++) l.u[i] = work + (4 + (size_t)i) * n;
    return l;
}

static gm_status rodas(factors *f, double tolerance, const lists *l)
{
    gm_pace p = gm_pace_begin(f->s);
    for (uint32_t i = 0; i < f->n; i++) l->x0[i] = gm_stepper_row(f->s, f->guess[i]);
    gm_status st = begin_step(f, &p, l->x0, l->k, l->ft);
    if (st != GM_OK) return st;
    factor(f);
    for (int stage = 0; stage < STAGES; stage++) {
        stage_right(f, &p, stage, l->x0, l->u, l->k, l->ft, l->x, l->u[stage]);
        solve(f, l->u[stage]);
    }
    end_step(f, &p, tolerance, l->x0, l->x, l->u[STAGES - 1]);
    return f->s->code->status;
}

// ---- phases -----------------------------------------------------------------------------------------------------------

static gm_status form_phase(factors *f, const lists *l, gm_implicit_rows *r)
{
    gm_stepper *s = f->s;
    gm_pace     p = gm_pace_begin(s);
    gm_status   st = begin_step(f, &p, l->x0, l->k, l->ft);
    r->entries = 0;
    for (uint32_t i = 0; i < f->n && st == GM_OK; i++) {
        for (uint32_t j = 0; j < f->n; j++) r->entries += *entry(f, i, j) != GM_CODE_NONE;
    }
    r->row_of    = gm_alloc_array(s->code->alloc, r->entries + (size_t)1, sizeof *r->row_of);
    r->column_of = gm_alloc_array(s->code->alloc, r->entries + (size_t)1, sizeof *r->column_of);
    if (st == GM_OK && (r->row_of == NULL || r->column_of == NULL)) st = GM_NOMEM;
    uint32_t e = 0;
    for (uint32_t i = 0; i < f->n && st == GM_OK; i++) {
        gm_stepper_store(s, r->slope + i, l->k[i]);
        gm_stepper_store(s, r->change + i, l->ft[i] != GM_CODE_NONE ? l->ft[i] : gm_stepper_number(s, 0));
        for (uint32_t j = 0; j < f->n; j++) {
            if (*entry(f, i, j) == GM_CODE_NONE) continue;
            gm_stepper_store(s, r->matrix + e, *entry(f, i, j));
            r->row_of[e]      = i;
            r->column_of[e++] = j;
        }
    }
    return st == GM_OK ? s->code->status : st;
}

static gm_status phase_code(factors *f, double tolerance, const lists *l, int phase, gm_implicit_rows *r)
{
    gm_stepper *s = f->s;
    for (uint32_t i = 0; i < f->n; i++) l->x0[i] = gm_stepper_row(s, f->guess[i]);
    if (phase == GM_IMPLICIT_FORM) return form_phase(f, l, r);
    gm_pace p    = gm_pace_begin(s);
    int     done = phase < STAGES ? phase : STAGES;
    for (int j = 0; j < done; j++) {
        for (uint32_t i = 0; i < f->n; i++) l->u[j][i] = gm_stepper_row(s, r->solution + (uint32_t)j * f->n + i);
    }
    if (phase == STAGES) {
        for (uint32_t i = 0; i < f->n; i++) l->x[i] = combined(s, l->x0[i], rodas_a[STAGES - 1], l->u, STAGES - 1, i);
        end_step(f, &p, tolerance, l->x0, l->x, l->u[STAGES - 1]);
        return s->code->status;
    }
    for (uint32_t i = 0; i < f->n; i++) {
        l->k[i]  = gm_stepper_row(s, r->slope + i);
        l->ft[i] = gm_stepper_row(s, r->change + i);
    }
    stage_right(f, &p, phase, l->x0, l->u, l->k, l->ft, l->x, l->u[phase]);
    for (uint32_t i = 0; i < f->n && s->code->status == GM_OK; i++) {
        gm_stepper_store(s, r->solution + (uint32_t)phase * f->n + i, l->u[phase][i]);
    }
    return s->code->status;
}

// ---- entry ------------------------------------------------------------------------------------------------------------

uint32_t gm_implicit_size(const gm_program *program, bool *out_phases)
{
    gm_region region = gm_program_section(program, GM_SECTION_DERIVATIVE);
    uint32_t  n, states;
    gm_program_slots_of(program, GM_SLOT_STATE, &n);
    states = n;
    for (uint32_t i = 0; i < region.ins_count && n <= UNKNOWNS_MAX; i++) {
        if (region.ins[i].op == GM_OP_SOLVE) n += gm_program_loop(program, region.ins[i].a)->unknowns;
    }
    *out_phases = n > states || n > INLINE_MAX;
    return n;
}

gm_status gm_step_implicit(gm_stepper *s, double tolerance, int phase, gm_implicit_rows *rows)
{
    bool     phases;
    uint32_t n = gm_implicit_size(s->program, &phases);
    if (n > UNKNOWNS_MAX) return GM_LIMIT;
    enum { LISTS = 6, WORK = 4 + STAGES };
    const gm_alloc *alloc = s->code->alloc;
    uint32_t       *work = gm_alloc_zeroed(alloc, ((LISTS + WORK) * (size_t)n + 1) * sizeof *work);
    bool            matrix = phase == GM_IMPLICIT_FORM || rows == NULL;
    factors         f      = { .s = s, .n = n, .states = s->state_count, .done = gm_alloc_zeroed(alloc, n + 1u),
                               .w = matrix ? gm_alloc_array(alloc, (size_t)n * n + 1, sizeof *f.w) : NULL };
    gm_status       st     = GM_NOMEM;
    if ((f.w != NULL || !matrix) && work != NULL && f.done != NULL) {
        f.order     = work;
        f.inverse   = work + n;
        f.guess     = work + 2 * (size_t)n;
        f.in_row    = work + 3 * (size_t)n;
        f.in_column = work + 4 * (size_t)n;
        f.columns   = work + 5 * (size_t)n;
        if (matrix) memset(f.w, 0xff, (size_t)n * n * sizeof *f.w);
        list_unknowns(&f);
        lists l = lists_in(work + LISTS * (size_t)n, n);
        st      = rows == NULL ? rodas(&f, tolerance, &l) : phase_code(&f, tolerance, &l, phase, rows);
    }
    gm_free(alloc, f.w);
    gm_free(alloc, work);
    gm_free(alloc, f.done);
    return st;
}
