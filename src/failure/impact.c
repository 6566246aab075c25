// Forward from a failed twin, by the time at which each feels it. Probabilities of what is at risk come from the fault trees of those
// twins, the nearest first, as long as time lasts.
#include "failure/impact.h"

#include "failure/fault_tree.h"
#include "reliability/analyse.h"

#include <math.h>
#include <stdlib.h>

#define WHERE "failure.impact"

enum { STOPPED_BEFORE = 1, STOPPED = 2, DEGRADED = 4, AT_RISK = 8 };
#define NOT_COUNTED UINT32_MAX
enum { TREE_TWINS_MAX = 3000 };  // of the fault tree of a twin at risk

typedef enum step { BEFORE, CERTAIN, RISK } step;

typedef struct node { uint32_t twin, first_count, kind_needs; uint8_t flags; } node;  // a twin that was met

typedef struct count {   // of one need of a node
    uint32_t lost, at_risk, total;
    double   latest_s;
    bool     about, ours;   // the need is about the twin at all; it lost some by the failure asked about
} count;

typedef struct arrival { double at_s; uint32_t order, node, via, edge, need; } arrival;  // via: a twin

typedef struct walker {
    gm_failures             *failures;
    const gm_failure_moment *at;
    const gm_alloc          *alloc;
    const gm_failure_modes  *modes;
    double                   horizon_s;
    step                     step;
    gm_failure_effect        effect;   // of the mode asked about
    uint32_t                 failed;   // the twin asked about
    uint32_t                *place;    // [twins] index of its node + 1
    node                    *nodes;
    count                   *counts;
    arrival                 *heap;
    size_t                   node_count, node_capacity, count_count, count_capacity, heap_count, heap_capacity;
    uint32_t                 order;
    gm_impact               *out;
    size_t                   item_capacity, spare_capacity;
    bool                     no_memory;
} walker;

gm_impact_options gm_impact_options_defaults(const gm_clock *clock)
{
    return (gm_impact_options){ .clock = clock, .horizon = GM_DAY, .exact_max = 32, .time_max = 25 * GM_MILLISECOND };
}

void gm_impact_finish(gm_impact *i)
{
    gm_free(i->alloc, i->items);
    gm_free(i->alloc, i->spares);
    *i = (gm_impact){ .alloc = i->alloc };
}

// ---- the heap: the earliest first, of equals the one that came first -----------------------------------------------------------------

static bool sooner(const arrival *a, const arrival *b) { return a->at_s < b->at_s || (a->at_s == b->at_s && a->order < b->order); }

static void push(walker *w, arrival a)
{
    if (a.at_s > w->horizon_s) return;
    if (!gm_alloc_reserve(w->alloc, &w->heap, &w->heap_capacity, w->heap_count + 1, sizeof *w->heap)) { w->no_memory = true; return; }
    a.order  = w->order++;
    size_t i = w->heap_count++;
    for (; i > 0 && sooner(&a, &w->heap[(i - 1) / 2]); i = (i - 1) / 2) w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = a;
}

static bool pop(walker *w, arrival *out)
{
    if (w->heap_count == 0) return false;
    *out         = w->heap[0];
    arrival last = w->heap[--w->heap_count];
    size_t  i    = 0;
    for (size_t child; (child = 2 * i + 1) < w->heap_count; i = child) {
        if (child + 1 < w->heap_count && sooner(&w->heap[child + 1], &w->heap[child])) child++;
        if (!sooner(&w->heap[child], &last)) break;
        w->heap[i] = w->heap[child];
    }
    if (w->heap_count > 0) w->heap[i] = last;
    return true;
}

// ---- twins that are met --------------------------------------------------------------------------------------------------------------

