#include "base/number.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void the_longest_number_at_the_front_is_read(void **state)
{
    (void)state;
    static const struct { const char *text; size_t len; double value; } cases[] = {
        { "0", 1, 0.0 },
        { "-0", 2, -0.0 },
        { "21.37", 5, 21.37 },
        { "-12.5e3", 7, -12500.0 },
        { "1E+2,", 4, 100.0 },
        { "5}", 1, 5.0 },
        { "01", 1, 0.0 },          // a leading zero is a number of its own
        { "1.", 1, 1.0 },          // a point needs digits
        { "1.e5", 1, 1.0 },
        { "1e", 1, 1.0 },
        { "1e+", 1, 1.0 },
        { "-", 0, 0.0 },
        { "+1", 0, 0.0 },
        { ".5", 0, 0.0 },
        { "NaN", 0, 0.0 },
        { "Infinity", 0, 0.0 },
        { "", 0, 0.0 },
        { "1e400", 5, HUGE_VAL },
        { "-1e400", 6, -HUGE_VAL },
        { "1e-400", 6, 0.0 },
        { "0e999999999999", 14, 0.0 },
        { "1e-999999999999", 15, 0.0 },
        { "1e999999999999", 14, HUGE_VAL },
        { "9007199254740993", 16, 9007199254740992.0 },                 // a tie goes to the even one
        { "9007199254740993.00000000000000000001", 37, 9007199254740994.0 },
        { "0.1e1", 5, 1.0 },
        { "2.2250738585072011e-308", 23, 2.2250738585072011e-308 },     // famous for endless loops elsewhere
        { "4.9e-324", 8, 4.9406564584124654e-324 },
        { "2.4703282292062327e-324", 23, 0.0 },                         // just below half of the smallest
        { "2.4703282292062328e-324", 23, 4.9406564584124654e-324 },
        { "1.7976931348623158e308", 22, 1.7976931348623157e308 },
        { "1.7976931348623159e308", 22, HUGE_VAL },
        { "123456789012345678901234567890", 30, 123456789012345678901234567890.0 },
        { "0.000000000000000000000000000000000000000000001", 47, 1e-45 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double value = 0.0;
        size_t len   = gm_number_read(gm_str_of(cases[i].text), &value);
        if (len != cases[i].len || bits_of(value) != bits_of(cases[i].value)) {
            fail_msg("'%s': %zu bytes, %.17g", cases[i].text, len, value);
        }
    }
}

static void whole_numbers_are_read_within_64_bits(void **state)
{
    (void)state;
    static const struct { const char *text; size_t len; int64_t value; } cases[] = {
        { "0", 1, 0 },
        { "-12]", 3, -12 },
        { "9223372036854775807", 19, INT64_MAX },
        { "-9223372036854775808", 20, INT64_MIN },
        { "9223372036854775808", 0, 7 },
        { "-9223372036854775809", 0, 7 },
        { "18446744073709551617", 0, 7 },   // must not wrap
        { "99999999999999999999", 0, 7 },
        { "1.0", 0, 7 },
        { "1e3", 0, 7 },
        { "", 0, 7 },
        { "-", 0, 7 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = 7;
        size_t  len   = gm_number_read_int(gm_str_of(cases[i].text), &value);
        if (len != cases[i].len || value != cases[i].value) {
            fail_msg("'%s': %zu bytes, %" PRId64, cases[i].text, len, value);
        }
    }
}

static void numbers_are_written_in_the_expected_words(void **state)
{
    (void)state;
    static const struct { double value; const char *text;
    } cases[] = {
        { 0.0, "0" },
        { -0.0, "-0" },
        { 5.0, "5" },
        { -5.5, "-5.5" },
        { 21.37, "21.37" },
        { 0.1, "0.1" },
        { 0.30000000000000004, "0.30000000000000004" },
        { 1e15, "1000000000000000" },
        { 1e16, "10000000000000000" },
        { 1e17, "1e+17" },
        { 1e-4, "0.0001" },
        { 1e-5, "1e-05" },
        { 1e-7, "1e-07" },
        { 1.5e300, "1.5e+300" },
        { 5e-324, "5e-324" },
        { 1.7976931348623157e308, "1.7976931348623157e+308" },
        { 100.0, "100" },
        { 9007199254740993.0, "9007199254740992" },
        { NAN, "null" },
        { INFINITY, "null" },
        { -INFINITY, "null" },
        { 123456.789, "123456.789" },
        { 2.0 / 3.0, "0.6666666666666666" },
        { 9.5367431640625e-7, "9.5367431640625e-07" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char   text[GM_NUMBER_TEXT];
        size_t len = gm_number_write(cases[i].value, text);
        if (strcmp(text, cases[i].text) != 0 || len != strlen(text)) {
            fail_msg("%.17g: '%s', expected '%s'", cases[i].value, text, cases[i].text);
        }
    }
}

// Texts of every length and size agree with the C library's strtod.
static void every_text_reads_as_the_nearest_double(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int i = 0; i < 300000; i++) {
        char     text[64];
        uint64_t bits = gm_test_random(&random), choice = gm_test_random(&random);
        int      digits = 1 + (int)(choice % 20);
        double   any = double_of(bits & UINT64_C(0x7fffffffffffffff));
        if (!isfinite(any)) continue;
        switch (choice >> 32 & 3) {
        case 0: snprintf(text, sizeof text, "%.*e", digits, any); break;
        case 1: snprintf(text, sizeof text, "%.*f", digits % 12, (double)(bits >> 40) / 1000.0); break;
        case 2:
            snprintf(text, sizeof text, "%" PRIu64 "e%d", bits >> (choice >> 40 & 31), (int)(choice >> 48 & 63) - 32);
            break;
        default:  // a tie between two doubles, or one digit beside it
            snprintf(text, sizeof text, "%" PRIu64 "%s", ((bits >> 11 | UINT64_C(1) << 52) << 1 | 1),
                     choice & 64 ? ".0000001" : "");
        }
        double value = 0.0;
        size_t len   = gm_number_read(gm_str_of(text), &value);
        if (len != strlen(text) || bits_of(value) != bits_of(strtod(text, NULL)))
            fail_msg("'%s' read as %.17g", text, value);
    }
}

static bool some_text_of_precision_reads_back(double value, int precision)
{
    char   text[64], up[64], down[64];
    double step = pow(10.0, floor(log10(value)) - precision + 1);
    snprintf(text, sizeof text, "%.*e", precision - 1, value);
    snprintf(up, sizeof up, "%.*e", precision - 1, value + step / 2);
    snprintf(down, sizeof down, "%.*e", precision - 1, value - step / 2);
    return strtod(text, NULL) == value || strtod(up, NULL) == value || strtod(down, NULL) == value;
}

static void every_double_is_written_in_the_fewest_digits_that_read_back(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int i = 0; i < 60000; i++) {
        uint64_t bits = gm_test_random(&random);
        double   value;
        switch (i % 4) {
        case 0: value = double_of(bits); break;
        case 1: value = (double)(int64_t)(bits >> 30) / pow(10.0, (double)(bits & 15)); break;
        case 2: value = ldexp(1.0, (int)(bits % 2098) - 1074); break;  // every power of two has uneven neighbours
        default: value = (double)(bits >> 11) * 0x1p-53;
        }
        if (!isfinite(value)) continue;
        char   text[GM_NUMBER_TEXT];
        size_t len  = gm_number_write(value, text);
        double back = 0.0;
        if (gm_number_read((gm_str){ text, len }, &back) != len || bits_of(back) != bits_of(value)) {
            fail_msg("%.17g written as '%s'", value, text);
        }
        if (value == 0.0 || fabs(value) < 1e-290) continue;
        int digits = 0, zeros = 0;
        for (const char *c = text; *c != '\0' && *c != 'e'; c++) {
            if (*c < '0' || *c > '9' || (digits == 0 && *c == '0')) continue;
            digits++;
            zeros = *c == '0' ? zeros + 1 : 0;
        }
        digits -= zeros;
        if (digits > 1 && some_text_of_precision_reads_back(fabs(value), digits - 1)) {
            fail_msg("'%s' is not the shortest", text);
        }
    }
}

static void a_very_long_text_is_read_exactly(void **state)
{
    (void)state;
    // 1 + 2^-53, a tie between 1 and the next double, decided by a digit 3000 places further on.
    static char text[4000];
    int         len = snprintf(text, sizeof text, "%s", "1.00000000000000011102230246251565404236316680908203125");
    memset(text + len, '0', 3000);
    double value = 0.0;
    assert_int_equal(gm_number_read((gm_str){ text, (size_t)len + 3000 }, &value), (size_t)len + 3000);
    assert_true(value == 1.0);
    text[len + 2999] = '1';
    assert_int_equal(gm_number_read((gm_str){ text, (size_t)len + 3000 }, &value), (size_t)len + 3000);
    assert_true(value == 1.0 + 0x1p-52);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_number_at_the_front_is_read),
        cmocka_unit_test(whole_numbers_are_read_within_64_bits),
        cmocka_unit_test(numbers_are_written_in_the_expected_words),
        cmocka_unit_test(every_text_reads_as_the_nearest_double),
        cmocka_unit_test(every_double_is_written_in_the_fewest_digits_that_read_back),
        cmocka_unit_test(a_very_long_text_is_read_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
