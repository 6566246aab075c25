// KLU counts in columns: its pattern is the transpose of ours, `place` says where each of our entries goes.
//
// Threads: klu_common holds settings and the outcome of the last call; each call works on a copy of its own.
#include "physics/exec/sparse.h"

#include <klu.h>
#include <limits.h>
#include <math.h>

// Of the reciprocal pivot growth: below, four digits are lost and old pivots are given up. A new pivot is taken off the diagonal
// where that is PIVOT_MIN times smaller than another.
static const double GROWTH_MIN = 1e-4, PIVOT_MIN = 0.1;

struct gm_sparse {
    const gm_alloc *alloc;
    uint32_t        n, entries;
    int            *starts, *rows;  // [n + 1], [entries] by columns
    uint32_t       *place;          // [entries] from row order to column order
    klu_symbolic   *symbolic;
    klu_common      common;
};

bool gm_sparse_available(void) { return true; }

// Rows come in rising order, so those of each column do too.
static void by_columns(gm_sparse *s, const uint32_t *rows, const uint32_t *columns)
{
    for (uint32_t e = 0; e < s->entries; e++) s->starts[columns[e] + 1]++;
    for (uint32_t j = 0; j < s->n; j++) s->starts[j + 1] += s->starts[j];
    for (uint32_t e = 0; e < s->entries; e++) {
        s->place[e]          = (uint32_t)s->starts[columns[e]]++;
        s->rows[s->place[e]] = (int)rows[e];
    }
    for (uint32_t j = s->n; j > 0; j--) s->starts[j] = s->starts[j - 1];
    s->starts[0] = 0;
}

gm_status gm_sparse_create(const gm_alloc *alloc, uint32_t n, uint32_t entries, const uint32_t *rows, const uint32_t *columns,
                           gm_sparse **out_sparse, gm_error *err)
{
    gm_status st = GM_OK;
    *out_sparse  = NULL;
    if (n >= INT_MAX || entries >= INT_MAX) return gm_fail(err, GM_LIMIT, "physics.sparse", "%u unknowns, %u entries", n, entries);
    gm_sparse *s = gm_alloc_zeroed(alloc, sizeof *s);
    if (s == NULL) return gm_fail(err, GM_NOMEM, "physics.sparse", "%u unknowns", n);
    *s        = (gm_sparse){ .alloc = alloc, .n = n, .entries = entries };
    s->starts = gm_alloc_zeroed(alloc, (n + (size_t)1) * sizeof *s->starts);
    s->rows   = gm_alloc_array(alloc, entries + (size_t)1, sizeof *s->rows);
    s->place  = gm_alloc_array(alloc, entries + (size_t)1, sizeof *s->place);
    if (s->starts == NULL || s->rows == NULL || s->place == NULL) {
        st = gm_fail(err, GM_NOMEM, "physics.sparse", "%u unknowns, %u entries", n, entries);
        goto done;
    }
    by_columns(s, rows, columns);
    klu_defaults(&s->common);
    s->common.tol = PIVOT_MIN;
    s->symbolic = klu_analyze((int)n, s->starts, s->rows, &s->common);
    if (s->symbolic == NULL || s->symbolic->structural_rank < (int)n) {
        st = s->common.status == KLU_OUT_OF_MEMORY ? GM_NOMEM : s->common.status == KLU_TOO_LARGE ? GM_LIMIT : GM_INVALID;
        gm_fail(err, st, "physics.sparse", "%u unknowns, %u entries: %s", n, entries,
                st == GM_INVALID ? "singular whatever the values are" : "too many");
        goto done;
    }
    *out_sparse = s;
    s           = NULL;
done:
    gm_sparse_destroy(s);
    return st;
}

void gm_sparse_destroy(gm_sparse *s)
{
    if (s == NULL) return;
    klu_free_symbolic(&s->symbolic, &s->common);
    gm_free(s->alloc, s->starts);
    gm_free(s->alloc, s->rows);
    gm_free(s->alloc, s->place);
    gm_free(s->alloc, s);
}

void gm_sparse_forget(const gm_sparse *sparse, gm_sparse_factors *factors)
{
    klu_common   common  = sparse->common;
    klu_numeric *numeric = factors->numeric;
    klu_free_numeric(&numeric, &common);
    factors->numeric = NULL;
}

// With the pivots of the lane's last matrix. False: there is none, or they suit this one badly.
static bool factor_again(const gm_sparse *s, klu_numeric *numeric, double *values, klu_common *common)
{
    return numeric != NULL && klu_refactor(s->starts, s->rows, values, s->symbolic, numeric, common) && common->status == KLU_OK &&
           klu_rgrowth(s->starts, s->rows, values, s->symbolic, numeric, common) && common->rgrowth > GROWTH_MIN;
}

bool gm_sparse_factor(const gm_sparse *s, gm_sparse_factors *factors, const double *values, size_t stride, double *work)
{
    klu_common common = s->common;
    for (uint32_t e = 0; e < s->entries; e++) {
        double value = values[e * stride];
        if (!isfinite(value)) return false;
        work[s->place[e]] = value;
    }
    if (!factor_again(s, factors->numeric, work, &common)) {
        gm_sparse_forget(s, factors);
        factors->numeric = klu_factor(s->starts, s->rows, work, s->symbolic, &common);
    }
    return factors->numeric != NULL && common.status == KLU_OK;
}

bool gm_sparse_back(const gm_sparse *s, const gm_sparse_factors *factors, double *b)
{
    klu_common common = s->common;
    return klu_solve(s->symbolic, factors->numeric, (int)s->n, 1, b, &common) != 0;
}

bool gm_sparse_solve(const gm_sparse *s, gm_sparse_factors *factors, const double *values, size_t stride, double *work, double *b)
{
    return gm_sparse_factor(s, factors, values, stride, work) && gm_sparse_back(s, factors, b);
}
