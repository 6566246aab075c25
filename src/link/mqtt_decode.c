// Reading control packets. The rule numbers are those of MQTT 3.1.1 where both versions have the rule.
#include "link/mqtt_codec.h"

#include "link/mqtt_wire.h"
#include "link/topic.h"

#include <assert.h>

static gm_mqtt_fault fault_of(uint8_t reason, const char *rule)
{
    return (gm_mqtt_fault){ rule, reason };
}

static const char *flags_rule(uint8_t type, uint8_t flags)
{
    switch (type) {
    case 0: return "[MQTT-2.2.1] packet type 0 is reserved";
    case GM_MQTT_PUBLISH:
        if ((flags & 0x06) == 0x06) return "[MQTT-3.3.1-4] a PUBLISH has both QoS bits set";
        if ((flags & 0x0e) == 0x08) return "[MQTT-3.3.1-2] a PUBLISH with QoS 0 has DUP set";
        return NULL;
    case GM_MQTT_PUBREL: return flags == 2 ? NULL : "[MQTT-3.6.1-1] the flags of a PUBREL are not 0010";
    case GM_MQTT_SUBSCRIBE: return flags == 2 ? NULL : "[MQTT-3.8.1-1] the flags of a SUBSCRIBE are not 0010";
    case GM_MQTT_UNSUBSCRIBE: return flags == 2 ? NULL : "[MQTT-3.10.1-1] the flags of an UNSUBSCRIBE are not 0010";
    default: return flags == 0 ? NULL : "[MQTT-2.2.2-2] reserved flags of the fixed header are set";
    }
}

gm_mqtt_sight gm_mqtt_look(const uint8_t *bytes, size_t n, size_t packet_max, gm_mqtt_frame *out, gm_mqtt_fault *fault)
{
    out->size = 0;
    if (n == 0) return GM_MQTT_MORE;
    out->type        = bytes[0] >> 4;
    out->flags       = bytes[0] & 0x0f;
    const char *rule = flags_rule(out->type, out->flags);
    if (rule != NULL) {
        *fault = fault_of(GM_MQTT_MALFORMED, rule);
        return GM_MQTT_BROKEN;
    }
    size_t remaining = 0, header = 1;
    for (int shift = 0;; shift += 7) {
        if (header > 4) {
            *fault = fault_of(GM_MQTT_MALFORMED, "[MQTT-2.2.3] the remaining length has more than four bytes");
            return GM_MQTT_BROKEN;
        }
        if (header >= n) return GM_MQTT_MORE;
        uint8_t byte = bytes[header++];
        remaining |= (size_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) != 0) continue;
        out->padded = shift > 0 && byte == 0;
        break;
    }
    out->size = header + remaining;
    if (out->size > packet_max) {
        *fault = fault_of(GM_MQTT_PACKET_TOO_LARGE, "the packet is larger than this server accepts");
        return GM_MQTT_BROKEN;
    }
    if (out->size > n) return GM_MQTT_MORE;
    out->body = (gm_str){ (const char *)bytes + header, remaining };
    return GM_MQTT_WHOLE;
}

// Ends a body: nothing may be left over.
static gm_mqtt_fault finish(gm_mqtt_reader *r)
{
    if (r->fault.rule == NULL && r->at != r->end)
        gm_mqtt_break(r, GM_MQTT_MALFORMED, "bytes are left over behind the packet's last field");
    return r->fault;
}

// A name to publish to; text is known to be UTF-8.
static gm_str take_topic_name(gm_mqtt_reader *r, bool may_be_empty)
{
    gm_str topic = gm_mqtt_take_bytes(r);
    if (r->fault.rule != NULL || gm_topic_is_plain(topic)) return topic;
    if (topic.len == 0) {
        if (!may_be_empty) gm_mqtt_break(r, GM_MQTT_PROTOCOL_ERROR, "[MQTT-4.7.3-1] a topic name is empty");
        return topic;
    }
    const char *rule = gm_topic_name_rule(topic);
    if (rule != NULL)
        gm_mqtt_break(r, strncmp(rule, "[MQTT-1.", 8) == 0 ? GM_MQTT_MALFORMED : GM_MQTT_TOPIC_INVALID, rule);
    return topic;
}

static void check_response_topic(gm_mqtt_reader *r, const gm_mqtt_properties *p)
{
    if (!gm_mqtt_has(p, GM_MQTT_RESPONSE_TOPIC)) return;
    if (gm_topic_name_rule(p->text[GM_MQTT_RESPONSE_TOPIC]) != NULL) {
        gm_mqtt_break(r, GM_MQTT_PROTOCOL_ERROR, "[MQTT5-3.3.2-14] the response topic contains wildcards or is empty");
    }
}

