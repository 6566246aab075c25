// gemel thread explain: how much of what differs between twins is explained by how they were built.
#include "cli/client.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "control/json.h"

#include <math.h>

enum { OPT_HTTP, OPT_HEALTH, OPT_PROPERTY, OPT_ROWS, OPT_EVERY, OPT_KEY, OPT_FIRST, OPT_SECOND, OPT_PENALTY, OPT_LEVEL, OPT_TWIN, OPT_LIMIT, OPT_JSON };
static const gm_option options[] = {
    [OPT_HTTP] = GM_CLIENT_HTTP,
    [OPT_HEALTH] = { "health", GM_OPTION_TEXT, "NAME", NULL, "explain the health with which they began, by the model of that entry of \"remainingLife\"" },
    [OPT_PROPERTY] = { "property", GM_OPTION_TEXT, "NAME", NULL, "explain the mean of a property instead" },
    [OPT_ROWS] = { "rows", GM_OPTION_COUNT, "N", "20", "how many of a twin's first rows are looked at" },
    [OPT_EVERY] = { "every", GM_OPTION_COUNT, "N", "1", "of so many rows the last is taken" },
    [OPT_KEY] = { "key", GM_OPTION_TEXT, "KEY", NULL, "by this deviation, such as hpc/clearance; of all places without one; repeat it for more (default: all)", .repeats = true },
    [OPT_FIRST] = { "first", GM_OPTION_TEXT, "PHASE", "as-designed", "deviations from this phase" },
    [OPT_SECOND] = { "second", GM_OPTION_TEXT, "PHASE", "as-built", "of this one" },
    [OPT_PENALTY] = { "penalty", GM_OPTION_NUMBER, "NUMBER", "0", "ridge: for few twins, or deviations that go together" },
    [OPT_LEVEL] = { "level", GM_OPTION_NUMBER, "NUMBER", "0.9", "of intervals" },
    [OPT_TWIN] = { "twin", GM_OPTION_TEXT, "TWIN", NULL, "tell of this twin; repeat it for more", .repeats = true },
    [OPT_LIMIT] = { "limit", GM_OPTION_COUNT, "N", "5", "how many twins are told of, those that differ most" },
    [OPT_JSON] = { "json", GM_OPTION_FLAG, NULL, NULL, "print the server's answer as JSON" },
};
static const gm_operand operands[] = { { "QUERY", "the twins: SELECT * FROM DIGITALTWINS T WHERE ..." } };

// ---- asking ---------------------------------------------------------------------------------------------------------

static void write_list(const gm_args *args, size_t option, const char *member, gm_buf *body)
{
    if (!gm_args_given(args, option)) return;
    gm_buf_printf(body, ",\"%s\":[", member);
    for (size_t i = 0; i < args->value_counts[option]; i++) {
        gm_buf_text(body, i > 0 ? "," : "");
        gm_buf_json_str(body, gm_str_of(args->values[option][i]));
    }
    gm_buf_byte(body, ']');
}

static void write_question(const gm_args *args, gm_buf *body)
{
    gm_buf_text(body, "{\"fleet\":");
    gm_buf_json_str(body, gm_str_of(gm_args_operand(args, 0)));
    if (gm_args_given(args, OPT_HEALTH)) gm_json_member(body, "health", gm_str_of(gm_args_text(args, OPT_HEALTH)));
    if (gm_args_given(args, OPT_PROPERTY)) gm_json_member(body, "property", gm_str_of(gm_args_text(args, OPT_PROPERTY)));
    gm_buf_printf(body, ",\"rows\":%lld,\"every\":%lld,\"penalty\":%.17g,\"level\":%.17g", (long long)gm_args_count(args, OPT_ROWS), (long long)gm_args_count(args, OPT_EVERY),
                  gm_args_number(args, OPT_PENALTY), gm_args_number(args, OPT_LEVEL));
    gm_json_member(body, "first", gm_str_of(gm_args_text(args, OPT_FIRST)));
    gm_json_member(body, "second", gm_str_of(gm_args_text(args, OPT_SECOND)));
    write_list(args, OPT_KEY, "keys", body);
    gm_buf_add(body, "}", 2);
}

// ---- printing -------------------------------------------------------------------------------------------------------

static double number(const json_t *object, const char *key) { return json_number_value(json_object_get(object, key)); }

