#include "aas/check.h"

#include "aas/tree.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

enum { POINTER_MAX = 600 };

typedef struct checking {
    gm_aas_fault *fault;
    void         *context;
    size_t        count;
    char          pointer[POINTER_MAX];
    size_t        len;
} checking;

static void fault(checking *c, const char *fmt, ...) GM_PRINTF(2, 3);
static void fault(checking *c, const char *fmt, ...)
{
    char    text[300];
    va_list args;
    if (c->count++ >= GM_AAS_FAULTS_MAX || c->fault == NULL) return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    c->fault(c->context, (gm_str){ c->pointer, c->len }, text);
}

// One step down, and back by setting len again.
static size_t down(checking *c, const char *member, size_t index, bool indexed)
{
    size_t before = c->len;
    int    n      = indexed ? snprintf(c->pointer + c->len, POINTER_MAX - c->len, "/%zu", index) : snprintf(c->pointer + c->len, POINTER_MAX - c->len, "/%s", member);
    c->len        = n < 0 || c->len + (size_t)n >= POINTER_MAX ? POINTER_MAX - 1 : c->len + (size_t)n;
    return before;
}

typedef void checker(checking *c, const json_t *value, unsigned depth);

static void member(checking *c, const json_t *object, const char *name, checker *check, unsigned depth)
{
    const json_t *value = json_object_get(object, name);
    if (value == NULL) return;
    size_t before = down(c, name, 0, false);
    check(c, value, depth);
    c->len = before;
}

// A list that is there has something in it; each item is checked.
static void list(checking *c, const json_t *object, const char *name, checker *check, unsigned depth)
{
    const json_t *value = json_object_get(object, name);
    if (value == NULL) return;
    size_t before = down(c, name, 0, false);
    if (!json_is_array(value)) fault(c, "must be a list");
    else if (json_array_size(value) == 0) fault(c, "is an empty list; leave it out instead");
    for (size_t i = 0; i < json_array_size(value); i++) {
        size_t here = down(c, NULL, i, true);
        if (!json_is_object(json_array_get(value, i))) fault(c, "must be an object");
        else check(c, json_array_get(value, i), depth);
        c->len = here;
    }
    c->len = before;
}

static bool one_of(gm_str text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (gm_str_is(text, names[i])) return true;
    }
    return false;
}
#define ONE_OF(text, names) one_of((text), (names), sizeof(names) / sizeof((names)[0]))

static gm_str text(checking *c, const json_t *object, const char *name, size_t most, bool required)
{
    const json_t *value = json_object_get(object, name);
    if (value == NULL && required) fault(c, "'%s' is missing", name);
    if (value == NULL) return (gm_str){ 0 };
    gm_str s = gm_aas_string(object, name);
    if (!json_is_string(value)) fault(c, "'%s' must be a text", name);
    else if (s.len == 0) fault(c, "'%s' is empty", name);
    else if (gm_utf8_count(s) > most) fault(c, "'%s' has more than %zu characters", name, most);
    return s;
}

static void flag(checking *c, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (value != NULL && !json_is_boolean(value)) fault(c, "'%s' must be true or false", name);
}

// ---- references -----------------------------------------------------------------------------------------------------------

static const char *const key_types[] = {
    "AnnotatedRelationshipElement", "AssetAdministrationShell", "BasicEventElement", "Blob", "Capability", "ConceptDescription", "DataElement", "Entity",
    "EventElement", "File", "FragmentReference", "GlobalReference", "Identifiable", "MultiLanguageProperty", "Operation", "Property", "Range", "Referable",
    "ReferenceElement", "RelationshipElement", "Submodel", "SubmodelElement", "SubmodelElementCollection", "SubmodelElementList",
};
static const char *const identifiables[] = { "AssetAdministrationShell", "ConceptDescription", "Identifiable", "Submodel" };

