// Source of the rules: DTDL v4 language specification, sections "Representational literal" and "Localizable string".
#include "model/literal.h"

#include "model/context.h"
#include "model/dtmi.h"

#include "base/number.h"
#include "base/time.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

typedef struct reading {
    gm_set       *set;
    gm_element   *element;
    gm_member    *member;
    const char   *kind;   // "string": the beginning of the rules' names
    const char   *xsd;    // what "@type" of a value object may say after "xsd:"
    const char   *noun;   // for sentences
} reading;

// The rules of one kind of literal have names that begin with the kind.
#define COMPLAIN_AS(at, node, rule, ...) GM_COMPLAIN((at)->set, (at)->element, node, rule, __VA_ARGS__)
#define COMPLAIN(at, node, suffix, ...)                                      \
    do {                                                                     \
        char rule_[64];                                                      \
        snprintf(rule_, sizeof rule_, "%s%s", (at)->kind, (suffix));         \
        COMPLAIN_AS(at, node, rule_, __VA_ARGS__);                           \
    } while (0)

bool gm_name_valid(gm_str name)
{
    if (name.len == 0 || name.ptr[name.len - 1] == '_') return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '_'))) return false;
    }
    return true;
}

// Printable ASCII without space and the characters that mean something in a topic.
static bool label_valid(gm_str label)
{
    for (size_t i = 0; i < label.len; i++) {
        char c = label.ptr[i];
        if (c <= ' ' || c > '~' || strchr("\"+#{}/", c) != NULL) return false;
    }
    return label.len > 0;
}

// "{name}" or "{prefix:name}", letters only.
static bool token_valid(gm_str label)
{
    if (label.len < 3 || label.ptr[0] != '{' || label.ptr[label.len - 1] != '}') return false;
    gm_str rest = gm_str_slice(label, 1, label.len - 1), part;
    size_t parts = 0;
    for (; gm_str_next(&rest, ':', &part); parts++) {
        for (size_t i = 0; i < part.len; i++) {
            if (!((part.ptr[i] >= 'a' && part.ptr[i] <= 'z') || (part.ptr[i] >= 'A' && part.ptr[i] <= 'Z')))
                return false;
        }
        if (part.len == 0) return false;
    }
    return parts <= 2;
}

static bool topic_valid(gm_str topic)
{
    gm_str rest = topic, label;
    if (gm_str_starts(topic, GM_STR("$"))) return false;
    while (gm_str_next(&rest, '/', &label)) {
        if (!label_valid(label) && !token_valid(label)) return false;
    }
    return true;
}

static bool pattern_valid(gm_pattern pattern, gm_str text)
{
    switch (pattern) {
    case GM_PATTERN_ANY: return true;
    case GM_PATTERN_NAME: return gm_name_valid(text);
    case GM_PATTERN_LABEL: return label_valid(text);
    case GM_PATTERN_TOPIC: return topic_valid(text);
    }
    return true;
}

size_t gm_utf16_length(gm_str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        n += (c & 0xC0) != 0x80;
        n += c >= 0xF0;  // beyond the basic plane: a surrogate pair
    }
    return n;
}

static double number_of(const gm_json *node)
{
    double value = 0.0;
    (void)gm_number_read(node->text, &value);  // the reader let only numbers through
    return value;
}

static bool fits_int32(const gm_json *node, int64_t *out_value)
{
    double d = number_of(node);
    if (!(d >= INT32_MIN && d <= INT32_MAX) || d != floor(d)) return false;
    *out_value = (int64_t)d;
    return true;
}

// Members that a value object must not have. In v2 only some of the keywords are watched.
static void check_value_object(reading *at, const gm_json *object)
{
    for (const gm_json *m = object->first; m != NULL; m = m->next) {
        const char *rule = NULL;
        if (gm_str_is(m->key, "@value") || gm_str_is(m->key, "@type")) continue;
        if (gm_str_is(m->key, "@context")) rule = "valueObjectContext";
        else if (gm_str_is(m->key, "@id")) rule = "valueObjectId";
        else if (gm_str_is(m->key, "@graph")) rule = "valueObjectGraph";
        else if (!gm_str_starts(m->key, GM_STR("@"))) rule = "valueObjectInvalidProp";
        else if (at->element->version < 3) continue;
        else rule = gm_str_is(m->key, "@language") ? "valueObjectLanguage" : "valueObjectKeyword";
        COMPLAIN_AS(at, m, rule,
                    "\"" GM_STR_FMT "\" does not belong in a value object; keep only \"@value\" and \"@type\"",
                    GM_STR_ARG(m->key));
    }
}

