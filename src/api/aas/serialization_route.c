// /serialization and /description.
#include "aas/aasx.h"
#include "aas/files.h"
#include "api/aas/aas.h"
#include "api/routes.h"
#include "api/thread/life.h"
#include "state/document.h"
#include "thread/bom.h"

#include <stdlib.h>

enum { SHELLS_MOST = 1000, SUBMODELS_MOST = 10000 };

// ---- the environment ------------------------------------------------------------------------------------------------------

typedef struct exporting {
    gm_request  *request;
    gm_aas_world world;
    json_t      *shells, *submodels, *concepts;
    json_t      *seen;     // ids that are in already
    bool         all_concepts, parts;
} exporting;

static bool is_new(exporting *e, gm_str id)
{
    if (json_object_getn(e->seen, id.ptr, id.len) != NULL) return false;
    (void)json_object_setn_new(e->seen, id.ptr, id.len, json_true());
    return true;
}

static gm_status take(json_t *list, const gm_buf *text)
{
    json_t *tree = text->failed ? NULL : json_loadb((const char *)text->ptr, text->len, 0, NULL);
    return tree != NULL && json_array_append_new(list, tree) == 0 ? GM_OK : GM_NOMEM;
}

static void take_concepts(exporting *e, const gm_type *type)
{
    gm_buf text = gm_buf_init(e->request->alloc);
    for (uint32_t c = 0; e->all_concepts && c < type->column_count; c++) {
        gm_buf_clear(&text);
        gm_aas_column_id(type->id, type->columns[c].path, &text);
        if (!is_new(e, gm_buf_view(&text))) continue;
        gm_buf_clear(&text);
        gm_aas_write_concept(type, c, &text);
        if (take(e->concepts, &text) != GM_OK) e->request->out.failed = true;
    }
    gm_buf_finish(&text);
}

// The concept description of a semantic id, where one was kept; of all elements below.
static void take_kept_concepts(exporting *e, const json_t *element, unsigned depth)
{
    gm_str      id     = gm_aas_semantics(element);
    const char *member = gm_aas_children(element);
    gm_error    err;
    gm_buf      text = gm_buf_init(e->request->alloc);
    gm_str      thread = id.len > 0 && json_object_getn(e->seen, id.ptr, id.len) == NULL ? gm_aas_kept_id(e->request->arena, "concept", id) : (gm_str){ 0 };
    if (thread.ptr != NULL && gm_aas_kept_text(e->request, thread, GM_STR(GM_AAS_KEY_CONCEPT), &text, &err) == GM_OK && text.len > 0 && is_new(e, id)) (void)!take(e->concepts, &text);
    gm_buf_finish(&text);
    const json_t *children = member != NULL && depth < GM_AAS_DEPTH_MAX ? json_object_get(element, member) : NULL;
    for (size_t i = 0; i < json_array_size(children); i++) take_kept_concepts(e, json_array_get(children, i), depth + 1);
}

static gm_status take_submodel(exporting *e, gm_str id, gm_error *err)
{
    gm_aas_found found;
    gm_buf       text = gm_buf_init(e->request->alloc);
    if (!is_new(e, id)) return GM_OK;
    if (json_array_size(e->submodels) == SUBMODELS_MOST) return gm_fail(err, GM_INVALID, "api.aas", "more than %d submodels at a time", SUBMODELS_MOST);
    gm_status st = gm_aas_submodel_text(e->request, &e->world, id, &found, &text, err);
    if (st == GM_OK) st = take(e->submodels, &text);
    if (st == GM_OK && e->all_concepts) take_kept_concepts(e, json_array_get(e->submodels, json_array_size(e->submodels) - 1), 0);
    gm_buf_finish(&text);
    // A reference may lead elsewhere: what is not here is not here.
    return st == GM_NOTFOUND ? GM_OK : st;
}

