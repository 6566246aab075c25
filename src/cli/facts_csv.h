// cli/facts_csv.h: facts of the thread from a table: each row becomes one, and many rows one request.
//
//   static const char *const names[] = { "twin", "key", "value" };
//   static const gm_facts_table table = { names, 3, 1 << 0 | 1 << 1, write_row };
//   code = gm_facts_csv_import(cli, args, OPT_HTTP, file, &table);
#ifndef GM_CLI_FACTS_CSV_H
#define GM_CLI_FACTS_CSV_H

#include "base/buf.h"
#include "cli/verb.h"

enum { GM_FACTS_CSV_COLUMNS = 16 };

typedef struct gm_facts_csv gm_facts_csv;

// Appends the fact of the row at hand as a JSON object. What can not be one: says why (gm_facts_csv_fail).
typedef gm_exit gm_facts_csv_row(gm_facts_csv *csv, gm_buf *out);

typedef struct gm_facts_table {
    const char *const *names;   // [count] that the file's first line may hold, in any order
    size_t             count;   // at most GM_FACTS_CSV_COLUMNS
    uint32_t           needed;  // bits: those that it must hold
    gm_facts_csv_row  *row;
} gm_facts_table;

// A cell of the row at hand, trimmed; empty when the file has no such column.
gm_str  gm_facts_csv_cell(const gm_facts_csv *csv, size_t which);
size_t  gm_facts_csv_line(const gm_facts_csv *csv);
gm_exit gm_facts_csv_fail(const gm_facts_csv *csv, const char *fmt, ...) GM_PRINTF(2, 3);  // "FILE:LINE: ..."
const gm_cli *gm_facts_csv_cli(const gm_facts_csv *csv);

// Reads the file, adds its rows in their order, and says how many there were. Rows before one that is refused are added.
gm_exit gm_facts_csv_import(const gm_cli *cli, const gm_args *args, size_t http_option, const char *file, const gm_facts_table *table);

#endif
