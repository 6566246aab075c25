#include "support/support.h"
#include "thread/timeline.h"

#include <stdlib.h>

typedef struct said { gm_time_ns from, to; } said;

// What holds, by looking at everything that was said.
static uint32_t plain(const said *all, uint32_t version, gm_time_ns time)
{
    for (uint32_t i = version; i-- > 0;) {
        if (all[i].from <= time && time < all[i].to) return i;
    }
    return GM_TIMELINE_NONE;
}

// The ways in which people correct: anything; from some day on; mostly at the end; short stretches; again and again the same.
static said make(uint64_t *random, int way, uint32_t i)
{
    gm_time_ns a = (gm_time_ns)(gm_test_random(random) % 200), b = (gm_time_ns)(gm_test_random(random) % 200);
    switch (way) {
    case 0: return a < b ? (said){ a, b } : (said){ b, a + 1 };
    case 1: return (said){ a, INT64_MAX };
    case 2: return (said){ (gm_time_ns)i * 2 - (a % 8 == 0 ? b : 0), INT64_MAX };
    case 3: return (said){ a, a + 1 + b % 3 };
    case 4: return (said){ (gm_time_ns)i * 10, (gm_time_ns)i * 10 + 5 };
    default: return (said){ a % 4 == 0 ? INT64_MIN : 10 * (a % 5), b % 4 == 0 ? INT64_MAX : 1000 };
    }
}

static void every_version_answers_as_a_look_at_everything_does(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    gm_error err    = { 0 };
    enum { MOST = 1500, WAYS = 6 };
    said *all = malloc(MOST * sizeof *all);
    for (int way = 0; way < WAYS; way++) {
        gm_timeline *line;
        assert_gm_ok(gm_timeline_create(gm_alloc_system(), &line, &err), err);
        for (uint32_t i = 0; i < MOST; i++) {
            all[i] = make(&random, way, i);
            assert_gm_ok(gm_timeline_assign(line, all[i].from, all[i].to, i, &err), err);
        }
        assert_int_equal(gm_timeline_versions(line), MOST);
        for (int k = 0; k < 20000; k++) {
            uint32_t   version = (uint32_t)(gm_test_random(&random) % (MOST + 1));
            gm_time_ns time    = (gm_time_ns)(gm_test_random(&random) % (way == 4 ? 10 * MOST : way == 2 ? 2 * MOST : 210)), from, to;
            if (k % 50 == 0) time = INT64_MIN;
            uint32_t is = gm_timeline_piece(line, version, time, &from, &to);
            if (is != plain(all, version, time)) fail_msg("way %d version %u time %" PRId64 ": %u, not %u", way, version, time, is, plain(all, version, time));
            assert_true(from <= time && time < to);
            assert_int_equal(plain(all, version, from), is);
            assert_int_equal(plain(all, version, to - 1), is);
        }
        gm_timeline_destroy(line);
    }
    free(all);
}

static void memory_stays_a_multiple_of_what_was_said(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    gm_error err    = { 0 };
    enum { MOST = 20000 };
    for (int way = 0; way < 6; way++) {
        gm_timeline *line;
        assert_gm_ok(gm_timeline_create(gm_alloc_system(), &line, &err), err);
        for (uint32_t i = 0; i < MOST; i++) {
            said s = make(&random, way, i);
            assert_gm_ok(gm_timeline_assign(line, s.from, s.to, i, &err), err);
        }
        assert_in_range(gm_timeline_bytes(line), 0, (size_t)MOST * 400);  // at most two boundaries each, copied a few times, half full arrays
        gm_timeline_destroy(line);
    }
}

static void a_refused_allocation_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc fault;
        gm_timeline   *line;
        gm_error       err = { 0 };
        gm_fault_alloc_init(&fault, k);
        gm_status st = gm_timeline_create(&fault.alloc, &line, &err);
        uint32_t  n  = 0;
        for (; st == GM_OK && n < 300; n++) {
            st = gm_timeline_assign(line, n % 37, n % 37 + 1 + n % 5, n, &err);
            if (st != GM_OK) {
                assert_int_equal(gm_timeline_versions(line), n);
                if (n > 0) assert_int_equal(gm_timeline_at(line, n, (n - 1) % 37), n - 1);
            }
        }
        gm_timeline_destroy(line);
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.fired) return;
        assert_int_equal(st, GM_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_answers_as_a_look_at_everything_does),
        cmocka_unit_test(memory_stays_a_multiple_of_what_was_said),
        cmocka_unit_test(a_refused_allocation_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
