// What the engine shows of state and history together.
#include "engine/internal.h"

gm_model *gm_engine_model(gm_engine *engine) { return engine->model; }
const gm_state *gm_engine_state(const gm_engine *engine) { return engine->state; }
const gm_history *gm_engine_history(const gm_engine *engine) { return engine->history; }
gm_log *gm_engine_log(gm_engine *engine) { return engine->log; }

gm_engine_stats gm_engine_statistics(const gm_engine *engine)
{
    gm_engine_stats stats = engine->stats;
    stats.waiting         = engine->submitted - engine->settled;
    return stats;
}

uint32_t gm_engine_series(const gm_engine *engine, const gm_type *type, uint32_t column)
{
    return gm_paths_number(&engine->paths, type, column);
}

// A column without a series has its one value, if any, in the live cell.
static bool only_cell(const gm_engine *engine, gm_twin twin, uint32_t column, uint32_t *out_series, gm_cell *out_cell)
{
    *out_series = gm_engine_series(engine, gm_state_type(engine->state, twin), column);
    if (gm_history_has(engine->history, twin.v, *out_series)) return false;
    gm_state_get(engine->state, twin, column, out_cell);
    return true;
}

gm_status gm_engine_read_history(const gm_engine *engine, gm_twin twin, uint32_t column, gm_time_ns from, gm_time_ns to,
                                 gm_history_each *each, void *context, gm_error *err)
{
    uint32_t series;
    gm_cell  cell;
    if (!only_cell(engine, twin, column, &series, &cell)) {
        return gm_history_read(engine->history, twin.v, series, from, to, each, context, err);
    }
    if (cell.value.kind != GM_KIND_NONE && cell.source >= from && cell.source < to) {
        each(context, &(gm_sample){ .at = cell.source, .value = cell.value });
    }
    return GM_OK;
}

// A single value in the one bucket that it belongs to.
static gm_status one_value(const gm_cell *cell, gm_time_ns from, gm_time_ns to, size_t n, gm_bucket *out_buckets, gm_error *err)
{
    if (n == 0 || to <= from) return gm_fail(err, GM_INVALID, "engine", "a range of no length has no buckets");
    __extension__ typedef __int128 wide;
    wide span = (wide)to - from;
    for (size_t i = 0; i < n; i++) out_buckets[i] = (gm_bucket){ .from = (gm_time_ns)(from + span * (wide)i / (wide)n) };
    if (cell->value.kind == GM_KIND_NONE || cell->source < from || cell->source >= to) return GM_OK;
    if (cell->value.kind == GM_KIND_STRING || cell->value.kind == GM_KIND_JSON) {
        return gm_fail(err, GM_INVALID, "engine", "text can not be put into buckets");
    }
    double     value  = cell->value.kind == GM_KIND_DOUBLE ? cell->value.d : (double)cell->value.i;
    gm_bucket *bucket = &out_buckets[(size_t)(((wide)cell->source - from) * (wide)n / span)];
    if (cell->source < bucket->from) bucket--;  // rounding
    else if (bucket + 1 < out_buckets + n && cell->source >= bucket[1].from) bucket++;
    *bucket = (gm_bucket){ .from = bucket->from, .count = 1, .min = value, .max = value, .sum = value, .last = value,
                           .last_at = cell->source, .min_at = cell->source, .max_at = cell->source };
    return GM_OK;
}

gm_status gm_engine_read_buckets(const gm_engine *engine, gm_twin twin, uint32_t column, gm_time_ns from, gm_time_ns to,
                                 size_t n, gm_bucket *out_buckets, gm_error *err)
{
    uint32_t series;
    gm_cell  cell;
    if (only_cell(engine, twin, column, &series, &cell)) return one_value(&cell, from, to, n, out_buckets, err);
    return gm_history_buckets(engine->history, twin.v, series, from, to, n, out_buckets, err);
}

gm_status gm_engine_read_outline(const gm_engine *engine, gm_twin twin, uint32_t column, gm_time_ns from, gm_time_ns to,
                                 size_t n, gm_bucket *out_buckets, gm_error *err)
{
    uint32_t series;
    gm_cell  cell;
    if (only_cell(engine, twin, column, &series, &cell)) return one_value(&cell, from, to, n, out_buckets, err);
    return gm_history_outline(engine->history, twin.v, series, from, to, n, out_buckets, err);
}

gm_status gm_engine_history_extent(const gm_engine *engine, gm_twin twin, uint32_t column, gm_time_ns from, gm_time_ns to,
                                   uint64_t *out_count, gm_time_ns *out_first, gm_time_ns *out_last, gm_error *err)
{
    uint32_t series;
    gm_cell  cell;
    if (!only_cell(engine, twin, column, &series, &cell)) {
        return gm_history_extent(engine->history, twin.v, series, from, to, out_count, out_first, out_last, err);
    }
    *out_count = cell.value.kind != GM_KIND_NONE && cell.source >= from && cell.source < to;
    *out_first = *out_last = *out_count > 0 ? cell.source : 0;
    return GM_OK;
}

uint64_t gm_engine_count_history(const gm_engine *engine, gm_twin twin, uint32_t column)
{
    uint32_t series;
    gm_cell  cell;
    if (only_cell(engine, twin, column, &series, &cell)) return cell.value.kind != GM_KIND_NONE;
    return gm_history_count(engine->history, twin.v, series);
}

// ---- series of what is no column ----------------------------------------------------------------------------------

// The plant has a number that no twin gets. (The one above is not for checkpoints to have.)
static uint32_t own_place(gm_twin twin) { return gm_twin_ok(twin) ? twin.v : GM_NONE - 1; }

gm_status gm_engine_own_append(gm_engine *engine, gm_twin twin, uint32_t number, gm_time_ns at, gm_value value, gm_error *err)
{
    return gm_history_append(engine->history, own_place(twin), GM_OWN_SERIES + number, at, value, NULL, err);
}

gm_status gm_engine_own_as_of(const gm_engine *engine, gm_twin twin, uint32_t number, gm_time_ns at, gm_sample *out, gm_error *err)
{
    return gm_history_as_of(engine->history, own_place(twin), GM_OWN_SERIES + number, at, out, err);
}

gm_status gm_engine_own_read(const gm_engine *engine, gm_twin twin, uint32_t number, gm_time_ns from, gm_time_ns to, gm_history_each *each, void *context,
                             gm_error *err)
{
    return gm_history_read(engine->history, own_place(twin), GM_OWN_SERIES + number, from, to, each, context, err);
}

gm_status gm_engine_own_outline(const gm_engine *engine, gm_twin twin, uint32_t number, gm_time_ns from, gm_time_ns to, size_t n, gm_bucket *out_buckets,
                                gm_error *err)
{
    return gm_history_outline(engine->history, own_place(twin), GM_OWN_SERIES + number, from, to, n, out_buckets, err);
}

gm_status gm_engine_own_extent(const gm_engine *engine, gm_twin twin, uint32_t number, gm_time_ns from, gm_time_ns to, uint64_t *out_count,
                               gm_time_ns *out_first, gm_time_ns *out_last, gm_error *err)
{
    return gm_history_extent(engine->history, own_place(twin), GM_OWN_SERIES + number, from, to, out_count, out_first, out_last, err);
}
