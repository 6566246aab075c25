// gemel bom show, where-used, rollup, gaps: bills of materials as people read them.
#include "cli/client.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "control/json.h"

#include <stdlib.h>

enum { OPT_HTTP, OPT_VALID, OPT_KNOWN, OPT_SERIAL, OPT_LEVELS, OPT_ALTERNATES, OPT_INSTALLED, OPT_JSON };
static const gm_option options[] = {
    [OPT_HTTP]       = GM_CLIENT_HTTP,
    [OPT_VALID]      = { "valid", GM_OPTION_TIME, "TIME", NULL, "effective then; now unless given" },
    [OPT_KNOWN]      = { "known", GM_OPTION_TIME, "TIME", NULL, "as it was known then; everything known unless given" },
    [OPT_SERIAL]     = { "serial", GM_OPTION_TEXT, "SERIAL", NULL, "of the assembly: rows that are effective for it" },
    [OPT_LEVELS]     = { "levels", GM_OPTION_COUNT, "COUNT", NULL, "at most so many levels" },
    [OPT_ALTERNATES] = { "alternates", GM_OPTION_FLAG, NULL, NULL, "parts that may take a position's place, too" },
    [OPT_INSTALLED]  = { "installed", GM_OPTION_FLAG, NULL, NULL, "the serialised parts that are in it, in place of the bill's rows" },
    [OPT_JSON]       = { "json", GM_OPTION_FLAG, NULL, NULL, "print the server's answer as JSON" },
};

// "/v1/bom/ID/WHAT?...": what was given.
static const char *path_of(const gm_cli *cli, const gm_args *args, const char *what)
{
    gm_buf      path = gm_buf_init(cli->alloc);
    const char *head = GM_CLIENT_PATH(cli->arena, "/v1/bom/", gm_args_operand(args, 0), what);
    static const struct { size_t option; const char *name; } texts[] = { { OPT_VALID, "valid" }, { OPT_KNOWN, "known" }, { OPT_SERIAL, "serial" }, { OPT_LEVELS, "levels" } };
    gm_buf_printf(&path, "%s?alternates=%s&installed=%s", head != NULL ? head : "", gm_args_given(args, OPT_ALTERNATES) ? "true" : "false",
                  gm_args_given(args, OPT_INSTALLED) ? "true" : "false");
    for (size_t i = 0; i < GM_COUNT_OF(texts); i++) {
        if (!gm_args_given(args, texts[i].option)) continue;
        const char *value = GM_CLIENT_PATH(cli->arena, "", gm_args_text(args, texts[i].option));
        gm_buf_printf(&path, "&%s=%s", texts[i].name, value != NULL ? value : "");
    }
    gm_str kept = path.failed || head == NULL ? (gm_str){ 0 } : gm_arena_str(cli->arena, gm_buf_view(&path));
    gm_buf_finish(&path);
    return kept.ptr;
}

static gm_str number_text(const gm_cli *cli, const json_t *value)
{
    gm_buf out = gm_buf_init(cli->alloc);
    gm_client_write_value(value, &out);
    gm_str kept = out.failed ? (gm_str){ 0 } : gm_arena_str(cli->arena, gm_buf_view(&out));
    gm_buf_finish(&out);
    return kept;
}

enum { COLUMNS = 7 };

static gm_exit print_rows(const gm_cli *cli, const json_t *answer, const void *context)
{
    (void)context;
    gm_buf         out   = gm_buf_init(cli->alloc);
    const json_t  *items = json_object_get(answer, "items");
    gm_table_text *table = gm_table_text_create(cli->arena, COLUMNS);
    const gm_str   head[COLUMNS] = { GM_STR("LEVEL"), GM_STR("POSITION"), GM_STR("PART"), GM_STR("IN"), GM_STR("QUANTITY"), GM_STR("TOTAL"), GM_STR("UNIT") };
    gm_table_text_add(table, head);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *r     = json_array_get(items, i);
        size_t        level = (size_t)json_integer_value(json_object_get(r, "level"));
        bool          other = json_is_true(json_object_get(r, "alternate"));
        const gm_str  cells[COLUMNS] = { gm_arena_printf(cli->arena, "%.*s%zu", (int)(level < 20 ? level - 1 : 19), "...................", level),
                                         gm_json_text(r, "position"), gm_arena_printf(cli->arena, GM_STR_FMT "%s", GM_STR_ARG(gm_json_text(r, "part")), other ? " (alternate)" : ""),
                                         gm_json_text(r, "assembly"), number_text(cli, json_object_get(r, "quantity")), number_text(cli, json_object_get(r, "total")), gm_json_text(r, "unit") };
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, &out);
    if (json_array_size(items) == 0) fputs("no rows\n", cli->err);
    return gm_client_print(cli, &out);
}

static const gm_client_view rows = { .http_option = OPT_HTTP, .json_option = OPT_JSON, .print = print_rows };

static gm_exit show(const gm_cli *cli, const gm_args *args) { return gm_client_show(cli, args, path_of(cli, args, ""), &rows); }
static gm_exit where_used(const gm_cli *cli, const gm_args *args) { return gm_client_show(cli, args, path_of(cli, args, "/where-used"), &rows); }

static const gm_operand show_operands[] = { { "ASSEMBLY", "a twin, or a part number" } };
static const gm_operand used_operands[] = { { "PART", "a twin, or a part number" } };

