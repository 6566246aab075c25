// gemel what-if: futures from the live state, asked of the server that runs, or of the plant itself.
#include "cli/client.h"
#include "cli/futures_ask.h"
#include "cli/futures_print.h"
#include "cli/local_server.h"
#include "cli/progress.h"
#include "cli/verbs.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

enum {
    OPT_HTTP,
    OPT_ROOT,
    OPT_EACH,
    OPT_HORIZON,
    OPT_STEP,
    OPT_TOLERANCE,
    OPT_METHOD,
    OPT_EVERY,
    OPT_POINTS,
    OPT_LANES,
    OPT_SEED,
    OPT_AS_OF,
    OPT_FROM_ESTIMATE,
    OPT_VARY,
    OPT_SET,
    OPT_SCENARIO,
    OPT_OUTPUTS,
    OPT_QUANTILES,
    OPT_UNTIL,
    OPT_SCORE,
    OPT_DESIGN,
    OPT_SENSITIVITY,
    OPT_THREADS,
    OPT_SAVE,
    OPT_JSON,
    OPT_PLOT
};
static const gm_option options[] = {
    [OPT_HTTP]      = { "http", GM_OPTION_ADDRESS, "ADDR:PORT", NULL,
                        "where the server is ($GEMEL_HTTP, else 127.0.0.1:8080 when it serves this plant; else the plant is "
                             "opened)" },
    [OPT_ROOT]      = { "root", GM_OPTION_TEXT, "ID", NULL,
                        "a twin; everything that is connected with it runs. Several: a fleet of like groups",
                        .repeats = true },
    [OPT_EACH]      = { "each", GM_OPTION_TEXT, "QUERY", NULL, "the roots of a fleet: 'SELECT * FROM DIGITALTWINS WHERE ...'" },
    [OPT_HORIZON]   = { "horizon", GM_OPTION_TEXT, "TIME", "24h", "how far to look: 90s, 24h, 7d" },
    [OPT_STEP]      = { "step", GM_OPTION_TEXT, "TIME", NULL, "length of the fixed steps (default: 1s)" },
    [OPT_TOLERANCE] = { "tolerance", GM_OPTION_NUMBER, "NUMBER", NULL,
                        "relative error: steps of the method's own choice instead" },
    [OPT_METHOD]    = { "method", GM_OPTION_TEXT, "NAME", NULL, "rk4, euler, dopri or implicit" },
    [OPT_EVERY]     = { "every", GM_OPTION_TEXT, "TIME", NULL,
                        "how often inputs move and conditions are looked at (default: every step)" },
    [OPT_POINTS] = { "points", GM_OPTION_COUNT, "N", NULL, "intervals between output points, at most (default: 240)" },
    [OPT_LANES]  = { "lanes", GM_OPTION_COUNT, "N", "1024", "how many futures" },
    [OPT_SEED]   = { "seed", GM_OPTION_COUNT, "N", "1", "of the random numbers: the same seed gives the same futures" },
    [OPT_AS_OF]  = { "as-of", GM_OPTION_TIME, "TIME", NULL, "fork the state as it was then" },
    [OPT_FROM_ESTIMATE] = { "from-estimate", GM_OPTION_FLAG, NULL, NULL,
                            "begin where the server's estimate says: states and parameters drawn from its joint distribution" },
    [OPT_VARY]   = { "vary", GM_OPTION_TEXT, "NAME=...", NULL,
                     "draw it: 'tank1.leak=uniform(0,0.02)', 'town.demand+=ou(0,2,30min)', 'in=csv(FILE)'",
                     .repeats = true },
    [OPT_SET]    = { "set", GM_OPTION_TEXT, "NAME=VALUE[@TIME]", NULL,
                     "change it: 'pump1.speed=0@1h'; a fault by its name: 'pump1.wear@6h'", .repeats = true },
    [OPT_SCENARIO]    = { "scenario", GM_OPTION_TEXT, "NAME:NAME=...", NULL,
                          "a change of one scenario; all scenarios run, with the same draws", .repeats = true },
    [OPT_OUTPUTS]     = { "outputs", GM_OPTION_TEXT, "NAME,...", NULL, "what to look at: tank1.level,pump1.power" },
    [OPT_QUANTILES]   = { "quantiles", GM_OPTION_TEXT, "Q,...", "0.05,0.5,0.95", "which quantiles of the outputs" },
    [OPT_UNTIL]       = { "until", GM_OPTION_TEXT, "CONDITION", NULL, "when does it come to that? 'tank1.level > 3'",
                          .repeats = true },
    [OPT_SCORE]       = { "score", GM_OPTION_TEXT, "SCORE", NULL,
                          "one number a lane: 'integral(pump1.power)', mean, min, max, final, above(NAME,X)",
                          .repeats = true },
    [OPT_DESIGN]      = { "design", GM_OPTION_TEXT, "NAME", NULL, "how lanes are spread: random, latin or sobol" },
    [OPT_SENSITIVITY] = { "sensitivity", GM_OPTION_TEXT, "METHOD", NULL,
                          "what moves the scores and outputs: sobol or morris" },
    [OPT_THREADS]     = { "threads", GM_OPTION_COUNT, "N", NULL, "use no more threads than that" },
    [OPT_SAVE]        = { "save", GM_OPTION_FLAG, NULL, NULL, "keep it with the plant, for gemel futures verify" },
    [OPT_JSON]        = { "json", GM_OPTION_FLAG, NULL, NULL, "print the result as JSON" },
    [OPT_PLOT]        = { "plot", GM_OPTION_FLAG, NULL, NULL, "draw fan charts" },
};
static const gm_operand operands[] = {
    { "PLANT", "the plant's folder" },
};

