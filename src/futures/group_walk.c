// The graph around a root: which twins belong together, and in which order.
//
// Invariant: members come in breadth-first order from the root, along the relationships in the order in which they were
// made, so that fleets that were drawn alike are seen alike, whatever their twins are called.
#include "futures/group_parts.h"

static const char WHERE[] = "futures.group";

typedef struct member { gm_twin twin; const gm_type *type; const gm_behavior_class *class_; } member;

typedef struct walk {
    gm_behaviors   *b;
    const gm_state *state;
    member         *members;
    gm_group_edge  *edges;
    size_t          count, capacity, edge_count, edge_capacity;
    gm_index        index;   // twin number -> member
} walk;

static gm_str key_of(const uint32_t *twin) { return (gm_str){ (const char *)twin, sizeof *twin }; }

static bool same_member(const void *owner, uint32_t id, gm_str key)
{
    return memcmp(&((const walk *)owner)->members[id].twin.v, key.ptr, key.len) == 0;
}

static gm_status no_memory(gm_error *err) { return gm_fail(err, GM_NOMEM, WHERE, "assembling a group of twins"); }

// A twin without a behavior is no member: what it is connected to stays open.
static gm_status add_member(walk *w, gm_twin twin, gm_error *err)
{
    if (gm_index_find(&w->index, key_of(&twin.v)) != GM_INDEX_NONE) return GM_OK;
    member m = { .twin = twin, .type = gm_state_type(w->state, twin) };
    m.class_ = gm_behaviors_of(w->b, m.type);
    if (m.class_ == NULL) return GM_OK;
    if (w->count >= GM_GROUP_TWINS_MAX)
        return gm_fail(err, GM_LIMIT, WHERE, "more than %d twins are connected with one another", GM_GROUP_TWINS_MAX);
    if (!gm_alloc_reserve(w->b->alloc, &w->members, &w->capacity, w->count + 1, sizeof *w->members))
        return no_memory(err);
    w->members[w->count] = m;
    return gm_index_add(&w->index, key_of(&twin.v), (uint32_t)w->count++) == GM_OK ? GM_OK : no_memory(err);
}

static bool has_rule(const gm_behavior_class *c, gm_str relationship)
{
    for (size_t i = 0; c != NULL && i < c->rule_count; i++) {
        if (gm_str_eq(c->rules[i].relationship, relationship)) return true;
    }
    return false;
}

static gm_status visit(walk *w, size_t at, gm_error *err)
{
    member    m  = w->members[at];
    gm_status st = GM_OK;
    for (gm_edge e = gm_state_first_out(w->state, m.twin); st == GM_OK && gm_edge_ok(e);
         e         = gm_state_next_out(w->state, e)) {
        if (m.class_->rule_count == 0) break;
        gm_relationship r = gm_state_relationship(w->state, e);
        if (has_rule(m.class_, r.name)) st = add_member(w, r.target, err);
    }
    for (gm_edge e = gm_state_first_in(w->state, m.twin); st == GM_OK && gm_edge_ok(e);
         e         = gm_state_next_in(w->state, e)) {
        gm_relationship          r = gm_state_relationship(w->state, e);
        const gm_behavior_class *c = gm_behaviors_of(w->b, gm_state_type(w->state, r.source));
        if (has_rule(c, r.name)) st = add_member(w, r.source, err);
    }
    return st;
}

static gm_status collect_edges(walk *w, uint32_t from, gm_error *err)
{
    const member *m = &w->members[from];
    if (m->class_->rule_count == 0) return GM_OK;
    for (gm_edge e = gm_state_first_out(w->state, m->twin); gm_edge_ok(e); e = gm_state_next_out(w->state, e)) {
        gm_relationship r  = gm_state_relationship(w->state, e);
        uint32_t        to = gm_index_find(&w->index, key_of(&r.target.v));
        for (size_t i = 0; to != GM_INDEX_NONE && i < m->class_->rule_count; i++) {
            if (!gm_str_eq(m->class_->rules[i].relationship, r.name)) continue;
            if (!gm_alloc_reserve(w->b->alloc, &w->edges, &w->edge_capacity, w->edge_count + 1, sizeof *w->edges))
                return no_memory(err);
            w->edges[w->edge_count++] = (gm_group_edge){ from, to, (uint32_t)i };
        }
    }
    return GM_OK;
}

