// From a twin along what it needs, breadth first; each twin gets one gate.
#include "failure/tree_parts.h"
#include "failure/tree_twins.h"

#include <math.h>
#include <stdio.h>

#define WHERE "failure.tree"

enum { TWINS_A_LOOK = 32 };  // at the clock

void gm_tree_keep(gm_tree_maker *m, gm_status st)
{
    if (m->st == GM_OK) m->st = st;
}

static void no_memory(gm_tree_maker *m) { gm_tree_keep(m, gm_fail(m->err, GM_NOMEM, WHERE, "making a fault tree")); }

void gm_tree_put(gm_tree_maker *m, gm_tree_edges *to, gm_tree_edge edge)
{
    if (m->st != GM_OK) return;
    if (!gm_alloc_reserve(m->out->alloc, &to->items, &to->capacity, to->count + 1, sizeof *to->items)) { no_memory(m); return; }
    to->items[to->count++] = edge;
}

gm_tree_edge gm_tree_constant(gm_tree_maker *m, bool value)
{
    gm_tree_node node = gm_fault_tree_anonymous(m->out->tree);
    if (m->st == GM_OK) gm_tree_keep(m, gm_fault_tree_constant(m->out->tree, node, value, m->err));
    return gm_tree_is(node);
}

gm_tree_edge gm_tree_gate(gm_tree_maker *m, gm_gate kind, uint32_t min, const gm_tree_edge *inputs, size_t count)
{
    gm_tree_node node = gm_fault_tree_anonymous(m->out->tree);
    uint32_t     max  = kind == GM_GATE_CARDINALITY ? (uint32_t)count : 0;
    if (m->st == GM_OK) gm_tree_keep(m, gm_fault_tree_gate(m->out->tree, node, kind, min, max, inputs, (uint32_t)count, m->err));
    return gm_tree_is(node);
}

gm_tree_edge gm_tree_event(gm_tree_maker *m, const gm_failure_event *event, gm_str name, gm_str label)
{
    gm_failure_tree *t = m->out;
    gm_tree_node     node = gm_fault_tree_name(t->tree, name);
    if (m->st != GM_OK) return gm_tree_is(node);
    gm_tree_keep(m, gm_fault_tree_event(t->tree, node, event->probability, m->err));
    if (label.len > 0) gm_fault_tree_label(t->tree, node, label);
    if (!gm_alloc_reserve(t->alloc, &t->events, &t->capacity, t->count + 1, sizeof *t->events)) { no_memory(m); return gm_tree_is(node); }
    t->events[t->count]        = *event;
    t->events[t->count++].node = node;
    return gm_tree_is(node);
}

gm_tree_member *gm_tree_member_of(gm_tree_maker *m, gm_twin twin)
{
    if (m->st != GM_OK) return NULL;
    if (m->place[twin.v] != 0) return &m->members[m->place[twin.v] - 1];
    if (m->member_count >= m->options->twins_max) {
        gm_tree_keep(m, gm_fail(m->err, GM_LIMIT, WHERE, "more than %u twins are needed", m->options->twins_max));
        return NULL;
    }
    if (!gm_alloc_reserve(m->out->alloc, &m->members, &m->member_capacity, m->member_count + 1, sizeof *m->members)) { no_memory(m); return NULL; }
    gm_tree_member *x = &m->members[m->member_count++];
    *x = (gm_tree_member){ .twin = twin.v, .node = gm_fault_tree_name(m->out->tree, gm_state_id(m->at->state, twin)) };
    m->place[twin.v] = (uint32_t)m->member_count;
    return x;
}

// ---- own modes and common causes ---------------------------------------------------------------------------------------------------

static bool first_place(void *context, gm_edge edge, gm_twin other)
{
    (void)edge;
    *(gm_twin *)context = other;
    return false;
}

gm_tree_own gm_tree_own_mode(gm_tree_maker *m, gm_twin twin, uint32_t mode)
{
    const gm_failure_modes *all  = gm_failures_modes(m->failures);
    const gm_failure_kind  *kind = gm_failures_kind(m->failures, gm_state_type(m->at->state, twin));
    gm_tree_own             own  = { .chance = gm_failure_chance_of(m->failures, m->at, twin, mode, m->options->horizon_h), .common = GM_NONE };
    for (uint32_t i = 0; kind != NULL && i < kind->common_count && own.common == GM_NONE; i++) {
        const gm_common_cause *c = &all->common[kind->common[i]];
        if (!gm_str_eq(c->mode, all->modes[mode].name) || !gm_failures_common_is_about(m->failures, m->at->state, kind->common[i], twin)) continue;
        own.common = kind->common[i];
        own.beta   = c->beta;
    }
    return own;
}

typedef struct sharing { gm_tree_maker *m; uint32_t common, mode; double probability, unavailability; size_t count; } sharing;

