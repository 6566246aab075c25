// Epoll with level triggering, timers in a binary heap.
// Invariants: (1) a removed watch is never called again, although the kernel may have reported it in this turn already:
// it is marked dead and freed when the turn ends; (2) a timer's place in the heap is kept in the timer, so that
// cancelling is O(log n); (3) a timer made during the timer phase of a turn fires in a later turn; (4) the memory of a timer
// that has fired or was cancelled is there for the next one, so whoever arms his timer anew is not refused.
#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_PER_TURN = 256, HOOKS_MAX = 16, TIMERS_FIRST = 16, TIMERS_SPARE_MAX = 256 };

struct gm_watch {
    gm_loop       *loop;
    gm_watch      *next_dead;
    gm_watch      *older, *newer;  // all watches, so that destroy finds them
    gm_loop_ready *ready;
    void          *context;
    int            fd;
    uint32_t       events;
    bool           dead;
};

struct gm_timer {
    gm_loop      *loop;
    gm_dur_ns     due;
    size_t        place;  // in loop->heap
    gm_loop_call *call;
    void         *context;
    gm_timer     *next_spare;
};

struct gm_loop {
    const gm_alloc *alloc;
    const gm_clock *clock;
    int             epoll_fd;
    bool            stopped;
    gm_dur_ns       monotonic;
    gm_time_ns      now;
    gm_watch       *newest;
    gm_watch       *dead;
    gm_timer      **heap;
    size_t          heap_count, heap_capacity;
    gm_timer       *spare;        // see (4)
    size_t          spare_count;
    gm_timer        first[TIMERS_FIRST];  // lie in the spare ones at the beginning
    size_t          hook_count;
    struct { gm_loop_call *call; void *context; } hooks[HOOKS_MAX];
};

static void free_timer(gm_loop *loop, gm_timer *timer)
{
    bool own = timer >= loop->first && timer < loop->first + TIMERS_FIRST;
    if (!own) gm_free(loop->alloc, timer);
}

static void put_away(gm_loop *loop, gm_timer *timer)
{
    if (loop->spare_count >= TIMERS_SPARE_MAX) {
        free_timer(loop, timer);
        return;
    }
    timer->next_spare = loop->spare;
    loop->spare       = timer;
    loop->spare_count++;
}

static gm_timer *take_timer(gm_loop *loop)
{
    gm_timer *timer = loop->spare;
    if (timer == NULL) return gm_alloc_zeroed(loop->alloc, sizeof *timer);
    loop->spare = timer->next_spare;
    loop->spare_count--;
    return timer;
}

static void read_clocks(gm_loop *loop)
{
    loop->monotonic = gm_monotonic(loop->clock);
    loop->now       = gm_now(loop->clock);
}

gm_status gm_loop_create(const gm_alloc *alloc, const gm_clock *clock, gm_loop **out_loop, gm_error *err)
{
    *out_loop     = NULL;
    gm_loop *loop = gm_alloc_zeroed(alloc, sizeof *loop);
    if (loop == NULL) return gm_fail(err, GM_NOMEM, "base.loop", "making the event loop");
    loop->alloc    = alloc;
    loop->clock    = clock;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) {
        gm_status st = gm_fail_os(err, errno, "base.loop", "epoll_create1");
        gm_free(alloc, loop);
        return st;
    }
    if (!gm_alloc_reserve(alloc, &loop->heap, &loop->heap_capacity, TIMERS_FIRST, sizeof *loop->heap)) {
        gm_loop_destroy(loop);
        return gm_fail(err, GM_NOMEM, "base.loop", "making the event loop");
    }
    for (size_t i = 0; i < TIMERS_FIRST; i++) put_away(loop, &loop->first[i]);
    read_clocks(loop);
    *out_loop = loop;
    return GM_OK;
}

static void bury(gm_loop *loop)
{
    while (loop->dead != NULL) {
        gm_watch *watch = loop->dead;
        loop->dead      = watch->next_dead;
        gm_free(loop->alloc, watch);
    }
}

void gm_loop_destroy(gm_loop *loop)
{
    if (loop == NULL) return;
    while (loop->newest != NULL) gm_loop_remove(loop->newest);
    bury(loop);
    for (size_t i = 0; i < loop->heap_count; i++) free_timer(loop, loop->heap[i]);
    loop->heap_count = 0;
    while (loop->spare != NULL) free_timer(loop, take_timer(loop));
    gm_free(loop->alloc, loop->heap);
    close(loop->epoll_fd);
    gm_free(loop->alloc, loop);
}

static uint32_t to_epoll(uint32_t events)
{
    return ((events & GM_LOOP_READ) ? EPOLLIN | EPOLLRDHUP : 0u) | ((events & GM_LOOP_WRITE) ? EPOLLOUT : 0u);
}

gm_status gm_loop_add(gm_loop *loop, int fd, uint32_t events, gm_loop_ready *ready, void *context, gm_watch **out_watch,
                      gm_error *err)
{
    *out_watch      = NULL;
    gm_watch *watch = gm_alloc_zeroed(loop->alloc, sizeof *watch);
    if (watch == NULL) return gm_fail(err, GM_NOMEM, "base.loop", "watching a descriptor");
    *watch = (gm_watch){ .loop = loop, .ready = ready, .context = context, .fd = fd, .events = events };

    struct epoll_event event = { .events = to_epoll(events), .data.ptr = watch };
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        gm_status st = gm_fail_os(err, errno, "base.loop", "watching descriptor %d", fd);
        gm_free(loop->alloc, watch);
        return st;
    }
    watch->older = loop->newest;
    if (loop->newest != NULL) loop->newest->newer = watch;
    loop->newest = watch;
    *out_watch   = watch;
    return GM_OK;
}

