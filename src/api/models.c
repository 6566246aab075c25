// Models: adding, listing with their dependencies, decommissioning, deleting.
#include "api/documents.h"
#include "api/json_patch.h"
#include "api/paging.h"
#include "api/routes.h"

enum { PAGE_MAX = 1000, PAGE = 100, DEPENDENCIES_FOR_MAX = 1000 };

// ---- a model as the API shows it -----------------------------------------------------------------------------------

// displayName and description are language maps; a plain text in the model is English, as DTDL has it.
static void write_language_map(gm_buf *out, const char *key, const json_t *value)
{
    gm_buf_printf(out, "\"%s\":{", key);
    if (json_is_string(value)) {
        gm_buf_text(out, "\"en\":");
        gm_buf_json_str(out, (gm_str){ json_string_value(value), json_string_length(value) });
    }
    const char *language;
    json_t     *text;
    bool        first = true;
    json_object_foreach((json_t *)(uintptr_t)value, language, text)
    {
        if (!json_is_string(text)) continue;
        if (!first) gm_buf_byte(out, ',');
        first = false;
        gm_buf_json_str(out, gm_str_of(language));
        gm_buf_byte(out, ':');
        gm_buf_json_str(out, (gm_str){ json_string_value(text), json_string_length(text) });
    }
    gm_buf_text(out, "},");
}

static void write_model(gm_request *request, const gm_type *type, bool definition)
{
    gm_buf *out  = &request->out;
    json_t *text = json_loadb(type->text.ptr, type->text.len, 0, NULL);
    if (text == NULL) {
        out->failed = true;  // it was valid once: only memory can be missing
        return;
    }
    char at[GM_TIME_TEXT];
    gm_time_format(gm_uploads_at(&request->api->uploads, type), at);
    gm_buf_text(out, "{\"id\":");
    gm_buf_json_str(out, type->id);
    gm_buf_byte(out, ',');
    write_language_map(out, "description", json_object_get(text, "description"));
    write_language_map(out, "displayName", json_object_get(text, "displayName"));
    gm_buf_printf(out, "\"decommissioned\":%s,\"uploadTime\":\"%s\"", type->decommissioned ? "true" : "false", at);
    if (definition) {
        gm_buf_text(out, ",\"model\":");
        gm_buf_str(out, type->text);
    }
    gm_buf_byte(out, '}');
    json_decref(text);
}

static void no_model(gm_request *request, gm_str id)
{
    gm_reply_error(request, 404, "ModelNotFound",
                   "There is no Model(s) available that matches the provided id(s) " GM_STR_FMT
                   ". Check that the Model ID provided is valid.",
                   GM_STR_ARG(gm_str_slice(id, 0, 300)));
}

static const gm_type *find_model(gm_request *request)
{
    gm_str id = request->parameters[0];
    if (!gm_dtmi_valid(id)) {
        gm_reply_error(request, 400, "InvalidArgument",
                       "The model id " GM_STR_FMT " is no DTMI such as dtmi:example:Pump;1.",
                       GM_STR_ARG(gm_str_slice(id, 0, 300)));
        return NULL;
    }
    const gm_type *type = gm_model_find(gm_api_model(request), id);
    if (type == NULL) no_model(request, id);
    return type;
}

static bool wants_definition(gm_request *request, bool *out_wants)
{
    gm_str text;
    if (!gm_request_parameter(request, "includeModelDefinition", &text)) return false;
    *out_wants = gm_str_is(text, "true") || gm_str_is(text, "True");
    if (text.ptr == NULL || *out_wants || gm_str_is(text, "false") || gm_str_is(text, "False")) return true;
    gm_reply_error(request, 400, "InvalidArgument", "includeModelDefinition is true or false.");
    return false;
}

void gm_route_model_get(gm_request *request)
{
    bool           definition;
    const gm_type *type = find_model(request);
    if (type == NULL || !wants_definition(request, &definition)) return;
    write_model(request, type, definition);
    gm_reply_json(request, 200);
}

// ---- list
// --------------------------------------------------------------------------------------------------------------

