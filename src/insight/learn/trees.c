// Trees in one array of nodes, one after the other.
#include "insight/learn/trees.h"

#include "base/le.h"

#include <math.h>

struct gm_trees {
    const gm_alloc *alloc;
    uint32_t        features, count;
    float           base;
    gm_tree_node   *nodes; // of all trees; children are indices within the tree
    size_t          node_count, node_capacity;
    uint32_t       *first; // [count]: a tree's root
    size_t          first_capacity;
};

gm_status gm_trees_create(const gm_alloc *alloc, uint32_t features, float base, gm_trees **out, gm_error *err)
{
    *out = NULL;
    if (features == 0 || features > GM_TREES_FEATURES_MAX)
        return gm_fail(err, GM_INVALID, "insight.trees", "%u features, 1 to %d are possible", features,
                       GM_TREES_FEATURES_MAX);
    if (!isfinite(base)) return gm_fail(err, GM_INVALID, "insight.trees", "the base is not a number");
    gm_trees *t = gm_alloc_zeroed(alloc, sizeof *t);
    if (t == NULL) return gm_fail(err, GM_NOMEM, "insight.trees", "trees");
    t->alloc    = alloc;
    t->features = features;
    t->base     = base;
    *out        = t;
    return GM_OK;
}

void gm_trees_destroy(gm_trees *t)
{
    if (t == NULL) return;
    gm_free(t->alloc, t->nodes);
    gm_free(t->alloc, t->first);
    gm_free(t->alloc, t);
}

static bool node_is_sound(const gm_trees *t, const gm_tree_node *node, uint32_t i, uint32_t n)
{
    if (!isfinite(node->split)) return false;
    if (node->left == 0) return true;
    // Children behind their parent: every walk ends.
    return node->left > i && node->right > i && node->left < n && node->right < n && node->feature < t->features;
}

gm_status gm_trees_add(gm_trees *t, const gm_tree_node *nodes, uint32_t n, gm_error *err)
{
    if (n == 0) return gm_fail(err, GM_INVALID, "insight.trees", "a tree without nodes");
    if (n > GM_TREE_NODES_MAX || t->count >= GM_TREES_MAX || t->node_count + n > GM_TREES_NODES_MAX)
        return gm_fail(err, GM_LIMIT, "insight.trees", "tree %u with %u nodes is too much", t->count, n);
    for (uint32_t i = 0; i < n; i++)
        if (!node_is_sound(t, &nodes[i], i, n))
            return gm_fail(err, GM_INVALID, "insight.trees", "tree %u: node %u is not sound", t->count, i);
    if (!gm_alloc_reserve(t->alloc, &t->nodes, &t->node_capacity, t->node_count + n, sizeof *t->nodes) ||
        !gm_alloc_reserve(t->alloc, &t->first, &t->first_capacity, t->count + (size_t)1, sizeof *t->first))
        return gm_fail(err, GM_NOMEM, "insight.trees", "tree %u", t->count);
    memcpy(t->nodes + t->node_count, nodes, n * sizeof *nodes);
    t->first[t->count++] = (uint32_t)t->node_count;
    t->node_count += n;
    return GM_OK;
}

float gm_trees_predict(const gm_trees *t, const float *x)
{
    double sum = t->base;
    for (uint32_t i = 0; i < t->count; i++) {
        const gm_tree_node *root = t->nodes + t->first[i], *node = root;
        while (node->left != 0) {
            float v    = x[node->feature];
            bool  left = isnan(v) ? node->missing_left : v < node->split;
            node       = root + (left ? node->left : node->right);
        }
        sum += node->split;
    }
    return (float)sum;
}

uint32_t gm_trees_features(const gm_trees *t)
{
    return t->features;
}
uint32_t gm_trees_count(const gm_trees *t)
{
    return t->count;
}

static void usage_below(const gm_tree_node *root, uint32_t at, uint32_t depth, double *gain)
{
    enum { DEPTH_MAX = 64 };
    const gm_tree_node *node = root + at;
    if (node->left == 0 || depth > DEPTH_MAX) return;
    gain[node->feature] += 1.0 / (1 + depth);
    usage_below(root, node->left, depth + 1, gain);
    usage_below(root, node->right, depth + 1, gain);
}

void gm_trees_usage(const gm_trees *t, double *gain)
{
    for (uint32_t i = 0; i < t->count; i++) usage_below(t->nodes + t->first[i], 0, 0, gain);
}

