// Two passes: translate (bottom-up, hash-consed), then merge `and` chains and copy what is still reachable. Gates are
// translated in an order found with a stack of our own.
#include "reliability/formula.h"

#include <assert.h>
#include <string.h>

typedef struct builder {
    gm_formula          *f;
    const gm_fault_tree *tree;
    uint32_t            *edge_of;   // [tree nodes] translated; UINT32_MAX: not yet
    uint32_t            *unique;    // hash table of formula nodes; 0: empty
    size_t               mask;
    uint32_t            *inputs;    // of the gate under way
    size_t               input_count, input_capacity;
    uint32_t            *last_seen; // [formula nodes] gate number * 2 + complement that met this node last
    size_t               seen_capacity;
    gm_status            st;
} builder;

static bool same(const gm_formula *f, const gm_formula_node *a, const gm_formula_node *b, const uint32_t *b_edges)
{
    return a->kind == b->kind && a->event == b->event && a->min == b->min && a->max == b->max && a->count == b->count &&
           (a->count == 0 || memcmp(f->edges + a->first, b_edges, a->count * sizeof *b_edges) == 0);
}

static uint64_t hash_of(const gm_formula_node *n, const uint32_t *edges)
{
    uint64_t h = n->kind * 31u + n->event * UINT64_C(0x9E3779B97F4A7C15) + n->min * 1000003u + n->max;
    for (uint32_t i = 0; i < n->count; i++) {
        h = (h ^ edges[i]) * UINT64_C(0xD6E8FEB86659FD93);
        h ^= h >> 29;
    }
    return h;
}

static bool grow_unique(builder *b)
{
    size_t    size  = b->mask == 0 ? 1024 : (b->mask + 1) * 2;
    uint32_t *fresh = gm_alloc_zeroed(b->f->alloc, size * sizeof *fresh);
    if (fresh == NULL) return false;
    for (uint32_t i = 1; i < b->f->count; i++) {
        size_t at = hash_of(&b->f->nodes[i], b->f->edges + b->f->nodes[i].first) & (size - 1);
        while (fresh[at] != 0) at = (at + 1) & (size - 1);
        fresh[at] = i;
    }
    gm_free(b->f->alloc, b->unique);
    b->unique = fresh;
    b->mask   = size - 1;
    return true;
}

// The node with these inputs, as an edge.
static uint32_t intern(builder *b, gm_formula_node n, const uint32_t *edges)
{
    gm_formula *f = b->f;
    if (b->st != GM_OK) return GM_FORMULA_TRUE;
    if (f->count * 2 > b->mask && !grow_unique(b)) { b->st = GM_NOMEM; return GM_FORMULA_TRUE; }
    size_t at = hash_of(&n, edges) & b->mask;
    for (; b->unique[at] != 0; at = (at + 1) & b->mask) {
        if (same(f, &f->nodes[b->unique[at]], &n, edges)) return b->unique[at] << 1;
    }
    if (!gm_alloc_reserve(f->alloc, &f->nodes, &f->node_capacity, f->count + 1, sizeof *f->nodes) ||
        !gm_alloc_reserve(f->alloc, &f->edges, &f->edge_capacity, f->edge_count + n.count + 1, sizeof *f->edges)) {
        b->st = GM_NOMEM;
        return GM_FORMULA_TRUE;
    }
    n.first = (uint32_t)f->edge_count;
    if (n.count > 0) memcpy(f->edges + f->edge_count, edges, n.count * sizeof *edges);
    f->edge_count += n.count;
    f->nodes[f->count] = n;
    b->unique[at]      = (uint32_t)f->count;
    return (uint32_t)f->count++ << 1;
}

static bool push_input(builder *b, uint32_t edge)
{
    if (!gm_alloc_reserve(b->f->alloc, &b->inputs, &b->input_capacity, b->input_count + 1, sizeof *b->inputs)) {
        b->st = GM_NOMEM;
        return false;
    }
    b->inputs[b->input_count++] = edge;
    return true;
}

