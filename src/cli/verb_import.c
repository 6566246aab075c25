// Import and export of a whole plant: into and out of its folder while no server has it open, or by way of a running server.
#include "api/transfer/export.h"
#include "api/transfer/import.h"
#include "cli/client.h"
#include "cli/server.h"
#include "cli/verbs.h"

#include <errno.h>
#include <stdlib.h>

enum { OPT_HTTP, OPT_DATA, OPT_GRAPH };
static const gm_option import_options[] = {
    [OPT_HTTP] = { "http", GM_OPTION_ADDRESS, "ADDR:PORT", NULL, "bring it into the server that runs there, in place of a folder" },
    [OPT_DATA] = { "data", GM_OPTION_TEXT, "DIR", NULL, "gemel's own files, as for serve" },
};
static const gm_option export_options[] = {
    [OPT_HTTP]  = { "http", GM_OPTION_ADDRESS, "ADDR:PORT", NULL, "ask the server that runs there, in place of a folder" },
    [OPT_DATA]  = { "data", GM_OPTION_TEXT, "DIR", NULL, "gemel's own files, as for serve" },
    [OPT_GRAPH] = { "graph", GM_OPTION_FLAG, NULL, NULL, "the JSON graph of the Azure Digital Twins Explorer, in place of newline JSON" },
};
static const gm_operand operands[] = {
    { "PLANT", "the plant's folder; left out with --http", .optional = false },
    { "FILE", "the file; - for standard input or output", .optional = true },
};

enum { REFUSALS_SHOWN = 100, PIECE = 8 << 20 };

// PLANT FILE, or FILE alone with --http.
static bool read_operands(const gm_cli *cli, const gm_args *args, const char **out_plant, const char **out_file, gm_exit *out_code)
{
    bool   remote = gm_args_given(args, OPT_HTTP);
    size_t wanted = remote ? 1 : 2;
    *out_plant    = remote ? NULL : gm_args_operand(args, 0);
    *out_file     = gm_args_operand(args, wanted - 1);
    if (args->operand_count == wanted) return true;
    *out_code = gm_cli_fail_text(cli, GM_EXIT_USAGE, remote ? "with --http there is one operand: FILE" : "two operands are needed: PLANT and FILE");
    return false;
}

static FILE *open_file(const gm_cli *cli, const char *name, const char *mode, FILE *standard, gm_exit *out_code)
{
    FILE *file = strcmp(name, "-") == 0 ? standard : fopen(name, mode);
    if (file == NULL) *out_code = gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "%s: %s", name, strerror(errno));
    return file;
}

static gm_status read_file(void *context, char *to, size_t max, size_t *out_n, gm_error *err)
{
    *out_n = fread(to, 1, max, context);
    return ferror((FILE *)context) ? gm_fail_os(err, errno, "cli.import", "reading the file") : GM_OK;
}

typedef struct telling { const gm_cli *cli; uint64_t told; } telling;

static void on_refused(void *context, const char *section, uint64_t number, gm_str id, const char *code, const char *why)
{
    telling *t = context;
    if (t->told++ >= REFUSALS_SHOWN) return;
    fprintf(t->cli->err, "gemel: %s %llu: '" GM_STR_FMT "': %s: %s\n", section, (unsigned long long)number, GM_STR_ARG(gm_str_slice(id, 0, 100)), code, why);
}

static gm_exit tell_counts(const gm_cli *cli, gm_import_counts count)
{
    fprintf(cli->out, "%llu models, %llu twins and %llu relationships came in", (unsigned long long)count.models,
            (unsigned long long)count.twins, (unsigned long long)count.relationships);
    fprintf(cli->out, count.refused > 0 ? "; %llu items were refused\n" : "\n", (unsigned long long)count.refused);
    return count.refused > 0 ? GM_EXIT_NO : GM_EXIT_OK;
}

// ---- a folder -------------------------------------------------------------------------------------------------------

// The plant is opened as `serve` does, so that everything that lives in its log is understood and kept; nobody is told
// where it listens.
static gm_exit open_plant(const gm_cli *cli, const gm_args *args, const char *plant, gm_server **out_server)
{
    gm_server_options options = { .cli = cli, .plant = plant, .http = "127.0.0.1:0", .mqtt = "127.0.0.1:0",
                                  .data = gm_args_text(args, OPT_DATA), .quiet = true };
    gm_error err = { 0 };
    return gm_server_open(&options, out_server, &err) == GM_OK ? GM_EXIT_OK : gm_cli_fail(cli, &err);
}

static void wake(void *context) { *(gm_timer **)context = NULL; }

