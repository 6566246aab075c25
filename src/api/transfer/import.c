// Invariants: (1) an item whose checks depend on something that is in flight waits for the commit (held); (2) every ask
// holds the import alive: it is freed with the last answer after gm_import_close.
#include "api/transfer/import.h"

#include "state/document.h"

#include <stdlib.h>

enum { ITEMS_BETWEEN_LOOKS = 16 };

struct gm_import {
    gm_import_options options;
    gm_items         *items;
    gm_item           item;
    bool              held;       // item is to be tried again
    gm_item_section   section;
    json_t           *models;     // gathered
    gm_arena         *arena;      // emptied after each item
    gm_import_counts  counts;
    uint64_t          pending;    // asks without an answer
    bool              closed;
    gm_status         failed;
    gm_error          err;
};

static const char *const names[] = { "Header", "Models", "Twins", "Relationships", "" };

static void destroy(gm_import *import)
{
    gm_items_close(import->items);
    json_decref(import->models);
    gm_arena_destroy(import->arena);
    gm_free(import->options.alloc, import);
}

gm_status gm_import_open(const gm_import_options *options, gm_import **out_import, gm_error *err)
{
    *out_import       = NULL;
    gm_import *import = gm_alloc_zeroed(options->alloc, sizeof *import);
    if (import == NULL) return gm_fail(err, GM_NOMEM, "api.transfer", "opening a file");
    import->options = *options;
    import->models  = json_array();
    import->arena   = gm_arena_create(options->alloc, 0);
    gm_status st    = import->models != NULL && import->arena != NULL
                          ? gm_items_open(options->alloc, options->source, &import->items, err)
                          : gm_fail(err, GM_NOMEM, "api.transfer", "opening a file");
    if (st == GM_OK) *out_import = import;
    else destroy(import);
    return st;
}

void gm_import_close(gm_import *import)
{
    if (import == NULL) return;
    import->closed = true;
    if (import->pending == 0) destroy(import);
}

gm_import_counts gm_import_count(const gm_import *import) { return import->counts; }
const gm_error  *gm_import_error(const gm_import *import) { return &import->err; }

// ---- what happens to an item ----------------------------------------------------------------------------------------

static void refuse(gm_import *import, gm_str id, const char *code, const char *why)
{
    import->counts.refused++;
    if (import->options.refused == NULL) return;
    import->options.refused(import->options.context, names[import->item.section], import->item.number, id, code, why);
}

static void fail(gm_import *import, gm_status status, const gm_error *err)
{
    if (import->failed != GM_OK) return;
    import->failed = status;
    import->err    = *err;
}

static void on_answer(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    (void)token;
    gm_import *import = context;
    import->pending--;
    if (import->closed) {
        if (import->pending == 0) destroy(import);
        return;
    }
    if (status == GM_OK) return;
    if (status == GM_CONFLICT) import->counts.refused++;  // the world moved on: somebody else deleted what this needed
    else fail(import, status, err);
}

static gm_ask ask_of(gm_import *import)
{
    import->pending++;
    return (gm_ask){ .call = on_answer, .context = import };
}

// What a submission came to. True: the item is done with.
static bool submitted(gm_import *import, gm_status status, const gm_error *err, uint64_t *count)
{
    if (status == GM_OK) {
        ++*count;
        return true;
    }
    import->pending--;
    if (status == GM_LIMIT) return false;  // the batch is full
    fail(import, status, err);
    return true;
}

static gm_str text_of(const json_t *json, const char *key)
{
    const json_t *text = json_object_get(json, key);
    return (gm_str){ json_string_value(text), json_string_length(text) };
}

// ---- models ---------------------------------------------------------------------------------------------------------

static void gather_model(gm_import *import)
{
    json_t        *json = import->item.json;
    gm_str         id   = text_of(json, "@id");
    const gm_type *type = id.ptr != NULL ? gm_model_find(gm_engine_model(import->options.engine), id) : NULL;
    if (type != NULL) {
        json_t *stored = json_loadb(type->text.ptr, type->text.len, 0, NULL);
        bool    same   = stored != NULL && json_equal(stored, json);
        json_decref(stored);
        if (!same)
            refuse(import, id, "ModelIdAlreadyExists",
                   "a model with this id exists and says something else; give the new text the next version");
        return;
    }
    if (json_array_append(import->models, json) != 0) {
        gm_error err;
        fail(import, gm_fail(&err, GM_NOMEM, "api.transfer", "gathering models"), &err);
    }
}

