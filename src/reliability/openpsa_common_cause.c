// Common-cause groups: n members that can fail alone or together. An event is made for every set of members that fails at
// once, with the probability Q_k that the model gives to sets of k; a member fails when any event does that takes it along.
// Source: A. Mosleh et al., Procedures for Treating Common Cause Failures, NUREG/CR-4780 (1988), table C-1; non-staggered
// testing for alpha factors.
#include "reliability/openpsa_parts.h"

#include <libxml/tree.h>
#include <math.h>
#include <stdlib.h>

enum { MEMBERS_MAX = 12 };  // 4,095 events

typedef struct group {
    gm_str         names[MEMBERS_MAX];
    uint32_t       count;
    double         total;                     // what one member fails with, all ways together
    double         factors[MEMBERS_MAX + 1];  // by level; NaN: not given
    double         of_size[MEMBERS_MAX + 1];  // Q_k
} group;

static double choose(uint32_t n, uint32_t k)
{
    double c = 1;
    for (uint32_t i = 1; i <= k; i++) c = c * (n - k + i) / i;
    return c;
}

static void read_members(gm_openpsa_reader *r, const xmlNode *e, group *g)
{
    const xmlNode *members = gm_openpsa_child(e, "members");
    for (const xmlNode *m = members != NULL ? gm_openpsa_first(members) : NULL; m != NULL && r->st == GM_OK; m = gm_openpsa_next(m)) {
        if (g->count == MEMBERS_MAX) { gm_openpsa_fail(r, e, "a common-cause group has at most %d members", MEMBERS_MAX); return; }
        g->names[g->count++] = gm_openpsa_attribute(r, m, "name");
    }
    if (r->st == GM_OK && g->count < 2) gm_openpsa_fail(r, e, "a common-cause group needs two members at least");
}

// <factor level="2">, directly or inside <factors>; without a level they count up.
static void read_factors(gm_openpsa_reader *r, const xmlNode *e, uint32_t first_level, group *g)
{
    const xmlNode *list = gm_openpsa_child(e, "factors"), *parent = list != NULL ? list : e;
    uint32_t       next = first_level;
    for (uint32_t k = 0; k <= MEMBERS_MAX; k++) g->factors[k] = NAN;
    for (const xmlNode *f = gm_openpsa_first(parent); f != NULL && r->st == GM_OK; f = gm_openpsa_next(f)) {
        if (!gm_openpsa_is(f, "factor")) continue;
        gm_str         text  = gm_openpsa_attribute(r, f, "level");
        long           level = text.len > 0 ? strtol(text.ptr, NULL, 10) : (long)next;
        const xmlNode *value = gm_openpsa_first(f);
        if (level < (long)first_level || level > (long)g->count || value == NULL) {
            gm_openpsa_fail(r, f, "a factor needs a value and a level from %u to %u", first_level, g->count);
            return;
        }
        g->factors[level] = gm_openpsa_value(r, value);
        next              = (uint32_t)level + 1;
    }
}

static double factor(const group *g, uint32_t level) { return level <= g->count && !isnan(g->factors[level]) ? g->factors[level] : 0; }

static bool find_sizes(gm_str model, group *g)
{
    uint32_t n = g->count;
    double   alphas = 0, shared = 1;
    for (uint32_t k = 1; k <= n; k++) alphas += k * factor(g, k);
    for (uint32_t k = 1; k <= n; k++) {
        if (gm_str_is(model, "beta-factor")) {
            // One factor, whatever level it was given for.
            double beta = 0;
            for (uint32_t l = 2; l <= n; l++) beta = fmax(beta, factor(g, l));
            g->of_size[k] = k == 1 ? (1 - beta) * g->total : k == n ? beta * g->total : 0;
        } else if (gm_str_is(model, "MGL")) {
            if (k > 1) shared *= factor(g, k);
            g->of_size[k] = shared * (1 - (k < n ? factor(g, k + 1) : 0)) * g->total / choose(n - 1, k - 1);
        } else if (gm_str_is(model, "alpha-factor")) {
            g->of_size[k] = k * factor(g, k) / alphas * g->total / choose(n - 1, k - 1);
        } else if (gm_str_is(model, "phi-factor")) {
            g->of_size[k] = factor(g, k) * g->total / choose(n - 1, k - 1);
        } else return false;
    }
    return true;
}

static gm_tree_node event_of(gm_openpsa_reader *r, const xmlNode *e, const group *g, uint32_t members, double p)
{
    gm_buf name = gm_buf_init(r->alloc);
    gm_error why;
    for (uint32_t i = 0; i < g->count; i++) {
        if (!(members >> i & 1)) continue;
        gm_buf_text(&name, name.len == 0 ? "[" : " ");
        gm_buf_str(&name, g->names[i]);
    }
    gm_buf_text(&name, "]");
    gm_tree_node node = gm_fault_tree_name(r->tree, gm_buf_view(&name));
    gm_buf_finish(&name);
    if (r->st == GM_OK && gm_fault_tree_event(r->tree, node, p, &why) != GM_OK) gm_openpsa_fail(r, e, "%s", why.text);
    return node;
}

static void define_members(gm_openpsa_reader *r, const xmlNode *e, const group *g)
{
    uint32_t      sets   = 1u << g->count;
    gm_tree_node *events = gm_alloc_array(r->alloc, sets, sizeof *events);
    gm_tree_edge *inputs = gm_alloc_array(r->alloc, sets, sizeof *inputs);
    gm_error      why;
    if (events == NULL || inputs == NULL) r->st = gm_fail(r->err, GM_NOMEM, "reliability.openpsa", "reading fault trees");
    for (uint32_t s = 1; s < sets && r->st == GM_OK; s++) {
        double p = g->of_size[__builtin_popcount(s)];
        if (p > 0) events[s] = event_of(r, e, g, s, p);
    }
    for (uint32_t i = 0; i < g->count && r->st == GM_OK; i++) {
        uint32_t n = 0;
        for (uint32_t s = 1; s < sets; s++) {
            if ((s >> i & 1) && g->of_size[__builtin_popcount(s)] > 0) inputs[n++] = gm_tree_is(events[s]);
        }
        gm_tree_node member = gm_fault_tree_name(r->tree, g->names[i]);
        if (gm_fault_tree_gate(r->tree, member, GM_GATE_OR, 0, 0, inputs, n, &why) != GM_OK) gm_openpsa_fail(r, e, "%s", why.text);
    }
    gm_free(r->alloc, events);
    gm_free(r->alloc, inputs);
}

void gm_openpsa_common_cause(gm_openpsa_reader *r, const xmlNode *e)
{
    group          g     = { 0 };
    gm_str         model = gm_openpsa_attribute(r, e, "model");
    const xmlNode *total = gm_openpsa_child(e, "distribution");
    bool           from_one = gm_str_is(model, "alpha-factor") || gm_str_is(model, "phi-factor");
    if (total == NULL || gm_openpsa_first(total) == NULL) { gm_openpsa_fail(r, e, "a common-cause group needs a <distribution>"); return; }
    read_members(r, e, &g);
    if (r->st == GM_OK) read_factors(r, e, from_one ? 1 : 2, &g);
    if (r->st == GM_OK) g.total = gm_openpsa_value(r, gm_openpsa_first(total));
    if (r->st == GM_OK && !find_sizes(model, &g)) {
        gm_openpsa_fail(r, e, "the common-cause model '" GM_STR_FMT "' is not known; beta-factor, MGL, alpha-factor and phi-factor are", GM_STR_ARG(model));
    }
    if (r->st == GM_OK) define_members(r, e, &g);
}
