// base/units.h: units of measurement and how they become SI.
//
//   gm_unit unit;
//   gm_unit_parse(GM_STR("kW.h"), &unit, &err);           // Modelica's unit syntax: "kg/m3", "W/(m2.K)", "degC"
//   double si = gm_unit_to_si(&unit, 1.0);                // 3.6e6, in J
//
// value_si = value * factor + offset. Two units are comparable when their dimensions agree.
#ifndef GM_BASE_UNITS_H
#define GM_BASE_UNITS_H

#include "base/str.h"

enum { GM_DIM_M, GM_DIM_KG, GM_DIM_S, GM_DIM_A, GM_DIM_K, GM_DIM_MOL, GM_DIM_CD, GM_DIM_RAD, GM_DIM_BIT, GM_DIM_COUNT };

typedef struct gm_unit {
    double factor, offset;     // to SI; offset only for temperatures such as degC
    int8_t dim[GM_DIM_COUNT];  // exponents of the base units (rad and bit are kept, though SI counts them as 1)
} gm_unit;

static inline double gm_unit_to_si(const gm_unit *unit, double value) { return value * unit->factor + unit->offset; }
static inline double gm_unit_from_si(const gm_unit *unit, double si) { return (si - unit->offset) / unit->factor; }

// Same dimension; angles count as plain numbers, as SI has it.
bool gm_unit_comparable(const gm_unit *a, const gm_unit *b);

// Modelica's unit expressions (Modelica 3.6, chapter 19): names with SI prefixes, '.' for times, '/' followed by one
// factor or a parenthesis, integer exponents written directly ("m3", "s-1"); "1" is dimensionless. Knows the SI
// units, their derived ones and the common others (min h d degC degF bar psi L rpm Hz ...).
// GM_INVALID: not such a text (column is set), or an unknown name.
GM_NODISCARD gm_status gm_unit_parse(gm_str text, gm_unit *out_unit, gm_error *err);

// Writes the dimension in base units, e.g. "kg.m2.s-3", "1" when there is none. out has room for GM_UNIT_TEXT.
enum { GM_UNIT_TEXT = 64 };
size_t gm_unit_dimension(const gm_unit *unit, char out[GM_UNIT_TEXT]);

#endif
