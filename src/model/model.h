// model/model.h: what a thing is. DTDL text in, immutable types out.
//
//   gm_model *model = gm_model_create(alloc);
//   gm_model_source src = { .file = GM_STR("models/pump.json"), .text = bytes };
//   gm_findings found = {0};
//   if (gm_model_add(model, &src, 1, &found, &err) != GM_OK) { gm_findings_print... }   // every error of the set
//   const gm_type *pump = gm_model_find(model, GM_STR("dtmi:example:Pump;1"));
//   const gm_column *c = gm_type_column(pump, GM_STR("motor/temperature"));
//
// A type is a table's description: its leaf columns in a fixed order. Component paths and object fields are flattened
// ("motor/temperature", "address/street"), maps and arrays are one JSON column. The order depends only on the texts of
// the interface, its bases and its components, so that it is the same after every restart (the log stores column
// numbers): bases first, in the order of `extends`, then contents in the order of the text.
//
// Pointers into a model stay valid until gm_model_destroy, also when the interface is removed: types are never changed.
// One thread adds and removes; gm_type objects may be read from any thread.
#ifndef GM_MODEL_MODEL_H
#define GM_MODEL_MODEL_H

#include "base/alloc.h"
#include "base/buf.h"
#include "base/units.h"
#include "base/value.h"

typedef struct gm_model gm_model;
typedef struct gm_type  gm_type;

typedef enum gm_schema_kind {
    GM_SCHEMA_BOOLEAN, GM_SCHEMA_BYTE, GM_SCHEMA_SHORT, GM_SCHEMA_INTEGER, GM_SCHEMA_LONG,
    GM_SCHEMA_UNSIGNED_BYTE, GM_SCHEMA_UNSIGNED_SHORT, GM_SCHEMA_UNSIGNED_INTEGER, GM_SCHEMA_UNSIGNED_LONG,
    GM_SCHEMA_FLOAT, GM_SCHEMA_DOUBLE, GM_SCHEMA_DECIMAL, GM_SCHEMA_STRING, GM_SCHEMA_BYTES, GM_SCHEMA_UUID,
    GM_SCHEMA_DATE, GM_SCHEMA_DATETIME, GM_SCHEMA_TIME, GM_SCHEMA_DURATION, GM_SCHEMA_SCALED_DECIMAL,
    GM_SCHEMA_ENUM, GM_SCHEMA_OBJECT, GM_SCHEMA_MAP, GM_SCHEMA_ARRAY, GM_SCHEMA_COUNT
} gm_schema_kind;

// A schema as a tree, for validating values and for making forms.
typedef struct gm_schema gm_schema;
typedef struct gm_field { gm_str name, display_name; const gm_schema *schema; } gm_field;
typedef struct gm_enum_value { gm_str name, display_name; gm_value value; } gm_enum_value;
struct gm_schema {
    gm_schema_kind       kind;
    gm_str               id;               // its DTMI when it has one
    gm_schema_kind       enum_value_kind;  // ENUM: STRING or INTEGER
    const gm_enum_value *enum_values;      // ENUM
    const gm_field      *fields;           // OBJECT
    size_t               enum_value_count, field_count;
    const gm_schema     *element;          // ARRAY: of its elements; MAP: of its values
};

enum { GM_NO_COMPONENT = 0xffff };

// One leaf of a twin: a column of its type's table.
typedef struct gm_column {
    gm_str           path;          // "temperature", "motor/temperature", "address/street"
    gm_str           name;          // the content's own name: the path's first part after the component
    gm_kind          kind;          // how it is stored
    const gm_schema *schema;        // of the leaf
    bool             is_telemetry;  // else a property
    bool             writable;
    uint16_t         component;     // index into gm_type.components, or GM_NO_COMPONENT
    gm_str           unit;          // DTDL name, "degreeCelsius"; empty when none is declared
    gm_str           unit_symbol;   // for people: "°C"; empty when none
    gm_unit          unit_si;       // factor 1, no dimension, when none
    gm_str           display_name, description;
} gm_column;

typedef struct gm_component { gm_str name; const gm_type *type; } gm_component;

