// Letting go of what is on disk: blocks that are too old, and files that hold more of what was forgotten than of what is
// used.
#include "history/internal.h"
#include "history/levels.h"
#include "history/rollup.h"

// Takes the first `count` blocks out of a series.
static void drop_blocks(gm_history *h, uint32_t id, size_t count)
{
    gm_series *s = gm_series_at(&h->table, id);
    gm_blocks *b = s->large.blocks;
    for (size_t i = 0; i < count; i++) {
        h->stats.sealed_bytes -= b->items[i].size;
        h->stats.samples -= b->items[i].n;
        s->large.n -= b->items[i].n;
        gm_history_drop_block(h, &b->items[i]);
    }
    h->stats.blocks -= count;
    gm_levels_fall(b, 0);
    b->count -= count;
    memmove(b->items, b->items + count, b->count * sizeof *b->items);
    if (b->thawed != NULL) b->thawed_at -= count;
}

static void expire_series(gm_history *h, uint32_t id, const gm_history_keep *keep)
{
    const gm_blocks *b      = gm_series_at(&h->table, id)->large.blocks;
    bool             rolled = gm_rollup_is(gm_series_at(&h->table, id)->column);
    gm_time_ns       before = rolled ? keep->rollups_before : keep->before;
    size_t           gone   = 0;  // one that is open for late samples stays until it is closed
    while (gone < b->count && b->items[gone].where != GM_THAWED && b->items[gone].last_at < before) {
        bool roll = !rolled && keep->rollup > 0;
        if (roll && gm_rollup_block(h, id, gone, keep->rollup, NULL) != GM_OK) break;
        gone++;
    }
    if (gone > 0) drop_blocks(h, id, gone);
}

bool gm_history_expire(gm_history *h, size_t series, gm_history_wanted *wanted, void *context)
{
    for (size_t i = 0; i < series && h->expiring < h->table.used; i++) {
        uint32_t         id = h->expiring++;
        const gm_series *s  = gm_series_at(&h->table, id);
        gm_history_keep  keep;
        if (!s->in_use || !s->is_large || s->large.blocks == NULL || s->large.blocks->count == 0) continue;
        if (wanted(context, s->twin, gm_rollup_of(s->column), &keep)) expire_series(h, id, &keep);
    }
    if (h->expiring < h->table.used) return true;
    h->expiring = 0;
    return false;
}

// The entry of a series that lies at this place; NULL: nobody refers to it.
static gm_sealed *find_place(gm_history *h, const gm_entry *entry)
{
    uint32_t id = gm_series_find(&h->table, entry->twin, entry->column);
    if (id == GM_INDEX_NONE || !gm_series_at(&h->table, id)->is_large) return NULL;
    gm_blocks       *b = gm_series_at(&h->table, id)->large.blocks;
    gm_block_summary sum;
    if (b == NULL || b->count == 0 || gm_block_read_summary(entry->bytes, entry->size, &sum, NULL) != GM_OK) return NULL;
    gm_sealed *item = &b->items[gm_blocks_find(b, sum.first_at)];
    bool       here = item->where == GM_IN_FILE && item->place.file == entry->place.file && item->place.offset == entry->place.offset;
    return here ? item : NULL;
}

bool gm_history_tidy(gm_history *h, size_t entries, gm_status *out_st, gm_error *err)
{
    *out_st = GM_OK;
    if (h->files == NULL) return false;
    if (h->tidying == 0) {
        if (!gm_files_wasteful(h->files, &h->tidying)) return false;
        h->tidying_at = 0;
    }
    for (size_t i = 0; i < entries; i++) {
        gm_entry entry;
        *out_st = gm_files_next(h->files, h->tidying, &h->tidying_at, &entry, err);
        if (*out_st != GM_OK) break;
        gm_sealed *item = find_place(h, &entry);
        if (item == NULL) continue;
        gm_place place;
        *out_st = gm_files_append(h->files, entry.twin, entry.column, entry.bytes, entry.size, &place, err);
        if (*out_st != GM_OK) break;
        gm_files_drop(h->files, item->place, item->size);
        item->place = place;
    }
    if (*out_st == GM_OK) return true;
    // The end; or damage behind what is used (a tail that was never synced), which then is the end too.
    uint32_t done = h->tidying;
    h->tidying    = 0;
    if (*out_st == GM_NOTFOUND || !gm_files_uses(h->files, done)) *out_st = GM_OK;
    return *out_st == GM_OK;
}

// What can be told of the damage and gone on behind; anything else ends the reading.
static gm_status told(gm_status st, const gm_error *why, gm_history_bad *bad, void *context, gm_error *err)
{
    if (st == GM_CORRUPT || st == GM_NOTFOUND) {
        bad(context, why);
        return GM_OK;
    }
    if (st != GM_OK && err != NULL) *err = *why;
    return st;
}

static gm_status verify_headers(const gm_history *h, gm_history_bad *bad, void *context, gm_error *err)
{
    if (h->files == NULL) return GM_OK;
    uint32_t *numbers = gm_alloc_array(h->alloc, gm_files_count(h->files) + 1, sizeof *numbers);
    if (numbers == NULL) return gm_fail(err, GM_NOMEM, "history", "verifying files");
    gm_status st    = GM_OK;
    size_t    count = gm_files_used(h->files, numbers);
    for (size_t i = 0; st == GM_OK && i < count; i++) {
        gm_error why = { 0 };
        st           = gm_files_check(h->files, numbers[i], &why);
        st           = told(st, &why, bad, context, err);
    }
    gm_free(h->alloc, numbers);
    return st;
}

gm_status gm_history_verify(const gm_history *h, gm_history_bad *bad, void *context, uint64_t *out_blocks, gm_error *err)
{
    *out_blocks  = 0;
    gm_status st = verify_headers(h, bad, context, err);
    for (uint32_t id = 0; st == GM_OK && id < h->table.used; id++) {
        const gm_series *s = gm_series_at(&h->table, id);
        if (!s->in_use || !s->is_large || s->large.blocks == NULL) continue;
        for (size_t i = 0; st == GM_OK && i < s->large.blocks->count; i++) {
            gm_samples samples;
            gm_error   why = { 0 };
            st             = gm_history_open_block(h, s, i, &samples, &why);
            st             = told(st, &why, bad, context, err);
            ++*out_blocks;
        }
    }
    return st;
}
