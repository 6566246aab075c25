#include "cli/client.h"
#include "cli/table.h"
#include "cli/term_plot.h"
#include "cli/verbs.h"

#include <math.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { OPT_HTTP, OPT_FROM, OPT_TO, OPT_LAST, OPT_POINTS, OPT_CSV, OPT_JSON, OPT_PLOT, OPT_DELETE };
static const gm_option options[] = {
    [OPT_HTTP] = GM_CLIENT_HTTP,
    [OPT_FROM] = { "from", GM_OPTION_TIME, "TIME", NULL, "from this source time on, RFC 3339" },
    [OPT_TO]   = { "to", GM_OPTION_TIME, "TIME", NULL, "up to, not including, this time" },
    [OPT_LAST] = { "last", GM_OPTION_DURATION, "LENGTH", NULL, "instead of --from: so far back from now, such as 24h" },
    [OPT_POINTS] = { "points", GM_OPTION_COUNT, "N", NULL,
                     "at most about so many points, smallest and largest of each stretch kept" },
    [OPT_CSV]    = { "csv", GM_OPTION_FLAG, NULL, NULL, "print CSV instead of a table" },
    [OPT_JSON]   = { "json", GM_OPTION_FLAG, NULL, NULL,
                     "print {\"twin\",\"property\",\"unit\",\"points\":[[time,value],...]}" },
    [OPT_PLOT]   = { "plot", GM_OPTION_FLAG, NULL, NULL, "draw a chart" },
    [OPT_DELETE] = { "delete", GM_OPTION_FLAG, NULL, NULL,
                     "delete it for good instead; without PROPERTY everything that the twin ever was" },
};
static const gm_operand operands[] = {
    { "TWIN", "the twin's id" },
    { "PROPERTY", "a name, or a path such as motor/temperature; may be left out with --delete", .optional = true },
};

// The first page's path: parts that were not given are left out.
static const char *first_path(const gm_cli *cli, const gm_args *args)
{
    const char *path = GM_CLIENT_PATH(cli->arena, "/v1/history?twin=", gm_args_operand(args, 0),
                                      "&property=", gm_args_operand(args, 1));
    const char *from = gm_args_text(args, OPT_FROM), *to = gm_args_text(args, OPT_TO),
               *points = gm_args_text(args, OPT_POINTS);
    char        last[GM_TIME_TEXT];
    if (gm_args_given(args, OPT_LAST)) {
        gm_time_ns now = gm_now(cli->clock), back = gm_args_duration(args, OPT_LAST);
        gm_time_format(back < now ? now - back : 0, last);
        from = last;
    }
    const struct {
        const char *name, *value;
    } extras[] = { { "&from=", from }, { "&to=", to }, { "&points=", points } };
    for (size_t i = 0; i < GM_COUNT_OF(extras) && path != NULL; i++) {
        if (extras[i].value == NULL) continue;
        path =
            GM_CLIENT_PATH(cli->arena, gm_arena_printf(cli->arena, "%s%s", path, extras[i].name).ptr, extras[i].value);
    }
    // A chart shows two points in each of its columns; more would only be sent to be dropped.
    if (path != NULL && gm_args_given(args, OPT_PLOT) && points == NULL)
        path = gm_arena_printf(cli->arena, "%s&points=2000", path).ptr;
    return path;
}

static gm_exit print_table(const gm_cli *cli, const json_t *history, bool csv)
{
    gm_buf         out = gm_buf_init(cli->alloc), value = gm_buf_init(cli->alloc);
    const char    *unit   = json_string_value(json_object_get(history, "unit"));
    const json_t  *points = json_object_get(history, "points");
    gm_table_text *table  = gm_table_text_create(cli->arena, 2);
    gm_str         head[] = { GM_STR("time"), gm_str_of(json_string_value(json_object_get(history, "property"))) };
    if (unit != NULL && unit[0] != '\0')
        head[1] = gm_arena_printf(cli->arena, GM_STR_FMT " (%s)", GM_STR_ARG(head[1]), unit);
    if (table == NULL || head[1].ptr == NULL) out.failed = true;
    else gm_table_text_add(table, head);
    for (size_t i = 0; !out.failed && i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i);
        gm_buf_clear(&value);
        if (!json_is_null(json_array_get(point, 1))) gm_client_write_value(json_array_get(point, 1), &value);
        gm_str cells[] = { gm_str_of(json_string_value(json_array_get(point, 0))), gm_buf_view(&value) };
        gm_table_text_add(table, cells);
    }
    if (!out.failed && csv) gm_table_text_write_csv(table, &out);
    else if (!out.failed) gm_table_text_write(table, &out);
    gm_buf_finish(&value);
    return gm_client_print(cli, &out);
}

