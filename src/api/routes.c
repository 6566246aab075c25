// All routes of the API. The OpenAPI document (openapi.json) says the same at length; a test compares them.
#include "api/routes.h"

#define ADT true
#define OWN false

const gm_route gm_routes[] = {
    { GM_METHOD_POST,   "/models",           gm_route_models_add,    GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_MODELS, ADT, "Add models" },
    { GM_METHOD_GET,    "/models",           gm_route_models_list,   GM_RIGHT_READ,     GM_REACH_MODELS, GM_BODY_NONE,   ADT, "List models" },
    { GM_METHOD_GET,    "/models/{id}",      gm_route_model_get,     GM_RIGHT_READ,     GM_REACH_MODELS, GM_BODY_NONE,   ADT, "Get a model" },
    { GM_METHOD_PATCH,  "/models/{id}",      gm_route_model_update,  GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_JSON,   ADT, "Decommission a model" },
    { GM_METHOD_DELETE, "/models/{id}",      gm_route_model_delete,  GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_NONE,   ADT, "Delete a model" },

    { GM_METHOD_GET,    "/digitaltwins/{id}", gm_route_twin_get,     GM_RIGHT_READ,     GM_REACH_TWIN, GM_BODY_NONE,   ADT, "Get a twin" },
    { GM_METHOD_PUT,    "/digitaltwins/{id}", gm_route_twin_put,     GM_RIGHT_ENGINEER, GM_REACH_TWIN, GM_BODY_JSON,   ADT, "Create or replace a twin" },
    { GM_METHOD_PATCH,  "/digitaltwins/{id}", gm_route_twin_patch,   GM_RIGHT_OPERATE,  GM_REACH_TWIN, GM_BODY_JSON,   ADT, "Change properties of a twin" },
    { GM_METHOD_DELETE, "/digitaltwins/{id}", gm_route_twin_delete,  GM_RIGHT_ENGINEER, GM_REACH_TWIN, GM_BODY_NONE,   ADT, "Delete a twin" },
    { GM_METHOD_GET,    "/digitaltwins/{id}/components/{component}", gm_route_component_get,   GM_RIGHT_READ,    GM_REACH_TWIN, GM_BODY_NONE, ADT,
      "Get a component of a twin" },
    { GM_METHOD_PATCH,  "/digitaltwins/{id}/components/{component}", gm_route_component_patch, GM_RIGHT_OPERATE, GM_REACH_TWIN, GM_BODY_JSON, ADT,
      "Change properties of a component" },
    { GM_METHOD_POST,   "/digitaltwins/{id}/telemetry", gm_route_telemetry, GM_RIGHT_OPERATE, GM_REACH_TWIN, GM_BODY_JSON, ADT, "Report telemetry of a twin" },
    { GM_METHOD_POST,   "/digitaltwins/{id}/components/{component}/telemetry", gm_route_component_telemetry, GM_RIGHT_OPERATE, GM_REACH_TWIN, GM_BODY_JSON, ADT,
      "Report telemetry of a component" },

    { GM_METHOD_GET,    "/digitaltwins/{id}/relationships", gm_route_relationships_list, GM_RIGHT_READ, GM_REACH_TWIN, GM_BODY_NONE, ADT,
      "List relationships that go out from a twin" },
    { GM_METHOD_GET,    "/digitaltwins/{id}/incomingrelationships", gm_route_incoming_list, GM_RIGHT_READ, GM_REACH_TWIN, GM_BODY_NONE, ADT,
      "List relationships that come in to a twin" },
    { GM_METHOD_GET,    "/digitaltwins/{id}/relationships/{relationshipId}", gm_route_relationship_get, GM_RIGHT_READ, GM_REACH_TWIN, GM_BODY_NONE, ADT,
      "Get a relationship" },
    { GM_METHOD_PUT,    "/digitaltwins/{id}/relationships/{relationshipId}", gm_route_relationship_put, GM_RIGHT_ENGINEER, GM_REACH_TWIN, GM_BODY_JSON, ADT,
      "Create or replace a relationship" },
    { GM_METHOD_PATCH,  "/digitaltwins/{id}/relationships/{relationshipId}", gm_route_relationship_patch, GM_RIGHT_ENGINEER, GM_REACH_TWIN, GM_BODY_JSON, ADT,
      "Change properties of a relationship" },
    { GM_METHOD_DELETE, "/digitaltwins/{id}/relationships/{relationshipId}", gm_route_relationship_delete, GM_RIGHT_ENGINEER, GM_REACH_TWIN, GM_BODY_NONE, ADT,
      "Delete a relationship" },

    { GM_METHOD_POST,   "/query",            gm_route_query,              GM_RIGHT_READ,     GM_REACH_FENCED, GM_BODY_JSON, ADT, "Query twins and relationships" },
    { GM_METHOD_GET,    "/eventroutes",      gm_route_event_routes_list,  GM_RIGHT_READ,     GM_REACH_PLANT, GM_BODY_NONE, ADT, "List event routes" },
    { GM_METHOD_GET,    "/eventroutes/{id}", gm_route_event_route_get,    GM_RIGHT_READ,     GM_REACH_PLANT, GM_BODY_NONE, ADT, "Get an event route" },
    { GM_METHOD_PUT,    "/eventroutes/{id}", gm_route_event_route_put,    GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_JSON, ADT, "Create or replace an event route" },
    { GM_METHOD_DELETE, "/eventroutes/{id}", gm_route_event_route_delete, GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_NONE, ADT, "Delete an event route" },

    { GM_METHOD_GET,    "/v1/history",       gm_route_history,       GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Read the history of a property" },
    { GM_METHOD_GET,    "/v1/twins/{id}",    gm_route_live,          GM_RIGHT_READ, GM_REACH_TWIN, GM_BODY_NONE, OWN, "A twin with all its values, units and ages" },
    { GM_METHOD_GET,    "/v1/tree",          gm_route_tree,          GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Walk or search the tree of twins" },
    { GM_METHOD_GET,    "/v1/stream",        gm_route_stream,        GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Follow twins as they change (server-sent events)" },
    { GM_METHOD_GET,    "/v1/endpoints",     gm_route_endpoints,     GM_RIGHT_READ, GM_REACH_PLANT, GM_BODY_NONE, OWN, "Endpoints of event routes and how they fare" },
    { GM_METHOD_GET,    "/v1/events/{endpoint}", gm_route_events,    GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_NONE, OWN, "Follow the events of an endpoint (server-sent events)" },
    { GM_METHOD_GET,    "/v1/dead-letters",  gm_route_dead_letters,  GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Messages that could not be applied" },
    { GM_METHOD_GET,    "/v1/plant",         gm_route_plant,         GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "What is served here" },
    { GM_METHOD_GET,    "/v1/whoami",        gm_route_whoami,        GM_RIGHT_READ,  GM_REACH_NOTHING, GM_BODY_NONE, OWN, "Who asks, and what he may" },
    { GM_METHOD_GET,    "/v1/users",         gm_route_users_list,    GM_RIGHT_ADMIN, GM_REACH_PLANT, GM_BODY_NONE, OWN, "List users" },
    { GM_METHOD_POST,   "/v1/users",         gm_route_user_add,      GM_RIGHT_ADMIN, GM_REACH_PLANT, GM_BODY_JSON, OWN, "Add a user; the answer holds his token" },
    { GM_METHOD_DELETE, "/v1/users/{name}",  gm_route_user_revoke,   GM_RIGHT_ADMIN, GM_REACH_PLANT, GM_BODY_NONE, OWN, "Revoke a user's access" },
    { GM_METHOD_GET,    "/v1/audit",         gm_route_audit,         GM_RIGHT_ADMIN, GM_REACH_PLANT, GM_BODY_NONE, OWN, "Who changed what" },
    { GM_METHOD_POST,   "/v1/ingest",        gm_route_ingest,        GM_RIGHT_OPERATE, GM_REACH_PLANT, GM_BODY_BULK, OWN, "Ingest newline JSON in bulk" },
    { GM_METHOD_POST,   "/write",            gm_route_write,         GM_RIGHT_OPERATE, GM_REACH_PLANT, GM_BODY_BULK, OWN, "Ingest InfluxDB line protocol (version 1)" },
    { GM_METHOD_POST,   "/api/v2/write",     gm_route_write_v2,      GM_RIGHT_OPERATE, GM_REACH_PLANT, GM_BODY_BULK, OWN, "Ingest InfluxDB line protocol (version 2)" },
    { GM_METHOD_GET,    "/ping",             gm_route_ping,          GM_RIGHT_NONE, GM_REACH_NOTHING, GM_BODY_NONE, OWN, "Is somebody there? (InfluxDB clients)" },
    { GM_METHOD_GET,    "/health",           gm_route_influx_health, GM_RIGHT_NONE, GM_REACH_NOTHING, GM_BODY_NONE, OWN, "Is the server in order? (InfluxDB clients)" },
    { GM_METHOD_GET,    "/v1/openapi.json",  gm_route_openapi,       GM_RIGHT_NONE, GM_REACH_NOTHING, GM_BODY_NONE, OWN, "This description" },
    { GM_METHOD_GET,    "/healthz",          gm_route_health,        GM_RIGHT_NONE, GM_REACH_NOTHING, GM_BODY_NONE, OWN, "Is the server in order?" },
    { GM_METHOD_GET,    "/metrics",          gm_route_metrics,       GM_RIGHT_READ, GM_REACH_PLANT, GM_BODY_NONE, OWN, "Measurements for Prometheus" },
    { GM_METHOD_GET,    "/*",                gm_route_asset,         GM_RIGHT_NONE, GM_REACH_NOTHING, GM_BODY_NONE, OWN, "The console" },
};
const size_t gm_route_count = sizeof gm_routes / sizeof gm_routes[0];
