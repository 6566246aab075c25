#include "insight/estimate/modes.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

struct gm_modes {
    const gm_alloc *alloc;
    uint32_t        count, n;
    double         *probability;  // [count]
    double         *next;         // [count] before the measurement
    double         *change;       // [count][count] from row to column
    double         *mean;         // [count][n] mixed
    double         *factor;       // [count][n][n]
};

gm_status gm_modes_create(const gm_alloc *alloc, uint32_t count, uint32_t n, gm_modes **out_modes, gm_error *err)
{
    *out_modes  = NULL;
    gm_modes *m = gm_alloc_zeroed(alloc, sizeof *m);
    if (m != NULL) {
        *m = (gm_modes){ .alloc = alloc, .count = count, .n = n, .probability = gm_alloc_zeroed(alloc, count * sizeof(double)),
                         .next = gm_alloc_zeroed(alloc, count * sizeof(double)), .change = gm_alloc_zeroed(alloc, (size_t)count * count * sizeof(double)),
                         .mean = gm_alloc_array(alloc, count, n * sizeof(double)), .factor = gm_alloc_array(alloc, (size_t)count * n, n * sizeof(double)) };
    }
    if (m == NULL || m->probability == NULL || m->next == NULL || m->change == NULL || m->mean == NULL || m->factor == NULL) {
        gm_modes_destroy(m);
        return gm_fail(err, GM_NOMEM, "estimate.modes", "making %u modes", count);
    }
    *out_modes = m;
    return GM_OK;
}

void gm_modes_destroy(gm_modes *m)
{
    if (m == NULL) return;
    gm_free(m->alloc, m->probability);
    gm_free(m->alloc, m->next);
    gm_free(m->alloc, m->change);
    gm_free(m->alloc, m->mean);
    gm_free(m->alloc, m->factor);
    gm_free(m->alloc, m);
}

static void normalise(double *p, uint32_t n)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += p[i];
    for (uint32_t i = 0; i < n; i++) p[i] /= sum;
}

void gm_modes_set_change(gm_modes *m, const double *change)
{
    memcpy(m->change, change, (size_t)m->count * m->count * sizeof *change);
    for (uint32_t i = 0; i < m->count; i++) normalise(m->change + (size_t)i * m->count, m->count);
}

void gm_modes_set(gm_modes *m, const double *first, const double *change)
{
    memcpy(m->probability, first, m->count * sizeof *first);
    normalise(m->probability, m->count);
    gm_modes_set_change(m, change);
    memcpy(m->next, m->probability, m->count * sizeof *m->next);
}

const double *gm_modes_probability(const gm_modes *m) { return m->probability; }

// Mode `to` begins at the mixture of where each mode is, weighted by how likely the system came from there.
static bool mix_one(gm_modes *m, gm_ukf *const *filters, uint32_t to)
{
    uint32_t n = m->n;
    double  *mean = m->mean + (size_t)to * n, *P = m->factor + (size_t)to * n * n;
    memset(mean, 0, n * sizeof *mean);
    memset(P, 0, (size_t)n * n * sizeof *P);
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t from = 0; from < m->count; from++) {
            double        share = m->next[to] > 0 ? m->change[(size_t)from * m->count + to] * m->probability[from] / m->next[to] : from == to;
            const double *x     = gm_ukf_mean(filters[from]);
            for (uint32_t a = 0; a < n; a++) {
                if (pass == 0) { mean[a] += share * x[a]; continue; }
                for (uint32_t b = 0; b <= a; b++) {
                    P[(size_t)b * n + a] += share * (gm_ukf_covariance(filters[from], a, b) + (x[a] - mean[a]) * (x[b] - mean[b]));
                }
            }
        }
    }
    return LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', (lapack_int)n, P, (lapack_int)n) == 0;
}

gm_status gm_modes_mix(gm_modes *m, gm_ukf *const *filters, gm_error *err)
{
    for (uint32_t to = 0; to < m->count; to++) {
        m->next[to] = 0;
        for (uint32_t from = 0; from < m->count; from++) m->next[to] += m->change[(size_t)from * m->count + to] * m->probability[from];
    }
    for (uint32_t to = 0; to < m->count; to++) {
        if (!mix_one(m, filters, to)) return gm_fail(err, GM_DIVERGED, "estimate.modes", "the mixed covariance of mode %u has no factor", to);
    }
    for (uint32_t to = 0; to < m->count; to++) {
        gm_ukf_set_factor(filters[to], m->mean + (size_t)to * m->n, m->factor + (size_t)to * m->n * m->n);
    }
    return GM_OK;
}

void gm_modes_weigh(gm_modes *m, const double *log_likelihoods)
{
    double best = -INFINITY;
    for (uint32_t i = 0; i < m->count; i++) best = fmax(best, m->next[i] > 0 ? log_likelihoods[i] : -INFINITY);
    if (!isfinite(best)) return;
    for (uint32_t i = 0; i < m->count; i++) m->probability[i] = isfinite(log_likelihoods[i]) ? m->next[i] * exp(log_likelihoods[i] - best) : 0;
    normalise(m->probability, m->count);
}

void gm_modes_combine(const gm_modes *m, gm_ukf *const *filters, double *out_mean, double *out_variance)
{
    for (uint32_t a = 0; a < m->n; a++) {
        out_mean[a] = out_variance[a] = 0;
        for (uint32_t i = 0; i < m->count; i++) out_mean[a] += m->probability[i] * gm_ukf_mean(filters[i])[a];
        for (uint32_t i = 0; i < m->count; i++) {
            double d = gm_ukf_mean(filters[i])[a] - out_mean[a];
            out_variance[a] += m->probability[i] * (gm_ukf_variance(filters[i], a) + d * d);
        }
    }
}
