// The blocks behind an open run: sealed, put into a file or memory, and opened again for what is late. Keeps the invariants of
// history.c.
#include "history/blocks.h"

#include "history/levels.h"
#include "history/sealing.h"

#include <assert.h>

enum { PIECES = GM_BLOCK_MOST / GM_HISTORY_BLOCK + 2 };

gm_status gm_history_no_memory(gm_error *err)
{
    return gm_fail(err, GM_NOMEM, "history", "no memory for a sample");
}

size_t gm_blocks_find(const gm_blocks *blocks, gm_time_ns at)
{
    size_t low = 0, high = blocks->count;  // items[low] begins at or before at, or low is 0; items[high] later
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (blocks->items[middle].first_at <= at) low = middle;
        else high = middle;
    }
    return low;
}

// Into a file when there is one that takes it, else into memory: a full disk is a nuisance here, no loss.
static gm_status put_away(gm_history *h, const gm_series *s, const gm_buf *bytes, gm_sealed *out, gm_error *err)
{
    if (h->files != NULL) {
        out->where = GM_IN_FILE;
        gm_error refused;
        if (gm_files_append(h->files, s->twin, s->column, bytes->ptr, out->size, &out->place, &refused) == GM_OK) {
            h->refused.status = GM_OK;
            return GM_OK;
        }
        h->refused = refused;
    }
    out->where = GM_IN_MEMORY;
    out->bytes = gm_alloc_bytes(h->alloc, bytes->len);
    if (out->bytes == NULL) return gm_history_no_memory(err);
    memcpy(out->bytes, bytes->ptr, bytes->len);
    return GM_OK;
}

gm_status gm_history_describe(const gm_samples *samples, const gm_buf *bytes, gm_sealed *out, gm_error *err)
{
    gm_block_summary sum;
    gm_status        st = gm_block_read_summary(bytes->ptr, bytes->len, &sum, err);
    if (st != GM_OK) return st;
    *out = (gm_sealed){ .first_at = gm_stamp_time(samples->stamp[0]),
                        .last_at  = gm_stamp_time(samples->stamp[samples->n - 1]),
                        .size     = (uint32_t)bytes->len,
                        .n        = (uint16_t)samples->n,
                        .kind     = (uint8_t)sum.kind,
                        .values   = (uint16_t)sum.values,
                        .last_value_at = sum.last_value_at };
    if (sum.values > 0 && !gm_kind_is_text(sum.kind)) {
        out->min  = sum.min;
        out->max  = sum.max;
        out->sum  = sum.sum;
        out->last = sum.last;
        gm_samples_extremes(samples, &out->min_at, &out->max_at);
    }
    return GM_OK;
}

gm_status gm_blocks_seal(gm_history *h, const gm_series *s, const gm_samples *samples, gm_sealed *out, gm_error *err)
{
    gm_buf_clear(&h->sealing);
    gm_block_encode(h->codec, samples, &h->sealing);
    if (h->sealing.failed) return gm_history_no_memory(err);
    gm_status st = gm_history_describe(samples, &h->sealing, out, err);
    return st == GM_OK ? put_away(h, s, &h->sealing, out, err) : st;
}

void gm_history_drop_block(gm_history *h, const gm_sealed *block)
{
    if (block->where == GM_SEALING) {
        h->stats.open_bytes -= gm_run_bytes(block->sealing->run);
        gm_sealing_let_go(block->sealing);
    }
    if (block->where == GM_IN_MEMORY) gm_free(h->alloc, block->bytes);
    if (block->where == GM_IN_FILE) gm_files_drop(h->files, block->place, block->size);
}

static gm_status need_room(gm_history *h, gm_blocks *b, size_t count, gm_error *err)
{
    size_t before = b->capacity;
    if (!gm_alloc_reserve(h->alloc, &b->items, &b->capacity, b->count + count, sizeof *b->items)) return gm_history_no_memory(err);
    h->stats.index_bytes += (b->capacity - before) * sizeof *b->items;
    return GM_OK;
}

