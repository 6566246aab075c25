// JSON Patch on twins and components.
//
// Properties become cells one step after the other; a step that replaces the model turns the patch into a patch of the
// whole document, which is then checked against the new model. Metadata can be patched in one place: a property's
// sourceTime.
#include "api/condition.h"
#include "api/documents.h"
#include "api/json_patch.h"
#include "api/migration.h"
#include "api/routes.h"

#define HINT " Please provide a valid patch document."

typedef struct patching {
    gm_request     *request;
    const gm_state *state;
    gm_twin         twin;
    const gm_type  *type;
    gm_str          component;  // name, or empty
    gm_time_ns      now;
    gm_cell_write  *cells;
    size_t          count;
} patching;

static void reply_patch_invalid(gm_request *request, const gm_error *err)
{
    gm_reply_error(request, 400, "JsonPatchInvalid", "%s." HINT, err->text);
}

// ---- where a step leads
// ----------------------------------------------------------------------------------------------

// The pointer's parts as a column path: the component in front, '/' between.
static gm_status column_path(patching *p, const gm_pointer *pointer, size_t count, gm_str *out_path, gm_error *err)
{
    size_t size = p->component.len + 1;
    for (size_t i = 0; i < count; i++) {
        if (gm_str_find_char(pointer->parts[i], '/') != SIZE_MAX) {
            return gm_fail(err, GM_INVALID, "api.patch",
                           "Names with a slash can not be patched one by one; replace what holds them");
        }
        size += pointer->parts[i].len + 1;
    }
    char *text = gm_arena_bytes(p->request->arena, size);
    if (text == NULL) return gm_fail(err, GM_NOMEM, "api.patch", "a path of %zu bytes", size);
    size_t len = 0;
    if (p->component.len > 0) {
        memcpy(text, p->component.ptr, p->component.len);
        len = p->component.len;
    }
    for (size_t i = 0; i < count; i++) {
        if (len > 0) text[len++] = '/';
        if (pointer->parts[i].len > 0) memcpy(text + len, pointer->parts[i].ptr, pointer->parts[i].len);
        len += pointer->parts[i].len;
    }
    *out_path = (gm_str){ text, len };
    return GM_OK;
}

static bool is_model_step(const patching *p, const gm_patch_step *step)
{
    const gm_pointer *at = &step->path;
    if (p->component.len > 0) return false;
    return (at->count == 2 && gm_str_is(at->parts[0], "$metadata") && gm_str_is(at->parts[1], "$model")) ||
           (at->count == 1 && gm_str_is(at->parts[0], "$model"));
}

// ".../$metadata/name/sourceTime": which part is "$metadata", or SIZE_MAX.
static size_t metadata_part(const gm_pointer *at)
{
    for (size_t i = 0; i < at->count; i++) {
        if (gm_str_is(at->parts[i], "$metadata")) return i;
    }
    return SIZE_MAX;
}

// Does the step need the present value of a property, to change a part of it or its time? Then it has to wait for
// values that are in flight; one that sets a property, or an object's field, does not.
static bool depends_on_value(patching *p, const gm_patch_step *step)
{
    if (metadata_part(&step->path) != SIZE_MAX) return true;
    for (size_t n = 1; n < step->path.count; n++) {
        gm_str   path;
        gm_error ignored;
        if (column_path(p, &step->path, n, &path, &ignored) != GM_OK) return true;
        if (gm_type_column_index(p->type, path) != GM_NO_COLUMN) return true;
    }
    return false;
}

// ---- source times
// ----------------------------------------------------------------------------------------------------

static bool is_at_or_below(gm_str path, gm_str top)
{
    return gm_str_eq(path, top) || (path.len > top.len && path.ptr[top.len] == '/' && gm_str_starts(path, top));
}

static gm_status add_present(patching *p, uint32_t column, gm_time_ns at, gm_error *err)
{
    gm_cell cell;
    gm_state_get(p->state, p->twin, column, &cell);
    if (cell.value.kind == GM_KIND_NONE) return GM_OK;
    // Read back as JSON and in again, so that the cell's memory is the request's.
    gm_buf text = gm_buf_init(p->request->alloc);
    gm_document_write_value(cell.value, &text);
    json_t   *value = text.failed ? NULL : json_loadb((const char *)text.ptr, text.len, JSON_DECODE_ANY, NULL);
    gm_status st    = GM_NOMEM;
    if (value != NULL) {
        st = gm_document_read_value(p->type, p->type->columns[column].path, value, at, p->request->arena, &p->cells,
                                    &p->count, err);
    } else {
        gm_fail(err, GM_NOMEM, "api.patch", "patching a source time");
    }
    json_decref(value);
    gm_buf_finish(&text);
    return st;
}

