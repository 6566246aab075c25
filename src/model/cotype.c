#include "model/cotype.h"

#include "model/context.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const gm_meta_prop unit_required = {
    .name = "unit", .kind = GM_PROP_UNIT, .type = GM_VALUE_OBJECT, .flags = GM_PROP_REQUIRED | GM_PROP_OLDER,
    .versions = GM_V234, .classes = GM_CLASS_BIT(UNIT),
};
static const gm_meta_prop unit_optional = {  // of the vectors of iotcentral
    .name = "unit", .kind = GM_PROP_UNIT, .type = GM_VALUE_OBJECT, .flags = GM_PROP_OLDER, .versions = GM_V2,
    .classes = GM_CLASS_BIT(UNIT),
};

// Splits "dtmi:standard:unit:metre;2" or "dtmi:dtdl:extension:quantitativeTypes:v1:unit:metre" after the segment.
static bool split_quantity(gm_str dtmi, const char *segment, gm_str *out_name, unsigned *out_vocabularies)
{
    char prefix[96];
    snprintf(prefix, sizeof prefix, "dtmi:standard:%s:", segment);
    if (gm_str_starts(dtmi, gm_str_of(prefix)) && gm_str_ends(dtmi, GM_STR(";2"))) {
        *out_name         = gm_str_slice(dtmi, strlen(prefix), dtmi.len - 2);
        *out_vocabularies = GM_QUANTITY_BUILT_IN;
        return true;
    }
    for (size_t i = 0; i < gm_extension_count(); i++) {
        const gm_extension *extension = gm_extension_at(i);
        if (extension->quantities == 0) continue;
        snprintf(prefix, sizeof prefix, "%s:%s:", extension->base, segment);
        if (!gm_str_starts(dtmi, gm_str_of(prefix))) continue;
        *out_name         = gm_str_slice(dtmi, strlen(prefix), dtmi.len);
        *out_vocabularies = extension->quantities;
        return true;
    }
    return false;
}

bool gm_cotype_find(gm_str dtmi, gm_cotype_ref *out_ref, bool *out_abstract)
{
    gm_str name;
    *out_abstract = gm_str_starts(dtmi, GM_STR("dtmi:dtdl:class:AdjunctType;")) ||
                    gm_str_starts(dtmi, GM_STR("dtmi:dtdl:class:SemanticType;")) ||
                    gm_str_starts(dtmi, GM_STR("dtmi:dtdl:class:SemanticUnit;"));
    if (*out_abstract) return true;
    if (split_quantity(dtmi, "class", &name, &out_ref->vocabularies)) {
        *out_abstract     = gm_str_is(name, "QuantitativeType");
        out_ref->quantity = gm_quantity_find(name, out_ref->vocabularies);
        return *out_abstract || out_ref->quantity != NULL;
    }
    out_ref->cotype = gm_cotype_by_dtmi(dtmi, &out_ref->extension);
    return out_ref->cotype != NULL;
}

const gm_named_unit *gm_cotype_unit(gm_str dtmi)
{
    gm_str   name;
    unsigned vocabularies;
    return split_quantity(dtmi, "unit", &name, &vocabularies) ? gm_quantity_unit(name, vocabularies) : NULL;
}

const gm_unit_type *gm_cotype_unit_enum(gm_str dtmi)
{
    gm_str   name;
    unsigned vocabularies;
    return split_quantity(dtmi, "enum", &name, &vocabularies) ? gm_quantity_unit_type(name, vocabularies) : NULL;
}

// Whether the element has the type, of one of the extensions in the set of bits.
static bool has_cotype(const gm_element *element, const char *term, unsigned extensions)
{
    for (const gm_cotype_ref *c = element->cotypes; c != NULL; c = c->next) {
        if (c->cotype == NULL || strcmp(c->cotype->term, term) != 0) continue;
        if ((gm_extension_bit(c->extension) & extensions) != 0) return true;
    }
    return false;
}