static void check_key(checking *c, const json_t *key, unsigned depth)
{
    (void)depth;
    gm_str type = text(c, key, "type", 100, true);
    if (type.len > 0 && !ONE_OF(type, key_types)) fault(c, "'" GM_STR_FMT "' is no type of a key", GM_STR_ARG(gm_str_slice(type, 0, 60)));
    (void)text(c, key, "value", 2048, true);
}

static void check_reference(checking *c, const json_t *r, unsigned depth)
{
    if (!json_is_object(r)) {
        fault(c, "must be a reference");
        return;
    }
    gm_str        type = text(c, r, "type", 100, true);
    const json_t *keys = json_object_get(r, "keys");
    bool          model = gm_str_is(type, "ModelReference");
    if (type.len > 0 && !model && !gm_str_is(type, "ExternalReference")) fault(c, "a reference is a ModelReference or an ExternalReference");
    if (keys == NULL) fault(c, "'keys' is missing");
    list(c, r, "keys", check_key, depth);
    gm_str first = gm_aas_string(json_array_get(keys, 0), "type");
    if (model && first.len > 0 && !ONE_OF(first, identifiables)) fault(c, "a model reference begins with a shell, a submodel or a concept description (AASd-123)");
    if (!model && type.len > 0 && first.len > 0 && !gm_str_is(first, "GlobalReference")) fault(c, "an external reference begins with a GlobalReference (AASd-122)");
    if (depth < GM_AAS_DEPTH_MAX) member(c, r, "referredSemanticId", check_reference, depth + 1);
}

static void check_external(checking *c, const json_t *r, unsigned depth) { check_reference(c, r, depth); }

// ---- what many have ---------------------------------------------------------------------------------------------------------

static bool is_id_short(gm_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char ch     = s.ptr[i];
        bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
        bool other  = (ch >= '0' && ch <= '9') || ch == '_' || (ch == '-' && i + 1 < s.len);
        if (!letter && (i == 0 || !other)) return false;
    }
    return s.len > 0;
}

static void check_words(checking *c, const json_t *w, unsigned depth)
{
    (void)depth;
    gm_str language = text(c, w, "language", 40, true);
    for (size_t i = 0; i < language.len; i++) {
        char ch = language.ptr[i];
        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '-')) {
            fault(c, "'" GM_STR_FMT "' is no language such as en or de-CH", GM_STR_ARG(gm_str_slice(language, 0, 40)));
            break;
        }
    }
    (void)text(c, w, "text", 1023, true);
}

static void check_value(checking *c, const json_t *object, const char *name, gm_str type)
{
    gm_str value = gm_aas_string(object, name);
    if (json_object_get(object, name) == NULL || !gm_aas_is_value_type(type)) return;
    if (!json_is_string(json_object_get(object, name))) fault(c, "'%s' must be a text (numbers, too)", name);
    else if (!gm_aas_fits(type, value)) fault(c, "'" GM_STR_FMT "' is no " GM_STR_FMT, GM_STR_ARG(gm_str_slice(value, 0, 60)), GM_STR_ARG(type));
}

static gm_str value_type(checking *c, const json_t *object, const char *name, bool required)
{
    gm_str type = text(c, object, name, 100, required);
    if (type.len > 0 && !gm_aas_is_value_type(type)) fault(c, "'" GM_STR_FMT "' is no type of a value", GM_STR_ARG(gm_str_slice(type, 0, 60)));
    return type;
}

static void check_qualifier(checking *c, const json_t *q, unsigned depth)
{
    static const char *const kinds[] = { "ValueQualifier", "ConceptQualifier", "TemplateQualifier" };
    gm_str kind = text(c, q, "kind", 100, false);
    if (kind.len > 0 && !ONE_OF(kind, kinds)) fault(c, "'kind' of a qualifier is ValueQualifier, ConceptQualifier or TemplateQualifier");
    (void)text(c, q, "type", 128, true);
    check_value(c, q, "value", value_type(c, q, "valueType", true));
    member(c, q, "semanticId", check_external, depth);
    member(c, q, "valueId", check_external, depth);
}

