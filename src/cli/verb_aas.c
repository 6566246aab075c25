// gemel aas export, import, check: Asset Administration Shells as files.
#include "aas/check.h"
#include "aas/ids.h"
#include "aas/plan.h"
#include "aas/tree.h"
#include "base/base64url.h"
#include "base/percent.h"
#include "cli/client.h"
#include "cli/verbs.h"
#include "state/document.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_MAX = 256 << 20, FACTS_A_BODY = 5000, BODY_MAX = 3 << 20, SHOWN_FAULTS = 20 };

static gm_exit no_memory(const gm_cli *cli) { return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory"); }

// ---- export -----------------------------------------------------------------------------------------------------------

enum { EX_HTTP, EX_OUT, EX_PARTS, EX_XML };
static const gm_option export_options[] = {
    [EX_HTTP]  = GM_CLIENT_HTTP,
    [EX_OUT]   = { "out", GM_OPTION_TEXT, "FILE", NULL, "where it goes: .json, .xml, or .aasx for a package with all documents" },
    [EX_XML]   = { "xml", GM_OPTION_FLAG, NULL, NULL, "the environment in the package as XML, for tools that read no JSON" },
    [EX_PARTS] = { "parts", GM_OPTION_FLAG, NULL, NULL, "also the shells of everything it is made of" },
};
static const gm_operand export_operands[] = { { .name = "TWIN", .help = "a twin, a part number, or the id of a shell", .repeats = true } };

static void write_id(gm_buf *out, gm_str twin)
{
    gm_buf id   = gm_buf_init(gm_alloc_system());
    bool   done = gm_aas_is_type(twin) || gm_str_starts(twin, GM_STR("urn:gemel:aas:"));
    if (done) gm_buf_str(&id, twin);
    else gm_aas_shell_id(twin, &id);
    char *to = id.failed ? NULL : (char *)gm_buf_reserve(out, GM_BASE64URL_LEN(id.len));
    if (to != NULL) {
        gm_base64url_encode(id.ptr, id.len, to);
        out->len += GM_BASE64URL_LEN(id.len);
    } else {
        out->failed = true;
    }
    gm_buf_finish(&id);
}

static gm_exit export(const gm_cli *cli, const gm_args *args)
{
    gm_http    *http = NULL;
    gm_error    err  = { 0 };
    gm_buf      path = gm_buf_init(cli->alloc);
    const char *name = gm_args_given(args, EX_OUT) ? gm_args_text(args, EX_OUT) : NULL;
    if (name == NULL) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--out says where it goes");
    bool        package = gm_str_ends(gm_str_of(name), GM_STR(".aasx")), xml = gm_args_given(args, EX_XML) || gm_str_ends(gm_str_of(name), GM_STR(".xml"));
    const char *format  = package ? (xml ? "aasx-xml" : "aasx") : xml ? "xml" : "json";
    gm_buf_printf(&path, "/serialization?format=%s&includeParts=%s&aasIds=", format, gm_args_given(args, EX_PARTS) ? "true" : "false");
    for (size_t i = 0; i < args->operand_count; i++) {
        if (i > 0) gm_buf_byte(&path, ',');
        write_id(&path, gm_str_of(gm_args_operand(args, i)));
    }
    gm_buf_byte(&path, '\0');
    gm_exit code = path.failed ? no_memory(cli) : gm_client_open(cli, args, EX_HTTP, &http);
    FILE   *file = code == GM_EXIT_OK ? fopen(name, "wb") : NULL;
    if (code == GM_EXIT_OK && file == NULL) code = gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "%s: %s", name, strerror(errno));
    if (file != NULL) {
        gm_status st = gm_http_download(http, (const char *)path.ptr, file, &err);
        if (fclose(file) != 0 && st == GM_OK) st = gm_fail(&err, GM_IO, "cli.aas", "%s: %s", name, strerror(errno));
        if (st != GM_OK) {
            (void)remove(name);
            code = gm_client_fail(cli, &err, st == GM_NOTFOUND);
        }
    }
    gm_buf_finish(&path);
    gm_http_close(http);
    return code;
}

