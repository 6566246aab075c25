#include "support/small_plant.h"

#include "state/document.h"
#include "support/support.h"

#include <stdlib.h>

static void apply(gm_small_plant *plant, gm_change_kind kind, const uint8_t *payload, size_t size)
{
    gm_change change;
    gm_error  err = { 0 };
    assert_gm_ok(gm_change_decode((uint8_t)kind, payload, size, &change, &err), err);
    plant->sequence++;
    assert_gm_ok(gm_state_apply(plant->state, plant->sequence, (gm_time_ns)plant->sequence * GM_SECOND, &change, &err), err);
}

static void apply_texts(gm_small_plant *plant, gm_change_kind kind, uint32_t twin, uint32_t target, gm_str id, gm_str name, gm_str text)
{
    size_t   size  = gm_change_size_texts(id, name, text);
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    gm_change_encode_texts(bytes, twin, target, 0, id, name, text);
    apply(plant, kind, bytes, size);
    free(bytes);
}

void gm_small_plant_open(gm_small_plant *plant, const gm_alloc *alloc, const char *models)
{
    *plant       = (gm_small_plant){ .alloc = alloc, .model = gm_model_create(alloc) };
    plant->state = gm_state_create(alloc, plant->model);
    assert_non_null(plant->state);
    apply_texts(plant, GM_CHANGE_MODELS, 0, 0, GM_STR(""), GM_STR(""), gm_str_of(models));
}

void gm_small_plant_close(gm_small_plant *plant)
{
    gm_state_destroy(plant->state);
    gm_model_destroy(plant->model);
}

static gm_twin find(const gm_small_plant *plant, const char *id)
{
    gm_twin twin = gm_state_find(plant->state, gm_str_of(id));
    if (!gm_twin_ok(twin)) fail_msg("there is no twin '%s'", id);
    return twin;
}

void gm_small_plant_twin(gm_small_plant *plant, const char *id, const char *document)
{
    gm_error     err = { 0 };
    json_error_t json_err;
    json_t      *body = json_loads(document, JSON_REJECT_DUPLICATES, &json_err);
    if (body == NULL) fail_msg("%s: %s", document, json_err.text);
    gm_arena        *arena = gm_arena_create(plant->alloc, 0);
    gm_twin_document doc;
    gm_time_ns       at = (gm_time_ns)(plant->sequence + 1) * GM_SECOND;
    assert_gm_ok(gm_document_read_twin(plant->model, body, at, arena, &doc, &err), err);
    gm_twin  twin   = gm_state_find(plant->state, gm_str_of(id));
    uint32_t number = gm_twin_ok(twin) ? twin.v : gm_state_next_twin(plant->state);
    size_t   size   = gm_change_size_twin_put(gm_str_of(id), doc.type->id, doc.cells, doc.count);
    uint8_t *bytes  = malloc(size);
    assert_non_null(bytes);
    gm_change_encode_twin_put(bytes, number, gm_str_of(id), doc.type->id, doc.cells, doc.count);
    apply(plant, GM_CHANGE_TWIN_PUT, bytes, size);
    free(bytes);
    gm_arena_destroy(arena);
    json_decref(body);
}

void gm_small_plant_delete(gm_small_plant *plant, const char *id)
{
    apply_texts(plant, GM_CHANGE_TWIN_DELETE, find(plant, id).v, 0, GM_STR(""), GM_STR(""), GM_STR(""));
}

void gm_small_plant_relate(gm_small_plant *plant, const char *source, const char *id, const char *name, const char *target,
                           const char *properties)
{
    apply_texts(plant, GM_CHANGE_RELATIONSHIP_PUT, find(plant, source).v, find(plant, target).v, gm_str_of(id), gm_str_of(name),
                gm_str_of(properties));
}

void gm_small_plant_unrelate(gm_small_plant *plant, const char *source, const char *id)
{
    apply_texts(plant, GM_CHANGE_RELATIONSHIP_DELETE, find(plant, source).v, 0, gm_str_of(id), GM_STR(""), GM_STR(""));
}