// The bare value: the node itself, or what is inside {"@value": ..., "@type": "xsd:..."}. NULL when there is none.
// *out_typed: "@type" named the wanted type.
static const gm_json *bare_value(reading *at, const gm_json *node, bool *out_typed)
{
    *out_typed = false;
    if (node->kind != GM_JSON_OBJECT) return node;
    check_value_object(at, node);
    const gm_json *value = gm_json_get(node, GM_STR("@value"));
    if (value == NULL) {
        COMPLAIN(at, node, "ObjectNoValue", "\"%s\": this object needs an \"@value\"; or write the %s itself",
                 at->member->meta->name, at->noun);
        return NULL;
    }
    const gm_json *type = gm_json_get(node, GM_STR("@type"));
    if (type != NULL) {
        if (type->kind == GM_JSON_ARRAY && type->count == 1) type = type->first;
        if (type->kind != GM_JSON_STRING) {
            COMPLAIN_AS(at, type, "literalTypeNotSingular", "\"@type\" of \"%s\" must be one string",
                        at->member->meta->name);
            return NULL;
        }
        gm_str local = type->text;
        if (gm_str_starts(local, GM_STR("xsd:"))) local = gm_str_slice(local, 4, local.len);
        else if (gm_str_starts(local, GM_STR("http://www.w3.org/2001/XMLSchema#")))
            local = gm_str_slice(local, 33, local.len);
        else local = GM_STR("");
        if (at->xsd != NULL && !gm_str_is(local, at->xsd)) {
            char suffix[48];
            snprintf(suffix, sizeof suffix, "TypeNot%c%s", at->kind[0] - 'a' + 'A', at->kind + 1);
            COMPLAIN(at, type, suffix, "\"%s\" takes values of type \"xsd:%s\" only", at->member->meta->name, at->xsd);
            return NULL;
        }
        *out_typed = true;
    }
    return value;
}

// Reports a value of the wrong JSON type: inside a value object the rules have other names.
static bool wrong_value(reading *at, const gm_json *node, const char *suffix, const char *inner_suffix)
{
    bool inside = node->key.ptr != NULL && gm_str_is(node->key, "@value");
    COMPLAIN(at, node, inside ? inner_suffix : suffix, "\"%s\" must be a %s", at->member->meta->name, at->noun);
    return false;
}

static bool read_string(reading *at, const gm_json *node)
{
    bool           typed;
    const gm_json *value = bare_value(at, node, &typed);
    if (value == NULL) return false;
    if (value->kind != GM_JSON_STRING) return wrong_value(at, value, "NotString", "ValueNotString");
    const gm_meta_prop *meta = at->member->meta;
    if (meta->length_max > 0 && gm_utf16_length(value->text) > (size_t)meta->length_max) {
        COMPLAIN(at, value, "TooLong", "\"%s\" has %zu characters, %d are allowed; shorten it", meta->name,
                 gm_utf16_length(value->text), (int)meta->length_max);
    }
    if ((meta->flags & GM_PROP_NAME) != 0 && !gm_name_valid(value->text)) {
        COMPLAIN(at, value, "Invalid",
                 "the name \"" GM_STR_FMT "\" may have letters, digits and underscores only, must begin "
                 "with a letter and must not end with an underscore",
                 GM_STR_ARG(gm_str_slice(value->text, 0, 80)));
    }
    if (!pattern_valid((gm_pattern)meta->pattern, value->text)) {
        COMPLAIN(at, value, "Invalid", "\"%s\": \"" GM_STR_FMT "\" has characters that do not belong there", meta->name,
                 GM_STR_ARG(gm_str_slice(value->text, 0, 80)));
    }
    at->member->literal = GM_KIND_STRING;
    at->member->value   = (gm_value){ .kind = GM_KIND_STRING, .s = value->text };
    return true;
}

