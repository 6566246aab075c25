#include "base/shortest.h"

#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double value_of(gm_decimal d)
{
    char text[64];
    snprintf(text, sizeof text, "%" PRIu64 "e%d", d.digits, d.exponent);
    return strtod(text, NULL);
}

static void known_values_have_their_known_digits(void **state)
{
    (void)state;
    static const struct { double value; uint64_t digits; int exponent;
    } cases[] = {
        { 0.3, 3, -1 },
        { 0.1 + 0.2, 30000000000000004, -17 },
        { 2.0 / 3.0, 6666666666666666, -16 },
        { 5e-324, 5, -324 },
        { 2.2250738585072014e-308, 22250738585072014, -324 },   // the smallest normal one
        { 1.7976931348623157e308, 17976931348623157, 292 },
        { 9007199254740993.0, 9007199254740992, 0 },
        { 2e-44, 2, -44 },
        { 9.5367431640625e-7, 95367431640625, -20 },            // a power of two: its neighbours are not equally far
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_decimal d = gm_shortest_decimal(cases[i].value);
        while (d.digits % 10 == 0) {
            d.digits /= 10;
            d.exponent++;
        }
        if (d.digits != cases[i].digits || d.exponent != cases[i].exponent)
            fail_msg("%.17g: %" PRIu64 "e%d", cases[i].value, d.digits, d.exponent);
    }
}

// The oracle: the C library prints ever more digits until they read back. Below a power of two the reals that read as
// it reach half as far as above, so its nearest text of that many digits may miss where the one above does not.
static void no_decimal_with_fewer_digits_reads_as_the_value_and_none_of_as_many_is_nearer(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    long     rounds = getenv("GM_DEEP") != NULL ? 20000000 : 200000;
    for (long i = 0; i < rounds; i++) {
        uint64_t bits  = gm_test_random(&random) & INT64_MAX;
        double   value = i % 8 == 0 ? ldexp(1.0, (int)(bits % 2098) - 1074)
                       : i % 8 == 1 ? double_of(bits & 0xfffffffffffff)     // subnormal
                       : i % 8 == 2 ? (double)(bits >> 20) / 1e6
                                    : double_of(bits);
        if (!isfinite(value) || value == 0.0) continue;
        gm_decimal d = gm_shortest_decimal(value);
        if (value_of(d) != value) fail_msg("%.17g: %" PRIu64 "e%d reads as something else", value, d.digits, d.exponent);
        while (d.digits % 10 == 0) d.digits /= 10, d.exponent++;
        int  count = snprintf(NULL, 0, "%" PRIu64, d.digits);
        char text[64];
        if (count > 1) {
            snprintf(text, sizeof text, "%.*e", count - 2, value);
            if (strtod(text, NULL) == value) fail_msg("%.17g: '%s' is shorter than %" PRIu64, value, text, d.digits);
        }
        snprintf(text, sizeof text, "%.*e", count - 1, value);
        char mine[64];
        snprintf(mine, sizeof mine, "%.*e", count - 1, value_of(d));
        if (strtod(text, NULL) == value && strcmp(text, mine) != 0) fail_msg("%.17g: '%s' is nearer than '%s'", value, text, mine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values_have_their_known_digits),
        cmocka_unit_test(no_decimal_with_fewer_digits_reads_as_the_value_and_none_of_as_many_is_nearer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
