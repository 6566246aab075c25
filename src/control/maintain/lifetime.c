#include "control/maintain/lifetime.h"

#include "futures/special.h"

#include <math.h>

double gm_life_scale(const gm_life *life) { return life->mean / tgamma(1 + 1 / life->shape); }

// The cumulative hazard of a Weibull life up to an age.
static double hazard(double shape, double scale, double age) { return age > 0 ? pow(age / scale, shape) : 0; }

double gm_life_survival(const gm_life *life, double age) { return exp(-hazard(life->shape, gm_life_scale(life), age)); }

gm_lifetime gm_lifetime_of_age(const gm_life *life, double age)
{
    return (gm_lifetime){ .s = { 1 }, .knots = 1, .shape = life->shape, .scale = gm_life_scale(life), .age = age > 0 ? age : 0 };
}

bool gm_lifetime_of_quantiles(gm_lifetime *out, const double *p, const double *t, size_t n, double beyond, const gm_life *life, double age)
{
    gm_lifetime l       = gm_lifetime_of_age(life, age);
    bool        cut     = false;
    for (size_t i = 0; i < n && l.knots < GM_LIFETIME_KNOTS; i++) {
        if (!isfinite(t[i]) || t[i] >= beyond) {
            cut = true;
            break;
        }
        double at = fmax(t[i], l.t[l.knots - 1]);
        // Quantiles at one time are one knot: the last says how many lie below.
        if (l.knots > 1 && at == l.t[l.knots - 1]) l.knots--;
        l.t[l.knots]   = at;
        l.s[l.knots++] = 1 - p[i];
    }
    *out = l;
    if (l.knots == 1) return false;
    if (cut) return true;
    // The density goes on as it was at the last quantile, so the tail's mean is what the last step took for its share.
    uint32_t last  = l.knots - 1;
    double   step  = l.t[last] - l.t[last - 1], share = l.s[last - 1] - l.s[last];
    double   mean  = step > 0 && share > 0 ? l.s[last] * step / share : 0;
    out->rate      = 1 / fmax(mean, 1e-6 * life->mean);
    return true;
}

static double weibull_tail(const gm_lifetime *l, double from, double t)
{
    return exp(hazard(l->shape, l->scale, l->age + from) - hazard(l->shape, l->scale, l->age + t));
}

// Which share of those that reached the last knot are there at t, which is later.
static double tail(const gm_lifetime *l, double t)
{
    double from = l->t[l->knots - 1];
    return l->rate > 0 ? exp(-l->rate * (t - from)) : weibull_tail(l, from, t);
}

double gm_lifetime_survival(const gm_lifetime *l, double t)
{
    uint32_t last = l->knots - 1;
    if (t < 0) return 1;
    if (t >= l->t[last]) return l->s[last] * tail(l, t);
    uint32_t i = last;
    while (l->t[i - 1] > t) i--;
    return l->s[i - 1] + (l->s[i] - l->s[i - 1]) * (t - l->t[i - 1]) / (l->t[i] - l->t[i - 1]);
}

// The upper incomplete gamma function of (a, x) over exp(-x) x^a, x > a + 1: Lentz's evaluation of its continued fraction
// 1/(x+1-a- 1(1-a)/(x+3-a- 2(2-a)/(x+5-a- ...
static double upper_gamma(double a, double x)
{
    double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
    for (int i = 1; i < 1000; i++) {
        double an = -i * (i - a), step;
        b += 2;
        d    = 1 / (an * d + b);
        c    = b + an / c;
        step = c * d;
        h *= step;
        if (fabs(step - 1) < 1e-15) break;
    }
    return h;
}

// The integral of the tail from t on, t at the last knot or later, as a share of those that reached the knot.
static double tail_excess(const gm_lifetime *l, double t)
{
    if (l->rate > 0) return tail(l, t) / l->rate;
    double age = l->age + t, h = hazard(l->shape, l->scale, age), a = 1 / l->shape;
    // Far out one less the distribution function has no digits left; the fraction has them all.
    if (h > a + 1) return tail(l, t) * age / l->shape * upper_gamma(a, h);
    double whole = l->scale * tgamma(1 + a);
    return whole * (1 - gm_gamma_cdf(a, h)) * exp(hazard(l->shape, l->scale, l->age + l->t[l->knots - 1]));
}

