#include "cli/http_client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

struct gm_http {
    const gm_alloc *alloc;
    CURL           *curl;
    char            address[300];
    const char     *ca;       // $GEMEL_CA; NULL: plain
    struct curl_slist *token; // the header; NULL: none
    char            why[CURL_ERROR_SIZE];
};

enum { TOKEN_LINE_MAX = 8400, EVENT_MAX = 64 << 20, PATH_BYTES_MAX = 1 << 20 };

gm_status gm_http_open(const gm_alloc *alloc, const char *address, gm_http **out_http, gm_error *err)
{
    *out_http     = NULL;
    gm_http *http = gm_alloc_zeroed(alloc, sizeof *http);
    if (http == NULL) return gm_fail(err, GM_NOMEM, "cli.http", "connecting to %s", address);
    http->alloc = alloc;
    http->curl  = curl_easy_init();
    if (http->curl == NULL) {
        gm_free(alloc, http);
        return gm_fail(err, GM_NOMEM, "cli.http", "connecting to %s", address);
    }
    snprintf(http->address, sizeof http->address, "%s", address);
    const char *token = getenv("GEMEL_TOKEN"), *ca = getenv("GEMEL_CA");
    if (ca != NULL && ca[0] != '\0') http->ca = ca;
    if (token != NULL && token[0] != '\0') {
        char line[TOKEN_LINE_MAX];
        snprintf(line, sizeof line, "Authorization: Bearer %s", token);
        http->token = curl_slist_append(NULL, line);
    }
    *out_http = http;
    return GM_OK;
}

void gm_http_close(gm_http *http)
{
    if (http == NULL) return;
    curl_easy_cleanup(http->curl);
    curl_slist_free_all(http->token);
    gm_free(http->alloc, http);
}

static size_t on_bytes(char *bytes, size_t size, size_t n, void *context)
{
    gm_buf *text = context;
    gm_buf_add(text, bytes, size * n);
    return text->failed ? 0 : size * n;  // 0 ends the transfer
}

static gm_status unreachable(const gm_http *http, CURLcode code, gm_error *err)
{
    const char *why = http->why[0] != '\0' ? http->why : curl_easy_strerror(code);
    if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST) {
        return gm_fail(err, GM_NOTFOUND, "cli.http",
                       "no server answers at %s; start one with 'gemel serve PLANT' or name it with --http",
                       http->address);
    }
    return gm_fail(err, GM_NOTFOUND, "cli.http", "the server at %s went away: %s", http->address, why);
}

// Everything that both kinds of request share.
static gm_status prepare(gm_http *http, const char *path, curl_write_callback write, void *context, gm_error *err)
{
    gm_buf url = gm_buf_init(http->alloc);
    url.limit  = PATH_BYTES_MAX;
    gm_buf_printf(&url, "%s://%s%s", http->ca != NULL ? "https" : "http", http->address, path);
    gm_buf_byte(&url, 0);
    curl_easy_reset(http->curl);
    http->why[0] = '\0';
    CURLcode code = url.failed ? CURLE_OUT_OF_MEMORY : curl_easy_setopt(http->curl, CURLOPT_URL, (char *)url.ptr);
    gm_buf_finish(&url);
    if (code != CURLE_OK) return gm_fail(err, GM_NOMEM, "cli.http", "asking %s", http->address);
    curl_easy_setopt(http->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(http->curl, CURLOPT_NOPROXY, "*");  // the plant's own server, never by way of a proxy
    curl_easy_setopt(http->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, http->token);
    if (http->ca != NULL) curl_easy_setopt(http->curl, CURLOPT_CAINFO, http->ca);
    curl_easy_setopt(http->curl, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, http->why);
    curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, write);
    curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, context);
    return GM_OK;
}

gm_status gm_http_request(gm_http *http, const char *method, const char *path, const char *content_type,
                          const char *body, gm_http_answer *out_answer, gm_error *err)
{
    return gm_http_send(http, method, path, content_type, gm_str_of(body), out_answer, err);
}

