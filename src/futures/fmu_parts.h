// futures/fmu_parts.h: what fmu_model.c and fmu_lanes.c share.
#ifndef GM_FUTURES_FMU_PARTS_H
#define GM_FUTURES_FMU_PARTS_H

#include "futures/fmu_lanes.h"

struct gm_fmu_model {
    gm_fmu_host  host;
    gm_arena    *arena;
    gm_fmu      *fmu;
    gm_fmu_bound bound;
    gm_program  *program;
    gm_slot     *slots;      // [variables of the FMU]; GM_SLOT_NONE: no number
    uint32_t    *variables;  // [slots] which variable; of time nothing
    double      *defaults;   // [slots] the FMU's own start; NaN: it does not say
};

#endif
