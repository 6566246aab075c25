// api/uploads.h: when each model was added: a fold of the log's MODELS records.
#ifndef GM_API_UPLOADS_H
#define GM_API_UPLOADS_H

#include "engine/engine.h"

typedef struct gm_uploads {
    const gm_alloc *alloc;
    gm_engine      *engine;
    gm_time_ns     *at;        // by type number
    size_t          count, capacity;
} gm_uploads;

// Registers with the engine; before gm_engine_recover. The struct must not move.
void gm_uploads_init(gm_uploads *uploads, const gm_alloc *alloc, gm_engine *engine);
void gm_uploads_finish(gm_uploads *uploads);

gm_time_ns gm_uploads_at(const gm_uploads *uploads, const gm_type *type);

#endif
