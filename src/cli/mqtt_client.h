// cli/mqtt_client.h: publishing over MQTT with QoS 1 and many messages under way (libmosquitto), and listening.
//
//   gm_mqtt_client_open(&options, &client, &err);
//   gm_mqtt_client_publish(client, topic, payload, &err);       // waits while the window is full
//   gm_mqtt_client_drain(client, 30 * GM_SECOND, &err);         // until everything is acknowledged
//   gm_mqtt_client_close(client);
//
// A lost connection is made again with back-off; what was not acknowledged is sent again by itself. One thread.
#ifndef GM_CLI_MQTT_CLIENT_H
#define GM_CLI_MQTT_CLIENT_H

#include "base/alloc.h"
#include "base/str.h"
#include "base/time.h"

typedef struct gm_mqtt_client gm_mqtt_client;

typedef struct gm_mqtt_client_options {
    const gm_alloc *alloc;
    const gm_clock *clock;
    const char     *address;   // ADDR:PORT
    const char     *name;      // beginning of the client id: "gemel-agent"
    const char     *session;   // client id of a session that outlives the connection (version 3.1.1); NULL: none does
    uint32_t        window;    // most messages not acknowledged; default 1000
    gm_dur_ns       patience;  // how long a lost connection is tried again before it is an error; default 30 s
} gm_mqtt_client_options;
gm_mqtt_client_options gm_mqtt_client_options_defaults(void);

typedef struct gm_mqtt_client_counts {
    uint64_t sent, acknowledged;
    uint64_t refused;      // of the acknowledged: with a reason why they were not taken (version 5)
    uint64_t connections;  // made so far: more than 1 means that it was lost in between
    bool     connected;
} gm_mqtt_client_counts;

// Connects. GM_NOTFOUND: nobody answers there within patience (err says what to do). GM_INVALID: refused by the server.
GM_NODISCARD gm_status gm_mqtt_client_open(const gm_mqtt_client_options *options, gm_mqtt_client **out_client,
                                           gm_error *err);
void                   gm_mqtt_client_close(gm_mqtt_client *client);  // says good-bye; does not wait

// Sends one message. Blocks while the window is full. topic as a C string; payload is copied.
// GM_NOTFOUND: the server went away and did not come back within patience.
GM_NODISCARD gm_status gm_mqtt_client_publish(gm_mqtt_client *client, const char *topic, gm_str payload, gm_error *err);

// Asks for the messages that match the filter, QoS 1, now and after every new connection. Of a client one handler hears
// them all, during gm_mqtt_client_turn; topic and payload are viewed for the call. In it the client may be published
// with, not closed. At most GM_MQTT_CLIENT_FILTERS. GM_LIMIT, GM_INVALID: no filter; GM_NOMEM.
enum { GM_MQTT_CLIENT_FILTERS = 16 };
typedef void gm_mqtt_client_heard(void *context, gm_str topic, gm_str payload);
void         gm_mqtt_client_listen(gm_mqtt_client *client, gm_mqtt_client_heard *heard, void *context);
GM_NODISCARD gm_status gm_mqtt_client_subscribe(gm_mqtt_client *client, const char *filter, gm_error *err);

// Reads and writes what is due, waiting at most `wait` for something to do; reconnects when that is due.
GM_NODISCARD gm_status gm_mqtt_client_turn(gm_mqtt_client *client, gm_dur_ns wait, gm_error *err);

// Until all is acknowledged; GM_LIMIT when that took longer than `most`.
GM_NODISCARD gm_status gm_mqtt_client_drain(gm_mqtt_client *client, gm_dur_ns most, gm_error *err);

gm_mqtt_client_counts gm_mqtt_client_count(const gm_mqtt_client *client);

#endif