// Marks a type and everything it needs: its bases and the types of its components.
// bases is closed over extends and components are nested at most as deep as DTDL admits, so this ends soon.
static void mark(uint8_t *marks, const gm_type *type)
{
    if (marks[type->number]) return;
    marks[type->number] = 1;
    for (size_t i = 0; i < type->base_count; i++) mark(marks, type->bases[i]);
    for (size_t i = 0; i < type->component_count; i++) mark(marks, type->components[i].type);
}

static bool mark_one(gm_request *request, gm_str id, uint8_t *marks)
{
    const gm_type *type = gm_model_find(gm_api_model(request), id);
    if (type == NULL) {
        no_model(request, id);
        return false;
    }
    mark(marks, type);
    return true;
}

// dependenciesFor: DTMIs with commas between, or the parameter several times. *out_marks is NULL when all are wanted.
static bool read_dependencies(gm_request *request, uint8_t **out_marks)
{
    const gm_model *model = gm_api_model(request);
    size_t          limit = 0, at = 0, n = 0;
    gm_str          list, id;
    *out_marks = NULL;
    for (size_t i = 0; i < gm_model_count(model); i++) {
        if (gm_model_at(model, i)->number >= limit) limit = gm_model_at(model, i)->number + 1;
    }
    for (;;) {
        if (!gm_request_next_parameter(request, "dependenciesFor", &at, &list)) return false;
        if (list.ptr == NULL) return true;
        if (list.len == 0) continue;  // a client with an empty list asks for all
        if (*out_marks == NULL) *out_marks = gm_arena_zeroed(request->arena, limit + 1, 1);
        if (*out_marks == NULL) {
            gm_reply_failure(request, GM_NOMEM, NULL);
            return false;
        }
        while (gm_str_next(&list, ',', &id)) {
            if (++n > DEPENDENCIES_FOR_MAX) {
                gm_reply_error(request, 400, "LimitExceeded",
                               "The maximum number of model ids allowed in 'dependenciesFor' has been reached.");
                return false;
            }
            if (id.len > 0 && !mark_one(request, id, *out_marks)) return false;
        }
    }
}

void gm_route_models_list(gm_request *request)
{
    uint32_t size;
    uint64_t position;
    uint8_t *marks;
    bool     definition;
    if (!gm_request_page_size(request, PAGE_MAX, PAGE, &size) || !wants_definition(request, &definition) ||
        !gm_page_position(request, GM_STR("models"), &position) || !read_dependencies(request, &marks)) return;
    // The position is the number of the next type: numbers only grow, so a page neither skips nor repeats.
    const gm_model *model   = gm_api_model(request);
    uint32_t        written = 0;
    uint64_t        next    = 0;
    gm_buf_text(&request->out, "{\"value\":[");
    for (size_t i = 0; i < gm_model_count(model); i++) {
        const gm_type *type = gm_model_at(model, i);
        if (type->number < position || (marks != NULL && !marks[type->number])) continue;
        if (written == size) {
            next = type->number;
            break;
        }
        if (written++ > 0) gm_buf_byte(&request->out, ',');
        write_model(request, type, definition);
    }
    gm_buf_byte(&request->out, ']');
    if (next > 0) gm_page_next(request, GM_STR("models"), next);
    gm_buf_byte(&request->out, '}');
    gm_reply_json(request, 200);
}

// ---- add
// ---------------------------------------------------------------------------------------------------------------

static void reply_findings(gm_request *request, const gm_findings *found)
{
    enum { SHOWN = 200 };
    gm_buf details = gm_buf_init(request->alloc);
    gm_buf_byte(&details, '[');
    for (size_t i = 0; i < found->count && i < SHOWN; i++) {
        const gm_finding *f = &found->items[i];
        gm_buf_text(&details, i > 0 ? ",{\"code\":" : "{\"code\":");
        gm_buf_json_str(&details, f->rule.len > 0 ? f->rule : GM_STR("DTDLParserError"));
        gm_buf_text(&details, ",\"message\":");
        gm_str text = gm_arena_printf(request->arena, GM_STR_FMT "%s" GM_STR_FMT "%s" GM_STR_FMT, GM_STR_ARG(f->dtmi),
                                      f->pointer.len > 0 ? " at " : "", GM_STR_ARG(f->pointer),
                                      f->dtmi.len + f->pointer.len > 0 ? ": " : "", GM_STR_ARG(f->text));
        if (text.ptr == NULL) details.failed = true;
        else gm_buf_json_str(&details, text);
        gm_buf_byte(&details, '}');
    }
    gm_buf_byte(&details, ']');
    gm_str message = gm_arena_printf(
        request->arena, "The models provided are not valid DTDL: %zu thing%s wrong. First: " GM_STR_FMT, found->count,
        found->count == 1 ? " is" : "s are", GM_STR_ARG(found->count > 0 ? found->items[0].text : GM_STR("")));
    if (details.failed || message.ptr == NULL) gm_reply_failure(request, GM_NOMEM, NULL);
    else gm_reply_error_details(request, 400, "DTDLParserError", message, gm_buf_view(&details));
    gm_buf_finish(&details);
}

