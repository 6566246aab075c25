// gemel futures verify: what was forecast against what then happened.
#include "cli/client.h"
#include "cli/futures_print.h"
#include "cli/table.h"
#include "cli/verbs.h"

#include <math.h>
#include <stdlib.h>

enum { OPT_HTTP, OPT_JSON };
static const gm_option options[] = {
    [OPT_HTTP] = GM_CLIENT_HTTP,
    [OPT_JSON] = { "json", GM_OPTION_FLAG, NULL, NULL, "print the comparison as JSON" },
};
static const gm_operand operands[] = {
    { "ID", "of futures that were kept with --save, or are in memory still" },
};

static double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void print_output(const char *name, const json_t *o, gm_buf *out)
{
    const char *key;
    json_t     *share;
    if (!json_is_object(o)) {
        gm_buf_printf(out, "%s: no property or telemetry of a twin; nothing to compare with\n", name);
        return;
    }
    long long points = (long long)json_integer_value(json_object_get(o, "points"));
    if (points == 0) {
        gm_buf_printf(out, "%s: nothing has been measured since\n", name);
        return;
    }
    gm_buf_printf(out, "%s: %lld points; the middle was off by %.4g on average (bias %.4g, rms %.4g)\n", name, points,
                  number_of(o, "meanAbsoluteError"), number_of(o, "bias"), number_of(o, "rmse"));
    json_object_foreach(json_object_get(o, "below"), key, share)
        gm_buf_printf(out, "  %5.1f %% of values were expected below the %s quantile, %5.1f %% were\n",
                      100 * strtod(key, NULL), key, 100 * json_number_value(share));
}

static void print_member(const char *root, const json_t *member, gm_buf *out)
{
    const char *name;
    json_t     *o;
    gm_buf_printf(out, "member %s%s\n", root, json_is_object(member) ? "" : ": its twins have changed since");
    json_object_foreach(json_object_get(member, "outputs"), name, o) print_output(name, o, out);
}

static gm_exit print_comparison(const gm_cli *cli, const json_t *answer, const void *context)
{
    (void)context;
    gm_buf      out = gm_buf_init(cli->alloc);
    char        passed[32], horizon[32];
    const char *name;
    json_t     *o;
    gm_buf_printf(&out, "forecast of %s; %s of %s have passed\n", json_string_value(json_object_get(answer, "asOf")),
                  gm_futures_time_text(number_of(answer, "passed"), passed),
                  gm_futures_time_text(number_of(answer, "horizon"), horizon));
    json_object_foreach(json_object_get(answer, "outputs"), name, o) print_output(name, o, &out);
    json_object_foreach(json_object_get(answer, "members"), name, o) print_member(name, o, &out);
    return gm_client_print(cli, &out);
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    static const gm_client_view view = { .http_option = OPT_HTTP, .json_option = OPT_JSON, .print = print_comparison };
    const char *path = GM_CLIENT_PATH(cli->arena, "/v1/futures/", gm_args_operand(args, 0), "/verification");
    return gm_client_show(cli, args, path, &view);
}

const gm_verb gm_verb_futures_verify = {
    .name    = "futures verify",
    .summary = "compare a past forecast with what then happened",
    .text    = "Reads the history of every output that is a property or telemetry at the forecast's points that have "
               "passed, and says how "
               "much fell below each quantile (of good 5 % quantiles 5 %), and how far off the middle was.",
    .examples =
        "gemel what-if plant --root tank1 --horizon 1h --outputs tank1.level --save\ngemel futures verify f1a20189be34",
    .syntax = GM_SYNTAX(options, operands),
    .run    = run,
};