static bool has_any_cotype(const gm_element *element, const char *const *terms, size_t max, unsigned extensions)
{
    for (size_t i = 0; i < max && terms[i] != NULL; i++) {
        if (has_cotype(element, terms[i], extensions)) return true;
    }
    return false;
}

static uint64_t allowed_classes(const gm_cotype_ref *ref)
{
    if (ref->cotype != NULL) return ref->cotype->classes;
    uint64_t classes = GM_CLASS_BIT(PROPERTY) | GM_CLASS_BIT(TELEMETRY);
    if (ref->vocabularies != GM_QUANTITY_BUILT_IN) {
        classes |= GM_CLASS_BIT(COMMAND_REQUEST) | GM_CLASS_BIT(COMMAND_RESPONSE) | GM_CLASS_BIT(FIELD) |
                   GM_CLASS_BIT(MAP_VALUE);
    }
    return classes;
}

static unsigned allowed_versions(const gm_cotype_ref *ref)
{
    if (ref->cotype != NULL) return ref->extension->versions;
    return ref->vocabularies == GM_QUANTITY_BUILT_IN      ? GM_V2
           : ref->vocabularies == GM_QUANTITY_EXTENSION_1 ? GM_V3
                                                          : GM_V4;
}

static const char *vector_unit_of(const gm_cotype_ref *ref)
{
    if (ref->cotype == NULL || ref->extension->implied == 0) return NULL;
    return strcmp(ref->cotype->term, "AccelerationVector") == 0 ? "AccelerationUnit"
           : strcmp(ref->cotype->term, "VelocityVector") == 0   ? "VelocityUnit"
                                                                : NULL;
}

// The member that both types would add, NULL when there is none.
static const char *common_member(const gm_cotype_ref *a, const gm_cotype_ref *b)
{
    bool a_unit = a->quantity != NULL || vector_unit_of(a) != NULL, b_unit = b->quantity != NULL || vector_unit_of(b) != NULL;
    if (a_unit && b_unit) return "unit";
    if (a->cotype == NULL || b->cotype == NULL || a->extension != b->extension) return NULL;
    for (size_t i = 0; i < GM_COTYPE_PROPS && a->cotype->props[i] != NULL; i++) {
        for (size_t k = 0; k < GM_COTYPE_PROPS && b->cotype->props[k] != NULL; k++) {
            if (a->cotype->props[i] == b->cotype->props[k]) return a->cotype->props[i]->name;
        }
    }
    return NULL;
}

void gm_cotype_check(gm_set *set, gm_element *element)
{
    for (const gm_cotype_ref *c = element->cotypes; c != NULL; c = c->next) {
        if ((allowed_classes(c) >> element->cls & 1) == 0) {
            GM_COMPLAIN(set, element, c->node, "invalidCotype",
                        "type \"" GM_STR_FMT "\" can not be added to a %s; remove it", GM_STR_ARG(c->term),
                        gm_class_name(element->cls));
            continue;
        }
        if ((allowed_versions(c) & gm_version_bit(element->version)) == 0) {
            GM_COMPLAIN(set, element, c->node, "invalidCotypeVersion",
                        "type \"" GM_STR_FMT "\" can not be used with DTDL version "
                        "%u; use another version of its extension",
                        GM_STR_ARG(c->term), element->version);
            continue;
        }
        for (const gm_cotype_ref *other = element->cotypes; other != c; other = other->next) {
            const char *member = common_member(other, c);
            if (member == NULL) continue;
            GM_COMPLAIN(set, element, c->node, "conflictingSupplementalTypes",
                        "types \"" GM_STR_FMT "\" and \"" GM_STR_FMT "\" both bring a \"%s\"; keep one",
                        GM_STR_ARG(other->term), GM_STR_ARG(c->term), member);
            break;
        }
        if (c->cotype == NULL) continue;
        unsigned own = gm_extension_bit(c->extension);
        if (c->cotype->needs != NULL &&
            !has_cotype(element, c->cotype->needs, c->cotype->needs_of != 0 ? c->cotype->needs_of : own)) {
            GM_COMPLAIN(set, element, c->node, "missingCocotype", "type \"%s\" needs type \"%s\" beside it; add that",
                        c->cotype->term, c->cotype->needs);
        }
        if (c->cotype->excludes != NULL &&
            has_cotype(element, c->cotype->excludes, c->cotype->excludes_of != 0 ? c->cotype->excludes_of : own)) {
            GM_COMPLAIN(set, element, c->node, "disallowedCocotype",
                        "type \"%s\" can not stand beside type \"%s\"; remove one", c->cotype->term,
                        c->cotype->excludes);
        }
    }
}

