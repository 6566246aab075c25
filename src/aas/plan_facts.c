// What submodels say of a thing, as facts; what they name, as documents; what has no place, kept.
#include "aas/plan_parts.h"
#include "aas/plate.h"
#include "aas/files.h"
#include "aas/tree.h"
#include "base/number.h"
#include "state/document.h"

#include <strings.h>

static json_t *text_json(gm_str text) { return json_stringn(text.ptr != NULL ? text.ptr : "", text.len); }

static gm_str value_at(const json_t *collection, const char *name) { return gm_aas_string(gm_aas_find((json_t *)(uintptr_t)collection, gm_str_of(name)), "value"); }

static json_t *new_fact(gm_str thing, const char *phase, gm_str key) { return json_pack("{so ss so}", "twin", text_json(thing), "phase", phase, "key", text_json(key)); }

static void set_text(json_t *object, const char *member, gm_str text)
{
    if (text.len > 0) (void)json_object_set_new(object, member, text_json(text));
}

static void set_number(json_t *object, const char *member, gm_str text)
{
    double number;
    if (text.len > 0 && gm_number_read(text, &number) == text.len) (void)json_object_set_new(object, member, json_real(number));
}

// ---- what the digital thread says -------------------------------------------------------------------------------------------------

static json_t *said_of(gm_aas_planning *p, gm_str thing, gm_str key)
{
    json_t *keys = json_object_getn(p->said, thing.ptr, thing.len);
    if (keys == NULL && json_object_setn_new(p->said, thing.ptr, thing.len, json_object()) == 0) keys = json_object_getn(p->said, thing.ptr, thing.len);
    json_t *values = json_object_getn(keys, key.ptr, key.len);
    if (values == NULL && json_object_setn_new(keys, key.ptr, key.len, json_array()) == 0) values = json_object_getn(keys, key.ptr, key.len);
    return values;
}

bool gm_aas_plan_is_said(gm_aas_planning *p, gm_str thing, gm_str key, gm_str text)
{
    const json_t *values = said_of(p, thing, key);
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *v = json_array_get(values, i);
        if (gm_str_eq((gm_str){ json_string_value(v), json_string_length(v) }, text)) return true;
    }
    return false;
}

static bool has_thread(const gm_aas_planning *p, gm_str thing) { return json_object_getn(p->said, thing.ptr, thing.len) != NULL; }

// A document: its bytes are in the package, or the server may have them.
static void plan_document(gm_aas_planning *p, json_t *fact, const json_t *smc)
{
    gm_alloc alloc = gm_arena_alloc(p->arena);
    gm_buf   path  = gm_buf_init(&alloc);
    gm_str   hash = value_at(smc, "Hash"), name = value_at(smc, "Name"), media = value_at(smc, "MediaType");
    gm_aas_file_path(hash, name, &path);
    const gm_aasx_file *file = p->package != NULL ? gm_aasx_find(p->package, gm_buf_view(&path)) : NULL;
    if (file == NULL) {
        json_t *document = json_object();
        set_text(document, "hash", hash);
        set_text(document, "mediaType", media);
        set_text(document, "name", name);
        (void)json_object_set_new(fact, "document", document);
        gm_aas_put(p, p->plan->uncertain, fact);
        return;
    }
    json_t *item = json_pack("{so so so}", "thread", json_incref(json_object_get(fact, "twin")), "phase", json_incref(json_object_get(fact, "phase")), "key", json_incref(json_object_get(fact, "key")));
    set_text(item, "name", name);
    set_text(item, "mediaType", media);
    set_text(item, "path", gm_buf_view(&path));
    set_text(item, "from", value_at(smc, "From"));
    set_text(item, "to", value_at(smc, "To"));
    set_text(item, "cause", value_at(smc, "Cause"));
    gm_aas_put(p, p->plan->documents, item);
    json_decref(fact);
}

