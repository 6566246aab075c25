// tests/insight/waterworks.h: the waterworks of examples/pumphouse twice: as a rig that knows more than its twin (worn pump,
// rough pipe, leaks), and as an estimator that hears of it level, pressures and power only.
#ifndef GM_TESTS_INSIGHT_WATERWORKS_H
#define GM_TESTS_INSIGHT_WATERWORKS_H

#include "cli/plant_group.h"
#include "cli/rig.h"
#include "insight/estimate/vigil.h"

typedef struct waterworks {
    gm_cli             cli;
    gm_plant_group     plant;
    gm_estimate_setup *setups;
        gm_error           err;
} waterworks;

// Opens examples/pumphouse below GM_SOURCE_ROOT with its estimate/waterworks.json. 0: all went well; else why is in err.
int  waterworks_open(waterworks *w);
void waterworks_close(waterworks *w);

// One life of the plant and of the twin beside it.
typedef struct trial {
    waterworks   *works;
    gm_rig       *rig;
    gm_vigil     *vigil;
    gm_time_ns    begin;
    double        every_s;     // between samples
    uint64_t      seed, samples, dropped;
} trial;
bool trial_begin(trial *t, waterworks *w, uint64_t seed, double every_s, const char *mismatch);
bool trial_run(trial *t, double until_s);            // both go on
void trial_end(trial *t);
uint32_t trial_part(const trial *t, const char *name);
gm_estimator_value trial_value(const trial *t, const char *name);

#endif
