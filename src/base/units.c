// Reads unit expressions by recursive descent straight into (factor, dimension). Definitions: the SI Brochure
// (BIPM, 9th edition, tables 2, 4, 7, 8); inch, pound, gallon: the international yard and pound agreement (1959) and
// NIST Special Publication 811, appendix B.8.
#include "base/units.h"

#include <math.h>
#include <stdio.h>

static const char WHERE[] = "base.units";
enum { DEPTH_MAX = 16, EXPONENT_MAX = 99 };

typedef struct unit_name {
    char   name[8];
    bool   prefixed;           // takes SI prefixes
    double factor, offset;
    int8_t m, kg, s, A, K, mol, cd, rad, bit;
} unit_name;

#define PI 3.14159265358979323846

static const unit_name names[] = {
    // the base units, rad and bit
    { "m", true, 1, .m = 1 },
    { "g", true, 1e-3, .kg = 1 },
    { "s", true, 1, .s = 1 },
    { "A", true, 1, .A = 1 },
    { "K", true, 1, .K = 1 },
    { "mol", true, 1, .mol = 1 },
    { "cd", true, 1, .cd = 1 },
    { "rad", true, 1, .rad = 1 },
    { "bit", true, 1, .bit = 1 },
    // derived units with names
    { "sr", true, 1, .rad = 2 },
    { "Hz", true, 1, .s = -1 },
    { "N", true, 1, .kg = 1, .m = 1, .s = -2 },
    { "Pa", true, 1, .kg = 1, .m = -1, .s = -2 },
    { "J", true, 1, .kg = 1, .m = 2, .s = -2 },
    { "W", true, 1, .kg = 1, .m = 2, .s = -3 },
    { "C", true, 1, .A = 1, .s = 1 },
    { "V", true, 1, .kg = 1, .m = 2, .s = -3, .A = -1 },
    { "F", true, 1, .kg = -1, .m = -2, .s = 4, .A = 2 },
    { "Ohm", true, 1, .kg = 1, .m = 2, .s = -3, .A = -2 },
    { "\xce\xa9", true, 1, .kg = 1, .m = 2, .s = -3, .A = -2 },  // Greek capital omega
    { "S", true, 1, .kg = -1, .m = -2, .s = 3, .A = 2 },
    { "Wb", true, 1, .kg = 1, .m = 2, .s = -2, .A = -1 },
    { "T", true, 1, .kg = 1, .s = -2, .A = -1 },
    { "H", true, 1, .kg = 1, .m = 2, .s = -2, .A = -2 },
    { "lm", true, 1, .cd = 1, .rad = 2 },
    { "lx", true, 1, .cd = 1, .rad = 2, .m = -2 },
    { "Bq", true, 1, .s = -1 },
    { "Gy", true, 1, .m = 2, .s = -2 },
    { "Sv", true, 1, .m = 2, .s = -2 },
    { "kat", true, 1, .mol = 1, .s = -1 },
    // temperature
    { "degC", false, 1, 273.15, .K = 1 },
    { "\xc2\xb0""C", false, 1, 273.15, .K = 1 },
    { "degF", false, 5.0 / 9, 459.67 * 5 / 9, .K = 1 },
    { "\xc2\xb0""F", false, 5.0 / 9, 459.67 * 5 / 9, .K = 1 },
    { "degRk", false, 5.0 / 9, .K = 1 },
    // time, angle, turning
    { "min", false, 60, .s = 1 },
    { "h", false, 3600, .s = 1 },
    { "d", false, 86400, .s = 1 },
    { "yr", false, 31557600, .s = 1 },  // the Julian year
    { "deg", false, PI / 180, .rad = 1 },
    { "rev", false, 2 * PI, .rad = 1 },
    { "rpm", false, 2 * PI / 60, .rad = 1, .s = -1 },
    // energy, power, charge
    { "Wh", true, 3600, .kg = 1, .m = 2, .s = -2 },
    { "Ah", true, 3600, .A = 1, .s = 1 },
    { "VA", true, 1, .kg = 1, .m = 2, .s = -3 },
    { "var", true, 1, .kg = 1, .m = 2, .s = -3 },
    { "eV", true, 1.602176634e-19, .kg = 1, .m = 2, .s = -2 },
    { "cal", true, 4.184, .kg = 1, .m = 2, .s = -2 },
    { "Btu", false, 1055.05585262, .kg = 1, .m = 2, .s = -2 },
    { "BTU", false, 1055.05585262, .kg = 1, .m = 2, .s = -2 },
    { "hp", false, 745.69987158227022, .kg = 1, .m = 2, .s = -3 },
    // pressure, force
    { "bar", true, 1e5, .kg = 1, .m = -1, .s = -2 },
    { "atm", false, 101325, .kg = 1, .m = -1, .s = -2 },
    { "mmHg", false, 133.322387415, .kg = 1, .m = -1, .s = -2 },
    { "inHg", false, 3386.388640341, .kg = 1, .m = -1, .s = -2 },
    { "psi", true, 6894.757293168361, .kg = 1, .m = -1, .s = -2 },
    { "kgf", false, 9.80665, .kg = 1, .m = 1, .s = -2 },
    { "lbf", false, 4.4482216152605, .kg = 1, .m = 1, .s = -2 },
    { "dyn", false, 1e-5, .kg = 1, .m = 1, .s = -2 },
    // length, area, volume, mass, speed
    { "in", false, 0.0254, .m = 1 },
    { "ft", false, 0.3048, .m = 1 },
    { "yd", false, 0.9144, .m = 1 },
    { "mi", false, 1609.344, .m = 1 },
    { "nmi", false, 1852, .m = 1 },
    { "ha", false, 1e4, .m = 2 },
    { "L", true, 1e-3, .m = 3 },
    { "l", true, 1e-3, .m = 3 },
    { "gal", false, 3.785411784e-3, .m = 3 },
    { "gpm", false, 3.785411784e-3 / 60, .m = 3, .s = -1 },
    { "cfm", false, 0.028316846592 / 60, .m = 3, .s = -1 },
    { "t", true, 1000, .kg = 1 },
    { "lb", false, 0.45359237, .kg = 1 },
    { "oz", false, 0.028349523125, .kg = 1 },
    { "u", false, 1.66053906660e-27, .kg = 1 },
    { "mph", false, 0.44704, .m = 1, .s = -1 },
    { "kn", false, 1852.0 / 3600, .m = 1, .s = -1 },
    // information, shares
    { "B", true, 8, .bit = 1 },
    { "%", false, 0.01 },
    { "ppm", false, 1e-6 },
};

