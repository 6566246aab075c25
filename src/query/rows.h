// query/rows.h: what becomes of the rows that a plan finds: written as they come, counted, or collected to be grouped
// and sorted.
#ifndef GM_QUERY_ROWS_H
#define GM_QUERY_ROWS_H

#include "query/filter.h"

// One row as JSON, from what is bound in eval (and eval->aggregates for a group).
void gm_row_write(gm_eval *eval, gm_buf *out);

// Collects rows: for ORDER BY the best `keep` of them, for GROUP BY one per group with its aggregates.
typedef struct gm_rowset gm_rowset;

// arena: everything lies there. keep: rows that will be asked for (SIZE_MAX: all). NULL: memory refused.
GM_NODISCARD gm_rowset *gm_rowset_create(gm_eval *eval, gm_arena *arena, size_t keep);

// Takes the row that is bound in eval. GM_NOMEM also when the arena's limit is reached.
GM_NODISCARD gm_status gm_rowset_add(gm_rowset *rowset);

// The same for the rows of a mask over a table. True: all were taken. False: rows that can not get in were cleared, and
// the others are to be given one by one.
bool gm_rowset_add_block(gm_rowset *rowset, gm_filter *filter, uint32_t first, size_t n, uint8_t *mask,
                         gm_status *out_status);

// No more rows: sorts. Then rows 0..count-1 can be bound to eval, one after the other.
GM_NODISCARD gm_status gm_rowset_finish(gm_rowset *rowset);
size_t                 gm_rowset_count(const gm_rowset *rowset);
void                   gm_rowset_bind(gm_rowset *rowset, size_t i);

#endif
