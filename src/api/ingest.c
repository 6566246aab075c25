// Bulk ingest: newline JSON and the InfluxDB line protocol. A 2xx is sent when everything in the body that could be
// applied is durable and applied. A large body is worked on in slices, so that others get their turns; slices of lines are read
// on other threads when one is free, and each is taken before the next is read, so that all is in the order of the body.
#include "api/routes.h"

#include "base/le.h"
#include "link/ingest_lines.h"
#include "link/line.h"
#include "link/line_readers.h"

#include <stdio.h>
#include <zlib.h>

enum { SLICE = 512 << 10, READ_LEAST = 16 << 10, INFLATED_MAX = 192 << 20 };  // READ_LEAST: less is done before it is handed over

typedef enum dialect { DIALECT_V1, DIALECT_V2, DIALECT_JSON } dialect;

// What a handler that is run again and again goes on with.
typedef struct bulk {
    dialect         dialect;
    gm_str          rest;
    gm_line_batch  *batch;               // lines
    gm_dur_ns       unit;
    gm_line_reading *reading;            // of the front of rest; NULL: none
    size_t          slice;               // bytes that it was to read
    size_t          careful;             // bytes at the front that want care
    uint64_t        lines, rejected;     // newline JSON
    char            first[240];
    gm_ask          ask;                 // of the request, behind on_last
    bool            asked, inside, answered;
} bulk;

// ---- answers ------------------------------------------------------------------------------------------------------
static void reply_influx(gm_request *request, dialect d, unsigned status, const char *code, const char *message)
{
    gm_buf_clear(&request->out);
    if (d == DIALECT_V2) {
        gm_buf_text(&request->out, "{\"code\":");
        gm_buf_json_str(&request->out, gm_str_of(code));
        gm_buf_text(&request->out, ",\"message\":");
    } else {
        gm_reply_header(request, "X-Influxdb-Error", "%.180s", message);
        gm_buf_text(&request->out, "{\"error\":");
    }
    gm_buf_json_str(&request->out, gm_str_of(message));
    gm_buf_byte(&request->out, '}');
    gm_reply_json(request, status);
}

static void reply_error(gm_request *request, dialect d, unsigned status, const char *message)
{
    if (d != DIALECT_JSON) reply_influx(request, d, status, status == 413 ? "request too large" : "invalid", message);
    else gm_reply_error(request, status, status == 413 ? "PayloadTooLarge" : "InvalidArgument", "%s", message);
}

static void reply_lines(gm_request *request, const bulk *b)
{
    const gm_lines_result *r = gm_lines_result_of(b->batch);
    gm_reply_header(request, "X-Influxdb-Version", "1.8.10");
    if (r->rejected == 0) {
        gm_reply_empty(request, 204);
        return;
    }
    char text[400];
    bool nothing = r->points == 0 && r->malformed;
    snprintf(text, sizeof text, "%s%s dropped=%llu", nothing ? "unable to parse: " : "partial write: ", r->first,
             (unsigned long long)r->rejected);
    reply_influx(request, b->dialect, 400, "invalid", text);
}

static void reply_json(gm_request *request, const bulk *b)
{
    gm_buf_clear(&request->out);
    gm_buf_printf(&request->out, "{\"lines\":%llu,\"rejected\":%llu", (unsigned long long)b->lines, (unsigned long long)b->rejected);
    if (b->rejected > 0) {
        gm_buf_text(&request->out, ",\"first\":");
        gm_buf_json_str(&request->out, gm_str_of(b->first[0] != '\0' ? b->first : "see the dead letters"));
    }
    gm_buf_byte(&request->out, '}');
    gm_reply_json(request, b->rejected == 0 ? 200 : 400);
}

static void reply(gm_request *request)
{
    const bulk *b = request->note;
    if (b->dialect == DIALECT_JSON) reply_json(request, b);
    else reply_lines(request, b);
}

// ---- bodies -------------------------------------------------------------------------------------------------------
static voidpf inflate_alloc(voidpf context, uInt items, uInt size)
{
    return gm_arena_zeroed(context, items, size);
}

static void inflate_free(voidpf context, voidpf memory)
{
    (void)context, (void)memory;  // goes with the arena
}

