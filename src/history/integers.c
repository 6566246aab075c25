// Every predictor is computed in whole numbers on both sides; floating point only chooses parameters, which are
// stored. So what is decoded does not depend on a compiler or a CPU.
#include "history/integers.h"

#include "base/bytes.h"

#include <assert.h>
#include <math.h>

typedef enum predictor { LEVEL, SLOPE, BEND, GRID, LINEAR, PREDICTORS } predictor;

enum { TAPS = 8, GRID_FRACTION = 16, WEIGHT_BITS = 15 };
// Within these the arithmetic of a predictor can not overflow 64 bits.
static const uint64_t grid_range = UINT64_C(1) << 43, linear_range = UINT64_C(1) << 43;

typedef struct model {
    predictor kind;
    int64_t   mean;    // SLOPE: the mean step; GRID: the offset of the first tick; LINEAR: the mean
    int64_t   period;  // GRID, in 1/65536
    unsigned  taps, shift;
    int16_t   weight[TAPS];
} model;

static inline int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }
static inline int64_t minus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }

// ---- predictors: what is missed, and back -------------------------------------------------------------------------

static inline int64_t tick_time(const model *m, int64_t tick)
{
    return m->mean + ((tick * m->period + (INT64_C(1) << (GRID_FRACTION - 1))) >> GRID_FRACTION);
}

// Ticks that a miss of `off` stands for: none unless it is more than half a period.
static inline int64_t ticks_skipped(const model *m, int64_t off)
{
    int64_t scaled = off * (INT64_C(1) << GRID_FRACTION), half = m->period / 2;
    if (scaled < half && scaled > -half) return 0;
    return (scaled + (scaled < 0 ? -half : half)) / m->period;
}

// The weighted sum over the `taps` numbers before x. As weights times (x - mean), with the mean's share counted once;
// `taps` is a constant where it is called, so that the loop unrolls.
static inline int64_t weighted(const model *m, unsigned taps, int64_t start, const int64_t *x)
{
    int64_t sum = start;
    for (unsigned k = taps; k-- > 0;) sum += m->weight[k] * x[-(ptrdiff_t)k - 1];
    return m->mean + (sum >> m->shift);
}

static int64_t weighted_start(const model *m)
{
    int64_t start = INT64_C(1) << (m->shift - 1);
    for (unsigned k = 0; k < m->taps; k++) start -= m->weight[k] * m->mean;
    return start;
}

static inline void linear_misses(const model *m, unsigned taps, const int64_t *x, size_t from, size_t to, uint64_t *out)
{
    int64_t start = weighted_start(m);
    for (size_t i = from; i < to; i++) out[i] = gm_zigzag(x[i] - weighted(m, taps, start, x + i));
}

// False: a number out of the range in which the sums can not overflow.
static inline bool linear_rebuild(const model *m, unsigned taps, const uint64_t *missed, size_t n, int64_t *x)
{
    int64_t start = weighted_start(m);
    for (size_t i = taps; i < n; i++) {
        x[i] = plus(weighted(m, taps, start, x + i), gm_unzigzag(missed[i]));
        if (gm_zigzag(x[i]) > 2 * linear_range) return false;
    }
    return true;
}

// Ticks depend on all that went before.
static void grid_misses(const model *m, const int64_t *x, size_t n, uint64_t *out)
{
    int64_t tick = 0;
    for (size_t i = 0; i < n; i++, tick++) {
        int64_t off = x[i] - tick_time(m, tick);
        out[i]      = gm_zigzag(off);
        tick += ticks_skipped(m, off);
    }
}

