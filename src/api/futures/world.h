// api/futures/world.h: a group of live twins as the world that a futures request speaks of.
#ifndef GM_API_FUTURES_WORLD_H
#define GM_API_FUTURES_WORLD_H

#include "engine/engine.h"
#include "futures/fmu_model.h"
#include "futures/group.h"
#include "futures/wording.h"

typedef struct gm_group_world {
    gm_engine *engine;
    gm_group  *group;    // NULL: the root's behavior is an FMU
    gm_fmu_model *fmu;
    gm_twin    root;     // of the FMU
    gm_time_ns at;      // the moment that is forked
    bool       live;    // now; else the state as it was
    bool       fleet;   // the group stands for others too: no history of its own
} gm_group_world;

// Opens the group of a root. Errors as gm_group_open, with the first of the diagnostics in err.
GM_NODISCARD gm_status gm_group_world_open(const gm_alloc *alloc, gm_behaviors *behaviors, const gm_state *state, gm_twin root,
                                           gm_group **out_group, gm_error *err);

// The names, faults and history of the group; views *world.
gm_futures_world gm_group_world_of(gm_group_world *world);

// The model of a root whose behavior is an FMU. GM_NOTFOUND: no note speaks of its type. Others as gm_fmu_model_open.
GM_NODISCARD gm_status gm_group_world_open_fmu(const gm_alloc *alloc, const gm_fmu_note *notes, size_t count,
                                               const gm_fmu_host *host, const char *plant_dir, const gm_state *state,
                                               gm_twin root, gm_fmu_model **out_model, gm_error *err);

const gm_program *gm_group_world_program(const gm_group_world *world);

// The twin's column that a name means; false: it means none.
bool gm_group_world_column(const gm_group_world *world, gm_str name, gm_twin *out_twin, uint32_t *out_column);

// Values as of world->at, for gm_group_fork; views *world.
gm_group_reader gm_group_world_reader(gm_group_world *world);

// What a column of a twin was at a time; false: it had no number then.
bool gm_group_world_value(const gm_group_world *world, gm_twin twin, uint32_t column, gm_time_ns time, double *out);

#endif
