// model/metamodel.h: what DTDL says an element of each class may have: the rows that the one parser in element.c reads.
//
// Source: DTDL language specifications, versions 2, 3 and 4 (https://github.com/Azure/opendigitaltwins-dtdl): sections
// "DTDL element", "Limits and exclusions" and "Reserved strings". Nothing here depends on a document.
#ifndef GM_MODEL_METAMODEL_H
#define GM_MODEL_METAMODEL_H

#include "base/str.h"

enum { GM_DTDL_FIRST = 2, GM_DTDL_LAST = 4, GM_DTDL_COUNT = 3 };

// Sets of versions, as bits.
enum { GM_V2 = 1, GM_V3 = 2, GM_V4 = 4, GM_V34 = 6, GM_V234 = 7 };
static inline unsigned gm_version_bit(unsigned version) { return 1u << (version - GM_DTDL_FIRST); }

// name, versions; the concrete classes first, the abstract ones (which no element is of) last.
#define GM_CLASS_LIST(X)                    \
    X(ARRAY, "Array", GM_V234)              \
    X(BOOLEAN, "Boolean", GM_V234)          \
    X(BYTE, "Byte", GM_V4)                  \
    X(BYTES, "Bytes", GM_V4)                \
    X(COMMAND, "Command", GM_V234)          \
    X(COMMAND_PAYLOAD, "CommandPayload", GM_V234)   \
    X(COMMAND_REQUEST, "CommandRequest", GM_V34)    \
    X(COMMAND_RESPONSE, "CommandResponse", GM_V34)  \
    X(COMMAND_TYPE, "CommandType", GM_V234) \
    X(COMPONENT, "Component", GM_V234)      \
    X(DATE, "Date", GM_V234)                \
    X(DATE_TIME, "DateTime", GM_V234)       \
    X(DECIMAL, "Decimal", GM_V4)            \
    X(DOUBLE, "Double", GM_V234)            \
    X(DURATION, "Duration", GM_V234)        \
    X(ENUM, "Enum", GM_V234)                \
    X(ENUM_VALUE, "EnumValue", GM_V234)     \
    X(FIELD, "Field", GM_V234)              \
    X(FLOAT, "Float", GM_V234)              \
    X(INTEGER, "Integer", GM_V234)          \
    X(INTERFACE, "Interface", GM_V234)      \
    X(LATENT, "LatentType", GM_V34)         \
    X(LONG, "Long", GM_V234)                \
    X(MAP, "Map", GM_V234)                  \
    X(MAP_KEY, "MapKey", GM_V234)           \
    X(MAP_VALUE, "MapValue", GM_V234)       \
    X(NAMED_LATENT, "NamedLatentType", GM_V34)      \
    X(OBJECT, "Object", GM_V234)            \
    X(PROPERTY, "Property", GM_V234)        \
    X(RELATIONSHIP, "Relationship", GM_V234)        \
    X(SHORT, "Short", GM_V4)                \
    X(STRING, "String", GM_V234)            \
    X(TELEMETRY, "Telemetry", GM_V234)      \
    X(TIME, "Time", GM_V234)                \
    X(UNIT, "Unit", GM_V234)                \
    X(UNIT_ATTRIBUTE, "UnitAttribute", GM_V234)     \
    X(UNSIGNED_BYTE, "UnsignedByte", GM_V4) \
    X(UNSIGNED_INTEGER, "UnsignedInteger", GM_V4)   \
    X(UNSIGNED_LONG, "UnsignedLong", GM_V4) \
    X(UNSIGNED_SHORT, "UnsignedShort", GM_V4)       \
    X(UUID, "Uuid", GM_V4)                  \
    X(ABSTRACT_COMPLEX, "ComplexSchema", GM_V234)   \
    X(ABSTRACT_CONTENT, "Content", GM_V234) \
    X(ABSTRACT_ENTITY, "Entity", GM_V234)   \
    X(ABSTRACT_NAMED, "NamedEntity", GM_V234)       \
    X(ABSTRACT_NUMERIC, "NumericSchema", GM_V234)   \
    X(ABSTRACT_PRIMITIVE, "PrimitiveSchema", GM_V234) \
    X(ABSTRACT_SCHEMA, "Schema", GM_V234)   \
    X(ABSTRACT_SCHEMA_FIELD, "SchemaField", GM_V34) \
    X(ABSTRACT_TEMPORAL, "TemporalSchema", GM_V234)

