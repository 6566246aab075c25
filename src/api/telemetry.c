// Telemetry over HTTP: a JSON object of values, with the time they were measured in a header.
#include "api/documents.h"
#include "api/routes.h"

// "component/name" or "name"; the result lies in the arena.
static gm_str path_of(gm_request *request, gm_str component, gm_str name)
{
    if (component.len == 0) return name;
    return gm_arena_printf(request->arena, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(component), GM_STR_ARG(name));
}

// Only what the model calls telemetry: properties have an ETag to mind and come by PATCH.
static bool is_telemetry(const gm_type *type, gm_str path)
{
    for (size_t i = 0; i < type->column_count; i++) {
        const gm_column *c = &type->columns[i];
        if (c->is_telemetry && gm_str_starts(c->path, path) &&
            (c->path.len == path.len || c->path.ptr[path.len] == '/'))
            return true;
    }
    return false;
}

static gm_status read_values(gm_request *request, const gm_type *type, gm_str component, gm_time_ns at,
                             gm_cell_write **cells, size_t *count, gm_error *err)
{
    const char *key;
    json_t     *value;
    json_object_foreach(request->json, key, value)
    {
        gm_str path = path_of(request, component, gm_str_of(key));
        if (path.ptr == NULL) return gm_fail(err, GM_NOMEM, "api.telemetry", "reading telemetry");
        if (!is_telemetry(type, path)) {
            return gm_fail(err, GM_INVALID, "api.telemetry", "'" GM_STR_FMT "' is no telemetry of model " GM_STR_FMT,
                           GM_STR_ARG(gm_str_slice(path, 0, 80)), GM_STR_ARG(gm_str_slice(type->id, 0, 80)));
        }
        gm_status st = gm_document_read_value(type, path, value, at, request->arena, cells, count, err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

static bool source_time(gm_request *request, gm_time_ns *out_at)
{
    gm_str text = gm_request_header(request, "telemetry-source-time");
    if (text.ptr == NULL || text.len == 0) {
        *out_at = gm_api_now(request);
        return true;
    }
    if (gm_time_parse(text, out_at, NULL) == GM_OK) return true;
    gm_reply_error(request, 400, "InvalidArgument",
                   "The header Telemetry-Source-Time is a time such as 2026-01-01T00:00:00Z.");
    return false;
}

static json_t *object_in(gm_str text)
{
    json_t *json =
        text.len > 0 && text.ptr[0] == '{' ? json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    return json_is_object(json) ? json : (json_decref(json), NULL);
}

// Some clients send the object as a text, and version 1.1.0 of the service's own JavaScript client exchanges payload
// and message id of a component's telemetry. Either way it can be told what was meant.
static void unwrap(gm_request *request)
{
    if (!json_is_string(request->json)) return;
    json_t *object = object_in((gm_str){ json_string_value(request->json), json_string_length(request->json) });
    if (object == NULL) object = object_in(gm_request_header(request, "message-id"));
    if (object == NULL) return;
    json_decref(request->json);
    request->json = object;
}

static void after_write(gm_request *request) { gm_reply_empty(request, 204); }

static void report(gm_request *request, gm_str component)
{
    gm_time_ns at;
    if (gm_request_json(request) == NULL) return;
    unwrap(request);
    gm_twin twin = gm_api_twin(request);
    if (!gm_twin_ok(twin) || (component.len > 0 && gm_api_component(request, twin) == GM_NO_COMPONENT)) return;
    if (gm_request_header(request, "message-id").len == 0) {
        gm_reply_error(request, 400, "InvalidArgument", "The header Message-Id is required.");
        return;
    }
    if (!source_time(request, &at)) return;
    if (!json_is_object(request->json)) {
        gm_reply_error(request, 400, "ValidationFailed", "Telemetry is an object of names and values.");
        return;
    }
    gm_cell_write *cells = NULL;
    size_t         count = 0;
    gm_error       err   = { 0 };
    gm_status      st =
        read_values(request, gm_state_type(gm_api_state(request), twin), component, at, &cells, &count, &err);
    if (st != GM_OK) {
        gm_api_document_refused(request, "Invalid telemetry", st, &err);
        return;
    }
    if (count == 0) {
        gm_reply_empty(request, 204);
        return;
    }
    gm_ask ask = gm_request_ask(request, after_write);
    gm_request_submitted(request, gm_engine_write(request->engine, twin, 0, cells, count, ask, &err), &err);
}

void gm_route_telemetry(gm_request *request) { report(request, GM_STR("")); }

void gm_route_component_telemetry(gm_request *request) { report(request, request->parameters[1]); }
