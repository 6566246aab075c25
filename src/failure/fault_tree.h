// failure/fault_tree.h: the fault tree below a twin of the live graph, for reliability/analyse.h.
//
//   gm_failure_tree_options o = { .horizon_h = 24, .given = { GM_NONE }, .twins_max = 100000 };
//   st = gm_failure_tree_build(failures, &moment, plant, &o, &tree, &err);
//   gm_reliability_analyse(alloc, tree.tree, tree.top, &options, &r, &err);     // within the horizon, nothing repaired
//   gm_reliability_again(r, tree.unavailability, &q, &err);                    // down at the horizon's end, repairs counted
//   gm_failure_tree_finish(&tree);
//
// A gate for each twin that the root depends on, named by its id: a mode of its own, or a need that is not met. Delays do not count:
// what will stop it sooner or later counts as soon as it has happened.
//
// Standby: which units of a group are down at the horizon follows from failure/markov.h and is not independent. It is put into the tree
// exactly: unit i fails "by itself" or "after" others, each with the probability that makes the sets of units come out as the chain has
// them. Modes of units in a group that follow a Weibull law or a life count with the constant rate of the same probability.
#ifndef GM_FAILURE_FAULT_TREE_H
#define GM_FAILURE_FAULT_TREE_H

#include "failure/failures.h"
#include "reliability/tree.h"

typedef struct gm_failure_tree_options {
    double   horizon_h;
    gm_twin  given;      // this one fails now, and stays so; GM_NONE: nobody
    uint32_t twins_max;  // larger trees are refused
    const gm_clock *clock;   // NULL: it may take as long as it takes
    gm_time_ns      until;   // of this clock, monotonic: refused then
} gm_failure_tree_options;

typedef struct gm_failure_event {
    gm_tree_node node;
    gm_twin      twin;   // GM_NONE: of a common cause
    uint32_t     mode;   // GM_NONE: of a standby group
    double       probability, unavailability;
    bool         stands, known;
} gm_failure_event;

typedef struct gm_failure_tree {
    const gm_alloc   *alloc;
    gm_fault_tree    *tree;
    gm_tree_node      top;
    gm_failure_event *events;           // in the order of their making
    size_t            count, capacity;
    double           *unavailability;   // [nodes of the tree], of events
    uint32_t          twins;
    uint32_t          hot_instead;      // standby needs that count as hot: a unit belongs to another one, or too many wait
} gm_failure_tree;

// The tree has passed gm_fault_tree_check. Errors: GM_INVALID: twins need one another in a loop; the text names it.
// GM_LIMIT: more than twins_max. GM_NOMEM.
GM_NODISCARD gm_status gm_failure_tree_build(gm_failures *failures, const gm_failure_moment *at, gm_twin root,
                                             const gm_failure_tree_options *options, gm_failure_tree *out, gm_error *err);
void                   gm_failure_tree_finish(gm_failure_tree *tree);

#endif
