#include "model/cotype.h"

#include "model/context.h"
#include "model/dtmi.h"

#include <stdio.h>

static const gm_meta_prop unit_prop = {
    .name = "unit", .kind = GM_PROP_UNIT, .type = GM_VALUE_OBJECT, .flags = GM_PROP_REQUIRED | GM_PROP_OLDER,
    .versions = GM_V234, .classes = GM_CLASS_BIT(UNIT),
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

bool gm_cotype_find(const gm_context *context, gm_str dtmi, gm_cotype_ref *out_ref, bool *out_abstract)
{
    (void)context;
    gm_str   name;
    unsigned vocabularies;
    *out_abstract = false;
    if (!split_quantity(dtmi, "class", &name, &vocabularies)) return false;
    out_ref->quantity = gm_quantity_find(name, vocabularies);
    return out_ref->quantity != NULL;
}

bool gm_cotype_is_latent(const gm_cotype_ref *ref)
{
    (void)ref;
    return false;
}

const gm_named_unit *gm_cotype_unit(gm_str dtmi)
{
    gm_str   name;
    unsigned vocabularies;
    return split_quantity(dtmi, "unit", &name, &vocabularies) ? gm_quantity_unit(name, vocabularies) : NULL;
}

static uint64_t quantity_classes(unsigned version)
{
    uint64_t classes = GM_CLASS_BIT(PROPERTY) | GM_CLASS_BIT(TELEMETRY);
    if (version >= 3) {
        classes |= GM_CLASS_BIT(COMMAND_REQUEST) | GM_CLASS_BIT(COMMAND_RESPONSE) | GM_CLASS_BIT(FIELD) | GM_CLASS_BIT(MAP_VALUE);
    }
    return classes;
}

void gm_cotype_check(gm_set *set, gm_element *element)
{
    const gm_cotype_ref *quantity = NULL;
    for (const gm_cotype_ref *c = element->cotypes; c != NULL; c = c->next) {
        if (c->quantity == NULL) continue;
        if ((quantity_classes(element->version) >> element->cls & 1) == 0) {
            GM_COMPLAIN(set, element, c->node, "invalidCotype", "type \"" GM_STR_FMT "\" can not be added to a %s; remove it",
                        GM_STR_ARG(c->term), gm_class_name(element->cls));
        } else if (quantity != NULL) {
            GM_COMPLAIN(set, element, c->node, "conflictingSupplementalTypes", "types \"" GM_STR_FMT "\" and \"" GM_STR_FMT
                        "\" both bring a \"unit\"; keep one", GM_STR_ARG(quantity->term), GM_STR_ARG(c->term));
        } else {
            quantity = c;
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

const gm_meta_prop *gm_cotype_prop(gm_set *set, const gm_element *element, gm_str name)
{
    if (quantity_of(element) == NULL) return NULL;
    if (gm_str_is(name, "unit")) return &unit_prop;
    if (!gm_str_starts(name, GM_STR("dtmi:"))) return NULL;
    gm_str dtmi = gm_context_expand(set, element->context, GM_STR("unit"));
    return dtmi.ptr != NULL && gm_str_eq(dtmi, name) ? &unit_prop : NULL;
}

void gm_cotype_check_members(gm_set *set, gm_element *element)
{
    if (quantity_of(element) == NULL || gm_element_member(element, GM_PROP_UNIT) != NULL) return;
    GM_COMPLAIN(set, element, element->node, "missingSupplementalObjectProperty", "a %s needs a \"unit\"; add one of its units",
                quantity_of(element)->name);
}

void gm_cotype_check_values(gm_set *set, gm_element *element)
{
    const gm_quantity *quantity = quantity_of(element);
    if (quantity == NULL) return;
    const gm_member *unit = gm_element_member(element, GM_PROP_UNIT), *schema = gm_element_member(element, GM_PROP_SCHEMA);
    if (unit != NULL && unit->ref_count > 0) {
        const gm_named_unit *named = unit->refs[0].unit;
        if (named != NULL && named->type != quantity->type) {
            GM_COMPLAIN(set, element, unit->node, "notRequiredType", "\"%s\" is no unit of %s; use one of %s", named->name,
                        quantity->name, quantity->type->name);
        }
    }
    if (schema != NULL && schema->ref_count > 0) {
        const gm_standard *standard = schema->refs[0].standard;
        if (standard == NULL || (GM_CLASSES_NUMERIC >> standard->cls & 1) == 0) {
            GM_COMPLAIN(set, element, schema->node, "notRequiredType", "a %s must have a numeric schema, such as \"double\"",
                        quantity->name);
        }
    }
}