// The last four bytes of a gzip file are its size (RFC 1952, 2.3.1). False: replied.
static bool unzip(gm_request *request, dialect d, gm_str *body)
{
    uint32_t size = body->len >= 18 ? gm_get_u32((const uint8_t *)body->ptr + body->len - 4) : 0;
    if (size > INFLATED_MAX) {
        reply_error(request, d, 413, "the body is larger than 192 MiB once inflated");
        return false;
    }
    uint8_t *out = gm_arena_bytes(request->arena, (size_t)size + 1);
    z_stream z   = { .zalloc = inflate_alloc, .zfree = inflate_free, .opaque = request->arena };
    z.next_in    = (Bytef *)(uintptr_t)body->ptr;
    z.avail_in   = (uInt)body->len;
    z.next_out   = out;
    z.avail_out  = size;
    if (out == NULL || inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return false;
    }
    bool whole = inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_in == 0 && z.avail_out == 0;
    inflateEnd(&z);
    if (!whole) reply_error(request, d, 400, "the body is not one gzip stream, though Content-Encoding says so");
    *body = (gm_str){ (const char *)out, size };
    return whole;
}

static bool take_body(gm_request *request, bulk *b)
{
    gm_str encoding = gm_request_header(request, "content-encoding");
    b->rest         = gm_buf_view(&request->body);
    if (encoding.len == 0 || gm_str_is(encoding, "identity")) return true;
    if (gm_str_is(encoding, "gzip") || gm_str_is(encoding, "x-gzip")) return unzip(request, b->dialect, &b->rest);
    reply_error(request, b->dialect, 415, "the only Content-Encoding that is known here is gzip");
    return false;
}

static bool ingest_is_there(gm_request *request)
{
    if (request->api->options.ingest != NULL) return true;
    gm_reply_error(request, 404, "NotFound", "Nothing is ingested here.");
    return false;
}

static bulk *begin(gm_request *request, dialect d)
{
    if (!ingest_is_there(request)) return NULL;
    bulk *b = GM_ARENA_NEW(request->arena, bulk, 1);
    if (b == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return NULL;
    }
    b->dialect    = d;
    request->note = b;
    return take_body(request, b) ? b : NULL;
}

// ---- line protocol ------------------------------------------------------------------------------------------------
static bool precision(gm_request *request, dialect d, gm_dur_ns *out_unit)
{
    static const struct { const char *name; gm_dur_ns unit; } units[] = {
        { "ns", 1 }, { "n", 1 }, { "us", GM_MICROSECOND }, { "u", GM_MICROSECOND }, { "ms", GM_MILLISECOND },
        { "s", GM_SECOND }, { "m", GM_MINUTE }, { "h", GM_HOUR },
    };
    gm_str text;
    if (!gm_request_parameter(request, "precision", &text)) return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (text.len > 0 && !gm_str_is(text, units[i].name)) continue;
        *out_unit = units[i].unit;
        return true;
    }
    reply_error(request, d, 400, "invalid precision; use ns, us, ms or s");
    return false;
}

static void on_lines_durable(gm_request *request) { reply(request); }

static void on_read(void *context) { gm_request_go_on(context); }

// However the request ends.
static void let_go(gm_request *request)
{
    bulk *b = request->note;
    gm_line_readers_give_back(b->reading);
}

static bool begin_lines(gm_request *request, dialect d)
{
    bulk    *b   = begin(request, d);
    gm_api  *api = request->api;
    gm_error err;
    if (b == NULL || !precision(request, d, &b->unit)) return false;
    bool made = api->lines != NULL || gm_lines_create(api->options.alloc, api->options.ingest, &api->lines, &err) == GM_OK;
    // Without readers everything is done here: slower, otherwise the same.
    if (api->readers == NULL && api->options.crew != NULL) api->readers = gm_line_readers_create(api->options.alloc, api->options.crew);
    request->finish = let_go;
    if (made) b->batch = gm_lines_begin(api->lines, request->arena, b->unit);
    if (b->batch == NULL) gm_reply_failure(request, GM_NOMEM, NULL);
    return b->batch != NULL;
}

// Has the next slice read elsewhere. False: it is to be done here.
static bool read_ahead(gm_request *request, bulk *b)
{
    gm_str slice = gm_str_slice(b->rest, 0, SLICE);
    if (request->api->readers == NULL || b->careful > 0 || slice.len < READ_LEAST) return false;
    // A line that is cut off here belongs to the next slice.
    while (slice.len < b->rest.len && slice.len > 0 && slice.ptr[slice.len - 1] != '\n') slice.len--;
    if (slice.len < READ_LEAST) return false;
    b->slice = slice.len;
    if (!gm_line_readers_ask(request->api->readers, slice, b->unit, on_read, request, &b->reading)) return false;
    gm_request_hold(request);
    return true;
}

