// A program as it grows, column by column: what every solver takes.
#include "control/maintain/mip.h"

gm_mip gm_mip_init(const gm_alloc *alloc) { return (gm_mip){ .alloc = alloc }; }

void gm_mip_finish(gm_mip *m)
{
    if (m->alloc == NULL) return;
    gm_free(m->alloc, m->columns);
    gm_free(m->alloc, m->rows);
    gm_free(m->alloc, m->entry_rows);
    gm_free(m->alloc, m->entries);
    *m = (gm_mip){ .alloc = m->alloc };
}

uint32_t gm_mip_row(gm_mip *m, double low, double high)
{
    m->failed |= !gm_alloc_reserve(m->alloc, &m->rows, &m->row_room, m->row_count + 1, sizeof *m->rows);
    if (m->failed) return 0;
    m->rows[m->row_count] = (gm_mip_rows){ low, high };
    return (uint32_t)m->row_count++;
}

uint32_t gm_mip_column(gm_mip *m, double cost, double low, double high, bool whole)
{
    m->failed |= !gm_alloc_reserve(m->alloc, &m->columns, &m->column_room, m->column_count + 1, sizeof *m->columns);
    if (m->failed) return 0;
    m->columns[m->column_count] = (gm_mip_columns){ cost, low, high, (int32_t)m->entry_count, whole };
    return (uint32_t)m->column_count++;
}

void gm_mip_entry(gm_mip *m, uint32_t row, double value)
{
    m->failed |= m->entry_count >= GM_MIP_ENTRIES_MAX || row >= m->row_count;
    m->failed |= !gm_alloc_reserve(m->alloc, &m->entries, &m->entry_room, m->entry_count + 1, sizeof *m->entries);
    m->failed |= !gm_alloc_reserve(m->alloc, &m->entry_rows, &m->entry_row_room, m->entry_count + 1, sizeof *m->entry_rows);
    if (m->failed) return;
    m->entries[m->entry_count]      = value;
    m->entry_rows[m->entry_count++] = (int32_t)row;
}
