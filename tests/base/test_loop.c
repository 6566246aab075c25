#include "base/loop.h"

#include "support/support.h"

#include <unistd.h>

// A clock that tests move by hand.
typedef struct hand_clock { gm_dur_ns monotonic; } hand_clock;
static gm_dur_ns  hand_monotonic(void *context) { return ((hand_clock *)context)->monotonic; }
static gm_time_ns hand_now(void *context) { return GM_SECOND + ((hand_clock *)context)->monotonic; }

typedef struct trace { int calls[64]; size_t count; } trace;
typedef struct note { trace *into; int what; } note;
static void write_note(void *context)
{
    note *n = context;
    n->into->calls[n->into->count++] = n->what;
}

static void timers_fire_in_the_order_they_are_due(void **state)
{
    (void)state;
    hand_clock hand  = { 0 };
    gm_clock   clock = { hand_now, hand_monotonic, &hand };
    gm_loop   *loop;
    gm_error   err = { 0 };
    assert_gm_ok(gm_loop_create(gm_alloc_system(), &clock, &loop, &err), err);

    trace     seen    = { 0 };
    note      notes[] = { { &seen, 30 }, { &seen, 10 }, { &seen, 20 }, { &seen, 15 } };
    gm_timer *timer[4];
    for (int i = 0; i < 4; i++) {
        assert_gm_ok(gm_loop_after(loop, notes[i].what * GM_SECOND, write_note, &notes[i], &timer[i], &err), err);
    }
    gm_loop_cancel(timer[3]);
    hand.monotonic = 20 * GM_SECOND;
    assert_gm_ok(gm_loop_turn(loop, &err), err);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.calls[0], 10);
    assert_int_equal(seen.calls[1], 20);
    hand.monotonic = 40 * GM_SECOND;
    assert_gm_ok(gm_loop_turn(loop, &err), err);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.calls[2], 30);
    gm_loop_destroy(loop);
}

typedef struct pair { gm_watch *watch[2]; int ready; } pair;
static void remove_the_other(void *context, uint32_t events)
{
    pair *p = context;
    assert_true(events & GM_LOOP_READ);
    p->ready++;
    // Whichever comes first removes both: the other must not be called any more, although it is ready too.
    gm_loop_remove(p->watch[0]);
    gm_loop_remove(p->watch[1]);
}

static void a_removed_watch_is_not_called_in_the_same_turn(void **state)
{
    (void)state;
    gm_loop *loop;
    gm_error err = { 0 };
    assert_gm_ok(gm_loop_create(gm_alloc_system(), gm_clock_system(), &loop, &err), err);
    int  a[2], b[2];
    pair p = { 0 };
    assert_int_equal(pipe(a), 0);
    assert_int_equal(pipe(b), 0);
    assert_int_equal(write(a[1], "x", 1), 1);
    assert_int_equal(write(b[1], "x", 1), 1);
    assert_gm_ok(gm_loop_add(loop, a[0], GM_LOOP_READ, remove_the_other, &p, &p.watch[0], &err), err);
    assert_gm_ok(gm_loop_add(loop, b[0], GM_LOOP_READ, remove_the_other, &p, &p.watch[1], &err), err);
    assert_gm_ok(gm_loop_turn(loop, &err), err);
    assert_int_equal(p.ready, 1);
    gm_loop_destroy(loop);
    for (int i = 0; i < 2; i++) {
        close(a[i]);
        close(b[i]);
    }
}

static void many_timers_come_out_sorted(void **state)
{
    (void)state;
    uint64_t   random = gm_test_seed();
    hand_clock hand   = { 0 };
    gm_clock   clock  = { hand_now, hand_monotonic, &hand };
    gm_loop   *loop;
    gm_error   err = { 0 };
    assert_gm_ok(gm_loop_create(gm_alloc_system(), &clock, &loop, &err), err);
    trace     seen = { 0 };
    note      notes[60];
    gm_timer *timer[60];
    for (int i = 0; i < 60; i++) {
        notes[i] = (note){ &seen, (int)(gm_test_random(&random) % 1000) };
        assert_gm_ok(gm_loop_after(loop, notes[i].what, write_note, &notes[i], &timer[i], &err), err);
    }
    for (int i = 0; i < 60; i += 3) gm_loop_cancel(timer[i]);
    hand.monotonic = 2000;
    assert_gm_ok(gm_loop_turn(loop, &err), err);
    assert_int_equal(seen.count, 40);
    for (size_t i = 1; i < seen.count; i++) assert_true(seen.calls[i - 1] <= seen.calls[i]);
    gm_loop_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_the_order_they_are_due),
        cmocka_unit_test(a_removed_watch_is_not_called_in_the_same_turn),
        cmocka_unit_test(many_timers_come_out_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