// Adds what one member of a common cause's group fails with.
static bool add_share(void *context, gm_edge edge, gm_twin twin)
{
    (void)edge;
    sharing               *s    = context;
    const gm_failure_kind *kind = gm_failures_kind(s->m->failures, gm_state_type(s->m->at->state, twin));
    bool                   mine = false;
    for (uint32_t i = 0; kind != NULL && i < kind->common_count; i++) mine = mine || kind->common[i] == s->common;
    if (!mine || !gm_failures_common_is_about(s->m->failures, s->m->at->state, s->common, twin)) return true;
    gm_failure_chance c = gm_failure_chance_of(s->m->failures, s->m->at, twin, s->mode, s->m->options->horizon_h);
    if (c.stands) return true;
    s->probability += c.probability;
    s->unavailability += c.unavailability;
    s->count++;
    return true;
}

static void add_shares(sharing *s, gm_twin place)
{
    const gm_state        *state = s->m->at->state;
    const gm_failure_path *path  = &gm_failures_modes(s->m->failures)->common[s->common].within;
    uint32_t               name  = gm_state_name_number(state, path->relationship);
    if (!gm_twin_ok(place)) {
        for (size_t t = 0; t < gm_state_table_count(state); t++) {
            gm_table table = gm_state_table(state, t);
            for (uint32_t row = 0; row < table.rows; row++)
                if (table.twins[row] != GM_NONE && !add_share(s, (gm_edge){ GM_NONE }, (gm_twin){ table.twins[row] })) return;
        }
        return;
    }
    // Back along the path: `<contains` leads from a member to the place, so `contains` leads from the place to its members.
    bool in = !path->incoming;
    for (gm_edge e = in ? gm_state_first_in(state, place) : gm_state_first_out(state, place); gm_edge_ok(e); e = in ? gm_state_next_in(state, e) : gm_state_next_out(state, e))
        if (gm_state_edge_name(state, e) == name) (void)add_share(s, e, in ? gm_state_edge_source(state, e) : gm_state_edge_target(state, e));
}

// One event for all of a group: `beta` times what its members fail with on average.
gm_tree_edge gm_tree_common_event(gm_tree_maker *m, gm_twin twin, uint32_t mode, uint32_t common)
{
    const gm_common_cause *c     = &gm_failures_modes(m->failures)->common[common];
    gm_twin                place = { GM_NONE };
    char                   name[512];
    gm_failures_common_places(m->failures, m->at->state, common, twin, first_place, &place);
    for (size_t i = 0; i < m->common_count; i++)
        if (m->common[i].common == common && m->common[i].place == place.v) return gm_tree_is(m->common[i].node);
    if (c->within.relationship.len > 0 && !gm_twin_ok(place)) return gm_tree_constant(m, false);  // belongs nowhere: alone
    sharing s = { m, common, mode, 0, 0, 0 };
    add_shares(&s, place);
    double n  = s.count > 0 ? (double)s.count : 1;
    gm_str id = gm_twin_ok(place) ? gm_state_id(m->at->state, place) : GM_STR("all");
    snprintf(name, sizeof name, GM_STR_FMT ": " GM_STR_FMT " (common cause)", GM_STR_ARG(gm_str_slice(id, 0, 200)), GM_STR_ARG(gm_str_slice(c->name, 0, 200)));
    gm_failure_event e = { .twin = { GM_NONE }, .mode = mode, .probability = c->beta * s.probability / n, .unavailability = c->beta * s.unavailability / n, .known = true };
    gm_tree_edge edge = gm_tree_event(m, &e, gm_str_of(name), (gm_str){ 0 });
    if (!gm_alloc_reserve(m->out->alloc, &m->common, &m->common_capacity, m->common_count + 1, sizeof *m->common)) { no_memory(m); return edge; }
    m->common[m->common_count++] = (gm_tree_common){ common, place.v, gm_tree_target(edge) };
    return edge;
}

static void put_mode(gm_tree_maker *m, gm_twin twin, uint32_t mode, bool grouped)
{
    const gm_failure_mode *declared = &gm_failures_modes(m->failures)->modes[mode];
    gm_tree_own            own      = gm_tree_own_mode(m, twin, mode);
    char                   name[512];
    if (own.common != GM_NONE) gm_tree_put(m, &m->inputs, gm_tree_common_event(m, twin, mode, own.common));
    if (grouped && declared->law != GM_MODE_PROBABILITY) return;  // in the unit's own event
    gm_str id = gm_state_id(m->at->state, twin);
    snprintf(name, sizeof name, GM_STR_FMT ": " GM_STR_FMT, GM_STR_ARG(gm_str_slice(id, 0, 200)), GM_STR_ARG(gm_str_slice(declared->name, 0, 200)));
    double           alone = own.chance.stands ? 1 : 1 - own.beta;
    gm_failure_event e     = { .twin = twin, .mode = mode, .probability = alone * own.chance.probability, .unavailability = alone * own.chance.unavailability,
                               .stands = own.chance.stands, .known = own.chance.known };
    gm_tree_put(m, &m->inputs, gm_tree_event(m, &e, gm_str_of(name), declared->text));
}

