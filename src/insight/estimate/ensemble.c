// Everything happens in the N-dimensional space of members. With S = Y' R^-1 Y / (N - 1) = U L U' the gain, the square
// root and the perturbed update are functions of L.
#include "insight/estimate/ensemble.h"

#include "base/rng.h"

#include <assert.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

struct gm_ensemble {
    const gm_alloc *alloc;
    uint32_t        members, measurements_max;
    double         *S;        // [N][N] later its eigenvectors
    double         *lambda;   // [N]
    double         *T;        // [N][N]
    double         *Y;        // [m][N] deviations, divided by the measurement's deviation
    double         *d;        // [m] innovations, likewise
    double         *w;        // [N]
    double         *row;      // [N]
    double         *tau;      // [N]
    double         *pair;     // [2][N]
    double         *D;        // [m][N] perturbations
};

gm_status gm_ensemble_create(const gm_alloc *alloc, uint32_t members, uint32_t measurements_max, gm_ensemble **out_solver, gm_error *err)
{
    *out_solver = NULL;
    if (members < 2) return gm_fail(err, GM_INVALID, "estimate.ensemble", "%u members; an ensemble needs 2", members);
    gm_ensemble *e = gm_alloc_zeroed(alloc, sizeof *e);
    if (e == NULL) return gm_fail(err, GM_NOMEM, "estimate.ensemble", "making an ensemble");
    size_t N = members, m = measurements_max > 0 ? measurements_max : 1;
    *e = (gm_ensemble){ .alloc = alloc, .members = members, .measurements_max = measurements_max,
                        .S = gm_alloc_array(alloc, N, N * sizeof(double)), .lambda = gm_alloc_array(alloc, N, sizeof(double)),
                        .T = gm_alloc_array(alloc, N, N * sizeof(double)), .Y = gm_alloc_array(alloc, m, N * sizeof(double)),
                        .d = gm_alloc_array(alloc, m, sizeof(double)), .w = gm_alloc_array(alloc, N, sizeof(double)),
                        .row = gm_alloc_array(alloc, N, sizeof(double)), .tau = gm_alloc_array(alloc, N, sizeof(double)),
                        .pair = gm_alloc_array(alloc, N, 2 * sizeof(double)), .D = gm_alloc_array(alloc, m, N * sizeof(double)) };
    if (e->S == NULL || e->lambda == NULL || e->T == NULL || e->Y == NULL || e->d == NULL || e->w == NULL || e->row == NULL || e->tau == NULL ||
        e->pair == NULL || e->D == NULL) {
        gm_ensemble_destroy(e);
        return gm_fail(err, GM_NOMEM, "estimate.ensemble", "making an ensemble of %u members", members);
    }
    *out_solver = e;
    return GM_OK;
}

void gm_ensemble_destroy(gm_ensemble *e)
{
    if (e == NULL) return;
    double *const all[] = { e->S, e->lambda, e->T, e->Y, e->d, e->w, e->row, e->tau, e->pair, e->D };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) gm_free(e->alloc, all[i]);
    gm_free(e->alloc, e);
}

double gm_ensemble_mean(const double *row, uint32_t members)
{
    double sum = 0;
    for (uint32_t k = 0; k < members; k++) sum += row[k];
    return sum / members;
}

double gm_ensemble_variance(const double *row, uint32_t members)
{
    double mean = gm_ensemble_mean(row, members), sum = 0;
    for (uint32_t k = 0; k < members; k++) sum += (row[k] - mean) * (row[k] - mean);
    return sum / (members - 1);
}

void gm_ensemble_inflate(double *states, size_t rows, uint32_t members, double factor)
{
    for (size_t i = 0; i < rows; i++) {
        double *row = states + i * members, mean = gm_ensemble_mean(row, members);
        for (uint32_t k = 0; k < members; k++) row[k] = mean + factor * (row[k] - mean);
    }
}