static bool read_boolean(reading *at, const gm_json *node)
{
    bool           typed;
    const gm_json *value = bare_value(at, node, &typed);
    if (value == NULL) return false;
    if (value->kind != GM_JSON_BOOL) return wrong_value(at, value, "NotBoolean", "ValueNotBoolean");
    at->member->literal = GM_KIND_BOOL;
    at->member->value   = (gm_value){ .kind = GM_KIND_BOOL, .i = value->truth };
    return true;
}

static void check_range(reading *at, const gm_json *value, int64_t i)
{
    const gm_meta_prop *meta = at->member->meta;
    bool low = meta->value_min != GM_NO_LIMIT, high = meta->value_max != GM_NO_LIMIT;
    if (low && high && meta->value_min == meta->value_max && i != meta->value_min) {
        COMPLAIN_AS(at, value, "valueNotExact", "\"%s\" can only be %d", meta->name, (int)meta->value_min);
    } else if (low && i < meta->value_min) {
        COMPLAIN_AS(at, value, high ? "valueBelowRange" : "valueBelowMin", "\"%s\" must be at least %d", meta->name,
                    (int)meta->value_min);
    } else if (high && i > meta->value_max) {
        COMPLAIN_AS(at, value, low ? "valueAboveRange" : "valueAboveMax", "\"%s\" must be at most %d", meta->name,
                    (int)meta->value_max);
    }
}

static bool read_integer(reading *at, const gm_json *node)
{
    bool           typed;
    const gm_json *value = bare_value(at, node, &typed);
    int64_t        i = 0;
    if (value == NULL) return false;
    if (value->kind != GM_JSON_NUMBER || !fits_int32(value, &i))
        return wrong_value(at, value, "NotInteger", "ValueNotInteger");
    check_range(at, value, i);
    at->member->literal = GM_KIND_INT;
    at->member->value   = (gm_value){ .kind = GM_KIND_INT, .i = i };
    return true;
}

static bool read_numeric(reading *at, const gm_json *node)
{
    bool           typed;
    const gm_json *value = bare_value(at, node, &typed);
    if (value == NULL) return false;
    if (value->kind != GM_JSON_NUMBER) return wrong_value(at, value, "NotNumeric", "ValueNotNumeric");
    at->member->literal = GM_KIND_DOUBLE;
    at->member->value   = (gm_value){ .kind = GM_KIND_DOUBLE, .d = number_of(value) };
    return true;
}

static bool read_duration(reading *at, const gm_json *node)
{
    bool           typed;
    const gm_json *value = bare_value(at, node, &typed);
    if (value == NULL) return false;
    if (value->kind != GM_JSON_STRING) return wrong_value(at, value, "NotString", "ValueNotString");
    if (!gm_dur_iso_valid(value->text)) {
        COMPLAIN(at, value, "Invalid", "\"%s\" must be an ISO 8601 duration such as \"PT15S\"", at->member->meta->name);
        return false;
    }
    at->member->literal = GM_KIND_STRING;
    at->member->value   = (gm_value){ .kind = GM_KIND_STRING, .s = value->text };
    return true;
}

// A string, a number or a boolean, whichever it is.
static bool read_any_literal(reading *at, const gm_json *node)
{
    bool           typed;
    const gm_json *value = bare_value(at, node, &typed);
    int64_t        i;
    if (value == NULL) return false;
    switch ((gm_json_kind)value->kind) {
    case GM_JSON_STRING: at->member->value = (gm_value){ .kind = GM_KIND_STRING, .s = value->text }; break;
    case GM_JSON_BOOL: at->member->value = (gm_value){ .kind = GM_KIND_BOOL, .i = value->truth }; break;
    case GM_JSON_NUMBER:
        at->member->value = fits_int32(value, &i) ? (gm_value){ .kind = GM_KIND_INT, .i = i }
                                                  : (gm_value){ .kind = GM_KIND_DOUBLE, .d = number_of(value) };
        break;
    default:
        COMPLAIN(at, value, "NotValid", "\"%s\" must be a string, a number or a boolean", at->member->meta->name);
        return false;
    }
    at->member->literal = (uint8_t)at->member->value.kind;
    return true;
}

