// futures/special.h: distribution functions that the C library does not have, and their inverses.
//
// Relative error about 1e-12 for shapes between 1e-3 and 1e5, measured against closed forms and integer cases
// (tests/futures/test_law.c). Arguments outside of the domain give NaN.
#ifndef GM_FUTURES_SPECIAL_H
#define GM_FUTURES_SPECIAL_H

// The standard normal distribution function; its inverse is gm_normal_quantile (base/rng.h).
double gm_normal_cdf(double z);

// Regularised lower incomplete gamma function P(a, x), a > 0, x >= 0; and x for a given P.
double gm_gamma_cdf(double a, double x);
double gm_gamma_quantile(double a, double p);

// Regularised incomplete beta function I_x(a, b), a, b > 0; and x for a given I.
double gm_beta_cdf(double a, double b, double x);
double gm_beta_quantile(double a, double b, double p);

#endif