gm_status gm_http_send(gm_http *http, const char *method, const char *path, const char *content_type, gm_str body,
                       gm_http_answer *out_answer, gm_error *err)
{
    *out_answer            = (gm_http_answer){ .text = gm_buf_init(http->alloc) };
    out_answer->text.limit = GM_HTTP_ANSWER_MAX;
    gm_status st           = prepare(http, path, on_bytes, &out_answer->text, err);
    if (st != GM_OK) return st;
    struct curl_slist *headers = NULL;
    if (body.ptr != NULL) {
        char line[400];
        snprintf(line, sizeof line, "Content-Type: %s", content_type);
        headers = curl_slist_append(headers, line);
        headers = curl_slist_append(headers, "Expect:");
        if (http->token != NULL) headers = curl_slist_append(headers, http->token->data);
        curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, body.ptr);
        curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
    }
    curl_easy_setopt(http->curl, CURLOPT_CUSTOMREQUEST, method);
    CURLcode code = curl_easy_perform(http->curl);
    curl_slist_free_all(headers);
    if (out_answer->text.failed)
        return gm_fail(err, GM_LIMIT, "cli.http", "the answer has more than %d MiB", GM_HTTP_ANSWER_MAX >> 20);
    if (code != CURLE_OK) return unreachable(http, code, err);
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &out_answer->code);
    gm_str text      = gm_buf_view(&out_answer->text);
    out_answer->body = text.len > 0 ? json_loadb(text.ptr, text.len, JSON_DECODE_ANY, NULL) : NULL;
    return GM_OK;
}

void gm_http_answer_finish(gm_http_answer *answer)
{
    json_decref(answer->body);
    gm_buf_finish(&answer->text);
    *answer = (gm_http_answer){0};
}

gm_status gm_http_refusal(const gm_http_answer *answer, gm_error *err)
{
    const json_t *error   = json_object_get(answer->body, "error");
    const char   *message = json_string_value(json_object_get(error, "message"));
    if (message == NULL) message = json_string_value(json_object_get(json_array_get(json_object_get(answer->body, "messages"), 0), "text"));  // AAS routes
    gm_status     st      = answer->code == 404 ? GM_NOTFOUND : GM_INVALID;
    if (message != NULL) return gm_fail(err, st, "cli.http", "%s", message);
    return gm_fail(err, st, "cli.http", "the server answered %ld: " GM_STR_FMT, answer->code,
                   (int)(answer->text.len < 120 ? answer->text.len : 120), (const char *)answer->text.ptr);
}

typedef struct download { gm_http *http; FILE *file; gm_buf refusal; } download;

static size_t on_download_bytes(char *bytes, size_t size, size_t n, void *context)
{
    download *d    = context;
    long      code = 0;
    curl_easy_getinfo(d->http->curl, CURLINFO_RESPONSE_CODE, &code);
    return code == 200 ? fwrite(bytes, size, n, d->file) : on_bytes(bytes, size, n, &d->refusal);
}

gm_status gm_http_download(gm_http *http, const char *path, FILE *file, gm_error *err)
{
    download d      = { http, file, gm_buf_init(http->alloc) };
    d.refusal.limit = 1 << 20;
    gm_status st    = prepare(http, path, on_download_bytes, &d, err);
    if (st != GM_OK) return st;
    CURLcode       code   = curl_easy_perform(http->curl);
    gm_http_answer answer = { .text = d.refusal };
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &answer.code);
    if (code == CURLE_OK && answer.code != 200) {
        answer.body = json_loadb((const char *)d.refusal.ptr, d.refusal.len, 0, NULL);
        st          = gm_http_refusal(&answer, err);
        if (st == GM_NOTFOUND) st = GM_INVALID;
        json_decref(answer.body);
    } else if (code != CURLE_OK) {
        st = unreachable(http, code, err);
    }
    gm_buf_finish(&d.refusal);
    return st;
}

// ---- server-sent events ---------------------------------------------------------------------------------------------

void gm_event_parser_init(gm_event_parser *parser, const gm_alloc *alloc)
{
    *parser = (gm_event_parser) { .line = gm_buf_init(alloc), .event = gm_buf_init(alloc), .data = gm_buf_init(alloc) };
    parser->line.limit = parser->data.limit = parser->event.limit = EVENT_MAX;
}

