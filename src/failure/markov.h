// failure/markov.h: a group of redundant units that fail, wait, are called and are repaired: exactly, as a Markov chain over the sets
// of units that are down.
//
//   gm_standby_unit  pumps[2] = { { .rate = 1e-4, .repair = 1.0 / 24 }, { .rate = 1e-4, .repair = 1.0 / 24 } };
//   gm_standby_group g        = { .units = pumps, .count = 2, .working = 1, .waiting = 0, .switching = 0.02, .fails_now = GM_STANDBY_NOBODY };
//   gm_standby_at(&g, 8760, down);                  // down[3]: probability that both are down
//   gm_standby_unreliability(&g, 8760)              // that there ever were too few
//
// The first `working` units that are not down work, the others wait. When one that works fails, the next one is called; it does not
// come with probability `switching`, and is down then, and the next one is called. A unit that was repaired takes its place in the
// order again. Bit i of a set is unit i. Method: exp(Qt) from exp(Q t/2^m) by squaring; that from uniformisation (A. Jensen, 1953), sums
// of numbers that are not negative only. Rates are per hour.
#ifndef GM_FAILURE_MARKOV_H
#define GM_FAILURE_MARKOV_H

#include "base/status.h"

enum { GM_STANDBY_UNITS_MAX = 6, GM_STANDBY_STATES_MAX = 1 << GM_STANDBY_UNITS_MAX };
#define GM_STANDBY_NOBODY UINT32_MAX

typedef struct gm_standby_unit {
    double rate;    // of failure while it works
    double repair;  // 1 / mean time to repair; 0: it is not repaired
    bool   down;    // at the beginning
} gm_standby_unit;

typedef struct gm_standby_group {
    const gm_standby_unit *units;      // [count], in the order in which they are called
    uint32_t       count;      // 1 .. GM_STANDBY_UNITS_MAX
    uint32_t       working;    // so many work; fewer: the group is down
    double         waiting;    // share of the rate while waiting: 1 hot, 0 cold
    double         switching;  // probability that one that is called does not come
    uint32_t       crews;      // repairs at a time; 0: as many as there are
    uint32_t       fails_now;  // this unit fails at the beginning; GM_STANDBY_NOBODY
} gm_standby_group;

// Probability of each set of units being down after t_h hours. out: [2^count].
void gm_standby_at(const gm_standby_group *g, double t_h, double *out);

double gm_standby_unavailability(const gm_standby_group *g, double t_h);  // fewer than `working` work at that time
double gm_standby_unreliability(const gm_standby_group *g, double t_h);   // fewer worked at some time until then
double gm_standby_mean_time(const gm_standby_group *g);                   // hours until that is so first; HUGE_VAL: never
// In the long run. NaN: units that are not repaired end down one after the other.
double gm_standby_steady(const gm_standby_group *g);

#endif
