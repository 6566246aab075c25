#include "model/metamodel.h"

#include <assert.h>

static const struct { const char *name; uint8_t versions; } classes[GM_CLASS_COUNT] = {
#define X(name, text, versions) { text, versions },
    GM_CLASS_LIST(X)
#undef X
};

const char *gm_class_name(gm_class cls)
{
    assert(cls < GM_CLASS_COUNT);
    return classes[cls].name;
}

// "dtmi:dtdl:class:Array;3" with prefix "dtmi:dtdl:class:" gives "Array" and 3. The version is one digit.
static bool split_dtmi(gm_str text, gm_str prefix, gm_str *out_name, unsigned *out_version)
{
    if (!gm_str_starts(text, prefix) || text.len < prefix.len + 3 || text.ptr[text.len - 2] != ';') return false;
    unsigned version = (unsigned)(text.ptr[text.len - 1] - '0');
    if (version < GM_DTDL_FIRST || version > GM_DTDL_LAST) return false;
    *out_name    = gm_str_slice(text, prefix.len, text.len - 2);
    *out_version = version;
    return true;
}

bool gm_class_find(gm_str text, gm_class *out_class, unsigned *out_version)
{
    unsigned version = 0;
    if (gm_str_starts(text, GM_STR("dtmi:")) && !split_dtmi(text, GM_STR("dtmi:dtdl:class:"), &text, &version))
        return false;
    for (size_t i = 0; i < GM_CLASS_COUNT; i++) {
        if (!gm_str_is(text, classes[i].name)) continue;
        if (version != 0 && (classes[i].versions & gm_version_bit(version)) == 0) return false;
        *out_class   = (gm_class)i;
        *out_version = version;
        return true;
    }
    return false;
}

#define COUNT(max) .count_max = (max)
#define STRING(max) .type = GM_VALUE_STRING, .length_max = (max)
#define LANG(max) .type = GM_VALUE_LANG_STRING, .length_max = (max)
#define OBJECT(set) .type = GM_VALUE_OBJECT, .classes = (set)
#define RANGE(low, high) .type = GM_VALUE_INTEGER, .value_min = (low), .value_max = (high)

enum { REQUIRED = GM_PROP_REQUIRED, OLDER = GM_PROP_OLDER,
       NAMED_LIST = GM_PROP_PLURAL | GM_PROP_KEYED, UNTYPED_LIST = GM_PROP_PLURAL | GM_PROP_KEYED | GM_PROP_UNTYPED };

// One row for each member and the versions in which it is as the row says.
#define ROW(member, member_kind, member_versions, member_flags, ...) \
    { .name = (member), .kind = (member_kind), .versions = (member_versions), .flags = (member_flags), __VA_ARGS__ }

