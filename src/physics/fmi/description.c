// modelDescription.xml -> tables. Attributes are checked where they are read; rules that span elements are in
// description_check.c.
#include "physics/fmi/xml.h"

#include <libxml/parser.h>
#include <math.h>
#include <stdlib.h>

// ---- head ---------------------------------------------------------------------------------------------------------------

static bool is_identifier(gm_str text)
{
    if (text.len == 0 || text.len > 200 || (text.ptr[0] >= '0' && text.ptr[0] <= '9')) return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) return false;
    }
    return true;
}

static void read_interface(gm_xml_reader *r, const xmlNode *root, const char *name, gm_fmi_kind kind)
{
    const xmlNode    *node = gm_xml_child(root, name);
    gm_fmu_interface *i    = &r->d->interfaces[kind];
    bool              two  = r->d->version == 2;
    if (node == NULL) return;
    i->present    = true;
    i->identifier = gm_xml_text_of(r, node, "modelIdentifier");
    if (!is_identifier(i->identifier)) gm_xml_broken(r, node, "modelIdentifier=\"%.60s\" is not a C identifier%s", i->identifier.ptr != NULL ? i->identifier.ptr : "", "");
    i->needs_execution_tool = gm_xml_flag_of(r, node, "needsExecutionTool");
    i->single_instance      = gm_xml_flag_of(r, node, "canBeInstantiatedOnlyOncePerProcess");
    i->state                = gm_xml_flag_of(r, node, two ? "canGetAndSetFMUstate" : "canGetAndSetFMUState");
    i->serialize            = gm_xml_flag_of(r, node, two ? "canSerializeFMUstate" : "canSerializeFMUState");
    i->variable_step        = gm_xml_flag_of(r, node, "canHandleVariableCommunicationStepSize");
    i->early_return         = gm_xml_flag_of(r, node, "canReturnEarlyAfterIntermediateUpdate");
    i->intermediate_update  = gm_xml_flag_of(r, node, "providesIntermediateUpdate");
    i->event_mode           = gm_xml_flag_of(r, node, "hasEventMode");
    i->completed_step       = two ? !gm_xml_flag_of(r, node, "completedIntegratorStepNotNeeded") : gm_xml_flag_of(r, node, "needsCompletedIntegratorStep");
    const xmlNode *sources  = gm_xml_child(node, "SourceFiles");
    gm_str        *files    = sources != NULL ? gm_xml_array(r, gm_xml_count_children(sources), sizeof *files) : NULL;
    for (const xmlNode *c = files != NULL ? sources->children : NULL; r->st == GM_OK && c != NULL; c = c->next) {
        if (gm_xml_is(c, "File")) files[i->sources.file_count++] = gm_xml_text_of(r, c, "name");
    }
    i->sources.files        = files;
    i->has_fixed_step       = gm_xml_number_of(r, node, "fixedInternalStepSize", &i->fixed_step) && i->fixed_step > 0;
}

