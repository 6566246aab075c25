// state/fence.h: which twins somebody may see. A fence is handed down to whatever reads on his behalf; everything outside
// is to him as if it did not exist. A NULL fence shows everything.
#ifndef GM_STATE_FENCE_H
#define GM_STATE_FENCE_H

#include "state/state.h"

typedef struct gm_fence {
    const uint64_t *bits;   // one per twin number below limit; may be NULL
    uint32_t        limit;
    bool (*shows)(void *context, gm_twin twin);  // asked for those that bits do not show; may be NULL
    void *context;
} gm_fence;

static inline bool gm_fence_shows(const gm_fence *fence, gm_twin twin)
{
    if (fence == NULL) return true;
    if (twin.v < fence->limit && (fence->bits[twin.v / 64] >> (twin.v % 64) & 1) != 0) return true;
    return fence->shows != NULL && twin.v != GM_NONE && fence->shows(fence->context, twin);
}

// A relationship is seen by who sees both its ends.
static inline bool gm_fence_shows_edge(const gm_fence *fence, const gm_state *state, gm_edge edge)
{
    return fence == NULL || (gm_fence_shows(fence, gm_state_edge_source(state, edge)) &&
                             gm_fence_shows(fence, gm_state_edge_target(state, edge)));
}

#endif
