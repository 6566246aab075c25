// gemel predict: how long every watched asset of a running plant has left, the most endangered first.
#include "cli/client.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "insight/text_file.h"

#include <math.h>
#include <stdlib.h>

enum { OPT_HTTP, OPT_LIMIT, OPT_TRUTH, OPT_JSON };
static const gm_option options[] = {
    [OPT_HTTP]  = GM_CLIENT_HTTP,
    [OPT_LIMIT] = { "limit", GM_OPTION_COUNT, "N", "20", "most rows" },
    [OPT_TRUTH] = { "truth", GM_OPTION_TEXT, "FILE", NULL,
                    "a file with the true number of cycles left, line i for the twin whose id ends in i, shown beside "
                    "the prediction" },
    [OPT_JSON]  = { "json", GM_OPTION_FLAG, NULL, NULL, "print the server's answer as JSON" },
};
static const gm_operand operands[] = { { "TWIN", "only this one", .optional = true } };

enum { COLUMNS = 7, WEAR_COLUMNS = 6, TRUTHS_MAX = 100000 };

typedef struct truths {
    double *values;
    size_t  count;
} truths;

static gm_exit read_truths(const gm_cli *cli, const char *path, truths *out)
{
    gm_error err  = { 0 };
    gm_buf   text = gm_buf_init(cli->alloc);
    *out          = (truths) { 0 };
    if (path == NULL) return GM_EXIT_OK;
    if (gm_text_file_read(cli->io, path, 1 << 20, &text, &err) != GM_OK) {
        gm_buf_finish(&text);
        return gm_cli_fail(cli, &err);
    }
    gm_str rest = gm_buf_view(&text), line;
    out->values = GM_ARENA_NEW(cli->arena, double, TRUTHS_MAX);
    while (out->values != NULL && gm_str_next(&rest, '\n', &line) && out->count < TRUTHS_MAX) {
        if (gm_str_trim(line).len == 0) continue;
        if (!gm_cell_number(gm_str_trim(line), &out->values[out->count++])) {
            gm_buf_finish(&text);
            return gm_cli_fail_text(cli, GM_EXIT_NO, "%s: line %zu is not a number", path, out->count);
        }
    }
    gm_buf_finish(&text);
    return out->values != NULL ? GM_EXIT_OK : gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
}

// The truth of "engine-017" stands in line 17.
static double truth_of(const truths *t, const char *twin)
{
    size_t at = strlen(twin);
    while (at > 0 && twin[at - 1] >= '0' && twin[at - 1] <= '9') at--;
    unsigned long number = strtoul(twin + at, NULL, 10);
    return number >= 1 && number <= t->count ? t->values[number - 1] : NAN;
}

static gm_str similar_text(const gm_cli *cli, const json_t *item)
{
    const json_t *list = json_object_get(item, "similar");
    gm_str        text = GM_STR("");
    for (size_t i = 0; i < json_array_size(list) && i < 2; i++) {
        const json_t *one = json_array_get(list, i);
        text = gm_arena_printf(cli->arena, GM_STR_FMT "%sunit %lld (%.0f)", GM_STR_ARG(text), i > 0 ? ", " : "",
                               (long long)json_integer_value(json_object_get(one, "unit")),
                               json_number_value(json_object_get(one, "left")));
    }
    return text;
}

static void add_row(const gm_cli *cli, gm_table_text *table, const json_t *item, const truths *t)
{
    const char   *twin           = json_string_value(json_object_get(item, "twin"));
    const json_t *interval       = json_object_get(json_object_get(item, "intervals"), "90");
    double        truth          = twin != NULL ? truth_of(t, twin) : NAN;
    const gm_str  cells[COLUMNS] = {
         gm_str_of(twin),
         gm_arena_printf(cli->arena, "%.1f", json_number_value(json_object_get(item, "rul"))),
         gm_arena_printf(cli->arena, "%.0f .. %.0f", json_number_value(json_array_get(interval, 0)),
                         json_number_value(json_array_get(interval, 1))),
         gm_arena_printf(cli->arena, "%.2f", json_number_value(json_object_get(item, "health"))),
         similar_text(cli, item),
         gm_str_of(json_string_value(json_object_get(item, "at"))),
        isnan(truth) ? GM_STR("") : gm_arena_printf(cli->arena, "%.0f", truth),
    };
    gm_table_text_add(table, cells);
}

// Hours; beyond what was looked at there is no number.
static gm_str hours(const gm_cli *cli, const json_t *value, const json_t *horizon)
{
    return json_is_number(value) ? gm_arena_printf(cli->arena, "%.1f", json_number_value(value)) : gm_arena_printf(cli->arena, "> %.0f", json_number_value(horizon));
}