static void check_extension(checking *c, const json_t *e, unsigned depth)
{
    (void)text(c, e, "name", 128, true);
    gm_str type = value_type(c, e, "valueType", false);
    check_value(c, e, "value", type.len > 0 ? type : GM_STR("xs:string"));
    member(c, e, "semanticId", check_external, depth);
    list(c, e, "refersTo", check_reference, depth);
}

static void unique_qualifiers(checking *c, const json_t *object)
{
    const json_t *qualifiers = json_object_get(object, "qualifiers");
    json_t       *seen       = json_object();
    for (size_t i = 0; i < json_array_size(qualifiers); i++) {
        gm_str type = gm_aas_string(json_array_get(qualifiers, i), "type");
        if (type.len == 0) continue;
        if (json_object_getn(seen, type.ptr, type.len) != NULL) fault(c, "the qualifier '" GM_STR_FMT "' is there twice (AASd-021)", GM_STR_ARG(gm_str_slice(type, 0, 60)));
        (void)json_object_setn_new(seen, type.ptr, type.len, json_true());
    }
    json_decref(seen);
}

static void common(checking *c, const json_t *o, unsigned depth)
{
    gm_str id_short = text(c, o, "idShort", 128, false);
    if (id_short.len > 0 && !is_id_short(id_short)) fault(c, "'" GM_STR_FMT "' is no idShort: letters, digits, '_' and '-', a letter first (AASd-002)", GM_STR_ARG(gm_str_slice(id_short, 0, 60)));
    list(c, o, "displayName", check_words, depth);
    list(c, o, "description", check_words, depth);
    list(c, o, "extensions", check_extension, depth);
    member(c, o, "semanticId", check_external, depth);
    list(c, o, "supplementalSemanticIds", check_external, depth);
    list(c, o, "qualifiers", check_qualifier, depth);
    unique_qualifiers(c, o);
    if (json_object_get(o, "supplementalSemanticIds") != NULL && json_object_get(o, "semanticId") == NULL) fault(c, "supplemental semantic ids need a semanticId (AASd-118)");
}

static void model_type(checking *c, const json_t *o, const char *expected)
{
    gm_str type = text(c, o, "modelType", 100, true);
    if (type.len > 0 && !gm_str_is(type, expected)) fault(c, "'modelType' must be %s here", expected);
}

// ---- elements -----------------------------------------------------------------------------------------------------------------

static void check_element(checking *c, const json_t *e, unsigned depth);

// Siblings that have names have different ones.
static void check_children(checking *c, const json_t *parent, const char *name, unsigned depth)
{
    const json_t *children = json_object_get(parent, name);
    json_t       *seen     = json_object();
    for (size_t i = 0; i < json_array_size(children); i++) {
        gm_str id_short = gm_aas_string(json_array_get(children, i), "idShort");
        if (id_short.len == 0) fault(c, "element %zu of '%s' has no idShort (AASd-117)", i, name);
        else if (json_object_getn(seen, id_short.ptr, id_short.len) != NULL) fault(c, "two elements of '%s' are called '" GM_STR_FMT "' (AASd-022)", name, GM_STR_ARG(gm_str_slice(id_short, 0, 60)));
        (void)json_object_setn_new(seen, id_short.ptr, id_short.len, json_true());
    }
    json_decref(seen);
    list(c, parent, name, check_element, depth + 1);
}

// What means something in a list means one thing.
static void check_meanings(checking *c, const json_t *e)
{
    const json_t *children = json_object_get(e, "value"), *meaning = json_object_get(e, "semanticIdListElement");
    bool          declared = meaning != NULL;
    for (size_t i = 0; i < json_array_size(children); i++) {
        const json_t *own = json_object_get(json_array_get(children, i), "semanticId");
        if (own == NULL) continue;
        if (meaning == NULL) meaning = own;
        if (!json_equal(meaning, own)) {
            fault(c, declared ? "element %zu of a list means something else than its semanticIdListElement (AASd-107)" : "element %zu of a list means something else than those before it (AASd-114)", i);
            return;
        }
    }
}

