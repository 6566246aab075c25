// What following a failure has found, told: the first ones with all that is known of them, the others as numbers. Probabilities of what
// is at risk come from the fault trees of those twins, the nearest first, as long as time lasts.
#include "failure/impact.h"

#include "failure/fault_tree.h"
#include "failure/spread.h"
#include "reliability/analyse.h"

#include <math.h>

#define WHERE "failure.impact"

enum {
    TREE_TWINS_MAX = 3000,   // of the fault tree of a twin at risk
    LOOKS_MAX      = 20000   // through a fence: one that is a query costs a microsecond for each twin
};

typedef struct teller {
    gm_failures             *failures;
    const gm_failure_moment *at;
    const gm_failure_modes  *modes;
    const gm_impact_options *options;
    gm_spread               *spread;
    gm_impact               *out;
    size_t                   item_capacity, spare_capacity, looks;
    bool                     no_memory;
} teller;

gm_impact_options gm_impact_options_defaults(const gm_clock *clock)
{
    return (gm_impact_options){ .clock = clock, .horizon = GM_DAY, .list_max = 1000, .exact_max = 32, .time_max = 15 * GM_MILLISECOND };
}

void gm_impact_finish(gm_impact *i)
{
    gm_free(i->alloc, i->items);
    gm_free(i->alloc, i->spares);
    *i = (gm_impact){ .alloc = i->alloc };
}

static bool sees(const teller *t, gm_twin twin) { return gm_fence_shows(t->options->fence, twin); }

static uint32_t need_of(const teller *t, uint32_t want)
{
    if (want == GM_SPREAD_ITSELF) return GM_IMPACT_NO_NEED;
    uint32_t need = t->spread->web->wants[want].need;
    return need == GM_WANT_GATE ? GM_IMPACT_GATE : need;
}

// ---- who stands behind a want ----------------------------------------------------------------------------------------------------------

typedef struct supplier_search { const teller *t; uint32_t wanted; bool ours; gm_edge edge; gm_twin twin; gm_impact_spare *spare; } supplier_search;

static bool has_stopped(const teller *t, gm_twin twin) { return (t->spread->marks[twin.v] & (GM_MARK_BEFORE | GM_MARK_STOPPED)) != 0; }

static bool is_ours(const teller *t, gm_twin twin) { return (t->spread->marks[twin.v] & (GM_MARK_BEFORE | GM_MARK_STOPPED)) == GM_MARK_STOPPED; }

// The one by whom it came, or, where that had failed anyhow, one that this failure has stopped; of what is at risk first: the first that
// still works.
static bool is_wanted(void *context, gm_edge edge, gm_twin other)
{
    supplier_search *s = context;
    if (s->wanted == GM_NONE ? has_stopped(s->t, other) : s->ours ? !is_ours(s->t, other) : other.v != s->wanted) return true;
    s->edge = edge;
    s->twin = other;
    return false;
}

static bool choose_next(void *context, gm_edge edge, gm_twin other)
{
    supplier_search *s = context;
    gm_impact_spare *x = s->spare;
    (void)edge;
    if (has_stopped(s->t, other)) return true;
    uint32_t listed = 0;
    for (; listed < GM_IMPACT_NEXT_MAX && gm_twin_ok(x->next[listed]); listed++)
        if (x->next[listed].v == other.v) return true;  // by two relationships
    if (listed < GM_IMPACT_NEXT_MAX && sees(s->t, other)) x->next[listed] = other;
    x->next_count++;
    return true;
}

static void each_supplier(const teller *t, uint32_t want, gm_failure_neighbour *each, void *context)
{
    const gm_state *state = t->at->state;
    const gm_want  *w     = &t->spread->web->wants[want];
    gm_twin         twin  = { w->twin };
    if (w->need != GM_WANT_GATE) {
        gm_failures_neighbours(t->failures, state, w->need, twin, each, context);
        return;
    }
    uint32_t input = gm_state_name_number(state, GM_STR("input"));
    for (gm_edge e = gm_state_first_out(state, twin); gm_edge_ok(e); e = gm_state_next_out(state, e))
        if (gm_state_edge_name(state, e) == input && !each(context, e, gm_state_edge_target(state, e))) return;
}

// ---- items -----------------------------------------------------------------------------------------------------------------------------

static gm_failure_effect effect_of(const teller *t, const gm_arrival *a)
{
    uint32_t need = need_of(t, a->want);
    if (need == GM_IMPACT_NO_NEED) return t->spread->effect;
    return need == GM_IMPACT_GATE ? GM_EFFECT_STOPS : t->modes->needs[need].effect;
}

static double cost_of(const teller *t, const gm_failure_loss *loss, double at_s)
{
    return loss != NULL ? loss->cost + loss->cost_per_h * (t->spread->horizon_s - at_s) / 3600 : 0;
}

