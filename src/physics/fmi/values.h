// physics/fmi/values.h: values of FMU variables as text and as the bytes that the protocol carries: little-endian numbers
// of their type's width, booleans and clocks as one byte, strings and binaries as a length (u32) and bytes.
#ifndef GM_PHYSICS_FMI_VALUES_H
#define GM_PHYSICS_FMI_VALUES_H

#include "physics/fmi/description.h"
#include "physics/fmi/protocol.h"

// Appends the bytes of one value. Numbers as C writes them, booleans as true, false, 1 or 0, binaries as hexadecimal
// digits, enumerations as an item's name or number. d may be NULL.
// GM_INVALID: the text is no such value, or does not fit the type.
GM_NODISCARD gm_status gm_fmu_value_parse(const gm_fmu_description *d, const gm_fmu_variable *v, gm_str text, gm_buf *out, gm_error *err);

// Appends `count` values given in one text: numbers separated by spaces; of strings and binaries there can be only one.
GM_NODISCARD gm_status gm_fmu_values_parse(const gm_fmu_description *d, const gm_fmu_variable *v, uint32_t count, gm_str text, gm_buf *out,
                                           gm_error *err);

// Takes the next value from the reader and appends it as text, the shortest that reads back the same. Booleans are 1 and 0.
void gm_fmu_value_write(gm_fmi_type type, gm_fmu_reader *from, gm_buf *out);

// Appends a field of CSV: in quotes where the text needs them (RFC 4180).
void gm_fmu_text_write(gm_str text, gm_buf *out);

// A number of any numeric type as bytes of that type.
void gm_fmu_value_put(gm_fmi_type type, double value, gm_buf *out);

#endif
