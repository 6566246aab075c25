#include "control/optimise/scenarios.h"

#include "futures/design.h"
#include "futures/group_names.h"

static const char WHERE[] = "control.scenarios";

gm_status gm_scenarios_read(const gm_group *group, const gm_str *texts, uint32_t count, gm_arena *arena, gm_scenarios *out, gm_error *err)
{
    gm_futures_world world = gm_group_names(group);
    *out = (gm_scenarios){ .items = GM_ARENA_NEW(arena, gm_vary, (size_t)count * GM_WORDING_ROOM + 1) };
    if (out->items == NULL) return gm_fail(err, GM_NOMEM, WHERE, "reading what is unknown");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t  got;
        gm_vary  *first = &out->items[out->count];
        gm_status st    = gm_vary_read(texts[i], &world, arena, first, &got, err);
        if (st != GM_OK) return st;
        for (uint32_t k = 0; k < got; k++) {
            if (first[k].kind == GM_VARY_LAW && !first[k].scheduled) continue;
            return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "': what a plan does not know is one value from the beginning on, such as uniform(0.9,1.1)",
                           GM_STR_ARG(gm_str_slice(texts[i], 0, 80)));
        }
        out->count += got;
        if (out->count > GM_SCENARIOS_MAX) return gm_fail(err, GM_LIMIT, WHERE, "at most %d things may be unknown", GM_SCENARIOS_MAX);
    }
    return GM_OK;
}

void gm_scenarios_put(const gm_scenarios *unknown, uint64_t seed, uint32_t draw, double *slots)
{
    gm_design design = { .kind = GM_DESIGN_LATIN, .seed = seed, .lanes = GM_SCENARIOS_DRAWS, .dimensions = unknown->count };
    for (uint32_t i = 0; i < unknown->count; i++) {
        const gm_vary *v     = &unknown->items[i];
        double        *slot  = &slots[v->slot.v];
        double         value = gm_law_at(&v->law, gm_design_at(&design, draw % GM_SCENARIOS_DRAWS, i));
        *slot = v->how == GM_VARY_ADD ? *slot + v->scale * value : v->how == GM_VARY_SCALE ? (*slot - v->offset) * value + v->offset : v->scale * value + v->offset;
    }
}
