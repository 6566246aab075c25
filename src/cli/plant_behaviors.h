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

// Reads behaviors/**.mo, packages before what lies within them. GM_NOMEM, GM_LIMIT only.
GM_NODISCARD gm_status gm_plant_behaviors(const gm_plant *plant, gm_diags *diags, gm_behaviors **out_behaviors,
                                          gm_error *err);

// Holds the behaviors against the plant's models, and assembles every connected group of its initial twins. Adds to the
// findings of a plant that has been checked; groups are assembled only where nothing else is wrong. GM_NOMEM only.
GM_NODISCARD gm_status gm_plant_check_behaviors(gm_plant *plant, gm_error *err);

#endif
