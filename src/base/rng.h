// base/rng.h: random numbers by counter. A draw is a pure function of (seed, lane, stream, draw), so any lane of any
// run can be recomputed alone, on any thread, in any order.
//
// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC'11).
#ifndef GM_BASE_RNG_H
#define GM_BASE_RNG_H

#include <stdint.h>

typedef struct gm_philox { uint32_t v[4]; } gm_philox;

// Ten rounds of Philox4x32 on the counter under the key.
gm_philox gm_philox4x32(gm_philox counter, uint32_t key0, uint32_t key1);

// 64 random bits of draw number `draw` in stream `stream` of lane `lane`.
uint64_t gm_rng_bits(uint64_t seed, uint32_t lane, uint32_t stream, uint64_t draw);

// Uniform in (0, 1): never 0 or 1; the odd multiples of 2^-53.
double gm_rng_uniform(uint64_t seed, uint32_t lane, uint32_t stream, uint64_t draw);

// Standard normal, by the inverse distribution function (Wichura's AS 241, relative error about 1e-16), so that one
// draw uses one uniform and quasi-random numbers can take its place.
double gm_rng_normal(uint64_t seed, uint32_t lane, uint32_t stream, uint64_t draw);
// 0 and 1 give the infinities; outside of [0, 1]: NaN.
double gm_normal_quantile(double p);

#endif
