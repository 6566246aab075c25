// Small limits first, with every rule of order; then larger ones: most modules fall at once, and for a hard one the
// rules compete.
#include "reliability/diagram.h"

#include "reliability/bdd.h"
#include "reliability/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAVES_MAX = 30000 };  // operations recurse as deep as there are variables

typedef struct attempt {
    gm_diagram     *d;
    const gm_module *m;
    uint32_t       *values;   // [leaves + gates] edges; GM_DD_NONE: not wanted any more
    uint32_t       *uses;     // [leaves + gates] gates that still ask for it
    uint32_t       *roots;    // room for what is kept while garbage goes
    uint32_t       *inputs;   // of one gate
    uint32_t       *work;     // [widest + 2]
    uint32_t        kept;     // the best diagram so far; GM_DD_NONE: none
    size_t          collect_at;
} attempt;

static size_t kept_roots(const attempt *a)
{
    size_t n = 0;
    for (size_t i = 0; i < a->d->module_count; i++) {
        if (a->d->modules[i].edge != GM_DD_NONE) a->roots[n++] = a->d->modules[i].edge >> 1;
    }
    if (a->kept != GM_DD_NONE) a->roots[n++] = a->kept >> 1;
    return n;
}

static gm_status tidy(attempt *a, uint32_t extra)
{
    gm_dd *dd = &a->d->dd;
    if (dd->live < a->collect_at || dd->st != GM_OK) return dd->st;
    size_t n = kept_roots(a);
    for (size_t i = 0; i < a->m->leaf_count + a->m->gate_count; i++) {
        if (a->values[i] != GM_DD_NONE) a->roots[n++] = a->values[i] >> 1;
    }
    if (extra != GM_DD_NONE) a->roots[n++] = extra >> 1;
    gm_status st  = gm_dd_collect(dd, a->roots, n);
    a->collect_at = dd->live * 2 + 200000;
    return st;
}

typedef struct sorted_input { uint32_t edge, level; } sorted_input;

static int deepest_first(const void *x, const void *y)
{
    uint32_t a = ((const sorted_input *)x)->level, b = ((const sorted_input *)y)->level;
    return a > b ? -1 : a < b;
}

// A conjunction is built from its deepest input up, so that each step adds on top of what is there.
static uint32_t conjoin(attempt *a, uint32_t *inputs, uint32_t count)
{
    gm_dd        *dd   = &a->d->dd;
    sorted_input *sort = gm_alloc_array(dd->alloc, count, sizeof *sort);
    if (sort == NULL) { dd->st = GM_NOMEM; return GM_DD_NONE; }
    for (uint32_t i = 0; i < count; i++) sort[i] = (sorted_input){ inputs[i], gm_dd_level(dd, inputs[i] >> 1) };
    qsort(sort, count, sizeof *sort, deepest_first);
    uint32_t result = GM_BDD_ONE;
    for (uint32_t i = 0; i < count && result != GM_DD_NONE; i++) {
        result = gm_bdd_and(dd, result, sort[i].edge);
        if (result != GM_DD_NONE && tidy(a, result) != GM_OK) result = GM_DD_NONE;
    }
    gm_free(dd->alloc, sort);
    return result;
}

static uint32_t build_gate(attempt *a, const gm_formula_node *n)
{
    const gm_formula *f = a->d->formula;
    gm_dd            *dd = &a->d->dd;
    for (uint32_t k = 0; k < n->count; k++) {
        uint32_t edge = f->edges[n->first + k];
        a->inputs[k]  = a->values[a->m->local[edge >> 1]] ^ (edge & 1);
    }
    if (n->kind == GM_FORMULA_AND) return conjoin(a, a->inputs, n->count);
    if (n->kind == GM_FORMULA_CARDINALITY) return gm_bdd_cardinality(dd, a->inputs, n->count, n->min, n->max, a->work);
    uint32_t result = GM_BDD_ZERO;
    for (uint32_t k = 0; k < n->count; k++) result = gm_bdd_xor(dd, result, a->inputs[k]);
    return result;
}

