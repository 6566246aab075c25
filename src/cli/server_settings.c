// What the options and gemel.conf say about the server, in the terms of its parts. Options go before gemel.conf.
#include "cli/data_dir.h"
#include "cli/server_parts.h"

#include <limits.h>
#include <stdlib.h>

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

gm_status gm_server_read_settings(gm_server *server, gm_error *err)
{
    const gm_server_options *o = &server->options;
    server->http_address       = setting(server, o->http, GM_CONFIG_HTTP);
    server->mqtt_address       = setting(server, o->mqtt, GM_CONFIG_MQTT);
    server->https_address      = setting(server, o->https, GM_CONFIG_HTTPS);
    server->mqtts_address      = setting(server, o->mqtts, GM_CONFIG_MQTTS);
    gm_status st = gm_plant_path(server->plant, o->data, GM_CONFIG_DATA, server->arena, &server->data_dir, err);
    return st == GM_OK ? read_certificate(server, err) : st;
}

// Checked when it was read; empty: the default.
static gm_dur_ns length_or(gm_str text, gm_dur_ns otherwise)
{
    gm_dur_ns length = otherwise;
    if (text.len > 0) (void)!gm_dur_parse(text, &length, NULL);
    return length;
}

static gm_status read_retention(const gm_server *server, gm_retentions *out, gm_error *err)
{
    const gm_config   *config = &server->plant->config;
    gm_retention_rule *rules  = GM_ARENA_NEW(server->arena, gm_retention_rule, config->section_count + 1);
    if (rules == NULL) return gm_fail(err, GM_NOMEM, "cli.server", "starting");
    gm_retention usual = { .keep         = length_or(gm_config_text(config, GM_CONFIG_HISTORY_KEEP), 0),
                           .rollup       = length_or(gm_config_text(config, GM_CONFIG_HISTORY_ROLLUP), 0),
                           .keep_rollups = length_or(gm_config_text(config, GM_CONFIG_HISTORY_KEEP_ROLLUPS), 0) };
    *out = (gm_retentions){ .usual = usual, .rules = rules };
    for (size_t i = 0; i < config->section_count; i++) {
        const gm_config_section *section = &config->sections[i];
        if (section->kind != &gm_section_history) continue;
        gm_retention_rule *rule = &rules[out->rule_count++];
        gm_config_history_name(section, &rule->interface, &rule->path);
        rule->how = (gm_retention){ .keep         = length_or(section->texts[GM_HISTORY_KEEP], usual.keep),
                                    .rollup       = length_or(section->texts[GM_HISTORY_ROLLUP], usual.rollup),
                                    .keep_rollups = length_or(section->texts[GM_HISTORY_KEEP_ROLLUPS], usual.keep_rollups) };
    }
    return GM_OK;
}

gm_status gm_server_engine_settings(const gm_server *server, gm_engine_options *o, gm_error *err)
{
    const gm_config *config = &server->plant->config;
    o->log.segment_size     = gm_option_size(gm_config_text(config, GM_CONFIG_LOG_SEGMENT_SIZE));
    o->log.batch_limit      = gm_option_size(gm_config_text(config, GM_CONFIG_LOG_BATCH_LIMIT));
    o->log.realtime_commit  = gm_option_yes(gm_config_text(config, GM_CONFIG_LOG_REALTIME_COMMIT));
    o->checkpoint.log_bytes = gm_option_size(gm_config_text(config, GM_CONFIG_CHECKPOINT_LOG_SIZE));
    gm_status st = gm_dur_parse(gm_config_text(config, GM_CONFIG_CHECKPOINT_EVERY), &o->checkpoint.every, err);
    return st == GM_OK ? read_retention(server, &o->retention, err) : st;
}

// What gemel.conf says about the API's bounds; what it does not say keeps the API's own default.
gm_api_limits gm_server_api_limits(const gm_server *server)
{
    const gm_config *config = &server->plant->config;
    gm_api_limits    l      = gm_api_limits_defaults();
    l.connections_max = (uint32_t)gm_option_count(gm_config_text(config, GM_CONFIG_HTTP_CONNECTIONS));
    l.body_max        = gm_option_size(gm_config_text(config, GM_CONFIG_HTTP_BODY));
    l.models_max      = gm_option_size(gm_config_text(config, GM_CONFIG_HTTP_MODELS));
    l.streams_max     = (uint32_t)gm_option_count(gm_config_text(config, GM_CONFIG_HTTP_STREAMS));
    return l;
}

gm_mqtt_limits gm_server_mqtt_limits(const gm_server *server)
{
    const gm_config *config = &server->plant->config;
    gm_mqtt_limits   l      = gm_mqtt_server_options_defaults().limits;
    gm_dur_ns        expiry = 0, keep_alive = 0;
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
gm_str gm_server_plant_name(const gm_server *server)
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
        return gm_fail(err, GM_INVALID, "cli.server",
                       "gemel.conf:%u: the kind of an endpoint is webhook, mqtt or sse", section->line);
    }
    if (webhook && (!http || out->url.len > 2000)) {
        return gm_fail(err, GM_INVALID, "cli.server",
                       "gemel.conf:%u: a webhook needs a url that begins with http:// or https://", section->line);
    }
    if (out->parallel == 0 || out->parallel > 256 || out->queue == 0 || out->queue > 10000000 ||
        out->timeout < GM_MILLISECOND || out->retry_first < GM_MILLISECOND) {
        return gm_fail(err, GM_INVALID, "cli.server",
                       "gemel.conf:%u: parallel is 1 to 256, queue 1 to 10000000, timeout and retry_first at least 1ms",
                       section->line);
    }
    return GM_OK;
}

gm_status gm_server_read_endpoints(gm_server *server, gm_error *err)
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

gm_status gm_server_read_indexes(gm_server *server, gm_error *err)
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
            return gm_fail(err, GM_INVALID, "cli.server", "gemel.conf:%u: the kind of an index is ordered or hash",
                           section->line);
        }
        server->indexes[server->index_count++] =
            (gm_index_wish){ section->name, hash ? GM_INDEX_HASHED : GM_INDEX_ORDERED };
    }
    return GM_OK;
}