static void plan_fact(gm_aas_planning *p, gm_str thing, const json_t *smc)
{
    gm_str        key = value_at(smc, "Key"), json = value_at(smc, "Json"), part = value_at(smc, "Part");
    const json_t *value = gm_aas_find((json_t *)(uintptr_t)smc, GM_STR("Value"));
    gm_str        phase = value_at(smc, "Phase");
    json_t       *fact  = new_fact(thing, "", key);
    set_text(fact, "phase", phase);
    set_text(fact, "from", value_at(smc, "From"));
    set_text(fact, "to", value_at(smc, "To"));
    set_text(fact, "author", value_at(smc, "Author"));
    set_text(fact, "cause", value_at(smc, "Cause"));
    (void)json_array_append_new(said_of(p, thing, key), text_json(gm_aas_string(value, "value")));
    if (value_at(smc, "Hash").len > 0) {
        plan_document(p, fact, smc);
        return;
    }
    if (part.len > 0) {
        set_text(fact, "part", part);
        set_number(fact, "quantity", value_at(smc, "Quantity"));
        set_text(fact, "position", value_at(smc, "Position"));
        gm_str more = value_at(smc, "More");
        if (more.len > 0) (void)json_object_set_new(fact, "more", json_loadb(more.ptr, more.len, 0, NULL));
    } else if (json.len > 0) {
        (void)json_object_set_new(fact, "value", json_loadb(json.ptr, json.len, JSON_DECODE_ANY, NULL));
    } else if (gm_str_is(gm_aas_string(value, "valueType"), "xs:double")) {
        set_number(fact, "value", gm_aas_string(value, "value"));
        set_number(fact, "min", value_at(smc, "Min"));
        set_number(fact, "max", value_at(smc, "Max"));
    } else if (value != NULL) {
        (void)json_object_set_new(fact, "value", text_json(gm_aas_string(value, "value")));
    }
    set_text(fact, "unit", value_at(smc, "Unit"));
    if (json_object_get(fact, "value") != NULL || part.len > 0) {
        gm_aas_put(p, p->plan->facts, fact);
        return;
    }
    gm_aas_note(p, "a fact of '" GM_STR_FMT "' says nothing and was left out", GM_STR_ARG(gm_str_slice(thing, 0, 100)));
    json_decref(fact);
}

void gm_aas_plan_thread(gm_aas_planning *p, gm_str thing, const json_t *submodel)
{
    const json_t *facts = json_object_get(gm_aas_find((json_t *)(uintptr_t)submodel, GM_STR("Facts")), "value");
    for (size_t i = 0; p->st == GM_OK && i < json_array_size(facts); i++) plan_fact(p, thing, json_array_get(facts, i));
}

// ---- templates ----------------------------------------------------------------------------------------------------------------------

// A property's text, or the English (else the first) of several languages.
static gm_str words_of(const json_t *element)
{
    const json_t *value = json_object_get(element, "value");
    if (json_is_string(value)) return gm_aas_string(element, "value");
    gm_str first = gm_aas_string(json_array_get(value, 0), "text");
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (gm_str_is(gm_aas_string(json_array_get(value, i), "language"), "en")) return gm_aas_string(json_array_get(value, i), "text");
    }
    return first;
}

void gm_aas_plan_text(gm_aas_planning *p, gm_str thing, gm_str key, gm_str text)
{
    json_t *fact = new_fact(thing, "as-built", key);
    set_text(fact, "value", text);
    gm_aas_put(p, p->plan->facts, fact);
    (void)json_array_append_new(said_of(p, thing, key), text_json(text));
}

static void plan_plates(gm_aas_planning *p, gm_str thing, const json_t *list, const gm_aas_plate *rows, size_t count)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t       *e    = json_array_get(list, i);
        const gm_aas_plate *row  = gm_aas_plate_of(rows, count, gm_aas_string(e, "idShort"));
        gm_str              text = row != NULL ? words_of(e) : (gm_str){ 0 };
        if (text.len == 0 || gm_aas_plan_is_said(p, thing, gm_str_of(row->key), text)) continue;
        gm_aas_plan_text(p, thing, gm_str_of(row->key), text);
    }
}

