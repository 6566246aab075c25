#include "insight/estimate/ukf.h"

#include <assert.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

struct gm_ukf {
    const gm_alloc *alloc;
    uint32_t        n, m_max, points;
    double          spread, center, around;  // sqrt(n + kappa), weights of the centre and of the others
    double         *mean;      // [n]
    double         *S;         // [n][n] column-major, lower
    double         *rows;      // [2n + 1 + max(n, m)][max(n, m)]: what is triangularised, column-major
    double         *tau;       // [max(n, m)]
    double         *new_mean;  // [n]
    double         *y;         // [m] expectation
    double         *Sy;        // [m][m] lower
    double         *K;         // [n][m] gain, column-major
    double         *d;         // [m]
};

gm_status gm_ukf_create(const gm_alloc *alloc, uint32_t n, uint32_t m_max, gm_ukf **out_ukf, gm_error *err)
{
    *out_ukf = NULL;
    assert(n > 0);
    gm_ukf *u = gm_alloc_zeroed(alloc, sizeof *u);
    if (u == NULL) return gm_fail(err, GM_NOMEM, "estimate.ukf", "making a filter of %u states", n);
    size_t m = m_max > 0 ? m_max : 1, wide = n > m ? n : m, P = 2 * (size_t)n + 1;
    double kappa = n < 3 ? 3.0 - n : 0;  // the centre's weight is kappa / (n + kappa): never negative
    *u = (gm_ukf){ .alloc = alloc, .n = n, .m_max = m_max, .points = (uint32_t)P, .spread = sqrt(n + kappa), .center = kappa / (n + kappa),
                   .around = 0.5 / (n + kappa), .mean = gm_alloc_zeroed(alloc, n * sizeof(double)), .S = gm_alloc_zeroed(alloc, (size_t)n * n * sizeof(double)),
                   .rows = gm_alloc_array(alloc, P + wide, wide * sizeof(double)), .tau = gm_alloc_array(alloc, wide, sizeof(double)),
                   .new_mean = gm_alloc_array(alloc, n, sizeof(double)), .y = gm_alloc_array(alloc, m, sizeof(double)),
                   .Sy = gm_alloc_array(alloc, m, m * sizeof(double)), .K = gm_alloc_array(alloc, n, m * sizeof(double)),
                   .d = gm_alloc_array(alloc, m, sizeof(double)) };
    if (u->mean == NULL || u->S == NULL || u->rows == NULL || u->tau == NULL || u->new_mean == NULL || u->y == NULL || u->Sy == NULL ||
        u->K == NULL || u->d == NULL) {
        gm_ukf_destroy(u);
        return gm_fail(err, GM_NOMEM, "estimate.ukf", "making a filter of %u states", n);
    }
    *out_ukf = u;
    return GM_OK;
}

void gm_ukf_destroy(gm_ukf *u)
{
    if (u == NULL) return;
    double *const all[] = { u->mean, u->S, u->rows, u->tau, u->new_mean, u->y, u->Sy, u->K, u->d };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) gm_free(u->alloc, all[i]);
    gm_free(u->alloc, u);
}

uint32_t      gm_ukf_point_count(const gm_ukf *u) { return u->points; }
const double *gm_ukf_mean(const gm_ukf *u) { return u->mean; }
const double *gm_ukf_factor(const gm_ukf *u) { return u->S; }
double        gm_ukf_variance(const gm_ukf *u, uint32_t i) { return gm_ukf_covariance(u, i, i); }

double gm_ukf_covariance(const gm_ukf *u, uint32_t a, uint32_t b)
{
    double sum = 0;
    for (uint32_t k = 0; k <= (a < b ? a : b); k++) sum += u->S[(size_t)k * u->n + a] * u->S[(size_t)k * u->n + b];
    return sum;
}

void gm_ukf_set(gm_ukf *u, const double *mean, const double *deviation)
{
    memcpy(u->mean, mean, u->n * sizeof *mean);
    memset(u->S, 0, (size_t)u->n * u->n * sizeof *u->S);
    for (uint32_t i = 0; i < u->n; i++) u->S[(size_t)i * u->n + i] = deviation[i];
}

void gm_ukf_set_factor(gm_ukf *u, const double *mean, const double *factor)
{
    memcpy(u->mean, mean, u->n * sizeof *mean);
    memcpy(u->S, factor, (size_t)u->n * u->n * sizeof *factor);
}

