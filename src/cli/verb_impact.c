// gemel impact: what stops when one twin of a running plant fails.
#include "cli/client.h"
#include "cli/table.h"
#include "cli/verbs.h"

#include <math.h>

enum { OPT_HTTP, OPT_HORIZON, OPT_MODE, OPT_LIMIT, OPT_JSON };
static const gm_option options[] = {
    [OPT_HTTP]    = GM_CLIENT_HTTP,
    [OPT_HORIZON] = { "horizon", GM_OPTION_DURATION, "LENGTH", "24h", "what comes later is left out" },
    [OPT_MODE]    = { "mode", GM_OPTION_TEXT, "MODE", NULL, "by which of its failure modes; otherwise whichever, at once" },
    [OPT_LIMIT]   = { "limit", GM_OPTION_COUNT, "N", "100", "most rows" },
    [OPT_JSON]    = { "json", GM_OPTION_FLAG, NULL, NULL, "print the server's answer as JSON" },
};
static const gm_operand operands[] = { { "TWIN", "whose failure" } };

static gm_str delay_of(const gm_cli *cli, const json_t *item)
{
    char   text[GM_AGE_TEXT];
    double s = gm_client_number(item, "delay");
    if (s == 0) return GM_STR("at once");
    return gm_arena_printf(cli->arena, "after %s", gm_age_text((gm_dur_ns)(s * 1e9), text));
}

static gm_str number_of(const gm_cli *cli, const json_t *item, const char *key)
{
    const json_t *value = json_object_get(item, key);
    return json_is_number(value) ? gm_arena_printf(cli->arena, "%.4g", json_number_value(value)) : GM_STR("-");
}

static void write_items(const gm_cli *cli, const json_t *items, bool certain, gm_buf *out)
{
    enum { COLUMNS = 7 };
    gm_table_text *table         = gm_table_text_create(cli->arena, COLUMNS);
    const gm_str   head[COLUMNS] = { GM_STR("TWIN"), GM_STR("WHEN"), GM_STR("BY"), GM_STR("PROBABILITY"), GM_STR("SEVERITY"), GM_STR("COST"), GM_STR("") };
    if (table == NULL) { out->failed = true; return; }
    gm_table_text_add(table, head);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        if (json_is_true(json_object_get(item, "certain")) != certain) continue;
        gm_str by = gm_client_text(item, "via"), severity = gm_client_text(item, "severity"), text = gm_client_text(item, "text");
        if (gm_str_is(gm_client_text(item, "effect"), "degrades")) text = gm_arena_printf(cli->arena, "(degrades) " GM_STR_FMT, GM_STR_ARG(text));
        const gm_str cells[COLUMNS] = { gm_client_text(item, "id"), delay_of(cli, item), by.len > 0 ? by : GM_STR("-"), number_of(cli, item, "probability"),
                                        severity.len > 0 ? severity : GM_STR("-"), number_of(cli, item, "cost"), text };
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, out);
}

static void write_redundancy(const json_t *list, gm_buf *out)
{
    if (json_array_size(list) > 0) gm_buf_text(out, "\nredundancy left:\n");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *s    = json_array_get(list, i);
        const json_t *next = json_object_get(s, "next");
        gm_str        id = gm_client_text(s, "id"), need = gm_client_text(s, "need");
        gm_buf_printf(out, "  " GM_STR_FMT " (" GM_STR_FMT "): %.0f of %.0f work, %.0f needed", GM_STR_ARG(id), GM_STR_ARG(need), gm_client_number(s, "working"),
                      gm_client_number(s, "of"), gm_client_number(s, "needed"));
        for (size_t k = 0; k < json_array_size(next); k++) gm_buf_printf(out, "%s%s", k > 0 ? ", " : "; it stops when one more fails: ", json_string_value(json_array_get(next, k)));
        gm_buf_byte(out, '\n');
    }
}

static gm_exit print_impact(const gm_cli *cli, const json_t *answer, const void *context)
{
    (void)context;
    gm_buf        out   = gm_buf_init(cli->alloc);
    const json_t *items = json_object_get(answer, "items");
    gm_str        twin  = gm_client_text(answer, "twin"), why = gm_client_text(answer, "why");
    double        stops = gm_client_number(answer, "stops"), degraded = gm_client_number(answer, "degraded"), risk = gm_client_number(answer, "atRisk");
    gm_buf_printf(&out, "When " GM_STR_FMT " fails%s, %.0f others stop%s", GM_STR_ARG(twin), json_is_true(json_object_get(answer, "stands")) ? " (it has)" : "", stops,
                  degraded > 0 ? "" : ".");
    if (degraded > 0) gm_buf_printf(&out, " and %.0f are degraded.", degraded);
    gm_buf_printf(&out, " Cost: %.6g.\n\n", gm_client_number(answer, "cost"));
    write_items(cli, items, true, &out);
    if (risk > 0) {
        gm_buf_printf(&out, "\nWith one more failure, %.0f stop; expected cost %.6g. WHEN counts from that failure.\n\n", risk, gm_client_number(answer, "riskCost"));
        write_items(cli, items, false, &out);
    }
    write_redundancy(json_object_get(answer, "redundancy"), &out);
    if (json_is_true(json_object_get(answer, "more"))) gm_buf_text(&out, "\nthere are more; see --limit\n");
    if (why.len > 0) gm_buf_printf(&out, "\n" GM_STR_FMT "\n", GM_STR_ARG(why));
    return gm_client_print(cli, &out);
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    static const gm_client_view view = { .http_option = OPT_HTTP, .json_option = OPT_JSON, .print = print_impact };
    const char *mode = gm_args_text(args, OPT_MODE);
    const char *path = GM_CLIENT_PATH(cli->arena, "/v1/impact?limit=", gm_args_text(args, OPT_LIMIT), "&horizon=", gm_args_text(args, OPT_HORIZON), "&twin=", gm_args_operand(args, 0));
    if (path != NULL && mode != NULL) path = GM_CLIENT_PATH(cli->arena, gm_arena_printf(cli->arena, "%s&mode=", path).ptr, mode);
    return gm_client_show(cli, args, path, &view);
}

const gm_verb gm_verb_impact = {
    .name     = "impact",
    .summary  = "show what stops when a twin fails: who, when, how likely, at what cost",
    .text     = "Follows what the running plant declares in rules/*.modes (docs/reliability.md) from one twin on: what stops for sure and when, what "
                "then hangs on a single further failure and how likely that is, and which redundancy is left. What stands already (alarms and properties "
                "that prove a failure) is taken into account.",
    .examples = "gemel impact pump1\ngemel impact valve --horizon 7d\ngemel impact pump1 --mode bearing --json",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
