// PATCH and PUT of a value: a property of the twin, a fact, or an element of a submodel that is kept as it came. The checks are those
// of every other way to write.
#include "aas/plate.h"
#include "api/aas/aas.h"
#include "api/documents.h"
#include "api/routes.h"
#include "api/thread/life.h"
#include "base/number.h"
#include "state/document.h"

#include <stdlib.h>

static void after(gm_request *request) { gm_reply_empty(request, 204); }

static bool facts_in_flight(const gm_request *request, gm_str id)
{
    return gm_engine_in_flight(request->engine, GM_IN_FLIGHT_FACTS, id) || gm_engine_in_flight(request->engine, GM_IN_FLIGHT_FACTS, GM_STR(""));
}

static void not_settable(gm_request *request, const char *why)
{
    gm_reply_error(request, 400, "NotWritable", "This element can not be set: %s.", why);
}

// ---- properties of twins ------------------------------------------------------------------------------------------------

// What is sent as a text (as the metamodel's JSON has all values) stands for the number, the truth or the document that it spells.
static json_t *meant(const gm_column *column, json_t *value)
{
    if (!json_is_string(value) || column->kind == GM_KIND_STRING) return json_incref(value);
    json_t *read = json_loadb(json_string_value(value), json_string_length(value), JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    return read != NULL ? read : json_incref(value);
}

static void set_column(gm_request *request, const gm_aas_thing *thing, const json_t *element)
{
    gm_str dtmi, path;
    if (!gm_aas_column_of(gm_aas_semantics(element), &dtmi, &path)) {
        not_settable(request, "it is a collection; set what lies in it");
        return;
    }
    const gm_column *column = gm_type_column(thing->type, path);
    if (column == NULL || column->is_telemetry) {
        not_settable(request, "it is telemetry, which is reported");
        return;
    }
    if (gm_api_twin_in_flight(request, thing->id)) {
        gm_request_retry(request);
        return;
    }
    gm_cell_write *cells = NULL;
    size_t         count = 0;
    gm_error       err   = { 0 };
    gm_str         kept  = gm_arena_str(request->arena, path);
    json_t        *value = meant(column, request->json);
    gm_status      st = kept.ptr == NULL ? GM_NOMEM : gm_document_read_patch(gm_api_state(request), thing->twin, GM_PATCH_ADD, kept, value, gm_api_now(request), request->arena, &cells, &count, &err);
    json_decref(value);
    if (st != GM_OK) {
        gm_reply_failure(request, st == GM_LIMIT || st == GM_NOTFOUND ? GM_INVALID : st, &err);
        return;
    }
    gm_ask ask = gm_request_ask(request, after);
    st         = gm_engine_write(request->engine, thing->twin, GM_WRITE_PROPERTIES | GM_WRITE_ALWAYS, cells, count, ask, &err);
    gm_request_submitted(request, st, &err);
}

// ---- facts --------------------------------------------------------------------------------------------------------------

static void add_fact(gm_request *request, gm_fact *fact)
{
    gm_error err = { 0 };
    fact->from   = gm_api_now(request);
    fact->to     = INT64_MAX;
    fact->author = gm_principal_name(request->principal);
    fact->cause  = GM_STR("set through the Asset Administration Shell");
    if (!gm_life_shows(request, fact)) {
        gm_api_no_twin(request, fact->twin);
        return;
    }
    gm_ask ask = gm_request_ask(request, after);
    gm_request_submitted(request, gm_life_add(request->api->life, fact, 1, ask, &err), &err);
}

// Words in several languages are one text here.
static gm_status text_of(gm_request *request, json_t *element, gm_str *out, gm_error *err)
{
    gm_status st = gm_aas_set_value(element, request->json, err);
    if (st != GM_OK) return st;
    gm_str text = gm_aas_string(element, "value");
    if (gm_aas_is(element, "MultiLanguageProperty")) text = gm_aas_string(json_array_get(json_object_get(element, "value"), 0), "text");
    *out = gm_arena_str(request->arena, text);
    return out->ptr != NULL ? GM_OK : GM_NOMEM;
}

static gm_str key_of(gm_request *request, const json_t *element, gm_aas_kind kind)
{
    gm_str key, name = gm_aas_string(element, "idShort");
    if (gm_aas_fact_key(request->arena, gm_aas_semantics(element), &key)) return key;
    const gm_aas_plate *row = kind == GM_AAS_TECHNICAL ? gm_aas_plate_of(gm_aas_generals, gm_aas_general_count, name) : gm_aas_plate_of(gm_aas_plates, gm_aas_plate_count, name);
    if (row == NULL && kind == GM_AAS_NAMEPLATE) row = gm_aas_plate_of(gm_aas_addresses, gm_aas_address_count, name);
    return row != NULL ? gm_str_of(row->key) : (gm_str){ 0 };
}

static void set_fact(gm_request *request, const gm_aas_found *found, json_t *element)
{
    gm_error       err = { 0 };
    gm_str         key = key_of(request, element, found->kind), text;
    const gm_fact *old = key.len > 0 ? gm_aas_fact(&found->thing, key) : NULL;
    if (old == NULL) {
        not_settable(request, "it says what gemel made of the thing's id, or is a collection");
        return;
    }
    if (facts_in_flight(request, found->thing.id)) {
        gm_request_retry(request);
        return;
    }
    gm_status st = text_of(request, element, &text, &err);
    if (st != GM_OK) {
        gm_reply_failure(request, st, &err);
        return;
    }
    gm_fact next    = *old;  // its unit and its limits stay
    next.twin       = gm_arena_str(request->arena, old->twin);
    next.key        = gm_arena_str(request->arena, key);
    next.value.unit = gm_arena_str(request->arena, old->value.unit);
    if (next.value.kind == GM_FACT_NUMBER) st = gm_number_read(text, &next.value.number) == text.len ? GM_OK : gm_fail(&err, GM_INVALID, "api.aas", "'" GM_STR_FMT "' is no number", GM_STR_ARG(gm_str_slice(text, 0, 60)));
    else next.value.text = text;
    if (st == GM_OK) add_fact(request, &next);
    else gm_reply_failure(request, st, &err);
}

// ---- what is kept ---------------------------------------------------------------------------------------------------------

static void set_kept(gm_request *request, const gm_aas_found *found, json_t *tree, json_t *element)
{
    gm_error err  = { 0 };
    gm_buf   text = gm_buf_init(request->alloc);
    if (facts_in_flight(request, found->thread)) {  // the whole submodel is written: what another has changed must be in it
        gm_request_retry(request);
        return;
    }
    gm_status st = gm_aas_set_value(element, request->json, &err);
    if (st == GM_OK) gm_document_compact(tree, &text);
    if (st == GM_OK && text.len > GM_FACT_TEXT_MAX) st = gm_fail(&err, GM_INVALID, "api.aas", "a kept submodel of more than %d bytes can not be changed in place", GM_FACT_TEXT_MAX);
    gm_str kept = st == GM_OK ? gm_arena_str(request->arena, gm_buf_view(&text)) : (gm_str){ 0 };
    if (st == GM_OK && (text.failed || kept.ptr == NULL)) st = GM_NOMEM;
    gm_buf_finish(&text);
    if (st != GM_OK) {
        gm_reply_failure(request, st, &err);
        return;
    }
    gm_fact fact = { .twin = found->thread, .key = GM_STR(GM_AAS_KEY_SUBMODEL), .phase = GM_PHASE_DESIGNED, .value = { .kind = GM_FACT_JSON, .text = kept },
                     .from = gm_api_now(request), .to = INT64_MAX, .author = gm_principal_name(request->principal), .cause = GM_STR("set through the Asset Administration Shell") };
    gm_ask ask = gm_request_ask(request, after);
    gm_request_submitted(request, gm_life_add(request->api->life, &fact, 1, ask, &err), &err);
}

void gm_route_aas_set(gm_request *request)
{
    gm_aas_found found;
    gm_str       path = request->parameters[1];
    if (gm_request_json(request) == NULL) return;
    json_t *tree = gm_aas_submodel_tree(request, &found);
    if (tree == NULL) return;
    json_t *element = gm_aas_find(tree, path);
    if (element == NULL) gm_reply_error(request, 404, "ElementNotFound", "The submodel has nothing at '" GM_STR_FMT "'.", GM_STR_ARG(gm_str_slice(path, 0, 300)));
    else if (found.origin == GM_AAS_KEPT) set_kept(request, &found, tree, element);
    else if (found.kind == GM_AAS_OPERATIONAL) set_column(request, &found.thing, element);
    else if (found.kind == GM_AAS_NAMEPLATE || found.kind == GM_AAS_TECHNICAL) set_fact(request, &found, element);
    else not_settable(request, "what it shows is kept elsewhere: facts, relationships, interfaces");
    json_decref(tree);
}
