// Documents into elements: one reader for all classes, driven by the rows of metamodel.c and of the extensions.
//
// What is wrong with one element does not keep its neighbours from being read: the reader reports, leaves that element
// out and goes on. Nesting of elements is bounded by the nesting of the JSON text (GM_JSON_DEPTH_MAX).
#include "model/element.h"

#include "model/context.h"
#include "model/cotype.h"
#include "model/dtmi.h"
#include "model/literal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define NO_ID GM_STR("")

// Where an element stands.
typedef struct place {
    gm_document        *document;
    gm_element         *parent;     // NULL at the top level
    const gm_meta_prop *via;
    const gm_json      *member;     // the parent's member
    const gm_context   *context;    // outside the element
} place;

static gm_element *read_element(gm_set *set, const place *at, const gm_json *node);

#define COMPLAIN_PLACE(set, at, node, rule, ...)                                                                    \
    do {                                                                                                            \
        if (gm_collector_wants((set)->found)) {                                                                     \
            gm_collect((set)->found, (rule), (at)->document, (node),                                                \
                       (at)->parent != NULL ? gm_element_id((at)->parent, (set)->found->arena) : NO_ID, __VA_ARGS__); \
        }                                                                                                           \
    } while (0)

static void *take(gm_set *set, size_t size)
{
    void *memory = gm_arena_zeroed(set->arena, 1, size);
    if (memory == NULL) set->failed = true;
    return memory;
}

static bool append(gm_set *set, gm_element ***list, size_t *count, size_t *capacity, gm_element *element)
{
    if (!gm_alloc_reserve(set->alloc, list, capacity, *count + 1, sizeof **list)) {
        set->failed = true;
        return false;
    }
    (*list)[(*count)++] = element;
    return true;
}

// ---- identifiers ----

gm_str gm_element_id(const gm_element *element, gm_arena *arena)
{
    if (element->id.len > 0) return gm_arena_str(arena, element->id);
    const gm_element *chain[GM_JSON_DEPTH_MAX];
    size_t            n = 0;
    while (element->id.len == 0 && element->parent != NULL && n < GM_JSON_DEPTH_MAX) {
        chain[n++] = element;
        element    = element->parent;
    }
    gm_str base    = gm_dtmi_versionless(element->id);
    gm_str version = gm_str_slice(element->id, base.len, element->id.len);
    size_t length  = element->id.len + 1;
    for (size_t i = 0; i < n; i++) length += strlen(chain[i]->via->name) + chain[i]->name.len + 8;
    char *text = gm_arena_bytes(arena, length);
    if (text == NULL) return (gm_str){ NULL, 0 };
    memcpy(text, base.ptr, base.len);
    size_t at = base.len;
    while (n > 0) {
        const gm_element *e = chain[--n];
        at += (size_t)sprintf(text + at, ":_%s", e->via->name);
        if ((e->via->flags & GM_PROP_KEYED) != 0)
            at += (size_t)sprintf(text + at, ":__" GM_STR_FMT, GM_STR_ARG(e->name));
    }
    memcpy(text + at, version.ptr, version.len);
    at += version.len;
    text[at] = '\0';
    return (gm_str){ text, at };
}

static bool id_same(const void *owner, uint32_t id, gm_str key)
{
    const gm_set *set = owner;
    return gm_str_eq(set->all[id]->id, key);
}

gm_element *gm_set_find(const gm_set *set, gm_str id)
{
    uint32_t at = gm_index_find(&set->ids, id);
    if (at != GM_INDEX_NONE) return set->all[at];
    return set->known != NULL ? gm_model_element(set->known, id) : NULL;
}

static bool reserved_prefix(const gm_context *context, gm_str id)
{
    if (gm_str_starts(id, GM_STR("dtmi:dtdl:")) || gm_str_starts(id, GM_STR("dtmi:standard:"))) return true;
    for (size_t i = 0; context->extensions >> i != 0; i++) {  // partners keep what follows their name
        const char *base = gm_extension_at(i)->base;
        if ((context->extensions >> i & 1) == 0 || base[0] == '\0') continue;
        if (gm_str_starts(id, gm_str_of(base)) && id.len > strlen(base) && id.ptr[strlen(base)] == ':') return true;
    }
    return false;
}

