#include "state/past.h"

static bool same_id(const void *owner, uint32_t entry, gm_str key)
{
    return gm_str_eq(gm_text_view(((const gm_past *)owner)->twins[entry].id), key);
}

static bool same_source(const void *owner, uint32_t entry, gm_str key)
{
    return memcmp(&((const gm_past *)owner)->edges[entry].twin[GM_DIRECTION_OUT], key.ptr, sizeof(uint32_t)) == 0;
}

static bool same_target(const void *owner, uint32_t entry, gm_str key)
{
    return memcmp(&((const gm_past *)owner)->edges[entry].twin[GM_DIRECTION_IN], key.ptr, sizeof(uint32_t)) == 0;
}

static gm_str key_of(const uint32_t *number)
{
    return (gm_str){ (const char *)number, sizeof *number };
}

void gm_past_init(gm_past *past, const gm_alloc *alloc, gm_text_pool *texts)
{
    *past       = (gm_past){ .alloc = alloc, .texts = texts };
    past->by_id = gm_index_init(alloc, same_id, past);
    past->of[GM_DIRECTION_OUT] = gm_index_init(alloc, same_source, past);
    past->of[GM_DIRECTION_IN]  = gm_index_init(alloc, same_target, past);
}

void gm_past_finish(gm_past *past)
{
    for (size_t i = 0; i < past->twin_count; i++) gm_text_drop(past->texts, past->twins[i].id);
    for (size_t i = 0; i < past->edge_count; i++) {
        gm_text_drop(past->texts, past->edges[i].id);
        gm_text_drop(past->texts, past->edges[i].properties);
    }
    gm_free(past->alloc, past->twins);
    gm_free(past->alloc, past->edges);
    gm_index_finish(&past->by_id);
    gm_index_finish(&past->of[0]);
    gm_index_finish(&past->of[1]);
}

// Puts an entry in front of those with the same key. There is room in the index.
static uint32_t lead(gm_index *index, gm_str key, uint32_t entry)
{
    uint32_t  older = gm_index_remove(index, key);
    gm_status st    = gm_index_add(index, key, entry);
    (void)st;
    return older;
}

gm_status gm_past_keep_twin(gm_past *past, gm_str id, uint32_t number, uint32_t type, gm_time_ns since, gm_time_ns until)
{
    if (until <= since) return GM_OK;  // it was not there for a moment
    uint32_t newest = gm_past_find_twin(past, id);
    if (newest != GM_NONE && past->twins[newest].until == until) return GM_OK;  // the same change once more
    if (!gm_alloc_reserve(past->alloc, &past->twins, &past->twin_capacity, past->twin_count + 1, sizeof *past->twins) ||
        gm_index_reserve(&past->by_id, 1) != GM_OK) {
        return GM_NOMEM;
    }
    gm_text *text = gm_text_add(past->texts, id);
    if (text == NULL) return GM_NOMEM;
    uint32_t entry     = (uint32_t)past->twin_count++;
    past->twins[entry] = (gm_past_twin){ .id = text, .number = number, .type = type, .since = since, .until = until };
    past->twins[entry].older = lead(&past->by_id, gm_text_view(text), entry);
    return GM_OK;
}

gm_status gm_past_keep_edge(gm_past *past, const gm_past_ended *edge)
{
    if (edge->until <= edge->since) return GM_OK;
    uint32_t newest = gm_past_find_edges(past, 0, edge->twin[0]);
    if (newest != GM_NONE && past->edges[newest].until == edge->until && gm_str_eq(gm_text_view(past->edges[newest].id), edge->id))
        return GM_OK;  // the same change once more
    if (!gm_alloc_reserve(past->alloc, &past->edges, &past->edge_capacity, past->edge_count + 1, sizeof *past->edges) ||
        gm_index_reserve(&past->of[0], 1) != GM_OK || gm_index_reserve(&past->of[1], 1) != GM_OK) {
        return GM_NOMEM;
    }
    gm_text *properties = NULL, *id = gm_text_add(past->texts, edge->id);
    if (id != NULL && edge->properties.len > 0) properties = gm_text_add(past->texts, edge->properties);
    if (id == NULL || (edge->properties.len > 0 && properties == NULL)) {
        gm_text_drop(past->texts, id);
        return GM_NOMEM;
    }
    uint32_t entry     = (uint32_t)past->edge_count++;
    past->edges[entry] = (gm_past_edge){ .id = id, .properties = properties, .name = edge->name, .version = edge->version,
                                         .twin = { edge->twin[0], edge->twin[1] }, .since = edge->since, .until = edge->until };
    for (int d = 0; d < 2; d++) past->edges[entry].older[d] = lead(&past->of[d], key_of(&past->edges[entry].twin[d]), entry);
    return GM_OK;
}

uint32_t gm_past_find_twin(const gm_past *past, gm_str id) { return gm_index_find(&past->by_id, id); }

uint32_t gm_past_find_edges(const gm_past *past, int direction, uint32_t number)
{
    return gm_index_find(&past->of[direction], key_of(&number));
}

gm_status gm_past_forget(gm_past *past, uint32_t number)
{
    // Seldom: everything else is put in anew.
    gm_past old = *past;
    gm_past_init(past, old.alloc, old.texts);
    gm_status st = GM_OK;
    for (size_t i = 0; i < old.twin_count; i++) {
        const gm_past_twin *t = &old.twins[i];
        if (st == GM_OK && t->number != number) {
            st = gm_past_keep_twin(past, gm_text_view(t->id), t->number, t->type, t->since, t->until);
        }
    }
    for (size_t i = 0; i < old.edge_count; i++) {
        const gm_past_edge *e = &old.edges[i];
        if (st != GM_OK || e->twin[0] == number || e->twin[1] == number) continue;
        gm_past_ended ended = { .twin = { e->twin[0], e->twin[1] }, .name = e->name, .version = e->version, .since = e->since,
                                .until = e->until, .id = gm_text_view(e->id), .properties = gm_text_view(e->properties) };
        st = gm_past_keep_edge(past, &ended);
    }
    gm_past_finish(&old);
    return st;
}
