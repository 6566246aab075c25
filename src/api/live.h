// api/live.h: a twin as people look at it: every value with its name, unit, age, and where it leads.
#ifndef GM_API_LIVE_H
#define GM_API_LIVE_H

#include "base/buf.h"
#include "state/fence.h"
#include "state/state.h"

enum { GM_LIVE_RELATIONSHIPS_MAX = 500 };  // of each direction; there are routes that page through all

// Appends the JSON object of GET /v1/twins/{id}, with the relationships that the fence shows.
void gm_live_write(const gm_state *state, const gm_fence *fence, gm_twin twin, gm_buf *out);

// The name of a twin for people: its text property `name` or `displayName`, else its id. Viewed.
gm_str gm_live_name(const gm_state *state, gm_twin twin);

// "boolean", "integer", "number", "string" or "json".
const char *gm_live_kind(gm_kind kind);

// ,"key":"text" ; nothing when text is empty. A time as RFC 3339; nothing when it is GM_ABSENT. A number; nothing when it is
// not finite.
void gm_live_member(gm_buf *out, const char *key, gm_str text);
void gm_live_time(gm_buf *out, const char *key, gm_time_ns time);
void gm_live_number(gm_buf *out, const char *key, double value);

#endif
