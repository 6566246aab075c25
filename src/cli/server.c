// Start and stop of everything, in order. Invariant: whatever a later part uses was opened before it and is closed after
// it; gm_server_close copes with any beginning of that order.
#include "cli/server.h"

#include "api/api.h"
#include "base/address.h"
#include "base/pool.h"
#include "cli/access_setup.h"
#include "cli/data_dir.h"
#include "cli/bridges.h"
#include "cli/help.h"
#include "cli/plant_behaviors.h"
#include "cli/plant_load.h"
#include "cli/replay_map.h"
#include "cli/verbs.h"
#include "control/control.h"
#include "control/rulebook_name.h"
#include "engine/checkpoint.h"
#include "engine/dead_letter.h"
#include "insight/live/estimates.h"
#include "insight/live/insight.h"
#include "link/create.h"
#include "link/ingest.h"
#include "link/mqtt_server.h"
#include "link/websocket.h"
#include "physics/modelica/diag.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct gm_server {
    gm_server_options options;
    const gm_cli     *cli;
    gm_arena         *arena;
    gm_plant         *plant;
    gm_file          *lock;
    gm_loop          *loop;
    int               signals;       // a signalfd; -1: none
    sigset_t          signals_before;
    gm_watch         *signal_watch;
    gm_engine        *engine;
    gm_dead_letters  *letters;
    gm_retained      *retained;
    gm_creator       *creator;
    gm_access        *access;
    gm_estimates     *estimates;
    gm_insight       *insight;
    gm_control       *control;
    gm_maps          *maps;
    gm_ingest        *ingest;        // native and mapped messages, lines; shared by MQTT and HTTP
    gm_behaviors     *behaviors;     // what the twins do; NULL: nothing
    gm_fmu_host       fmu_host;
    gm_fmu_note      *fmu_notes;
    size_t            fmu_note_count;
    gm_pool          *pool;          // threads for long work
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

static void note(const gm_server *server, const char *fmt, ...) GM_PRINTF(2, 3);
static void note(const gm_server *server, const char *fmt, ...)
{
    if (server->options.quiet) return;
    va_list arguments;
    va_start(arguments, fmt);
    fputs("gemel: ", server->cli->err);
    vfprintf(server->cli->err, fmt, arguments);
    fputc('\n', server->cli->err);
    va_end(arguments);
}

// ---- settings -------------------------------------------------------------------------------------------------------

static gm_str setting(const gm_server *server, const char *given, gm_config_key key)
{
    return given != NULL ? gm_str_of(given) : gm_config_text(&server->plant->config, key);
}

static gm_status read_certificate(gm_server *server, gm_error *err)
{
    const gm_server_options *o = &server->options;
    gm_str    certificate, key, authority;
    gm_status st = gm_plant_path(server->plant, o->tls_cert, GM_CONFIG_TLS_CERT, server->arena, &certificate, err);
    if (st == GM_OK) st = gm_plant_path(server->plant, o->tls_key, GM_CONFIG_TLS_KEY, server->arena, &key, err);
    if (st == GM_OK) st = gm_plant_path(server->plant, NULL, GM_CONFIG_TLS_CLIENT_CA, server->arena, &authority, err);
    if (st != GM_OK || (server->https_address.ptr == NULL && server->mqtts_address.ptr == NULL)) return st;
    if (certificate.ptr == NULL || key.ptr == NULL) {
        return gm_fail(err, GM_INVALID, "cli.server",
                       "TLS needs a certificate and its key: --tls-cert FILE --tls-key FILE, or tls.cert and tls.key in "
                       "gemel.conf");
    }
    gm_tls_files files = { .certificate = certificate.ptr, .key = key.ptr, .client_ca = authority.ptr };
    return gm_tls_create(server->cli->alloc, server->cli->io, &files, &server->tls, err);
}

static gm_status read_settings(gm_server *server, gm_error *err)
{
    const gm_server_options *o = &server->options;
    server->http_address       = setting(server, o->http, GM_CONFIG_HTTP);
    server->mqtt_address       = setting(server, o->mqtt, GM_CONFIG_MQTT);
    server->https_address      = setting(server, o->https, GM_CONFIG_HTTPS);
    server->mqtts_address      = setting(server, o->mqtts, GM_CONFIG_MQTTS);
    gm_status st               = gm_plant_path(server->plant, o->data, GM_CONFIG_DATA, server->arena, &server->data_dir, err);
    return st == GM_OK ? read_certificate(server, err) : st;
}

// Problems of the plant's files are told all at once.
static gm_status check_plant(gm_server *server, gm_error *err)
{
    gm_status st = gm_plant_check(server->plant, err);
    if (st != GM_OK || server->plant->findings.count == 0) return st;
    gm_cli to_err = *server->cli;
    to_err.out    = server->cli->err;
    gm_plant_print_findings(&to_err, server->plant);
    return gm_fail(err, GM_INVALID, "cli.server",
                   "the plant has %zu problem%s (above); 'gemel check %s' lists them again",
                   server->plant->findings.count, server->plant->findings.count == 1 ? "" : "s", server->options.plant);
}

