// history/internal.h: what history.c (writing) and read.c (reading) share. Inside history only.
#ifndef GM_HISTORY_INTERNAL_H
#define GM_HISTORY_INTERNAL_H

#include "history/history.h"
#include "history/series.h"

enum {
    GM_HISTORY_BLOCK = 1024,  // samples of a sealed block. Twice as many save 0.04 bytes a sample and double what a
                              // read of one sample costs; half as many cost 0.07 (bench-history)
    GM_HISTORY_SLACK = 128,   // newest samples that stay open when a block is sealed: late by less costs nothing
    GM_RUN_FIRST = 8,         // samples that an open run begins with room for; then twice as many each time, up to
    GM_RUN_MOST  = GM_HISTORY_BLOCK + GM_HISTORY_SLACK,
    GM_HISTORY_THAWED = 64,   // blocks that are open again for late samples, in all series together
};

typedef struct gm_sealer gm_sealer;

struct gm_history {
    const gm_alloc *alloc;
    gm_sealer      *sealer;   // NULL: all is sealed here
    gm_codec       *codec;    // used by every call, also by those that only read
    gm_buf          sealing;  // where a block is encoded
    gm_series_table table;
    gm_files       *files;    // NULL: sealed blocks stay in memory
    gm_error        refused;  // the last block that could not go to a file; status GM_OK: none since one could
    uint32_t        thawed[GM_HISTORY_THAWED];  // series with a thawed block, the longest thawed first
    size_t          thawed_count;
    uint32_t expiring;  // the series that expire looks at next
    uint32_t tidying, tidying_at;  // the file that is being emptied (0: none), and how far
    gm_history_stats stats;
};

// The samples of a block: its thawed run, or decoded into the codec (viewed until its next use).
GM_NODISCARD gm_status gm_history_open_block(const gm_history *history, const gm_series *series, size_t i, gm_samples *out,
                                             gm_error *err);

// What is to be known of a block besides its bytes, but for where these lie.
GM_NODISCARD gm_status gm_history_describe(const gm_samples *samples, const gm_buf *bytes, gm_sealed *out, gm_error *err);

// The bytes of a block have come: it takes them. False: memory was refused.
bool gm_history_sealed(gm_history *history, const gm_sealing *sealing);

// A block that nobody refers to any more: its memory, or its share of a file.
void gm_history_drop_block(gm_history *history, const gm_sealed *block);

// Forgets what a series holds outside of its record.
void gm_history_release_series(gm_history *history, uint32_t id);

// The index of the last block that begins at or before `at`; 0 when all begin later. There is at least one.
size_t gm_blocks_find(const gm_blocks *blocks, gm_time_ns at);

// What a series holds outside of blocks: two samples in its record, or the open run. Viewed.
gm_samples gm_series_newest(const gm_series *series);
gm_blocks *gm_series_blocks(const gm_series *series);  // NULL: nothing is sealed

const gm_series *gm_history_series(const gm_history *history, uint32_t twin, uint32_t column);  // NULL: there is none

// The first sample with a time >= at.
size_t gm_samples_from(const gm_samples *samples, gm_time_ns at);

// When a block of numbers with values was smallest and largest: the first time of each.
void gm_samples_extremes(const gm_samples *samples, gm_time_ns *out_min_at, gm_time_ns *out_max_at);

#endif