// The reason codes of answers and good-byes, whoever sends them (tables of sections 3.4 to 3.7 and 3.14 of version 5).
static bool is_reason_of(uint8_t type, uint8_t reason)
{
    static const uint8_t receipts[] = { 0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99 };
    static const uint8_t goodbyes[] = { 0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94,
                                        0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2 };
    if (type == GM_MQTT_PUBREL || type == GM_MQTT_PUBCOMP) return reason == GM_MQTT_SUCCESS || reason == GM_MQTT_PACKET_ID_NOT_FOUND;
    if (type == GM_MQTT_DISCONNECT) return memchr(goodbyes, reason, sizeof goodbyes) != NULL;
    return type == GM_MQTT_AUTH || memchr(receipts, reason, sizeof receipts) != NULL;
}

static void take_reason(gm_mqtt_reader *r, uint8_t type, uint8_t *out_reason)
{
    *out_reason = gm_mqtt_take_byte(r);
    if (!is_reason_of(type, *out_reason)) gm_mqtt_break(r, GM_MQTT_PROTOCOL_ERROR, "[MQTT5-3.4.2-1] a reason code that this packet does not have");
}

// ---- CONNECT ------------------------------------------------------------------------------------------------------
enum {
    FLAG_RESERVED    = 0x01,
    FLAG_CLEAN       = 0x02,
    FLAG_WILL        = 0x04,
    FLAG_WILL_RETAIN = 0x20,
    FLAG_PASSWORD    = 0x40,
    FLAG_USERNAME    = 0x80
};

static void read_connect_flags(gm_mqtt_reader *r, gm_mqtt_connect *out)
{
    uint8_t flags     = gm_mqtt_take_byte(r);
    out->clean        = (flags & FLAG_CLEAN) != 0;
    out->has_will     = (flags & FLAG_WILL) != 0;
    out->will_qos     = flags >> 3 & 3;
    out->will_retain  = (flags & FLAG_WILL_RETAIN) != 0;
    out->has_password = (flags & FLAG_PASSWORD) != 0;
    out->has_username = (flags & FLAG_USERNAME) != 0;
    if (flags & FLAG_RESERVED)
        gm_mqtt_break(r, GM_MQTT_MALFORMED, "[MQTT-3.1.2-3] the reserved bit of the connect flags is set");
    if (!out->has_will && out->will_qos != 0)
        gm_mqtt_break(r, GM_MQTT_MALFORMED, "[MQTT-3.1.2-13] a will QoS without a will");
    if (!out->has_will && out->will_retain)
        gm_mqtt_break(r, GM_MQTT_MALFORMED, "[MQTT-3.1.2-15] will retain without a will");
    if (out->will_qos == 3) gm_mqtt_break(r, GM_MQTT_MALFORMED, "[MQTT-3.1.2-14] the will QoS is 3");
    if (out->level < GM_MQTT_V5 && out->has_password && !out->has_username) {
        gm_mqtt_break(r, GM_MQTT_MALFORMED, "[MQTT-3.1.2-22] a password without a user name");
    }
}

static void read_will(gm_mqtt_reader *r, gm_mqtt_connect *out)
{
    if (out->level >= GM_MQTT_V5) {
        gm_mqtt_take_properties(r, GM_MQTT_WILL, &out->will_properties);
        check_response_topic(r, &out->will_properties);
    }
    out->will_topic   = take_topic_name(r, false);
    out->will_payload = gm_mqtt_take_bytes(r);
}

