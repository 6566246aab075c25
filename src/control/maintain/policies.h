// control/maintain/policies.h: what policies cost, by futures: each lane draws when every asset fails, now and after each renewal,
// and the policies live through the same draws.
//
//   run to failure     nothing is done before it fails
//   fixed interval     replaced at an age, or at failure when that is earlier (each asset its own interval)
//   plan               the first job as planned, or at failure when that is earlier; from then on as the fixed interval
//
// Draws are counted (base/rng.h): lane, asset, number of the life. Crews are taken to be there for failures and for what comes
// after the plan. Hours throughout.
#ifndef GM_CONTROL_MAINTAIN_POLICIES_H
#define GM_CONTROL_MAINTAIN_POLICIES_H

#include "base/alloc.h"
#include "control/maintain/lifetime.h"
#include "control/maintain/mip.h"

typedef struct gm_policy_asset {
    gm_lifetime now;                       // of the life that is under way
    gm_renewal  renewal;                   // of those after it, and what they cost
    double      age;                       // now
    double      interval;                  // INFINITY: none
    double      planned;                   // hours from now to its job; INFINITY: none
} gm_policy_asset;

typedef enum gm_policy { GM_POLICY_PLAN, GM_POLICY_INTERVAL, GM_POLICY_FAILURE, GM_POLICY_COUNT } gm_policy;
const char *gm_policy_name(gm_policy policy);

// stop: asked before every lane; NULL: never.
typedef struct gm_policies_options { double horizon; uint32_t lanes; uint64_t seed; const gm_mip_stop *stop; } gm_policies_options;

typedef struct gm_policy_mean { double mean, half; } gm_policy_mean;  // half: of the interval that holds the truth 19 times in 20

typedef struct gm_policy_outcome {
    gm_policy_mean cost, failures, jobs, availability;  // a lane; availability: the share of hours that assets are up
    gm_policy_mean worse;                               // cost less the plan's, lane by lane
} gm_policy_outcome;

enum { GM_POLICY_LANES_MAX = 1000000, GM_POLICY_LIVES_MAX = 100000 };

// out: [GM_POLICY_COUNT]. GM_LIMIT: an asset lives more than GM_POLICY_LIVES_MAX lives in a lane. GM_CANCELLED. O(lanes * assets * lives).
GM_NODISCARD gm_status gm_policies_compare(const gm_policy_asset *assets, size_t count, const gm_policies_options *options,
                                           gm_policy_outcome out[GM_POLICY_COUNT], gm_error *err);

#endif
