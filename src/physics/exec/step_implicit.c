// A Rosenbrock step for stiff models: linearly implicit, so every stage is one linear system and no iteration. The
// Jacobian is derived from the model's code, factored without pivoting in an order that keeps it sparse, and all of it
// is straight-line code like the model itself.
//
// No pivoting: the diagonal of I/(h gamma) - J dominates for small h, and a factorisation that loses its digits shows
// in the error estimate, which makes h smaller.
#include "physics/exec/rodas.h"
#include "physics/exec/step_parts.h"

#include <stdlib.h>

enum { STAGES = RODAS_STAGES, STATES_MAX = 400 };

typedef struct factors {
    gm_stepper *s;
    uint32_t    n;
    uint32_t   *w;      // [n][n] values, GM_CODE_NONE = structural zero; L below, U above, in pivot order
    uint32_t   *order;  // [n] pivots
    uint32_t   *inverse;// [n] reciprocals of the pivots, by row
    uint8_t    *done;   // [n]
} factors;

static uint32_t *entry(const factors *f, uint32_t row, uint32_t column) { return &f->w[(size_t)row * f->n + column]; }

// The next pivot on the diagonal: the one that can cause the least fill-in (Markowitz 1957).
static uint32_t choose_pivot(const factors *f)
{
    uint32_t best = GM_CODE_NONE;
    uint64_t best_cost = 0;
    for (uint32_t k = 0; k < f->n; k++) {
        if (f->done[k]) continue;
        uint64_t in_row = 0, in_column = 0;
        for (uint32_t j = 0; j < f->n; j++) {
            if (f->done[j] || j == k) continue;
            in_row += *entry(f, k, j) != GM_CODE_NONE;
            in_column += *entry(f, j, k) != GM_CODE_NONE;
        }
        if (best == GM_CODE_NONE || in_row * in_column < best_cost) {
            best      = k;
            best_cost = in_row * in_column;
        }
    }
    return best;
}

static void eliminate(factors *f, uint32_t p)
{
    gm_stepper *s = f->s;
    f->inverse[p] = gm_stepper_op(s, GM_OP_DIV, gm_stepper_number(s, 1), *entry(f, p, p), 0);
    for (uint32_t i = 0; i < f->n; i++) {
        if (f->done[i] || i == p || *entry(f, i, p) == GM_CODE_NONE) continue;
        uint32_t factor = gm_stepper_op(s, GM_OP_MUL, *entry(f, i, p), f->inverse[p], 0);
        *entry(f, i, p) = factor;
        for (uint32_t j = 0; j < f->n; j++) {
            if (f->done[j] || j == p || *entry(f, p, j) == GM_CODE_NONE) continue;
            uint32_t *w = entry(f, i, j);
            if (*w == GM_CODE_NONE) *w = gm_stepper_op(s, GM_OP_NEG, gm_stepper_op(s, GM_OP_MUL, factor, *entry(f, p, j), 0), 0, 0);
            else *w = gm_stepper_op(s, GM_OP_FNMA, factor, *entry(f, p, j), *w);
        }
    }
}

static void factor(factors *f)
{
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

// W = I / (h gamma) - J, and *ft = the slopes' derivative by time (values may be GM_CODE_NONE).
static gm_status form_matrix(factors *f, uint32_t time, const uint32_t *x, const uint32_t *k, uint32_t diagonal, uint32_t *ft)
{
    gm_stepper *s      = f->s;
    uint32_t    n      = f->n;
    uint32_t   *column = gm_alloc_array(s->code->alloc, n + 1u, sizeof *column);
    gm_status   st     = column != NULL ? GM_OK : GM_NOMEM;
    for (uint32_t j = 0; j < n && st == GM_OK; j++) {
        st = gm_code_diff(s->code, x[j], n, k, column);
        for (uint32_t i = 0; i < n && st == GM_OK; i++) {
            uint32_t *w = entry(f, i, j);
            if (column[i] == GM_CODE_NONE) *w = i == j ? diagonal : GM_CODE_NONE;
            else if (i == j) *w = gm_stepper_op(s, GM_OP_SUB, diagonal, column[i], 0);
            else *w = gm_stepper_op(s, GM_OP_NEG, column[i], 0, 0);
        }
    }
    if (st == GM_OK) st = gm_code_diff(s->code, time, n, k, ft);
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

static void rodas(factors *f, double tolerance, uint32_t *work, gm_status *st)
{
    gm_stepper *s = f->s;
    uint32_t    n = f->n, *x0 = work, *x = work + n, *k = work + 2 * n, *ft = work + 3 * n, *u[STAGES];
    gm_pace     p = gm_pace_begin(s);
    for (int i = 0; i < STAGES; i++) u[i] = work + (4 + (uint32_t)i) * n;
    for (uint32_t i = 0; i < n; i++) x0[i] = gm_stepper_row(s, s->states[i].v);
    uint32_t diagonal = gm_stepper_op(s, GM_OP_DIV, gm_stepper_number(s, 1 / rodas_gamma), p.h, 0);
    uint32_t rate     = gm_stepper_op(s, GM_OP_DIV, gm_stepper_number(s, 1), p.h, 0);
    gm_stepper_slopes(s, p.time, x0, k);
    *st = form_matrix(f, p.time, x0, k, diagonal, ft);
    if (*st != GM_OK) return;
    factor(f);

    for (int stage = 0; stage < STAGES; stage++) {
        for (uint32_t i = 0; i < n; i++) x[i] = combined(s, x0[i], rodas_a[stage], u, stage, i);
        if (stage > 0) {
            uint32_t at = rodas_c[stage] == 1 ? p.until : gm_stepper_op(s, GM_OP_FMA, p.h, gm_stepper_number(s, rodas_c[stage]), p.time);
            gm_stepper_slopes(s, at, x, k);
        }
        for (uint32_t i = 0; i < n; i++) {
            uint32_t right = k[i];
            if (stage > 0) {
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
}

gm_status gm_step_implicit(gm_stepper *s, double tolerance, uint32_t *work)
{
    uint32_t n = s->state_count;
    if (n > STATES_MAX) return GM_LIMIT;
    const gm_alloc *alloc = s->code->alloc;
    factors f = { s, n, gm_alloc_array(alloc, (size_t)n * n + 1, sizeof *f.w), gm_alloc_array(alloc, 2 * (size_t)n + 1, sizeof *f.order),
                  NULL, gm_alloc_zeroed(alloc, n + 1u) };
    gm_status st = GM_NOMEM;
    if (f.w != NULL && f.order != NULL && f.done != NULL) {
        f.inverse = f.order + n;
        memset(f.w, 0xff, (size_t)n * n * sizeof *f.w);
        rodas(&f, tolerance, work, &st);
    }
    gm_free(alloc, f.w);
    gm_free(alloc, f.order);
    gm_free(alloc, f.done);
    return st;
}
