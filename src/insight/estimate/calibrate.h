// insight/estimate/calibrate.h: parameters of a group fitted to a stretch of its history.
//
//   gm_calibrate(alloc, model, slots, at, &stretch, &options, &fit, &err);      // model: the parameters of its setup are fitted
//   fit.parameters[i].after, .low, .high                                         // 95 %
//   fit.directions[d]                                                            // combinations that the data can not tell
//
// Least squares of (model - measured) / noise over the whole stretch (the model runs free from its beginning; Huber's weights
// beyond three deviations), by the method of Levenberg and Marquardt (Marquardt, J. SIAM 11 (1963) 431) from several starts. The
// perturbed parameters are lanes of one block, so a gradient costs one run. Where states begin is fitted too, held near what
// the fork says, and is eliminated from what is told about the parameters.
//
// Identifiability: singular values of the sensitivities, each parameter in units of how well it was known before; a direction
// whose deviation stays above half of that was not learned (Brun, Reichert and Kuensch, Water Resources Research 37 (2001) 1015).
#ifndef GM_INSIGHT_ESTIMATE_CALIBRATE_H
#define GM_INSIGHT_ESTIMATE_CALIBRATE_H

#include "insight/estimate/stretch.h"

enum { GM_CALIBRATE_MAX = 16 };  // parameters

typedef struct gm_calibrate_options {
    uint32_t starts;      // the present values, and so many less one drawn between the bounds
    uint32_t rounds_max;  // of one start
    uint64_t seed;
} gm_calibrate_options;
gm_calibrate_options gm_calibrate_options_defaults(void);  // 4, 30, 1

typedef struct gm_calibrated {
    gm_str name, unit;            // viewed in the model
    double before, after;         // outside
    double low, high;             // 95 % interval of `after`; infinite when the data do not tell
    bool   bounded;               // it ended at a bound
} gm_calibrated;

typedef struct gm_calibration {
    gm_calibrated parameters[GM_CALIBRATE_MAX];
    uint32_t      count;
    uint64_t      residuals;          // measurements compared
    double        rms_before, rms_after;  // root mean square of residuals, in deviations of the noise
    double        singular[GM_CALIBRATE_MAX];                      // falling
    double        directions[GM_CALIBRATE_MAX][GM_CALIBRATE_MAX];  // unit vectors, of the same order
    uint32_t      unlearned;          // the last so many directions
    uint32_t      rounds, runs, best_start, failed_starts;
    bool          converged;
} gm_calibration;

// slots: a fork as of `at`; samples before it are not used. Errors: GM_INVALID: no parameter, too many, too few measurements;
// GM_DIVERGED: the model can not run through the stretch with its present parameters; GM_NOMEM.
GM_NODISCARD gm_status gm_calibrate(const gm_alloc *alloc, const gm_estimate_model *model, const double *slots, gm_time_ns at,
                                    const gm_stretch *stretch, const gm_calibrate_options *options, gm_calibration *out, gm_error *err);

#endif
