#include "physics/exec/history.h"

#include "physics/exec/kernel.h"

#include <math.h>

static double *cell(double *rows, uint32_t row, int lane) { return rows + (size_t)row * GM_BLOCK_LANES + lane; }

static uint32_t place_of(const double *rows, int lane, uint32_t i)
{
    return ((uint32_t)rows[GM_BLOCK_LANES + lane] + i) % GM_HISTORY_SAMPLES;
}

static double time_at(const double *rows, int lane, uint32_t i) { return rows[(size_t)(2 + place_of(rows, lane, i)) * GM_BLOCK_LANES + (size_t)lane]; }

static double value_at(const double *rows, int lane, uint32_t i)
{
    return rows[(size_t)(2 + GM_HISTORY_SAMPLES + place_of(rows, lane, i)) * GM_BLOCK_LANES + (size_t)lane];
}

void gm_history_clear(double *rows, int lane) { *cell(rows, 0, lane) = *cell(rows, 1, lane) = 0; }

void gm_history_push(double *rows, int lane, double time, double value, double spacing)
{
    uint32_t n = (uint32_t)*cell(rows, 0, lane);
    double   last = n > 0 ? time_at(rows, lane, n - 1) : 0, before = n > 1 ? time_at(rows, lane, n - 2) : -INFINITY;
    if (n > 0 && time == last && (value == value_at(rows, lane, n - 1) || before == last)) {
        n--;  // known, or the far side of a jump once more
    } else if (n > 1 && time > last && before < last && last - before < spacing) {
        n--;  // the newest was too near to the one before it to stay
    } else if (n == GM_HISTORY_SAMPLES) {
        *cell(rows, 1, lane) = place_of(rows, lane, 1);
        n--;
    }
    uint32_t at = place_of(rows, lane, n);
    *cell(rows, 2 + at, lane)                      = time;
    *cell(rows, 2 + GM_HISTORY_SAMPLES + at, lane) = value;
    *cell(rows, 0, lane)                           = n + 1;
}

double gm_history_at(const double *rows, int lane, double instant)
{
    uint32_t n = (uint32_t)rows[lane], low = 0, high = n - 1;
    if (n == 0) return NAN;
    if (n == 1 || !(instant > time_at(rows, lane, 0))) return value_at(rows, lane, 0);
    // The last sample at or before the instant, but not the newest: the straight line goes on behind it.
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (time_at(rows, lane, middle) <= instant) low = middle;
        else high = middle;
    }
    double t0 = time_at(rows, lane, low), t1 = time_at(rows, lane, low + 1), y0 = value_at(rows, lane, low), y1 = value_at(rows, lane, low + 1);
    return t1 > t0 ? y0 + (y1 - y0) * ((instant - t0) / (t1 - t0)) : y1;
}