// Point 0 is the mean, points 1 .. n lie along the factor's columns, n + 1 .. 2n opposite.
void gm_ukf_points(const gm_ukf *u, double *out)
{
    for (uint32_t i = 0; i < u->n; i++) {
        double *row = out + (size_t)i * u->points;
        row[0] = u->mean[i];
        for (uint32_t k = 0; k < u->n; k++) {
            double step = k <= i ? u->spread * u->S[(size_t)k * u->n + i] : 0;
            row[1 + k]        = u->mean[i] + step;
            row[1 + u->n + k] = u->mean[i] - step;
        }
    }
}

static double weight(const gm_ukf *u, uint32_t point) { return point == 0 ? u->center : u->around; }

double gm_ukf_weight(const gm_ukf *u, uint32_t point) { return weight(u, point); }

// The weighted mean of a row; false when it is not a number.
static bool mean_of(const gm_ukf *u, const double *row, double *out)
{
    // Relative to the first point, so that large offsets cost no digits.
    double sum = 0;
    for (uint32_t k = 0; k < u->points; k++) sum += weight(u, k) * (row[k] - row[0]);
    *out = row[0] + sum;
    return isfinite(*out);
}

// The lower triangular L [size][size] with L L' = A'A, A = u->rows of `count` rows, column-major. Diagonal made positive.
static bool triangularise(gm_ukf *u, size_t count, size_t size, double *L)
{
    if (LAPACKE_dgeqrf(LAPACK_COL_MAJOR, (lapack_int)count, (lapack_int)size, u->rows, (lapack_int)count, u->tau) != 0) return false;
    for (size_t j = 0; j < size; j++) {
        for (size_t i = 0; i <= j; i++) {
            if (!isfinite(u->rows[j * count + i])) return false;  // L stays as it was
        }
    }
    memset(L, 0, size * size * sizeof *L);
    for (size_t j = 0; j < size; j++) {           // R is upper; L = R'
        for (size_t i = 0; i <= j; i++) L[i * size + j] = u->rows[i * count + i] < 0 ? -u->rows[j * count + i] : u->rows[j * count + i];
    }
    return true;
}

gm_status gm_ukf_predict(gm_ukf *u, const double *points, const double *process, gm_error *err)
{
    size_t count = u->points + (size_t)u->n;
    for (uint32_t i = 0; i < u->n; i++) {
        const double *row = points + (size_t)i * u->points;
        if (!mean_of(u, row, &u->new_mean[i])) return gm_fail(err, GM_DIVERGED, "estimate.ukf", "state %u of a point is not a number", i);
        double *column = u->rows + i * count;
        for (uint32_t k = 0; k < u->points; k++) column[k] = sqrt(weight(u, k)) * (row[k] - u->new_mean[i]);
        memset(column + u->points, 0, u->n * sizeof *column);
        column[u->points + i] = sqrt(process[i]);
    }
    if (!triangularise(u, count, u->n, u->S)) return gm_fail(err, GM_DIVERGED, "estimate.ukf", "the covariance is not a number");
    memcpy(u->mean, u->new_mean, u->n * sizeof *u->mean);
    return GM_OK;
}

// Sy: the factor of the innovations' covariance; K: the gain Pxy (Sy Sy')^-1.
static bool find_gain(gm_ukf *u, const double *points, const double *predicted, uint32_t m, const double *variance)
{
    size_t count = u->points + (size_t)m;
    for (uint32_t i = 0; i < m; i++) {
        const double *row = predicted + (size_t)i * u->points;
        double       *column = u->rows + i * count;
        for (uint32_t k = 0; k < u->points; k++) column[k] = sqrt(weight(u, k)) * (row[k] - u->y[i]);
        memset(column + u->points, 0, m * sizeof *column);
        column[u->points + i] = sqrt(variance[i]);
    }
    if (!triangularise(u, count, m, u->Sy)) return false;
    for (uint32_t i = 0; i < u->n; i++) {
        const double *x = points + (size_t)i * u->points;
        for (uint32_t j = 0; j < m; j++) {
            const double *y = predicted + (size_t)j * u->points;
            double        s = 0;
            for (uint32_t k = 0; k < u->points; k++) s += weight(u, k) * (x[k] - u->mean[i]) * (y[k] - u->y[j]);
            u->K[(size_t)j * u->n + i] = s;
        }
    }
    // K Sy Sy' = Pxy: K from the right, column by column, twice.
    for (uint32_t j = 0; j < m; j++) {  // Z Sy' = Pxy
        double *z = u->K + (size_t)j * u->n;
        for (uint32_t l = 0; l < j; l++) {
            double f = u->Sy[(size_t)l * m + j];
            for (uint32_t i = 0; i < u->n; i++) z[i] -= f * u->K[(size_t)l * u->n + i];
        }
        for (uint32_t i = 0; i < u->n; i++) z[i] /= u->Sy[(size_t)j * m + j];
    }
    for (uint32_t j = m; j-- > 0;) {    // K Sy = Z
        double *z = u->K + (size_t)j * u->n;
        for (uint32_t l = j + 1; l < m; l++) {
            double f = u->Sy[(size_t)j * m + l];
            for (uint32_t i = 0; i < u->n; i++) z[i] -= f * u->K[(size_t)l * u->n + i];
        }
        for (uint32_t i = 0; i < u->n; i++) z[i] /= u->Sy[(size_t)j * m + j];
    }
    return true;
}