// The unit that a qualifier or the concept description of a property's semantic id names.
static gm_str unit_of(const gm_aas_planning *p, const json_t *property)
{
    const json_t *qualifiers = json_object_get(property, "qualifiers"), *concepts = json_object_get(p->env, "conceptDescriptions");
    for (size_t i = 0; i < json_array_size(qualifiers); i++) {
        gm_str type = gm_aas_string(json_array_get(qualifiers, i), "type");
        if (type.len == 4 && strncasecmp(type.ptr, "unit", 4) == 0) return gm_aas_string(json_array_get(qualifiers, i), "value");
    }
    gm_str semantics = gm_aas_semantics(property);
    for (size_t i = 0; semantics.len > 0 && i < json_array_size(concepts) && i < 10000; i++) {
        const json_t *c = json_array_get(concepts, i);
        if (!gm_str_eq(gm_aas_string(c, "id"), semantics)) continue;
        const json_t *specification = json_array_get(json_object_get(c, "embeddedDataSpecifications"), 0);
        return gm_aas_string(json_object_get(specification, "dataSpecificationContent"), "unit");
    }
    return (gm_str){ 0 };
}

static bool is_number(gm_str value_type)
{
    static const char *const texts[] = { "xs:string", "xs:boolean", "xs:anyURI", "xs:date", "xs:dateTime", "xs:time", "xs:duration", "xs:base64Binary", "xs:hexBinary",
                                         "xs:gDay", "xs:gMonth", "xs:gMonthDay", "xs:gYear", "xs:gYearMonth" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (gm_str_is(value_type, texts[i])) return false;
    }
    return gm_aas_is_value_type(value_type);
}

static gm_str bound(const json_t *property, const char *type)
{
    const json_t *qualifiers = json_object_get(property, "qualifiers");
    for (size_t i = 0; i < json_array_size(qualifiers); i++) {
        if (gm_str_is(gm_aas_string(json_array_get(qualifiers, i), "type"), type)) return gm_aas_string(json_array_get(qualifiers, i), "value");
    }
    return (gm_str){ 0 };
}

static void plan_technical(gm_aas_planning *p, gm_str thing, const json_t *e, gm_str above)
{
    gm_str key, name = gm_aas_string(e, "idShort"), text = words_of(e);
    const json_t *children = gm_aas_children(e) != NULL ? json_object_get(e, gm_aas_children(e)) : NULL;
    gm_str path = above.len > 0 ? gm_arena_printf(p->arena, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(above), GM_STR_ARG(name)) : name;
    for (size_t i = 0; !p->flat && i < json_array_size(children); i++) plan_technical(p, thing, json_array_get(children, i), name.len > 0 ? path : above);
    bool plain = gm_aas_is(e, "Property") || (gm_aas_is(e, "MultiLanguageProperty") && !p->flat);
    if (!plain || text.len == 0 || path.len == 0 || path.len > GM_FACT_KEY_MAX) return;
    if (!gm_aas_fact_key(p->arena, gm_aas_semantics(e), &key)) key = path;
    if (p->flat && (gm_aas_plate_has_key(key) || gm_str_starts(key, GM_STR(GM_AAS_KEYS)) || gm_str_starts(key, GM_STR(GM_KEY_BOM)))) return;
    if (gm_aas_plan_is_said(p, thing, key, text)) return;
    json_t *fact = new_fact(thing, "as-designed", key);
    gm_str  type = gm_aas_string(e, "valueType");
    double  number;
    if (is_number(type) && gm_number_read(text, &number) == text.len) {
        (void)json_object_set_new(fact, "value", json_real(number));
        set_text(fact, "unit", gm_str_slice(unit_of(p, e), 0, GM_FACT_SHORT_MAX));
        set_number(fact, "min", bound(e, "min"));
        set_number(fact, "max", bound(e, "max"));
    } else if (gm_str_is(type, "xs:boolean")) {
        (void)json_object_set_new(fact, "value", json_boolean(gm_str_is(text, "true") || gm_str_is(text, "1")));
    } else {
        set_text(fact, "value", text);
    }
    gm_aas_put(p, p->plan->facts, fact);
}

