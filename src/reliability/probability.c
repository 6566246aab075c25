#include "reliability/probability.h"

#include "reliability/bdd.h"

#include <string.h>

// One module's nodes, with their chances in the same order.
typedef struct table {
    uint32_t  *nodes;    // by rising level
    size_t     count;
    gm_chance *chances;  // [dd nodes], by node number
} table;

static gm_chance leaf_chance(const gm_diagram *d, uint32_t level, const double *probability, const gm_chance *modules)
{
    uint32_t leaf = d->leaf_of_level[level];
    if (d->module_of_node[leaf] != UINT32_MAX) return modules[d->module_of_node[leaf]];
    double p = probability[d->formula->nodes[leaf].event];
    return (gm_chance){ p, 1 - p };
}

static gm_chance of_edge(const gm_chance *chances, uint32_t edge)
{
    gm_chance c = chances[edge >> 1];
    return edge & 1 ? (gm_chance){ c.no, c.yes } : c;
}

static gm_status fill(const gm_diagram *d, uint32_t edge, const double *probability, const gm_chance *modules, table *t)
{
    uint32_t  root = edge >> 1;
    gm_status st   = gm_dd_reach(&d->dd, &root, 1, &t->nodes, &t->count);
    t->chances[0]  = (gm_chance){ 1, 0 };
    for (size_t i = t->count; st == GM_OK && i-- > 0;) {
        const gm_dd_node *x = &d->dd.nodes[t->nodes[i]];
        gm_chance         p = leaf_chance(d, x->level, probability, modules), h = of_edge(t->chances, x->high), l = of_edge(t->chances, x->low);
        t->chances[t->nodes[i]] = (gm_chance){ p.yes * h.yes + p.no * l.yes, p.yes * h.no + p.no * l.no };
    }
    return st;
}

gm_status gm_probability(const gm_diagram *d, const double *probability, gm_chance *out_modules)
{
    const gm_alloc *alloc = d->formula->alloc;
    table           t     = { .chances = gm_alloc_array(alloc, d->dd.count, sizeof *t.chances) };
    gm_status       st    = t.chances != NULL ? GM_OK : GM_NOMEM;
    for (size_t i = 0; st == GM_OK && i < d->module_count; i++) {
        st             = fill(d, d->modules[i].edge, probability, out_modules, &t);
        out_modules[i] = of_edge(t.chances, d->modules[i].edge);
        gm_free(alloc, t.nodes);
        t.nodes = NULL;
    }
    gm_free(alloc, t.chances);
    return st;
}

gm_status gm_probability_slopes(const gm_diagram *d, const double *probability, const gm_chance *modules, size_t tree_nodes,
                                double *out_birnbaum)
{
    const gm_alloc *alloc   = d->formula->alloc;
    table           t       = { .chances = gm_alloc_array(alloc, d->dd.count, sizeof *t.chances) };
    double         *reached = gm_alloc_zeroed(alloc, d->dd.count * sizeof *reached);            // signed weight of a node
    double         *slopes  = gm_alloc_zeroed(alloc, (d->module_count + 1) * sizeof *slopes);   // of the top by each module
    gm_status       st      = t.chances != NULL && reached != NULL && slopes != NULL ? GM_OK : GM_NOMEM;
    memset(out_birnbaum, 0, tree_nodes * sizeof *out_birnbaum);
    if (st == GM_OK && d->module_count > 0) slopes[d->module_count - 1] = d->formula->root & 1 ? -1 : 1;
    for (size_t i = d->module_count; st == GM_OK && i-- > 0;) {
        uint32_t edge = d->modules[i].edge;
        st = fill(d, edge, probability, modules, &t);
        if (st == GM_OK) reached[edge >> 1] = edge & 1 ? -slopes[i] : slopes[i];
        for (size_t k = 0; st == GM_OK && k < t.count; k++) {
            const gm_dd_node *x = &d->dd.nodes[t.nodes[k]];
            gm_chance         p = leaf_chance(d, x->level, probability, modules), h = of_edge(t.chances, x->high), l = of_edge(t.chances, x->low);
            double            w = reached[t.nodes[k]], slope = w * (h.yes - l.yes);
            uint32_t          leaf = d->leaf_of_level[x->level];
            if (d->module_of_node[leaf] != UINT32_MAX) slopes[d->module_of_node[leaf]] += slope;
            else out_birnbaum[d->formula->nodes[leaf].event] += slope;
            reached[x->high >> 1] += x->high & 1 ? -w * p.yes : w * p.yes;
            reached[x->low >> 1] += x->low & 1 ? -w * p.no : w * p.no;
        }
        gm_free(alloc, t.nodes);
        t.nodes = NULL;
    }
    gm_free(alloc, t.chances);
    gm_free(alloc, reached);
    gm_free(alloc, slopes);
    return st;
}
