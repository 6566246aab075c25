// Laying the recent past of an asset along the whole lives of others.
#include "insight/learn/similar.h"

#include "base/crc32c.h"
#include "insight/learn/rul_model.h"

#include <math.h>

enum { WINDOW = 40, STEP = 2, SMOOTH = 5, ROWS_MIN = 3 };

// The mean of the last SMOOTH values that are there.
static void smooth(const double *index, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0, count = 0;
        for (size_t k = i + 1 >= SMOOTH ? i + 1 - SMOOTH : 0; k <= i; k++) {
            if (isnan(index[k])) continue;
            sum += index[k];
            count++;
        }
        out[i] = (float)(count > 0 ? sum / count : NAN);
    }
}

static gm_status index_of(const gm_rul_model *m, const gm_alloc *alloc, const double *rows, size_t n, float *out,
                          gm_error *err)
{
    double *index = gm_alloc_array(alloc, n, sizeof *index);
    if (index == NULL) return gm_fail(err, GM_NOMEM, "insight.similar", "%zu rows", n);
    gm_status st = gm_rul_health(m, alloc, rows, n, index, err);
    if (st == GM_OK) smooth(index, n, out);
    gm_free(alloc, index);
    return st;
}

uint32_t gm_rul_run_print(const gm_fleet *fleet, const gm_run *run)
{
    return gm_crc32c(0, gm_fleet_row(fleet, run->first), (size_t)run->count * gm_fleet_columns(fleet) * sizeof(double));
}

bool gm_rul_learned_from(const gm_rul_model *m, const gm_fleet *fleet, const gm_run *run)
{
    uint32_t print = gm_rul_run_print(fleet, run);
    for (uint32_t i = 0; i < m->past_count; i++)
        if (m->past[i].print == print && m->past[i].count == run->count) return true;
    return false;
}

gm_status gm_rul_library_build(gm_rul_model *m, const gm_fleet *fleet, gm_error *err)
{
    uint32_t failed = 0;
    size_t   rows   = 0;
    for (size_t r = 0; r < fleet->run_count; r++) {
        if (fleet->runs[r].left != 0) continue;
        failed++;
        rows += fleet->runs[r].count;
    }
    m->past       = gm_alloc_array(m->alloc, failed, sizeof *m->past);
    m->past_index = gm_alloc_array(m->alloc, rows, sizeof *m->past_index);
    if (m->past == NULL || m->past_index == NULL) return gm_fail(err, GM_NOMEM, "insight.similar", "%zu rows", rows);
    uint32_t at = 0;
    for (size_t r = 0; r < fleet->run_count; r++) {
        const gm_run *run = &fleet->runs[r];
        if (run->left != 0) continue;
        gm_status st = index_of(m, m->alloc, gm_fleet_row(fleet, run->first), run->count, m->past_index + at, err);
        if (st != GM_OK) return st;
        m->past[m->past_count++] = (gm_past_run) {
            .unit = run->unit, .print = gm_rul_run_print(fleet, run), .first = at, .count = run->count
        };
        at += run->count;
    }
    return GM_OK;
}

// The place along a past run that is most like the query's last `window` rows.
static void best_place(const float *past, uint32_t count, const float *query, size_t n, size_t window, gm_similar *out)
{
    out->distance = INFINITY;
    for (size_t end = window - 1; end < count; end++) {
        double sum = 0, pairs = 0;
        for (size_t k = 0; k < window; k += STEP) {
            double d = past[end - k] - query[n - 1 - k];
            if (isnan(d)) continue;
            sum += d * d;
            pairs++;
        }
        if (pairs > 0 && sum / pairs < out->distance) {
            out->distance = sum / pairs;
            out->left     = (double)(count - 1 - end);
        }
    }
}

static void insert(gm_similar *found, size_t *count, gm_similar candidate)
{
    size_t at = *count < GM_SIMILAR_MAX ? (*count)++ : GM_SIMILAR_MAX;
    while (at > 0 && found[at - 1].distance > candidate.distance) {
        if (at < GM_SIMILAR_MAX) found[at] = found[at - 1];
        at--;
    }
    if (at < GM_SIMILAR_MAX) found[at] = candidate;
}

gm_status gm_rul_similar(const gm_rul_model *m, const gm_alloc *alloc, const double *rows, size_t n, uint32_t except,
                         gm_similar found[GM_SIMILAR_MAX], size_t *out_count, double *out_rul, gm_error *err)
{
    *out_count = 0;
    *out_rul   = NAN;
    if (n < ROWS_MIN)
        return gm_fail(err, GM_INVALID, "insight.similar", "%zu rows, at least %d are needed", n, ROWS_MIN);
    float *query = gm_alloc_array(alloc, n, sizeof *query);
    if (query == NULL) return gm_fail(err, GM_NOMEM, "insight.similar", "%zu rows", n);
    gm_status st = index_of(m, alloc, rows, n, query, err);
    for (uint32_t p = 0; st == GM_OK && p < m->past_count; p++) {
        const gm_past_run *past   = &m->past[p];
        size_t             window = n < WINDOW ? n : WINDOW;
        gm_similar         here   = { .unit = past->unit };
        if (past->unit == except || past->count < window) continue;
        best_place(m->past_index + past->first, past->count, query, n, window, &here);
        if (isfinite(here.distance)) insert(found, out_count, here);
    }
    gm_free(alloc, query);
    if (st == GM_OK && *out_count == 0)
        st = gm_fail(err, GM_INVALID, "insight.similar", "no past run can be compared with");
    if (st != GM_OK) return st;

    double sum = 0, total = 0;
    for (size_t i = 0; i < *out_count; i++) {
        double nearest  = fmax(found[0].distance, 1e-12);
        found[i].weight = exp(-(found[i].distance - found[0].distance) / (2 * nearest));
        sum += found[i].weight * fmin(found[i].left, m->facts.cap);
        total += found[i].weight;
    }
    for (size_t i = 0; i < *out_count; i++) found[i].weight /= total;
    *out_rul = sum / total;
    return GM_OK;
}
