// tests/support/small_plant.h: a state in memory, filled from JSON documents as the API would: for tests of what reads it.
//
//   gm_small_plant plant;
//   gm_small_plant_open(&plant, gm_alloc_system(), MODELS);
//   gm_small_plant_twin(&plant, "pump7", "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"},\"flow\":3.5}");
//   gm_small_plant_relate(&plant, "pump7", "r1", "feeds", "tank1", "{}");
#ifndef GM_TESTS_SUPPORT_SMALL_PLANT_H
#define GM_TESTS_SUPPORT_SMALL_PLANT_H

#include "model/model.h"
#include "state/state.h"

typedef struct gm_small_plant {
    const gm_alloc *alloc;
    gm_model       *model;
    gm_state       *state;
    uint64_t        sequence;  // every change is one second later than the one before: 1970-01-01T00:00:01Z ...
} gm_small_plant;

// All of these fail the test when something is refused.
void gm_small_plant_open(gm_small_plant *plant, const gm_alloc *alloc, const char *models);
void gm_small_plant_close(gm_small_plant *plant);
void gm_small_plant_twin(gm_small_plant *plant, const char *id, const char *document);  // creates or replaces
void gm_small_plant_delete(gm_small_plant *plant, const char *id);
void gm_small_plant_relate(gm_small_plant *plant, const char *source, const char *id, const char *name, const char *target,
                           const char *properties);
void gm_small_plant_unrelate(gm_small_plant *plant, const char *source, const char *id);

#endif