// ---- structures -----------------------------------------------------------------------------------------------------------------------

static gm_str part_of(gm_aas_planning *p, const json_t *node)
{
    gm_str asset = gm_aas_string(node, "globalAssetId"), named = gm_aas_string(gm_aas_find((json_t *)(uintptr_t)node, GM_STR("Part")), "value");
    gm_str thing = asset.len > 0 ? gm_aas_thing_of_asset(p, asset) : (gm_str){ 0 };
    if (thing.len > 0) return thing;
    if (named.len > 0) return named;
    return asset.len > 0 && asset.len <= GM_FACT_ID_MAX ? asset : gm_aas_string(node, "idShort");
}

static void plan_nodes(gm_aas_planning *p, gm_str assembly, const json_t *entity, unsigned depth)
{
    const json_t *statements = json_object_get(entity, "statements");
    for (size_t i = 0; depth < GM_CONTAINMENT_DEPTH_MAX && i < json_array_size(statements); i++) {
        const json_t *node = json_array_get(statements, i);
        if (!gm_aas_is(node, "Entity") || value_at(node, "InstalledAt").len > 0) continue;
        gm_str  part = part_of(p, node), position = value_at(node, "Position"), variant = value_at(node, "Variant"), count = value_at(node, "BulkCount");
        if (position.len == 0) position = gm_aas_string(node, "idShort");
        gm_str  key  = gm_arena_printf(p->arena, GM_KEY_BOM GM_STR_FMT "%s" GM_STR_FMT, GM_STR_ARG(position), variant.len > 0 ? "~" : "", GM_STR_ARG(variant));
        json_t *fact = key.ptr != NULL && part.len > 0 ? new_fact(assembly, "as-designed", key) : NULL;
        if (fact == NULL) continue;
        set_text(fact, "part", part);
        set_number(fact, "quantity", count.len > 0 ? count : value_at(node, "Quantity"));
        set_text(fact, "unit", value_at(node, "Unit"));
        if (gm_str_is(value_at(node, "Alternate"), "true")) (void)json_object_set_new(fact, "more", json_pack("{sb}", "alternate", 1));
        gm_aas_put(p, p->plan->facts, fact);
        plan_nodes(p, part, node, depth + 1);
    }
}

static void plan_structure(gm_aas_planning *p, gm_str thing, const json_t *submodel)
{
    const json_t *elements = json_object_get(submodel, "submodelElements");
    if (gm_str_is(value_at(submodel, "ArcheType"), "OneUp")) {
        gm_aas_note(p, "a structure of '" GM_STR_FMT "' says where it is used, not what is in it: it is kept, and no bill of materials is made of it", GM_STR_ARG(gm_str_slice(thing, 0, 100)));
        return;
    }
    for (size_t i = 0; i < json_array_size(elements); i++) {
        const json_t *entry = json_array_get(elements, i);
        if (gm_aas_is(entry, "Entity")) plan_nodes(p, thing, entry, 0);
    }
}

void gm_aas_plan_template(gm_aas_planning *p, gm_str thing, const json_t *submodel, gm_aas_kind kind, bool ours)
{
    const json_t *elements = json_object_get(submodel, "submodelElements");
    if (kind == GM_AAS_STRUCTURE && (!ours || !has_thread(p, thing))) plan_structure(p, thing, submodel);
    for (size_t i = 0; i < json_array_size(elements); i++) {
        const json_t *e     = json_array_get(elements, i);
        gm_str        name  = gm_aas_string(e, "idShort");
        const json_t *value = json_object_get(e, "value");
        if (kind == GM_AAS_NAMEPLATE && gm_str_is(name, "AddressInformation")) plan_plates(p, thing, value, gm_aas_addresses, gm_aas_address_count);
        if (kind == GM_AAS_TECHNICAL && gm_str_is(name, "GeneralInformation")) plan_plates(p, thing, value, gm_aas_generals, gm_aas_general_count);
        if (kind == GM_AAS_TECHNICAL && gm_str_starts(name, GM_STR("TechnicalPropert")))
            for (size_t k = 0; k < json_array_size(value); k++) plan_technical(p, thing, json_array_get(value, k), (gm_str){ 0 });
    }
    if (kind == GM_AAS_NAMEPLATE) plan_plates(p, thing, elements, gm_aas_plates, gm_aas_plate_count);
}