static bool read_identifier(reading *at, const gm_json *node)
{
    const gm_meta_prop *meta = at->member->meta;
    if (node->kind != GM_JSON_STRING) {
        COMPLAIN(at, node, "NotString", "\"%s\" must be a string with an identifier", meta->name);
        return false;
    }
    gm_str id = gm_context_expand(at->set, at->element->context, node->text);
    if (id.ptr == NULL && meta->type == GM_VALUE_URI && gm_str_find_char(node->text, ':') != SIZE_MAX &&
        !gm_str_starts(node->text, GM_STR("dtmi:"))) {
        id = node->text;
    }
    if (id.ptr == NULL) {
        COMPLAIN(at, node, meta->type == GM_VALUE_URI ? "NotUri" : "NotDtmi",
                 "\"%s\": \"" GM_STR_FMT "\" is no valid identifier and no term of the context", meta->name,
                 GM_STR_ARG(gm_str_slice(node->text, 0, 200)));
        return false;
    }
    if (meta->length_max > 0 && gm_utf16_length(id) > (size_t)meta->length_max) {
        COMPLAIN(at, node, "TooLong", "\"%s\" has %zu characters, %d are allowed", meta->name, gm_utf16_length(id),
                 (int)meta->length_max);
    }
    unsigned rules = at->element->version >= 3 ? GM_DTMI_VERSION_OPTIONAL | GM_DTMI_MINOR : GM_DTMI_STRICT;
    if (meta->type == GM_VALUE_DTMI && !gm_dtmi_is_user(id, rules)) {
        COMPLAIN(at, node, "Invalid", "\"%s\": \"" GM_STR_FMT "\" is not an identifier that a model can define",
                 meta->name, GM_STR_ARG(gm_str_slice(id, 0, 200)));
    }
    at->member->literal = GM_KIND_STRING;
    at->member->value   = (gm_value){ .kind = GM_KIND_STRING, .s = id };
    return true;
}

// "en", "en-US", "zh-Hans-CN": ^[a-z]{2,4}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$
static bool language_valid(gm_str code)
{
    size_t i = 0, n = code.len;
    while (i < n && code.ptr[i] >= 'a' && code.ptr[i] <= 'z') i++;
    if (i < 2 || i > 4) return false;
    if (n - i >= 5 && code.ptr[i] == '-' && code.ptr[i + 1] >= 'A' && code.ptr[i + 1] <= 'Z') {
        bool script = true;
        for (size_t k = 2; k < 5; k++) script = script && code.ptr[i + k] >= 'a' && code.ptr[i + k] <= 'z';
        if (script) i += 5;
    }
    if (i == n) return true;
    if (code.ptr[i] != '-') return false;
    gm_str region = gm_str_slice(code, i + 1, n);
    bool   letters = region.len == 2, numbers = region.len == 3;
    for (size_t k = 0; k < region.len; k++) {
        letters = letters && region.ptr[k] >= 'A' && region.ptr[k] <= 'Z';
        numbers = numbers && region.ptr[k] >= '0' && region.ptr[k] <= '9';
    }
    return letters || numbers;
}

static void check_lang_length(reading *at, const gm_json *value)
{
    const gm_meta_prop *meta = at->member->meta;
    size_t length = gm_utf16_length(value->text), most = (size_t)meta->length_max;
    if (meta->kind == GM_PROP_DESCRIPTION) most = at->element->context->limits->description_length;
    if (most > 0 && length > most) {
        COMPLAIN_AS(at, value, "langStringValueTooLong", "\"%s\" has %zu characters, %zu are allowed; shorten it",
                    meta->name, length, most);
    }
}