// Checks an "@id" as a definition. False: the element can not be read.
static bool check_id(gm_set *set, const place *at, const gm_context *context, const gm_json *id)
{
    if (id->kind != GM_JSON_STRING || id->text.len == 0) {
        COMPLAIN_PLACE(set, at, id, "idNotString", "\"@id\" must be a DTMI such as \"dtmi:example:Pump;1\"");
        return false;
    }
    if (gm_utf16_length(id->text) > context->limits->id_length) {
        COMPLAIN_PLACE(set, at, id, "idTooLong", "\"@id\" has %zu characters, %" PRIu32 " are allowed; shorten it",
                       gm_utf16_length(id->text), context->limits->id_length);
        return false;
    }
    unsigned rules = context->version >= 3 ? GM_DTMI_VERSION_OPTIONAL | GM_DTMI_MINOR : GM_DTMI_STRICT;
    if (!gm_dtmi_is_user(id->text, rules)) {
        COMPLAIN_PLACE(set, at, id, "invalidId",
                       "\"" GM_STR_FMT "\" is no valid DTMI in DTDL version %u; write one such as "
                       "\"dtmi:example:Pump;1\"",
                       GM_STR_ARG(gm_str_slice(id->text, 0, 200)), context->version);
        return false;
    }
    bool tolerated = at->document->tolerate && context->version < 3;
    if (reserved_prefix(context, id->text) && !tolerated) {
        COMPLAIN_PLACE(set, at, id, "reservedId",
                       "\"" GM_STR_FMT "\" begins with a prefix that is reserved for DTDL; choose another",
                       GM_STR_ARG(gm_str_slice(id->text, 0, 200)));
        return false;
    }
    return true;
}

// ---- @type ----

typedef struct types {
    uint64_t       classes;    // that were named and fit
    size_t         count;
    const gm_json *node;       // "@type", NULL when there is none
    bool           bad, informal;
    gm_cotype_ref *cotypes, **last;
} types;

// Classes that exist as values only ("double", "synchronous"): a document can not define one of its own.
#define VALUE_CLASSES                                                                                               \
    (GM_CLASSES_PRIMITIVE | GM_CLASS_BIT(COMMAND_TYPE) | GM_CLASS_BIT(UNIT) | GM_CLASS_BIT(UNIT_ATTRIBUTE))

static bool bad_type(gm_set *set, const place *at, const gm_json *node)
{
    if (!gm_collector_wants(set->found)) return false;
    uint64_t classes = at->via != NULL ? at->via->classes & ~VALUE_CLASSES : GM_CLASS_BIT(INTERFACE);
    char     wanted[256];
    size_t   n = 0;
    wanted[0]  = '\0';
    for (gm_class c = 0; c < GM_CLASS_COUNT && n < sizeof wanted; c++) {
        if ((classes >> c & 1) == 0) continue;
        n += (size_t)snprintf(wanted + n, sizeof wanted - n, "%s%s", n > 0 ? ", " : "", gm_class_name(c));
    }
    COMPLAIN_PLACE(set, at, node, "badType", "\"%s\" takes elements of type %s; give this one such an \"@type\"",
                   at->via != NULL ? at->via->name : "", wanted);
    return false;
}

static bool add_cotype(gm_set *set, types *list, gm_cotype_ref found)
{
    for (gm_cotype_ref *c = list->cotypes; c != NULL; c = c->next) {
        if (c->quantity == found.quantity && c->cotype == found.cotype) return true;
    }
    gm_cotype_ref *made = take(set, sizeof *made);
    if (made == NULL) return false;
    *made       = found;
    *list->last = made;
    list->last  = &made->next;
    return true;
}

