// One record into history, state and whatever else is folded: live and at recovery alike.
#include "engine/checkpoint_parts.h"
#include "engine/past_states.h"

#include "base/le.h"

// A series begins with the second value of its cell; the first lived in the cell alone and moves over now.
// GM_WRITE_SERIES: there are more values of the same cell in this record, so the series begins at once.
static gm_status keep_sample(gm_engine *engine, gm_twin twin, const gm_type *type, const gm_cell_write *cell, uint8_t flags,
                             gm_error *err)
{
    gm_cell now;
    gm_state_get(engine->state, twin, cell->column, &now);
    uint32_t series = gm_engine_series(engine, type, cell->column);
    if (!gm_history_has(engine->history, twin.v, series)) {
        bool first = now.value.kind == GM_KIND_NONE || now.source == cell->at;  // or its correction
        if (first && (flags & GM_WRITE_SERIES) == 0) return GM_OK;
        gm_status st = first ? GM_OK : gm_history_append(engine->history, twin.v, series, now.source, now.value, NULL, err);
        if (st != GM_OK) return st;
    }
    return gm_history_append(engine->history, twin.v, series, cell->at, cell->value, NULL, err);
}

// The same for a column of a record of rows.
static gm_status keep_rows(gm_engine *engine, gm_twin twin, const gm_type *type, const gm_change *change, gm_error *err)
{
    const gm_row_table *r = &change->rows;
    for (size_t c = 0; c < r->columns; c++) {
        const uint8_t *head = r->heads + c * GM_ROW_HEAD, *values = r->values + c * r->rows * 8;
        uint32_t       column = gm_get_u16(head);
        if (column >= type->column_count) return gm_fail(err, GM_CORRUPT, "engine", "column %u does not exist", column);
        uint32_t series = gm_engine_series(engine, type, column);
        gm_cell  now;
        gm_state_get(engine->state, twin, column, &now);
        gm_sample begin = { .at = now.source, .value = now.value };
        gm_status st    = gm_history_append_rows(engine->history, twin.v, series, now.value.kind != GM_KIND_NONE ? &begin : NULL,
                                                 (gm_kind)head[2], r->times, values, r->rows, err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

static bool names_cell(const gm_change *change, uint32_t column)
{
    gm_cell_write cell;
    for (const uint8_t *at = change->cells; gm_change_next_cell(change, &at, &cell);) {
        if (cell.column == column) return true;
    }
    return false;
}

// What a replacement leaves out is removed: that is a sample too.
static gm_status keep_removals(gm_engine *engine, gm_twin twin, const gm_change *change, gm_time_ns ingest, gm_error *err)
{
    const gm_type *type = gm_state_type(engine->state, twin);
    for (uint32_t c = 0; c < type->column_count; c++) {
        gm_cell cell;
        gm_state_get(engine->state, twin, c, &cell);
        if (cell.value.kind == GM_KIND_NONE || type->columns[c].is_telemetry || names_cell(change, c)) continue;
        gm_cell_write gone = { .column = (uint16_t)c, .at = ingest };
        gm_status     st   = keep_sample(engine, twin, type, &gone, 0, err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

// A twin that changes its model or is deleted: values that only live in cells get series of their own, since the cells will go.
static gm_status keep_cells(gm_engine *engine, gm_twin twin, gm_error *err)
{
    const gm_type *type = gm_state_type(engine->state, twin);
    for (uint32_t c = 0; c < type->column_count; c++) {
        gm_cell cell;
        gm_state_get(engine->state, twin, c, &cell);
        uint32_t series = gm_engine_series(engine, type, c);
        if (cell.value.kind == GM_KIND_NONE || gm_history_has(engine->history, twin.v, series)) continue;
        gm_status st = gm_history_append(engine->history, twin.v, series, cell.source, cell.value, NULL, err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

static bool names_series(const gm_engine *engine, const gm_type *type, const gm_change *change, uint32_t series)
{
    gm_cell_write cell;
    for (const uint8_t *at = change->cells; gm_change_next_cell(change, &at, &cell);) {
        if (cell.column < type->column_count && gm_engine_series(engine, type, cell.column) == series) return true;
    }
    return false;
}

// A series goes on under the column with the same path of the new model. All cells go, so values that are not replaced are
// removed; those that come along and have a series are samples of it.
static gm_status keep_change_of_model(gm_engine *engine, const gm_record *record, gm_twin twin, const gm_change *change, gm_error *err)
{
    const gm_type *was = gm_state_type(engine->state, twin), *is = gm_model_find(engine->model, change->name);
    if (is == NULL) return GM_OK;  // the change will have no effect
    gm_status st = keep_cells(engine, twin, err);
    for (uint32_t c = 0; st == GM_OK && c < was->column_count; c++) {
        gm_cell  cell;
        uint32_t series = gm_engine_series(engine, was, c);
        gm_state_get(engine->state, twin, c, &cell);
        if (cell.value.kind == GM_KIND_NONE || names_series(engine, is, change, series)) continue;
        st = gm_history_append(engine->history, twin.v, series, record->ingest, (gm_value){ 0 }, NULL, err);
    }
    gm_cell_write cell;
    for (const uint8_t *at = change->cells; st == GM_OK && gm_change_next_cell(change, &at, &cell);) {
        if (cell.column >= is->column_count) return gm_fail(err, GM_CORRUPT, "engine", "column %u does not exist", cell.column);
        uint32_t series = gm_engine_series(engine, is, cell.column);
        if (!gm_history_has(engine->history, twin.v, series)) continue;
        st = gm_history_append(engine->history, twin.v, series, cell.at, cell.value, NULL, err);
    }
    return st;
}

// Before the state changes: what history needs to know of the old state.
static gm_status record_history(gm_engine *engine, const gm_record *record, const gm_change *change, gm_error *err)
{
    gm_twin twin = { change->twin };
    if (!gm_state_exists(engine->state, twin)) return GM_OK;
    const gm_type *type = gm_state_type(engine->state, twin);
    if (change->kind == GM_CHANGE_TWIN_DELETE) return keep_cells(engine, twin, err);
    if (change->kind == GM_CHANGE_TWIN_PUT) {
        if (!gm_str_eq(gm_state_id(engine->state, twin), change->id)) return GM_OK;
        if (!gm_str_eq(type->id, change->name)) return keep_change_of_model(engine, record, twin, change, err);
        gm_status st = keep_removals(engine, twin, change, record->ingest, err);
        if (st != GM_OK) return st;
    } else if (type->number != change->type) {
        return GM_OK;
    }
    if (change->flags & GM_WRITE_ROWS) return keep_rows(engine, twin, type, change, err);
    gm_cell_write cell;
    for (const uint8_t *at = change->cells; gm_change_next_cell(change, &at, &cell);) {
        if (cell.column >= type->column_count) return gm_fail(err, GM_CORRUPT, "engine", "column %u does not exist", cell.column);
        gm_status st = keep_sample(engine, twin, type, &cell, change->flags, err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

static gm_status apply_to_state(gm_engine *engine, const gm_record *record, const gm_change *change, gm_error *err)
{
    gm_status st = GM_OK;
    if (change->kind == GM_CHANGE_WRITE || change->kind == GM_CHANGE_TWIN_PUT || change->kind == GM_CHANGE_TWIN_DELETE) {
        st = record_history(engine, record, change, err);
    }
    if (st == GM_OK) st = gm_state_apply(engine->state, record->sequence, record->ingest, change, err);
    if (st != GM_OK) return st;
    engine->stats.samples += change->cell_count;
    engine->last_ingest = record->ingest;
    return GM_OK;
}

gm_status gm_engine_apply(gm_engine *engine, const gm_record *record, gm_change *change, gm_error *err)
{
    enum { STATE = 1, JOURNAL = 2 };
    gm_status st = gm_change_decode(record->kind, record->payload, record->size, change, err);
    if (st != GM_OK) return st;
    if (engine->done_of != record->sequence) engine->done = 0;
    engine->done_of = record->sequence;
    gm_past_states_before(engine->past, change->kind);
    for (size_t i = 0; i < engine->follower_count; i++) {
        if (engine->followers[i].before != NULL) engine->followers[i].before(engine->followers[i].context, record, change);
    }
    if ((engine->done & STATE) == 0) st = apply_to_state(engine, record, change, err);
    if (st != GM_OK) return st;
    engine->done |= STATE;
    if (change->kind == GM_CHANGE_HISTORY_DELETE && gm_engine_forget(engine, change, err) != GM_OK) return GM_NOMEM;
    if (change->kind == GM_CHANGE_MODELS && gm_paths_update(&engine->paths, engine->model) != GM_OK) {
        return gm_fail(err, GM_NOMEM, "engine", "numbering the paths of new models");
    }
    if (gm_change_of_models(change->kind) && (engine->done & JOURNAL) == 0 && gm_journal_add(engine, record, change) != GM_OK) {
        return gm_fail(err, GM_NOMEM, "engine", "keeping models for checkpoints");
    }
    engine->done |= JOURNAL;
    if (engine->folds[change->kind].call != NULL) {
        st = engine->folds[change->kind].call(engine->folds[change->kind].context, record, change, err);
    }
    for (size_t i = 0; st == GM_OK && i < engine->follower_count; i++) {
        if (engine->followers[i].after != NULL) engine->followers[i].after(engine->followers[i].context, record, change);
    }
    return st;
}
