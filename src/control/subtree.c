#include "control/subtree.h"

enum { ABOVE_MAX = 1024 };  // ancestors that are looked at

static bool leads_down(const gm_state *state, gm_edge edge, gm_str names)
{
    gm_str rest = names, name;
    if (gm_str_is(names, "*")) return true;
    while (gm_str_next(&rest, ',', &name)) {
        if (gm_state_name_number(state, gm_str_trim(name)) == gm_state_edge_name(state, edge)) return true;
    }
    return false;
}

static bool add(gm_subtree *s, gm_twin twin)
{
    if (twin.v >= s->limit || gm_subtree_has(s, twin)) return false;
    s->bits[twin.v / 64] |= UINT64_C(1) << (twin.v % 64);
    s->count++;
    return true;
}

gm_status gm_subtree_find(const gm_alloc *alloc, const gm_state *state, gm_twin root, gm_str names, gm_subtree *out, gm_error *err)
{
    gm_twin *stack = NULL;
    size_t   count = 0, capacity = 0;
    *out = (gm_subtree){ .alloc = alloc, .limit = gm_state_next_twin(state) };
    out->bits = gm_alloc_zeroed(alloc, (out->limit / 64 + (size_t)1) * sizeof *out->bits);
    bool ok   = out->bits != NULL && gm_alloc_reserve(alloc, &stack, &capacity, 1, sizeof *stack);
    if (ok && add(out, root)) stack[count++] = root;
    while (ok && count > 0) {
        gm_twin at = stack[--count];
        for (gm_edge e = gm_state_first_out(state, at); ok && gm_edge_ok(e); e = gm_state_next_out(state, e)) {
            gm_twin below = gm_state_edge_target(state, e);
            if (!leads_down(state, e, names) || !add(out, below)) continue;
            ok = gm_alloc_reserve(alloc, &stack, &capacity, count + 1, sizeof *stack);
            if (ok) stack[count++] = below;
        }
    }
    gm_free(alloc, stack);
    if (ok) return GM_OK;
    gm_subtree_finish(out);
    return gm_fail(err, GM_NOMEM, "control.subtree", "collecting what is under a twin");
}

void gm_subtree_finish(gm_subtree *s)
{
    if (s->alloc != NULL) gm_free(s->alloc, s->bits);
    s->bits  = NULL;
    s->limit = 0;
}

bool gm_subtree_contains(const gm_state *state, gm_twin root, gm_str names, gm_twin twin)
{
    gm_twin above[ABOVE_MAX];
    size_t  count = 0;
    above[count++] = twin;
    for (size_t i = 0; i < count; i++) {
        if (above[i].v == root.v) return true;
        for (gm_edge e = gm_state_first_in(state, above[i]); gm_edge_ok(e) && count < ABOVE_MAX; e = gm_state_next_in(state, e)) {
            gm_twin source = gm_state_edge_source(state, e);
            bool    known  = !leads_down(state, e, names);
            for (size_t k = 0; k < count && !known; k++) known = above[k].v == source.v;
            if (!known) above[count++] = source;
        }
    }
    return false;
}
