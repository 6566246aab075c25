// reliability/formula.h: what is below a top event in the few kinds of node that the calculation needs: variables, `and`
// of edges that may be complemented (an `or` is a complemented `and` of complements), parity, cardinality. Constants are
// gone, equal gates are one gate, an `and` inside an `and` is one `and`, and the modules are found: gates that share no
// variable with the rest, so that each can be calculated by itself.
//
//   gm_formula *f;
//   gm_formula_create(alloc, tree, top, &f, &err);
//   f->root            // an edge; GM_FORMULA_TRUE and GM_FORMULA_FALSE where nothing varies
#ifndef GM_RELIABILITY_FORMULA_H
#define GM_RELIABILITY_FORMULA_H

#include "reliability/tree.h"

typedef enum gm_formula_kind { GM_FORMULA_CONSTANT, GM_FORMULA_VARIABLE, GM_FORMULA_AND, GM_FORMULA_XOR, GM_FORMULA_CARDINALITY } gm_formula_kind;

// Node 0 is the constant true.
enum { GM_FORMULA_TRUE = 0, GM_FORMULA_FALSE = 1 };

typedef struct gm_formula_node {
    uint8_t  kind;
    bool     module;      // shares nothing with what is outside of it
    uint32_t event;       // VARIABLE: the tree's node
    uint32_t min, max;    // CARDINALITY
    uint32_t first, count;  // inputs: f->edges[first ...]: node * 2 + complement
    uint32_t parents;     // edges that lead here
} gm_formula_node;

typedef struct gm_formula {
    const gm_alloc  *alloc;
    gm_formula_node *nodes;  // inputs come before the gates that use them
    uint32_t        *edges;
    size_t           count, edge_count, node_capacity, edge_capacity;
    uint32_t         root;   // an edge
    bool             coherent;  // no event helps: none is used complemented
} gm_formula;

// The tree has passed gm_fault_tree_check for top. GM_NOMEM, GM_LIMIT.
GM_NODISCARD gm_status gm_formula_create(const gm_alloc *alloc, const gm_fault_tree *tree, gm_tree_node top, gm_formula **out_formula,
                                         gm_error *err);
void                   gm_formula_destroy(gm_formula *f);

#endif
