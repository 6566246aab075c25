// insight/learn/channels.h: from recorded sensors to comparable ones: each is centred and scaled within its operating
// condition, and the conditions are found in the data.
//
//   gm_channels ch;
//   gm_channels_fit(alloc, &fleet, &ch, &err);
//   gm_channels_apply(&ch, gm_fleet_row(&fleet, i), z);      // z[ch.count]
//
// An engine at 35,000 ft and one on the ground differ more than a healthy and a worn one do. The settings of all
// rows are
// clustered (k-means from far-apart starts; the number of clusters is the one whose members are nearest to their own
// centre compared with the next one, and is 1 when no number above 1 separates clearly).
// Method: docs/theory/rul.md, section 1.
#ifndef GM_INSIGHT_LEARN_CHANNELS_H
#define GM_INSIGHT_LEARN_CHANNELS_H

#include "insight/learn/fleet.h"

enum {
    GM_CONDITIONS_MAX = 12,
    GM_SETTINGS_MAX   = 16,
    GM_CHANNELS_MAX   = 64,   // sensors beyond are not used
};

typedef struct gm_channels {
    uint32_t settings, sensors;    // of the rows it was fitted to
    uint32_t conditions;           // clusters
    double   setting_scale[GM_SETTINGS_MAX];                      // 1 / spread; 0: constant, not looked at
    double   centre[GM_CONDITIONS_MAX][GM_SETTINGS_MAX];          // scaled
    uint32_t count;                                               // channels: sensors that move
    uint16_t sensor[GM_CHANNELS_MAX];                             // which one each is, 0 = first sensor
    double   mean[GM_CONDITIONS_MAX][GM_CHANNELS_MAX];
    double   scale[GM_CONDITIONS_MAX][GM_CHANNELS_MAX];           // 1 / deviation; 0: constant in that condition
} gm_channels;

// Fits to all rows of the fleet. Sensors that are missing or constant (within every condition) make no channel.
// GM_INVALID: no rows, or no sensor moves; GM_NOMEM.
GM_NODISCARD gm_status gm_channels_fit(const gm_alloc *alloc, const gm_fleet *fleet, gm_channels *out, gm_error *err);

// The cluster whose centre is nearest to the settings of the row; a missing setting is not looked at.
uint32_t gm_channels_condition(const gm_channels *channels, const double *row);

// z [count]: 0 is the usual value of the sensor in the row's condition, 1 is one standard deviation above; NaN
// stays NaN.
void gm_channels_apply(const gm_channels *channels, const double *row, double *z);

#endif