// Has this gate met the node of the edge before? Returns the edge it met, or UINT32_MAX. stamps: [formula nodes]
static uint32_t met(builder *b, uint32_t edge, uint32_t gate)
{
    size_t before = b->seen_capacity;
    if (!gm_alloc_reserve(b->f->alloc, &b->last_seen, &b->seen_capacity, 2 * b->f->count, sizeof *b->last_seen)) { b->st = GM_NOMEM; return UINT32_MAX; }
    if (b->seen_capacity > before) memset(b->last_seen + before, 0, (b->seen_capacity - before) * sizeof *b->last_seen);
    uint32_t node = edge >> 1;
    if (b->last_seen[2 * node] == gate + 1) return node << 1;
    if (b->last_seen[2 * node + 1] == gate + 1) return node << 1 | 1;
    b->last_seen[edge] = gate + 1;
    return UINT32_MAX;
}

// and(inputs), each complemented when flip is 1. The order of the inputs stays, since it is where variables' order begins.
static uint32_t conjunction(builder *b, const uint32_t *edges, uint32_t count, uint32_t flip, uint32_t gate)
{
    b->input_count = 0;
    for (uint32_t i = 0; i < count && b->st == GM_OK; i++) {
        uint32_t edge = edges[i] ^ flip;
        if (edge == GM_FORMULA_FALSE) return GM_FORMULA_FALSE;
        if (edge == GM_FORMULA_TRUE) continue;
        uint32_t earlier = met(b, edge, gate);
        if (earlier == edge) continue;
        if (earlier == (edge ^ 1)) return GM_FORMULA_FALSE;
        push_input(b, edge);
    }
    if (b->input_count == 0) return GM_FORMULA_TRUE;
    if (b->input_count == 1) return b->inputs[0];
    return intern(b, (gm_formula_node){ .kind = GM_FORMULA_AND, .count = (uint32_t)b->input_count }, b->inputs);
}

static uint32_t parity(builder *b, const uint32_t *edges, uint32_t count)
{
    uint32_t mark  = 0;
    b->input_count = 0;
    for (uint32_t i = 0; i < count && b->st == GM_OK; i++) {
        mark ^= edges[i] & 1;
        uint32_t edge = edges[i] & ~1u;
        if (edge == GM_FORMULA_TRUE) { mark ^= 1; continue; }
        size_t k = 0;  // a pair of equals cancels; parity gates are small
        while (k < b->input_count && b->inputs[k] != edge) k++;
        if (k < b->input_count) memmove(b->inputs + k, b->inputs + k + 1, (--b->input_count - k) * sizeof *b->inputs);
        else push_input(b, edge);
    }
    if (b->input_count == 0) return GM_FORMULA_FALSE ^ mark;
    if (b->input_count == 1) return b->inputs[0] ^ mark;
    return intern(b, (gm_formula_node){ .kind = GM_FORMULA_XOR, .count = (uint32_t)b->input_count }, b->inputs) ^ mark;
}

static uint32_t cardinality(builder *b, const uint32_t *edges, uint32_t count, uint32_t min, uint32_t max, uint32_t gate)
{
    uint32_t sure = 0;
    b->input_count = 0;
    for (uint32_t i = 0; i < count && b->st == GM_OK; i++) {
        if (edges[i] == GM_FORMULA_TRUE) sure++;
        else if (edges[i] != GM_FORMULA_FALSE) push_input(b, edges[i]);
    }
    uint32_t n = (uint32_t)b->input_count;
    if (max < sure) return GM_FORMULA_FALSE;
    min = min > sure ? min - sure : 0;
    max = max - sure < n ? max - sure : n;
    if (min > n) return GM_FORMULA_FALSE;
    if (min == 0 && max == n) return GM_FORMULA_TRUE;
    uint32_t *copy = gm_alloc_array(b->f->alloc, n, sizeof *copy);
    if (copy == NULL) { b->st = GM_NOMEM; return GM_FORMULA_TRUE; }
    memcpy(copy, b->inputs, n * sizeof *copy);
    uint32_t edge;
    if (min == n) edge = conjunction(b, copy, n, 0, gate);
    else if (min == 1 && max == n) edge = conjunction(b, copy, n, 1, gate) ^ 1;
    else if (max == 0) edge = conjunction(b, copy, n, 1, gate);
    else edge = intern(b, (gm_formula_node){ .kind = GM_FORMULA_CARDINALITY, .min = min, .max = max, .count = n }, copy);
    gm_free(b->f->alloc, copy);
    return edge;
}

