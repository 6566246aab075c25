#include "reliability/order.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool is_leaf(const gm_formula *f, const gm_module *m, uint32_t node)
{
    return f->nodes[node].count == 0 || (f->nodes[node].module && node != m->root);
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

gm_status gm_module_open(const gm_formula *f, uint32_t root, gm_module *m)
{
    *m       = (gm_module){ .alloc = f->alloc, .root = root };
    m->local = gm_alloc_array(f->alloc, f->count, sizeof *m->local);
    if (m->local == NULL) return GM_NOMEM;
    memset(m->local, 0xff, f->count * sizeof *m->local);
    // Breadth first; the list of gates is the queue.
    bool room = gm_alloc_reserve(f->alloc, &m->gates, &m->gate_capacity, 1, sizeof *m->gates);
    if (room) m->gates[m->gate_count++] = root;
    for (size_t i = 0; room && i < m->gate_count; i++) {
        const gm_formula_node *n = &f->nodes[m->gates[i]];
        for (uint32_t k = 0; room && k < n->count; k++) {
            uint32_t child = f->edges[n->first + k] >> 1;
            if (m->local[child] != UINT32_MAX) continue;
            m->local[child] = 0;
            if (is_leaf(f, m, child)) {
                room = gm_alloc_reserve(f->alloc, &m->leaves, &m->leaf_capacity, m->leaf_count + 1, sizeof *m->leaves);
                if (room) m->leaves[m->leaf_count++] = child;
            } else {
                room = gm_alloc_reserve(f->alloc, &m->gates, &m->gate_capacity, m->gate_count + 1, sizeof *m->gates);
                if (room) m->gates[m->gate_count++] = child;
            }
        }
    }
    if (!room) { gm_module_close(m); return GM_NOMEM; }
    // A formula's nodes are numbered inputs first.
    qsort(m->gates, m->gate_count, sizeof *m->gates, by_number);
    for (size_t i = 0; i < m->leaf_count; i++) m->local[m->leaves[i]] = (uint32_t)i;
    for (size_t i = 0; i < m->gate_count; i++) m->local[m->gates[i]] = (uint32_t)(m->leaf_count + i);
    return GM_OK;
}

void gm_module_close(gm_module *m)
{
    if (m->alloc == NULL) return;
    gm_free(m->alloc, m->gates);
    gm_free(m->alloc, m->leaves);
    gm_free(m->alloc, m->local);
    *m = (gm_module){ 0 };
}

// ---- depth first, inputs sorted by a key -------------------------------------------------------------------------------------

typedef struct keyed { double key; uint32_t place, node; } keyed;

static int by_key(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

// keys: [leaves + gates], smaller first; NULL: in the order written.
static gm_status depth_first(const gm_formula *f, const gm_module *m, const double *keys, uint32_t *out)
{
    size_t    edges = 1;
    for (size_t i = 0; i < m->gate_count; i++) edges += f->nodes[m->gates[i]].count;
    uint8_t  *seen  = gm_alloc_zeroed(m->alloc, m->leaf_count + m->gate_count);
    uint32_t *stack = gm_alloc_array(m->alloc, edges, sizeof *stack);
    keyed    *sort  = gm_alloc_array(m->alloc, edges, sizeof *sort);
    gm_status st    = seen != NULL && stack != NULL && sort != NULL ? GM_OK : GM_NOMEM;
    size_t    depth = 0, found = 0;
    if (st == GM_OK) stack[depth++] = m->local[m->root];
    while (depth > 0) {
        uint32_t at = stack[--depth];
        if (seen[at]) continue;
        seen[at] = 1;
        if (at < m->leaf_count) { out[found++] = at; continue; }
        const gm_formula_node *n = &f->nodes[m->gates[at - m->leaf_count]];
        for (uint32_t k = 0; k < n->count; k++) {
            uint32_t child = m->local[f->edges[n->first + k] >> 1];
            sort[k] = (keyed){ keys != NULL ? keys[child] : 0, k, child };
        }
        if (keys != NULL) qsort(sort, n->count, sizeof *sort, by_key);
        for (uint32_t k = n->count; k-- > 0;) {
            if (!seen[sort[k].node]) stack[depth++] = sort[k].node;
        }
    }
    assert(st != GM_OK || found == m->leaf_count);
    gm_free(m->alloc, seen);
    gm_free(m->alloc, stack);
    gm_free(m->alloc, sort);
    return st;
}

// Leaves counted as often as paths lead to them: the size of a part, cheaply.
static void sizes(const gm_formula *f, const gm_module *m, double *out)
{
    for (size_t i = 0; i < m->leaf_count; i++) out[i] = 1;
    for (size_t i = 0; i < m->gate_count; i++) {
        const gm_formula_node *n   = &f->nodes[m->gates[i]];
        double                 sum = 0;
        for (uint32_t k = 0; k < n->count; k++) sum += out[m->local[f->edges[n->first + k] >> 1]];
        out[m->leaf_count + i] = sum;
    }
}

// Minus the mean number of parents of what lies below.
static void sharing(const gm_formula *f, const gm_module *m, const double *size, double *out)
{
    for (size_t i = 0; i < m->leaf_count; i++) out[i] = -(double)f->nodes[m->leaves[i]].parents;
    for (size_t i = 0; i < m->gate_count; i++) {
        const gm_formula_node *n   = &f->nodes[m->gates[i]];
        double                 sum = 0, weight = 0;
        for (uint32_t k = 0; k < n->count; k++) {
            uint32_t child = m->local[f->edges[n->first + k] >> 1];
            sum += out[child] * size[child];
            weight += size[child];
        }
        out[m->leaf_count + i] = sum / weight;
    }
}

// ---- force: every node moves to the middle of the gates it belongs to -----------------------------------------------------------

static double span_of(const gm_formula *f, const gm_module *m, const double *place)
{
    double total = 0;
    for (size_t i = 0; i < m->gate_count; i++) {
        const gm_formula_node *n  = &f->nodes[m->gates[i]];
        double                 lo = place[m->leaf_count + i], hi = lo;
        for (uint32_t k = 0; k < n->count; k++) {
            double x = place[m->local[f->edges[n->first + k] >> 1]];
            if (x < lo) lo = x;
            if (x > hi) hi = x;
        }
        total += hi - lo;
    }
    return total;
}

static void ranks(keyed *sort, size_t count, double *place)
{
    qsort(sort, count, sizeof *sort, by_key);
    for (size_t i = 0; i < count; i++) place[sort[i].node] = (double)i;
}

static gm_status force(const gm_formula *f, const gm_module *m, uint32_t *out)
{
    size_t    count = m->leaf_count + m->gate_count;
    double   *place = gm_alloc_zeroed(m->alloc, count * sizeof *place), *sum = gm_alloc_array(m->alloc, count, sizeof *sum);
    double   *degree = gm_alloc_array(m->alloc, count, sizeof *degree);
    keyed    *sort  = gm_alloc_array(m->alloc, count, sizeof *sort);
    gm_status st    = place != NULL && sum != NULL && degree != NULL && sort != NULL ? depth_first(f, m, NULL, out) : GM_NOMEM;
    if (st != GM_OK) goto done;
    // Gates begin in the middle of their inputs.
    for (size_t i = 0; i < m->leaf_count; i++) place[out[i]] = (double)i;
    for (size_t i = 0; i < m->gate_count; i++) {
        const gm_formula_node *n = &f->nodes[m->gates[i]];
        double                 s = 0;
        for (uint32_t k = 0; k < n->count; k++) s += place[m->local[f->edges[n->first + k] >> 1]];
        place[m->leaf_count + i] = s / n->count;
    }
    double best = span_of(f, m, place);
    for (int round = 0; round < 60; round++) {
        memset(sum, 0, count * sizeof *sum);
        memset(degree, 0, count * sizeof *degree);
        for (size_t i = 0; i < m->gate_count; i++) {
            const gm_formula_node *n      = &f->nodes[m->gates[i]];
            double                 center = place[m->leaf_count + i];
            for (uint32_t k = 0; k < n->count; k++) center += place[m->local[f->edges[n->first + k] >> 1]];
            center /= n->count + 1;
            sum[m->leaf_count + i] += center;
            degree[m->leaf_count + i]++;
            for (uint32_t k = 0; k < n->count; k++) {
                uint32_t child = m->local[f->edges[n->first + k] >> 1];
                sum[child] += center;
                degree[child]++;
            }
        }
        for (size_t i = 0; i < count; i++) sort[i] = (keyed){ sum[i] / degree[i], (uint32_t)i, (uint32_t)i };
        ranks(sort, count, place);
        double span = span_of(f, m, place);
        if (span >= best && round > 10) break;
        if (span >= best) continue;
        best         = span;
        size_t found = 0;
        for (size_t i = 0; i < count; i++) {
            if (sort[i].node < m->leaf_count) out[found++] = sort[i].node;
        }
    }
done:
    gm_free(m->alloc, place);
    gm_free(m->alloc, sum);
    gm_free(m->alloc, degree);
    gm_free(m->alloc, sort);
    return st;
}

// ---- weights: the top weighs 1, a gate's weight is shared by its inputs; the heaviest leaf is taken out, and again --------------

static gm_status weights(const gm_formula *f, const gm_module *m, uint32_t *out)
{
    size_t    count  = m->leaf_count + m->gate_count;
    double   *weight = gm_alloc_array(m->alloc, count, sizeof *weight);
    uint8_t  *gone   = gm_alloc_zeroed(m->alloc, count);
    gm_status st     = weight != NULL && gone != NULL ? GM_OK : GM_NOMEM;
    for (size_t taken = 0; st == GM_OK && taken < m->leaf_count; taken++) {
        memset(weight, 0, count * sizeof *weight);
        weight[count - 1] = 1;  // the root has the highest number
        for (size_t i = m->gate_count; i-- > 0;) {
            const gm_formula_node *n    = &f->nodes[m->gates[i]];
            uint32_t               left = 0;
            for (uint32_t k = 0; k < n->count; k++) left += !gone[m->local[f->edges[n->first + k] >> 1]];
            if (left == 0) { gone[m->leaf_count + i] = 1; continue; }
            for (uint32_t k = 0; k < n->count; k++) {
                uint32_t child = m->local[f->edges[n->first + k] >> 1];
                if (!gone[child]) weight[child] += weight[m->leaf_count + i] / left;
            }
        }
        uint32_t heaviest = UINT32_MAX;
        for (uint32_t i = 0; i < m->leaf_count; i++) {
            if (!gone[i] && (heaviest == UINT32_MAX || weight[i] > weight[heaviest])) heaviest = i;
        }
        gone[heaviest] = 1;
        out[taken]     = heaviest;
    }
    gm_free(m->alloc, weight);
    gm_free(m->alloc, gone);
    return st;
}

gm_status gm_order_find(const gm_formula *f, const gm_module *m, gm_order_rule rule, uint32_t *out_leaves)
{
    enum { WEIGHT_MAX = 4000 };  // leaves: the rule is quadratic
    if (rule == GM_ORDER_FORCE) return force(f, m, out_leaves);
    if (rule == GM_ORDER_WEIGHT && m->leaf_count <= WEIGHT_MAX) return weights(f, m, out_leaves);
    if (rule == GM_ORDER_DEPTH || rule == GM_ORDER_WEIGHT) return depth_first(f, m, NULL, out_leaves);
    size_t    count = m->leaf_count + m->gate_count;
    double   *size  = gm_alloc_array(m->alloc, count, sizeof *size), *share = gm_alloc_array(m->alloc, count, sizeof *share);
    gm_status st    = size != NULL && share != NULL ? GM_OK : GM_NOMEM;
    if (st == GM_OK) {
        sizes(f, m, size);
        sharing(f, m, size, share);
        st = depth_first(f, m, rule == GM_ORDER_LIGHT ? size : share, out_leaves);
    }
    gm_free(m->alloc, size);
    gm_free(m->alloc, share);
    return st;
}