// {"en": "pump", "de": "Pumpe"}
static bool read_lang_map(reading *at, const gm_json *map)
{
    const gm_json *language = gm_json_get(map, GM_STR("@language")), *value = gm_json_get(map, GM_STR("@value"));
    bool           tagged   = language != NULL && gm_json_is(value, GM_JSON_STRING) && map->count == 2;
    if (tagged) {
        COMPLAIN_AS(at, map, "langTagValueInLangMap",
                    "\"%s\": an object with \"@value\" and \"@language\" must stand in an "
                    "array; or write {\"" GM_STR_FMT "\": ...}",
                    at->member->meta->name, GM_STR_ARG(language->text));
        return false;
    }
    for (const gm_json *m = map->first; m != NULL; m = m->next) {
        if (gm_str_starts(m->key, GM_STR("@"))) {
            COMPLAIN_AS(at, m, "langMapObjKeyword",
                        "\"" GM_STR_FMT "\" does not belong in a map of languages; remove it", GM_STR_ARG(m->key));
            continue;
        }
        if (!language_valid(m->key)) {
            COMPLAIN_AS(at, m, "langStringInvalidCode",
                        "\"" GM_STR_FMT "\" is no language code; write one such as \"en\"", GM_STR_ARG(m->key));
        }
        if (m->kind != GM_JSON_STRING) {
            COMPLAIN_AS(at, m, "langStringValueNotString", "the text for \"" GM_STR_FMT "\" must be a string",
                        GM_STR_ARG(m->key));
        } else {
            check_lang_length(at, m);
        }
        if (m->repeated) {
            COMPLAIN_AS(at, m, "langStringCodeNotUnique", "language \"" GM_STR_FMT "\" has a text already; keep one",
                        GM_STR_ARG(m->key));
        }
    }
    return true;
}

// One entry of ["pump", {"@value": "Pumpe", "@language": "de"}]; the language it is for, or a NULL view.
static gm_str read_lang_entry(reading *at, const gm_json *entry)
{
    const gm_str none = { NULL, 0 };
    if (entry->kind == GM_JSON_STRING) {
        check_lang_length(at, entry);
        return GM_STR("en");
    }
    if (entry->kind != GM_JSON_OBJECT) {
        COMPLAIN_AS(at, entry, "langStringElementNotStringOrObject",
                    "\"%s\" must be a string or a string for each language", at->member->meta->name);
        return none;
    }
    gm_str         code     = GM_STR("en");
    const gm_json *language = gm_json_get(entry, GM_STR("@language"));
    if (language != NULL) {
        if (language->kind != GM_JSON_STRING || language->text.len == 0) {
            COMPLAIN_AS(at, language, "langStringElementCodeNotString",
                        "\"@language\" must be a language code such as \"en\"");
            return none;
        }
        code = language->text;
        if (!language_valid(code)) {
            COMPLAIN_AS(at, language, "langStringElementInvalidCode", "\"" GM_STR_FMT "\" is no language code",
                        GM_STR_ARG(code));
        }
    }
    const gm_json *value = gm_json_get(entry, GM_STR("@value"));
    if (value == NULL) {
        COMPLAIN_AS(at, entry, "langStringElementNoValue", "this entry of \"%s\" needs an \"@value\" with the text",
                    at->member->meta->name);
    } else if (value->kind != GM_JSON_STRING) {
        COMPLAIN_AS(at, value, "langStringElementValueNotString", "\"@value\" must be a string");
        return none;
    } else {
        check_lang_length(at, value);
    }
    for (const gm_json *m = entry->first; m != NULL; m = m->next) {
        const char *rule = "langStringElementInvalidProp";
        if (gm_str_is(m->key, "@value") || gm_str_is(m->key, "@language")) continue;
        if (gm_str_is(m->key, "@context")) rule = "langStringElementContext";
        else if (gm_str_is(m->key, "@id")) rule = "langStringElementId";
        else if (gm_str_is(m->key, "@graph")) rule = "langStringElementGraph";
        else if (gm_str_starts(m->key, GM_STR("@"))) {
            if (at->element->version < 3) continue;
            rule = gm_str_is(m->key, "@type") ? "langStringElementType" : "langStringElementKeyword";
        }
        COMPLAIN_AS(at, m, rule, "\"" GM_STR_FMT "\" does not belong here; keep \"@value\" and \"@language\"",
                    GM_STR_ARG(m->key));
    }
    return code;
}

static bool read_lang_list(reading *at, const gm_json *first, bool single)
{
    for (const gm_json *entry = first; entry != NULL; entry = single ? NULL : entry->next) {
        gm_str code = read_lang_entry(at, entry);
        for (const gm_json *other = first; code.ptr != NULL && other != entry && !single; other = other->next) {
            const gm_json *language = gm_json_get(other, GM_STR("@language"));
            gm_str         taken    = gm_json_is(language, GM_JSON_STRING) ? language->text : GM_STR("en");
            if (other->kind != GM_JSON_STRING && other->kind != GM_JSON_OBJECT) continue;
            if (!gm_str_eq(code, taken)) continue;
            COMPLAIN_AS(at, entry, "langStringElementCodeNotUnique",
                        "language \"" GM_STR_FMT "\" has a text already; keep one", GM_STR_ARG(code));
            break;
        }
    }
    return true;
}