static const gm_quantity *quantity_of(const gm_element *element)
{
    for (const gm_cotype_ref *c = element->cotypes; c != NULL; c = c->next) {
        if (c->quantity != NULL) return c->quantity;
    }
    return NULL;
}

static const char *vector_unit(const gm_element *element)
{
    for (const gm_cotype_ref *c = element->cotypes; c != NULL; c = c->next) {
        if (vector_unit_of(c) != NULL) return vector_unit_of(c);
    }
    return NULL;
}

const gm_meta_prop *gm_cotype_prop(gm_set *set, const gm_element *element, gm_str name)
{
    if (element->cotypes == NULL) return NULL;
    for (const gm_cotype_ref *c = element->cotypes; c != NULL; c = c->next) {
        for (size_t p = 0; c->cotype != NULL && p < GM_COTYPE_PROPS && c->cotype->props[p] != NULL; p++) {
            char dtmi[GM_EXTENSION_DTMI];
            if (gm_str_is(name, c->cotype->props[p]->name)) return c->cotype->props[p];
            gm_cotype_prop_dtmi(c->extension, c->cotype, c->cotype->props[p], dtmi);
            if (gm_str_is(name, dtmi)) return c->cotype->props[p];
        }
    }
    const gm_meta_prop *unit = quantity_of(element) != NULL   ? &unit_required
                               : vector_unit(element) != NULL ? &unit_optional
                                                              : NULL;
    if (unit == NULL || gm_str_is(name, "unit")) return unit != NULL && gm_str_is(name, "unit") ? unit : NULL;
    if (!gm_str_starts(name, GM_STR("dtmi:"))) return NULL;
    gm_str dtmi = gm_context_expand(set, element->context, GM_STR("unit"));
    return dtmi.ptr != NULL && gm_str_eq(dtmi, name) ? unit : NULL;
}

static bool has_member(const gm_element *element, const gm_meta_prop *meta)
{
    for (const gm_member *m = element->members; m != NULL; m = m->next) {
        if (m->meta == meta) return true;
    }
    return false;
}

void gm_cotype_check_members(gm_set *set, gm_element *element)
{
    for (const gm_cotype_ref *c = element->cotypes; c != NULL; c = c->next) {
        if (c->quantity != NULL && !has_member(element, &unit_required)) {
            GM_COMPLAIN(set, element, element->node, "missingSupplementalObjectProperty",
                        "a %s needs a \"unit\"; add one of its units", c->quantity->name);
        }
        for (size_t p = 0; c->cotype != NULL && p < GM_COTYPE_PROPS && c->cotype->props[p] != NULL; p++) {
            const gm_meta_prop *meta = c->cotype->props[p];
            if ((meta->flags & GM_PROP_REQUIRED) == 0 || has_member(element, meta)) continue;
            GM_COMPLAIN(set, element, element->node, meta->type == GM_VALUE_URI || meta->type == GM_VALUE_DTMI
                        ? "missingSupplementalIdentifierProperty" : "missingSupplementalLiteralProperty",
                        "type \"%s\" needs a member \"%s\"; add it", c->cotype->term, meta->name);
        }
    }
}

