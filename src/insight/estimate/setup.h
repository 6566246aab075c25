// insight/estimate/setup.h: what a plant wants to be estimated: the files estimate/*.json, read into tables.
//
//   { "estimates": [ { "name": "waterworks", "root": "tower",
//       "measured":   { "tower.level": { "noise": 0.01 }, "vessel.pressure": {}, "pump1.motor/power": { "bias": 0.2 } },
//       "parameters": { "pump1.wear": { "deviation": 0.1, "walk": 0.005 }, "main.pipe.f": { "log": true } },
//       "faults":     { "main.leak": {} },
//       "follow":     [ { "signal": "pump1.motor/power", "above": 1, "set": { "controller.startLevel": [100, -100] } } ],
//       "modes":      { "leaking": { "fault": "main.leak", "severity": 0.3, "every": "30d", "lasts": "1d" } },
//       "origins":    { "search": "12h", "rates": { "wear": "2y" } },
//       "into":       { "pump1.wear": ["wearEstimate", "wearDeviation"] } } ] }
//
// Names are TWIN.VARIABLE as everywhere (futures/group.h). docs/estimation.md is the page for users.
#ifndef GM_INSIGHT_ESTIMATE_SETUP_H
#define GM_INSIGHT_ESTIMATE_SETUP_H

#include "base/arena.h"

enum {
    GM_ESTIMATE_SETUPS_MAX = 1000,
    GM_ESTIMATE_ASKS_MAX   = 64,    // of one kind in one estimate
    GM_ESTIMATE_SETS_MAX   = 8,
    GM_ESTIMATE_CASES_MAX  = 16,
    GM_ESTIMATE_INTO       = 3
};

// NaN: not said. All in the units that people see.
typedef struct gm_estimate_ask {
    gm_str name;
    uint32_t line;            // of the file
    double start, deviation;  // where it begins and how well that is known
    double walk;              // what it may wander, standard deviation per square root of an hour
    double noise, bias;       // measured: deviation of the sensor's noise; of its offset (0: it has none)
    double min, max;
    bool   log;               // its logarithm is estimated; deviation and walk are relative
    gm_str into[GM_ESTIMATE_INTO];  // properties of its twin that get the estimate, its deviation, and of what is measured the
                                    // innovation; of a fault its severity while it is told (else 0), deviation, significance; empty: none
} gm_estimate_ask;

typedef struct gm_estimate_list { gm_estimate_ask *items; uint32_t count; } gm_estimate_list;

// What a measured signal says about the way in which the plant works: above the limit `on` holds, else `off`.
typedef struct gm_estimate_follow {
    gm_str   signal;
    uint32_t line;
    double   above;
    gm_str   names[GM_ESTIMATE_SETS_MAX];
    double   on[GM_ESTIMATE_SETS_MAX], off[GM_ESTIMATE_SETS_MAX];
    uint32_t count;
} gm_estimate_follow;

// A way in which the plant may be working (cases.h): a fault of its class at a severity, variables held at values, or a sensor
// that stands still.
typedef struct gm_estimate_case {
    gm_str   name, fault, stuck;       // empty: none
    uint32_t line;
    double   severity;
    gm_str   names[GM_ESTIMATE_SETS_MAX];
    double   values[GM_ESTIMATE_SETS_MAX];
    uint32_t count;
    double   every_s, lasts_s;         // how often it begins and how long it lasts, on the average
    gm_str   into;                     // property of the root that gets its probability; empty: none
} gm_estimate_case;

// How often something begins, on the average: a fault ("pump1.wear", or "wear" of any twin), or a failure of any sensor ("sensors").
typedef struct gm_estimate_rate { gm_str name; uint32_t line; double every_s; } gm_estimate_rate;

// How origins of alarms are looked for with this estimate's model (insight/origin).
typedef struct gm_estimate_origins {
    gm_estimate_list    measured;        // in place of the estimate's own when it is not empty
    gm_estimate_follow *follow;          // likewise
    uint32_t            follow_count;
    gm_estimate_rate   *rates;
    uint32_t            rate_count;
    double              learn_s, search_s;  // how long a filter learns the plant before the search; how far back the search goes
} gm_estimate_origins;

typedef enum gm_estimate_filter { GM_ESTIMATE_AUTO, GM_ESTIMATE_UNSCENTED, GM_ESTIMATE_ENSEMBLE } gm_estimate_filter;

typedef struct gm_estimate_setup {
    gm_str              name, root;
    uint32_t            line;      // of the file; 0: it is from none
    gm_estimate_list    measured, parameters, faults, states;
    gm_estimate_follow *follow;
    uint32_t            follow_count;
    gm_estimate_case   *cases;
    uint32_t            case_count;
    gm_estimate_filter  filter;
    uint32_t            members;   // of an ensemble
    double              lag_s;     // how long late measurements are waited for
    double              gate;      // deviations beyond which a measurement is an outlier
    double              alarm;     // deviations beyond which a fault is told
    double              hold_s;    // how long it must be so
    double              window_s;  // how long faults are looked for from one beginning
    double              tolerance; // of the integration
    double              step_s;    // > 0: RK4 with this step instead
    bool                stiff;
    gm_estimate_origins origins;
} gm_estimate_setup;

void gm_estimate_setup_defaults(gm_estimate_setup *out);

// Appends what one file asks for; texts are copied into the arena. setups has room for GM_ESTIMATE_SETUPS_MAX.
// GM_INVALID: err says which member is wrong, and in which line; GM_LIMIT, GM_NOMEM.
GM_NODISCARD gm_status gm_estimate_setups_parse(gm_arena *arena, gm_str text, gm_estimate_setup *setups, uint32_t *count, gm_error *err);

#endif