static uint32_t translate_gate(builder *b, uint32_t n, const gm_tree_view *v, uint32_t *edges)
{
    for (uint32_t i = 0; i < v->count; i++) {
        edges[i] = b->edge_of[gm_tree_target(v->inputs[i]).v] ^ (uint32_t)gm_tree_negated(v->inputs[i]);
    }
    switch (v->kind) {
    case GM_GATE_AND: return conjunction(b, edges, v->count, 0, n);
    case GM_GATE_OR: return conjunction(b, edges, v->count, 1, n) ^ 1;
    case GM_GATE_XOR: return parity(b, edges, v->count);
    default: return cardinality(b, edges, v->count, v->min, v->max, n);
    }
}

static gm_status translate(builder *b, uint32_t top)
{
    const gm_alloc *alloc = b->f->alloc;
    uint32_t        nodes = gm_fault_tree_count(b->tree), widest = 1;
    for (uint32_t i = 0; i < nodes; i++) {
        gm_tree_view v = gm_fault_tree_view(b->tree, (gm_tree_node){ i });
        if (v.count > widest) widest = v.count;
    }
    typedef struct { uint32_t node, next; } frame;
    frame    *stack = gm_alloc_array(alloc, nodes, sizeof *stack);
    uint32_t *edges = gm_alloc_array(alloc, widest, sizeof *edges);
    size_t    depth = 0;
    if (stack == NULL || edges == NULL) b->st = GM_NOMEM;
    else stack[depth++] = (frame){ top, 0 };
    while (depth > 0 && b->st == GM_OK) {
        frame       *at = &stack[depth - 1];
        gm_tree_view v  = gm_fault_tree_view(b->tree, (gm_tree_node){ at->node });
        while (at->next < v.count && b->edge_of[gm_tree_target(v.inputs[at->next]).v] != UINT32_MAX) at->next++;
        if (at->next < v.count) {
            stack[depth++] = (frame){ gm_tree_target(v.inputs[at->next++]).v, 0 };
            continue;
        }
        uint32_t edge;
        if (v.kind == GM_GATE_EVENT) edge = intern(b, (gm_formula_node){ .kind = GM_FORMULA_VARIABLE, .event = at->node }, NULL);
        else if (v.kind == GM_GATE_CONSTANT) edge = v.value ? GM_FORMULA_TRUE : GM_FORMULA_FALSE;
        else edge = translate_gate(b, at->node, &v, edges);
        b->edge_of[at->node] = edge;
        depth--;
    }
    gm_free(alloc, stack);
    gm_free(alloc, edges);
    b->f->root = b->st == GM_OK ? b->edge_of[top] : GM_FORMULA_TRUE;
    return b->st;
}

// ---- merging and tidying ---------------------------------------------------------------------------------------------------

// Counts the edges that lead to each node reachable from the root; nodes lie in topological order, so from the last back.
static void count_parents(gm_formula *f)
{
    for (size_t i = 0; i < f->count; i++) f->nodes[i].parents = 0;
    f->nodes[f->root >> 1].parents = 1;
    for (size_t i = f->count; i-- > 0;) {
        const gm_formula_node *n = &f->nodes[i];
        if (n->parents == 0) continue;
        for (uint32_t k = 0; k < n->count; k++) f->nodes[f->edges[n->first + k] >> 1].parents++;
    }
}

