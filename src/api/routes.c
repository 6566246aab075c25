// All routes of the API. The OpenAPI document (openapi.json) says the same at length; a test compares them.
#include "api/routes.h"

#define ADT GM_FAMILY_ADT
#define AAS GM_FAMILY_AAS
#define OWN GM_FAMILY_OWN

// A route of submodels is there twice: of the repository, and below a shell that names the submodel.
#define SUBMODEL(method, tail, call, right, body, summary)                                                  \
    { method, "/submodels/{id}" tail, call, right, GM_REACH_FENCED, body, AAS, summary },                   \
    { method, "/shells/{shell}/submodels/{id}" tail, call, right, GM_REACH_FENCED, body, AAS, summary },

const gm_route gm_routes[] = {
    { GM_METHOD_POST,   "/models",           gm_route_models_add,    GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_MODELS, ADT, "Add models" },
    { GM_METHOD_GET,    "/models",           gm_route_models_list,   GM_RIGHT_READ,     GM_REACH_MODELS, GM_BODY_NONE,   ADT, "List models" },
    { GM_METHOD_GET,    "/models/{id}",      gm_route_model_get,     GM_RIGHT_READ,     GM_REACH_MODELS, GM_BODY_NONE,   ADT, "Get a model" },
    { GM_METHOD_PATCH,  "/models/{id}",      gm_route_model_update,  GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_JSON,   ADT, "Decommission a model" },
    { GM_METHOD_DELETE, "/models/{id}",      gm_route_model_delete,  GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_NONE,   ADT, "Delete a model" },

    { GM_METHOD_GET,    "/digitaltwins/{id}", gm_route_twin_get,     GM_RIGHT_READ,     GM_REACH_TWIN, GM_BODY_NONE,   ADT, "Get a twin" },
    { GM_METHOD_PUT,    "/digitaltwins/{id}", gm_route_twin_put,     GM_RIGHT_ENGINEER, GM_REACH_TWIN, GM_BODY_TWIN,   ADT, "Create or replace a twin" },
    { GM_METHOD_PATCH,  "/digitaltwins/{id}", gm_route_twin_patch,   GM_RIGHT_OPERATE,  GM_REACH_TWIN, GM_BODY_TWIN,   ADT, "Change properties of a twin" },
    { GM_METHOD_DELETE, "/digitaltwins/{id}", gm_route_twin_delete,  GM_RIGHT_ENGINEER, GM_REACH_TWIN, GM_BODY_NONE,   ADT, "Delete a twin" },
    { GM_METHOD_GET,    "/digitaltwins/{id}/components/{component}", gm_route_component_get,   GM_RIGHT_READ,    GM_REACH_TWIN, GM_BODY_NONE, ADT,
      "Get a component of a twin" },
    { GM_METHOD_PATCH,  "/digitaltwins/{id}/components/{component}", gm_route_component_patch, GM_RIGHT_OPERATE, GM_REACH_TWIN, GM_BODY_TWIN, ADT,
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
    { GM_METHOD_PUT,    "/digitaltwins/{id}/relationships/{relationshipId}", gm_route_relationship_put, GM_RIGHT_ENGINEER, GM_REACH_TWIN, GM_BODY_TWIN, ADT,
      "Create or replace a relationship" },
    { GM_METHOD_PATCH,  "/digitaltwins/{id}/relationships/{relationshipId}", gm_route_relationship_patch, GM_RIGHT_ENGINEER, GM_REACH_TWIN, GM_BODY_TWIN, ADT,
      "Change properties of a relationship" },
    { GM_METHOD_DELETE, "/digitaltwins/{id}/relationships/{relationshipId}", gm_route_relationship_delete, GM_RIGHT_ENGINEER, GM_REACH_TWIN, GM_BODY_NONE, ADT,
      "Delete a relationship" },

    { GM_METHOD_POST,   "/query",            gm_route_query,              GM_RIGHT_READ,     GM_REACH_FENCED, GM_BODY_JSON, ADT, "Query twins and relationships" },
    { GM_METHOD_GET,    "/eventroutes",      gm_route_event_routes_list,  GM_RIGHT_READ,     GM_REACH_PLANT, GM_BODY_NONE, ADT, "List event routes" },
    { GM_METHOD_GET,    "/eventroutes/{id}", gm_route_event_route_get,    GM_RIGHT_READ,     GM_REACH_PLANT, GM_BODY_NONE, ADT, "Get an event route" },
    { GM_METHOD_PUT,    "/eventroutes/{id}", gm_route_event_route_put,    GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_JSON, ADT, "Create or replace an event route" },
    { GM_METHOD_DELETE, "/eventroutes/{id}", gm_route_event_route_delete, GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_NONE, ADT, "Delete an event route" },

    { GM_METHOD_GET,    "/jobs/imports",      gm_route_import_jobs_list,  GM_RIGHT_READ,     GM_REACH_PLANT, GM_BODY_NONE, ADT, "List import jobs" },
    { GM_METHOD_GET,    "/jobs/imports/{id}", gm_route_import_job_get,    GM_RIGHT_READ,     GM_REACH_PLANT, GM_BODY_NONE, ADT, "Get an import job" },
    { GM_METHOD_PUT,    "/jobs/imports/{id}", gm_route_import_job_put,    GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_JSON, ADT, "Start an import job" },
    { GM_METHOD_DELETE, "/jobs/imports/{id}", gm_route_import_job_delete, GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_NONE, ADT, "Forget an import job that is over" },
    { GM_METHOD_POST,   "/jobs/imports/{id}/cancel", gm_route_import_job_cancel, GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_NONE, ADT, "Cancel an import job" },
    { GM_METHOD_GET,    "/jobs/deletions",      gm_route_deletion_jobs_list, GM_RIGHT_READ,  GM_REACH_PLANT, GM_BODY_NONE, ADT, "List deletion jobs" },
    { GM_METHOD_GET,    "/jobs/deletions/{id}", gm_route_deletion_job_get,   GM_RIGHT_READ,  GM_REACH_PLANT, GM_BODY_NONE, ADT, "Get a deletion job" },
    { GM_METHOD_POST,   "/jobs/deletions",      gm_route_deletion_job_post,  GM_RIGHT_ADMIN, GM_REACH_PLANT, GM_BODY_NONE, ADT, "Delete all relationships, twins and models" },
    { GM_METHOD_GET,    "/v1/indexes",       gm_route_indexes_list,  GM_RIGHT_READ,     GM_REACH_PLANT, GM_BODY_NONE, OWN, "List the indexes of properties" },
    { GM_METHOD_PUT,    "/v1/indexes/{property}", gm_route_index_put, GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_JSON, OWN, "Make an index of a property" },
    { GM_METHOD_DELETE, "/v1/indexes/{property}", gm_route_index_delete, GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_NONE, OWN, "Drop an index" },
    { GM_METHOD_POST,   "/v1/migrate",       gm_route_migrate,       GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_JSON, OWN, "Change the model of all twins of a model" },
    { GM_METHOD_GET,    "/v1/export",        gm_route_export,        GM_RIGHT_READ,     GM_REACH_PLANT, GM_BODY_NONE,   OWN, "The whole plant as one file" },
    { GM_METHOD_POST,   "/v1/import",        gm_route_import,        GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_MODELS, OWN, "Bring in models, twins and relationships from one file" },

    { GM_METHOD_GET,    "/v1/history",       gm_route_history,       GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Read the history of a property" },
    { GM_METHOD_DELETE, "/v1/history",       gm_route_history_delete, GM_RIGHT_ADMIN, GM_REACH_PLANT, GM_BODY_NONE, OWN, "Delete history for good" },
    { GM_METHOD_GET,    "/v1/history/export", gm_route_history_export, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "All samples of twins as one file" },
    { GM_METHOD_GET,    "/v1/estimates",     gm_route_estimates,     GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Where it really is, as far as the measurements tell" },
    { GM_METHOD_GET,    "/v1/estimates/{name}/smoothed", gm_route_estimates_smoothed, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN,
      "Where it was, by what was measured before and afterwards" },
    { GM_METHOD_GET,    "/v1/rul",           gm_route_rul,           GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Remaining useful life, the most endangered twin first" },
    { GM_METHOD_GET,    "/v1/forecasts",     gm_route_forecasts,     GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Where a property goes, from its own past" },
    { GM_METHOD_GET,    "/v1/anomalies",     gm_route_anomalies,     GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "What detectors found, the newest first" },
    { GM_METHOD_GET,    "/v1/alarms",          gm_route_alarms,        GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Alarms, the most urgent first" },
    { GM_METHOD_GET,    "/v1/alarms/metrics",  gm_route_alarm_metrics, GM_RIGHT_READ, GM_REACH_PLANT,  GM_BODY_NONE, OWN, "How the alarm system does" },
    { GM_METHOD_GET,    "/v1/alarms/rollup",   gm_route_alarm_rollup,  GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Alarms of a twin and all under it, counted" },
    { GM_METHOD_GET,    "/v1/alarms/stream",   gm_route_alarm_stream,  GM_RIGHT_READ, GM_REACH_PLANT,  GM_BODY_NONE, OWN, "Follow alarms (server-sent events)" },
    { GM_METHOD_GET,    "/v1/alarms/{id}",     gm_route_alarm,         GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "An alarm" },
    { GM_METHOD_POST,   "/v1/alarms/{id}/{action}", gm_route_alarm_act, GM_RIGHT_OPERATE, GM_REACH_FENCED, GM_BODY_JSON, OWN, "Acknowledge, shelve or reset an alarm" },
    { GM_METHOD_GET,    "/v1/rollups",         gm_route_rollups,       GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "What systems amount to, from their parts" },
    { GM_METHOD_GET,    "/v1/marks",           gm_route_marks,         GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "What happened when: alarms, anomalies, commands, events, dead letters" },
    { GM_METHOD_GET,    "/v1/impact",          gm_route_impact,        GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "What stops when a twin fails" },
    { GM_METHOD_GET,    "/v1/reliability/{twin}", gm_route_reliability, GM_RIGHT_READ, GM_REACH_PLANT, GM_BODY_NONE, OWN, "How likely a twin is to stop, and by what" },
    { GM_METHOD_GET,    "/v1/origins",         gm_route_origins,       GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "What broke: likely origins of alarms and of odd measurements" },
    { GM_METHOD_GET,   "/v1/commands", gm_route_commands, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Commands, the newest first" },
    { GM_METHOD_POST,  "/v1/commands", gm_route_command_post, GM_RIGHT_OPERATE, GM_REACH_FENCED, GM_BODY_JSON, OWN, "Command a device" },
    { GM_METHOD_GET,   "/v1/commands/{id}", gm_route_command, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "A command" },
    { GM_METHOD_POST,  "/v1/commands/{id}/approve", gm_route_command_approve, GM_RIGHT_OPERATE, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Approve a command that somebody else asked for" },
    { GM_METHOD_GET,   "/v1/desired", gm_route_desired, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Desired values, the newest first" },
    { GM_METHOD_POST,  "/v1/desired", gm_route_desired_post, GM_RIGHT_OPERATE, GM_REACH_FENCED, GM_BODY_JSON, OWN, "Want a writable property to have a value" },
    { GM_METHOD_GET,   "/v1/control", gm_route_control, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "What is armed, and whether everything is stopped" },
    { GM_METHOD_POST,  "/v1/control/{action}", gm_route_control_act, GM_RIGHT_OPERATE, GM_REACH_FENCED, GM_BODY_JSON, OWN, "Arm, disarm, keep alive, stop or resume automatic control" },
    { GM_METHOD_GET,   "/v1/rules", gm_route_rules, GM_RIGHT_READ, GM_REACH_PLANT, GM_BODY_NONE, OWN, "Rules in force, and how they stand" },
    { GM_METHOD_POST,  "/v1/rules/test", gm_route_rule_test, GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_JSON, OWN, "When rules would have fired" },
    { GM_METHOD_GET,   "/v1/mappings", gm_route_mappings, GM_RIGHT_READ, GM_REACH_PLANT, GM_BODY_NONE, OWN, "Mappings, and how they fare" },
    { GM_METHOD_POST,  "/v1/mappings/test", gm_route_mapping_test, GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_JSON, OWN, "What a mapping would make of a message" },
    { GM_METHOD_GET,   "/v1/plans", gm_route_plans, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Plans that are made again and again" },
    { GM_METHOD_GET,   "/v1/plans/{name}", gm_route_plan, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "A plan" },
    { GM_METHOD_POST,  "/v1/plans/{name}/make", gm_route_plan_make, GM_RIGHT_OPERATE, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Make a plan now instead of at its time" },
    { GM_METHOD_GET,   "/v1/maintenance", gm_route_maintenance_list, GM_RIGHT_READ, GM_REACH_PLANT, GM_BODY_NONE, OWN, "What maintenance is planned for" },
    { GM_METHOD_GET,   "/v1/maintenance/{name}", gm_route_maintenance, GM_RIGHT_READ, GM_REACH_PLANT, GM_BODY_NONE, OWN, "Proposed maintenance" },
    { GM_METHOD_POST,  "/v1/maintenance/{name}/make", gm_route_maintenance_make, GM_RIGHT_OPERATE, GM_REACH_PLANT, GM_BODY_JSON, OWN, "Propose maintenance from what is known now" },
    { GM_METHOD_POST,  "/v1/maintenance/{name}/orders", gm_route_maintenance_orders, GM_RIGHT_OPERATE, GM_REACH_PLANT, GM_BODY_PERHAPS, OWN, "Open work orders of what is proposed" },
    { GM_METHOD_GET,   "/v1/workorders", gm_route_work_orders, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Work orders, the newest first" },
    { GM_METHOD_POST,  "/v1/workorders", gm_route_work_order_post, GM_RIGHT_OPERATE, GM_REACH_FENCED, GM_BODY_JSON, OWN, "Open a work order" },
    { GM_METHOD_GET,   "/v1/workorders/{id}", gm_route_work_order, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "A work order" },
    { GM_METHOD_PATCH, "/v1/workorders/{id}", gm_route_work_order_patch, GM_RIGHT_OPERATE, GM_REACH_FENCED, GM_BODY_JSON, OWN, "Move a work order on" },
    { GM_METHOD_GET,    "/v1/thread", gm_route_thread_list, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Twins and parts of which facts are known" },
    { GM_METHOD_POST,   "/v1/thread", gm_route_thread_add, GM_RIGHT_OPERATE, GM_REACH_FENCED, GM_BODY_JSON, OWN, "Add facts" },
    { GM_METHOD_GET,    "/v1/thread/{id}", gm_route_thread_get, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "What was true of a twin at a time, as known at a time" },
    { GM_METHOD_DELETE, "/v1/thread/{id}", gm_route_thread_delete, GM_RIGHT_ADMIN, GM_REACH_PLANT, GM_BODY_NONE, OWN, "Delete facts for good" },
    { GM_METHOD_GET,    "/v1/thread/{id}/parts", gm_route_thread_parts, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "What is installed in a twin, and where it is installed" },
    { GM_METHOD_GET,    "/v1/thread/{id}/diff", gm_route_thread_diff, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Compare two phases of a twin" },
    { GM_METHOD_POST,   "/v1/thread/explain", gm_route_thread_explain, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_JSON, OWN, "How much of what differs between twins is explained by how they were built" },
    { GM_METHOD_POST,   "/v1/thread/{id}/usage", gm_route_thread_usage, GM_RIGHT_OPERATE, GM_REACH_FENCED, GM_BODY_JSON, OWN, "Make facts of what history says a twin went through" },
    { GM_METHOD_POST,   "/v1/thread/{id}/documents", gm_route_document_add, GM_RIGHT_OPERATE, GM_REACH_FENCED, GM_BODY_BULK, OWN, "Store a document of a twin" },
    { GM_METHOD_GET,    "/v1/thread/{id}/documents/{hash}", gm_route_document_get, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "A document of a twin" },
    { GM_METHOD_GET,    "/v1/bom/{id}", gm_route_bom, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "A bill of materials" },
    { GM_METHOD_GET,    "/v1/bom/{id}/where-used", gm_route_bom_where_used, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Where a part is used" },
    { GM_METHOD_GET,    "/v1/bom/{id}/rollup", gm_route_bom_rollup, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "What a bill of materials adds up to" },
    { GM_METHOD_GET,    "/v1/bom/{id}/gaps", gm_route_bom_gaps, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Gaps and overlaps of effectivity" },
    { GM_METHOD_GET,    "/v1/twins/{id}",    gm_route_live,          GM_RIGHT_READ, GM_REACH_TWIN, GM_BODY_NONE, OWN, "A twin with all its values, units and ages" },
    { GM_METHOD_POST,   "/v1/checkpoint",    gm_route_checkpoint,    GM_RIGHT_ADMIN, GM_REACH_PLANT, GM_BODY_JSON, OWN, "Write a checkpoint, or a backup" },
    { GM_METHOD_GET,    "/v1/tree",          gm_route_tree,          GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Walk or search the tree of twins" },
    { GM_METHOD_GET,    "/v1/scene",         gm_route_scene,         GM_RIGHT_READ, GM_REACH_PLANT, GM_BODY_NONE, OWN, "List the files of the plant's geometry" },
    { GM_METHOD_GET,    "/v1/scene/{file}",  gm_route_scene_file,    GM_RIGHT_READ, GM_REACH_PLANT, GM_BODY_NONE, OWN, "A file of the plant's geometry" },
    { GM_METHOD_GET,    "/v1/stream",        gm_route_stream,        GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Follow twins as they change (server-sent events)" },
    { GM_METHOD_GET,    "/v1/endpoints",     gm_route_endpoints,     GM_RIGHT_READ, GM_REACH_PLANT, GM_BODY_NONE, OWN, "Endpoints of event routes and how they fare" },
    { GM_METHOD_GET,    "/v1/events/{endpoint}", gm_route_events,    GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_NONE, OWN, "Follow the events of an endpoint (server-sent events)" },
    { GM_METHOD_POST,   "/v1/futures",       gm_route_futures_start,  GM_RIGHT_OPERATE, GM_REACH_FENCED, GM_BODY_JSON, OWN, "Run futures of a group of twins" },
    { GM_METHOD_GET,    "/v1/futures",       gm_route_futures_list,   GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "List futures, the newest first" },
    { GM_METHOD_GET,    "/v1/futures/{id}",  gm_route_futures_get,    GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN, "How far futures are, or their result" },
    { GM_METHOD_DELETE, "/v1/futures/{id}",  gm_route_futures_delete, GM_RIGHT_OPERATE, GM_REACH_FENCED, GM_BODY_NONE, OWN, "Cancel or forget futures" },
    { GM_METHOD_GET,    "/v1/futures/{id}/stream",       gm_route_futures_stream, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN,
      "Follow futures while they run (server-sent events)" },
    { GM_METHOD_GET,    "/v1/futures/{id}/lanes/{lane}", gm_route_futures_lane,   GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN,
      "One lane of futures, run again" },
    { GM_METHOD_GET,    "/v1/futures/{id}/verification", gm_route_futures_verify, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, OWN,
      "Compare futures with what then happened" },
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
    { GM_METHOD_GET, "/shells", gm_route_aas_shells, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, AAS, "List shells (Asset Administration Shell)" },
    { GM_METHOD_POST, "/shells", gm_route_aas_shell_post, GM_RIGHT_ENGINEER, GM_REACH_FENCED, GM_BODY_JSON, AAS, "Make a shell" },
    { GM_METHOD_GET, "/shells/{id}", gm_route_aas_shell, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, AAS, "A shell" },
    { GM_METHOD_PUT, "/shells/{id}", gm_route_aas_shell_put, GM_RIGHT_ENGINEER, GM_REACH_FENCED, GM_BODY_JSON, AAS, "Make or replace a shell" },
    { GM_METHOD_DELETE, "/shells/{id}", gm_route_aas_shell_delete, GM_RIGHT_ENGINEER, GM_REACH_FENCED, GM_BODY_NONE, AAS, "Delete a shell, and its twin" },
    { GM_METHOD_GET, "/shells/{id}/asset-information", gm_route_aas_asset, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, AAS, "What asset a shell is of" },
    { GM_METHOD_PUT, "/shells/{id}/asset-information", gm_route_aas_asset_put, GM_RIGHT_ENGINEER, GM_REACH_FENCED, GM_BODY_JSON, AAS, "Say what asset a shell is of" },
    { GM_METHOD_GET, "/shells/{id}/submodel-refs", gm_route_aas_refs, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, AAS, "References to the submodels of a shell" },
    { GM_METHOD_POST, "/shells/{id}/submodel-refs", gm_route_aas_ref_post, GM_RIGHT_ENGINEER, GM_REACH_FENCED, GM_BODY_JSON, AAS, "Give a shell a submodel" },
    { GM_METHOD_DELETE, "/shells/{id}/submodel-refs/{submodel}", gm_route_aas_ref_delete, GM_RIGHT_ENGINEER, GM_REACH_FENCED, GM_BODY_NONE, AAS, "Take a submodel from a shell" },
    { GM_METHOD_GET, "/shells/{id}/$reference", gm_route_aas_shell_reference, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, AAS, "A reference to a shell" },
    { GM_METHOD_GET, "/submodels", gm_route_aas_submodels, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, AAS, "List submodels" },
    { GM_METHOD_POST, "/submodels", gm_route_aas_submodel_post, GM_RIGHT_ENGINEER, GM_REACH_FENCED, GM_BODY_JSON, AAS, "Make a submodel" },
    SUBMODEL(GM_METHOD_GET, "", gm_route_aas_submodel, GM_RIGHT_READ, GM_BODY_NONE, "A submodel")
    SUBMODEL(GM_METHOD_PUT, "", gm_route_aas_submodel_put, GM_RIGHT_ENGINEER, GM_BODY_JSON, "Make or replace a submodel")
    SUBMODEL(GM_METHOD_PATCH, "", gm_route_aas_submodel_patch, GM_RIGHT_ENGINEER, GM_BODY_JSON, "Change a submodel")
    SUBMODEL(GM_METHOD_DELETE, "", gm_route_aas_submodel_delete, GM_RIGHT_ENGINEER, GM_BODY_NONE, "Delete a submodel")
    SUBMODEL(GM_METHOD_GET, "/submodel-elements", gm_route_aas_elements, GM_RIGHT_READ, GM_BODY_NONE, "List the elements of a submodel")
    SUBMODEL(GM_METHOD_POST, "/submodel-elements", gm_route_aas_elements_post, GM_RIGHT_ENGINEER, GM_BODY_JSON, "Add an element to a submodel")
    SUBMODEL(GM_METHOD_PATCH, "/$metadata", gm_route_aas_submodel_patch_metadata, GM_RIGHT_ENGINEER, GM_BODY_JSON, "Change what describes a submodel")
    SUBMODEL(GM_METHOD_PATCH, "/$value", gm_route_aas_submodel_patch_value, GM_RIGHT_OPERATE, GM_BODY_JSON, "Set values in a submodel")
    SUBMODEL(GM_METHOD_GET, "/{view}", gm_route_aas_submodel_view, GM_RIGHT_READ, GM_BODY_NONE, "A submodel as $value, $metadata, $reference or $path")
    SUBMODEL(GM_METHOD_GET, "/submodel-elements/{path}", gm_route_aas_element, GM_RIGHT_READ, GM_BODY_NONE, "An element by its idShort path")
    SUBMODEL(GM_METHOD_POST, "/submodel-elements/{path}", gm_route_aas_element_post, GM_RIGHT_ENGINEER, GM_BODY_JSON, "Add an element to another")
    SUBMODEL(GM_METHOD_PUT, "/submodel-elements/{path}", gm_route_aas_element_put, GM_RIGHT_ENGINEER, GM_BODY_JSON, "Make or replace an element")
    SUBMODEL(GM_METHOD_PATCH, "/submodel-elements/{path}", gm_route_aas_element_patch, GM_RIGHT_ENGINEER, GM_BODY_JSON, "Change an element")
    SUBMODEL(GM_METHOD_DELETE, "/submodel-elements/{path}", gm_route_aas_element_delete, GM_RIGHT_ENGINEER, GM_BODY_NONE, "Delete an element")
    SUBMODEL(GM_METHOD_GET, "/submodel-elements/{path}/attachment", gm_route_aas_attachment, GM_RIGHT_READ, GM_BODY_NONE, "The file that an element names")
    SUBMODEL(GM_METHOD_PUT, "/submodel-elements/{path}/attachment", gm_route_aas_attachment_put, GM_RIGHT_ENGINEER, GM_BODY_BULK, "Put the file that an element names")
    SUBMODEL(GM_METHOD_DELETE, "/submodel-elements/{path}/attachment", gm_route_aas_attachment_delete, GM_RIGHT_ENGINEER, GM_BODY_NONE, "Delete the file that an element names")
    SUBMODEL(GM_METHOD_PATCH, "/submodel-elements/{path}/$metadata", gm_route_aas_element_patch_metadata, GM_RIGHT_ENGINEER, GM_BODY_JSON, "Change what describes an element")
    SUBMODEL(GM_METHOD_PATCH, "/submodel-elements/{path}/$value", gm_route_aas_element_set, GM_RIGHT_OPERATE, GM_BODY_JSON, "Set the value of an element")
    SUBMODEL(GM_METHOD_PUT, "/submodel-elements/{path}/$value", gm_route_aas_element_set, GM_RIGHT_OPERATE, GM_BODY_JSON, "Set the value of an element")
    SUBMODEL(GM_METHOD_GET, "/submodel-elements/{path}/{view}", gm_route_aas_element_view, GM_RIGHT_READ, GM_BODY_NONE, "An element as $value, $metadata, $reference or $path")
    { GM_METHOD_GET, "/lookup/shells", gm_route_aas_lookup, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, AAS, "Find shells by what identifies their assets" },
    { GM_METHOD_GET, "/lookup/shells/{id}", gm_route_aas_lookup_ids, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, AAS, "What identifies the asset of a shell" },
    { GM_METHOD_GET, "/serialization", gm_route_aas_serialization, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, AAS, "Shells and submodels as one environment: JSON, XML or AASX" },
    { GM_METHOD_GET, "/description", gm_route_aas_description, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, AAS, "Which parts of the Asset Administration Shell API are served" },
    { GM_METHOD_GET, "/concept-descriptions", gm_route_aas_concepts, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, AAS, "List concept descriptions" },
    { GM_METHOD_GET, "/concept-descriptions/{id}", gm_route_aas_concept, GM_RIGHT_READ, GM_REACH_FENCED, GM_BODY_NONE, AAS, "A concept description" },
    { GM_METHOD_POST, "/concept-descriptions", gm_route_aas_concept_post, GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_JSON, AAS, "Make a concept description" },
    { GM_METHOD_PUT, "/concept-descriptions/{id}", gm_route_aas_concept_put, GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_JSON, AAS, "Make or replace a concept description" },
    { GM_METHOD_DELETE, "/concept-descriptions/{id}", gm_route_aas_concept_delete, GM_RIGHT_ENGINEER, GM_REACH_PLANT, GM_BODY_NONE, AAS, "Delete a concept description" },
    { GM_METHOD_GET,    "/v1/openapi.json",  gm_route_openapi,       GM_RIGHT_NONE, GM_REACH_NOTHING, GM_BODY_NONE, OWN, "This description" },
    { GM_METHOD_GET,    "/mqtt",             gm_route_mqtt,          GM_RIGHT_NONE, GM_REACH_NOTHING, GM_BODY_NONE, OWN, "MQTT over WebSocket" },
    { GM_METHOD_GET,    "/healthz",          gm_route_health,        GM_RIGHT_NONE, GM_REACH_NOTHING, GM_BODY_NONE, OWN, "Is the server in order?" },
    { GM_METHOD_GET,    "/metrics",          gm_route_metrics,       GM_RIGHT_READ, GM_REACH_PLANT, GM_BODY_NONE, OWN, "Measurements for Prometheus" },
    { GM_METHOD_GET,    "/*",                gm_route_asset,         GM_RIGHT_NONE, GM_REACH_NOTHING, GM_BODY_NONE, OWN, "The console" },
};
const size_t gm_route_count = sizeof gm_routes / sizeof gm_routes[0];
