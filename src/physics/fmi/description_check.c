// Finding variables, and the standard's rules that span more than one attribute.
#include "physics/fmi/description.h"

#include "base/index.h"

#include <stdio.h>

enum { FINDINGS_MAX = 1000 };

void gm_fmu_finding(gm_fmu_description *d, const char *fmt, ...)
{
    if (++d->finding_count > FINDINGS_MAX) return;
    char    line[300];
    va_list arguments;
    va_start(arguments, fmt);
    vsnprintf(line, sizeof line, fmt, arguments);
    va_end(arguments);
    gm_buf_text(&d->findings, line);
    gm_buf_byte(&d->findings, '\n');
}

const gm_fmu_variable *gm_fmu_find(const gm_fmu_description *d, gm_str name)
{
    uint32_t i = gm_index_find(&d->names, name);
    return i != GM_INDEX_NONE ? &d->variables[i] : NULL;
}

const gm_fmu_variable *gm_fmu_find_reference(const gm_fmu_description *d, uint32_t reference)
{
    uint32_t i = gm_index_find(&d->references, (gm_str){ (const char *)&reference, sizeof reference });
    return i != GM_INDEX_NONE ? &d->variables[i] : NULL;
}

static bool same_name(const void *owner, uint32_t id, gm_str key)
{
    return gm_str_eq(((const gm_fmu_description *)owner)->variables[id].name, key);
}

static bool same_reference(const void *owner, uint32_t id, gm_str key)
{
    return memcmp(&((const gm_fmu_description *)owner)->variables[id].reference, key.ptr, sizeof(uint32_t)) == 0;
}

// Names are unique; references are unique in FMI 3, and may be shared by variables of one type (aliases) in FMI 2.
void gm_fmu_description_index(gm_fmu_description *d)
{
    d->names      = gm_index_init(d->findings.alloc, same_name, d);
    d->references = gm_index_init(d->findings.alloc, same_reference, d);
    for (uint32_t i = 0; i < d->variable_count; i++) {
        const gm_fmu_variable *v = &d->variables[i];
        gm_str reference = { (const char *)&v->reference, sizeof v->reference };
        if (gm_index_find(&d->names, v->name) != GM_INDEX_NONE) gm_fmu_finding(d, "variable " GM_STR_FMT " exists twice", GM_STR_ARG(v->name));
        else if (gm_index_add(&d->names, v->name, i) != GM_OK) d->findings.failed = true;
        uint32_t other = gm_index_find(&d->references, reference);
        if (other != GM_INDEX_NONE && d->version == 3) {
            gm_fmu_finding(d, "variables " GM_STR_FMT " and " GM_STR_FMT " share value reference %u", GM_STR_ARG(d->variables[other].name),
                           GM_STR_ARG(v->name), v->reference);
        } else if (other == GM_INDEX_NONE && gm_index_add(&d->references, reference, i) != GM_OK) {
            d->findings.failed = true;
        }
    }
}

static bool unit_is_defined(const gm_fmu_description *d, gm_str name)
{
    for (uint32_t i = 0; i < d->unit_count; i++) {
        if (gm_str_eq(d->units[i].name, name)) return true;
    }
    return false;
}