static void check_list_element(checking *c, const json_t *e, unsigned depth)
{
    check_meanings(c, e);
    gm_str of = text(c, e, "typeValueListElement", 100, true), type = gm_aas_string(e, "valueTypeListElement");
    const json_t *children = json_object_get(e, "value");
    bool values = gm_str_is(of, "Property") || gm_str_is(of, "Range");
    if (of.len > 0 && !ONE_OF(of, key_types)) fault(c, "'" GM_STR_FMT "' is no type of elements", GM_STR_ARG(gm_str_slice(of, 0, 60)));
    if (values && type.len == 0) fault(c, "a list of properties or ranges says their valueTypeListElement (AASd-109)");
    (void)value_type(c, e, "valueTypeListElement", false);
    flag(c, e, "orderRelevant");
    for (size_t i = 0; i < json_array_size(children); i++) {
        const json_t *child = json_array_get(children, i);
        if (gm_aas_string(child, "idShort").len > 0) fault(c, "element %zu of a list has an idShort (AASd-120)", i);
        if (ONE_OF(of, key_types) && !gm_str_is(of, "SubmodelElement") && !gm_str_is(of, "DataElement") && !gm_str_eq(gm_aas_string(child, "modelType"), of))
            fault(c, "element %zu of a list of " GM_STR_FMT " is something else (AASd-108)", i, GM_STR_ARG(of));
        if (values && type.len > 0 && !gm_str_eq(gm_aas_string(child, "valueType"), type)) fault(c, "element %zu of a list is not of its valueTypeListElement (AASd-109)", i);
    }
    member(c, e, "semanticIdListElement", check_external, depth);
    list(c, e, "value", check_element, depth + 1);
}

static void check_specific(checking *c, const json_t *id, unsigned depth)
{
    (void)text(c, id, "name", 64, true);
    (void)text(c, id, "value", 2048, true);
    member(c, id, "semanticId", check_external, depth);
    member(c, id, "externalSubjectId", check_external, depth);
}

static void check_entity(checking *c, const json_t *e, unsigned depth)
{
    gm_str type = text(c, e, "entityType", 100, false);
    bool   own  = gm_str_is(type, "SelfManagedEntity"), asset = json_object_get(e, "globalAssetId") != NULL || json_object_get(e, "specificAssetIds") != NULL;
    if (type.len > 0 && !own && !gm_str_is(type, "CoManagedEntity")) fault(c, "'entityType' is CoManagedEntity or SelfManagedEntity");
    if (own && !asset) fault(c, "a self-managed entity needs a globalAssetId or specificAssetIds (AASd-014)");
    if (type.len > 0 && !own && asset) fault(c, "a co-managed entity has no asset id (AASd-014)");
    (void)text(c, e, "globalAssetId", 2048, false);
    list(c, e, "specificAssetIds", check_specific, depth);
    check_children(c, e, "statements", depth);
}

static void check_relation(checking *c, const json_t *e, unsigned depth)
{
    if (json_object_get(e, "first") == NULL || json_object_get(e, "second") == NULL) fault(c, "a relationship has a first and a second");
    member(c, e, "first", check_reference, depth);
    member(c, e, "second", check_reference, depth);
    if (gm_aas_is(e, "AnnotatedRelationshipElement")) check_children(c, e, "annotations", depth);
}

static void check_variable(checking *c, const json_t *v, unsigned depth)
{
    if (!json_is_object(json_object_get(v, "value"))) fault(c, "'value' of a variable is an element");
    else member(c, v, "value", check_element, depth + 1);
}