// One string of "@type" that is not a class of the language.
static bool read_cotype(gm_set *set, const place *at, const gm_context *context, const gm_json *node, types *list)
{
    gm_str        text  = node->text;
    gm_cotype_ref found = { .term = text, .node = node };
    bool          abstract = false;
    gm_str        dtmi  = gm_context_expand(set, context, text);
    if (dtmi.ptr != NULL && gm_cotype_find(dtmi, &found, &abstract)) {
        if (abstract) {
            COMPLAIN_PLACE(set, at, node, "abstractSupplementalType",
                           "type \"" GM_STR_FMT "\" can not be used itself; name one "
                           "of its subtypes",
                           GM_STR_ARG(text));
            return false;
        }
        return add_cotype(set, list, found);
    }
    bool        v2   = context->version == 2;
    const char *rule = NULL;
    if (dtmi.ptr != NULL) rule = context->complete ? "typeIrrelevantDtmiOrTerm" : NULL;
    else if (gm_str_starts(text, GM_STR("dtmi:"))) rule = "typeInvalidDtmi";
    else if (gm_str_find_char(text, ':') != SIZE_MAX) rule = v2 ? NULL : "typeNotDtmiNorTerm";
    else if (context->complete && !v2) rule = "typeUndefinedTerm";
    if (rule != NULL) {
        COMPLAIN_PLACE(set, at, node, rule,
                       "type \"" GM_STR_FMT "\" is not known here; remove it or correct its spelling, or "
                       "add the context of its extension",
                       GM_STR_ARG(gm_str_slice(text, 0, 100)));
        return false;
    }
    list->informal = true;
    return true;
}

static bool read_type(gm_set *set, const place *at, const gm_context *context, const gm_json *node, types *list)
{
    if (node->kind != GM_JSON_STRING) return bad_type(set, at, node);
    gm_class cls;
    unsigned version;
    if (gm_class_find(node->text, &cls, &version)) {
        uint64_t wanted = at->via != NULL ? at->via->classes & ~VALUE_CLASSES : GM_CLASS_BIT(INTERFACE);
        bool     fits   = (wanted >> cls & 1) != 0 && (version == 0 || version == context->version);
        if (!fits) return bad_type(set, at, node);
        list->count += (list->classes >> cls & 1) == 0;
        list->classes |= UINT64_C(1) << cls;
        return true;
    }
    return read_cotype(set, at, context, node, list);
}

// Reads "@type" into list. False: the element can not be read.
static bool read_types(gm_set *set, const place *at, const gm_context *context, const gm_json *object, types *list)
{
    *list      = (types){ .node = gm_json_get(object, GM_STR("@type")) };
    list->last = &list->cotypes;
    if (list->node == NULL) {
        if (at->via == NULL || (at->via->flags & GM_PROP_UNTYPED) == 0) return bad_type(set, at, object);
        list->classes = UINT64_C(1) << at->via->inferred;
        list->count   = 1;
        return true;
    }
    bool           array = list->node->kind == GM_JSON_ARRAY, valid = true;
    const gm_json *first = array ? list->node->first : list->node->kind == GM_JSON_STRING ? list->node : NULL;
    for (const gm_json *t = first; t != NULL; t = array ? t->next : NULL) {
        valid = read_type(set, at, context, t, list) && valid;
    }
    if (!valid) return false;
    if (list->count == 0) return bad_type(set, at, list->node);
    if (list->count > 1) {
        COMPLAIN_PLACE(set, at, list->node, "multipleMaterialTypes",
                       "\"@type\" names more than one class of element; keep one");
        return false;
    }
    return true;
}

// ---- members ----

static bool is_reference_only(const gm_json *object)
{
    return object->count == 1 && gm_json_get(object, GM_STR("@id")) != NULL;
}

// The identifier of something defined elsewhere. False: it is none.
static bool read_reference(gm_set *set, const gm_element *element, gm_str text, const gm_json *node, gm_ref *out_ref)
{
    unsigned version = element->context->version;
    *out_ref = (gm_ref){ .node = node, .version = version };
    out_ref->standard = gm_standard_find(text, version);
    if (out_ref->standard != NULL) return true;
    gm_str id = gm_context_expand(set, element->context, text);
    if (id.ptr == NULL) return false;
    out_ref->id       = id;
    out_ref->standard = gm_standard_find_dtmi(id, &out_ref->version);
    if (out_ref->standard != NULL) return true;
    out_ref->unit      = gm_cotype_unit(id);
    out_ref->unit_enum = gm_cotype_unit_enum(id);
    return true;
}

