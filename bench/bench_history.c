// What a sealed block costs: bytes per sample, nanoseconds per sample to seal and to read, for several kinds of
// signals and lengths of blocks. The first two are the ones of DESIGN.md section 7.
#include "base/time.h"
#include "history/block.h"
#include "history/bytes.h"
#include "history/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

static uint64_t random_state = 1;

static uint64_t bits64(void)
{
    uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));  // splitmix64 (Steele, Lea, Flood 2014)
    z          = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z          = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}
static double uniform(void) { return (double)(bits64() >> 11) * 0x1p-53; }
static double normal(void) { return sqrt(-2 * log(1 - uniform())) * cos(6.283185307179586 * uniform()); }

static double round_to(double value, double step) { return strtod("0", NULL) + nearbyint(value / step) / (1 / step); }

// The classic alternative, for comparison: differences (of differences, for times) as varints, zstd over each run.
static size_t classic(const gm_samples *in, gm_decimal d, ZSTD_CCtx *zstd)
{
    static uint8_t raw[GM_BLOCK_MOST * GM_VARINT_MOST], squeezed[2 * sizeof raw];
    uint8_t       *to = raw;
    int64_t        before = 0, step = 0;
    for (size_t i = 0; i < in->n; i++) {
        int64_t at = gm_stamp_time(in->stamp[i]) / GM_MILLISECOND, now = at - before;
        to         = gm_varint_put(to, gm_zigzag(now - step));
        before     = at;
        step       = now;
    }
    size_t bytes = ZSTD_compressCCtx(zstd, squeezed, sizeof squeezed, raw, (size_t)(to - raw), 3);
    before       = 0;
    to           = raw;
    for (size_t i = 0; i < in->n; i++) {
        int64_t m = 0;
        if (!gm_decimal_exact(gm_double_of(in->bits[i]), d, &m)) m = gm_ordered_of(in->bits[i]);
        to     = gm_varint_put(to, gm_zigzag((int64_t)((uint64_t)m - (uint64_t)before)));
        before = m;
    }
    return bytes + ZSTD_compressCCtx(zstd, squeezed, sizeof squeezed, raw, (size_t)(to - raw), 3);
}

enum { POINTS = 3600 };
typedef struct signal { gm_time_ns at[POINTS]; double value[POINTS]; } signal;
typedef void make(signal *s, int which);

static double slow_sine(int which, int i, double *noise, double phi, double sigma)
{
    *noise = phi * *noise + sigma * normal();
    return 20 + which % 30 + 5 * sin(6.283185307179586 * i / (600 + which % 900)) + *noise;
}

static void times_jitter(signal *s)
{
    for (int i = 0; i < POINTS; i++) {
        s->at[i] = (INT64_C(1767225600000) + i * 1000 + (int)(bits64() % 7) - 3) * GM_MILLISECOND;
    }
}

static void sensor(signal *s, int which)  // sine plus AR(1), two decimals, 1 Hz +-3 ms
{
    double noise = 0;
    times_jitter(s);
    for (int i = 0; i < POINTS; i++) s->value[i] = round_to(slow_sine(which, i, &noise, 0.9, 0.05), 0.01);
}
static void sensor_rough(signal *s, int which)
{
    double noise = 0;
    times_jitter(s);
    for (int i = 0; i < POINTS; i++) s->value[i] = round_to(slow_sine(which, i, &noise, 0.8, 0.2), 0.01);
}
static void times_exact(signal *s)
{
    for (int i = 0; i < POINTS; i++) s->at[i] = (INT64_C(1767225600) + i) * GM_SECOND;
}
static void regular(signal *s, int which)
{
    double noise = 0;
    times_exact(s);
    for (int i = 0; i < POINTS; i++) s->value[i] = round_to(slow_sine(which, i, &noise, 0.9, 0.02), 0.1);
}
static void constant(signal *s, int which)
{
    times_jitter(s);
    for (int i = 0; i < POINTS; i++) s->value[i] = which;
}
static void counter(signal *s, int which)
{
    double total = which;
    times_jitter(s);
    for (int i = 0; i < POINTS; i++) s->value[i] = total += (double)(bits64() % 50);
}
static void full_doubles(signal *s, int which)
{
    double noise = 0;
    times_jitter(s);
    for (int i = 0; i < POINTS; i++) s->value[i] = slow_sine(which, i, &noise, 0.9, 0.05);
}
static void widened_singles(signal *s, int which)
{
    full_doubles(s, which);
    for (int i = 0; i < POINTS; i++) s->value[i] = (float)s->value[i];
}
static void widened_decimals(signal *s, int which)
{
    sensor(s, which);
    for (int i = 0; i < POINTS; i++) s->value[i] = (float)s->value[i];
}
static void vibration(signal *s, int which)
{
    times_exact(s);
    for (int i = 0; i < POINTS; i++) {
        s->value[i] = round_to(3 * sin(i * (0.3 + which * 0.001)) + sin(i * 1.1) + 0.01 * normal(), 0.001);
    }
}
static void random_walk_clock(signal *s, int which)  // a loop that sleeps a second and works a little
{
    sensor(s, which);
    gm_time_ns now = s->at[0];
    for (int i = 0; i < POINTS; i++) s->at[i] = now += GM_SECOND + (gm_time_ns)(bits64() % 3000) * GM_MICROSECOND;
}

