// control/optimise/plan_file.h: rules/*.plan, plans that are made again and again, as people write them.
//
//   { "plans": [ {
//       "name": "nightFilling", "root": "tower",
//       "goals":  ["integral(pump1.motor.power)", "1e5*finallow(tower.level, 3)"],
//       "limits": ["tower.level in 1.6..5", "town.pressure >= 2.8"],
//       "inputs": ["controller.startLevel=1.6..4.8", "pump1.speed=0.85..1"],
//       "tariff": "00:00=0.08,06:00=0.31,22:00=0.08",
//       "horizon": "24h", "every": "1h", "step": "10s", "again": "30min", "lanes": 256, "rounds": 2
//   } ] }
//
// goals, limits, inputs and tariff as goal.h has them; "unknown": [...] as scenarios.h. docs/optimise.md is for those who write them.
#ifndef GM_CONTROL_PLAN_FILE_H
#define GM_CONTROL_PLAN_FILE_H

#include "base/arena.h"
#include "control/optimise/mpc.h"

enum { GM_PLAN_NAMES_MAX = 64, GM_PLANS_MAX = 100 };

typedef struct gm_plan_texts { gm_str *items; uint32_t count; } gm_plan_texts;

typedef struct gm_plan_setup {
    gm_str         name, root;
    gm_plan_texts  goals, limits, inputs;
    gm_plan_texts  unknown;     // scenarios.h
    bool           settings;    // one setting for the whole horizon, ranked over scenarios (settings.h); mpc has one knot
    gm_str         tariff;      // empty: none
    double         penalty;     // weight of limits
    gm_mpc_options mpc;         // knots, knot_s, look_s, step_s, lanes, rounds, method, seed
    double         again_s;     // from one solution to the next
} gm_plan_setup;

bool gm_plan_file_is(gm_str name);  // ends in ".plan"

// Reads one file. All texts are copied to the arena. out: [GM_PLANS_MAX - *io_count], *io_count is moved on.
// Errors: GM_INVALID with err->line and column where it is not even JSON; else err names the plan and the member.
//         GM_LIMIT: too many. GM_NOMEM.
GM_NODISCARD gm_status gm_plan_file_read(gm_arena *arena, gm_str text, gm_plan_setup *out, uint32_t *io_count, gm_error *err);

#endif