// data/loaded holds the fingerprint of the files that were loaded last. While it fits there is nothing to load: a start
// then costs what recovery costs, and a twin that was deleted stays deleted.
static gm_status compare_loaded(gm_server *server, gm_error *err)
{
    gm_buf  now   = gm_buf_init(server->cli->alloc);
    uint8_t *bytes = NULL;
    size_t   size  = 0;
    gm_error absent;
    gm_plant_fingerprint(server->plant, &now);
    server->loaded_path = gm_arena_printf(server->arena, GM_STR_FMT "/loaded", GM_STR_ARG(server->data_dir));
    server->fingerprint = now.failed ? (gm_str){0} : gm_arena_str(server->arena, gm_buf_view(&now));
    gm_buf_finish(&now);
    if (server->loaded_path.ptr == NULL || server->fingerprint.ptr == NULL)
        return gm_fail(err, GM_NOMEM, "cli.server", "starting");
    if (gm_io_read_file(server->cli->io, server->loaded_path.ptr, 64 << 20, &bytes, &size, &absent) == GM_OK) {
        server->unchanged = gm_str_eq((gm_str){ (const char *)bytes, size }, server->fingerprint);
        gm_free(server->cli->io->alloc, bytes);
    }
    // Settings are not part of the fingerprint: what is wrong there has been found by reading them.
    return server->unchanged && server->plant->findings.count == 0 ? GM_OK : check_plant(server, err);
}

// ---- signals --------------------------------------------------------------------------------------------------------

// The rules of a plant that was read; those that do not read are told, and the ones from before stay in force.
static bool set_rules(gm_server *server, const gm_plant *plant)
{
    gm_error         err   = {0};
    size_t           count = 0, file = 0;
    gm_control_file *files = gm_alloc_array(server->cli->alloc, plant->rules.count + 1, sizeof *files);
    gm_status        st    = files != NULL ? GM_OK : gm_fail(&err, GM_NOMEM, "cli.server", "reading rules");
    for (size_t i = 0; files != NULL && i < plant->rules.count; i++) {
        const gm_plant_file *f = &plant->rules.items[i];
        if (gm_rulebook_is(f->name) && f->text.ptr != NULL) files[count++] = (gm_control_file){ f->name, f->text };
    }
    if (st == GM_OK) st = gm_control_set_rules(server->control, files, count, &file, &err);
    if (st != GM_OK && file < count)
        fprintf(server->cli->err, "gemel: " GM_STR_FMT ":%u:%u: %s; the rules from before stay in force\n", GM_STR_ARG(files[file].name), err.line, err.column, err.text);
    else if (st != GM_OK) fprintf(server->cli->err, "gemel: %s; the rules from before stay in force\n", err.text);
    gm_free(server->cli->alloc, files);
    return st == GM_OK;
}

// Checks them against the models first: an interlock that can never permit must not come into force unnoticed.
static bool check_and_set_rules(gm_server *server, gm_plant *plant)
{
    gm_error err    = {0};
    size_t   before = plant->findings.count;
    if (gm_plant_check_rules(plant, gm_engine_model(server->engine), &err) == GM_OK && plant->findings.count == before) return set_rules(server, plant);
    gm_cli to_err = *server->cli;
    to_err.out    = server->cli->err;
    gm_plant_print_findings(&to_err, plant);
    fputs("gemel: the rules from before stay in force\n", server->cli->err);
    return false;
}

static bool reload_rules(gm_server *server)
{
    gm_error  err   = {0};
    gm_plant *fresh = NULL;
    bool      set   = false;
    if (gm_plant_read(server->cli->io, server->options.plant, &fresh, &err) == GM_OK) set = check_and_set_rules(server, fresh);
    else fprintf(server->cli->err, "gemel: %s; the rules from before stay in force\n", err.text);
    gm_plant_destroy(fresh);
    return set;
}

// A mistake in the new files must not end what runs on the old ones.
static void reload(gm_server *server)
{
    gm_error     err  = {0};
    gm_jwt_keys *keys = NULL;
    gm_status    st   = server->tls != NULL ? gm_tls_reload(server->tls, &err) : GM_OK;
    if (st != GM_OK) fprintf(server->cli->err, "gemel: %s; the certificate from before stays in use\n", err.text);
    gm_status read = gm_access_setup_jwt(server->cli->alloc, server->cli->io, server->plant, server->arena, &keys, &err);
    if (read == GM_OK) gm_access_set_jwt(server->access, keys);
    else fprintf(server->cli->err, "gemel: %s; the keys from before stay in use\n", err.text);
    gm_insight_reload(server->insight);
    bool rules = reload_rules(server);
    if (st == GM_OK && read == GM_OK && rules) note(server, "certificates, keys and rules are read again");
}