gm_mqtt_fault gm_mqtt_read_connect(gm_str body, gm_mqtt_connect *out)
{
    gm_mqtt_reader r             = gm_mqtt_reader_of(body);
    out->properties.present      = 0;
    out->will_properties.present = 0;
    out->will_properties.block   = (gm_str){ "", 0 };
    out->properties.block        = (gm_str){ "", 0 };
    out->will_topic = out->will_payload = out->username = out->password = (gm_str){ "", 0 };

    gm_str name = gm_mqtt_take_bytes(&r);
    out->level  = gm_mqtt_take_byte(&r);
    if (r.fault.rule != NULL) return r.fault;
    if (!gm_str_is(name, "MQTT")) {
        out->level = 0;  // of whatever protocol that is: not one to answer in
        // The oldest clients say "MQIsdp" and level 3; they deserve the answer that tells them why.
        if (gm_str_is(name, "MQIsdp"))
            return fault_of(GM_MQTT_UNSUPPORTED_VERSION, "[MQTT-3.1.2-2] MQTT 3.1 is not supported");
        return fault_of(GM_MQTT_MALFORMED, "[MQTT-3.1.2-1] the protocol name is not MQTT");
    }
    if (out->level != GM_MQTT_V311 && out->level != GM_MQTT_V5) {
        return fault_of(GM_MQTT_UNSUPPORTED_VERSION, "[MQTT-3.1.2-2] the protocol level is neither 4 nor 5");
    }
    read_connect_flags(&r, out);
    out->keep_alive_s = gm_mqtt_take_u16(&r);
    if (out->level >= GM_MQTT_V5) gm_mqtt_take_properties(&r, GM_MQTT_CONNECT, &out->properties);
    out->client_id = gm_mqtt_take_text(&r);
    if (out->has_will) read_will(&r, out);
    if (out->has_username) out->username = gm_mqtt_take_text(&r);
    if (out->has_password) out->password = gm_mqtt_take_bytes(&r);
    if (gm_mqtt_has(&out->properties, GM_MQTT_AUTHENTICATION_DATA) &&
        !gm_mqtt_has(&out->properties, GM_MQTT_AUTHENTICATION_METHOD)) {
        gm_mqtt_break(&r, GM_MQTT_PROTOCOL_ERROR, "[MQTT5-3.1.2.11.10] authentication data without a method");
    }
    return finish(&r);
}

// ---- PUBLISH and its acknowledgements -----------------------------------------------------------------------------
gm_mqtt_fault gm_mqtt_read_publish(uint8_t flags, gm_str body, uint8_t version, gm_mqtt_publish *out)
{
    gm_mqtt_reader r        = gm_mqtt_reader_of(body);
    out->dup                = (flags & 8) != 0;
    out->qos                = flags >> 1 & 3;
    out->retain             = (flags & 1) != 0;
    out->packet_id          = 0;
    out->properties.present = 0;
    out->properties.block   = (gm_str){ "", 0 };
    out->topic              = take_topic_name(&r, version >= GM_MQTT_V5);
    if (out->qos > 0) {
        out->packet_id = gm_mqtt_take_u16(&r);
        if (r.fault.rule == NULL && out->packet_id == 0) {
            gm_mqtt_break(&r, GM_MQTT_PROTOCOL_ERROR, "[MQTT-2.3.1-1] the packet identifier is 0");
        }
    }
    if (version >= GM_MQTT_V5) {
        gm_mqtt_take_properties(&r, GM_MQTT_PUBLISH, &out->properties);
        if (gm_mqtt_has(&out->properties, GM_MQTT_TOPIC_ALIAS) && out->properties.number[GM_MQTT_TOPIC_ALIAS] == 0) {
            gm_mqtt_break(&r, GM_MQTT_TOPIC_ALIAS_INVALID, "[MQTT5-3.3.2-8] the topic alias is 0");
        }
        if (r.fault.rule == NULL && out->topic.len == 0 && !gm_mqtt_has(&out->properties, GM_MQTT_TOPIC_ALIAS)) {
            gm_mqtt_break(&r, GM_MQTT_PROTOCOL_ERROR, "[MQTT5-3.3.2-8] an empty topic name without a topic alias");
        }
        check_response_topic(&r, &out->properties);
    }
    out->payload = (gm_str){ (const char *)r.at, gm_mqtt_left(&r) };
    return r.fault;
}

gm_mqtt_fault gm_mqtt_read_ack(uint8_t type, gm_str body, uint8_t version, gm_mqtt_ack *out)
{
    gm_mqtt_reader r = gm_mqtt_reader_of(body);
    out->packet_id   = gm_mqtt_take_u16(&r);
    out->reason      = GM_MQTT_SUCCESS;
    if (r.fault.rule == NULL && out->packet_id == 0)
        gm_mqtt_break(&r, GM_MQTT_PROTOCOL_ERROR, "[MQTT-2.3.1-1] the packet identifier is 0");
    if (version >= GM_MQTT_V5 && gm_mqtt_left(&r) > 0) {
        gm_mqtt_properties properties;
        take_reason(&r, type, &out->reason);
        if (gm_mqtt_left(&r) > 0) gm_mqtt_take_properties(&r, type, &properties);
    }
    return finish(&r);
}

