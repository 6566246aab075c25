// Deletion for good, and of what is too old: of what is remembered, never of what is. The log and old checkpoints let it go in
// their time.
#include "engine/internal.h"

static void forget_number(gm_engine *engine, uint32_t twin, gm_str path)
{
    uint32_t series = path.len > 0 ? gm_paths_find(&engine->paths, path) : GM_INDEX_NONE;
    if (path.len == 0) gm_history_forget(engine->history, twin);
    else if (series != GM_INDEX_NONE) gm_history_forget_series(engine->history, twin, series);
}

gm_status gm_engine_forget(gm_engine *engine, const gm_change *change, gm_error *err)
{
    gm_twin live = gm_state_find(engine->state, change->id), past;
    if (gm_twin_ok(live)) forget_number(engine, live.v, change->name);
    for (size_t i = 0; gm_state_past_twin(engine->state, change->id, i, &past); i++) forget_number(engine, past.v, change->name);
    engine->tidy  = true;
    engine->purge = gm_history_purge(engine->history, NULL) != GM_OK;  // then at the end of a turn again
    if (change->name.len > 0) return GM_OK;
    gm_status st = gm_twin_ok(live) ? gm_state_forget(engine->state, live) : GM_OK;
    while (st == GM_OK && gm_state_past_twin(engine->state, change->id, 0, &past)) st = gm_state_forget(engine->state, past);
    return st == GM_OK ? GM_OK : gm_fail(err, st, "engine", "deleting the past of '" GM_STR_FMT "'", GM_STR_ARG(change->id));
}

static bool too_old(void *context, uint32_t twin, uint32_t column, gm_time_ns *out_before)
{
    (void)twin, (void)column;
    *out_before = *(const gm_time_ns *)context;
    return true;
}

// LIMIT: looks at every series in one go, some 10 ns each: 0.1 s for ten million.
void gm_engine_expire(gm_engine *engine)
{
    gm_dur_ns now = gm_monotonic(engine->clock);
    if (engine->expired != 0 && now - engine->expired < GM_MINUTE) return;
    gm_time_ns before = gm_now(engine->clock) - engine->keep;
    engine->expired   = now;
    gm_history_expire(engine->history, too_old, &before);
}
