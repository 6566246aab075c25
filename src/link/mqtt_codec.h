// link/mqtt_codec.h: MQTT control packets as bytes, both ways, for versions 3.1.1 and 5. Pure: no memory is allocated
// for reading, no state is kept, and every rule of the standards that a single packet can break is checked here.
//
//   gm_mqtt_frame frame;
//   switch (gm_mqtt_look(bytes, n, packet_max, &frame, &fault)) {
//   case GM_MQTT_MORE:   ... wait for more bytes ...
//   case GM_MQTT_BROKEN: ... say fault.rule, close ...
//   case GM_MQTT_WHOLE:  fault = gm_mqtt_read_publish(frame.flags, frame.body, version, &publish); ...
//
// A fault names the rule it broke by the number the standard gives it, e.g. "[MQTT-3.3.1-4]" (of 3.1.1 where both
// versions have it), and carries the reason code with which version 5 reports it. Texts of packets are viewed.
// Source: OASIS MQTT Version 3.1.1 (29 October 2014) and MQTT Version 5.0 (7 March 2019).
#ifndef GM_LINK_MQTT_CODEC_H
#define GM_LINK_MQTT_CODEC_H

#include "base/buf.h"
#include "base/str.h"

typedef enum gm_mqtt_type {
    GM_MQTT_CONNECT = 1, GM_MQTT_CONNACK, GM_MQTT_PUBLISH, GM_MQTT_PUBACK, GM_MQTT_PUBREC, GM_MQTT_PUBREL,
    GM_MQTT_PUBCOMP, GM_MQTT_SUBSCRIBE, GM_MQTT_SUBACK, GM_MQTT_UNSUBSCRIBE, GM_MQTT_UNSUBACK, GM_MQTT_PINGREQ,
    GM_MQTT_PINGRESP, GM_MQTT_DISCONNECT, GM_MQTT_AUTH
} gm_mqtt_type;

enum { GM_MQTT_V311 = 4, GM_MQTT_V5 = 5 };  // the protocol level byte

// Version 5's reason codes (those that gemel sends or understands).
typedef enum gm_mqtt_reason {
    GM_MQTT_SUCCESS                   = 0x00,
    GM_MQTT_DISCONNECT_WITH_WILL      = 0x04,
    GM_MQTT_NO_MATCHING_SUBSCRIBERS   = 0x10,
    GM_MQTT_NO_SUBSCRIPTION_EXISTED   = 0x11,
    GM_MQTT_UNSPECIFIED               = 0x80,
    GM_MQTT_MALFORMED                 = 0x81,
    GM_MQTT_PROTOCOL_ERROR            = 0x82,
    GM_MQTT_IMPLEMENTATION_ERROR      = 0x83,
    GM_MQTT_UNSUPPORTED_VERSION       = 0x84,
    GM_MQTT_CLIENT_ID_INVALID         = 0x85,
    GM_MQTT_BAD_CREDENTIALS           = 0x86,
    GM_MQTT_NOT_AUTHORIZED            = 0x87,
    GM_MQTT_SERVER_UNAVAILABLE        = 0x88,
    GM_MQTT_SERVER_BUSY               = 0x89,
    GM_MQTT_SHUTTING_DOWN             = 0x8b,
    GM_MQTT_BAD_AUTHENTICATION_METHOD = 0x8c,
    GM_MQTT_KEEP_ALIVE_TIMEOUT        = 0x8d,
    GM_MQTT_TAKEN_OVER                = 0x8e,
    GM_MQTT_FILTER_INVALID            = 0x8f,
    GM_MQTT_TOPIC_INVALID             = 0x90,
    GM_MQTT_PACKET_ID_IN_USE          = 0x91,
    GM_MQTT_PACKET_ID_NOT_FOUND       = 0x92,
    GM_MQTT_RECEIVE_MAXIMUM_EXCEEDED  = 0x93,
    GM_MQTT_TOPIC_ALIAS_INVALID       = 0x94,
    GM_MQTT_PACKET_TOO_LARGE          = 0x95,
    GM_MQTT_MESSAGE_RATE_TOO_HIGH     = 0x96,
    GM_MQTT_QUOTA_EXCEEDED            = 0x97,
    GM_MQTT_PAYLOAD_FORMAT_INVALID    = 0x99
} gm_mqtt_reason;

// What a packet did wrong; rule is NULL when nothing was. Static text.
typedef struct gm_mqtt_fault { const char *rule; uint8_t reason; } gm_mqtt_fault;

