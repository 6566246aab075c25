// cli/plant_behaviors.h: the behaviors of a plant's folder, with the component library.
//
//   gm_diags_init(&diags, cli->alloc);
//   gm_plant_behaviors(plant, &diags, &behaviors, &err);     // diags: everything that is wrong in the texts
//   ...
//   gm_behaviors_destroy(behaviors);
//   gm_diags_finish(&diags);
#ifndef GM_CLI_PLANT_BEHAVIORS_H
#define GM_CLI_PLANT_BEHAVIORS_H

#include "cli/plant.h"
#include "futures/behaviors.h"
#include "futures/fmu_note.h"

// Reads behaviors/**.mo, packages before what lies within them. GM_NOMEM, GM_LIMIT only.
GM_NODISCARD gm_status gm_plant_behaviors(const gm_plant *plant, gm_diags *diags, gm_behaviors **out_behaviors,
                                          gm_error *err);

// Reads the notes behaviors/**.json that say whose behavior the FMU beside each is (futures/fmu_note.h). What is wrong with
// one is told to `wrong`, which returns GM_OK to go on. In the arena. GM_NOMEM.
typedef gm_status gm_plant_note_wrong(void *context, gm_str file, const gm_error *why);
GM_NODISCARD gm_status gm_plant_fmu_notes(const gm_plant *plant, gm_arena *arena, gm_plant_note_wrong *wrong, void *context,
                                          gm_fmu_note **out_notes, size_t *out_count, gm_error *err);
gm_fmu_host gm_plant_fmu_host(const gm_alloc *alloc);  // this very program's workers

// Holds the behaviors against the plant's models, and assembles every connected group of its initial twins. Adds to the
// findings of a plant that has been checked; groups are assembled only where nothing else is wrong. GM_NOMEM only.
GM_NODISCARD gm_status gm_plant_check_behaviors(gm_plant *plant, gm_error *err);

#endif
