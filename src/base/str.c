#include "base/str.h"

int gm_str_cmp(gm_str a, gm_str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int    order   = shorter > 0 ? memcmp(a.ptr, b.ptr, shorter) : 0;
    if (order != 0) return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool gm_str_starts(gm_str text, gm_str prefix)
{
    return text.len >= prefix.len && (prefix.len == 0 || memcmp(text.ptr, prefix.ptr, prefix.len) == 0);
}

bool gm_str_ends(gm_str text, gm_str suffix)
{
    return text.len >= suffix.len &&
           (suffix.len == 0 || memcmp(text.ptr + text.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

size_t gm_str_find(gm_str text, gm_str needle)
{
    if (needle.len == 0) return 0;
    if (text.len < needle.len) return SIZE_MAX;
    const char *at = memmem(text.ptr, text.len, needle.ptr, needle.len);
    return at != NULL ? (size_t)(at - text.ptr) : SIZE_MAX;
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

bool gm_str_has_lower(gm_str text, gm_str needle)
{
    for (size_t i = 0; i + needle.len <= text.len; i++) {
        size_t n = 0;
        while (n < needle.len && lower(text.ptr[i + n]) == needle.ptr[n]) n++;
        if (n == needle.len) return true;
    }
    return false;
}

size_t gm_str_find_char(gm_str text, char needle)
{
    const char *at = text.len > 0 ? memchr(text.ptr, needle, text.len) : NULL;
    return at != NULL ? (size_t)(at - text.ptr) : SIZE_MAX;
}

gm_str gm_str_slice(gm_str text, size_t start, size_t end)
{
    if (end > text.len) end = text.len;
    if (start > end) start = end;
    return (gm_str){ start > 0 ? text.ptr + start : text.ptr, end - start };  // nothing is added to a NULL view
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

gm_str gm_str_trim(gm_str text)
{
    while (text.len > 0 && is_blank(text.ptr[0])) text = gm_str_slice(text, 1, text.len);
    while (text.len > 0 && is_blank(text.ptr[text.len - 1])) text.len--;
    return text;
}

bool gm_str_next(gm_str *rest, char separator, gm_str *out_part)
{
    if (rest->ptr == NULL) return false;
    size_t at = gm_str_find_char(*rest, separator);
    if (at == SIZE_MAX) {
        *out_part = *rest;
        *rest     = (gm_str){ NULL, 0 };
    } else {
        *out_part = gm_str_slice(*rest, 0, at);
        *rest     = (gm_str){ rest->ptr + at + 1, rest->len - at - 1 };
    }
    return true;
}

// Multiply-and-fold over eight bytes at a time: two multiplications for a typical twin id.
static uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t gm_str_hash(gm_str text)
{
    const uint64_t k0 = UINT64_C(0x9e3779b97f4a7c15), k1 = UINT64_C(0xd6e8feb86659fd93);
    uint64_t       hash = k0 ^ text.len;
    const char    *at   = text.ptr;
    size_t         left = text.len;
    while (left >= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = fold(hash ^ word, k1);
        at += 8;
        left -= 8;
    }
    if (left > 0) {
        uint64_t word = 0;
        memcpy(&word, at, left);
        hash = fold(hash ^ word, k1);
    }
    return fold(hash, k0 | 1);
}
