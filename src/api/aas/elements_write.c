// Elements of submodels, written: each is a change of its whole submodel, which is checked as a whole.
#include "aas/edit.h"
#include "api/aas/store.h"
#include "api/routes.h"

typedef gm_status edit_call(json_t *wanted, gm_str path, const json_t *body, gm_error *err);

static json_t *element_at(json_t *wanted, gm_str path, gm_error *err)
{
    json_t *element = gm_aas_find(wanted, path);
    if (element == NULL) (void)!gm_fail(err, GM_NOTFOUND, "api.aas", "The submodel has nothing at '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(path, 0, 120)));
    return element;
}

static gm_status add(json_t *wanted, gm_str path, const json_t *body, gm_error *err)
{
    json_t *container = path.len > 0 ? element_at(wanted, path, err) : wanted;
    return container != NULL ? gm_aas_insert(container, body, err) : GM_NOTFOUND;
}

// Creates what is not there yet, as its name says.
static gm_status put(json_t *wanted, gm_str path, const json_t *body, gm_error *err)
{
    if (gm_aas_find(wanted, path) != NULL) return gm_aas_replace(wanted, path, body, err);
    gm_str above = gm_aas_above(path), name = gm_str_slice(path, above.len + (above.len > 0 ? 1 : 0), path.len);
    if (!gm_str_eq(name, gm_aas_string(body, "idShort"))) return gm_fail(err, GM_NOTFOUND, "api.aas", "The submodel has nothing at '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(path, 0, 120)));
    return add(wanted, above, body, err);
}

static gm_status merge(json_t *wanted, gm_str path, const json_t *body, gm_error *err)
{
    json_t *element = element_at(wanted, path, err);
    gm_str  name    = gm_aas_string(body, "idShort");
    if (element != NULL && name.len > 0 && !gm_str_eq(name, gm_aas_string(element, "idShort"))) return gm_fail(err, GM_INVALID, "api.aas", "an element keeps its idShort");
    return element != NULL ? gm_aas_merge(element, body, GM_AAS_WHOLE, err) : GM_NOTFOUND;
}

static gm_status merge_metadata(json_t *wanted, gm_str path, const json_t *body, gm_error *err)
{
    json_t *element = element_at(wanted, path, err);
    return element != NULL ? gm_aas_merge(element, body, GM_AAS_METADATA, err) : GM_NOTFOUND;
}

static gm_status set(json_t *wanted, gm_str path, const json_t *body, gm_error *err)
{
    json_t *element = element_at(wanted, path, err);
    return element != NULL ? gm_aas_set_values(element, body, err) : GM_NOTFOUND;
}

static gm_status drop(json_t *wanted, gm_str path, const json_t *body, gm_error *err)
{
    (void)body;
    return gm_aas_remove(wanted, path, err);
}

// ---- one way for all --------------------------------------------------------------------------------------------------------

static void edit(gm_request *request, edit_call *call, gm_str path, const json_t *body, gm_request_call *then)
{
    gm_aas_found found;
    gm_error     err  = { 0 };
    json_t      *tree = gm_aas_open_to_write(request, &found), *wanted = json_deep_copy(tree);
    if (tree == NULL) return;
    gm_status st = wanted != NULL ? call(wanted, path, body, &err) : GM_NOMEM;
    if (st == GM_CONFLICT) gm_reply_error(request, 409, "ElementExists", "%s.", err.text);
    else if (st != GM_OK) gm_aas_refuse(request, st, &err);
    else if (gm_aas_is_sound(request, "submodels", wanted)) gm_aas_store(request, &found, wanted, then);
    json_decref(tree);
    json_decref(wanted);
}

// ---- routes -----------------------------------------------------------------------------------------------------------------

// The element as it is now, at the end of the list of the path when it has no name.
static void after_add(gm_request *request)
{
    gm_aas_found found;
    gm_str       above = request->route->call == gm_route_aas_element_post ? gm_aas_parameter(request, 1) : (gm_str){ 0 }, name = gm_aas_string(request->json, "idShort");
    json_t      *tree = gm_aas_submodel_tree(request, &found), *parent = above.len > 0 ? gm_aas_find(tree, above) : tree;
    if (tree == NULL) return;
    json_t *list    = json_object_get(parent, gm_aas_children(parent) != NULL ? gm_aas_children(parent) : "");
    size_t  last    = json_array_size(list) > 0 ? json_array_size(list) - 1 : 0;
    gm_str  segment = name.len > 0 ? gm_arena_printf(request->arena, "%s" GM_STR_FMT, above.len > 0 ? "." : "", GM_STR_ARG(name)) : gm_arena_printf(request->arena, "%%5B%zu%%5D", last);
    const json_t *element = NULL;
    for (size_t i = 0; i < json_array_size(list); i++) {
        bool is = name.len > 0 ? gm_str_eq(gm_aas_string(json_array_get(list, i), "idShort"), name) : i == last;
        if (is) element = json_array_get(list, i);
    }
    gm_document_compact(element != NULL ? element : request->json, &request->out);
    if (above.len == 0) {
        gm_aas_reply_made(request, segment);
    } else {
        gm_reply_header(request, "Location", GM_STR_FMT GM_STR_FMT, GM_STR_ARG(request->path), GM_STR_ARG(segment));
        gm_reply_json(request, 201);
    }
    json_decref(tree);
}

void gm_route_aas_elements_post(gm_request *request)
{
    const json_t *body = gm_aas_body(request);
    if (body != NULL) edit(request, add, (gm_str){ 0 }, body, after_add);
}

void gm_route_aas_element_post(gm_request *request)
{
    const json_t *body = gm_aas_body(request);
    if (body != NULL) edit(request, add, gm_aas_parameter(request, 1), body, after_add);
}

void gm_route_aas_element_put(gm_request *request)
{
    const json_t *body = gm_aas_body(request);
    if (body != NULL) edit(request, put, gm_aas_parameter(request, 1), body, gm_aas_reply_done);
}

void gm_route_aas_element_patch(gm_request *request)
{
    const json_t *body = gm_aas_body(request);
    if (body != NULL) edit(request, merge, gm_aas_parameter(request, 1), body, gm_aas_reply_done);
}

void gm_route_aas_element_patch_metadata(gm_request *request)
{
    const json_t *body = gm_aas_body(request);
    if (body != NULL) edit(request, merge_metadata, gm_aas_parameter(request, 1), body, gm_aas_reply_done);
}

void gm_route_aas_element_set(gm_request *request)
{
    const json_t *body = gm_request_json(request);  // a value may be a text, a number ...
    if (body != NULL) edit(request, set, gm_aas_parameter(request, 1), body, gm_aas_reply_done);
}

void gm_route_aas_element_delete(gm_request *request) { edit(request, drop, gm_aas_parameter(request, 1), NULL, gm_aas_reply_done); }
