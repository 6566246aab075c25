#include "cli/client.h"
#include "cli/table.h"
#include "cli/verbs.h"

#include <stdlib.h>

enum { OPT_HTTP, OPT_LIMIT, OPT_CSV, OPT_JSON };
static const gm_option options[] = {
    [OPT_HTTP]  = GM_CLIENT_HTTP,
    [OPT_LIMIT] = { "limit", GM_OPTION_COUNT, "N", NULL, "at most so many rows (without it: all)" },
    [OPT_CSV]   = { "csv", GM_OPTION_FLAG, NULL, NULL, "print CSV instead of a table" },
    [OPT_JSON]  = { "json", GM_OPTION_FLAG, NULL, NULL, "print one JSON array instead of a table" },
};
static const gm_operand operands[] = {
    { "QUERY", "in the Azure Digital Twins query language; '-' reads it from standard input" },
};

enum { COLUMNS_MAX = 64, QUERY_MAX = 1 << 20 };

// The query's text, from the command line or standard input. NULL without memory.
static const char *query_text(const gm_cli *cli, const char *operand)
{
    if (strcmp(operand, "-") != 0) return operand;
    char  *text = gm_arena_bytes(cli->arena, QUERY_MAX);
    size_t n    = text != NULL ? fread(text, 1, QUERY_MAX - 1, stdin) : 0;
    if (text != NULL) text[n] = '\0';
    return text;
}

// Fetches all pages into one array. *out_rows is the caller's.
static gm_exit fetch(const gm_cli *cli, gm_http *http, const char *query, size_t limit, json_t *rows)
{
    json_t *request = json_pack("{s:s}", "query", query);
    if (request == NULL) return gm_cli_fail_text(cli, GM_EXIT_NO, "the query is not valid UTF-8");
    gm_exit code = GM_EXIT_OK;
    for (bool more = true; more && code == GM_EXIT_OK;) {
        gm_http_answer answer;
        char          *body = json_dumps(request, JSON_COMPACT);
        code                = body == NULL
                                  ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory")
                                  : gm_client_ask(cli, http, "POST", "/query?" GM_API_VERSION, "application/json", body, &answer);
        free(body);
        if (code != GM_EXIT_OK) break;
        json_array_extend(rows, json_object_get(answer.body, "value"));
        json_t *token = json_object_get(answer.body, "continuationToken");
        more          = json_is_string(token) && json_array_size(rows) < limit;
        if (more) json_object_set(request, "continuationToken", token);
        gm_http_answer_finish(&answer);
    }
    while (json_array_size(rows) > limit) json_array_remove(rows, json_array_size(rows) - 1);
    json_decref(request);
    return code;
}

// A row of a collection (SELECT T, R ...) holds whole twins: their members become columns "T.$dtId".
static json_t *flatten(const json_t *row)
{
    json_t     *flat = json_object();
    const char *key, *inner;
    json_t     *value, *member;
    json_object_foreach((json_t *)(uintptr_t)row, key, value) {
        bool is_twin = json_object_get(value, "$dtId") != NULL || json_object_get(value, "$relationshipId") != NULL;
        if (!is_twin) {
            if (strcmp(key, "$metadata") != 0 && strcmp(key, "$etag") != 0) json_object_set(flat, key, value);
            continue;
        }
        json_object_foreach(value, inner, member) {
            if (strcmp(inner, "$metadata") == 0 || strcmp(inner, "$etag") == 0) continue;
            char name[256];
            snprintf(name, sizeof name, "%s.%s", key, inner);
            json_object_set(flat, name, member);
        }
    }
    return flat;
}

static gm_exit print_rows(const gm_cli *cli, const json_t *rows, bool csv)
{
    // The columns are the names that occur, in the order in which they first do.
    gm_str columns[COLUMNS_MAX];
    size_t count = 0, dropped = 0;
    json_t *flat = json_array();
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t     *row = flatten(json_array_get(rows, i));
        const char *key;
        json_t     *value;
        json_array_append_new(flat, row);
        json_object_foreach(row, key, value) {
            size_t at = 0;
            while (at < count && !gm_str_is(columns[at], key)) at++;
            if (at < count) continue;
            if (count == COLUMNS_MAX) dropped++;
            else columns[count++] = gm_str_of(key);
        }
    }
    gm_buf         out = gm_buf_init(cli->alloc), cell = gm_buf_init(cli->alloc);
    gm_table_text *table = gm_table_text_create(cli->arena, count);
    if (count > 0) gm_table_text_add(table, columns);
    for (size_t i = 0; i < json_array_size(flat); i++) {
        gm_str cells[COLUMNS_MAX];
        for (size_t c = 0; c < count; c++) {
            json_t *value = json_object_get(json_array_get(flat, i), columns[c].ptr);
            gm_buf_clear(&cell);
            if (value != NULL) gm_client_write_value(value, &cell);
            cells[c] = gm_arena_str(cli->arena, gm_buf_view(&cell));
        }
        gm_table_text_add(table, cells);
    }
    if (csv) gm_table_text_write_csv(table, &out);
    else gm_table_text_write(table, &out);
    gm_buf_finish(&cell);
    json_decref(flat);
    if (!csv) fprintf(cli->err, "%zu row%s%s\n", json_array_size(rows), json_array_size(rows) == 1 ? "" : "s",
                      dropped > 0 ? " (columns beyond the 64th are left out; --json has them)" : "");
    return gm_client_print(cli, &out);
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    const char *query = query_text(cli, gm_args_operand(args, 0));
    if (query == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    gm_http *http = NULL;
    gm_exit  code = gm_client_open(cli, args, OPT_HTTP, &http);
    if (code != GM_EXIT_OK) return code;
    json_t *rows  = json_array();
    size_t  limit = gm_args_given(args, OPT_LIMIT) ? (size_t)gm_args_count(args, OPT_LIMIT) : SIZE_MAX;
    code          = fetch(cli, http, query, limit, rows);
    if (code == GM_EXIT_OK && gm_args_given(args, OPT_JSON)) {
        json_dumpf(rows, cli->out, JSON_COMPACT);
        fputc('\n', cli->out);
    } else if (code == GM_EXIT_OK) {
        code = print_rows(cli, rows, gm_args_given(args, OPT_CSV));
    }
    json_decref(rows);
    gm_http_close(http);
    return code;
}

const gm_verb gm_verb_query = {
    .name     = "query",
    .summary  = "ask the running server a query",
    .examples = "gemel query \"SELECT \\$dtId, T24 FROM DIGITALTWINS WHERE T24 > 643\"\n"
                "gemel query 'SELECT COUNT() FROM DIGITALTWINS' --json",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
