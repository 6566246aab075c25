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
    [GM_CONFIG_ACCESS_REQUIRED] = { "access.required", GM_OPTION_YES_NO, "YES|NO", "no",
                                    "ask everyone for a token, also before there is a user; from the first user on that "
                                    "is so in any case" },
    [GM_CONFIG_ACCESS_RELATIONSHIPS] = { "access.relationships", GM_OPTION_TEXT, "NAMES", "contains",
                                         "relationships that lead from the twin of a scope to those under it, separated by "
                                         "commas; * means all" },
    [GM_CONFIG_ACCESS_RATE] = { "access.rate", GM_OPTION_COUNT, "N", "0",
                                "requests per second that one user may make, unless his own says otherwise; 0: no bound" },
    [GM_CONFIG_ACCESS_OPEN_METRICS] = { "access.open_metrics", GM_OPTION_YES_NO, "YES|NO", "no",
                                        "answer /metrics without a token" },
    [GM_CONFIG_JWT_SECRET] = { "jwt.secret", GM_OPTION_TEXT, "tls/jwt-secret", NULL,
                               "the secret of tokens that are signed with HS256 (32 bytes or more); relative to the plant" },
    [GM_CONFIG_JWT_PEM] = { "jwt.key", GM_OPTION_TEXT, "tls/jwt-key.pem", NULL,
                            "a public key or certificate (PEM) for RS256 or ES256; relative to the plant" },
    [GM_CONFIG_JWT_JWKS] = { "jwt.jwks", GM_OPTION_TEXT, "tls/jwks.json", NULL,
                             "a set of keys (JWKS); relative to the plant. SIGHUP reads keys again" },
    [GM_CONFIG_JWT_AUDIENCE] = { "jwt.audience", GM_OPTION_TEXT, "https://plant.example", NULL,
                                 "whom tokens must be for ('aud'); needed with any of these keys" },
    [GM_CONFIG_JWT_ISSUER] = { "jwt.issuer", GM_OPTION_TEXT, "https://login.example", NULL, "who must have issued them ('iss')" },
    [GM_CONFIG_JWT_ROLE_CLAIM] = { "jwt.role_claim", GM_OPTION_TEXT, "NAME", "role",
                                   "the claim that holds the role: reader, operator, engineer or admin" },
    [GM_CONFIG_JWT_SCOPE_CLAIM] = { "jwt.scope_claim", GM_OPTION_TEXT, "NAME", "scope_twins",
                                    "the claim that holds the ids of the twins that a token is kept to" },
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
    [GM_CONFIG_MQTT_KEEP_ALIVE]      = { "mqtt.keep_alive", GM_OPTION_DURATION, "LENGTH", "60s",
                                         "the longest keep-alive of a version 5 client that asks for one; 0s: any" },
    [GM_CONFIG_LOG_SEGMENT_SIZE]     = { "log.segment_size", GM_OPTION_SIZE, "SIZE", "64MiB",
                                         "a new log file is begun after so many bytes" },
    [GM_CONFIG_LOG_BATCH_LIMIT]      = { "log.batch_limit", GM_OPTION_SIZE, "SIZE", "32MiB",
                                         "bytes that may wait for the disk before the sockets are no longer read" },
    [GM_CONFIG_LOG_REALTIME_COMMIT]  = { "log.realtime_commit", GM_OPTION_YES_NO, "YES|NO", "yes",
                                         "ask for a real-time priority for the thread that syncs; goes on without when "
                                          "refused" },
    [GM_CONFIG_CHECKPOINT_LOG_SIZE]  = { "checkpoint.log_size", GM_OPTION_SIZE, "SIZE", "128MiB",
                                         "a checkpoint is written when the log has grown by so much: a start reads no "
                                         "more of it" },
    [GM_CONFIG_CHECKPOINT_EVERY]     = { "checkpoint.every", GM_OPTION_DURATION, "LENGTH", "15m",
                                         "and when so much time has passed with changes" },
    [GM_CONFIG_HISTORY_KEEP]         = { "history.keep", GM_OPTION_DURATION, "365d", NULL,
                                         "history older than so much is forgotten, in blocks of about a thousand samples; "
                                         "not set: it is kept for ever" },
    [GM_CONFIG_HISTORY_ROLLUP]       = { "history.rollup", GM_OPTION_DURATION, "1h", NULL,
                                         "of numbers that go, what stays for each stretch of so long: smallest, largest, sum, "
                                         "count and last; not set: nothing stays" },
    [GM_CONFIG_HISTORY_KEEP_ROLLUPS] = { "history.keep_rollups", GM_OPTION_DURATION, "3650d", NULL,
                                         "what stayed goes when it is older than so much; not set: it is kept for ever" },
};