// What is missed from number `from` to before `to`, which depends on the few before it. Not for GRID.
static void misses(const model *m, const int64_t *x, size_t from, size_t to, uint64_t *out)
{
    int64_t before = from > 0 ? x[from - 1] : 0;
    switch (m->kind) {
    case LEVEL:
        for (size_t i = from; i < to; i++) out[i] = gm_zigzag(x[i]);
        break;
    case SLOPE:
        for (size_t i = from; i < to; i++) {
            out[i] = gm_zigzag(minus(minus(x[i], before), m->mean));
            before = x[i];
        }
        break;
    case BEND: {
        int64_t step = from > 0 ? minus(before, from > 1 ? x[from - 2] : 0) : 0;
        for (size_t i = from; i < to; i++) {
            int64_t now = minus(x[i], before);
            out[i]      = gm_zigzag(minus(now, step));
            before      = x[i];
            step        = now;
        }
        break;
    }
    case LINEAR:
        for (; from < to && from < m->taps; from++) {
            out[from] = gm_zigzag(minus(x[from], before));
            before    = x[from];
        }
        if (m->taps == 2) linear_misses(m, 2, x, from, to, out);
        else if (m->taps == 4) linear_misses(m, 4, x, from, to, out);
        else linear_misses(m, m->taps, x, from, to, out);
        break;
    case GRID:
    case PREDICTORS: break;
    }
}

// About how many bits a predictor's misses take; out gets what gm_entropy_bits looks at.
static double cost_of(gm_integers *work, const model *m, size_t n, uint64_t *out)
{
    if (m->kind == GRID) {
        grid_misses(m, work->x, n, out);
    } else {
        for (size_t from = 0; from < n; from += GM_ENTROPY_STRIDE) misses(m, work->x, from, gm_entropy_sample_end(from, n), out);
    }
    return gm_entropy_bits(&work->entropy, out, n) + 16 * m->taps;
}

// The reverse: x from what was missed; missed and x may not overlap. False: numbers that no encoder wrote.
static bool rebuild(const model *m, const uint64_t *missed, size_t n, int64_t *x)
{
    int64_t before = 0, step = 0, tick = 0;
    switch (m->kind) {
    case LEVEL:
        for (size_t i = 0; i < n; i++) x[i] = gm_unzigzag(missed[i]);
        return true;
    case SLOPE:
        for (size_t i = 0; i < n; i++) x[i] = before = plus(plus(before, m->mean), gm_unzigzag(missed[i]));
        return true;
    case BEND:
        for (size_t i = 0; i < n; i++) {
            step = plus(step, gm_unzigzag(missed[i]));
            x[i] = before = plus(before, step);
        }
        return true;
    case GRID:
        for (size_t i = 0; i < n; i++, tick++) {
            int64_t off = gm_unzigzag(missed[i]);
            if (gm_zigzag(off) > 16 * grid_range) return false;  // 2^46 at the most, so that scaled it fits
            x[i] = tick_time(m, tick) + off;
            tick += ticks_skipped(m, off);
            // The next tick must be computable. An encoder stays below 9/2 grid_range times 2^16, which is under 2^62.
            int64_t moved;
            if (__builtin_mul_overflow(tick + 1, m->period, &moved) || gm_zigzag(moved) > UINT64_C(1) << 63) return false;
        }
        return true;
    case LINEAR:
        for (size_t i = 0; i < n && i < m->taps; i++) {
            x[i] = before = plus(before, gm_unzigzag(missed[i]));
            if (gm_zigzag(before) > 2 * linear_range) return false;
        }
        if (m->taps == 2) return linear_rebuild(m, 2, missed, n, x);
        if (m->taps == 4) return linear_rebuild(m, 4, missed, n, x);
        return linear_rebuild(m, m->taps, missed, n, x);
    case PREDICTORS: break;
    }
    return false;
}

// ---- fitting ------------------------------------------------------------------------------------------------------

// The typical step: the median of up to 63 of them, so that gaps do not count.
static int64_t typical_step(const int64_t *x, size_t n)
{
    int64_t steps[63];
    size_t  count = 0, stride = (n - 2) / 63 + 1;
    for (size_t i = 1; i < n && count < 63; i += stride) {
        int64_t step = x[i] - x[i - 1];
        size_t  at   = count++;
        for (; at > 0 && steps[at - 1] > step; at--) steps[at] = steps[at - 1];
        steps[at] = step;
    }
    return steps[count / 2];
}

