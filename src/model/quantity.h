// model/quantity.h: the physical quantities and units that DTDL knows by name, and what they are in SI.
//
// DTDL v2 has them built in; from v3 on they come with the extension "dtmi:dtdl:extension:quantitativeTypes". A content
// that is co-typed with a quantity ("Temperature") must state one of the units of the quantity's unit type
// ("TemperatureUnit") and must have a numeric schema.
//
// Source of the names: DTDL v2 specification, section "Semantic type", and the QuantitativeTypes extension, versions 1
// to 3. Source of the factors: SI Brochure, 9th edition (2019, with its table 8 of units accepted for use with the SI);
// NIST SP 811 (2008), appendix B, for the US customary ones.
#ifndef GM_MODEL_QUANTITY_H
#define GM_MODEL_QUANTITY_H

#include "base/units.h"

// Which vocabulary a name belongs to.
enum { GM_QUANTITY_BUILT_IN = 1, GM_QUANTITY_EXTENSION_1 = 2, GM_QUANTITY_EXTENSION_2 = 4, GM_QUANTITY_EXTENSION_3 = 8,
       GM_QUANTITY_EXTENSIONS = 14, GM_QUANTITY_ALL = 15 };

typedef struct gm_unit_type { const char *name; unsigned vocabularies; } gm_unit_type;

typedef struct gm_named_unit {
    const char         *name;    // "degreeCelsius"
    const char         *symbol;  // "°C"
    const gm_unit_type *type;
    unsigned            vocabularies;
    gm_unit             si;
} gm_named_unit;

typedef struct gm_quantity { const char *name; const gm_unit_type *type; unsigned vocabularies; } gm_quantity;

// Each returns NULL when no vocabulary of the mask has the name. O(log n).
const gm_named_unit *gm_quantity_unit(gm_str name, unsigned vocabularies);
const gm_quantity   *gm_quantity_find(gm_str name, unsigned vocabularies);
const gm_unit_type  *gm_quantity_unit_type(gm_str name, unsigned vocabularies);

// All units, in the order of their names (for tests and lists).
size_t               gm_quantity_unit_count(void);
const gm_named_unit *gm_quantity_unit_at(size_t i);

#endif
