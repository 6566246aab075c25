// GET /v1/history/export: all samples of all twins that are asked for, made while they are sent: a slice of one series at a
// time, so that the engine's turns stay short whatever the length of the whole.
#include "api/routes.h"
#include "state/document.h"

#include <jansson.h>

enum { SLICE = 2000, BLOCK = 64 << 10, SCAN = 20000 };  // samples, bytes, columns a turn

typedef struct exporting {
    gm_request *request;
    bool        json;            // newline JSON, as POST /v1/ingest takes it; else CSV
    gm_str      property;        // ptr NULL: all
    uint32_t    twin, twin_end;  // numbers
    uint32_t    column;
    gm_time_ns  from, to, at;    // at: where the series goes on
    gm_buf      out;
    gm_timer   *again;
    size_t      slice;           // samples in this slice
    gm_str      id, path;        // of the series at hand
} exporting;

// ---- rows -----------------------------------------------------------------------------------------------------------
static void csv_field(gm_buf *out, gm_str text)
{
    bool plain = true;
    for (size_t i = 0; i < text.len; i++) plain &= strchr(",\"\r\n", text.ptr[i]) == NULL || text.ptr[i] == '\0';
    if (plain) {
        gm_buf_add(out, text.ptr, text.len);
        return;
    }
    gm_buf_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"') gm_buf_byte(out, '"');
        gm_buf_byte(out, (uint8_t)text.ptr[i]);
    }
    gm_buf_byte(out, '"');
}

// {"motor":{"speed":VALUE}} without the outer braces; closes what it opens.
static void nested(gm_buf *out, gm_str path, gm_value value)
{
    size_t depth = 0;
    gm_str rest = path, name;
    while (gm_str_next(&rest, '/', &name)) {
        if (depth++ > 0) gm_buf_byte(out, '{');
        gm_buf_json_str(out, name);
        gm_buf_byte(out, ':');
    }
    gm_document_write_value(value, out);
    for (; depth > 1; depth--) gm_buf_byte(out, '}');
}

static void write_row(exporting *e, const gm_sample *sample)
{
    gm_buf *out = &e->out;
    char    time[GM_TIME_TEXT];
    size_t  len = gm_time_format(sample->at, time);
    if (e->json) {
        if (sample->value.kind == GM_KIND_NONE) return;  // there is no message that takes a value away
        gm_buf_text(out, "{\"$twin\":");
        gm_buf_json_str(out, e->id);
        gm_buf_text(out, ",\"$time\":\"");
        gm_buf_add(out, time, len);
        gm_buf_text(out, "\",");
        nested(out, e->path, sample->value);
        gm_buf_text(out, "}\n");
        return;
    }
    gm_buf value = gm_buf_init(e->request->alloc);
    if (sample->value.kind != GM_KIND_NONE) gm_document_write_value(sample->value, &value);
    gm_buf_add(out, time, len);
    gm_buf_byte(out, ',');
    csv_field(out, e->id);
    gm_buf_byte(out, ',');
    csv_field(out, e->path);
    gm_buf_byte(out, ',');
    csv_field(out, gm_buf_view(&value));
    gm_buf_text(out, "\r\n");
    out->failed |= value.failed;
    gm_buf_finish(&value);
}

static bool each(void *context, const gm_sample *sample)
{
    exporting *e = context;
    e->at        = sample->at;
    if (e->slice == SLICE) return false;
    e->slice++;
    write_row(e, sample);
    return !e->out.failed;
}

// ---- series after series ----------------------------------------------------------------------------------------------
static void next_column(exporting *e)
{
    e->column++;
    e->at = e->from;
}

// A slice of the series at hand, or the step to the next one. False: history could not be read.
static bool step(exporting *e)
{
    const gm_state *state = gm_api_state(e->request);
    gm_twin         twin  = { e->twin };
    const gm_type  *type  = gm_state_exists(state, twin) && gm_api_sees(e->request, twin) ? gm_state_type(state, twin) : NULL;
    if (type == NULL || e->column >= type->column_count) {
        e->twin++;
        e->column = 0;
        e->at     = e->from;
        return true;
    }
    e->path = type->columns[e->column].path;
    e->id   = gm_state_id(state, twin);
    if (e->property.ptr != NULL && !gm_str_eq(e->property, e->path)) {
        next_column(e);
        return true;
    }
    gm_error  err;
    gm_time_ns at = e->at;
    e->slice      = 0;
    gm_status st  = gm_engine_read_history(e->request->engine, twin, e->column, at, e->to, each, e, &err);
    if (st != GM_OK || e->out.failed) return false;
    if (e->slice < SLICE || e->at == at) next_column(e);
    return true;
}

static void on_again(void *context)
{
    exporting *e = context;
    e->again     = NULL;
    gm_request_resume(e->request);
}

static int64_t read_rows(void *context, char *to, size_t max)
{
    exporting *e = context;
    gm_error   err;
    if (e->request->api == NULL) return GM_SOURCE_BROKEN;
    for (int i = 0; i < SCAN && e->out.len < BLOCK && e->twin < e->twin_end; i++) {
        if (!step(e)) return GM_SOURCE_BROKEN;
    }
    if (e->out.len == 0 && e->twin < e->twin_end) {  // nothing for long: the others have their turn
        if (e->again == NULL && gm_loop_after(e->request->api->options.loop, 0, on_again, e, &e->again, &err) != GM_OK) return GM_SOURCE_BROKEN;
        return 0;
    }
    if (e->out.len == 0) return -1;
    size_t n = e->out.len < max ? e->out.len : max;
    memcpy(to, e->out.ptr, n);
    gm_buf_drop(&e->out, n);
    return (int64_t)n;
}

static void end(void *context)
{
    exporting      *e     = context;
    const gm_alloc *alloc = e->request->alloc;
    gm_loop_cancel(e->again);
    gm_buf_finish(&e->out);
    gm_free(alloc, e);
}

void gm_route_history_export(gm_request *request)
{
    exporting e = { .request = request, .twin_end = gm_state_next_twin(gm_api_state(request)), .out = gm_buf_init(request->alloc) };
    gm_str    id, format;
    if (!gm_request_parameter(request, "twin", &id) || !gm_request_parameter(request, "property", &e.property) ||
        !gm_request_parameter(request, "format", &format) || !gm_request_time(request, "from", GM_TIME_MIN, &e.from) ||
        !gm_request_time(request, "to", GM_TIME_MAX, &e.to)) return;
    if (format.ptr != NULL && !gm_str_is(format, "csv") && !gm_str_is(format, "ndjson")) {
        gm_reply_error(request, 400, "InvalidArgument", "'format' is csv or ndjson.");
        return;
    }
    if (id.ptr != NULL) {
        gm_twin twin = gm_api_find(request, id);
        if (!gm_twin_ok(twin)) {
            gm_api_no_twin(request, gm_str_slice(id, 0, 300));
            return;
        }
        e.twin     = twin.v;
        e.twin_end = twin.v + 1;
    }
    e.at         = e.from;
    e.json       = format.ptr != NULL && gm_str_is(format, "ndjson");
    exporting *kept = gm_alloc_zeroed(request->alloc, sizeof *kept);
    if (kept == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    *kept = e;
    if (!e.json) gm_buf_text(&kept->out, "time,twin,property,value\r\n");
    gm_reply_source(request, e.json ? "application/x-ndjson" : "text/csv; charset=utf-8",
                    (gm_source){ .read = read_rows, .end = end, .context = kept });
}
