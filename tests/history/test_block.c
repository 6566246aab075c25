#include "history/block.h"

#include "history/decimal.h"
#include "history/entropy.h"
#include "history/integers.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// ---- parts ----------------------------------------------------------------------------------------------------------

static uint64_t odd_number(uint64_t *random)
{
    uint64_t bits = gm_test_random(random) >> (gm_test_random(random) % 64);
    switch (gm_test_random(random) % 8) {
    case 0: return 0;
    case 1: return UINT64_MAX;
    case 2: return UINT64_C(1) << (bits % 64);
    case 3: return (UINT64_C(1) << (bits % 64)) - 1;
    default: return bits;
    }
}

static void numbers_of_any_size_come_back_from_the_entropy_coder(void **state)
{
    (void)state;
    uint64_t         random = gm_test_seed();
    gm_entropy      *work   = malloc(sizeof *work);
    gm_buf           out    = gm_buf_init(gm_alloc_system());
    static uint64_t  u[GM_ENTROPY_MOST], back[GM_ENTROPY_MOST];
    for (int round = 0; round < 400; round++) {
        size_t   n    = 1 + gm_test_random(&random) % (round % 4 == 0 ? GM_ENTROPY_MOST : 50);
        uint64_t mask = UINT64_MAX >> (gm_test_random(&random) % 64);
        for (size_t i = 0; i < n; i++) {
            u[i] = round % 3 == 0 ? odd_number(&random) : gm_test_random(&random) & gm_test_random(&random) & mask;
            if (round % 7 == 0) u[i] = gm_test_random(&random) % 500 == 0;  // nearly always the same
        }
        gm_buf_clear(&out);
        gm_entropy_encode(work, u, n, &out);
        assert_false(out.failed);
        assert_true(gm_entropy_decode(work, out.ptr, out.len, back, n));
        assert_memory_equal(u, back, n * sizeof *u);
    }
    gm_buf_finish(&out);
    free(work);
}

static void whole_numbers_of_any_shape_come_back(void **state)
{
    (void)state;
    uint64_t        random = gm_test_seed();
    gm_integers    *work   = malloc(sizeof *work);
    gm_buf          out    = gm_buf_init(gm_alloc_system());
    static int64_t  v[GM_ENTROPY_MOST], back[GM_ENTROPY_MOST];
    for (int round = 0; round < 1500; round++) {
        size_t   n     = 1 + gm_test_random(&random) % (round % 8 == 0 ? GM_ENTROPY_MOST : 200);
        uint64_t scale = odd_number(&random), shape = gm_test_random(&random) % 9, range = odd_number(&random) | 1;
        uint64_t x = odd_number(&random), step = gm_test_random(&random) % range;
        for (size_t i = 0; i < n; i++) {
            uint64_t luck = gm_test_random(&random);
            switch (shape) {
            case 0: x = luck; break;
            case 1: x += step; break;
            case 2: x += luck % range; break;
            case 3: x = (luck % 2) * range; break;
            case 4: x += step + luck % 7; if (luck % 97 == 0) x += step * (luck % 1000); break;
            case 5: x = (uint64_t)(int64_t)(1e6 * sin((double)i * 0.1) + (double)(luck % 100)); break;
            case 6: x = scale; break;
            case 7: x = i % 3 == 0 ? (uint64_t)INT64_MIN : i % 3 == 1 ? INT64_MAX : 0; break;
            default: x = (uint64_t)i * 1000 + luck % 7 + (luck % 211 == 0 ? UINT64_C(1) << 41 : 0); break;
            }
            v[i] = (int64_t)(shape == 7 ? x : x * (shape == 5 ? 1 : scale));
        }
        int64_t          base = round % 2 == 0 ? v[0] : (int64_t)odd_number(&random);
        gm_integers_hint hint = round % 3 == 0 ? GM_INTEGERS_TIMES : GM_INTEGERS_VALUES;
        gm_buf_clear(&out);
        gm_integers_encode(work, v, n, base, hint, &out);
        assert_false(out.failed);
        if (!gm_integers_decode(work, out.ptr, out.len, base, back, n)) fail_msg("shape %d is not read", (int)shape);
        assert_memory_equal(v, back, n * sizeof *v);
    }
    gm_buf_finish(&out);
    free(work);
}