// A line through the ticks. False: the steps are not those of a clock.
static bool fit_grid(const int64_t *x, size_t n, model *out)
{
    int64_t step = n > 2 ? typical_step(x, n) : 0;
    if (step < 2) return false;
    double  sum_t = 0, sum_x = 0, sum_tt = 0, sum_tx = 0;
    int64_t tick  = 0;
    for (size_t i = 0; i < n; i++) {
        if (i > 0) {
            int64_t moved = x[i] - x[i - 1];
            tick += 2 * moved < 3 * step ? 1 : (int64_t)((double)moved / (double)step + 0.5);
        }
        double t = (double)tick, xd = (double)x[i];
        sum_t += t;
        sum_x += xd;
        sum_tt += t * t;
        sum_tx += t * xd;
    }
    double below = (double)n * sum_tt - sum_t * sum_t;
    if (!(below > 0)) return false;
    double slope  = ((double)n * sum_tx - sum_t * sum_x) / below;
    double offset = (sum_x - slope * sum_t) / (double)n;
    if (!(slope >= 1 && slope < 0x1p43 && fabs(offset) < 0x1p43)) return false;
    *out = (model){ .kind = GRID, .mean = llround(offset), .period = llround(slope * (1 << GRID_FRACTION)) };
    return true;
}

// Weights by least squares over the whole run. The normal equations of TAPS weights are solved by Cholesky's method,
// whose steps also give the error of every smaller number of taps. False: a constant, or too short.
static bool fit_linear(const int64_t *x, size_t n, double *y, model *out)
{
    if (n < 64) return false;
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i];
    *out = (model){ .kind = LINEAR, .mean = llround(sum / (double)n) };
    for (size_t i = 0; i < n; i++) y[i] = (double)(x[i] - out->mean);

    // c[j][k] = sum over i of y[i-j] y[i-k], i from TAPS. Only the first row needs the whole sum.
    double c[TAPS + 1][TAPS + 1];
    for (unsigned k = 0; k <= TAPS; k++) {
        double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        size_t i = TAPS;
        for (; i + 4 <= n; i += 4) {
            s0 += y[i] * y[i - k];
            s1 += y[i + 1] * y[i + 1 - k];
            s2 += y[i + 2] * y[i + 2 - k];
            s3 += y[i + 3] * y[i + 3 - k];
        }
        for (; i < n; i++) s0 += y[i] * y[i - k];
        c[0][k] = c[k][0] = s0 + s1 + s2 + s3;
    }
    for (unsigned j = 0; j < TAPS; j++) {
        for (unsigned k = j; k < TAPS; k++) {
            c[j + 1][k + 1] = c[k + 1][j + 1] =
                c[j][k] + y[TAPS - 1 - j] * y[TAPS - 1 - k] - y[n - 1 - j] * y[n - 1 - k];
        }
    }

    // Rounding to whole numbers acts like noise of variance 1/12; adding it keeps the equations solvable.
    double l[TAPS][TAPS], z[TAPS], error = c[0][0], best_bits = 0;
    unsigned taps = 0;
    for (unsigned j = 0; j < TAPS; j++) {
        for (unsigned k = 0; k <= j; k++) {
            double s = c[j + 1][k + 1] + (j == k ? (double)n / 12 : 0);
            for (unsigned m = 0; m < k; m++) s -= l[j][m] * l[k][m];
            if (j == k) {
                if (!(s > 0)) return false;
                l[j][j] = sqrt(s);
            } else {
                l[j][k] = s / l[k][k];
            }
        }
        double s = c[0][j + 1];
        for (unsigned m = 0; m < j; m++) s -= l[j][m] * z[m];
        z[j] = s / l[j][j];
        error -= z[j] * z[j];
        if (j != 1 && j != 3 && j != 7) continue;
        double bits = (double)n / 2 * log2((error > 0 ? error / (double)n : 0) + 1.0 / 12) + 16 * (j + 1);
        if (taps == 0 || bits < best_bits) {
            best_bits = bits;
            taps      = j + 1;
        }
    }
    double w[TAPS], largest = 0;
    for (unsigned j = taps; j-- > 0;) {
        double s = z[j];
        for (unsigned m = j + 1; m < taps; m++) s -= l[m][j] * w[m];
        w[j]    = s / l[j][j];
        largest = fmax(largest, fabs(w[j]));
    }
    if (!(largest > 0 && largest < 1 << (WEIGHT_BITS - 2))) return false;
    int exponent;
    frexp(largest, &exponent);  // largest < 2^exponent
    int shift = WEIGHT_BITS - 1 - exponent;
    out->shift = shift > 14 ? 14 : (unsigned)shift;
    out->taps  = taps;
    for (unsigned k = 0; k < taps; k++) out->weight[k] = (int16_t)lrint(w[k] * (1 << out->shift));
    return true;
}

