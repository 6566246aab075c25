// gemel thread add, move, document: what people add to a twin's thread.
#include "cli/client.h"
#include "cli/verbs.h"
#include "control/json.h"

#include <errno.h>
#include <stdlib.h>

// Asks for something that has no answer but that it is done.
static gm_exit send_json(const gm_cli *cli, const gm_args *args, size_t http_option, gm_buf *body, const char *done)
{
    gm_http       *http = NULL;
    gm_http_answer answer;
    gm_buf_byte(body, 0);
    gm_exit code = body->failed ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory") : gm_client_open(cli, args, http_option, &http);
    if (code == GM_EXIT_OK) code = gm_client_ask(cli, http, "POST", "/v1/thread", "application/json", (const char *)body->ptr, &answer);
    gm_buf_finish(body);
    if (code == GM_EXIT_OK) {
        fprintf(cli->out, "%s\n", done);
        gm_http_answer_finish(&answer);
    }
    gm_http_close(http);
    return code;
}

static void text_member(gm_buf *body, const gm_args *args, const char *member, size_t option)
{
    if (gm_args_given(args, option)) gm_json_member(body, member, gm_str_of(gm_args_text(args, option)));
}

// ---- add ------------------------------------------------------------------------------------------------------------

enum { ADD_HTTP, ADD_UNIT, ADD_MIN, ADD_MAX, ADD_FROM, ADD_TO, ADD_CAUSE, ADD_TEXT };
static const gm_option add_options[] = {
    [ADD_HTTP] = GM_CLIENT_HTTP,
    [ADD_UNIT] = { "unit", GM_OPTION_TEXT, "UNIT", NULL, "of a number: mm, kg, EUR" },
    [ADD_MIN] = { "min", GM_OPTION_NUMBER, "NUMBER", NULL, "the least that is within tolerance" },
    [ADD_MAX] = { "max", GM_OPTION_NUMBER, "NUMBER", NULL, "the most" },
    [ADD_FROM] = { "from", GM_OPTION_TIME, "TIME", NULL, "true from then on; now unless given" },
    [ADD_TO] = { "to", GM_OPTION_TIME, "TIME", NULL, "until then; for ever unless given" },
    [ADD_CAUSE] = { "cause", GM_OPTION_TEXT, "TEXT", NULL, "why, or where it is written" },
    [ADD_TEXT] = { "text", GM_OPTION_FLAG, NULL, NULL, "the value is a text, whatever it looks like" },
};
static const gm_operand add_operands[] = {
    { "TWIN", "a twin, or a part number" }, { "PHASE", "as-designed, as-built, as-operated, maintained or decommissioned" },
    { "KEY", "what is said something of" }, { "VALUE", "a number, a JSON value, or a text; null takes back what was said" },
};

static gm_exit add(const gm_cli *cli, const gm_args *args)
{
    const char *value = gm_args_operand(args, 3);
    json_t     *json  = gm_args_given(args, ADD_TEXT) ? NULL : json_loads(value, JSON_DECODE_ANY, NULL);
    gm_buf      body  = gm_buf_init(cli->alloc);
    gm_buf_text(&body, "{\"twin\":");
    gm_buf_json_str(&body, gm_str_of(gm_args_operand(args, 0)));
    gm_json_member(&body, "phase", gm_str_of(gm_args_operand(args, 1)));
    gm_json_member(&body, "key", gm_str_of(gm_args_operand(args, 2)));
    gm_buf_text(&body, ",\"value\":");
    if (json != NULL) gm_buf_text(&body, value);
    else gm_buf_json_str(&body, gm_str_of(value));
    json_decref(json);
    text_member(&body, args, "unit", ADD_UNIT);
    if (gm_args_given(args, ADD_MIN)) gm_buf_printf(&body, ",\"min\":%.17g", gm_args_number(args, ADD_MIN));
    if (gm_args_given(args, ADD_MAX)) gm_buf_printf(&body, ",\"max\":%.17g", gm_args_number(args, ADD_MAX));
    text_member(&body, args, "from", ADD_FROM);
    text_member(&body, args, "to", ADD_TO);
    text_member(&body, args, "cause", ADD_CAUSE);
    gm_buf_byte(&body, '}');
    return send_json(cli, args, ADD_HTTP, &body, "added");
}