// ---- values ----

static bool schema_is(const gm_ref *ref, uint64_t classes)
{
    if (ref->element != NULL) return classes >> ref->element->cls & 1;
    if (ref->unit_enum != NULL) return (classes & GM_CLASS_BIT(ENUM)) != 0;
    return ref->standard == NULL ||
           (classes >> ref->standard->cls & 1) != 0; // what is not defined was reported already
}

static bool schema_named(const gm_ref *ref, const char *const names[8])
{
    for (size_t i = 0; i < 8 && names[i] != NULL; i++) {
        if (ref->standard != NULL && strcmp(ref->standard->name, names[i]) == 0) return true;
    }
    return ref->standard == NULL && ref->element == NULL;
}

static void check_unit(gm_set *set, const gm_element *element, const gm_cotype_ref *ref)
{
    const gm_member *unit   = gm_element_member(element, GM_PROP_UNIT),
                    *schema = gm_element_member(element, GM_PROP_SCHEMA);
    if (unit != NULL && unit->ref_count > 0) {
        const gm_named_unit *named = unit->refs[0].unit;
        if (named != NULL && named->type != ref->quantity->type) {
            GM_COMPLAIN(
                set, element, unit->node, ref->vocabularies == GM_QUANTITY_BUILT_IN ? "notRequiredType" : "wrongParent",
                "\"%s\" is no unit of %s; use one of %s", named->name, ref->quantity->name, ref->quantity->type->name);
        }
    }
    if (schema != NULL && schema->ref_count > 0 && !schema_is(&schema->refs[0], GM_CLASSES_NUMERIC)) {
        GM_COMPLAIN(set, element, schema->node, "notRequiredType",
                    "a %s must have a numeric schema, such as \"double\"", ref->quantity->name);
    }
}

// Whether a value of the schema can be that number.
static bool is_instance(const gm_ref *schema, double value)
{
    static const struct { gm_class cls; double min, max; } ranges[] = {
        { GM_CLASS_BYTE, INT8_MIN, INT8_MAX },       { GM_CLASS_UNSIGNED_BYTE, 0, UINT8_MAX },
        { GM_CLASS_SHORT, INT16_MIN, INT16_MAX },    { GM_CLASS_UNSIGNED_SHORT, 0, UINT16_MAX },
        { GM_CLASS_INTEGER, INT32_MIN, INT32_MAX },  { GM_CLASS_UNSIGNED_INTEGER, 0, UINT32_MAX },
        { GM_CLASS_LONG, -0x1p63, 0x1p63 },          { GM_CLASS_UNSIGNED_LONG, 0, 0x1p64 },
    };
    if (schema->standard == NULL) return true;
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (ranges[i].cls != schema->standard->cls) continue;
        return value == floor(value) && value >= ranges[i].min && value <= ranges[i].max;
    }
    return true;
}

static void check_instances(gm_set *set, const gm_element *element)
{
    const gm_member *schema = gm_element_member(element, GM_PROP_SCHEMA);
    if (schema == NULL || schema->ref_count == 0) return;
    for (const gm_member *m = element->members; m != NULL; m = m->next) {
        if (m->meta->kind != GM_PROP_INSTANCE || m->literal != GM_KIND_DOUBLE) continue;
        if (is_instance(&schema->refs[0], m->value.d)) continue;
        GM_COMPLAIN(set, element, m->node, "nonConformantPropertyValue",
                    "\"%s\" is no value of the element's schema; change one of them", m->meta->name);
    }
}

