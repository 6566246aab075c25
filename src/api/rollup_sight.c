#include "api/rollup_sight.h"

void gm_rollup_sight_open(gm_rollup_sight *sight, gm_request *request) { *sight = (gm_rollup_sight){ .request = request }; }

void gm_rollup_sight_close(gm_rollup_sight *sight)
{
    for (size_t i = 0; i < GM_ROLLUPS_MAX; i++) gm_rollup_scope_close(sight->scopes[i]);
}

bool gm_rollup_sight_shows(gm_rollup_sight *sight, size_t i, gm_twin twin)
{
    gm_request *request = sight->request;
    if (!gm_principal_scoped(request->principal)) return true;
    if (sight->scopes[i] == NULL) sight->scopes[i] = gm_rollup_scope_open(request->api->options.rollups, i, gm_api_fence(request));
    return sight->scopes[i] != NULL && gm_rollup_scope_shows(sight->scopes[i], twin);
}

bool gm_rollup_sight_read(void *context, gm_twin twin, gm_str name, gm_str part, gm_time_ns at, gm_value *out)
{
    gm_rollup_sight *sight   = context;
    gm_rollups      *rollups = sight->request->api->options.rollups;
    size_t           i;
    if (rollups == NULL || !gm_rollups_find(rollups, name, &i)) return false;
    // One over the whole plant has no systems: whichever twin asks is told.
    bool    whole  = gm_rollups_definition(rollups, i)->relationship.len == 0;
    gm_twin system = whole ? (gm_twin){ GM_NONE } : twin;
    if (!gm_rollup_sight_shows(sight, i, system)) return false;
    if (at == GM_TIME_MAX) return gm_rollups_value(rollups, i, system, part, out);
    return part.len == 0 && gm_rollups_then(rollups, system, name, at, out);
}
