#include "state/graph.h"

#include "base/le.h"

#include <assert.h>

enum { KEY_MAX = 4 + GM_GRAPH_ID_MOST };

static gm_str id_of(const gm_graph *graph, uint32_t edge) { return gm_labels_view(&graph->labels, graph->edges[edge].id); }

static bool same_edge(const void *owner, uint32_t edge, gm_str key)
{
    const gm_graph *graph = owner;
    return graph->edges[edge].twin[GM_DIRECTION_OUT] == gm_get_u32(key.ptr) &&
           gm_str_eq(id_of(graph, edge), gm_str_slice(key, 4, key.len));
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
    *graph            = (gm_graph){ .alloc = alloc, .texts = texts, .labels = { .alloc = alloc }, .free_edge = GM_NONE };
    graph->by_id      = gm_index_init(alloc, same_edge, graph);
    graph->name_index = gm_index_init(alloc, same_name, graph);
}

void gm_graph_finish(gm_graph *graph)
{
    for (uint32_t e = 0; e < graph->edge_limit; e++) {
        gm_labels_drop(&graph->labels, graph->edges[e].id);
        gm_labels_drop(&graph->labels, graph->rests[e].properties);
    }
    gm_labels_finish(&graph->labels);
    for (size_t i = 0; i < graph->name_count; i++) gm_text_drop(graph->texts, graph->names[i]);
    gm_free(graph->alloc, graph->edges);
    gm_free(graph->alloc, graph->rests);
    gm_free(graph->alloc, graph->names);
    gm_index_finish(&graph->by_id);
    gm_index_finish(&graph->name_index);
}

