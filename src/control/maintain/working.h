// control/maintain/working.h: a proposal while it is made: what is worked out (proposal.c) and then written (proposal_write.c).
#ifndef GM_CONTROL_MAINTAIN_WORKING_H
#define GM_CONTROL_MAINTAIN_WORKING_H

#include "control/maintain/policies.h"
#include "control/maintain/proposal.h"

typedef struct gm_maintain_working {
    const gm_alloc         *alloc;
    const gm_maintain_case *c;
    gm_arena               *arena;
    gm_windows              w;
    gm_window_job          *jobs;
    double                 *rates, *best;  // [assets] cost of the long run for each hour, and the age that makes it
    uint32_t               *begins;
    gm_windows_answer       answer;
} gm_maintain_working;

// Hours from the moment that is planned from.
static inline double gm_maintain_hours(const gm_maintain_case *c, gm_time_ns at) { return (double)(at - c->now) / 3600e9; }

// Is there a plan, or only the reason why there is none?
static inline bool gm_maintain_answered(const gm_maintain_working *w) { return w->answer.end != GM_MIP_INFEASIBLE && w->answer.end != GM_MIP_NOTHING; }

// Appends the members of a JSON object. GM_NOMEM.
GM_NODISCARD gm_status gm_maintain_write(const gm_maintain_working *w, gm_buf *out, gm_error *err);
// ,"compare":{...}
void gm_maintain_write_policies(const gm_policy_outcome *all, double hours, const gm_maintain_request *q, gm_buf *out);

#endif
