// link/mqtt_internal.h: inside of link/mqtt_server.h: what a server, a connection and a session are, and which file
// does what with them. Everything runs on the engine thread.
//
//   bytes --mqtt_connection--> packets --mqtt_connect, mqtt_publish, mqtt_subscribe--> engine, subscriptions
//   messages --mqtt_deliver--> sessions' queues --mqtt_connection--> bytes
//
// A connection is never closed where its fault is found: it is condemned and closed at the end of the turn
// (gm_mqtt_bury), because closing publishes a will, which may condemn others.
#ifndef GM_LINK_MQTT_INTERNAL_H
#define GM_LINK_MQTT_INTERNAL_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/index.h"
#include "base/wire.h"
#include "link/ingest.h"
#include "link/mqtt_codec.h"
#include "link/mqtt_server.h"
#include "link/topic_tree.h"

typedef struct gm_mqtt_connection   gm_mqtt_connection;
typedef struct gm_mqtt_session      gm_mqtt_session;
typedef struct gm_mqtt_subscription gm_mqtt_subscription;

// ---- messages on their way to subscribers (mqtt_message.c) --------------------------------------------------------
// Immutable once made. Counted, because one message waits in the queues of many sessions at a time.
typedef struct gm_mqtt_message {
    uint32_t  references;
    uint32_t  topic_len, properties_len;
    size_t    payload_len;
    gm_dur_ns expires;      // monotonic; 0: never
    char      bytes[];      // topic, properties, payload
} gm_mqtt_message;

// The same as views, before anyone needs to keep it.
typedef struct gm_mqtt_view { gm_str topic, properties, payload; gm_dur_ns expires; } gm_mqtt_view;

gm_mqtt_message *gm_mqtt_message_make(const gm_alloc     *alloc,
                                      const gm_mqtt_view *view); // one reference; NULL when refused
gm_mqtt_view     gm_mqtt_message_view(const gm_mqtt_message *message);
void             gm_mqtt_message_release(const gm_alloc *alloc, gm_mqtt_message *message);  // NULL is allowed

// ---- subscriptions (mqtt_subscriptions.c) -------------------------------------------------------------------------
struct gm_mqtt_subscription {
    gm_mqtt_session      *session;
    uint32_t              node;             // in the tree; of a shared one, of the filter behind the group
    uint32_t              id;               // version 5 subscription identifier; 0: none
    uint8_t               qos;
    bool                  no_local, retain_as_published;
    char                 *group;            // "$share/group/..."; NULL: not shared
    gm_mqtt_subscription *next_at_node;     // list from the node's value
    gm_mqtt_subscription *next_of_session;
    uint64_t              turn;             // shared: serial of the last delivery, so that the longest idle one is next
};

enum { GM_MQTT_IDS_MAX = 4 };  // subscription identifiers in one copy; with more matches a further copy is sent

// One session that gets a message, with what its subscriptions ask for.
typedef struct gm_mqtt_match {
    gm_mqtt_session *session;
    uint8_t          qos, id_count;
    bool             retain_as_published;
    bool             written;   // of durable sessions: it is in the record
    uint32_t         ids[GM_MQTT_IDS_MAX];
} gm_mqtt_match;

typedef struct gm_mqtt_matches { gm_mqtt_match *items; size_t count, capacity; } gm_mqtt_matches;

// Fills server->matches with who gets a message on that topic from that session (NULL: from the server).
void gm_mqtt_match_topic(gm_mqtt_server *server, gm_str topic, const gm_mqtt_session *from);

// Adds or replaces. *out_existed: there was one with the same filter already.
GM_NODISCARD gm_status gm_mqtt_session_subscribe(gm_mqtt_session *session, const gm_mqtt_filter *filter, uint32_t id,
                                                 bool *out_existed);
bool gm_mqtt_session_unsubscribe(gm_mqtt_session *session, gm_str filter);  // false: there was none
void gm_mqtt_session_unsubscribe_all(gm_mqtt_session *session);

// ---- sessions (mqtt_session.c) ------------------------------------------------------------------------------------
typedef enum gm_mqtt_outgoing_state {
    GM_MQTT_WAITING,
    GM_MQTT_SENT,
    GM_MQTT_RELEASED,
    GM_MQTT_DONE
} gm_mqtt_outgoing_state;

