// thread/usage.h: what a machine went through, from the samples of one quantity: it runs while the value is above a threshold. A value
// holds until the next sample.
//
//   gm_usage u = gm_usage_begin(0.1, from);
//   gm_usage_add(&u, sample.at, sample.value);      // in rising time; what was before `from` says what holds at it
//   gm_usage_end(&u, to);
//   u.running_s / 3600, u.starts, gm_usage_mean(&u), u.peak
#ifndef GM_THREAD_USAGE_H
#define GM_THREAD_USAGE_H

#include "base/time.h"

#include <math.h>

typedef struct gm_usage {
    double     threshold, value;  // value: the one that holds; NaN: unknown, which is not running
    gm_time_ns at;                // until where it is counted
    double     running_s;         // time above the threshold
    double     integral;          // of the value over that time
    double     peak;              // greatest value while running; NaN: it never ran
    uint64_t   starts;            // times it came above the threshold; running at the beginning is no start
    uint64_t   samples;
} gm_usage;

gm_usage gm_usage_begin(double threshold, gm_time_ns from);
void     gm_usage_add(gm_usage *usage, gm_time_ns at, double value);  // value NaN: from then on it is unknown
void     gm_usage_end(gm_usage *usage, gm_time_ns to);

// The mean over the time in which it ran; NaN: it never did.
static inline double gm_usage_mean(const gm_usage *u) { return u->running_s > 0 ? u->integral / u->running_s : NAN; }

#endif
