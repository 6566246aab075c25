// What was there at a moment: the rows that had begun by then, and the entries of the past that had not ended.
#include "state/internal.h"

static gm_twin_then then_of_row(const gm_state *state, uint32_t number)
{
    const gm_twin_row *row = &state->twins[number];
    return (gm_twin_then){ .twin = { number }, .id = gm_text_view(row->id), .type = state->tables[row->type].type,
                           .since = row->since, .until = INT64_MAX };
}

static gm_twin_then then_of_past(const gm_state *state, const gm_past_twin *t)
{
    return (gm_twin_then){ .twin = { t->number }, .id = gm_text_view(t->id), .type = state->tables[t->type].type,
                           .since = t->since, .until = t->until };
}

bool gm_state_twin_at(const gm_state *state, gm_str id, gm_time_ns time, gm_twin_then *out)
{
    gm_twin now = gm_state_find(state, id);
    if (gm_twin_ok(now) && state->twins[now.v].since <= time) {
        *out = then_of_row(state, now.v);
        return true;
    }
    for (uint32_t i = gm_past_find_twin(&state->past, id); i != GM_NONE; i = state->past.twins[i].older) {
        const gm_past_twin *t = &state->past.twins[i];
        if (t->since > time || t->until <= time) continue;
        *out = then_of_past(state, t);
        return true;
    }
    return false;
}

bool gm_state_twins_at(const gm_state *state, gm_time_ns time, gm_state_twin_each *each, void *context)
{
    for (uint32_t i = 0; i < state->twin_limit; i++) {
        if (state->twins[i].id == NULL || state->twins[i].since > time) continue;
        gm_twin_then then = then_of_row(state, i);
        if (!each(context, &then)) return false;
    }
    for (size_t i = 0; i < state->past.twin_count; i++) {
        const gm_past_twin *t = &state->past.twins[i];
        if (t->since > time || t->until <= time) continue;
        gm_twin_then then = then_of_past(state, t);
        if (!each(context, &then)) return false;
    }
    return true;
}

static gm_relationship_then then_of_edge(const gm_state *state, gm_edge edge)
{
    return (gm_relationship_then){ .relationship = gm_state_relationship(state, edge), .since = state->graph.rests[edge.v].since,
                                   .until = INT64_MAX };
}

static gm_relationship_then then_of_past_edge(const gm_state *state, const gm_past_edge *e)
{
    gm_relationship r = { .source = { e->twin[GM_DIRECTION_OUT] }, .target = { e->twin[GM_DIRECTION_IN] },
                          .id = gm_text_view(e->id), .name = gm_text_view(state->graph.names[e->name]),
                          .properties = e->properties != NULL ? gm_text_view(e->properties) : GM_STR("{}"),
                          .version = e->version };
    return (gm_relationship_then){ .relationship = r, .since = e->since, .until = e->until };
}

bool gm_state_relationships_at(const gm_state *state, gm_twin twin, gm_side side, gm_time_ns time,
                               gm_state_relationship_each *each, void *context)
{
    int     d    = side == GM_SIDE_OUT ? GM_DIRECTION_OUT : GM_DIRECTION_IN;
    gm_edge edge = { twin.v < state->twin_limit ? state->ends[d][twin.v].first : GM_NONE };
    for (; gm_edge_ok(edge); edge.v = state->graph.edges[edge.v].link[d].next) {
        if (state->graph.rests[edge.v].since > time) continue;
        gm_relationship_then then = then_of_edge(state, edge);
        if (!each(context, &then)) return false;
    }
    for (uint32_t i = gm_past_find_edges(&state->past, d, twin.v); i != GM_NONE; i = state->past.edges[i].older[d]) {
        const gm_past_edge *e = &state->past.edges[i];
        if (e->since > time || e->until <= time) continue;
        gm_relationship_then then = then_of_past_edge(state, e);
        if (!each(context, &then)) return false;
    }
    return true;
}

gm_str gm_state_id_then(const gm_state *state, gm_twin twin)
{
    if (gm_state_exists(state, twin)) return gm_state_id(state, twin);
    for (size_t i = state->past.twin_count; i-- > 0;) {
        if (state->past.twins[i].number == twin.v) return gm_text_view(state->past.twins[i].id);
    }
    return (gm_str){ 0 };
}

bool gm_state_past_twin(const gm_state *state, gm_str id, size_t i, gm_twin *out_twin)
{
    uint32_t entry = gm_past_find_twin(&state->past, id);
    for (; entry != GM_NONE && i > 0; i--) entry = state->past.twins[entry].older;
    if (entry == GM_NONE) return false;
    *out_twin = (gm_twin){ state->past.twins[entry].number };
    return true;
}

size_t gm_state_twin_numbers(const gm_state *state) { return state->twin_limit; }

void gm_state_types_then(const gm_state *state, const gm_type **out_types, size_t n)
{
    for (size_t i = 0; i < n; i++) out_types[i] = state->twins[i].id != NULL ? state->tables[state->twins[i].type].type : NULL;
    // Entries follow each other in time, so that the last one of a number stays.
    for (size_t i = 0; i < state->past.twin_count; i++) {
        const gm_past_twin *t = &state->past.twins[i];
        if (t->number < n && state->twins[t->number].id == NULL) out_types[t->number] = state->tables[t->type].type;
    }
}

gm_status gm_state_forget(gm_state *state, gm_twin twin)
{
    return gm_past_forget(&state->past, twin.v);
}