static gm_str write_key(const walk *w, gm_arena *arena)
{
    gm_buf key = gm_buf_init(w->b->alloc);
    for (size_t i = 0; i < w->count; i++) {
        gm_buf_printf(&key, GM_STR_FMT " " GM_STR_FMT "\n", GM_STR_ARG(w->members[i].type->id),
                      GM_STR_ARG(w->members[i].class_->name));
    }
    for (size_t i = 0; i < w->edge_count; i++)
        gm_buf_printf(&key, "%u %u %u\n", w->edges[i].from, w->edges[i].to, w->edges[i].rule);
    gm_str kept = key.failed ? (gm_str){ 0 } : gm_arena_str(arena, gm_buf_view(&key));
    gm_buf_finish(&key);
    return kept;
}

static gm_status hand_over(const walk *w, gm_arena *arena, gm_group_graph *out, gm_error *err)
{
    gm_twin                  *twins   = GM_ARENA_NEW(arena, gm_twin, w->count);
    const gm_type           **types   = GM_ARENA_NEW(arena, const gm_type *, w->count);
    const gm_behavior_class **classes = GM_ARENA_NEW(arena, const gm_behavior_class *, w->count);
    gm_str                   *ids     = GM_ARENA_NEW(arena, gm_str, w->count);
    gm_group_edge            *edges   = GM_ARENA_NEW(arena, gm_group_edge, w->edge_count + 1);
    gm_str                    key     = write_key(w, arena);
    bool ok = twins != NULL && types != NULL && classes != NULL && ids != NULL && edges != NULL && key.ptr != NULL;
    for (size_t i = 0; ok && i < w->count; i++) {
        twins[i]   = w->members[i].twin;
        types[i]   = w->members[i].type;
        classes[i] = w->members[i].class_;
        ids[i]     = gm_arena_str(arena, gm_state_id(w->state, twins[i]));
        ok         = ids[i].ptr != NULL;
    }
    if (!ok) return no_memory(err);
    if (w->edge_count > 0) memcpy(edges, w->edges, w->edge_count * sizeof *edges);
    *out = (gm_group_graph){ .arena      = arena,
                             .twins      = twins,
                             .types      = types,
                             .classes    = classes,
                             .ids        = ids,
                             .edges      = edges,
                             .count      = (uint32_t)w->count,
                             .edge_count = (uint32_t)w->edge_count,
                             .key        = key };
    return GM_OK;
}

gm_status gm_group_walk(gm_behaviors *behaviors, const gm_state *state, gm_twin root, gm_arena *arena,
                        gm_group_graph *out, gm_error *err)
{
    walk w          = { .b = behaviors, .state = state };
    w.index         = gm_index_init(behaviors->alloc, same_member, &w);
    gm_status st    = add_member(&w, root, err);
    if (st == GM_OK && w.count == 0) {
        gm_str id = gm_state_id(state, root), type = gm_state_type(state, root)->id;
        st = gm_fail(err, GM_NOTFOUND, WHERE,
                     "'" GM_STR_FMT "' has no behavior: no class in behaviors/ names " GM_STR_FMT " or a base of it",
                     GM_STR_ARG(gm_str_slice(id, 0, 60)), GM_STR_ARG(gm_str_slice(type, 0, 60)));
    }
    for (size_t i = 0; st == GM_OK && i < w.count; i++) st = visit(&w, i, err);
    for (size_t i = 0; st == GM_OK && i < w.count; i++) st = collect_edges(&w, (uint32_t)i, err);
    if (st == GM_OK) st = hand_over(&w, arena, out, err);
    gm_index_finish(&w.index);
    gm_free(behaviors->alloc, w.members);
    gm_free(behaviors->alloc, w.edges);
    return st;
}
