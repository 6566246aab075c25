// reliability/cuts.h: the minimal cut sets of a formula: how many of each order, and the likeliest ones by name.
//
//   gm_cuts c;
//   st = gm_cuts_find(&c, &diagram, &limits, &err);          // the exact families, a module at a time
//   gm_cuts_count(&c, &orders);                              // orders.counts[2]: cut sets of two events
//   gm_cuts_list(&c, probability, 20, each, context);        // the likeliest 20
//   gm_cuts_finish(&c);
//
// For a formula in which events also help (it is not coherent), these are the smallest sets of events that bring the top
// about while all other events stay away.
#ifndef GM_RELIABILITY_CUTS_H
#define GM_RELIABILITY_CUTS_H

#include "reliability/diagram.h"

// Counts beyond 128 bits stay at the largest.
__extension__ typedef unsigned __int128 gm_huge;
#define GM_HUGE_MAX (~(gm_huge)0)

typedef struct gm_orders {
    gm_huge *counts;  // [count] by order, from 0; freed by the owner
    size_t   count;
} gm_orders;

typedef struct gm_cuts {
    const gm_diagram *diagram;
    gm_dd             dd;
    uint32_t         *families;  // [modules] minimal solutions of each module as it is used: see turned
    bool             *turned;    // [modules] the module is true with no event at all, so that its complement is kept
} gm_cuts;

// GM_LIMIT, GM_CANCELLED (too large; the deadline), GM_NOMEM. The diagram is whole.
GM_NODISCARD gm_status gm_cuts_find(gm_cuts *c, const gm_diagram *d, const gm_dd_limits *limits, gm_error *err);

// The same found another way, from the gates up without diagrams of functions: slower, and a check on the first. Modules
// are not used. Coherent formulas only (GM_INVALID).
GM_NODISCARD gm_status gm_cuts_find_from_gates(gm_cuts *c, const gm_diagram *d, const gm_dd_limits *limits, gm_error *err);
void                   gm_cuts_finish(gm_cuts *c);

GM_NODISCARD gm_status gm_cuts_count(const gm_cuts *c, gm_orders *out_orders, gm_error *err);

// Calls each for at most `most` cut sets, the likeliest first (of equals the shorter). Names are the tree's nodes.
// GM_LIMIT: the sets without modules are too many to lay side by side.
typedef void gm_cuts_each(void *context, const uint32_t *events, size_t count, double probability);
GM_NODISCARD gm_status gm_cuts_list(gm_cuts *c, const double *probability, size_t most, gm_cuts_each *each, void *context,
                                    gm_error *err);

#endif
