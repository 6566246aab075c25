// engine/pending.h: which twins have structural changes that are submitted but not applied yet.
//
// Keys are 64-bit hashes of twin ids: two ids with one hash merely wait for each other. First in, first out, by log
// sequence.
#ifndef GM_ENGINE_PENDING_H
#define GM_ENGINE_PENDING_H

#include "base/alloc.h"

typedef struct gm_pending_item { uint64_t key, sequence; } gm_pending_item;

typedef struct gm_pending {
    const gm_alloc  *alloc;
    gm_pending_item *items;   // queue: items[first .. first+count) modulo capacity (a power of two)
    size_t           first, count, capacity;
    uint32_t        *slots;   // open addressing over the queue's positions + 1; 0 = empty; mask is 2 * capacity - 1
} gm_pending;

void gm_pending_finish(gm_pending *pending);

// Room for one more, so that the add that follows can not fail.
GM_NODISCARD gm_status gm_pending_reserve(gm_pending *pending, size_t more);
void gm_pending_add(gm_pending *pending, uint64_t key, uint64_t sequence);
void gm_pending_settle(gm_pending *pending, uint64_t sequence);  // forgets all up to and including sequence
bool gm_pending_has(const gm_pending *pending, uint64_t key);

#endif