void gm_loop_change(gm_watch *watch, uint32_t events)
{
    if (watch->events == events || watch->dead) return;
    watch->events            = events;
    struct epoll_event event = { .events = to_epoll(events), .data.ptr = watch };
    int                rc    = epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
    assert(rc == 0);  // the descriptor is registered and open: its owner promised
    (void)rc;
}

void gm_loop_remove(gm_watch *watch)
{
    if (watch == NULL || watch->dead) return;
    gm_loop *loop = watch->loop;
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    if (watch->older != NULL) watch->older->newer = watch->newer;
    if (watch->newer != NULL) watch->newer->older = watch->older;
    else loop->newest = watch->older;
    watch->dead      = true;
    watch->next_dead = loop->dead;
    loop->dead       = watch;
}

// ---- timers -----------------------------------------------------------------------------------------------------

static void heap_put(gm_loop *loop, size_t place, gm_timer *timer)
{
    loop->heap[place] = timer;
    timer->place      = place;
}

// Moves the timer at `place` to where it belongs.
static void heap_settle(gm_loop *loop, size_t place)
{
    gm_timer *timer = loop->heap[place];
    while (place > 0 && loop->heap[(place - 1) / 2]->due > timer->due) {
        heap_put(loop, place, loop->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    for (size_t child; (child = 2 * place + 1) < loop->heap_count; place = child) {
        if (child + 1 < loop->heap_count && loop->heap[child + 1]->due < loop->heap[child]->due) child++;
        if (loop->heap[child]->due >= timer->due) break;
        heap_put(loop, place, loop->heap[child]);
    }
    heap_put(loop, place, timer);
}

static void heap_remove(gm_loop *loop, size_t place)
{
    gm_timer *last = loop->heap[--loop->heap_count];
    if (place == loop->heap_count) return;
    heap_put(loop, place, last);
    heap_settle(loop, place);
}

gm_status gm_loop_after(gm_loop *loop, gm_dur_ns after, gm_loop_call *call, void *context, gm_timer **out_timer,
                        gm_error *err)
{
    *out_timer      = NULL;
    gm_timer *timer = take_timer(loop);
    if (timer == NULL ||
        !gm_alloc_reserve(loop->alloc, &loop->heap, &loop->heap_capacity, loop->heap_count + 1, sizeof *loop->heap)) {
        if (timer != NULL) put_away(loop, timer);
        return gm_fail(err, GM_NOMEM, "base.loop", "making a timer");
    }
    *timer = (gm_timer){ .loop = loop, .due = gm_monotonic(loop->clock) + (after > 0 ? after : 0), .call = call, .context = context };
    heap_put(loop, loop->heap_count++, timer);
    heap_settle(loop, timer->place);
    *out_timer = timer;
    return GM_OK;
}

void gm_loop_cancel(gm_timer *timer)
{
    if (timer == NULL) return;
    gm_loop *loop = timer->loop;
    heap_remove(loop, timer->place);
    put_away(loop, timer);
}

static void fire_due(gm_loop *loop)
{
    gm_dur_ns until = loop->monotonic;
    while (loop->heap_count > 0 && loop->heap[0]->due <= until) {
        gm_timer      fired = *loop->heap[0];
        gm_timer     *gone  = loop->heap[0];
        heap_remove(loop, 0);
        put_away(loop, gone);
        fired.call(fired.context);
    }
}

// ---- turns ------------------------------------------------------------------------------------------------------

gm_status gm_loop_at_turn_end(gm_loop *loop, gm_loop_call *call, void *context, gm_error *err)
{
    if (loop->hook_count == HOOKS_MAX) return gm_fail(err, GM_LIMIT, "base.loop", "more than %d end-of-turn hooks", HOOKS_MAX);
    loop->hooks[loop->hook_count].call      = call;
    loop->hooks[loop->hook_count++].context = context;
    return GM_OK;
}

static int wait_ms(const gm_loop *loop)
{
    if (loop->heap_count == 0) return -1;
    gm_dur_ns wait = loop->heap[0]->due - gm_monotonic(loop->clock);
    if (wait <= 0) return 0;
    gm_dur_ns ms = (wait + GM_MILLISECOND - 1) / GM_MILLISECOND;  // rounded up: a timer never fires early
    return ms > 60000 ? 60000 : (int)ms;
}

gm_status gm_loop_turn(gm_loop *loop, gm_error *err)
{
    struct epoll_event events[EVENTS_PER_TURN];
    int                n = epoll_wait(loop->epoll_fd, events, EVENTS_PER_TURN, wait_ms(loop));
    if (n < 0 && errno != EINTR) return gm_fail_os(err, errno, "base.loop", "epoll_wait");
    read_clocks(loop);

    for (int i = 0; i < n; i++) {
        gm_watch *watch = events[i].data.ptr;
        if (watch->dead) continue;  // keeps (1)
        uint32_t got = events[i].events;
        uint32_t say = ((got & EPOLLIN) ? GM_LOOP_READ : 0u) | ((got & EPOLLOUT) ? GM_LOOP_WRITE : 0u) |
                       ((got & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) ? GM_LOOP_HANGUP : 0u);
        watch->ready(watch->context, say);
    }
    fire_due(loop);
    for (size_t i = 0; i < loop->hook_count; i++) loop->hooks[i].call(loop->hooks[i].context);
    bury(loop);
    return GM_OK;
}

void gm_loop_stop(gm_loop *loop)
{
    loop->stopped = true;
}

bool gm_loop_stopped(const gm_loop *loop)
{
    return loop->stopped;
}

gm_dur_ns gm_loop_monotonic(const gm_loop *loop)
{
    return loop->monotonic;
}

gm_time_ns gm_loop_now(const gm_loop *loop)
{
    return loop->now;
}
