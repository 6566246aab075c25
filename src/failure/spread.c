// Following a failure. Invariant (1): arrivals leave in the order of their times. Each delay has a queue of its own; times of what is being
// followed never fall, so neither do those within a queue, and the earliest of all is at the head of one of them. A heap would
// do the same with a dozen places in memory for each arrival.
#include "failure/spread.h"

#include "failure/tree_twins.h"
#include "failure/failures_parts.h"

#include <math.h>

#define WHERE "failure.impact"

enum { ASKED = 1, MEANT = 2, HIT = 4 };  // known: its query was asked; and selects the twin
enum { QUEUE_NOW, QUEUE_OWN, QUEUES_FIXED };  // without a delay; with the delay of the mode asked about

// ---- queues --------------------------------------------------------------------------------------------------------------------------

static void push(gm_spread *s, size_t queue, gm_arrival a)
{
    gm_arrivals *q = &s->queues[queue];
    if (a.at_s > s->horizon_s) return;
    if (!gm_alloc_reserve(s->alloc, &q->items, &q->capacity, q->count + 1, sizeof *q->items)) { s->no_memory = true; return; }
    a.order              = s->order++;
    q->items[q->count++] = a;
}

static bool sooner(const gm_arrival *a, const gm_arrival *b) { return a->at_s < b->at_s || (a->at_s == b->at_s && a->order < b->order); }

static gm_arrivals *earliest(gm_spread *s)
{
    gm_arrivals *best = NULL;
    for (size_t i = 0; i < s->queue_count; i++) {
        gm_arrivals *q = &s->queues[i];
        if (q->head < q->count && (best == NULL || sooner(&q->items[q->head], &best->items[best->head]))) best = q;
    }
    return best;
}

static void record(gm_spread *s, gm_arrivals *to, const gm_arrival *a)
{
    if (!gm_alloc_reserve(s->alloc, &to->items, &to->capacity, to->count + 1, sizeof *to->items)) { s->no_memory = true; return; }
    to->items[to->count++] = *a;
}

// ---- wants ---------------------------------------------------------------------------------------------------------------------------

uint32_t gm_spread_limit(const gm_spread *s, uint32_t want)
{
    const gm_want *w = &s->web->wants[want];
    if (w->need == GM_WANT_GATE) {
        const gm_spread_gate *g = &s->gates[s->gate_of[want]];
        return g->turns ? 0 : g->least;
    }
    uint32_t working = s->needs[w->need].working;
    if (working == GM_WORKING_ALL) return 1;
    return w->suppliers >= working ? w->suppliers - working + 1 : 0;
}

static bool is_meant(gm_spread *s, uint32_t want)
{
    const gm_want *w = &s->web->wants[want];
    if (w->need == GM_WANT_GATE || !s->needs[w->need].asks) return true;
    if ((s->known[want] & ASKED) == 0)
        s->known[want] |= ASKED | (gm_failures_need_is_about(s->failures, s->at->state, w->need, (gm_twin){ w->twin }) ? MEANT : 0);
    return (s->known[want] & MEANT) != 0;
}

// ---- gates that turn -------------------------------------------------------------------------------------------------------------------

static uint32_t level_of(const gm_spread *s, size_t i) { return s->gates[s->gate_of[s->waiting[i]]].level; }

static void wait_for(gm_spread *s, uint32_t want)
{
    if (!gm_alloc_reserve(s->alloc, &s->waiting, &s->waiting_capacity, s->waiting_count + 1, sizeof *s->waiting)) { s->no_memory = true; return; }
    s->waiting[s->waiting_count++] = want;
    for (size_t i = s->waiting_count - 1; i > 0 && level_of(s, (i - 1) / 2) > level_of(s, i); i = (i - 1) / 2) {
        uint32_t up                = s->waiting[(i - 1) / 2];
        s->waiting[(i - 1) / 2]    = s->waiting[i];
        s->waiting[i]              = up;
    }
}

