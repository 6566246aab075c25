// failure/impact.h: what stops when one twin fails: who, when, along which relationship, how likely, at what cost, and which redundancy
// is left.
//
//   gm_impact_options o = gm_impact_options_defaults(clock);
//   gm_impact         impact;
//   st = gm_impact_find(failures, &moment, pump1, &o, &impact, &err);
//   impact.items[i].twin ...
//   gm_impact_finish(&impact);
//
// Goes forward from the twin: what is not reached costs nothing but a byte to be cleared. In three steps: what happens anyhow, because of
// what stands now; what the twin's failure adds to it; and what then hangs on one single further failure. Gates of fault trees that are
// twins (tree_twins.h) are followed like needs. All are counted; the first ones are listed.
#ifndef GM_FAILURE_IMPACT_H
#define GM_FAILURE_IMPACT_H

#include "failure/failures.h"
#include "state/fence.h"

enum { GM_IMPACT_NEXT_MAX = 16 };

#define GM_IMPACT_NO_NEED UINT32_MAX
#define GM_IMPACT_GATE    (UINT32_MAX - 1)  // in place of a need: the twin is a gate of a fault tree

typedef struct gm_impact_options {
    const gm_clock *clock;
    gm_dur_ns       horizon;     // what comes later is left out
    gm_str          mode;        // by which mode it fails; empty: whichever, at once
    size_t          list_max;    // items and spares that are listed; all are counted
    const gm_fence *fence;       // who asks sees these: others count, and are not named. NULL: all
    size_t          exact_max;   // twins at risk whose probability is calculated, the nearest first
    gm_dur_ns       time_max;    // for these calculations together
} gm_impact_options;

gm_impact_options gm_impact_options_defaults(const gm_clock *clock);  // a day, 1000 listed, 32 twins, 15 ms

typedef struct gm_impact_item {
    gm_twin           twin;
    gm_twin           via;          // whose failure it is that it feels; GM_NONE: it is the failed one itself, or that one is hidden
    gm_edge           edge;         // the relationship between them
    uint32_t          need;         // that is not met; GM_IMPACT_NO_NEED: the failed one itself; GM_IMPACT_GATE
    bool              certain;      // stops for sure; otherwise with one more failure
    gm_failure_effect effect;
    double            delay_s;      // certain: from the failure; otherwise: from the further one
    double            probability;  // that it stops within the horizon, given the failure; NaN: not calculated
    double            otherwise;    // the same had the failure not happened; NaN: not calculated
    double            cost;         // if it stops so soon, until the horizon
    const gm_failure_loss *loss;    // NULL: none is declared. Viewed
} gm_impact_item;

typedef struct gm_impact_spare {    // a need that has lost some and still is met
    gm_twin  twin;
    uint32_t need;                  // or GM_IMPACT_GATE: inputs that may come true
    uint32_t needed, working, of;   // working - needed: how many more may fail
    gm_twin  next[GM_IMPACT_NEXT_MAX];  // those whose failure alone would be one too many
    uint32_t next_count;            // may be more than are listed
} gm_impact_spare;

typedef struct gm_impact {
    const gm_alloc  *alloc;
    gm_impact_item  *items;         // [count] certain ones first, then by delay; the failed one is the first
    size_t           count;         // that are listed
    size_t           stops, degraded, at_risk;  // of all. stops: certain and beyond the failed one
    size_t           hidden;        // of those that would be listed: outside the fence
    gm_impact_spare *spares;        // [spare_count]
    size_t           spare_count;
    size_t           standing;      // twins that have stopped already
    gm_str           injects;       // of the mode asked about, in the twin's behavior; empty: not said. Viewed
    double           cost, risk_cost;  // of what is certain; expected of what is at risk, as far as probabilities are known
    bool             stands;        // the twin has failed already
    bool             more;          // than are listed
    const char      *why;           // why probabilities are missing; NULL: none is
} gm_impact;

// GM_NOTFOUND: the twin has no mode of that name. GM_INVALID: gates that negate lie in a circle. GM_NOMEM.
// Cost: what is reached, and once for each change of the graph all of it (failure/web.h).
GM_NODISCARD gm_status gm_impact_find(gm_failures *failures, const gm_failure_moment *at, gm_twin twin, const gm_impact_options *options,
                                      gm_impact *out, gm_error *err);
void                   gm_impact_finish(gm_impact *impact);

#endif