static uint32_t build_with_order(attempt *a, const uint32_t *order, uint32_t first_level)
{
    const gm_formula *f = a->d->formula;
    const gm_module  *m = a->m;
    size_t            total = m->leaf_count + m->gate_count;
    memset(a->values, 0xff, total * sizeof *a->values);
    for (size_t i = 0; i < m->leaf_count; i++) {
        a->values[order[i]] = gm_bdd_variable(&a->d->dd, first_level + (uint32_t)i);
        if (a->values[order[i]] == GM_DD_NONE) return GM_DD_NONE;
    }
    memset(a->uses, 0, total * sizeof *a->uses);
    for (size_t i = 0; i < m->gate_count; i++) {
        const gm_formula_node *n = &f->nodes[m->gates[i]];
        for (uint32_t k = 0; k < n->count; k++) a->uses[m->local[f->edges[n->first + k] >> 1]]++;
    }
    for (size_t i = 0; i < m->gate_count; i++) {
        const gm_formula_node *n = &f->nodes[m->gates[i]];
        uint32_t edge = build_gate(a, n);
        if (edge == GM_DD_NONE) return edge;
        a->values[m->leaf_count + i] = edge;
        for (uint32_t k = 0; k < n->count; k++) {
            uint32_t child = m->local[f->edges[n->first + k] >> 1];
            if (--a->uses[child] == 0) a->values[child] = GM_DD_NONE;
        }
        if (tidy(a, GM_DD_NONE) != GM_OK) return GM_DD_NONE;
    }
    return a->values[total - 1];
}

// One attempt: *out_edge is GM_DD_NONE when the limit of `room` further nodes (or the deadline) was met, then *out_why says so.
static gm_status try_order(attempt *a, const uint32_t *order, uint32_t first_level, double room, uint32_t nodes_max, uint32_t *out_edge,
                           gm_status *out_why)
{
    gm_dd *dd    = &a->d->dd;
    double limit = (double)dd->live + room;
    dd->limits.nodes_max = limit < nodes_max ? (uint32_t)limit : nodes_max;
    a->collect_at = dd->live + 200000;
    *out_edge     = build_with_order(a, order, first_level);
    if (*out_edge != GM_DD_NONE) return GM_OK;
    *out_why = dd->st == GM_NOMEM ? GM_LIMIT : dd->st;
    return gm_dd_collect(dd, a->roots, kept_roots(a));
}

static size_t size_of(const gm_dd *dd, uint32_t edge)
{
    uint32_t  root = edge >> 1, *nodes = NULL;
    size_t    count = SIZE_MAX;
    if (gm_dd_reach(dd, &root, 1, &nodes, &count) != GM_OK) return SIZE_MAX;
    gm_free(dd->alloc, nodes);
    return count;
}

// Tries orders, and larger limits, until one works; what is large then is tried in the other orders too, since everything
// that follows (cut sets above all) costs by its size. *out_edge is GM_DD_NONE when none worked.
//   order, spare  [leaves]; order: the one that won
static gm_status compete(attempt *a, uint32_t *order, uint32_t *spare, uint32_t first_level, uint32_t nodes_max, uint32_t *out_edge,
                         gm_status *out_why)
{
    static const gm_order_rule rules[] = { GM_ORDER_LIGHT, GM_ORDER_WEIGHT, GM_ORDER_FORCE, GM_ORDER_SHARED, GM_ORDER_DEPTH };
    static const double        rooms[] = { 100e3, 1e6, 8e6, 64e6, 1e9 };
    enum { RULES = sizeof rules / sizeof rules[0], SMALL = 2000 };
    size_t best = SIZE_MAX, bytes = a->m->leaf_count * sizeof *order;
    *out_why = GM_LIMIT;
    for (size_t s = 0; s < sizeof rooms / sizeof rooms[0] && best == SIZE_MAX; s++) {
        double room = rooms[s];
        for (size_t k = 0; k < RULES && best > SMALL && *out_why != GM_CANCELLED; k++) {
            gm_status st = gm_order_find(a->d->formula, a->m, rules[k], spare);
            if (st != GM_OK) return st;
            uint32_t edge;
            st = try_order(a, spare, first_level, room, nodes_max, &edge, out_why);
            if (st != GM_OK) return st;
            size_t size = edge != GM_DD_NONE ? size_of(&a->d->dd, edge) : SIZE_MAX;
            if (size >= best) continue;
            best    = size;
            a->kept = edge;  // levels mean other variables in the next order, which does not keep them from sharing nodes
            memcpy(order, spare, bytes);
            room = fmin(room, (double)size * 8 + 10000);
        }
    }
    *out_edge = a->kept;
    return GM_OK;
}

