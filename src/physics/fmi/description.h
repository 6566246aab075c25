// physics/fmi/description.h: modelDescription.xml of an FMU, read into tables: what it is, what it can do, its variables.
//
//   gm_fmu_description *d;
//   gm_fmu_description_parse(arena, text, &d, &err);
//   for (uint32_t i = 0; i < d->variable_count; i++) ...d->variables[i].name...
//
// Reads FMI 2.0 and 3.0 (2.0.4 and 3.0.1). A document type definition is refused, so that entities can not grow or
// reach out. Everything lives in the arena. Immutable.
#ifndef GM_PHYSICS_FMI_DESCRIPTION_H
#define GM_PHYSICS_FMI_DESCRIPTION_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/index.h"
#include "physics/fmi/types.h"

#define GM_FMU_NONE UINT32_MAX

enum { GM_FMU_DESCRIPTION_MAX = 64 << 20, GM_FMU_VARIABLES_MAX = 1000000, GM_FMU_DIMENSIONS_MAX = 16 };

// What its library can be made of; names as written, relative to sources/.
typedef struct gm_fmu_sources {
    const gm_str *files, *folders, *definitions, *libraries;  // definitions: NAME or NAME=VALUE
    uint32_t      file_count, folder_count, definition_count, library_count;
    gm_str        language;  // set: not C
} gm_fmu_sources;

typedef struct gm_fmu_interface {
    bool     present;
    gm_str   identifier;  // name of the library; a C identifier (checked, because it becomes a path)
    bool     needs_execution_tool, single_instance;
    bool     state, serialize;                 // canGetAndSet..., canSerialize...
    bool     variable_step;                    // canHandleVariableCommunicationStepSize
    bool     early_return, intermediate_update, event_mode;  // FMI 3 co-simulation
    bool     completed_step;                   // model exchange: CompletedIntegratorStep has to be called
    bool     has_fixed_step;
    double   fixed_step;                       // fixedInternalStepSize, s
    gm_fmu_sources sources;
} gm_fmu_interface;

typedef struct gm_fmu_dimension {
    uint64_t start;      // how many, where ref is GM_FMU_NONE
    uint32_t reference;  // value reference of the structural parameter that says how many
} gm_fmu_dimension;

typedef enum gm_fmu_interval {
    GM_FMU_INTERVAL_NONE, GM_FMU_INTERVAL_CONSTANT, GM_FMU_INTERVAL_FIXED, GM_FMU_INTERVAL_CALCULATED, GM_FMU_INTERVAL_TUNABLE,
    GM_FMU_INTERVAL_CHANGING, GM_FMU_INTERVAL_COUNTDOWN, GM_FMU_INTERVAL_TRIGGERED
} gm_fmu_interval;

typedef struct gm_fmu_variable {
    gm_str             name, description, unit, display_unit, quantity, declared_type;
    uint32_t           reference;
    gm_fmi_type        type;
    gm_fmi_causality   causality;
    gm_fmi_variability variability;
    gm_fmi_initial     initial;
    bool               has_start;
    gm_str             start;             // as written; arrays of numbers separated by spaces
    const gm_str      *starts;            // strings and binaries of FMI 3: one text per element
    uint32_t           start_count;
    double             min, max, nominal; // NaN: not given
    uint32_t           derivative_of;     // index of the variable whose derivative this is, or GM_FMU_NONE
    uint32_t           type_index;        // enumeration: which of d->enumerations, or GM_FMU_NONE
    const gm_fmu_dimension *dimensions;
    uint32_t           dimension_count;
    gm_fmu_interval    interval;          // clocks
    double             interval_s, shift_s;
    uint32_t           priority;
    const uint32_t    *clocks;            // references of the clocks that it belongs to
    uint32_t           clock_count;
} gm_fmu_variable;

typedef struct gm_fmu_item { gm_str name; int64_t value; } gm_fmu_item;
typedef struct gm_fmu_enumeration { gm_str name; const gm_fmu_item *items; uint32_t item_count; } gm_fmu_enumeration;

typedef struct gm_fmu_unit {
    gm_str  name;
    bool    has_base;
    int     exponents[8];  // kg m s A K mol cd rad
    double  factor, offset;
} gm_fmu_unit;

typedef struct gm_fmu_description {
    int      version;      // 2 or 3
    gm_str   version_text, name, token, description, author, copyright, license, tool, date;  // token: FMI 2's guid
    gm_fmu_interface     interfaces[GM_FMI_KIND_COUNT];
    gm_fmu_variable     *variables;
    uint32_t             variable_count;
    gm_fmu_enumeration  *enumerations;
    uint32_t             enumeration_count;
    gm_fmu_unit         *units;
    uint32_t             unit_count;
    bool                 has_start, has_stop, has_tolerance, has_step;  // the default experiment
    double               start, stop, tolerance, step;
    // Model structure, as indices into variables.
    uint32_t            *outputs, *derivatives, *indicators, *unknowns;
    uint32_t             output_count, derivative_count, indicator_count, unknown_count;  // indicators: FMI 2 has a count only
    gm_index             names, references;  // of variables; of each reference the first variable
    gm_buf               findings;  // rules that it breaks, one line each (see description_check.c)
    uint32_t             finding_count;
} gm_fmu_description;

// Reads the document. alloc is for work; results lie in the arena.
// GM_INVALID: not XML, no FMI 2 or 3 description, or so broken that nothing can be done with it (err says where).
// GM_LIMIT: larger than the limits above. What merely breaks a rule becomes a finding.
GM_NODISCARD gm_status gm_fmu_description_parse(gm_arena *arena, gm_str text, gm_fmu_description **out_description, gm_error *err);

// The variable of that name or reference (the first, of aliases), or NULL. O(1).
const gm_fmu_variable *gm_fmu_find(const gm_fmu_description *d, gm_str name);
const gm_fmu_variable *gm_fmu_find_reference(const gm_fmu_description *d, uint32_t reference);

// Fills names and references; findings for what occurs twice. Part of parsing.
void gm_fmu_description_index(gm_fmu_description *d);

// Checks the rules that one element alone does not show, and adds lines to findings.
void gm_fmu_description_check(gm_fmu_description *d);
void gm_fmu_finding(gm_fmu_description *d, const char *fmt, ...) GM_PRINTF(2, 3);

#endif
