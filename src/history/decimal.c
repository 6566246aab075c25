#include "history/decimal.h"

#include <math.h>

static const double power[GM_DECIMAL_SCALES] = { 1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };

double gm_decimal_value(int64_t m, gm_decimal d)
{
    double value = (double)m / power[d.scale];
    return d.single ? (double)(float)value : value;
}

bool gm_decimal_exact(double value, gm_decimal d, int64_t *out_m)
{
    double scaled = value * power[d.scale];
    if (!(fabs(scaled) < 0x1p53)) return false;  // also NaN
    // Rounds by adding and taking off 1.5 * 2^52 where that is exact, else by the library.
    int64_t m = fabs(scaled) < 0x1p51 ? (int64_t)((scaled + 0x1.8p52) - 0x1.8p52) : llrint(scaled);
    *out_m    = m;
    return gm_bits_of(gm_decimal_value(m, d)) == gm_bits_of(value);
}

// The smallest scale from `from` on at which the value is decimal; GM_DECIMAL_SCALES when there is none.
static unsigned scale_from(uint64_t bits, unsigned from, bool single)
{
    int64_t m;
    if (bits == GM_NEGATIVE_ZERO) return from;
    while (from < GM_DECIMAL_SCALES && !gm_decimal_exact(gm_double_of(bits), (gm_decimal){ from, single }, &m)) from++;
    return from;
}

// The scale that suits seven of eight of a few values spread over the run.
static unsigned guess_scale(const uint64_t *bits, size_t n, bool single)
{
    size_t   need[GM_DECIMAL_SCALES + 1] = { 0 };
    size_t   stride = n / 32 + 1, sampled = 0;
    unsigned guess  = 0;
    for (size_t i = 0; i < n; i += stride, sampled++) need[scale_from(bits[i], 0, single)]++;
    for (size_t covered = need[0]; guess < GM_DECIMAL_SCALES && covered * 8 < sampled * 7;) covered += need[++guess];
    return guess;
}

bool gm_decimal_all(const uint64_t *bits, size_t n, gm_decimal *out, int64_t *out_m)
{
    unsigned scale = guess_scale(bits, n, false);
    *out           = (gm_decimal){ .scale = scale };
    if (scale == GM_DECIMAL_SCALES) return false;
    double factor = power[scale];
    bool   all    = true;
    for (size_t i = 0; i < n; i++) {
        // As gm_decimal_exact, without leaving: a sum over all is quicker than a question at each.
        double value = gm_double_of(bits[i]), scaled = value * factor, m = (scaled + 0x1.8p52) - 0x1.8p52;
        all &= fabs(scaled) < 0x1p51;
        all &= gm_bits_of(m / factor) == bits[i] && bits[i] != GM_NEGATIVE_ZERO;
        out_m[i] = (int64_t)(fabs(scaled) < 0x1p51 ? m : 0.0);
    }
    return all;
}

bool gm_decimal_fit(const uint64_t *bits, size_t n, gm_decimal *out)
{
    *out           = (gm_decimal){ 0 };
    unsigned guess = guess_scale(bits, n, false);
    if (guess == GM_DECIMAL_SCALES) {
        out->single = true;
        guess       = guess_scale(bits, n, true);
        if (guess == GM_DECIMAL_SCALES || guess > 9) return false;  // single precision has nine digits
    }
    // A value that is decimal at a scale is so at the larger ones, as long as its whole number stays below 2^53.
    size_t need[GM_DECIMAL_SCALES + 1] = { 0 };
    for (size_t i = 0; i < n; i++) {
        need[scale_from(bits[i], guess, out->single)]++;
        if (need[GM_DECIMAL_SCALES] * 8 > n) return false;
    }
    // Every further digit costs log2(10) bits a value, every exception 80.
    size_t left = n - need[guess];
    double best = 80.0 * (double)left;
    out->scale  = guess;
    for (unsigned k = guess + 1; k < GM_DECIMAL_SCALES; k++) {
        left -= need[k];
        double cost = 3.33 * (double)(k - guess) * (double)n + 80.0 * (double)left;
        if (cost >= best) continue;
        best       = cost;
        out->scale = k;
    }
    return true;
}