static node *meet(walker *w, gm_twin twin)
{
    if (w->place[twin.v] != 0) return &w->nodes[w->place[twin.v] - 1];
    const gm_failure_kind *kind = gm_failures_kind(w->failures, gm_state_type(w->at->state, twin));
    if (kind == NULL || !gm_alloc_reserve(w->alloc, &w->nodes, &w->node_capacity, w->node_count + 1, sizeof *w->nodes) ||
        !gm_alloc_reserve(w->alloc, &w->counts, &w->count_capacity, w->count_count + kind->need_count, sizeof *w->counts)) {
        w->no_memory = true;
        return NULL;
    }
    node *n = &w->nodes[w->node_count++];
    *n      = (node){ .twin = twin.v, .first_count = (uint32_t)w->count_count, .kind_needs = kind->need_count };
    for (uint32_t i = 0; i < kind->need_count; i++)
        w->counts[w->count_count++] = (count){ .total = NOT_COUNTED, .about = gm_failures_need_is_about(w->failures, w->at->state, kind->needs[i], twin) };
    w->place[twin.v] = (uint32_t)w->node_count;
    return n;
}

static bool count_one(void *context, gm_edge edge, gm_twin other)
{
    (void)edge;
    (void)other;
    ++*(uint32_t *)context;
    return true;
}

// How many losses are one too many.
static uint32_t limit_of(walker *w, gm_twin twin, uint32_t need, count *c)
{
    uint32_t working = w->modes->needs[need].working;
    if (working == GM_WORKING_ALL) return 1;
    if (c->total == NOT_COUNTED) {
        c->total = 0;
        gm_failures_neighbours(w->failures, w->at->state, need, twin, count_one, &c->total);
    }
    return c->total >= working ? c->total - working + 1 : 0;
}

// A neighbour of `twin` has failed at that time: is one of its needs no longer met?
static void feel(walker *w, gm_twin twin, uint32_t name, bool incoming, gm_twin from, gm_edge edge, double at_s)
{
    uint8_t over = w->step == RISK ? STOPPED_BEFORE | STOPPED | AT_RISK : STOPPED_BEFORE | STOPPED;
    if (w->place[twin.v] != 0 && (w->nodes[w->place[twin.v] - 1].flags & over) != 0) return;
    const gm_failure_kind *kind = gm_failures_kind(w->failures, gm_state_type(w->at->state, twin));
    bool                   any  = false;
    if (kind == NULL) { w->no_memory = true; return; }
    for (uint32_t i = 0; !any && i < kind->need_count; i++) any = gm_failures_need_follows(w->failures, w->at->state, kind->needs[i], name, incoming, from);
    const node *met = any ? meet(w, twin) : NULL;
    if (met == NULL) return;
    uint32_t index = (uint32_t)(met - w->nodes), first = met->first_count;
    for (uint32_t i = 0; i < kind->need_count; i++) {
        count *c = &w->counts[first + i];
        if (!c->about || !gm_failures_need_follows(w->failures, w->at->state, kind->needs[i], name, incoming, from)) continue;
        const gm_failure_need *need  = &w->modes->needs[kind->needs[i]];
        uint32_t               limit = limit_of(w, twin, kind->needs[i], c);
        if (w->step == RISK) c->at_risk++;
        else {
            c->lost++;
            c->latest_s = fmax(c->latest_s, at_s);
            c->ours     = c->ours || w->step == CERTAIN;
        }
        if (c->lost + c->at_risk != limit) continue;
        // What is lost counts at once for a further failure; its delay runs from there.
        double since = w->step == RISK ? at_s : c->latest_s;
        push(w, (arrival){ .at_s = since + (double)need->delay / 1e9, .node = index, .via = from.v, .edge = edge.v, .need = kind->needs[i] });
    }
}

static void spread(walker *w, uint32_t from_node, double at_s)
{
    const gm_state *state = w->at->state;
    gm_twin         twin  = { w->nodes[from_node].twin };
    // From the other end, a relationship that leads out of here comes in. Twins lie anywhere in memory: the next relationship is
    // asked for while this one's end is looked at.
    bool    out = gm_failures_follows_any(w->failures, true), in = gm_failures_follows_any(w->failures, false);
    gm_edge next;
    for (gm_edge e = out ? gm_state_first_out(state, twin) : (gm_edge){ GM_NONE }; gm_edge_ok(e) && !w->no_memory; e = next) {
        next = gm_state_next_out(state, e);
        if (gm_edge_ok(next)) gm_state_prefetch_edge(state, next);
        uint32_t name = gm_state_edge_name(state, e);
        if (gm_failures_follows(w->failures, name, true)) feel(w, gm_state_edge_target(state, e), name, true, twin, e, at_s);
    }
    for (gm_edge e = in ? gm_state_first_in(state, twin) : (gm_edge){ GM_NONE }; gm_edge_ok(e) && !w->no_memory; e = next) {
        next = gm_state_next_in(state, e);
        if (gm_edge_ok(next)) gm_state_prefetch_edge(state, next);
        uint32_t name = gm_state_edge_name(state, e);
        if (gm_failures_follows(w->failures, name, false)) feel(w, gm_state_edge_source(state, e), name, false, twin, e, at_s);
    }
}

