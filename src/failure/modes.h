// failure/modes.h: how things fail and what that does to others: the files rules/*.modes, read.
//
//   { "modes":  [ { "name": "bearing", "on": "dtmi:example:Pump;1", "rate": 2.5e-5, "repair": "8h",
//                   "shownBy": [ { "alarm": "motorHot", "probability": 0.8, "otherwise": 0.01 } ] } ],
//     "needs":  [ { "name": "water", "on": "dtmi:example:Vessel;1", "from": "<delivers", "working": 1, "delay": "10min" } ],
//     "losses": [ { "on": "dtmi:example:Town;1", "severity": "critical", "text": "No water", "costPerHour": 900 } ],
//     "common": [ { "name": "flood", "on": "dtmi:example:Pump;1", "mode": "bearing", "within": "<contains", "beta": 0.05 } ] }
//
//   gm_failure_modes *modes;
//   gm_failure_modes_create(alloc, &modes, &err);
//   gm_failure_modes_add(modes, GM_STR("rules/works.modes"), text, &err);      // each file
//   gm_failure_modes_check(modes, model, found, context);                      // against the interfaces: what can never be
//   gm_failure_modes_destroy(modes);
//
// A twin fails by a mode of its own, or because a need is not met. Every text is a view into the object; nothing changes after the
// last gm_failure_modes_add. Documented in docs/reliability.md.
#ifndef GM_FAILURE_MODES_H
#define GM_FAILURE_MODES_H

#include "base/arena.h"
#include "base/time.h"
#include "model/model.h"

enum {
    GM_MODES_MAX = 512, GM_NEEDS_MAX = 512, GM_LOSSES_MAX = 512, GM_COMMON_MAX = 64,  // of a plant, all files together
    GM_MODE_SIGNS_MAX = 16, GM_NEED_FROM_MAX = 8,
    GM_STANDBY_MAX = 6  // members of a standby group: 64 states, 64 events, 160 KB on the stack. Each one more takes eight times the time (markov.c)
};

// What a declaration is about: twins of an interface or of one that extends it, that a query selects if there is one.
typedef struct gm_failure_scope {
    gm_str   on;       // DTMI
    gm_str   members;  // query that can be followed twin by twin; empty: all
    gm_str   file;
    uint32_t line;
} gm_failure_scope;

// A relationship as rules write it: "feeds": to those that it leads to, "<feeds": to those that it comes from.
typedef struct gm_failure_path { gm_str relationship; bool incoming; } gm_failure_path;

typedef enum gm_failure_effect { GM_EFFECT_STOPS, GM_EFFECT_DEGRADES } gm_failure_effect;  // what degrades does not pass on
const char *gm_failure_effect_name(gm_failure_effect effect);  // "stops", "degrades"

// ---- signs: how one sees that a mode is there --------------------------------------------------------------------------------
typedef enum gm_sign_kind { GM_SIGN_ALARM, GM_SIGN_ABOVE, GM_SIGN_BELOW, GM_SIGN_IS } gm_sign_kind;

typedef struct gm_failure_sign {
    gm_sign_kind kind;
    gm_str       name;         // ALARM: of the rule; otherwise the path of a property
    gm_failure_path on;        // of any twin that this leads to; no relationship: of the twin itself
    double       number;       // ABOVE, BELOW; IS of a number; IS of a boolean: 0 or 1
    gm_str       text;         // IS of a text; else empty
    gm_kind      value;        // what `is` was: GM_KIND_DOUBLE, _BOOL, _STRING; DOUBLE for ABOVE and BELOW
    double       probability;  // that it shows when the mode is there
    double       otherwise;    // that it shows when it is not
    bool         proves;       // when it shows, the mode stands: its probability is 1
} gm_failure_sign;

// ---- modes: how a twin fails by itself ---------------------------------------------------------------------------------------
typedef enum gm_mode_law {
    GM_MODE_RATE,         // constant, per hour
    GM_MODE_WEIBULL,      // by age
    GM_MODE_LIFE,         // by the live prediction of remaining life: two quantiles of it
    GM_MODE_PROBABILITY   // of being there at any time, or at demand
} gm_mode_law;

typedef enum gm_life_quantile { GM_LIFE_LOW, GM_LIFE_MEDIAN, GM_LIFE_SURE, GM_LIFE_HIGH, GM_LIFE_QUANTILES } gm_life_quantile;
// The probability of a life longer than that: 0.95, 0.5, 0.1, 0.05.
double      gm_life_quantile_beyond(gm_life_quantile quantile);
const char *gm_life_quantile_name(gm_life_quantile quantile);  // the member of the file: "low" "median" "sure" "high"

