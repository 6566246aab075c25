// model/json_tree.h: a JSON text as a read-only tree that knows where everything stood.
//
//   const gm_json *root;
//   if (gm_json_parse(arena, text, &root, &err) != GM_OK) ...        // err carries line and column
//   const gm_json *id = gm_json_get(root, GM_STR("@id"));
//   gm_json_position(&lines, id->start, &line, &column);
//
// RFC 8259, strictly, but for a leading byte-order mark, which is skipped;
// comments and a comma before a closing bracket are errors. Text must be valid UTF-8. Keys keep their
// order; a key that occurs twice in one object stays visible as two members (the second one is marked), because the
// caller has the better sentence for it.
#ifndef GM_MODEL_JSON_TREE_H
#define GM_MODEL_JSON_TREE_H

#include "base/arena.h"
#include "base/buf.h"

// The deepest nesting of arrays and objects that is read, and the longest text.
enum { GM_JSON_DEPTH_MAX = 256, GM_JSON_TEXT_MAX = 256 << 20 };

typedef enum gm_json_kind {
    GM_JSON_NULL, GM_JSON_BOOL, GM_JSON_NUMBER, GM_JSON_STRING, GM_JSON_ARRAY, GM_JSON_OBJECT
} gm_json_kind;

typedef struct gm_json gm_json;
struct gm_json {
    const gm_json *parent, *next, *first;  // next: in the same array or object; first: child
    gm_str         key;                    // name of a member, unescaped; NULL pointer when not a member
    gm_str         text;                   // STRING: unescaped; NUMBER: as written
    uint32_t       start, end;             // bytes of the value in the text
    uint32_t       key_start;              // byte of the key's quote; equals start when not a member
    uint32_t       count;                  // children
    uint32_t       index;                  // place among the siblings
    uint8_t        kind;                   // gm_json_kind
    bool           truth;                  // BOOL
    bool           repeated;               // an earlier member of the same object has this key
};

// Reads one document. The tree lives in the arena and views text, which must stay.
// GM_INVALID: not JSON, or not UTF-8 (err: line and column); GM_LIMIT: too deep or too long; GM_NOMEM.
GM_NODISCARD gm_status gm_json_parse(gm_arena *arena, gm_str text, const gm_json **out_root, gm_error *err);

// The first member with that key, or NULL; NULL also when object is not an object. O(members).
const gm_json *gm_json_get(const gm_json *object, gm_str key);

static inline bool gm_json_is(const gm_json *node, gm_json_kind kind)
{
    return node != NULL && node->kind == kind;
}

// The number as an integer when it is written as one (no fraction, no exponent) and fits int64.
bool gm_json_int(const gm_json *node, int64_t *out_value);

// Appends the RFC 6901 pointer from `root` (exclusive; NULL: the document) to node, "" for the root itself.
void gm_json_pointer(const gm_json *node, const gm_json *root, gm_buf *out);

// Appends the value as compact JSON text, members in their order.
void gm_json_write(const gm_json *node, gm_buf *out);

// Lines and columns of offsets; columns count characters, both from 1. Remembers the place of every 4096th byte, so that
// one look-up reads at most that many, also in a text of one line.
typedef struct gm_json_place { uint32_t line, column; } gm_json_place;
typedef struct gm_json_lines { gm_str text; const gm_json_place *places; } gm_json_lines;
GM_NODISCARD gm_status gm_json_lines_build(gm_arena *arena, gm_str text, gm_json_lines *out_lines, gm_error *err);
void gm_json_position(const gm_json_lines *lines, uint32_t offset, uint32_t *out_line, uint32_t *out_column);

#endif