// One value of an OBJECT member. False: it is not valid, and a finding says why.
static bool read_object_value(gm_set *set, gm_element *element, const gm_member *member, const gm_json *node,
                              gm_ref *out_ref)
{
    const gm_meta_prop *meta = member->meta;
    *out_ref = (gm_ref){ .node = node };
    if (node->kind == GM_JSON_STRING) {
        if (read_reference(set, element, node->text, node, out_ref)) return true;
        GM_COMPLAIN(set, element, node, "badDtmiOrTerm",
                    "\"%s\": \"" GM_STR_FMT "\" is neither a valid DTMI nor a term of DTDL", meta->name,
                    GM_STR_ARG(gm_str_slice(node->text, 0, 200)));
        return false;
    }
    if (node->kind != GM_JSON_OBJECT) {
        GM_COMPLAIN(set, element, node, "refNotStringOrObject", "\"%s\" must be an element or the DTMI of one",
                    meta->name);
        return false;
    }
    if (is_reference_only(node)) {
        const gm_json *id = node->first;
        if (!element->document->tolerate || element->version >= 3) {
            GM_COMPLAIN(set, element, node, "idReference",
                        "\"%s\": an object with an \"@id\" only defines nothing; write the "
                        "identifier as a string instead",
                        meta->name);
            return false;
        }
        if (id->kind == GM_JSON_STRING && read_reference(set, element, id->text, node, out_ref)) return true;
        GM_COMPLAIN(set, element, id, "idRefBadDtmiOrTerm",
                    "\"%s\": \"@id\" is neither a valid DTMI nor a term of DTDL", meta->name);
        return false;
    }
    if ((meta->classes & ~VALUE_CLASSES) == 0) {
        GM_COMPLAIN(set, element, node, "refObjectNotAllowed", "\"%s\" takes a term or a DTMI, not an object",
                    meta->name);
        return false;
    }
    place inside = { .document = element->document, .parent = element, .via = meta, .member = member->node,
                     .context = element->context };
    out_ref->element = read_element(set, &inside, node);
    return out_ref->element != NULL;
}

static void read_object_member(gm_set *set, gm_element *element, gm_member *member)
{
    const gm_meta_prop *meta  = member->meta;
    bool                array = member->node->kind == GM_JSON_ARRAY;
    uint32_t            count = array ? member->node->count : 1;
    member->refs = gm_arena_zeroed(set->arena, count > 0 ? count : 1, sizeof *member->refs);
    if (member->refs == NULL) {
        set->failed = true;
        return;
    }
    const gm_json *value = array ? member->node->first : member->node;
    for (; value != NULL && !set->failed; value = array ? value->next : NULL) {
        if (read_object_value(set, element, member, value, &member->refs[member->ref_count])) member->ref_count++;
    }
    bool plural = (meta->flags & GM_PROP_PLURAL) != 0;
    if (!plural && count > 1) {
        GM_COMPLAIN(set, element, member->node, "objectMultipleValues", "\"%s\" takes one value; remove the others",
                    meta->name);
    }
    if (member->ref_count == 0 && (meta->flags & GM_PROP_REQUIRED) != 0) {
        GM_COMPLAIN(set, element, member->node, "objectCountBelowMin", "\"%s\" needs %s valid value", meta->name,
                    plural ? "at least one" : "a");
    }
}

static gm_member *add_member(gm_set *set, gm_element *element, const gm_meta_prop *meta, const gm_json *node)
{
    for (gm_member *m = element->members; m != NULL; m = m->next) {
        if (m->meta != meta) continue;
        GM_COMPLAIN(set, element, node, "duplicatePropertyName", "\"%s\" is there already; keep one of them",
                    meta->name);
        return NULL;
    }
    gm_member *member = take(set, sizeof *member);
    if (member == NULL) return NULL;
    *member               = (gm_member){ .meta = meta, .node = node };
    *element->last_member = member;
    element->last_member  = &member->next;
    return member;
}

// A member that no class and no co-type of the element has.
static void read_unknown_member(gm_set *set, gm_element *element, const gm_json *node, bool typed)
{
    const gm_context *context = element->context;
    const char       *rule    = NULL;
    if (context->version >= 3) {
        if (gm_context_expand(set, context, node->key).ptr != NULL) {
            rule = context->complete ? "propertyIrrelevantDtmiOrTerm" : NULL;
        } else if (gm_str_starts(node->key, GM_STR("dtmi:"))) {
            rule = "propertyInvalidDtmi";
        } else if (gm_str_find_char(node->key, ':') != SIZE_MAX) {
            rule = "propertyNotDtmiNorTerm";
        } else if (context->complete) {
            rule = "propertyUndefinedTerm";
        }
    }
    if (rule == NULL && !element->informal) rule = typed ? "noTypeThatAllows" : "inferredTypeDoesNotAllow";
    if (rule == NULL) return;
    GM_COMPLAIN(set, element, node, rule, "%s has no member \"" GM_STR_FMT "\"; remove it or correct its spelling",
                gm_class_name(element->cls), GM_STR_ARG(gm_str_slice(node->key, 0, 100)));
}

