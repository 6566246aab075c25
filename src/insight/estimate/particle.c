#include "insight/estimate/particle.h"

#include "base/rng.h"

#include <assert.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

struct gm_particles {
    const gm_alloc *alloc;
    uint32_t        members, states_max;
    uint32_t       *from;   // [N] whom each new member copies
    double         *row;    // [N]
    double         *C;      // [n][n] covariance, then its factor
    double         *mean;   // [n]
    double         *kick;   // [n]
};

gm_status gm_particles_create(const gm_alloc *alloc, uint32_t members, uint32_t states_max, gm_particles **out_particles, gm_error *err)
{
    *out_particles  = NULL;
    gm_particles *p = gm_alloc_zeroed(alloc, sizeof *p);
    if (p != NULL) {
        *p = (gm_particles){ .alloc = alloc, .members = members, .states_max = states_max, .from = gm_alloc_array(alloc, members, sizeof(uint32_t)),
                             .row = gm_alloc_array(alloc, members, sizeof(double)), .C = gm_alloc_array(alloc, states_max, states_max * sizeof(double)),
                             .mean = gm_alloc_array(alloc, states_max, sizeof(double)), .kick = gm_alloc_array(alloc, states_max, sizeof(double)) };
    }
    if (p == NULL || p->from == NULL || p->row == NULL || p->C == NULL || p->mean == NULL || p->kick == NULL) {
        gm_particles_destroy(p);
        return gm_fail(err, GM_NOMEM, "estimate.particle", "making a filter of %u particles", members);
    }
    *out_particles = p;
    return GM_OK;
}

void gm_particles_destroy(gm_particles *p)
{
    if (p == NULL) return;
    gm_free(p->alloc, p->from);
    gm_free(p->alloc, p->row);
    gm_free(p->alloc, p->C);
    gm_free(p->alloc, p->mean);
    gm_free(p->alloc, p->kick);
    gm_free(p->alloc, p);
}

static double log_likelihood(const double *predicted, uint32_t N, uint32_t k, const double *value, const double *variance, uint32_t m)
{
    double sum = 0;
    for (uint32_t i = 0; i < m; i++) {
        double d = value[i] - predicted[(size_t)i * N + k];
        sum -= 0.5 * (d * d / variance[i] + log(2 * 3.14159265358979323846 * variance[i]));
    }
    return isfinite(sum) ? sum : -INFINITY;
}

double gm_particles_weigh(double *w, uint32_t N, const double *predicted, const double *value, const double *variance, uint32_t m)
{
    double best = -INFINITY, sum = 0;
    for (uint32_t k = 0; k < N; k++) best = fmax(best, w[k] + log_likelihood(predicted, N, k, value, variance, m));
    if (best == -INFINITY) return best;
    for (uint32_t k = 0; k < N; k++) sum += exp(w[k] + log_likelihood(predicted, N, k, value, variance, m) - best);
    double total = best + log(sum);
    for (uint32_t k = 0; k < N; k++) w[k] += log_likelihood(predicted, N, k, value, variance, m) - total;
    return total;
}

double gm_particles_effective(const double *w, uint32_t N)
{
    double sum = 0;
    for (uint32_t k = 0; k < N; k++) sum += exp(2 * w[k]);
    return 1 / sum;
}

double gm_particles_mean(const double *row, const double *w, uint32_t N)
{
    double sum = 0;
    for (uint32_t k = 0; k < N; k++) sum += w[k] > -INFINITY ? exp(w[k]) * row[k] : 0;
    return sum;
}

double gm_particles_variance(const double *row, const double *w, uint32_t N)
{
    double mean = gm_particles_mean(row, w, N), sum = 0;
    for (uint32_t k = 0; k < N; k++) sum += w[k] > -INFINITY ? exp(w[k]) * (row[k] - mean) * (row[k] - mean) : 0;
    return sum;
}

static void find_covariance(gm_particles *p, const double *states, uint32_t n, const double *w)
{
    uint32_t N = p->members;
    for (uint32_t i = 0; i < n; i++) p->mean[i] = gm_particles_mean(states + (size_t)i * N, w, N);
    for (uint32_t a = 0; a < n; a++) {
        for (uint32_t b = 0; b <= a; b++) {
            double sum = 0;
            for (uint32_t k = 0; k < N; k++) {
                if (w[k] > -INFINITY) sum += exp(w[k]) * (states[(size_t)a * N + k] - p->mean[a]) * (states[(size_t)b * N + k] - p->mean[b]);
            }
            p->C[(size_t)b * n + a] = p->C[(size_t)a * n + b] = sum;
        }
    }
}

// The lower factor of the covariance; where it has none (states that are all alike), deviations alone.
static void factorise(gm_particles *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) p->kick[i] = sqrt(p->C[(size_t)i * n + i]);
    if (LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', (lapack_int)n, p->C, (lapack_int)n) == 0) return;
    memset(p->C, 0, (size_t)n * n * sizeof *p->C);
    for (uint32_t i = 0; i < n; i++) p->C[(size_t)i * n + i] = p->kick[i];
}

static void choose(gm_particles *p, const double *w, double u)
{
    double   sum = 0;
    uint32_t from = 0;
    for (uint32_t k = 0; k < p->members; k++) {
        double at = (k + u) / p->members;
        while (from + 1 < p->members && sum + exp(w[from]) < at) sum += exp(w[from++]);
        p->from[k] = from;
    }
}

gm_status gm_particles_resample(gm_particles *p, double *states, uint32_t n, double *w, const gm_ensemble_noise *noise, double spread, gm_error *err)
{
    assert(n <= p->states_max);
    uint32_t N = p->members;
    double   effective = gm_particles_effective(w, N);
    if (!isfinite(effective)) return gm_fail(err, GM_DIVERGED, "estimate.particle", "the particles have no weight");
    if (spread > 0) {
        find_covariance(p, states, n, w);
        factorise(p, n);
    }
    choose(p, w, gm_rng_uniform(noise->seed, 0, 0x50000000u, noise->step));
    for (uint32_t i = 0; i < n; i++) {
        double *row = states + (size_t)i * N;
        for (uint32_t k = 0; k < N; k++) p->row[k] = row[p->from[k]];
        memcpy(row, p->row, N * sizeof *row);
    }
    // The best width of a normal kernel for n dimensions and N samples (Silverman 1986, eq. 4.15).
    double h = spread * pow(4 / (n + 2.0), 1 / (n + 4.0)) * pow(N, -1 / (n + 4.0));
    for (uint32_t k = 0; spread > 0 && k < N; k++) {
        for (uint32_t i = 0; i < n; i++) p->kick[i] = gm_rng_normal(noise->seed, k, 0x50000001u + i, noise->step);
        for (uint32_t i = 0; i < n; i++) {
            double s = 0;
            for (uint32_t j = 0; j <= i; j++) s += p->C[(size_t)j * n + i] * p->kick[j];
            states[(size_t)i * N + k] += h * s;
        }
    }
    for (uint32_t k = 0; k < N; k++) w[k] = -log(N);
    return GM_OK;
}
