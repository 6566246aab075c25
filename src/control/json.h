// control/json.h: reading and writing the objects that decisions carry.
#ifndef GM_CONTROL_JSON_H
#define GM_CONTROL_JSON_H

#include "base/buf.h"
#include "base/time.h"

#include <jansson.h>

// A text member; empty when it is none. Viewed.
gm_str gm_json_text(const json_t *object, const char *member);

// A time as RFC 3339 text; INT64_MIN when it is none.
gm_time_ns gm_json_time(const json_t *object, const char *member);

// A member as compact JSON, numbers in their fewest digits: what was 0.7 when it came is 0.7 when it goes to a device. Empty when the
// member is missing. `own` is emptied and holds the text that is viewed; own->failed: there was no memory for it.
gm_str gm_json_compact(const json_t *object, const char *member, gm_buf *own);

// ,"member":"text" ; nothing when text is empty. And a time; nothing for INT64_MIN. And a span in seconds.
void gm_json_member(gm_buf *out, const char *member, gm_str text);
void gm_json_time_member(gm_buf *out, const char *member, gm_time_ns time);
void gm_json_seconds_member(gm_buf *out, const char *member, gm_dur_ns span);

#endif