static void read_members(gm_set *set, gm_element *element, const gm_json *object, bool typed)
{
    for (const gm_json *node = object->first; node != NULL && !set->failed; node = node->next) {
        if (gm_str_starts(node->key, GM_STR("@"))) continue;
        const gm_meta_prop *meta = gm_class_prop(element->cls, element->version, node->key);
        if (meta == NULL) meta = gm_cotype_prop(set, element, node->key);
        if (meta == NULL) {
            read_unknown_member(set, element, node, typed);
            continue;
        }
        gm_member *member = add_member(set, element, meta, node);
        if (member == NULL) continue;
        if (meta->type == GM_VALUE_OBJECT) read_object_member(set, element, member);
        else if (gm_literal_read(set, element, member) && meta->kind == GM_PROP_NAME_) element->name = member->value.s;
    }
    const gm_meta_prop *props[GM_CLASS_PROPS_MAX];
    size_t              n = gm_class_props(element->cls, element->version, props);
    for (size_t i = 0; i < n; i++) {
        if ((props[i]->flags & GM_PROP_REQUIRED) == 0) continue;
        const gm_member *m = element->members;
        while (m != NULL && m->meta != props[i]) m = m->next;
        if (m != NULL) continue;
        GM_COMPLAIN(set, element, object,
                    props[i]->type == GM_VALUE_OBJECT ? "missingObjectProperty" : "missingLiteralProperty",
                    "%s needs a member \"%s\"; add it", gm_class_name(element->cls), props[i]->name);
    }
}

const gm_member *gm_element_member(const gm_element *element, gm_prop_kind kind)
{
    for (const gm_member *m = element->members; m != NULL; m = m->next) {
        if (m->meta->kind == kind) return m;
    }
    return NULL;
}

// ---- elements ----

// Keywords that DTDL has no use for.
static void check_keywords(gm_set *set, const place *at, const gm_json *object, unsigned version)
{
    bool top = at->parent == NULL;
    for (const gm_json *m = object->first; m != NULL; m = m->next) {
        if (!gm_str_starts(m->key, GM_STR("@"))) continue;
        if (m->repeated) {
            const char *rule = gm_str_is(m->key, "@context") ? "repeatedContextProperty"
                             : gm_str_is(m->key, "@id")      ? "repeatedIdProperty"
                             : gm_str_is(m->key, "@type")    ? "repeatedTypeProperty"
                             : gm_str_is(m->key, "@graph")   ? "repeatedGraphProperty"
                             : gm_str_is(m->key, "@value")   ? "repeatedValueProperty"
                             : gm_str_is(m->key, "@language") ? "repeatedLanguageProperty" : "repeatedKeyword";
            COMPLAIN_PLACE(set, at, m, rule, "\"" GM_STR_FMT "\" is there already; keep one", GM_STR_ARG(m->key));
        }
        if (gm_str_is(m->key, "@context") || gm_str_is(m->key, "@id") || gm_str_is(m->key, "@type")) continue;
        bool graph = gm_str_is(m->key, "@graph");
        if (!graph && version < 3) continue;
        const char *rule = graph ? (top ? "topLevelGraphDisallowed" : "graphDisallowed")
                                 : (top ? "topLevelKeywordDisallowed" : "keywordDisallowed");
        COMPLAIN_PLACE(set, at, m, rule, "\"" GM_STR_FMT "\" has no place in DTDL; remove it%s", GM_STR_ARG(m->key),
                       graph ? " and put what it holds at the top level" : "");
    }
}