static uint32_t next_waiting(gm_spread *s)
{
    uint32_t first = s->waiting[0];
    s->waiting[0]  = s->waiting[--s->waiting_count];
    for (size_t i = 0, child; (child = 2 * i + 1) < s->waiting_count; i = child) {
        if (child + 1 < s->waiting_count && level_of(s, child + 1) < level_of(s, child)) child++;
        if (level_of(s, child) >= level_of(s, i)) break;
        uint32_t down      = s->waiting[i];
        s->waiting[i]      = s->waiting[child];
        s->waiting[child]  = down;
    }
    return first;
}

static void look_at_gate(gm_spread *s, uint32_t want, double at_s)
{
    const gm_spread_gate *g = &s->gates[s->gate_of[want]];
    uint32_t              n = s->lost[want];
    if (g->odd ? n % 2 == 1 : n >= g->least && n <= g->most) push(s, QUEUE_NOW, (gm_arrival){ .at_s = at_s, .twin = s->web->wants[want].twin, .want = want, .from = GM_NONE });
}

// ---- spreading -------------------------------------------------------------------------------------------------------------------------

static void feel(gm_spread *s, uint32_t felt, uint32_t from, double at_s)
{
    uint32_t       want  = felt >> 1;
    const gm_want *w     = &s->web->wants[want];
    uint8_t        over  = s->step == GM_SPREAD_BEFORE ? GM_MARK_BEFORE : s->step == GM_SPREAD_CERTAIN ? GM_MARK_STOPPED : GM_MARK_STOPPED | GM_MARK_RISK;
    if ((s->marks[w->twin] & over) != 0 || !is_meant(s, want)) return;
    if (w->need == GM_WANT_GATE && s->gates[s->gate_of[want]].turns) {
        if (s->step == GM_SPREAD_RISK) return;  // one more failure may do either
        s->lost[want] += (felt & 1) != 0 ? UINT32_MAX : 1;
        wait_for(s, want);
        return;
    }
    s->lost[want]++;
    if (s->step == GM_SPREAD_CERTAIN && (s->known[want] & HIT) == 0 && (s->marks[from] & GM_MARK_BEFORE) == 0) {
        s->known[want] |= HIT;
        if (!gm_alloc_reserve(s->alloc, &s->hits, &s->hit_capacity, s->hit_count + 1, sizeof *s->hits)) { s->no_memory = true; return; }
        s->hits[s->hit_count++] = want;
    }
    if (s->lost[want] != gm_spread_limit(s, want)) return;
    bool gate = w->need == GM_WANT_GATE;
    push(s, gate ? QUEUE_NOW : s->needs[w->need].queue,
         (gm_arrival){ .at_s = at_s + (gate ? 0 : s->needs[w->need].delay_s), .twin = w->twin, .want = want, .from = from });
}

static void spread(gm_spread *s, uint32_t twin, double at_s)
{
    const gm_failure_web *web = s->web;
    for (uint32_t i = web->first[twin]; i < web->first[twin + 1] && !s->no_memory; i++) feel(s, web->felt[i], twin, at_s);
}

static bool degrades(const gm_spread *s, const gm_arrival *a)
{
    if (a->want == GM_SPREAD_ITSELF) return s->step == GM_SPREAD_CERTAIN && a->twin == s->failed && s->effect == GM_EFFECT_DEGRADES;
    return s->web->wants[a->want].need != GM_WANT_GATE && s->needs[s->web->wants[a->want].need].degrades;
}

static void arrive_degraded(gm_spread *s, const gm_arrival *a)
{
    uint8_t *mark = &s->marks[a->twin];
    if (s->step == GM_SPREAD_BEFORE) *mark |= (*mark & GM_MARK_BEFORE) == 0 ? GM_MARK_DEGRADED_BEFORE : 0;
    if (s->step != GM_SPREAD_CERTAIN || (*mark & (GM_MARK_STOPPED | GM_MARK_DEGRADED)) != 0) return;
    *mark |= GM_MARK_DEGRADED;
    if ((*mark & (GM_MARK_BEFORE | GM_MARK_DEGRADED_BEFORE)) == 0) record(s, &s->certain, a);
}

