// base/percent.h: percent-encoding (RFC 3986, section 2.1), for URLs and for twin ids in MQTT topics.
#ifndef GM_BASE_PERCENT_H
#define GM_BASE_PERCENT_H

#include "base/arena.h"
#include "base/buf.h"

// Decodes "room%201" to "room 1". A text without '%' is returned as it is (viewed), otherwise the result lies in the
// arena. GM_INVALID: '%' without two hexadecimal digits, or the bytes are no UTF-8, or contain NUL. GM_NOMEM.
GM_NODISCARD gm_status gm_percent_decode(gm_arena *arena, gm_str text, gm_str *out_text, gm_error *err);

// Appends text with everything but the unreserved characters (letters, digits, "-._~") encoded.
void gm_percent_encode(gm_buf *out, gm_str text);

#endif
