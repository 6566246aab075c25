// insight/learn/rul_model.h: the fields of a model of remaining life; for the files rul*.c only.
#ifndef GM_INSIGHT_LEARN_RUL_MODEL_H
#define GM_INSIGHT_LEARN_RUL_MODEL_H

#include "insight/learn/channels.h"
#include "insight/learn/features.h"
#include "insight/learn/rul.h"

enum {
    GM_RUL_CALIBRATION_MAX = 4000,  // held-back errors that are kept
    GM_RUL_NEIGHBOURS      = 800,   // of them, those with the nearest predictions make an interval
};

typedef struct gm_rul_member {
    double    index[GM_CHANNELS_MAX + 1];  // the linear health index: coefficients, then the constant
    gm_trees *trees;
} gm_rul_member;

// The smoothed health index of an asset that failed, from its first row to its last (similar.h).
// print: a checksum of its recorded rows, by which it is known again.
typedef struct gm_past_run { uint32_t unit, print, first, count; } gm_past_run;

struct gm_rul_model {
    const gm_alloc *alloc;
    gm_rul_facts    facts;
    gm_channels     channels;
    gm_rul_member   members[GM_RUL_FOLDS_MAX];
    uint32_t        member_count;
    size_t          calibration_count;
    float          *predicted;   // [calibration_count], ascending
    float          *error;       // [calibration_count]: truth less prediction, of the same row
    double         *held_back;   // [fleet rows] or NULL
    gm_past_run    *past;        // [past_count]
    uint32_t        past_count;
    float          *past_index;  // rows of all of them, one after the other
};

// Columns: the channels' features, the health index's, then (with age) the cycles run.
static inline uint32_t gm_rul_columns(const gm_channels *ch, bool age) { return (ch->count + 1) * GM_FEATURES + (age ? 1 : 0); }

// z [n][channels + 1]: normalised channels; the last column is the member's, filled by gm_rul_index.
void gm_rul_normalise(const gm_channels *ch, const double *rows, size_t n, double *z);
void gm_rul_index(const gm_channels *ch, const double *coefficients, size_t n, double *z);

uint32_t gm_rul_run_print(const gm_fleet *fleet, const gm_run *run);

// Keeps the lives of the fleet's failed assets under the mean of the members' indices. GM_NOMEM.
GM_NODISCARD gm_status gm_rul_library_build(gm_rul_model *model, const gm_fleet *fleet, gm_error *err);

#endif
