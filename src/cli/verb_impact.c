// gemel impact: what stops when one twin of a running plant fails.
#include "cli/client.h"
#include "cli/futures_ask.h"
#include "cli/impact_physical.h"
#include "cli/table.h"
#include "cli/verbs.h"

#include <math.h>

enum { OPT_HTTP, OPT_HORIZON, OPT_MODE, OPT_LIMIT, OPT_JSON, OPT_OUTPUTS, OPT_SCORE, OPT_VARY, OPT_LANES, OPT_STEP, OPT_FROM_ESTIMATE };
static const gm_option options[] = {
    [OPT_HTTP]    = GM_CLIENT_HTTP,
    [OPT_HORIZON] = { "horizon", GM_OPTION_DURATION, "LENGTH", "24h", "what comes later is left out" },
    [OPT_MODE]    = { "mode", GM_OPTION_TEXT, "MODE", NULL, "by which of its failure modes; otherwise whichever, at once" },
    [OPT_LIMIT]   = { "limit", GM_OPTION_COUNT, "N", "100", "most rows" },
    [OPT_JSON]    = { "json", GM_OPTION_FLAG, NULL, NULL, "print the server's answer as JSON" },
    [OPT_OUTPUTS] = { "outputs", GM_OPTION_TEXT, "NAME,...", NULL, "also run what the mode injects: what becomes of these, with the failure and without (tower.level,town.pressure)" },
    [OPT_SCORE]   = { "score", GM_OPTION_TEXT, "SCORE", NULL, "with --outputs: one number a future, 'integral(pump2.motor.power)'; may be repeated", .repeats = true },
    [OPT_VARY]    = { "vary", GM_OPTION_TEXT, "NAME=...", NULL, "with --outputs: what is not known, 'town.base*=uniform(0.9,1.1)'; may be repeated", .repeats = true },
    [OPT_LANES]   = { "lanes", GM_OPTION_COUNT, "N", "256", "with --outputs: how many futures of each" },
    [OPT_STEP]    = { "step", GM_OPTION_DURATION, "LENGTH", "1s", "with --outputs: steps of the model" },
    [OPT_FROM_ESTIMATE] = { "from-estimate", GM_OPTION_FLAG, NULL, NULL, "with --outputs: begin where the server's estimate says" },
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
        if (need.len == 0) need = gm_client_text(s, "gate");
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
    if (gm_client_number(answer, "hidden") > 0) gm_buf_printf(&out, "\n%.0f of them are not yours to see\n", gm_client_number(answer, "hidden"));
    if (json_is_true(json_object_get(answer, "more"))) gm_buf_text(&out, "\nthere are more; see --limit\n");
    if (why.len > 0) gm_buf_printf(&out, "\n" GM_STR_FMT "\n", GM_STR_ARG(why));
    return gm_client_print(cli, &out);
}

static void add_texts(const gm_args *args, size_t option, const char *field, json_t *request)
{
    json_t *list = json_array();
    for (size_t i = 0; i < args->value_counts[option]; i++) json_array_append_new(list, json_string(args->values[option][i]));
    json_object_set_new(request, field, list);
}

// As it is, and with the failure at once; the same draws for both.
static json_t *request_of(const gm_args *args, const char *injects)
{
    json_t *outputs = json_array(), *request = json_pack("{s:s,s:s,s:s,s:I,s:i,s:o,s:[f,f,f],s:{s:[],s:[s]}}", "root", gm_args_operand(args, 0), "horizon", gm_args_text(args, OPT_HORIZON),
                                                         "step", gm_args_text(args, OPT_STEP), "lanes", (json_int_t)gm_args_count(args, OPT_LANES), "points", 12, "outputs", outputs,
                                                         "quantiles", 0.05, 0.5, 0.95, "scenarios", GM_IMPACT_AS_IT_IS, GM_IMPACT_FAILED, injects);
    gm_str rest = gm_str_of(gm_args_text(args, OPT_OUTPUTS)), part;
    while (request != NULL && gm_str_next(&rest, ',', &part)) {
        part = gm_str_trim(part);
        if (part.len > 0) json_array_append_new(outputs, json_stringn(part.ptr, part.len));
    }
    if (request == NULL) return NULL;
    add_texts(args, OPT_VARY, "vary", request);
    add_texts(args, OPT_SCORE, "score", request);
    if (gm_args_given(args, OPT_FROM_ESTIMATE)) json_object_set_new(request, "from", json_string("estimate"));
    return request;
}

