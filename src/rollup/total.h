// rollup/total.h: what some members amount to. Joining is associative, so that any grouping of members gives the same but for
// rounding, and nothing is ever taken away: an extreme that goes is found again among those that are left.
#ifndef GM_ROLLUP_TOTAL_H
#define GM_ROLLUP_TOTAL_H

#include "rollup/definition.h"

typedef struct gm_rollup_total {
    double   terms[GM_ROLLUP_TERMS];  // sums: see gm_rollup_take
    double   low, high;               // of the first term; WORST: of the state's number
    uint64_t count, missing;          // members that contribute; those that have the property and no value
} gm_rollup_total;

typedef struct gm_rollup_result {
    double   value;            // NaN: no member contributes, or nothing to divide by
    gm_str   state;            // WORST; empty: none. Viewed in the definition
    uint64_t count, missing;
    uint64_t working;          // K_OF_N: value is 1 when it is at least k
    double   availability, performance, quality;  // OEE
} gm_rollup_result;

void gm_rollup_clear(gm_rollup_total *total);
void gm_rollup_join(gm_rollup_total *total, const gm_rollup_total *more);

// Adds one member. values [term_count]: K_OF_N 1 or 0; WORST the number of its state; a boolean 1 or 0. NaN among them: missing.
void gm_rollup_take(gm_rollup_total *total, const gm_rollup_definition *d, const double *values);

// Adds many members whose values lie in columns: as many takes, one after the other. NaN: missing.
void gm_rollup_take_rows(gm_rollup_total *total, const gm_rollup_definition *d, const double *const *columns, const uint32_t *rows, size_t count);

gm_rollup_result gm_rollup_finish(const gm_rollup_definition *d, const gm_rollup_total *total);

#endif
