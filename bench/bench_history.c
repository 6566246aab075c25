// What history costs: bytes per sample, nanoseconds per sample to seal and to read, for several kinds of signals and
// lengths of blocks (the first is the one of DESIGN.md section 7); then ingest, a year of one sensor, and a large fleet.
#include "base/time.h"
#include "history/block.h"
#include "base/bytes.h"
#include "history/decimal.h"
#include "history/history.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

enum { POINTS = 3600 };

static uint64_t random_state = 1;

static uint64_t bits64(void)
{
    uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));  // splitmix64 (Steele, Lea, Flood 2014)
    z          = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z          = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}
// CPU time of this process: one thread works, and others on the machine do not count.
static gm_dur_ns cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (gm_dur_ns)t.tv_sec * GM_SECOND + t.tv_nsec;
}
static double uniform(void) { return (double)(bits64() >> 11) * 0x1p-53; }
static double normal(void) { return sqrt(-2 * log(1 - uniform())) * cos(6.283185307179586 * uniform()); }

static double round_to(double value, double step) { return nearbyint(value / step) / nearbyint(1 / step); }

// The classic alternative, for comparison: differences (of differences, for times) as varints, zstd over each run.
static size_t classic(const gm_samples *in, gm_decimal d, ZSTD_CCtx *zstd)
{
    static uint8_t raw[GM_BLOCK_MOST * GM_VARINT_MOST], squeezed[2 * sizeof raw];
    uint8_t       *to = raw;
    int64_t        before = 0, step = 0, unit = GM_MILLISECOND;
    for (size_t i = 0; i < in->n; i++) {
        if (gm_stamp_time(in->stamp[i]) % unit != 0) unit = GM_MICROSECOND;
    }
    for (size_t i = 0; i < in->n; i++) {
        int64_t at = gm_stamp_time(in->stamp[i]) / unit, now = at - before;
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

// For values that are not decimal, the other classic: XOR with the value before, and of that the significant bits with
// their place (Pelkonen et al. 2015, Gorilla: a fast, scalable, in-memory time series database, section 4.1.2). Bits.
static size_t xor_bits(const uint64_t *value, size_t n)
{
    size_t   bits = 64;
    unsigned lead = 65, trail = 0;  // the window in use
    for (size_t i = 1; i < n; i++) {
        uint64_t x = value[i] ^ value[i - 1];
        bits++;
        if (x == 0) continue;
        unsigned l = (unsigned)__builtin_clzll(x), t = (unsigned)__builtin_ctzll(x);
        if (l > 31) l = 31;
        bits++;
        if (lead <= l && trail <= t && lead < 65) {
            bits += 64 - lead - trail;
        } else {
            lead  = l;
            trail = t;
            bits += 5 + 6 + 64 - lead - trail;
        }
    }
    return bits;
}

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

static int measure_blocks(void)
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
    gm_codec           *codec = gm_codec_create(alloc);
    gm_buf              out   = gm_buf_init(alloc);
    ZSTD_CCtx          *zstd  = ZSTD_createCCtx();
    if (codec == NULL || zstd == NULL) return 1;
    printf("bytes/sample (seal ns, read ns) by block length\n%-38s", "");
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) printf("%16zu", lengths[l]);
    printf("   zstd %zu  XOR values only\n", lengths[sizeof lengths / sizeof lengths[0] - 1]);
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        size_t classic_bytes = 0, xor_total = 0;
        printf("%-38s", cases[c].name);
        for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
            size_t    bytes = 0, samples = 0;
            classic_bytes = xor_total = 0;
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
                    gm_dur_ns  t0 = cpu_now();
                    gm_buf_clear(&out);
                    gm_block_encode(codec, &in, &out);
                    gm_dur_ns t1 = cpu_now();
                    if (gm_block_decode(codec, out.ptr, out.len, &back, NULL) != GM_OK) return 1;
                    read += cpu_now() - t1;
                    seal += t1 - t0;
                    if (memcmp(back.stamp, in.stamp, n * 8) != 0 || memcmp(back.bits, in.bits, n * 8) != 0) {
                        fprintf(stderr, "not the same\n");
                        return 1;
                    }
                    bytes += out.len;
                    gm_decimal d;
                    gm_decimal_fit(in.bits, n, &d);
                    if (l + 1 == sizeof lengths / sizeof lengths[0]) classic_bytes += classic(&in, d, zstd);
                    xor_total += xor_bits(bits + at, n);
                    samples += n;
                }
            }
            printf("%6.3f (%3.0f %3.0f)", (double)bytes / (double)samples, (double)seal / (double)samples,
                   (double)read / (double)samples);
        }
        printf("%11.3f %12.3f\n", (double)classic_bytes / 360000, (double)xor_total / 8 / 360000);
    }
    ZSTD_freeCCtx(zstd);
    gm_buf_finish(&out);
    gm_codec_destroy(codec);
    return 0;
}

static double seconds_since(gm_dur_ns begin) { return (double)(cpu_now() - begin) / 1e9; }

