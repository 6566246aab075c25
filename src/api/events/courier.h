// api/events/courier.h: carries events to webhooks, on a thread of its own, and remembers how far every endpoint has
// come.
//
//   gm_courier_create(&options, &courier, &err);        // reads the cursors of earlier runs
//   gm_courier_start(courier, &err);
//   gm_courier_post(courier, endpoint, &letter);        // engine thread
//   gm_courier_seen(courier, sequence);                 // everything up to here has been posted
//   gm_courier_destroy(courier);                        // stops, writes the cursors
//
//   WAITING --start--> IN_FLIGHT --2xx--> gone
//      ^                   |
//      +--pause, doubling--+--400, 413, or refused for too long--> dead letter (a line in DIR/NAME.dead.ndjson)
//
// Invariants: (1) of the events of one twin at most one is in flight, and none overtakes another; (2) the cursor of an
// endpoint never passes an event that is neither delivered nor a dead letter, so a crash repeats events and loses none;
// (3) the engine thread never waits for a network or a disk here: it takes a lock that is held for list operations
// only.
#ifndef GM_API_EVENTS_COURIER_H
#define GM_API_EVENTS_COURIER_H

#include "api/events/endpoint.h"
#include "base/io.h"

typedef struct gm_courier gm_courier;

typedef struct gm_courier_options {
    const gm_alloc            *alloc;
    const gm_clock            *clock;
    const gm_io               *io;
    const char                *dir;        // for cursors and dead letters; copied; NULL: nothing is kept
    const gm_endpoint_options *endpoints;  // viewed as long as the courier lives
    size_t                     endpoint_count;
} gm_courier_options;

typedef struct gm_letter {
    uint64_t sequence;  // of the change; letters come in rising order
    uint64_t twin;      // hash of its id: letters of one twin keep their order
    gm_str   text;      // viewed until the endpoint's cursor has passed the sequence, or the courier is destroyed
} gm_letter;

GM_NODISCARD gm_status gm_courier_create(const gm_courier_options *options, gm_courier **out_courier, gm_error *err);
GM_NODISCARD gm_status gm_courier_start(gm_courier *courier, gm_error *err);
void                   gm_courier_destroy(gm_courier *courier);  // NULL is allowed

// How far an endpoint had come when the courier was created.
uint64_t gm_courier_cursor(const gm_courier *courier, size_t endpoint);

// Takes a letter for a webhook. GM_NOMEM, GM_LIMIT (far more wait than the queue may hold): it was not taken, but
// counted.
GM_NODISCARD gm_status gm_courier_post(gm_courier *courier, size_t endpoint, const gm_letter *letter);
void                   gm_courier_seen(gm_courier *courier, uint64_t sequence);

// For endpoints that others serve: everything up to `sequence` is done; to be written down with the others.
void gm_courier_done(gm_courier *courier, size_t endpoint, uint64_t sequence);

gm_endpoint_stats gm_courier_statistics(gm_courier *courier, size_t endpoint);

#endif
