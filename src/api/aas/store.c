#include "api/aas/store.h"

#include "aas/check.h"
#include "aas/settle.h"
#include "api/documents.h"
#include "api/thread/life.h"
#include "base/base64url.h"

#include <stdio.h>

void gm_aas_reply_done(gm_request *request) { gm_reply_empty(request, 204); }

json_t *gm_aas_body(gm_request *request)
{
    json_t *body = gm_request_json(request);
    if (body == NULL || json_is_object(body)) return body;
    gm_reply_error(request, 400, "BadRequest", "The body is a JSON object.");
    return NULL;
}

void gm_aas_reply_made(gm_request *request, gm_str name)
{
    gm_str path = request->path;
    while (path.len > 0 && path.ptr[path.len - 1] == '/') path.len--;
    gm_reply_header(request, "Location", GM_STR_FMT "%s" GM_STR_FMT, GM_STR_ARG(path), name.len > 0 ? "/" : "", GM_STR_ARG(name));
    gm_reply_json(request, 201);
}

void gm_aas_reply_made_id(gm_request *request, gm_str id)
{
    char *coded = gm_arena_bytes(request->arena, GM_BASE64URL_LEN(id.len) + 1);
    if (coded == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    gm_base64url_encode((const uint8_t *)id.ptr, id.len, coded);
    gm_aas_reply_made(request, (gm_str){ coded, GM_BASE64URL_LEN(id.len) });
}

void gm_aas_refuse(gm_request *request, gm_status st, const gm_error *err)
{
    if (st == GM_CONFLICT) gm_reply_error(request, 409, "NotWritable", "%s.", err->text);
    else if (st == GM_NOTFOUND) gm_reply_error(request, 404, "ElementNotFound", "%s.", err->text);
    else gm_reply_failure(request, st, err);
}

bool gm_aas_same_json(gm_str kept, const json_t *value)
{
    json_t *old  = kept.len > 0 ? json_loadb(kept.ptr, kept.len, 0, NULL) : NULL;
    bool    same = old != NULL && json_equal(old, value);
    json_decref(old);
    return same;
}

// ---- is it one? -----------------------------------------------------------------------------------------------------------

typedef struct first_fault { gm_arena *arena; gm_str pointer, text; } first_fault;

static void note_first(void *context, gm_str pointer, const char *text)
{
    first_fault *f = context;
    if (f->text.len > 0) return;
    f->pointer = gm_arena_str(f->arena, pointer);
    f->text    = gm_arena_str(f->arena, gm_str_of(text));
}

bool gm_aas_is_sound(gm_request *request, const char *list, const json_t *object)
{
    first_fault first = { .arena = request->arena };
    json_t     *env   = json_pack("{s[O]}", list, object);
    size_t      n     = env != NULL ? gm_aas_check(env, note_first, &first) : 1;
    size_t      skip  = strlen("/") + strlen(list) + strlen("/0");
    json_decref(env);
    if (n == 0) return true;
    if (env == NULL || first.text.ptr == NULL) gm_reply_failure(request, GM_NOMEM, NULL);
    else gm_reply_error(request, 400, "ConstraintViolation", GM_STR_FMT "%s" GM_STR_FMT "%s.", GM_STR_ARG(gm_str_slice(first.pointer, skip, first.pointer.len)), first.pointer.len > skip ? ": " : "",
                        GM_STR_ARG(first.text), n > 1 ? " (and more)" : "");
    return false;
}

// ---- what is kept -----------------------------------------------------------------------------------------------------------

// The link from the thing to its submodel, by the submodel's thread.
static const gm_fact *link_of(const gm_aas_thing *thing, gm_str thread)
{
    for (size_t i = 0; i < thing->kept_count; i++) {
        if (gm_str_eq(thing->kept[i].value.text, thread)) return &thing->kept[i];
    }
    return NULL;
}

static void say_facts(gm_aas_change *c, const gm_aas_settled *settled)
{
    gm_error err;
    for (size_t i = 0; i < settled->fact_count; i++) {
        const gm_fact *f = &settled->facts[i];
        if (f->value.kind == GM_FACT_DOCUMENT) gm_aas_change_fail(c, gm_life_check_document(c->request->api->life, &c->request->api->options.limits, f, &err), &err);
        if (!gm_life_shows(c->request, f)) gm_aas_change_fail(c, gm_fail(&err, GM_NOTFOUND, "api.aas", "there is no twin or part '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(f->twin, 0, 100))), &err);
        gm_aas_say(c, f);
    }
}

void gm_aas_say_template(gm_aas_change *c, const gm_aas_thing *thing, const json_t *submodel)
{
    gm_error       err     = { 0 };
    gm_aas_settled settled = { 0 };
    gm_aas_kind    kind    = gm_aas_kind_of(gm_aas_semantics(submodel));
    gm_aas_world   world   = gm_aas_world_of(c->request);
    gm_str         thread  = gm_aas_kept_id(c->request->arena, "submodel", gm_aas_string(submodel, "id"));
    const gm_fact *link    = thread.ptr != NULL ? link_of(thing, thread) : NULL;
    if (kind == GM_AAS_KIND_COUNT) return;
    gm_aas_change_fail(c, gm_aas_settle_kept(&world, thing, submodel, c->request->arena, &settled, &err), &err);
    say_facts(c, &settled);
    if (link == NULL || gm_str_is(link->value.position, gm_aas_kind_name(kind))) return;
    gm_fact next        = *link;  // it is of that kind: gemel makes none beside it
    next.value.position = gm_str_of(gm_aas_kind_name(kind));
    next.from           = 0;
    gm_aas_say(c, &next);
}

enum { HOLDERS_MOST = 256 };  // things that share a submodel, of which one write says something

typedef struct holding { gm_request *request; gm_str *ids; size_t count; bool more; } holding;

static bool note_holder(void *context, const gm_fact *fact)
{
    holding *h = context;
    if (!gm_life_sees(h->request, fact->twin)) return true;
    h->more = h->count == HOLDERS_MOST;
    if (!h->more) h->ids[h->count++] = gm_arena_str(h->request->arena, fact->twin);
    return !h->more;
}

static void say_to_holders(gm_aas_change *c, gm_str thread, const json_t *submodel)
{
    gm_request  *request = c->request;
    holding      h       = { .request = request, .ids = GM_ARENA_NEW(request->arena, gm_str, HOLDERS_MOST) };
    gm_aas_world world   = gm_aas_world_of(request);
    gm_error     err;
    if (h.ids == NULL) {
        gm_aas_change_fail(c, GM_NOMEM, NULL);
        return;
    }
    gm_thread_mentions(world.thread, thread, GM_STR(GM_AAS_KEY_SUBMODELS), GM_MENTION_HOLDS, world.valid, world.known, note_holder, &h);
    if (h.more) gm_aas_change_fail(c, gm_fail(&err, GM_INVALID, "api.aas", "more than %d shells share this submodel; give some of them one of their own", HOLDERS_MOST), &err);
    for (size_t i = 0; i < h.count && !h.more; i++) {
        gm_aas_thing thing;
        gm_status    st = h.ids[i].ptr != NULL ? gm_aas_open_thing(&world, request->arena, h.ids[i], &thing, &err) : gm_fail(&err, GM_NOMEM, "api.aas", "writing to shells");
        if (st == GM_OK) gm_aas_say_template(c, &thing, submodel);
        else if (st != GM_NOTFOUND) gm_aas_change_fail(c, st, &err);
    }
}

typedef struct forgetting { gm_aas_change *change; } forgetting;

static bool take_back_one(void *context, const gm_fact *fact)
{
    gm_aas_take_back(((forgetting *)context)->change, fact->twin, fact->phase, fact->key);
    return true;
}

// Deleted below a shell, the shell names it no more; deleted in the repository, references to it stay, as those of others would.
static void unlink_below(gm_aas_change *c, gm_str thread)
{
    gm_aas_thing shell;
    gm_aas_world world = gm_aas_world_of(c->request);
    if (!gm_aas_is_below_shell(c->request)) return;
    const gm_fact *link = gm_aas_shell_of(c->request, &world, c->request->parameters[0], &shell) ? link_of(&shell, thread) : NULL;
    if (link != NULL) gm_aas_take_back(c, shell.id, link->phase, link->key);
}

static void store_kept(gm_request *request, gm_str thread, const json_t *wanted, gm_request_call *then)
{
    gm_aas_change *c = gm_aas_change_begin(request);
    if (c == NULL) return;
    if (wanted != NULL) {
        gm_aas_say_json(c, thread, GM_AAS_KEY_SUBMODEL, wanted);
        say_to_holders(c, thread, wanted);
    } else {
        forgetting f = { c };
        gm_thread_show(gm_life_thread(request), thread, GM_PHASE_COUNT, gm_api_now(request), INT64_MAX, take_back_one, &f);
        unlink_below(c, thread);
    }
    gm_aas_change_commit(c, then);
}

// ---- what gemel makes ---------------------------------------------------------------------------------------------------------

static gm_status relate(gm_aas_change *c, const gm_aas_thing *thing, const gm_aas_settled *settled, gm_error *err)
{
    gm_request *request = c->request;
    size_t      puts = json_array_size(settled->relationships), goes = json_array_size(settled->gone);
    if (puts + goes > GM_AAS_RELATIONSHIPS_MOST) return gm_fail(err, GM_INVALID, "api.aas", "more than %d relationships at a time", GM_AAS_RELATIONSHIPS_MOST);
    c->relations = GM_ARENA_NEW(request->arena, gm_aas_relation, puts + goes + 1);
    if (c->relations == NULL) return gm_fail(err, GM_NOMEM, "api.aas", "changing relationships");
    for (size_t i = 0; i < goes; i++) {
        const json_t *id = json_array_get(settled->gone, i);
        c->relations[c->relation_count++] = (gm_aas_relation){ .id = gm_arena_str(request->arena, (gm_str){ json_string_value(id), json_string_length(id) }), .goes = true };
    }
    for (size_t i = 0; i < puts; i++) {
        const json_t            *one = json_array_get(settled->relationships, i);
        gm_relationship_document document;
        gm_aas_relation          r  = { .id = gm_arena_str(request->arena, gm_aas_string(one, "$relationshipId")) };
        gm_status                st = gm_document_read_relationship(thing->type, one, request->arena, &document, err);
        if (st != GM_OK) return st == GM_NOMEM ? st : GM_INVALID;
        if (!gm_api_id_fits(request, r.id)) return GM_CANCELLED;  // replied
        r.target = gm_api_find(request, document.target_id);
        if (!gm_twin_ok(r.target) || r.target.v == thing->twin.v) return gm_fail(err, GM_INVALID, "api.aas", "there is no twin '" GM_STR_FMT "' to be related to", GM_STR_ARG(gm_str_slice(document.target_id, 0, 100)));
        if (!gm_api_target_fits(request, thing->twin, r.target, document.name, err)) return GM_INVALID;
        if (gm_engine_in_flight(request->engine, GM_IN_FLIGHT_TWIN, document.target_id)) return GM_LIMIT;
        r.name       = document.name;
        r.properties = document.properties;
        c->relations[c->relation_count++] = r;
    }
    return GM_OK;
}

static void store_made(gm_request *request, const gm_aas_found *found, const json_t *wanted, gm_request_call *then)
{
    const gm_aas_thing *thing = &found->thing;
    gm_aas_world        world = gm_aas_world_of(request);
    gm_aas_settled      settled;
    gm_error            err  = { 0 };
    gm_str              key  = gm_arena_printf(request->arena, GM_AAS_KEY_ADDED "%s", gm_aas_kind_name(found->kind));
    gm_status           st   = key.ptr == NULL ? GM_NOMEM : gm_aas_settle(&world, thing, found->kind, wanted, request->arena, &settled, &err);
    gm_aas_change      *c    = NULL;
    if (key.ptr == NULL) settled = (gm_aas_settled){ 0 };
    if (st == GM_OK && found->making && settled.corrections > 0) {
        gm_reply_error(request, 409, "SubmodelExists", "There is a submodel %s of '" GM_STR_FMT "' already, and it says something else; PUT replaces it.", gm_aas_kind_name(found->kind),
                       GM_STR_ARG(gm_str_slice(thing->id, 0, 200)));
        goto done;
    }
    if (st == GM_OK && (c = gm_aas_change_begin(request)) == NULL) goto done;
    if (st == GM_OK) {
        c->thing          = thing->id;
        c->twin           = thing->twin;
        c->cells          = settled.cells;
        c->cell_count     = settled.cell_count;
        c->reported       = settled.reported;
        c->reported_count = settled.reported_count;
        say_facts(c, &settled);
        if (settled.added != NULL && !gm_aas_same_json(thing->added[found->kind], settled.added)) gm_aas_say_json(c, thing->id, key.ptr, settled.added);
        if (settled.added == NULL && thing->added[found->kind].len > 0) gm_aas_take_back(c, thing->id, GM_PHASE_DESIGNED, key);
        st = relate(c, thing, &settled, &err);
    }
    if (st == GM_OK) gm_aas_change_commit(c, then);
    else if (st == GM_LIMIT) gm_request_retry(request);
    else if (st != GM_CANCELLED) gm_aas_refuse(request, st, &err);
done:
    gm_aas_settled_finish(&settled);
}

void gm_aas_store(gm_request *request, const gm_aas_found *found, const json_t *wanted, gm_request_call *then)
{
    if (found->origin == GM_AAS_KEPT) store_kept(request, found->thread, wanted, then);
    else store_made(request, found, wanted, then);
}

// ---- where it belongs -----------------------------------------------------------------------------------------------------------

static bool open_place(gm_request *request, gm_str thing, gm_aas_found *out)
{
    gm_error     err   = { 0 };
    gm_aas_world world = gm_aas_world_of(request);
    gm_status    st    = gm_aas_open_thing(&world, request->arena, thing, &out->thing, &err);
    bool         live  = out->kind == GM_AAS_OPERATIONAL || out->kind == GM_AAS_RELATIONSHIPS || out->kind == GM_AAS_SERIES;
    if (st == GM_NOTFOUND && gm_life_sees(request, thing)) {
        out->thing = (gm_aas_thing){ .id = thing, .twin = { GM_NONE } };
        st         = GM_OK;
    }
    if (st == GM_NOTFOUND) gm_reply_error(request, 403, "AuthorizationFailed", "'" GM_STR_FMT "' is kept to some twins, and this is not of them.", GM_STR_ARG(gm_principal_name(request->principal)));
    else if (st != GM_OK) gm_reply_failure(request, st, &err);
    else if (live && !gm_twin_ok(out->thing.twin)) {
        gm_reply_error(request, 409, "NotWritable", "This submodel is the twin '" GM_STR_FMT "' itself, and there is none; make its shell first.", GM_STR_ARG(gm_str_slice(thing, 0, 120)));
        return false;
    }
    return st == GM_OK;
}

bool gm_aas_find_place(gm_request *request, gm_str id, gm_aas_found *out)
{
    gm_str thing;
    *out = (gm_aas_found){ .origin = GM_AAS_MADE };
    if (!gm_aas_submodel_thing(request->arena, id, &out->kind, &thing)) {
        *out = (gm_aas_found){ .origin = GM_AAS_KEPT, .thread = gm_aas_kept_id(request->arena, "submodel", id) };
        if (out->thread.ptr == NULL) gm_reply_failure(request, GM_NOMEM, NULL);
        return out->thread.ptr != NULL && !gm_aas_must_wait(request, out->thread);
    }
    if (out->kind != GM_AAS_INTERFACE) return !gm_aas_must_wait(request, thing) && open_place(request, thing, out);
    const gm_type *type = gm_model_find(gm_api_model(request), thing);
    if (type != NULL) gm_aas_open_type(type, &out->thing);
    else out->thing = (gm_aas_thing){ .id = thing, .twin = { GM_NONE }, .is_type = true };
    return !gm_aas_must_wait(request, thing);
}
