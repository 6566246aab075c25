#include "model/context.h"

#include "model/dtmi.h"

#include <inttypes.h>
#include <stdio.h>

#define DTDL_CONTEXT "dtmi:dtdl:context;"
#define NO_ID GM_STR("")

// What may be referred to is written like what may be defined, only that the prefix may be a reserved one.
static bool reference_valid(gm_str text, unsigned version, const gm_limits *limits)
{
    unsigned rules = version >= 3 ? GM_DTMI_VERSION_OPTIONAL | GM_DTMI_MINOR : GM_DTMI_STRICT;
    return text.len <= limits->id_length && gm_dtmi_is_user(text, rules);
}

typedef struct entry {
    gm_set        *set;
    gm_document   *document;
    gm_context     context;
    const gm_json *node;     // the component being read
    bool           limitless;  // what was read last waits for limits
} entry;

#define REFUSE(at, rule, ...)                                                                                          \
    (gm_collect((at)->set->found, (rule), (at)->document, (at)->node, NO_ID, __VA_ARGS__), false)

// "dtmi:dtdl:context;3": the language itself.
static bool enter_language(entry *at, gm_str text)
{
    gm_dtmi dtmi;
    if (!gm_dtmi_parse(text, &dtmi)) {
        return REFUSE(at, "invalidContextSpecifier",
                      "\"" GM_STR_FMT "\" is no DTMI; name a context such as \"dtmi:dtdl:context;3\"",
                      GM_STR_ARG(text));
    }
    bool limitless = gm_str_is(dtmi.fragment, "#limitless");
    if (dtmi.fragment.len > 0 && !limitless && !gm_str_is(dtmi.fragment, "#limits")) {
        return REFUSE(at, "invalidContextFragment", "\"" GM_STR_FMT "\": the fragment may be #limitless or #limits",
                      GM_STR_ARG(text));
    }
    if (dtmi.fragment.len > 0 && dtmi.major < 4) {
        return REFUSE(at, "disallowedContextFragment",
                      "\"" GM_STR_FMT "\": DTDL version %" PRIu32 " takes no fragment; remove it", GM_STR_ARG(text),
                      dtmi.major);
    }
    if (!dtmi.versioned) {
        return REFUSE(at, "missingContextVersion", "\"" GM_STR_FMT "\" lacks a version; write \"dtmi:dtdl:context;3\"",
                      GM_STR_ARG(text));
    }
    if (dtmi.fragment.len > 0 && !limitless) {
        return REFUSE(at, "misplacedLimitContext",
                      "\"" GM_STR_FMT "\" may only follow \"dtmi:dtdl:context;4#limitless\"", GM_STR_ARG(text));
    }
    if (dtmi.major < GM_DTDL_FIRST || dtmi.major > GM_DTDL_LAST || dtmi.minor > 0) {
        return REFUSE(at, "unrecognizedContextVersion",
                      "\"" GM_STR_FMT "\": DTDL versions 2, 3 and 4 are known; use one of them", GM_STR_ARG(text));
    }
    if (at->set->rules->version_max > 0 && dtmi.major > at->set->rules->version_max) {
        return REFUSE(at, "disallowedContextVersion", "\"" GM_STR_FMT "\": versions up to %u are allowed here",
                      GM_STR_ARG(text), at->set->rules->version_max);
    }
    at->context.version = dtmi.major;
    at->context.limits  = gm_limits_of(dtmi.major);
    at->limitless       = limitless;
    return true;
}

static bool unknown_allowed(const gm_set *set, unsigned version)
{
    switch (set->rules->unknown_extensions) {
    case GM_UNKNOWN_ALLOWED: return true;
    case GM_UNKNOWN_REFUSED: return false;
    case GM_UNKNOWN_PER_VERSION: break;
    }
    return version < 3;
}

