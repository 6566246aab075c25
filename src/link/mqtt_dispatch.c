// From a packet to its handler, and what each kind of sender may send.
#include "link/mqtt_durable.h"

const gm_mqtt_fault gm_mqtt_length_fault = { "[MQTT5-1.5.5-1] the remaining length takes more bytes than it needs", GM_MQTT_MALFORMED };

static const gm_mqtt_fault first_not_connect = { "[MQTT-3.1.0-1] the first packet is not a CONNECT",
                                                 GM_MQTT_PROTOCOL_ERROR };
static const gm_mqtt_fault not_for_servers   = { "a packet that only servers send", GM_MQTT_PROTOCOL_ERROR };

static void on_ping(gm_mqtt_connection *c, gm_str body)
{
    if (body.len > 0) {
        gm_mqtt_condemn_fault(c, (gm_mqtt_fault){ "[MQTT-3.12] a PINGREQ has a body", GM_MQTT_MALFORMED });
        return;
    }
    gm_mqtt_write_empty(&c->out, GM_MQTT_PINGRESP);
    gm_mqtt_flush_later(c);
}

static gm_mqtt_verdict on_acknowledgement(gm_mqtt_connection *c, uint8_t type, gm_str body)
{
    gm_mqtt_ack   ack;
    gm_mqtt_fault fault = gm_mqtt_read_ack(type, body, c->version, &ack);
    if (fault.rule == NULL) return type == GM_MQTT_PUBREL ? gm_mqtt_on_pubrel(c, &ack) : gm_mqtt_on_ack(c, type, &ack);
    gm_mqtt_condemn_fault(c, fault);
    return GM_MQTT_HANDLED;
}

// Packets that a durable session can only answer with a record wait while the batch is full, as PUBLISH does.
static bool waits_for_room(const gm_mqtt_connection *c, uint8_t type)
{
    bool record = type == GM_MQTT_CONNECT || (c->session != NULL && c->session->durable &&
                                              (type == GM_MQTT_SUBSCRIBE || type == GM_MQTT_UNSUBSCRIBE ||
                                               type == GM_MQTT_PUBREC || type == GM_MQTT_PUBREL));
    return record && c->server->durable && gm_log_status(gm_engine_log(c->server->engine), NULL) == GM_LIMIT;
}

gm_mqtt_verdict gm_mqtt_handle(gm_mqtt_connection *c, const gm_mqtt_frame *frame)
{
    if (frame->padded && c->version >= GM_MQTT_V5) {
        gm_mqtt_condemn_fault(c, gm_mqtt_length_fault);
        return GM_MQTT_HANDLED;
    }
    if (waits_for_room(c, frame->type)) return GM_MQTT_LATER;
    if (c->session == NULL) {
        if (frame->type == GM_MQTT_CONNECT) return gm_mqtt_on_connect(c, frame);
        gm_mqtt_condemn_fault(c, first_not_connect);
        return GM_MQTT_HANDLED;
    }
    switch (frame->type) {
    case GM_MQTT_PUBLISH: return gm_mqtt_on_publish(c, frame->flags, frame->body);
    case GM_MQTT_PUBACK:
    case GM_MQTT_PUBREC:
    case GM_MQTT_PUBREL:
    case GM_MQTT_PUBCOMP: return on_acknowledgement(c, frame->type, frame->body);
    case GM_MQTT_SUBSCRIBE:
    case GM_MQTT_UNSUBSCRIBE: return gm_mqtt_on_subscribe(c, frame->type, frame->body);
    case GM_MQTT_PINGREQ: on_ping(c, frame->body); break;
    case GM_MQTT_DISCONNECT: gm_mqtt_on_disconnect(c, frame->body); break;
    case GM_MQTT_CONNECT:
        gm_mqtt_condemn_fault(c, (gm_mqtt_fault){ "[MQTT-3.1.0-2] a second CONNECT", GM_MQTT_PROTOCOL_ERROR });
        break;
    case GM_MQTT_AUTH:
        gm_mqtt_condemn_fault(c, (gm_mqtt_fault) { "an AUTH packet, but no authentication method was agreed on",
                                                   GM_MQTT_PROTOCOL_ERROR });
        break;
    default: gm_mqtt_condemn_fault(c, not_for_servers); break;
    }
    return GM_MQTT_HANDLED;
}
