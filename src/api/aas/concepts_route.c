// /concept-descriptions: of the columns of interfaces, and those that were kept.
#include "api/aas/store.h"
#include "api/routes.h"
#include "api/thread/life.h"

#include <stdlib.h>

typedef struct filter { gm_str id_short, case_of, specification; } filter;

static bool read_filter(gm_request *request, filter *out)
{
    return gm_request_parameter(request, "idShort", &out->id_short) && gm_aas_reference_parameter(request, "isCaseOf", &out->case_of) &&
           gm_aas_reference_parameter(request, "dataSpecificationRef", &out->specification);
}

static gm_str last_key(const json_t *reference)
{
    const json_t *keys = json_object_get(reference, "keys");
    return gm_aas_string(json_array_get(keys, json_array_size(keys) > 0 ? json_array_size(keys) - 1 : 0), "value");
}

static bool has_case(const json_t *concept, gm_str id)
{
    const json_t *list = json_object_get(concept, "isCaseOf");
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (gm_str_eq(last_key(json_array_get(list, i)), id)) return true;
    }
    return false;
}

static bool has_specification(const json_t *concept, gm_str id)
{
    const json_t *list = json_object_get(concept, "embeddedDataSpecifications");
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (gm_str_eq(last_key(json_object_get(json_array_get(list, i), "dataSpecification")), id)) return true;
    }
    return false;
}

static bool fits(const filter *f, const gm_buf *text)
{
    if (f->id_short.len + f->case_of.len + f->specification.len == 0) return true;
    json_t *concept = text->failed ? NULL : json_loadb((const char *)text->ptr, text->len, 0, NULL);
    bool    is      = (f->id_short.len == 0 || gm_str_eq(gm_aas_string(concept, "idShort"), f->id_short)) && (f->case_of.len == 0 || has_case(concept, f->case_of)) &&
              (f->specification.len == 0 || has_specification(concept, f->specification));
    json_decref(concept);
    return is;
}

typedef struct walking { gm_aas_listing list; filter filter; gm_buf text; } walking;

static void show(walking *w)
{
    if (!fits(&w->filter, &w->text)) return;
    gm_aas_list_item(&w->list);
    gm_buf_str(&w->list.request->out, gm_buf_view(&w->text));
    if (w->text.failed) w->list.request->out.failed = true;
}

// Interfaces first, column by column (place.at: the interface, place.sub: how many of its columns are behind); then what was kept.
static bool list_columns(walking *w, const gm_type *type, uint32_t from)
{
    for (uint32_t c = from; c < type->column_count; c++) {
        if (!gm_aas_list_has_room(&w->list)) {
            w->list.place = (gm_aas_place){ .phase = GM_AAS_PHASE_TYPES, .at = type->number, .sub = c };
            return false;
        }
        gm_buf_clear(&w->text);
        gm_aas_write_concept(type, c, &w->text);
        show(w);
    }
    return true;
}

static void list_kept(walking *w, gm_str id)
{
    gm_error err;
    if (!gm_aas_is_kept(id, "concept") || gm_principal_scoped(w->list.request->principal)) return;
    gm_buf_clear(&w->text);
    if (gm_aas_kept_text(w->list.request, id, GM_STR(GM_AAS_KEY_CONCEPT), &w->text, &err) == GM_OK) show(w);  // else it was taken back
}

void gm_route_aas_concepts(gm_request *request)
{
    walking         w    = { .list = { .request = request }, .text = gm_buf_init(request->alloc) };
    gm_aas_listing *l    = &w.list;
    bool            room = true;
    if (!read_filter(request, &w.filter) || !gm_aas_list_begin(l)) return;
    while (room && gm_aas_list_has_room(l)) {
        gm_str         id;
        const gm_type *type;
        gm_aas_place   before = l->place;
        if (l->place.phase == GM_AAS_PHASE_TWINS) l->place = (gm_aas_place){ .phase = GM_AAS_PHASE_PARTS };  // twins have none of their own
        l->place.sub = 0;
        if (!gm_aas_list_next(l, &id, &type)) break;
        if (type == NULL && l->place.phase == GM_AAS_PHASE_TWINS) l->place = (gm_aas_place){ .phase = GM_AAS_PHASE_PARTS };
        else if (type != NULL) room = list_columns(&w, type, before.phase == GM_AAS_PHASE_TYPES && type->number == before.at ? before.sub : 0);
        else list_kept(&w, id);
    }
    gm_aas_list_end(l, true);
    gm_buf_finish(&w.text);
}