// A QoS 1 or 2 message for one session. WAITING --PUBLISH--> SENT --PUBREC, PUBREL--> RELEASED --PUBCOMP--> DONE
typedef struct gm_mqtt_queued {
    gm_mqtt_message *message;
    uint8_t          qos, state, id_count;
    bool             retain;
    uint32_t         ids[GM_MQTT_IDS_MAX];
} gm_mqtt_queued;

struct gm_mqtt_session {
    gm_mqtt_server       *server;
    gm_mqtt_connection   *connection;     // NULL: the client is away
    gm_principal         *principal;      // whose it is, held; NULL: no access is configured
    uint8_t               version;        // of its last connection
    char                 *client_id;
    uint32_t              client_id_len;
    uint32_t              number, generation;  // slot in server->sessions, and which of its tenants
    uint32_t              expiry_s; // how long it outlives its connection; UINT32_MAX: as long as the server allows
    gm_dur_ns             ends;           // monotonic, while the client is away
    gm_mqtt_subscription *subscriptions;
    uint32_t              subscription_count;

    // The queue is a ring. Its first `in_flight` entries have been sent and have consecutive serials from `serial` on,
    // so that a packet identifier, 1 + serial % 65535, leads to its entry without a search. An entry leaves at the
    // front.
    gm_mqtt_queued       *queue;
    uint32_t              first, count, capacity, in_flight;
    uint32_t              resend;         // entries of in_flight that this connection has not seen yet start here
    uint32_t              outstanding;    // sent on this connection and not acknowledged
    uint64_t              serial;
    size_t                queued_bytes;

    // QoS 2 messages from this client, between PUBLISH and PUBREL: a bit per packet identifier, one block of memory.
    uint64_t             *received, *durable_received;  // durable: the PUBREC may go out
    uint32_t              received_count;
    struct gm_mqtt_will  *will;

    // Durable sessions (mqtt_durable.h).
    bool                  durable, sent_noted;
    uint32_t              key;            // its number in the log
    uint32_t              promised;       // messages that are in records which are not applied yet; with their bytes
    size_t                promised_bytes;
    gm_mqtt_session      *next_sent;
    char                 *owner;          // of a session that was restored: the name of its principal
    uint32_t              owner_len;
    gm_time_ns            left_at;        // restored: when its client left; 0: it had not
    uint64_t              match_serial;   // which match put it at match_at in server->matches
    size_t                match_at;
};

GM_NODISCARD gm_status gm_mqtt_session_open(gm_mqtt_server *server, gm_str client_id, gm_mqtt_session **out_session);
void                   gm_mqtt_session_end(gm_mqtt_session *session);  // with subscriptions, queue and will
gm_mqtt_session       *gm_mqtt_session_find(const gm_mqtt_server *server, gm_str client_id);
// QoS 2 messages from the client that are known durably, as a restart gives them back. False: no memory.
bool gm_mqtt_session_restore_received(gm_mqtt_session *session, uint16_t packet_id);
void gm_mqtt_session_restore_forgotten(gm_mqtt_session *session, uint16_t packet_id);
bool gm_mqtt_session_reserve_received(gm_mqtt_session *session);
bool gm_mqtt_session_has_received(const gm_mqtt_session *session, uint16_t packet_id);
gm_mqtt_session       *gm_mqtt_session_at(const gm_mqtt_server *server, uint32_t number, uint32_t generation);

static inline gm_mqtt_queued *gm_mqtt_session_entry(const gm_mqtt_session *s, uint32_t i)
{
    return &s->queue[(s->first + i) & (s->capacity - 1)];
}
// Takes the reference when it returns GM_OK. GM_LIMIT: as many messages or bytes wait already.
GM_NODISCARD gm_status gm_mqtt_session_push(gm_mqtt_session *session, const gm_mqtt_queued *entry, size_t messages_max,
                                            size_t bytes_max);
void gm_mqtt_session_pop_done(gm_mqtt_session *session);
uint16_t        gm_mqtt_session_packet_id(const gm_mqtt_session *session, uint32_t i);  // of an entry in flight
gm_mqtt_queued *gm_mqtt_session_by_id(const gm_mqtt_session *session, uint16_t packet_id);  // NULL: none in flight