static void tell_fleet(const json_t *a, gm_buf *out)
{
    gm_str health = gm_json_text(a, "health"), what = health.len > 0 ? health : gm_json_text(a, "property");
    gm_buf_printf(out, "%s '" GM_STR_FMT "' in the first %lld rows", health.len > 0 ? "health by" : "property", GM_STR_ARG(what), (long long)number(a, "rows"));
    if (number(a, "every") > 1) gm_buf_printf(out, ", 1 in %lld", (long long)number(a, "every"));
    gm_buf_printf(out, ": %lld twins, mean %.6g, spread %.4g", (long long)number(a, "twins"), number(a, "mean"), number(a, "spread"));
    if (json_object_get(a, "noise") != NULL) gm_buf_printf(out, "; %.2g %% of the variance is scatter from row to row", 100 * number(a, "noise"));
    size_t n = json_array_size(json_object_get(a, "deviations"));
    gm_buf_printf(out, "\n%zu deviation%s %.1f %% of the variance, of twins that were left out %.1f %%", n, n == 1 ? " explains" : "s explain", 100 * number(a, "r2"),
                  100 * number(a, "r2LeftOut"));
    if (json_object_get(a, "chance") != NULL) gm_buf_printf(out, "; deviations that explain nothing would do as well by chance with p = %.2g", number(a, "chance"));
    gm_buf_text(out, "\n\n");
}

static gm_str printed(const gm_cli *cli, const char *fmt, double x) { return gm_arena_printf(cli->arena, fmt, x); }

static void tell_deviations(const gm_cli *cli, const json_t *a, gm_buf *out)
{
    enum { COLUMNS = 6 };
    const json_t  *list  = json_object_get(a, "deviations");
    gm_table_text *table = gm_table_text_create(cli->arena, COLUMNS);
    const gm_str   head[COLUMNS] = { GM_STR("DEVIATION"), GM_STR("UNIT"), GM_STR("SPREAD"), GM_STR("EFFECT OF A SPREAD"), GM_STR("INTERVAL"), GM_STR("EXPLAINS %") };
    gm_table_text_add(table, head);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *d = json_array_get(list, i);
        double        s = number(d, "spread");
        const gm_str  cells[COLUMNS] = { gm_json_text(d, "name"), gm_json_text(d, "unit"), printed(cli, "%.3g", s), printed(cli, "%.3g", s * number(d, "effect")),
                                         gm_arena_printf(cli->arena, "%.3g .. %.3g", s * number(d, "low"), s * number(d, "high")), printed(cli, "%.1f", 100 * number(d, "share")) };
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, out);
}

static void tell_left_out(const json_t *a, gm_buf *out)
{
    const json_t *dropped = json_object_get(a, "dropped"), *left = json_object_get(a, "leftOut");
    for (size_t i = 0; i < json_array_size(dropped) && i < 10; i++)
        gm_buf_printf(out, "not used: " GM_STR_FMT ": " GM_STR_FMT "\n", GM_STR_ARG(gm_json_text(json_array_get(dropped, i), "name")), GM_STR_ARG(gm_json_text(json_array_get(dropped, i), "why")));
    for (size_t i = 0; i < json_array_size(left) && i < 10; i++)
        gm_buf_printf(out, "left out: " GM_STR_FMT ": " GM_STR_FMT "\n", GM_STR_ARG(gm_json_text(json_array_get(left, i), "twin")), GM_STR_ARG(gm_json_text(json_array_get(left, i), "why")));
    if (json_array_size(left) > 10) gm_buf_printf(out, "left out: %zu more\n", json_array_size(left) - 10);
}

// "  hpc/tip clearance +0.09 mm of HPC-037 (out of tolerance, concession C-012): -7.1 (-8.4 .. -5.8)"
static void tell_reason(const json_t *r, gm_buf *out)
{
    gm_str unit = gm_json_text(r, "unit"), part = gm_json_text(r, "part"), cause = gm_json_text(r, "cause"), verdict = gm_json_text(r, "verdict");
    bool   out_of = gm_str_is(verdict, "out of tolerance");
    gm_buf_printf(out, "  " GM_STR_FMT " %+.4g%s" GM_STR_FMT "%s" GM_STR_FMT, GM_STR_ARG(gm_json_text(r, "name")), number(r, "deviation"), unit.len > 0 ? " " : "", GM_STR_ARG(unit),
                  part.len > 0 ? " of " : "", GM_STR_ARG(part));
    if (out_of || cause.len > 0) gm_buf_printf(out, " (%s%s" GM_STR_FMT ")", out_of ? "out of tolerance" : "", out_of && cause.len > 0 ? ", " : "", GM_STR_ARG(cause));
    gm_buf_printf(out, ": %+.3g (%.3g .. %.3g)\n", number(r, "explains"), number(r, "low"), number(r, "high"));
}

