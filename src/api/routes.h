// api/routes.h: the functions behind the table in routes.c, one file a resource.
#ifndef GM_API_ROUTES_H
#define GM_API_ROUTES_H

#include "api/context.h"

// insight_route.c
void gm_route_rul(gm_request *request);

// estimate_route.c
void gm_route_estimates(gm_request *request);
void gm_route_plans(gm_request *request);
void gm_route_plan(gm_request *request);
void gm_route_plan_make(gm_request *request);
void gm_route_estimates_smoothed(gm_request *request);
void gm_route_anomalies(gm_request *request);

// forecast_route.c
void gm_route_forecasts(gm_request *request);
// alarms_route.c
gm_status gm_alarm_events_create(gm_api *api, gm_error *err);
void gm_alarm_events_destroy(gm_api *api);
void gm_route_alarms(gm_request *request);
void gm_route_alarm(gm_request *request);
void gm_route_alarm_act(gm_request *request);
void gm_route_alarm_metrics(gm_request *request);
void gm_route_alarm_rollup(gm_request *request);
void gm_route_alarm_stream(gm_request *request);

// marks/marks_route.c
void gm_route_marks(gm_request *request);

// rollup_route.c
void gm_route_rollups(gm_request *request);
void gm_route_impact(gm_request *request);
void gm_route_reliability(gm_request *request);
void gm_route_origins(gm_request *request);

// control_route.c
void gm_route_commands(gm_request *request);
void gm_route_command_post(gm_request *request);
void gm_route_command(gm_request *request);
void gm_route_command_approve(gm_request *request);
void gm_route_desired(gm_request *request);
void gm_route_desired_post(gm_request *request);
void gm_route_control(gm_request *request);
void gm_route_rules(gm_request *request);
void gm_route_rule_test(gm_request *request);
void gm_route_mappings(gm_request *request);
void gm_route_mapping_test(gm_request *request);
void gm_route_control_act(gm_request *request);
void gm_route_work_orders(gm_request *request);
void gm_route_work_order_post(gm_request *request);
void gm_route_work_order(gm_request *request);
void gm_route_work_order_patch(gm_request *request);

// maintenance_route.c, maintenance_orders.c
void gm_route_maintenance_list(gm_request *request);
void gm_route_maintenance(gm_request *request);
void gm_route_maintenance_make(gm_request *request);
void gm_route_maintenance_orders(gm_request *request);

// scene_route.c
void gm_route_scene(gm_request *request);
void gm_route_scene_file(gm_request *request);

// thread/thread_route.c
void gm_route_thread_list(gm_request *request);
void gm_route_thread_add(gm_request *request);
void gm_route_thread_get(gm_request *request);
void gm_route_thread_parts(gm_request *request);
void gm_route_thread_diff(gm_request *request);
void gm_route_thread_delete(gm_request *request);
void gm_route_thread_usage(gm_request *request);  // thread/usage_route.c
void gm_route_thread_explain(gm_request *request);  // thread/explain_route.c
void gm_route_document_add(gm_request *request);  // thread/documents_route.c
void gm_route_document_get(gm_request *request);
void gm_route_bom(gm_request *request);           // thread/bom_route.c
void gm_route_bom_where_used(gm_request *request);
void gm_route_bom_rollup(gm_request *request);
void gm_route_bom_gaps(gm_request *request);

// models.c
void gm_route_models_add(gm_request *request);
void gm_route_models_list(gm_request *request);
void gm_route_model_get(gm_request *request);
void gm_route_model_update(gm_request *request);
void gm_route_model_delete(gm_request *request);

// twins.c
void gm_route_twin_put(gm_request *request);
void gm_route_twin_get(gm_request *request);
void gm_route_twin_delete(gm_request *request);
void gm_route_component_get(gm_request *request);

// twin_patch.c
void gm_route_twin_patch(gm_request *request);
void gm_route_component_patch(gm_request *request);

// relationships.c
void gm_route_relationship_put(gm_request *request);
void gm_route_relationship_get(gm_request *request);
void gm_route_relationship_patch(gm_request *request);
void gm_route_relationship_delete(gm_request *request);
void gm_route_relationships_list(gm_request *request);
void gm_route_incoming_list(gm_request *request);

// telemetry.c
void gm_route_telemetry(gm_request *request);
void gm_route_component_telemetry(gm_request *request);

// query_route.c
void gm_route_query(gm_request *request);

// checkpoint_route.c
void gm_route_checkpoint(gm_request *request);

// event_routes.c
void gm_route_event_routes_list(gm_request *request);
void gm_route_event_route_get(gm_request *request);
void gm_route_event_route_put(gm_request *request);
void gm_route_event_route_delete(gm_request *request);
void gm_route_endpoints(gm_request *request);
void gm_route_events(gm_request *request);