static void check_event(checking *c, const json_t *e, unsigned depth)
{
    gm_str direction = text(c, e, "direction", 100, true), state = text(c, e, "state", 100, true);
    if (direction.len > 0 && !gm_str_is(direction, "input") && !gm_str_is(direction, "output")) fault(c, "'direction' is input or output");
    if (state.len > 0 && !gm_str_is(state, "on") && !gm_str_is(state, "off")) fault(c, "'state' is on or off");
    if (json_object_get(e, "observed") == NULL) fault(c, "'observed' is missing");
    member(c, e, "observed", check_reference, depth);
}

static bool is_base64(gm_str s)
{
    size_t n = s.len;
    while (n > 0 && s.ptr[n - 1] == '=' && s.len - n < 2) n--;
    for (size_t i = 0; i < n; i++) {
        char ch = s.ptr[i];
        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '+' || ch == '/')) return false;
    }
    return s.len % 4 == 0;
}

static void check_property(checking *c, const json_t *e, unsigned depth)
{
    check_value(c, e, "value", value_type(c, e, "valueType", true));
    member(c, e, "valueId", check_external, depth);
}

static void check_language(checking *c, const json_t *e, unsigned depth)
{
    list(c, e, "value", check_words, depth);
    member(c, e, "valueId", check_external, depth);
}

static void check_range(checking *c, const json_t *e, unsigned depth)
{
    (void)depth;
    gm_str type = value_type(c, e, "valueType", true);
    check_value(c, e, "min", type);
    check_value(c, e, "max", type);
}

static void check_file(checking *c, const json_t *e, unsigned depth)
{
    (void)depth;
    (void)text(c, e, "contentType", 128, false);  // required in 3.0, not in 3.1
    if (json_object_get(e, "value") != NULL) (void)text(c, e, "value", 2048, false);
}

static void check_blob(checking *c, const json_t *e, unsigned depth)
{
    (void)depth;
    (void)text(c, e, "contentType", 128, false);
    if (json_object_get(e, "value") != NULL && !is_base64(gm_aas_string(e, "value"))) fault(c, "'value' of a blob is base64");
}

static void check_collection(checking *c, const json_t *e, unsigned depth) { check_children(c, e, "value", depth); }
static void check_reference_element(checking *c, const json_t *e, unsigned depth) { member(c, e, "value", check_reference, depth); }
static void check_nothing(checking *c, const json_t *e, unsigned depth) { (void)c, (void)e, (void)depth; }

static void check_operation(checking *c, const json_t *e, unsigned depth)
{
    list(c, e, "inputVariables", check_variable, depth);
    list(c, e, "outputVariables", check_variable, depth);
    list(c, e, "inoutputVariables", check_variable, depth);
}

static void check_element(checking *c, const json_t *e, unsigned depth)
{
    static const struct { const char *type; checker *check; } kinds[] = {
        { "Property", check_property }, { "MultiLanguageProperty", check_language }, { "Range", check_range }, { "File", check_file }, { "Blob", check_blob },
        { "ReferenceElement", check_reference_element }, { "SubmodelElementCollection", check_collection }, { "SubmodelElementList", check_list_element },
        { "Entity", check_entity }, { "RelationshipElement", check_relation }, { "AnnotatedRelationshipElement", check_relation },
        { "Operation", check_operation }, { "Capability", check_nothing }, { "BasicEventElement", check_event },
    };
    gm_str type = text(c, e, "modelType", 100, true);
    if (depth > GM_AAS_DEPTH_MAX) {
        fault(c, "elements are nested more than %d deep", GM_AAS_DEPTH_MAX);
        return;
    }
    common(c, e, depth);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!gm_str_is(type, kinds[i].type)) continue;
        kinds[i].check(c, e, depth);
        return;
    }
    if (type.len > 0) fault(c, "'" GM_STR_FMT "' is no element of a submodel", GM_STR_ARG(gm_str_slice(type, 0, 60)));
}

// ---- what has an id -------------------------------------------------------------------------------------------------------------

static void check_administration(checking *c, const json_t *a, unsigned depth)
{
    (void)depth;
    (void)text(c, a, "version", 4, false);
    (void)text(c, a, "revision", 4, false);
    if (json_object_get(a, "revision") != NULL && json_object_get(a, "version") == NULL) fault(c, "a revision needs a version (AASd-005)");
}

