#include "api/context.h"

#include "api/context.h"

#include "base/percent.h"
#include "base/utf8.h"

#include <stddef.h>
#include <stdio.h>
#include <strings.h>

enum { ARENA_MAX = 256 << 20 };

static const char *const method_names[] = { "GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "" };

gm_method gm_method_of(gm_str name)
{
    for (gm_method m = GM_METHOD_GET; m < GM_METHOD_OTHER; m++) {
        if (gm_str_is(name, method_names[m])) return m;
    }
    return GM_METHOD_OTHER;
}

const char *gm_method_name(gm_method method) { return method_names[method]; }

// ---- life cycle ----------------------------------------------------------------------------------------------------

// "/a/b%2Fc/" gives "a", "b/c", "": an encoded slash is part of an id, so the path is split before it is decoded.
static void split_path(gm_request *request)
{
    gm_str rest = request->path, part;
    if (rest.len == 0 || rest.ptr[0] != '/') {
        gm_reply_error(request, 400, "InvalidArgument", "The path of a request begins with '/'.");
        return;
    }
    rest = gm_str_slice(rest, 1, rest.len);
    while (rest.ptr != NULL && gm_str_next(&rest, '/', &part)) {
        if (request->segment_count == GM_PATH_SEGMENTS_MAX) {
            gm_reply_error(request, 404, "NotFound", "Nothing has a path as deep as this one.");
            return;
        }
        gm_error  err = { 0 };
        gm_status st  = gm_percent_decode(request->arena, part, &request->segments[request->segment_count++], &err);
        if (st != GM_OK) {
            gm_reply_failure(request, st, &err);
            return;
        }
    }
}

bool gm_request_reuse(gm_request *request, gm_str target)
{
    gm_str copy = gm_arena_str(request->arena, target);
    if (copy.ptr == NULL) return false;
    // An absolute URI ("GET http://host/path") is allowed on the request line; only its path matters here.
    size_t authority = gm_str_find(copy, GM_STR("://"));
    if (copy.len > 0 && copy.ptr[0] != '/' && authority != SIZE_MAX) {
        gm_str after = gm_str_slice(copy, authority + 3, copy.len);
        size_t slash = gm_str_find_char(after, '/');
        copy         = slash != SIZE_MAX ? gm_str_slice(after, slash, after.len) : GM_STR("/");
    }
    size_t mark    = gm_str_find_char(copy, '?');
    request->path  = gm_str_slice(copy, 0, mark);
    request->query = mark != SIZE_MAX ? gm_str_slice(copy, mark + 1, copy.len) : GM_STR("");
    split_path(request);
    return true;
}

gm_request *gm_request_create(const gm_alloc *alloc, gm_str target)
{
    gm_request *request = gm_alloc_zeroed(alloc, sizeof *request);
    if (request == NULL) return NULL;
    request->alloc = alloc;
    request->body  = gm_buf_init(alloc);
    request->out   = gm_buf_init(alloc);
    request->arena = gm_arena_create(alloc, ARENA_MAX);
    if (request->arena == NULL || !gm_request_reuse(request, target)) {
        gm_request_destroy(request);
        return NULL;
    }
    return request;
}

static void empty_buffer(gm_buf *buf, size_t keep)
{
    if (buf->capacity > keep) gm_buf_finish(buf);
    gm_buf_clear(buf);
    buf->limit = 0;
}

// What is still worked on is worked on for nobody.
static void abandon(gm_request *request)
{
    request->gone = true;
    if (request->pool != NULL) gm_pool_cancel(request->pool, request->job);
}

void gm_request_end(gm_request *request)
{
    if (request->source.end != NULL) request->source.end(request->source.context);
    json_decref(request->json);
    gm_principal_release(request->principal);
    request->principal = NULL;
    if (request->pending > 0) {  // the engine still holds a pointer to this request; its memory must not be used again
        abandon(request);
        request->json   = NULL;
        request->source = (gm_source){ 0 };
        return;
    }
    if (request->finish != NULL) request->finish(request);
    const gm_alloc *alloc = request->alloc;
    gm_arena       *arena = request->arena;
    gm_buf          body = request->body, out = request->out;
    gm_arena_clear(arena);
    empty_buffer(&body, GM_REQUEST_KEEP_BODY);
    empty_buffer(&out, GM_REQUEST_KEEP);
    // The headers alone are three quarters of it; their count says which of them mean anything.
    memset(request, 0, offsetof(gm_request, headers));
    memset(&request->header_count, 0, sizeof *request - offsetof(gm_request, header_count));
    request->alloc = alloc;
    request->arena = arena;
    request->body  = body;
    request->out   = out;
}

void gm_request_destroy(gm_request *request)
{
    if (request == NULL) return;
    if (request->source.end != NULL) request->source.end(request->source.context);
    request->source = (gm_source){ 0 };
    if (request->pending > 0) {
        abandon(request);
        return;
    }
    if (request->finish != NULL) request->finish(request);
    json_decref(request->json);
    gm_principal_release(request->principal);
    gm_buf_finish(&request->body);
    gm_buf_finish(&request->out);
    gm_arena_destroy(request->arena);
    gm_free(request->alloc, request);
}

// ---- reading -------------------------------------------------------------------------------------------------------

gm_str gm_request_header(const gm_request *request, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < request->header_count; i++) {
        const gm_header *h = &request->headers[i];
        if (h->name.len == len && strncasecmp(h->name.ptr, name, len) == 0) return h->value;
    }
    return (gm_str){ 0 };
}

