// api/stream.h: committed changes as server-sent events.
//
// A stream follows twins by name, or those that a query finds. What has changed is only marked; values are read from
// the state when the reader takes them, so that a slow reader gets fewer, newer changes and never a queue without end.
// Events: snapshot, change, rollup, created, deleted, relationship, alive (docs/api.md).
#ifndef GM_API_STREAM_H
#define GM_API_STREAM_H

#include "api/request.h"
#include "base/loop.h"

typedef struct gm_streams gm_streams;

typedef struct gm_streams_options {
    const gm_alloc *alloc;
    const gm_clock *clock;
    gm_loop        *loop;
    gm_engine      *engine;
    uint32_t        streams_max, twins_max;
    gm_dur_ns       interval;
} gm_streams_options;

GM_NODISCARD gm_status gm_streams_create(const gm_streams_options *options, gm_streams **out_streams, gm_error *err);
void                   gm_streams_begin(gm_streams *streams);    // the engine has recovered: what exists now is not new
void                   gm_streams_destroy(gm_streams *streams);  // NULL is allowed; all streams have ended
size_t                 gm_streams_count(const gm_streams *streams);

#endif
