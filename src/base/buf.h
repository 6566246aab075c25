// base/buf.h: bytes that grow at the end: packets, replies, records.
//
//   gm_buf out = gm_buf_init(alloc);
//   gm_buf_printf(&out, "{\"count\":%u}", n);
//   if (out.failed) ...                       // one check at the end serves the whole message
//   gm_buf_finish(&out);
//
// A refused allocation (or the limit, when set) marks the buffer as failed; what is appended afterwards is
// dropped, so a message is either whole or known to be broken.
#ifndef GM_BASE_BUF_H
#define GM_BASE_BUF_H

#include "base/alloc.h"
#include "base/str.h"

typedef struct gm_buf {
    uint8_t        *ptr;
    size_t          len, capacity;
    size_t          limit;   // most bytes it may hold; 0 = no bound
    bool            failed;
    const gm_alloc *alloc;
} gm_buf;

static inline gm_buf gm_buf_init(const gm_alloc *alloc)
{
    return (gm_buf){ .alloc = alloc };
}
void gm_buf_finish(gm_buf *buf);  // frees; the buffer may be initialised again

static inline void gm_buf_clear(gm_buf *buf)  // empty, not failed, memory kept
{
    buf->len    = 0;
    buf->failed = false;
}

// Makes room for `more` bytes beyond len and returns where they go, or NULL (and failed). len is not moved:
// write there, then add to len.
uint8_t *gm_buf_reserve(gm_buf *buf, size_t more);

void gm_buf_add(gm_buf *buf, const void *bytes, size_t n);
void gm_buf_str(gm_buf *buf, gm_str text);
static inline void gm_buf_text(gm_buf *buf, const char *text)  // a C string without its NUL
{
    gm_buf_add(buf, text, strlen(text));  // inline: the length of a literal is known
}
static inline void gm_buf_byte(gm_buf *buf, uint8_t byte)
{
    if (buf->len < buf->capacity && buf->limit == 0 && !buf->failed) buf->ptr[buf->len++] = byte;
    else gm_buf_add(buf, &byte, 1);
}
void gm_buf_printf(gm_buf *buf, const char *fmt, ...) GM_PRINTF(2, 3);

// Text as a JSON string with its quotes; control characters and invalid UTF-8 are escaped (the latter as U+FFFD).
void gm_buf_json_str(gm_buf *buf, gm_str text);

// A number as JSON (base/number.h): the fewest digits that read back; NaN and infinities are null.
void gm_buf_json_number(gm_buf *buf, double value);

// Takes n bytes off the front (n <= len). O(len).
void gm_buf_drop(gm_buf *buf, size_t n);

static inline gm_str gm_buf_view(const gm_buf *buf)  // viewed: until the next append
{
    return (gm_str){ (const char *)buf->ptr, buf->len };
}

#endif
