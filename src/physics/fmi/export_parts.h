// physics/fmi/export_parts.h: what the writers of an FMU share: its variables in the order of their value references.
#ifndef GM_PHYSICS_FMI_EXPORT_PARTS_H
#define GM_PHYSICS_FMI_EXPORT_PARTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "physics/fmi/export.h"

// As gm_role in inside/gm_model.h; the names are written into model.c.
#define GM_EXPORT_ROLE_LIST(X)                                                                                            \
    X(TIME) X(STATE) X(PARAMETER) X(DEPENDENT) X(INPUT) X(DISCRETE) X(ALGEBRAIC) X(SLOPE) X(INDICATOR)
typedef enum gm_export_role {
#define X(name) GM_EXPORT_##name,
    GM_EXPORT_ROLE_LIST(X)
#undef X
    GM_EXPORT_ROLE_COUNT
} gm_export_role;

typedef struct gm_export_variable {
    gm_str              name, unit, display_unit, description;
    const gm_slot_spec *slot;         // what it is (a name for); NULL: a slope or an indicator
    gm_export_role      role;
    gm_slot_type        type;
    uint32_t            index;        // slot; or which state's slope, which indicator
    uint32_t            state;        // slopes: the value reference of the state
    bool                negated, exact, output, reinit;  // exact: its start value holds, and may be set
} gm_export_variable;

typedef struct gm_export {
    const gm_program         *program;
    gm_fmu_export_options     options;
    gm_arena                 *arena;
    gm_str                    identifier;
    char                      token[40];
    gm_export_variable       *variables;  // [variable_count]
    uint32_t                  variable_count;
} gm_export;

// variables and identifier. GM_NOMEM.
GM_NODISCARD gm_status gm_export_variables(gm_export *x, gm_error *err);

// What can fail is memory: out->failed.
void gm_export_code(const gm_export *x, gm_buf *out);               // model.c
void gm_export_description(const gm_export *x, gm_buf *out);        // modelDescription.xml
void gm_export_build_description(const gm_export *x, gm_buf *out);  // sources/buildDescription.xml

// The sources that every FMU carries, and to which version they belong (0: both). Made by embed.py.
typedef struct gm_carried_text { gm_str file, text; } gm_carried_text;
const gm_carried_text *gm_carried_texts(size_t *out_count);
bool                   gm_carried_in(const gm_carried_text *text, int version);
bool                   gm_carried_is_source(const gm_carried_text *text);  // not a header

#endif