static void read_head(gm_xml_reader *r, const xmlNode *root)
{
    gm_fmu_description *d = r->d;
    d->version_text = gm_xml_text_of(r, root, "fmiVersion");
    if (gm_str_is(d->version_text, "2.0")) d->version = 2;
    else if (gm_str_starts(d->version_text, GM_STR("3."))) d->version = 3;
    else gm_xml_broken(r, root, "fmiVersion \"%.40s\" is not known here%s; 2.0 and 3.0 are", d->version_text.ptr != NULL ? d->version_text.ptr : "", "");
    d->name        = gm_xml_text_of(r, root, "modelName");
    d->token       = gm_xml_text_of(r, root, d->version == 2 ? "guid" : "instantiationToken");
    d->description = gm_xml_text_of(r, root, "description");
    d->author      = gm_xml_text_of(r, root, "author");
    d->copyright   = gm_xml_text_of(r, root, "copyright");
    d->license     = gm_xml_text_of(r, root, "license");
    d->tool        = gm_xml_text_of(r, root, "generationTool");
    d->date        = gm_xml_text_of(r, root, "generationDateAndTime");
    if (d->name.ptr == NULL || d->token.ptr == NULL) gm_xml_broken(r, root, "modelName and %s are needed%s", d->version == 2 ? "guid" : "instantiationToken", "");
    read_interface(r, root, "CoSimulation", GM_FMI_CO_SIMULATION);
    read_interface(r, root, "ModelExchange", GM_FMI_MODEL_EXCHANGE);
    if (d->version == 3) read_interface(r, root, "ScheduledExecution", GM_FMI_SCHEDULED);

    const xmlNode *experiment = gm_xml_child(root, "DefaultExperiment");
    d->has_start     = gm_xml_number_of(r, experiment, "startTime", &d->start);
    d->has_stop      = gm_xml_number_of(r, experiment, "stopTime", &d->stop);
    d->has_tolerance = gm_xml_number_of(r, experiment, "tolerance", &d->tolerance);
    d->has_step      = gm_xml_number_of(r, experiment, "stepSize", &d->step);
}

static void read_units(gm_xml_reader *r, const xmlNode *root)
{
    static const char *const names[8] = { "kg", "m", "s", "A", "K", "mol", "cd", "rad" };
    const xmlNode           *list     = gm_xml_child(root, "UnitDefinitions");
    gm_fmu_description      *d        = r->d;
    d->units = gm_xml_array(r, gm_xml_count_children(list), sizeof *d->units);
    for (const xmlNode *c = list != NULL ? list->children : NULL; r->st == GM_OK && c != NULL; c = c->next) {
        if (!gm_xml_is(c, "Unit")) continue;
        gm_fmu_unit   *unit = &d->units[d->unit_count++];
        const xmlNode *base = gm_xml_child(c, "BaseUnit");
        unit->name          = gm_xml_text_of(r, c, "name");
        unit->has_base      = base != NULL;
        unit->factor        = 1;
        for (size_t i = 0; i < 8; i++) {
            double exponent = 0;
            if (gm_xml_number_of(r, base, names[i], &exponent) && fabs(exponent) <= 100) unit->exponents[i] = (int)exponent;
        }
        gm_xml_number_of(r, base, "factor", &unit->factor);
        gm_xml_number_of(r, base, "offset", &unit->offset);
    }
}

// ---- types and variables ------------------------------------------------------------------------------------------------

static bool type_of(const gm_xml_reader *r, const char *name, gm_fmi_type *out)
{
    static const struct { const char *three, *two; } names[] = {
#define X(id, text3, text2, width) { text3, text2 },
        GM_FMI_TYPE_LIST(X)
#undef X
    };
    for (unsigned i = 0; i < GM_FMI_TYPE_COUNT; i++) {
        if (strcmp(name, r->d->version == 2 ? names[i].two : names[i].three) != 0) continue;
        *out = (gm_fmi_type)i;
        return true;
    }
    return false;
}

static void read_items(gm_xml_reader *r, const xmlNode *node, gm_fmu_enumeration *e)
{
    gm_fmu_item *items = gm_xml_array(r, gm_xml_count_children(node), sizeof *items);
    for (const xmlNode *c = node->children; r->st == GM_OK && c != NULL; c = c->next) {
        if (!gm_xml_is(c, "Item")) continue;
        double value = 0;
        gm_xml_number_of(r, c, "value", &value);
        items[e->item_count++] = (gm_fmu_item){ gm_xml_text_of(r, c, "name"), fabs(value) < 9e15 ? (int64_t)value : 0 };
    }
    e->items = items;
}

