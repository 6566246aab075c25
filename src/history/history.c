// Writing: where a sample goes.
//
// Invariants
//   (1) the blocks of a series and its open run follow each other in time without overlap, so a time has one place.
//   (2) an entry of blocks is sealed, or is the one thawed run of its series; a series with a thawed run is in
//       history.thawed, once.
//   (3) memory for a change is found before anything is changed: a refused append changes no sample.
//
//   two samples in the record --third, text, other kind--> open run --full--> sealed block --late sample--> thawed
//                                                              ^                   ^                           |
//                                                              +---- next one ----+       +------- freeze ----+
#include "history/blocks.h"

#include "history/decimal.h"
#include "history/levels.h"
#include "history/rollup.h"
#include "history/sealing.h"

#include <assert.h>

enum { TEXT_OPEN = 256 << 10 };  // bytes of text after which a run is sealed early

gm_history *gm_history_create(const gm_alloc *alloc)
{
    gm_history *h = gm_alloc_zeroed(alloc, sizeof *h);
    if (h == NULL) return NULL;
    h->alloc   = alloc;
    h->sealing = gm_buf_init(alloc);
    gm_series_table_init(&h->table, alloc);
    h->codec = gm_codec_create(alloc);
    if (h->codec == NULL) {
        gm_history_destroy(h);
        return NULL;
    }
    return h;
}

gm_status gm_history_use_files(gm_history *h, const gm_io *io, const char *path, gm_error *err)
{
    assert(h->files == NULL && h->stats.samples == 0);
    return gm_files_open(io, h->alloc, path, &h->files, err);
}

gm_status gm_history_use_pool(gm_history *h, gm_pool *pool)
{
    gm_sealer_destroy(h->sealer);
    h->sealer = pool != NULL ? gm_sealer_create(h, pool) : NULL;
    return pool == NULL || h->sealer != NULL ? GM_OK : GM_NOMEM;
}

void gm_history_turn(gm_history *h)
{
    if (h->sealer != NULL) gm_sealer_turn(h->sealer);
}

// ---- putting a sample in its place --------------------------------------------------------------------------------

// Puts into a run and keeps account of its memory. There must be room.
static gm_status put_in_run(gm_history *h, gm_run *run, gm_time_ns at, const gm_value *value, bool *out_new, gm_error *err)
{
    size_t    text = run->text_capacity;
    gm_status st   = gm_run_put(h->alloc, run, at, value, out_new);
    h->stats.open_bytes += run->text_capacity - text;
    return st == GM_OK ? GM_OK : gm_history_no_memory(err);
}

static gm_status grow_run(gm_history *h, gm_run **run, uint32_t most, gm_error *err)
{
    uint32_t wanted = (*run)->capacity * 2;
    size_t   before = gm_run_bytes(*run);
    gm_run  *larger = gm_run_grow(h->alloc, *run, wanted < most ? wanted : most);
    if (larger == NULL) return gm_history_no_memory(err);
    *run = larger;
    h->stats.open_bytes += gm_run_bytes(larger) - before;
    return GM_OK;
}

// A value of another kind in the middle of a sealed block: what is before it, it, and what is behind it become blocks.
static gm_status split(gm_history *h, uint32_t id, gm_time_ns at, const gm_value *value, bool *out_new, gm_error *err)
{
    gm_run  *run   = gm_series_at(&h->table, id)->large.blocks->thawed;
    gm_run  *alone = gm_run_create(h->alloc, 1);
    size_t   place = gm_run_find(run, at);
    bool     there = place < run->n && gm_stamp_time(gm_run_stamp(run)[place]) == at;
    size_t   count = 0;
    gm_sealed pieces[3] = { 0 };
    if (alone == NULL) return gm_history_no_memory(err);
    gm_status st = gm_run_put(h->alloc, alone, at, value, out_new);
    const struct { gm_run *run; size_t from, to; } parts[] = {
        { run, 0, place }, { alone, 0, 1 }, { run, place + there, run->n },
    };
    for (size_t i = 0; st == GM_OK && i < 3; i++) {
        if (parts[i].from == parts[i].to) continue;
        gm_samples samples = gm_run_samples(parts[i].run, parts[i].from, parts[i].to);
        st                 = gm_blocks_seal(h, gm_series_at(&h->table, id), &samples, &pieces[count], err);
        count++;
    }
    if (st == GM_OK) st = gm_blocks_end_thaw(h, id, pieces, count, err);
    for (size_t i = 0; st != GM_OK && i < count; i++) gm_history_drop_block(h, &pieces[i]);
    gm_run_destroy(h->alloc, alone);
    if (st != GM_OK) return gm_history_no_memory(err);
    gm_series_at(&h->table, id)->large.n += !there;
    h->stats.samples += !there;
    return GM_OK;
}