// ---- documents ------------------------------------------------------------------------------------------------------------------------

// The first element of that list, as gemel writes one document with one of each.
static json_t *first_of(const json_t *element, const char *list)
{
    return json_array_get(json_object_get(gm_aas_find((json_t *)(uintptr_t)element, gm_str_of(list)), "value"), 0);
}

static void plan_handed(gm_aas_planning *p, gm_str thing, const json_t *document)
{
    const json_t *version = first_of(document, "DocumentVersions"), *file = first_of(version, "DigitalFiles"), *title = gm_aas_find((json_t *)(uintptr_t)version, GM_STR("Title"));
    gm_str        key = value_at(first_of(document, "DocumentIds"), "DocumentIdentifier"), date = value_at(version, "StatusSetDate"), hash;
    if (!gm_aas_file_hash(gm_aas_string(file, "value"), &hash) || key.len == 0 || gm_str_starts(key, GM_STR(GM_AAS_KEYS))) {
        gm_aas_stop(p, GM_CONFLICT, "a document begins as a file: upload it (POST /v1/thread/{id}/documents), and it is listed here");
        return;
    }
    json_t *fact = new_fact(thing, "as-designed", key), *what = json_object();
    set_text(what, "hash", hash);
    set_text(what, "mediaType", gm_aas_string(file, "contentType"));
    if (!gm_str_eq(words_of(title), key)) set_text(what, "name", words_of(title));
    (void)json_object_set_new(fact, "document", what);
    if (date.len == 10) (void)json_object_set_new(fact, "from", json_sprintf(GM_STR_FMT "T00:00:00Z", GM_STR_ARG(date)));
    gm_aas_put(p, p->plan->facts, fact);
}

void gm_aas_plan_handed_over(gm_aas_planning *p, gm_str thing, const json_t *submodel)
{
    const json_t *list = json_object_get(gm_aas_find((json_t *)(uintptr_t)submodel, GM_STR("Documents")), "value");
    for (size_t i = 0; p->st == GM_OK && i < json_array_size(list); i++) plan_handed(p, thing, json_array_get(list, i));
}

// ---- relationships, files, what is kept ---------------------------------------------------------------------------------------------------

void gm_aas_plan_relationships(gm_aas_planning *p, gm_str thing, const json_t *submodel)
{
    const json_t *list = json_object_get(gm_aas_find((json_t *)(uintptr_t)submodel, GM_STR("Relationships")), "value");
    for (size_t i = 0; p->st == GM_OK && i < json_array_size(list); i++) {
        const json_t *e = json_array_get(list, i);
        gm_str        id = value_at(e, "Id"), name = value_at(e, "Name"), more = value_at(e, "Properties"), target;
        gm_str        second = gm_aas_string(json_array_get(json_object_get(json_object_get(e, "second"), "keys"), 0), "value");
        json_t       *properties = more.len > 0 ? json_loadb(more.ptr, more.len, 0, NULL) : NULL;
        if (id.len == 0 || name.len == 0 || !gm_aas_shell_thing(p->arena, second, &target)) {
            gm_aas_note(p, "a relationship of '" GM_STR_FMT "' does not say its id, its name or its target", GM_STR_ARG(gm_str_slice(thing, 0, 100)));
            json_decref(properties);
            continue;
        }
        json_t *r = json_pack("{so so so so}", "$sourceId", text_json(thing), "$relationshipId", text_json(id), "$targetId", text_json(target), "$relationshipName", text_json(name));
        if (r != NULL && properties != NULL) (void)json_object_update_missing(r, properties);
        json_decref(properties);
        gm_aas_put(p, p->plan->relationships, r);
    }
}

