// Twins as whole documents, and their components.
#include "api/condition.h"
#include "api/documents.h"
#include "api/routes.h"
#include "base/utf8.h"
#include "engine/as_of.h"
#include "state/document.h"

void gm_api_no_twin(gm_request *request, gm_str id)
{
    gm_reply_error(request, 404, "DigitalTwinNotFound",
                   "There is no digital twin instance that exists with the ID " GM_STR_FMT
                   ". Please verify that the twin id is valid and ensure that the twin is not deleted.",
                   GM_STR_ARG(id));
}

gm_twin gm_api_twin(gm_request *request)
{
    gm_twin twin = gm_api_find(request, request->parameters[0]);
    if (!gm_twin_ok(twin)) gm_api_no_twin(request, request->parameters[0]);
    return twin;
}

bool gm_api_id_fits(gm_request *request, gm_str id)
{
    bool control = false;
    for (size_t i = 0; i < id.len; i++) control = control || (unsigned char)id.ptr[i] < 0x20 || id.ptr[i] == 0x7f;
    if (id.len > 0 && !control && gm_utf8_count(id) <= GM_ID_MAX) return true;
    gm_reply_error(request, 400, "InvalidArgument", "An id has 1 to %d characters, none of them a control character.",
                   GM_ID_MAX);
    return false;
}

// A twin that is no more has no place in the graph by which a fence could tell.
static bool seen_then(const gm_request *request, const gm_twin_then *then)
{
    return gm_api_fence(request) == NULL ||
           (gm_state_exists(gm_api_state(request), then->twin) && gm_api_sees(request, then->twin));
}

static void reply_twin(gm_request *request, gm_twin twin)
{
    const gm_state   *state = gm_api_state(request);
    gm_document_notes notes = { gm_api_write_estimate, request };
    gm_document_write_twin_noted(state, twin, &notes, &request->out);
    gm_reply_etag(request, gm_state_version(state, twin));
    gm_reply_json(request, 200);
}

// ?asOf=TIME: the twin as it was. An extension; the reference knows the present only.
static void reply_twin_then(gm_request *request, gm_str time_text)
{
    gm_time_ns   time;
    gm_twin_then then;
    gm_error     err   = { 0 };
    gm_state    *past  = NULL;
    gm_str       id    = request->parameters[0];
    if (gm_time_parse(time_text, &time, NULL) != GM_OK) {
        gm_reply_error(request, 400, "InvalidArgument", "'asOf' is a time such as 2026-01-01T00:00:00Z.");
        return;
    }
    if (!gm_state_twin_at(gm_api_state(request), id, time, &then) || !seen_then(request, &then)) {
        gm_api_no_twin(request, id);
        return;
    }
    gm_status st = gm_as_of_twin(request->engine, &then, time, &past, &err);
    if (st != GM_OK) {
        gm_reply_failure(request, st, &err);
        return;
    }
    gm_document_write_twin(past, (gm_twin){ 0 }, &request->out);
    gm_state_destroy(past);
    gm_reply_json(request, 200);
}

void gm_route_twin_get(gm_request *request)
{
    gm_str as_of;
    if (!gm_request_parameter(request, "asOf", &as_of)) return;
    if (as_of.len > 0) {
        reply_twin_then(request, as_of);
        return;
    }
    gm_twin twin = gm_api_twin(request);
    if (gm_twin_ok(twin)) reply_twin(request, twin);
}

void gm_route_component_get(gm_request *request)
{
    gm_twin twin = gm_api_twin(request);
    if (!gm_twin_ok(twin)) return;
    uint32_t component = gm_api_component(request, twin);
    if (component == GM_NO_COMPONENT) return;
    const gm_state   *state = gm_api_state(request);
    gm_document_notes notes = { gm_api_write_estimate, request };
    gm_document_write_component(state, twin, component, &notes, &request->out);
    gm_reply_etag(request, gm_state_version(state, twin));
    gm_reply_json(request, 200);
}

uint32_t gm_api_component(gm_request *request, gm_twin twin)
{
    uint32_t component = gm_type_component_index(gm_state_type(gm_api_state(request), twin), request->parameters[1]);
    if (component == GM_NO_COMPONENT) {
        gm_reply_error(request, 404, "ComponentNotFound",
                       GM_STR_FMT " does not have component " GM_STR_FMT
                                  ". Please verify that the component path is correct.",
                       GM_STR_ARG(request->parameters[0]), GM_STR_ARG(request->parameters[1]));
    }
    return component;
}

