// state/times.h: when the cells of a column were committed, in fewer bytes than eight each.
//
//   gm_times_get(&times, row)                  // of a cell that has a value; anything for one that has none
//   gm_times_read(&times, first, n, out)       // the same for n rows
//
// Rows lie in stretches of 1024. A stretch keeps its earliest time, and of each row how much later that is in as many bytes as
// the stretch needs: none after an import that was one commit, four for values that were written within seconds, six
// (three days) for a fleet that reports. Lossless; a stretch that needs all eight bytes takes eight.
#ifndef GM_STATE_TIMES_H
#define GM_STATE_TIMES_H

#include "base/alloc.h"
#include "base/time.h"

#include <string.h>

enum { GM_TIMES_ROWS = 1024 };

typedef struct gm_times_part {
    gm_time_ns base;
    uint64_t   most;   // the greatest distance that fits: 2^(8 width) - 1
    uint8_t   *bytes;  // [GM_TIMES_ROWS * width], and 8 more so that a row is read as one word; NULL: width 0
    uint32_t   width;
} gm_times_part;

typedef struct gm_times {
    gm_times_part *parts;
    size_t         count;
    uint64_t       bytes;  // taken from the allocator
} gm_times;

static inline gm_time_ns gm_times_get(const gm_times *times, uint32_t row)
{
    const gm_times_part *part = &times->parts[row / GM_TIMES_ROWS];
    if (part->width == 0) return part->base;
    uint64_t later;
    memcpy(&later, part->bytes + (size_t)(row % GM_TIMES_ROWS) * part->width, sizeof later);
    return (gm_time_ns)((uint64_t)part->base + (later & part->most));
}

void gm_times_read(const gm_times *times, uint32_t first, size_t n, gm_time_ns *out);

// Room for so many rows (never fewer than before). GM_NOMEM: unchanged.
GM_NODISCARD gm_status gm_times_reserve(gm_times *times, const gm_alloc *alloc, uint32_t rows);

// Makes sure that gm_times_set of this value can be done.
//   source  [rows] of the same column: GM_ABSENT where there is no value to keep
// GM_NOMEM: unchanged.
GM_NODISCARD gm_status gm_times_room(gm_times *times, const gm_alloc *alloc, const gm_time_ns *source, uint32_t rows, uint32_t row,
                                     gm_time_ns value);

// After gm_times_room.
static inline void gm_times_set(gm_times *times, uint32_t row, gm_time_ns value)
{
    gm_times_part *part = &times->parts[row / GM_TIMES_ROWS];
    if (part->width == 0) return;
    uint8_t *at    = part->bytes + (size_t)(row % GM_TIMES_ROWS) * part->width;
    uint64_t later = (uint64_t)value - (uint64_t)part->base, word;
    memcpy(&word, at, sizeof word);
    word = (word & ~part->most) | later;
    memcpy(at, &word, sizeof word);
}

// Takes the times of the rows of one stretch at once (loading). GM_NOMEM.
GM_NODISCARD gm_status gm_times_fill(gm_times *times, const gm_alloc *alloc, const gm_time_ns *source, uint32_t first, size_t n,
                                     const gm_time_ns *values);

void gm_times_finish(gm_times *times, const gm_alloc *alloc);

#endif
