// query/value.h: what expressions compute with: comparing values, sets of them, and reaching into JSON text.
#ifndef GM_QUERY_VALUE_H
#define GM_QUERY_VALUE_H

#include "base/buf.h"
#include "base/value.h"
#include "query/ast.h"

// Three-valued logic: a comparison with something undefined is neither true nor false, and NOT keeps it so.
typedef enum gm_truth { GM_FALSE, GM_TRUE, GM_UNKNOWN } gm_truth;

// A total order, for ORDER BY, sets and groups: by kind first, numbers exactly (an integer against a double as the
// mathematical numbers they are), texts by byte.
int gm_qvalue_order(gm_qvalue a, gm_qvalue b);

// a op b; GM_UNKNOWN when they can not be compared (different kinds, undefined, objects).
gm_truth gm_qvalue_compare(gm_compare op, gm_qvalue a, gm_qvalue b);

// Sorts the values in place and drops duplicates; times in the list stay texts and are compared as such.
gm_qset gm_qset_make(gm_qvalue *values, size_t count);
bool    gm_qset_has(gm_qset set, gm_qvalue value);

// As SQL sees a stored value. Views what the value views.
gm_qvalue gm_qvalue_of(gm_value value);

// Writes the value as JSON; undefined as null.
void gm_qvalue_write(gm_qvalue value, gm_buf *out);

// The text of a STRING, or of a TIME in RFC 3339 (in buffer). False: neither.
bool gm_qvalue_text(gm_qvalue value, char buffer[GM_TIME_TEXT], gm_str *out_text);

// ---- JSON text --------------------------------------------------------------------------------------------------
// The text is compact JSON as the engine wrote it, or at worst any bytes: reading stops at what is not JSON.

// The value at the front, texts unescaped (into the arena when they have escapes; else viewed). UNDEFINED when it is
// no JSON or memory is refused.
gm_qvalue gm_json_value(gm_str json, gm_arena *arena);

// The span of the member at the path, empty when there is none.
gm_str gm_json_find(gm_str json, const gm_str *segments, size_t count);

// Walks the elements of an array: *rest starts as the whole array. False at the end.
bool gm_json_next_element(gm_str *rest, gm_str *out_element);

#endif
