// physics/fmi/types.h: the words of the FMI standard (2.0.4 and 3.0.1) that every part of the import shares.
#ifndef GM_PHYSICS_FMI_TYPES_H
#define GM_PHYSICS_FMI_TYPES_H

#include "base/status.h"

// FMI 2's Real is FLOAT64, its Integer INT32. The width is that of one value between the processes; 0 = length + bytes.
#define GM_FMI_TYPE_LIST(X)                           \
    X(GM_FMI_FLOAT64,     "Float64",     "Real", 8)   \
    X(GM_FMI_FLOAT32,     "Float32",     "", 4)       \
    X(GM_FMI_INT8,        "Int8",        "", 1)       \
    X(GM_FMI_UINT8,       "UInt8",       "", 1)       \
    X(GM_FMI_INT16,       "Int16",       "", 2)       \
    X(GM_FMI_UINT16,      "UInt16",      "", 2)       \
    X(GM_FMI_INT32,       "Int32",       "Integer", 4) \
    X(GM_FMI_UINT32,      "UInt32",      "", 4)       \
    X(GM_FMI_INT64,       "Int64",       "", 8)       \
    X(GM_FMI_UINT64,      "UInt64",      "", 8)       \
    X(GM_FMI_BOOLEAN,     "Boolean",     "Boolean", 1) \
    X(GM_FMI_STRING,      "String",      "String", 0) \
    X(GM_FMI_BINARY,      "Binary",      "", 0)       \
    X(GM_FMI_ENUMERATION, "Enumeration", "Enumeration", 8) \
    X(GM_FMI_CLOCK,       "Clock",       "", 1)

typedef enum gm_fmi_type {
#define X(name, text3, text2, width) name,
    GM_FMI_TYPE_LIST(X)
#undef X
    GM_FMI_TYPE_COUNT
} gm_fmi_type;

typedef enum gm_fmi_kind { GM_FMI_CO_SIMULATION, GM_FMI_MODEL_EXCHANGE, GM_FMI_SCHEDULED, GM_FMI_KIND_COUNT } gm_fmi_kind;

typedef enum gm_fmi_causality {
    GM_FMI_LOCAL, GM_FMI_PARAMETER, GM_FMI_CALCULATED_PARAMETER, GM_FMI_STRUCTURAL_PARAMETER, GM_FMI_INPUT, GM_FMI_OUTPUT,
    GM_FMI_INDEPENDENT, GM_FMI_DEPENDENT, GM_FMI_CAUSALITY_COUNT
} gm_fmi_causality;

typedef enum gm_fmi_variability {
    GM_FMI_CONSTANT, GM_FMI_FIXED, GM_FMI_TUNABLE, GM_FMI_DISCRETE, GM_FMI_CONTINUOUS, GM_FMI_VARIABILITY_COUNT
} gm_fmi_variability;

typedef enum gm_fmi_initial { GM_FMI_EXACT, GM_FMI_APPROX, GM_FMI_CALCULATED, GM_FMI_INITIAL_NONE } gm_fmi_initial;

// What an FMI function returns; the same numbers in both versions (PENDING in 2 only).
typedef enum gm_fmi_status {
    GM_FMI_OK, GM_FMI_WARNING, GM_FMI_DISCARD, GM_FMI_ERROR, GM_FMI_FATAL, GM_FMI_PENDING, GM_FMI_STATUS_COUNT
} gm_fmi_status;

const char *gm_fmi_type_text(gm_fmi_type type);  // in FMI 3's words
const char *gm_fmi_kind_text(gm_fmi_kind kind);
const char *gm_fmi_causality_text(gm_fmi_causality causality);
const char *gm_fmi_variability_text(gm_fmi_variability variability);
const char *gm_fmi_status_text(gm_fmi_status status);
size_t      gm_fmi_type_width(gm_fmi_type type);

#endif
