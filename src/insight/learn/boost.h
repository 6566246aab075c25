// insight/learn/boost.h: gradient-boosted trees, grown by XGBoost when gemel was built with it.
//
//   gm_boost_options o = gm_boost_options_defaults();
//   gm_boost_train(alloc, &(gm_boost_data){ x, rows, columns, y, NULL }, &o, &trees, &err);
#ifndef GM_INSIGHT_LEARN_BOOST_H
#define GM_INSIGHT_LEARN_BOOST_H

#include "insight/learn/trees.h"

typedef struct gm_boost_options {
    uint32_t rounds, depth;
    double   rate;            // how much of a tree's step is taken
    double   rows, columns;   // the share of rows and columns that a tree sees
    double   leaf_weight;     // rows (weight) that a leaf needs
    double   ridge;           // penalty on leaf values
    uint32_t threads, seed;
} gm_boost_options;

gm_boost_options gm_boost_options_defaults(void);

// All borrowed.  x [rows][columns], NaN: no value; y [rows], finite; weight [rows] or NULL
typedef struct gm_boost_data { const float *x; size_t rows, columns; const float *y, *weight; } gm_boost_data;

// Least squares.
// Errors: GM_INVALID fewer than 2 rows, or gemel was built without XGBoost (says so); GM_NOMEM; GM_DIVERGED the library
// refused (its sentence is in err). Cost: rows * columns * share * depth * rounds.
GM_NODISCARD gm_status gm_boost_train(const gm_alloc *alloc, const gm_boost_data *data, const gm_boost_options *options,
                                      gm_trees **out_trees, gm_error *err);

bool gm_boost_available(void);

#endif
