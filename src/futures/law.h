// futures/law.h: distributions, as functions from a uniform number to a value (inverse distribution functions). One
// value uses one number, so random, stratified and quasi-random numbers serve all of them alike.
//
//   gm_law law = { .kind = GM_LAW_NORMAL, .p = { 20, 2, -INFINITY, INFINITY } };
//   if (gm_law_check(&law, &err) == GM_OK) x = gm_law_at(&law, u);       // 0 < u < 1
#ifndef GM_FUTURES_LAW_H
#define GM_FUTURES_LAW_H

#include "base/status.h"

typedef enum gm_law_kind {
    GM_LAW_POINT,        // p0 always
    GM_LAW_UNIFORM,      // p0 to p1
    GM_LAW_NORMAL,       // mean p0, standard deviation p1, cut to p2..p3 (the distribution is truncated, not clipped)
    GM_LAW_LOGNORMAL,    // ln x is normal with mean p0 and standard deviation p1
    GM_LAW_TRIANGULAR,   // from p0 over the mode p1 to p2
    GM_LAW_EXPONENTIAL,  // mean p0
    GM_LAW_WEIBULL,      // shape p0, scale p1
    GM_LAW_GAMMA,        // shape p0, scale p1
    GM_LAW_BETA,         // shapes p0 and p1, stretched to p2..p3
    GM_LAW_EMPIRICAL,    // linear between the order statistics of values
    GM_LAW_CHOICE,       // one of values, all equally likely
    GM_LAW_COUNT
} gm_law_kind;

typedef struct gm_law {
    gm_law_kind   kind;
    double        p[4];
    const double *values;  // EMPIRICAL: [count] rising; CHOICE: [count]; viewed
    uint32_t      count;
} gm_law;

static inline gm_law gm_law_point(double value) { return (gm_law){ .kind = GM_LAW_POINT, .p = { value } }; }

const char *gm_law_text(gm_law_kind kind);  // "uniform"

// GM_INVALID: parameters that make no distribution; the text says which and why.
GM_NODISCARD gm_status gm_law_check(const gm_law *law, gm_error *err);

// The value below which a share u of all values lies. The law must have been checked; 0 < u < 1.
double gm_law_at(const gm_law *law, double u);

#endif
