#include "base/utf8.h"

static bool is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

size_t gm_utf8_step(gm_str text)
{
    if (text.len == 0) return 0;
    const unsigned char *s = (const unsigned char *)text.ptr;
    if (s[0] < 0x80) return 1;
    if (s[0] < 0xc2) return 0;  // a stray tail, or an overlong two-byte form
    if (s[0] < 0xe0) return text.len >= 2 && is_tail(s[1]) ? 2 : 0;
    if (s[0] < 0xf0) {
        if (text.len < 3 || !is_tail(s[1]) || !is_tail(s[2])) return 0;
        if (s[0] == 0xe0 && s[1] < 0xa0) return 0;   // overlong
        if (s[0] == 0xed && s[1] >= 0xa0) return 0;  // surrogate
        return 3;
    }
    if (s[0] > 0xf4 || text.len < 4 || !is_tail(s[1]) || !is_tail(s[2]) || !is_tail(s[3])) return 0;
    if (s[0] == 0xf0 && s[1] < 0x90) return 0;   // overlong
    if (s[0] == 0xf4 && s[1] >= 0x90) return 0;  // beyond U+10FFFF
    return 4;
}

bool gm_utf8_valid(gm_str text)
{
    size_t i = 0;
    while (i < text.len) {
        // Eight ASCII bytes at a time: nearly all device text.
        while (i + 8 <= text.len) {
            uint64_t word;
            memcpy(&word, text.ptr + i, 8);
            if (word & UINT64_C(0x8080808080808080)) break;
            i += 8;
        }
        if (i >= text.len) break;
        size_t step = gm_utf8_step((gm_str){ text.ptr + i, text.len - i });
        if (step == 0) return false;
        i += step;
    }
    return true;
}

size_t gm_utf8_count(gm_str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) count += !is_tail((unsigned char)text.ptr[i]);
    return count;
}

size_t gm_utf8_encode(uint32_t code_point, char *out)
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xc0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3f));
        return 2;
    }
    if (code_point < 0x10000) {
        if (code_point >= 0xd800 && code_point < 0xe000) return 0;
        out[0] = (char)(0xe0 | code_point >> 12);
        out[1] = (char)(0x80 | (code_point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code_point & 0x3f));
        return 3;
    }
    if (code_point > 0x10ffff) return 0;
    out[0] = (char)(0xf0 | code_point >> 18);
    out[1] = (char)(0x80 | (code_point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code_point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code_point & 0x3f));
    return 4;
}