static void on_signal(void *context, uint32_t events)
{
    (void)events;
    gm_server              *server = context;
    struct signalfd_siginfo info;
    if (read(server->signals, &info, sizeof info) != sizeof info) return;
    if (info.ssi_signo == SIGHUP) {
        reload(server);
        return;
    }
    note(server, "stopping");
    gm_loop_stop(server->loop);
}

// Before any thread is made, so that all of them leave the signals to the loop.
static gm_status catch_signals(gm_server *server, gm_error *err)
{
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGHUP);
    sigprocmask(SIG_BLOCK, &wanted, &server->signals_before);
    server->signals = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
    if (server->signals < 0) return gm_fail_os(err, errno, "cli.server", "listening for signals");
    return gm_loop_add(server->loop, server->signals, GM_LOOP_READ, on_signal, server, &server->signal_watch, err);
}

// ---- parts ----------------------------------------------------------------------------------------------------------

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

// A mapping that never matches stands there with 0.
static void write_map_metrics(const gm_maps *maps, gm_buf *out)
{
    static const char *const names[] = { "messages_total", "applied_total", "rejected_total" };
    for (size_t k = 0; gm_maps_count(maps) > 0 && k < GM_COUNT_OF(names); k++) {
        gm_buf_printf(out, "# TYPE gemel_mapping_%s counter\n", names[k]);
        for (size_t i = 0; i < gm_maps_count(maps); i++) {
            const gm_map  *map      = gm_maps_at(maps, i);
            const uint64_t values[] = { map->stats.messages, map->stats.applied, map->stats.rejected };
            gm_buf_printf(out, "gemel_mapping_%s{file=", names[k]);
            gm_buf_json_str(out, map->file);
            gm_buf_text(out, ",mapping=");
            gm_buf_json_str(out, map->name);
            gm_buf_printf(out, "} %llu\n", (unsigned long long)values[k]);
        }
    }
}

static void write_mqtt_metrics(void *context, gm_buf *out)
{
    gm_server *server = context;
    if (server->mqtt == NULL) return;
    gm_mqtt_statistics s = gm_mqtt_server_statistics(server->mqtt);
    const struct { const char *name, *type; uint64_t value;
    } rows[] = {
        { "connections", "gauge", s.connections },
        { "connections_total", "counter", s.connections_total },
        { "connections_refused_total", "counter", s.connections_refused },
        { "sessions", "gauge", s.sessions },
        { "subscriptions", "gauge", s.subscriptions },
        { "durable_sessions", "gauge", s.durable_sessions },
        { "queued_messages", "gauge", s.queued },
        { "retained_messages", "gauge", s.retained },
        { "received_packets_total", "counter", s.packets_in },
        { "received_bytes_total", "counter", s.bytes_in },
        { "sent_bytes_total", "counter", s.bytes_out },
        { "received_messages_total", "counter", s.messages_in },
        { "sent_messages_total", "counter", s.messages_out },
        { "native_applied_total", "counter", s.native_applied },
        { "native_rejected_total", "counter", s.native_rejected },
        { "dropped_messages_total", "counter",
          s.dropped_slow + s.dropped_queue + s.dropped_expired + s.dropped_too_large },
        { "protocol_errors_total", "counter", s.protocol_errors },
        { "not_authorized_total", "counter", s.not_authorized },
        { "paused_total", "counter", s.paused },
    };
    for (size_t i = 0; i < GM_COUNT_OF(rows); i++) {
        gm_buf_printf(out, "# TYPE gemel_mqtt_%s %s\ngemel_mqtt_%s %llu\n", rows[i].name, rows[i].type, rows[i].name,
                      (unsigned long long)rows[i].value);
    }
    write_map_metrics(server->maps, out);
    gm_bridges_write_metrics(&server->bridges, out);
}

// Without access configured only this machine may connect.
static gm_status check_address(gm_str address, const char *option, gm_error *err)
{
    gm_address parts;
    if (address.ptr == NULL) return GM_OK;
    gm_status st = gm_address_parse(address, &parts, err);
    if (st != GM_OK || gm_address_is_loopback(address)) return st;
    return gm_fail(err, GM_INVALID, "cli.server",
                   "refusing to listen on " GM_STR_FMT ": no access is configured, so only this machine may connect; use "
                   "--%s 127.0.0.1:%u, or let somebody in first: gemel user add PLANT NAME --role admin",
                   GM_STR_ARG(gm_str_slice(address, 0, 60)), option, parts.port);
}