// The next slice, however it is done. GM_LIMIT: come back.
static gm_status take_slice(bulk *b, gm_error *err)
{
    size_t    taken, before = b->rest.len;
    gm_status st;
    if (b->reading != NULL) {
        gm_line_reader *reader = gm_line_reading_of(b->reading, &taken);
        st = taken > 0 ? gm_lines_take_tables(b->batch, reader, taken, &b->rest, err) : GM_CONFLICT;
        if (st == GM_LIMIT) return st;
        gm_line_readers_give_back(b->reading);
        b->reading = NULL;
        // What the reader left, or what is not what it looks like.
        b->careful = b->slice - (before - b->rest.len);
        return st == GM_CONFLICT ? GM_OK : st;
    }
    st          = gm_lines_take(b->batch, &b->rest, b->careful > 0 ? b->careful : SLICE, err);
    taken       = before - b->rest.len;
    b->careful -= taken < b->careful ? taken : b->careful;
    return st;
}

static void finish_lines(gm_request *request, bulk *b)
{
    gm_error  err;
    gm_ask    ask = gm_request_ask(request, on_lines_durable);
    gm_status st  = gm_lines_finish(b->batch, ask, &b->asked, &err);
    gm_request_submitted(request, st, &err);
    if (st != GM_OK || b->asked) return;
    request->pending--;  // nothing was written, so nobody will answer
    request->state = GM_REQUEST_HANDLING;
    reply(request);
}

static void write_lines(gm_request *request, dialect d)
{
    gm_error err;
    if (request->note == NULL && !begin_lines(request, d)) return;
    bulk *b = request->note;
    if (b->reading == NULL && read_ahead(request, b)) return;
    gm_status st = take_slice(b, &err);
    if (st == GM_LIMIT) {
        gm_request_retry(request);
    } else if (st != GM_OK) {
        gm_reply_failure(request, st, &err);
    } else if (b->rest.len > 0) {
        if (b->careful > 0 || !read_ahead(request, b)) gm_request_soon(request);
    } else {
        finish_lines(request, b);
    }
}

void gm_route_write(gm_request *request) { write_lines(request, DIALECT_V1); }
void gm_route_write_v2(gm_request *request) { write_lines(request, DIALECT_V2); }

// What Influx clients ask first.
void gm_route_ping(gm_request *request)
{
    gm_reply_header(request, "X-Influxdb-Version", "1.8.10");
    gm_reply_header(request, "X-Influxdb-Build", "gemel");
    gm_reply_empty(request, 204);
}

void gm_route_influx_health(gm_request *request)
{
    gm_buf_text(&request->out, "{\"name\":\"influxdb\",\"message\":\"ready for queries and writes\",\"status\":\"pass\",\"checks\":[],"
                               "\"version\":\"1.8.10\"}");
    gm_reply_json(request, 200);
}

// ---- newline JSON -------------------------------------------------------------------------------------------------
// {"$twin":"pump7", ...} is telemetry of that twin; {"topic":"plant/a","payload":...} a message as if it had come by MQTT.
// Both are told by their first name, and what follows is handed on as it stands.
typedef struct json_line { gm_str topic, payload; gm_native_topic native; const char *fault; } json_line;

static bool take_text(gm_str *rest, gm_str *out)
{
    if (rest->len < 2 || rest->ptr[0] != '"') return false;
    size_t end = 1;
    while (end < rest->len && rest->ptr[end] != '"' && rest->ptr[end] != '\\') end++;
    if (end >= rest->len || rest->ptr[end] != '"') return false;
    *out  = gm_str_slice(*rest, 1, end);
    *rest = gm_str_trim(gm_str_slice(*rest, end + 1, rest->len));
    return true;
}

static bool take_byte(gm_str *rest, char byte)
{
    if (rest->len == 0 || rest->ptr[0] != byte) return false;
    *rest = gm_str_trim(gm_str_slice(*rest, 1, rest->len));
    return true;
}

// Writes the '{' of what is handed on over the comma before it: the body is ours.
static json_line take_json_line(gm_str line)
{
    json_line l    = { .fault = "a line is {\"$twin\":\"id\",...} or {\"topic\":\"...\",\"payload\":...}, that name first" };
    gm_str    rest = line, key, second;
    if (!take_byte(&rest, '{') || !take_text(&rest, &key) || !take_byte(&rest, ':') || !take_text(&rest, &l.topic)) return l;
    if (rest.len == 0 || (rest.ptr[0] != ',' && rest.ptr[0] != '{')) return l;  // '{': it has been here before
    if (gm_str_is(key, "$twin")) {
        *(char *)(uintptr_t)rest.ptr = '{';
        l.payload = rest;
        l.native  = (gm_native_topic){ .kind = GM_NATIVE_TELEMETRY, .twin = l.topic, .component = { "", 0 } };
        l.fault   = NULL;
    } else if (gm_str_is(key, "topic")) {
        if (!take_byte(&rest, ',')) return l;
        if (!take_text(&rest, &second) || !gm_str_is(second, "payload") || !take_byte(&rest, ':')) return l;
        if (rest.len == 0 || rest.ptr[rest.len - 1] != '}') return l;
        l.payload = gm_str_trim(gm_str_slice(rest, 0, rest.len - 1));
        l.native  = gm_topic_native(l.topic);
        l.fault   = gm_topic_name_rule(l.topic);
    }
    return l;
}

