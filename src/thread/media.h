// thread/media.h: is a document what it says it is?
#ifndef GM_THREAD_MEDIA_H
#define GM_THREAD_MEDIA_H

#include "base/str.h"

// Looks at the first bytes, and at all of a text. Types that are known by their beginning (PDF, PNG, JPEG, GIF, TIFF, WebP, ZIP and what
// is built on it, gzip, GLB, STEP, DXF, XML, JSON, plain texts) must have it; what has another's beginning must not claim to be
// something else; application/octet-stream claims nothing.
// GM_INVALID: err names what it says and what it looks like. Cost: the bytes of a text, else constant; JSON is parsed.
GM_NODISCARD gm_status gm_media_check(gm_str type, const uint8_t *bytes, size_t size, gm_error *err);

// What the bytes look like: a media type, or NULL when nothing is known.
const char *gm_media_sniff(const uint8_t *bytes, size_t size);

#endif