static void arrive(gm_spread *s, const gm_arrival *a)
{
    static const uint8_t stop[] = { GM_MARK_BEFORE, GM_MARK_STOPPED, GM_MARK_RISK };
    uint8_t             *mark   = &s->marks[a->twin];
    if (a->twin == s->failed && (s->step != GM_SPREAD_CERTAIN || a->want != GM_SPREAD_ITSELF)) return;  // what its own failure does is the question
    if (degrades(s, a)) { arrive_degraded(s, a); return; }
    if ((*mark & (s->step == GM_SPREAD_RISK ? GM_MARK_STOPPED | GM_MARK_RISK : stop[s->step])) != 0) return;
    *mark |= stop[s->step];
    if (s->step == GM_SPREAD_BEFORE) s->standing++;
    else if (s->step == GM_SPREAD_RISK) record(s, &s->risk, a);
    else if ((*mark & GM_MARK_BEFORE) == 0) record(s, &s->certain, a);
    spread(s, a->twin, a->at_s);
}

static void follow(gm_spread *s)
{
    double       now = 0;
    gm_arrivals *q;
    while (!s->no_memory) {
        q = earliest(s);
        if (s->waiting_count > 0 && (q == NULL || q->items[q->head].at_s > now)) {  // all that comes at this time has come
            uint32_t want = next_waiting(s);
            look_at_gate(s, want, now);
            continue;
        }
        if (q == NULL) break;
        gm_arrival a = q->items[q->head++];
        now          = a.at_s;
        arrive(s, &a);
    }
    for (size_t i = 0; i < s->queue_count; i++) s->queues[i].head = s->queues[i].count = 0;
}

// ---- beginnings ------------------------------------------------------------------------------------------------------------------------

static void begin_at(gm_spread *s, size_t queue, uint32_t twin, double at_s, uint32_t want)
{
    push(s, queue, (gm_arrival){ .at_s = at_s, .twin = twin, .want = want, .from = GM_NONE });
}

static void stands(void *context, gm_twin twin, uint32_t mode)
{
    gm_spread *s = context;
    (void)mode;
    if (twin.v == s->failed) s->stands = true;
    else record(s, &s->seeds, &(gm_arrival){ .twin = twin.v, .want = GM_SPREAD_ITSELF, .from = GM_NONE });
}

// Basic events that are there already, and houses that are on.
static void find_events(gm_spread *s)
{
    for (size_t t = 0; t < gm_state_table_count(s->at->state); t++) {
        gm_table          table = gm_state_table(s->at->state, t);
        gm_tree_twin_kind kind  = table.live > 0 ? gm_tree_twin_kind_of(table.type) : GM_TREE_TWIN_NONE;
        for (uint32_t row = 0; kind >= GM_TREE_TWIN_IS_EVENT && row < table.rows; row++) {
            gm_twin twin = { table.twins[row] };
            if (gm_twin_ok(twin) && (kind == GM_TREE_TWIN_IS_HOUSE ? gm_tree_twin_on(s->at->state, twin) : gm_tree_twin_probability(s->at->state, twin) >= 1)) stands(s, twin, GM_NONE);
        }
    }
}

static void begin(gm_spread *s)
{
    for (size_t i = 0; i < s->seeds.count; i++) push(s, QUEUE_NOW, s->seeds.items[i]);
    for (uint32_t i = 0; i < s->web->starved_count; i++)
        if (is_meant(s, s->web->starved[i])) begin_at(s, QUEUE_NOW, s->web->wants[s->web->starved[i]].twin, 0, s->web->starved[i]);
    for (uint32_t i = 0; i < s->web->gate_count; i++)
        if (s->gates[i].turns) wait_for(s, s->web->gates[i]);
}

void gm_spread_before(gm_spread *s)
{
    s->step = GM_SPREAD_BEFORE;
    gm_failures_standing(s->failures, s->at, stands, s);
    find_events(s);
    begin(s);
    follow(s);
}

