#include "state/graph.h"

#include "base/le.h"

#include <assert.h>

enum { KEY_MAX = 4 + 1024 };

static bool same_edge(const void *owner, uint32_t edge, gm_str key)
{
    const gm_edge_row *row = &((const gm_graph *)owner)->edges[edge];
    return row->twin[GM_DIRECTION_OUT] == gm_get_u32(key.ptr) &&
           gm_str_eq(gm_text_view(row->id), gm_str_slice(key, 4, key.len));
}

static bool same_name(const void *owner, uint32_t name, gm_str key)
{
    return gm_str_eq(gm_text_view(((const gm_graph *)owner)->names[name]), key);
}

// The index key of (source, id): the source's number, then the id. Ids longer than the bound were refused before.
static gm_str key_of(char key[KEY_MAX], uint32_t source, gm_str id)
{
    gm_put_u32(key, source);
    assert(id.len <= KEY_MAX - 4);
    if (id.len > 0) memcpy(key + 4, id.ptr, id.len);
    return (gm_str){ key, id.len + 4 };
}

void gm_graph_init(gm_graph *graph, const gm_alloc *alloc, gm_text_pool *texts)
{
    *graph            = (gm_graph){ .alloc = alloc, .texts = texts, .free_edge = GM_NONE };
    graph->by_id      = gm_index_init(alloc, same_edge, graph);
    graph->name_index = gm_index_init(alloc, same_name, graph);
}

void gm_graph_finish(gm_graph *graph)
{
    for (uint32_t e = 0; e < graph->edge_limit; e++) {
        gm_text_drop(graph->texts, graph->edges[e].id);
        gm_text_drop(graph->texts, graph->edges[e].properties);
    }
    for (size_t i = 0; i < graph->name_count; i++) gm_text_drop(graph->texts, graph->names[i]);
    gm_free(graph->alloc, graph->edges);
    gm_free(graph->alloc, graph->names);
    gm_index_finish(&graph->by_id);
    gm_index_finish(&graph->name_index);
}

uint32_t gm_graph_find(const gm_graph *graph, uint32_t source, gm_str id)
{
    if (id.len > KEY_MAX - 4) return GM_NONE;
    char key[KEY_MAX];
    return gm_index_find(&graph->by_id, key_of(key, source, id));
}

uint32_t gm_graph_name(const gm_graph *graph, gm_str name)
{
    return gm_index_find(&graph->name_index, name);
}

uint32_t gm_graph_intern(gm_graph *graph, gm_str name)
{
    uint32_t number = gm_graph_name(graph, name);
    if (number != GM_NONE) return number;
    if (!gm_alloc_reserve(graph->alloc, &graph->names, &graph->name_capacity, graph->name_count + 1, sizeof *graph->names) ||
        gm_index_reserve(&graph->name_index, 1) != GM_OK) {
        return GM_NONE;
    }
    gm_text *text = gm_text_add(graph->texts, name);
    if (text == NULL) return GM_NONE;
    number               = (uint32_t)graph->name_count++;
    graph->names[number] = text;
    gm_status st         = gm_index_add(&graph->name_index, name, number);
    assert(st == GM_OK);  // room was reserved
    (void)st;
    return number;
}

static void attach(gm_graph *graph, gm_ends *ends, int direction, uint32_t edge, uint32_t twin)
{
    gm_edge_row *row           = &graph->edges[edge];
    row->twin[direction]       = twin;
    row->link[direction]       = (gm_link){ .next = GM_NONE, .previous = ends[twin].last };
    if (ends[twin].last != GM_NONE) graph->edges[ends[twin].last].link[direction].next = edge;
    else ends[twin].first = edge;
    ends[twin].last = edge;
}

static void detach(gm_graph *graph, gm_ends *ends, int direction, uint32_t edge)
{
    gm_edge_row *row  = &graph->edges[edge];
    uint32_t     twin = row->twin[direction];
    gm_link      link = row->link[direction];
    if (link.previous != GM_NONE) graph->edges[link.previous].link[direction].next = link.next;
    else ends[twin].first = link.next;
    if (link.next != GM_NONE) graph->edges[link.next].link[direction].previous = link.previous;
    else ends[twin].last = link.previous;
}

