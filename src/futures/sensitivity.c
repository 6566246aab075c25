// Sobol indices: first order after Saltelli et al., Comput. Phys. Commun. 181 (2010) 259, table 2 (b); total after
// Jansen, Comput. Phys. Commun. 117 (1999) 35, the same table (f). Elementary effects: Morris, Technometrics 33 (1991)
// 161, with the mean of absolute values of Campolongo, Cariboni, Saltelli, Environ. Model. Softw. 22 (2007) 1509. A row
// (path) in which a lane failed is left out as a whole.
#include "futures/job.h"

#include "base/rng.h"

#include <math.h>

enum { RESAMPLES = 100, STREAM_RESAMPLE = 0x3F000000 };

typedef struct indices { double first, total; } indices;

// Over n rows, given by number: those of the sample, or one drawn with repetition.
static indices indices_of(const double *y, uint32_t rows, const uint32_t *chosen, uint32_t n, uint32_t dimension)
{
    const double *a = y, *b = y + rows, *ab = y + (size_t)rows * (dimension + 2);
    double        mean = 0, square = 0, first = 0, total = 0;
    for (uint32_t i = 0; i < n; i++) mean += a[chosen[i]] + b[chosen[i]];
    mean /= 2.0 * n;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = chosen[i];
        square += (a[k] - mean) * (a[k] - mean) + (b[k] - mean) * (b[k] - mean);
        first += (b[k] - mean) * (ab[k] - a[k]);
        total += (a[k] - ab[k]) * (a[k] - ab[k]);
    }
    double variance = square / (2.0 * n);
    if (!(variance > 0)) return (indices){ NAN, NAN };  // nothing varies, so nothing explains it
    return (indices){ first / n / variance, total / (2.0 * n) / variance };
}

static void sobol_indices(const gm_design *d, const double *y, uint32_t *rows_left, uint32_t *drawn,
                          gm_sensitivity *out)
{
    uint32_t rows = d->lanes / (d->dimensions + 2), n = 0;
    for (uint32_t k = 0; k < rows; k++) {
        bool good = true;
        for (uint32_t m = 0; m < d->dimensions + 2; m++) good = good && !isnan(y[(size_t)m * rows + k]);
        if (good) rows_left[n++] = k;
    }
    for (uint32_t i = 0; i < d->dimensions; i++) {
        double sum[2] = { 0 }, square[2] = { 0 };
        if (n < 2) {
            out[i] = (gm_sensitivity){ NAN, NAN, NAN, NAN, NAN, NAN, NAN };
            continue;
        }
        indices all = indices_of(y, rows, rows_left, n, i);
        for (uint32_t sample = 0; sample < RESAMPLES; sample++) {
            for (uint32_t k = 0; k < n; k++)
                drawn[k] = rows_left[(uint32_t)(gm_rng_uniform(d->seed, k, STREAM_RESAMPLE, sample) * n)];
            indices one = indices_of(y, rows, drawn, n, i);
            sum[0] += one.first;
            square[0] += one.first * one.first;
            sum[1] += one.total;
            square[1] += one.total * one.total;
        }
        double error[2];
        for (int j = 0; j < 2; j++)
            error[j] = sqrt(fmax(0, square[j] / RESAMPLES - sum[j] / RESAMPLES * (sum[j] / RESAMPLES)));
        out[i] = (gm_sensitivity) {
            .first = all.first, .total = all.total, .first_error = error[0], .total_error = error[1]
        };
    }
}

static void elementary_effects(const gm_design *d, const double *y, gm_sensitivity *out)
{
    const double delta = 0.5;
    uint32_t     each = d->dimensions + 1, paths = d->lanes / each;
    for (uint32_t i = 0; i < d->dimensions; i++) {
        double   sum = 0, absolute = 0, square = 0;
        uint32_t n = 0;
        for (uint32_t path = 0; path < paths; path++) {
            const double *at = y + (size_t)path * each;
            bool          good = true;
            uint32_t      step = 0;
            for (uint32_t m = 0; m < each; m++) {
                good = good && !isnan(at[m]);
                if (m > 0 && gm_morris_moved(d, path * each + m) == i) step = m;
            }
            if (!good) continue;
            double way    = gm_design_at(d, path * each + step, i) - gm_design_at(d, path * each + step - 1, i);
            double effect = (at[step] - at[step - 1]) / (way > 0 ? delta : -delta);
            sum += effect;
            absolute += fabs(effect);
            square += effect * effect;
            n++;
        }
        double mean = n > 0 ? sum / n : NAN;
        out[i] = (gm_sensitivity){ .effect_mean = mean, .effect_abs = n > 0 ? absolute / n : NAN,
                                   .effect_sd = n > 1 ? sqrt(fmax(0, (square - n * mean * mean) / (n - 1))) : NAN };
    }
}

void gm_sensitivity_of(const gm_design *d, const double *y, double *scratch, gm_sensitivity *out)
{
    // Two lists of rows in the room of `lanes` doubles: rows <= lanes / 3.
    uint32_t *rows = (uint32_t *)scratch;
    if (d->kind == GM_DESIGN_SALTELLI) sobol_indices(d, y, rows, rows + d->lanes, out);
    else if (d->kind == GM_DESIGN_MORRIS) elementary_effects(d, y, out);
}