// ---- needs -------------------------------------------------------------------------------------------------------------------------

typedef struct neighbours { gm_tree_maker *m; gm_twin *items; size_t count, capacity; } neighbours;

static bool add_neighbour(void *context, gm_edge edge, gm_twin other)
{
    (void)edge;
    neighbours *n = context;
    if (!gm_alloc_reserve(n->m->out->alloc, &n->items, &n->capacity, n->count + 1, sizeof *n->items)) { no_memory(n->m); return false; }
    n->items[n->count++] = other;
    return true;
}

static void put_need(gm_tree_maker *m, gm_twin twin, uint32_t need)
{
    const gm_failure_need *declared = &gm_failures_modes(m->failures)->needs[need];
    neighbours             n        = { .m = m };
    gm_tree_edges          down     = { 0 };
    gm_failures_neighbours(m->failures, m->at->state, need, twin, add_neighbour, &n);
    if (m->st == GM_OK && declared->standby != GM_STANDBY_HOT && declared->working < n.count && !gm_tree_standby(m, need, n.items, (uint32_t)n.count)) m->out->hot_instead++;
    for (size_t i = 0; i < n.count && m->st == GM_OK; i++) {
        gm_tree_member *x = gm_tree_member_of(m, n.items[i]);
        if (x != NULL) gm_tree_put(m, declared->working == GM_WORKING_ALL ? &m->inputs : &down, gm_tree_is(x->node));
    }
    if (m->st == GM_OK && declared->working != GM_WORKING_ALL && n.count > 0) {
        uint32_t most = declared->working <= n.count ? (uint32_t)n.count - declared->working + 1 : 0;  // so many down are too many
        gm_tree_edge edge = most == 0 ? gm_tree_constant(m, true) : most == n.count ? gm_tree_gate(m, GM_GATE_AND, 0, down.items, down.count)
                                      : gm_tree_gate(m, GM_GATE_CARDINALITY, most, down.items, down.count);
        gm_tree_put(m, &m->inputs, edge);
    }
    gm_free(m->out->alloc, n.items);
    gm_free(m->out->alloc, down.items);
}

// ---- twins that are a fault tree already (tree_twins.h) ------------------------------------------------------------------------------

static void put_gate(gm_tree_maker *m, const gm_tree_member *x)
{
    const gm_state *state = m->at->state;
    gm_twin         twin  = { x->twin };
    uint32_t        input = gm_state_name_number(state, GM_STR("input"));
    gm_str          id    = gm_str_slice(gm_state_id(state, twin), 0, 100);
    for (gm_edge e = gm_state_first_out(state, twin); gm_edge_ok(e) && m->st == GM_OK; e = gm_state_next_out(state, e)) {
        if (gm_state_edge_name(state, e) != input) continue;
        bool            negated = gm_tree_twin_negated(state, e);
        gm_tree_member *under   = gm_tree_member_of(m, gm_state_edge_target(state, e));
        if (under != NULL) gm_tree_put(m, &m->inputs, negated ? gm_tree_not(gm_tree_is(under->node)) : gm_tree_is(under->node));
    }
    if (m->st != GM_OK) return;
    uint32_t          n    = (uint32_t)m->inputs.count;
    gm_tree_twin_gate gate = gm_tree_twin_gate_of(state, twin, n);
    if (gate.kind == GM_GATE_NONE || n == 0) {
        gm_tree_keep(m, gm_fail(m->err, GM_INVALID, WHERE, "the gate '" GM_STR_FMT "' has no %s", GM_STR_ARG(id), n == 0 ? "inputs" : "connective"));
        return;
    }
    gm_tree_keep(m, gm_fault_tree_gate(m->out->tree, x->node, gate.kind, gate.least, gate.most, m->inputs.items, n, m->err));
}

// A twin that is a gate or an event of a fault tree. False: it is something else.
static bool put_tree_twin(gm_tree_maker *m, const gm_tree_member *x)
{
    const gm_state *state = m->at->state;
    gm_twin         twin  = { x->twin };
    gm_str          label = gm_tree_twin_text(state, twin, GM_STR("label"));
    double          p;
    switch (gm_tree_twin_kind_of(gm_state_type(state, twin))) {
    case GM_TREE_TWIN_NONE: return false;
    case GM_TREE_TWIN_IS_GATE: put_gate(m, x); break;
    case GM_TREE_TWIN_IS_HOUSE: gm_tree_keep(m, gm_fault_tree_constant(m->out->tree, x->node, gm_tree_twin_on(state, twin), m->err)); break;
    case GM_TREE_TWIN_IS_EVENT:
        p = gm_tree_twin_probability(state, twin);
        gm_failure_event e = { .twin = twin, .mode = GM_NONE, .probability = p, .unavailability = p, .known = !isnan(p) };
        (void)gm_tree_event(m, &e, gm_state_id(state, twin), label);
        break;
    }
    if (m->st == GM_OK && label.len > 0) gm_fault_tree_label(m->out->tree, x->node, label);
    return true;
}