static gm_status put_sealed(gm_history *h, uint32_t id, gm_time_ns at, const gm_value *value, bool *out_new, gm_error *err)
{
    gm_series *s  = gm_series_at(&h->table, id);
    gm_blocks *b  = s->large.blocks;
    gm_status  st = gm_blocks_thaw(h, id, at, err);
    if (st == GM_OK && !gm_run_fits(b->thawed, value->kind)) return split(h, id, at, value, out_new, err);
    // A full one is put away first, which moves the boundaries of blocks: then look again.
    if (st == GM_OK && (b->thawed->n == GM_BLOCK_MOST || b->thawed->text_len > 4 * TEXT_OPEN)) {
        st = gm_blocks_freeze(h, id, err);
        if (st == GM_OK) st = gm_blocks_thaw(h, id, at, err);
    }
    if (st == GM_OK && b->thawed->n == b->thawed->capacity) st = grow_run(h, &b->thawed, GM_BLOCK_MOST, err);
    if (st != GM_OK) return st;
    uint32_t before = b->thawed->n;
    st              = put_in_run(h, b->thawed, at, value, out_new, err);
    if (st != GM_OK) return st;
    gm_sealed *item = &b->items[b->thawed_at];
    uint64_t  *stamp = gm_run_stamp(b->thawed);
    item->n          = (uint16_t)b->thawed->n;
    item->first_at   = gm_stamp_time(stamp[0]);
    item->last_at    = gm_stamp_time(stamp[item->n - 1]);
    s->large.n += item->n - before;
    h->stats.samples += item->n - before;
    return GM_OK;
}

static gm_status put_large(gm_history *h, uint32_t id, gm_time_ns at, const gm_value *value, bool *out_new, gm_error *err)
{
    gm_series *s  = gm_series_at(&h->table, id);
    gm_status  st = GM_OK;
    for (;;) {
        const gm_blocks *b = s->large.blocks;
        if (b != NULL && b->count > 0 && at <= b->items[b->count - 1].last_at) {
            return put_sealed(h, id, at, value, out_new, err);
        }
        gm_run *open = s->large.open;
        if (open == NULL) {
            open = gm_run_create(h->alloc, GM_RUN_FIRST);
            if (open == NULL) return gm_history_no_memory(err);
            h->stats.open_bytes += gm_run_bytes(open);
            s->large.open = open;
        }
        // Room and a fitting kind. Sealing moves the end of the blocks, so the place is looked for again.
        if (!gm_run_fits(open, value->kind) || open->text_len > TEXT_OPEN) st = gm_blocks_seal_open(h, s, open->n, err);
        else if (open->n == GM_RUN_MOST) st = gm_blocks_hand_over(h, id) ? GM_OK : gm_blocks_seal_open(h, s, GM_HISTORY_BLOCK, err);
        else if (open->n == open->capacity) st = grow_run(h, &s->large.open, GM_RUN_MOST, err);
        else break;
        if (st != GM_OK) return st;
    }
    uint32_t before = s->large.open->n;
    st              = put_in_run(h, s->large.open, at, value, out_new, err);
    if (st != GM_OK) return st;
    s->large.n += s->large.open->n - before;
    h->stats.samples += s->large.open->n - before;
    return GM_OK;
}

// The first two numbers of a series, in the record itself. False: they do not fit there.
static bool put_small(gm_history *h, gm_series *s, gm_time_ns at, const gm_value *value, bool *out_new)
{
    bool removed = value->kind == GM_KIND_NONE;
    if (gm_kind_is_text(value->kind)) return false;
    if (!removed && s->small_kind != GM_KIND_NONE && s->small_kind != value->kind) return false;
    uint64_t stamp = gm_stamp(at, removed), bits = 0;
    if (!removed) bits = value->kind == GM_KIND_DOUBLE ? gm_bits_of(value->d) : (uint64_t)value->i;
    size_t place = 0;
    while (place < s->small_n && gm_stamp_time(s->small.stamp[place]) < at) place++;
    bool there = place < s->small_n && gm_stamp_time(s->small.stamp[place]) == at;
    if (!there && s->small_n == GM_SERIES_SMALL) return false;
    *out_new = !there || s->small.stamp[place] != stamp || s->small.bits[place] != bits;
    if (!there) {
        if (place == 0) {
            s->small.stamp[1] = s->small.stamp[0];
            s->small.bits[1]  = s->small.bits[0];
        }
        s->small_n++;
        h->stats.samples++;
    }
    s->small.stamp[place] = stamp;
    s->small.bits[place]  = bits;
    if (!removed) s->small_kind = (uint8_t)value->kind;
    return true;
}

static gm_status make_large(gm_history *h, gm_series *s, gm_error *err)
{
    gm_run *run = gm_run_create(h->alloc, GM_RUN_FIRST);
    if (run == NULL) return gm_history_no_memory(err);
    run->kind = (gm_kind)s->small_kind;
    run->n    = s->small_n;
    memcpy(gm_run_stamp(run), s->small.stamp, s->small_n * sizeof(uint64_t));
    memcpy(gm_run_bits(run), s->small.bits, s->small_n * sizeof(uint64_t));
    h->stats.open_bytes += gm_run_bytes(run);
    s->is_large       = 1;
    s->large.open   = run;
    s->large.blocks = NULL;
    s->large.n      = s->small_n;
    return GM_OK;
}

