// history/blocks.h: what becomes of samples behind the open run: sealed blocks, at most one of a series thawed. Inside history only.
//
//   open run --gm_blocks_seal_open, gm_blocks_hand_over--> sealed --gm_blocks_thaw--> thawed --gm_blocks_freeze--> sealed
//
// Refused (GM_NOMEM, or what reading a file says): no sample has changed its place.
#ifndef GM_HISTORY_BLOCKS_H
#define GM_HISTORY_BLOCKS_H

#include "history/internal.h"

// Seals samples into *out, which nobody refers to yet: gm_history_drop_block, or gm_blocks_end_thaw.
GM_NODISCARD gm_status gm_blocks_seal(gm_history *history, const gm_series *series, const gm_samples *samples, gm_sealed *out, gm_error *err);

// Seals the first `count` samples of the open run.
GM_NODISCARD gm_status gm_blocks_seal_open(gm_history *history, gm_series *series, size_t count, gm_error *err);

// The same of a full run of numbers, by others (sealing.h): it becomes a block as it is, and what is newer goes on in a run of its
// own. False: not now.
GM_NODISCARD bool gm_blocks_hand_over(gm_history *history, uint32_t id);

// Makes the block that holds (or would hold) the time a thawed one. What was thawed longest may be sealed for it.
GM_NODISCARD gm_status gm_blocks_thaw(gm_history *history, uint32_t id, gm_time_ns at, gm_error *err);

// Seals what is thawed in a series, in pieces of about the usual size.
GM_NODISCARD gm_status gm_blocks_freeze(gm_history *history, uint32_t id, gm_error *err);

// Replaces the thawed run of a series by sealed pieces; takes their bytes when it returns GM_OK.
GM_NODISCARD gm_status gm_blocks_end_thaw(gm_history *history, uint32_t id, const gm_sealed *pieces, size_t count, gm_error *err);
void                   gm_blocks_forget_thawed(gm_history *history, uint32_t id);

gm_status gm_history_no_memory(gm_error *err);  // GM_NOMEM, with its sentence

#endif