const gm_verb gm_verb_aas_export = {
    .name     = "aas export",
    .summary  = "write twins as Asset Administration Shells: JSON, XML or AASX",
    .text     = "The shells with all their submodels and the interfaces that they need; a package (.aasx) holds their documents, too. What `gemel aas import` reads.",
    .examples = "gemel aas export pump7 --out pump7.aasx\ngemel aas export pump7 pump8 --parts --out pumps.xml",
    .syntax   = GM_SYNTAX(export_options, export_operands),
    .run      = export,
};

// ---- reading a file -------------------------------------------------------------------------------------------------------

typedef struct opened { json_t *environment; gm_aasx_package package; uint8_t *bytes; } opened;

static void opened_finish(const gm_cli *cli, opened *o)
{
    json_decref(o->environment);
    gm_aasx_finish(&o->package);
    gm_free(cli->io->alloc, o->bytes);
}

static gm_exit open_file(const gm_cli *cli, const char *name, opened *out)
{
    size_t       size = 0;
    gm_error     err  = { 0 };
    json_error_t why;
    *out = (opened){ 0 };
    gm_aasx_begin(&out->package, cli->alloc);
    if (gm_io_read_file(cli->io, name, FILE_MAX, &out->bytes, &size, &err) != GM_OK) return gm_cli_fail(cli, &err);
    const uint8_t  *at     = out->bytes;
    gm_aasx_limits  limits = gm_aasx_limits_defaults();
    gm_status       st     = GM_OK;
    if (size >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) at += 3, size -= 3;
    if (size >= 2 && at[0] == 'P' && at[1] == 'K') st = gm_aasx_read(cli->alloc, at, size, &limits, &out->package, &out->environment, &err);
    else if (size > 0 && at[0] == '<') out->environment = gm_aas_read_xml(at, size, &err);
    else if ((out->environment = json_loadb((const char *)at, size, JSON_REJECT_DUPLICATES, &why)) == NULL)
        (void)!gm_fail(&err, GM_INVALID, "cli.aas", "it is no JSON: line %d, column %d: %s", why.line, why.column, why.text);
    if (out->environment != NULL && st == GM_OK) return GM_EXIT_OK;
    return gm_cli_fail_text(cli, st == GM_NOMEM ? GM_EXIT_SYSTEM : GM_EXIT_NO, "%s: %s", name, err.text);
}

typedef struct telling { const gm_cli *cli; const char *file; size_t shown; } telling;

static void tell(void *context, gm_str pointer, const char *text)
{
    telling *t = context;
    if (t->shown++ < SHOWN_FAULTS) fprintf(t->cli->err, "%s: " GM_STR_FMT "  %s\n", t->file, GM_STR_ARG(pointer.len > 0 ? pointer : GM_STR("/")), text);
}

static size_t check(const gm_cli *cli, const char *name, const json_t *environment)
{
    telling t = { .cli = cli, .file = name };
    size_t  n = gm_aas_check(environment, tell, &t);
    if (n > SHOWN_FAULTS) fprintf(cli->err, "%s: and %zu more\n", name, n - SHOWN_FAULTS);
    return n;
}

static const gm_operand file_operands[] = { { "FILE", "an environment in JSON or XML, or a package (.aasx)" } };

static gm_exit check_file(const gm_cli *cli, const gm_args *args)
{
    opened      o;
    const char *name = gm_args_operand(args, 0);
    gm_exit     code = open_file(cli, name, &o);
    if (code == GM_EXIT_OK && check(cli, name, o.environment) > 0) code = GM_EXIT_NO;
    else if (code == GM_EXIT_OK)
        fprintf(cli->out, "%zu shells, %zu submodels, %zu concept descriptions, %zu files\n", json_array_size(json_object_get(o.environment, "assetAdministrationShells")),
                json_array_size(json_object_get(o.environment, "submodels")), json_array_size(json_object_get(o.environment, "conceptDescriptions")), o.package.count);
    opened_finish(cli, &o);
    return code;
}

