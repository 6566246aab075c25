// base/loop.h: the engine thread waits here. Descriptors, timers, and what is done once per turn.
//
//   gm_loop_add(loop, fd, GM_LOOP_READ, on_readable, connection, &watch, &err);
//   while (!gm_loop_stopped(loop)) gm_loop_turn(loop, &err);
//
// A turn waits for descriptors and timers, calls what is due, and then the end-of-turn hooks (where the log's batch is
// flushed: everything that came in during one turn shares one commit). Level-triggered epoll. One thread.
#ifndef GM_BASE_LOOP_H
#define GM_BASE_LOOP_H

#include "base/alloc.h"
#include "base/time.h"

typedef struct gm_loop  gm_loop;
typedef struct gm_watch gm_watch;  // one descriptor being watched
typedef struct gm_timer gm_timer;

enum { GM_LOOP_READ = 1, GM_LOOP_WRITE = 2, GM_LOOP_HANGUP = 4 };  // HANGUP is always reported

typedef void gm_loop_ready(void *context, uint32_t events);
typedef void gm_loop_call(void *context);

GM_NODISCARD gm_status gm_loop_create(const gm_alloc *alloc, const gm_clock *clock, gm_loop **out_loop, gm_error *err);
void                   gm_loop_destroy(gm_loop *loop);  // watches and timers that are left are released

// The descriptor stays the caller's; it must be removed before it is closed.
GM_NODISCARD gm_status gm_loop_add(gm_loop *loop, int fd, uint32_t events, gm_loop_ready *ready, void *context,
                                   gm_watch **out_watch, gm_error *err);
void gm_loop_change(gm_watch *watch, uint32_t events);  // no system call when nothing changes
void gm_loop_remove(gm_watch *watch);                   // NULL is allowed; also from inside its own callback

// Calls once, `after` nanoseconds from now (monotonic). A timer is released when it has fired or is cancelled;
// re-arm from inside the call by making a new one, which is not refused: there is the memory of the old one.
GM_NODISCARD gm_status gm_loop_after(gm_loop *loop, gm_dur_ns after, gm_loop_call *call, void *context,
                                     gm_timer **out_timer, gm_error *err);
void gm_loop_cancel(gm_timer *timer);  // NULL is allowed

// Called at the end of every turn, in the order of adding. For a handful of subsystems, for ever.
GM_NODISCARD gm_status gm_loop_at_turn_end(gm_loop *loop, gm_loop_call *call, void *context, gm_error *err);

// One turn. GM_IO when epoll fails.
GM_NODISCARD gm_status gm_loop_turn(gm_loop *loop, gm_error *err);

void      gm_loop_stop(gm_loop *loop);             // the turn in progress is the last one
bool      gm_loop_stopped(const gm_loop *loop);
gm_dur_ns gm_loop_monotonic(const gm_loop *loop);  // as of the start of this turn
gm_time_ns gm_loop_now(const gm_loop *loop);       // the same, UTC

#endif
