// insight/learn/rul.h: remaining useful life, learned from assets that ran to failure.
//
//   gm_rul_options o = gm_rul_options_defaults();
//   gm_rul_train(alloc, &fleet, &o, &model, &err);
//   gm_rul_predict(model, rows, n, &p, &err);                // p.rul cycles, p.low[GM_RUL_90] .. p.high[GM_RUL_90]
//   gm_rul_destroy(model);
//
// The assets are dealt into folds; each fold's member (a linear health index and boosted trees on windowed
// features) never
// sees the fold's assets. A prediction is the mean of the members; its interval comes from the errors that the
// members made
// on the assets they had not seen, at predictions of the same size (cross-conformal). Theory: docs/theory/rul.md.
#ifndef GM_INSIGHT_LEARN_RUL_H
#define GM_INSIGHT_LEARN_RUL_H

#include "insight/learn/boost.h"
#include "insight/learn/fleet.h"

typedef struct gm_rul_model gm_rul_model;  // immutable after it is made; any number of threads may predict with it

typedef struct gm_rul_options {
    double           cap;       // cycles: more than this left is called "cap": wear does not show yet
    uint32_t         folds;     // fewer when there are fewer assets that failed
    uint32_t         stride;    // every so many rows of a run are learned from; neighbours say almost the same
    bool             age;       // the number of cycles run is a feature
    gm_boost_options boost;
} gm_rul_options;

gm_rul_options gm_rul_options_defaults(void);

enum { GM_RUL_FOLDS_MAX = 16, GM_RUL_MIN_FAILED = 2, GM_RUL_QUANTILES = 19 };

// Learns from the runs that ended with the failure (left == 0); the others only help to tell what is normal.
// Errors: GM_INVALID  fewer than GM_RUL_MIN_FAILED runs failed (the message says what can be done instead), no sensor
//                     moves, built without XGBoost
//         GM_NOMEM, GM_DIVERGED
//   threads  of a pool of its own, 0 = one for each core; the caller waits
GM_NODISCARD gm_status gm_rul_train(const gm_alloc *alloc, const gm_fleet *fleet, const gm_rul_options *options,
                                    uint32_t threads, gm_rul_model **out_model, gm_error *err);

// The same in parts, for a pool that exists: create, every fold once (from any threads, at the same time), finish.
// The fleet
// is borrowed until destroy.
typedef struct gm_rul_training gm_rul_training;
GM_NODISCARD gm_status gm_rul_training_create(const gm_alloc *alloc, const gm_fleet *fleet, const gm_rul_options *options,
                                              gm_rul_training **out, gm_error *err);
uint32_t               gm_rul_training_folds(const gm_rul_training *training);
GM_NODISCARD gm_status gm_rul_training_fold(gm_rul_training *training, uint32_t fold, gm_error *err);
GM_NODISCARD gm_status gm_rul_training_finish(gm_rul_training *training, gm_rul_model **out_model, gm_error *err);
void                   gm_rul_training_destroy(gm_rul_training *training);  // NULL is allowed

void gm_rul_destroy(gm_rul_model *model);

typedef enum gm_rul_level { GM_RUL_50, GM_RUL_80, GM_RUL_90, GM_RUL_95, GM_RUL_LEVELS } gm_rul_level;
double gm_rul_level_share(gm_rul_level level);  // 0.5, 0.8, 0.9, 0.95

typedef struct gm_rul_prediction {
    double rul;                                     // cycles, 0 .. cap
    double health;                                  // rul / cap: 1 no wear to be seen, 0 at its end
    double low[GM_RUL_LEVELS], high[GM_RUL_LEVELS]; // central intervals
    double quantiles[GM_RUL_QUANTILES];             // 5 %, 10 % .. 95 % of the cycles left
} gm_rul_prediction;

// Predicts after the last of n rows (settings, then sensors, as recorded; from the first row of the run, or as far
// back as
// is known). age: cycles run when it is known better than n, else NaN.
// GM_INVALID: no rows, or no sensor has a value; GM_NOMEM. Cost: O(n * channels * 100) + the trees.
GM_NODISCARD gm_status gm_rul_predict(const gm_rul_model *model, const gm_alloc *alloc, const double *rows, size_t n,
                                      double age, gm_rul_prediction *out, gm_error *err);

// The health index of each of n rows by itself: the linear one, in cycles, the mean of the members'. Finer than a prediction where wear
// does not show yet, and noisier. out [n]; NaN: no sensor has a value. GM_NOMEM. Cost: O(n * channels).
GM_NODISCARD gm_status gm_rul_health(const gm_rul_model *model, const gm_alloc *alloc, const double *rows, size_t n, double *out,
                                     gm_error *err);

// What the model was made of, for people and the registry.
typedef struct gm_rul_facts {
    uint32_t settings, sensors, channels, conditions, members, trees, features;
    uint32_t runs, failed;    // that it learned from
    size_t   rows;
    double   cap;
    bool     age;
    double   rmse, mae, bias; // on assets that the predicting member had not seen, all rows
} gm_rul_facts;
gm_rul_facts gm_rul_model_facts(const gm_rul_model *model);

// The predictions made on training rows while their asset was held back, in the order of the fleet's rows; NaN for runs
// that did not fail. NULL for a model that was decoded. [rows]
const double *gm_rul_held_back(const gm_rul_model *model);

// Format: docs/formats/rul.md. GM_CORRUPT: not a model, or damaged; GM_INVALID: of a version that is not understood.
GM_NODISCARD gm_status gm_rul_encode(const gm_rul_model *model, gm_buf *out, gm_error *err);
GM_NODISCARD gm_status gm_rul_decode(const gm_alloc *alloc, gm_str bytes, gm_rul_model **out_model, gm_error *err);

#endif
