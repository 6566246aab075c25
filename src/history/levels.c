#include "history/levels.h"

void gm_levels_fall(gm_blocks *b, size_t at)
{
    if (at / GM_LEVEL_BLOCKS < b->level_count) b->level_count = at / GM_LEVEL_BLOCKS;
}

// Removals alone have sums too: none.
static bool has_sums(const gm_sealed *block)
{
    bool text = gm_kind_is_text((gm_kind)block->kind) && block->values > 0;
    return !gm_sealed_plain(block) && !text && (block->values == 0 || block->min_at != GM_EXTREME_UNKNOWN);
}

static gm_level level_of(const gm_sealed *blocks)
{
    gm_level l = { .first_at = blocks[0].first_at, .last_at = blocks[GM_LEVEL_BLOCKS - 1].last_at, .usable = true };
    for (size_t i = 0; i < GM_LEVEL_BLOCKS && l.usable; i++) {
        const gm_sealed *b = &blocks[i];
        l.usable           = has_sums(b);
        l.n += b->n;
        if (!l.usable || b->values == 0) continue;
        if (l.values == 0 || b->min < l.min) {
            l.min    = b->min;
            l.min_at = b->min_at;
        }
        if (l.values == 0 || b->max > l.max) {
            l.max    = b->max;
            l.max_at = b->max_at;
        }
        l.sum += b->sum;
        l.values += b->values;
        l.last          = b->last;
        l.last_value_at = b->last_value_at;
    }
    return l;
}

void gm_levels_make(const gm_alloc *alloc, gm_blocks *b, uint64_t *index_bytes)
{
    size_t wanted = b->count / GM_LEVEL_BLOCKS, before = b->level_capacity;
    if (wanted <= b->level_count || !gm_alloc_reserve(alloc, &b->levels, &b->level_capacity, wanted, sizeof *b->levels)) return;
    *index_bytes += (b->level_capacity - before) * sizeof *b->levels;
    for (; b->level_count < wanted; b->level_count++) {
        b->levels[b->level_count] = level_of(b->items + b->level_count * GM_LEVEL_BLOCKS);
    }
}

const gm_level *gm_levels_at(const gm_blocks *b, size_t i)
{
    size_t at = i / GM_LEVEL_BLOCKS;
    return i % GM_LEVEL_BLOCKS == 0 && at < b->level_count && b->levels[at].usable ? &b->levels[at] : NULL;
}

void gm_levels_finish(const gm_alloc *alloc, gm_blocks *b, uint64_t *index_bytes)
{
    *index_bytes -= b->level_capacity * sizeof *b->levels;
    gm_free(alloc, b->levels);
    b->levels         = NULL;
    b->level_count    = b->level_capacity = 0;
}
