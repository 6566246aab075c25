// control/optimise/settings.h: one setting of the inputs for a whole horizon, found by ranking candidates over scenarios.
//
//   gm_settings_options o = gm_settings_options_defaults();
//   gm_settings_rank(alloc, mpc, inputs, n, scenarios, count, &o, &ranking, &err);    // mpc: a controller of one knot
//   ranking.items[0].values[i] ... ranking.items[0].gain, .gain_deviation, .better
//   gm_settings_finish(&ranking);
//
// A round spreads candidates (the first over the whole range, later ones around the best so far), runs each through a few
// scenarios, the better quarter through half of all, and keeps the best that differ from one another. At the end those kept
// are judged by the scenarios that chose none of them, so the gain that is told is not the luck of the one who was chosen. Every
// scenario is run with the inputs as they are, too, and a gain is the difference within a scenario.
//
// The same request gives the same ranking. One thread.
#ifndef GM_CONTROL_SETTINGS_H
#define GM_CONTROL_SETTINGS_H

#include "base/buf.h"
#include "control/optimise/mpc.h"

enum { GM_SETTINGS_KEPT = 5, GM_SETTINGS_SCENARIOS_MAX = 32 };

typedef struct gm_settings_options {
    uint32_t candidates, rounds;   // a round
    uint64_t seed;
} gm_settings_options;
gm_settings_options gm_settings_options_defaults(void);  // 256, 3, 1

typedef struct gm_setting {
    const double *values;          // [inputs] SI
    double cost, held;             // means over the scenarios that judge: with it, and as it is
    double gain, gain_deviation;   // held - cost: its mean, and its deviation from scenario to scenario (NaN: there is one)
    double better;                 // share of them in which it costs less than as it is
    double broken;                 // share of them in which a limit is broken
} gm_setting;

typedef struct gm_settings {
    const gm_alloc *alloc;
    gm_setting      items[GM_SETTINGS_KEPT];   // cheapest first; leaving everything as it is may be among them
    uint32_t        count, judged;             // judged: by so many scenarios
    double         *values;
} gm_settings;

// scenarios[i] [slots]: beginnings, GM_SETTINGS_SCENARIOS_MAX at most. GM_DIVERGED: nothing could be followed to the end. GM_NOMEM.
GM_NODISCARD gm_status gm_settings_rank(const gm_alloc *alloc, gm_mpc *mpc, const gm_mpc_input *inputs, uint32_t input_count,
                                        const double *const *scenarios, uint32_t count, const gm_settings_options *options,
                                        gm_settings *out, gm_error *err);
void gm_settings_finish(gm_settings *settings);  // a zeroed one is allowed

// An input as people see it: outside = (x - offset) / factor.
typedef struct gm_setting_name { gm_str name; double factor, offset; } gm_setting_name;

// As members of a JSON object: "scenarios":8,"ranking":[{"inputs":{NAME:x},"cost","held","gain","gainDeviation","better","broken"}]
void gm_settings_write(const gm_settings *settings, const gm_setting_name *names, uint32_t input_count, gm_buf *out);

#endif
