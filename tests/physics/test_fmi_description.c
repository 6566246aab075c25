// modelDescription.xml: what is read, what is refused, which broken rules are told.
#include "physics/fmi/description.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>

static gm_status parse(gm_arena *arena, gm_str text, gm_fmu_description **d, gm_error *err)
{
    *err = (gm_error){ 0 };
    return gm_fmu_description_parse(arena, text, d, err);
}

static gm_str file(gm_arena *arena, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/physics/fmu/%s", gm_test_root(), name);
    gm_buf bytes = gm_test_read_file(path);
    gm_str text  = gm_arena_str(arena, gm_buf_view(&bytes));
    gm_buf_finish(&bytes);
    return text;
}

static void both_versions_describe_the_same_model(void **state)
{
    (void)state;
    static const char *const names[] = { "toy2.xml", "toy3.xml" };
    for (int i = 0; i < 2; i++) {
        gm_arena           *arena = gm_arena_create(gm_alloc_system(), 0);
        gm_fmu_description *d;
        gm_error            err;
        assert_gm_ok(parse(arena, file(arena, names[i]), &d, &err), err);
        assert_int_equal(d->version, i + 2);
        if (d->finding_count != 0) fail_msg("%s: " GM_STR_FMT, names[i], GM_STR_ARG(gm_buf_view(&d->findings)));
        assert_int_equal(d->derivative_count, 2);
        assert_int_equal(d->indicator_count, 1);
        const gm_fmu_variable *h = gm_fmu_find(d, GM_STR("h")), *der = gm_fmu_find(d, GM_STR("der(h)"));
        assert_true(h != NULL && der != NULL && &d->variables[der->derivative_of] == h);
        assert_true(gm_str_is(h->unit, "m"));  // from its declared type
        assert_int_equal(h->causality, GM_FMI_OUTPUT);
        assert_int_equal(h->variability, GM_FMI_CONTINUOUS);
        assert_true(isnan(h->min));
        const gm_fmu_variable *mode = gm_fmu_find(d, GM_STR("mode"));
        assert_int_equal(d->enumerations[mode->type_index].items[1].value, 2);
        assert_true(d->has_stop && d->stop == 3);
        gm_arena_destroy(arena);
    }
}

#define HEAD3 "<fmiModelDescription fmiVersion='3.0' modelName='m' instantiationToken='t'><CoSimulation modelIdentifier='m'/>"
#define TAIL "<ModelStructure/></fmiModelDescription>"

static void what_can_not_be_used_is_refused(void **state)
{
    (void)state;
    static const struct { const char *text, *says; } cases[] = {
        { "", "modelDescription.xml" },
        { "<a>", "modelDescription.xml" },
        { "<a/>", "not fmiModelDescription" },
        { "<!DOCTYPE a [<!ENTITY x 'y'>]><fmiModelDescription fmiVersion='3.0' modelName='&x;' instantiationToken='t'/>", "document type" },
        { "<fmiModelDescription fmiVersion='1.0' modelName='m' guid='g'/>", "fmiVersion" },
        { "<fmiModelDescription fmiVersion='2.0' guid='g'/>", "modelName" },
        { "<fmiModelDescription fmiVersion='2.0' modelName='m' guid='g'><CoSimulation modelIdentifier='../x'/></fmiModelDescription>", "C identifier" },
        { HEAD3 "<ModelVariables><Float64 name='x'/></ModelVariables>" TAIL, "valueReference" },
        { HEAD3 "<ModelVariables><Float64 name='x' valueReference='-1'/></ModelVariables>" TAIL, "valueReference" },
        { HEAD3 "<ModelVariables><Float64 name='x' valueReference='1' causality='both'/></ModelVariables>" TAIL, "word of the standard" },
        { HEAD3 "<ModelVariables><Float64 name='x' valueReference='1' min='low'/></ModelVariables>" TAIL, "not a number" },
        { HEAD3 "<ModelVariables><Float64 name='x' valueReference='1'><Dimension/></Float64></ModelVariables>" TAIL, "Dimension" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_arena           *arena = gm_arena_create(gm_alloc_system(), 0);
        gm_fmu_description *d;
        gm_error            err;
        if (parse(arena, gm_str_of(cases[i].text), &d, &err) != GM_INVALID || strstr(err.text, cases[i].says) == NULL) {
            fail_msg("%s: '%s'", cases[i].text, err.text);
        }
        gm_arena_destroy(arena);
    }
}

static void broken_rules_are_findings(void **state)
{
    (void)state;
    static const struct { const char *variables, *says; } cases[] = {
        { "<Int32 name='x' valueReference='1' variability='continuous'/>", "only floating-point" },
        { "<Int32 name='x' valueReference='1'/><Int32 name='x' valueReference='2'/>", "exists twice" },
        { "<Int32 name='x' valueReference='1'/><Int32 name='y' valueReference='1'/>", "share value reference" },
        { "<Float64 name='x' valueReference='1' causality='input'/>", "start value is needed" },
        { "<Float64 name='x' valueReference='1' initial='calculated' start='1'/>", "no start value" },
        { "<Float64 name='x' valueReference='1' min='2' max='1'/>", "min 2 is above max 1" },
        { "<Float64 name='x' valueReference='1' unit='parsec'/>", "UnitDefinitions" },
        { "<Float64 name='x' valueReference='1' causality='output'/>", "outputs" },
        { "<Float64 name='x' valueReference='1' causality='parameter' variability='continuous' start='1'/>", "fixed or tunable" },
        { "<Enumeration name='x' valueReference='1'/>", "enumeration is not in" },
        { "<Float64 name='x' valueReference='1'><Dimension valueReference='7'/></Float64>", "structural parameter" },
        { "<Clock name='c' valueReference='1' causality='input'/>", "intervalVariability" },
        { "<Float64 name='x' valueReference='1' derivative='9'/>", "names no variable" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_arena           *arena = gm_arena_create(gm_alloc_system(), 0);
        gm_fmu_description *d;
        gm_error            err;
        gm_str text = gm_arena_printf(arena, HEAD3 "<ModelVariables>%s</ModelVariables>" TAIL, cases[i].variables);
        assert_gm_ok(parse(arena, text, &d, &err), err);
        gm_str findings = gm_buf_view(&d->findings);
        if (gm_str_find(findings, gm_str_of(cases[i].says)) == SIZE_MAX) fail_msg("%s: '" GM_STR_FMT "'", cases[i].variables, GM_STR_ARG(findings));
        gm_arena_destroy(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_versions_describe_the_same_model),
        cmocka_unit_test(what_can_not_be_used_is_refused),
        cmocka_unit_test(broken_rules_are_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
