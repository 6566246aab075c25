// reliability/analyse.h: what a fault tree amounts to: the probability of its top, what contributes, what is enough.
//
//   gm_reliability_options o = gm_reliability_options_defaults(clock);
//   gm_reliability *r;
//   st = gm_reliability_analyse(alloc, tree, top, &o, &r, &err);
//   gm_reliability_summarise(r).probability                    // exact, or .low and .high and why not
//   gm_reliability_event(r, pump1).birnbaum
//   gm_reliability_destroy(r);
//
// Exact by binary decision diagrams of modules (diagram.h), minimal cut sets as zero-suppressed diagrams (cuts.h). What
// does not fit the memory or time allowed is refused with its reason, and bounds are given where they can be.
// Importance after W. E. Vesely et al., NUREG/CR-3385: with P the top's probability, p the event's, P1 and P0 the top's when
// the event is sure or impossible: Birnbaum P1 - P0, Fussell-Vesely (P - P0) / P, risk achievement worth P1 / P, risk
// reduction worth P / P0. Where they would divide by zero they are NaN.
#ifndef GM_RELIABILITY_ANALYSE_H
#define GM_RELIABILITY_ANALYSE_H

#include "base/time.h"
#include "reliability/tree.h"

typedef struct gm_reliability gm_reliability;

typedef struct gm_reliability_options {
    const gm_clock *clock;
    gm_dur_ns       time_max;     // for everything
    size_t          memory_max;   // bytes, about
    bool            cut_sets, importance;
    bool            from_gates;   // cut sets by the second method: a check
} gm_reliability_options;

gm_reliability_options gm_reliability_options_defaults(const gm_clock *clock);  // 60 s, 3 GB, both

typedef struct gm_reliability_summary {
    bool         exact;          // probability holds; otherwise it lies between low and high
    double       probability, low, high;  // NaN: an event that matters has no probability
    gm_tree_node unknown;        // then: one such event
    bool         coherent;
    bool         cut_sets_known;
    size_t       order_count;    // cut sets of orders 0 .. order_count - 1
    size_t       events, modules, diagram_nodes;
    const char  *why;            // why something is missing; NULL when nothing is. Viewed
} gm_reliability_summary;

typedef struct gm_event_importance { double probability, birnbaum, fussell_vesely, achievement, reduction; } gm_event_importance;

// tree: has passed gm_fault_tree_check for top; must outlive the result. Errors: GM_NOMEM. A limit that was met is no
// error but an answer.
GM_NODISCARD gm_status gm_reliability_analyse(const gm_alloc *alloc, const gm_fault_tree *tree, gm_tree_node top,
                                              const gm_reliability_options *options, gm_reliability **out_result, gm_error *err);
void                   gm_reliability_destroy(gm_reliability *r);

gm_reliability_summary gm_reliability_summarise(const gm_reliability *r);

// How many minimal cut sets have so many events, in decimal; up to 39 digits. out: [48]
void gm_reliability_cut_sets(const gm_reliability *r, size_t order, char *out);
void gm_reliability_cut_sets_total(const gm_reliability *r, char *out);

// exact only; all zero for an event that does not matter.
gm_event_importance gm_reliability_event(const gm_reliability *r, gm_tree_node event);

// Probability of the top for other probabilities of its events: the diagram serves again. probability: [tree nodes].
// exact only. O(diagram nodes).
GM_NODISCARD gm_status gm_reliability_again(const gm_reliability *r, const double *probability, double *out, gm_error *err);

// The likeliest cut sets: see gm_cuts_list.
typedef void gm_reliability_each_cut(void *context, const uint32_t *events, size_t count, double probability);
GM_NODISCARD gm_status gm_reliability_list(gm_reliability *r, size_t most, gm_reliability_each_cut *each, void *context, gm_error *err);

#endif