static void list_item(teller *t, const gm_arrival *a, bool certain, gm_failure_effect effect, const gm_failure_loss *loss)
{
    gm_impact *out = t->out;
    if (!gm_alloc_reserve(out->alloc, &out->items, &t->item_capacity, out->count + 1, sizeof *out->items)) { t->no_memory = true; return; }
    gm_impact_item *item = &out->items[out->count++];
    *item = (gm_impact_item){ .twin = { a->twin }, .via = { GM_NONE }, .edge = { GM_NONE }, .need = need_of(t, a->want), .certain = certain, .effect = effect,
                              .delay_s = a->at_s, .probability = certain ? 1 : NAN, .otherwise = NAN, .loss = loss };
    if (effect == GM_EFFECT_STOPS) item->cost = cost_of(t, loss, a->at_s);
    if (a->want == GM_SPREAD_ITSELF || (certain && a->from == GM_NONE)) return;
    supplier_search s = { .t = t, .wanted = a->from, .ours = certain && !is_ours(t, (gm_twin){ a->from }), .edge = { GM_NONE }, .twin = { GM_NONE } };
    each_supplier(t, a->want, is_wanted, &s);
    if (!gm_twin_ok(s.twin) || !sees(t, s.twin)) return;
    item->via  = s.twin;
    item->edge = s.edge;
}

// Counts, and lists the first that may be seen.
static void tell_all(teller *t, const gm_arrivals *list, bool certain)
{
    gm_impact *out = t->out;
    for (size_t i = 0; i < list->count && !t->no_memory; i++) {
        const gm_arrival *a      = &list->items[i];
        gm_twin           twin   = { a->twin };
        gm_failure_effect effect = certain ? effect_of(t, a) : GM_EFFECT_STOPS;
        // What is degraded first and stops later has stopped.
        if (effect == GM_EFFECT_DEGRADES && (t->spread->marks[a->twin] & GM_MARK_STOPPED) != 0) continue;
        const gm_failure_loss *loss = certain || out->count < t->options->list_max ? gm_failures_loss(t->failures, t->at->state, twin) : NULL;
        if (!certain) out->at_risk++;
        else if (effect == GM_EFFECT_DEGRADES) out->degraded++;
        else out->cost += cost_of(t, loss, a->at_s);
        out->stops += certain && effect == GM_EFFECT_STOPS && a->want != GM_SPREAD_ITSELF;
        if (out->count == t->options->list_max || t->looks == LOOKS_MAX) { out->more = true; continue; }
        t->looks += t->options->fence != NULL;
        if (sees(t, twin)) list_item(t, a, certain, effect, loss);
        else out->hidden++;
    }
}

// ---- redundancy ------------------------------------------------------------------------------------------------------------------------

static void list_spare(teller *t, uint32_t want, uint32_t limit)
{
    gm_impact     *out = t->out;
    const gm_want *w   = &t->spread->web->wants[want];
    if (!gm_alloc_reserve(out->alloc, &out->spares, &t->spare_capacity, out->spare_count + 1, sizeof *out->spares)) { t->no_memory = true; return; }
    gm_impact_spare *s = &out->spares[out->spare_count++];
    *s = (gm_impact_spare){ .twin = { w->twin }, .need = need_of(t, want), .needed = w->suppliers - limit + 1, .working = w->suppliers - t->spread->lost[want], .of = w->suppliers };
    for (size_t i = 0; i < GM_IMPACT_NEXT_MAX; i++) s->next[i] = (gm_twin){ GM_NONE };
    if (t->spread->lost[want] + 1 != limit) return;
    supplier_search search = { .t = t, .spare = s };
    each_supplier(t, want, choose_next, &search);
}

// Needs that have lost some by the failure and still are met. Before the risk is followed, which counts on.
static void tell_spares(teller *t)
{
    const gm_spread *s = t->spread;
    for (size_t i = 0; i < s->hit_count && !t->no_memory; i++) {
        const gm_want *w     = &s->web->wants[s->hits[i]];
        uint32_t       limit = gm_spread_limit(s, s->hits[i]);
        bool           stops = w->need == GM_WANT_GATE || t->modes->needs[w->need].effect == GM_EFFECT_STOPS;
        if (!stops || s->lost[s->hits[i]] >= limit || limit > w->suppliers || (s->marks[w->twin] & (GM_MARK_BEFORE | GM_MARK_STOPPED)) != 0) continue;
        if (t->out->spare_count == t->options->list_max) { t->out->more = true; return; }
        if (sees(t, (gm_twin){ w->twin })) list_spare(t, s->hits[i], limit);
    }
}

// ---- probabilities -----------------------------------------------------------------------------------------------------------------------

