// insight/learn/similar.h: which past runs an asset behaves like, and what became of them: the baseline that explains.
//
//   n = gm_rul_similar(model, alloc, rows, count, GM_SIMILAR_NONE, found, &estimate, &err);
//   "behaves like unit 17 (31 cycles before its end) and 62 (28 cycles)"
//
// The last 40 rows of the asset's health index (a mean over 5 rows) are laid along every past run at every place;
// the place
// of least mean square distance counts for each run, and the nearest runs vote with exp(-distance / (2 nearest)).
// T. Wang, J. Yu, D. Siegel, J. Lee, "A similarity-based prognostics approach for remaining useful life
// estimation", PHM08.
#ifndef GM_INSIGHT_LEARN_SIMILAR_H
#define GM_INSIGHT_LEARN_SIMILAR_H

#include "insight/learn/rul.h"

enum { GM_SIMILAR_MAX = 5 };
#define GM_SIMILAR_NONE UINT32_MAX

typedef struct gm_similar { uint32_t unit; double left, distance, weight; } gm_similar;  // left: cycles it had then

// The nearest runs, nearest first, at most GM_SIMILAR_MAX; *out_rul their weighted mean, cut at the cap.
//   except  a unit that is not looked at (the asset itself, when it is among those learned from)
// GM_INVALID: no rows, or too few (3) with values; GM_NOMEM. Cost: 20 operations per past row.
GM_NODISCARD gm_status gm_rul_similar(const gm_rul_model *model, const gm_alloc *alloc, const double *rows, size_t n,
                                      uint32_t except, gm_similar found[GM_SIMILAR_MAX], size_t *out_count,
                                      double *out_rul, gm_error *err);

// Is this very run among those that the model learned from? By a checksum of its rows.
bool gm_rul_learned_from(const gm_rul_model *model, const gm_fleet *fleet, const gm_run *run);

#endif