// The property gets the source time: the cells this patch sets so far, and those it leaves as they are.
static gm_status patch_source_time(patching *p, const gm_patch_step *step, size_t metadata, gm_error *err)
{
    const gm_pointer *at = &step->path;
    if (at->count != metadata + 3 || !gm_str_is(at->parts[metadata + 2], "sourceTime") || step->value == NULL) {
        return gm_fail(err, GM_INVALID, "api.patch",
                       "Of the metadata only $metadata/$model and $metadata/{property}/sourceTime can be set");
    }
    gm_time_ns time;
    gm_str     text = { json_string_value(step->value), json_string_length(step->value) };
    if (!json_is_string(step->value) || gm_time_parse(text, &time, NULL) != GM_OK) {
        return gm_fail(err, GM_INVALID, "api.patch", "A sourceTime is a time such as 2026-01-01T00:00:00Z");
    }
    gm_str parts[GM_POINTER_PARTS_MAX];
    memcpy(parts, at->parts, metadata * sizeof *parts);
    parts[metadata]    = at->parts[metadata + 1];
    gm_pointer without = { .text = at->text, .parts = parts, .count = metadata + 1 };
    gm_str     path;
    gm_status  st    = column_path(p, &without, without.count, &path, err);
    bool       found = false;
    for (uint32_t c = 0; st == GM_OK && c < p->type->column_count; c++) {
        if (!is_at_or_below(p->type->columns[c].path, path)) continue;
        found    = true;
        bool set = false;
        for (size_t i = 0; i < p->count; i++) {
            if (p->cells[i].column != c) continue;
            p->cells[i].at = time;
            set            = true;
        }
        if (!set) st = add_present(p, c, time, err);
    }
    if (st == GM_OK && !found)
        return gm_fail(err, GM_INVALID, "api.patch", "Could not resolve path " GM_STR_FMT,
                       GM_STR_ARG(gm_str_slice(at->text, 0, 100)));
    return st;
}

// ---- properties
// --------------------------------------------------------------------------------------------------------

static gm_status patch_property(patching *p, const gm_patch_step *step, gm_error *err)
{
    gm_str    path;
    gm_status st = column_path(p, &step->path, step->path.count, &path, err);
    if (st != GM_OK) return st;
    const gm_column *column = gm_type_column(p->type, path);
    if (column != NULL && column->is_telemetry) {
        return gm_fail(err, GM_CONFLICT, "api.patch", "'" GM_STR_FMT "' is telemetry: it is reported, not set",
                       GM_STR_ARG(path));
    }
    return gm_document_read_patch(p->state, p->twin, step->op, path, step->value, p->now, p->request->arena, &p->cells,
                                  &p->count, err);
}

// The path resolves, or the patch is wrong; the value fits the schema, or the twin would be.
static void reply_step_refused(patching *p, const gm_patch_step *step, gm_status st, const gm_error *err)
{
    gm_request *request = p->request;
    gm_str      text    = gm_str_slice(step->path.text, 0, 300);
    if (st == GM_NOTFOUND && step->op == GM_PATCH_ADD && step->path.count > 0) {
        gm_reply_error(request, 400, "JsonPatchInvalid",
                       GM_STR_FMT " does not exist on component: model " GM_STR_FMT " has no such property." HINT,
                       GM_STR_ARG(gm_str_slice(step->path.parts[step->path.count - 1], 0, 100)),
                       GM_STR_ARG(p->type->id));
    } else if (st == GM_NOTFOUND) {
        gm_reply_error(request, 400, "JsonPatchInvalid", "Could not resolve path " GM_STR_FMT "." HINT,
                       GM_STR_ARG(text));
    } else if (st == GM_CONFLICT) {
        reply_patch_invalid(request, err);
    } else if (st == GM_INVALID || st == GM_LIMIT) {
        gm_api_invalid(request, "Invalid twin specified", err);
    } else {
        gm_reply_failure(request, st, err);
    }
}

static void after_patch(gm_request *request)
{
    gm_twin twin = gm_api_find(request, request->parameters[0]);
    if (gm_twin_ok(twin)) gm_reply_etag(request, gm_state_version(gm_api_state(request), twin));
    gm_reply_empty(request, 204);
}

static void patch_cells(patching *p, const gm_patch *patch)
{
    for (size_t i = 0; i < patch->count; i++) {
        const gm_patch_step *step     = &patch->steps[i];
        size_t               metadata = metadata_part(&step->path);
        gm_error             err      = { 0 };
        gm_status            st       = GM_OK;
        if (metadata != SIZE_MAX) {
            st = patch_source_time(p, step, metadata, &err);
            if (st == GM_INVALID) st = GM_CONFLICT;  // the patch is wrong, not the twin
        } else {
            st = patch_property(p, step, &err);
        }
        if (st != GM_OK) {
            reply_step_refused(p, step, st, &err);
            return;
        }
    }
    gm_error err = { 0 };
    gm_ask   ask = gm_request_ask(p->request, after_patch);
    gm_request_submitted(p->request,
                         gm_engine_write(p->request->engine, p->twin, GM_WRITE_PROPERTIES | GM_WRITE_ALWAYS, p->cells,
                                         p->count, ask, &err),
                         &err);
}

// ---- another model
// -----------------------------------------------------------------------------------------------------

