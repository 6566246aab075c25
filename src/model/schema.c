// Schemas as users of types see them. Schemas of the language itself are constants; those of a document are made in
// two passes, first the nodes and then what they point to, so that a schema may contain itself.
#include "model/types.h"

#include "model/literal.h"
#include "model/schema.h"

#include <assert.h>

#define PRIMITIVE(k) static const gm_schema schema_##k = { .kind = GM_SCHEMA_##k }
PRIMITIVE(BOOLEAN); PRIMITIVE(BYTE); PRIMITIVE(SHORT); PRIMITIVE(INTEGER); PRIMITIVE(LONG); PRIMITIVE(UNSIGNED_BYTE);
PRIMITIVE(UNSIGNED_SHORT); PRIMITIVE(UNSIGNED_INTEGER); PRIMITIVE(UNSIGNED_LONG); PRIMITIVE(FLOAT); PRIMITIVE(DOUBLE);
PRIMITIVE(DECIMAL); PRIMITIVE(STRING); PRIMITIVE(BYTES); PRIMITIVE(UUID); PRIMITIVE(DATE); PRIMITIVE(DATETIME);
PRIMITIVE(TIME); PRIMITIVE(DURATION);

#define NAME(text) { "" text, sizeof(text) - 1 }

// GeoJSON (RFC 7946): a type and coordinates, arrays of arrays of numbers.
#define ARRAY_OF(name, of) static const gm_schema name = { .kind = GM_SCHEMA_ARRAY, .element = &(of) }
ARRAY_OF(position, schema_DOUBLE);
ARRAY_OF(positions, position);
ARRAY_OF(rings, positions);
ARRAY_OF(polygons, rings);
#define GEOMETRY(term, geometry, coordinates_schema)                                                                   \
    static const gm_enum_value term##_types[] = {                                                                      \
        { NAME(geometry), NAME(geometry), { .kind = GM_KIND_STRING, .s = NAME(geometry) } }                            \
    };                                                                                                                 \
    static const gm_schema term##_type     = { .kind             = GM_SCHEMA_ENUM,                                     \
                                               .enum_value_kind  = GM_SCHEMA_STRING,                                   \
                                               .enum_values      = term##_types,                                       \
                                               .enum_value_count = 1 };                                                \
    static const gm_field  term##_fields[] = { { NAME("type"), NAME("type"), &term##_type },                           \
                                               { NAME("coordinates"), NAME("coordinates"), &(coordinates_schema) } };  \
    static const gm_schema schema_##term   = {                                                                         \
          .kind = GM_SCHEMA_OBJECT, .id = NAME(#term), .fields = term##_fields, .field_count = 2                       \
    }
GEOMETRY(point, "Point", position);
GEOMETRY(lineString, "LineString", positions);
GEOMETRY(multiPoint, "MultiPoint", positions);
GEOMETRY(polygon, "Polygon", rings);
GEOMETRY(multiLineString, "MultiLineString", rings);
GEOMETRY(multiPolygon, "MultiPolygon", polygons);

static const gm_field scaled_fields[] = { { NAME("scale"), NAME("scale"), &schema_SHORT },
                                          { NAME("value"), NAME("value"), &schema_DECIMAL } };
static const gm_schema schema_scaled = { .kind = GM_SCHEMA_SCALED_DECIMAL, .id = NAME("scaledDecimal"),
                                         .fields = scaled_fields, .field_count = 2 };

#define COORDINATES(name, a, b, c, n)                                                                                  \
    static const gm_field  name##_fields[] = { { NAME(a), NAME(a), &schema_DOUBLE },                                   \
                                               { NAME(b), NAME(b), &schema_DOUBLE },                                   \
                                               { NAME(c), NAME(c), &schema_DOUBLE } };                                 \
    static const gm_schema schema_##name   = {                                                                         \
          .kind = GM_SCHEMA_OBJECT, .id = NAME(#name), .fields = name##_fields, .field_count = (n)                     \
    }
COORDINATES(vector, "x", "y", "z", 3);
COORDINATES(geopoint, "lat", "lon", "alt", 3);

