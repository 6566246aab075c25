// api/router.h: from a request to the function that answers it.
#ifndef GM_API_ROUTER_H
#define GM_API_ROUTER_H

#include "api/request.h"

typedef enum gm_route_body {
    GM_BODY_NONE,    // a body is ignored
    GM_BODY_JSON,    // application/json, or anything that ends in +json
    GM_BODY_PERHAPS, // the same, or none
    GM_BODY_TWIN,    // the same, as large as a twin may be
    GM_BODY_MODELS,  // the same, larger
    GM_BODY_BULK     // any content type; for bulk ingest
} gm_route_body;

// Which twins a route is about. Every route declares it (a test looks); what does not is for nobody with a scope.
typedef enum gm_reach {
    GM_REACH_UNDECLARED,
    GM_REACH_NOTHING,  // no twins
    GM_REACH_MODELS,   // what twins can be, for everyone to read
    GM_REACH_TWIN,     // the one that the first parameter names: refused here when it lies outside
    GM_REACH_FENCED,   // many: the route itself keeps to gm_api_fence and gm_api_find
    GM_REACH_PLANT     // everything: only for those without a scope
} gm_reach;

// Whose words a route speaks.
typedef enum gm_family {
    GM_FAMILY_OWN,
    GM_FAMILY_ADT,     // part of the Azure Digital Twins API: api-version is required
    GM_FAMILY_AAS      // part of the Asset Administration Shell API (IEC 63278): also below /api/v3.0, refusals as its messages
} gm_family;

typedef struct gm_route {
    gm_method        method;
    const char      *pattern;      // "/digitaltwins/{id}/relationships/{relationshipId}"; "/*" takes what is left
    gm_request_call *call;
    gm_right         right;        // what the principal must be allowed
    gm_reach         reach;        // what the route shows or changes, for principals who are kept to some twins
    gm_route_body    body;
    gm_family        family;
    const char      *summary;      // one line; the OpenAPI document says the same
} gm_route;

extern const gm_route gm_routes[];
extern const size_t   gm_route_count;

// The headers of a request are there: finds its route (request->route, ->parameters) and checks everything that can be
// checked without the body: route, method, access, api-version, content type. What is wrong is answered.
void gm_router_begin(gm_request *request);

// The token in the value of an Authorization header ("Bearer TOKEN", "Token TOKEN"); ptr NULL: there is none.
gm_str gm_router_token(gm_str header);

// Does it come from a page of another origin? Browsers say where a page comes from, and only they do.
bool gm_router_is_foreign(const gm_request *request);

// The whole request is there: runs the route.
void gm_router_handle(gm_request *request);

#endif
