#include "base/buf.h"

#include "base/number.h"
#include "base/utf8.h"

#include <assert.h>
#include <stdio.h>

void gm_buf_finish(gm_buf *buf)
{
    if (buf->alloc != NULL) gm_free(buf->alloc, buf->ptr);
    *buf = (gm_buf){ .alloc = buf->alloc, .limit = buf->limit };
}

uint8_t *gm_buf_reserve(gm_buf *buf, size_t more)
{
    if (buf->failed) return NULL;
    // Nearly always there is room.
    if (buf->ptr != NULL && more <= buf->capacity - buf->len && (buf->limit == 0 || more <= buf->limit - buf->len)) return buf->ptr + buf->len;
    size_t need;
    if (__builtin_add_overflow(buf->len, more, &need) || (buf->limit > 0 && need > buf->limit) ||
        !gm_alloc_reserve(buf->alloc, &buf->ptr, &buf->capacity, need > 64 ? need : 64, 1)) {
        buf->failed = true;
        return NULL;
    }
    return buf->ptr + buf->len;
}

void gm_buf_add(gm_buf *buf, const void *bytes, size_t n)
{
    if (n == 0) return;
    uint8_t *to = gm_buf_reserve(buf, n);
    if (to == NULL) return;
    memcpy(to, bytes, n);
    buf->len += n;
}

void gm_buf_str(gm_buf *buf, gm_str text)
{
    gm_buf_add(buf, text.ptr, text.len);
}

void gm_buf_printf(gm_buf *buf, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int      len = vsnprintf(NULL, 0, fmt, args);
    uint8_t *to  = len >= 0 ? gm_buf_reserve(buf, (size_t)len + 1) : NULL;
    if (to != NULL) {
        vsnprintf((char *)to, (size_t)len + 1, fmt, again);
        buf->len += (size_t)len;
    }
    va_end(again);
    va_end(args);
}

void gm_buf_json_number(gm_buf *buf, double value)
{
    char text[GM_NUMBER_TEXT];
    gm_buf_add(buf, text, gm_number_write(value, text));
}

void gm_buf_json_str(gm_buf *buf, gm_str text)
{
    gm_buf_byte(buf, '"');
    size_t plain = 0;  // start of a stretch that needs no escape
    for (size_t i = 0; i < text.len;) {
        unsigned char c    = (unsigned char)text.ptr[i];
        size_t        step = c < 0x80 ? 1 : gm_utf8_step((gm_str){ text.ptr + i, text.len - i });
        if (step > 0 && c >= 0x20 && c != '"' && c != '\\') {
            i += step;
            continue;
        }
        gm_buf_add(buf, text.ptr + plain, i - plain);
        switch (c) {
        case '"': gm_buf_text(buf, "\\\""); break;
        case '\\': gm_buf_text(buf, "\\\\"); break;
        case '\n': gm_buf_text(buf, "\\n"); break;
        case '\r': gm_buf_text(buf, "\\r"); break;
        case '\t': gm_buf_text(buf, "\\t"); break;
        default:
            if (c < 0x20) gm_buf_printf(buf, "\\u%04x", c);
            else gm_buf_text(buf, "\xef\xbf\xbd");
        }
        plain = ++i;
    }
    if (plain < text.len) gm_buf_add(buf, text.ptr + plain, text.len - plain);
    gm_buf_byte(buf, '"');
}

void gm_buf_drop(gm_buf *buf, size_t n)
{
    assert(n <= buf->len);
    if (n == 0) return;
    memmove(buf->ptr, buf->ptr + n, buf->len - n);
    buf->len -= n;
}
