// Event routes lead to endpoints. There are none to lead to yet, and every answer says so in the way the service would.
#include "api/routes.h"

static void not_found(gm_request *request)
{
    gm_reply_error(request, 404, "EventRouteNotFound",
                   "There is no route available that matches the provided id " GM_STR_FMT ".",
                   GM_STR_ARG(request->parameters[0]));
}

void gm_route_event_routes_list(gm_request *request)
{
    gm_buf_text(&request->out, "{\"value\":[]}");
    gm_reply_json(request, 200);
}

void gm_route_event_route_get(gm_request *request) { not_found(request); }

void gm_route_event_route_delete(gm_request *request) { not_found(request); }

void gm_route_event_route_put(gm_request *request)
{
    if (gm_request_json(request) == NULL) return;
    gm_reply_error(request, 400, "EventRouteEndpointInvalid", "The endpoint provided does not exist or is not active.");
}
