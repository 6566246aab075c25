// cli/server_parts.h: the server, for its files. server.c has the order in which these are called; none of them may be
// called earlier than there.
#ifndef GM_CLI_SERVER_PARTS_H
#define GM_CLI_SERVER_PARTS_H

#include "api/api.h"
#include "base/pool.h"
#include "cli/bridges.h"
#include "cli/plant.h"
#include "cli/plant_behaviors.h"
#include "cli/server.h"
#include "control/control.h"
#include "engine/dead_letter.h"
#include "control/maintain/maintenance.h"
#include "control/optimise/plans.h"
#include "insight/live/estimates.h"
#include "insight/live/wear.h"
#include "insight/live/insight.h"
#include "link/create.h"
#include "link/ingest.h"
#include "link/mqtt_server.h"
#include "failure/failures.h"
#include "query/facts.h"
#include "rollup/rollups.h"

#include <signal.h>

struct gm_server {  // owner: the loop's thread
    gm_server_options options;
    const gm_cli     *cli;
    gm_arena         *arena;
    gm_plant         *plant;
    gm_file          *lock;
    gm_loop          *loop;
    int               signals;       // a signalfd; -1: none
    sigset_t          signals_before;
    gm_watch         *signal_watch;
    int               rules_watched; // an inotify descriptor; -1: none
    int               plant_watched; // of it, the watch of the plant's own folder
    const char       *rules_folder;
    gm_watch         *rules_watch;
    gm_timer         *rules_timer;   // they have changed, and are read when that is over
    gm_engine        *engine;
    gm_dead_letters  *letters;
    gm_retained      *retained;
    gm_creator       *creator;
    gm_access        *access;
    gm_estimates     *estimates;
    gm_wears         *wears;
    gm_plans         *plans;
    gm_maintenance   *maintenance;
    gm_insight       *insight;
    gm_control       *control;
    gm_rollups       *rollups;
    gm_query_facts    rule_facts;    // what conditions read of roll-ups
    gm_failures      *failures;
    gm_maps          *maps;
    gm_ingest        *ingest;        // native and mapped messages, lines; shared by MQTT and HTTP
    gm_behaviors     *behaviors;     // what the twins do; NULL: nothing
    gm_fmu_host       fmu_host;
    gm_fmu_note      *fmu_notes;
    size_t            fmu_note_count;
    gm_pool          *pool;          // threads for long work
    gm_pool          *crew;          // for short work that somebody waits for
    gm_api           *api;
    gm_mqtt_server   *prepared;      // holds the sessions; `mqtt` is the same once it listens
    gm_mqtt_server   *mqtt;
    gm_bridges        bridges;
    gm_tls           *tls;           // NULL: nothing is served over TLS
    gm_endpoint_options *endpoints;  // of event routes; in the arena
    size_t            endpoint_count;
    gm_index_wish    *indexes;          // of gemel.conf; in the arena
    size_t            index_count;
    gm_str            http_address, mqtt_address, https_address, mqtts_address, data_dir, ready;
    gm_str            loaded_path, fingerprint;  // of the plant's files, as data/loaded keeps it
    bool              unchanged;     // since they were loaded
    bool              read_only;     // the log's refusal has been told
};

// ---- server.c
void gm_server_note(const gm_server *server, const char *fmt, ...) GM_PRINTF(2, 3);  // nothing when quiet

// ---- server_settings.c: texts lie in the arena
GM_NODISCARD gm_status gm_server_read_settings(gm_server *server, gm_error *err);   // addresses, folder of data, TLS
GM_NODISCARD gm_status gm_server_read_endpoints(gm_server *server, gm_error *err);  // [endpoint NAME]
GM_NODISCARD gm_status gm_server_read_indexes(gm_server *server, gm_error *err);    // [index PROPERTY]
GM_NODISCARD gm_status gm_server_engine_settings(const gm_server *server, gm_engine_options *options, gm_error *err);
gm_api_limits          gm_server_api_limits(const gm_server *server);
gm_mqtt_limits         gm_server_mqtt_limits(const gm_server *server);
gm_str                 gm_server_plant_name(const gm_server *server);

// ---- server_plant.c
GM_NODISCARD gm_status gm_server_compare_loaded(gm_server *server, gm_error *err);  // GM_INVALID: findings, printed
GM_NODISCARD gm_status gm_server_load(gm_server *server, gm_error *err);
// The rules of the server's plant or of one that was read afresh. False: why has been told; those from before stay.
bool gm_server_set_rules(gm_server *server, gm_plant *plant);
bool gm_server_set_rollups(gm_server *server, gm_plant *plant);  // the same for its roll-ups
bool gm_server_set_failures(gm_server *server, gm_plant *plant); // the same for its failure modes

// ---- server_reload.c
GM_NODISCARD gm_status gm_server_catch_signals(gm_server *server, gm_error *err);
void                   gm_server_release_signals(gm_server *server);  // also when none were caught

// Reads the folder of rules again. False: why has been told, and the rules from before stay in force.
bool gm_server_reload_rules(gm_server *server);

// ---- server_watch.c: what cannot be watched has been told
void gm_server_watch_rules(gm_server *server);
void gm_server_unwatch_rules(gm_server *server);

// ---- server_engine.c
GM_NODISCARD gm_status gm_server_open_engine(gm_server *server, gm_error *err);
GM_NODISCARD gm_status gm_server_open_insight(gm_server *server, gm_error *err);
GM_NODISCARD gm_status gm_server_open_control(gm_server *server, gm_error *err);
GM_NODISCARD gm_status gm_server_open_ingest(gm_server *server, gm_error *err);
GM_NODISCARD gm_status gm_server_open_futures(gm_server *server, gm_error *err);  // and the pool
GM_NODISCARD gm_status gm_server_open_estimates(gm_server *server, gm_error *err);
GM_NODISCARD gm_status gm_server_open_plans(gm_server *server, gm_error *err);  // and maintenance
GM_NODISCARD gm_status gm_server_recover(gm_server *server, gm_error *err);

// ---- server_network.c
GM_NODISCARD gm_status gm_server_create_api(gm_server *server, gm_error *err);  // does not listen yet
// GM_INVALID: an address is open to others, and nobody has been let in.
GM_NODISCARD gm_status gm_server_check_access(gm_server *server, gm_error *err);
GM_NODISCARD gm_status gm_server_listen_mqtt(gm_server *server, gm_error *err);
GM_NODISCARD gm_status gm_server_listen_http(gm_server *server, gm_error *err);
GM_NODISCARD gm_status gm_server_write_ready_line(gm_server *server, gm_error *err);
// What gm_control_options.send asks for, over MQTT. GM_CONFLICT: its endpoint does not serve.
GM_NODISCARD gm_status gm_server_send(void *context, const gm_sending *message, gm_error *err);

// ---- server_metrics.c
void gm_server_write_metrics(void *context, gm_buf *out);  // context is the server

#endif
