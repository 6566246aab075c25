// insight/estimate/modes.h: one system, several ways in which it may be working (healthy, leaking, stuck): a filter for each
// and the probability that it is the one that holds. The interacting multiple model of Blom and Bar-Shalom, IEEE Trans.
// Automatic Control 33 (1988) 780.
//
//   gm_modes_create(alloc, 3, n, &modes, &err);
//   gm_modes_set(modes, first, change);            // first [3], change [3][3]: P(to | from) per step
//   gm_modes_mix(modes, filters, &err);            // before each step: every filter begins where the mixture is
//   ... each filter predicts and updates with its own model ...
//   gm_modes_weigh(modes, log_likelihoods);        // after it
//   gm_modes_probability(modes)[2]
#ifndef GM_INSIGHT_MODES_H
#define GM_INSIGHT_MODES_H

#include "insight/estimate/ukf.h"

typedef struct gm_modes gm_modes;

GM_NODISCARD gm_status gm_modes_create(const gm_alloc *alloc, uint32_t count, uint32_t states, gm_modes **out_modes, gm_error *err);
void                   gm_modes_destroy(gm_modes *modes);

// Rows of change sum to 1, as does first; what does not is scaled.
void          gm_modes_set(gm_modes *modes, const double *first, const double *change);
// Only the changes: for steps that are not equally long.
void          gm_modes_set_change(gm_modes *modes, const double *change);
const double *gm_modes_probability(const gm_modes *modes);  // [count], viewed

GM_NODISCARD gm_status gm_modes_mix(gm_modes *modes, gm_ukf *const *filters, gm_error *err);  // GM_DIVERGED

// -infinity for a filter that failed. When none explains the measurement, probabilities stay as they were.
void gm_modes_weigh(gm_modes *modes, const double *log_likelihoods);

// The mixture's mean and variance of every state: [states] each.
void gm_modes_combine(const gm_modes *modes, gm_ukf *const *filters, double *out_mean, double *out_variance);

#endif
