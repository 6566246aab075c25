// model/types.h: what a gm_type has beside what users see.
#ifndef GM_MODEL_TYPES_H
#define GM_MODEL_TYPES_H

#include "model/element.h"

// Objects below objects below ... become columns down to this depth; deeper ones stay documents, as do Objects that
// are part of themselves.
enum { GM_FLATTEN_DEPTH_MAX = 16 };

// Columns and components of one type: the log and the history number them with 16 bits.
enum { GM_TYPE_COLUMNS_MAX = 65000, GM_TYPE_COMPONENTS_MAX = 65000 };

typedef struct gm_type_full {
    gm_type     seen;          // first, so that a gm_type * is one of these
    gm_element *element;
    uint32_t   *column_slots;  // open addressing; column + 1, 0 = empty
    size_t      column_mask;
    uint32_t   *base_slots;    // numbers of the bases + 1
    size_t      base_mask;
    size_t      place;         // in the model's list of types
} gm_type_full;

// How a schema is stored.
gm_kind gm_schema_storage(const gm_schema *schema);

// The schema of a standard element.
const gm_schema *gm_schema_standard(const gm_standard *standard);

#endif
