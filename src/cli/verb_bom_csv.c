// gemel bom import, export: bills of materials as CSV.
#include "base/number.h"
#include "cli/client.h"
#include "cli/facts_csv.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "control/json.h"

#include <stdlib.h>

enum { ASSEMBLY, POSITION, VARIANT, PART, QUANTITY, UNIT, ALTERNATE, SERIALS, FROM, TO, COLUMNS };
static const char *const names[COLUMNS] = { "assembly", "position", "variant", "part", "quantity", "unit", "alternate", "serials", "from", "to" };
enum { OPT_HTTP };
static const gm_option options[] = { [OPT_HTTP] = GM_CLIENT_HTTP };

// ---- import -----------------------------------------------------------------------------------------------------------

static gm_exit write_row(gm_facts_csv *csv, gm_buf *out)
{
    double quantity = 1.0;
    gm_str number = gm_facts_csv_cell(csv, QUANTITY), other = gm_facts_csv_cell(csv, ALTERNATE), serials = gm_facts_csv_cell(csv, SERIALS), variant = gm_facts_csv_cell(csv, VARIANT);
    bool   alternate = gm_str_is(other, "yes") || gm_str_is(other, "true");
    if (number.len > 0 && gm_number_read(number, &quantity) != number.len) return gm_facts_csv_fail(csv, "'" GM_STR_FMT "' is no quantity", GM_STR_ARG(gm_str_slice(number, 0, 40)));
    if (other.len > 0 && !alternate && !gm_str_is(other, "no") && !gm_str_is(other, "false")) return gm_facts_csv_fail(csv, "'alternate' is yes or no");
    gm_str key = gm_arena_printf(gm_facts_csv_cli(csv)->arena, "bom/" GM_STR_FMT "%s" GM_STR_FMT, GM_STR_ARG(gm_facts_csv_cell(csv, POSITION)), variant.len > 0 ? "~" : "", GM_STR_ARG(variant));
    gm_buf_text(out, "{\"phase\":\"as-designed\",\"twin\":");
    gm_buf_json_str(out, gm_facts_csv_cell(csv, ASSEMBLY));
    gm_json_member(out, "key", key);
    gm_json_member(out, "part", gm_facts_csv_cell(csv, PART));
    gm_buf_printf(out, ",\"quantity\":%.17g", quantity);
    gm_json_member(out, "unit", gm_facts_csv_cell(csv, UNIT));
    gm_json_member(out, "from", gm_facts_csv_cell(csv, FROM));
    gm_json_member(out, "to", gm_facts_csv_cell(csv, TO));
    if (alternate || serials.len > 0) {
        gm_buf_printf(out, ",\"more\":{\"alternate\":%s", alternate ? "true" : "false");
        gm_json_member(out, "serials", serials);
        gm_buf_byte(out, '}');
    }
    gm_buf_printf(out, ",\"cause\":\"line %zu of an imported file\"}", gm_facts_csv_line(csv));
    return GM_EXIT_OK;
}

static gm_exit import(const gm_cli *cli, const gm_args *args)
{
    static const gm_facts_table table = { names, COLUMNS, 1u << ASSEMBLY | 1u << POSITION | 1u << PART, write_row };
    return gm_facts_csv_import(cli, args, OPT_HTTP, gm_args_operand(args, 0), &table);
}

static const gm_operand import_operands[] = { { "FILE", "CSV; its first line names the columns" } };

const gm_verb gm_verb_bom_import = {
    .name     = "bom import",
    .summary  = "bring in bills of materials from CSV",
    .text     = "Columns in any order: assembly, position, part; and, where there are any, variant (when a position has several rows), quantity (1), unit, alternate "
                "(yes or no), serials (1-99,120-), from, to. Rows that are there already are corrected.",
    .examples = "gemel bom import pump.csv",
    .syntax   = GM_SYNTAX(options, import_operands),
    .run      = import,
};

// ---- export -----------------------------------------------------------------------------------------------------------

enum { EX_HTTP, EX_VALID, EX_KNOWN };
static const gm_option export_options[] = {
    [EX_HTTP] = GM_CLIENT_HTTP,
    [EX_VALID] = { "valid", GM_OPTION_TIME, "TIME", NULL, "only what is effective then; all times unless given" },
    [EX_KNOWN] = { "known", GM_OPTION_TIME, "TIME", NULL, "as it was known then; everything known unless given" },
};
static const gm_operand export_operands[] = { { "ASSEMBLY", "a twin, or a part number" } };

