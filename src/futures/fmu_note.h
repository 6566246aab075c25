// futures/fmu_note.h: an FMU as the behavior of an interface. Beside behaviors/NAME.fmu lies behaviors/NAME.json:
//
//   {"interface": "dtmi:plant:Boiler;1",
//    "variables": {"motor/temperature": "T_motor", "power": "P_el"}}      columns that are called otherwise inside
//
// Columns that are not listed bind to the FMU's variable of the same name, "motor/temperature" to "motor.temperature".
//
//   gm_fmu_note_read(arena, file, text, &note, &err);
//   gm_fmu_note_bind(arena, &note, gm_fmu_described(fmu), type, &bound, &err);
//   gm_fmu_bound_settings(arena, &bound, &reader, twin, &settings, &count, &err);      // for gm_fmu_run
#ifndef GM_FUTURES_FMU_NOTE_H
#define GM_FUTURES_FMU_NOTE_H

#include "futures/group.h"
#include "physics/fmi/run.h"

typedef struct gm_fmu_pair { gm_str column, variable; } gm_fmu_pair;

typedef struct gm_fmu_note {
    gm_str       file;          // of the note
    gm_str       fmu;           // of the archive beside it
    gm_str       interface_id;
    gm_fmu_pair *pairs;
    size_t       pair_count;
} gm_fmu_note;

// file: "behaviors/NAME.json". Everything is copied into the arena.
// GM_INVALID: not such a document; err has the place.
GM_NODISCARD gm_status gm_fmu_note_read(gm_arena *arena, gm_str file, gm_str text, gm_fmu_note *out, gm_error *err);

// The note that serves the type: its own interface's, else that of a base. NULL: none.
const gm_fmu_note *gm_fmu_note_of(const gm_fmu_note *notes, size_t count, const gm_type *type);

typedef struct gm_fmu_binding {
    uint32_t               column;
    gm_role                role;   // of parameters and inputs, of states and discrete variables that begin there, of outputs
    const gm_fmu_variable *variable;
    double                 factor, offset;  // variable = outside * factor + offset
} gm_fmu_binding;

typedef struct gm_fmu_bound {
    const gm_type  *type;
    gm_fmu_binding *bindings;
    size_t          count;
} gm_fmu_bound;

// GM_INVALID: a listed column or variable does not exist, a type or unit does not fit; err says which.
GM_NODISCARD gm_status gm_fmu_note_bind(gm_arena *arena, const gm_fmu_note *note, const gm_fmu_description *d,
                                        const gm_type *type, gm_fmu_bound *out, gm_error *err);

// What the twin's values set before a run; parameters, inputs and starts without a value keep the FMU's own.
GM_NODISCARD gm_status gm_fmu_bound_settings(gm_arena *arena, const gm_fmu_bound *bound, const gm_group_reader *reader,
                                             gm_twin twin, gm_fmu_setting **out_settings, uint32_t *out_count,
                                             gm_error *err);

#endif
