// Start and stop of everything, in order. Invariant: whatever a later part uses was opened before it and is closed after
// it; gm_server_close copes with any beginning of that order. What each part is made with stands in the other
// server_*.c (server_parts.h).
#include "cli/access_setup.h"
#include "cli/data_dir.h"
#include "cli/server_parts.h"

#include <stdio.h>

void gm_server_note(const gm_server *server, const char *fmt, ...)
{
    if (server->options.quiet) return;
    va_list arguments;
    va_start(arguments, fmt);
    fputs("gemel: ", server->cli->err);
    vfprintf(server->cli->err, fmt, arguments);
    fputc('\n', server->cli->err);
    va_end(arguments);
}

// The engine and all that keeps something in its log: they must be there when it recovers.
static gm_status open_folds(gm_server *server, gm_error *err)
{
    const gm_cli *cli = server->cli;
    gm_status     st  = gm_server_open_engine(server, err);
    if (st == GM_OK) st = gm_dead_letters_create(cli->alloc, cli->clock, server->engine, &server->letters, err);
    if (st == GM_OK) st = gm_retained_create(cli->alloc, server->engine, &server->retained, err);
    if (st == GM_OK) st = gm_creator_create(cli->alloc, server->engine, &server->creator, err);
    if (st == GM_OK) st = gm_mqtt_server_prepare(cli->alloc, server->loop, server->engine, &server->prepared, err);
    if (st == GM_OK)
        st = gm_access_setup(cli->alloc, cli->io, cli->clock, server->engine, server->plant, server->arena,
                             &server->access, err);
    if (st == GM_OK) st = gm_server_open_insight(server, err);
    if (st == GM_OK) st = gm_server_open_control(server, err);
    if (st == GM_OK) st = gm_rollups_create(cli->alloc, server->engine, &server->rollups, err);
    if (st == GM_OK) st = gm_failures_create(cli->alloc, &server->failures, err);
    if (st == GM_OK) st = gm_server_open_ingest(server, err);
    if (st == GM_OK) st = gm_server_open_futures(server, err);
    if (st == GM_OK) st = gm_server_open_estimates(server, err);
    if (st == GM_OK) st = gm_server_open_plans(server, err);
    return st == GM_OK ? gm_server_create_api(server, err) : st;
}

static bool rule_waits(void *context, gm_str rollup)
{
    const gm_server *server = context;
    return gm_control_asks_rollup(server->control, rollup);
}

static gm_status open_parts(gm_server *server, gm_error *err)
{
    gm_status st = gm_plant_read(server->cli->io, server->options.plant, &server->plant, err);
    if (st == GM_OK) st = gm_server_read_settings(server, err);
    if (st == GM_OK) st = gm_data_lock(server->cli->io, server->data_dir, server->arena, &server->lock, err);
    if (st == GM_OK) st = gm_server_compare_loaded(server, err);
    if (st == GM_OK) st = gm_loop_create(server->cli->alloc, server->cli->clock, &server->loop, err);
    if (st == GM_OK) st = gm_server_catch_signals(server, err);
    if (st == GM_OK) st = open_folds(server, err);
    if (st == GM_OK) st = gm_server_recover(server, err);
    if (st == GM_OK) (void)!gm_engine_use_pool(server->engine, server->crew);  // refused memory: then by itself
    if (st == GM_OK) st = gm_server_check_access(server, err);
    if (st == GM_OK) st = gm_server_load(server, err);
    if (st == GM_OK) st = gm_insight_start(server->insight, server->pool, err);
    if (st == GM_OK) st = gm_estimates_start(server->estimates, server->pool, err);
    if (st == GM_OK) st = gm_wears_start(server->wears, server->pool, err);
    if (st == GM_OK) st = gm_server_listen_mqtt(server, err);
    if (st == GM_OK) st = gm_control_start(server->control, err);
    if (st == GM_OK) gm_server_watch_rules(server);
    if (st == GM_OK) gm_plans_start(server->plans, server->pool);
    if (st == GM_OK) gm_maintenance_start(server->maintenance, server->pool);
    if (st == GM_OK) (void)gm_server_set_rules(server, server->plant);
    if (st == GM_OK) (void)gm_server_set_rollups(server, server->plant);
    if (st == GM_OK) st = gm_rollups_start(server->rollups, &(gm_rollup_recording){ server->loop, server->cli->clock, rule_waits, server }, err);
    if (st == GM_OK) (void)gm_server_set_failures(server, server->plant);
    // Before anybody can command anything, the interlocks are in force.
    if (st == GM_OK) st = gm_engine_settle(server->engine, err);
    if (st == GM_OK) st = gm_server_listen_http(server, err);
    if (st == GM_OK) st = gm_server_write_ready_line(server, err);
    return st;
}

