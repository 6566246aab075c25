// engine/verify.h: reads everything in a data directory that nobody has open, and says what is damaged and where.
#ifndef GM_ENGINE_VERIFY_H
#define GM_ENGINE_VERIFY_H

#include "base/alloc.h"
#include "base/io.h"

typedef struct gm_verified {
    uint64_t segments, records, checkpoints, history_files, blocks, samples;
    uint64_t damaged;      // lines given to each
    uint64_t torn_bytes;   // at the end of the log: never acknowledged, cut by the next start
    uint64_t last_record;  // of the log; 0: it has none
    uint64_t checkpoint;   // the newest good one; 0: none
} gm_verified;

// Calls each with a sentence for everything that is damaged; it names file and offset. Nothing is changed.
// GM_NOTFOUND: there is no such directory, or it is no data directory. GM_CONFLICT: a server has it open.
// GM_IO, GM_NOMEM: it could not be read to the end. Cost: reads all; memory for the largest segment and the index of history.
typedef void gm_verify_each(void *context, const char *text);
GM_NODISCARD gm_status gm_data_verify(const gm_io *io, const gm_alloc *alloc, const char *path, gm_verify_each *each,
                                      void *context, gm_verified *out, gm_error *err);

#endif