// After recovery: who there is stands in the log.
static gm_status check_access(gm_server *server, gm_error *err)
{
    if (gm_access_required(server->access)) {
        bool plain = !gm_address_is_loopback(server->http_address) || !gm_address_is_loopback(server->mqtt_address);
        if (plain) note(server, "tokens travel in clear on what is not --https or --mqtts");
        return GM_OK;
    }
    gm_status st = check_address(server->http_address, "http", err);
    if (st == GM_OK) st = check_address(server->mqtt_address, "mqtt", err);
    if (st == GM_OK) st = check_address(server->https_address, "https", err);
    return st == GM_OK ? check_address(server->mqtts_address, "mqtts", err) : st;
}

// The plant was checked, so its mappings are well-formed; those for replay are not for messages.
static gm_status open_ingest(gm_server *server, gm_error *err)
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

static gm_status open_insight(gm_server *server, gm_error *err)
{
    gm_insight_options o = { .alloc = server->cli->alloc, .io = server->cli->io, .engine = server->engine, .plant = server->plant->folder };
    return gm_insight_create(&o, &server->insight, err);
}

// A desired value is kept for who comes back; a command is for who is there, or has a session that waits.
static gm_status send_to_devices(void *context, gm_str topic, gm_str payload, bool retain, gm_error *err)
{
    gm_server *server = context;
    if (server->mqtt == NULL) return gm_fail(err, GM_CONFLICT, "cli.server", "the MQTT endpoint does not serve");
    return gm_mqtt_server_publish(server->mqtt, topic, payload, retain ? 0 : 1, retain, err);
}

static bool is_guarded(void *context, gm_str topic) { return gm_control_guards(((gm_server *)context)->control, topic); }

static void hear(void *context, gm_str topic, gm_str payload, uint8_t qos, bool retain)
{
    (void)qos;
    (void)retain;
    gm_control_hear(((gm_server *)context)->control, topic, payload);
}

static gm_status open_control(gm_server *server, gm_error *err)
{
    gm_control_options o = { .alloc = server->cli->alloc, .clock = server->cli->clock, .loop = server->loop, .engine = server->engine,
                             .send = send_to_devices, .context = server, .relationships = gm_config_text(&server->plant->config, GM_CONFIG_ACCESS_RELATIONSHIPS) };
    return gm_control_create(&o, &server->control, err);
}

static gm_status open_engine(gm_server *server, gm_error *err)
{
    const gm_cli     *cli    = server->cli;
    const gm_config  *config = &server->plant->config;
    gm_engine_options o      = {
        .alloc = cli->alloc, .io = cli->io, .clock = cli->clock, .loop = server->loop, .data_dir = server->data_dir.ptr,
        .log = gm_log_options_defaults(),
    };
    o.log.segment_size    = gm_option_size(gm_config_text(config, GM_CONFIG_LOG_SEGMENT_SIZE));
    o.log.batch_limit     = gm_option_size(gm_config_text(config, GM_CONFIG_LOG_BATCH_LIMIT));
    o.log.realtime_commit = gm_option_yes(gm_config_text(config, GM_CONFIG_LOG_REALTIME_COMMIT));
    o.checkpoint.log_bytes = gm_option_size(gm_config_text(config, GM_CONFIG_CHECKPOINT_LOG_SIZE));
    gm_status st = gm_dur_parse(gm_config_text(config, GM_CONFIG_CHECKPOINT_EVERY), &o.checkpoint.every, err);
    gm_str keep = gm_config_text(config, GM_CONFIG_HISTORY_KEEP);
    if (st == GM_OK && keep.len > 0) st = gm_dur_parse(keep, &o.keep, err);
    if (st == GM_OK) st = gm_engine_open(&o, &server->engine, err);
    if (st == GM_OK) st = gm_loop_at_turn_end(server->loop, watch_log, server, err);
    if (st == GM_OK) st = gm_dead_letters_create(cli->alloc, cli->clock, server->engine, &server->letters, err);
    if (st == GM_OK) st = gm_retained_create(cli->alloc, server->engine, &server->retained, err);
    if (st == GM_OK) st = gm_creator_create(cli->alloc, server->engine, &server->creator, err);
    if (st == GM_OK) st = gm_mqtt_server_prepare(cli->alloc, server->loop, server->engine, &server->prepared, err);
    if (st == GM_OK) st = gm_access_setup(cli->alloc, cli->io, cli->clock, server->engine, server->plant, server->arena, &server->access, err);
    if (st == GM_OK) st = open_insight(server, err);
    if (st == GM_OK) st = open_control(server, err);
    return st == GM_OK ? open_ingest(server, err) : st;
}

// What gemel.conf says about the API's bounds; what it does not say keeps the API's own default.
static gm_api_limits api_limits(const gm_config *config)
{
    gm_api_limits l = gm_api_limits_defaults();
    l.connections_max = (uint32_t)gm_option_count(gm_config_text(config, GM_CONFIG_HTTP_CONNECTIONS));
    l.body_max        = gm_option_size(gm_config_text(config, GM_CONFIG_HTTP_BODY));
    l.models_max      = gm_option_size(gm_config_text(config, GM_CONFIG_HTTP_MODELS));
    l.streams_max     = (uint32_t)gm_option_count(gm_config_text(config, GM_CONFIG_HTTP_STREAMS));
    return l;
}

