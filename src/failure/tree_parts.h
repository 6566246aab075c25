// failure/tree_parts.h: a fault tree in the making; inside failure/ only.
#ifndef GM_FAILURE_TREE_PARTS_H
#define GM_FAILURE_TREE_PARTS_H

#include "failure/fault_tree.h"

typedef struct gm_tree_edges { gm_tree_edge *items; size_t count, capacity; } gm_tree_edges;

typedef struct gm_tree_member {  // a twin that has a gate
    uint32_t     twin;
    gm_tree_node node;
    bool         grouped;        // its own modes are in `own`, as a unit of a standby group
    bool         expanded;
    gm_tree_edge own;
} gm_tree_member;

typedef struct gm_tree_common { uint32_t common, place; gm_tree_node node; } gm_tree_common;

typedef struct gm_tree_maker {
    gm_failures                   *failures;
    const gm_failure_moment       *at;
    const gm_failure_tree_options *options;
    gm_failure_tree               *out;
    uint32_t                      *place;    // [twins] index into members + 1; 0: not met
    gm_tree_member                *members;
    size_t                         member_count, member_capacity;
    gm_tree_common                *common;   // events of common causes that have been made
    size_t                         common_count, common_capacity;
    gm_tree_edges                  inputs;   // of the gate being made
    gm_status                      st;
    gm_error                      *err;
} gm_tree_maker;

// Failures are kept in m->st; what fails does nothing after that.
void          gm_tree_keep(gm_tree_maker *m, gm_status st);
void          gm_tree_put(gm_tree_maker *m, gm_tree_edges *to, gm_tree_edge edge);
gm_tree_edge  gm_tree_event(gm_tree_maker *m, const gm_failure_event *event, gm_str name, gm_str label);  // the node is filled in
gm_tree_edge  gm_tree_gate(gm_tree_maker *m, gm_gate kind, uint32_t min, const gm_tree_edge *inputs, size_t count);  // without a name
gm_tree_edge  gm_tree_constant(gm_tree_maker *m, bool value);
gm_tree_member *gm_tree_member_of(gm_tree_maker *m, gm_twin twin);  // NULL: failed. Moves when another one is made

// The twin's own failing by a mode that stops it, its share of common causes taken out.
typedef struct gm_tree_own { gm_failure_chance chance; uint32_t common; double beta; } gm_tree_own;  // common GM_NONE: none
gm_tree_own   gm_tree_own_mode(gm_tree_maker *m, gm_twin twin, uint32_t mode);
gm_tree_edge  gm_tree_common_event(gm_tree_maker *m, gm_twin twin, uint32_t mode, uint32_t common);

// standby.c: makes a group of a need's neighbours. False: it can not be one (or failed).
bool gm_tree_standby(gm_tree_maker *m, uint32_t need, const gm_twin *units, uint32_t count);

#endif
