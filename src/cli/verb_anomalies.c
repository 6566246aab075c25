// gemel anomalies: what the detectors of a running plant found.
#include "cli/client.h"
#include "cli/table.h"
#include "cli/verbs.h"

enum { OPT_HTTP, OPT_LIMIT, OPT_JSON };
static const gm_option options[] = {
    [OPT_HTTP]  = GM_CLIENT_HTTP,
    [OPT_LIMIT] = { "limit", GM_OPTION_COUNT, "N", "20", "most rows" },
    [OPT_JSON]  = { "json", GM_OPTION_FLAG, NULL, NULL, "print the server's answer as JSON" },
};
static const gm_operand operands[] = { { "TWIN", "only this one", .optional = true } };

static gm_str signals_text(const gm_cli *cli, const json_t *item)
{
    const json_t *list = json_object_get(item, "signals");
    gm_str        text = GM_STR("");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        text = gm_arena_printf(cli->arena, GM_STR_FMT "%s" GM_STR_FMT " %.0f %%", GM_STR_ARG(text), i > 0 ? ", " : "",
                               GM_STR_ARG(gm_client_text(one, "property")),
                               100 * json_number_value(json_object_get(one, "share")));
    }
    return text;
}

static gm_exit print_table(const gm_cli *cli, const json_t *answer, const void *context)
{
    (void)context;
    enum { COLUMNS = 6 };
    const json_t  *items         = json_object_get(answer, "items");
    gm_buf         out           = gm_buf_init(cli->alloc);
    gm_table_text *table         = gm_table_text_create(cli->arena, COLUMNS);
    const gm_str   head[COLUMNS] = { GM_STR("TWIN"), GM_STR("DETECTOR"), GM_STR("START"),
                                     GM_STR("END"),  GM_STR("SCORE"),    GM_STR("SIGNALS") };
    gm_table_text_add(table, head);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item           = json_array_get(items, i);
        const gm_str  cells[COLUMNS] = { gm_client_text(item, "twin"),
                                         gm_client_text(item, "detector"),
                                         gm_client_text(item, "start"),
                                         gm_client_text(item, "end"),
                                         gm_arena_printf(cli->arena, "%.2f",
                                                         json_number_value(json_object_get(item, "score"))),
                                         signals_text(cli, item) };
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, &out);
    if (json_array_size(items) == 0) fputs("nothing found\n", cli->err);
    return gm_client_print(cli, &out);
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    static const gm_client_view view = { .http_option = OPT_HTTP, .json_option = OPT_JSON, .print = print_table };
    const char *twin = gm_args_operand(args, 0);
    const char *path = GM_CLIENT_PATH(cli->arena, "/v1/anomalies?limit=", gm_args_text(args, OPT_LIMIT));
    if (path != NULL && twin != NULL)
        path = GM_CLIENT_PATH(cli->arena, gm_arena_printf(cli->arena, "%s&twin=", path).ptr, twin);
    return gm_client_show(cli, args, path, &view);
}

const gm_verb gm_verb_anomalies = {
    .name    = "anomalies",
    .summary = "list what detectors found, the newest first",
    .text = "What the running plant's detectors (insight/*.json) told: when it began and ended, its highest score (1 "
            "is the limit of "
            "detectors for sensors that go together, 2.6 of those for single signals), and which signals caused it.",
    .examples = "gemel anomalies\ngemel anomalies engine-017",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
