// Families of modules, counted by order without ever being laid out, and laid out (modules put in place) for listing.
#include "reliability/cuts.h"

#include "reliability/bdd.h"
#include "reliability/zbdd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static gm_status failed(const gm_dd *dd, gm_error *err)
{
    switch (dd->st) {
    case GM_CANCELLED: return gm_fail(err, GM_CANCELLED, "reliability", "the minimal cut sets were not found in the time allowed");
    case GM_NOMEM: return gm_fail(err, GM_NOMEM, "reliability", "finding minimal cut sets");
    default: return gm_fail(err, GM_LIMIT, "reliability", "the minimal cut sets need more than %u diagram nodes", dd->limits.nodes_max);
    }
}

static bool begin(gm_cuts *c, const gm_diagram *d, const gm_dd_limits *limits)
{
    const gm_alloc *alloc = d->formula->alloc;
    *c          = (gm_cuts){ .diagram = d };
    c->families = gm_alloc_zeroed(alloc, (d->module_count + 1) * sizeof *c->families);
    c->turned   = gm_alloc_zeroed(alloc, (d->module_count + 1) * sizeof *c->turned);
    return c->families != NULL && c->turned != NULL && gm_dd_init(&c->dd, alloc, limits, GM_ZBDD_SHIFT);
}

void gm_cuts_finish(gm_cuts *c)
{
    if (c->diagram == NULL) return;
    const gm_alloc *alloc = c->diagram->formula->alloc;
    gm_dd_finish(&c->dd);
    gm_free(alloc, c->families);
    gm_free(alloc, c->turned);
    *c = (gm_cuts){ 0 };
}

// The function's value when no variable (of those as they are kept) is true.
static bool at_rest(const gm_dd *bdds, uint32_t f, const uint8_t *turned)
{
    while (f > GM_BDD_ZERO) f = turned[gm_dd_level(bdds, f >> 1)] ? gm_bdd_high(bdds, f) : gm_bdd_low(bdds, f);
    return f == GM_BDD_ONE;
}

gm_status gm_cuts_find(gm_cuts *c, const gm_diagram *d, const gm_dd_limits *limits, gm_error *err)
{
    uint8_t *turned = gm_alloc_zeroed(d->formula->alloc, d->level_count + 1);  // by level
    if (!begin(c, d, limits) || turned == NULL) {
        gm_free(d->formula->alloc, turned);
        gm_cuts_finish(c);
        return gm_fail(err, GM_NOMEM, "reliability", "finding minimal cut sets");
    }
    gm_status st = GM_OK;
    for (size_t i = 0; i < d->module_count && st == GM_OK; i++) {
        const gm_diagram_module *m    = &d->modules[i];
        uint32_t                 edge = m->edge;
        for (uint32_t l = m->first_level; l < m->first_level + m->leaf_count; l++) {
            uint32_t inner = d->module_of_node[d->leaf_of_level[l]];
            turned[l]      = inner != UINT32_MAX && c->turned[inner];
        }
        // A module that holds without any event is kept as its complement: then "not among the events" means "rests".
        if (i + 1 == d->module_count) edge ^= d->formula->root & 1;
        else if (at_rest(&d->dd, edge, turned)) { c->turned[i] = true; edge ^= 1; }
        c->families[i] = gm_zbdd_minimal_solutions(&d->dd, edge, turned, &c->dd);
        if (c->families[i] == GM_DD_NONE) st = failed(&c->dd, err);
    }
    gm_free(d->formula->alloc, turned);
    if (st != GM_OK) gm_cuts_finish(c);
    return st;
}

// ---- from the gates up -----------------------------------------------------------------------------------------------------

typedef struct climb {
    const gm_formula *f;
    gm_dd            *dd;
    uint32_t         *levels;   // [formula nodes] of variables
    uint32_t         *results;  // [2 * formula nodes] by edge; GM_DD_NONE: not known
    bool              coherent;
} climb;

static uint32_t family_of(climb *c, uint32_t edge);

static uint32_t at_least(climb *c, const gm_formula_node *n, uint32_t least, uint32_t flip)
{
    uint32_t *row = gm_alloc_array(c->f->alloc, (size_t)least + 1, sizeof *row), result = GM_DD_NONE;
    if (row == NULL) { c->dd->st = GM_NOMEM; return GM_DD_NONE; }
    row[0] = GM_ZBDD_UNIT;
    for (uint32_t j = 1; j <= least; j++) row[j] = GM_ZBDD_EMPTY;
    for (uint32_t k = 0; k < n->count; k++) {
        uint32_t x = family_of(c, c->f->edges[n->first + k] ^ flip);
        for (uint32_t j = least; j >= 1; j--) row[j] = gm_zbdd_union(c->dd, row[j], gm_zbdd_product(c->dd, x, row[j - 1]));
    }
    result = row[least];
    gm_free(c->f->alloc, row);
    return result;
}

