#include "cli/plant_state.h"

#include "state/document.h"

#include <stdlib.h>

static const char WHERE[] = "cli.plant";

typedef struct filling {
    gm_plant       *plant;
    gm_plant_state *s;
    gm_arena       *scratch;
    gm_buf          payload;
    uint64_t        sequence;
} filling;

static gm_status no_memory(gm_error *err) { return gm_fail(err, GM_NOMEM, WHERE, "reading the plant's twins"); }

static gm_status apply(filling *f, gm_change_kind kind, size_t size, gm_error *err)
{
    gm_change change;
    gm_status st = gm_change_decode((uint8_t)kind, f->payload.ptr, size, &change, err);
    return st == GM_OK ? gm_state_apply(f->s->state, ++f->sequence, 0, &change, err) : st;
}

static uint8_t *room(filling *f, size_t size)
{
    gm_buf_clear(&f->payload);
    return gm_buf_reserve(&f->payload, size);
}

// All sources as one JSON array, so that interfaces of different files may name one another.
static gm_status put_models(filling *f, gm_error *err)
{
    gm_buf all = gm_buf_init(f->plant->alloc);
    for (size_t i = 0; i < f->plant->source_count; i++) {
        gm_str text = gm_str_trim(f->plant->sources[i].text);
        if (gm_str_starts(text, GM_STR("["))) text = gm_str_trim(gm_str_slice(text, 1, text.len - 1));
        if (text.len == 0) continue;
        gm_buf_byte(&all, all.len == 0 ? '[' : ',');
        gm_buf_str(&all, text);
    }
    gm_buf_text(&all, all.len == 0 ? "[]" : "]");
    gm_str    text = gm_buf_view(&all), none = GM_STR("");
    size_t    size = gm_change_size_texts(none, none, text);
    uint8_t  *bytes = all.failed ? NULL : room(f, size);
    gm_status st    = bytes != NULL ? GM_OK : no_memory(err);
    if (st == GM_OK) gm_change_encode_texts(bytes, 0, 0, 0, none, none, text);
    if (st == GM_OK) st = apply(f, GM_CHANGE_MODELS, size, err);
    gm_buf_finish(&all);
    return st;
}

// Sources are added one by one as far as they are sound: the checks have told about the others.
static gm_status add_models(filling *f, gm_error *err)
{
    gm_findings found = { 0 };
    gm_error    why   = { 0 };
    gm_status   st = gm_model_add(f->s->model, f->plant->sources, f->plant->source_count, &found, &why);
    gm_findings_finish(&found);
    for (size_t i = 0; st == GM_INVALID && i < f->plant->source_count; i++) {
        gm_status one = gm_model_add(f->s->model, &f->plant->sources[i], 1, &found, &why);
        gm_findings_finish(&found);
        if (one == GM_NOMEM) st = GM_NOMEM;
    }
    return st == GM_NOMEM ? no_memory(err) : GM_OK;
}

static gm_status put_twin(filling *f, const gm_plant_document *doc, const json_t *body, gm_error *err)
{
    (void)doc;
    gm_twin_document twin;
    gm_str           id = gm_str_of(json_string_value(json_object_get(body, "$dtId")));
    gm_arena_clear(f->scratch);
    gm_status st = gm_document_read_twin(f->s->model, body, 0, f->scratch, &twin, err);
    if (st != GM_OK) return st;
    size_t   size  = gm_change_size_twin_put(id, twin.type->id, twin.cells, twin.count);
    uint8_t *bytes = room(f, size);
    if (bytes == NULL) return no_memory(err);
    gm_change_encode_twin_put(bytes, gm_state_next_twin(f->s->state), id, twin.type->id, twin.cells, twin.count);
    return apply(f, GM_CHANGE_TWIN_PUT, size, err);
}

static gm_status put_relationship(filling *f, const gm_plant_document *doc, const json_t *body, gm_error *err)
{
    gm_relationship_names n      = gm_plant_relationship_names(body);
    gm_twin               source = gm_state_find(f->s->state, gm_str_of(n.source)),
            target               = gm_state_find(f->s->state, gm_str_of(n.target));
    if (!gm_twin_ok(source) || !gm_twin_ok(target) || n.name == NULL || n.id == NULL)
        return gm_fail_at(err, GM_INVALID, WHERE, doc->line, 1, "a relationship between twins that are not there");
    gm_str   id = gm_str_of(n.id), name = gm_str_of(n.name), none = GM_STR("{}");
    size_t   size  = gm_change_size_texts(id, name, none);
    uint8_t *bytes = room(f, size);
    if (bytes == NULL) return no_memory(err);
    gm_change_encode_texts(bytes, source.v, target.v, 0, id, name, none);
    return apply(f, GM_CHANGE_RELATIONSHIP_PUT, size, err);
}

static gm_status put_all(filling *f, const gm_plant_documents *documents,
                         gm_status (*put)(filling *f, const gm_plant_document *doc, const json_t *body, gm_error *err),
                         gm_error *err)
{
    gm_status st = GM_OK;
    for (size_t i = 0; st == GM_OK && i < documents->count; i++) {
        const gm_plant_document *doc  = &documents->items[i];
        json_t                  *body = json_loadb(doc->text.ptr, doc->text.len, 0, NULL);
        if (body == NULL) st = gm_fail_at(err, GM_INVALID, WHERE, doc->line, 1, "not JSON");
        else st = put(f, doc, body, err);
        json_decref(body);
    }
    return st;
}

gm_status gm_plant_state_open(gm_plant *plant, bool with_twins, gm_plant_state *out, gm_error *err)
{
    *out         = (gm_plant_state){ .alloc = plant->alloc, .model = gm_model_create(plant->alloc) };
    filling   f  = { .plant = plant, .s = out, .payload = gm_buf_init(plant->alloc) };
    gm_status st = gm_plant_split(plant, err);
    f.scratch    = gm_arena_create(plant->alloc, 0);
    if (st == GM_OK && (out->model == NULL || f.scratch == NULL)) st = no_memory(err);
    if (st == GM_OK) out->state = gm_state_create(plant->alloc, out->model);
    if (st == GM_OK && out->state == NULL) st = no_memory(err);
    if (st == GM_OK) st = with_twins ? put_models(&f, err) : add_models(&f, err);
    if (st == GM_OK && with_twins) st = put_all(&f, &plant->twin_documents, put_twin, err);
    if (st == GM_OK && with_twins) st = put_all(&f, &plant->relationship_documents, put_relationship, err);
    gm_buf_finish(&f.payload);
    gm_arena_destroy(f.scratch);
    return st;
}

void gm_plant_state_close(gm_plant_state *s)
{
    gm_state_destroy(s->state);
    gm_model_destroy(s->model);
    *s = (gm_plant_state){ 0 };
}
