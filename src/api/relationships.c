// Relationships between twins: documents, patches, lists in both directions.
#include "api/condition.h"
#include "api/documents.h"
#include "api/json_patch.h"
#include "api/paging.h"
#include "api/routes.h"

#include "base/percent.h"

enum { PAGE_MAX = 1000, PAGE = 100 };

// ---- one relationship
// --------------------------------------------------------------------------------------------------

static gm_edge find_edge(gm_request *request, gm_twin source)
{
    const gm_state *state = gm_api_state(request);
    gm_edge         edge  = gm_state_find_relationship(state, source, request->parameters[1]);
    if (gm_edge_ok(edge) && !gm_fence_shows_edge(gm_api_fence(request), state, edge)) edge = (gm_edge){ GM_NONE };
    if (!gm_edge_ok(edge)) {
        gm_reply_error(
            request, 404, "RelationshipNotFound",
            "Relationship " GM_STR_FMT " not found on twin " GM_STR_FMT
            ". Please verify that the relationship id is valid and ensure that the relationship is not deleted.",
            GM_STR_ARG(request->parameters[1]), GM_STR_ARG(request->parameters[0]));
    }
    return edge;
}

static void reply_edge(gm_request *request, gm_edge edge)
{
    gm_document_write_relationship(gm_api_state(request), edge, &request->out);
    gm_reply_etag(request, gm_state_relationship(gm_api_state(request), edge).version);
    gm_reply_json(request, 200);
}

void gm_route_relationship_get(gm_request *request)
{
    gm_twin source = gm_api_twin(request);
    if (!gm_twin_ok(source)) return;
    gm_edge edge = find_edge(request, source);
    if (gm_edge_ok(edge)) reply_edge(request, edge);
}

static gm_edge committed_edge(gm_request *request)
{
    const gm_state *state  = gm_api_state(request);
    gm_twin         source = gm_api_find(request, request->parameters[0]);
    if (!gm_twin_ok(source)) return (gm_edge){ GM_NONE };
    return gm_state_find_relationship(state, source, request->parameters[1]);
}

static void after_put(gm_request *request)
{
    gm_edge edge = committed_edge(request);
    if (gm_edge_ok(edge)) reply_edge(request, edge);
    else gm_reply_failure(request, GM_CONFLICT, NULL);
}

bool gm_api_target_fits(gm_request *request, gm_twin source, gm_twin target, gm_str name, gm_error *err)
{
    const gm_state             *state    = gm_api_state(request);
    const gm_relationship_type *declared = gm_type_relationship(gm_state_type(state, source), name);
    if (declared == NULL || declared->target.len == 0) return true;
    const gm_type *wanted = gm_model_find(gm_api_model(request), declared->target);
    const gm_type *found  = gm_state_type(state, target);
    // A model may name a target that was never added; then only an exact match of names can be asked for.
    if (wanted != NULL ? gm_type_is(found, wanted) : gm_str_eq(found->id, declared->target)) return true;
    (void)!gm_fail(err, GM_INVALID, "api.relationships", "the target of '" GM_STR_FMT "' must be a " GM_STR_FMT ", and " GM_STR_FMT " is a " GM_STR_FMT, GM_STR_ARG(gm_str_slice(name, 0, 60)),
                   GM_STR_ARG(declared->target), GM_STR_ARG(gm_str_slice(gm_state_id(state, target), 0, 60)), GM_STR_ARG(found->id));
    return false;
}

static void submit(gm_request *request, gm_twin source, gm_twin target, gm_str name, gm_str properties,
                   gm_request_call *then)
{
    gm_error err = { 0 };
    gm_ask   ask = gm_request_ask(request, then);
    gm_request_submitted(request,
                         gm_engine_relationship_put(request->engine, source, target, request->parameters[1], name,
                                                    properties, ask, &err),
                         &err);
}

// Changes of the ends or of this very relationship. Others of the same twins need not be waited for.
static bool in_flight(gm_request *request, gm_str target)
{
    const gm_engine *engine = request->engine;
    return gm_engine_in_flight(engine, GM_IN_FLIGHT_TWIN, request->parameters[0]) ||
           gm_engine_in_flight(engine, GM_IN_FLIGHT_TWIN, target) ||
           gm_engine_in_flight(engine, GM_IN_FLIGHT_TWIN, GM_STR("")) ||
           gm_engine_relationship_in_flight(engine, request->parameters[0], request->parameters[1]);
}

