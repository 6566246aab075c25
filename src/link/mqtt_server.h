// link/mqtt_server.h: the MQTT endpoint. Devices connect here; what they publish on native topics becomes the state of
// twins; everything else is an ordinary broker's traffic between clients.
//
//   gm_mqtt_server_options o = gm_mqtt_server_options_defaults();
//   o.alloc = alloc; o.loop = loop; o.clock = clock; o.engine = engine; o.dead_letters = letters; o.retained = retained;
//   o.address = GM_STR("127.0.0.1:0");
//   gm_mqtt_server_create(&o, &server, &err);          // after gm_engine_recover: from here on clients are served
//   printf("mqtt=127.0.0.1:%u\n", gm_mqtt_server_port(server));
//   ... turns of the loop ...
//   gm_mqtt_server_destroy(server);                    // before the engine is closed
//
// Everything runs on the engine thread. Topics, payloads and limits: docs/protocols/mqtt.md.
#ifndef GM_LINK_MQTT_SERVER_H
#define GM_LINK_MQTT_SERVER_H

#include "access/access.h"
#include "access/tls.h"
#include "base/loop.h"
#include "engine/dead_letter.h"
#include "engine/engine.h"
#include "link/create.h"
#include "link/ingest.h"
#include "link/retained.h"

typedef struct gm_mqtt_server gm_mqtt_server;

typedef struct gm_mqtt_limits {
    uint32_t  connections;        // at a time; the next one is refused. Default 20,000
    size_t    packet;             // bytes of a packet from a client. Default 1 MiB
    size_t    outgoing; // bytes that may wait in one connection's send buffer: beyond, QoS 0 messages are dropped
                        // and requests are no longer read. Default 1 MiB
    uint32_t  queued_messages;    // QoS 1 and 2 messages that may wait for one session. Default 10,000
    size_t    queued_bytes;    // the same in bytes; either bound disconnects a client that does not keep up, and drops
                               // the message when there is none. Default 16 MiB
    uint16_t  receive_maximum; // QoS 1 and 2 messages that a version 5 client may have unacknowledged. Default 1,024
    uint16_t  topic_aliases;      // per connection, version 5. Default 64
    uint32_t  sessions;           // kept while their client is away. Default 100,000
    uint32_t  subscriptions;      // per session. Default 10,000
    uint32_t  session_expiry_s;   // the longest that a session is kept without its client. Default 7 days
    uint16_t  keep_alive_s;       // the longest keep-alive of a version 5 client that asks for one; 0: any. Default 60
    gm_dur_ns connect_timeout;    // until the CONNECT is there. Default 10 s
    gm_dur_ns future;             // a source time may lie this far after now. Default 3,650 days
} gm_mqtt_limits;

typedef struct gm_mqtt_server_options {
    const gm_alloc  *alloc;
    gm_loop         *loop;
    gm_engine       *engine;
    gm_dead_letters *dead_letters;
    gm_retained     *retained;     // made before gm_engine_recover
    gm_creator      *creator;      // for gemel/{twinId}/create; NULL: messages can not create twins
    gm_access       *access;       // NULL: everyone may do everything; outlives the server
    gm_ingest       *ingest;       // shared with others (HTTP); NULL: the server makes its own, without mappings
    const gm_clock  *clock;
    gm_str           address;      // "127.0.0.1:1883", "[::1]:1883", ":1883" (every address); port 0 takes a free one;
                                   // empty: only over TLS
    gm_str           tls_address;  // where MQTT over TLS is spoken; empty: nowhere
    gm_tls          *tls;          // with what; outlives the server
    // May no client publish there? For commands and desired values that leave through control alone; may be NULL.
    bool           (*guarded)(void *context, gm_str topic);
    void            *guarded_context;
    gm_mqtt_limits   limits;
    gm_mqtt_server  *prepared;     // stays the caller's to destroy, after the engine; NULL: none
} gm_mqtt_server_options;
gm_mqtt_server_options gm_mqtt_server_options_defaults(void);

// Before gm_engine_recover, so that sessions come back with the log: a server that does not listen yet. Given to
// gm_mqtt_server_create as options.prepared; until then gm_mqtt_server_destroy ends it. Without it sessions live in memory
// and end with the server.
GM_NODISCARD gm_status gm_mqtt_server_prepare(const gm_alloc *alloc, gm_loop *loop, gm_engine *engine,
                                              gm_mqtt_server **out_server, gm_error *err);

