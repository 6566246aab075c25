// A double stands for the interval of reals that round to it. Multiplied by a power of ten such that the interval is
// between 1 and 10 wide, it holds at most one multiple of ten, and else the one or two whole numbers around the value:
// one of these is the answer. Four times the interval's ends and the value are computed, rounded so that what is lost
// can be seen in the last bit ("to odd"): that is enough to compare them with whole numbers and halves, exactly.
#include "base/shortest.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

enum { TEN_MIN = -292, FRACTION_BITS = 52, EXPONENT_BIAS = 1075 };

static const struct { uint64_t high, low; } tens[] = {
#include "base/powers_of_ten.inc"
};

// floor(q log10(2)), floor(log10(3/4 2^q)) and floor(k log2(10)), right for every exponent of a double.
static int log10_of_2_to(int q)
{
    return (q * 1262611) >> 22;
}

static int log10_of_three_quarters_of_2_to(int q)
{
    return (q * 1262611 - 524031) >> 22;
}

static int log2_of_10_to(int k)
{
    return (k * 1741647) >> 19;
}

// The upper 64 of 192 bits of factor * 10^k's leading bits; the last one is set when anything was lost.
static uint64_t multiply_to_odd(int k, uint64_t factor)
{
    uint64_t low_high = (uint64_t)((wide)tens[k - TEN_MIN].low * factor >> 64);
    wide     upper    = (wide)tens[k - TEN_MIN].high * factor + low_high;
    return (uint64_t)(upper >> 64) | ((uint64_t)upper > 1);
}

gm_decimal gm_shortest_decimal(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t fraction = bits & ((UINT64_C(1) << FRACTION_BITS) - 1);
    int      exponent = (int)(bits >> FRACTION_BITS);
    assert(exponent < 2047 && bits != 0);

    // value = c 2^q. Below a power of two the next double is only half as far.
    uint64_t c            = exponent == 0 ? fraction : fraction | UINT64_C(1) << FRACTION_BITS;
    int      q            = (exponent == 0 ? 1 : exponent) - EXPONENT_BIAS;
    bool     closer_below = fraction == 0 && exponent > 1;

    int k  = closer_below ? log10_of_three_quarters_of_2_to(q) : log10_of_2_to(q);
    int up = q + log2_of_10_to(-k) + 1;

    uint64_t below  = multiply_to_odd(-k, (4 * c - 2 + closer_below) << up);
    uint64_t middle = multiply_to_odd(-k, (4 * c) << up);
    uint64_t above  = multiply_to_odd(-k, (4 * c + 2) << up);
    // The ends themselves round to the even neighbour.
    uint64_t odd = c & 1, from = below + odd, to = above - odd;

    uint64_t s = middle / 4;
    if (s >= 10) {
        uint64_t t           = s / 10;
        bool     under_fits  = from <= 40 * t, over_fits = 40 * t + 40 <= to;
        if (under_fits != over_fits) return (gm_decimal){ t + over_fits, k + 1 };
    }
    bool under_fits = from <= 4 * s, over_fits = 4 * s + 4 <= to;
    if (under_fits != over_fits) return (gm_decimal){ s + over_fits, k };
    uint64_t half = 4 * s + 2;
    bool     over = middle > half || (middle == half && (s & 1));
    return (gm_decimal){ s + over, k };
}
