#include "state/table.h"

#include "state/indexes.h"

#include <assert.h>
#include <math.h>

gm_status gm_table_init(gm_table_store *table, const gm_alloc *alloc, const gm_type *type)
{
    *table         = (gm_table_store){ .type = type };
    table->columns = gm_alloc_zeroed(alloc, (type->column_count + 1) * sizeof *table->columns);
    table->views   = gm_alloc_zeroed(alloc, (type->column_count + 1) * sizeof *table->views);
    if (table->columns == NULL || table->views == NULL) {
        gm_table_finish(table, alloc, NULL);
        return GM_NOMEM;
    }
    for (size_t c = 0; c < type->column_count; c++) table->views[c].kind = type->columns[c].kind;
    return GM_OK;
}

static bool holds_text(const gm_table_store *table, size_t column)
{
    gm_kind kind = table->type->columns[column].kind;
    return kind == GM_KIND_STRING || kind == GM_KIND_JSON;
}

void gm_table_finish(gm_table_store *table, const gm_alloc *alloc, gm_text_pool *texts)
{
    for (size_t c = 0; table->columns != NULL && c < table->type->column_count; c++) {
        gm_column_store *store = &table->columns[c];
        if (store->any != NULL && holds_text(table, c)) {
            for (uint32_t row = 0; row < table->rows; row++) gm_text_drop(texts, store->s[row]);
        }
        gm_sorted_destroy(store->sorted);
        gm_free(alloc, store->any);
        gm_free(alloc, store->source);
        gm_times_finish(&store->ingest, alloc);
    }
    gm_free(alloc, table->columns);
    gm_free(alloc, table->views);
    gm_free(alloc, table->twins);
    gm_free(alloc, table->holes);
    *table = (gm_table_store){ 0 };
}

static void clear_cell(const gm_table_store *table, uint32_t row, size_t column)
{
    const gm_column_store *store = &table->columns[column];
    if (store->source == NULL) return;
    switch (table->type->columns[column].kind) {
    case GM_KIND_DOUBLE: store->d[row] = NAN; break;
    case GM_KIND_STRING:
    case GM_KIND_JSON: store->s[row] = NULL; break;
    default: store->i[row] = 0;
    }
    store->source[row] = GM_ABSENT;
}

static void show(gm_table_store *table, size_t column)
{
    const gm_column_store *store = &table->columns[column];
    gm_cells              *view  = &table->views[column];
    switch (view->kind) {
    case GM_KIND_DOUBLE: view->d = store->d; break;
    case GM_KIND_STRING:
    case GM_KIND_JSON: view->s = (const gm_text *const *)store->s; break;
    default: view->i = store->i;
    }
    view->source = store->source;
    view->ingest = &store->ingest;
}

// Resizes the arrays of one column. On refusal what was resized stays larger than needed, which harms nobody.
static gm_status resize_column(gm_table_store *table, const gm_alloc *alloc, size_t column, uint32_t capacity)
{
    gm_column_store *store  = &table->columns[column];
    if (gm_times_reserve(&store->ingest, alloc, capacity) != GM_OK) return GM_NOMEM;
    void *values = gm_realloc_array(alloc, store->any, capacity, 8);
    if (values == NULL) return GM_NOMEM;
    store->any         = values;
    gm_time_ns *source = gm_realloc_array(alloc, store->source, capacity, sizeof *source);
    if (source == NULL) {
        if (store->source == NULL) {  // a column that was never there: leave no half of one
            gm_free(alloc, store->any);
            store->any = NULL;
        } else {
            show(table, column);
        }
        return GM_NOMEM;
    }
    store->source = source;
    show(table, column);
    return GM_OK;
}
_Static_assert(sizeof(double) == 8 && sizeof(gm_text *) == 8, "cells are 8 bytes");

static gm_status grow(gm_table_store *table, const gm_alloc *alloc)
{
    // By a quarter once large: pages that no row has touched cost nothing, but address space and copies do.
    uint32_t by       = table->capacity < 65536 ? table->capacity : table->capacity / 4;
    uint32_t capacity = table->capacity + (by > 0 ? by : 4);
    if (capacity < table->capacity) return GM_NOMEM;
    uint32_t *twins = gm_realloc_array(alloc, table->twins, capacity, sizeof *twins);
    if (twins == NULL) return GM_NOMEM;
    table->twins = twins;
    for (size_t c = 0; c < table->type->column_count; c++) {
        if (table->columns[c].source == NULL) continue;
        gm_status st = resize_column(table, alloc, c, capacity);
        if (st != GM_OK) return st;
    }
    table->capacity = capacity;
    return GM_OK;
}

gm_status gm_table_reserve(gm_table_store *table, const gm_alloc *alloc, uint32_t rows)
{
    if (rows == 0) return GM_OK;
    if (!gm_alloc_reserve(alloc, &table->holes, &table->hole_capacity, rows, sizeof *table->holes)) return GM_NOMEM;
    uint32_t *twins = gm_realloc_array(alloc, table->twins, rows, sizeof *twins);
    if (twins == NULL) return GM_NOMEM;
    table->twins    = twins;
    table->capacity = rows;
    return GM_OK;
}

gm_status gm_table_add_column(gm_table_store *table, const gm_alloc *alloc, size_t column)
{
    gm_status st = resize_column(table, alloc, column, table->capacity);
    if (st != GM_OK) return st;
    for (uint32_t r = 0; r < table->rows; r++) clear_cell(table, r, column);
    return GM_OK;
}

