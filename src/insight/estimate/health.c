#include "insight/estimate/health.h"

#include "base/rng.h"

#include <math.h>
#include <stddef.h>

enum { ENOUGH = 30 };

void gm_health_init(gm_health *h) { *h = (gm_health){ .count = 0 }; }

void gm_health_add(gm_health *h, double nis, double degrees, double shift)
{
    h->nis[h->next]     = nis;
    h->degrees[h->next] = degrees;
    h->shift[h->next]   = shift;
    h->next             = (h->next + 1) % GM_HEALTH_WINDOW;
    if (h->count < GM_HEALTH_WINDOW) h->count++;
}

double gm_chi_square_quantile(double degrees, double p)
{
    double a = 2 / (9 * degrees), x = 1 - a + gm_normal_quantile(p) * sqrt(a);
    return x > 0 ? degrees * x * x * x : 0;
}

static double at(const gm_health *h, const double *values, uint32_t i)  // i-th oldest
{
    return values[(h->next + GM_HEALTH_WINDOW - h->count + i) % GM_HEALTH_WINDOW];
}

gm_health_verdict gm_health_judge(const gm_health *h)
{
    gm_health_verdict v = { .state = GM_HEALTH_UNKNOWN, .nis_mean = NAN, .correlation = NAN, .nis_low = NAN, .nis_high = NAN, .correlation_limit = NAN };
    double nis = 0, degrees = 0, products = 0, squares = 0;
    for (uint32_t i = 0; i < h->count; i++) {
        nis += at(h, h->nis, i);
        degrees += at(h, h->degrees, i);
        squares += at(h, h->shift, i) * at(h, h->shift, i);
        if (i > 0) products += at(h, h->shift, i) * at(h, h->shift, i - 1);
    }
    if (h->count < ENOUGH || degrees <= 0) return v;
    v.nis_mean          = nis / degrees;
    v.nis_low           = gm_chi_square_quantile(degrees, 0.0005) / degrees;
    v.nis_high          = gm_chi_square_quantile(degrees, 0.9995) / degrees;
    v.correlation       = squares > 0 ? products / squares : 0;
    v.correlation_limit = 3.29 / sqrt(h->count);  // 99.9 %
    v.state = v.nis_mean > v.nis_high                        ? GM_HEALTH_TOO_SURE
              : fabs(v.correlation) > v.correlation_limit ? GM_HEALTH_COLOURED
              : v.nis_mean < v.nis_low                     ? GM_HEALTH_TOO_SHY
                                                           : GM_HEALTH_GOOD;
    return v;
}

const char *gm_health_text(gm_health_state state)
{
    static const char *const texts[] = { "unknown", "good", "too sure", "too shy", "coloured" };
    return texts[state];
}
