// futures/group_names.h: the variables of a group as the names that wordings speak of (futures/wording.h).
//
//   gm_futures_world world = gm_group_names(group);      // names alone: no suggestions, faults or history
//   gm_vary_read(GM_STR("tank1.leak=uniform(0,0.02)"), &world, arena, v, &n, &err);
#ifndef GM_FUTURES_GROUP_NAMES_H
#define GM_FUTURES_GROUP_NAMES_H

#include "futures/group.h"
#include "futures/wording.h"

// False: the group has no such variable. A state is set where it is in a fork; what INITIAL reads is for fresh beginnings.
bool gm_group_name_find(const gm_group *group, gm_str name, gm_futures_name *out);

gm_futures_world gm_group_names(const gm_group *group);  // views the group

#endif