// {"error":{"code":"ValidationFailed","message":"Invalid twin specified","details":[{...what is wrong...}]}}
void gm_api_invalid(gm_request *request, const char *message, const gm_error *err)
{
    gm_buf details = gm_buf_init(request->alloc);
    gm_buf_text(&details, "[{\"code\":\"ValidationFailed\",\"message\":");
    gm_buf_json_str(&details, gm_str_of(err->text));
    gm_buf_text(&details, "}]");
    gm_str text = gm_arena_printf(request->arena, "%s: %s", message, err->text);
    if (details.failed || text.ptr == NULL) gm_reply_failure(request, GM_NOMEM, NULL);
    else gm_reply_error_details(request, 400, "ValidationFailed", text, gm_buf_view(&details));
    gm_buf_finish(&details);
}

void gm_api_document_refused(gm_request *request, const char *message, gm_status status, const gm_error *err)
{
    if (status == GM_INVALID || status == GM_NOTFOUND || status == GM_LIMIT) gm_api_invalid(request, message, err);
    else gm_reply_failure(request, status, err);
}

// ---- create or replace
// -----------------------------------------------------------------------------------------------

static void after_put(gm_request *request)
{
    gm_twin twin = gm_api_find(request, request->parameters[0]);
    if (gm_twin_ok(twin)) reply_twin(request, twin);
    else gm_reply_failure(request, GM_CONFLICT, NULL);
}

void gm_api_put_twin(gm_request *request, gm_twin twin, const gm_twin_document *document, gm_request_call *then)
{
    gm_error  err = { 0 };
    gm_ask    ask = gm_request_ask(request, then);
    gm_status st  = gm_engine_twin_put(request->engine, twin, request->parameters[0], document->type, document->cells,
                                       document->count, ask, NULL, &err);
    gm_request_submitted(request, st, &err);
}

bool gm_api_twin_in_flight(const gm_request *request, gm_str id)
{
    bool conditional =
        gm_request_header(request, "if-match").len > 0 || gm_request_header(request, "if-none-match").len > 0;
    unsigned kinds       = GM_IN_FLIGHT_TWIN | (conditional ? GM_IN_FLIGHT_PROPERTIES : 0);
    return gm_engine_in_flight(request->engine, kinds, id) ||
           gm_engine_in_flight(request->engine, GM_IN_FLIGHT_TWIN, GM_STR(""));
}

bool gm_api_type_usable(gm_request *request, const gm_type *type)
{
    if (!type->decommissioned) return true;
    gm_reply_error(request, 400, "ModelDecommissioned",
                   "The model " GM_STR_FMT " for the digital twin is decommissioned.", GM_STR_ARG(type->id));
    return false;
}

void gm_route_twin_put(gm_request *request)
{
    gm_str  id   = request->parameters[0];
    json_t *body = gm_request_json(request);
    if (body == NULL || !gm_api_id_fits(request, id)) return;
    const gm_state *state = gm_api_state(request);
    gm_twin         twin  = gm_state_find(state, id);
    if (!gm_condition_holds(request, gm_twin_ok(twin) ? gm_state_version(state, twin) : GM_NO_VERSION, "twin", id))
        return;
    // What is checked from here on must not be changed by what is in flight.
    if (gm_api_twin_in_flight(request, id)) {
        gm_request_retry(request);
        return;
    }

    gm_twin_document document;
    gm_error         err = { 0 };
    gm_status        st =
        gm_document_read_twin(gm_api_model(request), body, gm_api_now(request), request->arena, &document, &err);
    if (st != GM_OK) {
        gm_api_document_refused(request, "Invalid twin specified", st, &err);
        return;
    }
    bool same_type = gm_twin_ok(twin) && gm_state_type(state, twin) == document.type;
    if (!same_type && !gm_api_type_usable(request, document.type)) return;
    gm_api_put_twin(request, twin, &document, after_put);
}

// ---- delete
// ------------------------------------------------------------------------------------------------------------

static void after_delete(gm_request *request) { gm_reply_empty(request, 204); }

void gm_route_twin_delete(gm_request *request)
{
    gm_twin twin = gm_api_twin(request);
    if (!gm_twin_ok(twin)) return;
    const gm_state *state = gm_api_state(request);
    if (!gm_condition_holds(request, gm_state_version(state, twin), "twin", request->parameters[0])) return;
    if (gm_api_twin_in_flight(request, request->parameters[0]) ||
        gm_engine_in_flight(request->engine, GM_IN_FLIGHT_RELATIONSHIPS, request->parameters[0])) {
        gm_request_retry(request);
        return;
    }
    if (gm_edge_ok(gm_state_first_out(state, twin)) || gm_edge_ok(gm_state_first_in(state, twin))) {
        gm_reply_error(request, 400, "RelationshipsNotDeleted",
                       "The digital twin " GM_STR_FMT
                       " contains relationships. Delete them, incoming and outgoing, and try again.",
                       GM_STR_ARG(request->parameters[0]));
        return;
    }
    gm_error err = { 0 };
    gm_ask   ask = gm_request_ask(request, after_delete);
    gm_request_submitted(request, gm_engine_twin_delete(request->engine, twin, ask, &err), &err);
}
