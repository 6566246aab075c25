// state/schema_check.h: does a JSON value fit a DTDL schema, and what to tell the sender when it does not.
#ifndef GM_STATE_SCHEMA_CHECK_H
#define GM_STATE_SCHEMA_CHECK_H

#include "model/model.h"

#include <jansson.h>

// path names the value in messages ("motor/temperature"); parts of it are appended ("tags/red", "list/3").
// GM_INVALID: the text names the property, what was expected and what was found. Never allocates.
GM_NODISCARD gm_status gm_schema_check(const gm_schema *schema, const json_t *value, gm_str path, gm_error *err);

// The rules of single leaves, for readers that have no json_t at hand (link/telemetry.h).
bool        gm_schema_int_range(gm_schema_kind kind, int64_t *out_min, int64_t *out_max);  // false: no whole number
bool        gm_schema_text_fits(gm_schema_kind kind, gm_str text);                         // of schemas stored as text
const char *gm_schema_expected(gm_schema_kind kind);  // "a whole number from -128 to 127 (byte)"; static

// "a text", "a number", "an object" ...; static. NULL is "nothing".
const char *gm_json_kind_name(const json_t *value);

#endif
