#include "physics/fmi/types.h"

#include <assert.h>

static const struct { const char *text; size_t width; } types[] = {
#define X(name, text3, text2, width) { text3, width },
    GM_FMI_TYPE_LIST(X)
#undef X
};

const char *gm_fmi_type_text(gm_fmi_type type)
{
    assert(type < GM_FMI_TYPE_COUNT);
    return types[type].text;
}

size_t gm_fmi_type_width(gm_fmi_type type)
{
    assert(type < GM_FMI_TYPE_COUNT);
    return types[type].width;
}

const char *gm_fmi_kind_text(gm_fmi_kind kind)
{
    static const char *const texts[] = { "co-simulation", "model exchange", "scheduled execution" };
    assert(kind < GM_FMI_KIND_COUNT);
    return texts[kind];
}

const char *gm_fmi_causality_text(gm_fmi_causality causality)
{
    static const char *const texts[] = { "local", "parameter", "calculatedParameter", "structuralParameter", "input", "output",
                                         "independent", "dependent" };
    assert(causality < GM_FMI_CAUSALITY_COUNT);
    return texts[causality];
}

const char *gm_fmi_variability_text(gm_fmi_variability variability)
{
    static const char *const texts[] = { "constant", "fixed", "tunable", "discrete", "continuous" };
    assert(variability < GM_FMI_VARIABILITY_COUNT);
    return texts[variability];
}

const char *gm_fmi_status_text(gm_fmi_status status)
{
    static const char *const texts[] = { "OK", "Warning", "Discard", "Error", "Fatal", "Pending" };
    assert(status < GM_FMI_STATUS_COUNT);
    return texts[status];
}
