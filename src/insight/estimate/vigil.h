// insight/estimate/vigil.h: an estimator, and beside it others that ask whether a declared fault has begun.
//
//   gm_vigil_create(alloc, &setup, group, slots, at, &vigil, &err);
//   gm_vigil_feed(vigil, signal, source_time, value, &err);
//   gm_vigil_advance(vigil, now, &err);
//   gm_vigil_estimator(vigil)                          // states and parameters of the plant as it is believed to be
//   gm_vigil_alarm(vigil, &alarm)                      // main.leak, severity 0.3, since 14:05
//
// The estimator knows no faults and goes on calibrating its parameters. From its estimate watchers begin, two of them by turns
// every half window, that believe the parameters and add the severity of every fault as something unknown: what they can not
// explain without a fault since then, they explain with one. A fault is told when one alone explains the measurements better
// than none by `alarm` deviations (a likelihood ratio), and better than any other, for as long as `hold`. The watcher that found
// it stays until it is over. This is the generalised likelihood ratio test for a jump at an unknown time (Willsky and Jones, IEEE
// Trans. Automatic Control 21 (1976) 108), with two candidate times instead of all.
//
// One thread at a time.
#ifndef GM_INSIGHT_ESTIMATE_VIGIL_H
#define GM_INSIGHT_ESTIMATE_VIGIL_H

#include "insight/estimate/cases.h"

typedef struct gm_vigil gm_vigil;

// setup and group are viewed. Errors: as gm_estimate_bind and gm_estimator_create.
GM_NODISCARD gm_status gm_vigil_create(const gm_alloc *alloc, const gm_estimate_setup *setup, const gm_group *group, const double *slots,
                                       gm_time_ns at, gm_vigil **out, gm_error *err);
void                   gm_vigil_destroy(gm_vigil *w);

GM_NODISCARD gm_status gm_vigil_feed(gm_vigil *w, uint32_t signal, gm_time_ns at, double value, gm_error *err);
GM_NODISCARD gm_status gm_vigil_advance(gm_vigil *w, gm_time_ns now, gm_error *err);

const gm_estimator      *gm_vigil_estimator(const gm_vigil *w);
const gm_estimate_model *gm_vigil_model(const gm_vigil *w);         // of the estimator: without faults

typedef struct gm_vigil_fault {
    gm_str     name;           // TWIN.FAULT
    uint32_t   member;         // of the group
    double     severity, deviation, significance;
    gm_time_ns since;          // when it was first suspected
} gm_vigil_fault;

// False: no fault is told at present.
bool gm_vigil_alarm(const gm_vigil *w, gm_vigil_fault *out);

// Does a watcher, which adds faults to the estimator's model, understand the measurements? Then an estimator that does not is not
// wrong about its plant: something is broken there, whether it can be told yet what it is or not.
bool gm_vigil_explained(const gm_vigil *w);

// In which of the setup's modes the plant works; NULL: it names none.
const gm_cases *gm_vigil_cases(const gm_vigil *w);

// How the faults stand, by the watcher that has looked for longer. count: how many the setup names; false before it began.
bool gm_vigil_fault_at(const gm_vigil *w, uint32_t i, gm_vigil_fault *out);

#endif