gm_str gm_literal_text(const gm_json *node)
{
    if (node == NULL) return GM_STR("");
    if (node->kind == GM_JSON_STRING) return node->text;
    gm_str text = GM_STR(""), best = { NULL, 0 };
    for (const gm_json *m = node->first; m != NULL; m = m->next) {
        gm_str         code  = m->key.ptr != NULL ? m->key : GM_STR("en");
        const gm_json *value = m;
        if (m->kind == GM_JSON_OBJECT) {
            const gm_json *language = gm_json_get(m, GM_STR("@language"));
            if (gm_json_is(language, GM_JSON_STRING)) code = language->text;
            value = gm_json_get(m, GM_STR("@value"));
        }
        if (!gm_json_is(value, GM_JSON_STRING)) continue;
        if (gm_str_is(code, "en")) return value->text;
        if (best.ptr == NULL || (gm_str_starts(code, GM_STR("en-")) && !gm_str_starts(best, GM_STR("en")))) {
            best = code;
            text = value->text;
        }
    }
    return text;
}

typedef bool read_one(reading *at, const gm_json *node);

bool gm_literal_read(gm_set *set, gm_element *element, gm_member *member)
{
    static const struct { const char *kind, *xsd, *noun; read_one *read; } types[] = {
        [GM_VALUE_STRING]   = { "string", "string", "string", read_string },
        [GM_VALUE_INTEGER]  = { "integer", "integer", "integer of at most 32 bits", read_integer },
        [GM_VALUE_NUMERIC]  = { "numeric", "decimal", "number", read_numeric },
        [GM_VALUE_BOOLEAN]  = { "boolean", "boolean", "boolean", read_boolean },
        [GM_VALUE_DURATION] = { "duration", "duration", "duration", read_duration },
        [GM_VALUE_LITERAL]  = { "literal", NULL, "string, number or boolean", read_any_literal },
        [GM_VALUE_DTMI]     = { "identifier", NULL, "DTMI", read_identifier },
        [GM_VALUE_URI]      = { "identifier", NULL, "URI", read_identifier },
    };
    const gm_meta_prop *meta  = member->meta;
    const gm_json      *node  = member->node;
    bool                array = node->kind == GM_JSON_ARRAY;
    reading             at = { .set = set, .element = element, .member = member, .kind = "langString", .noun = "text" };

    if (meta->type == GM_VALUE_JSON) return true;
    if (meta->type == GM_VALUE_LANG_STRING && node->count > GM_LANGUAGES_MAX) {
        COMPLAIN_AS(&at, node, ":limit", "\"%s\" has %" PRIu32 " texts, %d are allowed", meta->name, node->count,
                    (int)GM_LANGUAGES_MAX);
        return false;
    }
    if (meta->type == GM_VALUE_LANG_STRING) {
        if (node->kind == GM_JSON_OBJECT) return read_lang_map(&at, node);
        return read_lang_list(&at, array ? node->first : node, !array);
    }
    at.kind = types[meta->type].kind;
    at.xsd  = types[meta->type].xsd;
    at.noun = types[meta->type].noun;
    bool plural = (meta->flags & GM_PROP_PLURAL) != 0;
    if (array && node->count > 1 && !plural) {
        COMPLAIN(&at, node, "MultipleValues", "\"%s\" takes one value; remove the others", meta->name);
        return false;
    }
    if (array && node->count == 0) {
        if ((meta->flags & GM_PROP_REQUIRED) != 0) {
            COMPLAIN(&at, node, "CountBelowMin", "\"%s\" needs a %s", meta->name, at.noun);
        }
        return false;
    }
    bool valid = true;
    for (const gm_json *value = array ? node->first : node; value != NULL; value = array ? value->next : NULL) {
        valid = types[meta->type].read(&at, value) && valid;
    }
    return valid;
}
