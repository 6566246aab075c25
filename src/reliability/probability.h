// reliability/probability.h: the exact probability of every module, and how the top answers to each event.
//
// Sums of products of numbers in 0..1 only: P(f) and P(not f) are both carried along instead of one being 1 minus the
// other, so that 1e-14 has as many true digits as 0.5.
#ifndef GM_RELIABILITY_PROBABILITY_H
#define GM_RELIABILITY_PROBABILITY_H

#include "reliability/diagram.h"

typedef struct gm_chance { double yes, no; } gm_chance;  // P(f), P(not f)

// Probabilities of all modules for events of the given probabilities (NaN spreads).
//   probability  [tree nodes], of events          out_modules  [d->module_count]
// The diagram is whole. GM_NOMEM. O(nodes).
GM_NODISCARD gm_status gm_probability(const gm_diagram *d, const double *probability, gm_chance *out_modules);

// The derivative of the top's probability by each event's: Birnbaum's importance. Zero for events that do not matter.
//   modules  what gm_probability gave        out_birnbaum  [tree nodes]
GM_NODISCARD gm_status gm_probability_slopes(const gm_diagram *d, const double *probability, const gm_chance *modules, size_t tree_nodes,
                                             double *out_birnbaum);

#endif
