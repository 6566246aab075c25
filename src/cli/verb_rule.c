// gemel rule test: when rules would have fired, over the history of a running server.
#include "cli/client.h"
#include "cli/table.h"
#include "cli/term_plot.h"
#include "cli/verbs.h"
#include "control/json.h"

#include <math.h>

enum { OPT_HTTP, OPT_FROM, OPT_TO, OPT_LIMIT, OPT_PLOT, OPT_JSON };
static const gm_option options[] = {
    [OPT_HTTP]  = GM_CLIENT_HTTP,
    [OPT_FROM]  = { "from", GM_OPTION_TIME, "TIME", NULL, "where to begin (RFC 3339); a day before --to" },
    [OPT_TO]    = { "to", GM_OPTION_TIME, "TIME", NULL, "where to end; now" },
    [OPT_LIMIT] = { "limit", GM_OPTION_COUNT, "N", "1000", "most firings that are listed" },
    [OPT_PLOT]  = { "no-plot", GM_OPTION_FLAG, NULL, NULL, "without the picture" },
    [OPT_JSON]  = { "json", GM_OPTION_FLAG, NULL, NULL, "print the server's answer as JSON" },
};
static const gm_operand operands[] = { { "RULE", "a rule in force by its name, or a file of rules that are not in force yet" } };

enum { FILE_MAX = 1 << 20, BINS = 400 };

// The text of the file of that name; ptr NULL: there is none.
static gm_str read_file(const gm_cli *cli, const char *name)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL) return (gm_str){ 0 };
    char  *text = gm_arena_bytes(cli->arena, FILE_MAX);
    size_t n    = text != NULL ? fread(text, 1, FILE_MAX, file) : 0;
    fclose(file);
    return (gm_str){ text, n };
}

// How many hold, over time: one line of the picture counts all twins and rules.
static void draw(const gm_cli *cli, const json_t *answer, gm_buf *out)
{
    const json_t *firings = json_object_get(answer, "firings");
    gm_time_ns    from = gm_json_time(answer, "from"), to = gm_json_time(answer, "to");
    double        x[BINS], y[BINS], now = 0;
    size_t        i = 0, n = json_array_size(firings);
    if (n == 0 || from >= to) return;
    for (size_t b = 0; b < BINS; b++) {
        gm_time_ns end  = from + (gm_time_ns)((double)(to - from) * (double)(b + 1) / BINS);
        double     most = now;  // one that held for less than a dot is seen all the same
        for (; i < n && gm_json_time(json_array_get(firings, i), "at") <= end; i++) {
            gm_str turn = gm_json_text(json_array_get(firings, i), "turn");
            now += gm_str_is(turn, "on") ? 1 : gm_str_is(turn, "off") ? -1 : 0;
            most = fmax(most, now);
        }
        x[b] = (double)end / 1e9;
        y[b] = most;
    }
    gm_term_plot   plot = { .width = 90, .height = 8, .x_kind = GM_TERM_X_TIME, .unit = "hold" };
    gm_term_series s    = { .x = x, .y = y, .count = BINS };
    (void)cli;
    gm_term_plot_draw(&plot, &s, 1, out);
}

static void list(const gm_cli *cli, const json_t *answer, gm_buf *out)
{
    enum { COLUMNS = 4 };
    const json_t  *firings       = json_object_get(answer, "firings");
    gm_table_text *table         = gm_table_text_create(cli->arena, COLUMNS);
    const gm_str   head[COLUMNS] = { GM_STR("TIME"), GM_STR("TURN"), GM_STR("RULE"), GM_STR("TWIN") };
    gm_table_text_add(table, head);
    for (size_t i = 0; i < json_array_size(firings); i++) {
        const json_t *f              = json_array_get(firings, i);
        const gm_str  cells[COLUMNS] = { gm_json_text(f, "at"), gm_json_text(f, "turn"), gm_json_text(f, "rule"), gm_json_text(f, "twin") };
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, out);
}

static gm_exit print(const gm_cli *cli, const gm_args *args, const json_t *answer)
{
    gm_buf    out     = gm_buf_init(cli->alloc);
    long long left    = (long long)json_integer_value(json_object_get(answer, "leftOut"));
    size_t    n       = json_array_size(json_object_get(answer, "firings"));
    gm_str    from    = gm_json_text(answer, "from"), to = gm_json_text(answer, "to");
    long long twins   = (long long)json_integer_value(json_object_get(answer, "instances"));
    long long samples = (long long)json_integer_value(json_object_get(answer, "samples"));
    if (!gm_args_given(args, OPT_PLOT)) draw(cli, answer, &out);
    list(cli, answer, &out);
    if (left > 0) gm_buf_printf(&out, "and %lld more; --limit shows them\n", left);
    gm_exit code = gm_client_print(cli, &out);
    fprintf(cli->err, "%lld turns between " GM_STR_FMT " and " GM_STR_FMT ": %lld rules on twins, %lld samples played back\n", (long long)n + left, GM_STR_ARG(from),
            GM_STR_ARG(to), twins, samples);
    return code;
}

static void write_request(const gm_cli *cli, const gm_args *args, gm_buf *body)
{
    const char *name = gm_args_operand(args, 0);
    gm_str      text = read_file(cli, name);
    gm_buf_text(body, text.ptr != NULL ? "{\"text\":" : "{\"rule\":");
    gm_buf_json_str(body, text.ptr != NULL ? text : gm_str_of(name));
    if (gm_args_given(args, OPT_FROM)) gm_json_time_member(body, "from", gm_args_time(args, OPT_FROM));
    if (gm_args_given(args, OPT_TO)) gm_json_time_member(body, "to", gm_args_time(args, OPT_TO));
    gm_buf_printf(body, ",\"limit\":%lld}", (long long)gm_args_count(args, OPT_LIMIT));
    gm_buf_byte(body, 0);
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    gm_http       *http = NULL;
    gm_http_answer answer;
    gm_buf         body = gm_buf_init(cli->alloc);
    write_request(cli, args, &body);
    gm_exit code = body.failed ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory") : gm_client_open(cli, args, OPT_HTTP, &http);
    if (code == GM_EXIT_OK) code = gm_client_ask(cli, http, "POST", "/v1/rules/test", "application/json", (const char *)body.ptr, &answer);
    gm_buf_finish(&body);
    if (code == GM_EXIT_OK && gm_args_given(args, OPT_JSON)) fprintf(cli->out, "%.*s\n", (int)answer.text.len, (const char *)answer.text.ptr);
    else if (code == GM_EXIT_OK) code = print(cli, args, answer.body);
    if (http != NULL && code == GM_EXIT_OK) gm_http_answer_finish(&answer);
    gm_http_close(http);
    return code;
}

const gm_verb gm_verb_rule_test = {
    .name     = "rule test",
    .summary  = "when a rule would have fired",
    .text     = "Plays the history of the server's twins back through the rules of a file, or a rule in force, with the code that runs live: delays, "
                "deadbands, windows and relationships included. Nothing acts and nothing is written. The picture shows how many hold at a time.\n\n"
                "Twins and relationships are those of --to.",
    .examples = "gemel rule test towerLow --from 2026-01-01T00:00:00Z --to 2026-01-08T00:00:00Z\ngemel rule test examples/pumphouse/rules/waterworks.rules",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