static gm_str body_text(const json_t *body, const char *key)
{
    const json_t *text = json_object_get(body, key);
    return (gm_str){ json_string_value(text), json_string_length(text) };
}

void gm_route_relationship_put(gm_request *request)
{
    json_t *body = gm_request_json(request);
    if (body == NULL || !gm_api_id_fits(request, request->parameters[1])) return;
    gm_str target_id = body_text(body, "$targetId");
    if (in_flight(request, target_id)) {
        gm_request_retry(request);
        return;
    }
    gm_twin source = gm_api_twin(request);
    if (!gm_twin_ok(source)) return;
    const gm_state *state = gm_api_state(request);
    gm_edge         edge  = gm_state_find_relationship(state, source, request->parameters[1]);
    if (gm_edge_ok(edge) && !gm_fence_shows_edge(gm_api_fence(request), state, edge)) {
        gm_reply_error(request, 403, "AuthorizationFailed", "This id is not free for a relationship of this twin.");
        return;
    }
    uint64_t        version = gm_edge_ok(edge) ? gm_state_relationship(state, edge).version : GM_NO_VERSION;
    if (!gm_condition_holds(request, version, "relationship", request->parameters[1])) return;

    gm_relationship_document document;
    gm_error                 err = { 0 };
    gm_status st = gm_document_read_relationship(gm_state_type(state, source), body, request->arena, &document, &err);
    if (st != GM_OK) {
        gm_api_document_refused(request, "Invalid relationship specified", st, &err);
        return;
    }
    gm_twin target = gm_api_find(request, document.target_id);
    if (!gm_twin_ok(target)) {
        gm_reply_error(request, 404, "TargetDigitalTwinNotFound",
                       "The target digital twin is invalid or does not exist: " GM_STR_FMT
                       ". Please validate that the target twin is not deleted.",
                       GM_STR_ARG(gm_str_slice(document.target_id, 0, 200)));
        return;
    }
    if (target.v == source.v) {
        gm_reply_error(request, 400, "OperationNotAllowed",
                       "The relationship cannot connect to the same digital twin.");
        return;
    }
    if (!gm_api_target_fits(request, source, target, document.name, &err)) {
        gm_reply_error(request, 400, "ValidationFailed", "Twin relationship does not align with the model: %s.", err.text);
        return;
    }
    submit(request, source, target, document.name, document.properties, after_put);
}

static void after_delete(gm_request *request) { gm_reply_empty(request, 204); }

void gm_route_relationship_delete(gm_request *request)
{
    if (in_flight(request, request->parameters[0])) {
        gm_request_retry(request);
        return;
    }
    gm_twin source = gm_api_twin(request);
    if (!gm_twin_ok(source)) return;
    gm_edge edge = find_edge(request, source);
    if (!gm_edge_ok(edge)) return;
    if (!gm_condition_holds(request, gm_state_relationship(gm_api_state(request), edge).version, "relationship",
                            request->parameters[1]))
        return;
    gm_error err = { 0 };
    gm_ask   ask = gm_request_ask(request, after_delete);
    gm_request_submitted(
        request, gm_engine_relationship_delete(request->engine, source, request->parameters[1], ask, &err), &err);
}

// ---- patch
// ---------------------------------------------------------------------------------------------------------------

static void after_patch(gm_request *request)
{
    gm_edge edge = committed_edge(request);
    if (gm_edge_ok(edge)) gm_reply_etag(request, gm_state_relationship(gm_api_state(request), edge).version);
    gm_reply_empty(request, 204);
}

static void reply_patch_invalid(gm_request *request, const char *text)
{
    gm_reply_error(request, 400, "JsonPatchInvalid", "%s. Please provide a valid patch document.", text);
}

// The properties with the patch applied, checked as a PUT of the whole relationship would be.
static gm_status patched(gm_request *request, const gm_relationship *now, const gm_patch *patch,
                         gm_relationship_document *out, gm_error *err)
{
    const gm_state *state    = gm_api_state(request);
    json_t         *document = json_loadb(now->properties.ptr, now->properties.len, 0, NULL);
    gm_status st = document != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "api.relationships", "patching a relationship");
    if (st == GM_OK) {
        st = gm_patch_apply(document, patch, err);
        if (st == GM_INVALID) st = GM_CONFLICT;  // the patch is wrong, not the relationship
    }
    gm_str target = gm_state_id(state, now->target);
    if (st == GM_OK &&
        (json_object_set_new(document, "$relationshipName", json_stringn(now->name.ptr, now->name.len)) != 0 ||
         json_object_set_new(document, "$targetId", json_stringn(target.ptr, target.len)) != 0)) {
        st = gm_fail(err, GM_NOMEM, "api.relationships", "patching a relationship");
    }
    if (st == GM_OK)
        st = gm_document_read_relationship(gm_state_type(state, now->source), document, request->arena, out, err);
    json_decref(document);
    return st;
}

