#include "support/support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

uint64_t gm_test_seed(void)
{
    // What decides whether a change may land must give the same answer twice; looking for new cases is the deep run's.
    const uint64_t usual = UINT64_C(20260401);
    const char    *given = getenv("GM_SEED");
    uint64_t       seed  = given != NULL                ? strtoull(given, NULL, 0)
                           : getenv("GM_DEEP") != NULL ? (uint64_t)gm_now(gm_clock_system())
                                                       : usual;
    printf("seed %" PRIu64 " (repeat with GM_SEED=%" PRIu64 ")\n", seed, seed);
    fflush(stdout);
    return seed;
}

uint64_t gm_test_random(uint64_t *state)
{
    // splitmix64 (Steele, Lea, Flood 2014)
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z          = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z          = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

// The log's threads allocate too: a count that two of them change at once must not be lost.
static void *fault_resize(void *context, void *old, size_t size)
{
    gm_fault_alloc *fault = context;
    if (size == 0) {
        if (old != NULL) __atomic_fetch_sub(&fault->live_blocks, 1, __ATOMIC_RELAXED);
        free(old);
        return NULL;
    }
    if (__atomic_fetch_add(&fault->calls, 1, __ATOMIC_RELAXED) >= fault->fail_at) {
        __atomic_store_n(&fault->fired, true, __ATOMIC_RELAXED);
        return NULL;
    }
    void *memory = realloc(old, size);
    if (memory != NULL && old == NULL) __atomic_fetch_add(&fault->live_blocks, 1, __ATOMIC_RELAXED);
    return memory;
}

void gm_fault_alloc_init(gm_fault_alloc *fault, uint64_t fail_at)
{
    *fault = (gm_fault_alloc){ .alloc = { .resize = fault_resize, .context = fault }, .fail_at = fail_at };
}

static void *once_resize(void *context, void *old, size_t size)
{
    gm_fault_once *fault = context;
    if (size == 0) {
        if (old != NULL) fault->live_blocks--;
        free(old);
        return NULL;
    }
    if (fault->calls++ == fault->fail_at) {
        fault->fired = true;
        return NULL;
    }
    void *memory = realloc(old, size);
    if (memory != NULL && old == NULL) fault->live_blocks++;
    return memory;
}

void gm_fault_once_init(gm_fault_once *fault)
{
    memset(fault, 0, sizeof *fault);
    fault->alloc   = (gm_alloc){ .resize = once_resize, .context = fault };
    fault->fail_at = UINT64_MAX;
}

void gm_fault_once_arm(gm_fault_once *fault, uint64_t fail_at)
{
    fault->fail_at = UINT64_MAX;
    fault->fired   = false;
    fault->calls   = 0;
    fault->fail_at = fail_at;
}

bool gm_fault_once_disarm(gm_fault_once *fault)
{
    fault->fail_at = UINT64_MAX;
    return fault->fired;
}