static void what_decimal_says_is_exact_is_bit_exact(void **state)
{
    (void)state;
    static const struct { double value; bool exact[4]; } cases[] = {
        { 21.37,   { false, false, true, true } },
        { 0.1,     { false, true, true, true } },
        { 5,       { true, true, true, true } },
        { 0.0,     { true, true, true, true } },
        { 1e15,    { true, false, false, false } },  // its whole number passes 2^53
        { 5e-324,  { false, false, false, false } },
        { 1.0 / 3, { false, false, false, false } },
        { INFINITY, { false, false, false, false } },
        { NAN,     { false, false, false, false } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (unsigned k = 0; k < 4; k++) {
            int64_t m;
            bool    exact = gm_decimal_exact(cases[i].value, (gm_decimal){ .scale = k }, &m);
            if (exact != cases[i].exact[k]) fail_msg("%g at scale %u: %d", cases[i].value, k, exact);
        }
    }
    uint64_t random = gm_test_seed();
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = gm_test_random(&random);
        assert_true(gm_bits_of_ordered(gm_ordered_of(bits)) == bits || bits == GM_NEGATIVE_ZERO);
        gm_decimal d = { .scale = (unsigned)(bits % 16), .single = bits % 3 == 0 };
        int64_t    m = (int64_t)(bits >> (11 + gm_test_random(&random) % 50)) * (bits % 2 == 0 ? 1 : -1), found;
        double     v = gm_decimal_value(m, d);
        if (gm_bits_of(v) == GM_NEGATIVE_ZERO || !gm_decimal_exact(v, d, &found)) continue;
        assert_true(gm_bits_of(gm_decimal_value(found, d)) == gm_bits_of(v));
    }
}

// ---- blocks ---------------------------------------------------------------------------------------------------------

enum { TEXT_SPACE = 1 << 20 };
typedef struct input { uint64_t stamp[GM_BLOCK_MOST], bits[GM_BLOCK_MOST]; uint8_t text[TEXT_SPACE]; gm_samples samples; } input;

static uint64_t odd_double(uint64_t *random, unsigned shape, double *walk)
{
    uint64_t luck = gm_test_random(random);
    *walk += ((double)(luck % 1000) - 499.5) / 1000;
    static const uint64_t special[] = {
        GM_NEGATIVE_ZERO, 0, 1, GM_NEGATIVE_ZERO | 1, UINT64_C(0x000fffffffffffff), UINT64_C(0x7fefffffffffffff),
        UINT64_C(0xffefffffffffffff), UINT64_C(0x3ff0000000000001), UINT64_C(0x0010000000000000),
    };
    switch (shape) {
    case 0: return (luck & ~(UINT64_C(0x7ff) << 52)) | (luck >> 2) % 2047 << 52;      // any finite bits
    case 1: return gm_bits_of(*walk);
    case 2: return gm_bits_of(nearbyint(*walk * 100) / 100);
    case 3: return gm_bits_of((double)(float)*walk);
    case 4: return gm_bits_of((double)(float)(nearbyint(*walk * 10) / 10));
    case 5: return special[luck % (sizeof special / sizeof special[0])];
    case 6: return luck % 20 == 0 ? special[luck / 20 % 9] : gm_bits_of(nearbyint(*walk * 1000) / 1000);
    case 7: return luck % 3 == 0 ? GM_NEGATIVE_ZERO : gm_bits_of((double)(luck % 5) * 0.5);
    case 8: return gm_bits_of(nearbyint(*walk) * 1e15);
    default: return gm_bits_of((double)(int64_t)(luck >> (luck % 60)) * 0.0625);
    }
}

