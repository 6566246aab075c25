// physics/program_parts.h: the insides of a program, shared by builder.c, which fills them, and program.c, which
// shows them.
#ifndef GM_PHYSICS_PROGRAM_PARTS_H
#define GM_PHYSICS_PROGRAM_PARTS_H

#include "base/arena.h"
#include "base/index.h"
#include "physics/program.h"

// Everything but the struct itself and the index lives in the arena.
struct gm_program {
    const gm_alloc *alloc;
    gm_arena       *arena;
    gm_str          name, description;
    gm_slot_spec   *slots;
    gm_slot_alias  *aliases;
    gm_slot        *of_kind[GM_SLOT_KIND_COUNT];
    uint32_t        kind_count[GM_SLOT_KIND_COUNT];
    uint32_t        slot_count, alias_count;
    gm_region       sections[GM_SECTION_COUNT];
    gm_loop_info   *loops;
    gm_check_info  *checks;
    gm_delay_info  *delays;
    gm_grid_spec   *grids;
    gm_slot        *time_events, *relations;
    uint32_t        loop_count, check_count, delay_count, grid_count, time_event_count, relation_count;
    gm_index        names;  // slot i as 2i, alias i as 2i + 1
};

bool gm_program_same_name(const void *program, uint32_t id, gm_str name);  // for names

#endif