static const gm_schema *primitive(gm_class cls)
{
    switch (cls) {
    case GM_CLASS_BOOLEAN: return &schema_BOOLEAN;
    case GM_CLASS_BYTE: return &schema_BYTE;
    case GM_CLASS_BYTES: return &schema_BYTES;
    case GM_CLASS_DATE: return &schema_DATE;
    case GM_CLASS_DATE_TIME: return &schema_DATETIME;
    case GM_CLASS_DECIMAL: return &schema_DECIMAL;
    case GM_CLASS_DOUBLE: return &schema_DOUBLE;
    case GM_CLASS_DURATION: return &schema_DURATION;
    case GM_CLASS_FLOAT: return &schema_FLOAT;
    case GM_CLASS_INTEGER: return &schema_INTEGER;
    case GM_CLASS_LONG: return &schema_LONG;
    case GM_CLASS_SHORT: return &schema_SHORT;
    case GM_CLASS_STRING: return &schema_STRING;
    case GM_CLASS_TIME: return &schema_TIME;
    case GM_CLASS_UNSIGNED_BYTE: return &schema_UNSIGNED_BYTE;
    case GM_CLASS_UNSIGNED_INTEGER: return &schema_UNSIGNED_INTEGER;
    case GM_CLASS_UNSIGNED_LONG: return &schema_UNSIGNED_LONG;
    case GM_CLASS_UNSIGNED_SHORT: return &schema_UNSIGNED_SHORT;
    case GM_CLASS_UUID: return &schema_UUID;
    default: return NULL;
    }
}

const gm_schema *gm_schema_standard(const gm_standard *standard)
{
    static const struct { const char *name; const gm_schema *schema; } documents[] = {
        { "point", &schema_point }, { "lineString", &schema_lineString }, { "multiPoint", &schema_multiPoint },
        { "polygon", &schema_polygon }, { "multiLineString", &schema_multiLineString },
        { "multiPolygon", &schema_multiPolygon }, { "scaledDecimal", &schema_scaled },
        { "vector", &schema_vector }, { "geopoint", &schema_geopoint },
    };
    const gm_schema *schema = primitive(standard->cls);
    for (size_t i = 0; schema == NULL && i < sizeof documents / sizeof documents[0]; i++) {
        if (strcmp(standard->name, documents[i].name) == 0) schema = documents[i].schema;
    }
    return schema;
}

gm_kind gm_schema_storage(const gm_schema *schema)
{
    switch (schema->kind) {
    case GM_SCHEMA_BOOLEAN: return GM_KIND_BOOL;
    case GM_SCHEMA_BYTE:
    case GM_SCHEMA_SHORT:
    case GM_SCHEMA_INTEGER:
    case GM_SCHEMA_LONG:
    case GM_SCHEMA_UNSIGNED_BYTE:
    case GM_SCHEMA_UNSIGNED_SHORT: case GM_SCHEMA_UNSIGNED_INTEGER: case GM_SCHEMA_UNSIGNED_LONG: return GM_KIND_INT;
    case GM_SCHEMA_FLOAT: case GM_SCHEMA_DOUBLE: return GM_KIND_DOUBLE;
    case GM_SCHEMA_ENUM: return schema->enum_value_kind == GM_SCHEMA_STRING ? GM_KIND_STRING : GM_KIND_INT;
    case GM_SCHEMA_OBJECT: case GM_SCHEMA_MAP: case GM_SCHEMA_ARRAY: case GM_SCHEMA_SCALED_DECIMAL: return GM_KIND_JSON;
    default: return GM_KIND_STRING;
    }
}

// The schema a reference stands for; made by the first pass when it is a document's own.
const gm_schema *gm_schema_of_ref(const gm_ref *ref)
{
    if (ref->element != NULL) return ref->element->schema;
    if (ref->unit_enum != NULL) return &schema_STRING;  // the name of a unit
    return ref->standard != NULL ? gm_schema_standard(ref->standard) : NULL;
}

