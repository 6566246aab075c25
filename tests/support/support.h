// tests/support/support.h: what every test program needs: cmocka, seeds, failing allocators.
#ifndef GM_TESTS_SUPPORT_H
#define GM_TESTS_SUPPORT_H

#include "base/alloc.h"
#include "base/str.h"
#include "base/time.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// The same seed every time; with GM_DEEP in the environment a fresh one, with GM_SEED that one. Printed, so that a
// failure can be repeated.
uint64_t gm_test_seed(void);
uint64_t gm_test_random(uint64_t *state);  // the next 64 bits

// An allocator that works fail_at times and refuses from then on; counts what is still alive. Single-threaded.
typedef struct gm_fault_alloc {
    gm_alloc alloc;
    uint64_t fail_at, calls;
    int64_t  live_blocks;
    bool     fired;
} gm_fault_alloc;
void gm_fault_alloc_init(gm_fault_alloc *fault, uint64_t fail_at);

// An allocator that refuses one call and works before and after it: the fail_at-th (0 = the first) since gm_fault_once_arm. From
// any thread.
typedef struct gm_fault_once {
    gm_alloc         alloc;
    _Atomic uint64_t calls, fail_at;
    _Atomic int64_t  live_blocks;
    _Atomic bool     fired;
} gm_fault_once;
void gm_fault_once_init(gm_fault_once *fault);  // refuses nothing
void gm_fault_once_arm(gm_fault_once *fault, uint64_t fail_at);
bool gm_fault_once_disarm(gm_fault_once *fault);  // whether it had refused

#define assert_gm_ok(call, err) \
    do { if ((call) != GM_OK) fail_msg("%s: %s", #call, (err).text); } while (0)

#endif
