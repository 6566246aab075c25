// cli/scene_file.h: what a glTF file (version 2, as text or as one binary file) says about twins and about other files.
//
//   gm_scene_read(bytes, arena, on_mention, context, &err);
//
// A node is tied to a twin by its extras: {"twinId":"pump1"}, or, where ids are not known beforehand,
// {"twinModel":"dtmi:...;1","twinIndex":0} (docs/formats/scene.md). Geometry is not looked at.
#ifndef GM_CLI_SCENE_FILE_H
#define GM_CLI_SCENE_FILE_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

typedef enum gm_scene_kind {
    GM_SCENE_TWIN,   // text: a twin's id
    GM_SCENE_MODEL,  // text: a model's id
    GM_SCENE_FILE,   // text: a file relative to this one, decoded
    GM_SCENE_WRONG   // text: what is wrong with the node's extras
} gm_scene_kind;

typedef struct gm_scene_mention {
    gm_scene_kind kind;
    size_t        node;  // index in the file's nodes; for files 0
    gm_str        text;  // viewed during the call
} gm_scene_mention;

typedef gm_status gm_scene_call(void *context, const gm_scene_mention *mention, gm_error *err);

// Calls each() in the order of the file. Stops when it does not return GM_OK, and returns that.
// arena: for decoded names of files.
// Errors: GM_INVALID (no glTF; err->line and column tell where the JSON is broken, when it is), GM_NOMEM.
// Cost: one pass of a JSON parser. Format: Khronos glTF 2.0, sections 3.4 and 4.4.
GM_NODISCARD gm_status gm_scene_read(gm_str bytes, gm_arena *arena, gm_scene_call *each, void *context, gm_error *err);

#endif