static void make_input(input *in, uint64_t *random)
{
    size_t   n     = 1 + gm_test_random(random) % (gm_test_random(random) % 6 == 0 ? GM_BLOCK_MOST : 150);
    unsigned shape = (unsigned)(gm_test_random(random) % 10), times = (unsigned)(gm_test_random(random) % 5);
    unsigned removals = (unsigned)(gm_test_random(random) % 4);
    uint64_t unit  = (const uint64_t[]){ 1, 1000, 1000000, 1000000000 }[gm_test_random(random) % 4];
    uint64_t at    = gm_test_random(random) % (uint64_t)(GM_TIME_MAX / 2) / unit * unit;
    double   walk  = 20;
    size_t   text  = 0;
    gm_kind  kind  = (gm_kind)(gm_test_random(random) % GM_KIND_COUNT);
    for (size_t i = 0; i < n; i++) {
        uint64_t luck = gm_test_random(random);
        switch (times) {
        case 0: at += unit; break;
        case 1: at += 1 + luck % 1000000; break;
        case 2: at += unit * (1000 + luck % 7); break;
        case 3: at += luck % 50 == 0 ? luck % (uint64_t)GM_DAY + 1 : unit * 60; break;
        default: at += 1 + (luck >> (12 + luck % 50)); break;
        }
        bool gone     = kind == GM_KIND_NONE || (removals == 0 && luck % 5 == 0) || (removals == 1 && i + 1 == n);
        in->stamp[i]  = gm_stamp((gm_time_ns)at, gone);
        uint64_t bits = 0;
        if (kind == GM_KIND_BOOL) bits = luck % 10 < shape;
        if (kind == GM_KIND_INT) bits = shape < 3 ? odd_number(random) : (uint64_t)((int64_t)(luck % 100) - 50);
        if (kind == GM_KIND_DOUBLE) bits = odd_double(random, shape, &walk);
        if (kind == GM_KIND_STRING || kind == GM_KIND_JSON) {
            size_t len = shape < 3 ? luck % 8 : luck % 200;
            if (i > 0 && luck % 4 != 0 && !gone) {
                bits = in->bits[luck / 4 % i];  // a text that was there before
            } else {
                if (text + len > TEXT_SPACE) len = 0;
                for (size_t k = 0; k < len; k++) in->text[text + k] = (uint8_t)(shape % 2 ? gm_test_random(random) : 'a' + k % 26);
                bits = (uint64_t)text << 32 | len;
                text += len;
            }
        }
        in->bits[i] = gone ? 0 : bits;
    }
    in->samples = (gm_samples){ .kind = kind, .n = n, .stamp = in->stamp, .bits = in->bits, .text = in->text };
}

static bool same_samples(const gm_samples *a, const gm_samples *b)
{
    if (a->kind != b->kind || a->n != b->n || memcmp(a->stamp, b->stamp, a->n * 8) != 0) return false;
    if (a->kind != GM_KIND_STRING && a->kind != GM_KIND_JSON) return memcmp(a->bits, b->bits, a->n * 8) == 0;
    for (size_t i = 0; i < a->n; i++) {
        if (gm_stamp_removed(a->stamp[i])) continue;
        uint32_t len = (uint32_t)a->bits[i];
        if (len != (uint32_t)b->bits[i]) return false;
        if (memcmp(a->text + (a->bits[i] >> 32), b->text + (b->bits[i] >> 32), len) != 0) return false;
    }
    return true;
}

static void a_block_of_any_samples_comes_back_bit_for_bit(void **state)
{
    (void)state;
    uint64_t  random = gm_test_seed();
    gm_codec *codec  = gm_codec_create(gm_alloc_system());
    input    *in     = malloc(sizeof *in);
    gm_buf    out    = gm_buf_init(gm_alloc_system());
    for (int round = 0; round < 2000; round++) {
        make_input(in, &random);
        gm_buf_clear(&out);
        gm_block_encode(codec, &in->samples, &out);
        assert_false(out.failed);
        uint8_t *exact = malloc(out.len);  // so that the address sanitizer sees a read past the end
        memcpy(exact, out.ptr, out.len);
        gm_samples       back;
        gm_block_summary sum;
        gm_error         err = { 0 };
        assert_gm_ok(gm_block_decode(codec, exact, out.len, &back, &err), err);
        assert_true(same_samples(&in->samples, &back));
        assert_gm_ok(gm_block_read_summary(exact, out.len, &sum, &err), err);
        free(exact);

        // The summary against a plain pass over the samples.
        size_t n = in->samples.n, values = 0;
        double low = 0, high = 0, total = 0, size = 0, last = 0, first = 0;
        gm_time_ns last_at = 0;
        gm_kind kind = in->samples.kind;
        for (size_t i = 0; i < n; i++) {
            if (gm_stamp_removed(in->stamp[i])) continue;
            double x = kind == GM_KIND_DOUBLE ? gm_double_of(in->bits[i]) : (double)(int64_t)in->bits[i];
            if (values == 0) low = high = first = x;
            if (x < low) low = x;
            if (x > high) high = x;
            total += x;
            size += fabs(x);
            last    = x;
            last_at = gm_stamp_time(in->stamp[i]);
            values++;
        }
        assert_int_equal(sum.n, n);
        assert_int_equal(sum.values, values);
        assert_int_equal(sum.first_at, gm_stamp_time(in->stamp[0]));
        assert_int_equal(sum.last_at, gm_stamp_time(in->stamp[n - 1]));
        if (values == 0) continue;
        assert_int_equal(sum.last_value_at, last_at);
        if (kind != GM_KIND_BOOL && kind != GM_KIND_INT && kind != GM_KIND_DOUBLE) continue;
        assert_true(sum.min == low && sum.max == high && sum.first == first && sum.last == last);
        if (isfinite(size) && fabs(sum.sum - total) > 1e-12 * size) fail_msg("sum %.17g, not %.17g", sum.sum, total);
    }
    gm_buf_finish(&out);
    free(in);
    gm_codec_destroy(codec);
}

