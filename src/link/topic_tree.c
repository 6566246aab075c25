#include "link/topic_tree.h"

#include <assert.h>

gm_status gm_topic_tree_init(gm_topic_tree *tree, const gm_alloc *alloc)
{
    *tree = (gm_topic_tree){ .alloc = alloc, .free = GM_TREE_NONE };
    if (!gm_alloc_reserve(alloc, &tree->nodes, &tree->capacity, 1, sizeof *tree->nodes)) return GM_NOMEM;
    tree->nodes[0] = (gm_topic_node) {
        .parent = GM_TREE_NONE, .first_child = GM_TREE_NONE, .next = GM_TREE_NONE, .previous = GM_TREE_NONE
    };
    tree->count    = 1;
    return GM_OK;
}

void gm_topic_tree_finish(gm_topic_tree *tree)
{
    if (tree->alloc == NULL) return;
    for (size_t i = 0; i < tree->count; i++) gm_free(tree->alloc, tree->nodes[i].name);
    gm_free(tree->alloc, tree->nodes);
    gm_free(tree->alloc, tree->slots);
    *tree = (gm_topic_tree){ 0 };
}

static uint32_t hash_of(uint32_t parent, gm_str level)
{
    uint64_t hash = gm_str_hash(level) ^ (uint64_t)parent * UINT64_C(0x9e3779b97f4a7c15);
    hash *= UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(hash >> 32);
}

uint32_t gm_topic_tree_child(const gm_topic_tree *tree, uint32_t parent, gm_str level)
{
    if (tree->slots == NULL || tree->nodes[parent].first_child == GM_TREE_NONE) return GM_TREE_NONE;
    uint32_t hash = hash_of(parent, level);
    for (size_t i = hash & tree->mask;; i = (i + 1) & tree->mask) {
        uint32_t id = tree->slots[i];
        if (id == GM_TREE_NONE) return GM_TREE_NONE;
        const gm_topic_node *node = &tree->nodes[id];
        if (node->hash == hash && node->parent == parent && gm_str_eq((gm_str) { node->name, node->name_len }, level))
            return id;
    }
}

static void place(gm_topic_tree *tree, uint32_t id)
{
    size_t i = tree->nodes[id].hash & tree->mask;
    while (tree->slots[i] != GM_TREE_NONE) i = (i + 1) & tree->mask;
    tree->slots[i] = id;
}

static gm_status grow_slots(gm_topic_tree *tree)
{
    size_t slots = tree->slots != NULL ? tree->mask + 1 : 0;
    if (slots > 0 && (tree->live + 1) * 2 <= slots) return GM_OK;
    size_t    grown = slots > 0 ? slots * 2 : 32;
    uint32_t *fresh = gm_alloc_array(tree->alloc, grown, sizeof *fresh);
    if (fresh == NULL) return GM_NOMEM;
    memset(fresh, 0xff, grown * sizeof *fresh);
    uint32_t *old = tree->slots;
    tree->slots   = fresh;
    tree->mask    = grown - 1;
    for (size_t i = 0; i < slots; i++) {
        if (old[i] != GM_TREE_NONE) place(tree, old[i]);
    }
    gm_free(tree->alloc, old);
    return GM_OK;
}

static gm_status add_child(gm_topic_tree *tree, uint32_t parent, gm_str level, uint32_t *out_node)
{
    gm_status st = grow_slots(tree);
    if (st != GM_OK) return st;
    if (tree->free == GM_TREE_NONE && (tree->count >= GM_TREE_NONE - 1 ||
        !gm_alloc_reserve(tree->alloc, &tree->nodes, &tree->capacity, tree->count + 1, sizeof *tree->nodes))) {
        return GM_NOMEM;
    }
    char *name = gm_alloc_bytes(tree->alloc, level.len);
    if (name == NULL) return GM_NOMEM;
    if (level.len > 0) memcpy(name, level.ptr, level.len);

    uint32_t id = tree->free;
    if (id != GM_TREE_NONE) tree->free = tree->nodes[id].next;
    else id = (uint32_t)tree->count++;
    uint32_t first   = tree->nodes[parent].first_child;
    tree->nodes[id]  = (gm_topic_node) { .parent      = parent,
                                         .first_child = GM_TREE_NONE,
                                         .next        = first,
                                         .previous    = GM_TREE_NONE,
                                         .hash        = hash_of(parent, level),
                                         .name        = name,
                                         .name_len    = (uint32_t)level.len };
    if (first != GM_TREE_NONE) tree->nodes[first].previous = id;
    tree->nodes[parent].first_child = id;
    place(tree, id);
    tree->live++;
    *out_node = id;
    return GM_OK;
}

uint32_t gm_topic_tree_find(const gm_topic_tree *tree, gm_str text)
{
    uint32_t node = GM_TREE_ROOT;
    gm_str   level;
    while (node != GM_TREE_NONE && gm_str_next(&text, '/', &level)) node = gm_topic_tree_child(tree, node, level);
    return node;
}

gm_status gm_topic_tree_add(gm_topic_tree *tree, gm_str text, uint32_t *out_node)
{
    uint32_t node = GM_TREE_ROOT;
    gm_str   level;
    while (gm_str_next(&text, '/', &level)) {
        uint32_t child = gm_topic_tree_child(tree, node, level);
        if (child == GM_TREE_NONE) {
            gm_status st = add_child(tree, node, level, &child);
            if (st != GM_OK) {
                gm_topic_tree_prune(tree, node);
                return st;
            }
        }
        node = child;
    }
    *out_node = node;
    return GM_OK;
}