typedef struct gm_failure_mode {
    gm_failure_scope  scope;
    gm_str            name, text;   // text: the effect in words; may be empty
    gm_str            injects;      // what it is in the twin's behavior: a fault of its class ("wear"), or "speed=0"; empty: not said
    gm_mode_law    law;
    double            rate;         // RATE: 1/h
    double            shape, scale; // WEIBULL: scale in h
    gm_str            age;          // WEIBULL: path of a property; empty: see fact, or new
    gm_str            age_phase, age_fact;  // WEIBULL: of the thread ("as-operated", "hours"); empty: none
    gm_str            life[GM_LIFE_QUANTILES];  // LIFE: paths of properties; empty: not given
    double            unit_h;       // hours in one of what age or life is in; 0: by the model's unit, and hours where there is none
    double            probability;  // PROBABILITY
    gm_failure_effect effect;
    gm_dur_ns         delay;        // from the mode to the effect
    double            repair_h;     // mean time to repair; 0: it is not repaired
    double            cost;
    const gm_failure_sign *signs;   // [sign_count]
    uint32_t          sign_count;
} gm_failure_mode;

// ---- needs: what a twin needs of others, and so how failures spread ------------------------------------------------------------
typedef enum gm_standby { GM_STANDBY_HOT, GM_STANDBY_WARM, GM_STANDBY_COLD } gm_standby;

#define GM_WORKING_ALL 0u

typedef struct gm_failure_need {
    gm_failure_scope  scope;
    gm_str            name, text;
    gm_failure_path   from[GM_NEED_FROM_MAX];
    uint32_t          from_count;
    gm_str            of;           // DTMI: only such neighbours count; empty: all
    uint32_t          working;      // so many must work; GM_WORKING_ALL. Each relationship counts
    gm_failure_effect effect;
    gm_dur_ns         delay;        // from the neighbour's failure to the twin's
    gm_standby        standby;      // those beyond `working` wait
    double            waiting;      // WARM: share of the rate while waiting, 0..1
    double            switching;    // probability that one that is called does not come
    gm_str            order;        // path of a number: who works first; empty: in the order of the relationships
} gm_failure_need;

// ---- losses, common causes ---------------------------------------------------------------------------------------------------
typedef enum gm_loss_severity { GM_LOSS_SEVERITY_LOW, GM_LOSS_SEVERITY_MEDIUM, GM_LOSS_SEVERITY_HIGH, GM_LOSS_SEVERITY_CRITICAL, GM_LOSS_SEVERITY_COUNT } gm_loss_severity;
const char *gm_loss_severity_name(gm_loss_severity severity);

typedef struct gm_failure_loss {  // what it means that a twin has stopped. The last one that fits a twin counts
    gm_failure_scope scope;
    gm_str           text;
    gm_loss_severity      severity;
    double           cost, cost_per_h;
} gm_failure_loss;

typedef struct gm_common_cause {  // a share of a mode's failures takes all of a group together
    gm_failure_scope scope;
    gm_str           name, mode;
    gm_failure_path  within;        // twins with the same neighbour there are a group; empty: all are one
    double           beta;
} gm_common_cause;

// ---- all of a plant ----------------------------------------------------------------------------------------------------------
typedef struct gm_failure_modes {
    const gm_alloc  *alloc;
    gm_arena        *arena;
    gm_failure_mode *modes;
    gm_failure_need *needs;
    gm_failure_loss *losses;
    gm_common_cause *common;
    uint32_t         mode_count, need_count, loss_count, common_count;
} gm_failure_modes;

static inline bool gm_failure_modes_is(gm_str file) { return gm_str_ends(file, GM_STR(".modes")); }

GM_NODISCARD gm_status gm_failure_modes_create(const gm_alloc *alloc, gm_failure_modes **out, gm_error *err);
void                   gm_failure_modes_destroy(gm_failure_modes *modes);  // NULL is allowed

// Adds a file's declarations; copied. GM_INVALID: err has line and column and says what is wrong. GM_LIMIT, GM_NOMEM. After an
// error what was read before it stands.
GM_NODISCARD gm_status gm_failure_modes_add(gm_failure_modes *modes, gm_str file, gm_str text, gm_error *err);

// What is wrong though it reads well: interfaces, relationships and properties that no model has, common causes of modes that are
// not declared. Calls found for each.
typedef void gm_failure_modes_found(void *context, const gm_failure_scope *scope, const char *text);
void gm_failure_modes_check(const gm_failure_modes *modes, const gm_model *model, gm_failure_modes_found *found, void *context);

// Is the declaration about twins of that type, its query aside?
bool gm_failure_scope_fits(const gm_failure_scope *scope, const gm_type *type);

#endif
