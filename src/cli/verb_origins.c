// gemel origins: what broke, by what a running plant's sensors and alarms say.
#include "cli/client.h"
#include "cli/table.h"
#include "cli/verbs.h"

#include <math.h>

enum { OPT_HTTP, OPT_NAME, OPT_UNTIL, OPT_SEARCH, OPT_JSON };
static const gm_option options[] = {
    [OPT_HTTP]   = GM_CLIENT_HTTP,
    [OPT_NAME]   = { "name", GM_OPTION_TEXT, "NAME", NULL, "with the model of which estimate (default: the first one)" },
    [OPT_UNTIL]  = { "until", GM_OPTION_TIME, "TIME", NULL, "what was measured until then, RFC 3339 (default: all there is)" },
    [OPT_SEARCH] = { "search", GM_OPTION_DURATION, "LENGTH", NULL, "how far back it may have begun (default: as the estimate says, 12h)" },
    [OPT_JSON]   = { "json", GM_OPTION_FLAG, NULL, NULL, "print the server's answer as JSON" },
};

static gm_str thing_of(const gm_cli *cli, const json_t *o)
{
    gm_str twin = gm_client_text(o, "twin"), mode = gm_client_text(o, "mode");
    return gm_arena_printf(cli->arena, GM_STR_FMT "." GM_STR_FMT, GM_STR_ARG(twin), GM_STR_ARG(mode));
}

static gm_str size_of(const gm_cli *cli, const json_t *o)
{
    if (!json_is_number(json_object_get(o, "size"))) return GM_STR("-");
    return gm_arena_printf(cli->arena, "%.3g +- %.2g", gm_client_number(o, "size"), gm_client_number(o, "deviation"));
}

// Who fell far behind was not followed to the end.
static gm_str leaves_of(const gm_cli *cli, const json_t *o)
{
    return json_is_number(json_object_get(o, "strain")) ? gm_arena_printf(cli->arena, "%.2f", gm_client_number(o, "strain")) : GM_STR("-");
}

static gm_str alarms_of(const gm_cli *cli, const json_t *list)
{
    gm_str all = GM_STR("");
    for (size_t i = 0; i < json_array_size(list); i++) {
        gm_str one = gm_client_text(json_array_get(list, i), "alarm");
        all        = gm_arena_printf(cli->arena, GM_STR_FMT "%s" GM_STR_FMT, GM_STR_ARG(all), i > 0 ? " " : "", GM_STR_ARG(one));
    }
    return all.len > 0 ? all : GM_STR("-");
}

static void write_items(const gm_cli *cli, const json_t *items, gm_buf *out)
{
    enum { COLUMNS = 7 };
    gm_table_text *table         = gm_table_text_create(cli->arena, COLUMNS);
    const gm_str   head[COLUMNS] = { GM_STR("PROBABILITY"), GM_STR("ORIGIN"), GM_STR("SINCE"), GM_STR("SIZE"), GM_STR("LEAVES"), GM_STR("EXPLAINS"), GM_STR("MISSING") };
    gm_table_text_add(table, head);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *o = json_array_get(items, i), *with = json_object_get(o, "with");
        gm_str        origin = thing_of(cli, o), second = with != NULL ? thing_of(cli, with) : GM_STR("");
        const gm_str  cells[COLUMNS] = {
            gm_arena_printf(cli->arena, "%.3f", gm_client_number(o, "probability")),
            with != NULL ? gm_arena_printf(cli->arena, GM_STR_FMT " and " GM_STR_FMT, GM_STR_ARG(origin), GM_STR_ARG(second)) : origin,
            gm_client_text(o, "since"), size_of(cli, o), leaves_of(cli, o),
            alarms_of(cli, json_object_get(o, "explains")), alarms_of(cli, json_object_get(o, "missing")) };
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, out);
}

static gm_exit print_origins(const gm_cli *cli, const json_t *answer, const void *context)
{
    (void)context;
    gm_buf        out         = gm_buf_init(cli->alloc);
    const json_t *unexplained = json_object_get(answer, "unexplained");
    gm_str        noticed     = gm_client_text(answer, "noticed");
    if (noticed.len == 0) gm_buf_printf(&out, "Nothing is out of the ordinary: the healthy model explains what was measured (%.2f of what it may leave).\n", gm_client_number(answer, "strain"));
    else gm_buf_printf(&out, "Out of the ordinary since " GM_STR_FMT ".\n", GM_STR_ARG(noticed));
    gm_buf_printf(&out, "That nothing is wrong: %.3f.%s\n\n", gm_client_number(answer, "none"),
                  json_is_true(json_object_get(answer, "explained")) ? "" : " NONE of these explains all that was measured.");
    write_items(cli, json_object_get(answer, "items"), &out);
    if (json_array_size(unexplained) > 0) gm_buf_text(&out, "\nalarms that no likely origin explains:");
    for (size_t i = 0; i < json_array_size(unexplained); i++) gm_buf_printf(&out, " %s", json_string_value(json_array_get(unexplained, i)));
    if (json_array_size(unexplained) > 0) gm_buf_byte(&out, '\n');
    return gm_client_print(cli, &out);
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    static const gm_client_view  view    = { .http_option = OPT_HTTP, .json_option = OPT_JSON, .print = print_origins };
    static const struct { int option; const char *key; } asked[] = { { OPT_NAME, "name=" }, { OPT_UNTIL, "until=" }, { OPT_SEARCH, "search=" } };
    const char *path = "/v1/origins?";
    for (size_t i = 0; i < GM_COUNT_OF(asked) && path != NULL; i++) {
        const char *value = gm_args_text(args, (size_t)asked[i].option);
        if (value == NULL) continue;
        gm_str begun = gm_arena_printf(cli->arena, "%s%s%s", path, path[strlen(path) - 1] == '?' ? "" : "&", asked[i].key);
        path         = begun.ptr != NULL ? GM_CLIENT_PATH(cli->arena, begun.ptr, value) : NULL;
    }
    return gm_client_show(cli, args, path, &view);
}

const gm_verb gm_verb_origins = {
    .name     = "origins",
    .summary  = "show what most likely broke: which twin, how, since when, and what speaks for it",
    .text     = "Lets every fault that the twins' behaviors declare, and every sensor, have begun at any moment of the search, and tells which of them makes "
                "what was measured likely (docs/root-cause.md). LEAVES is what an origin leaves unexplained: up to 1 a healthy plant does, too. SIZE is a share of "
                "what the fault's class declares; of a sensor's offset, in its unit. EXPLAINS are alarms that stand and follow from it, MISSING those that should. Takes "
                "the server some seconds.",
    .examples = "gemel origins\ngemel origins --name waterworks --search 4h\ngemel origins --until 2026-01-05T12:00:00Z --json",
    .syntax   = { .options = options, .option_count = GM_COUNT_OF(options) },
    .run      = run,
};