// Any other context: an extension.
static bool enter_extension(entry *at, gm_str text)
{
    gm_dtmi dtmi;
    if (gm_str_starts(text, GM_STR(DTDL_CONTEXT))) {
        return REFUSE(at, "dtdlContextFollowsAffiliate",
                      "\"" GM_STR_FMT "\" must come before the contexts of extensions", GM_STR_ARG(text));
    }
    if (!gm_str_starts(text, GM_STR("dtmi:"))) {
        return REFUSE(at, "nonDtmiContextSpecifier", "\"" GM_STR_FMT "\" is no DTMI; remove it", GM_STR_ARG(text));
    }
    if (!gm_dtmi_parse(text, &dtmi) || dtmi.fragment.len > 0) {
        return REFUSE(at, "invalidContextSpecifier", "\"" GM_STR_FMT "\" is no valid DTMI; correct it",
                      GM_STR_ARG(text));
    }
    if (!reference_valid(text, at->context.version, gm_limits_of(at->context.version))) {
        if (!dtmi.versioned) {
            return REFUSE(at, "invalidContextSpecifierForVersion",
                          "\"" GM_STR_FMT "\" is no valid DTMI in DTDL version %u; give it a version", GM_STR_ARG(text),
                          at->context.version);
        }
        return REFUSE(at, "invalidContextSpecifierForVersion", "\"" GM_STR_FMT "\" is no valid DTMI in DTDL version %u",
                      GM_STR_ARG(text), at->context.version);
    }
    if (!dtmi.versioned) {
        return REFUSE(at, "missingContextVersion", "\"" GM_STR_FMT "\" lacks a version; append one, as in \";1\"",
                      GM_STR_ARG(text));
    }
    bool                name_known;
    gm_str              name  = gm_dtmi_versionless(text);
    const gm_extension *found = gm_extension_find(name, dtmi.major, dtmi.minor, &name_known);
    if (found == NULL) {
        if (!unknown_allowed(at->set, at->context.version)) {
            const char *rule = name_known ? "unresolvableContextVersion" : "unresolvableContextSpecifier";
            return REFUSE(at, rule, "\"" GM_STR_FMT "\" is not an extension that is known here; remove it",
                          GM_STR_ARG(text));
        }
        at->context.complete = false;
        return true;
    }
    if (found->limits != NULL) {
        return REFUSE(at, "misplacedLimitContext",
                      "\"" GM_STR_FMT "\" may only follow \"dtmi:dtdl:context;4#limitless\"", GM_STR_ARG(text));
    }
    for (size_t i = 0; i < gm_extension_count(); i++) {  // a later version replaces an earlier one
        const gm_extension *other = gm_extension_at(i);
        if (gm_str_is(name, other->name)) at->context.extensions &= ~gm_extension_bit(other);
    }
    at->context.extensions |= gm_extension_bit(found);
    return true;
}

static bool is_language(gm_str text) { return gm_str_starts(text, GM_STR(DTDL_CONTEXT)); }

// An extension in front of the language's own context that says which version it means.
static const gm_extension *implied(const gm_json *node)
{
    gm_dtmi dtmi;
    bool    ignored;
    if (node->kind != GM_JSON_STRING || !gm_dtmi_parse(node->text, &dtmi)) return NULL;
    const gm_extension *found = gm_extension_find(gm_dtmi_versionless(node->text), dtmi.major, dtmi.minor, &ignored);
    return found != NULL && found->implied > 0 ? found : NULL;
}

// What follows "dtmi:dtdl:context;4#limitless" must say which limits there are instead.
static bool enter_limits(entry *at, const gm_json *next)
{
    gm_dtmi dtmi;
    bool    ignored;
    if (next != NULL && next->kind == GM_JSON_STRING && gm_dtmi_parse(next->text, &dtmi)) {
        at->node = next;
        if (is_language(next->text) && dtmi.major == at->context.version && !gm_str_is(dtmi.fragment, "#limitless")) {
            return true;
        }
        const gm_extension *found =
            gm_extension_find(gm_dtmi_versionless(next->text), dtmi.major, dtmi.minor, &ignored);
        if (found != NULL && found->limits != NULL) {
            for (size_t i = 0; i < at->set->rules->limit_context_count; i++) {
                gm_str accepted = at->set->rules->limit_contexts[i];
                if (!gm_str_eq(gm_dtmi_versionless(accepted), gm_dtmi_versionless(next->text))) continue;
                gm_dtmi range;
                if (gm_dtmi_parse(accepted, &range) && range.versioned && range.major != dtmi.major) continue;
                at->context.limits = found->limits;
                return true;
            }
            return REFUSE(at, "disallowedLimitContext", "the limits of \"" GM_STR_FMT "\" are not acceptable here",
                          GM_STR_ARG(next->text));
        }
    }
    return REFUSE(at, "missingLimitContext",
                  "\"dtmi:dtdl:context;%u#limitless\" must be followed by a context that sets limits, such as "
                  "\"dtmi:dtdl:context;%u#limits\"", at->context.version, at->context.version);
}

static bool enter_all(entry *at, const gm_json *first, bool single)
{
    const gm_json *node = first;
    const gm_json *preface = first;
    while (node != NULL && implied(node) != NULL) node = single ? NULL : node->next;

    bool named = false;
    while (node != NULL && node->kind == GM_JSON_STRING && is_language(node->text)) {
        at->node = node;
        if (!enter_language(at, node->text)) return false;
        named = true;
        const gm_json *next = single ? NULL : node->next;
        if (at->limitless) {
            if (!enter_limits(at, next)) return false;
            if (next != NULL) next = next->next;
        }
        node = next;
    }
    // An extension that implies the language's version stands for its context.
    for (; preface != NULL && preface != node && implied(preface) != NULL; preface = single ? NULL : preface->next) {
        at->node = preface;
        if (!named && at->context.version == 0) {
            at->context.version = implied(preface)->implied;
            at->context.limits  = gm_limits_of(at->context.version);
        }
        if (!enter_extension(at, preface->text)) return false;
    }
    if (at->context.version == 0) {
        at->node = first;
        return REFUSE(at, "missingDtdlContext",
                      "the first context must be the language's, such as \"dtmi:dtdl:context;3\"");
    }
    const gm_json *last = node;
    for (; last != NULL && !single && last->next != NULL;) last = last->next;
    if (last != NULL && last->kind != GM_JSON_STRING) {
        at->node = last;
        return REFUSE(at, "disallowedLocalContext", "DTDL version %u takes no definitions of terms here; remove them",
                      at->context.version);
    }
    for (; node != NULL; node = single ? NULL : node->next) {
        at->node = node;
        if (node->kind != GM_JSON_STRING) {
            return REFUSE(at, "localContextNotLast", "definitions of terms may only come last, and DTDL version %u "
                          "takes none; remove them", at->context.version);
        }
        if (!enter_extension(at, node->text)) return false;
    }
    return true;
}

