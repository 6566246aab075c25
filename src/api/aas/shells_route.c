// /shells and /lookup/shells.
#include "api/aas/aas.h"
#include "api/routes.h"
#include "api/thread/life.h"
#include "base/base64url.h"
#include "base/utf8.h"
#include "state/document.h"

#include <stdlib.h>

enum { WANTED_MAX = 16 };

bool gm_aas_decode_id(gm_request *request, gm_str coded, gm_str *out)
{
    size_t n    = 0;
    while (coded.len > 0 && coded.ptr[coded.len - 1] == '=') coded.len--;  // some clients pad
    char  *text = coded.len <= GM_BASE64URL_LEN(GM_AAS_ID_MAX * 4) ? gm_arena_bytes(request->arena, GM_BASE64URL_BYTES(coded.len) + 1) : NULL;
    if (text != NULL && gm_base64url_decode(coded, (uint8_t *)text, &n) && n > 0 && memchr(text, '\0', n) == NULL && gm_utf8_valid((gm_str){ text, n })) {
        text[n] = '\0';
        *out    = (gm_str){ text, n };
        return true;
    }
    gm_reply_error(request, 400, "BadRequest", "An identifier in a path or a parameter is base64url without padding; '" GM_STR_FMT "' is not.",
                   GM_STR_ARG(gm_str_slice(coded, 0, 100)));
    return false;
}

static void no_shell(gm_request *request, gm_str id)
{
    gm_reply_error(request, 404, "ShellNotFound", "There is no shell '" GM_STR_FMT "'.", GM_STR_ARG(gm_str_slice(id, 0, 300)));
}

gm_status gm_aas_open_shell(gm_request *request, const gm_aas_world *world, gm_str id, gm_aas_thing *out, gm_error *err)
{
    gm_str thing;
    if (gm_aas_is_type(id)) {
        const gm_type *type = gm_model_find(world->model, id);
        if (type != NULL) gm_aas_open_type(type, out);
        return type != NULL ? GM_OK : GM_NOTFOUND;
    }
    gm_status st = gm_aas_shell_thing(request->arena, id, &thing) ? gm_aas_open_thing(world, request->arena, thing, out, err) : GM_NOTFOUND;
    return st == GM_OK && out->gone ? GM_NOTFOUND : st;
}

bool gm_aas_shell_of(gm_request *request, const gm_aas_world *world, gm_str coded, gm_aas_thing *out)
{
    gm_str   id;
    gm_error err = { 0 };
    if (!gm_aas_decode_id(request, coded, &id)) return false;
    gm_status st = gm_aas_open_shell(request, world, id, out, &err);
    if (st == GM_OK) return true;
    if (st == GM_NOTFOUND) no_shell(request, id);
    else gm_reply_failure(request, st, &err);
    return false;
}

// ---- what is looked for -----------------------------------------------------------------------------------------------

typedef struct wanted {
    gm_str  id_short;                         // empty: any
    json_t *ids[WANTED_MAX];                  // {"name","value"} each
    size_t  count;
    gm_str  only;                             // the one thing that it can be, or empty
} wanted;

static void wanted_finish(wanted *w)
{
    for (size_t i = 0; i < w->count; i++) json_decref(w->ids[i]);
}

static bool add_wanted(gm_request *request, gm_str coded, wanted *w)
{
    gm_str text, value;
    if (!gm_aas_decode_id(request, coded, &text)) return false;
    json_t *id = w->count < WANTED_MAX ? json_loadb(text.ptr, text.len, 0, NULL) : NULL;
    if (id == NULL || gm_aas_string(id, "name").len == 0 || json_object_get(id, "value") == NULL) {
        json_decref(id);
        gm_reply_error(request, 400, "BadRequest", "'assetIds' is base64url of {\"name\":...,\"value\":...}, at most %d times.", WANTED_MAX);
        return false;
    }
    w->ids[w->count++] = id;
    value              = gm_aas_string(id, "value");
    if (gm_str_is(gm_aas_string(id, "name"), "globalAssetId") && !gm_aas_asset_thing(request->arena, value, &w->only)) w->only = (gm_str){ 0 };
    return true;
}

static bool read_wanted(gm_request *request, wanted *w)
{
    gm_str list, one;
    size_t at = 0;
    *w        = (wanted){ 0 };
    if (!gm_request_parameter(request, "idShort", &w->id_short)) return false;
    for (;;) {
        if (!gm_request_next_parameter(request, "assetIds", &at, &list)) return false;
        if (list.ptr == NULL) return true;
        while (gm_str_next(&list, ',', &one)) {
            if (one.len > 0 && !add_wanted(request, one, w)) return false;
        }
    }
}

static bool has_specific(const json_t *kept, gm_str name, gm_str value)
{
    const json_t *list = json_object_get(json_object_get(kept, "assetInformation"), "specificAssetIds");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        if (gm_str_eq(gm_aas_string(one, "name"), name) && gm_str_eq(gm_aas_string(one, "value"), value)) return true;
    }
    return false;
}