static void identifiable(checking *c, const json_t *o, const char *type, unsigned depth)
{
    model_type(c, o, type);
    (void)text(c, o, "id", 2048, true);
    common(c, o, depth);
    member(c, o, "administration", check_administration, depth);
}

static void check_asset(checking *c, const json_t *a, unsigned depth)
{
    static const char *const kinds[] = { "Type", "Instance", "NotApplicable", "Role" };
    if (!json_is_object(a)) {
        fault(c, "must be an object");
        return;
    }
    gm_str kind = text(c, a, "assetKind", 100, true);
    if (kind.len > 0 && !ONE_OF(kind, kinds)) fault(c, "'assetKind' is Type, Instance, Role or NotApplicable");
    (void)text(c, a, "globalAssetId", 2048, false);
    (void)text(c, a, "assetType", 2048, false);
    list(c, a, "specificAssetIds", check_specific, depth);
    if (json_object_get(a, "globalAssetId") == NULL && json_object_get(a, "specificAssetIds") == NULL) fault(c, "an asset has a globalAssetId or specificAssetIds (AASd-131)");
}

static void check_shell(checking *c, const json_t *s, unsigned depth)
{
    identifiable(c, s, "AssetAdministrationShell", depth);
    if (json_object_get(s, "assetInformation") == NULL) fault(c, "'assetInformation' is missing");
    member(c, s, "assetInformation", check_asset, depth);
    member(c, s, "derivedFrom", check_reference, depth);
    list(c, s, "submodels", check_reference, depth);
}

static void check_submodel(checking *c, const json_t *s, unsigned depth)
{
    gm_str kind = text(c, s, "kind", 100, false);
    identifiable(c, s, "Submodel", depth);
    if (kind.len > 0 && !gm_str_is(kind, "Instance") && !gm_str_is(kind, "Template")) fault(c, "'kind' is Instance or Template");
    check_children(c, s, "submodelElements", depth);
}

static void check_concept(checking *c, const json_t *d, unsigned depth)
{
    identifiable(c, d, "ConceptDescription", depth);
    list(c, d, "isCaseOf", check_reference, depth);
}

static void unique_ids(checking *c, const json_t *env)
{
    static const char *const lists[] = { "assetAdministrationShells", "submodels", "conceptDescriptions" };
    json_t *seen = json_object();
    for (size_t l = 0; l < 3; l++) {
        const json_t *items = json_object_get(env, lists[l]);
        for (size_t i = 0; i < json_array_size(items); i++) {
            gm_str id = gm_aas_string(json_array_get(items, i), "id");
            if (id.len > 0 && json_object_getn(seen, id.ptr, id.len) != NULL) fault(c, "the id '" GM_STR_FMT "' is there twice", GM_STR_ARG(gm_str_slice(id, 0, 120)));
            if (id.len > 0) (void)json_object_setn_new(seen, id.ptr, id.len, json_true());
        }
    }
    json_decref(seen);
}

size_t gm_aas_check(const json_t *env, gm_aas_fault *each, void *context)
{
    checking    c = { .fault = each, .context = context };
    const char *name;
    json_t     *value;
    if (!json_is_object(env)) {
        fault(&c, "an environment is an object");
        return c.count;
    }
    json_object_foreach((json_t *)(uintptr_t)env, name, value) {
        if (strcmp(name, "assetAdministrationShells") != 0 && strcmp(name, "submodels") != 0 && strcmp(name, "conceptDescriptions") != 0)
            fault(&c, "an environment has no '%.60s': it has assetAdministrationShells, submodels and conceptDescriptions", name);
    }
    list(&c, env, "assetAdministrationShells", check_shell, 0);
    list(&c, env, "submodels", check_submodel, 0);
    list(&c, env, "conceptDescriptions", check_concept, 0);
    unique_ids(&c, env);
    return c.count;
}