gm_status gm_table_add_row(gm_table_store *table, const gm_alloc *alloc, uint32_t twin, uint32_t *out_row)
{
    uint32_t row;
    if (table->hole_count > 0) {
        row = table->holes[--table->hole_count];
    } else {
        if (table->rows == table->capacity) {
            gm_status st = grow(table, alloc);
            if (st != GM_OK) return st;
        }
        // Room for this row's hole is made now, so that removing it can not fail.
        if (!gm_alloc_reserve(alloc, &table->holes, &table->hole_capacity, table->rows + 1, sizeof *table->holes)) {
            return GM_NOMEM;
        }
        row = table->rows++;
        for (size_t c = 0; c < table->type->column_count; c++) clear_cell(table, row, c);
    }
    table->twins[row] = twin;
    table->live++;
    *out_row = row;
    return GM_OK;
}

static gm_value value_at(const gm_table_store *table, uint32_t row, uint32_t column)
{
    const gm_column_store *store = &table->columns[column];
    gm_value               value = { .kind = table->type->columns[column].kind };
    if (store->source == NULL || store->source[row] == GM_ABSENT) return (gm_value){ 0 };
    if (value.kind == GM_KIND_DOUBLE) value.d = store->d[row];
    else if (holds_text(table, column)) value.s = gm_text_view(store->s[row]);
    else value.i = store->i[row];
    return value;
}

static void leave_index(const gm_table_store *table, uint32_t row, uint32_t column, gm_value value)
{
    const gm_column_store *store = &table->columns[column];
    if (store->sorted == NULL || value.kind == GM_KIND_NONE) return;
    gm_sorted_remove(store->sorted, gm_index_key_of(value, store->hashed ? GM_INDEX_HASHED : GM_INDEX_ORDERED), row);
}

// The index of a column follows its cell: in with the new value, which memory may refuse, then out with the old.
static gm_status follow_index(const gm_table_store *table, uint32_t row, uint32_t column, gm_value value)
{
    const gm_column_store *store = &table->columns[column];
    if (store->sorted == NULL) return GM_OK;
    gm_index_order order = store->hashed ? GM_INDEX_HASHED : GM_INDEX_ORDERED;
    gm_value       old   = value_at(table, row, column);
    bool           was = old.kind != GM_KIND_NONE, is = value.kind != GM_KIND_NONE;
    if (was && is && gm_index_key_of(old, order) == gm_index_key_of(value, order)) return GM_OK;
    if (is && gm_sorted_add(store->sorted, gm_index_key_of(value, order), row) != GM_OK) return GM_NOMEM;
    leave_index(table, row, column, old);
    return GM_OK;
}

void gm_table_remove_row(gm_table_store *table, gm_text_pool *texts, uint32_t row)
{
    assert(row < table->rows && table->twins[row] != GM_NONE);
    for (size_t c = 0; c < table->type->column_count; c++) {
        if (table->columns[c].source == NULL) continue;
        leave_index(table, row, (uint32_t)c, value_at(table, row, (uint32_t)c));
        if (holds_text(table, c)) gm_text_drop(texts, table->columns[c].s[row]);
        clear_cell(table, row, c);
    }
    table->twins[row]                 = GM_NONE;
    table->holes[table->hole_count++] = row;
    table->live--;
}

gm_status gm_table_set(gm_table_store *table, const gm_alloc *alloc, gm_text_pool *texts, uint32_t row, uint32_t column,
                       gm_value value, gm_time_ns source, gm_time_ns ingest)
{
    assert(row < table->rows && column < table->type->column_count);
    gm_column_store *store = &table->columns[column];
    gm_kind          kind  = table->type->columns[column].kind;
    if (value.kind != kind && value.kind != GM_KIND_NONE) return GM_CORRUPT;
    if (store->source == NULL) {
        if (value.kind == GM_KIND_NONE) return GM_OK;
        gm_status st = gm_table_add_column(table, alloc, column);
        if (st != GM_OK) return st;
    }
    if (value.kind != GM_KIND_NONE && gm_times_room(&store->ingest, alloc, store->source, table->rows, row, ingest) != GM_OK) {
        return GM_NOMEM;
    }
    if (kind == GM_KIND_STRING || kind == GM_KIND_JSON) {
        gm_text *text = NULL;
        if (value.kind != GM_KIND_NONE && (text = gm_text_add(texts, value.s)) == NULL) return GM_NOMEM;
        if (follow_index(table, row, column, value) != GM_OK) {
            gm_text_drop(texts, text);
            return GM_NOMEM;
        }
        gm_text_drop(texts, store->s[row]);
        store->s[row] = text;
    } else if (follow_index(table, row, column, value) != GM_OK) {
        return GM_NOMEM;
    } else if (kind == GM_KIND_DOUBLE) {
        store->d[row] = value.kind != GM_KIND_NONE ? value.d : NAN;
    } else {
        store->i[row] = value.kind != GM_KIND_NONE ? value.i : 0;
    }
    store->source[row] = value.kind != GM_KIND_NONE ? source : GM_ABSENT;
    if (value.kind != GM_KIND_NONE) gm_times_set(&store->ingest, row, ingest);
    return GM_OK;
}
