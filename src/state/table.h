// state/table.h: the rows and columns of one type. Inside state/ only; readers use gm_table from state.h.
//
// Columns get their arrays with the first value that is written to them: a type with hundreds of optional properties
// costs what is used. Invariant: an absent cell has source GM_ABSENT and value NaN, 0 or NULL; a hole is absent
// everywhere.
#ifndef GM_STATE_TABLE_H
#define GM_STATE_TABLE_H

#include "state/sorted.h"
#include "state/state.h"
#include "state/text_pool.h"
#include "state/times.h"

typedef struct gm_column_store {
    union { void *any; double *d; int64_t *i; gm_text **s; };
    gm_time_ns *source;
    gm_times    ingest;
    gm_sorted  *sorted;  // its index; NULL: none
    bool        hashed;  // the index is of hashes
} gm_column_store;

typedef struct gm_table_store {
    const gm_type   *type;
    uint32_t         rows, live, capacity;
    uint32_t        *twins;
    uint32_t        *holes;  // stack of free rows
    size_t           hole_count, hole_capacity;
    gm_column_store *columns;
    gm_cells        *views;  // the same arrays, as readers see them
} gm_table_store;

GM_NODISCARD gm_status gm_table_init(gm_table_store *table, const gm_alloc *alloc, const gm_type *type);
void gm_table_finish(gm_table_store *table, const gm_alloc *alloc, gm_text_pool *texts);

// A row for the twin, all cells absent. GM_NOMEM: the table is unchanged.
GM_NODISCARD gm_status gm_table_add_row(gm_table_store *table, const gm_alloc *alloc, uint32_t twin, uint32_t *out_row);
void gm_table_remove_row(gm_table_store *table, gm_text_pool *texts, uint32_t row);

// For loading: room for so many rows, and the arrays of a column with nothing in them yet (texts NULL). GM_NOMEM.
GM_NODISCARD gm_status gm_table_reserve(gm_table_store *table, const gm_alloc *alloc, uint32_t rows);
GM_NODISCARD gm_status gm_table_add_column(gm_table_store *table, const gm_alloc *alloc, size_t column);

// Writes one cell; kind NONE makes it absent. The value's kind is the column's (checked by whoever made the change;
// GM_CORRUPT otherwise). GM_NOMEM: unchanged.
GM_NODISCARD gm_status gm_table_set(gm_table_store *table, const gm_alloc *alloc, gm_text_pool *texts, uint32_t row,
                                    uint32_t column, gm_value value, gm_time_ns source, gm_time_ns ingest);

static inline gm_time_ns gm_table_source(const gm_table_store *table, uint32_t row, uint32_t column)
{
    const gm_time_ns *source = table->columns[column].source;
    return source != NULL ? source[row] : GM_ABSENT;
}

#endif