static const struct { char name[4]; double factor; } prefixes[] = {
    { "da", 1e1 },  // before "d", of which it is not a case
    { "Q", 1e30 },  { "R", 1e27 },  { "Y", 1e24 },  { "Z", 1e21 },  { "E", 1e18 },  { "P", 1e15 },  { "T", 1e12 },
    { "G", 1e9 },   { "M", 1e6 },   { "k", 1e3 },   { "h", 1e2 },   { "d", 1e-1 },  { "c", 1e-2 },  { "m", 1e-3 },
    { "u", 1e-6 },  { "\xc2\xb5", 1e-6 }, { "\xce\xbc", 1e-6 },  // micro sign, Greek mu
    { "n", 1e-9 },  { "p", 1e-12 }, { "f", 1e-15 }, { "a", 1e-18 }, { "z", 1e-21 }, { "y", 1e-24 }, { "r", 1e-27 },
    { "q", 1e-30 },
};

typedef struct reader {
    gm_str    text;
    size_t    at;
    int       depth;
    gm_error *err;
} reader;

static char peek(const reader *r)
{
    return r->at < r->text.len ? r->text.ptr[r->at] : '\0';
}

static gm_status refuse(reader *r, size_t at, const char *what, gm_str part)
{
    gm_str shown = gm_str_slice(r->text, 0, 60);
    return gm_fail_at(r->err, GM_INVALID, WHERE, 1, (uint32_t)at + 1, "unit \"" GM_STR_FMT "\": %s" GM_STR_FMT,
                      GM_STR_ARG(shown), what, GM_STR_ARG(part));
}

static bool find_name(gm_str name, bool prefixed, gm_unit *out)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const unit_name *n = &names[i];
        if ((prefixed && !n->prefixed) || !gm_str_is(name, n->name)) continue;
        *out = (gm_unit){ n->factor, n->offset, { n->m, n->kg, n->s, n->A, n->K, n->mol, n->cd, n->rad, n->bit } };
        return true;
    }
    return false;
}

// A name as a whole wins over prefix and name: "min" is a minute, "cd" a candela.
static bool find_unit(gm_str name, gm_unit *out)
{
    if (find_name(name, false, out)) return true;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        gm_str prefix = gm_str_of(prefixes[i].name);
        if (!gm_str_starts(name, prefix) || !find_name(gm_str_slice(name, prefix.len, name.len), true, out)) continue;
        out->factor *= prefixes[i].factor;
        return true;
    }
    return false;
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '%' || c == '_' || (unsigned char)c >= 0x80;
}

// into *= other ^ exponent; false when an exponent leaves its range.
static bool multiply(gm_unit *into, const gm_unit *other, int exponent)
{
    into->factor *= exponent == 1 ? other->factor : exponent == -1 ? 1 / other->factor : pow(other->factor, exponent);
    for (int i = 0; i < GM_DIM_COUNT; i++) {
        int sum = into->dim[i] + other->dim[i] * exponent;
        if (sum < INT8_MIN || sum > INT8_MAX) return false;
        into->dim[i] = (int8_t)sum;
    }
    return true;
}

static gm_status read_expression(reader *r, gm_unit *out);

