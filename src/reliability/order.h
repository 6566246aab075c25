// reliability/order.h: the part of a formula that is one module, and the orders in which its variables may be asked.
// The size of a decision diagram hangs on the order; no rule is good for all trees, so there are several.
//
//   gm_module m;
//   gm_module_open(f, root, &m);
//   for (gm_order_rule rule = 0; rule < GM_ORDER_COUNT; rule++) gm_order_find(f, &m, rule, leaves);
//   gm_module_close(&m);
#ifndef GM_RELIABILITY_ORDER_H
#define GM_RELIABILITY_ORDER_H

#include "reliability/formula.h"

typedef enum gm_order_rule {
    GM_ORDER_DEPTH,    // as a depth-first walk meets them
    GM_ORDER_FORCE,    // the same, then pulled together until gates span little: Aloul, Markov and Sakallah, GLSVLSI 2003
    GM_ORDER_LIGHT,    // depth first, small parts first
    GM_ORDER_SHARED,   // depth first, parts with much in common with others first
    GM_ORDER_WEIGHT,   // most influence on the top first: Minato, Ishiura and Yajima, DAC 1990
    GM_ORDER_COUNT
} gm_order_rule;

typedef struct gm_module {
    const gm_alloc *alloc;
    uint32_t        root;               // node
    uint32_t       *gates, *leaves;     // nodes, inputs before gates; leaves: variables and the roots of other modules
    size_t          gate_count, leaf_count, gate_capacity, leaf_capacity;
    uint32_t       *local;              // [formula nodes] position among leaves, or leaf_count + position among gates
} gm_module;

GM_NODISCARD gm_status gm_module_open(const gm_formula *f, uint32_t root, gm_module *out_module);  // GM_NOMEM
void                   gm_module_close(gm_module *m);

// out_leaves: [leaf_count] positions among m->leaves, the first asked first. GM_NOMEM. O(size), WEIGHT: O(leaves * size).
GM_NODISCARD gm_status gm_order_find(const gm_formula *f, const gm_module *m, gm_order_rule rule, uint32_t *out_leaves);

#endif
