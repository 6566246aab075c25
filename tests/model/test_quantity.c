#include "model/quantity.h"

#include "support/support.h"

#include <math.h>

static void units_are_in_order_and_known_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < gm_quantity_unit_count(); i++) {
        const gm_named_unit *unit = gm_quantity_unit_at(i);
        assert_ptr_equal(gm_quantity_unit(gm_str_of(unit->name), GM_QUANTITY_ALL), unit);
        assert_ptr_equal(gm_quantity_unit_type(gm_str_of(unit->type->name), GM_QUANTITY_ALL), unit->type);
        assert_true(unit->si.factor > 0.0 && isfinite(unit->si.factor));
        if (i > 0) assert_true(strcmp(gm_quantity_unit_at(i - 1)->name, unit->name) < 0);
    }
    assert_null(gm_quantity_unit(GM_STR("kiloampere"), GM_QUANTITY_BUILT_IN));  // came with the extension
    assert_null(gm_quantity_unit(GM_STR("parsec"), GM_QUANTITY_ALL));
    assert_ptr_equal(gm_quantity_find(GM_STR("Humidity"), GM_QUANTITY_BUILT_IN)->type,
                     gm_quantity_unit_type(GM_STR("DensityUnit"), GM_QUANTITY_BUILT_IN));
}

// Two ways to the same factor: this table, and the unit expressions of base/units.h.
static void factors_agree_with_unit_expressions(void **state)
{
    (void)state;
    static const struct { const char *name, *expression; } pairs[] = {
        { "metrePerSecondSquared", "m/s2" }, { "degreeOfArc", "deg" }, { "radianPerSecond", "rad/s" }, { "revolutionPerMinute", "rpm" },
        { "squareKilometre", "km2" }, { "picofarad", "pF" }, { "coulomb", "C" }, { "ampereHour", "A.h" }, { "milliampere", "mA" },
        { "gramPerCubicMetre", "g/m3" }, { "kilowattHour", "kW.h" }, { "gigajoule", "GJ" }, { "newton", "N" }, { "megahertz", "MHz" },
        { "lux", "lx" }, { "millihenry", "mH" }, { "nanometre", "nm" }, { "inch", "in" }, { "foot", "ft" }, { "lumen", "lm" },
        { "weber", "Wb" }, { "tesla", "T" }, { "kilogramPerHour", "kg/h" }, { "tonne", "t" }, { "watt", "W" }, { "bar", "bar" },
        { "kilopascal", "kPa" }, { "poundPerSquareInch", "psi" }, { "megaohm", "MOhm" }, { "degreeCelsius", "degC" },
        { "degreeFahrenheit", "degF" }, { "day", "d" }, { "microsecond", "us" }, { "newtonMetre", "N.m" }, { "kilometrePerHour", "km/h" },
        { "millivolt", "mV" }, { "litre", "L" }, { "cubicMetrePerHour", "m3/h" }, { "wattPerSquareMetre", "W/m2" },
        { "millipascalSecond", "mPa.s" }, { "squareMetrePerSecond", "m2/s" }, { "reciprocalMinute", "1/min" }, { "reciprocalMillimetre", "1/mm" },
        { "kilopascalCubicMetrePerSecond", "kPa.m3/s" }, { "cubicCentimetrePerMinute", "cm3/min" }, { "picoampere", "pA" },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const gm_named_unit *unit = gm_quantity_unit(gm_str_of(pairs[i].name), GM_QUANTITY_ALL);
        gm_unit              other;
        gm_error             err = {0};
        if (unit == NULL) fail_msg("no unit %s", pairs[i].name);
        assert_gm_ok(gm_unit_parse(gm_str_of(pairs[i].expression), &other, &err), err);
        if (!gm_unit_comparable(&unit->si, &other) || fabs(unit->si.factor / other.factor - 1.0) > 1e-9 ||
            fabs(unit->si.offset - other.offset) > 1e-9) {
            fail_msg("%s: %.15g + %.15g, %s: %.15g + %.15g", pairs[i].name, unit->si.factor, unit->si.offset, pairs[i].expression,
                     other.factor, other.offset);
        }
    }
}

static void known_values_convert_as_the_books_say(void **state)
{
    (void)state;
    static const struct { const char *name; double value, si; } cases[] = {
        { "degreeFahrenheit", 212, 373.15 }, { "horsepower", 1, 745.6998715822702 }, { "knot", 3.6, 1.852 }, { "gallon", 1, 0.003785411784 },
        { "tonOfRefrigeration", 1, 3516.852842066667 }, { "acre", 1, 4046.8564224 }, { "kibibyte", 1, 8192 }, { "percent", 50, 0.5 },
        { "millimetresOfMercury", 760, 101325.0144354 }, { "revolutionPerSecond", 1, 6.283185307179586 }, { "mile", 1, 1609.344 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const gm_named_unit *unit = gm_quantity_unit(gm_str_of(cases[i].name), GM_QUANTITY_ALL);
        assert_non_null(unit);
        if (fabs(gm_unit_to_si(&unit->si, cases[i].value) - cases[i].si) > 1e-9 * fabs(cases[i].si)) fail_msg("%s", cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_in_order_and_known_by_name),
        cmocka_unit_test(factors_agree_with_unit_expressions),
        cmocka_unit_test(known_values_convert_as_the_books_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
