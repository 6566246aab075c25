// gemel thread: the whole life of a twin: facts as they were true and as they were known.
#include "cli/client.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "control/json.h"

#include <stdlib.h>

// "/v1/thread/TWIN?valid=...&known=...": the times that were given.
static const char *with_times(const gm_cli *cli, const gm_args *args, const char *path, size_t valid, size_t known)
{
    if (path == NULL) return NULL;
    path = GM_CLIENT_PATH(cli->arena, gm_arena_printf(cli->arena, "%s%s", path, strchr(path, '?') != NULL ? "" : "?").ptr);
    if (path != NULL && gm_args_given(args, valid))
        path = GM_CLIENT_PATH(cli->arena, gm_arena_printf(cli->arena, "%s&valid=", path).ptr, gm_args_text(args, valid));
    if (path != NULL && gm_args_given(args, known))
        path = GM_CLIENT_PATH(cli->arena, gm_arena_printf(cli->arena, "%s&known=", path).ptr, gm_args_text(args, known));
    return path;
}

static const char *with_text(const gm_cli *cli, const gm_args *args, const char *path, const char *name, size_t option)
{
    if (path == NULL || !gm_args_given(args, option)) return path;
    return GM_CLIENT_PATH(cli->arena, gm_arena_printf(cli->arena, "%s&%s=", path, name).ptr, gm_args_text(args, option));
}

#define VALID_OPTION { "valid", GM_OPTION_TIME, "TIME", NULL, "when it was true; now unless given" }
#define KNOWN_OPTION { "known", GM_OPTION_TIME, "TIME", NULL, "as it was known then; everything known unless given" }
#define JSON_OPTION  { "json", GM_OPTION_FLAG, NULL, NULL, "print the server's answer as JSON" }

// ---- show -----------------------------------------------------------------------------------------------------------

enum { SHOW_HTTP, SHOW_VALID, SHOW_KNOWN, SHOW_PHASE, SHOW_KEY, SHOW_FIND, SHOW_HISTORY, SHOW_LIMIT, SHOW_JSON };
static const gm_option show_options[] = {
    [SHOW_HTTP] = GM_CLIENT_HTTP,
    [SHOW_VALID] = VALID_OPTION,
    [SHOW_KNOWN] = KNOWN_OPTION,
    [SHOW_PHASE] = { "phase", GM_OPTION_TEXT, "PHASE", NULL, "as-designed, as-built, as-operated, maintained or decommissioned" },
    [SHOW_KEY] = { "key", GM_OPTION_TEXT, "KEY", NULL, "of this key only" },
    [SHOW_FIND] = { "find", GM_OPTION_TEXT, "TEXT", NULL, "a part of the key, the value, the author or the cause, in whatever case" },
    [SHOW_HISTORY] = { "history", GM_OPTION_FLAG, NULL, NULL, "everything that was ever said" },
    [SHOW_LIMIT] = { "limit", GM_OPTION_COUNT, "COUNT", NULL, "at most so many, the newest" },
    [SHOW_JSON] = JSON_OPTION,
};
static const gm_operand show_operands[] = { { "TWIN", "a twin, or a part number" } };

// What a fact says: a value with its limits, where a part is, which document.
static gm_str value_text(const gm_cli *cli, const json_t *fact)
{
    gm_buf        out      = gm_buf_init(cli->alloc);
    const json_t *document = json_object_get(fact, "document"), *part = json_object_get(fact, "part");
    if (document != NULL) gm_buf_printf(&out, GM_STR_FMT " %.12s " GM_STR_FMT, GM_STR_ARG(gm_json_text(document, "mediaType")), gm_json_text(document, "hash").ptr, GM_STR_ARG(gm_json_text(document, "name")));
    else gm_client_write_value(part != NULL ? part : json_object_get(fact, "value"), &out);
    if (json_object_get(fact, "quantity") != NULL) {
        gm_buf_text(&out, " x ");
        gm_client_write_value(json_object_get(fact, "quantity"), &out);
    }
    if (gm_json_text(fact, "unit").len > 0) gm_buf_printf(&out, " " GM_STR_FMT, GM_STR_ARG(gm_json_text(fact, "unit")));
    if (json_object_get(fact, "min") != NULL || json_object_get(fact, "max") != NULL) {
        gm_buf_text(&out, " [");
        gm_client_write_value(json_object_get(fact, "min"), &out);
        gm_buf_text(&out, " .. ");
        gm_client_write_value(json_object_get(fact, "max"), &out);
        gm_buf_byte(&out, ']');
    }
    if (gm_json_text(fact, "position").len > 0) gm_buf_printf(&out, " at " GM_STR_FMT, GM_STR_ARG(gm_json_text(fact, "position")));
    gm_str kept = out.failed ? (gm_str){ 0 } : gm_arena_str(cli->arena, gm_buf_view(&out));
    gm_buf_finish(&out);
    return kept;
}

enum { COLUMNS = 7 };

