// insight/estimate/estimator.h: a filter that follows one group of twins through its measurements.
//
//   gm_estimator_create(alloc, model, slots, at, &estimator, &err);            // slots: a fork (gm_group_fork) of that time
//   gm_estimator_feed(estimator, signal, source_time, value_as_people_see_it);  // in any order
//   gm_estimator_advance(estimator, now, &err);                                 // runs the model up to now - lag
//   gm_estimator_part(estimator, i)                                             // mean, deviation
//   gm_estimator_signal(estimator, k)                                           // estimate, innovation
//
// Measurements wait `lag` for late ones and are then taken in order of source time, those of one moment together; the lanes
// are run exactly to that moment, so measurements may be as irregular as they like. What comes later still is counted and
// dropped; NaN and infinities likewise; a second value of the same signal at the same time replaces the first. A value more
// than `gate` deviations from its expectation is not believed, unless so many follow one another that the model must be wrong.
//
// Small systems run a square-root unscented filter, large ones an ensemble transform filter (ukf.h, ensemble.h); states,
// parameters, severities of faults and offsets of sensors are one vector. Parameters wander as they are told (a random walk),
// so the twin goes on calibrating itself.
//
// One thread at a time. The model is shared.
#ifndef GM_INSIGHT_ESTIMATE_ESTIMATOR_H
#define GM_INSIGHT_ESTIMATE_ESTIMATOR_H

#include "insight/estimate/health.h"
#include "insight/estimate/model.h"
#include "insight/estimate/smooth.h"

typedef struct gm_estimator gm_estimator;

enum { GM_ESTIMATE_SMALL = 30, GM_ESTIMATE_WAITING_MAX = 65536, GM_ESTIMATOR_HELD_MAX = 24 };

// slots: [gm_program_slot_count] copied. Errors: as gm_plan_create; GM_NOMEM.
GM_NODISCARD gm_status gm_estimator_create(const gm_alloc *alloc, const gm_estimate_model *model, const double *slots, gm_time_ns at,
                                           gm_estimator **out, gm_error *err);
void                   gm_estimator_destroy(gm_estimator *e);

// A second one that goes on from where the first is, with a model that has further parts behind the same ones, of which nothing
// is known yet. Errors: as create.
GM_NODISCARD gm_status gm_estimator_go_on(const gm_estimator *from, const gm_estimate_model *model, gm_estimator **out, gm_error *err);

// GM_LIMIT: too many wait; advance first. signal: index into the model's.
GM_NODISCARD gm_status gm_estimator_feed(gm_estimator *e, uint32_t signal, gm_time_ns at, double value, gm_error *err);

// Takes everything up to now - lag. What the filter can not follow makes it begin anew from its last estimate (counted).
// GM_NOMEM only. Cost: one run of 2n+1 lanes (or the ensemble) per moment, and O(n^3).
GM_NODISCARD gm_status gm_estimator_advance(gm_estimator *e, gm_time_ns now, gm_error *err);

// From now on every step and update is told to the smoother (NULL: no more), which outlives the estimator. GM_NOMEM.
GM_NODISCARD gm_status gm_estimator_smooth(gm_estimator *e, gm_smoother *smoother, gm_error *err);

// The plant as it would be: a slot keeps its value whatever is told, and a sensor (UINT32_MAX: none) stands still: what it says
// next is what it said last, with so much of its usual noise. Before the first advance.
void gm_estimator_hold(gm_estimator *e, gm_slot slot, double value);
void gm_estimator_stick(gm_estimator *e, uint32_t signal, double noise);

// The plant changes somewhere between the moment before and the next one, as when a mode does: what is measured in that moment is of
// neither, and is not taken; states lie somewhere on the way that they go until then.
void gm_estimator_shake(gm_estimator *e);

// One moment at most, of those up to now - lag. False: there was none. For filters that go side by side; the estimates of
// signals stay as they are until an advance.
bool gm_estimator_due(const gm_estimator *e, gm_time_ns now);  // would a step do anything?
bool gm_estimator_step(gm_estimator *e, gm_time_ns now);

typedef struct gm_estimator_value { double mean, deviation; } gm_estimator_value;  // outside units
gm_estimator_value gm_estimator_part(const gm_estimator *e, uint32_t part);

// Means and covariances of all parts, inside: where futures begin. The filter keeps one of factor [n][n] (column-major, lower:
// the covariance is factor factor') and members [n][member_count]; the other is NULL.
uint32_t      gm_estimator_count(const gm_estimator *e);
const double *gm_estimator_factor(const gm_estimator *e);
const double *gm_estimator_members(const gm_estimator *e, uint32_t *out_count);
const double *gm_estimator_means(const gm_estimator *e);
double        gm_estimator_covariance(const gm_estimator *e, uint32_t a, uint32_t b);

// What a column should show now, by everything that is known; and how its last measurement compared.
typedef struct gm_estimator_reading {
    gm_estimator_value estimate;
    bool       seen;                    // anything was measured yet
    gm_time_ns at;
    double     measured, innovation, expected;  // innovation: measured minus predicted; expected: its deviation by the filter
    uint64_t   taken, gated;            // measurements used, and not believed
} gm_estimator_reading;
gm_estimator_reading gm_estimator_signal(const gm_estimator *e, uint32_t signal);

// How much better the measurements are explained by this fault alone than by none: its severity then, and how many deviations
// that lies from none.
typedef struct gm_estimator_fault { double severity, significance; } gm_estimator_fault;
gm_estimator_fault gm_estimator_fault_of(const gm_estimator *e, uint32_t part);

typedef struct gm_estimator_stats {
    gm_time_ns        at;               // where the filter is
    uint64_t          moments, taken, gated, late, unusable, restarts;
    size_t            waiting;
    gm_health_verdict health;
    double            log_likelihood;   // of everything taken
    bool              ensemble;
} gm_estimator_stats;
gm_estimator_stats gm_estimator_statistics(const gm_estimator *e);

#endif
