// insight/estimate/cases.h: in which of several ways a plant is working: healthy, leaking, a sensor that stands still. A filter
// for each, side by side through the same measurements, mixed before each and weighed after it (modes.h).
//
//   gm_cases_create(alloc, model, group, slots, at, &cases, &err);     // model: of a setup with "modes"
//   gm_cases_feed(cases, signal, at, value, &err);  gm_cases_advance(cases, now);
//   gm_cases_at(cases, 0).probability                                // 0: healthy, then as the setup names them
//
// A mode is told when its probability has been GM_CASE_SURE for the setup's `hold`, and is over when it has been below
// GM_CASE_OVER as long.
//
// One thread at a time.
#ifndef GM_INSIGHT_ESTIMATE_CASES_H
#define GM_INSIGHT_ESTIMATE_CASES_H

#include "insight/estimate/estimator.h"

#define GM_CASE_SURE 0.95
#define GM_CASE_OVER 0.5

typedef struct gm_cases gm_cases;

// Can the cases of the model's setup be bound? For checking. GM_NOTFOUND, GM_INVALID: err names what is not there, and its line.
GM_NODISCARD gm_status gm_cases_check(const gm_estimate_model *model, const gm_group *group, gm_error *err);

// slots: [gm_program_slot_count], copied. Errors: as gm_cases_check and gm_estimator_create; GM_INVALID: the filter is an ensemble.
GM_NODISCARD gm_status gm_cases_create(const gm_alloc *alloc, const gm_estimate_model *model, const gm_group *group, const double *slots,
                                       gm_time_ns at, gm_cases **out, gm_error *err);
void                   gm_cases_destroy(gm_cases *c);  // NULL is allowed

GM_NODISCARD gm_status gm_cases_feed(gm_cases *c, uint32_t signal, gm_time_ns at, double value, gm_error *err);
void                   gm_cases_advance(gm_cases *c, gm_time_ns now);

typedef struct gm_case_view {
    gm_str     name;         // "healthy", or the mode's
    double     probability;
    bool       told;
    gm_time_ns since;        // told: when it was first held to be so
} gm_case_view;
uint32_t     gm_cases_count(const gm_cases *c);  // with the healthy one
gm_case_view gm_cases_at(const gm_cases *c, uint32_t i);

#endif