static void check_variable(gm_fmu_description *d, const gm_fmu_variable *v)
{
    bool floating  = v->type == GM_FMI_FLOAT64 || v->type == GM_FMI_FLOAT32;
    bool parameter = v->causality == GM_FMI_PARAMETER || v->causality == GM_FMI_STRUCTURAL_PARAMETER;
    if (v->variability == GM_FMI_CONTINUOUS && !floating) {
        gm_fmu_finding(d, "variable " GM_STR_FMT ": only floating-point numbers can be continuous", GM_STR_ARG(v->name));
    }
    if ((parameter || v->causality == GM_FMI_CALCULATED_PARAMETER) && v->variability != GM_FMI_FIXED && v->variability != GM_FMI_TUNABLE) {
        gm_fmu_finding(d, "variable " GM_STR_FMT ": a parameter is fixed or tunable", GM_STR_ARG(v->name));
    }
    bool start_needed = parameter || v->causality == GM_FMI_INPUT || v->variability == GM_FMI_CONSTANT || v->initial == GM_FMI_EXACT ||
                        v->initial == GM_FMI_APPROX;
    if (start_needed && !v->has_start && v->type != GM_FMI_CLOCK) {
        gm_fmu_finding(d, "variable " GM_STR_FMT ": a start value is needed", GM_STR_ARG(v->name));
    }
    if (v->initial == GM_FMI_CALCULATED && v->has_start) {
        gm_fmu_finding(d, "variable " GM_STR_FMT ": calculated, so it may have no start value", GM_STR_ARG(v->name));
    }
    if (v->min > v->max) gm_fmu_finding(d, "variable " GM_STR_FMT ": min %g is above max %g", GM_STR_ARG(v->name), v->min, v->max);
    if (v->unit.ptr != NULL && !unit_is_defined(d, v->unit)) {
        gm_fmu_finding(d, "variable " GM_STR_FMT ": unit " GM_STR_FMT " is not in UnitDefinitions", GM_STR_ARG(v->name), GM_STR_ARG(v->unit));
    }
    if (v->type == GM_FMI_ENUMERATION && v->type_index == GM_FMU_NONE) {
        gm_fmu_finding(d, "variable " GM_STR_FMT ": its enumeration is not in TypeDefinitions", GM_STR_ARG(v->name));
    }
    for (uint32_t i = 0; i < v->dimension_count; i++) {
        if (v->dimensions[i].reference == GM_FMU_NONE) continue;
        const gm_fmu_variable *size = gm_fmu_find_reference(d, v->dimensions[i].reference);
        if (size == NULL || size->type != GM_FMI_UINT64 || (size->causality != GM_FMI_STRUCTURAL_PARAMETER && size->variability != GM_FMI_CONSTANT)) {
            gm_fmu_finding(d, "variable " GM_STR_FMT ": its dimension is not a structural parameter of type UInt64", GM_STR_ARG(v->name));
        }
    }
    if (v->type == GM_FMI_CLOCK && v->interval == GM_FMU_INTERVAL_NONE) {
        gm_fmu_finding(d, "clock " GM_STR_FMT ": intervalVariability is missing", GM_STR_ARG(v->name));
    }
}

static void check_structure(gm_fmu_description *d)
{
    uint32_t outputs = 0, independent = 0;
    for (uint32_t i = 0; i < d->variable_count; i++) {
        outputs += d->variables[i].causality == GM_FMI_OUTPUT;
        independent += d->variables[i].causality == GM_FMI_INDEPENDENT;
    }
    if (outputs != d->output_count) {
        gm_fmu_finding(d, "ModelStructure lists %u outputs, but %u variables are outputs", d->output_count, outputs);
    }
    for (uint32_t i = 0; i < d->output_count; i++) {
        const gm_fmu_variable *v = &d->variables[d->outputs[i]];
        if (v->causality != GM_FMI_OUTPUT) gm_fmu_finding(d, "ModelStructure: " GM_STR_FMT " is no output", GM_STR_ARG(v->name));
    }
    if (independent > 1) gm_fmu_finding(d, "%u independent variables; one is allowed", independent);
    for (uint32_t i = 0; i < d->derivative_count; i++) {
        const gm_fmu_variable *v = &d->variables[d->derivatives[i]];
        if (v->derivative_of == GM_FMU_NONE) gm_fmu_finding(d, "ModelStructure: " GM_STR_FMT " is the derivative of nothing", GM_STR_ARG(v->name));
    }
}

void gm_fmu_description_check(gm_fmu_description *d)
{
    if (!d->interfaces[GM_FMI_CO_SIMULATION].present && !d->interfaces[GM_FMI_MODEL_EXCHANGE].present && !d->interfaces[GM_FMI_SCHEDULED].present) {
        gm_fmu_finding(d, "neither co-simulation nor model exchange nor scheduled execution is offered");
    }
    for (unsigned k = 0; k < GM_FMI_KIND_COUNT; k++) {
        const gm_fmu_interface *i = &d->interfaces[k];
        if (i->serialize && !i->state) gm_fmu_finding(d, "%s: states can be serialised but not saved", gm_fmi_kind_text((gm_fmi_kind)k));
    }
    if (d->has_start && d->has_stop && d->stop < d->start) gm_fmu_finding(d, "the default experiment stops at %g, before it starts", d->stop);
    if (d->has_step && !(d->step > 0)) gm_fmu_finding(d, "the default experiment's step is %g", d->step);
    for (uint32_t i = 0; i < d->variable_count; i++) check_variable(d, &d->variables[i]);
    check_structure(d);
}
