// insight/live/lookout.h: what a plant asks to be watched: the files insight/*.json, read into tables.
//
//   { "remainingLife": [ { "name": "turbofan", "interface": "dtmi:gemel:turbofan:Engine;1", "model":
//   "insight/turbofan",
//                          "settings": ["setting1"], "sensors": ["T24", "T30"], "age": "cycle",
//                          "into": { "rul": "rul", "low": "rulLow", "high": "rulHigh", "health": "health" } } ],
//     "anomalies":     [ { "name": "gas path", "interface": "dtmi:gemel:turbofan:Engine;1", "how": "together",
//                          "properties": ["T24", "T30"], "learn": 60, "window": 5 } ],
//     "wear":          [ { "name": "filter", "twin": "filter1", "until": "filter1.fouling > 0.5", "horizon": "90d", "every": "1h",
//                          "vary": ["filter1.dust*=normal(1,0.2)"], "into": { "rul": "hoursLeft" } } ] }
//
// Documented in docs/insight.md.
#ifndef GM_INSIGHT_LIVE_LOOKOUT_H
#define GM_INSIGHT_LIVE_LOOKOUT_H

#include "base/arena.h"
#include "base/time.h"

typedef enum gm_lookout_kind {
    GM_LOOKOUT_LIFE,      // remaining life by a trained model
    GM_LOOKOUT_TOGETHER,  // sensors that go together (anomaly/healthy.h)
    GM_LOOKOUT_EACH,      // each signal by itself (anomaly/stream.h)
    GM_LOOKOUT_WEAR,      // remaining life by physics (live/wear.h)
} gm_lookout_kind;

enum { GM_LOOKOUTS_MAX = 32, GM_LOOKOUT_PROPERTIES_MAX = 64, GM_LOOKOUT_INTO = 6 };

typedef struct gm_lookout {
    gm_lookout_kind kind;
    gm_str   name, interface;
    uint32_t line;                   // of the file
    gm_str   properties[GM_LOOKOUT_PROPERTIES_MAX];  // LIFE: settings, then sensors
    uint32_t count, settings;
    gm_str   model;                  // LIFE: folder of versions, relative to the plant
    gm_str   age;                    // LIFE: property with the cycles run; empty: rows are counted
    gm_str   into[GM_LOOKOUT_INTO];  // LIFE: properties that get rul, low, high, health, sure, version; empty: none
    gm_str   failed;                 // LIFE: property that is true (not 0) once a twin has failed; empty: no retraining
    gm_dur_ns every;                 // WEAR: predicted anew when the estimate has moved on so far; LIFE: a challenger is trained so long after the newest version; 0: not by the clock
    double    drift;                 // LIFE: ... and when the model errs so many times as much as held back; 0: not looked at
    gm_str   twin, until;            // WEAR: a twin of the group, and the condition that ends its life; properties: "vary"
    double   horizon_s, step_s;      // WEAR: how far is looked; step 0: chosen by the error
    uint32_t learn, window;          // rows; WEAR: learn is the number of lanes
    double   threshold;              // of the score
} gm_lookout;

// Appends what one file asks for. Texts are copied into the arena.
// GM_INVALID: err says which member is wrong; GM_LIMIT: more than GM_LOOKOUTS_MAX; GM_NOMEM.
GM_NODISCARD gm_status gm_lookouts_parse(gm_arena *arena, gm_str text, gm_lookout *lookouts, uint32_t *count, gm_error *err);

#endif