// Puts `count` sealed pieces in the place of `gone` entries. The pieces' bytes are taken when it returns GM_OK.
static gm_status splice(gm_history *h, gm_blocks *b, size_t at, size_t gone, const gm_sealed *pieces, size_t count,
                        gm_error *err)
{
    if (need_room(h, b, count, err) != GM_OK) return GM_NOMEM;
    gm_levels_fall(b, at);
    memmove(b->items + at + count, b->items + at + gone, (b->count - at - gone) * sizeof *b->items);
    for (size_t i = 0; i < count; i++) {
        b->items[at + i] = pieces[i];
        h->stats.sealed_bytes += pieces[i].size;
    }
    b->count = b->count - gone + count;
    h->stats.blocks += count - gone;
    return GM_OK;
}

static gm_status need_blocks(gm_history *h, gm_series *s, gm_error *err)
{
    if (s->large.blocks != NULL) return GM_OK;
    s->large.blocks = gm_alloc_zeroed(h->alloc, sizeof *s->large.blocks);
    if (s->large.blocks == NULL) return gm_history_no_memory(err);
    h->stats.index_bytes += sizeof *s->large.blocks;
    return GM_OK;
}

gm_status gm_blocks_seal_open(gm_history *h, gm_series *s, size_t count, gm_error *err)
{
    if (need_blocks(h, s, err) != GM_OK) return GM_NOMEM;
    gm_sealed  piece;
    gm_samples samples = gm_run_samples(s->large.open, 0, count);
    gm_status  st      = gm_blocks_seal(h, s, &samples, &piece, err);
    if (st != GM_OK) return st;
    st = splice(h, s->large.blocks, s->large.blocks->count, 0, &piece, 1, err);
    if (st != GM_OK) {
        gm_history_drop_block(h, &piece);
        return st;
    }
    gm_run_drop(s->large.open, count);
    return GM_OK;
}

bool gm_blocks_hand_over(gm_history *h, uint32_t id)
{
    gm_series *s = gm_series_at(&h->table, id);
    gm_run    *full = s->large.open, *next = NULL;
    gm_error   ignored;
    if (h->sealer == NULL || gm_kind_is_text(full->kind) || need_blocks(h, s, &ignored) != GM_OK) return false;
    if (need_room(h, s->large.blocks, 1, &ignored) != GM_OK) return false;
    next = gm_run_create(h->alloc, GM_RUN_MOST);
    if (next == NULL) return false;
    gm_samples  old   = gm_run_samples(full, 0, GM_HISTORY_BLOCK);
    gm_sealing *taken = gm_sealer_take(h->sealer, id, full, GM_HISTORY_BLOCK);
    if (taken == NULL) {
        gm_run_destroy(h->alloc, next);
        return false;
    }
    gm_sealed piece = { .where = GM_SEALING, .sealing = taken, .kind = (uint8_t)full->kind, .n = GM_HISTORY_BLOCK,
                        .first_at = gm_stamp_time(old.stamp[0]), .last_at = gm_stamp_time(old.stamp[GM_HISTORY_BLOCK - 1]) };
    gm_status st    = splice(h, s->large.blocks, s->large.blocks->count, 0, &piece, 1, &ignored);
    assert(st == GM_OK);  // there is room
    next->n    = full->n - GM_HISTORY_BLOCK;
    next->kind = full->kind;
    memcpy(gm_run_stamp(next), gm_run_stamp(full) + GM_HISTORY_BLOCK, next->n * sizeof(uint64_t));
    memcpy(gm_run_bits(next), gm_run_bits(full) + GM_HISTORY_BLOCK, next->n * sizeof(uint64_t));
    h->stats.open_bytes += gm_run_bytes(next);
    s->large.open = next;
    return true;
}

bool gm_history_sealed(gm_history *h, const gm_sealing *sealing)
{
    const gm_series *s = gm_series_at(&h->table, sealing->series);
    gm_blocks       *b = s->large.blocks;
    gm_sealed        piece = sealing->sealed;
    gm_error         ignored;
    size_t           i = b->count;  // near the end
    while (i > 0 && (b->items[i - 1].where != GM_SEALING || b->items[i - 1].sealing != sealing)) i--;
    assert(i > 0);  // whoever takes it away lets go of it
    if (put_away(h, s, &sealing->bytes, &piece, &ignored) != GM_OK) return false;
    b->items[i - 1] = piece;
    gm_levels_fall(b, i - 1);
    h->stats.sealed_bytes += piece.size;
    h->stats.open_bytes -= gm_run_bytes(sealing->run);
    return true;
}

// ---- thawing ------------------------------------------------------------------------------------------------------