// A row's own line: an assembly that is used in several places stands in the file once, a row of it once for each time in which it is effective.
static bool seen(json_t *done, const json_t *row)
{
    char   *key  = NULL;
    gm_str  a = gm_json_text(row, "assembly"), p = gm_json_text(row, "position"), v = gm_json_text(row, "variant");
    gm_str  from = gm_json_text(row, "from");
    json_t *text = json_pack("[s%s%s%s%]", a.ptr, a.len, p.ptr != NULL ? p.ptr : "", p.len, v.ptr != NULL ? v.ptr : "", v.len, from.ptr != NULL ? from.ptr : "", from.len);
    if (text != NULL) key = json_dumps(text, JSON_COMPACT);
    bool before = key != NULL && json_object_get(done, key) != NULL;
    if (key != NULL && !before) (void)json_object_set_new(done, key, json_true());
    free(key);
    json_decref(text);
    return before;
}

static void csv_number(const json_t *value, gm_buf *out)
{
    char text[GM_NUMBER_TEXT];
    gm_buf_add(out, text, gm_number_write(json_number_value(value), text));
}

static gm_exit write_csv(const gm_cli *cli, const json_t *items)
{
    gm_buf         out   = gm_buf_init(cli->alloc), quantity = gm_buf_init(cli->alloc);
    gm_table_text *table = gm_table_text_create(cli->arena, COLUMNS);
    json_t        *done  = json_object();
    gm_str         cells[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++) cells[i] = gm_str_of(names[i]);
    if (table == NULL || done == NULL) out.failed = true;
    else gm_table_text_add(table, cells);
    for (size_t i = 0; !out.failed && i < json_array_size(items); i++) {
        const json_t *r = json_array_get(items, i), *more = json_object_get(r, "more");
        if (seen(done, r)) continue;
        gm_buf_clear(&quantity);
        csv_number(json_object_get(r, "quantity"), &quantity);
        for (size_t c = 0; c < COLUMNS; c++) cells[c] = gm_json_text(r, names[c]);
        cells[QUANTITY]  = gm_buf_view(&quantity);
        cells[ALTERNATE] = json_is_true(json_object_get(r, "alternate")) ? GM_STR("yes") : (gm_str){ 0 };
        cells[SERIALS]   = gm_json_text(more, "serials");
        gm_table_text_add(table, cells);
    }
    if (!out.failed) gm_table_text_write_csv(table, &out);
    json_decref(done);
    gm_buf_finish(&quantity);
    return gm_client_print(cli, &out);
}

static gm_exit export(const gm_cli *cli, const gm_args *args)
{
    gm_http       *http = NULL;
    gm_http_answer answer;
    bool           then = gm_args_given(args, EX_VALID);
    const char    *path = GM_CLIENT_PATH(cli->arena, "/v1/bom/", gm_args_operand(args, 0), then ? "?alternates=true&valid=" : "?alternates=true&ever=true&valid=", then ? gm_args_text(args, EX_VALID) : "",
                                         "&known=", gm_args_given(args, EX_KNOWN) ? gm_args_text(args, EX_KNOWN) : "");
    gm_exit        code = path == NULL ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory") : gm_client_open(cli, args, EX_HTTP, &http);
    if (code == GM_EXIT_OK) code = gm_client_ask(cli, http, "GET", path, NULL, NULL, &answer);
    if (code == GM_EXIT_OK) {
        code = write_csv(cli, json_object_get(answer.body, "items"));
        gm_http_answer_finish(&answer);
    }
    gm_http_close(http);
    return code;
}

const gm_verb gm_verb_bom_export = {
    .name     = "bom export",
    .summary  = "write a bill of materials, all levels, as CSV",
    .text     = "What `gemel bom import` reads: each assembly's rows once, wherever it is used, and rows of all times, past and to come, each from and to when it "
                "is effective. With --valid only those that are effective then.",
    .examples = "gemel bom export pump-P100 > pump.csv\ngemel bom export pump-P100 --valid 2027-01-01T00:00:00Z",
    .syntax   = GM_SYNTAX(export_options, export_operands),
    .run      = export,
};