// GM_INVALID: the address is not one. GM_IO: it can not be listened on (err says why).
GM_NODISCARD gm_status gm_mqtt_server_create(const gm_mqtt_server_options *options, gm_mqtt_server **out_server,
                                             gm_error *err);

// Says good-bye (version 5: reason "server shutting down") and closes every connection; no wills are published, since
// it is not the clients that failed. NULL is allowed.
void gm_mqtt_server_destroy(gm_mqtt_server *server);

// The first half of destroying one that was prepared: what it folds is the engine's to look at until that is closed, so
// the rest follows gm_engine_close. NULL is allowed.
void gm_mqtt_server_stop(gm_mqtt_server *server);

// Serves a connection that somebody else has accepted (over WebSocket). fd and wire are taken; wire NULL: memory was
// refused for it, and fd is closed.
void gm_mqtt_server_adopt(gm_mqtt_server *server, int fd, gm_wire *wire);

uint16_t gm_mqtt_server_port(const gm_mqtt_server *server);
uint16_t gm_mqtt_server_tls_port(const gm_mqtt_server *server);  // 0: it does not

// Publishes to subscribers, as if a client had (not into twins). retain: also kept, durably. qos 0..2.
GM_NODISCARD gm_status gm_mqtt_server_publish(gm_mqtt_server *server, gm_str topic, gm_str payload, uint8_t qos,
                                              bool retain, gm_error *err);
// The same, not retained, for those that get it within `lifetime` (> 0; it expires in queues); 0: whenever they come.
GM_NODISCARD gm_status gm_mqtt_server_publish_for(gm_mqtt_server *server, gm_str topic, gm_str payload, uint8_t qos,
                                                  gm_dur_ns lifetime, gm_error *err);

// As gm_mqtt_server_publish, but also into twins, as a client's message would go. GM_LIMIT: the log is full; nothing happened, come back.
GM_NODISCARD gm_status gm_mqtt_server_inject(gm_mqtt_server *server, gm_str topic, gm_str payload, uint8_t qos, bool retain,
                                             gm_error *err);

// Calls for everything that is published, by whomever; views hold for the call. At most GM_MQTT_LISTENING_MAX.
// GM_MQTT_HEAR_MESSAGES: all but the changes of twins, which cost a text for each record once somebody wants them.
enum { GM_MQTT_LISTENING_MAX = 8 };
typedef enum gm_mqtt_hearing { GM_MQTT_HEAR_MESSAGES, GM_MQTT_HEAR_CHANGES_TOO } gm_mqtt_hearing;
typedef void gm_mqtt_published(void *context, gm_str topic, gm_str payload, uint8_t qos, bool retain);
GM_NODISCARD gm_status gm_mqtt_server_listen(gm_mqtt_server *server, gm_mqtt_hearing hearing, gm_mqtt_published *call,
                                             void *context, gm_error *err);
void                   gm_mqtt_server_unlisten(gm_mqtt_server *server, gm_mqtt_published *call, void *context);

typedef struct gm_mqtt_statistics {
    uint64_t connections, connections_total, connections_refused;   // now; accepted since start; refused
    uint64_t sessions, durable_sessions, subscriptions, retained;   // now
    uint64_t queued;                                                // QoS 1 and 2 messages in the queues of sessions, now
    uint64_t packets_in, bytes_in, bytes_out;
    uint64_t messages_in, messages_out;                             // PUBLISH packets
    uint64_t native_applied, native_rejected;                       // handed to the engine; became dead letters
    uint64_t dropped_slow, dropped_queue, dropped_expired, dropped_too_large;  // messages to clients that were not sent
    uint64_t protocol_errors;                                       // connections closed for what they sent
    uint64_t timeouts, taken_over, disconnected_slow, refused_by_log;  // connections closed for that reason
    uint64_t not_authorized;                                        // clients and messages that were not let in
    uint64_t paused;                                                // times that reading stopped, the batch being full
    char     last_error[200];                                       // why a connection was last closed by the server
} gm_mqtt_statistics;
gm_mqtt_statistics gm_mqtt_server_statistics(const gm_mqtt_server *server);

#endif
