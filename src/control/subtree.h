// control/subtree.h: a twin and all that is under it, as a set.
//
//   gm_subtree_find(alloc, state, root, GM_STR("contains"), &under, &err);
//   if (gm_subtree_has(&under, twin)) ...
//   gm_subtree_finish(&under);
#ifndef GM_CONTROL_SUBTREE_H
#define GM_CONTROL_SUBTREE_H

#include "state/state.h"

typedef struct gm_subtree {
    const gm_alloc *alloc;
    uint64_t       *bits;   // one per twin number below limit
    uint32_t        limit;
    size_t          count;
} gm_subtree;

// names: of the relationships that lead down, separated by commas; "*": all. GM_NOMEM. Cost: its twins and relationships.
GM_NODISCARD gm_status gm_subtree_find(const gm_alloc *alloc, const gm_state *state, gm_twin root, gm_str names, gm_subtree *out,
                                       gm_error *err);
void gm_subtree_finish(gm_subtree *subtree);

static inline bool gm_subtree_has(const gm_subtree *s, gm_twin twin)
{
    return twin.v < s->limit && (s->bits[twin.v / 64] >> (twin.v % 64) & 1) != 0;
}

// Is `twin` the root or under it? Looks upward, so it costs the ancestors only.
bool gm_subtree_contains(const gm_state *state, gm_twin root, gm_str names, gm_twin twin);

#endif
