// modelDescription.xml and sources/buildDescription.xml of an exported FMU (FMI 2.0.4, 2.2; FMI 3.0.1, 2.4 and 2.5).
#include "physics/fmi/export_parts.h"

#include "base/number.h"
#include "base/units.h"

#include <math.h>
#include <stdio.h>

static void attribute(gm_buf *out, const char *name, gm_str text)
{
    gm_buf_printf(out, " %s=\"", name);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '<') gm_buf_text(out, "&lt;");
        else if (c == '>') gm_buf_text(out, "&gt;");
        else if (c == '&') gm_buf_text(out, "&amp;");
        else if (c == '"') gm_buf_text(out, "&quot;");
        else gm_buf_byte(out, c < 32 ? ' ' : c);
    }
    gm_buf_byte(out, '"');
}

static void real_attribute(gm_buf *out, const char *name, double value)
{
    char   text[GM_NUMBER_TEXT];
    size_t n = gm_number_write(value, text);
    if (isfinite(value)) attribute(out, name, (gm_str){ text, n });
}

// ---- units ------------------------------------------------------------------------------------------------------------

static void base_unit(gm_buf *out, const char *element, const gm_unit *unit, double factor, double offset, gm_str name)
{
    static const char *const names[] = { "m", "kg", "s", "A", "K", "mol", "cd", "rad" };
    gm_buf_printf(out, "<%s", element);
    if (name.len > 0) attribute(out, "name", name);
    for (unsigned i = 0; name.len == 0 && i < sizeof names / sizeof names[0]; i++) {
        if (unit->dim[i] != 0) gm_buf_printf(out, " %s=\"%d\"", names[i], unit->dim[i]);
    }
    if (factor != 1) real_attribute(out, "factor", factor);
    if (offset != 0) real_attribute(out, "offset", offset);
    gm_buf_text(out, "/>");
}

static bool first_with_unit(const gm_export *x, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++) {
        if (gm_str_eq(x->variables[i].unit, x->variables[index].unit)) return false;
    }
    return true;
}

static bool first_with_display(const gm_export *x, uint32_t index)
{
    const gm_export_variable *v = &x->variables[index];
    for (uint32_t i = 0; i < index; i++) {
        if (gm_str_eq(x->variables[i].unit, v->unit) && gm_str_eq(x->variables[i].display_unit, v->display_unit)) return false;
    }
    return true;
}

// Is the display unit one that can be told, and another than the unit?
static bool shown_apart(const gm_export_variable *v, gm_unit *unit, gm_unit *display)
{
    return v->type == GM_SLOT_REAL && v->unit.len > 0 && v->display_unit.len > 0 && !gm_str_eq(v->unit, v->display_unit) &&
           gm_unit_parse(v->unit, unit, NULL) == GM_OK && gm_unit_parse(v->display_unit, display, NULL) == GM_OK && gm_unit_comparable(unit, display);
}

static void units(const gm_export *x, gm_buf *out)
{
    bool any = false;
    for (uint32_t i = 0; i < x->variable_count; i++) {
        const gm_export_variable *v = &x->variables[i];
        gm_unit                   unit, display;
        if (v->unit.len == 0 || !first_with_unit(x, i)) continue;
        if (!any) gm_buf_text(out, "  <UnitDefinitions>\n");
        any = true;
        gm_buf_text(out, "    <Unit");
        attribute(out, "name", v->unit);
        gm_buf_byte(out, '>');
        if (gm_unit_parse(v->unit, &unit, NULL) == GM_OK) base_unit(out, "BaseUnit", &unit, unit.factor, unit.offset, (gm_str){ NULL, 0 });
        for (uint32_t k = i; k < x->variable_count; k++) {
            const gm_export_variable *other = &x->variables[k];
            if (!gm_str_eq(other->unit, v->unit) || !shown_apart(other, &unit, &display) || !first_with_display(x, k)) continue;
            // value in SI = u * unit.factor + unit.offset = d * display.factor + display.offset
            base_unit(out, "DisplayUnit", NULL, unit.factor / display.factor, (unit.offset - display.offset) / display.factor, other->display_unit);
        }
        gm_buf_text(out, "</Unit>\n");
    }
    if (any) gm_buf_text(out, "  </UnitDefinitions>\n");
}

// ---- variables --------------------------------------------------------------------------------------------------------

static const char *causality(const gm_export_variable *v)
{
    switch (v->role) {
    case GM_EXPORT_TIME: return "independent";
    case GM_EXPORT_PARAMETER: return "parameter";
    case GM_EXPORT_DEPENDENT: return "calculatedParameter";
    case GM_EXPORT_INPUT: return "input";
    default: return v->output ? "output" : "local";
    }
}