static gm_exit run_physical(const gm_cli *cli, const gm_args *args, const char *path)
{
    gm_http       *http = NULL;
    gm_http_answer impact, futures;
    gm_exit        code = gm_client_open(cli, args, OPT_HTTP, &http);
    if (code == GM_EXIT_OK) code = gm_client_ask(cli, http, "GET", path, NULL, NULL, &impact);
    if (code != GM_EXIT_OK) {
        gm_http_close(http);
        return code;
    }
    const char *injects = json_string_value(json_object_get(impact.body, "injects"));
    json_t     *request = injects != NULL ? request_of(args, injects) : NULL;
    if (injects == NULL) code = gm_cli_fail_text(cli, GM_EXIT_NO, "nobody has said what this mode is in the twin's behavior: \"injects\" in rules/*.modes");
    else if (request == NULL) code = gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    else code = gm_futures_ask(cli, http, request, "impact", &futures);
    if (code == GM_EXIT_OK) {
        if (gm_args_given(args, OPT_JSON)) fprintf(cli->out, "{\"impact\":%.*s,\"futures\":%.*s}\n", (int)impact.text.len, impact.text.ptr, (int)futures.text.len, futures.text.ptr);
        else {
            code = print_impact(cli, impact.body, NULL);
            if (code == GM_EXIT_OK) code = gm_impact_print_physical(cli, futures.body, injects);
        }
        gm_http_answer_finish(&futures);
    }
    json_decref(request);
    gm_http_answer_finish(&impact);
    gm_http_close(http);
    return code;
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    static const gm_client_view view = { .http_option = OPT_HTTP, .json_option = OPT_JSON, .print = print_impact };
    const char *mode = gm_args_text(args, OPT_MODE);
    const char *path = GM_CLIENT_PATH(cli->arena, "/v1/impact?limit=", gm_args_text(args, OPT_LIMIT), "&horizon=", gm_args_text(args, OPT_HORIZON), "&twin=", gm_args_operand(args, 0));
    if (path != NULL && mode != NULL) path = GM_CLIENT_PATH(cli->arena, gm_arena_printf(cli->arena, "%s&mode=", path).ptr, mode);
    if (gm_args_given(args, OPT_OUTPUTS) && mode == NULL) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--outputs: by which failure mode? --mode says so");
    return gm_args_given(args, OPT_OUTPUTS) ? run_physical(cli, args, path) : gm_client_show(cli, args, path, &view);
}

const gm_verb gm_verb_impact = {
    .name     = "impact",
    .summary  = "show what stops when a twin fails: who, when, how likely, at what cost",
    .text     = "Follows what the running plant declares in rules/*.modes (docs/reliability.md) from one twin on: what stops for sure and when, what "
                "then hangs on a single further failure and how likely that is, and which redundancy is left. What stands already (alarms and properties "
                "that prove a failure) is taken into account.\n\n"
                "With --outputs the failure is run as well: what the mode injects is put into futures of the live state at once, beside futures without it and "
                "with the same draws. The whole group of twins that the model connects takes part.",
    .examples = "gemel impact pump1\ngemel impact valve --horizon 7d\ngemel impact pump1 --mode bearing --json\n"
                "gemel impact pump1 --mode bearing --outputs tower.level,town.pressure --vary 'town.base*=uniform(0.9,1.1)'",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
