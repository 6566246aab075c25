// The engine and what works on its state: how each is made from the plant and its settings.
#include "base/heap.h"
#include "cli/progress.h"
#include "cli/replay_map.h"
#include "cli/server_parts.h"
#include "engine/checkpoint.h"
#include "physics/modelica/diag.h"

#include <stdio.h>

// The one place that tells of a log that takes no more: clients get the reason with every refused change.
static void watch_log(void *context)
{
    gm_server *server = context;
    gm_error   err    = {0};
    if (server->read_only || gm_log_status(gm_engine_log(server->engine), &err) != GM_IO) return;
    server->read_only = true;
    fprintf(server->cli->err,
            "gemel: the log takes no more changes: %s; reading goes on. Make room, then start again.\n", err.text);
}

gm_status gm_server_open_engine(gm_server *server, gm_error *err)
{
    const gm_cli     *cli = server->cli;
    gm_engine_options o   = {
        .alloc = cli->alloc, .io = cli->io, .clock = cli->clock, .loop = server->loop, .data_dir = server->data_dir.ptr,
        .log = gm_log_options_defaults(),
    };
    gm_status st = gm_server_engine_settings(server, &o, err);
    if (st == GM_OK) st = gm_engine_open(&o, &server->engine, err);
    return st == GM_OK ? gm_loop_at_turn_end(server->loop, watch_log, server, err) : st;
}

gm_status gm_server_recover(gm_server *server, gm_error *err)
{
    gm_dur_ns start = gm_monotonic(server->cli->clock);
    if (server->cli->terminal && !server->options.quiet) fputs("recovering...\r", server->cli->err);
    gm_status st = gm_engine_recover(server->engine, err);
    if (st != GM_OK) return st;
    gm_heap_trim();
    gm_str damage = gm_engine_checkpoint_report(server->engine).damage, line;
    while (gm_str_next(&damage, '\n', &line)) {
        if (line.len > 0) fprintf(server->cli->err, "gemel: " GM_STR_FMT "\n", GM_STR_ARG(line));
    }
    const gm_state *state = gm_engine_state(server->engine);
    char            twins[32], records[32];
    gm_server_note(server, "recovered %s twins from %s records in %.2f s",
                   gm_grouped(gm_state_twin_count(state), twins),
                   gm_grouped(gm_log_durable(gm_engine_log(server->engine)), records),
                   (double)(gm_monotonic(server->cli->clock) - start) / 1e9);
    return GM_OK;
}

gm_status gm_server_open_insight(gm_server *server, gm_error *err)
{
    gm_insight_options o = { .alloc = server->cli->alloc, .io = server->cli->io, .engine = server->engine,
                             .plant = server->plant->folder, .clock = server->cli->clock, .loop = server->loop };
    return gm_insight_create(&o, &server->insight, err);
}

static gm_status start_futures(void *context, gm_str request, char out_id[GM_CONTROL_FUTURES_ID], gm_error *err)
{
    gm_server *server = context;
    _Static_assert((int)GM_CONTROL_FUTURES_ID >= (int)GM_API_FUTURES_ID, "an id fits");
    return gm_api_start_futures(server->api, request, out_id, err);
}

static bool read_rollup(void *context, gm_twin twin, gm_str name, gm_str part, gm_time_ns at, gm_value *out)
{
    const gm_server *server = context;
    return part.len == 0 && server->rollups != NULL && gm_rollups_then(server->rollups, twin, name, at, out);
}

static bool find_rollup(void *context, gm_str name, uint32_t *out_number)
{
    const gm_server *server = context;
    return server->rollups != NULL && gm_rollups_series(server->rollups, name, out_number);
}

gm_status gm_server_open_control(gm_server *server, gm_error *err)
{
    gm_str relationships = gm_config_text(&server->plant->config, GM_CONFIG_ACCESS_RELATIONSHIPS);
    server->rule_facts   = (gm_query_facts){ .rollup = read_rollup, .rollup_series = find_rollup, .rollups = server };
    gm_control_options o = { .alloc = server->cli->alloc, .clock = server->cli->clock, .loop = server->loop,
                             .engine = server->engine, .send = gm_server_send, .futures = start_futures, .context = server,
                             .facts = &server->rule_facts, .relationships = relationships };
    return gm_control_create(&o, &server->control, err);
}

