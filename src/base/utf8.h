// base/utf8.h: is this text what it says it is? RFC 3629: no surrogates, no overlong forms, at most U+10FFFF.
#ifndef GM_BASE_UTF8_H
#define GM_BASE_UTF8_H

#include "base/str.h"

// The length in bytes (1..4) of the valid character at the front, or 0.
size_t gm_utf8_step(gm_str text);

// The whole text is valid UTF-8. About 8 bytes a cycle on ASCII.
bool gm_utf8_valid(gm_str text);

// Characters (code points) in a valid text.
size_t gm_utf8_count(gm_str text);

// Appends the code point to out (room for 4 bytes); returns its length, 0 when it is not a scalar value.
size_t gm_utf8_encode(uint32_t code_point, char *out);

#endif