static gm_status import_all(gm_import *import, gm_server *server, gm_error *err)
{
    for (;;) {
        gm_import_flow flow  = gm_import_step(import, 20 * GM_MILLISECOND);
        gm_timer      *timer = NULL;
        if (flow == GM_IMPORT_DONE) return GM_OK;
        if (flow == GM_IMPORT_FAILED) {
            *err = *gm_import_error(import);
            return err->status;
        }
        // A turn hands what came to the disk; it waits only when there is nothing else to do.
        gm_status st = gm_loop_after(gm_server_loop(server), flow == GM_IMPORT_GOES_ON ? 0 : GM_MILLISECOND, wake, &timer, &timer, err);
        if (st == GM_OK) st = gm_server_turn(server, err);
        gm_loop_cancel(timer);
        if (st == GM_OK && gm_server_stopped(server)) st = gm_fail(err, GM_CONFLICT, "cli.import", "stopped; what had come in stays");
        if (st != GM_OK) return st;
    }
}

static gm_exit import_folder(const gm_cli *cli, const gm_args *args, const char *plant, FILE *file)
{
    gm_server *server = NULL;
    gm_import *import = NULL;
    gm_error   err    = { 0 };
    telling    t      = { cli, 0 };
    gm_exit    code   = open_plant(cli, args, plant, &server);
    if (code != GM_EXIT_OK) return code;
    gm_import_options options = { .alloc = cli->alloc, .clock = cli->clock, .engine = gm_server_engine(server),
                                  .source = { read_file, file }, .refused = on_refused, .context = &t };
    gm_status st = gm_import_open(&options, &import, &err);
    if (st == GM_OK) st = import_all(import, server, &err);
    code = st == GM_OK ? tell_counts(cli, gm_import_count(import)) : gm_cli_fail(cli, &err);
    gm_import_close(import);
    gm_server_close(server);
    return code;
}

static gm_exit export_folder(const gm_cli *cli, const gm_args *args, const char *plant, FILE *file)
{
    gm_server *server = NULL;
    gm_buf     piece  = gm_buf_init(cli->alloc);
    gm_exit    code   = open_plant(cli, args, plant, &server);
    if (code != GM_EXIT_OK) return code;
    gm_export *export = gm_export_open(cli->alloc, gm_server_engine(server), gm_args_given(args, OPT_GRAPH) ? GM_EXPORT_GRAPH : GM_EXPORT_LINES);
    bool       written = export != NULL;
    while (written && gm_export_next(export, &piece)) {
        written = !piece.failed && fwrite(piece.ptr, 1, piece.len, file) == piece.len;
        gm_buf_clear(&piece);
    }
    if (!written || piece.failed) code = gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "the file can not be written: %s", strerror(errno));
    gm_export_close(export);
    gm_buf_finish(&piece);
    gm_server_close(server);
    return code;
}

// ---- a running server -----------------------------------------------------------------------------------------------

static uint64_t number_of(const json_t *answer, const char *name) { return (uint64_t)json_integer_value(json_object_get(answer, name)); }

static gm_exit send_piece(const gm_cli *cli, gm_http *http, gm_buf *piece, gm_import_counts *count, uint64_t *told)
{
    gm_http_answer answer;
    gm_buf_byte(piece, '\0');
    if (piece->failed) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    gm_exit code = gm_client_ask(cli, http, "POST", "/v1/import", "application/x-ndjson", (const char *)piece->ptr, &answer);
    gm_buf_clear(piece);
    if (code != GM_EXIT_OK) return code;
    count->models += number_of(answer.body, "models");
    count->twins += number_of(answer.body, "twins");
    count->relationships += number_of(answer.body, "relationships");
    count->refused += number_of(answer.body, "refused");
    size_t  i;
    json_t *refusal;
    json_array_foreach(json_object_get(answer.body, "refusals"), i, refusal)
    {
        if ((*told)++ >= REFUSALS_SHOWN) break;
        fprintf(cli->err, "gemel: '%s': %s: %s\n", json_string_value(json_object_get(refusal, "id")),
                json_string_value(json_object_get(refusal, "code")), json_string_value(json_object_get(refusal, "message")));
    }
    const char *error = json_string_value(json_object_get(answer.body, "error"));
    if (error != NULL) code = gm_cli_fail_text(cli, GM_EXIT_NO, "%s", error);
    gm_http_answer_finish(&answer);
    return code;
}

