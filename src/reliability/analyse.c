// Formula, diagrams, probability, importance, cut sets, in this order; each step may meet the limits, and the steps
// before it stand.
#include "reliability/analyse.h"

#include "reliability/bounds.h"
#include "reliability/cuts.h"
#include "reliability/diagram.h"
#include "reliability/probability.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct gm_reliability {
    const gm_alloc        *alloc;
    const gm_fault_tree   *tree;
    gm_reliability_summary summary;
    gm_formula            *formula;
    gm_diagram             diagram;
    gm_cuts                cuts;
    gm_orders              orders;
    double                *probability;  // [tree nodes]
    double                *birnbaum;     // [tree nodes]
    gm_chance             *chances;      // [modules + 1]
    char                   why[256];
};

gm_reliability_options gm_reliability_options_defaults(const gm_clock *clock)
{
    return (gm_reliability_options){ .clock = clock, .time_max = 60 * GM_SECOND, .memory_max = (size_t)3 << 30, .cut_sets = true,
                                     .importance = true };
}

// Bytes for one node of a diagram at the worst moment: the node, its bucket, its share of memos, a chance, a mark.
enum { NODE_COST = 16 + 8 + 8 + 16 + 5 };

static gm_dd_limits limits_of(const gm_reliability_options *o, gm_time_ns deadline, double share)
{
    double nodes = share * (double)o->memory_max / NODE_COST;
    return (gm_dd_limits){ .clock = o->clock, .deadline = deadline, .nodes_max = nodes < 1e9 ? (uint32_t)nodes : 1000000000u };
}

// ---- bounds for what has no diagram ------------------------------------------------------------------------------------------

static gm_interval leaf_interval(const gm_reliability *r, uint32_t leaf, const gm_interval *modules)
{
    uint32_t inner = r->diagram.module_of_node[leaf];
    if (inner != UINT32_MAX) return modules[inner];
    double p = r->probability[r->formula->nodes[leaf].event];
    return (gm_interval){ p, p };
}

// All modules are bounded again, each for its share of the time; those that fit a diagram end exact by splitting.
static gm_status find_bounds(gm_reliability *r, const gm_reliability_options *o, gm_time_ns deadline)
{
    const gm_diagram *d       = &r->diagram;
    gm_interval      *modules = gm_alloc_zeroed(r->alloc, (d->module_count + 1) * sizeof *modules);
    gm_status         st      = modules != NULL ? GM_OK : GM_NOMEM;
    for (size_t i = 0; st == GM_OK && i < d->module_count; i++) {
        gm_module    m;
        gm_interval *leaves = NULL;
        st = gm_module_open(r->formula, d->modules[i].node, &m);
        if (st != GM_OK) break;
        leaves = gm_alloc_array(r->alloc, m.leaf_count, sizeof *leaves);
        if (leaves == NULL) st = GM_NOMEM;
        for (size_t k = 0; st == GM_OK && k < m.leaf_count; k++) leaves[k] = leaf_interval(r, m.leaves[k], modules);
        gm_time_ns now = gm_monotonic(o->clock);
        bool       big = d->modules[i].edge == GM_DD_NONE;
        gm_time_ns end = big ? now + (deadline - now) * 3 / 4 : now + (deadline - now) / (gm_time_ns)(4 * (d->module_count - i));
        if (st == GM_OK) st = gm_bounds_find(r->formula, &m, leaves, r->formula->coherent, o->clock, end, &modules[i]);
        gm_free(r->alloc, leaves);
        gm_module_close(&m);
    }
    if (st == GM_OK) {
        gm_interval top = modules[d->module_count - 1];
        if (r->formula->root & 1) top = (gm_interval){ 1 - top.high, 1 - top.low };
        r->summary.low         = top.low;
        r->summary.high        = top.high;
        r->summary.probability = NAN;
    }
    gm_free(r->alloc, modules);
    return st;
}

// ---- the steps ---------------------------------------------------------------------------------------------------------------