// d' (Sy Sy')^-1 d, and the logarithm of the normal density.
static gm_ukf_report judge(const gm_ukf *u, uint32_t m, double *work)
{
    gm_ukf_report r = { 0, -0.5 * m * log(2 * 3.14159265358979323846) };
    for (uint32_t i = 0; i < m; i++) {
        double s = u->d[i];
        for (uint32_t l = 0; l < i; l++) s -= u->Sy[(size_t)l * m + i] * work[l];
        work[i] = s / u->Sy[(size_t)i * m + i];
        r.nis += work[i] * work[i];
        r.log_likelihood -= log(u->Sy[(size_t)i * m + i]);
    }
    r.log_likelihood -= 0.5 * r.nis;
    return r;
}

gm_status gm_ukf_update(gm_ukf *u, const double *points, const double *predicted, uint32_t m, const double *value, const double *variance,
                        double *out_innovation, double *out_deviation, gm_ukf_report *out_report, gm_error *err)
{
    assert(m <= u->m_max);
    for (uint32_t i = 0; i < m; i++) {
        bool good = mean_of(u, predicted + (size_t)i * u->points, &u->y[i]);
        u->d[i]   = value[i] - u->y[i];
        if (!good || !isfinite(u->d[i])) return gm_fail(err, GM_DIVERGED, "estimate.ukf", "measurement %u or its expectation is not a number", i);
    }
    if (!find_gain(u, points, predicted, m, variance)) return gm_fail(err, GM_DIVERGED, "estimate.ukf", "the innovations' covariance is not a number");
    // The factor of (X - K Y)(X - K Y)' + K R K': what Joseph's form is for a linear measurement, without any subtraction.
    size_t count = u->points + (size_t)m;
    for (uint32_t i = 0; i < u->n; i++) {
        double       *column = u->rows + i * count;
        const double *x      = points + (size_t)i * u->points;
        for (uint32_t k = 0; k < u->points; k++) {
            double s = x[k] - u->mean[i];
            for (uint32_t j = 0; j < m; j++) s -= u->K[(size_t)j * u->n + i] * (predicted[(size_t)j * u->points + k] - u->y[j]);
            column[k] = sqrt(weight(u, k)) * s;
        }
        u->new_mean[i] = u->mean[i];
        for (uint32_t j = 0; j < m; j++) {
            column[u->points + j] = u->K[(size_t)j * u->n + i] * sqrt(variance[j]);
            u->new_mean[i] += u->K[(size_t)j * u->n + i] * u->d[j];
        }
    }
    for (uint32_t i = 0; i < m; i++) {
        if (out_innovation != NULL) out_innovation[i] = u->d[i];
        double s = 0;
        for (uint32_t l = 0; l <= i; l++) s += u->Sy[(size_t)l * m + i] * u->Sy[(size_t)l * m + i];
        if (out_deviation != NULL) out_deviation[i] = sqrt(s);
    }
    if (out_report != NULL) *out_report = judge(u, m, u->tau);
    if (!triangularise(u, count, u->n, u->S)) return gm_fail(err, GM_DIVERGED, "estimate.ukf", "the covariance is not a number");
    memcpy(u->mean, u->new_mean, u->n * sizeof *u->mean);
    return GM_OK;
}
