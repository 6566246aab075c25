// insight/anomaly/lagged.h: is the recent shape of a signal unlike all shapes of its recent past? A conformal
// nearest-neighbour detector on windows of lagged values; bounded memory, no look-ahead.
//
// The last 19 values, whitened by the second moments of the windows seen, are compared with `memory` earlier
// windows; the
// sum of the 27 least distances is ranked among the sums of the windows before. E. Burnaev, V. Ishimtsev,
// "Conformalized
// density- and distance-based anomaly detection in time-series data", arXiv:1608.04585, 2016.
#ifndef GM_INSIGHT_ANOMALY_LAGGED_H
#define GM_INSIGHT_ANOMALY_LAGGED_H

#include "base/alloc.h"

typedef struct gm_lagged gm_lagged;

enum { GM_LAGGED_DIM = 19, GM_LAGGED_NEAREST = 27, GM_LAGGED_MEMORY_MIN = 60, GM_LAGGED_MEMORY_MAX = 4096 };

// memory: windows that are remembered (cut to the limits above). NULL without memory.
gm_lagged *gm_lagged_create(const gm_alloc *alloc, uint32_t memory);
void       gm_lagged_destroy(gm_lagged *lagged);

// Takes the next value (finite) and returns -log10 of the share of earlier windows that were at least as strange;
// 0 while it
// learns (2 * memory values give full power). Beyond all that was seen it goes on growing with the distance.
// Cost: memory * 19 operations.
double gm_lagged_step(gm_lagged *lagged, double value);

#endif
