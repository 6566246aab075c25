// failure/web.h: who feels whose failure, as arrays: the needs of all twins and the gates of fault trees among them, worked out once for
// each edition of the graph; inside failure/ only.
//
// A want is one need of one twin, or one gate; those that it counts are its suppliers, one for each relationship. Of a twin that stops,
// felt[first[twin]] .. felt[first[twin + 1]] are the wants that have one supplier less. So following a failure is a walk over arrays
// that lie in the cache, where lists of relationships would lie anywhere in memory.
//
// What may change without the graph changing is not in here: which twins a need's query selects, and what a gate's connective is.
#ifndef GM_FAILURE_WEB_H
#define GM_FAILURE_WEB_H

#include "failure/failures.h"

#define GM_WANT_GATE UINT32_MAX

typedef struct gm_want { uint32_t twin, need, suppliers; } gm_want;  // need GM_WANT_GATE: it is a gate, and suppliers are its inputs

typedef struct gm_failure_web {
    const gm_alloc *alloc;
    const gm_state *state;
    uint64_t        edition;
    uint32_t        twins;
    uint32_t       *first;       // [twins + 1]
    uint32_t       *felt;        // number of a want * 2, + 1 where the input is negated
    gm_want        *wants;       // [want_count] those of one twin stand together
    uint32_t        want_count;
    uint32_t       *gates;       // [gate_count] wants that are gates
    uint32_t        gate_count;
    uint32_t       *starved;     // [starved_count] wants that have suppliers, but fewer than must work
    uint32_t        starved_count;
} gm_failure_web;

// The web of the graph as it is, made now unless it is known; viewed until the graph or what is declared changes. After
// gm_failures_begin. NULL: memory was refused. Cost when the graph has changed: two looks at each relationship, in their order in memory.
const gm_failure_web *gm_failures_web(gm_failures *failures, const gm_state *state);

void gm_failure_web_destroy(gm_failure_web *web);  // NULL is allowed

#endif
