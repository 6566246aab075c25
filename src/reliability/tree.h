// reliability/tree.h: a fault tree: gates over basic events, any Boolean formula, shared parts allowed.
//
//   gm_fault_tree *t = gm_fault_tree_create(alloc);
//   gm_tree_node pump1 = gm_fault_tree_name(t, GM_STR("pump1 fails"));          // names come into being when first used
//   gm_fault_tree_event(t, pump1, 1e-3, &err);
//   gm_tree_edge both[] = { gm_tree_is(pump1), gm_tree_is(pump2) };
//   gm_fault_tree_gate(t, no_water, GM_GATE_AND, 0, 0, both, 2, &err);
//   gm_fault_tree_check(t, no_water, &err);                                     // everything defined, no loop
//   gm_reliability_analyse(t, no_water, &options, &result, &err);               // reliability/analyse.h
//
// One thread builds a tree; after the check any number may read it.
#ifndef GM_RELIABILITY_TREE_H
#define GM_RELIABILITY_TREE_H

#include "base/alloc.h"
#include "base/str.h"

typedef struct gm_fault_tree gm_fault_tree;
typedef struct gm_tree_node { uint32_t v; } gm_tree_node;
typedef struct gm_tree_edge { uint32_t v; } gm_tree_edge;  // a node, or its negation

static inline gm_tree_edge gm_tree_is(gm_tree_node node)        { return (gm_tree_edge){ node.v << 1 }; }
static inline gm_tree_edge gm_tree_not(gm_tree_edge edge)       { return (gm_tree_edge){ edge.v ^ 1 }; }
static inline gm_tree_node gm_tree_target(gm_tree_edge edge)    { return (gm_tree_node){ edge.v >> 1 }; }
static inline bool         gm_tree_negated(gm_tree_edge edge)   { return edge.v & 1; }

enum { GM_TREE_NODES_MAX = 1 << 24 };

typedef enum gm_gate {
    GM_GATE_NONE,      // named somewhere, not defined yet
    GM_GATE_EVENT,     // a basic event, with a probability
    GM_GATE_CONSTANT,  // a house event: true or false
    GM_GATE_AND,
    GM_GATE_OR,
    GM_GATE_XOR,       // an odd number of inputs is true
    GM_GATE_CARDINALITY  // at least `min` and at most `max` inputs are true; "k out of n" has max = n
} gm_gate;

typedef struct gm_tree_view {
    gm_gate             kind;
    gm_str              name, label;  // empty: has none
    double              probability;  // EVENT; NaN: not known
    bool                value;        // CONSTANT
    uint32_t            min, max;     // CARDINALITY
    const gm_tree_edge *inputs;       // [count]
    uint32_t            count;
    uint32_t            parents;      // gates that name it
} gm_tree_view;

GM_NODISCARD gm_fault_tree *gm_fault_tree_create(const gm_alloc *alloc);  // NULL: memory was refused
void                        gm_fault_tree_destroy(gm_fault_tree *t);

// The node of a name, made when there is none. Names are copied. GM_NOMEM, or GM_LIMIT beyond GM_TREE_NODES_MAX, is
// remembered and reported by the next call that returns a status.
gm_tree_node gm_fault_tree_name(gm_fault_tree *t, gm_str name);
gm_tree_node gm_fault_tree_anonymous(gm_fault_tree *t);
bool         gm_fault_tree_find(const gm_fault_tree *t, gm_str name, gm_tree_node *out_node);
void         gm_fault_tree_label(gm_fault_tree *t, gm_tree_node node, gm_str label);

// Each defines a node that was not defined before. Errors: GM_CONFLICT  it was; GM_INVALID  a probability outside 0..1
// (NaN is allowed: not known), a gate without inputs, more true inputs asked for than there are; GM_NOMEM, GM_LIMIT.
GM_NODISCARD gm_status gm_fault_tree_event(gm_fault_tree *t, gm_tree_node node, double probability, gm_error *err);
GM_NODISCARD gm_status gm_fault_tree_constant(gm_fault_tree *t, gm_tree_node node, bool value, gm_error *err);
GM_NODISCARD gm_status gm_fault_tree_gate(gm_fault_tree *t, gm_tree_node node, gm_gate kind, uint32_t min, uint32_t max,
                                          const gm_tree_edge *inputs, uint32_t count, gm_error *err);

// Changes what is known of an event. GM_INVALID as above.
GM_NODISCARD gm_status gm_fault_tree_set(gm_fault_tree *t, gm_tree_node event, double probability, gm_error *err);

// Errors: GM_INVALID  a name below top is not defined, or a gate contains itself (the text names the loop).
GM_NODISCARD gm_status gm_fault_tree_check(const gm_fault_tree *t, gm_tree_node top, gm_error *err);

uint32_t     gm_fault_tree_count(const gm_fault_tree *t);
gm_tree_view gm_fault_tree_view(const gm_fault_tree *t, gm_tree_node node);  // viewed until the tree changes

#endif