static gm_exit print_facts(const gm_cli *cli, const json_t *answer, const void *context)
{
    (void)context;
    gm_buf         out   = gm_buf_init(cli->alloc);
    const json_t  *items = json_object_get(answer, "items");
    gm_table_text *table = gm_table_text_create(cli->arena, COLUMNS);
    const gm_str   head[COLUMNS] = { GM_STR("TWIN"), GM_STR("PHASE"), GM_STR("KEY"), GM_STR("VALUE"), GM_STR("FROM"), GM_STR("TO"), GM_STR("BY") };
    gm_table_text_add(table, head);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *f = json_array_get(items, i);
        const gm_str  cells[COLUMNS] = { gm_json_text(f, "twin"), gm_json_text(f, "phase"), gm_json_text(f, "key"), value_text(cli, f),
                                         gm_json_text(f, "from"), gm_json_text(f, "to"), gm_json_text(f, "author") };
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, &out);
    if (json_array_size(items) == 0) fputs("nothing is known\n", cli->err);
    return gm_client_print(cli, &out);
}

static gm_exit show(const gm_cli *cli, const gm_args *args)
{
    enum { A_PAGE = 1000 };
    gm_http    *http  = NULL;
    json_t     *facts = NULL;
    size_t      most  = gm_args_given(args, SHOW_LIMIT) ? (size_t)gm_args_count(args, SHOW_LIMIT) : 0;
    const char *path  = with_times(cli, args, GM_CLIENT_PATH(cli->arena, "/v1/thread/", gm_args_operand(args, 0)), SHOW_VALID, SHOW_KNOWN);
    path              = with_text(cli, args, path, "phase", SHOW_PHASE);
    path              = with_text(cli, args, path, "key", SHOW_KEY);
    path              = with_text(cli, args, path, "find", SHOW_FIND);
    if (gm_args_given(args, SHOW_LIMIT) && most == 0) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--limit is at least 1");
    if (path != NULL && gm_args_given(args, SHOW_HISTORY)) path = gm_arena_printf(cli->arena, "%s&history=true", path).ptr;
    if (path != NULL && most > 0 && most < A_PAGE) path = gm_arena_printf(cli->arena, "%s&limit=%zu", path, most).ptr;
    if (path == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    gm_exit code = gm_client_open(cli, args, SHOW_HTTP, &http);
    if (code == GM_EXIT_OK) code = gm_client_ask_all(cli, http, path, "items", most, &facts);
    if (code == GM_EXIT_OK && gm_args_given(args, SHOW_JSON)) {
        json_dumpf(facts, cli->out, JSON_COMPACT);
        fputc('\n', cli->out);
    } else if (code == GM_EXIT_OK) code = print_facts(cli, facts, NULL);
    json_decref(facts);
    gm_http_close(http);
    return code;
}

const gm_verb gm_verb_thread_show = {
    .name     = "thread show",
    .summary  = "what is, or was, known of a twin",
    .text     = "Facts of a twin's whole life: as it was designed, built, operated, maintained and decommissioned. --valid asks what was true at a time, "
                "--known what was believed at a time: corrections that came later are left out. The newest come first. The twin may not exist yet, or any more.",
    .examples = "gemel thread show pump7\ngemel thread show pump7 --phase as-built --valid 2026-01-10T00:00:00Z\ngemel thread show pump7 --key bore --history\ngemel thread show pump7 --history --limit 20",
    .syntax   = GM_SYNTAX(show_options, show_operands),
    .run      = show,
};

// ---- parts ----------------------------------------------------------------------------------------------------------

enum { PARTS_HTTP, PARTS_VALID, PARTS_KNOWN, PARTS_EVER, PARTS_JSON };
static const gm_option parts_options[] = {
    [PARTS_HTTP] = GM_CLIENT_HTTP,
    [PARTS_VALID] = VALID_OPTION,
    [PARTS_KNOWN] = KNOWN_OPTION,
    [PARTS_EVER] = { "ever", GM_OPTION_FLAG, NULL, NULL, "also what was installed at other times" },
    [PARTS_JSON] = JSON_OPTION,
};
static const gm_operand parts_operands[] = { { "TWIN", "the assembly" } };

static gm_exit parts(const gm_cli *cli, const gm_args *args)
{
    static const gm_client_view view = { .http_option = PARTS_HTTP, .json_option = PARTS_JSON, .print = print_facts };
    const char *path = with_times(cli, args, GM_CLIENT_PATH(cli->arena, "/v1/thread/", gm_args_operand(args, 0), "/parts"), PARTS_VALID, PARTS_KNOWN);
    if (path != NULL && gm_args_given(args, PARTS_EVER)) path = GM_CLIENT_PATH(cli->arena, gm_arena_printf(cli->arena, "%s&ever=true", path).ptr);
    return gm_client_show(cli, args, path, &view);
}

const gm_verb gm_verb_thread_parts = {
    .name     = "thread parts",
    .summary  = "which serialised parts are, or were, installed in a twin",
    .examples = "gemel thread parts engine1\ngemel thread parts engine1 --valid 2026-03-01T00:00:00Z\ngemel thread parts engine1 --ever",
    .syntax   = GM_SYNTAX(parts_options, parts_operands),
    .run      = parts,
};

// ---- diff -----------------------------------------------------------------------------------------------------------

enum { DIFF_HTTP, DIFF_VALID, DIFF_KNOWN, DIFF_OWN, DIFF_ALL, DIFF_JSON };
static const gm_option diff_options[] = {
    [DIFF_HTTP] = GM_CLIENT_HTTP,
    [DIFF_VALID] = VALID_OPTION,
    [DIFF_KNOWN] = KNOWN_OPTION,
    [DIFF_OWN] = { "own", GM_OPTION_FLAG, NULL, NULL, "of the twin itself, without the parts that are installed in it" },
    [DIFF_ALL] = { "all", GM_OPTION_FLAG, NULL, NULL, "also what is the same or within tolerance" },
    [DIFF_JSON] = JSON_OPTION,
};
static const gm_operand diff_operands[] = {
    { "TWIN", "a twin, or a part number" }, { "FIRST", "a phase, such as as-designed" }, { "SECOND", "another, such as as-built" },
};

// Of parts, where they are in the assembly: "hpc/tip clearance".
static gm_str key_text(const gm_cli *cli, const json_t *d)
{
    gm_str place = gm_json_text(d, "place"), key = gm_json_text(d, "key");
    return place.len > 0 ? gm_arena_printf(cli->arena, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(place), GM_STR_ARG(key)) : key;
}

static bool has_parts(const json_t *items)
{
    bool parts = false;
    for (size_t i = 0; i < json_array_size(items); i++) parts = parts || gm_json_text(json_array_get(items, i), "part").len > 0;
    return parts;
}

// With parts: which, and why a deviation was granted.
static gm_exit print_diff(const gm_cli *cli, const json_t *answer, const void *context)
{
    bool           all   = *(const bool *)context;
    gm_buf         out   = gm_buf_init(cli->alloc);
    const json_t  *items = json_object_get(answer, "items");
    bool           parts = has_parts(items);
    gm_table_text *table = gm_table_text_create(cli->arena, parts ? 6 : 4);
    const gm_str   head[6] = { GM_STR("KEY"), GM_STR("VERDICT"), gm_json_text(answer, "first"), gm_json_text(answer, "second"), GM_STR("PART"), GM_STR("CAUSE") };
    size_t         rows    = 0;
    gm_table_text_add(table, head);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *d       = json_array_get(items, i), *first = json_object_get(d, "first"), *second = json_object_get(d, "second");
        gm_str        verdict = gm_json_text(d, "verdict");
        if (!all && (gm_str_is(verdict, "same") || gm_str_is(verdict, "within tolerance"))) continue;
        const gm_str cells[6] = { key_text(cli, d), verdict, first != NULL ? value_text(cli, first) : GM_STR("-"), second != NULL ? value_text(cli, second) : GM_STR("-"),
                                  gm_json_text(d, "part"), gm_json_text(d, "cause") };
        gm_table_text_add(table, cells);
        rows++;
    }
    gm_table_text_write(table, &out);
    if (rows == 0) fputs("no difference\n", cli->err);
    gm_exit code = gm_client_print(cli, &out);
    return code == GM_EXIT_OK && json_integer_value(json_object_get(answer, "outOfTolerance")) > 0 ? GM_EXIT_NO : code;
}

