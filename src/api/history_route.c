// GET /v1/history: the samples of one property, all of them in pages, or at most `points` that keep the shape. DELETE: gone for
// good, of one property or of all.
#include "api/paging.h"
#include "api/rollup_sight.h"
#include "api/routes.h"
#include "state/document.h"

#include <stdio.h>

enum { PAGE = 10000, POINTS_MAX = 100000 };

typedef struct reading {
    gm_buf    *out;
    size_t     limit;  // most points to write
    size_t     written;
    gm_time_ns next;   // the first one beyond the limit
    bool       more;   // there is one
} reading;

static void write_point(gm_buf *out, size_t written, const gm_sample *sample)
{
    char text[GM_TIME_TEXT];
    gm_buf_text(out, written > 0 ? ",[\"" : "[\"");
    gm_buf_add(out, text, gm_time_format(sample->at, text));
    gm_buf_text(out, "\",");
    gm_document_write_value(sample->value, out);
    gm_buf_byte(out, ']');
}

static bool read_all(void *context, const gm_sample *sample)
{
    reading *r = context;
    if (r->written < r->limit) {
        write_point(r->out, r->written++, sample);
        return !r->out->failed;
    }
    r->next = sample->at;
    r->more = true;
    return false;
}

// ---- fewer points --------------------------------------------------------------------------------------------------

// Numbers come back from buckets as doubles: LIMIT: beyond 2^53 a whole number is shown as the nearest of them.
static gm_sample sample_of(gm_kind kind, gm_time_ns at, double x)
{
    gm_sample sample = { .at = at, .value = { .kind = kind } };
    if (kind == GM_KIND_DOUBLE) sample.value.d = x;
    else sample.value.i = (int64_t)x;
    return sample;
}

// Each bucket gives its smallest and its largest sample: a peak of one sample is still a peak on the screen. A removal is
// shown when the bucket has nothing else.
static void write_bucket(gm_buf *out, size_t *written, gm_kind kind, const gm_bucket *b)
{
    if (b->count == 0 && b->removed_at == 0) return;
    gm_sample first = { .at = b->removed_at };
    if (b->count > 0 && b->min_at <= b->max_at) first = sample_of(kind, b->min_at, b->min);
    else if (b->count > 0) first = sample_of(kind, b->max_at, b->max);
    write_point(out, (*written)++, &first);
    if (b->count == 0 || (b->min_at == b->max_at && b->min == b->max)) return;  // rolled up, two can have one time
    gm_sample second = b->min_at <= b->max_at ? sample_of(kind, b->max_at, b->max) : sample_of(kind, b->min_at, b->min);
    write_point(out, (*written)++, &second);
}

// Text has no smallest: every k-th sample is kept, and the last.
typedef struct skipping { gm_buf *out; size_t written, seen, step, total; } skipping;

static bool thin_text(void *context, const gm_sample *sample)
{
    skipping *s = context;
    if (s->seen % s->step == 0 || s->seen + 1 == s->total) write_point(s->out, s->written++, sample);
    s->seen++;
    return !s->out->failed;
}

// Whose past it is: a column's, or what was recorded of a roll-up.
typedef struct past {
    gm_twin  twin;      // GM_NONE: the plant, of a roll-up
    uint32_t column;    // of a roll-up the number of its series
    bool     rollup, text;
    gm_kind  kind;
    gm_str   path, unit;
} past;

static gm_status read_past(gm_request *request, const past *p, gm_time_ns from, gm_time_ns to, gm_history_each *each, void *context, gm_error *err)
{
    if (p->rollup) return gm_engine_own_read(request->engine, p->twin, p->column, from, to, each, context, err);
    return gm_engine_read_history(request->engine, p->twin, p->column, from, to, each, context, err);
}

// At most `points` of the `total` samples in [from, to).
static gm_status thin(gm_request *request, const past *p, gm_time_ns from, gm_time_ns to, size_t total, size_t points, gm_error *err)
{
    bool      is_text = p->text;
    gm_status st      = GM_OK;
    if (!is_text) {
        size_t     n       = points / 2, written = 0;
        gm_bucket *buckets = GM_ARENA_NEW(request->arena, gm_bucket, n);
        if (buckets == NULL) return gm_fail(err, GM_NOMEM, "api.history", "no memory for %zu points", points);
        st = p->rollup ? gm_engine_own_outline(request->engine, p->twin, p->column, from, to, n, buckets, err)
                       : gm_engine_read_outline(request->engine, p->twin, p->column, from, to, n, buckets, err);
        for (size_t i = 0; st == GM_OK && i < n; i++) write_bucket(&request->out, &written, p->kind, &buckets[i]);
        is_text = st == GM_INVALID;  // it was text once, under another model
    }
    if (!is_text) return st;
    skipping s = { .out = &request->out, .step = points > 1 ? (total + points - 2) / (points - 1) : total, .total = total };
    return read_past(request, p, from, to, thin_text, &s, err);
}

