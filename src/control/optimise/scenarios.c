#include "control/optimise/scenarios.h"

#include "futures/design.h"
#include "futures/wording.h"

static const char WHERE[] = "control.scenarios";

static bool find(void *context, gm_str name, gm_futures_name *out)
{
    const gm_group   *group = context;
    gm_group_variable v;
    if (!gm_group_find(group, name, &v)) return false;
    *out = (gm_futures_name){ .slot = v.slot, .scale = v.factor, .offset = v.offset, .set = v.set, .set_scale = v.set_factor, .set_offset = v.set_offset };
    // A forked state is set where it is.
    if (gm_program_slot(gm_group_program(group), v.slot)->kind == GM_SLOT_STATE) {
        out->set        = v.slot;
        out->set_scale  = v.factor;
        out->set_offset = v.offset;
    }
    return true;
}

gm_status gm_scenarios_read(const gm_group *group, const gm_str *texts, uint32_t count, gm_arena *arena, gm_scenarios *out, gm_error *err)
{
    gm_futures_world world = { .program = gm_group_program(group), .find = find, .context = (void *)(uintptr_t)group };
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
