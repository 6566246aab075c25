// insight/origin/hunt.h: what broke, when, and how badly: which of many candidates explains what a group's sensors have said.
//
//   gm_hunt_options o = gm_hunt_options_defaults();
//   gm_hunt(alloc, &setup, group, slots, &stretch, candidates, count, &o, &found, &err);
//   found.ranked[0].candidate, .probability, .since
//
// Every candidate is a model of the plant in which that fault begins at some moment with a size that nobody knows; its likelihood is
// what a filter that believes so says of all measurements from then on (the product of its predictive densities: Bar-Shalom, Li and
// Kirubarajan, Estimation with Applications to Tracking and Navigation, Wiley 2001, section 11.6). States and parameters that are not
// known for sure are integrated over by the filter, sizes by a part of their own, onsets by a sum over a grid. With how often each
// fault happens that is Bayes' theorem:
//
//     P(c | y)  ~  rate(c) * sum over onsets t of dt * sum over sizes of w * p(y | c, t, size)          none:  p(y | nothing)
//
// One filter without faults goes first and learns the plant; where its innovations begin to be too large (a cumulative sum; Page,
// Biometrika 41 (1954) 100) is where onsets lie close together. Hypotheses that fall behind by more than e^-drop are given up.
// Where even the best one leaves innovations too large, no single fault explains what was measured, and pairs are tried.
//
// One thread, which may be any. Measured: docs/root-cause.md.
#ifndef GM_INSIGHT_ORIGIN_HUNT_H
#define GM_INSIGHT_ORIGIN_HUNT_H

#include "insight/estimate/estimator.h"
#include "insight/estimate/stretch.h"

enum { GM_HUNT_CANDIDATES_MAX = 500, GM_HUNT_RANKED_MAX = 16 };

typedef enum gm_origin_kind {
    GM_ORIGIN_FAULT,   // of the plant; its size is how much of what is declared: 1 is all of it
    GM_ORIGIN_OFFSET,  // of a sensor; its size is in the sensor's unit
    GM_ORIGIN_FROZEN   // a sensor says again what it said last; no size
} gm_origin_kind;

typedef struct gm_origin_candidate {  // texts viewed
    gm_str         twin, mode;   // "pump1", "wear"; of a sensor "tower", "level frozen"
    gm_str         inject;       // FAULT: as gm_estimate_bind takes it, "pump1.wear" or "pump1.speed=0". OFFSET: "tower.level#offset". FROZEN: "tower.level"
    gm_origin_kind kind;
    double         rate;         // how often it begins, per second, > 0
} gm_origin_candidate;

typedef struct gm_hunt_options {
    double   search_s;      // onsets lie in the last so many seconds; what was before teaches the filter
    uint32_t moments_max;   // of the search, beyond which every second, third, ... is looked at
    double   drop;          // natural logarithm of a Bayes factor
    bool     pairs;         // look for two faults where one does not explain it
    bool   (*stop)(void *context);  // asked now and then; NULL: never stops
    void    *context;
} gm_hunt_options;
gm_hunt_options gm_hunt_options_defaults(void);  // 12 h, 700, 40, pairs

typedef struct gm_origin {
    uint32_t   candidate;    // index
    uint32_t   second;       // of a pair; UINT32_MAX: alone
    double     probability;
    double     evidence;     // ln p(y | it) / p(y | nothing): without its rate
    gm_time_ns since, since_low, since_high;      // the likeliest onset; nine tenths lie between
    gm_time_ns second_since;
    double     size, deviation;                   // NaN: it has none
    double     second_size, second_deviation;
    double     strain;       // what it leaves unexplained, of what a healthy plant leaves: below 1 is fine; NaN: it was given up before the end
} gm_origin;

typedef struct gm_hunted {
    gm_origin       ranked[GM_HUNT_RANKED_MAX];   // falling by probability
    uint32_t        count;
    double          none;        // probability that nothing is wrong
    bool            explained;   // the best one (or none) leaves no more than a healthy plant does
    bool            paired;      // pairs were looked at
    gm_time_ns      noticed;     // where the healthy model's innovations begin to be too large; 0: they never are
    double          strain;      // of the healthy model
    uint64_t        filters, updates;
    uint32_t        moments, learned;  // looked at in the search; before it
} gm_hunted;

// setup: measured, parameters, states and follow of an estimate (faults, modes and lag are not looked at). slots: a fork of
// stretch->samples[0]'s time. Viewed until it returns: everything.
// Errors: as gm_estimate_bind; GM_INVALID: too few measurements, no candidate, a rate that is not above 0; GM_LIMIT: too many
// candidates; GM_CANCELLED: stop said so; GM_NOMEM.
// Cost: about 50 us for each filter and moment; a few seconds for 60 candidates.
GM_NODISCARD gm_status gm_hunt(const gm_alloc *alloc, const gm_estimate_setup *setup, const gm_group *group, const double *slots,
                               const gm_stretch *stretch, const gm_origin_candidate *candidates, uint32_t count,
                               const gm_hunt_options *options, gm_hunted *out, gm_error *err);

#endif
