// Normal equations, standardised, solved by Cholesky's method.
#include "insight/learn/ridge.h"

#include <math.h>

struct gm_ridge {
    const gm_alloc *alloc;
    size_t          n;
    double          weight, y;
    double         *x;  // [n] weighted sums
    double         *xy; // [n]
    double         *xx; // [n][n], lower triangle
};

gm_ridge *gm_ridge_create(const gm_alloc *alloc, size_t inputs)
{
    if (inputs == 0 || inputs > GM_RIDGE_MAX) return NULL;
    gm_ridge *r = gm_alloc_zeroed(alloc, sizeof *r);
    if (r == NULL) return NULL;
    r->alloc = alloc;
    r->n     = inputs;
    r->x     = gm_alloc_zeroed(alloc, (2 * inputs + inputs * inputs) * sizeof(double));
    if (r->x == NULL) {
        gm_free(alloc, r);
        return NULL;
    }
    r->xy = r->x + inputs;
    r->xx = r->xy + inputs;
    return r;
}

void gm_ridge_destroy(gm_ridge *r)
{
    if (r == NULL) return;
    gm_free(r->alloc, r->x);
    gm_free(r->alloc, r);
}

void gm_ridge_add(gm_ridge *r, const double *x, double y, double w)
{
    for (size_t i = 0; i < r->n; i++)
        if (!isfinite(x[i])) return;
    if (!isfinite(y)) return;
    r->weight += w;
    r->y += w * y;
    for (size_t i = 0; i < r->n; i++) {
        double wx = w * x[i];
        r->x[i] += wx;
        r->xy[i] += wx * y;
        for (size_t k = 0; k <= i; k++) r->xx[i * r->n + k] += wx * x[k];
    }
}

// In place: the lower triangle of a becomes its Cholesky factor. False: not positive definite.
static bool factor(double *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k <= i; k++) {
            double sum = a[i * n + k];
            for (size_t m = 0; m < k; m++) sum -= a[i * n + m] * a[k * n + m];
            if (i != k)
                a[i * n + k] = sum / a[k * n + k];
            else if (sum > 0)
                a[i * n + i] = sqrt(sum);
            else
                return false;
        }
    }
    return true;
}

static void substitute(const double *l, size_t n, double *b)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) b[i] -= l[i * n + k] * b[k];
        b[i] /= l[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++) b[i] -= l[k * n + i] * b[k];
        b[i] /= l[i * n + i];
    }
}

gm_status gm_ridge_solve(const gm_ridge *r, double penalty, double *out, gm_error *err)
{
    size_t n = r->n;
    if (!(r->weight > 0)) return gm_fail(err, GM_INVALID, "insight.ridge", "no row has all its values");
    double *a = gm_alloc_array(r->alloc, n * n + n, sizeof *a);
    if (a == NULL) return gm_fail(err, GM_NOMEM, "insight.ridge", "%zu inputs", n);
    double *scale = a + n * n;
    for (size_t i = 0; i < n; i++) {
        double mean = r->x[i] / r->weight, var = r->xx[i * n + i] / r->weight - mean * mean;
        scale[i] = var > 1e-12 * (1e-300 + r->xx[i * n + i] / r->weight) ? 1 / sqrt(var) : 0;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k <= i; k++)
            a[i * n + k] =
                (r->xx[i * n + k] / r->weight - r->x[i] * r->x[k] / (r->weight * r->weight)) * scale[i] * scale[k];
        a[i * n + i] = scale[i] > 0 ? a[i * n + i] + penalty : 1;
        out[i]       = (r->xy[i] / r->weight - r->x[i] * r->y / (r->weight * r->weight)) * scale[i];
    }
    gm_status st = GM_OK;
    if (factor(a, n))
        substitute(a, n, out);
    else
        st = gm_fail(err, GM_DIVERGED, "insight.ridge", "%zu inputs depend on each other; use a larger penalty", n);
    out[n] = r->y / r->weight;
    for (size_t i = 0; i < n; i++) {
        out[i] *= scale[i];
        out[n] -= out[i] * r->x[i] / r->weight;
    }
    gm_free(r->alloc, a);
    return st;
}
