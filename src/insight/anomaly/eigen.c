// Jacobi's method: plane rotations until nothing is left beside the diagonal (Golub, Van Loan, Matrix
// Computations, 8.5).
#include "insight/anomaly/eigen.h"

#include <math.h>

static void rotate(double *a, size_t n, double *v, size_t p, size_t q)
{
    double apq = a[p * n + q];
    if (apq == 0) return;
    double theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
    double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1)), c = 1 / sqrt(t * t + 1), s = t * c;
    for (size_t k = 0; k < n; k++) {
        double kp = a[k * n + p], kq = a[k * n + q];
        a[k * n + p] = c * kp - s * kq;
        a[k * n + q] = s * kp + c * kq;
    }
    for (size_t k = 0; k < n; k++) {
        double pk = a[p * n + k], qk = a[q * n + k], vp = v[p * n + k], vq = v[q * n + k];
        a[p * n + k] = c * pk - s * qk;
        a[q * n + k] = s * pk + c * qk;
        v[p * n + k] = c * vp - s * vq;
        v[q * n + k] = s * vp + c * vq;
    }
}

static void sort_down(double *values, double *vectors, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t most = i;
        for (size_t k = i + 1; k < n; k++)
            if (values[k] > values[most]) most = k;
        if (most == i) continue;
        double swap  = values[i];
        values[i]    = values[most];
        values[most] = swap;
        for (size_t k = 0; k < n; k++) {
            swap                  = vectors[i * n + k];
            vectors[i * n + k]    = vectors[most * n + k];
            vectors[most * n + k] = swap;
        }
    }
}

gm_status gm_eigen_symmetric(double *a, size_t n, double *values, double *vectors, gm_error *err)
{
    enum { SWEEPS_MAX = 60 };
    double size = 0;
    for (size_t i = 0; i < n * n; i++) {
        size += a[i] * a[i];
        vectors[i] = i / n == i % n;
    }
    if (!isfinite(size)) return gm_fail(err, GM_DIVERGED, "insight.eigen", "the matrix is not finite");
    for (int sweep = 0; sweep < SWEEPS_MAX; sweep++) {
        double off = 0;
        for (size_t p = 0; p < n; p++)
            for (size_t q = p + 1; q < n; q++) off += a[p * n + q] * a[p * n + q];
        if (off <= 1e-26 * size) break;
        for (size_t p = 0; p < n; p++)
            for (size_t q = p + 1; q < n; q++) rotate(a, n, vectors, p, q);
    }
    for (size_t i = 0; i < n; i++) values[i] = a[i * n + i];
    sort_down(values, vectors, n);
    return GM_OK;
}
