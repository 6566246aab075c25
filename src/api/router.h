// api/router.h: from a request to the function that answers it.
#ifndef GM_API_ROUTER_H
#define GM_API_ROUTER_H

#include "api/request.h"

typedef enum gm_route_body {
    GM_BODY_NONE,    // a body is ignored
    GM_BODY_JSON,    // application/json, or anything that ends in +json
    GM_BODY_MODELS   // the same, larger
} gm_route_body;

typedef struct gm_route {
    gm_method        method;
    const char      *pattern;      // "/digitaltwins/{id}/relationships/{relationshipId}"; "/*" takes what is left
    gm_request_call *call;
    gm_right         right;        // what the principal must be allowed
    gm_route_body    body;
    bool             adt;          // part of the Azure Digital Twins API: api-version is required
    const char      *summary;      // one line; the OpenAPI document says the same
} gm_route;

extern const gm_route gm_routes[];
extern const size_t   gm_route_count;

// The headers of a request are there: finds its route (request->route, ->parameters) and checks everything that can be
// checked without the body: route, method, access, api-version, content type. What is wrong is answered.
void gm_router_begin(gm_request *request);

// The whole request is there: runs the route.
void gm_router_handle(gm_request *request);

#endif