// ---- bytes ----------------------------------------------------------------------------------------------------------

enum { HEADER_BYTES = 16, NODE_BYTES = 12 };
#define MISSING_LEFT 0x8000u // in the node's feature field; features stay below

static void add_u32(gm_buf *out, uint32_t v)
{
    uint8_t b[4];
    gm_put_u32(b, v);
    gm_buf_add(out, b, sizeof b);
}

static uint32_t bits_of(float v)
{
    uint32_t u;
    memcpy(&u, &v, sizeof u);
    return u;
}

static float float_of(uint32_t u)
{
    float v;
    memcpy(&v, &u, sizeof v);
    return v;
}

static uint32_t tree_nodes(const gm_trees *t, uint32_t i)
{
    size_t end = i + 1 < t->count ? t->first[i + 1] : t->node_count;
    return (uint32_t)(end - t->first[i]);
}

void gm_trees_encode(const gm_trees *t, gm_buf *out)
{
    add_u32(out, t->features);
    add_u32(out, bits_of(t->base));
    add_u32(out, t->count);
    add_u32(out, (uint32_t)t->node_count);
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t n = tree_nodes(t, i);
        add_u32(out, n);
        for (uint32_t k = 0; k < n; k++) {
            const gm_tree_node *node = &t->nodes[t->first[i] + k];
            uint8_t             b[NODE_BYTES];
            gm_put_u16(b, (uint16_t)node->left);
            gm_put_u16(b + 2, (uint16_t)node->right);
            gm_put_u16(b + 4, (uint16_t)(node->feature | (node->missing_left ? MISSING_LEFT : 0)));
            gm_put_u16(b + 6, 0);
            gm_put_u32(b + 8, bits_of(node->split));
            gm_buf_add(out, b, sizeof b);
        }
    }
}

static gm_status decode_tree(gm_trees *t, const uint8_t *bytes, uint32_t n, gm_tree_node *scratch, gm_error *err)
{
    for (uint32_t k = 0; k < n; k++) {
        const uint8_t *b = bytes + (size_t)k * NODE_BYTES;
        uint16_t       f = gm_get_u16(b + 4);
        scratch[k]       = (gm_tree_node) { .left         = gm_get_u16(b),
                                            .right        = gm_get_u16(b + 2),
                                            .feature      = (uint16_t)(f & ~MISSING_LEFT),
                                            .missing_left = (f & MISSING_LEFT) != 0,
                                            .split        = float_of(gm_get_u32(b + 8)) };
    }
    return gm_trees_add(t, scratch, n, err);
}

gm_status gm_trees_decode(const gm_alloc *alloc, const uint8_t *bytes, size_t n, gm_trees **out, size_t *out_used,
                          gm_error *err)
{
    *out = NULL;
    if (n < HEADER_BYTES) return gm_fail(err, GM_CORRUPT, "insight.trees", "%zu bytes are no trees", n);
    uint32_t      count   = gm_get_u32(bytes + 8);
    size_t        at      = HEADER_BYTES;
    gm_trees     *t       = NULL;
    gm_tree_node *scratch = gm_alloc_array(alloc, GM_TREE_NODES_MAX, sizeof *scratch);
    if (scratch == NULL) return gm_fail(err, GM_NOMEM, "insight.trees", "decoding");
    gm_status st = gm_trees_create(alloc, gm_get_u32(bytes), float_of(gm_get_u32(bytes + 4)), &t, err);
    for (uint32_t i = 0; st == GM_OK && i < count; i++) {
        uint32_t nodes = n - at >= 4 ? gm_get_u32(bytes + at) : 0;
        at += 4;
        if (nodes == 0 || nodes > GM_TREE_NODES_MAX || at > n || (n - at) / NODE_BYTES < nodes) {
            st = gm_fail(err, GM_CORRUPT, "insight.trees", "tree %u of %u is cut off", i, count);
            break;
        }
        st = decode_tree(t, bytes + at, nodes, scratch, err);
        at += (size_t)nodes * NODE_BYTES;
    }
    gm_free(alloc, scratch);
    if (st == GM_INVALID) err != NULL ? (void)(err->status = GM_CORRUPT) : (void)0, st = GM_CORRUPT;
    if (st != GM_OK) {
        gm_trees_destroy(t);
        return st;
    }
    *out      = t;
    *out_used = at;
    return GM_OK;
}
