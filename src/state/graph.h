// state/graph.h: relationships: one array of edges, threaded by two doubly linked lists per twin (out and in), and an
// index by (source, id) of those whose source has many. Inside state/ only; readers use the gm_edge functions of state.h.
//
// Invariant: an edge is in the index when its source has more than GM_GRAPH_FEW outgoing ones, and only then. Finding one of few
// walks the source's list, which costs what the probe of an index would (two or three places in memory), and no index.
#ifndef GM_STATE_GRAPH_H
#define GM_STATE_GRAPH_H

#include "base/index.h"
#include "state/labels.h"
#include "state/state.h"
#include "state/text_pool.h"

enum { GM_DIRECTION_OUT, GM_DIRECTION_IN };
enum { GM_GRAPH_FEW = 8, GM_GRAPH_ID_MOST = 1024 };

typedef struct gm_link { uint32_t next, previous; } gm_link;
typedef struct gm_ends { uint32_t first, last; } gm_ends;  // of a list; GM_NONE when empty

typedef struct gm_edge_row {
    uint32_t twin[2];  // by direction: whose out-list (the source), whose in-list (the target); GM_NONE = free
    gm_link  link[2];
    uint32_t name;
    gm_label id;       // 0 = free
} gm_edge_row;
_Static_assert(sizeof(gm_edge_row) == 32, "a walk reads two rows with a line of the cache");

// What a walk does not read; together they are 56 bytes an edge.
typedef struct gm_edge_rest {
    uint64_t   version;
    gm_time_ns since;       // when it became what it is
    gm_label   properties;  // 0 = {}
} gm_edge_rest;

typedef struct gm_graph {
    const gm_alloc *alloc;
    gm_text_pool   *texts;
    gm_labels       labels;
    gm_edge_row    *edges;
    gm_edge_rest   *rests;               // of the same edges
    size_t          edge_capacity;
    uint32_t        edge_limit, edge_count;
    uint32_t        free_edge;           // list of free edges through link[0].next
    gm_index        by_id;               // the edges of sources with many
    gm_text       **names;               // relationship names, numbered
    size_t          name_count, name_capacity;
    gm_index        name_index;
} gm_graph;

void gm_graph_init(gm_graph *graph, const gm_alloc *alloc, gm_text_pool *texts);
void gm_graph_finish(gm_graph *graph);

// GM_NONE: there is none. out: the ends of the outgoing lists.
uint32_t gm_graph_find(const gm_graph *graph, const gm_ends *out, uint32_t source, gm_str id);
uint32_t gm_graph_name(const gm_graph *graph, gm_str name);  // GM_NONE when never used

uint32_t gm_graph_intern(gm_graph *graph, gm_str name);      // the same, numbered now if need be; GM_NONE: no memory

// For loading: room for exactly so many edges in an empty graph; then, when all lists are filled in, the index. GM_NOMEM.
GM_NODISCARD gm_status gm_graph_reserve(gm_graph *graph, uint32_t edges);
GM_NODISCARD gm_status gm_graph_index(gm_graph *graph, const gm_ends *out, uint32_t sources);

// Adds or replaces. ends[2] are arrays over twins: the lists' ends by direction. GM_NOMEM: unchanged.
GM_NODISCARD gm_status gm_graph_put(gm_graph *graph, gm_ends *ends[2], uint32_t source, uint32_t target, gm_str id,
                                    gm_str name, gm_str properties, uint64_t version, gm_time_ns since);
void gm_graph_remove(gm_graph *graph, gm_ends *ends[2], uint32_t edge);

#endif
