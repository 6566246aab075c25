// link/topic_tree.h: texts cut at '/' as a tree: subscriptions by filter, retained messages by topic.
//
// A node is one level below its parent; the path to it spells the text. A node lives as long as it has a value or
// children. Finding a child is one probe of a hash table over (parent, level), for all nodes together.
#ifndef GM_LINK_TOPIC_TREE_H
#define GM_LINK_TOPIC_TREE_H

#include "base/buf.h"
#include "base/str.h"

#define GM_TREE_NONE UINT32_MAX
enum { GM_TREE_ROOT = 0 };

typedef struct gm_topic_node {
    uint32_t parent, first_child, next, previous;  // siblings in a list; free nodes in one through next
    uint32_t hash, name_len;
    char    *name;                                 // the level's text
    void    *value;                                // the user's; NULL when the path only leads on
} gm_topic_node;

typedef struct gm_topic_tree {
    gm_topic_node  *nodes;
    size_t          count, capacity;   // used so far, free ones included
    uint32_t        free;
    uint32_t       *slots;             // node numbers, open addressing
    size_t          mask, live;
    const gm_alloc *alloc;
} gm_topic_tree;

GM_NODISCARD gm_status gm_topic_tree_init(gm_topic_tree *tree, const gm_alloc *alloc);
void                   gm_topic_tree_finish(gm_topic_tree *tree);  // values are the user's to release before

// The child of a node with that level text, or GM_TREE_NONE.
uint32_t gm_topic_tree_child(const gm_topic_tree *tree, uint32_t parent, gm_str level);

// The node of a whole text; made when absent. GM_NOMEM: the tree may have gained nodes without a value (harmless).
uint32_t               gm_topic_tree_find(const gm_topic_tree *tree, gm_str text);
GM_NODISCARD gm_status gm_topic_tree_add(gm_topic_tree *tree, gm_str text, uint32_t *out_node);

// Appends the text that leads to a node.
void gm_topic_tree_text(const gm_topic_tree *tree, uint32_t node, gm_buf *out);

// Removes a node that has neither value nor children, and its parents as far as the same is true of them.
void gm_topic_tree_prune(gm_topic_tree *tree, uint32_t node);

// For a topic name: every node with a value whose path, as a filter, matches it. For a filter: every node with a value
// whose path, as a topic name, is matched by it. Nothing may be added or removed from inside each.
typedef void gm_topic_tree_each(void *context, uint32_t node, void *value);
void gm_topic_tree_filters_of(const gm_topic_tree *tree, gm_str topic, gm_topic_tree_each *each, void *context);
void gm_topic_tree_topics_of(const gm_topic_tree *tree, gm_str filter, gm_topic_tree_each *each, void *context);

#endif
