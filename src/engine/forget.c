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

// ---- what is too old ------------------------------------------------------------------------------------------------

// One pass over all series takes many turns, so that a turn stays short.
typedef struct gm_expiry {
    gm_dur_ns  began;       // monotonic; 0: none has begun yet
    gm_time_ns now;         // of the pass
    bool       going;
    const gm_type **types;  // [twin_count] what each twin is, or was last; NULL: nothing. Only when there are rules
    size_t     twin_count, capacity;
} gm_expiry;

gm_status gm_engine_begin_expiry(gm_engine *engine)
{
    bool any = engine->retention.usual.keep > 0 || engine->retention.usual.keep_rollups > 0 || engine->retention.rule_count > 0;
    if (!any) return GM_OK;
    engine->expiry = gm_alloc_zeroed(engine->alloc, sizeof *engine->expiry);
    return engine->expiry != NULL ? GM_OK : GM_NOMEM;
}

static void forget_types(gm_engine *engine)
{
    gm_expiry *e = engine->expiry;
    gm_free(engine->alloc, e->types);
    e->types      = NULL;
    e->twin_count = e->capacity = 0;
}

void gm_engine_end_expiry(gm_engine *engine)
{
    if (engine->expiry != NULL) forget_types(engine);
    gm_free(engine->alloc, engine->expiry);
    engine->expiry = NULL;
}

// LIMIT: a rule is looked for by name, for each series that has sealed blocks; some 20 ns a rule.
static bool how_long(void *context, uint32_t twin, uint32_t column, gm_history_keep *out_keep)
{
    const gm_engine    *engine = context;
    const gm_expiry    *e      = engine->expiry;
    const gm_retention *how    = &engine->retention.usual;
    if (engine->retention.rule_count > 0) {
        const gm_type *type = twin < e->twin_count ? e->types[twin] : NULL;
        gm_str         path = column < GM_OWN_SERIES ? engine->paths.texts[column] : GM_STR("$rollup");
        how                 = gm_retention_find(&engine->retention, type, path);
    }
    *out_keep = (gm_history_keep){ .before         = how->keep > 0 ? e->now - how->keep : GM_TIME_MIN,
                                   .rollups_before = how->keep_rollups > 0 ? e->now - how->keep_rollups : GM_TIME_MIN,
                                   .rollup         = how->rollup };
    return true;
}

static bool begin_pass(gm_engine *engine)
{
    gm_expiry *e = engine->expiry;
    gm_dur_ns  now = gm_monotonic(engine->clock);
    if (e->began != 0 && now - e->began < GM_MINUTE) return false;
    size_t twins = engine->retention.rule_count > 0 ? gm_state_twin_numbers(engine->state) : 0;
    if (twins > 0 && !gm_alloc_reserve(engine->alloc, &e->types, &e->capacity, twins, sizeof *e->types)) return false;
    gm_state_types_then(engine->state, e->types, twins);
    e->twin_count = twins;
    e->began      = now;
    e->now        = gm_now(engine->clock);
    e->going      = true;
    return true;
}

void gm_engine_expire(gm_engine *engine)
{
    enum { SERIES = 20000 };  // that are only looked at: about 2 ms
    gm_expiry *e = engine->expiry;
    if (e == NULL || (!e->going && !begin_pass(engine))) return;
    e->going = gm_history_expire(engine->history, SERIES, how_long, engine);
    if (!e->going) forget_types(engine);
}