typedef struct gm_relationship_type {
    gm_str           name, target;             // target: DTMI, or empty for any
    uint32_t         min, max;                 // multiplicity; max UINT32_MAX = unbounded
    const gm_field  *properties;
    size_t           property_count;
    bool             writable;
} gm_relationship_type;

typedef struct gm_command {
    gm_str           name, display_name, description;
    gm_str           request_name, response_name;
    const gm_schema *request, *response;       // NULL when there is none
    uint16_t         component;
} gm_command;

struct gm_type {
    gm_str                      id;            // DTMI
    gm_str                      display_name;  // "en", else the first language, else the DTMI's last segment
    gm_str                      text;          // the interface's own JSON, compact, as added
    const gm_column            *columns;
    const gm_component         *components;
    const gm_relationship_type *relationships; // inherited ones included
    const gm_command           *commands;      // inherited and component ones included
    const gm_type *const       *bases;         // closed over extends, itself not included
    size_t                      column_count, component_count, relationship_count, command_count, base_count;
    bool                        decommissioned;  // the one field that changes; engine thread only
    uint32_t                    number;        // dense, in order of adding; never reused
};

// One thing that is wrong with a document set.
typedef struct gm_finding {
    gm_str   rule;          // DTDL validation id, e.g. "dtmi:dtdl:parsingError:duplicateName"
    gm_str   dtmi;          // of the element or its interface; empty when it has none
    gm_str   pointer;       // JSON pointer within the source
    gm_str   file;          // as given in gm_model_source
    uint32_t line, column;  // 1-based within the file
    gm_str   text;          // what is wrong and what to do
} gm_finding;

typedef struct gm_findings {
    gm_finding *items;
    size_t      count;
    void       *memory;     // owns the texts
} gm_findings;
void gm_findings_finish(gm_findings *findings);

typedef struct gm_model_source {
    gm_str file;  // for messages; may be empty (API)
    gm_str text;  // one interface or an array of them; borrowed
} gm_model_source;

GM_NODISCARD gm_model *gm_model_create(const gm_alloc *alloc);
void                   gm_model_destroy(gm_model *model);

// Validates the sources together with what is known and adds all of their interfaces, or none.
// GM_INVALID:  *out_findings lists everything that is wrong (release with gm_findings_finish, also on GM_OK)
// GM_CONFLICT: an interface with that id exists already; the finding names it
// GM_NOMEM:    nothing was added
GM_NODISCARD gm_status gm_model_add(gm_model *model, const gm_model_source *sources, size_t n,
                                    gm_findings *out_findings, gm_error *err);

// The same without adding: for `gemel check` and for API calls whose change is still to be committed.
GM_NODISCARD gm_status gm_model_check(const gm_model *model, const gm_model_source *sources, size_t n,
                                      gm_findings *out_findings, gm_error *err);

// GM_NOTFOUND; GM_CONFLICT: another interface extends it or has it as a component (err names one).
GM_NODISCARD gm_status gm_model_remove(gm_model *model, gm_str dtmi, gm_error *err);
GM_NODISCARD gm_status gm_model_set_decommissioned(gm_model *model, gm_str dtmi, bool decommissioned, gm_error *err);

const gm_type *gm_model_find(const gm_model *model, gm_str dtmi);  // NULL when unknown
size_t         gm_model_count(const gm_model *model);
const gm_type *gm_model_at(const gm_model *model, size_t i);       // in order of adding; i < count

// GM_INDEX-like lookups: SIZE_MAX / NULL when absent. O(1) for columns.
#define GM_NO_COLUMN UINT32_MAX
uint32_t                    gm_type_column_index(const gm_type *type, gm_str path);
const gm_column            *gm_type_column(const gm_type *type, gm_str path);
const gm_relationship_type *gm_type_relationship(const gm_type *type, gm_str name);
uint32_t                    gm_type_component_index(const gm_type *type, gm_str name);  // GM_NO_COMPONENT
bool                        gm_type_is(const gm_type *type, const gm_type *base);       // itself or derived, O(1)

bool gm_dtmi_valid(gm_str text);

#endif
