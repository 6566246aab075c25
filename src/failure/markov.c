// States are sets of units that are down; a chain is a dense matrix of rates between them.
#include "failure/markov.h"

#include <math.h>
#include <string.h>

enum { N = GM_STANDBY_STATES_MAX };

typedef struct chain { double rate[N][N]; uint32_t states; } chain;  // rate[from][to]; the diagonal is not used

static uint32_t states_of(const gm_standby_group *g) { return 1u << g->count; }
static uint32_t up(const gm_standby_group *g, uint32_t down) { return g->count - (uint32_t)__builtin_popcount(down); }
static bool     is_down(const gm_standby_group *g, uint32_t down) { return up(g, down) < g->working; }

// Place of a unit among those that are not down.
static uint32_t place(uint32_t down, uint32_t unit) { return unit - (uint32_t)__builtin_popcount(down & ((1u << unit) - 1)); }

// One that worked has failed, so that `down` is so now: calls who waits next, and adds `share` to where that ends.
static void call(const gm_standby_group *g, uint32_t down, double share, double *to)
{
    while (g->switching > 0 && up(g, down) >= g->working) {  // the one at the last working place has just been called
        uint32_t called = 0;
        while ((down >> called & 1) != 0 || place(down, called) != g->working - 1) called++;
        to[down] += share * (1 - g->switching);
        share *= g->switching;
        down |= 1u << called;
    }
    to[down] += share;
}

static void fail(const gm_standby_group *g, uint32_t down, uint32_t unit, double share, double *to)
{
    bool works = place(down, unit) < g->working, spare = up(g, down) > g->working;
    if (works && spare) call(g, down | 1u << unit, share, to);
    else to[down | 1u << unit] += share;
}

static void make_chain(const gm_standby_group *g, chain *c)
{
    memset(c, 0, sizeof *c);
    c->states = states_of(g);
    for (uint32_t s = 0; s < c->states; s++) {
        uint32_t busy = 0;
        for (uint32_t u = 0; u < g->count; u++) {
            if ((s >> u & 1) != 0) {
                if (g->crews == 0 || busy < g->crews) c->rate[s][s & ~(1u << u)] += g->units[u].repair;
                busy += g->units[u].repair > 0;
                continue;
            }
            double rate = g->units[u].rate * (place(s, u) < g->working ? 1 : g->waiting);
            if (rate > 0) fail(g, s, u, rate, c->rate[s]);
        }
    }
}

static void begin(const gm_standby_group *g, double *p)
{
    uint32_t down = 0;
    memset(p, 0, states_of(g) * sizeof *p);
    for (uint32_t u = 0; u < g->count; u++)
        if (g->units[u].down) down |= 1u << u;
    if (g->fails_now < g->count && (down >> g->fails_now & 1) == 0) fail(g, down, g->fails_now, 1, p);
    else p[down] = 1;
}

static double exit_rate(const chain *c, uint32_t s)
{
    double sum = 0;
    for (uint32_t k = 0; k < c->states; k++)
        if (k != s) sum += c->rate[s][k];
    return sum;
}

static void multiply(uint32_t n, double (*a)[N], double (*b)[N], double (*out)[N])
{
    for (uint32_t i = 0; i < n; i++) {
        memset(out[i], 0, n * sizeof out[i][0]);
        for (uint32_t k = 0; k < n; k++)
            for (uint32_t j = 0; a[i][k] != 0 && j < n; j++) out[i][j] += a[i][k] * b[k][j];
    }
}

// Rows of probabilities add up to one; without this every squaring would double what rounding has taken from that.
static void norm(uint32_t n, double (*a)[N])
{
    for (uint32_t i = 0; i < n; i++) {
        double sum = 0;
        for (uint32_t j = 0; j < n; j++) sum += a[i][j];
        for (uint32_t j = 0; j < n; j++) a[i][j] /= sum;
    }
}

// p := p exp(Q t)
static void run(const chain *c, double t, double *p)
{
    uint32_t n    = c->states;
    double   most = 0;
    double   step[N][N], power[N][N], sum[N][N], next[N];
    int      squarings = 0;
    for (uint32_t s = 0; s < n; s++) most = fmax(most, exit_rate(c, s));
    double jumps = most * t;
    if (!(jumps > 0)) return;
    while (jumps > 0.5 && squarings < 200) {
        jumps /= 2;
        squarings++;
    }
    // P = I + Q / most; exp(Q h) = sum of Poisson weights times powers of P.
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < n; k++) step[i][k] = c->rate[i][k] / most;
        step[i][i] = fmax(0, 1 - exit_rate(c, i) / most);
        memset(power[i], 0, sizeof power[i]);
        memset(sum[i], 0, sizeof sum[i]);
        power[i][i] = 1;
    }
    double weight = exp(-jumps);
    for (int k = 0; k < 30; k++) {  // 0.5^30 / 30! lies far below what a double holds
        double product[N][N];
        for (uint32_t i = 0; i < n; i++)
            for (uint32_t j = 0; j < n; j++) sum[i][j] += weight * power[i][j];
        multiply(n, power, step, product);
        memcpy(power, product, sizeof power);
        weight *= jumps / (k + 1);
    }
    norm(n, sum);
    for (int k = 0; k < squarings; k++) {
        multiply(n, sum, sum, power);
        memcpy(sum, power, sizeof sum);
        norm(n, sum);
    }
    for (uint32_t j = 0; j < n; j++) {
        next[j] = 0;
        for (uint32_t i = 0; i < n; i++) next[j] += p[i] * sum[i][j];
    }
    memcpy(p, next, n * sizeof *p);
}

