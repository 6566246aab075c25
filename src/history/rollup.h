// history/rollup.h: what stays of samples that were too old: for each stretch of time their count, sum, smallest, largest
// last, and when that was. Inside history only.
//
// They are six series of the same twin under columns of their own, compressed and kept in files like any other. Their
// samples stand at the same times: each at the first sample that it was made of. A stretch that lay in two blocks has two
// entries, and so has one to which a late sample comes afterwards: entries are added up by whoever reads them, never
// changed. Samples that were rolled up are not in their series any more, so that both together are everything, once.
// The time of the last tells which entry of a stretch has the last value when a late one stands behind it; entries of an older
// program lack it.
// LIMIT: a correction that comes when its sample is rolled up already counts beside it: what the sample was is not known any more.
#ifndef GM_HISTORY_ROLLUP_H
#define GM_HISTORY_ROLLUP_H

#include "history/history.h"

typedef enum gm_rollup { GM_ROLLUP_COUNT, GM_ROLLUP_SUM, GM_ROLLUP_MIN, GM_ROLLUP_MAX, GM_ROLLUP_LAST, GM_ROLLUP_LAST_AT, GM_ROLLUP_PARTS } gm_rollup;

// Columns below 2^28 can be rolled up: more paths than a model can have.
static inline uint32_t gm_rollup_column(uint32_t column, gm_rollup part) { return UINT32_C(1) << 31 | (uint32_t)part << 28 | column; }
static inline bool     gm_rollup_is(uint32_t column) { return column >> 31; }
static inline uint32_t gm_rollup_of(uint32_t column) { return column & ((UINT32_C(1) << 28) - 1); }

// Adds the block's values to the rollups of its series, in stretches of `length` (a whole number of them since 1970). The
// block is to go when this returns GM_OK, else to stay. GM_NOMEM, GM_CORRUPT, GM_IO.
GM_NODISCARD gm_status gm_rollup_block(gm_history *history, uint32_t series, size_t block, gm_dur_ns length, gm_error *err);

#endif
