// A submodel by its id: made of what gemel knows, or kept as it came.
#include "api/aas/aas.h"
#include "api/thread/life.h"

#include <stdlib.h>

gm_status gm_aas_kept_text(gm_request *request, gm_str thread, gm_str key, gm_buf *out, gm_error *err)
{
    const gm_life *life  = request->api->life;
    uint8_t       *bytes = NULL;
    size_t         size  = 0;
    gm_fact        f;
    if (!gm_thread_read(life->thread, thread, GM_PHASE_DESIGNED, key, gm_api_now(request), INT64_MAX, &f))
        return gm_fail(err, GM_NOTFOUND, "api.aas", "nothing is kept as '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(thread, 0, 120)));
    if (f.value.kind == GM_FACT_JSON) gm_buf_str(out, f.value.text);
    if (f.value.kind != GM_FACT_DOCUMENT || life->documents.io == NULL) return GM_OK;
    gm_status st = gm_documents_read(&life->documents, f.value.text, request->api->options.limits.bulk_max, &bytes, &size, err);
    if (st != GM_OK) return st;
    gm_buf_add(out, bytes, size);
    gm_free(life->documents.io->alloc, bytes);
    return GM_OK;
}

typedef struct holder { gm_request *request; bool seen; } holder;

static bool is_seen(void *context, const gm_fact *fact)
{
    holder *h = context;
    h->seen   = gm_life_sees(h->request, fact->twin);
    return !h->seen;
}

// A kept submodel belongs to the twins that have it.
bool gm_aas_sees_kept(gm_request *request, gm_str thread)
{
    holder h = { .request = request };
    if (!gm_principal_scoped(request->principal)) return true;
    gm_thread_mentions(gm_life_thread(request), thread, GM_STR(GM_AAS_KEY_SUBMODELS), GM_MENTION_HOLDS, gm_api_now(request), INT64_MAX, is_seen, &h);
    return h.seen;
}

bool gm_aas_has_kept(gm_request *request, gm_str thread)
{
    gm_fact f;
    return gm_thread_read(gm_life_thread(request), thread, GM_PHASE_DESIGNED, GM_STR(GM_AAS_KEY_SUBMODEL), gm_api_now(request), INT64_MAX, &f) && gm_aas_sees_kept(request, thread);
}

static gm_status open_made(gm_request *request, const gm_aas_world *world, gm_aas_found *out, gm_str id, gm_error *err)
{
    gm_str thing;
    if (!gm_aas_submodel_thing(request->arena, id, &out->kind, &thing)) return GM_NOTFOUND;
    if (out->kind == GM_AAS_INTERFACE) {
        const gm_type *type = gm_model_find(world->model, thing);
        if (type != NULL) gm_aas_open_type(type, &out->thing);
        return type != NULL ? GM_OK : GM_NOTFOUND;
    }
    gm_status st = gm_aas_open_thing(world, request->arena, thing, &out->thing, err);
    return st == GM_OK && (out->thing.kinds >> out->kind & 1) == 0 ? GM_NOTFOUND : st;
}

gm_status gm_aas_submodel_text(gm_request *request, const gm_aas_world *world, gm_str id, gm_aas_found *out, gm_buf *text, gm_error *err)
{
    *out = (gm_aas_found){ .origin = GM_AAS_KEPT, .thread = gm_aas_kept_id(request->arena, "submodel", id) };
    if (out->thread.ptr == NULL) return gm_fail(err, GM_NOMEM, "api.aas", "reading a submodel");
    if (gm_aas_has_kept(request, out->thread)) return gm_aas_kept_text(request, out->thread, GM_STR(GM_AAS_KEY_SUBMODEL), text, err);
    out->origin  = GM_AAS_MADE;
    gm_status st = open_made(request, world, out, id, err);
    if (st == GM_OK) gm_aas_write_submodel(world, &out->thing, out->kind, text);
    return st;
}

bool gm_aas_reference_parameter(gm_request *request, const char *name, gm_str *out_key)
{
    gm_str coded, text;
    *out_key = (gm_str){ 0 };
    if (!gm_request_parameter(request, name, &coded)) return false;
    if (coded.len == 0) return true;
    if (!gm_aas_decode_id(request, coded, &text)) return false;
    json_t *reference = json_loadb(text.ptr, text.len, 0, NULL);
    json_t *element   = json_pack("{so}", "semanticId", reference != NULL ? reference : json_null());
    *out_key          = gm_arena_str(request->arena, gm_aas_semantics(element));
    json_decref(element);
    if (out_key->len > 0) return true;
    gm_reply_error(request, 400, "BadRequest", "'%s' is base64url of a reference: {\"type\":\"ExternalReference\",\"keys\":[...]}.", name);
    return false;
}

// ---- the one of the path -------------------------------------------------------------------------------------------------

// The same routes are there below a shell: /shells/{shell}/submodels/{id}...
bool gm_aas_is_below_shell(const gm_request *request) { return gm_str_starts(gm_str_of(request->route->pattern), GM_STR("/shells/{shell}/")); }

gm_str gm_aas_parameter(const gm_request *request, unsigned i) { return request->parameters[i + (gm_aas_is_below_shell(request) ? 1 : 0)]; }

// Does the shell of the path name the submodel?
static bool is_of_shell(gm_request *request, const gm_aas_world *world, gm_str id, bool *out_is)
{
    gm_aas_thing shell;
    gm_aas_kind  kind;
    gm_str       whose, thread = gm_aas_kept_id(request->arena, "submodel", id);
    *out_is = true;
    if (!gm_aas_is_below_shell(request)) return true;
    if (!gm_aas_shell_of(request, world, request->parameters[0], &shell)) return false;
    *out_is = gm_aas_submodel_thing(request->arena, id, &kind, &whose) && gm_str_eq(whose, shell.id);
    for (size_t i = 0; i < shell.kept_count; i++) *out_is = *out_is || gm_str_eq(shell.kept[i].value.text, thread);
    return true;
}

static bool submodel_of(gm_request *request, gm_aas_found *out, gm_buf *text)
{
    gm_str   id;
    gm_error err = { 0 };
    bool     of_shell;
    if (!gm_aas_decode_id(request, gm_aas_parameter(request, 0), &id)) return false;
    gm_aas_world world = gm_aas_world_of(request);
    if (!is_of_shell(request, &world, id, &of_shell)) return false;
    gm_status st = of_shell ? gm_aas_submodel_text(request, &world, id, out, text, &err) : GM_NOTFOUND;
    if (st == GM_OK && text->failed) st = GM_NOMEM;
    if (st == GM_OK) return true;
    if (st == GM_NOTFOUND) gm_reply_error(request, 404, "SubmodelNotFound", "There is no submodel '" GM_STR_FMT "'.", GM_STR_ARG(gm_str_slice(id, 0, 300)));
    else gm_reply_failure(request, st, &err);
    return false;
}

json_t *gm_aas_submodel_tree(gm_request *request, gm_aas_found *out_found)
{
    gm_buf  text = gm_buf_init(request->alloc);
    json_t *tree = NULL;
    if (submodel_of(request, out_found, &text)) {
        tree = json_loadb((const char *)text.ptr, text.len, 0, NULL);
        if (tree == NULL) gm_reply_failure(request, GM_NOMEM, NULL);  // it is our own writing, or was read before it was kept
    }
    gm_buf_finish(&text);
    return tree;
}

json_t *gm_aas_element_of(gm_request *request, json_t *tree)
{
    gm_str  path    = gm_aas_parameter(request, 1);
    json_t *element = tree != NULL ? gm_aas_find(tree, path) : NULL;
    if (tree != NULL && element == NULL)
        gm_reply_error(request, 404, "ElementNotFound", "The submodel has nothing at '" GM_STR_FMT "'.", GM_STR_ARG(gm_str_slice(path, 0, 300)));
    return element;
}
