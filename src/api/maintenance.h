// api/maintenance.h: what the routes of maintenance share: maintenance_route.c makes and shows plans, maintenance_orders.c makes work
// orders of them.
#ifndef GM_API_MAINTENANCE_H
#define GM_API_MAINTENANCE_H

#include "api/context.h"
#include "control/maintain/maintenance.h"

// The entry that the path names. False: replied 404.
GM_NODISCARD bool gm_maintenance_named(gm_request *request, uint32_t *out);

// The whole entry as a JSON object.
void gm_maintenance_write(const gm_maintenance_view *v, gm_buf *out);

// ,"orders":[{"twin","id","state"}]: work orders of that entry that are not over. Cost: all work orders that are kept.
void gm_maintenance_write_ordered(const gm_request *request, gm_str entry, gm_buf *out);

#endif
