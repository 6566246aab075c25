// reliability/dd.h: a store of decision-diagram nodes: every (variable, high, low) exists once, so that equal
// functions are equal numbers. Binary decision diagrams (bdd.h) and families of sets (zbdd.h) are made of these.
//
//   gm_dd_init(&dd, alloc, &limits, 1);
//   uint32_t n = gm_dd_make(&dd, level, high, low);         // GM_DD_NONE: a limit was met; everything built on it fails too
//
// Nodes 0 and 1 are terminals. Variables are levels: a smaller level lies nearer to the root. What high and low mean is
// the user's. Garbage stays until gm_dd_collect is told which nodes are still wanted. One thread.
#ifndef GM_RELIABILITY_DD_H
#define GM_RELIABILITY_DD_H

#include "base/alloc.h"
#include "base/time.h"

#define GM_DD_NONE     UINT32_MAX
#define GM_DD_TERMINAL UINT32_MAX  // the level of a terminal: below all others

typedef struct gm_dd_node { uint32_t level, high, low, next; } gm_dd_node;

typedef struct gm_dd_limits {
    const gm_clock *clock;
    gm_time_ns      deadline;   // monotonic; 0: none
    uint32_t        nodes_max;
} gm_dd_limits;

typedef struct gm_dd_memo { uint32_t op, a, b, c, result; } gm_dd_memo;

typedef struct gm_dd {
    const gm_alloc *alloc;
    gm_dd_limits    limits;
    unsigned        edge_shift;       // high and low are node numbers shifted left by this: room for a mark
    gm_dd_node     *nodes;
    size_t          count, capacity;  // count: nodes ever in use at once
    uint32_t        free;             // first of the free ones, linked by next; 0: none
    size_t          live;             // nodes in use, garbage included
    uint32_t       *buckets;
    size_t          bucket_mask;
    gm_dd_memo     *memos;            // results of operations; newer ones push out older ones
    size_t          memo_mask;
    uint32_t        epoch;            // results of earlier epochs are forgotten
    uint32_t        ticks;            // since the deadline was looked at
    gm_status       st;               // GM_LIMIT, GM_CANCELLED (deadline) or GM_NOMEM once something failed
} gm_dd;

GM_NODISCARD bool gm_dd_init(gm_dd *dd, const gm_alloc *alloc, const gm_dd_limits *limits, unsigned edge_shift);  // false: memory
void              gm_dd_finish(gm_dd *dd);

uint32_t gm_dd_make(gm_dd *dd, uint32_t level, uint32_t high, uint32_t low);

// Memory of operations. GM_DD_NONE: not remembered.
uint32_t gm_dd_recall(gm_dd *dd, uint32_t op, uint32_t a, uint32_t b, uint32_t c);
void     gm_dd_remember(gm_dd *dd, uint32_t op, uint32_t a, uint32_t b, uint32_t c, uint32_t result);

// Frees every node that can not be reached from the roots (node numbers), forgets operations, and clears the failure: a
// new attempt may begin. GM_NOMEM.
GM_NODISCARD gm_status gm_dd_collect(gm_dd *dd, const uint32_t *roots, size_t count);

// The nodes reachable from roots, by rising level; freed by the caller. Terminals are not among them. GM_NOMEM.
GM_NODISCARD gm_status gm_dd_reach(const gm_dd *dd, const uint32_t *roots, size_t count, uint32_t **out_nodes,
                                   size_t *out_count);

static inline uint32_t gm_dd_level(const gm_dd *dd, uint32_t node) { return dd->nodes[node].level; }

#endif