static uint32_t family_of(climb *c, uint32_t edge)
{
    if (edge == GM_FORMULA_TRUE) return GM_ZBDD_UNIT;
    if (edge == GM_FORMULA_FALSE) return GM_ZBDD_EMPTY;
    if (c->results[edge] != GM_DD_NONE || c->dd->st != GM_OK || !c->coherent) return c->results[edge];
    const gm_formula_node *n    = &c->f->nodes[edge >> 1];
    uint32_t               flip = edge & 1, result = GM_DD_NONE;
    if (n->kind == GM_FORMULA_VARIABLE && !flip) {
        result = gm_zbdd_make(c->dd, c->levels[edge >> 1], GM_ZBDD_UNIT, GM_ZBDD_EMPTY);
    } else if (n->kind == GM_FORMULA_AND) {
        result = flip ? GM_ZBDD_EMPTY : GM_ZBDD_UNIT;
        for (uint32_t k = 0; k < n->count; k++) {
            uint32_t x = family_of(c, c->f->edges[n->first + k] ^ flip);
            result     = flip ? gm_zbdd_union(c->dd, result, x) : gm_zbdd_product(c->dd, result, x);
        }
    } else if (n->kind == GM_FORMULA_CARDINALITY && n->max == n->count) {
        result = flip ? at_least(c, n, n->count - n->min + 1, 1) : at_least(c, n, n->min, 0);
    } else if (n->kind == GM_FORMULA_CARDINALITY && n->min == 0) {  // at most max: seen from its complements
        result = flip ? at_least(c, n, n->max + 1, 0) : at_least(c, n, n->count - n->max, 1);
    } else c->coherent = false;
    c->results[edge] = result;
    return result;
}

gm_status gm_cuts_find_from_gates(gm_cuts *c, const gm_diagram *d, const gm_dd_limits *limits, gm_error *err)
{
    const gm_formula *f  = d->formula;
    climb             up = { .f = f, .dd = &c->dd, .coherent = f->coherent };
    bool              ok = begin(c, d, limits);
    up.levels            = gm_alloc_zeroed(f->alloc, f->count * sizeof *up.levels);
    up.results           = gm_alloc_array(f->alloc, 2 * f->count, sizeof *up.results);
    gm_status st         = ok && up.levels != NULL && up.results != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "reliability", "finding minimal cut sets");
    if (st == GM_OK) {
        for (size_t l = 0; l < d->level_count; l++) up.levels[d->leaf_of_level[l]] = (uint32_t)l;
        memset(up.results, 0xff, 2 * f->count * sizeof *up.results);
        uint32_t top = family_of(&up, f->root);
        if (!up.coherent) st = gm_fail(err, GM_INVALID, "reliability", "an event is used complemented; cut sets are found from diagrams only");
        else if (top == GM_DD_NONE) st = failed(&c->dd, err);
        else if (d->module_count > 0) c->families[d->module_count - 1] = top;
    }
    gm_free(f->alloc, up.levels);
    gm_free(f->alloc, up.results);
    if (st != GM_OK) gm_cuts_finish(c);
    return st;
}

// ---- counting: how many ways lead to each node, by the number of events on the way -----------------------------------------

static gm_huge add_huge(gm_huge a, gm_huge b) { return a > GM_HUGE_MAX - b ? GM_HUGE_MAX : a + b; }
static gm_huge mul_huge(gm_huge a, gm_huge b) { return b != 0 && a > GM_HUGE_MAX / b ? GM_HUGE_MAX : a * b; }

static bool add_product(const gm_alloc *alloc, gm_orders *to, const gm_orders *a, const gm_orders *b)
{
    size_t need = a->count + b->count - 1;
    if (to->count < need) {
        gm_huge *more = gm_realloc_array(alloc, to->counts, need, sizeof *more);
        if (more == NULL) return false;
        memset(more + to->count, 0, (need - to->count) * sizeof *more);
        *to = (gm_orders){ more, need };
    }
    for (size_t i = 0; i < a->count; i++) {
        for (size_t j = 0; a->counts[i] != 0 && j < b->count; j++) {
            to->counts[i + j] = add_huge(to->counts[i + j], mul_huge(a->counts[i], b->counts[j]));
        }
    }
    return true;
}

