// api/json_patch.h: JSON Patch (RFC 6902) with the operations add, replace and remove, as the Azure Digital Twins API
// has it, and JSON Pointer (RFC 6901).
//
//   gm_patch patch;
//   gm_patch_read(arena, json, &patch, &err);        // the whole list is checked first
//   gm_patch_apply(document, &patch, &err);          // one after the other; *document may be replaced
#ifndef GM_API_JSON_PATCH_H
#define GM_API_JSON_PATCH_H

#include "base/arena.h"
#include "state/document.h"

#include <jansson.h>

enum { GM_PATCH_OPERATIONS_MAX = 10000, GM_POINTER_PARTS_MAX = 32 };

typedef struct gm_pointer {
    gm_str  text;   // as sent, "/tags/a~1b"
    gm_str *parts;  // unescaped: "tags", "a/b"
    size_t  count;
} gm_pointer;

typedef struct gm_patch_step {
    gm_patch_op op;
    gm_pointer  path;
    json_t     *value;  // viewed in the JSON; NULL for remove
} gm_patch_step;

typedef struct gm_patch { gm_patch_step *steps; size_t count; } gm_patch;

// GM_INVALID: *err says which operation is wrong and why. All memory comes from the arena.
GM_NODISCARD gm_status gm_pointer_read(gm_arena *arena, gm_str text, gm_pointer *out_pointer, gm_error *err);
GM_NODISCARD gm_status gm_patch_read(gm_arena *arena, const json_t *json, gm_patch *out_patch, gm_error *err);

// Changes the document in place, step by step; values are deep-copied, so that later steps do not change the patch.
// GM_INVALID: a step does not fit; the document is then half patched and to be thrown away.
GM_NODISCARD gm_status gm_patch_apply(json_t *document, const gm_patch *patch, gm_error *err);

#endif