uint32_t gm_graph_find(const gm_graph *graph, const gm_ends *out, uint32_t source, gm_str id)
{
    if (id.len > GM_GRAPH_ID_MOST) return GM_NONE;
    uint32_t edge = out[source].first;
    for (int seen = 0; edge != GM_NONE; edge = graph->edges[edge].link[GM_DIRECTION_OUT].next) {
        if (seen++ == GM_GRAPH_FEW) break;
        if (gm_str_eq(id_of(graph, edge), id)) return edge;
    }
    if (edge == GM_NONE) return GM_NONE;
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

// How many go out from the source: exactly up to `most`, else `most`.
static uint32_t count_out(const gm_graph *graph, const gm_ends *out, uint32_t source, uint32_t most)
{
    uint32_t n = 0;
    for (uint32_t e = out[source].first; e != GM_NONE && n < most; e = graph->edges[e].link[GM_DIRECTION_OUT].next) n++;
    return n;
}

// There is room in the index.
static void index_edge(gm_graph *graph, uint32_t edge)
{
    char      key[KEY_MAX];
    gm_status st = gm_index_add(&graph->by_id, key_of(key, graph->edges[edge].twin[GM_DIRECTION_OUT], id_of(graph, edge)), edge);
    assert(st == GM_OK);
    (void)st;
}

static void index_source(gm_graph *graph, const gm_ends *out, uint32_t source)
{
    for (uint32_t e = out[source].first; e != GM_NONE; e = graph->edges[e].link[GM_DIRECTION_OUT].next) index_edge(graph, e);
}

static void leave_index(gm_graph *graph, uint32_t edge)
{
    char key[KEY_MAX];
    gm_index_remove(&graph->by_id, key_of(key, graph->edges[edge].twin[GM_DIRECTION_OUT], id_of(graph, edge)));
}

gm_status gm_graph_index(gm_graph *graph, const gm_ends *out, uint32_t sources)
{
    for (uint32_t s = 0; s < sources; s++) {
        if (count_out(graph, out, s, GM_GRAPH_FEW + 1) <= GM_GRAPH_FEW) continue;
        uint32_t n = count_out(graph, out, s, UINT32_MAX);
        if (gm_index_reserve(&graph->by_id, n) != GM_OK) return GM_NOMEM;
        index_source(graph, out, s);
    }
    return GM_OK;
}

gm_status gm_graph_reserve(gm_graph *graph, uint32_t edges)
{
    assert(graph->edge_limit == 0 && graph->edges == NULL);
    graph->edges  = gm_alloc_array(graph->alloc, edges, sizeof *graph->edges);
    graph->rests = gm_alloc_array(graph->alloc, edges, sizeof *graph->rests);
    if (graph->edges == NULL || graph->rests == NULL) return GM_NOMEM;
    graph->edge_capacity = edges;
    return GM_OK;
}

static bool grow(gm_graph *graph)
{
    // By a quarter once large, as tables do.
    size_t by    = graph->edge_capacity < 65536 ? graph->edge_capacity : graph->edge_capacity / 4;
    size_t grown = graph->edge_capacity + (by > 0 ? by : 16);
    if (grown >= GM_NONE) return false;
    gm_edge_row *edges = gm_realloc_array(graph->alloc, graph->edges, grown, sizeof *edges);
    if (edges == NULL) return false;
    graph->edges          = edges;
    gm_edge_rest *rests = gm_realloc_array(graph->alloc, graph->rests, grown, sizeof *rests);
    if (rests == NULL) return false;
    graph->rests        = rests;
    graph->edge_capacity = grown;
    return true;
}

// A row for a new edge of the source, which has n so far, in its list and, if that is due, in the index. GM_NONE when memory is
// refused (nothing changed).
static uint32_t new_edge(gm_graph *graph, gm_ends *out, uint32_t source, gm_str id)
{
    if (graph->free_edge == GM_NONE && graph->edge_limit == graph->edge_capacity && !grow(graph)) return GM_NONE;
    uint32_t before = count_out(graph, out, source, GM_GRAPH_FEW + 1);
    if (before >= GM_GRAPH_FEW && gm_index_reserve(&graph->by_id, GM_GRAPH_FEW + 1) != GM_OK) return GM_NONE;
    gm_label label = gm_labels_add(&graph->labels, id);
    if (label == 0) return GM_NONE;

    uint32_t edge = graph->free_edge;
    if (edge != GM_NONE) graph->free_edge = graph->edges[edge].link[0].next;
    else edge = graph->edge_limit++;
    graph->edges[edge] = (gm_edge_row){ .id = label };
    graph->rests[edge] = (gm_edge_rest){ 0 };
    graph->edge_count++;
    attach(graph, out, GM_DIRECTION_OUT, edge, source);
    if (before == GM_GRAPH_FEW) index_source(graph, out, source);
    else if (before > GM_GRAPH_FEW) index_edge(graph, edge);
    return edge;
}

gm_status gm_graph_put(gm_graph *graph, gm_ends *ends[2], uint32_t source, uint32_t target, gm_str id, gm_str name,
                       gm_str properties, uint64_t version, gm_time_ns since)
{
    if (id.len > GM_GRAPH_ID_MOST) return GM_CORRUPT;
    uint32_t number = gm_graph_intern(graph, name);
    if (number == GM_NONE) return GM_NOMEM;
    gm_label label = 0;
    if (properties.len > 0 && !gm_str_is(properties, "{}") && (label = gm_labels_add(&graph->labels, properties)) == 0) {
        return GM_NOMEM;
    }
    uint32_t edge = gm_graph_find(graph, ends[GM_DIRECTION_OUT], source, id);
    if (edge != GM_NONE) {
        if (graph->edges[edge].twin[GM_DIRECTION_IN] != target) {
            detach(graph, ends[GM_DIRECTION_IN], GM_DIRECTION_IN, edge);
            attach(graph, ends[GM_DIRECTION_IN], GM_DIRECTION_IN, edge, target);
        }
        gm_labels_drop(&graph->labels, graph->rests[edge].properties);
    } else {
        edge = new_edge(graph, ends[GM_DIRECTION_OUT], source, id);
        if (edge == GM_NONE) {
            gm_labels_drop(&graph->labels, label);
            return GM_NOMEM;
        }
        attach(graph, ends[GM_DIRECTION_IN], GM_DIRECTION_IN, edge, target);
    }
    graph->edges[edge].name       = number;
    graph->rests[edge] = (gm_edge_rest){ .version = version, .since = since, .properties = label };
    return GM_OK;
}

void gm_graph_remove(gm_graph *graph, gm_ends *ends[2], uint32_t edge)
{
    gm_edge_row *row    = &graph->edges[edge];
    uint32_t     source = row->twin[GM_DIRECTION_OUT];
    gm_ends     *out    = ends[GM_DIRECTION_OUT];
    uint32_t     before = count_out(graph, out, source, GM_GRAPH_FEW + 2);
    if (before > GM_GRAPH_FEW) leave_index(graph, edge);
    detach(graph, out, GM_DIRECTION_OUT, edge);
    detach(graph, ends[GM_DIRECTION_IN], GM_DIRECTION_IN, edge);
    for (uint32_t e = before == GM_GRAPH_FEW + 1 ? out[source].first : GM_NONE; e != GM_NONE;) {  // few are left
        leave_index(graph, e);
        e = graph->edges[e].link[GM_DIRECTION_OUT].next;
    }
    gm_labels_drop(&graph->labels, row->id);
    gm_labels_drop(&graph->labels, graph->rests[edge].properties);
    *row             = (gm_edge_row){ .twin = { GM_NONE, GM_NONE }, .link[0].next = graph->free_edge };
    graph->rests[edge] = (gm_edge_rest){ 0 };
    graph->free_edge = edge;
    graph->edge_count--;
}
