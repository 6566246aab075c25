#include "api/indexes.h"

#include "api/routes.h"
#include "base/bytes.h"

typedef struct wish { char *path; size_t len; gm_index_order order; } wish;

struct gm_indexes {
    const gm_alloc *alloc;
    gm_engine      *engine;
    wish           *wishes;    // of records
    size_t          count, capacity;
    bool            begun;
};

static const char *const order_names[] = { "ordered", "hash" };

static size_t find(const gm_indexes *x, gm_str path)
{
    size_t i = 0;
    while (i < x->count && !gm_str_eq((gm_str){ x->wishes[i].path, x->wishes[i].len }, path)) i++;
    return i;
}

static gm_status put(gm_indexes *x, gm_str path, gm_index_order order, gm_error *err)
{
    size_t at = find(x, path);
    if (at == x->count) {
        if (!gm_alloc_reserve(x->alloc, &x->wishes, &x->capacity, x->count + 1, sizeof *x->wishes)) return gm_fail(err, GM_NOMEM, "api.indexes", "keeping an index");
        char *copy = gm_alloc_bytes(x->alloc, path.len + 1);
        if (copy == NULL) return gm_fail(err, GM_NOMEM, "api.indexes", "keeping an index");
        memcpy(copy, path.ptr, path.len);
        x->wishes[x->count++] = (wish){ .path = copy, .len = path.len };
    }
    x->wishes[at].order = order;
    return GM_OK;
}

static void drop(gm_indexes *x, size_t at)
{
    gm_free(x->alloc, x->wishes[at].path);
    memmove(&x->wishes[at], &x->wishes[at + 1], (--x->count - at) * sizeof *x->wishes);
}

static gm_status fold(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    (void)record;
    gm_indexes    *x     = context;
    gm_index_order order = gm_str_is(change->name, order_names[GM_INDEX_HASHED]) ? GM_INDEX_HASHED : GM_INDEX_ORDERED;
    if (change->name.len > 0) {
        gm_status st = put(x, change->id, order, err);
        gm_error  ignored;  // without memory for it queries scan, which is slower and as right
        if (st == GM_OK && x->begun) (void)!gm_engine_index_add(x->engine, change->id, order, &ignored);
        return st;
    }
    size_t at = find(x, change->id);
    if (at < x->count) drop(x, at);
    if (x->begun) gm_engine_index_drop(x->engine, change->id);
    return GM_OK;
}

static void save(void *context, gm_buf *out)
{
    const gm_indexes *x = context;
    for (size_t i = 0; i < x->count; i++) {
        gm_buf_varint(out, x->wishes[i].order);
        gm_buf_text_of(out, (gm_str){ x->wishes[i].path, x->wishes[i].len });
    }
}

static gm_status load(void *context, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_indexes *x  = context;
    gm_bytes    in = { .at = bytes, .end = bytes + size };
    while (x->count > 0) drop(x, x->count - 1);
    while (!in.bad && gm_bytes_left(&in) > 0) {
        uint64_t order = gm_bytes_varint(&in);
        gm_str   path  = gm_bytes_text(&in);
        if (in.bad) break;
        gm_status st = put(x, path, order == GM_INDEX_HASHED ? GM_INDEX_HASHED : GM_INDEX_ORDERED, err);
        if (st != GM_OK) return st;
    }
    return in.bad ? gm_fail(err, GM_CORRUPT, "api.indexes", "the indexes end in the middle") : GM_OK;
}

gm_status gm_indexes_create(const gm_alloc *alloc, gm_engine *engine, gm_indexes **out, gm_error *err)
{
    *out = gm_alloc_zeroed(alloc, sizeof **out);
    if (*out == NULL) return gm_fail(err, GM_NOMEM, "api.indexes", "starting");
    (*out)->alloc  = alloc;
    (*out)->engine = engine;
    gm_engine_fold(engine, GM_CHANGE_INDEX, fold, *out);
    gm_engine_keep(engine, &(gm_keeper){ "indexes", *out, save, load });
    return GM_OK;
}

