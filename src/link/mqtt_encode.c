// Writing control packets.
#include "link/mqtt_codec.h"

#include "link/mqtt_wire.h"

static void put_header(gm_buf *out, uint8_t type, uint8_t flags, size_t remaining)
{
    gm_buf_byte(out, (uint8_t)(type << 4 | flags));
    gm_mqtt_put_varint(out, remaining);
}

static size_t block_size(size_t properties)
{
    return gm_mqtt_varint_size(properties) + properties;
}

void gm_mqtt_write_connect(gm_buf *out, const gm_mqtt_connect *c)
{
    bool   v5   = c->level >= GM_MQTT_V5;
    size_t size = 10 + 2 + c->client_id.len;
    if (v5) size += block_size(gm_mqtt_properties_size(&c->properties));
    if (c->has_will) size += 4 + c->will_topic.len + c->will_payload.len;
    if (c->has_will && v5) size += block_size(gm_mqtt_properties_size(&c->will_properties));
    if (c->has_username) size += 2 + c->username.len;
    if (c->has_password) size += 2 + c->password.len;
    put_header(out, GM_MQTT_CONNECT, 0, size);
    gm_mqtt_put_text(out, GM_STR("MQTT"));
    gm_buf_byte(out, c->level);
    gm_buf_byte(out, (uint8_t)(c->clean << 1 | c->has_will << 2 |
                               (c->has_will ? c->will_qos << 3 | c->will_retain << 5 : 0) | c->has_password << 6 |
                               c->has_username << 7));
    gm_mqtt_put_u16(out, c->keep_alive_s);
    if (v5) gm_mqtt_put_properties(out, &c->properties);
    gm_mqtt_put_text(out, c->client_id);
    if (c->has_will) {
        if (v5) gm_mqtt_put_properties(out, &c->will_properties);
        gm_mqtt_put_text(out, c->will_topic);
        gm_mqtt_put_text(out, c->will_payload);
    }
    if (c->has_username) gm_mqtt_put_text(out, c->username);
    if (c->has_password) gm_mqtt_put_text(out, c->password);
}

void gm_mqtt_write_connack(gm_buf *out, uint8_t version, bool session_present, uint8_t reason,
                           const gm_mqtt_properties *properties)
{
    bool v5 = version >= GM_MQTT_V5;
    put_header(out, GM_MQTT_CONNACK, 0, 2 + (v5 ? block_size(gm_mqtt_properties_size(properties)) : 0));
    gm_buf_byte(out, session_present);
    gm_buf_byte(out, reason);
    if (v5) gm_mqtt_put_properties(out, properties);
}

void gm_mqtt_write_ack(gm_buf *out, uint8_t type, uint8_t version, uint16_t packet_id, uint8_t reason)
{
    // The hot path of ingest: one reservation, four bytes. Success needs no reason code [MQTT5-3.4.2.1].
    bool     long_form = version >= GM_MQTT_V5 && reason != GM_MQTT_SUCCESS;
    uint8_t *to        = gm_buf_reserve(out, 5);
    if (to == NULL) return;
    to[0] = (uint8_t)(type << 4 | (type == GM_MQTT_PUBREL ? 2 : 0));
    to[1] = long_form ? 3 : 2;
    to[2] = (uint8_t)(packet_id >> 8);
    to[3] = (uint8_t)packet_id;
    to[4] = reason;
    out->len += long_form ? 5 : 4;
}

void gm_mqtt_write_subscribe(gm_buf *out, uint8_t version, uint16_t packet_id, uint32_t subscription_id,
                             const gm_mqtt_filter *filters, size_t count)
{
    gm_mqtt_properties p = { .block = { "", 0 } };
    if (subscription_id != 0) gm_mqtt_set_number(&p, GM_MQTT_SUBSCRIPTION_ID, subscription_id);
    bool   v5   = version >= GM_MQTT_V5;
    size_t size = 2 + (v5 ? block_size(gm_mqtt_properties_size(&p)) : 0);
    for (size_t i = 0; i < count; i++) size += 3 + filters[i].filter.len;
    put_header(out, GM_MQTT_SUBSCRIBE, 2, size);
    gm_mqtt_put_u16(out, packet_id);
    if (v5) gm_mqtt_put_properties(out, &p);
    for (size_t i = 0; i < count; i++) {
        const gm_mqtt_filter *f = &filters[i];
        gm_mqtt_put_text(out, f->filter);
        gm_buf_byte(
            out,
            (uint8_t)(f->qos | (v5 ? f->no_local << 2 | f->retain_as_published << 3 | f->retain_handling << 4 : 0)));
    }
}

