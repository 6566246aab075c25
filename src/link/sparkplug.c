#include "link/sparkplug.h"

typedef enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 } wire;

typedef struct field { uint32_t number; wire type; uint64_t number_value; gm_str bytes; } field;

enum { TYPE_INT8 = 1, TYPE_INT16 = 2, TYPE_INT32 = 3, TYPE_INT64 = 4, TYPE_UINT8 = 5, TYPE_UINT64 = 8 };

static bool take_varint(gm_str *rest, uint64_t *out)
{
    *out = 0;
    for (unsigned i = 0; i < 10 && i < rest->len; i++) {
        uint8_t byte = (uint8_t)rest->ptr[i];
        if (i == 9 && byte > 1) return false;  // beyond 64 bits
        *out |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) != 0) continue;
        *rest = gm_str_slice(*rest, i + 1, rest->len);
        return true;
    }
    return false;
}

static bool take_fixed(gm_str *rest, unsigned size, uint64_t *out)
{
    if (rest->len < size) return false;
    *out = 0;
    for (unsigned i = 0; i < size; i++) *out |= (uint64_t)(uint8_t)rest->ptr[i] << (8 * i);
    *rest = gm_str_slice(*rest, size, rest->len);
    return true;
}

// False: broken. Groups (wire types 3 and 4) are not part of Sparkplug.
static bool take_field(gm_str *rest, field *out)
{
    uint64_t key, size;
    if (!take_varint(rest, &key) || key >> 3 == 0 || key >> 3 > 0x1fffffff) return false;
    *out = (field){ .number = (uint32_t)(key >> 3), .type = (wire)(key & 7), .bytes = { "", 0 } };
    switch (out->type) {
    case VARINT: return take_varint(rest, &out->number_value);
    case FIXED64: return take_fixed(rest, 8, &out->number_value);
    case FIXED32: return take_fixed(rest, 4, &out->number_value);
    case BYTES:
        if (!take_varint(rest, &size) || size > rest->len) return false;
        out->bytes = gm_str_slice(*rest, 0, (size_t)size);
        *rest      = gm_str_slice(*rest, (size_t)size, rest->len);
        return true;
    }
    return false;
}

bool gm_sparkplug_open(gm_str payload, gm_sparkplug_payload *out)
{
    *out        = (gm_sparkplug_payload){ .rest = payload };
    gm_str rest = payload;
    while (rest.len > 0) {
        field f;
        if (!take_field(&rest, &f)) return false;
        if (f.number != 1) continue;
        if (f.type != VARINT) return false;
        out->has_timestamp = true;
        out->timestamp_ms  = f.number_value;
    }
    return true;
}

static void take_value(const field *f, gm_sparkplug_metric *m)
{
    union { uint32_t u; float f; } single;
    union { uint64_t u; double d; } wide;
    switch (f->number) {
    case 10:
    case 11:
        if (f->type != VARINT) return;
        m->value          = (gm_value){ .kind = GM_KIND_INT, .i = (int64_t)f->number_value };
        m->signed_pending = f->number == 10;
        return;
    case 12:
        if (f->type != FIXED32) return;
        single.u = (uint32_t)f->number_value;
        m->value = (gm_value){ .kind = GM_KIND_DOUBLE, .d = (double)single.f };
        return;
    case 13:
        if (f->type != FIXED64) return;
        wide.u   = f->number_value;
        m->value = (gm_value){ .kind = GM_KIND_DOUBLE, .d = wide.d };
        return;
    case 14:
        if (f->type == VARINT) m->value = (gm_value){ .kind = GM_KIND_BOOL, .i = f->number_value != 0 };
        return;
    case 15:
        if (f->type == BYTES) m->value = (gm_value){ .kind = GM_KIND_STRING, .s = f->bytes };
        return;
    default: return;
    }
}

static bool read_metric(gm_str rest, gm_sparkplug_metric *m)
{
    *m = (gm_sparkplug_metric){ .name = { "", 0 } };
    while (rest.len > 0) {
        field f;
        if (!take_field(&rest, &f)) return false;
        bool number = f.type == VARINT;
        switch (f.number) {
        case 1:
            if (f.type != BYTES) return false;
            m->name = f.bytes;
            break;
        case 2:
            m->has_alias = number;
            m->alias     = f.number_value;
            break;
        case 3:
            m->has_timestamp = number;
            m->timestamp_ms  = f.number_value;
            break;
        case 4: m->type = number ? (uint32_t)f.number_value : 0; break;
        case 5: m->is_historical = number && f.number_value != 0; break;
        case 7: m->is_null = number && f.number_value != 0; break;
        default: take_value(&f, m); break;
        }
    }
    return true;
}

gm_sparkplug_sight gm_sparkplug_next(gm_sparkplug_payload *payload, gm_sparkplug_metric *out)
{
    while (payload->rest.len > 0) {
        field f;
        if (!take_field(&payload->rest, &f)) return GM_SPARKPLUG_BROKEN;
        if (f.number != 2) continue;
        if (f.type != BYTES || !read_metric(f.bytes, out)) return GM_SPARKPLUG_BROKEN;
        return GM_SPARKPLUG_METRIC;
    }
    return GM_SPARKPLUG_END;
}

// Signed numbers of up to 32 bits travel as uint32 in two's complement (section 6.4.16).
gm_value gm_sparkplug_as(const gm_sparkplug_metric *metric, uint32_t type)
{
    gm_value value = metric->value;
    if (value.kind != GM_KIND_INT) return value;
    uint64_t bits = (uint64_t)value.i;
    if (metric->signed_pending) {
        if (type == TYPE_INT8) value.i = (int8_t)(uint8_t)bits;
        else if (type == TYPE_INT16) value.i = (int16_t)(uint16_t)bits;
        else if (type == TYPE_INT32) value.i = (int32_t)(uint32_t)bits;
    } else if (type == TYPE_UINT64 && value.i < 0) {
        value = (gm_value){ .kind = GM_KIND_DOUBLE, .d = (double)bits };  // beyond what a 64-bit signed number holds
    }
    return value;
}