static void read_types(gm_xml_reader *r, const xmlNode *root)
{
    const xmlNode      *list = gm_xml_child(root, "TypeDefinitions");
    gm_fmu_description *d    = r->d;
    d->enumerations          = gm_xml_array(r, gm_xml_count_children(list), sizeof *d->enumerations);
    for (const xmlNode *c = list != NULL ? list->children : NULL; r->st == GM_OK && c != NULL; c = c->next) {
        const xmlNode *node = d->version == 2 && gm_xml_is(c, "SimpleType") ? gm_xml_child(c, "Enumeration") : gm_xml_is(c, "EnumerationType") ? c : NULL;
        if (node == NULL) continue;
        gm_fmu_enumeration *e = &d->enumerations[d->enumeration_count++];
        e->name               = gm_xml_text_of(r, c, "name");
        read_items(r, node, e);
    }
}

// The element of the declared type that holds attributes, or NULL.
static const xmlNode *declared(gm_xml_reader *r, const xmlNode *root, gm_str name)
{
    const xmlNode *list = gm_xml_child(root, "TypeDefinitions");
    if (name.ptr == NULL) return NULL;
    for (const xmlNode *c = list != NULL ? list->children : NULL; c != NULL; c = c->next) {
        if (c->type != XML_ELEMENT_NODE) continue;
        xmlChar *raw  = xmlGetNoNsProp(c, (const xmlChar *)"name");
        bool     same = raw != NULL && gm_str_is(name, (const char *)raw);
        xmlFree(raw);
        if (!same) continue;
        if (r->d->version == 3) return c;
        for (const xmlNode *inner = c->children; inner != NULL; inner = inner->next) {
            if (inner->type == XML_ELEMENT_NODE && !gm_xml_is(inner, "Annotations")) return inner;
        }
    }
    return NULL;
}

static unsigned word_of(gm_xml_reader *r, const xmlNode *node, const char *name, const char *const *words, unsigned n, unsigned fallback)
{
    gm_str text = gm_xml_text_of(r, node, name);
    if (text.ptr == NULL) return fallback;
    for (unsigned i = 0; i < n; i++) {
        if (gm_str_is(text, words[i])) return i;
    }
    gm_xml_broken(r, node, "%s=\"%.60s\" is not a word of the standard", name, text.ptr);
    return fallback;
}

static void read_kinds(gm_xml_reader *r, const xmlNode *node, gm_fmu_variable *v)
{
    static const char *const causalities[]   = { "local", "parameter", "calculatedParameter", "structuralParameter", "input", "output",
                                                 "independent", "dependent" };
    static const char *const variabilities[] = { "constant", "fixed", "tunable", "discrete", "continuous" };
    static const char *const initials[]      = { "exact", "approx", "calculated" };
    bool floating  = v->type == GM_FMI_FLOAT64 || v->type == GM_FMI_FLOAT32;
    v->causality   = (gm_fmi_causality)word_of(r, node, "causality", causalities, 8, GM_FMI_LOCAL);
    bool parameter = v->causality == GM_FMI_PARAMETER || v->causality == GM_FMI_CALCULATED_PARAMETER || v->causality == GM_FMI_STRUCTURAL_PARAMETER;
    // FMI 2's default is continuous for every type, which only Real can be (2.0.4, 2.2.7); FMI 3's is by type (3.0.1, 2.4.7.4).
    unsigned natural = floating ? GM_FMI_CONTINUOUS : GM_FMI_DISCRETE;
    v->variability   = (gm_fmi_variability)word_of(r, node, "variability", variabilities, 5, parameter && r->d->version == 3 ? GM_FMI_FIXED : natural);
    v->initial       = (gm_fmi_initial)word_of(r, node, "initial", initials, 3, GM_FMI_INITIAL_NONE);
}

static const char *attribute_source(const xmlNode *node, const char *name)
{
    return node != NULL && xmlHasProp(node, (const xmlChar *)name) != NULL ? name : NULL;
}