static gm_status count_family(const gm_cuts *c, uint32_t family, const gm_orders *modules, gm_orders *out)
{
    const gm_alloc  *alloc = c->diagram->formula->alloc;
    gm_huge          ones[2] = { 1, 1 };
    const gm_orders  same = { ones, 1 }, one_more = { (gm_huge[]){ 0, 1 }, 2 };
    uint32_t        *nodes = NULL;
    size_t           count = 0;
    *out = (gm_orders){ 0 };
    if (family == GM_ZBDD_EMPTY) return GM_OK;
    if (family == GM_ZBDD_UNIT) return add_product(alloc, out, &same, &same) ? GM_OK : GM_NOMEM;
    gm_orders *ways = gm_alloc_zeroed(alloc, c->dd.count * sizeof *ways);  // by node
    gm_status  st   = ways != NULL ? gm_dd_reach(&c->dd, &family, 1, &nodes, &count) : GM_NOMEM;
    if (st == GM_OK && !add_product(alloc, &ways[family], &same, &same)) st = GM_NOMEM;
    for (size_t i = 0; i < count; i++) {
        gm_orders *w = &ways[nodes[i]];
        const gm_dd_node *x = &c->dd.nodes[nodes[i]];
        uint32_t inner = c->diagram->module_of_node[c->diagram->leaf_of_level[x->level]];
        const gm_orders *step = inner != UINT32_MAX ? &modules[inner] : &one_more;
        if (st == GM_OK && step->count > 0 && !add_product(alloc, x->high == GM_ZBDD_UNIT ? out : &ways[x->high], w, step)) st = GM_NOMEM;
        if (st == GM_OK && x->low != GM_ZBDD_EMPTY && !add_product(alloc, x->low == GM_ZBDD_UNIT ? out : &ways[x->low], w, &same)) st = GM_NOMEM;
        gm_free(alloc, w->counts);
        *w = (gm_orders){ 0 };
    }
    gm_free(alloc, nodes);
    gm_free(alloc, ways);
    return st;
}

gm_status gm_cuts_count(const gm_cuts *c, gm_orders *out_orders, gm_error *err)
{
    const gm_diagram *d     = c->diagram;
    const gm_alloc   *alloc = d->formula->alloc;
    gm_orders        *modules = gm_alloc_zeroed(alloc, (d->module_count + 1) * sizeof *modules);
    gm_status         st      = modules != NULL ? GM_OK : GM_NOMEM;
    *out_orders = (gm_orders){ 0 };
    for (size_t i = 0; i < d->module_count && st == GM_OK; i++) st = count_family(c, c->families[i], modules, &modules[i]);
    if (st == GM_OK && d->module_count > 0) {
        *out_orders = modules[d->module_count - 1];
        modules[d->module_count - 1] = (gm_orders){ 0 };
    } else if (st == GM_OK && d->formula->root == GM_FORMULA_TRUE) {
        st = count_family(c, GM_ZBDD_UNIT, modules, out_orders);
    }
    for (size_t i = 0; modules != NULL && i < d->module_count; i++) gm_free(alloc, modules[i].counts);
    gm_free(alloc, modules);
    return st == GM_OK ? st : gm_fail(err, st, "reliability", "counting minimal cut sets");
}

// ---- listing ---------------------------------------------------------------------------------------------------------------

enum { OP_LAY_OUT = 7 };

// The family with the families of modules in the place of their variables.
static uint32_t lay_out(gm_cuts *c, uint32_t n)
{
    if (n < 2 || n == GM_DD_NONE) return n;
    uint32_t known = gm_dd_recall(&c->dd, OP_LAY_OUT, n, 0, 0);
    if (known != GM_DD_NONE) return known;
    gm_dd_node x     = c->dd.nodes[n];
    uint32_t   low   = lay_out(c, x.low), high = lay_out(c, x.high);
    uint32_t   inner = c->diagram->module_of_node[c->diagram->leaf_of_level[x.level]];
    uint32_t   head  = inner != UINT32_MAX ? lay_out(c, c->families[inner]) : gm_zbdd_make(&c->dd, x.level, GM_ZBDD_UNIT, GM_ZBDD_EMPTY);
    uint32_t   result = gm_zbdd_union(&c->dd, gm_zbdd_product(&c->dd, head, high), low);
    gm_dd_remember(&c->dd, OP_LAY_OUT, n, 0, 0, result);
    return result;
}

typedef struct path { uint32_t node, event, before, length; double sofar, hope; } path;  // before: index of a path

typedef struct search {
    const gm_cuts *c;
    const double  *probability;
    double        *best;        // [dd nodes] the likeliest set below
    path          *paths;
    uint32_t      *heap;        // of path indices
    size_t         path_count, path_capacity, heap_count, heap_capacity;
} search;

static uint32_t event_of(const search *s, uint32_t level) { return s->c->diagram->formula->nodes[s->c->diagram->leaf_of_level[level]].event; }

// What is not known counts as one half, so that short sets come first.
static double weight_of(const search *s, uint32_t event) { return isnan(s->probability[event]) ? 0.5 : s->probability[event]; }

static bool ahead(const search *s, uint32_t a, uint32_t b)
{
    const path *x = &s->paths[a], *y = &s->paths[b];
    if (x->hope != y->hope) return x->hope > y->hope;
    return x->length != y->length ? x->length < y->length : a < b;
}

