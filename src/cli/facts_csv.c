#include "cli/facts_csv.h"

#include "cli/client.h"
#include "cli/csv.h"

#include <stdarg.h>
#include <stdio.h>

enum { FILE_MAX = 256 << 20, FACTS_A_BODY = 5000, BYTES_A_BODY = 1 << 20 };

struct gm_facts_csv {
    const gm_cli         *cli;
    const gm_facts_table *table;
    const char           *file;
    gm_http              *http;
    gm_buf                cells[GM_FACTS_CSV_COLUMNS];
    size_t                column[GM_FACTS_CSV_COLUMNS];  // which cell of the file is which; SIZE_MAX: not in the file
    size_t                cell_count, line, rows, waiting;
    gm_buf                body;
};

gm_str gm_facts_csv_cell(const gm_facts_csv *csv, size_t which)
{
    return csv->column[which] != SIZE_MAX ? gm_str_trim(gm_buf_view(&csv->cells[csv->column[which]])) : (gm_str){ 0 };
}

size_t        gm_facts_csv_line(const gm_facts_csv *csv) { return csv->line; }
const gm_cli *gm_facts_csv_cli(const gm_facts_csv *csv) { return csv->cli; }

gm_exit gm_facts_csv_fail(const gm_facts_csv *csv, const char *fmt, ...)
{
    char    text[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return gm_cli_fail_text(csv->cli, GM_EXIT_NO, "%s:%zu: %s", csv->file, csv->line, text);
}

static gm_exit missing_columns(const gm_facts_csv *csv)
{
    gm_buf  needed = gm_buf_init(csv->cli->alloc), others = gm_buf_init(csv->cli->alloc);
    for (size_t i = 0; i < csv->table->count; i++) {
        gm_buf *out = (csv->table->needed >> i & 1) != 0 ? &needed : &others;
        gm_buf_printf(out, "%s%s", out->len > 0 ? "," : "", csv->table->names[i]);
    }
    gm_exit code = gm_cli_fail_text(csv->cli, GM_EXIT_NO, "%s:1: the first line names the columns: " GM_STR_FMT " and perhaps " GM_STR_FMT, csv->file, GM_STR_ARG(gm_buf_view(&needed)),
                                    GM_STR_ARG(gm_buf_view(&others)));
    gm_buf_finish(&needed);
    gm_buf_finish(&others);
    return code;
}

static gm_exit read_head(gm_facts_csv *csv, gm_str *rest)
{
    const gm_facts_table *t    = csv->table;
    uint32_t              seen = 0;
    csv->cell_count            = gm_csv_next(rest, csv->cells, t->count, &csv->line);
    for (size_t i = 0; i < t->count; i++) csv->column[i] = SIZE_MAX;
    for (size_t i = 0; i < csv->cell_count && i < t->count; i++) {
        size_t which = 0;
        gm_str name  = gm_str_trim(gm_buf_view(&csv->cells[i]));
        while (which < t->count && !gm_str_is(name, t->names[which])) which++;
        if (which == t->count) return gm_cli_fail_text(csv->cli, GM_EXIT_NO, "%s:1: there is no column '" GM_STR_FMT "'", csv->file, GM_STR_ARG(gm_str_slice(name, 0, 60)));
        csv->column[which] = i;
        seen |= 1u << which;
    }
    return csv->cell_count > t->count || (seen & t->needed) != t->needed ? missing_columns(csv) : GM_EXIT_OK;
}

static gm_exit send(gm_facts_csv *csv)
{
    gm_http_answer answer;
    if (csv->waiting == 0) return GM_EXIT_OK;
    gm_buf_add(&csv->body, "]", 2);
    gm_exit code = csv->body.failed ? gm_cli_fail_text(csv->cli, GM_EXIT_SYSTEM, "out of memory")
                                    : gm_client_ask(csv->cli, csv->http, "POST", "/v1/thread", "application/json", (const char *)csv->body.ptr, &answer);
    if (code == GM_EXIT_OK) gm_http_answer_finish(&answer);
    gm_buf_clear(&csv->body);
    csv->waiting = 0;
    return code;
}

static gm_exit add_row(gm_facts_csv *csv)
{
    gm_buf_text(&csv->body, csv->waiting++ > 0 ? "," : "[");
    gm_exit code = csv->table->row(csv, &csv->body);
    if (code != GM_EXIT_OK) return code;
    csv->rows++;
    return csv->waiting == FACTS_A_BODY || csv->body.len > BYTES_A_BODY ? send(csv) : GM_EXIT_OK;
}

static gm_exit import_text(gm_facts_csv *csv, gm_str text)
{
    size_t  n;
    gm_exit code = read_head(csv, &text);
    while (code == GM_EXIT_OK && (n = gm_csv_next(&text, csv->cells, csv->table->count, &csv->line)) > 0) {
        if (n != csv->cell_count) return gm_facts_csv_fail(csv, "the row has %zu cells, not %zu", n, csv->cell_count);
        code = add_row(csv);
    }
    return code == GM_EXIT_OK ? send(csv) : code;
}

gm_exit gm_facts_csv_import(const gm_cli *cli, const gm_args *args, size_t http_option, const char *file, const gm_facts_table *table)
{
    gm_facts_csv csv   = { .cli = cli, .table = table, .file = file, .body = gm_buf_init(cli->alloc) };
    uint8_t     *bytes = NULL;
    size_t       size  = 0;
    gm_error     err   = { 0 };
    for (size_t i = 0; i < GM_FACTS_CSV_COLUMNS; i++) csv.cells[i] = gm_buf_init(cli->alloc);
    gm_exit code = gm_client_open(cli, args, http_option, &csv.http);
    if (code == GM_EXIT_OK && gm_io_read_file(cli->io, file, FILE_MAX, &bytes, &size, &err) != GM_OK) code = gm_cli_fail(cli, &err);
    if (code == GM_EXIT_OK) code = import_text(&csv, (gm_str){ (const char *)bytes, size });
    if (code == GM_EXIT_OK) fprintf(cli->out, "%zu rows\n", csv.rows);
    for (size_t i = 0; i < GM_FACTS_CSV_COLUMNS; i++) gm_buf_finish(&csv.cells[i]);
    gm_buf_finish(&csv.body);
    gm_free(cli->io->alloc, bytes);
    gm_http_close(csv.http);
    return code;
}
