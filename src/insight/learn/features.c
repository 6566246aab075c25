// Windowed features of one channel.
#include "insight/learn/features.h"

#include <math.h>

// The straight line through the last `window` rows before and with row i, by least squares over the rows that have
// values.
typedef struct line {
    double n, mean, slope, rough;
} line;

static line fit_line(const double *z, size_t stride, size_t i, size_t window)
{
    size_t first = i + 1 > window ? i + 1 - window : 0;
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, syy = 0;
    for (size_t r = first; r <= i; r++) {
        double y = z[r * stride], x = (double)r - (double)i;
        if (isnan(y)) continue;
        n++;
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
        syy += y * y;
    }
    if (n == 0) return (line) { 0, NAN, NAN, NAN };
    double vxx = sxx - sx * sx / n, vxy = sxy - sx * sy / n, vyy = syy - sy * sy / n;
    double slope = n >= 3 ? vxy / vxx : NAN;
    double rough = n >= 3 ? sqrt(fmax(0, vyy - slope * vxy) / (n - 2)) : NAN;
    return (line) { n, sy / n, slope, rough };
}

static double mean_of(const double *z, size_t stride, size_t first, size_t last)
{
    double sum = 0, n = 0;
    for (size_t r = first; r <= last; r++) {
        if (isnan(z[r * stride])) continue;
        sum += z[r * stride];
        n++;
    }
    return n > 0 ? sum / n : NAN;
}

// What is carried from row to row.
typedef struct past {
    double all, rows, smooth, weight;
} past;

static void carry(past *p, double y)
{
    enum { SMOOTH_ROWS = 20 };
    if (isnan(y)) return;
    p->all += y;
    p->rows++;
    // The sum of the weights divides, so that the first rows count fully.
    p->smooth = (1 - 1.0 / SMOOTH_ROWS) * p->smooth + y;
    p->weight = (1 - 1.0 / SMOOTH_ROWS) * p->weight + 1;
}

static void row_features(const double *z, size_t stride, size_t i, const past *p, float *f)
{
    enum { START_ROWS = 10 };
    line   near = fit_line(z, stride, i, 30), wide = fit_line(z, stride, i, 60);
    double mean15 = mean_of(z, stride, i >= 14 ? i - 14 : 0, i);
    double start  = mean_of(z, stride, 0, i < START_ROWS - 1 ? i : START_ROWS - 1);

    f[GM_FEATURE_MEAN5]    = (float)mean_of(z, stride, i >= 4 ? i - 4 : 0, i);
    f[GM_FEATURE_MEAN15]   = (float)mean15;
    f[GM_FEATURE_MEAN30]   = (float)near.mean;
    f[GM_FEATURE_SLOPE30]  = (float)near.slope;
    f[GM_FEATURE_SLOPE60]  = (float)wide.slope;
    f[GM_FEATURE_ROUGH30]  = (float)near.rough;
    f[GM_FEATURE_SMOOTH]   = (float)(p->weight > 0 ? p->smooth / p->weight : NAN);
    f[GM_FEATURE_DRIFT]    = (float)(mean15 - start);
    f[GM_FEATURE_MEAN_ALL] = (float)(p->rows > 0 ? p->all / p->rows : NAN);
}

void gm_features_of(const double *z, size_t n, size_t stride, float *out, size_t stride_out)
{
    past p = { 0 };
    for (size_t i = 0; i < n; i++) {
        carry(&p, z[i * stride]);
        row_features(z, stride, i, &p, out + i * stride_out);
    }
}

void gm_features_last(const double *z, size_t n, size_t stride, float *out)
{
    past p = { 0 };
    for (size_t i = 0; i < n; i++) carry(&p, z[i * stride]);
    row_features(z, stride, n - 1, &p, out);
}