enum { CSV_MAX = 64 << 20 };

// ---- the request ----------------------------------------------------------------------------------------------------

// Two columns, seconds and value; a first line that is no number is a header.
static json_t *series_of(const gm_cli *cli, const char *path, gm_error *err)
{
    uint8_t *bytes = NULL;
    size_t   size  = 0, line_number = 0;
    if (gm_io_read_file(cli->io, path, CSV_MAX, &bytes, &size, err) != GM_OK) return NULL;
    json_t *time = json_array(), *values = json_array();
    gm_str  rest = { (const char *)bytes, size }, line;
    bool    good = true;
    while (good && gm_str_next(&rest, '\n', &line)) {
        char  *end = NULL, *next = NULL;
        line_number++;
        line = gm_str_trim(line);
        if (line.len == 0) continue;
        double t = strtod(line.ptr, &end), v = 0;
        bool   two = end != line.ptr && *end == ',';
        if (two) v = strtod(end + 1, &next);
        good = two && next != end + 1 && isfinite(t) && isfinite(v);
        if (!good && line_number == 1) {
            good = true;
            continue;
        }
        if (good) json_array_append_new(time, json_real(t)), json_array_append_new(values, json_real(v));
    }
    gm_free(cli->io->alloc, bytes);
    if (good) return json_pack("{s:o,s:o}", "time", time, "values", values);
    gm_fail(err, GM_INVALID, "cli.what-if", "%.120s:%zu: expected SECONDS,VALUE", path, line_number);
    json_decref(time);
    json_decref(values);
    return NULL;
}

// NAME=csv(FILE) is read here: the server does not look into other people's files.
static json_t *variation(const gm_cli *cli, const char *text, gm_error *err)
{
    const char *at = strstr(text, "=csv(");
    size_t      n  = strlen(text);
    if (at == NULL || n == 0 || text[n - 1] != ')') return json_string(text);
    gm_str path = gm_arena_printf(cli->arena, "%.*s", (int)(text + n - 1 - (at + 5)), at + 5);
    size_t name = (size_t)(at - text);
    const char *op = name > 0 && text[name - 1] == '+' ? "add" : name > 0 && text[name - 1] == '*' ? "scale" : "set";
    if (op[0] == 'a' || op[1] == 'c') name--;
    json_t *series = path.ptr != NULL ? series_of(cli, path.ptr, err) : NULL;
    return series != NULL ? json_pack("{s:s%,s:s,s:o}", "name", text, name, "op", op, "series", series) : NULL;
}

static bool add_variations(const gm_cli *cli, const gm_args *args, size_t option, json_t *list, gm_error *err)
{
    for (size_t i = 0; i < args->value_counts[option]; i++) {
        json_t *v = variation(cli, args->values[option][i], err);
        if (v == NULL) return false;
        json_array_append_new(list, v);
    }
    return true;
}

static bool add_scenarios(const gm_cli *cli, const gm_args *args, json_t *request, gm_error *err)
{
    json_t *all = json_object();
    for (size_t i = 0; i < args->value_counts[OPT_SCENARIO]; i++) {
        const char *text = args->values[OPT_SCENARIO][i], *colon = strchr(text, ':');
        gm_str      name =
            gm_arena_str(cli->arena, (gm_str) { text, colon != NULL ? (size_t)(colon - text) : strlen(text) });
        json_t     *list = json_object_get(all, name.ptr);
        if (list == NULL) json_object_set_new(all, name.ptr, list = json_array());
        json_t *v = colon != NULL && colon[1] != '\0' ? variation(cli, colon + 1, err) : NULL;  // without one: as it is
        if (colon != NULL && colon[1] != '\0' && v == NULL) {
            json_decref(all);
            return false;
        }
        if (v != NULL) json_array_append_new(list, v);
    }
    if (json_object_size(all) > 0) json_object_set_new(request, "scenarios", all);
    else json_decref(all);
    return true;
}