void gm_route_aas_concept(gm_request *request)
{
    gm_str   id, dtmi, path;
    gm_error err = { 0 };
    if (!gm_aas_decode_id(request, request->parameters[0], &id)) return;
    const gm_type *type   = gm_aas_column_of(id, &dtmi, &path) ? gm_model_find(gm_api_model(request), dtmi) : NULL;
    uint32_t       column = type != NULL ? gm_type_column_index(type, path) : GM_NO_COLUMN;
    if (column != GM_NO_COLUMN) {
        gm_aas_write_concept(type, column, &request->out);
        gm_reply_json(request, 200);
        return;
    }
    gm_str    thread = gm_aas_kept_id(request->arena, "concept", id);
    gm_status st     = thread.ptr == NULL ? GM_NOMEM : gm_aas_kept_text(request, thread, GM_STR(GM_AAS_KEY_CONCEPT), &request->out, &err);
    if (st == GM_NOTFOUND) gm_reply_error(request, 404, "ConceptDescriptionNotFound", "There is no concept description '" GM_STR_FMT "'.", GM_STR_ARG(gm_str_slice(id, 0, 300)));
    else if (st != GM_OK) gm_reply_failure(request, st, &err);
    else gm_reply_json(request, 200);
}

// ---- written --------------------------------------------------------------------------------------------------------------------

// Where one that is kept lies. Those of interfaces are theirs. False: replied, or it waits.
static bool find_place(gm_request *request, gm_str id, gm_str *out_thread, bool *out_there)
{
    gm_str         dtmi, path;
    gm_fact        f;
    const gm_type *type = gm_aas_column_of(id, &dtmi, &path) ? gm_model_find(gm_api_model(request), dtmi) : NULL;
    if (type != NULL && gm_type_column_index(type, path) != GM_NO_COLUMN) {
        gm_reply_error(request, 409, "NotWritable", "This concept is a property of the interface '" GM_STR_FMT "', which describes it.", GM_STR_ARG(gm_str_slice(dtmi, 0, 200)));
        return false;
    }
    *out_thread = gm_aas_kept_id(request->arena, "concept", id);
    if (out_thread->ptr == NULL) gm_reply_failure(request, GM_NOMEM, NULL);
    if (out_thread->ptr == NULL || gm_aas_must_wait(request, *out_thread)) return false;
    *out_there = gm_thread_read(gm_life_thread(request), *out_thread, GM_PHASE_DESIGNED, GM_STR(GM_AAS_KEY_CONCEPT), gm_api_now(request), INT64_MAX, &f);
    return true;
}

static void keep(gm_request *request, gm_str thread, const json_t *concept, gm_request_call *then)
{
    gm_aas_change *c = gm_aas_change_begin(request);
    if (c == NULL) return;
    if (concept != NULL) gm_aas_say_json(c, thread, GM_AAS_KEY_CONCEPT, concept);
    else gm_aas_take_back(c, thread, GM_PHASE_DESIGNED, GM_STR(GM_AAS_KEY_CONCEPT));
    gm_aas_change_commit(c, then);
}

static void after_made(gm_request *request)
{
    gm_document_compact(request->json, &request->out);
    if (request->method == GM_METHOD_POST) gm_aas_reply_made_id(request, gm_aas_string(request->json, "id"));
    else gm_aas_reply_made(request, (gm_str){ 0 });
}

void gm_route_aas_concept_post(gm_request *request)
{
    gm_str        thread;
    bool          there;
    const json_t *body = gm_aas_body(request);
    if (body == NULL || !gm_aas_is_sound(request, "conceptDescriptions", body) || !find_place(request, gm_aas_string(body, "id"), &thread, &there)) return;
    if (there) gm_reply_error(request, 409, "ConceptDescriptionExists", "There is a concept description '" GM_STR_FMT "' already.", GM_STR_ARG(gm_str_slice(gm_aas_string(body, "id"), 0, 300)));
    else keep(request, thread, body, after_made);
}

void gm_route_aas_concept_put(gm_request *request)
{
    gm_str        id, thread;
    bool          there;
    const json_t *body = gm_aas_body(request);
    if (body == NULL || !gm_aas_is_sound(request, "conceptDescriptions", body) || !gm_aas_decode_id(request, request->parameters[0], &id)) return;
    if (!gm_str_eq(id, gm_aas_string(body, "id"))) gm_reply_error(request, 400, "BadRequest", "The concept description's id is not the one of the path.");
    else if (find_place(request, id, &thread, &there)) keep(request, thread, body, there ? gm_aas_reply_done : after_made);
}

void gm_route_aas_concept_delete(gm_request *request)
{
    gm_str id, thread;
    bool   there;
    if (!gm_aas_decode_id(request, request->parameters[0], &id) || !find_place(request, id, &thread, &there)) return;
    if (there) keep(request, thread, NULL, gm_aas_reply_done);
    else gm_reply_error(request, 404, "ConceptDescriptionNotFound", "There is no concept description '" GM_STR_FMT "'.", GM_STR_ARG(gm_str_slice(id, 0, 300)));
}
