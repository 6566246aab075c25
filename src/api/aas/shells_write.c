// Shells, written: the twin that a shell stands for, what is kept of it, the submodels that it names.
#include "aas/plan.h"
#include "api/aas/store.h"
#include "api/documents.h"
#include "api/routes.h"
#include "api/thread/life.h"

#include <stdio.h>
#include <stdlib.h>

// ---- what is there ----------------------------------------------------------------------------------------------------------

typedef struct shell_place {
    gm_aas_world world;
    gm_aas_thing thing;  // without anything when nothing is known of it
    bool         there;  // a shell that a client can read
    bool         own;    // a twin, or kept: it did not come by itself, of facts
    bool         marked; // as deleted
} shell_place;

static bool refuse_scoped(gm_request *request)
{
    gm_reply_error(request, 403, "AuthorizationFailed", "'" GM_STR_FMT "' is kept to some twins and may not create or replace others.", GM_STR_ARG(gm_principal_name(request->principal)));
    return false;
}

// False: replied, or it waits for what is in flight.
static bool open_place(gm_request *request, gm_str id, shell_place *out)
{
    gm_fact  f;
    gm_str   thing;
    gm_error err = { 0 };
    *out         = (shell_place){ .world = gm_aas_world_of(request) };
    if (gm_aas_is_type(id)) {
        gm_reply_error(request, 409, "NotWritable", "'" GM_STR_FMT "' is an interface: it comes with its submodel (or POST /models), and goes with DELETE /models/{id}.", GM_STR_ARG(gm_str_slice(id, 0, 200)));
        return false;
    }
    if (!gm_aas_shell_thing(request->arena, id, &thing)) {
        gm_reply_error(request, 400, "BadRequest", "'" GM_STR_FMT "' can not be the id of a shell here.", GM_STR_ARG(gm_str_slice(id, 0, 200)));
        return false;
    }
    if (gm_aas_must_wait(request, thing)) return false;
    gm_status st = gm_aas_open_thing(&out->world, request->arena, thing, &out->thing, &err);
    if (st == GM_NOTFOUND) out->thing = (gm_aas_thing){ .id = thing, .twin = { GM_NONE } };
    else if (st != GM_OK) {
        gm_reply_failure(request, st, &err);
        return false;
    }
    out->there  = st == GM_OK && !out->thing.gone;
    out->own    = gm_twin_ok(out->thing.twin) || (out->there && out->thing.shell.len > 0);
    out->marked = gm_thread_read(out->world.thread, thing, GM_PHASE_DESIGNED, GM_STR(GM_AAS_KEY_GONE), out->world.valid, out->world.known, &f);
    if (!out->there && !gm_life_sees(request, thing)) return refuse_scoped(request);
    return true;
}

// ---- submodels that it names --------------------------------------------------------------------------------------------------

static size_t next_number(const gm_aas_thing *t)
{
    size_t most = 0;
    for (size_t i = 0; i < t->kept_count; i++) {
        gm_str number = gm_str_slice(t->kept[i].key, strlen(GM_AAS_KEY_SUBMODELS), t->kept[i].key.len);
        char   text[24] = "";
        memcpy(text, number.ptr, number.len < sizeof text ? number.len : sizeof text - 1);
        size_t n = strtoul(text, NULL, 10) + 1;
        if (n > most) most = n;
    }
    return most;
}

static const gm_fact *link_to(const gm_aas_thing *t, gm_str thread)
{
    for (size_t i = 0; i < t->kept_count; i++) {
        if (gm_str_eq(t->kept[i].value.text, thread)) return &t->kept[i];
    }
    return NULL;
}