// Negated inputs of what is not true yet are true.
static void count_negated(gm_spread *s)
{
    for (uint32_t t = 0; s->web->gate_count > 0 && t < s->web->first[s->web->twins]; t++)
        if ((s->web->felt[t] & 1) != 0) s->lost[s->web->felt[t] >> 1]++;
}

void gm_spread_failure(gm_spread *s, gm_failure_effect effect, double delay_s)
{
    // From the beginning: what stops anyhow may stop sooner.
    s->step   = GM_SPREAD_CERTAIN;
    s->effect = effect;
    memset(s->lost, 0, s->web->want_count * sizeof *s->lost);
    count_negated(s);
    begin(s);
    begin_at(s, QUEUE_OWN, s->failed, delay_s, GM_SPREAD_ITSELF);  // last of those at one time, so that what it stops came by it
    follow(s);
}

void gm_spread_risk(gm_spread *s)
{
    s->step = GM_SPREAD_RISK;
    // Needs that have lost some by the failure, and that one more would break. Nearest first: keeps (1) while nothing is being followed.
    for (size_t i = 0; i < s->hit_count; i++) {
        const gm_want *w = &s->web->wants[s->hits[i]];
        if ((s->marks[w->twin] & GM_MARK_STOPPED) != 0 || s->lost[s->hits[i]] + 1 != gm_spread_limit(s, s->hits[i])) continue;
        bool gate = w->need == GM_WANT_GATE;
        if (!gate && s->needs[w->need].degrades) continue;
        begin_at(s, gate ? QUEUE_NOW : s->needs[w->need].queue, w->twin, gate ? 0 : s->needs[w->need].delay_s, s->hits[i]);
    }
    follow(s);
}

// ---- life cycle ------------------------------------------------------------------------------------------------------------------------

static bool make_needs(gm_spread *s)
{
    const gm_failure_modes *m = s->failures->modes;
    s->needs  = gm_alloc_array(s->alloc, m->need_count + (size_t)1, sizeof *s->needs);
    s->queues = gm_alloc_zeroed(s->alloc, (m->need_count + (size_t)QUEUES_FIXED) * sizeof *s->queues);
    if (s->needs == NULL || s->queues == NULL) return false;
    s->queue_count = QUEUES_FIXED;
    for (uint32_t i = 0; i < m->need_count; i++) {
        const gm_failure_need *n = &m->needs[i];
        s->needs[i] = (gm_spread_need){ .delay_s = (double)n->delay / 1e9, .working = n->working, .queue = QUEUE_NOW, .degrades = n->effect == GM_EFFECT_DEGRADES, .asks = n->scope.members.len > 0 };
        uint32_t same = 0;
        while (same < i && m->needs[same].delay != n->delay) same++;
        if (n->delay > 0) s->needs[i].queue = same < i ? s->needs[same].queue : (uint16_t)s->queue_count++;
    }
    return true;
}

// How many gates that turn lie below each: the longest way. What is raised more often than there are such gates is in a circle with one.
static bool find_levels(gm_spread *s)
{
    const gm_failure_web *web   = s->web;
    uint32_t             *level = gm_alloc_zeroed(s->alloc, (web->twins + (size_t)1) * sizeof *level), turning = 0;
    gm_arrivals           work  = { 0 };
    for (uint32_t i = 0; i < web->gate_count; i++) turning += s->gates[i].turns;
    for (uint32_t i = 0; level != NULL && i < web->gate_count; i++) {
        if (!s->gates[i].turns) continue;
        uint32_t twin = web->wants[web->gates[i]].twin;
        if (level[twin] == 0) level[twin] = 1;
        record(s, &work, &(gm_arrival){ .twin = twin });
    }
    while (work.head < work.count && level != NULL && !s->no_memory && !s->tangled) {
        uint32_t twin = work.items[work.head++].twin;
        for (uint32_t k = web->first[twin]; k < web->first[twin + 1]; k++) {
            const gm_want *w  = &web->wants[web->felt[k] >> 1];
            uint32_t       up = level[twin] + (w->need == GM_WANT_GATE && s->gates[s->gate_of[web->felt[k] >> 1]].turns);
            if (up <= level[w->twin]) continue;
            level[w->twin] = up;
            s->tangled     = s->tangled || up > turning;
            record(s, &work, &(gm_arrival){ .twin = w->twin });
        }
    }
    for (uint32_t i = 0; level != NULL && i < web->gate_count; i++) s->gates[i].level = level[web->wants[web->gates[i]].twin];
    gm_free(s->alloc, work.items);
    gm_free(s->alloc, level);
    return level != NULL && !s->no_memory;
}

