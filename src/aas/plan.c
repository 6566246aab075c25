#include "aas/plan.h"

#include "aas/plan_parts.h"
#include "aas/plate.h"
#include "aas/tree.h"
#include "base/base64url.h"
#include "state/document.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char WHERE[] = "aas.plan";

void gm_aas_note(gm_aas_planning *p, const char *fmt, ...)
{
    char    text[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (json_array_size(p->plan->notes) < 1000) (void)json_array_append_new(p->plan->notes, json_string(text));
}

void gm_aas_stop(gm_aas_planning *p, gm_status st, const char *fmt, ...)
{
    char    text[180];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (p->st == GM_OK) p->st = gm_fail(p->err, st, WHERE, "%s", text);
}

void gm_aas_put(gm_aas_planning *p, json_t *list, json_t *item)
{
    if (item == NULL || json_array_append_new(list, item) != 0) gm_aas_stop(p, GM_NOMEM, "planning an import");
}

gm_str gm_aas_thing_of_asset(gm_aas_planning *p, gm_str asset_id)
{
    const json_t *thing = json_object_getn(p->assets, asset_id.ptr, asset_id.len);
    gm_str        own;
    if (thing != NULL) return (gm_str){ json_string_value(thing), json_string_length(thing) };
    return gm_aas_asset_thing(p->arena, asset_id, &own) ? own : (gm_str){ 0 };
}

// ---- interfaces -----------------------------------------------------------------------------------------------------------------

static json_t *decode_blob(gm_aas_planning *p, gm_str base64)
{
    gm_str url = gm_arena_str(p->arena, base64);
    size_t n   = 0;
    if (url.ptr == NULL) return NULL;
    while (url.len > 0 && url.ptr[url.len - 1] == '=') url.len--;
    for (size_t i = 0; i < url.len; i++) {
        char *c = (char *)(uintptr_t)&url.ptr[i];
        *c      = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c);
    }
    uint8_t *bytes = gm_arena_bytes(p->arena, GM_BASE64URL_BYTES(url.len) + 1);
    if (bytes == NULL || !gm_base64url_decode(url, bytes, &n)) return NULL;
    return json_loadb((const char *)bytes, n, JSON_REJECT_DUPLICATES, NULL);
}

static void plan_interface(gm_aas_planning *p, const json_t *submodel)
{
    json_t *blob  = gm_aas_find((json_t *)(uintptr_t)submodel, GM_STR("DTDL"));
    json_t *model = decode_blob(p, gm_aas_string(blob, "value"));
    gm_str  id    = gm_aas_string(submodel, "id");
    if (model == NULL || !json_is_object(model)) {
        json_decref(model);
        gm_aas_stop(p, GM_INVALID, "the interface in '" GM_STR_FMT "' does not read", GM_STR_ARG(gm_str_slice(id, 0, 100)));
        return;
    }
    gm_aas_put(p, p->plan->models, model);
}

// All of them together, as the server will: a twin's document needs to know its components.
static void learn_models(gm_aas_planning *p)
{
    gm_buf          text   = gm_buf_init(gm_alloc_system());
    gm_findings     found  = { 0 };
    gm_error        err    = { 0 };
    if (json_array_size(p->plan->models) == 0 || p->st != GM_OK) return;
    gm_document_compact(p->plan->models, &text);
    gm_model_source source = { .text = gm_buf_view(&text) };
    gm_status       st     = text.failed ? GM_NOMEM : gm_model_add(p->model, &source, 1, &found, &err);
    if (st == GM_INVALID && found.count > 0) gm_aas_note(p, "the interfaces of the file are not whole: " GM_STR_FMT, GM_STR_ARG(gm_str_slice(found.items[0].text, 0, 200)));
    else if (st == GM_NOMEM) gm_aas_stop(p, GM_NOMEM, "reading interfaces");
    gm_findings_finish(&found);
    gm_buf_finish(&text);
}

// ---- twins ------------------------------------------------------------------------------------------------------------------------

// object[name], an object; with $metadata when it is a component. Borrowed; NULL: no memory.
static json_t *inside(json_t *object, gm_str name, bool component)
{
    json_t *there = json_object_getn(object, name.ptr, name.len);
    if (json_is_object(there)) return there;
    there = component ? json_pack("{s{}}", "$metadata") : json_object();
    return json_object_setn_new(object, name.ptr, name.len, there) == 0 ? json_object_getn(object, name.ptr, name.len) : NULL;
}