// ---- wills (mqtt_will.c) ------------------------------------------------------------------------------------------
typedef struct gm_mqtt_will {
    struct gm_mqtt_will *next;        // in server->wills once it is due or waiting to be
    gm_mqtt_session     *session;     // NULL: nothing can take it back any more
    gm_mqtt_message     *message;
    uint32_t             delay_s, expiry_s;
    bool                 has_expiry, retain, due_known;
    uint8_t              qos;
    gm_dur_ns            due;
} gm_mqtt_will;
GM_NODISCARD gm_status gm_mqtt_will_set(gm_mqtt_session *session, const gm_mqtt_connect *connect);
void gm_mqtt_will_drop(gm_mqtt_session *session);                       // DISCONNECT, or back in time
void gm_mqtt_will_start(gm_mqtt_session *session, bool session_ends);   // the connection broke: after the delay, or now
void gm_mqtt_wills_publish(gm_mqtt_server *server);                     // those that are due
// As a part of a durable session's record. will NULL: there is none. GM_CORRUPT, GM_NOMEM: then the session has none.
void gm_mqtt_will_write(const gm_mqtt_will *will, gm_buf *out);
GM_NODISCARD gm_status gm_mqtt_will_read(gm_mqtt_session *session, gm_bytes *in);

// ---- connections (mqtt_connection.c) ------------------------------------------------------------------------------
// An acknowledgement that waits for its commit. They leave in the order in which the messages came [MQTT-4.6.0-2, -3].
typedef struct gm_mqtt_pending { uint16_t packet_id; uint8_t type, reason; bool done; } gm_mqtt_pending;
enum { GM_MQTT_PENDING_MAX = 65536 };

struct gm_mqtt_connection {
    gm_mqtt_server     *server;
    gm_mqtt_session    *session;          // NULL until CONNECT was accepted
    uint32_t            number, generation;
    int                 fd;
    gm_wire            *wire;             // over fd: plain or TLS
    gm_watch           *watch;
    uint8_t             version;          // 0 until CONNECT
    bool                condemned;        // will be closed at the end of the turn; nothing more is read
    bool                will_wanted;      // the close is not the client's own: publish the will
    bool                last_words;       // the server closes, and has said why
    bool                paused;           // the engine is full: waits in server->paused
    bool                hungup;           // the watch is gone: the peer left while we were paused
    bool                flushing;         // in server->dirty
    bool                blocked;          // the socket took no more: waiting for it to become writable
    bool                recorded;         // the packet under way is in the queues of durable sessions already
    bool                held;             // CONNACK waits for its commit: until then nothing is read, nothing sent
    bool                problem_information;  // version 5: the client wants to be told reasons
    gm_dur_ns           keep_alive, heard;    // 0: none
    gm_dur_ns           born;             // when it was accepted
    gm_dur_ns           refused_at;       // when a refused message was last told of; 0: never
    gm_buf              in, out;          // in: an unfinished packet; out: from out_done on
    size_t              out_done;
    uint32_t            packet_max;       // what the client accepts
    uint16_t            receive_maximum;
    gm_mqtt_pending    *pending;          // ring
    uint32_t            pending_first, pending_count, pending_capacity;  // pending_first counts on, modulo 2^32
    uint32_t            pending_received; // of them PUBRECs
    char              **aliases;          // [limits.topic_aliases] topics the client has given numbers to
    char              **out_aliases;      // [out_alias_max] topics we have given numbers to; NULL: none yet
    uint16_t            out_alias_max;    // as many as the client allows, and we care to search
    uint16_t            out_alias_count;
    gm_mqtt_connection *next_dirty, *next_paused, *next_condemned;
};

// wire is taken; NULL: memory was refused for it.
void   gm_mqtt_connection_accept(gm_mqtt_server *server, int fd, gm_wire *wire);
void   gm_mqtt_connection_resume(gm_mqtt_connection *c);        // the engine has room again
void   gm_mqtt_connection_hold(gm_mqtt_connection *c);          // see held
void   gm_mqtt_connection_let_go(gm_mqtt_connection *c);
size_t gm_mqtt_waiting_bytes(const gm_mqtt_connection *c);
void   gm_mqtt_flush_later(gm_mqtt_connection *c);              // out has grown: send at the end of the turn
void   gm_mqtt_flush_all(gm_mqtt_server *server);
void   gm_mqtt_bury(gm_mqtt_server *server);                    // closes the condemned
void   gm_mqtt_check_time(gm_mqtt_connection *c, gm_dur_ns now);  // keep-alive, CONNECT in time

