// control/optimise/beginnings.h: where a plant may be, by an estimate: a fork's slots with what is estimated put in.
#ifndef GM_CONTROL_BEGINNINGS_H
#define GM_CONTROL_BEGINNINGS_H

#include "futures/group.h"
#include "insight/estimate/seeding.h"

// Writes the estimate's means to the slots of states and parameters. What the group does not have, or computes, is left out.
void gm_beginnings_mean(const gm_group *group, const gm_estimate_spread *spread, double *slots);

// The same with a draw from the joint distribution, keyed by (seed, draw). O(parts^2)
void gm_beginnings_draw(const gm_group *group, const gm_estimate_spread *spread, uint64_t seed, uint32_t draw, double *slots);

#endif