const gm_option *gm_config_keys(void) { return keys; }

static const char *key_name_at(const void *context, size_t i)
{
    return ((const gm_option *)context)[i].name;
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

// ---- sections -------------------------------------------------------------------------------------------------------

static const gm_option endpoint_keys[GM_ENDPOINT_KEY_COUNT] = {
    [GM_ENDPOINT_KIND] = { "kind", GM_OPTION_TEXT, "webhook|mqtt|sse", NULL, "how events leave" },
    [GM_ENDPOINT_URL]  = { "url", GM_OPTION_TEXT, "URL", NULL, "webhook: where events are posted to" },
    [GM_ENDPOINT_AUTHORIZATION] = { "authorization", GM_OPTION_TEXT, "TEXT", NULL,
                                    "webhook: the Authorization header that goes with each" },
    [GM_ENDPOINT_TOPIC]       = { "topic", GM_OPTION_TEXT, "TOPIC", "gemel/events/{endpoint}",
                                  "mqtt: where events are published; {endpoint}, {type} and {twin} are filled in" },
    [GM_ENDPOINT_RETRY_FIRST] = { "retry_first", GM_OPTION_DURATION, "LENGTH", "1s",
                                  "webhook: the pause before the second attempt; it doubles up to a minute" },
    [GM_ENDPOINT_RETRY_FOR]   = { "retry_for", GM_OPTION_DURATION, "LENGTH", "24h",
                                  "webhook: an event that was refused for so long becomes a dead letter" },
    [GM_ENDPOINT_TIMEOUT]     = { "timeout", GM_OPTION_DURATION, "LENGTH", "10s", "webhook: how long an answer may take" },
    [GM_ENDPOINT_PARALLEL]    = { "parallel", GM_OPTION_COUNT, "N", "8",
                                  "webhook: requests at a time; events of one twin always go one after the other" },
    [GM_ENDPOINT_QUEUE]       = { "queue", GM_OPTION_COUNT, "N", "100000",
                                  "events that may wait; beyond, they become dead letters" },
};
const gm_section_kind gm_section_endpoint = { "endpoint", "an endpoint that event routes lead to", endpoint_keys,
                                              GM_ENDPOINT_KEY_COUNT, "kind" };

static const gm_option bridge_keys[GM_BRIDGE_KEY_COUNT] = {
    [GM_BRIDGE_ADDRESS]   = { "address", GM_OPTION_TEXT, "HOST:PORT", NULL, "the other broker" },
    [GM_BRIDGE_SUBSCRIBE] = { "subscribe", GM_OPTION_TEXT, "FILTERS", NULL, "its topics that come in, separated by spaces" },
    [GM_BRIDGE_PUBLISH]   = { "publish", GM_OPTION_TEXT, "FILTERS", NULL, "our topics that go out" },
    [GM_BRIDGE_IN]        = { "in", GM_OPTION_TEXT, "PREFIX", NULL, "stands in front of topics that come in: \"north/\"" },
    [GM_BRIDGE_OUT]       = { "out", GM_OPTION_TEXT, "PREFIX", NULL, "stands in front of topics that go out" },
    [GM_BRIDGE_QOS]       = { "qos", GM_OPTION_COUNT, "0|1|2", "1", "the most, in both directions" },
    [GM_BRIDGE_CLIENT_ID] = { "client_id", GM_OPTION_TEXT, "ID", NULL, "our name there; gemel-NAME when left out" },
    [GM_BRIDGE_USERNAME]  = { "username", GM_OPTION_TEXT, "NAME", NULL, "who we are there" },
    [GM_BRIDGE_PASSWORD_FILE] = { "password_file", GM_OPTION_TEXT, "FILE", NULL, "holds the password; relative to the plant" },
};
const gm_section_kind gm_section_bridge = { "bridge", "another MQTT broker", bridge_keys, GM_BRIDGE_KEY_COUNT, "address" };

static const gm_option index_keys[GM_INDEX_KEY_COUNT] = {
    [GM_INDEX_KIND] = { "kind", GM_OPTION_TEXT, "ordered|hash", "ordered",
                        "ordered answers =, <, > and IN; hash only = and IN" },
};
const gm_section_kind gm_section_index = { "index", "a property that queries look up", index_keys, GM_INDEX_KEY_COUNT, NULL };

static const gm_option history_keys[GM_HISTORY_KEY_COUNT] = {
    [GM_HISTORY_KEEP]         = { "keep", GM_OPTION_DURATION, "LENGTH", NULL, "as history.keep; 0s: for ever" },
    [GM_HISTORY_ROLLUP]       = { "rollup", GM_OPTION_DURATION, "LENGTH", NULL, "as history.rollup; 0s: nothing stays" },
    [GM_HISTORY_KEEP_ROLLUPS] = { "keep_rollups", GM_OPTION_DURATION, "LENGTH", NULL, "as history.keep_rollups; 0s: for ever" },
};
const gm_section_kind gm_section_history = { "history", "an interface, an interface and one of its properties, or a property",
                                             history_keys, GM_HISTORY_KEY_COUNT, NULL };

void gm_config_history_name(const gm_config_section *section, gm_str *out_interface, gm_str *out_path)
{
    gm_str name    = section->name;
    size_t gap     = gm_str_find_char(name, ' ');
    *out_interface = gm_str_starts(name, GM_STR("dtmi:")) ? gm_str_slice(name, 0, gap) : (gm_str){ 0 };
    *out_path      = out_interface->len > 0 ? gm_str_trim(gm_str_slice(name, gap, name.len)) : name;
}

static const gm_section_kind *const section_kinds[] = { &gm_section_endpoint, &gm_section_bridge, &gm_section_index,
                                                        &gm_section_history };

gm_str gm_config_section_text(const gm_config_section *section, size_t key)
{
    return section->texts[key].ptr != NULL ? section->texts[key] : gm_str_of(section->kind->keys[key].fallback);
}

// ---- lines ----------------------------------------------------------------------------------------------------------

typedef struct reading {
    gm_arena          *arena;
    gm_config         *config;
    gm_config_section *section;    // the one whose keys follow; NULL: the file's own keys
    bool               skipping;   // below a section line that was wrong
    size_t             capacity;   // of config->sections
    bool               nomem;
    uint32_t           line;
    char               why[256];
} reading;

// "[endpoint alerts]". False with the reason.
static bool begin_section(reading *r, gm_str line)
{
    gm_str inner = gm_str_trim(line);
    r->section   = NULL;
    r->skipping  = true;
    if (!gm_str_ends(inner, GM_STR("]"))) {
        snprintf(r->why, sizeof r->why, "a section is written [KIND NAME]");
        return false;
    }
    inner       = gm_str_trim(gm_str_slice(inner, 1, inner.len - 1));
    size_t gap  = gm_str_find_char(inner, ' ');
    gm_str word = gm_str_slice(inner, 0, gap);
    gm_str name = gap == SIZE_MAX ? (gm_str){ 0 } : gm_str_trim(gm_str_slice(inner, gap, inner.len));
    const gm_section_kind *kind = NULL;
    for (size_t i = 0; i < sizeof section_kinds / sizeof section_kinds[0]; i++) {
        if (gm_str_is(word, section_kinds[i]->name)) kind = section_kinds[i];
    }
    gm_config *config = r->config;
    if (kind == NULL) {
        snprintf(r->why, sizeof r->why, "there is no section '%.*s'; docs/formats/gemel.conf.md lists them",
                 (int)(word.len < 60 ? word.len : 60), word.ptr);
        return false;
    }
    if (name.len == 0 || name.len > 200) {
        snprintf(r->why, sizeof r->why, "[%s NAME] needs a name: it names %s", kind->name, kind->help);
        return false;
    }
    for (size_t i = 0; i < config->section_count; i++) {
        if (config->sections[i].kind != kind || !gm_str_eq(config->sections[i].name, name)) continue;
        snprintf(r->why, sizeof r->why, "[%s %.*s] is there twice; keep one of them", kind->name, (int)name.len, name.ptr);
        return false;
    }
    if (config->section_count == GM_CONFIG_SECTIONS_MAX) {
        snprintf(r->why, sizeof r->why, "more than %d sections", GM_CONFIG_SECTIONS_MAX);
        return false;
    }
    if (config->section_count == r->capacity) {
        size_t             grown    = r->capacity > 0 ? 2 * r->capacity : 8;
        gm_config_section *sections = GM_ARENA_NEW(r->arena, gm_config_section, grown);
        r->nomem |= sections == NULL;
        if (sections == NULL) return true;
        if (config->section_count > 0) memcpy(sections, config->sections, config->section_count * sizeof *sections);
        config->sections = sections;
        r->capacity      = grown;
    }
    gm_config_section *section = &config->sections[config->section_count];
    *section = (gm_config_section){ .kind = kind, .name = gm_arena_str(r->arena, name), .line = r->line,
                                    .texts = GM_ARENA_NEW(r->arena, gm_str, kind->key_count) };
    r->nomem |= section->name.ptr == NULL || section->texts == NULL;
    if (r->nomem) return true;
    config->section_count++;
    r->section  = section;
    r->skipping = false;
    return true;
}

// A text whose value is written "this|that" is one of these.
static bool is_one_of(const gm_option *option, gm_str value)
{
    gm_str rest = gm_str_of(option->value), one;
    if (option->kind != GM_OPTION_TEXT || gm_str_find_char(rest, '|') == SIZE_MAX) return true;
    while (gm_str_next(&rest, '|', &one)) {
        if (gm_str_eq(one, value)) return true;
    }
    return false;
}

// One "key = value". Returns false with the reason and the place in *column.
static bool read_line(reading *r, gm_str line, uint32_t *column)
{
    const gm_option *table = r->section != NULL ? r->section->kind->keys : keys;
    size_t           count = r->section != NULL ? r->section->kind->key_count : GM_CONFIG_KEY_COUNT;
    gm_str          *texts = r->section != NULL ? r->section->texts : r->config->texts;
    size_t equals = gm_str_find_char(line, '=');
    gm_str key    = gm_str_trim(gm_str_slice(line, 0, equals));
    *column       = (uint32_t)(key.ptr - line.ptr) + 1;
    if (equals == SIZE_MAX) {
        snprintf(r->why, sizeof r->why, "'%.*s' has no '='; write KEY = VALUE", (int)(key.len < 60 ? key.len : 60), key.ptr);
        return false;
    }
    size_t at = 0;
    while (at < count && !gm_str_is(key, table[at].name)) at++;
    if (at == count) {
        const char *near = gm_nearest_name(key, count, key_name_at, table);
        snprintf(r->why, sizeof r->why, "there is no key '%.*s'; %s%s%s", (int)(key.len < 60 ? key.len : 60), key.ptr,
                 near != NULL ? "did you mean '" : "docs/formats/gemel.conf.md lists them", near != NULL ? near : "",
                 near != NULL ? "'?" : "");
        return false;
    }
    if (texts[at].ptr != NULL) {
        snprintf(r->why, sizeof r->why, "'%s' is set twice; keep one of the lines", table[at].name);
        return false;
    }
    gm_str   value = gm_str_trim(gm_str_slice(line, equals + 1, line.len));
    gm_error err   = {0};
    *column        = (uint32_t)(value.ptr - line.ptr) + 1;
    if (value.len == 0) {
        snprintf(r->why, sizeof r->why, "'%s' has no value; remove the line to keep the default", table[at].name);
        return false;
    }
    if (!is_one_of(&table[at], value)) {
        snprintf(r->why, sizeof r->why, "'%s' is one of %s", table[at].name, table[at].value);
        return false;
    }
    if (gm_option_check(table[at].kind, table[at].name, value, &err) != GM_OK) {
        snprintf(r->why, sizeof r->why, "%s", err.text);
        return false;
    }
    texts[at] = gm_arena_str(r->arena, value);
    r->nomem |= texts[at].ptr == NULL;
    return true;
}

static void check_sections(const gm_config *config, gm_config_wrong *on_wrong, void *context)
{
    for (size_t i = 0; i < config->section_count; i++) {
        const gm_config_section *section = &config->sections[i];
        for (size_t k = 0; k < section->kind->key_count; k++) {
            const char *name = section->kind->keys[k].name;
            if (section->kind->needed == NULL || strcmp(name, section->kind->needed) != 0) continue;
            if (section->texts[k].ptr != NULL) continue;
            char why[256];
            snprintf(why, sizeof why, "[%s %.*s] needs '%s'", section->kind->name, (int)section->name.len,
                     section->name.ptr, name);
            on_wrong(context, section->line, 1, why);
        }
    }
}

gm_status gm_config_read(gm_str text, gm_arena *arena, gm_config *config, gm_config_wrong *on_wrong, void *context,
                         gm_error *err)
{
    assert(arena != NULL && config != NULL && on_wrong != NULL);
    *config     = (gm_config){0};
    gm_str  rest = text, line;
    reading r    = { .arena = arena, .config = config };
    while (gm_str_next(&rest, '\n', &line) && !r.nomem) {
        r.line++;
        line = without_comment(line);
        if (gm_str_trim(line).len == 0) continue;
        uint32_t column = 1;
        bool     head   = gm_str_starts(gm_str_trim(line), GM_STR("["));
        if (!head && r.skipping) continue;  // the section's own line has been told
        bool fine = head ? begin_section(&r, line) : read_line(&r, line, &column);
        if (!fine) on_wrong(context, r.line, column, r.why);
    }
    if (r.nomem) return gm_fail(err, GM_NOMEM, "cli.config", "reading gemel.conf");
    check_sections(config, on_wrong, context);
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
