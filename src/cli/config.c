#include "cli/config.h"

#include <assert.h>
#include <stdio.h>

static const gm_option keys[GM_CONFIG_KEY_COUNT] = {
    [GM_CONFIG_HTTP] = { "http", GM_OPTION_ADDRESS, "ADDR:PORT", "127.0.0.1:8080",
                         "where the console and the HTTP API listen; port 0 takes a free one" },
    [GM_CONFIG_MQTT] = { "mqtt", GM_OPTION_ADDRESS, "ADDR:PORT", "127.0.0.1:1883", "where MQTT clients connect" },
    [GM_CONFIG_HTTPS] = { "https", GM_OPTION_ADDRESS, "127.0.0.1:8443", NULL,
                          "where the same is served over TLS; needs tls.cert and tls.key" },
    [GM_CONFIG_MQTTS] = { "mqtts", GM_OPTION_ADDRESS, "127.0.0.1:8883", NULL,
                          "where MQTT clients connect over TLS; needs tls.cert and tls.key" },
    [GM_CONFIG_TLS_CERT] = { "tls.cert", GM_OPTION_TEXT, "tls/server.pem", NULL,
                             "the server's certificate with its chain (PEM); relative to the plant. SIGHUP reads it again" },
    [GM_CONFIG_TLS_KEY] = { "tls.key", GM_OPTION_TEXT, "tls/server-key.pem", NULL, "its key (PEM); relative to the plant" },
    [GM_CONFIG_TLS_CLIENT_CA] = { "tls.client_ca", GM_OPTION_TEXT, "tls/devices-ca.pem", NULL,
                                  "who signs the certificates of devices (PEM); relative to the plant" },
    [GM_CONFIG_DATA] = { "data", GM_OPTION_TEXT, "DIR", "data",
                         "gemel's own files; relative to the plant. Deleting it starts the plant afresh" },
    [GM_CONFIG_HTTP_CONNECTIONS] = { "http.connections", GM_OPTION_COUNT, "N", "1000", "HTTP connections at a time" },
    [GM_CONFIG_HTTP_BODY]        = { "http.body", GM_OPTION_SIZE, "SIZE", "4MiB", "the largest body of a request" },
    [GM_CONFIG_HTTP_MODELS]      = { "http.models", GM_OPTION_SIZE, "SIZE", "64MiB",
                                     "the same for adding models: ontologies are large" },
    [GM_CONFIG_HTTP_STREAMS]     = { "http.streams", GM_OPTION_COUNT, "N", "200",
                                     "event streams at a time (each open console page has one)" },
    [GM_CONFIG_MQTT_CONNECTIONS] = { "mqtt.connections", GM_OPTION_COUNT, "N", "20000", "MQTT connections at a time" },
    [GM_CONFIG_MQTT_PACKET]      = { "mqtt.packet", GM_OPTION_SIZE, "SIZE", "1MiB",
                                     "the largest packet that a client may send" },
    [GM_CONFIG_MQTT_QUEUED_MESSAGES] = { "mqtt.queued_messages", GM_OPTION_COUNT, "N", "10000",
                                         "messages that may wait for one client that does not keep up, or is away" },
    [GM_CONFIG_MQTT_QUEUED_BYTES]    = { "mqtt.queued_bytes", GM_OPTION_SIZE, "SIZE", "16MiB", "the same in bytes" },
    [GM_CONFIG_MQTT_SESSIONS]        = { "mqtt.sessions", GM_OPTION_COUNT, "N", "100000",
                                         "sessions that are kept while their client is away" },
    [GM_CONFIG_MQTT_SESSION_EXPIRY]  = { "mqtt.session_expiry", GM_OPTION_DURATION, "LENGTH", "7d",
                                         "the longest that a session is kept without its client" },
    [GM_CONFIG_LOG_SEGMENT_SIZE]     = { "log.segment_size", GM_OPTION_SIZE, "SIZE", "64MiB",
                                         "a new log file is begun after so many bytes" },
    [GM_CONFIG_LOG_BATCH_LIMIT]      = { "log.batch_limit", GM_OPTION_SIZE, "SIZE", "32MiB",
                                         "bytes that may wait for the disk before the sockets are no longer read" },
    [GM_CONFIG_LOG_REALTIME_COMMIT]  = { "log.realtime_commit", GM_OPTION_YES_NO, "YES|NO", "yes",
                                         "ask for a real-time priority for the thread that syncs; goes on without when "
                                          "refused" },
};