// Does this fact of the thing say that text?
static bool says(const gm_aas_world *w, gm_str id, gm_str key, gm_str text)
{
    static const gm_phase phases[] = { GM_PHASE_BUILT, GM_PHASE_DESIGNED };
    gm_fact f;
    for (int i = 0; i < 2; i++) {
        if (gm_thread_read(w->thread, id, phases[i], key, w->valid, w->known, &f)) return f.value.kind == GM_FACT_TEXT && gm_str_eq(f.value.text, text);
    }
    return false;
}

static bool has_asset(gm_request *request, gm_str id, const json_t *kept, gm_str value)
{
    gm_str given = gm_aas_string(json_object_get(kept, "assetInformation"), "globalAssetId"), thing;
    if (given.len > 0) return gm_str_eq(given, value);
    return kept == NULL && gm_aas_asset_thing(request->arena, value, &thing) && gm_str_eq(thing, id);
}

// Without opening the whole thing: most of those that are looked at are not the ones.
static bool fits(gm_request *request, const gm_aas_world *w, const wanted *want, gm_str id)
{
    char    name[GM_AAS_ID_SHORT_MAX + 1];
    gm_fact f;
    bool    is   = true;
    json_t *kept = NULL;
    if (want->id_short.len == 0 && want->count == 0) return true;
    if (gm_thread_read(w->thread, id, GM_PHASE_DESIGNED, GM_STR(GM_AAS_KEY_SHELL), w->valid, w->known, &f) && f.value.kind == GM_FACT_JSON)
        kept = json_loadb(f.value.text.ptr, f.value.text.len, 0, NULL);
    gm_aas_id_short(id, name);
    gm_str id_short = kept != NULL ? gm_aas_string(kept, "idShort") : gm_str_of(name);
    if (want->id_short.len > 0) is = gm_str_eq(id_short, want->id_short);
    for (size_t i = 0; is && i < want->count; i++) {
        gm_str key = gm_aas_string(want->ids[i], "name"), value = gm_aas_string(want->ids[i], "value");
        is = gm_str_is(key, "globalAssetId") ? has_asset(request, id, kept, value) : has_specific(kept, key, value) || (kept == NULL && says(w, id, key, value));
    }
    json_decref(kept);
    return is;
}

static bool type_fits(const wanted *want, const gm_type *type)
{
    char name[GM_AAS_ID_SHORT_MAX + 1];
    gm_aas_id_short(type->id, name);
    return want->count == 0 && (want->id_short.len == 0 || gm_str_is(want->id_short, name));
}

// ---- lists --------------------------------------------------------------------------------------------------------------

typedef void write_shell(gm_aas_listing *listing, const gm_aas_thing *thing);

static void plain(gm_aas_listing *l, const gm_aas_thing *t) { gm_aas_write_shell(&l->world, t, &l->request->out); }

static void id_alone(gm_aas_listing *l, const gm_aas_thing *t)
{
    gm_buf id = gm_buf_init(l->request->alloc);
    gm_aas_write_shell_id(t, &id);
    gm_buf_json_str(&l->request->out, gm_buf_view(&id));
    if (id.failed) l->request->out.failed = true;
    gm_buf_finish(&id);
}

static void write_reference(gm_request *request, const gm_aas_thing *t)
{
    gm_buf id = gm_buf_init(request->alloc);
    gm_aas_write_shell_id(t, &id);
    gm_buf_text(&request->out, "{\"type\":\"ModelReference\",\"keys\":[{\"type\":\"AssetAdministrationShell\",\"value\":");
    gm_buf_json_str(&request->out, gm_buf_view(&id));
    gm_buf_text(&request->out, "}]}");
    if (id.failed) request->out.failed = true;
    gm_buf_finish(&id);
}

static void reference(gm_aas_listing *l, const gm_aas_thing *t) { write_reference(l->request, t); }

static gm_status list_some(gm_aas_listing *l, const wanted *want, write_shell *write, bool *out_more)
{
    gm_str         id;
    const gm_type *type;
    gm_error       err;
    *out_more = true;
    while (gm_aas_list_has_room(l) && gm_aas_list_next(l, &id, &type)) {
        gm_mark      mark = gm_arena_mark(l->request->arena);
        gm_aas_thing thing;
        gm_status    st = GM_NOTFOUND;
        if (type != NULL && type_fits(want, type)) {
            gm_aas_open_type(type, &thing);
            st = GM_OK;
        } else if (type == NULL && fits(l->request, &l->world, want, id)) {
            st = gm_aas_open_thing(&l->world, l->request->arena, id, &thing, &err);
        }
        if (st == GM_OK && !thing.gone) {
            gm_aas_list_item(l);
            write(l, &thing);
        }
        gm_arena_rewind(l->request->arena, mark);
        if (st != GM_OK && st != GM_NOTFOUND) return st;
    }
    return GM_OK;
}