// A top that is a single event becomes a gate of one input, so that every formula that varies has a module.
static gm_status gate_the_root(gm_formula *f)
{
    if (f->nodes[f->root >> 1].kind != GM_FORMULA_VARIABLE) return GM_OK;
    if (!gm_alloc_reserve(f->alloc, &f->nodes, &f->node_capacity, f->count + 1, sizeof *f->nodes) ||
        !gm_alloc_reserve(f->alloc, &f->edges, &f->edge_capacity, f->edge_count + 1, sizeof *f->edges)) return GM_NOMEM;
    f->nodes[f->count]        = (gm_formula_node){ .kind = GM_FORMULA_AND, .first = (uint32_t)f->edge_count, .count = 1 };
    f->edges[f->edge_count++] = f->root;
    f->root                   = (uint32_t)f->count++ << 1;
    return GM_OK;
}

// An `and` used once, by another `and` and without complement, becomes part of it. Everything reachable is copied.
static gm_status merge(builder *b)
{
    gm_formula *f   = b->f;
    gm_formula  out = { .alloc = f->alloc, .coherent = f->coherent };
    uint32_t   *to  = gm_alloc_array(f->alloc, f->count, sizeof *to);   // where a node went
    gm_status   st  = to != NULL ? GM_OK : GM_NOMEM;
    count_parents(f);
    for (size_t i = 0; i < f->count && st == GM_OK; i++) {
        gm_formula_node n = f->nodes[i];
        to[i] = UINT32_MAX;
        if (n.parents == 0 && i != 0) continue;
        uint32_t first = (uint32_t)out.edge_count;
        if (!gm_alloc_reserve(f->alloc, &out.nodes, &out.node_capacity, out.count + 1, sizeof *out.nodes)) { st = GM_NOMEM; break; }
        for (uint32_t k = 0; k < n.count && st == GM_OK; k++) {
            uint32_t               edge  = f->edges[n.first + k];
            const gm_formula_node *child = &f->nodes[edge >> 1];
            gm_formula_node       *moved = &out.nodes[to[edge >> 1]];
            bool     inside = n.kind == GM_FORMULA_AND && child->kind == GM_FORMULA_AND && child->parents == 1 && !(edge & 1);
            uint32_t more   = inside ? moved->count : 1;
            if (!gm_alloc_reserve(f->alloc, &out.edges, &out.edge_capacity, out.edge_count + more, sizeof *out.edges)) { st = GM_NOMEM; break; }
            if (inside) memcpy(out.edges + out.edge_count, out.edges + moved->first, more * sizeof *out.edges);
            else out.edges[out.edge_count] = to[edge >> 1] << 1 | (edge & 1);
            out.edge_count += more;
        }
        n.first = first;
        n.count = (uint32_t)(out.edge_count - first);
        to[i]   = (uint32_t)out.count;
        out.nodes[out.count++] = n;
    }
    if (st == GM_OK) {
        out.root = to[f->root >> 1] << 1 | (f->root & 1);
        st       = gate_the_root(&out);
    }
    gm_free(f->alloc, to);
    gm_free(f->alloc, f->nodes);
    gm_free(f->alloc, f->edges);
    *f = out;
    if (st == GM_OK) count_parents(f);
    return st;
}

// Which nodes are needed true, which complemented, to make the root true.
static gm_status find_coherence(gm_formula *f)
{
    uint8_t *signs = gm_alloc_zeroed(f->alloc, f->count);  // bit 0: as it is, bit 1: complemented
    if (signs == NULL) return GM_NOMEM;
    signs[f->root >> 1] = f->root & 1 ? 2 : 1;
    f->coherent         = true;
    for (size_t i = f->count; i-- > 0;) {
        const gm_formula_node *n = &f->nodes[i];
        uint8_t                s = signs[i], turned = (uint8_t)((s >> 1 | s << 1) & 3);
        if (n->kind == GM_FORMULA_VARIABLE && (s & 2)) f->coherent = false;
        bool both = n->kind == GM_FORMULA_XOR || (n->kind == GM_FORMULA_CARDINALITY && n->max < n->count);
        for (uint32_t k = 0; k < n->count; k++) {
            uint32_t edge = f->edges[n->first + k];
            signs[edge >> 1] |= s == 0 ? 0 : both ? 3 : edge & 1 ? turned : s;
        }
    }
    gm_free(f->alloc, signs);
    return GM_OK;
}

