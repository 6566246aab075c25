#include "futures/design.h"

#include "base/rng.h"

#include <assert.h>

// Streams of random numbers that belong to the design; the variations' own begin at 0 (futures.h).
enum { STREAM_UNIFORM = 0x40000000, STREAM_ORDER = 0x50000000, STREAM_SHIFT = 0x60000000, STREAM_PATH = 0x70000000 };

enum { SOBOL_BITS = 32, SOBOL_DEGREE_MAX = 7 };

// Primitive polynomials over GF(2) (degree s, inner coefficients a) and initial direction numbers m for dimensions
// 2 to 32: S. Joe, F. Y. Kuo, Constructing Sobol sequences with better two-dimensional projections, SIAM J. Sci.
// Comput. 30 (2008) 2635-2654, the set "new-joe-kuo-6". Dimension 1 is van der Corput's sequence.
static const struct { uint8_t s, a, m[SOBOL_DEGREE_MAX]; } joe_kuo[GM_SOBOL_DIMENSIONS - 1] = {
    { 1, 0, { 1 } },
    { 2, 1, { 1, 3 } },
    { 3, 1, { 1, 3, 1 } },
    { 3, 2, { 1, 1, 1 } },
    { 4, 1, { 1, 1, 3, 3 } },
    { 4, 4, { 1, 3, 5, 13 } },
    { 5, 2, { 1, 1, 5, 5, 17 } },
    { 5, 4, { 1, 1, 5, 5, 5 } },
    { 5, 7, { 1, 1, 7, 11, 19 } },
    { 5, 11, { 1, 1, 5, 1, 1 } },
    { 5, 13, { 1, 1, 1, 3, 11 } },
    { 5, 14, { 1, 3, 5, 5, 31 } },
    { 6, 1, { 1, 3, 3, 9, 7, 49 } },
    { 6, 13, { 1, 1, 1, 15, 21, 21 } },
    { 6, 16, { 1, 3, 1, 13, 27, 49 } },
    { 6, 19, { 1, 1, 1, 15, 7, 5 } },
    { 6, 22, { 1, 3, 1, 15, 13, 25 } },
    { 6, 25, { 1, 1, 5, 5, 19, 61 } },
    { 7, 1, { 1, 3, 7, 11, 23, 15, 103 } },
    { 7, 4, { 1, 3, 7, 13, 13, 15, 69 } },
    { 7, 7, { 1, 1, 3, 13, 7, 35, 63 } },
    { 7, 8, { 1, 3, 5, 9, 1, 25, 53 } },
    { 7, 14, { 1, 3, 1, 13, 9, 35, 107 } },
    { 7, 19, { 1, 3, 1, 5, 27, 61, 31 } },
    { 7, 21, { 1, 1, 5, 11, 19, 41, 61 } },
    { 7, 28, { 1, 3, 5, 3, 3, 13, 69 } },
    { 7, 31, { 1, 1, 7, 13, 1, 19, 1 } },
    { 7, 32, { 1, 3, 7, 5, 13, 19, 59 } },
    { 7, 37, { 1, 1, 3, 9, 25, 29, 41 } },
    { 7, 41, { 1, 3, 5, 13, 23, 1, 55 } },
    { 7, 42, { 1, 3, 7, 3, 13, 59, 17 } },
};

const char *gm_design_text(gm_design_kind kind)
{
    static const char *const text[GM_DESIGN_COUNT] = { "random", "latin", "sobol", "saltelli", "morris" };
    assert(kind < GM_DESIGN_COUNT);
    return text[kind];
}

gm_status gm_design_check(const gm_design *d, gm_error *err)
{
    uint32_t each = d->kind == GM_DESIGN_SALTELLI ? d->dimensions + 2
                    : d->kind == GM_DESIGN_MORRIS ? d->dimensions + 1
                                                  : 1;
    if (d->lanes == 0) return gm_fail(err, GM_INVALID, "futures.design", "no lanes; ask for at least one");
    if (d->kind != GM_DESIGN_SALTELLI && d->kind != GM_DESIGN_MORRIS) return GM_OK;
    if (d->dimensions == 0) {
        return gm_fail(err, GM_INVALID, "futures.design",
                       "sensitivity needs something that varies; add a distribution");
    }
    if (d->lanes % each != 0 || d->lanes / each < 2) {
        uint32_t rows = d->lanes / each < 2 ? 2 : d->lanes / each;
        return gm_fail(err, GM_INVALID, "futures.design",
                       "%s with %u varied inputs needs a multiple of %u lanes; %u would fit", gm_design_text(d->kind),
                       d->dimensions, each, rows * each);
    }
    return GM_OK;
}

// ---- Sobol ----------------------------------------------------------------------------------------------------------