static const gm_meta_prop
    comment      = ROW("comment", GM_PROP_COMMENT, GM_V234, 0, STRING(512)),
    description  = ROW("description", GM_PROP_DESCRIPTION, GM_V234, 0, LANG(512)),
    display_2    = ROW("displayName", GM_PROP_DISPLAY_NAME, GM_V2, 0, LANG(64)),
    display_34   = ROW("displayName", GM_PROP_DISPLAY_NAME, GM_V34, 0, LANG(512)),
    name_2       = ROW("name", GM_PROP_NAME_, GM_V2, REQUIRED | GM_PROP_NAME, STRING(64)),
    name_34      = ROW("name", GM_PROP_NAME_, GM_V34, REQUIRED | GM_PROP_NAME, STRING(512)),
    nullable     = ROW("nullable", GM_PROP_NULLABLE, GM_V4, 0, .type = GM_VALUE_BOOLEAN),
    writable     = ROW("writable", GM_PROP_WRITABLE, GM_V234, 0, .type = GM_VALUE_BOOLEAN),
    schema       = ROW("schema", GM_PROP_SCHEMA, GM_V234, REQUIRED | OLDER, OBJECT(GM_CLASSES_SCHEMA)),
    element      = ROW("elementSchema", GM_PROP_ELEMENT_SCHEMA, GM_V234, REQUIRED | OLDER, OBJECT(GM_CLASSES_SCHEMA)),
    command_type = ROW("commandType", GM_PROP_COMMAND_TYPE, GM_V234, 0, OBJECT(GM_CLASS_BIT(COMMAND_TYPE))),
    request_2    = ROW("request", GM_PROP_REQUEST, GM_V2, GM_PROP_UNTYPED, OBJECT(GM_CLASS_BIT(COMMAND_PAYLOAD)),
                       .inferred = GM_CLASS_COMMAND_PAYLOAD),
    response_2   = ROW("response", GM_PROP_RESPONSE, GM_V2, GM_PROP_UNTYPED, OBJECT(GM_CLASS_BIT(COMMAND_PAYLOAD)),
                       .inferred = GM_CLASS_COMMAND_PAYLOAD),
    request_34   = ROW("request", GM_PROP_REQUEST, GM_V34, GM_PROP_UNTYPED, OBJECT(GM_CLASS_BIT(COMMAND_REQUEST)),
                       .inferred = GM_CLASS_COMMAND_REQUEST),
    response_34  = ROW("response", GM_PROP_RESPONSE, GM_V34, GM_PROP_UNTYPED, OBJECT(GM_CLASS_BIT(COMMAND_RESPONSE)),
                       .inferred = GM_CLASS_COMMAND_RESPONSE),
    component = ROW("schema", GM_PROP_SCHEMA, GM_V234, REQUIRED | OLDER | GM_PROP_ID, OBJECT(GM_CLASS_BIT(INTERFACE))),
    values_2  = ROW("enumValues", GM_PROP_ENUM_VALUES, GM_V2, UNTYPED_LIST | REQUIRED, OBJECT(GM_CLASS_BIT(ENUM_VALUE)),
                    COUNT(100), .inferred = GM_CLASS_ENUM_VALUE),
    values_34 = ROW("enumValues", GM_PROP_ENUM_VALUES, GM_V34, UNTYPED_LIST, OBJECT(GM_CLASS_BIT(ENUM_VALUE)),
                    .inferred = GM_CLASS_ENUM_VALUE),
    value_schema = ROW("valueSchema", GM_PROP_VALUE_SCHEMA, GM_V234, REQUIRED | OLDER,
                       OBJECT(GM_CLASS_BIT(INTEGER) | GM_CLASS_BIT(STRING))),
    enum_value   = ROW("enumValue", GM_PROP_ENUM_VALUE, GM_V234, REQUIRED, .type = GM_VALUE_LITERAL),
    contents_2   = ROW("contents", GM_PROP_CONTENTS, GM_V2, NAMED_LIST, OBJECT(GM_CLASSES_CONTENT), COUNT(300)),
    contents_34  = ROW("contents", GM_PROP_CONTENTS, GM_V34, NAMED_LIST | OLDER, OBJECT(GM_CLASSES_CONTENT)),
    extends_2 =
        ROW("extends", GM_PROP_EXTENDS, GM_V2, GM_PROP_PLURAL | GM_PROP_ID, OBJECT(GM_CLASS_BIT(INTERFACE)), COUNT(2)),
    extends_34 =
        ROW("extends", GM_PROP_EXTENDS, GM_V34, GM_PROP_PLURAL | GM_PROP_ID | OLDER, OBJECT(GM_CLASS_BIT(INTERFACE))),
    schemas_2 =
        ROW("schemas", GM_PROP_SCHEMAS, GM_V2, GM_PROP_PLURAL | GM_PROP_ID, OBJECT(GM_CLASSES_COMPLEX), COUNT(300)),
    schemas_34 = ROW("schemas", GM_PROP_SCHEMAS, GM_V34, GM_PROP_PLURAL | GM_PROP_ID, OBJECT(GM_CLASSES_COMPLEX)),
    map_key    = ROW("mapKey", GM_PROP_MAP_KEY, GM_V234, REQUIRED | GM_PROP_UNTYPED, OBJECT(GM_CLASS_BIT(MAP_KEY)),
                     .inferred = GM_CLASS_MAP_KEY),
    map_value = ROW("mapValue", GM_PROP_MAP_VALUE, GM_V234, REQUIRED | GM_PROP_UNTYPED, OBJECT(GM_CLASS_BIT(MAP_VALUE)),
                    .inferred = GM_CLASS_MAP_VALUE),
    key_schema = ROW("schema", GM_PROP_SCHEMA, GM_V234, REQUIRED | OLDER, OBJECT(GM_CLASS_BIT(STRING))),
    fields_2   = ROW("fields", GM_PROP_FIELDS, GM_V2, UNTYPED_LIST | REQUIRED, OBJECT(GM_CLASS_BIT(FIELD)), COUNT(30),
                     .inferred = GM_CLASS_FIELD),
    fields_34 =
        ROW("fields", GM_PROP_FIELDS, GM_V34, UNTYPED_LIST, OBJECT(GM_CLASS_BIT(FIELD)), .inferred = GM_CLASS_FIELD),
    max_2        = ROW("maxMultiplicity", GM_PROP_MAX_MULTIPLICITY, GM_V2, 0, RANGE(1, 500)),
    max_34       = ROW("maxMultiplicity", GM_PROP_MAX_MULTIPLICITY, GM_V34, 0, RANGE(1, GM_NO_LIMIT)),
    min_all      = ROW("minMultiplicity", GM_PROP_MIN_MULTIPLICITY, GM_V234, 0, RANGE(0, 0)),
    properties_2 = ROW("properties", GM_PROP_PROPERTIES, GM_V2, NAMED_LIST, OBJECT(GM_CLASS_BIT(PROPERTY)), COUNT(300)),
    properties_34 = ROW("properties", GM_PROP_PROPERTIES, GM_V34, NAMED_LIST | OLDER, OBJECT(GM_CLASS_BIT(PROPERTY))),
    target        = ROW("target", GM_PROP_TARGET, GM_V234, 0, .type = GM_VALUE_DTMI, .length_max = 2048);

