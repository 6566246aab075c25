// reliability/bdd.h: Boolean functions as reduced ordered binary decision diagrams with complement edges.
//
//   gm_dd_init(&dd, alloc, &limits, GM_BDD_SHIFT);
//   uint32_t f = gm_bdd_and(&dd, gm_bdd_variable(&dd, 0), gm_bdd_not(gm_bdd_variable(&dd, 1)));   // x0 and not x1
//
// An edge is a node number times two, plus one where the function is the complement of the node's. Any operation on
// GM_DD_NONE gives GM_DD_NONE; dd->st then says why. Operations: Brace, Rudell and Bryant, DAC 1990.
#ifndef GM_RELIABILITY_BDD_H
#define GM_RELIABILITY_BDD_H

#include "reliability/dd.h"

enum { GM_BDD_SHIFT = 1, GM_BDD_ONE = 0, GM_BDD_ZERO = 1 };

static inline uint32_t gm_bdd_not(uint32_t f) { return f == GM_DD_NONE ? f : f ^ 1; }

uint32_t gm_bdd_variable(gm_dd *dd, uint32_t level);
uint32_t gm_bdd_ite(gm_dd *dd, uint32_t f, uint32_t g, uint32_t h);  // f ? g : h
uint32_t gm_bdd_and(gm_dd *dd, uint32_t f, uint32_t g);
uint32_t gm_bdd_or(gm_dd *dd, uint32_t f, uint32_t g);
uint32_t gm_bdd_xor(gm_dd *dd, uint32_t f, uint32_t g);

// At least min and at most max of the functions are true. work: [count + 2]. O(count * max) operations.
uint32_t gm_bdd_cardinality(gm_dd *dd, const uint32_t *functions, uint32_t count, uint32_t min, uint32_t max, uint32_t *work);

// The function where the variable at its top is true or false.
static inline uint32_t gm_bdd_high(const gm_dd *dd, uint32_t f) { return dd->nodes[f >> 1].high ^ (f & 1); }
static inline uint32_t gm_bdd_low(const gm_dd *dd, uint32_t f)  { return dd->nodes[f >> 1].low ^ (f & 1); }

#endif
