// engine/retention.h: how long what was is kept: for the plant as a whole, for an interface, for a property.
//
//   gm_retention_rule rules[] = { { GM_STR("dtmi:x:Pump;1"), GM_STR("flow"), { .keep = 30 * GM_DAY, .rollup = GM_HOUR } } };
//   gm_engine_options o = { ..., .retention = { .rules = rules, .rule_count = 1, .usual = { .keep = 365 * GM_DAY } } };
//
// Of the rules that fit a value the closest counts, whole: one that names its property before one that does not; then its
// own interface before one that it extends, the nearer before the farther; then one that names no interface. A twin that
// was deleted goes on to be kept as the type that it was last.
#ifndef GM_ENGINE_RETENTION_H
#define GM_ENGINE_RETENTION_H

#include "base/time.h"
#include "model/model.h"

typedef struct gm_retention {
    gm_dur_ns keep;          // how old samples may become; 0: for ever
    gm_dur_ns rollup;        // what goes leaves sums for stretches of so long; 0: nothing stays
    gm_dur_ns keep_rollups;  // how old these may become; 0: for ever
} gm_retention;

typedef struct gm_retention_rule {
    gm_str       interface;  // empty: any
    gm_str       path;       // of the property or telemetry; empty: any
    gm_retention how;
} gm_retention_rule;

typedef struct gm_retentions {
    gm_retention             usual;
    const gm_retention_rule *rules;  // borrowed
    size_t                   rule_count;
} gm_retentions;

// What holds for a column path of a type; type NULL: of nobody knows what.
const gm_retention *gm_retention_find(const gm_retentions *retentions, const gm_type *type, gm_str path);

#endif
