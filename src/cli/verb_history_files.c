// gemel history export, history import: samples of all twins to a file and back.
#include "cli/client.h"
#include "cli/csv.h"
#include "cli/verbs.h"

#include <errno.h>
#include <string.h>

enum { BODY = 8 << 20, CELLS = 4, FILE_SIZE_MAX = INT32_MAX };
enum { TIME, TWIN, PROPERTY, VALUE };

// ---- export ---------------------------------------------------------------------------------------------------------
enum { OPT_HTTP, OPT_TWIN, OPT_PROPERTY, OPT_FROM, OPT_TO, OPT_CSV, OPT_NDJSON };
static const gm_option export_options[] = {
    [OPT_HTTP]     = GM_CLIENT_HTTP,
    [OPT_TWIN]     = { "twin", GM_OPTION_TEXT, "ID", NULL, "only this twin" },
    [OPT_PROPERTY] = { "property", GM_OPTION_TEXT, "PATH", NULL, "only this property or telemetry of each twin" },
    [OPT_FROM]     = { "from", GM_OPTION_TIME, "TIME", NULL, "from this source time on, RFC 3339" },
    [OPT_TO]       = { "to", GM_OPTION_TIME, "TIME", NULL, "up to, not including, this time" },
    [OPT_CSV]      = { "csv", GM_OPTION_FLAG, NULL, NULL, "write CSV (time,twin,property,value); this is the default" },
    [OPT_NDJSON]   = { "ndjson", GM_OPTION_FLAG, NULL, NULL, "write newline JSON, as POST /v1/ingest takes it" },
};
static const gm_operand export_operands[] = { { "FILE", "where to write; without it, to the terminal", .optional = true } };

static const char *export_path(const gm_cli *cli, const gm_args *args)
{
    static const struct { int option; const char *name; } parts[] = {
        { OPT_TWIN, "&twin=" }, { OPT_PROPERTY, "&property=" }, { OPT_FROM, "&from=" }, { OPT_TO, "&to=" } };
    const char *path = gm_args_given(args, OPT_NDJSON) ? "/v1/history/export?format=ndjson" : "/v1/history/export?format=csv";
    for (size_t i = 0; path != NULL && i < GM_COUNT_OF(parts); i++) {
        const char *value = gm_args_text(args, (size_t)parts[i].option);
        if (value == NULL) continue;
        const char *before = gm_arena_printf(cli->arena, "%s%s", path, parts[i].name).ptr;
        path = before != NULL ? GM_CLIENT_PATH(cli->arena, before, value) : NULL;
    }
    return path;
}

static gm_exit run_export(const gm_cli *cli, const gm_args *args)
{
    if (gm_args_given(args, OPT_CSV) && gm_args_given(args, OPT_NDJSON)) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "give --csv or --ndjson, not both");
    const char *name = gm_args_operand(args, 0), *path = export_path(cli, args);
    if (path == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    gm_http *http = NULL;
    gm_exit  code = gm_client_open(cli, args, OPT_HTTP, &http);
    if (code != GM_EXIT_OK) return code;
    FILE    *file = name != NULL ? fopen(name, "wb") : cli->out;
    gm_error err  = { 0 };
    gm_status st = file != NULL ? gm_http_download(http, path, file, &err) : GM_OK;
    if (file == NULL) code = gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "%s can not be written: %s", name, strerror(errno));
    else if (st != GM_OK) code = gm_client_fail(cli, &err, st == GM_NOTFOUND);
    bool written = file == NULL || (file == cli->out ? fflush(file) : fclose(file)) == 0;
    if (!written && code == GM_EXIT_OK) code = gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "%s was not written whole", name != NULL ? name : "the output");
    gm_http_close(http);
    return code;
}

const gm_verb gm_verb_history_export = {
    .name     = "history export",
    .summary  = "write the history of twins to a file",
    .text     = "Each row is one sample: source time, twin, property, value. Values are written as JSON: texts stand in double quotes (and "
                "those doubled, as CSV does), a value that was taken away is empty in CSV and left out in newline JSON.",
    .examples = "gemel history export all.csv\ngemel history export --twin pump7 --property motor/temperature --from 2026-01-01T00:00:00Z",
    .syntax   = GM_SYNTAX(export_options, export_operands),
    .run      = run_export,
};

// ---- import ---------------------------------------------------------------------------------------------------------
static const gm_option  import_options[]  = { { "http", GM_OPTION_ADDRESS, "ADDR:PORT", NULL,
                                                "where the server is ($GEMEL_HTTP, else 127.0.0.1:8080)" } };
static const gm_operand import_operands[] = { { "FILE", "CSV with the columns time, twin, property, value" } };

typedef struct importing {
    const gm_cli *cli;
    gm_http      *http;
    gm_buf        body, cells[CELLS];
    uint64_t      rows, refused;
    size_t        line;
} importing;

static bool is_json(gm_str text)
{
    json_t *value = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    json_decref(value);
    return value != NULL;
}