void gm_mqtt_write_unsubscribe(gm_buf *out, uint8_t version, uint16_t packet_id, const gm_str *filters, size_t count)
{
    size_t size = version >= GM_MQTT_V5 ? 3 : 2;
    for (size_t i = 0; i < count; i++) size += 2 + filters[i].len;
    put_header(out, GM_MQTT_UNSUBSCRIBE, 2, size);
    gm_mqtt_put_u16(out, packet_id);
    if (version >= GM_MQTT_V5) gm_buf_byte(out, 0);
    for (size_t i = 0; i < count; i++) gm_mqtt_put_text(out, filters[i]);
}

void gm_mqtt_write_codes(gm_buf *out, uint8_t type, uint8_t version, uint16_t packet_id, const uint8_t *codes,
                         size_t count)
{
    bool v5 = version >= GM_MQTT_V5;
    if (type == GM_MQTT_UNSUBACK && !v5) count = 0;
    put_header(out, type, 0, (v5 ? 3 : 2) + count);
    gm_mqtt_put_u16(out, packet_id);
    if (v5) gm_buf_byte(out, 0);
    gm_buf_add(out, codes, count);
}

void gm_mqtt_write_empty(gm_buf *out, uint8_t type)
{
    put_header(out, type, 0, 0);
}

void gm_mqtt_write_notice(gm_buf *out, uint8_t type, uint8_t reason, const gm_mqtt_properties *properties)
{
    put_header(out, type, 0, 1 + block_size(gm_mqtt_properties_size(properties)));
    gm_buf_byte(out, reason);
    gm_mqtt_put_properties(out, properties);
}

static size_t outgoing_properties_size(const gm_mqtt_outgoing *p)
{
    size_t size = p->properties.len + (p->has_expiry ? 5 : 0) + (p->topic_alias != 0 ? 3 : 0);
    for (size_t i = 0; i < p->subscription_id_count; i++) size += 1 + gm_mqtt_varint_size(p->subscription_ids[i]);
    return size;
}

static size_t remaining_of_publish(uint8_t version, const gm_mqtt_outgoing *p)
{
    size_t properties = version >= GM_MQTT_V5 ? block_size(outgoing_properties_size(p)) : 0;
    return 2 + p->topic.len + (p->qos > 0 ? 2 : 0) + properties + p->payload.len;
}

size_t gm_mqtt_publish_size(uint8_t version, const gm_mqtt_outgoing *p)
{
    size_t remaining = remaining_of_publish(version, p);
    return 1 + gm_mqtt_varint_size(remaining) + remaining;
}

void gm_mqtt_write_publish(gm_buf *out, uint8_t version, const gm_mqtt_outgoing *p)
{
    put_header(out, GM_MQTT_PUBLISH, (uint8_t)((p->qos > 0 && p->dup) << 3 | p->qos << 1 | p->retain),
               remaining_of_publish(version, p));
    gm_mqtt_put_text(out, p->topic);
    if (p->qos > 0) gm_mqtt_put_u16(out, p->packet_id);
    if (version >= GM_MQTT_V5) {
        gm_mqtt_put_varint(out, outgoing_properties_size(p));
        if (p->has_expiry) {
            gm_buf_byte(out, GM_MQTT_MESSAGE_EXPIRY);
            gm_mqtt_put_u32(out, p->expiry_s);
        }
        if (p->topic_alias != 0) {
            gm_buf_byte(out, GM_MQTT_TOPIC_ALIAS);
            gm_mqtt_put_u16(out, p->topic_alias);
        }
        for (size_t i = 0; i < p->subscription_id_count; i++) {
            gm_buf_byte(out, GM_MQTT_SUBSCRIPTION_ID);
            gm_mqtt_put_varint(out, p->subscription_ids[i]);
        }
        gm_buf_str(out, p->properties);
    }
    gm_buf_str(out, p->payload);
}