static void check_schema(gm_set *set, const gm_element *element, const gm_cotype_ref *c)
{
    const gm_cotype *cotype = c->cotype;
    const gm_member *schema = gm_element_member(element, GM_PROP_SCHEMA);
    if (schema == NULL || schema->ref_count == 0) return;
    const gm_ref *ref = &schema->refs[0];
    if (cotype->schema_classes != 0 && !schema_is(ref, cotype->schema_classes)) {
        GM_COMPLAIN(set, element, schema->node, "notRequiredType",
                    "type \"%s\" does not go with this schema; change one of them", cotype->term);
    }
    if (cotype->schema_names[0] != NULL && !schema_named(ref, cotype->schema_names)) {
        GM_COMPLAIN(set, element, schema->node, "notRequiredValue",
                    "type \"%s\" needs the schema \"%s\" or one of its kin", cotype->term, cotype->schema_names[0]);
    }
    bool defined = ref->element != NULL || ref->standard != NULL;
    if (cotype->schema_cotype != NULL && defined &&
        (ref->element == NULL || !has_cotype(ref->element, cotype->schema_cotype, gm_extension_bit(c->extension)))) {
        GM_COMPLAIN(set, element, schema->node, "notRequiredType", "type \"%s\" needs a schema of type \"%s\"",
                    cotype->term, cotype->schema_cotype);
    }
}

static void check_fields(gm_set *set, const gm_element *element, const gm_cotype_ref *c)
{
    const char *const *needed = c->cotype->field_cotypes;
    const gm_member   *fields = gm_element_member(element, GM_PROP_FIELDS);
    for (uint32_t r = 0; fields != NULL && r < fields->ref_count; r++) {
        const gm_element *field = fields->refs[r].element;
        if (field != NULL && has_any_cotype(field, needed, GM_COTYPE_NAMES, gm_extension_bit(c->extension))) continue;
        GM_COMPLAIN(set, element, fields->refs[r].node, "notRequiredType",
                    "each field of a \"%s\" needs a type such as \"%s\"", c->cotype->term, needed[0]);
    }
}

static void check_parent(gm_set *set, const gm_element *element, const gm_cotype_ref *ref)
{
    const gm_cotype *cotype = ref->cotype;
    unsigned         own    = gm_extension_bit(ref->extension);
    if (element->parent == NULL || element->via->kind != GM_PROP_FIELDS) return;
    if (!has_any_cotype(element->parent, cotype->parent_cotypes, 2, own)) {
        GM_COMPLAIN(set, element, ref->node, "parentMissingCotype",
                    "type \"%s\" needs an Object of type \"%s\" around it", cotype->term, cotype->parent_cotypes[0]);
    }
    const gm_member *fields = gm_element_member(element->parent, GM_PROP_FIELDS);
    for (uint32_t r = 0; fields != NULL && r < fields->ref_count && fields->refs[r].element != element; r++) {
        if (fields->refs[r].element == NULL || !has_cotype(fields->refs[r].element, cotype->term, own)) continue;
        GM_COMPLAIN(set, element, ref->node, "nonUniqueAdjunctType", "only one field may be of type \"%s\"",
                    cotype->term);
        return;
    }
}

void gm_cotype_check_values(gm_set *set, gm_element *element)
{
    for (const gm_cotype_ref *c = element->cotypes; c != NULL; c = c->next) {
        if (c->quantity != NULL) check_unit(set, element, c);
        if (c->cotype == NULL) continue;
        check_schema(set, element, c);
        if (c->cotype->field_cotypes[0] != NULL) check_fields(set, element, c);
        if (c->cotype->parent_cotypes[0] != NULL) check_parent(set, element, c);
    }
    check_instances(set, element);
    const char      *vector = vector_unit(element);
    const gm_member *unit   = vector != NULL ? gm_element_member(element, GM_PROP_UNIT) : NULL;
    if (unit != NULL && unit->ref_count > 0 && unit->refs[0].unit != NULL &&
        strcmp(unit->refs[0].unit->type->name, vector) != 0) {
        GM_COMPLAIN(set, element, unit->node, "notRequiredType", "use a unit of %s here", vector);
    }
}