// ---- SUBSCRIBE, UNSUBSCRIBE ---------------------------------------------------------------------------------------
static void check_options(gm_mqtt_reader *r, uint8_t options, uint8_t version, gm_str filter)
{
    if ((options & 3) == 3) gm_mqtt_break(r, GM_MQTT_MALFORMED, "[MQTT-3.8.3-4] the requested QoS is 3");
    if (version < GM_MQTT_V5) {
        if (options & 0xfc)
            gm_mqtt_break(r, GM_MQTT_MALFORMED, "[MQTT-3.8.3-4] reserved bits of the requested QoS are set");
        return;
    }
    if (options & 0xc0)
        gm_mqtt_break(r, GM_MQTT_MALFORMED, "[MQTT5-3.8.3-5] reserved bits of the subscription options are set");
    if ((options >> 4 & 3) == 3) gm_mqtt_break(r, GM_MQTT_PROTOCOL_ERROR, "[MQTT5-3.8.3.1] the retain handling is 3");
    if ((options & 4) && gm_topic_is_shared(filter)) {
        gm_mqtt_break(r, GM_MQTT_PROTOCOL_ERROR, "[MQTT5-3.8.3-4] no-local on a shared subscription");
    }
}

gm_mqtt_fault gm_mqtt_read_subscribe(uint8_t type, gm_str body, uint8_t version, gm_mqtt_subscribe *out)
{
    assert(type == GM_MQTT_SUBSCRIBE || type == GM_MQTT_UNSUBSCRIBE);
    gm_mqtt_reader r     = gm_mqtt_reader_of(body);
    out->subscription_id = 0;
    out->packet_id       = gm_mqtt_take_u16(&r);
    if (r.fault.rule == NULL && out->packet_id == 0)
        gm_mqtt_break(&r, GM_MQTT_PROTOCOL_ERROR, "[MQTT-2.3.1-1] the packet identifier is 0");
    if (version >= GM_MQTT_V5) {
        gm_mqtt_properties p;
        gm_mqtt_take_properties(&r, type, &p);
        if (r.fault.rule == NULL && gm_mqtt_has(&p, GM_MQTT_SUBSCRIPTION_ID))
            out->subscription_id = p.number[GM_MQTT_SUBSCRIPTION_ID];
    }
    out->filters = (gm_str){ (const char *)r.at, gm_mqtt_left(&r) };
    out->count   = 0;
    while (gm_mqtt_left(&r) > 0) {
        gm_str filter = gm_mqtt_take_text(&r);
        if (r.fault.rule != NULL) break;
        const char *rule = gm_topic_filter_rule(filter, version >= GM_MQTT_V5);
        if (rule != NULL) gm_mqtt_break(&r, GM_MQTT_FILTER_INVALID, rule);
        else if (type == GM_MQTT_SUBSCRIBE) check_options(&r, gm_mqtt_take_byte(&r), version, filter);
        out->count++;
    }
    if (r.fault.rule == NULL && out->count == 0) {
        gm_mqtt_break(&r, GM_MQTT_PROTOCOL_ERROR,
                      type == GM_MQTT_SUBSCRIBE ? "[MQTT-3.8.3-3] a SUBSCRIBE without a topic filter"
                                                : "[MQTT-3.10.3-2] an UNSUBSCRIBE without a topic filter");
    }
    return r.fault;
}

bool gm_mqtt_next_filter(uint8_t type, gm_str *rest, gm_mqtt_filter *out)
{
    if (rest->len == 0) return false;
    gm_mqtt_reader r       = gm_mqtt_reader_of(*rest);
    *out                   = (gm_mqtt_filter){ .filter = gm_mqtt_take_bytes(&r) };
    uint8_t options        = type == GM_MQTT_SUBSCRIBE ? gm_mqtt_take_byte(&r) : 0;
    out->qos               = options & 3;
    out->no_local          = (options & 4) != 0;
    out->retain_as_published = (options & 8) != 0;
    out->retain_handling   = options >> 4 & 3;
    assert(r.fault.rule == NULL);  // gm_mqtt_read_subscribe has walked them all
    *rest = (gm_str){ (const char *)r.at, gm_mqtt_left(&r) };
    return true;
}

// ---- DISCONNECT, AUTH ---------------------------------------------------------------------------------------------
gm_mqtt_fault gm_mqtt_read_notice(uint8_t type, gm_str body, uint8_t version, gm_mqtt_notice *out)
{
    gm_mqtt_reader r        = gm_mqtt_reader_of(body);
    out->reason             = GM_MQTT_SUCCESS;
    out->properties.present = 0;
    if (version >= GM_MQTT_V5 && gm_mqtt_left(&r) > 0) {
        take_reason(&r, type, &out->reason);
        if (gm_mqtt_left(&r) > 0) gm_mqtt_take_properties(&r, type, &out->properties);
    }
    return finish(&r);
}
