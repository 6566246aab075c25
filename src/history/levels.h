// history/levels.h: sums over groups of blocks, so that a plot of decades does not look at every block. Inside history only.
//
//   blocks   | 0 | 1 | ... | 63 | 64 | ... |127 |128 | ...
//   levels   |        0         |       1       |  (not yet)
//
// Levels are made when somebody asks, over as many whole groups as there are, and fall back to the first group that a
// change touches: a change is seldom behind the newest blocks, and making them again costs 2 ns a block.
#ifndef GM_HISTORY_LEVELS_H
#define GM_HISTORY_LEVELS_H

#include "history/series.h"

enum { GM_LEVEL_BLOCKS = 64 };

typedef struct gm_level {
    gm_time_ns first_at, last_at, last_value_at, min_at, max_at;
    double     min, max, sum, last;
    uint64_t   n, values;
    bool       usable;  // false: it holds text, a block that is open, or one whose extremes are not known: look at the blocks
} gm_level;

// Block `at` or what is behind it changes: levels from there on are not right any more.
void gm_levels_fall(gm_blocks *blocks, size_t at);

// Makes levels as far as there are whole groups; as far as there is memory.
void gm_levels_make(const gm_alloc *alloc, gm_blocks *blocks, uint64_t *index_bytes);

// The level that begins with block i; NULL: there is none, or it can not be used.
const gm_level *gm_levels_at(const gm_blocks *blocks, size_t i);

void gm_levels_finish(const gm_alloc *alloc, gm_blocks *blocks, uint64_t *index_bytes);

#endif
