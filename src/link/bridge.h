// link/bridge.h: a bridge to another MQTT broker (libmosquitto): what it has comes in as if it had been published here, and
// what is published here goes out.
//
//   gm_bridge_create(&options, &bridge, &err);     // a thread of libmosquitto's own connects, and connects again
//   ...turns of the loop...                        // incoming messages are taken on the engine thread
//   gm_bridge_destroy(bridge);                     // before the MQTT server stops
//
// Incoming: clean_session=false and a fixed client id, so that the other broker keeps what came while we were away. A bounded
// queue lies between libmosquitto's thread and ours; when it is full, or the log is, libmosquitto waits, and with it the
// other broker. LIMIT: libmosquitto acknowledges a message when it hands it over, not when it is committed here; what was
// handed over and not committed is lost when the process is killed.
// A message that the other broker sends again after a new connection (same identifier, topic and payload) is dropped.
// Outgoing: QoS as published, at most `qos`; what comes in through a bridge never goes out through it.
#ifndef GM_LINK_BRIDGE_H
#define GM_LINK_BRIDGE_H

#include "link/mqtt_server.h"

enum { GM_BRIDGE_FILTERS_MAX = 64, GM_BRIDGE_QUEUE = 4096 };

typedef struct gm_bridge gm_bridge;

typedef struct gm_bridge_options {
    const gm_alloc *alloc;
    gm_loop        *loop;
    gm_mqtt_server *server;
    gm_str          name;       // for messages and statistics
    gm_str          address;    // HOST:PORT
    gm_str          client_id;  // empty: "gemel-" and the name
    gm_str          username, password;
    gm_str          subscribe;  // filters of the other broker, separated by spaces
    gm_str          publish;    // filters of ours
    gm_str          in, out;    // in front of topics that come in, go out
    uint8_t         qos;        // 0..2
} gm_bridge_options;

// GM_INVALID: an address or filter is none. GM_NOMEM, GM_IO (no thread). It need not be reachable now.
GM_NODISCARD gm_status gm_bridge_create(const gm_bridge_options *options, gm_bridge **out_bridge, gm_error *err);
void                   gm_bridge_destroy(gm_bridge *bridge);  // NULL is allowed

typedef struct gm_bridge_stats {
    bool     connected;
    uint64_t connections, received, sent, duplicates, dropped, waiting;  // dropped: outgoing while its queue was full
} gm_bridge_stats;
gm_bridge_stats gm_bridge_statistics(gm_bridge *bridge);
gm_str          gm_bridge_name(const gm_bridge *bridge);

#endif
