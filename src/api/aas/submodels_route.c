// /submodels and their elements, read.
#include "api/aas/aas.h"
#include "api/routes.h"
#include "api/thread/life.h"

#include <stdlib.h>

// ---- /submodels ---------------------------------------------------------------------------------------------------------

typedef struct filter { gm_str id_short, semantics; } filter;

static bool read_filter(gm_request *request, filter *out)
{
    *out = (filter){ 0 };
    return gm_request_parameter(request, "idShort", &out->id_short) && gm_aas_reference_parameter(request, "semanticId", &out->semantics);
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
    bool    done = tree != NULL && gm_aas_write_view(l->request, tree, tree, view, gm_aas_string(tree, "id"), (gm_str){ 0 });
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
    if (!gm_aas_has_kept(l->request, thread)) return true;
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
    if (tree != NULL && gm_aas_write_view(request, tree, tree, view, gm_aas_string(tree, "id"), (gm_str){ 0 })) gm_reply_json(request, 200);
    json_decref(tree);
}

void gm_route_aas_submodel(gm_request *request)
{
    gm_aas_view view;
    gm_str      id = gm_aas_parameter(request, 0);
    if (id.len > 0 && id.ptr[0] == '$' && id.ptr == request->parameters[0].ptr) {  // of all of them, not below a shell
        if (gm_aas_view_of(request, id, &view)) list_submodels(request, view);
        return;
    }
    reply_submodel(request, GM_AAS_VIEW_PLAIN);
}

void gm_route_aas_submodel_view(gm_request *request)
{
    gm_aas_view view;
    if (gm_aas_view_of(request, gm_aas_parameter(request, 1), &view)) reply_submodel(request, view);
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
        fine = gm_aas_write_view(request, tree, element, view, gm_aas_string(tree, "id"), gm_aas_string(element, "idShort"));
    }
    l.place = (gm_aas_place){ .at = (uint32_t)at };
    if (fine) gm_aas_list_end(&l, at < json_array_size(list));
    json_decref(tree);
}

void gm_route_aas_elements(gm_request *request) { list_elements(request, GM_AAS_VIEW_PLAIN); }

static void reply_element(gm_request *request, gm_aas_view view)
{
    gm_aas_found found;
    json_t      *tree    = gm_aas_submodel_tree(request, &found);
    json_t      *element = gm_aas_element_of(request, tree);
    if (element != NULL && gm_aas_write_view(request, tree, element, view, gm_aas_string(tree, "id"), gm_aas_parameter(request, 1))) gm_reply_json(request, 200);
    json_decref(tree);
}

void gm_route_aas_element(gm_request *request)
{
    gm_aas_view view;
    gm_str      path = gm_aas_parameter(request, 1);
    if (path.len > 0 && path.ptr[0] == '$') {
        if (gm_aas_view_of(request, path, &view)) list_elements(request, view);
        return;
    }
    reply_element(request, GM_AAS_VIEW_PLAIN);
}

void gm_route_aas_element_view(gm_request *request)
{
    gm_aas_view view;
    if (gm_aas_view_of(request, gm_aas_parameter(request, 2), &view)) reply_element(request, view);
}
