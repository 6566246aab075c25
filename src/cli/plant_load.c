#include "cli/plant_load.h"

#include "state/document.h"

#include <jansson.h>
#include <stdlib.h>

typedef struct loading {
    gm_plant        *plant;
    gm_engine       *engine;
    gm_arena        *scratch;
    gm_progress     *progress;
    gm_plant_loaded *loaded;
    uint64_t         done;
    gm_time_ns       now;
    gm_status        refused;   // the first submitted change that was not committed
    gm_error         reason;
} loading;

static void on_answer(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    (void)token;
    loading *l = context;
    if (status == GM_OK || l->refused != GM_OK) return;
    l->refused = status;
    if (err != NULL) l->reason = *err;
}

static gm_ask ask_of(loading *l) { return (gm_ask){ .call = on_answer, .context = l }; }

// Waits until everything submitted so far is durable and applied.
static gm_status settle(loading *l, gm_error *err)
{
    gm_status st = gm_engine_settle(l->engine, err);
    if (st == GM_OK && l->refused != GM_OK) {
        if (err != NULL) *err = l->reason;
        st = l->refused;
    }
    return st;
}

static gm_status conflict(loading *l, gm_str file, uint32_t line, const char *rule, gm_str dtmi, const char *text)
{
    return gm_plant_find(l->plant, file, line, 1, rule, dtmi, "%s", text);
}

// ---- models ---------------------------------------------------------------------------------------------------------

// An interface that the engine has already must say the same. Returns whether it is new.
static gm_status compare_interface(loading *l, gm_str file, json_t *interface, bool *out_new)
{
    const char    *dtmi = json_string_value(json_object_get(interface, "@id"));
    const gm_type *type = dtmi != NULL ? gm_model_find(gm_engine_model(l->engine), gm_str_of(dtmi)) : NULL;
    *out_new            = type == NULL;
    if (type == NULL) return GM_OK;
    json_t *stored = json_loadb(type->text.ptr, type->text.len, 0, NULL);
    bool    same   = stored != NULL && json_equal(stored, interface);
    json_decref(stored);
    if (same) return GM_OK;
    char text[512];
    snprintf(
        text, sizeof text,
        "%.200s has changed since it was loaded; models are never changed in place: give the new text the next version",
        dtmi);
    return conflict(l, file, 1, "models.changed", gm_str_of(dtmi), text);
}

// Gathers the interfaces that are new, as one JSON array.
static gm_status gather_models(loading *l, json_t *array)
{
    gm_status st = GM_OK;
    for (size_t i = 0; st == GM_OK && i < l->plant->source_count; i++) {
        const gm_model_source *source = &l->plant->sources[i];
        json_t                *whole  = json_loadb(source->text.ptr, source->text.len, 0, NULL);
        size_t                 n      = json_is_array(whole) ? json_array_size(whole) : 1;
        for (size_t j = 0; st == GM_OK && whole != NULL && j < n; j++) {
            json_t *interface = json_is_array(whole) ? json_array_get(whole, j) : whole;
            bool    is_new;
            st = compare_interface(l, source->file, interface, &is_new);
            if (st == GM_OK && is_new && json_array_append(array, interface) != 0) st = GM_NOMEM;
        }
        json_decref(whole);
    }
    return st;
}

static gm_status load_models(loading *l, gm_error *err)
{
    json_t   *array = json_array();
    char     *text  = NULL;
    gm_status st    = array != NULL ? gather_models(l, array) : GM_NOMEM;
    if (st == GM_NOMEM) gm_fail(err, GM_NOMEM, "cli.plant", "loading models");
    l->loaded->models = json_array_size(array);
    if (st == GM_OK && l->loaded->models > 0) {
        text = json_dumps(array, JSON_COMPACT);
        st   = text == NULL ? gm_fail(err, GM_NOMEM, "cli.plant", "loading models")
                            : gm_engine_submit(l->engine, GM_CHANGE_MODELS, 0, (gm_str) { 0 }, (gm_str) { 0 },
                                               gm_str_of(text), ask_of(l), err);
        if (st == GM_OK) st = settle(l, err);
    }
    free(text);
    json_decref(array);
    return st;
}

// ---- twins ----------------------------------------------------------------------------------------------------------

static gm_status put_twin(loading *l, gm_str id, const json_t *body, gm_error *err)
{
    gm_twin_document document;
    gm_arena_clear(l->scratch);
    gm_status st = gm_document_read_twin(gm_engine_model(l->engine), body, l->now, l->scratch, &document, err);
    if (st != GM_OK) return st;
    const gm_twin fresh = { GM_NONE };
    st = gm_engine_twin_put(l->engine, fresh, id, document.type, document.cells, document.count, ask_of(l), NULL, err);
    if (st != GM_LIMIT) return st;

    // The batch is full: let the disk catch up, then it fits.
    st = settle(l, err);
    if (st != GM_OK) return st;
    return gm_engine_twin_put(l->engine, fresh, id, document.type, document.cells, document.count, ask_of(l), NULL,
                              err);
}

