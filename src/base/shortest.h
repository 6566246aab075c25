// base/shortest.h: the shortest decimal that reads as a given double, and of these the nearest to it.
#ifndef GM_BASE_SHORTEST_H
#define GM_BASE_SHORTEST_H

#include <stdint.h>

// digits * 10^exponent
typedef struct gm_decimal { uint64_t digits; int exponent; } gm_decimal;

// value is finite and greater than 0. digits has at most 17 digits and may end in zeros.
// Cost: three 64 x 128 bit products, about 10 ns; no allocation.
// Source: R. Giulietti, "The Schubfach way to render doubles", 2020.
gm_decimal gm_shortest_decimal(double value);

#endif