const gm_verb gm_verb_bom_show = {
    .name     = "bom show",
    .summary  = "show a bill of materials, level by level",
    .text     = "TOTAL is how many are needed for one of what was asked about. With --installed the parts that are in that very thing, as the thread knows.",
    .examples = "gemel bom show pump-P100\ngemel bom show pump-P100 --serial 0042 --valid 2026-01-01T00:00:00Z\ngemel bom show engine1 --installed",
    .syntax   = GM_SYNTAX(options, show_operands),
    .run      = show,
};

const gm_verb gm_verb_bom_where_used = {
    .name     = "bom where-used",
    .summary  = "show where a part is used, all the way up",
    .examples = "gemel bom where-used bolt-M8\ngemel bom where-used bolt-M8 --levels 1",
    .syntax   = GM_SYNTAX(options, used_operands),
    .run      = where_used,
};

// ---- rollup -----------------------------------------------------------------------------------------------------------

static const gm_operand rollup_operands[] = { { "ASSEMBLY", "a twin, or a part number" }, { "KEY", "what is added up: mass, cost, carbon, or any other number of the parts" } };

static gm_exit print_sum(const gm_cli *cli, const json_t *answer, const void *context)
{
    (void)context;
    gm_buf        out     = gm_buf_init(cli->alloc);
    gm_str        unit    = gm_json_text(answer, "unit");
    const json_t *missing = json_object_get(answer, "missing");
    size_t        count   = (size_t)json_integer_value(json_object_get(answer, "missingCount"));
    gm_buf_printf(&out, GM_STR_FMT ": " GM_STR_FMT " " GM_STR_FMT "\n", GM_STR_ARG(gm_json_text(answer, "key")), GM_STR_ARG(number_text(cli, json_object_get(answer, "total"))), GM_STR_ARG(unit));
    if (json_object_get(answer, "declared") != NULL)
        gm_buf_printf(&out, "declared: " GM_STR_FMT " " GM_STR_FMT "\n", GM_STR_ARG(number_text(cli, json_object_get(answer, "declared"))), GM_STR_ARG(unit));
    for (size_t i = 0; i < json_array_size(missing); i++) gm_buf_printf(&out, "missing: %s\n", json_string_value(json_array_get(missing, i)));
    if (count > json_array_size(missing)) gm_buf_printf(&out, "missing: %zu more\n", count - json_array_size(missing));
    gm_exit code = gm_client_print(cli, &out);
    return code == GM_EXIT_OK && count > 0 ? GM_EXIT_NO : code;
}

static gm_exit rollup(const gm_cli *cli, const gm_args *args)
{
    static const gm_client_view view = { .http_option = OPT_HTTP, .json_option = OPT_JSON, .print = print_sum };
    const char *path = path_of(cli, args, "/rollup");
    if (path != NULL) path = GM_CLIENT_PATH(cli->arena, gm_arena_printf(cli->arena, "%s&key=", path).ptr, gm_args_operand(args, 1));
    return gm_client_show(cli, args, path, &view);
}

const gm_verb gm_verb_bom_rollup = {
    .name     = "bom rollup",
    .summary  = "add up the mass, cost or carbon of all parts",
    .text     = "A part counts with its fact KEY; an assembly with its parts and its fact `KEY added`, the work of putting it together. What an assembly "
                "declares itself is printed to compare. Exit code 1: parts say nothing, and the sum is too small.",
    .examples = "gemel bom rollup pump-P100 mass\ngemel bom rollup pump-P100 cost --valid 2026-01-01T00:00:00Z",
    .syntax   = GM_SYNTAX(options, rollup_operands),
    .run      = rollup,
};

// ---- gaps ---------------------------------------------------------------------------------------------------------------

static gm_exit print_gaps(const gm_cli *cli, const json_t *answer, const void *context)
{
    (void)context;
    gm_buf        out   = gm_buf_init(cli->alloc);
    const json_t *items = json_object_get(answer, "items");
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *g = json_array_get(items, i), *first = json_object_get(g, "firstSerial"), *last = json_object_get(g, "lastSerial");
        gm_str        from = gm_json_text(g, "from"), to = gm_json_text(g, "to");
        gm_buf_printf(&out, "position " GM_STR_FMT ": %s", GM_STR_ARG(gm_json_text(g, "position")), gm_str_is(gm_json_text(g, "kind"), "gap") ? "no part" : "more than one part");
        if (from.len > 0) gm_buf_printf(&out, " from " GM_STR_FMT, GM_STR_ARG(from));
        if (to.len > 0) gm_buf_printf(&out, " to " GM_STR_FMT, GM_STR_ARG(to));
        if (first != NULL || last != NULL)
            gm_buf_printf(&out, " for serials " GM_STR_FMT " to " GM_STR_FMT, GM_STR_ARG(number_text(cli, first)), GM_STR_ARG(number_text(cli, last)));
        gm_buf_byte(&out, '\n');
    }
    if (json_array_size(items) == 0) fputs("no gaps\n", cli->err);
    gm_exit code = gm_client_print(cli, &out);
    return code == GM_EXIT_OK && json_array_size(items) > 0 ? GM_EXIT_NO : code;
}

static gm_exit gaps(const gm_cli *cli, const gm_args *args)
{
    static const gm_client_view view = { .http_option = OPT_HTTP, .json_option = OPT_JSON, .print = print_gaps };
    return gm_client_show(cli, args, path_of(cli, args, "/gaps"), &view);
}

const gm_verb gm_verb_bom_gaps = {
    .name     = "bom gaps",
    .summary  = "find times and serials for which a position has no part, or several",
    .text     = "Exit code 1: there are some.",
    .examples = "gemel bom gaps pump-P100",
    .syntax   = GM_SYNTAX(options, show_operands),
    .run      = gaps,
};