static void refuse_json(bulk *b, const char *why)
{
    if (b->rejected++ == 0) snprintf(b->first, sizeof b->first, "line %llu: %s", (unsigned long long)b->lines, why);
}

static void on_json_durable(gm_request *request) { reply(request); }

// The last message of a body is answered with GM_INVALID when it became a dead letter; for the request that is an answer
// like any other.
static void on_last(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    bulk *b = context;
    (void)token;
    bool refused = status == GM_INVALID || status == GM_CONFLICT;
    if (refused && b->inside) {
        b->answered = true;  // only counted, at once: what was sent before it may not be durable yet
        return;
    }
    b->ask.call(b->ask.context, b->ask.token, refused ? GM_OK : status, err);
}

// One line. GM_LIMIT: not taken; come back.
static gm_status send_json(gm_request *request, bulk *b, gm_str line, bool last, gm_error *err)
{
    gm_ingest *ingest = request->api->options.ingest;
    json_line  l      = take_json_line(line);
    gm_ask     ask    = { 0 };
    if (l.fault != NULL) {
        refuse_json(b, l.fault);
        return GM_OK;
    }
    if (last) {
        b->ask = gm_request_ask(request, on_json_durable);
        ask    = (gm_ask){ .call = on_last, .context = b };
    }
    uint64_t rejected = gm_ingest_statistics(ingest).rejected;
    gm_map  *map      = l.native.kind == GM_NATIVE_NONE ? gm_ingest_map_of(ingest, l.topic) : NULL;
    b->inside         = true;
    gm_status st      = GM_OK;
    if (map != NULL) st = gm_ingest_mapped(ingest, map, l.topic, l.payload, ask, err);
    else if (l.native.kind != GM_NATIVE_NONE) st = gm_ingest_message(ingest, &l.native, l.topic, l.payload, ask, err);
    else refuse_json(b, "no mapping takes this topic");
    b->inside         = false;
    bool nobody       = st != GM_OK || b->answered || (map == NULL && l.native.kind == GM_NATIVE_NONE);
    b->asked          = last && !nobody;
    if (last && nobody) {
        request->pending--;
        request->state = GM_REQUEST_HANDLING;
    }
    if (gm_ingest_statistics(ingest).rejected > rejected) refuse_json(b, "became a dead letter, which says why");
    return st;
}

// The last line was refused: what came before it is waited for with a dead letter that sums up.
static void wait_with_letter(gm_request *request, bulk *b)
{
    char      text[320];
    gm_error  err;
    snprintf(text, sizeof text, "%llu of %llu lines of a body were refused; %s", (unsigned long long)b->rejected,
             (unsigned long long)b->lines, b->first);
    gm_ask    ask = gm_request_ask(request, on_json_durable);
    gm_status st  = gm_engine_submit(request->engine, GM_CHANGE_DEAD_LETTER, 0, GM_STR("/v1/ingest"), gm_str_of(text),
                                     (gm_str){ "", 0 }, ask, &err);
    gm_request_submitted(request, st, &err);
}

void gm_route_ingest(gm_request *request)
{
    bulk     *b = request->note;
    gm_error  err;
    if (b == NULL) b = begin(request, DIALECT_JSON);
    if (b == NULL) return;
    size_t start = b->rest.len;
    gm_str line;
    while (b->rest.len > 0) {
        if (start - b->rest.len >= SLICE) {
            gm_request_soon(request);
            return;
        }
        gm_str rest = b->rest;
        (void)gm_str_next(&rest, '\n', &line);
        line = gm_str_trim(line);
        b->lines += line.len > 0;
        gm_status st = line.len > 0 ? send_json(request, b, line, gm_str_trim(rest).len == 0, &err) : GM_OK;
        if (st == GM_LIMIT) {
            b->lines--;
            gm_request_retry(request);
            return;
        }
        if (st != GM_OK) {
            gm_reply_failure(request, st, &err);
            return;
        }
        b->rest = rest;
    }
    if (b->asked) return;
    if (b->rejected > 0) wait_with_letter(request, b);
    else reply(request);
}