static void a_damaged_block_is_refused_or_read_as_some_block_but_never_past_its_end(void **state)
{
    (void)state;
    uint64_t  random = gm_test_seed();
    gm_codec *codec  = gm_codec_create(gm_alloc_system());
    input    *in     = malloc(sizeof *in);
    gm_buf    out    = gm_buf_init(gm_alloc_system());
    size_t    read   = 0;
    for (int round = 0; round < 4000; round++) {
        if (round % 10 == 0) {
            do make_input(in, &random);
            while (in->samples.n > 300);
            gm_buf_clear(&out);
            gm_block_encode(codec, &in->samples, &out);
        }
        size_t   size  = round % 3 == 0 ? gm_test_random(&random) % out.len : out.len;
        uint8_t *exact = malloc(size + 1);
        memcpy(exact, out.ptr, size);
        if (round % 3 != 0) exact[gm_test_random(&random) % size] ^= (uint8_t)(1 + gm_test_random(&random) % 255);
        gm_samples       back;
        gm_block_summary sum;
        gm_status        st = gm_block_decode(codec, exact, size, &back, NULL);
        assert_true(st == GM_OK || st == GM_CORRUPT || st == GM_NOMEM);
        if (st == GM_OK) {
            read++;
            for (size_t i = 1; i < back.n; i++) assert_true(back.stamp[i] >> 1 > back.stamp[i - 1] >> 1);
        }
        if (gm_block_read_summary(exact, size, &sum, NULL) == GM_OK) assert_true(sum.values <= sum.n);
        free(exact);
    }
    (void)read;
    gm_buf_finish(&out);
    free(in);
    gm_codec_destroy(codec);
}

static void a_sensor_at_one_hertz_needs_little_more_than_its_entropy(void **state)
{
    (void)state;
    // 1 Hz +-3 ms and a random walk of -2..2 hundredths: log2(7) + log2(5) = 5.13 bits a sample at the least.
    uint64_t  random = 7;
    gm_codec *codec  = gm_codec_create(gm_alloc_system());
    gm_buf    out    = gm_buf_init(gm_alloc_system());
    static uint64_t stamp[1024], bits[1024];
    int64_t m = 2000;
    for (size_t i = 0; i < 1024; i++) {
        int64_t jitter = (int64_t)(gm_test_random(&random) % 7) - 3;
        stamp[i] = gm_stamp((INT64_C(1767225600000) + (int64_t)i * 1000 + jitter) * GM_MILLISECOND, false);
        m += (int64_t)(gm_test_random(&random) % 5) - 2;
        bits[i] = gm_bits_of((double)m / 100);
    }
    gm_samples samples = { .kind = GM_KIND_DOUBLE, .n = 1024, .stamp = stamp, .bits = bits };
    gm_block_encode(codec, &samples, &out);
    double each = 8.0 * (double)out.len / 1024;
    printf("%.3f bits a sample\n", each);
    assert_true(each < 5.13 * 1.1);
    gm_buf_finish(&out);
    gm_codec_destroy(codec);
}

// With a folder: writes blocks of many shapes there, as seeds of the fuzz target.
static int write_seeds(const char *folder)
{
    uint64_t  random = 1;
    gm_codec *codec  = gm_codec_create(gm_alloc_system());
    input    *in     = malloc(sizeof *in);
    for (int i = 0; i < 40; i++) {
        char   path[300];
        gm_buf out = gm_buf_init(gm_alloc_system());
        do make_input(in, &random);
        while (in->samples.n > 100);
        gm_block_encode(codec, &in->samples, &out);
        snprintf(path, sizeof path, "%s/block%02d", folder, i);
        FILE *file = fopen(path, "wb");
        if (file == NULL || fwrite(out.ptr, 1, out.len, file) != out.len || fclose(file) != 0) return 1;
        gm_buf_finish(&out);
    }
    free(in);
    gm_codec_destroy(codec);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1) return write_seeds(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_any_size_come_back_from_the_entropy_coder),
        cmocka_unit_test(whole_numbers_of_any_shape_come_back),
        cmocka_unit_test(what_decimal_says_is_exact_is_bit_exact),
        cmocka_unit_test(a_block_of_any_samples_comes_back_bit_for_bit),
        cmocka_unit_test(a_damaged_block_is_refused_or_read_as_some_block_but_never_past_its_end),
        cmocka_unit_test(a_sensor_at_one_hertz_needs_little_more_than_its_entropy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
