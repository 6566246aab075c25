#include "futures/group_names.h"

bool gm_group_name_find(const gm_group *group, gm_str name, gm_futures_name *out)
{
    gm_group_variable v;
    if (!gm_group_find(group, name, &v)) return false;
    *out = (gm_futures_name){ .slot = v.slot, .scale = v.factor, .offset = v.offset, .set = v.set, .set_scale = v.set_factor, .set_offset = v.set_offset };
    if (gm_program_slot(gm_group_program(group), v.slot)->kind == GM_SLOT_STATE) {
        out->set        = v.slot;
        out->set_scale  = v.factor;
        out->set_offset = v.offset;
    }
    return true;
}

static bool find(void *context, gm_str name, gm_futures_name *out) { return gm_group_name_find(context, name, out); }

gm_futures_world gm_group_names(const gm_group *group)
{
    return (gm_futures_world){ .program = gm_group_program(group), .find = find, .context = (void *)(uintptr_t)group };
}
