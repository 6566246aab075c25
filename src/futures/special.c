#include "futures/special.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

enum { TERMS_MAX = 100000, STEPS_MAX = 200 };

// lgamma writes a global sign; this one does not.
static double log_gamma(double a)
{
    int sign;
    return lgamma_r(a, &sign);
}

double gm_normal_cdf(double z) { return 0.5 * erfc(-z * M_SQRT1_2); }

// x^a e^-x / Gamma(a + 1)
static double gamma_front(double a, double x) { return exp(a * log(x) - x - log_gamma(a + 1)); }

double gm_gamma_cdf(double a, double x)
{
    if (!(a > 0) || !(x >= 0)) return NAN;
    if (x == 0) return 0;
    if (isinf(x)) return 1;
    if (x < a + 1) {  // the series DLMF 8.11.4
        double term = 1, sum = 1;
        for (int n = 1; n < TERMS_MAX && term > sum * DBL_EPSILON / 4; n++) {
            term *= x / (a + n);
            sum += term;
        }
        return gamma_front(a, x) * sum;
    }
    // The continued fraction DLMF 8.9.2 for the upper tail, evaluated by Lentz's method.
    double b = x + 1 - a, c = 1 / DBL_MIN, d = 1 / b, h = d;
    for (int i = 1; i < TERMS_MAX; i++) {
        double an = -i * (i - a);
        b += 2;
        d = an * d + b;
        c = b + an / c;
        if (fabs(d) < DBL_MIN) d = DBL_MIN;
        if (fabs(c) < DBL_MIN) c = DBL_MIN;
        d = 1 / d;
        h *= d * c;
        if (fabs(d * c - 1) < DBL_EPSILON) break;
    }
    return 1 - gamma_front(a, x) * a * h;
}

// Solves cdf(y) = p for a rising function of y: Newton steps that stay inside of a bracket which every step narrows.
typedef struct curve { double a, b; double (*cdf)(const struct curve *c, double y, double *out_slope); } curve;

static double invert(const curve *c, double p, double low, double high, double y)
{
    for (int i = 0; i < STEPS_MAX && high - low > DBL_EPSILON * fabs(y); i++) {
        double slope, miss = c->cdf(c, y, &slope) - p;
        if (miss == 0) break;
        if (miss > 0) high = y;
        else low = y;
        double next = y - miss / slope;
        if (!(next > low && next < high)) next = low + (high - low) / 2;  // also where slope is 0
        if (fabs(next - y) <= DBL_EPSILON * fabs(y)) break;
        y = next;
    }
    return y;
}

static double gamma_at(const curve *c, double y, double *out_slope)  // y = ln x
{
    double x   = exp(y);
    *out_slope = exp(c->a * y - x - log_gamma(c->a));
    return gm_gamma_cdf(c->a, x);
}

double gm_gamma_quantile(double a, double p)
{
    if (!(a > 0) || !(p >= 0 && p <= 1)) return NAN;
    if (p == 0) return 0;
    if (p == 1) return INFINITY;
    curve  c     = { a, 0, gamma_at };
    double start = (log(p) + log_gamma(a + 1)) / a;  // from the first term of the series; an upper bound for small x
    double top   = log(a + 50 * sqrt(a) + 800);
    return exp(invert(&c, p, -745, top, start < -745 ? -744 : start < top ? start : log(a)));
}

// The continued fraction DLMF 8.17.22 by Lentz's method; converges quickly for x < (a + 1) / (a + b + 2).
static double beta_fraction(double a, double b, double x)
{
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    if (fabs(d) < DBL_MIN) d = DBL_MIN;
    d        = 1 / d;
    double h = d;
    for (int m = 1; m < TERMS_MAX; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd  = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        for (int half = 0; half < 2; half++) {
            double n = half == 0 ? even : odd;
            d        = 1 + n * d;
            c        = 1 + n / c;
            if (fabs(d) < DBL_MIN) d = DBL_MIN;
            if (fabs(c) < DBL_MIN) c = DBL_MIN;
            d = 1 / d;
            h *= d * c;
        }
        if (fabs(d * c - 1) < DBL_EPSILON) break;
    }
    return h;
}

static double beta_front(double a, double b, double x)  // x^a (1-x)^b / B(a, b)
{
    return exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x));
}

double gm_beta_cdf(double a, double b, double x)
{
    if (!(a > 0) || !(b > 0) || !(x >= 0 && x <= 1)) return NAN;
    if (x == 0 || x == 1) return x;
    bool straight = x < (a + 1) / (a + b + 2);
    return straight ? beta_front(a, b, x) * beta_fraction(a, b, x) / a
                    : 1 - beta_front(a, b, x) * beta_fraction(b, a, 1 - x) / b;
}

static double beta_at(const curve *c, double y, double *out_slope)  // y = ln(x / (1 - x))
{
    double x   = 1 / (1 + exp(-y));
    *out_slope = x > 0 && x < 1 ? beta_front(c->a, c->b, x) : 0;
    return gm_beta_cdf(c->a, c->b, x);
}

double gm_beta_quantile(double a, double b, double p)
{
    if (!(a > 0) || !(b > 0) || !(p >= 0 && p <= 1)) return NAN;
    if (p == 0 || p == 1) return p;
    curve  c = { a, b, beta_at };
    double y = invert(&c, p, -700, 700, log(a / b));
    return 1 / (1 + exp(-y));
}