// The text of a property as JSON of its column.
static json_t *column_value(const gm_column *column, gm_str text)
{
    bool literal = column != NULL && column->kind != GM_KIND_STRING;
    json_t *read = literal ? json_loadb(text.ptr, text.len, JSON_DECODE_ANY, NULL) : NULL;
    return read != NULL ? read : json_stringn(text.ptr, text.len);
}

static gm_str qualifier(const json_t *element, const char *type)
{
    const json_t *list = json_object_get(element, "qualifiers");
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (gm_str_is(gm_aas_string(json_array_get(list, i), "type"), type)) return gm_aas_string(json_array_get(list, i), "value");
    }
    return (gm_str){ 0 };
}

static void set_column(gm_aas_planning *p, json_t *twin, const gm_type *type, const json_t *property)
{
    gm_str dtmi, path, part, value = gm_aas_string(property, "value"), time = qualifier(property, "sourceTime"), name = { 0 };
    if (!gm_aas_column_of(gm_aas_semantics(property), &dtmi, &path) || json_object_get(property, "value") == NULL) return;
    const gm_column *column = type != NULL ? gm_type_column(type, path) : NULL;
    json_t          *at = twin, *scope = twin;
    gm_str           rest = path;
    for (size_t i = 0; at != NULL && gm_str_next(&rest, '/', &part); i++) {
        bool component = i == 0 && type != NULL && gm_type_component_index(type, part) != GM_NO_COMPONENT;
        if (name.len == 0 && !component) name = part;
        if (rest.ptr == NULL) {
            if (json_object_setn_new(at, part.ptr, part.len, column_value(column, value)) != 0) at = NULL;
            break;
        }
        at = inside(at, part, component);
        if (component) scope = at;
    }
    json_t *metadata = at != NULL ? json_object_get(scope, "$metadata") : NULL;
    if (metadata != NULL && time.len > 0) (void)json_object_setn_new(metadata, name.ptr, name.len, json_pack("{ss%}", "sourceTime", time.ptr, time.len));
    if (at == NULL) gm_aas_stop(p, GM_NOMEM, "planning a twin");
}

static void set_columns(gm_aas_planning *p, json_t *twin, const gm_type *type, const json_t *element, unsigned depth)
{
    const char   *member   = gm_aas_children(element);
    const json_t *children = member != NULL && depth < GM_AAS_DEPTH_MAX ? json_object_get(element, member) : NULL;
    if (gm_aas_is(element, "Property")) set_column(p, twin, type, element);
    for (size_t i = 0; i < json_array_size(children); i++) set_columns(p, twin, type, json_array_get(children, i), depth + 1);
}

static void plan_twin(gm_aas_planning *p, gm_str thing, gm_str dtmi, const json_t *operational)
{
    char           *model = gm_arena_printf(p->arena, GM_STR_FMT, GM_STR_ARG(dtmi)).ptr != NULL ? (char *)(uintptr_t)gm_arena_str(p->arena, dtmi).ptr : NULL;
    const gm_type  *type  = gm_model_find(p->model, dtmi);
    if (type == NULL && p->known != NULL) type = gm_model_find(p->known, dtmi);
    json_t         *twin  = model != NULL ? json_pack("{ss% s{ss}}", "$dtId", thing.ptr, thing.len, "$metadata", "$model", model) : NULL;
    for (size_t i = 0; twin != NULL && type != NULL && i < type->component_count; i++) (void)inside(twin, type->components[i].name, true);
    if (twin != NULL && operational != NULL) set_columns(p, twin, type, operational, 0);
    gm_aas_put(p, p->plan->twins, twin);
}

// An interface for assets that come from elsewhere, once.
static void need_asset_model(gm_aas_planning *p)
{
    static const char text[] = "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"" GM_AAS_ASSET_MODEL "\",\"@type\":\"Interface\",\"displayName\":\"Asset\","
                               "\"description\":\"An asset that came as an Asset Administration Shell\"}";
    for (size_t i = 0; i < json_array_size(p->plan->models); i++) {
        if (gm_str_is(gm_aas_string(json_array_get(p->plan->models, i), "@id"), GM_AAS_ASSET_MODEL)) return;
    }
    gm_aas_put(p, p->plan->models, json_loads(text, 0, NULL));
}

// ---- shells -------------------------------------------------------------------------------------------------------------------------