const gm_schema *gm_schema_of_member(const gm_element *element, gm_prop_kind kind)
{
    const gm_member *member = gm_element_member(element, kind);
    return member != NULL && member->ref_count > 0 ? gm_schema_of_ref(&member->refs[0]) : NULL;
}

gm_str gm_element_text(const gm_element *element, gm_prop_kind kind)
{
    const gm_member *member = gm_element_member(element, kind);
    return gm_literal_text(member != NULL ? member->node : NULL);
}

static gm_str shown_name(const gm_element *element)
{
    gm_str text = gm_element_text(element, GM_PROP_DISPLAY_NAME);
    return text.len > 0 ? text : element->name;
}

bool gm_fields_make(gm_set *set, const gm_member *member, const gm_field **out_fields, size_t *out_count)
{
    *out_count = member != NULL ? member->ref_count : 0;
    if (*out_count == 0) return true;
    gm_field *fields = gm_arena_zeroed(set->arena, *out_count, sizeof *fields);
    if (fields == NULL) return false;
    for (size_t i = 0; i < *out_count; i++) {
        const gm_element *field = member->refs[i].element;
        fields[i] = (gm_field){ field->name, shown_name(field), gm_schema_of_member(field, GM_PROP_SCHEMA) };
    }
    *out_fields = fields;
    return true;
}

static bool fill_enum(gm_set *set, const gm_element *element, gm_schema *schema)
{
    const gm_member *type   = gm_element_member(element, GM_PROP_VALUE_SCHEMA);
    const gm_member *values = gm_element_member(element, GM_PROP_ENUM_VALUES);
    bool             text   = type != NULL && type->ref_count > 0 && type->refs[0].standard->cls == GM_CLASS_STRING;
    schema->enum_value_kind = text ? GM_SCHEMA_STRING : GM_SCHEMA_INTEGER;
    if (values == NULL || values->ref_count == 0) return true;
    gm_enum_value *list = gm_arena_zeroed(set->arena, values->ref_count, sizeof *list);
    if (list == NULL) return false;
    for (uint32_t i = 0; i < values->ref_count; i++) {
        const gm_element *one = values->refs[i].element;
        list[i] = (gm_enum_value){ one->name, shown_name(one), gm_element_member(one, GM_PROP_ENUM_VALUE)->value };
    }
    schema->enum_values      = list;
    schema->enum_value_count = values->ref_count;
    return true;
}

static bool fill(gm_set *set, gm_element *element)
{
    gm_schema *schema = element->schema;
    switch (element->cls) {
    case GM_CLASS_ARRAY: schema->element = gm_schema_of_member(element, GM_PROP_ELEMENT_SCHEMA); return true;
    case GM_CLASS_MAP: {
        const gm_member *value = gm_element_member(element, GM_PROP_MAP_VALUE);
        schema->element = gm_schema_of_member(value->refs[0].element, GM_PROP_SCHEMA);
        return true;
    }
    case GM_CLASS_OBJECT:
        return gm_fields_make(set, gm_element_member(element, GM_PROP_FIELDS), &schema->fields, &schema->field_count);
    case GM_CLASS_ENUM: return fill_enum(set, element, schema);
    default: return true;
    }
}

bool gm_schemas_make(gm_set *set)
{
    for (size_t i = 0; i < set->all_count; i++) {
        gm_element *element = set->all[i];
        if ((GM_CLASSES_COMPLEX >> element->cls & 1) == 0) continue;
        element->schema = gm_arena_zeroed(set->arena, 1, sizeof *element->schema);
        if (element->schema == NULL) return false;
        element->schema->id   = element->id;
        element->schema->kind = element->cls == GM_CLASS_ARRAY  ? GM_SCHEMA_ARRAY
                              : element->cls == GM_CLASS_MAP    ? GM_SCHEMA_MAP
                              : element->cls == GM_CLASS_OBJECT ? GM_SCHEMA_OBJECT : GM_SCHEMA_ENUM;
    }
    for (size_t i = 0; i < set->all_count; i++) {
        if (set->all[i]->schema != NULL && !fill(set, set->all[i])) return false;
    }
    return true;
}
