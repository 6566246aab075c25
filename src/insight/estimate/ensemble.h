// insight/estimate/ensemble.h: ensemble Kalman filters: a crowd of model runs is drawn towards what was measured.
//
//   // states  [n][N]  a row per state, N members side by side: exactly how lanes hold them
//   gm_ensemble_seen seen = { .count = m, .predicted = HE, .value = y, .variance = r };   // HE [m][N]: what members expect
//   gm_ensemble_solve(solver, GM_ENSEMBLE_TRANSFORM, &seen, &noise, X, &report, &err);
//   gm_ensemble_inflate(states, n, N, 1.02);
//   gm_ensemble_apply(solver, X, states, n);                  // states, parameters, states of a while ago (smoothing)
//
// Every kind is one N x N matrix X with E_after = E_before X: what it does to the present it does to the past that led
// here, so smoothing over a lag is applying X to stored ensembles (Evensen and van Leeuwen, Mon. Wea. Rev. 128 (2000) 1852).
// Notation: N members, m measurements, A and Y the deviations of states and expectations from their means.
#ifndef GM_INSIGHT_ENSEMBLE_H
#define GM_INSIGHT_ENSEMBLE_H

#include "base/alloc.h"

typedef enum gm_ensemble_kind {
    GM_ENSEMBLE_TRANSFORM,      // ETKF: Bishop, Etherton and Majumdar, Mon. Wea. Rev. 129 (2001) 420; symmetric square root as in
                                // Hunt, Kostelich and Szunyogh, Physica D 230 (2007) 112
    GM_ENSEMBLE_DETERMINISTIC,  // DEnKF: Sakov and Oke, Tellus 60A (2008) 361
    GM_ENSEMBLE_PERTURBED,      // measurements perturbed for each member: Burgers et al., Mon. Wea. Rev. 126 (1998) 1719
    GM_ENSEMBLE_KIND_COUNT
} gm_ensemble_kind;

// What was measured, and what each member would have measured. Errors of measurements are independent.
typedef struct gm_ensemble_seen {
    uint32_t      count;      // m
    const double *predicted;  // [m][N]
    const double *value;      // [m]
    const double *variance;   // [m] > 0, of the measurement's error
    const double *weight;     // [m] 0..1: how much each counts (localisation), or NULL: all fully
} gm_ensemble_seen;

// Random numbers of PERTURBED and of rotations (base/rng.h); step must never repeat.
typedef struct gm_ensemble_noise { uint64_t seed, step; } gm_ensemble_noise;

typedef struct gm_ensemble_report {
    double nis;       // innovation' (Y Y'/(N-1) + R)^-1 innovation: chi-square with m degrees of freedom when all is well
    double shift;     // root mean square of innovation / its expected deviation
} gm_ensemble_report;

typedef struct gm_ensemble gm_ensemble;  // scratch memory of one thread

GM_NODISCARD gm_status gm_ensemble_create(const gm_alloc *alloc, uint32_t members, uint32_t measurements_max, gm_ensemble **out_solver,
                                          gm_error *err);
void                   gm_ensemble_destroy(gm_ensemble *solver);

// Writes X [N][N], column k (contiguous) being member k of the new ensemble in terms of the old ones. out_report may be NULL.
// Measurements with weight 0 cost nothing. Errors: GM_DIVERGED  something is not a number.  O(m N^2 + N^3).
GM_NODISCARD gm_status gm_ensemble_solve(gm_ensemble *solver, gm_ensemble_kind kind, const gm_ensemble_seen *seen,
                                         const gm_ensemble_noise *noise, double *X, gm_ensemble_report *out_report, gm_error *err);

// E = E X for every row of states [rows][N]. O(rows N^2).
void gm_ensemble_apply(gm_ensemble *solver, const double *X, double *states, size_t rows);

// Multiplies deviations from the mean by factor.
void gm_ensemble_inflate(double *states, size_t rows, uint32_t members, double factor);

// Turns X so that mean and covariance stay and members mix (Sakov and Oke, Mon. Wea. Rev. 136 (2008) 1042): keeps
// deterministic filters from growing outliers.
GM_NODISCARD gm_status gm_ensemble_rotate(gm_ensemble *solver, const gm_ensemble_noise *noise, double *X, gm_error *err);

// The weight of a measurement at a distance: 1 at 0, 0 from 2 * radius on, smooth in between.
// Gaspari and Cohn, Q. J. R. Meteorol. Soc. 125 (1999) 723, eq. 4.10.
double gm_ensemble_taper(double distance, double radius);

double gm_ensemble_mean(const double *row, uint32_t members);
double gm_ensemble_variance(const double *row, uint32_t members);  // divided by N - 1

#endif
