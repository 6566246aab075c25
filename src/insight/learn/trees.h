// insight/learn/trees.h: an ensemble of regression trees, evaluated here, so that a prediction needs neither the
// library
// that grew them nor trust in a file: what is decoded is checked to be finite trees over the stated features.
//
//   gm_trees_decode(alloc, bytes, n, features, &trees, &used, &err);
//   y = gm_trees_predict(trees, x);
//   gm_trees_destroy(trees);
#ifndef GM_INSIGHT_LEARN_TREES_H
#define GM_INSIGHT_LEARN_TREES_H

#include "base/buf.h"

typedef struct gm_trees gm_trees;  // immutable after it is made

// One node as it is added: a leaf has left 0 and its value in `split`; otherwise x[feature] < split goes left (and
// NaN where
// `missing_left` says). Children come after their parent, right after left or not; indices within the tree.
typedef struct gm_tree_node { uint32_t left, right; uint16_t feature; bool missing_left; float split; } gm_tree_node;

enum { GM_TREES_MAX = 20000, GM_TREE_NODES_MAX = 65535, GM_TREES_NODES_MAX = 8000000, GM_TREES_FEATURES_MAX = 8192 };

GM_NODISCARD gm_status gm_trees_create(const gm_alloc *alloc, uint32_t features, float base, gm_trees **out, gm_error *err);
// Adds a tree of n nodes (copied). GM_INVALID: children that do not come after their parent, a feature out of
// range, a value
// that is not finite; GM_LIMIT; GM_NOMEM. The ensemble is then as before.
GM_NODISCARD gm_status gm_trees_add(gm_trees *trees, const gm_tree_node *nodes, uint32_t n, gm_error *err);
void                   gm_trees_destroy(gm_trees *trees);

// The sum of base and one leaf per tree.   x [features], NaN: no value
float    gm_trees_predict(const gm_trees *trees, const float *x);
uint32_t gm_trees_features(const gm_trees *trees);
uint32_t gm_trees_count(const gm_trees *trees);

// Adds to gain[feature] how often each feature splits, weighted by the share of the depth it stands at (1/(1+depth)): a
// rough order of what matters.  gain [features]
void gm_trees_usage(const gm_trees *trees, double *gain);

// Format: docs/formats/rul.md. Decode reads exactly one ensemble from the front and says how long it was.
void                   gm_trees_encode(const gm_trees *trees, gm_buf *out);
GM_NODISCARD gm_status gm_trees_decode(const gm_alloc *alloc, const uint8_t *bytes, size_t n, gm_trees **out, size_t *out_used,
                                       gm_error *err);

#endif