static bool is_real(const gm_export_variable *v) { return v->type == GM_SLOT_REAL; }

static const char *variability(const gm_export_variable *v)
{
    if (v->role == GM_EXPORT_PARAMETER || v->role == GM_EXPORT_DEPENDENT) return "tunable";
    return is_real(v) && v->role != GM_EXPORT_DISCRETE ? "continuous" : "discrete";
}

// How the value before the run comes about; NULL where the standard forbids to say.
static const char *initial(const gm_export_variable *v)
{
    if (v->role == GM_EXPORT_TIME || v->role == GM_EXPORT_INPUT) return NULL;
    return v->exact ? "exact" : "calculated";
}

static void numbers_of(const gm_export_variable *v, gm_buf *out)
{
    gm_unit unit, display;
    if (v->exact && v->type == GM_SLOT_BOOLEAN) gm_buf_printf(out, " start=\"%s\"", v->slot->start != 0 ? "true" : "false");
    else if (v->exact && !is_real(v)) gm_buf_printf(out, " start=\"%lld\"", (long long)v->slot->start);
    else if (v->exact) real_attribute(out, "start", isfinite(v->slot->start) ? v->slot->start : 0);
    if (!is_real(v)) return;
    if (v->unit.len > 0) attribute(out, "unit", v->unit);
    if (shown_apart(v, &unit, &display)) attribute(out, "displayUnit", v->display_unit);
    if (v->slot == NULL || v->negated) return;
    if (v->slot->flags & GM_SLOT_BOUNDED) {
        real_attribute(out, "min", v->slot->min);
        real_attribute(out, "max", v->slot->max);
    }
    if (v->slot->nominal > 0 && v->slot->nominal != 1) real_attribute(out, "nominal", v->slot->nominal);
}

static void common(const gm_export_variable *v, uint32_t reference, gm_buf *out)
{
    attribute(out, "name", v->name);
    gm_buf_printf(out, " valueReference=\"%u\"", reference);
    if (v->description.len > 0) attribute(out, "description", v->description);
    gm_buf_printf(out, " causality=\"%s\" variability=\"%s\"", causality(v), variability(v));
    if (initial(v) != NULL) gm_buf_printf(out, " initial=\"%s\"", initial(v));
}

static void variable2(const gm_export_variable *v, uint32_t reference, gm_buf *out)
{
    static const char *const types[] = { "Real", "Integer", "Boolean", "Integer" };
    gm_buf_text(out, "    <ScalarVariable");
    common(v, reference, out);
    gm_buf_printf(out, "><%s", types[v->type]);
    numbers_of(v, out);
    if (v->reinit) gm_buf_text(out, " reinit=\"true\"");
    if (v->role == GM_EXPORT_SLOPE) gm_buf_printf(out, " derivative=\"%u\"", v->state + 1);
    gm_buf_text(out, "/></ScalarVariable>\n");
}

static void variable3(const gm_export_variable *v, uint32_t reference, gm_buf *out)
{
    static const char *const types[] = { "Float64", "Int32", "Boolean", "Int32" };
    gm_buf_printf(out, "    <%s", types[v->type]);
    common(v, reference, out);
    numbers_of(v, out);
    if (v->reinit) gm_buf_text(out, " reinit=\"true\"");
    if (v->role == GM_EXPORT_SLOPE) gm_buf_printf(out, " derivative=\"%u\"", v->state);
    gm_buf_text(out, "/>\n");
}

// ---- structure --------------------------------------------------------------------------------------------------------

static bool is_output(const gm_export_variable *v) { return v->output && v->role != GM_EXPORT_PARAMETER && v->role != GM_EXPORT_DEPENDENT; }
static bool is_slope(const gm_export_variable *v) { return v->role == GM_EXPORT_SLOPE; }
static bool is_indicator(const gm_export_variable *v) { return v->role == GM_EXPORT_INDICATOR; }
static bool is_initial_unknown(const gm_export_variable *v)
{
    return !v->exact && (is_output(v) || v->role == GM_EXPORT_DEPENDENT || v->role == GM_EXPORT_STATE || v->role == GM_EXPORT_SLOPE);
}

static void list(const gm_export *x, const char *group, const char *element, bool (*belongs)(const gm_export_variable *), gm_buf *out)
{
    bool any = false;
    for (uint32_t i = 0; i < x->variable_count; i++) {
        if (!belongs(&x->variables[i])) continue;
        if (!any && group != NULL) gm_buf_printf(out, "    <%s>\n", group);
        any = true;
        if (x->options.version == 2) gm_buf_printf(out, "      <Unknown index=\"%u\"/>\n", i + 1);
        else gm_buf_printf(out, "    <%s valueReference=\"%u\"/>\n", element, i);
    }
    if (any && group != NULL) gm_buf_printf(out, "    </%s>\n", group);
}