static gm_mqtt_limits mqtt_limits(const gm_config *config, gm_mqtt_limits l)
{
    gm_dur_ns expiry  = 0, keep_alive = 0;
    l.connections     = (uint32_t)gm_option_count(gm_config_text(config, GM_CONFIG_MQTT_CONNECTIONS));
    l.packet          = gm_option_size(gm_config_text(config, GM_CONFIG_MQTT_PACKET));
    l.queued_messages = (uint32_t)gm_option_count(gm_config_text(config, GM_CONFIG_MQTT_QUEUED_MESSAGES));
    l.queued_bytes    = gm_option_size(gm_config_text(config, GM_CONFIG_MQTT_QUEUED_BYTES));
    l.sessions        = (uint32_t)gm_option_count(gm_config_text(config, GM_CONFIG_MQTT_SESSIONS));
    if (gm_dur_parse(gm_config_text(config, GM_CONFIG_MQTT_SESSION_EXPIRY), &expiry, NULL) == GM_OK) {
        l.session_expiry_s = (uint32_t)(expiry / GM_SECOND < UINT32_MAX ? expiry / GM_SECOND : UINT32_MAX);
    }
    if (gm_dur_parse(gm_config_text(config, GM_CONFIG_MQTT_KEEP_ALIVE), &keep_alive, NULL) == GM_OK) {
        l.keep_alive_s = (uint16_t)(keep_alive / GM_SECOND < UINT16_MAX ? keep_alive / GM_SECOND : UINT16_MAX);
    }
    return l;
}

// People call a plant by the last part of its folder's path; where the folder lies is nobody's business out there.
static gm_str plant_name(gm_server *server)
{
    char   path[PATH_MAX];
    gm_str whole = server->plant->folder;
    if (realpath(server->options.plant, path) != NULL) whole = gm_str_of(path);
    while (whole.len > 1 && whole.ptr[whole.len - 1] == '/') whole.len--;
    size_t at = whole.len;
    while (at > 0 && whole.ptr[at - 1] != '/') at--;
    gm_str name = gm_arena_str(server->arena, gm_str_slice(whole, at, whole.len));
    return name.ptr != NULL && name.len > 0 ? name : GM_STR("plant");
}

static gm_dur_ns section_duration(const gm_config_section *section, size_t key)
{
    gm_dur_ns length = 0;
    (void)!gm_dur_parse(gm_config_section_text(section, key), &length, NULL);  // checked when it was read
    return length;
}

static gm_status read_endpoint(const gm_config_section *section, gm_endpoint_options *out, gm_error *err)
{
    gm_str kind = gm_config_section_text(section, GM_ENDPOINT_KIND);
    *out        = (gm_endpoint_options){
        .name          = section->name,
        .url           = gm_config_section_text(section, GM_ENDPOINT_URL),
        .authorization = gm_config_section_text(section, GM_ENDPOINT_AUTHORIZATION),
        .topic         = gm_config_section_text(section, GM_ENDPOINT_TOPIC),
        .retry_first   = section_duration(section, GM_ENDPOINT_RETRY_FIRST),
        .retry_for     = section_duration(section, GM_ENDPOINT_RETRY_FOR),
        .timeout       = section_duration(section, GM_ENDPOINT_TIMEOUT),
        .parallel      = (uint32_t)gm_option_count(gm_config_section_text(section, GM_ENDPOINT_PARALLEL)),
        .queue         = (uint32_t)gm_option_count(gm_config_section_text(section, GM_ENDPOINT_QUEUE)),
    };
    bool webhook = gm_str_is(kind, "webhook"), mqtt = gm_str_is(kind, "mqtt");
    out->kind    = webhook ? GM_ENDPOINT_WEBHOOK : mqtt ? GM_ENDPOINT_MQTT : GM_ENDPOINT_SSE;
    bool http    = gm_str_starts(out->url, GM_STR("http://")) || gm_str_starts(out->url, GM_STR("https://"));
    if (!webhook && !mqtt && !gm_str_is(kind, "sse")) {
        return gm_fail(err, GM_INVALID, "cli.server", "gemel.conf:%u: the kind of an endpoint is webhook, mqtt or sse", section->line);
    }
    if (webhook && (!http || out->url.len > 2000)) {
        return gm_fail(err, GM_INVALID, "cli.server", "gemel.conf:%u: a webhook needs a url that begins with http:// or https://",
                       section->line);
    }
    if (out->parallel == 0 || out->parallel > 256 || out->queue == 0 || out->queue > 10000000 || out->timeout < GM_MILLISECOND ||
        out->retry_first < GM_MILLISECOND) {
        return gm_fail(err, GM_INVALID, "cli.server",
                       "gemel.conf:%u: parallel is 1 to 256, queue 1 to 10000000, timeout and retry_first at least 1ms", section->line);
    }
    return GM_OK;
}