static gm_status take_shell(exporting *e, const gm_aas_thing *thing, gm_error *err)
{
    gm_buf text = gm_buf_init(e->request->alloc);
    gm_aas_write_shell_id(thing, &text);
    bool fresh = is_new(e, gm_buf_view(&text));
    if (fresh && json_array_size(e->shells) == SHELLS_MOST) {
        gm_buf_finish(&text);
        return gm_fail(err, GM_INVALID, "api.aas", "more than %d shells at a time", SHELLS_MOST);
    }
    gm_buf_clear(&text);
    gm_status st = GM_OK;
    if (fresh) {
        gm_aas_write_shell(&e->world, thing, &text);
        st = take(e->shells, &text);
        const json_t *refs = json_object_get(json_array_get(e->shells, json_array_size(e->shells) - 1), "submodels");
        for (size_t i = 0; st == GM_OK && i < json_array_size(refs); i++)
            st = take_submodel(e, gm_aas_string(json_array_get(json_object_get(json_array_get(refs, i), "keys"), 0), "value"), err);
    }
    gm_buf_finish(&text);
    return st;
}

// An interface with those that it is made of: bases and components first, so that a reader knows what it meets.
static gm_status take_type(exporting *e, const gm_type *type, gm_error *err)
{
    gm_aas_thing thing;
    gm_status    st = GM_OK;
    if (json_object_getn(e->seen, type->id.ptr, type->id.len) != NULL) return GM_OK;
    for (size_t i = 0; st == GM_OK && i < type->base_count; i++) st = take_type(e, type->bases[i], err);
    for (size_t i = 0; st == GM_OK && i < type->component_count; i++) st = take_type(e, type->components[i].type, err);
    gm_aas_open_type(type, &thing);
    if (st == GM_OK) st = take_shell(e, &thing, err);
    take_concepts(e, type);
    return st;
}

// The shells of what it is made of, level by level; parts without one are in their assembly's structure.
static gm_status take_thing(exporting *e, const gm_aas_thing *thing, unsigned depth, gm_error *err)
{
    gm_status st = thing->type != NULL ? take_type(e, thing->type, err) : GM_OK;
    if (st == GM_OK) st = take_shell(e, thing, err);
    if (!e->parts || depth == GM_CONTAINMENT_DEPTH_MAX) return st;
    for (size_t i = 0; st == GM_OK && i < thing->fact_count + thing->inside_count; i++) {
        const gm_fact *f    = i < thing->fact_count ? &thing->facts[i] : &thing->inside[i - thing->fact_count];
        bool           row  = f->value.kind == GM_FACT_PART && gm_str_starts(f->key, GM_STR(GM_KEY_BOM));
        gm_aas_thing   part;
        if (i < thing->fact_count && !row) continue;
        gm_status found = gm_aas_open_thing(&e->world, e->request->arena, i < thing->fact_count ? f->value.text : f->twin, &part, err);
        if (found == GM_OK) st = take_thing(e, &part, depth + 1, err);
        else if (found != GM_NOTFOUND) st = found;
    }
    return st;
}

static gm_status take_wanted(exporting *e, gm_str coded, bool shell, gm_error *err)
{
    gm_str       id;
    gm_aas_thing thing;
    if (!shell) {
        gm_aas_found found;
        gm_buf       text = gm_buf_init(e->request->alloc);
        if (!gm_aas_decode_id(e->request, coded, &id)) return GM_CANCELLED;
        gm_status st = gm_aas_submodel_text(e->request, &e->world, id, &found, &text, err);
        gm_buf_finish(&text);
        return st == GM_OK ? take_submodel(e, id, err) : st;
    }
    if (!gm_aas_shell_of(e->request, &e->world, coded, &thing)) return GM_CANCELLED;  // replied
    if (thing.is_type) return take_type(e, thing.type, err);
    return take_thing(e, &thing, 0, err);
}

static gm_status take_parameter(exporting *e, const char *name, bool shell, size_t *count, gm_error *err)
{
    gm_str    list, one;
    size_t    at = 0;
    gm_status st = GM_OK;
    for (;;) {
        if (!gm_request_next_parameter(e->request, name, &at, &list)) return GM_CANCELLED;
        if (list.ptr == NULL) return st;
        while (st == GM_OK && gm_str_next(&list, ',', &one)) {
            if (one.len == 0) continue;
            st = take_wanted(e, one, shell, err);
            *count += 1;
        }
        if (st != GM_OK) return st;
    }
}

