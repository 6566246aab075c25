// base/number.h: numbers as JSON text, exactly: what is read is the nearest double, what is written reads back as
// the same double in the fewest digits.
#ifndef GM_BASE_NUMBER_H
#define GM_BASE_NUMBER_H

#include "base/str.h"

// Reads the longest JSON number at the front of text ("-12.5e3"; no leading '+', no leading zeros, no NaN).
// Returns its length in bytes, 0 when there is none. Out of range: *out_value is +-HUGE_VAL.
// Correctly rounded (round to nearest, ties to even). About 10 ns for a typical sensor value.
size_t gm_number_read(gm_str text, double *out_value);

// The same for a whole number: text must be an integer literal ("-12", no fraction, no exponent) in the range of
// int64_t. Returns its length, 0 when it is not one or does not fit.
size_t gm_number_read_int(gm_str text, int64_t *out_value);

// Writes the shortest text that reads back as value ("21.37", "1e-07" as 1e-07, "5"); NaN and infinities as "null".
// Returns the length; out has room for GM_NUMBER_TEXT bytes including a NUL.
enum { GM_NUMBER_TEXT = 32 };
size_t gm_number_write(double value, char out[GM_NUMBER_TEXT]);

#endif
