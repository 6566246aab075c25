// base/value.h: one value of a twin's property or telemetry, as it travels from the socket to the column.
//
// Numbers keep the unit that the model declares for their column (the twin gives back what was written to it, to
// the last digit); gm_column.unit_si turns them into SI where equations begin.
#ifndef GM_BASE_VALUE_H
#define GM_BASE_VALUE_H

#include "base/str.h"

typedef enum gm_kind {
    GM_KIND_NONE,    // no value: the property is not set
    GM_KIND_BOOL,    // i is 0 or 1
    GM_KIND_INT,     // i: integer, long and their smaller kin; integer-valued enums
    GM_KIND_DOUBLE,  // d: float and double; never NaN or infinite
    GM_KIND_STRING,  // s: string, date, dateTime, time, duration, uuid, bytes; string-valued enums
    GM_KIND_JSON,    // s: a map, array or other document, as compact JSON text
    GM_KIND_COUNT
} gm_kind;

typedef struct gm_value {
    gm_kind kind;
    union {
        int64_t i;
        double  d;
        gm_str  s;  // viewed
    };
} gm_value;

#endif