// ---- modules: Dutuit and Rauzy, IEEE Transactions on Reliability 45 (1996) 422 ---------------------------------------------

typedef struct visit { uint32_t first, second, last, least, most; } visit;

// A gate is a module when nothing below it was met before its first visit or after its second.
static gm_status find_modules(gm_formula *f)
{
    typedef struct { uint32_t node, next; } frame;
    visit    *v     = gm_alloc_zeroed(f->alloc, f->count * sizeof *v);
    frame    *stack = gm_alloc_array(f->alloc, f->count, sizeof *stack);
    gm_status st    = v != NULL && stack != NULL ? GM_OK : GM_NOMEM;
    uint32_t  date  = 1;
    size_t    depth = 0;
    if (st != GM_OK) goto done;
    stack[depth++] = (frame){ f->root >> 1, 0 };
    v[f->root >> 1].first = v[f->root >> 1].last = date;
    while (depth > 0) {
        frame                 *at = &stack[depth - 1];
        const gm_formula_node *n  = &f->nodes[at->node];
        if (at->next == n->count) {
            v[at->node].second = v[at->node].last = ++date;
            depth--;
            continue;
        }
        uint32_t child = f->edges[n->first + at->next++] >> 1;
        date++;
        v[child].last = date;
        if (v[child].first != 0) continue;
        v[child].first = date;
        stack[depth++] = (frame){ child, 0 };
    }
    for (size_t i = 0; i < f->count; i++) {  // inputs first
        gm_formula_node *n = &f->nodes[i];
        if (v[i].first == 0) continue;
        uint32_t least = UINT32_MAX, most = 0;
        for (uint32_t k = 0; k < n->count; k++) {
            const visit *c = &v[f->edges[n->first + k] >> 1];
            if (c->least < least) least = c->least;
            if (c->most > most) most = c->most;
        }
        n->module  = n->count > 0 && least > v[i].first && most < v[i].second;
        v[i].least = least < v[i].first ? least : v[i].first;
        v[i].most  = most > v[i].last ? most : v[i].last;
    }
    f->nodes[f->root >> 1].module = f->nodes[f->root >> 1].count > 0;
done:
    gm_free(f->alloc, v);
    gm_free(f->alloc, stack);
    return st;
}

gm_status gm_formula_create(const gm_alloc *alloc, const gm_fault_tree *tree, gm_tree_node top, gm_formula **out_formula, gm_error *err)
{
    gm_formula *f = gm_alloc_zeroed(alloc, sizeof *f);
    *out_formula  = NULL;
    if (f == NULL) return gm_fail(err, GM_NOMEM, "reliability", "preparing a fault tree");
    f->alloc  = alloc;
    builder b = { .f = f, .tree = tree, .edge_of = gm_alloc_array(alloc, gm_fault_tree_count(tree), sizeof *b.edge_of) };
    gm_status st = GM_NOMEM;
    if (b.edge_of != NULL && gm_alloc_reserve(alloc, &f->nodes, &f->node_capacity, 1, sizeof *f->nodes)) {
        memset(b.edge_of, 0xff, gm_fault_tree_count(tree) * sizeof *b.edge_of);
        f->nodes[f->count++] = (gm_formula_node){ .kind = GM_FORMULA_CONSTANT };
        st = translate(&b, top.v);
    }
    if (st == GM_OK) st = merge(&b);
    if (st == GM_OK) st = find_coherence(f);
    if (st == GM_OK) st = find_modules(f);
    gm_free(alloc, b.edge_of);
    gm_free(alloc, b.unique);
    gm_free(alloc, b.inputs);
    gm_free(alloc, b.last_seen);
    if (st == GM_OK) { *out_formula = f; return GM_OK; }
    gm_formula_destroy(f);
    return gm_fail(err, st, "reliability", "preparing a fault tree");
}

void gm_formula_destroy(gm_formula *f)
{
    if (f == NULL) return;
    gm_free(f->alloc, f->nodes);
    gm_free(f->alloc, f->edges);
    gm_free(f->alloc, f);
}
