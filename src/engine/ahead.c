// A fleet's newest samples lie far apart, so each record of rows would wait for memory: what the next ones will touch is asked for
// while this one is applied.
#include "engine/internal.h"

void gm_ahead_begin(gm_ahead *ahead, size_t at) { *ahead = (gm_ahead){ .at = at, .series = { GM_NONE, GM_NONE } }; }

// The first series of the record; GM_NONE: it has no rows.
static uint32_t expect(const gm_engine *engine, const gm_record *record)
{
    uint32_t twin, type, column;
    if (!gm_change_peek_rows(record->kind, record->payload, record->size, &twin, &type, &column)) return GM_NONE;
    if (!gm_state_exists(engine->state, (gm_twin){ twin })) return GM_NONE;
    const gm_type *is = gm_state_type(engine->state, (gm_twin){ twin });
    if (is->number != type || column >= is->column_count) return GM_NONE;
    return gm_history_expect(engine->history, twin, gm_engine_series(engine, is, column));
}

void gm_ahead_step(gm_ahead *ahead, const gm_engine *engine)
{
    gm_record record;
    if (ahead->series[0] != GM_NONE) gm_history_expect_append(engine->history, ahead->series[0]);
    ahead->series[0] = ahead->series[1];
    ahead->series[1] = gm_log_batch_next(&engine->batch, &ahead->at, &record) ? expect(engine, &record) : GM_NONE;
}