// In a query a plus is a space, as forms and most clients have it.
static gm_status decode_parameter(gm_arena *arena, gm_str raw, gm_str *out_value, gm_error *err)
{
    if (gm_str_find_char(raw, '+') != SIZE_MAX) {
        char *copy = gm_arena_bytes(arena, raw.len + 1);
        if (copy == NULL) return gm_fail(err, GM_NOMEM, "api.request", "a parameter of %zu bytes", raw.len);
        for (size_t i = 0; i < raw.len; i++) copy[i] = raw.ptr[i] == '+' ? ' ' : raw.ptr[i];
        raw = (gm_str){ copy, raw.len };
    }
    return gm_percent_decode(arena, raw, out_value, err);
}

bool gm_request_next_parameter(gm_request *request, const char *name, size_t *at, gm_str *out_value)
{
    *out_value  = (gm_str){ 0 };
    gm_str rest = gm_str_slice(request->query, *at, request->query.len), pair;
    while (rest.ptr != NULL && rest.len > 0 && gm_str_next(&rest, '&', &pair)) {
        *at          = rest.ptr != NULL ? (size_t)(rest.ptr - request->query.ptr) : request->query.len;
        size_t equal = gm_str_find_char(pair, '=');
        gm_str key, raw = equal != SIZE_MAX ? gm_str_slice(pair, equal + 1, pair.len) : GM_STR("");
        gm_error  err = { 0 };
        gm_status st  = decode_parameter(request->arena, gm_str_slice(pair, 0, equal), &key, &err);
        if (st == GM_OK && !gm_str_is(key, name)) continue;
        if (st == GM_OK) st = decode_parameter(request->arena, raw, out_value, &err);
        if (st != GM_OK) gm_reply_failure(request, st, &err);
        return st == GM_OK;
    }
    *at = request->query.len;
    return true;
}

bool gm_request_parameter(gm_request *request, const char *name, gm_str *out_value)
{
    size_t at = 0;
    return gm_request_next_parameter(request, name, &at, out_value);
}

static bool number_between(gm_str text, uint64_t min, uint64_t max, uint64_t *out_number)
{
    uint64_t number = 0;
    if (text.len == 0 || text.len > 18) return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
        number = number * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    if (number < min || number > max) return false;
    *out_number = number;
    return true;
}

bool gm_request_number(gm_request *request, const char *name, uint64_t min, uint64_t max, uint64_t otherwise,
                       uint64_t *out_number)
{
    gm_str text;
    *out_number = otherwise;
    if (!gm_request_parameter(request, name, &text)) return false;
    if (text.ptr == NULL || number_between(text, min, max, out_number)) return true;
    gm_reply_error(request, 400, "InvalidArgument", "'%s' is a whole number from %llu to %llu.", name,
                   (unsigned long long)min, (unsigned long long)max);
    return false;
}

bool gm_request_time(gm_request *request, const char *name, gm_time_ns otherwise, gm_time_ns *out_time)
{
    gm_str text;
    *out_time = otherwise;
    if (!gm_request_parameter(request, name, &text)) return false;
    if (text.len == 0 || gm_time_parse(text, out_time, NULL) == GM_OK) return true;
    gm_reply_error(request, 400, "InvalidArgument", "'%s' is a time such as 2026-01-01T00:00:00Z.", name);
    return false;
}

bool gm_request_page_size(gm_request *request, uint32_t max, uint32_t otherwise, uint32_t *out_size)
{
    gm_str   text   = gm_request_header(request, "max-items-per-page");
    uint64_t number = otherwise;
    // More than a page may hold is no mistake of the client: it gets the largest page there is.
    if (text.ptr != NULL && !number_between(text, 1, 1000000000, &number)) {
        gm_reply_error(request, 400, "InvalidArgument", "The header max-items-per-page is a whole number from 1 on.");
        return false;
    }
    *out_size = number > max ? max : (uint32_t)number;
    return true;
}

