// Measures of predictions of remaining life.
#include "insight/learn/prognostics.h"

#include <math.h>

double gm_phm08(double predicted, double truth)
{
    double d = predicted - truth;
    return d < 0 ? exp(-d / 13) - 1 : exp(d / 10) - 1;
}

// The continuous ranked probability score is twice the integral of the pinball loss over all quantiles (Gneiting and
// Ranjan, 2011, eq. 5); here the mean over those that are known.
static double crps(const gm_rul_prediction *p, double truth)
{
    double sum = 0;
    for (int i = 0; i < GM_RUL_QUANTILES; i++) {
        double q = 0.05 * (i + 1), d = truth - p->quantiles[i];
        sum += d >= 0 ? q * d : (q - 1) * d;
    }
    return 2 * sum / GM_RUL_QUANTILES;
}

void gm_prognostics_of(const gm_outcome *outcomes, size_t n, double cap, gm_prognostics *out)
{
    gm_prognostics p      = { .count = n };
    double         square = 0, share = 1 / (double)n;
    for (size_t i = 0; i < n; i++) {
        const gm_rul_prediction *v     = &outcomes[i].predicted;
        double                   truth = fmin(outcomes[i].truth, cap), d = v->rul - truth;
        square += d * d;
        p.mae += fabs(d) * share;
        p.bias += d * share;
        p.score += gm_phm08(v->rul, truth);
        p.crps += crps(v, truth) * share;
        for (int l = 0; l < GM_RUL_LEVELS; l++) {
            if (truth >= v->low[l] && truth <= v->high[l]) p.coverage[l] += share;
            p.width[l] += (v->high[l] - v->low[l]) * share;
        }
    }
    p.rmse = sqrt(square * share);
    if (n == 0) p.rmse = p.mae = p.bias = p.score = p.crps = NAN;
    *out = p;
}

double gm_prognostic_horizon(const double *predicted, const double *truth, size_t n, double alpha, double reference)
{
    double horizon = 0;
    for (size_t i = n; i-- > 0;) {
        if (!(fabs(predicted[i] - truth[i]) <= alpha * reference)) break;
        horizon = truth[i];
    }
    return horizon;
}

bool gm_alpha_lambda(const double *predicted, const double *truth, size_t n, double alpha, double lambda)
{
    if (n == 0) return false;
    size_t at = (size_t)(lambda * (double)(n - 1) + 0.5);
    return fabs(predicted[at] - truth[at]) <= alpha * truth[at];
}