const gm_verb gm_verb_thread_add = {
    .name     = "thread add",
    .summary  = "add a fact to a twin's thread, or correct one",
    .text     = "A correction is another fact of the same key: what was said before stays, and can be asked for with --known.",
    .examples = "gemel thread add pump7 as-designed bore 50 --unit mm --min 49.9 --max 50.1\ngemel thread add pump7 as-built bore 50.02 --unit mm --cause \"acceptance test 12\"\n"
                "gemel thread add pump7 as-built serialNumber SN-0007",
    .syntax   = GM_SYNTAX(add_options, add_operands),
    .run      = add,
};

// ---- move -----------------------------------------------------------------------------------------------------------

enum { MOVE_HTTP, MOVE_AT, MOVE_POSITION, MOVE_CAUSE };
static const gm_option move_options[] = {
    [MOVE_HTTP] = GM_CLIENT_HTTP,
    [MOVE_AT] = { "at", GM_OPTION_TIME, "TIME", NULL, "when; now unless given" },
    [MOVE_POSITION] = { "position", GM_OPTION_TEXT, "TEXT", NULL, "where in it" },
    [MOVE_CAUSE] = { "cause", GM_OPTION_TEXT, "TEXT", NULL, "why, or where it is written" },
};
static const gm_operand move_operands[] = { { "PART", "a serialised part" }, { "ASSEMBLY", "what it goes into; left out: it is taken out", .optional = true } };

static gm_exit move(const gm_cli *cli, const gm_args *args)
{
    const char *to   = gm_args_operand(args, 1);
    gm_buf      body = gm_buf_init(cli->alloc);
    gm_buf_text(&body, "{\"phase\":\"maintained\",\"key\":\"installedIn\",\"twin\":");
    gm_buf_json_str(&body, gm_str_of(gm_args_operand(args, 0)));
    if (to == NULL) gm_buf_text(&body, ",\"value\":null");
    else gm_json_member(&body, "part", gm_str_of(to));
    if (to != NULL) text_member(&body, args, "position", MOVE_POSITION);
    text_member(&body, args, "from", MOVE_AT);
    text_member(&body, args, "cause", MOVE_CAUSE);
    gm_buf_text(&body, ",\"replace\":true}");
    return send_json(cli, args, MOVE_HTTP, &body, to == NULL ? "taken out" : "moved");
}

const gm_verb gm_verb_thread_move = {
    .name     = "thread move",
    .summary  = "install a serialised part in an assembly, out of wherever it was",
    .text     = "The part keeps its history; the assembly it leaves remembers that it held it, and when. Assemblies can not contain themselves.",
    .examples = "gemel thread move blade7 engine2 --position 4 --cause \"shop visit 31\"\ngemel thread move blade7 --at 2026-03-01T00:00:00Z",
    .syntax   = GM_SYNTAX(move_options, move_operands),
    .run      = move,
};

// ---- documents ------------------------------------------------------------------------------------------------------

enum { DOC_HTTP, DOC_PHASE, DOC_TYPE, DOC_NAME, DOC_CAUSE };
static const gm_option document_options[] = {
    [DOC_HTTP] = GM_CLIENT_HTTP,
    [DOC_PHASE] = { "phase", GM_OPTION_TEXT, "PHASE", "as-designed", "of the twin's life" },
    [DOC_TYPE] = { "type", GM_OPTION_TEXT, "TYPE", "application/octet-stream", "its media type, such as application/pdf" },
    [DOC_NAME] = { "name", GM_OPTION_TEXT, "NAME", NULL, "of the file; its own unless given" },
    [DOC_CAUSE] = { "cause", GM_OPTION_TEXT, "TEXT", NULL, "why" },
};
static const gm_operand document_operands[] = { { "TWIN", "a twin, or a part number" }, { "KEY", "under which it has the document" }, { "FILE", "the document" } };
enum { DOCUMENT_MAX = 64 << 20 };