void gm_route_relationship_patch(gm_request *request)
{
    json_t *body = gm_request_json(request);
    if (body == NULL) return;
    if (in_flight(request, request->parameters[0])) {
        gm_request_retry(request);
        return;
    }
    gm_twin source = gm_api_twin(request);
    if (!gm_twin_ok(source)) return;
    gm_edge edge = find_edge(request, source);
    if (!gm_edge_ok(edge)) return;
    gm_relationship now = gm_state_relationship(gm_api_state(request), edge);
    if (!gm_condition_holds(request, now.version, "relationship", request->parameters[1])) return;

    gm_patch  patch;
    gm_error  err = { 0 };
    gm_status st  = gm_patch_read(request->arena, body, &patch, &err);
    for (size_t i = 0; st == GM_OK && i < patch.count; i++) {
        if (patch.steps[i].path.count > 0 && gm_str_starts(patch.steps[i].path.parts[0], GM_STR("$"))) {
            st = gm_fail(&err, GM_INVALID, "api.relationships",
                         "Only the properties of a relationship can be patched, not " GM_STR_FMT,
                         GM_STR_ARG(gm_str_slice(patch.steps[i].path.text, 0, 80)));
        }
    }
    if (st == GM_INVALID) {
        reply_patch_invalid(request, err.text);
        return;
    }
    gm_relationship_document document;
    if (st == GM_OK) st = patched(request, &now, &patch, &document, &err);
    if (st == GM_CONFLICT) reply_patch_invalid(request, err.text);
    else if (st != GM_OK) gm_api_document_refused(request, "Invalid relationship specified", st, &err);
    else submit(request, source, now.target, document.name, document.properties, after_patch);
}

// ---- lists
// ---------------------------------------------------------------------------------------------------------------

static void write_incoming(gm_request *request, gm_edge edge)
{
    const gm_state *state  = gm_api_state(request);
    gm_relationship r      = gm_state_relationship(state, edge);
    gm_str          source = gm_state_id(state, r.source);
    gm_buf          link   = gm_buf_init(request->alloc);
    gm_buf_text(&link, "/digitaltwins/");
    gm_percent_encode(&link, source);
    gm_buf_text(&link, "/relationships/");
    gm_percent_encode(&link, r.id);
    gm_buf *out = &request->out;
    gm_buf_text(out, "{\"$relationshipId\":");
    gm_buf_json_str(out, r.id);
    gm_buf_text(out, ",\"$sourceId\":");
    gm_buf_json_str(out, source);
    gm_buf_text(out, ",\"$relationshipName\":");
    gm_buf_json_str(out, r.name);
    gm_buf_text(out, ",\"$relationshipLink\":");
    gm_buf_json_str(out, gm_buf_view(&link));
    gm_buf_byte(out, '}');
    if (link.failed) out->failed = true;
    gm_buf_finish(&link);
}

static gm_edge first_edge(const gm_state *state, gm_twin twin, bool incoming)
{
    return incoming ? gm_state_first_in(state, twin) : gm_state_first_out(state, twin);
}

static gm_edge next_edge(const gm_state *state, gm_edge edge, bool incoming)
{
    return incoming ? gm_state_next_in(state, edge) : gm_state_next_out(state, edge);
}

// Where a page begins: the token names the relationship itself, so that a page costs what the page costs. When that one
// was deleted meanwhile, its place in the list is counted from the front.
static gm_edge page_start(const gm_state *state, gm_twin twin, bool incoming, uint64_t position)
{
    gm_edge edge;
    if (position > 0 && gm_state_edge_at(state, (uint32_t)(position >> 32), &edge)) {
        gm_twin end = incoming ? gm_state_edge_target(state, edge) : gm_state_edge_source(state, edge);
        if (end.v == twin.v) return edge;
    }
    edge = first_edge(state, twin, incoming);
    for (uint32_t i = 0; gm_edge_ok(edge) && i < (uint32_t)position; i++) edge = next_edge(state, edge, incoming);
    return edge;
}

// ?asOf=TIME: the relationships that were, in one page.
typedef struct listing_then { gm_request *request; gm_str name; uint32_t written; } listing_then;

