// api/futures/fleet.h: the roots that a request for futures speaks of: "root": one, "roots": a list of them, or
// "fleet": a query whose rows are the roots. Several are members of a fleet: groups of one shape, lanes of one program.
#ifndef GM_API_FUTURES_FLEET_H
#define GM_API_FUTURES_FLEET_H

#include "api/context.h"

#include <jansson.h>

typedef struct gm_fleet_roots {
    gm_twin *twins;
    gm_str  *roots;   // [count] their ids
    uint32_t count;
    bool     asked;   // as a fleet, be it of one
} gm_fleet_roots;

// In the arena. Rows of the query are what the one who asks may see. False: replied what is wrong.
// Cost: one query, which may look at a million rows and relationships.
bool gm_fleet_read(gm_request *request, const json_t *body, gm_arena *arena, gm_fleet_roots *out);

#endif