// ---- properties (version 5) ---------------------------------------------------------------------------------------
typedef enum gm_mqtt_property {
    GM_MQTT_PAYLOAD_FORMAT            = 0x01,
    GM_MQTT_MESSAGE_EXPIRY            = 0x02,
    GM_MQTT_CONTENT_TYPE              = 0x03,
    GM_MQTT_RESPONSE_TOPIC            = 0x08,
    GM_MQTT_CORRELATION_DATA          = 0x09,
    GM_MQTT_SUBSCRIPTION_ID           = 0x0b,
    GM_MQTT_SESSION_EXPIRY            = 0x11,
    GM_MQTT_ASSIGNED_CLIENT_ID        = 0x12,
    GM_MQTT_SERVER_KEEP_ALIVE         = 0x13,
    GM_MQTT_AUTHENTICATION_METHOD     = 0x15,
    GM_MQTT_AUTHENTICATION_DATA       = 0x16,
    GM_MQTT_REQUEST_PROBLEM           = 0x17,
    GM_MQTT_WILL_DELAY                = 0x18,
    GM_MQTT_REQUEST_RESPONSE          = 0x19,
    GM_MQTT_RESPONSE_INFORMATION      = 0x1a,
    GM_MQTT_SERVER_REFERENCE          = 0x1c,
    GM_MQTT_REASON_STRING             = 0x1f,
    GM_MQTT_RECEIVE_MAXIMUM           = 0x21,
    GM_MQTT_TOPIC_ALIAS_MAXIMUM       = 0x22,
    GM_MQTT_TOPIC_ALIAS               = 0x23,
    GM_MQTT_MAXIMUM_QOS               = 0x24,
    GM_MQTT_RETAIN_AVAILABLE          = 0x25,
    GM_MQTT_USER_PROPERTY             = 0x26,
    GM_MQTT_MAXIMUM_PACKET_SIZE       = 0x27,
    GM_MQTT_WILDCARD_AVAILABLE        = 0x28,
    GM_MQTT_SUBSCRIPTION_ID_AVAILABLE = 0x29,
    GM_MQTT_SHARED_AVAILABLE          = 0x2a,
    GM_MQTT_PROPERTY_COUNT            = 0x2b
} gm_mqtt_property;

// A property block, read or to be written. number[id] and text[id] mean something only where has(id).
typedef struct gm_mqtt_properties {
    uint64_t present;                             // bit per identifier
    uint32_t number[GM_MQTT_PROPERTY_COUNT];      // bytes, integers; the last subscription identifier
    gm_str   text[GM_MQTT_REASON_STRING + 1];     // strings, binary data
    gm_str   block;                               // read: the whole block, viewed. Written as it is behind the others.
} gm_mqtt_properties;

static inline bool gm_mqtt_has(const gm_mqtt_properties *p, gm_mqtt_property id)
{
    return (p->present >> id & 1) != 0;
}
void gm_mqtt_set_number(gm_mqtt_properties *p, gm_mqtt_property id, uint32_t value);
void gm_mqtt_set_text(gm_mqtt_properties *p, gm_mqtt_property id, gm_str value);

// What of a PUBLISH's (or a will's) properties goes on to subscribers unchanged: all but message expiry, topic alias
// and subscription identifiers; user properties in their order [MQTT-3.3.2-17..20]. out has room for block.len bytes.
// Returns the length.
size_t gm_mqtt_forwarded_properties(gm_str block, uint8_t *out);

// ---- reading ------------------------------------------------------------------------------------------------------
typedef enum gm_mqtt_sight { GM_MQTT_MORE, GM_MQTT_WHOLE, GM_MQTT_BROKEN } gm_mqtt_sight;

typedef struct gm_mqtt_frame {
    uint8_t type, flags;
    bool    padded;  // the remaining length takes more bytes than it needs: version 5 forbids that
    gm_str  body;    // WHOLE: variable header and payload, viewed
    size_t  size;    // of the whole packet; MORE: as far as known, else 0
} gm_mqtt_frame;

// Is there a whole packet at the front? BROKEN: type 0, wrong flags, a remaining length of more than four bytes, or a
// packet longer than packet_max. Everything that can be told from the first bytes is told before the rest has come.
gm_mqtt_sight gm_mqtt_look(const uint8_t *bytes, size_t n, size_t packet_max, gm_mqtt_frame *out, gm_mqtt_fault *fault);

typedef struct gm_mqtt_connect {
    uint8_t            level;        // GM_MQTT_V311, GM_MQTT_V5; another: nothing below is set, and fault.reason says
                                     // UNSUPPORTED_VERSION (answer with CONNACK, then close)
    bool               clean, has_will, has_username, has_password;
    uint8_t            will_qos;
    bool               will_retain;
    uint16_t           keep_alive_s;
    gm_str             client_id, will_topic, will_payload, username, password;
    gm_mqtt_properties properties, will_properties;
} gm_mqtt_connect;
gm_mqtt_fault gm_mqtt_read_connect(gm_str body, gm_mqtt_connect *out);