static gm_status load_twin(loading *l, const gm_plant_document *doc, gm_error *err)
{
    json_t     *body = json_loadb(doc->text.ptr, doc->text.len, 0, NULL);
    const char *id   = json_string_value(json_object_get(body, "$dtId"));
    gm_status   st   = GM_OK;
    if (id != NULL && !gm_twin_ok(gm_state_find(gm_engine_state(l->engine), gm_str_of(id)))) {
        gm_error why = {0};
        st           = put_twin(l, gm_str_of(id), body, &why);
        l->loaded->twins += st == GM_OK;
        if (st == GM_INVALID || st == GM_NOTFOUND)
            st = conflict(l, doc->file, doc->line, "twins.value", (gm_str) { 0 }, why.text);
        else if (st != GM_OK && err != NULL) *err = why;
    }
    json_decref(body);
    return st;
}

// ---- relationships --------------------------------------------------------------------------------------------------

static const char *const relationship_keys[] = { "$dtId",           "$sourceId", "$targetId", "$relationshipName",
                                                 "$relationshipId", "$etag" };

static gm_status put_relationship(loading *l, const gm_plant_document *doc, json_t *body, gm_error *err)
{
    gm_relationship_names names  = gm_plant_relationship_names(body);
    const gm_state       *state  = gm_engine_state(l->engine);
    gm_twin               source = gm_state_find(state, gm_str_of(names.source)),
            target               = gm_state_find(state, gm_str_of(names.target));
    if (!gm_twin_ok(source) || !gm_twin_ok(target)) {
        char text[400];
        snprintf(text, sizeof text, "relationship '%.128s': the twin '%.128s' does not exist", names.id,
                 gm_twin_ok(source) ? names.target : names.source);
        return conflict(l, doc->file, doc->line, "relationships.twin", (gm_str){0}, text);
    }
    if (gm_edge_ok(gm_state_find_relationship(state, source, gm_str_of(names.id)))) return GM_OK;

    // The names live in the document, so it gives them up only after the change is encoded.
    json_t *properties = json_copy(body);
    for (size_t i = 0; i < sizeof relationship_keys / sizeof relationship_keys[0]; i++) {
        json_object_del(properties, relationship_keys[i]);
    }
    char     *text = json_dumps(properties, JSON_COMPACT);
    gm_status st   = text != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "cli.plant", "loading relationships");
    for (int attempt = 0; attempt < 2 && text != NULL; attempt++) {
        st = gm_engine_relationship_put(l->engine, source, target, gm_str_of(names.id), gm_str_of(names.name),
                                        gm_str_of(text), ask_of(l), err);
        if (st != GM_LIMIT) break;
        st = settle(l, err);
        if (st != GM_OK) break;
    }
    l->loaded->relationships += st == GM_OK;
    free(text);
    json_decref(properties);
    return st;
}

static gm_status load_relationship(loading *l, const gm_plant_document *doc, gm_error *err)
{
    json_t   *body = json_loadb(doc->text.ptr, doc->text.len, 0, NULL);
    gm_status st   = body != NULL ? put_relationship(l, doc, body, err) : GM_OK;
    json_decref(body);
    return st;
}

gm_status gm_plant_load(gm_plant *plant, gm_engine *engine, gm_time_ns now, gm_progress *progress,
                        gm_plant_loaded *out_loaded, gm_error *err)
{
    size_t  before = plant->findings.count;
    loading l      = { .plant = plant, .engine = engine, .progress = progress, .loaded = out_loaded, .now = now };
    *out_loaded    = (gm_plant_loaded){0};
    l.scratch      = gm_arena_create(plant->alloc, 0);
    if (l.scratch == NULL) return gm_fail(err, GM_NOMEM, "cli.plant", "loading " GM_STR_FMT, GM_STR_ARG(plant->folder));

    gm_status st = load_models(&l, err);
    bool      ok = plant->findings.count == before;  // without its models the rest would only repeat itself
    for (size_t i = 0; st == GM_OK && ok && i < plant->twin_documents.count; i++) {
        st = load_twin(&l, &plant->twin_documents.items[i], err);
        gm_progress_set(progress, ++l.done);
    }
    if (st == GM_OK) st = settle(&l, err);
    for (size_t i = 0; st == GM_OK && ok && i < plant->relationship_documents.count; i++) {
        st = load_relationship(&l, &plant->relationship_documents.items[i], err);
        gm_progress_set(progress, ++l.done);
    }
    if (st == GM_OK) st = settle(&l, err);
    gm_arena_destroy(l.scratch);
    if (st == GM_OK && plant->findings.count > before) {
        st = gm_fail(err, GM_INVALID, "cli.plant", GM_STR_FMT, GM_STR_ARG(plant->findings.items[before].text));
    }
    return st;
}