// ---- what comes of it ----------------------------------------------------------------------------------------------------------------

static void add_item(walker *w, const arrival *a, gm_failure_effect effect)
{
    gm_impact      *out  = w->out;
    gm_twin         twin = { w->nodes[a->node].twin };
    gm_impact_item *item;
    if (!gm_alloc_reserve(w->alloc, &out->items, &w->item_capacity, out->count + 1, sizeof *out->items)) { w->no_memory = true; return; }
    item  = &out->items[out->count++];
    *item = (gm_impact_item){ .twin = twin, .via = { a->via }, .edge = { a->edge }, .need = a->need,
                              .certain = w->step == CERTAIN, .effect = effect, .delay_s = a->at_s, .probability = w->step == CERTAIN ? 1 : NAN,
                              .otherwise = NAN, .loss = gm_failures_loss(w->failures, w->at->state, twin) };
    if (item->loss == NULL || effect != GM_EFFECT_STOPS) return;
    item->cost = item->loss->cost + item->loss->cost_per_h * (w->horizon_s - a->at_s) / 3600;
}

static void walk(walker *w)
{
    arrival a;
    while (!w->no_memory && pop(w, &a)) {
        node             *n      = &w->nodes[a.node];
        gm_failure_effect effect = a.need == GM_IMPACT_NO_NEED ? (w->step == CERTAIN ? w->effect : GM_EFFECT_STOPS) : w->modes->needs[a.need].effect;
        if (w->step == BEFORE && n->twin == w->failed) continue;  // what its own failure does is the question
        if (effect == GM_EFFECT_DEGRADES) {
            if ((n->flags & (STOPPED_BEFORE | STOPPED | DEGRADED | AT_RISK)) != 0) continue;
            if (w->step != RISK) n->flags |= DEGRADED;
            if (w->step == CERTAIN) add_item(w, &a, effect);
            continue;
        }
        if ((n->flags & (STOPPED_BEFORE | STOPPED | (w->step == RISK ? AT_RISK : 0))) != 0) continue;
        n->flags |= w->step == BEFORE ? STOPPED_BEFORE : w->step == CERTAIN ? STOPPED : AT_RISK;
        if (w->step == BEFORE) w->out->standing++;
        else add_item(w, &a, effect);
        spread(w, a.node, a.at_s);
    }
}

static void stands(void *context, gm_twin twin, uint32_t mode)
{
    walker *w = context;
    (void)mode;
    if (twin.v == w->failed) { w->out->stands = true; return; }
    const node *n = meet(w, twin);
    if (n != NULL) push(w, (arrival){ .node = (uint32_t)(n - w->nodes), .via = GM_NONE, .edge = GM_NONE, .need = GM_IMPACT_NO_NEED });
}

// ---- redundancy ------------------------------------------------------------------------------------------------------------------------

typedef struct chooser { const walker *w; gm_impact_spare *spare; gm_edge first; } chooser;

static bool choose(void *context, gm_edge edge, gm_twin other)
{
    chooser         *c = context;
    gm_impact_spare *s = c->spare;
    uint32_t         place = c->w->place[other.v];
    if (place != 0 && (c->w->nodes[place - 1].flags & (STOPPED_BEFORE | STOPPED)) != 0) return true;
    for (uint32_t i = 0; i < s->next_count && i < GM_IMPACT_NEXT_MAX; i++)
        if (s->next[i].v == other.v) return true;  // by two relationships
    if (s->next_count == 0) c->first = edge;
    if (s->next_count < GM_IMPACT_NEXT_MAX) s->next[s->next_count] = other;
    s->next_count++;
    return true;
}