static void structure(const gm_export *x, gm_buf *out)
{
    bool two = x->options.version == 2;
    gm_buf_text(out, "  <ModelStructure>\n");
    list(x, two ? "Outputs" : NULL, "Output", is_output, out);
    list(x, two ? "Derivatives" : NULL, "ContinuousStateDerivative", is_slope, out);
    list(x, two ? "InitialUnknowns" : NULL, "InitialUnknown", is_initial_unknown, out);
    if (!two) list(x, NULL, "EventIndicator", is_indicator, out);
    gm_buf_text(out, "  </ModelStructure>\n");
}

// ---- the documents ----------------------------------------------------------------------------------------------------

static void source_files(const gm_export *x, const char *indent, const char *element, gm_buf *out)
{
    size_t                 count;
    const gm_carried_text *texts = gm_carried_texts(&count);
    gm_buf_printf(out, "%s<%s name=\"model.c\"/>\n", indent, element);
    for (size_t i = 0; i < count; i++) {
        if (!gm_carried_in(&texts[i], x->options.version) || !gm_carried_is_source(&texts[i])) continue;
        gm_buf_printf(out, "%s<%s name=\"" GM_STR_FMT "\"/>\n", indent, element, GM_STR_ARG(texts[i].file));
    }
}

static void interface(const gm_export *x, const char *element, const char *extra, gm_buf *out)
{
    bool two = x->options.version == 2;
    gm_buf_printf(out, "  <%s", element);
    attribute(out, "modelIdentifier", x->identifier);
    gm_buf_printf(out, two ? " canGetAndSetFMUstate=\"true\" canSerializeFMUstate=\"true\"%s" : " canGetAndSetFMUState=\"true\" canSerializeFMUState=\"true\"%s", extra);
    if (!two) {
        gm_buf_text(out, "/>\n");
        return;
    }
    gm_buf_text(out, ">\n    <SourceFiles>\n");
    source_files(x, "      ", "File", out);
    gm_buf_printf(out, "    </SourceFiles>\n  </%s>\n", element);
}

static void experiment(const gm_export *x, gm_buf *out)
{
    const gm_fmu_export_options *o = &x->options;
    gm_buf_text(out, "  <DefaultExperiment");
    real_attribute(out, "startTime", o->start);
    real_attribute(out, "stopTime", o->stop);
    real_attribute(out, "tolerance", o->tolerance);
    real_attribute(out, "stepSize", o->step);
    gm_buf_text(out, "/>\n");
}

void gm_export_description(const gm_export *x, gm_buf *out)
{
    bool     two = x->options.version == 2;
    uint32_t indicators;
    gm_program_relations(x->program, &indicators);
    gm_buf_printf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<fmiModelDescription fmiVersion=\"%s\"", two ? "2.0" : "3.0");
    attribute(out, "modelName", gm_program_name(x->program));
    attribute(out, two ? "guid" : "instantiationToken", gm_str_of(x->token));
    if (gm_program_description(x->program).len > 0) attribute(out, "description", gm_program_description(x->program));
    gm_buf_text(out, " generationTool=\"gemel\" variableNamingConvention=\"structured\"");
    if (two) gm_buf_printf(out, " numberOfEventIndicators=\"%u\"", indicators);
    gm_buf_text(out, ">\n");
    interface(x, "ModelExchange", two ? "" : " needsCompletedIntegratorStep=\"true\"", out);
    interface(x, "CoSimulation", " canHandleVariableCommunicationStepSize=\"true\"", out);
    units(x, out);
    experiment(x, out);
    gm_buf_text(out, "  <ModelVariables>\n");
    for (uint32_t i = 0; i < x->variable_count; i++) (two ? variable2 : variable3)(&x->variables[i], i, out);
    gm_buf_text(out, "  </ModelVariables>\n");
    structure(x, out);
    gm_buf_text(out, "</fmiModelDescription>\n");
}

void gm_export_build_description(const gm_export *x, gm_buf *out)
{
    gm_buf_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<fmiBuildDescription fmiVersion=\"3.0\">\n  <BuildConfiguration");
    attribute(out, "modelIdentifier", x->identifier);
    gm_buf_text(out, ">\n    <SourceFileSet language=\"C11\" compilerOptions=\"-ffp-contract=off\">\n");
    source_files(x, "      ", "SourceFile", out);
    gm_buf_text(out, "    </SourceFileSet>\n    <Library name=\"m\"/>\n  </BuildConfiguration>\n</fmiBuildDescription>\n");
}