void gm_standby_at(const gm_standby_group *g, double t_h, double *out)
{
    chain c;
    make_chain(g, &c);
    begin(g, out);
    run(&c, t_h, out);
}

static double down_share(const gm_standby_group *g, const double *p)
{
    double sum = 0;
    for (uint32_t s = 0; s < states_of(g); s++)
        if (is_down(g, s)) sum += p[s];
    return sum;
}

double gm_standby_unavailability(const gm_standby_group *g, double t_h)
{
    double p[N];
    gm_standby_at(g, t_h, p);
    return down_share(g, p);
}

double gm_standby_unreliability(const gm_standby_group *g, double t_h)
{
    chain  c;
    double p[N];
    make_chain(g, &c);
    for (uint32_t s = 0; s < c.states; s++)  // what is down stays down
        if (is_down(g, s)) memset(c.rate[s], 0, sizeof c.rate[s]);
    begin(g, p);
    run(&c, t_h, p);
    return down_share(g, p);
}

// Elimination of states one after the other, the last first: what leads through the eliminated state leads past it. No subtraction
// (W. K. Grassmann, M. I. Taksar, D. P. Heyman, Operations Research 33 (1985) 1107).
double gm_standby_mean_time(const gm_standby_group *g)
{
    chain    c;
    double   p[N], hours[N];
    uint32_t alive[N], n = 0;
    make_chain(g, &c);
    begin(g, p);
    for (uint32_t s = 0; s < c.states; s++) {
        hours[s] = 1;  // time spent in a state and in those eliminated after it, times its exit rate
        if (!is_down(g, s)) alive[n++] = s;
    }
    for (uint32_t i = n; i-- > 0;) {
        uint32_t s   = alive[i];
        double   out = 0;
        for (uint32_t k = 0; k < c.states; k++) {  // to what is left: states before it, and down
            bool left = is_down(g, k);
            for (uint32_t j = 0; j < i; j++) left = left || alive[j] == k;
            if (!left) c.rate[s][k] = 0;
            out += k != s ? c.rate[s][k] : 0;
        }
        if (out == 0) {
            bool reached = p[s] > 0;
            for (uint32_t j = 0; j < i; j++) reached = reached || c.rate[alive[j]][s] > 0;
            if (reached) return HUGE_VAL;
            continue;
        }
        for (uint32_t j = 0; j < i; j++) {
            uint32_t from = alive[j];
            if (c.rate[from][s] == 0) continue;
            for (uint32_t k = 0; k < c.states; k++)
                if (k != from && k != s) c.rate[from][k] += c.rate[from][s] * c.rate[s][k] / out;
            hours[from] += c.rate[from][s] * hours[s] / out;
            c.rate[from][s] = 0;
        }
        hours[s] /= out;
        // Who begins here goes on to where it leads.
        for (uint32_t k = 0; k < c.states; k++)
            if (k != s) p[k] += p[s] * c.rate[s][k] / out;
    }
    double sum = 0;
    for (uint32_t i = n; i-- > 0;) sum += p[alive[i]] * hours[alive[i]];
    return sum;
}

double gm_standby_steady(const gm_standby_group *g)
{
    chain    c;
    double   p[N] = { 0 };
    make_chain(g, &c);
    for (uint32_t u = 0; u < g->count; u++)
        if (g->units[u].repair <= 0) return NAN;
    for (uint32_t s = c.states; s-- > 1;) {
        double out = 0;
        for (uint32_t k = 0; k < s; k++) out += c.rate[s][k];
        if (out == 0) return NAN;
        for (uint32_t j = 0; j < s; j++) {
            c.rate[j][s] /= out;
            for (uint32_t k = 0; k < s; k++)
                if (k != j) c.rate[j][k] += c.rate[j][s] * c.rate[s][k];
        }
    }
    double sum = p[0] = 1;
    for (uint32_t s = 1; s < c.states; s++) {
        for (uint32_t j = 0; j < s; j++) p[s] += p[j] * c.rate[j][s];
        sum += p[s];
    }
    for (uint32_t s = 0; s < c.states; s++) p[s] /= sum;
    return down_share(g, p);
}