// ---- siblings: annotations and what they override ----

// What "overrides" names: the member of a co-type of the target.
static void check_override(gm_set *set, gm_element *content, const gm_element *target)
{
    const gm_member *overrides = gm_element_member(content, GM_PROP_OVERRIDES);
    if (overrides == NULL || overrides->literal != GM_KIND_STRING) return;
    gm_str              path = overrides->node->kind == GM_JSON_STRING ? overrides->node->text : overrides->value.s;
    const gm_meta_prop *prop = gm_cotype_prop(set, target, path);
    if (prop == NULL) {
        bool material = gm_class_prop(target->cls, target->version, path) != NULL;
        GM_COMPLAIN(set, content, overrides->node,
                    material ? "matchingPropertyNotSupplemental" : "noMatchingSupplementalProperty",
                    "\"" GM_STR_FMT "\" is no member that an extension adds to \"" GM_STR_FMT "\"", GM_STR_ARG(path),
                    GM_STR_ARG(target->name));
        return;
    }
    const gm_quantity *quantity = quantity_of(target);
    const gm_member   *schema   = gm_element_member(content, GM_PROP_SCHEMA);
    if (prop->kind != GM_PROP_UNIT || quantity == NULL || schema == NULL || schema->ref_count == 0) return;
    if (schema->refs[0].unit_enum != quantity->type) {
        GM_COMPLAIN(set, content, schema->node, "siblingPropertyMismatch",
                    "the schema must be %s, like what it overrides", quantity->type->name);
    }
}

void gm_cotype_check_annotation(gm_set *set, gm_element *content, const gm_element *target)
{
    const gm_member *annotates = gm_element_member(content, GM_PROP_ANNOTATES);
    if (target->cls != GM_CLASS_PROPERTY && target->cls != GM_CLASS_TELEMETRY) {
        GM_COMPLAIN(set, content, annotates->node, "notSiblingRequiredType",
                    "\"" GM_STR_FMT "\" is a %s; only a Property or a "
                    "Telemetry can be annotated",
                    GM_STR_ARG(target->name), gm_class_name(target->cls));
    }
    if (has_cotype(target, "ValueAnnotation", UINT32_MAX)) {
        GM_COMPLAIN(set, content, annotates->node, "disallowedType",
                    "\"" GM_STR_FMT "\" is an annotation itself; annotate "
                    "something else",
                    GM_STR_ARG(target->name));
    }
    check_override(set, content, target);
}

typedef struct numbered { int64_t index; const gm_member *member; } numbered;

static int compare_numbered(const void *a, const void *b)
{
    const numbered *x = a, *y = b;
    if (x->index != y->index) return x->index < y->index ? -1 : 1;
    return (x->member->node->start > y->member->node->start) - (x->member->node->start < y->member->node->start);
}

bool gm_cotype_check_indexes(gm_set *set, const gm_element *element, const gm_member *member)
{
    size_t    n    = 0;
    numbered *list = NULL;
    for (uint32_t r = 0; r < member->ref_count; r++) {
        const gm_element *one = member->refs[r].element;
        if (one == NULL || one->cotypes == NULL) continue;
        const gm_member *index = gm_element_member(one, GM_PROP_INDEX);
        if (index == NULL || index->literal != GM_KIND_INT) continue;
        if (list == NULL) list = gm_alloc_array(set->alloc, member->ref_count, sizeof *list);
        if (list == NULL) return false;
        list[n++] = (numbered){ index->value.i, index };
    }
    if (n > 1) qsort(list, n, sizeof *list, compare_numbered);
    for (size_t i = 1; i < n; i++) {
        if (list[i].index != list[i - 1].index) continue;
        GM_COMPLAIN(set, element, list[i].member->node, "nonUniquePropertyValue",
                    "\"index\" %lld is used already; choose another", (long long)list[i].index);
    }
    gm_free(set->alloc, list);
    return true;
}