const gm_context *gm_context_enter(gm_set *set, gm_document *document, const gm_json *object, const gm_context *outer)
{
    const gm_json *node = gm_json_get(object, GM_STR("@context"));
    if (node == NULL || (node->kind == GM_JSON_ARRAY && node->count == 0)) {
        if (outer != NULL) return outer;
        gm_collect(set->found, node == NULL ? "missingContext" : "emptyContext", document, node != NULL ? node : object,
                   NO_ID, "add \"@context\": \"dtmi:dtdl:context;3\" to say which version of DTDL this is");
        return NULL;
    }
    entry at = { .set = set, .document = document, .node = node,
                 .context = outer != NULL ? *outer : (gm_context){ .complete = true } };
    bool single = node->kind != GM_JSON_ARRAY;
    if (!enter_all(&at, single ? node : node->first, single)) return NULL;

    gm_context *made = gm_arena_bytes(set->arena, sizeof *made);
    if (made == NULL) {
        set->failed = true;
        return NULL;
    }
    *made = at.context;
    return made;
}

unsigned gm_context_quantities(const gm_context *context)
{
    unsigned mask = context->version == 2 ? GM_QUANTITY_BUILT_IN : 0;
    for (size_t i = 0; context->extensions >> i != 0; i++) {
        if (context->extensions >> i & 1) mask |= gm_extension_at(i)->quantities;
    }
    return mask;
}

static gm_str join(gm_set *set, const char *prefix, gm_str name, unsigned version)
{
    gm_str text = version > 0 ? gm_arena_printf(set->arena, "%s" GM_STR_FMT ";%u", prefix, GM_STR_ARG(name), version)
                              : gm_arena_printf(set->arena, "%s" GM_STR_FMT, prefix, GM_STR_ARG(name));
    if (text.ptr == NULL) set->failed = true;
    return text;
}

// What kind of thing a quantity vocabulary has under that name, as a segment of its DTMI.
static const char *quantity_segment(gm_str name, unsigned vocabularies)
{
    if (gm_quantity_unit_type(name, vocabularies) != NULL) {
        return vocabularies == GM_QUANTITY_BUILT_IN ? "class:" : "enum:";
    }
    if (gm_quantity_find(name, vocabularies) != NULL || gm_str_is(name, "QuantitativeType")) return "class:";
    if (gm_quantity_unit(name, vocabularies) != NULL) return "unit:";
    if (gm_str_is(name, "unit") || gm_str_is(name, "prefix") || gm_str_is(name, "baseUnit")) return "property:";
    return NULL;
}

gm_str gm_context_expand(gm_set *set, const gm_context *context, gm_str text)
{
    const gm_str nothing = { NULL, 0 };
    if (gm_str_starts(text, GM_STR("dtmi:"))) {
        return reference_valid(text, context->version, context->limits) ? text : nothing;
    }
    if (gm_str_find_char(text, ':') != SIZE_MAX) return nothing;

    const char *prefix = gm_term_prefix(text, context->version);
    if (prefix != NULL) return join(set, prefix, text, context->version);
    if (context->version == 2) {
        const char *segment = quantity_segment(text, GM_QUANTITY_BUILT_IN);
        if (segment != NULL) {
            char base[64];
            snprintf(base, sizeof base, "dtmi:standard:%s", segment);
            return join(set, base, text, 2);
        }
    }
    for (size_t i = 0; context->extensions >> i != 0; i++) {
        const gm_extension *extension = gm_extension_at(i);
        if ((context->extensions >> i & 1) == 0) continue;
        char dtmi[GM_EXTENSION_DTMI];
        if (gm_extension_expand(extension, text, dtmi)) return join(set, dtmi, GM_STR(""), 0);
        if (extension->quantities == 0) continue;
        gm_str      name    = gm_str_is(text, "EnergyRateUnit") ? GM_STR("PowerUnit") : text;  // another word for it
        const char *segment = quantity_segment(name, extension->quantities);
        if (segment == NULL) continue;
        char base[128];
        snprintf(base, sizeof base, "%s:%s", extension->base, segment);
        return join(set, base, name, 0);
    }
    return nothing;
}