const gm_option *gm_config_keys(void) { return keys; }

static const char *key_name_at(const void *context, size_t i)
{
    (void)context;
    return keys[i].name;
}

gm_str gm_config_text(const gm_config *config, gm_config_key key)
{
    return config->texts[key].ptr != NULL ? config->texts[key] : gm_str_of(keys[key].fallback);
}

// '#' begins a comment at the start of a line or after a space, so that "data = a#b" keeps its name.
static gm_str without_comment(gm_str line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] == '#' && (i == 0 || line.ptr[i - 1] == ' ' || line.ptr[i - 1] == '\t'))
            return gm_str_slice(line, 0, i);
    }
    return line;
}

// One "key = value". Returns false with the reason in text and the place in *column.
static bool read_line(gm_str line, gm_arena *arena, gm_config *config, char *text, size_t text_size, uint32_t *column,
                      bool *nomem)
{
    size_t equals = gm_str_find_char(line, '=');
    gm_str key    = gm_str_trim(gm_str_slice(line, 0, equals));
    *column       = (uint32_t)(key.ptr - line.ptr) + 1;
    if (equals == SIZE_MAX) {
        snprintf(text, text_size, "'%.*s' has no '='; write KEY = VALUE", (int)(key.len < 60 ? key.len : 60), key.ptr);
        return false;
    }
    size_t at = 0;
    while (at < GM_CONFIG_KEY_COUNT && !gm_str_is(key, keys[at].name)) at++;
    if (at == GM_CONFIG_KEY_COUNT) {
        const char *near = gm_nearest_name(key, GM_CONFIG_KEY_COUNT, key_name_at, NULL);
        snprintf(text, text_size, "there is no key '%.*s'; %s%s%s", (int)(key.len < 60 ? key.len : 60), key.ptr,
                 near != NULL ? "did you mean '" : "docs/formats/gemel.conf.md lists them", near != NULL ? near : "",
                 near != NULL ? "'?" : "");
        return false;
    }
    if (config->texts[at].ptr != NULL) {
        snprintf(text, text_size, "'%s' is set twice; keep one of the lines", keys[at].name);
        return false;
    }
    gm_str   value = gm_str_trim(gm_str_slice(line, equals + 1, line.len));
    gm_error err   = {0};
    *column        = (uint32_t)(value.ptr - line.ptr) + 1;
    if (value.len == 0) {
        snprintf(text, text_size, "'%s' has no value; remove the line to keep the default", keys[at].name);
        return false;
    }
    if (gm_option_check(keys[at].kind, keys[at].name, value, &err) != GM_OK) {
        snprintf(text, text_size, "%s", err.text);
        return false;
    }
    config->texts[at] = gm_arena_str(arena, value);
    *nomem |= config->texts[at].ptr == NULL;
    return true;
}

gm_status gm_config_read(gm_str text, gm_arena *arena, gm_config *config, gm_config_wrong *on_wrong, void *context,
                         gm_error *err)
{
    assert(arena != NULL && config != NULL && on_wrong != NULL);
    *config         = (gm_config){0};
    gm_str   rest   = text, line;
    bool     nomem  = false;
    uint32_t number = 0;
    while (gm_str_next(&rest, '\n', &line)) {
        number++;
        line = without_comment(line);
        if (gm_str_trim(line).len == 0) continue;
        char     why[256];
        uint32_t column;
        if (!read_line(line, arena, config, why, sizeof why, &column, &nomem)) on_wrong(context, number, column, why);
    }
    if (nomem) return gm_fail(err, GM_NOMEM, "cli.config", "reading gemel.conf");
    return GM_OK;
}

void gm_config_example(gm_buf *out)
{
    gm_buf_text(out, "# gemel.conf: the settings of one plant. Every key is optional; these are the defaults.\n");
    for (size_t i = 0; i < GM_CONFIG_KEY_COUNT; i++) {
        // A key without a default shows what a value looks like.
        bool        set   = keys[i].fallback != NULL;
        const char *value = set ? keys[i].fallback : keys[i].value;
        gm_buf_printf(out, "\n# %s%s\n#%s = %s\n", keys[i].help, set ? "" : " (not set)", keys[i].name, value);
    }
}
