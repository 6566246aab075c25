// gemel alarms: what wants attention, and what people do about it.
#include "cli/client.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "control/json.h"

enum { OPT_HTTP, OPT_ALL, OPT_UNDER, OPT_REASON, OPT_FOR, OPT_JSON };
static const gm_option options[] = {
    [OPT_HTTP]   = GM_CLIENT_HTTP,
    [OPT_ALL]    = { "all", GM_OPTION_FLAG, NULL, NULL, "also those that are normal, shelved, suppressed or out of service" },
    [OPT_UNDER]  = { "under", GM_OPTION_TEXT, "TWIN", NULL, "only those of this twin and what is under it" },
    [OPT_REASON] = { "reason", GM_OPTION_TEXT, "TEXT", NULL, "why; needed to shelve and to take out of service" },
    [OPT_FOR]    = { "for", GM_OPTION_DURATION, "TIME", NULL, "how long an alarm is shelved, as in 8h" },
    [OPT_JSON]   = { "json", GM_OPTION_FLAG, NULL, NULL, "print the server's answer as JSON" },
};
static const gm_operand operands[] = {
    { "ACTION", "acknowledge, reset, shelve, unshelve, remove-from-service, return-to-service, or metrics", .optional = true },
    { "ALARM", "which one, NAME@TWIN", .optional = true },
};

static gm_exit print_table(const gm_cli *cli, const json_t *answer, const void *context)
{
    (void)context;
    enum { COLUMNS = 6 };
    const json_t  *items = json_object_get(answer, "items");
    gm_buf         out   = gm_buf_init(cli->alloc);
    gm_table_text *table = gm_table_text_create(cli->arena, COLUMNS);
    const gm_str   head[COLUMNS] = { GM_STR("ALARM"), GM_STR("PRIORITY"), GM_STR("STATE"), GM_STR("RAISED"), GM_STR("COUNT"), GM_STR("TEXT") };
    gm_table_text_add(table, head);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        const gm_str  cells[COLUMNS] = { gm_json_text(item, "id"), gm_json_text(item, "priority"), gm_json_text(item, "state"),
                                         gm_json_text(item, "raised"),
                                         gm_arena_printf(cli->arena, "%lld", (long long)json_integer_value(json_object_get(item, "count"))),
                                         gm_json_text(item, "text") };
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, &out);
    if (json_array_size(items) == 0) fputs("no alarms\n", cli->err);
    return gm_client_print(cli, &out);
}

static gm_exit list(const gm_cli *cli, const gm_args *args)
{
    static const gm_client_view view = { .http_option = OPT_HTTP, .json_option = OPT_JSON, .print = print_table };
    const char *path = gm_args_given(args, OPT_ALL) ? "/v1/alarms?all=true" : "/v1/alarms?all=false";
    if (gm_args_given(args, OPT_UNDER))
        path = GM_CLIENT_PATH(cli->arena, gm_arena_printf(cli->arena, "%s&under=", path).ptr,
                              gm_args_text(args, OPT_UNDER));
    return gm_client_show(cli, args, path, &view);
}

static gm_exit show(const gm_cli *cli, gm_http *http, const char *path)
{
    gm_http_answer answer;
    gm_exit        code = gm_client_ask(cli, http, "GET", path, NULL, NULL, &answer);
    if (code != GM_EXIT_OK) return code;
    fprintf(cli->out, "%.*s\n", (int)answer.text.len, (const char *)answer.text.ptr);
    gm_http_answer_finish(&answer);
    return GM_EXIT_OK;
}

static gm_exit act(const gm_cli *cli, const gm_args *args, gm_http *http, const char *action, const char *alarm)
{
    gm_http_answer answer;
    gm_buf         body = gm_buf_init(cli->alloc);
    const char    *path = GM_CLIENT_PATH(cli->arena, "/v1/alarms/", alarm, "/", action);
    gm_buf_text(&body, "{\"reason\":");
    gm_buf_json_str(&body, gm_str_of(gm_args_given(args, OPT_REASON) ? gm_args_text(args, OPT_REASON) : ""));
    if (gm_args_given(args, OPT_FOR)) gm_json_member(&body, "for", gm_str_of(gm_args_text(args, OPT_FOR)));
    gm_buf_add(&body, "}", 2);
    gm_exit code = path == NULL || body.failed ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory")
                                               : gm_client_ask(cli, http, "POST", path, "application/json", (const char *)body.ptr, &answer);
    gm_buf_finish(&body);
    if (code != GM_EXIT_OK) return code;
    gm_str state = gm_json_text(answer.body, "state");
    if (gm_args_given(args, OPT_JSON)) fprintf(cli->out, "%.*s\n", (int)answer.text.len, (const char *)answer.text.ptr);
    else fprintf(cli->out, "%s: " GM_STR_FMT "\n", alarm, GM_STR_ARG(state));
    gm_http_answer_finish(&answer);
    return GM_EXIT_OK;
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    gm_http    *http   = NULL;
    const char *action = gm_args_operand(args, 0), *alarm = gm_args_operand(args, 1);
    bool        counts = action != NULL && strcmp(action, "metrics") == 0;
    if (action != NULL && !counts && alarm == NULL) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "which alarm? gemel alarms %s NAME@TWIN", action);
    if (action == NULL) return list(cli, args);
    gm_exit code = gm_client_open(cli, args, OPT_HTTP, &http);
    if (code != GM_EXIT_OK) return code;
    code = counts ? show(cli, http, "/v1/alarms/metrics") : act(cli, args, http, action, alarm);
    gm_http_close(http);
    return code;
}

const gm_verb gm_verb_alarms = {
    .name     = "alarms",
    .summary  = "list alarms, acknowledge and shelve them",
    .text     = "Without an action: every alarm that is active or not acknowledged, the most urgent first. States are those of ISA-18.2.\n\n"
                "With metrics: how the alarm system does: rates, floods, chattering and standing alarms, as JSON.",
    .examples = "gemel alarms\ngemel alarms acknowledge leak@main\ngemel alarms shelve leak@main --for 8h --reason \"sensor is being replaced\"",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
