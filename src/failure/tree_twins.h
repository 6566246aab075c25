// failure/tree_twins.h: fault trees as twins: gates, basic events and house events, with relationships `input` from a gate to what it is
// over. Written from a tree (an Open-PSA file, say), and read back from the live graph by failure/fault_tree.h.
//
//   gm_tree_twins_models()                                  // DTDL: dtmi:gemel:faulttree:Gate;1, BasicEvent;1, HouseEvent;1
//   gm_tree_twins_write(tree, top, &out, &err);             // the bulk import format: twins/NAME.ndjson
//
// A gate has its `connective` (and, or, xor, atleast; cardinality with `least` and `most`), an input may be `negated`, an event has its
// `probability`, a house event its `state`. `name` is the one that the file had; ids are made of it.
#ifndef GM_FAILURE_TREE_TWINS_H
#define GM_FAILURE_TREE_TWINS_H

#include "base/buf.h"
#include "reliability/tree.h"
#include "state/state.h"

#define GM_TREE_TWIN_GATE  GM_STR("dtmi:gemel:faulttree:Gate;1")
#define GM_TREE_TWIN_EVENT GM_STR("dtmi:gemel:faulttree:BasicEvent;1")
#define GM_TREE_TWIN_HOUSE GM_STR("dtmi:gemel:faulttree:HouseEvent;1")

gm_str gm_tree_twins_models(void);

// Appends the part of the tree below top. GM_NOMEM.
GM_NODISCARD gm_status gm_tree_twins_write(const gm_fault_tree *tree, gm_tree_node top, gm_buf *out, gm_error *err);

// ---- read back, as the twins are now ---------------------------------------------------------------------------------------------
typedef enum gm_tree_twin_kind { GM_TREE_TWIN_NONE, GM_TREE_TWIN_IS_GATE, GM_TREE_TWIN_IS_EVENT, GM_TREE_TWIN_IS_HOUSE } gm_tree_twin_kind;
gm_tree_twin_kind gm_tree_twin_kind_of(const gm_type *type);  // NONE: a twin of a plant like any other

// A gate's connective; `least` and `most` of CARDINALITY. kind NONE: it has none. inputs: how many it has.
typedef struct gm_tree_twin_gate { gm_gate kind; uint32_t least, most; } gm_tree_twin_gate;
gm_tree_twin_gate gm_tree_twin_gate_of(const gm_state *state, gm_twin gate, uint32_t inputs);
bool              gm_tree_twin_negated(const gm_state *state, gm_edge input);
double            gm_tree_twin_probability(const gm_state *state, gm_twin event);  // NaN: it has none
bool              gm_tree_twin_on(const gm_state *state, gm_twin house);
gm_str            gm_tree_twin_text(const gm_state *state, gm_twin twin, gm_str path);  // "label", "connective"; empty: none. Viewed

#endif