typedef enum gm_class {
#define X(name, text, versions) GM_CLASS_##name,
    GM_CLASS_LIST(X)
#undef X
    GM_CLASS_COUNT
} gm_class;
_Static_assert(GM_CLASS_COUNT <= 64, "sets of classes are 64 bits");

#define GM_CLASS_BIT(name) (UINT64_C(1) << GM_CLASS_##name)

#define GM_CLASSES_INTEGRAL                                                                                        \
    (GM_CLASS_BIT(INTEGER) | GM_CLASS_BIT(LONG) | GM_CLASS_BIT(BYTE) | GM_CLASS_BIT(SHORT) |                       \
     GM_CLASS_BIT(UNSIGNED_BYTE) | GM_CLASS_BIT(UNSIGNED_SHORT) | GM_CLASS_BIT(UNSIGNED_INTEGER) |                 \
     GM_CLASS_BIT(UNSIGNED_LONG))
#define GM_CLASSES_NUMERIC                                                                                         \
    (GM_CLASSES_INTEGRAL | GM_CLASS_BIT(FLOAT) | GM_CLASS_BIT(DOUBLE) | GM_CLASS_BIT(DECIMAL))
#define GM_CLASSES_PRIMITIVE                                                                                       \
    (GM_CLASSES_NUMERIC | GM_CLASS_BIT(BOOLEAN) | GM_CLASS_BIT(BYTES) | GM_CLASS_BIT(DATE) |                       \
     GM_CLASS_BIT(DATE_TIME) | GM_CLASS_BIT(DURATION) | GM_CLASS_BIT(STRING) | GM_CLASS_BIT(TIME) | GM_CLASS_BIT(UUID))
#define GM_CLASSES_COMPLEX (GM_CLASS_BIT(ARRAY) | GM_CLASS_BIT(ENUM) | GM_CLASS_BIT(MAP) | GM_CLASS_BIT(OBJECT))
#define GM_CLASSES_SCHEMA (GM_CLASSES_PRIMITIVE | GM_CLASSES_COMPLEX)
#define GM_CLASSES_CONTENT                                                                                         \
    (GM_CLASS_BIT(COMMAND) | GM_CLASS_BIT(COMPONENT) | GM_CLASS_BIT(PROPERTY) | GM_CLASS_BIT(RELATIONSHIP) |       \
     GM_CLASS_BIT(TELEMETRY))

const char *gm_class_name(gm_class cls);

// A material class by its term ("Array") or its DTMI of any version ("dtmi:dtdl:class:Array;3"). *out_version is 0 for
// a term. False when it is neither.
bool gm_class_find(gm_str text, gm_class *out_class, unsigned *out_version);

// What a member of an element holds.
typedef enum gm_value_type {
    GM_VALUE_OBJECT,       // elements: written in place, or referred to
    GM_VALUE_STRING,
    GM_VALUE_LANG_STRING,  // localizable string
    GM_VALUE_INTEGER,
    GM_VALUE_NUMERIC,
    GM_VALUE_BOOLEAN,
    GM_VALUE_DURATION,
    GM_VALUE_LITERAL,      // string, integer or boolean
    GM_VALUE_JSON,         // anything
    GM_VALUE_DTMI,         // an identifier that need not be defined
    GM_VALUE_URI
} gm_value_type;

// Flags of a member.
enum {
    GM_PROP_PLURAL   = 1,   // any number of values
    GM_PROP_REQUIRED = 2,
    GM_PROP_ID       = 4,   // each value needs an @id
    GM_PROP_UNTYPED  = 8,   // each value may leave out @type
    GM_PROP_KEYED    = 16,  // each value is known by its "name", which must be unique among them
    GM_PROP_NAME     = 32,  // the string follows the rules of names
    GM_PROP_OLDER    = 64   // values written in an older version of DTDL are allowed
};

