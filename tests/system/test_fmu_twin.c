// A twin whose behavior is an FMU (made by gemel fmu export): checked, and simulated from the twin's values.
#include "physics/fmi/run.h"
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char boiler[] = "model Boiler\n"
                             "  parameter Real C(unit=\"J/K\") = 1e4;\n"
                             "  parameter Real G(unit=\"W/K\") = 10;\n"
                             "  parameter Real ambient(unit=\"K\") = 293.15;\n"
                             "  input Real P(unit=\"W\", start=0);\n"
                             "  output Real T_water(unit=\"K\", start=293.15, fixed=true);\n"
                             "equation\n"
                             "  C*der(T_water) = P - G*(T_water - ambient);\n"
                             "end Boiler;\n";
static const char model[] =
    "{\"@context\":[\"dtmi:dtdl:context;4\",\"dtmi:dtdl:extension:quantitativeTypes;3\"],\"@id\":\"dtmi:t:Boiler;1\","
    "\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":[\"Property\",\"Power\"],\"name\":\"power\",\"schema\":\"double\",\"unit\":\"kilowatt\"},"
    "{\"@type\":\"Property\",\"name\":\"C\",\"schema\":\"double\"},{\"@type\":\"Property\",\"name\":\"label\",\"schema\":\"string\"},"
    "{\"@type\":[\"Telemetry\",\"Temperature\"],\"name\":\"temperature\",\"schema\":\"double\",\"unit\":\"degreeCelsius\"}]}";
static const char derived[] = "{\"@context\":\"dtmi:dtdl:context;4\",\"@id\":\"dtmi:t:Old;1\",\"@type\":\"Interface\",\"extends\":\"dtmi:t:Boiler;1\"}";
static const char twins[] = "[{\"$dtId\":\"boiler\",\"$metadata\":{\"$model\":\"dtmi:t:Old;1\"},\"power\":1,\"C\":5000,\"temperature\":50}]";

typedef struct fixture { char dir[256], plant[300], root[320]; } fixture;

static void put(const fixture *f, const char *name, const char *text)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", f->plant, name);
    gm_test_write_file(path, gm_str_of(text));
}

static int set_up(void **state)
{
    static fixture f;
    char           source[400];
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.plant, sizeof f.plant, "%s/plant", f.dir);
    snprintf(f.root, sizeof f.root, "%s:boiler", f.plant);
    snprintf(source, sizeof source, "%s/boiler.mo", f.dir);
    gm_test_write_file(source, gm_str_of(boiler));
    put(&f, "models/boiler.json", model);
    put(&f, "models/old.json", derived);
    put(&f, "twins/boiler.json", twins);
    put(&f, "behaviors/boiler.json", "{\"interface\":\"dtmi:t:Boiler;1\",\"variables\":{\"power\":\"P\",\"temperature\":\"T_water\"}}");
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    gm_test_remove_dir(((fixture *)*state)->dir);
    return 0;
}

static void export_as(const fixture *f, const char *version)
{
    char source[400], out[400];
    snprintf(source, sizeof source, "%s/boiler.mo", f->dir);
    snprintf(out, sizeof out, "%s/behaviors/boiler.fmu", f->plant);
    gm_ran ran = GM_RUN("fmu", "export", source, "--fmi", version, "--out", out);
    if (ran.code != 0) fail_msg("%s", GM_TEXT(ran.err));
    gm_ran_finish(&ran);
}

// T at the end of a run of 500 s, which is one time constant of C = 5000.
static double end_of(const fixture *f, const char *set)
{
    gm_ran ran = set != NULL ? GM_RUN("simulate", f->root, "--stop", "500", "--points", "2", "--set", set)
                             : GM_RUN("simulate", f->root, "--stop", "500", "--points", "2");
    if (ran.code != 0) fail_msg("%s", GM_TEXT(ran.err));
    assert_int_equal(strncmp(GM_TEXT(ran.out), "time,boiler.T_water\n0,323.15\n250,", 33), 0);
    double value = strtod(strstr(GM_TEXT(ran.out), "\n500,") + 5, NULL);
    gm_ran_finish(&ran);
    return value;
}

static void an_fmu_runs_from_the_values_of_its_twin(void **state)
{
    const fixture           *f          = *state;
    static const char *const versions[] = { "2", "3" };
    if (!gm_fmu_supported()) skip();
    for (size_t i = 0; i < 2; i++) {
        export_as(f, versions[i]);
        gm_ran ran = GM_RUN("check", f->plant);
        if (ran.code != 0) fail_msg("%s", GM_TEXT(ran.out));
        gm_ran_finish(&ran);
        // 1 kW over 10 W/K: 100 K above the surroundings in the end; it begins at 50 degrees Celsius.
        assert_true(fabs(end_of(f, NULL) - (393.15 + (323.15 - 393.15) * exp(-1))) < 1e-3);
        assert_true(fabs(end_of(f, "boiler.P=0") - (293.15 + 30 * exp(-1))) < 1e-3);
    }
}

