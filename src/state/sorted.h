// state/sorted.h: rows in the order of a key: what an index of a property keeps for one table.
//
// Blocks of at most GM_SORTED_BLOCK entries, in order: adding and removing move within one block, counting a range looks
// at each block once. 12 bytes an entry at best, 24 at worst.
#ifndef GM_STATE_SORTED_H
#define GM_STATE_SORTED_H

#include "base/alloc.h"

enum { GM_SORTED_BLOCK = 512 };

typedef struct gm_sorted gm_sorted;
typedef struct gm_sorted_entry { uint64_t key; uint32_t row; } gm_sorted_entry;

GM_NODISCARD gm_sorted *gm_sorted_create(const gm_alloc *alloc);  // NULL: no memory
void                    gm_sorted_destroy(gm_sorted *sorted);     // NULL is allowed

// Takes the place of what was there; entries is sorted here. GM_NOMEM: empty then.
GM_NODISCARD gm_status gm_sorted_fill(gm_sorted *sorted, gm_sorted_entry *entries, size_t n);

// GM_NOMEM: unchanged. An entry is there at most once.
GM_NODISCARD gm_status gm_sorted_add(gm_sorted *sorted, uint64_t key, uint32_t row);
void                   gm_sorted_remove(gm_sorted *sorted, uint64_t key, uint32_t row);  // not there: nothing

size_t gm_sorted_count(const gm_sorted *sorted);
size_t gm_sorted_bytes(const gm_sorted *sorted);  // of memory
// Entries with low <= key <= high; their rows, in the order of the keys. out_rows has room for as many as were counted.
size_t gm_sorted_count_range(const gm_sorted *sorted, uint64_t low, uint64_t high);
size_t gm_sorted_rows(const gm_sorted *sorted, uint64_t low, uint64_t high, uint32_t *out_rows, size_t max);

#endif