static gm_status read_endpoints(gm_server *server, gm_error *err)
{
    const gm_config *config = &server->plant->config;
    gm_status        st     = GM_OK;
    server->endpoints       = GM_ARENA_NEW(server->arena, gm_endpoint_options, config->section_count + 1);
    if (server->endpoints == NULL) return gm_fail(err, GM_NOMEM, "cli.server", "starting");
    for (size_t i = 0; st == GM_OK && i < config->section_count; i++) {
        if (config->sections[i].kind != &gm_section_endpoint) continue;
        st = read_endpoint(&config->sections[i], &server->endpoints[server->endpoint_count++], err);
    }
    return st;
}

static gm_status read_indexes(gm_server *server, gm_error *err)
{
    const gm_config *config = &server->plant->config;
    server->indexes         = GM_ARENA_NEW(server->arena, gm_index_wish, config->section_count + 1);
    if (server->indexes == NULL) return gm_fail(err, GM_NOMEM, "cli.server", "starting");
    for (size_t i = 0; i < config->section_count; i++) {
        const gm_config_section *section = &config->sections[i];
        if (section->kind != &gm_section_index) continue;
        gm_str kind = gm_config_section_text(section, GM_INDEX_KIND);
        bool   hash = gm_str_is(kind, "hash");
        if (!hash && !gm_str_is(kind, "ordered")) {
            return gm_fail(err, GM_INVALID, "cli.server", "gemel.conf:%u: the kind of an index is ordered or hash", section->line);
        }
        server->indexes[server->index_count++] = (gm_index_wish){ section->name, hash ? GM_INDEX_HASHED : GM_INDEX_ORDERED };
    }
    return GM_OK;
}

static gm_status publish_event(void *context, gm_str topic, gm_str payload, gm_error *err)
{
    gm_server *server = context;
    if (server->mqtt == NULL) return gm_fail(err, GM_CONFLICT, "cli.server", "the MQTT endpoint does not serve");
    return gm_mqtt_server_publish(server->mqtt, topic, payload, 1, false, err);
}

static gm_status note_wrong(void *context, gm_str file, const gm_error *why)
{
    note(context, GM_STR_FMT ": %s", GM_STR_ARG(file), why->text);
    return GM_OK;
}

// Texts with errors do not keep the plant from being served: its twins live, only their futures are not to be had.
static gm_status open_futures(gm_server *server, gm_error *err)
{
    gm_diags        diags;
    gm_error        first   = { 0 };
    gm_pool_options options = gm_pool_options_defaults();
    gm_status       st      = gm_pool_create(server->cli->alloc, server->loop, &options, &server->pool, err);
    if (st != GM_OK || server->plant->behaviors.count == 0) return st;
    gm_diags_init(&diags, server->cli->alloc);
    st = gm_plant_behaviors(server->plant, &diags, &server->behaviors, err);
    if (st == GM_OK && diags.errors > 0) {
        (void)gm_diags_fail(&diags, &first);
        note(server, "behaviors: %s", first.text);
    }
    gm_diags_finish(&diags);
    server->fmu_host = gm_plant_fmu_host(server->cli->alloc);
    if (st == GM_OK)
        st = gm_plant_fmu_notes(server->plant, server->arena, note_wrong, server, &server->fmu_notes, &server->fmu_note_count, err);
    return st;
}

// MQTT over WebSocket: its handshake was HTTP's, the rest is the MQTT endpoint's.
static void take_websocket(void *context, int fd, void (*over)(void *over_context), void *over_context)
{
    gm_server *server = context;
    gm_wire   *wire   = gm_wire_of_websocket(server->cli->alloc, fd, over, over_context);
    if (wire == NULL) over(over_context);
    if (server->mqtt != NULL) {
        gm_mqtt_server_adopt(server->mqtt, fd, wire);
        return;
    }
    gm_wire_close(wire);  // the server is ending
    close(fd);
}

static gm_status open_estimates(gm_server *server, gm_error *err)
{
    gm_estimates_options o = { .alloc = server->cli->alloc, .io = server->cli->io, .engine = server->engine, .behaviors = server->behaviors,
                               .anomalies = gm_insight_anomalies(server->insight), .plant = server->plant->folder };
    return gm_estimates_create(&o, &server->estimates, err);
}