static double likelihood(const teller *t, gm_twin twin, gm_twin given, gm_time_ns until, gm_error *err)
{
    gm_failure_tree         tree;
    gm_dur_ns               left;
    gm_failure_tree_options o = { .horizon_h = t->spread->horizon_s / 3600, .given = given, .twins_max = TREE_TWINS_MAX, .clock = t->options->clock, .until = until };
    gm_reliability_options  a = gm_reliability_options_defaults(t->options->clock);
    gm_reliability         *r = NULL;
    double                  p = NAN;
    if (gm_failure_tree_build(t->failures, t->at, twin, &o, &tree, err) != GM_OK) return NAN;
    left         = until - gm_monotonic(t->options->clock);
    a.time_max   = left > 0 ? left : 0;
    a.memory_max = 64 << 20;
    a.cut_sets   = a.importance = false;
    if (gm_reliability_analyse(t->out->alloc, tree.tree, tree.top, &a, &r, err) == GM_OK) {
        gm_reliability_summary s = gm_reliability_summarise(r);
        if (s.exact) p = s.probability;
        gm_reliability_destroy(r);
    }
    gm_failure_tree_finish(&tree);
    return p;
}

static void find_probabilities(const teller *t, gm_twin failed)
{
    const gm_impact_options *o   = t->options;
    gm_impact               *out = t->out;
    gm_time_ns end   = gm_monotonic(o->clock) + o->time_max;
    size_t     asked = 0;
    for (size_t i = 0; i < out->count; i++) {
        gm_impact_item *item = &out->items[i];
        gm_error        err  = { 0 };
        if (item->certain) continue;
        gm_dur_ns left = end - gm_monotonic(o->clock);
        if (asked >= o->exact_max || left <= 0) { out->why = "the nearest twins at risk alone have their probabilities calculated"; break; }
        item->probability = likelihood(t, item->twin, failed, end, &err);
        if (!isnan(item->probability)) item->otherwise = likelihood(t, item->twin, (gm_twin){ GM_NONE }, end, &err);
        if (isnan(item->probability)) out->why = err.status == GM_INVALID ? "twins need one another in a loop, so that there is no fault tree" : "a fault tree is too large for so short a time";
        else out->risk_cost += item->probability * item->cost;
        asked++;
    }
}

// ---- all of it -----------------------------------------------------------------------------------------------------------------------------

typedef struct failing { double delay_s, cost; gm_failure_effect effect; } failing;

static gm_status find_mode(const teller *t, gm_twin twin, failing *how, gm_error *err)
{
    const gm_failure_kind *kind = gm_failures_kind(t->failures, gm_state_type(t->at->state, twin));
    gm_str                 name = t->options->mode;
    *how = (failing){ .effect = GM_EFFECT_STOPS };
    if (name.len == 0) return GM_OK;
    for (uint32_t i = 0; kind != NULL && i < kind->mode_count; i++) {
        const gm_failure_mode *m = &t->modes->modes[kind->modes[i]];
        if (!gm_str_eq(m->name, name) || !gm_failures_mode_is_about(t->failures, t->at->state, kind->modes[i], twin)) continue;
        *how            = (failing){ (double)m->delay / 1e9, m->cost, m->effect };
        t->out->injects = m->injects;
        return GM_OK;
    }
    gm_str id = gm_str_slice(gm_state_id(t->at->state, twin), 0, 60);
    return gm_fail(err, GM_NOTFOUND, WHERE, "'" GM_STR_FMT "' has no failure mode '" GM_STR_FMT "'", GM_STR_ARG(id), GM_STR_ARG(gm_str_slice(name, 0, 60)));
}

static void tell(teller *t, gm_twin twin, const failing *how)
{
    gm_spread *s   = t->spread;
    gm_impact *out = t->out;
    gm_spread_before(s);
    gm_spread_failure(s, how->effect, how->delay_s);
    tell_all(t, &s->certain, true);
    tell_spares(t);
    gm_spread_risk(s);
    tell_all(t, &s->risk, false);
    out->standing = s->standing;
    out->stands   = s->stands;
    t->no_memory  = t->no_memory || s->no_memory;
    if (t->no_memory) return;
    if (out->count > 0) out->items[0].cost += how->cost;
    out->cost += how->cost;
    find_probabilities(t, twin);
}

gm_status gm_impact_find(gm_failures *failures, const gm_failure_moment *at, gm_twin twin, const gm_impact_options *o, gm_impact *out, gm_error *err)
{
    gm_spread spread;
    teller    t = { .failures = failures, .at = at, .modes = gm_failures_modes(failures), .options = o, .spread = &spread, .out = out };
    failing   how;
    *out         = (gm_impact){ .alloc = gm_failures_alloc(failures) };
    gm_status st = gm_failures_begin(failures, at->state, err);
    if (st == GM_OK) st = find_mode(&t, twin, &how, err);
    if (st == GM_OK) st = gm_spread_open(&spread, failures, at, (double)o->horizon / 1e9, twin, err);
    if (st != GM_OK) return st;
    if (spread.tangled) st = gm_fail(err, GM_INVALID, WHERE, "gates of a fault tree that negate, or are xor, lie in a circle");
    else tell(&t, twin, &how);
    if (t.no_memory) st = gm_fail(err, GM_NOMEM, WHERE, "following a failure");
    gm_spread_close(&spread);
    if (st != GM_OK) gm_impact_finish(out);
    return st;
}
