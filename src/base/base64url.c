#include "base/base64url.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void gm_base64url_encode(const uint8_t *bytes, size_t n, char *out)
{
    uint32_t held = 0;
    int      bits = 0;
    for (size_t i = 0; i < n; i++) {
        held = held << 8 | bytes[i];
        for (bits += 8; bits >= 6; bits -= 6) *out++ = letters[held >> (bits - 6) & 63];
    }
    if (bits > 0) *out = letters[held << (6 - bits) & 63];
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool gm_base64url_decode(gm_str text, uint8_t *out, size_t *out_n)
{
    uint32_t held = 0;
    int      bits = 0;
    size_t   n    = 0;
    if (text.len % 4 == 1) return false;
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(text.ptr[i]);
        if (value < 0) return false;
        held = held << 6 | (uint32_t)value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[n++] = (uint8_t)(held >> bits);
        }
    }
    *out_n = n;
    return (held & ((1u << bits) - 1)) == 0;
}