// True: done with, one way or the other.
static bool submit_models(gm_import *import)
{
    gm_engine *engine = import->options.engine;
    gm_str     none   = { 0 };
    if (json_array_size(import->models) == 0) return true;
    if (gm_engine_in_flight(engine, GM_IN_FLIGHT_TWIN, GM_STR(""))) return false;
    char           *text  = json_dumps(import->models, JSON_COMPACT);
    gm_model_source from  = { .text = gm_str_of(text) };
    gm_findings     found = { 0 };
    gm_error        err   = { 0 };
    gm_status       st    = text != NULL ? gm_model_check(gm_engine_model(engine), &from, 1, &found, &err)
                                         : gm_fail(&err, GM_NOMEM, "api.transfer", "adding models");
    for (size_t i = 0; i < found.count && i < 100; i++) {
        char why[1024];
        snprintf(why, sizeof why, GM_STR_FMT, GM_STR_ARG(gm_str_slice(found.items[i].text, 0, 1000)));
        import->item.section = GM_ITEM_MODEL;
        refuse(import, found.items[i].dtmi, "DTDLParserError", why);
    }
    bool done = true;
    if (st != GM_OK) {
        fail(import, st, &err);
    } else {
        uint64_t submissions = 0;
        gm_ask   ask = ask_of(import);
        st           = gm_engine_submit(engine, GM_CHANGE_MODELS, 0, none, none, from.text, ask, &err);
        done         = submitted(import, st, &err, &submissions);
        if (submissions > 0) import->counts.models += json_array_size(import->models);
    }
    gm_findings_finish(&found);
    free(text);
    if (done) json_array_clear(import->models);
    return done;
}

// ---- twins and relationships ----------------------------------------------------------------------------------------

static bool put_twin(gm_import *import)
{
    gm_engine *engine = import->options.engine;
    gm_str     id     = text_of(import->item.json, "$dtId");
    if (id.len == 0) {
        refuse(import, id, "ValidationFailed", "a twin needs a $dtId");
        return true;
    }
    if (gm_engine_in_flight(engine, GM_IN_FLIGHT_TWIN, id)) return false;  // keeps (1)
    gm_twin_document document;
    gm_error         err = { 0 };
    gm_status st = gm_document_read_twin(gm_engine_model(engine), import->item.json, gm_now(import->options.clock),
                                         import->arena, &document, &err);
    if (st == GM_NOMEM) {
        fail(import, st, &err);
        return true;
    }
    gm_twin twin = gm_state_find(gm_engine_state(engine), id);
    bool    gone = st == GM_OK && document.type->decommissioned && !gm_twin_ok(twin);
    if (st != GM_OK || gone) {
        refuse(import, id, gone ? "ModelDecommissioned" : "ValidationFailed",
               gone ? "the model is decommissioned" : err.text);
        return true;
    }
    gm_ask ask = ask_of(import);
    st         = gm_engine_twin_put(engine, twin, id, document.type, document.cells, document.count, ask, NULL, &err);
    return submitted(import, st, &err, &import->counts.twins);
}

static bool target_fits(gm_engine *engine, const gm_type *source, gm_twin target, gm_str name)
{
    const gm_relationship_type *declared = gm_type_relationship(source, name);
    if (declared == NULL || declared->target.len == 0) return true;
    const gm_type *wanted = gm_model_find(gm_engine_model(engine), declared->target);
    return wanted == NULL || gm_type_is(gm_state_type(gm_engine_state(engine), target), wanted);
}