int main(void)
{
    static const struct { const char *name; make *make; } cases[] = {
        { "sine + AR(1) .05, 2 decimals, +-3 ms", sensor },
        { "sine + AR(1) .20, 2 decimals, +-3 ms", sensor_rough },
        { "1 decimal, exact seconds", regular },
        { "constant, +-3 ms", constant },
        { "counter, +-3 ms", counter },
        { "full doubles, +-3 ms", full_doubles },
        { "single precision, +-3 ms", widened_singles },
        { "2 decimals as singles, +-3 ms", widened_decimals },
        { "vibration, 3 decimals, exact", vibration },
        { "2 decimals, drifting clock in us", random_walk_clock },
    };
    static const size_t lengths[] = { 128, 256, 512, 1024, 2048, 3600 };
    static signal       s;
    static uint64_t     stamp[POINTS], bits[POINTS];
    const gm_alloc     *alloc = gm_alloc_system();
    const gm_clock     *clock = gm_clock_system();
    gm_codec           *codec = gm_codec_create(alloc);
    gm_buf              out   = gm_buf_init(alloc);
    ZSTD_CCtx          *zstd  = ZSTD_createCCtx();
    if (codec == NULL || zstd == NULL) return 1;
    printf("bytes/sample (seal ns, read ns) by block length\n%-38s", "");
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) printf("%16zu", lengths[l]);
    printf("   zstd %zu\n", lengths[sizeof lengths / sizeof lengths[0] - 1]);
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        size_t classic_bytes = 0;
        printf("%-38s", cases[c].name);
        for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
            size_t    bytes = 0, samples = 0;
            classic_bytes = 0;
            gm_dur_ns seal = 0, read = 0;
            random_state = 1;
            for (int which = 0; which < 100; which++) {
                cases[c].make(&s, which);
                for (int i = 0; i < POINTS; i++) {
                    stamp[i] = gm_stamp(s.at[i], false);
                    bits[i]  = gm_bits_of(s.value[i]);
                }
                for (size_t at = 0; at < POINTS; at += lengths[l]) {
                    size_t     n  = POINTS - at < lengths[l] ? POINTS - at : lengths[l];
                    gm_samples in = { .kind = GM_KIND_DOUBLE, .n = n, .stamp = stamp + at, .bits = bits + at }, back;
                    gm_dur_ns  t0 = gm_monotonic(clock);
                    gm_buf_clear(&out);
                    gm_block_encode(codec, &in, &out);
                    gm_dur_ns t1 = gm_monotonic(clock);
                    if (gm_block_decode(codec, out.ptr, out.len, &back, NULL) != GM_OK) return 1;
                    read += gm_monotonic(clock) - t1;
                    seal += t1 - t0;
                    if (memcmp(back.stamp, in.stamp, n * 8) != 0 || memcmp(back.bits, in.bits, n * 8) != 0) {
                        fprintf(stderr, "not the same\n");
                        return 1;
                    }
                    bytes += out.len;
                    gm_decimal d;
                    gm_decimal_fit(in.bits, n, &d);
                    if (l + 1 == sizeof lengths / sizeof lengths[0]) classic_bytes += classic(&in, d, zstd);
                    samples += n;
                }
            }
            printf("%6.3f (%3.0f %3.0f)", (double)bytes / (double)samples, (double)seal / (double)samples,
                   (double)read / (double)samples);
        }
        printf("%8.3f\n", (double)classic_bytes / 360000);
    }
    ZSTD_freeCCtx(zstd);
    gm_buf_finish(&out);
    gm_codec_destroy(codec);
    return 0;
}
