// insight/estimate/seeding.h: futures that begin where an estimate says: its joint distribution as variations of a request.
//
//   gm_futures_request_read(body, ..., &request, &err);
//   gm_seeding_put(arena, &spread, &world, &request, &err);     // in front of what the request varies itself
//
// A filter with a covariance gives every state and parameter a normal law (a lognormal one where the logarithm is estimated)
// and joins them with the correlation of the covariance: normal laws with a Gaussian copula are the joint normal distribution
// itself. An ensemble gives its members: lane i begins as member i modulo their number. Offsets of sensors and severities of
// faults are left out, which is what integrating over them comes to. What a model declares bounds for is cut to them.
#ifndef GM_INSIGHT_ESTIMATE_SEEDING_H
#define GM_INSIGHT_ESTIMATE_SEEDING_H

#include "futures/futures.h"
#include "futures/wording.h"
#include "insight/estimate/model.h"

// A joint distribution of parts, inside. All viewed.
typedef struct gm_estimate_spread {
    const gm_estimate_part *parts;         // [count]
    uint32_t                count;
    const double           *means;         // [count]
    const double           *factor;        // [count][count] column-major, lower: the covariance is factor factor'; or
    const double           *members;       // [count][member_count]: an ensemble
    uint32_t                member_count;  // 0: none
} gm_estimate_spread;

// Puts the beginnings in front of r->vary, so that the request's own variations come on top of them (a SET wins, ADD and SCALE
// start from what was drawn). Memory from the arena.
// GM_NOTFOUND: the world has no such variable. GM_LIMIT: more than GM_FUTURES_VARY_MAX in all. GM_NOMEM.  O(count^3)
GM_NODISCARD gm_status gm_seeding_put(gm_arena *arena, const gm_estimate_spread *spread, const gm_futures_world *world,
                                      gm_futures_request *r, gm_error *err);

#endif