json_t *gm_request_json(gm_request *request)
{
    if (request->json != NULL) return request->json;
    json_error_t why;
    gm_str       text = gm_buf_view(&request->body);
    if (text.len == 0) {
        gm_reply_error(request, 400, "MissingArgument", "The request has no body; JSON was expected.");
        return NULL;
    }
    request->json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (request->json != NULL) return request->json;
    if (json_error_code(&why) == json_error_out_of_memory) {
        gm_reply_failure(request, GM_NOMEM, NULL);
    } else {
        gm_reply_error(request, 400, "InvalidArgument", "The body is not valid JSON: line %d, column %d: %s.", why.line,
                       why.column, why.text);
    }
    return NULL;
}

// ---- replying ------------------------------------------------------------------------------------------------------

void gm_request_resume(gm_request *request)
{
    if (request->suspended && request->wake != NULL) request->wake(request);
}

static void answered(gm_request *request, unsigned status)
{
    request->status = status;
    request->state  = GM_REQUEST_ANSWERED;
    gm_request_resume(request);
}

void gm_reply_header(gm_request *request, const char *name, const char *fmt, ...)
{
    if (request->reply_header_count == GM_REPLY_HEADERS_MAX) return;
    char    text[512];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof text) return;
    gm_str value = gm_arena_str(request->arena, (gm_str){ text, (size_t)len });
    if (value.ptr == NULL) return;
    request->reply_headers[request->reply_header_count++] = (gm_header){ gm_str_of(name), value };
}

// When memory is refused even for a sentence about it, the sentence is already here.
static const char no_memory[] = "{\"error\":{\"code\":\"ServiceUnavailable\",\"message\":\"The server has no memory "
                                "for this answer; try again.\"}}";

static void out_of_memory(gm_request *request)
{
    request->fixed              = gm_str_of(no_memory);
    request->reply_header_count = 0;
    request->reply_headers[request->reply_header_count++] =
        (gm_header) { GM_STR("Content-Type"), GM_STR("application/json; charset=utf-8") };
    request->reply_headers[request->reply_header_count++] =
        (gm_header) { GM_STR("x-ms-error-code"), GM_STR("ServiceUnavailable") };
    answered(request, 503);
}

void gm_reply_text(gm_request *request, unsigned status, const char *mime)
{
    if (request->out.failed) {
        out_of_memory(request);
        return;
    }
    gm_reply_header(request, "Content-Type", "%s", mime);
    answered(request, status);
}

void gm_reply_json(gm_request *request, unsigned status)
{
    gm_reply_text(request, status, "application/json; charset=utf-8");
}

void gm_reply_empty(gm_request *request, unsigned status)
{
    gm_buf_clear(&request->out);
    answered(request, status);
}

void gm_reply_fixed(gm_request *request, unsigned status, gm_str mime, gm_str bytes)
{
    request->fixed = bytes;
    gm_reply_header(request, "Content-Type", GM_STR_FMT, GM_STR_ARG(mime));
    answered(request, status);
}

void gm_reply_source(gm_request *request, const char *mime, gm_source source)
{
    request->source = source;
    gm_reply_header(request, "Content-Type", "%s", mime);
    answered(request, 200);
}

void gm_reply_upgrade(gm_request *request, gm_upgraded *call, void *context)
{
    request->upgrade         = call;
    request->upgrade_context = context;
    answered(request, 101);
}

void gm_reply_error_details(gm_request *request, unsigned status, const char *code, gm_str message, gm_str details)
{
    request->reply_header_count = 0;
    gm_buf_clear(&request->out);
    if (request->write_error != NULL) {
        request->write_error(request, code, message);
        gm_reply_json(request, status);
        return;
    }
    gm_buf_text(&request->out, "{\"error\":{\"code\":");
    gm_buf_json_str(&request->out, gm_str_of(code));
    gm_buf_text(&request->out, ",\"message\":");
    gm_buf_json_str(&request->out, message);
    if (details.len > 0) {
        gm_buf_text(&request->out, ",\"details\":");
        gm_buf_str(&request->out, details);
    }
    gm_buf_text(&request->out, "}}");
    gm_reply_header(request, "x-ms-error-code", "%s", code);
    if (status == 503) gm_reply_header(request, "Retry-After", "1");
    gm_reply_json(request, status);
}