// The binary point of the sequence: XOR of the direction numbers of the bits of index in Gray code. Bratley and Fox,
// Algorithm 659 (1988). The direction numbers are made on the way: 32 steps.
uint32_t gm_sobol_bits(uint32_t index, uint32_t dimension)
{
    assert(dimension < GM_SOBOL_DIMENSIONS);
    uint32_t gray = index ^ index >> 1, bits = 0, v[SOBOL_BITS];
    for (uint32_t i = 0; i < SOBOL_BITS && gray >> i != 0; i++) {
        if (dimension == 0) {
            v[i] = UINT32_C(1) << (31 - i);
        } else {
            uint32_t s = joe_kuo[dimension - 1].s, a = joe_kuo[dimension - 1].a;
            if (i < s) {
                v[i] = (uint32_t)joe_kuo[dimension - 1].m[i] << (31 - i);
            } else {
                v[i] = v[i - s] ^ v[i - s] >> s;
                for (uint32_t k = 1; k < s; k++) v[i] ^= (a >> (s - 1 - k) & 1) * v[i - k];
            }
        }
        if (gray >> i & 1) bits ^= v[i];
    }
    return bits;
}

static double sobol_at(const gm_design *d, uint32_t index, uint32_t dimension)
{
    if (dimension >= GM_SOBOL_DIMENSIONS) return gm_rng_uniform(d->seed, index, STREAM_UNIFORM + dimension, 0);
    uint32_t shift = (uint32_t)gm_rng_bits(d->seed, 0, STREAM_SHIFT + dimension, 0);
    return ((double)(gm_sobol_bits(index, dimension) ^ shift) + 0.5) * 0x1p-32;
}

// ---- Latin hypercube ------------------------------------------------------------------------------------------------

// A permutation of 0..n-1 without memory: a Feistel network on the next even power of two (a bijection whatever its
// round function is), applied until the result is below n. The network has at most 4 n places, so a few times will do.
static uint32_t permuted(uint64_t seed, uint32_t stream, uint32_t n, uint32_t i)
{
    uint32_t half = 1;
    while (half < 16 && (UINT64_C(1) << 2 * half) < n) half++;
    uint32_t mask = (UINT32_C(1) << half) - 1;
    do {
        uint32_t left = i >> half, right = i & mask;
        for (uint32_t round = 0; round < 6; round++) {
            uint32_t next = left ^ ((uint32_t)gm_rng_bits(seed, right, stream, round) & mask);
            left          = right;
            right         = next;
        }
        i = left << half | right;
    } while (i >= n);
    return i;
}

static double latin_at(const gm_design *d, uint32_t lane, uint32_t dimension)
{
    uint32_t cell = permuted(d->seed, STREAM_ORDER + dimension, d->lanes, lane);
    return (cell + gm_rng_uniform(d->seed, lane, STREAM_UNIFORM + dimension, 0)) / d->lanes;
}

// ---- designs for sensitivity ----------------------------------------------------------------------------------------

static double saltelli_at(const gm_design *d, uint32_t lane, uint32_t dimension)
{
    uint32_t rows = d->lanes / (d->dimensions + 2), matrix = lane / rows, row = lane % rows;
    bool     from_b = matrix == 1 || matrix == dimension + 2;
    return sobol_at(d, row, from_b ? d->dimensions + dimension : dimension);
}

static uint32_t morris_order(const gm_design *d, uint32_t path, uint32_t step)
{
    return permuted(d->seed, STREAM_ORDER + path, d->dimensions, step);
}

uint32_t gm_morris_moved(const gm_design *d, uint32_t lane)
{
    uint32_t each = d->dimensions + 1;
    assert(lane % each > 0);
    return morris_order(d, lane / each, lane % each - 1);
}

// Levels stand in the middle of GM_MORRIS_LEVELS equal intervals, so that no quantile is infinite: a move by delta goes
// two levels up, or down where the start is in the upper half.
static double morris_at(const gm_design *d, uint32_t lane, uint32_t dimension)
{
    uint32_t each = d->dimensions + 1, path = lane / each, steps = lane % each;
    uint32_t level = (uint32_t)(gm_rng_bits(d->seed, path, STREAM_PATH + dimension, 0) >> 62);
    bool     moved = false;
    for (uint32_t k = 0; k < steps && !moved; k++) moved = morris_order(d, path, k) == dimension;
    if (moved) level = level < GM_MORRIS_LEVELS / 2 ? level + GM_MORRIS_LEVELS / 2 : level - GM_MORRIS_LEVELS / 2;
    return (level + 0.5) / GM_MORRIS_LEVELS;
}

double gm_design_at(const gm_design *d, uint32_t lane, uint32_t dimension)
{
    assert(lane < d->lanes);
    switch (d->kind) {
    case GM_DESIGN_LATIN: return latin_at(d, lane, dimension);
    case GM_DESIGN_SOBOL: return sobol_at(d, lane, dimension);
    case GM_DESIGN_SALTELLI: return saltelli_at(d, lane, dimension);
    case GM_DESIGN_MORRIS: return morris_at(d, lane, dimension);
    default: return gm_rng_uniform(d->seed, lane, STREAM_UNIFORM + dimension, 0);
    }
}
