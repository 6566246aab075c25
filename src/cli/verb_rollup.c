// gemel rollup: what the systems of a running plant amount to.
#include "cli/client.h"
#include "cli/table.h"
#include "cli/verbs.h"

enum { OPT_HTTP, OPT_TWIN, OPT_LIMIT, OPT_JSON };
static const gm_option options[] = {
    [OPT_HTTP]  = GM_CLIENT_HTTP,
    [OPT_TWIN]  = { "twin", GM_OPTION_TEXT, "TWIN", NULL, "only this system" },
    [OPT_LIMIT] = { "limit", GM_OPTION_COUNT, "N", "100", "most rows" },
    [OPT_JSON]  = { "json", GM_OPTION_FLAG, NULL, NULL, "print the server's answer as JSON" },
};
static const gm_operand operands[] = { { "NAME", "only this roll-up", .optional = true } };

static gm_str value_of(const gm_cli *cli, const json_t *item)
{
    const json_t *value = json_object_get(item, "value"), *spare = json_object_get(item, "spare");
    if (json_object_get(item, "trouble") != NULL) return gm_client_text(item, "trouble");
    if (spare != NULL)
        return gm_arena_printf(cli->arena, "%s: %lld of %lld needed", json_is_true(value) ? "works" : json_is_false(value) ? "does not work" : "not known",
                               json_integer_value(json_object_get(item, "working")), json_integer_value(json_object_get(item, "needed")));
    if (json_is_string(value)) return gm_str_of(json_string_value(value));
    return json_is_number(value) ? gm_arena_printf(cli->arena, "%.10g", json_number_value(value)) : GM_STR("-");
}

static gm_exit print_table(const gm_cli *cli, const json_t *answer, const void *context)
{
    (void)context;
    enum { COLUMNS = 6 };
    const json_t  *items         = json_object_get(answer, "items");
    gm_buf         out           = gm_buf_init(cli->alloc);
    gm_table_text *table         = gm_table_text_create(cli->arena, COLUMNS);
    const gm_str   head[COLUMNS] = { GM_STR("ROLL-UP"), GM_STR("SYSTEM"), GM_STR("FUNCTION"), GM_STR("VALUE"), GM_STR("MEMBERS"), GM_STR("MISSING") };
    gm_table_text_add(table, head);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item           = json_array_get(items, i);
        const gm_str  cells[COLUMNS] = { gm_client_text(item, "name"), gm_client_text(item, "twin").len > 0 ? gm_client_text(item, "twin") : GM_STR("(plant)"), gm_client_text(item, "function"), value_of(cli, item),
                                         gm_arena_printf(cli->arena, "%lld", json_integer_value(json_object_get(item, "members"))),
                                         gm_arena_printf(cli->arena, "%lld", json_integer_value(json_object_get(item, "missing"))) };
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, &out);
    if (json_array_size(items) == 0) fputs("nothing is rolled up\n", cli->err);
    return gm_client_print(cli, &out);
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    static const gm_client_view view = { .http_option = OPT_HTTP, .json_option = OPT_JSON, .print = print_table };
    const char *name = gm_args_operand(args, 0), *twin = gm_args_text(args, OPT_TWIN);
    const char *path = GM_CLIENT_PATH(cli->arena, "/v1/rollups?limit=", gm_args_text(args, OPT_LIMIT));
    if (path != NULL && name != NULL) path = GM_CLIENT_PATH(cli->arena, gm_arena_printf(cli->arena, "%s&name=", path).ptr, name);
    if (path != NULL && twin != NULL) path = GM_CLIENT_PATH(cli->arena, gm_arena_printf(cli->arena, "%s&twin=", path).ptr, twin);
    return gm_client_show(cli, args, path, &view);
}

const gm_verb gm_verb_rollup = {
    .name     = "rollup",
    .summary  = "show what systems amount to, from their parts",
    .text     = "The roll-ups that the running plant declares (rules/*.rollups; docs/rollups.md): sums, extremes, means, k-out-of-n, worst states, OEE "
                "and intensities of every system, as of now.",
    .examples = "gemel rollup\ngemel rollup flow --twin waterworks",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
