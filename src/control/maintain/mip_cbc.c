// The program in CBC's words, and its answer in ours. Nothing is registered for messages: with a handler of its own the library
// writes to the standard output whatever level is set.
#include "control/maintain/mip.h"

#include <coin/Cbc_C_Interface.h>
#include <math.h>
#include <stdio.h>

static const char WHERE[] = "control.mip";

typedef struct arrays { int32_t *starts; double *low, *high, *cost, *row_low, *row_high; } arrays;

static void free_arrays(const gm_mip *m, arrays *a)
{
    gm_free(m->alloc, a->starts);
    gm_free(m->alloc, a->low);
    gm_free(m->alloc, a->high);
    gm_free(m->alloc, a->cost);
    gm_free(m->alloc, a->row_low);
    gm_free(m->alloc, a->row_high);
}

static bool make_arrays(const gm_mip *m, arrays *a)
{
    size_t n = m->column_count, rows = m->row_count;
    a->starts   = gm_alloc_array(m->alloc, n + 1, sizeof *a->starts);
    a->low      = gm_alloc_array(m->alloc, n + 1, sizeof *a->low);
    a->high     = gm_alloc_array(m->alloc, n + 1, sizeof *a->high);
    a->cost     = gm_alloc_array(m->alloc, n + 1, sizeof *a->cost);
    a->row_low  = gm_alloc_array(m->alloc, rows + 1, sizeof *a->row_low);
    a->row_high = gm_alloc_array(m->alloc, rows + 1, sizeof *a->row_high);
    if (a->starts == NULL || a->low == NULL || a->high == NULL || a->cost == NULL || a->row_low == NULL || a->row_high == NULL) return false;
    for (size_t j = 0; j < n; j++) {
        a->starts[j] = m->columns[j].first;
        a->low[j]    = m->columns[j].low;
        a->high[j]   = m->columns[j].high;
        a->cost[j]   = m->columns[j].cost;
    }
    a->starts[n] = (int32_t)m->entry_count;
    for (size_t i = 0; i < rows; i++) {
        a->row_low[i]  = m->rows[i].low;
        a->row_high[i] = m->rows[i].high;
    }
    return true;
}

static void set_number(Cbc_Model *model, const char *name, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.9g", value);
    Cbc_setParameter(model, name, text);
}

static void take(const gm_mip *m, Cbc_Model *model, double *values, gm_mip_report *out)
{
    const double *x   = Cbc_bestSolution(model);
    bool          all = Cbc_isProvenOptimal(model) != 0;
    *out              = (gm_mip_report){ .cost = NAN, .bound = Cbc_getBestPossibleObjValue(model) };
    if (x == NULL) {
        out->end = Cbc_isProvenInfeasible(model) || Cbc_isInitialSolveProvenPrimalInfeasible(model) ? GM_MIP_INFEASIBLE : GM_MIP_NOTHING;
        return;
    }
    out->end  = all ? GM_MIP_OPTIMAL : GM_MIP_OUT_OF_TIME;
    out->cost = 0;
    for (size_t j = 0; j < m->column_count; j++) {
        values[j] = m->columns[j].whole ? round(x[j]) : x[j];
        out->cost += m->columns[j].cost * values[j];
    }
    // The library's bound is of before its own tolerances.
    if (out->bound > out->cost) out->bound = out->cost;
}

gm_status gm_mip_solve_here(const gm_mip *m, const gm_mip_limits *limits, double *values, gm_mip_report *out, gm_error *err)
{
    arrays a = { 0 };
    *out     = (gm_mip_report){ .end = GM_MIP_NOTHING };
    if (m->failed || !make_arrays(m, &a)) {
        free_arrays(m, &a);
        return gm_fail(err, GM_NOMEM, WHERE, "a program of %zu columns", m->column_count);
    }
    Cbc_Model *model = Cbc_newModel();
    if (model == NULL) {
        free_arrays(m, &a);
        return gm_fail(err, GM_NOMEM, WHERE, "a program of %zu columns", m->column_count);
    }
    Cbc_setParameter(model, "log", "0");
    Cbc_setParameter(model, "slog", "0");
    Cbc_loadProblem(model, (int)m->column_count, (int)m->row_count, a.starts, m->entry_rows, m->entries, a.low, a.high, a.cost, a.row_low, a.row_high);
    for (size_t j = 0; j < m->column_count; j++)
        if (m->columns[j].whole) Cbc_setInteger(model, (int)j);
    Cbc_setParameter(model, "timeMode", "elapsed");
    set_number(model, "sec", limits->seconds);
    set_number(model, "ratioGap", limits->gap);
    set_number(model, "allowableGap", 1e-9);
    (void)Cbc_solve(model);
    bool gave_up = Cbc_isAbandoned(model) != 0;
    if (!gave_up) take(m, model, values, out);
    Cbc_deleteModel(model);
    free_arrays(m, &a);
    return gave_up ? gm_fail(err, GM_DIVERGED, WHERE, "the solver lost its way in numbers; costs that differ less in size may help") : GM_OK;
}

bool gm_mip_available(void) { return true; }

gm_status gm_mip_require(gm_error *err)
{
    (void)err;
    return GM_OK;
}