// Needs that have lost some by the failure and still are met; those that one more would break are where risk begins.
static void find_spares(walker *w)
{
    gm_impact *out = w->out;
    for (uint32_t i = 0; i < w->node_count && !w->no_memory; i++) {
        const node *n    = &w->nodes[i];
        gm_twin     twin = { n->twin };
        if ((n->flags & (STOPPED_BEFORE | STOPPED)) != 0) continue;
        const gm_failure_kind *kind = gm_failures_kind(w->failures, gm_state_type(w->at->state, twin));
        for (uint32_t k = 0; k < n->kind_needs && !w->no_memory; k++) {
            count   *lost  = &w->counts[n->first_count + k];
            uint32_t limit = lost->ours ? limit_of(w, twin, kind->needs[k], lost) : 0;
            if (!lost->ours || lost->lost >= limit || w->modes->needs[kind->needs[k]].effect != GM_EFFECT_STOPS) continue;
            if (!gm_alloc_reserve(w->alloc, &out->spares, &w->spare_capacity, out->spare_count + 1, sizeof *out->spares)) { w->no_memory = true; return; }
            gm_impact_spare *s = &out->spares[out->spare_count++];
            *s = (gm_impact_spare){ .twin = twin, .need = kind->needs[k], .needed = w->modes->needs[kind->needs[k]].working, .working = lost->total - lost->lost, .of = lost->total };
            if (lost->lost + 1 != limit) continue;
            chooser c = { w, s, { GM_NONE } };
            gm_failures_neighbours(w->failures, w->at->state, s->need, twin, choose, &c);
            // The risk begins at one of those that are left.
            push(w, (arrival){ .at_s = (double)w->modes->needs[s->need].delay / 1e9, .node = i, .via = s->next_count > 0 ? s->next[0].v : GM_NONE, .edge = c.first.v, .need = s->need });
        }
    }
}

// ---- probabilities -----------------------------------------------------------------------------------------------------------------------

static double likelihood(walker *w, gm_twin twin, gm_twin given, const gm_clock *clock, gm_dur_ns left, gm_error *err)
{
    gm_failure_tree         tree;
    gm_failure_tree_options o = { .horizon_h = w->horizon_s / 3600, .given = given, .twins_max = TREE_TWINS_MAX };
    gm_reliability_options  a = gm_reliability_options_defaults(clock);
    gm_reliability         *r = NULL;
    double                  p = NAN;
    if (gm_failure_tree_build(w->failures, w->at, twin, &o, &tree, err) != GM_OK) return NAN;
    a.time_max   = left;
    a.memory_max = 64 << 20;
    a.cut_sets   = a.importance = false;
    if (gm_reliability_analyse(w->alloc, tree.tree, tree.top, &a, &r, err) == GM_OK) {
        gm_reliability_summary s = gm_reliability_summarise(r);
        if (s.exact) p = s.probability;
        gm_reliability_destroy(r);
    }
    gm_failure_tree_finish(&tree);
    return p;
}

static void find_probabilities(walker *w, gm_twin failed, const gm_impact_options *o)
{
    gm_impact *out   = w->out;
    gm_time_ns end   = gm_monotonic(o->clock) + o->time_max;
    size_t     asked = 0;
    for (size_t i = 0; i < out->count; i++) {
        gm_impact_item *item = &out->items[i];
        gm_error        err  = { 0 };
        if (item->certain) continue;
        gm_dur_ns left = end - gm_monotonic(o->clock);
        if (asked >= o->exact_max || left <= 0) { out->why = "the nearest twins at risk alone have their probabilities calculated"; break; }
        item->probability = likelihood(w, item->twin, failed, o->clock, left, &err);
        left              = end - gm_monotonic(o->clock);
        if (!isnan(item->probability) && left > 0) item->otherwise = likelihood(w, item->twin, (gm_twin){ GM_NONE }, o->clock, left, &err);
        if (isnan(item->probability)) out->why = err.status == GM_INVALID ? "twins need one another in a loop, so that there is no fault tree" : "a fault tree is too large for so short a time";
        else out->risk_cost += item->probability * item->cost;
        asked++;
    }
}