// Attributes that the variable may leave to its declared type.
static void read_typed(gm_xml_reader *r, const xmlNode *root, const xmlNode *node, gm_fmu_variable *v)
{
    v->declared_type    = gm_xml_text_of(r, node, "declaredType");
    const xmlNode *type = declared(r, root, v->declared_type);
#define FROM(attribute) (attribute_source(node, attribute) != NULL ? node : type)
    v->unit         = gm_xml_text_of(r, FROM("unit"), "unit");
    v->display_unit = gm_xml_text_of(r, FROM("displayUnit"), "displayUnit");
    v->quantity     = gm_xml_text_of(r, FROM("quantity"), "quantity");
    v->min = v->max = v->nominal = NAN;
    if (v->type != GM_FMI_STRING && v->type != GM_FMI_BINARY && v->type != GM_FMI_BOOLEAN && v->type != GM_FMI_CLOCK) {
        gm_xml_number_of(r, FROM("min"), "min", &v->min);
        gm_xml_number_of(r, FROM("max"), "max", &v->max);
        gm_xml_number_of(r, FROM("nominal"), "nominal", &v->nominal);
    }
    v->type_index = GM_FMU_NONE;
    for (uint32_t i = 0; v->type == GM_FMI_ENUMERATION && i < r->d->enumeration_count; i++) {
        if (gm_str_eq(r->d->enumerations[i].name, v->declared_type)) v->type_index = i;
    }
    if (v->type == GM_FMI_CLOCK) {
        static const char *const words[] = { "", "constant", "fixed", "calculated", "tunable", "changing", "countdown", "triggered" };
        v->interval = (gm_fmu_interval)word_of(r, FROM("intervalVariability"), "intervalVariability", words, 8, GM_FMU_INTERVAL_NONE);
        uint64_t counter = 0, resolution = 1, priority = 0;
        if (!gm_xml_number_of(r, FROM("intervalDecimal"), "intervalDecimal", &v->interval_s) &&
            gm_xml_count_of(r, FROM("intervalCounter"), "intervalCounter", UINT64_MAX, &counter) &&
            gm_xml_count_of(r, FROM("resolution"), "resolution", UINT64_MAX, &resolution) && resolution > 0) {
            v->interval_s = (double)counter / (double)resolution;
        }
        if (!gm_xml_number_of(r, FROM("shiftDecimal"), "shiftDecimal", &v->shift_s) &&
            gm_xml_count_of(r, FROM("shiftCounter"), "shiftCounter", UINT64_MAX, &counter) && resolution > 0) {
            v->shift_s = (double)counter / (double)resolution;
        }
        if (gm_xml_count_of(r, FROM("priority"), "priority", UINT32_MAX, &priority)) v->priority = (uint32_t)priority;
    }
#undef FROM
}

// FMI 3: Dimension and Start elements.
static void read_shape(gm_xml_reader *r, const xmlNode *node, gm_fmu_variable *v)
{
    size_t            n          = gm_xml_count_children(node);
    gm_fmu_dimension *dimensions = n > 0 ? gm_xml_array(r, n, sizeof *dimensions) : NULL;
    gm_str           *starts     = n > 0 ? gm_xml_array(r, n, sizeof *starts) : NULL;
    for (const xmlNode *c = n > 0 ? node->children : NULL; r->st == GM_OK && c != NULL; c = c->next) {
        if (gm_xml_is(c, "Dimension")) {
            gm_fmu_dimension *d = &dimensions[v->dimension_count++];
            d->reference        = gm_xml_reference_of(r, c, "valueReference");
            if (!gm_xml_count_of(r, c, "start", GM_FMU_VARIABLES_MAX, &d->start) && d->reference == GM_FMU_NONE && r->st == GM_OK) {
                gm_xml_broken(r, c, "a Dimension needs start or valueReference%s%s", "", "");
            }
        } else if (gm_xml_is(c, "Start")) {
            starts[v->start_count] = gm_xml_text_of(r, c, "value");
            if (starts[v->start_count].ptr == NULL) starts[v->start_count] = GM_STR("");
            v->start_count++;
        }
    }
    v->dimensions = dimensions;
    v->starts     = starts;
    if (v->dimension_count > GM_FMU_DIMENSIONS_MAX) gm_xml_broken(r, node, "more dimensions than 16%s%s", "", "");
    if (v->start_count > 0) v->has_start = true;
}

