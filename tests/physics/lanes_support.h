// tests/physics/lanes_support.h: running loose code on a block of lanes.
#ifndef GM_TESTS_LANES_SUPPORT_H
#define GM_TESTS_LANES_SUPPORT_H

#include "physics/exec/kernel.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// Every executor this machine can run, slowest (the reference) first.
static inline uint32_t gm_test_executors(gm_executor out[GM_EXECUTOR_COUNT])
{
    uint32_t n = 0;
    for (int e = GM_EXECUTOR_PLAIN; e < GM_EXECUTOR_COUNT; e++) {
        if (e != GM_EXECUTOR_INTERPRETER && gm_executor_available(e)) out[n++] = (gm_executor)e;
    }
    return n;
}

// rows: [row_count][64], 64-byte aligned
static inline void gm_test_run(const gm_program *program, const gm_code *code, uint32_t row_count, gm_executor executor,
                               double *rows, uint32_t times)
{
    gm_kernel *kernel = NULL;
    gm_error   err    = { 0 };
    assert_gm_ok(gm_kernel_create(gm_alloc_system(), program, code, row_count, GM_CODE_NONE, executor, &kernel, &err), err);
    double *scratch = aligned_alloc(64, (gm_kernel_scratch(kernel) + 8) * sizeof(double) / 64 * 64 + 64);
    gm_kernel_prepare(kernel, scratch);
    gm_kernel_run(kernel, rows, scratch, times);
    free(scratch);
    gm_kernel_destroy(kernel);
}

static inline bool gm_test_same(double x, double y)  // the same bits, or both no number
{
    uint64_t a, b;
    memcpy(&a, &x, sizeof a);
    memcpy(&b, &y, sizeof b);
    return a == b || (isnan(x) && isnan(y));
}

// A double from anywhere: ordinary, tiny, huge, denormal, infinite, NaN, a whole number.
static inline double gm_test_double(uint64_t *random)
{
    static const double special[] = { 0.0, -0.0, INFINITY, -INFINITY, NAN, 1, -1, 0.5, 2, 5e-324, -5e-324, 2.2250738585072014e-308,
                                      1.7976931348623157e308, -1.7976931348623157e308, 1e-310, 3.141592653589793, 709.78, -745.13 };
    uint64_t r = gm_test_random(random), pick = r % 16;
    double   u = (double)(gm_test_random(random) >> 11) * 0x1p-53;
    if (pick == 0) return special[(r >> 8) % (sizeof special / sizeof special[0])];
    if (pick == 1) {
        double   any;
        uint64_t bits = gm_test_random(random);
        memcpy(&any, &bits, sizeof any);
        return any;
    }
    if (pick == 2) return (double)((int)(r >> 8 & 15) - 8);
    if (pick < 6) return (u - 0.5) * exp(80 * ((double)(r >> 8 & 255) / 128 - 1));
    return (u - 0.5) * 8;
}

#endif