static json_t *environment(exporting *e)
{
    json_t *out = json_object();
    if (json_array_size(e->shells) > 0) (void)json_object_set(out, "assetAdministrationShells", e->shells);
    if (json_array_size(e->submodels) > 0) (void)json_object_set(out, "submodels", e->submodels);
    if (json_array_size(e->concepts) > 0) (void)json_object_set(out, "conceptDescriptions", e->concepts);
    return out;
}

// ---- a package --------------------------------------------------------------------------------------------------------------

typedef struct packing { exporting *e; gm_aasx_package package; gm_status st; gm_error *err; } packing;

static gm_status add_file(packing *p, gm_str path, gm_str hash, gm_str media)
{
    const gm_life *life  = p->e->request->api->life;
    uint8_t       *bytes = NULL;
    size_t         size  = 0;
    if (life->documents.io == NULL || !is_new(p->e, path)) return GM_OK;
    gm_status st = gm_documents_read(&life->documents, hash, p->e->request->api->options.limits.bulk_max, &bytes, &size, p->err);
    if (st == GM_NOTFOUND) return GM_OK;
    if (st == GM_OK) st = gm_aasx_add(&p->package, path, media, bytes, size, p->err);
    gm_free(life->documents.io->alloc, bytes);
    return st;
}

static void add_files(packing *p, const json_t *element, gm_str submodel, unsigned depth)
{
    const char *member = gm_aas_children(element);
    gm_str      path = gm_aas_string(element, "value"), hash;
    if (gm_aas_is(element, "File") && path.len > 0 && p->st == GM_OK) {
        gm_fact f;
        gm_str  thread = gm_aas_kept_id(p->e->request->arena, "submodel", submodel);
        gm_str  key    = gm_arena_printf(p->e->request->arena, GM_AAS_KEY_FILE GM_STR_FMT, GM_STR_ARG(path));
        bool    kept   = thread.ptr != NULL && key.ptr != NULL && gm_thread_read(p->e->world.thread, thread, GM_PHASE_DESIGNED, key, p->e->world.valid, p->e->world.known, &f) && f.value.kind == GM_FACT_DOCUMENT;
        if (kept) p->st = add_file(p, path, f.value.text, f.value.media);
        else if (gm_aas_file_hash(path, &hash)) p->st = add_file(p, path, hash, gm_aas_string(element, "contentType"));
    }
    const json_t *children = member != NULL && depth < GM_AAS_DEPTH_MAX ? json_object_get(element, member) : NULL;
    for (size_t i = 0; i < json_array_size(children); i++) add_files(p, json_array_get(children, i), submodel, depth + 1);
}

static gm_status pack(exporting *e, const json_t *env, gm_aasx_form form, gm_buf *out, gm_error *err)
{
    packing p = { .e = e, .st = GM_OK, .err = err };
    gm_aasx_begin(&p.package, e->request->alloc);
    for (size_t i = 0; i < json_array_size(e->submodels); i++) {
        const json_t *submodel = json_array_get(e->submodels, i);
        add_files(&p, submodel, gm_aas_string(submodel, "id"), 0);
    }
    if (p.st == GM_OK) p.st = gm_aasx_write(&p.package, env, form, out, err);
    gm_aasx_finish(&p.package);
    return p.st;
}

// What the client wants: by ?format=, where a header is hard to set, or by Accept.
typedef struct wire_form { const char *format, *accept, *type; bool package; gm_aasx_form inside; } wire_form;
#define PACKAGE "application/asset-administration-shell-package"
static const wire_form forms[] = {
    { "aasx-xml", PACKAGE "+xml", PACKAGE "+xml", true, GM_AASX_XML },
    { "aasx", PACKAGE "+json", PACKAGE, true, GM_AASX_JSON },
    { "aasx", PACKAGE, PACKAGE, true, GM_AASX_JSON },
    { "xml", "application/xml", "application/xml; charset=utf-8", false, GM_AASX_XML },
    { "xml", "text/xml", "application/xml; charset=utf-8", false, GM_AASX_XML },
    { "json", "application/json", "application/json; charset=utf-8", false, GM_AASX_JSON },
};
enum { FORMS = sizeof forms / sizeof forms[0] };