static void after_add(gm_request *request)
{
    bool first = true;
    gm_buf_byte(&request->out, '[');
    for (size_t i = 0; i < json_array_size(request->json); i++) {
        const json_t  *id   = json_object_get(json_array_get(request->json, i), "@id");
        const gm_type *type =
            gm_model_find(gm_api_model(request), (gm_str) { json_string_value(id), json_string_length(id) });
        if (type == NULL) continue;
        if (!first) gm_buf_byte(&request->out, ',');
        first = false;
        write_model(request, type, false);
    }
    gm_buf_byte(&request->out, ']');
    gm_reply_json(request, 201);
}

// The service names those that exist already; the checker would, too, but under a rule of its own.
static bool some_exist(gm_request *request)
{
    gm_buf ids = gm_buf_init(request->alloc);
    for (size_t i = 0; i < json_array_size(request->json) && ids.len < 1500; i++) {
        const json_t *id   = json_object_get(json_array_get(request->json, i), "@id");
        gm_str        text = { json_string_value(id), json_string_length(id) };
        if (text.len == 0 || gm_model_find(gm_api_model(request), text) == NULL) continue;
        if (ids.len > 0) gm_buf_text(&ids, ", ");
        gm_buf_str(&ids, text);
    }
    bool some = ids.len > 0 || ids.failed;
    if (some) {
        gm_reply_error(request, 409, "ModelIdAlreadyExists", "Some of the model ids already exist: " GM_STR_FMT ".",
                       (int)ids.len, (const char *)ids.ptr);
    }
    gm_buf_finish(&ids);
    return some;
}

void gm_route_models_add(gm_request *request)
{
    json_t *body = gm_request_json(request);
    if (body == NULL) return;
    if (!json_is_array(body) || json_array_size(body) == 0) {
        gm_reply_error(request, 400, "InvalidArgument",
                       "Operation failed as models provided was empty or of a type that is not supported. The body is "
                       "an array of DTDL interfaces.");
        return;
    }
    if (gm_engine_in_flight(request->engine, GM_IN_FLIGHT_TWIN, GM_STR(""))) {
        gm_request_retry(request);
        return;
    }
    if (some_exist(request)) return;
    gm_str          text   = gm_buf_view(&request->body);
    gm_model_source source = { .text = text };
    gm_findings     found  = { 0 };
    gm_error        err    = { 0 };
    gm_status       st     = gm_model_check(gm_api_model(request), &source, 1, &found, &err);
    if (st == GM_INVALID) reply_findings(request, &found);
    else if (st == GM_CONFLICT) gm_reply_error(request, 409, "ModelIdAlreadyExists", "%s", err.text);
    else if (st != GM_OK) gm_reply_failure(request, st, &err);
    gm_findings_finish(&found);
    if (st != GM_OK) return;
    gm_ask ask = gm_request_ask(request, after_add);
    gm_str none = { 0 };
    gm_request_submitted(request, gm_engine_submit(request->engine, GM_CHANGE_MODELS, 0, none, none, text, ask, &err),
                         &err);
}

// ---- decommission and delete
// -----------------------------------------------------------------------------------------------

static void after_change(gm_request *request) { gm_reply_empty(request, 204); }