// Futures of the plant itself, which is opened because no server runs.
static json_t *ahead(const fixture *f, const char *vary, const char *more, const char *value)
{
    gm_ran ran = GM_RUN("what-if", f->plant, "--root", "boiler", "--horizon", "500s", "--step", "50s", "--points", "10", "--lanes", "24",
                        "--design", "latin", "--vary", vary, "--outputs", "boiler.temperature", "--quantiles", "0,0.5,1",
                        "--as-of", "2100-01-01T00:00:00Z", "--score", "final(boiler.temperature)", "--json", more, value);
    if (ran.code != 0) fail_msg("%s", GM_TEXT(ran.err));
    json_t *result = json_loads(GM_TEXT(ran.out), 0, NULL);
    assert_non_null(result);
    gm_ran_finish(&ran);
    return result;
}

static double at_end(const json_t *result, const char *quantile)
{
    const json_t *list = json_object_get(
        json_object_get(json_object_get(json_object_get(result, "outputs"), "boiler.temperature"), "quantiles"), quantile);
    return json_number_value(json_array_get(list, json_array_size(list) - 1));
}

// The FMU's lanes against the closed form, and against the class it was made from run as a program.
static void futures_of_an_fmu_are_those_of_its_class(void **state)
{
    const fixture *f = *state;
    char           note[400], kept[400];
    if (!gm_fmu_supported()) skip();
    for (int version = 2; version <= 3; version++) {
        export_as(f, version == 2 ? "2" : "3");
        json_t *fmu = ahead(f, "boiler.C=uniform(4000,6000)", "--threads", "2"), *one = ahead(f, "boiler.C=uniform(4000,6000)", "--threads", "1");
        json_t *late = ahead(f, "boiler.power=0@250s", "--seed", "3");
        assert_int_equal(json_integer_value(json_object_get(fmu, "diverged")), 0);
        assert_true(json_equal(json_object_get(fmu, "outputs"), json_object_get(one, "outputs")));
        double cooler = 393.15 - 70 * exp(-0.5);
        assert_true(fabs(at_end(late, "0.5") + 273.15 - (293.15 + (cooler - 293.15) * exp(-0.5))) < 1e-2);
        json_decref(late);
        json_decref(one);

        // The same twin with the text as its behavior: the note steps aside.
        snprintf(note, sizeof note, "%s/behaviors/boiler.json", f->plant);
        snprintf(kept, sizeof kept, "%s/boiler.note", f->dir);
        assert_int_equal(rename(note, kept), 0);
        put(f, "behaviors/Boiler.mo",
            "model Boiler\n  parameter Real C(unit=\"J/K\") = 1e4;\n  parameter Real G(unit=\"W/K\") = 10;\n"
            "  parameter Real ambient(unit=\"K\") = 293.15;\n  input Real power(unit=\"W\", start=0);\n"
            "  output Real temperature(unit=\"K\", start=293.15, fixed=true);\nequation\n"
            "  C*der(temperature) = power - G*(temperature - ambient);\n"
            "  annotation(__gemel(interface=\"dtmi:t:Boiler;1\"));\nend Boiler;\n");
        // (a step of 50 s is a tenth of the time constant: RK4's error is below the tolerance)
        json_t *native = ahead(f, "boiler.C=uniform(4000,6000)", "--threads", "2");
        assert_int_equal(rename(kept, note), 0);
        snprintf(kept, sizeof kept, "%s/behaviors/Boiler.mo", f->plant);
        assert_int_equal(remove(kept), 0);
        static const char *const q[] = { "0", "0.5", "1" };
        for (int i = 0; i < 3; i++) {
            if (fabs(at_end(fmu, q[i]) - at_end(native, q[i])) > 2e-2)
                fail_msg("FMI %d, quantile %s: %.9g, natively %.9g", version, q[i], at_end(fmu, q[i]), at_end(native, q[i]));
        }
        json_decref(native);
        json_decref(fmu);
    }
    gm_ran ran = GM_RUN("what-if", f->plant, "--root", "boiler", "--horizon", "500s", "--vary", "boiler.temperature=60@100s", "--outputs", "boiler.temperature");
    assert_int_not_equal(ran.code, 0);
    assert_non_null(strstr(GM_TEXT(ran.err), "is fixed when the FMU begins"));
    gm_ran_finish(&ran);
}