// A browser's Accept names XML, but after pages; what names JSON, too, gets that. NULL: replied 400.
static const wire_form *wanted_form(gm_request *request)
{
    gm_str format, accept = gm_request_header(request, "accept");
    bool   plain = gm_str_find(accept, GM_STR("application/json")) != SIZE_MAX || gm_str_find(accept, GM_STR("text/html")) != SIZE_MAX;
    if (!gm_request_parameter(request, "format", &format)) return NULL;
    for (int i = 0; i < FORMS; i++) {
        if (format.len > 0 ? gm_str_is(format, forms[i].format) : gm_str_find(accept, gm_str_of(forms[i].accept)) != SIZE_MAX && (forms[i].package || !plain)) return &forms[i];
    }
    if (format.len == 0) return &forms[FORMS - 1];
    gm_reply_error(request, 400, "BadRequest", "'format' is json, xml, aasx or aasx-xml.");
    return NULL;
}

static void reply(gm_request *request, exporting *e, const wire_form *form)
{
    gm_error  err = { 0 };
    json_t   *env = environment(e);
    gm_status st  = env != NULL ? GM_OK : GM_NOMEM;
    if (st == GM_OK && form->package) st = pack(e, env, form->inside, &request->out, &err);
    else if (st == GM_OK && form->inside == GM_AASX_XML) st = gm_aas_write_xml(env, &request->out, &err);
    else if (st == GM_OK) gm_document_compact(env, &request->out);
    json_decref(env);
    if (st != GM_OK) gm_buf_clear(&request->out);
    if (st != GM_OK) gm_reply_failure(request, st, &err);
    else gm_reply_text(request, 200, form->type);
}

void gm_route_aas_serialization(gm_request *request)
{
    gm_error  err   = { 0 };
    gm_str    text, parts;
    size_t    count = 0;
    if (!gm_request_parameter(request, "includeConceptDescriptions", &text) || !gm_request_parameter(request, "includeParts", &parts)) return;
    const wire_form *form = wanted_form(request);
    if (form == NULL) return;
    exporting e = { .request = request, .world = gm_aas_world_of(request), .shells = json_array(), .submodels = json_array(), .concepts = json_array(), .seen = json_object(),
                    .all_concepts = !gm_str_is(text, "false"), .parts = gm_str_is(parts, "true") };
    gm_status st = take_parameter(&e, "aasIds", true, &count, &err);
    if (st == GM_OK) st = take_parameter(&e, "submodelIds", false, &count, &err);
    if (st == GM_OK && count == 0) st = gm_fail(&err, GM_INVALID, "api.aas", "say which: aasIds or submodelIds, base64url, separated by commas");
    if (st == GM_OK) reply(request, &e, form);
    else if (st != GM_CANCELLED) gm_reply_failure(request, st, &err);
    json_decref(e.shells);
    json_decref(e.submodels);
    json_decref(e.concepts);
    json_decref(e.seen);
}

// ---- what is served -----------------------------------------------------------------------------------------------------------

void gm_route_aas_description(gm_request *request)
{
    gm_reply_fixed(request, 200, GM_STR("application/json; charset=utf-8"),
                   GM_STR("{\"profiles\":[\"https://admin-shell.io/aas/API/3/0/AssetAdministrationShellRepositoryServiceSpecification/SSP-002\","
                          "\"https://admin-shell.io/aas/API/3/0/SubmodelRepositoryServiceSpecification/SSP-002\","
                          "\"https://admin-shell.io/aas/API/3/1/DiscoveryServiceSpecification/SSP-002\","
                          "\"https://admin-shell.io/aas/API/3/1/ConceptDescriptionRepositoryServiceSpecification/SSP-001\"]}"));
}