// Closes at the end of the turn because of what the server knows; version 5 clients are told.
void gm_mqtt_condemn(gm_mqtt_connection *c, uint8_t reason, const char *fmt, ...) GM_PRINTF(3, 4);
void gm_mqtt_condemn_fault(gm_mqtt_connection *c, gm_mqtt_fault fault);
void gm_mqtt_leave(gm_mqtt_connection *c, bool publish_will);   // the client said good-bye, or is simply gone
// Gives the session of a condemned connection back: it ends or waits for its client, and the will goes its way.
void gm_mqtt_part(gm_mqtt_connection *c);

// Lets the last words arrive before the socket is closed (mqtt_linger.c). True: the descriptor is taken.
bool gm_mqtt_linger(gm_mqtt_server *server, int fd);
void gm_mqtt_linger_no_longer(gm_mqtt_server *server, gm_dur_ns than);  // closes those whose time is up at that time

// What a handler made of a packet. LATER: nothing was changed; the same packet is handled again when there is room.
typedef enum gm_mqtt_verdict { GM_MQTT_HANDLED, GM_MQTT_LATER } gm_mqtt_verdict;
gm_mqtt_verdict gm_mqtt_handle(gm_mqtt_connection *c, const gm_mqtt_frame *frame);                // mqtt_dispatch.c
extern const gm_mqtt_fault gm_mqtt_length_fault;  // of a padded frame
gm_mqtt_verdict gm_mqtt_on_connect(gm_mqtt_connection *c, const gm_mqtt_frame *frame);            // mqtt_connect.c
void            gm_mqtt_on_disconnect(gm_mqtt_connection *c, gm_str body);
gm_mqtt_verdict gm_mqtt_on_publish(gm_mqtt_connection *c, uint8_t flags, gm_str body);            // mqtt_publish.c
gm_mqtt_verdict gm_mqtt_on_pubrel(gm_mqtt_connection *c, const gm_mqtt_ack *ack);
gm_mqtt_verdict gm_mqtt_on_subscribe(gm_mqtt_connection *c, uint8_t type, gm_str body);           // mqtt_subscribe.c

// Publishes a view in the name of a session (or NULL): twins, retained, subscribers. GM_LIMIT: nothing was done.
// recorded: it is in the queues of durable sessions already, from an earlier try; NULL: nobody tries again.
typedef struct gm_mqtt_origin {
    gm_mqtt_session *session;
    uint8_t          qos;
    bool             retain;
    gm_ask           ask;
    bool            *recorded;
    uint16_t         received_id;  // QoS 2 of a durable session: kept together with the message; 0: not
} gm_mqtt_origin;
GM_NODISCARD gm_status gm_mqtt_publish_view(gm_mqtt_server *server, const gm_mqtt_view *view,
                                            const gm_mqtt_origin *origin, size_t *out_matches, bool *out_pending,
                                            gm_error *err);

// ---- delivery (mqtt_deliver.c) ------------------------------------------------------------------------------------
// Gives a message to everyone in server->matches.
// Durable sessions get QoS 1 and 2 messages through the log (mqtt_durable.h), not here.
void gm_mqtt_deliver_matches(gm_mqtt_server *server, const gm_mqtt_view *view, uint8_t qos, bool retain);
// what: a message, or a change, which not everybody hears (mqtt_publish.c).
void gm_mqtt_tell_listeners(gm_mqtt_server *server, gm_mqtt_hearing what, const gm_mqtt_view *view, uint8_t qos, bool retain);
void gm_mqtt_queue_is_full(gm_mqtt_session *session);  // a message is dropped; a client that does not keep up goes
// Gives a retained message to one new subscriber.
void gm_mqtt_deliver_retained(gm_mqtt_session *session, const gm_mqtt_view *view, uint8_t qos,
                              uint32_t subscription_id);
void gm_mqtt_deliver_more(gm_mqtt_session *session);     // sends what window and socket allow
void gm_mqtt_deliver_again(gm_mqtt_session *session);    // a new connection: what was in flight is sent again
gm_mqtt_verdict gm_mqtt_on_ack(gm_mqtt_connection *c, uint8_t type, const gm_mqtt_ack *ack);  // PUBACK, PUBREC, PUBCOMP

// ---- changes of twins, outward (mqtt_changes.c) -------------------------------------------------------------------
GM_NODISCARD gm_status gm_mqtt_changes_begin(gm_mqtt_server *server, gm_error *err);
void                   gm_mqtt_changes_end(gm_mqtt_server *server);

