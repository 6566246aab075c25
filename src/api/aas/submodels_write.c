// Submodels, written: POST /submodels; PUT, PATCH and DELETE of one.
#include "aas/edit.h"
#include "aas/plan.h"
#include "aas/settle.h"
#include "api/aas/store.h"
#include "api/routes.h"

// ---- made -----------------------------------------------------------------------------------------------------------------

static void after_made(gm_request *request)
{
    gm_aas_found found;
    gm_error     err   = { 0 };
    gm_aas_world world = gm_aas_world_of(request);
    gm_str       id    = gm_aas_string(request->json, "id");
    gm_status    st    = gm_aas_submodel_text(request, &world, id, &found, &request->out, &err);
    if (st != GM_OK) {
        gm_reply_failure(request, st, &err);
        return;
    }
    bool named = request->method == GM_METHOD_POST;  // a PUT names it in its path
    if (named) gm_aas_reply_made_id(request, id);
    else gm_aas_reply_made(request, (gm_str){ 0 });
}

// An interface is a model of its own: what the submodel says in DTDL.
static void add_interface(gm_request *request, const gm_aas_found *found, json_t *body)
{
    gm_aas_plan plan;
    gm_error    err = { 0 };
    json_t     *env = json_pack("{s[O]}", "submodels", body);
    gm_buf      text = gm_buf_init(request->alloc);
    gm_findings faults = { 0 };
    gm_status   st   = env == NULL ? GM_NOMEM : gm_aas_plan_make(env, gm_api_model(request), NULL, request->arena, &plan, &err);
    if (st == GM_OK && !gm_str_eq(gm_aas_string(json_array_get(plan.models, 0), "@id"), found->thing.id))
        st = gm_fail(&err, GM_INVALID, "api.aas", "the DTDL of this submodel is of another interface than its id");
    if (st == GM_OK) gm_document_compact(plan.models, &text);
    gm_model_source source = { .text = gm_buf_view(&text) };
    if (st == GM_OK) st = text.failed ? GM_NOMEM : gm_model_check(gm_api_model(request), &source, 1, &faults, &err);
    if (st == GM_INVALID && faults.count > 0) (void)!gm_fail(&err, st, "api.aas", "%.180s", gm_arena_printf(request->arena, GM_STR_FMT, GM_STR_ARG(faults.items[0].text)).ptr);
    if (st == GM_OK && gm_principal_scoped(request->principal)) {
        gm_reply_error(request, 403, "AuthorizationFailed", "'" GM_STR_FMT "' is kept to some twins; an interface is about the whole plant.", GM_STR_ARG(gm_principal_name(request->principal)));
    } else if (st == GM_OK) {
        gm_ask ask = gm_request_ask(request, after_made);
        gm_str none = { 0 };
        gm_request_submitted(request, gm_engine_submit(request->engine, GM_CHANGE_MODELS, 0, none, none, gm_buf_view(&text), ask, &err), &err);
    } else {
        gm_reply_failure(request, st, &err);
    }
    if (env != NULL) gm_aas_plan_finish(&plan);
    gm_findings_finish(&faults);
    gm_buf_finish(&text);
    json_decref(env);
}

static bool may_make_kept(gm_request *request, const gm_aas_found *found)
{
    if (found->origin != GM_AAS_KEPT || gm_aas_sees_kept(request, found->thread)) return true;
    gm_reply_error(request, 403, "AuthorizationFailed", "'" GM_STR_FMT "' is kept to some twins, and none of them has this submodel: give it to one first (submodel-refs).",
                   GM_STR_ARG(gm_principal_name(request->principal)));
    return false;
}

static bool exists(gm_request *request, const gm_aas_found *found)
{
    if (found->origin == GM_AAS_KEPT) return gm_aas_has_kept(request, found->thread);
    return (found->thing.kinds >> found->kind & 1) != 0;
}

static void make(gm_request *request, const gm_aas_found *found, json_t *body)
{
    if (!may_make_kept(request, found)) return;
    if (found->origin == GM_AAS_MADE && found->thing.is_type && found->thing.type == NULL) add_interface(request, found, body);
    else gm_aas_store(request, found, body, after_made);
}