double gm_lifetime_excess(const gm_lifetime *l, double t)
{
    uint32_t last = l->knots - 1;
    double   from = t > 0 ? t : 0, sum = from - t;
    if (from >= l->t[last]) return sum + l->s[last] * tail_excess(l, from);
    for (uint32_t i = last; i > 0 && l->t[i] > from; i--) {
        double begin = fmax(from, l->t[i - 1]);
        sum += (l->t[i] - begin) * (gm_lifetime_survival(l, begin) + l->s[i]) / 2;
    }
    return sum + l->s[last] * tail_excess(l, l->t[last]);
}

double gm_lifetime_draw(const gm_lifetime *l, double u)
{
    uint32_t last = l->knots - 1;
    if (u >= 1) return 0;
    if (u <= l->s[last]) {
        double more = -log(u / l->s[last]), from = l->t[last];
        if (l->rate > 0) return from + more / l->rate;
        return fmax(from, l->scale * pow(hazard(l->shape, l->scale, l->age + from) + more, 1 / l->shape) - l->age);
    }
    uint32_t i = 1;
    while (l->s[i] > u) i++;
    return l->t[i - 1] + (l->t[i] - l->t[i - 1]) * (l->s[i - 1] - u) / (l->s[i - 1] - l->s[i]);
}

double gm_lifetime_quantile(const gm_lifetime *l, double p) { return gm_lifetime_draw(l, 1 - p); }

void gm_lifetime_survive(gm_lifetime *l, double elapsed)
{
    uint32_t last = l->knots - 1;
    if (!(elapsed > 0)) return;
    double left = gm_lifetime_survival(l, elapsed);
    l->age += elapsed;
    // Where all was to have failed long ago, the tail is what speaks of those that have not.
    if (elapsed >= l->t[last] || !(left > 1e-12)) {
        l->knots = 1;
        l->t[0] = 0, l->s[0] = 1;
        return;
    }
    uint32_t n = 1, first = 1;
    while (l->t[first] <= elapsed) first++;
    for (uint32_t i = first; i <= last; i++, n++) {
        l->t[n] = l->t[i] - elapsed;
        l->s[n] = l->s[i] / left;
    }
    l->knots = n;
}

// ---- renewal --------------------------------------------------------------------------------------------------------

double gm_renewal_rate(const gm_renewal *r, double age)
{
    gm_lifetime l = gm_lifetime_of_age(&r->life, 0);
    double      s = isinf(age) ? 0 : gm_lifetime_survival(&l, age);
    double      up = r->life.mean - (isinf(age) ? 0 : gm_lifetime_excess(&l, age));
    return (r->planned * s + r->failed * (1 - s)) / (up + r->planned_down * s + r->failed_down * (1 - s));
}

// The rate has one minimum when the hazard rises (shape > 1): a coarse look, then golden section between the neighbours.
double gm_renewal_best(const gm_renewal *r, double *out_rate)
{
    enum { LOOKS = 400, STEPS = 80 };
    const double golden = 0.6180339887498949;
    double       best = INFINITY, rate = gm_renewal_rate(r, INFINITY), scale = gm_life_scale(&r->life);
    *out_rate = rate;
    if (r->life.shape <= 1) return best;
    for (int i = 1; i <= LOOKS; i++) {
        double age = scale * 4 * i / LOOKS, here = gm_renewal_rate(r, age);
        if (here < rate) rate = here, best = age;
    }
    if (isinf(best) || !(rate < *out_rate * (1 - 1e-6))) return INFINITY;
    double low = best - 4 * scale / LOOKS, high = best + 4 * scale / LOOKS;
    for (int i = 0; i < STEPS; i++) {
        double a = high - golden * (high - low), b = low + golden * (high - low);
        if (gm_renewal_rate(r, a) < gm_renewal_rate(r, b)) high = b;
        else low = a;
    }
    best      = (low + high) / 2;
    *out_rate = gm_renewal_rate(r, best);
    return best;
}