gm_status gm_graph_index(gm_graph *graph, uint32_t edge)
{
    const gm_edge_row *row = &graph->edges[edge];
    char               key[KEY_MAX];
    if (row->id->len > KEY_MAX - 4) return GM_CORRUPT;
    return gm_index_add(&graph->by_id, key_of(key, row->twin[GM_DIRECTION_OUT], gm_text_view(row->id)), edge);
}

// A row for a new edge, in the index already. GM_NONE when memory is refused (nothing changed).
static uint32_t new_edge(gm_graph *graph, uint32_t source, gm_str id)
{
    if (graph->free_edge == GM_NONE && graph->edge_limit == graph->edge_capacity) {
        // By a quarter once large, as tables do.
        size_t       by    = graph->edge_capacity < 65536 ? graph->edge_capacity : graph->edge_capacity / 4;
        size_t       grown = graph->edge_capacity + (by > 0 ? by : 16);
        gm_edge_row *edges = grown < GM_NONE ? gm_realloc_array(graph->alloc, graph->edges, grown, sizeof *edges) : NULL;
        if (edges == NULL) return GM_NONE;
        graph->edges         = edges;
        graph->edge_capacity = grown;
    }
    if (gm_index_reserve(&graph->by_id, 1) != GM_OK) return GM_NONE;
    gm_text *text = gm_text_add(graph->texts, id);
    if (text == NULL) return GM_NONE;

    uint32_t edge = graph->free_edge;
    if (edge != GM_NONE) graph->free_edge = graph->edges[edge].link[0].next;
    else edge = graph->edge_limit++;
    graph->edges[edge] = (gm_edge_row){ .id = text };
    graph->edges[edge].twin[GM_DIRECTION_OUT] = source;
    graph->edge_count++;
    char      key[KEY_MAX];
    gm_status st = gm_index_add(&graph->by_id, key_of(key, source, id), edge);
    assert(st == GM_OK);  // room was reserved
    (void)st;
    return edge;
}

gm_status gm_graph_put(gm_graph *graph, gm_ends *ends[2], uint32_t source, uint32_t target, gm_str id, gm_str name,
                       gm_str properties, uint64_t version, gm_time_ns since)
{
    if (id.len > KEY_MAX - 4) return GM_CORRUPT;
    uint32_t number = gm_graph_intern(graph, name);
    if (number == GM_NONE) return GM_NOMEM;
    gm_text *text = NULL;
    if (properties.len > 0 && !gm_str_is(properties, "{}") && (text = gm_text_add(graph->texts, properties)) == NULL) {
        return GM_NOMEM;
    }
    uint32_t edge = gm_graph_find(graph, source, id);
    if (edge != GM_NONE) {
        if (graph->edges[edge].twin[GM_DIRECTION_IN] != target) {
            detach(graph, ends[GM_DIRECTION_IN], GM_DIRECTION_IN, edge);
            attach(graph, ends[GM_DIRECTION_IN], GM_DIRECTION_IN, edge, target);
        }
        gm_text_drop(graph->texts, graph->edges[edge].properties);
    } else {
        edge = new_edge(graph, source, id);
        if (edge == GM_NONE) {
            gm_text_drop(graph->texts, text);
            return GM_NOMEM;
        }
        attach(graph, ends[GM_DIRECTION_OUT], GM_DIRECTION_OUT, edge, source);
        attach(graph, ends[GM_DIRECTION_IN], GM_DIRECTION_IN, edge, target);
    }
    graph->edges[edge].name       = number;
    graph->edges[edge].properties = text;
    graph->edges[edge].version    = version;
    graph->edges[edge].since      = since;
    return GM_OK;
}

void gm_graph_remove(gm_graph *graph, gm_ends *ends[2], uint32_t edge)
{
    gm_edge_row *row = &graph->edges[edge];
    char         key[KEY_MAX];
    gm_index_remove(&graph->by_id, key_of(key, row->twin[GM_DIRECTION_OUT], gm_text_view(row->id)));
    detach(graph, ends[GM_DIRECTION_OUT], GM_DIRECTION_OUT, edge);
    detach(graph, ends[GM_DIRECTION_IN], GM_DIRECTION_IN, edge);
    gm_text_drop(graph->texts, row->id);
    gm_text_drop(graph->texts, row->properties);
    *row                  = (gm_edge_row){ .twin = { GM_NONE, GM_NONE }, .link[0].next = graph->free_edge };
    graph->free_edge      = edge;
    graph->edge_count--;
}
