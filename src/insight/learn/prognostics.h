// insight/learn/prognostics.h: how good predictions of remaining life were, as the prognostics community reports it.
//
//   gm_prognostics p;
//   gm_prognostics_of(outcomes, n, &p);                 p.rmse, p.score, p.coverage[GM_RUL_90] ...
//
// A. Saxena, J. Celaya, B. Saha, S. Saha, K. Goebel, "Metrics for Offline Evaluation of Prognostic Performance",
// IJPHM 1(1),
// 2010; the score: A. Saxena, K. Goebel, D. Simon, N. Eklund, PHM08, eq. 2.
#ifndef GM_INSIGHT_LEARN_PROGNOSTICS_H
#define GM_INSIGHT_LEARN_PROGNOSTICS_H

#include "insight/learn/rul.h"

typedef struct gm_outcome { gm_rul_prediction predicted; double truth; } gm_outcome;  // truth: cycles left

typedef struct gm_prognostics {
    size_t count;
    double rmse, mae, bias;   // cycles; bias > 0: too much life promised
    double score;             // PHM08: sum of exp(-d/13)-1 for early (d < 0) and exp(d/10)-1 for late predictions
    double crps;              // cycles, from the quantiles 5 .. 95 % (twice the mean pinball loss)
    double coverage[GM_RUL_LEVELS], width[GM_RUL_LEVELS];  // share of truths inside; mean width in cycles
} gm_prognostics;

// cap: truths are cut there first; INFINITY: not. n 0 gives NaN.
void   gm_prognostics_of(const gm_outcome *outcomes, size_t n, double cap, gm_prognostics *out);
double gm_phm08(double predicted, double truth);  // one term of the score

// Along one run that failed, predictions at successive rows, truths falling to 0.
//   horizon: the cycles left when predictions entered |error| <= alpha * reference for good (0: never);
//   alpha_lambda: is the prediction at the share lambda of the way from the first prediction to the end within
//   +-alpha of the truth there?
double gm_prognostic_horizon(const double *predicted, const double *truth, size_t n, double alpha, double reference);
bool   gm_alpha_lambda(const double *predicted, const double *truth, size_t n, double alpha, double lambda);

#endif
