// base/base64url.h: bytes as text that is safe in URLs and headers, without padding (RFC 4648, section 5).
#ifndef GM_BASE_BASE64URL_H
#define GM_BASE_BASE64URL_H

#include "base/str.h"

// Characters that n bytes become, and the most bytes that n characters can be.
#define GM_BASE64URL_LEN(n) (((n) * 4 + 2) / 3)
#define GM_BASE64URL_BYTES(n) ((n) * 3 / 4)

// out has room for GM_BASE64URL_LEN(n) characters; no NUL is added.
void gm_base64url_encode(const uint8_t *bytes, size_t n, char *out);

// out has room for GM_BASE64URL_BYTES(text.len). False: a character that does not belong, a length that can not be, or
// bits set behind the last byte (every value has one spelling only).
GM_NODISCARD bool gm_base64url_decode(gm_str text, uint8_t *out, size_t *out_n);

#endif