typedef struct gm_mqtt_publish {
    gm_str             topic, payload;  // topic may be empty in version 5 when there is a topic alias
    uint16_t           packet_id;       // 0 with QoS 0
    uint8_t            qos;
    bool               dup, retain;
    gm_mqtt_properties properties;      // present = 0 in version 3.1.1
} gm_mqtt_publish;
gm_mqtt_fault gm_mqtt_read_publish(uint8_t flags, gm_str body, uint8_t version, gm_mqtt_publish *out);

// PUBACK, PUBREC, PUBREL, PUBCOMP. reason is 0 in version 3.1.1.
typedef struct gm_mqtt_ack { uint16_t packet_id; uint8_t reason; } gm_mqtt_ack;
gm_mqtt_fault gm_mqtt_read_ack(uint8_t type, gm_str body, uint8_t version, gm_mqtt_ack *out);

// SUBSCRIBE and UNSUBSCRIBE; the filters are all checked and then walked:
//   gm_str rest = s.filters;
//   while (gm_mqtt_next_filter(type, &rest, &filter)) ...
typedef struct gm_mqtt_subscribe {
    uint16_t packet_id;
    uint32_t subscription_id;  // 0: none
    gm_str   filters;
    size_t   count;
} gm_mqtt_subscribe;
typedef struct gm_mqtt_filter {
    gm_str  filter;
    uint8_t qos;
    bool    no_local, retain_as_published;
    uint8_t retain_handling;
} gm_mqtt_filter;
gm_mqtt_fault gm_mqtt_read_subscribe(uint8_t type, gm_str body, uint8_t version, gm_mqtt_subscribe *out);
bool          gm_mqtt_next_filter(uint8_t type, gm_str *rest, gm_mqtt_filter *out);

// DISCONNECT, AUTH. An absent reason is 0.
typedef struct gm_mqtt_notice { uint8_t reason; gm_mqtt_properties properties; } gm_mqtt_notice;
gm_mqtt_fault gm_mqtt_read_notice(uint8_t type, gm_str body, uint8_t version, gm_mqtt_notice *out);

// ---- writing (appends to out; out->failed tells of refused memory) ------------------------------------------------
void gm_mqtt_write_connect(gm_buf *out, const gm_mqtt_connect *connect);
// reason: a return code (0..5) in version 3.1.1. properties may be NULL.
void gm_mqtt_write_connack(gm_buf *out, uint8_t version, bool session_present, uint8_t reason,
                           const gm_mqtt_properties *properties);
void gm_mqtt_write_ack(gm_buf *out, uint8_t type, uint8_t version, uint16_t packet_id, uint8_t reason);
void gm_mqtt_write_subscribe(gm_buf *out, uint8_t version, uint16_t packet_id, uint32_t subscription_id,
                             const gm_mqtt_filter *filters, size_t count);
void gm_mqtt_write_unsubscribe(gm_buf *out, uint8_t version, uint16_t packet_id, const gm_str *filters, size_t count);
// SUBACK and UNSUBACK; in version 3.1.1 an UNSUBACK has no codes.
void gm_mqtt_write_codes(gm_buf *out, uint8_t type, uint8_t version, uint16_t packet_id, const uint8_t *codes,
                         size_t count);
void gm_mqtt_write_empty(gm_buf *out, uint8_t type);  // PINGREQ, PINGRESP, DISCONNECT of 3.1.1
void gm_mqtt_write_notice(gm_buf *out, uint8_t type, uint8_t reason, const gm_mqtt_properties *properties); // version 5

typedef struct gm_mqtt_outgoing {
    gm_str          topic, payload;
    uint16_t        packet_id;
    uint8_t         qos;
    bool            dup, retain;
    gm_str          properties;              // version 5: a block as gm_mqtt_forwarded_properties made it
    bool            has_expiry;
    uint32_t        expiry_s;
    uint16_t        topic_alias;             // 0: none
    const uint32_t *subscription_ids;
    size_t          subscription_id_count;
} gm_mqtt_outgoing;
// The size of the packet, so that one that is too large for its receiver is not written at all.
size_t gm_mqtt_publish_size(uint8_t version, const gm_mqtt_outgoing *publish);
void   gm_mqtt_write_publish(gm_buf *out, uint8_t version, const gm_mqtt_outgoing *publish);

#endif
