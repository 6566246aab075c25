// link/mqtt_wire.h: the primitive types of MQTT's bytes (section 1.5 of version 5), shared by the codec's files.
#ifndef GM_LINK_MQTT_WIRE_H
#define GM_LINK_MQTT_WIRE_H

#include "link/mqtt_codec.h"

// A reader walks a body; the first thing that does not fit sets fault and every later read gives nothing.
typedef struct gm_mqtt_reader {
    const uint8_t *at, *end;
    gm_mqtt_fault  fault;
} gm_mqtt_reader;

static inline gm_mqtt_reader gm_mqtt_reader_of(gm_str body)
{
    const uint8_t *at = (const uint8_t *)body.ptr;
    return (gm_mqtt_reader){ .at = at, .end = at + body.len };
}

static inline void gm_mqtt_break(gm_mqtt_reader *r, uint8_t reason, const char *rule)
{
    if (r->fault.rule == NULL) r->fault = (gm_mqtt_fault){ rule, reason };
    r->at = r->end;
}

static inline size_t gm_mqtt_left(const gm_mqtt_reader *r) { return (size_t)(r->end - r->at); }

uint8_t  gm_mqtt_take_byte(gm_mqtt_reader *r);
uint16_t gm_mqtt_take_u16(gm_mqtt_reader *r);
uint32_t gm_mqtt_take_u32(gm_mqtt_reader *r);
uint32_t gm_mqtt_take_varint(gm_mqtt_reader *r);
gm_str   gm_mqtt_take_bytes(gm_mqtt_reader *r);   // two-byte length, bytes
gm_str   gm_mqtt_take_text(gm_mqtt_reader *r);    // the same, checked: UTF-8 without U+0000

// Reads a property block (with its length) that may hold what is allowed in `packet`; 0 stands for a will.
enum { GM_MQTT_WILL = 0 };
void gm_mqtt_take_properties(gm_mqtt_reader *r, uint8_t packet, gm_mqtt_properties *out);

size_t gm_mqtt_varint_size(size_t value);
void   gm_mqtt_put_varint(gm_buf *out, size_t value);
void   gm_mqtt_put_u16(gm_buf *out, uint16_t value);
void   gm_mqtt_put_u32(gm_buf *out, uint32_t value);
void   gm_mqtt_put_text(gm_buf *out, gm_str text);
size_t gm_mqtt_properties_size(const gm_mqtt_properties *p);  // without the length in front; NULL is empty
void   gm_mqtt_put_properties(gm_buf *out, const gm_mqtt_properties *p);

#endif
