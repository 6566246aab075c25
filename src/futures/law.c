#include "futures/law.h"

#include "base/rng.h"
#include "futures/special.h"

#include <assert.h>
#include <math.h>

const char *gm_law_text(gm_law_kind kind)
{
    static const char *const text[GM_LAW_COUNT] = { "point",      "uniform",     "normal",  "lognormal",
                                                    "triangular", "exponential", "weibull", "gamma",
                                                    "beta",       "empirical",   "choice" };
    assert(kind < GM_LAW_COUNT);
    return text[kind];
}

static bool all_finite(const double *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) return false;
    }
    return true;
}

static const char *what_is_wrong(const gm_law *law)
{
    const double *p = law->p;
    switch (law->kind) {
    case GM_LAW_POINT: return isfinite(p[0]) ? NULL : "the value must be a finite number";
    case GM_LAW_UNIFORM:
        return all_finite(p, 2) && p[0] <= p[1] ? NULL : "the first bound must not be above the second";
    case GM_LAW_NORMAL:
        if (!all_finite(p, 2) || p[1] < 0) return "the standard deviation must not be negative";
        if (!(p[2] < p[3])) return "the lower cut must be below the upper";
        return p[1] > 0 || (p[2] <= p[0] && p[0] <= p[3]) ? NULL : "the mean lies outside of the cuts";
    case GM_LAW_LOGNORMAL: return all_finite(p, 2) && p[1] >= 0 ? NULL : "the standard deviation must not be negative";
    case GM_LAW_TRIANGULAR:
        return all_finite(p, 3) && p[0] <= p[1] && p[1] <= p[2] ? NULL
                                                                : "lower bound, mode and upper bound must not fall";
    case GM_LAW_EXPONENTIAL: return isfinite(p[0]) && p[0] > 0 ? NULL : "the mean must be above 0";
    case GM_LAW_WEIBULL:
    case GM_LAW_GAMMA:
        return all_finite(p, 2) && p[0] >= 1e-3 && p[0] <= 1e5 && p[1] > 0
                   ? NULL
                   : "the shape must lie in 0.001..100000, the scale above 0";
    case GM_LAW_BETA:
        if (!all_finite(p, 4) || p[0] < 1e-3 || p[0] > 1e5 || p[1] < 1e-3 || p[1] > 1e5)
            return "the shapes must lie in 0.001..100000";
        return p[2] < p[3] ? NULL : "the lower bound must be below the upper";
    case GM_LAW_EMPIRICAL:
        for (uint32_t i = 1; i < law->count; i++) {
            if (!(law->values[i - 1] <= law->values[i])) return "the values must be sorted";
        }  // fall through
    case GM_LAW_CHOICE:
        return law->count > 0 && all_finite(law->values, law->count) ? NULL : "at least one finite value is needed";
    default: return "there is no such distribution";
    }
}

gm_status gm_law_check(const gm_law *law, gm_error *err)
{
    const char *wrong = what_is_wrong(law);
    if (wrong == NULL) return GM_OK;
    return gm_fail(err, GM_INVALID, "futures.law", "%s: %s", law->kind < GM_LAW_COUNT ? gm_law_text(law->kind) : "law",
                   wrong);
}

static double normal_at(const double *p, double u)
{
    if (p[1] == 0) return p[0];
    if (isinf(p[2]) && isinf(p[3])) return p[0] + p[1] * gm_normal_quantile(u);
    double low = gm_normal_cdf((p[2] - p[0]) / p[1]), high = gm_normal_cdf((p[3] - p[0]) / p[1]);
    double x   = p[0] + p[1] * gm_normal_quantile(low + u * (high - low));
    return x < p[2] ? p[2] : x > p[3] ? p[3] : x;  // rounding, and cuts so far out that nothing lies between them
}

static double triangular_at(const double *p, double u)
{
    double width = p[2] - p[0], rise = p[1] - p[0];
    if (width == 0) return p[0];
    return u * width < rise ? p[0] + sqrt(u * width * rise) : p[2] - sqrt((1 - u) * width * (p[2] - p[1]));
}

// The i-th of n sorted values stands at (i + 1/2) / n; beyond the outermost they hold.
static double empirical_at(const gm_law *law, double u)
{
    double at = u * law->count - 0.5;
    if (at <= 0) return law->values[0];
    if (at >= law->count - 1) return law->values[law->count - 1];
    uint32_t i     = (uint32_t)at;
    double   share = at - i;
    return law->values[i] + share * (law->values[i + 1] - law->values[i]);
}

double gm_law_at(const gm_law *law, double u)
{
    const double *p = law->p;
    switch (law->kind) {
    case GM_LAW_POINT: return p[0];
    case GM_LAW_UNIFORM: return p[0] + u * (p[1] - p[0]);
    case GM_LAW_NORMAL: return normal_at(p, u);
    case GM_LAW_LOGNORMAL: return exp(p[0] + p[1] * gm_normal_quantile(u));
    case GM_LAW_TRIANGULAR: return triangular_at(p, u);
    case GM_LAW_EXPONENTIAL: return -p[0] * log1p(-u);
    case GM_LAW_WEIBULL: return p[1] * pow(-log1p(-u), 1 / p[0]);
    case GM_LAW_GAMMA: return p[1] * gm_gamma_quantile(p[0], u);
    case GM_LAW_BETA: return p[2] + (p[3] - p[2]) * gm_beta_quantile(p[0], p[1], u);
    case GM_LAW_EMPIRICAL: return empirical_at(law, u);
    case GM_LAW_CHOICE: return law->values[(uint32_t)(u * law->count)];
    default: return NAN;
    }
}
