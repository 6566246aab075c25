// insight/estimate/particle.h: a particle filter: weighted model runs, for systems with more than one explanation.
//
//   gm_particles_weigh(log_weights, N, predicted, value, variance, m);
//   if (gm_particles_effective(log_weights, N) < 0.5 * N) gm_particles_resample(p, states, n, log_weights, &noise, 1.0, &err);
//
// Rows as in ensemble.h: states [n][N]. Regularised resampling: Musso, Oudjane and Le Gland in Doucet, de Freitas and Gordon
// (eds.), Sequential Monte Carlo Methods in Practice, Springer 2001, chapter 12.
#ifndef GM_INSIGHT_PARTICLE_H
#define GM_INSIGHT_PARTICLE_H

#include "insight/estimate/ensemble.h"

typedef struct gm_particles gm_particles;  // scratch memory of one thread

GM_NODISCARD gm_status gm_particles_create(const gm_alloc *alloc, uint32_t members, uint32_t states_max, gm_particles **out_particles,
                                           gm_error *err);
void                   gm_particles_destroy(gm_particles *p);

// Adds the log-likelihood of independent normal measurements and normalises. A member whose expectation is not a number
// gets no weight. Returns the log of the measurements' probability; -infinity: no member explains them, and the weights
// stay as they were.
double gm_particles_weigh(double *log_weights, uint32_t members, const double *predicted, const double *value, const double *variance,
                          uint32_t m);

double gm_particles_effective(const double *log_weights, uint32_t members);  // 1 / sum of squared weights
double gm_particles_mean(const double *row, const double *log_weights, uint32_t members);
double gm_particles_variance(const double *row, const double *log_weights, uint32_t members);

// Systematic resampling (one uniform number), then every member is moved a little, as wide as a normal kernel of the
// weighted covariance should be for so many members, times `spread` (0: not at all). Weights become equal.
GM_NODISCARD gm_status gm_particles_resample(gm_particles *p, double *states, uint32_t n, double *log_weights, const gm_ensemble_noise *noise,
                                             double spread, gm_error *err);

#endif
