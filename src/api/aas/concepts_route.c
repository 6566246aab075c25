// /concept-descriptions: of the columns of interfaces, and those that were kept.
#include "api/aas/store.h"
#include "api/routes.h"
#include "api/thread/life.h"

#include <stdlib.h>

// Interfaces first, column by column (place.at: the interface, place.sub: how many of its columns are behind); then what was kept.
static bool list_columns(gm_aas_listing *l, const gm_type *type, uint32_t from)
{
    for (uint32_t c = from; c < type->column_count; c++) {
        if (!gm_aas_list_has_room(l)) {
            l->place = (gm_aas_place){ .phase = GM_AAS_PHASE_TYPES, .at = type->number, .sub = c };
            return false;
        }
        gm_aas_list_item(l);
        gm_aas_write_concept(type, c, &l->request->out);
    }
    return true;
}

void gm_route_aas_concepts(gm_request *request)
{
    gm_aas_listing l    = { .request = request };
    gm_buf         text = gm_buf_init(request->alloc);
    bool           room = true;
    if (!gm_aas_list_begin(&l)) return;
    while (room && gm_aas_list_has_room(&l)) {
        gm_str         id;
        gm_error       err;
        const gm_type *type;
        gm_aas_place   before = l.place;
        if (l.place.phase == GM_AAS_PHASE_TWINS) l.place = (gm_aas_place){ .phase = GM_AAS_PHASE_PARTS };  // twins have none of their own
        l.place.sub = 0;
        if (!gm_aas_list_next(&l, &id, &type)) break;
        if (type == NULL && l.place.phase == GM_AAS_PHASE_TWINS) {
            l.place = (gm_aas_place){ .phase = GM_AAS_PHASE_PARTS };
        } else if (type != NULL) {
            room = list_columns(&l, type, before.phase == GM_AAS_PHASE_TYPES && type->number == before.at ? before.sub : 0);
        } else if (gm_aas_is_kept(id, "concept") && !gm_principal_scoped(request->principal)) {
            gm_buf_clear(&text);
            if (gm_aas_kept_text(request, id, GM_STR(GM_AAS_KEY_CONCEPT), &text, &err) != GM_OK) continue;  // taken back
            gm_aas_list_item(&l);
            gm_buf_str(&request->out, gm_buf_view(&text));
            if (text.failed) request->out.failed = true;
        }
    }
    gm_aas_list_end(&l, true);
    gm_buf_finish(&text);
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