// Does one of the types that are left refer to it? *out_name is the first one that does.
static bool is_referenced(const gm_model *model, const gm_type *type, bool only_active, gm_str *out_name)
{
    for (size_t i = 0; i < gm_model_count(model); i++) {
        const gm_type *other = gm_model_at(model, i);
        bool           found = false;
        if (other == type || (only_active && other->decommissioned)) continue;
        for (size_t b = 0; b < other->base_count; b++) found = found || other->bases[b] == type;
        for (size_t c = 0; c < other->component_count; c++) found = found || other->components[c].type == type;
        if (!found) continue;
        *out_name = other->id;
        return true;
    }
    return false;
}

void gm_route_model_update(gm_request *request)
{
    json_t *body = gm_request_json(request);
    if (body == NULL) return;
    if (gm_engine_in_flight(request->engine, GM_IN_FLIGHT_TWIN, GM_STR(""))) {
        gm_request_retry(request);
        return;
    }
    const gm_type *type = find_model(request);
    if (type == NULL) return;
    gm_patch  patch;
    gm_error  err  = { 0 };
    gm_status st   = gm_patch_read(request->arena, body, &patch, &err);
    bool      value = type->decommissioned;
    for (size_t i = 0; st == GM_OK && i < patch.count; i++) {
        const gm_patch_step *step = &patch.steps[i];
        bool                 fits = step->op == GM_PATCH_REPLACE && gm_str_is(step->path.text, "/decommissioned") &&
                    json_is_boolean(step->value);
        if (!fits)
            st = gm_fail(&err, GM_INVALID, "api.models", "Only /decommissioned can be replaced, by true or false");
        else value = json_is_true(step->value);
    }
    if (st == GM_INVALID) {
        gm_reply_error(request, 400, "JsonPatchInvalid", "%s. Please provide a valid patch document.", err.text);
        return;
    }
    if (st != GM_OK) {
        gm_reply_failure(request, st, &err);
        return;
    }
    gm_str name, none = { 0 };
    if (value && !type->decommissioned && is_referenced(gm_api_model(request), type, true, &name)) {
        gm_reply_error(request, 409, "ModelReferencesNotDecommissioned",
                       "The model " GM_STR_FMT " is referenced by " GM_STR_FMT ", which is not decommissioned.",
                       GM_STR_ARG(type->id), GM_STR_ARG(name));
        return;
    }
    if (value == type->decommissioned) {
        gm_reply_empty(request, 204);
        return;
    }
    gm_ask ask = gm_request_ask(request, after_change);
    gm_request_submitted(
        request,
        gm_engine_submit(request->engine, GM_CHANGE_MODEL_DECOMMISSION, value, none, none, type->id, ask, &err), &err);
}

void gm_route_model_delete(gm_request *request)
{
    // A twin of this model may be on its way.
    if (gm_engine_in_flight(request->engine, GM_IN_FLIGHT_TWIN, GM_STR("")) ||
        gm_engine_in_flight(request->engine, GM_IN_FLIGHT_TWIN, request->parameters[0])) {
        gm_request_retry(request);
        return;
    }
    const gm_type *type = find_model(request);
    if (type == NULL) return;
    const gm_state *state = gm_api_state(request);
    gm_str          name;
    if (is_referenced(gm_api_model(request), type, false, &name)) {
        gm_reply_error(request, 409, "ModelReferencesNotDeleted",
                       "This model is currently being referenced by " GM_STR_FMT
                       ". You must delete these references before deleting the Model.",
                       GM_STR_ARG(name));
        return;
    }
    size_t twins = type->number < gm_state_table_count(state) ? gm_state_table(state, type->number).live : 0;
    if (twins > 0) {
        gm_reply_error(request, 409, "ModelReferencesNotDeleted",
                       "The model " GM_STR_FMT " still has %zu twin%s. Delete them, or give them another model, first.",
                       GM_STR_ARG(type->id), twins, twins == 1 ? "" : "s");
        return;
    }
    gm_error err  = { 0 };
    gm_str   none = { 0 };
    gm_ask   ask  = gm_request_ask(request, after_change);
    gm_request_submitted(
        request, gm_engine_submit(request->engine, GM_CHANGE_MODEL_DELETE, 0, none, none, type->id, ask, &err), &err);
}