// ingest.c
void gm_route_ingest(gm_request *request);
void gm_route_write(gm_request *request);
void gm_route_write_v2(gm_request *request);
void gm_route_ping(gm_request *request);
void gm_route_influx_health(gm_request *request);
void gm_route_migrate(gm_request *request);       // migration.c

void gm_route_indexes_list(gm_request *request);  // indexes.c
void gm_route_index_put(gm_request *request);
void gm_route_index_delete(gm_request *request);

// jobs_route.c
void gm_route_import_jobs_list(gm_request *request);
void gm_route_import_job_get(gm_request *request);
void gm_route_import_job_put(gm_request *request);
void gm_route_import_job_delete(gm_request *request);
void gm_route_import_job_cancel(gm_request *request);
void gm_route_deletion_jobs_list(gm_request *request);
void gm_route_deletion_job_get(gm_request *request);
void gm_route_deletion_job_post(gm_request *request);
void gm_route_export(gm_request *request);
void gm_route_import(gm_request *request);

// aas/: the Asset Administration Shell
void gm_route_aas_shells(gm_request *request);
void gm_route_aas_shell(gm_request *request);
void gm_route_aas_asset(gm_request *request);
void gm_route_aas_refs(gm_request *request);
void gm_route_aas_shell_reference(gm_request *request);
void gm_route_aas_submodels(gm_request *request);
void gm_route_aas_submodel(gm_request *request);
void gm_route_aas_elements(gm_request *request);
void gm_route_aas_submodel_view(gm_request *request);
void gm_route_aas_element(gm_request *request);
void gm_route_aas_attachment(gm_request *request);
void gm_route_aas_attachment_put(gm_request *request);
void gm_route_aas_attachment_delete(gm_request *request);
void gm_route_aas_element_view(gm_request *request);
void gm_route_aas_shell_post(gm_request *request);
void gm_route_aas_shell_put(gm_request *request);
void gm_route_aas_shell_delete(gm_request *request);
void gm_route_aas_asset_put(gm_request *request);
void gm_route_aas_ref_post(gm_request *request);
void gm_route_aas_ref_delete(gm_request *request);
void gm_route_aas_submodel_post(gm_request *request);
void gm_route_aas_submodel_put(gm_request *request);
void gm_route_aas_submodel_patch(gm_request *request);
void gm_route_aas_submodel_patch_metadata(gm_request *request);
void gm_route_aas_submodel_patch_value(gm_request *request);
void gm_route_aas_submodel_delete(gm_request *request);
void gm_route_aas_elements_post(gm_request *request);
void gm_route_aas_element_post(gm_request *request);
void gm_route_aas_element_put(gm_request *request);
void gm_route_aas_element_patch(gm_request *request);
void gm_route_aas_element_patch_metadata(gm_request *request);
void gm_route_aas_element_set(gm_request *request);
void gm_route_aas_element_delete(gm_request *request);
void gm_route_aas_lookup(gm_request *request);
void gm_route_aas_lookup_ids(gm_request *request);
void gm_route_aas_serialization(gm_request *request);
void gm_route_aas_description(gm_request *request);
void gm_route_aas_concepts(gm_request *request);
void gm_route_aas_concept(gm_request *request);
void gm_route_aas_concept_post(gm_request *request);
void gm_route_aas_concept_put(gm_request *request);
void gm_route_aas_concept_delete(gm_request *request);

// gemel's own
void gm_route_whoami(gm_request *request);        // users.c
void gm_route_users_list(gm_request *request);
void gm_route_user_add(gm_request *request);
void gm_route_user_revoke(gm_request *request);
void gm_route_audit(gm_request *request);
void gm_route_history(gm_request *request);       // history_route.c
void gm_route_history_delete(gm_request *request);
void gm_route_history_export(gm_request *request); // history_export.c
void gm_route_live(gm_request *request);          // live.c
void gm_route_tree(gm_request *request);          // tree.c
void gm_route_stream(gm_request *request);        // stream.c
void gm_route_dead_letters(gm_request *request);  // plant.c
void gm_route_plant(gm_request *request);
void gm_route_health(gm_request *request);
void gm_route_metrics(gm_request *request);       // metrics.c
void gm_route_mqtt(gm_request *request);          // websocket_route.c
void gm_route_openapi(gm_request *request);       // assets.c
void gm_route_asset(gm_request *request);

// futures/routes.c
void gm_route_futures_start(gm_request *request);
void gm_route_futures_list(gm_request *request);
void gm_route_futures_get(gm_request *request);
void gm_route_futures_delete(gm_request *request);
void gm_route_futures_stream(gm_request *request);
void gm_route_futures_lane(gm_request *request);
void gm_route_futures_verify(gm_request *request);

#endif