static gm_status read_probabilities(gm_reliability *r, gm_error *err)
{
    uint32_t n     = gm_fault_tree_count(r->tree);
    r->probability = gm_alloc_array(r->alloc, n, sizeof *r->probability);
    r->birnbaum    = gm_alloc_zeroed(r->alloc, n * sizeof *r->birnbaum);
    if (r->probability == NULL || r->birnbaum == NULL) return gm_fail(err, GM_NOMEM, "reliability", "analysing a fault tree");
    for (uint32_t i = 0; i < n; i++) {
        gm_tree_view v    = gm_fault_tree_view(r->tree, (gm_tree_node){ i });
        r->probability[i] = v.kind == GM_GATE_EVENT ? v.probability : NAN;
    }
    for (size_t i = 0; i < r->formula->count; i++) {
        const gm_formula_node *x = &r->formula->nodes[i];
        if (x->kind != GM_FORMULA_VARIABLE || x->parents == 0) continue;
        r->summary.events++;
        if (isnan(r->probability[x->event])) {
            r->summary.unknown     = (gm_tree_node){ x->event };
            r->summary.probability = NAN;
        }
    }
    return GM_OK;
}

static void explain(gm_reliability *r, const char *what, const char *reason)
{
    size_t used = strlen(r->why);
    snprintf(r->why + used, sizeof r->why - used, "%s%s: %s", used > 0 ? "; " : "", what, reason);
    r->summary.why = r->why;
}

static gm_status find_probability(gm_reliability *r, const gm_reliability_options *o, gm_error *err)
{
    if (r->formula->root <= GM_FORMULA_FALSE) {
        r->summary.probability = r->formula->root == GM_FORMULA_TRUE;
        r->summary.exact       = true;
        return GM_OK;
    }
    r->chances = gm_alloc_array(r->alloc, r->diagram.module_count + 1, sizeof *r->chances);
    if (r->chances == NULL) return gm_fail(err, GM_NOMEM, "reliability", "analysing a fault tree");
    gm_status st = gm_probability(&r->diagram, r->probability, r->chances);
    if (st == GM_OK) {
        gm_chance top          = r->chances[r->diagram.module_count - 1];
        r->summary.probability = r->formula->root & 1 ? top.no : top.yes;
        r->summary.exact       = true;
    }
    if (st == GM_OK && o->importance) {
        st = gm_probability_slopes(&r->diagram, r->probability, r->chances, gm_fault_tree_count(r->tree), r->birnbaum);
    }
    return st == GM_OK ? st : gm_fail(err, st, "reliability", "analysing a fault tree");
}

static gm_status find_cuts(gm_reliability *r, const gm_reliability_options *o, gm_time_ns deadline, gm_error *err)
{
    gm_error     why    = { 0 };
    gm_dd_limits limits = limits_of(o, deadline, 0.45);
    gm_status    st     = o->from_gates ? gm_cuts_find_from_gates(&r->cuts, &r->diagram, &limits, &why)
                                        : gm_cuts_find(&r->cuts, &r->diagram, &limits, &why);
    if (st == GM_OK) st = gm_cuts_count(&r->cuts, &r->orders, &why);
    if (st == GM_NOMEM) return gm_fail(err, GM_NOMEM, "reliability", "%s", why.text);
    if (st != GM_OK) { explain(r, "cut sets", why.text); return GM_OK; }
    r->summary.cut_sets_known = true;
    r->summary.order_count    = r->orders.count;
    return GM_OK;
}

