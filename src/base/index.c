// Deletion moves later entries of the same run back (no tombstones), so that finding stays short for ever.
#include "base/index.h"

#include <assert.h>

gm_index gm_index_init(const gm_alloc *alloc, gm_index_same *same, const void *owner)
{
    return (gm_index){ .alloc = alloc, .same = same, .owner = owner };
}

void gm_index_finish(gm_index *index)
{
    if (index->alloc != NULL) gm_free(index->alloc, index->slots);
    *index = (gm_index){ .alloc = index->alloc, .same = index->same, .owner = index->owner };
}

static uint32_t hash_of(gm_str key)
{
    uint64_t hash = gm_str_hash(key);
    return (uint32_t)(hash ^ hash >> 32);
}

// The hash's place on a line as long as the slots, so that their number need not be a power of two.
static size_t home_of(const gm_index *index, uint32_t hash) { return (size_t)((uint64_t)hash * index->slot_count >> 32); }

static size_t behind(const gm_index *index, size_t i) { return i + 1 < index->slot_count ? i + 1 : 0; }

static size_t slot_of(const gm_index *index, gm_str key, uint32_t hash)
{
    for (size_t i = home_of(index, hash);; i = behind(index, i)) {
        const gm_index_slot *slot = &index->slots[i];
        if (slot->id == GM_INDEX_NONE) return SIZE_MAX;
        if (slot->hash == hash && index->same(index->owner, slot->id, key)) return i;
    }
}

uint32_t gm_index_find(const gm_index *index, gm_str key)
{
    if (index->slots == NULL) return GM_INDEX_NONE;
    size_t at = slot_of(index, key, hash_of(key));
    return at != SIZE_MAX ? index->slots[at].id : GM_INDEX_NONE;
}

static void place(gm_index *index, gm_index_slot entry)
{
    size_t i = home_of(index, entry.hash);
    while (index->slots[i].id != GM_INDEX_NONE) i = behind(index, i);
    index->slots[i] = entry;
}

gm_status gm_index_reserve(gm_index *index, size_t more)
{
    enum { SMALL = 1 << 16 };
    size_t slots = index->slot_count, need;
    if (__builtin_add_overflow(index->count, more, &need) || need > UINT32_MAX / 2) return GM_NOMEM;
    if (slots > 0 && need * 4 <= slots * 3) return GM_OK;
    size_t grown = slots + (slots < SMALL ? slots : slots / 2);
    if (grown < 16) grown = 16;
    if (need * 4 > grown * 3) grown = need + need / 3 + 1;

    gm_index_slot *fresh = gm_alloc_array(index->alloc, grown, sizeof *fresh);
    if (fresh == NULL) return GM_NOMEM;
    memset(fresh, 0xff, grown * sizeof *fresh);  // id GM_INDEX_NONE everywhere
    gm_index_slot *old = index->slots;
    index->slots       = fresh;
    index->slot_count  = grown;
    for (size_t i = 0; i < slots; i++) {
        if (old[i].id != GM_INDEX_NONE) place(index, old[i]);
    }
    gm_free(index->alloc, old);
    return GM_OK;
}

gm_status gm_index_add(gm_index *index, gm_str key, uint32_t id)
{
    assert(id != GM_INDEX_NONE);
    gm_status st = gm_index_reserve(index, 1);
    if (st != GM_OK) return st;
    place(index, (gm_index_slot){ hash_of(key), id });
    index->count++;
    return GM_OK;
}

uint32_t gm_index_remove(gm_index *index, gm_str key)
{
    if (index->slots == NULL) return GM_INDEX_NONE;
    size_t hole = slot_of(index, key, hash_of(key));
    if (hole == SIZE_MAX) return GM_INDEX_NONE;
    uint32_t id = index->slots[hole].id;
    index->count--;

    // Close the gap: an entry after it may move back unless that would put it before its own first slot.
    for (size_t i = behind(index, hole); index->slots[i].id != GM_INDEX_NONE; i = behind(index, i)) {
        size_t home = home_of(index, index->slots[i].hash), n = index->slot_count;
        size_t from_home = i >= home ? i - home : i + n - home, from_hole = i >= hole ? i - hole : i + n - hole;
        if (from_home >= from_hole) {
            index->slots[hole] = index->slots[i];
            hole               = i;
        }
    }
    index->slots[hole].id = GM_INDEX_NONE;
    return id;
}
