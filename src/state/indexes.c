#include "state/indexes.h"

#include "state/internal.h"

// ---- keys -----------------------------------------------------------------------------------------------------------

uint64_t gm_index_key_of_double(double value)
{
    union { double d; uint64_t u; } bits = { value == 0 ? 0.0 : value };  // -0 and 0 are equal
    return bits.u >> 63 ? ~bits.u : bits.u | UINT64_C(1) << 63;
}

uint64_t gm_index_key_of_int(int64_t value) { return (uint64_t)value ^ UINT64_C(1) << 63; }

uint64_t gm_index_key_of_text(gm_str text, gm_index_order order)
{
    if (order == GM_INDEX_HASHED) return gm_str_hash(text);
    uint64_t key = 0;
    for (size_t i = 0; i < 8; i++) key = key << 8 | (i < text.len ? (unsigned char)text.ptr[i] : 0);
    return key;
}

uint64_t gm_index_key_of(gm_value value, gm_index_order order)
{
    switch (value.kind) {
    case GM_KIND_DOUBLE: return gm_index_key_of_double(value.d);
    case GM_KIND_STRING:
    case GM_KIND_JSON: return gm_index_key_of_text(value.s, order);
    default: return gm_index_key_of_int(value.i);
    }
}

// ---- building -------------------------------------------------------------------------------------------------------

static gm_value cell_value(const gm_table_store *table, uint32_t row, uint32_t column)
{
    const gm_column_store *store = &table->columns[column];
    gm_value               value = { .kind = table->type->columns[column].kind };
    if (value.kind == GM_KIND_DOUBLE) value.d = store->d[row];
    else if (value.kind == GM_KIND_STRING || value.kind == GM_KIND_JSON) value.s = gm_text_view(store->s[row]);
    else value.i = store->i[row];
    return value;
}

static gm_status build(gm_state *state, gm_table_store *table, uint32_t column, gm_index_order order)
{
    gm_column_store *store   = &table->columns[column];
    gm_sorted       *sorted  = gm_sorted_create(state->alloc);
    gm_sorted_entry *entries = gm_alloc_array(state->alloc, (size_t)table->rows + 1, sizeof *entries);
    size_t           n       = 0;
    gm_status        st      = sorted != NULL && entries != NULL ? GM_OK : GM_NOMEM;
    for (uint32_t row = 0; st == GM_OK && store->source != NULL && row < table->rows; row++) {
        if (store->source[row] == GM_ABSENT) continue;
        entries[n++] = (gm_sorted_entry){ gm_index_key_of(cell_value(table, row, column), order), row };
    }
    if (st == GM_OK) st = gm_sorted_fill(sorted, entries, n);
    gm_free(state->alloc, entries);
    if (st != GM_OK) {
        gm_sorted_destroy(sorted);
        return st;
    }
    gm_sorted_destroy(store->sorted);
    store->sorted  = sorted;
    store->hashed  = order == GM_INDEX_HASHED;
    return GM_OK;
}

gm_status gm_state_index_table(gm_state *state, gm_table_store *table)
{
    for (size_t i = 0; i < state->index_count; i++) {
        uint32_t column = gm_type_column_index(table->type, state->indexes[i].path);
        if (column == GM_NO_COLUMN || table->type->columns[column].kind == GM_KIND_JSON) continue;
        gm_status st = build(state, table, column, state->indexes[i].order);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

static size_t find(const gm_state *state, gm_str path)
{
    size_t i = 0;
    while (i < state->index_count && !gm_str_eq(state->indexes[i].path, path)) i++;
    return i;
}

bool gm_state_index_drop(gm_state *state, gm_str path)
{
    size_t at = find(state, path);
    if (at == state->index_count) return false;
    for (size_t t = 0; t < state->table_count; t++) {
        gm_table_store *table  = &state->tables[t];
        uint32_t        column = table->type != NULL ? gm_type_column_index(table->type, path) : GM_NO_COLUMN;
        if (column == GM_NO_COLUMN) continue;
        gm_sorted_destroy(table->columns[column].sorted);
        table->columns[column].sorted = NULL;
    }
    gm_free(state->alloc, (void *)(uintptr_t)state->indexes[at].path.ptr);
    memmove(&state->indexes[at], &state->indexes[at + 1], (--state->index_count - at) * sizeof *state->indexes);
    return true;
}

gm_status gm_state_index_add(gm_state *state, gm_str path, gm_index_order order, gm_error *err)
{
    size_t at = find(state, path);
    if (at < state->index_count && state->indexes[at].order == order) return GM_OK;
    gm_state_index_drop(state, path);
    if (state->index_count == GM_STATE_INDEXES_MAX) {
        return gm_fail(err, GM_LIMIT, "state", "there are %d indexes, as many as there may be", GM_STATE_INDEXES_MAX);
    }
    char *copy = gm_alloc_bytes(state->alloc, path.len + 1);
    if (copy == NULL) return gm_fail(err, GM_NOMEM, "state", "making an index");
    memcpy(copy, path.ptr, path.len);
    gm_str own = { copy, path.len };
    state->indexes[state->index_count++] = (gm_index_info){ .path = own, .order = order };
    for (size_t t = 0; t < state->table_count; t++) {
        gm_table_store *table  = &state->tables[t];
        uint32_t        column = table->type != NULL ? gm_type_column_index(table->type, own) : GM_NO_COLUMN;
        if (column == GM_NO_COLUMN || table->type->columns[column].kind == GM_KIND_JSON) continue;
        if (build(state, table, column, order) == GM_OK) continue;
        gm_state_index_drop(state, own);
        return gm_fail(err, GM_NOMEM, "state", "making an index");
    }
    return GM_OK;
}

size_t gm_state_index_count(const gm_state *state) { return state->index_count; }

gm_index_info gm_state_index_at(const gm_state *state, size_t i)
{
    gm_index_info info = state->indexes[i];
    for (size_t t = 0; t < state->table_count; t++) {
        const gm_table_store *table  = &state->tables[t];
        uint32_t              column = table->type != NULL ? gm_type_column_index(table->type, info.path) : GM_NO_COLUMN;
        if (column != GM_NO_COLUMN && table->columns[column].sorted != NULL) info.entries += gm_sorted_count(table->columns[column].sorted);
    }
    return info;
}

const gm_sorted *gm_state_index_of(const gm_state *state, size_t type_number, uint32_t column, gm_index_order *out_order)
{
    const gm_table_store *table = &state->tables[type_number];
    *out_order                  = table->columns[column].hashed ? GM_INDEX_HASHED : GM_INDEX_ORDERED;
    return table->columns[column].sorted;
}