static gm_exit document(const gm_cli *cli, const gm_args *args)
{
    const char    *file = gm_args_operand(args, 2), *slash = strrchr(file, '/');
    gm_http       *http = NULL;
    gm_http_answer answer;
    gm_error       err   = { 0 };
    uint8_t       *bytes = NULL;
    size_t         size  = 0;
    const char    *name  = gm_args_given(args, DOC_NAME) ? gm_args_text(args, DOC_NAME) : slash != NULL ? slash + 1 : file;
    const char    *path  = GM_CLIENT_PATH(cli->arena, "/v1/thread/", gm_args_operand(args, 0), "/documents?key=", gm_args_operand(args, 1), "&phase=",
                                          gm_args_text(args, DOC_PHASE), "&name=", name, "&cause=", gm_args_given(args, DOC_CAUSE) ? gm_args_text(args, DOC_CAUSE) : "");
    if (gm_io_read_file(cli->io, file, DOCUMENT_MAX, &bytes, &size, &err) != GM_OK) return gm_cli_fail(cli, &err);
    gm_exit code = path == NULL ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory") : gm_client_open(cli, args, DOC_HTTP, &http);
    if (code == GM_EXIT_OK) {
        gm_str body = { (const char *)bytes, size };
        if (gm_http_send(http, "POST", path, gm_args_text(args, DOC_TYPE), body, &answer, &err) != GM_OK) code = gm_client_fail(cli, &err, true);
        else if (answer.code >= 300) {
            (void)!gm_http_refusal(&answer, &err);
            code = gm_client_fail(cli, &err, false);
        } else fprintf(cli->out, GM_STR_FMT "\n", GM_STR_ARG(gm_json_text(answer.body, "hash")));
        gm_http_answer_finish(&answer);
    }
    gm_free(cli->io->alloc, bytes);
    gm_http_close(http);
    return code;
}

const gm_verb gm_verb_thread_document = {
    .name     = "thread document",
    .summary  = "store a document of a twin",
    .text     = "Prints the document's SHA-256, by which it is kept. A document that is not what --type says is refused.",
    .examples = "gemel thread document pump7 manual manual.pdf --type application/pdf",
    .syntax   = GM_SYNTAX(document_options, document_operands),
    .run      = document,
};

enum { FETCH_HTTP };
static const gm_option  fetch_options[]  = { [FETCH_HTTP] = GM_CLIENT_HTTP };
static const gm_operand fetch_operands[] = { { "TWIN", "whose document it is" }, { "HASH", "its SHA-256" }, { "FILE", "where it goes" } };

static gm_exit fetch(const gm_cli *cli, const gm_args *args)
{
    gm_http    *http = NULL;
    gm_error    err  = { 0 };
    const char *name = gm_args_operand(args, 2), *path = GM_CLIENT_PATH(cli->arena, "/v1/thread/", gm_args_operand(args, 0), "/documents/", gm_args_operand(args, 1));
    gm_exit     code = path == NULL ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory") : gm_client_open(cli, args, FETCH_HTTP, &http);
    if (code != GM_EXIT_OK) return code;
    FILE *file = fopen(name, "wb");
    if (file == NULL) {
        gm_http_close(http);
        return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "%s: %s", name, strerror(errno));
    }
    gm_status st = gm_http_download(http, path, file, &err);
    if (fclose(file) != 0 && st == GM_OK) st = gm_fail(&err, GM_IO, "cli.thread", "%s: %s", name, strerror(errno));
    if (st != GM_OK) {
        (void)remove(name);
        code = gm_client_fail(cli, &err, st == GM_NOTFOUND);
    }
    gm_http_close(http);
    return code;
}

const gm_verb gm_verb_thread_fetch = {
    .name     = "thread fetch",
    .summary  = "read a document of a twin",
    .examples = "gemel thread fetch pump7 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 manual.pdf",
    .syntax   = GM_SYNTAX(fetch_options, fetch_operands),
    .run      = fetch,
};

// ---- usage ----------------------------------------------------------------------------------------------------------

enum { USE_HTTP, USE_ABOVE, USE_FROM, USE_TO };
static const gm_option usage_options[] = {
    [USE_HTTP] = GM_CLIENT_HTTP,
    [USE_ABOVE] = { "above", GM_OPTION_NUMBER, "NUMBER", "0", "it runs while the property is above this" },
    [USE_FROM] = { "from", GM_OPTION_TIME, "TIME", NULL, "begin of the time that is counted" },
    [USE_TO] = { "to", GM_OPTION_TIME, "TIME", NULL, "its end; now unless given" },
};
static const gm_operand usage_operands[] = { { "TWIN", "a twin" }, { "PROPERTY", "a number of it that says whether it runs: a speed, a power" } };