// The plant was checked, so its mappings are well-formed; those for replay are not for messages.
gm_status gm_server_open_ingest(gm_server *server, gm_error *err)
{
    const gm_plant_files *files = &server->plant->mappings;
    gm_status             st    = gm_maps_create(server->cli->alloc, &server->maps, err);
    for (size_t i = 0; st == GM_OK && i < files->count; i++) {
        gm_str name = files->items[i].name;
        if (!gm_str_ends(name, GM_STR(".json")) || gm_replay_map_is(name)) continue;
        st = gm_maps_add(server->maps, name, files->items[i].text, err);
    }
    if (st != GM_OK) return st;
    gm_ingest_options o = { .alloc   = server->cli->alloc,  .engine = server->engine, .dead_letters = server->letters,
                            .creator = server->creator,     .loop   = server->loop,   .maps         = server->maps,
                            .future  = gm_mqtt_server_options_defaults().limits.future };
    return gm_ingest_create(&o, &server->ingest, err);
}

static gm_status note_wrong(void *context, gm_str file, const gm_error *why)
{
    gm_server_note(context, GM_STR_FMT ": %s", GM_STR_ARG(file), why->text);
    return GM_OK;
}

// Texts with errors do not keep the plant from being served: its twins live, only their futures are not to be had.
gm_status gm_server_open_futures(gm_server *server, gm_error *err)
{
    gm_diags        diags;
    gm_error        first   = { 0 };
    gm_pool_options options = gm_pool_options_defaults();
    gm_status       st      = gm_pool_create(server->cli->alloc, server->loop, &options, &server->pool, err);
    options.urgency         = GM_POOL_PROMPT;
    if (st == GM_OK) st = gm_pool_create(server->cli->alloc, server->loop, &options, &server->crew, err);
    if (st != GM_OK || server->plant->behaviors.count == 0) return st;
    gm_diags_init(&diags, server->cli->alloc);
    st = gm_plant_behaviors(server->plant, &diags, &server->behaviors, err);
    if (st == GM_OK && diags.errors > 0) {
        (void)gm_diags_fail(&diags, &first);
        gm_server_note(server, "behaviors: %s", first.text);
    }
    gm_diags_finish(&diags);
    server->fmu_host = gm_plant_fmu_host(server->cli->alloc);
    if (st == GM_OK)
        st = gm_plant_fmu_notes(server->plant, server->arena, note_wrong, server, &server->fmu_notes,
                                &server->fmu_note_count, err);
    return st;
}

gm_status gm_server_open_estimates(gm_server *server, gm_error *err)
{
    gm_estimates_options o = { .alloc = server->cli->alloc, .io = server->cli->io, .engine = server->engine,
                               .behaviors = server->behaviors, .anomalies = gm_insight_anomalies(server->insight),
                               .plant = server->plant->folder };
    gm_wears_options     w = { .alloc = server->cli->alloc, .io = server->cli->io, .loop = server->loop, .engine = server->engine,
                               .behaviors = server->behaviors, .plant = server->plant->folder };
    gm_status            st = gm_estimates_create(&o, &server->estimates, err);
    w.estimates             = server->estimates;
    return st == GM_OK ? gm_wears_create(&w, &server->wears, err) : st;
}

gm_status gm_server_open_plans(gm_server *server, gm_error *err)
{
    gm_plans_options o = { .alloc = server->cli->alloc, .clock = server->cli->clock, .loop = server->loop,
                           .engine = server->engine, .behaviors = server->behaviors, .estimates = server->estimates,
                           .control = server->control };
    gm_maintenance_options m = { .alloc = server->cli->alloc, .clock = server->cli->clock, .engine = server->engine, .insight = server->insight,
                                 .wears = server->wears };
    gm_status              st = gm_plans_create(&o, &server->plans, err);
    return st == GM_OK ? gm_maintenance_create(&m, &server->maintenance, err) : st;
}