// Does it say nothing but what gemel would say of the thing itself?
static bool is_plain(const json_t *shell)
{
    static const char *const ours[] = { "modelType", "id", "idShort", "derivedFrom", "assetInformation", "submodels" };
    const char *name;
    json_t     *value;
    json_object_foreach((json_t *)(uintptr_t)shell, name, value) {
        bool is = false;
        for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) is = is || strcmp(name, ours[i]) == 0;
        if (!is) return false;
    }
    const json_t *asset = json_object_get(shell, "assetInformation");
    json_object_foreach((json_t *)(uintptr_t)asset, name, value) {
        if (strcmp(name, "assetKind") != 0 && strcmp(name, "globalAssetId") != 0 && strcmp(name, "assetType") != 0 && strcmp(name, "specificAssetIds") != 0) return false;
    }
    const json_t *list = json_object_get(asset, "specificAssetIds");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        if (!gm_aas_is_specific(gm_aas_string(one, "name")) || json_object_size(one) != 2) return false;
    }
    return true;
}

static bool is_our_shell(gm_aas_planning *p, gm_str id, const json_t *shell, gm_str thing)
{
    gm_str own, asset = gm_aas_string(json_object_get(shell, "assetInformation"), "globalAssetId");
    char   name[GM_AAS_ID_SHORT_MAX + 1];
    gm_aas_id_short(thing, name);
    bool named = gm_str_is(gm_aas_string(shell, "idShort"), name);
    return gm_aas_asset_thing(p->arena, asset, &own) && gm_str_eq(own, thing) && named && is_plain(shell) && !gm_aas_is_kept(thing, "shell") && id.len > 0;
}

// Specific ids are facts, unless the thread in the file says them.
static void plan_specific(gm_aas_planning *p, gm_str thing, const json_t *shell)
{
    const json_t *list = json_object_get(json_object_get(shell, "assetInformation"), "specificAssetIds");
    for (size_t i = 0; i < json_array_size(list); i++) {
        gm_str name = gm_aas_string(json_array_get(list, i), "name"), value = gm_aas_string(json_array_get(list, i), "value");
        if (!gm_aas_plan_is_said(p, thing, name, value)) gm_aas_plan_text(p, thing, name, value);
    }
}

static void keep_shell(gm_aas_planning *p, gm_str thing, const json_t *shell)
{
    json_t *copy = json_copy((json_t *)(uintptr_t)shell);
    (void)json_object_del(copy, "submodels");
    if (copy == NULL) gm_aas_stop(p, GM_NOMEM, "keeping a shell");
    else gm_aas_plan_keep(p, thing, GM_AAS_KEY_SHELL, copy);
    json_decref(copy);
}

static void link_submodel(gm_aas_planning *p, gm_str thing, size_t number, gm_str id, gm_aas_kind kind)
{
    gm_str  thread = gm_aas_kept_id(p->arena, "submodel", id);
    char    key[64];
    snprintf(key, sizeof key, GM_AAS_KEY_SUBMODELS "%05zu", number);
    json_t *fact = thread.ptr != NULL ? json_pack("{ss% ss ss ss%}", "twin", thing.ptr, thing.len, "phase", "as-designed", "key", key, "part", thread.ptr, thread.len) : NULL;
    if (kind != GM_AAS_KIND_COUNT) (void)json_object_set_new(fact, "position", json_string(gm_aas_kind_name(kind)));
    if (gm_str_starts(thread, GM_STR("submodel:#"))) (void)json_object_set_new(fact, "more", json_pack("{ss%}", "id", id.ptr, id.len));
    gm_aas_put(p, p->plan->facts, fact);
}

static void keep_submodel(gm_aas_planning *p, gm_str thing, const json_t *submodel, gm_aas_kind kind)
{
    gm_str thread = gm_aas_kept_id(p->arena, "submodel", gm_aas_string(submodel, "id"));
    if (thread.ptr == NULL) {
        gm_aas_stop(p, GM_NOMEM, "keeping a submodel");
        return;
    }
    gm_aas_plan_keep(p, thread, GM_AAS_KEY_SUBMODEL, submodel);
    gm_aas_plan_files(p, thread, submodel, false);
    if (thing.len > 0 && kind == GM_AAS_DOCUMENTS) gm_aas_plan_files(p, thing, submodel, true);
}

