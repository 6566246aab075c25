// query/rows.h: what becomes of the rows that a plan finds: written as they come, counted, or collected to be grouped
// and sorted.
#ifndef GM_QUERY_ROWS_H
#define GM_QUERY_ROWS_H

#include "query/eval.h"

// One row as JSON, from what is bound in eval (and eval->aggregates for a group).
void gm_row_write(gm_eval *eval, gm_buf *out);

// Collects rows: for ORDER BY the best `keep` of them, for GROUP BY one per group with its aggregates.
typedef struct gm_rowset gm_rowset;

// arena: everything lies there. keep: rows that will be asked for (SIZE_MAX: all). NULL: memory refused.
GM_NODISCARD gm_rowset *gm_rowset_create(gm_eval *eval, gm_arena *arena, size_t keep);

// Takes the row that is bound in eval. GM_NOMEM also when the arena's limit is reached.
GM_NODISCARD gm_status gm_rowset_add(gm_rowset *rowset);

// No more rows: sorts. Then rows 0..count-1 can be bound to eval, one after the other.
GM_NODISCARD gm_status gm_rowset_finish(gm_rowset *rowset);
size_t                 gm_rowset_count(const gm_rowset *rowset);
void                   gm_rowset_bind(gm_rowset *rowset, size_t i);

#endif