gm_status gm_server_open(const gm_server_options *options, gm_server **out_server, gm_error *err)
{
    *out_server       = NULL;
    gm_server *server = gm_alloc_zeroed(options->cli->alloc, sizeof *server);
    if (server == NULL) return gm_fail(err, GM_NOMEM, "cli.server", "starting");
    server->options = *options;
    server->cli     = options->cli;
    server->signals = -1;
    server->rules_watched = -1;
    server->arena   = gm_arena_create(options->cli->alloc, 0);
    gm_status st = server->arena != NULL ? open_parts(server, err) : gm_fail(err, GM_NOMEM, "cli.server", "starting");
    if (st != GM_OK) {
        gm_server_close(server);
        return st;
    }
    *out_server = server;
    return GM_OK;
}

void gm_server_close(gm_server *server)
{
    if (server == NULL) return;
    gm_bridges_close(&server->bridges);
    gm_mqtt_server_stop(server->prepared);
    server->mqtt = NULL;
    if (server->api != NULL) gm_api_close(server->api);
    gm_pool_destroy(server->crew);
    if (server->engine != NULL) (void)!gm_engine_use_pool(server->engine, NULL);
    gm_pool_destroy(server->pool);  // jobs are told that they are cancelled; the API still has what they belong to
    gm_maintenance_stop(server->maintenance);
    gm_plans_stop(server->plans);
    gm_wears_stop(server->wears);
    gm_estimates_stop(server->estimates);
    gm_insight_stop(server->insight);
    gm_control_stop(server->control);
    if (server->rollups != NULL) gm_rollups_stop(server->rollups);
    gm_engine_close(server->engine);
    gm_maintenance_destroy(server->maintenance);
    gm_plans_destroy(server->plans);
    gm_wears_destroy(server->wears);
    gm_estimates_destroy(server->estimates);
    gm_insight_destroy(server->insight);
    gm_control_destroy(server->control);
    gm_rollups_destroy(server->rollups);
    gm_failures_destroy(server->failures);
    gm_mqtt_server_destroy(server->prepared);
    gm_api_destroy(server->api);
    gm_behaviors_destroy(server->behaviors);
    gm_ingest_destroy(server->ingest);
    gm_maps_destroy(server->maps);
    gm_creator_destroy(server->creator);
    gm_retained_destroy(server->retained);
    gm_dead_letters_destroy(server->letters);
    gm_access_destroy(server->access);
    gm_server_release_signals(server);
    gm_server_unwatch_rules(server);
    gm_loop_destroy(server->loop);
    gm_tls_destroy(server->tls);
    server->cli->io->close(server->lock);
    gm_plant_destroy(server->plant);
    gm_arena_destroy(server->arena);
    gm_free(server->cli->alloc, server);
}

gm_status gm_server_turn(gm_server *server, gm_error *err) { return gm_loop_turn(server->loop, err); }
bool      gm_server_stopped(const gm_server *server) { return gm_loop_stopped(server->loop); }
void      gm_server_stop(gm_server *server) { gm_loop_stop(server->loop); }
gm_str    gm_server_ready_line(const gm_server *server) { return server->ready; }
gm_engine *gm_server_engine(gm_server *server) { return server->engine; }
gm_loop   *gm_server_loop(gm_server *server) { return server->loop; }