const gm_verb gm_verb_aas_check = {
    .name     = "aas check",
    .summary  = "hold a file against the constraints of the metamodel",
    .text     = "Exit code 1: it breaks some; each is printed with the place where.",
    .examples = "gemel aas check pump.aasx",
    .syntax   = { .options = NULL, .option_count = 0, .operands = file_operands, .operand_count = GM_COUNT_OF(file_operands) },
    .run      = check_file,
};

// ---- import ---------------------------------------------------------------------------------------------------------------

enum { IM_HTTP, IM_LAX };
static const gm_option import_options[] = {
    [IM_HTTP] = GM_CLIENT_HTTP,
    [IM_LAX]  = { "lax", GM_OPTION_FLAG, NULL, NULL, "take a file that breaks constraints of the metamodel; it is kept as it is" },
};

typedef struct sending { const gm_cli *cli; gm_http *http; gm_buf body; size_t facts, documents, known; } sending;

// What the server says it added, and knew already.
static void count(sending *s, const json_t *answer)
{
    s->facts += (size_t)json_integer_value(json_object_get(answer, "added"));
    s->known += (size_t)json_integer_value(json_object_get(answer, "known"));
    if (json_object_get(answer, "hash") == NULL) return;
    if (json_is_true(json_object_get(answer, "known"))) s->known++;
    else s->documents++;
}

static gm_exit post(sending *s, const char *method, const char *path, const char *type)
{
    gm_http_answer answer;
    gm_error       err  = { 0 };
    gm_exit        code = GM_EXIT_OK;
    if (s->body.failed || path == NULL) return no_memory(s->cli);
    if (gm_http_send(s->http, method, path, type, gm_buf_view(&s->body), &answer, &err) != GM_OK) code = gm_client_fail(s->cli, &err, true);
    else if (answer.code >= 300) {
        (void)!gm_http_refusal(&answer, &err);
        code = gm_client_fail(s->cli, &err, false);
    } else {
        count(s, answer.body);
    }
    gm_http_answer_finish(&answer);
    return code;
}

static bool is_there(sending *s, const char *path)
{
    gm_http_answer answer;
    gm_error       err;
    bool           there = path != NULL && gm_http_request(s->http, "GET", path, NULL, NULL, &answer, &err) == GM_OK;
    if (there) {
        there = answer.code == 200;
        gm_http_answer_finish(&answer);
    }
    return there;
}