static bool put_relationship(gm_import *import)
{
    gm_engine      *engine = import->options.engine;
    const gm_state *state  = gm_engine_state(engine);
    gm_str          id     = text_of(import->item.json, "$relationshipId");
    gm_str          from   = text_of(import->item.json, "$sourceId");
    if (from.ptr == NULL) from = text_of(import->item.json, "$dtId");
    if (id.len == 0 || from.len == 0) {
        refuse(import, id, "ValidationFailed", "a relationship needs a $relationshipId and a $sourceId");
        return true;
    }
    if (gm_engine_relationship_in_flight(engine, from, id)) return false;  // keeps (1)
    gm_twin source = gm_state_find(state, from);
    if (!gm_twin_ok(source)) {
        refuse(import, id, "DigitalTwinNotFound", "its source does not exist");
        return true;
    }
    if (json_object_get(import->item.json, "$dtId") != NULL) json_object_del(import->item.json, "$dtId");
    gm_relationship_document document;
    gm_error                 err = { 0 };
    gm_status                st =
        gm_document_read_relationship(gm_state_type(state, source), import->item.json, import->arena, &document, &err);
    if (st == GM_NOMEM) {
        fail(import, st, &err);
        return true;
    }
    gm_twin target = st == GM_OK ? gm_state_find(state, document.target_id) : (gm_twin){ GM_NONE };
    const char *code = NULL, *why = NULL;
    if (st != GM_OK) code = "ValidationFailed", why = err.text;
    else if (!gm_twin_ok(target)) code = "TargetDigitalTwinNotFound", why = "its target does not exist";
    else if (target.v == source.v) code = "OperationNotAllowed", why = "it leads to its own source";
    else if (!target_fits(engine, gm_state_type(state, source), target, document.name))
        code = "ValidationFailed", why = "the model of its target does not fit the relationship";
    if (code != NULL) {
        refuse(import, id, code, why);
        return true;
    }
    gm_ask ask = ask_of(import);
    st         = gm_engine_relationship_put(engine, source, target, id, document.name, document.properties, ask, &err);
    return submitted(import, st, &err, &import->counts.relationships);
}

// ---- stepping -------------------------------------------------------------------------------------------------------

static void tell_section(gm_import *import, bool begins)
{
    if (import->section != GM_ITEM_HEADER && import->section != GM_ITEM_END && import->options.section != NULL) {
        import->options.section(import->options.context, names[import->section], begins);
    }
}

// What comes depends on what was: it waits until that is committed. False: not yet.
static bool change_section(gm_import *import)
{
    if (import->section == GM_ITEM_MODEL && !submit_models(import)) return false;
    if (import->pending > 0) return false;
    tell_section(import, false);
    import->section = import->item.section;
    tell_section(import, true);
    return true;
}

static bool take_item(gm_import *import)
{
    if (import->item.section != import->section && !change_section(import)) return false;
    if (import->item.section == GM_ITEM_END || import->failed != GM_OK) return true;
    if (import->item.status != GM_OK) {
        refuse(import, (gm_str){ 0 }, "ValidationFailed", import->item.why.text);
        return true;
    }
    gm_mark mark = gm_arena_mark(import->arena);
    bool    done = true;
    if (import->section == GM_ITEM_MODEL) gather_model(import);
    else if (import->section == GM_ITEM_TWIN) done = put_twin(import);
    else done = put_relationship(import);
    gm_arena_rewind(import->arena, mark);
    return done;
}

gm_import_flow gm_import_step(gm_import *import, gm_dur_ns budget)
{
    gm_dur_ns until = gm_monotonic(import->options.clock) + budget;
    for (int n = 1;; n++) {
        if (import->failed != GM_OK) return import->pending > 0 ? GM_IMPORT_WAITS : GM_IMPORT_FAILED;
        if (!import->held) {
            if (import->section == GM_ITEM_END) return GM_IMPORT_DONE;
            gm_error  err;
            gm_status st = gm_items_next(import->items, &import->item, &err);
            if (st != GM_OK) {
                fail(import, st, &err);
                continue;
            }
        }
        import->held = !take_item(import);
        if (import->held) return GM_IMPORT_WAITS;
        if (n % ITEMS_BETWEEN_LOOKS == 0 && gm_monotonic(import->options.clock) >= until) return GM_IMPORT_GOES_ON;
    }
}
