// Property blocks of version 5 (section 2.2.2): one table says what each identifier is and where it may stand.
#include "link/mqtt_wire.h"

#include "base/utf8.h"

#include <assert.h>

typedef enum shape { NOTHING, BYTE, FLAG, U16, U32, VARINT, TEXT, BYTES, PAIR } shape;

#define IN(type) (1u << (type))
enum {
    WILL    = IN(GM_MQTT_WILL),
    MESSAGE = IN(GM_MQTT_PUBLISH) | WILL,
    ACKS    = IN(GM_MQTT_PUBACK) | IN(GM_MQTT_PUBREC) | IN(GM_MQTT_PUBREL) | IN(GM_MQTT_PUBCOMP),
    CON     = IN(GM_MQTT_CONNECT),
    CONACK  = IN(GM_MQTT_CONNACK),
    BYE     = IN(GM_MQTT_DISCONNECT),
    AUTH    = IN(GM_MQTT_AUTH),
    REPLIES = ACKS | CONACK | IN(GM_MQTT_SUBACK) | IN(GM_MQTT_UNSUBACK) | BYE | AUTH,
};

static const struct { uint8_t shape; bool not_zero; uint32_t where;
} kinds[GM_MQTT_PROPERTY_COUNT] = {
    [GM_MQTT_PAYLOAD_FORMAT]            = { FLAG, false, MESSAGE },
    [GM_MQTT_MESSAGE_EXPIRY]            = { U32, false, MESSAGE },
    [GM_MQTT_CONTENT_TYPE]              = { TEXT, false, MESSAGE },
    [GM_MQTT_RESPONSE_TOPIC]            = { TEXT, false, MESSAGE },
    [GM_MQTT_CORRELATION_DATA]          = { BYTES, false, MESSAGE },
    [GM_MQTT_SUBSCRIPTION_ID]           = { VARINT, true, IN(GM_MQTT_PUBLISH) | IN(GM_MQTT_SUBSCRIBE) },
    [GM_MQTT_SESSION_EXPIRY]            = { U32, false, CON | CONACK | BYE },
    [GM_MQTT_ASSIGNED_CLIENT_ID]        = { TEXT, false, CONACK },
    [GM_MQTT_SERVER_KEEP_ALIVE]         = { U16, false, CONACK },
    [GM_MQTT_AUTHENTICATION_METHOD]     = { TEXT, false, CON | CONACK | AUTH },
    [GM_MQTT_AUTHENTICATION_DATA]       = { BYTES, false, CON | CONACK | AUTH },
    [GM_MQTT_REQUEST_PROBLEM]           = { FLAG, false, CON },
    [GM_MQTT_WILL_DELAY]                = { U32, false, WILL },
    [GM_MQTT_REQUEST_RESPONSE]          = { FLAG, false, CON },
    [GM_MQTT_RESPONSE_INFORMATION]      = { TEXT, false, CONACK },
    [GM_MQTT_SERVER_REFERENCE]          = { TEXT, false, CONACK | BYE },
    [GM_MQTT_REASON_STRING]             = { TEXT, false, REPLIES },
    [GM_MQTT_RECEIVE_MAXIMUM]           = { U16, true, CON | CONACK },
    [GM_MQTT_TOPIC_ALIAS_MAXIMUM]       = { U16, false, CON | CONACK },
    [GM_MQTT_TOPIC_ALIAS]               = { U16, false, IN(GM_MQTT_PUBLISH) }, // 0 has a reason code of its own
    [GM_MQTT_MAXIMUM_QOS]               = { FLAG, false, CONACK },
    [GM_MQTT_RETAIN_AVAILABLE]          = { FLAG, false, CONACK },
    [GM_MQTT_USER_PROPERTY]             = { PAIR, false,
                                            MESSAGE | REPLIES | CON | IN(GM_MQTT_SUBSCRIBE) | IN(GM_MQTT_UNSUBSCRIBE) },
    [GM_MQTT_MAXIMUM_PACKET_SIZE]       = { U32, true, CON | CONACK },
    [GM_MQTT_WILDCARD_AVAILABLE]        = { FLAG, false, CONACK },
    [GM_MQTT_SUBSCRIPTION_ID_AVAILABLE] = { FLAG, false, CONACK },
    [GM_MQTT_SHARED_AVAILABLE]          = { FLAG, false, CONACK },
};

static shape shape_of(uint32_t id)
{
    return id < GM_MQTT_PROPERTY_COUNT ? (shape)kinds[id].shape : NOTHING;
}

void gm_mqtt_set_number(gm_mqtt_properties *p, gm_mqtt_property id, uint32_t value)
{
    assert(shape_of(id) >= BYTE && shape_of(id) <= VARINT);
    p->number[id] = value;
    p->present |= UINT64_C(1) << id;
}