// Metadata of properties that the patch removed would name what is not there any more.
static void drop_stale_metadata(json_t *scope)
{
    json_t     *metadata = json_object_get(scope, "$metadata"), *value;
    const char *key;
    void       *safe;
    json_object_foreach_safe(metadata, safe, key, value)
    {
        if (key[0] != '$' && json_object_get(scope, key) == NULL) json_object_del(metadata, key);
    }
    json_object_foreach(scope, key, value)
    {
        if (key[0] != '$' && json_is_object(value) && json_object_get(value, "$metadata") != NULL)
            drop_stale_metadata(value);
    }
}

static json_t *present_document(patching *p)
{
    gm_buf text = gm_buf_init(p->request->alloc);
    gm_document_write_twin(p->state, p->twin, &text);
    json_t *document = text.failed ? NULL : json_loadb((const char *)text.ptr, text.len, 0, NULL);
    gm_buf_finish(&text);
    return document;
}

static const gm_type *new_type(patching *p, const gm_patch *patch)
{
    const gm_type *type = NULL;
    for (size_t i = 0; i < patch->count; i++) {
        if (!is_model_step(p, &patch->steps[i])) continue;
        const json_t *value = patch->steps[i].value;
        gm_str        id    = { json_string_value(value), json_string_length(value) };
        type                = json_is_string(value) ? gm_model_find(gm_api_model(p->request), id) : NULL;
        if (type == NULL) {
            gm_reply_error(p->request, 400, "ValidationFailed",
                           "Invalid twin specified: " GM_STR_FMT " or one of its dependencies does not exist.",
                           GM_STR_ARG(json_is_string(value) ? gm_str_slice(id, 0, 300) : GM_STR("the new $model")));
            return NULL;
        }
    }
    return type;
}

static void patch_document(patching *p, gm_patch *patch)
{
    gm_request    *request = p->request;
    const gm_type *type    = new_type(p, patch);
    if (type == NULL || !gm_api_type_usable(request, type)) return;
    static gm_str   model_path[2] = { { "$metadata", 9 }, { "$model", 6 } };
    gm_error        err           = { 0 };
    gm_twin_document next;
    json_t          *document = present_document(p);
    gm_status        st       = document != NULL ? GM_OK : gm_fail(&err, GM_NOMEM, "api.patch", "patching a model");
    if (st == GM_OK) {
        for (size_t i = 0; i < patch->count; i++) {
            if (is_model_step(p, &patch->steps[i]))
                patch->steps[i].path = (gm_pointer) { GM_STR("/$metadata/$model"), model_path, 2 };
        }
        gm_migration_drop_foreign(document, p->type, type);
        st = gm_patch_apply(document, patch, &err);
        if (st == GM_INVALID) {
            reply_patch_invalid(request, &err);
            goto done;
        }
    }
    if (st == GM_OK) {
        drop_stale_metadata(document);
        st = gm_document_read_twin(gm_api_model(request), document, p->now, request->arena, &next, &err);
    }
    if (st != GM_OK) gm_api_document_refused(request, "Invalid twin specified", st, &err);
    else gm_api_put_twin(request, p->twin, &next, after_patch);
done:
    json_decref(document);
}

// ---- routes
// --------------------------------------------------------------------------------------------------------------

static void patch_twin(gm_request *request, gm_str component)
{
    gm_str  id   = request->parameters[0];
    json_t *body = gm_request_json(request);
    if (body == NULL) return;
    gm_twin twin = gm_api_twin(request);
    if (!gm_twin_ok(twin) || (component.len > 0 && gm_api_component(request, twin) == GM_NO_COMPONENT)) return;
    const gm_state *state = gm_api_state(request);
    if (!gm_condition_holds(request, gm_state_version(state, twin), "twin", id)) return;

    gm_patch  patch;
    gm_error  err = { 0 };
    gm_status st  = gm_patch_read(request->arena, body, &patch, &err);
    if (st == GM_INVALID) {
        reply_patch_invalid(request, &err);
        return;
    }
    if (st != GM_OK) {
        gm_reply_failure(request, st, &err);
        return;
    }
    patching p     = { .request   = request,
                       .state     = state,
                       .twin      = twin,
                       .type      = gm_state_type(state, twin),
                       .component = component,
                       .now       = gm_api_now(request) };
    bool whole = false, depends = false;
    for (size_t i = 0; i < patch.count; i++) {
        whole   = whole || is_model_step(&p, &patch.steps[i]);
        depends = depends || depends_on_value(&p, &patch.steps[i]);
    }
    if (gm_api_twin_in_flight(request, id) ||
        ((whole || depends) && gm_engine_in_flight(request->engine, GM_IN_FLIGHT_PROPERTIES, id))) {
        gm_request_retry(request);
        return;
    }
    if (whole) patch_document(&p, &patch);
    else patch_cells(&p, &patch);
}

void gm_route_twin_patch(gm_request *request) { patch_twin(request, GM_STR("")); }

void gm_route_component_patch(gm_request *request) { patch_twin(request, request->parameters[1]); }