static gm_exit diff(const gm_cli *cli, const gm_args *args)
{
    bool           all  = gm_args_given(args, DIFF_ALL);
    gm_client_view view = { .http_option = DIFF_HTTP, .json_option = DIFF_JSON, .print = print_diff, .context = &all };
    const char    *path = GM_CLIENT_PATH(cli->arena, "/v1/thread/", gm_args_operand(args, 0), "/diff?first=", gm_args_operand(args, 1), "&second=", gm_args_operand(args, 2));
    if (path != NULL && !gm_args_given(args, DIFF_OWN)) path = GM_CLIENT_PATH(cli->arena, gm_arena_printf(cli->arena, "%s&parts=true", path).ptr);
    return gm_client_show(cli, args, with_times(cli, args, path, DIFF_VALID, DIFF_KNOWN), &view);
}

const gm_verb gm_verb_thread_diff = {
    .name     = "thread diff",
    .summary  = "compare two phases of a twin: what is out of tolerance",
    .text     = "Numbers are compared in the first phase's unit, against its limits, or those that the second states; of the twin, and of all parts that are installed "
                "in it then. Exit code 1: something is out of tolerance.",
    .examples = "gemel thread diff pump7 as-designed as-built\ngemel thread diff pump7 as-built maintained --all\ngemel thread diff engine2 as-designed as-built --valid 2026-02-01T00:00:00Z",
    .syntax   = GM_SYNTAX(diff_options, diff_operands),
    .run      = diff,
};
