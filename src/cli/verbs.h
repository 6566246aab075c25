// cli/verbs.h: every verb of the program. To add one: a file verb_<name>.c, a line here, a line in verbs.c's table, and
// `make golden` for the manual.
#ifndef GM_CLI_VERBS_H
#define GM_CLI_VERBS_H

#include "cli/verb.h"

struct gm_plant;

// Prints a plant's findings, one a line, as `gemel check` and `gemel serve` do.
void gm_plant_print_findings(const gm_cli *cli, const struct gm_plant *plant);

extern const gm_verb gm_verb_agent;
extern const gm_verb gm_verb_load;
extern const gm_verb gm_verb_alarms;
extern const gm_verb gm_verb_audit_verify;
extern const gm_verb gm_verb_rule_test;
extern const gm_verb gm_verb_aas_check;
extern const gm_verb gm_verb_aas_export;
extern const gm_verb gm_verb_aas_import;
extern const gm_verb gm_verb_bom_export;
extern const gm_verb gm_verb_bom_gaps;
extern const gm_verb gm_verb_bom_import;
extern const gm_verb gm_verb_bom_rollup;
extern const gm_verb gm_verb_bom_show;
extern const gm_verb gm_verb_bom_where_used;
extern const gm_verb gm_verb_thread_add;
extern const gm_verb gm_verb_thread_diff;
extern const gm_verb gm_verb_thread_document;
extern const gm_verb gm_verb_thread_explain;
extern const gm_verb gm_verb_thread_fetch;
extern const gm_verb gm_verb_thread_forget;
extern const gm_verb gm_verb_thread_import;
extern const gm_verb gm_verb_thread_move;
extern const gm_verb gm_verb_thread_parts;
extern const gm_verb gm_verb_thread_show;
extern const gm_verb gm_verb_thread_usage;
extern const gm_verb gm_verb_command;
extern const gm_verb gm_verb_rollup;
extern const gm_verb gm_verb_impact;
extern const gm_verb gm_verb_origins;
extern const gm_verb gm_verb_anomalies;
extern const gm_verb gm_verb_calibrate;
extern const gm_verb gm_verb_estimate;
extern const gm_verb gm_verb_backup;
extern const gm_verb gm_verb_check;
extern const gm_verb gm_verb_dead_letters;
extern const gm_verb gm_verb_export;
extern const gm_verb gm_verb_evaluate_nab;
extern const gm_verb gm_verb_evaluate_skab;
extern const gm_verb gm_verb_evaluate_turbofan;
extern const gm_verb gm_verb_fmu_check;
extern const gm_verb gm_verb_fmu_export;
extern const gm_verb gm_verb_fmu_info;
extern const gm_verb gm_verb_fmu_run;
extern const gm_verb gm_verb_forecast;
extern const gm_verb gm_verb_get;
extern const gm_verb gm_verb_help;
extern const gm_verb gm_verb_history;
extern const gm_verb gm_verb_history_export;
extern const gm_verb gm_verb_history_import;
extern const gm_verb gm_verb_map_test;
extern const gm_verb gm_verb_import;
extern const gm_verb gm_verb_model_explain;
extern const gm_verb gm_verb_model_migrate;
extern const gm_verb gm_verb_plans;
extern const gm_verb gm_verb_maintain;
extern const gm_verb gm_verb_predict;
extern const gm_verb gm_verb_optimise;
extern const gm_verb gm_verb_query;
extern const gm_verb gm_verb_reliability;
extern const gm_verb gm_verb_replay;
extern const gm_verb gm_verb_rig;
extern const gm_verb gm_verb_restore;
extern const gm_verb gm_verb_serve;
extern const gm_verb gm_verb_set;
extern const gm_verb gm_verb_simulate;
extern const gm_verb gm_verb_what_if;
extern const gm_verb gm_verb_futures_verify;
extern const gm_verb gm_verb_user_add;
extern const gm_verb gm_verb_user_list;
extern const gm_verb gm_verb_user_revoke;
extern const gm_verb gm_verb_top;
extern const gm_verb gm_verb_train_turbofan;
extern const gm_verb gm_verb_verify;
extern const gm_verb gm_verb_watch;

#endif
