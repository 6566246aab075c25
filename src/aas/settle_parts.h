// aas/settle_parts.h: the parts of settling; inside aas/ only.
#ifndef GM_AAS_SETTLE_PARTS_H
#define GM_AAS_SETTLE_PARTS_H

#include "aas/settle.h"

typedef struct gm_aas_settling {
    const gm_aas_world *world;
    const gm_aas_thing *thing;
    gm_aas_kind         kind;
    const json_t       *wanted;   // NULL: nothing of it
    json_t             *own;      // a copy that wanted points at now, or NULL
    json_t             *before;   // as gemel makes it now
    json_t             *made;     // as it will, when everything here is done
    gm_arena           *arena;
    gm_aas_settled     *out;
    gm_error           *err;
} gm_aas_settling;

gm_status gm_aas_settle_facts(gm_aas_settling *s);          // nameplate, technical data, structure, documents, digital thread
gm_status gm_aas_settle_cells(gm_aas_settling *s);          // operational data
gm_status gm_aas_settle_relationships(gm_aas_settling *s);
// The submodel as gemel makes it of this thing, parsed; NULL: no memory.
json_t   *gm_aas_made_tree(const gm_aas_settling *s, const gm_aas_thing *thing);

// A list that is settled one by one: what is beside it may be kept.
void      gm_aas_settle_passes_over(gm_aas_settling *s, const char *list);

#endif