#define COMMON(v) &comment, &description, (v) == 2 ? &display_2 : &display_34
#define NAMED(v) COMMON(v), (v) == 2 ? &name_2 : &name_34
enum { PROPS_MAX = GM_CLASS_PROPS_MAX };

// All members of the class in the version, into out; the order is the order in which missing ones are reported.
static size_t members(gm_class cls, unsigned v, const gm_meta_prop *out[PROPS_MAX])
{
    size_t n = 0;
#define ADD(...)                                                                   \
    do {                                                                           \
        const gm_meta_prop *const list[] = { __VA_ARGS__ };                        \
        for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) out[n++] = list[i]; \
    } while (0)
    switch (cls) {
    case GM_CLASS_ARRAY: ADD(COMMON(v), &element); break;
    case GM_CLASS_COMMAND:
        ADD(NAMED(v), &command_type, v == 2 ? &request_2 : &request_34, v == 2 ? &response_2 : &response_34);
        break;
    case GM_CLASS_COMMAND_PAYLOAD: case GM_CLASS_MAP_VALUE: case GM_CLASS_TELEMETRY: ADD(NAMED(v), &schema); break;
    case GM_CLASS_COMMAND_REQUEST: case GM_CLASS_COMMAND_RESPONSE:
        ADD(NAMED(v), &schema);
        if (v >= 4) ADD(&nullable);
        break;
    case GM_CLASS_FIELD: ADD(NAMED(v), &schema); break;
    case GM_CLASS_COMPONENT: ADD(NAMED(v), &component); break;
    case GM_CLASS_ENUM: ADD(COMMON(v), v == 2 ? &values_2 : &values_34, &value_schema); break;
    case GM_CLASS_ENUM_VALUE: ADD(NAMED(v), &enum_value); break;
    case GM_CLASS_INTERFACE:
        ADD(COMMON(v), v == 2 ? &contents_2 : &contents_34, v == 2 ? &extends_2 : &extends_34,
            v == 2 ? &schemas_2 : &schemas_34);
        break;
    case GM_CLASS_MAP: ADD(COMMON(v), &map_key, &map_value); break;
    case GM_CLASS_MAP_KEY: ADD(NAMED(v), &key_schema); break;
    case GM_CLASS_OBJECT: ADD(COMMON(v), v == 2 ? &fields_2 : &fields_34); break;
    case GM_CLASS_PROPERTY: ADD(NAMED(v), &schema, &writable); break;
    case GM_CLASS_RELATIONSHIP:
        ADD(NAMED(v), v == 2 ? &max_2 : &max_34, &min_all, v == 2 ? &properties_2 : &properties_34, &target,
            &writable);
        break;
    case GM_CLASS_NAMED_LATENT: ADD(NAMED(v)); break;
    default: ADD(COMMON(v)); break;
    }
#undef ADD
    return n;
}

size_t gm_class_props(gm_class cls, unsigned version, const gm_meta_prop *out_props[GM_CLASS_PROPS_MAX])
{
    assert(version >= GM_DTDL_FIRST && version <= GM_DTDL_LAST);
    return members(cls, version, out_props);
}