// Half of the lanes break an assert inside of the FMU: they end with its words, the others go on.
static void a_lane_whose_fmu_fails_ends_and_the_job_goes_on(void **state)
{
    const fixture *f = *state;
    char           source[400];
    if (!gm_fmu_supported()) skip();
    snprintf(source, sizeof source, "%s/boiler.mo", f->dir);
    gm_test_write_file(source, GM_STR("model Boiler\n  parameter Real C(unit=\"J/K\") = 1e4;\n  parameter Real G(unit=\"W/K\") = 10;\n"
                                      "  input Real P(unit=\"W\", start=0);\n  output Real T_water(unit=\"K\", start=293.15, fixed=true);\nequation\n"
                                      "  C*der(T_water) = P - G*(T_water - 293.15);\n  assert(T_water < 360, \"the boiler boils dry\");\nend Boiler;\n"));
    export_as(f, "2");
    json_t *result = ahead(f, "boiler.C=list(4000,1e6)", "--threads", "2");
    assert_int_equal(json_integer_value(json_object_get(result, "diverged")), 12);
    const json_t *first = json_array_get(json_object_get(result, "troubles"), 0);
    assert_int_equal(json_integer_value(json_object_get(first, "lane")), 0);
    assert_string_equal(json_string_value(json_object_get(first, "reason")), "the FMU failed");
    if (strstr(json_string_value(json_object_get(first, "message")), "boils dry") == NULL)
        fail_msg("%s", json_string_value(json_object_get(first, "message")));
    assert_true(at_end(result, "1") < 360 - 273.15);
    json_decref(result);
    gm_test_write_file(source, gm_str_of(boiler));
}

static void a_note_that_does_not_fit_is_told(void **state)
{
    const fixture *f = *state;
    static const struct { const char *note, *says; } cases[] = {
        { "{\"interface\":\"dtmi:t:Boiler;1\",\"variables\":{\"power\":\"T_water\"}}", "which can not be converted" },
        { "{\"interface\":\"dtmi:t:Boiler;1\",\"variables\":{\"powre\":\"P\"}}", "has no property or telemetry 'powre'" },
        { "{\"interface\":\"dtmi:t:Boiler;1\",\"variables\":{\"power\":\"Q\"}}", "the FMU has no variable 'Q'" },
        { "{\"interface\":\"dtmi:t:Boiler;1\",\"variables\":{\"label\":\"P\"}}", "must be single numbers" },
        { "{\"interface\":\"dtmi:t:Kettle;1\"}", "there is no interface dtmi:t:Kettle;1" },
        { "{\"interfaces\":[]}", "\"interface\" is missing" },
        { "{\"interface\":\"dtmi:t:Boiler;1\",\"variables\":3}", "must be an object" },
        { "{", "boiler.json:1" },
    };
    if (!gm_fmu_supported()) skip();
    export_as(f, "3");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put(f, "behaviors/boiler.json", cases[i].note);
        gm_ran ran = GM_RUN("check", f->plant);
        if (ran.code != 1 || strstr(GM_TEXT(ran.out), cases[i].says) == NULL) fail_msg("case %zu: %s", i, GM_TEXT(ran.out));
        gm_ran_finish(&ran);
    }
    char path[400];
    snprintf(path, sizeof path, "%s/behaviors/boiler.json", f->plant);
    assert_int_equal(remove(path), 0);
    gm_ran ran = GM_RUN("check", f->plant);
    assert_non_null(strstr(GM_TEXT(ran.out), "nothing says whose behavior this is"));
    gm_ran_finish(&ran);
    ran = GM_RUN("simulate", f->root);
    assert_int_equal(ran.code, 1);
    assert_non_null(strstr(GM_TEXT(ran.err), "'boiler' has no behavior"));
    gm_ran_finish(&ran);
}

static void what_an_fmu_can_not_do_is_said(void **state)
{
    const fixture *f = *state;
    if (!gm_fmu_supported()) skip();
    export_as(f, "3");
    gm_ran ran = GM_RUN("simulate", f->root, "--plot");
    assert_int_equal(ran.code, 2);
    assert_non_null(strstr(GM_TEXT(ran.err), "--plot is for classes"));
    gm_ran_finish(&ran);
    ran = GM_RUN("rig", f->plant, "--root", "boiler", "--print", "--count", "1");
    assert_int_equal(ran.code, 1);
    assert_non_null(strstr(GM_TEXT(ran.err), "is an FMU"));
    gm_ran_finish(&ran);
    ran = GM_RUN("simulate", f->root, "--set", "kettle.P=1");
    assert_int_equal(ran.code, 1);
    assert_non_null(strstr(GM_TEXT(ran.err), "expected boiler.VARIABLE=VALUE"));
    gm_ran_finish(&ran);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_fmu_runs_from_the_values_of_its_twin, set_up, tear_down),
        cmocka_unit_test_setup_teardown(futures_of_an_fmu_are_those_of_its_class, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lane_whose_fmu_fails_ends_and_the_job_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_note_that_does_not_fit_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_an_fmu_can_not_do_is_said, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