// ---- both directions ----------------------------------------------------------------------------------------------

static void put_model(const model *m, gm_buf *out)
{
    gm_buf_byte(out, (uint8_t)(m->kind | m->taps << 4));
    if (m->kind == SLOPE || m->kind == GRID || m->kind == LINEAR) gm_buf_svarint(out, m->mean);
    if (m->kind == GRID) gm_buf_varint(out, (uint64_t)m->period);
    if (m->kind != LINEAR) return;
    gm_buf_byte(out, (uint8_t)m->shift);
    for (unsigned k = 0; k < m->taps; k++) {
        uint8_t two[2];
        gm_put_u16(two, (uint16_t)m->weight[k]);
        gm_buf_add(out, two, 2);
    }
}

static bool get_model(gm_bytes *in, model *out)
{
    uint8_t head = gm_bytes_byte(in);
    *out         = (model){ .kind = head & 15, .taps = head >> 4 };
    if (out->kind == SLOPE || out->kind == GRID || out->kind == LINEAR) out->mean = gm_bytes_svarint(in);
    if (out->kind == GRID) {
        out->period = (int64_t)gm_bytes_varint(in);
        if (out->period < 1 << GRID_FRACTION || (uint64_t)out->period > grid_range << GRID_FRACTION) return false;
        if (gm_zigzag(out->mean) > 2 * grid_range) return false;
    }
    if (out->kind == LINEAR) {
        if (out->taps == 0 || out->taps > TAPS || gm_zigzag(out->mean) > 2 * linear_range) return false;
        out->shift = gm_bytes_byte(in);
        if (out->shift < 1 || out->shift > 14) return false;
        for (unsigned k = 0; k < out->taps; k++) {
            const uint8_t *two = gm_bytes_take(in, 2);
            out->weight[k]     = two != NULL ? (int16_t)gm_get_u16(two) : 0;
        }
    } else if (out->taps != 0) {
        return false;
    }
    return out->kind < PREDICTORS && !in->bad;
}

// x / g without a division, where g divides x: odd numbers have an inverse modulo 2^64 (Granlund, Montgomery: Division by
// invariant integers using multiplication, PLDI 1994, section 9). Where it does not, what comes out is too large, or is not x
// when it is multiplied again.
typedef struct divider { int64_t g, most; uint64_t inverse; unsigned shift; } divider;

static divider divider_of(uint64_t g)  // 0 < g <= INT64_MAX
{
    divider  d   = { .g = (int64_t)g, .most = INT64_MAX / (int64_t)g, .shift = (unsigned)__builtin_ctzll(g) };
    uint64_t odd = g >> d.shift;
    d.inverse    = odd;  // right in 3 bits; each step doubles them
    for (int i = 0; i < 5; i++) d.inverse *= 2 - odd * d.inverse;
    return d;
}

static inline int64_t divided(int64_t x, const divider *d) { return (int64_t)((uint64_t)x * d->inverse) >> d->shift; }
static inline bool    divides(const divider *d, int64_t x)
{
    int64_t q = divided(x, d);
    return q <= d->most && q >= -d->most && q * d->g == x;
}

