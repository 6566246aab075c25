// link/mqtt_durable.h: inside of link/mqtt_server.h: sessions that outlive the server, as records of the log.
//
// A session is durable when it may outlive its connection (clean session 0, or a session expiry). Then
//   SESSION    (20)  it began, or went on with another expiry and another will
//   SUBSCRIBE  (21)  its subscriptions changed
//   MESSAGE    (22)  a QoS 1 or 2 message for some durable sessions, each with the serial it has in that session's queue
//   PROGRESS   (23)  items: sent, released, done (of outgoing messages); received, forgotten (of incoming QoS 2
//                    messages); left, ended, its will is gone (of the session)
// A message enters the queue of a durable session when its record is applied, so what a client was sent is durable.
//
// Invariants: (1) an entry's serial, and so its packet identifier, is the same before and after a restart; (2) PUBREL and
// PUBCOMP for durable sessions leave after their record is durable: neither side then ever takes a new message for an
// old one; (3) folding a record twice changes nothing, since a checkpoint may be ahead of the log.
#ifndef GM_LINK_MQTT_DURABLE_H
#define GM_LINK_MQTT_DURABLE_H

#include "base/bytes.h"
#include "link/mqtt_internal.h"

typedef enum gm_mqtt_item {
    GM_MQTT_ITEM_SENT = 1,   // serial: all before it were sent
    GM_MQTT_ITEM_RELEASED,   // serial: PUBREC has come
    GM_MQTT_ITEM_DONE,       // serial
    GM_MQTT_ITEM_RECEIVED,   // packet identifier
    GM_MQTT_ITEM_FORGOTTEN,  // packet identifier
    GM_MQTT_ITEM_LEFT,       // expiry in seconds, from the record's time on
    GM_MQTT_ITEM_ENDED,
    GM_MQTT_ITEM_WILL_GONE   // published, or not wanted any more
} gm_mqtt_item;

// ---- folding, checkpoints (mqtt_recover.c) ------------------------------------------------------------------------
// Registers folds and keeper; before gm_engine_recover.
void gm_mqtt_durable_register(gm_mqtt_server *server);
// After recovery: sessions without a client begin to wait; those of nobody who may come any more end.
void gm_mqtt_durable_begin(gm_mqtt_server *server);
gm_mqtt_session *gm_mqtt_durable_find(const gm_mqtt_server *server, uint32_t key);
void             gm_mqtt_durable_remove(gm_mqtt_session *session);  // from the index by key

// ---- writing (mqtt_durable.c) -------------------------------------------------------------------------------------
// The session begins to be durable, or goes on being so. *out_asked: there is a record, and the ask will be answered. A
// session that need not be durable has none. When the log refuses, the session stays what it was.
GM_NODISCARD gm_status gm_mqtt_durable_open(gm_mqtt_session *session, gm_ask ask, bool *out_asked, gm_error *err);
// Writes what was noted; the ask is answered when that, and all before it, is durable.
GM_NODISCARD gm_status gm_mqtt_durable_settle(gm_mqtt_server *server, gm_ask ask, gm_error *err);

// Notes an item; it is written at the end of the turn, or with the next chance.
void gm_mqtt_durable_note(gm_mqtt_session *session, gm_mqtt_item item, uint64_t value);
void gm_mqtt_durable_note_sent(gm_mqtt_session *session);  // as far as in_flight now
void gm_mqtt_durable_flush(gm_mqtt_server *server);        // turn's end

// Writes one item now, with an ask.
GM_NODISCARD gm_status gm_mqtt_durable_item(gm_mqtt_session *session, gm_mqtt_item item, uint64_t value, gm_ask ask,
                                            gm_error *err);
GM_NODISCARD gm_status gm_mqtt_durable_subscribe(gm_mqtt_session *session, uint8_t type, const gm_mqtt_subscribe *s,
                                                 gm_ask ask, gm_error *err);

// Is a durable session among those in server->matches that want the message with QoS 1 or 2?
bool gm_mqtt_durable_wanted(const gm_mqtt_server *server, uint8_t qos);
// Writes the message for them. Those whose queue is full are left out, as elsewhere. *out_written false: there was none
// left. GM_LIMIT: nothing happened.
GM_NODISCARD gm_status gm_mqtt_durable_message(gm_mqtt_server *server, const gm_mqtt_view *view, uint8_t qos, bool retain,
                                               gm_ask ask, bool *out_written, gm_error *err);
// The same for one session: a retained message for its new subscription.
void gm_mqtt_durable_retained(gm_mqtt_session *session, const gm_mqtt_view *view, uint8_t qos, uint32_t subscription_id);

#endif