// The kind's place in the thing goes to the submodel that is kept, when it is one of a template.
static void say_link(gm_aas_change *c, const gm_aas_thing *t, gm_str thread, gm_str id, size_t number)
{
    gm_aas_found found;
    gm_error     err;
    char         key[64];
    gm_fact      f     = { .twin = t->id, .phase = GM_PHASE_DESIGNED, .value = { .kind = GM_FACT_PART, .number = 1, .text = thread } };
    gm_buf       text  = gm_buf_init(c->request->alloc);
    gm_aas_world world = gm_aas_world_of(c->request);
    snprintf(key, sizeof key, GM_AAS_KEY_SUBMODELS "%05zu", number);
    f.key = gm_str_of(key);
    if (gm_aas_submodel_text(c->request, &world, id, &found, &text, &err) == GM_OK) {
        json_t     *tree = json_loadb((const char *)text.ptr, text.len, 0, NULL);
        gm_aas_kind kind = gm_aas_kind_of(gm_aas_semantics(tree));
        if (kind != GM_AAS_KIND_COUNT) f.value.position = gm_str_of(gm_aas_kind_name(kind));
        gm_aas_say_template(c, t, tree);
        json_decref(tree);
    }
    gm_buf_clear(&text);
    if (gm_str_starts(thread, GM_STR("submodel:#"))) {  // its id is too long for a thread's name
        gm_buf_text(&text, "{\"id\":");
        gm_buf_json_str(&text, id);
        gm_buf_byte(&text, '}');
        f.value.more = gm_buf_view(&text);
    }
    gm_aas_say(c, &f);
    gm_buf_finish(&text);
}

static gm_str id_in(const json_t *reference) { return gm_aas_string(json_array_get(json_object_get(reference, "keys"), 0), "value"); }

static bool is_named(gm_request *request, const json_t *refs, gm_str thread)
{
    for (size_t i = 0; i < json_array_size(refs); i++) {
        gm_str one = gm_aas_kept_id(request->arena, "submodel", id_in(json_array_get(refs, i)));
        if (one.ptr != NULL && gm_str_eq(one, thread)) return true;
    }
    return false;
}

static bool is_made_of(gm_request *request, const gm_aas_thing *t, gm_str id)
{
    gm_aas_kind kind;
    gm_str      whose;
    return gm_aas_submodel_thing(request->arena, id, &kind, &whose) && gm_str_eq(whose, t->id);
}

static void say_links(gm_aas_change *c, const gm_aas_thing *t, const json_t *refs)
{
    size_t number = next_number(t);
    json_t *seen  = json_object();
    for (size_t i = 0; i < json_array_size(refs); i++) {
        gm_str id = id_in(json_array_get(refs, i)), thread = gm_aas_kept_id(c->request->arena, "submodel", id);
        if (thread.ptr == NULL) gm_aas_change_fail(c, GM_NOMEM, NULL);
        if (thread.ptr == NULL || is_made_of(c->request, t, id) || link_to(t, thread) != NULL || json_object_getn(seen, id.ptr, id.len) != NULL) continue;
        (void)json_object_setn_new(seen, id.ptr, id.len, json_true());
        say_link(c, t, thread, id, number++);
    }
    json_decref(seen);
    for (size_t i = 0; i < t->kept_count; i++) {
        if (!is_named(c->request, refs, t->kept[i].value.text)) gm_aas_take_back(c, t->id, t->kept[i].phase, t->kept[i].key);
    }
}

// ---- a shell as it is wanted ------------------------------------------------------------------------------------------------

// What an import of this one shell would do.
static gm_status plan(gm_request *request, const json_t *shell, gm_aas_plan *out, gm_error *err)
{
    json_t   *env = json_pack("{s[O]}", "assetAdministrationShells", shell);
    gm_status st  = env != NULL ? gm_aas_plan_make(env, gm_api_model(request), NULL, request->arena, out, err) : GM_NOMEM;
    json_decref(env);
    return st;
}

// The shell itself, when it says more than gemel would of its thing; what identifies the asset, as facts.
static void say_shell(gm_aas_change *c, const shell_place *place, const gm_aas_plan *planned, const json_t *shell)
{
    const gm_aas_thing *t    = &place->thing;
    const json_t       *kept = NULL;
    for (size_t i = 0; i < json_array_size(planned->facts); i++) {
        const json_t  *one = json_array_get(planned->facts, i);
        gm_str         key = gm_aas_string(one, "key"), text = gm_aas_string(one, "value");
        const gm_fact *old = gm_aas_fact(t, key);
        if (gm_str_is(key, GM_AAS_KEY_SHELL)) kept = json_object_get(one, "value");
        bool said = old != NULL && old->value.kind == GM_FACT_TEXT && gm_str_eq(old->value.text, text);
        if (gm_str_starts(key, GM_STR(GM_AAS_KEYS)) || said) continue;
        gm_aas_say(c, &(gm_fact){ .twin = t->id, .phase = old != NULL ? old->phase : GM_PHASE_BUILT, .key = key, .value = { .kind = GM_FACT_TEXT, .text = text } });
    }
    json_t *bare = NULL;
    if (kept == NULL && json_array_size(planned->twins) == 0 && t->fact_count == 0) {  // nothing else would say that it is there
        bare = json_copy((json_t *)(uintptr_t)shell);
        (void)json_object_del(bare, "submodels");
        kept = bare;
    }
    if (kept != NULL && !gm_aas_same_json(t->shell, kept)) gm_aas_say_json(c, t->id, GM_AAS_KEY_SHELL, kept);
    if (kept == NULL && t->shell.len > 0) gm_aas_take_back(c, t->id, GM_PHASE_DESIGNED, GM_STR(GM_AAS_KEY_SHELL));
    if (place->marked) gm_aas_take_back(c, t->id, GM_PHASE_DESIGNED, GM_STR(GM_AAS_KEY_GONE));
    json_decref(bare);
}