static void read_variable(gm_xml_reader *r, const xmlNode *root, const xmlNode *node)
{
    gm_fmu_description *d     = r->d;
    gm_fmu_variable    *v     = &d->variables[d->variable_count];
    const xmlNode      *typed = node;  // the element with the type's attributes
    bool                known = false;
    if (d->version == 3) {
        known = type_of(r, (const char *)node->name, &v->type);
        if (!known) return;  // an extension's element
    }
    for (const xmlNode *c = d->version == 2 ? node->children : NULL; c != NULL && !known; c = c->next) {
        if (c->type != XML_ELEMENT_NODE || !type_of(r, (const char *)c->name, &v->type)) continue;
        known = true;
        typed = c;
    }
    if (!known) {
        gm_xml_broken(r, node, "a variable without a type%s%s", "", "");
        return;
    }
    d->variable_count++;
    v->name          = gm_xml_text_of(r, node, "name");
    v->description   = gm_xml_text_of(r, node, "description");
    v->reference     = gm_xml_reference_of(r, node, "valueReference");
    v->derivative_of = GM_FMU_NONE;
    if (v->name.ptr == NULL || v->reference == GM_FMU_NONE) gm_xml_broken(r, node, "a variable needs name and valueReference%s%s", "", "");
    read_kinds(r, node, v);
    read_typed(r, root, typed, v);
    v->start     = gm_xml_text_of(r, typed, "start");
    v->has_start = v->start.ptr != NULL;
    if (d->version == 3) {
        read_shape(r, node, v);
        v->clocks = gm_xml_list_of(r, node, "clocks", &v->clock_count);
    }
    uint64_t derivative;
    if (gm_xml_count_of(r, typed, "derivative", UINT32_MAX - 1, &derivative)) v->derivative_of = (uint32_t)derivative;  // resolved later
}

// In FMI 2 "derivative" is a 1-based index, in FMI 3 a value reference.
static void resolve_derivatives(gm_fmu_description *d)
{
    for (uint32_t i = 0; i < d->variable_count; i++) {
        gm_fmu_variable *v = &d->variables[i];
        if (v->derivative_of == GM_FMU_NONE) continue;
        uint32_t given = v->derivative_of;
        if (d->version == 2) {
            v->derivative_of = given >= 1 && given <= d->variable_count ? given - 1 : GM_FMU_NONE;
        } else {
            const gm_fmu_variable *state = gm_fmu_find_reference(d, given);
            v->derivative_of             = state != NULL ? (uint32_t)(state - d->variables) : GM_FMU_NONE;
        }
        if (v->derivative_of == GM_FMU_NONE) gm_fmu_finding(d, "variable " GM_STR_FMT ": derivative names no variable", GM_STR_ARG(v->name));
    }
}

// ---- structure ----------------------------------------------------------------------------------------------------------

static uint32_t structure_index(gm_xml_reader *r, const xmlNode *node)
{
    gm_fmu_description *d = r->d;
    if (d->version == 2) {
        uint64_t index = 0;
        gm_xml_count_of(r, node, "index", UINT32_MAX - 1, &index);
        if (index >= 1 && index <= d->variable_count) return (uint32_t)index - 1;
    } else {
        const gm_fmu_variable *v = gm_fmu_find_reference(d, gm_xml_reference_of(r, node, "valueReference"));
        if (v != NULL) return (uint32_t)(v - d->variables);
    }
    gm_fmu_finding(d, "ModelStructure: %s in line %ld names no variable", (const char *)node->name, xmlGetLineNo(node));
    return GM_FMU_NONE;
}

