// tests/rollup/rollup_rig.h: an engine with roll-ups on a folder of its own.
#ifndef GM_TESTS_ROLLUP_RIG_H
#define GM_TESTS_ROLLUP_RIG_H

#include "rollup/rollups.h"
#include "support/support.h"

typedef struct rollup_rig {
    char        dir[256];
    gm_loop    *loop;
    gm_engine  *engine;
    gm_rollups *rollups;
    gm_error    err;
} rollup_rig;

void rollup_rig_start(rollup_rig *r, const char *models);
void rollup_rig_restart(rollup_rig *r);  // roll-ups have to be set again
void rollup_rig_stop(rollup_rig *r);
void rollup_rig_set(rollup_rig *r, const char *text);

gm_twin rollup_rig_twin(rollup_rig *r, const char *id, const char *dtmi);
gm_twin rollup_rig_find(const rollup_rig *r, const char *id);
void    rollup_rig_replace(rollup_rig *r, gm_twin twin, const char *dtmi);  // as another model, without values
void    rollup_rig_relate(rollup_rig *r, gm_twin source, const char *name, gm_twin target);
void    rollup_rig_part(rollup_rig *r, gm_twin source, const char *name, gm_twin target);
void    rollup_rig_delete(rollup_rig *r, gm_twin twin);
void    rollup_rig_write(rollup_rig *r, gm_twin twin, const char *path, gm_value value);  // kind NONE removes
void    rollup_rig_number(rollup_rig *r, const char *id, const char *path, double value);

#endif