// Members that the rest of the code asks for by number instead of by name.
typedef enum gm_prop_kind {
    GM_PROP_OTHER, GM_PROP_COMMENT, GM_PROP_DESCRIPTION, GM_PROP_DISPLAY_NAME, GM_PROP_NAME_, GM_PROP_SCHEMA,
    GM_PROP_WRITABLE, GM_PROP_CONTENTS, GM_PROP_EXTENDS, GM_PROP_SCHEMAS, GM_PROP_ELEMENT_SCHEMA, GM_PROP_MAP_KEY,
    GM_PROP_MAP_VALUE, GM_PROP_FIELDS, GM_PROP_ENUM_VALUES, GM_PROP_VALUE_SCHEMA, GM_PROP_ENUM_VALUE, GM_PROP_REQUEST,
    GM_PROP_RESPONSE, GM_PROP_COMMAND_TYPE, GM_PROP_TARGET, GM_PROP_MIN_MULTIPLICITY, GM_PROP_MAX_MULTIPLICITY,
    GM_PROP_PROPERTIES, GM_PROP_NULLABLE, GM_PROP_UNIT, GM_PROP_ANNOTATES, GM_PROP_OVERRIDES, GM_PROP_INDEX,
    GM_PROP_INSTANCE  // a value of the element's schema
} gm_prop_kind;

#define GM_NO_LIMIT INT32_MIN

// What a string must look like.
typedef enum gm_pattern {
    GM_PATTERN_ANY,
    GM_PATTERN_NAME,   // letters, digits, underscores
    GM_PATTERN_LABEL,  // printable ASCII without space, " + # { } /
    GM_PATTERN_TOPIC   // labels and {tokens} with '/' between
} gm_pattern;

typedef struct gm_meta_prop {
    const char  *name;
    const char  *dtmi;         // of members that extensions define, without version; NULL: dtmi:dtdl:property:name
    uint8_t      kind;         // gm_prop_kind
    uint8_t      type;         // gm_value_type
    uint8_t      flags;
    uint8_t      versions;     // in which it exists
    uint64_t     classes;      // OBJECT: of which its values may be
    gm_class     inferred;     // OBJECT, UNTYPED: the class of a value that names none
    int32_t      count_max;    // OBJECT, PLURAL; 0 = any number
    int32_t      length_max;   // strings, in characters
    int32_t      value_min, value_max;  // INTEGER
    uint8_t      pattern;      // strings: gm_pattern
} gm_meta_prop;

// The members that an element of the class has in that version, its own and the common ones; returns their number.
enum { GM_CLASS_PROPS_MAX = 12 };
size_t gm_class_props(gm_class cls, unsigned version, const gm_meta_prop *out_props[GM_CLASS_PROPS_MAX]);

// The member by its term or by its DTMI in that version; NULL when the class has no such member.
const gm_meta_prop *gm_class_prop(gm_class cls, unsigned version, gm_str name);

// Whether the name is a term of the language in that version ("Reserved strings"), and its full identifier, which is
// prefix + name + ";" + version.
const char *gm_term_prefix(gm_str name, unsigned version);

// What the language defines for everyone: "boolean", "synchronous", "point".
typedef struct gm_standard {
    const char *name;
    const char *prefix;    // of its DTMI
    gm_class    cls;
    uint8_t     versions;
} gm_standard;

// By the term, for a version; NULL when there is none.
const gm_standard *gm_standard_find(gm_str term, unsigned version);

// By the DTMI "dtmi:dtdl:instance:Schema:boolean;3"; *out_version tells which.
const gm_standard *gm_standard_find_dtmi(gm_str dtmi, unsigned *out_version);

// All of them by number.
size_t             gm_standard_count(void);
size_t             gm_standard_index(const gm_standard *standard);
const gm_standard *gm_standard_at(size_t i);

// Limits on the size of a model; 0 = none.
typedef struct gm_limits {
    uint32_t schema_depth;    // elementSchema and schema members below an Array, Map or Object
    uint32_t extends_depth;
    uint32_t extends_count;   // over the whole hierarchy
    uint32_t contents_count;  // over the whole hierarchy, inherited ones included
    uint32_t text_bytes;      // of an Interface
    uint32_t id_length;           // of a DTMI, in characters
    uint32_t description_length;  // in characters
} gm_limits;

// The language's own. Extensions may set others in their place (extension.h).
const gm_limits *gm_limits_of(unsigned version);

#endif