// The one thing that an asset's own id leaves: found at once.
static gm_status list_only(gm_aas_listing *l, const wanted *want, write_shell *write)
{
    gm_aas_thing   thing;
    gm_error       err;
    gm_status      st   = GM_NOTFOUND;
    const gm_type *type = gm_aas_is_type(want->only) && want->count == 1 ? gm_model_find(l->world.model, want->only) : NULL;
    l->place.phase      = GM_AAS_PHASE_END;
    if (type != NULL) {
        gm_aas_open_type(type, &thing);
        st = GM_OK;
    } else if (fits(l->request, &l->world, want, want->only)) {
        st = gm_aas_open_thing(&l->world, l->request->arena, want->only, &thing, &err);
    }
    if (st == GM_OK && !thing.gone) {
        gm_aas_list_item(l);
        write(l, &thing);
    }
    return st == GM_NOTFOUND ? GM_OK : st;
}

static void list(gm_request *request, write_shell *write)
{
    gm_aas_listing l    = { .request = request };
    bool           more = false;
    wanted         want = { 0 };
    if (read_wanted(request, &want) && gm_aas_list_begin(&l)) {
        gm_status st = want.only.len > 0 ? list_only(&l, &want, write) : list_some(&l, &want, write, &more);
        if (st == GM_OK) gm_aas_list_end(&l, more);
        else gm_reply_failure(request, st, NULL);
    }
    wanted_finish(&want);
}

void gm_route_aas_shells(gm_request *request) { list(request, plain); }
void gm_route_aas_lookup(gm_request *request) { list(request, id_alone); }

// ---- one ----------------------------------------------------------------------------------------------------------------

static bool open_one(gm_request *request, gm_aas_world *world, gm_aas_thing *out)
{
    *world = gm_aas_world_of(request);
    return gm_aas_shell_of(request, world, request->parameters[0], out);
}

void gm_route_aas_shell(gm_request *request)
{
    gm_aas_world world;
    gm_aas_thing thing;
    if (gm_str_is(request->parameters[0], "$reference")) {
        list(request, reference);
        return;
    }
    if (!open_one(request, &world, &thing)) return;
    gm_aas_write_shell(&world, &thing, &request->out);
    gm_reply_json(request, 200);
}

void gm_route_aas_asset(gm_request *request)
{
    gm_aas_world world;
    gm_aas_thing thing;
    if (!open_one(request, &world, &thing)) return;
    gm_aas_write_asset(&thing, &request->out);
    gm_reply_json(request, 200);
}

// The cursor is how many are behind.
void gm_route_aas_refs(gm_request *request)
{
    gm_aas_listing l = { .request = request };
    gm_aas_world   world;
    gm_aas_thing   thing;
    gm_buf         text = gm_buf_init(request->alloc);
    if (!open_one(request, &world, &thing) || !gm_aas_list_begin(&l)) return;
    gm_aas_write_submodel_refs(&thing, &text);
    json_t *list = text.failed ? NULL : json_loadb((const char *)text.ptr, text.len, 0, NULL);
    size_t  at   = l.place.at;
    if (list == NULL) request->out.failed = true;
    for (; at < json_array_size(list) && gm_aas_list_has_room(&l); at++) {
        gm_aas_list_item(&l);
        gm_document_compact(json_array_get(list, at), &request->out);
    }
    l.place = (gm_aas_place){ .at = (uint32_t)at };
    gm_aas_list_end(&l, at < json_array_size(list));
    json_decref(list);
    gm_buf_finish(&text);
}

void gm_route_aas_shell_reference(gm_request *request)
{
    gm_aas_world world;
    gm_aas_thing thing;
    if (!open_one(request, &world, &thing)) return;
    write_reference(request, &thing);
    gm_reply_json(request, 200);
}

// The ids of its asset as a list of {"name","value"}, the global one among them.
void gm_route_aas_lookup_ids(gm_request *request)
{
    gm_aas_world world;
    gm_aas_thing thing;
    gm_buf       text = gm_buf_init(request->alloc);
    if (!open_one(request, &world, &thing)) return;
    gm_aas_write_asset(&thing, &text);
    json_t *asset = text.failed ? NULL : json_loadb((const char *)text.ptr, text.len, 0, NULL);
    json_t *ids   = json_array();
    json_t *given = json_object_get(asset, "globalAssetId");
    if (given != NULL) (void)json_array_append_new(ids, json_pack("{sssO}", "name", "globalAssetId", "value", given));
    (void)json_array_extend(ids, json_object_get(asset, "specificAssetIds"));
    if (asset == NULL || ids == NULL) request->out.failed = true;
    else gm_document_compact(ids, &request->out);
    json_decref(asset);
    json_decref(ids);
    gm_buf_finish(&text);
    gm_reply_json(request, 200);
}
