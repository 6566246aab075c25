// include/gemel: a plant in somebody else's program. A server of its own on a thread, asked like any other.
#include "cli/http_client.h"
#include "cli/local_server.h"

#include "base/number.h"
#include "base/percent.h"

#include <gemel/futures.h>
#include <gemel/plant.h>
#include <gemel/twins.h>

#include <math.h>
#include <stdlib.h>

#define VERSION "?api-version=2023-10-31"

struct gemel_plant {
    gm_cli           cli;     // where the server prints what it has to say: stderr
    gm_local_server *server;  // NULL: another process's
    gm_http         *http;
};

static gemel_code code_of(gm_status st)
{
    switch (st) {
    case GM_OK: return GEMEL_OK;
    case GM_INVALID: return GEMEL_INVALID;
    case GM_NOTFOUND: return GEMEL_NOT_FOUND;
    case GM_CONFLICT: return GEMEL_CONFLICT;
    case GM_LIMIT: return GEMEL_LIMIT;
    default: return GEMEL_SYSTEM;
    }
}

static gemel_code fail(gemel_error *err, gemel_code code, const char *text)
{
    if (err != NULL) {
        err->code = code;
        snprintf(err->text, sizeof err->text, "%s", text);
    }
    return code;
}

static gemel_code told(gemel_error *err, gm_status st, const gm_error *why)
{
    if (st == GM_OK) return fail(err, GEMEL_OK, "");
    return fail(err, code_of(st), why->text[0] != '\0' ? why->text : gm_status_text(st));
}

// ---- life cycle -----------------------------------------------------------------------------------------------------

static gemel_plant *create(void)
{
    const gm_alloc *alloc = gm_alloc_system();
    gemel_plant    *p     = gm_alloc_zeroed(alloc, sizeof *p);
    if (p == NULL) return NULL;
    p->cli = (gm_cli){ .alloc = alloc, .io = gm_io_system(), .clock = gm_clock_system(), .out = stdout, .err = stderr };
    p->cli.arena = gm_arena_create(alloc, 0);
    if (p->cli.arena != NULL) return p;
    gm_free(alloc, p);
    return NULL;
}

gemel_code gemel_open(const char *folder, gemel_plant **out_plant, gemel_error *err)
{
    gm_error     why = { 0 };
    gemel_plant *p   = create();
    *out_plant       = NULL;
    if (p == NULL) return fail(err, GEMEL_SYSTEM, "out of memory");
    gm_status st = gm_local_server_open(&p->cli, folder, &p->server, &why);
    if (st == GM_OK) st = gm_http_open(p->cli.alloc, gm_local_server_address(p->server), &p->http, &why);
    if (st == GM_OK) *out_plant = p;
    else gemel_close(p);
    return told(err, st, &why);
}

gemel_code gemel_connect(const char *address, gemel_plant **out_plant, gemel_error *err)
{
    gm_error     why = { 0 };
    gemel_plant *p   = create();
    *out_plant       = NULL;
    if (p == NULL) return fail(err, GEMEL_SYSTEM, "out of memory");
    gm_status st = gm_http_open(p->cli.alloc, address, &p->http, &why);
    if (st == GM_OK) *out_plant = p;
    else gemel_close(p);
    return told(err, st, &why);
}

void gemel_close(gemel_plant *p)
{
    if (p == NULL) return;
    gm_http_close(p->http);
    gm_local_server_close(p->server);
    gm_arena_destroy(p->cli.arena);
    gm_free(gm_alloc_system(), p);
}

void gemel_free(char *text) { free(text); }

// ---- asking ---------------------------------------------------------------------------------------------------------

static gemel_code refused(const gm_http_answer *answer, gemel_error *err)
{
    gm_error  why = { 0 };
    gm_status st  = gm_http_refusal(answer, &why);
    if (answer->code == 503 || answer->code == 429) st = GM_LIMIT;
    if (answer->code >= 500 && answer->code != 503) st = GM_IO;
    if (answer->code == 409 || answer->code == 412) st = GM_CONFLICT;
    return told(err, st, &why);
}

static gemel_code ask(gemel_plant *p, const char *method, const char *path, const char *type, const char *body, char **out,
                      gemel_error *err)
{
    gm_error       why = { 0 };
    gm_http_answer answer;
    if (out != NULL) *out = NULL;
    gm_status  st   = gm_http_request(p->http, method, path, body != NULL ? type : NULL, body, &answer, &why);
    gemel_code code = st != GM_OK                                ? told(err, st, &why)
                    : answer.code < 200 || answer.code >= 300 ? refused(&answer, err)
                                                                 : fail(err, GEMEL_OK, "");
    if (code == GEMEL_OK && out != NULL) {
        *out = malloc(answer.text.len + 1);
        if (*out == NULL) code = fail(err, GEMEL_SYSTEM, "out of memory");
        else {
            if (answer.text.len > 0) memcpy(*out, answer.text.ptr, answer.text.len);
            (*out)[answer.text.len] = '\0';
        }
    }
    gm_http_answer_finish(&answer);
    return code;
}

gemel_code gemel_ask(gemel_plant *p, const char *method, const char *path, const char *json, char **out, gemel_error *err)
{
    return ask(p, method, path, "application/json", json, out, err);
}