// One of the submodels that gemel made of this very thing.
static void plan_made(gm_aas_planning *p, gm_str thing, const json_t *submodel, gm_aas_kind kind)
{
    switch (kind) {
    case GM_AAS_THREAD: gm_aas_plan_thread(p, thing, submodel); break;
    case GM_AAS_RELATIONSHIPS: gm_aas_plan_relationships(p, thing, submodel); break;
    case GM_AAS_NAMEPLATE:
    case GM_AAS_TECHNICAL:
    case GM_AAS_STRUCTURE: gm_aas_plan_template(p, thing, submodel, kind, true); break;
    default: break;  // OperationalData is in the twin, TimeSeries in its interface, documents are facts
    }
    bool whole = kind == GM_AAS_THREAD || kind == GM_AAS_RELATIONSHIPS || kind == GM_AAS_INTERFACE;  // nothing is beside what is planned
    if (!whole) gm_aas_put(p, p->plan->submodels, json_incref((json_t *)(uintptr_t)submodel));
}

static const json_t *submodel_of(const gm_aas_planning *p, const json_t *reference, gm_str *out_id)
{
    const json_t *keys = json_object_get(reference, "keys");
    *out_id            = gm_aas_string(json_array_get(keys, 0), "value");
    return out_id->len > 0 ? json_object_getn(p->submodels, out_id->ptr, out_id->len) : NULL;
}

static const json_t *made_of(gm_aas_planning *p, gm_str thing, gm_aas_kind kind)
{
    gm_alloc alloc = gm_arena_alloc(p->arena);
    gm_buf   id    = gm_buf_init(&alloc);
    gm_aas_submodel_id(kind, thing, &id);
    return id.failed ? NULL : json_object_getn(p->submodels, (const char *)id.ptr, id.len);
}

static void plan_submodels(gm_aas_planning *p, gm_str thing, const json_t *shell)
{
    const json_t *refs = json_object_get(shell, "submodels"), *thread = made_of(p, thing, GM_AAS_THREAD);
    size_t        kept = 0;
    if (thread != NULL) gm_aas_plan_thread(p, thing, thread);  // first: what it says need not be said again
    for (size_t i = 0; p->st == GM_OK && i < json_array_size(refs); i++) {
        gm_str        id, whose;
        gm_aas_kind   kind;
        const json_t *submodel = submodel_of(p, json_array_get(refs, i), &id);
        bool          made     = gm_aas_submodel_thing(p->arena, id, &kind, &whose) && gm_str_eq(whose, thing);
        if (id.len == 0) continue;
        (void)json_object_setn_new(p->placed, id.ptr, id.len, json_true());
        if (made && submodel != NULL && kind != GM_AAS_THREAD) plan_made(p, thing, submodel, kind);
        if (made) continue;
        kind = gm_aas_kind_of(gm_aas_semantics(submodel));
        link_submodel(p, thing, kept++, id, kind);
        if (submodel == NULL) {
            gm_aas_note(p, "the submodel '" GM_STR_FMT "' is not in the file: its reference is kept", GM_STR_ARG(gm_str_slice(id, 0, 120)));
            continue;
        }
        keep_submodel(p, thing, submodel, kind);
        gm_aas_plan_template(p, thing, submodel, kind, false);
    }
}

static void plan_shell(gm_aas_planning *p, const json_t *shell)
{
    gm_str        id = gm_aas_string(shell, "id"), thing;
    const json_t *asset = json_object_get(shell, "assetInformation");
    if (gm_aas_is_type(id)) {
        const json_t *interface = made_of(p, id, GM_AAS_INTERFACE);
        if (interface == NULL) gm_aas_note(p, "the interface '" GM_STR_FMT "' is not in the file", GM_STR_ARG(gm_str_slice(id, 0, 120)));
        return;
    }
    if (!gm_aas_shell_thing(p->arena, id, &thing)) {
        gm_aas_stop(p, GM_INVALID, "'" GM_STR_FMT "' can not be the id of a shell here", GM_STR_ARG(gm_str_slice(id, 0, 100)));
        return;
    }
    gm_str        dtmi        = gm_aas_string(asset, "assetType");
    const json_t *operational = made_of(p, thing, GM_AAS_OPERATIONAL);
    bool          ours = is_our_shell(p, id, shell, thing), instance = gm_str_is(gm_aas_string(asset, "assetKind"), "Instance");
    bool          ours_model = gm_aas_is_type(dtmi) && gm_aas_asset_thing(p->arena, gm_aas_string(asset, "globalAssetId"), &(gm_str){ 0 });
    if (instance && ours_model) {
        plan_twin(p, thing, dtmi, operational);
    } else if (instance) {
        need_asset_model(p);
        plan_twin(p, thing, GM_STR(GM_AAS_ASSET_MODEL), NULL);
    }
    if (!ours) keep_shell(p, thing, shell);
    plan_submodels(p, thing, shell);
    if (ours) plan_specific(p, thing, shell);
}