// ---- the route -----------------------------------------------------------------------------------------------------

static uint32_t find_column(gm_request *request, gm_twin twin, gm_str property)
{
    const gm_type *type   = gm_state_type(gm_api_state(request), twin);
    uint32_t       column = gm_type_column_index(type, property);
    if (column != GM_NO_COLUMN) return column;
    for (size_t i = 0; i < type->column_count; i++) {
        gm_str path = type->columns[i].path;
        if (path.len > property.len && path.ptr[property.len] == '/' && gm_str_starts(path, property)) {
            gm_reply_error(request, 404, "PropertyNotFound",
                           "'" GM_STR_FMT "' has parts; ask for one of them, such as '" GM_STR_FMT "'.",
                           GM_STR_ARG(gm_str_slice(property, 0, 200)), GM_STR_ARG(path));
            return GM_NO_COLUMN;
        }
    }
    gm_reply_error(request, 404, "PropertyNotFound",
                   "The model " GM_STR_FMT " of twin " GM_STR_FMT " has no property or telemetry '" GM_STR_FMT "'.",
                   GM_STR_ARG(type->id), GM_STR_ARG(gm_state_id(gm_api_state(request), twin)),
                   GM_STR_ARG(gm_str_slice(property, 0, 200)));
    return GM_NO_COLUMN;
}

static const gm_str ROLLUP = { "$rollup/", 8 };