// Resident memory of this process in bytes.
static double resident(void)
{
    long  pages = 0;
    FILE *file  = fopen("/proc/self/statm", "r");
    if (file != NULL && fscanf(file, "%*s %ld", &pages) != 1) pages = 0;
    if (file != NULL) fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static int refused(const gm_error *err)
{
    fprintf(stderr, "%s\n", err->text);
    return 1;
}

// 1000 sensors as in DESIGN.md section 7, sample by sample across all of them, as they would arrive.
static int measure_ingest(void)
{
    enum { SENSORS = 1000 };
    gm_history *h     = gm_history_create(gm_alloc_system());
    signal     *all   = malloc(SENSORS * sizeof *all);
    gm_error    err   = { 0 };
    if (h == NULL || all == NULL) return 1;
    for (int s = 0; s < SENSORS; s++) sensor(&all[s], s);
    gm_dur_ns begin = cpu_now();
    for (int i = 0; i < POINTS; i++) {
        for (uint32_t s = 0; s < SENSORS; s++) {
            gm_value value = { .kind = GM_KIND_DOUBLE, .d = all[s].value[i] };
            if (gm_history_append(h, s, 1, all[s].at[i], value, NULL, &err) != GM_OK) return refused(&err);
        }
    }
    double append = seconds_since(begin);
    if (gm_history_seal(h, 1, &err) != GM_OK) return refused(&err);
    double           both  = seconds_since(begin);
    gm_history_stats stats = gm_history_statistics(h);
    double           n     = (double)stats.samples;
    printf("\ningest: %.2f M samples/s appending (sealing full blocks on the way), %.2f M/s with the rest sealed;\n"
           "        %.3f bytes/sample sealed, %.3f with the entries that find the blocks\n",
           n / append / 1e6, n / both / 1e6, (double)stats.sealed_bytes / n,
           ((double)stats.sealed_bytes + 32 * (double)stats.blocks) / n);
    gm_history_destroy(h);
    free(all);
    return 0;
}

static bool count_one(void *context, const gm_sample *sample)
{
    (void)sample;
    ++*(uint64_t *)context;
    return true;
}

// A year of one sensor at 1 Hz, drawn and read.
static int measure_year(void)
{
    enum { BUCKETS = 2000 };
    static gm_bucket buckets[BUCKETS];
    static signal    s;
    gm_history      *h   = gm_history_create(gm_alloc_system());
    gm_error         err = { 0 };
    uint64_t         n = 0, read = 0;
    if (h == NULL) return 1;
    gm_time_ns first = 0, last = 0;
    gm_dur_ns  in_append = 0;
    for (int hour = 0; hour < 365 * 24; hour++) {
        sensor(&s, 5);
        gm_dur_ns before = cpu_now();
        for (int i = 0; i < POINTS; i++, n++) {
            gm_value value = { .kind = GM_KIND_DOUBLE, .d = s.value[i] };
            last           = s.at[i] + hour * GM_HOUR;
            if (n == 0) first = last;
            if (gm_history_append(h, 1, 1, last, value, NULL, &err) != GM_OK) return refused(&err);
        }
        in_append += cpu_now() - before;
    }
    gm_dur_ns begin = cpu_now();
    if (gm_history_buckets(h, 1, 1, first, last + 1, BUCKETS, buckets, &err) != GM_OK) return refused(&err);
    double drawn = seconds_since(begin);
    begin        = cpu_now();
    if (gm_history_read(h, 1, 1, 0, GM_TIME_MAX, count_one, &read, &err) != GM_OK) return refused(&err);
    double walked = seconds_since(begin);
    begin         = cpu_now();
    for (int i = 0; i < 2000; i++) {
        gm_sample sample;
        gm_time_ns at = first + (last - first) / 2000 * i;
        if (gm_history_as_of(h, 1, 1, at, &sample, &err) != GM_OK) return refused(&err);
    }
    double asked = seconds_since(begin);
    // Late samples, in no order: each opens a block of its own again.
    begin = cpu_now();
    for (int i = 0; i < 2000; i++) {
        gm_time_ns at = first + (gm_time_ns)(bits64() % (uint64_t)(last - first));
        if (gm_history_append(h, 1, 1, at, (gm_value){ .kind = GM_KIND_DOUBLE, .d = 1 }, NULL, &err) != GM_OK) {
            return refused(&err);
        }
    }
    double late = seconds_since(begin);
    printf("year:   %.1f M samples, %.0f ns each to append; %d buckets in %.1f ms; all read in %.0f ms (%.0f ns each);\n"
           "        as of a moment %.1f us; a late sample %.1f us\n",
           (double)n / 1e6, (double)in_append / (double)n, BUCKETS, drawn * 1e3, walked * 1e3, walked * 1e9 / (double)read,
           asked / 2000 * 1e6, late / 2000 * 1e6);
    gm_history_destroy(h);
    return 0;
}

// A fleet of ten million series with two samples each.
static int measure_fleet(void)
{
    enum { TWINS = 1000000, COLUMNS = 10 };
    double      before = resident();
    gm_history *h      = gm_history_create(gm_alloc_system());
    gm_error    err    = { 0 };
    if (h == NULL) return 1;
    gm_dur_ns begin = cpu_now();
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t t = 0; t < TWINS; t++) {
            for (uint32_t c = 0; c < COLUMNS; c++) {
                gm_value value = { .kind = GM_KIND_DOUBLE, .d = t * 0.5 + pass };
                if (gm_history_append(h, t, c, (pass + 1) * GM_SECOND, value, NULL, &err) != GM_OK) return refused(&err);
            }
        }
        printf("fleet:  %d series of %d sample%s: %.0f MB resident, %.1f bytes a series, %.0f ns an append\n",
               TWINS * COLUMNS, pass + 1, pass == 0 ? "" : "s", (resident() - before) / 1e6,
               (resident() - before) / (TWINS * COLUMNS), seconds_since(begin) * 1e9 / (TWINS * COLUMNS) / (pass + 1));
    }
    gm_history_destroy(h);
    return 0;
}

int main(void)
{
    return measure_blocks() || measure_ingest() || measure_year() || measure_fleet();
}