const gm_meta_prop *gm_class_prop(gm_class cls, unsigned version, gm_str name)
{
    unsigned named = version;
    if (gm_str_starts(name, GM_STR("dtmi:"))) {
        if (!split_dtmi(name, GM_STR("dtmi:dtdl:property:"), &name, &named) || named != version) return NULL;
    }
    const gm_meta_prop *props[PROPS_MAX];
    size_t              n = members(cls, version, props);
    for (size_t i = 0; i < n; i++) {
        if (gm_str_is(name, props[i]->name)) return props[i];
    }
    return NULL;
}

#define SCHEMA "dtmi:dtdl:instance:Schema:"
#define COMMAND_TYPE "dtmi:dtdl:instance:CommandType:"
#define GEOSPATIAL "dtmi:standard:schema:geospatial:"

static const gm_standard standards[] = {
    { "boolean", SCHEMA, GM_CLASS_BOOLEAN, GM_V234 },
    { "byte", SCHEMA, GM_CLASS_BYTE, GM_V4 },
    { "bytes", SCHEMA, GM_CLASS_BYTES, GM_V4 },
    { "date", SCHEMA, GM_CLASS_DATE, GM_V234 },
    { "dateTime", SCHEMA, GM_CLASS_DATE_TIME, GM_V234 },
    { "decimal", SCHEMA, GM_CLASS_DECIMAL, GM_V4 },
    { "double", SCHEMA, GM_CLASS_DOUBLE, GM_V234 },
    { "duration", SCHEMA, GM_CLASS_DURATION, GM_V234 },
    { "float", SCHEMA, GM_CLASS_FLOAT, GM_V234 },
    { "integer", SCHEMA, GM_CLASS_INTEGER, GM_V234 },
    { "long", SCHEMA, GM_CLASS_LONG, GM_V234 },
    { "short", SCHEMA, GM_CLASS_SHORT, GM_V4 },
    { "string", SCHEMA, GM_CLASS_STRING, GM_V234 },
    { "time", SCHEMA, GM_CLASS_TIME, GM_V234 },
    { "unsignedByte", SCHEMA, GM_CLASS_UNSIGNED_BYTE, GM_V4 },
    { "unsignedInteger", SCHEMA, GM_CLASS_UNSIGNED_INTEGER, GM_V4 },
    { "unsignedLong", SCHEMA, GM_CLASS_UNSIGNED_LONG, GM_V4 },
    { "unsignedShort", SCHEMA, GM_CLASS_UNSIGNED_SHORT, GM_V4 },
    { "uuid", SCHEMA, GM_CLASS_UUID, GM_V4 },
    { "asynchronous", COMMAND_TYPE, GM_CLASS_COMMAND_TYPE, GM_V234 },
    { "synchronous", COMMAND_TYPE, GM_CLASS_COMMAND_TYPE, GM_V234 },
    { "lineString", GEOSPATIAL, GM_CLASS_OBJECT, GM_V234 },
    { "multiLineString", GEOSPATIAL, GM_CLASS_OBJECT, GM_V234 },
    { "multiPoint", GEOSPATIAL, GM_CLASS_OBJECT, GM_V234 },
    { "multiPolygon", GEOSPATIAL, GM_CLASS_OBJECT, GM_V234 },
    { "point", GEOSPATIAL, GM_CLASS_OBJECT, GM_V234 },
    { "polygon", GEOSPATIAL, GM_CLASS_OBJECT, GM_V234 },
    { "scaledDecimal", "dtmi:standard:schema:", GM_CLASS_OBJECT, GM_V4 },
    { "vector", "dtmi:iotcentral:schema:", GM_CLASS_OBJECT, 0 },  // of the iotcentral extension, by DTMI only
    { "geopoint", "dtmi:iotcentral:schema:", GM_CLASS_OBJECT, 0 },
};
enum { STANDARD_COUNT = sizeof standards / sizeof standards[0] };

size_t gm_standard_index(const gm_standard *standard) { return (size_t)(standard - standards); }
size_t gm_standard_count(void) { return STANDARD_COUNT; }
const gm_standard *gm_standard_at(size_t i) { return &standards[i]; }

const gm_standard *gm_standard_find(gm_str term, unsigned version)
{
    for (size_t i = 0; i < STANDARD_COUNT; i++) {
        if (gm_str_is(term, standards[i].name) && (standards[i].versions & gm_version_bit(version)) != 0)
            return &standards[i];
    }
    return NULL;
}