// `$rollup/NAME` of a twin, or without one of the plant. What was recorded of names that are no longer declared is not told.
static bool find_rollup(gm_request *request, gm_twin twin, gm_str property, past *out)
{
    gm_rollups     *rollups = request->api->options.rollups;
    gm_str          name    = gm_str_slice(property, ROLLUP.len, property.len);
    gm_rollup_sight sight;
    size_t          i;
    if (rollups == NULL || !gm_rollups_find(rollups, name, &i)) {
        gm_reply_error(request, 404, "RollupNotFound", "there is no roll-up '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(name, 0, 80)));
        return false;
    }
    const gm_rollup_definition *d     = gm_rollups_definition(rollups, i);
    bool                        whole = d->relationship.len == 0;
    if (whole != !gm_twin_ok(twin)) {
        gm_reply_error(request, 400, whole ? "InvalidArgument" : "MissingArgument", whole ? "This roll-up is about the whole plant: no 'twin' goes with it." : "Both 'twin' and 'property' are needed.");
        return false;
    }
    gm_rollup_sight_open(&sight, request);
    bool shown = gm_rollup_sight_shows(&sight, i, twin);
    gm_rollup_sight_close(&sight);
    if (!shown) {
        gm_reply_error(request, 403, "AuthorizationFailed", "What this system amounted to is made of twins that are not yours to see, too.");
        return false;
    }
    *out = (past){ .twin = twin, .rollup = true, .path = property, .text = d->function == GM_ROLLUP_WORST, .kind = d->function == GM_ROLLUP_K_OF_N ? GM_KIND_BOOL : GM_KIND_DOUBLE };
    if (d->function <= GM_ROLLUP_WEIGHTED) out->unit = gm_rollup_symbol(d, gm_api_model(request), 0);
    if (!gm_rollups_series(rollups, name, &out->column)) out->column = UINT32_MAX - GM_OWN_SERIES;  // nothing was recorded yet
    return true;
}

static bool find_past(gm_request *request, gm_str id, gm_str property, past *out)
{
    bool    rollup = gm_str_starts(property, ROLLUP);
    gm_twin twin   = { GM_NONE };
    if (property.len == 0 || (id.len == 0 && !rollup)) {
        gm_reply_error(request, 400, "MissingArgument", "Both 'twin' and 'property' are needed.");
        return false;
    }
    if (id.len > 0) {
        twin = gm_api_find(request, id);
        if (!gm_twin_ok(twin)) {
            gm_api_no_twin(request, gm_str_slice(id, 0, 300));
            return false;
        }
    }
    if (rollup) return find_rollup(request, twin, property, out);
    uint32_t column = find_column(request, twin, property);
    if (column == GM_NO_COLUMN) return false;
    const gm_column *c = &gm_state_type(gm_api_state(request), twin)->columns[column];
    *out = (past){ .twin = twin, .column = column, .kind = c->kind, .text = c->kind == GM_KIND_STRING || c->kind == GM_KIND_JSON, .path = c->path, .unit = c->unit };
    return true;
}

static void open_answer(gm_request *request, const past *p)
{
    gm_buf *out = &request->out;
    gm_buf_text(out, "{\"twin\":");
    if (gm_twin_ok(p->twin)) gm_buf_json_str(out, gm_state_id(gm_api_state(request), p->twin));
    else gm_buf_text(out, "null");
    gm_buf_text(out, ",\"property\":");
    gm_buf_json_str(out, p->path);
    gm_buf_text(out, ",\"unit\":");
    if (p->unit.len > 0) gm_buf_json_str(out, p->unit);
    else gm_buf_text(out, "null");
    gm_buf_text(out, ",\"points\":[");
}

void gm_route_history(gm_request *request)
{
    gm_str     id, property;
    gm_time_ns from, to;
    uint64_t   points;
    past       p;
    if (!gm_request_parameter(request, "twin", &id) || !gm_request_parameter(request, "property", &property) ||
        !gm_request_time(request, "from", GM_TIME_MIN, &from) || !gm_request_time(request, "to", GM_TIME_MAX, &to) ||
        !gm_request_number(request, "points", 2, POINTS_MAX, 0, &points)) return;
    if (!find_past(request, id, property, &p)) return;
    open_answer(request, &p);

    gm_error   err   = { 0 };
    reading    all   = { .out = &request->out, .limit = points > 0 ? points : PAGE };
    uint64_t   count = 0;
    gm_time_ns first, last;
    gm_status  st = GM_OK;
    if (points > 0) st = p.rollup ? gm_engine_own_extent(request->engine, p.twin, p.column, from, to, &count, &first, &last, &err)
                                  : gm_engine_history_extent(request->engine, p.twin, p.column, from, to, &count, &first, &last, &err);
    if (st == GM_OK && count > points && points > 0) st = thin(request, &p, first, last + 1, count, points, &err);
    else if (st == GM_OK) st = read_past(request, &p, from, to, read_all, &all, &err);
    bool more = all.more;
    if (st != GM_OK) {
        gm_reply_failure(request, st, &err);
        return;
    }
    gm_buf_byte(&request->out, ']');
    if (more && points == 0) {
        char   text[GM_TIME_TEXT];
        gm_str next = { text, gm_time_format(all.next, text) };
        gm_page_next_with(request, "from", next);
    }
    gm_buf_byte(&request->out, '}');
    gm_reply_json(request, 200);
}

// ---- deletion ------------------------------------------------------------------------------------------------------

static void after_delete(gm_request *request) { gm_reply_empty(request, 204); }

// A twin that does not exist any more may still have a past.
void gm_route_history_delete(gm_request *request)
{
    gm_str  id, property;
    gm_twin was;
    if (!gm_request_parameter(request, "twin", &id) || !gm_request_parameter(request, "property", &property)) return;
    if (id.len == 0) {
        gm_reply_error(request, 400, "MissingArgument", "'twin' is needed: whose history is to be deleted.");
        return;
    }
    gm_twin twin = gm_api_find(request, id);
    if (!gm_twin_ok(twin) && !gm_state_past_twin(gm_api_state(request), id, 0, &was)) {
        gm_api_no_twin(request, gm_str_slice(id, 0, 300));
        return;
    }
    if (property.len > 0 && !gm_str_starts(property, ROLLUP) && gm_twin_ok(twin) && find_column(request, twin, property) == GM_NO_COLUMN) return;
    if (gm_str_starts(property, ROLLUP)) {
        gm_reply_error(request, 400, "InvalidArgument", "What was recorded of roll-ups is deleted with everything that was of the twin: without 'property'.");
        return;
    }
    gm_error err = { 0 };
    gm_ask   ask = gm_request_ask(request, after_delete);
    gm_request_submitted(request, gm_engine_history_delete(request->engine, id, property, ask, &err), &err);
}