static void tell_twin(const json_t *item, bool health, gm_buf *out)
{
    const json_t *because = json_object_get(item, "because");
    double        sigmas = number(item, "sigmas"), offset = number(item, "offset"), share = number(item, "explained") / offset;
    gm_buf_printf(out, "\n" GM_STR_FMT " began at %.4g, %.1f sigma %s the others%s; ", GM_STR_ARG(gm_json_text(item, "twin")), number(item, "value"), fabs(sigmas),
                  sigmas < 0 ? "below" : "above", health && sigmas < -1 ? " (worn)" : "");
    // More than all, or the other way: there is no share of it.
    if (share >= 0 && share <= 1) gm_buf_printf(out, "%.0f %% of it is explained:\n", 100 * share);
    else gm_buf_printf(out, "as built one would expect %+.3g, and it is %+.3g:\n", number(item, "explained"), offset);
    for (size_t i = 0; i < json_array_size(because) && i < 5; i++) tell_reason(json_array_get(because, i), out);
}

static bool is_told(const gm_args *args, const json_t *item, size_t place)
{
    bool told = !gm_args_given(args, OPT_TWIN) && place < (size_t)gm_args_count(args, OPT_LIMIT);
    for (size_t i = 0; i < args->value_counts[OPT_TWIN] && !told; i++) told = gm_str_is(gm_json_text(item, "twin"), args->values[OPT_TWIN][i]);
    return told;
}

static gm_exit print(const gm_cli *cli, const gm_args *args, const json_t *answer)
{
    gm_buf        out   = gm_buf_init(cli->alloc);
    const json_t *items = json_object_get(answer, "items");
    size_t        told  = 0;
    tell_fleet(answer, &out);
    tell_deviations(cli, answer, &out);
    tell_left_out(answer, &out);
    for (size_t i = 0; i < json_array_size(items); i++) {
        if (!is_told(args, json_array_get(items, i), i)) continue;
        tell_twin(json_array_get(items, i), gm_json_text(answer, "health").len > 0, &out);
        told++;
    }
    gm_exit code = gm_client_print(cli, &out);
    if (code == GM_EXIT_OK && told == 0 && gm_args_given(args, OPT_TWIN)) return gm_cli_fail_text(cli, GM_EXIT_NO, "none of the named twins is among those that were explained");
    return code;
}

static gm_exit explain(const gm_cli *cli, const gm_args *args)
{
    gm_http       *http = NULL;
    gm_http_answer answer;
    gm_buf         body = gm_buf_init(cli->alloc);
    write_question(args, &body);
    gm_exit code = body.failed ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory") : gm_client_open(cli, args, OPT_HTTP, &http);
    if (code == GM_EXIT_OK) code = gm_client_ask(cli, http, "POST", "/v1/thread/explain", "application/json", (const char *)body.ptr, &answer);
    if (code == GM_EXIT_OK) {
        if (gm_args_given(args, OPT_JSON)) fprintf(cli->out, "%.*s\n", (int)answer.text.len, answer.text.ptr);
        else code = print(cli, args, answer.body);
        gm_http_answer_finish(&answer);
    }
    gm_buf_finish(&body);
    gm_http_close(http);
    return code;
}

const gm_verb gm_verb_thread_explain = {
    .name     = "thread explain",
    .summary  = "how much of what differs between twins is explained by how they were built",
    .text     = "Takes how each twin began (its health by a trained model, or the mean of a property, over its first rows), and how it and the parts that were installed in it "
                "then deviate from their design, and fits the one to the other over the fleet. What is said of a twin comes from a fit to the others.",
    .examples = "gemel thread explain \"SELECT * FROM DIGITALTWINS E WHERE IS_OF_MODEL(E, 'dtmi:gemel:turbofan:Engine;1')\" --health turbofan --rows 40\n"
                "gemel thread explain \"SELECT * FROM DIGITALTWINS P WHERE IS_OF_MODEL(P, 'dtmi:doc:Pump;1')\" --property vibration --key clearance --twin pump7",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = explain,
};
