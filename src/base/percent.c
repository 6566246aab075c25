#include "base/percent.h"

#include "base/utf8.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

gm_status gm_percent_decode(gm_arena *arena, gm_str text, gm_str *out_text, gm_error *err)
{
    gm_str plain = text;
    if (gm_str_find_char(text, '%') != SIZE_MAX) {
        char  *to = gm_arena_bytes(arena, text.len + 1);
        size_t n  = 0;
        if (to == NULL) return gm_fail(err, GM_NOMEM, "base.percent", "decoding %zu bytes", text.len);
        for (size_t i = 0; i < text.len; i++) {
            if (text.ptr[i] != '%') {
                to[n++] = text.ptr[i];
                continue;
            }
            int high = i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
            int low  = i + 2 < text.len ? hex_digit(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return gm_fail(err, GM_INVALID, "base.percent",
                               "'%%' at byte %zu is not followed by two hexadecimal digits", i);
            }
            to[n++] = (char)(high << 4 | low);
            i += 2;
        }
        to[n] = '\0';
        plain = (gm_str){ to, n };
    }
    if (!gm_utf8_valid(plain) || gm_str_find_char(plain, '\0') != SIZE_MAX) {
        return gm_fail(err, GM_INVALID, "base.percent", "text is not UTF-8 once decoded");
    }
    *out_text = plain;
    return GM_OK;
}

void gm_percent_encode(gm_buf *out, gm_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c     = text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     c == '.' || c == '_' || c == '~';
        if (plain) gm_buf_byte(out, (uint8_t)c);
        else gm_buf_printf(out, "%%%02X", (unsigned char)c);
    }
}