// The twin, when there is to be one and is none. False: replied.
static bool say_twin(gm_aas_change *c, const shell_place *place, const gm_aas_plan *planned)
{
    gm_request   *request = c->request;
    const json_t *twin    = json_array_get(planned->twins, 0), *model = json_object_get(json_object_get(twin, "$metadata"), "$model");
    gm_str        dtmi    = { json_string_value(model), json_string_length(model) };
    gm_error      err     = { 0 };
    c->thing = place->thing.id;
    c->twin  = place->thing.twin;
    if (twin == NULL && !gm_twin_ok(c->twin)) return true;
    if (twin == NULL || (gm_twin_ok(c->twin) && !gm_str_is(dtmi, GM_AAS_ASSET_MODEL) && !gm_str_eq(dtmi, place->thing.type->id))) {
        gm_reply_error(request, 409, "NotWritable", "'" GM_STR_FMT "' is a twin of " GM_STR_FMT "; another interface takes a migration (POST /v1/migrate), another kind of asset can not be.",
                       GM_STR_ARG(c->thing), GM_STR_ARG(place->thing.type->id));
        return false;
    }
    if (gm_twin_ok(c->twin)) return true;
    if (gm_principal_scoped(request->principal)) return refuse_scoped(request);
    if (!gm_api_id_fits(request, c->thing)) return false;
    gm_status st = gm_document_read_twin(gm_api_model(request), twin, gm_api_now(request), request->arena, &c->put, &err);
    if (st == GM_NOTFOUND) {
        gm_reply_error(request, 409, "InterfaceMissing", "The asset's type is the interface '" GM_STR_FMT "', which is not here: POST its submodel first (or /models).", GM_STR_ARG(dtmi));
        return false;
    }
    if (st != GM_OK) gm_api_document_refused(request, "Invalid twin specified", st, &err);
    return st == GM_OK && gm_api_type_usable(request, c->put.type);
}

// The interface of assets that come from elsewhere must be there before the first of them: then this is handled again.
static bool need_models(gm_request *request, const gm_aas_plan *planned)
{
    const json_t *model = json_array_get(planned->models, 0);
    gm_error      err   = { 0 };
    gm_str        none  = { 0 };
    if (model == NULL || gm_model_find(gm_api_model(request), gm_aas_string(model, "@id")) != NULL) return false;
    gm_buf text = gm_buf_init(request->alloc);
    gm_document_compact(planned->models, &text);
    gm_ask ask = gm_request_ask(request, request->route->call);
    gm_request_submitted(request, text.failed ? GM_NOMEM : gm_engine_submit(request->engine, GM_CHANGE_MODELS, 0, none, none, gm_buf_view(&text), ask, &err), &err);
    gm_buf_finish(&text);
    return true;
}

static void put_shell(gm_request *request, const shell_place *place, const json_t *shell, gm_request_call *then)
{
    gm_aas_plan planned = { 0 };
    gm_error    err = { 0 };
    if (!gm_aas_is_sound(request, "assetAdministrationShells", shell)) return;
    gm_status st = plan(request, shell, &planned, &err);
    if (st != GM_OK) {
        gm_reply_failure(request, st, &err);
    } else if (!need_models(request, &planned)) {
        gm_aas_change *c = gm_aas_change_begin(request);
        if (c != NULL && say_twin(c, place, &planned)) {
            say_shell(c, place, &planned, shell);
            say_links(c, &place->thing, json_object_get(shell, "submodels"));
            gm_aas_change_commit(c, then);
        }
    }
    gm_aas_plan_finish(&planned);
}

