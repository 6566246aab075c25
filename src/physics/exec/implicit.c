// Between the phases of an implicit step: the matrix is factored once, lane by lane, and every stage solved with it. Sparse
// by KLU; dense with partial pivoting where the matrix is small or KLU was not built in.
#include "physics/exec/implicit.h"

#include "physics/exec/sparse.h"
#include "physics/exec/step_parts.h"

#include <math.h>

enum { DENSE_MAX = 24, PHASES = 1 + GM_IMPLICIT_STAGES };

struct gm_implicit {
    const gm_alloc   *alloc;
    const gm_program *program;
    gm_layout         layout;
    double            tolerance;
    uint32_t          n;
    gm_implicit_rows  rows;
    gm_kernel        *kernels[PHASES];  // FORM, then the stages
    gm_sparse        *sparse;           // NULL: dense
};

static gm_status make_kernel(gm_implicit *m, int phase, gm_executor executor, gm_error *err)
{
    gm_code   code = gm_code_init(m->alloc, UINT32_MAX / 2);
    gm_status st   = gm_implicit_code(m->program, &m->layout, m->tolerance, phase, &m->rows, &code);
    if (st != GM_OK) {
        const char *why = st == GM_INVALID ? ": its equations can not be differentiated" : "";
        gm_fail(err, st, "physics.implicit", "the implicit method with %u states and unknowns%s", m->n, why);
    } else {
        // FORM finds out how many entries the matrix has; only then is it known how many rows there are.
        if (phase == GM_IMPLICIT_FORM) m->layout.count = m->rows.matrix + m->rows.entries;
        st = gm_kernel_create(m->alloc, m->program, &code, m->layout.count, GM_CODE_NONE, executor, &m->kernels[phase + 1], err);
    }
    gm_code_finish(&code);
    return st;
}

gm_status gm_implicit_create(const gm_alloc *alloc, const gm_program *program, gm_layout *layout, double tolerance,
                             gm_executor executor, gm_implicit **out, gm_error *err)
{
    bool     phases;
    uint32_t n = gm_implicit_size(program, &phases);
    *out       = NULL;
    if (!phases) return GM_OK;
    gm_implicit *m = gm_alloc_zeroed(alloc, sizeof *m);
    if (m == NULL) return gm_fail(err, GM_NOMEM, "physics.implicit", "%u states and unknowns", n);
    *m = (gm_implicit){ .alloc = alloc, .program = program, .layout = *layout, .tolerance = tolerance, .n = n };
    m->rows.slope    = layout->count;
    m->rows.change   = m->rows.slope + n;
    m->rows.solution = m->rows.change + n;
    m->rows.matrix   = m->rows.solution + GM_IMPLICIT_STAGES * n;
    gm_status st     = GM_OK;
    for (int phase = GM_IMPLICIT_FORM; phase < GM_IMPLICIT_STAGES && st == GM_OK; phase++) st = make_kernel(m, phase, executor, err);
    if (st == GM_OK && n > DENSE_MAX && gm_sparse_available()) {
        st = gm_sparse_create(alloc, n, m->rows.entries, m->rows.row_of, m->rows.column_of, &m->sparse, err);
    }
    if (st != GM_OK) {
        gm_implicit_destroy(m);
        return st;
    }
    layout->count = m->layout.count;
    *out          = m;
    return GM_OK;
}

void gm_implicit_destroy(gm_implicit *m)
{
    if (m == NULL) return;
    for (int k = 0; k < PHASES; k++) gm_kernel_destroy(m->kernels[k]);
    gm_sparse_destroy(m->sparse);
    gm_free(m->alloc, m->rows.row_of);
    gm_free(m->alloc, m->rows.column_of);
    gm_free(m->alloc, m);
}

void gm_implicit_pattern(const gm_implicit *m, uint32_t *out_n, uint32_t *out_entries, const uint32_t **out_rows,
                         const uint32_t **out_columns)
{
    *out_n       = m->n;
    *out_entries = m->rows.entries;
    *out_rows    = m->rows.row_of;
    *out_columns = m->rows.column_of;
}

gm_status gm_implicit_end_code(const gm_implicit *m, gm_code *code)
{
    gm_implicit_rows rows = m->rows;
    return gm_implicit_code(m->program, &m->layout, m->tolerance, GM_IMPLICIT_STAGES, &rows, code);
}

// ------------------------------------------------------------------------------------------ memory

// Dense: a matrix and its pivots for every lane. Sparse: the values of one matrix. Then a right side, then the kernels' own.
static size_t matrices(const gm_implicit *m)
{
    size_t n = m->n, all = m->sparse != NULL ? m->rows.entries : (n * n + n) * GM_BLOCK_LANES;
    return (all + n + 7) / 8 * 8;
}

size_t gm_implicit_scratch(const gm_implicit *m)
{
    size_t all = matrices(m);
    for (int k = 0; k < PHASES; k++) all += gm_kernel_scratch(m->kernels[k]);
    return all;
}

void gm_implicit_prepare(const gm_implicit *m, double *scratch)
{
    scratch += matrices(m);
    for (int k = 0; k < PHASES; k++) {
        gm_kernel_prepare(m->kernels[k], scratch);
        scratch += gm_kernel_scratch(m->kernels[k]);
    }
}