void gm_event_parser_finish(gm_event_parser *parser)
{
    gm_buf_finish(&parser->line);
    gm_buf_finish(&parser->event);
    gm_buf_finish(&parser->data);
}

// One whole line. An empty one dispatches the event.
static bool take_line(gm_event_parser *p, gm_http_event *each, void *context)
{
    gm_str line = gm_buf_view(&p->line);
    bool   more = true;
    if (line.len > 0 && line.ptr[line.len - 1] == '\r') line.len--;
    if (line.len == 0) {
        if (p->any)
            more = each(context, p->event.len > 0 ? gm_buf_view(&p->event) : GM_STR("message"), gm_buf_view(&p->data));
        gm_buf_clear(&p->event);
        gm_buf_clear(&p->data);
        p->any = false;
        return more;
    }
    size_t colon = gm_str_find_char(line, ':');
    gm_str name  = gm_str_slice(line, 0, colon);
    gm_str value = colon == SIZE_MAX ? (gm_str){0} : gm_str_slice(line, colon + 1, line.len);
    if (value.len > 0 && value.ptr[0] == ' ') value = gm_str_slice(value, 1, value.len);
    if (gm_str_is(name, "event")) {
        gm_buf_clear(&p->event);
        gm_buf_str(&p->event, value);
    } else if (gm_str_is(name, "data")) {
        if (p->any) gm_buf_byte(&p->data, '\n');
        gm_buf_str(&p->data, value);
        p->any = true;
    }
    return true;
}

bool gm_event_parser_feed(gm_event_parser *parser, gm_str bytes, gm_http_event *each, void *context)
{
    while (bytes.len > 0) {
        size_t end = gm_str_find_char(bytes, '\n');
        gm_buf_str(&parser->line, gm_str_slice(bytes, 0, end));
        if (parser->line.failed || parser->data.failed) return false;
        if (end == SIZE_MAX) return true;
        bool more = take_line(parser, each, context);
        gm_buf_clear(&parser->line);
        if (!more) return false;
        bytes = gm_str_slice(bytes, end + 1, bytes.len);
    }
    return true;
}

typedef struct stream {
    gm_http         *http;
    gm_event_parser  parser;
    gm_buf           refusal;  // the body of an answer that is no stream
    gm_http_event   *each;
    void            *context;
    bool             ended;    // by each
} stream;

static size_t on_stream_bytes(char *bytes, size_t size, size_t n, void *context)
{
    stream *s    = context;
    long    code = 0;
    curl_easy_getinfo(s->http->curl, CURLINFO_RESPONSE_CODE, &code);
    if (code != 200) return on_bytes(bytes, size, n, &s->refusal);
    if (gm_event_parser_feed(&s->parser, (gm_str){ bytes, size * n }, s->each, s->context)) return size * n;
    s->ended = !s->parser.line.failed && !s->parser.data.failed;
    return 0;
}

gm_status gm_http_stream(gm_http *http, const char *path, gm_http_event *each, void *context, gm_error *err)
{
    stream s = { .http = http, .refusal = gm_buf_init(http->alloc), .each = each, .context = context };
    gm_event_parser_init(&s.parser, http->alloc);
    s.refusal.limit = 1 << 20;
    gm_status st    = prepare(http, path, on_stream_bytes, &s, err);
    if (st != GM_OK) goto done;
    // A server that is alive says so every few seconds; half a minute of silence is a lost connection.
    curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_TIME, 60L);
    CURLcode code = curl_easy_perform(http->curl);
    if (s.ended) goto done;
    gm_http_answer answer = { .text = s.refusal };
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &answer.code);
    if (answer.code != 0 && answer.code != 200) {
        answer.body = json_loadb((const char *)s.refusal.ptr, s.refusal.len, 0, NULL);
        st          = gm_http_refusal(&answer, err);
        json_decref(answer.body);
    } else {
        st = unreachable(http, code, err);
    }
done:
    gm_event_parser_finish(&s.parser);
    gm_buf_finish(&s.refusal);
    return st;
}
