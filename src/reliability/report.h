// reliability/report.h: what a fault tree amounts to as JSON: the members that files and live twins have in common.
//
//   {"top":"no water","top_probability":2.1e-4,"exact":true,"bounds":[..],"cut_sets":{"1":3,"2":7},"cut_sets_total":10,
//    "coherent":true,"events":12,"modules":4,"diagram_nodes":31,"likeliest_cut_sets":[{"events":["pump1"],"probability":1e-4}],
//    "importance":[{"event":"pump1","probability":..,"birnbaum":..,...}],"why":null,"seconds":0.01}
#ifndef GM_RELIABILITY_REPORT_H
#define GM_RELIABILITY_REPORT_H

#include "base/buf.h"
#include "reliability/analyse.h"

typedef struct gm_reliability_report {
    size_t cut_sets;    // list so many of the likeliest; 0: no such member
    size_t importance;  // so many events, those that matter most first
    double seconds;     // that it took
} gm_reliability_report;

// Appends the members, without braces. GM_LIMIT, GM_NOMEM: the cut sets could not be listed; what is written is whole all the same.
GM_NODISCARD gm_status gm_reliability_write_report(const gm_alloc *alloc, gm_reliability *r, const gm_fault_tree *tree, gm_tree_node top,
                                                   const gm_reliability_report *report, gm_buf *out, gm_error *err);

// The events that matter, most first; freed by the caller. NULL: memory was refused.
typedef struct gm_ranked_event { gm_tree_node node; gm_event_importance i; } gm_ranked_event;
GM_NODISCARD gm_ranked_event *gm_reliability_rank(const gm_alloc *alloc, const gm_fault_tree *tree, const gm_reliability *r, size_t *out_count);

#endif