static gm_status add_module(gm_diagram *d, uint32_t node, uint32_t nodes_max)
{
    const gm_formula *f     = d->formula;
    const gm_alloc   *alloc = f->alloc;
    gm_module         m;
    if (gm_module_open(f, node, &m) != GM_OK) return GM_NOMEM;
    uint32_t widest = 1;
    for (size_t i = 0; i < m.gate_count; i++) {
        if (f->nodes[m.gates[i]].count > widest) widest = f->nodes[m.gates[i]].count;
    }
    size_t  total = m.leaf_count + m.gate_count;
    attempt a = { .d = d, .m = &m, .values = gm_alloc_array(alloc, total, sizeof *a.values), .uses = gm_alloc_array(alloc, total, sizeof *a.uses),
                  .kept = GM_DD_NONE,
                  .roots = gm_alloc_array(alloc, total + d->module_count + 2, sizeof *a.roots),
                  .inputs = gm_alloc_array(alloc, widest, sizeof *a.inputs), .work = gm_alloc_array(alloc, (size_t)widest + 2, sizeof *a.work) };
    uint32_t *order = gm_alloc_array(alloc, m.leaf_count, sizeof *order), *spare = gm_alloc_array(alloc, m.leaf_count, sizeof *spare);
    uint32_t  edge = GM_DD_NONE, first = (uint32_t)d->level_count;
    gm_status why = GM_LIMIT, st = GM_NOMEM;
    if (a.values == NULL || a.uses == NULL || a.roots == NULL || a.inputs == NULL || a.work == NULL || order == NULL || spare == NULL ||
        !gm_alloc_reserve(alloc, &d->modules, &d->module_capacity, d->module_count + 1, sizeof *d->modules) ||
        !gm_alloc_reserve(alloc, &d->leaf_of_level, &d->level_capacity, d->level_count + m.leaf_count, sizeof *d->leaf_of_level)) goto done;
    st = m.leaf_count <= LEAVES_MAX ? compete(&a, order, spare, first, nodes_max, &edge, &why) : GM_OK;
    if (st != GM_OK) goto done;
    if (edge == GM_DD_NONE) {
        d->whole = false;
        for (uint32_t i = 0; i < m.leaf_count; i++) order[i] = i;
    }
    for (size_t i = 0; i < m.leaf_count; i++) d->leaf_of_level[d->level_count++] = m.leaves[order[i]];
    d->module_of_node[node]         = (uint32_t)d->module_count;
    d->modules[d->module_count++]   = (gm_diagram_module){ .node = node, .edge = edge, .first_level = first, .leaf_count = (uint32_t)m.leaf_count,
                                                           .why = edge == GM_DD_NONE ? why : GM_OK };
done:
    gm_free(alloc, a.values);
    gm_free(alloc, a.uses);
    gm_free(alloc, a.roots);
    gm_free(alloc, a.inputs);
    gm_free(alloc, a.work);
    gm_free(alloc, order);
    gm_free(alloc, spare);
    gm_module_close(&m);
    return st;
}

static gm_status drop_garbage(gm_diagram *d)
{
    uint32_t *roots = gm_alloc_array(d->formula->alloc, d->module_count + 1, sizeof *roots);
    size_t    n     = 0;
    if (roots == NULL) return GM_NOMEM;
    for (size_t i = 0; i < d->module_count; i++) {
        if (d->modules[i].edge != GM_DD_NONE) roots[n++] = d->modules[i].edge >> 1;
    }
    gm_status st = gm_dd_collect(&d->dd, roots, n);
    gm_free(d->formula->alloc, roots);
    return st;
}

gm_status gm_diagram_build(gm_diagram *d, const gm_formula *f, const gm_dd_limits *limits, gm_error *err)
{
    *d = (gm_diagram){ .formula = f, .whole = true, .module_of_node = gm_alloc_array(f->alloc, f->count, sizeof *d->module_of_node) };
    gm_status st = d->module_of_node != NULL && gm_dd_init(&d->dd, f->alloc, limits, GM_BDD_SHIFT) ? GM_OK : GM_NOMEM;
    if (st == GM_OK) memset(d->module_of_node, 0xff, f->count * sizeof *d->module_of_node);
    for (uint32_t i = 0; st == GM_OK && i < f->count; i++) {
        if (f->nodes[i].module && f->nodes[i].parents > 0) st = add_module(d, i, limits->nodes_max);
    }
    if (st == GM_OK) st = drop_garbage(d);
    if (st == GM_OK) return GM_OK;
    gm_diagram_finish(d);
    return gm_fail(err, st, "reliability", "building the decision diagrams");
}

void gm_diagram_finish(gm_diagram *d)
{
    if (d->formula == NULL) return;
    const gm_alloc *alloc = d->formula->alloc;
    gm_dd_finish(&d->dd);
    gm_free(alloc, d->modules);
    gm_free(alloc, d->module_of_node);
    gm_free(alloc, d->leaf_of_level);
    *d = (gm_diagram){ 0 };
}
