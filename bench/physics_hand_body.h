// bench/physics_hand_body.h, a template: included twice, HAND gives the names. Compiled with -O3 -ffp-contract=fast and
// -march=native or AVX2. What was tried, per model, and kept when it was fastest:
// eight vectors of lanes, a step of one after a step of the other (Lorenz, Van der Pol: one vector has 0.41 and 0.32 of
// the speed, four have 0.92 and 0.96); a stage of one after a stage of the other (reactor: whole steps have 0.5); a block of lanes step by step, slopes and stage
// updates in one unrolled loop (the network: without the block 0.85, without unrolling 0.76, as plain loops 0.54).
#include "physics_hand.h"

#include <string.h>

#ifdef __AVX512F__
enum { W = 8 };
#else
enum { W = 4 };
#endif
typedef double    vec __attribute__((vector_size(W * 8)));
typedef long long ivec __attribute__((vector_size(W * 8)));

#define INLINE static inline __attribute__((always_inline))

INLINE vec load(const double *from)
{
    vec x;
    memcpy(&x, from, sizeof x);
    return x;
}
INLINE void store(double *to, vec x) { memcpy(to, &x, sizeof x); }

// RK4 on U vectors of N states held in registers, P parameters.
#define SMALL_MODEL(NAME, N, P, U, DERIVATIVE)                                                          \
    void NAME(double *x, const double *p, size_t lanes, double h, int steps)                            \
    {                                                                                                   \
        for (size_t at = 0; at < lanes; at += (U) * W) {                                                \
            vec y[U][N], q[U][P], k[N], s[N], z[N];                                                     \
            for (int u = 0; u < (U); u++) {                                                             \
                for (int i = 0; i < (N); i++) y[u][i] = load(x + (size_t)i * lanes + at + u * W);       \
                for (int i = 0; i < (P); i++) q[u][i] = load(p + (size_t)i * lanes + at + u * W);       \
            }                                                                                           \
            for (int step = 0; step < steps; step++) {                                                  \
                for (int u = 0; u < (U); u++) {                                                         \
                    DERIVATIVE(y[u], q[u], k);                                                          \
                    for (int i = 0; i < (N); i++) s[i] = k[i], z[i] = y[u][i] + 0.5 * h * k[i];         \
                    DERIVATIVE(z, q[u], k);                                                             \
                    for (int i = 0; i < (N); i++) s[i] += 2.0 * k[i], z[i] = y[u][i] + 0.5 * h * k[i];  \
                    DERIVATIVE(z, q[u], k);                                                             \
                    for (int i = 0; i < (N); i++) s[i] += 2.0 * k[i], z[i] = y[u][i] + h * k[i];        \
                    DERIVATIVE(z, q[u], k);                                                             \
                    for (int i = 0; i < (N); i++) y[u][i] += h / 6 * (s[i] + k[i]);                     \
                }                                                                                       \
            }                                                                                           \
            for (int u = 0; u < (U); u++) {                                                             \
                for (int i = 0; i < (N); i++) store(x + (size_t)i * lanes + at + u * W, y[u][i]);       \
            }                                                                                           \
        }                                                                                               \
    }

// The same with the vectors inside the stages: for long chains (a division, an exponential), of which the processor can
// overlap more when they are short and many.
#define STAGE_MODEL(NAME, N, P, U, DERIVATIVE)                                                          \
    void NAME(double *x, const double *p, size_t lanes, double h, int steps)                            \
    {                                                                                                   \
        for (size_t at = 0; at < lanes; at += (U) * W) {                                                \
            vec y[U][N], q[U][P], k[N], s[U][N], z[U][N];                                               \
            for (int u = 0; u < (U); u++) {                                                             \
                for (int i = 0; i < (N); i++) y[u][i] = load(x + (size_t)i * lanes + at + u * W);       \
                for (int i = 0; i < (P); i++) q[u][i] = load(p + (size_t)i * lanes + at + u * W);       \
            }                                                                                           \
            for (int step = 0; step < steps; step++) {                                                  \
                for (int u = 0; u < (U); u++) {                                                         \
                    DERIVATIVE(y[u], q[u], k);                                                          \
                    for (int i = 0; i < (N); i++) s[u][i] = k[i], z[u][i] = y[u][i] + 0.5 * h * k[i];   \
                }                                                                                       \
                for (int u = 0; u < (U); u++) {                                                         \
                    DERIVATIVE(z[u], q[u], k);                                                          \
                    for (int i = 0; i < (N); i++) s[u][i] += 2.0 * k[i], z[u][i] = y[u][i] + 0.5 * h * k[i];  \
                }                                                                                       \
                for (int u = 0; u < (U); u++) {                                                         \
                    DERIVATIVE(z[u], q[u], k);                                                          \
                    for (int i = 0; i < (N); i++) s[u][i] += 2.0 * k[i], z[u][i] = y[u][i] + h * k[i];  \
                }                                                                                       \
                for (int u = 0; u < (U); u++) {                                                         \
                    DERIVATIVE(z[u], q[u], k);                                                          \
                    for (int i = 0; i < (N); i++) y[u][i] += h / 6 * (s[u][i] + k[i]);                  \
                }                                                                                       \
            }                                                                                           \
            for (int u = 0; u < (U); u++) {                                                             \
                for (int i = 0; i < (N); i++) store(x + (size_t)i * lanes + at + u * W, y[u][i]);       \
            }                                                                                           \
        }                                                                                               \
    }

