// Which systems may be told to somebody who is kept to some twins.
#include "rollup/parts.h"

enum { OPEN, SHOWN, HIDDEN };

struct gm_rollup_scope {
    const gm_alloc  *alloc;
    gm_rollup_view  *view;
    const gm_fence  *fence;
    size_t           twins;
    uint8_t          answer[];  // [twins] of systems
};

gm_rollup_scope *gm_rollup_scope_open(gm_rollups *rollups, size_t i, const gm_fence *fence)
{
    gm_rollup_view  *view  = &rollups->views[i];
    size_t           twins = gm_state_next_twin(view->state);
    gm_rollup_scope *scope = gm_alloc_zeroed(rollups->alloc, sizeof *scope + twins);
    if (scope == NULL) return NULL;
    scope->alloc = rollups->alloc;
    scope->view  = view;
    scope->fence = fence;
    scope->twins = twins;
    return scope;
}

void gm_rollup_scope_close(gm_rollup_scope *scope)
{
    if (scope != NULL) gm_free(scope->alloc, scope);
}

// A system that is being looked at counts as shown: one that contains itself has no value, whatever else it contains.
static bool shows(gm_rollup_scope *scope, gm_twin twin, unsigned depth)
{
    const gm_state *state = scope->view->state;
    bool            in    = scope->view->d->incoming;
    if (!gm_fence_shows(scope->fence, twin) || depth > GM_ROLLUP_DEPTH_MAX || twin.v >= scope->twins) return false;
    if (scope->answer[twin.v] != OPEN) return scope->answer[twin.v] == SHOWN;
    scope->answer[twin.v] = SHOWN;
    uint32_t name = gm_state_name_number(state, scope->view->d->relationship);
    for (gm_edge e = in ? gm_state_first_in(state, twin) : gm_state_first_out(state, twin); gm_edge_ok(e);
         e = in ? gm_state_next_in(state, e) : gm_state_next_out(state, e)) {
        if (gm_state_edge_name(state, e) != name) continue;
        if (shows(scope, in ? gm_state_edge_source(state, e) : gm_state_edge_target(state, e), depth + 1)) continue;
        scope->answer[twin.v] = HIDDEN;
        return false;
    }
    return true;
}

bool gm_rollup_scope_shows(gm_rollup_scope *scope, gm_twin twin)
{
    if (scope->view->d->disclosed) return !gm_twin_ok(twin) || gm_fence_shows(scope->fence, twin);
    return gm_twin_ok(twin) && scope->view->d->relationship.len > 0 && shows(scope, twin, 0);
}