void gm_reply_error(gm_request *request, unsigned status, const char *code, const char *fmt, ...)
{
    char    text[2048];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    size_t size = len < 0 ? 0 : (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    gm_reply_error_details(request, status, code, (gm_str){ text, size }, (gm_str){ 0 });
}

void gm_reply_failure(gm_request *request, gm_status status, const gm_error *err)
{
    static const struct { unsigned http; const char *code; } map[GM_STATUS_COUNT] = {
        [GM_OK]        = { 500, "InternalError" },
        [GM_INVALID]   = { 400, "InvalidArgument" },
        [GM_NOTFOUND]  = { 404, "NotFound" },
        [GM_CONFLICT]  = { 409, "Conflict" },
        [GM_LIMIT]     = { 503, "ServiceUnavailable" },
        [GM_NOMEM]     = { 503, "ServiceUnavailable" },
        [GM_IO]        = { 503, "LogReadOnly" },
        [GM_CORRUPT]   = { 500, "InternalError" },
        [GM_DIVERGED]  = { 422, "Diverged" },
        [GM_CANCELLED] = { 503, "ServiceUnavailable" },
    };
    const char *text = err != NULL && err->text[0] != '\0' ? err->text : gm_status_text(status);
    gm_reply_error(request, map[status].http, map[status].code, "%s", text);
}

// ---- waiting for the engine ----------------------------------------------------------------------------------------

// True when the request has been abandoned; it is then released with the last answer.
static bool abandoned(gm_request *request)
{
    request->pending--;
    if (!request->gone) return false;
    if (request->pending == 0) gm_request_destroy(request);
    return true;
}

void gm_request_hold(gm_request *request)
{
    request->pending++;
    request->state = GM_REQUEST_WAITING;
}

void gm_request_release(gm_request *request)
{
    request->pool = NULL;
    (void)abandoned(request);
}

gm_status gm_request_submit(gm_request *request, gm_pool *pool, const gm_pool_task *task, gm_error *err)
{
    gm_pool_id id;
    gm_status  st = gm_pool_submit(pool, task, &id, err);
    if (st != GM_OK) return st;
    gm_request_hold(request);
    request->pool = pool;
    request->job  = id;
    return GM_OK;
}

static void again(void *context)
{
    gm_request *request = context;
    if (abandoned(request)) return;
    request->state = GM_REQUEST_HANDLING;
    gm_buf_clear(&request->out);
    request->reply_header_count = 0;
    request->handle(request);
}

void gm_request_go_on(gm_request *request) { again(request); }

static void committed(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    (void)token;
    gm_request *request = context;
    if (abandoned(request)) return;
    gm_buf_clear(&request->out);
    if (status == GM_OK) request->then(request);
    else gm_reply_failure(request, status, err);
}

gm_ask gm_request_ask(gm_request *request, gm_request_call *then)
{
    request->then = then;
    request->pending++;
    request->state = GM_REQUEST_WAITING;
    return (gm_ask){ .call = committed, .context = request };
}

// Who changed what, right behind the change. What a device measures is no change that somebody has made.
void gm_request_audit(gm_request *request)
{
    if (request->audited || request->api == NULL || request->route == NULL) return;
    if (gm_str_ends(gm_str_of(request->route->pattern), GM_STR("/telemetry"))) return;
    request->audited = true;
    gm_str what = gm_arena_printf(request->arena, "%s " GM_STR_FMT, gm_method_name(request->method), GM_STR_ARG(request->path));
    gm_access_audit(request->api->options.access, request->principal, what, request->address);
}

void gm_request_submitted(gm_request *request, gm_status status, const gm_error *err)
{
    if (status == GM_OK) {
        gm_request_audit(request);
        return;
    }
    request->pending--;
    if (status == GM_LIMIT) gm_request_retry(request);
    else gm_reply_failure(request, status, err);
}

void gm_request_soon(gm_request *request)
{
    gm_error  err   = { 0 };
    gm_timer *timer = NULL;
    request->state  = GM_REQUEST_WAITING;
    request->pending++;
    gm_status st = gm_loop_after(request->api->options.loop, 0, again, request, &timer, &err);
    if (st == GM_OK) return;
    request->pending--;
    gm_reply_failure(request, st, &err);
}

void gm_request_retry(gm_request *request)
{
    gm_error  err = { 0 };
    gm_status st  = GM_LIMIT;
    if (request->retries++ < GM_RETRIES_MAX) {
        request->state = GM_REQUEST_WAITING;
        request->pending++;
        st = gm_engine_later(request->engine, again, request, &err);
        if (st == GM_OK) return;
        request->pending--;
    } else {
        gm_fail(&err, GM_LIMIT, "api.request", "changes that this one depends on kept coming; try again");
    }
    gm_reply_failure(request, st, &err);
}
