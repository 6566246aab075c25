#include "cli/client.h"
#include "cli/verbs.h"

#include <stdlib.h>

enum { OPT_HTTP, OPT_QUERY, OPT_COUNT, OPT_JSON };
static const gm_option options[] = {
    [OPT_HTTP]  = GM_CLIENT_HTTP,
    [OPT_QUERY] = { "query", GM_OPTION_TEXT, "QUERY", NULL, "watch the twins that a query finds" },
    [OPT_COUNT] = { "count", GM_OPTION_COUNT, "N", NULL, "end after so many changes (without it: never)" },
    [OPT_JSON]  = { "json", GM_OPTION_FLAG, NULL, NULL, "print each event as one line of JSON" },
};
static const gm_operand operands[] = {
    { "TWIN", "ids of twins", .optional = true, .repeats = true },
};

typedef struct watching {
    const gm_cli *cli;
    bool          json;
    uint64_t      left;   // changes until the end
} watching;

// One line for each value that changed: TIME TWIN PATH VALUE.
static void print_change(const watching *w, const json_t *change)
{
    const char *twin = json_string_value(json_object_get(change, "twin")), *path;
    json_t     *entry;
    json_object_foreach(json_object_get(change, "values"), path, entry) {
        const char *time = json_string_value(json_object_get(entry, "sourceTime"));
        gm_buf      out  = gm_buf_init(w->cli->alloc);
        gm_buf_printf(&out, "%s %s %s ", time != NULL ? time : "-", twin != NULL ? twin : "-", path);
        gm_client_write_value(json_object_get(entry, "value"), &out);
        gm_buf_byte(&out, '\n');
        if (!out.failed) fwrite(out.ptr, 1, out.len, w->cli->out);
        gm_buf_finish(&out);
    }
}

static bool on_event(void *context, gm_str event, gm_str data)
{
    watching *w = context;
    if (gm_str_is(event, "alive")) return true;
    bool is_change = gm_str_is(event, "change");
    if (w->json) {
        fprintf(w->cli->out, "{\"event\":\"" GM_STR_FMT "\",\"data\":" GM_STR_FMT "}\n", GM_STR_ARG(event),
                GM_STR_ARG(data));
    } else {
        json_t *body = json_loadb(data.ptr, data.len, 0, NULL);
        if (is_change) print_change(w, body);
        else if (!gm_str_is(event, "snapshot"))
            fprintf(w->cli->out, GM_STR_FMT " " GM_STR_FMT "\n", GM_STR_ARG(event), GM_STR_ARG(data));
        json_decref(body);
    }
    if (fflush(w->cli->out) != 0) return false;  // nobody reads any more
    if (is_change && w->left != UINT64_MAX) w->left--;
    return w->left > 0;
}

// /v1/stream?twin=a&twin=b, or ?query=...
static const char *stream_path(const gm_cli *cli, const gm_args *args)
{
    const char *query = gm_args_text(args, OPT_QUERY);
    if (query != NULL) return GM_CLIENT_PATH(cli->arena, "/v1/stream?query=", query);
    const char *path = GM_CLIENT_PATH(cli->arena, "/v1/stream?twin=", args->operands[0]);
    for (size_t i = 1; i < args->operand_count && path != NULL; i++) {
        path = GM_CLIENT_PATH(cli->arena, gm_arena_printf(cli->arena, "%s&twin=", path).ptr, args->operands[i]);
    }
    return path;
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    if ((args->operand_count == 0) == !gm_args_given(args, OPT_QUERY)) {
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "name twins, or a --query that finds them (not both)");
    }
    watching w = { .cli = cli, .json = gm_args_given(args, OPT_JSON),
                   .left = gm_args_given(args, OPT_COUNT) ? (uint64_t)gm_args_count(args, OPT_COUNT) : UINT64_MAX };
    if (w.left == 0) return GM_EXIT_OK;
    gm_http *http = NULL;
    gm_exit  code = gm_client_open(cli, args, OPT_HTTP, &http);
    if (code != GM_EXIT_OK) return code;
    const char *path = stream_path(cli, args);
    gm_error    err  = {0};
    if (path == NULL) code = gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    else if (gm_http_stream(http, path, on_event, &w, &err) != GM_OK)
        code = gm_client_fail(cli, &err, err.status == GM_NOTFOUND);
    gm_http_close(http);
    return code;
}

const gm_verb gm_verb_watch = {
    .name    = "watch",
    .summary = "print every change of some twins as it is committed",
    .text    = "One line for each value: its source time, the twin, the property and the value. Ctrl-C ends it.",
    .examples =
        "gemel watch engine-001 engine-002\ngemel watch --query \"SELECT * FROM DIGITALTWINS WHERE T24 > 643\" --json",
    .syntax = GM_SYNTAX(options, operands),
    .run    = run,
};
