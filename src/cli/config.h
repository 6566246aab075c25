// cli/config.h: gemel.conf, the plant's one file of settings. "key = value" lines, '#' begins a comment, every key
// optional, an unknown key is an error with its line. The keys are a table like the options of a verb, so that the
// commented example (gm_config_example) and the checks come from one place.
//
//   gm_config config;
//   gm_config_defaults(&config);
//   gm_config_read(bytes, arena, &config, on_wrong, context);
//   uint64_t segment = gm_option_size(gm_config_text(&config, GM_CONFIG_LOG_SEGMENT_SIZE));
#ifndef GM_CLI_CONFIG_H
#define GM_CLI_CONFIG_H

#include "base/buf.h"
#include "cli/options.h"

typedef enum gm_config_key {
    GM_CONFIG_HTTP,
    GM_CONFIG_MQTT,
    GM_CONFIG_HTTPS,
    GM_CONFIG_MQTTS,
    GM_CONFIG_TLS_CERT,
    GM_CONFIG_TLS_KEY,
    GM_CONFIG_TLS_CLIENT_CA,
    GM_CONFIG_ACCESS_REQUIRED,
    GM_CONFIG_ACCESS_RELATIONSHIPS,
    GM_CONFIG_ACCESS_RATE,
    GM_CONFIG_ACCESS_OPEN_METRICS,
    GM_CONFIG_JWT_SECRET,
    GM_CONFIG_JWT_PEM,
    GM_CONFIG_JWT_JWKS,
    GM_CONFIG_JWT_AUDIENCE,
    GM_CONFIG_JWT_ISSUER,
    GM_CONFIG_JWT_ROLE_CLAIM,
    GM_CONFIG_JWT_SCOPE_CLAIM,
    GM_CONFIG_DATA,
    GM_CONFIG_HTTP_CONNECTIONS,
    GM_CONFIG_HTTP_BODY,
    GM_CONFIG_HTTP_MODELS,
    GM_CONFIG_HTTP_STREAMS,
    GM_CONFIG_MQTT_CONNECTIONS,
    GM_CONFIG_MQTT_PACKET,
    GM_CONFIG_MQTT_QUEUED_MESSAGES,
    GM_CONFIG_MQTT_QUEUED_BYTES,
    GM_CONFIG_MQTT_SESSIONS,
    GM_CONFIG_MQTT_SESSION_EXPIRY,
    GM_CONFIG_MQTT_KEEP_ALIVE,
    GM_CONFIG_LOG_SEGMENT_SIZE,
    GM_CONFIG_LOG_BATCH_LIMIT,
    GM_CONFIG_LOG_REALTIME_COMMIT,
    GM_CONFIG_CHECKPOINT_LOG_SIZE,
    GM_CONFIG_CHECKPOINT_EVERY,
    GM_CONFIG_HISTORY_KEEP,
    GM_CONFIG_HISTORY_ROLLUP,
    GM_CONFIG_HISTORY_KEEP_ROLLUPS,
    GM_CONFIG_KEY_COUNT
} gm_config_key;

// "[KIND NAME]" begins a section: the keys below it are about that one thing. A kind has a table of keys of its own.
typedef struct gm_section_kind {
    const char      *name;   // "endpoint"
    const char      *help;   // what the section's name names, for messages
    const gm_option *keys;
    size_t           key_count;
    const char      *needed; // a key that must be set; NULL: none
} gm_section_kind;

typedef struct gm_config_section {
    const gm_section_kind *kind;
    gm_str                 name;
    uint32_t               line;
    gm_str                *texts;  // [kind->key_count]; ptr NULL: the default holds
} gm_config_section;

typedef enum gm_endpoint_key {
    GM_ENDPOINT_KIND,
    GM_ENDPOINT_URL,
    GM_ENDPOINT_AUTHORIZATION,
    GM_ENDPOINT_TOPIC,
    GM_ENDPOINT_RETRY_FIRST,
    GM_ENDPOINT_RETRY_FOR,
    GM_ENDPOINT_TIMEOUT,
    GM_ENDPOINT_PARALLEL,
    GM_ENDPOINT_QUEUE,
    GM_ENDPOINT_KEY_COUNT
} gm_endpoint_key;
extern const gm_section_kind gm_section_endpoint;

enum {
    GM_BRIDGE_ADDRESS, GM_BRIDGE_SUBSCRIBE, GM_BRIDGE_PUBLISH, GM_BRIDGE_IN, GM_BRIDGE_OUT, GM_BRIDGE_QOS, GM_BRIDGE_CLIENT_ID,
    GM_BRIDGE_USERNAME, GM_BRIDGE_PASSWORD_FILE, GM_BRIDGE_KEY_COUNT
};
extern const gm_section_kind gm_section_bridge;

typedef enum gm_index_key { GM_INDEX_KIND, GM_INDEX_KEY_COUNT } gm_index_key;
extern const gm_section_kind gm_section_index;

typedef enum gm_history_key { GM_HISTORY_KEEP, GM_HISTORY_ROLLUP, GM_HISTORY_KEEP_ROLLUPS, GM_HISTORY_KEY_COUNT } gm_history_key;
extern const gm_section_kind gm_section_history;

// The name of a [history ...] section: "DTMI", "DTMI PROPERTY" or "PROPERTY"; what is not named is empty.
void gm_config_history_name(const gm_config_section *section, gm_str *out_interface, gm_str *out_path);

typedef struct gm_config {
    gm_str             texts[GM_CONFIG_KEY_COUNT];   // what was set; ptr NULL: the default holds
    gm_config_section *sections;                     // in the order of the file; in the arena
    size_t             section_count;
} gm_config;

enum { GM_CONFIG_FILE_MAX = 1 << 20, GM_CONFIG_SECTIONS_MAX = 1000 };

const gm_option *gm_config_keys(void);  // [GM_CONFIG_KEY_COUNT]

// Reads a file's text. Every line that is wrong is told to on_wrong (line and column are 1-based) and left out.
// GM_NOMEM only; texts are copied into the arena.
typedef void gm_config_wrong(void *context, uint32_t line, uint32_t column, const char *text);
GM_NODISCARD gm_status gm_config_read(gm_str text, gm_arena *arena, gm_config *config, gm_config_wrong *on_wrong,
                                      void *context, gm_error *err);

gm_str gm_config_text(const gm_config *config, gm_config_key key);  // as set, else the default; may be empty

gm_str gm_config_section_text(const gm_config_section *section, size_t key);        // the same for a section's key

// A gemel.conf with every key commented out at its default.
void gm_config_example(gm_buf *out);

#endif
