// gemel plans: the plans of a running plant, what they want and what that is worth.
#include "cli/client.h"
#include "cli/table.h"
#include "cli/verbs.h"

enum { OPT_HTTP, OPT_JSON };
static const gm_option options[] = {
    [OPT_HTTP] = GM_CLIENT_HTTP,
    [OPT_JSON] = { "json", GM_OPTION_FLAG, NULL, NULL, "print the server's answer as JSON" },
};
static const gm_operand operands[] = { { "NAME", "only this one, with what it has in mind for every interval", .optional = true } };

static gm_str state_of(const gm_cli *cli, const json_t *plan)
{
    gm_str trouble = gm_client_text(plan, "trouble");
    if (trouble.len > 0) return trouble;
    if (json_object_get(plan, "at") == NULL) return GM_STR("not made yet");
    const json_t *deviation = json_object_get(plan, "gainDeviation");
    gm_str how = json_is_true(json_object_get(plan, "armed")) ? GM_STR("being done") : GM_STR("advice");
    if (deviation == NULL) return how;
    return gm_arena_printf(cli->arena, GM_STR_FMT "; gain %.4g +- %.2g", GM_STR_ARG(how), gm_client_number(plan, "gain"), json_number_value(deviation));
}

static gm_exit print_all(const gm_cli *cli, const json_t *answer, gm_buf *out)
{
    enum { COLUMNS = 6 };
    const json_t  *items         = json_object_get(answer, "items");
    gm_table_text *table         = gm_table_text_create(cli->arena, COLUMNS);
    const gm_str   head[COLUMNS] = { GM_STR("PLAN"), GM_STR("ROOT"), GM_STR("MADE"), GM_STR("COST"), GM_STR("AS IT IS"), GM_STR("HOW IT STANDS") };
    if (json_array_size(items) == 0) fputs("this plant has no plans (rules/*.plan)\n", cli->err);
    gm_table_text_add(table, head);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *plan = json_array_get(items, i);
        const gm_str  cells[COLUMNS] = { gm_client_text(plan, "name"), gm_client_text(plan, "root"), gm_client_text(plan, "at"),
                                         gm_arena_printf(cli->arena, "%.6g", gm_client_number(plan, "cost")),
                                         gm_arena_printf(cli->arena, "%.6g", gm_client_number(plan, "held")), state_of(cli, plan) };
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, out);
    return gm_client_print(cli, out);
}

// A row for every interval, a column for every input.
static gm_exit print_one(const gm_cli *cli, json_t *plan, gm_buf *out)
{
    json_t        *inputs = json_object_get(plan, "inputs"), *input;
    size_t         count  = json_object_size(inputs), rows = 0, n = 1;
    gm_table_text *table  = gm_table_text_create(cli->arena, count + 1);
    gm_str        *cells  = GM_ARENA_NEW(cli->arena, gm_str, count + 1);
    const char    *name;
    gm_buf_printf(out, GM_STR_FMT ": " GM_STR_FMT "\n", GM_STR_ARG(gm_client_text(plan, "name")), GM_STR_ARG(state_of(cli, plan)));
    if (table == NULL || cells == NULL) out->failed = true;
    if (out->failed || count == 0) return gm_client_print(cli, out);
    gm_buf_printf(out, "cost %.6g, as it is %.6g\n\n", gm_client_number(plan, "cost"), gm_client_number(plan, "held"));
    cells[0] = GM_STR("FROM");
    json_object_foreach(inputs, name, input) {
        rows       = json_array_size(json_object_get(input, "plan"));
        cells[n++] = gm_str_of(name);
    }
    gm_table_text_add(table, cells);
    for (size_t k = 0; k < rows; k++) {
        double at = (double)k * gm_client_number(plan, "every");
        cells[0]  = gm_arena_printf(cli->arena, "+%02d:%02d", (int)(at / 3600), (int)(at / 60) % 60);
        n         = 1;
        json_object_foreach(inputs, name, input) cells[n++] = gm_arena_printf(cli->arena, "%.4g", json_number_value(json_array_get(json_object_get(input, "plan"), k)));
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, out);
    return gm_client_print(cli, out);
}

// Of settings: a row for each that was kept, the best first.
static gm_exit print_ranking(const gm_cli *cli, const json_t *plan, gm_buf *out)
{
    enum { MORE = 4 };
    json_t        *ranking = json_object_get(plan, "ranking"), *first = json_object_get(json_array_get(ranking, 0), "inputs"), *value;
    size_t         count = json_object_size(first), n = 0;
    gm_table_text *table = gm_table_text_create(cli->arena, count + MORE);
    gm_str        *cells = GM_ARENA_NEW(cli->arena, gm_str, count + MORE);
    const char    *name;
    gm_buf_printf(out, GM_STR_FMT ": " GM_STR_FMT "\n", GM_STR_ARG(gm_client_text(plan, "name")), GM_STR_ARG(state_of(cli, plan)));
    gm_buf_printf(out, "as it is %.6g; judged by %.0f scenarios\n\n", gm_client_number(plan, "held"), gm_client_number(plan, "scenarios"));
    if (table == NULL || cells == NULL) out->failed = true;
    if (out->failed) return gm_client_print(cli, out);
    json_object_foreach(first, name, value) cells[n++] = gm_str_of(name);
    static const char *const head[MORE] = { "COST", "GAIN", "BETTER", "BROKEN" };
    for (size_t k = 0; k < MORE; k++) cells[n + k] = gm_str_of(head[k]);
    gm_table_text_add(table, cells);
    for (size_t i = 0; i < json_array_size(ranking); i++) {
        const json_t *item = json_array_get(ranking, i);
        n = 0;
        json_object_foreach(json_object_get(item, "inputs"), name, value) cells[n++] = gm_arena_printf(cli->arena, "%.5g", json_number_value(value));
        cells[n]     = gm_arena_printf(cli->arena, "%.6g", gm_client_number(item, "cost"));
        cells[n + 1] = gm_arena_printf(cli->arena, "%.4g +- %.2g", gm_client_number(item, "gain"), gm_client_number(item, "gainDeviation"));
        cells[n + 2] = gm_arena_printf(cli->arena, "%.0f %%", 100 * gm_client_number(item, "better"));
        cells[n + 3] = gm_arena_printf(cli->arena, "%.0f %%", 100 * gm_client_number(item, "broken"));
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, out);
    return gm_client_print(cli, out);
}

static gm_exit print_table(const gm_cli *cli, const json_t *answer, const void *context)
{
    (void)context;
    gm_buf out = gm_buf_init(cli->alloc);
    if (json_object_get(answer, "items") != NULL) return print_all(cli, answer, &out);
    if (json_array_size(json_object_get(answer, "ranking")) > 0) return print_ranking(cli, answer, &out);
    return print_one(cli, (json_t *)(uintptr_t)answer, &out);
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    static const gm_client_view view = { .http_option = OPT_HTTP, .json_option = OPT_JSON, .print = print_table };
    const char *name = gm_args_operand(args, 0);
    return gm_client_show(cli, args, name != NULL ? GM_CLIENT_PATH(cli->arena, "/v1/plans/", name) : "/v1/plans", &view);
}

const gm_verb gm_verb_plans = {
    .name     = "plans",
    .summary  = "list the plans that a running plant makes again and again",
    .text     = "What rules/*.plan ask for, as it was last made from the plant's live state: what the plan costs, what leaving everything as it is would "
                "cost, and whether it is being done. A plan is advice until a person arms its twins (docs/optimise.md).",
    .examples = "gemel plans\ngemel plans nightFilling",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