static uint64_t common(uint64_t a, uint64_t b)
{
    while (a != 0) {
        uint64_t rest = b % a;
        b             = a;
        a             = rest;
    }
    return b;
}

// The greatest common divisor of x [n], which is taken out of them. 0: all are 0.
static uint64_t divide_out(int64_t *x, size_t n)
{
    uint64_t g = 0;
    divider  d = { 0 };
    for (size_t i = 0; i < n && g != 1; i++) {
        if (x[i] == 0 || (d.g != 0 && divides(&d, x[i]))) continue;
        g = common(x[i] < 0 ? -(uint64_t)x[i] : (uint64_t)x[i], g);
        d = g <= INT64_MAX ? divider_of(g) : (divider){ 0 };
    }
    if (g > 1 && g <= INT64_MAX) {
        for (size_t i = 0; i < n; i++) x[i] = divided(x[i], &d);
    } else if (g > INT64_MAX) {
        for (size_t i = 0; i < n; i++) x[i] = x[i] != 0 ? -1 : 0;  // the divisor is 2^63, all are 0 or -2^63
    }
    return g;
}

void gm_integers_encode(gm_integers *work, const int64_t *v, size_t n, int64_t base, gm_integers_hint hint, gm_buf *out)
{
    assert(n > 0 && n <= GM_ENTROPY_MOST);
    int64_t *x = work->x;
    for (size_t i = 0; i < n; i++) x[i] = minus(v[i], base);
    uint64_t g = divide_out(x, n);
    gm_buf_varint(out, g);
    if (g == 0) return;  // all of them are the base
    uint64_t range = 0;
    for (size_t i = 0; i < n; i++) range |= gm_zigzag(x[i]);

    // Every candidate that fits is tried on a part of the numbers.
    model    candidate[PREDICTORS], *chosen = &candidate[0];
    unsigned count = 0;
    double   least = INFINITY;
    int64_t  mean  = n > 1 ? minus(x[n - 1], x[0]) / (int64_t)(n - 1) : 0;
    candidate[count++] = (model){ .kind = SLOPE, .mean = mean };
    if (range < 2 * grid_range && hint == GM_INTEGERS_TIMES) count += fit_grid(x, n, &candidate[count]);
    if (hint == GM_INTEGERS_VALUES) {
        candidate[count++] = (model){ .kind = LEVEL };
        candidate[count++] = (model){ .kind = BEND };
        if (range < 2 * linear_range) count += fit_linear(x, n, work->y, &candidate[count]);
    }
    for (unsigned i = 0; i < count; i++) {
        double bits = cost_of(work, &candidate[i], n, work->rest);
        if (bits >= least) continue;
        least  = bits;
        chosen = &candidate[i];
    }
    if (chosen->kind == GRID) grid_misses(chosen, x, n, work->rest);
    else misses(chosen, x, 0, n, work->rest);
    put_model(chosen, out);
    gm_entropy_encode(&work->entropy, work->rest, n, out);
}

bool gm_integers_decode(gm_integers *work, const uint8_t *bytes, size_t size, int64_t base, int64_t *out, size_t n)
{
    if (n == 0 || n > GM_ENTROPY_MOST) return false;
    gm_bytes in = { .at = bytes, .end = bytes + size };
    uint64_t g  = gm_bytes_varint(&in);
    if (in.bad) return false;
    if (g == 0) {
        for (size_t i = 0; i < n; i++) out[i] = base;
        return true;
    }
    model m;
    if (!get_model(&in, &m)) return false;
    if (!gm_entropy_decode(&work->entropy, in.at, gm_bytes_left(&in), work->rest, n)) return false;
    if (!rebuild(&m, work->rest, n, out)) return false;
    for (size_t i = 0; i < n; i++) out[i] = plus(base, (int64_t)((uint64_t)out[i] * g));
    return true;
}