// In pieces that a request may have; a section is never mixed with the next, since that depends on it.
static gm_exit import_remote(const gm_cli *cli, const gm_args *args, FILE *file)
{
    static const char *const sections[] = { "Header", "Models", "Twins", "Relationships" };
    gm_http  *http  = NULL;
    gm_items *items = NULL;
    gm_error  err   = { 0 };
    gm_buf    piece = gm_buf_init(cli->alloc);
    uint64_t  told  = 0;
    gm_import_counts count = { 0 };
    gm_item_section  now   = GM_ITEM_END;
    gm_exit          code  = gm_client_open(cli, args, OPT_HTTP, &http);
    if (code != GM_EXIT_OK) return code;
    gm_status st = gm_items_open(cli->alloc, (gm_items_source){ read_file, file }, &items, &err);
    for (;;) {
        gm_item item;
        if (st == GM_OK) st = gm_items_next(items, &item, &err);
        if (st != GM_OK || code != GM_EXIT_OK) break;
        bool full = item.section != now || (piece.len > PIECE && now != GM_ITEM_MODEL);
        if (full && piece.len > 0) code = send_piece(cli, http, &piece, &count, &told);
        if (item.section == GM_ITEM_END || code != GM_EXIT_OK) break;
        if (full) gm_buf_printf(&piece, "{\"Section\":\"%s\"}\n", sections[item.section]);
        now        = item.section;
        char *text = item.json != NULL ? json_dumps(item.json, JSON_COMPACT) : NULL;
        gm_buf_text(&piece, text != NULL ? text : "null");
        gm_buf_byte(&piece, '\n');
        free(text);
    }
    if (st != GM_OK) code = gm_cli_fail(cli, &err);
    if (code == GM_EXIT_OK) code = tell_counts(cli, count);
    gm_items_close(items);
    gm_buf_finish(&piece);
    gm_http_close(http);
    return code;
}

static gm_exit export_remote(const gm_cli *cli, const gm_args *args, FILE *file)
{
    gm_http *http = NULL;
    gm_error err  = { 0 };
    gm_exit  code = gm_client_open(cli, args, OPT_HTTP, &http);
    if (code != GM_EXIT_OK) return code;
    gm_status st = gm_http_download(http, gm_args_given(args, OPT_GRAPH) ? "/v1/export?format=graph" : "/v1/export", file, &err);
    if (st != GM_OK) code = gm_client_fail(cli, &err, st == GM_NOTFOUND);
    gm_http_close(http);
    return code;
}

// ---- verbs ----------------------------------------------------------------------------------------------------------

static gm_exit close_file(const gm_cli *cli, const char *name, FILE *file, FILE *standard, gm_exit code)
{
    bool failed = file != standard ? fclose(file) != 0 : fflush(file) != 0;
    if (failed && code == GM_EXIT_OK) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "%s: %s", name, strerror(errno));
    return code;
}

static gm_exit run_import(const gm_cli *cli, const gm_args *args)
{
    const char *plant, *name;
    gm_exit     code = GM_EXIT_OK;
    if (!read_operands(cli, args, &plant, &name, &code)) return code;
    FILE *file = open_file(cli, name, "rb", stdin, &code);
    if (file == NULL) return code;
    code = plant != NULL ? import_folder(cli, args, plant, file) : import_remote(cli, args, file);
    return close_file(cli, name, file, stdin, code);
}

static gm_exit run_export(const gm_cli *cli, const gm_args *args)
{
    const char *plant, *name;
    gm_exit     code = GM_EXIT_OK;
    if (!read_operands(cli, args, &plant, &name, &code)) return code;
    FILE *file = open_file(cli, name, "wb", cli->out, &code);
    if (file == NULL) return code;
    code = plant != NULL ? export_folder(cli, args, plant, file) : export_remote(cli, args, file);
    return close_file(cli, name, file, cli->out, code);
}

const gm_verb gm_verb_import = {
    .name     = "import",
    .summary  = "bring models, twins and relationships in from one file",
    .text     = "The file is newline JSON with section lines (the bulk import format of Azure Digital Twins) or the JSON graph that its "
                "Explorer exports.\n\n"
                "Models that are there already with the same text are passed over; twins and relationships that are there are replaced. What "
                "does not fit is told with its line and passed over; the exit code is then 1.",
    .examples = "gemel import plant site.ndjson\ngemel import --http 127.0.0.1:8080 graph.json",
    .syntax   = GM_SYNTAX(import_options, operands),
    .run      = run_import,
};

const gm_verb gm_verb_export = {
    .name     = "export",
    .summary  = "write models, twins and relationships to one file",
    .text     = "What 'gemel import' reads. A file that was exported, imported elsewhere and exported again is the same byte for byte: "
                "ETags and the times at which a server learned of values are not in it.",
    .examples = "gemel export plant site.ndjson\ngemel export --http 127.0.0.1:8080 --graph graph.json",
    .syntax   = GM_SYNTAX(export_options, operands),
    .run      = run_export,
};