static void add_texts(const gm_args *args, size_t option, const char *field, json_t *request)
{
    json_t *list = json_array();
    for (size_t i = 0; i < args->value_counts[option]; i++)
        json_array_append_new(list, json_string(args->values[option][i]));
    if (json_array_size(list) > 0) json_object_set_new(request, field, list);
    else json_decref(list);
}

static void add_text(const gm_args *args, size_t option, const char *field, json_t *request)
{
    if (gm_args_text(args, option) != NULL)
        json_object_set_new(request, field, json_string(gm_args_text(args, option)));
}

static void add_count(const gm_args *args, size_t option, const char *field, json_t *request)
{
    if (gm_args_text(args, option) != NULL)
        json_object_set_new(request, field, json_integer(gm_args_count(args, option)));
}

static bool add_lists(const gm_args *args, json_t *request, gm_error *err)
{
    gm_str  rest = gm_str_of(gm_args_text(args, OPT_OUTPUTS)), part;
    json_t *outputs = json_array(), *quantiles = json_array();
    while (gm_str_next(&rest, ',', &part)) {
        part = gm_str_trim(part);
        if (part.len > 0) json_array_append_new(outputs, json_stringn(part.ptr, part.len));
    }
    json_object_set_new(request, "outputs", outputs);
    json_object_set_new(request, "quantiles", quantiles);
    rest = gm_str_of(gm_args_text(args, OPT_QUANTILES));
    while (gm_str_next(&rest, ',', &part)) {
        char  *end;
        double q = strtod(part.ptr, &end);
        if (end != part.ptr + part.len || part.len == 0) {
            gm_fail(err, GM_INVALID, "cli.what-if", "--quantiles: expected numbers in 0..1 with commas between them");
            return false;
        }
        json_array_append_new(quantiles, json_real(q));
    }
    return true;
}

static json_t *request_of(const gm_cli *cli, const gm_args *args, gm_error *err)
{
    json_t *request = json_object(), *vary = json_array();
    json_object_set_new(request, "vary", vary);
    const struct {
        int         option;
        const char *field;
    } texts[] = { { OPT_EACH, "fleet" },    { OPT_HORIZON, "horizon" },
                  { OPT_STEP, "step" },     { OPT_METHOD, "method" },
                  { OPT_EVERY, "every" },   { OPT_AS_OF, "asOf" },
                  { OPT_DESIGN, "design" }, { OPT_SENSITIVITY, "sensitivity" } };
    for (size_t i = 0; i < GM_COUNT_OF(texts); i++) add_text(args, (size_t)texts[i].option, texts[i].field, request);
    if (args->value_counts[OPT_ROOT] > 1) add_texts(args, OPT_ROOT, "roots", request);
    else add_text(args, OPT_ROOT, "root", request);
    add_count(args, OPT_POINTS, "points", request);
    add_count(args, OPT_LANES, "lanes", request);
    add_count(args, OPT_SEED, "seed", request);
    add_count(args, OPT_THREADS, "threads", request);
    add_texts(args, OPT_UNTIL, "until", request);
    add_texts(args, OPT_SCORE, "score", request);
    if (gm_args_given(args, OPT_TOLERANCE))
        json_object_set_new(request, "tolerance", json_real(gm_args_number(args, OPT_TOLERANCE)));
    if (gm_args_given(args, OPT_FROM_ESTIMATE)) json_object_set_new(request, "from", json_string("estimate"));
    if (gm_args_given(args, OPT_SAVE)) json_object_set_new(request, "save", json_true());
    if (add_variations(cli, args, OPT_VARY, vary, err) && add_variations(cli, args, OPT_SET, vary, err) &&
        add_scenarios(cli, args, request, err) && add_lists(args, request, err))
        return request;
    json_decref(request);
    return NULL;
}

// ---- asking ---------------------------------------------------------------------------------------------------------

static gm_exit ask(const gm_cli *cli, const gm_args *args, gm_http *http, const json_t *request)
{
    gm_http_answer answer;
    gm_exit        code = gm_futures_ask(cli, http, request, "what-if", &answer);
    if (code != GM_EXIT_OK) return code;
    if (gm_args_given(args, OPT_JSON)) {
        fwrite(answer.text.ptr, 1, answer.text.len, cli->out);
        fputc('\n', cli->out);
    } else if (gm_args_given(args, OPT_PLOT)) code = gm_futures_print_fans(cli, answer.body);
    else code = gm_futures_print_tables(cli, answer.body);
    const char *id = json_string_value(json_object_get(answer.body, "id"));
    if (gm_args_given(args, OPT_SAVE) && !gm_args_given(args, OPT_JSON) && id != NULL)
        fprintf(cli->out, "kept; when its time has passed: gemel futures verify %s\n", id);
    gm_http_answer_finish(&answer);
    return code;
}

