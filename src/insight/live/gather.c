// Aligning columns by source time.
#include "insight/live/gather.h"

#include <math.h>

typedef struct gathering {
    gm_rows *rows;
    size_t   capacity, most, at;
    uint32_t column;
    double   last;
    bool     failed;
} gathering;

static double number_of(const gm_value *v)
{
    return v->kind == GM_KIND_DOUBLE ? v->d : v->kind == GM_KIND_INT || v->kind == GM_KIND_BOOL ? (double)v->i : NAN;
}

// The first column makes the rows. When there are twice as many as wanted the older half goes.
static bool make_row(void *context, const gm_sample *sample)
{
    gathering *g = context;
    gm_rows   *r = g->rows;
    if (r->count >= 2 * g->most) {
        memmove(r->times, r->times + r->count - g->most, g->most * sizeof *r->times);
        memmove(r->values, r->values + (r->count - g->most) * r->columns, g->most * r->columns * sizeof *r->values);
        r->count = g->most;
    }
    if (r->count >= g->capacity) {
        size_t      want  = g->capacity > 0 ? 2 * g->capacity : 64;
        gm_time_ns *times = gm_realloc_array(r->alloc, r->times, want, sizeof *times);
        if (times != NULL) r->times = times;
        double *values = gm_realloc_array(r->alloc, r->values, want * r->columns, sizeof *values);
        if (values != NULL) r->values = values;
        if (times == NULL || values == NULL) {
            g->failed = true;
            return false;
        }
        g->capacity = want;
    }
    double *row = r->values + r->count * r->columns;
    for (uint32_t c = 0; c < r->columns; c++) row[c] = NAN;
    row[0]               = number_of(&sample->value);
    r->times[r->count++] = sample->at;
    return true;
}

// The others are held from one sample to the next.
static bool fill_column(void *context, const gm_sample *sample)
{
    gathering *g = context;
    gm_rows   *r = g->rows;
    while (g->at < r->count && r->times[g->at] < sample->at) r->values[g->at++ * r->columns + g->column] = g->last;
    g->last = number_of(&sample->value);
    return g->at < r->count;
}

void gm_rows_finish(gm_rows *rows)
{
    if (rows->alloc == NULL) return;
    gm_free(rows->alloc, rows->values);
    gm_free(rows->alloc, rows->times);
    *rows = (gm_rows) { 0 };
}

gm_status gm_rows_gather(const gm_engine *engine, const gm_alloc *alloc, gm_twin twin, const uint32_t *columns,
                         uint32_t n, gm_time_ns before, size_t most, gm_rows *out, gm_error *err)
{
    *out         = (gm_rows) { .alloc = alloc, .columns = n };
    gathering g  = { .rows = out, .most = most };
    gm_status st = gm_engine_read_history(engine, twin, columns[0], GM_TIME_MIN, before, make_row, &g, err);
    if (g.failed) st = gm_fail(err, GM_NOMEM, "insight.gather", "%zu rows", out->count);
    for (uint32_t c = 1; st == GM_OK && c < n && out->count > 0; c++) {
        g.column = c;
        g.at     = 0;
        g.last   = NAN;
        st       = gm_engine_read_history(engine, twin, columns[c], GM_TIME_MIN, before, fill_column, &g, err);
        for (; g.at < out->count; g.at++) out->values[g.at * n + c] = g.last;
    }
    if (st == GM_OK && out->count > most) {
        size_t extra = out->count - most;
        memmove(out->times, out->times + extra, most * sizeof *out->times);
        memmove(out->values, out->values + extra * n, most * n * sizeof *out->values);
        out->count = most;
    }
    if (st != GM_OK) gm_rows_finish(out);
    return st;
}
