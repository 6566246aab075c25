// The table is rebuilt whenever the queue drains past half of it: settling happens once per batch, so the cost is
// shared by all of the batch's changes and deletion needs no care.
#include "engine/pending.h"

#include <assert.h>
#include <string.h>

void gm_pending_finish(gm_pending *pending)
{
    gm_free(pending->alloc, pending->items);
    gm_free(pending->alloc, pending->slots);
    *pending = (gm_pending){ .alloc = pending->alloc };
}

static gm_pending_item *item_at(const gm_pending *pending, size_t i)
{
    return &pending->items[(pending->first + i) & (pending->capacity - 1)];
}

// One slot a key: the newest item takes it over, so that a thousand changes of one twin do not make a chain.
static void place(gm_pending *pending, size_t position)
{
    size_t   mask = 2 * pending->capacity - 1;
    uint64_t key  = pending->items[position].key;
    size_t   slot = key & mask;
    while (pending->slots[slot] != 0 && pending->items[pending->slots[slot] - 1].key != key) slot = (slot + 1) & mask;
    pending->slots[slot] = (uint32_t)position + 1;
}

static void rebuild(gm_pending *pending)
{
    memset(pending->slots, 0, 2 * pending->capacity * sizeof *pending->slots);
    for (size_t i = 0; i < pending->count; i++) place(pending, (pending->first + i) & (pending->capacity - 1));
}

gm_status gm_pending_reserve(gm_pending *pending, size_t more)
{
    size_t need = pending->count + more;
    if (need <= pending->capacity) return GM_OK;
    size_t grown = pending->capacity > 0 ? pending->capacity : 64;
    while (grown < need) grown *= 2;
    if (grown > UINT32_MAX / 4) return GM_LIMIT;
    gm_pending_item *items = gm_alloc_array(pending->alloc, grown, sizeof *items);
    uint32_t        *slots = gm_alloc_array(pending->alloc, 2 * grown, sizeof *slots);
    if (items == NULL || slots == NULL) {
        gm_free(pending->alloc, items);
        gm_free(pending->alloc, slots);
        return GM_NOMEM;
    }
    for (size_t i = 0; i < pending->count; i++) items[i] = *item_at(pending, i);
    gm_free(pending->alloc, pending->items);
    gm_free(pending->alloc, pending->slots);
    pending->items    = items;
    pending->slots    = slots;
    pending->first    = 0;
    pending->capacity = grown;
    rebuild(pending);
    return GM_OK;
}

void gm_pending_add(gm_pending *pending, uint64_t key, uint64_t sequence)
{
    assert(pending->count < pending->capacity);
    size_t position          = (pending->first + pending->count++) & (pending->capacity - 1);
    pending->items[position] = (gm_pending_item){ key, sequence };
    place(pending, position);
}

void gm_pending_settle(gm_pending *pending, uint64_t sequence)
{
    size_t before = pending->count;
    while (pending->count > 0 && item_at(pending, 0)->sequence <= sequence) {
        pending->first = (pending->first + 1) & (pending->capacity - 1);
        pending->count--;
    }
    if (pending->count != before) rebuild(pending);
}

bool gm_pending_has(const gm_pending *pending, uint64_t key)
{
    if (pending->count == 0) return false;
    size_t mask = 2 * pending->capacity - 1;
    for (size_t slot = key & mask; pending->slots[slot] != 0; slot = (slot + 1) & mask) {
        if (pending->items[pending->slots[slot] - 1].key == key) return true;
    }
    return false;
}