// Does the server at the usual address serve this very plant? It calls a plant by the last part of its folder's path.
static bool serves_this(const gm_cli *cli, gm_http *http, const char *plant)
{
    gm_http_answer answer;
    gm_error       err = { 0 };
    char           path[PATH_MAX];
    bool           same = false;
    (void)cli;
    gm_status st = gm_http_request(http, "GET", "/v1/plant", NULL, NULL, &answer, &err);
    const char *name = json_string_value(json_object_get(answer.body, "name")),
               *last = realpath(plant, path) != NULL ? strrchr(path, '/') : NULL;
    if (st == GM_OK && answer.code == 200) same = name != NULL && last != NULL && strcmp(name, last + 1) == 0;
    if (st == GM_OK && answer.code == 401) same = true;  // it will say itself that it wants to know who asks
    gm_http_answer_finish(&answer);
    return same;
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    gm_error         err   = { 0 };
    gm_local_server *local = NULL;
    gm_http         *http  = NULL;
    const char      *plant = gm_args_operand(args, 0);
    if (!gm_args_given(args, OPT_ROOT) && !gm_args_given(args, OPT_EACH))
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--root: which twin? Everything connected with it runs");
    if (gm_args_given(args, OPT_ROOT) && gm_args_given(args, OPT_EACH))
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--each: its query names the roots; leave --root out");
    json_t *request = request_of(cli, args, &err);
    if (request == NULL) return gm_cli_fail(cli, &err);
    gm_exit code = gm_client_open(cli, args, OPT_HTTP, &http);
    const char *set   = getenv("GEMEL_HTTP");
    bool        named = gm_args_given(args, OPT_HTTP) || (set != NULL && set[0] != '\0');
    if (code == GM_EXIT_OK && !named && !serves_this(cli, http, plant)) {
        gm_http_close(http);
        http         = NULL;
        gm_status st = gm_local_server_open(cli, plant, &local, &err);
        if (st == GM_OK) st = gm_http_open(cli->alloc, gm_local_server_address(local), &http, &err);
        if (st != GM_OK) code = gm_cli_fail(cli, &err);
    }
    if (code == GM_EXIT_OK) code = ask(cli, args, http, request);
    json_decref(request);
    gm_http_close(http);
    gm_local_server_close(local);
    return code;
}

const gm_verb gm_verb_what_if = {
    .name    = "what-if",
    .summary = "fork the live state into thousands of futures and show their distribution",
    .text =
        "Takes the root twin and everything connected with it as it is now (or was, with --as-of), varies and changes "
        "what is asked "
        "for, runs every lane to the horizon and prints quantiles over time. Nothing is changed in the plant. Names "
        "are "
        "TWIN.PROPERTY, values in the unit that the property declares; another unit may stand behind a number.\n\n"
        "Distributions: uniform(low,high) normal(mean,sd) lognormal(m,s) triangular(low,mode,high) exponential(mean) "
        "weibull(shape,scale) gamma(shape,scale) beta(a,b,low,high) choice(...) empirical(...) resample(7d). "
        "Processes: "
        "ou(mean,sd,time) poisson(rate,height,time) history(24h) csv(FILE). Also list(...) and grid(from,to,count). "
        "= sets, += adds, *= multiplies; @1h, @1h..2h and @uniform(0,24h) say when. docs/futures.md has it all.",
    .examples =
        "gemel what-if examples/pumphouse --root tower --horizon 24h --lanes 4096 --outputs tower.level --plot\n"
        "gemel what-if plant --root tank1 --vary 'tank1.leak=uniform(0,0.02)' --set 'pump1.speed=0@1h' --outputs "
        "tank1.level,pump1.power\n"
        "gemel what-if plant --root tank1 --vary 'town.demand*=normal(1,0.1)' --until 'tank1.level < 0.5' --outputs "
        "tank1.level --json\n"
        "gemel what-if plant --root tank1 --from-estimate --horizon 7d --until 'tank1.level < 0.5'\n"
        "gemel what-if plant --each \"SELECT * FROM DIGITALTWINS WHERE IS_OF_MODEL('dtmi:plant:Tank;1')\" --lanes 64 "
        "--until 'tank1.level < 0.5'",
    .syntax = GM_SYNTAX(options, operands),
    .run    = run,
};
