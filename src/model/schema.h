// model/schema.h: schemas of documents; what types.c asks of schema.c.
#ifndef GM_MODEL_SCHEMA_H
#define GM_MODEL_SCHEMA_H

#include "model/element.h"

// Makes the schema of every Array, Enum, Map and Object of the set. False: memory was refused.
bool gm_schemas_make(gm_set *set);

// The schema a reference or a member stands for; NULL when there is none.
const gm_schema *gm_schema_of_ref(const gm_ref *ref);
const gm_schema *gm_schema_of_member(const gm_element *element, gm_prop_kind kind);

// Fields of an Object, or Properties of a Relationship. False: memory was refused.
bool gm_fields_make(gm_set *set, const gm_member *member, const gm_field **out_fields, size_t *out_count);

// A localizable member's text, empty when there is none.
gm_str gm_element_text(const gm_element *element, gm_prop_kind kind);

#endif
