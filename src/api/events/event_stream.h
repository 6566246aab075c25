// api/events/event_stream.h: an endpoint that people read: its newest events, kept in a ring, as server-sent events.
//
// A reader names the last event that it has (Last-Event-ID) and gets what came after; without that it gets what comes
// from now on. A reader that asks for more than the ring holds is told by an event `gap` first. Engine thread.
#ifndef GM_API_EVENTS_EVENT_STREAM_H
#define GM_API_EVENTS_EVENT_STREAM_H

#include "api/request.h"

typedef struct gm_event_stream gm_event_stream;

GM_NODISCARD gm_event_stream *gm_event_stream_create(const gm_alloc *alloc, uint32_t keep);  // NULL: no memory
void                          gm_event_stream_destroy(gm_event_stream *stream);  // readers must be gone

// id: what Last-Event-ID will name; "SEQUENCE-INDEX".
void gm_event_stream_add(gm_event_stream *stream, uint64_t sequence, uint32_t index, gm_str text);

// The change before the oldest event that is kept; `seen` when there is none.
uint64_t gm_event_stream_cursor(const gm_event_stream *stream, uint64_t seen);
size_t   gm_event_stream_count(const gm_event_stream *stream);
gm_str   gm_event_stream_at(const gm_event_stream *stream, size_t i, uint64_t *out_sequence,
                            uint32_t *out_index);  // 0 = oldest
void     gm_event_stream_clear(gm_event_stream *stream);
uint64_t gm_event_stream_total(const gm_event_stream *stream);

void gm_event_stream_tick(gm_event_stream *stream);  // once a second or so: readers hear that all is well

// Answers the request with the stream.
void gm_event_stream_open(gm_event_stream *stream, gm_request *request);

#endif
