// control/maintain/lifetime.h: when something will have failed, as a distribution that can be asked for what planning needs.
//
//   gm_lifetime l = gm_lifetime_of_age(&life, age);                     // nothing is known but its age
//   gm_lifetime_of_quantiles(&l, p, t, n, tail);                        // a prediction
//   gm_lifetime_survive(&l, elapsed);                                   // it was made a while ago, and nothing has failed since
//   gm_lifetime_survival(&l, t), gm_lifetime_excess(&l, t), gm_lifetime_draw(&l, u)
//
// Between known quantiles the survivor function is a straight line; beyond the last one it goes on as its tail says. Times have
// one unit throughout, whichever the caller's is; t = 0 is now.
#ifndef GM_CONTROL_MAINTAIN_LIFETIME_H
#define GM_CONTROL_MAINTAIN_LIFETIME_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

enum { GM_LIFETIME_KNOTS = 24 };

// The life of a new one: Weibull. shape 1: it does not age.
typedef struct gm_life { double mean, shape; } gm_life;

double gm_life_scale(const gm_life *life);
double gm_life_survival(const gm_life *life, double age);

typedef struct gm_lifetime {
    double   t[GM_LIFETIME_KNOTS], s[GM_LIFETIME_KNOTS];  // [knots] from (0, 1) on; t rises, s falls
    uint32_t knots;
    double   rate;                 // of the tail when it is exponential; 0: the tail is Weibull
    double   shape, scale, age;    // of that: the age is the one at t = 0
} gm_lifetime;

gm_lifetime gm_lifetime_of_age(const gm_life *life, double age);

// From n quantiles: with probability p[i] it lasts no longer than t[i]. p rises in (0, 1), t does not fall; what is not finite and
// what reaches `beyond` (the most that the prediction can say) is left out. life, age: how it goes on where the prediction ends
// because it can not say more; where it ends because its quantiles do, the last two say how fast. False: no quantile is left.
bool gm_lifetime_of_quantiles(gm_lifetime *out, const double *p, const double *t, size_t n, double beyond, const gm_life *life, double age);

// It has not failed for so long since.
void gm_lifetime_survive(gm_lifetime *l, double elapsed);

double gm_lifetime_survival(const gm_lifetime *l, double t);  // P(T > t)
double gm_lifetime_excess(const gm_lifetime *l, double t);    // E[max(T - t, 0)]
double gm_lifetime_draw(const gm_lifetime *l, double u);      // T with P(T > .) = u, 0 < u < 1
double gm_lifetime_quantile(const gm_lifetime *l, double p);  // likewise for P(T <= .) = p

// Replacing at an age, or at failure when that is earlier, again and again with new ones: what it costs in the long run for each
// unit of time. Downtimes in the same unit.
typedef struct gm_renewal { gm_life life; double planned, failed, planned_down, failed_down; } gm_renewal;
double gm_renewal_rate(const gm_renewal *r, double age);  // age INFINITY: run to failure
// The age that costs least, INFINITY when waiting for the failure does; *out_rate what it then costs.
double gm_renewal_best(const gm_renewal *r, double *out_rate);

#endif
