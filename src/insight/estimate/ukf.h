// insight/estimate/ukf.h: a square-root unscented Kalman filter: a few well-placed runs of the model stand for a normal
// distribution. For systems of up to some dozens of states.
//
//   gm_ukf_create(alloc, n, m_max, &ukf, &err);
//   gm_ukf_set(ukf, mean, deviation);                        // independent at the start
//   gm_ukf_points(ukf, points);                              // [n][P], P = gm_ukf_point_count: lanes to be run
//   ... run the lanes to the time of the measurement ...
//   gm_ukf_predict(ukf, points, process, &err);              // process [n]: variance added on the way
//   gm_ukf_points(ukf, points);                              // drawn anew, with the added variance
//   ... what would be measured at each point: predicted [m][P] ...
//   gm_ukf_update(ukf, points, predicted, m, value, variance, &report, &err);
//
// The covariance is kept as a triangular factor S, P = S S', and only ever updated by orthogonal transformations, so that it
// stays positive. Points and weights: Julier and Uhlmann, Proc. IEEE 92 (2004) 401, with the centre's weight >= 0; factors:
// Arasaratnam and Haykin, IEEE Trans. Automatic Control 54 (2009) 1254, section VI.
#ifndef GM_INSIGHT_UKF_H
#define GM_INSIGHT_UKF_H

#include "base/alloc.h"

typedef struct gm_ukf gm_ukf;  // one thread

GM_NODISCARD gm_status gm_ukf_create(const gm_alloc *alloc, uint32_t states, uint32_t measurements_max, gm_ukf **out_ukf, gm_error *err);
void                   gm_ukf_destroy(gm_ukf *ukf);
uint32_t               gm_ukf_point_count(const gm_ukf *ukf);  // 2 n + 1
double                 gm_ukf_weight(const gm_ukf *ukf, uint32_t point);  // of points in means and covariances; their sum is 1

void          gm_ukf_set(gm_ukf *ukf, const double *mean, const double *deviation);          // [n] each
void          gm_ukf_set_factor(gm_ukf *ukf, const double *mean, const double *factor);      // [n], [n][n]: column-major, lower
const double *gm_ukf_mean(const gm_ukf *ukf);                                                // [n], viewed
const double *gm_ukf_factor(const gm_ukf *ukf);                                              // [n][n] column-major, lower; viewed
double        gm_ukf_variance(const gm_ukf *ukf, uint32_t state);
double        gm_ukf_covariance(const gm_ukf *ukf, uint32_t a, uint32_t b);

// out_points: [n][P].
void gm_ukf_points(const gm_ukf *ukf, double *out_points);

// The distribution after the points were run. GM_DIVERGED: a point is not a number (the filter stays as it was).
GM_NODISCARD gm_status gm_ukf_predict(gm_ukf *ukf, const double *points, const double *process, gm_error *err);

typedef struct gm_ukf_report {
    double nis;            // innovation' (covariance)^-1 innovation
    double log_likelihood; // of the measurements, for comparing models
} gm_ukf_report;

// Draws the distribution towards m measurements with independent errors.
//   points [n][P], predicted [m][P]   value, variance [m]
// out_innovation, out_deviation: [m] or NULL: value minus expectation, and what deviation that should have.
// GM_DIVERGED: the filter stays as it was.
GM_NODISCARD gm_status gm_ukf_update(gm_ukf *ukf, const double *points, const double *predicted, uint32_t m, const double *value,
                                     const double *variance, double *out_innovation, double *out_deviation, gm_ukf_report *out_report,
                                     gm_error *err);

#endif