static bool write_then(void *context, const gm_relationship_then *then)
{
    listing_then          *l = context;
    const gm_relationship *r = &then->relationship;
    const gm_state        *state = gm_api_state(l->request);
    bool seen = gm_state_exists(state, r->target) && gm_state_exists(state, r->source) && gm_api_sees(l->request, r->target) &&
                gm_api_sees(l->request, r->source);
    if (l->name.len > 0 && !gm_str_eq(l->name, r->name)) return true;
    if (gm_api_fence(l->request) != NULL && !seen) return true;
    gm_buf *out = &l->request->out;
    gm_buf_text(out, l->written++ > 0 ? ",{\"$relationshipId\":" : "{\"$relationshipId\":");
    gm_buf_json_str(out, r->id);
    gm_buf_text(out, ",\"$sourceId\":");
    gm_buf_json_str(out, gm_state_id_then(state, r->source));
    gm_buf_text(out, ",\"$targetId\":");
    gm_buf_json_str(out, gm_state_id_then(state, r->target));
    gm_buf_text(out, ",\"$relationshipName\":");
    gm_buf_json_str(out, r->name);
    if (r->properties.len > 2) {
        gm_buf_byte(out, ',');
        gm_buf_str(out, gm_str_slice(r->properties, 1, r->properties.len - 1));
    }
    gm_buf_byte(out, '}');
    return !out->failed;
}

static void list_then(gm_request *request, bool incoming, gm_str time_text)
{
    gm_time_ns   time;
    gm_twin_then then;
    listing_then l = { .request = request };
    if (!gm_request_parameter(request, "relationshipName", &l.name)) return;
    if (gm_time_parse(time_text, &time, NULL) != GM_OK) {
        gm_reply_error(request, 400, "InvalidArgument", "'asOf' is a time such as 2026-01-01T00:00:00Z.");
        return;
    }
    gm_str id = request->parameters[0];
    if (!gm_state_twin_at(gm_api_state(request), id, time, &then) ||
        (gm_api_fence(request) != NULL && !(gm_state_exists(gm_api_state(request), then.twin) && gm_api_sees(request, then.twin)))) {
        gm_api_no_twin(request, id);
        return;
    }
    gm_buf_text(&request->out, "{\"value\":[");
    gm_state_relationships_at(gm_api_state(request), then.twin, incoming ? GM_SIDE_IN : GM_SIDE_OUT, time, write_then, &l);
    gm_buf_text(&request->out, "]}");
    gm_reply_json(request, 200);
}

static void list(gm_request *request, bool incoming)
{
    gm_str as_of;
    if (!gm_request_parameter(request, "asOf", &as_of)) return;
    if (as_of.len > 0) {
        list_then(request, incoming, as_of);
        return;
    }
    gm_twin twin = gm_api_twin(request);
    if (!gm_twin_ok(twin)) return;
    gm_str   name;
    uint32_t size;
    uint64_t position;
    gm_str   what = gm_arena_printf(request->arena, "%s %u", incoming ? "in" : "out", twin.v);
    if (!gm_request_parameter(request, "relationshipName", &name) ||
        !gm_request_page_size(request, PAGE_MAX, PAGE, &size) || !gm_page_position(request, what, &position))
        return;
    const gm_state *state  = gm_api_state(request);
    uint32_t        number = name.len > 0 ? gm_state_name_number(state, name) : 0, written = 0, at = (uint32_t)position;
    gm_edge         edge   = page_start(state, twin, incoming, position);
    gm_buf_text(&request->out, "{\"value\":[");
    for (; gm_edge_ok(edge); edge = next_edge(state, edge, incoming), at++) {
        if (name.len > 0 && gm_state_edge_name(state, edge) != number) continue;
        if (!gm_fence_shows_edge(gm_api_fence(request), state, edge)) continue;
        if (written == size) break;
        if (written++ > 0) gm_buf_byte(&request->out, ',');
        if (incoming) write_incoming(request, edge);
        else gm_document_write_relationship(state, edge, &request->out);
    }
    gm_buf_byte(&request->out, ']');
    if (gm_edge_ok(edge)) gm_page_next(request, what, (uint64_t)edge.v << 32 | at);
    gm_buf_byte(&request->out, '}');
    gm_reply_json(request, 200);
}

void gm_route_relationships_list(gm_request *request) { list(request, false); }

void gm_route_incoming_list(gm_request *request) { list(request, true); }