// An element without "@id" is named after its "name"; it must have one.
static bool check_derived_id(gm_set *set, const place *at, const gm_json *object, unsigned version)
{
    if (at->parent == NULL || (at->via->flags & GM_PROP_ID) != 0) {
        COMPLAIN_PLACE(set, at, object, at->parent == NULL ? "missingTopLevelId" : "missingRequiredId",
                       "this element needs an \"@id\", such as \"dtmi:example:Pump;1\"");
        return false;
    }
    if ((at->via->flags & GM_PROP_KEYED) == 0) return true;
    for (const gm_json *m = object->first; m != NULL; m = m->next) {
        if (gm_str_starts(m->key, GM_STR("@"))) continue;
        char dtmi[32];
        snprintf(dtmi, sizeof dtmi, "dtmi:dtdl:property:name;%u", version);
        if (!gm_str_is(m->key, "name") && !gm_str_is(m->key, dtmi)) continue;
        const gm_json *value = m->kind == GM_JSON_ARRAY && m->count == 1 ? m->first : m;
        if (value->kind == GM_JSON_OBJECT) value = gm_json_get(value, GM_STR("@value"));
        if (gm_json_is(value, GM_JSON_STRING) || gm_json_is(value, GM_JSON_NUMBER)) return true;
        COMPLAIN_PLACE(set, at, m, "dtmiSegPropertyNotStringOrNumber", "\"name\" must be a string");
        return false;
    }
    COMPLAIN_PLACE(set, at, object, "missingDtmiSegPropertyValue", "each value of \"%s\" needs a \"name\"; add one",
                   at->via->name);
    return false;
}

static bool register_element(gm_set *set, const place *at, gm_element *element, const gm_json *id)
{
    if (element->id.len > 0) {
        if (gm_index_find(&set->ids, element->id) != GM_INDEX_NONE) {
            COMPLAIN_PLACE(set, at, id, "duplicateDefinition",
                           "\"" GM_STR_FMT "\" is defined already; remove one definition or "
                           "change its \"@id\"",
                           GM_STR_ARG(element->id));
            return false;
        }
        if (set->known != NULL && gm_model_element(set->known, element->id) != NULL) {
            COMPLAIN_PLACE(set, at, id, ":exists",
                           "\"" GM_STR_FMT "\" exists already; models are never changed, so raise the "
                           "version of the new one",
                           GM_STR_ARG(element->id));
            return false;
        }
    }
    if (set->all_count >= UINT32_MAX - 1 || !append(set, &set->all, &set->all_count, &set->all_capacity, element)) {
        set->failed = true;
        return false;
    }
    if (element->id.len > 0 && gm_index_add(&set->ids, element->id, (uint32_t)(set->all_count - 1)) != GM_OK) {
        set->failed = true;
        return false;
    }
    return true;
}

static void check_interface(gm_set *set, const place *at, const gm_element *element, const gm_json *id)
{
    if (element->cls != GM_CLASS_INTERFACE) return;
    if (gm_utf16_length(element->id) > GM_DTMI_INTERFACE_MAX) {
        COMPLAIN_PLACE(set, at, id, "idTooLongForType",
                       "the \"@id\" of an Interface has at most %d characters, this one %zu",
                       (int)GM_DTMI_INTERFACE_MAX, element->id.len);
    }
}

static gm_element *read_element(gm_set *set, const place *at, const gm_json *node)
{
    const gm_context *context = gm_context_enter(set, at->document, node, at->context);
    if (context == NULL) return NULL;
    check_keywords(set, at, node, context->version);
    if (at->parent != NULL) {
        bool older = (at->via->flags & GM_PROP_OLDER) != 0;
        if (older ? context->version > at->parent->version : context->version != at->parent->version) {
            COMPLAIN_PLACE(set, at, node, "disallowedVersionDefinition",
                           "DTDL version %u is not allowed in \"%s\" of an element "
                           "of version %u",
                           context->version, at->via->name, at->parent->version);
        }
    }
    const gm_json *id = gm_json_get(node, GM_STR("@id"));
    if (id != NULL ? !check_id(set, at, context, id) : !check_derived_id(set, at, node, context->version)) return NULL;

    types list;
    if (!read_types(set, at, context, node, &list)) return NULL;
    gm_element *element = take(set, sizeof *element);
    if (element == NULL) return NULL;
    *element = (gm_element) {
        .parent   = at->parent,
        .via      = at->via,
        .document = at->document,
        .node     = node,
        .context  = context,
        .id       = id != NULL ? id->text : NO_ID,
        .cls      = (gm_class)__builtin_ctzll(list.classes),
        .version  = context->version,
        .cotypes  = list.cotypes,
        .informal = list.informal,
    };
    const gm_json *name  = gm_json_get(node, GM_STR("name"));
    element->name        = gm_json_is(name, GM_JSON_STRING) ? name->text : NO_ID;  // for findings; read properly below
    element->last_member = &element->members;
    bool own_partition   = element->cls == GM_CLASS_INTERFACE || at->parent == NULL;
    element->partition   = own_partition ? element : at->parent->partition;
    if (!register_element(set, at, element, id)) return NULL;
    check_interface(set, at, element, id);
    gm_cotype_check(set, element);
    read_members(set, element, node, list.node != NULL);
    gm_cotype_check_members(set, element);
    return set->failed ? NULL : element;
}

