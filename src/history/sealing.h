// history/sealing.h: blocks that are sealed in a pool, beside the owner's thread. Inside history only.
//
//   full open run --gm_sealer_take--> GM_SEALING, its samples still plain --pool--> bytes --gm_history_sealed--> sealed
//
// Until its bytes come back a block is read from its plain samples. Nobody waits for them: whoever changes or drops such a
// block lets go of it (gm_sealing_let_go), and what comes back for it is thrown away. How many are under way is bounded; beyond
// that the owner seals by himself.
#ifndef GM_HISTORY_SEALING_H
#define GM_HISTORY_SEALING_H

#include "base/pool.h"
#include "history/internal.h"

enum {
    GM_SEALING_TOGETHER = 16,  // blocks handed over at a time
    GM_SEALING_MOST     = 512  // under way: 10 MB of samples
};

// While the pool has it, it reads run and n, and writes bytes and sealed; all else is the owner's.
struct gm_sealing {
    gm_run     *run;
    size_t      n;        // its first so many samples
    gm_buf      bytes;    // empty or failed: it was not sealed
    gm_sealed   sealed;   // what is to be known of them, but where they are
    gm_sealer  *sealer;
    uint32_t    series;
    bool        handed_over, unwanted;
    gm_sealing *next;     // of those that wait
};

GM_NODISCARD gm_sealer *gm_sealer_create(gm_history *history, gm_pool *pool);  // NULL: memory refused
void                    gm_sealer_destroy(gm_sealer *sealer);                  // NULL is allowed; after the pool has ended

// The first n samples of a run of numbers, which is taken. NULL: not now (too much is under way, or memory is refused), and the
// run stays the caller's.
GM_NODISCARD gm_sealing *gm_sealer_take(gm_sealer *sealer, uint32_t series, gm_run *run, size_t n);

// What waits goes to the pool. At the end of a turn.
void gm_sealer_turn(gm_sealer *sealer);

void gm_sealing_let_go(gm_sealing *sealing);

#endif