static void expand(gm_tree_maker *m, size_t index)
{
    gm_tree_member x    = m->members[index];
    gm_twin        twin = { x.twin };
    m->members[index].expanded = true;
    m->inputs.count            = 0;
    if (x.twin == m->options->given.v) {
        gm_tree_keep(m, gm_fault_tree_constant(m->out->tree, x.node, true, m->err));
        return;
    }
    if (put_tree_twin(m, &x)) return;
    const gm_failure_modes *all  = gm_failures_modes(m->failures);
    const gm_failure_kind  *kind = gm_failures_kind(m->failures, gm_state_type(m->at->state, twin));
    if (kind == NULL) { no_memory(m); return; }
    if (x.grouped) gm_tree_put(m, &m->inputs, x.own);
    for (uint32_t i = 0; i < kind->mode_count && m->st == GM_OK; i++)
        if (all->modes[kind->modes[i]].effect == GM_EFFECT_STOPS && gm_failures_mode_is_about(m->failures, m->at->state, kind->modes[i], twin))
            put_mode(m, twin, kind->modes[i], x.grouped);
    for (uint32_t i = 0; i < kind->need_count && m->st == GM_OK; i++)
        if (all->needs[kind->needs[i]].effect == GM_EFFECT_STOPS && gm_failures_need_is_about(m->failures, m->at->state, kind->needs[i], twin))
            put_need(m, twin, kind->needs[i]);
    if (m->st != GM_OK) return;
    if (m->inputs.count == 0) gm_tree_keep(m, gm_fault_tree_constant(m->out->tree, x.node, false, m->err));
    else gm_tree_keep(m, gm_fault_tree_gate(m->out->tree, x.node, GM_GATE_OR, 0, 0, m->inputs.items, (uint32_t)m->inputs.count, m->err));
}

gm_status gm_failure_tree_build(gm_failures *failures, const gm_failure_moment *at, gm_twin root, const gm_failure_tree_options *options,
                                gm_failure_tree *out, gm_error *err)
{
    const gm_alloc *alloc = gm_failures_alloc(failures);
    gm_tree_maker   m     = { .failures = failures, .at = at, .options = options, .out = out, .err = err };
    *out    = (gm_failure_tree){ .alloc = alloc, .tree = gm_fault_tree_create(alloc) };
    m.place = gm_alloc_zeroed(alloc, (gm_state_next_twin(at->state) + (size_t)1) * sizeof *m.place);
    if (out->tree == NULL || m.place == NULL) no_memory(&m);
    gm_tree_keep(&m, gm_failures_begin(failures, at->state, err));
    gm_tree_member *top = gm_tree_member_of(&m, root);
    if (top != NULL) out->top = top->node;
    for (size_t i = 0; m.st == GM_OK && i < m.member_count; i++) {
        expand(&m, i);
        if (options->clock != NULL && i % TWINS_A_LOOK == 0 && gm_monotonic(options->clock) > options->until && m.st == GM_OK)
            m.st = gm_fail(err, GM_LIMIT, WHERE, "making the tree takes longer than it may");
    }
    if (m.st == GM_OK) m.st = gm_fault_tree_check(out->tree, out->top, err);
    if (m.st == GM_OK) {
        uint32_t nodes      = gm_fault_tree_count(out->tree);
        out->twins          = (uint32_t)m.member_count;
        out->unavailability = gm_alloc_zeroed(alloc, (nodes + (size_t)1) * sizeof *out->unavailability);
        if (out->unavailability == NULL) no_memory(&m);
        for (size_t i = 0; m.st == GM_OK && i < out->count; i++) out->unavailability[out->events[i].node.v] = out->events[i].unavailability;
    }
    gm_free(alloc, m.place);
    gm_free(alloc, m.members);
    gm_free(alloc, m.common);
    gm_free(alloc, m.inputs.items);
    if (m.st != GM_OK) gm_failure_tree_finish(out);
    return m.st;
}

void gm_failure_tree_finish(gm_failure_tree *t)
{
    gm_fault_tree_destroy(t->tree);
    gm_free(t->alloc, t->events);
    gm_free(t->alloc, t->unavailability);
    *t = (gm_failure_tree){ .alloc = t->alloc };
}
