// reliability/zbdd.h: families of sets of variables as zero-suppressed decision diagrams: cut sets, by the million.
//
//   gm_dd_init(&dd, alloc, &limits, GM_ZBDD_SHIFT);
//   uint32_t cuts = gm_zbdd_minimal_solutions(&bdds, f, turned, &dd);
//
// high holds the sets with the variable (taken out), low those without. Families are kept minimal: no set of a family
// contains another. Source: Rauzy, Reliability Engineering and System Safety 40 (1993) 203; Minato, DAC 1993.
#ifndef GM_RELIABILITY_ZBDD_H
#define GM_RELIABILITY_ZBDD_H

#include "reliability/dd.h"

enum { GM_ZBDD_SHIFT = 0, GM_ZBDD_EMPTY = 0, GM_ZBDD_UNIT = 1 };  // no set; the empty set alone

uint32_t gm_zbdd_make(gm_dd *dd, uint32_t level, uint32_t high, uint32_t low);

// All of these give minimal families when given minimal ones.
uint32_t gm_zbdd_union(gm_dd *dd, uint32_t a, uint32_t b);
uint32_t gm_zbdd_product(gm_dd *dd, uint32_t a, uint32_t b);  // unions of a set of each
uint32_t gm_zbdd_without(gm_dd *dd, uint32_t a, uint32_t b);  // the sets of a that contain no set of b

// The smallest sets of variables that make f true while all others are false. For a function that only rises with its
// variables these are its minimal cut sets. f: an edge of bdds (bdd.h).
//   turned  [levels] not 0: the variable stands for its complement
uint32_t gm_zbdd_minimal_solutions(const gm_dd *bdds, uint32_t f, const uint8_t *turned, gm_dd *dd);

#endif