// ---- routes -------------------------------------------------------------------------------------------------------------------

static void after_made(gm_request *request)
{
    gm_aas_thing thing;
    gm_error     err   = { 0 };
    gm_aas_world world = gm_aas_world_of(request);
    gm_str       id    = gm_aas_string(request->json, "id");
    gm_status    st    = gm_aas_open_shell(request, &world, id, &thing, &err);
    if (st != GM_OK) {
        gm_reply_failure(request, st, &err);
        return;
    }
    gm_aas_write_shell(&world, &thing, &request->out);
    if (request->method == GM_METHOD_POST) gm_aas_reply_made_id(request, id);
    else gm_aas_reply_made(request, (gm_str){ 0 });
}

// An interface's shell comes with its model: then it is made when it says what the client says.
static void post_type(gm_request *request, gm_str id, const json_t *body)
{
    gm_aas_thing   thing;
    gm_aas_world   world = gm_aas_world_of(request);
    gm_buf         text  = gm_buf_init(request->alloc);
    const gm_type *type  = gm_model_find(world.model, id);
    json_t        *own   = NULL;
    if (type != NULL) {
        gm_aas_open_type(type, &thing);
        gm_aas_write_shell(&world, &thing, &text);
        own = text.failed ? NULL : json_loadb((const char *)text.ptr, text.len, 0, NULL);
    }
    if (own != NULL && json_equal(own, body)) after_made(request);
    else if (own != NULL) gm_reply_error(request, 409, "ShellExists", "The interface '" GM_STR_FMT "' is there already, and its shell says something else.", GM_STR_ARG(gm_str_slice(id, 0, 200)));
    else gm_reply_error(request, 409, "InterfaceMissing", "The interface '" GM_STR_FMT "' is not here: POST its submodel first (or /models).", GM_STR_ARG(gm_str_slice(id, 0, 200)));
    json_decref(own);
    gm_buf_finish(&text);
}

void gm_route_aas_shell_post(gm_request *request)
{
    shell_place   place;
    const json_t *body = gm_aas_body(request);
    if (body == NULL || !gm_aas_is_sound(request, "assetAdministrationShells", body)) return;
    gm_str id = gm_aas_string(body, "id");
    if (gm_aas_is_type(id)) {
        post_type(request, id, body);
        return;
    }
    if (!open_place(request, id, &place)) return;
    if (place.own) gm_reply_error(request, 409, "ShellExists", "There is a shell '" GM_STR_FMT "' already.", GM_STR_ARG(gm_str_slice(id, 0, 300)));
    else put_shell(request, &place, body, after_made);
}

// The shell of the path, there or (if it may) not. False: replied, or it waits.
static bool shell_of_path(gm_request *request, shell_place *out, gm_str *out_id)
{
    if (!gm_aas_decode_id(request, request->parameters[0], out_id) || !open_place(request, *out_id, out)) return false;
    return true;
}

static bool must_be_there(gm_request *request, const shell_place *place, gm_str id)
{
    if (!place->there) gm_reply_error(request, 404, "ShellNotFound", "There is no shell '" GM_STR_FMT "'.", GM_STR_ARG(gm_str_slice(id, 0, 300)));
    return place->there;
}

void gm_route_aas_shell_put(gm_request *request)
{
    shell_place   place;
    gm_str        id;
    const json_t *body = gm_aas_body(request);
    if (body == NULL || !shell_of_path(request, &place, &id)) return;
    if (!gm_str_eq(id, gm_aas_string(body, "id"))) gm_reply_error(request, 400, "BadRequest", "The shell's id is not the one of the path.");
    else put_shell(request, &place, body, place.there ? gm_aas_reply_done : after_made);
}

void gm_route_aas_asset_put(gm_request *request)
{
    shell_place   place;
    gm_str        id;
    gm_buf        text = gm_buf_init(request->alloc);
    const json_t *body = gm_aas_body(request);
    if (body == NULL || !shell_of_path(request, &place, &id) || !must_be_there(request, &place, id)) return;
    gm_aas_write_shell(&place.world, &place.thing, &text);
    json_t *shell = text.failed ? NULL : json_loadb((const char *)text.ptr, text.len, 0, NULL);
    if (shell == NULL || json_object_set(shell, "assetInformation", (json_t *)(uintptr_t)body) != 0) gm_reply_failure(request, GM_NOMEM, NULL);
    else put_shell(request, &place, shell, gm_aas_reply_done);
    json_decref(shell);
    gm_buf_finish(&text);
}