static gm_status create_api(gm_server *server, gm_error *err)
{
    gm_buf features = gm_buf_init(server->cli->alloc);
    gm_help_features(&features);
    gm_str text = features.failed ? (gm_str){0} : gm_arena_str(server->arena, gm_buf_view(&features));
    gm_buf_finish(&features);
    if (text.ptr == NULL) return gm_fail(err, GM_NOMEM, "cli.server", "starting");
    gm_status st = read_endpoints(server, err);
    if (st == GM_OK) st = read_indexes(server, err);
    if (st != GM_OK) return st;
    gm_str jobs_dir = gm_arena_printf(server->arena, GM_STR_FMT "/jobs", GM_STR_ARG(server->plant->folder));
    gm_str plant_dir = gm_arena_str(server->arena, server->plant->folder);
    if (jobs_dir.ptr == NULL || plant_dir.ptr == NULL) return gm_fail(err, GM_NOMEM, "cli.server", "starting");
    gm_api_options o = {
        .alloc = server->cli->alloc, .clock = server->cli->clock, .loop = server->loop, .engine = server->engine,
        .dead_letters = server->letters, .ingest = server->ingest, .estimates = server->estimates, .insight = server->insight, .control = server->control, .limits = api_limits(&server->plant->config), .plant = plant_name(server),
        .version = gm_help_version_number(), .features = text,
        .assets = server->cli->assets, .asset_count = server->cli->asset_count,
        .io = server->cli->io, .data_dir = server->data_dir.ptr, .jobs_dir = jobs_dir.ptr, .endpoints = server->endpoints,
        .indexes = server->indexes, .index_count = server->index_count,
        .endpoint_count = server->endpoint_count, .publish = publish_event, .publish_context = server,
        .access = server->access,
        .open_metrics = gm_option_yes(gm_config_text(&server->plant->config, GM_CONFIG_ACCESS_OPEN_METRICS)),
        .behaviors = server->behaviors, .pool = server->pool, .plant_dir = plant_dir.ptr,
        .fmu_host = &server->fmu_host, .fmu_notes = server->fmu_notes, .fmu_note_count = server->fmu_note_count,
        .websocket = take_websocket, .websocket_context = server,
        .metrics = write_mqtt_metrics, .metrics_context = server,
    };
    return gm_api_create(&o, &server->api, err);
}

static gm_status recover(gm_server *server, gm_error *err)
{
    gm_dur_ns start = gm_monotonic(server->cli->clock);
    if (server->cli->terminal && !server->options.quiet) fputs("recovering...\r", server->cli->err);
    gm_status st = gm_engine_recover(server->engine, err);
    if (st != GM_OK) return st;
    gm_str damage = gm_engine_checkpoint_report(server->engine).damage, line;
    while (gm_str_next(&damage, '\n', &line)) {
        if (line.len > 0) fprintf(server->cli->err, "gemel: " GM_STR_FMT "\n", GM_STR_ARG(line));
    }
    const gm_state *state = gm_engine_state(server->engine);
    char            twins[32], records[32];
    note(server, "recovered %s twins from %s records in %.2f s", gm_grouped(gm_state_twin_count(state), twins),
         gm_grouped(gm_log_durable(gm_engine_log(server->engine)), records),
         (double)(gm_monotonic(server->cli->clock) - start) / 1e9);
    return GM_OK;
}

static gm_status load(gm_server *server, gm_error *err)
{
    gm_progress     progress;
    gm_plant_loaded loaded;
    if (server->unchanged && gm_log_durable(gm_engine_log(server->engine)) > 0) return GM_OK;
    gm_status st = server->unchanged ? check_plant(server, err) : GM_OK;  // else it has been checked
    if (st != GM_OK) return st;
    gm_progress_begin(&progress, server->cli->err, server->cli->terminal && !server->options.quiet, server->cli->clock,
                      "loading", "twins and relationships",
                      server->plant->twin_documents.count + server->plant->relationship_documents.count);
    st = gm_plant_load(server->plant, server->engine, gm_now(server->cli->clock), &progress, &loaded, err);
    gm_progress_end(&progress);
    if (st == GM_OK && loaded.models + loaded.twins + loaded.relationships > 0) {
        note(server, "loaded %zu interfaces, %zu twins and %zu relationships that are new", loaded.models, loaded.twins,
             loaded.relationships);
    }
    if (st != GM_OK) return st;
    return gm_io_replace_file(server->cli->io, server->loaded_path.ptr, server->fingerprint.ptr,
                              server->fingerprint.len, err);
}

// A shell gives a program 1024 descriptors and allows many more to whoever asks; a fleet of devices needs them. A refusal
// is no reason not to start: then fewer connect, and the endpoint says so.
static void ask_for_descriptors(void)
{
    struct rlimit limit;
    const rlim_t  enough = 1 << 20;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max < enough ? limit.rlim_max : enough;
    (void)!setrlimit(RLIMIT_NOFILE, &limit);
}