static bool rootable(const gm_json *object, unsigned version)
{
    const gm_json *type  = gm_json_get(object, GM_STR("@type"));
    bool           array = gm_json_is(type, GM_JSON_ARRAY);
    for (const gm_json *t = array ? type->first : type; t != NULL; t = array ? t->next : NULL) {
        gm_class cls;
        unsigned named;
        if (t->kind == GM_JSON_STRING && gm_class_find(t->text, &cls, &named) && cls == GM_CLASS_INTERFACE &&
            (named == 0 || named == version)) {
            return true;
        }
    }
    return false;
}

// An Interface at the top level of a document.
static void read_top(gm_set *set, gm_document *document, const gm_json *node)
{
    place at = { .document = document };
    if (node->kind != GM_JSON_OBJECT) {
        COMPLAIN_PLACE(set, &at, node, "notJsonObject", "a document must be an Interface or an array of Interfaces");
        return;
    }
    const gm_context *context = gm_context_enter(set, document, node, NULL);
    if (context == NULL) return;
    const gm_json *id = gm_json_get(node, GM_STR("@id"));
    if (id == NULL) {
        COMPLAIN_PLACE(set, &at, node, "missingTopLevelId",
                       "an Interface needs an \"@id\", such as \"dtmi:example:Pump;1\"");
        return;
    }
    if (!rootable(node, context->version)) {
        COMPLAIN_PLACE(set, &at, node, "typeNotRootable",
                       "only an Interface can stand at the top level; set \"@type\" accordingly");
        return;
    }
    gm_element *element = read_element(set, &at, node);
    if (element != NULL) (void)append(set, &set->tops, &set->top_count, &set->top_capacity, element);
}

gm_status gm_set_read(gm_set *set, const gm_model_source *sources, size_t n, gm_error *err)
{
    set->ids       = gm_index_init(set->alloc, id_same, set);
    set->documents = gm_arena_zeroed(set->arena, n > 0 ? n : 1, sizeof *set->documents);
    if (set->documents == NULL) return gm_fail(err, GM_NOMEM, "model", "reading %zu documents", n);
    set->document_count = n;
    for (size_t i = 0; i < n && !set->failed; i++) {
        gm_document *document = &set->documents[i];
        // The tree views its text, and the types view the tree: the text must live as long as they.
        *document = (gm_document){ .file = gm_arena_str(set->arena, sources[i].file),
                                   .text = gm_arena_str(set->arena, sources[i].text) };
        bool resolved      = set->rules->resolved_from > 0 && i >= set->rules->resolved_from;
        document->tolerate = resolved ? set->rules->tolerate_resolved : set->rules->tolerate;
        if (document->file.ptr == NULL || document->text.ptr == NULL)
            return gm_fail(err, GM_NOMEM, "model", "reading a document");
        gm_error  bad = {0};
        gm_status st  = gm_json_parse(set->arena, document->text, &document->root, &bad);
        if (st == GM_NOMEM) return gm_fail(err, GM_NOMEM, "model", "reading a document");
        if (st != GM_OK) {
            gm_collect_error(set->found, st == GM_LIMIT ? ":limit" : ":json", document, &bad);
            continue;
        }
        bool array = document->root->kind == GM_JSON_ARRAY;
        for (const gm_json *top = array ? document->root->first : document->root; top != NULL && !set->failed;
             top = array ? top->next : NULL) {
            read_top(set, document, top);
        }
    }
    if (set->failed || set->found->failed) return gm_fail(err, GM_NOMEM, "model", "reading %zu documents", n);
    return GM_OK;
}

void gm_set_finish(gm_set *set)
{
    gm_free(set->alloc, set->tops);
    gm_free(set->alloc, set->all);
    gm_free(set->alloc, set->order);
    gm_index_finish(&set->ids);
    set->tops = set->all = set->order = NULL;
}