// Takes the node's entry out of the hash table and closes the gap, as base/index.c does.
static void unhash(gm_topic_tree *tree, uint32_t node)
{
    size_t hole = tree->nodes[node].hash & tree->mask;
    while (tree->slots[hole] != node) hole = (hole + 1) & tree->mask;
    for (size_t i = (hole + 1) & tree->mask; tree->slots[i] != GM_TREE_NONE; i = (i + 1) & tree->mask) {
        size_t home = tree->nodes[tree->slots[i]].hash & tree->mask;
        if (((i - home) & tree->mask) >= ((i - hole) & tree->mask)) {
            tree->slots[hole] = tree->slots[i];
            hole              = i;
        }
    }
    tree->slots[hole] = GM_TREE_NONE;
}

void gm_topic_tree_prune(gm_topic_tree *tree, uint32_t node)
{
    while (node != GM_TREE_ROOT && tree->nodes[node].value == NULL && tree->nodes[node].first_child == GM_TREE_NONE) {
        gm_topic_node *n = &tree->nodes[node];
        unhash(tree, node);
        if (n->previous != GM_TREE_NONE) tree->nodes[n->previous].next = n->next;
        else tree->nodes[n->parent].first_child = n->next;
        if (n->next != GM_TREE_NONE) tree->nodes[n->next].previous = n->previous;
        uint32_t parent = n->parent;
        gm_free(tree->alloc, n->name);
        *n = (gm_topic_node) {
            .parent = GM_TREE_NONE, .first_child = GM_TREE_NONE, .next = tree->free, .previous = GM_TREE_NONE
        };
        tree->free = node;
        tree->live--;
        node = parent;
    }
}

// ---- matching: recursion is bounded by GM_TOPIC_LEVELS_MAX, which every text was checked for --------------------
typedef struct search {
    const gm_topic_tree *tree;
    gm_topic_tree_each  *each;
    void                *context;
} search;

static void report(const search *s, uint32_t node)
{
    if (node != GM_TREE_NONE && s->tree->nodes[node].value != NULL)
        s->each(s->context, node, s->tree->nodes[node].value);
}

static void descend_filters(const search *s, uint32_t node, gm_str rest, bool wildcards)
{
    if (wildcards) report(s, gm_topic_tree_child(s->tree, node, GM_STR("#")));  // '#' also stands for no further level
    gm_str level;
    if (!gm_str_next(&rest, '/', &level)) {
        report(s, node);
        return;
    }
    if (s->tree->nodes[node].first_child == GM_TREE_NONE) return;
    uint32_t child = gm_topic_tree_child(s->tree, node, level);
    if (child != GM_TREE_NONE) descend_filters(s, child, rest, true);
    child = wildcards ? gm_topic_tree_child(s->tree, node, GM_STR("+")) : GM_TREE_NONE;
    if (child != GM_TREE_NONE) descend_filters(s, child, rest, true);
}

void gm_topic_tree_filters_of(const gm_topic_tree *tree, gm_str topic, gm_topic_tree_each *each, void *context)
{
    assert(topic.len > 0);
    const search s = { tree, each, context };
    descend_filters(&s, GM_TREE_ROOT, topic, topic.ptr[0] != '$');
}

static bool is_system(const gm_topic_node *node)
{
    return node->name_len > 0 && node->name[0] == '$';
}

static void report_below(const search *s, uint32_t node, bool at_root)
{
    report(s, node);
    for (uint32_t c = s->tree->nodes[node].first_child; c != GM_TREE_NONE; c = s->tree->nodes[c].next) {
        if (!(at_root && is_system(&s->tree->nodes[c]))) report_below(s, c, false);
    }
}

static void descend_topics(const search *s, uint32_t node, gm_str rest)
{
    bool   at_root = node == GM_TREE_ROOT;
    gm_str level;
    if (!gm_str_next(&rest, '/', &level)) {
        report(s, node);
    } else if (gm_str_is(level, "#")) {
        report_below(s, node, at_root);
    } else if (gm_str_is(level, "+")) {
        for (uint32_t c = s->tree->nodes[node].first_child; c != GM_TREE_NONE; c = s->tree->nodes[c].next) {
            if (!(at_root && is_system(&s->tree->nodes[c]))) descend_topics(s, c, rest);
        }
    } else {
        uint32_t child = gm_topic_tree_child(s->tree, node, level);
        if (child != GM_TREE_NONE) descend_topics(s, child, rest);
    }
}

void gm_topic_tree_topics_of(const gm_topic_tree *tree, gm_str filter, gm_topic_tree_each *each, void *context)
{
    const search s = { tree, each, context };
    descend_topics(&s, GM_TREE_ROOT, filter);
}

void gm_topic_tree_text(const gm_topic_tree *tree, uint32_t node, gm_buf *out)
{
    enum { DEEPEST = 512 };  // GM_TOPIC_LEVELS_MAX keeps names well below
    uint32_t path[DEEPEST];
    size_t   n = 0;
    for (; node != GM_TREE_ROOT && n < DEEPEST; node = tree->nodes[node].parent) path[n++] = node;
    while (n-- > 0) {
        const gm_topic_node *at = &tree->nodes[path[n]];
        gm_buf_str(out, (gm_str){ at->name, at->name_len });
        if (n > 0) gm_buf_byte(out, '/');
    }
}