static void read_list(gm_xml_reader *r, const xmlNode *list, const char *element, uint32_t **out_items, uint32_t *out_count)
{
    *out_items = gm_xml_array(r, gm_xml_count_children(list), sizeof **out_items);
    for (const xmlNode *c = list != NULL ? list->children : NULL; r->st == GM_OK && c != NULL; c = c->next) {
        if (!gm_xml_is(c, element)) continue;
        uint32_t index = structure_index(r, c);
        if (index != GM_FMU_NONE) (*out_items)[(*out_count)++] = index;
    }
}

static void read_structure(gm_xml_reader *r, const xmlNode *root)
{
    gm_fmu_description *d    = r->d;
    const xmlNode      *list = gm_xml_child(root, "ModelStructure");
    bool                two  = d->version == 2;
    if (list == NULL) gm_fmu_finding(d, "there is no ModelStructure element");
    read_list(r, two ? gm_xml_child(list, "Outputs") : list, two ? "Unknown" : "Output", &d->outputs, &d->output_count);
    read_list(r, two ? gm_xml_child(list, "Derivatives") : list, two ? "Unknown" : "ContinuousStateDerivative", &d->derivatives, &d->derivative_count);
    read_list(r, two ? gm_xml_child(list, "InitialUnknowns") : list, two ? "Unknown" : "InitialUnknown", &d->unknowns, &d->unknown_count);
    if (two) {
        uint64_t n = 0;
        gm_xml_count_of(r, root, "numberOfEventIndicators", GM_FMU_VARIABLES_MAX, &n);
        d->indicator_count = (uint32_t)n;
    } else {
        read_list(r, list, "EventIndicator", &d->indicators, &d->indicator_count);
    }
}

static void read_all(gm_xml_reader *r, const xmlNode *root)
{
    gm_fmu_description *d = r->d;
    read_head(r, root);
    if (r->st == GM_OK) read_units(r, root);
    if (r->st == GM_OK) read_types(r, root);
    if (r->st != GM_OK) return;
    const xmlNode *list = gm_xml_child(root, "ModelVariables");
    d->variables        = gm_xml_array(r, gm_xml_count_children(list), sizeof *d->variables);
    for (const xmlNode *c = list != NULL ? list->children : NULL; r->st == GM_OK && c != NULL; c = c->next) {
        if (c->type == XML_ELEMENT_NODE) read_variable(r, root, c);
    }
    if (r->st != GM_OK) return;
    gm_fmu_description_index(d);
    resolve_derivatives(d);
    read_structure(r, root);
    if (r->st == GM_OK) gm_fmu_description_check(d);
    if (r->st == GM_OK && d->findings.failed) gm_xml_no_memory(r);
}

gm_status gm_fmu_description_parse(gm_arena *arena, gm_str text, gm_fmu_description **out_description, gm_error *err)
{
    *out_description = NULL;
    if (text.len > GM_FMU_DESCRIPTION_MAX) return gm_fail(err, GM_LIMIT, "fmi.description", "%zu bytes of description", text.len);
    gm_fmu_description *d     = GM_ARENA_NEW(arena, gm_fmu_description, 1);
    gm_alloc           *alloc = GM_ARENA_NEW(arena, gm_alloc, 1);
    if (d == NULL || alloc == NULL) return gm_fail(err, GM_NOMEM, "fmi.description", "reading modelDescription.xml");
    *alloc      = gm_arena_alloc(arena);
    d->findings = gm_buf_init(alloc);
    gm_xml_reader r = { .arena = arena, .d = d, .err = err, .file = "modelDescription.xml" };

    xmlDocPtr doc = gm_xml_parse(&r, text, "fmiModelDescription");
    if (doc != NULL) read_all(&r, xmlDocGetRootElement(doc));
    xmlFreeDoc(doc);
    if (r.st == GM_OK) *out_description = d;
    return r.st;
}