const gm_standard *gm_standard_find_dtmi(gm_str dtmi, unsigned *out_version)
{
    for (size_t i = 0; i < STANDARD_COUNT; i++) {
        gm_str   name;
        unsigned version;
        if (!split_dtmi(dtmi, gm_str_of(standards[i].prefix), &name, &version) || !gm_str_is(name, standards[i].name))
            continue;
        if (standards[i].versions != 0 && (standards[i].versions & gm_version_bit(version)) == 0) return NULL;
        *out_version = version;
        return &standards[i];
    }
    return NULL;
}

// Terms that are neither classes nor standard elements.
static const struct { const char *name; uint8_t versions;
} property_terms[] = {
    { "aliasFor", GM_V34 },
    { "commandType", GM_V234 },
    { "comment", GM_V234 },
    { "contents", GM_V234 },
    { "description", GM_V234 },
    { "displayName", GM_V234 },
    { "elementSchema", GM_V234 },
    { "enumValue", GM_V234 },
    { "enumValues", GM_V234 },
    { "exponent", GM_V234 },
    { "extends", GM_V234 },
    { "fields", GM_V234 },
    { "languageMajorVersion", GM_V234 },
    { "mapKey", GM_V234 },
    { "mapValue", GM_V234 },
    { "maxMultiplicity", GM_V234 },
    { "minMultiplicity", GM_V234 },
    { "name", GM_V234 },
    { "nullable", GM_V4 },
    { "properties", GM_V234 },
    { "request", GM_V234 },
    { "response", GM_V234 },
    { "schema", GM_V234 },
    { "schemas", GM_V234 },
    { "symbol", GM_V234 },
    { "target", GM_V234 },
    { "valueSchema", GM_V234 },
    { "writable", GM_V234 },
    { "baseUnit", GM_V2 },
    { "bottomUnit", GM_V2 },
    { "prefix", GM_V2 },
    { "topUnit", GM_V2 },
    { "unit", GM_V2 },
};
static const char *const class_terms_34[] = { "AdjunctType", "Alias", "SemanticType", "SemanticUnit" };
static const char *const meta_terms_34[]  = { "DtdlExtension", "metamodel", "model" };

const char *gm_term_prefix(gm_str name, unsigned version)
{
    gm_class cls;
    unsigned ignored, bit = gm_version_bit(version);
    if (!gm_str_starts(name, GM_STR("dtmi:")) && gm_class_find(name, &cls, &ignored) &&
        (classes[cls].versions & bit) != 0) {
        return "dtmi:dtdl:class:";
    }
    for (size_t i = 0; i < sizeof property_terms / sizeof property_terms[0]; i++) {
        if (gm_str_is(name, property_terms[i].name) && (property_terms[i].versions & bit) != 0)
            return "dtmi:dtdl:property:";
    }
    const gm_standard *standard = gm_standard_find(name, version);
    if (standard != NULL) return standard->prefix;
    if (version == 2) return NULL;
    for (size_t i = 0; i < sizeof class_terms_34 / sizeof class_terms_34[0]; i++) {
        if (gm_str_is(name, class_terms_34[i])) return "dtmi:dtdl:class:";
    }
    for (size_t i = 0; i < sizeof meta_terms_34 / sizeof meta_terms_34[0]; i++) {
        if (gm_str_is(name, meta_terms_34[i])) return "dtmi:dtdl:meta:";
    }
    return NULL;
}

const gm_limits *gm_limits_of(unsigned version)
{
    static const gm_limits limits[GM_DTDL_COUNT] = {
        { .schema_depth = 5, .extends_depth = 10, .id_length = 2048, .description_length = 512 },
        { .schema_depth       = 5,
          .extends_depth      = 10,
          .extends_count      = 1024,
          .contents_count     = 100000,
          .text_bytes         = 1 << 20,
          .id_length          = 2048,
          .description_length = 512 },
        { .schema_depth       = 8,
          .extends_depth      = 12,
          .extends_count      = 1024,
          .contents_count     = 100000,
          .text_bytes         = 1 << 20,
          .id_length          = 2048,
          .description_length = 512 },
    };
    assert(version >= GM_DTDL_FIRST && version <= GM_DTDL_LAST);
    return &limits[version - GM_DTDL_FIRST];
}