// A path, or a body, that a buffer holds.
static gemel_code ask_built(gemel_plant *p, const char *method, gm_buf *path, const char *type, gm_buf *body, char **out,
                            gemel_error *err)
{
    gm_buf_byte(path, '\0');
    if (body != NULL) gm_buf_byte(body, '\0');
    bool       good = !path->failed && (body == NULL || !body->failed);
    gemel_code code = good ? ask(p, method, (const char *)path->ptr, type, body != NULL ? (const char *)body->ptr : NULL, out, err)
                           : fail(err, GEMEL_SYSTEM, "out of memory");
    gm_buf_finish(path);
    if (body != NULL) gm_buf_finish(body);
    return code;
}

// ---- twins ----------------------------------------------------------------------------------------------------------

static gm_buf twin_path(const char *twin)
{
    gm_buf path = gm_buf_init(gm_alloc_system());
    gm_buf_text(&path, "/digitaltwins/");
    gm_percent_encode(&path, gm_str_of(twin));
    gm_buf_text(&path, VERSION);
    return path;
}

gemel_code gemel_read_twin(gemel_plant *p, const char *twin, char **out, gemel_error *err)
{
    gm_buf path = twin_path(twin);
    return ask_built(p, "GET", &path, NULL, NULL, out, err);
}

gemel_code gemel_read_number(gemel_plant *p, const char *twin, const char *property, double *out, gemel_error *err)
{
    char      *text = NULL;
    gemel_code code = gemel_read_twin(p, twin, &text, err);
    if (code != GEMEL_OK) return code;
    json_t       *body = json_loads(text, 0, NULL);
    const json_t *at   = body;
    gm_str        rest = gm_str_of(property), part;
    while (at != NULL && gm_str_next(&rest, '/', &part)) at = json_object_getn(at, part.ptr, part.len);
    if (at == NULL) code = fail(err, GEMEL_NOT_FOUND, "the property has no value, or there is none of that name");
    else if (!json_is_number(at)) code = fail(err, GEMEL_INVALID, "the property is no number");
    else *out = json_number_value(at);
    json_decref(body);
    free(text);
    return code;
}

gemel_code gemel_write(gemel_plant *p, const char *twin, const char *property, const char *json, gemel_error *err)
{
    gm_buf path = twin_path(twin), body = gm_buf_init(gm_alloc_system()), pointer = gm_buf_init(gm_alloc_system());
    gm_buf_byte(&pointer, '/');
    gm_buf_text(&pointer, property);
    gm_buf_text(&body, "[{\"op\":\"add\",\"path\":");
    gm_buf_json_str(&body, gm_buf_view(&pointer));
    gm_buf_text(&body, ",\"value\":");
    gm_buf_text(&body, json);
    gm_buf_text(&body, "}]");
    body.failed |= pointer.failed;
    gm_buf_finish(&pointer);
    return ask_built(p, "PATCH", &path, "application/json-patch+json", &body, NULL, err);
}

gemel_code gemel_write_number(gemel_plant *p, const char *twin, const char *property, double value, gemel_error *err)
{
    char text[GM_NUMBER_TEXT + 1];
    if (!isfinite(value)) return fail(err, GEMEL_INVALID, "JSON has no such number");
    text[gm_number_write(value, text)] = '\0';
    return gemel_write(p, twin, property, text, err);
}

gemel_code gemel_query(gemel_plant *p, const char *query, char **out, gemel_error *err)
{
    gm_buf path = gm_buf_init(gm_alloc_system()), body = gm_buf_init(gm_alloc_system());
    gm_buf_text(&path, "/query" VERSION);
    gm_buf_text(&body, "{\"query\":");
    gm_buf_json_str(&body, gm_str_of(query));
    gm_buf_byte(&body, '}');
    return ask_built(p, "POST", &path, "application/json", &body, out, err);
}

gemel_code gemel_history(gemel_plant *p, const char *twin, const char *property, const char *more, char **out, gemel_error *err)
{
    gm_buf path = gm_buf_init(gm_alloc_system());
    gm_buf_text(&path, "/v1/history?twin=");
    gm_percent_encode(&path, gm_str_of(twin));
    gm_buf_text(&path, "&property=");
    gm_percent_encode(&path, gm_str_of(property));
    if (more != NULL && more[0] != '\0') gm_buf_printf(&path, "&%s", more);
    return ask_built(p, "GET", &path, NULL, NULL, out, err);
}

// ---- futures --------------------------------------------------------------------------------------------------------

static gemel_code start_futures(gemel_plant *p, const char *request, bool wait, char **out, gemel_error *err)
{
    json_t *body = json_loads(request, 0, NULL);
    *out         = NULL;
    if (!json_is_object(body)) {
        json_decref(body);
        return fail(err, GEMEL_INVALID, "the request is no JSON object");
    }
    json_object_set_new(body, "wait", json_boolean(wait));
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    gemel_code code = text != NULL ? gemel_ask(p, "POST", "/v1/futures", text, out, err) : fail(err, GEMEL_SYSTEM, "out of memory");
    free(text);
    return code;
}

gemel_code gemel_futures(gemel_plant *p, const char *request, char **out, gemel_error *err)
{
    return start_futures(p, request, true, out, err);
}

gemel_code gemel_futures_begin(gemel_plant *p, const char *request, char **out, gemel_error *err)
{
    return start_futures(p, request, false, out, err);
}
