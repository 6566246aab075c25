// gemel forecast: where one property of a twin goes.
#include "cli/client.h"
#include "cli/table.h"
#include "cli/verbs.h"

enum { OPT_HTTP, OPT_HORIZON, OPT_STEP, OPT_CSV, OPT_JSON };
static const gm_option options[] = {
    [OPT_HTTP]    = GM_CLIENT_HTTP,
    [OPT_HORIZON] = { "horizon", GM_OPTION_COUNT, "N", "24", "steps ahead; at most a third of what is known" },
    [OPT_STEP]    = { "step", GM_OPTION_DURATION, "LENGTH", NULL,
                      "their length, such as 5m (default: the usual distance of the samples)" },
    [OPT_CSV]     = { "csv", GM_OPTION_FLAG, NULL, NULL, "print CSV instead of a table" },
    [OPT_JSON]    = { "json", GM_OPTION_FLAG, NULL, NULL, "print the server's answer as JSON" },
};
static const gm_operand operands[] = {
    { "TWIN", "the twin's id" },
    { "PROPERTY", "a name, or a path such as motor/temperature" },
};

static gm_exit print_points(const gm_cli *cli, const json_t *answer, const void *args)
{
    enum { COLUMNS = 4 };
    const json_t  *points        = json_object_get(answer, "points");
    gm_buf         out           = gm_buf_init(cli->alloc);
    gm_table_text *table         = gm_table_text_create(cli->arena, COLUMNS);
    const gm_str   head[COLUMNS] = { GM_STR("TIME"), GM_STR("VALUE"), GM_STR("LOW"), GM_STR("HIGH") };
    gm_table_text_add(table, head);
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *p              = json_array_get(points, i);
        gm_str        cells[COLUMNS] = { gm_str_of(json_string_value(json_array_get(p, 0))) };
        for (size_t k = 1; k < COLUMNS; k++)
            cells[k] = gm_arena_printf(cli->arena, "%.6g", json_number_value(json_array_get(p, k)));
        gm_table_text_add(table, cells);
    }
    if (gm_args_given(args, OPT_CSV)) gm_table_text_write_csv(table, &out);
    else gm_table_text_write(table, &out);
    const json_t *errors = json_object_get(answer, "errors");
    fprintf(cli->err, "%s; season of %lld steps; mean error %.4g, naive %.4g\n",
            json_string_value(json_object_get(answer, "method")),
            (long long)json_integer_value(json_object_get(answer, "season")),
            json_number_value(json_object_get(errors, json_string_value(json_object_get(answer, "method")))),
            json_number_value(json_object_get(errors, "naive")));
    return gm_client_print(cli, &out);
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    const char *path =
        GM_CLIENT_PATH(cli->arena, "/v1/forecasts?twin=", gm_args_operand(args, 0),
                       "&property=", gm_args_operand(args, 1), "&horizon=", gm_args_text(args, OPT_HORIZON));
    if (path != NULL && gm_args_given(args, OPT_STEP))
        path =
            GM_CLIENT_PATH(cli->arena, gm_arena_printf(cli->arena, "%s&step=", path).ptr, gm_args_text(args, OPT_STEP));
    return gm_client_show(cli, args, path, &(gm_client_view){ OPT_HTTP, OPT_JSON, print_points, args });
}

const gm_verb gm_verb_forecast = {
    .name    = "forecast",
    .summary = "say where a property of a twin goes, from its own past",
    .text = "Naive (the last value), seasonal naive, exponential smoothing and boosted trees (on lags, season, hour and "
            "weekday) are held against each other on the last third of the history; what is not naive is offered only where "
            "it wins. LOW and HIGH hold nine truths in ten.",
    .examples = "gemel forecast pump7 flow --horizon 48\ngemel forecast building temperature --step 1h --csv",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
