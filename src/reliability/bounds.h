// reliability/bounds.h: what can be said for certain of a module that is too large for a diagram: its probability lies
// between two numbers, and the longer one looks the closer they get.
//
// The module is split on the event that it uses most, and each half again, the widest first. What a part can be is bounded
// gate by gate: without any assumption by Frechet's inequalities, and where all inputs of a gate rise together (association:
// Esary, Proschan and Walkup, Annals of Mathematical Statistics 38 (1967) 1466) by the product.
#ifndef GM_RELIABILITY_BOUNDS_H
#define GM_RELIABILITY_BOUNDS_H

#include "base/time.h"
#include "reliability/order.h"

typedef struct gm_interval { double low, high; } gm_interval;

// leaves: [m->leaf_count] what is known of each. coherent: every leaf is used with one sign only. GM_NOMEM.
GM_NODISCARD gm_status gm_bounds_find(const gm_formula *f, const gm_module *m, const gm_interval *leaves, bool coherent,
                                      const gm_clock *clock, gm_time_ns deadline, gm_interval *out);

#endif
