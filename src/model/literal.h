// model/literal.h: members whose values are strings, numbers, booleans and identifiers.
#ifndef GM_MODEL_LITERAL_H
#define GM_MODEL_LITERAL_H

#include "model/element.h"

// Reads the values of `node` into member->value, as member->meta asks; findings name the element. Returns whether there
// is a valid value (localizable strings and JSON: whether the value is well-formed).
bool gm_literal_read(gm_set *set, gm_element *element, gm_member *member);

// The text of a localizable string: English, else the first language there is. Empty when node is NULL.
gm_str gm_literal_text(const gm_json *node);

// A "name": letters, digits and underscores; begins with a letter, does not end with an underscore.
bool gm_name_valid(gm_str name);

// The length in UTF-16 code units, which is what the limits of DTDL's published parser count.
size_t gm_utf16_length(gm_str text);

#endif