static gm_str file_name(gm_str path)
{
    size_t at = path.len;
    while (at > 0 && path.ptr[at - 1] != '/') at--;
    return gm_str_slice(path, at, path.len);
}

static void plan_file(gm_aas_planning *p, gm_str thing, const json_t *element, bool document)
{
    gm_str              path = gm_aas_string(element, "value"), media = gm_aas_string(element, "contentType");
    const gm_aasx_file *file = p->package != NULL ? gm_aasx_find(p->package, path) : NULL;
    gm_str              name = file_name(path);
    if (file == NULL) return;
    gm_str key = gm_arena_printf(p->arena, document ? "document/" GM_STR_FMT : GM_AAS_KEY_FILE GM_STR_FMT, GM_STR_ARG(document ? name : path));
    if (key.ptr == NULL || key.len > GM_FACT_KEY_MAX || name.len > GM_FACT_SHORT_MAX) {
        gm_aas_stop(p, GM_INVALID, "the file '" GM_STR_FMT "' has too long a name to be kept", GM_STR_ARG(gm_str_slice(path, 0, 100)));
        return;
    }
    if (file->media.len > 0 && media.len == 0) media = gm_buf_view(&file->media);
    json_t *item = json_pack("{so ss so}", "thread", text_json(thing), "phase", "as-designed", "key", text_json(key));
    set_text(item, "name", name);
    set_text(item, "mediaType", media.len > 0 ? media : GM_STR("application/octet-stream"));
    set_text(item, "path", path);
    gm_aas_put(p, p->plan->documents, item);
}

static void walk_files(gm_aas_planning *p, gm_str thing, const json_t *element, bool documents, unsigned depth)
{
    const char   *member   = gm_aas_children(element);
    const json_t *children = member != NULL && depth < GM_AAS_DEPTH_MAX ? json_object_get(element, member) : NULL;
    if (gm_aas_is(element, "File")) plan_file(p, thing, element, documents);
    for (size_t i = 0; p->st == GM_OK && i < json_array_size(children); i++) walk_files(p, thing, json_array_get(children, i), documents, depth + 1);
}

void gm_aas_plan_files(gm_aas_planning *p, gm_str thing, const json_t *submodel, bool documents) { walk_files(p, thing, submodel, documents, 0); }

void gm_aas_plan_keep(gm_aas_planning *p, gm_str thread, const char *key, const json_t *value)
{
    gm_buf text = gm_buf_init(gm_alloc_system());
    gm_document_compact(value, &text);
    if (text.failed) {
        gm_aas_stop(p, GM_NOMEM, "keeping what came");
    } else if (text.len <= GM_FACT_TEXT_MAX) {
        json_t *fact = new_fact(thread, "as-designed", gm_str_of(key));
        (void)json_object_set(fact, "value", (json_t *)(uintptr_t)value);
        gm_aas_put(p, p->plan->facts, fact);
    } else if (strcmp(key, GM_AAS_KEY_SUBMODEL) != 0) {
        gm_aas_stop(p, GM_INVALID, "'" GM_STR_FMT "' has more than %d bytes and can not be kept", GM_STR_ARG(gm_str_slice(thread, 0, 80)), GM_FACT_TEXT_MAX);
    } else {
        json_t *item = json_pack("{so ss ss}", "thread", text_json(thread), "phase", "as-designed", "key", key);
        set_text(item, "name", GM_STR("submodel.json"));
        set_text(item, "mediaType", GM_STR("application/json"));
        set_text(item, "text", gm_buf_view(&text));
        gm_aas_put(p, p->plan->documents, item);
    }
    gm_buf_finish(&text);
}
