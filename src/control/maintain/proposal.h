// control/maintain/proposal.h: from a request (request.h) and the plant as it is to a proposal.
//
//   gm_maintain_gather(&world, &request, arena, now, &c, &err);     // engine thread: assets, predictions, groups
//   gm_maintain_propose(alloc, &c, NULL, &out, &err);                    // any thread: windows, policies; a JSON object's members
//
// What a job costs that begins at t, T being the time to failure as it is known now:
//
//     failure P(T <= t) + planned P(T > t) + rate E[max(T - t, 0)]
//
// The last is the life that is thrown away, at the rate that assets of its kind cost in the long run when each is replaced at the
// best age (lifetime.h): so a plan neither hurries nor waits because its horizon ends. A job that is left to the next plan counts
// as one at the horizon's end, without limits.
#ifndef GM_CONTROL_MAINTAIN_PROPOSAL_H
#define GM_CONTROL_MAINTAIN_PROPOSAL_H

#include "base/buf.h"
#include "control/maintain/request.h"
#include "control/maintain/windows.h"
#include "failure/failures.h"
#include "insight/live/insight.h"
#include "insight/live/wear.h"

// What is known; insight and wears may be NULL.
typedef struct gm_maintain_world {
    const gm_alloc *alloc;
    const gm_state *state;
    gm_insight     *insight;
    const gm_wears *wears;
    gm_failures    *failures;            // with `moment` and `clock`: what is declared in rules/*.modes; NULL: nothing is
    const gm_failure_moment *moment;
    const gm_clock *clock;
} gm_maintain_world;

// In the order in which they are looked for, the last first.
typedef enum gm_maintain_source { GM_MAINTAIN_LIFE, GM_MAINTAIN_PROPERTIES, GM_MAINTAIN_WEAR, GM_MAINTAIN_MODEL } gm_maintain_source;

typedef struct gm_maintain_asset {
    gm_str                  id;
    gm_twin                 twin;
    const gm_maintain_kind *kind;
    gm_lifetime             left;    // hours from now
    double                  age_h;
    double                  planned_cost, failure_cost;  // with what stops meanwhile (consequence.h)
    double                  impact;  // of failure_cost, what is lost because others stop
    uint32_t                stops;   // how many others
    gm_maintain_source      source;  // where `left` is from, as of `at`; model: its name
    gm_time_ns              at;      // 0: no prediction
    gm_str                  model;
} gm_maintain_asset;

typedef struct gm_maintain_case {  // everything is in the arena
    const gm_maintain_request *request;
    gm_time_ns                 now, first;   // first: when the first window begins, the next whole multiple after now
    uint32_t                   windows;
    gm_maintain_asset         *assets;
    gm_window_group           *groups;       // those of the request, then those of consequence.h that bind
    uint32_t                   asset_count, group_count;
} gm_maintain_case;

// The request must stay where it is. Errors: GM_INVALID a query that is wrong, an asset that two kinds claim, a property without a
// number, a failure without a cost; GM_LIMIT more than GM_WINDOWS_JOBS_MAX assets; GM_NOMEM. Cost: the queries, a look-up for each asset, and consequence.h.
GM_NODISCARD gm_status gm_maintain_gather(const gm_maintain_world *world, const gm_maintain_request *request, gm_arena *arena, gm_time_ns now,
                                          gm_maintain_case *out, gm_error *err);

// Appends "status":...,"items":[...],... to out. A case without an answer is no error: its status is "infeasible", and "trouble"
// says which limits are in the way. stop: NULL, or whether it is not wanted any more: it then ends soon, with GM_CANCELLED. Errors: as
// gm_windows_solve and gm_policies_compare.
GM_NODISCARD gm_status gm_maintain_propose(const gm_alloc *alloc, const gm_maintain_case *c, const gm_mip_stop *stop, gm_buf *out, gm_error *err);

// When window v begins.
gm_time_ns gm_maintain_window(const gm_maintain_case *c, uint32_t v);

#endif
