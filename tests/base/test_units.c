#include "base/units.h"
#include "support/support.h"

#include <math.h>

static void unit_texts_become_si(void **state)
{
    (void)state;
    static const struct { const char *text; double value, si; const char *dimension; } cases[] = {
        { "1", 5, 5, "1" },
        { "m", 2, 2, "m" },
        { "kW.h", 1, 3.6e6, "kg.m2.s-2" },
        { "kWh", 1, 3.6e6, "kg.m2.s-2" },
        { "kg/m3", 1000, 1000, "kg.m-3" },
        { "g/cm3", 1, 1000, "kg.m-3" },
        { "W/(m2.K)", 3, 3, "kg.s-3.K-1" },
        { "J/(kg.degC)", 4180, 4180, "m2.s-2.K-1" },  // no offset inside a compound
        { "degC", 20, 293.15, "K" },
        { "degF", 32, 273.15, "K" },
        { "\xc2\xb0""C", 0, 273.15, "K" },
        { "mbar", 1, 100, "kg.m-1.s-2" },
        { "s-1", 7, 7, "s-1" },
        { "1/s", 7, 7, "s-1" },
        { "m.s-2", 1, 1, "m.s-2" },
        { "m/s2", 1, 1, "m.s-2" },
        { "L/min", 60, 1e-3, "m3.s-1" },
        { "m3/h", 3600, 1, "m3.s-1" },
        { "km/h", 36, 10, "m.s-1" },
        { "rpm", 60, 6.283185307179586, "s-1.rad" },
        { "min", 1, 60, "s" },      // a minute, not a milli-inch
        { "Pa", 1, 1, "kg.m-1.s-2" },
        { "cd", 1, 1, "cd" },       // a candela, not a hundredth of a day
        { "dag", 1, 1e-2, "kg" },
        { "uF", 1, 1e-6, "kg-1.m-2.s4.A2" },
        { "\xc2\xb5""F", 1, 1e-6, "kg-1.m-2.s4.A2" },
        { "\xce\xa9", 1, 1, "kg.m2.s-3.A-2" },
        { "kg/(s.Pa)", 1, 1, "m.s" },
        { "psi", 1, 6894.757293168361, "kg.m-1.s-2" },
        { "%", 50, 0.5, "1" },
        { "MB", 1, 8e6, "bit" },
        { "(m.s)/(m.s)", 1, 1, "1" },
        { "m0", 1, 1, "1" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_unit  unit;
        gm_error err = { 0 };
        if (gm_unit_parse(gm_str_of(cases[i].text), &unit, &err) != GM_OK) fail_msg("'%s': %s", cases[i].text, err.text);
        double si = gm_unit_to_si(&unit, cases[i].value);
        char   dimension[GM_UNIT_TEXT];
        gm_unit_dimension(&unit, dimension);
        if (fabs(si - cases[i].si) > 1e-12 * fabs(cases[i].si) || strcmp(dimension, cases[i].dimension) != 0) {
            fail_msg("'%s': %.17g %s", cases[i].text, si, dimension);
        }
        assert_true(fabs(gm_unit_from_si(&unit, si) - cases[i].value) <= 1e-12 * (1 + fabs(cases[i].value)));
    }
}

static void what_is_no_unit_is_refused_at_its_column(void **state)
{
    (void)state;
    static const struct { const char *text; uint32_t column; } cases[] = {
        { "", 1 },           { "furlong", 1 },  { "kg/", 4 },          { "kg/m/s", 5 }, { "W/(m2.K", 8 },
        { "m s", 2 },        { "m^2", 2 },      { "m-", 3 },           { "m999", 1 },   { "kmin", 1 },
        { "m99.m99", 4 },    { "2m", 1 },       { "m.", 3 },           { ".m", 1 },     { "\xff", 1 },
        { "((((((((((((((((((m))))))))))))))))))", 17 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_unit  unit;
        gm_error err = { 0 };
        gm_status st = gm_unit_parse(gm_str_of(cases[i].text), &unit, &err);
        if (st != GM_INVALID || err.column != cases[i].column) {
            fail_msg("'%s': status %d, column %u, %s", cases[i].text, (int)st, err.column, err.text);
        }
    }
}

static void the_longest_dimension_fits_its_buffer(void **state)
{
    (void)state;
    gm_unit unit = { .factor = 1 };
    for (int i = 0; i < GM_DIM_COUNT; i++) unit.dim[i] = INT8_MIN;
    char   text[GM_UNIT_TEXT];
    size_t len = gm_unit_dimension(&unit, text);
    assert_int_equal(len, strlen(text));
    assert_true(len < GM_UNIT_TEXT);
}

static void angles_count_as_plain_numbers(void **state)
{
    (void)state;
    gm_unit rate, frequency, speed;
    assert_int_equal(gm_unit_parse(GM_STR("rad/s"), &rate, NULL), GM_OK);
    assert_int_equal(gm_unit_parse(GM_STR("Hz"), &frequency, NULL), GM_OK);
    assert_int_equal(gm_unit_parse(GM_STR("m/s"), &speed, NULL), GM_OK);
    assert_true(gm_unit_comparable(&rate, &frequency));
    assert_false(gm_unit_comparable(&rate, &speed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unit_texts_become_si),
        cmocka_unit_test(what_is_no_unit_is_refused_at_its_column),
        cmocka_unit_test(the_longest_dimension_fits_its_buffer),
        cmocka_unit_test(angles_count_as_plain_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
