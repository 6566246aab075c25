#include "failure/modes.h"
#include "support/support.h"

#include <string.h>

static gm_failure_modes *read(const char *text, gm_status *st, gm_error *err)
{
    gm_failure_modes *modes = NULL;
    *err            = (gm_error){ 0 };
    assert_gm_ok(gm_failure_modes_create(gm_alloc_system(), &modes, err), *err);
    *st = gm_failure_modes_add(modes, GM_STR("rules/a.modes"), gm_str_of(text), err);
    return modes;
}

#define PUMP "\"on\":\"dtmi:t:Pump;1\""

static void declarations_are_read(void **state)
{
    (void)state;
    static const char text[] = "{\"modes\":[\n"
        "{\"name\":\"bearing\"," PUMP ",\"rate\":2e-5,\"repair\":\"8h\",\"delay\":\"10min\",\"cost\":120,\"text\":\"It seizes\",\"members\":\"SELECT * FROM DIGITALTWINS\","
        "\"shownBy\":[{\"alarm\":\"hot\",\"probability\":0.9,\"otherwise\":0.02},{\"property\":\"state\",\"is\":\"off\",\"proves\":true},{\"property\":\"x\",\"above\":7.5,\"on\":\"<feeds\"}]},\n"
        "{\"name\":\"wear\"," PUMP ",\"weibull\":{\"shape\":2,\"scale\":9000,\"age\":{\"phase\":\"as-operated\",\"fact\":\"hours\"}},\"effect\":\"degrades\"},"
        "{\"name\":\"life\"," PUMP ",\"life\":{\"median\":\"rul\",\"sure\":\"rulSure\",\"unitHours\":1.5}},"
        "{\"name\":\"start\"," PUMP ",\"probability\":0.01}],"
        "\"needs\":[{\"name\":\"water\"," PUMP ",\"from\":[\"<supplies\",\"feeds\"],\"of\":\"dtmi:t:Well;1\"},"
        "{\"name\":\"two\"," PUMP ",\"from\":\"<a\",\"working\":2,\"standby\":\"warm\",\"waiting\":0.1,\"switching\":0.02,\"order\":\"rank\"},"
        "{\"name\":\"one\"," PUMP ",\"from\":\"b\",\"working\":\"any\"}],"
        "\"losses\":[{" PUMP ",\"severity\":\"critical\",\"costPerHour\":900,\"text\":\"dry\"}],"
        "\"common\":[{\"name\":\"flood\"," PUMP ",\"mode\":\"bearing\",\"within\":\"<contains\",\"beta\":0.1}]}";
    gm_status st;
    gm_error  err;
    gm_failure_modes *m = read(text, &st, &err);
    assert_gm_ok(st, err);
    assert_int_equal(m->mode_count, 4);
    const gm_failure_mode *bearing = &m->modes[0];
    assert_true(bearing->law == GM_MODE_RATE && bearing->rate == 2e-5 && bearing->repair_h == 8 && bearing->delay == 10 * GM_MINUTE && bearing->scope.line == 2);
    assert_true(bearing->sign_count == 3 && bearing->signs[0].otherwise == 0.02 && bearing->signs[1].proves && gm_str_is(bearing->signs[1].text, "off"));
    assert_true(bearing->signs[1].otherwise == 0 && bearing->signs[2].number == 7.5 && bearing->signs[2].kind == GM_SIGN_ABOVE && bearing->signs[2].otherwise == 0.01);
    assert_true(bearing->signs[0].on.relationship.len == 0 && bearing->signs[2].on.incoming && gm_str_is(bearing->signs[2].on.relationship, "feeds"));
    assert_true(m->modes[1].effect == GM_EFFECT_DEGRADES && gm_str_is(m->modes[1].age_fact, "hours") && m->modes[1].scale == 9000);
    assert_true(m->modes[2].law == GM_MODE_LIFE && gm_str_is(m->modes[2].life[GM_LIFE_SURE], "rulSure") && m->modes[2].unit_h == 1.5);
    assert_true(m->need_count == 3 && m->needs[0].from_count == 2 && m->needs[0].from[0].incoming && !m->needs[0].from[1].incoming && m->needs[0].working == GM_WORKING_ALL);
    assert_true(m->needs[1].standby == GM_STANDBY_WARM && m->needs[1].working == 2 && m->needs[2].working == 1);
    assert_true(m->losses[0].severity == GM_LOSS_SEVERITY_CRITICAL && m->losses[0].cost_per_h == 900);
    assert_true(m->common[0].beta == 0.1 && m->common[0].within.incoming);
    gm_failure_modes_destroy(m);
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
    (void)state;
#define MODE(rest) "{\"modes\":[\n{\"name\":\"x\"," PUMP rest "}]}"
#define NEED(rest) "{\"needs\":[\n\n{\"name\":\"x\"," PUMP rest "}]}"
    static const struct { const char *text, *says; uint32_t line; } cases[] = {
        { "[]", "is expected", 1 },
        { "{\"mode\":[]}", "\"mode\" means nothing", 1 },
        { "{\"modes\":7}", "a list is expected", 1 },
        { "{\"modes\":[\n7]}", "an object is expected", 2 },
        { "{\"modes\":[\n{\"on\":\"dtmi:t:A;1\"}]}", "a \"name\" is missing", 2 },
        { "{\"modes\":[\n{\"name\":\"x\",\"rate\":1}]}", "\"on\", the DTMI", 2 },
        { "{\"modes\":[\n{\"name\":\"x\",\"on\":\"Pump\",\"rate\":1}]}", "the DTMI of an interface", 2 },
        { MODE(""), "one of \"rate\"", 2 },
        { MODE(",\"rate\":1,\"probability\":0.5"), "one of \"rate\"", 2 },
        { MODE(",\"rate\":-1e-5"), "\"rate\" is a number of at least 0", 2 },
        { MODE(",\"rate\":\"often\""), "\"rate\" is a number", 2 },
        { MODE(",\"probability\":1.2"), "from 0 to 1", 2 },
        { MODE(",\"probability\":-0.1"), "from 0 to 1", 2 },
        { MODE(",\"rate\":1,\"rate\":2"), "stands twice", 2 },
        { MODE(",\"rate\":1,\"reapir\":\"8h\""), "\"reapir\" means nothing", 2 },
        { MODE(",\"rate\":1,\"repair\":8"), "a time such as", 2 },
        { MODE(",\"rate\":1,\"effect\":\"ends\""), "one of stops, degrades", 2 },
        { MODE(",\"weibull\":{\"shape\":2}"), "\"scale\"", 2 },
        { MODE(",\"weibull\":{\"shape\":0,\"scale\":1}"), "above 0", 2 },
        { MODE(",\"weibull\":{\"shape\":2,\"scale\":1,\"age\":{\"phase\":\"operated\"}}"), "\"fact\"", 2 },
        { MODE(",\"weibull\":{\"shape\":2,\"scale\":1,\"age\":{\"phase\":\"operated\",\"fact\":\"hours\"}}"), "no phase 'operated'", 2 },
        { MODE(",\"life\":{\"median\":\"rul\"}"), "two properties", 2 },
        { MODE(",\"rate\":1,\"shownBy\":[{\"alarm\":\"a\",\"property\":\"b\"}]"), "either", 2 },
        { MODE(",\"rate\":1,\"shownBy\":[{\"property\":\"b\"}]"), "\"above\"", 2 },
        { MODE(",\"rate\":1,\"shownBy\":[{\"property\":\"b\",\"above\":\"x\"}]"), "are numbers", 2 },
        { MODE(",\"rate\":1,\"shownBy\":[{\"alarm\":\"b\",\"probability\":2}]"), "from 0 to 1", 2 },
        { MODE(",\"rate\":1,\"shownBy\":[{\"alarm\":\"b\",\"on\":\"<\"}]"), "a relationship is a text", 2 },
        { NEED(""), "\"from\"", 3 },
        { NEED(",\"from\":\"<\""), "a relationship is a text", 3 },
        { NEED(",\"from\":[]"), "a list of at most", 3 },
        { NEED(",\"from\":\"a\",\"working\":0"), "how many must work", 3 },
        { NEED(",\"from\":\"a\",\"working\":\"most\""), "how many must work", 3 },
        { NEED(",\"from\":\"a\",\"working\":1,\"standby\":\"warm\""), "\"waiting\"", 3 },
        { NEED(",\"from\":\"a\",\"standby\":\"cold\""), "\"working\"", 3 },
        { NEED(",\"from\":\"a\",\"working\":1,\"switching\":0.1"), "go with \"standby\"", 3 },
        { "{\"losses\":[{" PUMP ",\n\"severity\":\"huge\"}]}", "one of low, medium, high, critical", 2 },
        { "{\"common\":[{\"name\":\"c\"," PUMP ",\"mode\":\"m\"}]}", "\"beta\"", 1 },
        { "{\"common\":[{\"name\":\"c\"," PUMP ",\"mode\":\"m\",\"beta\":1.5}]}", "from 0 to 1", 1 },
        { "{\"modes\":[{\"name\":\"x\"," PUMP ",\"rate\":1},\n{\"name\":\"x\"," PUMP ",\"rate\":1}]}", "another one", 2 },
        { "{\"modes\":[", "", 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_status st;
        gm_error  err;
        gm_failure_modes *m = read(cases[i].text, &st, &err);
        if (st != GM_INVALID || err.line != cases[i].line || strstr(err.text, cases[i].says) == NULL)
            fail_msg("%s: %d, line %u, '%s'; expected '%s' in line %u", cases[i].text, (int)st, err.line, err.text, cases[i].says, cases[i].line);
        gm_failure_modes_destroy(m);
    }
}

static void found(void *context, const gm_failure_scope *scope, const char *text)
{
    char *all = context;
    assert_true(gm_str_is(scope->file, "rules/a.modes") && scope->line > 0);
    strncat(all, text, 900 - strlen(all));
    strncat(all, "\n", 900 - strlen(all));
}

static void names_that_no_model_has_are_found(void **state)
{
    (void)state;
    static const char model_text[] = "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Pump;1\",\"@type\":\"Interface\",\"contents\":["
        "{\"@type\":\"Property\",\"name\":\"hours\",\"schema\":\"double\"},{\"@type\":\"Property\",\"name\":\"state\",\"schema\":\"string\"},"
        "{\"@type\":\"Relationship\",\"name\":\"delivers\"}]},"
        "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Well;1\",\"@type\":\"Interface\",\"contents\":[{\"@type\":\"Relationship\",\"name\":\"supplies\"}]}]";
    static const struct { const char *text, *says; } cases[] = {
        { "{\"modes\":[{\"name\":\"m\"," PUMP ",\"weibull\":{\"shape\":1,\"scale\":1,\"age\":\"hours\"},\"shownBy\":[{\"property\":\"state\",\"is\":\"off\"}]}],"
          "\"needs\":[{\"name\":\"n\"," PUMP ",\"from\":[\"<supplies\",\"delivers\"],\"of\":\"dtmi:t:Well;1\"}],\"common\":[{\"name\":\"c\"," PUMP ",\"mode\":\"m\",\"beta\":0.1}]}", "" },
        { "{\"modes\":[{\"name\":\"m\",\"on\":\"dtmi:t:Fan;1\",\"rate\":1}]}", "there is no interface dtmi:t:Fan;1" },
        { "{\"modes\":[{\"name\":\"m\"," PUMP ",\"weibull\":{\"shape\":1,\"scale\":1,\"age\":\"age\"}}]}", "has no property 'age'" },
        { "{\"modes\":[{\"name\":\"m\"," PUMP ",\"weibull\":{\"shape\":1,\"scale\":1,\"age\":\"state\"}}]}", "'state' is no number" },
        { "{\"modes\":[{\"name\":\"m\"," PUMP ",\"rate\":1,\"shownBy\":[{\"property\":\"state\",\"above\":1}]}]}", "another kind of value" },
        { "{\"modes\":[{\"name\":\"m\"," PUMP ",\"rate\":1,\"shownBy\":[{\"alarm\":\"low\",\"on\":\"nowhere\"}]}]}", "no relationship 'nowhere'" },
        { "{\"modes\":[{\"name\":\"m\"," PUMP ",\"rate\":1,\"shownBy\":[{\"property\":\"nothing\",\"above\":1,\"on\":\"feeds\"}]}]}", "what is related so has no property" },
        { "{\"needs\":[{\"name\":\"n\"," PUMP ",\"from\":\"supplies\"}]}", "dtmi:t:Pump;1 has no relationship 'supplies'" },
        { "{\"needs\":[{\"name\":\"n\"," PUMP ",\"from\":\"<feeds\"}]}", "no interface has a relationship 'feeds'" },
        { "{\"needs\":[{\"name\":\"n\"," PUMP ",\"from\":\"delivers\",\"of\":\"dtmi:t:Fan;1\"}]}", "there is no interface" },
        { "{\"losses\":[{\"on\":\"dtmi:t:Fan;1\"}]}", "there is no interface" },
        { "{\"common\":[{\"name\":\"c\"," PUMP ",\"mode\":\"m\",\"beta\":0.1}]}", "has no mode 'm'" },
    };
    gm_model       *model  = gm_model_create(gm_alloc_system());
    gm_findings     wrong  = { 0 };
    gm_error        err    = { 0 };
    gm_model_source source = { GM_STR("m.json"), gm_str_of(model_text) };
    assert_gm_ok(gm_model_add(model, &source, 1, &wrong, &err), err);
    gm_findings_finish(&wrong);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char      text[1000] = "";
        gm_status st;
        gm_failure_modes *m = read(cases[i].text, &st, &err);
        assert_gm_ok(st, err);
        gm_failure_modes_check(m, model, found, text);
        if (strstr(text, cases[i].says) == NULL || (text[0] == '\0') != (cases[i].says[0] == '\0')) fail_msg("%s: '%s', expected '%s'", cases[i].text, text, cases[i].says);
        gm_failure_modes_destroy(m);
    }
    gm_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declarations_are_read),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(names_that_no_model_has_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