// ------------------------------------------------------------------------------------------ linear systems

// a [n][n] becomes its factors L and U, pivots [n] the rows that changed places. A zero pivot makes the solution infinite
// or NaN, which the step's error shows.
static void dense_factor(uint32_t n, double *a, double *pivots)
{
    for (uint32_t k = 0; k < n; k++) {
        uint32_t best = k;
        for (uint32_t i = k + 1; i < n; i++) {
            if (fabs(a[(size_t)i * n + k]) > fabs(a[(size_t)best * n + k])) best = i;
        }
        pivots[k] = best;
        for (uint32_t j = 0; best != k && j < n; j++) {
            double swap              = a[(size_t)k * n + j];
            a[(size_t)k * n + j]    = a[(size_t)best * n + j];
            a[(size_t)best * n + j] = swap;
        }
        for (uint32_t i = k + 1; i < n; i++) {
            double factor = a[(size_t)i * n + k] / a[(size_t)k * n + k];
            a[(size_t)i * n + k] = factor;
            if (factor == 0) continue;
            for (uint32_t j = k + 1; j < n; j++) a[(size_t)i * n + j] -= factor * a[(size_t)k * n + j];
        }
    }
}

static void dense_solve(uint32_t n, const double *a, const double *pivots, double *b)
{
    for (uint32_t k = 0; k < n; k++) {
        uint32_t row  = (uint32_t)pivots[k];
        double   swap = b[k];
        b[k]          = b[row];
        b[row]        = swap;
    }
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < i; j++) b[i] -= a[(size_t)i * n + j] * b[j];
    }
    for (uint32_t i = n; i-- > 0;) {
        for (uint32_t j = i + 1; j < n; j++) b[i] -= a[(size_t)i * n + j] * b[j];
        b[i] /= a[(size_t)i * n + i];
    }
}

typedef struct systems {
    const gm_implicit *m;
    double            *rows, *scratch;
    bool               running[GM_BLOCK_LANES], good[GM_BLOCK_LANES];
    gm_sparse_factors  factors[GM_BLOCK_LANES];
} systems;

static double *row_at(const systems *s, uint32_t row) { return s->rows + (size_t)row * GM_BLOCK_LANES; }

static double *dense_matrix(const systems *s, int lane) { return s->scratch + (size_t)lane * ((size_t)s->m->n + 1) * s->m->n; }

static void factor_lane(systems *s, int lane)
{
    const gm_implicit *m = s->m;
    const double      *entries = row_at(s, m->rows.matrix) + lane;
    if (m->sparse != NULL) {
        s->good[lane] = gm_sparse_factor(m->sparse, &s->factors[lane], entries, GM_BLOCK_LANES, s->scratch);
        return;
    }
    double *a = dense_matrix(s, lane);
    memset(a, 0, (size_t)m->n * m->n * sizeof *a);
    for (uint32_t e = 0; e < m->rows.entries; e++) {
        a[(size_t)m->rows.row_of[e] * m->n + m->rows.column_of[e]] = entries[(size_t)e * GM_BLOCK_LANES];
    }
    dense_factor(m->n, a, a + (size_t)m->n * m->n);
    s->good[lane] = true;
}

static void solve_lane(systems *s, int lane, int stage)
{
    const gm_implicit *m = s->m;
    double            *u = row_at(s, m->rows.solution + (uint32_t)stage * m->n) + lane, *b = s->scratch + matrices(m) - m->n;
    for (uint32_t i = 0; i < m->n; i++) b[i] = u[(size_t)i * GM_BLOCK_LANES];
    if (s->good[lane]) {
        const double *a = m->sparse == NULL ? dense_matrix(s, lane) : NULL;
        if (a != NULL) dense_solve(m->n, a, a + (size_t)m->n * m->n, b);
        else s->good[lane] = gm_sparse_back(m->sparse, &s->factors[lane], b);
    }
    for (uint32_t i = 0; i < m->n; i++) u[(size_t)i * GM_BLOCK_LANES] = s->good[lane] ? b[i] : NAN;
}

void gm_implicit_run(const gm_implicit *m, double *rows, double *scratch)
{
    systems       s    = { .m = m, .rows = rows, .scratch = scratch };
    const double *time = row_at(&s, GM_TIME_SLOT.v), *end = row_at(&s, m->layout.end), *active = row_at(&s, m->layout.active);
    double       *own  = scratch + matrices(m);
    for (int lane = 0; lane < GM_BLOCK_LANES; lane++) s.running[lane] = active[lane] != 0 && time[lane] < end[lane];
    for (int k = 0; k < PHASES; k++) {
        gm_kernel_run(m->kernels[k], rows, own, 1);
        own += gm_kernel_scratch(m->kernels[k]);
        for (int lane = 0; lane < GM_BLOCK_LANES; lane++) {
            if (!s.running[lane]) continue;
            if (k == 0) factor_lane(&s, lane);
            else solve_lane(&s, lane, k - 1);
        }
    }
    for (int lane = 0; lane < GM_BLOCK_LANES && m->sparse != NULL; lane++) gm_sparse_forget(m->sparse, &s.factors[lane]);
}
