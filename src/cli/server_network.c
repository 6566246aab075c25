// Where others connect: HTTP and MQTT, who may, and what goes from one to the other.
#include "base/address.h"
#include "cli/help.h"
#include "cli/server_parts.h"
#include "link/websocket.h"

#include <sys/resource.h>
#include <unistd.h>

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
gm_status gm_server_check_access(gm_server *server, gm_error *err)
{
    if (gm_access_required(server->access)) {
        bool plain = !gm_address_is_loopback(server->http_address) || !gm_address_is_loopback(server->mqtt_address);
        if (plain) gm_server_note(server, "tokens travel in clear on what is not --https or --mqtts");
        return GM_OK;
    }
    gm_status st = check_address(server->http_address, "http", err);
    if (st == GM_OK) st = check_address(server->mqtt_address, "mqtt", err);
    if (st == GM_OK) st = check_address(server->https_address, "https", err);
    return st == GM_OK ? check_address(server->mqtts_address, "mqtts", err) : st;
}

// A desired value is kept for who comes back; a command is for who is there, or has a session that waits.
gm_status gm_server_send(void *context, const gm_sending *m, gm_error *err)
{
    gm_server *server = context;
    if (server->mqtt == NULL) return gm_fail(err, GM_CONFLICT, "cli.server", "the MQTT endpoint does not serve");
    if (m->retain) return gm_mqtt_server_publish(server->mqtt, m->topic, m->payload, 0, true, err);
    return gm_mqtt_server_publish_for(server->mqtt, m->topic, m->payload, 1, m->lifetime, err);
}

static gm_status publish_event(void *context, gm_str topic, gm_str payload, gm_error *err)
{
    gm_sending m = { .topic = topic, .payload = payload };
    return gm_server_send(context, &m, err);
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

gm_status gm_server_create_api(gm_server *server, gm_error *err)
{
    gm_buf features = gm_buf_init(server->cli->alloc);
    gm_help_features(&features);
    gm_str text = features.failed ? (gm_str){0} : gm_arena_str(server->arena, gm_buf_view(&features));
    gm_buf_finish(&features);
    if (text.ptr == NULL) return gm_fail(err, GM_NOMEM, "cli.server", "starting");
    gm_status st = gm_server_read_endpoints(server, err);
    if (st == GM_OK) st = gm_server_read_indexes(server, err);
    if (st != GM_OK) return st;
    gm_str jobs_dir  = gm_arena_printf(server->arena, GM_STR_FMT "/jobs", GM_STR_ARG(server->plant->folder));
    gm_str plant_dir = gm_arena_str(server->arena, server->plant->folder);
    if (jobs_dir.ptr == NULL || plant_dir.ptr == NULL) return gm_fail(err, GM_NOMEM, "cli.server", "starting");
    gm_api_options o = {
        .alloc = server->cli->alloc, .clock = server->cli->clock, .loop = server->loop, .engine = server->engine,
        .dead_letters = server->letters, .ingest = server->ingest, .estimates = server->estimates, .plans = server->plans,
        .maintenance = server->maintenance,
        .insight = server->insight, .wears = server->wears, .control = server->control, .rollups = server->rollups, .failures = server->failures,
        .limits = gm_server_api_limits(server), .plant = gm_server_plant_name(server),
        .version = gm_help_version_number(), .features = text,
        .assets = server->cli->assets, .asset_count = server->cli->asset_count,
        .io = server->cli->io, .data_dir = server->data_dir.ptr, .jobs_dir = jobs_dir.ptr,
        .endpoints = server->endpoints, .endpoint_count = server->endpoint_count,
        .indexes = server->indexes, .index_count = server->index_count,
        .publish = publish_event, .publish_context = server,
        .access = server->access,
        .open_metrics = gm_option_yes(gm_config_text(&server->plant->config, GM_CONFIG_ACCESS_OPEN_METRICS)),
        .behaviors = server->behaviors, .pool = server->pool, .crew = server->crew, .plant_dir = plant_dir.ptr,
        .fmu_host = &server->fmu_host, .fmu_notes = server->fmu_notes, .fmu_note_count = server->fmu_note_count,
        .websocket = take_websocket, .websocket_context = server,
        .metrics = gm_server_write_metrics, .metrics_context = server,
    };
    return gm_api_create(&o, &server->api, err);
}

static bool is_guarded(void *context, gm_str topic)
{
    return gm_control_guards(((gm_server *)context)->control, topic);
}

static void hear(void *context, gm_str topic, gm_str payload, uint8_t qos, bool retain)
{
    (void)qos;
    (void)retain;
    gm_control_hear(((gm_server *)context)->control, topic, payload);
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

gm_status gm_server_listen_mqtt(gm_server *server, gm_error *err)
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
    o.limits       = gm_server_mqtt_limits(server);
    o.guarded         = is_guarded;
    o.guarded_context = server;
    gm_status st = gm_mqtt_server_create(&o, &server->mqtt, err);
    if (st == GM_OK)
        st = gm_bridges_open(server->cli, server->plant, server->loop, server->mqtt, server->arena, &server->bridges,
                             err);
    return st == GM_OK ? gm_mqtt_server_listen(server->mqtt, GM_MQTT_HEAR_MESSAGES, hear, server, err) : st;
}

gm_status gm_server_listen_http(gm_server *server, gm_error *err)
{
    gm_status st = gm_api_listen(server->api, server->http_address, err);
    if (st != GM_OK || server->https_address.ptr == NULL) return st;
    return gm_api_listen_tls(server->api, server->https_address, server->tls, err);
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

gm_status gm_server_write_ready_line(gm_server *server, gm_error *err)
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