// Fills Y and d, scaled by R^-1/2 (and the weights); returns how many measurements count.
static uint32_t scale(gm_ensemble *e, const gm_ensemble_seen *seen, double *out_shift)
{
    uint32_t N = e->members, count = 0;
    double   shift = 0;
    for (uint32_t i = 0; i < seen->count; i++) {
        double weight = seen->weight != NULL ? seen->weight[i] : 1;
        if (weight <= 0) continue;
        assert(count < e->measurements_max);
        const double *predicted = seen->predicted + (size_t)i * N;
        double mean = gm_ensemble_mean(predicted, N), f = sqrt(weight / seen->variance[i]), *Y = e->Y + (size_t)count * N;
        for (uint32_t k = 0; k < N; k++) Y[k] = (predicted[k] - mean) * f;
        e->d[count] = (seen->value[i] - mean) * f;
        shift += e->d[count] * e->d[count] / (1 + gm_ensemble_variance(predicted, N) * f * f);
        count++;
    }
    *out_shift = count > 0 ? sqrt(shift / count) : 0;
    return count;
}

// S = Y' Y / (N - 1) = U L U', U into e->S.
static bool decompose(gm_ensemble *e, uint32_t m)
{
    uint32_t N = e->members;
    memset(e->S, 0, (size_t)N * N * sizeof *e->S);
    for (uint32_t i = 0; i < m; i++) {
        const double *Y = e->Y + (size_t)i * N;
        for (uint32_t a = 0; a < N; a++) {
            double f = Y[a] / (N - 1.0);
            for (uint32_t b = 0; b <= a; b++) e->S[(size_t)a * N + b] += f * Y[b];
        }
    }
    // Row a up to the diagonal is column a of the upper triangle for LAPACK.
    for (size_t i = 0; i < (size_t)N * N; i++) {
        if (!isfinite(e->S[i])) return false;
    }
    if (LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', (lapack_int)N, e->S, (lapack_int)N, e->lambda) != 0) return false;
    for (uint32_t k = 0; k < N; k++) e->lambda[k] = fmax(e->lambda[k], 0);  // rounding
    return true;
}

// out = U f(L) U' v; f given as values [N].
static void spectral(const gm_ensemble *e, const double *f, const double *v, double *work, double *out)
{
    uint32_t N = e->members;
    for (uint32_t j = 0; j < N; j++) {
        const double *u = e->S + (size_t)j * N;
        double        s = 0;
        for (uint32_t k = 0; k < N; k++) s += u[k] * v[k];
        work[j] = s * f[j];
    }
    memset(out, 0, N * sizeof *out);
    for (uint32_t j = 0; j < N; j++) {
        const double *u = e->S + (size_t)j * N;
        for (uint32_t k = 0; k < N; k++) out[k] += work[j] * u[k];
    }
}

// T = U f(L) U', symmetric.
static void spectral_matrix(gm_ensemble *e, const double *f, double *T)
{
    uint32_t N = e->members;
    memset(T, 0, (size_t)N * N * sizeof *T);
    for (uint32_t j = 0; j < N; j++) {
        const double *u = e->S + (size_t)j * N;
        for (uint32_t a = 0; a < N; a++) {
            double x = f[j] * u[a], *t = T + (size_t)a * N;
            for (uint32_t b = 0; b < N; b++) t[b] += x * u[b];
        }
    }
}

// out = (I + S)^-1 Y' d / (N - 1): the members' weights that answer the innovations d [m].
static void weights_of(gm_ensemble *e, uint32_t m, const double *d, size_t stride, double *out)
{
    uint32_t N = e->members;
    double  *f = e->pair, *work = e->pair + N;
    memset(e->row, 0, N * sizeof *e->row);
    for (uint32_t i = 0; i < m; i++) {
        const double *Y = e->Y + (size_t)i * N;
        for (uint32_t k = 0; k < N; k++) e->row[k] += Y[k] * d[i * stride] / (N - 1.0);
    }
    for (uint32_t k = 0; k < N; k++) f[k] = 1 / (1 + e->lambda[k]);
    spectral(e, f, e->row, work, out);
}

// Perturbations [m][N] of unit variance with mean zero, so that they do not move the mean.
static void draw(gm_ensemble *e, uint32_t m, const gm_ensemble_noise *noise)
{
    uint32_t N = e->members;
    for (uint32_t i = 0; i < m; i++) {
        double *D = e->D + (size_t)i * N;
        for (uint32_t k = 0; k < N; k++) D[k] = gm_rng_normal(noise->seed, k, 1 + i, noise->step);
        double mean = gm_ensemble_mean(D, N), f = sqrt(N / (N - 1.0));
        for (uint32_t k = 0; k < N; k++) D[k] = (D[k] - mean) * f;
    }
}

// nis = d'd - (Y w')'...: d' (I + Y Y'/(N-1))^-1 d by the matrix inversion lemma, w the weights that answer d.
static double nis_of(const gm_ensemble *e, uint32_t m, const double *w)
{
    uint32_t N   = e->members;
    double   sum = 0;
    for (uint32_t i = 0; i < m; i++) {
        const double *Y = e->Y + (size_t)i * N;
        double        s = e->d[i];
        for (uint32_t k = 0; k < N; k++) s -= Y[k] * w[k];
        sum += e->d[i] * s;
    }
    return sum;
}

gm_status gm_ensemble_solve(gm_ensemble *e, gm_ensemble_kind kind, const gm_ensemble_seen *seen, const gm_ensemble_noise *noise, double *X,
                            gm_ensemble_report *out_report, gm_error *err)
{
    uint32_t N = e->members;
    double   shift;
    uint32_t m = scale(e, seen, &shift);
    if (!decompose(e, m)) return gm_fail(err, GM_DIVERGED, "estimate.ensemble", "an expectation or a measurement is not a number");
    weights_of(e, m, e->d, 1, e->w);
    if (out_report != NULL) *out_report = (gm_ensemble_report){ nis_of(e, m, e->w), shift };

    // Column k of X: member k is the mean (1/N of each) plus deviations in terms of the old deviations.
    if (kind == GM_ENSEMBLE_PERTURBED) {
        draw(e, m, noise);
        for (uint32_t k = 0; k < N; k++) {
            double *x = X + (size_t)k * N;
            for (uint32_t i = 0; i < m; i++) e->D[(size_t)i * N + k] += e->d[i] - e->Y[(size_t)i * N + k];
            weights_of(e, m, e->D + k, N, x);
            double mean = gm_ensemble_mean(x, N);
            for (uint32_t j = 0; j < N; j++) x[j] -= mean;  // weights act on deviations
            x[k] += 1;
        }
        return GM_OK;
    }
    for (uint32_t k = 0; k < N; k++) {
        double l = e->lambda[k];
        e->tau[k] = kind == GM_ENSEMBLE_TRANSFORM ? 1 / sqrt(1 + l) : 1 - 0.5 * l / (1 + l);
    }
    spectral_matrix(e, e->tau, e->T);
    for (uint32_t k = 0; k < N; k++) {
        double *x = X + (size_t)k * N;
        // The deviation of member k after: sum over j of A_j (w_j + T_jk); A_j = E_j - mean(E).
        double mean = 0;
        for (uint32_t j = 0; j < N; j++) {
            x[j] = e->w[j] + e->T[(size_t)k * N + j];
            mean += x[j];
        }
        mean /= N;
        for (uint32_t j = 0; j < N; j++) x[j] += 1.0 / N - mean;
    }
    return GM_OK;
}

void gm_ensemble_apply(gm_ensemble *e, const double *X, double *states, size_t rows)
{
    uint32_t N = e->members;
    for (size_t i = 0; i < rows; i++) {
        double *row = states + i * N;
        for (uint32_t k = 0; k < N; k++) {
            const double *x = X + (size_t)k * N;
            double        s = 0;
            for (uint32_t j = 0; j < N; j++) s += x[j] * row[j];
            e->row[k] = s;
        }
        memcpy(row, e->row, N * sizeof *row);
    }
}

// A random orthogonal matrix that leaves the vector of ones alone: Q = V diag(1, Q') V', V with first column ones / sqrt N,
// Q' the orthogonal factor of a matrix of normal draws.
gm_status gm_ensemble_rotate(gm_ensemble *e, const gm_ensemble_noise *noise, double *X, gm_error *err)
{
    uint32_t N = e->members, M = N - 1;
    double  *G = e->T, *Q = e->S;  // T [M][M]; S [N][N] the rotation
    for (uint32_t j = 0; j < M; j++) {
        for (uint32_t i = 0; i < M; i++) G[(size_t)j * M + i] = gm_rng_normal(noise->seed, i, 0x40000000u + j, noise->step);
    }
    if (LAPACKE_dgeqrf(LAPACK_COL_MAJOR, (lapack_int)M, (lapack_int)M, G, (lapack_int)M, e->tau) != 0) {
        return gm_fail(err, GM_DIVERGED, "estimate.ensemble", "drawing a rotation");
    }
    // The signs of R's diagonal make the factor evenly distributed (Mezzadri, Notices of the AMS 54 (2007) 592).
    for (uint32_t j = 0; j < M; j++) e->pair[j] = G[(size_t)j * M + j] < 0 ? -1 : 1;
    if (LAPACKE_dorgqr(LAPACK_COL_MAJOR, (lapack_int)M, (lapack_int)M, (lapack_int)M, G, (lapack_int)M, e->tau) != 0) {
        return gm_fail(err, GM_DIVERGED, "estimate.ensemble", "drawing a rotation");
    }
    // V is the reflection that takes e_1 to ones / sqrt N: V = I - v v' / beta with v = e_1 - ones / sqrt N.
    double c = 1 / sqrt((double)N), beta = 1 - c;
    memset(Q, 0, (size_t)N * N * sizeof *Q);
    Q[0] = 1;
    for (uint32_t j = 0; j < M; j++) {
        for (uint32_t i = 0; i < M; i++) Q[(size_t)(j + 1) * N + i + 1] = G[(size_t)j * M + i] * e->pair[j];
    }
    for (int side = 0; side < 2; side++) {  // V Q, then its transpose's V, which is (V Q V)' twice transposed
        for (uint32_t j = 0; j < N; j++) {
            double *q = Q + (size_t)j * N, s = 0;
            for (uint32_t i = 0; i < N; i++) s += q[i] * ((i == 0) - c);
            for (uint32_t i = 0; i < N; i++) q[i] -= s / beta * ((i == 0) - c);
        }
        for (uint32_t j = 0; j < N; j++) {
            for (uint32_t i = 0; i < j; i++) {
                double t = Q[(size_t)j * N + i];
                Q[(size_t)j * N + i] = Q[(size_t)i * N + j];
                Q[(size_t)i * N + j] = t;
            }
        }
    }
    // X Q, a row of X at a time: row i of X is spread over its columns.
    for (uint32_t i = 0; i < N; i++) {
        for (uint32_t k = 0; k < N; k++) {
            const double *q = Q + (size_t)k * N;
            double        s = 0;
            for (uint32_t j = 0; j < N; j++) s += X[(size_t)j * N + i] * q[j];
            e->row[k] = s;
        }
        for (uint32_t k = 0; k < N; k++) X[(size_t)k * N + i] = e->row[k];
    }
    return GM_OK;
}

double gm_ensemble_taper(double distance, double radius)
{
    double r = fabs(distance) / radius;
    if (r >= 2) return 0;
    if (r <= 1) return 1 + r * r * (-5.0 / 3 + r * (5.0 / 8 + r * (0.5 - 0.25 * r)));
    return 4 + r * (-5 + r * (5.0 / 3 + r * (5.0 / 8 + r * (-0.5 + r / 12)))) - 2 / (3 * r);
}
