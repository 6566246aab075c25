// insight/origin/candidates.h: what may have broken in a group: every fault that a class declares, and every sensor.
//
//   gm_estimate_setup setup = gm_origin_setup(&entry);          // of estimate/*.json, with what "origins" says instead
//   gm_origin_candidates(arena, &setup, group, &list, &err);
//   gm_hunt(alloc, &setup, group, slots, &stretch, list.items, list.count, ...);
#ifndef GM_INSIGHT_ORIGIN_CANDIDATES_H
#define GM_INSIGHT_ORIGIN_CANDIDATES_H

#include "insight/origin/hunt.h"

typedef struct gm_origin_list { gm_origin_candidate *items; uint32_t count, room; } gm_origin_list;

// The entry as a hunt takes it: measured and followed as its "origins" say, where they say so. Its lists are viewed.
gm_estimate_setup gm_origin_setup(const gm_estimate_setup *entry);

// One more. A rate of 0: as the setup's rates say of it, or once in five years.
GM_NODISCARD gm_status gm_origin_add(gm_arena *arena, const gm_estimate_setup *setup, gm_origin_candidate candidate, gm_origin_list *list, gm_error *err);

// All of a group. Modes are called as the class calls them ("wear"), of sensors "level.offset" and "level.frozen" of the twin. Rates: as
// "rates" of the origins say by "pump1.wear", or "wear", or "sensors"; else once in five years. Memory from the arena; twins' ids are viewed.
// GM_LIMIT: more than GM_HUNT_CANDIDATES_MAX. GM_NOMEM.
GM_NODISCARD gm_status gm_origin_candidates(gm_arena *arena, const gm_estimate_setup *setup, const gm_group *group, gm_origin_list *out, gm_error *err);

#endif