// The twin goes, and what was kept of the shell; facts stay, and with them the submodels that they make, until those are deleted, too.
void gm_route_aas_shell_delete(gm_request *request)
{
    shell_place     place;
    gm_str          id;
    const gm_state *state = gm_api_state(request);
    if (!shell_of_path(request, &place, &id) || !must_be_there(request, &place, id)) return;
    const gm_aas_thing *t = &place.thing;
    if (gm_twin_ok(t->twin) && (gm_edge_ok(gm_state_first_out(state, t->twin)) || gm_edge_ok(gm_state_first_in(state, t->twin)))) {
        gm_reply_error(request, 409, "RelationshipsNotDeleted", "The twin '" GM_STR_FMT "' has relationships. Delete them, incoming and outgoing, and try again.", GM_STR_ARG(t->id));
        return;
    }
    gm_aas_change *c = gm_aas_change_begin(request);
    if (c == NULL) return;
    c->thing     = t->id;
    c->twin      = t->twin;
    c->twin_goes = gm_twin_ok(t->twin);
    if (t->shell.len > 0) gm_aas_take_back(c, t->id, GM_PHASE_DESIGNED, GM_STR(GM_AAS_KEY_SHELL));
    for (size_t i = 0; i < t->kept_count; i++) gm_aas_take_back(c, t->id, t->kept[i].phase, t->kept[i].key);
    json_t *gone = json_true();
    if (t->fact_count > 0) gm_aas_say_json(c, t->id, GM_AAS_KEY_GONE, gone);
    gm_aas_change_commit(c, gm_aas_reply_done);
}

// ---- references to submodels ----------------------------------------------------------------------------------------------------

static void after_ref(gm_request *request)
{
    gm_document_compact(request->json, &request->out);
    gm_aas_reply_made_id(request, id_in(request->json));
}

void gm_route_aas_ref_post(gm_request *request)
{
    shell_place   place;
    gm_str        id, submodel, thread;
    const json_t *body = gm_aas_body(request);
    if (body == NULL || !shell_of_path(request, &place, &id) || !must_be_there(request, &place, id)) return;
    submodel        = id_in(body);
    const json_t *k = json_array_get(json_object_get(body, "keys"), 0);
    if (submodel.len == 0 || !gm_str_is(gm_aas_string(k, "type"), "Submodel")) {
        gm_reply_error(request, 400, "BadRequest", "The body is a reference to a submodel: {\"type\":\"ModelReference\",\"keys\":[{\"type\":\"Submodel\",\"value\":...}]}.");
        return;
    }
    thread = gm_aas_kept_id(request->arena, "submodel", submodel);
    if (thread.ptr == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
    } else if (is_made_of(request, &place.thing, submodel) || link_to(&place.thing, thread) != NULL) {
        gm_reply_error(request, 409, "ReferenceExists", "The shell names this submodel already, or will as soon as there is something in it.");
    } else {
        gm_aas_change *c = gm_aas_change_begin(request);
        if (c == NULL) return;
        say_link(c, &place.thing, thread, submodel, next_number(&place.thing));
        gm_aas_change_commit(c, after_ref);
    }
}

void gm_route_aas_ref_delete(gm_request *request)
{
    shell_place place;
    gm_str      id, submodel;
    if (!shell_of_path(request, &place, &id) || !must_be_there(request, &place, id) || !gm_aas_decode_id(request, request->parameters[1], &submodel)) return;
    gm_str         thread = gm_aas_kept_id(request->arena, "submodel", submodel);
    const gm_fact *link   = thread.ptr != NULL ? link_to(&place.thing, thread) : NULL;
    if (link == NULL && is_made_of(request, &place.thing, submodel)) {
        gm_reply_error(request, 409, "NotWritable", "gemel makes this submodel of what it knows of the shell's thing; delete the submodel itself.");
    } else if (link == NULL) {
        gm_reply_error(request, 404, "ReferenceNotFound", "The shell does not name this submodel.");
    } else {
        gm_aas_change *c = gm_aas_change_begin(request);
        if (c == NULL) return;
        gm_aas_take_back(c, place.thing.id, link->phase, link->key);
        gm_aas_change_commit(c, gm_aas_reply_done);
    }
}