void gm_blocks_forget_thawed(gm_history *h, uint32_t id)
{
    for (size_t i = 0; i < h->thawed_count; i++) {
        if (h->thawed[i] != id) continue;
        h->thawed_count--;
        memmove(h->thawed + i, h->thawed + i + 1, (h->thawed_count - i) * sizeof *h->thawed);
        return;
    }
}

gm_status gm_blocks_end_thaw(gm_history *h, uint32_t id, const gm_sealed *pieces, size_t count, gm_error *err)
{
    gm_blocks *b  = gm_series_at(&h->table, id)->large.blocks;
    gm_status  st = splice(h, b, b->thawed_at, 1, pieces, count, err);
    if (st != GM_OK) return st;
    h->stats.open_bytes -= gm_run_bytes(b->thawed);
    gm_run_destroy(h->alloc, b->thawed);
    b->thawed = NULL;
    gm_blocks_forget_thawed(h, id);
    return GM_OK;
}

gm_status gm_blocks_freeze(gm_history *h, uint32_t id, gm_error *err)
{
    gm_run   *run = gm_series_at(&h->table, id)->large.blocks->thawed;
    gm_sealed pieces[PIECES] = { 0 };
    size_t    wanted = run->n < GM_HISTORY_BLOCK * 3 / 2 ? 1 : (run->n + GM_HISTORY_BLOCK / 2) / GM_HISTORY_BLOCK;
    size_t    count  = 0;
    gm_status st     = GM_OK;
    for (; st == GM_OK && count < wanted; count++) {
        gm_samples part = gm_run_samples(run, run->n * count / wanted, run->n * (count + 1) / wanted);
        st              = gm_blocks_seal(h, gm_series_at(&h->table, id), &part, &pieces[count], err);
    }
    if (st == GM_OK) st = gm_blocks_end_thaw(h, id, pieces, count, err);
    if (st == GM_OK) return GM_OK;
    for (size_t i = 0; i < count; i++) gm_history_drop_block(h, &pieces[i]);
    return st;
}

gm_status gm_history_open_block(const gm_history *h, const gm_series *s, size_t i, gm_samples *out, gm_error *err)
{
    const gm_sealed *item  = &s->large.blocks->items[i];
    const uint8_t   *bytes = item->bytes;
    if (item->where == GM_THAWED) {
        *out = gm_run_samples(s->large.blocks->thawed, 0, s->large.blocks->thawed->n);
        return GM_OK;
    }
    if (item->where == GM_SEALING) {
        *out = gm_run_samples(item->sealing->run, 0, item->sealing->n);
        return GM_OK;
    }
    if (item->where == GM_IN_FILE) {
        gm_status st = gm_files_read(h->files, item->place, s->twin, s->column, item->size, &bytes, err);
        if (st != GM_OK) return st;
    }
    return gm_block_decode(h->codec, bytes, item->size, out, err);
}

gm_status gm_blocks_thaw(gm_history *h, uint32_t id, gm_time_ns at, gm_error *err)
{
    gm_blocks *b = gm_series_at(&h->table, id)->large.blocks;
    if (b->thawed != NULL) {
        if (gm_blocks_find(b, at) == b->thawed_at) return GM_OK;
        gm_status st = gm_blocks_freeze(h, id, err);
        if (st != GM_OK) return st;
    }
    if (h->thawed_count == GM_HISTORY_THAWED) {
        gm_status st = gm_blocks_freeze(h, h->thawed[0], err);
        if (st != GM_OK) return st;
    }
    size_t     i    = gm_blocks_find(b, at);
    gm_sealed *item = &b->items[i];
    gm_samples samples;
    gm_status  st = gm_history_open_block(h, gm_series_at(&h->table, id), i, &samples, err);
    if (st != GM_OK) return st;
    uint32_t room = item->n + item->n / 8 + GM_RUN_FIRST;
    b->thawed     = gm_run_of(h->alloc, &samples, room < GM_BLOCK_MOST ? room : GM_BLOCK_MOST);
    if (b->thawed == NULL) return gm_history_no_memory(err);
    b->thawed_at = i;
    h->stats.open_bytes += gm_run_bytes(b->thawed);
    h->stats.sealed_bytes -= item->size;
    gm_history_drop_block(h, item);
    gm_levels_fall(b, i);
    item->where                  = GM_THAWED;
    item->bytes                  = NULL;
    item->size                   = 0;
    h->thawed[h->thawed_count++] = id;
    return GM_OK;
}
