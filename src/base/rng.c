#include "base/rng.h"

#include <math.h>

// One round: two products of 32 bits by odd constants, halves exchanged and mixed with counter and key.
static gm_philox philox_round(gm_philox c, uint32_t key0, uint32_t key1)
{
    uint64_t p0 = UINT64_C(0xD2511F53) * c.v[0], p1 = UINT64_C(0xCD9E8D57) * c.v[2];
    return (gm_philox){ { (uint32_t)(p1 >> 32) ^ c.v[1] ^ key0, (uint32_t)p1, (uint32_t)(p0 >> 32) ^ c.v[3] ^ key1, (uint32_t)p0 } };
}

gm_philox gm_philox4x32(gm_philox counter, uint32_t key0, uint32_t key1)
{
    for (int round = 0; round < 10; round++) {
        counter = philox_round(counter, key0, key1);
        key0 += UINT32_C(0x9E3779B9);  // the golden ratio
        key1 += UINT32_C(0xBB67AE85);  // sqrt(3) - 1
    }
    return counter;
}

uint64_t gm_rng_bits(uint64_t seed, uint32_t lane, uint32_t stream, uint64_t draw)
{
    gm_philox counter = { { (uint32_t)draw, (uint32_t)(draw >> 32), lane, stream } };
    gm_philox out     = gm_philox4x32(counter, (uint32_t)seed, (uint32_t)(seed >> 32));
    return (uint64_t)out.v[1] << 32 | out.v[0];
}

double gm_rng_uniform(uint64_t seed, uint32_t lane, uint32_t stream, uint64_t draw)
{
    // Odd multiples of 2^-53: all are doubles, none is 0 or 1, and their mean is 1/2.
    return (double)(gm_rng_bits(seed, lane, stream, draw) >> 12) * 0x1p-52 + 0x1p-53;
}

double gm_rng_normal(uint64_t seed, uint32_t lane, uint32_t stream, uint64_t draw)
{
    return gm_normal_quantile(gm_rng_uniform(seed, lane, stream, draw));
}

static double polynomial(const double *c, double x)  // degree 7
{
    double sum = c[7];
    for (int i = 6; i >= 0; i--) sum = sum * x + c[i];
    return sum;
}

// M. J. Wichura, Algorithm AS 241: The percentage points of the normal distribution, Applied Statistics 37 (1988)
// 477-484; PPND16. Rational approximations: in the middle, in the tails, far out in the tails.
double gm_normal_quantile(double p)
{
    static const double a[8] = { 3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
                                 4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3 };
    static const double b[8] = { 1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
                                 2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3 };
    static const double c[8] = { 1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
                                 1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4 };
    static const double d[8] = { 1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
                                 1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9 };
    static const double e[8] = { 6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
                                 2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7 };
    static const double f[8] = { 1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
                                 7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15 };
    double q = p - 0.5;
    if (fabs(q) <= 0.425) {
        double r = 0.180625 - q * q;
        return q * polynomial(a, r) / polynomial(b, r);
    }
    double r = sqrt(-log(q < 0 ? p : 1 - p));  // NaN outside of [0, 1]
    if (isinf(r)) return q < 0 ? -INFINITY : INFINITY;
    double z = r <= 5 ? polynomial(c, r - 1.6) / polynomial(d, r - 1.6) : polynomial(e, r - 5) / polynomial(f, r - 5);
    return q < 0 ? -z : z;
}
