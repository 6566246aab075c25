// state/indexes.h: secondary indexes: properties that queries look up in place of scanning.
//
//   gm_state_index_add(state, GM_STR("temperature"), GM_INDEX_ORDERED, &err);   // every type that has such a column
//   const gm_sorted *sorted = gm_state_index_of(state, type_number, column, &kind);
//
// An index maps values to keys of 64 bits. Different values may share a key (long texts, whole numbers beyond 2^53 as
// seen from a fraction), so a range of keys gives rows that may fit; whoever asks looks at the values again. Ordered
// keys rise with the values; hashed ones only tell equal values. Maintained by gm_table_set and gm_table_remove_row:
// an index is never behind.
#ifndef GM_STATE_INDEXES_H
#define GM_STATE_INDEXES_H

#include "state/sorted.h"
#include "state/state.h"

typedef enum gm_index_order { GM_INDEX_ORDERED, GM_INDEX_HASHED } gm_index_order;

enum { GM_STATE_INDEXES_MAX = 256 };

// The key of a value of the given kind. NONE has none.
uint64_t gm_index_key_of(gm_value value, gm_index_order order);
uint64_t gm_index_key_of_double(double value);
uint64_t gm_index_key_of_int(int64_t value);
uint64_t gm_index_key_of_text(gm_str text, gm_index_order order);

// Makes an index of the path in every type that has a column there, also types to come. An index that is there is made
// again when its order differs. GM_LIMIT: there are GM_STATE_INDEXES_MAX. GM_NOMEM: there is none then.
// Cost: sorting the column; about a fifth of a second for a million rows, in one go.
GM_NODISCARD gm_status gm_state_index_add(gm_state *state, gm_str path, gm_index_order order, gm_error *err);
bool                   gm_state_index_drop(gm_state *state, gm_str path);  // false: there was none

typedef struct gm_index_info { gm_str path; gm_index_order order; size_t entries; } gm_index_info;
size_t        gm_state_index_count(const gm_state *state);
gm_index_info gm_state_index_at(const gm_state *state, size_t i);

// The index of a column; NULL when there is none.
const gm_sorted *gm_state_index_of(const gm_state *state, size_t type_number, uint32_t column, gm_index_order *out_order);

#endif