static bool push(search *s, const gm_alloc *alloc, path p)
{
    if (p.node == GM_ZBDD_EMPTY) return true;
    if (!gm_alloc_reserve(alloc, &s->paths, &s->path_capacity, s->path_count + 1, sizeof *s->paths) ||
        !gm_alloc_reserve(alloc, &s->heap, &s->heap_capacity, s->heap_count + 1, sizeof *s->heap)) return false;
    s->paths[s->path_count] = p;
    size_t at = s->heap_count++;
    s->heap[at] = (uint32_t)s->path_count++;
    while (at > 0 && ahead(s, s->heap[at], s->heap[(at - 1) / 2])) {
        uint32_t t = s->heap[at];
        s->heap[at] = s->heap[(at - 1) / 2];
        at = (at - 1) / 2;
        s->heap[at] = t;
    }
    return true;
}

static uint32_t pop(search *s)
{
    uint32_t top = s->heap[0], last = s->heap[--s->heap_count];
    size_t   at  = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= s->heap_count) break;
        if (child + 1 < s->heap_count && ahead(s, s->heap[child + 1], s->heap[child])) child++;
        if (!ahead(s, s->heap[child], last)) break;
        s->heap[at] = s->heap[child];
        at          = child;
    }
    s->heap[at] = last;
    return top;
}

static double best_of(const search *s, uint32_t node) { return node == GM_ZBDD_EMPTY ? -1 : node == GM_ZBDD_UNIT ? 1 : s->best[node]; }

static gm_status tell(const search *s, const gm_alloc *alloc, uint32_t at, gm_cuts_each *each, void *context)
{
    uint32_t  n      = s->paths[at].length;
    uint32_t *events = gm_alloc_array(alloc, n, sizeof *events);
    double    p      = 1;
    if (events == NULL) return GM_NOMEM;
    for (uint32_t i = at, k = n; k > 0; i = s->paths[i].before) {
        if (s->paths[i].event == UINT32_MAX) continue;
        events[--k] = s->paths[i].event;
        p *= s->probability[events[k]];
    }
    each(context, events, n, p);
    gm_free(alloc, events);
    return GM_OK;
}

static gm_status best_first(search *s, uint32_t family, size_t most, gm_cuts_each *each, void *context)
{
    const gm_alloc *alloc = s->c->diagram->formula->alloc;
    uint32_t       *nodes = NULL;
    size_t          count = 0;
    s->best = gm_alloc_array(alloc, s->c->dd.count, sizeof *s->best);
    gm_status st = s->best != NULL ? gm_dd_reach(&s->c->dd, &family, 1, &nodes, &count) : GM_NOMEM;
    for (size_t i = count; i-- > 0;) {
        const gm_dd_node *x = &s->c->dd.nodes[nodes[i]];
        double            h = best_of(s, x->high) * weight_of(s, event_of(s, x->level)), l = best_of(s, x->low);
        s->best[nodes[i]] = h > l ? h : l;
    }
    gm_free(alloc, nodes);
    if (st == GM_OK && !push(s, alloc, (path){ .node = family, .event = UINT32_MAX, .sofar = 1, .hope = best_of(s, family) })) st = GM_NOMEM;
    while (st == GM_OK && s->heap_count > 0 && most > 0) {
        uint32_t at = pop(s);
        path     p  = s->paths[at];
        if (p.node == GM_ZBDD_UNIT) {
            st = tell(s, alloc, at, each, context);
            most--;
            continue;
        }
        const gm_dd_node *x = &s->c->dd.nodes[p.node];
        uint32_t          event = event_of(s, x->level);
        double            with  = p.sofar * weight_of(s, event);
        if (!push(s, alloc, (path){ x->low, UINT32_MAX, at, p.length, p.sofar, p.sofar * best_of(s, x->low) }) ||
            !push(s, alloc, (path){ x->high, event, at, p.length + 1, with, with * best_of(s, x->high) })) st = GM_NOMEM;
    }
    gm_free(alloc, s->best);
    gm_free(alloc, s->paths);
    gm_free(alloc, s->heap);
    return st;
}

gm_status gm_cuts_list(gm_cuts *c, const double *probability, size_t most, gm_cuts_each *each, void *context, gm_error *err)
{
    const gm_diagram *d      = c->diagram;
    uint32_t          family = d->module_count > 0 ? lay_out(c, c->families[d->module_count - 1])
                               : d->formula->root == GM_FORMULA_TRUE ? GM_ZBDD_UNIT : GM_ZBDD_EMPTY;
    if (family == GM_DD_NONE) return failed(&c->dd, err);
    search s = { .c = c, .probability = probability };
    gm_status st = best_first(&s, family, most, each, context);
    return st == GM_OK ? st : gm_fail(err, st, "reliability", "listing minimal cut sets");
}
