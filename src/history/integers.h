// history/integers.h: a run of whole numbers (times, or scaled values) into few bytes, and back, bit for bit.
//
// The differences to a base are divided by their greatest common divisor; a predictor is fitted; what it misses is
// coded near its entropy (entropy.h). Of the predictors the one that takes the fewest bits on a sample is taken:
//   LEVEL   what remains is the number itself               switches, noise around a constant
//   SLOPE   the one before, plus the mean step              most signals; clocks whose every step has its own error
//   BEND    straight on through the last two                ramps
//   GRID    ticks of a regular clock, each a little off     times: the error of one tick does not move the next
//   LINEAR  a weighted sum of the last 2, 4 or 8            vibrations, anything with a memory; weights fitted by
//           least squares (covariance method: Makhoul 1975, Linear prediction: a tutorial review, Proc. IEEE 63)
#ifndef GM_HISTORY_INTEGERS_H
#define GM_HISTORY_INTEGERS_H

#include "history/entropy.h"

typedef enum gm_integers_hint { GM_INTEGERS_TIMES, GM_INTEGERS_VALUES } gm_integers_hint;  // saves trying in vain

// Working memory; about 120 KiB, made once, used by one thread at a time.
typedef struct gm_integers {
    gm_entropy entropy;
    int64_t    x[GM_ENTROPY_MOST];         // the numbers, base taken off, divided
    uint64_t   rest[GM_ENTROPY_MOST];      // what a predictor misses
    double     y[GM_ENTROPY_MOST];
} gm_integers;

// Appends v [n], 0 < n <= GM_ENTROPY_MOST. base is any number near them that the reader knows too. The length of what
// was appended is not stored. Differences wrap around, so every int64 is allowed.
void gm_integers_encode(gm_integers *work, const int64_t *v, size_t n, int64_t base, gm_integers_hint hint, gm_buf *out);

// Reads n numbers from exactly size bytes. False: that is no such run; out is then undefined.
GM_NODISCARD bool gm_integers_decode(gm_integers *work, const uint8_t *bytes, size_t size, int64_t base, int64_t *out,
                                     size_t n);

#endif