gm_status gm_indexes_begin(gm_indexes *x, const gm_index_wish *own, size_t n, gm_error *err)
{
    gm_status st = GM_OK;
    if (x->begun) return st;
    x->begun = true;
    for (size_t i = 0; st == GM_OK && i < n; i++) st = gm_engine_index_add(x->engine, own[i].path, own[i].order, err);
    for (size_t i = 0; st == GM_OK && i < x->count; i++) {
        st = gm_engine_index_add(x->engine, (gm_str){ x->wishes[i].path, x->wishes[i].len }, x->wishes[i].order, err);
    }
    return st;
}

void gm_indexes_destroy(gm_indexes *x)
{
    if (x == NULL) return;
    while (x->count > 0) drop(x, x->count - 1);
    gm_free(x->alloc, x->wishes);
    gm_free(x->alloc, x);
}

bool gm_indexes_asked_for(const gm_indexes *x, gm_str path) { return find(x, path) < x->count; }

// ---- routes ---------------------------------------------------------------------------------------------------------

static void write_index(const gm_request *request, gm_index_info info, gm_buf *out)
{
    gm_buf_text(out, "{\"property\":");
    gm_buf_json_str(out, info.path);
    gm_buf_printf(out, ",\"kind\":\"%s\",\"entries\":%zu,\"from\":\"%s\"}", order_names[info.order], info.entries,
                  gm_indexes_asked_for(request->api->indexes, info.path) ? "api" : "gemel.conf");
}

void gm_route_indexes_list(gm_request *request)
{
    const gm_state *state = gm_api_state(request);
    gm_buf_text(&request->out, "{\"value\":[");
    for (size_t i = 0; i < gm_state_index_count(state); i++) {
        if (i > 0) gm_buf_byte(&request->out, ',');
        write_index(request, gm_state_index_at(state, i), &request->out);
    }
    gm_buf_text(&request->out, "]}");
    gm_reply_json(request, 200);
}

static bool has_index(const gm_state *state, gm_str path)
{
    for (size_t i = 0; i < gm_state_index_count(state); i++) {
        if (gm_str_eq(gm_state_index_at(state, i).path, path)) return true;
    }
    return false;
}

static void after_change(gm_request *request) { gm_reply_empty(request, 204); }

static void submit(gm_request *request, gm_str name)
{
    gm_error err = { 0 };
    gm_str   none = { 0 };
    gm_ask   ask = gm_request_ask(request, after_change);
    gm_request_submitted(request, gm_engine_submit(request->engine, GM_CHANGE_INDEX, 0, request->parameters[0], name, none, ask, &err), &err);
}

void gm_route_index_put(gm_request *request)
{
    const json_t   *body  = gm_request_json(request);
    const gm_model *model = gm_api_model(request);
    gm_str          path  = request->parameters[0];
    if (body == NULL) return;
    const char *kind  = json_string_value(json_object_get(body, "kind"));
    bool        given = json_object_get(body, "kind") != NULL, known = false;
    if (given && (kind == NULL || (strcmp(kind, "ordered") != 0 && strcmp(kind, "hash") != 0))) {
        gm_reply_error(request, 400, "InvalidArgument", "kind is ordered or hash.");
        return;
    }
    for (size_t i = 0; i < gm_model_count(model) && !known; i++) {
        const gm_column *column = gm_type_column(gm_model_at(model, i), path);
        known                   = column != NULL && column->kind != GM_KIND_JSON;
    }
    if (!known) {
        gm_reply_error(request, 400, "InvalidArgument",
                       "No model has a property or telemetry " GM_STR_FMT " with a single value; a component's is written component/property.",
                       GM_STR_ARG(gm_str_slice(path, 0, 200)));
        return;
    }
    if (!has_index(gm_api_state(request), path) && gm_state_index_count(gm_api_state(request)) >= GM_STATE_INDEXES_MAX) {
        gm_reply_error(request, 400, "LimitExceeded", "There are %d indexes, as many as there may be.", GM_STATE_INDEXES_MAX);
        return;
    }
    submit(request, gm_str_of(given ? kind : "ordered"));
}

void gm_route_index_delete(gm_request *request)
{
    if (gm_indexes_asked_for(request->api->indexes, request->parameters[0])) {
        submit(request, (gm_str){ 0 });
        return;
    }
    gm_reply_error(request, 404, "IndexNotFound", "There is no index of " GM_STR_FMT " that was asked for here; those of gemel.conf are dropped there.",
                   GM_STR_ARG(gm_str_slice(request->parameters[0], 0, 200)));
}
