// insight/anomaly/nab_score.h: the scoring of the Numenta anomaly benchmark, exactly.
//
//   gm_nab_file_score(file, profile, points);                       // what each row is worth when it is flagged
//   gm_nab_sweep(points, n, windows, profile, &best);                // the threshold that serves a whole corpus best
//   normalised = gm_nab_normalise(best.score, windows, profile);
//
// A. Lavin, S. Ahmad, "Evaluating Real-time Anomaly Detection Algorithms - the Numenta Anomaly Benchmark", ICMLA 2015,
// section II: a window counts once, by its earliest flagged row; rows flagged outside cost more the farther they
// are behind
// the last window; the first 15 % of a file (at most 750 rows) do not count.
#ifndef GM_INSIGHT_ANOMALY_NAB_SCORE_H
#define GM_INSIGHT_ANOMALY_NAB_SCORE_H

#include "base/alloc.h"

typedef struct gm_nab_profile { char name[32]; double tp, fp, fn; } gm_nab_profile;  // weights
typedef struct gm_nab_window { uint32_t first, last; } gm_nab_window;                // rows, both inside

// One scored row: `window` is the corpus-wide number of the window it lies in, GM_NAB_OUTSIDE, or GM_NAB_PROBATION.
typedef struct gm_nab_point { double score, worth; uint32_t window; } gm_nab_point;
#define GM_NAB_OUTSIDE   UINT32_MAX
#define GM_NAB_PROBATION (UINT32_MAX - 1)

// Rows at the start of a file of n rows that do not count.
uint32_t gm_nab_probation(uint32_t rows);

// 2 / (1 + exp(5 y)) - 1; -1 from y > 3 on.
double gm_nab_sigmoid(double y);

// Fills worth and window of points[0..n-1]; scores are left alone.
//   windows  [count] ascending, without overlap   first_window  corpus-wide number of the first one
void gm_nab_worth(const gm_nab_window *windows, uint32_t count, uint32_t first_window, const gm_nab_profile *profile,
                  gm_nab_point *points, uint32_t n);

typedef struct gm_nab_best { double threshold, score; uint32_t found, missed, false_rows; } gm_nab_best;

// The best threshold (a row is flagged when score >= threshold) over all points together; the higher one among
// equals. Sorts
// the points.  windows  in the whole corpus.  GM_NOMEM.
GM_NODISCARD gm_status gm_nab_sweep(const gm_alloc *alloc, gm_nab_point *points, size_t n, uint32_t windows,
                                    const gm_nab_profile *profile, gm_nab_best *out, gm_error *err);

// 0 for a detector that never flags, 100 for one that flags the first row of each window and nothing else.
//   windows  all labelled ones;  countable  those with rows behind the probation: only these can be missed
double gm_nab_normalise(double score, uint32_t windows, uint32_t countable, const gm_nab_profile *profile);

#endif