INLINE void lorenz(const vec *x, const vec *p, vec *k)
{
    k[0] = p[0] * (x[1] - x[0]);
    k[1] = x[0] * (p[1] - x[2]) - x[1];
    k[2] = x[0] * x[1] - p[2] * x[2];
}
#ifndef LORENZ_U
#define LORENZ_U 8
#endif
SMALL_MODEL(HAND(lorenz), 3, 3, LORENZ_U, lorenz)

INLINE void vanderpol(const vec *x, const vec *p, vec *k)
{
    k[0] = x[1];
    k[1] = p[0] * (1.0 - x[0] * x[0]) * x[1] - x[0];
}
#ifndef VANDERPOL_U
#define VANDERPOL_U 8
#endif
SMALL_MODEL(HAND(vanderpol), 2, 1, VANDERPOL_U, vanderpol)

// exp by the usual reduction, e^x = 2^n e^r, with the Taylor polynomial of degree 12; no checks of range.
INLINE vec exp_of(vec x)
{
    const double shift = 0x1.8p52;
    vec t = x * 0x1.71547652b82fep+0 + shift, n = t - shift;
    vec r = x - n * 0x1.62e42fefa39efp-1 - n * 0x1.abc9e3b39803fp-56, r2 = r * r, r4 = r2 * r2;
    vec a = (1.0 + r) + r2 * (1.0 / 2 + r * (1.0 / 6));
    vec b = (1.0 / 24 + r * (1.0 / 120)) + r2 * (1.0 / 720 + r * (1.0 / 5040));
    vec c = (1.0 / 40320 + r * (1.0 / 362880)) + r2 * (1.0 / 3628800 + r * (1.0 / 39916800));
    vec p = a + r4 * (b + r4 * c);
    ivec bits = (ivec)t << 52;
    return (vec)((ivec)p + bits);
}

INLINE void reactor(const vec *x, const vec *p, vec *k)
{
    vec rate = p[4] * exp_of(-(p[5] / x[1])) * x[0];
    k[0] = p[0] * (p[1] - x[0]) - rate;
    k[1] = p[0] * (p[2] - x[1]) + p[6] * rate + p[7] * (p[3] - x[1]);
}
#ifndef REACTOR_U
#define REACTOR_U 8
#endif
STAGE_MODEL(HAND(reactor), 2, 8, REACTOR_U, reactor)

// One node's slope; *in carries the flow from its neighbour on.
INLINE vec node(const vec *T, const vec *g, const vec *inv_c, vec high, int i, vec *in)
{
    vec next = i + 1 < HAND_NODES ? T[i + 1] : high;
    vec out  = g[i + 1] * (T[i] - next), k = (*in - out) * inv_c[i];
    *in = out;
    return k;
}

#define NODES _Pragma("GCC unroll 20") for (int i = 0; i < HAND_NODES; i++)

INLINE void network_step(vec *T, const vec *g, const vec *inv_c, vec low, vec high, double h)
{
    vec sum[HAND_NODES], y[HAND_NODES], z[HAND_NODES], k, in = g[0] * (low - T[0]);
    NODES { k = node(T, g, inv_c, high, i, &in); sum[i] = k; z[i] = T[i] + 0.5 * h * k; }
    in = g[0] * (low - z[0]);
    NODES { k = node(z, g, inv_c, high, i, &in); sum[i] += 2.0 * k; y[i] = T[i] + 0.5 * h * k; }
    in = g[0] * (low - y[0]);
    NODES { k = node(y, g, inv_c, high, i, &in); sum[i] += 2.0 * k; z[i] = T[i] + h * k; }
    in = g[0] * (low - z[0]);
    NODES { k = node(z, g, inv_c, high, i, &in); T[i] += h / 6 * (sum[i] + k); }
}

// A block of 64 lanes in the first-level cache, one vector after the other within a step: the next vector's loads and
// sums fill the gaps of this one. Loops over nodes unrolled, so that sums stay in registers as far as there are any.
void HAND(network)(double *x, const double *p, size_t lanes, double h, int steps)
{
    enum { N = HAND_NODES, B = 64 / W };
    for (size_t at = 0; at < lanes; at += 64) {
        vec T[B][N], g[B][N + 1], inv_c[B][N], low[B], high[B];
        for (int b = 0; b < B; b++) {
            const double *q = p + at + (size_t)b * W;
            for (int i = 0; i < N; i++) T[b][i] = load(x + (size_t)i * lanes + at + (size_t)b * W);
            for (int i = 0; i <= N; i++) g[b][i] = load(q + (size_t)i * lanes);
            for (int i = 0; i < N; i++) inv_c[b][i] = 1.0 / load(q + (size_t)(N + 1 + i) * lanes);
            low[b]  = load(q + (size_t)(2 * N + 1) * lanes);
            high[b] = load(q + (size_t)(2 * N + 2) * lanes);
        }
        for (int step = 0; step < steps; step++) {
            for (int b = 0; b < B; b++) network_step(T[b], g[b], inv_c[b], low[b], high[b], h);
        }
        for (int b = 0; b < B; b++) {
            for (int i = 0; i < N; i++) store(x + (size_t)i * lanes + at + (size_t)b * W, T[b][i]);
        }
    }
}