// ---- access (mqtt_access.c) ---------------------------------------------------------------------------------------
GM_NODISCARD gm_status gm_mqtt_access_begin(gm_mqtt_server *server, gm_error *err);
// Who connects, held by the caller (NULL: anyone may); or the reason for not letting him in.
uint8_t gm_mqtt_admit(gm_mqtt_connection *c, const gm_mqtt_connect *connect, gm_principal **out_principal);
bool    gm_mqtt_may_publish(gm_mqtt_server *server, gm_principal *principal, gm_str topic);
bool    gm_mqtt_may_read(gm_mqtt_session *session, gm_str topic);
void    gm_mqtt_note_refusal(gm_mqtt_connection *c, gm_str topic, gm_str payload);
void    gm_mqtt_check_access(gm_mqtt_session *session);  // ends it when its principal was revoked or has expired

// ---- the server (mqtt_server.c) -----------------------------------------------------------------------------------
typedef struct gm_mqtt_listener {
    gm_mqtt_server *server;
    gm_tls         *tls;     // NULL: plain
    int             fd;      // -1: does not listen
    uint16_t        port;
    gm_watch       *watch;
} gm_mqtt_listener;
enum { GM_MQTT_PLAIN, GM_MQTT_TLS, GM_MQTT_LISTENERS };

struct gm_mqtt_server {
    const gm_alloc          *alloc;
    gm_mqtt_server_options   options;
    gm_mqtt_limits           limits;
    gm_loop                 *loop;
    gm_engine               *engine;
    gm_mqtt_listener         listeners[GM_MQTT_LISTENERS];
    gm_timer                *sweep, *nudge;
    bool                     closing, accept_stopped;
    bool                     durable, live;  // sessions are kept in the log; recovery is over

    gm_mqtt_connection     **connections;   // [connection_capacity]; NULL: free
    uint32_t                *free_connections;
    size_t                   connection_capacity, free_capacity, free_count, connection_used;
    uint32_t                 generation;    // given to connections and sessions

    gm_mqtt_session        **sessions;      // [session_used]; NULL: free
    uint32_t                *free_sessions;
    size_t                   session_capacity, session_used, free_session_capacity, free_session_count, session_count;
    gm_index                 session_index; // by client id
    uint64_t                 anonymous;     // numbers for assigned client ids
    gm_index                 by_key;        // durable sessions
    uint32_t                 next_key;
    gm_buf                   progress, record;  // items of this turn; scratch for a record
    bool                     ended_noted;       // among them ends of sessions
    uint32_t                 ends_under_way;    // records with such that are not durable yet
    gm_mqtt_session         *sent_list;     // whose sent messages are to be noted
    struct { gm_mqtt_published *call; void *context; gm_mqtt_hearing hearing; } listening[GM_MQTT_LISTENING_MAX];
    size_t                   listening_count;
    size_t                   changes_wanted;  // how many of them hear changes too

    gm_topic_tree            tree;          // of subscriptions; values are gm_mqtt_subscription lists
    size_t                   subscription_count;
    gm_mqtt_matches          matches;
    uint64_t                 match_serial;
    gm_ingest               *ingest, *own_ingest;  // own: made by the server itself
    gm_mqtt_will            *wills;         // due or waiting for it
    gm_mqtt_connection      *dirty, *paused, *paused_last, *condemned;
    struct gm_mqtt_lingering *lingering;    // sockets that wait for their peer's end
    size_t                   lingering_count;
    bool                     full;          // the engine refused: reading stops until resume_paused
    gm_dur_ns                now;           // monotonic, of this turn

    uint8_t                 *scratch;       // [GM_MQTT_SCRATCH] where sockets are read into
    gm_arena                *access_arena;  // scratch; NULL: no access
    gm_buf                   packet;        // scratch for building
    gm_buf                   changes_topic, changes_payload;
    gm_mqtt_statistics       stats;
};
enum { GM_MQTT_SCRATCH = 128 << 10, GM_MQTT_READ = 64 << 10 };

void gm_mqtt_pause(gm_mqtt_connection *c);             // the connection waits for room in the engine
void gm_mqtt_wait_for_room(gm_mqtt_server *server);    // and is resumed then

// Something was given to the engine at the end of a turn, after it had looked: makes another turn come at once.
void gm_mqtt_nudge(gm_mqtt_server *server);

#endif
