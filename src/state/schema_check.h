// state/schema_check.h: does a JSON value fit a DTDL schema, and what to tell the sender when it does not.
#ifndef GM_STATE_SCHEMA_CHECK_H
#define GM_STATE_SCHEMA_CHECK_H

#include "model/model.h"

#include <jansson.h>

// path names the value in messages ("motor/temperature"); parts of it are appended ("tags/red", "list/3").
// GM_INVALID: the text names the property, what was expected and what was found. Never allocates.
GM_NODISCARD gm_status gm_schema_check(const gm_schema *schema, const json_t *value, gm_str path, gm_error *err);

// "a text", "a number", "an object" ...; static. NULL is "nothing".
const char *gm_json_kind_name(const json_t *value);

#endif