gm_status gm_history_append(gm_history *h, uint32_t twin, uint32_t column, gm_time_ns at, gm_value value, bool *out_new,
                            gm_error *err)
{
    bool unread;
    if (out_new == NULL) out_new = &unread;
    if (at < GM_TIME_MIN || at > GM_TIME_MAX) {
        return gm_fail(err, GM_INVALID, "history", "a sample's time is outside the years 1970 to 2200");
    }
    uint32_t id = gm_series_find(&h->table, twin, column);
    if (id == GM_INDEX_NONE) id = gm_series_add(&h->table, twin, column);
    if (id == GM_INDEX_NONE) return gm_history_no_memory(err);
    gm_series *s = gm_series_at(&h->table, id);
    if (!s->is_large) {
        if (put_small(h, s, at, &value, out_new)) return GM_OK;
        gm_status st = make_large(h, s, err);
        if (st != GM_OK) return st;
    }
    return put_large(h, id, at, &value, out_new, err);
}

// ---- letting go -----------------------------------------------------------------------------------------------------

void gm_history_release_series(gm_history *h, uint32_t id)
{
    gm_series *s = gm_series_at(&h->table, id);
    if (!s->is_large) {
        h->stats.samples -= s->small_n;
        return;
    }
    h->stats.samples -= s->large.n;
    h->stats.open_bytes -= gm_run_bytes(s->large.open);
    gm_run_destroy(h->alloc, s->large.open);
    gm_blocks *b = s->large.blocks;
    if (b == NULL) return;
    for (size_t i = 0; i < b->count; i++) {
        h->stats.sealed_bytes -= b->items[i].size;
        gm_history_drop_block(h, &b->items[i]);
    }
    h->stats.blocks -= b->count;
    h->stats.open_bytes -= gm_run_bytes(b->thawed);
    h->stats.index_bytes -= sizeof *b + b->capacity * sizeof *b->items;
    if (b->thawed != NULL) gm_blocks_forget_thawed(h, id);
    gm_run_destroy(h->alloc, b->thawed);
    gm_levels_finish(h->alloc, b, &h->stats.index_bytes);
    gm_free(h->alloc, b->items);
    gm_free(h->alloc, b);
}

void gm_history_forget(gm_history *h, uint32_t twin)
{
    for (uint32_t id = gm_series_first(&h->table, twin); id != GM_INDEX_NONE; id = gm_series_at(&h->table, id)->next) {
        gm_history_release_series(h, id);
    }
    gm_series_remove_twin(&h->table, twin);
}

static void forget_column(gm_history *h, uint32_t twin, uint32_t column)
{
    uint32_t id = gm_series_find(&h->table, twin, column);
    if (id == GM_INDEX_NONE) return;
    gm_history_release_series(h, id);
    gm_series_remove(&h->table, id);
}

void gm_history_forget_series(gm_history *h, uint32_t twin, uint32_t column)
{
    forget_column(h, twin, column);
    for (int i = 0; i < GM_ROLLUP_PARTS; i++) forget_column(h, twin, gm_rollup_column(column, (gm_rollup)i));
}

gm_status gm_history_purge(gm_history *h, gm_error *err) { return h->files != NULL ? gm_files_condemn(h->files, err) : GM_OK; }

gm_status gm_history_seal(gm_history *h, size_t at_least, gm_error *err)
{
    for (uint32_t id = 0; id < h->table.used; id++) {
        gm_series *s = gm_series_at(&h->table, id);
        if (!s->in_use || !s->is_large) continue;
        gm_status st = GM_OK;
        if (s->large.blocks != NULL && s->large.blocks->thawed != NULL) st = gm_blocks_freeze(h, id, err);
        gm_run *open = s->large.open;
        if (st == GM_OK && open != NULL && open->n > 0 && open->n >= at_least) {
            st = gm_blocks_seal_open(h, s, open->n, err);
            if (st == GM_OK) {
                h->stats.open_bytes -= gm_run_bytes(open);
                gm_run_destroy(h->alloc, open);
                s->large.open = NULL;
            }
        }
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

void gm_history_destroy(gm_history *h)
{
    if (h == NULL) return;
    for (uint32_t id = 0; id < h->table.used; id++) {
        if (gm_series_at(&h->table, id)->in_use) gm_history_release_series(h, id);
    }
    gm_series_table_finish(&h->table);
    gm_sealer_destroy(h->sealer);
    gm_files_close(h->files);
    gm_buf_finish(&h->sealing);
    gm_codec_destroy(h->codec);
    gm_free(h->alloc, h);
}
