// insight/live/gather.h: the past of a twin as rows: one for each sample of a first column, the others as they
// were then.
#ifndef GM_INSIGHT_LIVE_GATHER_H
#define GM_INSIGHT_LIVE_GATHER_H

#include "engine/engine.h"

typedef struct gm_rows {
    const gm_alloc *alloc;
    uint32_t        columns;
    size_t          count;
    double         *values;  // [count][columns]; NaN: nothing yet
    gm_time_ns     *times;   // [count] rising
} gm_rows;

void gm_rows_finish(gm_rows *rows);

// The last at most `most` rows before `before`. A column without numbers is NaN throughout. GM_NOMEM; GM_CORRUPT,
// GM_IO from
// history. Cost: decodes the history of each column.
GM_NODISCARD gm_status gm_rows_gather(const gm_engine *engine, const gm_alloc *alloc, gm_twin twin, const uint32_t *columns,
                                      uint32_t n, gm_time_ns before, size_t most, gm_rows *out, gm_error *err);

#endif