void gm_route_aas_submodel_post(gm_request *request)
{
    gm_aas_found found;
    json_t      *body = gm_aas_body(request);
    if (body == NULL || !gm_aas_is_sound(request, "submodels", body)) return;
    gm_str id = gm_aas_string(body, "id");
    if (!gm_aas_find_place(request, id, &found)) return;
    // What gemel makes is there as soon as there is something to say in it: a client makes it when he adds to that, or says the same.
    found.making = found.origin == GM_AAS_MADE && !gm_aas_comes_by_itself(found.kind);
    if (found.origin == GM_AAS_KEPT && exists(request, &found)) gm_reply_error(request, 409, "SubmodelExists", "There is a submodel '" GM_STR_FMT "' already.", GM_STR_ARG(gm_str_slice(id, 0, 300)));
    else make(request, &found, body);
}

// ---- one that is there ------------------------------------------------------------------------------------------------------

// The submodel of the path, when nothing that it depends on is in flight. NULL: replied, or it waits. The caller decrefs.
json_t *gm_aas_open_to_write(gm_request *request, gm_aas_found *out_found)
{
    gm_str       id;
    gm_aas_found place;
    if (!gm_aas_decode_id(request, gm_aas_parameter(request, 0), &id)) return NULL;
    json_t *tree = gm_aas_submodel_tree(request, out_found);
    if (tree != NULL && gm_aas_find_place(request, id, &place)) return tree;
    json_decref(tree);
    return NULL;
}

void gm_route_aas_submodel_put(gm_request *request)
{
    gm_aas_found found;
    gm_str       id;
    json_t      *body = gm_aas_body(request);
    if (body == NULL || !gm_aas_is_sound(request, "submodels", body) || !gm_aas_decode_id(request, gm_aas_parameter(request, 0), &id)) return;
    if (!gm_str_eq(id, gm_aas_string(body, "id"))) {
        gm_reply_error(request, 400, "BadRequest", "The submodel's id is not the one of the path.");
        return;
    }
    if (!gm_aas_find_place(request, id, &found)) return;
    if (exists(request, &found) || gm_aas_is_below_shell(request)) {
        json_t *tree = gm_aas_submodel_tree(request, &found);
        if (tree != NULL) gm_aas_store(request, &found, body, gm_aas_reply_done);
        json_decref(tree);
    } else {
        make(request, &found, body);
    }
}

// The edited submodel, when it is sound and still that one.
static void store_edited(gm_request *request, const gm_aas_found *found, const json_t *before, const json_t *wanted)
{
    if (!gm_str_eq(gm_aas_string(before, "id"), gm_aas_string(wanted, "id"))) gm_reply_error(request, 400, "BadRequest", "A submodel keeps its id.");
    else if (gm_aas_is_sound(request, "submodels", wanted)) gm_aas_store(request, found, wanted, gm_aas_reply_done);
}

static void patch(gm_request *request, gm_aas_view view)
{
    gm_aas_found found;
    gm_error     err  = { 0 };
    json_t      *body = gm_aas_body(request), *tree = body != NULL ? gm_aas_open_to_write(request, &found) : NULL, *wanted = json_deep_copy(tree);
    if (tree == NULL) return;
    gm_status st = wanted == NULL                 ? GM_NOMEM
                   : view == GM_AAS_VIEW_VALUE    ? gm_aas_set_values(wanted, body, &err)
                   : view == GM_AAS_VIEW_METADATA ? gm_aas_merge(wanted, body, GM_AAS_METADATA, &err)
                                                  : gm_aas_merge(wanted, body, GM_AAS_WHOLE, &err);
    if (st == GM_OK) store_edited(request, &found, tree, wanted);
    else gm_aas_refuse(request, st, &err);
    json_decref(tree);
    json_decref(wanted);
}

void gm_route_aas_submodel_patch(gm_request *request) { patch(request, GM_AAS_VIEW_PLAIN); }
void gm_route_aas_submodel_patch_metadata(gm_request *request) { patch(request, GM_AAS_VIEW_METADATA); }
void gm_route_aas_submodel_patch_value(gm_request *request) { patch(request, GM_AAS_VIEW_VALUE); }

void gm_route_aas_submodel_delete(gm_request *request)
{
    gm_aas_found found;
    json_t      *tree = gm_aas_open_to_write(request, &found);
    if (tree != NULL) gm_aas_store(request, &found, NULL, gm_aas_reply_done);
    json_decref(tree);
}