void gm_mqtt_set_text(gm_mqtt_properties *p, gm_mqtt_property id, gm_str value)
{
    assert(shape_of(id) == TEXT || shape_of(id) == BYTES);
    p->text[id] = value;
    p->present |= UINT64_C(1) << id;
}

uint8_t gm_mqtt_take_byte(gm_mqtt_reader *r)
{
    if (r->at < r->end) return *r->at++;
    gm_mqtt_break(r, GM_MQTT_MALFORMED, "the packet ends in the middle of a field");
    return 0;
}

uint16_t gm_mqtt_take_u16(gm_mqtt_reader *r)
{
    if (gm_mqtt_left(r) < 2) {
        gm_mqtt_break(r, GM_MQTT_MALFORMED, "the packet ends in the middle of a field");
        return 0;
    }
    uint16_t value = (uint16_t)(r->at[0] << 8 | r->at[1]);
    r->at += 2;
    return value;
}

uint32_t gm_mqtt_take_u32(gm_mqtt_reader *r)
{
    uint32_t high = gm_mqtt_take_u16(r);
    return high << 16 | gm_mqtt_take_u16(r);
}

uint32_t gm_mqtt_take_varint(gm_mqtt_reader *r)
{
    uint32_t value = 0;
    for (int shift = 0; shift < 28; shift += 7) {
        uint8_t byte = gm_mqtt_take_byte(r);
        value |= (uint32_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            if (shift > 0 && byte == 0) {
                gm_mqtt_break(r, GM_MQTT_MALFORMED,
                              "[MQTT-1.5.5-1] a variable byte integer takes more bytes than it needs");
            }
            return value;
        }
    }
    gm_mqtt_break(r, GM_MQTT_MALFORMED, "[MQTT-1.5.5-1] a variable byte integer has more than four bytes");
    return 0;
}

gm_str gm_mqtt_take_bytes(gm_mqtt_reader *r)
{
    size_t len = gm_mqtt_take_u16(r);
    if (gm_mqtt_left(r) < len) {
        gm_mqtt_break(r, GM_MQTT_MALFORMED, "the packet ends in the middle of a field");
        return (gm_str){ "", 0 };
    }
    gm_str bytes = { (const char *)r->at, len };
    r->at += len;
    return bytes;
}

gm_str gm_mqtt_take_text(gm_mqtt_reader *r)
{
    gm_str text = gm_mqtt_take_bytes(r);
    if (!gm_utf8_valid(text)) gm_mqtt_break(r, GM_MQTT_MALFORMED, "[MQTT-1.5.3-1] a text is not valid UTF-8");
    if (text.len > 0 && memchr(text.ptr, 0, text.len) != NULL) {
        gm_mqtt_break(r, GM_MQTT_MALFORMED, "[MQTT-1.5.3-2] a text contains the character U+0000");
    }
    return text;
}

static void take_value(gm_mqtt_reader *r, uint32_t id, gm_mqtt_properties *out)
{
    switch (shape_of(id)) {
    case BYTE:
    case FLAG:   out->number[id] = gm_mqtt_take_byte(r); break;
    case U16:    out->number[id] = gm_mqtt_take_u16(r); break;
    case U32:    out->number[id] = gm_mqtt_take_u32(r); break;
    case VARINT: out->number[id] = gm_mqtt_take_varint(r); break;
    case TEXT:   out->text[id] = gm_mqtt_take_text(r); break;
    case BYTES:  out->text[id] = gm_mqtt_take_bytes(r); break;
    case PAIR:
        (void)gm_mqtt_take_text(r);
        (void)gm_mqtt_take_text(r);
        break;
    case NOTHING: break;
    }
}

void gm_mqtt_take_properties(gm_mqtt_reader *r, uint8_t packet, gm_mqtt_properties *out)
{
    out->present = 0;
    out->block   = (gm_str){ "", 0 };
    size_t len   = gm_mqtt_take_varint(r);
    if (len == 0) return;
    if (len > gm_mqtt_left(r)) {
        gm_mqtt_break(r, GM_MQTT_MALFORMED, "the properties are longer than the packet");
        return;
    }
    out->block             = (gm_str){ (const char *)r->at, len };
    gm_mqtt_reader inside  = gm_mqtt_reader_of(out->block);
    while (gm_mqtt_left(&inside) > 0) {
        uint32_t id = gm_mqtt_take_varint(&inside);
        if (shape_of(id) == NOTHING) {
            gm_mqtt_break(&inside, GM_MQTT_MALFORMED, "a property has an unknown identifier");
            break;
        }
        if ((kinds[id].where >> packet & 1) == 0) {
            gm_mqtt_break(&inside, GM_MQTT_MALFORMED, "a property stands in a packet in which it has no meaning");
            break;
        }
        take_value(&inside, id, out);
        if (inside.fault.rule != NULL) break;
        if (shape_of(id) == FLAG && out->number[id] > 1) {
            gm_mqtt_break(&inside, GM_MQTT_PROTOCOL_ERROR, "a property that is a yes or no is neither 0 nor 1");
        }
        if (kinds[id].not_zero && out->number[id] == 0) {
            gm_mqtt_break(&inside, GM_MQTT_PROTOCOL_ERROR, "a property that must not be 0 is 0");
        }
        bool repeatable = id == GM_MQTT_USER_PROPERTY || (id == GM_MQTT_SUBSCRIPTION_ID && packet == GM_MQTT_PUBLISH);
        if ((out->present >> id & 1) != 0 && !repeatable) {
            gm_mqtt_break(&inside, GM_MQTT_PROTOCOL_ERROR, "a property stands twice");
        }
        out->present |= UINT64_C(1) << id;
    }
    if (inside.fault.rule != NULL) gm_mqtt_break(r, inside.fault.reason, inside.fault.rule);
    else r->at += len;
}