// ---- the whole ------------------------------------------------------------------------------------------------------------------------

static void note_assets(gm_aas_planning *p, const json_t *shells)
{
    for (size_t i = 0; i < json_array_size(shells); i++) {
        gm_str id = gm_aas_string(json_array_get(shells, i), "id"), asset = gm_aas_string(json_object_get(json_array_get(shells, i), "assetInformation"), "globalAssetId"), thing;
        if (asset.len > 0 && !gm_aas_is_type(id) && gm_aas_shell_thing(p->arena, id, &thing)) (void)json_object_setn_new(p->assets, asset.ptr, asset.len, json_stringn(thing.ptr, thing.len));
    }
}

static void plan_rest(gm_aas_planning *p, const json_t *submodels, const json_t *concepts)
{
    gm_aas_kind kind;
    gm_str      whose, path;
    for (size_t i = 0; p->st == GM_OK && i < json_array_size(submodels); i++) {
        const json_t *submodel = json_array_get(submodels, i);
        gm_str        id       = gm_aas_string(submodel, "id");
        if (json_object_getn(p->placed, id.ptr, id.len) != NULL) continue;
        if (gm_aas_submodel_thing(p->arena, id, &kind, &whose)) {
            if (kind != GM_AAS_INTERFACE) plan_made(p, whose, submodel, kind);  // exported without its shell
        } else {
            keep_submodel(p, (gm_str){ 0 }, submodel, GM_AAS_KIND_COUNT);
        }
    }
    for (size_t i = 0; p->st == GM_OK && i < json_array_size(concepts); i++) {
        const json_t *concept = json_array_get(concepts, i);
        gm_str        id      = gm_aas_string(concept, "id"), dtmi, thread;
        if (gm_aas_column_of(id, &dtmi, &path) && gm_model_find(p->model, dtmi) != NULL) continue;  // of an interface: it says so itself
        thread = gm_aas_kept_id(p->arena, "concept", id);
        if (thread.ptr == NULL) gm_aas_stop(p, GM_NOMEM, "keeping a concept description");
        else gm_aas_plan_keep(p, thread, GM_AAS_KEY_CONCEPT, concept);
    }
}

static void plan_all(gm_aas_planning *p)
{
    const json_t *shells = json_object_get(p->env, "assetAdministrationShells"), *submodels = json_object_get(p->env, "submodels");
    for (size_t i = 0; i < json_array_size(submodels); i++) {
        json_t *submodel = json_array_get(submodels, i);
        gm_str  id       = gm_aas_string(submodel, "id"), whose;
        gm_aas_kind kind;
        if (id.len > 0) (void)json_object_setn(p->submodels, id.ptr, id.len, submodel);
        if (p->st == GM_OK && gm_aas_submodel_thing(p->arena, id, &kind, &whose) && kind == GM_AAS_INTERFACE) plan_interface(p, submodel);
    }
    learn_models(p);
    note_assets(p, shells);
    for (size_t i = 0; p->st == GM_OK && i < json_array_size(shells); i++) plan_shell(p, json_array_get(shells, i));
    plan_rest(p, submodels, json_object_get(p->env, "conceptDescriptions"));
}

gm_status gm_aas_plan_make(const json_t *env, const gm_model *known, const gm_aasx_package *package, gm_arena *arena, gm_aas_plan *out, gm_error *err)
{
    *out = (gm_aas_plan){ json_array(), json_array(), json_array(), json_array(), json_array(), json_array(), json_array(), json_array() };
    gm_aas_planning p = { .env = env, .package = package, .arena = arena, .plan = out, .model = gm_model_create(gm_alloc_system()), .known = known, .submodels = json_object(),
                          .assets = json_object(), .said = json_object(), .placed = json_object(), .err = err };
    bool memory = out->models && out->twins && out->relationships && out->facts && out->documents && out->uncertain && out->notes && out->submodels && p.model && p.submodels && p.assets && p.said && p.placed;
    if (memory) plan_all(&p);
    else gm_aas_stop(&p, GM_NOMEM, "planning an import");
    gm_model_destroy(p.model);
    json_decref(p.submodels);
    json_decref(p.assets);
    json_decref(p.said);
    json_decref(p.placed);
    return p.st;
}

void gm_aas_plan_finish(gm_aas_plan *plan)
{
    json_t **lists[] = { &plan->models, &plan->twins, &plan->relationships, &plan->facts, &plan->documents, &plan->uncertain, &plan->notes, &plan->submodels };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        json_decref(*lists[i]);
        *lists[i] = NULL;
    }
}
