#include "state/sorted.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct block {
    uint32_t count;
    uint32_t rows[GM_SORTED_BLOCK];
    uint64_t keys[GM_SORTED_BLOCK];  // in rising order of (key, row)
} block;

struct gm_sorted {
    const gm_alloc *alloc;
    block         **blocks;   // none is empty
    size_t          block_count, capacity, count;
};

gm_sorted *gm_sorted_create(const gm_alloc *alloc)
{
    gm_sorted *s = gm_alloc_zeroed(alloc, sizeof *s);
    if (s != NULL) s->alloc = alloc;
    return s;
}

static void clear(gm_sorted *s)
{
    for (size_t i = 0; i < s->block_count; i++) gm_free(s->alloc, s->blocks[i]);
    s->block_count = s->count = 0;
}

void gm_sorted_destroy(gm_sorted *s)
{
    if (s == NULL) return;
    clear(s);
    gm_free(s->alloc, s->blocks);
    gm_free(s->alloc, s);
}

size_t gm_sorted_count(const gm_sorted *s) { return s->count; }

size_t gm_sorted_bytes(const gm_sorted *s)
{
    return sizeof *s + s->capacity * sizeof *s->blocks + s->block_count * sizeof(block);
}

static int compare(uint64_t key, uint32_t row, uint64_t other_key, uint32_t other_row)
{
    if (key != other_key) return key < other_key ? -1 : 1;
    return row < other_row ? -1 : row > other_row;
}

// The block in which (key, row) lies or would lie: the last one that does not begin after it.
static size_t find_block(const gm_sorted *s, uint64_t key, uint32_t row)
{
    size_t low = 0, high = s->block_count;
    while (low < high) {
        size_t       middle = low + (high - low) / 2;
        const block *b      = s->blocks[middle];
        if (compare(b->keys[0], b->rows[0], key, row) <= 0) low = middle + 1;
        else high = middle;
    }
    return low > 0 ? low - 1 : 0;
}

static uint32_t find_place(const block *b, uint64_t key, uint32_t row)
{
    uint32_t low = 0, high = b->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(b->keys[middle], b->rows[middle], key, row) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

static gm_status insert_block(gm_sorted *s, size_t at, block **out)
{
    if (!gm_alloc_reserve(s->alloc, &s->blocks, &s->capacity, s->block_count + 1, sizeof *s->blocks)) return GM_NOMEM;
    block *b = gm_alloc_bytes(s->alloc, sizeof *b);
    if (b == NULL) return GM_NOMEM;
    b->count = 0;
    memmove(&s->blocks[at + 1], &s->blocks[at], (s->block_count - at) * sizeof *s->blocks);
    s->blocks[at] = b;
    s->block_count++;
    *out = b;
    return GM_OK;
}

static gm_status split(gm_sorted *s, size_t at)
{
    block    *full = s->blocks[at], *upper;
    gm_status st   = insert_block(s, at + 1, &upper);
    if (st != GM_OK) return st;
    enum { HALF = GM_SORTED_BLOCK / 2 };
    upper->count = full->count - HALF;
    memcpy(upper->keys, full->keys + HALF, upper->count * sizeof *upper->keys);
    memcpy(upper->rows, full->rows + HALF, upper->count * sizeof *upper->rows);
    full->count = HALF;
    return GM_OK;
}

gm_status gm_sorted_add(gm_sorted *s, uint64_t key, uint32_t row)
{
    block *b;
    if (s->block_count == 0) {
        gm_status st = insert_block(s, 0, &b);
        if (st != GM_OK) return st;
    } else {
        size_t at = find_block(s, key, row);
        if (s->blocks[at]->count == GM_SORTED_BLOCK) {
            gm_status st = split(s, at);
            if (st != GM_OK) return st;
            at = find_block(s, key, row);
        }
        b = s->blocks[at];
    }
    uint32_t place = find_place(b, key, row);
    memmove(&b->keys[place + 1], &b->keys[place], (b->count - place) * sizeof *b->keys);
    memmove(&b->rows[place + 1], &b->rows[place], (b->count - place) * sizeof *b->rows);
    b->keys[place] = key;
    b->rows[place] = row;
    b->count++;
    s->count++;
    return GM_OK;
}

void gm_sorted_remove(gm_sorted *s, uint64_t key, uint32_t row)
{
    if (s->block_count == 0) return;
    size_t   at    = find_block(s, key, row);
    block   *b     = s->blocks[at];
    uint32_t place = find_place(b, key, row);
    if (place == b->count || b->keys[place] != key || b->rows[place] != row) return;
    b->count--;
    s->count--;
    memmove(&b->keys[place], &b->keys[place + 1], (b->count - place) * sizeof *b->keys);
    memmove(&b->rows[place], &b->rows[place + 1], (b->count - place) * sizeof *b->rows);
    if (b->count > 0) return;
    gm_free(s->alloc, b);
    s->block_count--;
    memmove(&s->blocks[at], &s->blocks[at + 1], (s->block_count - at) * sizeof *s->blocks);
}

static int by_key(const void *a, const void *b)
{
    const gm_sorted_entry *x = a, *y = b;
    return compare(x->key, x->row, y->key, y->row);
}

gm_status gm_sorted_fill(gm_sorted *s, gm_sorted_entry *entries, size_t n)
{
    enum { FILLED = GM_SORTED_BLOCK / 4 * 3 };  // room for what comes
    clear(s);
    qsort(entries, n, sizeof *entries, by_key);
    for (size_t i = 0; i < n;) {
        block *b;
        if (insert_block(s, s->block_count, &b) != GM_OK) {
            clear(s);
            return GM_NOMEM;
        }
        for (; i < n && b->count < FILLED; i++, b->count++) {
            b->keys[b->count] = entries[i].key;
            b->rows[b->count] = entries[i].row;
        }
    }
    s->count = n;
    return GM_OK;
}

size_t gm_sorted_count_range(const gm_sorted *s, uint64_t low, uint64_t high)
{
    size_t count = 0;
    if (low > high || s->block_count == 0) return 0;
    for (size_t i = find_block(s, low, 0); i < s->block_count && s->blocks[i]->keys[0] <= high; i++) {
        const block *b     = s->blocks[i];
        bool         whole = b->keys[0] >= low && b->keys[b->count - 1] <= high;
        count += whole ? b->count
                       : (high == UINT64_MAX ? b->count : find_place(b, high + 1, 0)) - find_place(b, low, 0);
    }
    return count;
}

size_t gm_sorted_rows(const gm_sorted *s, uint64_t low, uint64_t high, uint32_t *out_rows, size_t max)
{
    size_t n = 0;
    if (low > high || s->block_count == 0) return 0;
    for (size_t i = find_block(s, low, 0); i < s->block_count && s->blocks[i]->keys[0] <= high; i++) {
        const block *b   = s->blocks[i];
        uint32_t     end = high == UINT64_MAX ? b->count : find_place(b, high + 1, 0);
        for (uint32_t at = find_place(b, low, 0); at < end && n < max; at++) out_rows[n++] = b->rows[at];
    }
    return n;
}