size_t gm_mqtt_forwarded_properties(gm_str block, uint8_t *out)
{
    gm_mqtt_reader     r = gm_mqtt_reader_of(block);
    gm_mqtt_properties ignored;
    size_t             len = 0;
    while (gm_mqtt_left(&r) > 0) {
        const uint8_t *start = r.at;
        uint32_t       id    = gm_mqtt_take_varint(&r);
        take_value(&r, id, &ignored);
        if (r.fault.rule != NULL || shape_of(id) == NOTHING)
            break; // can not be: the block was checked when it was read
        if (id == GM_MQTT_MESSAGE_EXPIRY || id == GM_MQTT_TOPIC_ALIAS || id == GM_MQTT_SUBSCRIPTION_ID ||
            id == GM_MQTT_WILL_DELAY) {
            continue;
        }
        memcpy(out + len, start, (size_t)(r.at - start));
        len += (size_t)(r.at - start);
    }
    return len;
}

// ---- writing ------------------------------------------------------------------------------------------------------
size_t gm_mqtt_varint_size(size_t value)
{
    return value < 128 ? 1 : value < 16384 ? 2 : value < 2097152 ? 3 : 4;
}

void gm_mqtt_put_varint(gm_buf *out, size_t value)
{
    do {
        uint8_t byte = (uint8_t)(value & 0x7f);
        value >>= 7;
        gm_buf_byte(out, value > 0 ? byte | 0x80 : byte);
    } while (value > 0);
}

void gm_mqtt_put_u16(gm_buf *out, uint16_t value)
{
    uint8_t bytes[2] = { (uint8_t)(value >> 8), (uint8_t)value };
    gm_buf_add(out, bytes, 2);
}

void gm_mqtt_put_u32(gm_buf *out, uint32_t value)
{
    gm_mqtt_put_u16(out, (uint16_t)(value >> 16));
    gm_mqtt_put_u16(out, (uint16_t)value);
}

void gm_mqtt_put_text(gm_buf *out, gm_str text)
{
    assert(text.len <= UINT16_MAX);
    gm_mqtt_put_u16(out, (uint16_t)text.len);
    gm_buf_str(out, text);
}

static size_t value_size(const gm_mqtt_properties *p, uint32_t id)
{
    switch (shape_of(id)) {
    case BYTE:
    case FLAG:   return 1;
    case U16:    return 2;
    case U32:    return 4;
    case VARINT: return gm_mqtt_varint_size(p->number[id]);
    case TEXT:
    case BYTES:  return 2 + p->text[id].len;
    default:     return 0;
    }
}

// User properties are written as they came, from the block; everything else from number and text.
static bool is_written(const gm_mqtt_properties *p, uint32_t id)
{
    return (p->present >> id & 1) != 0 && shape_of(id) != NOTHING && shape_of(id) != PAIR;
}

size_t gm_mqtt_properties_size(const gm_mqtt_properties *p)
{
    if (p == NULL) return 0;
    size_t size = p->block.len;
    for (uint32_t id = 1; id < GM_MQTT_PROPERTY_COUNT; id++) {
        if (is_written(p, id)) size += 1 + value_size(p, id);
    }
    return size;
}

void gm_mqtt_put_properties(gm_buf *out, const gm_mqtt_properties *p)
{
    gm_mqtt_put_varint(out, gm_mqtt_properties_size(p));
    for (uint32_t id = 1; p != NULL && id < GM_MQTT_PROPERTY_COUNT; id++) {
        if (!is_written(p, id)) continue;
        gm_buf_byte(out, (uint8_t)id);
        switch (shape_of(id)) {
        case BYTE:
        case FLAG:   gm_buf_byte(out, (uint8_t)p->number[id]); break;
        case U16:    gm_mqtt_put_u16(out, (uint16_t)p->number[id]); break;
        case U32:    gm_mqtt_put_u32(out, p->number[id]); break;
        case VARINT: gm_mqtt_put_varint(out, p->number[id]); break;
        default:     gm_mqtt_put_text(out, p->text[id]); break;
        }
    }
    if (p != NULL) gm_buf_str(out, p->block);
}