static gm_exit usage(const gm_cli *cli, const gm_args *args)
{
    gm_http       *http = NULL;
    gm_http_answer answer;
    gm_buf         body = gm_buf_init(cli->alloc);
    if (!gm_args_given(args, USE_FROM)) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--from says where the time begins that is counted");
    const char *path = GM_CLIENT_PATH(cli->arena, "/v1/thread/", gm_args_operand(args, 0), "/usage");
    gm_buf_printf(&body, "{\"above\":%.17g", gm_args_number(args, USE_ABOVE));
    gm_json_member(&body, "property", gm_str_of(gm_args_operand(args, 1)));
    text_member(&body, args, "from", USE_FROM);
    text_member(&body, args, "to", USE_TO);
    gm_buf_add(&body, "}", 2);
    gm_exit code = path == NULL || body.failed ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory") : gm_client_open(cli, args, USE_HTTP, &http);
    if (code == GM_EXIT_OK) code = gm_client_ask(cli, http, "POST", path, "application/json", (const char *)body.ptr, &answer);
    if (code == GM_EXIT_OK) {
        fprintf(cli->out, "%.6g hours, %lld starts\n", json_number_value(json_object_get(answer.body, "hours")), (long long)json_integer_value(json_object_get(answer.body, "starts")));
        gm_http_answer_finish(&answer);
    }
    gm_buf_finish(&body);
    gm_http_close(http);
    return code;
}

const gm_verb gm_verb_thread_usage = {
    .name     = "thread usage",
    .summary  = "make facts of what a twin went through: hours, starts, load",
    .text     = "Reads the property's history and adds facts as-operated of that time: operating hours, starts, and the mean and greatest value while it ran.",
    .examples = "gemel thread usage pump7 speed --above 0.1 --from 2024-01-01T00:00:00Z --to 2024-02-01T00:00:00Z",
    .syntax   = GM_SYNTAX(usage_options, usage_operands),
    .run      = usage,
};

// ---- forget ---------------------------------------------------------------------------------------------------------

enum { FORGET_HTTP, FORGET_KEY, FORGET_ALL };
static const gm_option forget_options[] = {
    [FORGET_HTTP] = GM_CLIENT_HTTP,
    [FORGET_KEY] = { "key", GM_OPTION_TEXT, "KEY", NULL, "facts of this key" },
    [FORGET_ALL] = { "all", GM_OPTION_FLAG, NULL, NULL, "everything that was ever said of it" },
};
static const gm_operand forget_operands[] = { { "TWIN", "a twin, or a part number" } };

static gm_exit forget(const gm_cli *cli, const gm_args *args)
{
    gm_http       *http = NULL;
    gm_http_answer answer;
    bool           all  = gm_args_given(args, FORGET_ALL);
    if (all == gm_args_given(args, FORGET_KEY)) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "say which: --key KEY, or --all");
    const char *path = GM_CLIENT_PATH(cli->arena, "/v1/thread/", gm_args_operand(args, 0), "?key=", all ? "" : gm_args_text(args, FORGET_KEY));
    gm_exit     code = path == NULL ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory") : gm_client_open(cli, args, FORGET_HTTP, &http);
    if (code == GM_EXIT_OK) code = gm_client_ask(cli, http, "DELETE", path, NULL, NULL, &answer);
    if (code == GM_EXIT_OK) {
        fputs("deleted for good\n", cli->out);
        gm_http_answer_finish(&answer);
    }
    gm_http_close(http);
    return code;
}

const gm_verb gm_verb_thread_forget = {
    .name     = "thread forget",
    .summary  = "delete facts of a twin for good",
    .text     = "Gone from memory at once, with documents that nothing names any more; from the disk with the checkpoints that follow. To correct a fact, add another.",
    .examples = "gemel thread forget pump7 --key inspector",
    .syntax   = GM_SYNTAX(forget_options, forget_operands),
    .run      = forget,
};