static void add_wear(const gm_cli *cli, gm_table_text *table, const json_t *item)
{
    const json_t *interval = json_object_get(json_object_get(item, "intervals"), "90"), *horizon = json_object_get(item, "horizon");
    bool          made     = json_object_get(item, "at") != NULL;
    gm_str        low = hours(cli, json_array_get(interval, 0), horizon), high = hours(cli, json_array_get(interval, 1), horizon);
    const gm_str  cells[WEAR_COLUMNS] = {
        gm_client_text(item, "twin"), gm_client_text(item, "until"),
        made ? hours(cli, json_object_get(item, "rul"), horizon) : GM_STR(""),
        made ? gm_arena_printf(cli->arena, GM_STR_FMT " .. " GM_STR_FMT, GM_STR_ARG(low), GM_STR_ARG(high)) : GM_STR(""),
        made ? gm_arena_printf(cli->arena, "%.1f %%", 100 * gm_client_number(item, "probability")) : GM_STR(""),
        made ? gm_client_text(item, "at") : gm_client_text(item, "trouble"),
    };
    gm_table_text_add(table, cells);
}

// What wears by physics (insight/live/wear.h), apart: hours to a threshold, not cycles to a failure.
static void print_wears(const gm_cli *cli, const json_t *wears, bool after, gm_buf *out)
{
    const gm_str   head[WEAR_COLUMNS] = { GM_STR("TWIN"), GM_STR("WEARS UNTIL"), GM_STR("HOURS"), GM_STR("90 %"), GM_STR("WITHIN HORIZON"), GM_STR("AT") };
    gm_table_text *table              = gm_table_text_create(cli->arena, WEAR_COLUMNS);
    if (json_array_size(wears) == 0) return;
    gm_table_text_add(table, head);
    for (size_t i = 0; i < json_array_size(wears); i++) add_wear(cli, table, json_array_get(wears, i));
    if (after) gm_buf_byte(out, '\n');
    gm_table_text_write(table, out);
}

static gm_exit print_table(const gm_cli *cli, const json_t *answer, const void *context)
{
    const truths  *t             = context;
    const json_t  *items         = json_object_get(answer, "items");
    gm_buf         out           = gm_buf_init(cli->alloc);
    size_t         n             = t->count > 0 ? COLUMNS : COLUMNS - 1;
    gm_table_text *table         = gm_table_text_create(cli->arena, n);
    const gm_str   head[COLUMNS] = { GM_STR("TWIN"),         GM_STR("RUL"), GM_STR("90 %"), GM_STR("HEALTH"),
                                     GM_STR("BEHAVES LIKE"), GM_STR("AT"),  GM_STR("TRUTH") };
    gm_table_text_add(table, head);
    for (size_t i = 0; i < json_array_size(items); i++)
        add_row(cli, table, json_array_get(items, i), t);
    gm_table_text_write(table, &out);
    const char *trouble = json_string_value(json_object_get(answer, "trouble"));
    if (trouble != NULL) fprintf(cli->err, "%s\n", trouble);
    const json_t *wears = json_object_get(answer, "wear");
    if (json_array_size(items) + json_array_size(wears) == 0) fputs("no predictions yet\n", cli->err);
    print_wears(cli, wears, json_array_size(items) > 0, &out);
    return gm_client_print(cli, &out);
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    truths  t;
    gm_exit code = read_truths(cli, gm_args_text(args, OPT_TRUTH), &t);
    if (code != GM_EXIT_OK) return code;
    const char *twin = gm_args_operand(args, 0);
    const char *path = twin != NULL ? GM_CLIENT_PATH(cli->arena, "/v1/rul?twin=", twin)
                                    : GM_CLIENT_PATH(cli->arena, "/v1/rul?limit=", gm_args_text(args, OPT_LIMIT));
    return gm_client_show(cli, args, path, &(gm_client_view){ OPT_HTTP, OPT_JSON, print_table, &t });
}

const gm_verb gm_verb_predict = {
    .name    = "predict",
    .summary = "list how long assets have left, the most endangered first",
    .text    = "What the running plant predicts from its models (insight/*.json): cycles left, the interval that holds "
               "nine truths in "
               "ten, health (1: no wear to be seen), and past runs that went alike, with what they had left then.\n\n"
                "What wears by physics (\"wear\" in insight/*.json) follows: hours until the threshold, the interval, and with which probability it is "
                "reached within what was looked at.",
    .examples = "gemel predict\ngemel predict engine-017 --json\ngemel predict --truth RUL_FD001.txt",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