gm_status gm_reliability_analyse(const gm_alloc *alloc, const gm_fault_tree *tree, gm_tree_node top, const gm_reliability_options *options,
                                 gm_reliability **out_result, gm_error *err)
{
    *out_result       = NULL;
    gm_reliability *r = gm_alloc_zeroed(alloc, sizeof *r);
    if (r == NULL) return gm_fail(err, GM_NOMEM, "reliability", "analysing a fault tree");
    r->alloc = alloc;
    r->tree  = tree;
    gm_time_ns   start  = gm_monotonic(options->clock), deadline = start + options->time_max;
    gm_dd_limits limits = limits_of(options, start + options->time_max / 2, 0.55);
    gm_status    st     = gm_formula_create(alloc, tree, top, &r->formula, err);
    if (st == GM_OK) st = read_probabilities(r, err);
    if (st == GM_OK) st = gm_diagram_build(&r->diagram, r->formula, &limits, err);
    if (st != GM_OK) goto done;
    r->summary.coherent      = r->formula->coherent;
    r->summary.modules       = r->diagram.module_count;
    r->summary.diagram_nodes = r->diagram.dd.live;
    if (r->diagram.whole) {
        st = find_probability(r, options, err);
        if (st == GM_OK && options->cut_sets) st = find_cuts(r, options, deadline, err);
    } else {
        explain(r, "probability", "a part that shares its events is too large for the memory or time allowed; these are bounds");
        st = find_bounds(r, options, deadline) == GM_OK ? GM_OK : gm_fail(err, GM_NOMEM, "reliability", "analysing a fault tree");
    }
    r->summary.exact = r->summary.exact && !isnan(r->summary.probability);
    if (r->summary.exact) r->summary.low = r->summary.high = r->summary.probability;
done:
    if (st == GM_OK) { *out_result = r; r = NULL; }
    gm_reliability_destroy(r);
    return st;
}

void gm_reliability_destroy(gm_reliability *r)
{
    if (r == NULL) return;
    gm_cuts_finish(&r->cuts);
    gm_diagram_finish(&r->diagram);
    gm_formula_destroy(r->formula);
    gm_free(r->alloc, r->orders.counts);
    gm_free(r->alloc, r->probability);
    gm_free(r->alloc, r->birnbaum);
    gm_free(r->alloc, r->chances);
    gm_free(r->alloc, r);
}

gm_reliability_summary gm_reliability_summarise(const gm_reliability *r) { return r->summary; }

static void print_huge(gm_huge n, char *out)
{
    char   digits[40];
    size_t count = 0;
    do { digits[count++] = (char)('0' + (int)(n % 10)); n /= 10; } while (n > 0);
    for (size_t i = 0; i < count; i++) out[i] = digits[count - 1 - i];
    out[count] = 0;
}

void gm_reliability_cut_sets(const gm_reliability *r, size_t order, char *out)
{
    print_huge(order < r->orders.count ? r->orders.counts[order] : 0, out);
}

void gm_reliability_cut_sets_total(const gm_reliability *r, char *out)
{
    gm_huge sum = 0;
    for (size_t i = 0; i < r->orders.count; i++) sum = sum > GM_HUGE_MAX - r->orders.counts[i] ? GM_HUGE_MAX : sum + r->orders.counts[i];
    print_huge(sum, out);
}

gm_event_importance gm_reliability_event(const gm_reliability *r, gm_tree_node event)
{
    double p = r->probability[event.v], b = r->birnbaum[event.v], top = r->summary.probability;
    if (b == 0 || !r->summary.exact) return (gm_event_importance){ .probability = p };
    double without = top - p * b, with = top + (1 - p) * b;
    return (gm_event_importance){ .probability = p, .birnbaum = b, .fussell_vesely = top > 0 ? p * b / top : NAN,
                                  .achievement = top > 0 ? with / top : NAN, .reduction = without > 0 ? top / without : NAN };
}

gm_status gm_reliability_again(const gm_reliability *r, const double *probability, double *out, gm_error *err)
{
    *out = r->summary.probability;
    if (r->diagram.module_count == 0) return GM_OK;
    gm_chance *chances = gm_alloc_array(r->alloc, r->diagram.module_count, sizeof *chances);
    gm_status  st      = chances != NULL ? gm_probability(&r->diagram, probability, chances) : GM_NOMEM;
    if (st == GM_OK) *out = r->formula->root & 1 ? chances[r->diagram.module_count - 1].no : chances[r->diagram.module_count - 1].yes;
    gm_free(r->alloc, chances);
    return st == GM_OK ? st : gm_fail(err, st, "reliability", "evaluating a fault tree");
}

gm_status gm_reliability_list(gm_reliability *r, size_t most, gm_reliability_each_cut *each, void *context, gm_error *err)
{
    if (!r->summary.cut_sets_known) return gm_fail(err, GM_LIMIT, "reliability", "the minimal cut sets are not known");
    return gm_cuts_list(&r->cuts, r->probability, most, each, context, err);
}
