// cli/plant_state.h: a plant's initial models, twins and relationships as a state in memory, without an engine or data:
// for tools that ask the graph questions.
#ifndef GM_CLI_PLANT_STATE_H
#define GM_CLI_PLANT_STATE_H

#include "cli/plant.h"
#include "state/state.h"

typedef struct gm_plant_state {
    const gm_alloc *alloc;
    gm_model       *model;
    gm_state       *state;
} gm_plant_state;

// The plant must have been checked. with_twins false: models only, those that are sound.
// Errors: GM_INVALID  something in it does not fit (gm_plant_check says what). GM_NOMEM. *out may be closed in any case.
GM_NODISCARD gm_status gm_plant_state_open(gm_plant *plant, bool with_twins, gm_plant_state *out, gm_error *err);
void                   gm_plant_state_close(gm_plant_state *s);

#endif
