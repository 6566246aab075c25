// control/maintain/request.h: rules/*.maintenance, what is to be planned together, as people write it.
//
//   { "maintenance": [ {
//       "name": "shop visits", "horizon": "60d", "window": "1d",
//       "crews":  { "bay": 2, "mechanic": { "size": 8, "except": [ { "from": "2026-12-24T00:00:00Z", "to": "2026-12-27T00:00:00Z", "size": 0 } ] } },
//       "stocks": { "HPC kit": { "now": 1, "arrives": [ { "at": "2026-12-01T00:00:00Z", "count": 2 } ] } },
//       "redundancy": [ { "name": "north wing", "of": "SELECT * FROM DIGITALTWINS T WHERE T.base = 'north'", "out": 1 } ],
//       "outages": [ { "from": "2026-12-05T00:00:00Z", "to": "2026-12-12T00:00:00Z" } ],
//       "assets": [ {
//           "of": "SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:gemel:turbofan:Engine;1')", "work": "Overhaul",
//           "cycle": "4h", "life": { "mean": 206, "shape": 4.4, "age": "cycle" }, "prediction": { "low": "rulLow", "rul": "rul", "high": "rulHigh" },
//           "lasts": "3d", "cost": 350000, "failure": { "cost": 1400000, "lasts": "14d" },
//           "needs": { "bay": 1 }, "parts": { "HPC kit": 1 }, "earliest": "2d", "latest": "30d" } ],
//       "compare": { "horizon": "2000d", "lanes": 2000, "seed": 1 }, "timeLimit": "10s", "gap": 0.001
//   } ] }
//
// docs/maintenance.md is for those who write them.
#ifndef GM_CONTROL_MAINTAIN_REQUEST_H
#define GM_CONTROL_MAINTAIN_REQUEST_H

#include "base/arena.h"
#include "base/time.h"
#include "control/maintain/lifetime.h"

enum { GM_MAINTAIN_MAX = 50, GM_MAINTAIN_LIST_MAX = 64 };

typedef struct gm_maintain_stretch { gm_time_ns from, to; double size; } gm_maintain_stretch;
typedef struct gm_maintain_crew { gm_str name; double size; gm_maintain_stretch *except; uint32_t except_count; } gm_maintain_crew;
typedef struct gm_maintain_stock { gm_str name; double now; gm_maintain_stretch *arrives; uint32_t arrive_count; } gm_maintain_stock;  // from, size
typedef struct gm_maintain_group { gm_str name, of; uint32_t out; } gm_maintain_group;
typedef struct gm_maintain_need { uint32_t of; double amount; } gm_maintain_need;  // of: which crew or stock

// A moment, or a length of time from when the plan is made. given false: neither.
typedef struct gm_maintain_when { bool given, relative; gm_time_ns at; gm_dur_ns after; } gm_maintain_when;

typedef struct gm_maintain_kind {
    gm_str            of, work;          // query; what is to be done
    double            cycle_h;           // hours on the calendar for a unit of lives and predictions
    gm_life           life;              // of a new one; units
    gm_str            age;               // property with the age; empty: what predictions say, else new
    gm_str            low, rul, high;    // properties with the quantiles 5, 50, 95 %; empty: none
    double            at_most;           // predictions can say no more than this; INFINITY: they can
    bool              elapses;           // what is left shrinks with the clock since the prediction was made
    double            lasts_h, cost, failure_lasts_h, failure_cost;
    gm_str            failure_cost_of;   // property that has it instead; empty: failure_cost holds
    bool              failure_stated;    // one of the two is there; otherwise all its cost is what stops with it
    double            interval;          // of the policy that it is compared with; 0: the one that costs least; units
    gm_maintain_need *crews, *parts;
    uint32_t          crew_count, part_count;
    gm_maintain_when  earliest, latest;
} gm_maintain_kind;

typedef struct gm_maintain_request {
    gm_str               name;
    double               horizon_h, window_h;
    gm_maintain_crew    *crews;
    gm_maintain_stock   *stocks;
    gm_maintain_group   *groups;
    gm_maintain_stretch *outages;        // size is not used; none: work may be done at any time
    gm_maintain_kind    *kinds;
    uint32_t             crew_count, stock_count, group_count, outage_count, kind_count;
    double               compare_h;      // 0: three lives of the longest-lived, no less than the horizon
    uint32_t             lanes;          // 0: nothing is compared
    uint32_t             seed;
    double               seconds, gap;   // of the search
    bool                 modes;          // what stops with an asset counts, and who stands in for it (consequence.h)
} gm_maintain_request;

enum { GM_MAINTAIN_SECONDS_MAX = 600 };

bool gm_maintain_is(gm_str name);  // ends in ".maintenance"

// Reads one file. All texts are copied to the arena. out: [GM_MAINTAIN_MAX - *io_count], *io_count is moved on.
// Errors: GM_INVALID with err->line and column where it is not even JSON; else err names the entry and the member.
//         GM_LIMIT: too many. GM_NOMEM.
GM_NODISCARD gm_status gm_maintain_read(gm_arena *arena, gm_str text, gm_maintain_request *out, uint32_t *io_count, gm_error *err);

// Can its queries be asked? GM_INVALID: err names the one that can not.
GM_NODISCARD gm_status gm_maintain_check(const gm_alloc *alloc, const gm_maintain_request *request, gm_error *err);

#endif
