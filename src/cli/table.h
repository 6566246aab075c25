// cli/table.h: rows of texts as aligned columns for the terminal, or as CSV (RFC 4180).
//
//   gm_table_text *t = gm_table_text_create(arena, 3);
//   gm_table_text_add(t, cells);                    // the first row is the header
//   gm_table_text_write(t, &out);
#ifndef GM_CLI_TABLE_H
#define GM_CLI_TABLE_H

#include "base/arena.h"
#include "base/buf.h"

typedef struct gm_table_text gm_table_text;

// NULL without memory; the others take that for a table, and so a caller need not ask: writing fails its buffer.
gm_table_text *gm_table_text_create(gm_arena *arena, size_t columns);
// Copies the row's cells into the arena. Without memory the table is marked and writing it fails.
void gm_table_text_add(gm_table_text *table, const gm_str *cells);

// Numbers are set to the right. Cells are cut at 60 characters; control characters become '?'. A header without rows is not
// written, but as CSV.
void gm_table_text_write(const gm_table_text *table, gm_buf *out);
void gm_table_text_write_csv(const gm_table_text *table, gm_buf *out);

#endif