static bool make_gates(gm_spread *s)
{
    const gm_failure_web *web = s->web;
    bool                  any = false;
    if (web->gate_count == 0) return true;
    s->gates   = gm_alloc_array(s->alloc, web->gate_count, sizeof *s->gates);
    s->gate_of = gm_alloc_array(s->alloc, web->want_count, sizeof *s->gate_of);
    if (s->gates == NULL || s->gate_of == NULL) return false;
    for (uint32_t i = 0; i < web->gate_count; i++) {
        const gm_want    *w = &web->wants[web->gates[i]];
        gm_tree_twin_gate g = gm_tree_twin_gate_of(s->at->state, (gm_twin){ w->twin }, w->suppliers);
        s->gate_of[web->gates[i]] = i;
        s->gates[i] = (gm_spread_gate){ .least = g.kind == GM_GATE_AND ? w->suppliers : g.kind == GM_GATE_CARDINALITY ? g.least : 1, .most = g.kind == GM_GATE_CARDINALITY ? g.most : w->suppliers, .odd = g.kind == GM_GATE_XOR };
        if (g.kind == GM_GATE_NONE || w->suppliers == 0) s->gates[i].least = UINT32_MAX;  // it says nothing
        s->gates[i].turns = s->gates[i].odd || s->gates[i].least == 0 || s->gates[i].most < w->suppliers;
    }
    for (uint32_t k = 0; k < web->first[web->twins]; k++)
        if ((web->felt[k] & 1) != 0) s->gates[s->gate_of[web->felt[k] >> 1]].turns = true;
    for (uint32_t i = 0; i < web->gate_count; i++) any = any || s->gates[i].turns;
    return !any || find_levels(s);
}

gm_status gm_spread_open(gm_spread *s, gm_failures *failures, const gm_failure_moment *at, double horizon_s, gm_twin failed, gm_error *err)
{
    *s     = (gm_spread){ .failures = failures, .at = at, .alloc = gm_failures_alloc(failures), .horizon_s = horizon_s, .failed = failed.v };
    s->web = gm_failures_web(failures, at->state);
    if (s->web == NULL) return gm_fail(err, GM_NOMEM, WHERE, "following a failure");
    s->lost  = gm_alloc_zeroed(s->alloc, (s->web->want_count + (size_t)1) * sizeof *s->lost);
    s->known = gm_alloc_zeroed(s->alloc, s->web->want_count + (size_t)1);
    s->marks = gm_alloc_zeroed(s->alloc, s->web->twins + (size_t)1);
    if (s->lost == NULL || s->known == NULL || s->marks == NULL || !make_needs(s) || !make_gates(s)) {
        gm_spread_close(s);
        return gm_fail(err, GM_NOMEM, WHERE, "following a failure");
    }
    count_negated(s);
    return GM_OK;
}

void gm_spread_close(gm_spread *s)
{
    for (size_t i = 0; i < s->queue_count; i++) gm_free(s->alloc, s->queues[i].items);
    gm_free(s->alloc, s->queues);
    gm_free(s->alloc, s->needs);
    gm_free(s->alloc, s->gates);
    gm_free(s->alloc, s->gate_of);
    gm_free(s->alloc, s->lost);
    gm_free(s->alloc, s->known);
    gm_free(s->alloc, s->marks);
    gm_free(s->alloc, s->waiting);
    gm_free(s->alloc, s->hits);
    gm_free(s->alloc, s->seeds.items);
    gm_free(s->alloc, s->certain.items);
    gm_free(s->alloc, s->risk.items);
    *s = (gm_spread){ .alloc = s->alloc };
}
