// /submodels and their elements, read.
#include "api/aas/aas.h"
#include "api/routes.h"
#include "api/thread/life.h"
#include "aas/files.h"
#include "state/document.h"

#include <stdlib.h>

// ---- one, by its id -----------------------------------------------------------------------------------------------------

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
static bool sees_kept(gm_request *request, gm_str thread)
{
    holder h = { .request = request };
    if (!gm_principal_scoped(request->principal)) return true;
    gm_thread_mentions(gm_life_thread(request), thread, GM_STR(GM_AAS_KEY_SUBMODELS), GM_MENTION_HOLDS, gm_api_now(request), INT64_MAX, is_seen, &h);
    return h.seen;
}

static bool is_kept(gm_request *request, gm_str thread)
{
    gm_fact f;
    return gm_thread_read(gm_life_thread(request), thread, GM_PHASE_DESIGNED, GM_STR(GM_AAS_KEY_SUBMODEL), gm_api_now(request), INT64_MAX, &f) && sees_kept(request, thread);
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
    if (is_kept(request, out->thread)) return gm_aas_kept_text(request, out->thread, GM_STR(GM_AAS_KEY_SUBMODEL), text, err);
    out->origin  = GM_AAS_MADE;
    gm_status st = open_made(request, world, out, id, err);
    if (st == GM_OK) gm_aas_write_submodel(world, &out->thing, out->kind, text);
    return st;
}