static gm_exit print_plot(const gm_cli *cli, const json_t *history)
{
    const json_t *points = json_object_get(history, "points");
    size_t        n      = json_array_size(points);
    double       *x = GM_ARENA_NEW(cli->arena, double, n + 1), *y = GM_ARENA_NEW(cli->arena, double, n + 1);
    if (x == NULL || y == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        const json_t *point = json_array_get(points, i), *value = json_array_get(point, 1);
        gm_time_ns    at    = 0;
        if (gm_time_parse(gm_str_of(json_string_value(json_array_get(point, 0))), &at, NULL) != GM_OK) continue;
        x[i] = (double)at / 1e9;
        y[i] = json_is_number(value)    ? json_number_value(value)
               : json_is_boolean(value) ? json_is_true(value)
                                        : (double)NAN;
    }
    struct winsize size;
    gm_term_plot   plot = { .x_kind = GM_TERM_X_TIME, .unit = json_string_value(json_object_get(history, "unit")) };
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        plot.width  = size.ws_col - 1u;
        plot.height = size.ws_row > 30 ? 24 : 16;
    }
    gm_term_series series = { .x = x, .y = y, .count = n };
    gm_buf         out    = gm_buf_init(cli->alloc);
    gm_buf_printf(&out, "%s %s\n", json_string_value(json_object_get(history, "twin")),
                  json_string_value(json_object_get(history, "property")));
    gm_term_plot_draw(&plot, &series, 1, &out);
    return gm_client_print(cli, &out);
}

static gm_exit delete_history(const gm_cli *cli, const gm_args *args, gm_http *http)
{
    const char *path = GM_CLIENT_PATH(cli->arena, "/v1/history?twin=", gm_args_operand(args, 0));
    if (path != NULL && gm_args_operand(args, 1) != NULL) {
        path = GM_CLIENT_PATH(cli->arena, gm_arena_printf(cli->arena, "%s&property=", path).ptr, gm_args_operand(args, 1));
    }
    gm_http_answer answer;
    if (path == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    gm_exit code = gm_client_ask(cli, http, "DELETE", path, NULL, NULL, &answer);
    if (code != GM_EXIT_OK) return code;
    gm_http_answer_finish(&answer);
    fputs("deleted\n", cli->out);
    return GM_EXIT_OK;
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    bool unwanted = gm_args_given(args, OPT_DELETE);
    if (!unwanted && gm_args_operand(args, 1) == NULL) {
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "PROPERTY is needed: which property's history is to be printed");
    }
    if (gm_args_given(args, OPT_LAST) && gm_args_given(args, OPT_FROM)) {
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "give --from or --last, not both");
    }
    gm_http *http = NULL;
    gm_exit  code = gm_client_open(cli, args, OPT_HTTP, &http);
    if (code != GM_EXIT_OK) return code;
    if (unwanted) {
        code = delete_history(cli, args, http);
        gm_http_close(http);
        return code;
    }
    json_t *history = NULL;
    code            = gm_client_ask_all(cli, http, first_path(cli, args), "points", 0, &history);
    if (code == GM_EXIT_OK) {
        if (gm_args_given(args, OPT_JSON)) {
            json_dumpf(history, cli->out, JSON_COMPACT);
            fputc('\n', cli->out);
        } else if (gm_args_given(args, OPT_PLOT)) {
            code = print_plot(cli, history);
        } else {
            code = print_table(cli, history, gm_args_given(args, OPT_CSV));
        }
    }
    json_decref(history);
    gm_http_close(http);
    return code;
}

const gm_verb gm_verb_history = {
    .name     = "history",
    .summary  = "print what a property was over time",
    .examples = "gemel history engine-001 T24\ngemel history machine cpu --last 1h --plot\n"
                "gemel history pump7 motor/temperature --from 2026-01-01T00:00:00Z --points 1000 --csv\n"
                "gemel history pump7 --delete",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
