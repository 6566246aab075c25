// base/index.h: from a key (bytes) to a 32-bit id, when the ids' owner already stores the keys.
//
//   bool same(const void *owner, uint32_t id, gm_str key);        // is this the key of that id?
//   gm_index index = gm_index_init(alloc, same, owner);
//   uint32_t id = gm_index_find(&index, key);                     // GM_INDEX_NONE when absent
//   gm_index_add(&index, key, id);
//
// Open addressing with linear probing; 8 bytes a slot at a load of at most 3/4. A large one grows by half, so an entry takes 11 to
// 16 bytes, and 11 when room for all of them was made at once. One writer, no readers beside it.
#ifndef GM_BASE_INDEX_H
#define GM_BASE_INDEX_H

#include "base/alloc.h"
#include "base/str.h"

#define GM_INDEX_NONE UINT32_MAX

typedef bool gm_index_same(const void *owner, uint32_t id, gm_str key);

typedef struct gm_index_slot { uint32_t hash, id; } gm_index_slot;  // id GM_INDEX_NONE = empty

typedef struct gm_index {
    gm_index_slot  *slots;
    size_t          slot_count;  // slots is NULL until the first add
    size_t          count;
    const gm_alloc *alloc;
    gm_index_same  *same;
    const void     *owner;
} gm_index;

gm_index gm_index_init(const gm_alloc *alloc, gm_index_same *same, const void *owner);
void     gm_index_finish(gm_index *index);

uint32_t gm_index_find(const gm_index *index, gm_str key);

// The key must not be present. GM_NOMEM: nothing was added.
GM_NODISCARD gm_status gm_index_add(gm_index *index, gm_str key, uint32_t id);

// Makes room for `more` further keys, so that as many adds can not fail. GM_NOMEM: unchanged.
GM_NODISCARD gm_status gm_index_reserve(gm_index *index, size_t more);

// Bytes of its slots.
static inline size_t gm_index_bytes(const gm_index *index) { return index->slot_count * sizeof *index->slots; }

// Removes the key if present (its owner's copy must still be readable); returns its id or GM_INDEX_NONE.
uint32_t gm_index_remove(gm_index *index, gm_str key);

#endif
