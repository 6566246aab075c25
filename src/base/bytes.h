// base/bytes.h: numbers of variable length in stored bytes, and bounded reading of them.
//
// A varint is seven bits a byte, the lowest first, the top bit says that more follow (as LEB128). A signed one is
// zigzagged first: 0, -1, 1, -2 ... become 0, 1, 2, 3 ...
#ifndef GM_BASE_BYTES_H
#define GM_BASE_BYTES_H

#include "base/buf.h"
#include "base/le.h"

static inline uint64_t gm_zigzag(int64_t v) { return (uint64_t)v << 1 ^ (uint64_t)(v >> 63); }
static inline int64_t  gm_unzigzag(uint64_t u) { return (int64_t)(u >> 1 ^ -(u & 1)); }

enum { GM_VARINT_MOST = 10 };

static inline uint8_t *gm_varint_put(uint8_t *to, uint64_t value)
{
    while (value >= 0x80) {
        *to++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *to++ = (uint8_t)value;
    return to;
}

static inline void gm_buf_varint(gm_buf *out, uint64_t value)
{
    uint8_t *to = gm_buf_reserve(out, GM_VARINT_MOST);
    if (to != NULL) out->len += (size_t)(gm_varint_put(to, value) - to);
}
static inline void gm_buf_svarint(gm_buf *out, int64_t value) { gm_buf_varint(out, gm_zigzag(value)); }

// A text: its length, then its bytes.
static inline void gm_buf_text_of(gm_buf *out, gm_str text)
{
    gm_buf_varint(out, text.len);
    gm_buf_str(out, text);
}

// A reader over bytes from outside. Reading past the end gives zeros and sets bad; one check at the end serves all.
typedef struct gm_bytes { const uint8_t *at, *end; bool bad; } gm_bytes;

static inline size_t gm_bytes_left(const gm_bytes *in) { return (size_t)(in->end - in->at); }

static inline uint8_t gm_bytes_byte(gm_bytes *in)
{
    if (in->at < in->end) return *in->at++;
    in->bad = true;
    return 0;
}

static inline uint64_t gm_bytes_varint(gm_bytes *in)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = gm_bytes_byte(in);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
    }
    in->bad = true;  // more than ten bytes
    return 0;
}
static inline int64_t gm_bytes_svarint(gm_bytes *in) { return gm_unzigzag(gm_bytes_varint(in)); }

// The next n bytes, viewed; NULL and bad when there are fewer.
static inline const uint8_t *gm_bytes_take(gm_bytes *in, uint64_t n)
{
    if (in->bad || n > gm_bytes_left(in)) {
        in->bad = true;
        return NULL;
    }
    const uint8_t *taken = in->at;
    in->at += n;
    return taken;
}

static inline gm_str gm_bytes_text(gm_bytes *in)  // viewed; empty when bad
{
    uint64_t       len  = gm_bytes_varint(in);
    const uint8_t *from = gm_bytes_take(in, len);
    return from != NULL ? (gm_str){ (const char *)from, (size_t)len } : (gm_str){ 0 };
}

static inline uint64_t gm_bytes_u64(gm_bytes *in)
{
    const uint8_t *from = gm_bytes_take(in, 8);
    return from != NULL ? gm_get_u64(from) : 0;
}

#endif