// name [+|-] digits
static gm_status read_factor(reader *r, gm_unit *out)
{
    size_t start = r->at;
    while (is_name_byte(peek(r))) r->at++;
    gm_str name = gm_str_slice(r->text, start, r->at);
    if (name.len == 0) {
        return refuse(r, start,
                      start < r->text.len ? "a unit name is expected before " : "a unit name is expected at the end",
                      gm_str_slice(r->text, start, start + 8));
    }
    gm_unit unit = { 0 };
    if (!find_unit(name, &unit)) return refuse(r, start, "unknown name ", gm_str_slice(name, 0, 40));

    int  sign = peek(r) == '-' ? -1 : 1, exponent = 0;
    bool signed_exponent = peek(r) == '-' || peek(r) == '+';
    if (signed_exponent) r->at++;
    bool has_digits = false;
    for (; peek(r) >= '0' && peek(r) <= '9'; r->at++) {
        has_digits = true;
        exponent   = exponent * 10 + (peek(r) - '0');
        if (exponent > EXPONENT_MAX) return refuse(r, start, "exponent is too large after ", name);
    }
    if (signed_exponent && !has_digits) return refuse(r, r->at, "digits are expected after the sign", GM_STR(""));

    // An offset means something only when the unit stands alone; the caller drops it otherwise.
    *out        = (gm_unit){ .factor = 1, .offset = has_digits ? 0 : unit.offset };
    if (!multiply(out, &unit, has_digits ? sign * exponent : 1))
        return refuse(r, start, "exponents are too large", GM_STR(""));
    return GM_OK;
}

static gm_status read_group(reader *r, gm_unit *out)
{
    if (peek(r) != '(') return read_factor(r, out);
    size_t open = r->at++;
    if (++r->depth > DEPTH_MAX) return refuse(r, open, "parentheses are nested too deep", GM_STR(""));
    gm_status st = read_expression(r, out);
    r->depth--;
    if (st != GM_OK) return st;
    if (peek(r) != ')') return refuse(r, r->at, "')' is expected", GM_STR(""));
    r->at++;
    out->offset = 0;
    return GM_OK;
}

// ("1" | factor {"." factor}) ["/" (factor | "(" expression ")")]
static gm_status read_expression(reader *r, gm_unit *out)
{
    gm_unit   part;
    gm_status st = GM_OK;
    *out         = (gm_unit){ .factor = 1 };
    if (peek(r) == '1') {
        r->at++;
    } else {
        st = read_group(r, out);
        while (st == GM_OK && peek(r) == '.') {
            size_t dot = r->at++;
            st         = read_group(r, &part);
            if (st == GM_OK && !multiply(out, &part, 1)) return refuse(r, dot, "exponents are too large", GM_STR(""));
            out->offset = 0;
        }
    }
    if (st != GM_OK || peek(r) != '/') return st;
    size_t slash = r->at++;
    st           = read_group(r, &part);
    if (st == GM_OK && !multiply(out, &part, -1)) return refuse(r, slash, "exponents are too large", GM_STR(""));
    out->offset = 0;
    if (st == GM_OK && peek(r) == '/') return refuse(r, r->at, "write one '/' with a parenthesis: a/(b.c)", GM_STR(""));
    return st;
}

gm_status gm_unit_parse(gm_str text, gm_unit *out_unit, gm_error *err)
{
    reader    r  = { .text = text, .err = err };
    gm_status st = read_expression(&r, out_unit);
    if (st == GM_OK && r.at < text.len)
        st = refuse(&r, r.at, "nothing is expected here: ", gm_str_slice(text, r.at, r.at + 20));
    if (st == GM_OK && !(out_unit->factor > 0 && isfinite(out_unit->factor))) {
        st = refuse(&r, 0, "the factor to SI is out of range", GM_STR(""));
    }
    return st;
}

bool gm_unit_comparable(const gm_unit *a, const gm_unit *b)
{
    for (int i = 0; i < GM_DIM_COUNT; i++) {
        if (i != GM_DIM_RAD && a->dim[i] != b->dim[i]) return false;
    }
    return true;
}

size_t gm_unit_dimension(const gm_unit *unit, char out[GM_UNIT_TEXT])
{
    static const struct { const char *name; int dim; } order[GM_DIM_COUNT] = {
        { "kg", GM_DIM_KG }, { "m", GM_DIM_M },   { "s", GM_DIM_S },     { "A", GM_DIM_A },     { "K", GM_DIM_K },
        { "mol", GM_DIM_MOL }, { "cd", GM_DIM_CD }, { "rad", GM_DIM_RAD }, { "bit", GM_DIM_BIT },
    };
    // Nine names of at most 3 letters, exponents of at most 4, 8 dots: 54 bytes with space to spare.
    size_t len = 0;
    for (int i = 0; i < GM_DIM_COUNT; i++) {
        int exponent = unit->dim[order[i].dim];
        if (exponent == 0) continue;
        const char *dot = len > 0 ? "." : "";
        len +=
            (size_t)(exponent == 1 ? snprintf(out + len, GM_UNIT_TEXT - len, "%s%s", dot, order[i].name)
                                   : snprintf(out + len, GM_UNIT_TEXT - len, "%s%s%d", dot, order[i].name, exponent));
    }
    if (len == 0) len = (size_t)snprintf(out, GM_UNIT_TEXT, "1");
    return len;
}