// ---- all of it -----------------------------------------------------------------------------------------------------------------------------

static gm_status find_mode(walker *w, gm_twin twin, gm_str name, double *out_s, double *out_cost, gm_error *err)
{
    const gm_failure_kind *kind = gm_failures_kind(w->failures, gm_state_type(w->at->state, twin));
    *out_s = *out_cost = 0;
    if (name.len == 0) return GM_OK;
    for (uint32_t i = 0; kind != NULL && i < kind->mode_count; i++) {
        const gm_failure_mode *m = &w->modes->modes[kind->modes[i]];
        if (!gm_str_eq(m->name, name) || !gm_failures_mode_is_about(w->failures, w->at->state, kind->modes[i], twin)) continue;
        *out_s    = (double)m->delay / 1e9;
        *out_cost = m->cost;
        w->effect       = m->effect;
        w->out->injects = m->injects;
        return GM_OK;
    }
    gm_str id = gm_str_slice(gm_state_id(w->at->state, twin), 0, 60);
    return gm_fail(err, GM_NOTFOUND, WHERE, "'" GM_STR_FMT "' has no failure mode '" GM_STR_FMT "'", GM_STR_ARG(id), GM_STR_ARG(gm_str_slice(name, 0, 60)));
}

static void sum_up(walker *w)
{
    gm_impact *out = w->out;
    size_t     kept = 0;
    for (size_t i = 0; i < out->count; i++) {
        gm_impact_item *item = &out->items[i];
        // What is degraded first and stops later has stopped.
        if (item->effect == GM_EFFECT_DEGRADES && (w->nodes[w->place[item->twin.v] - 1].flags & STOPPED) != 0) continue;
        if (!item->certain) out->at_risk++;
        else if (item->effect == GM_EFFECT_DEGRADES) out->degraded++;
        else out->cost += item->cost;
        out->stops += item->certain && item->effect == GM_EFFECT_STOPS && item->need != GM_IMPACT_NO_NEED;
        out->items[kept++] = *item;
    }
    out->count = kept;
}

gm_status gm_impact_find(gm_failures *failures, const gm_failure_moment *at, gm_twin twin, const gm_impact_options *o, gm_impact *out, gm_error *err)
{
    walker w = { .failures = failures, .at = at, .alloc = gm_failures_alloc(failures), .modes = gm_failures_modes(failures), .failed = twin.v,
                 .horizon_s = (double)o->horizon / 1e9, .out = out };
    double    delay_s, own_cost = 0;
    *out         = (gm_impact){ .alloc = w.alloc };
    gm_status st = gm_failures_begin(failures, at->state, err);
    if (st == GM_OK) st = find_mode(&w, twin, o->mode, &delay_s, &own_cost, err);
    if (st != GM_OK) return st;
    w.place     = gm_alloc_zeroed(w.alloc, (gm_state_next_twin(at->state) + (size_t)1) * sizeof *w.place);
    w.no_memory = w.place == NULL;
    // What happens anyhow, then what the failure adds, then what one more failure would add.
    if (!w.no_memory) gm_failures_standing(failures, at, stands, &w);
    if (!w.no_memory) walk(&w);
    w.step = CERTAIN;
    const node *first = w.no_memory ? NULL : meet(&w, twin);
    if (first != NULL) push(&w, (arrival){ .at_s = delay_s, .node = (uint32_t)(first - w.nodes), .via = GM_NONE, .edge = GM_NONE, .need = GM_IMPACT_NO_NEED });
    walk(&w);
    w.step = RISK;
    find_spares(&w);
    walk(&w);
    if (w.no_memory) st = gm_fail(err, GM_NOMEM, WHERE, "following a failure");
    else {
        sum_up(&w);
        if (out->count > 0) out->items[0].cost += own_cost;
        out->cost += own_cost;
        find_probabilities(&w, twin, o);
    }
    gm_free(w.alloc, w.place);
    gm_free(w.alloc, w.nodes);
    gm_free(w.alloc, w.counts);
    gm_free(w.alloc, w.heap);
    if (st != GM_OK) gm_impact_finish(out);
    return st;
}
