// api/transfer/deletion.h: deletes every relationship, then every twin, then every model, a bounded piece at a time.
//
// What is created while it runs and holds something else in place is deleted too, as long as it does not come faster
// than it goes. Engine thread.
#ifndef GM_API_TRANSFER_DELETION_H
#define GM_API_TRANSFER_DELETION_H

#include "engine/engine.h"

typedef struct gm_deletion gm_deletion;

typedef enum gm_deletion_flow {
    GM_DELETION_GOES_ON,
    GM_DELETION_WAITS,
    GM_DELETION_DONE,
    GM_DELETION_FAILED
} gm_deletion_flow;

GM_NODISCARD gm_status gm_deletion_open(const gm_alloc *alloc, const gm_clock *clock, gm_engine *engine,
                                        gm_deletion **out_deletion, gm_error *err);
void gm_deletion_close(gm_deletion *deletion);  // NULL is allowed; answers that are owed may still come
gm_deletion_flow       gm_deletion_step(gm_deletion *deletion, gm_dur_ns budget, gm_error *err);  // err: when FAILED

#endif