// A row as a line of newline JSON. What is no JSON value is a text as it stands.
static void add_row(importing *in)
{
    gm_buf *out   = &in->body;
    gm_str  rest = gm_buf_view(&in->cells[PROPERTY]), value = gm_buf_view(&in->cells[VALUE]), name;
    size_t  depth = 0;
    gm_buf_text(out, "{\"$twin\":");
    gm_buf_json_str(out, gm_buf_view(&in->cells[TWIN]));
    gm_buf_text(out, ",\"$time\":");
    gm_buf_json_str(out, gm_buf_view(&in->cells[TIME]));
    gm_buf_byte(out, ',');
    while (gm_str_next(&rest, '/', &name)) {
        if (depth++ > 0) gm_buf_byte(out, '{');
        gm_buf_json_str(out, name);
        gm_buf_byte(out, ':');
    }
    if (is_json(value)) gm_buf_add(out, value.ptr, value.len);
    else gm_buf_json_str(out, value);
    for (; depth > 0; depth--) gm_buf_byte(out, '}');
    gm_buf_byte(out, '\n');
    in->rows++;
}

// Sends what has gathered. The server applies what it can and says what it could not.
static gm_exit send_body(importing *in)
{
    gm_http_answer answer;
    gm_error       err = { 0 };
    if (in->body.len == 0) return GM_EXIT_OK;
    gm_buf_byte(&in->body, '\0');
    if (in->body.failed) return gm_cli_fail_text(in->cli, GM_EXIT_SYSTEM, "out of memory");
    gm_status st = gm_http_request(in->http, "POST", "/v1/ingest", "application/x-ndjson", (const char *)in->body.ptr, &answer, &err);
    gm_exit code = st != GM_OK ? gm_client_fail(in->cli, &err, true) : GM_EXIT_OK;
    json_t *rejected = json_object_get(answer.body, "rejected");
    if (code == GM_EXIT_OK && answer.code == 400 && json_is_integer(rejected)) {
        const char *why = json_string_value(json_object_get(json_object_get(answer.body, "error"), "message"));
        if (in->refused == 0 && why != NULL) fprintf(in->cli->err, "gemel: %s\n", why);
        in->refused += (uint64_t)json_integer_value(rejected);
    } else if (code == GM_EXIT_OK && answer.code != 200) {
        (void)gm_http_refusal(&answer, &err);
        code = gm_client_fail(in->cli, &err, false);
    }
    gm_http_answer_finish(&answer);
    gm_buf_clear(&in->body);
    return code;
}

static bool is_head(const importing *in)
{
    static const char *const names[CELLS] = { "time", "twin", "property", "value" };
    bool all = true;
    for (size_t i = 0; i < CELLS; i++) all &= gm_str_is(gm_buf_view(&in->cells[i]), names[i]);
    return all;
}

static gm_exit import_text(importing *in, gm_str text, const char *name)
{
    size_t n = gm_csv_next(&text, in->cells, CELLS, &in->line);
    if (n != CELLS || !is_head(in)) return gm_cli_fail_text(in->cli, GM_EXIT_NO, "%s: the first line is time,twin,property,value", name);
    gm_exit code = GM_EXIT_OK;
    while (code == GM_EXIT_OK && (n = gm_csv_next(&text, in->cells, CELLS, &in->line)) > 0) {
        if (n != CELLS) return gm_cli_fail_text(in->cli, GM_EXIT_NO, "%s: the row that ends in line %zu has %zu cells, not 4", name, in->line, n);
        if (in->cells[VALUE].len > 0) add_row(in);
        if (in->body.len >= BODY) code = send_body(in);
    }
    return code == GM_EXIT_OK ? send_body(in) : code;
}

static gm_exit run_import(const gm_cli *cli, const gm_args *args)
{
    importing   in   = { .cli = cli, .body = gm_buf_init(cli->alloc) };
    const char *name = gm_args_operand(args, 0);
    uint8_t    *bytes = NULL;
    size_t      size  = 0;
    gm_error    err   = { 0 };
    for (size_t i = 0; i < CELLS; i++) in.cells[i] = gm_buf_init(cli->alloc);
    gm_exit code = gm_client_open(cli, args, 0, &in.http);
    if (code == GM_EXIT_OK && gm_io_read_file(cli->io, name, FILE_SIZE_MAX, &bytes, &size, &err) != GM_OK) code = gm_cli_fail(cli, &err);
    if (code == GM_EXIT_OK) code = import_text(&in, (gm_str){ (const char *)bytes, size }, name);
    if (code == GM_EXIT_OK) fprintf(cli->err, "%llu samples, %llu refused\n", (unsigned long long)in.rows, (unsigned long long)in.refused);
    if (code == GM_EXIT_OK && in.refused > 0) code = GM_EXIT_NO;
    for (size_t i = 0; i < CELLS; i++) gm_buf_finish(&in.cells[i]);
    gm_buf_finish(&in.body);
    gm_free(cli->io->alloc, bytes);
    gm_http_close(in.http);
    return code;
}

const gm_verb gm_verb_history_import = {
    .name     = "history import",
    .summary  = "bring samples in from a CSV file",
    .text     = "What 'gemel history export' writes: the columns time, twin, property, value. The twins must exist. A value that is no JSON is "
                "taken as a text; an empty one is passed over. Samples keep their source times, so that importing twice changes nothing. What "
                "does not fit becomes a dead letter; the exit code is then 1.",
    .examples = "gemel history import all.csv",
    .syntax   = GM_SYNTAX(import_options, import_operands),
    .run      = run_import,
};