static gm_status listen_mqtt(gm_server *server, gm_error *err)
{
    ask_for_descriptors();
    gm_mqtt_server_options o = gm_mqtt_server_options_defaults();
    o.alloc        = server->cli->alloc;
    o.loop         = server->loop;
    o.engine       = server->engine;
    o.dead_letters = server->letters;
    o.retained     = server->retained;
    o.creator      = server->creator;
    o.ingest       = server->ingest;
    o.prepared     = server->prepared;
    o.clock        = server->cli->clock;
    o.address      = server->mqtt_address;
    o.tls_address  = server->mqtts_address;
    o.tls          = server->tls;
    o.access       = server->access;
    o.guarded         = is_guarded;
    o.guarded_context = server;
    o.limits       = mqtt_limits(&server->plant->config, o.limits);
    gm_status st   = gm_mqtt_server_create(&o, &server->mqtt, err);
    if (st != GM_OK) return st;
    return gm_bridges_open(server->cli, server->plant, server->loop, server->mqtt, server->arena, &server->bridges, err);
}

// " http=ADDRESS" with the port that was taken; nothing where nothing listens.
static void write_address(gm_buf *out, const char *name, gm_str address, uint16_t port)
{
    size_t colon = 0;
    for (size_t i = 0; i < address.len; i++) {
        if (address.ptr[i] == ':') colon = i;
    }
    if (port != 0) gm_buf_printf(out, " %s=" GM_STR_FMT ":%u", name, (int)colon, address.ptr, port);
}

static gm_status write_ready_line(gm_server *server, gm_error *err)
{
    gm_buf line = gm_buf_init(server->cli->alloc);
    gm_buf_text(&line, "ready");
    write_address(&line, "http", server->http_address, gm_api_port(server->api));
    write_address(&line, "mqtt", server->mqtt_address, gm_mqtt_server_port(server->mqtt));
    write_address(&line, "https", server->https_address, gm_api_tls_port(server->api));
    write_address(&line, "mqtts", server->mqtts_address, gm_mqtt_server_tls_port(server->mqtt));
    server->ready = line.failed ? (gm_str){0} : gm_arena_str(server->arena, gm_buf_view(&line));
    gm_buf_finish(&line);
    return server->ready.ptr != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "cli.server", "starting");
}

static gm_status open_parts(gm_server *server, gm_error *err)
{
    gm_status st = gm_plant_read(server->cli->io, server->options.plant, &server->plant, err);
    if (st == GM_OK) st = read_settings(server, err);
    if (st == GM_OK) st = gm_data_lock(server->cli->io, server->data_dir, server->arena, &server->lock, err);
    if (st == GM_OK) st = compare_loaded(server, err);
    if (st == GM_OK) st = gm_loop_create(server->cli->alloc, server->cli->clock, &server->loop, err);
    if (st == GM_OK) st = catch_signals(server, err);
    if (st == GM_OK) st = open_engine(server, err);
    if (st == GM_OK) st = open_futures(server, err);
    if (st == GM_OK) st = open_estimates(server, err);
    if (st == GM_OK) st = create_api(server, err);
    if (st == GM_OK) st = recover(server, err);
    if (st == GM_OK) st = check_access(server, err);
    if (st == GM_OK) st = load(server, err);
    if (st == GM_OK) st = gm_insight_start(server->insight, server->pool, err);
    if (st == GM_OK) st = gm_estimates_start(server->estimates, server->pool, err);
    if (st == GM_OK) st = listen_mqtt(server, err);
    if (st == GM_OK) st = gm_mqtt_server_listen(server->mqtt, hear, server, err);
    if (st == GM_OK) st = gm_control_start(server->control, err);
    if (st == GM_OK) (void)check_and_set_rules(server, server->plant);
    if (st == GM_OK) st = gm_api_listen(server->api, server->http_address, err);
    if (st == GM_OK && server->https_address.ptr != NULL)
        st = gm_api_listen_tls(server->api, server->https_address, server->tls, err);
    if (st == GM_OK) st = write_ready_line(server, err);
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
    gm_pool_destroy(server->pool);  // jobs are told that they are cancelled; the API still has what they belong to
    gm_estimates_stop(server->estimates);
    gm_insight_stop(server->insight);
    gm_control_stop(server->control);
    gm_engine_close(server->engine);
    gm_estimates_destroy(server->estimates);
    gm_insight_destroy(server->insight);
    gm_control_destroy(server->control);
    gm_mqtt_server_destroy(server->prepared);
    gm_api_destroy(server->api);
    gm_behaviors_destroy(server->behaviors);
    gm_ingest_destroy(server->ingest);
    gm_maps_destroy(server->maps);
    gm_creator_destroy(server->creator);
    gm_retained_destroy(server->retained);
    gm_dead_letters_destroy(server->letters);
    gm_access_destroy(server->access);
    if (server->signal_watch != NULL) gm_loop_remove(server->signal_watch);
    if (server->signals >= 0) {
        close(server->signals);
        sigprocmask(SIG_SETMASK, &server->signals_before, NULL);
    }
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