static gm_exit send_models(sending *s, const json_t *models, size_t *out_count)
{
    gm_buf_clear(&s->body);
    *out_count = 0;
    for (size_t i = 0; i < json_array_size(models); i++) {
        const json_t *model = json_array_get(models, i);
        const char   *id    = json_string_value(json_object_get(model, "@id"));
        if (id == NULL || is_there(s, GM_CLIENT_PATH(s->cli->arena, "/models/", id, "?" GM_API_VERSION))) continue;
        gm_buf_text(&s->body, (*out_count)++ > 0 ? "," : "[");
        gm_document_compact(model, &s->body);
    }
    if (*out_count == 0) return GM_EXIT_OK;
    gm_buf_byte(&s->body, ']');
    return post(s, "POST", "/models?" GM_API_VERSION, "application/json");
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static gm_exit send_twins(sending *s, const json_t *twins)
{
    gm_exit code = GM_EXIT_OK;
    for (size_t i = 0; code == GM_EXIT_OK && i < json_array_size(twins); i++) {
        const json_t *twin = json_array_get(twins, i);
        const char   *path = GM_CLIENT_PATH(s->cli->arena, "/digitaltwins/", text_of(twin, "$dtId"), "?" GM_API_VERSION);
        // Nothing but its facts is known of an asset from elsewhere: one that has become a twin with more to it stays.
        if (strcmp(text_of(json_object_get(twin, "$metadata"), "$model"), GM_AAS_ASSET_MODEL) == 0 && is_there(s, path)) continue;
        gm_buf_clear(&s->body);
        gm_document_compact(twin, &s->body);
        code = post(s, "PUT", path, "application/json");
    }
    return code;
}

static gm_exit send_relationships(sending *s, const json_t *relationships)
{
    gm_exit code = GM_EXIT_OK;
    for (size_t i = 0; code == GM_EXIT_OK && i < json_array_size(relationships); i++) {
        const json_t *r = json_array_get(relationships, i);
        const char   *target = GM_CLIENT_PATH(s->cli->arena, "/digitaltwins/", text_of(r, "$targetId"), "?" GM_API_VERSION);
        if (!is_there(s, target)) {
            fprintf(s->cli->err, "gemel: '%s' is related to '%s', which is neither here nor in the file\n", text_of(r, "$sourceId"), text_of(r, "$targetId"));
            continue;
        }
        gm_buf_clear(&s->body);
        gm_document_compact(r, &s->body);
        code = post(s, "PUT", GM_CLIENT_PATH(s->cli->arena, "/digitaltwins/", text_of(r, "$sourceId"), "/relationships/", text_of(r, "$relationshipId"), "?" GM_API_VERSION), "application/json");
    }
    return code;
}

static gm_exit send_documents(sending *s, const json_t *documents, const gm_aasx_package *package)
{
    gm_exit code = GM_EXIT_OK;
    for (size_t i = 0; code == GM_EXIT_OK && i < json_array_size(documents); i++) {
        const json_t       *d    = json_array_get(documents, i);
        const gm_aasx_file *file = gm_aasx_find(package, gm_str_of(text_of(d, "path")));
        const char         *path = GM_CLIENT_PATH(s->cli->arena, "/v1/thread/", text_of(d, "thread"), "/documents?key=", text_of(d, "key"), "&phase=", text_of(d, "phase"), "&name=",
                                                  text_of(d, "name"), "&from=", text_of(d, "from"), "&to=", text_of(d, "to"), "&cause=", text_of(d, "cause"), "&changed=true");
        gm_buf_clear(&s->body);
        gm_buf_str(&s->body, file != NULL ? gm_buf_view(&file->bytes) : gm_str_of(text_of(d, "text")));
        if (s->body.len == 0) continue;  // an empty file says nothing, and the server would take it for none
        code = post(s, "POST", path, text_of(d, "mediaType"));
    }
    return code;
}

static gm_exit send_facts(sending *s, const json_t *facts)
{
    gm_exit code = GM_EXIT_OK;
    size_t  n    = 0;
    gm_buf_clear(&s->body);
    for (size_t i = 0; code == GM_EXIT_OK && i < json_array_size(facts); i++) {
        gm_buf_text(&s->body, n++ > 0 ? "," : "[");
        gm_document_compact(json_array_get(facts, i), &s->body);
        if (n < FACTS_A_BODY && s->body.len < BODY_MAX && i + 1 < json_array_size(facts)) continue;
        gm_buf_byte(&s->body, ']');
        code = post(s, "POST", "/v1/thread?changed=true", "application/json");
        gm_buf_clear(&s->body);
        n = 0;
    }
    return code;
}

// Facts whose documents are not in the file: the server has them, or says so.
static void send_uncertain(sending *s, const json_t *facts)
{
    for (size_t i = 0; i < json_array_size(facts); i++) {
        gm_buf_clear(&s->body);
        gm_document_compact(json_array_get(facts, i), &s->body);
        if (post(s, "POST", "/v1/thread?changed=true", "application/json") != GM_EXIT_OK)
            fprintf(s->cli->err, "gemel: the document '%s' of '%s' is not in the file: export a package (.aasx) to take documents along\n",
                    text_of(json_array_get(facts, i), "key"), text_of(json_array_get(facts, i), "twin"));
    }
}

// What clients have added to submodels that gemel makes: the server keeps it, unless it knows the thing otherwise.
static gm_exit send_submodels(sending *s, const json_t *submodels)
{
    gm_exit code = GM_EXIT_OK;
    for (size_t i = 0; code == GM_EXIT_OK && i < json_array_size(submodels); i++) {
        gm_http_answer answer;
        gm_error       err = { 0 };
        gm_buf_clear(&s->body);
        gm_document_compact(json_array_get(submodels, i), &s->body);
        if (s->body.failed) return no_memory(s->cli);
        if (gm_http_send(s->http, "POST", "/submodels", "application/json", gm_buf_view(&s->body), &answer, &err) != GM_OK) {
            code = gm_client_fail(s->cli, &err, true);
        } else if (answer.code >= 300) {
            (void)!gm_http_refusal(&answer, &err);
            fprintf(s->cli->err, "gemel: '%s' is not in all as the file has it: %s\n", text_of(json_array_get(submodels, i), "id"), err.text);
        }
        gm_http_answer_finish(&answer);
    }
    return code;
}

static gm_exit send_plan(const gm_cli *cli, gm_http *http, const gm_aas_plan *plan, const gm_aasx_package *package)
{
    sending s      = { .cli = cli, .http = http, .body = gm_buf_init(cli->alloc) };
    size_t  models = 0;
    gm_exit code   = send_models(&s, plan->models, &models);
    if (code == GM_EXIT_OK) code = send_twins(&s, plan->twins);
    if (code == GM_EXIT_OK) code = send_relationships(&s, plan->relationships);
    if (code == GM_EXIT_OK) code = send_documents(&s, plan->documents, package);
    if (code == GM_EXIT_OK) code = send_facts(&s, plan->facts);
    if (code == GM_EXIT_OK) send_uncertain(&s, plan->uncertain);
    if (code == GM_EXIT_OK) code = send_submodels(&s, plan->submodels);
    gm_buf_finish(&s.body);
    for (size_t i = 0; i < json_array_size(plan->notes); i++) fprintf(cli->err, "gemel: %s\n", json_string_value(json_array_get(plan->notes, i)));
    if (code != GM_EXIT_OK) return code;
    fprintf(cli->out, "%zu interfaces, %zu twins, %zu relationships, %zu facts, %zu documents", models, json_array_size(plan->twins), json_array_size(plan->relationships), s.facts, s.documents);
    if (s.known > 0) fprintf(cli->out, "; %zu facts and documents known already", s.known);
    fprintf(cli->out, "\n");
    return code;
}

static gm_exit import(const gm_cli *cli, const gm_args *args)
{
    opened      o;
    gm_aas_plan plan = { 0 };
    gm_http    *http = NULL;
    gm_error    err  = { 0 };
    const char *name = gm_args_operand(args, 0);
    gm_exit     code = open_file(cli, name, &o);
    if (code == GM_EXIT_OK && check(cli, name, o.environment) > 0 && !gm_args_given(args, IM_LAX))
        code = gm_cli_fail_text(cli, GM_EXIT_NO, "%s breaks the metamodel's constraints; nothing was imported (--lax takes it nevertheless)", name);
    if (code == GM_EXIT_OK && gm_aas_plan_make(o.environment, NULL, &o.package, cli->arena, &plan, &err) != GM_OK) code = gm_cli_fail(cli, &err);
    if (code == GM_EXIT_OK) code = gm_client_open(cli, args, IM_HTTP, &http);
    if (code == GM_EXIT_OK) code = send_plan(cli, http, &plan, &o.package);
    gm_http_close(http);
    gm_aas_plan_finish(&plan);
    opened_finish(cli, &o);
    return code;
}

const gm_verb gm_verb_aas_import = {
    .name     = "aas import",
    .summary  = "bring in Asset Administration Shells from JSON, XML or AASX",
    .text     = "Shells become twins (assets of kind Instance) or parts (Type); nameplates, technical data and structures become facts and bills of materials; documents are "
                "stored. What has no place here is kept and goes out again as it came in. Twins that are there are replaced. Facts that are known are not added again: of a "
                "file that was imported before, what has changed becomes corrections.",
    .examples = "gemel aas import pump.aasx\ngemel aas import environment.json --lax",
    .syntax   = GM_SYNTAX(import_options, file_operands),
    .run      = import,
};
