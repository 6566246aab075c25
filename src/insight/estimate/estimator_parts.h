// insight/estimate/estimator_parts.h: the fields of an estimator; for the files of insight/estimate only.
#ifndef GM_INSIGHT_ESTIMATE_ESTIMATOR_PARTS_H
#define GM_INSIGHT_ESTIMATE_ESTIMATOR_PARTS_H

#include "insight/estimate/ensemble.h"
#include "insight/estimate/estimator.h"
#include "insight/estimate/smooth.h"
#include "insight/estimate/ukf.h"
#include "physics/exec/lanes.h"

typedef struct gm_estimate_sample { gm_time_ns at; uint32_t signal; double value; } gm_estimate_sample;  // value: of the slot's unit

typedef struct gm_signal_track {
    double     largest;                 // magnitude seen
    double     estimate, deviation;     // of the slot's unit
    bool       seen;
    gm_time_ns at;
    double     measured, innovation, expected;
    uint64_t   taken, gated;
    uint32_t   refused;                 // gated in a row
} gm_signal_track;

struct gm_estimator {
    const gm_alloc           *alloc;
    const gm_estimate_model  *model;
    const gm_estimate_setup  *setup;
    const gm_estimate_part   *parts;
    const gm_estimate_signal *signals;
    const gm_estimate_mode   *modes;
    uint32_t                  n, states, signal_count, mode_count, lane_count;
    gm_plan                  *plan;
    gm_lanes                 *lanes;
    gm_worker                *worker;
    gm_ukf                   *ukf;       // or
    gm_ensemble              *ensemble;
    double                   *points;    // [n][lane_count]
    double                   *predicted; // [signal_count][lane_count]
    double                   *scratch;   // [signal_count] values, variances, innovations, deviations; [n] noise; [lanes^2] X
    double                   *mean;      // [n] ENSEMBLE: of the points
    double                   *scale;     // [n] magnitudes of states
    double                   *base;      // [n] first x and
    double                   *first;     // [n] first deviations
    double                   *image;     // [slots] the centre after the last good moment
    gm_signal_track          *tracks;    // [signal_count]
    int8_t                   *mode_on;   // [mode_count] -1: not known yet
    gm_estimate_sample       *waiting;   // [waiting_count] rising by time
    size_t                    waiting_count, waiting_room;
    gm_time_ns                epoch, at; // of program time `begin`; where the filter is
    double                    begin;
    bool                      shaken;    // a mode has changed: states may be anywhere near
    bool                      between;   // the last moment was the one of a change: what was measured in it is of neither mode
    uint64_t                  draws, moments, taken, gated, late, unusable, restarts;
    double                    log_likelihood;
    gm_health                 health;
    gm_slot                   held[GM_ESTIMATOR_HELD_MAX];  // slots that no measurement sets
    uint32_t                  held_count;
    uint32_t                  stuck;     // signal of a sensor that stands still; UINT32_MAX: none does
    double                    stuck_noise;  // of it, of what it has when it works
    gm_smoother              *smoother;  // NULL: nobody looks back
    double                   *before;    // [n][lane_count] points before a step, and [n] and [n][n]: mean and factor; with a smoother
};

// estimator_run.c: the filter's arithmetic.
void gm_estimator_draw(gm_estimator *e);                       // points of the present distribution
void gm_estimator_place(gm_estimator *e);                      // points into the lanes
bool gm_estimator_go(gm_estimator *e, gm_time_ns at);          // runs the lanes; false: had to begin anew
void gm_estimator_see(gm_estimator *e, const gm_estimate_sample *samples, size_t count);
void gm_estimator_show(gm_estimator *e);                       // estimates of all signals

#endif
