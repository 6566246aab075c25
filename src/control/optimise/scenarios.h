// control/optimise/scenarios.h: what nobody knows about the hours to come, as people write it (futures/wording.h), drawn into
// the places where a plan may begin.
//
//   gm_scenarios_read(group, texts, count, arena, &unknown, &err);     // "town.base*=uniform(0.9,1.1)"
//   gm_scenarios_put(&unknown, seed, draw, slots);                     // slots: a fork
//
// One value a draw, from the beginning on: no times, processes, lists or grids. Latin hypercube over GM_SCENARIOS_DRAWS draws, so
// even a few of them cover what may be.
#ifndef GM_CONTROL_SCENARIOS_H
#define GM_CONTROL_SCENARIOS_H

#include "base/arena.h"
#include "futures/futures.h"
#include "futures/group.h"

enum { GM_SCENARIOS_MAX = 64, GM_SCENARIOS_DRAWS = 16 };

typedef struct gm_scenarios { gm_vary *items; uint32_t count; } gm_scenarios;

// Errors: those of gm_vary_read; GM_INVALID: it is no draw that holds from the beginning on.
GM_NODISCARD gm_status gm_scenarios_read(const gm_group *group, const gm_str *texts, uint32_t count, gm_arena *arena, gm_scenarios *out,
                                         gm_error *err);
void gm_scenarios_put(const gm_scenarios *unknown, uint64_t seed, uint32_t draw, double *slots);

#endif