static bool submodel_of(gm_request *request, gm_aas_found *out, gm_buf *text)
{
    gm_str   id;
    gm_error err = { 0 };
    if (!gm_aas_decode_id(request, request->parameters[0], &id)) return false;
    gm_aas_world world = gm_aas_world_of(request);
    gm_status    st    = gm_aas_submodel_text(request, &world, id, out, text, &err);
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

// ---- views --------------------------------------------------------------------------------------------------------------

bool gm_aas_view_of(gm_request *request, gm_str name, gm_aas_view *out)
{
    static const char *const names[] = { "", "$value", "$metadata", "$reference", "$path" };
    for (int v = 1; v < GM_AAS_VIEW_COUNT; v++) {
        if (!gm_str_is(name, names[v])) continue;
        *out = (gm_aas_view)v;
        return true;
    }
    gm_reply_error(request, 404, "NotFound", "'" GM_STR_FMT "' is no view; there are $value, $metadata, $reference and $path.", GM_STR_ARG(gm_str_slice(name, 0, 100)));
    return false;
}

static bool trim(gm_request *request, json_t *element)
{
    gm_str level, extent;
    if (!gm_request_parameter(request, "level", &level) || !gm_request_parameter(request, "extent", &extent)) return false;
    bool deep = level.len == 0 || gm_str_is(level, "deep"), core = gm_str_is(level, "core");
    bool with = gm_str_is(extent, "withBlobValue"), without = extent.len == 0 || gm_str_is(extent, "withoutBlobValue");
    if ((!deep && !core) || (!with && !without)) {
        gm_reply_error(request, 400, "BadRequest", "'level' is deep or core, 'extent' is withBlobValue or withoutBlobValue.");
        return false;
    }
    if (core) gm_aas_trim_core(element);
    if (without && extent.len > 0) gm_aas_trim_blobs(element, 0);
    return true;
}

// The keys that lead to an element: its submodel, then each on the way with what it is.
static json_t *reference_to(json_t *submodel, gm_str submodel_id, gm_str path)
{
    json_t *keys = json_array();
    (void)json_array_append_new(keys, json_pack("{sss s%}", "type", "Submodel", "value", submodel_id.ptr, submodel_id.len));
    for (size_t end = 1; path.len > 0 && end <= path.len; end++) {
        bool here = end == path.len || path.ptr[end] == '.' || path.ptr[end] == '[';
        if (!here) continue;
        gm_str        part  = gm_str_slice(path, 0, end);
        const json_t *e     = gm_aas_find(submodel, part);
        size_t        from  = end;
        while (from > 0 && part.ptr[from - 1] != '.' && part.ptr[from - 1] != '[') from--;
        gm_str name = gm_str_slice(part, from, end);
        if (name.len > 0 && name.ptr[name.len - 1] == ']') name.len--;
        gm_str type = gm_aas_string(e, "modelType");
        (void)json_array_append_new(keys, json_pack("{ss% ss%}", "type", type.ptr != NULL ? type.ptr : "", type.len, "value", name.ptr, name.len));
    }
    return json_pack("{sss o}", "type", "ModelReference", "keys", keys);
}

static json_t *view_tree(json_t *submodel, json_t *element, gm_aas_view view, gm_str submodel_id, gm_str path)
{
    json_t *list;
    switch (view) {
    case GM_AAS_VIEW_VALUE: return gm_aas_value_only(element);
    case GM_AAS_VIEW_METADATA: return gm_aas_metadata_only(element);
    case GM_AAS_VIEW_REFERENCE: return reference_to(submodel, submodel_id, path);
    case GM_AAS_VIEW_PATH:
        list = json_array();
        if (path.len > 0) (void)json_array_append_new(list, json_stringn(path.ptr, path.len));
        gm_aas_paths(element, path, list);
        return list;
    default: return json_incref(element);
    }
}

static bool write_view(gm_request *request, json_t *submodel, json_t *element, gm_aas_view view, gm_str submodel_id, gm_str path)
{
    if (!trim(request, element)) return false;
    json_t *shown = view_tree(submodel, element, view, submodel_id, path);
    if (shown == NULL) {
        gm_reply_error(request, 400, "BadRequest", "This element has no value.");
        return false;
    }
    gm_document_compact(shown, &request->out);
    json_decref(shown);
    return true;
}

bool gm_aas_write_view(gm_request *request, json_t *element, gm_aas_view view, gm_str submodel_id, gm_str path)
{
    return write_view(request, element, element, view, submodel_id, path);
}

// ---- /submodels ---------------------------------------------------------------------------------------------------------

typedef struct filter { gm_str id_short, semantics; } filter;

// semanticId: base64url of a reference; its last key counts.
static bool read_filter(gm_request *request, filter *out)
{
    gm_str coded, text;
    *out = (filter){ 0 };
    if (!gm_request_parameter(request, "idShort", &out->id_short) || !gm_request_parameter(request, "semanticId", &coded)) return false;
    if (coded.len == 0) return true;
    if (!gm_aas_decode_id(request, coded, &text)) return false;
    json_t *reference = json_loadb(text.ptr, text.len, 0, NULL);
    json_t *element   = json_pack("{so}", "semanticId", reference != NULL ? reference : json_null());
    out->semantics    = gm_arena_str(request->arena, gm_aas_semantics(element));
    json_decref(element);
    if (out->semantics.len > 0) return true;
    gm_reply_error(request, 400, "BadRequest", "'semanticId' is base64url of a reference: {\"type\":\"ExternalReference\",\"keys\":[...]}.");
    return false;
}

static bool kind_fits(const filter *f, gm_aas_kind kind)
{
    return (f->id_short.len == 0 || gm_str_is(f->id_short, gm_aas_kind_name(kind))) && (f->semantics.len == 0 || gm_str_is(f->semantics, gm_aas_kind_semantics(kind)));
}

static bool tree_fits(const filter *f, const json_t *tree)
{
    return (f->id_short.len == 0 || gm_str_eq(f->id_short, gm_aas_string(tree, "idShort"))) && (f->semantics.len == 0 || gm_str_eq(f->semantics, gm_aas_semantics(tree)));
}

// One submodel of the list in its view; a plain one is text already.
static bool write_item(gm_aas_listing *l, gm_buf *text, gm_aas_view view)
{
    gm_str level, extent;
    if (!gm_request_parameter(l->request, "level", &level) || !gm_request_parameter(l->request, "extent", &extent)) return false;
    gm_aas_list_item(l);
    if (view == GM_AAS_VIEW_PLAIN && level.len == 0 && extent.len == 0) {
        gm_buf_str(&l->request->out, gm_buf_view(text));
        if (text->failed) l->request->out.failed = true;
        return true;
    }
    json_t *tree = text->failed ? NULL : json_loadb((const char *)text->ptr, text->len, 0, NULL);
    bool    done = tree != NULL && gm_aas_write_view(l->request, tree, view, gm_aas_string(tree, "id"), (gm_str){ 0 });
    if (tree == NULL) gm_reply_failure(l->request, GM_NOMEM, NULL);
    json_decref(tree);
    return done;
}

// The submodels of the thing at hand from place.sub on. False: replied.
static bool list_made(gm_aas_listing *l, const gm_aas_thing *t, const filter *f, gm_aas_view view, gm_buf *text, uint32_t *sub)
{
    for (; *sub < GM_AAS_KIND_COUNT; ++*sub) {
        if ((t->kinds >> *sub & 1) == 0 || !kind_fits(f, (gm_aas_kind)*sub)) continue;
        if (!gm_aas_list_has_room(l)) return true;
        gm_buf_clear(text);
        gm_aas_write_submodel(&l->world, t, (gm_aas_kind)*sub, text);
        if (!write_item(l, text, view)) return false;
    }
    return true;
}

static bool list_kept(gm_aas_listing *l, gm_str thread, const filter *f, gm_aas_view view, gm_buf *text)
{
    gm_error err = { 0 };
    if (!is_kept(l->request, thread)) return true;
    gm_buf_clear(text);
    gm_status st = gm_aas_kept_text(l->request, thread, GM_STR(GM_AAS_KEY_SUBMODEL), text, &err);
    if (st != GM_OK) {
        gm_reply_failure(l->request, st, &err);
        return false;
    }
    bool asks = f->id_short.len + f->semantics.len > 0;
    json_t *tree = asks ? json_loadb((const char *)text->ptr, text->len, 0, NULL) : NULL;
    bool    is   = !asks || tree_fits(f, tree);
    json_decref(tree);
    return !is || write_item(l, text, view);
}

// The place is taken back when the page ends within a thing: the next page begins there, behind the submodels that were shown.
static bool list_thing(gm_aas_listing *l, gm_aas_place before, gm_str id, const gm_type *type, const filter *f, gm_aas_view view, gm_buf *text, bool *out_full)
{
    gm_aas_thing t;
    gm_error     err = { 0 };
    bool         same = l->place.phase == before.phase && l->place.at == before.at + 1;  // else what the cursor meant is gone
    uint32_t     sub  = same ? before.sub : 0;
    bool         fine = true;
    gm_status    st   = GM_OK;
    if (type != NULL) gm_aas_open_type(type, &t);
    else if (gm_aas_is_kept(id, "submodel")) return list_kept(l, id, f, view, text);
    else st = gm_aas_open_thing(&l->world, l->request->arena, id, &t, &err);
    if (st == GM_NOTFOUND) return true;
    if (st == GM_OK) fine = list_made(l, &t, f, view, text, &sub);
    else gm_reply_failure(l->request, st, &err);
    *out_full = fine && st == GM_OK && sub < GM_AAS_KIND_COUNT;
    if (*out_full) l->place = (gm_aas_place){ .phase = l->place.phase, .at = l->place.at - 1, .sub = sub };
    return fine && st == GM_OK;
}

static void list_submodels(gm_request *request, gm_aas_view view)
{
    gm_aas_listing l = { .request = request };
    filter         f;
    gm_buf         text = gm_buf_init(request->alloc);
    bool           fine = read_filter(request, &f) && gm_aas_list_begin(&l), full = false;
    while (fine && !full && gm_aas_list_has_room(&l)) {
        gm_str         id;
        const gm_type *type;
        gm_aas_place   before = l.place;
        gm_mark        mark   = gm_arena_mark(request->arena);
        l.place.sub           = 0;
        if (!gm_aas_list_next(&l, &id, &type)) break;
        fine = list_thing(&l, before, id, type, &f, view, &text, &full);
        gm_arena_rewind(request->arena, mark);
    }
    if (fine) gm_aas_list_end(&l, true);
    gm_buf_finish(&text);
}

void gm_route_aas_submodels(gm_request *request) { list_submodels(request, GM_AAS_VIEW_PLAIN); }

static void reply_submodel(gm_request *request, gm_aas_view view)
{
    gm_aas_found found;
    json_t      *tree = gm_aas_submodel_tree(request, &found);
    if (tree != NULL && gm_aas_write_view(request, tree, view, gm_aas_string(tree, "id"), (gm_str){ 0 })) gm_reply_json(request, 200);
    json_decref(tree);
}

void gm_route_aas_submodel(gm_request *request)
{
    gm_aas_view view;
    gm_str      id = request->parameters[0];
    if (id.len > 0 && id.ptr[0] == '$') {
        if (gm_aas_view_of(request, id, &view)) list_submodels(request, view);
        return;
    }
    reply_submodel(request, GM_AAS_VIEW_PLAIN);
}

void gm_route_aas_submodel_view(gm_request *request)
{
    gm_aas_view view;
    if (gm_aas_view_of(request, request->parameters[1], &view)) reply_submodel(request, view);
}

// ---- elements -----------------------------------------------------------------------------------------------------------

// Pages of the elements right below the submodel; the cursor is how many are behind.
static void list_elements(gm_request *request, gm_aas_view view)
{
    gm_aas_listing l = { .request = request };
    gm_aas_found   found;
    json_t        *tree = gm_aas_submodel_tree(request, &found);
    bool           fine = tree != NULL && gm_aas_list_begin(&l);
    json_t        *list = json_object_get(tree, "submodelElements");
    size_t         at   = l.place.at;
    for (; fine && at < json_array_size(list) && gm_aas_list_has_room(&l); at++) {
        json_t *element = json_array_get(list, at);
        gm_aas_list_item(&l);
        fine = write_view(request, tree, element, view, gm_aas_string(tree, "id"), gm_aas_string(element, "idShort"));
    }
    l.place = (gm_aas_place){ .at = (uint32_t)at };
    if (fine) gm_aas_list_end(&l, at < json_array_size(list));
    json_decref(tree);
}

void gm_route_aas_elements(gm_request *request) { list_elements(request, GM_AAS_VIEW_PLAIN); }

static json_t *element_of(gm_request *request, json_t *tree)
{
    gm_str  path    = request->parameters[1];
    json_t *element = tree != NULL ? gm_aas_find(tree, path) : NULL;
    if (tree != NULL && element == NULL)
        gm_reply_error(request, 404, "ElementNotFound", "The submodel has nothing at '" GM_STR_FMT "'.", GM_STR_ARG(gm_str_slice(path, 0, 300)));
    return element;
}

static void reply_element(gm_request *request, gm_aas_view view)
{
    gm_aas_found found;
    json_t      *tree    = gm_aas_submodel_tree(request, &found);
    json_t      *element = element_of(request, tree);
    if (element != NULL && write_view(request, tree, element, view, gm_aas_string(tree, "id"), request->parameters[1])) gm_reply_json(request, 200);
    json_decref(tree);
}

void gm_route_aas_element(gm_request *request)
{
    gm_aas_view view;
    gm_str      path = request->parameters[1];
    if (path.len > 0 && path.ptr[0] == '$') {
        if (gm_aas_view_of(request, path, &view)) list_elements(request, view);
        return;
    }
    reply_element(request, GM_AAS_VIEW_PLAIN);
}

void gm_route_aas_element_view(gm_request *request)
{
    gm_aas_view view;
    if (gm_aas_view_of(request, request->parameters[2], &view)) reply_element(request, view);
}

// ---- files --------------------------------------------------------------------------------------------------------------

// The document of a path: by its hash, or as the kept submodel's own file.
static bool hash_of(gm_request *request, const gm_aas_found *found, gm_str path, gm_str *out_hash)
{
    gm_fact f;
    if (found->origin == GM_AAS_MADE) return gm_aas_file_hash(path, out_hash);
    gm_str key = gm_arena_printf(request->arena, GM_AAS_KEY_FILE GM_STR_FMT, GM_STR_ARG(path));
    if (key.ptr == NULL || !gm_thread_read(gm_life_thread(request), found->thread, GM_PHASE_DESIGNED, key, gm_api_now(request), INT64_MAX, &f) ||
        f.value.kind != GM_FACT_DOCUMENT) return false;
    *out_hash = gm_arena_str(request->arena, f.value.text);
    return true;
}

void gm_route_aas_attachment(gm_request *request)
{
    gm_aas_found   found;
    gm_str         hash;
    gm_error       err   = { 0 };
    const gm_life *life  = request->api->life;
    uint8_t       *bytes = NULL;
    size_t         size  = 0;
    json_t        *tree = gm_aas_submodel_tree(request, &found), *element = element_of(request, tree);
    if (element != NULL && (!gm_aas_is(element, "File") || life->documents.io == NULL || !hash_of(request, &found, gm_aas_string(element, "value"), &hash))) {
        gm_reply_error(request, 404, "FileNotFound", "This element names no file that is kept here.");
    } else if (element != NULL) {
        gm_status st = gm_documents_read(&life->documents, hash, request->api->options.limits.bulk_max, &bytes, &size, &err);
        if (st != GM_OK) {
            gm_reply_failure(request, st, &err);
        } else {
            gm_buf_add(&request->out, bytes, size);
            gm_free(life->documents.io->alloc, bytes);
            gm_reply_header(request, "Content-Disposition", "attachment");
            gm_reply_header(request, "X-Content-Type-Options", "nosniff");
            gm_reply_text(request, 200, "application/octet-stream");  // never shown in place: a document is not a page of this server
        }
    }
    json_decref(tree);
}
