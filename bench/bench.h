// bench/bench.h: what measuring programs share.
#ifndef GM_BENCH_H
#define GM_BENCH_H

#include "base/status.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

// A measurement that went wrong is none: tells why, and ends.
static inline void gm_bench_must(gm_status st, const gm_error *err, const char *program)
{
    if (st == GM_OK) return;
    fprintf(stderr, "%s: %s\n", program, err->text);
    exit(1);
}

// Numbers that are the same in every run (xorshift; Marsaglia, J. Statistical Software 8 (2003) 14). *io_seed: not 0.
static inline uint64_t gm_bench_draw(uint64_t *io_seed)
{
    *io_seed ^= *io_seed << 13;
    *io_seed ^= *io_seed >> 7;
    *io_seed ^= *io_seed << 17;
    return *io_seed;
}

#endif
